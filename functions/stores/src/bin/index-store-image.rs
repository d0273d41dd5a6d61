//! After an upload to S3: checks the picture, publishes it and sets it as its store's logo or banner.
//!
//! Safe to repeat and in any order: the newest upload wins, and one that was dealt with is gone.

use shared::media::{Media, Upload, Uploads};
use shared::run::worker;
use shared::values::time::Timestamp;
use stores::Stores;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::index_uploads(index_store_image).await
}

async fn index_store_image(
    (stores, media, uploads): (Stores, Media, Uploads),
    upload: Upload,
    now: Timestamp,
) -> anyhow::Result<()> {
    pictures::index(&uploads, &media, &stores, &upload, now).await
}
