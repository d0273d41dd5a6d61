//! What somebody searches for, as they ask: each parameter may be absent or empty, and all that is wrong is told at
//! once.

use std::collections::HashSet;
use std::str::FromStr;

use offers::Category;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::dynamo::list::{Cursor, Cursors, Limit};
use shared::http::input::{self, Field, Number};
use shared::http::problem::{FieldError, Problem};
use shared::http::{FromRequestParts, Parameter, Parts, QueryParameter};
use shared::values::id::NotAnId;
use shared::values::money::Charge;
use shared::values::text::trimmed;
use stores::StoreId;

use crate::engine::{Query, Sort};
use crate::found::Place;

/// How long a text may be that is searched for.
const LONGEST: usize = 200;

/// How many products are on a page unless somebody asks for another number.
const DEFAULT_LIMIT: usize = 20;

/// How many there may be: with their offers, and what else stands at each of them, and some to spare for those that are
/// not for sale any more, they are read in one call, which takes a hundred items.
pub const MAX_LIMIT: usize = 30;

/// How far one may turn the pages.
pub const DEEPEST: usize = 1_000;

/// How many names are suggested.
pub const SUGGESTIONS: usize = 8;

/// Names the lists of search in their cursors.
const LIST: &str = "search";

/// What somebody looks for, in their words: any text, of which the index takes what it understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchText(String);

impl SearchText {
    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Parameter for SearchText {
    const NAME: &'static str = "q";
}

impl FromStr for SearchText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.chars().count() {
            length if length > LONGEST => {
                Err(format!("must have at most {LONGEST} characters, but has {length}"))
            }
            _ => Ok(Self(trimmed(text).to_owned())),
        }
    }
}

/// The store that is to sell it.
struct Store(StoreId);

impl Parameter for Store {
    const NAME: &'static str = "store";
}

impl FromStr for Store {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        text.parse().map(Self)
    }
}

macro_rules! prices {
    ($($(#[$doc:meta])* $name:ident = $parameter:literal),+ $(,)?) => {$(
        $(#[$doc])*
        struct $name(u64);

        impl Parameter for $name {
            const NAME: &'static str = $parameter;
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let number = text.parse().map_err(|_| "must be a number, like 99.99")?;
                Charge::parse(input::Value::Number(number)).map(|charge| Self(charge.amount().minor()))
            }
        }
    )+};
}

prices!(
    /// The least that it may cost.
    MinPrice = "minPrice",
    /// The most.
    MaxPrice = "maxPrice",
);

shared::names!(
    /// Whether it must be there to buy.
    enum InStock {
        /// It must.
        Yes = "true",
        /// It may be sold out.
        Any = "false",
    }
);

impl Parameter for InStock {
    const NAME: &'static str = "inStock";
}

/// What buyers must think of it at least, in tenths of stars.
struct MinRating(u8);

impl Parameter for MinRating {
    const NAME: &'static str = "minRating";
}

impl FromStr for MinRating {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let tenths = text.parse::<Number>().ok().and_then(|number| number.shifted(1));
        let tenths =
            tenths.and_then(|tenths| u8::try_from(tenths).ok()).filter(|tenths| (10..=50).contains(tenths));
        tenths.map(Self).ok_or_else(|| "must be a number from 1 to 5 with at most one decimal".to_owned())
    }
}

shared::names!(
    /// In which order products are found.
    enum SortBy {
        /// What fits best.
        Relevance = "relevance",
        /// The cheapest first.
        Price = "price",
        /// The dearest first.
        PriceDown = "-price",
        /// The newest first.
        Newest = "newest",
        /// What buyers like best first.
        Rating = "rating",
    }
);

impl Parameter for SortBy {
    const NAME: &'static str = "sort";
}

impl From<SortBy> for Sort {
    fn from(sort: SortBy) -> Self {
        match sort {
            SortBy::Relevance => Self::Relevance,
            SortBy::Price => Self::PriceAscending,
            SortBy::PriceDown => Self::PriceDescending,
            SortBy::Newest => Self::Newest,
            SortBy::Rating => Self::Rating,
        }
    }
}

