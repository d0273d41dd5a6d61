//! From what fits to a page: filters, counts and order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashSet};

use tantivy::DocId;
use tantivy::columnar::ColumnValues;

use super::matching::Match;
use super::segment::Segment;
use super::{Facets, Hit, Position, ProductId, Query, Sort, StoreFace, StoreId};

/// The most values of a facet that are told: those with the most products.
const MOST_VALUES: usize = 100;

/// How many bits of a key decide where scores are equal; the 22 above them are the score's.
const TIE: u32 = 42;

/// How many products are looked at together.
const BLOCK: usize = 128;

/// A product and what it is sorted by: first those with the greater key, of equal ones those with the smaller id. The
/// greatest of these comes last on a page.
type Entry = (Reverse<u64>, ProductId);

/// What of a segment fits the words.
pub enum Found {
    /// All: there were no words.
    Everything,
    These(Vec<Match>),
}

/// Collects a page over the segments.
pub struct Collector<'a> {
    query: &'a Query,
    /// Whether products are sorted by how well they fit.
    by_score: bool,
    limit: usize,
    best: BinaryHeap<Entry>,
    total: u64,
    categories: BTreeMap<String, u64>,
    stores: BTreeMap<StoreId, BTreeMap<String, u64>>,
}

impl<'a> Collector<'a> {
    pub fn new(query: &'a Query, by_score: bool, limit: usize) -> Self {
        Self {
            query,
            by_score,
            limit,
            best: BinaryHeap::with_capacity(limit + 1),
            total: 0,
            categories: BTreeMap::new(),
            stores: BTreeMap::new(),
        }
    }

    /// Goes through what was found in a segment: products that are neither deleted nor hidden.
    pub fn add(&mut self, segment: &Segment, found: Found) {
        let filters = Filters::of(self.query, segment);
        let mut counts = Counts::of(segment);
        match found {
            Found::These(matches) => {
                for block in matches.chunks(BLOCK) {
                    let (docs, scores): (Vec<DocId>, Vec<u32>) = block.iter().copied().unzip();
                    self.look(segment, &filters, &mut counts, &docs, &scores);
                }
            }
            Found::Everything => {
                let hidden = Hidden::of(segment, &self.query.hidden_stores);
                // What the whole segment has is counted already.
                let all = self.query.hidden_stores.is_empty() && filters.are_none();
                if all {
                    let (categories, stores) = segment.counts();
                    counts = Counts { categories: categories.to_vec(), stores: stores.to_vec() };
                    self.total += u64::from(segment.reader.num_docs());
                }
                let mut docs = Vec::with_capacity(BLOCK);
                // From the end, where the newest are in most segments: what comes then is seldom better.
                let mut end = segment.reader.max_doc();
                while end > 0 {
                    let begin = end.saturating_sub(BLOCK as u32);
                    docs.clear();
                    docs.extend((begin..end).rev().filter(|doc| hidden.shows(segment, *doc)));
                    if all {
                        self.rank_all(segment, &docs, &[0; BLOCK]);
                    } else {
                        self.look(segment, &filters, &mut counts, &docs, &[0; BLOCK]);
                    }
                    end = begin;
                }
            }
        }
        for (category, count) in
            segment.categories.iter().zip(counts.categories).filter(|(_, count)| *count > 0)
        {
            *self.categories.entry(category.clone()).or_default() += count;
        }
        for (store, count) in segment.stores.iter().zip(counts.stores).filter(|(_, count)| *count > 0) {
            if let Some(StoreFace { id, name }) = store {
                *self.stores.entry(*id).or_default().entry(name.clone()).or_default() += count;
            }
        }
    }

