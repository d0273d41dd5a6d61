//! What the index keeps of a product.
//!
//! Words are terms of `name`, `category` and `description`. A name has six kinds of them:
//!
//! | term | stands for |
//! | --- | --- |
//! | `shoe` | a word in its singular |
//! | `~run` | what the words of one family have in common, where that is not the singular itself: `running` |
//! | `$shoe` | the word that says what the product is: the last before sizes, a comma or "with …" |
//! | `<enohpdaeh` | that word backwards, if it is long enough to be made of two: it is found by its end |
//! | `&phone` | a word that stands behind "for" or "with" alone: what the product goes with |
//! | `500`, `xm5`, `茶` | a part of a word |
//!
//! A category has the first two, a description only what the words of a family have in common, without a mark: it is
//! long, and says little by the form of a word. All numbers are columns.

use std::collections::{BTreeMap, BTreeSet};

use tantivy::schema::{FAST, Field, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{Index, IndexSettings, TantivyDocument};

use super::analyser::{self, Kind, Word};
use super::{Document, ProductId, StoreFace, synonyms};

/// Before a term that words of one family share.
pub const FAMILY: &str = "~";

/// Before the term that says what a product is.
pub const HEAD: &str = "$";

/// Before the term for the end of the word that says what a product is: its letters backwards.
pub const END: &str = "<";

/// Before the term of a word that only says what a product goes with.
pub const BESIDE: &str = "&";

/// So many letters a word has at least that may be made of two.
const TWO_WORDS: usize = 7;

/// The most words of a product's texts that are indexed.
const MOST_WORDS: usize = 3000;

/// The columns, by the names that tantivy knows them by.
pub mod column {
    pub const ID_HIGH: &str = "id_high";
    pub const ID_LOW: &str = "id_low";
    pub const CATEGORY: &str = "category_name";
    pub const STORE: &str = "store";
    pub const PRICE: &str = "price";
    pub const IN_STOCK: &str = "in_stock";
    pub const RATING: &str = "rating";
    pub const CREATED: &str = "created";
    pub const VERSION: &str = "version";
    pub const WHOLE_NAME: &str = "whole_name";
    pub const LENGTH: &str = "length";
}

/// The fields of the index.
#[derive(Debug, Clone)]
pub struct Fields {
    pub schema: Schema,
    pub name: Field,
    pub category: Field,
    pub description: Field,
    pub sku: Field,
    shown: Field,
    columns: Columns,
}

#[derive(Debug, Clone)]
struct Columns {
    id_high: Field,
    id_low: Field,
    category: Field,
    store: Field,
    price: Field,
    in_stock: Field,
    rating: Field,
    created: Field,
    version: Field,
    whole_name: Field,
    length: Field,
}

impl Fields {
    pub fn new() -> Self {
        let mut schema = Schema::builder();
        let terms = |record| {
            let indexing = TextFieldIndexing::default()
                .set_tokenizer("raw")
                .set_fieldnorms(false)
                .set_index_option(record);
            TextOptions::default().set_indexing_options(indexing)
        };
        let name = schema.add_text_field("name", terms(IndexRecordOption::WithFreqsAndPositions));
        let category = schema.add_text_field("category", terms(IndexRecordOption::Basic));
        let description = schema.add_text_field("description", terms(IndexRecordOption::Basic));
        let sku = schema.add_text_field("sku", terms(IndexRecordOption::Basic));
        let shown = schema.add_text_field("shown", STORED);
        let text = || TextOptions::default().set_fast("raw");
        let columns = Columns {
            id_high: schema.add_u64_field(column::ID_HIGH, FAST),
            id_low: schema.add_u64_field(column::ID_LOW, FAST),
            category: schema.add_text_field(column::CATEGORY, text()),
            store: schema.add_text_field(column::STORE, text()),
            price: schema.add_u64_field(column::PRICE, FAST),
            in_stock: schema.add_u64_field(column::IN_STOCK, FAST),
            rating: schema.add_u64_field(column::RATING, FAST),
            created: schema.add_i64_field(column::CREATED, FAST),
            version: schema.add_u64_field(column::VERSION, FAST),
            whole_name: schema.add_u64_field(column::WHOLE_NAME, FAST),
            length: schema.add_u64_field(column::LENGTH, FAST),
        };
        Self { schema: schema.build(), name, category, description, sku, shown, columns }
    }

    /// What tantivy is told of a product.
    pub fn document(&self, product: Document) -> TantivyDocument {
        let columns = &self.columns;
        let mut document = TantivyDocument::new();
        let name = analyser::words(&product.name, MOST_WORDS);
        let head = head(&name, first_part(&product.name));
        document.add_pre_tokenized_text(self.name, stream(name_terms(&name, head)));
        document.add_pre_tokenized_text(self.category, stream(category_terms(&product.category)));
        document.add_pre_tokenized_text(self.description, stream(description_terms(&product.description)));
        if let Some(sku) = product.sku.map(|sku| analyser::squeeze(&sku)).filter(|sku| !sku.is_empty()) {
            document.add_pre_tokenized_text(self.sku, stream(vec![(sku, 0)]));
        }
        let (high, low) = product.product_id.as_u64_pair();
        document.add_u64(columns.id_high, high);
        document.add_u64(columns.id_low, low);
        document.add_text(columns.category, &product.category);
        document.add_text(columns.store, product.store.as_ref().map(store_text).unwrap_or_default());
        document.add_u64(columns.price, product.price);
        document.add_u64(columns.in_stock, u64::from(product.in_stock));
        document.add_u64(columns.rating, product.rating.map_or(0, u64::from));
        document.add_i64(columns.created, product.created_at);
        document.add_u64(columns.version, product.version);
        document.add_u64(columns.whole_name, whole_name(&product.name));
        document.add_u64(columns.length, length(&name));
        document.add_text(self.shown, product.name);
        document
    }

    /// The name of a stored product, as it is shown.
    pub fn shown(&self, document: &TantivyDocument) -> Option<String> {
        use tantivy::schema::Value as _;
        document.get_first(self.shown).and_then(|name| name.as_str()).map(str::to_owned)
    }
}

/// How the index keeps its stored names: nothing is done in a thread of its own.
pub fn settings() -> IndexSettings {
    IndexSettings { docstore_compress_dedicated_thread: false, ..IndexSettings::default() }
}

/// An index with these fields in `directory`, not yet created there.
pub fn builder(fields: &Fields) -> tantivy::IndexBuilder {
    Index::builder().schema(fields.schema.clone()).settings(settings())
}

fn stream(terms: Vec<(String, usize)>) -> PreTokenizedString {
    let token = |(text, position)| Token { offset_from: 0, offset_to: 0, position, text, position_length: 1 };
    PreTokenizedString { text: String::new(), tokens: terms.into_iter().map(token).collect() }
}

/// The terms of a name, each with its place.
fn name_terms(words: &[Word], head: Option<usize>) -> Vec<(String, usize)> {
    let beside = beside(words);
    let mut terms = Vec::with_capacity(words.len() * 2);
    let mut before = BTreeSet::new();
    for word in words {
        let singular = analyser::singular(&word.text);
        if word.at < beside {
            before.insert(singular.clone());
        } else if !before.contains(&singular) && !synonyms::is_stop_word(&word.text) {
            terms.push((format!("{BESIDE}{singular}"), word.at));
        }
        if word.kind != Kind::Part {
            let family = analyser::stem(&word.text);
            if family != singular {
                terms.push((format!("{FAMILY}{family}"), word.at));
            }
            // Of a head that is written with a sign, T-shirt, its last part and the whole.
            if head.is_some_and(|head| word.at + word.span == head + 1) {
                terms.push((format!("{HEAD}{singular}"), word.at));
                if word.kind == Kind::Plain && singular.chars().count() >= TWO_WORDS {
                    terms.push((end(&singular), word.at));
                }
            }
        }
        terms.push((singular, word.at));
    }
    terms
}

fn category_terms(category: &str) -> Vec<(String, usize)> {
    let mut terms = BTreeSet::new();
    for word in analyser::words(category, MOST_WORDS) {
        let (singular, family) = (analyser::singular(&word.text), analyser::stem(&word.text));
        if family != singular {
            terms.insert(format!("{FAMILY}{family}"));
        }
        terms.insert(singular);
    }
    terms.into_iter().map(|term| (term, 0)).collect()
}

fn description_terms(description: &str) -> Vec<(String, usize)> {
    let words = analyser::words(description, MOST_WORDS);
    let terms: BTreeSet<String> = words.iter().map(|word| analyser::stem(&word.text)).collect();
    terms.into_iter().map(|term| (term, 0)).collect()
}

/// How many words a name has before the first comma or the like. What comes behind says which one it is, or how much.
fn first_part(name: &str) -> usize {
    let is_space = |c: Option<char>| c.is_none_or(char::is_whitespace);
    let ends = |&(at, sign): &(usize, char)| {
        let (before, after) = (&name[..at], &name[at + sign.len_utf8()..]);
        match sign {
            ',' | ';' | ':' => is_space(after.chars().next()),
            '-' | '–' | '—' => is_space(before.chars().next_back()) && is_space(after.chars().next()),
            '(' | '[' | '|' => true,
            _ => false,
        }
    };
    let words =
        |text: &str| analyser::words(text, MOST_WORDS).iter().filter(|word| word.kind == Kind::Plain).count();
    let mut parts = name.char_indices().filter(ends).map(|(at, _)| words(&name[..at]));
    parts.find(|words| *words > 0).unwrap_or(usize::MAX)
}

/// Where the word stands that says what the product is: an oak *shelf* with five boards, a phone *case* for an iPhone,
/// a *jacket* in red.
fn head(words: &[Word], first_part: usize) -> Option<usize> {
    let plain = || words.iter().filter(|word| word.kind == Kind::Plain);
    let ends = |word: &Word| synonyms::is_stop_word(&word.text) && word.text.len() > 1;
    let end = joint(words, ends).min(first_part);
    // "Pack of 8" is how much there is.
    let amounts =
        || words.iter().filter(|word| word.kind == Kind::Joined && word.text.starts_with(analyser::QUANTITY));
    let is_amount = |at: usize| amounts().any(|amount| (amount.at..amount.at + amount.span).contains(&at));
    let counts = |word: &&Word| {
        word.at < end
            && word.text.chars().count() > 2
            && word.text.chars().all(char::is_alphabetic)
            && !is_amount(word.at)
    };
    let says_what = |word: &&Word| counts(word) && !synonyms::describes(&analyser::singular(&word.text));
    plain().rfind(says_what).or_else(|| plain().rfind(counts)).map(|word| word.at)
}

/// Where the part of a name begins that says what its product goes with.
fn beside(words: &[Word]) -> usize {
    joint(words, |word| synonyms::is_preposition(&word.text))
}

/// Where the first word stands that joins what is before it to what is behind; not the *in* of a built-in oven.
fn joint(words: &[Word], joins: impl Fn(&Word) -> bool) -> usize {
    let is_within = |at: usize| {
        let mut joined = words.iter().filter(|word| word.kind == Kind::Joined);
        joined.any(|word| word.span > 1 && (word.at..word.at + word.span).contains(&at))
    };
    let mut plain = words.iter().filter(|word| word.kind == Kind::Plain && word.at > 0);
    plain.find(|word| joins(word) && !is_within(word.at)).map_or(usize::MAX, |word| word.at)
}

/// How long a name is, in halves of words. What says how much there is of a product says nothing else of it, nor does a
/// stop word; a word that says which one of its kind it is, or what it goes with, counts half, as does a pair of
/// letters; what is written together but for a sign is one word.
fn length(words: &[Word]) -> u64 {
    let mut joined: BTreeMap<usize, &Word> = BTreeMap::new();
    for word in words.iter().filter(|word| word.kind == Kind::Joined && word.span > 1) {
        let longest = joined.entry(word.at).or_insert(word);
        if longest.span < word.span {
            *longest = word;
        }
    }
    let beside = beside(words);
    let mut next = 0;
    let mut halves = 0;
    for word in words.iter().filter(|word| word.kind == Kind::Plain) {
        if word.at < next {
            continue;
        }
        let word = joined.get(&word.at).copied().unwrap_or(word);
        next = word.at + word.span;
        halves += match word.text.as_str() {
            text if text.starts_with(analyser::QUANTITY) || synonyms::is_stop_word(text) => 0,
            text if word.at > beside || text.contains(analyser::is_unspaced) => 1,
            text => {
                let singular = analyser::singular(text);
                if synonyms::describes(&singular) || synonyms::is_material(&singular) { 1 } else { 2 }
            }
        };
    }
    halves
}

/// The term by which a word is found by its end.
pub fn end(word: &str) -> String {
    END.chars().chain(word.chars().rev()).collect()
}

/// A number that two names share if they are written with the same letters and digits (or by a chance of one in four
/// billions, which costs a rank).
pub fn whole_name(name: &str) -> u64 {
    // FNV-1a, folded to 32 bits.
    let hash = analyser::squeeze(name)
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    (hash >> 32) ^ (hash & 0xffff_ffff)
}

/// A store as one text: its id in 32 digits, then its name.
fn store_text(store: &StoreFace) -> String {
    format!("{}{}", store.id.simple(), store.name)
}

/// Reads what [`store_text`] wrote.
pub fn store_face(text: &str) -> Option<StoreFace> {
    let (id, name) = text.split_at_checked(32)?;
    Some(StoreFace { id: id.parse().ok()?, name: name.to_owned() })
}

/// Reads an id from its columns.
pub fn product_id(high: u64, low: u64) -> ProductId {
    ProductId::from_u64_pair(high, low)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(name: &str) -> Vec<Word> {
        analyser::words(name, MOST_WORDS)
    }

    #[test]
    fn the_head_of_a_name_says_what_it_is() {
        for (name, expected) in [
            ("Oak shelf with five boards", "shelf"),
            ("Case for iPhone 15", "case"),
            ("AA batteries pack of 8", "batteries"),
            ("Kitchen knives, set of 3", "knives"),
            ("Quilted jacket, women, navy blue", "jacket"),
            ("Lamy pen black", "pen"),
            ("Herrenschuhe aus Leder", "herrenschuhe"),
            ("Water 1,5 l", "water"),
            ("Wine glasses (6 pieces)", "glasses"),
            ("Hat - straw", "hat"),
            ("Built-in oven with grill", "oven"),
            ("Black", "black"),
        ] {
            let words = words(name);
            let head = head(&words, first_part(name));
            let head = words.iter().find(|word| Some(word.at) == head && word.kind == Kind::Plain);
            assert_eq!(head.map(|word| word.text.as_str()), Some(expected), "{name}");
        }
        assert_eq!(head(&words("4 x 40"), usize::MAX), None);
    }

    #[test]
    fn a_name_is_as_long_as_what_it_says() {
        for (name, halves) in [
            ("Mug", 2),
            ("T-shirt", 2),
            ("Black T-shirt for men", 4),
            ("Water 500 ml", 2),
            ("AA batteries pack of 8", 4),
            ("The Lord of the Rings", 4),
            ("Kazo leather boot A123", 7),
            ("", 0),
        ] {
            assert_eq!(length(&words(name)), halves, "{name}");
        }
    }

    #[test]
    fn what_a_product_goes_with_is_marked_and_what_it_is_as_well_is_not() {
        let beside = |name: &str| -> Vec<String> {
            let terms = name_terms(&words(name), None).into_iter();
            terms.filter_map(|(term, _)| term.strip_prefix(BESIDE).map(str::to_owned)).collect()
        };
        assert_eq!(beside("Cover for iPad"), ["ipad"]);
        assert_eq!(beside("iPad with cover for iPad"), ["cover"]);
        assert!(beside("For Whom the Bell Tolls").is_empty());
    }
}
