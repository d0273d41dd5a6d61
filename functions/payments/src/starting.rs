//! Paying an order again, and asking how a payment stands.

use std::time::Duration;

use anyhow::Context;
use orders::{Order, OrderId, OrderStatus, PaymentId};
use shared::caller::Caller;
use shared::guards::rate_limit::PersonLimit;
use shared::http::problem::{Kind, Problem, StatusCode};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::telemetry;
use shared::values::time::Timestamp;

use crate::attempt::{AttemptKind, AttemptStatus, CardKind, Payment};
use crate::deciding::{Said, State};
use crate::opening::Opening;
use crate::settings::{PublishableKey, Terms};
use crate::settling::{Killed, Settling, Unsettled};
use crate::stripe::ClientSecret;
use crate::views::Standing;

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
    /// Its stock was held for as long as it is for one order.
    HeldTooLong,
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
            Refusal::HeldTooLong => {
                Self::new(TOO_MANY, "This order has waited for its payment for too long. Order again.")
            }
            Refusal::Changed => {
                Self::new(CHANGED, "The order is about to be paid elsewhere. Look at it again.")
            }
        }
    }
}

/// How an order is paid that awaits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// By the attempt that counts, whose page is open.
    Open,
    /// By the attempt that counts, whose page nobody has noted.
    Unmade,
    /// By another attempt.
    Another,
}

/// How to pay `order` in a way of this kind, whose attempt that counts is `current`, on these terms. What is open in
/// the other way is given up for it.
///
/// # Errors
/// The [`Refusal`] of what cannot be paid.
pub fn next(
    order: &Order,
    current: Option<&Payment>,
    (kind, terms): (CardKind, &Terms),
    now: Timestamp,
) -> Result<Next, Refusal> {
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
        if paying.attempts.len() >= MOST_ATTEMPTS {
            return Err(Refusal::TooMany);
        }
        if terms.hold_still(order.placed_at(), now) { Ok(Next::Another) } else { Err(Refusal::HeldTooLong) }
    };
    let Some(current) = current else { return another() };
    let (until, is_asked_for) = (current.expires_at, current.kind == kind.into());
    match current.status {
        AttemptStatus::Open if is_asked_for && now < until => Ok(Next::Open),
        AttemptStatus::Creating if is_asked_for && now + LEAST < until => Ok(Next::Unmade),
        AttemptStatus::Processing => Err(Refusal::Processing(paying.payment_id)),
        AttemptStatus::Creating | AttemptStatus::Open | AttemptStatus::Dead | AttemptStatus::Captured => {
            another()
        }
    }
}

shared::body!(
    /// In which way an order is to be paid.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub struct StartPayment {
        /// On the page of the provider, unless told otherwise.
        pub kind: Option<CardKind>,
    }
);

impl StartPayment {
    fn kind(self) -> CardKind {
        self.kind.unwrap_or(CardKind::CheckoutSession)
    }
}

/// An attempt, with what its form is opened with where it has one.
type Opened = (Payment, Option<ClientSecret>);

/// How an order is to be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// By this attempt.
    pub payment: Payment,
    /// Whether it was begun, or its page made, just now.
    pub is_new: bool,
    /// With what its form is opened in a page, where it is paid in one.
    pub form: Option<(ClientSecret, PublishableKey)>,
}

/// Paying orders that await it, as often as one person may.
#[derive(Debug, Clone)]
pub struct Starting {
    limit: PersonLimit,
    opening: Opening,
}

impl FromEnv for Starting {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { limit: PersonLimit::from_env(aws)?.and_by_card()?, opening: Opening::from_env(aws)? })
    }
}

impl Starting {
    /// The attempt by which the caller pays an order. None gets its page or its form before Stripe has ended those
    /// before it.
    ///
    /// Safe to repeat: an open page is given again, and a page that nobody noted is the same one.
    ///
    /// # Errors
    /// `not-found`, `too-many-requests`, the [`Refusal`]s, `payment-kind-off` and `payment-provider-unavailable`.
    pub async fn start(
        &self,
        buyer: &Caller,
        id: OrderId,
        asked: StartPayment,
        now: Timestamp,
    ) -> Result<Started, Problem> {
        telemetry::about("orders", id);
        let payments = self.opening.payments();
        let (counted, order) = tokio::join!(
            self.limit.count_by_card("start-payment", buyer.id(), now),
            payments.orders().find_of(buyer, id),
        );
        counted?;
        self.start_opened(order?, asked, now).await
    }

