//! From events to deliveries: one is recorded for each endpoint that wants it, and then queued.

use std::time::Duration;

use anyhow::Context;
use aws_sdk_sqs::Client;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::event::CloudEvent;
use shared::run::telemetry;
use shared::values::time::Timestamp;

use crate::{Delivery, DeliveryId, EndpointId, Webhooks};

/// An event as the queue has it, of whichever type.
pub type Told = CloudEvent<String, Value>;

/// A delivery that waits to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Queued {
    /// Its name.
    pub delivery_id: DeliveryId,
    /// To whom it goes.
    pub endpoint_id: EndpointId,
    /// After how many attempts: a message of an earlier one is of no use.
    pub attempts: u32,
    /// How often it had to wait for its turn since.
    #[serde(default)]
    pub waits: u32,
}

impl Queued {
    /// The next attempt of this delivery.
    pub fn of(delivery: &Delivery) -> Self {
        let (delivery_id, endpoint_id) = (delivery.id(), delivery.endpoint());
        Self { delivery_id, endpoint_id, attempts: delivery.attempts(), waits: 0 }
    }
}

/// The queue of deliveries to send.
#[derive(Debug, Clone)]
pub struct DeliveryQueue {
    client: Client,
    url: String,
}

impl FromEnv for DeliveryQueue {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: Client::new(aws.sdk()), url: config::required("WEBHOOK_DELIVERIES_QUEUE_URL")? })
    }
}

impl DeliveryQueue {
    /// Queues a delivery, to be sent after `wait`, which is 15 minutes at most.
    ///
    /// # Errors
    /// When the queue takes nothing.
    pub async fn send(&self, queued: &Queued, wait: Duration) -> anyhow::Result<()> {
        let body = serde_json::to_string(queued)?;
        // Up, so that nothing comes before its time.
        let seconds = i32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(i32::MAX);
        let send = self.client.send_message().queue_url(&self.url).message_body(body).delay_seconds(seconds);
        send.send().await.map(drop).context("queue a delivery")
    }

    /// The same for what the sweep finds where the queue did not take it.
    pub async fn send_or_leave(&self, queued: &Queued, wait: Duration) {
        if let Err(error) = self.send(queued, wait).await {
            tracing::error!(delivery_id = %queued.delivery_id, error = format!("{error:#}"), "left to the sweep");
            telemetry::count("WebhookLeftToSweep", 1);
        }
    }
}

/// Recording deliveries.
#[derive(Debug, Clone)]
pub struct Queueing {
    webhooks: Webhooks,
    queue: DeliveryQueue,
}

impl FromEnv for Queueing {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { webhooks: Webhooks::from_env(aws)?, queue: DeliveryQueue::from_env(aws)? })
    }
}

impl Queueing {
    /// Records a delivery of an event for each endpoint that wants it, and queues those that nobody has tried yet. Safe
    /// to repeat: an event that comes again finds its deliveries, and a message that comes again finds them tried.
    ///
    /// # Errors
    /// When a call failed. What was recorded by then is due, and found by the sweep.
    pub async fn take(&self, event: Told, now: Timestamp) -> anyhow::Result<()> {
        telemetry::about("events", event.id);
        let body = serde_json::to_string(&event)?;
        let endpoints = self.webhooks.endpoints().await?;
        let wanted = endpoints.iter().filter(|endpoint| endpoint.wants(&event.kind));
        let deliveries = wanted
            .map(|endpoint| Delivery::new(endpoint.id(), event.id, event.kind.clone(), body.clone(), now));
        // One that fails does not keep the others from being recorded.
        let queued = join_all(deliveries.map(|delivery| self.queue_one(delivery, now))).await;
        queued.into_iter().collect()
    }

    async fn queue_one(&self, delivery: Delivery, now: Timestamp) -> anyhow::Result<()> {
        let recorded = self.webhooks.record(delivery).await?;
        if recorded.awaits(0, now) {
            self.queue.send(&Queued::of(&recorded), Duration::ZERO).await?;
        }
        Ok(())
    }
}
