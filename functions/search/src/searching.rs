//! Answering a search. The index says which products and in which order; what each is like today the tables say, in one
//! call that also brings the pointer: so nothing is shown that cannot be bought, whatever the index still says, and
//! whoever has an older index learns of it without asking.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use products::{ProductId, ProductOffer, Products, PublicProduct};
use serde::Serialize;
use shared::dynamo::list::Cursors;
use shared::dynamo::{Batch, Consistency, Read};
use shared::http::problem::Problem;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;
use stores::{Hidden, HiddenStores};

use crate::current::{Current, Loaded};
use crate::domain::Domain;
use crate::engine::{Query, StoreId as StoreNumber};
use crate::face;
use crate::found::{Found, Hit};
use crate::request::{Asking, MAX_LIMIT, SUGGESTIONS, SearchRequest, SuggestRequest};
use crate::store::{Pointer, Pointers};

/// How many products are read beyond a page's, for those that cannot be bought any more.
const SPARE: usize = 5;

/// How many are read in one call at most: three items each, and the pointer.
/// Where that leaves no room for what is hidden, that is read in a call of its own, every ten seconds.
const MOST_READ: usize = 33;

const _: () = assert!(MAX_LIMIT <= MOST_READ && MOST_READ * 3 < 100);

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchPage {
    products: Vec<PublicProduct>,
    /// As the index has it.
    total: u64,
    /// Whether nothing has all the words.
    is_partial: bool,
    facets: Counts,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
}

/// Among what the products are that were found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Counts {
    categories: Vec<CategoryCount>,
    stores: Vec<StoreCount>,
}

/// How many of them are in a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct CategoryCount {
    name: String,
    count: u64,
}

/// How many of them a store sells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct StoreCount {
    id: String,
    name: String,
    count: u64,
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
#[derive(Clone)]
pub struct Searching {
    catalogue: Catalogue,
    products: Products,
    hidden: HiddenStores,
    pointers: Pointers,
}

/// Where what is found comes from.
#[derive(Clone)]
enum Catalogue {
    /// From the index in memory.
    Index(Current),
    /// From a domain.
    Domain(Box<Domain>),
}

impl FromEnv for Searching {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        let catalogue = match Domain::if_any(aws)? {
            Some(domain) => Catalogue::Domain(Box::new(domain)),
            None => Catalogue::Index(Current::from_env(aws)?),
        };
        let (products, hidden) = (Products::from_env(aws)?, HiddenStores::from_env(aws)?);
        Ok(Self { catalogue, products, hidden, pointers: Pointers::from_env(aws)? })
    }
}

impl Searching {
    /// A page of what fits, and among what it is. One DynamoDB call, and another one where the index, or what is
    /// hidden, has just changed so that others are on the page.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another search; 500 when something cannot be read.
    pub async fn page(
        &self,
        request: &SearchRequest,
        cursors: &Cursors,
        now: Timestamp,
    ) -> Result<SearchPage, Problem> {
        let to_read = MOST_READ.min(request.limit + SPARE);
        // One more tells whether there is a next page.
        let asking = request.query(cursors, to_read + 1)?;
        let (found, today) = self.look(&asking, to_read, now).await?;
        Ok(page(request, cursors, found, to_read, asking.seen, today))
    }

    /// What is found, or what is found by now, and what of it can be bought, as it is.
    async fn look(
        &self,
        asking: &Asking,
        to_read: usize,
        now: Timestamp,
    ) -> anyhow::Result<(Found, HashMap<ProductId, ProductOffer>)> {
        let (before, known) = (self.at_hand().await?, self.hidden.known());
        let found = self.found(before.as_deref(), asking, &known).await?;
        let (read, look) = self.hidden.with(self.reading(ids(&found, to_read))?, now)?;
        let mut batch = self.pointers.fetch(read).await.context("read what was found")?;
        let hidden = self.hidden.found_in(&mut batch, look).await?;
        let newer = self.newer(&mut batch).await?;
        let mut today = self.products.all_found_in(&mut batch);
        let is_same = pointer(newer.as_deref()) == pointer(before.as_deref()) && hidden == known;
        let found = if is_same { found } else { self.found(newer.as_deref(), asking, &hidden).await? };
        let unread: Vec<_> = ids(&found, to_read).filter(|id| !today.contains_key(id)).collect();
        if !is_same && !unread.is_empty() {
            let read = self.products.with(Read::new(), unread, Consistency::Eventual)?;
            let mut batch = self.pointers.fetch(read).await.context("read what was found")?;
            today.extend(self.products.all_found_in(&mut batch));
        }
        today.retain(|_, found| face::is_for_sale(found) && !hidden.has(found.product.store()));
        Ok((found, today))
    }

