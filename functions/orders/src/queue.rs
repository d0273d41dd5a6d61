//! The queue of orders on their way to the workflow. Messages carry ids alone; whoever works them reads the rest.

use anyhow::Context;
use aws_sdk_sqs::Client;
use serde::{Deserialize, Serialize};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::telemetry;

use crate::OrderId;

/// An order waits for its fulfilment, or for what the provider of payments says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderQueued {
    /// The order.
    pub order_id: OrderId,
}

/// The queue of orders to fulfil.
#[derive(Debug, Clone)]
pub struct OrderQueue {
    client: Client,
    url: String,
}

impl FromEnv for OrderQueue {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: Client::new(aws.sdk()), url: config::required("ORDERS_QUEUE_URL")? })
    }
}

impl OrderQueue {
    /// Queues an order. Queued twice, it still ships once.
    ///
    /// # Errors
    /// When the queue takes nothing.
    pub async fn send(&self, order_id: OrderId) -> anyhow::Result<()> {
        let body = serde_json::to_string(&OrderQueued { order_id })?;
        let send = self.client.send_message().queue_url(&self.url).message_body(body);
        send.send().await.map(drop).context("queue an order")
    }

    /// Queues an order that was just recorded. It is due, so what cannot be queued now is swept up later: the order
    /// stands.
    pub async fn send_or_leave(&self, order_id: OrderId) {
        if let Err(error) = self.send(order_id).await {
            tracing::error!(%order_id, error = format!("{error:#}"), "left to the sweep");
            telemetry::count("OrderLeftToSweep", 1);
        }
    }
}

/// The queue of orders of which the provider of payments is to be asked whether they are paid.
#[derive(Debug, Clone)]
pub struct PaymentQueue {
    client: Client,
    url: String,
}

impl FromEnv for PaymentQueue {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: Client::new(aws.sdk()), url: config::required("PAYMENTS_QUEUE_URL")? })
    }
}

impl PaymentQueue {
    /// Queues an order. Queued twice, it is settled once.
    ///
    /// # Errors
    /// When the queue takes nothing.
    pub async fn send(&self, order_id: OrderId) -> anyhow::Result<()> {
        let body = serde_json::to_string(&OrderQueued { order_id })?;
        let send = self.client.send_message().queue_url(&self.url).message_body(body);
        send.send().await.map(drop).context("queue an order to be settled")
    }
}
