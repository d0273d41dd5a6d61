//! What stores have of the stars of what they sell.

use products::Products;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use stores::Stores;

use crate::events::RatedTold;

/// Adding up for stores what their products are rated.
#[derive(Debug, Clone)]
pub struct StoreRatings {
    products: Products,
    stores: Stores,
}

impl FromEnv for StoreRatings {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { products: Products::from_env(aws)?, stores: Stores::from_env(aws)? })
    }
}

impl StoreRatings {
    /// Counts what was told of a product in the rating of its store, if it is of one. Safe to repeat, and in any order,
    /// as [`Stores::rate`] is.
    ///
    /// # Errors
    /// Those of [`Stores::rate`].
    pub async fn count(&self, told: &RatedTold) -> anyhow::Result<()> {
        let RatedTold { product_id, version, stars } = *told;
        let store = self.products.store_of(product_id);
        self.stores.rate(product_id, version, stars.into(), store).await
    }
}
