//! Consumes the Inbox queue: tells those whom it concerns what happened.
//!
//! Safe to repeat: an inbox takes an event once.

use inbox::{Told, Writing};
use shared::run::worker::{self, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(write_inbox).await
}

async fn write_inbox(writing: Writing, message: Message<Told>) -> anyhow::Result<()> {
    writing.take(message.body, message.received_at).await
}
