//! Which products of a segment fit a plan, and how well.
//!
//! The lists of products that terms have are read side by side, one window of products after another: what was noted of
//! a product is still near when the next list comes to it, and of those that do not fit nothing is kept.

use std::ops::Range;

use tantivy::postings::{BlockSegmentPostings, Postings as _, SegmentPostings};
use tantivy::{DocId, DocSet, TERMINATED};

use super::EngineError;
use super::plan::{EXACT, Group, Leaf, Plan};
use super::segment::{Segment, Text};

/// A product, by its place in its segment, and how well it fits: more is better.
pub type Match = (DocId, u32);

/// A product with the stock-keeping number that was typed comes before all others.
pub const WHOLE_SKU: u32 = 1 << 20;

/// One whose number begins so comes after all that have the words.
pub const BEGINNING_OF_SKU: u32 = 8000;

/// For a product whose whole name was typed.
pub const WHOLE_NAME: u32 = 200;

/// For a word that the category has as well, and for one that the description has: most descriptions say the name
/// again, so that is worth less than half a word in length.
pub const CATEGORY_TOO: i32 = 40;
pub const DESCRIPTION_TOO: i32 = 1;

/// What a word is worth less that only says what a product goes with: the iPad comes before a cover for it.
pub const BESIDE: i32 = 60;

/// The longest name that is told from longer ones, in halves of words.
pub const LONG: u8 = 32;

/// What half a word more counts where not all are found: before all else. A word that was guessed is half of one.
pub const COVERED: u32 = 1 << 15;

/// What each word counts there besides: two that were guessed come before one as it was typed.
pub const EACH: u32 = 248;

/// How many products a window has. In this crate's own tests so few that some hundred products are several windows.
const WINDOW: usize = if cfg!(test) { 1 << 7 } else { 1 << 13 };

/// How many products of a window are looked at together, once one of them has something.
const CHUNK: usize = 16;

/// So many times as many products a list must have as are wanted of it for each of these to be looked up by itself.
const SPARSE: usize = 16;

/// Finds the products of one segment.
pub struct Matcher<'a> {
    segment: &'a Segment,
    plan: &'a Plan,
    groups: Vec<Lists>,
    notes: Notes,
}

impl<'a> Matcher<'a> {
    pub fn new(segment: &'a Segment, plan: &'a Plan) -> Result<Self, EngineError> {
        let groups = plan.groups.iter().map(|group| Lists::of(group, segment)).collect::<Result<_, _>>()?;
        Ok(Self { segment, plan, groups, notes: Notes::new() })
    }

    /// Gives those that have all the words, and those that are named by number: window by window, in their order.
    pub fn all_words(mut self, mut found: impl FnMut(&mut Vec<Match>)) -> Result<(), EngineError> {
        let by_number = by_number(self.segment, self.plan, false)?;
        let mut by_number = by_number.as_slice();
        self.groups.sort_by_key(|group| group.cost);
        let mut matches = Vec::new();
        let mut from = 0;
        loop {
            let first = self.groups.first_mut().map_or(TERMINATED, |group| group.next(from));
            let Some(window) = window(first.min(by_number.first().map_or(TERMINATED, |(doc, _)| *doc)))
            else {
                return Ok(());
            };
            from = window.end;
            all_of(&mut self.groups, &mut self.notes, &window, None, &mut matches);
            add_name(self.segment, self.plan, &mut matches, 1);
            let (here, later) = by_number.split_at(by_number.partition_point(|(doc, _)| *doc < window.end));
            by_number = later;
            if !here.is_empty() {
                matches = either(&matches, here);
            }
            if !matches.is_empty() {
                found(&mut matches);
            }
        }
    }

