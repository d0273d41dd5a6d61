//! What becomes of an uploaded picture: it is decoded, and only what can be is published, upright, without what was
//! said of it, and in three narrower widths beside its own.
//!
//! It has the decoders, so it stands apart from `shared`: only the functions that index uploads link it.

mod avif;
mod decode;
mod format;
mod prepare;
mod strip;

use shared::media::{Media, Pictured, Settled, Upload, Uploaded, Uploads};
use shared::run::telemetry;
use shared::values::time::Timestamp;

pub use decode::MAX_DECODED;
pub use prepare::prepare;

/// Deals with an upload: prepares and publishes its picture, sets it on its thing and deletes the upload. What is no
/// picture is not published; its thing keeps why. Safe to repeat, and in any order: the newest upload wins, the first
/// picture settles an upload, and what comes later is deleted unread.
///
/// # Errors
/// When the bucket or the store fails.
pub async fn index<T: Pictured>(
    uploads: &Uploads,
    media: &Media,
    things: &T,
    upload: &Upload,
    now: Timestamp,
) -> anyhow::Result<()> {
    let kind = upload.kind();
    anyhow::ensure!(kind == T::KIND.to_string(), "an upload of another kind: {kind}");
    let Ok(id) = upload.owner().parse::<T::Id>() else { return uploads.discard(upload).await };
    if !things.awaits(&id, upload.id()).await? {
        return uploads.discard(upload).await;
    }
    let prepared = match uploads.read(upload).await? {
        Uploaded::Gone => return Ok(()),
        Uploaded::Empty => Err("The file is empty."),
        Uploaded::TooLarge => Err("The file is larger than 5 MB."),
        Uploaded::File(file) => prepare(&file),
    };
    let picture = match prepared {
        Ok(prepared) => Ok(media.publish(upload, prepared).await?),
        Err(reason) => {
            telemetry::count("ImageRefused", 1);
            tracing::info!(kind, upload_id = %upload.id(), reason, "refused an upload");
            Err(reason)
        }
    };
    match things.settle(&id, upload.id(), picture.clone(), now).await? {
        // Deleted since it was looked for.
        Settled::NoThing => media.withdraw(T::KIND, upload.owner()).await?,
        Settled::Shows(image_url) => {
            // Another picture was settled meanwhile, and nobody is to see what came second.
            if let Ok(published) = picture {
                media.take_back(&published, image_url.as_deref()).await?;
            }
        }
    }
    uploads.discard(upload).await
}
