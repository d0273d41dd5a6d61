//! Text from outside: trimmed, of bounded length, without what is no text.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::props::{
    DefaultIgnorableCodePoint, ExtendedPictographic, GeneralCategory, GeneralCategoryGroup,
};
use icu_properties::{
    CodePointMapData, CodePointMapDataBorrowed, CodePointSetData, CodePointSetDataBorrowed,
};

/// Declares a text type whose values are trimmed, have a length in `range` (Unicode characters), something visible and
/// nothing [`unprintable`]. Where there is white space within, it is one space; with `multiline`, it stays, tabs and
/// line breaks are allowed, and those all become `\n`.
///
/// ```
/// shared::text!(
///     /// A product's name.
///     ProductName, 1..=120
/// );
/// assert!(ProductName::new(" tea ").is_ok_and(|name| name.as_str() == "tea"));
/// assert!(ProductName::new("\u{0}").is_err());
/// assert!(ProductName::new("tea\u{2028}for two").is_err());
/// ```
#[macro_export]
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $range:expr) => {
        $crate::text!(@define $(#[$doc])* $name, $range, $crate::values::text::Lines::One);
    };
    ($(#[$doc:meta])* $name:ident, $range:expr, multiline) => {
        $crate::text!(@define $(#[$doc])* $name, $range, $crate::values::text::Lines::Many);
    };
    (@define $(#[$doc:meta])* $name:ident, $range:expr, $lines:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Trims `text` and checks it; the error says what is wrong with it.
            pub fn new(text: &str) -> ::std::result::Result<Self, ::std::string::String> {
                $crate::values::text::checked(text, $range, $lines).map(Self)
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = ::std::string::String;

            fn from_str(text: &str) -> ::std::result::Result<Self, ::std::string::String> {
                Self::new(text)
            }
        }

        impl $crate::http::input::Field for $name {
            fn parse(value: $crate::http::input::Value) -> ::std::result::Result<Self, ::std::string::String> {
                Self::new(value.as_str().ok_or("must be a string")?)
            }
        }
    };
}

/// Whether a text may have line breaks.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    One,
    Many,
}

#[doc(hidden)]
pub fn checked(text: &str, length: RangeInclusive<usize>, lines: Lines) -> Result<String, String> {
    // What is too long is so with its white space, which is what the contract can say.
    let sent = text.chars().count();
    let text = trimmed(text);
    let text = match lines {
        Lines::One => text.to_owned(),
        Lines::Many => text.replace("\r\n", "\n").replace('\r', "\n"),
    };
    if let Some(character) = unprintable(&text, lines) {
        return Err(match GENERAL_CATEGORY.get(character) {
            GeneralCategory::Control => "must not contain control characters".into(),
            _ => format!("must not contain the character U+{:04X}", u32::from(character)),
        });
    }
    let text = match lines {
        Lines::One => text.split(is_blank).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "),
        Lines::Many => text,
    };
    match text.chars().count() {
        0 if *length.start() > 0 => Err("must not be empty".into()),
        count if count < *length.start() => Err(format!("must have at least {} characters", length.start())),
        _ if sent > *length.end() => {
            Err(format!("must have at most {} characters, but has {sent}", length.end()))
        }
        count if count > 0 && !text.chars().any(is_visible) => {
            Err("must have something that can be seen".into())
        }
        _ => Ok(text),
    }
}

const GENERAL_CATEGORY: CodePointMapDataBorrowed<'static, GeneralCategory> =
    CodePointMapData::<GeneralCategory>::new();
const IGNORABLE: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<DefaultIgnorableCodePoint>();
const PICTOGRAPHS: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<ExtendedPictographic>();

/// Without a meaning of their own: they choose how their neighbours are written, as in `می‌خواهم` and in 👩‍🚀.
const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];

/// The text in Unicode's form NFC, so that what looks the same and means the same is the same: some keyboards send `é`
/// as `e` and an accent. <https://www.unicode.org/reports/tr15/>
pub fn composed(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// The text as if it were typed on the barest keyboard: without capitals and accents, and with two plain letters for
/// one that is joined of them. It is for comparing and sorting, by rules of no one language, and never shown.
pub fn folded(text: &str) -> String {
    let is_accent = |c: &char| matches!(c, '\u{300}'..='\u{36f}');
    let letters = DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(text.chars());
    let small = letters.filter(|c| !is_accent(c)).flat_map(char::to_lowercase);
    small.fold(String::new(), |mut folded, letter| {
        match letter {
            // What Unicode takes for letters of their own, and most readers do not.
            'ß' => folded += "ss",
            'æ' => folded += "ae",
            'œ' => folded += "oe",
            'þ' => folded += "th",
            'ø' => folded.push('o'),
            'đ' | 'ð' => folded.push('d'),
            'ł' => folded.push('l'),
            'ı' => folded.push('i'),
            other => folded.push(other),
        }
        folded
    })
}

/// The text with spaces for whatever separates its words, as RFC 8265 (section 4.2.2) and section 5.2.2 of RFC 8264
/// have it.
pub fn plainly_spaced(text: &str) -> String {
    let is_space = |c| GENERAL_CATEGORY.get(c) == GeneralCategory::SpaceSeparator;
    text.chars().map(|c| if is_space(c) { ' ' } else { c }).collect()
}

/// The text without the white space at its ends: Unicode's `Zs`, tabs and line breaks.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(is_blank)
}

fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r') || GENERAL_CATEGORY.get(c) == GeneralCategory::SpaceSeparator
}

/// The first character of the text that it may not have: one that would part lines, hides, turns the text around it or
/// means nothing to anybody else (`Cc`, `Cf`, `Zl`, `Zp` and `Co` of Unicode; a `char` is never `Cs`).
pub fn unprintable(text: &str, lines: Lines) -> Option<char> {
    let mut before = None;
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        let is_fine = match character {
            '\n' | '\t' => lines == Lines::Many,
            _ if JOINERS.contains(&character) => {
                [before, rest.clone().next()].into_iter().all(|c| c.is_some_and(joins))
            }
            _ => !is_unprintable(character),
        };
        if !is_fine {
            return Some(character);
        }
        before = Some(character);
    }
    None
}

fn is_unprintable(c: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator, PrivateUse};
    matches!(GENERAL_CATEGORY.get(c), Control | Format | LineSeparator | ParagraphSeparator | PrivateUse)
}

