//! Every minute: queues the deliveries of webhooks that are due, and tells the admins which were switched off.
//!
//! Safe to repeat: a delivery is put off before it is queued.

use shared::run::worker;
use shared::values::time::Timestamp;
use webhooks::sweep::Sweep;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::on_schedule(sweep_webhooks).await
}

async fn sweep_webhooks(sweep: Sweep, now: Timestamp) -> anyhow::Result<()> {
    sweep.run(now).await
}
