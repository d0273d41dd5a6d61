//! Coupons: what they give, to whom and how often. An order takes one coupon at most. The rules are here and call
//! nothing; [`store`] keeps coupons in DynamoDB, and counts their uses in the transactions of orders.

mod rules;
pub mod store;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shared::dynamo::list::Page;
use shared::http::input::{Field, Value};
use shared::http::problem::{CONFLICT, Kind, Problem, StatusCode};
use shared::values::money::{Amount, Currency};
use shared::values::time::Timestamp;

pub use offers::ProductId;
pub use rules::{Benefit, BenefitKind, Category, Rules};
pub use store::{Coupons, NotRedeemed, Redemption};

/// 409: another coupon has this code.
const COUPON_EXISTS: Kind = Kind::new(StatusCode::CONFLICT, "coupon-exists", "Code taken");

/// What people type to use a coupon: 3 to 32 of `A-Z`, `0-9` and `-`, read in any case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CouponCode(String);

impl FromStr for CouponCode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if (3..=32).contains(&text.len()) && text.bytes().all(is_part) {
            Ok(Self(text.to_ascii_uppercase()))
        } else {
            Err("must be 3 to 32 letters from A to Z, digits and hyphens".into())
        }
    }
}

impl fmt::Display for CouponCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Field for CouponCode {
    fn parse(value: Value) -> Result<Self, String> {
        value.as_str().ok_or("must be a string")?.parse()
    }
}

shared::body!(
    /// A coupon as an admin announces it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct NewCoupon {
        code: CouponCode,
        changes: CouponChanges = ..,
    }
);

shared::body!(
    /// What a coupon is to be, all of it, but for its code.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CouponChanges {
        rules: Rules = ..,
        is_active: Option<bool>,
    }
);

/// The shape in which coupons and their uses are written.
const SCHEMA_VERSION: u32 = 1;

/// A coupon as the table keeps it. `used` is counted by orders; everything else changes under its `version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Coupon {
    #[serde(rename = "couponId")]
    code: CouponCode,
    rules: Rules,
    currency: Currency,
    is_active: bool,
    used: u32,
    version: u32,
    created_at: Timestamp,
    updated_at: Timestamp,
    schema_version: u32,
}

impl Coupon {
    /// What an admin announces at `now`, in the shop's currency.
    pub fn new(new: NewCoupon, currency: Currency, now: Timestamp) -> Self {
        let NewCoupon { code, changes: CouponChanges { rules, is_active } } = new;
        Self {
            code,
            rules,
            currency,
            is_active: is_active.unwrap_or(true),
            used: 0,
            version: 1,
            created_at: now,
            updated_at: now,
            schema_version: SCHEMA_VERSION,
        }
    }

    /// Its code.
    pub fn code(&self) -> &CouponCode {
        &self.code
    }

    /// What it gives.
    pub fn benefit(&self) -> Benefit {
        self.rules.benefit
    }

    /// How often it was used, as far as that was counted.
    pub fn used(&self) -> u32 {
        self.used
    }

    /// Counts the changes by admins, from 1.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// What an order that uses it counts: a coupon without a limit is not written to, or a campaign would make one hot
    /// item of it.
    pub fn counted(&self) -> Counted {
        Counted { in_all: self.rules.limit.is_some(), by_customer: self.rules.per_customer.is_some() }
    }

    /// The coupon as an admin wants it from `now` on; `None` where nothing is different.
    pub fn changed(self, changes: &CouponChanges, currency: Currency, now: Timestamp) -> Option<Self> {
        let is_active = changes.is_active.unwrap_or(self.is_active);
        let changed = Self { rules: changes.rules.clone(), currency, is_active, ..self.clone() };
        changed.if_not(&self, now)
    }

    /// The coupon when it is over; `None` where it is already.
    pub fn ended(self, now: Timestamp) -> Option<Self> {
        Self { is_active: false, ..self.clone() }.if_not(&self, now)
    }

    fn if_not(self, before: &Self, now: Timestamp) -> Option<Self> {
        (self != *before).then(|| Self { version: before.version + 1, updated_at: now, ..self })
    }

