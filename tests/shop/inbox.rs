//! What people are told of what happened: who is told what, and what of it is unread.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::calls;
use tests::paying::{awaiting, key};
use tests::shop::{PASSWORD, Person, Product, Shop, order_id, product, unique};
use tests::wait::{a_while, at_once, eventually};

/// What somebody was told, newest first.
async fn told(person: &Person, query: &str) -> Vec<Value> {
    let answer = person.get(&format!("/notifications{query}")).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    answer.is(200)["notifications"].as_array().expect("a list").clone()
}

/// Kinds of which there are these, in no order: what happens at once may come in any.
fn sorted(kinds: impl IntoIterator<Item = impl ToString>) -> Vec<String> {
    let mut kinds: Vec<_> = kinds.into_iter().map(|kind| kind.to_string()).collect();
    kinds.sort_unstable();
    kinds
}

/// What somebody was told, once it is of these kinds.
async fn told_once(person: &Person, expected: &[&str]) -> Vec<Value> {
    eventually(&format!("somebody is told {expected:?}"), async || {
        let all = told(person, "?limit=100").await;
        let kinds = sorted(all.iter().map(|one| one["kind"].as_str().expect("a kind")));
        (kinds == sorted(expected)).then_some(all)
    })
    .await
}

/// The one of this kind.
fn of_kind<'a>(all: &'a [Value], kind: &str) -> &'a Value {
    all.iter().find(|one| one["kind"] == kind).unwrap_or_else(|| panic!("no {kind}: {all:?}"))
}

async fn unread(person: &Person) -> Value {
    person.get("/notifications?limit=1").await.is(200)["unread"].clone()
}

async fn marks(person: &Person, id: &Value) -> Value {
    let path = format!("/notifications/{}/read", id.as_str().expect("an id"));
    let answer = person.request(Method::PUT, &path).send().await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    answer.is(200)["unread"].clone()
}

async fn decides(shop: &Shop, product: &Product, decision: &Value) {
    shop.admin().await.put(&format!("{}/approval", product.path()), decision).await.is(200);
}

#[tokio::test]
async fn buyer_and_sellers_are_told_of_an_order_in_words_of_either_language() {
    let shop = Shop::open();
    let (ann, eve, bob) = (shop.person("Ann").await, shop.person("Eve").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(9)).await;
    let cup = eve.sells(product().named("cup").stock(9)).await;
    let items = json!({ "items": [{ "id": tea.id, "quantity": 2 }, { "id": cup.id, "quantity": 1 }] });
    let order = order_id(&bob.post("/orders", &items).await.is(201));
    let of_bob = told_once(&bob, &["order.placed", "order.shipped"]).await;
    let placed = of_kind(&of_bob, "order.placed");
    let text = format!("We have your order of “{}” and another product.", tea.name);
    let history = &bob.order(&order).await["history"];
    let expected = json!({
        "id": placed["id"], "at": history[0]["at"], "kind": "order.placed", "subject": order, "text": text,
        "read": false
    });
    assert_eq!(placed, &expected);
    let german = told(&bob, "?locale=de").await;
    let text = format!("Wir haben Ihre Bestellung mit „{}“ und einem weiteren Artikel erhalten.", tea.name);
    assert_eq!(of_kind(&german, "order.placed")["text"], text);
    bob.get("/notifications?locale=xx").await.is_problem(422, "invalid-input").at(["locale"]);
    for (seller, of) in [(&ann, &tea), (&eve, &cup)] {
        let all = told_once(seller, &["product.approved", "sale.made"]).await;
        let sale = of_kind(&all, "sale.made");
        let text = format!("You have a new order of “{}” to send.", of.name);
        assert_eq!((&sale["subject"], &sale["text"]), (&json!(order), &json!(text)));
    }
    shop.request(Method::GET, "/notifications").send().await.is_from_the_gateway(401, "Unauthorized");
}

