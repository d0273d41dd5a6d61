//! What is looked for: the words of a query, each with all that may stand for it in the products there are.
//!
//! What a person types is never parsed as a language of queries; there is nothing in it that could be wrong.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use tantivy_fst::Automaton;

use super::analyser::{self, Kind, Word};
use super::schema::{BESIDE, FAMILY, HEAD, end, whole_name};
use super::segment::{Segment, Text};
use super::{EngineError, MOST_WORDS, synonyms};

/// What a word is worth that a product has as it was typed, in another spelling or by another name. Twelve words with
/// one that was only guessed are worth less than twelve exact ones, whatever else speaks for the product.
pub const EXACT: u16 = 8192;

/// What a word is worth that was guessed: a beginning, an ending, a slip of the keys.
const GUESSED: u16 = 2048;

/// So many products with the word itself fill a page: then it is not taken for the beginning of others as well.
const PAGE: u32 = 20;

/// The most terms that a beginning or a misspelled word may stand for.
const MOST_TERMS: usize = 400;

/// A query, made for the products of one index.
#[derive(Debug, Default)]
pub struct Plan {
    /// All of them are wanted.
    pub groups: Vec<Group>,
    /// The whole as a stock-keeping number.
    pub sku: Option<String>,
    /// The whole as a product's name.
    pub whole_name: u64,
}

/// One word, or several that may be one: matched by any of its options, or by all of its parts.
#[derive(Debug, Default)]
pub struct Group {
    pub options: Vec<Leaf>,
    pub parts: Vec<Group>,
}

/// What may stand for a word.
#[derive(Debug, Clone)]
pub struct Leaf {
    pub text: Text,
    pub terms: Vec<String>,
    /// Whether the terms have to stand side by side, or in a description, which knows no places, all be there.
    /// Otherwise any of them will do.
    pub in_a_row: bool,
    /// Without any, what the others found is only marked as standing beside.
    pub score: u16,
}

impl Leaf {
    fn one(text: Text, term: impl Into<String>, score: u16) -> Self {
        Self { text, terms: vec![term.into()], in_a_row: false, score }
    }

    fn any(text: Text, terms: Vec<String>, score: u16) -> Option<Self> {
        (!terms.is_empty()).then_some(Self { text, terms, in_a_row: false, score })
    }

    fn row(text: Text, terms: Vec<String>, score: u16) -> Self {
        Self { text, terms, in_a_row: true, score }
    }
}

/// How a query is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// A page of results.
    Search,
    /// Somebody is still typing: the last word is always a beginning, and only names count.
    Typing,
}

impl Plan {
    /// Of what a person typed. Without groups and number nothing is looked for.
    pub fn of(text: &str, segments: &[Segment], reading: Reading) -> Result<Self, EngineError> {
        let words = analyser::words(text, MOST_WORDS);
        let planner = Planner { segments, reading };
        let groups = planner.groups(&words)?;
        let squeezed = analyser::squeeze(text);
        let sku = (squeezed.chars().count() >= 3).then_some(squeezed);
        Ok(Self { groups, sku, whole_name: whole_name(text) })
    }

    /// Its words one by one, for when no product has all: what may be one word is looked for as its parts, each of
    /// which the whole stands for as well.
    pub fn one_by_one(&self) -> Self {
        let mut groups = Vec::new();
        for Group { options, parts } in &self.groups {
            if parts.is_empty() {
                groups.push(Group { options: options.clone(), parts: Vec::new() });
            }
            for part in parts {
                let options = part.options.iter().chain(options).cloned().collect();
                groups.push(Group { options, parts: Vec::new() });
            }
        }
        Self { groups, sku: None, whole_name: self.whole_name }
    }
}

struct Planner<'a> {
    segments: &'a [Segment],
    reading: Reading,
}

