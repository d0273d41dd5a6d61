//! Consumes the Exports queue: makes a file of all that is kept of a person, and has the person told.
//!
//! Safe to repeat: the same export is made once, and told of once.

use accounts::{Building, ExportQueued};
use shared::run::worker::{self, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(build_export).await
}

async fn build_export(building: Building, message: Message<ExportQueued>) -> anyhow::Result<()> {
    building.build(&message.body, message.received_at).await
}
