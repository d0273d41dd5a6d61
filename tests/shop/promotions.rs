//! Coupons: admins make, change and end them, each on what they saw.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::{Answer, calls};
use tests::shop::{Shop, unique};
use tests::wait::{at_once, eventually};

/// A code that no other test has.
fn code() -> String {
    unique("C").replace(' ', "-").to_uppercase()
}

async fn make(shop: &Shop, body: &Value) -> Answer {
    shop.admin().await.post("/coupons", body).await
}

async fn made(shop: &Shop) -> String {
    let code = code();
    make(shop, &json!({ "code": code, "kind": "percent", "value": 10 })).await.is(201);
    code
}

async fn change(shop: &Shop, code: &str, tag: &str, body: &Value) -> Answer {
    let request = shop.admin().await.request(Method::PUT, &format!("/coupons/{code}"));
    request.header("if-match", tag).json(body).send().await
}

async fn end(shop: &Shop, code: &str, tag: &str) -> Answer {
    let request = shop.admin().await.request(Method::DELETE, &format!("/coupons/{code}"));
    request.header("if-match", tag).send().await
}

/// The coupon as the admins' list has it, whichever page that is.
async fn listed(shop: &Shop, code: &str) -> Option<Value> {
    let mut query = "?limit=100".to_owned();
    loop {
        let answer = shop.admin().await.get(&format!("/coupons{query}")).await;
        assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
        let page = answer.is(200);
        let coupons = page["coupons"].as_array().expect("coupons");
        let times: Vec<_> =
            coupons.iter().map(|coupon| coupon["createdAt"].as_str().expect("a time")).collect();
        assert!(times.is_sorted_by(|newer, older| newer >= older), "not newest first: {times:?}");
        if let Some(found) = coupons.iter().find(|coupon| coupon["code"] == code) {
            return Some(found.clone());
        }
        query = format!("?limit=100&cursor={}", page["nextCursor"].as_str()?);
    }
}

#[tokio::test]
async fn what_an_admin_makes_is_on_the_list_as_it_was_sent() {
    let shop = Shop::open();
    let code = code();
    let sent = json!({
        "code": code.to_lowercase(), "kind": "amount", "value": 10.5, "minimum": 20, "limit": 100, "perCustomer": 1,
        "startsAt": "2026-12-01T01:00:00+01:00", "endsAt": "2026-12-24T00:00:00Z", "categories": ["Tea", "Cups"]
    });
    let answer = make(&shop, &sent).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
    let coupon = answer.is(201);
    let expected = json!({
        "code": code, "kind": "amount", "value": 10.5, "minimum": 20, "limit": 100, "perCustomer": 1,
        "startsAt": "2026-12-01T00:00:00.000Z", "endsAt": "2026-12-24T00:00:00.000Z", "categories": ["Cups", "Tea"],
        "currency": "USD", "isActive": true, "used": 0, "version": 1,
        "createdAt": coupon["createdAt"], "updatedAt": coupon["createdAt"]
    });
    assert_eq!(coupon, expected);
    assert_eq!(eventually("it is listed", async || listed(&shop, &code).await).await, expected);
}

#[tokio::test]
async fn a_code_is_one_coupons_for_good() {
    let shop = Shop::open();
    let code = code();
    let answers = at_once(8, |number| {
        let (shop, code) = (shop.clone(), code.clone());
        async move { make(&shop, &json!({ "code": code, "kind": "percent", "value": number + 1 })).await.status }
    });
    let made = answers.await.into_iter().filter(|status| *status == 201).count();
    assert_eq!(made, 1);
    end(&shop, &code, "*").await.is(204);
    let again = json!({ "code": code.to_lowercase(), "kind": "free_shipping" });
    make(&shop, &again).await.is_problem(409, "coupon-exists");
}

#[tokio::test]
async fn of_two_admins_who_saw_the_same_coupon_one_changes_it() {
    let shop = Shop::open();
    let code = made(&shop).await;
    let more = json!({ "kind": "percent", "value": 15, "limit": 5 });
    let answer = change(&shop, &code.to_lowercase(), "\"1\"", &more).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 3)]));
    let changed = answer.is(200);
    assert_eq!(
        (&changed["value"], &changed["limit"], &changed["version"]),
        (&json!(15), &json!(5), &json!(2))
    );
    let other = json!({ "kind": "free_shipping" });
    change(&shop, &code, "\"1\"", &other).await.is_problem(412, "precondition-failed");
    end(&shop, &code, "\"1\"").await.is_problem(412, "precondition-failed");
    // What is so already is no other version.
    assert_eq!(change(&shop, &code, "\"2\"", &more).await.is(200), changed);
}

#[tokio::test]
async fn an_ended_coupon_stays_until_it_is_brought_back() {
    let shop = Shop::open();
    let code = made(&shop).await;
    assert_eq!(end(&shop, &code, "\"1\"").await.is(204), Value::Null);
    assert_eq!(end(&shop, &code, "*").await.is(204), Value::Null, "a second time it is over already");
    let rules = json!({ "kind": "percent", "value": 20 });
    let changed = change(&shop, &code, "\"2\"", &rules).await.is(200);
    assert_eq!((&changed["isActive"], &changed["version"]), (&json!(false), &json!(3)));
    let back = json!({ "kind": "percent", "value": 20, "isActive": true });
    assert_eq!(change(&shop, &code, "\"3\"", &back).await.is(200)["isActive"], true);
}

#[tokio::test]
async fn coupons_are_the_admins() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let code = made(&shop).await;
    let path = format!("/coupons/{code}");
    let all = json!({ "code": "ALL", "kind": "percent", "value": 100 });
    ann.post("/coupons", &all).await.is_problem(403, "forbidden");
    ann.get("/coupons").await.is_problem(403, "forbidden");
    ann.put(&path, &json!({ "kind": "percent", "value": 100 })).await.is_problem(403, "forbidden");
    ann.request(Method::DELETE, &path).send().await.is_problem(403, "forbidden");
    shop.get("/coupons").await.is_from_the_gateway(401, "Unauthorized");
    assert_eq!(
        change(&shop, &code, "\"1\"", &json!({ "kind": "percent", "value": 10 })).await.is(200)["version"],
        1
    );
}

// C10.
#[tokio::test]
async fn a_coupon_that_would_make_things_dearer_is_refused() {
    let shop = Shop::open();
    for (kind, values) in [
        ("percent", vec![json!(-10), json!(0), json!(100.001), json!(101), json!(1.0001)]),
        ("amount", vec![json!(-10), json!(0), json!(0.001), json!(null)]),
        ("free_shipping", vec![json!(5)]),
    ] {
        for value in values {
            let body = json!({ "code": code(), "kind": kind, "value": value });
            make(&shop, &body).await.is_problem(422, "invalid-input").at(["#/value"]);
        }
    }
    let backwards = json!({
        "code": code(), "kind": "free_shipping", "startsAt": "2026-12-02T00:00:00Z", "endsAt": "2026-12-01T00:00:00Z"
    });
    make(&shop, &backwards).await.is_problem(422, "invalid-input").at(["#/endsAt"]);
}

#[tokio::test]
async fn what_is_no_coupon_is_not_there() {
    let shop = Shop::open();
    for code in ["NOT-A-COUPON", "no", "A%23B-C", "%2e%2e", &"X".repeat(33)] {
        let put = change(&shop, code, "*", &json!({ "kind": "free_shipping" })).await;
        for answer in [put, end(&shop, code, "*").await] {
            assert_eq!(answer.status, 404, "{code}: {answer:?}");
        }
    }
}
