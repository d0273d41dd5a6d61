//! What was found, wherever the index is.

use products::ProductId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::engine::{Facets, Page, Position};

/// A part of what fits.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Found {
    /// The products, in their order.
    pub(crate) hits: Vec<Hit>,
    /// How many fit.
    pub(crate) total: u64,
    /// Among what they are.
    pub(crate) facets: Facets,
    /// Whether nothing has all the words.
    pub(crate) is_partial: bool,
}

/// A product that fits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hit {
    /// Which.
    pub(crate) product_id: ProductId,
    /// Where it stands, for the page behind it.
    pub(crate) place: Place,
}

/// Where a product stands among all that fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Place {
    /// As the engine has it.
    Index(Position),
    /// By what a domain sorts by.
    Domain(Vec<Value>),
}

impl From<Page> for Found {
    fn from(page: Page) -> Self {
        let hits = page.hits.into_iter();
        let hits =
            hits.map(|hit| Hit { product_id: hit.product_id.into(), place: Place::Index(hit.position) });
        Self { hits: hits.collect(), total: page.total, facets: page.facets, is_partial: page.is_partial }
    }
}
