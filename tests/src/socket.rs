//! A WebSocket, as an open page of the shop has one.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::shop::Person;
use crate::wait::eventually;

/// How long a hint may take.
const SOON: Duration = Duration::from_secs(10);

/// Where a ticket opens a socket.
///
/// # Panics
/// When it is none.
pub fn address(issued: &Value) -> String {
    let text = |name: &str| {
        issued[name].as_str().unwrap_or_else(|| panic!("{name} is no text: {issued}")).to_owned()
    };
    format!("{}?ticket={}", text("url"), text("ticket"))
}

/// One that is open.
#[derive(Debug)]
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Opens one at this address.
    ///
    /// # Errors
    /// The status with which it is refused; `None` where nobody answers.
    pub async fn open(address: &str) -> Result<Self, Option<u16>> {
        match connect_async(address).await {
            Ok((stream, _)) => Ok(Self(stream)),
            Err(Error::Http(answer)) => Err(Some(answer.status().as_u16())),
            Err(_) => Err(None),
        }
    }

    /// The next hint; `None` where the socket is closed before there is one.
    ///
    /// # Panics
    /// When there is neither within ten seconds.
    pub async fn next(&mut self) -> Option<Value> {
        self.next_within(SOON).await.expect("neither a hint nor the end within ten seconds")
    }

    /// The next hint within this time, or the end; `None` where there is neither.
    ///
    /// # Panics
    /// When what comes is not JSON.
    pub async fn next_within(&mut self, time: Duration) -> Option<Option<Value>> {
        let next = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).expect("JSON")),
                    None | Some(Ok(Message::Close(_)) | Err(_)) => return None,
                    // It keeps the socket open.
                    Some(Ok(_)) => {}
                }
            }
        };
        timeout(time, next).await.ok()
    }

    /// The next hint.
    ///
    /// # Panics
    /// When there is none within ten seconds.
    pub async fn hint(&mut self) -> Value {
        self.next().await.expect("an open socket")
    }

    /// The next hint that says this: what happened before a socket opened may be pushed after it.
    ///
    /// # Panics
    /// When one takes longer than ten seconds.
    pub async fn hint_with(&mut self, name: &str, value: &str) -> Value {
        loop {
            let hint = self.hint().await;
            if hint[name] == value {
                return hint;
            }
        }
    }

    /// That it is closed, and that no hint of this kind came by it.
    ///
    /// # Panics
    /// When it is otherwise.
    pub async fn ends_without(&mut self, kind: &str) {
        while let Some(hint) = self.next().await {
            assert_ne!(hint["kind"], kind);
        }
    }

    /// Says something.
    ///
    /// # Panics
    /// When the socket does not take it.
    pub async fn says(&mut self, what: &Value) {
        self.0.send(Message::Text(what.to_string().into())).await.expect("an open socket");
    }

    /// Closes it, and waits until the other side has.
    pub async fn close(mut self) {
        // It may be closed.
        let _ = self.0.close(None).await;
        while let Some(Some(_)) = self.next_within(SOON).await {}
    }
}

/// A page of the shop that somebody has open.
#[derive(Debug)]
pub struct Page {
    person: Person,
    socket: Socket,
    heard: Vec<Value>,
}

impl Page {
    /// Opens one, which listens from now on.
    ///
    /// # Panics
    /// When its socket is refused.
    pub async fn of(person: &Person) -> Self {
        let issued = person.request(Method::POST, "/socket-tickets").send().await.is(201);
        let socket = Socket::open(&address(&issued)).await;
        let socket = socket.unwrap_or_else(|status| panic!("a socket was refused with {status:?}"));
        Self { person: person.clone(), socket, heard: Vec::new() }
    }

    /// That its person is told this, of this thing or of the account itself: it comes into the inbox, and that very
    /// entry is pushed to the page within ten seconds.
    ///
    /// # Panics
    /// When it is otherwise.
    pub async fn is_told(&mut self, kind: &str, subject: Option<&str>) {
        let found = eventually(&format!("{kind} is in the inbox"), async || {
            let inbox = self.person.get("/notifications?limit=100").await.is(200);
            let all = inbox["notifications"].as_array().expect("a list");
            all.iter().find(|one| one["kind"] == kind && one["subject"] == json!(subject)).cloned()
        })
        .await;
        let is_it = |hint: &&Value| hint["id"] == found["id"];
        while !self.heard.iter().any(|hint| is_it(&hint)) {
            self.heard.push(self.socket.hint().await);
        }
        let mut expected = json!({ "id": found["id"], "kind": kind, "at": found["at"] });
        if let Some(subject) = subject {
            expected["subject"] = subject.into();
        }
        assert_eq!(self.heard.iter().find(is_it), Some(&expected));
    }
}
