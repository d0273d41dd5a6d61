//! How many pieces of an offer can be bought, and how that number may change.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use shared::http::input::{Body, Field, Fields, Value, integer, whole_number};

use crate::{Offer, StockRefusal};

/// The most pieces that a seller may say there are.
pub(crate) const MOST: u32 = 1_000_000;

/// How many pieces there are to sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stock(u32);

impl Stock {
    /// As a number of pieces.
    pub const fn pieces(self) -> u32 {
        self.0
    }
}

impl Field for Stock {
    fn parse(value: Value) -> Result<Self, String> {
        whole_number(&value, 0..=MOST).map(Self)
    }
}

/// How many pieces come, or go where it is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Difference(i64);

impl Field for Difference {
    fn parse(value: Value) -> Result<Self, String> {
        let most = i64::from(MOST);
        let difference = integer(&value).filter(|difference| (-most..=most).contains(difference));
        difference.map(Self).ok_or_else(|| format!("must be a whole number from -{MOST} to {MOST}"))
    }
}

/// How a stock is to change: `{set}`, `{set, expected}` or `{add}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum StockChange {
    /// There are so many, whatever was there before.
    Set(Stock),
    /// There are so many, if there were as many before as whoever says so saw.
    Replace {
        /// So many there were.
        expected: Stock,
        /// So many there are.
        set: Stock,
    },
    /// So many come or go.
    Add(Difference),
}

impl Body for StockChange {
    fn read(fields: &mut Fields) -> Option<Self> {
        let is_difference = fields.has("add");
        let is_one = fields.has("set") != is_difference;
        let (set, add) = (fields.optional("set"), fields.optional("add"));
        let expected = fields.optional("expected");
        if !is_one {
            fields.fault_of_all("needs exactly one of set and add");
            return None;
        }
        if is_difference && expected.is_some() {
            fields.fault("expected", "goes with set alone");
        }
        match (set, expected) {
            (Some(set), Some(expected)) => Some(Self::Replace { expected, set }),
            (Some(set), None) => Some(Self::Set(set)),
            (None, _) => add.map(Self::Add),
        }
    }
}

/// Pieces that went another way than by an order: `{quantity}`, 1 to 1,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deduction(u32);

impl Body for Deduction {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.required("quantity")
    }
}

impl Field for Deduction {
    fn parse(value: Value) -> Result<Self, String> {
        whole_number(&value, 1..=MOST).map(Self)
    }
}

impl From<Deduction> for StockChange {
    fn from(deduction: Deduction) -> Self {
        Self::Add(Difference(-i64::from(deduction.0)))
    }
}

impl StockChange {
    /// Whether it has one effect however often it is done.
    pub fn is_idempotent(self) -> bool {
        matches!(self, Self::Set(_))
    }

    /// The stocks that allow it, so that the next one is neither below zero nor, by this change, over the limit. A
    /// stock can be over it already: cancelled orders give their pieces back whatever was set meanwhile.
    pub(crate) fn allowed(self) -> RangeInclusive<i64> {
        match self {
            Self::Set(_) => 0..=i64::from(u32::MAX),
            Self::Replace { expected, .. } => i64::from(expected.0)..=i64::from(expected.0),
            Self::Add(Difference(more @ 0..)) => 0..=i64::from(MOST) - more,
            Self::Add(Difference(fewer)) => -fewer..=i64::from(u32::MAX),
        }
    }

    /// Why an offer with this stock does not allow it.
    pub(crate) fn refusal(self, offer: &Offer) -> Option<StockRefusal> {
        let (id, available) = (offer.product_id(), offer.stock().pieces());
        if self.allowed().contains(&i64::from(available)) {
            return None;
        }
        Some(match self {
            Self::Set(_) | Self::Replace { .. } => StockRefusal::StockChanged { id, available },
            Self::Add(Difference(0..)) => StockRefusal::StockLimit { id, available },
            Self::Add(_) => StockRefusal::OutOfStock { id, available },
        })
    }

    /// As an expression's value, for the expression that goes with it.
    pub(crate) fn update(self) -> (&'static str, i64) {
        match self {
            Self::Set(stock) | Self::Replace { set: stock, .. } => {
                ("SET quantity = :change", i64::from(stock.0))
            }
            Self::Add(difference) => ("SET quantity = quantity + :change", difference.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shared::http::input;

    fn change(body: &str) -> Result<StockChange, Vec<String>> {
        input::parse(body.as_bytes()).map_err(|problem| {
            problem.errors().iter().filter_map(|error| error.pointer.clone()).collect::<Vec<_>>()
        })
    }

    #[test]
    fn a_stock_is_set_or_changed_and_never_both() {
        assert_eq!(change(r#"{"set":0}"#), Ok(StockChange::Set(Stock(0))));
        assert_eq!(change(r#"{"add":-1000000}"#), Ok(StockChange::Add(Difference(-1_000_000))));
        for body in ["{}", r#"{"set":1,"add":1}"#, r#"{"set":null}"#] {
            assert_eq!(change(body), Err(vec!["#".to_owned()]), "{body}");
        }
        for body in [r#"{"set":-1}"#, r#"{"set":1000001}"#, r#"{"set":"1"}"#] {
            assert_eq!(change(body), Err(vec!["#/set".to_owned()]), "{body}");
        }
        for body in [r#"{"add":1.5}"#, r#"{"add":-1000001}"#, r#"{"add":1000001}"#, r#"{"add":{}}"#] {
            assert_eq!(change(body), Err(vec!["#/add".to_owned()]), "{body}");
        }
    }

    #[test]
    fn only_what_is_set_can_be_expected() {
        let (expected, set) = (Stock(5), Stock(7));
        assert_eq!(change(r#"{"set":7,"expected":5}"#), Ok(StockChange::Replace { expected, set }));
        assert_eq!(change(r#"{"add":7,"expected":5}"#), Err(vec!["#/expected".to_owned()]));
        assert_eq!(change(r#"{"set":7,"expected":-5}"#), Err(vec!["#/expected".to_owned()]));
    }

    #[test]
    fn a_deduction_takes_one_piece_at_least() {
        let deduction = |body: &str| input::parse::<Deduction>(body.as_bytes());
        assert_eq!(deduction(r#"{"quantity":1}"#), Ok(Deduction(1)));
        for body in ["{}", r#"{"quantity":0}"#, r#"{"quantity":-1}"#, r#"{"quantity":1000001}"#] {
            assert!(deduction(body).is_err(), "{body}");
        }
    }

    proptest! {
        #[test]
        fn a_change_is_allowed_exactly_where_its_result_is(stock in 0..=MOST, difference in -1_000_000..=1_000_000_i64) {
            let allowed = StockChange::Add(Difference(difference)).allowed().contains(&i64::from(stock));
            let result = i64::from(stock) + difference;
            prop_assert_eq!(allowed, (0..=i64::from(MOST)).contains(&result));
        }

        #[test]
        fn what_is_over_the_limit_by_returns_can_still_be_taken(over in MOST..=2 * MOST, taken in 1..=MOST) {
            let allowed = StockChange::from(Deduction(taken)).allowed();
            prop_assert!(allowed.contains(&i64::from(over)));
        }
    }
}
