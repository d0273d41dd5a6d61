//! Every minute: queues again what orders are still owed: fulfilment, an email, or the end of their time to pay.
//!
//! Safe to repeat: each order is put off before it is queued, and what is queued twice has one effect.

use orders::Sweep;
use shared::run::worker;
use shared::values::time::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::on_schedule(sweep_orders).await
}

async fn sweep_orders(sweep: Sweep, now: Timestamp) -> anyhow::Result<()> {
    sweep.run(now).await
}
