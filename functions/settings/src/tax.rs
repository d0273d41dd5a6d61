//! How the shop taxes: whether its prices have the tax inside, and the rates of places and categories.

use serde::{Deserialize, Serialize};
use shared::http::input::{Body, Fields};
pub use shared::values::address::Region;
use shared::values::country::Country;
use shared::values::percent::{InHundredths, Percent};

use crate::{Document, all_differ};

/// How many rates a shop has at most.
pub(crate) const MOST_RATES: usize = 500;

shared::text!(
    /// A category of products, as they name it.
    TaxCategory, 1..=60
);

shared::body!(
    /// The rate of a place, there perhaps of one category alone.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct TaxRate {
        country: Country,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<Region>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        category: Option<TaxCategory>,
        percent: Percent,
    }
);

impl TaxRate {
    /// For what it is. People write a region in their own way, so capitals make no difference.
    fn scope(&self) -> (Country, Option<String>, Option<String>) {
        let folded = |text: &str| text.to_lowercase();
        let region = self.region.as_ref().map(|region| folded(region.as_str()));
        (self.country, region, self.category.as_ref().map(|category| folded(category.as_str())))
    }
}

/// How the shop taxes. Unless somebody sets it, nothing is taxed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tax {
    prices_include_tax: bool,
    shipping_includes_tax: bool,
    rates: Vec<TaxRate>,
    default: Percent,
}

impl Default for Tax {
    fn default() -> Self {
        Self {
            prices_include_tax: true,
            shipping_includes_tax: true,
            rates: Vec::new(),
            default: Percent::ZERO,
        }
    }
}

impl Body for Tax {
    fn read(fields: &mut Fields) -> Option<Self> {
        let prices_include_tax = fields.required("pricesIncludeTax");
        let shipping_includes_tax = fields.required("shippingIncludesTax");
        let default = fields.required("default");
        let rates: Vec<TaxRate> = fields.list("rates", 0..=MOST_RATES)?;
        if !all_differ(rates.iter().map(TaxRate::scope)) {
            let detail = "must be rates no two of which are for the same country, region and category";
            fields.fault("rates", detail);
        }
        Some(Self {
            prices_include_tax: prices_include_tax?,
            shipping_includes_tax: shipping_includes_tax?,
            rates,
            default: default?,
        })
    }
}

impl Document for Tax {
    const NAME: &'static str = "tax";

    type View = TaxView;
}

impl Tax {
    /// Whether the tax is inside the prices of products, rather than on top.
    pub fn prices_include_tax(&self) -> bool {
        self.prices_include_tax
    }

    /// Whether it is inside the prices of shipping.
    pub fn shipping_includes_tax(&self) -> bool {
        self.shipping_includes_tax
    }

    /// Whether it makes no difference where a thing goes.
    pub fn is_the_same_everywhere(&self) -> bool {
        self.rates.is_empty()
    }

    /// The rate of a category in a place. The most specific one holds: that of the category in the region, of the
    /// region, of the category in the country, of the country, and the default.
    pub fn rate_for(&self, country: Country, region: Option<&str>, category: Option<&str>) -> Percent {
        let place = (country, region.map(str::to_lowercase), category.map(str::to_lowercase));
        let of_scope = |of: &(Country, Option<String>, Option<String>)| {
            let same = |of: &Option<String>, here: &Option<String>| of.is_none() || of == here;
            of.0 == place.0 && same(&of.1, &place.1) && same(&of.2, &place.2)
        };
        let rates = self.rates.iter().map(|rate| (rate.scope(), rate.percent));
        let matching = rates.filter(|(scope, _)| of_scope(scope));
        let best = matching.max_by_key(|((_, region, category), _)| (region.is_some(), category.is_some()));
        best.map_or(self.default, |(_, percent)| percent)
    }
}

/// How an admin sees [`Tax`]: as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaxView {
    prices_include_tax: bool,
    shipping_includes_tax: bool,
    rates: Vec<TaxRateView>,
    default: InHundredths,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct TaxRateView {
    country: Country,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<TaxCategory>,
    percent: InHundredths,
}

impl From<Tax> for TaxView {
    fn from(tax: Tax) -> Self {
        let view = |rate: TaxRate| TaxRateView {
            country: rate.country,
            region: rate.region,
            category: rate.category,
            percent: rate.percent.in_hundredths(),
        };
        Self {
            prices_include_tax: tax.prices_include_tax,
            shipping_includes_tax: tax.shipping_includes_tax,
            rates: tax.rates.into_iter().map(view).collect(),
            default: tax.default.in_hundredths(),
        }
    }
}
