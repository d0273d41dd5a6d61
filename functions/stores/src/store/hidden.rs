//! The sets of hidden stores: those that were published and are not now, whose products are left out wherever people
//! look for some. Orders do not depend on them; they go by the gates.
//!
//! A reader keeps the sets in memory, and looks every ten seconds whether they have changed. While they are small it
//! reads all of them, in a call that is made anyway; when they have grown it reads their number there, and them only
//! where that is another.
//!
//! Items of one call are not of one moment. Each set therefore counts its own changes, and a reading is of the version
//! that those add up to: one that missed a change adds up to less than the common number will be then, and is made
//! anew.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use shared::dynamo::{Batch, Consistency, Item, Part, Read, Write, number, text};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::id::uuid::Uuid;
use shared::values::time::Timestamp;

use super::gates::{SIXTEEN, last_digit};
use super::{KEY, Stores};
use crate::{SCHEMA_VERSION, StoreId};

/// The entry of each of their items, and the store id of the one that has the common number.
const HIDDEN: &str = "hidden";

/// How many stores a set has at most: 160 KB of the 400 that an item may have.
const MOST_IN_A_SET: u32 = 10_000;

/// How often a reader looks whether they have changed, at most.
const EVERY: Duration = Duration::from_secs(10);

/// As long as no more stores are hidden than this, each set is one read unit, and all are read each time.
const FEW: usize = 2_000;

/// The stores that are hidden, as they were read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hidden {
    version: u64,
    stores: HashSet<StoreId>,
}

impl Hidden {
    /// Counts the changes of the sets: another number, other stores.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether what this store sells is to be left out. What is in no store never is.
    pub fn has(&self, store: Option<StoreId>) -> bool {
        store.is_some_and(|store| self.stores.contains(&store))
    }

    /// All of them.
    pub fn stores(&self) -> impl Iterator<Item = StoreId> {
        self.stores.iter().copied()
    }

    /// What the items of the sets say.
    fn of(sets: &[Item]) -> Self {
        let mut hidden = Self::default();
        for set in sets {
            hidden.version += count(set, "changes");
            let Some(AttributeValue::Bs(ids)) = set.get("stores") else { continue };
            let ids = ids.iter().filter_map(|id| Uuid::from_slice(id.as_ref()).ok());
            hidden.stores.extend(ids.map(StoreId));
        }
        hidden
    }
}

fn count(item: &Item, attribute: &str) -> u64 {
    match item.get(attribute) {
        Some(AttributeValue::N(count)) => count.parse().unwrap_or_default(),
        _ => 0,
    }
}

/// What a reader remembers.
#[derive(Debug, Default)]
struct Seen {
    hidden: Arc<Hidden>,
    /// When it looked last whether that has changed.
    looked_at: Option<Timestamp>,
}

/// The sets of hidden stores, as a function keeps them in memory.
#[derive(Debug, Clone)]
pub struct HiddenStores {
    stores: Stores,
    seen: Arc<Mutex<Seen>>,
}

impl FromEnv for HiddenStores {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { stores: Stores::from_env(aws)?, seen: Arc::default() })
    }
}

/// What of the sets was added to a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    at: Timestamp,
    asked: Asked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// It is too early to look again.
    Nothing,
    /// The common number.
    Version,
    /// All of the sets.
    All,
    /// It is time, and there was no room.
    Later,
}

