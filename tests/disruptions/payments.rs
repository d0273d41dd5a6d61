//! Payments while AWS or Stripe fails: what was not heard is asked for, or found though nobody told, and nothing is
//! given back on our own clock. The numbers are those of docs/payments.md.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tests::aws::{Aws, ago};
use tests::logs::count_in_logs;
use tests::paying::{Awaiting, awaiting, check_out, facts};
use tests::shop::{cancelled, order_id, product};
use tests::wait::{a_while, at_once, eventually};

use super::{HOUR, open};
use crate::orders::{failure, silence};

/// After this long, the time to pay is over, and whatever is owed is swept up.
const LATER: Duration = Duration::from_mins(45);

async fn stands(of: &Awaiting, payment_status: &str) -> Value {
    of.order_once(payment_status, |order| order["paymentStatus"] == payment_status).await
}

/// Reads what happened at Stripe since then, as if it were two hours later.
async fn reconcile(aws: &Aws, since: &str) {
    aws.run_asked("reconcile-payments", 2 * HOUR, &json!({ "since": since })).await;
}

async fn whole_once(awaiting: &Awaiting, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    eventually(what, async || Some(awaiting.whole().await).filter(&is_so)).await
}

// P10 and F5, also where nobody comes back to the page: no webhook ever.
#[tokio::test]
async fn what_no_webhook_brought_is_found_and_counted_once() {
    let (_shop, aws, _soon) = open().await;
    let (since, awaiting) = (ago(Duration::ZERO), awaiting().await);
    let counted = || count_in_logs("reconcile-payments", "FactsMissed");
    let before = counted();
    awaiting.at_stripe(json!({ "do": "pay", "deliver": ["never"] })).await;
    awaiting.at_stripe(json!({ "do": "refund", "amount": 1_000, "deliver": ["never"] })).await;
    awaiting.at_stripe(json!({ "do": "dispute", "amount": 8_999, "deliver": ["never"] })).await;
    assert_eq!(awaiting.order().await["paymentStatus"], "unpaid");
    reconcile(&aws, &since).await;
    let order = awaiting.order().await;
    assert_eq!(order["paymentStatus"], "partially_refunded", "{order}");
    assert_ne!(order["status"], "awaiting_payment");
    let whole = awaiting.whole().await;
    assert_eq!(facts(&whole), ["charge", "dispute", "refund"]);
    assert_eq!(whole["disputes"][0]["status"], "open");
    // The charge, the refund, the dispute and that its money was taken.
    eventually("they are counted", async || (counted() == before + 4).then_some(())).await;
    reconcile(&aws, &since).await;
    assert_eq!(awaiting.whole().await, whole, "what was found is so once");
    assert_eq!((counted(), count_in_logs("reconcile-payments", "LedgerMismatch")), (before + 4, 0));
}

// Nothing is refunded that its buyer has from the bank, and nothing is kept of an order that nobody gets.
#[tokio::test]
async fn an_order_whose_money_a_bank_decides_about_is_cancelled_and_paid_back_once_it_has() {
    let (_shop, aws, _soon) = open().await;
    let paused = aws.pause("consume-orders").await;
    let paid = awaiting().await;
    paid.is_paid().await;
    let counted = || count_in_logs("receive-stripe-event", "DisputedBeforeShipping");
    let before = counted();
    let dispute = paid.at_stripe(json!({ "do": "dispute" })).await;
    whole_once(&paid, "it is disputed", |whole| whole["disputed"] == true).await;
    eventually("somebody is told to keep the goods", async || (counted() > before).then_some(())).await;
    let order = paid.buyer.cancels(&paid.order).await.is(200);
    assert_eq!((&order["status"], &order["paymentStatus"]), (&json!("cancelled"), &json!("paid")));
    assert_eq!(paid.stock().await, 3);
    assert_eq!(paid.whole().await["refunds"], json!([]));
    let dispute = dispute["object"]["id"].as_str().expect("an id");
    paid.happens("disputes", dispute, json!({ "do": "win", "deliver": ["twice"] })).await;
    paid.order_once("it went back", |order| order["paymentStatus"] == "refunded").await;
    let whole = whole_once(&paid, "once", |whole| facts(whole).len() == 4).await;
    assert_eq!(
        (facts(&whole).last().map(String::as_str), &whole["refunded"]),
        (Some("refund"), &json!(99.99))
    );
    paused.undo();
}

// F12: cancelled again and again, and told again.
#[tokio::test]
async fn a_paid_order_that_is_cancelled_gives_its_money_and_its_stock_back_once() {
    let (_shop, aws, _soon) = open().await;
    let paused = aws.pause("consume-orders").await;
    let paid = awaiting().await;
    paid.is_paid().await;
    let answers = at_once(8, |_| {
        let (buyer, order) = (paid.buyer.clone(), paid.order.clone());
        async move { buyer.cancels(&order).await.status }
    });
    assert_eq!(answers.await, [200; 8]);
    let over = stands(&paid, "refunded").await;
    assert_eq!(over["status"], "cancelled");
    paused.undo();
    paid.buyer.cancels(&paid.order).await.is(200);
    for event in paid.books().await["events"].as_array().expect("a list") {
        paid.happens("events", event["id"].as_str().expect("an id"), json!({ "do": "deliver" })).await;
    }
    aws.quiet().await;
    a_while().await;
    assert_eq!(paid.stock().await, 3, "the stock comes back once");
    let books = paid.books().await;
    assert_eq!(
        (books["refunds"].as_array().map(Vec::len), &books["balance"]),
        (Some(1), &json!({ "usd": 0 }))
    );
    assert_eq!(facts(&paid.whole().await), ["charge", "refund"]);
    let mails = paid.buyer.mail_about(&paid.order).await;
    assert_eq!(cancelled(&mails), 1, "{mails:?}");
}

