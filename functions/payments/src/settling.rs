//! Asking Stripe how an order stands that nobody has paid, as far as is known here. Stock is given back on Stripe's
//! word alone: of each attempt, that nobody can pay by it.

use std::time::Duration;

use anyhow::{Context, anyhow};
use orders::store::Ended;
use orders::{Actor, Order, OrderId, OrderStatus};
use shared::http::problem::{Busy, Kind, Problem, StatusCode};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::telemetry;
use shared::values::time::Timestamp;

use crate::applying::{Applied, Applying};
use crate::attempt::{AttemptKind, AttemptStatus, Payment};
use crate::deciding::{Said, State};
use crate::ids::{IntentId, SessionId};
use crate::stripe::{Cancelling, Expiry, Stripe, StripeError};

/// How often an order is looked at anew because it moved meanwhile.
const TRIES: u32 = 4;

/// For how long a session is open at least: Stripe makes none that would be for less.
const LEAST: Duration = Duration::from_mins(30);

/// How far Stripe's clock may be from ours.
const APART: Duration = Duration::from_mins(1);

/// Asking Stripe of every attempt.
#[derive(Debug, Clone)]
pub struct Settling {
    applying: Applying,
    stripe: Stripe,
}

impl FromEnv for Settling {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { applying: Applying::from_env(aws)?, stripe: Stripe::from_env(aws)? })
    }
}

/// How an order stands that awaited its payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is over: nobody had paid it.
    Released,
    /// It is paid.
    Paid,
    /// It is paid in a slow way, and the money is on its way.
    Waits,
    /// It is over, and was before.
    Already,
}

/// What an attempt is, after Stripe was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Killed {
    /// Nobody can pay by it.
    Out,
    /// It has paid its order.
    Paid,
    /// Its money is on its way.
    Waits,
}

/// Why nothing is known.
#[derive(Debug, thiserror::Error)]
pub enum Unsettled {
    /// Stripe does not say.
    #[error("Stripe does not say how a payment stands")]
    Stripe(#[from] StripeError),
    /// A call of ours failed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

const UNAVAILABLE: Kind = Kind::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "payment-provider-unavailable",
    "Payment provider unavailable",
);

impl From<Unsettled> for Problem {
    fn from(unsettled: Unsettled) -> Self {
        match unsettled {
            Unsettled::Stripe(error) => {
                tracing::error!(error = format!("{:#}", anyhow!(error)), "Stripe did not say");
                let detail = "The provider of payments does not answer. Please try again in a moment.";
                Self::new(UNAVAILABLE, detail).header("retry-after", "5")
            }
            Unsettled::Failed(error) => error.into(),
        }
    }
}

impl Settling {
    /// Making so what Stripe says.
    pub fn applying(&self) -> &Applying {
        &self.applying
    }

    /// The way to Stripe.
    pub(crate) fn stripe(&self) -> &Stripe {
        &self.stripe
    }

    /// Settles an order for whoever found it due.
    ///
    /// # Errors
    /// When Stripe does not say, or a call failed: the order is put off and looked at again.
    pub async fn settle_due(&self, id: OrderId, now: Timestamp) -> Result<(), Unsettled> {
        let order = self.applying.payments().orders().find(id).await?;
        let order = order.context("there is no such order")?;
        if order.status() == OrderStatus::Pending {
            // An earlier try may have written down that it is paid, and died before it was queued.
            self.applying.queue(id).await?;
        }
        let settled = self.settle(order, &Actor::WORKFLOW, now).await?;
        tracing::info!(order_id = %id, ?settled, "asked Stripe of an order");
        if settled == Settled::Waits {
            telemetry::count("PaymentProcessingLong", 1);
        }
        Ok(())
    }

