//! The Inbox table.
//!
//! | what | keys |
//! | --- | --- |
//! | a notification | `userId`, `entry` = its id, so that a page is those that came last |
//! | how an inbox stands: `newest`, and `unread`, a set of ids | `userId`, `entry` = `~state`, behind all ids |
//! | that an event was taken | `userId`, `entry` = `#event#{event id}`, before all ids |
//!
//! A notification, the event that it tells of, and that it is the newest and unread are written together, on the
//! condition that the event is new and that nothing came meanwhile. So an event is told once, and ids follow the order
//! in which things came. Marking takes ids out of the set, which needs no condition: whatever else comes or is marked
//! at the same time, each id is taken out once and for all. DynamoDB deletes all of it 180 days after it came.

use std::collections::BTreeSet;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValue, Update};
use shared::caller::UserId;
use shared::dynamo::list::{Cursors, List, PageRequest, Sort};
use shared::dynamo::{
    Item, KeptItems, Remains, Stretch, Write, Written, backoff, number, read_each, text, to_item, update_item,
};
use shared::http::problem::{Busy, Problem};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;
use uuid::Uuid;

use crate::telling::entry_of;
use crate::{
    After, Language, News, Notification, NotificationId, NotificationList, ReadUpTo, SCHEMA_VERSION,
    Standing, Unread,
};

/// Where it stands how an inbox stands.
const STATE: &str = "~state";

/// All that an inbox has.
const ALL: List = List { index: None, partition: "userId", sort: Sort::Ascending("entry"), key: "entry" };

/// The list that cursors are of.
const LIST: &str = "inbox";

/// How often news are put anew, since something else came into the same inbox at the same time.
const TRIES: u32 = 10;

/// How many are read or deleted at a time.
const AT_ONCE: i32 = 100;

/// The inboxes of all people.
#[derive(Debug, Clone)]
pub struct Inbox {
    client: Client,
    table: String,
}

impl FromEnv for Inbox {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: aws.dynamodb(), table: config::table("INBOX_TABLE") })
    }
}

impl Inbox {
    /// Puts what an event tells a person into the inbox, and gives its id. Safe to repeat: an inbox that has taken the
    /// event stays as it is, and nothing is given.
    ///
    /// # Errors
    /// [`Busy`] where too much came at the same time, otherwise when the table cannot be read or written.
    pub async fn put(
        &self,
        event: Uuid,
        news: News,
        now: Timestamp,
    ) -> anyhow::Result<Option<NotificationId>> {
        for attempt in 0..TRIES {
            let standing = self.standing(&news.to).await?;
            self.forget_unread(&news.to, standing.surplus().collect()).await?;
            let id = standing.next(now);
            let mut write = Write::new();
            let taken = write.put(self.taken(&news.to, event, id)?);
            write.put(self.notification(&Notification::new(id, news.clone()))?);
            write.update(self.came(&news.to, id, standing.newest())?);
            match write.commit(&self.client).await? {
                Written::Done(()) => return Ok(Some(id)),
                Written::Refused(found) if found.at(taken).is_some() => return Ok(None),
                Written::Refused(_) => tokio::time::sleep(backoff(attempt)).await,
            }
        }
        Err(Busy).context("put news into an inbox")
    }

    fn taken(&self, person: &UserId, event: Uuid, id: NotificationId) -> anyhow::Result<Put> {
        Put::builder()
            .table_name(&self.table)
            .item("userId", text(person))
            .item("entry", text(&entry_of(event)))
            .item("expiresAt", number(id.expires_at()))
            .item("schemaVersion", number(SCHEMA_VERSION))
            .condition_expression("attribute_not_exists(entry)")
            .build()
            .context("take an event")
    }

    fn notification(&self, notification: &Notification) -> anyhow::Result<Put> {
        Put::builder()
            .table_name(&self.table)
            .set_item(Some(to_item(notification)?))
            .condition_expression("attribute_not_exists(entry)")
            .build()
            .context("put a notification")
    }

