//! Pictures: a presigned upload into the private part of the bucket, checked by its bytes before anybody sees it.
//!
//! | object | written by | kept |
//! | --- | --- | --- |
//! | `uploads/{kind}/{id}/{upload id}/{file name}` | the client, once, with the signed type and size | a day |
//! | `images/{kind}/{id}/{hash}-{file name}` | the indexer alone | for good: public and immutable |

mod clean_up;
pub mod listed;

use std::fmt;
use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{Delete, MetadataDirective, ObjectIdentifier};

use crate::http::input::{Field, Value, whole_number};
use crate::run::aws::{Aws, FromEnv};
use crate::run::config::{self, ConfigError};
use crate::run::telemetry;
use crate::values::time::Timestamp;

pub use clean_up::{AwaitsPicture, Noun, clean_up};

/// The largest picture, in bytes.
pub const MAX_BYTES: u32 = 5 * 1024 * 1024;

/// How long an upload URL works.
const UPLOAD_EXPIRES: Duration = Duration::from_mins(15);

/// As many bytes as any of the formats needs to be known by.
const SNIFFED_BYTES: u32 = 4096;

/// What the pictures belong to: the second part of every key. Each service declares its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind(&'static str);

impl Kind {
    /// The kind `name`, in the plural and in small letters, as the bucket's keys have it.
    ///
    /// # Panics
    /// While the compiler runs, where the name could not be one part of a key.
    pub const fn new(name: &'static str) -> Self {
        let (bytes, mut index) = (name.as_bytes(), 0);
        while index < bytes.len() {
            assert!(
                bytes[index].is_ascii_lowercase() || bytes[index] == b'-',
                "a kind has small letters alone"
            );
            index += 1;
        }
        Self(name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

crate::names!(
    /// A format of pictures that every browser shows, by its media type (IANA), which has no case (RFC 6838, section
    /// 4.2).
    pub enum ImageType in any case {
        /// PNG.
        Png = "image/png",
        /// JPEG.
        Jpeg = "image/jpeg",
        /// WebP.
        Webp = "image/webp",
        /// GIF.
        Gif = "image/gif",
        /// AVIF.
        Avif = "image/avif",
    }
);

impl ImageType {
    /// The format that the first bytes of a file show, whatever its name or declared type say.
    fn sniff(bytes: &[u8]) -> Option<Self> {
        infer::get(bytes).and_then(|found| found.mime_type().parse().ok())
    }
}

/// The size of a file in bytes that a client announces, 1 to [`MAX_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSize(u32);

impl Field for FileSize {
    fn parse(value: Value) -> Result<Self, String> {
        whole_number(&value, 1..=MAX_BYTES).map(Self)
    }
}

crate::text!(
    /// The name of a file as the client has it: shown, and never used as a path.
    FileName, 1..=255
);

impl FileName {
    /// The name as a part of a key: what is not a letter, digit, dot, dash or underscore of ASCII becomes a dash.
    fn as_key(&self) -> String {
        let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let name: String = self.as_str().chars().map(|c| if safe(c) { c } else { '-' }).collect();
        // The end of a name tells its type, so that is what stays of a long one.
        let start = name.len().saturating_sub(100);
        name[start..].trim_start_matches('.').to_owned()
    }
}

crate::body!(
    /// A picture that somebody announces.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct NewPicture {
        /// What its file is called.
        pub file_name: FileName,
        /// What format it will have.
        pub file_type: ImageType,
        /// How large it will be, if the client knows.
        pub file_size: Option<FileSize>,
    }
);

crate::id!(
    /// Names one upload. Later uploads have greater ids, so that of two pictures the newer one wins.
    UploadId
);

/// One object under `uploads/`, by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    kind: String,
    owner: String,
    id: UploadId,
    file_name: String,
}

impl Upload {
    /// A new upload for the thing `owner` of this kind.
    pub fn new(kind: Kind, owner: impl fmt::Display, file_name: &FileName, now: Timestamp) -> Self {
        Self {
            kind: kind.to_string(),
            owner: owner.to_string(),
            id: UploadId::at(now),
            file_name: file_name.as_key(),
        }
    }

    /// Reads the key that an S3 event names, which is URL-encoded. Keys of ours have nothing to encode.
    pub(crate) fn from_event_key(key: &str) -> Option<Self> {
        let mut parts = key.strip_prefix("uploads/")?.split('/');
        let upload = Self {
            kind: parts.next()?.to_owned(),
            owner: parts.next()?.to_owned(),
            id: parts.next()?.parse().ok()?,
            file_name: parts.next()?.to_owned(),
        };
        parts.next().is_none().then_some(upload)
    }

    /// Names it.
    pub fn id(&self) -> UploadId {
        self.id
    }

    fn key(&self) -> String {
        format!("uploads/{}/{}/{}/{}", self.kind, self.owner, self.id, self.file_name)
    }

