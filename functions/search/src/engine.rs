//! The index of products, without AWS: bytes in, bytes out.
//!
//! A base has all products of one moment; deltas lie over it, each with what one batch of changes added and which older
//! products are gone. All are immutable, and an [`Index`] is a view of some of them in memory. There is no file system,
//! no clock and no thread here.
//!
//! ```text
//! build ──▶ base ──▶ open ──▶ Index ──▶ search, suggest
//!                               │ ▲
//!                         apply ▼ │ with_delta
//!                             delta
//! ```
//!
//! [`analyser`] cuts texts into words, [`synonyms`] knows which mean the same, `plan` says what may stand for what
//! was typed, `matching` finds it and `page` filters, counts and sorts. tantivy keeps words, columns and names on
//! disk; its queries, collectors and writing threads are not used (docs/decisions/0056).

pub mod analyser;
mod bundle;
mod matching;
mod page;
#[cfg(test)]
mod plain;
mod plan;
mod schema;
mod segment;
pub mod synonyms;
#[cfg(feature = "testing")]
pub mod synthetic;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tantivy::directory::{Directory as _, OwnedBytes, TerminatingWrite as _};
use tantivy::indexer::merge_filtered_segments;
use tantivy::{
    BitSet, DocId, Segment as SegmentFiles, SingleSegmentIndexWriter, TantivyDocument, TantivyError,
};

use bundle::Layers;
use matching::{Enough, Matcher};
use page::{Collector, Hidden};
use plan::{Plan, Reading};
use schema::Fields;
use segment::Segment;

/// Bytes in memory, shared by all who hold them: `Bytes::new(vec)`.
pub type Bytes = OwnedBytes;

/// Names a product: the number in its id.
pub type ProductId = uuid::Uuid;

/// Names a store: the number in its id.
pub type StoreId = uuid::Uuid;

/// How many words of a query count.
pub const MOST_WORDS: usize = 12;

/// How many letters of a query count.
pub const MOST_LETTERS: usize = 200;

/// How far a list of results may be paged through.
pub const DEEPEST: u32 = 1000;

/// How much memory the writer starts with for its table of words; it takes more as it needs it.
const BUDGET: usize = 64 << 20;

/// What the index knows of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Which product.
    pub product_id: ProductId,
    /// What it is called.
    pub name: String,
    /// What is said of it.
    pub description: String,
    /// Under which category it is found.
    pub category: String,
    /// Who sells it, if it is a store.
    pub store: Option<StoreFace>,
    /// Its stock-keeping number.
    pub sku: Option<String>,
    /// What one costs, in minor units.
    pub price: u64,
    /// Whether there is one to sell.
    pub in_stock: bool,
    /// The mean of its ratings in tenths of a star, 10 to 50.
    pub rating: Option<u8>,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
    /// The version of all this, to compare with the table it comes from.
    pub version: u64,
}

/// What the index knows of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreFace {
    /// Which store.
    pub id: StoreId,
    /// What it is called.
    pub name: String,
}

/// Something that happened to a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is as this says, whether it was there before or not.
    Put(Document),
    /// It is not to be found any more.
    Delete(ProductId),
}

/// What is asked for. The default asks for everything.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// What a person typed: its first [`MOST_LETTERS`] letters and [`MOST_WORDS`] words count. Without any (nothing but
    /// spaces), all products fit; if there is no word in it, none does.
    pub text: String,
    /// Only of this category.
    pub category: Option<String>,
    /// Only of this store.
    pub store: Option<StoreId>,
    /// Only from this price on, in minor units.
    pub min_price: Option<u64>,
    /// Only up to this price, in minor units.
    pub max_price: Option<u64>,
    /// Only what there is to sell.
    pub in_stock: bool,
    /// Only what is rated so or better, in tenths of a star.
    pub min_rating: Option<u8>,
    /// In which order.
    pub sort: Sort,
    /// Where the page before ended.
    pub after: Option<Position>,
    /// How many products at most.
    pub limit: usize,
    /// Stores whose products are in no result, total or count.
    pub hidden_stores: HashSet<StoreId>,
}