    /// A block of products, column by column: that is several times as quick as product by product.
    fn look(
        &mut self,
        segment: &Segment,
        filters: &Filters,
        counts: &mut Counts,
        docs: &[DocId],
        scores: &[u32],
    ) {
        let mut passes = [true; BLOCK];
        filters.pass(segment, docs, &mut passes);
        let (mut categories, mut stores, mut keys) = ([0; BLOCK], [0; BLOCK], [0; BLOCK]);
        segment.category.get_vals(docs, &mut categories[..docs.len()]);
        segment.store.get_vals(docs, &mut stores[..docs.len()]);
        self.keys(segment, docs, scores, &mut keys[..docs.len()]);
        for (at, doc) in docs.iter().enumerate().filter(|(at, _)| passes[*at]) {
            let of_category = filters.category.is_none_or(|wanted| wanted == Some(categories[at]));
            let of_store = filters.store.as_ref().is_none_or(|wanted| wanted.contains(&stores[at]));
            // A facet is counted with all filters but its own: it tells what another choice would find.
            if of_store && let Some(count) = counts.categories.get_mut(categories[at] as usize) {
                *count += 1;
            }
            if of_category && let Some(count) = counts.stores.get_mut(stores[at] as usize) {
                *count += 1;
            }
            if of_category && of_store {
                self.total += 1;
                self.rank(segment, *doc, keys[at]);
            }
        }
    }

    /// A block of products that all pass and are counted.
    fn rank_all(&mut self, segment: &Segment, docs: &[DocId], scores: &[u32]) {
        let mut keys = [0; BLOCK];
        self.keys(segment, docs, scores, &mut keys[..docs.len()]);
        for (doc, key) in docs.iter().zip(keys) {
            self.rank(segment, *doc, key);
        }
    }

    /// What the products are sorted by.
    fn keys(&self, segment: &Segment, docs: &[DocId], scores: &[u32], keys: &mut [u64]) {
        match self.query.sort {
            Sort::Relevance if self.by_score => {
                keys.iter_mut().zip(scores).for_each(|(key, score)| *key = u64::from(*score) << TIE);
            }
            Sort::Relevance | Sort::Newest => {
                let mut times = [0; BLOCK];
                segment.created.get_vals(docs, &mut times[..docs.len()]);
                keys.iter_mut().zip(times).for_each(|(key, time)| *key = tantivy::i64_to_u64(time));
            }
            Sort::PriceAscending => {
                segment.price.get_vals(docs, keys);
                keys.iter_mut().for_each(|key| *key = !*key);
            }
            Sort::PriceDescending => segment.price.get_vals(docs, keys),
            Sort::Rating => segment.rating.get_vals(docs, keys),
        }
    }

    fn rank(&mut self, segment: &Segment, doc: DocId, mut key: u64) {
        let full = self.best.len() >= self.limit;
        let worst = if full { self.best.peek().map_or(u64::MAX, |(Reverse(worst), _)| *worst) } else { 0 };
        if self.by_score && self.query.sort == Sort::Relevance {
            // Columns are read of those alone that may come onto the page.
            if key | ((1 << TIE) - 1) < worst {
                return;
            }
            key |= tie(segment, doc);
        }
        if key < worst {
            return;
        }
        let entry = (Reverse(key), segment.id(doc));
        if self.query.after.is_some_and(|after| entry <= (Reverse(after.key), after.id)) {
            return;
        }
        self.best.push(entry);
        if full {
            self.best.pop();
        }
    }

    pub fn finish(self) -> (Vec<Hit>, u64, Facets) {
        let before = self.query.after.map_or(0, |after| after.rank);
        let hit = |((Reverse(key), id), rank): (Entry, u32)| Hit {
            product_id: id,
            position: Position { rank: before + rank, key, id },
        };
        let hits = self.best.into_sorted_vec().into_iter().zip(1..).map(hit).collect();
        let mut categories: Vec<(String, u64)> = self.categories.into_iter().collect();
        categories.sort_by_key(|(_, count)| Reverse(*count));
        categories.truncate(MOST_VALUES);
        let store = |(id, names): (StoreId, BTreeMap<String, u64>)| {
            let count = names.values().sum();
            // While a store is being renamed: as most of its products call it.
            let name = names.into_iter().max_by_key(|(_, count)| *count).map(|(name, _)| name);
            (id, name.unwrap_or_default(), count)
        };
        let mut stores: Vec<(StoreId, String, u64)> = self.stores.into_iter().map(store).collect();
        stores.sort_by_key(|(_, _, count)| Reverse(*count));
        stores.truncate(MOST_VALUES);
        (hits, self.total, Facets { categories, stores })
    }
}