    async fn at_hand(&self) -> anyhow::Result<Option<Arc<Loaded>>> {
        match &self.catalogue {
            Catalogue::Index(current) => current.at_hand().await,
            Catalogue::Domain(_) => Ok(None),
        }
    }

    /// The index that the pointer which was read names.
    async fn newer(&self, batch: &mut Batch) -> anyhow::Result<Option<Arc<Loaded>>> {
        match &self.catalogue {
            Catalogue::Index(current) => current.of(self.pointers.found_in(batch)?).await,
            Catalogue::Domain(_) => Ok(None),
        }
    }

    /// A reading of these products, and of the pointer where there is an index.
    fn reading(&self, ids: impl Iterator<Item = ProductId>) -> anyhow::Result<Read> {
        let ids: Vec<_> = ids.collect();
        let read = self.products.with(Read::new(), ids, Consistency::Eventual)?;
        match &self.catalogue {
            Catalogue::Index(_) => self.pointers.with(read),
            Catalogue::Domain(_) => Ok(read),
        }
    }

    async fn found(
        &self,
        loaded: Option<&Loaded>,
        asking: &Asking,
        hidden: &Hidden,
    ) -> anyhow::Result<Found> {
        let hidden_stores = hidden.stores().map(Into::into).collect();
        let query = Query { hidden_stores, ..asking.query.clone() };
        match (&self.catalogue, loaded) {
            (Catalogue::Domain(domain), _) => domain.search(&query, asking.behind.as_deref()).await,
            (_, Some(loaded)) => Ok(loaded.index.search(&query).context("search the index")?.into()),
            (_, None) => Ok(Found::default()),
        }
    }

    /// Names that begin as somebody types. No call, but for the pointer every two seconds and for what is hidden every
    /// ten.
    ///
    /// # Errors
    /// When the index cannot be loaded.
    pub async fn suggest(&self, request: &SuggestRequest, now: Timestamp) -> Result<Suggestions, Problem> {
        let text = &request.text;
        let suggestions = match &self.catalogue {
            _ if text.is_empty() => Vec::new(),
            Catalogue::Domain(domain) => domain.suggest(text, SUGGESTIONS).await?,
            Catalogue::Index(current) => match current.lately(now).await? {
                Some(loaded) => {
                    let hidden = self.hidden.look(now).await?;
                    let is_hidden = |store: StoreNumber| hidden.has(Some(store.into()));
                    loaded.index.suggest(text, SUGGESTIONS, &is_hidden).context("suggest names")?
                }
                None => Vec::new(),
            },
        };
        let suggestions = suggestions
            .into_iter()
            .map(|one| Suggestion { text: one.text, product_id: one.product_id.into() });
        Ok(Suggestions { suggestions: suggestions.collect() })
    }
}

fn pointer(loaded: Option<&Loaded>) -> Option<&Pointer> {
    loaded.map(|loaded| &loaded.pointer)
}

fn ids(found: &Found, to_read: usize) -> impl Iterator<Item = ProductId> {
    found.hits.iter().take(to_read).map(|hit| hit.product_id)
}

