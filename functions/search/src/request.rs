//! What somebody searches for, as they ask: each parameter may be absent or empty, and all that is wrong is told at
//! once.

use std::convert::Infallible;
use std::str::FromStr;

use offers::Category;
use serde::{Deserialize, Serialize};
use shared::dynamo::list::Cursors;
use shared::http::input::{Field, Number, Value};
use shared::http::problem::{FieldError, Problem};
use shared::http::{FromRequestParts, Parameter, Parts, QueryParameter};
use shared::values::money::Charge;
use shared::values::text::trimmed;

use crate::engine::{Position, Query, Sort};

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

shared::id!(
    /// Names a store.
    Store
);

impl Parameter for Store {
    const NAME: &'static str = "store";
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
                Charge::parse(Value::Number(number)).map(|charge| Self(charge.amount().minor()))
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
        let tenths = tenths.and_then(|tenths| u8::try_from(tenths).ok()).filter(|tenths| (10..=50).contains(tenths));
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

struct Limit(usize);

impl Parameter for Limit {
    const NAME: &'static str = "limit";
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.parse::<Number>().ok().and_then(|number| number.shifted(0));
        let limit = number.and_then(|number| usize::try_from(number).ok());
        let limit = limit.filter(|limit| (1..=MAX_LIMIT).contains(limit));
        limit.map(Self).ok_or_else(|| format!("must be a whole number from 1 to {MAX_LIMIT}"))
    }
}

/// Any text: whether it is a cursor shows when it is opened.
struct Cursor(String);

impl Parameter for Cursor {
    const NAME: &'static str = "cursor";
}

impl FromStr for Cursor {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
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
    store: Option<Store>,
    min_price: Option<u64>,
    max_price: Option<u64>,
    in_stock: bool,
    min_rating: Option<u8>,
    sort: Option<SortBy>,
}

/// Where a page ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Place {
    behind: Position,
    seen: usize,
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
        let limit = parameter::<Limit>(parts, &mut faults).await.map_or(DEFAULT_LIMIT, |limit| limit.0);
        if min_price.zip(max_price).is_some_and(|(min, max)| min > max) {
            faults.push(FieldError::parameter(MaxPrice::NAME, "must not be less than minPrice"));
        }
        if !faults.is_empty() {
            return Err(Problem::invalid_input(faults));
        }
        let asked = Asked {
            text: text.map(|text| text.0).unwrap_or_default(),
            category: category.map(|category| category.to_string()),
            store,
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
    /// What the index is asked for `limit` products, and how many were seen on the pages before.
    ///
    /// # Errors
    /// `invalid-input` for a cursor that is not of this search.
    pub(crate) fn query(&self, cursors: &Cursors, limit: usize) -> Result<(Query, usize), Problem> {
        let asked = &self.asked;
        let place: Option<Place> = match &self.cursor {
            Some(cursor) => Some(cursors.open_position(LIST, &self.of(), cursor)?),
            None => None,
        };
        // Without words nothing fits better than anything else.
        let usual = if asked.text.is_empty() { SortBy::Newest } else { SortBy::Relevance };
        let sort = match asked.sort {
            None | Some(SortBy::Relevance) => usual,
            Some(sort) => sort,
        };
        let (after, seen) = place.map_or((None, 0), |place| (Some(place.behind), place.seen));
        let query = Query {
            text: asked.text.clone(),
            category: asked.category.clone(),
            store: asked.store.map(|store| store.to_string()),
            min_price: asked.min_price,
            max_price: asked.max_price,
            in_stock: asked.in_stock,
            min_rating: asked.min_rating,
            sort: sort.into(),
            after,
            limit,
            hidden_stores: Vec::new(),
        };
        Ok((query, seen))
    }

    /// The cursor of the page behind this position, unless that is deeper than anybody may turn the pages.
    pub(crate) fn cursor(&self, cursors: &Cursors, behind: Position, seen: usize) -> Option<String> {
        (seen < DEEPEST).then(|| cursors.seal_position(LIST, &self.of(), &Place { behind, seen }))
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
