//! Whose cart it is: that of who signed in, or that of who has its token.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::caller::{Caller, UserId};
use shared::guards::rate_limit::Address;
use shared::http::input::{Field, Value};
use shared::http::problem::{FieldError, Problem};
use shared::http::{FromRequestParts, Parts};
use shared::values::id::random_bytes;

/// The header that has a guest's token, in requests and answers.
pub const HEADER: &str = "cart-token";

/// Where the paths begin that people without an account call.
const OF_GUESTS: &str = "/guest-cart";

/// The key of a cart in the table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CartId(String);

impl CartId {
    /// The cart of somebody with an account.
    pub fn of_person(id: &UserId) -> Self {
        Self(format!("user#{id}"))
    }

    /// Whether it is the cart of somebody without an account.
    pub fn is_guests(&self) -> bool {
        self.0.starts_with("guest#")
    }
}

impl fmt::Display for CartId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What opens a guest's cart: 128 random bits, which only its holder has. The table knows its hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CartToken([u8; 16]);

impl CartToken {
    /// A new one.
    pub fn mint() -> Self {
        Self(random_bytes())
    }

    /// The cart that it opens.
    pub fn cart(self) -> CartId {
        CartId(format!("guest#{}", URL_SAFE_NO_PAD.encode(Sha256::digest(self.0))))
    }

    /// As its holder keeps it: 22 characters.
    pub fn reveal(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

/// A token is for no log.
impl fmt::Debug for CartToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CartToken(…)")
    }
}

/// The text is no token of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a token that Cartwright issued: 22 characters")]
pub struct NotAToken;

impl FromStr for CartToken {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotAToken)?;
        bytes.try_into().map(Self).map_err(|_| NotAToken)
    }
}

impl Field for CartToken {
    fn parse(value: Value) -> Result<Self, String> {
        value.as_str().unwrap_or_default().parse().map_err(|error: NotAToken| error.to_string())
    }
}

/// Whose cart a request is about. The path says who may ask: under `/guest-cart` whoever has the token of the header
/// `Cart-Token`, whatever else the request has; everywhere else who signed in, whatever cart token comes along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CartOwner {
    /// Somebody with an account.
    Person(UserId),
    /// Somebody without one, who may not have a cart yet.
    Guest {
        /// What opens the cart.
        token: Option<CartToken>,
        /// Where the request came from, for the limit of guests' changes.
        address: Address,
    },
}

impl CartOwner {
    /// Who it is, of people with an account.
    pub fn person(&self) -> Option<&UserId> {
        match self {
            Self::Person(id) => Some(id),
            Self::Guest { .. } => None,
        }
    }

    /// Where the request of a guest came from.
    pub fn address(&self) -> Option<Address> {
        match self {
            Self::Person(_) => None,
            Self::Guest { address, .. } => Some(*address),
        }
    }

    /// The cart that the request names.
    pub fn cart(&self) -> Option<CartId> {
        match self {
            Self::Person(id) => Some(CartId::of_person(id)),
            Self::Guest { token, .. } => token.map(CartToken::cart),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for CartOwner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if !parts.uri.path().starts_with(OF_GUESTS) {
            let caller = Caller::from_request_parts(parts, state).await?;
            return Ok(Self::Person(caller.id().clone()));
        }
        let Ok(address) = Address::from_request_parts(parts, state).await;
        let refused =
            |detail: &str| Problem::invalid_input(vec![FieldError::parameter("Cart-Token", detail)]);
        let mut values = parts.headers.get_all(HEADER).iter();
        let token = match (values.next(), values.next()) {
            (None, _) => None,
            (Some(value), None) => {
                let token = value.to_str().unwrap_or_default().parse();
                Some(token.map_err(|error: NotAToken| refused(&error.to_string()))?)
            }
            (Some(_), Some(_)) => return Err(refused("may be given only once")),
        };
        Ok(Self::Guest { token, address })
    }
}
