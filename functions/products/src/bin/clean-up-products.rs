//! Every two minutes: deletes products left without a picture for an hour and notifies the admins.
//!
//! Safe to repeat: what is gone, got its picture or was approved meanwhile is left alone.

use products::Products;
use shared::media;
use shared::notice::Notices;
use shared::run::worker;
use shared::values::time::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::on_schedule(clean_up_products).await
}

async fn clean_up_products((products, notices): (Products, Notices), now: Timestamp) -> anyhow::Result<()> {
    media::clean_up(&products, &notices, now).await
}
