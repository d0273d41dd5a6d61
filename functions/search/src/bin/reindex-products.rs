//! Every week: compares the search index with what is for sale, mends what differs, and sweeps the files of nobody.
//!
//! Safe to repeat: what is mended differs no more. Asked for a rebuild, it builds the index anew before.

use search::reindexing::{Asked, Reindexing, Verified};
use shared::run::worker;
use shared::values::time::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::on_schedule_or_asked(reindex_products).await
}

async fn reindex_products(reindexing: Reindexing, asked: Asked, now: Timestamp) -> anyhow::Result<Verified> {
    reindexing.run(asked, now).await
}
