//! Countries, by the codes that addresses and rates name them with.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::http::Parameter;
use crate::http::input::{Field, Value};

/// The codes of ISO 3166-1 alpha-2 that are assigned, in the order of the alphabet, a blank between them.
const CODES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT \
    BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH \
    ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT \
    HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS \
    LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI \
    NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG \
    SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG \
    UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// How long a code is, with the blank behind it.
const STEP: usize = 3;

/// A country by its code of ISO 3166-1 alpha-2: `DE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(&'static str);

impl Country {
    /// How many there are.
    pub const COUNT: usize = (CODES.len() + 1) / STEP;

    /// All of them, by the alphabet.
    pub fn all() -> impl Iterator<Item = Self> {
        CODES.split(' ').map(Self)
    }

    /// Its code.
    pub const fn code(self) -> &'static str {
        self.0
    }
}

/// The text is no code of a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a country's code of ISO 3166-1 in capitals, like DE")]
pub struct NotACountry;

impl FromStr for Country {
    type Err = NotACountry;

    fn from_str(code: &str) -> Result<Self, NotACountry> {
        Self::all().find(|country| country.0 == code).ok_or(NotACountry)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl Field for Country {
    fn parse(value: Value) -> Result<Self, String> {
        value.as_str().unwrap_or_default().parse().map_err(|error: NotACountry| error.to_string())
    }
}

impl Parameter for Country {
    const NAME: &'static str = "country";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_two_capitals_and_stands_once() {
        let all: Vec<_> = Country::all().collect();
        assert!(all.is_sorted_by(|one, next| one < next), "{all:?}");
        let is_code = |code: &str| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        assert!(all.iter().all(|country| is_code(country.code())));
        assert_eq!((all.len(), Country::COUNT), (249, 249));
    }

    #[test]
    fn a_country_is_its_code_wherever_it_is_written() {
        for country in Country::all() {
            assert_eq!(country.to_string().parse(), Ok(country));
            assert_eq!(serde_json::to_value(country).unwrap(), country.code());
            assert_eq!(serde_json::from_value::<Country>(country.code().into()).unwrap(), country);
        }
    }

    #[test]
    fn what_is_no_code_is_told_so() {
        for code in ["", " ", "de", "D", "E ", "DEU", "DE ", "AD AE", "QQ", "UK", "EU", "XX"] {
            assert_eq!(code.parse::<Country>(), Err(NotACountry), "{code}");
        }
        assert_eq!(Country::parse("7".parse().unwrap()), Err(NotACountry.to_string()));
    }
}
