//! The Users table.
//!
//! Its key is `userId`, a person by Cognito's `sub`; an item is a [`Profile`], of which [`Admins`](crate::Admins) reads
//! two attributes. There is no index, so that a sign-in, which is noted here, writes one unit.

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValue;
use shared::caller::UserId;
use shared::dynamo::{self, Batch, Consistency, Read, from_item};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;

use crate::{Email, Profile};

/// How a person has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// When that was completed, if a second factor was given. If none was, the account has none: no sign-in passes it
    /// by.
    pub with_second_factor: Option<Timestamp>,
    /// The address that the user pool knows as confirmed, if it told one.
    pub address: Option<Email>,
}

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

    /// Notes that a person has signed in, since when that needs a second factor, and which address the user pool has if
    /// the profile has another one. Safe to repeat: the same sign-in changes nothing.
    ///
    /// # Errors
    /// When the person has no profile, or the table does not take it.
    pub async fn signed_in(&self, id: &UserId, sign_in: &SignIn, now: Timestamp) -> anyhow::Result<()> {
        let noting = match sign_in.with_second_factor {
            Some(_) => "SET lastSignInAt = :now, secondFactorAt = if_not_exists(secondFactorAt, :since)",
            // It was turned off, perhaps by hand in the user pool.
            None => "SET lastSignInAt = :now REMOVE secondFactorAt",
        };
        let mut update = self
            .update(id)
            .update_expression(noting)
            .expression_attribute_values(":now", dynamo::text(&now))
            .return_values(ReturnValue::AllNew);
        if let Some(since) = sign_in.with_second_factor {
            update = update.expression_attribute_values(":since", dynamo::text(&since));
        }
        let noted = dynamo::unless_condition_failed(update.send().await).context("update a profile")?;
        let profile = noted.context("the person has no profile")?.attributes.unwrap_or_default();
        let profile: Profile = from_item(profile)?;
        match &sign_in.address {
            Some(address) if *address != profile.email => self.mend_address(&profile, address, now).await,
            _ => Ok(()),
        }
    }

    /// Gives a profile the address that the user pool has, unless it has yet another one by now. Safe to repeat: the
    /// old address is gone then.
    async fn mend_address(&self, profile: &Profile, address: &Email, now: Timestamp) -> anyhow::Result<()> {
        let update = self
            .update(&profile.user_id)
            .update_expression("SET email = :address, updatedAt = :now")
            .condition_expression("email = :old")
            .expression_attribute_values(":address", dynamo::text(address.as_str()))
            .expression_attribute_values(":old", dynamo::text(profile.email.as_str()))
            .expression_attribute_values(":now", dynamo::text(&now));
        dynamo::unless_condition_failed(update.send().await).context("mend the address of a profile")?;
        Ok(())
    }

    /// Notes that a person signs in without a second factor from now on. Safe to repeat.
    ///
    /// # Errors
    /// When the person has no profile, or the table does not take it.
    pub async fn second_factor_off(&self, id: &UserId) -> anyhow::Result<()> {
        let update = self.update(id).update_expression("REMOVE secondFactorAt");
        let noted = dynamo::unless_condition_failed(update.send().await).context("update a profile")?;
        noted.map(drop).context("the person has no profile")
    }

    /// Notes that a person's password has changed. Safe to repeat: the same time changes nothing.
    ///
    /// # Errors
    /// When the person has no profile, or the table does not take it.
    pub async fn password_changed(&self, id: &UserId, now: Timestamp) -> anyhow::Result<()> {
        let update = self
            .update(id)
            .update_expression("SET passwordChangedAt = :now")
            .expression_attribute_values(":now", dynamo::text(&now));
        let noted = dynamo::unless_condition_failed(update.send().await).context("update a profile")?;
        noted.map(drop).context("the person has no profile")
    }

    /// A change of a profile that is there.
    fn update(&self, id: &UserId) -> UpdateItemFluentBuilder {
        self.dynamodb
            .update_item()
            .table_name(&self.table)
            .key("userId", dynamo::text(id))
            .condition_expression("attribute_exists(userId)")
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
