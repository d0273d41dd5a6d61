//! What admins set, on the shop's own settings: all orders of others would have it, so this runs alone.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::calls;
use tests::shop::{Shop, order_id, product};
use tests::wait::eventually;

fn shipping() -> Value {
    json!({ "methods": [
        {
            "id": "standard", "name": "By post", "countries": ["AT", "DE"],
            "prices": [{ "from": 0, "price": 4.9 }, { "from": 50, "price": 0 }], "taxRate": 19
        },
        { "id": "courier", "name": "By courier", "countries": "*", "prices": [{ "from": 100, "price": 9.5 }] }
    ]})
}

fn tax() -> Value {
    json!({
        "pricesIncludeTax": false, "shippingIncludesTax": true, "default": 0,
        "rates": [{ "country": "US", "region": "NY", "percent": 8.875 }, { "country": "DE", "percent": 19 }]
    })
}

/// What nothing is taxed by.
fn no_tax() -> Value {
    json!({ "pricesIncludeTax": true, "shippingIncludesTax": true, "rates": [], "default": 0 })
}

/// The document without its version and its time.
fn set(mut shown: Value) -> Value {
    let members = shown.as_object_mut().expect("an object");
    members.retain(|name, _| !["version", "updatedAt"].contains(&name.as_str()));
    shown
}

#[tokio::test]
async fn an_admin_sets_how_the_shop_sends_and_everyone_sees_what_that_costs() {
    let shop = Shop::open();
    let admin = shop.admin().await;
    let answer = admin.put("/settings/shipping", &shipping()).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 3)]));
    assert_eq!(set(answer.is(200)), shipping());
    let offered = async |query: &str| {
        let answer = shop.get(&format!("/shipping-methods?{query}")).await;
        assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
        let kept = answer.header("cache-control").map(str::to_owned);
        assert_eq!(kept.as_deref(), Some("public, max-age=30, stale-while-revalidate=60"));
        let answer = answer.is(200);
        assert_eq!(answer["currency"], "USD");
        answer["methods"].clone()
    };
    let by_post = |price: f64| json!({ "id": "standard", "name": "By post", "price": price });
    let by_courier = json!({ "id": "courier", "name": "By courier", "price": 9.5 });
    assert_eq!(offered("country=DE&total=49.99").await, json!([by_post(4.9)]));
    assert_eq!(offered("country=DE").await, json!([by_post(4.9)]));
    let free = json!({ "id": "standard", "name": "By post", "price": 0 });
    assert_eq!(offered("country=AT&total=50.00").await, json!([free]));
    assert_eq!(offered("country=DE&total=100").await, json!([free, by_courier]));
    assert_eq!(offered("country=NZ&total=100").await, json!([by_courier]));
    assert_eq!(offered("country=NZ&total=99.99").await, json!([]));
    for (query, place) in [
        ("", "country"),
        ("country=", "country"),
        ("country=de", "country"),
        ("country=QQ", "country"),
        ("country=DE&total=-1", "total"),
        ("country=DE&total=0.001", "total"),
        ("country=DE&total=tea", "total"),
    ] {
        let answer = shop.get(&format!("/shipping-methods?{query}")).await;
        answer.is_problem(422, "invalid-input").at([place]);
    }
    admin.put("/settings/shipping", &json!({ "methods": [] })).await.is(200);
    assert_eq!(offered("country=DE&total=49.99").await, json!([]));
}

