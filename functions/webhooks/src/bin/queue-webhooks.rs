//! Consumes the WebhookEvents queue: records for each address that wants an event that it is to be told.
//!
//! Safe to repeat: an event has one delivery for each address at every repetition.

use shared::run::worker::{self, Message};
use webhooks::queueing::{Queueing, Told};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(queue_webhooks).await
}

async fn queue_webhooks(queueing: Queueing, message: Message<Told>) -> anyhow::Result<()> {
    queueing.take(message.body, message.received_at).await
}