/// What decides between products that fit equally well: whether there is one to sell, then how it is rated, then which
/// is newer. Below 2 to the power of [`TIE`].
fn tie(segment: &Segment, doc: DocId) -> u64 {
    // What nobody has rated stands between what is liked and what is not.
    const UNRATED: u64 = 40;
    let rating = match segment.rating.get_val(doc) {
        0 => UNRATED,
        rating => rating.min(63),
    };
    let seconds = u64::try_from(segment.created.get_val(doc) / 1000).unwrap_or_default();
    segment.in_stock.get_val(doc).min(1) << 41 | rating << 35 | seconds.min((1 << 35) - 1)
}

/// How many products of a segment have each of its categories and stores.
struct Counts {
    categories: Vec<u64>,
    stores: Vec<u64>,
}

impl Counts {
    fn of(segment: &Segment) -> Self {
        Self { categories: vec![0; segment.categories.len()], stores: vec![0; segment.stores.len()] }
    }
}

/// Which products of a segment nobody may see.
pub struct Hidden(Vec<bool>);

impl Hidden {
    pub fn of(segment: &Segment, stores: &HashSet<StoreId>) -> Self {
        if stores.is_empty() {
            return Self(Vec::new());
        }
        Self(
            segment
                .stores
                .iter()
                .map(|store| store.as_ref().is_some_and(|store| stores.contains(&store.id)))
                .collect(),
        )
    }

    /// Whether a product is there, and its store is not hidden.
    pub fn shows(&self, segment: &Segment, doc: DocId) -> bool {
        segment.is_alive(doc)
            && (self.0.is_empty()
                || !self.0.get(segment.store.get_val(doc) as usize).copied().unwrap_or_default())
    }
}

/// The filters, in the numbers of one segment.
struct Filters {
    price: Option<(u64, u64)>,
    in_stock: bool,
    rating: u64,
    /// The number of the wanted category, if any product of the segment has it.
    category: Option<Option<u64>>,
    /// The numbers of the wanted store: one for each of its names.
    store: Option<Vec<u64>>,
}

impl Filters {
    fn of(query: &Query, segment: &Segment) -> Self {
        let price = (query.min_price.is_some() || query.max_price.is_some())
            .then(|| (query.min_price.unwrap_or_default(), query.max_price.unwrap_or(u64::MAX)));
        let category = query.category.as_ref().map(|wanted| {
            segment.categories.binary_search(wanted).ok().and_then(|at| u64::try_from(at).ok())
        });
        let of_store = |wanted: StoreId| {
            let same = |(_, store): &(u64, &Option<StoreFace>)| {
                store.as_ref().is_some_and(|store| store.id == wanted)
            };
            (0..).zip(&segment.stores).filter(same).map(|(at, _)| at).collect()
        };
        Self {
            price,
            in_stock: query.in_stock,
            rating: query.min_rating.map_or(0, u64::from),
            category,
            store: query.store.map(of_store),
        }
    }

    /// Whether every product passes.
    fn are_none(&self) -> bool {
        self.price.is_none()
            && !self.in_stock
            && self.rating == 0
            && self.category.is_none()
            && self.store.is_none()
    }

    /// Strikes out of a block what does not pass all filters but category and store.
    fn pass(&self, segment: &Segment, docs: &[DocId], passes: &mut [bool; BLOCK]) {
        let mut values = [0; BLOCK];
        let values = &mut values[..docs.len()];
        let mut strike = |column: &dyn ColumnValues<u64>, fits: &dyn Fn(u64) -> bool| {
            column.get_vals(docs, values);
            passes.iter_mut().zip(values.iter()).for_each(|(passes, value)| *passes &= fits(*value));
        };
        if self.in_stock {
            strike(&*segment.in_stock, &|in_stock| in_stock == 1);
        }
        if self.rating > 0 {
            strike(&*segment.rating, &|rating| rating >= self.rating);
        }
        if let Some((min, max)) = self.price {
            strike(&*segment.price, &|price| (min..=max).contains(&price));
        }
    }
}
