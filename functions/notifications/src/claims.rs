//! Who sends which email, in the Guards table, so that each goes out once.
//!
//! | what | keys |
//! | --- | --- |
//! | the claim of one email | `guardId` = `email#{order id}#{kind}` |
//!
//! A sender claims the email, hands it over, and records that it went out. A claim whose sender died is taken over when its
//! lease is over. One window stays that no sender can close: SES took the email and the record was never written. Then it is
//! sent again, and the metric `PossibleDuplicateEmail` says so.

use std::time::Duration;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, Update};
use orders::EmailQueued;
use shared::dynamo::{number, text, unless_condition_failed, update_item};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;

/// Longer than the function may run (15 seconds), so that a live sender is never overtaken.
const LEASE: Duration = Duration::from_mins(1);

/// Longer than any message lives in a queue and its dead-letter queue.
const REMEMBERED: Duration = Duration::from_hours(90 * 24);

/// The claims in the Guards table.
#[derive(Debug, Clone)]
pub struct Claims {
    client: Client,
    table: String,
}

impl FromEnv for Claims {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: aws.dynamodb(), table: config::required("GUARDS_TABLE")? })
    }
}

shared::id!(
    /// Names one try to send an email. A message that is delivered twice at once is two tries.
    TryId
);

/// Whether an email is ours to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Nobody tried before.
    First,
    /// Somebody tried, and never said what became of it.
    TakenOver,
    /// It went out before.
    AlreadySent,
    /// Somebody is at it.
    Busy,
}

impl Claims {
    /// Claims the email for the try `me`.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn claim(&self, email: EmailQueued, me: TryId, now: Timestamp) -> anyhow::Result<Claim> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("guardId", guard_id(email))
            .update_expression("SET holder = :me, leaseUntil = :until, expiresAt = :expires ADD tries :one")
            .condition_expression(
                "attribute_not_exists(guardId) OR (attribute_not_exists(sentAt) AND leaseUntil <= :now)",
            )
            .expression_attribute_values(":me", text(&me))
            .expression_attribute_values(":until", number((now + LEASE).unix_millis()))
            .expression_attribute_values(":expires", number((now + REMEMBERED).unix_seconds()))
            .expression_attribute_values(":now", number(now.unix_millis()))
            .expression_attribute_values(":one", number(1))
            .build()
            .context("claim an email")?;
        let claimed =
            update_item(&self.client, update, ReturnValue::AllOld).await.context("claim an email")?;
        let found = match claimed {
            Ok(old) => return Ok(if old.is_empty() { Claim::First } else { Claim::TakenOver }),
            Err(found) => found,
        };
        anyhow::ensure!(!found.is_empty(), "a claim that stands in the way is told");
        Ok(match (found.contains_key("sentAt"), found.get("holder")) {
            (true, _) => Claim::AlreadySent,
            // The SDK tried twice and its first try took effect: the claim is ours, and it is counted whether it was another's.
            (false, Some(AttributeValue::S(holder))) if *holder == me.to_string() => {
                if found.get("tries") == Some(&number(1)) { Claim::First } else { Claim::TakenOver }
            }
            (false, _) => Claim::Busy,
        })
    }

    /// Records that the email went out, whoever holds the claim by now.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn record(&self, email: EmailQueued, now: Timestamp) -> anyhow::Result<()> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("guardId", guard_id(email))
            .update_expression("SET sentAt = if_not_exists(sentAt, :now), expiresAt = :expires")
            .expression_attribute_values(":now", text(&now))
            .expression_attribute_values(":expires", number((now + REMEMBERED).unix_seconds()));
        update.send().await.map(drop).context("record a sent email")
    }

    /// Gives back the claim of `me` on an email that certainly did not go out, so that the next try need not wait.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn give_back(&self, email: EmailQueued, me: TryId) -> anyhow::Result<()> {
        let sent = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("guardId", guard_id(email))
            .condition_expression("holder = :me AND attribute_not_exists(sentAt)")
            .expression_attribute_values(":me", text(&me))
            .send()
            .await;
        unless_condition_failed(sent).map(drop).context("give back the claim of an email")
    }
}

fn guard_id(email: EmailQueued) -> AttributeValue {
    text(&format!("email#{}#{}", email.order_id, email.kind.as_str()))
}
