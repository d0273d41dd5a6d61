//! Every minute: tells the user pool what it has not heard of roles and closed accounts.
//!
//! Safe to repeat: it is told what the profile says, and what it knows is told again.

use accounts::Accounts;
use shared::run::worker;
use shared::values::time::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::on_schedule(sweep_accounts).await
}

async fn sweep_accounts(accounts: Accounts, _: Timestamp) -> anyhow::Result<()> {
    accounts.sweep().await
}
