//! The Categories table.
//!
//! | what | keys |
//! | --- | --- |
//! | a category | `categoryName` |
//! | what everyone sees, by name | index `listed`: `listed` = "listed" once there is a picture, `sortName`; sparse |
//! | what waits for its picture | index `pending`: `pending` = "image", `createdAt`; sparse |
//!
//! `sortName` is the name without capitals and accents. `createdAt` is when a category was last asked for while it had
//! no picture.

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use serde::Deserialize;
use shared::dynamo::list::{Cursors, Page, PageRequest, Sort};
use shared::dynamo::{read_each, text, unless_condition_failed};
use shared::http::problem::Problem;
use shared::media::listed::Table;
use shared::media::{AwaitsPicture, Kind, Media, Noun, Pictured, Placed, Standing, UploadId};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;

use crate::{Category, CategoryKey, CategoryName, NewCategory, PICTURES};

pub(crate) const AWAITING_IMAGE: &str = "image";

/// The Categories table.
#[derive(Debug, Clone)]
pub struct Categories {
    client: Client,
    name: String,
    table: Table,
}

impl FromEnv for Categories {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        let name: String = config::required("CATEGORIES_TABLE")?;
        let by_name = Sort::Ascending("sortName");
        let table = Table::new(aws.dynamodb(), name.clone(), "categoryName", by_name, "pending");
        Ok(Self { client: aws.dynamodb(), name, table })
    }
}

impl Categories {
    /// Records a category that waits for its picture. One that has a picture keeps it, and one that already waits
    /// begins to wait anew.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn create(&self, category: &NewCategory) -> anyhow::Result<()> {
        self.table.record(category).await
    }

    /// A page of the categories that have their picture, by name.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list(&self, cursors: &Cursors, request: &PageRequest) -> Result<Page<Category>, Problem> {
        self.table.list(cursors, request).await
    }

    /// Deletes a category, and gives whether there was one.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn delete(&self, name: &CategoryName) -> anyhow::Result<bool> {
        self.table.delete(name).await
    }
}

impl Pictured for Categories {
    const KIND: Kind = PICTURES;

    type Id = CategoryKey;

    async fn standing(&self, key: &CategoryKey, upload: UploadId) -> anyhow::Result<Standing> {
        self.table.standing(key.name(), upload).await
    }

    async fn settle(
        &self,
        media: &Media,
        key: &CategoryKey,
        upload: UploadId,
        picture: Result<Placed, &'static str>,
        now: Timestamp,
    ) -> anyhow::Result<Standing> {
        self.table.settle(media, key.name(), upload, picture, now).await
    }
}

impl AwaitsPicture for Categories {
    const NOUN: Noun = Noun { one: "category", many: "categories" };

    type Thing = CategoryName;

    fn name(category: &CategoryName) -> String {
        category.to_string()
    }

    async fn waiting_since(&self, cutoff: Timestamp, limit: i32) -> anyhow::Result<Vec<CategoryName>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Waiting {
            category_name: CategoryName,
        }
        let found = self
            .client
            .query()
            .table_name(&self.name)
            .index_name("pending")
            .key_condition_expression("pending = :image AND createdAt < :cutoff")
            .expression_attribute_values(":image", text(AWAITING_IMAGE))
            .expression_attribute_values(":cutoff", text(&cutoff))
            .limit(limit)
            .send()
            .await
            .context("read the categories without a picture")?;
        let waiting = read_each::<Waiting>(found.items.unwrap_or_default(), "categoryName");
        Ok(waiting.into_iter().map(|waiting| waiting.category_name).collect())
    }

    async fn give_up(&self, name: &CategoryName, cutoff: Timestamp) -> anyhow::Result<bool> {
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.name)
            .key("categoryName", text(name))
            .condition_expression("attribute_not_exists(imageUrl) AND createdAt < :cutoff")
            .expression_attribute_values(":cutoff", text(&cutoff))
            .send()
            .await;
        // Where the condition fails, its picture came, somebody asked for it again, or it is gone already.
        Ok(unless_condition_failed(deleted).context("delete a category without a picture")?.is_some())
    }
}
