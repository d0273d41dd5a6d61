//! Consumes the Activity queue: records in a person's log what happened.
//!
//! Safe to repeat: an event has the same key at every repetition.

use activity::{Activity, Told};
use shared::run::worker::{self, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(record_activity).await
}

async fn record_activity(activity: Activity, message: Message<Told>) -> anyhow::Result<()> {
    activity.take(message.body).await
}
