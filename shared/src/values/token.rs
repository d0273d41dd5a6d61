//! Tokens: what opens something to whoever has it, one type a kind of thing, so that what opens a cart is never taken
//! for what opens an order.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Declares a token: 128 bits, which its holder keeps as 22 characters of base64url, and which no log has.
///
/// ```
/// shared::token!(
///     /// Opens a locker.
///     LockerToken, "Locker-Token"
/// );
/// let token = LockerToken::from_bytes([7; 16]);
/// assert_eq!(token.reveal().parse(), Ok(token));
/// assert_eq!(format!("{token:?}"), "LockerToken(…)");
/// ```
///
/// Requests about what it opens have it in the header that is named:
/// [`header_value`](crate::http::header_value) reads it there.
#[macro_export]
macro_rules! token {
    ($(#[$doc:meta])* $name:ident, $header:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The header that has it, in requests and answers.
            pub const HEADER: &'static str = $header;

            /// The one of these bits.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Its bits.
            pub const fn bytes(self) -> [u8; 16] {
                self.0
            }

            /// As its holder keeps it: 22 characters.
            pub fn reveal(self) -> ::std::string::String {
                $crate::values::token::encoded(self.0)
            }
        }

        /// A token is for no log.
        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(::std::concat!(::std::stringify!($name), "(…)"))
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::values::token::NotAToken;

            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                $crate::values::token::decoded(text).map(Self)
            }
        }

        impl $crate::http::input::Field for $name {
            fn parse(value: $crate::http::input::Value) -> ::std::result::Result<Self, ::std::string::String> {
                let text = value.as_str().unwrap_or_default();
                text.parse().map_err(|error: $crate::values::token::NotAToken| error.to_string())
            }
        }
    };
}

/// The text is no token of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a token that Cartwright issued: 22 characters")]
pub struct NotAToken;

#[doc(hidden)]
pub fn encoded(bytes: [u8; 16]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[doc(hidden)]
pub fn decoded(text: &str) -> Result<[u8; 16], NotAToken> {
    URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(NotAToken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::header_value;
    use axum::http::{HeaderMap, HeaderName, HeaderValue};
    use proptest::prelude::*;

    crate::token!(
        /// Opens a thing of the tests.
        ThingToken, "Thing-Token"
    );

    const TOKEN: &str = "t0xpOcohAKtgwAdTxgHEcw";

    proptest! {
        #[test]
        fn a_token_reads_back_and_nothing_else_does(bytes: [u8; 16], text in "[A-Za-z0-9_=-]{0,30}") {
            let token = ThingToken::from_bytes(bytes);
            prop_assert_eq!((token.reveal().len(), token.bytes()), (22, bytes));
            prop_assert_eq!(token.reveal().parse::<ThingToken>(), Ok(token));
            prop_assert_eq!(text.parse::<ThingToken>().map(ThingToken::reveal).unwrap_or(text.clone()), text);
        }
    }

    #[test]
    fn what_is_longer_shorter_or_has_bits_too_many_is_no_token() {
        for text in ["", "yN0tXbWJQ1qK9mZr3f8uV", "yN0tXbWJQ1qK9mZr3f8uVAA", "yN0tXbWJQ1qK9mZr3f8uVB"] {
            assert_eq!(text.parse::<ThingToken>(), Err(NotAToken), "{text}");
        }
    }

    #[test]
    fn a_token_is_printed_without_its_bits() {
        assert_eq!(format!("{:?}", ThingToken::from_bytes([7; 16])), "ThingToken(…)");
    }

    #[test]
    fn a_request_names_one_token_or_none() {
        let asked = |values: &[&'static [u8]]| {
            let name = HeaderName::from_static("thing-token");
            let headers = values.iter().map(|value| (name.clone(), HeaderValue::from_bytes(value).unwrap()));
            let headers: HeaderMap = headers.collect();
            header_value::<ThingToken>(&headers, ThingToken::HEADER).map_err(|problem| {
                problem.errors().iter().map(|fault| fault.detail.clone()).collect::<Vec<_>>()
            })
        };
        assert_eq!(asked(&[]), Ok(None));
        assert_eq!(asked(&[TOKEN.as_bytes()]), Ok(Some(TOKEN.parse().unwrap())));
        for bad in [&b""[..], b"tea", b"t0xpOcohAKtgwAdTxgHEc\xe9"] {
            assert_eq!(asked(&[bad]), Err(vec![NotAToken.to_string()]), "{bad:?}");
        }
        let twice = asked(&[TOKEN.as_bytes(), TOKEN.as_bytes()]);
        assert_eq!(twice, Err(vec!["may be given only once".to_owned()]));
    }
}
