//! The bucket of the index's files. None of them ever changes: whoever has one may keep it, and whoever writes one
//! gives it a name that never was before.
//!
//! | object | what |
//! | --- | --- |
//! | `index/{file id}/{n}` | 4 MB of a file, the last one less |
//!
//! In pieces, so that a large file comes and goes over several connections at once, and no call takes long.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;

use crate::engine::Bytes;
use crate::store::Pointer;

/// How much of a file is in one object.
const OBJECT: usize = 4 * 1024 * 1024;

/// How many objects come or go at the same time.
const AT_ONCE: usize = 8;

/// For so long a file stays that no pointer names: whoever wrote it may be about to switch to it, and whoever read an
/// older pointer about to fetch it.
const GRACE: Duration = Duration::from_hours(1);

shared::id!(
    /// Names a file of the index.
    FileId
);

/// A file of the index, as its pointer has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// Its name.
    pub id: FileId,
    /// How long it is.
    pub bytes: u64,
    /// In how many objects it lies.
    pub objects: u32,
}

/// The bucket of the index's files.
#[derive(Debug, Clone)]
pub struct Files {
    client: Client,
    bucket: String,
}

impl FromEnv for Files {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: Client::new(aws.sdk()), bucket: config::required("SEARCH_BUCKET")? })
    }
}

impl Files {
    /// Puts a file under a new name. Repeated, it is another file.
    ///
    /// # Errors
    /// When the bucket cannot be written. Some of it may be there all the same, and nobody's.
    pub async fn put(&self, content: &[u8], now: Timestamp) -> anyhow::Result<File> {
        let id = FileId::at(now);
        let pieces: Vec<_> = (0..content.len()).step_by(OBJECT).collect();
        let objects = u32::try_from(pieces.len())?;
        let puts = stream::iter((0..objects).zip(pieces)).map(|(number, from)| {
            let to = content.len().min(from + OBJECT);
            self.put_object(key(id, number), content[from..to].to_vec())
        });
        puts.buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
        Ok(File { id, bytes: content.len() as u64, objects })
    }

    async fn put_object(&self, key: String, content: Vec<u8>) -> anyhow::Result<()> {
        let put = self.client.put_object().bucket(&self.bucket).key(key).if_none_match("*");
        match put.body(content.into()).send().await {
            Ok(_) => Ok(()),
            // No other file has this name: it is there by an attempt whose reply was lost.
            Err(error) if error.code() == Some("PreconditionFailed") => Ok(()),
            Err(error) => Err(error).context("put a file of the index"),
        }
    }

    /// A file as it was put; `None` where it, or a part of it, is gone.
    ///
    /// # Errors
    /// When the bucket cannot be read, or has something else under this name.
    pub async fn get(&self, file: &File) -> anyhow::Result<Option<Bytes>> {
        let gets = stream::iter(0..file.objects).map(|number| self.get_object(key(file.id, number)));
        let pieces: Vec<Option<Vec<u8>>> = gets.buffered(AT_ONCE).try_collect().await?;
        let Some(pieces) = pieces.into_iter().collect::<Option<Vec<_>>>() else { return Ok(None) };
        let content = match <[Vec<u8>; 1]>::try_from(pieces) {
            Ok([whole]) => whole,
            Err(pieces) => pieces.concat(),
        };
        let found = content.len() as u64;
        anyhow::ensure!(found == file.bytes, "the file {} has {found} bytes of {}", file.id, file.bytes);
        Ok(Some(Bytes::new(content)))
    }

    async fn get_object(&self, key: String) -> anyhow::Result<Option<Vec<u8>>> {
        let found = match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
            found => found.context("get a file of the index")?,
        };
        let content = found.body.collect().await.context("get a file of the index")?;
        Ok(Some(content.to_vec()))
    }

    /// Deletes the files that `pointer` does not name and that are older than an hour, and gives how many objects that
    /// were: two calls for each thousand. A file is named before that, or never. Safe to repeat.
    ///
    /// # Errors
    /// When the bucket cannot be read or written.
    pub async fn sweep(&self, pointer: Option<&Pointer>, now: Timestamp) -> anyhow::Result<usize> {
        let named: HashSet<_> = pointer.into_iter().flat_map(Pointer::files).map(|file| file.id).collect();
        let mut pages =
            self.client.list_objects_v2().bucket(&self.bucket).prefix("index/").into_paginator().send();
        let mut swept = 0;
        while let Some(page) = pages.next().await {
            let page = page.context("list the files of the index")?;
            let garbage = page.contents().iter().filter_map(|object| {
                let key = object.key()?;
                let id = file_of(key)?;
                let is_old = object.last_modified()?.to_millis().ok()? < (now - GRACE).unix_millis();
                (is_old && !named.contains(&id)).then(|| ObjectIdentifier::builder().key(key).build())
            });
            let garbage = garbage.collect::<Result<Vec<_>, _>>()?;
            if garbage.is_empty() {
                continue;
            }
            swept += garbage.len();
            let delete = Delete::builder().set_objects(Some(garbage)).quiet(true).build()?;
            let deleted = self.client.delete_objects().bucket(&self.bucket).delete(delete).send().await;
            let deleted = deleted.context("delete files of the index")?;
            anyhow::ensure!(deleted.errors().is_empty(), "some files of the index were not deleted");
        }
        Ok(swept)
    }
}

fn key(id: FileId, number: u32) -> String {
    format!("index/{id}/{number}")
}

fn file_of(key: &str) -> Option<FileId> {
    key.strip_prefix("index/")?.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_the_keys_of_its_objects() {
        let id = FileId::at(Timestamp::from_unix_millis(1));
        assert_eq!(file_of(&key(id, 0)), Some(id));
        assert_eq!(file_of(&key(id, 17)), Some(id));
        for other in ["index/", "index/tea/0", "other/01a1fbbc-f7cc-71a0-aa66-431f703e44ea/0"] {
            assert_eq!(file_of(other), None, "{other}");
        }
    }
}
