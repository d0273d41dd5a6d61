//! Consumes the EmailFeedback queue: notes the addresses that mail came back from for good, or that called it spam.
//!
//! Safe to repeat, and in any order: of two that are told of an address, what counts for longer stays.

use notifications::Recording;
use shared::run::worker::{self, Message};
use users::Feedback;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(record_bounces).await
}

async fn record_bounces(recording: Recording, message: Message<Feedback>) -> anyhow::Result<()> {
    recording.record(&message.body).await
}
