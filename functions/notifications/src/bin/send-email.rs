//! Consumes the Emails queue: sends each email once and records that it went out.
//!
//! Safe to repeat: an email is claimed before it is sent, and one that was sent is not sent again.

use notifications::Sending;
use shared::letters::Queued;
use shared::run::worker::{self, Failure, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(send_email).await
}

async fn send_email(sending: Sending, message: Message<Queued>) -> Result<(), Failure> {
    sending.send(&message.body, message.received_at).await
}
