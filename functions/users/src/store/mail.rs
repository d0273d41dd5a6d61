//! The Mail table: what admins wrote to people, and the addresses that get no email any more.
//!
//! | key `about`, `entry` | names | kept for |
//! | --- | --- | --- |
//! | `address#{HMAC of it}`, `suppressed` | an address that gets no email, and why | half a year, or two |
//! | a person's id, `suppressed#{the same}` | whose address that was when it was told | likewise |
//! | a person's id, `message#{messageId}` | what an admin wrote to somebody | 30 days |
//! | `address#{HMAC of it}`, `message#{messageId}` | the same to somebody without an account | 30 days |
//! | index `suppressed`: `listed` = `suppressed`, `at` | addresses that get no email, newest first | |
//!
//! So all that there is of a person has the person's id, and whoever sends asks for an address by one key. What happens
//! to people is read from their own entries ([`crate::events::between_mail`]).

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put};
use shared::caller::UserId;
use shared::dynamo::list::{Cursors, List, Page, PageRequest, Sort};
use shared::dynamo::{Item, KeptItems, Remains, Stretch, Write, Written, from_item, number, text, to_item};
use shared::guards::{Committed, Guards, KeyedRequest};
use shared::http::problem::Problem;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;

use super::{ALL_PEOPLE, PEOPLE, Users};
use crate::Email;
use crate::messages::{ADDRESS, Message, MessageName};
use crate::suppression::{AddressId, Suppression};

/// The entry of an address, and the partition of the index.
const SUPPRESSED: &str = "suppressed";

/// What begins the entry of a person's address.
pub(crate) const OWN_SUPPRESSED: &str = "suppressed#";

/// What begins the entry of a message.
pub(crate) const MESSAGE: &str = "message#";

const OF_PERSON: List =
    List { index: None, partition: "about", sort: Sort::Ascending("entry"), key: "entry" };

const LISTED: List =
    List { index: Some("suppressed"), partition: "listed", sort: Sort::Descending("at"), key: "about,entry" };

/// What is written to people, and to whom nothing is.
#[derive(Debug, Clone)]
pub struct Mail {
    client: Client,
    table: String,
}

impl FromEnv for Mail {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: aws.dynamodb(), table: config::table("MAIL_TABLE") })
    }
}

impl Mail {
    /// Has nothing be written to an address any more; gives whether that is news. Safe to repeat, and in any order:
    /// what counts for longer stays.
    ///
    /// # Errors
    /// When the table does not take it.
    pub async fn suppress(&self, suppression: &Suppression) -> anyhow::Result<bool> {
        let Suppression { address_id, user_id, expires_at, .. } = suppression;
        let item = to_item(suppression)?;
        let put = self
            .put(item.clone(), &about_of(address_id), SUPPRESSED)
            .item("listed", text(SUPPRESSED))
            .condition_expression("attribute_not_exists(entry) OR expiresAt < :end")
            .expression_attribute_values(":end", number(*expires_at));
        let mut write = Write::new();
        write.put(put.build().context("note an address that gets no email")?);
        if let Some(person) = user_id {
            let put = self.put(item, &person.to_string(), &format!("{OWN_SUPPRESSED}{address_id}"));
            write.put(put.build().context("note whose address gets no email")?);
        }
        Ok(matches!(write.commit(&self.client).await?, Written::Done(())))
    }

    fn put(&self, item: Item, about: &str, entry: &str) -> PutBuilder {
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        put.item("about", text(about)).item("entry", text(entry))
    }

