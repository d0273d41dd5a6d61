//! Parts of a hundred: rates of taxes, discounts.

use serde::{Deserialize, Serialize, Serializer};

use crate::http::input::{Field, Value};

/// How many digits a rate has behind the point.
const DECIMALS: u32 = 3;

/// One percent in [`Percent::thousandths`].
const ONE: u32 = 10_u32.pow(DECIMALS);

/// A part of a hundred, from 0 to 100 with at most three decimals, as the taxes of some cities have (8.875). In a table
/// the whole number of its thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Percent(u32);

impl Percent {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// All of it.
    pub const WHOLE: Self = Self(100 * ONE);

    /// From thousandths of a percent; `None` for more than a hundred percent.
    pub const fn from_thousandths(thousandths: u32) -> Option<Self> {
        if thousandths <= Self::WHOLE.0 { Some(Self(thousandths)) } else { None }
    }

    /// Thousandths of a percent: 19 % are 19,000.
    pub const fn thousandths(self) -> u32 {
        self.0
    }

    /// How JSON shows it: a decimal number (`8.875`, `19`).
    pub const fn in_hundredths(self) -> InHundredths {
        InHundredths(self)
    }
}

impl Field for Percent {
    fn parse(value: Value) -> Result<Self, String> {
        let Value::Number(number) = value else {
            return Err("must be a number, like 19 or 8.875".into());
        };
        if number.decimals() > DECIMALS.into() {
            return Err(format!("must have at most {DECIMALS} decimals"));
        }
        let thousandths = number.shifted(DECIMALS).and_then(|number| u32::try_from(number).ok());
        thousandths.and_then(Self::from_thousandths).ok_or_else(|| "must be from 0 to 100".into())
    }
}

/// A part of a hundred as an answer shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InHundredths(Percent);

impl Serialize for InHundredths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let thousandths = self.0.0;
        if thousandths.is_multiple_of(ONE) {
            return serializer.serialize_u32(thousandths / ONE);
        }
        // The double nearest to the number, whose shortest decimal is the number itself.
        serializer.serialize_f64(f64::from(thousandths) / f64::from(ONE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(json: &str) -> Result<u32, String> {
        Percent::parse(json.parse().unwrap()).map(Percent::thousandths)
    }

    #[test]
    fn every_percentage_is_kept_exactly_and_reads_back_as_it_was_shown() {
        for thousandths in 0..=100_000 {
            let shown = serde_json::to_string(&Percent(thousandths).in_hundredths()).unwrap();
            assert_eq!(percent(&shown), Ok(thousandths), "{shown}");
        }
        assert_eq!(
            ["19", "19.0", "8.875", "1e2", "0", "0.001"].map(percent),
            [Ok(19_000), Ok(19_000), Ok(8_875), Ok(100_000), Ok(0), Ok(1)]
        );
        assert_eq!(serde_json::to_string(&Percent(8_875).in_hundredths()).unwrap(), "8.875");
        assert_eq!(serde_json::to_string(&Percent(19_000).in_hundredths()).unwrap(), "19");
    }

    #[test]
    fn what_is_no_percentage_is_told_why() {
        for json in ["-1", "-0.001", "100.001", "101", "1e30", "1e400"] {
            assert_eq!(percent(json), Err("must be from 0 to 100".into()), "{json}");
        }
        for json in ["0.0001", "8.8750001", "1e-400"] {
            assert_eq!(percent(json), Err("must have at most 3 decimals".into()), "{json}");
        }
        assert_eq!(percent("\"19\""), Err("must be a number, like 19 or 8.875".into()));
    }
}