#[tokio::test]
async fn a_sale_by_card_is_told_when_it_is_paid_and_money_that_goes_back_to_its_buyer() {
    let paid = awaiting().await;
    told_once(&paid.buyer, &["order.placed"]).await;
    a_while().await;
    told_once(&paid.seller, &["product.approved"]).await;
    paid.is_paid().await;
    told_once(&paid.seller, &["product.approved", "sale.made"]).await;
    told_once(&paid.buyer, &["order.placed", "order.paid", "order.shipped"]).await;
    paid.refunds(&json!({ "amount": 1 }), &key("refund")).await.is(201);
    let all = ["order.placed", "order.paid", "order.shipped", "order.refunded"];
    let all = told_once(&paid.buyer, &all).await;
    assert_eq!(of_kind(&all, "order.refunded")["subject"], paid.order.as_str());
}

#[tokio::test]
async fn who_cancels_an_order_is_not_told_of_it_and_who_gets_one_is() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(50)).await;
    let mut expected = vec!["order.placed", "order.shipped", "order.delivered"];
    loop {
        let order = bob.buys(&tea, 1).await;
        expected.push("order.placed");
        if bob.cancels(&order).await.status == 200 {
            break;
        }
        // It was shipped before.
        expected.push("order.shipped");
    }
    let order = bob.buys(&tea, 1).await;
    bob.order_once(&order, "shipping").await;
    ann.put(&format!("/orders/{order}/status"), &json!({ "status": "delivered" })).await.is(200);
    told_once(&bob, &expected).await;
    a_while().await;
    told_once(&bob, &expected).await;
}

#[tokio::test]
async fn sellers_are_told_what_admins_decide_and_what_they_do_not_do_themselves() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().named("tea").stock(9)).await;
    decides(&shop, &tea, &json!({ "approved": false, "reason": "Blurred." })).await;
    let name = unique("Tea house");
    let store = ann.post("/stores", &json!({ "name": name })).await.is(201);
    let path = format!("/stores/{}/status", store["id"].as_str().expect("an id"));
    let deactivated = json!({ "status": "deactivated" });
    for status in [json!({ "status": "published" }), deactivated.clone(), json!({ "status": "published" })] {
        ann.put(&path, &status).await.is(200);
    }
    shop.admin().await.put(&path, &deactivated).await.is(200);
    let all = told_once(&ann, &["product.approved", "product.rejected", "store.deactivated"]).await;
    let rejected = format!("Your product “{}” was not approved. Its page says why.", tea.name);
    assert_eq!(of_kind(&all, "product.rejected")["text"], rejected);
    let closed = of_kind(&all, "store.deactivated");
    let text = format!("An admin closed your store “{name}”. Its page says why.");
    assert_eq!((&closed["subject"], &closed["text"]), (&store["id"], &json!(text)));
}

#[tokio::test]
async fn a_seller_is_told_of_a_review_and_its_author_of_the_reply() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(9)).await;
    bob.gets(&tea).await;
    bob.reviews(&tea, &json!({ "stars": 4 })).await.is(201);
    // The first is that by which it was known that Bob has the tea.
    let all = ["product.approved", "sale.made", "review.posted", "review.posted"];
    let all = told_once(&ann, &all).await;
    let posted = of_kind(&all, "review.posted");
    assert_eq!(
        (&posted["subject"], posted["text"].as_str()),
        (&json!(tea.id), Some("Somebody reviewed your product “tea”."))
    );
    let reply = format!("/reviews/{}/{}/reply", tea.id, bob.id());
    ann.put(&reply, &json!({ "text": "Thank you." })).await.is(200);
    let all = told_once(&bob, &["order.placed", "order.shipped", "review.answered"]).await;
    assert_eq!(of_kind(&all, "review.answered")["subject"], tea.id.as_str());
}

#[tokio::test]
async fn whoever_has_another_password_name_or_role_is_told() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let body = json!({ "previousPassword": PASSWORD, "proposedPassword": "Cartwright-2" });
    let change = shop.request(Method::POST, "/change-password").token(&ann.tokens.access_token);
    change.json(&body).send().await.is(200);
    ann.put("/users/me", &json!({ "fullName": unique("Ann Fox") })).await.is(200);
    let role = format!("/users/{}/role", ann.id());
    shop.admin().await.put(&role, &json!({ "role": "seller" })).await.is(200);
    let expected = ["user.password-changed", "user.profile-changed", "user.role-changed"];
    let all = told_once(&ann, &expected).await;
    assert!(all.iter().all(|one| one.get("subject").is_none()), "{all:?}");
}

