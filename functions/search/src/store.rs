//! The Search table.
//!
//! | what | keys |
//! | --- | --- |
//! | the pointer: which files the index is made of | `searchId` = "index#" and the format of the files |
//!
//! The pointer changes under `generation` alone, so of all who change the index at the same time one wins, and the
//! others have their files for nothing. A release whose files have another format has a pointer of its own: the release
//! before it, which may come back, does not see it.

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{ReturnValue, Update};
use serde::{Deserialize, Serialize};
use shared::dynamo::{Batch, Consistency, Read, Written, from_item, number, text, to_item, update_item};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;

use crate::files::File;

/// Names the pointer to an index whose files have the format that this code reads, unless `SEARCH_INDEX` names another
/// one, as tests do.
const POINTER: &str = "index#1";

/// The shape in which pointers are written.
const SCHEMA_VERSION: u32 = 1;

/// Which files the index is made of: a base, and what was changed since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pointer {
    /// Counts the switches, from 1.
    pub generation: u32,
    /// The index as somebody built or compacted it.
    pub base: File,
    /// What was changed since, oldest first.
    #[serde(default)]
    pub deltas: Vec<File>,
    /// How many products it holds.
    pub documents: u32,
    /// When it was switched to these.
    pub updated_at: Timestamp,
    schema_version: u32,
}

impl Pointer {
    /// The pointer that follows `before`, or the first one.
    pub fn after(
        before: Option<&Self>,
        base: File,
        deltas: Vec<File>,
        documents: u32,
        now: Timestamp,
    ) -> Self {
        Self {
            generation: before.map_or(0, |before| before.generation) + 1,
            base,
            deltas,
            documents,
            updated_at: now,
            schema_version: SCHEMA_VERSION,
        }
    }

    /// All files that it names.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        std::iter::once(&self.base).chain(&self.deltas)
    }
}

/// How the index is, as people ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// How many products it holds.
    pub documents: u32,
    /// When its pointer was switched last.
    pub updated_at: Timestamp,
    /// About how many seconds after it was made the last change came to whoever indexes it; `None` before the first.
    #[serde(default)]
    pub lag_seconds: Option<u32>,
}

/// The Search table.
#[derive(Debug, Clone)]
pub struct Pointers {
    client: Client,
    table: String,
    id: String,
}

impl FromEnv for Pointers {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        let id = config::optional("SEARCH_INDEX")?.unwrap_or_else(|| POINTER.to_owned());
        Ok(Self { client: aws.dynamodb(), table: config::table("SEARCH_TABLE"), id })
    }
}

