//! What the stores promise, condition by condition: each is seen to hold and made to fail, on the tables of a running
//! cloud.
//!
//! The stores are called as the functions call them. Times are arguments, so nothing waits; they lie where the shop's
//! own schedules do not come by: products that are for sale were made in 2001, all else happens in 2100.

use std::time::Duration;

use activity::{Activity, Kind as What};
use aws_sdk_s3::Client as S3;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::Request;
use axum::http::request::Parts;
use notifications::{Claim, Claims, TryId};
use orders::store::{Placed, due_shards};
use orders::workflow::{Released, Shipped};
use orders::{
    CancellationReason, EmailKind, EmailQueued, NewOrder, Order, OrderId, OrderStatus, OrderView, Orders,
    Refusal,
};
use products::pictures::PICTURES;
use products::{Category, Decision, NewProduct, OwnProduct, Product, ProductId, Products, Reapproval};
use serde_json::{Value, json};
use shared::caller::{Caller, UserId};
use shared::dynamo::list::{Cursors, Page, PageRequest};
use shared::guards::once::{IdempotencyKey, KeyReused};
use shared::http::input;
use shared::http::problem::{INVALID_INPUT, Problem, SERVICE_UNAVAILABLE};
use shared::media::{Checked, FileName, ImageType, MAX_BYTES, Media, Picture, Upload, UploadId};
use shared::run::aws::{Aws, FromEnv};
use shared::values::time::Timestamp;
use tests::aws::Aws as Cloud;
use tests::meddler::{Answer, Meddler};
use tests::shop::{BLUE_PNG, RED_PNG, history, unique};
use tests::wait::at_once;
use users::{Profile, Users};

const MILLISECOND: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

fn past() -> Timestamp {
    Timestamp::from_unix_millis(1_000_000_000_000)
}

fn now() -> Timestamp {
    Timestamp::from_unix_millis(4_102_444_800_000)
}

/// A store, as a function has it.
async fn open<S: FromEnv>() -> S {
    open_at(None).await
}

/// A store that a meddler stands before.
async fn open_behind<S: FromEnv>(meddler: Meddler) -> S {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").expect("no AWS to test, run `cargo local test`");
    open_at(Some(meddler.stand_before(endpoint).await)).await
}

async fn open_at<S: FromEnv>(dynamodb: Option<String>) -> S {
    // The environment is the whole process's: while one test has this set, the others wait here. Nothing else reads it.
    temp_env::async_with_vars([("AWS_ENDPOINT_URL_DYNAMODB", dynamodb)], async {
        S::from_env(&Aws::from_env().await.expect("a way to AWS")).expect("the environment of a function")
    })
    .await
}

/// Someone whom no other test knows.
fn someone() -> Caller {
    Caller::for_tests(&unique("ann").replace(' ', "-"))
}

fn new_product(category: &str, stock: u32, now: Timestamp) -> Product {
    let body = json!({
        "fileName": "tea.png", "fileType": "image/png", "productName": "tea", "productPrice": 4.5,
        "description": "Green.", "quantity": stock, "category": category,
    });
    let new: NewProduct = input::parse(body.to_string().as_bytes()).expect("a product");
    Product::new(new, &someone(), "USD".parse().expect("a currency"), now)
}

/// A product in the table that is for sale.
async fn for_sale(products: &Products, stock: u32) -> Product {
    let product = new_product("Things", stock, past()).decided(&Decision::Approved, past());
    products.create(&product).await.expect("a product");
    product
}

/// A product in the table that waits for its picture.
async fn listed(products: &Products) -> Product {
    let product = new_product("Things", 5, now());
    products.create(&product).await.expect("a product");
    product
}

async fn stock_of(products: &Products, product: &Product) -> u32 {
    let product = products.find(product.id()).await.expect("the table answers");
    product.expect("the product is there").stock().pieces()
}

fn seen_by_its_owner(product: Product) -> Value {
    serde_json::to_value(OwnProduct::from(product)).expect("JSON")
}

fn order(lines: &[(&Product, u32)]) -> NewOrder {
    let items: Vec<_> =
        lines.iter().map(|(product, quantity)| json!({ "id": product.id(), "quantity": quantity })).collect();
    input::parse(json!({ "items": items }).to_string().as_bytes()).expect("an order")
}

/// An order in the table.
async fn placed(orders: &Orders, buyer: &Caller, lines: &[(&Product, u32)], now: Timestamp) -> OrderId {
    let placed = orders.place(buyer, &order(lines), None, now).await.expect("a placed order");
    assert!(!placed.replayed);
    placed.answer.order_id()
}

async fn found(orders: &Orders, id: OrderId) -> Order {
    orders.find(id).await.expect("the table answers").expect("the order is there")
}

/// Releases an order as release-order does.
async fn released(orders: &Orders, id: OrderId) -> Released {
    let order = found(orders, id).await;
    let released = orders.release(&order, CancellationReason::NotShippable, now()).await;
    released.expect("the tables answer")
}

async fn history_of(orders: &Orders, id: OrderId) -> Vec<String> {
    let order = serde_json::to_value(OrderView::from(found(orders, id).await)).expect("JSON");
    history(&order).into_iter().map(str::to_owned).collect()
}

#[track_caller]
fn refusal<T: std::fmt::Debug>(result: Result<T, orders::Error>) -> Refusal {
    match result {
        Err(orders::Error::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn parts(request: axum::http::request::Builder) -> Parts {
    request.body(()).expect("a request").into_parts().0
}

async fn key() -> IdempotencyKey {
    let request = Request::post("/create-order").header("idempotency-key", unique("key").replace(' ', "-"));
    let key = IdempotencyKey::from_request_parts(&mut parts(request), &()).await;
    key.expect("a good key").expect("a key")
}

// ── Placing an order ───────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_placed_order_takes_its_pieces_and_is_found() {
    let (orders, products): (Orders, Products) = open().await;
    let (tea, cup) = (for_sale(&products, 5).await, for_sale(&products, 3).await);
    let ann = someone();
    let id = placed(&orders, &ann, &[(&tea, 2), (&cup, 3)], now()).await;
    assert_eq!((stock_of(&products, &tea).await, stock_of(&products, &cup).await), (3, 0));
    let order = orders.find_of(&ann, id).await.unwrap();
    assert_eq!((order.status(), order.lines().len()), (OrderStatus::Pending, 2));
    assert!(matches!(orders.find_of(&someone(), id).await, Err(orders::Error::NotFound)));
    assert!(orders.find(OrderId::at(now())).await.unwrap().is_none());
}

#[tokio::test]
async fn a_line_that_cannot_be_had_is_refused_and_nothing_is_taken() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea) = (someone(), for_sale(&products, 5).await);
    let (few, unknown) = (for_sale(&products, 2).await, new_product("Things", 5, past()));
    let waiting = listed(&products).await;
    for (line, expected) in [
        (&few, Refusal::OutOfStock { id: few.id(), available: 2 }),
        (&unknown, Refusal::NotForSale(unknown.id())),
        (&waiting, Refusal::NotForSale(waiting.id())),
    ] {
        let refused = orders.place(&ann, &order(&[(&tea, 1), (line, 3)]), None, now()).await;
        assert_eq!(refusal(refused), expected);
    }
    assert_eq!(stock_of(&products, &tea).await, 5);
}

/// Buys the product of two while `change` is made to the other between the read and the transaction.
async fn refused_after(change: &'static str, values: Value, cup: &Product) -> Refusal {
    let products: Products = open().await;
    let (ann, tea, cloud) = (someone(), for_sale(&products, 5).await, Cloud::open().await);
    let id = cup.id().to_string();
    let meddler = Meddler::before("TransactWriteItems", 0..1, move || {
        let (cloud, id, values) = (cloud.clone(), id.clone(), values.clone());
        async move {
            match change {
                "DELETE" => cloud.delete_item("ProductsTable", "id", &id).await,
                change => cloud.update_item("ProductsTable", ("id", &id), change, values).await,
            }
        }
    });
    let orders: Orders = open_behind(meddler).await;
    let refused = orders.place(&ann, &order(&[(&tea, 1), (cup, 3)]), None, now()).await;
    // All or nothing.
    assert_eq!(stock_of(&products, &tea).await, 5);
    let (orders, cursors): (Orders, Cursors) = open().await;
    let list = orders.list_of(ann.id(), &cursors, &page(20, None).await).await.expect("a page");
    assert_eq!(list.entries, []);
    refusal(refused)
}

