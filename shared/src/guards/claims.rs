//! Who does a thing that must happen once and cannot be part of a transaction, such as sending an email.
//!
//! Whoever wants to do it claims it, does it, and records that it is done. A claim whose holder died is taken over when
//! its lease is over. One window stays that nobody can close: it was done and the record was never written. Then it is
//! done again, and the claim says [`Claim::TakenOver`] so that it can be counted.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, Update};

use super::Guards;
use crate::dynamo::{
    Batch, Consistency, Item, Read, Written, number, text, unless_condition_failed, update_item,
};
use crate::values::time::Timestamp;

/// Longer than any function that claims something may run (15 seconds), so that a live holder is never overtaken.
const LEASE: Duration = Duration::from_mins(1);

/// Longer than any message lives in a queue and its dead-letter queue.
const REMEMBERED: Duration = Duration::from_hours(90 * 24);

crate::id!(
    /// Names one try. A message that is delivered twice at once is two tries.
    TryId
);

/// Whether a thing is ours to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Nobody tried before.
    First,
    /// Somebody tried, and never said what became of it.
    TakenOver,
    /// It is done.
    AlreadyDone,
    /// Somebody is at it.
    Busy,
}

impl Guards {
    /// Claims `what` for the try `me`.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn claim(&self, what: &str, me: TryId, now: Timestamp) -> anyhow::Result<Claim> {
        let update = Update::builder()
            .table_name(self.table())
            .key("guardId", guard_id(what))
            .update_expression("SET holder = :me, leaseUntil = :until, expiresAt = :expires ADD tries :one")
            .condition_expression(
                "attribute_not_exists(guardId) OR (attribute_not_exists(doneAt) AND leaseUntil <= :now)",
            )
            .expression_attribute_values(":me", text(&me))
            .expression_attribute_values(":until", number((now + LEASE).unix_millis()))
            .expression_attribute_values(":expires", number((now + REMEMBERED).unix_seconds()))
            .expression_attribute_values(":now", number(now.unix_millis()))
            .expression_attribute_values(":one", number(1))
            .build()
            .context("claim a thing")?;
        let claimed =
            update_item(self.client(), update, ReturnValue::AllOld).await.context("claim a thing")?;
        let found = match claimed {
            Written::Done(old) => return Ok(if old.is_empty() { Claim::First } else { Claim::TakenOver }),
            Written::Refused(found) => found,
        };
        anyhow::ensure!(!found.is_empty(), "a claim that stands in the way is told");
        Ok(match (found.contains_key("doneAt"), found.get("holder")) {
            (true, _) => Claim::AlreadyDone,
            // The SDK tried twice and its first try took effect: the claim is ours, and it is counted whether it was
            // another's.
            (false, Some(AttributeValue::S(holder))) if *holder == me.to_string() => {
                if found.get("tries") == Some(&number(1)) { Claim::First } else { Claim::TakenOver }
            }
            (false, _) => Claim::Busy,
        })
    }

    /// Records that `what` is done, whoever holds the claim by now. Safe to repeat.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn done(&self, what: &str, now: Timestamp) -> anyhow::Result<Update> {
        Update::builder()
            .table_name(self.table())
            .key("guardId", guard_id(what))
            .update_expression("SET doneAt = if_not_exists(doneAt, :now), expiresAt = :expires")
            .expression_attribute_values(":now", text(&now))
            .expression_attribute_values(":expires", number((now + REMEMBERED).unix_seconds()))
            .build()
            .context("record what is done")
    }

    /// Gives back the claim of `me` on a thing that certainly was not done, so that the next try need not wait.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn give_back(&self, what: &str, me: TryId) -> anyhow::Result<()> {
        let sent = self
            .client()
            .delete_item()
            .table_name(self.table())
            .key("guardId", guard_id(what))
            .condition_expression("holder = :me AND attribute_not_exists(doneAt)")
            .expression_attribute_values(":me", text(&me))
            .send()
            .await;
        unless_condition_failed(sent).map(drop).context("give back a claim")
    }
}

/// What became of a thing that must happen once, as far as it was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// Somebody is at it, or died at it.
    Claimed,
    /// It is done, since then.
    At(Timestamp),
}

impl Guards {
    /// Has the claims on these things read with what else is read. Not beside the record of a key, which is in the same
    /// table.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn with_claims(&self, read: Read, what: &[String]) -> anyhow::Result<Read> {
        let ids = what.iter().map(|what| format!("claim#{what}"));
        read.of(self.table(), "guardId", ids, Consistency::Eventual)
    }

    /// What was read of them, by thing; nothing of what nobody has claimed.
    ///
    /// # Errors
    /// When a claim is not as this code writes them.
    pub fn claims_in(&self, batch: &mut Batch) -> anyhow::Result<HashMap<String, Done>> {
        let claim = |item: Item| {
            let get = |name: &str| match item.get(name) {
                Some(AttributeValue::S(text)) => Some(text.clone()),
                _ => None,
            };
            let id = get("guardId").context("a claim has a key")?;
            let what = id.strip_prefix("claim#").context("a claim's key")?.to_owned();
            let done = get("doneAt").map(|at| at.parse().map(Done::At)).transpose()?;
            Ok((what, done.unwrap_or(Done::Claimed)))
        };
        batch.take(self.table()).into_iter().map(claim).collect()
    }
}

fn guard_id(what: &str) -> AttributeValue {
    text(&format!("claim#{what}"))
}
