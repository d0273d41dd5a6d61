//! What becomes of an uploaded picture: it is decoded, and only what can be is published.
//!
//! It has the decoders, so it stands apart from `shared`: only the functions that index uploads link it.

mod avif;
mod decode;
mod format;

use shared::media::{ImageType, Media, Pictured, Upload, Uploaded};
use shared::run::telemetry;
use shared::values::time::Timestamp;

/// Deals with an upload: checks it, publishes the picture, sets it on its thing and deletes the upload. What is no
/// picture is not published; its thing keeps why. Safe to repeat, and in any order: the newest upload wins, and one
/// that was dealt with is gone.
///
/// # Errors
/// When the bucket or the store fails.
pub async fn index<T: Pictured>(
    media: &Media,
    things: &T,
    upload: &Upload,
    now: Timestamp,
) -> anyhow::Result<()> {
    let kind = upload.kind();
    anyhow::ensure!(kind == T::KIND.to_string(), "an upload of another kind: {kind}");
    let Ok(id) = upload.owner().parse::<T::Id>() else { return media.discard(upload).await };
    let checked = match media.read(upload).await? {
        Uploaded::Gone => return Ok(()),
        Uploaded::Empty => Err("The file is empty."),
        Uploaded::TooLarge => Err("The file is larger than 5 MB."),
        Uploaded::File(file) => check(&file).map(|image_type| (image_type, file)),
    };
    let picture = match checked {
        // A picture of a deleted thing is not published.
        Ok(_) if !things.exists(&id).await? => return media.discard(upload).await,
        Ok((image_type, file)) => Ok(media.publish(upload, image_type, file).await?),
        Err(reason) => {
            telemetry::count("ImageRefused", 1);
            tracing::info!(kind, upload_id = %upload.id(), reason, "refused an upload");
            Err(reason)
        }
    };
    if !things.settle(&id, upload.id(), picture, now).await? {
        // Deleted since it was looked for.
        media.withdraw(T::KIND, upload.owner()).await?;
    }
    media.discard(upload).await
}

/// Of which format the picture is that a file holds.
///
/// # Errors
/// A sentence that tells its owner why it is none that we show.
pub fn check(file: &[u8]) -> Result<ImageType, &'static str> {
    let image_type = format::sniff(file).ok_or("The file is not a PNG, JPEG, WebP, GIF or AVIF image.")?;
    match image_type {
        ImageType::Avif => avif::check(file)?,
        ImageType::Gif => drop(decode::decode(file, image::ImageFormat::Gif)?),
        ImageType::Jpeg => drop(decode::decode(file, image::ImageFormat::Jpeg)?),
        ImageType::Png => drop(decode::decode(file, image::ImageFormat::Png)?),
        ImageType::Webp => drop(decode::decode(file, image::ImageFormat::WebP)?),
    }
    Ok(image_type)
}