/// Shipping, taxes and a total that was expected, in a cart and in an order without one, to the cent (C11).
#[tokio::test]
async fn an_order_costs_what_the_shop_takes_for_sending_and_taxes() {
    let shop = Shop::open();
    let (admin, ann, bob) = (shop.admin().await, shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").priced("10.00").stock(9)).await;
    admin.put("/settings/shipping", &shipping()).await.is(200);
    admin.put("/settings/tax", &tax()).await.is(200);
    let address = json!({
        "name": "Mara Lindqvist", "line1": "Quay 42", "postalCode": "20459", "city": "Hamburg", "country": "DE"
    });
    // 2 × 10.00 and 19 % on top, 4.90 to send with 19 % inside.
    let amounts = json!({ "items": 20, "discount": 0, "shipping": 4.9, "tax": 4.58, "taxIncluded": 0.78 });

    bob.post("/cart/items", &json!({ "id": tea.id, "quantity": 2 })).await.is(200);
    let nowhere = bob.post("/cart/checkout", &json!({ "expectedTotal": 28.7 })).await;
    nowhere.is_problem(422, "invalid-input").at(["#/shippingAddress"]);
    bob.put("/cart", &json!({ "shippingAddress": address })).await.is(200);
    let seen = bob.get("/cart").await.is(200);
    assert_eq!((&seen["amounts"]["total"], &seen["amounts"]["estimated"]), (&json!(28.7), &json!(false)));
    let placed = bob.post("/cart/checkout", &json!({ "expectedTotal": 28.7 })).await.is(201);
    let of_cart = bob.order(&order_id(&placed)).await;

    let asked = |more: Value| {
        let mut asked = json!({ "id": tea.id, "quantity": 2 });
        asked.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        asked
    };
    bob.post("/orders", &asked(json!({}))).await.is_problem(422, "invalid-input").at(["#/shippingAddress"]);
    let cheaper = asked(json!({ "shippingAddress": address, "expectedTotal": 20 }));
    let changed = bob.post("/orders", &cheaper).await.is_problem(409, "total-changed").body;
    assert_eq!((&changed["total"], &changed["amounts"]["tax"]), (&json!(28.7), &json!(4.58)));
    let far = asked(json!({ "shippingAddress": address, "shippingMethod": "courier" }));
    bob.post("/orders", &far).await.is_problem(409, "shipping-not-available");
    let right = asked(json!({ "shippingAddress": address, "expectedTotal": 28.7 }));
    let placed = bob.post("/orders", &right).await;
    assert_eq!(placed.calls(), calls([("dynamodb", 3), ("sqs", 1)]));
    let without_cart = bob.order(&order_id(&placed.is(201))).await;

    for order in [&of_cart, &without_cart] {
        assert_eq!((&order["total"], &order["amounts"]), (&json!(28.7), &amounts));
        assert_eq!((&order["shippingMethod"], &order["shippingAddress"]), (&json!("standard"), &address));
        assert_eq!((&order["items"][0]["tax"], &order["items"][0]["total"]), (&json!(3.8), &json!(23.8)));
    }
    let mail = eventually("the email", async || {
        bob.mail_about(&order_id(&without_cart))
            .await
            .into_iter()
            .find(|mail| mail.subject.contains("confirmed"))
    });
    let mail = mail.await;
    for line in ["Items", "20.00 USD", "Shipping", "4.90 USD", "Tax", "3.80 USD", "Total", "28.70 USD"] {
        assert!(mail.text.contains(line), "{line} is not in {}", mail.text);
    }
    admin.put("/settings/shipping", &json!({ "methods": [] })).await.is(200);
    admin.put("/settings/tax", &no_tax()).await.is(200);
}

#[tokio::test]
async fn of_two_admins_who_saw_the_same_settings_one_sets_them() {
    let shop = Shop::open();
    let admin = shop.admin().await;
    for (path, document, none) in
        [("/settings/shipping", shipping(), json!({ "methods": [] })), ("/settings/tax", tax(), no_tax())]
    {
        let put = async |body: &Value, tag: &str| {
            admin.request(Method::PUT, path).header("if-match", tag).json(body).send().await
        };
        let answer = admin.get(path).await;
        assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
        let tag = answer.header("etag").expect("a tag").to_owned();
        let version = answer.is(200)["version"].as_u64().expect("a version");
        let first = put(&document, &tag).await.is(200);
        assert_eq!(first["version"], version + 1, "{first}");
        assert!(first["updatedAt"].is_string(), "{first}");
        put(&none, &tag).await.is_problem(412, "precondition-failed");
        let read = admin.get(path).await.is(200);
        assert_eq!(read, first);
        // What is so already is no other version.
        assert_eq!(put(&document, "*").await.is(200), first);
        assert_eq!(set(put(&none, &format!("\"{}\"", version + 1)).await.is(200)), none);
    }
}

#[tokio::test]
async fn settings_are_the_admins() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    for (path, document) in [("/settings/shipping", shipping()), ("/settings/tax", tax())] {
        let before = shop.admin().await.get(path).await.is(200);
        ann.get(path).await.is_problem(403, "forbidden");
        ann.put(path, &document).await.is_problem(403, "forbidden");
        shop.get(path).await.is_from_the_gateway(401, "Unauthorized");
        assert_eq!(shop.admin().await.get(path).await.is(200), before);
    }
}