    /// Whether nothing is to be written to an address, as of a moment ago.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn is_suppressed(&self, address: &AddressId, now: Timestamp) -> anyhow::Result<bool> {
        let found = self.suppression(address).await?;
        Ok(found.is_some_and(|found| found.expires_at > now.unix_seconds()))
    }

    /// Why nothing is written to an address, if it is so or was lately.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn suppression(&self, address: &AddressId) -> anyhow::Result<Option<Suppression>> {
        let get = self.client.get_item().table_name(&self.table);
        let get = get.key("about", text(&about_of(address))).key("entry", text(SUPPRESSED));
        let found = get.send().await.context("read whether an address gets email")?;
        found.item.map(from_item).transpose()
    }

    /// A page of the addresses that get no email, newest first.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn suppressions(
        &self,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<Suppression>, Problem> {
        cursors.page(&self.client, &self.table, LISTED, SUPPRESSED, request).await
    }

    /// Has an address be written to again. Safe to repeat: then it is so already.
    ///
    /// # Errors
    /// When the table cannot be read or written.
    pub async fn lift(&self, address: &AddressId) -> anyhow::Result<()> {
        let Some(Suppression { user_id, .. }) = self.suppression(address).await? else { return Ok(()) };
        let mut write = Write::new();
        write.delete(self.delete(&about_of(address), SUPPRESSED)?);
        if let Some(person) = user_id {
            write.delete(self.delete(&person.to_string(), &format!("{OWN_SUPPRESSED}{address}"))?);
        }
        write.commit(&self.client).await.map(drop)
    }

    fn delete(&self, about: &str, entry: &str) -> anyhow::Result<Delete> {
        let delete = Delete::builder().table_name(&self.table);
        let delete = delete.key("about", text(about)).key("entry", text(entry));
        delete.build().context("delete an entry of the mail")
    }

    /// Keeps a message, once for its key; gives what names it.
    ///
    /// # Errors
    /// When the tables do not take it.
    pub async fn keep(
        &self,
        guards: &Guards,
        keyed: Option<&KeyedRequest>,
        message: &Message,
        now: Timestamp,
    ) -> anyhow::Result<Committed<MessageName>> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(to_item(message)?))
            .item("entry", text(&entry_of(message.name())))
            .condition_expression("attribute_not_exists(entry)");
        let mut write = Write::new();
        write.put(put.build().context("keep a message")?);
        guards.commit(write, keyed, message.name().clone(), now).await
    }

    /// A message, as long as it is kept.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn message(&self, name: &MessageName) -> anyhow::Result<Option<Message>> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("about", text(&name.about)).key("entry", text(&entry_of(name)));
        let found = get.send().await.context("read a message")?;
        found.item.map(from_item).transpose()
    }

    /// A stretch of what there is of a person, as it is kept.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn kept_of(&self, person: &UserId, stretch: Stretch) -> anyhow::Result<KeptItems> {
        OF_PERSON.kept(&self.client, &self.table, person, stretch).await
    }

    /// Deletes what there is of a person, and that nothing is written to their addresses: a hundred entries in a call.
    /// Safe to repeat: what says which address it was goes last.
    ///
    /// # Errors
    /// When the table cannot be read or written.
    pub async fn forget(&self, person: &UserId) -> anyhow::Result<Remains> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("about = :person")
            .expression_attribute_values(":person", text(person))
            .projection_expression("about, entry")
            .consistent_read(true)
            .limit(100);
        let found = query.send().await.context("read the mail that is to go")?;
        for key in found.items.unwrap_or_default() {
            if let Some(AttributeValue::S(entry)) = key.get("entry")
                && let Some(address) = entry.strip_prefix(OWN_SUPPRESSED)
            {
                let about = text(&format!("{ADDRESS}{address}"));
                let delete = self.client.delete_item().table_name(&self.table);
                let delete = delete.key("about", about).key("entry", text(SUPPRESSED));
                delete.send().await.context("delete an address from the mail")?;
            }
            let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key));
            delete.send().await.context("delete an entry of the mail")?;
        }
        Ok(if found.last_evaluated_key.is_some() { Remains::More } else { Remains::Nothing })
    }
}

fn about_of(address: &AddressId) -> String {
    format!("{ADDRESS}{address}")
}

fn entry_of(name: &MessageName) -> String {
    format!("{MESSAGE}{}", name.message_id)
}

impl Users {
    /// Who has this address, as of a moment ago.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn with_address(&self, address: &Email) -> anyhow::Result<Option<UserId>> {
        let query = self
            .dynamodb
            .query()
            .table_name(&self.table)
            .set_index_name(PEOPLE.index.map(str::to_owned))
            .key_condition_expression("listed = :people AND email = :address")
            .expression_attribute_values(":people", text(ALL_PEOPLE))
            .expression_attribute_values(":address", text(address.as_str()))
            .projection_expression("userId")
            .limit(1);
        let found = query.send().await.context("look whose address it is")?;
        let person = found.items.unwrap_or_default().pop().and_then(|mut item| item.remove("userId"));
        Ok(match person {
            Some(AttributeValue::S(person)) => Some(UserId::from(person)),
            _ => None,
        })
    }
}
