//! What people put into carts, with and without an account, and that a cart becomes one order. The numbers are those of
//! docs/payments.md.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::{Answer, calls};
use tests::shop::{Person, Product, Shop, order_id, product, unique};
use tests::wait::at_once;

fn item(product: &Product, quantity: u32) -> Value {
    json!({ "id": product.id, "quantity": quantity })
}

async fn puts(person: &Person, product: &Product, quantity: u32) -> Answer {
    person.post("/cart/items", &item(product, quantity)).await
}

async fn cart(person: &Person) -> Value {
    person.get("/cart").await.is(200)
}

/// What a cart of this sum comes to, where nothing is added and nothing taken off.
fn amounts(sum: &Value) -> Value {
    json!({
        "items": sum, "discount": 0, "shipping": 0, "tax": 0, "taxIncluded": 0, "total": sum, "estimated": false,
    })
}

fn line(product: &Product) -> String {
    format!("/cart/items/{}", product.id)
}

/// A request of somebody without an account.
async fn as_guest(shop: &Shop, method: Method, path: &str, token: &str, body: Option<&Value>) -> Answer {
    let request = shop.request(method, path).header("cart-token", token);
    match body {
        Some(body) => request.json(body).send().await,
        None => request.send().await,
    }
}

/// A guest's new cart.
async fn guests_cart(shop: &Shop, product: &Product, quantity: u32) -> String {
    let made = shop.post("/guest-cart/items", &item(product, quantity)).await;
    let header = made.header("cart-token").expect("the header Cart-Token").to_owned();
    assert_eq!(made.is(200)["cartToken"], header.as_str());
    header
}

async fn orders_of(person: &Person) -> Vec<String> {
    let page = person.get("/orders").await.is(200);
    page["orders"].as_array().expect("orders").iter().map(order_id).collect()
}

#[tokio::test]
async fn a_cart_is_filled_changed_and_emptied_in_two_calls_each() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").priced("4.50").stock(9)).await;
    let empty = bob.get("/cart").await;
    assert_eq!(empty.calls(), calls([("dynamodb", 1)]));
    let nothing = json!({
        "version": 0, "currency": null, "items": [], "couponCode": null, "shippingMethod": null,
        "shippingAddress": null, "amounts": amounts(&json!(0)), "problems": [], "canCheckOut": false,
    });
    assert_eq!(empty.is(200), nothing);

    let added = puts(&bob, &tea, 2).await;
    assert_eq!(added.calls(), calls([("dynamodb", 2)]));
    assert_eq!(added.is(200), json!({ "version": 1, "items": [item(&tea, 2)] }));
    assert_eq!(puts(&bob, &tea, 1).await.is(200)["items"], json!([item(&tea, 3)]));
    let seen = bob.get("/cart").await;
    assert_eq!(seen.calls(), calls([("dynamodb", 2)]));
    let (seen, picture) = (seen.is(200), shop.get(&tea.path()).await.is(200)["imageUrl"].clone());
    assert!(picture.is_string(), "{picture}");
    assert_eq!(
        seen,
        json!({
            "version": 2, "currency": seen["currency"], "items": [{
                "id": tea.id, "productName": "tea", "imageUrl": picture, "productPrice": 4.5, "priceWhenAdded": 4.5,
                "quantity": 3, "total": 13.5, "available": 9, "problem": null,
            }],
            "couponCode": null, "shippingMethod": null, "shippingAddress": null, "amounts": amounts(&json!(13.5)),
            "problems": [], "canCheckOut": true,
        })
    );

    let set = bob.put(&line(&tea), &json!({ "quantity": 5 })).await;
    assert_eq!(set.calls(), calls([("dynamodb", 2)]));
    assert_eq!(set.is(200), json!({ "version": 3, "items": [item(&tea, 5)] }));
    let same = bob.put(&line(&tea), &json!({ "quantity": 5 })).await;
    assert_eq!((same.calls(), same.is(200)["version"].clone()), (calls([("dynamodb", 1)]), json!(3)));
    let removed = bob.request(Method::DELETE, &line(&tea)).send().await;
    assert_eq!(removed.calls(), calls([("dynamodb", 2)]));
    assert_eq!(removed.is(200), json!({ "version": 4, "items": [] }));
    puts(&bob, &tea, 1).await.is(200);
    let cleared = bob.request(Method::DELETE, "/cart").send().await;
    assert_eq!(cleared.calls(), calls([("dynamodb", 1)]));
    assert_eq!(cleared.is(200), json!({ "version": 6, "items": [] }));
    assert_eq!(cart(&ann).await["version"], 0, "everyone has a cart of their own");
}

