//! What a person wants to be told, and by which way.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::calls;
use tests::aws::Aws;
use tests::shop::{Person, Shop};

const PATH: &str = "/users/me/preferences";

async fn preferences(person: &Person) -> Value {
    let answer = person.get(PATH).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    answer.is(200)["preferences"].clone()
}

fn ways(email: bool, push: bool) -> Value {
    json!({ "email": email, "push": push })
}

#[tokio::test]
async fn what_is_chosen_stays_chosen_and_null_takes_it_back() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let at_first = preferences(&ann).await;
    let expected = json!({ "orders": ways(true, true), "sales": ways(true, true), "reviews": ways(true, true),
        "marketing": ways(false, false) });
    assert_eq!(at_first, expected);

    let answer = ann.put(PATH, &json!({ "sales": { "email": false }, "marketing": { "email": true } })).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    let changed = answer.is(200)["preferences"].clone();
    assert_eq!((&changed["sales"], &changed["marketing"]), (&ways(false, true), &ways(true, false)));
    assert_eq!(preferences(&ann).await, changed);
    // One thing under two names is still one.
    assert_eq!(ann.get("/users/me").await.is(200)["marketing"], true);
    ann.put("/users/me", &json!({ "marketing": false })).await.is(200);
    assert_eq!(preferences(&ann).await["marketing"], ways(false, false));

    ann.put(PATH, &json!({ "sales": null })).await.is(200);
    assert_eq!(preferences(&ann).await, at_first);
}

#[tokio::test]
async fn of_choices_that_are_made_at_once_none_is_lost() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let choose = async |group: &str, push: bool| {
        ann.put(PATH, &json!({ group: { "push": push } })).await.is(200);
    };
    tokio::join!(
        choose("orders", false),
        choose("sales", false),
        choose("reviews", false),
        choose("marketing", true)
    );
    let chosen = preferences(&ann).await;
    let pushed = ["orders", "sales", "reviews", "marketing"].map(|group| chosen[group]["push"] == true);
    assert_eq!(pushed, [false, false, false, true]);
}

#[tokio::test]
async fn what_always_comes_cannot_be_switched_off_and_nothing_else_of_the_request_is_done() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let always = ann.get(PATH).await.is(200)["always"].clone();
    assert_eq!((&always[0]["what"], &always[1]["what"]), (&json!("orders.email"), &json!("account.email")));
    let body = json!({ "orders": { "email": false }, "reviews": { "email": false } });
    ann.put(PATH, &body).await.is_problem(422, "invalid-input").at(["#/orders/email"]);
    assert_eq!(preferences(&ann).await["reviews"], ways(true, true));
}

#[tokio::test]
async fn a_closed_account_and_one_without_a_profile_choose_nothing() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let close = shop.admin().await.request(Method::POST, &format!("/users/{}/disable", ann.id()));
    close.send().await.is(200);
    let body = json!({ "reviews": { "email": false } });
    ann.put(PATH, &body).await.is_problem(403, "account-closed");
    aws.delete_item("UsersTable", "userId", &bob.id()).await;
    bob.put(PATH, &body).await.is_problem(404, "not-found");
    bob.get(PATH).await.is_problem(404, "not-found");
    assert_eq!(aws.item("UsersTable", ("userId", &bob.id())).await, Value::Null, "none was made");
}
