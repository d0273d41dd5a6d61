//! Where a long reading goes on that one run of a function did not come to the end of.
//!
//! Nothing depends on it but how much is read twice: who reads has to be safe to repeat.

use std::time::Duration;

use anyhow::Context;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Guards;
use crate::dynamo::{from_item, text, to_item};
use crate::values::time::Timestamp;

/// After that the reading begins anew.
const KEPT: Duration = Duration::from_hours(7 * 24);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept<T> {
    guard_id: String,
    place: T,
    /// Seconds since 1970. DynamoDB may delete days later, so the code looks at it as well.
    expires_at: i64,
}

impl Guards {
    /// Where the reading `what` goes on, if it is to go on somewhere.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn place<T: DeserializeOwned>(&self, what: &str, now: Timestamp) -> anyhow::Result<Option<T>> {
        let get = self.client().get_item().table_name(self.table()).key("guardId", text(&guard_id(what)));
        let found = get.consistent_read(true).send().await.context("read where a reading goes on")?;
        let kept: Option<Kept<T>> = found.item.map(from_item).transpose()?;
        Ok(kept.filter(|kept| kept.expires_at > now.unix_seconds()).map(|kept| kept.place))
    }

    /// Keeps where the reading `what` goes on. Safe to repeat; of two that read at once the later one counts.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn keep_place(&self, what: &str, place: &impl Serialize, now: Timestamp) -> anyhow::Result<()> {
        let kept = Kept { guard_id: guard_id(what), place, expires_at: (now + KEPT).unix_seconds() };
        let put = self.client().put_item().table_name(self.table()).set_item(Some(to_item(&kept)?));
        put.send().await.map(drop).context("keep where a reading goes on")
    }

    /// The reading `what` has come to its end. Safe to repeat.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn forget_place(&self, what: &str) -> anyhow::Result<()> {
        let delete = self.client().delete_item().table_name(self.table());
        let delete = delete.key("guardId", text(&guard_id(what)));
        delete.send().await.map(drop).context("forget where a reading went on")
    }
}

fn guard_id(what: &str) -> String {
    format!("place#{what}")
}