#[tokio::test]
async fn what_is_for_every_cart_is_chosen_in_two_calls() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().stock(9)).await;
    puts(&bob, &tea, 1).await.is(200);
    let home = json!({ "name": "Bob", "line1": "Quay 42", "city": "Hamburg", "country": "DE" });
    for (choices, version) in [
        (json!({ "shippingAddress": home }), 2),
        (json!({ "shippingAddress": null, "couponCode": null, "shippingMethod": null }), 3),
    ] {
        let chosen = bob.put("/cart", &choices).await;
        assert_eq!(chosen.calls(), calls([("dynamodb", 2)]), "{choices}");
        assert_eq!(chosen.is(200)["version"], version, "{choices}");
    }
    let same = bob.put("/cart", &json!({ "couponCode": null })).await;
    assert_eq!((same.calls(), same.is(200)["version"].clone()), (calls([("dynamodb", 1)]), json!(3)));
}

// C13.
#[tokio::test]
async fn a_request_that_is_repeated_with_its_key_adds_once() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let (tea, cup) = (ann.sells(product().stock(9)).await, ann.sells(product().stock(9)).await);
    let adds = async |key: &str, pieces: u32| {
        let request = bob.request(Method::POST, "/cart/items").header("idempotency-key", key);
        request.json(&item(&tea, pieces)).send().await
    };
    let added = adds("one", 2).await;
    assert_eq!(added.calls(), calls([("dynamodb", 2)]));
    assert_eq!(added.is(200), json!({ "version": 1, "items": [item(&tea, 2)] }));
    puts(&bob, &cup, 1).await.is(200);
    let again = adds("one", 2).await;
    assert_eq!(again.calls(), calls([("dynamodb", 1)]));
    assert_eq!(again.is(200), json!({ "version": 2, "items": [item(&tea, 2), item(&cup, 1)] }));
    adds("one", 3).await.is_problem(422, "idempotency-key-reused");
    adds("two words", 2).await.is_problem(422, "invalid-input").at(["Idempotency-Key"]);
    assert_eq!(adds("two", 1).await.is(200)["items"][0], item(&tea, 3));
    // A key is the cart's own.
    let token = guests_cart(&shop, &tea, 1).await;
    for _ in 0..2 {
        let request = shop.request(Method::POST, "/guest-cart/items").header("cart-token", &token);
        let added = request.header("idempotency-key", "one").json(&item(&tea, 2)).send().await;
        assert_eq!(added.is(200)["items"], json!([item(&tea, 3)]));
    }
    // And what was ordered meanwhile does not come back.
    let total = cart(&bob).await["amounts"]["total"].clone();
    bob.post("/cart/checkout", &json!({ "expectedTotal": total })).await.is(201);
    assert_eq!(adds("two", 1).await.is(200)["items"], json!([]));
}

/// A change of a cart, of the version that `if_match` says.
async fn changes_if(person: &Person, (method, path): (Method, &str), if_match: &str, body: &Value) -> Answer {
    let request = person.request(method, path).header("if-match", if_match);
    if body.is_null() { request.send().await } else { request.json(body).send().await }
}

