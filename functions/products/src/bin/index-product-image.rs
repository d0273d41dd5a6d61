//! After an upload to S3: checks the picture, publishes it and sets it on its product.
//!
//! Safe to repeat and in any order: the newest upload wins, and one that was dealt with is gone.

use products::pictures::ProductPictures;
use shared::media::{Media, Upload};
use shared::run::worker;
use shared::values::time::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::index_uploads(index_product_image).await
}

async fn index_product_image(
    (products, media): (ProductPictures, Media),
    upload: Upload,
    now: Timestamp,
) -> anyhow::Result<()> {
    pictures::index(&media, &products, &upload, now).await
}
