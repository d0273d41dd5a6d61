//! Sending deliveries, each by itself and so that no endpoint keeps another's waiting.

use std::time::Duration;

use serde_json::json;
use shared::http::IfMatch;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError, Stage};
use shared::run::event::CloudEvent;
use shared::run::telemetry;
use shared::values::id::random_bytes;
use shared::values::time::Timestamp;
use uuid::Uuid;

use crate::delivery::{Attempt, Delivery, DeliveryId, DeliveryView, Next};
use crate::receiver::Receivers;
use crate::store::{Slot, Taking, TryId};
use crate::{DeliveryQueue, Endpoint, EndpointId, Error, PATIENCE, Queued, Webhooks, WhyOff};

/// Of what type a test is.
const TEST: &str = "webhook.test";

/// How often a message comes back to the queue because others were being sent; what waits longer is left to the sweep.
const MOST_WAITS: u32 = 5;

/// Sending by queue.
#[derive(Debug, Clone)]
pub struct Sending {
    webhooks: Webhooks,
    queue: DeliveryQueue,
    receivers: Receivers,
}

impl FromEnv for Sending {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            webhooks: Webhooks::from_env(aws)?,
            queue: DeliveryQueue::from_env(aws)?,
            receivers: Receivers::from_env(aws)?,
        })
    }
}

impl Sending {
    /// Sends a delivery, if it is still to be sent and nobody else is at it, and records what came of it.
    ///
    /// Safe to repeat, and to leave at any step: a delivery is claimed before it is sent; where its sender died, it is
    /// due after a minute, and sent again with the same id. It is settled by what is recorded alone.
    ///
    /// # Errors
    /// When a call of ours failed. That a receiver fails is none.
    pub async fn send(&self, queued: &Queued, now: Timestamp) -> anyhow::Result<()> {
        telemetry::about("deliveries", queued.delivery_id);
        let (id, to) = (queued.delivery_id, queued.endpoint_id);
        let (delivery, endpoint) =
            futures_util::try_join!(self.webhooks.delivery(id), self.webhooks.endpoint(to))?;
        let Some(delivery) = delivery.filter(|found| found.awaits(queued.attempts, now)) else {
            return Ok(());
        };
        let Some(endpoint) = endpoint.filter(Endpoint::is_on) else { return self.webhooks.stop(id).await };
        let me = TryId::at(now);
        match self.webhooks.take_slot(to, me, now).await? {
            Taking::Gone => self.webhooks.stop(id).await,
            Taking::Full { is_failing } => self.wait(queued, is_failing).await,
            Taking::Taken(slot) if self.webhooks.claim(&delivery, me, now).await? => {
                self.attempt(&endpoint, &delivery, &slot, now).await
            }
            Taking::Taken(slot) => self.webhooks.leave_slot(to, &slot, None).await.map(drop),
        }
    }

    /// Lets a delivery wait until others are through: for a moment in the queue, longer where the endpoint is slow.
    /// Where it fails, or that was often enough, the sweep brings it, which it would in any case.
    async fn wait(&self, queued: &Queued, is_failing: bool) -> anyhow::Result<()> {
        if is_failing || queued.waits >= MOST_WAITS {
            return Ok(());
        }
        let seconds = 1 + u64::from(random_bytes::<1>()[0]) % (1 << (queued.waits + 1));
        let again = Queued { waits: queued.waits + 1, ..*queued };
        self.queue.send(&again, Duration::from_secs(seconds)).await
    }

    async fn attempt(
        &self,
        endpoint: &Endpoint,
        delivery: &Delivery,
        slot: &Slot,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let attempt = self.receivers.post(endpoint, delivery, now).await;
        let attempts = delivery.attempts() + 1;
        let next = delivery.after(attempts, &attempt, u32::from_le_bytes(random_bytes()));
        let (settled, left) = tokio::join!(
            self.webhooks.settle(delivery.id(), attempts, &attempt, next),
            self.webhooks.leave_slot(endpoint.id(), slot, Some(&attempt)),
        );
        settled?;
        let ended = attempt.ended_at();
        tracing::info!(endpoint_id = %endpoint.id(), ?next, "attempted");
        if next == Next::GivenUp {
            telemetry::count("WebhookGivenUp", 1);
        }
        if let Some(wait) = next.wait(ended) {
            let again = Queued { attempts, waits: 0, ..Queued::of(delivery) };
            self.queue.send_or_leave(&again, wait).await;
        }
        match why_off(&attempt, left?) {
            Some(why) => self.switch_off(endpoint.id(), why, ended).await,
            None => Ok(()),
        }
    }