// C14.
#[tokio::test]
async fn a_cart_is_changed_as_it_was_seen_or_not_at_all() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().priced("4.50").stock(9)).await;
    let tag = async || bob.get("/cart").await.header("etag").expect("a tag").to_owned();
    let first = tag().await;
    assert!(first.starts_with("\"0-"), "{first}");
    let added = changes_if(&bob, (Method::POST, "/cart/items"), &first, &item(&tea, 2)).await;
    assert_eq!((added.calls(), added.header("etag")), (calls([("dynamodb", 2)]), None));
    added.is(200);
    let second = tag().await;
    assert!(second.starts_with("\"1-"), "{second}");
    // Nobody has to read again what is the same, and a new price is no other version.
    let same = bob.request(Method::GET, "/cart").header("if-none-match", &second).send().await;
    assert_eq!(same.status, 304);
    ann.put(&tea.path(), &json!({ "productPrice": 5 })).await.is(200);
    let repriced = tag().await;
    assert!(repriced != second && repriced.starts_with("\"1-"), "{repriced}");
    let set = changes_if(&bob, (Method::PUT, &line(&tea)), &second, &json!({ "quantity": 3 })).await;
    assert_eq!(set.is(200)["version"], 2);
    for stale in [first.as_str(), &second, "\"1\"", "W/\"2-x\"", "nonsense"] {
        for (method, path, body) in [
            (Method::POST, "/cart/items".to_owned(), item(&tea, 1)),
            (Method::PUT, line(&tea), json!({ "quantity": 1 })),
            (Method::DELETE, line(&tea), Value::Null),
            (Method::PUT, "/cart".to_owned(), json!({ "couponCode": null })),
            (Method::DELETE, "/cart".to_owned(), Value::Null),
        ] {
            let refused = changes_if(&bob, (method.clone(), &path), stale, &body).await;
            assert_eq!(refused.status, 412, "{method} {path} {stale}");
            refused.is_problem(412, "precondition-failed");
        }
    }
    assert_eq!(cart(&bob).await["items"][0]["quantity"], 3);
    let cleared = changes_if(&bob, (Method::DELETE, "/cart"), "\"1\", \"2\"", &Value::Null).await;
    assert_eq!(cleared.calls(), calls([("dynamodb", 1)]));
    assert_eq!(cleared.is(200), json!({ "version": 3, "items": [] }));
    // A guest's cart has versions as well, from when it is made.
    let guest = |if_match: &'static str| {
        shop.request(Method::POST, "/guest-cart/items").header("if-match", if_match).json(&item(&tea, 1))
    };
    guest("\"7\"").send().await.is_problem(412, "precondition-failed");
    assert_eq!(guest("\"0\"").send().await.is(200)["version"], 1);
    let cleared = shop.request(Method::DELETE, "/guest-cart").header("if-match", "\"7\"").send().await;
    cleared.is_problem(412, "precondition-failed");
    // What two carts become has no version that one could have seen.
    let merge = json!({ "cartToken": guests_cart(&shop, &tea, 1).await });
    changes_if(&bob, (Method::POST, "/cart/merge"), "*", &merge).await.is_problem(412, "precondition-failed");
}

#[tokio::test]
async fn what_a_cart_does_not_take_is_told_and_changes_nothing() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let (tea, listed) = (ann.sells(product().stock(9)).await, ann.lists(product()).await);
    puts(&bob, &listed, 1).await.is_problem(409, "not-for-sale");
    bob.put(&line(&listed), &json!({ "quantity": 1 })).await.is_problem(409, "not-for-sale");
    puts(&bob, &tea, 1_000).await.is(200);
    puts(&bob, &tea, 1).await.is_problem(422, "invalid-input").at(["#/quantity"]);
    for body in [json!({}), json!({ "quantity": -1 }), json!({ "quantity": 10_001 })] {
        bob.put(&line(&tea), &body).await.is_problem(422, "invalid-input").at(["#/quantity"]);
    }
    bob.put("/cart/items/tea", &json!({ "quantity": 1 })).await.is_problem(404, "not-found");
    let seen = cart(&bob).await;
    assert_eq!((&seen["version"], &seen["problems"]), (&json!(1), &json!(["out-of-stock"])));
}

