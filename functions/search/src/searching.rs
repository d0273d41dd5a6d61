//! Answering a search. The index says which products and in which order; what each is like today the tables say, in one
//! call that also brings the pointer: so nothing is shown that cannot be bought, whatever the index still says, and
//! whoever has an older index learns of it without asking.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use products::{ProductId, ProductOffer, Products, PublicProduct};
use serde::Serialize;
use shared::dynamo::list::Cursors;
use shared::dynamo::{Consistency, Read};
use shared::http::problem::Problem;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;

use crate::current::{Current, Loaded};
use crate::engine::{Hit, Page, Query};
use crate::face;
use crate::request::{MAX_LIMIT, SUGGESTIONS, SearchRequest, SuggestRequest};
use crate::store::Pointer;

/// How many products are read beyond a page's, for those that cannot be bought any more.
const SPARE: usize = 5;

/// How many are read in one call at most: three items each, if each has also what buyers think of it, and the pointer.
const MOST_READ: usize = 33;

const _: () = assert!(MAX_LIMIT <= MOST_READ && MOST_READ * 3 < 100);

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchPage {
    products: Vec<PublicProduct>,
    /// As the index has it.
    total: usize,
    facets: Facets,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
}

/// Among what the products are that were found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Facets {
    categories: Vec<CategoryCount>,
    stores: Vec<StoreCount>,
}

/// How many of them are in a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct CategoryCount {
    name: String,
    count: usize,
}

/// How many of them a store sells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct StoreCount {
    id: String,
    name: String,
    count: usize,
}

/// Names that begin as somebody types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suggestions {
    suggestions: Vec<Suggestion>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Suggestion {
    text: String,
    product_id: ProductId,
}

/// Searching the shop.
#[derive(Debug, Clone)]
pub struct Searching {
    current: Current,
    products: Products,
}

impl FromEnv for Searching {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { current: Current::from_env(aws)?, products: Products::from_env(aws)? })
    }
}

/// What was read of the products of a page.
#[derive(Debug, Default)]
struct Today {
    products: HashMap<ProductId, ProductOffer>,
    pointer: Option<Pointer>,
}

impl Searching {
    /// A page of what fits, and among what it is. One DynamoDB call, and another one where the index has just changed
    /// so that others are on the page.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another search; 500 when something cannot be read.
    pub async fn page(&self, request: &SearchRequest, cursors: &Cursors) -> Result<SearchPage, Problem> {
        let to_read = MOST_READ.min(request.limit + SPARE);
        // One more tells whether there is a next page.
        let (query, seen) = request.query(cursors, to_read + 1)?;
        let loaded = self.current.at_hand().await?;
        let mut found = self.found(loaded.clone(), &query)?;
        let mut today = self.today(ids(&found, to_read)).await?;
        let newer = self.current.of(today.pointer.take()).await?;
        if pointer(newer.as_deref()) != pointer(loaded.as_deref()) {
            found = self.found(newer, &query)?;
            let unread = ids(&found, to_read).filter(|id| !today.products.contains_key(id)).collect::<Vec<_>>();
            if !unread.is_empty() {
                today.products.extend(self.today(unread.into_iter()).await?.products);
            }
        }
        Ok(page(request, cursors, found, to_read, seen, today.products))
    }

    fn found(&self, loaded: Option<Arc<Loaded>>, query: &Query) -> anyhow::Result<Page> {
        match loaded {
            Some(loaded) => loaded.index.search(query).context("search the index"),
            None => Ok(Page::default()),
        }
    }

    /// These products as they are now, and the pointer: one call.
    async fn today(&self, ids: impl Iterator<Item = ProductId>) -> anyhow::Result<Today> {
        let ids: Vec<_> = ids.collect();
        let read = self.products.with(Read::new(), ids, Consistency::Eventual)?;
        let read = self.current.pointers.with(read)?;
        let mut batch = self.current.pointers.fetch(read).await.context("read what was found")?;
        let pointer = self.current.pointers.found_in(&mut batch)?;
        Ok(Today { products: self.products.found_in(&mut batch), pointer })
    }

    /// Names that begin as somebody types. No call, but for the pointer every two seconds.
    ///
    /// # Errors
    /// When the index cannot be loaded.
    pub async fn suggest(&self, request: &SuggestRequest, now: Timestamp) -> Result<Suggestions, Problem> {
        let Some(loaded) = self.current.lately(now).await? else {
            return Ok(Suggestions { suggestions: Vec::new() });
        };
        let suggestions = loaded.index.suggest(&request.text, SUGGESTIONS, &[]).context("suggest names")?;
        let suggestions = suggestions
            .into_iter()
            .map(|suggestion| Suggestion { text: suggestion.text, product_id: suggestion.product_id });
        Ok(Suggestions { suggestions: suggestions.collect() })
    }
}

fn pointer(loaded: Option<&Loaded>) -> Option<&Pointer> {
    loaded.map(|loaded| &loaded.pointer)
}

fn ids(found: &Page, to_read: usize) -> impl Iterator<Item = ProductId> {
    found.hits.iter().take(to_read).map(|hit| hit.product_id)
}

/// The page of those that can be bought of what was found, in its order.
fn page(
    request: &SearchRequest,
    cursors: &Cursors,
    found: Page,
    to_read: usize,
    seen_before: usize,
    mut today: HashMap<ProductId, ProductOffer>,
) -> SearchPage {
    let mut products = Vec::with_capacity(request.limit);
    let (mut last, mut seen) = (None, 0);
    for Hit { product_id, position } in found.hits.iter().take(to_read) {
        if products.len() == request.limit {
            break;
        }
        (last, seen) = (Some(position), seen + 1);
        let product = today.remove(product_id).filter(|found| face::document(found).is_some());
        products.extend(product.map(PublicProduct::from));
    }
    let is_last = seen == found.hits.len();
    let next_cursor = last.filter(|_| !is_last).and_then(|position| {
        request.cursor(cursors, position.clone(), seen_before + seen)
    });
    let categories = found.facets.categories.into_iter().map(|(name, count)| CategoryCount { name, count });
    let stores = found.facets.stores.into_iter();
    let stores = stores.map(|(id, name, count)| StoreCount { id: id.to_string(), name, count });
    let facets = Facets { categories: categories.collect(), stores: stores.collect() };
    SearchPage { products, total: found.total, facets, next_cursor }
}
