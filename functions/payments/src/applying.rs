//! What Stripe says of an attempt becomes so, once, however often and in whatever order it is told.

use std::time::Duration;

use anyhow::Context;
use orders::store::Ended;
use orders::{LetterKind, Order, OrderId, OrderQueue};
use shared::http::problem::Busy;
use shared::letters::{EmailQueue, Queued};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::telemetry;
use shared::values::money::Currency;
use shared::values::time::Timestamp;

use crate::attempt::{Outcome, Payment};
use crate::deciding::{Decision, Known, Money, Said, State, decide};
use crate::refunding::RefundQueue;
use crate::store::Payments;

/// How often something is decided anew because it was not so any more when it was to be written.
const TRIES: u32 = 4;

/// How long the money of a slow way to pay may take.
const SLOW: Duration = Duration::from_hours(14 * 24);

/// Making so what Stripe says, and passing on what follows.
#[derive(Debug, Clone)]
pub struct Applying {
    payments: Payments,
    orders: OrderQueue,
    refunds: RefundQueue,
    emails: EmailQueue,
}

impl FromEnv for Applying {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            payments: Payments::from_env(aws)?,
            orders: OrderQueue::from_env(aws)?,
            refunds: RefundQueue::from_env(aws)?,
            emails: EmailQueue::from_env(aws)?,
        })
    }
}

/// What came of something that was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The order is paid by it now.
    PaidNow,
    /// The money was there before.
    Recorded,
    /// The money goes back.
    SentBack(Outcome),
    /// The money is on its way.
    Waits,
    /// The order is over.
    Released,
    /// Nothing.
    Nothing,
    /// Nobody here knows the attempt.
    Unknown,
}

impl Applying {
    /// The payments.
    pub fn payments(&self) -> &Payments {
        &self.payments
    }

    /// Writes what follows from what was said, and passes it on.
    ///
    /// Safe to repeat: the ledger has each fact once, and the statuses in the conditions let everything else happen
    /// once. What is queued twice has one effect.
    ///
    /// # Errors
    /// When the tables cannot be written or the queue takes nothing: whoever said it says it again.
    pub async fn apply(&self, said: &Said, now: Timestamp) -> anyhow::Result<Applied> {
        if self.captured_at_once(said, now).await? {
            return self.pass_on(said).await;
        }
        for _ in 0..TRIES {
            let found = self.payments.known(said).await?;
            let (order, payment) = (found.order.as_ref(), found.payment.as_ref());
            let known = Known { order, payment, is_in_the_ledger: found.is_in_the_ledger };
            let decision = decide(known, said);
            let (Some(order), Some(payment)) = (order, payment) else { return Ok(unknown(said)) };
            let now = order.moment(now);
            if let Some(applied) = self.carry_out(decision, order, payment, said, now).await? {
                return Ok(applied);
            }
        }
        Err(Busy).context("write what Stripe says of a payment")
    }

    /// Most money comes for an order that awaits it: nothing need be read for that.
    async fn captured_at_once(&self, said: &Said, now: Timestamp) -> anyhow::Result<bool> {
        match &said.state {
            State::Paid(money) => match currency(money) {
                Some(currency) => self.payments.capture(said, (money, currency), now).await,
                None => Ok(false),
            },
            State::Open | State::Processing | State::Dead | State::Canceled => Ok(false),
        }
    }

    /// The order is paid: it is to be sent. Where it cannot be queued, whoever says so says it again, and the sweep
    /// looks as well.
    async fn pass_on(&self, said: &Said) -> anyhow::Result<Applied> {
        tracing::info!(order_id = %said.order, payment_id = %said.payment, "order paid");
        telemetry::count("OrderPaid", 1);
        self.queue(said.order).await?;
        Ok(Applied::PaidNow)
    }

    /// Queues an order that is paid, to be sent. Queued twice, it is sent once.
    pub(crate) async fn queue(&self, order: OrderId) -> anyhow::Result<()> {
        self.orders.send(order).await
    }

