//! What a coupon gives and for what, as admins say it.

use serde::{Deserialize, Serialize};
use shared::http::input::{Body, Field, Fields, Value, whole_number};
use shared::values::money::{Charge, InMajor, Price};
use shared::values::percent::{InHundredths, Percent};
use shared::values::time::Timestamp;

use crate::{Line, ProductId};

/// How many products or categories a coupon names at most.
pub(crate) const MOST_NAMED: usize = 100;

shared::text!(
    /// A category of products, as they name it.
    Category, 1..=60
);

shared::names!(
    /// What a coupon can give.
    pub enum BenefitKind {
        /// A part of the price.
        Percent = "percent",
        /// Some money.
        Amount = "amount",
        /// Sending for nothing.
        FreeShipping = "free_shipping",
    }
);

/// What a coupon gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Benefit {
    /// This part of what it is for.
    Percent(Percent),
    /// So much of it, and never more than it costs.
    Amount(Price),
    /// Sending for nothing.
    FreeShipping,
}

impl Benefit {
    fn read(fields: &mut Fields) -> Option<Self> {
        match fields.required("kind") {
            Some(BenefitKind::Percent) => {
                fields.required("value").map(|Part(percent)| Self::Percent(percent))
            }
            Some(BenefitKind::Amount) => fields.required("value").map(Self::Amount),
            Some(BenefitKind::FreeShipping) => {
                if fields.optional::<Price>("value").is_some() {
                    fields.fault("value", "is for the kinds percent and amount");
                }
                Some(Self::FreeShipping)
            }
            // Whichever it was to be, this is a fault of it as well.
            None => {
                fields.optional::<Price>("value");
                None
            }
        }
    }
}

/// More than nothing.
struct Part(Percent);

impl Field for Part {
    fn parse(value: Value) -> Result<Self, String> {
        match Percent::parse(value)? {
            Percent::ZERO => Err("must be more than 0".into()),
            percent => Ok(Self(percent)),
        }
    }
}

/// How often something may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Uses<const MOST: u32>(pub(crate) u32);

impl<const MOST: u32> Field for Uses<MOST> {
    fn parse(value: Value) -> Result<Self, String> {
        whole_number(&value, 1..=MOST).map(Self)
    }
}

/// By all customers together.
pub(crate) type Limit = Uses<1_000_000_000>;

/// By one of them.
pub(crate) type PerCustomer = Uses<1_000>;

/// Some of a kind, each once.
struct Several<T>(Vec<T>);

impl<T: Field + Ord> Field for Several<T> {
    fn parse(value: Value) -> Result<Self, String> {
        let Value::Array(values) = value else { return Err("must be an array".into()) };
        if !(1..=MOST_NAMED).contains(&values.len()) {
            return Err(format!("must have 1 to {MOST_NAMED} entries, but has {}", values.len()));
        }
        let several = values.into_iter().map(T::parse).collect::<Result<Vec<_>, _>>();
        let mut several = several.map_err(|fault| format!("must be entries each of which {fault}"))?;
        several.sort();
        if several.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err("must be entries each of which is named once".into());
        }
        Ok(Self(several))
    }
}

/// What a coupon gives, when, how often and for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rules {
    pub(crate) benefit: Benefit,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) minimum: Option<Charge>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) starts_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ends_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<Limit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) per_customer: Option<PerCustomer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) product_ids: Option<Vec<ProductId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) categories: Option<Vec<Category>>,
}

impl Body for Rules {
    fn read(fields: &mut Fields) -> Option<Self> {
        let benefit = Benefit::read(fields);
        let rules = Self {
            minimum: fields.optional("minimum"),
            starts_at: fields.optional("startsAt"),
            ends_at: fields.optional("endsAt"),
            limit: fields.optional("limit"),
            per_customer: fields.optional("perCustomer"),
            product_ids: fields.optional("productIds").map(|Several(ids)| ids),
            categories: fields.optional("categories").map(|Several(categories)| categories),
            // What is missing was noted, and so nobody sees this.
            benefit: benefit.unwrap_or(Benefit::FreeShipping),
        };
        if rules.starts_at.zip(rules.ends_at).is_some_and(|(start, end)| end <= start) {
            fields.fault("endsAt", "must be after startsAt");
        }
        benefit.map(|_| rules)
    }
}

impl Rules {
    /// Whether they are for this line: for everything, or for its product or its category.
    pub(crate) fn are_for(&self, line: &Line<'_>) -> bool {
        let of_products = self.product_ids.as_ref().map(|ids| ids.contains(&line.product));
        let category = line.category.to_lowercase();
        let is_it = |one: &Category| one.as_str().to_lowercase() == category;
        let of_categories = self.categories.as_ref().map(|categories| categories.iter().any(is_it));
        match (of_products, of_categories) {
            (None, None) => true,
            (products, categories) => products == Some(true) || categories == Some(true),
        }
    }
}

/// How admins see [`Rules`]: as they sent them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RulesView {
    kind: BenefitKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<ValueView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum: Option<InMajor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<Limit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_customer: Option<PerCustomer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product_ids: Option<Vec<ProductId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    categories: Option<Vec<Category>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum ValueView {
    Percent(InHundredths),
    Amount(InMajor),
}

impl From<Rules> for RulesView {
    fn from(rules: Rules) -> Self {
        let (kind, value) = match rules.benefit {
            Benefit::Percent(part) => (BenefitKind::Percent, Some(ValueView::Percent(part.in_hundredths()))),
            Benefit::Amount(price) => {
                (BenefitKind::Amount, Some(ValueView::Amount(price.amount().in_major())))
            }
            Benefit::FreeShipping => (BenefitKind::FreeShipping, None),
        };
        Self {
            kind,
            value,
            minimum: rules.minimum.map(|minimum| minimum.amount().in_major()),
            starts_at: rules.starts_at,
            ends_at: rules.ends_at,
            limit: rules.limit,
            per_customer: rules.per_customer,
            product_ids: rules.product_ids,
            categories: rules.categories,
        }
    }
}
