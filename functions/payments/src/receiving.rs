//! Webhooks: Stripe tells what happened, and tells it again until it is answered well. So only a failure of ours is
//! answered as one.

use serde::Serialize;
use shared::http::Signed;
use shared::http::problem::{Kind, Problem, StatusCode};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::secrets::Secret;
use shared::run::telemetry;
use shared::values::time::Timestamp;

use crate::events::{Delivered, Event, Foreign, Ours};
use crate::hearing::{Hearing, To};
use crate::signature::{WebhookSecrets, verify};

/// Taking webhooks.
#[derive(Debug, Clone)]
pub struct Receiving {
    secrets: Secret<WebhookSecrets>,
    ours: Ours,
    hearing: Hearing,
}

impl FromEnv for Receiving {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            secrets: Secret::named_by("STRIPE_WEBHOOK_SECRET", aws)?,
            ours: Ours::from_env(aws)?,
            hearing: Hearing::from_env(aws)?,
        })
    }
}

/// What Stripe is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Received {
    received: bool,
    /// Why nothing was done, if that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored: Option<&'static str>,
}

impl Received {
    const HEARD: Self = Self { received: true, ignored: None };

    fn ignored(why: &'static str) -> Self {
        Self { received: true, ignored: Some(why) }
    }
}

const BAD_SIGNATURE: Kind = Kind::new(StatusCode::BAD_REQUEST, "bad-signature", "Bad signature");

impl Receiving {
    /// Makes so what a webhook says.
    ///
    /// Safe to repeat: what is told again, by the same event or by another one, has happened.
    ///
    /// # Errors
    /// `bad-signature`, before anything in it is believed; and our own failures, after which Stripe tells it again.
    pub async fn receive(&self, sent: &Signed, now: Timestamp) -> Result<Received, Problem> {
        let secrets = self.secrets.value().await?;
        if let Err(bad) = verify(&sent.body, &sent.signature, &secrets, now) {
            tracing::warn!(error = %bad, "a webhook was refused");
            telemetry::count_in_stage("BadStripeSignature", 1);
            return Err(Problem::new(
                BAD_SIGNATURE,
                "The signature is not one of this shop's, or not of now.",
            ));
        }
        match Delivered::read(&sent.body, &self.ours) {
            Ok(Delivered::Ours(event)) => self.heard(*event, now).await,
            Ok(Delivered::Foreign(why)) => {
                if why != Foreign::Type {
                    telemetry::count("ForeignStripeEvent", 1);
                }
                Ok(Received::ignored(why.as_str()))
            }
            Err(unreadable) => {
                tracing::error!(error = %unreadable, "a webhook cannot be read");
                telemetry::count("ForeignStripeEvent", 1);
                Ok(Received::ignored("unreadable"))
            }
        }
    }

    async fn heard(&self, event: Event, now: Timestamp) -> Result<Received, Problem> {
        Ok(match self.hearing.hear(event, now).await?.to {
            To::News | To::Nothing => Received::HEARD,
            To::Ignored(why) => Received::ignored(why),
        })
    }
}
