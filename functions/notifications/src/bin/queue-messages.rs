//! Consumes the Messages queue: queues the email that an event gives rise to, besides those that orders owe.
//!
//! Safe to repeat: an event queues the same letter each time, which goes out once.

use notifications::messages::{self, Happened};
use shared::letters::EmailQueue;
use shared::run::worker::{self, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(queue_message).await
}

async fn queue_message(emails: EmailQueue, message: Message<Happened>) -> anyhow::Result<()> {
    messages::queue(&emails, &message.body).await
}
