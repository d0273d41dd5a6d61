//! The Banners table.
//!
//! | what | keys |
//! | --- | --- |
//! | a banner | `id` |
//! | what everyone sees, newest first | index `listed`, sparse: `listed` = "listed" with a picture, `createdAt` |
//!
//! A banner without a picture has `expiresAt`, so that DynamoDB forgets it; nobody sees it until then.

use shared::dynamo::list::{Cursors, Page, PageRequest, Sort};
use shared::http::problem::Problem;
use shared::media::listed::Table;
use shared::media::{Kind, Media, Pictured, Placed, Standing, UploadId};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;

use crate::{AnnouncedBanner, Banner, BannerId, NewBanner, PICTURES};

/// The Banners table.
#[derive(Debug, Clone)]
pub struct Banners {
    table: Table,
}

impl FromEnv for Banners {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        let newest_first = Sort::Descending("createdAt");
        let name = config::required("BANNERS_TABLE")?;
        Ok(Self { table: Table::new(aws.dynamodb(), name, "id", newest_first, "expiresAt") })
    }
}

impl Banners {
    /// Records a banner that waits for its picture.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn create(&self, banner: &NewBanner) -> anyhow::Result<()> {
        self.table.record(banner).await
    }

    /// The banner, with its picture or without.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find(&self, id: BannerId) -> anyhow::Result<Option<AnnouncedBanner>> {
        self.table.find(&id).await
    }

    /// A page of the banners that have their picture, newest first.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list(&self, cursors: &Cursors, request: &PageRequest) -> Result<Page<Banner>, Problem> {
        self.table.list(cursors, request).await
    }

    /// Deletes a banner, and gives whether there was one.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn delete(&self, id: BannerId) -> anyhow::Result<bool> {
        self.table.delete(&id).await
    }
}

impl Pictured for Banners {
    const KIND: Kind = PICTURES;

    type Id = BannerId;

    async fn standing(&self, id: &BannerId, upload: UploadId) -> anyhow::Result<Standing> {
        self.table.standing(id, upload).await
    }

    async fn settle(
        &self,
        media: &Media,
        id: &BannerId,
        upload: UploadId,
        picture: Result<Placed, &'static str>,
        now: Timestamp,
    ) -> anyhow::Result<Standing> {
        self.table.settle(media, id, upload, picture, now).await
    }
}