#[tokio::test]
async fn pieces_that_are_sold_between_read_and_reservation_are_out_of_stock() {
    let cup = for_sale(&open().await, 3).await;
    let refusal = refused_after("SET quantity = :left", json!({ ":left": { "N": "2" } }), &cup).await;
    assert_eq!(refusal, Refusal::OutOfStock { id: cup.id(), available: 2 });
}

#[tokio::test]
async fn a_price_that_changes_between_read_and_reservation_is_told() {
    let cup = for_sale(&open().await, 3).await;
    let refusal = refused_after("SET productPrice = :price", json!({ ":price": { "N": "449" } }), &cup).await;
    assert_eq!(refusal, Refusal::PriceChanged(cup.id()));
}

#[tokio::test]
async fn an_approval_that_is_withdrawn_between_read_and_reservation_is_told() {
    let cup = for_sale(&open().await, 3).await;
    let refusal = refused_after("SET isApproved = :no", json!({ ":no": { "BOOL": false } }), &cup).await;
    assert_eq!(refusal, Refusal::NotForSale(cup.id()));
}

#[tokio::test]
async fn a_product_that_is_deleted_between_read_and_reservation_is_not_for_sale_and_does_not_come_back() {
    let products: Products = open().await;
    let cup = for_sale(&products, 3).await;
    assert_eq!(refused_after("DELETE", Value::Null, &cup).await, Refusal::NotForSale(cup.id()));
    assert!(products.find(cup.id()).await.unwrap().is_none());
}

#[tokio::test]
async fn of_many_buyers_at_once_as_many_get_one_as_there_are() {
    let (orders, products): (Orders, Products) = open().await;
    let tea = for_sale(&products, 5).await;
    let results = at_once(20, |_| {
        let (orders, order) = (orders.clone(), order(&[(&tea, 1)]));
        async move { orders.place(&someone(), &order, None, now()).await }
    });
    let (placed, refused): (Vec<_>, Vec<_>) = results.await.into_iter().partition(Result::is_ok);
    assert_eq!(placed.len(), 5);
    for refused in refused {
        assert!(matches!(refusal(refused), Refusal::OutOfStock { .. }));
    }
    assert_eq!(stock_of(&products, &tea).await, 0);
}

#[tokio::test]
async fn an_order_whose_reply_is_lost_is_placed_once() {
    let (orders, products): (Orders, Products) = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    let (ann, tea) = (someone(), for_sale(&products, 5).await);
    let id = placed(&orders, &ann, &[(&tea, 2)], now()).await;
    assert_eq!(found(&orders, id).await.status(), OrderStatus::Pending);
    assert_eq!(stock_of(&products, &tea).await, 3);
}

#[tokio::test]
async fn an_order_with_a_key_whose_reply_is_lost_is_placed_once() {
    let (orders, products): (Orders, Products) = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    let (ann, tea, key) = (someone(), for_sale(&products, 2).await, key().await);
    let order = order(&[(&tea, 2)]);
    let placed = orders.place(&ann, &order, Some(&key), now()).await.unwrap();
    let again = orders.place(&ann, &order, Some(&key), now()).await.unwrap();
    assert_eq!(again, Placed { answer: placed.answer, replayed: true });
    assert_eq!(stock_of(&products, &tea).await, 0);
}

fn conflict(_: &Value) -> Answer {
    let reasons = [json!({ "Code": "TransactionConflict", "Message": "…" }), json!({ "Code": "None" })];
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    (400, json!({ "__type": kind, "Message": "Transaction cancelled", "CancellationReasons": reasons }))
}

#[tokio::test]
async fn a_conflict_with_other_transactions_is_waited_out() {
    let meddler = Meddler::answer("TransactWriteItems", 0..3, conflict);
    let (orders, products): (Orders, Products) = open_behind(meddler).await;
    let tea = for_sale(&products, 5).await;
    placed(&orders, &someone(), &[(&tea, 2)], now()).await;
    assert_eq!(stock_of(&products, &tea).await, 3);
}

#[tokio::test]
async fn conflicts_without_end_ask_the_client_to_come_back() {
    let meddler = Meddler::answer("TransactWriteItems", 0..usize::MAX, conflict);
    let (orders, products): (Orders, Products) = open_behind(meddler).await;
    let tea = for_sale(&products, 5).await;
    let error = orders.place(&someone(), &order(&[(&tea, 2)]), None, now()).await.unwrap_err();
    assert_eq!(Problem::from(error).kind(), SERVICE_UNAVAILABLE);
    assert_eq!(stock_of(&products, &tea).await, 5);
}

/// Reads nothing, as DynamoDB does when it is asked too much at once.
fn unread(input: &Value) -> Answer {
    (200, json!({ "Responses": {}, "UnprocessedKeys": input["RequestItems"] }))
}

#[tokio::test]
async fn products_that_dynamodb_left_unread_are_read_again() {
    let meddler = Meddler::answer("BatchGetItem", 0..2, unread);
    let (orders, products): (Orders, Products) = open_behind(meddler).await;
    let tea = for_sale(&products, 5).await;
    placed(&orders, &someone(), &[(&tea, 2)], now()).await;

    let orders: Orders = open_behind(Meddler::answer("BatchGetItem", 0..usize::MAX, unread)).await;
    let error = orders.place(&someone(), &order(&[(&tea, 2)]), None, now()).await.unwrap_err();
    assert_eq!(Problem::from(error).kind(), SERVICE_UNAVAILABLE);
    assert_eq!(stock_of(&products, &tea).await, 3);
}

// ── Idempotency keys ───────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn the_same_key_and_order_have_the_first_answer_for_a_day() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea, key) = (someone(), for_sale(&products, 5).await, key().await);
    let order = order(&[(&tea, 2)]);
    let place = async |now| orders.place(&ann, &order, Some(&key), now).await.unwrap();
    let first = place(now()).await;
    assert!(!first.replayed);
    let replay = Placed { replayed: true, ..first.clone() };
    assert_eq!(place(now()).await, replay);
    assert_eq!(place(now() + DAY - Duration::from_secs(1)).await, replay);
    assert_eq!(stock_of(&products, &tea).await, 3);

    // Then the record stands there expired: it does not answer, and does not stand in the way.
    let second = place(now() + DAY).await;
    assert!(!second.replayed);
    assert_ne!(second.answer, first.answer);
    assert_eq!(stock_of(&products, &tea).await, 1);
    assert_eq!(place(now() + DAY + DAY - Duration::from_secs(1)).await, Placed { replayed: true, ..second });
}

#[tokio::test]
async fn a_key_with_another_order_is_refused() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea, key) = (someone(), for_sale(&products, 5).await, key().await);
    orders.place(&ann, &order(&[(&tea, 2)]), Some(&key), now()).await.unwrap();
    let refused = orders.place(&ann, &order(&[(&tea, 1)]), Some(&key), now()).await;
    assert_eq!(refusal(refused), Refusal::KeyReused(KeyReused));
    assert_eq!(stock_of(&products, &tea).await, 3);
    let placed = orders.place(&someone(), &order(&[(&tea, 1)]), Some(&key), now()).await.unwrap();
    assert!(!placed.replayed, "keys are each person's own");
}

#[tokio::test]
async fn of_many_requests_at_once_with_one_key_one_is_placed_and_answers_all() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea, key) = (someone(), for_sale(&products, 1).await, key().await);
    // The last piece: it is gone for all but one, and still each has the answer.
    let placed = at_once(12, |_| {
        let (orders, ann, key, order) = (orders.clone(), ann.clone(), key.clone(), order(&[(&tea, 1)]));
        async move { orders.place(&ann, &order, Some(&key), now()).await.unwrap() }
    });
    let placed = placed.await;
    assert_eq!(placed.iter().filter(|placed| !placed.replayed).count(), 1);
    assert!(placed.iter().all(|other| other.answer == placed[0].answer));
    assert_eq!(stock_of(&products, &tea).await, 0);
}