impl HiddenStores {
    /// Adds to what is read at the same time what it takes to know which stores are hidden at `now`: nothing, where
    /// that was looked up less than ten seconds ago.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn with(&self, read: Read, now: Timestamp) -> anyhow::Result<(Read, Look)> {
        let (hidden, looked_at) = self.seen();
        let is_due = looked_at.is_none_or(|at| now >= at + EVERY || now + EVERY < at);
        let are_few = looked_at.is_none() || hidden.stores.len() <= FEW;
        let keys: Vec<_> = if are_few { (0..SIXTEEN).map(set).collect() } else { vec![HIDDEN.to_owned()] };
        let asked = match (is_due, are_few) {
            (false, _) => Asked::Nothing,
            (true, _) if !read.has_room_for(keys.len()) => Asked::Later,
            (true, true) => Asked::All,
            (true, false) => Asked::Version,
        };
        let read = match asked {
            Asked::Nothing | Asked::Later => read,
            Asked::Version | Asked::All => self.stores.with_hidden(read, keys)?,
        };
        Ok((read, Look { at: now, asked }))
    }

    /// Which stores are hidden, by what was read with this look. Where the sets are large and have changed, or there
    /// was no room for them, they are read in a call of their own.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn found_in(&self, batch: &mut Batch, look: Look) -> anyhow::Result<Arc<Hidden>> {
        let (hidden, _) = self.seen();
        let items = match look.asked {
            Asked::Nothing => return Ok(hidden),
            Asked::All => self.stores.hidden_in(batch),
            Asked::Version => {
                let found = self.stores.hidden_in(batch);
                let version = found.first().map_or(0, |item| count(item, "hiddenVersion"));
                if version == hidden.version {
                    return Ok(self.remember(hidden, look.at));
                }
                self.read().await?
            }
            Asked::Later => self.read().await?,
        };
        Ok(self.remember(Arc::new(Hidden::of(&items)), look.at))
    }

    /// Which stores are hidden at `now`, where nothing else is read: in one call, or none.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn look(&self, now: Timestamp) -> anyhow::Result<Arc<Hidden>> {
        let (read, look) = self.with(Read::new(), now)?;
        let mut batch = read.fetch(&self.stores.client).await.context("read which stores are hidden")?;
        self.found_in(&mut batch, look).await
    }

    /// Those that were hidden when that was last looked up: no call.
    pub fn known(&self) -> Arc<Hidden> {
        self.seen().0
    }

    async fn read(&self) -> anyhow::Result<Vec<Item>> {
        let read = self.stores.with_hidden(Read::new(), (0..SIXTEEN).map(set))?;
        let mut batch = read.fetch(&self.stores.client).await.context("read which stores are hidden")?;
        Ok(self.stores.hidden_in(&mut batch))
    }

    fn seen(&self) -> (Arc<Hidden>, Option<Timestamp>) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.hidden.clone(), seen.looked_at)
    }

    fn remember(&self, hidden: Arc<Hidden>, now: Timestamp) -> Arc<Hidden> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // A request that began before another one may end after it.
        if seen.looked_at.is_none_or(|at| at <= now) {
            seen.looked_at = Some(now);
        }
        if seen.hidden.version <= hidden.version {
            seen.hidden = hidden;
        }
        seen.hidden.clone()
    }
}

/// The key of a set.
fn set(number: u8) -> String {
    format!("{HIDDEN}#{number}")
}

impl Stores {
    fn with_hidden(&self, read: Read, ids: impl IntoIterator<Item = String>) -> anyhow::Result<Read> {
        read.entries(&self.table, KEY, ids.into_iter().map(|id| (id, HIDDEN)), Consistency::Strong)
    }

    fn hidden_in(&self, batch: &mut Batch) -> Vec<Item> {
        batch.take_if(&self.table, |item| item.get("entry") == Some(&text(HIDDEN)))
    }

    /// Puts a store among the hidden, in the transaction that takes it out of the shop. The part fails where its set is
    /// full.
    pub(super) fn hide(&self, write: &mut Write, id: StoreId) -> anyhow::Result<Part> {
        self.count_hidden(write)?;
        let update = self
            .update(&set(last_digit(id)), HIDDEN)
            .update_expression("SET schemaVersion = :schema ADD stores :store, changes :one")
            .condition_expression("attribute_not_exists(stores) OR size(stores) < :most")
            .expression_attribute_values(":schema", number(SCHEMA_VERSION))
            .expression_attribute_values(":store", only(id))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(MOST_IN_A_SET));
        Ok(write.update(update.build().context("hide a store")?))
    }

    /// Takes a store from among the hidden, in the transaction that publishes it again.
    pub(super) fn show(&self, write: &mut Write, id: StoreId) -> anyhow::Result<()> {
        self.count_hidden(write)?;
        let update = self
            .update(&set(last_digit(id)), HIDDEN)
            .update_expression("SET schemaVersion = :schema ADD changes :one DELETE stores :store")
            .expression_attribute_values(":schema", number(SCHEMA_VERSION))
            .expression_attribute_values(":store", only(id))
            .expression_attribute_values(":one", number(1));
        write.update(update.build().context("show a store")?);
        Ok(())
    }

    fn count_hidden(&self, write: &mut Write) -> anyhow::Result<()> {
        let update = self
            .update(&HIDDEN, HIDDEN)
            .update_expression("SET schemaVersion = :schema ADD hiddenVersion :one")
            .expression_attribute_values(":schema", number(SCHEMA_VERSION))
            .expression_attribute_values(":one", number(1));
        write.update(update.build().context("count the changes of the hidden")?);
        Ok(())
    }
}