    /// Those that have some of the words, as many as `enough` says: first by how many, then by how well. What they are
    /// called is not counted yet.
    pub fn some_words(mut self, shows: Option<&dyn Fn(DocId) -> bool>, enough: &mut Enough) -> Vec<Match> {
        let mut sums = [0_u32; WINDOW];
        let mut touched = [false; WINDOW / CHUNK];
        let mut found = Vec::new();
        let mut from = 0;
        loop {
            let first = self.groups.iter_mut().map(|group| group.next(from)).min();
            let Some(window) = window(first.unwrap_or(TERMINATED)) else { return found };
            from = window.end;
            for group in &mut self.groups {
                group.note(&mut self.notes, &window, None);
                self.notes.add_to(&mut sums, &mut touched);
            }
            for (chunk, begin) in (0..).zip((window.start..window.end).step_by(CHUNK)) {
                if !std::mem::take(&mut touched[chunk]) {
                    continue;
                }
                let sums = &mut sums[chunk * CHUNK..][..CHUNK];
                if let Some(shows) = shows {
                    for (doc, sum) in (begin..).zip(&mut *sums).filter(|(_, sum)| **sum > 0) {
                        *sum = if shows(doc) { *sum } else { 0 };
                    }
                }
                let least = enough.with(sums.iter().copied().max().unwrap_or_default());
                found.extend(
                    (begin..).zip(&*sums).filter(|(_, sum)| **sum >= least).map(|(doc, sum)| (doc, *sum)),
                );
                sums.fill(0);
            }
        }
    }
}

/// How much of a query a product must have where none has all: half of the words at least, and no two words less than
/// the best.
pub struct Enough {
    /// In halves of words.
    half: u32,
    most: u32,
}

impl Enough {
    pub fn of(plan: &Plan) -> Self {
        Self { half: u32::try_from(plan.groups.len()).unwrap_or(u32::MAX), most: 0 }
    }

    /// The least score that is enough, if there is one so good.
    fn with(&mut self, score: u32) -> u32 {
        self.most = self.most.max(score / COVERED);
        self.least()
    }

    /// The least score that is enough; more than nothing.
    pub fn least(&self) -> u32 {
        (self.half.max(self.most.saturating_sub(2)).min(self.most) * COVERED).max(1)
    }
}

/// The window in which a product is.
fn window(doc: DocId) -> Option<Range<DocId>> {
    let begin = doc - doc % WINDOW as DocId;
    (doc < TERMINATED).then(|| begin..begin + WINDOW as DocId)
}

/// Adds what a name says of how well it fits: the shorter it is, the more of it was asked for. A part of that, where
/// words say more.
pub fn add_name(segment: &Segment, plan: &Plan, matches: &mut [Match], part: u32) {
    let (lengths, names) = (segment.columns.length.all(), segment.columns.whole_name.all());
    for (doc, score) in matches {
        let at = *doc as usize;
        let short = 2 * u32::from(LONG.saturating_sub(lengths[at]));
        let whole = if u64::from(names[at]) == plan.whole_name { WHOLE_NAME } else { 0 };
        *score += (short + whole) / part;
    }
}

/// Those whose stock-keeping number was typed, or its beginning. Without a digit (`of_letters`) it is more likely a
/// word.
pub fn by_number(segment: &Segment, plan: &Plan, of_letters: bool) -> Result<Vec<Match>, EngineError> {
    let Some(number) = &plan.sku else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    let mut add = |mut postings: SegmentPostings, score| {
        while postings.doc() != TERMINATED {
            found.push((postings.doc(), score));
            postings.advance();
        }
    };
    if let Some(postings) = segment.postings(Text::Sku, number)? {
        add(postings, WHOLE_SKU);
    }
    if number.chars().count() >= 4 && (of_letters || number.bytes().any(|b| b.is_ascii_digit())) {
        let terms = segment.terms(Text::Sku);
        let mut stream = terms.terms().range().gt(number.as_str()).into_stream()?;
        while stream.advance() && stream.key().starts_with(number.as_bytes()) {
            add(
                terms
                    .read_postings_from_terminfo(stream.value(), tantivy::schema::IndexRecordOption::Basic)?,
                BEGINNING_OF_SKU,
            );
        }
    }
    found.sort_unstable_by_key(|(doc, score)| (*doc, u32::MAX - score));
    found.dedup_by_key(|(doc, _)| *doc);
    Ok(found)
}

/// The products of a window that all these groups find, of `within` if there is such, each with the sum of what they
/// give it. `notes` are empty before and after.
fn all_of(
    groups: &mut [Lists],
    notes: &mut Notes,
    window: &Range<DocId>,
    within: Option<&[Match]>,
    matches: &mut Vec<Match>,
) {
    matches.clear();
    let Some((first, others)) = groups.split_first_mut() else { return };
    first.note(notes, window, within);
    notes.take(window.start, matches);
    for group in others {
        if matches.is_empty() {
            return;
        }
        group.note(notes, window, Some(matches.as_slice()));
        notes.keep_those(matches);
    }
}

