//! What is owed and falls due: items in a sparse index `due`, by a shard and the time of the next look at them.

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use serde::de::DeserializeOwned;

use super::{read_each, text};
use crate::values::time::Timestamp;

/// At most `limit` items of one shard that have fallen due by `now`, longest due first, of a table whose items `key`
/// names. The index tells of a moment ago.
///
/// # Errors
/// When the table cannot be read.
pub async fn due<T: DeserializeOwned>(
    client: &Client,
    (table, key): (&str, &str),
    shard: &str,
    now: Timestamp,
    limit: i32,
) -> anyhow::Result<Vec<T>> {
    let found = client
        .query()
        .table_name(table)
        .index_name("due")
        .key_condition_expression("due = :shard AND dueAt <= :now")
        .expression_attribute_values(":shard", text(shard))
        .expression_attribute_values(":now", text(&now))
        .limit(limit)
        .send()
        .await
        .with_context(|| format!("read what is due in {table}"))?;
    Ok(read_each(found.items.unwrap_or_default(), key))
}
