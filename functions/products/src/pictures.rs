//! Products as things that have pictures.

use shared::aws::{Aws, Connect};
use shared::config::ConfigError;
use shared::media::{Kind, Pictured, UploadId};
use shared::time::Timestamp;

use crate::{Error, ProductId, Products, Reapproval};

/// The products, and what a new picture means for one that is for sale.
#[derive(Debug, Clone)]
pub struct ProductPictures {
    products: Products,
    reapproval: Reapproval,
}

impl Connect for ProductPictures {
    fn connect(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { products: Products::connect(aws)?, reapproval: Reapproval::connect(aws)? })
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
