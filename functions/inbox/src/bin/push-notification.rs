//! Consumes the Push queue: tells a person by every open WebSocket that there is something new in the inbox.
//!
//! Safe to repeat: a hint that comes twice is the same hint.

use inbox::push::{Pushed, Pushing};
use shared::run::worker::{self, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(push_notification).await
}

async fn push_notification(pushing: Pushing, message: Message<Pushed>) -> anyhow::Result<()> {
    pushing.push(&message.body, message.received_at).await
}
