//! What comes back of an order, condition by condition: whoever comes second finds what the first one did; and what
//! each seller has of an order.

use orders::letters::{ReturnLetterKind, ReturnLetters};
use orders::returns::{NewReturn, Requesting, ReturnStatus};
use orders::{Actor, Order, OrderId, Orders, Progress, Return, Returns};
use products::Products;
use serde_json::{Value, json};
use shared::caller::Caller;
use shared::dynamo::Write;
use shared::guards::Once;
use shared::http::input;
use shared::http::problem::StatusCode;
use shared::letters::Letters;
use shared::run::aws::FromEnv;
use shared::values::time::Timestamp;
use tests::aws::Aws as Cloud;
use tests::meddler::Meddler;
use tests::wait::at_once;

use super::{
    DAY, Tables, buyer, collected, for_sale, found_order, key, now, open, open_behind, open_with, placed,
};

/// What a function is given besides tables. No queue answers: what it would be told is swept up.
const GIVEN: [(&str, &str); 7] = [
    ("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:1"),
    ("EMAILS_QUEUE_URL", "http://127.0.0.1:1"),
    ("RETURN_DAYS", "30"),
    ("LIMIT_PER_GUEST", "1000/60"),
    ("LIMIT_PER_PERSON", "1000/60"),
    ("LIMIT_KEY", "a key"),
    ("ORDER_TOKEN_KEY", "a key"),
];

/// The same, behind a meddler where there is one.
async fn given<S: FromEnv>(meddler: Option<Meddler>) -> S {
    let mut variables: Vec<_> = GIVEN.map(|(name, value)| (name, Some(value.to_owned()))).into();
    if let Some(meddler) = meddler {
        let endpoint = std::env::var("AWS_ENDPOINT_URL").expect("no AWS to test, run `cargo local test`");
        let stands = meddler.stand_before(endpoint).await;
        variables.push(("AWS_ENDPOINT_URL_DYNAMODB", Some(stands)));
    }
    open_with(variables).await
}

/// An order of so many pieces that has arrived.
async fn arrived(pieces: u32) -> (Caller, OrderId) {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 9).await);
    let id = placed(&orders, &ann, &[(&tea, pieces)], now()).await;
    orders.ship(id, now()).await.expect("it ships");
    let seller = Caller::for_tests(&tea.seller().to_string());
    orders.progress(&seller, id, &Progress::Delivered, &collected, now()).await.expect("it arrives");
    (ann, id)
}

fn asked(order: &Order, quantity: u32) -> NewReturn {
    let items = json!({ "items": [{ "id": order.lines()[0].offer_id(), "quantity": quantity }] });
    input::parse(items.to_string().as_bytes()).expect("a return")
}

fn later() -> Timestamp {
    now() + DAY
}

async fn returned(orders: &Orders, id: OrderId) -> u32 {
    let order = found_order(orders, id).await;
    order.back_of(order.lines()[0].offer_id()).returned()
}

#[tokio::test]
async fn whoever_asks_by_what_was_read_before_finds_what_is_in_another_return() {
    let (requesting, orders) = (given::<Requesting>(None).await, open::<Orders>().await);
    let (_, id) = arrived(3).await;
    let read = found_order(&orders, id).await;
    requesting.request_opened(read.clone(), &asked(&read, 2), None, later()).await.expect("a return");
    let second = requesting.request_opened(read.clone(), &asked(&read, 2), None, later()).await;
    assert_eq!(second.expect_err("too many").status(), StatusCode::CONFLICT);
    assert_eq!(returned(&orders, id).await, 2);
    // What is left can be asked for, also by what was read before.
    requesting.request_opened(read.clone(), &asked(&read, 1), None, later()).await.expect("a return");
    assert_eq!(returned(&orders, id).await, 3);
}

#[tokio::test]
async fn many_who_ask_at_once_have_no_piece_in_two_returns() {
    let (requesting, orders) = (given::<Requesting>(None).await, open::<Orders>().await);
    let (_, id) = arrived(5).await;
    let order = found_order(&orders, id).await;
    let outcomes = at_once(8, |_| {
        let (requesting, order, asked) = (requesting.clone(), order.clone(), asked(&order, 2));
        async move { requesting.request_opened(order, &asked, None, later()).await.is_ok() }
    });
    let made = outcomes.await.into_iter().filter(|is_made| *is_made).count();
    let made = u32::try_from(made).expect("few");
    assert!((1..=2).contains(&made), "{made}");
    assert_eq!(returned(&orders, id).await, made * 2);
}

#[tokio::test]
async fn a_return_whose_reply_is_lost_is_asked_for_once() {
    let (_, id) = arrived(3).await;
    let orders = open::<Orders>().await;
    let order = found_order(&orders, id).await;
    let behind = Meddler::lose_reply("TransactWriteItems");
    let requesting: Requesting = given(Some(behind)).await;
    let (key, asked) = (key().await, asked(&order, 2));
    let first =
        requesting.request_opened(order.clone(), &asked, Some(&key), later()).await.expect("a return");
    let again = requesting.request_opened(order, &asked, Some(&key), later()).await.expect("a return");
    assert!(matches!(again, Once::Replayed(_)));
    assert_eq!(first.answer().id(), again.answer().id());
    assert_eq!(returned(&orders, id).await, 2);
}

