//! How products are rated: an item for each in the table of the reviews, which counts them by their stars. Reviews
//! change it, in the transactions that change themselves; here it is read, beside what a product costs.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use shared::dynamo::{Batch, Consistency, Read, read_each};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};

pub use shared::values::stars::{Rating, Stars};

use crate::ProductId;

/// Where a product's totals stand among its reviews: no person has this id.
pub const TOTALS: &str = "#totals";

shared::names!(
    /// The sort key of a product's totals.
    enum Key {
        Totals = "#totals",
    }
);

/// A product's totals, as the table keeps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    product_id: ProductId,
    user_id: Key,
    /// Those that are hidden count for nothing.
    #[serde(flatten)]
    stars: Stars,
    /// How often they changed.
    version: u32,
    schema_version: u32,
}

impl Totals {
    /// Of which product.
    pub fn product_id(&self) -> ProductId {
        self.product_id
    }

    /// How many reviews give how many stars.
    pub fn stars(&self) -> Stars {
        self.stars
    }

    /// How often they changed: of two that were told, the greater is the later.
    pub fn version(&self) -> u32 {
        self.version
    }
}

/// The totals of the Reviews table, to be read.
#[derive(Debug, Clone)]
pub struct Ratings {
    table: String,
}

impl FromEnv for Ratings {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { table: config::table("REVIEWS_TABLE") })
    }
}

impl Ratings {
    /// Adds the totals of these products to what is read at the same time.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn with(
        &self,
        read: Read,
        products: impl IntoIterator<Item = ProductId>,
        consistency: Consistency,
    ) -> anyhow::Result<Read> {
        let entries = products.into_iter().map(|id| (id, TOTALS));
        read.entries(&self.table, ("productId", "userId"), entries, consistency)
    }

    /// The totals that were read. A product that nobody has rated has none.
    pub fn found_in(&self, batch: &mut Batch) -> HashMap<ProductId, Stars> {
        let found: Vec<Totals> = read_each(batch.take(&self.table), "productId");
        found.into_iter().map(|totals| (totals.product_id, totals.stars)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::dynamo::{from_item, to_item};

    #[test]
    fn totals_are_read_as_counters_write_them_and_nothing_else_is_taken_for_them() {
        let id = "01a1fbbc-f7cc-71a0-aa66-431f703e44ea";
        let mut item = json!({
            "productId": id, "userId": TOTALS, "stars1": 2, "stars5": 40, "version": 43, "schemaVersion": 1
        });
        let totals: Totals = from_item(to_item(&item).unwrap()).unwrap();
        assert_eq!((totals.stars().each(), totals.version()), ([2, 0, 0, 0, 40], 43));
        assert_eq!(totals.product_id().to_string(), id);
        item["userId"] = json!("ann");
        assert!(from_item::<Totals>(to_item(&item).unwrap()).is_err());
    }
}