/// A group with the lists of products that its terms have in one segment.
struct Lists {
    options: Vec<Listed>,
    parts: Vec<Lists>,
    /// How many entries there are to read.
    cost: u64,
}

impl Lists {
    fn of(group: &Group, segment: &Segment) -> Result<Self, EngineError> {
        let mut options = Vec::new();
        for leaf in &group.options {
            Listed::of(leaf, segment, &mut options)?;
        }
        let parts = group.parts.iter().map(|part| Self::of(part, segment)).collect::<Result<Vec<_>, _>>()?;
        let cost = options.iter().map(|option| u64::from(option.list.products())).sum::<u64>()
            + parts.iter().map(|part| part.cost).min().unwrap_or_default();
        Ok(Self { options, parts, cost })
    }

    /// Before which product from `from` on there is none that it finds.
    fn next(&mut self, from: DocId) -> DocId {
        let finding = self.options.iter_mut().filter(|option| option.score > 0);
        let option = finding.map(|option| option.list.next(from)).min().unwrap_or(TERMINATED);
        let parts = self.parts.iter_mut().map(|part| part.next(from)).max().unwrap_or(TERMINATED);
        option.min(parts)
    }

    /// Notes which products of a window it finds, and how well. Of those that are not `within` it may note some, or
    /// none.
    fn note(&mut self, notes: &mut Notes, window: &Range<DocId>, within: Option<&[Match]>) {
        let mut of_parts = Vec::new();
        all_of(&mut self.parts, notes, window, within, &mut of_parts);
        for option in &mut self.options {
            option.note(notes, window, within);
        }
        let several = u32::try_from(self.parts.len().max(1)).unwrap_or(1);
        for (doc, score) in of_parts {
            // Several words that stand for one are worth one.
            notes.add(doc, u16::try_from(score / several).unwrap_or(u16::MAX), 0);
        }
    }
}

/// One term, or several that stand together, with what it is worth to be found by it.
struct Listed {
    list: List,
    score: u16,
    mark: u8,
}

enum List {
    /// One term.
    One(Box<Blocks>),
    /// One term, with those that have to follow it.
    Row(Box<Row>),
}

const IN_CATEGORY: u8 = 1;
const IN_DESCRIPTION: u8 = 2;
const IS_BESIDE: u8 = 4;

impl Listed {
    /// Adds those of a leaf.
    fn of(leaf: &Leaf, segment: &Segment, options: &mut Vec<Self>) -> Result<(), EngineError> {
        let mark = match leaf.text {
            Text::Name if leaf.score == 0 => IS_BESIDE,
            Text::Name | Text::Sku => 0,
            Text::Category => IN_CATEGORY,
            Text::Description => IN_DESCRIPTION,
        };
        let mut add = |list| options.push(Self { list, score: leaf.score, mark });
        if leaf.in_a_row {
            Row::of(leaf, segment)?.map(|row| List::Row(Box::new(row))).into_iter().for_each(add);
            return Ok(());
        }
        for term in &leaf.terms {
            let blocks = segment.blocks(leaf.text, term)?;
            blocks
                .map(|blocks| List::One(Box::new(Blocks::of(blocks, segment))))
                .into_iter()
                .for_each(&mut add);
        }
        Ok(())
    }

    fn note(&mut self, notes: &mut Notes, window: &Range<DocId>, within: Option<&[Match]>) {
        let (score, mark) = (self.score, self.mark);
        match &mut self.list {
            List::One(blocks) => match within {
                Some(within) if within.len() * SPARSE < blocks.in_window => {
                    for (doc, _) in within {
                        if blocks.has(*doc) {
                            notes.add(*doc, score, mark);
                        }
                    }
                }
                _ => blocks.each(window, |docs| notes.add_all(docs, score, mark)),
            },
            List::Row(row) => row.each(window, within, |doc| notes.add(doc, score, mark)),
        }
    }
}

impl List {
    /// How many products have the term, or the first.
    fn products(&self) -> u32 {
        match self {
            Self::One(blocks) => blocks.blocks.doc_freq(),
            Self::Row(row) => row.first.doc_freq(),
        }
    }