/// What `GET /search` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRequest {
    asked: Asked,
    cursor: Option<String>,
    /// How many products at most.
    pub(crate) limit: usize,
}

/// What is looked for, whichever page of it: a cursor of one search opens no other.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
struct Asked {
    text: String,
    category: Option<String>,
    store: Option<StoreId>,
    min_price: Option<u64>,
    max_price: Option<u64>,
    in_stock: bool,
    min_rating: Option<u8>,
    sort: Option<SortBy>,
}

/// Where a page ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct End {
    behind: Place,
    seen: usize,
}

/// What is to be looked for, for one page.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    /// What.
    pub(crate) query: Query,
    /// Behind what of a domain.
    pub(crate) behind: Option<Vec<Value>>,
    /// How many products were seen on the pages before.
    pub(crate) seen: usize,
}

/// The parameter that `T` names, or what is wrong with it.
async fn parameter<T: Parameter>(parts: &mut Parts, faults: &mut Vec<FieldError>) -> Option<T> {
    match QueryParameter::<T>::from_request_parts(parts, &()).await {
        Ok(QueryParameter(value)) => value,
        Err(problem) => {
            faults.extend_from_slice(problem.errors());
            None
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SearchRequest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut faults = Vec::new();
        let text = parameter::<SearchText>(parts, &mut faults).await;
        let category = parameter::<Category>(parts, &mut faults).await;
        let store = parameter::<Store>(parts, &mut faults).await;
        let min_price = parameter::<MinPrice>(parts, &mut faults).await.map(|price| price.0);
        let max_price = parameter::<MaxPrice>(parts, &mut faults).await.map(|price| price.0);
        let in_stock = parameter::<InStock>(parts, &mut faults).await;
        let min_rating = parameter::<MinRating>(parts, &mut faults).await.map(|rating| rating.0);
        let sort = parameter::<SortBy>(parts, &mut faults).await;
        let cursor = parameter::<Cursor>(parts, &mut faults).await.map(|cursor| cursor.0);
        let limit =
            parameter::<Limit<MAX_LIMIT>>(parts, &mut faults).await.map_or(DEFAULT_LIMIT, |limit| limit.0);
        if min_price.zip(max_price).is_some_and(|(min, max)| min > max) {
            faults.push(FieldError::parameter(MaxPrice::NAME, "must not be less than minPrice"));
        }
        if !faults.is_empty() {
            return Err(Problem::invalid_input(faults));
        }
        let asked = Asked {
            text: text.map(|text| text.0).unwrap_or_default(),
            category: category.map(|category| category.to_string()),
            store: store.map(|store| store.0),
            min_price,
            max_price,
            in_stock: in_stock == Some(InStock::Yes),
            min_rating,
            sort,
        };
        Ok(Self { asked, cursor, limit })
    }
}

impl SearchRequest {
    /// What is asked for `limit` products.
    ///
    /// # Errors
    /// `invalid-input` for a cursor that is not of this search.
    pub(crate) fn query(&self, cursors: &Cursors, limit: usize) -> Result<Asking, Problem> {
        let asked = &self.asked;
        let end: Option<End> = match &self.cursor {
            Some(cursor) => Some(cursors.open_position(LIST, &self.of(), cursor)?),
            None => None,
        };
        let (place, seen) = end.map_or((None, 0), |end| (Some(end.behind), end.seen));
        let (after, behind) = match place {
            Some(Place::Index(position)) => (Some(position), None),
            Some(Place::Domain(behind)) => (None, Some(behind)),
            None => (None, None),
        };
        let query = Query {
            text: asked.text.clone(),
            category: asked.category.clone(),
            store: asked.store.map(Into::into),
            min_price: asked.min_price,
            max_price: asked.max_price,
            in_stock: asked.in_stock,
            min_rating: asked.min_rating,
            sort: asked.sort.map(Into::into).unwrap_or_default(),
            after,
            limit,
            hidden_stores: HashSet::new(),
        };
        Ok(Asking { query, behind, seen })
    }

    /// The cursor of the page behind this position, unless that is deeper than anybody may turn the pages.
    pub(crate) fn cursor(&self, cursors: &Cursors, behind: &Place, seen: usize) -> Option<String> {
        let end = || End { behind: behind.clone(), seen };
        (seen < DEEPEST).then(|| cursors.seal_position(LIST, &self.of(), &end()))
    }

    fn of(&self) -> String {
        serde_json::to_string(&self.asked).unwrap_or_default()
    }
}

/// What `GET /search/suggest` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuggestRequest {
    /// The beginning of what somebody types.
    pub text: String,
}

