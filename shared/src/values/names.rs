//! Enums that are text outside of the program: statuses, kinds, formats.

use std::fmt;
use std::str::FromStr;

use crate::http::input::Value;

/// Declares an enum whose values have names, and are those names wherever they are written: in tables, messages,
/// answers, requests and the environment.
///
/// | it gets | for |
/// | --- | --- |
/// | `as_str`, `Display` | its name |
/// | `ALL` | every value, in the order in which they are declared |
/// | `FromStr` | a value by its name; whoever used another is told all of them |
/// | `Serialize`, `Deserialize` | items, messages and answers |
/// | [`Field`](crate::http::input::Field) | a member of a request's body |
///
/// Where names are read `in any case`, they are written in small letters here.
///
/// So it can also be a query parameter: `impl Parameter for Size { const NAME: &'static str = "size"; }`.
///
/// ```
/// shared::names!(
///     /// How large a mug is.
///     pub enum Size {
///         /// For an espresso.
///         Small = "small",
///         /// For everything else.
///         VeryLarge = "very_large",
///     }
/// );
/// assert_eq!(Size::VeryLarge.as_str(), "very_large");
/// assert_eq!("small".parse(), Ok(Size::Small));
/// assert_eq!("huge".parse::<Size>().unwrap_err().to_string(), "must be one of small, very_large");
/// assert_eq!(Size::ALL, [Size::Small, Size::VeryLarge]);
/// ```
#[macro_export]
macro_rules! names {
    (@read $text:ident) => { $text };
    (@read $text:ident case) => { $text.to_ascii_lowercase().as_str() };
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident $(in any $case:ident)? {$(
            $(#[$value_attribute:meta])*
            $value:ident = $text:literal
        ),+ $(,)?}
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        $visibility enum $name {$(
            $(#[$value_attribute])*
            $value,
        )+}

        impl $name {
            /// Every value, in the order in which they are declared.
            pub const ALL: [Self; [$($text),+].len()] = [$(Self::$value),+];

            /// The name, as it is written outside of the program.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $text),+
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::values::names::NotAName;

            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                match $crate::names!(@read text $($case)?) {
                    $($text => Ok(Self::$value),)+
                    _ => Err($crate::values::names::NotAName(&[$($text),+])),
                }
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                <::std::string::String as ::serde::Deserialize>::deserialize(deserializer)?
                    .parse()
                    .map_err(::serde::de::Error::custom)
            }
        }

        impl $crate::http::input::Field for $name {
            fn parse(value: $crate::http::input::Value) -> ::std::result::Result<Self, ::std::string::String> {
                $crate::values::names::parse(&value)
            }
        }
    };
}

/// The text is none of these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAName(#[doc(hidden)] pub &'static [&'static str]);

impl fmt::Display for NotAName {
    /// The end of a sentence about the text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [name] => write!(f, "must be {name}"),
            names => write!(f, "must be one of {}", names.join(", ")),
        }
    }
}

impl std::error::Error for NotAName {}

/// Reads a field that holds a name. What is no text at all is told the same as another text.
#[doc(hidden)]
pub fn parse<T: FromStr<Err = NotAName>>(value: &Value) -> Result<T, String> {
    value.as_str().unwrap_or_default().parse().map_err(|error: NotAName| error.to_string())
}

#[cfg(test)]
mod tests {
    use crate::http::input::{Field, Value};
    use serde_json::json;

    crate::names!(
        /// A size of the tests.
        enum Size {
            Small = "small",
            VeryLarge = "very_large",
        }
    );

    crate::names!(
        enum Format in any case {
            Png = "image/png",
        }
    );

    crate::names!(
        enum Only {
            One = "one",
        }
    );

    #[test]
    fn a_value_is_its_name_wherever_it_is_written() {
        for size in Size::ALL {
            assert_eq!(serde_json::to_value(size).unwrap(), size.as_str());
            assert_eq!(serde_json::from_value::<Size>(json!(size.to_string())).unwrap(), size);
            assert_eq!(Size::parse(Value::String(size.as_str().into())), Ok(size));
            assert_eq!(size.as_str().parse(), Ok(size));
        }
    }

    #[test]
    fn whoever_uses_another_name_is_told_all_of_them() {
        for json in ["\"Small\"", "\"\"", "1", "null"] {
            assert_eq!(Size::parse(json.parse().unwrap()), Err("must be one of small, very_large".into()));
        }
        assert_eq!(Only::parse(Value::String("two".into())), Err("must be one".into()));
        assert_eq!(Only::ALL, [Only::One]);
    }

    #[test]
    fn some_names_are_read_in_any_case() {
        for name in ["image/png", "image/PNG", "Image/Png"] {
            assert_eq!(name.parse(), Ok(Format::Png));
        }
        assert_eq!(Format::ALL.map(Format::as_str), ["image/png"]);
        assert!("image/pn".parse::<Format>().is_err() && "ONE".parse::<Only>().is_err());
    }
}