impl Planner<'_> {
    fn groups(&self, words: &[Word]) -> Result<Vec<Group>, EngineError> {
        let plain: Vec<&Word> =
            words.iter().filter(|word| matches!(word.kind, Kind::Plain | Kind::Picture)).collect();
        let says_something = |word: &&&Word| word.kind == Kind::Plain && !synonyms::is_stop_word(&word.text);
        let only_stop_words = plain.iter().filter(says_something).count() == 0;
        let mut groups = Vec::new();
        let mut at = 0;
        while at < plain.len() {
            if let Some((span, group)) = self.several(words, &plain, at)? {
                groups.push(group);
                at += span;
                continue;
            }
            if only_stop_words || says_something(&&plain[at]) {
                groups.push(Group {
                    options: self.word(words, plain[at], at + 1 == plain.len())?,
                    parts: Vec::new(),
                });
            }
            at += 1;
        }
        Ok(groups)
    }

    /// Words from `at` on that may be one: written with a sign between them, known as one word, or with a name in
    /// common.
    fn several(
        &self,
        words: &[Word],
        plain: &[&Word],
        at: usize,
    ) -> Result<Option<(usize, Group)>, EngineError> {
        let joined =
            words.iter().filter(|word| word.kind == Kind::Joined && word.at == plain[at].at && word.span > 1);
        let joined = joined.max_by_key(|word| word.span);
        let most =
            joined.map_or(synonyms::LONGEST, |word| word.span.max(synonyms::LONGEST)).min(plain.len() - at);
        for span in (2..=most).rev() {
            let parts = &plain[at..at + span];
            let is_last = at + span == plain.len();
            let singulars: Vec<String> = parts.iter().map(|word| analyser::singular(&word.text)).collect();
            let names: Vec<&str> = singulars.iter().map(String::as_str).collect();
            let mut options = Vec::new();
            for other in synonyms::others(&names) {
                options.extend(other_name(other));
            }
            let one: Option<String> = match joined {
                Some(word) if word.span == span => Some(word.text.clone()),
                _ => self.known_as_one(parts)?,
            };
            if let Some(one) = one {
                // One word says more than its parts anywhere in a name.
                let more =
                    |leaf: Leaf| Leaf { score: if leaf.score > 0 { leaf.score + 30 } else { 0 }, ..leaf };
                options.extend(self.exact(&one).into_iter().map(more));
                options.extend(side_by_side(&singulars, 30));
                options.extend(self.by_number(&one)?);
                if is_last {
                    options.extend(self.beginning(&one)?);
                }
            }
            if !options.is_empty() {
                let part = |(nth, word): (usize, &&Word)| {
                    let options = self.word(words, word, is_last && nth + 1 == span)?;
                    Ok(Group { options, parts: Vec::new() })
                };
                let parts = parts.iter().enumerate().map(part).collect::<Result<_, EngineError>>()?;
                return Ok(Some((span, Group { options, parts })));
            }
        }
        Ok(None)
    }

    /// "mac book" where there is a macbook.
    fn known_as_one(&self, parts: &[&Word]) -> Result<Option<String>, EngineError> {
        let may_be = |word: &&Word| word.kind == Kind::Plain && !word.text.chars().any(analyser::is_unspaced);
        let numbers =
            parts.iter().filter(|word| word.text.bytes().all(|b| b.is_ascii_digit() || b == b'.')).count();
        if !parts.iter().all(may_be) || numbers == parts.len() {
            return Ok(None);
        }
        let one: String = parts.iter().map(|word| word.text.trim_start_matches(analyser::QUANTITY)).collect();
        let known = one.len() >= 2 && self.count(Text::Name, &analyser::singular(&one), 1)? > 0;
        Ok(known.then_some(one))
    }

    /// All that may stand for one word.
    fn word(&self, words: &[Word], word: &Word, is_last: bool) -> Result<Vec<Leaf>, EngineError> {
        let singular = analyser::singular(&word.text);
        let mut options = self.exact(&word.text);
        for other in synonyms::others(&[&singular]) {
            options.extend(other_name(other));
        }
        options.extend(self.apart(&word.text)?);
        options.extend(self.by_number(&word.text)?);
        if word.text.ends_with("in") {
            // "size 4 in white" was not meant in inches.
            let numbers = words.iter().filter(|part| part.kind == Kind::Part && part.at == word.at);
            options.extend(numbers.map(|number| Leaf::one(Text::Name, number.text.as_str(), EXACT + 100)));
        }
        let known = self.count(Text::Name, &singular, PAGE)? + self.count(Text::Category, &singular, PAGE)?;
        if is_last && (known < PAGE || self.reading == Reading::Typing) {
            options.extend(self.beginning(&word.text)?);
        }
        if self.reading == Reading::Search && known < PAGE {
            options.extend(self.ends(&singular, known)?);
        }
        if known == 0 {
            options.extend(self.guesses(&word.text, &singular, is_last)?);
        }
        if self.reading == Reading::Typing {
            options.retain(|leaf| leaf.text == Text::Name);
        }
        Ok(options)
    }

    /// A word as it is, wherever it stands.
    fn exact(&self, word: &str) -> Vec<Leaf> {
        let (singular, family) = (analyser::singular(word), analyser::stem(word));
        let shared = format!("{FAMILY}{family}");
        let mut options = vec![
            Leaf::one(Text::Name, format!("{HEAD}{singular}"), EXACT + 480),
            Leaf::one(Text::Name, singular.as_str(), EXACT + 400),
            Leaf::one(Text::Name, shared.as_str(), EXACT + 330),
            Leaf::one(Text::Category, singular.as_str(), EXACT + 180),
            Leaf::one(Text::Category, shared, EXACT + 160),
            Leaf::one(Text::Description, family.as_str(), EXACT + 90),
            Leaf::one(Text::Name, format!("{BESIDE}{singular}"), 0),
        ];
        if family != singular {
            options.push(Leaf::one(Text::Name, family.as_str(), EXACT + 330));
            options.push(Leaf::one(Text::Category, family, EXACT + 160));
        }
        options
    }

    /// "redbull" where there is a Red Bull, "iphone15" where there is an iPhone 15.
    fn apart(&self, word: &str) -> Result<Vec<Leaf>, EngineError> {
        let mut options = Vec::new();
        if word.chars().count() < 4 || word.chars().any(analyser::is_unspaced) {
            return Ok(options);
        }
        for (at, _) in word.char_indices().skip(1) {
            let (first, second) = word.split_at(at);
            let long =
                |part: &str| part.chars().count() >= 3 || part.starts_with(|c: char| c.is_ascii_digit());
            if synonyms::is_stop_word(first)
                || !long(second)
                || first.contains('.')
                || second.starts_with('.')
            {
                continue;
            }
            let terms = [analyser::singular(first), analyser::singular(second)];
            if self.count(Text::Name, &terms[1], 1)? > 0 && self.count(Text::Name, &terms[0], 1)? > 0 {
                options.extend(side_by_side(&terms, 0));
            }
        }
        Ok(options)
    }

    /// A stock-keeping number, or its beginning, among other words.
    fn by_number(&self, word: &str) -> Result<Vec<Leaf>, EngineError> {
        if word.len() < 4 || !word.bytes().any(|b| b.is_ascii_digit()) || self.reading == Reading::Typing {
            return Ok(Vec::new());
        }
        let begin = self.beginning_with(Text::Sku, word, MOST_TERMS)?;
        let begin = Leaf::any(Text::Sku, begin, GUESSED + 250);
        Ok([Some(Leaf::one(Text::Sku, word, EXACT + 400)), begin].into_iter().flatten().collect())
    }

    /// A word that is not finished.
    fn beginning(&self, word: &str) -> Result<Vec<Leaf>, EngineError> {
        let least = if self.reading == Reading::Typing { 1 } else { 2 };
        if word.chars().count() < least || word.chars().any(analyser::is_unspaced) {
            return Ok(Vec::new());
        }
        let mut terms = self.beginning_with(Text::Name, word, MOST_TERMS)?;
        // The singular of "batteries" does not begin with "batterie".
        if let Some(stem) =
            word.strip_suffix("ie").or_else(|| word.strip_suffix('i')).filter(|stem| stem.len() > 2)
        {
            terms.extend(self.beginning_with(Text::Name, &format!("{stem}y"), 10)?);
        }
        Ok(Leaf::any(Text::Name, terms, GUESSED + 300).into_iter().collect())
    }

    /// The second of two words that a product has as one: "Schuhe" where there are Herrenschuhe.
    fn ends(&self, singular: &str, known: u32) -> Result<Option<Leaf>, EngineError> {
        let length = singular.chars().count();
        let least = if known == 0 { 4 } else { 5 };
        if length < least || !singular.chars().all(|c| c.is_alphabetic() && !analyser::is_unspaced(c)) {
            return Ok(None);
        }
        // In the singular or the plural, whichever was typed.
        let longer = ["", "e", "n", "en", "er"].iter().map(|ending| format!("{singular}{ending}"));
        let shorter = ["e", "n", "en", "er"].iter().filter_map(|ending| singular.strip_suffix(ending));
        let shorter = shorter.filter(|word| word.chars().count() >= least).map(str::to_owned);
        let mut terms = Vec::new();
        for word in longer.chain(shorter) {
            let found = self.beginning_with(Text::Name, &end(&word), MOST_TERMS)?;
            // A sign and three letters more: a word by itself.
            let is_compound = |term: &String| term.chars().count() >= word.chars().count() + 4;
            terms.extend(found.into_iter().filter(is_compound));
        }
        Ok(Leaf::any(Text::Name, terms, GUESSED + 230))
    }

    /// What a word may mean that no name and no category has.
    fn guesses(&self, word: &str, singular: &str, is_last: bool) -> Result<Vec<Leaf>, EngineError> {
        let length = word.chars().count();
        // A number is never a slip: 3000 is not 3800.
        if length < 3 || !word.chars().all(|c| c.is_alphabetic() && !analyser::is_unspaced(c)) {
            return Ok(Vec::new());
        }
        let mut options = Vec::new();
        options.extend(Leaf::any(Text::Name, self.without_umlauts(singular)?, GUESSED + 310));
        if length >= 5 {
            options.extend(Leaf::any(Text::Name, self.other_endings(singular)?, GUESSED + 280));
        }
        let begins_alike = |term: &String| term.chars().next() == word.chars().next();
        let (alike, others): (Vec<_>, Vec<_>) =
            self.one_slip(Text::Name, singular)?.into_iter().partition(begins_alike);
        options.extend(Leaf::any(Text::Name, alike, GUESSED + 240));
        if length > 4 {
            options.extend(Leaf::any(Text::Name, others, GUESSED + 220));
        }
        if options.is_empty() && length >= 6 {
            let terms = self.slips(Text::Name, singular, 2, false)?;
            let near = |term: &String| length >= 8 || begins_alike(term);
            options.extend(Leaf::any(Text::Name, terms.into_iter().filter(near).collect(), GUESSED + 150));
        }
        if options.is_empty() && !is_last {
            // "choc bar": cut short by whoever typed it.
            let begun = self.beginning(word)?;
            options.extend(begun.into_iter().map(|leaf| Leaf { score: GUESSED + 140, ..leaf }));
        }
        if options.is_empty() && is_last && length >= 5 {
            options.extend(Leaf::any(Text::Name, self.slips(Text::Name, word, 1, true)?, GUESSED + 130));
        }
        if options.is_empty() && length >= 4 {
            options.extend(Leaf::any(
                Text::Category,
                self.one_slip(Text::Category, singular)?,
                GUESSED + 120,
            ));
            if self.count(Text::Description, &analyser::stem(word), 1)? == 0 {
                let terms = self.one_slip(Text::Description, &analyser::stem(word))?;
                options.extend(Leaf::any(Text::Description, terms, GUESSED + 60));
            }
        }
        if options.is_empty() && length >= 6 {
            options.extend(self.apart_with_a_slip(word)?);
        }
        Ok(options)
    }

    /// Muesli for Müsli.
    fn without_umlauts(&self, word: &str) -> Result<Vec<String>, EngineError> {
        let mut terms = Vec::new();
        for other in [
            word.replace("ae", "a").replace("oe", "o").replace("ue", "u"),
            word.replace("ae", "a"),
            word.replace("oe", "o"),
            word.replace("ue", "u"),
            word.replace("aa", "a"),
        ] {
            if other != word && !terms.contains(&other) && self.count(Text::Name, &other, 1)? > 0 {
                terms.push(other);
            }
        }
        Ok(terms)
    }

    /// The same word with another ending of up to three letters (more of a long word): most plurals and cases of most
    /// languages.
    fn other_endings(&self, word: &str) -> Result<Vec<String>, EngineError> {
        let length = word.chars().count();
        let keep = length.saturating_sub(if length < 10 { 2 } else { 3 }).max(4);
        let begin: String = word.chars().take(keep).collect();
        let mut terms = self.beginning_with(Text::Name, &begin, MOST_TERMS)?;
        terms.retain(|term| {
            term.chars().count() <= keep + 3 && term.chars().all(char::is_alphabetic) && term != word
        });
        Ok(terms)
    }

    fn one_slip(&self, text: Text, word: &str) -> Result<Vec<String>, EngineError> {
        let mut terms = self.slips(text, word, 1, false)?;
        // The slip may be in the plural itself: "glassess".
        let stem = word.trim_end_matches('s');
        if stem.len() < word.len() && stem.len() >= 4 {
            terms.extend(self.slips(text, stem, 1, false)?);
        }
        if word.chars().count() < 4 {
            // Of three letters only the order may be wrong.
            let letters = |word: &str| word.chars().collect::<Vec<_>>();
            let sorted = |word: &str| {
                let mut letters = letters(word);
                letters.sort_unstable();
                letters
            };
            terms.retain(|term| sorted(term) == sorted(word));
        }
        Ok(terms)
    }

    /// "redbul" where there is a Red Bull.
    fn apart_with_a_slip(&self, word: &str) -> Result<Vec<Leaf>, EngineError> {
        let mut options = Vec::new();
        for (at, _) in word.char_indices().skip(3) {
            let (first, second) = word.split_at(at);
            if second.chars().count() < 3 || self.count(Text::Name, &analyser::singular(first), 1)? == 0 {
                continue;
            }
            for second in self.slips(Text::Name, &analyser::singular(second), 1, false)?.into_iter().take(20)
            {
                options.push(Leaf::row(Text::Name, vec![analyser::singular(first), second], GUESSED + 140));
            }
        }
        Ok(options)
    }

    /// Terms of letters alone that are `most` slips away from `word`: a letter missing, too much, another or two
    /// swapped.
    fn slips(
        &self,
        text: Text,
        word: &str,
        most: u8,
        is_beginning: bool,
    ) -> Result<Vec<String>, EngineError> {
        static BUILDERS: LazyLock<[LevenshteinAutomatonBuilder; 2]> =
            LazyLock::new(|| [1, 2].map(|distance| LevenshteinAutomatonBuilder::new(distance, true)));
        let builder = &BUILDERS[usize::from(most > 1)];
        let dfa = if is_beginning { builder.build_prefix_dfa(word) } else { builder.build_dfa(word) };
        let mut terms = BTreeSet::new();
        for segment in self.segments {
            let mut stream = segment.terms(text).terms().search(Slips(&dfa)).into_stream()?;
            while stream.advance() {
                if let Ok(term) = std::str::from_utf8(stream.key())
                    && term.chars().all(char::is_alphabetic)
                    && self.is_alive(segment, text, term)?
                {
                    terms.insert(term.to_owned());
                }
            }
        }
        Ok(terms.into_iter().take(MOST_TERMS).collect())
    }

    fn beginning_with(&self, text: Text, begin: &str, most: usize) -> Result<Vec<String>, EngineError> {
        let mut terms = BTreeSet::new();
        for segment in self.segments {
            let mut stream = segment.terms(text).terms().range().ge(begin).into_stream()?;
            let mut found = 0;
            while found < most && stream.advance() {
                let Ok(term) = std::str::from_utf8(stream.key()) else { continue };
                if !term.starts_with(begin) {
                    break;
                }
                if self.is_alive(segment, text, term)? {
                    terms.insert(term.to_owned());
                    found += 1;
                }
            }
        }
        Ok(terms.into_iter().take(most).collect())
    }

    /// Whether a product has the term that is not deleted: an index with a deletion answers as one without the product.
    fn is_alive(&self, segment: &Segment, text: Text, term: &str) -> Result<bool, EngineError> {
        Ok(!segment.reader.has_deletes() || segment.count(text, term, 1)? > 0)
    }

    fn count(&self, text: Text, term: &str, most: u32) -> Result<u32, EngineError> {
        let mut count = 0;
        for segment in self.segments {
            count += segment.count(text, term, most - count)?;
            if count >= most {
                break;
            }
        }
        Ok(count)
    }
}

