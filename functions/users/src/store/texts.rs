//! The number that texts go to, in the item of the profile.

use anyhow::Context;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, Update};
use shared::caller::UserId;
use shared::dynamo::{Written, from_item, number, text, to_item, update_item};
use shared::http::problem::Problem;
use shared::values::time::Timestamp;

use super::{IS_ACTIVE, NEXT_VERSION, Users};
use crate::texts::{GOOD_FOR, MOST_TRIES};
use crate::{NewNumber, Number, Profile, Role, Status, TextNumber, TextSent, account_closed, code_mismatch};

/// What a text was about that its phone does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// A code: the number is not to be proved any more.
    Code,
    /// News, or an admin's words: no more news go there.
    News,
}

impl Users {
    /// Notes at which number a person wants texts. Safe to repeat by the SDK: it is the same one.
    ///
    /// # Errors
    /// `account-closed`; 404 without a profile.
    pub async fn wants_number(&self, id: &UserId, new: &NewNumber) -> Result<(), Problem> {
        self.wants(id, "newNumber", new).await
    }

    /// Counts a try to prove the number that a person waits to prove, before anybody looks at the code: however many
    /// try at once, five are let through. Gives the profile then, refused where there is nothing to prove, or no
    /// longer. Not safe to repeat: a second time is another try.
    ///
    /// # Errors
    /// `account-closed`; 404 without a profile.
    pub async fn tries_code(
        &self,
        id: &UserId,
        now: Timestamp,
    ) -> Result<Written<Profile, Profile>, Problem> {
        let update = self
            .updating(id)
            .update_expression("SET newNumber.tries = newNumber.tries + :one")
            .condition_expression(format!(
                "newNumber.tries < :most AND newNumber.askedAt >= :earliest AND {IS_ACTIVE}"
            ))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":active", text(&Status::Active))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(MOST_TRIES))
            .expression_attribute_values(":earliest", text(&(now - GOOD_FOR)));
        let update = update.build().context("count a try of a code")?;
        match update_item(&self.dynamodb, update, ReturnValue::AllNew).await? {
            Written::Done(item) => Ok(Written::Done(from_item(item)?)),
            Written::Refused(item) if item.is_empty() => Err(Problem::not_found("profile")),
            Written::Refused(item) => {
                let found: Profile = from_item(item)?;
                if found.status.is_active() { Ok(Written::Refused(found)) } else { Err(account_closed()) }
            }
        }
    }

    /// Has texts go to the number that was proved. What the person agreed to was for another one, if it was, so it
    /// ends. Safe to repeat: where this proof is that of the profile by now, it was this that did it.
    ///
    /// # Errors
    /// `code-mismatch` where another number is to be proved by now.
    pub async fn number_proved(
        &self,
        profile: &Profile,
        new: &NewNumber,
        now: Timestamp,
    ) -> Result<TextNumber, Problem> {
        let proved = TextNumber { number: new.number().clone(), proved_at: now, proof: new.id() };
        let is_same = profile.text_number.as_ref().is_some_and(|before| before.number == proved.number);
        let ends = if is_same { "" } else { ", parcelSentText, deliveredText" };
        let update = self
            .updating(&profile.user_id)
            .update_expression(format!(
                "SET textNumber = :proved, {NEXT_VERSION} REMOVE newNumber, textsStoppedAt{ends}"
            ))
            .condition_expression(format!("newNumber.#id = :id AND {IS_ACTIVE}"))
            .expression_attribute_names("#id", "id")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":active", text(&Status::Active))
            .expression_attribute_values(":id", text(&new.id()))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":proved", AttributeValue::M(to_item(&proved)?));
        let update = update.build().context("note a number that was proved")?;
        let found = match update_item(&self.dynamodb, update, ReturnValue::None).await? {
            Written::Done(_) => return Ok(proved),
            Written::Refused(item) if item.is_empty() => return Err(Problem::not_found("profile")),
            Written::Refused(item) => from_item::<Profile>(item)?,
        };
        match found.text_number {
            Some(other) if other.proof == proved.proof => Ok(other),
            _ if !found.status.is_active() => Err(account_closed()),
            _ => Err(code_mismatch()),
        }
    }

    /// Forgets the number of a person, and that texts were wanted there. Safe to repeat.
    ///
    /// # Errors
    /// 404 for a person without a profile.
    pub async fn forget_number(&self, id: &UserId) -> Result<(), Problem> {
        let update = self
            .updating(id)
            .update_expression(format!(
                "SET {NEXT_VERSION} REMOVE textNumber, newNumber, parcelSentText, deliveredText, textsStoppedAt"
            ))
            .condition_expression("attribute_exists(userId)")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":one", number(1));
        let update = update.build().context("forget a number")?;
        match update_item(&self.dynamodb, update, ReturnValue::None).await? {
            Written::Done(_) => Ok(()),
            Written::Refused(_) => Err(Problem::not_found("profile")),
        }
    }

    /// Turns texts off for a person whose phone takes none, which the stream of the table has that person told. Gives
    /// whether there was something to turn off. Safe to repeat: the first time stays, and another number is not meant.
    ///
    /// # Errors
    /// When the table does not take it.
    pub async fn stop_texts(
        &self,
        id: &UserId,
        to: &Number,
        what: Stopped,
        now: Timestamp,
    ) -> anyhow::Result<bool> {
        let (gone, is_so) = match what {
            Stopped::Code => ("newNumber", "newNumber.#number = :number"),
            Stopped::News => (
                "parcelSentText, deliveredText",
                "textNumber.#number = :number AND (attribute_exists(parcelSentText) OR attribute_exists(deliveredText))",
            ),
        };
        let update = self
            .updating(id)
            .update_expression(format!("SET textsStoppedAt = :now, {NEXT_VERSION} REMOVE {gone}"))
            .condition_expression(is_so)
            .expression_attribute_names("#number", "number")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":now", text(&now))
            .expression_attribute_values(":number", text(to.as_str()))
            .expression_attribute_values(":one", number(1));
        let update = update.build().context("turn texts off")?;
        let done = update_item(&self.dynamodb, update, ReturnValue::None).await?;
        Ok(matches!(done, Written::Done(_)))
    }

    /// The part of a transaction that notes that an admin has a text sent, if that is an open admin at that moment. The
    /// stream of the table has it stand in the log. Safe to repeat: it is the same text.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn sends_text(&self, admin: &UserId, sent: TextSent) -> anyhow::Result<Update> {
        self.updating(admin)
            .update_expression("SET textSent = :sent")
            .condition_expression(format!(
                "attribute_exists(userId) AND (#role = :admin OR attribute_not_exists(#role)) AND {IS_ACTIVE}"
            ))
            .expression_attribute_names("#role", "role")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":admin", text(&Role::Admin))
            .expression_attribute_values(":active", text(&Status::Active))
            .expression_attribute_values(":sent", AttributeValue::M(to_item(&sent)?))
            .build()
            .context("note that an admin has a text sent")
    }
}
