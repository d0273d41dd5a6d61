//! The Users table.
//!
//! | key | names | read by |
//! | --- | --- | --- |
//! | `userId` | a person, by Cognito's `sub` | [`Users::find`], [`Admins`](crate::Admins) |
//! | index `people`: `listed` = "people", `email` | all people, by address | [`Users::list`] with a beginning |
//! | index `newest`: `listed` = "people", `createdAt` | all people, newest first | [`Users::list`] |
//!
//! An item is a [`Profile`]. The indexes have id, address, name, role and status alone, so that a sign-in, which is
//! noted here, writes none. What a person reads and changes counts in `version`. Role and status change in one
//! transaction with the check that whoever changes them is an open admin at that moment: of two admins who would take
//! each other's role away only one does, so one is always left.

mod mail;
mod preferences;
mod texts;

pub use texts::Stopped;

pub use mail::Mail;
pub(crate) use mail::{MESSAGE, OWN_SUPPRESSED};

use anyhow::{Context, anyhow};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, ReturnValue, Update};
use serde::Serialize;
use shared::caller::UserId;
use shared::dynamo::list::{Cursors, List, Page, PageRequest, Sort};
use shared::dynamo::{
    self, Batch, Consistency, Read, Write, Written, from_item, number, text, to_item, update_item,
};
use shared::guards::Guards;
use shared::http::IfMatch;
use shared::http::problem::Problem;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;

use crate::{
    ChangeOf, DepartureId, Email, EmailPrefix, Export, ExportOf, FormerAddress, Listed, NewAddress, PersonId,
    Profile, ProfileChanges, Role, SecondFactorChange, Status, account_closed,
};

const PEOPLE: List =
    List { index: Some("people"), partition: "listed", sort: Sort::Ascending("email"), key: "userId" };

const NEWEST: List = List { index: Some("newest"), sort: Sort::Descending("createdAt"), ..PEOPLE };

/// The partition of both.
const ALL_PEOPLE: &str = "people";

/// What is unfinished of an account until the user pool knows of it.
const SYNC: &str = "accounts";

/// What is unfinished of an account until nothing is left of it.
const DELETION: &str = "deletions";

/// Which changes of an address nobody was told of yet who reads the one from before.
const FORMER_ADDRESS: &str = "former-addresses";

/// What became of a change of somebody's role or account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restanding {
    /// It is done; the user pool has to hear of it.
    Done,
    /// The profile is not as it was read: look again.
    Changed,
    /// Whoever asked for it is no admin any more.
    NotByAnAdmin,
}

/// How a person has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// When that was completed, if a second factor was given. If none was, the account has none: no sign-in passes it
    /// by.
    pub with_second_factor: Option<Timestamp>,
    /// The address that the user pool knows as confirmed, if it told one.
    pub address: Option<Email>,
}

/// What an update adds to one of what a person reads. Its name and value: `#version`, `:one`.
const NEXT_VERSION: &str = "#version = if_not_exists(#version, :one) + :one";

/// That an account may be used. Its name and value: `#status`, `:active`.
pub(crate) const IS_ACTIVE: &str = "(attribute_not_exists(#status) OR #status = :active)";

/// A condition, with its values.
struct IsSo {
    condition: String,
    values: Vec<(&'static str, AttributeValue)>,
}

/// That a profile says this of role and status.
fn standing_is(profile: &Profile, role: &str, status: &str) -> IsSo {
    let mut values = vec![(":statusBefore", text(&profile.status))];
    let role = match profile.role {
        Some(is) => {
            values.push((":roleBefore", text(&is)));
            format!("{role} = :roleBefore")
        }
        None => format!("attribute_not_exists({role})"),
    };
    let status = if profile.status.is_active() {
        format!("(attribute_not_exists({status}) OR {status} = :statusBefore)")
    } else {
        format!("{status} = :statusBefore")
    };
    IsSo { condition: format!("{role} AND {status}"), values }
}

fn second_factor_change(is_on: bool, at: Timestamp) -> anyhow::Result<AttributeValue> {
    to_item(&SecondFactorChange { is_on, at }).map(AttributeValue::M)
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
            .set_item(Some(to_item(profile)?))
            .item("listed", text(ALL_PEOPLE))
            .condition_expression("attribute_not_exists(userId)");
        dynamo::unless_condition_failed(put.send().await).context("record a profile")?;
        Ok(())
    }