/// The order of results. Products with equal keys are in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Sort {
    /// What fits best first; without a text, the newest.
    #[default]
    Relevance,
    /// The cheapest first.
    PriceAscending,
    /// The dearest first.
    PriceDescending,
    /// The newest first.
    Newest,
    /// The best rated first, those without a rating last.
    Rating,
}

/// Where in a list of results a product stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The how-manieth it is, from 1 on.
    rank: u32,
    /// What it is sorted by; greater ones come before.
    key: u64,
    id: ProductId,
}

/// A part of the results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The products.
    pub hits: Vec<Hit>,
    /// How many products fit words and filters.
    pub total: u64,
    /// How many there are for each choice.
    pub facets: Facets,
    /// Whether nothing has all the words: then these have some of them.
    pub is_partial: bool,
}

/// A product that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Which one.
    pub product_id: ProductId,
    /// Where the next page goes on if this is the last of a page.
    pub position: Position,
}

/// How many products there would be with another choice of one filter, all others left as they are. The hundred values
/// with the most products, most first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facets {
    /// By category.
    pub categories: Vec<(String, u64)>,
    /// By store, with its name.
    pub stores: Vec<(StoreId, String, u64)>,
}

/// What somebody may be about to type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// A product's name.
    pub text: String,
    /// The product.
    pub product_id: ProductId,
}

