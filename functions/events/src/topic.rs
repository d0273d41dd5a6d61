//! The topic Events.

use anyhow::Context;
use aws_sdk_sns::Client;
use aws_sdk_sns::types::{BatchResultErrorEntry, MessageAttributeValue, PublishBatchRequestEntry};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::worker::Undelivered;

use crate::Event;

/// As many as SNS takes at once. An event is below 1 KB, and all of a batch together may have 256.
const AT_ONCE: usize = 10;

/// The topic of all that happens.
#[derive(Debug, Clone)]
pub struct Topic {
    client: Client,
    arn: String,
}

impl FromEnv for Topic {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: Client::new(aws.sdk()), arn: config::required("EVENTS_TOPIC_ARN")? })
    }
}

impl Topic {
    /// Publishes all events, in their order and ten at a time.
    ///
    /// # Errors
    /// Names the first that the topic did not take. Some of those after it may be published all the same.
    pub async fn publish(self, events: Vec<Event>) -> Result<(), Undelivered> {
        for (batch, events) in events.chunks(AT_ONCE).enumerate() {
            let first = batch * AT_ONCE;
            self.publish_batch(events)
                .await
                .map_err(|(position, error)| Undelivered { from: first + position, error })?;
        }
        tracing::info!(count = events.len(), "events published");
        Ok(())
    }

    async fn publish_batch(&self, events: &[Event]) -> Result<(), (usize, anyhow::Error)> {
        let entries = events.iter().enumerate().map(|(position, event)| entry(position, event));
        let entries = entries.collect::<anyhow::Result<_>>().map_err(|error| (0, error))?;
        let batch = self.client.publish_batch().topic_arn(&self.arn);
        let batch = batch.set_publish_batch_request_entries(Some(entries));
        let sent = batch.send().await.context("publish events").map_err(|error| (0, error))?;
        match first_of(sent.failed()) {
            None => Ok(()),
            Some((position, failure)) => {
                let (code, message) = (failure.code(), failure.message().unwrap_or_default());
                Err((position, anyhow::anyhow!("publish an event: {code}: {message}")))
            }
        }
    }
}

/// An event in a batch, named by its position.
fn entry(position: usize, event: &Event) -> anyhow::Result<PublishBatchRequestEntry> {
    let kind = MessageAttributeValue::builder().data_type("String").string_value(event.kind).build()?;
    let message = serde_json::to_string(event).context("write an event")?;
    let entry = PublishBatchRequestEntry::builder().id(position.to_string()).message(message);
    Ok(entry.message_attributes("type", kind).build()?)
}

/// The failure of the first event, with its position.
fn first_of(failed: &[BatchResultErrorEntry]) -> Option<(usize, &BatchResultErrorEntry)> {
    // An id that is none of ours is taken for the first: all of them come again.
    let failed = failed.iter().map(|failure| (failure.id().parse().unwrap_or_default(), failure));
    failed.min_by_key(|(position, _)| *position)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sns::Config;
    use aws_sdk_sns::config::retry::RetryConfig;
    use aws_sdk_sns::config::{BehaviorVersion, Credentials, Region};
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use serde_json::json;
    use shared::run::event::CloudEvent;
    use shared::values::time::Timestamp;
    use std::sync::{Arc, Mutex};
    use uuid::Uuid;

    /// A topic that takes all events of each batch but those at these positions, and how many batches it got.
    #[derive(Debug, Clone)]
    struct Canned {
        refuses: Vec<Vec<usize>>,
        batches: Arc<Mutex<usize>>,
    }

    impl HttpConnector for Canned {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            let mut batches = self.batches.lock().unwrap();
            let refused = self.refuses.get(*batches).cloned().unwrap_or_default();
            *batches += 1;
            let failure = |position| {
                format!(
                    "<member><Id>{position}</Id><Code>InternalError</Code><Message>as asked</Message>\
                     <SenderFault>false</SenderFault></member>"
                )
            };
            let failed: String = refused.iter().map(failure).collect();
            let body = format!(
                "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult>\
                 <Failed>{failed}</Failed><Successful/></PublishBatchResult></PublishBatchResponse>"
            );
            HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), body.into())))
        }
    }

    /// Where a topic that refuses these positions of its batches says that it came no further, and after how many
    /// batches.
    async fn publish(count: u128, refuses: &[&[usize]]) -> (Option<usize>, usize) {
        let refuses = refuses.iter().map(|positions| positions.to_vec()).collect();
        let canned = Canned { refuses, batches: Arc::default() };
        let connector = SharedHttpConnector::new(canned.clone());
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("id", "secret", None, None, "tests"))
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()));
        let topic = Topic { client: Client::from_conf(config.build()), arn: "arn".into() };
        let now = Timestamp::from_unix_millis(0);
        let event = |number| {
            let (source, schema) =
                ("/cartwright/local/orders".into(), "urn:cartwright:event:order.shipped:1".into());
            CloudEvent::new(
                Uuid::from_u128(number),
                source,
                "order.shipped",
                "1".into(),
                now,
                schema,
                json!({}),
            )
        };
        let published = topic.publish((0..count).map(event).collect()).await;
        let batches = *canned.batches.lock().unwrap();
        (published.err().map(|undelivered| undelivered.from), batches)
    }

    #[tokio::test]
    async fn events_are_published_ten_at_a_time() {
        assert_eq!(publish(10, &[]).await, (None, 1));
        assert_eq!(publish(21, &[]).await, (None, 3));
    }

    #[tokio::test]
    async fn the_first_event_that_was_refused_is_told() {
        assert_eq!(publish(21, &[&[], &[7, 3]]).await, (Some(13), 2));
        assert_eq!(publish(1, &[&[0]]).await, (Some(0), 1));
    }
}
