//! Pictures: a presigned upload into a bucket that nobody reads, checked by its bytes before anybody sees it.
//!
//! | bucket | object | written by | kept |
//! | --- | --- | --- | --- |
//! | [`Uploads`] | `uploads/{kind}/{id}/{upload id}/{file name}` | the client, with the signed type and size | a day |
//! | [`Media`] | `images/{kind}/{id}/{hash}-{file name}` | the indexer alone | for good: public and immutable |
//! | | `images/{kind}/{id}/{hash}.{width}.{format}` | the same, narrower | the same |

mod clean_up;
pub mod listed;
mod uploads;

use std::fmt;
use std::future::Future;
use std::str::FromStr;

use anyhow::Context;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::http::input::{Field, Value, whole_number};
use crate::run::aws::{Aws, FromEnv};
use crate::run::config::{self, ConfigError};
use crate::values::time::Timestamp;

pub use clean_up::{AwaitsPicture, Noun, clean_up};
pub use uploads::{Uploaded, Uploads};

/// The largest picture, in bytes.
pub const MAX_BYTES: u32 = 5 * 1024 * 1024;

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

impl UploadId {
    /// Whether this upload may become the picture of something of which `seen` was the newest one so far: it is newer,
    /// or it is the same and brought no picture yet. The first picture settles an upload, whatever else its URL takes.
    pub fn may_follow(self, seen: Option<Self>, was_refused: bool) -> bool {
        seen.is_none_or(|seen| self > seen || self == seen && was_refused)
    }
}

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

    /// What kind of thing it is for, as its key says.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// What names the thing, as it stands in the key.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    fn key(&self) -> String {
        format!("uploads/{}/{}/{}/{}", self.kind, self.owner, self.id, self.file_name)
    }

    /// How the keys begin of all that is published of a picture that came with it. They have the hash of its bytes, so
    /// that what is there never changes.
    fn image_stem(&self, picture: &[u8]) -> String {
        let hash: String = Sha256::digest(picture)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("images/{}/{}/{hash}", self.kind, self.owner)
    }
}

/// The file of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureFile {
    /// Its format.
    pub image_type: ImageType,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What is to be published of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The picture in its own size.
    pub picture: PictureFile,
    /// The picture in each of [`WIDTHS`], but where it is no wider itself. There are none of a picture that could not
    /// be decoded.
    pub renditions: Option<[Option<PictureFile>; 3]>,
}

/// How wide a picture's renditions are, in pixels.
pub const WIDTHS: [u32; 3] = [320, 960, 1920];

/// Where a published picture is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// In its own size.
    pub image_url: String,
    /// Narrower.
    pub images: Option<Images>,
}

/// Where a picture is in each of [`WIDTHS`]; where it is no wider itself, that is the URL of the picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Images {
    small: String,
    medium: String,
    large: String,
}

/// Things of one kind that have a picture each, as their store keeps them.
pub trait Pictured {
    /// What kind of things.
    const KIND: Kind;

    /// What names one of them, as it stands in the keys of its pictures.
    type Id: FromStr;

    /// Whether an upload may become the picture of such a thing: it is there, and [`UploadId::may_follow`] what it has
    /// seen.
    fn awaits(&self, id: &Self::Id, upload: UploadId) -> impl Future<Output = anyhow::Result<bool>>;

    /// Sets what became of an upload, where its picture is or why it is none, if the thing still awaits it. Gives what
    /// there is then. Safe to repeat.
    fn settle(
        &self,
        id: &Self::Id,
        upload: UploadId,
        picture: Result<Published, &'static str>,
        now: Timestamp,
    ) -> impl Future<Output = anyhow::Result<Settled>>;
}

/// What a thing has once an upload was set, or was not because another one was there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// This picture, if any.
    Shows(Option<String>),
    /// There is no such thing.
    NoThing,
}

