//! Every minute: queues again the refunds that are still owed, and the emails about them.
//!
//! Safe to repeat: each refund is put off before it is queued, and what is queued twice has one effect.

use payments::refunding::RefundSweep;
use shared::run::worker;
use shared::values::time::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::on_schedule(sweep_payments).await
}

async fn sweep_payments(sweep: RefundSweep, now: Timestamp) -> anyhow::Result<()> {
    sweep.run(now).await
}