    /// Switches an endpoint off; its admins are told by the sweep. Safe to repeat.
    async fn switch_off(&self, id: EndpointId, why: WhyOff, now: Timestamp) -> anyhow::Result<()> {
        let rule = |endpoint: &Endpoint| endpoint.switched_off(why, now);
        match self.webhooks.change(id, &IfMatch::Any, rule).await {
            Ok(_) => {
                tracing::warn!(endpoint_id = %id, %why, "switched off");
                telemetry::count("WebhookSwitchedOff", 1);
                Ok(())
            }
            Err(Error::NotFound) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Why an endpoint is to be switched off after an attempt, if it is: it says so itself, or has failed for too long.
fn why_off(attempt: &Attempt, failing_since: Option<Timestamp>) -> Option<WhyOff> {
    if attempt.says_gone() {
        return Some(WhyOff::Gone);
    }
    let has_failed_long = failing_since.is_some_and(|since| since + PATIENCE <= attempt.ended_at());
    has_failed_long.then_some(WhyOff::Failing)
}

/// Trying endpoints out.
#[derive(Debug, Clone)]
pub struct Testing {
    webhooks: Webhooks,
    receivers: Receivers,
    stage: Stage,
}

impl FromEnv for Testing {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            webhooks: Webhooks::from_env(aws)?,
            receivers: Receivers::from_env(aws)?,
            stage: config::required("STAGE")?,
        })
    }
}

impl Testing {
    /// Sends an event to an endpoint, be it on or off, of a type that nothing else has, once. It counts for nothing but
    /// stands among its deliveries. Each time is a delivery of its own.
    ///
    /// # Errors
    /// [`Error::NotFound`]; that the receiver fails is none.
    pub async fn test(&self, id: EndpointId, now: Timestamp) -> Result<DeliveryView, Error> {
        let endpoint = self.webhooks.existing(id).await?;
        let event_id = Uuid::from(DeliveryId::at(now));
        let body = serde_json::to_string(&CloudEvent::new(
            event_id,
            format!("/cartwright/{}/webhooks", self.stage),
            TEST,
            id.to_string(),
            now,
            format!("urn:cartwright:event:{TEST}:1"),
            json!({ "webhookId": id }),
        ));
        let body = body.map_err(anyhow::Error::from)?;
        let delivery = Delivery::new(id, event_id, TEST.to_owned(), body, now).as_test(now);
        self.webhooks.record(delivery.clone()).await?;
        let attempt = self.receivers.post(&endpoint, &delivery, now).await;
        let attempts = delivery.attempts();
        let next = delivery.after(attempts, &attempt, 0);
        self.webhooks.settle(delivery.id(), attempts, &attempt, next).await?;
        Ok(delivery.with(attempt, next).into())
    }
}

/// Sending deliveries once more.
#[derive(Debug, Clone)]
pub struct Retrying {
    webhooks: Webhooks,
    queue: DeliveryQueue,
}

impl FromEnv for Retrying {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { webhooks: Webhooks::from_env(aws)?, queue: DeliveryQueue::from_env(aws)? })
    }
}

impl Retrying {
    /// Has a delivery sent again, taken or not, with the id that it had. Safe to repeat: what waits to be sent does.
    ///
    /// # Errors
    /// [`Error::NoDelivery`], [`Error::Off`] and [`Error::BeingSent`].
    pub async fn retry(&self, id: DeliveryId, now: Timestamp) -> Result<DeliveryView, Error> {
        let delivery = self.webhooks.delivery(id).await?.ok_or(Error::NoDelivery)?;
        let endpoint = self.webhooks.endpoint(delivery.endpoint()).await?.ok_or(Error::NoDelivery)?;
        if !endpoint.is_on() {
            return Err(Error::Off);
        }
        let revived = self.webhooks.revive(&delivery, now).await?;
        self.queue.send_or_leave(&Queued::of(&revived), Duration::ZERO).await;
        Ok(revived.into())
    }
}