    /// That this one is the newest now, if the newest was the one that was read.
    fn came(
        &self,
        person: &UserId,
        id: NotificationId,
        before: Option<NotificationId>,
    ) -> anyhow::Result<Update> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(person, STATE)))
            .update_expression(
                "SET newest = :id, expiresAt = :end, schemaVersion = :schema ADD unread :these",
            )
            .expression_attribute_values(":id", id_number(id))
            .expression_attribute_values(":these", set_of([id]))
            .expression_attribute_values(":end", number(id.expires_at()))
            .expression_attribute_values(":schema", number(SCHEMA_VERSION));
        let update = match before {
            None => update.condition_expression("attribute_not_exists(newest)"),
            Some(before) => update
                .condition_expression("newest = :before")
                .expression_attribute_values(":before", id_number(before)),
        };
        update.build().context("say which is the newest")
    }

    /// How an inbox stands.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn standing(&self, person: &UserId) -> anyhow::Result<Standing> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(key(person, STATE)));
        let found = get.consistent_read(true).send().await.context("read how an inbox stands")?;
        found.item.map(|item| standing_in(&item)).transpose().map(Option::unwrap_or_default)
    }

    /// A page of an inbox, newest first; with `after`, of those alone that came after that one. One query; and for each
    /// page after the first, a read beside it of how the inbox stands.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list_of(
        &self,
        (person, after, language): (&UserId, Option<After>, Language),
        cursors: &Cursors,
        request: &PageRequest,
        now: Timestamp,
    ) -> Result<NotificationList, Problem> {
        let after = after.map(|After(id)| id);
        let scope = format!("{person}\0{}", after.map(|id| id.to_string()).unwrap_or_default());
        let behind =
            request.cursor().map(|cursor| cursors.open_position::<NotificationId>(LIST, &scope, cursor));
        let behind = behind.transpose()?;
        let lowest =
            NotificationId::oldest_kept(now).max(after.map_or(NotificationId(0), NotificationId::next));
        let limit = request.limit();
        let (mut items, standing) = match behind {
            None => self.first(person, lowest, limit + 1).await?,
            // Whoever reads on after half a year finds nothing more.
            Some(behind) if behind <= lowest => (Vec::new(), self.standing(person).await?),
            Some(behind) => {
                let (lowest, highest) = (lowest.to_string(), behind.previous().to_string());
                let items = self.query(person, (&lowest, &highest), limit + 1);
                tokio::try_join!(items, self.standing(person))?
            }
        };
        let has_more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| has_more).and_then(|last| last.get("entry")?.as_s().ok());
        let next_cursor = last.map(|last| cursors.seal_position(LIST, &scope, last));
        let found: Vec<Notification> = read_each(items, "entry");
        let notifications = found.into_iter().map(|one| one.view(&standing, language)).collect();
        Ok(NotificationList { notifications, unread: standing.unread(now), next_cursor })
    }

    /// The newest ones, with how the inbox stands, which is the item behind them.
    async fn first(
        &self,
        person: &UserId,
        lowest: NotificationId,
        limit: usize,
    ) -> anyhow::Result<(Vec<Item>, Standing)> {
        let items = self.query(person, (&lowest.to_string(), STATE), limit + 1).await?;
        let (state, items): (Vec<_>, Vec<_>) =
            items.into_iter().partition(|item| item.get("entry") == Some(&text(STATE)));
        let standing = state.first().map(standing_in).transpose()?.unwrap_or_default();
        Ok((items, standing))
    }

    /// The last entries of these, newest first.
    async fn query(
        &self,
        person: &UserId,
        (lowest, highest): (&str, &str),
        limit: usize,
    ) -> anyhow::Result<Vec<Item>> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("userId = :person AND entry BETWEEN :lowest AND :highest")
            .expression_attribute_values(":person", text(person))
            .expression_attribute_values(":lowest", text(lowest))
            .expression_attribute_values(":highest", text(highest))
            .scan_index_forward(false)
            // Whoever has marked something sees that it is marked.
            .consistent_read(true)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        Ok(query.send().await.context("read an inbox")?.items.unwrap_or_default())
    }

    /// Marks one as read. One update. Safe to repeat: it is read.
    ///
    /// # Errors
    /// 404 for one that has not come.
    pub async fn mark(&self, person: &UserId, id: NotificationId, now: Timestamp) -> Result<Unread, Problem> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(person, STATE)))
            .update_expression("DELETE unread :these")
            .condition_expression("newest >= :id")
            .expression_attribute_values(":these", set_of([id]))
            .expression_attribute_values(":id", id_number(id))
            .build()
            .context("mark a notification")?;
        match update_item(&self.client, update, ReturnValue::AllNew).await.context("mark a notification")? {
            Written::Done(state) => Ok(Unread { unread: standing_in(&state)?.unread(now) }),
            Written::Refused(_) => Err(no_such()),
        }
    }

    /// Marks this one and all that came before it as read, as far as they are not: a read and an update. Safe to
    /// repeat, and whatever comes meanwhile stays unread, since it comes after it.
    ///
    /// # Errors
    /// 404 for one that has not come.
    pub async fn mark_up_to(
        &self,
        person: &UserId,
        ReadUpTo { up_to }: ReadUpTo,
        now: Timestamp,
    ) -> Result<Unread, Problem> {
        let standing = self.standing(person).await?;
        let read = standing.up_to(up_to).ok_or_else(no_such)?;
        let standing = self.forget_unread(person, read).await?.unwrap_or(standing);
        Ok(Unread { unread: standing.unread(now) })
    }

    /// Takes some out of those that are unread, if there are any; gives how the inbox stands then.
    async fn forget_unread(
        &self,
        person: &UserId,
        these: Vec<NotificationId>,
    ) -> anyhow::Result<Option<Standing>> {
        if these.is_empty() {
            return Ok(None);
        }
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(person, STATE)))
            .update_expression("DELETE unread :these")
            // An inbox that is gone is not made anew.
            .condition_expression("attribute_exists(newest)")
            .expression_attribute_values(":these", set_of(these))
            .build()
            .context("mark notifications")?;
        match update_item(&self.client, update, ReturnValue::AllNew).await.context("mark notifications")? {
            Written::Done(state) => standing_in(&state).map(Some),
            Written::Refused(_) => Ok(Some(Standing::default())),
        }
    }

    /// A stretch of a person's inbox, as it is kept.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn kept_of(&self, person: &UserId, stretch: Stretch) -> anyhow::Result<KeptItems> {
        ALL.kept(&self.client, &self.table, person, stretch).await
    }

    /// Deletes what there is of a person's inbox, a hundred entries in a call. Safe to repeat.
    ///
    /// # Errors
    /// When the table cannot be read or written.
    pub async fn forget(&self, person: &UserId) -> anyhow::Result<Remains> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("userId = :person")
            .expression_attribute_values(":person", text(person))
            .projection_expression("userId, entry")
            .consistent_read(true)
            .limit(AT_ONCE);
        let found = query.send().await.context("read an inbox that is to go")?;
        for key in found.items.unwrap_or_default() {
            let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key));
            delete.send().await.context("delete an entry of an inbox")?;
        }
        Ok(if found.last_evaluated_key.is_some() { Remains::More } else { Remains::Nothing })
    }
}

fn no_such() -> Problem {
    Problem::not_found("notification")
}

fn key(person: &UserId, entry: &str) -> Item {
    Item::from([("userId".to_owned(), text(person)), ("entry".to_owned(), text(entry))])
}

fn id_number(id: NotificationId) -> AttributeValue {
    AttributeValue::N(u64::from(id).to_string())
}

fn set_of(ids: impl IntoIterator<Item = NotificationId>) -> AttributeValue {
    AttributeValue::Ns(ids.into_iter().map(|id| u64::from(id).to_string()).collect())
}

/// DynamoDB has no empty sets, so an inbox of which all is read has none.
fn standing_in(item: &Item) -> anyhow::Result<Standing> {
    let id = |number: &String| number.parse().map(NotificationId).context("an id is a number");
    let newest = match item.get("newest") {
        Some(AttributeValue::N(number)) => Some(id(number)?),
        _ => None,
    };
    let unread = match item.get("unread") {
        Some(AttributeValue::Ns(numbers)) => numbers.iter().map(id).collect::<anyhow::Result<_>>()?,
        _ => BTreeSet::new(),
    };
    Ok(Standing::new(newest, unread))
}
