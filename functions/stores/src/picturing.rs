//! How a store gets its logo and its banner.
//!
//! They need nobody's approval, unlike the pictures of products: an admin to whom one is an offence deactivates the
//! store, which takes it off every page. So they are published as soon as they were checked, as banners and categories
//! are, and there is nothing to be swept: S3 delivers an upload until it was dealt with.

use shared::caller::Caller;
use shared::guards::rate_limit::PersonLimit;
use shared::http::problem::Problem;
use shared::media::{Kind, Media, Pictured, Placed, Standing, Upload, UploadId, Uploads};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;

use crate::{NewStorePicture, PictureOf, StoreId, Stores, UploadRequested};

/// The pictures of stores.
pub const PICTURES: Kind = Kind::new("stores");

/// Announcing pictures of stores, as often as one person may.
#[derive(Debug, Clone)]
pub struct Picturing {
    limit: PersonLimit,
    stores: Stores,
    uploads: Uploads,
}

impl FromEnv for Picturing {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            limit: PersonLimit::from_env(aws)?,
            stores: Stores::from_env(aws)?,
            uploads: Uploads::from_env(aws)?,
        })
    }
}

impl Picturing {
    /// Gives its owner or an admin the URL to upload a picture of a store to. It changes nothing: the newest upload is
    /// told by its id, which its URL has.
    ///
    /// # Errors
    /// `too-many-requests`; [`Error::NotFound`](crate::Error::NotFound) and
    /// [`Error::NotYours`](crate::Error::NotYours).
    pub async fn announce(
        &self,
        caller: &Caller,
        id: StoreId,
        NewStorePicture { which, file }: &NewStorePicture,
        now: Timestamp,
    ) -> Result<UploadRequested, Problem> {
        self.limit.count("request-store-upload", caller.id(), now).await?;
        self.stores.find_to_change(caller, id).await?;
        let picture = PictureOf { store: id, which: *which };
        let upload = Upload::new(PICTURES, picture, &file.file_name, now);
        let upload_url = self.uploads.presign(&upload, file.file_type, file.file_size).await?;
        Ok(UploadRequested { upload_url })
    }
}

impl Pictured for Stores {
    const KIND: Kind = PICTURES;

    type Id = PictureOf;

    async fn standing(&self, id: &PictureOf, upload: UploadId) -> anyhow::Result<Standing> {
        self.standing_of(*id, upload).await
    }

    async fn settle(
        &self,
        media: &Media,
        id: &PictureOf,
        upload: UploadId,
        picture: Result<Placed, &'static str>,
        _: Timestamp,
    ) -> anyhow::Result<Standing> {
        let picture = picture.map(|placed| media.published(&placed));
        self.settle_picture(*id, upload, picture).await
    }
}