impl<S: Send + Sync> FromRequestParts<S> for SuggestRequest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let QueryParameter(text) = QueryParameter::<SearchText>::from_request_parts(parts, state).await?;
        Ok(Self { text: text.map(|text| text.0).unwrap_or_default() })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A request for pages of this length.
    pub(crate) fn of_limit(limit: usize, cursor: Option<String>) -> SearchRequest {
        SearchRequest { asked: Asked::default(), cursor, limit }
    }

    #[test]
    fn a_text_has_two_hundred_characters_at_most_whatever_they_are() {
        assert!("é".repeat(200).parse::<SearchText>().is_ok());
        let refused = "x".repeat(201).parse::<SearchText>().unwrap_err();
        assert_eq!(refused, "must have at most 200 characters, but has 201");
        assert_eq!(" \u{0}tea \n".parse::<SearchText>().unwrap().as_str(), "\u{0}tea");
    }

    #[test]
    fn prices_are_exact_and_a_rating_has_one_decimal() {
        let price = |text: &str| text.parse::<MinPrice>().map(|price| price.0);
        assert_eq!(["0", "4.5", "1e2", "1000000"].map(price), [Ok(0), Ok(450), Ok(10_000), Ok(100_000_000)]);
        for text in ["-1", "1000000.01", "0.001", "x", "", "NaN"] {
            assert!(price(text).is_err(), "{text}");
        }
        let rating = |text: &str| text.parse::<MinRating>().map(|rating| rating.0).ok();
        assert_eq!(["1", "4.5", "5.0"].map(rating), [Some(10), Some(45), Some(50)]);
        assert_eq!(["0.9", "5.1", "4.55", "x", "-1"].map(rating), [None; 5]);
    }

    #[test]
    fn a_page_has_thirty_products_at_most() {
        let limit = |text: &str| text.parse::<Limit<MAX_LIMIT>>().map(|limit| limit.0).ok();
        assert_eq!(["1", "30", "0", "31", "1.5"].map(limit), [Some(1), Some(30), None, None, None]);
    }

    #[test]
    fn a_cursor_is_for_what_it_was_made_for_and_ends_where_nobody_goes_on() {
        let cursors = Cursors::for_tests();
        let position: Place = serde_json::from_value(serde_json::json!({
            "rank": 20, "key": 7, "id": "01a1fbbc-f7cc-71a0-aa66-431f703e44ea"
        }))
        .unwrap();
        let request = of_limit(20, None);
        for place in [position, Place::Domain(vec![4.5.into(), "a".into()])] {
            let cursor = request.cursor(&cursors, &place, 20).unwrap();
            let asking = of_limit(20, Some(cursor.clone())).query(&cursors, 26).unwrap();
            let (after, behind) = (asking.query.after.map(Place::Index), asking.behind.map(Place::Domain));
            assert_eq!((after.or(behind), asking.query.limit, asking.seen), (Some(place.clone()), 26, 20));
            let asked = Asked { sort: Some(SortBy::Price), ..Asked::default() };
            let other = SearchRequest { asked, cursor: Some(cursor), limit: 20 };
            assert_eq!(other.query(&cursors, 26).unwrap_err().errors()[0].parameter, Some("cursor"));
            assert!(request.cursor(&cursors, &place, DEEPEST - 1).is_some());
            assert!(request.cursor(&cursors, &place, DEEPEST).is_none());
        }
    }
}
