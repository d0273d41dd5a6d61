//! Orders under pressure: nothing is oversold, nothing is ordered twice, and what cannot be had says why.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::{Answer, calls};
use tests::aws::Aws;
use tests::shop::{Person, Product, Shop, history, order_id, product};
use tests::wait::at_once;

fn with_key(person: &Person, key: &str, body: &Value) -> impl Future<Output = Answer> + use<> {
    person.request(Method::POST, "/create-order").header("idempotency-key", key).json(body).send()
}

fn one(product: &Product) -> Value {
    json!({ "id": product.id, "quantity": 1 })
}

#[tokio::test]
async fn a_hundred_buyers_of_ten_pieces_get_ten() {
    let shop = Shop::open();
    let tea = shop.person("Ann").await.sells(product().named("tea").stock(10)).await;
    let buyers = shop.people(100).await;
    let answers = at_once(buyers.len(), |number| {
        let (buyer, tea) = (buyers[number].clone(), tea.clone());
        async move { buyer.tries_to_buy(&tea, 1).await }
    });
    let mut orders = BTreeSet::new();
    for (buyer, answer) in buyers.iter().zip(answers.await) {
        if answer.status == 201 {
            orders.insert((order_id(&answer.is(201)), buyer.email.clone()));
        } else {
            let problem = answer.is_problem(409, "out-of-stock");
            assert_eq!(problem.body["productId"], tea.id.as_str());
            assert_eq!(problem.body["available"], 0, "{}", problem.body);
        }
    }
    assert_eq!(orders.len(), 10);
    assert_eq!(shop.stock_of(&tea).await, 0);
    for buyer in &buyers {
        let ordered = orders.iter().find(|(_, email)| *email == buyer.email);
        let page = buyer.get("/orders").await.is(200);
        let found: Vec<_> = page["orders"].as_array().expect("orders").iter().map(order_id).collect();
        assert_eq!(found, ordered.map(|(id, _)| id.clone()).into_iter().collect::<Vec<_>>());
        if let Some((id, _)) = ordered {
            assert_eq!(history(&buyer.order_once(id, "shipping").await), ["pending", "shipping"]);
        }
    }
}

#[tokio::test]
async fn twenty_requests_with_one_key_are_one_order() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(50)).await;
    let answers = at_once(20, |_| with_key(&bob, "the-only-one", &one(&tea))).await;
    let replayed =
        answers.iter().filter(|answer| answer.header("idempotent-replayed") == Some("true")).count();
    assert_eq!(replayed, 19);
    let locations: BTreeSet<_> =
        answers.iter().map(|answer| answer.header("location").map(str::to_owned)).collect();
    let bodies: Vec<_> = answers.into_iter().map(|answer| answer.is(201)).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    let order = order_id(&bodies[0]);
    assert_eq!(locations, [Some(format!("/orders/{order}"))].into());
    let page = bob.get("/orders").await.is(200);
    assert_eq!(page["orders"].as_array().map(Vec::len), Some(1));
    assert_eq!(shop.stock_of(&tea).await, 49);
    assert_eq!(bob.mail_once_there_are(2).await.len(), 2);
}

#[tokio::test]
async fn a_replay_costs_one_read() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let first = with_key(&bob, "k", &one(&tea)).await;
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(first.calls(), calls([("dynamodb", 3), ("sqs", 1)]));
    let second = with_key(&bob, "k", &one(&tea)).await;
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!(second.calls(), calls([("dynamodb", 2)]));
    assert_eq!(second.is(201), first.is(201));
}

#[tokio::test]
async fn a_replay_is_given_even_when_nothing_is_left() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(1)).await;
    let first = with_key(&bob, "k", &one(&tea)).await.is(201);
    assert_eq!(with_key(&bob, "k", &one(&tea)).await.is(201), first);
    with_key(&bob, "another", &one(&tea)).await.is_problem(409, "out-of-stock");
}

#[tokio::test]
async fn a_refused_order_leaves_its_key_free() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(1)).await;
    let two = json!({ "id": tea.id, "quantity": 2 });
    with_key(&bob, "k", &two).await.is_problem(409, "out-of-stock");
    with_key(&bob, "k", &one(&tea)).await.is(201);
}

#[tokio::test]
async fn a_key_is_for_one_body() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(5)).await;
    with_key(&bob, "k", &one(&tea)).await.is(201);
    let two = json!({ "id": tea.id, "quantity": 2 });
    with_key(&bob, "k", &two).await.is_problem(422, "idempotency-key-reused");
    assert_eq!(shop.stock_of(&tea).await, 4);
}

