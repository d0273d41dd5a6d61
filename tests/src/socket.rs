//! A WebSocket, as an open page of the shop has one.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

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
