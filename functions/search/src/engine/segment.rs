//! A part of the index that is written once, opened for reading.

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};

use tantivy::columnar::{Cardinality, Column as Packed, ColumnValues, StrColumn};
use tantivy::index::{InvertedIndexReader, SegmentReader};
use tantivy::postings::{BlockSegmentPostings, SegmentPostings};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, Segment as Files, TERMINATED, Term};

use super::schema::{self, Fields, column};
use super::{EngineError, ProductId, StoreFace};

type Numbers = Arc<dyn ColumnValues<u64>>;

/// The fields that have words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    Name,
    Category,
    Description,
    Sku,
}

pub struct Segment {
    pub reader: SegmentReader,
    texts: [(Field, Arc<InvertedIndexReader>); 4],
    pub columns: Arc<Columns>,
    /// Whether it is part of the base.
    pub is_base: bool,
    counts: OnceLock<Counts>,
}

/// How many products there are of each category and of each store, by their numbers in the columns.
#[derive(Debug, Clone)]
pub struct Counts {
    pub categories: Vec<u64>,
    pub stores: Vec<u64>,
}

impl Counts {
    /// None so far.
    pub fn none(columns: &Columns) -> Self {
        Self { categories: vec![0; columns.categories.len()], stores: vec![0; columns.stores.len()] }
    }

    /// One more of a category.
    pub fn add_category(&mut self, category: u32) {
        if let Some(count) = self.categories.get_mut(category as usize) {
            *count += 1;
        }
    }

    /// One more of a store.
    pub fn add_store(&mut self, store: u32) {
        if let Some(count) = self.stores.get_mut(store as usize) {
            *count += 1;
        }
    }
}

/// What there is of each product, deleted ones among them: it stays as it is for as long as the segment.
pub struct Columns {
    id_high: Numbers,
    id_low: Numbers,
    version: Numbers,
    pub category: Column<u32>,
    /// By the numbers in its column.
    pub categories: Vec<String>,
    pub store: Column<u32>,
    /// Likewise; nothing for products of no store. In the order of their ids, and of the names of one.
    pub stores: Vec<Option<StoreFace>>,
    pub price: Column<u64>,
    pub in_stock: Column<u8>,
    pub rating: Column<u8>,
    /// When they were made, as numbers that have the order of times.
    pub created: Column<u64>,
    pub whole_name: Column<u32>,
    /// Of a name, in halves of words.
    pub length: Column<u8>,
}

impl Segment {
    /// Opens one. What its columns are is known already if it was open `before` with fewer deletions.
    pub fn open(
        files: &Files,
        fields: &Fields,
        is_base: bool,
        before: Option<&Self>,
    ) -> Result<Self, EngineError> {
        let reader = SegmentReader::open(files)?;
        let columns = match before {
            Some(before) => before.columns.clone(),
            None => Arc::new(Columns::open(&reader)?),
        };
        let text = |field| Ok::<_, EngineError>((field, reader.inverted_index(field)?));
        Ok(Self {
            texts: [text(fields.name)?, text(fields.category)?, text(fields.description)?, text(fields.sku)?],
            columns,
            is_base,
            counts: OnceLock::new(),
            reader,
        })
    }

    pub fn id(&self, doc: DocId) -> ProductId {
        schema::product_id(self.columns.id_high.get_val(doc), self.columns.id_low.get_val(doc))
    }

    pub fn version(&self, doc: DocId) -> u64 {
        self.columns.version.get_val(doc)
    }

    pub fn is_alive(&self, doc: DocId) -> bool {
        self.reader.alive_bitset().is_none_or(|alive| alive.is_alive(doc))
    }

    /// What there is of products that are not deleted. It is counted once.
    pub fn counts(&self) -> &Counts {
        let count = || {
            let mut counts = Counts::none(&self.columns);
            let both = self.columns.category.all().iter().zip(self.columns.store.all());
            for (_, (category, store)) in (0..).zip(both).filter(|(doc, _)| self.is_alive(*doc)) {
                counts.add_category(*category);
                counts.add_store(*store);
            }
            counts
        };
        self.counts.get_or_init(count)
    }

    pub fn terms(&self, text: Text) -> &InvertedIndexReader {
        &self.texts[text as usize].1
    }

    /// The products that have a term, deleted ones among them, each with the places where it stands.
    pub fn places(&self, text: Text, term: &str) -> Result<Option<SegmentPostings>, EngineError> {
        let (field, terms) = &self.texts[text as usize];
        let term = Term::from_field_text(*field, term);
        Ok(terms.read_postings(&term, IndexRecordOption::WithFreqsAndPositions)?)
    }

    /// The products that have a term, deleted ones among them.
    pub fn postings(&self, text: Text, term: &str) -> Result<Option<SegmentPostings>, EngineError> {
        let (field, terms) = &self.texts[text as usize];
        Ok(terms.read_postings(&Term::from_field_text(*field, term), IndexRecordOption::Basic)?)
    }