impl Pointers {
    /// The pointer as it is now; there is none before the first product was indexed.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn read(&self) -> anyhow::Result<Option<Pointer>> {
        let get = self.client.get_item().table_name(&self.table).key("searchId", text(&self.id));
        let found = get.consistent_read(true).send().await.context("read the pointer of the index")?;
        found.item.map(from_item).transpose()
    }

    /// How the index is, as of a moment ago; `None` where there is none, such as beside an OpenSearch domain.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn state(&self) -> anyhow::Result<Option<State>> {
        let get = self.client.get_item().table_name(&self.table).key("searchId", text(&self.id));
        let found = get.send().await.context("read how the index is")?;
        found.item.map(from_item).transpose()
    }

    /// Notes beside the pointer how many seconds after they were made changes came that it was switched for. Safe to
    /// repeat.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn note_lag(&self, seconds: u32) -> anyhow::Result<()> {
        let update = Update::builder().table_name(&self.table).key("searchId", text(&self.id));
        let update = update
            .update_expression("SET lagSeconds = :lag")
            // Not beside a pointer that somebody has deleted to begin anew.
            .condition_expression("attribute_exists(generation)")
            .expression_attribute_values(":lag", number(seconds))
            .build()
            .context("note how late the index is")?;
        update_item(&self.client, update, ReturnValue::None)
            .await
            .map(drop)
            .context("note how late the index is")
    }

    /// Adds the pointer, as of a moment ago, to what is read at the same time.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn with(&self, read: Read) -> anyhow::Result<Read> {
        read.of(&self.table, "searchId", [&self.id], Consistency::Eventual)
    }

    /// Reads what was put together, in one call.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub async fn fetch(&self, read: Read) -> anyhow::Result<Batch> {
        read.fetch(&self.client).await
    }

    /// The pointer that was read, if there is one.
    ///
    /// # Errors
    /// When nobody can read it.
    pub fn found_in(&self, batch: &mut Batch) -> anyhow::Result<Option<Pointer>> {
        batch.take(&self.table).pop().map(from_item).transpose()
    }

    /// Switches to `next`, unless somebody else has switched since `before` was read. Gives whether it is so. Safe to
    /// repeat: what this very switch wrote is known again.
    ///
    /// # Errors
    /// When the table cannot be written. It may be switched all the same.
    pub async fn switch(&self, before: Option<&Pointer>, next: &Pointer) -> anyhow::Result<bool> {
        let mut update = Update::builder().table_name(&self.table).key("searchId", text(&self.id));
        // Not all of the item: what others keep beside it stays.
        let names = ["generation", "base", "deltas", "documents", "updatedAt", "schemaVersion"];
        let mut item = to_item(next)?;
        for name in names {
            let value = item.remove(name).with_context(|| format!("the pointer has no {name}"))?;
            update = update
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), value);
        }
        let set: Vec<_> = names.iter().map(|name| format!("#{name} = :{name}")).collect();
        let update = match before {
            None => update.condition_expression("attribute_not_exists(#generation)"),
            Some(before) => update
                .condition_expression("#generation = :read")
                .expression_attribute_values(":read", number(before.generation)),
        };
        let update = update.update_expression(format!("SET {}", set.join(", "))).build();
        let update = update.context("switch the pointer of the index")?;
        match update_item(&self.client, update, ReturnValue::None).await {
            Ok(Written::Done(_)) => Ok(true),
            Ok(Written::Refused(found)) => {
                Ok(!found.is_empty() && from_item::<Pointer>(found).is_ok_and(|found| found == *next))
            }
            Err(error) => Err(error).context("switch the pointer of the index"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::FileId;
    use serde_json::{Value, json};
    use shared::run::aws::canned::{answering, item};

    fn now() -> Timestamp {
        Timestamp::from_unix_millis(1_790_000_000_000)
    }

    fn of(aws: &Aws) -> Pointers {
        Pointers { client: aws.dynamodb(), table: "Search".into(), id: POINTER.into() }
    }

    fn file() -> File {
        File { id: FileId::at(now()), bytes: 7, objects: 1 }
    }

    fn refused(found: &Value) -> Value {
        json!({
            "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "message": "no",
            "Item": item(found),
        })
    }

    async fn switched(status: u16, answer: &Value, next: &Pointer) -> anyhow::Result<bool> {
        let (sdk, _) = answering(status, answer);
        let pointers = of(&Aws::for_tests(sdk));
        pointers.switch(None, next).await
    }

    #[tokio::test]
    async fn whoever_is_first_has_switched_and_so_has_whoever_finds_their_own_switch() {
        let next = Pointer::after(None, file(), vec![file()], 3, now());
        assert!(switched(200, &json!({}), &next).await.unwrap());
        let own = serde_json::to_value(&next).unwrap();
        assert!(switched(400, &refused(&own), &next).await.unwrap(), "the reply was lost");
        let other = serde_json::to_value(Pointer::after(None, file(), vec![], 3, now())).unwrap();
        assert!(!switched(400, &refused(&other), &next).await.unwrap());
        assert!(!switched(400, &refused(&json!({})), &next).await.unwrap());
        assert!(switched(500, &json!({}), &next).await.is_err());
    }

    #[tokio::test]
    async fn a_switch_is_on_the_condition_that_nobody_switched_since() {
        let first = Pointer::after(None, file(), vec![], 1, now());
        let second = Pointer::after(Some(&first), file(), vec![file()], 2, now());
        assert_eq!((first.generation, second.generation), (1, 2));
        let (sdk, asked) = answering(200, &json!({}));
        let pointers = of(&Aws::for_tests(sdk));
        assert!(pointers.switch(None, &first).await.unwrap());
        assert!(pointers.switch(Some(&first), &second).await.unwrap());
        let asked = asked.lock().unwrap();
        assert_eq!(asked[0]["ConditionExpression"], "attribute_not_exists(#generation)");
        assert_eq!(asked[1]["ConditionExpression"], "#generation = :read");
        assert_eq!(asked[1]["ExpressionAttributeValues"][":read"], json!({ "N": "1" }));
        assert_eq!(asked[1]["ExpressionAttributeValues"][":generation"], json!({ "N": "2" }));
        // What others keep in the item is not named.
        assert!(
            asked[1]["UpdateExpression"].as_str().unwrap().starts_with("SET #generation = :generation, ")
        );
    }

    #[tokio::test]
    async fn a_pointer_reads_back_with_what_a_later_release_keeps_beside_it() {
        let pointer = Pointer::after(None, file(), vec![file(), file()], 9, now());
        let mut kept = serde_json::to_value(&pointer).unwrap();
        kept["hiddenVersion"] = json!(4);
        let (sdk, _) = answering(200, &json!({ "Item": item(&kept) }));
        let pointers = of(&Aws::for_tests(sdk));
        assert_eq!(pointers.read().await.unwrap(), Some(pointer));
        let state = State { documents: 9, updated_at: now(), lag_seconds: None };
        assert_eq!(pointers.state().await.unwrap(), Some(state));
        kept["lagSeconds"] = json!(2);
        let (sdk, _) = answering(200, &json!({ "Item": item(&kept) }));
        let late = State { lag_seconds: Some(2), ..state };
        assert_eq!(of(&Aws::for_tests(sdk)).state().await.unwrap(), Some(late));
        let (sdk, _) = answering(200, &json!({}));
        assert_eq!(of(&Aws::for_tests(sdk)).state().await.unwrap(), None);
    }

    #[tokio::test]
    async fn how_late_it_is_stands_beside_a_pointer_that_is_there() {
        let (sdk, asked) = answering(200, &json!({}));
        of(&Aws::for_tests(sdk)).note_lag(3).await.unwrap();
        let asked = asked.lock().unwrap().clone();
        assert_eq!(asked[0]["ConditionExpression"], "attribute_exists(generation)");
        assert_eq!(asked[0]["UpdateExpression"], "SET lagSeconds = :lag");
        assert_eq!(asked[0]["ExpressionAttributeValues"], json!({ ":lag": { "N": "3" } }));
        let (sdk, _) = answering(400, &refused(&json!({})));
        assert!(of(&Aws::for_tests(sdk)).note_lag(3).await.is_ok(), "there is none");
    }
}
