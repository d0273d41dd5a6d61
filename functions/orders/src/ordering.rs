//! What buyers do with orders, and what the workflow does for them.

use anyhow::Context;
use shared::caller::Caller;
use shared::guards::rate_limit::PersonLimit;
use shared::guards::{KeyedRequest, Once};
use shared::http::problem::Problem;
use shared::letters::{EmailQueue, Queued};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::telemetry;
use shared::values::time::Timestamp;
use users::CurrentAdmin;

use crate::workflow::Released;
use crate::{Actor, LetterKind, NewOrder, Order, OrderId, OrderPlaced, OrderQueue, Orders, Shop};

/// Placing orders, as often and as large as one person may.
#[derive(Debug, Clone)]
pub struct Ordering {
    limit: PersonLimit,
    pieces_per_line: u32,
    shop: Shop,
    orders: Orders,
    queue: OrderQueue,
}

impl FromEnv for Ordering {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            limit: PersonLimit::from_env(aws)?.and_a_day()?,
            pieces_per_line: config::required("PIECES_PER_LINE")?,
            shop: Shop::from_env(aws)?,
            orders: Orders::from_env(aws)?,
            queue: OrderQueue::from_env(aws)?,
        })
    }
}

impl Ordering {
    /// Counts the request while it reads what the order depends on, places the order and queues it: three round trips.
    ///
    /// # Errors
    /// Those of [`NewOrder::takes_at_most`], `too-many-requests`, and those of [`Orders::place`].
    pub async fn place(
        &self,
        buyer: &Caller,
        order: &NewOrder,
        keyed: Option<&KeyedRequest>,
        now: Timestamp,
    ) -> Result<Once<OrderPlaced>, Problem> {
        order.takes_at_most(self.pieces_per_line)?;
        let (counted, basis) = tokio::join!(
            self.limit.count("create-order", buyer.id(), now),
            self.orders.basis(buyer.id(), order, keyed),
        );
        counted?;
        let placed = self.orders.place(buyer.id(), order, basis?, keyed, self.shop, now).await?;
        if let Once::Done(placed) = &placed {
            tracing::info!(order_id = %placed.order_id(), "order placed");
            telemetry::count("OrderPlaced", 1);
            self.queue.send_or_leave(placed.order_id()).await;
        }
        Ok(placed)
    }
}

/// Ending an order before it ships.
#[derive(Debug, Clone)]
pub struct Cancelling {
    orders: Orders,
    emails: EmailQueue,
}

impl FromEnv for Cancelling {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { orders: Orders::from_env(aws)?, emails: EmailQueue::from_env(aws)? })
    }
}

impl Cancelling {
    /// Cancels an order for its buyer, and queues the email that says so.
    ///
    /// # Errors
    /// Those of [`Orders::cancel`].
    pub async fn cancel(&self, buyer: &Caller, id: OrderId, now: Timestamp) -> Result<Order, Problem> {
        let order = self.orders.cancel(buyer, id, now).await?;
        tracing::info!(order_id = %id, "order cancelled by its buyer");
        self.emails.send_or_leave(&Queued::new(LetterKind::Cancelled, id)).await;
        Ok(order)
    }

    /// The same for the buyer of an order that was opened otherwise.
    ///
    /// # Errors
    /// Those of [`Orders::cancel_opened`].
    pub async fn cancel_opened(&self, order: Order, now: Timestamp) -> Result<Order, Problem> {
        let order = self.orders.cancel_opened(order, now).await?;
        tracing::info!(order_id = %order.id(), "order cancelled by its buyer, a guest");
        self.emails.send_or_leave(&Queued::new(LetterKind::Cancelled, order.id())).await;
        Ok(order)
    }

    /// Cancels anybody's order for the shop, and queues the email that says so.
    ///
    /// # Errors
    /// Those of [`Orders::withdraw`].
    pub async fn withdraw(
        &self,
        admin: &CurrentAdmin,
        id: OrderId,
        now: Timestamp,
    ) -> Result<Order, Problem> {
        let order = self.orders.withdraw(admin, id, now).await?;
        tracing::info!(order_id = %id, "order cancelled by an admin");
        self.emails.send_or_leave(&Queued::new(LetterKind::Cancelled, id)).await;
        Ok(order)
    }
}

impl Orders {
    /// Cancels an order that could not ship and gives its stock back.
    ///
    /// # Errors
    /// When there is no such order or the tables cannot be written.
    pub async fn give_up(&self, id: OrderId, now: Timestamp) -> anyhow::Result<Released> {
        let order = self.find(id).await?.context("there is no such order")?;
        let outcome = self.release(&order, &Actor::WORKFLOW, now).await?;
        tracing::warn!(order_id = %id, ?outcome, "asked to release");
        if outcome == Released::Released {
            telemetry::count("OrderReleased", 1);
        }
        Ok(outcome)
    }
}
