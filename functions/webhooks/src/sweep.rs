//! Queues again what is due of each endpoint, and tells the admins of endpoints that were switched off.

use std::time::Duration;

use futures_util::future::join_all;
use shared::http::IfMatch;
use shared::notice::Notices;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;

use crate::store::DueDelivery;
use crate::{DeliveryQueue, Endpoint, Queued, Webhooks, WhyOff};

/// As many of each endpoint as one run queues well within its timeout; the next run takes the rest.
const BATCH: i32 = 200;

/// The deliveries that are due, the queue that they go back to, and who hears of endpoints.
#[derive(Debug, Clone)]
pub struct Sweep {
    webhooks: Webhooks,
    queue: DeliveryQueue,
    notices: Notices,
}

impl FromEnv for Sweep {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            webhooks: Webhooks::from_env(aws)?,
            queue: DeliveryQueue::from_env(aws)?,
            notices: Notices::from_env(aws)?,
        })
    }
}

impl Sweep {
    /// Sweeps every endpoint by itself, all at the same time: one of which much is due keeps no other waiting. Safe to
    /// repeat: each delivery is put off before it is queued, and what is queued twice is sent once.
    ///
    /// # Errors
    /// Tells how many endpoints could not be swept, after all of them were tried.
    pub async fn run(&self, now: Timestamp) -> anyhow::Result<()> {
        let endpoints = self.webhooks.endpoints().await?;
        let swept = join_all(endpoints.iter().map(|endpoint| self.sweep(endpoint, now))).await;
        let failed =
            swept.into_iter().zip(&endpoints).filter_map(|(swept, endpoint)| Some((swept.err()?, endpoint)));
        let failed = failed.map(|(error, endpoint)| {
            tracing::error!(endpoint_id = %endpoint.id(), error = format!("{error:#}"), "not swept up");
        });
        let failed = failed.count();
        anyhow::ensure!(failed == 0, "{failed} endpoints could not be swept up");
        Ok(())
    }

    async fn sweep(&self, endpoint: &Endpoint, now: Timestamp) -> anyhow::Result<()> {
        if let Some(why) = endpoint.untold() {
            self.tell(endpoint, why, now).await?;
        }
        for delivery in self.webhooks.due(endpoint.id(), now, BATCH).await? {
            self.queue_again(&delivery, now).await?;
        }
        Ok(())
    }

    async fn queue_again(&self, delivery: &DueDelivery, now: Timestamp) -> anyhow::Result<()> {
        if !self.webhooks.put_off(delivery, now).await? {
            return Ok(());
        }
        let DueDelivery { id, due, attempts, .. } = *delivery;
        let queued = Queued { delivery_id: id, endpoint_id: due, attempts, waits: 0 };
        self.queue.send(&queued, Duration::ZERO).await
    }

    /// Tells the admins, and notes that they know. Whoever dies in between has them told twice.
    async fn tell(&self, endpoint: &Endpoint, why: WhyOff, now: Timestamp) -> anyhow::Result<()> {
        let because = match why {
            WhyOff::Gone => "it answered 410, which says that it is gone for good",
            WhyOff::Failing | WhyOff::ByAdmin => "it has taken no delivery for five days",
        };
        let message = format!(
            "The webhook {} was switched off, because {because}.\n\nNothing is sent to it any more. When its receiver \
             works again, switch it on with PUT /webhooks/{} and \"isActive\": true; what it missed can be sent again \
             from the list of its deliveries for 30 days.",
            endpoint.url(),
            endpoint.id(),
        );
        self.notices.publish("A webhook was switched off".to_owned(), message).await?;
        self.webhooks.change(endpoint.id(), &IfMatch::Any, |endpoint| endpoint.told(now)).await?;
        Ok(())
    }
}
