//! Paying an order again, and asking how a payment stands.

use std::time::Duration;

use anyhow::Context;
use orders::{Order, OrderId, OrderStatus, PaymentId};
use shared::caller::Caller;
use shared::guards::rate_limit::PersonLimit;
use shared::http::Answer;
use shared::http::problem::{Kind, Problem, StatusCode};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::telemetry;
use shared::values::time::Timestamp;

use crate::attempt::{AttemptStatus, Payment};
use crate::deciding::{Said, State};
use crate::ids::SessionId;
use crate::opening::Opening;
use crate::settling::{Killed, Settling, Unsettled};
use crate::views::{PaymentView, Standing};

/// How often an order may be tried to be paid.
const MOST_ATTEMPTS: usize = 3;

/// For how long a session must be open, and a little more.
const LEAST: Duration = Duration::from_secs(30 * 60 + 15);

const ALREADY_PAID: Kind = Kind::new(StatusCode::CONFLICT, "already-paid", "Already paid");
const NOT_NEEDED: Kind = Kind::new(StatusCode::CONFLICT, "payment-not-needed", "Payment not needed");
const PROCESSING: Kind = Kind::new(StatusCode::CONFLICT, "payment-processing", "Payment processing");
const CANCELLED: Kind = Kind::new(StatusCode::CONFLICT, "order-cancelled", "Order cancelled");
const TOO_MANY: Kind = Kind::new(StatusCode::CONFLICT, "too-many-attempts", "Too many attempts");
const CHANGED: Kind = Kind::new(StatusCode::CONFLICT, "conflict", "Changed meanwhile");

/// Why an order is not paid now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is paid, by this attempt.
    AlreadyPaid(PaymentId),
    /// It is paid at the door, or costs nothing.
    NotNeeded,
    /// It is paid by this attempt in a slow way.
    Processing(PaymentId),
    /// It is over.
    Cancelled,
    /// It was tried too often.
    TooMany,
    /// Somebody tries at this very moment.
    Changed,
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::AlreadyPaid(id) => Self::new(ALREADY_PAID, "The order is paid.").with("paymentId", id),
            Refusal::NotNeeded => Self::new(NOT_NEEDED, "There is nothing to pay by card."),
            Refusal::Processing(id) => {
                let detail = "The order is paid, and its money on its way. You are told when it has come.";
                Self::new(PROCESSING, detail).with("paymentId", id)
            }
            Refusal::Cancelled => Self::new(CANCELLED, "The order was cancelled. Order again."),
            Refusal::TooMany => {
                Self::new(TOO_MANY, "This order was tried to be paid too often. Order again in a while.")
            }
            Refusal::Changed => {
                Self::new(CHANGED, "The order is about to be paid elsewhere. Look at it again.")
            }
        }
    }
}

/// How an order is paid that awaits it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// By the attempt that counts, whose page is open.
    Open,
    /// By the attempt that counts, whose page nobody has noted.
    Unmade,
    /// By another attempt.
    Another,
}

/// How to pay `order`, whose attempt that counts is `current`.
///
/// # Errors
/// The [`Refusal`] of what cannot be paid.
pub fn next(order: &Order, current: Option<&Payment>, now: Timestamp) -> Result<Next, Refusal> {
    let Some(paying) = order.payment() else { return Err(Refusal::NotNeeded) };
    match order.status() {
        OrderStatus::Cancelled => return Err(Refusal::Cancelled),
        OrderStatus::Pending | OrderStatus::Shipping | OrderStatus::Delivered => {
            return Err(Refusal::AlreadyPaid(paying.payment_id));
        }
        OrderStatus::AwaitingPayment if paying.processing => {
            return Err(Refusal::Processing(paying.payment_id));
        }
        OrderStatus::AwaitingPayment => {}
    }
    let another = || {
        if paying.attempts.len() < MOST_ATTEMPTS { Ok(Next::Another) } else { Err(Refusal::TooMany) }
    };
    match current.map(|current| (current.status, current.expires_at)) {
        Some((AttemptStatus::Open, until)) if now < until => Ok(Next::Open),
        Some((AttemptStatus::Creating, until)) if now + LEAST < until => Ok(Next::Unmade),
        Some((AttemptStatus::Processing, _)) => Err(Refusal::Processing(paying.payment_id)),
        Some((
            AttemptStatus::Creating | AttemptStatus::Open | AttemptStatus::Dead | AttemptStatus::Captured,
            _,
        ))
        | None => another(),
    }
}

/// Paying orders that await it, as often as one person may.
#[derive(Debug, Clone)]
pub struct Starting {
    limit: PersonLimit,
    opening: Opening,
}

impl FromEnv for Starting {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { limit: PersonLimit::from_env(aws)?, opening: Opening::from_env(aws)? })
    }
}

/// The attempt by which an order is paid, whether it is a new one, and where it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    payment: Payment,
    is_new: bool,
    path: String,
}

impl From<Started> for Answer<PaymentView> {
    fn from(Started { payment, is_new, path }: Started) -> Self {
        if is_new { Self::created(payment.into()).at(path) } else { Self::ok(payment.into()) }
    }
}

impl Starting {
    /// The attempt by which the caller pays an order, and whether it is a new one. No attempt gets its page before
    /// Stripe has ended those before it.
    ///
    /// Safe to repeat: an open page is given again, and a page that nobody noted is the same one.
    ///
    /// # Errors
    /// `not-found`, `too-many-requests`, the [`Refusal`]s, and `payment-provider-unavailable`.
    pub async fn start(&self, buyer: &Caller, id: OrderId, now: Timestamp) -> Result<Started, Problem> {
        telemetry::about("orders", id);
        let payments = self.opening.payments();
        let (counted, order) = tokio::join!(
            self.limit.count("start-payment", buyer.id(), now),
            payments.orders().find_of(buyer, id),
        );
        counted?;
        let (payment, is_new) = self.attempt(order?, now).await?;
        Ok(Started { path: format!("/payments/{}", payment.payment_id), payment, is_new })
    }

