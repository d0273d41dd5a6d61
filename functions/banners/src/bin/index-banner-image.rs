//! After an upload to S3: checks the picture, publishes it and sets it on its banner.
//!
//! Safe to repeat and in any order: the newest upload wins, and one that was dealt with is gone.

use banners::Banners;
use shared::media::{Media, Upload, Uploads};
use shared::run::worker;
use shared::values::time::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::index_uploads(index_banner_image).await
}

async fn index_banner_image(
    (banners, media, uploads): (Banners, Media, Uploads),
    upload: Upload,
    now: Timestamp,
) -> anyhow::Result<()> {
    pictures::index(&uploads, &media, &banners, &upload, now).await
}