    /// The same, to be read block by block.
    pub fn blocks(&self, text: Text, term: &str) -> Result<Option<BlockSegmentPostings>, EngineError> {
        let (field, terms) = &self.texts[text as usize];
        Ok(terms.read_block_postings(&Term::from_field_text(*field, term), IndexRecordOption::Basic)?)
    }

    /// How many products that are not deleted have a term, counted up to `most`.
    pub fn count(&self, text: Text, term: &str, most: u32) -> Result<u32, EngineError> {
        if self.reader.alive_bitset().is_none() {
            let (field, terms) = &self.texts[text as usize];
            return Ok(terms.doc_freq(&Term::from_field_text(*field, term))?.min(most));
        }
        let Some(mut postings) = self.postings(text, term)? else { return Ok(0) };
        let mut count = 0;
        while count < most && postings.doc() != TERMINATED {
            count += u32::from(self.is_alive(postings.doc()));
            postings.advance();
        }
        Ok(count)
    }
}

impl Columns {
    fn open(reader: &SegmentReader) -> Result<Self, EngineError> {
        let (columns, products) = (reader.fast_fields(), reader.max_doc() as usize);
        let (category, categories) = texts(columns.str(column::CATEGORY)?)?;
        let (store, stores) = texts(columns.str(column::STORE)?)?;
        let number = |name| Ok::<_, EngineError>(values(columns.u64(name)?, 0));
        let created = columns.i64(column::CREATED)?.to_u64_monotonic();
        Ok(Self {
            id_high: number(column::ID_HIGH)?,
            id_low: number(column::ID_LOW)?,
            version: number(column::VERSION)?,
            category: Column::of(category, products),
            categories,
            store: Column::of(store, products),
            stores: stores.iter().map(|store| schema::store_face(store)).collect(),
            price: Column::of(number(column::PRICE)?, products),
            in_stock: Column::of(number(column::IN_STOCK)?, products),
            rating: Column::of(number(column::RATING)?, products),
            created: Column::of(values(created, tantivy::i64_to_u64(0)), products),
            whole_name: Column::of(number(column::WHOLE_NAME)?, products),
            length: Column::of(number(column::LENGTH)?, products),
        })
    }
}

/// A column that pages read of many products. It is unpacked as a whole when it is read first: from then on a number
/// takes a nanosecond instead of five to sixty, and all of them some megabytes for a million products.
pub struct Column<T> {
    packed: Numbers,
    products: usize,
    unpacked: OnceLock<Vec<T>>,
}

impl<T: Narrow> Column<T> {
    fn of(packed: Numbers, products: usize) -> Self {
        Self { packed, products, unpacked: OnceLock::new() }
    }

    /// Of each product, by its place in the segment.
    pub fn all(&self) -> &[T] {
        self.unpacked.get_or_init(|| {
            let mut block = [0; 1024];
            let mut all = Vec::with_capacity(self.products);
            while all.len() < self.products {
                let block = &mut block[..(self.products - all.len()).min(1024)];
                self.packed.get_range(all.len() as u64, block);
                all.extend(block.iter().map(|number| T::narrow(*number)));
            }
            all
        })
    }
}

/// A number that has room for those of a column; greater ones become the greatest.
pub trait Narrow {
    fn narrow(number: u64) -> Self;
}

impl Narrow for u8 {
    fn narrow(number: u64) -> Self {
        Self::try_from(number).unwrap_or(Self::MAX)
    }
}

impl Narrow for u32 {
    fn narrow(number: u64) -> Self {
        Self::try_from(number).unwrap_or(Self::MAX)
    }
}

impl Narrow for u64 {
    fn narrow(number: u64) -> Self {
        number
    }
}

/// A column of texts: a number for each product, and what the numbers mean.
fn texts(column: Option<StrColumn>) -> Result<(Numbers, Vec<String>), EngineError> {
    let column = column.ok_or(EngineError::Damaged("a segment without a column"))?;
    let mut texts = Vec::with_capacity(column.num_terms());
    let mut stream = column.dictionary().stream().map_err(tantivy::TantivyError::from)?;
    while stream.advance() {
        texts.push(String::from_utf8_lossy(stream.key()).into_owned());
    }
    Ok((values(column.ords().clone(), u64::MAX), texts))
}

/// The values of a column. Every product has one, so they are read without asking whether it has.
fn values<T: PartialOrd + Copy + Debug + Send + Sync + 'static>(
    column: Packed<T>,
    missing: T,
) -> Arc<dyn ColumnValues<T>> {
    match column.get_cardinality() {
        Cardinality::Full => column.values,
        Cardinality::Optional | Cardinality::Multivalued => column.first_or_default_col(missing),
    }
}
