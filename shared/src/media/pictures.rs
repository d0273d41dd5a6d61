//! The bucket of the pictures: what waits, what everyone sees, and nothing else.

use std::fmt::Display;
use std::ops::Bound;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::{
    Folder, Images, Kind, PictureFile, Placed, Prepared, PublicationId, Published, Upload, WIDTHS, stem,
};
use crate::run::aws::{Aws, FromEnv};
use crate::run::config::{self, ConfigError};
use crate::values::time::Timestamp;

/// How long the URL of a picture that waits works, at the least.
const VISIBLE: Duration = Duration::from_mins(10);

/// For so long the URL stays the same, so that whoever asks again need not load the picture again.
const STEADY: Duration = Duration::from_mins(5);

/// Whether some of a thing's pictures were too new to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// All that it does not keep is gone.
    Nothing,
    /// Some may still become its own.
    TooNew,
}

impl Left {
    /// What is left of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == Self::Nothing { other } else { self }
    }
}

/// What becomes of an object that a sweep finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is somebody's.
    Kept,
    /// It is nobody's, and will never be anybody's.
    Garbage,
    /// It may still become somebody's.
    TooNew,
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
    /// Puts the picture that came with an upload, and its renditions, into a folder, and gives where they lie. The same
    /// picture of the same upload lies at the same place, so doing it twice changes nothing.
    ///
    /// # Errors
    /// When the bucket cannot be written.
    pub async fn put(&self, folder: Folder, upload: &Upload, prepared: Prepared) -> anyhow::Result<Placed> {
        let Prepared { picture, renditions } = prepared;
        let stem = upload.stem(&picture.bytes);
        let path = format!("{stem}-{}", upload.file_name);
        self.put_file(folder, &path, picture).await?;
        let Some(renditions) = renditions else { return Ok(Placed { picture: path, renditions: None }) };
        let mut paths = [const { String::new() }; 3];
        for ((place, rendition), width) in paths.iter_mut().zip(renditions).zip(WIDTHS) {
            *place = match rendition {
                Some(file) => {
                    let format = file.image_type.as_str().trim_start_matches("image/");
                    let path = format!("{stem}.{width}.{format}");
                    self.put_file(folder, &path, file).await?;
                    path
                }
                None => path.clone(),
            };
        }
        let [small, medium, large] = paths;
        Ok(Placed { picture: path, renditions: Some(Images { small, medium, large }) })
    }

    async fn put_file(&self, folder: Folder, path: &str, file: PictureFile) -> anyhow::Result<()> {
        let put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(format!("{folder}/{path}"))
            .content_type(file.image_type.as_str())
            .cache_control("public, max-age=31536000, immutable")
            .body(file.bytes.into());
        put.send().await.map(drop).context("put a picture")
    }

    /// Copies a picture that waits to where everyone can read it, with its type and caching, and gives its URLs. The
    /// publication is a new one each time, so repeated it makes another copy; whoever dies before the copy is
    /// somebody's leaves it to be swept.
    ///
    /// # Errors
    /// When the bucket cannot be read or written, or the picture does not wait any more.
    pub async fn publish(&self, waiting: &Placed, publication: PublicationId) -> anyhow::Result<Published> {
        let published = waiting.republished(publication);
        for (from, to) in waiting.paths().into_iter().zip(published.paths()) {
            let copy = self
                .client
                .copy_object()
                .bucket(&self.bucket)
                .copy_source(format!("{}/{}/{from}", self.bucket, Folder::Checked))
                .key(format!("{}/{to}", Folder::Images));
            copy.send().await.context("publish a picture")?;
        }
        Ok(self.published(&published))
    }

    /// Where everyone sees a picture that lies under `images/`.
    pub fn published(&self, placed: &Placed) -> Published {
        let url = placed.map(|path| format!("{}/{}/{path}", self.base_url, Folder::Images));
        Published { image_url: url.picture, images: url.renditions }
    }

    /// URLs at which whoever has them sees a picture that waits, for a quarter of an hour at most. Signing is local: it
    /// calls nothing.
    ///
    /// # Errors
    /// When there are no credentials to sign with.
    pub async fn look_at(&self, waiting: &Placed, now: Timestamp) -> anyhow::Result<Published> {
        let mut urls = Vec::new();
        for path in waiting.paths() {
            let get = self
                .client
                .get_object()
                .bucket(&self.bucket)
                .key(format!("{}/{path}", Folder::Checked))
                .response_cache_control("private, max-age=600");
            let signed = get.presigned(signing_at(now)?).await.context("sign a picture")?;
            urls.push((path, signed.uri().to_owned()));
        }
        let url_of = |path: &str| {
            urls.iter().find(|(signed, _)| *signed == path).map(|(_, url)| url.clone()).unwrap_or_default()
        };
        let seen = waiting.map(url_of);
        Ok(Published { image_url: seen.picture, images: seen.renditions })
    }

    /// Deletes pictures with their renditions: one call, if there are any. Safe to repeat.
    ///
    /// # Errors
    /// When the bucket cannot be written.
    pub async fn delete(&self, folder: Folder, pictures: &[Placed]) -> anyhow::Result<()> {
        let paths = pictures.iter().flat_map(Placed::paths);
        self.delete_keys(paths.map(|path| format!("{folder}/{path}")).collect()).await
    }

    /// Deletes every picture of a thing, once the thing itself is deleted: two calls for each thousand of them. Safe to
    /// repeat.
    ///
    /// # Errors
    /// When the bucket cannot be read or written.
    pub async fn withdraw(&self, kind: Kind, owner: impl Display) -> anyhow::Result<()> {
        for folder in kind.folders {
            self.delete_under(&format!("{folder}/{kind}/{owner}/"), |_| true).await?;
        }
        Ok(())
    }

    /// The same for a thing that has parts with pictures of their own, whose owners are called `{owner}.{part}`.
    ///
    /// # Errors
    /// When the bucket cannot be read or written.
    pub async fn withdraw_with_parts(&self, kind: Kind, owner: impl Display) -> anyhow::Result<()> {
        for folder in kind.folders {
            self.delete_under(&format!("{folder}/{kind}/{owner}"), |rest| rest.starts_with(['/', '.']))
                .await?;
        }
        Ok(())
    }

    /// Deletes every picture of a thing and its parts in all their versions, so that nobody brings it back: two calls
    /// for each thousand. Safe to repeat.
    ///
    /// # Errors
    /// When the bucket cannot be read or written.
    pub async fn erase(&self, kind: Kind, owner: impl Display) -> anyhow::Result<()> {
        for folder in kind.folders {
            let prefix = format!("{folder}/{kind}/{owner}");
            let is_its_own =
                |key: &str| key.strip_prefix(&prefix).is_some_and(|rest| rest.starts_with(['/', '.']));
            let (mut key, mut version) = (None, None);
            loop {
                let list = self.client.list_object_versions().bucket(&self.bucket).prefix(&prefix);
                let list = list.set_key_marker(key).set_version_id_marker(version);
                let page = list.send().await.context("list versions of pictures")?;
                let versions = page.versions().iter().map(|one| (one.key(), one.version_id()));
                let markers = page.delete_markers().iter().map(|one| (one.key(), one.version_id()));
                let found = versions.chain(markers).filter_map(|(key, version)| Some((key?, version?)));
                let objects = found
                    .filter(|(key, _)| is_its_own(key))
                    .map(|(key, version)| ObjectIdentifier::builder().key(key).version_id(version).build());
                self.delete_objects(objects.collect::<Result<_, _>>()?).await?;
                (key, version) = (page.next_key_marker, page.next_version_id_marker);
                if page.is_truncated != Some(true) {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Deletes what is garbage of all that there is in `folder` of a thing and its parts, by the paths below that. Safe
    /// to repeat.
    ///
    /// # Errors
    /// When the bucket cannot be read or written.
    pub async fn sweep(
        &self,
        folder: Folder,
        kind: Kind,
        owner: impl Display,
        fate: impl Fn(&str) -> Fate,
    ) -> anyhow::Result<Left> {
        let of_thing = format!("{kind}/{owner}");
        let fate = |rest: &str| {
            let is_its_own = rest.starts_with(['/', '.']);
            if is_its_own { fate(&format!("{of_thing}{rest}")) } else { Fate::Kept }
        };
        let left =
            self.delete_under(&format!("{folder}/{of_thing}"), |rest| fate(rest) == Fate::Garbage).await?;
        let is_too_new = left.iter().any(|rest| fate(rest) == Fate::TooNew);
        Ok(if is_too_new { Left::TooNew } else { Left::Nothing })
    }

    /// Deletes a thing's pictures in `folder`, but the one that it `keeps`, a path or a URL, and those that are newer
    /// than `upto`, by the ids of their folders. Safe to repeat: what is deleted was nobody's and stays so.
    ///
    /// # Errors
    /// When the bucket cannot be read or written, or what is to be kept is no picture of the thing.
    pub async fn tidy(
        &self,
        folder: Folder,
        kind: Kind,
        owner: impl Display,
        upto: Bound<impl Display>,
        keeps: Option<&str>,
    ) -> anyhow::Result<Left> {
        let (of_thing, upto) = (format!("{kind}/{owner}/"), upto.map(|id| id.to_string()));
        let kept = match keeps {
            Some(picture) => {
                Some(stem(picture.rsplit_once(&of_thing).context("a picture of another thing")?.1))
            }
            None => None,
        };
        let is_kept = |path: &str| kept.is_some_and(|kept| path.starts_with(kept));
        let is_garbage = |path: &str| {
            // Pictures of earlier releases have no folder, and are long settled.
            let is_past = path.split_once('/').is_none_or(|(id, _)| match &upto {
                Bound::Included(upto) => id <= upto.as_str(),
                Bound::Excluded(upto) => id < upto.as_str(),
                Bound::Unbounded => true,
            });
            is_past && !is_kept(path)
        };
        let left = self.delete_under(&format!("{folder}/{of_thing}"), is_garbage).await?;
        Ok(if left.iter().all(|path| is_kept(path)) { Left::Nothing } else { Left::TooNew })
    }

    /// Deletes what is garbage by the rest of its key, and gives the rests of all others.
    async fn delete_under(
        &self,
        prefix: &str,
        is_garbage: impl Fn(&str) -> bool,
    ) -> anyhow::Result<Vec<String>> {
        let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let mut pages = list.into_paginator().send();
        let mut left = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.context("list pictures")?;
            let keys = page.contents().iter().filter_map(|object| object.key());
            let rests = keys.filter_map(|key| key.strip_prefix(prefix));
            let (garbage, others): (Vec<_>, Vec<_>) = rests.partition(|rest| is_garbage(rest));
            left.extend(others.into_iter().map(str::to_owned));
            self.delete_keys(garbage.into_iter().map(|rest| format!("{prefix}{rest}")).collect()).await?;
        }
        Ok(left)
    }

    async fn delete_keys(&self, keys: Vec<String>) -> anyhow::Result<()> {
        let objects = keys.into_iter().map(|key| ObjectIdentifier::builder().key(key).build());
        self.delete_objects(objects.collect::<Result<Vec<_>, _>>()?).await
    }

    async fn delete_objects(&self, objects: Vec<ObjectIdentifier>) -> anyhow::Result<()> {
        if objects.is_empty() {
            return Ok(());
        }
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build()?;
        let delete = self.client.delete_objects().bucket(&self.bucket).delete(delete);
        let deleted = delete.send().await.context("delete pictures")?;
        if let [first, ..] = deleted.errors() {
            anyhow::bail!("a picture was not deleted: {:?}", first.code());
        }
        Ok(())
    }
}

/// Signing as of the last moment at which the URL changes.
fn signing_at(now: Timestamp) -> anyhow::Result<PresigningConfig> {
    let seconds = u64::try_from(now.unix_seconds()).unwrap_or_default();
    let since = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds - seconds % STEADY.as_secs());
    Ok(PresigningConfig::builder().start_time(since).expires_in(VISIBLE + STEADY).build()?)
}
