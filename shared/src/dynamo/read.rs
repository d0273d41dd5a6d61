//! Items of several tables in one call.

use std::collections::HashMap;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::{Item, text};
use crate::http::problem::Busy;

/// Items to read by their keys, of one table or several, each a read of its own.
#[derive(Debug, Default)]
pub struct Read(HashMap<String, KeysAndAttributes>);

/// How many items one call reads.
const MOST: usize = 100;

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
        let keys = ids.into_iter().map(|id| Item::from([(key.to_owned(), text(&id))])).collect();
        self.add(table, keys, consistency)?;
        Ok(self)
    }

    /// Adds entries of `table`, which each have two key attributes, such as those of one thing: each entry given once.
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
        self.add(table, keys.collect(), consistency)?;
        Ok(self)
    }

    /// A table is read as freshly as whoever wants it most so.
    fn add(&mut self, table: &str, keys: Vec<Item>, consistency: Consistency) -> anyhow::Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let strong = consistency == Consistency::Strong;
        if let Some(wanted) = self.0.get_mut(table) {
            wanted.keys.extend(keys);
            wanted.consistent_read = Some(strong || wanted.consistent_read == Some(true));
        } else {
            let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(strong);
            self.0.insert(table.to_owned(), keys.build()?);
        }
        Ok(())
    }

    /// Whether so many more items can be read in the same call.
    pub fn has_room_for(&self, more: usize) -> bool {
        self.0.values().map(|wanted| wanted.keys.len()).sum::<usize>() + more <= MOST
    }

    /// Reads them in one call for each hundred, and asks again for what DynamoDB left out because it was asked too much
    /// at once.
    ///
    /// # Errors
    /// [`Busy`] when it goes on leaving some out, otherwise what the SDK says.
    pub async fn fetch(self, client: &Client) -> anyhow::Result<Batch> {
        const TRIES: u32 = 3;
        let mut rest = self;
        let mut batch = Batch::default();
        while !rest.0.is_empty() {
            let mut wanted = rest.take_most().0;
            for _ in 0..TRIES {
                if wanted.is_empty() {
                    break;
                }
                let found = client.batch_get_item().set_request_items(Some(wanted)).send().await;
                let found = found.context("read items by their keys")?;
                for (table, items) in found.responses.unwrap_or_default() {
                    batch.0.entry(table).or_default().extend(items);
                }
                wanted = found.unprocessed_keys.unwrap_or_default();
            }
            if !wanted.is_empty() {
                return Err(Busy).context("read items by their keys");
            }
        }
        Ok(batch)
    }

    /// As many as one call reads, and leaves the others.
    fn take_most(&mut self) -> Self {
        let (mut taken, mut room) = (Self::new(), MOST);
        for (table, mut wanted) in std::mem::take(&mut self.0) {
            let later = wanted.keys.split_off(wanted.keys.len().min(room));
            room -= wanted.keys.len();
            if !later.is_empty() {
                let mut rest = wanted.clone();
                rest.keys = later;
                self.0.insert(table.clone(), rest);
            }
            if !wanted.keys.is_empty() {
                taken.0.insert(table, wanted);
            }
        }
        taken
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

    /// Those of a table's items that are meant, given away. The others stay.
    pub fn take_if(&mut self, table: &str, is_meant: impl Fn(&Item) -> bool) -> Vec<Item> {
        let (meant, others) = self.take(table).into_iter().partition(is_meant);
        self.0.insert(table.to_owned(), others);
        meant
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(read: &Read, table: &str) -> (usize, Option<bool>) {
        read.0.get(table).map_or((0, None), |wanted| (wanted.keys.len(), wanted.consistent_read))
    }

    #[test]
    fn what_several_want_of_a_table_is_read_as_freshly_as_one_of_them_needs() {
        let (key, entries) = (("thing", "entry"), [("a", "1"), ("a", "2")]);
        let read = Read::new().of("things", "id", ["a"], Consistency::Eventual).unwrap();
        let read = read.entries("others", key, entries, Consistency::Eventual).unwrap();
        let read = read.entries("others", key, [("b", "1")], Consistency::Strong).unwrap();
        let read = read.entries("others", key, [("c", "1")], Consistency::Eventual).unwrap();
        assert_eq!(keys(&read, "things"), (1, Some(false)));
        assert_eq!(keys(&read, "others"), (4, Some(true)));
        assert!(read.has_room_for(95) && !read.has_room_for(96));
    }

    #[test]
    fn one_call_reads_a_hundred_and_another_one_the_rest() {
        let ids = |count: u32| (0..count).map(|id| id.to_string());
        let mut read = Read::new().of("things", "id", ids(70), Consistency::Strong).unwrap();
        read = read.of("others", "id", ids(70), Consistency::Eventual).unwrap();
        let taken = [read.take_most(), read.take_most()];
        let count = |read: &Read| keys(read, "things").0 + keys(read, "others").0;
        assert_eq!(taken.each_ref().map(count), [100, 40]);
        assert!(read.0.is_empty());
        let each =
            ["things", "others"].map(|table| taken.iter().map(|read| keys(read, table).0).sum::<usize>());
        assert_eq!(each, [70, 70]);
    }

    #[test]
    fn of_what_was_read_each_takes_what_is_meant_for_it() {
        let item = |id: &str| Item::from([("id".to_owned(), text(id))]);
        let mut batch = Batch(HashMap::from([("things".to_owned(), vec![item("a"), item("b")])]));
        assert_eq!(batch.take_if("things", |found| *found == item("b")), [item("b")]);
        assert_eq!(batch.take("things"), [item("a")]);
        assert_eq!(batch.take_if("others", |_| true), Vec::<Item>::new());
    }
}