/// The page of those that can be bought of what was found, in its order.
fn page(
    request: &SearchRequest,
    cursors: &Cursors,
    found: Found,
    to_read: usize,
    seen_before: usize,
    mut today: HashMap<ProductId, ProductOffer>,
) -> SearchPage {
    let mut products = Vec::with_capacity(request.limit);
    let (mut last, mut seen) = (None, 0);
    for Hit { product_id, place } in found.hits.iter().take(to_read) {
        if products.len() == request.limit {
            break;
        }
        (last, seen) = (Some(place), seen + 1);
        products.extend(today.remove(product_id).map(PublicProduct::from));
    }
    let is_last = seen == found.hits.len();
    let next_cursor =
        last.filter(|_| !is_last).and_then(|place| request.cursor(cursors, place, seen_before + seen));
    let categories = found.facets.categories.into_iter().map(|(name, count)| CategoryCount { name, count });
    let stores = found.facets.stores.into_iter();
    let stores = stores.map(|(id, name, count)| StoreCount { id: id.to_string(), name, count });
    let facets = Counts { categories: categories.collect(), stores: stores.collect() };
    SearchPage { products, total: found.total, is_partial: found.is_partial, facets, next_cursor }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Bytes, Index};
    use crate::face::tests::{offer, product};
    use crate::request::tests::of_limit;

    fn found(number: u32) -> ProductOffer {
        ProductOffer {
            product: serde_json::from_value(product(number)).unwrap(),
            offer: serde_json::from_value(offer(number)).unwrap(),
            rating: None,
        }
    }

    /// An index of so many products, and all of them as they are today.
    fn shop(count: u32) -> (Index, HashMap<ProductId, ProductOffer>) {
        let all: Vec<_> = (1..=count).map(found).collect();
        let documents = all.iter().map(|found| face::document(found, &Default::default()).unwrap());
        let index = Index::open(Bytes::new(Index::build(documents).unwrap()), &[]).unwrap();
        (index, all.into_iter().map(|found| (found.product.id(), found)).collect())
    }

    /// Walks all pages of this length, where these are not for sale any more.
    fn walk(count: u32, limit: usize, gone: &[u32]) -> Vec<Vec<ProductId>> {
        let (index, mut today) = shop(count);
        for number in gone {
            today.remove(&found(*number).product.id());
        }
        let cursors = Cursors::for_tests();
        let (mut pages, mut cursor) = (Vec::new(), None);
        loop {
            let request = of_limit(limit, cursor);
            let to_read = MOST_READ.min(limit + SPARE);
            let Asking { query, seen, .. } = request.query(&cursors, to_read + 1).unwrap();
            let found = Found::from(index.search(&query).unwrap());
            let page = page(&request, &cursors, found, to_read, seen, today.clone());
            assert_eq!(page.total, u64::from(count), "it is what the index has");
            let ids = serde_json::to_value(&page.products).unwrap();
            let ids = ids.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().parse().unwrap());
            pages.push(ids.collect());
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => return pages,
            }
            assert!(pages.len() < 100, "it never ends");
        }
    }

    fn lengths(pages: &[Vec<ProductId>]) -> Vec<usize> {
        pages.iter().map(Vec::len).collect()
    }

    fn is_each_once(pages: &[Vec<ProductId>], count: usize) {
        let mut all = pages.concat();
        all.sort_unstable();
        all.dedup();
        assert_eq!((all.len(), pages.concat().len()), (count, count));
    }

    #[test]
    fn pages_hold_each_product_once_and_nobody_is_sent_to_an_empty_one() {
        for (count, limit, expected) in [
            (0, 5, vec![0]),
            (5, 5, vec![5]),
            (6, 5, vec![5, 1]),
            (10, 5, vec![5, 5]),
            (40, 30, vec![30, 10]),
            (61, 30, vec![30, 30, 1]),
        ] {
            let pages = walk(count, limit, &[]);
            assert_eq!(lengths(&pages), expected, "{count} by {limit}");
            is_each_once(&pages, count as usize);
        }
    }

    #[test]
    fn those_to_spare_take_the_place_of_what_cannot_be_bought() {
        let pages = walk(20, 10, &[1, 5, 20]);
        assert_eq!(lengths(&pages), [10, 7]);
        is_each_once(&pages, 17);
        // Too many of them: a page is shorter, and its cursor goes on.
        let gone: Vec<_> = (1..=20).collect();
        let pages = walk(40, 10, &gone);
        is_each_once(&pages, 20);
        assert!(lengths(&walk(3, 10, &[1, 2, 3])).iter().all(|length| *length == 0));
    }
}
