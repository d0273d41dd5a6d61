//! The Stores table.
//!
//! | what | `storeId` | `entry` |
//! | --- | --- | --- |
//! | a store | its id | `store` |
//! | whether it can be ordered from, sixteen times | its id | `gate#0` to `gate#15` |
//! | a name, as people compare names, and whose it is | the name's key | `#name` |
//! | how many stores a person has | the person's id | `#owner` |
//! | how often the sets below have changed, all together | `hidden` | `hidden` |
//! | which stores are hidden: those whose ids end so | `hidden#0` to `hidden#15` | `hidden` |
//! | how a product counts in the rating of its store | the product's id | `#rated` |
//! | a person's stores, newest first | index `owner`: `ownerId`, `createdAt` | |
//! | what everyone sees, newest first | index `published`, sparse: `published` = "published", `createdAt` | |
//!
//! A store's pictures and its stars change by themselves, all else of it under its `version`. Its gates and its place
//! among the hidden change with its status, in the same transaction: so an order that goes through a gate, which is a
//! condition in the order's own transaction, was placed while the store was published. There are sixteen gates so that
//! the orders of one store do not meet on one item, where DynamoDB would cancel them.

mod gates;
mod hidden;
mod ratings;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, ReturnValue, Update};
use serde::Deserialize;
use shared::caller::{Caller, UserId};
use shared::dynamo::list::Sort::Descending;
use shared::dynamo::list::{Cursors, List, Page, PageRequest};
use shared::dynamo::{
    Batch, Consistency, Found, Item, KeptItems, Part, Read, Stretch, Write, Written, from_item, number,
    read_each, text, to_item, update_item,
};
use shared::http::IfMatch;
use shared::http::input::Change;
use shared::http::problem::Problem;
use shared::media::{Media, Published, Standing, UploadId};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;
use users::OpenAccounts;

use crate::{
    Editor, Error, MOST_STORES, NameKey, NewStatus, PictureOf, SCHEMA_VERSION, Store, StoreChanges, StoreId,
};

use crate::picturing::PICTURES;

pub use gates::Gate;
pub use hidden::{Hidden, HiddenStores, Look};

const OWNER: List =
    List { index: Some("owner"), partition: "ownerId", sort: Descending("createdAt"), key: "storeId" };
const PUBLISHED: List =
    List { index: Some("published"), partition: "published", sort: Descending("createdAt"), key: "storeId" };

const ALL_PUBLISHED: &str = "published";

/// The attributes of the key.
const KEY: (&str, &str) = ("storeId", "entry");

const STORE: &str = "store";
const NAME: &str = "#name";
const OF_OWNER: &str = "#owner";

/// How often a change is tried again when others changed the store first.
const TRIES: u32 = 5;

/// The Stores table.
#[derive(Debug, Clone)]
pub struct Stores {
    client: Client,
    table: String,
    accounts: OpenAccounts,
}

impl FromEnv for Stores {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws.dynamodb(),
            table: config::table("STORES_TABLE"),
            accounts: OpenAccounts::from_env(aws)?,
        })
    }
}

/// What a name's item says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Holder {
    holder: StoreId,
}