    /// The first of them from `from` on.
    fn next(&mut self, from: DocId) -> DocId {
        match self {
            Self::One(blocks) => blocks.seek(from),
            Self::Row(row) => seek(&mut row.first, from),
        }
    }
}

/// The products that have a term, read block by block.
struct Blocks {
    blocks: BlockSegmentPostings,
    /// The place in the block.
    at: usize,
    /// How many there are in a window, one with another.
    in_window: usize,
}

impl Blocks {
    fn of(blocks: BlockSegmentPostings, segment: &Segment) -> Self {
        let products = blocks.doc_freq() as usize;
        let windows = (segment.reader.max_doc() as usize).div_ceil(WINDOW).max(1);
        Self { blocks, at: 0, in_window: products / windows }
    }

    /// The first from `doc` on.
    fn seek(&mut self, doc: DocId) -> DocId {
        if self.blocks.doc(self.at) < doc {
            self.at = self.blocks.seek(doc);
        }
        self.blocks.doc(self.at)
    }

    fn has(&mut self, doc: DocId) -> bool {
        self.seek(doc) == doc
    }

    /// Gives those of a window, many at once.
    fn each(&mut self, window: &Range<DocId>, mut found: impl FnMut(&[DocId])) {
        self.seek(window.start);
        while self.blocks.doc(self.at) < window.end {
            let docs = &self.blocks.docs()[self.at..];
            let here = match docs.last() {
                Some(last) if *last < window.end => docs.len(),
                _ => docs.partition_point(|doc| *doc < window.end),
            };
            found(&docs[..here]);
            if here < docs.len() {
                self.at += here;
            } else {
                self.blocks.advance();
                self.at = 0;
            }
        }
    }
}

/// Terms that stand one after another in a name, or are all in a description, which knows no places.
struct Row {
    first: SegmentPostings,
    next_to: Vec<SegmentPostings>,
    /// Whether it is known where they stand.
    placed: bool,
    /// Where the first stands that has the others behind it, and where the next does.
    places: (Vec<u32>, Vec<u32>),
}

impl Row {
    /// Nothing if there is a term that no product has.
    fn of(leaf: &Leaf, segment: &Segment) -> Result<Option<Self>, EngineError> {
        let placed = leaf.text == Text::Name;
        let mut row = Vec::with_capacity(leaf.terms.len());
        for term in &leaf.terms {
            let list =
                if placed { segment.places(leaf.text, term)? } else { segment.postings(leaf.text, term)? };
            let Some(list) = list else { return Ok(None) };
            row.push(list);
        }
        let next_to = row.split_off(1.min(row.len()));
        Ok(row.pop().map(|first| Self { first, next_to, placed, places: Default::default() }))
    }

    /// Gives the products of a window that have them.
    fn each(&mut self, window: &Range<DocId>, within: Option<&[Match]>, mut found: impl FnMut(DocId)) {
        if let Some(within) = within.filter(|within| within.len() * SPARSE < WINDOW) {
            for (doc, _) in within {
                if seek(&mut self.first, *doc) == *doc && self.is_in(*doc) {
                    found(*doc);
                }
            }
            return;
        }
        let mut doc = seek(&mut self.first, window.start);
        while doc < window.end {
            if self.is_in(doc) {
                found(doc);
            }
            doc = self.first.advance();
        }
    }

    /// Whether a product that has the first has the others where they belong.
    fn is_in(&mut self, doc: DocId) -> bool {
        if !self.next_to.iter_mut().all(|list| seek(list, doc) == doc) {
            return false;
        }
        let (places, after) = &mut self.places;
        if self.placed {
            self.first.positions(places);
            for (list, distance) in self.next_to.iter_mut().zip(1..) {
                list.positions(after);
                places.retain(|place| after.contains(&(place + distance)));
            }
        }
        !self.placed || !places.is_empty()
    }
}

/// The first product of a list from `doc` on.
fn seek(list: &mut SegmentPostings, doc: DocId) -> DocId {
    if list.doc() < doc { list.seek(doc) } else { list.doc() }
}

/// What a group gives each product of a window, and where else it was found.
struct Notes {
    scores: Box<[u16; WINDOW]>,
    elsewhere: Box<[u8; WINDOW]>,
    /// In which chunks there is something.
    touched: [bool; WINDOW / CHUNK],
}

