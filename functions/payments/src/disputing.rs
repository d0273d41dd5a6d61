//! Disputes: a buyer has asked the bank for the money. What Stripe tells of them becomes so, once, in whatever order it
//! is told; the answers are given in Stripe's own pages.

use anyhow::Context;
use orders::OrderStatus;
use shared::http::problem::Busy;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::telemetry;
use shared::values::money::Amount;
use shared::values::time::Timestamp;

use crate::attempt::Payment;
use crate::disputes::{Dispute, DisputeState, Funds, has_not_shipped};
use crate::ids::EventId;
use crate::refunding::RefundQueue;
use crate::refunds::{Refund, RefundWhy};
use crate::store::{Disputed, Owner, Passed, Payments};
use crate::stripe;

/// How often something is decided anew because it was not so any more when it was to be written.
const TRIES: u32 = 4;

/// What Stripe tells of a dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// The dispute, as it was then.
    pub dispute: stripe::Dispute,
    /// What the bank did with its money, if it did something.
    pub funds: Option<Funds>,
    /// When.
    pub since: Timestamp,
    /// In which event.
    pub event: EventId,
}

/// Making so what Stripe tells of disputes.
#[derive(Debug, Clone)]
pub struct Disputes {
    payments: Payments,
    refunds: RefundQueue,
}

impl FromEnv for Disputes {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { payments: Payments::from_env(aws)?, refunds: RefundQueue::from_env(aws)? })
    }
}

impl Disputes {
    /// Writes down what Stripe tells of a dispute about the money of `owner`.
    ///
    /// Safe to repeat, and to leave at any step: what happened before what is known changes nothing, and the ledger
    /// takes each fact once.
    ///
    /// # Errors
    /// When the tables cannot be read or written.
    pub(crate) async fn heard(&self, told: &Told, owner: Owner, now: Timestamp) -> anyhow::Result<Passed> {
        let (known, came) = self.comes_to(told, owner, now).await?;
        let moved = self.moved(told, &known.payment, now).await?;
        self.give_back(&known, now).await?;
        ring(&known);
        Ok(if Passed::Now == came || Passed::Now == moved { Passed::Now } else { Passed::Before })
    }

    /// How the dispute stands after that, with its attempt and order.
    async fn comes_to(
        &self,
        told: &Told,
        owner: Owner,
        now: Timestamp,
    ) -> anyhow::Result<(Disputed, Passed)> {
        let mut passed = Passed::Before;
        for _ in 0..TRIES {
            let known = self.payments.disputed(owner, &told.dispute.id).await?;
            let Disputed { order, payment, dispute: before } = &known;
            let next = match before {
                Some(before) => before.goes_on(&told.dispute, told.since, now),
                None => Some(Dispute::heard_of(&told.dispute, payment, order, told.since, now)),
            };
            let Some(next) = next else { return Ok((known, passed)) };
            passed = self.payments.dispute(&next, before.as_ref(), now).await?;
        }
        Err(Busy).context("write what Stripe tells of a dispute")
    }

    /// What the bank did with the money. Of another currency than came nobody can say how much of it that is.
    async fn moved(&self, told: &Told, payment: &Payment, now: Timestamp) -> anyhow::Result<Passed> {
        let stripe::Dispute { id, amount, currency, .. } = &told.dispute;
        let Some(funds) = told.funds else { return Ok(Passed::Before) };
        let is_its_own = match (currency, &payment.captured_currency) {
            (Some(moved), Some(came)) => moved == came,
            (Some(moved), None) => moved.is(payment.currency),
            (None, _) => false,
        };
        let Some(amount) = amount.filter(|_| is_its_own) else {
            tracing::error!(dispute = %id, %funds, "a dispute's money is not that of its payment");
            return Ok(Passed::Before);
        };
        self.payments.funds_moved(payment, id, (funds, amount), Some(told.event.clone()), now).await
    }

    /// What was kept because a bank was to decide goes back once it has decided for the shop, if the order was
    /// cancelled meanwhile.
    async fn give_back(&self, known: &Disputed, now: Timestamp) -> anyhow::Result<()> {
        let Disputed { order, payment, dispute } = known;
        let is_won = dispute.as_ref().is_some_and(|dispute| dispute.status == DisputeState::Won);
        let is_over = is_won && order.status() == OrderStatus::Cancelled;
        let kept = payment.can_go_back();
        if !is_over || kept == Amount::ZERO {
            return Ok(());
        }
        let intent = payment.intent_id.clone().context("what has money has an intent")?;
        let refund = Refund::requested(payment, intent, kept, RefundWhy::Cancelled, None, now);
        if self.payments.owe(&refund, now).await? == Passed::Now {
            tracing::info!(payment_id = %payment.payment_id, "what a bank left goes back");
            self.refunds.send_or_leave(&refund).await;
        }
        Ok(())
    }
}

/// Somebody has to answer the bank, and to keep the goods back if they are still here. As often as it is told: whoever
/// told it before may have died before this.
fn ring(known: &Disputed) {
    let Some(dispute) = known.dispute.as_ref().filter(|dispute| dispute.status.waits_for_an_answer()) else {
        return;
    };
    let order_id = known.order.id();
    tracing::error!(%order_id, dispute = %dispute.dispute_id, "a buyer has asked the bank for the money");
    telemetry::count_in_stage("PaymentDisputed", 1);
    if has_not_shipped(&known.order) {
        telemetry::count_in_stage("DisputedBeforeShipping", 1);
    }
}
