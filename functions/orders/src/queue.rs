//! The queues: orders on their way to the workflow, emails on their way to their buyers. Messages carry ids alone; who
//! works them reads the rest.

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

/// What an email about an order says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailKind {
    /// It was taken.
    Confirmed,
    /// It is on its way.
    Shipping,
    /// It is over, and why.
    Cancelled,
}

impl EmailKind {
    /// The name, as messages and records have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "order_confirmed",
            Self::Shipping => "order_shipping",
            Self::Cancelled => "order_cancelled",
        }
    }
}

/// An email waits to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EmailQueued {
    /// What it says.
    pub kind: EmailKind,
    /// Which order it is about.
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
        send(&self.client, &self.url, &OrderQueued { order_id }).await.context("queue an order")
    }

    /// Queues an order that was just recorded. It is due, so what cannot be queued now is swept up later: the order stands.
    pub async fn send_or_leave(&self, order_id: OrderId) {
        if let Err(error) = self.send(order_id).await {
            tracing::error!(%order_id, error = format!("{error:#}"), "left to the sweep");
            telemetry::count("OrderLeftToSweep", 1);
        }
    }
}

/// The queue of emails to send.
#[derive(Debug, Clone)]
pub struct EmailQueue {
    client: Client,
    url: String,
}

impl FromEnv for EmailQueue {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: Client::new(aws.sdk()), url: config::required("EMAILS_QUEUE_URL")? })
    }
}

impl EmailQueue {
    /// Queues an email. Queued twice, it still goes out once.
    ///
    /// # Errors
    /// When the queue takes nothing.
    pub async fn send(&self, kind: EmailKind, order_id: OrderId) -> anyhow::Result<()> {
        send(&self.client, &self.url, &EmailQueued { kind, order_id }).await.context("queue an email")
    }

    /// Queues an email that the order is due for, so what cannot be queued now is swept up later.
    pub async fn send_or_leave(&self, kind: EmailKind, order_id: OrderId) {
        if let Err(error) = self.send(kind, order_id).await {
            tracing::error!(%order_id, kind = kind.as_str(), error = format!("{error:#}"), "left to the sweep");
            telemetry::count("EmailLeftToSweep", 1);
        }
    }
}

async fn send(client: &Client, url: &str, message: &impl Serialize) -> anyhow::Result<()> {
    let body = serde_json::to_string(message)?;
    client.send_message().queue_url(url).message_body(body).send().await?;
    Ok(())
}
