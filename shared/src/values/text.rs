//! Text from outside: trimmed, of bounded length, without control characters.

use std::ops::RangeInclusive;

/// Declares a text type whose values are trimmed, have a length in `range` (Unicode characters) and no control
/// characters; with `multiline`, line breaks and tabs are allowed.
///
/// ```
/// shared::text!(
///     /// A product's name.
///     ProductName, 1..=120
/// );
/// assert!(ProductName::new(" tea ").is_ok_and(|name| name.as_str() == "tea"));
/// assert!(ProductName::new("\u{0}").is_err());
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
    let text = text.trim();
    let allowed = |c: char| !c.is_control() || (lines == Lines::Many && matches!(c, '\n' | '\r' | '\t'));
    if !text.chars().all(allowed) {
        return Err("must not contain control characters".into());
    }
    match text.chars().count() {
        0 if *length.start() > 0 => Err("must not be empty".into()),
        count if count < *length.start() => Err(format!("must have at least {} characters", length.start())),
        _ if sent > *length.end() => {
            Err(format!("must have at most {} characters, but has {sent}", length.end()))
        }
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(checked("  \t ", 1..=3, Lines::One), Err("must not be empty".into()));
    }

    #[test]
    fn line_breaks_are_for_texts_of_many_lines() {
        assert_eq!(checked("a\nb", 1..=9, Lines::Many), Ok("a\nb".into()));
        assert_eq!(checked("a\nb", 1..=9, Lines::One), Err("must not contain control characters".into()));
        assert_eq!(checked("a\u{7}b", 1..=9, Lines::Many), Err("must not contain control characters".into()));
    }
}