#[tokio::test]
async fn unread_follows_every_mark_and_what_was_missed_is_what_came_after() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(9)).await;
    assert_eq!(unread(&bob).await, 0);
    let order = bob.buys(&tea, 1).await;
    let all = told_once(&bob, &["order.placed", "order.shipped"]).await;
    assert_eq!((unread(&bob).await, marks(&bob, &all[1]["id"]).await), (json!(2), json!(1)));
    assert_eq!(marks(&bob, &all[1]["id"]).await, 1, "it was read already");
    let read: Vec<_> = told(&bob, "").await.iter().map(|one| one["read"].clone()).collect();
    assert_eq!(read, [json!(false), json!(true)]);

    ann.put(&format!("/orders/{order}/status"), &json!({ "status": "delivered" })).await.is(200);
    let newest = all[0]["id"].as_str().expect("an id").to_owned();
    let after = format!("?after={newest}");
    let missed = eventually("it arrived", async || told(&bob, &after).await.pop()).await;
    assert_eq!((&missed["kind"], told(&bob, &after).await.len()), (&json!("order.delivered"), 1));
    let answer = bob.put("/notifications/read", &json!({ "upTo": newest })).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
    assert_eq!(answer.is(200)["unread"], 1, "what came after is unread");
    let answer = bob.put("/notifications/read", &json!({ "upTo": newest })).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]), "nothing was left to mark");
    assert_eq!(answer.is(200)["unread"], 1);

    let first = bob.get("/notifications?limit=2").await.is(200);
    let cursor = first["nextCursor"].as_str().expect("a second page");
    let second = bob.get(&format!("/notifications?limit=2&cursor={cursor}")).await;
    // How the inbox stands is read beside it.
    assert_eq!(second.calls(), calls([("dynamodb", 2)]));
    let second = second.is(200);
    assert_eq!(
        (&second["notifications"][0], &second["nextCursor"]),
        (&told(&bob, "").await[2], &Value::Null)
    );
    assert_eq!((&second["unread"], &second["notifications"][1]), (&json!(1), &Value::Null));

    // Another's are not hers to mark, and a cursor is of one list.
    let path = format!("/notifications/{newest}/read");
    shop.person("Eve").await.request(Method::PUT, &path).send().await.is_problem(404, "not-found");
    ann.get(&format!("/notifications?cursor={cursor}")).await.is_problem(422, "invalid-input").at(["cursor"]);
    for id in ["all", "1", "9999999999999"] {
        let path = format!("/notifications/{id}/read");
        bob.request(Method::PUT, &path).send().await.is_problem(404, "not-found");
    }
    bob.put("/notifications/read", &json!({ "upTo": "9999999999999" })).await.is_problem(404, "not-found");
    let wrong = bob.put("/notifications/read", &json!({ "upTo": 7 })).await;
    wrong.is_problem(422, "invalid-input").at(["#/upTo"]);
    bob.get("/notifications?after=now").await.is_problem(422, "invalid-input").at(["after"]);
}

#[tokio::test]
async fn unread_is_right_when_marks_meet() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(9)).await;
    for _ in 0..4 {
        bob.buys(&tea, 1).await;
    }
    let kinds = [["order.placed"; 4], ["order.shipped"; 4]].concat();
    let all = told_once(&bob, &kinds).await;
    let ids: Vec<_> = all.iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect();
    // Of eight, the third newest is read by itself, again and again, while all from the fifth newest on are.
    let done = at_once(12, |number| {
        let (bob, ids) = (bob.clone(), ids.clone());
        async move {
            match number % 3 {
                0 => bob.put("/notifications/read", &json!({ "upTo": ids[4] })).await.status,
                1 => {
                    let path = format!("/notifications/{}/read", ids[2]);
                    bob.request(Method::PUT, &path).send().await.status
                }
                _ => {
                    let path = format!("/notifications/{}/read", ids[6]);
                    bob.request(Method::PUT, &path).send().await.status
                }
            }
        }
    });
    assert_eq!(done.await, [200; 12]);
    let read: Vec<_> = told(&bob, "").await.iter().map(|one| one["read"] == json!(true)).collect();
    assert_eq!(read, [false, false, true, false, true, true, true, true]);
    assert_eq!(unread(&bob).await, 3);
}