// C1, C2.
#[tokio::test]
async fn a_new_price_is_shown_beside_the_old_one_and_the_old_one_is_never_paid() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").priced("4.50").stock(9)).await;
    puts(&bob, &tea, 2).await.is(200);
    ann.put(&tea.path(), &json!({ "productPrice": 5 })).await.is(200);
    let seen = cart(&bob).await;
    let prices = (&seen["items"][0]["productPrice"], &seen["items"][0]["priceWhenAdded"]);
    assert_eq!((prices, &seen["amounts"]["total"]), ((&json!(5), &json!(4.5)), &json!(10)));
    let refused = bob.post("/cart/checkout", &json!({ "expectedTotal": 9 })).await;
    let problem = refused.is_problem(409, "total-changed").body;
    assert_eq!((&problem["expectedTotal"], &problem["total"]), (&json!(9), &json!(10)));
    assert_eq!(problem["amounts"], amounts(&json!(10)));
    let changed = json!([{ "productId": tea.id, "productPrice": 5, "priceWhenAdded": 4.5 }]);
    assert_eq!(problem["lines"], changed);
    assert_eq!((shop.stock_of(&tea).await, orders_of(&bob).await.len()), (9, 0));
    let placed = bob.post("/cart/checkout", &json!({ "expectedTotal": 10 })).await.is(201);
    assert_eq!(bob.order(&order_id(&placed)).await["total"], 10);
}

// C3.
#[tokio::test]
async fn what_was_deleted_stays_in_the_cart_until_it_is_taken_out() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").priced("4.50").stock(9)).await;
    let cup = ann.sells(product().named("cup").priced("3").stock(9)).await;
    let pot = ann.sells(product().named("pot").priced("20").stock(1)).await;
    for (product, pieces) in [(&tea, 1), (&cup, 1), (&pot, 2)] {
        puts(&bob, product, pieces).await.is(200);
    }
    ann.request(Method::DELETE, &tea.path()).send().await.is(204);
    let decision = json!({ "approved": false, "reason": "No cups." });
    shop.admin().await.put(&format!("{}/approval", cup.path()), &decision).await.is(200);
    let seen = cart(&bob).await;
    let problems: Vec<_> = (0..3).map(|at| seen["items"][at]["problem"].as_str().unwrap_or("")).collect();
    assert_eq!(problems, ["not-for-sale", "not-for-sale", "out-of-stock"]);
    assert_eq!((&seen["items"][0]["productName"], &seen["canCheckOut"]), (&json!("tea"), &json!(false)));
    let refused = bob.post("/cart/checkout", &json!({ "expectedTotal": 40 })).await;
    let problem = refused.is_problem(409, "not-for-sale").body;
    assert_eq!(problem["productId"], tea.id.as_str());
    let lines = json!([
        { "productId": tea.id, "problem": "not-for-sale" },
        { "productId": cup.id, "problem": "not-for-sale" },
        { "productId": pot.id, "problem": "out-of-stock", "available": 1 },
    ]);
    assert_eq!(problem["lines"], lines);
    for product in [&tea, &cup] {
        bob.request(Method::DELETE, &line(product)).send().await.is(200);
    }
    bob.put(&line(&pot), &json!({ "quantity": 1 })).await.is(200);
    bob.post("/cart/checkout", &json!({ "expectedTotal": 20 })).await.is(201);
}