/// Whether a joiner can stand beside it: letters with their marks, and emoji with their skin tones.
fn joins(c: char) -> bool {
    let category = GENERAL_CATEGORY.get(c);
    GeneralCategoryGroup::Letter.contains(category)
        || GeneralCategoryGroup::Mark.contains(category)
        || PICTOGRAPHS.contains(c)
        || matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

/// Whether it leaves anything to see: the blank of Braille and a notehead without a head are symbols by category.
fn is_visible(c: char) -> bool {
    !is_blank(c) && !IGNORABLE.contains(c) && !matches!(c, '\n' | '\t' | '\u{2800}' | '\u{1d159}')
}

/// What somebody wrote, to stand within a line of ours: text that runs from right to left does not turn what is around
/// it (FSI and PDI of <https://www.unicode.org/reports/tr9/>), and what was kept before such things were refused
/// neither ends the line nor the isolation.
pub fn isolated(text: &str) -> String {
    let text: String = text.chars().filter_map(within_a_line).collect();
    if text.chars().any(runs_from_the_right) { format!("\u{2068}{text}\u{2069}") } else { text }
}

fn within_a_line(c: char) -> Option<char> {
    match GENERAL_CATEGORY.get(c) {
        GeneralCategory::Format if !JOINERS.contains(&c) => None,
        GeneralCategory::Control | GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator => {
            Some(' ')
        }
        _ => Some(c),
    }
}

/// Whether it is in a block for scripts that run from right to left, as Unicode's `DerivedBidiClass.txt` lists them.
const fn runs_from_the_right(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Result<String, String> {
        checked(text, 1..=40, Lines::One)
    }

    #[test]
    fn white_space_does_not_make_room() {
        assert_eq!(checked(" ab", 1..=3, Lines::One), Ok("ab".into()));
        let refused = Err("must have at most 3 characters, but has 4".into());
        assert_eq!(checked(" ab ", 1..=3, Lines::One), refused);
    }

    #[test]
    fn length_counts_characters_not_bytes() {
        assert_eq!(checked("äöü", 1..=3, Lines::One), Ok("äöü".into()));
        assert_eq!(
            checked("äöüß", 1..=3, Lines::One),
            Err("must have at most 3 characters, but has 4".into())
        );
    }

    #[test]
    fn blanks_alone_are_empty() {
        for blanks in ["  \t ", "\u{a0}\u{3000}", "\r\n"] {
            assert_eq!(line(blanks), Err("must not be empty".into()));
        }
    }

    #[test]
    fn line_breaks_are_for_texts_of_many_lines() {
        assert_eq!(checked("a\nb", 1..=9, Lines::Many), Ok("a\nb".into()));
        assert_eq!(checked("a\nb", 1..=9, Lines::One), Err("must not contain control characters".into()));
        assert_eq!(checked("a\u{7}b", 1..=9, Lines::Many), Err("must not contain control characters".into()));
    }

    #[test]
    fn a_line_break_is_one_character_however_it_was_sent() {
        assert_eq!(checked("a\r\n\tb\rc\n\nd", 1..=12, Lines::Many), Ok("a\n\tb\nc\n\nd".into()));
    }

    #[test]
    fn one_line_is_one_line_and_runs_one_way() {
        for (text, character) in [
            ("tea\u{2028}Total: 0.01", "U+2028"),
            ("tea\u{2029}", "U+2029"),
            ("\u{202e}live", "U+202E"),
            ("\u{2066}tea\u{2069}", "U+2066"),
            ("te\u{ad}a", "U+00AD"),
            ("te\u{200b}a", "U+200B"),
            ("\u{feff}tea", "U+FEFF"),
            ("tea\u{e0067}", "U+E0067"),
            ("tea\u{e000}", "U+E000"),
            ("tea\u{10fffd}", "U+10FFFD"),
        ] {
            for lines in [Lines::One, Lines::Many] {
                let refused = Err(format!("must not contain the character {character}"));
                assert_eq!(checked(text, 1..=40, lines), refused);
            }
        }
        assert_eq!(line("a\u{85}b"), Err("must not contain control characters".into()));
    }

    #[test]
    fn letters_and_emoji_may_be_joined_and_nothing_else() {
        for joined in [
            "می\u{200c}خواهم",
            "ක්\u{200d}ෂ",
            "র\u{200d}্যা",
            "👩\u{200d}🚀",
            "👩🏽\u{200d}❤\u{fe0f}\u{200d}👨🏿",
            "🙂\u{200d}↔\u{fe0f}",
        ] {
            assert_eq!(line(joined), Ok(joined.into()));
        }
        for apart in [
            "\u{200d}tea",
            "tea\u{200c}",
            "tea \u{200d}cup",
            "t\u{200d}\u{200d}a",
            "1\u{200d}2",
            "a\u{200d}-b",
        ] {
            assert!(line(apart).is_err(), "{apart:?}");
        }
    }

    #[test]
    fn something_visible_remains() {
        for unseen in [
            "\u{3164}",
            "\u{115f}\u{1160}",
            "\u{ffa0}",
            "\u{2800}",
            "\u{2800} \u{3164}",
            "\u{fe0f}",
            "\u{34f}",
            "\u{1d159}",
        ] {
            assert_eq!(line(unseen), Err("must have something that can be seen".into()), "{unseen:?}");
        }
        assert!(line("\u{200b}").is_err());
        assert_eq!(
            checked("\u{2800}\n\t\u{3164}", 1..=9, Lines::Many),
            Err("must have something that can be seen".into())
        );
        assert_eq!(line("\u{2800}a"), Ok("\u{2800}a".into()));
        assert_eq!(checked("", 0..=9, Lines::One), Ok(String::new()));
    }

    #[test]
    fn words_of_one_line_are_a_space_apart() {
        assert_eq!(line(" Ann \u{a0}\u{3000} Lee "), Ok("Ann Lee".into()));
        assert_eq!(checked("a  b\n\n c", 1..=9, Lines::Many), Ok("a  b\n\n c".into()));
    }

    #[test]
    fn what_looks_the_same_is_the_same() {
        assert_eq!(composed("Jose\u{301} \u{212b}"), "José Å");
        assert!(matches!(composed("José"), Cow::Borrowed(_)));
        assert_eq!(plainly_spaced("a\u{3000}b\u{2003} c"), "a b  c");
    }

    #[test]
    fn what_runs_the_other_way_turns_nothing_around_it() {
        assert_eq!(isolated("Gucci shoes"), "Gucci shoes");
        assert_eq!(isolated("🫖 ティーポット, Größe 4"), "🫖 ティーポット, Größe 4");
        assert_eq!(isolated("תה 100%"), "\u{2068}תה 100%\u{2069}");
        assert_eq!(isolated("שלום\u{2069}\u{202e}, a\u{2028}b\u{0}c"), "\u{2068}שלום, a b c\u{2069}");
        assert_eq!(isolated("می\u{200c}خواهم"), "\u{2068}می\u{200c}خواهم\u{2069}");
    }
}
