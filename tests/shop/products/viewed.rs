//! What people looked at lately, which the page of a product tells.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::calls;
use tests::shop::{Person, Product, Shop, product};
use tests::wait::eventually;

async fn looks_at(person: &Person, product: &Product) {
    let path = format!("/users/me/recently-viewed/{}", product.id);
    let answer = person.request(Method::PUT, &path).send().await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    answer.is(204);
}

/// The products that somebody looked at, once they are these: an index tells of a moment ago.
async fn viewed_once(person: &Person, expected: &[&Product]) -> Vec<Value> {
    let expected: Vec<_> = expected.iter().map(|product| product.id.as_str()).collect();
    eventually(&format!("somebody looked at {expected:?}"), async || {
        let list = person.get("/users/me/recently-viewed").await.is(200);
        let products = list["products"].as_array().expect("products").clone();
        (products.iter().map(|product| &product["id"]).eq(&expected)).then_some(products)
    })
    .await
}

#[tokio::test]
async fn the_last_product_that_somebody_looked_at_is_the_first_on_the_list() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let answer = bob.get("/users/me/recently-viewed").await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    assert_eq!(answer.is(200), json!({ "products": [] }));
    let (tea, cup) = (ann.sells(product().named("tea")).await, ann.sells(product().named("cup")).await);
    for product in [&tea, &cup, &tea] {
        looks_at(&bob, product).await;
    }
    let seen = viewed_once(&bob, &[&tea, &cup]).await;
    assert_eq!(seen[0]["productName"], "tea");
    assert_eq!(bob.get("/users/me/recently-viewed").await.calls(), calls([("dynamodb", 2)]));
    viewed_once(&ann, &[]).await;
}

#[tokio::test]
async fn what_is_not_for_sale_is_not_on_the_list_of_what_was_viewed() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea")).await;
    let cup = ann.lists(product().named("cup")).await;
    let pot = ann.sells(product().named("pot")).await;
    for product in [&tea, &cup, &pot] {
        looks_at(&bob, product).await;
    }
    viewed_once(&bob, &[&pot, &tea]).await;
    ann.request(Method::DELETE, &pot.path()).send().await.is(204);
    viewed_once(&bob, &[&tea]).await;
    let nothing = bob.request(Method::PUT, "/users/me/recently-viewed/tea").send().await;
    nothing.is_problem(404, "not-found");
}
