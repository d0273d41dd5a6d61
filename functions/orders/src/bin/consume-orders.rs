//! Consumes the Orders queue: starts the fulfilment workflow of each order.
//!
//! Safe to repeat: every step of the workflow is idempotent on the order's id.

use orders::{OrderQueued, Workflow};
use shared::run::telemetry;
use shared::run::worker::{self, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(start_fulfilment).await
}

async fn start_fulfilment(workflow: Workflow, message: Message<OrderQueued>) -> anyhow::Result<()> {
    let order_id = message.body.order_id;
    telemetry::about("orders", order_id);
    workflow.start(order_id, &message.id).await?;
    tracing::info!(%order_id, "fulfilment started");
    Ok(())
}
