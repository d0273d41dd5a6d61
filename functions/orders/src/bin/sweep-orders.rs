//! Every minute: queues again what orders are still owed, be it fulfilment or an email.
//!
//! Safe to repeat: each order is put off before it is queued, and what is queued twice has one effect.

use orders::store::due_shards;
use orders::{EmailQueue, Order, OrderQueue, Orders, Owed};
use shared::run::{telemetry, worker};
use shared::values::time::Timestamp;

/// As many of each shard as one run queues well within its timeout; the next run takes the rest.
const BATCH: i32 = 50;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::on_schedule(sweep_orders).await
}

async fn sweep_orders(state: (Orders, OrderQueue, EmailQueue), now: Timestamp) -> anyhow::Result<()> {
    let mut failed = 0;
    for shard in due_shards() {
        for order in state.0.due(&shard, now, BATCH).await? {
            // One that cannot be swept must not keep the others waiting.
            if let Err(error) = sweep(&state, &order, now).await {
                tracing::error!(order_id = %order.id(), error = format!("{error:#}"), "not swept up");
                failed += 1;
            }
        }
    }
    anyhow::ensure!(failed == 0, "{failed} orders could not be swept up");
    Ok(())
}

async fn sweep(
    (orders, queue, emails): &(Orders, OrderQueue, EmailQueue),
    order: &Order,
    now: Timestamp,
) -> anyhow::Result<()> {
    let (order_id, owed) = (order.id(), order.owed());
    if !orders.put_off(order, now).await? {
        return Ok(());
    }
    tracing::warn!(%order_id, ?owed, "swept up");
    telemetry::count("OrderSwept", 1);
    match owed {
        Owed::Fulfilment => queue.send(order_id).await,
        Owed::Email(kind) => emails.send(kind, order_id).await,
        Owed::Abandoned => {
            telemetry::count("EmailAbandoned", 1);
            orders.settle(order_id, order.status()).await
        }
    }
}
