//! Lists that so much is written to that one partition would not do: spread over several by their key, read side by
//! side, and merged.

use std::cmp::Reverse;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use serde::de::DeserializeOwned;

use super::list::{Cursors, List, Page, PageRequest, Sort};
use super::{Item, read_each, text};
use crate::http::problem::Problem;

/// How often the shards are read for one page.
const MOST_ROUNDS: usize = 3;

/// How many entries of each shard one round of a filtered list looks through.
const LOOKED_THROUGH_AT_ONCE: usize = 100;

/// An index whose partitions are the shards of one list, the greatest key first. The key is the table's own, and
/// spreads evenly: ids do.
#[derive(Debug, Clone, Copy)]
pub struct ShardedList {
    /// The index's name, and that of the attribute with the shard.
    pub index: &'static str,
    /// The table's key, which is also the index's sort key.
    pub key: &'static str,
    /// The shards' names.
    pub shards: &'static [&'static str],
}

/// How far one shard was read.
struct Shard {
    name: &'static str,
    /// The last key that was looked at, if there may be more behind it.
    behind: Option<String>,
    is_over: bool,
}

impl ShardedList {
    const fn list(&self) -> List {
        List {
            index: Some(self.index),
            partition: self.index,
            sort: Sort::Descending(self.key),
            key: self.key,
        }
    }
}

impl Cursors {
    /// A page of all shards together, of those entries only whose attribute has a value where `only` says so. Two
    /// rounds at most read what fills it, three where entries are left out; a page may be shorter than asked for, even
    /// empty, and its cursor then goes on behind what was looked through.
    ///
    /// # Errors
    /// `invalid-input` for a cursor that is not of this list, 500 when a query fails.
    pub async fn merged_page<T: DeserializeOwned>(
        &self,
        client: &Client,
        table: &str,
        list: ShardedList,
        only: Option<(&str, &str)>,
        request: &PageRequest,
    ) -> Result<Page<T>, Problem> {
        let of = only.map_or("", |(_, value)| value);
        let start =
            self.position(list.list(), of, request)?.and_then(|mut position| position.remove(list.key));
        let at_once = only.map_or(request.limit() / 4 + 4, |_| LOOKED_THROUGH_AT_ONCE);
        let shard = |name: &&'static str| Shard { name, behind: start.clone(), is_over: false };
        let mut shards: Vec<_> = list.shards.iter().map(shard).collect();
        let mut items: Vec<Item> = Vec::new();
        let mut frontier = None;
        for _ in 0..MOST_ROUNDS {
            let reads = shards.iter_mut().filter(|shard| !shard.is_over);
            let reads = reads.map(|shard| read(client, table, list, shard, only, at_once));
            items.extend(try_join_all(reads).await?.into_iter().flatten());
            // What is known of every shard reaches to the greatest key behind which one of them goes on.
            frontier = shards.iter().filter(|shard| !shard.is_over).filter_map(|it| it.behind.clone()).max();
            let known = items.iter().filter(|item| is_known(item, list.key, frontier.as_deref())).count();
            if known > request.limit() || frontier.is_none() {
                break;
            }
        }
        items.retain(|item| is_known(item, list.key, frontier.as_deref()));
        items.sort_by_cached_key(|item| Reverse(key_of(item, list.key).to_owned()));
        let next_cursor = if items.len() > request.limit() {
            items.truncate(request.limit());
            items.last().map(|last| self.seal(list.list(), of, last))
        } else {
            frontier.map(|last| self.seal(list.list(), of, &Item::from([(list.key.to_owned(), text(&last))])))
        };
        Ok(Page { entries: read_each(items, list.key), next_cursor })
    }
}

fn key_of<'a>(item: &'a Item, key: &str) -> &'a str {
    match item.get(key) {
        Some(AttributeValue::S(key)) => key,
        _ => "",
    }
}

fn is_known(item: &Item, key: &str, frontier: Option<&str>) -> bool {
    frontier.is_none_or(|frontier| key_of(item, key) >= frontier)
}

/// What comes next in a shard.
async fn read(
    client: &Client,
    table: &str,
    list: ShardedList,
    shard: &mut Shard,
    only: Option<(&str, &str)>,
    at_once: usize,
) -> anyhow::Result<Vec<Item>> {
    let (condition, behind) = match &shard.behind {
        None => ("#shard = :shard", None),
        Some(key) => ("#shard = :shard AND #key < :behind", Some(key)),
    };
    let mut query = client
        .query()
        .table_name(table)
        .index_name(list.index)
        .key_condition_expression(condition)
        .expression_attribute_names("#shard", list.index)
        .expression_attribute_values(":shard", text(shard.name))
        .scan_index_forward(false)
        .limit(i32::try_from(at_once).unwrap_or(i32::MAX));
    if let Some(behind) = behind {
        query = query
            .expression_attribute_names("#key", list.key)
            .expression_attribute_values(":behind", text(behind));
    }
    if let Some((attribute, value)) = only {
        query = query
            .filter_expression("#only = :only")
            .expression_attribute_names("#only", attribute)
            .expression_attribute_values(":only", text(value));
    }
    let found = query.send().await.with_context(|| format!("query {}", list.index))?;
    match found.last_evaluated_key.as_ref().map(|last| key_of(last, list.key)) {
        Some(last) if !last.is_empty() => shard.behind = Some(last.to_owned()),
        _ => shard.is_over = true,
    }
    Ok(found.items.unwrap_or_default())
}
