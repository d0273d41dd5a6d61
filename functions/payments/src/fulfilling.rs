//! Saying what became of an order: the seller of all that is in it does, or an admin. What is paid at the door is paid
//! when it arrives.

use orders::{Order, OrderId, Progress};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::letters::{EmailQueue, Queued};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::telemetry;
use shared::values::time::Timestamp;

use crate::ids::Shop;
use crate::store::Payments;

/// Telling what became of an order.
#[derive(Debug, Clone)]
pub struct Fulfilling {
    payments: Payments,
    shop: Shop,
    emails: EmailQueue,
}

impl FromEnv for Fulfilling {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            payments: Payments::from_env(aws)?,
            shop: config::required("SHOP_NAME")?,
            emails: EmailQueue::from_env(aws)?,
        })
    }
}

impl Fulfilling {
    /// Moves an order on as its seller or an admin says, writes down what was paid at the door, and queues the email
    /// that tells its buyer.
    ///
    /// Safe to repeat: the order moves once, is paid with that, and its email goes out once.
    ///
    /// # Errors
    /// Those of [`orders::Orders::progress`].
    pub async fn tell(
        &self,
        caller: &Caller,
        id: OrderId,
        progress: &Progress,
        now: Timestamp,
    ) -> Result<Order, Problem> {
        let collect =
            |order: &Order, write: &mut _| self.payments.collect(order, &self.shop, write, order.moment(now));
        let (order, is_new) = self.payments.orders().progress(caller, id, progress, &collect, now).await?;
        if is_new {
            tracing::info!(order_id = %id, status = %order.status(), "order moved on by hand");
            match progress {
                Progress::Shipped(_) => telemetry::count("OrderShipped", 1),
                Progress::Delivered => telemetry::count("OrderDelivered", 1),
            }
        }
        self.emails.send_or_leave(&Queued::new(progress.letter(), id)).await;
        Ok(order)
    }
}