// C4, C5.
#[tokio::test]
async fn who_signs_in_takes_the_guests_cart_along_once() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let (tea, cup) = (ann.sells(product().stock(9)).await, ann.sells(product().stock(9)).await);
    puts(&bob, &tea, 1).await.is(200);
    let token = guests_cart(&shop, &tea, 2).await;
    as_guest(&shop, Method::POST, "/guest-cart/items", &token, Some(&item(&cup, 1))).await.is(200);
    let merge = json!({ "cartToken": token });
    let merged = bob.post("/cart/merge", &merge).await;
    assert_eq!(merged.calls(), calls([("dynamodb", 2)]));
    let both = json!({ "version": 2, "items": [item(&tea, 3), item(&cup, 1)], "notes": [] });
    assert_eq!(merged.is(200), both);
    let again = bob.post("/cart/merge", &merge).await;
    assert_eq!((again.calls(), again.is(200)), (calls([("dynamodb", 1)]), both));
    // C7: the token opens nothing any more, for whomever.
    assert_eq!(as_guest(&shop, Method::GET, "/guest-cart", &token, None).await.is(200)["version"], 0);
    assert_eq!(ann.post("/cart/merge", &merge).await.is(200)["items"], json!([]));
    let another = as_guest(&shop, Method::POST, "/guest-cart/items", &token, Some(&item(&cup, 1))).await;
    assert_ne!(another.is(200)["cartToken"], token.as_str());
}

// C7.
#[tokio::test]
async fn a_cart_is_its_persons_or_that_of_who_has_its_token() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().stock(9)).await;
    let added = shop.post("/guest-cart/items", &item(&tea, 2)).await;
    assert_eq!(added.calls(), calls([("dynamodb", 3)]), "a guest's change is counted");
    let token = added.is(200)["cartToken"].as_str().expect("a token").to_owned();
    puts(&bob, &tea, 1).await.is(200);
    // A person's token says nothing here, and a guest's nothing there.
    let both = |path| bob.request(Method::GET, path).header("cart-token", &token);
    let (guests, persons) = (both("/guest-cart").send().await.is(200), both("/cart").send().await.is(200));
    assert_eq!((&guests["items"][0]["quantity"], &persons["items"][0]["quantity"]), (&json!(2), &json!(1)));
    let without = bob.get("/guest-cart").await;
    assert_eq!((without.calls(), without.is(200)["items"].clone()), (calls([]), json!([])));
    shop.request(Method::GET, "/cart")
        .header("cart-token", &token)
        .send()
        .await
        .is_from_the_gateway(401, "Unauthorized");
    for bad in [&token[1..], "guest#x", &format!("{token}A"), "AAAAAAAAAAAAAAAAAAAAAB"] {
        let refused = as_guest(&shop, Method::GET, "/guest-cart", bad, None).await;
        refused.is_problem(422, "invalid-input").at(["Cart-Token"]);
    }
    let path = format!("/guest-cart/items/{}", tea.id);
    let set = as_guest(&shop, Method::PUT, &path, &token, Some(&json!({ "quantity": 4 }))).await.is(200);
    assert_eq!(set, json!({ "version": 2, "items": [item(&tea, 4)] }));
    assert_eq!(as_guest(&shop, Method::DELETE, &path, &token, None).await.is(200)["items"], json!([]));
    assert_eq!(as_guest(&shop, Method::DELETE, "/guest-cart", &token, None).await.is(200)["version"], 3);
}

