//! How the shop sends: its methods, where each one goes and what it costs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shared::http::input::{Body, Field, Fields, Member, Value, object_at};
use shared::http::problem::FieldError;
use shared::values::country::Country;
use shared::values::money::{Amount, Charge, Currency, InMajor};
use shared::values::percent::{InHundredths, Percent};

use crate::{Document, all_differ};

/// How many methods a shop has at most.
pub(crate) const MOST_METHODS: usize = 50;

/// How many prices a method has at most.
pub(crate) const MOST_PRICES: usize = 20;

/// How many characters an id has at most.
pub(crate) const LONGEST_ID: usize = 40;

/// Names a method, in carts and orders as well: 1 to 40 of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MethodId(String);

impl MethodId {
    /// The id as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MethodId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(is_part) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("must be 1 to {LONGEST_ID} small letters, digits and hyphens"))
        }
    }
}

impl fmt::Display for MethodId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Field for MethodId {
    fn parse(value: Value) -> Result<Self, String> {
        value.as_str().ok_or("must be a string")?.parse()
    }
}

shared::text!(
    /// What people read of a method.
    MethodName, 1..=120
);

shared::names!(
    /// The sign for all countries.
    pub enum Everywhere {
        /// Wherever it is.
        Everywhere = "*",
    }
);

/// Where a method goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Countries {
    /// To every country.
    All(Everywhere),
    /// To these, each once, in the order of the alphabet.
    These(Vec<Country>),
}

impl Countries {
    /// Whether this country is one of them.
    pub fn include(&self, country: Country) -> bool {
        match self {
            Self::All(Everywhere::Everywhere) => true,
            Self::These(countries) => countries.contains(&country),
        }
    }
}

impl Field for Countries {
    fn parse(value: Value) -> Result<Self, String> {
        match value {
            Value::String(_) => {
                let all = Everywhere::parse(value);
                all.map(Self::All).map_err(|_| "must be a list of countries, or * for all".into())
            }
            Value::Array(values) if !values.is_empty() => {
                let countries = values.into_iter().map(Country::parse).collect::<Result<Vec<_>, _>>();
                let mut countries =
                    countries.map_err(|_| "must be countries' codes of ISO 3166-1 in capitals, like DE")?;
                countries.sort();
                if !all_differ(&countries) {
                    return Err("must be countries each of which is named once".into());
                }
                Ok(Self::These(countries))
            }
            _ => Err("must be a list of countries, or * for all".into()),
        }
    }
}

shared::body!(
    /// What a method costs from some total of the items on.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Tier {
        from: Charge,
        price: Charge,
    }
);

/// A way to send things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Method {
    id: MethodId,
    name: MethodName,
    countries: Countries,
    prices: Vec<Tier>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tax_rate: Option<Percent>,
}

impl Body for Method {
    fn read(fields: &mut Fields) -> Option<Self> {
        let id = fields.required("id");
        let name = fields.required("name");
        let countries = fields.required("countries");
        let prices: Option<Vec<Tier>> = fields.list("prices", 1..=MOST_PRICES);
        let tax_rate = fields.member("taxRate");
        let prices = prices?;
        if !prices.is_sorted_by(|lower, higher| lower.from < higher.from) {
            fields.fault("prices", "must ascend by from, no two of which are alike");
        }
        Some(Self { id: id?, name: name?, countries: countries?, prices, tax_rate: tax_rate? })
    }
}

impl Member for Method {
    fn read(pointer: &str, value: Option<Value>) -> Result<Self, Vec<FieldError>> {
        object_at(pointer, value)
    }
}

impl Method {
    /// Its id.
    pub fn id(&self) -> &MethodId {
        &self.id
    }

    /// The rate at which it is taxed, if that is not its country's own.
    pub fn tax_rate(&self) -> Option<Percent> {
        self.tax_rate
    }

    /// What it costs to send items of this total, after discount, to this country; `None` where it does not go there,
    /// or not yet for so little.
    pub fn price_for(&self, country: Country, total: Amount) -> Option<Amount> {
        let reached = self.prices.iter().rev().find(|tier| tier.from.amount() <= total);
        reached.filter(|_| self.countries.include(country)).map(|tier| tier.price.amount())
    }
}

/// How the shop sends. Without methods sending is free, and no method is named.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Shipping {
    methods: Vec<Method>,
}

impl Body for Shipping {
    fn read(fields: &mut Fields) -> Option<Self> {
        let methods: Vec<Method> = fields.list("methods", 0..=MOST_METHODS)?;
        if !all_differ(methods.iter().map(Method::id)) {
            fields.fault("methods", "must be methods no two of which have the same id");
        }
        Some(Self { methods })
    }
}

impl Document for Shipping {
    const NAME: &'static str = "shipping";

    type View = ShippingView;
}

impl Shipping {
    /// All methods, in the order in which the admins put them.
    pub fn methods(&self) -> &[Method] {
        &self.methods
    }

    /// What items of this total, after discount, can be sent by to this country, in the admins' order.
    pub fn offered(&self, country: Country, total: Amount) -> Vec<OfferedMethod> {
        let offered = |method: &Method| {
            let price = method.price_for(country, total)?.in_major();
            Some(OfferedMethod { id: method.id.clone(), name: method.name.clone(), price })
        };
        self.methods.iter().filter_map(offered).collect()
    }
}

/// How an admin sees [`Shipping`]: as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShippingView {
    methods: Vec<MethodView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct MethodView {
    id: MethodId,
    name: MethodName,
    countries: Countries,
    prices: Vec<TierView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_rate: Option<InHundredths>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct TierView {
    from: InMajor,
    price: InMajor,
}

impl From<Shipping> for ShippingView {
    fn from(shipping: Shipping) -> Self {
        Self { methods: shipping.methods.into_iter().map(MethodView::from).collect() }
    }
}

impl From<Method> for MethodView {
    fn from(method: Method) -> Self {
        let Method { id, name, countries, prices, tax_rate } = method;
        let prices = prices.into_iter().map(|Tier { from, price }| TierView {
            from: from.amount().in_major(),
            price: price.amount().in_major(),
        });
        let tax_rate = tax_rate.map(Percent::in_hundredths);
        Self { id, name, countries, prices: prices.collect(), tax_rate }
    }
}

/// A way to send some items to a country, with what that costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfferedMethod {
    id: MethodId,
    name: MethodName,
    price: InMajor,
}

/// What some items can be sent by to a country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShippingMethods {
    currency: Currency,
    methods: Vec<OfferedMethod>,
}

impl ShippingMethods {
    /// These, with prices in the shop's currency.
    pub fn new(currency: Currency, methods: Vec<OfferedMethod>) -> Self {
        Self { currency, methods }
    }
}
