//! Called by the fulfilment workflow: cancels an order that could not ship and gives stock, coupon and money back.
//!
//! Safe to repeat: all of it comes back once, with the order's change to cancelled.

use orders::workflow::{FulfilmentTask, Released};
use payments::cancelling::Ends;
use shared::run::{telemetry, worker};
use shared::values::time::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::task(release_order).await
}

async fn release_order(ends: Ends, task: FulfilmentTask, now: Timestamp) -> anyhow::Result<Released> {
    telemetry::about("orders", task.order_id);
    ends.give_up(task.order_id, now).await
}
