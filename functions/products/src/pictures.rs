//! Products as things that have pictures.

use shared::media::{Kind, Pictured, UploadId};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;

use crate::{Error, ProductId, Products, Reapproval};

/// The products, and what a new picture means for one that is for sale.
#[derive(Debug, Clone)]
pub struct ProductPictures {
    products: Products,
    reapproval: Reapproval,
}

impl FromEnv for ProductPictures {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { products: Products::from_env(aws)?, reapproval: Reapproval::from_env(aws)? })
    }
}

impl Pictured for ProductPictures {
    const KIND: Kind = Kind::Products;

    type Id = ProductId;

    async fn exists(&self, id: &ProductId) -> anyhow::Result<bool> {
        Ok(self.products.find(*id).await?.is_some())
    }

    async fn settle(
        &self,
        id: &ProductId,
        upload: UploadId,
        picture: Result<String, &'static str>,
        now: Timestamp,
    ) -> anyhow::Result<bool> {
        let settled =
            |product: crate::Product| product.with_upload(upload, picture.clone(), self.reapproval, now);
        match self.products.change(*id, settled).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
