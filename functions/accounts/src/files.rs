//! Where exports lie: in the bucket that forgets what it has after a day, and that nobody reads without a URL that is
//! signed for them.
//!
//! | object | what |
//! | --- | --- |
//! | `exports/{user id}.json` | the last export of a person |

use std::time::Duration;

use anyhow::Context;
use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use shared::caller::UserId;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};

/// How much of a file is kept in memory before it is sent: S3 takes no parts of less than 5 MB, and 10,000 at most.
const PART: usize = 8 * 1024 * 1024;

/// How long a URL works.
const EXPIRES: Duration = Duration::from_mins(15);

/// The bucket, as far as it has exports.
#[derive(Debug, Clone)]
pub struct Files {
    client: Client,
    bucket: String,
}

impl FromEnv for Files {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: Client::new(aws.sdk()), bucket: config::required("UPLOADS_BUCKET")? })
    }
}

fn key(person: &UserId) -> String {
    format!("exports/{person}.json")
}

impl Files {
    /// A file that takes the place of the person's last one once it is [finished](NewFile::finish).
    pub fn begin(&self, person: &UserId) -> NewFile<'_> {
        NewFile { files: self, key: key(person), waiting: Vec::new(), upload: None, parts: Vec::new() }
    }

    /// A URL from which the file can be downloaded for 15 minutes. Signing is local: it calls nothing.
    ///
    /// # Errors
    /// When there are no credentials to sign with.
    pub async fn url(&self, person: &UserId) -> anyhow::Result<String> {
        let get = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key(person))
            .response_cache_control("private, no-store")
            .response_content_disposition("attachment; filename=\"cartwright.json\"");
        let signed = get.presigned(PresigningConfig::expires_in(EXPIRES)?).await;
        Ok(signed.context("sign the URL of an export")?.uri().to_owned())
    }

    /// Deletes the file. Safe to repeat.
    ///
    /// # Errors
    /// When the bucket cannot be written.
    pub async fn delete(&self, person: &UserId) -> anyhow::Result<()> {
        let delete = self.client.delete_object().bucket(&self.bucket).key(key(person));
        delete.send().await.map(drop).context("delete an export")
    }
}

/// A file that is being written.
#[derive(Debug)]
pub struct NewFile<'a> {
    files: &'a Files,
    key: String,
    waiting: Vec<u8>,
    upload: Option<String>,
    parts: Vec<CompletedPart>,
}

impl NewFile<'_> {
    /// Adds to the file.
    ///
    /// # Errors
    /// When the bucket cannot be written.
    pub async fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= PART { self.send_part().await } else { Ok(()) }
    }

    async fn send_part(&mut self) -> anyhow::Result<()> {
        let Files { client, bucket } = self.files;
        let upload = match &self.upload {
            Some(upload) => upload.clone(),
            None => {
                let begin = client.create_multipart_upload().bucket(bucket).key(&self.key);
                let begun = begin.content_type("application/json").send().await.context("begin an export")?;
                self.upload.insert(begun.upload_id.context("an upload has an id")?).clone()
            }
        };
        let number = i32::try_from(self.parts.len() + 1)?;
        let body = std::mem::take(&mut self.waiting);
        let part = client.upload_part().bucket(bucket).key(&self.key).upload_id(upload).part_number(number);
        let sent = part.body(body.into()).send().await.context("write a part of an export")?;
        self.parts.push(CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag).build());
        Ok(())
    }

    /// Puts the file into its place.
    ///
    /// # Errors
    /// When the bucket cannot be written.
    pub async fn finish(mut self) -> anyhow::Result<()> {
        let Files { client, bucket } = self.files;
        if self.upload.is_none() {
            let put = client.put_object().bucket(bucket).key(self.key).content_type("application/json");
            return put.body(self.waiting.into()).send().await.map(drop).context("put an export");
        }
        if !self.waiting.is_empty() {
            self.send_part().await?;
        }
        let parts = CompletedMultipartUpload::builder().set_parts(Some(self.parts)).build();
        let complete =
            client.complete_multipart_upload().bucket(bucket).key(self.key).set_upload_id(self.upload);
        complete.multipart_upload(parts).send().await.map(drop).context("put an export together")
    }
}
