//! Every minute: queues the emails that tell sellers what they sold in an hour that is over.
//!
//! Safe to repeat: an hour's email goes out once, however often it is queued.

use orders::digests::Digests;
use shared::run::worker;
use shared::values::time::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::on_schedule(queue_digests).await
}

async fn queue_digests(digests: Digests, now: Timestamp) -> anyhow::Result<()> {
    digests.queue(now).await
}
