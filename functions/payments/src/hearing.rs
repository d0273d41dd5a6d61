//! What Stripe tells becomes so, whoever brings it: a webhook, or whoever looks for what no webhook brought.

use orders::PaymentId;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::telemetry;
use shared::values::time::Timestamp;

use crate::applying::{Applied, Applying};
use crate::deciding::{Said, State};
use crate::disputes::Funds;
use crate::disputing::{Disputes, Told};
use crate::events::{Event, Happened};
use crate::ids::EventId;
use crate::refunding::Refunds;
use crate::store::Passed;
use crate::stripe::{Intent, Refund, Session};

/// Making so what events say.
#[derive(Debug, Clone)]
pub struct Hearing {
    applying: Applying,
    refunds: Refunds,
    disputes: Disputes,
}

impl FromEnv for Hearing {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            applying: Applying::from_env(aws)?,
            refunds: Refunds::from_env(aws)?,
            disputes: Disputes::from_env(aws)?,
        })
    }
}

/// What came of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Came {
    /// Of which attempt it tells, if that is known.
    pub payment: Option<PaymentId>,
    /// To what.
    pub to: To,
}

/// To what an event came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// Something is so by it that was not so before.
    News,
    /// It was so before, or is not so any more.
    Nothing,
    /// Nobody here follows it, and why.
    Ignored(&'static str),
}

impl Came {
    fn ignored(why: &'static str) -> Self {
        Self { payment: None, to: To::Ignored(why) }
    }

    fn passed(payment: Option<PaymentId>, passed: Passed) -> Self {
        let to = match passed {
            Passed::Now => To::News,
            Passed::Before => To::Nothing,
        };
        Self { payment, to }
    }

    fn applied(payment: PaymentId, applied: Applied) -> Self {
        let to = match applied {
            Applied::PaidNow | Applied::SentBack(_) | Applied::Waits | Applied::Released => To::News,
            Applied::Recorded | Applied::Nothing | Applied::Unknown => To::Nothing,
        };
        Self { payment: Some(payment), to }
    }
}

impl Hearing {
    /// The payments.
    pub(crate) fn payments(&self) -> &crate::Payments {
        self.applying.payments()
    }

    /// Makes so what an event says.
    ///
    /// Safe to repeat: what is told again, by the same event or by another one, has happened.
    ///
    /// # Errors
    /// When the tables cannot be written or a queue takes nothing: it is to be told again.
    pub async fn hear(&self, event: Event, now: Timestamp) -> anyhow::Result<Came> {
        let (id, since) = (event.id, event.created.unwrap_or(now));
        tracing::info!(event_id = %id, "Stripe tells something");
        match event.happened {
            Happened::SessionCompleted(session) | Happened::SessionSucceeded(session) => {
                let state = State::of(&session);
                self.session(&session, state, id, now).await
            }
            Happened::SessionExpired(session) | Happened::SessionFailed(session) => {
                self.session(&session, Some(State::Dead), id, now).await
            }
            Happened::IntentSucceeded(intent) => self.intent(&intent, State::paid_by(&intent), id, now).await,
            Happened::IntentCanceled(intent) => self.intent(&intent, Some(State::Canceled), id, now).await,
            Happened::RefundCreated(refund)
            | Happened::RefundUpdated(refund)
            | Happened::RefundFailed(refund) => self.refund(&refund, id, now).await,
            Happened::DisputeCreated(dispute) | Happened::DisputeClosed(dispute) => {
                self.dispute(Told { dispute, funds: None, since, event: id }, now).await
            }
            Happened::DisputeWithdrawn(dispute) => {
                self.dispute(Told { dispute, funds: Some(Funds::Withdrawn), since, event: id }, now).await
            }
            Happened::DisputeReinstated(dispute) => {
                self.dispute(Told { dispute, funds: Some(Funds::Reinstated), since, event: id }, now).await
            }
        }
    }

    async fn session(
        &self,
        session: &Session,
        state: Option<State>,
        id: EventId,
        now: Timestamp,
    ) -> anyhow::Result<Came> {
        let said = state.and_then(|state| Said::by(session, state, Some(id)));
        self.apply(said, now).await
    }

    async fn intent(
        &self,
        intent: &Intent,
        state: Option<State>,
        id: EventId,
        now: Timestamp,
    ) -> anyhow::Result<Came> {
        let said = state.and_then(|state| Said::by_intent(intent, state, Some(id)));
        self.apply(said, now).await
    }

    async fn apply(&self, said: Option<Said>, now: Timestamp) -> anyhow::Result<Came> {
        let Some(said) = said else {
            tracing::error!("Stripe does not say of which payment it speaks");
            telemetry::count_in_stage("UnknownPayment", 1);
            return Ok(Came::ignored("unknown"));
        };
        telemetry::about("payments", said.payment);
        let applied = self.applying.apply(&said, now).await?;
        Ok(Came::applied(said.payment, applied))
    }

    async fn refund(&self, refund: &Refund, id: EventId, now: Timestamp) -> anyhow::Result<Came> {
        let (payment, passed) = self.refunds.heard(refund, Some(id), now).await?;
        Ok(Came::passed(payment, passed))
    }

    /// A dispute does not say whose it is. Its PaymentIntent does, once its money was written down: what is told
    /// before that is found by whoever looks for what was missed.
    async fn dispute(&self, told: Told, now: Timestamp) -> anyhow::Result<Came> {
        let owner = match &told.dispute.intent {
            Some(intent) => self.payments().owner_of(intent).await?,
            None => None,
        };
        let Some(owner) = owner else {
            tracing::info!(dispute = %told.dispute.id, "a dispute of somebody else's money");
            return Ok(Came::ignored("shop"));
        };
        telemetry::about("payments", owner.payment_id);
        let passed = self.disputes.heard(&told, owner, now).await?;
        Ok(Came::passed(Some(owner.payment_id), passed))
    }
}