/// The bucket of the pictures.
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
    /// Puts the picture that came with an upload, and its renditions, where everyone can read them, and gives their
    /// URLs. The same picture has the same URLs, so publishing twice changes nothing.
    ///
    /// # Errors
    /// When the bucket cannot be written.
    pub async fn publish(&self, upload: &Upload, prepared: Prepared) -> anyhow::Result<Published> {
        let Prepared { picture, renditions } = prepared;
        let stem = upload.image_stem(&picture.bytes);
        let image_url = self.put_image(format!("{stem}-{}", upload.file_name), picture).await?;
        let Some(renditions) = renditions else { return Ok(Published { image_url, images: None }) };
        let mut urls = [const { String::new() }; 3];
        for ((url, rendition), width) in urls.iter_mut().zip(renditions).zip(WIDTHS) {
            *url = match rendition {
                Some(file) => {
                    let format = file.image_type.as_str().trim_start_matches("image/");
                    self.put_image(format!("{stem}.{width}.{format}"), file).await?
                }
                None => image_url.clone(),
            };
        }
        let [small, medium, large] = urls;
        Ok(Published { image_url, images: Some(Images { small, medium, large }) })
    }

    async fn put_image(&self, key: String, file: PictureFile) -> anyhow::Result<String> {
        let put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(&key)
            .content_type(file.image_type.as_str())
            .cache_control("public, max-age=31536000, immutable")
            .body(file.bytes.into());
        put.send().await.context("publish a picture")?;
        Ok(format!("{}/{key}", self.base_url))
    }

    /// Deletes every picture that was published for a thing, once the thing itself is deleted: two calls for each
    /// thousand of them. Safe to repeat.
    ///
    /// # Errors
    /// When the bucket cannot be read or written.
    pub async fn withdraw(&self, kind: Kind, owner: impl fmt::Display) -> anyhow::Result<()> {
        self.delete_under(format!("images/{kind}/{owner}/")).await
    }

    /// Deletes a picture that was published, and its renditions, unless it is what its thing `shows`, be it under
    /// another name. Safe to repeat.
    ///
    /// # Errors
    /// When the bucket cannot be read or written.
    pub async fn take_back(&self, published: &Published, shows: Option<&str>) -> anyhow::Result<()> {
        let stem = stem(&published.image_url);
        let key = stem.strip_prefix(&format!("{}/", self.base_url)).context("a URL of ours")?;
        if shows.is_some_and(|shows| shows.starts_with(stem)) {
            return Ok(());
        }
        self.delete_under(key.to_owned()).await
    }

    async fn delete_under(&self, prefix: String) -> anyhow::Result<()> {
        let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let mut pages = list.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.context("list pictures")?;
            let keys = page.contents().iter().filter_map(|object| object.key());
            let objects = keys.map(|key| ObjectIdentifier::builder().key(key).build());
            let objects = objects.collect::<Result<Vec<_>, _>>()?;
            if objects.is_empty() {
                continue;
            }
            let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build()?;
            let delete = self.client.delete_objects().bucket(&self.bucket).delete(delete);
            let deleted = delete.send().await.context("delete pictures")?;
            if let [first, ..] = deleted.errors() {
                anyhow::bail!("a picture was not deleted: {:?}", first.code());
            }
        }
        Ok(())
    }
}

/// How the URLs begin of all that was published of the picture at this one: its name up to the end of its hash.
fn stem(image_url: &str) -> &str {
    let name = image_url.rfind('/').map_or(0, |slash| slash + 1);
    let end = image_url[name..].find(['-', '.']).map_or(image_url.len(), |end| name + end);
    &image_url[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
    fn the_first_picture_settles_an_upload() {
        let [first, second, third] = [1, 2, 3].map(|at| UploadId::at(Timestamp::from_unix_millis(at)));
        assert!(second.may_follow(None, false));
        for was_refused in [false, true] {
            assert!(!first.may_follow(Some(second), was_refused));
            assert!(third.may_follow(Some(second), was_refused));
            assert_eq!(second.may_follow(Some(second), was_refused), was_refused);
        }
    }

    #[test]
    fn all_that_was_published_of_a_picture_begins_alike() {
        for name in ["-tea-2.png", ".320.jpeg"] {
            let url = format!("https://shop-1.test/images/things/a-b/0123456789abcdef{name}");
            assert_eq!(stem(&url), "https://shop-1.test/images/things/a-b/0123456789abcdef");
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
