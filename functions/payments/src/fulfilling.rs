//! Saying what became of an order: the seller of all that is in it does, or an admin; and of a parcel, who sends it.
//! What is paid at the door is paid when it arrives.

use anyhow::Context;
use orders::{Order, OrderId, ParcelProgress, Progress, SellerOrderView};
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

    /// Moves a parcel on as its seller or an admin says, and with the last one the order; writes down what was paid at
    /// the door, and queues the email that tells the buyer. Gives what the seller sees of it.
    ///
    /// Safe to repeat: the parcel moves once, and its email goes out once.
    ///
    /// # Errors
    /// Those of [`orders::Orders::progress_parcel`].
    pub async fn tell_of_parcel(
        &self,
        caller: &Caller,
        id: OrderId,
        progress: &ParcelProgress,
        now: Timestamp,
    ) -> Result<SellerOrderView, Problem> {
        let collect =
            |order: &Order, write: &mut _| self.payments.collect(order, &self.shop, write, order.moment(now));
        let told = self.payments.orders().progress_parcel(caller, id, progress, &collect, now).await?;
        if told.is_new {
            tracing::info!(order_id = %id, status = %told.order.status(), "parcel moved on");
            telemetry::count("ParcelMoved", 1);
        }
        if let Some(letter) = told.letter() {
            self.emails.send_or_leave(&letter).await;
        }
        let seller = told.seller.as_ref().unwrap_or_else(|| told.order.lines()[0].seller());
        Ok(told.order.seen_by_seller(seller).context("whoever moved a parcel sees it")?)
    }
}