    /// Notes that a person has signed in, since when that needs a second factor, and which address the user pool has if
    /// the profile has another one. Safe to repeat: the same sign-in changes nothing.
    ///
    /// # Errors
    /// When the person has no profile, or the tables do not take it.
    pub async fn signed_in(
        &self,
        guards: &Guards,
        id: &UserId,
        sign_in: &SignIn,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let noting = match sign_in.with_second_factor {
            Some(_) => {
                "SET lastSignInAt = :now, listed = :people, secondFactorAt = if_not_exists(secondFactorAt, :since)"
            }
            // It was turned off, perhaps by hand in the user pool.
            None => "SET lastSignInAt = :now, listed = :people REMOVE secondFactorAt",
        };
        let mut update = self
            .update(id)
            .update_expression(noting)
            .expression_attribute_values(":now", dynamo::text(&now))
            // Who is here from before there were lists is on them now.
            .expression_attribute_values(":people", text(ALL_PEOPLE))
            .return_values(ReturnValue::AllNew);
        if let Some(since) = sign_in.with_second_factor {
            update = update.expression_attribute_values(":since", dynamo::text(&since));
        }
        let noted = dynamo::unless_condition_failed(update.send().await).context("update a profile")?;
        let profile = noted.context("the person has no profile")?.attributes.unwrap_or_default();
        let profile: Profile = from_item(profile)?;
        match &sign_in.address {
            Some(address) if *address != profile.email && !profile.has_just_changed_address(now) => {
                match &profile.new_address {
                    // It was proved, and whoever should have noted it died.
                    Some(new) if new.address() == address => {
                        self.address_proved(guards, &profile, new, now).await.map(drop)
                    }
                    _ => self.mend_address(&profile, address, now).await,
                }
            }
            _ => Ok(()),
        }
    }

