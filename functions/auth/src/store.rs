//! The Users table.
//!
//! | key | names | read by |
//! | --- | --- | --- |
//! | `userId` (partition) | a person, by Cognito's `sub` | [`Users::find`] |
//! | index `email`: `email` (partition) | the person behind an address | nobody yet |
//!
//! An item is a [`Profile`].

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use shared::caller::UserId;
use shared::dynamo;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};

use crate::Profile;

/// The profiles of all confirmed people.
#[derive(Debug, Clone)]
pub struct Users {
    dynamodb: Client,
    table: String,
}

impl FromEnv for Users {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { dynamodb: aws.dynamodb(), table: config::required("USERS_TABLE")? })
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

    /// A person's profile: `None` for who was never confirmed.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find(&self, id: &UserId) -> anyhow::Result<Option<Profile>> {
        let get = self.dynamodb.get_item().table_name(&self.table).key("userId", dynamo::text(id));
        let found = get.send().await.context("read a profile")?;
        found.item.map(dynamo::from_item).transpose()
    }
}