#[tokio::test]
async fn each_person_has_keys_of_their_own() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let (first, second) = (with_key(&ann, "k", &one(&tea)).await, with_key(&bob, "k", &one(&tea)).await);
    assert_eq!(second.header("idempotent-replayed"), None);
    assert_ne!(order_id(&first.is(201)), order_id(&second.is(201)));
}

#[tokio::test]
async fn a_key_is_1_to_255_visible_characters() {
    let shop = Shop::open();
    let bob = shop.person("Bob").await;
    let body = json!({ "id": "01a1f83a-c81e-73c6-9369-b8a11a6916c7", "quantity": 1 });
    for key in ["", "the only one", &"x".repeat(256)] {
        with_key(&bob, key, &body).await.is_problem(422, "invalid-input").at(["Idempotency-Key"]);
    }
}

#[tokio::test]
async fn what_is_not_approved_is_not_for_sale() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let listed = ann.lists(product().named("tea").stock(5)).await;
    let problem = bob.tries_to_buy(&listed, 1).await.is_problem(409, "not-for-sale");
    assert_eq!(problem.body["productId"], listed.id.as_str());
    assert!(!problem.body.to_string().contains("tea"), "it tells of a hidden product: {}", problem.body);
}

#[tokio::test]
async fn what_is_turned_down_later_is_no_longer_for_sale() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let decision = json!({ "approved": false, "reason": "No tea here." });
    shop.admin().await.put(&format!("{}/approval", tea.path()), &decision).await.is(200);
    bob.tries_to_buy(&tea, 1).await.is_problem(409, "not-for-sale");
    shop.get(&tea.path()).await.is_problem(404, "not-found");
    assert_eq!(ann.own(&tea).await.expect("her own")["rejectionReason"], "No tea here.");
}

#[tokio::test]
async fn somebody_without_a_profile_is_told_what_to_do_and_nothing_is_taken() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(5)).await;
    Aws::open().await.delete_item("UsersTable", "userId", &bob.id()).await;
    for answer in [bob.tries_to_buy(&tea, 2).await, with_key(&bob, "k", &one(&tea)).await] {
        assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
        let problem = answer.is_problem(409, "no-profile");
        assert!(problem.detail().contains("sign up"), "{}", problem.detail());
    }
    assert_eq!(shop.stock_of(&tea).await, 5);
    assert_eq!(ann.own(&tea).await.expect("her own")["promised"], 0);
    assert_eq!(bob.get("/orders").await.is(200), json!({ "orders": [], "nextCursor": null }));
}

#[tokio::test]
async fn an_order_is_all_or_nothing() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(10)).await;
    let mug = ann.sells(product().named("mug").stock(1)).await;
    let items = json!([{ "id": tea.id, "quantity": 4 }, { "id": mug.id, "quantity": 2 }]);
    let problem = bob.post("/orders", &json!({ "items": items })).await.is_problem(409, "out-of-stock");
    assert_eq!(problem.body["productId"], mug.id.as_str());
    assert_eq!(problem.body["available"], 1);
    assert_eq!((shop.stock_of(&tea).await, shop.stock_of(&mug).await), (10, 1));
    assert_eq!(bob.get("/orders").await.is(200), json!({ "orders": [], "nextCursor": null }));
}

#[tokio::test]
async fn the_price_is_that_of_the_moment() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").priced("4.50").stock(10)).await;
    let before = bob.buys(&tea, 2).await;
    ann.put(&tea.path(), &json!({ "productPrice": 5 })).await.is(200);
    let after = bob.buys(&tea, 2).await;
    assert_eq!(bob.order(&before).await["total"], 9);
    assert_eq!(bob.order(&after).await["total"], 10);
}

#[tokio::test]
async fn no_order_mixes_two_prices_while_the_price_changes() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").priced("1").stock(1000)).await;
    let changes = async {
        for price in 2..40 {
            ann.put(&tea.path(), &json!({ "productPrice": price })).await.is(200);
        }
    };
    let orders = async {
        let mut pieces = 0;
        for _ in 0..20 {
            let answer = bob.tries_to_buy(&tea, 2).await;
            if answer.status == 201 {
                pieces += 2;
                let order = bob.order(&order_id(&answer.is(201))).await;
                let price = order["items"][0]["productPrice"].as_u64().expect("a whole price");
                assert_eq!(order["total"], 2 * price);
            } else {
                answer.is_problem(409, "price-changed");
            }
        }
        pieces
    };
    let ((), pieces) = tokio::join!(changes, orders);
    assert_eq!(shop.stock_of(&tea).await, 1000 - pieces);
}
