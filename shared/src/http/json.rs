//! A JSON text as its sender wrote it, but for the form of its texts.
//!
//! `serde_json` makes a double of a number, and of two members of one name it keeps the last. Here a number stays what
//! its text says, and an object with a name twice is refused: whoever reads such a body first, such as a firewall, may
//! have read the other member (RFC 8259, section 4).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::values::text::composed;

/// How many arrays and objects may be within each other. No request needs half of it, and each costs a look at all that
/// is within.
const DEEPEST: usize = 32;

/// The members of an object by their names.
pub(super) type Members = BTreeMap<String, Value>;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, exactly.
    Number(Number),
    /// A text, in Unicode's form NFC.
    String(String),
    /// Values in their order.
    Array(Vec<Value>),
    /// Values by their names.
    Object(BTreeMap<String, Value>),
}

impl Value {
    /// Whether it is nothing.
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Reads a value, which is in this many others.
    fn read(raw: &RawValue, depth: usize) -> Result<Self, NotJson> {
        if depth > DEEPEST {
            return Err(NotJson::of("is nested too deeply".into()));
        }
        let text = raw.get();
        Ok(match text.as_bytes().first() {
            Some(b'{') => {
                let mut members = Members::new();
                for (name, value) in serde_json::from_str::<Pairs>(text)?.0 {
                    let value = Self::read(value, depth + 1).map_err(|fault| fault.within(&name))?;
                    if members.contains_key(&name) {
                        return Err(NotJson::of("is there twice".into()).within(&name));
                    }
                    members.insert(name, value);
                }
                Self::Object(members)
            }
            Some(b'[') => {
                let values = serde_json::from_str::<Vec<&RawValue>>(text)?.into_iter().enumerate();
                let read = |(index, value): (usize, _)| {
                    Self::read(value, depth + 1).map_err(|fault| fault.within(&index.to_string()))
                };
                Self::Array(values.map(read).collect::<Result<_, _>>()?)
            }
            Some(b'"') => Self::String(composed(&serde_json::from_str::<Cow<'_, str>>(text)?).into_owned()),
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'n') => Self::Null,
            _ => Self::Number(Number::of(text)),
        })
    }
}

impl FromStr for Value {
    type Err = NotJson;

    fn from_str(text: &str) -> Result<Self, NotJson> {
        Self::read(serde_json::from_str(text)?, 0)
    }
}

/// An object's members as they stand in the text.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = members.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// Why a text is not JSON, or is JSON that two readers may read differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotJson {
    /// Names and indexes that lead there, the last one first.
    path: Vec<String>,
    what: String,
}

impl NotJson {
    fn of(what: String) -> Self {
        Self { path: Vec::new(), what }
    }

    fn within(mut self, name: &str) -> Self {
        /// A name may be as long as the body, and is told for a person to find it.
        const SHOWN: usize = 40;
        self.path.push(name.chars().take(SHOWN).collect());
        self
    }
}

impl From<serde_json::Error> for NotJson {
    fn from(error: serde_json::Error) -> Self {
        Self::of(format!("is not JSON: {error}"))
    }
}

/// The end of a sentence about the text or, where the fault is inside, a whole one about its place.
impl fmt::Display for NotJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path: Vec<_> = self.path.iter().rev().map(String::as_str).collect();
        if path.is_empty() {
            return write!(f, "The body {}.", self.what);
        }
        write!(f, "{} in the body {}.", path.join("/"), self.what)
    }
}

impl std::error::Error for NotJson {}

/// A number exactly as its text says: an integer, which has no zero at its end, times a power of ten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    is_negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: String,
    exponent: i64,
}

impl Number {
    /// Reads what is a number of JSON.
    fn of(text: &str) -> Self {
        let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
        let (decimal, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_end_matches('0');
        if digits.is_empty() {
            return Self { is_negative: false, digits: String::new(), exponent: 0 };
        }
        // What no `i64` holds is beyond every limit, whichever it is.
        let beyond = if exponent.starts_with('-') { i64::MIN } else { i64::MAX };
        let zeros = i64::try_from(all.len() - digits.len()).unwrap_or(i64::MAX);
        let decimals = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
        let exponent = exponent.parse::<i64>().unwrap_or(beyond).saturating_add(zeros - decimals);
        Self { is_negative, digits: digits.trim_start_matches('0').to_owned(), exponent }
    }

    /// How many digits stand behind the point, without zeros at the end.
    pub fn decimals(&self) -> u64 {
        self.exponent.min(0).unsigned_abs()
    }

    /// This number times ten to the power of `places`, where that is an integer of at most 18 digits.
    pub fn shifted(&self, places: u32) -> Option<i64> {
        /// Every integer of so many digits is an `i64`.
        const DIGITS: usize = 18;
        if self.digits.is_empty() {
            return Some(0);
        }
        let zeros = usize::try_from(self.exponent.checked_add(places.into())?).ok()?;
        let fits = self.digits.len().checked_add(zeros).is_some_and(|length| length <= DIGITS);
        let text = fits.then(|| format!("{}{}", self.digits, "0".repeat(zeros)))?;
        let integer: i64 = text.parse().ok()?;
        Some(if self.is_negative { -integer } else { integer })
    }
}

/// A number of JSON, and nothing beside it: neither blanks nor a plus nor a zero in front.
impl FromStr for Number {
    type Err = NotJson;

