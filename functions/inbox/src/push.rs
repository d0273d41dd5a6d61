//! What is pushed to whoever listens by a WebSocket: that there is something new in the inbox.
//!
//! It is a hint. It is sent after the inbox has it, so whoever gets it finds it there; and whoever misses it, since the
//! socket broke or a function died, asks on opening a socket for all that came `after` the last that they know.

use anyhow::Context;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::worker::ConnectionId;
use shared::values::time::Timestamp;

use crate::sockets::Sockets;
use crate::{Kind, News, NotificationId};

/// A notification that its person is to be told of at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pushed {
    user_id: UserId,
    #[serde(flatten)]
    what: Envelope,
}

/// What the page gets of it; the words are in the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Envelope {
    id: NotificationId,
    kind: Kind,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
}

impl Pushed {
    /// That there are these news, under this id.
    pub fn of(id: NotificationId, news: &News) -> Self {
        let what = Envelope { id, kind: news.kind, at: news.time, subject: news.subject.clone() };
        Self { user_id: news.to.clone(), what }
    }
}

/// The queue of what is to be pushed.
#[derive(Debug, Clone)]
pub struct PushQueue {
    client: aws_sdk_sqs::Client,
    url: String,
}

impl FromEnv for PushQueue {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        let client = aws_sdk_sqs::Client::new(aws.sdk());
        Ok(Self { client, url: config::required("PUSH_QUEUE_URL")? })
    }
}

impl PushQueue {
    /// Queues a hint. What cannot be queued is in the inbox all the same.
    pub async fn send_or_leave(&self, pushed: &Pushed) {
        if let Err(error) = self.send(pushed).await {
            tracing::warn!(error = format!("{error:#}"), "a hint was lost");
        }
    }

    async fn send(&self, pushed: &Pushed) -> anyhow::Result<()> {
        let body = serde_json::to_string(pushed)?;
        let send = self.client.send_message().queue_url(&self.url).message_body(body);
        send.send().await.map(drop).context("queue a hint")
    }
}

/// Pushing to sockets.
#[derive(Debug, Clone)]
pub struct Pushing {
    client: aws_sdk_apigatewaymanagement::Client,
    sockets: Sockets,
}

impl FromEnv for Pushing {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        let client = aws_sdk_apigatewaymanagement::Client::new(aws.sdk());
        Ok(Self { client, sockets: Sockets::from_env(aws)? })
    }
}

impl Pushing {
    /// Tells a person of a notification by every socket that is open, at most ten, side by side; forgets those that are
    /// gone. Safe to repeat: a hint that comes twice is the same hint.
    ///
    /// # Errors
    /// When it cannot be read by which sockets the person listens. A socket that does not take it is passed over.
    pub async fn push(&self, pushed: &Pushed) -> anyhow::Result<()> {
        let connections = self.sockets.of(&pushed.user_id).await?;
        let body = serde_json::to_vec(&pushed.what).context("write a hint")?;
        join_all(connections.iter().map(|connection| self.post(connection, &body))).await;
        Ok(())
    }

    async fn post(&self, connection: &ConnectionId, body: &[u8]) {
        let post = self.client.post_to_connection().connection_id(connection.as_str());
        let Err(error) = post.data(Blob::new(body)).send().await else { return };
        let error = error.into_service_error();
        if !error.is_gone_exception() {
            tracing::warn!(%connection, error = format!("{error:#}"), "a socket did not take a hint");
            return;
        }
        if let Err(error) = self.sockets.close(connection).await {
            tracing::warn!(%connection, error = format!("{error:#}"), "a socket that is gone was not forgotten");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_hint_names_the_notification_and_not_the_person() {
        let news = News {
            to: UserId::from("ann".to_owned()),
            kind: Kind::OrderShipped,
            subject: Some("order".into()),
            about: crate::About::of(["Tea"]),
            time: Timestamp::from_unix_millis(0),
        };
        let pushed = Pushed::of("1795262400000".parse().unwrap(), &news);
        let hint = json!({
            "id": "1795262400000", "kind": "order.shipped", "at": "1970-01-01T00:00:00.000Z", "subject": "order"
        });
        assert_eq!(serde_json::to_value(&pushed.what).unwrap(), hint);
        let queued = serde_json::to_value(&pushed).unwrap();
        assert_eq!(queued["userId"], "ann");
        assert_eq!(serde_json::from_value::<Pushed>(queued).unwrap(), pushed);
    }
}
