//! Called by the fulfilment workflow: cancels an order that could not ship and gives stock and coupon back.
//!
//! Safe to repeat: the stock comes back once, with the order's change to cancelled.

use orders::Orders;
use orders::workflow::{FulfilmentTask, Released};
use shared::run::{telemetry, worker};
use shared::values::time::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::task(release_order).await
}

async fn release_order(orders: Orders, task: FulfilmentTask, now: Timestamp) -> anyhow::Result<Released> {
    telemetry::about("orders", task.order_id);
    orders.give_up(task.order_id, now).await
}
