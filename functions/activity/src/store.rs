//! The Activity table.
//!
//! | key | names | read by |
//! | --- | --- | --- |
//! | `userId` (partition), `at` (sort) = `{time}#{event id}` | a person's log, newest last | [`Activity::list_of`] |
//!
//! There is no index for the kinds: it would cost a write for each event, and a log is seldom read by kind. An item is
//! an [`Entry`]; DynamoDB deletes it some time after `expiresAt`.

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use shared::caller::UserId;
use shared::dynamo::list::Sort::Descending;
use shared::dynamo::list::{Cursors, List, Page, PageRequest};
use shared::dynamo::{KeptItems, Remains, Stretch, text, to_item};
use shared::http::problem::Problem;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};

use crate::{Entry, Kind, Told};

const LOG: List = List { index: None, partition: "userId", sort: Descending("at"), key: "userId" };

/// The logs of all people.
#[derive(Debug, Clone)]
pub struct Activity {
    client: Client,
    table: String,
}

impl FromEnv for Activity {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: aws.dynamodb(), table: config::required("ACTIVITY_TABLE")? })
    }
}

impl Activity {
    /// Records what an event tells, if it is somebody's.
    ///
    /// # Errors
    /// When the table does not take it.
    pub async fn take(&self, event: Told) -> anyhow::Result<()> {
        let Some(entry) = Entry::of(event) else { return Ok(()) };
        self.record(&entry).await
    }

    /// Records what happened. Safe to repeat: the same event is the same item.
    ///
    /// # Errors
    /// When the table does not take it.
    pub async fn record(&self, entry: &Entry) -> anyhow::Result<()> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(to_item(entry)?));
        put.send().await.map(drop).context("record an activity")
    }

    /// Deletes what there is of a person's log, a hundred entries in a call. Safe to repeat.
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
            .projection_expression("userId, #at")
            .expression_attribute_names("#at", "at")
            .consistent_read(true)
            .limit(100);
        let found = query.send().await.context("read a log that is to go")?;
        for key in found.items.unwrap_or_default() {
            let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key));
            delete.send().await.context("delete an entry of a log")?;
        }
        Ok(if found.last_evaluated_key.is_some() { Remains::More } else { Remains::Nothing })
    }

    /// A stretch of a person's log, as it is kept.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn kept_of(&self, person: &UserId, stretch: Stretch) -> anyhow::Result<KeptItems> {
        LOG.kept(&self.client, &self.table, person, stretch).await
    }

    /// A page of a person's log, newest first; with a kind, of that kind alone.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list_of(
        &self,
        person: &UserId,
        kind: Option<Kind>,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<Entry>, Problem> {
        let only = kind.map(|kind| ("kind", kind.as_str()));
        cursors.filtered_page(&self.client, &self.table, LOG, &person.to_string(), only, request).await
    }
}