/// Why an index could not be read or written. Never a matter of what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The bytes are not what was written.
    #[error("the index is damaged: {0}")]
    Damaged(&'static str),
    /// Another version of this code made it: a new base is needed.
    #[error("the index has schema {0}")]
    OtherSchema(u32),
    /// From tantivy.
    #[error(transparent)]
    Tantivy(#[from] TantivyError),
    /// Reading or writing memory.
    #[error(transparent)]
    Io(#[from] io::Error),
}

type Files = BTreeMap<String, OwnedBytes>;

/// A base with the deltas over it, opened. Immutable; a clone costs nothing.
#[derive(Clone)]
pub struct Index {
    inner: Arc<Inner>,
}

struct Inner {
    base: Files,
    deltas: Vec<Files>,
    layers: Layers,
    files: tantivy::Index,
    fields: Fields,
    segments: Vec<Segment>,
}

const META: &str = "meta.json";

impl Index {
    /// A base of all products. Of two with one id the first is taken.
    ///
    /// # Errors
    ///
    /// If tantivy cannot write it.
    pub fn build(documents: impl Iterator<Item = Document>) -> Result<Vec<u8>, EngineError> {
        let layers = Layers::default();
        let mut known = HashSet::new();
        let new = documents.filter(|document| known.insert(document.product_id));
        write_segment(&Fields::new(), &layers, new)?;
        pack_written(&layers)
    }

    /// Opens a base and the deltas that were made over it, in the order in which they were made.
    ///
    /// # Errors
    ///
    /// If the bytes are not what this code wrote.
    #[expect(clippy::needless_pass_by_value, reason = "bytes are handed over: the index keeps them")]
    pub fn open(base: Bytes, deltas: &[Bytes]) -> Result<Self, EngineError> {
        let deltas = deltas.iter().map(bundle::unpack).collect::<Result<_, _>>()?;
        Self::over(bundle::unpack(&base)?, deltas, &[])
    }

    /// The same with one delta more.
    ///
    /// # Errors
    ///
    /// As [`Index::open`].
    #[expect(clippy::needless_pass_by_value, reason = "bytes are handed over: the index keeps them")]
    pub fn with_delta(&self, delta: Bytes) -> Result<Self, EngineError> {
        let mut deltas = self.inner.deltas.clone();
        deltas.push(bundle::unpack(&delta)?);
        Self::over(self.inner.base.clone(), deltas, &self.inner.segments)
    }

    /// The segments of `before` that are still there are not unpacked again.
    fn over(base: Files, deltas: Vec<Files>, before: &[Segment]) -> Result<Self, EngineError> {
        let layers = Layers::over(std::iter::once(&base).chain(&deltas));
        let files = tantivy::Index::open(layers.clone())?;
        let fields = Fields::new();
        if files.schema() != fields.schema {
            return Err(EngineError::Damaged("fields that are not those of its schema"));
        }
        let mut segments = Vec::new();
        for segment in files.searchable_segments()? {
            let is_base = base.contains_key(&format!("{}.term", segment.id().uuid_string()));
            let before = before.iter().find(|before| before.reader.segment_id() == segment.id());
            segments.push(Segment::open(&segment, &fields, is_base, before)?);
        }
        Ok(Self { inner: Arc::new(Inner { base, deltas, layers, files, fields, segments }) })
    }

    /// How many products there are.
    pub fn documents(&self) -> u64 {
        self.inner.segments.iter().map(|segment| u64::from(segment.reader.num_docs())).sum()
    }

    /// How many deleted or replaced products still take room.
    pub fn deleted(&self) -> u64 {
        self.inner.segments.iter().map(|segment| u64::from(segment.reader.num_deleted_docs())).sum()
    }

    /// How many products the deltas hold, deleted ones among them.
    pub fn delta_documents(&self) -> u64 {
        let deltas = self.inner.segments.iter().filter(|segment| !segment.is_base);
        deltas.map(|segment| u64::from(segment.reader.max_doc())).sum()
    }

    /// Every product with its version.
    pub fn versions(&self) -> impl Iterator<Item = (ProductId, u64)> + '_ {
        self.inner.segments.iter().flat_map(|segment| {
            segment.reader.doc_ids_alive().map(|doc| (segment.id(doc), segment.version(doc)))
        })
    }

    /// The delta that these changes make: what is new of products, and which older ones are gone. Of two changes of one
    /// product the later counts.
    ///
    /// Safe to repeat: the same changes over the delta find the same products again.
    ///
    /// # Errors
    ///
    /// If tantivy cannot read or write.
    pub fn apply(&self, changes: &[Change]) -> Result<Vec<u8>, EngineError> {
        let mut latest: HashMap<ProductId, &Change> = HashMap::new();
        for change in changes {
            let id = match change {
                Change::Put(document) => document.product_id,
                Change::Delete(id) => *id,
            };
            latest.insert(id, change);
        }
        // In the order in which they came: the same changes make the same delta.
        let put = changes.iter().filter_map(|change| match change {
            Change::Put(document) if std::ptr::eq(latest[&document.product_id], change) => {
                Some(document.clone())
            }
            Change::Put(_) | Change::Delete(_) => None,
        });
        let mut meta = self.meta()?;
        let mut files = Files::new();
        let mut kept = Vec::new();
        let opstamp = meta["opstamp"].as_u64().unwrap_or_default() + 1;
        for segment in &self.inner.segments {
            let entry = entry_of(&meta, segment)?;
            let gone: Vec<DocId> =
                segment.reader.doc_ids_alive().filter(|doc| latest.contains_key(&segment.id(*doc))).collect();
            kept.extend(without(entry, segment, &gone, opstamp, &mut files)?);
        }
        let layers = Layers::default();
        write_segment(&self.inner.fields, &layers, put)?;
        kept.extend(entries(&meta_of(&layers)?));
        files.extend(layers.written().into_iter().filter(|(name, _)| is_of_segment(name)));
        meta["segments"] = Value::Array(kept);
        meta["opstamp"] = opstamp.into();
        pack(&files, &meta)
    }

    /// One delta in place of all: to be opened over the base alone.
    ///
    /// # Errors
    ///
    /// If tantivy cannot read or write.
    pub fn merge_deltas(&self) -> Result<Vec<u8>, EngineError> {
        let mut meta = self.meta()?;
        let mut files = Files::new();
        let mut kept = Vec::new();
        for segment in self.inner.segments.iter().filter(|segment| segment.is_base) {
            let entry = entry_of(&meta, segment)?;
            if let Some(name) = deletions_of(segment, &entry) {
                files.extend(self.inner.layers.file(&name).map(|file| (name, file)));
            }
            kept.push(entry);
        }
        let layers = Layers::default();
        self.merge(|segment| !segment.is_base, &layers)?;
        if layers.file(META).is_some() {
            kept.extend(entries(&meta_of(&layers)?));
            files.extend(layers.written().into_iter().filter(|(name, _)| is_of_segment(name)));
        }
        meta["segments"] = Value::Array(kept);
        meta["opstamp"] = (meta["opstamp"].as_u64().unwrap_or_default() + 1).into();
        pack(&files, &meta)
    }

    /// A new base of everything: what is deleted takes no room any more.
    ///
    /// # Errors
    ///
    /// If tantivy cannot read or write.
    pub fn compact(&self) -> Result<Vec<u8>, EngineError> {
        let layers = Layers::default();
        self.merge(|_| true, &layers)?;
        if layers.file(META).is_none() {
            return Self::build(std::iter::empty());
        }
        pack_written(&layers)
    }

    /// Makes one segment of those that `which` chooses, if there is a product in them.
    fn merge(&self, which: impl Fn(&Segment) -> bool, into: &Layers) -> Result<(), EngineError> {
        let chosen = |files: &SegmentFiles| {
            let same = |segment: &&Segment| segment.reader.segment_id() == files.id();
            self.inner
                .segments
                .iter()
                .find(same)
                .is_some_and(|segment| which(segment) && segment.reader.num_docs() > 0)
        };
        let segments: Vec<SegmentFiles> =
            self.inner.files.searchable_segments()?.into_iter().filter(chosen).collect();
        if !segments.is_empty() {
            merge_filtered_segments(&segments, schema::settings(), vec![None; segments.len()], into.clone())?;
        }
        Ok(())
    }

    fn meta(&self) -> Result<Value, EngineError> {
        meta_of(&self.inner.layers)
    }

    /// A page of what fits.
    ///
    /// # Errors
    ///
    /// If the index is damaged; never for what was asked.
    pub fn search(&self, query: &Query) -> Result<Page, EngineError> {
        let text: String = query.text.chars().take(MOST_LETTERS).collect();
        let everything = text.trim().is_empty();
        let left = DEEPEST.saturating_sub(query.after.map_or(0, |after| after.rank));
        let limit = query.limit.min(usize::try_from(left).unwrap_or_default());
        let mut collector = Collector::new(query, !everything, limit);
        let is_partial = if everything {
            self.inner.segments.iter().for_each(|segment| collector.add_all(segment));
            false
        } else {
            self.find(&Plan::of(&text, &self.inner.segments, Reading::Search)?, &mut collector)?
        };
        let (hits, total, facets) = collector.finish();
        Ok(Page { hits, total, facets, is_partial })
    }

    /// Collects what fits a plan: all its words, or if nothing has them, some; whether these are some. The filters have
    /// no say in that, so that a count is what its filter finds.
    fn find<'a>(&'a self, plan: &Plan, collector: &mut Collector<'a>) -> Result<bool, EngineError> {
        let segments = &self.inner.segments;
        let mut is_found = false;
        for segment in segments {
            let mut part = collector.open(segment);
            Matcher::new(segment, plan)?.all_words(|matches| {
                part.show(matches);
                is_found |= !matches.is_empty();
                collector.add(&mut part, matches);
            })?;
            collector.close(part);
        }
        if is_found {
            return Ok(false);
        }
        for segment in segments {
            let mut part = collector.open(segment);
            let mut matches = matching::by_number(segment, plan, true)?;
            part.show(&mut matches);
            is_found |= !matches.is_empty();
            collector.add(&mut part, &matches);
            collector.close(part);
        }
        let plan = plan.one_by_one();
        if is_found || plan.groups.len() < 2 {
            return Ok(false);
        }
        let mut enough = Enough::of(&plan);
        let mut found = Vec::with_capacity(segments.len());
        for segment in segments {
            let part = collector.open(segment);
            let shows: &dyn Fn(DocId) -> bool = &|doc| part.hidden().shows(doc);
            let shows = part.hidden().any().then_some(shows);
            let some = Matcher::new(segment, &plan)?.some_words(shows, &mut enough);
            found.push((part, some));
        }
        for (mut part, mut matches) in found {
            matches.retain(|(_, score)| *score >= enough.least());
            matching::add_name(part.segment(), &plan, &mut matches, 16);
            collector.add(&mut part, &matches);
            collector.close(part);
        }
        Ok(true)
    }

    /// Names of products that what was typed so far may become, best first, at most `limit`.
    ///
    /// # Errors
    ///
    /// If the index is damaged; never for what was asked.
    pub fn suggest(
        &self,
        text: &str,
        limit: usize,
        hidden: &dyn Fn(StoreId) -> bool,
    ) -> Result<Vec<Suggestion>, EngineError> {
        let text: String = text.chars().take(MOST_LETTERS).collect();
        let segments = &self.inner.segments;
        let plan = Plan { sku: None, ..Plan::of(&text, segments, Reading::Typing)? };
        let stores = segments.iter().flat_map(|segment| segment.columns.stores.iter().flatten());
        let hidden: HashSet<StoreId> = stores.map(|store| store.id).filter(|id| hidden(*id)).collect();
        // Several products may have one name.
        let most = limit.saturating_mul(4);
        let mut best = Best::of(most);
        for (at, segment) in segments.iter().enumerate() {
            let shown = Hidden::of(segment, &hidden);
            Matcher::new(segment, &plan)?.all_words(|matches| {
                for (doc, score) in matches.iter().filter(|(doc, _)| shown.shows(*doc)) {
                    best.add(u32::MAX - score, || (segment.id(*doc), at, *doc));
                }
            })?;
        }
        let mut suggestions = Vec::new();
        let mut seen = HashSet::new();
        for (product_id, at, doc) in best.sorted() {
            if suggestions.len() == limit {
                break;
            }
            let document: TantivyDocument = segments[at].reader.get_store_reader(1)?.get(doc)?;
            let Some(text) = self.inner.fields.shown(&document) else { continue };
            if seen.insert(analyser::squeeze(&text)) {
                suggestions.push(Suggestion { text, product_id });
            }
        }
        Ok(suggestions)
    }
}

