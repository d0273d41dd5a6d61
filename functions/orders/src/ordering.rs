//! How buyers place orders.

use shared::caller::Caller;
use shared::guards::rate_limit::PersonLimit;
use shared::guards::{KeyedRequest, Once};
use shared::http::problem::Problem;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::telemetry;
use shared::values::time::Timestamp;

use crate::{NewOrder, OrderPlaced, OrderQueue, Orders, Placing, Shop};

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
        let placing = Placing { buyer: &buyer.into(), order, keyed, shop: self.shop, now };
        let (counted, basis) =
            tokio::join!(self.limit.count("create-order", buyer.id(), now), self.orders.basis(&placing),);
        counted?;
        let placed = self.orders.place(&placing, basis?).await?;
        if let Once::Done(placed) = &placed {
            tracing::info!(order_id = %placed.order_id(), "order placed");
            telemetry::count("OrderPlaced", 1);
            self.queue.send_or_leave(placed.order_id()).await;
        }
        Ok(placed)
    }
}