/// A meddler before the call `number` of an operation, that has the order placed with the key over another way.
async fn rival(
    operation: &'static str,
    number: usize,
    (ann, key, order): (&Caller, &IdempotencyKey, &NewOrder),
) -> Meddler {
    let orders: Orders = open().await;
    let all = (orders, ann.clone(), key.clone(), order.clone());
    Meddler::before(operation, number..number + 1, move || {
        let (orders, ann, key, order) = all.clone();
        async move {
            let placed = orders.place(&ann, &order, Some(&key), now()).await;
            assert!(!placed.expect("a placed order").replayed);
        }
    })
}

#[tokio::test]
async fn a_request_that_was_faster_with_the_key_answers_this_one() {
    let products: Products = open().await;
    let (ann, tea, key) = (someone(), for_sale(&products, 1).await, key().await);
    let order = order(&[(&tea, 1)]);
    let orders: Orders = open_behind(rival("TransactWriteItems", 0, (&ann, &key, &order)).await).await;
    let placed = orders.place(&ann, &order, Some(&key), now()).await.unwrap();
    assert!(placed.replayed);
    assert_eq!(stock_of(&products, &tea).await, 0);
}

#[tokio::test]
async fn a_request_that_was_faster_with_the_key_and_another_order_refuses_this_one() {
    let products: Products = open().await;
    let (ann, tea, key) = (someone(), for_sale(&products, 5).await, key().await);
    let (one, two) = (order(&[(&tea, 1)]), order(&[(&tea, 2)]));
    let orders: Orders = open_behind(rival("TransactWriteItems", 0, (&ann, &key, &one)).await).await;
    let refused = orders.place(&ann, &two, Some(&key), now()).await;
    assert_eq!(refusal(refused), Refusal::KeyReused(KeyReused));
    assert_eq!(stock_of(&products, &tea).await, 4);
}

#[tokio::test]
async fn a_refusal_looks_for_the_answer_once_more() {
    let products: Products = open().await;
    let (ann, tea, key) = (someone(), for_sale(&products, 1).await, key().await);
    let order = order(&[(&tea, 1)]);
    // The first read sees neither piece nor record, as if the same request took and wrote them meanwhile.
    let rival: Orders = open().await;
    let (cloud, id) = (Cloud::open().await, tea.id().to_string());
    let all = (rival, cloud.clone(), id.clone(), ann.clone(), key.clone(), order.clone());
    let meddler = Meddler::before("BatchGetItem", 1..2, move || {
        let (rival, cloud, id, ann, key, order) = all.clone();
        async move {
            let one = json!({ ":one": { "N": "1" } });
            cloud.update_item("ProductsTable", ("id", &id), "SET quantity = :one", one).await;
            rival.place(&ann, &order, Some(&key), now()).await.unwrap();
        }
    });
    cloud
        .update_item("ProductsTable", ("id", &id), "SET quantity = :none", json!({ ":none": { "N": "0" } }))
        .await;
    let orders: Orders = open_behind(meddler).await;
    assert!(orders.place(&ann, &order, Some(&key), now()).await.unwrap().replayed);
    assert_eq!(stock_of(&products, &tea).await, 0);
}

// ── Shipping and release ───────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn an_order_ships_once() {
    let (orders, products): (Orders, Products) = open().await;
    let tea = for_sale(&products, 5).await;
    let id = placed(&orders, &someone(), &[(&tea, 2)], now()).await;
    let outcomes = at_once(8, |_| {
        let orders = orders.clone();
        async move { orders.ship(id, now() + MINUTE).await.unwrap() }
    });
    let outcomes = outcomes.await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Shipped::Shipped).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Shipped::AlreadyShipping).count(), 7);
    assert_eq!(orders.ship(id, now() + DAY).await.unwrap(), Shipped::AlreadyShipping);
    assert_eq!(history_of(&orders, id).await, ["pending", "shipping"]);
    assert_eq!(stock_of(&products, &tea).await, 3);
}

#[tokio::test]
async fn an_order_on_its_way_is_not_released() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea) = (someone(), for_sale(&products, 5).await);
    let id = placed(&orders, &ann, &[(&tea, 2)], now()).await;
    orders.ship(id, now()).await.unwrap();
    assert_eq!(released(&orders, id).await, Released::AlreadyShipping);
    assert_eq!(refusal(orders.cancel(&ann, id, now()).await), Refusal::NotCancellable);
    assert_eq!(history_of(&orders, id).await, ["pending", "shipping"]);
    assert_eq!(stock_of(&products, &tea).await, 3);
}

#[tokio::test]
async fn a_released_order_does_not_ship() {
    let (orders, products): (Orders, Products) = open().await;
    let tea = for_sale(&products, 5).await;
    let id = placed(&orders, &someone(), &[(&tea, 2)], now()).await;
    assert_eq!(released(&orders, id).await, Released::Released);
    assert_eq!(orders.ship(id, now()).await.unwrap(), Shipped::Cancelled);
    assert_eq!(history_of(&orders, id).await, ["pending", "cancelled"]);
    let reason = CancellationReason::NotShippable.as_str();
    assert_eq!(found(&orders, id).await.cancellation_reason(), Some(reason));
}

#[tokio::test]
async fn an_order_gives_its_stock_back_once() {
    let (orders, products): (Orders, Products) = open().await;
    let (tea, cup) = (for_sale(&products, 5).await, for_sale(&products, 3).await);
    let id = placed(&orders, &someone(), &[(&tea, 2), (&cup, 3)], now()).await;
    let outcomes = at_once(8, |_| {
        let orders = orders.clone();
        async move { released(&orders, id).await }
    });
    let outcomes = outcomes.await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Released::Released).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Released::AlreadyCancelled).count(), 7);
    assert_eq!((stock_of(&products, &tea).await, stock_of(&products, &cup).await), (5, 3));
    assert_eq!(history_of(&orders, id).await, ["pending", "cancelled"]);
}

#[tokio::test]
async fn of_shipping_and_release_at_once_one_happens() {
    let (orders, products): (Orders, Products) = open().await;
    let tea = for_sale(&products, 50).await;
    for _ in 0..5 {
        let before = stock_of(&products, &tea).await;
        let id = placed(&orders, &someone(), &[(&tea, 2)], now()).await;
        let (shipped, released) = tokio::join!(orders.ship(id, now()), released(&orders, id));
        let after = stock_of(&products, &tea).await;
        match (shipped.unwrap(), released) {
            (Shipped::Shipped, Released::AlreadyShipping) => assert_eq!(after, before - 2),
            (Shipped::Cancelled, Released::Released) => assert_eq!(after, before),
            outcome => panic!("{outcome:?}"),
        }
    }
}

#[tokio::test]
async fn a_deleted_product_gets_nothing_back_and_the_others_do() {
    let (orders, products): (Orders, Products) = open().await;
    let cloud = Cloud::open().await;
    for deleted in [vec![0], vec![1], vec![0, 2], vec![0, 1, 2]] {
        let mut things = Vec::new();
        for _ in 0..3 {
            things.push(for_sale(&products, 5).await);
        }
        let lines: Vec<_> = things.iter().map(|thing| (thing, 2)).collect();
        let id = placed(&orders, &someone(), &lines, now()).await;
        for index in &deleted {
            cloud.delete_item("ProductsTable", "id", &things[*index].id().to_string()).await;
        }
        assert_eq!(released(&orders, id).await, Released::Released, "{deleted:?}");
        assert_eq!(history_of(&orders, id).await, ["pending", "cancelled"]);
        for (index, thing) in things.iter().enumerate() {
            let left = products.find(thing.id()).await.unwrap().map(|product| product.stock().pieces());
            assert_eq!(left, (!deleted.contains(&index)).then_some(5), "{index} of {deleted:?}");
        }
    }
}