/// The first of many by a number, and by what they are where that is equal.
struct Best<T> {
    most: usize,
    /// Not many more than are wanted, so that sorting them is little work.
    some: Vec<(u32, T)>,
    /// What is behind this is not among the first.
    last: u32,
}

impl<T: Ord> Best<T> {
    fn of(most: usize) -> Self {
        Self { most, some: Vec::new(), last: u32::MAX }
    }

    fn add(&mut self, number: u32, what: impl FnOnce() -> T) {
        if number > self.last {
            return;
        }
        self.some.push((number, what()));
        if self.some.len() > self.most.saturating_mul(2).saturating_add(32) {
            self.cut();
            self.last = self.some.iter().map(|(number, _)| *number).max().unwrap_or_default();
        }
    }

    fn cut(&mut self) {
        if self.some.len() > self.most {
            self.some.select_nth_unstable(self.most);
            self.some.truncate(self.most);
        }
    }

    /// The first, in their order.
    fn sorted(mut self) -> impl Iterator<Item = T> {
        self.cut();
        self.some.sort_unstable();
        self.some.into_iter().map(|(_, what)| what)
    }
}

/// Writes one segment of `documents` into an empty directory.
fn write_segment(
    fields: &Fields,
    layers: &Layers,
    documents: impl Iterator<Item = Document>,
) -> Result<(), EngineError> {
    let mut writer: SingleSegmentIndexWriter =
        schema::builder(fields).single_segment_index_writer(layers.clone(), BUDGET)?;
    for document in documents {
        writer.add_document(fields.document(document))?;
    }
    writer.finalize()?;
    Ok(())
}

