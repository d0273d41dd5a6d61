//! Identifiers: one type a kind of thing, so that a product's id is never taken for an order's.

/// Fills the random part of an identifier from the operating system.
///
/// # Panics
/// When the operating system has no random source, which no Lambda survives.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// Reads a UUID in groups of digits, in either case (RFC 9562, section 4). `Uuid` also takes it in braces, as a URN or
/// in one group, each of which is of another length.
#[doc(hidden)]
pub fn hyphenated(text: &str) -> Result<uuid::Uuid, NotAnId> {
    let id = (text.len() == uuid::fmt::Hyphenated::LENGTH).then(|| uuid::Uuid::try_parse(text).ok());
    id.flatten().ok_or(NotAnId)
}

#[doc(hidden)]
pub use uuid;

/// Declares an identifier: a UUID version 7 (RFC 9562), which sorts by the time it was made.
///
/// ```
/// shared::id!(
///     /// Names an order.
///     OrderId
/// );
/// let id = OrderId::at(shared::values::time::Timestamp::from_unix_millis(0));
/// assert_eq!(id.to_string().parse::<OrderId>(), Ok(id));
/// ```
#[macro_export]
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($crate::values::id::uuid::Uuid);

        impl $name {
            /// A new one, made at `now`.
            pub fn at(now: $crate::values::time::Timestamp) -> Self {
                let millis = u64::try_from(now.unix_millis()).unwrap_or_default();
                let random = $crate::values::id::random_bytes();
                Self($crate::values::id::uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }
        }

        /// Its number, for what keeps ids as numbers.
        impl ::std::convert::From<$name> for $crate::values::id::uuid::Uuid {
            fn from($name(number): $name) -> Self {
                number
            }
        }

        /// The id that has this number.
        impl ::std::convert::From<$crate::values::id::uuid::Uuid> for $name {
            fn from(number: $crate::values::id::uuid::Uuid) -> Self {
                Self(number)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::values::id::NotAnId;

            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                $crate::values::id::hyphenated(text).map(Self)
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
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
                let text = value.as_str().ok_or("must be a string with an id")?;
                text.parse().map_err(|error: $crate::values::id::NotAnId| error.to_string())
            }
        }
    };
}

/// The text is not an identifier of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an id that Cartwright issued: a UUID")]
pub struct NotAnId;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::time::Timestamp;

    crate::id!(
        /// Names a thing of the tests.
        ThingId
    );

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let earlier = ThingId::at(Timestamp::from_unix_millis(1_000));
        let later = ThingId::at(Timestamp::from_unix_millis(2_000));
        assert!(earlier < later);
        assert!(earlier.to_string() < later.to_string());
    }

    #[test]
    fn one_thing_has_one_name() {
        let id = ThingId::at(Timestamp::from_unix_millis(1_000)).to_string();
        assert_eq!(ThingId::from(uuid::Uuid::from(id.parse::<ThingId>().unwrap())).to_string(), id);
        assert_eq!(id.to_uppercase().parse::<ThingId>().map(|same| same.to_string()), Ok(id.clone()));
        for other in [format!("{{{id}}}"), format!("urn:uuid:{id}"), id.replace('-', "")] {
            assert_eq!(other.parse::<ThingId>(), Err(NotAnId), "{other}");
        }
    }
}
