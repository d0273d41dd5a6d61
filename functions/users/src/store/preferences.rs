//! What a person wants to be told, in the item of the profile.

use std::iter;

use anyhow::Context;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use shared::caller::UserId;
use shared::dynamo::{Written, from_item, number, text, to_item, update_item};
use shared::http::problem::Problem;
use shared::letters::Letter;
use shared::values::time::Timestamp;

use super::{IS_ACTIVE, NEXT_VERSION, Users};
use crate::preferences::{Group, PreferenceChanges};
use crate::texts::OptIn;
use crate::{Profile, Status, account_closed, no_phone};

/// Since when a phone takes no texts.
const STOPPED: &str = "textsStoppedAt";

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

    /// Changes what a person wants to be told. Safe to repeat: it writes the same again, and to want texts with the
    /// time of the last time that it was said.
    ///
    /// # Errors
    /// 404 for a person without a profile, `account-closed`; `no-phone` for texts that have nowhere to go.
    pub async fn prefer(
        &self,
        id: &UserId,
        changes: &PreferenceChanges,
        now: Timestamp,
    ) -> Result<Profile, Problem> {
        let mut condition = format!("attribute_exists(userId) AND {IS_ACTIVE}");
        if changes.turn_texts_on() {
            condition.push_str(" AND attribute_exists(textNumber)");
        }
        let update = self
            .preferring(id, changes, changes.written_of_texts(now))?
            .condition_expression(condition)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":active", text(&Status::Active))
            .build()
            .context("change what a person wants to be told")?;
        match update_item(&self.dynamodb, update, ReturnValue::AllNew).await? {
            Written::Done(item) => Ok(from_item(item)?),
            Written::Refused(item) if item.is_empty() => Err(Problem::not_found("profile")),
            Written::Refused(item) => {
                let found: Profile = from_item(item)?;
                Err(if found.status.is_active() { no_phone() } else { account_closed() })
            }
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
        let update =
            self.preferring(id, changes, iter::empty())?.condition_expression("attribute_exists(userId)");
        let update = update.build().context("change what a person wants to be told")?;
        match update_item(&self.dynamodb, update, ReturnValue::AllNew).await? {
            Written::Done(item) => from_item(item).map(Some),
            Written::Refused(_) => Ok(None),
        }
    }

    fn preferring(
        &self,
        id: &UserId,
        changes: &PreferenceChanges,
        texts: impl Iterator<Item = (&'static str, Option<OptIn>)>,
    ) -> anyhow::Result<UpdateBuilder> {
        // The profile shows one of them as `marketing`, so it is of another version.
        let mut set = vec![NEXT_VERSION.to_owned()];
        let mut gone = Vec::new();
        let mut update = self.updating(id);
        let mut written: Vec<_> =
            changes.written().map(|(name, choice)| (name, choice.map(AttributeValue::Bool))).collect();
        for (name, opt_in) in texts {
            if opt_in.is_some() && !gone.contains(&STOPPED.to_owned()) {
                // Whoever wants texts again has made the phone take them.
                gone.push(STOPPED.to_owned());
            }
            written.push((name, opt_in.map(|opt_in| to_item(&opt_in).map(AttributeValue::M)).transpose()?));
        }
        for (name, choice) in written {
            update = update.expression_attribute_names(format!("#{name}"), name);
            match choice {
                Some(choice) => {
                    set.push(format!("#{name} = :{name}"));
                    update = update.expression_attribute_values(format!(":{name}"), choice);
                }
                None => gone.push(format!("#{name}")),
            }
        }
        let mut expression = format!("SET {}", set.join(", "));
        if !gone.is_empty() {
            expression.push_str(&format!(" REMOVE {}", gone.join(", ")));
        }
        Ok(update
            .update_expression(expression)
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":one", number(1)))
    }
}