    /// Ends an order that awaits its payment, unless it is paid: every attempt that is not out is ended at Stripe
    /// first.
    ///
    /// Safe to repeat, and to leave at any step: what is expired is so for good, and the last step happens once.
    ///
    /// # Errors
    /// When Stripe does not say, or a call failed. Then nothing is given back.
    pub async fn settle(&self, order: Order, actor: &Actor, now: Timestamp) -> Result<Settled, Unsettled> {
        let mut order = order;
        for _ in 0..TRIES {
            match order.status() {
                OrderStatus::AwaitingPayment => {}
                OrderStatus::Pending | OrderStatus::Shipping | OrderStatus::Delivered => {
                    return Ok(Settled::Paid);
                }
                OrderStatus::Cancelled => return Ok(Settled::Already),
            }
            match self.kill_all(&order, now).await? {
                Killed::Paid => return Ok(Settled::Paid),
                Killed::Waits => return Ok(Settled::Waits),
                Killed::Out => {}
            }
            match self.release(&order, actor, now).await? {
                Ended::Now => {
                    self.applying.tell_of_the_end(&order).await;
                    return Ok(Settled::Released);
                }
                Ended::Already => return Ok(Settled::Already),
                Ended::OnItsWay => return Ok(Settled::Paid),
                Ended::Waits | Ended::Unsettled | Ended::Moved => {}
            }
            let again = self.applying.payments().orders().find(order.id()).await?;
            order = again.context("there is no such order")?;
        }
        Err(Unsettled::Failed(anyhow::Error::new(Busy).context("end an order that was not paid")))
    }

    /// All attempts as they are after that, each of which is out.
    async fn release(&self, order: &Order, actor: &Actor, now: Timestamp) -> anyhow::Result<Ended> {
        let payments = self.applying.payments();
        let ids = order.payment().map_or(&[][..], |payment| &payment.attempts);
        let attempts = payments.attempts(ids).await?;
        if attempts.len() != ids.len() || !attempts.iter().all(Payment::is_out) {
            return Ok(Ended::Moved);
        }
        payments.release(order, &attempts, actor, now).await
    }

    async fn kill_all(&self, order: &Order, now: Timestamp) -> Result<Killed, Unsettled> {
        let ids = order.payment().map_or(&[][..], |payment| &payment.attempts);
        let mut waits = false;
        for attempt in self.applying.payments().attempts(ids).await? {
            match self.kill(order, attempt, now).await? {
                Killed::Paid => return Ok(Killed::Paid),
                Killed::Waits => waits = true,
                Killed::Out => {}
            }
        }
        Ok(if waits { Killed::Waits } else { Killed::Out })
    }

    /// Makes sure that nobody can pay by an attempt, unless somebody has.
    ///
    /// # Errors
    /// When Stripe does not say, or a call failed.
    pub(crate) async fn kill(
        &self,
        order: &Order,
        attempt: Payment,
        now: Timestamp,
    ) -> Result<Killed, Unsettled> {
        match attempt.status {
            _ if attempt.is_out() => Ok(Killed::Out),
            AttemptStatus::Captured => Ok(Killed::Paid),
            AttemptStatus::Dead => Ok(Killed::Out),
            AttemptStatus::Creating | AttemptStatus::Open | AttemptStatus::Processing => match attempt.kind {
                AttemptKind::CheckoutSession => self.kill_session(order, &attempt, now).await,
                AttemptKind::PaymentIntent => self.kill_intent(&attempt, now).await,
                // No provider knows of it.
                AttemptKind::Cash => Ok(Killed::Out),
            },
        }
    }

    async fn kill_session(
        &self,
        order: &Order,
        attempt: &Payment,
        now: Timestamp,
    ) -> Result<Killed, Unsettled> {
        let session = match (attempt.status, &attempt.session_id) {
            (AttemptStatus::Open | AttemptStatus::Processing, Some(session)) => Some(session.clone()),
            (_, _) => self.session_of(order, attempt).await?,
        };
        let Some(session) = session else { return self.is_out(attempt, now).await };
        match self.stripe.expire(&session).await? {
            Expiry::Expired(_) => self.is_out(attempt, now).await,
            Expiry::NotOpen(session) => {
                let state = State::of(&session).ok_or_else(|| anyhow!("Stripe says nothing of a session"))?;
                self.heard_of(attempt, Some(session.id), state, now).await
            }
        }
    }

