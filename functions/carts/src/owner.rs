//! Whose cart it is: the signed-in person's, or the cart of a guest who has its token.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::caller::{Caller, UserId};
use shared::guards::rate_limit::Address;
use shared::http::problem::Problem;
use shared::http::{self, FromRequestParts, Parts};
use shared::values::id::random_bytes;

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

shared::token!(
    /// What opens a guest's cart: 128 random bits, which only its holder has. The table knows its hash.
    CartToken, "Cart-Token"
);

impl CartToken {
    /// A new one.
    pub fn mint() -> Self {
        Self::from_bytes(random_bytes())
    }

    /// The cart that it opens.
    pub fn cart(self) -> CartId {
        CartId(format!("guest#{}", URL_SAFE_NO_PAD.encode(Sha256::digest(self.bytes()))))
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
        let token = http::header_value(&parts.headers, CartToken::HEADER)?;
        Ok(Self::Guest { token, address })
    }
}
