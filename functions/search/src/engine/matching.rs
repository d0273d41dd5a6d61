//! Which products of a segment fit a plan, and how well.

use tantivy::postings::{Postings as _, SegmentPostings};
use tantivy::{DocId, DocSet, TERMINATED};

use super::EngineError;
use super::plan::{EXACT, Group, Leaf, Plan};
use super::segment::{Segment, Text};

/// A product, by its place in its segment, and how well it fits: more is better.
pub type Match = (DocId, u32);

/// A product with the stock-keeping number that was typed comes before all others.
const WHOLE_SKU: u32 = 1 << 20;

/// One whose number begins so comes after all that have the words.
const BEGINNING_OF_SKU: u32 = 8000;

/// For a product whose whole name was typed.
const WHOLE_NAME: u32 = 200;

/// For a word that the category has as well, and for one that the description has: most descriptions say the name
/// again, so that is worth less than half a word in length.
const CATEGORY_TOO: u16 = 40;
const DESCRIPTION_TOO: u16 = 1;

/// What a word is worth less that only says what a product goes with: the iPad comes before a cover for it.
const BESIDE: u16 = 60;

/// The longest name that is told from longer ones, in halves of words.
const LONG: u32 = 32;

/// What half a word more counts where not all are found: before all else. A word that was guessed is half of one.
const COVERED: u32 = 1 << 15;

/// Finds the products of one segment.
pub struct Matcher<'a> {
    segment: &'a Segment,
    plan: &'a Plan,
    /// What the group at hand gives each product, and where else it was found.
    scores: Vec<u16>,
    elsewhere: Vec<u8>,
}

const IN_CATEGORY: u8 = 1;
const IN_DESCRIPTION: u8 = 2;
const IS_BESIDE: u8 = 4;

impl<'a> Matcher<'a> {
    pub fn new(segment: &'a Segment, plan: &'a Plan) -> Self {
        let products = segment.reader.max_doc() as usize;
        Self { segment, plan, scores: vec![0; products], elsewhere: vec![0; products] }
    }

    /// Those that have all the words, and those that are named by number.
    pub fn all_words(&mut self) -> Result<Vec<Match>, EngineError> {
        let mut groups = Vec::with_capacity(self.plan.groups.len());
        for group in &self.plan.groups {
            groups.push(Prepared::of(group, self.segment)?);
        }
        groups.sort_by_key(|group| group.cost);
        let mut matches: Option<Vec<Match>> = None;
        for group in groups {
            let within: Option<Vec<DocId>> =
                matches.as_ref().map(|found| found.iter().map(|(doc, _)| *doc).collect());
            let found = self.group(group, within.as_deref())?;
            matches = Some(match matches {
                None => found,
                Some(before) => both(&before, &found),
            });
            if matches.as_ref().is_some_and(Vec::is_empty) {
                break;
            }
        }
        let mut matches = matches.unwrap_or_default();
        self.add_name(&mut matches, 1);
        let by_number = self.by_number(false)?;
        Ok(if by_number.is_empty() { matches } else { either(&matches, &by_number) })
    }

    /// How many products have each word.
    pub fn each_word(&mut self) -> Result<Vec<Vec<Match>>, EngineError> {
        let mut found = Vec::with_capacity(self.plan.groups.len());
        for group in &self.plan.groups {
            let group = Prepared::of(group, self.segment)?;
            found.push(self.group(group, None)?);
        }
        Ok(found)
    }

    /// Those that have any of the words, as [`Self::each_word`] found them: first by how many, then by how rare those
    /// are (`rarity` of each word, below 256), then by how well.
    pub fn any_word(&mut self, found: &[Vec<Match>], rarity: &[u32]) -> Vec<Match> {
        let mut sums = vec![0_u32; self.scores.len()];
        for (word, rarity) in found.iter().zip(rarity) {
            for (doc, score) in word {
                let covered = if *score >= u32::from(EXACT) { 2 * COVERED } else { COVERED };
                sums[*doc as usize] += covered + rarity + score / 32;
            }
        }
        sums.into_iter().zip(0..).filter(|(score, _)| *score > 0).map(|(score, doc)| (doc, score)).collect()
    }

    /// How many halves of words a score of [`Self::any_word`] stands for.
    pub fn covered(score: u32) -> u32 {
        score / COVERED
    }

