//! How admins announce banners.

use shared::caller::Caller;
use shared::guards::rate_limit::PersonLimit;
use shared::http::problem::Problem;
use shared::media::{NewPicture, Upload, Uploads};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;

use crate::{Banners, NewBanner, PICTURES, UploadRequested};

/// Announcing banners, as often as one person may.
#[derive(Debug, Clone)]
pub struct Announcing {
    limit: PersonLimit,
    banners: Banners,
    uploads: Uploads,
}

impl FromEnv for Announcing {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            limit: PersonLimit::from_env(aws)?,
            banners: Banners::from_env(aws)?,
            uploads: Uploads::from_env(aws)?,
        })
    }
}

impl Announcing {
    /// Records a banner that waits for its picture, and gives the URL to upload it to. Repeated, it records another
    /// one.
    ///
    /// # Errors
    /// `too-many-requests`; 500 when the banner cannot be recorded.
    pub async fn announce(
        &self,
        admin: &Caller,
        picture: &NewPicture,
        now: Timestamp,
    ) -> Result<UploadRequested, Problem> {
        self.limit.count("request-banner-upload", admin.id(), now).await?;
        let banner = NewBanner::new(picture.file_name.clone(), now);
        let upload = Upload::new(PICTURES, banner.id(), &picture.file_name, now);
        let upload_url = self.uploads.presign(&upload, picture.file_type, picture.file_size).await?;
        self.banners.create(&banner).await?;
        Ok(UploadRequested { upload_url, id: banner.id() })
    }
}
