//! What people looked at lately.
//!
//! The RecentlyViewed table:
//!
//! | what | keys |
//! | --- | --- |
//! | that a person looked at a product, and when last | `userId`, `productId` |
//! | what a person looked at, the last first | index `recent`: `userId`, `viewedAt`; the keys alone |
//!
//! The page of a product is the same for everybody and comes from a cache, so it cannot note who looks: the page tells.
//! DynamoDB deletes an item 30 days after the last look.

use std::time::Duration;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::dynamo::list::{List, Sort};
use shared::dynamo::{Item, KeptItems, Remains, Stretch, number, read_each, text, unless_condition_failed};
use shared::http::problem::Problem;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;

use crate::{ProductId, ProductOffer, Products, PublicProduct};

/// How long it is kept that somebody looked at something.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// How many products are shown: so many are read in one call with their offers, their ratings and the hidden stores.
const SHOWN: i32 = 20;

/// How many items are deleted in a call.
const AT_ONCE: i32 = 100;

/// All that a person looked at.
const ALL: List =
    List { index: None, partition: "userId", sort: Sort::Ascending("productId"), key: "productId" };

const SCHEMA_VERSION: u32 = 1;

/// What people looked at lately, with the products.
#[derive(Debug, Clone)]
pub struct RecentlyViewed {
    client: Client,
    table: String,
    products: Products,
}

impl FromEnv for RecentlyViewed {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws.dynamodb(),
            table: config::table("RECENTLY_VIEWED_TABLE"),
            products: Products::from_env(aws)?,
        })
    }
}

/// A look, as the index has it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Look {
    product_id: ProductId,
}

/// What a person looked at, the last first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ViewedList {
    products: Vec<PublicProduct>,
}

impl From<Vec<ProductOffer>> for ViewedList {
    fn from(found: Vec<ProductOffer>) -> Self {
        Self { products: found.into_iter().map(Into::into).collect() }
    }
}

impl RecentlyViewed {
    /// Notes that a person looks at a product, in one update. Safe to repeat, and in any order: the last look counts.
    /// Whether there is such a product is not asked: what is not for sale is never shown.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn look(&self, person: &UserId, product: ProductId, now: Timestamp) -> anyhow::Result<()> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(person, product)))
            .update_expression("SET viewedAt = :now, expiresAt = :end, schemaVersion = :schema")
            .condition_expression("attribute_not_exists(viewedAt) OR viewedAt < :now")
            .expression_attribute_values(":now", text(&now))
            .expression_attribute_values(":end", number((now + KEPT).unix_seconds()))
            .expression_attribute_values(":schema", number(SCHEMA_VERSION));
        unless_condition_failed(update.send().await).map(drop).context("note a look")
    }

    /// The twenty products that a person looked at last, the last first, without those that are not for sale now: one
    /// query, and one read of what they are. Both are of a moment ago.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub async fn list_of(&self, person: &UserId, now: Timestamp) -> Result<Vec<ProductOffer>, Problem> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("recent")
            .key_condition_expression("userId = :person AND viewedAt > :since")
            .expression_attribute_values(":person", text(person))
            // DynamoDB may take days to delete what is too old.
            .expression_attribute_values(":since", text(&(now - KEPT)))
            .scan_index_forward(false)
            .limit(SHOWN);
        let found = query.send().await.context("read what somebody looked at")?;
        let looks: Vec<Look> = read_each(found.items.unwrap_or_default(), "productId");
        let ids: Vec<_> = looks.into_iter().map(|look| look.product_id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.products.some_for_sale(&ids, now).await
    }

    /// A stretch of what a person looked at, as it is kept.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn kept_of(&self, person: &UserId, stretch: Stretch) -> anyhow::Result<KeptItems> {
        ALL.kept(&self.client, &self.table, person, stretch).await
    }

    /// Deletes what a person looked at, a hundred products in a call. Safe to repeat.
    ///
    /// # Errors
    /// When the table cannot be read or written.
    pub async fn forget(&self, person: &UserId) -> anyhow::Result<Remains> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("userId = :person")
            .expression_attribute_values(":person", text(person))
            .projection_expression("userId, productId")
            .consistent_read(true)
            .limit(AT_ONCE);
        let found = query.send().await.context("read what somebody looked at")?;
        for key in found.items.unwrap_or_default() {
            let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key));
            delete.send().await.context("forget a look")?;
        }
        Ok(if found.last_evaluated_key.is_some() { Remains::More } else { Remains::Nothing })
    }
}

fn key(person: &UserId, product: ProductId) -> Item {
    Item::from([("userId".to_owned(), text(person)), ("productId".to_owned(), text(&product))])
}
