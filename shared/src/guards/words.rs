//! What one person has written to another, kept until it was sent: a queue has its id alone, since neither words nor
//! addresses belong there.

use std::time::Duration;

use anyhow::Context;
use aws_sdk_dynamodb::types::{Delete, Put};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Guards;
use crate::dynamo::{from_item, text, to_item};
use crate::values::time::Timestamp;

/// As long as its message lives in a queue, and once more in the dead-letter queue.
const KEPT: Duration = Duration::from_hours(28 * 24);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept<T> {
    guard_id: String,
    words: T,
    /// Seconds since 1970. DynamoDB may delete days later.
    expires_at: i64,
}

impl Guards {
    /// The part of a transaction that keeps the words that `id` names. Safe to repeat: the same again.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn keep_words(
        &self,
        what: &str,
        id: &str,
        words: &impl Serialize,
        now: Timestamp,
    ) -> anyhow::Result<Put> {
        let kept = Kept { guard_id: guard_id(what, id), words, expires_at: (now + KEPT).unix_seconds() };
        let put = Put::builder().table_name(self.table()).set_item(Some(to_item(&kept)?));
        put.build().context("keep words")
    }

    /// The words that `id` names; `None` once they were told.
    ///
    /// # Errors
    /// When the table cannot be read, or has no `T` there.
    pub async fn words<T: DeserializeOwned>(&self, what: &str, id: &str) -> anyhow::Result<Option<T>> {
        let get = self.client().get_item().table_name(self.table());
        let get = get.key("guardId", text(&guard_id(what, id))).consistent_read(true);
        let found = get.send().await.context("read words")?;
        let kept: Option<Kept<T>> = found.item.map(from_item).transpose()?;
        Ok(kept.map(|kept| kept.words))
    }

    /// The part of a transaction that forgets them. Safe to repeat.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn forget_words(&self, what: &str, id: &str) -> anyhow::Result<Delete> {
        let delete = Delete::builder().table_name(self.table()).key("guardId", text(&guard_id(what, id)));
        delete.build().context("forget words")
    }
}

fn guard_id(what: &str, id: &str) -> String {
    format!("words#{what}#{id}")
}
