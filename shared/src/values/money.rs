//! Amounts of money: minor units and a currency of ISO 4217, exact decimal numbers in JSON, no floating point between.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::http::input::{Field, Value};
use crate::run::aws::{Aws, FromEnv};
use crate::run::config::{self, ConfigError};

/// Currencies of ISO 4217 with two decimals that the shop can be set to.
const CURRENCIES: [&str; 14] =
    ["USD", "EUR", "GBP", "CAD", "AUD", "NZD", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "INR", "BRL"];

/// How many digits the minor unit takes in all of [`CURRENCIES`].
const EXPONENT: u32 = 2;

/// A currency of ISO 4217 by its alphabetic code. Each of them has a hundred minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Currency(&'static str);

impl FromStr for Currency {
    type Err = String;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        let known = CURRENCIES.into_iter().find(|known| *known == code);
        known.map(Self).ok_or_else(|| format!("{code} is not one of {}", CURRENCIES.join(", ")))
    }
}

/// The shop's own, from the variable `CURRENCY`.
impl FromEnv for Currency {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        config::required("CURRENCY")
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// An amount in minor units (cents), never negative. In a table a whole number; what the client sees is a decimal
/// number, see [`Amount::in_major`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amount(u64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From minor units.
    pub const fn from_minor(minor: u64) -> Self {
        Self(minor)
    }

    /// Minor units.
    pub const fn minor(self) -> u64 {
        self.0
    }

    /// This amount so many times; `None` if it is too large to be written down.
    pub fn checked_times(self, quantity: u32) -> Option<Self> {
        self.0.checked_mul(u64::from(quantity)).map(Self)
    }

    /// Both together; `None` if it is too large to be written down.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// As people write it: `1,299.90 USD`.
    pub fn in_words(self, currency: Currency) -> String {
        let mut words = self.to_string();
        let mut at = words.len() - (EXPONENT as usize + 1);
        while at > 3 {
            at -= 3;
            words.insert(at, ',');
        }
        format!("{words} {currency}")
    }

    /// How JSON shows it: a decimal number of major units (`99.99`).
    pub const fn in_major(self) -> InMajor {
        InMajor(self)
    }
}

impl fmt::Display for Amount {
    /// Major units with all their decimals: `99.90`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10_u64.pow(EXPONENT);
        write!(f, "{}.{:02}", self.0 / unit, self.0 % unit)
    }
}

impl Field for Amount {
    /// 0 to ten billion: what answers show is exact that far.
    fn parse(value: Value) -> Result<Self, String> {
        const MOST: Amount = Amount(1_000_000_000_000);
        let amount = exact(value)?.filter(|amount| *amount <= MOST);
        amount.ok_or_else(|| format!("must be from 0 to {MOST}"))
    }
}

/// An amount as an answer shows it: a JSON number of major units, `99.99`, `100`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InMajor(Amount);

impl Serialize for InMajor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let unit = 10_u64.pow(EXPONENT);
        let minor = self.0.0;
        if minor.is_multiple_of(unit) {
            return serializer.serialize_u64(minor / unit);
        }
        // The double nearest to the amount, whose shortest decimal is the amount itself up to 15 digits, far beyond any
        // sum here.
        serializer.serialize_f64(minor as f64 / unit as f64)
    }
}

/// A price for one piece: 0.01 to 1,000,000.00, at most two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Price(Amount);

impl Price {
    const MAX: Amount = Amount(100_000_000);

    /// From an amount that is known to be a price.
    ///
    /// # Errors
    /// When it is nothing or over the limit.
    pub fn new(amount: Amount) -> Result<Self, String> {
        if amount == Amount::ZERO || amount > Self::MAX {
            return Err(format!("must be from 0.01 to {}", Self::MAX));
        }
        Ok(Self(amount))
    }

    /// The amount.
    pub const fn amount(self) -> Amount {
        self.0
    }
}

