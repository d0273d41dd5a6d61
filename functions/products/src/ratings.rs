//! How products are rated: an item for each in the table of the reviews, which counts them by their stars. Reviews
//! change it, in the transactions that change themselves; here it is read, beside what a product costs.

use std::collections::HashMap;

use serde::{Deserialize, Serialize, Serializer};
use shared::dynamo::{Batch, Consistency, Read, read_each};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};

use crate::ProductId;

/// Where a product's totals stand among its reviews: no person has this id.
pub const TOTALS: &str = "#totals";

shared::names!(
    /// The sort key of a product's totals.
    enum Key {
        Totals = "#totals",
    }
);

/// How many reviews of a product give how many stars. Those that are hidden count for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stars {
    #[serde(default, rename = "stars1")]
    one: u32,
    #[serde(default, rename = "stars2")]
    two: u32,
    #[serde(default, rename = "stars3")]
    three: u32,
    #[serde(default, rename = "stars4")]
    four: u32,
    #[serde(default, rename = "stars5")]
    five: u32,
}

impl Stars {
    /// How many give one star, two, and so on to five.
    pub const fn each(self) -> [u32; 5] {
        [self.one, self.two, self.three, self.four, self.five]
    }

    /// So many for each number of stars, from one to five.
    pub const fn of([one, two, three, four, five]: [u32; 5]) -> Self {
        Self { one, two, three, four, five }
    }

    /// What they come to.
    pub fn rating(self) -> Rating {
        let count: u64 = self.each().into_iter().map(u64::from).sum();
        let sum: u64 = (1..).zip(self.each()).map(|(stars, reviews)| stars * u64::from(reviews)).sum();
        // Half a tenth is rounded up.
        let tenths = (sum * 20 + count).checked_div(count * 2);
        Rating { average: tenths.map(Tenths), count }
    }
}

/// A product's totals, as the table keeps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    product_id: ProductId,
    user_id: Key,
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

/// What people think of a product, in one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rating {
    /// The mean of their stars to one decimal; `None` where nobody has rated it.
    average: Option<Tenths>,
    /// How many have rated it.
    count: u64,
}

impl Rating {
    /// The mean of their stars, in tenths; `None` where nobody has rated it.
    pub fn tenths(self) -> Option<u8> {
        self.average.and_then(|average| u8::try_from(average.0).ok())
    }
}

/// A number with one decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tenths(u64);

impl Serialize for Tenths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(10) {
            return serializer.serialize_u64(self.0 / 10);
        }
        // The double nearest to it, whose shortest decimal is the number itself.
        serializer.serialize_f64(self.0 as f64 / 10.0)
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
    use proptest::prelude::*;
    use serde_json::json;
    use shared::dynamo::{from_item, to_item};

    fn rating(each: [u32; 5]) -> serde_json::Value {
        json!(Stars::of(each).rating())
    }

    #[test]
    fn an_average_has_one_decimal_and_half_a_tenth_is_rounded_up() {
        assert_eq!(rating([0; 5]), json!({ "average": null, "count": 0 }));
        assert_eq!(rating([0, 0, 0, 0, 3]), json!({ "average": 5, "count": 3 }));
        assert_eq!(rating([1, 0, 0, 0, 1]), json!({ "average": 3, "count": 2 }));
        // 4.25 and 4.75, 4.333… and 4.666….
        assert_eq!(rating([0, 0, 0, 3, 1]), json!({ "average": 4.3, "count": 4 }));
        assert_eq!(rating([0, 0, 0, 1, 3]), json!({ "average": 4.8, "count": 4 }));
        assert_eq!(rating([0, 0, 0, 2, 1]), json!({ "average": 4.3, "count": 3 }));
        assert_eq!(rating([0, 0, 0, 1, 2]), json!({ "average": 4.7, "count": 3 }));
    }

    proptest! {
        #[test]
        fn an_average_is_the_tenth_nearest_to_the_mean(each in prop::array::uniform5(0..=u32::MAX)) {
            let count: i128 = each.iter().map(|reviews| i128::from(*reviews)).sum();
            let sum: i128 = (1..).zip(each).map(|(stars, reviews)| stars * i128::from(reviews)).sum();
            match Stars::of(each).rating().average {
                None => prop_assert_eq!(count, 0),
                Some(Tenths(tenths)) => {
                    prop_assert!((10..=50).contains(&tenths));
                    // Within half a tenth of the mean, times the count.
                    let off = 20 * sum - 2 * i128::from(tenths) * count;
                    prop_assert!(-count <= off && off < count, "{} off", off);
                }
            }
        }
    }

    #[test]
    fn who_sorts_by_a_rating_has_it_in_tenths() {
        assert_eq!(Stars::of([0, 0, 0, 1, 3]).rating().tenths(), Some(48));
        assert_eq!(Stars::default().rating().tenths(), None);
    }

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
