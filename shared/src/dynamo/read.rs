//! Items of several tables in one call.

use std::collections::HashMap;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::{Item, text};
use crate::http::problem::Busy;

/// Items to read by their keys, of one table or several: at most 100 together, each a read of its own.
#[derive(Debug, Default)]
pub struct Read(HashMap<String, KeysAndAttributes>);

/// How fresh what is read must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// As of a moment ago, at half the price.
    Eventual,
    /// As of now.
    Strong,
}

impl Read {
    /// One without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the items of `table` whose key attribute `key` has one of these values, each given once.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn of<I: ToString>(
        mut self,
        table: &str,
        key: &str,
        ids: impl IntoIterator<Item = I>,
        consistency: Consistency,
    ) -> anyhow::Result<Self> {
        let keys: Vec<_> = ids.into_iter().map(|id| Item::from([(key.to_owned(), text(&id))])).collect();
        if !keys.is_empty() {
            let strong = consistency == Consistency::Strong;
            let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(strong);
            self.0.insert(table.to_owned(), keys.build()?);
        }
        Ok(self)
    }

    /// Adds entries of `table`, which each have two key attributes, such as those of one thing: each entry given once,
    /// and all of a table at one go.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn entries<I: ToString, E: ToString>(
        mut self,
        table: &str,
        (key, sort): (&str, &str),
        entries: impl IntoIterator<Item = (I, E)>,
        consistency: Consistency,
    ) -> anyhow::Result<Self> {
        let keys = entries
            .into_iter()
            .map(|(id, entry)| Item::from([(key.to_owned(), text(&id)), (sort.to_owned(), text(&entry))]));
        let keys: Vec<_> = keys.collect();
        if !keys.is_empty() {
            let strong = consistency == Consistency::Strong;
            let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(strong);
            self.0.insert(table.to_owned(), keys.build()?);
        }
        Ok(self)
    }

    /// Reads them in one call, and asks again for what DynamoDB left out because it was asked too much at once.
    ///
    /// # Errors
    /// [`Busy`] when it goes on leaving some out, otherwise what the SDK says.
    pub async fn fetch(self, client: &Client) -> anyhow::Result<Batch> {
        const TRIES: u32 = 3;
        let mut wanted = self.0;
        let mut batch = Batch::default();
        for _ in 0..TRIES {
            if wanted.is_empty() {
                return Ok(batch);
            }
            let found = client.batch_get_item().set_request_items(Some(wanted)).send().await;
            let found = found.context("read items by their keys")?;
            for (table, items) in found.responses.unwrap_or_default() {
                batch.0.entry(table).or_default().extend(items);
            }
            wanted = found.unprocessed_keys.unwrap_or_default();
        }
        if wanted.is_empty() { Ok(batch) } else { Err(Busy).context("read items by their keys") }
    }
}

/// What a [`Read`] found, in no order.
#[derive(Debug, Default)]
pub struct Batch(HashMap<String, Vec<Item>>);

impl Batch {
    /// The items of a table, given away.
    pub fn take(&mut self, table: &str) -> Vec<Item> {
        self.0.remove(table).unwrap_or_default()
    }
}
