//! The short number of an order, for people: what they read out on the telephone and write on a parcel.

use std::fmt::{self, Write};
use std::str::FromStr;

use serde::{Serialize, Serializer};
use shared::http::Parameter;
use shared::values::time::Timestamp;

use crate::OrderId;

/// Crockford's base 32: letters and digits of which none looks like another, and no U, so that few words come of it.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// So many bits say when an order was placed, and as many which of those it is.
const HALF: u32 = 20;

/// Of a time in milliseconds, what is left out: a step is 32.8 seconds.
const STEP: u32 = 15;

/// How many times over the same number may stand for an older order: nearly nine years back.
const ROUNDS: u64 = 8;

/// The short number of an order: `C-4F7K-29QX`. It is a part of the order's id and kept nowhere.
///
/// It has 40 bits. The first four characters say when the order was placed, in steps of 32.8 seconds that begin anew
/// after 1.09 years; the last four are the last 20 bits of the id, which are random. So it is a key into the index of
/// all orders, which sorts by time: whoever has a number looks at 33 seconds of each of the last years and finds the
/// order, without an index of its own.
///
/// It is no name: two orders may be alike. Of 100,000 orders that come evenly two are in one shop of two hundred, of a
/// million in one of three; in a rush of 10 orders a second it is a pair every eleven minutes. Whoever looks for a
/// number is shown every order that has it, and nothing is ever opened or changed by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderNumber(u64);

/// An id as the number that a UUID is.
fn bits(id: OrderId) -> u128 {
    u128::from_str_radix(&id.to_string().replace('-', ""), 16).unwrap_or_default()
}

/// The lowest 20 bits.
const fn half(bits: u64) -> u64 {
    bits & ((1 << HALF) - 1)
}

impl From<OrderId> for OrderNumber {
    fn from(id: OrderId) -> Self {
        let bits = bits(id);
        // The first 48 bits of a UUID version 7 are its time; each part fits.
        let (time, end) = ((bits >> 80) as u64, (bits & u128::from(u64::MAX)) as u64);
        Self(half(time >> STEP) << HALF | half(end))
    }
}

/// Between which ids an order was placed, as the table sorts them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Between {
    pub from: String,
    pub to: String,
}

impl OrderNumber {
    /// The last hexadecimal digit of the ids that have it.
    pub(crate) fn last_digit(self) -> u32 {
        (self.0 & 0xf) as u32
    }

    /// Where orders of this number are at `now`, the latest first.
    pub(crate) fn stretches(self, now: Timestamp) -> impl Iterator<Item = Between> {
        // A minute on, since clocks differ.
        let now = u64::try_from(now.unix_millis()).unwrap_or_default().saturating_add(60_000) >> STEP;
        let (round, when) = (now >> HALF, half(self.0 >> HALF));
        let steps = (0..=ROUNDS).filter_map(move |back| Some(round.checked_sub(back)? << HALF | when));
        steps.filter(move |step| *step <= now).map(|step| Between {
            from: prefix(step << STEP),
            // Behind every id that begins so.
            to: format!("{}~", prefix((step << STEP) + (1 << STEP) - 1)),
        })
    }
}

/// How the ids of a moment begin.
fn prefix(millis: u64) -> String {
    let mut prefix = format!("{millis:012x}");
    prefix.insert(8, '-');
    prefix
}

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("C")?;
        for at in 0..8 {
            if at % 4 == 0 {
                f.write_str("-")?;
            }
            let digit = usize::try_from(self.0 >> (35 - 5 * at) & 31).unwrap_or_default();
            f.write_char(char::from(DIGITS[digit]))?;
        }
        Ok(())
    }
}

impl Serialize for OrderNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The text is no number of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the number of an order, such as C-4F7K-29QX")]
pub struct NotANumber;

/// As people write it: in either case, with or without the `C` and the hyphens, `I` and `L` for 1 and `O` for 0.
impl FromStr for OrderNumber {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let plain = text.chars().filter(|c| !matches!(c, '-' | ' ')).map(|c| match c.to_ascii_uppercase() {
            'I' | 'L' => '1',
            'O' => '0',
            c => c,
        });
        let plain: String = plain.collect();
        let digits = plain.strip_prefix('C').filter(|digits| digits.len() == 8).unwrap_or(&plain);
        if digits.len() != 8 {
            return Err(NotANumber);
        }
        let mut digits = digits.bytes().map(|c| DIGITS.iter().position(|digit| *digit == c));
        let number = digits.try_fold(0, |number, digit| Some(number << 5 | digit? as u64));
        number.map(Self).ok_or(NotANumber)
    }
}

impl Parameter for OrderNumber {
    const NAME: &'static str = "number";
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(text: &str) -> OrderId {
        text.parse().unwrap()
    }

    fn number(text: &str) -> Result<OrderNumber, NotANumber> {
        text.parse()
    }

    #[test]
    fn a_number_is_read_as_people_write_it() {
        let order = OrderNumber::from(id("01a1fb8c-b94b-7110-8144-8ca566ceab36"));
        assert_eq!(order.to_string(), "C-7XRS-XASP");
        for text in ["c-7xrs-xasp", "C7XRSXASP", "7XRS XASP"] {
            assert_eq!(number(text), Ok(order), "{text}");
        }
        assert_eq!(number("C-OOOO-ILil"), number("C-0000-1111"));
        assert_eq!(number("CCCC-CCCC"), number("C-CCCC-CCCC"));
        for text in ["", "C", "C-7XRS-XA", "C-7XRS-XASPP", "C-7XRS-XASU", "ü-7XRS-XASP", "X-7XRS-XASP"] {
            assert_eq!(number(text), Err(NotANumber), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_order_is_in_a_stretch_that_its_number_names(
            placed in 1_700_000_000_000_i64..2_000_000_000_000, later in 0..200_000_000_000_i64,
        ) {
            let order = OrderId::at(Timestamp::from_unix_millis(placed));
            let number = OrderNumber::from(order);
            prop_assert_eq!(number.to_string().parse(), Ok(number));
            let now = Timestamp::from_unix_millis(placed + later);
            let text = order.to_string();
            let stretches: Vec<_> = number.stretches(now).collect();
            prop_assert!(stretches.iter().any(|one| one.from <= text && text <= one.to), "{:?}", stretches);
            prop_assert!(stretches.len() <= 9);
            prop_assert_eq!(char::from_digit(number.last_digit(), 16), text.chars().next_back());
        }

        #[test]
        fn no_order_of_another_half_minute_is_in_a_stretch(
            placed in 1_700_000_000_000_i64..2_000_000_000_000, apart in 32_768..10_000_000_i64,
        ) {
            let at = |millis| OrderId::at(Timestamp::from_unix_millis(millis));
            let (order, other) = (at(placed), at(placed + apart).to_string());
            let now = Timestamp::from_unix_millis(placed + apart);
            let mut stretches = OrderNumber::from(order).stretches(now);
            prop_assert!(!stretches.any(|one| one.from <= other && other <= one.to));
        }
    }
}