    /// Gives a profile the address that the user pool has, unless it has yet another one by now. Safe to repeat: the
    /// old address is gone then.
    async fn mend_address(&self, profile: &Profile, address: &Email, now: Timestamp) -> anyhow::Result<()> {
        let update = self
            .update(&profile.user_id)
            .update_expression(format!("SET email = :address, updatedAt = :now, {NEXT_VERSION}"))
            .condition_expression("email = :old")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":address", dynamo::text(address.as_str()))
            .expression_attribute_values(":old", dynamo::text(profile.email.as_str()))
            .expression_attribute_values(":now", dynamo::text(&now));
        dynamo::unless_condition_failed(update.send().await).context("mend the address of a profile")?;
        Ok(())
    }

    /// Notes which address a person wants to have. Safe to repeat by the SDK: it is the same one.
    ///
    /// # Errors
    /// `account-closed`; 404 without a profile.
    pub async fn wants_address(&self, id: &UserId, new: &NewAddress) -> Result<(), Problem> {
        self.wants(id, "newAddress", new).await
    }

    /// Notes in an attribute what a person wants who has still to prove it.
    async fn wants(&self, id: &UserId, attribute: &str, new: &impl Serialize) -> Result<(), Problem> {
        let update = self
            .updating(id)
            .update_expression(format!("SET {attribute} = :new"))
            .condition_expression(format!("attribute_exists(userId) AND {IS_ACTIVE}"))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":active", text(&Status::Active))
            .expression_attribute_values(":new", AttributeValue::M(to_item(new)?));
        let update = update.build().context("note what somebody wants")?;
        match update_item(&self.dynamodb, update, ReturnValue::None).await? {
            Written::Done(_) => Ok(()),
            Written::Refused(item) if item.is_empty() => Err(Problem::not_found("profile")),
            Written::Refused(_) => Err(account_closed()),
        }
    }

    /// Gives a profile the address that was proved, which the user pool has by now, and begins to tell whoever reads
    /// the one from before; gives whose change that is, where it was one. Safe to repeat, and where this dies the next
    /// sign-in does it.
    ///
    /// # Errors
    /// When the tables do not take it, or the profile has yet another address by now.
    pub async fn address_proved(
        &self,
        guards: &Guards,
        profile: &Profile,
        new: &NewAddress,
        now: Timestamp,
    ) -> anyhow::Result<Option<ChangeOf>> {
        let of = ChangeOf { person: PersonId(profile.user_id.clone()), which: new.id() };
        if *new.address() == profile.email {
            let former = profile.former_address.as_ref();
            return Ok(former.is_some_and(|former| former.change() == new.id()).then_some(of));
        }
        let former = FormerAddress::new(new.id(), profile.email.clone(), now);
        let update = self
            .updating(&profile.user_id)
            .update_expression(format!(
                "SET email = :address, formerAddress = :former, updatedAt = :now, {NEXT_VERSION}"
            ))
            .condition_expression("email = :old")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":address", text(new.address().as_str()))
            .expression_attribute_values(":old", text(profile.email.as_str()))
            .expression_attribute_values(":former", AttributeValue::M(to_item(&former)?))
            .expression_attribute_values(":now", text(&now));
        let mut write = Write::new();
        let own = write.update(update.build().context("change the address of a profile")?);
        write.update(guards.begin(FORMER_ADDRESS, &of.to_string())?);
        if let Written::Refused(mut found) = write.commit(&self.dynamodb).await? {
            let found = found.take(own).filter(|item| !item.is_empty());
            let found: Option<Profile> = found.map(from_item).transpose()?;
            let is_done = found.is_some_and(|found| found.email == *new.address());
            anyhow::ensure!(is_done, "the profile has yet another address by now");
        }
        Ok(Some(of))
    }

    /// What notes that whoever reads an address from before was told.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn former_address_told(guards: &Guards, of: &ChangeOf) -> anyhow::Result<Update> {
        guards.finish(FORMER_ADDRESS, &of.to_string())
    }

    /// Of which changes nobody was told yet.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn former_addresses_untold(&self, guards: &Guards) -> anyhow::Result<Vec<ChangeOf>> {
        let changes = guards.unfinished(FORMER_ADDRESS).await?;
        // One that nobody can read must not keep the others from being told.
        Ok(changes.iter().filter_map(|of| of.parse().ok()).collect())
    }

    /// Notes that nobody will be told of a change. Safe to repeat.
    ///
    /// # Errors
    /// When the table does not take it.
    pub async fn give_up_former_address(&self, guards: &Guards, of: &ChangeOf) -> anyhow::Result<()> {
        update_item(&self.dynamodb, Self::former_address_told(guards, of)?, ReturnValue::None).await.map(drop)
    }

    /// Notes the export that a person wants, if no other was asked for since the profile was read; gives the one that
    /// is wanted now. Safe to repeat by the SDK: it is the same one.
    ///
    /// # Errors
    /// `account-closed`; 404 without a profile.
    pub async fn wants_export(&self, profile: &Profile, export: Export) -> Result<Export, Problem> {
        let mut update = self.updating(&profile.user_id);
        let is_as_read = match profile.export {
            Some(before) => {
                update = update.expression_attribute_values(":before", text(&before.id()));
                "#export.#id = :before"
            }
            None => "attribute_not_exists(#export)",
        };
        update =
            if profile.export.is_some() { update.expression_attribute_names("#id", "id") } else { update };
        let update = update
            .update_expression("SET #export = :export")
            .condition_expression(format!("attribute_exists(userId) AND {IS_ACTIVE} AND {is_as_read}"))
            .expression_attribute_names("#export", "export")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":active", text(&Status::Active))
            .expression_attribute_values(":export", AttributeValue::M(to_item(&export)?));
        let update = update.build().context("note an export")?;
        let found = match update_item(&self.dynamodb, update, ReturnValue::None).await? {
            Written::Done(_) => return Ok(export),
            Written::Refused(item) if item.is_empty() => return Err(Problem::not_found("profile")),
            Written::Refused(item) => from_item::<Profile>(item)?,
        };
        match found.export {
            Some(other) if found.status.is_active() => Ok(other),
            _ => Err(account_closed()),
        }
    }

    /// Notes that an export was made; gives whether its person may have it. Safe to repeat: the first time stays.
    ///
    /// # Errors
    /// When the table does not take it.
    pub async fn export_made(&self, of: &ExportOf, now: Timestamp) -> anyhow::Result<bool> {
        let update = self
            .updating(&of.person.0)
            .update_expression("SET #export.madeAt = if_not_exists(#export.madeAt, :now)")
            .condition_expression(format!("#export.#id = :id AND {IS_ACTIVE}"))
            .expression_attribute_names("#export", "export")
            .expression_attribute_names("#id", "id")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":active", text(&Status::Active))
            .expression_attribute_values(":id", text(&of.which))
            .expression_attribute_values(":now", text(&now));
        let update = update.build().context("note that an export was made")?;
        Ok(match update_item(&self.dynamodb, update, ReturnValue::None).await? {
            Written::Done(_) => true,
            Written::Refused(item) if item.is_empty() => false,
            // Another one was asked for since, whose file takes the place of this one.
            Written::Refused(item) => from_item::<Profile>(item)?.status.is_active(),
        })
    }

    /// Notes that a person signs in without a second factor from now on. Safe to repeat.
    ///
    /// # Errors
    /// When the person has no profile, or the table does not take it.
    pub async fn second_factor_off(&self, id: &UserId, now: Timestamp) -> anyhow::Result<()> {
        // Whoever turned it on in the user pool, past the shop, has the time of a sign-in alone.
        let condition =
            "attribute_exists(userId) AND (attribute_exists(secondFactorAt) OR secondFactor.isOn = :on)";
        let update = self
            .updating(id)
            .update_expression("SET secondFactor = :change REMOVE secondFactorAt")
            .condition_expression(condition)
            .expression_attribute_values(":on", AttributeValue::Bool(true))
            .expression_attribute_values(":change", second_factor_change(false, now)?);
        let update = update.build().context("note that a second factor is off")?;
        match update_item(&self.dynamodb, update, ReturnValue::None).await? {
            Written::Refused(item) if item.is_empty() => Err(anyhow!("the person has no profile")),
            Written::Done(_) | Written::Refused(_) => Ok(()),
        }
    }

    /// Notes that a person turns the second factor on. Safe to repeat by the SDK: the same time changes nothing.
    ///
    /// # Errors
    /// When the person has no profile, or the table does not take it.
    pub async fn second_factor_on(&self, id: &UserId, now: Timestamp) -> anyhow::Result<()> {
        let update = self
            .update(id)
            .update_expression("SET secondFactor = :change")
            .expression_attribute_values(":change", second_factor_change(true, now)?);
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

    /// The profile of a person as it is now: `None` for one whose address was never confirmed, or who has left.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find(&self, id: &UserId) -> anyhow::Result<Option<Profile>> {
        let get = self.dynamodb.get_item().table_name(&self.table).key("userId", text(id));
        let found = get.consistent_read(true).send().await.context("read a profile")?;
        found.item.map(from_item).transpose()
    }

    /// A page of the shop's people: by address those whose begins so, or all, newest first. A moment behind.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list(
        &self,
        email: Option<&EmailPrefix>,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<Listed>, Problem> {
        let (client, table) = (&self.dynamodb, &self.table);
        match email {
            Some(prefix) => {
                cursors.page_beginning_with(client, table, PEOPLE, ALL_PEOPLE, prefix.as_str(), request).await
            }
            None => cursors.page(client, table, NEWEST, ALL_PEOPLE, request).await,
        }
    }

    /// Changes what a person tells of themselves, if it is a version that the request is about. Safe to repeat: where
    /// it is refused and all is as it would be then, it was this that did it, or as good as.
    ///
    /// # Errors
    /// 404 for a person without a profile, `account-closed`, `precondition-failed`.
    pub async fn change(
        &self,
        id: &UserId,
        changes: &ProfileChanges,
        if_match: &IfMatch,
        now: Timestamp,
    ) -> Result<Profile, Problem> {
        match update_item(&self.dynamodb, self.changing(id, changes, if_match, now)?, ReturnValue::AllNew)
            .await?
        {
            Written::Done(item) => Ok(from_item(item)?),
            Written::Refused(item) if item.is_empty() => Err(Problem::not_found("profile")),
            Written::Refused(item) => {
                let found: Profile = from_item(item)?;
                let is_next = found.version.checked_sub(1).is_some_and(|before| if_match.allows(before));
                if !found.status.is_active() {
                    Err(account_closed())
                } else if is_next && changes.are_done_in(&found) {
                    Ok(found)
                } else {
                    Err(Problem::another_version("profile"))
                }
            }
        }
    }

    fn changing(
        &self,
        id: &UserId,
        changes: &ProfileChanges,
        if_match: &IfMatch,
        now: Timestamp,
    ) -> anyhow::Result<Update> {
        let written = changes.written();
        let set = to_item(&written)?;
        let mut expression = format!("SET updatedAt = :now, {NEXT_VERSION}");
        let mut update = self.updating(id);
        for (name, value) in set {
            expression.push_str(&format!(", #{name} = :{name}"));
            update = update
                .expression_attribute_names(format!("#{name}"), &name)
                .expression_attribute_values(format!(":{name}"), value);
        }
        for (at, name) in written.gone.iter().enumerate() {
            expression.push_str(if at == 0 { " REMOVE " } else { ", " });
            expression.push_str(&format!("#{name}"));
            update = update.expression_attribute_names(format!("#{name}"), *name);
        }
        let mut condition = format!("attribute_exists(userId) AND {IS_ACTIVE}");
        if let Some((is_asked_for, values)) = if_match.condition() {
            // What was never changed may have no number.
            let is_first = if if_match.allows(1) { " OR attribute_not_exists(#version)" } else { "" };
            condition
                .push_str(&format!(" AND ({}{is_first})", is_asked_for.replacen("version", "#version", 1)));
            for (name, value) in values {
                update = update.expression_attribute_values(name, value);
            }
        }
        update
            .update_expression(expression)
            .condition_expression(condition)
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":active", text(&Status::Active))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":now", text(&now))
            .build()
            .context("change a profile")
    }

    /// Writes what became of a person's role and account, if `before` is still so and `by` is an open admin at that
    /// moment, and begins to tell the user pool. Safe to repeat: the change that was written is known by its id.
    ///
    /// # Errors
    /// When the tables do not take it.
    pub async fn restand(
        &self,
        guards: &Guards,
        before: &Profile,
        after: &Profile,
        by: &UserId,
    ) -> anyhow::Result<Restanding> {
        let mut write = Write::new();
        let of_person = write.update(self.restanding(before, after)?);
        let of_admin = write.check(self.is_admin(by)?);
        write.update(guards.begin(SYNC, &before.user_id.to_string())?);
        match write.commit(&self.dynamodb).await? {
            Written::Done(()) => Ok(Restanding::Done),
            Written::Refused(mut found) => {
                let person = found.take(of_person).filter(|item| !item.is_empty());
                let person: Option<Profile> = person.map(from_item).transpose()?;
                if person.is_some_and(|person| person.sync.is_some() && person.sync == after.sync) {
                    return Ok(Restanding::Done);
                }
                let is_by_an_admin = found.at(of_admin).is_none();
                Ok(if is_by_an_admin { Restanding::Changed } else { Restanding::NotByAnAdmin })
            }
        }
    }

    fn restanding(&self, before: &Profile, after: &Profile) -> anyhow::Result<Update> {
        #[derive(serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Standing<'a> {
            role: &'a Option<Role>,
            role_changed_at: &'a Option<Timestamp>,
            status: Status,
            sync: &'a Option<crate::Sync>,
        }
        let Profile { role, role_changed_at, status, sync, .. } = after;
        let standing = to_item(&Standing { role, role_changed_at, status: *status, sync })?;
        let given = standing.into_iter().filter(|(_, value)| !matches!(value, AttributeValue::Null(_)));
        let (mut set, mut update) = (Vec::new(), self.updating(&before.user_id));
        for (name, value) in given {
            set.push(format!("#{name} = :{name}"));
            update = update
                .expression_attribute_names(format!("#{name}"), &name)
                .expression_attribute_values(format!(":{name}"), value);
        }
        let is_as_before = standing_is(before, "#role", "#status");
        for (name, value) in is_as_before.values {
            update = update.expression_attribute_values(name, value);
        }
        update
            .update_expression(format!("SET {}", set.join(", ")))
            .condition_expression(format!("attribute_exists(userId) AND {}", is_as_before.condition))
            .expression_attribute_names("#role", "role")
            .expression_attribute_names("#status", "status")
            .build()
            .context("change what a person may do")
    }

    /// That this person is an open admin.
    fn is_admin(&self, id: &UserId) -> anyhow::Result<ConditionCheck> {
        ConditionCheck::builder()
            .table_name(&self.table)
            .key("userId", text(id))
            .condition_expression(format!(
                "attribute_exists(userId) AND (#role = :admin OR attribute_not_exists(#role)) AND {IS_ACTIVE}"
            ))
            .expression_attribute_names("#role", "role")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":admin", text(&Role::Admin))
            .expression_attribute_values(":active", text(&Status::Active))
            .build()
            .context("look whether somebody is still an admin")
    }

    /// Notes that the user pool knows what this profile says of role and status, if it still says so; gives whether it
    /// does. Safe to repeat.
    ///
    /// # Errors
    /// When the tables do not take it.
    pub async fn synced(&self, guards: &Guards, profile: &Profile) -> anyhow::Result<bool> {
        let mut write = Write::new();
        let is_so = standing_is(profile, "#role", "#status");
        let mut update = self.updating(&profile.user_id);
        for (name, value) in is_so.values {
            update = update.expression_attribute_values(name, value);
        }
        let is_same = if let Some(sync) = &profile.sync {
            update = update
                .expression_attribute_names("#id", "id")
                .expression_attribute_values(":sync", text(&sync.id));
            "(attribute_not_exists(sync) OR sync.#id = :sync)"
        } else {
            "attribute_not_exists(sync)"
        };
        let update = update
            .update_expression("REMOVE sync")
            .condition_expression(format!("attribute_exists(userId) AND {} AND {is_same}", is_so.condition))
            .expression_attribute_names("#role", "role")
            .expression_attribute_names("#status", "status");
        write.update(update.build().context("note what the user pool knows")?);
        write.update(guards.finish(SYNC, &profile.user_id.to_string())?);
        Ok(write.commit(&self.dynamodb).await? == Written::Done(()))
    }

    /// Notes that nothing is to be told of a person any more who has no profile.
    ///
    /// # Errors
    /// When the table does not take it.
    pub async fn nothing_to_sync(&self, guards: &Guards, id: &UserId) -> anyhow::Result<()> {
        let mut write = Write::new();
        write.update(guards.finish(SYNC, &id.to_string())?);
        write.commit(&self.dynamodb).await.map(drop)
    }

    /// Of whom the user pool has something to hear.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn unsynced(&self, guards: &Guards) -> anyhow::Result<Vec<UserId>> {
        Ok(guards.unfinished(SYNC).await?.into_iter().map(UserId::from).collect())
    }

    /// Notes that a person leaves, if `before` is still so, and that the deletion is to be done; gives who leaves, as
    /// noted now or before. Safe to repeat.
    ///
    /// # Errors
    /// When the tables do not take it.
    pub async fn leave(
        &self,
        guards: &Guards,
        before: &Profile,
        now: Timestamp,
    ) -> anyhow::Result<Option<Profile>> {
        let deletion = guards.begin(DELETION, &before.user_id.to_string())?;
        let departure = Some(DepartureId::at(now));
        let after = Profile { status: Status::Deleting, departure, ..before.clone() };
        self.set_leaving(deletion, before, after).await
    }

    /// Notes that a person who would leave stays, and that there is nothing to do; gives whether it is so. Safe to
    /// repeat.
    ///
    /// # Errors
    /// When the tables do not take it.
    pub async fn stay(&self, guards: &Guards, before: &Profile) -> anyhow::Result<bool> {
        let deletion = guards.finish(DELETION, &before.user_id.to_string())?;
        let after = Profile { status: Status::Active, ..before.clone() };
        Ok(self.set_leaving(deletion, before, after).await?.is_some())
    }

    async fn set_leaving(
        &self,
        deletion: Update,
        before: &Profile,
        after: Profile,
    ) -> anyhow::Result<Option<Profile>> {
        let mut write = Write::new();
        let is_so = standing_is(before, "#role", "#status");
        let mut update = self.updating(&before.user_id);
        for (name, value) in is_so.values {
            update = update.expression_attribute_values(name, value);
        }
        let update = match after.departure {
            Some(departure) => update
                .update_expression("SET #status = :status, departure = :departure")
                .expression_attribute_values(":departure", text(&departure)),
            None => update.update_expression("SET #status = :status"),
        };
        let update = update
            .condition_expression(format!("attribute_exists(userId) AND {}", is_so.condition))
            .expression_attribute_names("#role", "role")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", text(&after.status));
        let own = write.update(update.build().context("note that somebody leaves or stays")?);
        write.update(deletion);
        match write.commit(&self.dynamodb).await? {
            Written::Done(()) => Ok(Some(after)),
            Written::Refused(mut found) => {
                let found = found.take(own).filter(|item| !item.is_empty());
                let found: Option<Profile> = found.map(from_item).transpose()?;
                Ok(found.filter(|found| found.status == after.status))
            }
        }
    }

    /// Deletes the profile of a person who leaves, which is the last that is left, and notes that all is done. Safe to
    /// repeat.
    ///
    /// # Errors
    /// When the tables do not take it.
    pub async fn forget(&self, guards: &Guards, id: &UserId) -> anyhow::Result<()> {
        let delete = self
            .dynamodb
            .delete_item()
            .table_name(&self.table)
            .key("userId", text(id))
            .condition_expression("attribute_not_exists(userId) OR #status = :deleting")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":deleting", text(&Status::Deleting));
        let deleted = dynamo::unless_condition_failed(delete.send().await).context("delete a profile")?;
        deleted.context("the person does not leave")?;
        let mut write = Write::new();
        write.update(guards.finish(DELETION, &id.to_string())?);
        write.commit(&self.dynamodb).await.map(drop)
    }

    /// Who leaves and is not gone yet.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn leaving(&self, guards: &Guards) -> anyhow::Result<Vec<UserId>> {
        Ok(guards.unfinished(DELETION).await?.into_iter().map(UserId::from).collect())
    }

    fn updating(&self, id: &UserId) -> UpdateBuilder {
        Update::builder().table_name(&self.table).key("userId", text(id))
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
