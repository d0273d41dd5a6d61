//! Webhooks: Stripe tells what happened, and tells it again until it is answered well. So only a failure of ours is
//! answered as one.

use serde::Serialize;
use shared::http::Signed;
use shared::http::problem::{Kind, Problem, StatusCode};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError, Stage};
use shared::run::secrets::Secret;
use shared::run::telemetry;
use shared::values::time::Timestamp;

use crate::applying::Applying;
use crate::deciding::{Money, Said, State};
use crate::events::{Delivered, Event, Foreign, Happened, Mode, Ours};
use crate::ids::EventId;
use crate::refunding::Refunds;
use crate::signature::{WebhookSecrets, verify};
use crate::stripe::{Intent, Session};

/// Taking webhooks.
#[derive(Debug, Clone)]
pub struct Receiving {
    secrets: Secret<WebhookSecrets>,
    ours: Ours,
    applying: Applying,
    refunds: Refunds,
}

impl FromEnv for Receiving {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        let mode = match config::required("STAGE")? {
            Stage::Production => Mode::Live,
            Stage::Local | Stage::Staging => Mode::Test,
        };
        Ok(Self {
            secrets: Secret::named_by("STRIPE_WEBHOOK_SECRET", aws)?,
            ours: Ours { shop: config::required("SHOP_NAME")?, mode },
            applying: Applying::from_env(aws)?,
            refunds: Refunds::from_env(aws)?,
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
        let id = event.id;
        tracing::info!(event_id = %id, "Stripe tells something");
        match event.happened {
            Happened::SessionCompleted(session) | Happened::SessionSucceeded(session) => {
                let state = State::of(&session);
                self.session(&session, state, id, now).await
            }
            Happened::SessionExpired(session) | Happened::SessionFailed(session) => {
                self.session(&session, Some(State::Dead), id, now).await
            }
            Happened::IntentSucceeded(intent) => self.intent(intent, id, now).await,
            // Its session tells when nobody can pay any more.
            Happened::IntentCanceled(_) => Ok(Received::ignored("type")),
            Happened::RefundCreated(refund)
            | Happened::RefundUpdated(refund)
            | Happened::RefundFailed(refund) => {
                self.refunds.heard(&refund, Some(id), now).await?;
                Ok(Received::HEARD)
            }
            Happened::DisputeCreated(dispute)
            | Happened::DisputeWithdrawn(dispute)
            | Happened::DisputeReinstated(dispute)
            | Happened::DisputeClosed(dispute) => {
                tracing::error!(dispute = %dispute.id, "a buyer has asked the bank for the money");
                telemetry::count_in_stage("PaymentDisputed", 1);
                Ok(Received::ignored("dispute"))
            }
        }
    }

    async fn session(
        &self,
        session: &Session,
        state: Option<State>,
        id: EventId,
        now: Timestamp,
    ) -> Result<Received, Problem> {
        let said = state.and_then(|state| Said::by(session, state, Some(id)));
        self.apply(said, now).await
    }

    async fn intent(&self, intent: Intent, id: EventId, now: Timestamp) -> Result<Received, Problem> {
        let said = intent.metadata.payment.zip(intent.metadata.order);
        let money = intent.received.zip(intent.currency);
        let said = said.zip(money).map(|((payment, order), (amount, currency))| {
            let state = State::Paid(Money { intent: intent.id, amount, currency });
            Said { payment, order, session: None, state, event: Some(id) }
        });
        self.apply(said, now).await
    }

    async fn apply(&self, said: Option<Said>, now: Timestamp) -> Result<Received, Problem> {
        let Some(said) = said else {
            tracing::error!("Stripe does not say of which payment it speaks");
            telemetry::count_in_stage("UnknownPayment", 1);
            return Ok(Received::ignored("unknown"));
        };
        telemetry::about("payments", said.payment);
        self.applying.apply(&said, now).await?;
        Ok(Received::HEARD)
    }
}
