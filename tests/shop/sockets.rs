//! What is pushed by a WebSocket, and what is not lost when one breaks.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::calls;
use tests::shop::{PASSWORD, Person, Shop, product, unique};
use tests::socket::{self, Socket};
use tests::wait::eventually;

/// Where a new ticket of somebody's opens a socket.
async fn address(person: &Person) -> String {
    let answer = person.request(Method::POST, "/socket-tickets").send().await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    let issued = answer.is(201);
    assert_eq!(issued["expiresIn"], 60);
    socket::address(&issued)
}

async fn listens(person: &Person) -> Socket {
    let address = address(person).await;
    Socket::open(&address).await.unwrap_or_else(|status| panic!("{address} was refused with {status:?}"))
}

async fn is_refused(address: &str) {
    let status = Socket::open(address).await.err();
    assert!(matches!(status, Some(Some(401 | 403))), "{address}: {status:?}");
}

/// What somebody's inbox says, once it has so much; newest first.
async fn inbox_once(person: &Person, count: usize) -> Vec<Value> {
    eventually(&format!("the inbox has {count}"), async || {
        let inbox = person.get("/notifications").await.is(200);
        let all = inbox["notifications"].as_array().expect("a list").clone();
        (all.len() == count).then_some(all)
    })
    .await
}

async fn changes_the_name(person: &Person) {
    person.put("/users/me", &json!({ "fullName": unique("Ann Fox") })).await.is(200);
}

#[tokio::test]
async fn what_comes_into_the_inbox_is_pushed_to_every_socket_and_is_there() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let (mut first, mut second, mut of_bob) = (listens(&ann).await, listens(&ann).await, listens(&bob).await);
    first.says(&json!({ "action": "ping" })).await;
    changes_the_name(&ann).await;
    let pushed = first.hint().await;
    assert_eq!(second.hint().await, pushed);
    let inbox = ann.get("/notifications").await.is(200);
    let found = &inbox["notifications"][0];
    assert_eq!(pushed, json!({ "id": found["id"], "kind": "user.profile-changed", "at": found["at"] }));
    let nothing = of_bob.next_within(Duration::from_secs(2)).await;
    assert_eq!(nothing, None, "it is nobody else's");
}

#[tokio::test]
async fn what_happens_while_a_socket_is_broken_is_found_after_it_opens_again() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let mut socket = listens(&ann).await;
    changes_the_name(&ann).await;
    let known = socket.hint().await["id"].as_str().expect("an id").to_owned();
    drop(socket);
    changes_the_name(&ann).await;
    inbox_once(&ann, 2).await;
    let missed = ann.get(&format!("/notifications?after={known}")).await.is(200);
    let missed = missed["notifications"].as_array().expect("a list");
    assert_eq!((missed.len(), &missed[0]["kind"]), (1, &json!("user.profile-changed")));
    let mut socket = listens(&ann).await;
    changes_the_name(&ann).await;
    let newest = inbox_once(&ann, 3).await.swap_remove(0);
    socket.hint_with("id", newest["id"].as_str().expect("an id")).await;
}

#[tokio::test]
async fn a_ticket_opens_one_socket_and_nothing_else_does() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let good = address(&ann).await;
    let (url, ticket) = good.split_once("?ticket=").expect("a ticket");
    let (person, _) = ticket.split_once('.').expect("whose it is");
    for wrong in ["", "?ticket=", "?ticket=tea", &format!("?ticket={person}.t0xpOcohAKtgwAdTxgHEcw")] {
        is_refused(&format!("{url}{wrong}")).await;
    }
    let bob = shop.person("Bob").await;
    is_refused(&good.replace(person, &bob.id())).await;
    let _socket = Socket::open(&good).await.expect("a socket");
    is_refused(&good).await;
    shop.request(Method::POST, "/socket-tickets").send().await.is_from_the_gateway(401, "Unauthorized");
}

#[tokio::test]
async fn the_oldest_of_eleven_sockets_is_closed_and_the_others_hear() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let mut oldest = listens(&ann).await;
    let mut others = Vec::new();
    for _ in 0..10 {
        others.push(listens(&ann).await);
    }
    assert_eq!(oldest.next().await, None);
    changes_the_name(&ann).await;
    let pushed = others[0].hint().await;
    for other in &mut others[1..] {
        assert_eq!(other.hint().await, pushed);
    }
}

#[tokio::test]
async fn what_somebody_does_not_want_to_hear_of_is_in_the_inbox_alone() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(9)).await;
    let no_orders = json!({ "orders": { "push": false } });
    bob.put("/users/me/preferences", &no_orders).await.is(200);
    let (mut of_ann, mut of_bob) = (listens(&ann).await, listens(&bob).await);
    let order = bob.buys(&tea, 1).await;
    assert_eq!(of_ann.hint_with("kind", "sale.made").await["subject"], order.as_str());
    bob.order_once(&order, "shipping").await;
    inbox_once(&bob, 2).await;
    changes_the_name(&bob).await;
    assert_eq!(of_bob.hint().await["kind"], "user.profile-changed");
    bob.put("/users/me/preferences", &json!({ "orders": null })).await.is(200);
    ann.put(&format!("/orders/{order}/status"), &json!({ "status": "delivered" })).await.is(200);
    assert_eq!(of_bob.hint_with("kind", "order.delivered").await["subject"], order.as_str());
}

#[tokio::test]
async fn another_password_and_a_closed_account_end_the_sockets_from_before() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(9)).await;
    let order = bob.buys(&tea, 1).await;
    bob.order_once(&order, "shipping").await;
    inbox_once(&bob, 2).await;

    let mut from_before = listens(&bob).await;
    let body = json!({ "previousPassword": PASSWORD, "proposedPassword": "Cartwright-2" });
    let change = shop.request(Method::POST, "/change-password").token(&bob.tokens.access_token);
    change.json(&body).send().await.is(200);
    // Whoever opened it may be why the password was changed.
    from_before.ends_without("user.password-changed").await;
    inbox_once(&bob, 3).await;
    let mut socket = listens(&bob).await;
    changes_the_name(&bob).await;
    socket.hint_with("kind", "user.profile-changed").await;

    let close = format!("/users/{}/disable", bob.id());
    shop.admin().await.request(Method::POST, &close).send().await.is(200);
    ann.put(&format!("/orders/{order}/status"), &json!({ "status": "delivered" })).await.is(200);
    socket.ends_without("order.delivered").await;
}
