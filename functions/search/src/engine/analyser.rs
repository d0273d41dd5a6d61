//! From text to words: the same for what products say and for what people type.
//!
//! Folding takes away what people do not type or type differently (case, accents, width, kinds of apostrophes). Words
//! are cut where letters and digits end; what is written with a sign inside (T-shirt) stands there joined as well.
//! Quantities become one word in one unit, so that 1.5 l, 1,5L and 1500 ml are equal. Scripts that put no space between
//! words are cut into pairs of letters.

use std::sync::LazyLock;

use frostem::{Algorithm, Stemmer};
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

use super::synonyms;

/// The longest word that is indexed or looked for, in bytes. What is longer is cut there.
const LONGEST: usize = 60;

/// Before every quantity: 3 m are 3000 mm, and nobody who types 3000 is at the beginning of that.
pub const QUANTITY: char = '#';

/// A word, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Folded and in the spelling that all spellings share; not yet stemmed.
    pub text: String,
    /// Which plain word of the text it is, or begins with.
    pub at: usize,
    /// How many plain words it stands for.
    pub span: usize,
    /// What it is.
    pub kind: Kind,
}

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As it was written.
    Plain,
    /// Another way to write the plain words that it stands for: `tshirt` beside `t` and `shirt`.
    Joined,
    /// A part under which a product is found as well, and which says less than the word: `500` of `500 ml`. Nobody who
    /// types the word means it.
    Part,
    /// A picture such as ☕: found where it is, missed by nobody.
    Picture,
}

/// Folds and cuts `text`, at most `most` plain words of it.
pub fn words(text: &str, most: usize) -> Vec<Word> {
    let atoms = atoms(&fold(text));
    let mut cutter = Cutter { atoms: &atoms, words: Vec::new(), next: 0, starts: vec![0; atoms.len() + 1] };
    cutter.cut(most);
    cutter.words
}

/// Lower case without accents, in one width, with one kind of apostrophe; letters that are one to whoever types them
/// are one.
pub fn fold(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars().filter_map(plainer) {
        let number_before = || plain.trim_end().ends_with(|c: char| c.is_ascii_digit());
        plain.push(if letter == '×' { if number_before() { 'x' } else { ' ' } } else { letter });
    }
    let mut folded = String::with_capacity(plain.len());
    for letter in
        DecomposingNormalizerBorrowed::new_nfkd().normalize(&plain).chars().filter(|c| !is_accent(*c))
    {
        for letter in letter.to_lowercase().filter(|c| !is_accent(*c)) {
            fold_letter(letter, &mut folded);
        }
    }
    ComposingNormalizerBorrowed::new_nfc().normalize(&folded).into_owned()
}

/// Letters and digits alone: how stock-keeping numbers and whole names are compared.
pub fn squeeze(text: &str) -> String {
    let mut squeezed: String = fold(text).chars().filter(|c| is_letter(*c)).collect();
    cut_at(&mut squeezed, LONGEST * 2);
    squeezed
}

/// What must be gone before compatibility forms are taken apart: ™ would become two letters, ´ a space.
fn plainer(letter: char) -> Option<char> {
    match letter {
        '™' | '®' | '©' | '℠' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{640}' => {
            None
        }
        '’' | '‘' | '‛' | 'ʼ' | '`' | '´' | '′' | '＇' => Some('\''),
        '”' | '“' | '„' | '″' | '＂' => Some('"'),
        '✕' | '✖' => Some('×'),
        '\0' => Some(' '),
        other => Some(other),
    }
}

/// Marks of alphabets in which a word is the same to most people without them. Vowels of Indic scripts and of Thai are
/// marks as well, and stay.
fn is_accent(c: char) -> bool {
    matches!(u32::from(c),
        0x300..=0x36f | 0x483..=0x489 | 0x591..=0x5bd | 0x5bf | 0x5c1..=0x5c2 | 0x5c4..=0x5c5 | 0x5c7
        | 0x610..=0x61a | 0x64b..=0x65f | 0x670 | 0x6d6..=0x6dc | 0x6df..=0x6e4 | 0x6e7..=0x6e8 | 0x6ea..=0x6ed
        | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f)
}