    /// Adds what a name says of how well it fits: the shorter it is, the more of it was asked for. A part of that, where
    /// words say more.
    pub fn add_name(&self, matches: &mut [Match], part: u32) {
        // Column by column, and many at once: that is several times as quick as one by one.
        const BLOCK: usize = 128;
        let (mut docs, mut lengths, mut names) = ([0; BLOCK], [0; BLOCK], [0; BLOCK]);
        for block in matches.chunks_mut(BLOCK) {
            let many = block.len();
            docs.iter_mut().zip(&*block).for_each(|(at, (doc, _))| *at = *doc);
            self.segment.length.get_vals(&docs[..many], &mut lengths[..many]);
            self.segment.whole_name.get_vals(&docs[..many], &mut names[..many]);
            for ((_, score), (length, name)) in block.iter_mut().zip(lengths.iter().zip(&names)) {
                let short = 2 * LONG.saturating_sub(u32::try_from(*length).unwrap_or(u32::MAX));
                let whole = if *name == self.plan.whole_name { WHOLE_NAME } else { 0 };
                *score += (short + whole) / part;
            }
        }
    }

    /// Those whose stock-keeping number was typed, or its beginning. Without a digit (`of_letters`) it is more likely a
    /// word.
    pub fn by_number(&self, of_letters: bool) -> Result<Vec<Match>, EngineError> {
        let Some(number) = &self.plan.sku else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        let mut add = |mut postings: SegmentPostings, score| {
            while postings.doc() != TERMINATED {
                found.push((postings.doc(), score));
                postings.advance();
            }
        };
        if let Some(postings) = self.segment.postings(Text::Sku, number, false)? {
            add(postings, WHOLE_SKU);
        }
        if number.chars().count() >= 4 && (of_letters || number.bytes().any(|b| b.is_ascii_digit())) {
            let terms = self.segment.terms(Text::Sku);
            let mut stream = terms.terms().range().gt(number.as_str()).into_stream()?;
            while stream.advance() && stream.key().starts_with(number.as_bytes()) {
                add(
                    terms.read_postings_from_terminfo(
                        stream.value(),
                        tantivy::schema::IndexRecordOption::Basic,
                    )?,
                    BEGINNING_OF_SKU,
                );
            }
        }
        found.sort_unstable_by_key(|(doc, score)| (*doc, u32::MAX - score));
        found.dedup_by_key(|(doc, _)| *doc);
        Ok(found)
    }

    /// The products that a group finds, in their order, each with the best of its options.
    fn group(&mut self, group: Prepared, within: Option<&[DocId]>) -> Result<Vec<Match>, EngineError> {
        let mut parts: Option<Vec<Match>> = None;
        let several = u32::try_from(group.parts.len().max(1)).unwrap_or(1);
        for part in group.parts {
            let found = self.group(part, within)?;
            parts = Some(match parts {
                None => found,
                Some(before) => both(&before, &found),
            });
        }
        let mut found = Vec::new();
        for mut option in group.options {
            if option.next_to.is_empty() {
                let (score, mark) = (option.score, option.mark);
                each(&mut option.postings, within, |doc, _| {
                    if self.add(doc, score, mark) {
                        found.push(doc);
                    }
                });
                continue;
            }
            let Listed { score, mark, placed, mut postings, mut next_to } = option;
            each(&mut postings, within, |doc, first| {
                let all =
                    if placed { in_a_row(first, &mut next_to, doc) } else { all_there(&mut next_to, doc) };
                if all && self.add(doc, score, mark) {
                    found.push(doc);
                }
            });
        }
        for (doc, score) in parts.into_iter().flatten() {
            // Several words that stand for one are worth one.
            let score = u16::try_from(score / several).unwrap_or(u16::MAX);
            if self.add(doc, score, 0) {
                found.push(doc);
            }
        }
        // Sorting costs more than reading all places when most have something.
        if found.len() > self.scores.len() / 16 {
            found.clear();
            found.extend((0..).zip(&self.scores).filter(|(_, score)| **score > 0).map(|(doc, _)| doc));
        } else {
            found.sort_unstable();
        }
        Ok(found.into_iter().map(|doc| (doc, u32::from(self.take(doc)))).collect())
    }

    /// Notes that an option finds a product; whether it is the first that does. One without a score finds none, it
    /// marks what others found.
    fn add(&mut self, doc: DocId, score: u16, mark: u8) -> bool {
        let doc = doc as usize;
        let is_new = self.scores[doc] == 0;
        if is_new && score == 0 {
            return false;
        }
        self.scores[doc] = self.scores[doc].max(score);
        self.elsewhere[doc] |= mark;
        is_new
    }

    /// What all options together give a product. They are forgotten.
    fn take(&mut self, doc: DocId) -> u16 {
        let doc = doc as usize;
        let score = std::mem::take(&mut self.scores[doc]);
        let elsewhere = std::mem::take(&mut self.elsewhere[doc]);
        let too = |mark, worth| if elsewhere & mark != 0 { worth } else { 0 };
        score + too(IN_CATEGORY, CATEGORY_TOO) + too(IN_DESCRIPTION, DESCRIPTION_TOO) - too(IS_BESIDE, BESIDE)
    }
}