    /// The same for the buyer of an order that was opened otherwise.
    ///
    /// # Errors
    /// The [`Refusal`]s, `payment-kind-off` and `payment-provider-unavailable`.
    pub async fn start_opened(
        &self,
        order: Order,
        asked: StartPayment,
        now: Timestamp,
    ) -> Result<Started, Problem> {
        telemetry::about("orders", order.id());
        let (kind, terms) = (asked.kind(), self.opening.terms());
        let key = terms.take(kind)?;
        let payments = self.opening.payments();
        let mut attempts = payments.attempts(order.payment().map_or(&[], |paying| &paying.attempts)).await?;
        let counts = order.payment().map(|paying| paying.payment_id);
        let current = attempts.iter().find(|attempt| Some(attempt.payment_id) == counts).cloned();
        let next = next(&order, current.as_ref(), (kind, terms), now)?;
        let (payment, secret) = match (next, current) {
            (Next::Open, Some(current)) => self.again_open(current).await?,
            (Next::Unmade, Some(current)) => {
                attempts.retain(|attempt| attempt.payment_id != current.payment_id);
                self.give_up(&order, &attempts, now).await?;
                self.open(&order, current, now).await?
            }
            (Next::Another, _) => self.again(&order, &attempts, kind, now).await?,
            (Next::Open | Next::Unmade, None) => return Err(Refusal::Changed.into()),
        };
        Ok(Started { payment, is_new: next != Next::Open, form: secret.zip(key) })
    }

    /// What is open: a page has its address, and of a form Stripe says again with what it is opened.
    async fn again_open(&self, current: Payment) -> Result<Opened, Problem> {
        let secret = match (current.kind(), &current.intent_id) {
            (AttemptKind::CheckoutSession | AttemptKind::Cash, _) | (AttemptKind::PaymentIntent, None) => {
                None
            }
            (AttemptKind::PaymentIntent, Some(intent)) => {
                let intent =
                    self.opening.settling().stripe().intent(intent).await.map_err(Unsettled::from)?;
                intent.secret
            }
        };
        Ok((current, secret))
    }

    async fn open(&self, order: &Order, attempt: Payment, now: Timestamp) -> Result<Opened, Problem> {
        Ok(match attempt.kind() {
            AttemptKind::CheckoutSession => (self.opening.open(order, attempt, now).await?, None),
            AttemptKind::PaymentIntent => self.opening.open_intent(attempt, now).await?,
            AttemptKind::Cash => return Err(Refusal::NotNeeded.into()),
        })
    }

    async fn again(
        &self,
        order: &Order,
        attempts: &[Payment],
        kind: CardKind,
        now: Timestamp,
    ) -> Result<Opened, Problem> {
        let terms = self.opening.terms();
        terms.take_cards()?;
        let number = u32::try_from(attempts.len()).unwrap_or(u32::MAX).saturating_add(1);
        let attempt = Payment::new(PaymentId::at(now), order, number, terms, now).paid_by(kind);
        if !self.opening.payments().try_again(order, &attempt).await? {
            return Err(Refusal::Changed.into());
        }
        self.give_up(order, attempts, now).await?;
        self.open(order, attempt, now).await
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
        if is_unsettled(&payment) {
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
        let stripe = self.settling.stripe();
        let (session, state) = match (is_unsettled(payment), &payment.session_id, &payment.intent_id) {
            (true, Some(session), _) => {
                let session = stripe.session(session).await.map_err(Unsettled::from)?;
                let state = State::of(&session);
                (Some(session.id), state)
            }
            (true, None, Some(intent)) => {
                let intent = stripe.intent(intent).await.map_err(Unsettled::from)?;
                (None, State::of_intent(&intent))
            }
            (true, None, None) | (false, _, _) => (None, None),
        };
        if let Some(state) = state {
            let (payment, order) = (payment.payment_id, payment.order_id);
            let said = Said { payment, order, session, state, event: None };
            self.settling.applying().apply(&said, now).await?;
        }
        let order = self.settling.applying().payments().orders().find(payment.order_id).await?;
        let order = order.ok_or_else(|| Problem::not_found("payment"))?;
        Ok(Standing::of(&order))
    }
}

/// Whether Stripe knows of an attempt, as far as is known here, and may say something new of it.
fn is_unsettled(payment: &Payment) -> bool {
    let is_known = payment.session_id.is_some() || payment.intent_id.is_some();
    match payment.status {
        AttemptStatus::Creating | AttemptStatus::Open | AttemptStatus::Processing => is_known,
        AttemptStatus::Captured | AttemptStatus::Dead => false,
    }
}