fn fold_letter(letter: char, folded: &mut String) {
    match letter {
        'ß' => folded.push_str("ss"),
        'æ' => folded.push_str("ae"),
        'œ' => folded.push_str("oe"),
        'þ' => folded.push_str("th"),
        'ø' => folded.push('o'),
        'ł' => folded.push('l'),
        'đ' | 'ð' => folded.push('d'),
        'ı' => folded.push('i'),
        'ħ' => folded.push('h'),
        'ς' => folded.push('σ'),
        'ى' | 'ی' => folded.push('ي'),
        'ک' => folded.push('ك'),
        'ة' => folded.push('ه'),
        'ך' => folded.push('כ'),
        'ם' => folded.push('מ'),
        'ן' => folded.push('נ'),
        'ף' => folded.push('פ'),
        'ץ' => folded.push('צ'),
        // Katakana as hiragana.
        'ァ'..='ヶ' => folded.push(char::from_u32(u32::from(letter) - 0x60).unwrap_or(letter)),
        _ => folded.push(digit(letter).unwrap_or(letter)),
    }
}

/// The ASCII digit that a digit of another script is.
fn digit(letter: char) -> Option<char> {
    const ZEROS: [u32; 12] =
        [0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50];
    let code = u32::from(letter);
    let zero = ZEROS.into_iter().find(|zero| (*zero..zero + 10).contains(&code))?;
    char::from_digit(code - zero, 10)
}

/// Part of a word, in any script.
fn is_letter(c: char) -> bool {
    // Vowel signs and the like, which are no letters of their own.
    c.is_alphanumeric() || matches!(u32::from(c), 0x900..=0x1099 | 0x1780..=0x17d3)
}

/// Of a script that puts no space between words.
pub fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0xe01..=0xe4e | 0xe81..=0xecf | 0x1000..=0x1049 | 0x1780..=0x17d3 | 0x3005..=0x3007 | 0x3041..=0x309f
        | 0x30a1..=0x30ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xac00..=0xd7af | 0xf900..=0xfaff
        | 0x20000..=0x3ffff)
}

/// ☕ and its like.
fn is_picture(c: char) -> bool {
    matches!(u32::from(c), 0x2600..=0x27bf | 0x1f300..=0x1faff)
}

/// A piece of text without a sign in it.
#[derive(Debug)]
struct Atom {
    text: String,
    shape: Shape,
    /// Nothing but signs stands between the one before and this: no space.
    glued: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Word,
    Number,
    Unspaced,
    Picture,
}

/// Cuts folded text.
fn atoms(folded: &str) -> Vec<Atom> {
    let letters: Vec<char> = folded.chars().collect();
    let mut atoms: Vec<Atom> = Vec::new();
    let mut glued = false;
    let mut at = 0;
    while let Some(&c) = letters.get(at) {
        let begin = at;
        let shape = if is_picture(c) {
            at += 1;
            Shape::Picture
        } else if is_unspaced(c) {
            at += run(&letters[at..], is_unspaced);
            Shape::Unspaced
        } else if is_letter(c) {
            at = end_of_word(&letters, at);
            Shape::Word
        } else {
            if c.is_whitespace() {
                glued = false;
            } else if let Some((unit, length)) = sign_of_unit(&letters, at) {
                atoms.push(Atom { text: unit.into(), shape: Shape::Word, glued: true });
                at += length;
                continue;
            } else if is_possessive(&letters, at) {
                at += 1;
            }
            at += 1;
            continue;
        };
        let mut text: String = letters[begin..at].iter().collect();
        if shape == Shape::Word && begin + 1 == at && c.is_ascii_lowercase() {
            at += sign_of_language(&letters[at..], &mut text);
        }
        let number =
            shape == Shape::Word && text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b',');
        let (text, shape) = if number { (number_of(&text), Shape::Number) } else { (text, shape) };
        atoms.push(Atom { text, shape, glued: glued && !atoms.is_empty() });
        glued = true;
    }
    atoms
}

fn run(letters: &[char], of: impl Fn(char) -> bool) -> usize {
    letters.iter().take_while(|c| of(**c)).count()
}