    /// Nothing where what was decided by is not so any more.
    async fn carry_out(
        &self,
        decision: Decision,
        order: &Order,
        payment: &Payment,
        said: &Said,
        now: Timestamp,
    ) -> anyhow::Result<Option<Applied>> {
        match (decision, &said.state) {
            (Decision::Capture, _) => {
                let is_captured = self.captured_at_once(said, now).await?;
                if is_captured { self.pass_on(said).await.map(Some) } else { Ok(None) }
            }
            (Decision::SendBack(outcome), State::Paid(money)) => {
                self.send_back(order, payment, (said, money), outcome, now).await
            }
            (Decision::SendBack(_), State::Open | State::Processing | State::Dead | State::Canceled) => {
                anyhow::bail!("only money can go back")
            }
            (Decision::Recorded { queue }, _) => {
                if queue {
                    self.queue(order.id()).await?;
                }
                Ok(Some(Applied::Recorded))
            }
            (Decision::Wait, _) => {
                let is_written = self.payments.wait(said, Some(now + SLOW), now).await?;
                Ok(is_written.then_some(Applied::Waits))
            }
            (Decision::Note, _) => {
                let is_written = self.payments.wait(said, None, now).await?;
                Ok(is_written.then_some(Applied::Waits))
            }
            (Decision::Release, _) => self.release(order, payment, now).await,
            (Decision::Bury { look }, _) => {
                self.payments.bury(said.payment, now).await?;
                if look {
                    self.payments.look_at(order, now).await?;
                }
                Ok(Some(Applied::Nothing))
            }
            (Decision::Nothing, _) => Ok(Some(Applied::Nothing)),
            (Decision::Unknown, _) => Ok(Some(unknown(said))),
        }
    }

    async fn send_back(
        &self,
        order: &Order,
        payment: &Payment,
        (said, money): (&Said, &Money),
        outcome: Outcome,
        now: Timestamp,
    ) -> anyhow::Result<Option<Applied>> {
        let sent_back = self.payments.send_back(order, payment, (said, money), outcome, now).await?;
        let Some(refund) = sent_back else { return Ok(None) };
        tracing::warn!(order_id = %said.order, payment_id = %said.payment, %outcome, "money goes back");
        telemetry::count("PaymentSentBack", 1);
        if outcome == Outcome::Mismatch {
            telemetry::count_in_stage("PaymentMismatch", 1);
            // No other attempt may be left to wait for.
            self.payments.look_at(order, now).await?;
        }
        self.refunds.send_or_leave(&refund).await;
        Ok(Some(Applied::SentBack(outcome)))
    }

    async fn release(
        &self,
        order: &Order,
        payment: &Payment,
        now: Timestamp,
    ) -> anyhow::Result<Option<Applied>> {
        match self.payments.release_with(order, payment, now).await? {
            Ended::Now => {
                self.tell_of_the_end(order).await;
                Ok(Some(Applied::Released))
            }
            Ended::Already | Ended::OnItsWay | Ended::Waits => Ok(Some(Applied::Nothing)),
            Ended::Unsettled | Ended::Moved => Ok(None),
        }
    }

    /// An order is over because nobody has paid it: its buyer is told.
    pub(crate) async fn tell_of_the_end(&self, order: &Order) {
        tracing::info!(order_id = %order.id(), "order was not paid");
        telemetry::count("OrderExpired", 1);
        telemetry::count_in_stage("PaymentExpired", 1);
        self.emails.send_or_leave(&Queued::new(LetterKind::Cancelled, order.id())).await;
    }
}

/// The currency, if it is one that the shop may have.
fn currency(money: &Money) -> Option<Currency> {
    money.currency.to_string().parse().ok()
}

fn unknown(said: &Said) -> Applied {
    tracing::error!(order_id = %said.order, payment_id = %said.payment, "Stripe speaks of a payment that is not here");
    telemetry::count_in_stage("UnknownPayment", 1);
    Applied::Unknown
}