#[tokio::test]
async fn a_return_whose_reply_is_lost_without_a_key_is_one_as_well() {
    let (_, id) = arrived(3).await;
    let orders = open::<Orders>().await;
    let order = found_order(&orders, id).await;
    let requesting: Requesting = given(Some(Meddler::lose_reply("TransactWriteItems"))).await;
    requesting.request_opened(order.clone(), &asked(&order, 1), None, later()).await.expect("a return");
    assert_eq!(returned(&orders, id).await, 1);
}

async fn requested(id: OrderId, quantity: u32) -> Return {
    let (requesting, orders) = (given::<Requesting>(None).await, open::<Orders>().await);
    let order = found_order(&orders, id).await;
    let asked = requesting.request_opened(order.clone(), &asked(&order, quantity), None, later()).await;
    asked.expect("a return").answer().clone()
}

#[tokio::test]
async fn a_return_is_decided_in_the_status_that_was_read_and_in_no_other() {
    let (returns, orders): (Returns, Orders) = (open().await, open().await);
    let (_, id) = arrived(3).await;
    let read = requested(id, 2).await;
    let order = found_order(&orders, id).await;
    let refused = read.refused(None, Actor::WORKFLOW, later());
    assert!(returns.refuse(&read, &refused, &order).await.unwrap());
    assert_eq!(returned(&orders, id).await, 0);
    // By what was read before: neither the return nor the order moves again.
    assert!(!returns.refuse(&read, &refused, &order).await.unwrap());
    assert!(!returns.accept(&read, &read.accepted(Actor::WORKFLOW, later())).await.unwrap());
    assert_eq!(returns.find(read.id()).await.unwrap().unwrap().status(), ReturnStatus::Refused);
    assert_eq!(returned(&orders, id).await, 0);
}

#[tokio::test]
async fn a_customers_return_is_undecided_until_the_shop_says_something_of_it() {
    let returns: Returns = open().await;
    let (ann, id) = arrived(3).await;
    assert!(!returns.are_undecided_of(ann.id()).await.unwrap());
    let read = requested(id, 2).await;
    assert!(returns.are_undecided_of(ann.id()).await.unwrap());
    assert!(!returns.are_undecided_of(buyer().await.id()).await.unwrap());
    assert!(returns.accept(&read, &read.accepted(Actor::WORKFLOW, later())).await.unwrap());
    assert!(!returns.are_undecided_of(ann.id()).await.unwrap());
}

#[tokio::test]
async fn a_refusal_by_an_order_that_moved_meanwhile_writes_nothing() {
    let (returns, orders): (Returns, Orders) = (open().await, open().await);
    let (_, id) = arrived(3).await;
    let read = requested(id, 1).await;
    let before = found_order(&orders, id).await;
    let _: Return = requested(id, 1).await;
    let refused = read.refused(None, Actor::WORKFLOW, later());
    assert!(!returns.refuse(&read, &refused, &before).await.unwrap());
    assert_eq!(returns.find(read.id()).await.unwrap().unwrap().status(), ReturnStatus::Requested);
    assert_eq!(returned(&orders, id).await, 2);
}

/// The item of a return, as the table has it.
async fn item(id: &Return) -> Value {
    Cloud::open().await.item("ReturnsTable", ("returnId", &id.id().to_string())).await
}

#[tokio::test]
async fn a_letter_about_a_return_settles_the_status_that_it_tells_of_alone() {
    let (returns, tables): (Returns, Tables) = (open().await, open().await);
    let commits = async |update| {
        let mut write = Write::new();
        write.update(update);
        tables.commit(write).await
    };
    let letters: ReturnLetters = given(None).await;
    let (_, id) = arrived(3).await;
    let read = requested(id, 1).await;
    assert!(item(&read).await["due"].is_object(), "a letter is owed");
    assert!(returns.accept(&read, &read.accepted(Actor::WORKFLOW, later())).await.unwrap());
    let settled = letters.sent(ReturnLetterKind::Requested, &read.id()).unwrap().expect("an update");
    assert!(!commits(settled).await, "it owes another letter by now");
    assert!(item(&read).await["due"].is_object());
    let settled = letters.sent(ReturnLetterKind::Accepted, &read.id()).unwrap().expect("an update");
    assert!(commits(settled).await);
    assert!(item(&read).await["due"].is_null(), "nothing is owed");
}

#[tokio::test]
async fn an_order_writes_what_each_of_its_sellers_has_of_it() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea, cup) = (buyer().await, for_sale(&products, 9).await, for_sale(&products, 9).await);
    let id = placed(&orders, &ann, &[(&tea, 2), (&cup, 1)], now()).await;
    let cloud = Cloud::open().await;
    for (offer, total) in [(&tea, "900"), (&cup, "450")] {
        let key =
            json!({ "sellerId": { "S": offer.seller().to_string() }, "orderId": { "S": id.to_string() } });
        let input =
            json!({ "TableName": cloud.output("SellerOrdersTable"), "Key": key, "ConsistentRead": true });
        let found = cloud.json("dynamodb", "DynamoDB_20120810.GetItem", input).await;
        assert_eq!(found["Item"]["total"]["N"], total, "{found}");
        assert_eq!(found["Item"]["lines"]["L"].as_array().map(Vec::len), Some(1));
    }
    let behind: Orders = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    placed(&behind, &ann, &[(&tea, 1)], now()).await;
}
