//! The names of payments and refunds, ours and Stripe's.

use std::fmt;

use serde::{Deserialize, Serialize};

pub use orders::{PaymentId, RefundId};

/// The text is no name of a thing at Stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an id of Stripe's: letters, digits, _ and -, at most 255")]
pub struct NotStripes;

/// Ids stand in paths, so nothing is one that could mean something there.
fn checked(text: String) -> Result<String, NotStripes> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let fits = (1..=255).contains(&text.len()) && text.bytes().all(is_part);
    fits.then_some(text).ok_or(NotStripes)
}

macro_rules! stripes {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as Stripe writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotStripes;

            fn try_from(text: String) -> Result<Self, NotStripes> {
                checked(text).map(Self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotStripes;

            fn from_str(text: &str) -> Result<Self, NotStripes> {
                checked(text.to_owned()).map(Self)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

stripes!(
    /// A Checkout Session, `cs_…`.
    SessionId,
    /// A PaymentIntent, `pi_…`.
    IntentId,
    /// A refund, `re_…`.
    StripeRefundId,
    /// A dispute, `du_…` or `dp_…`.
    DisputeId,
    /// An event, `evt_…`.
    EventId,
);

shared::text!(
    /// Which shop a payment is for: the name of its stack. Several shops and stages may share one account of Stripe's.
    Shop, 1..=128
);