// F6: our own failure is answered as one, and Stripe tells it again.
#[tokio::test]
async fn what_could_not_be_written_down_is_told_again_and_paid() {
    let (_shop, aws, _soon) = open().await;
    let awaiting = awaiting().await;
    let change = aws.change("receive-stripe-event").await;
    let failing = change.env("AWS_ENDPOINT_URL_DYNAMODB", &failure().await).make().await;
    awaiting.at_stripe(json!({ "do": "pay" })).await;
    let is_refused = |one: &Value| one["tries"][0]["status"].as_u64().is_some_and(|status| status >= 500);
    eventually("our failure is told", async || {
        let books = awaiting.books().await;
        books["deliveries"].as_array().is_some_and(|all| all.iter().any(is_refused)).then_some(())
    })
    .await;
    failing.undo();
    stands(&awaiting, "paid").await;
}

// P10: no webhook comes, and the sweep asks. P20: nobody has paid, and the order is over.
#[tokio::test]
async fn when_the_time_to_pay_is_over_stripe_is_asked() {
    let (_shop, aws, _soon) = open().await;
    let (unpaid, paid) = (awaiting().await, awaiting().await);
    paid.at_stripe(json!({ "do": "pay", "deliver": ["never"] })).await;
    aws.run_on_schedule("sweep-orders", Duration::ZERO).await;
    a_while().await;
    for order in [unpaid.order().await, paid.order().await] {
        assert_eq!(order["status"], "awaiting_payment", "its time is not over");
    }
    aws.run_on_schedule("sweep-orders", LATER).await;
    stands(&paid, "paid").await;
    let over = stands(&unpaid, "void").await;
    assert_eq!((&over["status"], unpaid.stock().await), (&json!("cancelled"), 3));
}

// The stock is held for as long as Stripe does not say that nobody can pay.
#[tokio::test]
async fn nothing_is_given_back_without_stripes_word() {
    let (_shop, aws, _soon) = open().await;
    let awaiting = awaiting().await;
    let failing = aws.change("settle-payment").await.env("STRIPE_URL", &failure().await).make().await;
    aws.run_on_schedule("sweep-orders", LATER).await;
    a_while().await;
    assert_eq!(awaiting.order().await["status"], "awaiting_payment");
    assert_eq!(awaiting.stock().await, 2);
    failing.undo();
    aws.run_on_schedule("sweep-orders", 3 * LATER).await;
    stands(&awaiting, "void").await;
    assert_eq!(awaiting.stock().await, 3);
}

// The order is there, its page comes later, and it is one page.
#[tokio::test]
async fn an_order_whose_page_could_not_be_made_is_paid_by_the_same_attempt_later() {
    let (shop, aws, _soon) = open().await;
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let shoes = ann.sells(product().named("shoes").priced("99.99").stock(3)).await;
    bob.post("/cart/items", &json!({ "id": shoes.id, "quantity": 1 })).await.is(200);
    let down = aws.change("check-out-cart").await.env("STRIPE_URL", &failure().await).make().await;
    let placed = check_out(&bob, 99.99).await.is(201);
    down.undo();
    assert_eq!(placed["payment"]["status"], "creating", "{placed}");
    let payment = placed["payment"]["paymentId"].as_str().expect("an id").to_owned();
    let order = order_id(&placed);
    let page = bob.request(Method::POST, &format!("/payments/{order}")).send().await.is(201);
    assert_eq!((&page["paymentId"], &page["status"]), (&json!(payment), &json!("open")));
    let awaiting = Awaiting { shop, seller: ann, buyer: bob, product: shoes, order, payment };
    awaiting.is_paid().await;
    assert_eq!(awaiting.books().await["sessions"].as_array().map(Vec::len), Some(1));
}

// A cancelled order whose refund never reached its queue.
#[tokio::test]
async fn a_refund_that_the_queue_refused_is_swept_up() {
    let (_shop, aws, _soon) = open().await;
    let paused = aws.pause("consume-orders").await;
    let paid = awaiting().await;
    paid.is_paid().await;
    let failing = aws.change("cancel-order").await.env("AWS_ENDPOINT_URL_SQS", &failure().await).make().await;
    paid.buyer.cancels(&paid.order).await.is(200);
    failing.undo();
    paused.undo();
    a_while().await;
    assert_eq!(paid.order().await["paymentStatus"], "refunding");
    aws.run_on_schedule("sweep-payments", LATER).await;
    stands(&paid, "refunded").await;
    assert_eq!(paid.books().await["balance"], json!({ "usd": 0 }));
}

// A provider that hangs is a problem in time, and changes nothing.
#[tokio::test]
async fn a_provider_that_does_not_answer_is_said_so_in_time() {
    let (_shop, aws, _soon) = open().await;
    let awaiting = awaiting().await;
    let hanging = aws.change("refresh-payment").await.env("STRIPE_URL", &silence().await).make().await;
    let path = format!("/payments/{}/refresh", awaiting.payment);
    let answer = awaiting.buyer.request(Method::POST, &path).send().await;
    hanging.undo();
    answer.is_problem(503, "payment-provider-unavailable");
    assert_eq!(awaiting.order().await["status"], "awaiting_payment");
}
