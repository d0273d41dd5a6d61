//! Lists: a page of an index in one query, and cursors that nobody can forge.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::str::FromStr;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

use crate::dynamo::{Item, read_each, text};
use crate::http::input::Number;
use crate::http::problem::{FieldError, Problem};
use crate::http::{Parameter, QueryParameter};
use crate::run::aws::{Aws, FromEnv};
use crate::run::config::{self, ConfigError};

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

/// How many entries a query of a filtered list looks through: some 100 KB of small ones.
const LOOKED_THROUGH_AT_ONCE: usize = 500;

/// How many queries a page may take.
const MOST_QUERIES: usize = 8;

/// Which page the client asks for: `?limit=` (1–100, 20 unless told) and `?cursor=` (from the page before).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    limit: usize,
    cursor: Option<String>,
}

impl PageRequest {
    /// The first page, with so many entries at most: what a function asks for that no client asked.
    pub const fn first(limit: usize) -> Self {
        Self { limit, cursor: None }
    }

    /// How many entries at most.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The cursor of the page before; `None` for the first page.
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// One of the tests'.
    #[cfg(test)]
    pub(super) fn for_tests(limit: usize, cursor: Option<String>) -> Self {
        Self { limit, cursor }
    }
}

/// How many entries the client wants at most: `?limit=`, from 1 to `MOST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit<const MOST: usize>(pub usize);

impl<const MOST: usize> Parameter for Limit<MOST> {
    const NAME: &'static str = "limit";
}

impl<const MOST: usize> FromStr for Limit<MOST> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.parse::<Number>().ok().and_then(|number| number.shifted(0));
        let limit = number.and_then(|number| usize::try_from(number).ok());
        let limit = limit.filter(|limit| (1..=MOST).contains(limit));
        limit.map(Self).ok_or_else(|| format!("must be a whole number from 1 to {MOST}"))
    }
}

/// From where the client wants to go on: `?cursor=`. It is any text: whether it is a cursor shows when it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

impl Parameter for Cursor {
    const NAME: &'static str = "cursor";
}

impl FromStr for Cursor {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PageRequest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let QueryParameter(limit) =
            QueryParameter::<Limit<MAX_LIMIT>>::from_request_parts(parts, state).await?;
        let QueryParameter(cursor) = QueryParameter::<Cursor>::from_request_parts(parts, state).await?;
        Ok(Self {
            limit: limit.map_or(DEFAULT_LIMIT, |limit| limit.0),
            cursor: cursor.map(|cursor| cursor.0),
        })
    }
}

/// A part of a list, and where the next part begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// At most as many as asked for, in the list's order.
    pub entries: Vec<T>,
    /// What to send as `cursor` for the next page; `None` on the last one.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// The same page with each entry as `view` shows it.
    pub fn map<U>(self, view: impl FnMut(T) -> U) -> Page<U> {
        Page { entries: self.entries.into_iter().map(view).collect(), next_cursor: self.next_cursor }
    }
}

/// A list's sort key's attribute, and which entry the list begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The one with the least sort key, such as the first name.
    Ascending(&'static str),
    /// The one with the greatest sort key, such as the newest.
    Descending(&'static str),
}

impl Sort {
    fn attribute(self) -> &'static str {
        match self {
            Self::Ascending(name) | Self::Descending(name) => name,
        }
    }
}

/// An index, or a table, whose partitions are lists.
#[derive(Debug, Clone, Copy)]
pub struct List {
    /// The index's name; `None` where the table's own partitions are the lists.
    pub index: Option<&'static str>,
    /// Its partition key's attribute: one value, one list.
    pub partition: &'static str,
    /// Its sort key.
    pub sort: Sort,
    /// The attributes of the table's own key, of those that are not the list's partition: one, or two with a comma
    /// between them.
    pub key: &'static str,
}

impl List {
    /// The attribute by which an entry that nobody can read is named in the log.
    fn names(&self) -> &'static str {
        self.key.split(',').next().unwrap_or(self.key)
    }
}

/// Seals and opens cursors with a key that only the functions know.
#[derive(Debug, Clone)]
pub struct Cursors {
    key: String,
}

impl FromEnv for Cursors {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { key: config::required("CURSOR_KEY")? })
    }
}

#[cfg(any(test, feature = "testing"))]
impl Cursors {
    /// Those of a key that only the tests know.
    pub fn for_tests() -> Self {
        Self { key: "a key of the tests".into() }
    }
}