impl Stores {
    /// Records a new store, with its name and in the count of its owner's, whose account may be used. Safe against the
    /// SDK's own repetition: its id is new, so a store of that id is this one.
    ///
    /// # Errors
    /// [`Error::AccountClosed`], [`Error::NameTaken`], [`Error::TooMany`].
    pub async fn create(&self, store: &Store) -> Result<(), Error> {
        let mut write = Write::new();
        let put = Put::builder().table_name(&self.table).set_item(Some(with_index_keys(store)?));
        let put = put.item("entry", text(STORE)).condition_expression("attribute_not_exists(storeId)");
        let own = write.put(put.build().context("record a store")?);
        let name = write.put(self.take_name(&store.name_key, store.store_id)?);
        let count = self
            .update(&store.owner_id, OF_OWNER)
            .update_expression("SET schemaVersion = :schema ADD stores :one")
            .condition_expression("attribute_not_exists(stores) OR stores < :most")
            .expression_attribute_values(":schema", number(SCHEMA_VERSION))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(MOST_STORES));
        let count = write.update(count.build().context("count a person's stores")?);
        let account = write.check(self.accounts.is_open(&store.owner_id)?);
        match write.commit(&self.client).await.context("record a store")? {
            Written::Done(()) => Ok(()),
            Written::Refused(found) if found.at(own).is_some() => Ok(()),
            Written::Refused(found) if found.at(account).is_some() => Err(Error::AccountClosed),
            // Whoever may have no more would not be helped by another name.
            Written::Refused(found) if found.at(count).is_some() => Err(Error::TooMany),
            Written::Refused(found) if found.at(name).is_some() => Err(Error::NameTaken),
            Written::Refused(_) => Err(anyhow::anyhow!("a store was refused for another reason").into()),
        }
    }

    /// That a name is this store's, if it is nobody's.
    fn take_name(&self, key: &NameKey, id: StoreId) -> anyhow::Result<Put> {
        Put::builder()
            .table_name(&self.table)
            .item("storeId", text(key))
            .item("entry", text(NAME))
            .item("holder", text(&id))
            .item("schemaVersion", number(SCHEMA_VERSION))
            .condition_expression("attribute_not_exists(storeId)")
            .build()
            .context("take a name")
    }

    /// That a name is nobody's, if it is still this store's.
    fn give_up_name(&self, key: &NameKey, id: StoreId) -> anyhow::Result<Delete> {
        Delete::builder()
            .table_name(&self.table)
            .key("storeId", text(key))
            .key("entry", text(NAME))
            .condition_expression("attribute_not_exists(storeId) OR holder = :store")
            .expression_attribute_values(":store", text(&id))
            .build()
            .context("give a name up")
    }

    /// The store as it is now, whoever may see it.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find(&self, id: StoreId) -> anyhow::Result<Option<Store>> {
        self.get(id, Consistency::Strong).await
    }

    async fn get(&self, id: StoreId, consistency: Consistency) -> anyhow::Result<Option<Store>> {
        let get = self.client.get_item().table_name(&self.table);
        let get = get.key("storeId", text(&id)).key("entry", text(STORE));
        let get = get.consistent_read(consistency == Consistency::Strong);
        get.send().await.context("read a store")?.item.map(from_item).transpose()
    }

    /// The store as everyone may see it, as of a moment ago, at half the cost of a consistent read.
    ///
    /// # Errors
    /// [`Error::NotFound`] also when it is not published.
    pub async fn find_published(&self, id: StoreId) -> Result<Store, Error> {
        let found = self.get(id, Consistency::Eventual).await?;
        found.filter(Store::is_published).ok_or(Error::NotFound)
    }

    /// The store, if `caller` may change it.
    ///
    /// # Errors
    /// Those of [`Store::editor`].
    pub async fn find_to_change(&self, caller: &Caller, id: StoreId) -> Result<Store, Error> {
        let store = self.find(id).await?.ok_or(Error::NotFound)?;
        store.editor(caller)?;
        Ok(store)
    }

    /// A page of the published stores, newest first.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list_published(
        &self,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<Store>, Problem> {
        cursors.page(&self.client, &self.table, PUBLISHED, ALL_PUBLISHED, request).await
    }

    /// A page of what `owner` has, newest first.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list_of(
        &self,
        owner: &UserId,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<Store>, Problem> {
        cursors.page(&self.client, &self.table, OWNER, &owner.to_string(), request).await
    }

    /// A stretch of what somebody has, as it is kept.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn kept_of(&self, person: &UserId, stretch: Stretch) -> anyhow::Result<KeptItems> {
        OWNER.kept(&self.client, &self.table, person, stretch).await
    }

    /// All that `owner` has, in one query, since that is not many.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn all_of(&self, owner: &UserId) -> anyhow::Result<Vec<Store>> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .set_index_name(OWNER.index.map(str::to_owned))
            .key_condition_expression("ownerId = :owner")
            .expression_attribute_values(":owner", text(owner));
        let found = query.send().await.context("read a person's stores")?;
        Ok(read_each(found.items.unwrap_or_default(), "storeId"))
    }

    /// Adds stores to what is read at the same time.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn with(
        &self,
        read: Read,
        ids: impl IntoIterator<Item = StoreId>,
        consistency: Consistency,
    ) -> anyhow::Result<Read> {
        read.entries(&self.table, KEY, ids.into_iter().map(|id| (id, STORE)), consistency)
    }

    /// The stores that were read, in no order, without those that nobody can read.
    pub fn found_in(&self, batch: &mut Batch) -> Vec<Store> {
        let is_store = |item: &Item| item.get("entry") == Some(&text(STORE));
        read_each(batch.take_if(&self.table, is_store), "storeId")
    }

    /// That a store is `owner`'s, as a condition in the transaction that records a product of it.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn is_of(&self, id: StoreId, owner: &UserId) -> anyhow::Result<ConditionCheck> {
        ConditionCheck::builder()
            .table_name(&self.table)
            .key("storeId", text(&id))
            .key("entry", text(STORE))
            .condition_expression("ownerId = :owner")
            .expression_attribute_values(":owner", text(owner))
            .build()
            .context("ask whose a store is")
    }

    /// Changes what a store is called, what it says of itself and where it is written to, for its owner or an admin: in
    /// one conditional update, unless it gets another name, which takes a transaction more.
    ///
    /// Safe to repeat by the SDK: a change whose reply was lost is known again.
    ///
    /// # Errors
    /// Those of [`Store::editor`], [`Error::AnotherVersion`], [`Error::NameTaken`], and [`Error::ChangedMeanwhile`]
    /// when others did not stop.
    pub async fn change(
        &self,
        caller: &Caller,
        id: StoreId,
        if_match: &IfMatch,
        changes: &StoreChanges,
        now: Timestamp,
    ) -> Result<Store, Error> {
        let update = self.unless_renamed(caller, id, if_match, changes, now)?;
        let written =
            update_item(&self.client, update, ReturnValue::AllNew).await.context("change a store")?;
        let mut found: Store = match written {
            Written::Done(item) => return Ok(from_item(item)?),
            Written::Refused(item) => existing(item)?,
        };
        for _ in 0..TRIES {
            found.editor(caller)?;
            if found.was_changed_by(changes, now) {
                return Ok(found);
            }
            if !if_match.allows(found.version) {
                return Err(Error::AnotherVersion);
            }
            let changed = found.clone().with_changes(changes, now);
            if self.replace(&found, &changed).await? {
                return Ok(changed);
            }
            found = self.find(id).await?.ok_or(Error::NotFound)?;
        }
        Err(Error::ChangedMeanwhile)
    }

    /// A change without a read before it, if its name stays the same as people compare names.
    fn unless_renamed(
        &self,
        caller: &Caller,
        id: StoreId,
        if_match: &IfMatch,
        changes: &StoreChanges,
        now: Timestamp,
    ) -> anyhow::Result<Update> {
        let mut update = self.update(&id, STORE).expression_attribute_values(":now", text(&now));
        let mut condition = String::from("attribute_exists(storeId) AND updatedAt < :now");
        if !caller.is_admin() {
            condition.push_str(" AND ownerId = :caller");
            update = update.expression_attribute_values(":caller", text(caller.id()));
        }
        if let Some((versions, named)) = if_match.condition() {
            condition = format!("{condition} AND {versions}");
            for (name, version) in named {
                update = update.expression_attribute_values(name, version);
            }
        }
        let (mut set, mut remove) =
            (String::from("SET updatedAt = :now, version = version + :one"), Vec::new());
        if let Some(name) = &changes.name {
            condition.push_str(" AND nameKey = :key");
            set.push_str(", #name = :name");
            update = update
                .expression_attribute_names("#name", "name")
                .expression_attribute_values(":key", text(&name.key()))
                .expression_attribute_values(":name", text(name));
        }
        let description = of(&changes.description, text);
        let support_email = of(&changes.support_email, |email| text(email.as_str()));
        for (attribute, value, change) in
            [("description", ":description", description), ("supportEmail", ":email", support_email)]
        {
            match change {
                None => {}
                Some(None) => remove.push(attribute),
                Some(Some(new)) => {
                    set = format!("{set}, {attribute} = {value}");
                    update = update.expression_attribute_values(value, new);
                }
            }
        }
        if !remove.is_empty() {
            set = format!("{set} REMOVE {}", remove.join(", "));
        }
        update
            .update_expression(set)
            .condition_expression(condition)
            .expression_attribute_values(":one", number(1))
            .build()
            .context("change a store")
    }

    /// Closes the stores of an owner who has left, and takes their words and pictures out of them. Safe to repeat.
    ///
    /// # Errors
    /// When the table or the bucket cannot be read or written.
    pub async fn forget(&self, media: &Media, owner: &UserId, now: Timestamp) -> anyhow::Result<()> {
        for store in self.all_of(owner).await? {
            let id = store.id();
            for _ in 0..TRIES {
                let Some(found) = self.find(id).await? else { break };
                let closed = found.clone().without_owner(now).map_err(anyhow::Error::msg)?;
                let Some(closed) = closed else { break };
                let replaced = self.replace(&found, &closed).await;
                if replaced.map_err(|error| anyhow::anyhow!("close a store: {error:?}"))? {
                    break;
                }
            }
            media.erase(PICTURES, id).await?;
            self.forget_pictures(id).await?;
        }
        Ok(())
    }

    async fn forget_pictures(&self, id: StoreId) -> anyhow::Result<()> {
        let update = self.client.update_item().table_name(&self.table);
        let update = update.key("storeId", text(&id)).key("entry", text(STORE));
        let update =
            update.update_expression("REMOVE logo, banner").condition_expression("attribute_exists(storeId)");
        update.send().await.map(drop).context("take the pictures out of a store")
    }

    /// Publishes or deactivates a store for whom `editor` lets, with its gates and its place among the hidden, in one
    /// transaction. Safe to repeat: where it is so already nothing changes, and a write whose reply was lost is known
    /// again.
    ///
    /// # Errors
    /// What `editor` says; [`Error::NotFound`], [`Error::AnotherVersion`], [`Error::DeactivatedByAdmin`],
    /// [`Error::TooManyHidden`], and [`Error::ChangedMeanwhile`] when others did not stop.
    pub async fn set_status(
        &self,
        id: StoreId,
        if_match: &IfMatch,
        new: &NewStatus,
        editor: impl Fn(&Store) -> Result<Editor, Error>,
        now: Timestamp,
    ) -> Result<Store, Error> {
        let mut tried: Option<Store> = None;
        for _ in 0..TRIES {
            let found = self.find(id).await?.ok_or(Error::NotFound)?;
            if tried.is_some_and(|tried| tried.is_the_same_version(&found)) {
                return Ok(found);
            }
            let by = editor(&found)?;
            if !if_match.allows(found.version) {
                return Err(Error::AnotherVersion);
            }
            let Some(next) = found.clone().with_status(new, by, now)? else { return Ok(found) };
            if self.replace(&found, &next).await? {
                return Ok(next);
            }
            tried = Some(next);
        }
        Err(Error::ChangedMeanwhile)
    }

    /// Writes a store over the version that was `read`, and no other one: its name, its gates and its place among the
    /// hidden with it, where they are others. Its pictures stay as they are.
    ///
    /// # Errors
    /// [`Error::NameTaken`], [`Error::TooManyHidden`].
    async fn replace(&self, read: &Store, next: &Store) -> Result<bool, Error> {
        let id = read.store_id;
        let mut write = Write::new();
        let own = write.update(self.changes(read, next)?);
        let name = if next.name_key == read.name_key {
            None
        } else {
            write.delete(self.give_up_name(&read.name_key, id)?);
            Some(write.put(self.take_name(&next.name_key, id)?))
        };
        if next.is_published() != read.is_published() {
            for gate in Gate::all() {
                write.put(self.gate(id, gate, next.is_published())?);
            }
        }
        let hidden = match (read.is_hidden(), next.is_hidden()) {
            (false, true) => Some(self.hide(&mut write, id)?),
            (true, false) => self.show(&mut write, id).map(|()| None)?,
            (true, true) | (false, false) => None,
        };
        let mut found = match write.commit(&self.client).await.context("change a store")? {
            Written::Done(()) => return Ok(true),
            Written::Refused(found) => found,
        };
        let failed = |part: Option<Part>, found: &Found| part.is_some_and(|part| found.at(part).is_some());
        // Whoever changed it first may have taken the name for it, or hidden it.
        if found.at(own).is_some() {
            return Ok(false);
        }
        if failed(hidden, &found) {
            return Err(Error::TooManyHidden);
        }
        let taken = name.and_then(|part| found.take(part));
        let taken = taken.context("a change of a store was refused for another reason")?;
        if from_item::<Holder>(taken)?.holder == id { Ok(false) } else { Err(Error::NameTaken) }
    }

    /// What is different between two versions, but for pictures and stars, as an update of the first one: derived from
    /// the items, so that no attribute can be forgotten.
    fn changes(&self, read: &Store, next: &Store) -> anyhow::Result<Update> {
        let (logo, banner, stars) = (read.logo.clone(), read.banner.clone(), read.stars);
        let next = &Store { logo, banner, stars, ..next.clone() };
        let (old, new) = (with_index_keys(read)?, with_index_keys(next)?);
        let mut update = self.update(&read.store_id, STORE);
        let mut set = Vec::new();
        for (index, (name, value)) in
            new.iter().filter(|(name, value)| old.get(*name) != Some(value)).enumerate()
        {
            set.push(format!("#s{index} = :s{index}"));
            update = update
                .expression_attribute_names(format!("#s{index}"), name)
                .expression_attribute_values(format!(":s{index}"), value.clone());
        }
        let mut remove = Vec::new();
        for (index, name) in old.keys().filter(|name| !new.contains_key(*name)).enumerate() {
            remove.push(format!("#r{index}"));
            update = update.expression_attribute_names(format!("#r{index}"), name);
        }
        let mut expression = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            expression = format!("{expression} REMOVE {}", remove.join(", "));
        }
        update
            .update_expression(expression)
            .condition_expression("version = :read")
            .expression_attribute_values(":read", number(read.version))
            .build()
            .context("change a store")
    }

    /// How a store stands to an upload of one of its pictures. One consistent read.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(crate) async fn standing_of(&self, of: PictureOf, upload: UploadId) -> anyhow::Result<Standing> {
        let Some(store) = self.find(of.store).await? else { return Ok(Standing::NoThing) };
        let picture = store.picture(of.which);
        if upload.may_follow(picture.upload_id, picture.rejection.is_some()) {
            return Ok(Standing::Awaits);
        }
        Ok(settled(&store, of))
    }

    /// Sets what became of an upload as one of the store's pictures, if that still awaits it. Gives how it stands to it
    /// then. Safe to repeat.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub(crate) async fn settle_picture(
        &self,
        of: PictureOf,
        upload: UploadId,
        picture: Result<Published, &'static str>,
    ) -> anyhow::Result<Standing> {
        // As `UploadId::may_follow` has it.
        const STILL_AWAITS: &str = "attribute_exists(storeId) AND (attribute_not_exists(#picture.uploadId) \
             OR #picture.uploadId < :upload \
             OR (#picture.uploadId = :upload AND attribute_exists(#picture.rejection)))";
        let update = self
            .update(&of.store, STORE)
            .condition_expression(STILL_AWAITS)
            .expression_attribute_names("#picture", of.which.as_str())
            .expression_attribute_values(":upload", text(&upload));
        let update = match picture {
            Ok(Published { image_url, images }) => {
                const SET: &str = "SET #picture.imageUrl = :url, #picture.uploadId = :upload";
                let update = update.expression_attribute_values(":url", text(&image_url));
                match images {
                    Some(images) => update
                        .update_expression(format!(
                            "{SET}, #picture.images = :images REMOVE #picture.rejection"
                        ))
                        .expression_attribute_values(":images", AttributeValue::M(to_item(&images)?)),
                    None => {
                        update.update_expression(format!("{SET} REMOVE #picture.rejection, #picture.images"))
                    }
                }
            }
            Err(reason) => update
                .update_expression("SET #picture.rejection = :reason, #picture.uploadId = :upload")
                .expression_attribute_values(":reason", text(reason)),
        };
        let update = update.build().context("set a picture of a store")?;
        let (Written::Done(item) | Written::Refused(item)) =
            update_item(&self.client, update, ReturnValue::AllNew)
                .await
                .context("set a picture of a store")?;
        if item.is_empty() {
            return Ok(Standing::NoThing);
        }
        Ok(settled(&from_item(item)?, of))
    }

    /// Takes a picture off a store, and makes that no upload that began before `now` becomes it. Safe to repeat.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn forget_picture(&self, of: PictureOf, now: Timestamp) -> anyhow::Result<()> {
        let none = Item::from([("uploadId".to_owned(), text(&UploadId::at(now)))]);
        let update = self
            .update(&of.store, STORE)
            .update_expression("SET #picture = :none")
            .condition_expression("attribute_exists(storeId)")
            .expression_attribute_names("#picture", of.which.as_str())
            .expression_attribute_values(":none", AttributeValue::M(none))
            .build()
            .context("forget a picture of a store")?;
        let written = update_item(&self.client, update, ReturnValue::None);
        written.await.map(drop).context("forget a picture of a store")
    }

    fn update(&self, id: &impl ToString, entry: &str) -> UpdateBuilder {
        Update::builder().table_name(&self.table).key("storeId", text(id)).key("entry", text(entry))
    }
}

/// A store's item: its attributes, and the key of the list that it stands on.
fn with_index_keys(store: &Store) -> anyhow::Result<Item> {
    let mut item = to_item(store)?;
    if store.is_published() {
        item.insert(PUBLISHED.partition.to_owned(), text(ALL_PUBLISHED));
    }
    Ok(item)
}

/// The store against which a condition failed.
fn existing(found: Item) -> Result<Store, Error> {
    if found.is_empty() { Err(Error::NotFound) } else { Ok(from_item(found)?) }
}

/// Up to which upload nothing becomes this picture of the store any more, and where that is which it has. What was
/// refused just now another file may still follow.
fn settled(store: &Store, of: PictureOf) -> Standing {
    let picture = store.picture(of.which);
    let Some(newest) = picture.upload_id else { return Standing::Awaits };
    Standing::Settled { upto: newest.settles(picture.rejection.is_some()), keeps: picture.image_url.clone() }
}

/// What becomes of an attribute: it stays, goes, or is this.
fn of<T>(change: &Change<T>, value: impl Fn(&T) -> AttributeValue) -> Option<Option<AttributeValue>> {
    match change {
        Change::Keep => None,
        Change::To(new) => Some(new.as_ref().map(value)),
    }
}
