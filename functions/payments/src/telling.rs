//! Telling Stripe that the email went out which confirms an order, for whoever looks at its PaymentIntent there.

use anyhow::Context;
use orders::{OrderId, PaymentQueued};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;

use crate::settling::Settling;
use crate::stripe::StripeError;

/// What is done for an order that was queued for the provider of payments.
#[derive(Debug, Clone)]
pub struct Telling {
    settling: Settling,
}

impl FromEnv for Telling {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { settling: Settling::from_env(aws)? })
    }
}

impl Telling {
    /// Asks Stripe of an order that is due, or tells it of one that was confirmed. Safe to repeat.
    ///
    /// # Errors
    /// When Stripe does not say, or a call failed.
    pub async fn work(&self, queued: PaymentQueued, now: Timestamp) -> anyhow::Result<()> {
        if queued.confirmed {
            return self.tell(queued.order_id).await;
        }
        Ok(self.settling.settle_due(queued.order_id, now).await?)
    }

    /// Writes `alreadySentMail` to the PaymentIntent that paid the order. What Stripe refuses for good is left: nothing
    /// depends on it.
    async fn tell(&self, id: OrderId) -> anyhow::Result<()> {
        let payments = self.settling.applying().payments();
        let order = payments.orders().find(id).await?.context("there is no such order")?;
        let counts = order.payment().map(|paying| paying.payment_id);
        let paid = payments.attempts(counts.as_slice()).await?.pop();
        let Some(intent) = paid.as_ref().and_then(|paid| paid.intent_id.as_ref()) else { return Ok(()) };
        match self.settling.stripe().note_sent_mail(intent).await {
            Ok(()) => Ok(()),
            Err(error @ StripeError::Refused { .. }) => {
                let error = format!("{:#}", anyhow::Error::new(error));
                tracing::warn!(order_id = %id, error, "Stripe takes no note of an email");
                Ok(())
            }
            Err(error) => Err(anyhow::Error::new(error).context("note an email at Stripe")),
        }
    }
}
