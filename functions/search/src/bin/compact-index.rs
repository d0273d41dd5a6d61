//! Consumes the Search queue: makes one file of all that the search index is made of, once it is slow or large.
//!
//! Safe to repeat: what is compacted needs it no more, and a switch to files that another overtook is tried anew.

use search::{Compacting, Compaction};
use shared::run::worker::{self, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(compact_index).await
}

async fn compact_index(compacting: Compacting, message: Message<Compaction>) -> anyhow::Result<()> {
    compacting.run(message.body, message.received_at).await
}