    /// For which lines of a basket it is, in their order.
    ///
    /// # Errors
    /// Why it is for none of them. A limit that is reached between this and the order shows in the order's transaction.
    pub fn applies_to(&self, basket: &Basket<'_>, now: Timestamp) -> Result<Vec<bool>, Refusal> {
        if !self.is_active || self.rules.ends_at.is_some_and(|end| end <= now) {
            return Err(Refusal::Ended);
        }
        if self.rules.starts_at.is_some_and(|start| now < start) {
            return Err(Refusal::NotBegun);
        }
        if self.currency != basket.currency {
            return Err(Refusal::OtherCurrency);
        }
        let lines: Vec<bool> = basket.lines.iter().map(|line| self.rules.are_for(line)).collect();
        if !lines.contains(&true) {
            return Err(Refusal::OtherGoods);
        }
        let chosen = basket.lines.iter().zip(&lines).filter(|(_, is_for)| **is_for);
        let total: u128 = chosen.map(|(line, _)| u128::from(line.value.minor())).sum();
        if let Some(minimum) = self.rules.minimum.filter(|least| total < u128::from(least.amount().minor())) {
            return Err(Refusal::BelowMinimum(minimum.amount()));
        }
        if self.rules.limit.is_some_and(|limit| self.used >= limit.0) {
            return Err(Refusal::UsedUp);
        }
        if self.rules.per_customer.is_some_and(|most| basket.used_before >= most.0) {
            return Err(Refusal::UsedByCustomer);
        }
        Ok(lines)
    }
}

/// Which uses of a coupon an order counted, so that its release gives back those and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counted {
    /// Of the coupon.
    pub in_all: bool,
    /// Of the coupon by its customer.
    pub by_customer: bool,
}

/// A line of what somebody wants to order, as a coupon looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// What it is.
    pub product: ProductId,
    /// The category under which that is found.
    pub category: &'a str,
    /// Its price times its quantity.
    pub value: Amount,
}

/// What somebody wants to order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Basket<'a> {
    /// Its lines.
    pub lines: &'a [Line<'a>],
    /// The currency of all of them.
    pub currency: Currency,
    /// How often this customer has used the coupon.
    pub used_before: u32,
}

/// Why a coupon is not for a basket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is over, or an admin took it back.
    Ended,
    /// It is for later.
    NotBegun,
    /// It is of a currency that the shop had before.
    OtherCurrency,
    /// It is for other products and categories.
    OtherGoods,
    /// The lines that it is for come to less than this.
    BelowMinimum(Amount),
    /// Its limit is reached.
    UsedUp,
    /// This customer has used it as often as one may.
    UsedByCustomer,
}

/// What admins see of a coupon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CouponView {
    code: CouponCode,
    #[serde(flatten)]
    rules: rules::RulesView,
    currency: Currency,
    is_active: bool,
    used: u32,
    version: u32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Coupon> for CouponView {
    fn from(coupon: Coupon) -> Self {
        Self {
            code: coupon.code,
            rules: coupon.rules.into(),
            currency: coupon.currency,
            is_active: coupon.is_active,
            used: coupon.used,
            version: coupon.version,
            created_at: coupon.created_at,
            updated_at: coupon.updated_at,
        }
    }
}

/// A page of coupons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CouponList {
    coupons: Vec<CouponView>,
    next_cursor: Option<String>,
}

impl From<Page<Coupon>> for CouponList {
    fn from(page: Page<Coupon>) -> Self {
        let coupons = page.entries.into_iter().map(CouponView::from).collect();
        Self { coupons, next_cursor: page.next_cursor }
    }
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such coupon.
    #[error("there is no such coupon")]
    NotFound,
    /// Another coupon has this code.
    #[error("there is a coupon of this code")]
    Exists,
    /// It is not, or no longer, a version that the request is about.
    #[error("the coupon is another version")]
    AnotherVersion,
    /// Others changed it again and again at the same time.
    #[error("the coupon was changed by others at the same time")]
    ChangedMeanwhile,
    /// A call failed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::not_found("coupon"),
            Error::Exists => Self::new(COUPON_EXISTS, "Another coupon has this code. Choose another one."),
            Error::AnotherVersion => Self::another_version("coupon"),
            Error::ChangedMeanwhile => {
                Self::new(CONFLICT, "The coupon was changed by others at the same time. Please try again.")
            }
            Error::Failed(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests;