/// Where a list goes on: the values of its index's and table's keys. The partition is not in it: the server knows it.
pub(super) type Position = BTreeMap<String, String>;

impl Cursors {
    /// The page of the list `of` (a value of its partition key) that `request` asks for. One query. An entry that
    /// nobody can read is left out, see [`read_each`].
    ///
    /// # Errors
    /// `invalid-input` for a cursor that is not of this list, 500 when the query fails.
    pub async fn page<T: DeserializeOwned>(
        &self,
        client: &Client,
        table: &str,
        list: List,
        of: &str,
        request: &PageRequest,
    ) -> Result<Page<T>, Problem> {
        self.filtered_page(client, table, list, of, None, request).await
    }

    /// The same of those entries only whose attribute has a value, for a list that is read too seldom to pay for an
    /// index at every write. At most 4,000 entries are looked through for one page: where those do not fill it, it is
    /// shorter than asked for and its cursor goes on behind them.
    ///
    /// # Errors
    /// `invalid-input` for a cursor that is not of this list, 500 when a query fails.
    pub async fn filtered_page<T: DeserializeOwned>(
        &self,
        client: &Client,
        table: &str,
        list: List,
        of: &str,
        only: Option<(&str, &str)>,
        request: &PageRequest,
    ) -> Result<Page<T>, Problem> {
        let query = client.query().key_condition_expression("#partition = :of");
        let query = match only {
            None => query,
            Some((attribute, value)) => query
                .filter_expression("#only = :only")
                .expression_attribute_names("#only", attribute)
                .expression_attribute_values(":only", text(value)),
        };
        self.queried_page(query, table, list, (of, of), only.is_some(), request).await
    }

    /// The same of those entries only whose sort key begins with `prefix`. One query. A cursor belongs to its prefix.
    ///
    /// # Errors
    /// `invalid-input` for a cursor that is not of this list and prefix, 500 when the query fails.
    pub async fn page_beginning_with<T: DeserializeOwned>(
        &self,
        client: &Client,
        table: &str,
        list: List,
        of: &str,
        prefix: &str,
        request: &PageRequest,
    ) -> Result<Page<T>, Problem> {
        let query = client
            .query()
            .key_condition_expression("#partition = :of AND begins_with(#sort, :prefix)")
            .expression_attribute_names("#sort", list.sort.attribute())
            .expression_attribute_values(":prefix", text(prefix));
        // No partition has a NUL.
        let scope = format!("{of}\0{prefix}");
        self.queried_page(query, table, list, (of, &scope), false, request).await
    }

    /// A page by a query that lacks all but its conditions. Cursors are sealed for `scope`, which names what is listed
    /// of the partition `of`.
    async fn queried_page<T: DeserializeOwned>(
        &self,
        query: QueryFluentBuilder,
        table: &str,
        list: List,
        (of, scope): (&str, &str),
        is_filtered: bool,
        request: &PageRequest,
    ) -> Result<Page<T>, Problem> {
        let mut start = self.position(list, scope, request)?.map(|position| {
            let mut key: Item = position.into_iter().map(|(name, value)| (name, text(&value))).collect();
            key.insert(list.partition.to_owned(), text(of));
            key
        });
        // One more than asked for tells whether there is a next page, so that nobody is sent to an empty one.
        let one_more = request.limit + 1;
        let at_once = if is_filtered { LOOKED_THROUGH_AT_ONCE } else { one_more };
        let query = query
            .table_name(table)
            .set_index_name(list.index.map(str::to_owned))
            .expression_attribute_names("#partition", list.partition)
            .expression_attribute_values(":of", text(of))
            .scan_index_forward(matches!(list.sort, Sort::Ascending(_)))
            .limit(i32::try_from(at_once).unwrap_or(i32::MAX));
        let mut items = Vec::new();
        for _ in 0..MOST_QUERIES {
            let found = query.clone().set_exclusive_start_key(start).send().await;
            let found = found.with_context(|| format!("query {}", list.index.unwrap_or(table)))?;
            items.extend(found.items.unwrap_or_default());
            start = found.last_evaluated_key;
            if items.len() > request.limit || start.is_none() {
                break;
            }
        }
        let next_cursor = if items.len() > request.limit {
            items.truncate(request.limit);
            items.last().map(|last| self.seal(list, scope, last))
        } else {
            start.map(|last| self.seal(list, scope, &last))
        };
        Ok(Page { entries: read_each(items, list.names()), next_cursor })
    }