#[tokio::test]
async fn a_cart_is_ordered_in_five_calls_and_is_empty_then() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").priced("4.50").stock(9)).await;
    let cup = ann.sells(product().named("cup").priced("3").stock(9)).await;
    puts(&bob, &tea, 2).await.is(200);
    puts(&bob, &cup, 1).await.is(200);
    let asked = json!({ "expectedTotal": 12.00, "cartVersion": 2, "paymentMethod": "cash_on_delivery" });
    let with_key = || bob.request(Method::POST, "/cart/checkout").header("idempotency-key", "k").json(&asked);
    let placed = with_key().send().await;
    assert_eq!(placed.calls(), calls([("dynamodb", 4), ("sqs", 1)]));
    assert_eq!(placed.header("idempotent-replayed"), None);
    let location = placed.header("location").map(str::to_owned);
    let answer = placed.is(201);
    let order = order_id(&answer);
    assert_eq!((&answer["message"], &answer["total"]), (&json!("order placed successfully"), &json!(12)));
    assert_eq!(location, Some(format!("/orders/{order}")));
    let seen = cart(&bob).await;
    assert_eq!((&seen["version"], &seen["items"]), (&json!(3), &json!([])));
    assert_eq!((shop.stock_of(&tea).await, shop.stock_of(&cup).await), (7, 8));
    let placed = bob.order_once(&order, "shipping").await;
    let ordered: Vec<_> =
        (0..2).map(|at| (&placed["items"][at]["id"], &placed["items"][at]["quantity"])).collect();
    assert_eq!(ordered, [(&json!(tea.id), &json!(2)), (&json!(cup.id), &json!(1))]);

    let again = with_key().send().await;
    assert_eq!(again.calls(), calls([("dynamodb", 2)]));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.is(201), answer);
    // Without the key, and without the version: a second click.
    for body in [&asked, &json!({ "expectedTotal": 12 })] {
        let clicked = bob.post("/cart/checkout", body).await;
        assert_eq!(clicked.calls(), calls([("dynamodb", 2)]));
        assert_eq!(clicked.is(201), answer);
    }
    let other = json!({ "expectedTotal": 13, "cartVersion": 2 });
    let other = bob.request(Method::POST, "/cart/checkout").header("idempotency-key", "k").json(&other);
    other.send().await.is_problem(422, "idempotency-key-reused");
    assert_eq!(orders_of(&bob).await, [order]);
}

#[tokio::test]
async fn what_is_not_what_was_seen_is_not_ordered() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().priced("4.50").stock(9)).await;
    bob.post("/cart/checkout", &json!({ "expectedTotal": 0 })).await.is_problem(409, "cart-empty");
    puts(&bob, &tea, 1).await.is(200);
    puts(&bob, &tea, 1).await.is(200);
    let refused = bob.post("/cart/checkout", &json!({ "expectedTotal": 9, "cartVersion": 1 })).await;
    assert_eq!(refused.is_problem(409, "cart-changed").body["version"], 2);
    for body in [json!({}), json!({ "expectedTotal": 9.001 }), json!({ "expectedTotal": "9" })] {
        bob.post("/cart/checkout", &body).await.is_problem(422, "invalid-input").at(["#/expectedTotal"]);
    }
    bob.post("/cart/checkout", &json!({ "expectedTotal": 9, "paymentMethod": "barter" }))
        .await
        .is_problem(422, "invalid-input")
        .at(["#/paymentMethod"]);
    assert_eq!((shop.stock_of(&tea).await, orders_of(&bob).await.len()), (9, 0));
}

// C6.
#[tokio::test]
async fn fifty_checkouts_of_one_cart_at_once_are_one_order() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    // All there are: for every checkout but one they are gone.
    let tea = ann.sells(product().priced("4.50").stock(2)).await;
    puts(&bob, &tea, 2).await.is(200);
    let answers = at_once(50, |_| {
        let bob = bob.clone();
        async move { bob.post("/cart/checkout", &json!({ "expectedTotal": 9 })).await }
    });
    let mut orders = BTreeSet::new();
    for answer in answers.await {
        if answer.status == 201 {
            orders.insert(order_id(&answer.is(201)));
        } else {
            answer.is_problem(409, "cart-changed");
        }
    }
    assert_eq!(orders.len(), 1);
    assert_eq!(orders_of(&bob).await, orders.into_iter().collect::<Vec<_>>());
    assert_eq!(shop.stock_of(&tea).await, 0);
    // What is put in from then on is another order's.
    ann.put(&format!("{}/stock", tea.path()), &json!({ "set": 5 })).await.is(200);
    puts(&bob, &tea, 2).await.is(200);
    bob.post("/cart/checkout", &json!({ "expectedTotal": 9 })).await.is(201);
    assert_eq!((orders_of(&bob).await.len(), shop.stock_of(&tea).await), (2, 3));
}

