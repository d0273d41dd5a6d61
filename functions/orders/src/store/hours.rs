//! The hours of the Sales table, of which sellers are told; the table's keys stand in `sales.rs`.

use std::time::Duration;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{ReturnValue, Update};
use serde::Deserialize;
use shared::caller::UserId;
use shared::dynamo::{due, from_item, number, text, update_item};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;
use users::PersonId;

use crate::Order;
use crate::digests::{Hour, HourOf, Sold};
use crate::sales::{Difference, SCHEMA_VERSION};

/// What begins the entry of an hour.
const HOUR: &str = "hour#";

/// The partition of the index `due`: an hour of a seller is written to it once and taken out of it once.
const DUE: &str = "hours";

/// As many as one run queues well within its timeout; the next run takes the rest.
const BATCH: i32 = 200;

/// How long an hour is kept: longer than its letter may wait in a queue and be brought back from the dead letters.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// The hours in which sellers sold something.
#[derive(Debug, Clone)]
pub struct Hours {
    client: Client,
    table: String,
}

impl FromEnv for Hours {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: aws.dynamodb(), table: config::table("SALES_TABLE") })
    }
}

/// An hour's place in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Entry(Hour);

impl TryFrom<String> for Entry {
    type Error = String;

    fn try_from(entry: String) -> Result<Self, String> {
        let hour = entry.strip_prefix(HOUR).and_then(|hour| hour.parse().ok());
        hour.map(Self).ok_or_else(|| format!("{entry} is no hour"))
    }
}

/// An hour of which its seller is still to be told, as the index has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DueHour {
    seller_id: UserId,
    entry: Entry,
}

impl DueHour {
    /// Which hour.
    pub fn hour(&self) -> Hour {
        self.entry.0
    }

    /// What names its letter.
    pub fn name(&self) -> HourOf {
        HourOf { person: PersonId(self.seller_id.clone()), which: self.hour() }
    }
}

impl Hours {
    /// What a seller sold in an hour, if anything.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find(&self, seller: &UserId, hour: Hour) -> anyhow::Result<Option<Sold>> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("sellerId", text(seller)).key("entry", text(&entry_of(hour)));
        let found = get.send().await.context("read what was sold in an hour")?;
        found.item.map(from_item).transpose()
    }

    /// At most 200 hours that have fallen due by `now`, longest due first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn due(&self, now: Timestamp) -> anyhow::Result<Vec<DueHour>> {
        due(&self.client, (&self.table, "entry"), DUE, now, BATCH).await
    }

    /// Notes that the letter of an hour is queued. Safe to repeat: an hour that is gone by now is not made anew.
    ///
    /// # Errors
    /// When the table does not take it.
    pub async fn queued(&self, hour: &DueHour) -> anyhow::Result<()> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("sellerId", text(&hour.seller_id))
            .key("entry", text(&entry_of(hour.hour())))
            .update_expression("REMOVE due, dueAt")
            .condition_expression("attribute_exists(entry)")
            .build()
            .context("note that an hour's letter is queued")?;
        update_item(&self.client, update, ReturnValue::None).await.map(drop)
    }
}

/// Counts a sale in an hour, or takes one off it, as a part of the transaction that counts it. An hour in which
/// something is sold is due.
pub(super) fn counted(
    table: &str,
    seller: &UserId,
    hour: Hour,
    order: &Order,
    more: Difference,
) -> anyhow::Result<Update> {
    let sets_due = if more.orders > 0 { ", due = :due, dueAt = :dueAt" } else { "" };
    let mut update = Update::builder()
        .table_name(table)
        .key("sellerId", text(seller))
        .key("entry", text(&entry_of(hour)))
        .update_expression(format!(
            "SET currency = :currency, expiresAt = :end, schemaVersion = :schema{sets_due} \
             ADD orders :orders, revenue :revenue"
        ))
        .expression_attribute_values(":currency", text(&order.currency()))
        .expression_attribute_values(":end", number((hour.due_at() + KEPT).unix_seconds()))
        .expression_attribute_values(":schema", number(SCHEMA_VERSION))
        .expression_attribute_values(":orders", number(more.orders))
        .expression_attribute_values(":revenue", number(more.revenue));
    if more.orders > 0 {
        update = update
            .expression_attribute_values(":due", text(DUE))
            .expression_attribute_values(":dueAt", text(&hour.due_at()));
    }
    update.build().context("count what was sold in an hour")
}

fn entry_of(hour: Hour) -> String {
    format!("{HOUR}{hour}")
}
