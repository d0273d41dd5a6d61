//! Payments: what Stripe tells is written down once, whoever tells it, and no more goes back than came.

use orders::workflow::Released;
use orders::{Order, OrderId, OrderStatus, PaymentId};
use payments::applying::{Applied, Applying};
use payments::attempt::Outcome;
use payments::cancelling::Ends;
use payments::deciding::{Money, Said, State};
use payments::events::{Event, Happened};
use payments::hearing::{Hearing, To};
use payments::refunding::{Refunding, Refunds};
use payments::store::Passed;
use payments::stripe::{self, CurrencyCode};
use payments::{Payment, Payments};
use serde_json::{Value, json};
use shared::caller::Caller;
use shared::dynamo::{Write, to_item};
use shared::http::input;
use shared::run::aws::FromEnv;
use shared::values::money::Amount;
use tests::aws::Aws as Cloud;
use tests::meddler::Meddler;
use users::CurrentAdmin;

use super::{Tables, before, found_order, now, open, open_with};

/// Queues that take whatever is sent.
async fn queues() -> String {
    let taken = |_: &Value| (200, json!({ "MessageId": "1" }));
    Meddler::answer("SendMessage", 0..usize::MAX, taken).stand_before("http://127.0.0.1:1".into()).await
}

/// What does something for payments, as a function has it, perhaps behind a meddler.
async fn with_queues<S: FromEnv>(meddler: Option<Meddler>) -> S {
    let dynamodb = match meddler {
        Some(meddler) => {
            let endpoint = std::env::var("AWS_ENDPOINT_URL").expect("no AWS to test, run `cargo local test`");
            Some(meddler.stand_before(endpoint).await)
        }
        None => None,
    };
    let queues = queues().await;
    let of = |name| (name, Some(format!("{queues}/queue")));
    let queue_urls = [of("EMAILS_QUEUE_URL"), of("ORDERS_QUEUE_URL"), of("REFUNDS_QUEUE_URL")];
    let endpoints = [("AWS_ENDPOINT_URL_SQS", Some(queues.clone())), ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb)];
    open_with(endpoints.into_iter().chain(queue_urls).collect()).await
}

/// An order of 99.99 USD, and the one attempt to pay it.
#[derive(Clone, Copy)]
struct Awaiting {
    order: OrderId,
    payment: PaymentId,
}

impl Awaiting {
    /// One whose page is open, in the tables.
    async fn new() -> Self {
        let awaiting = Self { order: OrderId::at(before()), payment: PaymentId::at(before()) };
        let Self { order, payment } = awaiting;
        let line = json!({
            "offerId": payment, "productId": payment, "productName": "Tea", "unitPrice": 9_999, "quantity": 1,
            "sellerId": "b0b",
        });
        let stored: Order = serde_json::from_value(json!({
            "orderId": order, "userId": "ann", "contact": { "email": "ann@cartwright.test", "fullName": "Ann" },
            "schemaVersion": 1, "status": "awaiting_payment", "paymentMethod": "card", "lines": [line],
            "total": 9_999, "currency": "USD", "createdAt": before(), "updatedAt": before(),
            "history": [{ "status": "awaiting_payment", "at": before() }],
            "payment": { "paid": 0, "refunding": 0, "refunded": 0, "paymentId": payment, "attempts": [payment] },
        }))
        .expect("an order");
        let attempt: Payment = serde_json::from_value(json!({
            "paymentId": payment, "entry": "payment", "orderId": order, "userId": "ann", "kind": "checkout_session",
            "attempt": 1, "amount": 9_999, "currency": "USD", "status": "open", "shop": "tests",
            "urlBase": "https://shop.example", "methods": ["card"], "expiresAt": now(), "captured": 0,
            "refundable": 0, "refunding": 0, "refunded": 0, "createdAt": before(), "updatedAt": before(),
            "schemaVersion": 1,
        }))
        .expect("an attempt");
        let (payments, tables): (Payments, Tables) = open().await;
        let put = tables.0.put_item().set_item(Some(to_item(&stored).expect("an item")));
        let table = std::env::var("ORDERS_TABLE").expect("the tables are named");
        put.table_name(table).send().await.expect("the order is written");
        let mut write = Write::new();
        write.put(payments.new_attempt(&attempt).expect("an attempt"));
        assert!(tables.commit(write).await);
        awaiting
    }

