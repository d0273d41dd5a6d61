//! From what fits to a page: filters, counts and order.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::ops::RangeInclusive;

use tantivy::DocId;

use super::matching::Match;
use super::segment::{Counts, Segment};
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

/// Collects a page over the segments.
pub struct Collector<'a> {
    query: &'a Query,
    /// Whether products are sorted by how well they fit.
    by_score: bool,
    limit: usize,
    best: BinaryHeap<Entry>,
    /// The least key with which a product may still come onto the page.
    least: u64,
    total: u64,
    categories: Vec<(&'a str, u64)>,
    stores: Vec<(StoreId, &'a str, u64)>,
}

/// What is asked of one segment, and what was counted there.
pub struct Part<'a> {
    segment: &'a Segment,
    hidden: Hidden<'a>,
    filters: Filters<'a>,
    keys: Keys<'a>,
    counts: Counts,
}

impl<'a> Part<'a> {
    /// Of which it is a part.
    pub fn segment(&self) -> &'a Segment {
        self.segment
    }

    /// Leaves those of which nobody may know: before anything else is decided of what was found.
    pub fn show(&self, matches: &mut Vec<Match>) {
        if self.hidden.any() {
            matches.retain(|(doc, _)| self.hidden.shows(*doc));
        }
    }

    /// Which those are.
    pub fn hidden(&self) -> &Hidden<'a> {
        &self.hidden
    }
}

impl<'a> Collector<'a> {
    pub fn new(query: &'a Query, by_score: bool, limit: usize) -> Self {
        Self {
            query,
            by_score: by_score && query.sort == Sort::Relevance,
            limit,
            best: BinaryHeap::with_capacity(limit + 1),
            least: if limit == 0 { u64::MAX } else { 0 },
            total: 0,
            categories: Vec::new(),
            stores: Vec::new(),
        }
    }