fn meta_of(layers: &Layers) -> Result<Value, EngineError> {
    const MISSING: EngineError = EngineError::Damaged("no list of segments");
    serde_json::from_slice(&layers.file(META).ok_or(MISSING)?).map_err(|_| MISSING)
}

/// The segments of a list that have a product.
fn entries(meta: &Value) -> Vec<Value> {
    let segments = meta["segments"].as_array().cloned().unwrap_or_default();
    segments
        .into_iter()
        .filter(|entry| entry["max_doc"].as_u64().is_some_and(|products| products > 0))
        .collect()
}

/// What the list of segments says of one.
fn entry_of(meta: &Value, segment: &Segment) -> Result<Value, EngineError> {
    let id = segment.reader.segment_id().uuid_string();
    let same =
        |entry: &&Value| entry["segment_id"].as_str().is_some_and(|other| other.replace('-', "") == id);
    let entry = meta["segments"].as_array().and_then(|segments| segments.iter().find(same));
    entry.cloned().ok_or(EngineError::Damaged("a segment that is not in the list"))
}

/// The file that says which products of a segment are deleted.
fn deletions_of(segment: &Segment, entry: &Value) -> Option<String> {
    let opstamp = entry["deletes"]["opstamp"].as_u64()?;
    Some(format!("{}.{opstamp}.del", segment.reader.segment_id().uuid_string()))
}