    fn image_key(&self, hash: &str) -> String {
        format!("images/{}/{}/{hash}-{}", self.kind, self.owner, self.file_name)
    }
}

/// Things of one kind that have a picture each, as their store keeps them.
pub trait Pictured {
    /// What kind of things.
    const KIND: Kind;

    /// What names one of them, as it stands in the keys of its pictures.
    type Id: FromStr;

    /// Whether there is such a thing.
    fn exists(&self, id: &Self::Id) -> impl Future<Output = anyhow::Result<bool>>;

    /// Sets what became of an upload, the URL of the picture or why it is none, unless a newer upload was here before.
    /// Gives whether there is such a thing. Safe to repeat.
    fn settle(
        &self,
        id: &Self::Id,
        upload: UploadId,
        picture: Result<String, &'static str>,
        now: Timestamp,
    ) -> impl Future<Output = anyhow::Result<bool>>;
}

/// What an upload turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// A picture, with what is needed to publish exactly these bytes.
    Picture(Picture),
    /// No picture that we show; the sentence tells its owner why.
    Refused(&'static str),
    /// Nothing: an earlier delivery of the event dealt with it.
    Gone,
}

/// An upload whose bytes were seen to be a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    upload: Upload,
    image_type: ImageType,
    etag: String,
}

/// The bucket.
#[derive(Debug, Clone)]
pub struct Media {
    client: Client,
    bucket: String,
    base_url: String,
}

impl FromEnv for Media {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: Client::new(aws.sdk()),
            bucket: config::required("MEDIA_BUCKET")?,
            base_url: config::required("MEDIA_BASE_URL")?,
        })
    }
}

impl Media {
    /// A URL to which the client can PUT this one upload, with this content type and, where it is known, size, for 15
    /// minutes. Signing is local: it calls nothing.
    ///
    /// # Errors
    /// When there are no credentials to sign with.
    pub async fn presign(
        &self,
        upload: &Upload,
        image_type: ImageType,
        size: Option<FileSize>,
    ) -> anyhow::Result<String> {
        let put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(upload.key())
            .content_type(image_type.as_str())
            .set_content_length(size.map(|size| i64::from(size.0)));
        let signed = put.presigned(PresigningConfig::expires_in(UPLOAD_EXPIRES)?).await;
        Ok(signed.context("sign an upload")?.uri().to_owned())
    }

    /// Deals with an upload: checks it, publishes the picture, sets it on its thing and deletes the upload. What is no
    /// picture is not published; its thing keeps why. Safe to repeat, and in any order: the newest upload wins, and one
    /// that was dealt with is gone.
    ///
    /// # Errors
    /// When the bucket or the store fails.
    pub async fn index<T: Pictured>(
        &self,
        things: &T,
        upload: &Upload,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        anyhow::ensure!(upload.kind == T::KIND.0, "an upload of another kind: {}", upload.kind);
        let Ok(id) = upload.owner.parse::<T::Id>() else { return self.discard(upload).await };
        let picture = match self.check(upload).await? {
            Checked::Gone => return Ok(()),
            // A picture of a deleted thing is not published.
            Checked::Picture(_) if !things.exists(&id).await? => return self.discard(upload).await,
            Checked::Picture(picture) => match self.publish(&picture).await? {
                Some(url) => Ok(url),
                // Replaced while it was looked at: the event of the new one is on its way.
                None => return Ok(()),
            },
            Checked::Refused(reason) => {
                telemetry::count("ImageRefused", 1);
                tracing::info!(kind = upload.kind, upload_id = %upload.id, reason, "refused an upload");
                Err(reason)
            }
        };
        if !things.settle(&id, upload.id, picture, now).await? {
            // Deleted since it was looked for.
            self.withdraw(T::KIND, &upload.owner).await?;
        }
        self.discard(upload).await
    }

    /// Looks at the first bytes of an upload and its size.
    ///
    /// # Errors
    /// When the bucket cannot be read.
    pub async fn check(&self, upload: &Upload) -> anyhow::Result<Checked> {
        let head = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(upload.key())
            .range(format!("bytes=0-{}", SNIFFED_BYTES - 1))
            .send()
            .await;
        let head = match head {
            Err(error) if code(&error) == Some("NoSuchKey") => return Ok(Checked::Gone),
            // An empty object has no first byte, so no range of it can be read.
            Err(error) if code(&error) == Some("InvalidRange") => {
                return Ok(Checked::Refused("The file is empty."));
            }
            head => head.context("read an upload")?,
        };
        let etag = head.e_tag().context("an upload has an ETag")?.to_owned();
        // `Content-Range: bytes 0-4095/123456`; without it the answer is the whole object.
        let size = head.content_range().and_then(|range| range.rsplit('/').next()?.parse().ok());
        let size = size.or(head.content_length()).unwrap_or(i64::MAX);
        let bytes = head.body.collect().await.context("read an upload")?.into_bytes();
        if size > i64::from(MAX_BYTES) {
            return Ok(Checked::Refused("The file is larger than 5 MB."));
        }
        Ok(match ImageType::sniff(&bytes) {
            Some(image_type) => Checked::Picture(Picture { upload: upload.clone(), image_type, etag }),
            None => Checked::Refused("The file is not a PNG, JPEG, WebP, GIF or AVIF image."),
        })
    }

