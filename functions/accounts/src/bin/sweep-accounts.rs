//! Every minute: tells the user pool what it has not heard of accounts, and starts deletions that are not done.
//!
//! Safe to repeat: it is told what the profile says, and what it knows is told again.

use accounts::{Accounts, Leaving};
use shared::run::worker;
use shared::values::time::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::on_schedule(sweep_accounts).await
}

async fn sweep_accounts((accounts, leaving): (Accounts, Leaving), now: Timestamp) -> anyhow::Result<()> {
    leaving.sweep(now).await?;
    accounts.sweep().await
}
