//! A part of the index that is written once, opened for reading.

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};

use tantivy::columnar::{Cardinality, Column, ColumnValues, StrColumn};
use tantivy::index::{InvertedIndexReader, SegmentReader};
use tantivy::postings::SegmentPostings;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, Segment as Files, TERMINATED, Term};

use super::schema::{self, Fields, column};
use super::{EngineError, ProductId, StoreFace};

type Numbers<T> = Arc<dyn ColumnValues<T>>;

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
    id_high: Numbers<u64>,
    id_low: Numbers<u64>,
    pub category: Numbers<u64>,
    /// By the numbers in its column.
    pub categories: Vec<String>,
    pub store: Numbers<u64>,
    /// Likewise; nothing for products of no store.
    pub stores: Vec<Option<StoreFace>>,
    pub price: Numbers<u64>,
    pub in_stock: Numbers<u64>,
    pub rating: Numbers<u64>,
    pub created: Numbers<i64>,
    pub version: Numbers<u64>,
    pub whole_name: Numbers<u64>,
    /// Of a name, in halves of words.
    pub length: Numbers<u64>,
    /// Whether it is part of the base.
    pub is_base: bool,
    counts: OnceLock<(Vec<u64>, Vec<u64>)>,
}

impl Segment {
    pub fn open(files: &Files, fields: &Fields, is_base: bool) -> Result<Self, EngineError> {
        let reader = SegmentReader::open(files)?;
        let columns = reader.fast_fields();
        let (category, categories) = texts(columns.str(column::CATEGORY)?)?;
        let (store, stores) = texts(columns.str(column::STORE)?)?;
        let number = |name| Ok::<_, EngineError>(values(columns.u64(name)?, 0));
        let text = |field| Ok::<_, EngineError>((field, reader.inverted_index(field)?));
        Ok(Self {
            texts: [text(fields.name)?, text(fields.category)?, text(fields.description)?, text(fields.sku)?],
            id_high: number(column::ID_HIGH)?,
            id_low: number(column::ID_LOW)?,
            category,
            categories,
            store,
            stores: stores.iter().map(|store| schema::store_face(store)).collect(),
            price: number(column::PRICE)?,
            in_stock: number(column::IN_STOCK)?,
            rating: number(column::RATING)?,
            created: values(columns.i64(column::CREATED)?, 0),
            version: number(column::VERSION)?,
            whole_name: number(column::WHOLE_NAME)?,
            length: number(column::LENGTH)?,
            is_base,
            counts: OnceLock::new(),
            reader,
        })
    }

    pub fn id(&self, doc: DocId) -> ProductId {
        schema::product_id(self.id_high.get_val(doc), self.id_low.get_val(doc))
    }

    pub fn is_alive(&self, doc: DocId) -> bool {
        self.reader.alive_bitset().is_none_or(|alive| alive.is_alive(doc))
    }

    /// How many products that are not deleted there are of each category and of each store. It is counted once.
    pub fn counts(&self) -> (&[u64], &[u64]) {
        let count = || {
            let (mut categories, mut stores) = (vec![0; self.categories.len()], vec![0; self.stores.len()]);
            for doc in self.reader.doc_ids_alive() {
                if let Some(count) = categories.get_mut(self.category.get_val(doc) as usize) {
                    *count += 1;
                }
                if let Some(count) = stores.get_mut(self.store.get_val(doc) as usize) {
                    *count += 1;
                }
            }
            (categories, stores)
        };
        let (categories, stores) = self.counts.get_or_init(count);
        (categories, stores)
    }

    pub fn terms(&self, text: Text) -> &InvertedIndexReader {
        &self.texts[text as usize].1
    }

    /// The products that have a term, deleted ones among them.
    pub fn postings(
        &self,
        text: Text,
        term: &str,
        places: bool,
    ) -> Result<Option<SegmentPostings>, EngineError> {
        let (field, terms) = &self.texts[text as usize];
        let record = if places { IndexRecordOption::WithFreqsAndPositions } else { IndexRecordOption::Basic };
        Ok(terms.read_postings(&Term::from_field_text(*field, term), record)?)
    }

    /// How many products that are not deleted have a term, counted up to `most`.
    pub fn count(&self, text: Text, term: &str, most: u32) -> Result<u32, EngineError> {
        let Some(mut postings) = self.postings(text, term, false)? else { return Ok(0) };
        if self.reader.alive_bitset().is_none() {
            return Ok(postings.doc_freq().min(most));
        }
        let mut count = 0;
        while count < most && postings.doc() != TERMINATED {
            count += u32::from(self.is_alive(postings.doc()));
            postings.advance();
        }
        Ok(count)
    }
}

/// A column of texts: a number for each product, and what the numbers mean.
fn texts(column: Option<StrColumn>) -> Result<(Numbers<u64>, Vec<String>), EngineError> {
    let column = column.ok_or(EngineError::Damaged("a segment without a column"))?;
    let mut texts = Vec::with_capacity(column.num_terms());
    let mut stream = column.dictionary().stream().map_err(tantivy::TantivyError::from)?;
    while stream.advance() {
        texts.push(String::from_utf8_lossy(stream.key()).into_owned());
    }
    Ok((values(column.ords().clone(), u64::MAX), texts))
}

/// The values of a column. Every product has one, so they are read without asking whether it has.
fn values<T: PartialOrd + Copy + Debug + Send + Sync + 'static>(column: Column<T>, missing: T) -> Numbers<T> {
    match column.get_cardinality() {
        Cardinality::Full => column.values,
        Cardinality::Optional | Cardinality::Multivalued => column.first_or_default_col(missing),
    }
}