impl Notes {
    fn new() -> Self {
        Self {
            scores: Box::new([0; WINDOW]),
            elsewhere: Box::new([0; WINDOW]),
            touched: [false; WINDOW / CHUNK],
        }
    }

    /// Notes that an option finds products. One without a score finds none, it marks what others found.
    fn add_all(&mut self, docs: &[DocId], score: u16, mark: u8) {
        if score == 0 {
            docs.iter().for_each(|doc| self.add(*doc, 0, mark));
            return;
        }
        for doc in docs {
            let at = *doc as usize % WINDOW;
            self.scores[at] = self.scores[at].max(score);
            self.elsewhere[at] |= mark;
            self.touched[at / CHUNK] = true;
        }
    }

    fn add(&mut self, doc: DocId, score: u16, mark: u8) {
        let at = doc as usize % WINDOW;
        if self.scores[at] > 0 || score > 0 {
            self.scores[at] = self.scores[at].max(score);
            self.elsewhere[at] |= mark;
            self.touched[at / CHUNK] = true;
        }
    }

    /// The chunks in which there is something, each with its number. They are forgotten.
    fn chunks(&mut self, mut of: impl FnMut(usize, &[u16], &[u8])) {
        for (chunk, touched) in self.touched.iter_mut().enumerate() {
            if std::mem::take(touched) {
                let scores = &mut self.scores[chunk * CHUNK..][..CHUNK];
                let elsewhere = &mut self.elsewhere[chunk * CHUNK..][..CHUNK];
                of(chunk, scores, elsewhere);
                scores.fill(0);
                elsewhere.fill(0);
            }
        }
    }

    /// The products of the window that begins so, with all that was noted of them, which is forgotten.
    fn take(&mut self, begin: DocId, matches: &mut Vec<Match>) {
        self.chunks(|chunk, scores, elsewhere| {
            let mut some = [(0, 0); CHUNK];
            let mut many = 0;
            let docs = begin + (chunk * CHUNK) as DocId..;
            for (doc, (score, elsewhere)) in docs.zip(scores.iter().zip(elsewhere)) {
                // Without a branch, of which nobody could tell where it goes.
                some[many] = (doc, worth(*score, *elsewhere));
                many += usize::from(*score > 0);
            }
            matches.extend_from_slice(&some[..many]);
        });
    }

    /// Leaves those of which something was noted, with so much more. It is forgotten.
    fn keep_those(&mut self, matches: &mut Vec<Match>) {
        matches.retain_mut(|(doc, sum)| {
            let at = *doc as usize % WINDOW;
            *sum += worth(self.scores[at], self.elsewhere[at]);
            self.scores[at] > 0
        });
        self.chunks(|_, _, _| ());
    }

    /// Adds what a word gives to what others gave. It is forgotten.
    fn add_to(&mut self, sums: &mut [u32; WINDOW], touched: &mut [bool; WINDOW / CHUNK]) {
        self.chunks(|chunk, scores, elsewhere| {
            touched[chunk] = true;
            let sums = &mut sums[chunk * CHUNK..][..CHUNK];
            for (sum, (score, elsewhere)) in sums.iter_mut().zip(scores.iter().zip(elsewhere)) {
                let worth = worth(*score, *elsewhere);
                let covered = if worth >= u32::from(EXACT) { 2 * COVERED } else { COVERED };
                *sum += if *score > 0 { covered + EACH + worth / 32 } else { 0 };
            }
        });
    }
}

/// What all options of a word together give a product.
fn worth(score: u16, elsewhere: u8) -> u32 {
    // By what is marked.
    const TOO: [i32; 8] = {
        let mut too = [0; 8];
        let mut marks = 0;
        while marks < 8 {
            too[marks] = (marks as i32 & 1) * CATEGORY_TOO + (marks as i32 >> 1 & 1) * DESCRIPTION_TOO
                - (marks as i32 >> 2) * BESIDE;
            marks += 1;
        }
        too
    };
    u32::from(score).wrapping_add_signed(TOO[usize::from(elsewhere % 8)])
}

/// Products of either list, with the more of what they have there.
fn either(one: &[Match], other: &[Match]) -> Vec<Match> {
    let mut all: Vec<Match> = one.iter().chain(other).copied().collect();
    all.sort_unstable_by_key(|(doc, score)| (*doc, u32::MAX - score));
    all.dedup_by_key(|(doc, _)| *doc);
    all
}
