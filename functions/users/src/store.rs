//! The Users table.
//!
//! Its key is `userId`, a person by Cognito's `sub`; an item is a [`Profile`]. There is no index, so that a sign-in,
//! which is noted here, writes one unit.

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use shared::caller::UserId;
use shared::dynamo::{self, Batch, Consistency, Read, from_item};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;

use crate::Profile;

/// The profiles of all confirmed people.
#[derive(Debug, Clone)]
pub struct Users {
    dynamodb: Client,
    table: String,
}

impl FromEnv for Users {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { dynamodb: aws.dynamodb(), table: config::table("USERS_TABLE") })
    }
}

impl Users {
    /// Records a person. Safe to repeat: the first record stays.
    ///
    /// # Errors
    /// When the table does not take it.
    pub async fn create(&self, profile: &Profile) -> anyhow::Result<()> {
        let put = self
            .dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(dynamo::to_item(profile)?))
            .condition_expression("attribute_not_exists(userId)");
        dynamo::unless_condition_failed(put.send().await).context("record a profile")?;
        Ok(())
    }

    /// Notes that a person has signed in. Safe to repeat: the same time changes nothing.
    ///
    /// # Errors
    /// When the person has no profile, or the table does not take it.
    pub async fn signed_in(&self, id: &UserId, now: Timestamp) -> anyhow::Result<()> {
        self.note(id, "lastSignInAt", now).await
    }

    /// Notes that a person's password has changed. Safe to repeat: the same time changes nothing.
    ///
    /// # Errors
    /// When the person has no profile, or the table does not take it.
    pub async fn password_changed(&self, id: &UserId, now: Timestamp) -> anyhow::Result<()> {
        self.note(id, "passwordChangedAt", now).await
    }

    async fn note(&self, id: &UserId, when: &'static str, now: Timestamp) -> anyhow::Result<()> {
        let update = self
            .dynamodb
            .update_item()
            .table_name(&self.table)
            .key("userId", dynamo::text(id))
            .update_expression("SET #when = :now")
            .condition_expression("attribute_exists(userId)")
            .expression_attribute_names("#when", when)
            .expression_attribute_values(":now", dynamo::text(&now));
        let noted = dynamo::unless_condition_failed(update.send().await).context("update a profile")?;
        noted.map(drop).context("the person has no profile")
    }

    /// Adds a person's profile to what is read at the same time.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn with(&self, read: Read, id: &UserId) -> anyhow::Result<Read> {
        read.of(&self.table, "userId", [id], Consistency::Strong)
    }

    /// The profile that was read: `None` for a person whose address was never confirmed.
    ///
    /// # Errors
    /// When it is not as this code writes them.
    pub fn found_in(&self, batch: &mut Batch) -> anyhow::Result<Option<Profile>> {
        batch.take(&self.table).pop().map(from_item).transpose()
    }
}