/// A group with the lists of products that its terms have in one segment.
struct Prepared {
    options: Vec<Listed>,
    parts: Vec<Prepared>,
    /// How many entries there are to read.
    cost: u64,
}

/// One term, with those that have to follow it.
struct Listed {
    postings: SegmentPostings,
    next_to: Vec<SegmentPostings>,
    /// Whether it is known where in a text they stand.
    placed: bool,
    score: u16,
    mark: u8,
}

impl Prepared {
    fn of(group: &Group, segment: &Segment) -> Result<Self, EngineError> {
        let mut options = Vec::new();
        for leaf in &group.options {
            prepare(leaf, segment, &mut options)?;
        }
        let parts = group.parts.iter().map(|part| Self::of(part, segment)).collect::<Result<Vec<_>, _>>()?;
        let cost = options.iter().map(|option| u64::from(option.postings.doc_freq())).sum::<u64>()
            + parts.iter().map(|part| part.cost).min().unwrap_or_default();
        Ok(Self { options, parts, cost })
    }
}

fn prepare(leaf: &Leaf, segment: &Segment, options: &mut Vec<Listed>) -> Result<(), EngineError> {
    let mark = match leaf.text {
        Text::Name if leaf.score == 0 => IS_BESIDE,
        Text::Name | Text::Sku => 0,
        Text::Category => IN_CATEGORY,
        Text::Description => IN_DESCRIPTION,
    };
    if !leaf.in_a_row {
        for term in &leaf.terms {
            if let Some(postings) = segment.postings(leaf.text, term, false)? {
                options.push(Listed {
                    postings,
                    next_to: Vec::new(),
                    placed: false,
                    score: leaf.score,
                    mark,
                });
            }
        }
        return Ok(());
    }
    let placed = leaf.text == Text::Name;
    let mut row = Vec::with_capacity(leaf.terms.len());
    for term in &leaf.terms {
        let Some(postings) = segment.postings(leaf.text, term, placed)? else { return Ok(()) };
        row.push(postings);
    }
    let next_to = row.split_off(1.min(row.len()));
    options.extend(row.pop().map(|postings| Listed { postings, next_to, placed, score: leaf.score, mark }));
    Ok(())
}

/// Every product of a list; only those of `within` where that is much less to read.
fn each(
    postings: &mut SegmentPostings,
    within: Option<&[DocId]>,
    mut found: impl FnMut(DocId, &mut SegmentPostings),
) {
    match within {
        Some(within) if within.len() < postings.doc_freq() as usize / 16 => {
            for doc in within {
                if postings.doc() < *doc {
                    postings.seek(*doc);
                }
                if postings.doc() == *doc {
                    found(*doc, postings);
                }
            }
        }
        _ => {
            while postings.doc() != TERMINATED {
                found(postings.doc(), postings);
                postings.advance();
            }
        }
    }
}

/// Whether `doc` has the terms of `with` as well.
fn all_there(with: &mut [SegmentPostings], doc: DocId) -> bool {
    with.iter_mut().all(|postings| {
        if postings.doc() < doc {
            postings.seek(doc);
        }
        postings.doc() == doc
    })
}

/// Whether the terms of `next_to` stand behind `first` in `doc`, one after another.
fn in_a_row(first: &mut SegmentPostings, next_to: &mut [SegmentPostings], doc: DocId) -> bool {
    if !all_there(next_to, doc) {
        return false;
    }
    let (mut places, mut after) = (Vec::new(), Vec::new());
    first.positions(&mut places);
    for (postings, distance) in next_to.iter_mut().zip(1..) {
        postings.positions(&mut after);
        places.retain(|place| after.contains(&(place + distance)));
    }
    !places.is_empty()
}

/// Products of both lists, with the sum of what they have there.
fn both(one: &[Match], other: &[Match]) -> Vec<Match> {
    let mut all = Vec::with_capacity(one.len().min(other.len()));
    let mut other = other.iter().peekable();
    for (doc, score) in one {
        while other.next_if(|(before, _)| before < doc).is_some() {}
        if let Some((_, more)) = other.next_if(|(same, _)| same == doc) {
            all.push((*doc, score + more));
        }
    }
    all
}

/// Products of either list, with the more of what they have there.
fn either(one: &[Match], other: &[Match]) -> Vec<Match> {
    let mut all: Vec<Match> = one.iter().chain(other).copied().collect();
    all.sort_unstable_by_key(|(doc, score)| (*doc, u32::MAX - score));
    all.dedup_by_key(|(doc, _)| *doc);
    all
}
