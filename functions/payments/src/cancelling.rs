//! Ending an order before it ships, with its money: of one that is not paid, Stripe is asked first; of one that is
//! paid, all that is kept goes back.

use anyhow::Context;
use orders::store::Ended;
use orders::workflow::Released;
use orders::{Actor, LetterKind, Order, OrderId, OrderStatus, Orders, Paying};
use shared::caller::Caller;
use shared::http::problem::{Busy, Problem};
use shared::letters::{EmailQueue, Queued};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::telemetry;
use shared::values::money::Amount;
use shared::values::time::Timestamp;
use users::CurrentAdmin;

use crate::refunding::RefundQueue;
use crate::refunds::{Refund, RefundWhy};
use crate::settling::{Settled, Settling};
use crate::starting::Refusal;
use crate::store::Payments;

/// How often an order is looked at anew because it moved meanwhile.
const TRIES: u32 = 4;

/// Ending orders that were paid.
#[derive(Debug, Clone)]
pub struct Ends {
    payments: Payments,
    refunds: RefundQueue,
}

impl FromEnv for Ends {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { payments: Payments::from_env(aws)?, refunds: RefundQueue::from_env(aws)? })
    }
}

impl Ends {
    fn orders(&self) -> &Orders {
        self.payments.orders()
    }

    /// Ends a pending order, as it was read, and sends all back that is kept of its money. What a bank decides about
    /// stays until it has; and what came twice and could not go back is no part of the payment that counts.
    async fn end(
        &self,
        order: &Order,
        paying: &Paying,
        actor: &Actor,
        now: Timestamp,
    ) -> anyhow::Result<Ended> {
        let goes_back = paying.goes_back();
        let refund = if goes_back == Amount::ZERO {
            None
        } else {
            let payment = self.payments.find(paying.payment_id).await?.context("there is no such payment")?;
            let goes_back = goes_back.min(payment.refundable);
            // What was paid at the door has arrived, and so does not end.
            let intent = payment.intent_id.clone().filter(|_| goes_back > Amount::ZERO);
            intent
                .map(|intent| Refund::requested(&payment, intent, goes_back, RefundWhy::Cancelled, None, now))
        };
        let ended = self.payments.end_paid(order, refund.as_ref(), actor, now).await?;
        if let (Ended::Now, Some(refund)) = (ended, &refund) {
            self.refunds.send_or_leave(refund).await;
        }
        Ok(ended)
    }

    /// Cancels an order that could not ship, and gives its stock and its money back.
    ///
    /// Safe to repeat: both come back once, with the order's change to cancelled.
    ///
    /// # Errors
    /// When there is no such order or the tables cannot be written.
    pub async fn give_up(&self, id: OrderId, now: Timestamp) -> anyhow::Result<Released> {
        for _ in 0..TRIES {
            let order = self.orders().find(id).await?.context("there is no such order")?;
            let outcome = match order.payment() {
                None => self.orders().release(&order, &Actor::WORKFLOW, now).await?,
                Some(paying) => match self.end(&order, paying, &Actor::WORKFLOW, now).await? {
                    Ended::Now => Released::Released,
                    Ended::Already => Released::AlreadyCancelled,
                    Ended::OnItsWay => Released::AlreadyShipping,
                    Ended::Waits => Released::Waits,
                    Ended::Unsettled => anyhow::bail!("an order that is not paid yet was queued"),
                    Ended::Moved => continue,
                },
            };
            tracing::warn!(order_id = %id, ?outcome, "asked to release");
            if outcome == Released::Released {
                telemetry::count("OrderReleased", 1);
            }
            return Ok(outcome);
        }
        Err(Busy).context("release an order")
    }
}

/// Ending an order before it ships, for people.
#[derive(Debug, Clone)]
pub struct Cancelling {
    ends: Ends,
    settling: Settling,
    emails: EmailQueue,
}

impl FromEnv for Cancelling {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            ends: Ends::from_env(aws)?,
            settling: Settling::from_env(aws)?,
            emails: EmailQueue::from_env(aws)?,
        })
    }
}

impl Cancelling {
    /// Cancels an order for its buyer, and queues the email that says so.
    ///
    /// # Errors
    /// `not-found`, `not-cancellable`, `payment-processing`, `payment-provider-unavailable`.
    pub async fn cancel(&self, buyer: &Caller, id: OrderId, now: Timestamp) -> Result<Order, Problem> {
        let order = self.ends.orders().find_of(buyer, id).await?;
        let order = self.cancel_as(order, &Actor::BUYER, now).await?;
        tracing::info!(order_id = %id, "order cancelled by its buyer");
        Ok(order)
    }

    /// The same for the buyer of an order that was opened otherwise.
    ///
    /// # Errors
    /// The same.
    pub async fn cancel_opened(&self, order: Order, now: Timestamp) -> Result<Order, Problem> {
        let order = self.cancel_as(order, &Actor::BUYER, now).await?;
        tracing::info!(order_id = %order.id(), "order cancelled by its buyer, a guest");
        Ok(order)
    }

    /// Cancels anybody's order for the shop, and queues the email that says so.
    ///
    /// # Errors
    /// The same.
    pub async fn withdraw(
        &self,
        admin: &CurrentAdmin,
        id: OrderId,
        now: Timestamp,
    ) -> Result<Order, Problem> {
        let order = self.ends.orders().find(id).await?.ok_or(orders::Error::NotFound)?;
        let order = self.cancel_as(order, &Actor::admin(admin), now).await?;
        tracing::info!(order_id = %id, "order cancelled by an admin");
        Ok(order)
    }

    async fn cancel_as(&self, order: Order, actor: &Actor, now: Timestamp) -> Result<Order, Problem> {
        let id = order.id();
        let order = match order.payment() {
            None => self.ends.orders().cancel_as(order, actor, now).await?,
            Some(_) => self.cancel_with_its_money(order, actor, now).await?,
        };
        self.emails.send_or_leave(&Queued::new(LetterKind::Cancelled, id)).await;
        Ok(order)
    }

    async fn cancel_with_its_money(
        &self,
        order: Order,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Order, Problem> {
        let (id, mut order) = (order.id(), order);
        for _ in 0..TRIES {
            let paying = order.payment().context("no provider has money of the order")?;
            match order.status() {
                OrderStatus::Cancelled => return Ok(order),
                OrderStatus::Shipping | OrderStatus::Delivered => {
                    return Err(orders::Refusal::NotCancellable.into());
                }
                OrderStatus::AwaitingPayment => {
                    let by = paying.payment_id;
                    match self.settling.settle(order, actor, now).await? {
                        Settled::Waits => return Err(Refusal::Processing(by).into()),
                        Settled::Released | Settled::Paid | Settled::Already => {}
                    }
                }
                OrderStatus::Pending => {
                    self.ends.end(&order, paying, actor, now).await?;
                }
            }
            order = self.ends.orders().find(id).await?.ok_or(orders::Error::NotFound)?;
        }
        Err(anyhow::Error::new(Busy).context("cancel an order").into())
    }
}
