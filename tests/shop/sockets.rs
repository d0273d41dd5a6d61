//! What is pushed by a WebSocket, and what is not lost when one breaks.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::calls;
use tests::shop::{PASSWORD, Person, Shop, product, unique};
use tests::wait::eventually;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Where a new ticket of somebody's opens a socket.
async fn address(person: &Person) -> String {
    let answer = person.request(Method::POST, "/socket-tickets").send().await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    let issued = answer.is(201);
    assert_eq!(issued["expiresIn"], 60);
    let text = |name: &str| issued[name].as_str().expect(name).to_owned();
    format!("{}?ticket={}", text("url"), text("ticket"))
}

async fn opens(address: &str) -> Socket {
    connect_async(address).await.expect("a socket").0
}

async fn is_refused(address: &str) {
    match connect_async(address).await {
        Err(Error::Http(answer)) => assert!(answer.status().is_client_error(), "{}", answer.status()),
        Err(error) => panic!("{address}: {error}"),
        Ok(_) => panic!("{address} opened a socket"),
    }
}

/// How long a hint may take.
const SOON: Duration = Duration::from_secs(10);

/// The next hint; `None` where the socket is closed before there is one.
async fn next(socket: &mut Socket) -> Option<Value> {
    let next = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).expect("JSON")),
                None | Some(Ok(Message::Close(_)) | Err(_)) => return None,
                // It keeps the socket open.
                Some(Ok(_)) => {}
            }
        }
    };
    timeout(SOON, next).await.expect("a hint, or the end, within ten seconds")
}

async fn hint(socket: &mut Socket) -> Value {
    next(socket).await.expect("an open socket")
}

/// The next hint that says this: what happened before a socket opened may be pushed after it.
async fn hint_with(name: &str, value: &str, socket: &mut Socket) -> Value {
    loop {
        let hint = hint(socket).await;
        if hint[name] == value {
            return hint;
        }
    }
}

/// That a socket is closed, and that no hint of this kind came by it.
async fn ends_without(kind: &str, socket: &mut Socket) {
    while let Some(hint) = next(socket).await {
        assert_ne!(hint["kind"], kind);
    }
}

/// What somebody's inbox says, once it has so much.
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
    let (mut first, mut second) = (opens(&address(&ann).await).await, opens(&address(&ann).await).await);
    let mut of_bob = opens(&address(&bob).await).await;
    first.send(Message::Text(r#"{"action": "ping"}"#.into())).await.expect("a ping is taken");
    changes_the_name(&ann).await;
    let pushed = hint(&mut first).await;
    assert_eq!(hint(&mut second).await, pushed);
    let inbox = ann.get("/notifications").await.is(200);
    let found = &inbox["notifications"][0];
    assert_eq!(pushed, json!({ "id": found["id"], "kind": "user.profile-changed", "at": found["at"] }));
    let nothing = timeout(Duration::from_secs(2), of_bob.next()).await;
    assert!(nothing.is_err(), "it is nobody else's: {nothing:?}");
}

#[tokio::test]
async fn what_happens_while_a_socket_is_broken_is_found_after_it_opens_again() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let mut socket = opens(&address(&ann).await).await;
    changes_the_name(&ann).await;
    let known = hint(&mut socket).await["id"].as_str().expect("an id").to_owned();
    drop(socket);
    changes_the_name(&ann).await;
    inbox_once(&ann, 2).await;
    let missed = ann.get(&format!("/notifications?after={known}")).await.is(200);
    let missed = missed["notifications"].as_array().expect("a list");
    assert_eq!((missed.len(), &missed[0]["kind"]), (1, &json!("user.profile-changed")));
    let mut socket = opens(&address(&ann).await).await;
    changes_the_name(&ann).await;
    let newest = inbox_once(&ann, 3).await.swap_remove(0);
    hint_with("id", newest["id"].as_str().expect("an id"), &mut socket).await;
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
    let _socket = opens(&good).await;
    is_refused(&good).await;
    shop.request(Method::POST, "/socket-tickets").send().await.is_from_the_gateway(401, "Unauthorized");
}

#[tokio::test]
async fn the_oldest_of_eleven_sockets_is_closed_and_the_others_hear() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let mut oldest = opens(&address(&ann).await).await;
    let mut others = Vec::new();
    for _ in 0..10 {
        others.push(opens(&address(&ann).await).await);
    }
    assert_eq!(next(&mut oldest).await, None);
    changes_the_name(&ann).await;
    let pushed = hint(&mut others[0]).await;
    for other in &mut others[1..] {
        assert_eq!(hint(other).await, pushed);
    }
}

#[tokio::test]
async fn what_somebody_does_not_want_to_hear_of_is_in_the_inbox_alone() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(9)).await;
    let no_orders = json!({ "orders": { "push": false } });
    bob.put("/users/me/preferences", &no_orders).await.is(200);
    let (mut of_ann, mut of_bob) = (opens(&address(&ann).await).await, opens(&address(&bob).await).await);
    let order = bob.buys(&tea, 1).await;
    assert_eq!(hint_with("kind", "sale.made", &mut of_ann).await["subject"], order.as_str());
    inbox_once(&bob, 2).await;
    changes_the_name(&bob).await;
    assert_eq!(hint(&mut of_bob).await["kind"], "user.profile-changed");
    bob.put("/users/me/preferences", &json!({ "orders": null })).await.is(200);
    ann.put(&format!("/orders/{order}/status"), &json!({ "status": "delivered" })).await.is(200);
    assert_eq!(hint_with("kind", "order.delivered", &mut of_bob).await["subject"], order.as_str());
}

#[tokio::test]
async fn another_password_and_a_closed_account_end_the_sockets_from_before() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(9)).await;
    let order = bob.buys(&tea, 1).await;
    bob.order_once(&order, "shipping").await;
    inbox_once(&bob, 2).await;

    let mut from_before = opens(&address(&bob).await).await;
    let body = json!({ "previousPassword": PASSWORD, "proposedPassword": "Cartwright-2" });
    let change = shop.request(Method::POST, "/change-password").token(&bob.tokens.access_token);
    change.json(&body).send().await.is(200);
    // Whoever opened it may be why the password was changed.
    ends_without("user.password-changed", &mut from_before).await;
    inbox_once(&bob, 3).await;
    let mut socket = opens(&address(&bob).await).await;
    changes_the_name(&bob).await;
    hint_with("kind", "user.profile-changed", &mut socket).await;

    let close = format!("/users/{}/disable", bob.id());
    shop.admin().await.request(Method::POST, &close).send().await.is(200);
    ann.put(&format!("/orders/{order}/status"), &json!({ "status": "delivered" })).await.is(200);
    ends_without("order.delivered", &mut socket).await;
}
