//! Amounts of money: minor units and a currency of ISO 4217, exact decimal numbers in JSON, no floating point between.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::http::Parameter;
use crate::http::input::{Field, Number, Value};
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

impl Currency {
    /// Every currency that the shop can be set to.
    pub fn all() -> impl Iterator<Item = Self> {
        CURRENCIES.into_iter().map(Self)
    }

    /// Its alphabetic code.
    pub const fn code(self) -> &'static str {
        self.0
    }
}

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
        let amount = exact(&number(value)?)?.ok_or_else(|| format!("must be from 0.01 to {}", Self::MAX))?;
        Self::new(amount)
    }
}

/// What is charged for something, or from where on it is: 0 to 1,000,000.00, at most two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Charge(Amount);

impl Charge {
    /// Nothing.
    pub const ZERO: Self = Self(Amount::ZERO);

    /// The amount.
    pub const fn amount(self) -> Amount {
        self.0
    }
}

impl Field for Charge {
    fn parse(value: Value) -> Result<Self, String> {
        let charge = exact(&number(value)?)?.filter(|amount| *amount <= Price::MAX);
        charge.map(Self).ok_or_else(|| format!("must be from 0 to {}", Price::MAX))
    }
}

/// What several things come to, as their buyer says it: from 0 to 1,000,000,000,000.00, which is more than any cart can
/// hold, and which answers still show to the cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Sum(Amount);

impl Default for Sum {
    /// Nothing.
    fn default() -> Self {
        Self(Amount::ZERO)
    }
}

impl Parameter for Sum {
    const NAME: &'static str = "total";
}

impl Sum {
    const MAX: Amount = Amount(100_000_000_000_000);

    /// The amount.
    pub const fn amount(self) -> Amount {
        self.0
    }

    fn read(number: &Number) -> Result<Self, String> {
        let sum = exact(number)?.filter(|amount| *amount <= Self::MAX);
        sum.map(Self).ok_or_else(|| format!("must be from 0 to {}", Self::MAX))
    }
}

impl Field for Sum {
    fn parse(value: Value) -> Result<Self, String> {
        Self::read(&number(value)?)
    }
}

impl FromStr for Sum {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::read(&text.parse().map_err(|_| "must be a number, like 99.99".to_owned())?)
    }
}

fn number(value: Value) -> Result<Number, String> {
    match value {
        Value::Number(number) => Ok(number),
        _ => Err("must be a number, like 99.99".into()),
    }
}

/// A number of major units as an amount, to the last unit, so that no two of them are the same that are written
/// differently; `None` for one below zero or beyond every limit.
fn exact(number: &Number) -> Result<Option<Amount>, String> {
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
    fn a_charge_may_be_nothing_and_a_sum_more_than_a_price() {
        let charge = |json: &str| Charge::parse(json.parse().unwrap()).map(|charge| charge.amount().minor());
        assert_eq!(["0", "0.00", "4.9", "1000000"].map(charge), [Ok(0), Ok(0), Ok(490), Ok(100_000_000)]);
        for json in ["-0.01", "1000000.01", "1e30", "1e400"] {
            assert_eq!(charge(json), Err("must be from 0 to 1000000.00".into()), "{json}");
        }
        assert_eq!(charge("0.001"), Err("must have at most 2 decimals".into()));
        assert_eq!(charge("true"), Err("must be a number, like 99.99".into()));
        let sum = |text: &str| text.parse::<Sum>().map(|sum| sum.amount().minor());
        assert_eq!(["0", "49.90", "1e12"].map(sum), [Ok(0), Ok(4_990), Ok(100_000_000_000_000)]);
        for text in ["-1", "1000000000000.01", "1e400"] {
            assert_eq!(sum(text), Err("must be from 0 to 1000000000000.00".into()), "{text}");
        }
        assert_eq!(sum("0.001"), Err("must have at most 2 decimals".into()));
        let in_body = |json: &str| Sum::parse(json.parse().unwrap()).map(|sum| sum.amount().minor());
        for text in ["0", "0.00", "28.98", "1e1", "1000000000000", "-0.01", "28.978999", "1e400"] {
            assert_eq!(in_body(text), sum(text), "{text}");
        }
        assert_eq!(in_body("\"28.98\""), Err("must be a number, like 99.99".into()));
        for text in ["", "tea", "+1", " 1", "01", "0x10", "NaN"] {
            assert_eq!(sum(text), Err("must be a number, like 99.99".into()), "{text}");
        }
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
        // P23: without two decimals, amounts would be charged a hundredfold.
        assert!(["JPY", "KRW", "KWD"].iter().all(|code| code.parse::<Currency>().is_err()));
    }
}
