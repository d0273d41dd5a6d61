//! What the stores promise, condition by condition: each is seen to hold and made to fail, on the tables of a running
//! cloud.
//!
//! The stores are called as the functions call them. Times are arguments, so nothing waits; they lie where the shop's
//! own schedules do not come by: products that are for sale were made in 2001, all else happens in 2100. Only a sale is
//! of today where its hour is looked at, since the shop counts it in this one.

mod activity;
mod all_orders;
mod carts;
mod claims;
mod due;
mod endpoints;
mod exports;
mod inbox;
mod keys;
mod limits;
mod lists;
mod mail;
mod numbers;
mod offers;
mod orders;
mod parcels;
mod payments;
mod pictures;
mod places;
mod products;
mod promotions;
mod ratings;
mod returns;
mod reviews;
mod sales;
mod search;
mod settings;
mod sockets;
mod storefronts;
mod tickets;
mod users;
mod viewed;

use std::time::Duration;

use ::offers::Offer;
use ::orders::{
    Buyer, Fulfilment, NewOrder, Order, OrderId, OrderPlaced, Orders, PaymentId, Placing, Refusal, Shop,
};
use ::products::{NewProduct, ProductId, ProductOffer, Products};
use ::users::{Profile, Users};
use axum::extract::OptionalFromRequestParts;
use axum::http::Request;
use axum::http::request::Parts;
use serde_json::{Value, json};
use shared::caller::{Caller, UserId};
use shared::dynamo::{Write, Written};
use shared::guards::{IdempotencyKey, KeyedRequest, Once};
use shared::http::input;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;
use tests::meddler::{Answer, Meddler};
use tests::shop::unique;

const MILLISECOND: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

fn past() -> Timestamp {
    Timestamp::from_unix_millis(1_000_000_000_000)
}

fn now() -> Timestamp {
    Timestamp::from_unix_millis(4_102_444_800_000)
}

/// Just before [`now`]: what follows something is dated after it.
fn before() -> Timestamp {
    now() - MILLISECOND
}

/// That the carrier took what an order costs, by a payment that nobody writes down.
fn collected(_: &Order, _: &mut Write) -> anyhow::Result<PaymentId> {
    Ok(PaymentId::at(now()))
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
    open_with(vec![("AWS_ENDPOINT_URL_DYNAMODB", dynamodb)]).await
}

/// A store that is told something of its own.
async fn open_with<S: FromEnv>(variables: Vec<(&'static str, Option<String>)>) -> S {
    // The environment is the whole process's: while one test has this set, the others wait here. Nothing else reads it.
    temp_env::async_with_vars(variables, async {
        S::from_env(&Aws::from_env().expect("a way to AWS")).expect("the environment of a function")
    })
    .await
}

/// Commits what a store gives to be written with what others give.
#[derive(Clone)]
struct Tables(aws_sdk_dynamodb::Client);

impl FromEnv for Tables {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self(aws.dynamodb()))
    }
}

impl Tables {
    /// Whether it was written: its condition may have failed.
    async fn commit(&self, write: Write) -> bool {
        matches!(write.commit(&self.0).await.expect("the tables answer"), Written::Done(()))
    }
}

/// Someone whom no other test knows.
fn someone() -> Caller {
    Caller::for_tests(&unique("ann").replace(' ', "-"))
}

fn profile_of(id: &UserId, name: &str) -> Profile {
    let profile = json!({
        "userId": id, "email": format!("{name}@cartwright.test").to_lowercase(), "fullName": name,
        "username": name, "createdAt": now(),
    });
    serde_json::from_value(profile).expect("a profile")
}

/// Someone whom orders can be sold to: who has a profile.
async fn buyer() -> Caller {
    let buyer = someone();
    let users: Users = open().await;
    users.create(&profile_of(buyer.id(), "Ann")).await.expect("a profile");
    buyer
}

fn new_product(category: &str, stock: u32, now: Timestamp) -> ProductOffer {
    let body = json!({
        "fileName": "tea.png", "fileType": "image/png", "productName": "tea", "productPrice": 4.5,
        "description": "Green.", "quantity": stock, "category": category,
    });
    let new: NewProduct = input::parse(body.to_string().as_bytes()).expect("a product");
    ProductOffer::new(new, &someone(), "USD".parse().expect("a currency"), now)
}