    /// The same for the buyer of an order that was opened otherwise.
    ///
    /// # Errors
    /// The [`Refusal`]s, and `payment-provider-unavailable`.
    pub async fn start_opened(&self, order: Order, now: Timestamp) -> Result<Started, Problem> {
        let path = format!("/guest-orders/{}", order.id());
        let (payment, is_new) = self.attempt(order, now).await?;
        Ok(Started { payment, is_new, path })
    }

    async fn attempt(&self, order: Order, now: Timestamp) -> Result<(Payment, bool), Problem> {
        let payments = self.opening.payments();
        let mut attempts = payments.attempts(order.payment().map_or(&[], |paying| &paying.attempts)).await?;
        let counts = order.payment().map(|paying| paying.payment_id);
        let current = attempts.iter().find(|attempt| Some(attempt.payment_id) == counts).cloned();
        match (next(&order, current.as_ref(), now)?, current) {
            (Next::Open, Some(current)) => Ok((current, false)),
            (Next::Unmade, Some(current)) => {
                attempts.retain(|attempt| attempt.payment_id != current.payment_id);
                self.give_up(&order, &attempts, now).await?;
                Ok((self.opening.open(&order, current, now).await?, true))
            }
            (Next::Another, _) => Ok((self.again(&order, &attempts, now).await?, true)),
            (Next::Open | Next::Unmade, None) => Err(Refusal::Changed.into()),
        }
    }

    async fn again(&self, order: &Order, attempts: &[Payment], now: Timestamp) -> Result<Payment, Problem> {
        let terms = self.opening.terms();
        terms.take_cards()?;
        let number = u32::try_from(attempts.len()).unwrap_or(u32::MAX).saturating_add(1);
        let attempt = Payment::new(PaymentId::at(now), order, number, terms, now);
        if !self.opening.payments().try_again(order, &attempt).await? {
            return Err(Refusal::Changed.into());
        }
        self.give_up(order, attempts, now).await?;
        Ok(self.opening.open(order, attempt, now).await?)
    }

    /// Makes sure that nobody can pay by these attempts.
    async fn give_up(&self, order: &Order, attempts: &[Payment], now: Timestamp) -> Result<(), Problem> {
        for attempt in attempts {
            let id = attempt.payment_id;
            match self.opening.settling().kill(order, attempt.clone(), now).await? {
                Killed::Out => {}
                Killed::Paid => return Err(Refusal::AlreadyPaid(id).into()),
                Killed::Waits => return Err(Refusal::Processing(id).into()),
            }
        }
        Ok(())
    }
}

/// Asking Stripe how a payment stands, for the page that the buyer comes back to.
#[derive(Debug, Clone)]
pub struct Refreshing {
    limit: PersonLimit,
    settling: Settling,
}

impl FromEnv for Refreshing {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { limit: PersonLimit::from_env(aws)?, settling: Settling::from_env(aws)? })
    }
}

impl Refreshing {
    /// How the caller's order and its money stand, by Stripe's word if it is not settled yet.
    ///
    /// Safe to repeat: what Stripe says becomes so once.
    ///
    /// # Errors
    /// `not-found`, `too-many-requests`, `payment-provider-unavailable`.
    pub async fn refresh(&self, buyer: &Caller, id: PaymentId, now: Timestamp) -> Result<Standing, Problem> {
        let payments = self.settling.applying().payments();
        let payment = payments.find(id).await?.filter(|payment| payment.user_id == *buyer.id());
        let payment = payment.ok_or_else(|| Problem::not_found("payment"))?;
        if unsettled_session(&payment).is_some() {
            self.limit.count("refresh-payment", buyer.id(), now).await?;
        }
        self.ask(&payment, now).await
    }

    /// The same of the attempt that counts, for the buyer of an order that was opened otherwise.
    ///
    /// # Errors
    /// `payment-provider-unavailable`.
    pub async fn refresh_opened(&self, order: Order, now: Timestamp) -> Result<Standing, Problem> {
        let Some(paying) = order.payment() else { return Ok(Standing::of(&order)) };
        let payment = self.settling.applying().payments().find(paying.payment_id).await?;
        self.ask(&payment.context("there is no such payment")?, now).await
    }

    async fn ask(&self, payment: &Payment, now: Timestamp) -> Result<Standing, Problem> {
        if let Some(session) = unsettled_session(payment) {
            let session = self.settling.stripe().session(session).await.map_err(Unsettled::from)?;
            if let Some(state) = State::of(&session) {
                let (payment, order) = (payment.payment_id, payment.order_id);
                let said = Said { payment, order, session: Some(session.id), state, event: None };
                self.settling.applying().apply(&said, now).await?;
            }
        }
        let order = self.settling.applying().payments().orders().find(payment.order_id).await?;
        let order = order.ok_or_else(|| Problem::not_found("payment"))?;
        Ok(Standing::of(&order))
    }
}

/// The session of an attempt of which Stripe may say something new.
fn unsettled_session(payment: &Payment) -> Option<&SessionId> {
    match payment.status {
        AttemptStatus::Creating | AttemptStatus::Open | AttemptStatus::Processing => {
            payment.session_id.as_ref()
        }
        AttemptStatus::Captured | AttemptStatus::Dead => None,
    }
}