/// Letters and digits; a point or comma between digits is part of the number.
fn end_of_word(letters: &[char], mut at: usize) -> usize {
    let is_digit = |at: usize| letters.get(at).is_some_and(char::is_ascii_digit);
    while let Some(&c) = letters.get(at) {
        let decimal = (c == '.' || c == ',') && at > 0 && is_digit(at - 1) && is_digit(at + 1);
        if !decimal && (!is_letter(c) || is_unspaced(c)) {
            break;
        }
        at += 1;
    }
    at
}

/// 15" and 15'' are inches, 6' are feet, -5 °C are degrees.
fn sign_of_unit(letters: &[char], at: usize) -> Option<(&'static str, usize)> {
    // Degrees may stand apart from their number.
    let before = letters[..at].strip_suffix(&[' ']).filter(|_| letters[at] == '°').unwrap_or(&letters[..at]);
    before.last().filter(|before| before.is_ascii_digit())?;
    let ends = |length: usize| letters.get(at + length).is_none_or(|c| !is_letter(*c));
    match letters[at..] {
        ['\'', '\'', ..] if ends(2) => Some(("inch", 2)),
        ['"', ..] if ends(1) => Some(("inch", 1)),
        ['\'', ..] if ends(1) => Some(("feet", 1)),
        ['°', 'c', ..] if ends(2) => Some(("celsius", 2)),
        ['°', 'f', ..] if ends(2) => Some(("fahrenheit", 2)),
        _ => None,
    }
}

/// The 's of a name belongs to it alone.
fn is_possessive(letters: &[char], at: usize) -> bool {
    letters[at] == '\''
        && at > 0
        && is_letter(letters[at - 1])
        && letters.get(at + 1) == Some(&'s')
        && letters.get(at + 2).is_none_or(|c| !is_letter(*c) && *c != '\'')
}

/// C++ and C# are not C.
fn sign_of_language(after: &[char], letter: &mut String) -> usize {
    let (name, length) = match after {
        ['+', '+', ..] => ("plusplus", 2),
        ['#', ..] => ("sharp", 1),
        _ => return 0,
    };
    if after.get(length).is_some_and(|c| is_letter(*c)) {
        return 0;
    }
    letter.push_str(name);
    length
}

/// One way to write a number: 1,000 is 1000, 1,5 is 1.5 and 2.50 is 2.5.
fn number_of(text: &str) -> String {
    let thousands = |part: &str| part.len() == 3;
    let mut parts = text.split(',');
    let first = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    let whole = !first.is_empty() && first.len() <= 3 && !first.starts_with('0') && !first.contains('.');
    let text = if !rest.is_empty()
        && whole
        && rest.iter().all(|part| thousands(part.split('.').next().unwrap_or_default()))
    {
        text.replace(',', "")
    } else {
        text.replace(',', ".")
    };
    match text.split_once('.') {
        Some((whole, fraction)) if !fraction.contains('.') => {
            let fraction = fraction.trim_end_matches('0');
            if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
        }
        _ => text,
    }
}

/// Makes words of atoms.
struct Cutter<'a> {
    atoms: &'a [Atom],
    words: Vec<Word>,
    /// The place of the next plain word.
    next: usize,
    /// Which plain word each atom begins.
    starts: Vec<usize>,
}

