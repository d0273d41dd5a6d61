//! Every night: reads what happened at Stripe, makes so what no webhook brought, and adds up its ledgers.
//!
//! Safe to repeat: what is told again has happened, and a run goes on where the last one left off.

use payments::reconciling::{Asked, Reconciling};
use shared::run::worker;
use shared::values::time::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::on_schedule_or_asked(reconcile_payments).await
}

async fn reconcile_payments(reconciling: Reconciling, asked: Asked, now: Timestamp) -> anyhow::Result<()> {
    reconciling.run(&asked, now).await
}
