//! The Settings table.
//!
//! | what | keys |
//! | --- | --- |
//! | a document | `setting` = "shipping" or "tax" |
//!
//! An item has the whole `document`. It is replaced under its `version`, so that of two changes made at the same time
//! none is lost; without an item the document is what it is by default, in version 1.

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use shared::dynamo::{Batch, Consistency, Read, from_item, number, text, to_item, unless_condition_failed};
use shared::http::IfMatch;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::country::Country;
use shared::values::money::Sum;
use shared::values::time::Timestamp;

use crate::{Document, Error, FIRST, OfferedMethod, Shipping, Tax, Versioned};

/// How often a change is tried again when others changed the document first.
const TRIES: u32 = 5;

/// The Settings table.
#[derive(Debug, Clone)]
pub struct Settings {
    client: Client,
    table: String,
}

impl FromEnv for Settings {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: aws.dynamodb(), table: config::table("SETTINGS_TABLE") })
    }
}

impl Settings {
    /// The document as it is now.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find<D: Document>(&self) -> anyhow::Result<Versioned<D>> {
        self.get(true).await
    }

    /// What items of this total can be sent by to this country, as of a moment ago, at half the cost of a consistent
    /// read.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn offered(&self, country: Country, total: Option<Sum>) -> anyhow::Result<Vec<OfferedMethod>> {
        let shipping = self.get::<Shipping>(false).await?;
        Ok(shipping.document().offered(country, total.unwrap_or_default().amount()))
    }

    /// Adds both documents to what is read at the same time.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn with(&self, read: Read, consistency: Consistency) -> anyhow::Result<Read> {
        read.of(&self.table, "setting", [Shipping::NAME, Tax::NAME], consistency)
    }

    /// What was read of how the shop sends and taxes.
    ///
    /// # Errors
    /// When it is not as this code writes it.
    pub fn found_in(&self, batch: &mut Batch) -> anyhow::Result<(Shipping, Tax)> {
        let (mut shipping, mut tax) = (Shipping::default(), Tax::default());
        for item in batch.take(&self.table) {
            let is_of = |name: &str| item.get("setting").is_some_and(|setting| *setting == text(&name));
            if is_of(Shipping::NAME) {
                shipping = from_item::<Versioned<Shipping>>(item)?.document;
            } else if is_of(Tax::NAME) {
                tax = from_item::<Versioned<Tax>>(item)?.document;
            }
        }
        Ok((shipping, tax))
    }

    async fn get<D: Document>(&self, is_consistent: bool) -> anyhow::Result<Versioned<D>> {
        let get = self.client.get_item().table_name(&self.table).key("setting", text(D::NAME));
        let found = get.consistent_read(is_consistent).send().await.context("read a document of settings")?;
        found.item.map_or_else(|| Ok(Versioned::default()), from_item)
    }

    /// Replaces the document, if it is a version that the request is about, and tries again when somebody else did
    /// meanwhile. Safe to repeat: what is so already changes nothing.
    ///
    /// # Errors
    /// [`Error::AnotherVersion`], and [`Error::ChangedMeanwhile`] when the others did not stop.
    pub async fn replace<D: Document>(
        &self,
        document: &D,
        if_match: &IfMatch,
        now: Timestamp,
    ) -> Result<Versioned<D>, Error> {
        let mut tried = None;
        for _ in 0..TRIES {
            let found = self.find::<D>().await?;
            // Refused, a write may be one whose reply was lost: then this is what it wrote.
            if tried.as_ref() == Some(&found) {
                return Ok(found);
            }
            if !if_match.allows(found.version) {
                return Err(Error::AnotherVersion);
            }
            let Some(next) = found.replaced_by(document, now) else { return Ok(found) };
            if self.put(&next).await? {
                return Ok(next);
            }
            tried = Some(next);
        }
        Err(Error::ChangedMeanwhile)
    }

    /// Writes the next version over the one before it, and gives whether that was still there.
    async fn put<D: Document>(&self, next: &Versioned<D>) -> anyhow::Result<bool> {
        let read = next.version - 1;
        // What nobody has set has no item.
        let condition = if read == FIRST { "attribute_not_exists(setting)" } else { "version = :read" };
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(to_item(next)?))
            .item("setting", text(D::NAME))
            .condition_expression(condition);
        // DynamoDB refuses a value that no expression names.
        let put = if read == FIRST { put } else { put.expression_attribute_values(":read", number(read)) };
        let written = unless_condition_failed(put.send().await).context("replace a document of settings")?;
        Ok(written.is_some())
    }
}