/// Words that are one word to whoever types or sells, as good as that word.
fn side_by_side(words: &[String], more: u16) -> Vec<Leaf> {
    let Some((last, before)) = words.split_last() else { return Vec::new() };
    let head = before.iter().cloned().chain([format!("{HEAD}{last}")]).collect();
    vec![
        Leaf::row(Text::Name, head, EXACT + 480 + more),
        Leaf::row(Text::Name, words.to_vec(), EXACT + 400 + more),
    ]
}

/// What a product is also called.
fn other_name(name: &[String]) -> Vec<Leaf> {
    match name {
        [one] => vec![
            Leaf::one(Text::Name, format!("{HEAD}{one}"), EXACT + 300),
            Leaf::one(Text::Name, one.as_str(), EXACT + 280),
            Leaf::one(Text::Category, one.as_str(), EXACT + 120),
            Leaf::one(Text::Description, analyser::stem(one), EXACT + 60),
        ],
        several => vec![
            Leaf::row(Text::Name, several.to_vec(), EXACT + 280),
            Leaf::row(
                Text::Description,
                several.iter().map(|word| analyser::stem(word)).collect(),
                EXACT + 60,
            ),
        ],
    }
}

/// How an automaton of slips walks through terms.
struct Slips<'a>(&'a DFA);

impl Automaton for Slips<'_> {
    type State = u32;

    fn start(&self) -> u32 {
        self.0.initial_state()
    }

    fn is_match(&self, state: &u32) -> bool {
        matches!(self.0.distance(*state), Distance::Exact(_))
    }

    fn can_match(&self, state: &u32) -> bool {
        *state != SINK_STATE
    }

    fn accept(&self, state: &u32, byte: u8) -> u32 {
        self.0.transition(*state, byte)
    }
}