    /// Where the page begins that `request` asks for; `None` is the list's beginning.
    pub(super) fn position(
        &self,
        list: List,
        of: &str,
        request: &PageRequest,
    ) -> Result<Option<Position>, Problem> {
        let Some(cursor) = &request.cursor else { return Ok(None) };
        self.open(list, of, cursor).map(Some).ok_or_else(not_of_this_list)
    }

    /// A cursor of a list that no table keeps: of the lists `list`, the one that is of `of`, behind `position`.
    pub fn seal_position(&self, list: &str, of: &str, position: &impl Serialize) -> String {
        let position = serde_json::to_vec(position).unwrap_or_default();
        sealed(self.mac_of(list, of, &position), &position)
    }

    /// What [`Cursors::seal_position`] sealed of the same list.
    ///
    /// # Errors
    /// `invalid-input` for a cursor that is not of this list.
    pub fn open_position<T: DeserializeOwned>(
        &self,
        list: &str,
        of: &str,
        cursor: &str,
    ) -> Result<T, Problem> {
        opened(cursor, |position| self.mac_of(list, of, position)).ok_or_else(not_of_this_list)
    }

    pub(super) fn seal(&self, list: List, of: &str, last: &Item) -> String {
        let position: Position = std::iter::once(list.sort.attribute())
            .chain(list.key.split(','))
            .filter_map(|name| match last.get(name) {
                Some(AttributeValue::S(value)) => Some((name.to_owned(), value.clone())),
                _ => None,
            })
            .collect();
        let position = serde_json::to_vec(&position).unwrap_or_default();
        sealed(self.mac(list, of, &position), &position)
    }

    fn open(&self, list: List, of: &str, cursor: &str) -> Option<Position> {
        opened(cursor, |position| self.mac(list, of, position))
    }

    /// Over the list as well, so that a cursor of one list or person opens no other.
    fn mac(&self, list: List, of: &str, position: &[u8]) -> Hmac<Sha256> {
        self.mac_of(list.index.unwrap_or_default(), of, position)
    }

    fn mac_of(&self, list: &str, of: &str, position: &[u8]) -> Hmac<Sha256> {
        // HMAC takes a key of any length.
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.key.as_bytes()).expect("HMAC takes keys of any length");
        for part in [list.as_bytes(), of.as_bytes(), position] {
            mac.update(&part.len().to_le_bytes());
            mac.update(part);
        }
        mac
    }
}

fn not_of_this_list() -> Problem {
    let detail = "is not a cursor of this list; send the nextCursor of the page before";
    Problem::invalid_input(vec![FieldError::parameter("cursor", detail)])
}

fn opened<T: DeserializeOwned>(cursor: &str, mac: impl FnOnce(&[u8]) -> Hmac<Sha256>) -> Option<T> {
    let sealed = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (tag, position) = sealed.split_at_checked(32)?;
    mac(position).verify_slice(tag).ok()?;
    serde_json::from_slice(position).ok()
}

