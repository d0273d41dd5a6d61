//! Every two minutes: deletes categories left without a picture for an hour and notifies the admins.
//!
//! Safe to repeat: what is gone, got its picture or was asked for again meanwhile is left alone.

use categories::Categories;
use shared::media;
use shared::notice::Notices;
use shared::run::worker;
use shared::values::time::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::on_schedule(clean_up_categories).await
}

async fn clean_up_categories(
    (categories, notices): (Categories, Notices),
    now: Timestamp,
) -> anyhow::Result<()> {
    media::clean_up(&categories, &notices, now).await
}