impl Cutter<'_> {
    fn cut(&mut self, most: usize) {
        let mut atom = 0;
        while atom < self.atoms.len() && self.next < most {
            let taken =
                self.dimensions(atom).or_else(|| self.quantity(atom)).unwrap_or_else(|| self.word(atom));
            let start = self.starts[atom];
            for within in &mut self.starts[atom + 1..=atom + taken] {
                *within = start;
            }
            atom += taken;
            self.starts[atom] = self.next;
        }
        self.join(atom);
        self.words.sort_by_key(|word| word.at);
    }

    fn push(&mut self, text: impl Into<String>, kind: Kind) {
        let mut text = text.into();
        cut_at(&mut text, LONGEST);
        self.words.push(Word { text, at: self.next, span: 1, kind });
    }

    /// An atom that is nothing more.
    fn word(&mut self, atom: usize) -> usize {
        let Atom { text, shape, .. } = &self.atoms[atom];
        match shape {
            Shape::Picture => self.push(text.as_str(), Kind::Picture),
            Shape::Unspaced => return self.pairs(&text.chars().collect::<Vec<_>>()),
            Shape::Number => self.push(text.as_str(), Kind::Plain),
            Shape::Word => {
                self.push(synonyms::spelling(text), Kind::Plain);
                if let Some(part) = end_of_model(text) {
                    self.push(part, Kind::Part);
                }
            }
        }
        self.next += 1;
        1
    }

    /// Two letters each, and each letter as a part: whoever types one finds it.
    fn pairs(&mut self, letters: &[char]) -> usize {
        if let [letter] = letters {
            self.push(*letter, Kind::Plain);
            self.next += 1;
        }
        for pair in letters.windows(2) {
            self.push(String::from_iter(pair), Kind::Plain);
            self.push(pair[0], Kind::Part);
            self.next += 1;
        }
        if let [_, .., last] = letters {
            self.next -= 1;
            self.push(*last, Kind::Part);
            self.next += 1;
        }
        1
    }

    /// 4x40, 4 x 40 mm, 30x20x10cm: how much it is of what is told by the numbers alone.
    fn dimensions(&mut self, atom: usize) -> Option<usize> {
        let mut numbers = Vec::new();
        let mut unit = None;
        let mut at = atom;
        if !begins_with_digit(&self.atoms[atom].text) {
            return None;
        }
        while let Some(next) = self.atoms.get(at) {
            // Within one atom: 4x40, or the number before the next x.
            for part in next.text.split('x').filter(|part| !part.is_empty()) {
                let (number, of) = number_and_rest(part)?;
                unit = if of.is_empty() { None } else { Some(unit_of(of)?) };
                numbers.push(number_of(number));
            }
            at += 1;
            match self.atoms.get(at) {
                Some(x)
                    if x.text == "x"
                        && self.atoms.get(at + 1).is_some_and(|n| begins_with_digit(&n.text)) =>
                {
                    at += 1;
                }
                Some(x) if next.text.ends_with('x') && begins_with_digit(&x.text) && x.glued => {}
                Some(x)
                    if x.text.starts_with('x')
                        && begins_with_digit(&x.text[1..])
                        && begins_with_digit(&next.text) => {}
                _ => break,
            }
        }
        if numbers.len() < 2 || numbers.len() > 4 {
            return None;
        }
        if unit.is_none()
            && let Some(of) = self.atoms.get(at).filter(|of| of.text != "in").and_then(|of| unit_of(&of.text))
        {
            unit = Some(of);
            at += 1;
        }
        self.push(numbers.join("x"), Kind::Plain);
        for number in &numbers {
            self.push(number.as_str(), Kind::Part);
        }
        if let (Some(unit), Some(last)) = (unit, numbers.last()) {
            // 2 x 500 ml are found by 500 ml.
            if let Some(quantity) = unit.quantity(last) {
                self.push(quantity, Kind::Part);
            }
        }
        self.next += 1;
        Some(at - atom)
    }

    /// 500ml, 500 ml, 6-pack.
    fn quantity(&mut self, atom: usize) -> Option<usize> {
        let text = &self.atoms[atom].text;
        if self.atoms[atom].shape == Shape::Number {
            let unit = self.atoms.get(atom + 1)?;
            // "2 in 1" and "4 in white" are no inches.
            let in_a_sentence =
                unit.text == "in" && (!unit.glued || self.atoms.get(atom + 2).is_some_and(|a| a.glued));
            if in_a_sentence && self.atoms.get(atom + 2).is_some_and(|after| after.shape == Shape::Number) {
                return None;
            }
            let quantity = unit_of(&unit.text)?.quantity(text)?;
            self.push(quantity, Kind::Plain);
            self.push(text.as_str(), Kind::Part);
            self.next += 1;
            return Some(2);
        }
        let (number, unit) = number_and_rest(text)?;
        let number = number_of(number);
        let quantity = unit_of(unit)?.quantity(&number)?;
        self.push(quantity, Kind::Plain);
        self.push(number, Kind::Part);
        self.next += 1;
        Some(1)
    }

    /// What is written together but for a sign, and packs of so many, are one word as well.
    fn join(&mut self, end: usize) {
        let mut atom = 0;
        while atom < end {
            let length = 1 + self.atoms[atom + 1..end].iter().take_while(|next| next.glued).count();
            let glued = &self.atoms[atom..atom + length];
            let (at, span) = (self.starts[atom], self.starts[atom + length] - self.starts[atom]);
            let spaced = glued.iter().all(|atom| matches!(atom.shape, Shape::Word | Shape::Number));
            if span > 1 && spaced && length <= 8 {
                let mut text: String = glued.iter().map(|atom| atom.text.as_str()).collect();
                cut_at(&mut text, LONGEST);
                self.words.push(Word {
                    text: synonyms::spelling(&text).into(),
                    at,
                    span,
                    kind: Kind::Joined,
                });
            }
            atom += length;
        }
        for (first, three) in self.atoms[..end].windows(3).enumerate() {
            let (at, span) = (self.starts[first], self.starts[first + 3] - self.starts[first]);
            let counts =
                matches!(three[0].text.as_str(), "pack" | "packs" | "set" | "box" | "case" | "packet");
            if counts && three[1].text == "of" && three[2].shape == Shape::Number && span == 3 {
                let text = format!("{QUANTITY}{}pc", three[2].text);
                self.words.push(Word { text, at, span, kind: Kind::Joined });
            }
        }
    }
}

