//! Consumes the WebhookDeliveries queue: sends each delivery, signed, and records what came of it.
//!
//! Safe to repeat: a delivery is claimed before it is sent, and one that was taken is not sent again.

use shared::run::worker::{self, Message};
use webhooks::Queued;
use webhooks::sending::Sending;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(send_webhook).await
}

async fn send_webhook(sending: Sending, message: Message<Queued>) -> anyhow::Result<()> {
    sending.send(&message.body, message.received_at).await
}
