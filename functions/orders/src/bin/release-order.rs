//! Called by the fulfilment workflow: cancels an order that could not ship and gives its stock back.
//!
//! Safe to repeat: the stock comes back once, with the order's change to cancelled.

use anyhow::Context;
use orders::workflow::{FulfilmentTask, Released};
use orders::{CancellationReason, Orders};
use shared::run::{telemetry, worker};
use shared::values::time::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::task(release_order).await
}

async fn release_order(orders: Orders, task: FulfilmentTask, now: Timestamp) -> anyhow::Result<Released> {
    telemetry::about("orders", task.order_id);
    let order = orders.find(task.order_id).await?.context("there is no such order")?;
    let outcome = orders.release(&order, CancellationReason::NotShippable, now).await?;
    tracing::warn!(order_id = %task.order_id, ?outcome, "asked to release");
    if outcome == Released::Released {
        telemetry::count("OrderReleased", 1);
    }
    Ok(outcome)
}
