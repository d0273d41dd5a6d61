//! Reads the tables' streams: has the search index say of what changed what the tables say now.
//!
//! Safe to repeat: what the index says already is no change, and a switch to files that another overtook is refused.

use search::Indexing;
use shared::run::worker;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::changes(
        |indexing: &Indexing, change| indexing.touched(change),
        async |indexing, touched, now| indexing.index(&touched, now).await,
    )
    .await
}