    /// One that is paid.
    async fn paid() -> Self {
        let awaiting = Self::new().await;
        let applying: Applying = with_queues(None).await;
        let told = awaiting.told(9_999, "usd", Some("evt_1"));
        assert_eq!(applying.apply(&told, now()).await.expect("it is written"), Applied::PaidNow);
        awaiting
    }

    fn intent(self) -> String {
        format!("pi_{}", self.payment)
    }

    /// That so much came, by this event or by the answer to a question.
    fn told(self, amount: u64, currency: &str, event: Option<&str>) -> Said {
        let money = Money {
            intent: self.intent().parse().expect("an intent"),
            amount: Amount::from_minor(amount),
            currency: CurrencyCode::try_from(currency.to_owned()).expect("a currency"),
        };
        let event = event.map(|event| format!("{event}_{}", self.payment).parse().expect("an event"));
        Said { payment: self.payment, order: self.order, session: None, state: State::Paid(money), event }
    }

    /// What can go back, is on its way and went; and the facts of its ledger.
    async fn counts(self) -> ([u64; 3], Vec<String>) {
        let payments: Payments = open().await;
        let whole = payments.whole(self.payment).await.expect("the table answers").expect("it is there");
        assert!(whole.adds_up(), "{whole:?}");
        let item = serde_json::to_value(&whole.payment).expect("JSON");
        let counts =
            ["refundable", "refunding", "refunded"].map(|name| item[name].as_u64().expect("an amount"));
        (counts, whole.ledger.iter().map(|entry| entry.fact().to_owned()).collect())
    }

    async fn status(self) -> OrderStatus {
        found_order(&open().await, self.order).await.status()
    }
}

fn admin() -> CurrentAdmin {
    CurrentAdmin(Caller::for_tests("root"))
}

/// What an admin gives back, or why not.
async fn gives_back(refunding: &Refunding, payment: PaymentId, body: &str) -> Result<(), u16> {
    let asked = input::parse(body.as_bytes()).expect("a refund");
    let given = refunding.refund(&admin(), payment, &asked, None, now()).await;
    given.map(drop).map_err(|refused| refused.status().as_u16())
}

