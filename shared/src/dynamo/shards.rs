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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::aws::canned::{Asked, answering_each};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const SHARDS: [&str; 4] = ["a", "b", "c", "d"];

    const LIST: ShardedList = ShardedList { index: "all", key: "thingId", shards: &SHARDS };

    #[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Entry {
        thing_id: String,
    }

    /// A table of numbered entries: of each the place of its shard, and whether the list that leaves some out has it.
    struct Table {
        client: Client,
        asked: Asked,
    }

    fn key(number: usize) -> String {
        format!("{number:05}")
    }

    /// Answers a query as DynamoDB does: filters what it has read, and says that more may come wherever it stopped
    /// because it had read as much as it should.
    fn found(entries: &[(usize, bool)], query: &Value) -> Value {
        let value = |name: &str| query["ExpressionAttributeValues"][name]["S"].as_str();
        let shard = SHARDS.iter().position(|shard| value(":shard") == Some(shard)).unwrap();
        let limit = usize::try_from(query["Limit"].as_u64().unwrap()).unwrap();
        assert_eq!(
            (query["ScanIndexForward"].as_bool(), query["IndexName"].as_str()),
            (Some(false), Some("all"))
        );
        let behind = value(":behind");
        let all = entries.iter().enumerate().rev().filter(|(_, (of, _))| *of == shard);
        let all = all.map(|(number, (_, wanted))| (key(number), *wanted));
        let read: Vec<_> =
            all.filter(|(key, _)| behind.is_none_or(|behind| key.as_str() < behind)).take(limit).collect();
        let last = read.last().filter(|_| read.len() == limit);
        let last = last.map(|(key, _)| json!({ "thingId": { "S": key }, "all": { "S": SHARDS[shard] } }));
        let items: Vec<_> = read
            .iter()
            .filter(|(_, wanted)| *wanted || value(":only").is_none())
            .map(|(key, _)| json!({ "thingId": { "S": key } }))
            .collect();
        match last {
            Some(last) => json!({ "Items": items, "LastEvaluatedKey": last }),
            None => json!({ "Items": items }),
        }
    }

    impl Table {
        fn of(entries: Vec<(usize, bool)>) -> Self {
            let (sdk, asked) = answering_each(move |query| (200, found(&entries, query)));
            Self { client: Client::new(&sdk), asked }
        }

        /// A page, and how often each shard was read for it.
        async fn page(&self, only: bool, limit: usize, cursor: Option<String>) -> (Page<Entry>, [usize; 4]) {
            self.asked.lock().unwrap().clear();
            let request = PageRequest::for_tests(limit, cursor);
            let only = only.then_some(("status", "wanted"));
            let cursors = Cursors::for_tests();
            let page = cursors.merged_page(&self.client, "things", LIST, only, &request).await.unwrap();
            let asked = self.asked.lock().unwrap();
            let shard = |query: &Value| query["ExpressionAttributeValues"][":shard"]["S"].clone();
            let rounds = SHARDS.map(|of| asked.iter().filter(|query| shard(query) == of).count());
            (page, rounds)
        }

        /// The pages from the first to the last.
        async fn pages(&self, only: bool, limit: usize) -> Vec<Vec<Entry>> {
            let (mut pages, mut cursor) = (Vec::new(), None);
            loop {
                let (page, rounds) = self.page(only, limit, cursor).await;
                assert!(rounds.iter().all(|rounds| (1..=3).contains(rounds)), "{rounds:?}");
                assert!(page.entries.len() <= limit, "{page:?}");
                pages.push(page.entries);
                assert!(pages.len() < 1_000, "it never ends");
                cursor = page.next_cursor;
                if cursor.is_none() {
                    return pages;
                }
            }
        }
    }

    fn numbers(numbers: impl Iterator<Item = usize>) -> Vec<Entry> {
        numbers.map(|number| Entry { thing_id: key(number) }).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn however_entries_are_spread_each_comes_once_and_in_order(
            entries in prop::collection::vec((prop_oneof![3 => Just(0_usize), 2 => 1..4_usize], any::<bool>()), 0..400),
            only in any::<bool>(),
            limit in 7..100_usize,
        ) {
            let listed = (0..entries.len()).rev().filter(|number| !only || entries[*number].1);
            let listed = numbers(listed);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let pages = runtime.block_on(Table::of(entries).pages(only, limit));
            prop_assert_eq!(pages.concat(), listed);
        }
    }

    #[tokio::test]
    async fn a_page_of_what_is_spread_evenly_is_full_and_takes_one_query_of_each_shard() {
        let table = Table::of((0..100).map(|number| (number % 4, true)).collect());
        let (page, rounds) = table.page(false, 20, None).await;
        assert_eq!((page.entries, rounds), (numbers((80..100).rev()), [1; 4]));
        let (page, rounds) = table.page(false, 20, page.next_cursor).await;
        assert_eq!((page.entries, rounds), (numbers((60..80).rev()), [1; 4]));
    }

    #[tokio::test]
    async fn a_page_ends_after_three_rounds_however_little_they_found_and_the_next_goes_on_behind() {
        // One of 700 is wanted, and it is the last that is looked at.
        let table = Table::of((0..700).map(|number| (2, number == 0)).collect());
        let mut cursor = None;
        for _ in 0..2 {
            let (page, rounds) = table.page(true, 20, cursor).await;
            assert_eq!((page.entries, rounds), (numbers(0..0), [1, 1, 3, 1]));
            cursor = page.next_cursor;
            assert!(cursor.is_some(), "there may be more");
        }
        let (page, rounds) = table.page(true, 20, cursor).await;
        assert_eq!((page.entries, page.next_cursor, rounds), (numbers(0..1), None, [1, 1, 2, 1]));
    }

    #[tokio::test]
    async fn a_page_of_what_one_shard_has_alone_is_short_and_the_next_goes_on_behind() {
        let table = Table::of((0..150).map(|_| (1, true)).collect());
        // Three times 29 of 100.
        let (page, rounds) = table.page(false, 100, None).await;
        assert_eq!((page.entries, rounds), (numbers((63..150).rev()), [1, 3, 1, 1]));
        let (page, _) = table.page(false, 100, page.next_cursor).await;
        assert_eq!((page.entries, page.next_cursor), (numbers((0..63).rev()), None));
    }

    #[tokio::test]
    async fn what_is_behind_the_end_of_another_shards_part_waits_for_the_next_page() {
        // The newest stand in one shard, which is read as far as two of its parts; the oldest stand in another.
        let table = Table::of((0..60).map(|number| (usize::from(number >= 10), true)).collect());
        let pages = table.pages(false, 8).await;
        assert_eq!(pages.concat(), numbers((0..60).rev()));
        assert_eq!(pages[0], numbers((52..60).rev()));
    }
}