/// The offer of a product that is for sale, both in their tables.
async fn for_sale(products: &Products, stock: u32) -> Offer {
    let ProductOffer { product, offer, .. } = new_product("Things", stock, past());
    let product = product.approved(Vec::new(), past());
    let approved = ProductOffer { offer: offer.with_terms(product.terms()), product, rating: None };
    products.create(&approved).await.expect("a product");
    approved.offer
}

/// A product that waits for its picture, in the table with its offer.
async fn listed(products: &Products) -> ProductId {
    let new = new_product("Things", 5, now());
    products.create(&new).await.expect("a product");
    new.product.id()
}

async fn found(products: &Products, id: ProductId) -> ProductOffer {
    products.find(id).await.expect("the tables answer").expect("the product is there")
}

/// How many pieces can still be bought, and how many are promised to orders.
async fn pieces_of(products: &Products, offer: &Offer) -> (u32, u32) {
    let offer = found(products, offer.product_id()).await.offer;
    (offer.stock().pieces(), offer.promised())
}

fn order(lines: &[(&Offer, u32)]) -> NewOrder {
    let items: Vec<_> =
        lines.iter().map(|(offer, quantity)| json!({ "id": offer.id(), "quantity": quantity })).collect();
    input::parse(json!({ "items": items }).to_string().as_bytes()).expect("an order")
}

/// A shop in Germany.
fn shop(fulfilment: Fulfilment) -> Shop {
    Shop { fulfilment, country: "DE".parse().expect("a country") }
}

/// Places an order as create-order does, without its limit and its queue.
async fn place(
    orders: &Orders,
    buyer: &Caller,
    order: &NewOrder,
    keyed: Option<&KeyedRequest>,
    now: Timestamp,
) -> Result<Once<OrderPlaced>, ::orders::Error> {
    let buyer = buyer.into();
    let placing = Placing { keyed, ..self::placing(&buyer, order, Fulfilment::Automatic, now) };
    orders.place(&placing, orders.basis(&placing).await?).await
}

fn placing<'a>(buyer: &'a Buyer, order: &'a NewOrder, by: Fulfilment, now: Timestamp) -> Placing<'a> {
    Placing { buyer, order, keyed: None, shop: shop(by), now }
}

/// An order in the table that waits for a person to ship it.
async fn waiting(orders: &Orders, buyer: &Caller, lines: &[(&Offer, u32)], now: Timestamp) -> OrderId {
    let (buyer, order) = (buyer.into(), order(lines));
    let placing = self::placing(&buyer, &order, Fulfilment::Manual, now);
    let placed = orders.place(&placing, orders.basis(&placing).await.expect("the tables answer")).await;
    placed.expect("a placed order").answer().order_id()
}

/// An order in the table.
async fn placed(orders: &Orders, buyer: &Caller, lines: &[(&Offer, u32)], now: Timestamp) -> OrderId {
    match place(orders, buyer, &order(lines), None, now).await.expect("a placed order") {
        Once::Done(placed) => placed.order_id(),
        Once::Replayed(before) => panic!("placed before: {before:?}"),
    }
}

async fn found_order(orders: &Orders, id: OrderId) -> Order {
    orders.find(id).await.expect("the table answers").expect("the order is there")
}

#[track_caller]
fn refusal<T: std::fmt::Debug>(result: Result<T, ::orders::Error>) -> Refusal {
    match result {
        Err(::orders::Error::Refused(refusal)) => refusal,
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

/// The request for this order under this key.
fn keyed(buyer: &Caller, key: &IdempotencyKey, order: &NewOrder) -> KeyedRequest {
    KeyedRequest::of("create-order", buyer, Some(key), order).expect("JSON").expect("there is a key")
}

/// Cancels a transaction as DynamoDB does when another one is at the same items.
fn conflict(_: &Value) -> Answer {
    let reasons = [json!({ "Code": "TransactionConflict", "Message": "…" }), json!({ "Code": "None" })];
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    (400, json!({ "__type": kind, "Message": "Transaction cancelled", "CancellationReasons": reasons }))
}
