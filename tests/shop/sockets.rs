//! What is pushed by a WebSocket, and what is not lost when one breaks.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::calls;
use tests::shop::{Person, Shop, unique};
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

/// The next hint, within ten seconds.
async fn hint(socket: &mut Socket) -> Value {
    let next = async {
        loop {
            // What else comes keeps the socket open.
            if let Message::Text(text) = socket.next().await.expect("an open socket").expect("a message") {
                return serde_json::from_str(&text).expect("JSON");
            }
        }
    };
    timeout(Duration::from_secs(10), next).await.expect("a hint within ten seconds")
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
    let after = format!("/notifications?after={known}");
    let missed = eventually("the inbox has it", async || {
        let list = ann.get(&after).await.is(200);
        list["notifications"].as_array().expect("a list").first().cloned()
    })
    .await;
    assert_eq!(missed["kind"], "user.profile-changed");
    let mut socket = opens(&address(&ann).await).await;
    changes_the_name(&ann).await;
    assert_ne!(hint(&mut socket).await["id"], missed["id"]);
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
