//! Deciding what becomes of returns. What came back is paid back, and can be sold again if the shop says so, in the
//! transaction that says that it is here.

use anyhow::Context;
use orders::returns::{Decided, Decision, Follows, PaidBack, Receipt};
use orders::{Actor, Order, Return, ReturnId, Returns};
use shared::caller::Caller;
use shared::dynamo::{Write, Written};
use shared::http::problem::{Busy, FORBIDDEN, Kind, Problem, StatusCode};
use shared::letters::{EmailQueue, Queued};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::telemetry;
use shared::values::money::Amount;
use shared::values::time::Timestamp;

use crate::attempt::Payment;
use crate::refunding::{NoRefund, RefundQueue, amount_of};
use crate::refunds::{Refund, RefundWhy};
use crate::store::Payments;

/// How often a return is looked at anew because it, or its order, moved meanwhile.
const TRIES: u32 = 4;

const NOT_DELIVERED: Kind = Kind::new(StatusCode::CONFLICT, "not-delivered", "Not delivered");

/// Deciding returns.
#[derive(Debug, Clone)]
pub struct Returning {
    returns: Returns,
    payments: Payments,
    refunds: RefundQueue,
    emails: EmailQueue,
}

impl FromEnv for Returning {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            returns: Returns::from_env(aws)?,
            payments: Payments::from_env(aws)?,
            refunds: RefundQueue::from_env(aws)?,
            emails: EmailQueue::from_env(aws)?,
        })
    }
}

/// What is paid back for a return: so much of a payment, for this share of its order; nothing where all of it was paid
/// back before, or its buyer's bank has done so. Where an amount went back that was for nothing in particular, less may
/// be left than the things cost.
///
/// # Errors
/// What [`NoRefund`] says but for [`NoRefund::Nothing`].
pub fn owed_for(
    payment: &Payment,
    order: &Order,
    back: &Return,
    receipt: Receipt,
    by: &Actor,
    now: Timestamp,
) -> Result<Option<Refund>, NoRefund> {
    let share = order.share_of_what_is_left(&back.lines(), receipt.shipping).map_err(NoRefund::NotBack)?;
    let left = match amount_of(payment, None) {
        Ok(left) => left,
        Err(NoRefund::Nothing) => return Ok(None),
        // The bank has decided that its buyer has the money.
        Err(NoRefund::Disputed) if order.is_charged_back() => return Ok(None),
        Err(refused) => return Err(refused),
    };
    let amount = share.amount().min(left);
    if amount == Amount::ZERO {
        return Ok(None);
    }
    let (why, by) = (RefundWhy::Returned, by.person().map(ToString::to_string));
    let refund = match (&payment.intent_id, receipt.outside) {
        (_, true) => Refund::outside(payment, amount, why, by, now),
        (Some(intent), false) => Refund::requested(payment, intent.clone(), amount, why, by, now),
        (None, false) => return Err(NoRefund::InCash),
    };
    Ok(Some(refund.of_share(Some(share))))
}