// F2: both have read that all of it is left.
#[tokio::test]
async fn of_two_who_give_back_more_than_there_is_at_once_one_does() {
    let paid = Awaiting::paid().await;
    let rival: Refunding = with_queues(None).await;
    let meddler = Meddler::before("TransactWriteItems", 0..1, move || {
        let rival = rival.clone();
        async move { gives_back(&rival, paid.payment, r#"{"amount":60}"#).await.expect("the rival's") }
    });
    let behind: Refunding = with_queues(Some(meddler)).await;
    assert_eq!(gives_back(&behind, paid.payment, r#"{"amount":60}"#).await, Err(409));
    assert_eq!(paid.counts().await.0, [3_999, 6_000, 0]);
    // What is left can go, to the cent.
    assert_eq!(gives_back(&behind, paid.payment, r#"{"amount":39.99}"#).await, Ok(()));
    assert_eq!(paid.counts().await.0, [0, 9_999, 0]);
}

// F2, F5: Stripe will refuse one of them, and says which.
#[tokio::test]
async fn what_is_owed_already_is_not_taken_for_what_went_back_in_stripes_pages() {
    let paid = Awaiting::paid().await;
    let refunding: Refunding = with_queues(None).await;
    gives_back(&refunding, paid.payment, r#"{"amount":60}"#).await.expect("a refund");
    let refunds: Refunds = with_queues(None).await;
    let made = |amount: u64| {
        let made = json!({
            "id": format!("re_{}_{amount}", paid.payment), "status": "succeeded", "amount": amount,
            "currency": "usd", "payment_intent": paid.intent(),
        });
        serde_json::from_value::<stripe::Refund>(made).expect("a refund")
    };
    assert!(refunds.heard(&made(4_000), None, now()).await.is_err());
    assert_eq!(paid.counts().await.0, [3_999, 6_000, 0]);
    refunds.heard(&made(3_999), None, now()).await.expect("it is written");
    assert_eq!(paid.counts().await.0, [0, 6_000, 3_999]);
}

// F7: both are told at the same moment.
#[tokio::test]
async fn a_refund_that_fails_while_it_is_written_that_it_went_is_the_shops_again() {
    let paid = Awaiting::paid().await;
    let refunding: Refunding = with_queues(None).await;
    gives_back(&refunding, paid.payment, r#"{"amount":60}"#).await.expect("a refund");
    let payments: Payments = open().await;
    let whole = payments.whole(paid.payment).await.expect("the table answers").expect("it is there");
    let refund = serde_json::to_value(&whole.refunds[0]).expect("JSON")["refundId"].clone();
    let told = move |status: &str| {
        let told = json!({
            "id": format!("re_{}", paid.payment), "status": status, "amount": 6_000, "currency": "usd",
            "payment_intent": paid.intent(), "metadata": { "payment_id": paid.payment, "refund_id": refund },
        });
        serde_json::from_value::<stripe::Refund>(told).expect("a refund")
    };
    let (rival, went): (Refunds, _) = (with_queues(None).await, told("succeeded"));
    let meddler = Meddler::before("TransactWriteItems", 0..1, move || {
        let (rival, went) = (rival.clone(), went.clone());
        async move { _ = rival.heard(&went, None, now()).await.expect("it is written") }
    });
    let behind: Refunds = with_queues(Some(meddler)).await;
    let heard = behind.heard(&told("failed"), None, now()).await.expect("it is written");
    assert_eq!(heard, (Some(paid.payment), Passed::Now));
    let (counts, facts) = paid.counts().await;
    assert_eq!((counts, facts.len()), ([9_999, 0, 0], 3), "{facts:?}");
}

// P7: each fact is named after Stripe's object, and not after the event that tells of it.
#[tokio::test]
async fn what_several_events_tell_of_is_written_down_once() {
    let paid = Awaiting::paid().await;
    let applying: Applying = with_queues(None).await;
    for event in [Some("evt_2"), Some("evt_1"), None] {
        let applied = applying.apply(&paid.told(9_999, "usd", event), now()).await;
        assert_eq!(applied.expect("it is known"), Applied::Recorded, "{event:?}");
    }
    let charge = format!("charge:{}", paid.intent());
    assert_eq!(paid.counts().await, ([9_999, 0, 0], vec![charge.clone()]));

    let hearing: Hearing = with_queues(None).await;
    let dispute = format!("du_{}", paid.payment);
    for (event, expected) in [("evt_3", To::News), ("evt_4", To::Nothing), ("evt_3", To::Nothing)] {
        let taken = json!({
            "id": dispute, "status": "needs_response", "amount": 10_040, "currency": "usd",
            "payment_intent": paid.intent(),
        });
        let event = Event {
            id: format!("{event}_{}", paid.payment).parse().expect("an event"),
            created: Some(now()),
            happened: Happened::DisputeWithdrawn(serde_json::from_value(taken).expect("a dispute")),
        };
        assert_eq!(hearing.hear(event, now()).await.expect("it is written").to, expected);
    }
    assert_eq!(paid.counts().await, ([9_999, 0, 0], vec![charge, format!("dispute:{dispute}:withdrawn")]));
}

// P22: the tables compare it as well.
#[tokio::test]
async fn money_of_another_amount_or_currency_than_was_asked_for_pays_nothing() {
    let applying: Applying = with_queues(None).await;
    for (amount, currency) in [(9_998, "usd"), (10_000, "usd"), (9_999, "eur")] {
        let awaiting = Awaiting::new().await;
        let applied = applying.apply(&awaiting.told(amount, currency, None), now()).await;
        let applied = applied.unwrap_or_else(|error| panic!("{amount} {currency}: {error:#}"));
        assert_eq!(applied, Applied::SentBack(Outcome::Mismatch), "{amount} {currency}");
        assert_eq!(awaiting.status().await, OrderStatus::AwaitingPayment);
        assert_eq!(awaiting.counts().await.0, [0, amount, 0]);
    }
}

#[tokio::test]
async fn an_order_ends_although_what_came_twice_could_not_go_back() {
    let paid = Awaiting::paid().await;
    // A second attempt took as much, and its card was closed when that was to go back.
    let (cloud, order) = (Cloud::open().await, paid.order.to_string());
    let both = json!({ ":both": { "N": "19998" } });
    cloud.update_item("OrdersTable", ("orderId", &order), "SET payment.paid = :both", both).await;
    let ends: Ends = with_queues(None).await;
    let ended = ends.give_up(paid.order, now()).await;
    assert_eq!(ended.expect("it is over"), Released::Released);
    assert_eq!(paid.counts().await.0, [0, 9_999, 0]);
    assert_eq!(paid.status().await, OrderStatus::Cancelled);
    // The queue tells it twice.
    assert_eq!(ends.give_up(paid.order, now()).await.expect("it is over"), Released::AlreadyCancelled);
    assert_eq!(paid.counts().await.0, [0, 9_999, 0]);
}