#[tokio::test]
async fn an_order_that_ships_while_it_is_cancelled_is_on_its_way() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea) = (someone(), for_sale(&products, 5).await);
    let id = placed(&orders, &ann, &[(&tea, 2)], now()).await;
    let rival = orders.clone();
    let behind: Orders = open_behind(Meddler::before("TransactWriteItems", 0..1, move || {
        let rival = rival.clone();
        async move { assert_eq!(rival.ship(id, now()).await.unwrap(), Shipped::Shipped) }
    }))
    .await;
    assert_eq!(refusal(behind.cancel(&ann, id, now()).await), Refusal::NotCancellable);
    assert_eq!(stock_of(&products, &tea).await, 3);
}

#[tokio::test]
async fn a_buyer_cancels_what_is_theirs_as_often_as_they_like() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea) = (someone(), for_sale(&products, 5).await);
    let id = placed(&orders, &ann, &[(&tea, 2)], now()).await;
    assert!(matches!(orders.cancel(&someone(), id, now()).await, Err(orders::Error::NotFound)));
    assert_eq!(stock_of(&products, &tea).await, 3);
    let cancelled = orders.cancel(&ann, id, now() + MINUTE).await.unwrap();
    assert_eq!(cancelled.cancellation_reason(), Some(CancellationReason::ByBuyer.as_str()));
    assert_eq!(orders.cancel(&ann, id, now() + DAY).await.unwrap(), cancelled);
    assert_eq!(found(&orders, id).await, cancelled);
    assert_eq!(stock_of(&products, &tea).await, 5);
}

