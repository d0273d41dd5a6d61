//! What becomes of an uploaded picture: it is decoded, and only what can be is published, upright, without what was
//! said of it, and in three narrower widths beside its own.
//!
//! It has the decoders, so it stands apart from `shared`: only the functions that index uploads link it.

mod avif;
mod decode;
mod format;
mod prepare;
mod strip;

use shared::media::{Media, Pictured, Standing, Upload, Uploaded, Uploads};
use shared::run::telemetry;
use shared::values::time::Timestamp;

pub use decode::MAX_DECODED;
pub use prepare::prepare;

/// Deals with an upload: prepares its picture, puts it where its kind of pictures goes first, sets it on its thing,
/// deletes what the thing had of earlier uploads, and then the upload. What is no picture is not put anywhere; its
/// thing keeps why. Safe to repeat, and in any order: the newest upload wins, the first picture settles an upload, and
/// what comes later is deleted unread. Until it got to the end S3's event comes again, so nothing that an earlier
/// delivery put stays behind.
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
    let mut standing = things.standing(&id, upload.id()).await?;
    if standing == Standing::Awaits {
        let prepared = match uploads.read(upload).await? {
            Uploaded::Gone => return Ok(()),
            Uploaded::Empty => Err("The file is empty."),
            Uploaded::TooLarge => Err("The file is larger than 5 MB."),
            Uploaded::File(file) => prepare(&file),
        };
        let picture = match prepared {
            Ok(prepared) => {
                things.expect(&id, now).await?;
                Ok(media.put(T::KIND.first_folder(), upload, prepared).await?)
            }
            Err(reason) => {
                telemetry::count("ImageRefused", 1);
                tracing::info!(kind, upload_id = %upload.id(), reason, "refused an upload");
                Err(reason)
            }
        };
        standing = things.settle(media, &id, upload.id(), picture, now).await?;
    }
    match standing {
        Standing::Awaits => anyhow::bail!("an upload that was settled is still awaited"),
        Standing::NoThing => media.withdraw(T::KIND, upload.owner()).await?,
        Standing::Settled { upto, keeps } => {
            let folder = T::KIND.first_folder();
            media.tidy(folder, T::KIND, upload.owner(), upto, keeps.as_deref()).await?;
        }
    }
    uploads.discard(upload).await
}