impl Returning {
    /// Decides a return for the seller of all its things, or for an admin, and queues the email that tells its buyer.
    ///
    /// Safe to repeat: the return moves once, and with it stock and money come back once.
    ///
    /// # Errors
    /// `not-found`, `forbidden` for a seller who gives more than the things are worth, [`Decided`], and what is in the
    /// way of paying back.
    pub async fn decide(
        &self,
        caller: &Caller,
        id: ReturnId,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<Return, Problem> {
        for _ in 0..TRIES {
            let not_found = || Problem::not_found("return");
            let asked = self.returns.find(id).await?.ok_or_else(not_found)?;
            let order = self.payments.orders().find(asked.order_id()).await?;
            let order = order.context("a return has an order")?;
            let by = order.decided_by(&asked, caller).ok_or_else(not_found)?;
            let next = match asked.status().on(decision) {
                Follows::Refused => return Err(Decided(asked.status()).into()),
                Follows::Already => Some(asked),
                Follows::To(_) => self.move_on(&asked, &order, decision, (caller, by), now).await?,
            };
            if let Some(next) = next {
                self.emails.send_or_leave(&Queued::new(next.status().letter(), id)).await;
                return Ok(next);
            }
        }
        Err(anyhow::Error::new(Busy).context("decide a return").into())
    }

    /// The return as it is then; nothing where it, or its order, is not as it was read.
    async fn move_on(
        &self,
        asked: &Return,
        order: &Order,
        decision: &Decision,
        (caller, by): (&Caller, Actor),
        now: Timestamp,
    ) -> Result<Option<Return>, Problem> {
        let (next, is_written) = match decision {
            Decision::Accept => {
                let next = asked.accepted(by, now);
                let is_written = self.returns.accept(asked, &next).await?;
                (next, is_written)
            }
            Decision::Refuse(why) => {
                let next = asked.refused(why.clone(), by, now);
                let is_written = self.returns.refuse(asked, &next, order).await?;
                (next, is_written)
            }
            Decision::Receive(receipt) => {
                if (receipt.outside || receipt.shipping) && !caller.is_admin() {
                    let detail = "Only the shop's admins may say so: leave out outside and shipping.";
                    return Err(Problem::new(FORBIDDEN, detail));
                }
                return self.receive(asked, order, *receipt, by, now).await;
            }
        };
        tracing::info!(return_id = %asked.id(), status = %next.status(), "return decided");
        Ok(is_written.then_some(next))
    }

    /// The things are here: they are paid back, and can be sold again if that was said, in one transaction.
    async fn receive(
        &self,
        asked: &Return,
        order: &Order,
        receipt: Receipt,
        by: Actor,
        now: Timestamp,
    ) -> Result<Option<Return>, Problem> {
        let refund = self.owed(asked, order, receipt, &by, now).await?;
        let paid_back = refund.as_ref().map(|refund| PaidBack {
            payment_id: refund.payment_id,
            refund_id: refund.refund_id,
            amount: refund.amount,
        });
        let next = asked.received(receipt.restock, paid_back, by, now);
        if !self.written(asked, &next, order, (refund.as_ref(), receipt), now).await? {
            return Ok(None);
        }
        tracing::info!(return_id = %asked.id(), order_id = %order.id(), "return received");
        telemetry::count("ReturnReceived", 1);
        if let Some(refund) = refund.filter(|refund| !refund.outside) {
            self.refunds.send_or_leave(&refund).await;
        }
        Ok(Some(next))
    }

    /// What is to be paid back; nothing for what cost nothing.
    async fn owed(
        &self,
        asked: &Return,
        order: &Order,
        receipt: Receipt,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Option<Refund>, Problem> {
        if order.total() == Amount::ZERO {
            return Ok(None);
        }
        let Some(paying) = order.payment() else {
            return Err(Problem::new(
                NOT_DELIVERED,
                "Nobody has said that the order arrived, and so that it was paid at the door. Say that first.",
            ));
        };
        let payment = self.payments.find(paying.payment_id).await?.context("there is no such payment")?;
        Ok(owed_for(&payment, order, asked, receipt, by, now)?)
    }

    /// False where the return, its order or its payment is not as it was read. Offers that are gone get nothing back.
    async fn written(
        &self,
        asked: &Return,
        next: &Return,
        order: &Order,
        (refund, receipt): (Option<&Refund>, Receipt),
        now: Timestamp,
    ) -> anyhow::Result<bool> {
        let mut lines = if receipt.restock { asked.lines() } else { Vec::new() };
        loop {
            let mut write = Write::new();
            write.put(self.returns.decided(asked, next)?);
            if let Some(refund) = refund {
                self.payments.gives_back(&mut write, refund, order, now)?;
            }
            let parts = self.payments.orders().restock(&lines, &mut write)?;
            let Written::Refused(found) = write.commit(self.payments.client()).await? else {
                return Ok(true);
            };
            let is_gone = |id| parts.iter().any(|(part, of)| *of == id && found.at(*part).is_some());
            let before = lines.len();
            lines.retain(|line| !is_gone(line.id));
            if lines.len() == before {
                return Ok(false);
            }
        }
    }
}