#[tokio::test]
async fn an_order_that_nobody_placed_stays_unknown() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, id) = (someone(), OrderId::at(now()));
    assert!(orders.ship(id, now()).await.is_err());
    assert!(matches!(orders.cancel(&ann, id, now()).await, Err(orders::Error::NotFound)));
    orders.settle(id, OrderStatus::Pending).await.unwrap();
    assert!(orders.find(id).await.unwrap().is_none());

    let tea = for_sale(&products, 5).await;
    let never = Order::place(&order(&[(&tea, 1)]), std::slice::from_ref(&tea), &ann, now()).unwrap();
    assert!(!orders.put_off(&never, now() + DAY).await.unwrap());
    assert!(orders.release(&never, CancellationReason::NotShippable, now()).await.is_err());
    assert_eq!(stock_of(&products, &tea).await, 5);
    assert!(orders.find(never.id()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_transition_whose_reply_is_lost_happens_once() {
    let products: Products = open().await;
    let tea = for_sale(&products, 5).await;
    let orders: Orders = open_behind(Meddler::lose_reply("UpdateItem")).await;
    let id = placed(&orders, &someone(), &[(&tea, 2)], now()).await;
    assert_eq!(orders.ship(id, now()).await.unwrap(), Shipped::AlreadyShipping);
    assert_eq!(history_of(&orders, id).await, ["pending", "shipping"]);

    let id = placed(&orders, &someone(), &[(&tea, 2)], now()).await;
    let behind: Orders = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    assert_eq!(released(&behind, id).await, Released::AlreadyCancelled);
    assert_eq!(history_of(&orders, id).await, ["pending", "cancelled"]);
    assert_eq!(stock_of(&products, &tea).await, 3);
}

// ── What orders are owed ───────────────────────────────────────────────────────────────────────────────────

const GRACE: Duration = Duration::from_mins(2);

fn shard_of(order: &Order) -> String {
    let order = serde_json::to_value(order).expect("JSON");
    order["due"].as_str().expect("the order is due").to_owned()
}

async fn is_due(orders: &Orders, shard: &str, id: OrderId, now: Timestamp) -> bool {
    let due = orders.due(shard, now, 1_000).await.expect("the index answers");
    due.iter().any(|order| order.id() == id)
}

#[tokio::test]
async fn an_order_falls_due_after_two_minutes_until_it_is_settled() {
    let (orders, products): (Orders, Products) = open().await;
    let tea = for_sale(&products, 5).await;
    let id = placed(&orders, &someone(), &[(&tea, 1)], now()).await;
    let shard = shard_of(&found(&orders, id).await);
    assert!(!is_due(&orders, &shard, id, now() + GRACE - MILLISECOND).await);
    assert!(is_due(&orders, &shard, id, now() + GRACE).await);
    for other in due_shards().filter(|other| *other != shard) {
        assert!(!is_due(&orders, &other, id, now() + GRACE).await, "{other} and {shard}");
    }
    orders.settle(id, OrderStatus::Pending).await.unwrap();
    orders.settle(id, OrderStatus::Pending).await.unwrap();
    assert!(!is_due(&orders, &shard, id, now() + DAY).await);
    assert_eq!(history_of(&orders, id).await, ["pending"]);
}

#[tokio::test]
async fn what_is_longest_due_comes_first_and_no_more_than_asked_for() {
    let (orders, products): (Orders, Products) = open().await;
    let tea = for_sale(&products, 100).await;
    // Of seventeen orders two are in one of sixteen shards. The later placed falls due first.
    let mut placed_before: Vec<(String, OrderId)> = Vec::new();
    let (shard, later, earlier) = loop {
        let moment = now() - MINUTE * u32::try_from(placed_before.len()).unwrap();
        let id = placed(&orders, &someone(), &[(&tea, 1)], moment).await;
        let shard = shard_of(&found(&orders, id).await);
        match placed_before.iter().find(|(other, _)| *other == shard) {
            Some((_, first)) => break (shard, *first, id),
            None => placed_before.push((shard, id)),
        }
    };
    let due = orders.due(&shard, now() + DAY, 1_000).await.unwrap();
    let own: Vec<_> = due.iter().map(Order::id).filter(|id| [later, earlier].contains(id)).collect();
    assert_eq!(own, [earlier, later]);
    assert_eq!(orders.due(&shard, now() + DAY, 1).await.unwrap(), [due[0].clone()]);
}

#[tokio::test]
async fn of_many_sweeps_at_once_one_puts_an_order_off() {
    let (orders, products): (Orders, Products) = open().await;
    let tea = for_sale(&products, 5).await;
    let id = placed(&orders, &someone(), &[(&tea, 1)], now()).await;
    let order = found(&orders, id).await;
    let shard = shard_of(&order);
    let sweep = now() + GRACE;
    let put_off = at_once(8, |_| {
        let (orders, order) = (orders.clone(), order.clone());
        async move { orders.put_off(&order, sweep).await.unwrap() }
    });
    assert_eq!(put_off.await.into_iter().filter(|done| *done).count(), 1);
    assert!(!is_due(&orders, &shard, id, sweep + GRACE - MILLISECOND).await);
    assert!(is_due(&orders, &shard, id, sweep + GRACE).await);

    // The second time for twice as long.
    let again = found(&orders, id).await;
    assert!(orders.put_off(&again, sweep).await.unwrap());
    assert!(!is_due(&orders, &shard, id, sweep + 2 * GRACE - MILLISECOND).await);
    assert!(is_due(&orders, &shard, id, sweep + 2 * GRACE).await);
    assert!(!orders.put_off(&again, sweep).await.unwrap());
}

#[tokio::test]
async fn an_order_that_moved_on_is_not_put_off_and_not_settled_for_what_it_was() {
    let (orders, products): (Orders, Products) = open().await;
    let tea = for_sale(&products, 5).await;
    for ship in [true, false] {
        let id = placed(&orders, &someone(), &[(&tea, 1)], now()).await;
        let pending = found(&orders, id).await;
        let shard = shard_of(&pending);
        // So that its attempts are seen to begin anew.
        assert!(orders.put_off(&pending, now()).await.unwrap());
        let pending = found(&orders, id).await;
        // Just when the pending order was due, so that the time alone does not tell them apart.
        let status = if ship {
            orders.ship(id, now()).await.unwrap();
            OrderStatus::Shipping
        } else {
            released(&orders, id).await;
            OrderStatus::Cancelled
        };
        assert!(!orders.put_off(&pending, now() + GRACE).await.unwrap(), "{status:?}");
        orders.settle(id, OrderStatus::Pending).await.unwrap();
        assert!(is_due(&orders, &shard, id, now() + GRACE).await, "{status:?}");

        let moved_on = found(&orders, id).await;
        assert!(orders.put_off(&moved_on, now()).await.unwrap());
        assert!(is_due(&orders, &shard, id, now() + GRACE).await, "the first wait of {status:?}");
        orders.settle(id, status).await.unwrap();
        assert!(!is_due(&orders, &shard, id, now() + DAY).await, "{status:?}");
    }
}

#[tokio::test]
async fn an_order_that_is_owed_nothing_is_not_put_off() {
    let (orders, products): (Orders, Products) = open().await;
    let tea = for_sale(&products, 5).await;
    let id = placed(&orders, &someone(), &[(&tea, 1)], now()).await;
    let read_before = found(&orders, id).await;
    let shard = shard_of(&read_before);
    orders.settle(id, OrderStatus::Pending).await.unwrap();
    assert!(!orders.put_off(&read_before, now() + GRACE).await.unwrap());
    assert!(!orders.put_off(&found(&orders, id).await, now() + GRACE).await.unwrap());
    assert!(!is_due(&orders, &shard, id, now() + DAY).await);
}

// ── Changes of a product ───────────────────────────────────────────────────────────────────────────────────

/// An upload that began so many seconds later than others.
fn upload_at(second: u64) -> UploadId {
    UploadId::at(now() + Duration::from_secs(second))
}

fn with_picture(upload: UploadId) -> impl Fn(Product) -> Option<Product> + Clone + Send + Sync {
    move |product| {
        product.with_upload(upload, Ok(format!("https://shop.test/{upload}.png")), Reapproval::Spared, now())
    }
}

fn approved(product: Product) -> Option<Product> {
    Some(product.decided(&Decision::Approved, now()))
}

fn rejected(product: Product) -> Option<Product> {
    Some(product.decided(&Decision::Rejected(None), now()))
}

#[tokio::test]
async fn of_two_changes_at_the_same_time_both_survive() {
    let products: Products = open().await;
    let id = listed(&products).await.id();
    let (rival, upload) = (products.clone(), upload_at(1));
    let behind: Products = open_behind(Meddler::before("UpdateItem", 0..1, move || {
        let rival = rival.clone();
        async move {
            rival.change(id, with_picture(upload)).await.unwrap();
        }
    }))
    .await;
    let changed = behind.change(id, approved).await.unwrap();
    assert_eq!(products.find(id).await.unwrap(), Some(changed.clone()));
    assert!(changed.is_for_sale());
    let seen = seen_by_its_owner(changed);
    assert_eq!(seen["imageUrl"], format!("https://shop.test/{upload}.png"));
}

#[tokio::test]
async fn changes_of_many_at_once_are_all_made_or_told_to_come_back() {
    let products: Products = open().await;
    let id = listed(&products).await.id();
    let uploads: Vec<_> = (0..8).map(upload_at).collect();
    let changes = at_once(8, |number| {
        let (products, upload) = (products.clone(), uploads[number]);
        async move { (upload, products.change(id, with_picture(upload)).await) }
    });
    let mut newest = None;
    for (upload, changed) in changes.await {
        match changed {
            Ok(_) => newest = newest.max(Some(upload)),
            Err(products::Error::ChangedMeanwhile) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    let seen = seen_by_its_owner(products.find(id).await.unwrap().unwrap());
    assert_eq!(seen["imageUrl"], format!("https://shop.test/{}.png", newest.unwrap()));
}

#[tokio::test]
async fn a_change_gives_up_when_others_do_not_stop() {
    let products: Products = open().await;
    let id = listed(&products).await.id();
    let rival = products.clone();
    let behind: Products = open_behind(Meddler::before("UpdateItem", 0..usize::MAX, move || {
        let rival = rival.clone();
        async move {
            rival.change(id, rejected).await.unwrap();
        }
    }))
    .await;
    let given_up = behind.change(id, approved).await;
    assert!(matches!(given_up, Err(products::Error::ChangedMeanwhile)), "{given_up:?}");
    assert!(!products.find(id).await.unwrap().unwrap().is_for_sale());
}

#[tokio::test]
async fn an_order_during_a_change_keeps_its_pieces() {
    let (orders, products): (Orders, Products) = open().await;
    let tea = for_sale(&products, 5).await;
    let (id, order) = (tea.id(), order(&[(&tea, 2)]));
    let behind: Products = open_behind(Meddler::before("UpdateItem", 0..1, move || {
        let (orders, order) = (orders.clone(), order.clone());
        async move {
            orders.place(&someone(), &order, None, now()).await.unwrap();
        }
    }))
    .await;
    behind.change(id, with_picture(upload_at(1))).await.unwrap();
    assert_eq!(stock_of(&products, &tea).await, 3);
}

#[tokio::test]
async fn a_change_whose_reply_is_lost_is_made() {
    let products: Products = open_behind(Meddler::lose_reply("UpdateItem")).await;
    let id = listed(&products).await.id();
    let changed = products.change(id, approved).await.unwrap();
    assert!(changed.is_for_sale());
    assert_eq!(products.find(id).await.unwrap(), Some(changed));
}

#[tokio::test]
async fn a_rule_that_changes_nothing_writes_nothing() {
    let products: Products = open().await;
    let product = listed(&products).await;
    assert_eq!(products.change(product.id(), |_| None).await.unwrap(), product);
    assert_eq!(products.find(product.id()).await.unwrap(), Some(product));
}

#[tokio::test]
async fn a_product_that_is_gone_is_not_found_and_does_not_come_back() {
    let products: Products = open().await;
    let unknown = ProductId::at(now());
    assert!(matches!(products.change(unknown, approved).await, Err(products::Error::NotFound)));
    assert!(matches!(products.for_sale(unknown).await, Err(products::Error::NotFound)));

    let (id, cloud) = (listed(&products).await.id(), Cloud::open().await);
    let behind: Products = open_behind(Meddler::before("UpdateItem", 0..1, move || {
        let cloud = cloud.clone();
        async move { cloud.delete_item("ProductsTable", "id", &id.to_string()).await }
    }))
    .await;
    assert!(matches!(behind.change(id, approved).await, Err(products::Error::NotFound)));
    assert!(products.find(id).await.unwrap().is_none());
}

#[tokio::test]
async fn an_older_upload_does_not_replace_a_newer_one() {
    let products: Products = open().await;
    let id = listed(&products).await.id();
    let newer = products.change(id, with_picture(upload_at(2))).await.unwrap();
    assert_eq!(products.change(id, with_picture(upload_at(1))).await.unwrap(), newer);
    let refused =
        |product: Product| product.with_upload(upload_at(1), Err("No picture."), Reapproval::Spared, now());
    assert_eq!(products.change(id, refused).await.unwrap(), newer);
    assert_eq!(products.find(id).await.unwrap(), Some(newer));
}

#[tokio::test]
async fn only_what_is_approved_is_for_sale() {
    let products: Products = open().await;
    let id = listed(&products).await.id();
    assert!(matches!(products.for_sale(id).await, Err(products::Error::NotFound)));
    let changed = products.change(id, approved).await.unwrap();
    assert_eq!(products.for_sale(id).await.unwrap(), changed);
    products.change(id, rejected).await.unwrap();
    assert!(matches!(products.for_sale(id).await, Err(products::Error::NotFound)));
}

#[tokio::test]
async fn what_has_a_picture_or_an_approval_is_not_cleaned_up() {
    let products: Products = open().await;
    let bare = listed(&products).await.id();
    let pictured = listed(&products).await.id();
    products.change(pictured, with_picture(upload_at(1))).await.unwrap();
    let bought = for_sale(&products, 5).await.id();
    for (id, deleted) in [(bare, true), (bare, false), (pictured, false), (bought, false)] {
        assert_eq!(products.delete_without_picture(id).await.unwrap(), deleted);
    }
    assert!(products.find(bare).await.unwrap().is_none());
    assert!(products.find(pictured).await.unwrap().is_some());
    assert!(products.find(bought).await.unwrap().is_some());
}

// ── Lists ──────────────────────────────────────────────────────────────────────────────────────────────────

async fn page(limit: usize, cursor: Option<&str>) -> PageRequest {
    let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
    let mut parts = parts(Request::get(format!("/orders?limit={limit}{cursor}")));
    PageRequest::from_request_parts(&mut parts, &()).await.expect("a good request")
}

/// The pages of a list, one by one.
async fn pages<T>(limit: usize, read: impl AsyncFn(PageRequest) -> Result<Page<T>, Problem>) -> Vec<Vec<T>> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let found = read(page(limit, cursor.as_deref()).await).await.expect("a page");
        pages.push(found.entries);
        cursor = found.next_cursor;
        if cursor.is_none() {
            return pages;
        }
        assert!(pages.len() < 1_000, "the list does not end");
    }
}

/// The lists that a product stands on.
async fn lists_of(
    (products, cursors): &(Products, Cursors),
    product: &Product,
    owner: &UserId,
    category: &Category,
) -> Vec<&'static str> {
    let approved = pages(100, async |page| products.list_approved(None, cursors, &page).await).await;
    let of_category =
        pages(100, async |page| products.list_approved(Some(category), cursors, &page).await).await;
    let own = pages(100, async |page| products.list_of(owner, cursors, &page).await).await;
    let pending = pages(100, async |page| products.list_pending(cursors, &page).await).await;
    let bare = products.without_picture_since(now() + DAY, 1_000).await.expect("the index answers");
    let lists = [
        ("approved", approved.concat()),
        ("category", of_category.concat()),
        ("owner", own.concat()),
        ("pending", pending.concat()),
        ("without picture", bare),
    ];
    let lists = lists.into_iter().filter(|(_, list)| list.iter().any(|other| other.id() == product.id()));
    lists.map(|(name, _)| name).collect()
}

#[tokio::test]
async fn a_product_stands_on_the_lists_of_its_state() {
    let stores: (Products, Cursors) = open().await;
    let products = &stores.0;
    let category = Category::new(&unique("Things")).unwrap();
    let product = new_product(category.as_str(), 5, now());
    products.create(&product).await.unwrap();
    let stored = serde_json::to_value(&product).unwrap();
    let owner = UserId::from(stored["ownerId"].as_str().unwrap().to_owned());
    let lists = async || lists_of(&stores, &product, &owner, &category).await;
    let change = async |rule: &dyn Fn(Product) -> Option<Product>| {
        products.change(product.id(), rule).await.unwrap();
    };

    assert_eq!(lists().await, ["owner", "without picture"]);
    change(&approved).await;
    assert_eq!(lists().await, ["approved", "category", "owner"]);
    change(&rejected).await;
    assert_eq!(lists().await, ["owner", "without picture"]);
    change(&with_picture(upload_at(1))).await;
    assert_eq!(lists().await, ["owner", "pending"]);
    change(&rejected).await;
    assert_eq!(lists().await, ["owner"]);
    change(&with_picture(upload_at(2))).await;
    assert_eq!(lists().await, ["owner", "pending"]);
    change(&approved).await;
    assert_eq!(lists().await, ["approved", "category", "owner"]);
    change(&with_picture(upload_at(3))).await;
    assert_eq!(lists().await, ["approved", "category", "owner"]);
    // Off the public list again: other tests look at it.
    change(&rejected).await;
    assert_eq!(lists().await, ["owner"]);
}

#[tokio::test]
async fn what_waits_for_its_picture_is_found_when_it_has_waited_oldest_first() {
    let products: Products = open().await;
    let (older, newer) = (new_product("Things", 5, now()), new_product("Things", 5, now() + MINUTE));
    products.create(&newer).await.unwrap();
    products.create(&older).await.unwrap();
    let own = async |cutoff: Timestamp| {
        let found = products.without_picture_since(cutoff, 1_000).await.unwrap();
        let own = found.into_iter().map(|product| product.id());
        own.filter(|id| [older.id(), newer.id()].contains(id)).collect::<Vec<_>>()
    };
    assert_eq!(own(now()).await, []);
    assert_eq!(own(now() + MILLISECOND).await, [older.id()]);
    assert_eq!(own(now() + DAY).await, [older.id(), newer.id()]);
    assert_eq!(products.without_picture_since(now() + DAY, 1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn pages_are_a_whole_list_newest_first_and_the_last_one_says_so() {
    let (orders, products, cursors): (Orders, Products, Cursors) = open().await;
    let (ann, tea) = (someone(), for_sale(&products, 50).await);
    let mut expected = Vec::new();
    for number in 0..5 {
        expected.insert(0, placed(&orders, &ann, &[(&tea, 1)], now() + MINUTE * number).await);
    }
    for (limit, sizes) in [
        (1, vec![1, 1, 1, 1, 1]),
        (2, vec![2, 2, 1]),
        (3, vec![3, 2]),
        (4, vec![4, 1]),
        (5, vec![5]),
        (6, vec![5]),
        (100, vec![5]),
    ] {
        let pages = pages(limit, async |page| orders.list_of(ann.id(), &cursors, &page).await).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "{limit}");
        assert_eq!(pages.concat().iter().map(Order::id).collect::<Vec<_>>(), expected, "{limit}");
    }
    let nobody = orders.list_of(someone().id(), &cursors, &page(20, None).await).await.unwrap();
    assert_eq!(nobody, Page { entries: Vec::new(), next_cursor: None });
}

#[tokio::test]
async fn what_was_made_at_one_moment_is_on_one_page_each() {
    let (orders, products, cursors): (Orders, Products, Cursors) = open().await;
    let (ann, tea) = (someone(), for_sale(&products, 50).await);
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.push(placed(&orders, &ann, &[(&tea, 1)], now()).await);
    }
    expected.sort();
    for limit in 1..=5 {
        let pages = pages(limit, async |page| orders.list_of(ann.id(), &cursors, &page).await).await;
        let mut found: Vec<_> = pages.concat().iter().map(Order::id).collect();
        found.sort();
        assert_eq!(found, expected, "{limit}");
    }
}

#[tokio::test]
async fn a_cursor_goes_on_where_it_was_whatever_came_or_went_since() {
    let (products, cursors): (Products, Cursors) = open().await;
    let ann = someone();
    let body = r#"{"fileName":"p.png","fileType":"image/png","productName":"p","productPrice":1,
        "description":"Good.","quantity":1,"category":"Things"}"#;
    let make = async |minute: u32| {
        let new: NewProduct = input::parse(body.as_bytes()).unwrap();
        let product = Product::new(new, &ann, "USD".parse().unwrap(), now() + MINUTE * minute);
        products.create(&product).await.unwrap();
        product.id()
    };
    let (first, second, third) = (make(1).await, make(2).await, make(3).await);
    let list = async |cursor: Option<&str>| {
        let page = products.list_of(ann.id(), &cursors, &page(1, cursor).await).await.unwrap();
        (page.entries.iter().map(Product::id).collect::<Vec<_>>(), page.next_cursor)
    };
    let (entries, cursor) = list(None).await;
    assert_eq!(entries, [third]);
    make(4).await;
    Cloud::open().await.delete_item("ProductsTable", "id", &third.to_string()).await;
    let (entries, cursor) = list(cursor.as_deref()).await;
    assert_eq!(entries, [second]);
    assert_eq!(list(cursor.as_deref()).await, (vec![first], None));
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused() {
    let (orders, products, cursors): (Orders, Products, Cursors) = open().await;
    let (ann, bob, tea) = (someone(), someone(), for_sale(&products, 5).await);
    for _ in 0..2 {
        placed(&orders, &ann, &[(&tea, 1)], now()).await;
    }
    let first = orders.list_of(ann.id(), &cursors, &page(1, None).await).await.unwrap();
    let next = page(1, first.next_cursor.as_deref()).await;
    assert_eq!(orders.list_of(ann.id(), &cursors, &next).await.unwrap().entries.len(), 1);
    let refused = [
        orders.list_of(bob.id(), &cursors, &next).await.unwrap_err(),
        products.list_of(ann.id(), &cursors, &next).await.unwrap_err(),
        products.list_approved(None, &cursors, &next).await.unwrap_err(),
        products.list_pending(&cursors, &next).await.unwrap_err(),
        orders.list_of(ann.id(), &cursors, &page(1, Some("nonsense")).await).await.unwrap_err(),
    ];
    for problem in refused {
        assert_eq!(problem.kind(), INVALID_INPUT);
    }
}

// ── Emails that go out once ────────────────────────────────────────────────────────────────────────────────

const LEASE: Duration = Duration::from_mins(1);

fn email() -> EmailQueued {
    EmailQueued { kind: EmailKind::Shipping, order_id: OrderId::at(now()) }
}

fn me() -> TryId {
    TryId::at(now())
}

#[tokio::test]
async fn an_email_is_claimed_by_one_of_many() {
    let claims: Claims = open().await;
    let email = email();
    let outcomes = at_once(8, |_| {
        let claims = claims.clone();
        async move { claims.claim(email, me(), now()).await.unwrap() }
    });
    let outcomes = outcomes.await;
    assert_eq!(outcomes.iter().filter(|claim| **claim == Claim::First).count(), 1);
    assert_eq!(outcomes.iter().filter(|claim| **claim == Claim::Busy).count(), 7);
    let other_kind = EmailQueued { kind: EmailKind::Confirmed, ..email };
    assert_eq!(claims.claim(other_kind, me(), now()).await.unwrap(), Claim::First);
}

#[tokio::test]
async fn a_claim_is_taken_over_when_its_lease_is_over() {
    let claims: Claims = open().await;
    let email = email();
    let claim = async |now| claims.claim(email, me(), now).await.unwrap();
    assert_eq!(claim(now()).await, Claim::First);
    assert_eq!(claim(now() + LEASE - MILLISECOND).await, Claim::Busy);
    assert_eq!(claim(now() + LEASE).await, Claim::TakenOver);
    // The new holder has a lease of its own.
    assert_eq!(claim(now() + LEASE + LEASE - MILLISECOND).await, Claim::Busy);
    assert_eq!(claim(now() + LEASE + LEASE).await, Claim::TakenOver);
}

#[tokio::test]
async fn an_email_that_went_out_is_never_claimed_again() {
    let claims: Claims = open().await;
    let (email, sender) = (email(), me());
    claims.claim(email, sender, now()).await.unwrap();
    claims.record(email, now()).await.unwrap();
    claims.record(email, now() + DAY).await.unwrap();
    for later in [Duration::ZERO, LEASE, DAY * 30] {
        assert_eq!(claims.claim(email, me(), now() + later).await.unwrap(), Claim::AlreadySent);
        assert_eq!(claims.claim(email, sender, now() + later).await.unwrap(), Claim::AlreadySent);
    }
    claims.give_back(email, sender).await.unwrap();
    assert_eq!(claims.claim(email, me(), now()).await.unwrap(), Claim::AlreadySent);

    let cloud = Cloud::open().await;
    let id = format!("email#{}#{}", email.order_id, email.kind.as_str());
    let input = json!({ "TableName": cloud.output("GuardsTable"), "Key": { "guardId": { "S": id } } });
    let record = cloud.json("dynamodb", "DynamoDB_20120810.GetItem", input).await;
    assert_eq!(record["Item"]["sentAt"]["S"], now().to_string(), "the first record of the send stays");
}

#[tokio::test]
async fn a_sender_that_was_overtaken_still_records_what_it_sent() {
    let claims: Claims = open().await;
    let email = email();
    claims.claim(email, me(), now()).await.unwrap();
    assert_eq!(claims.claim(email, me(), now() + LEASE).await.unwrap(), Claim::TakenOver);
    claims.record(email, now() + LEASE).await.unwrap();
    assert_eq!(claims.claim(email, me(), now() + DAY).await.unwrap(), Claim::AlreadySent);
}

#[tokio::test]
async fn a_claim_is_given_back_by_its_holder_alone() {
    let claims: Claims = open().await;
    let (email, holder) = (email(), me());
    claims.give_back(email, holder).await.unwrap();
    assert_eq!(claims.claim(email, holder, now()).await.unwrap(), Claim::First);
    claims.give_back(email, me()).await.unwrap();
    assert_eq!(claims.claim(email, me(), now()).await.unwrap(), Claim::Busy);
    claims.give_back(email, holder).await.unwrap();
    assert_eq!(claims.claim(email, me(), now()).await.unwrap(), Claim::First);
    claims.give_back(email, holder).await.unwrap();
    assert_eq!(claims.claim(email, me(), now()).await.unwrap(), Claim::Busy);
}

#[tokio::test]
async fn a_claim_whose_reply_is_lost_is_the_callers() {
    let claims: Claims = open_behind(Meddler::lose_reply("UpdateItem")).await;
    assert_eq!(claims.claim(email(), me(), now()).await.unwrap(), Claim::First);
}

#[tokio::test]
async fn a_claim_that_is_taken_over_says_so_also_when_its_reply_is_lost() {
    let (before, behind): (Claims, Claims) =
        (open().await, open_behind(Meddler::lose_reply("UpdateItem")).await);
    let email = email();
    assert_eq!(before.claim(email, me(), now()).await.unwrap(), Claim::First);
    assert_eq!(behind.claim(email, me(), now() + LEASE).await.unwrap(), Claim::TakenOver);
}

// ── People ─────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn the_first_profile_of_a_person_stays() {
    let users: Users = open().await;
    let profile = |id: &UserId, name: &str| -> Profile {
        let profile = json!({
            "userId": id, "email": format!("{name}@cartwright.test").to_lowercase(), "fullName": name,
            "username": name, "createdAt": now(),
        });
        serde_json::from_value(profile).unwrap()
    };
    let ann = someone().id().clone();
    assert_eq!(users.find(&ann).await.unwrap(), None);
    let first = profile(&ann, "Ann");
    users.create(&first).await.unwrap();
    users.create(&profile(&ann, "Mallory")).await.unwrap();
    assert_eq!(users.find(&ann).await.unwrap(), Some(first));
}

#[tokio::test]
async fn a_profile_whose_reply_is_lost_is_recorded() {
    let users: Users = open_behind(Meddler::lose_reply("PutItem")).await;
    let ann = someone().id().clone();
    let profile = json!({
        "userId": ann, "email": "ann@cartwright.test", "fullName": "Ann", "username": "Ann", "createdAt": now(),
    });
    let profile: Profile = serde_json::from_value(profile).unwrap();
    users.create(&profile).await.unwrap();
    assert_eq!(users.find(&ann).await.unwrap(), Some(profile));
}

#[tokio::test]
async fn a_profile_tells_of_the_last_sign_in_and_of_the_last_new_password() {
    let users: Users = open().await;
    let ann = someone().id().clone();
    let profile = json!({
        "userId": ann, "email": "ann@cartwright.test", "fullName": "Ann", "username": "Ann", "createdAt": now(),
    });
    let profile: Profile = serde_json::from_value(profile).unwrap();
    users.create(&profile).await.unwrap();
    users.signed_in(&ann, now()).await.unwrap();
    users.signed_in(&ann, now() + MINUTE).await.unwrap();
    users.password_changed(&ann, now() + DAY).await.unwrap();
    let expected =
        Profile { last_sign_in_at: Some(now() + MINUTE), password_changed_at: Some(now() + DAY), ..profile };
    assert_eq!(users.find(&ann).await.unwrap(), Some(expected));
}

#[tokio::test]
async fn nothing_is_noted_of_somebody_without_a_profile() {
    let users: Users = open().await;
    let ann = someone().id().clone();
    assert!(users.signed_in(&ann, now()).await.is_err());
    assert_eq!(users.find(&ann).await.unwrap(), None);
}

// ── What happened ──────────────────────────────────────────────────────────────────────────────────────────

/// What the queue tells of a person at a time; the number makes it another event.
fn told(person: &UserId, kind: &str, number: usize, time: Timestamp) -> activity::Entry {
    let told: activity::Told = serde_json::from_value(json!({
        "specversion": "1.0", "id": format!("5d1b36b1-8b1f-5f0e-9c68-{number:012}"), "source": "/cartwright/local/users",
        "type": kind, "subject": person, "time": time, "datacontenttype": "application/json",
        "dataschema": format!("urn:cartwright:event:{kind}:1"), "data": { "userId": person }
    }))
    .expect("an event");
    told.into()
}

#[tokio::test]
async fn an_event_that_comes_again_is_the_same_entry() {
    let (activity, cursors): (Activity, Cursors) = open().await;
    let ann = someone().id().clone();
    let (first, second) =
        (told(&ann, "user.signed-up", 1, now()), told(&ann, "user.signed-in", 2, now() + MINUTE));
    for entry in [&second, &first, &second, &first] {
        activity.record(entry).await.unwrap();
    }
    let log = activity.list_of(&ann, None, &cursors, &page(20, None).await).await.unwrap();
    assert_eq!(log, Page { entries: vec![second, first], next_cursor: None });
}

#[tokio::test]
async fn a_rare_kind_is_found_behind_many_others() {
    let (activity, cursors): (Activity, Cursors) = open().await;
    let ann = someone().id().clone();
    let rare = told(&ann, "user.signed-up", 0, now());
    activity.record(&rare).await.unwrap();
    let sign_ins = at_once(510, |number| {
        let (activity, ann) = (activity.clone(), ann.clone());
        async move { activity.record(&told(&ann, "user.signed-in", number, now() + MINUTE)).await }
    });
    assert!(sign_ins.await.iter().all(Result::is_ok));
    let of = async |kind, limit| {
        activity.list_of(&ann, Some(kind), &cursors, &page(limit, None).await).await.unwrap()
    };
    assert_eq!(of(What::SignedUp, 1).await, Page { entries: vec![rare], next_cursor: None });
    assert_eq!(of(What::OrderPlaced, 20).await, Page { entries: vec![], next_cursor: None });
    let sign_ins = of(What::SignedIn, 100).await;
    assert!(sign_ins.entries.len() == 100 && sign_ins.next_cursor.is_some());
}

// ── Pictures ───────────────────────────────────────────────────────────────────────────────────────────────

/// The bucket of these tests, and another way to it.
#[derive(Clone)]
struct Bucket {
    media: Media,
    s3: S3,
    name: String,
    base_url: String,
}

impl FromEnv for Bucket {
    fn from_env(aws: &Aws) -> Result<Self, shared::run::config::ConfigError> {
        Ok(Self {
            media: Media::from_env(aws)?,
            s3: S3::new(aws.sdk()),
            name: shared::run::config::required("MEDIA_BUCKET")?,
            base_url: shared::run::config::required("MEDIA_BASE_URL")?,
        })
    }
}

impl Bucket {
    async fn open() -> Self {
        let bucket: Self = open().await;
        // Whichever test is the first makes it.
        let _ = bucket.s3.create_bucket().bucket(&bucket.name).send().await;
        bucket
    }

    /// Uploads a file as a client does, and gives the upload.
    async fn uploaded(&self, file: &[u8]) -> Upload {
        let name = FileName::new("tea.png").expect("a name");
        let upload = Upload::new(PICTURES, ProductId::at(now()), &name, now());
        self.put(&upload, file).await;
        upload
    }

    async fn put(&self, upload: &Upload, file: &[u8]) {
        let url = self.media.presign(upload, ImageType::Png, None).await.expect("an upload URL");
        let http = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
        let put = http.put(url).header("content-type", "image/png").body(file.to_vec());
        let answer = put.send().await.expect("the upload URL answers");
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    async fn checked(&self, upload: &Upload) -> Checked {
        self.media.check(upload).await.expect("the bucket answers")
    }

    async fn picture(&self, upload: &Upload) -> Picture {
        match self.checked(upload).await {
            Checked::Picture(picture) => picture,
            other => panic!("no picture: {other:?}"),
        }
    }

    async fn published(&self, picture: &Picture) -> Option<String> {
        self.media.publish(picture).await.expect("the bucket answers")
    }

    /// Content type, caching and bytes of what is at a URL.
    async fn at(&self, url: &str) -> (String, String, Vec<u8>) {
        let key = url.strip_prefix(&format!("{}/", self.base_url)).expect("a URL of ours");
        let found = self.s3.get_object().bucket(&self.name).key(key).send().await.expect("an object");
        let (content_type, caching) = (found.content_type().map(str::to_owned), found.cache_control());
        let caching = caching.unwrap_or_default().to_owned();
        let bytes = found.body.collect().await.expect("its bytes").to_vec();
        (content_type.unwrap_or_default(), caching, bytes)
    }
}

const IMMUTABLE: &str = "public, max-age=31536000, immutable";

#[tokio::test]
async fn a_picture_is_published_once_and_for_all() {
    let bucket = Bucket::open().await;
    let upload = bucket.uploaded(RED_PNG).await;
    let picture = bucket.picture(&upload).await;
    let url = bucket.published(&picture).await.unwrap();
    assert_eq!(bucket.at(&url).await, ("image/png".into(), IMMUTABLE.into(), RED_PNG.to_vec()));
    assert_eq!(bucket.published(&picture).await, Some(url.clone()));
    assert_eq!(bucket.published(&bucket.picture(&upload).await).await, Some(url.clone()));

    bucket.media.discard(&upload).await.unwrap();
    bucket.media.discard(&upload).await.unwrap();
    assert_eq!(bucket.checked(&upload).await, Checked::Gone);
    assert_eq!(bucket.published(&picture).await, None);
    assert_eq!(bucket.at(&url).await.2, RED_PNG);
}

#[tokio::test]
async fn a_picture_is_served_as_what_its_bytes_are() {
    let bucket = Bucket::open().await;
    let gif = b"GIF89a\x01\0\x01\0\0\0\0;";
    let upload = bucket.uploaded(gif).await;
    let url = bucket.published(&bucket.picture(&upload).await).await.unwrap();
    assert_eq!(bucket.at(&url).await, ("image/gif".into(), IMMUTABLE.into(), gif.to_vec()));
}

#[tokio::test]
async fn what_is_no_picture_is_refused() {
    let bucket = Bucket::open().await;
    for file in [&b"<html><script>alert(1)</script></html>"[..], b"<svg xmlns='http://www.w3.org/2000/svg'/>"]
    {
        let upload = bucket.uploaded(file).await;
        let refused = Checked::Refused("The file is not a PNG, JPEG, WebP, GIF or AVIF image.");
        assert_eq!(bucket.checked(&upload).await, refused);
    }
}

#[tokio::test]
async fn an_empty_file_is_refused() {
    let bucket = Bucket::open().await;
    let upload = bucket.uploaded(b"").await;
    assert!(matches!(bucket.checked(&upload).await, Checked::Refused(_)));
}

#[tokio::test]
async fn five_megabytes_are_taken_and_a_byte_more_is_refused() {
    let bucket = Bucket::open().await;
    let mut file = RED_PNG.to_vec();
    file.resize(usize::try_from(MAX_BYTES).unwrap(), 0);
    let upload = bucket.uploaded(&file).await;
    assert!(matches!(bucket.checked(&upload).await, Checked::Picture(_)));
    file.push(0);
    let upload = bucket.uploaded(&file).await;
    assert_eq!(bucket.checked(&upload).await, Checked::Refused("The file is larger than 5 MB."));
}

#[tokio::test]
async fn an_upload_that_never_came_is_gone() {
    let bucket = Bucket::open().await;
    let name = FileName::new("tea.png").unwrap();
    let upload = Upload::new(PICTURES, ProductId::at(now()), &name, now());
    assert_eq!(bucket.checked(&upload).await, Checked::Gone);
}

#[tokio::test]
async fn bytes_that_were_not_looked_at_are_not_published() {
    let bucket = Bucket::open().await;
    let upload = bucket.uploaded(RED_PNG).await;
    let red = bucket.picture(&upload).await;
    bucket.put(&upload, b"<html>").await;
    assert_eq!(bucket.published(&red).await, None);
    bucket.put(&upload, BLUE_PNG).await;
    assert_eq!(bucket.published(&red).await, None);
    let blue = bucket.published(&bucket.picture(&upload).await).await.unwrap();
    assert_eq!(bucket.at(&blue).await.2, BLUE_PNG);
    bucket.put(&upload, RED_PNG).await;
    let url = bucket.published(&red).await.unwrap();
    assert_ne!(url, blue);
    assert_eq!(bucket.at(&url).await.2, RED_PNG);
}