#[tokio::test]
async fn a_cart_of_fifty_lines_is_ordered_and_takes_no_more() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let mut products = Vec::new();
    while products.len() < 51 {
        let sell = || ann.sells(product().priced("1").stock(9));
        let (first, second, third) = tokio::join!(sell(), sell(), sell());
        products.extend([first, second, third]);
    }
    for product in &products[..50] {
        puts(&bob, product, 1).await.is(200);
    }
    puts(&bob, &products[50], 1).await.is_problem(409, "cart-full");
    let seen = bob.get("/cart").await;
    assert_eq!(
        (seen.calls(), seen.is(200)["amounts"]["total"].clone()),
        (calls([("dynamodb", 2)]), json!(50))
    );
    let placed = bob.post("/cart/checkout", &json!({ "expectedTotal": 50 })).await;
    assert_eq!(placed.calls(), calls([("dynamodb", 4), ("sqs", 1)]));
    let order = bob.order(&order_id(&placed.is(201))).await;
    assert_eq!((order["items"].as_array().map(Vec::len), &order["total"]), (Some(50), &json!(50)));
    assert_eq!(shop.stock_of(&products[49]).await, 8);
}

/// A coupon that no other test has, of half the price.
async fn half_off(shop: &Shop, rules: &Value) -> String {
    let code = unique("HALF").replace(' ', "-").to_uppercase();
    let mut coupon = json!({ "code": code, "kind": "percent", "value": 50 });
    coupon.as_object_mut().expect("an object").extend(rules.as_object().expect("rules").clone());
    shop.admin().await.post("/coupons", &coupon).await.is(201);
    code
}

async fn used(shop: &Shop, code: &str) -> Value {
    let list = shop.admin().await.get("/coupons?limit=100").await.is(200);
    let coupon = list["coupons"].as_array().expect("coupons").iter().find(|coupon| coupon["code"] == code);
    coupon.expect("the newest coupons")["used"].clone()
}

// D2: counted with the order, whatever is repeated.
#[tokio::test]
async fn a_coupon_takes_its_part_off_and_is_counted_once_for_an_order() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").priced("4.50").stock(9)).await;
    let code = half_off(&shop, &json!({ "limit": 9, "perCustomer": 1 })).await;
    puts(&bob, &tea, 2).await.is(200);
    let chosen = bob.put("/cart", &json!({ "couponCode": code.to_lowercase() })).await;
    assert_eq!(chosen.calls(), calls([("dynamodb", 3)]), "whether it is for this cart is looked up");
    assert_eq!(chosen.is(200)["version"], 2);
    let seen = bob.get("/cart").await;
    assert_eq!(seen.calls(), calls([("dynamodb", 2)]));
    let seen = seen.is(200);
    assert_eq!((&seen["couponCode"], &seen["amounts"]["discount"]), (&json!(code), &json!(4.5)));
    bob.post("/cart/checkout", &json!({ "expectedTotal": 9 })).await.is_problem(409, "total-changed");

    let asked = json!({ "expectedTotal": 4.5, "cartVersion": 2 });
    let with_key = || bob.request(Method::POST, "/cart/checkout").header("idempotency-key", "k").json(&asked);
    let placed = with_key().send().await;
    assert_eq!(placed.calls(), calls([("dynamodb", 4), ("sqs", 1)]));
    let order = order_id(&placed.is(201));
    assert_eq!(order_id(&with_key().send().await.is(201)), order);
    assert_eq!(used(&shop, &code).await, 1);
    let shown = bob.order(&order).await;
    assert_eq!((&shown["total"], &shown["couponCode"]), (&json!(4.5), &json!(code)));
    assert_eq!((&shown["items"][0]["discount"], &shown["items"][0]["total"]), (&json!(4.5), &json!(4.5)));
    assert_eq!(cart(&bob).await["couponCode"], Value::Null, "it was used");

    // Once for each person, in a cart as in an order without one.
    puts(&bob, &tea, 1).await.is(200);
    let refused = bob.put("/cart", &json!({ "couponCode": code })).await;
    let refused = refused.is_problem(409, "coupon-not-valid").body;
    assert_eq!((&refused["code"], &refused["reason"]), (&json!(code), &json!("used-by-customer")));
    let without_cart = json!({ "id": tea.id, "quantity": 1, "couponCode": code });
    bob.post("/orders", &without_cart).await.is_problem(409, "coupon-not-valid");
}

