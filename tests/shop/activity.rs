//! The log of what happened in an account.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::calls;
use tests::paying::awaiting;
use tests::shop::{PASSWORD, Person, Shop, product};
use tests::wait::eventually;

async fn log(person: &Person, query: &str) -> Vec<Value> {
    let answer = person.get(&format!("/users/me/activity{query}")).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    answer.is(200)["activity"].as_array().expect("a log").clone()
}

fn kinds(log: &[Value]) -> Vec<&str> {
    log.iter().map(|entry| entry["kind"].as_str().expect("a kind")).collect()
}

/// The log once its kinds are these, newest first.
async fn log_once(person: &Person, expected: &[&str]) -> Vec<Value> {
    eventually(&format!("the log has {expected:?}"), async || {
        let log = log(person, "?limit=100").await;
        (kinds(&log) == expected).then_some(log)
    })
    .await
}

#[tokio::test]
async fn a_buyers_log_tells_of_sign_in_order_and_shipping() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(10)).await;
    let order = bob.buys(&tea, 2).await;
    bob.order_once(&order, "shipping").await;
    let log = log_once(&bob, &["order.shipped", "order.placed", "user.signed-in", "user.signed-up"]).await;
    assert_eq!((&log[0]["subject"], &log[1]["subject"]), (&json!(order), &json!(order)));
    assert_eq!(log[2].get("subject"), None, "a sign-in is about the account itself");
    let history = &bob.order(&order).await["history"];
    assert_eq!((&log[1]["at"], &log[0]["at"]), (&history[0]["at"], &history[1]["at"]));
}

#[tokio::test]
async fn a_buyers_log_tells_that_an_order_was_paid_by_card() {
    let paid = awaiting().await;
    paid.is_paid().await;
    paid.buyer.order_once(&paid.order, "shipping").await;
    let expected = ["order.shipped", "order.paid", "order.placed", "user.signed-in", "user.signed-up"];
    let log = log_once(&paid.buyer, &expected).await;
    assert!(log[..3].iter().all(|entry| entry["subject"] == paid.order.as_str()), "{log:?}");
}

#[tokio::test]
async fn a_sellers_log_tells_what_became_of_the_product() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().named("tea")).await;
    let expected = ["product.approved", "product.listed", "user.signed-in", "user.signed-up"];
    let log = log_once(&ann, &expected).await;
    assert_eq!((&log[0]["subject"], &log[1]["subject"]), (&json!(tea.id), &json!(tea.id)));
}

#[tokio::test]
async fn a_changed_password_and_a_second_sign_in_are_in_the_log() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let body = json!({ "previousPassword": PASSWORD, "proposedPassword": "Cartwright-2" });
    let change = shop.request(Method::POST, "/change-password").token(&ann.tokens.access_token);
    change.json(&body).send().await.is(200);
    shop.post("/sign-in", &json!({ "email": ann.email, "password": "Cartwright-2" })).await.is(200);
    let expected = ["user.signed-in", "user.password-changed", "user.signed-in", "user.signed-up"];
    log_once(&ann, &expected).await;
}

#[tokio::test]
async fn a_log_is_read_by_pages_and_by_kind() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    for _ in 0..3 {
        shop.post("/sign-in", &json!({ "email": ann.email, "password": PASSWORD })).await.is(200);
    }
    let whole = log_once(&ann, &[&["user.signed-in"; 4][..], &["user.signed-up"]].concat()).await;

    let first = ann.get("/users/me/activity?limit=3").await.is(200);
    let cursor = first["nextCursor"].as_str().expect("a second page");
    let second = ann.get(&format!("/users/me/activity?limit=3&cursor={cursor}")).await.is(200);
    let pages: Vec<_> = [&first, &second]
        .iter()
        .flat_map(|page| page["activity"].as_array().expect("a log").clone())
        .collect();
    assert_eq!((pages, &second["nextCursor"]), (whole.clone(), &Value::Null));

    assert_eq!(log(&ann, "?kind=user.signed-up").await, whole[4..]);
    let first = ann.get("/users/me/activity?kind=user.signed-in&limit=3").await.is(200);
    let cursor = first["nextCursor"].as_str().expect("a second page");
    assert_eq!(first["activity"], json!(whole[..3]));
    assert_eq!(log(&ann, &format!("?kind=user.signed-in&limit=3&cursor={cursor}")).await, whole[3..4]);
    ann.get("/users/me/activity?kind=order.eaten").await.is_problem(422, "invalid-input");
}

#[tokio::test]
async fn nobody_reads_on_in_anothers_log() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    log_once(&ann, &["user.signed-in", "user.signed-up"]).await;
    let first = ann.get("/users/me/activity?limit=1").await.is(200);
    let cursor = first["nextCursor"].as_str().expect("a second page");
    bob.get(&format!("/users/me/activity?cursor={cursor}")).await.is_problem(422, "invalid-input");
}
