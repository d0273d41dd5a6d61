//! Called by the fulfilment workflow: moves a pending order to shipping.
//!
//! Safe to repeat: the order moves once, and the answer says what was found.

use orders::Orders;
use orders::workflow::{FulfilmentTask, Shipped};
use shared::run::{telemetry, worker};
use shared::values::time::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::task(ship_order).await
}

async fn ship_order(orders: Orders, task: FulfilmentTask, now: Timestamp) -> anyhow::Result<Shipped> {
    telemetry::about("orders", task.order_id);
    let outcome = orders.ship(task.order_id, now).await?;
    tracing::info!(order_id = %task.order_id, ?outcome, "asked to ship");
    if outcome == Shipped::Shipped {
        telemetry::count("OrderShipped", 1);
    }
    Ok(outcome)
}