// D4: once, however often it is asked for.
#[tokio::test]
async fn a_cancelled_order_gives_its_coupon_back_for_the_same_person_to_use() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().priced("4.50").stock(50)).await;
    let code = half_off(&shop, &json!({ "limit": 99, "perCustomer": 1 })).await;
    let asked = json!({ "id": tea.id, "quantity": 1, "couponCode": code });
    for shipped in 0..20 {
        let bob = shop.person("Bob").await;
        let placed = bob.post("/orders", &asked).await;
        assert_eq!(placed.calls(), calls([("dynamodb", 3), ("sqs", 1)]));
        let order = order_id(&placed.is(201));
        if bob.cancels(&order).await.status != 200 {
            continue;
        }
        bob.cancels(&order).await.is(200);
        assert_eq!(used(&shop, &code).await, shipped);
        let again = order_id(&bob.post("/orders", &asked).await.is(201));
        assert_eq!(bob.order(&again).await["total"], 2.25);
        assert_eq!(used(&shop, &code).await, shipped + 1);
        bob.post("/orders", &asked).await.is_problem(409, "coupon-not-valid");
        return;
    }
    panic!("twenty orders in a row shipped before they could be cancelled");
}

// D1: a limit is a limit, however many come at once.
#[tokio::test]
async fn a_coupon_is_used_no_more_often_than_its_limit_by_many_at_once() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().priced("4").stock(20)).await;
    let code = half_off(&shop, &json!({ "limit": 1 })).await;
    let answers = at_once(10, |number| {
        let (shop, code, id) = (shop.clone(), code.clone(), tea.id.clone());
        async move {
            let buyer = shop.person(&format!("Buyer {number}")).await;
            let asked = json!({ "id": id, "quantity": 1, "couponCode": code, "expectedTotal": 2 });
            buyer.post("/orders", &asked).await
        }
    });
    let (mut placed, mut refused) = (0, 0);
    for answer in answers.await {
        if answer.status == 201 {
            placed += 1;
        } else {
            assert_eq!(answer.is_problem(409, "coupon-used-up").body["code"], code.as_str());
            refused += 1;
        }
    }
    assert_eq!((placed, refused, shop.stock_of(&tea).await), (1, 9, 19));
    assert_eq!(used(&shop, &code).await, 1);
}

// D5.
#[tokio::test]
async fn a_coupon_that_ended_after_it_was_chosen_is_no_longer_valid() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().priced("4").stock(9)).await;
    let code = half_off(&shop, &json!({})).await;
    puts(&bob, &tea, 1).await.is(200);
    bob.put("/cart", &json!({ "couponCode": code })).await.is(200);
    shop.admin().await.request(Method::DELETE, &format!("/coupons/{code}")).send().await.is(204);
    let refused = bob.post("/cart/checkout", &json!({ "expectedTotal": 2 })).await;
    let refused = refused.is_problem(409, "coupon-not-valid").body;
    assert_eq!((&refused["code"], &refused["reason"]), (&json!(code), &json!("ended")));
    let seen = cart(&bob).await;
    assert_eq!((&seen["problems"], &seen["amounts"]["total"]), (&json!(["coupon-not-valid"]), &json!(4)));
    bob.put("/cart", &json!({ "couponCode": null })).await.is(200);
    bob.post("/cart/checkout", &json!({ "expectedTotal": 4 })).await.is(201);
}
