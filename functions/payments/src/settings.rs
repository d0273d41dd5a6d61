//! How the shop takes payments by card, as its template says.

use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;
use shared::http::problem::{Kind, Problem, StatusCode};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;

use crate::attempt::CardKind;
use crate::ids::Shop;
use crate::stripe::PaymentMethod;

/// On which terms an attempt to pay begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    pub(crate) shop: Shop,
    pub(crate) url_base: String,
    pub(crate) methods: Vec<PaymentMethod>,
    /// Nothing where the shop takes no cards.
    minutes: Option<Minutes>,
    /// For how long all attempts of an order together hold its stock at most.
    most: Option<MostMinutes>,
    /// With what the shop's own pages speak to the provider; nothing where nobody pays in a form of theirs.
    publishable: Option<PublishableKey>,
}

/// A key of the provider's that everybody may see, `pk_…`: it opens forms, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PublishableKey(String);

impl FromStr for PublishableKey {
    type Err = &'static str;

    /// Whoever puts a secret key here must not see it answered to everybody.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_one = text.starts_with("pk_") && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_one.then(|| Self(text.to_owned())).ok_or("it must be a publishable key, pk_…")
    }
}

/// For how long a buyer can pay: 35 minutes to a day. The provider asks for 30 from when it is asked, so that a request
/// that was lost can be repeated for five.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Minutes(u64);

impl FromStr for Minutes {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let minutes = text.parse().ok().filter(|minutes| (35..=1440).contains(minutes));
        minutes.map(Self).ok_or("it must be a whole number from 35 to 1440")
    }
}

/// The same for all attempts of an order together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct MostMinutes(u64);

impl FromStr for MostMinutes {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let minutes = text.parse().ok().filter(|minutes| (35..=4320).contains(minutes));
        minutes.map(Self).ok_or("it must be a whole number from 35 to 4320")
    }
}

const KIND_OFF: Kind = Kind::new(StatusCode::CONFLICT, "payment-kind-off", "Payment kind off");
const NO_CARDS: Kind = Kind::new(StatusCode::CONFLICT, "card-payments-off", "Card payments off");

impl FromEnv for Terms {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            shop: config::required("SHOP_NAME")?,
            url_base: config::optional("SHOP_URL")?.unwrap_or_default(),
            methods: vec![PaymentMethod::card()],
            minutes: config::optional("PAYMENT_MINUTES")?,
            most: config::optional("MAX_HOLD_MINUTES")?,
            publishable: config::optional("PUBLISHABLE_KEY")?,
        })
    }
}

impl Terms {
    /// That the shop takes cards.
    ///
    /// # Errors
    /// `card-payments-off`.
    pub fn take_cards(&self) -> Result<(), Problem> {
        let refused = || Problem::new(NO_CARDS, "The shop does not take cards. Pay on delivery.");
        self.minutes.map(drop).ok_or_else(refused)
    }

    /// That the shop takes what is paid in this way, and for a form of its own with which key.
    ///
    /// # Errors
    /// `payment-kind-off`.
    pub fn take(&self, kind: CardKind) -> Result<Option<PublishableKey>, Problem> {
        match (kind, &self.publishable) {
            (CardKind::CheckoutSession, _) => Ok(None),
            (CardKind::PaymentIntent, Some(key)) => Ok(Some(key.clone())),
            (CardKind::PaymentIntent, None) => {
                let detail = "The shop takes payments on the page of the provider alone.";
                Err(Problem::new(KIND_OFF, detail))
            }
        }
    }

    /// Until when an attempt that begins now can be paid; not at all where the shop takes no cards.
    pub fn until(&self, now: Timestamp) -> Timestamp {
        now + self.minutes.map_or(Duration::ZERO, |minutes| Duration::from_mins(minutes.0))
    }

    /// Whether another attempt to pay an order that was placed at `placed` may begin now: its stock is held for that
    /// long, and not for ever by whoever tries again and again.
    pub fn hold_still(&self, placed: Timestamp, now: Timestamp) -> bool {
        self.most.is_none_or(|most| self.until(now) <= placed + Duration::from_mins(most.0))
    }

    /// Terms for tests.
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self {
            shop: "cartwright".parse().unwrap(),
            url_base: "https://shop.example".into(),
            methods: vec![PaymentMethod::card()],
            minutes: Some(Minutes(35)),
            most: Some(MostMinutes(120)),
            publishable: None,
        }
    }
}