    async fn kill_intent(&self, attempt: &Payment, now: Timestamp) -> Result<Killed, Unsettled> {
        let intent = match &attempt.intent_id {
            Some(intent) => Some(intent.clone()),
            None => self.intent_of(attempt, now).await?,
        };
        let Some(intent) = intent else { return self.is_out(attempt, now).await };
        match self.stripe.cancel_intent(&intent).await? {
            Cancelling::Canceled(_) => self.is_out(attempt, now).await,
            Cancelling::Not(intent) => {
                let state =
                    State::of_intent(&intent).ok_or_else(|| anyhow!("Stripe says nothing of an intent"))?;
                self.heard_of(attempt, None, state, now).await
            }
        }
    }

    async fn is_out(&self, attempt: &Payment, now: Timestamp) -> Result<Killed, Unsettled> {
        self.applying.payments().bury(attempt.payment_id, now).await?;
        Ok(Killed::Out)
    }

    /// What could not be ended was ended before, is paid, or is paid in a slow way.
    async fn heard_of(
        &self,
        attempt: &Payment,
        session: Option<SessionId>,
        state: State,
        now: Timestamp,
    ) -> Result<Killed, Unsettled> {
        if matches!(state, State::Dead | State::Canceled) {
            return self.is_out(attempt, now).await;
        }
        let said = Said { payment: attempt.payment_id, order: attempt.order_id, session, state, event: None };
        Ok(match self.applying.apply(&said, now).await? {
            Applied::PaidNow | Applied::Recorded => Killed::Paid,
            Applied::SentBack(_) => Killed::Out,
            Applied::Waits | Applied::Nothing | Applied::Released | Applied::Unknown => Killed::Waits,
        })
    }

    /// The intent of an attempt of which nobody noted whether it has one. One that was made is found by what this shop
    /// wrote to it; the request is repeated as well, since a list may not have what was made a moment ago.
    async fn intent_of(&self, attempt: &Payment, now: Timestamp) -> Result<Option<IntentId>, Unsettled> {
        let from = attempt.created_at - APART;
        if let Some(found) = self.stripe.intent_of(attempt.payment_id, from, now).await? {
            return Ok(Some(found.id));
        }
        match self.stripe.create_intent(&attempt.intent_request()).await {
            Ok(intent) => Ok(Some(intent.id)),
            Err(refused) if speaks_of(&refused) == About::TheRequest => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The session of an attempt of which nobody noted whether it has one. Asked for with the very same request, Stripe
    /// gives the one that it made, or makes it now; or it refuses, because it would be too short: then there is none.
    async fn session_of(&self, order: &Order, attempt: &Payment) -> Result<Option<SessionId>, Unsettled> {
        let request = attempt.session_request(order).context("ask for a session")?;
        let refused = match self.stripe.create_session(&request).await {
            Ok(session) => return Ok(Some(session.id)),
            Err(refused @ StripeError::Refused { .. }) => refused,
            Err(error) => return Err(error.into()),
        };
        let (from, to) = made_within(attempt);
        let found = self.stripe.session_of(attempt.payment_id, from, to).await?;
        match (found, speaks_of(&refused)) {
            (Some(session), _) => Ok(Some(session.id)),
            (None, About::TheRequest) => Ok(None),
            (None, About::TheKey) => Err(refused.into()),
        }
    }
}

/// When the session of an attempt was made, if it was made at all: since the attempt was recorded, and while Stripe
/// took it for long enough. All that were made in this time are looked through, so it is not longer than that.
pub(crate) fn made_within(attempt: &Payment) -> (Timestamp, Timestamp) {
    (attempt.created_at - APART, attempt.expires_at - LEAST + APART)
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    /// The request: nothing was made by it, now or before.
    TheRequest,
    /// The API's key, or the idempotency key: something may have been made before.
    TheKey,
}

/// What a refusal speaks of. That the key came before with another request says that something was made.
pub(crate) fn speaks_of(error: &StripeError) -> About {
    match error {
        StripeError::Refused { status: 401 | 403, .. }
        | StripeError::Unclear(_)
        | StripeError::Busy { .. } => About::TheKey,
        StripeError::Refused { kind, .. } if kind == "idempotency_error" => About::TheKey,
        StripeError::Refused { .. } => About::TheRequest,
    }
}