fn only(StoreId(id): StoreId) -> AttributeValue {
    AttributeValue::Bs(vec![Blob::new(id.as_bytes())])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use shared::run::aws::canned::{Asked as Requests, answering};
    use shared::run::config;

    fn at(second: u64) -> Timestamp {
        Timestamp::from_unix_millis(1_795_262_400_000) + Duration::from_secs(second)
    }

    fn store(number: u64) -> StoreId {
        StoreId::at(at(number))
    }

    /// Readers of a table that always answers with these items.
    fn reader(items: &[Value]) -> (HiddenStores, Requests) {
        let table = config::table("STORES_TABLE");
        let (sdk, asked) = answering(200, &json!({ "Responses": { table: items }, "UnprocessedKeys": {} }));
        (HiddenStores::from_env(&Aws::for_tests(sdk)).unwrap(), asked)
    }

    /// What is asked of the one table, however it is called where the tests run.
    fn asked_of_it(request: &Value) -> &Value {
        request["RequestItems"].as_object().and_then(|tables| tables.values().next()).unwrap_or(&Value::Null)
    }

    fn keys(request: &Value) -> usize {
        asked_of_it(request)["Keys"].as_array().map_or(0, Vec::len)
    }

    fn item_of(stores: &[StoreId], changes: u32) -> Item {
        let ids = stores.iter().map(|StoreId(id)| Blob::new(id.as_bytes())).collect();
        Item::from([("stores".to_owned(), AttributeValue::Bs(ids)), ("changes".to_owned(), number(changes))])
    }

    #[test]
    fn what_was_read_is_of_the_version_that_its_sets_add_up_to() {
        let (one, other) = (store(1), store(2));
        let hidden = Hidden::of(&[item_of(&[one], 3), item_of(&[other], 1)]);
        assert_eq!(hidden.version(), 4);
        assert!(hidden.has(Some(one)) && hidden.has(Some(other)));
        assert!(!hidden.has(Some(store(3))) && !hidden.has(None), "what is in no store is never hidden");
    }

    #[tokio::test]
    async fn a_reader_looks_every_ten_seconds_and_consistently() {
        let (reader, asked) = reader(&[]);
        for second in [0, 1, 9] {
            reader.look(at(second)).await.unwrap();
        }
        assert_eq!(asked.lock().unwrap().len(), 1);
        reader.look(at(10)).await.unwrap();
        let asked = asked.lock().unwrap();
        assert_eq!(asked.iter().map(keys).collect::<Vec<_>>(), [16, 16]);
        assert!(asked.iter().all(|request| asked_of_it(request)["ConsistentRead"] == true));
    }

    #[tokio::test]
    async fn many_are_only_read_where_their_number_is_another() {
        let (reader, asked) = reader(&[json!({ "entry": { "S": "hidden" }, "hiddenVersion": { "N": "7" } })]);
        let many: HashSet<_> = (0..=u64::try_from(FEW).unwrap()).map(store).collect();
        reader.remember(Arc::new(Hidden { version: 7, stores: many.clone() }), at(0));
        assert!(reader.look(at(10)).await.unwrap().has(Some(*many.iter().next().unwrap())));
        assert_eq!(asked.lock().unwrap().iter().map(keys).collect::<Vec<_>>(), [1]);
        let (reader, asked) =
            self::reader(&[json!({ "entry": { "S": "hidden" }, "hiddenVersion": { "N": "8" } })]);
        reader.remember(Arc::new(Hidden { version: 7, stores: many }), at(0));
        reader.look(at(10)).await.unwrap();
        assert_eq!(asked.lock().unwrap().iter().map(keys).collect::<Vec<_>>(), [1, 16]);
    }

    #[tokio::test]
    async fn where_a_read_has_no_room_for_them_they_have_one_of_their_own() {
        let (reader, asked) = reader(&[]);
        let read = Read::new().of("things", "id", 0..85, Consistency::Eventual).unwrap();
        let (read, look) = reader.with(read, at(0)).unwrap();
        assert!(read.has_room_for(15), "nothing was added");
        reader.found_in(&mut Batch::default(), look).await.unwrap();
        assert_eq!(asked.lock().unwrap().iter().map(keys).collect::<Vec<_>>(), [16]);
    }

    #[tokio::test]
    async fn an_older_reading_takes_no_newer_one_away() {
        let (reader, _) = reader(&[]);
        reader.remember(Arc::new(Hidden { version: 2, stores: HashSet::from([store(1)]) }), at(0));
        let kept = reader.remember(Arc::new(Hidden { version: 1, stores: HashSet::new() }), at(1));
        assert_eq!(kept.version(), 2);
    }
}