/// XM5 of 1000XM5: what people remember of a model.
fn end_of_model(text: &str) -> Option<&str> {
    if !text.is_ascii() || text.len() < 5 {
        return None;
    }
    let bytes = text.as_bytes();
    let at = (1..bytes.len())
        .rev()
        .find(|at| bytes[at - 1].is_ascii_digit() && bytes[*at].is_ascii_lowercase())?;
    let end = &text[at..];
    (end.len() >= 2 && end.bytes().any(|b| b.is_ascii_digit())).then_some(end)
}

fn begins_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// 500 and ml of 500ml.
fn number_and_rest(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(text.len());
    (end > 0 && begins_with_digit(text)).then(|| text.split_at(end))
}

/// Cuts `text` at `most` bytes, between letters.
fn cut_at(text: &mut String, most: usize) {
    if text.len() > most {
        let end = text.floor_char_boundary(most);
        text.truncate(end);
    }
}

/// What a quantity is counted in, and how many thousandths of that this unit is.
#[derive(Debug, Clone, Copy)]
struct Unit {
    name: &'static str,
    thousandths: u64,
}

impl Unit {
    /// So much of it, as one word in the unit that all share; nothing for numbers that nobody means.
    fn quantity(self, number: &str) -> Option<String> {
        const MICRO: u64 = 1_000_000;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let fraction =
            fraction.get(..fraction.len().min(6)).filter(|f| f.bytes().all(|b| b.is_ascii_digit()))?;
        let whole: u64 = whole.parse().ok()?;
        let micro = whole.checked_mul(MICRO)?.checked_add(format!("{fraction:0<6}").parse().ok()?)?;
        let all = micro.checked_mul(self.thousandths)? / 1000;
        let number = number_of(&format!("{}.{:06}", all / MICRO, all % MICRO));
        Some(format!("{QUANTITY}{number}{}", self.name))
    }
}