fn sealed(mac: Hmac<Sha256>, position: &[u8]) -> String {
    let mut sealed = mac.finalize().into_bytes().to_vec();
    sealed.extend(position);
    URL_SAFE_NO_PAD.encode(sealed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::aws::canned;
    use proptest::prelude::*;
    use serde_json::json;

    const LIST: List = List {
        index: Some("customer"),
        partition: "userId",
        sort: Sort::Descending("createdAt"),
        key: "orderId",
    };

    fn cursors() -> Cursors {
        Cursors::for_tests()
    }

    fn cursor() -> String {
        let last = Item::from([
            ("userId".into(), text("ann")),
            ("createdAt".into(), text("2026-11-21T00:00:00.000Z")),
            ("orderId".into(), text("1")),
            ("total".into(), AttributeValue::N("5".into())),
        ]);
        cursors().seal(LIST, "ann", &last)
    }

    #[test]
    fn a_cursor_of_what_no_table_keeps_opens_the_same_list_alone() {
        let sealed = cursors().seal_position("found", "tea", &json!([1, "a"]));
        assert_eq!(cursors().open_position("found", "tea", &sealed), Ok(json!([1, "a"])));
        for (list, of) in [("found", "pot"), ("customer", "tea")] {
            let refused = cursors().open_position::<serde_json::Value>(list, of, &sealed).unwrap_err();
            assert_eq!(refused.errors()[0].parameter, Some("cursor"));
        }
        assert!(cursors().open(LIST, "ann", &sealed).is_none());
    }

    #[test]
    fn a_cursor_opens_where_it_was_sealed() {
        let position = cursors().open(LIST, "ann", &cursor()).unwrap();
        let expected = [("createdAt", "2026-11-21T00:00:00.000Z"), ("orderId", "1")];
        assert_eq!(position, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }

    #[test]
    fn a_cursor_has_both_keys_of_a_table_that_has_two_but_for_the_lists_partition() {
        let stars = List { index: Some("starred"), partition: "shelf", key: "userId,productId", ..LIST };
        let item: Item = [("shelf", "tea#5"), ("createdAt", "noon"), ("userId", "ann"), ("productId", "tea")]
            .map(|(name, value)| (name.to_owned(), text(value)))
            .into();
        let cursors = cursors();
        let position = cursors.open(stars, "tea#5", &cursors.seal(stars, "tea#5", &item)).unwrap();
        let expected = [("createdAt", "noon"), ("productId", "tea"), ("userId", "ann")];
        assert_eq!(position, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!(stars.names(), "userId");
    }

    #[test]
    fn a_cursor_opens_no_other_list() {
        assert_eq!(cursors().open(LIST, "bob", &cursor()), None);
        assert_eq!(cursors().open(List { index: Some("due"), ..LIST }, "ann", &cursor()), None);
        assert_eq!(Cursors { key: "another key".into() }.open(LIST, "ann", &cursor()), None);
    }

    proptest! {
        #[test]
        fn a_changed_cursor_does_not_open(at in 0..100_usize, with in "[A-Za-z0-9_-]") {
            let cursor = cursor();
            let at = at % cursor.len();
            let mut changed = cursor.clone();
            changed.replace_range(at..=at, &with);
            prop_assert!(changed == cursor || cursors().open(LIST, "ann", &changed).is_none());
        }

        #[test]
        fn no_text_breaks_the_reader(text in ".*") {
            prop_assert_eq!(cursors().open(LIST, "ann", &text), None);
        }
    }

    #[tokio::test]
    async fn a_list_goes_on_behind_what_cannot_be_read() {
        let item = |id: &str, total: serde_json::Value| {
            let key = json!({ "S": id });
            json!({ "userId": { "S": "ann" }, "createdAt": { "S": "2026" }, "orderId": key, "total": total })
        };
        let number = json!({ "N": "5" });
        let items = [item("1", number.clone()), item("2", json!({ "S": "five" })), item("3", number)];
        let (sdk, _) = canned::answering(200, &json!({ "Items": items, "Count": 3 }));
        #[derive(Debug, PartialEq, serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Order {
            order_id: String,
            total: u32,
        }
        let request = PageRequest { limit: 2, cursor: None };
        let page =
            cursors().page::<Order>(&Client::new(&sdk), "things", LIST, "ann", &request).await.unwrap();
        assert_eq!(page.entries, [Order { order_id: "1".into(), total: 5 }]);
        let position = cursors().open(LIST, "ann", &page.next_cursor.unwrap()).unwrap();
        assert_eq!(position["orderId"], "2");
    }

    async fn request(uri: &str) -> Result<PageRequest, Problem> {
        let (mut parts, ()) = axum::http::Request::get(uri).body(()).unwrap().into_parts();
        PageRequest::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn a_page_has_1_to_100_entries_and_20_unless_told() {
        assert_eq!(request("/things").await.unwrap().limit, 20);
        assert_eq!(request("/things?limit=100").await.unwrap().limit, 100);
        for limit in ["5", "5.0", "0.5e1"] {
            assert_eq!(request(&format!("/things?limit={limit}")).await.unwrap().limit, 5);
        }
        for limit in ["0", "101", "-1", "1.5", "x", "+5", "%2B5", "%205", "05", "0x5", "5,", "1e400"] {
            assert!(request(&format!("/things?limit={limit}")).await.is_err(), "{limit}");
        }
        let first = request("/things").await.unwrap();
        for query in ["cursor=", "limit=", "limit=&cursor="] {
            assert_eq!(request(&format!("/things?{query}")).await.unwrap(), first);
        }
        assert!(request("/things?cursor=&cursor=a").await.is_err());
    }
}