    fn from_str(text: &str) -> Result<Self, NotJson> {
        match serde_json::from_str::<&RawValue>(text)? {
            raw if raw.get() == text
                && text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) =>
            {
                Ok(Self::of(text))
            }
            _ => Err(NotJson::of("is no number".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    fn fault(text: &str) -> String {
        text.parse::<Value>().unwrap_err().to_string()
    }

    #[test]
    fn a_number_is_what_its_text_says() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("0e999999999999999999999", Some(0)),
            ("0.000e-5", Some(0)),
            ("30", Some(30)),
            ("30.0", Some(30)),
            ("3e1", Some(30)),
            ("-3E+1", Some(-30)),
            ("0.3e2", Some(30)),
            ("300e-1", Some(30)),
            ("9007199254740993", Some(9_007_199_254_740_993)),
            ("999999999999999999", Some(999_999_999_999_999_999)),
            ("1e17", Some(100_000_000_000_000_000)),
            ("1e18", None),
            ("0.9999999999999999", None),
            ("0.99999999999999999999999999999999999999", None),
            ("1.00000000000000000000000000000000000001", None),
            ("1e400", None),
            ("1e-400", None),
            ("1e99999999999999999999", None),
            ("1e-99999999999999999999", None),
            ("18446744073709551617", None),
        ] {
            assert_eq!(number(text).shifted(0), expected, "{text}");
        }
        assert_eq!([number("14.31").shifted(2), number("1.4309999e1").shifted(2)], [Some(1431), None]);
        assert_eq!(["1.50", "100", "1e-3", "1.25e1"].map(|text| number(text).decimals()), [1, 0, 3, 1]);
    }

    #[test]
    fn what_json_takes_for_no_number_is_none() {
        for text in ["", "+5", "05", "5.", ".5", " 5", "5 ", "1e", "0x5", "\"5\"", "null", "NaN", "٥"] {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_integer_is_itself_however_it_is_written(integer in -999_999_999_i64..999_999_999, zeros in 0..9_usize) {
            for text in [format!("{integer}"), format!("{integer}.{}", "0".repeat(zeros + 1)),
                format!("{integer}{}e-{zeros}", "0".repeat(zeros)), format!("{integer}e0")] {
                prop_assert_eq!(number(&text).shifted(0), Some(integer));
            }
        }

        #[test]
        fn no_text_breaks_the_reader(text in ".*") {
            let _ = text.parse::<Value>();
            let _ = text.parse::<Number>();
        }
    }

    #[test]
    fn a_name_stands_once_in_an_object_at_any_depth() {
        assert_eq!(fault(r#"{"a":1,"b":2,"a":1}"#), "a in the body is there twice.");
        assert_eq!(fault(r#"{"b":[0,{"c":{"a":1,"\u0061":2}}]}"#), "b/1/c/a in the body is there twice.");
        assert!(r#"[{"a":1},{"a":{"a":2}}]"#.parse::<Value>().is_ok());
        let long = "n".repeat(30_000);
        assert!(fault(&format!("{{\"{long}\":1,\"{long}\":2}}")).len() < 100);
    }

    #[test]
    fn what_is_nested_too_deeply_is_not_read() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(nested(DEEPEST + 1).parse::<Value>().is_ok());
        assert!(fault(&nested(DEEPEST + 2)).ends_with("is nested too deeply."));
        assert!(fault(&nested(30_000)).ends_with("is nested too deeply."));
        assert!(fault(&nested(30_000)).len() < 200);
    }

    #[test]
    fn a_text_is_composed() {
        assert_eq!(r#""Jose\u0301""#.parse(), Ok(Value::String("José".into())));
    }

    #[test]
    fn half_a_character_is_no_text() {
        assert!(fault(r#"{"a":"\ud83e"}"#).starts_with("a in the body is not JSON: "));
        assert_eq!(r#""\ud83e\uded6""#.parse(), Ok(Value::String("🫖".into())));
    }
}
