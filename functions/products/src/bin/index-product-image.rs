//! After an upload to S3: checks the picture and sets it on its product, where it waits for an approval.
//!
//! Safe to repeat and in any order: the newest upload wins, and one that was dealt with is gone.

use products::pictures::ProductPictures;
use shared::media::{Media, Upload, Uploads};
use shared::run::worker;
use shared::values::time::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::index_uploads(index_product_image).await
}

async fn index_product_image(
    (products, media, uploads): (ProductPictures, Media, Uploads),
    upload: Upload,
    now: Timestamp,
) -> anyhow::Result<()> {
    pictures::index(&uploads, &media, &products, &upload, now).await
}