impl Field for Price {
    fn parse(value: Value) -> Result<Self, String> {
        let amount = exact(value)?.ok_or_else(|| format!("must be from 0.01 to {}", Self::MAX))?;
        Self::new(amount)
    }
}

/// The amount in a field, to the last unit, so that no two of them are the same that are written differently; `None`
/// where it is too large or below nothing.
fn exact(value: Value) -> Result<Option<Amount>, String> {
    let Value::Number(number) = value else {
        return Err("must be a number, like 99.99".into());
    };
    if number.decimals() > EXPONENT.into() {
        return Err(format!("must have at most {EXPONENT} decimals"));
    }
    Ok(number.shifted(EXPONENT).and_then(|minor| u64::try_from(minor).ok()).map(Amount))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn price(json: &str) -> Result<u64, String> {
        Price::parse(json.parse().unwrap()).map(|price| price.amount().minor())
    }

    #[test]
    fn prices_are_exact() {
        let prices = ["99.99", "100", "100.0", "0.01", "1e2", "1000000.00", "0.10"].map(price);
        let expected = [9_999, 10_000, 10_000, 1, 10_000, 100_000_000, 10];
        assert_eq!(prices, expected.map(Ok));
    }

    #[test]
    fn what_is_no_price_is_told_why() {
        for text in ["0", "-1", "-0.01", "1000000.01", "1e30", "1e400", "-1e400", "18446744073709551617"] {
            assert_eq!(price(text), Err("must be from 0.01 to 1000000.00".into()), "{text}");
        }
        for text in [
            "0.001",
            "99.999",
            "0.30000000000000004",
            "14.309999999999999",
            "14.3100000000000000000000000000001",
            "1e-400",
        ] {
            assert_eq!(price(text), Err("must have at most 2 decimals".into()), "{text}");
        }
        assert_eq!(price("\"9\""), Err("must be a number, like 99.99".into()));
    }

    #[test]
    fn an_amount_is_nothing_or_more() {
        let amount = |text: &str| Amount::parse(text.parse().unwrap()).map(Amount::minor);
        let amounts = ["0", "0.00", "28.98", "1e1", "10000000000"].map(amount);
        assert_eq!(amounts, [0, 0, 2_898, 1_000, 1_000_000_000_000].map(Ok));
        for text in ["-0.01", "10000000000.01", "1e400"] {
            assert_eq!(amount(text), Err("must be from 0 to 10000000000.00".into()), "{text}");
        }
        assert_eq!(amount("28.978999"), Err("must have at most 2 decimals".into()));
    }

    proptest! {
        #[test]
        fn an_amount_reads_back_as_it_was_shown(minor in 1..=100_000_000_u64) {
            let shown = serde_json::to_string(&Amount(minor).in_major()).unwrap();
            prop_assert_eq!(price(&shown), Ok(minor));
            prop_assert_eq!(price(&Amount(minor).to_string()), Ok(minor));
        }
    }

    #[test]
    fn sums_that_cannot_be_written_down_are_noticed() {
        assert_eq!(Amount(u64::MAX).checked_times(2), None);
        assert_eq!(Amount(u64::MAX).checked_add(Amount(1)), None);
    }

    #[test]
    fn people_read_thousands_apart() {
        let dollars = "USD".parse().unwrap();
        for (minor, words) in [
            (5, "0.05 USD"),
            (99_999, "999.99 USD"),
            (100_000, "1,000.00 USD"),
            (1_234_567, "12,345.67 USD"),
            (12_345_678_901, "123,456,789.01 USD"),
        ] {
            assert_eq!(Amount(minor).in_words(dollars), words);
        }
    }

    #[test]
    fn a_currency_is_known_by_its_code() {
        assert_eq!("EUR".parse::<Currency>().map(|currency| currency.to_string()), Ok("EUR".into()));
        assert!("euro".parse::<Currency>().is_err());
        assert!("JPY".parse::<Currency>().is_err());
    }
}
