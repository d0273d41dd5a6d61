//! What a seller does with a product and its picture.

use shared::caller::Caller;
use shared::guards::rate_limit::PersonLimit;
use shared::http::IfMatch;
use shared::http::problem::Problem;
use shared::media::{Media, NewPicture, Upload, Uploads};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::money::Currency;
use shared::values::time::Timestamp;

use crate::pictures::PICTURES;
use crate::{NewProduct, ProductCreated, ProductId, ProductOffer, Products, UploadRequested};

/// Listing products and replacing their pictures, as often as one person may.
#[derive(Debug, Clone)]
pub struct Selling {
    limit: PersonLimit,
    products: Products,
    uploads: Uploads,
}

impl FromEnv for Selling {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            limit: PersonLimit::from_env(aws)?,
            products: Products::from_env(aws)?,
            uploads: Uploads::from_env(aws)?,
        })
    }
}

impl Selling {
    /// Records a product that waits for its picture, and gives the URL to upload it to. Repeated, it records another
    /// one.
    ///
    /// # Errors
    /// `too-many-requests`, and those of [`Products::create`].
    pub async fn list(
        &self,
        seller: &Caller,
        new: NewProduct,
        currency: Currency,
        now: Timestamp,
    ) -> Result<ProductCreated, Problem> {
        self.limit.count("create-product", seller.id(), now).await?;
        let picture = new.picture.clone();
        let product = ProductOffer::new(new, seller, currency, now);
        let id = product.product.id();
        let upload = Upload::new(PICTURES, id, &picture.file_name, now);
        let upload_url = self.uploads.presign(&upload, picture.file_type, picture.file_size).await?;
        self.products.create(&product).await?;
        Ok(ProductCreated { upload_url, id })
    }

    /// Gives its seller or an admin the URL to upload another picture to.
    ///
    /// # Errors
    /// `too-many-requests`, and those of [`Products::request_upload`].
    pub async fn replace_picture(
        &self,
        caller: &Caller,
        id: ProductId,
        if_match: &IfMatch,
        picture: &NewPicture,
        now: Timestamp,
    ) -> Result<UploadRequested, Problem> {
        self.limit.count("request-product-upload", caller.id(), now).await?;
        let upload = Upload::new(PICTURES, id, &picture.file_name, now);
        self.products.request_upload(caller, id, if_match, upload.id(), &picture.file_name).await?;
        let upload_url = self.uploads.presign(&upload, picture.file_type, picture.file_size).await?;
        Ok(UploadRequested { upload_url })
    }
}

/// Deletes a product for its seller or an admin, and its pictures. Orders keep what they say of it.
///
/// # Errors
/// Those of [`Products::delete`].
pub async fn delete(
    products: &Products,
    media: &Media,
    caller: &Caller,
    id: ProductId,
    if_match: &IfMatch,
) -> Result<(), Problem> {
    let deleted = products.delete(caller, id, if_match).await?;
    // Also where there is none: whoever deleted it may have died before its pictures were gone.
    media.withdraw(PICTURES, id).await?;
    if deleted {
        tracing::info!(product_id = %id, "product deleted");
        Ok(())
    } else {
        Err(Problem::not_found("product"))
    }
}