/// The unit that a word names, in the languages of `docs/search.md`.
fn unit_of(word: &str) -> Option<Unit> {
    let (name, thousandths) = match word {
        "ml" | "milliliter" | "milliliters" | "millilitre" | "millilitres" | "мл" => ("ml", 1000),
        "cl" | "centiliter" | "centilitre" => ("ml", 10_000),
        "dl" | "deciliter" | "decilitre" => ("ml", 100_000),
        "l" | "lt" | "ltr" | "liter" | "liters" | "litre" | "litres" | "litro" | "litros" | "litri" | "л"
        | "литр" | "литра" => ("ml", 1_000_000),
        "mg" | "milligram" | "milligrams" | "мг" => ("mg", 1000),
        "g" | "gr" | "gm" | "gram" | "grams" | "gramme" | "grammes" | "gramm" | "gramos" | "grammi" | "г"
        | "гр" => ("mg", 1_000_000),
        "kg" | "kgs" | "kilo" | "kilos" | "kilogram" | "kilograms" | "kilogramm" | "kilogramme" | "кг" => {
            ("mg", 1_000_000_000)
        }
        "mm" | "millimeter" | "millimeters" | "millimetre" | "millimetres" | "мм" => ("mm", 1000),
        "cm" | "centimeter" | "centimeters" | "centimetre" | "centimetres" | "zentimeter" | "см" => {
            ("mm", 10_000)
        }
        "m" | "mtr" | "meter" | "meters" | "metre" | "metres" | "metro" | "metros" | "metri" | "м"
        | "метр" | "метра" => ("mm", 1_000_000),
        "km" | "kilometer" | "kilometers" | "kilometre" | "kilometres" => ("mm", 1_000_000_000),
        "in" | "inch" | "inches" | "zoll" | "pouces" | "pouce" | "pulgadas" | "pollici" | "дюйм" => {
            ("in", 1000)
        }
        "ft" | "foot" | "feet" => ("ft", 1000),
        "yd" | "yard" | "yards" => ("yd", 1000),
        "oz" | "ounce" | "ounces" => ("oz", 1000),
        "lb" | "lbs" | "pound" | "pounds" => ("lb", 1000),
        "mb" | "megabyte" | "megabytes" => ("mb", 1000),
        "gb" | "gigabyte" | "gigabytes" | "gig" | "go" | "гб" => ("mb", 1_000_000),
        "tb" | "terabyte" | "terabytes" | "тб" => ("mb", 1_000_000_000),
        "w" | "watt" | "watts" | "вт" => ("w", 1000),
        "kw" | "kilowatt" | "kilowatts" => ("w", 1_000_000),
        "v" | "volt" | "volts" => ("v", 1000),
        "mah" => ("mah", 1000),
        "ah" => ("mah", 1_000_000),
        "hz" | "hertz" => ("hz", 1000),
        "khz" => ("hz", 1_000_000),
        "mhz" => ("hz", 1_000_000_000),
        "ghz" => ("hz", 1_000_000_000_000),
        "mp" | "megapixel" | "megapixels" => ("mp", 1000),
        "lm" | "lumen" | "lumens" => ("lm", 1000),
        "celsius" => ("celsius", 1000),
        "fahrenheit" => ("fahrenheit", 1000),
        "pc" | "pcs" | "pk" | "pck" | "pack" | "packs" | "piece" | "pieces" | "pair" | "pairs" | "ct"
        | "count" | "stk" | "stuck" | "piezas" | "шт" => ("pc", 1000),
        _ => return None,
    };
    Some(Unit { name, thousandths })
}

/// A word without the ending of its plural, in one spelling for both: battery and batteries are `battery`, shelf and
/// shelves `shelf`. Only what is written in the 26 letters is touched.
pub fn singular(word: &str) -> String {
    if !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return without_article(word);
    }
    if let Some(singular) = synonyms::irregular(word) {
        return singular.into_owned();
    }
    let has_vowel = word.bytes().any(|b| matches!(b, b'a' | b'e' | b'i' | b'o' | b'u' | b'y'));
    let long = word.len() >= 4 || (word.len() == 3 && !has_vowel);
    let strip = |ending: &str| word.strip_suffix(ending);
    if let Some(stem) = strip("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    if let Some(stem) = strip("ie").filter(|stem| stem.len() > 2) {
        return format!("{stem}y");
    }
    // After a hiss the plural has an e, and some singulars do.
    let hissing = ["ch", "sh", "x", "ss", "zz"];
    if let Some(stem) = strip("es").or_else(|| strip("e")).filter(|stem| stem.len() > 2)
        && hissing.iter().any(|hiss| stem.ends_with(hiss))
    {
        return stem.to_owned();
    }
    match strip("s") {
        Some(stem) if long && !stem.ends_with('s') => stem.to_owned(),
        _ => word.to_owned(),
    }
}