    /// Begins with a segment.
    pub fn open(&self, segment: &'a Segment) -> Part<'a> {
        Part {
            segment,
            hidden: Hidden::of(segment, &self.query.hidden_stores),
            filters: Filters::of(self.query, segment),
            keys: Keys::of(self.query.sort, self.by_score, segment),
            counts: Counts::none(&segment.columns),
        }
    }

    /// Takes what was found there of products that are neither deleted nor hidden.
    pub fn add(&mut self, part: &mut Part<'a>, matches: &[Match]) {
        let mut passing = [(0, 0); BLOCK];
        for block in matches.chunks(BLOCK) {
            self.add_passing(part, part.filters.passing(block, &mut passing));
        }
    }

    /// Takes what passes all filters but category and store. One short loop after another is quicker than all in one.
    fn add_passing(&mut self, part: &mut Part<'a>, matches: &[Match]) {
        let Part { segment, filters, keys, counts, .. } = part;
        let (categories, stores) = (segment.columns.category.all(), segment.columns.store.all());
        if filters.category.is_none() && filters.store.is_none() {
            matches.iter().for_each(|(doc, _)| counts.add_category(categories[*doc as usize]));
            matches.iter().for_each(|(doc, _)| counts.add_store(stores[*doc as usize]));
            self.total += matches.len() as u64;
            for (doc, score) in matches {
                self.rank(segment, *doc, keys.of_product(*doc as usize, *score));
            }
            return;
        }
        for (doc, score) in matches {
            let (category, store) = (categories[*doc as usize], stores[*doc as usize]);
            let of_category = filters.category.is_none_or(|wanted| wanted == Some(category));
            let of_store = filters.store.as_ref().is_none_or(|wanted| wanted.contains(&store));
            // A facet is counted with all filters but its own: it tells what another choice would find.
            if of_store {
                counts.add_category(category);
            }
            if of_category {
                counts.add_store(store);
            }
            if of_category && of_store {
                self.total += 1;
                self.rank(segment, *doc, keys.of_product(*doc as usize, *score));
            }
        }
    }

    /// Takes all that there is in a segment: there were no words.
    pub fn add_all(&mut self, segment: &'a Segment) {
        let mut part = self.open(segment);
        let products = segment.reader.max_doc();
        // From the end, where the newest are in most segments: what comes then is seldom better.
        if self.query.hidden_stores.is_empty() && part.filters.are_none() {
            // What the whole segment has is counted already.
            part.counts.clone_from(segment.counts());
            self.total += u64::from(segment.reader.num_docs());
            for doc in (0..products).rev() {
                let key = part.keys.of_product(doc as usize, 0);
                if key >= self.least && segment.is_alive(doc) {
                    self.rank(segment, doc, key);
                }
            }
        } else {
            let mut block = Vec::with_capacity(BLOCK);
            let mut end = products;
            while end > 0 {
                let begin = end.saturating_sub(BLOCK as DocId);
                block.clear();
                block.extend((begin..end).rev().map(|doc| (doc, 0)));
                part.show(&mut block);
                self.add(&mut part, &block);
                end = begin;
            }
        }
        self.close(part);
    }

    /// Ends with a segment.
    pub fn close(&mut self, part: Part<'a>) {
        let Part { segment, counts, .. } = part;
        let columns = &segment.columns;
        let categories = columns.categories.iter().zip(counts.categories);
        self.categories.extend(
            categories.filter(|(_, count)| *count > 0).map(|(category, count)| (category.as_str(), count)),
        );
        let stores = columns.stores.iter().zip(counts.stores).filter(|(_, count)| *count > 0);
        self.stores.extend(stores.filter_map(|(store, count)| {
            store.as_ref().map(|StoreFace { id, name }| (*id, name.as_str(), count))
        }));
    }

    /// Puts a product where it belongs among the best, if it does.
    #[inline(always)]
    fn rank(&mut self, segment: &Segment, doc: DocId, key: u64) {
        // The rest of a score's key is read of those alone that may come onto the page.
        let best = if self.by_score { key | ((1 << TIE) - 1) } else { key };
        if best >= self.least {
            self.keep(segment, doc, key);
        }
    }

    #[inline(never)]
    fn keep(&mut self, segment: &Segment, doc: DocId, key: u64) {
        let key = if self.by_score { key | tie(segment, doc) } else { key };
        if key < self.least {
            return;
        }
        let entry = (Reverse(key), segment.id(doc));
        if self.query.after.is_some_and(|after| entry <= (Reverse(after.key), after.id)) {
            return;
        }
        self.best.push(entry);
        if self.best.len() > self.limit {
            self.best.pop();
        }
        if self.best.len() == self.limit {
            self.least = self.best.peek().map_or(u64::MAX, |(Reverse(last), _)| *last);
        }
    }

    pub fn finish(self) -> (Vec<Hit>, u64, Facets) {
        let before = self.query.after.map_or(0, |after| after.rank);
        let hit = |((Reverse(key), id), rank): (Entry, u32)| Hit {
            product_id: id,
            position: Position { rank: before + rank, key, id },
        };
        let hits = self.best.into_sorted_vec().into_iter().zip(1..).map(hit).collect();
        let facets = Facets { categories: categories(self.categories), stores: stores(self.stores) };
        (hits, self.total, facets)
    }
}

/// The counts of all segments together.
fn categories(mut counts: Vec<(&str, u64)>) -> Vec<(String, u64)> {
    counts.sort_by_key(|(category, _)| *category);
    counts.dedup_by(|(category, count), (first, sum)| {
        let same = category == first;
        *sum += if same { *count } else { 0 };
        same
    });
    let counts = most(counts, |(category, count)| (Reverse(*count), *category));
    counts.into_iter().map(|(category, count)| (category.to_owned(), count)).collect()
}

/// Likewise, with the name of each store.
fn stores<'n>(mut counts: Vec<(StoreId, &'n str, u64)>) -> Vec<(StoreId, String, u64)> {
    counts.sort_by_key(|(id, name, _)| (*id, *name));
    counts.dedup_by(|(id, name, count), (first, first_name, sum)| {
        let same = (*id, *name) == (*first, *first_name);
        *sum += if same { *count } else { 0 };
        same
    });
    let of_one = |names: &[(StoreId, &'n str, u64)]| {
        let sum: u64 = names.iter().map(|(_, _, count)| count).sum();
        // While a store is being renamed: as most of its products call it.
        names.iter().max_by_key(|(_, _, count)| *count).map(|(id, name, _)| (*id, *name, sum))
    };
    let counts = counts.chunk_by(|(one, ..), (other, ..)| one == other).filter_map(of_one).collect();
    let counts = most(counts, |(id, _, count)| (Reverse(*count), *id));
    counts.into_iter().map(|(id, name, count)| (id, name.to_owned(), count)).collect()
}

/// The first of a facet's values, in their order.
fn most<T, K: Ord>(mut values: Vec<T>, order: impl Fn(&T) -> K) -> Vec<T> {
    if values.len() > MOST_VALUES {
        values.select_nth_unstable_by_key(MOST_VALUES, &order);
        values.truncate(MOST_VALUES);
    }
    values.sort_unstable_by_key(order);
    values
}

/// What decides between products that fit equally well: whether there is one to sell, then how it is rated, then which
/// is newer. Below 2 to the power of [`TIE`].
fn tie(segment: &Segment, doc: DocId) -> u64 {
    // What nobody has rated stands between what is liked and what is not.
    const UNRATED: u64 = 40;
    let (columns, at) = (&segment.columns, doc as usize);
    let rating = match columns.rating.all()[at] {
        0 => UNRATED,
        rating => u64::from(rating).min(63),
    };
    let created = tantivy::u64_to_i64(columns.created.all()[at]);
    let seconds = u64::try_from(created / 1000).unwrap_or_default();
    u64::from(columns.in_stock.all()[at]).min(1) << 41 | rating << 35 | seconds.min((1 << 35) - 1)
}

/// What the products of a segment are sorted by.
enum Keys<'a> {
    Score,
    Descending(&'a [u64]),
    Ascending(&'a [u64]),
    Rating(&'a [u8]),
}

impl<'a> Keys<'a> {
    fn of(sort: Sort, by_score: bool, segment: &'a Segment) -> Self {
        let columns = &segment.columns;
        match sort {
            Sort::Relevance if by_score => Self::Score,
            Sort::Relevance | Sort::Newest => Self::Descending(columns.created.all()),
            Sort::PriceAscending => Self::Ascending(columns.price.all()),
            Sort::PriceDescending => Self::Descending(columns.price.all()),
            Sort::Rating => Self::Rating(columns.rating.all()),
        }
    }

    /// That of one: greater ones come before. Of a score it is the upper part.
    #[inline]
    fn of_product(&self, at: usize, score: u32) -> u64 {
        match self {
            Self::Score => u64::from(score) << TIE,
            Self::Descending(numbers) => numbers[at],
            Self::Ascending(numbers) => !numbers[at],
            Self::Rating(ratings) => u64::from(ratings[at]),
        }
    }
}

/// Which products of a segment nobody may see.
pub struct Hidden<'a> {
    segment: &'a Segment,
    /// Of each of its stores whether it is hidden; nothing if none of all stores is.
    stores: Vec<bool>,
}

impl<'a> Hidden<'a> {
    pub fn of(segment: &'a Segment, hidden: &HashSet<StoreId>) -> Self {
        let is_hidden =
            |store: &Option<StoreFace>| store.as_ref().is_some_and(|store| hidden.contains(&store.id));
        let stores = if hidden.is_empty() {
            Vec::new()
        } else {
            segment.columns.stores.iter().map(is_hidden).collect()
        };
        Self { segment, stores }
    }

    /// Whether there may be such products.
    pub fn any(&self) -> bool {
        self.segment.reader.has_deletes() || !self.stores.is_empty()
    }

    /// Whether a product is there, and its store is not hidden.
    pub fn shows(&self, doc: DocId) -> bool {
        let is_hidden = || {
            let store = self.segment.columns.store.all()[doc as usize];
            self.stores.get(store as usize).copied().unwrap_or_default()
        };
        self.segment.is_alive(doc) && (self.stores.is_empty() || !is_hidden())
    }
}

/// The filters, in the numbers of one segment.
struct Filters<'a> {
    price: Option<(&'a [u64], RangeInclusive<u64>)>,
    in_stock: Option<&'a [u8]>,
    rating: Option<(&'a [u8], u8)>,
    /// The number of the wanted category, if any product of the segment has it.
    category: Option<Option<u32>>,
    /// The numbers of the wanted store: one for each of its names.
    store: Option<Vec<u32>>,
}

impl<'a> Filters<'a> {
    fn of(query: &Query, segment: &'a Segment) -> Self {
        let columns = &segment.columns;
        let has_price = query.min_price.is_some() || query.max_price.is_some();
        let prices = query.min_price.unwrap_or_default()..=query.max_price.unwrap_or(u64::MAX);
        let category = query.category.as_ref().map(|wanted| {
            columns.categories.binary_search(wanted).ok().and_then(|at| u32::try_from(at).ok())
        });
        let of_store = |wanted: StoreId| {
            let same = |(_, store): &(u32, &Option<StoreFace>)| {
                store.as_ref().is_some_and(|store| store.id == wanted)
            };
            (0..).zip(&columns.stores).filter(same).map(|(at, _)| at).collect()
        };
        Self {
            price: has_price.then(|| (columns.price.all(), prices)),
            in_stock: query.in_stock.then(|| columns.in_stock.all()),
            rating: query.min_rating.filter(|least| *least > 0).map(|least| (columns.rating.all(), least)),
            category,
            store: query.store.map(of_store),
        }
    }

    /// Whether every product passes.
    fn are_none(&self) -> bool {
        self.price.is_none()
            && self.in_stock.is_none()
            && self.rating.is_none()
            && self.category.is_none()
            && self.store.is_none()
    }

    /// Those that pass all but category and store.
    fn passing<'b>(&self, block: &'b [Match], some: &'b mut [Match; BLOCK]) -> &'b [Match] {
        if self.price.is_none() && self.in_stock.is_none() && self.rating.is_none() {
            return block;
        }
        let mut many = 0;
        for (doc, score) in block {
            let at = *doc as usize;
            let passes = self.in_stock.is_none_or(|in_stock| in_stock[at] == 1)
                && self.rating.is_none_or(|(ratings, least)| ratings[at] >= least)
                && self.price.as_ref().is_none_or(|(prices, wanted)| wanted.contains(&prices[at]));
            some[many] = (*doc, *score);
            many += usize::from(passes);
        }
        &some[..many]
    }
}
