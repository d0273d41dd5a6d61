//! Products as things that have pictures.

use shared::media::{AwaitsPicture, Kind, Noun, Pictured, Published, Settled, UploadId};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;

use crate::{Error, Product, ProductId, Products, Reapproval};

/// The pictures of products.
pub const PICTURES: Kind = Kind::new("products");

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
    const KIND: Kind = PICTURES;

    type Id = ProductId;

    async fn awaits(&self, id: &ProductId, upload: UploadId) -> anyhow::Result<bool> {
        Ok(self.products.find(*id).await?.is_some_and(|found| found.product.awaits(upload)))
    }

    async fn settle(
        &self,
        id: &ProductId,
        upload: UploadId,
        picture: Result<Published, &'static str>,
        now: Timestamp,
    ) -> anyhow::Result<Settled> {
        let settled = |product: Product| product.with_upload(upload, picture.clone(), self.reapproval, now);
        match self.products.change(*id, settled).await {
            Ok(found) => Ok(Settled::Shows(found.product.image_url)),
            Err(Error::NotFound) => Ok(Settled::NoThing),
            Err(error) => Err(error.into()),
        }
    }
}

impl AwaitsPicture for Products {
    const NOUN: Noun = Noun { one: "product", many: "products" };

    type Thing = Product;

    fn name(product: &Product) -> String {
        format!("{} ({})", product.name(), product.id())
    }

    async fn waiting_since(&self, cutoff: Timestamp, limit: i32) -> anyhow::Result<Vec<Product>> {
        self.without_picture_since(cutoff, limit).await
    }

    async fn give_up(&self, product: &Product, _cutoff: Timestamp) -> anyhow::Result<bool> {
        self.delete_without_picture(product.id()).await
    }
}
