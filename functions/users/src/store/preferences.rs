//! What a person wants to be told, in the item of the profile.

use anyhow::Context;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use shared::caller::UserId;
use shared::dynamo::{Written, from_item, number, text, update_item};
use shared::http::problem::Problem;
use shared::letters::Letter;

use super::{IS_ACTIVE, NEXT_VERSION, Users};
use crate::preferences::{Group, PreferenceChanges};
use crate::{Profile, Status, account_closed};

impl Users {
    /// What a person is told by email of something of this group, as [`Profile::told`] has it; nothing for who left.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn letter_to(
        &self,
        id: &UserId,
        group: Group,
        words: impl FnOnce(&Profile) -> Option<Letter> + Send,
    ) -> anyhow::Result<Option<Letter>> {
        Ok(self.find(id).await?.and_then(|profile| profile.told(group, words)))
    }

    /// Changes what a person wants to be told. Safe to repeat: it writes the same again.
    ///
    /// # Errors
    /// 404 for a person without a profile, `account-closed`.
    pub async fn prefer(&self, id: &UserId, changes: &PreferenceChanges) -> Result<Profile, Problem> {
        let condition = format!("attribute_exists(userId) AND {IS_ACTIVE}");
        let update = self
            .preferring(id, changes)
            .condition_expression(condition)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":active", text(&Status::Active))
            .build()
            .context("change what a person wants to be told")?;
        match update_item(&self.dynamodb, update, ReturnValue::AllNew).await? {
            Written::Done(item) => Ok(from_item(item)?),
            Written::Refused(item) if item.is_empty() => Err(Problem::not_found("profile")),
            Written::Refused(_) => Err(account_closed()),
        }
    }

    /// The same of an account that may be closed: emails that are not wanted are not wanted then either. `None` for a
    /// person without a profile.
    ///
    /// # Errors
    /// When the table does not take it.
    pub async fn prefer_of_any(
        &self,
        id: &UserId,
        changes: &PreferenceChanges,
    ) -> anyhow::Result<Option<Profile>> {
        let update = self.preferring(id, changes).condition_expression("attribute_exists(userId)");
        let update = update.build().context("change what a person wants to be told")?;
        match update_item(&self.dynamodb, update, ReturnValue::AllNew).await? {
            Written::Done(item) => from_item(item).map(Some),
            Written::Refused(_) => Ok(None),
        }
    }

    fn preferring(&self, id: &UserId, changes: &PreferenceChanges) -> UpdateBuilder {
        // The profile shows one of them as `marketing`, so it is of another version.
        let mut set = vec![NEXT_VERSION.to_owned()];
        let mut gone = Vec::new();
        let mut update = self.updating(id);
        for (name, choice) in changes.written() {
            update = update.expression_attribute_names(format!("#{name}"), name);
            match choice {
                Some(choice) => {
                    set.push(format!("#{name} = :{name}"));
                    update =
                        update.expression_attribute_values(format!(":{name}"), AttributeValue::Bool(choice));
                }
                None => gone.push(format!("#{name}")),
            }
        }
        let mut expression = format!("SET {}", set.join(", "));
        if !gone.is_empty() {
            expression.push_str(&format!(" REMOVE {}", gone.join(", ")));
        }
        update
            .update_expression(expression)
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":one", number(1))
    }
}
