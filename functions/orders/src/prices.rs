//! What purchases cost by: offers, coupons, whether their stores are open, and how the shop sends and taxes, read
//! together.

use offers::{OfferId, Offers};
use promotions::{CouponCode, Coupons};
use settings::Settings;
use shared::caller::UserId;
use shared::dynamo::{Batch, Consistency, Read};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use stores::{Gate, StoreId, Stores};

use crate::purchase::{NamedCoupon, Prices};

/// The tables that purchases cost by.
#[derive(Debug, Clone)]
pub struct PriceTables {
    pub(crate) offers: Offers,
    pub(crate) coupons: Coupons,
    pub(crate) stores: Stores,
    settings: Settings,
}

impl FromEnv for PriceTables {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            offers: Offers::from_env(aws)?,
            coupons: Coupons::from_env(aws)?,
            stores: Stores::from_env(aws)?,
            settings: Settings::from_env(aws)?,
        })
    }
}

impl PriceTables {
    /// Adds what a purchase costs by to what is read at the same time: its offers; whether these stores are open, as
    /// far as it is known which ones it is of; its coupon, with how often this customer has used it; and how the shop
    /// sends and taxes, as of a moment ago.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn with(
        &self,
        read: Read,
        offers: impl IntoIterator<Item = OfferId>,
        stores: impl IntoIterator<Item = StoreId>,
        coupon: Option<&CouponCode>,
        customer: Option<&UserId>,
        consistency: Consistency,
    ) -> anyhow::Result<Read> {
        let offers: Vec<OfferId> = offers.into_iter().collect();
        // Any gate tells it, so carts that begin otherwise read others.
        let gate = offers.first().map(Gate::of);
        let read = self.offers.with(read, offers, consistency)?;
        let read = match gate {
            Some(gate) => self.stores.with_gates(read, stores, gate, consistency)?,
            None => read,
        };
        let read = self.coupons.with(read, coupon, customer, consistency)?;
        self.settings.with(read, Consistency::Eventual)
    }

    /// What was read of it.
    ///
    /// # Errors
    /// When something is not as this code writes it.
    pub fn found_in(&self, batch: &mut Batch) -> anyhow::Result<Prices> {
        let (coupon, used_before) = self.coupons.found_in(batch)?;
        let (shipping, tax) = self.settings.found_in(batch)?;
        let offers = self.offers.found_in(batch);
        let open_stores = self.stores.open_in(batch);
        Ok(Prices { offers, open_stores, named: NamedCoupon { coupon, used_before }, shipping, tax })
    }
}