/// The Arabic article is written together with its word.
fn without_article(word: &str) -> String {
    match word.strip_prefix("ال") {
        Some(rest) if rest.chars().count() >= 3 => rest.to_owned(),
        _ => word.to_owned(),
    }
}

/// What English words of one family have in common: `run` of running, runs and run. Shorter than a word and less sure.
pub fn stem(word: &str) -> String {
    static ENGLISH: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::new(Algorithm::English));
    let singular = singular(word);
    if singular.len() < 4 || !singular.bytes().all(|b| b.is_ascii_lowercase()) {
        return singular;
    }
    ENGLISH.stem(&singular).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The plain words of a text.
    fn plain(text: &str) -> Vec<String> {
        of_kind(text, Kind::Plain)
    }

    fn of_kind(text: &str, kind: Kind) -> Vec<String> {
        words(text, 100).into_iter().filter(|word| word.kind == kind).map(|word| word.text).collect()
    }

    #[test]
    fn what_people_type_differently_is_folded() {
        for (one, other) in [
            ("CAFÉ", "cafe"),
            ("Straße", "strasse"),
            ("ＵＳＢ", "usb"),
            ("Levi’s", "levi's"),
            ("LEGO®", "lego"),
            ("ΚΑΦΈΣ", "καφες"),
            ("Isıtıcı", "ISITICI"),
            ("ラーメン", "らーめん"),
            ("٣٥", "35"),
        ] {
            assert_eq!(fold(one), fold(other));
        }
        // Marks that are vowels stay.
        assert_ne!(fold("กิน"), fold("กน"));
    }

    #[test]
    fn a_quantity_is_one_word_however_it_is_written() {
        for (one, other) in [
            ("500 ml", "0,5l"),
            ("1.50 kg", "1500g"),
            ("3 meters", "300cm"),
            ("15\"", "15 inch"),
            ("1,000 W", "1 kW"),
            ("6-pack", "6 pieces"),
            ("4 x 40 mm", "4x40"),
            ("50×70cm", "50 x 70"),
            ("-5 °C", "5℃"),
            ("3 pairs", "3-pack"),
        ] {
            assert_eq!(plain(one), plain(other), "{one}");
            assert_eq!(plain(one).len(), 1);
        }
        assert_ne!(plain("500 ml"), plain("500 g"));
        assert_eq!(plain("2 in 1"), ["2", "in", "1"]);
        assert_eq!(plain("999999999999999999999 kg"), ["999999999999999999999", "kg"]);
    }

    #[test]
    fn what_is_written_with_a_sign_inside_is_joined_as_well() {
        assert_eq!(of_kind("White T-shirt", Kind::Joined), ["tshirt"]);
        assert_eq!(plain("White T-shirt"), ["white", "t", "shirt"]);
        assert_eq!(of_kind("L'Oréal", Kind::Joined), ["loreal"]);
        assert_eq!(plain("Levi's jeans"), ["levi", "jeans"]);
        assert_eq!(of_kind("pack of 6", Kind::Joined), plain("6-pack"));
    }

    #[test]
    fn plural_and_singular_are_one() {
        for (one, other) in [
            ("shoes", "shoe"),
            ("boxes", "box"),
            ("batteries", "battery"),
            ("cookies", "cookie"),
            ("ties", "tie"),
            ("skies", "sky"),
            ("knives", "knife"),
            ("bookshelves", "bookshelf"),
            ("dresses", "dress"),
            ("lenses", "lens"),
            ("tvs", "tv"),
            ("levis", "levi"),
            ("quiches", "quiche"),
            ("womens", "woman"),
        ] {
            assert_eq!(singular(one), singular(other));
        }
        for (one, other) in [("glass", "gla"), ("news", "new"), ("501s", "501"), ("shoe", "show")] {
            assert_ne!(singular(one), singular(other));
        }
    }

    #[test]
    fn a_family_has_a_stem_that_a_singular_has_not() {
        assert_eq!(stem("running"), stem("runs"));
        assert_ne!(singular("running"), singular("runs"));
    }
}
