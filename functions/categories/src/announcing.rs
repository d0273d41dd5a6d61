//! How admins announce categories and other pictures of them.

use shared::caller::Caller;
use shared::guards::rate_limit::PersonLimit;
use shared::http::problem::Problem;
use shared::media::{Upload, Uploads};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;

use crate::{Categories, CategoryPicture, NewCategory, PICTURES, UploadRequested};

/// Announcing categories, as often as one person may.
#[derive(Debug, Clone)]
pub struct Announcing {
    limit: PersonLimit,
    categories: Categories,
    uploads: Uploads,
}

impl FromEnv for Announcing {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            limit: PersonLimit::from_env(aws)?,
            categories: Categories::from_env(aws)?,
            uploads: Uploads::from_env(aws)?,
        })
    }
}

impl Announcing {
    /// Records a category, unless it has a picture, and gives the URL to upload one to. Repeated, it gives another URL.
    ///
    /// # Errors
    /// `too-many-requests`; 500 when the category cannot be recorded.
    pub async fn announce(
        &self,
        admin: &Caller,
        announced: CategoryPicture,
        now: Timestamp,
    ) -> Result<UploadRequested, Problem> {
        let CategoryPicture { picture, category_name } = announced;
        self.limit.count("request-category-upload", admin.id(), now).await?;
        let upload = Upload::new(PICTURES, category_name.key(), &picture.file_name, now);
        let upload_url = self.uploads.presign(&upload, picture.file_type, picture.file_size).await?;
        self.categories.create(&NewCategory::new(category_name, now)).await?;
        Ok(UploadRequested { upload_url })
    }
}
