//! What API Gateway tells of WebSockets: that somebody wants one, and that one is closed.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Failure, run};
use crate::run::aws::FromEnv;
use crate::values::time::Timestamp;

/// A socket, as API Gateway names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectionId(String);

impl ConnectionId {
    /// As API Gateway writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for ConnectionId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Somebody wants a socket. Nothing prints it: its query may open something.
#[derive(Clone)]
pub struct Opening {
    /// What it will be called.
    pub connection: ConnectionId,
    query: HashMap<String, String>,
}

impl Opening {
    /// What the query says under this name, if it can be read.
    pub fn parameter<T: FromStr>(&self, name: &str) -> Option<T> {
        self.query.get(name)?.parse().ok()
    }
}

/// Whether somebody who wants a socket gets one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handshake {
    /// It opens.
    Accepted,
    /// Nobody knows who that is: 401.
    Refused,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SocketEvent {
    request_context: SocketContext,
    #[serde(default)]
    query_string_parameters: Option<HashMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SocketContext {
    connection_id: ConnectionId,
}

fn answer(status: u16) -> Value {
    json!({ "statusCode": status })
}

/// Lets those have a socket whom `handle` accepts. Where it fails, there is none.
///
/// # Errors
/// When the environment lacks what the function needs, or the Runtime API is gone.
pub async fn on_socket_opening<S, H, F>(handle: H) -> crate::Exit
where
    S: FromEnv,
    H: Fn(S, Opening, Timestamp) -> F + Copy,
    F: Future<Output = anyhow::Result<Handshake>>,
{
    run(async move |state: S, event: SocketEvent, now| {
        let query = event.query_string_parameters.unwrap_or_default();
        let opening = Opening { connection: event.request_context.connection_id, query };
        let handshake = handle(state, opening, now).await.map_err(Failure::from)?;
        Ok(answer(if handshake == Handshake::Accepted { 200 } else { 401 }))
    })
    .await
}

/// Hears that a socket is closed. API Gateway tells it once, if at all.
///
/// # Errors
/// When the environment lacks what the function needs, or the Runtime API is gone.
pub async fn on_socket_closed<S, H, F>(handle: H) -> crate::Exit
where
    S: FromEnv,
    H: Fn(S, ConnectionId) -> F + Copy,
    F: Future<Output = anyhow::Result<()>>,
{
    run(async move |state: S, event: SocketEvent, _| {
        handle(state, event.request_context.connection_id).await.map_err(Failure::from)?;
        Ok(answer(200))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_and_closes_a_socket_is_read() {
        let event = json!({
            "requestContext": { "connectionId": "L0SM9cOFvHcCIhw=", "eventType": "CONNECT", "stage": "live" },
            "queryStringParameters": { "number": "7" }, "headers": {}, "isBase64Encoded": false
        });
        let event: SocketEvent = serde_json::from_value(event).unwrap();
        let opening = Opening {
            connection: event.request_context.connection_id,
            query: event.query_string_parameters.unwrap(),
        };
        assert_eq!((opening.connection.as_str(), opening.parameter("number")), ("L0SM9cOFvHcCIhw=", Some(7)));
        assert_eq!(opening.parameter::<u8>("other"), None);
        let closed = json!({ "requestContext": { "connectionId": "a" }, "queryStringParameters": null });
        assert!(serde_json::from_value::<SocketEvent>(closed).is_ok());
    }
}