/// What the list says of a segment once the products `gone` are deleted; nothing if none is left. The file that says so
/// is added to `files`.
fn without(
    mut entry: Value,
    segment: &Segment,
    gone: &[DocId],
    opstamp: u64,
    files: &mut Files,
) -> Result<Option<Value>, EngineError> {
    if gone.is_empty() {
        return Ok(Some(entry));
    }
    let max_doc = segment.reader.max_doc();
    let mut alive = BitSet::with_max_value(max_doc);
    for doc in segment.reader.doc_ids_alive() {
        alive.insert(doc);
    }
    for doc in gone {
        alive.remove(*doc);
    }
    if alive.len() == 0 {
        return Ok(None);
    }
    entry["deletes"] = serde_json::json!({ "num_deleted_docs": max_doc - u32::try_from(alive.len()).unwrap_or(max_doc), "opstamp": opstamp });
    let name = deletions_of(segment, &entry).ok_or(EngineError::Damaged("a list without numbers"))?;
    // Through tantivy's directory, which puts a checksum below every file.
    let layers = Layers::default();
    let index = schema::builder(&Fields::new()).open_or_create(layers.clone())?;
    let mut file = index.directory().open_write(name.as_ref()).map_err(TantivyError::from)?;
    tantivy::fastfield::write_alive_bitset(&alive, &mut file)?;
    file.terminate()?;
    files.extend(layers.file(&name).map(|file| (name, file)));
    Ok(Some(entry))
}

/// A file of a segment; not one that lists others.
fn is_of_segment(name: &str) -> bool {
    !name.ends_with("json")
}

/// The files of a directory, with the list of its segments that have a product.
fn pack_written(layers: &Layers) -> Result<Vec<u8>, EngineError> {
    let mut meta = meta_of(layers)?;
    meta["segments"] = Value::Array(entries(&meta));
    let files = layers.written().into_iter().filter(|(name, _)| is_of_segment(name)).collect();
    pack(&files, &meta)
}

fn pack(files: &Files, meta: &Value) -> Result<Vec<u8>, EngineError> {
    let meta = meta.to_string();
    let files = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    bundle::pack(files.chain([(META, meta.as_bytes())]))
}
