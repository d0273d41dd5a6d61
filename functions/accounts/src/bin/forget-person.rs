//! A task of the deletion of an account: takes one step of it, and says which one follows and when.
//!
//! Safe to repeat: what is gone stays so.

use accounts::{Deletion, Taken, Task};
use shared::run::worker;
use shared::values::time::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::task(forget_person).await
}

async fn forget_person(deletion: Deletion, task: Task, now: Timestamp) -> anyhow::Result<Taken> {
    deletion.take(task, now).await
}