    /// Copies a picture to where everyone can read it and gives its URL; `None` when the upload is gone or was replaced
    /// since it was looked at. The same picture has the same URL, so publishing twice changes nothing.
    ///
    /// # Errors
    /// When the bucket cannot be written.
    pub async fn publish(&self, picture: &Picture) -> anyhow::Result<Option<String>> {
        let hash: String = picture.etag.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
        let key = picture.upload.image_key(&hash);
        let copied = self
            .client
            .copy_object()
            .copy_source(format!("{}/{}", self.bucket, picture.upload.key()))
            // The bytes that were looked at, not others that a second PUT brought meanwhile.
            .copy_source_if_match(&picture.etag)
            .bucket(&self.bucket)
            .key(&key)
            .metadata_directive(MetadataDirective::Replace)
            .content_type(picture.image_type.as_str())
            .cache_control("public, max-age=31536000, immutable")
            .send()
            .await;
        match copied {
            Err(error) if matches!(code(&error), Some("NoSuchKey" | "PreconditionFailed")) => Ok(None),
            copied => copied.map(|_| Some(format!("{}/{key}", self.base_url))).context("publish a picture"),
        }
    }

    /// Deletes an upload that was dealt with; deleting it again changes nothing.
    ///
    /// # Errors
    /// When the bucket cannot be written.
    pub async fn discard(&self, upload: &Upload) -> anyhow::Result<()> {
        let delete = self.client.delete_object().bucket(&self.bucket).key(upload.key());
        delete.send().await.map(drop).context("delete an upload")
    }

    /// Deletes every picture that was published for a thing, once the thing itself is deleted. Two calls at most:
    /// nothing has a thousand pictures. Safe to repeat.
    ///
    /// # Errors
    /// When the bucket cannot be read or written.
    pub async fn withdraw(&self, kind: Kind, owner: impl fmt::Display) -> anyhow::Result<()> {
        let prefix = format!("images/{kind}/{owner}/");
        let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let found = list.send().await.context("list the pictures of a thing")?;
        let keys = found.contents().iter().filter_map(|object| object.key());
        let objects = keys.map(|key| ObjectIdentifier::builder().key(key).build());
        let objects = objects.collect::<Result<Vec<_>, _>>()?;
        if objects.is_empty() {
            return Ok(());
        }
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build()?;
        let delete = self.client.delete_objects().bucket(&self.bucket).delete(delete);
        let deleted = delete.send().await.context("delete the pictures of a thing")?;
        match deleted.errors() {
            [] => Ok(()),
            [first, ..] => anyhow::bail!("a picture was not deleted: {:?}", first.code()),
        }
    }
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pictures_are_known_by_their_bytes() {
        assert_eq!(ImageType::sniff(b"\x89PNG\r\n\x1a\n"), Some(ImageType::Png));
        assert_eq!(ImageType::sniff(b"\xff\xd8\xff\xe0"), Some(ImageType::Jpeg));
        assert_eq!(ImageType::sniff(b"GIF89a"), Some(ImageType::Gif));
        assert_eq!(ImageType::sniff(b"RIFF\x24\0\0\0WEBPVP8 "), Some(ImageType::Webp));
        assert_eq!(ImageType::sniff(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf"), Some(ImageType::Avif));
    }

    #[test]
    fn what_is_not_a_picture_is_none() {
        for bytes in [&b"<html><script>"[..], b"<svg xmlns=", b"%PDF-1.7", b"MZ", b""] {
            assert_eq!(ImageType::sniff(bytes), None);
        }
    }

    proptest! {
        #[test]
        fn every_upload_is_found_again_by_its_key(name in "\\PC{1,255}") {
            let Ok(name) = FileName::new(&name) else { return Ok(()) };
            let upload = Upload::new(Kind::new("things"), "thing", &name, Timestamp::from_unix_millis(1));
            let key = upload.key();
            prop_assert!(key.starts_with("uploads/things/thing/"));
            prop_assert!(key.bytes().all(|b| b.is_ascii_alphanumeric() || b"/.-_".contains(&b)));
            prop_assert!(!key.contains("/.."));
            prop_assert_eq!(Upload::from_event_key(&key), Some(upload));
        }
    }

    #[test]
    fn other_objects_are_no_uploads() {
        let id = UploadId::at(Timestamp::from_unix_millis(1));
        for key in [
            "images/things/a/b-c.png".to_owned(),
            format!("uploads/things/a/{id}"),
            format!("uploads/things/a/{id}/c/d.png"),
            "uploads/things/a/b/c.png".to_owned(),
        ] {
            assert_eq!(Upload::from_event_key(&key), None, "{key}");
        }
    }
}
