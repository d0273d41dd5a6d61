//! The queue of orders on their way to the workflow. Messages carry ids alone; whoever works them reads the rest.

use anyhow::Context;
use aws_sdk_sqs::Client;
use serde::{Deserialize, Serialize};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::telemetry;

use crate::OrderId;

/// An order waits for its fulfilment.
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

/// An order waits for what is to be said of it to the provider of payments, or by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentQueued {
    /// The order.
    pub order_id: OrderId,
    /// Whether its buyer was told by email that it is confirmed, and nothing is to be asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirmed: bool,
}

/// The queue of orders of which the provider of payments is to be asked whether they are paid, or told that they are
/// confirmed.
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
    /// Queues an order of which is to be asked. Queued twice, it is settled once.
    ///
    /// # Errors
    /// When the queue takes nothing.
    pub async fn send(&self, order_id: OrderId) -> anyhow::Result<()> {
        self.queue(PaymentQueued { order_id, confirmed: false }).await.context("queue an order to be settled")
    }

    /// Queues an order of whose email is to be told. Nobody is owed that: what cannot be queued is left.
    pub async fn tell_or_leave(&self, order_id: OrderId) {
        if let Err(error) = self.queue(PaymentQueued { order_id, confirmed: true }).await {
            tracing::warn!(%order_id, error = format!("{error:#}"), "the provider of payments is not told");
        }
    }

    async fn queue(&self, queued: PaymentQueued) -> anyhow::Result<()> {
        let body = serde_json::to_string(&queued)?;
        let send = self.client.send_message().queue_url(&self.url).message_body(body);
        Ok(send.send().await.map(drop)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_to_be_asked_of_is_queued_as_before_there_was_anything_else() {
        let order_id = "01a1fb8c-b94b-7110-8144-8ca566ceab36".parse().unwrap();
        let asked = format!(r#"{{"orderId":"{order_id}"}}"#);
        let queued = PaymentQueued { order_id, confirmed: false };
        assert_eq!(serde_json::to_string(&queued).unwrap(), asked);
        assert_eq!(serde_json::from_str::<PaymentQueued>(&asked).unwrap(), queued);
        // And one of the release before takes the other for it, which asks of what is paid and changes nothing.
        let told = serde_json::to_string(&PaymentQueued { order_id, confirmed: true }).unwrap();
        assert_eq!(serde_json::from_str::<OrderQueued>(&told).unwrap(), OrderQueued { order_id });
    }
}
