//! After an upload to S3: checks the picture, publishes it and sets it on its product.
//!
//! Safe to repeat and in any order: the newest upload wins, and one that was dealt with is gone.

use products::{Error, ProductId, Products};
use shared::media::{Checked, Media, Upload};
use shared::time::Timestamp;
use shared::{telemetry, worker};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::index_uploads(index_product_image).await
}

async fn index_product_image(
    (products, media): (Products, Media),
    upload: Upload,
    now: Timestamp,
) -> anyhow::Result<()> {
    let Some(id) = upload.owner::<ProductId>() else { return media.discard(&upload).await };
    let picture = match media.check(&upload).await? {
        Checked::Gone => return Ok(()),
        // A picture of a deleted product is not published.
        Checked::Picture(_) if products.find(id).await?.is_none() => return media.discard(&upload).await,
        Checked::Picture(picture) => match media.publish(&picture).await? {
            Some(url) => Ok(url),
            // Replaced while it was looked at: the event of the new one is on its way.
            None => return Ok(()),
        },
        Checked::Refused(reason) => {
            telemetry::count("ImageRefused", 1);
            Err(reason)
        }
    };
    match products.change(id, |product| product.with_upload(upload.id(), picture.clone(), now)).await {
        Ok(_) | Err(Error::NotFound) => media.discard(&upload).await,
        Err(error) => Err(error.into()),
    }
}
