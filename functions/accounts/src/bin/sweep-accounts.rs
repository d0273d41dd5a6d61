//! Every minute: tells the user pool and people what they have not heard of accounts, and starts unfinished deletions.
//!
//! Safe to repeat: it is told what the profile says, and what it knows is told again; each letter goes out once.

use accounts::{Accounts, Leaving};
use shared::run::worker;
use shared::values::time::Timestamp;
use users::FormerAddresses;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::on_schedule(sweep_accounts).await
}

async fn sweep_accounts(
    (accounts, leaving, addresses): (Accounts, Leaving, FormerAddresses),
    now: Timestamp,
) -> anyhow::Result<()> {
    let (started, queued, told) = tokio::join!(leaving.sweep(now), addresses.sweep(now), accounts.sweep());
    started.and(queued).and(told)
}
