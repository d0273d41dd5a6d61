//! The bucket that takes what people send, and forgets it after a day.

use std::time::Duration;

use anyhow::Context;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;

use super::{FileSize, ImageType, MAX_BYTES, Upload};
use crate::run::aws::{Aws, FromEnv};
use crate::run::config::{self, ConfigError};

/// How long an upload URL works.
const EXPIRES: Duration = Duration::from_mins(15);

/// What there is of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Uploaded {
    /// A file, of at most [`MAX_BYTES`].
    File(Vec<u8>),
    /// A file without a byte.
    Empty,
    /// A file of more than [`MAX_BYTES`], which was not read.
    TooLarge,
    /// Nothing: an earlier delivery of the event dealt with it.
    Gone,
}

/// The bucket of the uploads.
#[derive(Debug, Clone)]
pub struct Uploads {
    client: Client,
    bucket: String,
}

impl FromEnv for Uploads {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: Client::new(aws.sdk()), bucket: config::required("UPLOADS_BUCKET")? })
    }
}

impl Uploads {
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
        let signed = put.presigned(PresigningConfig::expires_in(EXPIRES)?).await;
        Ok(signed.context("sign an upload")?.uri().to_owned())
    }

    /// Reads an upload. One that is too large is not read.
    ///
    /// # Errors
    /// When the bucket cannot be read.
    pub async fn read(&self, upload: &Upload) -> anyhow::Result<Uploaded> {
        // A byte more than fits tells that it is too large, and more than that never comes.
        let range = format!("bytes=0-{MAX_BYTES}");
        let get = self.client.get_object().bucket(&self.bucket).key(upload.key()).range(range);
        let found = match get.send().await {
            Err(error) if code(&error) == Some("NoSuchKey") => return Ok(Uploaded::Gone),
            // An empty object has no first byte, so no range of it can be read.
            Err(error) if code(&error) == Some("InvalidRange") => return Ok(Uploaded::Empty),
            found => found.context("read an upload")?,
        };
        match found.content_length().unwrap_or_default() {
            0 => return Ok(Uploaded::Empty),
            length if length > i64::from(MAX_BYTES) => return Ok(Uploaded::TooLarge),
            _ => {}
        }
        Ok(Uploaded::File(found.body.collect().await.context("read an upload")?.to_vec()))
    }

    /// Deletes an upload that was dealt with; deleting it again changes nothing.
    ///
    /// # Errors
    /// When the bucket cannot be written.
    pub async fn discard(&self, upload: &Upload) -> anyhow::Result<()> {
        let delete = self.client.delete_object().bucket(&self.bucket).key(upload.key());
        delete.send().await.map(drop).context("delete an upload")
    }
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}
