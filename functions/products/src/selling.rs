//! What a seller does with a product and its pictures.

use shared::caller::{Caller, UserId};
use shared::dynamo::Remains;
use shared::guards::rate_limit::PersonLimit;
use shared::http::IfMatch;
use shared::http::problem::Problem;
use shared::media::{Media, NewPicture, Upload, UploadId, Uploads};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::money::Currency;
use shared::values::time::Timestamp;

use crate::gallery::PictureOf;
use crate::pictures::PICTURES;
use crate::{
    NewProduct, PictureAdded, PictureId, Product, ProductCreated, ProductId, ProductOffer, Products,
    Replacement, UploadRequested,
};

/// Listing products, adding pictures and replacing them, as often as one person may.
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

    /// Gives its seller or an admin the URL to upload another picture to, in the place of the one that is named or,
    /// where none is, of the one at `imageUrl`. Repeated, it gives another URL; the newest upload wins.
    ///
    /// # Errors
    /// `too-many-requests`, and those of [`Products::request_upload`] and [`Products::change_pictures`].
    pub async fn replace_picture(
        &self,
        caller: &Caller,
        id: ProductId,
        if_match: &IfMatch,
        Replacement { picture, picture_id }: &Replacement,
        now: Timestamp,
    ) -> Result<UploadRequested, Problem> {
        self.limit.count("request-product-upload", caller.id(), now).await?;
        let (upload, file_name) = (UploadId::at(now), &picture.file_name);
        let replaced = match *picture_id {
            None => self.products.request_upload(caller, id, if_match, upload, file_name).await?,
            Some(replaced) => {
                let rule = |product: Product, editor| {
                    product.with_replacement(replaced, upload, file_name, editor, now).map(Some)
                };
                self.products.change_pictures(caller, id, if_match, rule).await?;
                replaced
            }
        };
        let upload_url = self.presign(id, replaced, upload, picture).await?;
        Ok(UploadRequested { upload_url })
    }

    /// Gives its seller or an admin the URL to upload one more picture to, which is the last in the order. Repeated, it
    /// announces another one; one that never comes makes room after an hour.
    ///
    /// # Errors
    /// `too-many-requests`, and those of [`Products::change_pictures`]: `picture-limit`.
    pub async fn add_picture(
        &self,
        caller: &Caller,
        id: ProductId,
        if_match: &IfMatch,
        picture: &NewPicture,
        now: Timestamp,
    ) -> Result<PictureAdded, Problem> {
        self.limit.count("add-product-picture", caller.id(), now).await?;
        let (added, upload, file_name) = (PictureId::at(now), UploadId::at(now), &picture.file_name);
        let rule = |product: Product, editor| product.with_announced(added, upload, file_name, editor, now);
        self.products.change_pictures(caller, id, if_match, rule).await?;
        let upload_url = self.presign(id, added, upload, picture).await?;
        Ok(PictureAdded { upload_url, id: added })
    }

    async fn presign(
        &self,
        product: ProductId,
        picture: PictureId,
        upload: UploadId,
        new: &NewPicture,
    ) -> anyhow::Result<String> {
        let upload = Upload::named(PICTURES, PictureOf { product, picture }, upload, &new.file_name);
        self.uploads.presign(&upload, new.file_type, new.file_size).await
    }
}

/// Deletes one of the pictures of a product for its seller or an admin. Whoever dies before all of it is gone leaves
/// the rest to be swept.
///
/// # Errors
/// Those of [`Products::change_pictures`]: `last-picture`, and `not-found` where it is gone already.
pub async fn delete_picture(
    products: &Products,
    media: &Media,
    caller: &Caller,
    id: PictureOf,
    if_match: &IfMatch,
    now: Timestamp,
) -> Result<(), Problem> {
    let rule = |product: Product, _| product.without_picture(id.picture, now).map(Some);
    products.change_pictures(caller, id.product, if_match, rule).await?;
    if let Err(error) = media.withdraw(PICTURES, id).await {
        // The sweep does it again.
        tracing::warn!(product_id = %id.product, ?error, "left a picture behind");
    }
    Ok(())
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
    media.withdraw_with_parts(PICTURES, id).await?;
    if deleted {
        tracing::info!(product_id = %id, "product deleted");
        Ok(())
    } else {
        Err(Problem::not_found("product"))
    }
}

/// Deletes what somebody sells, ten products in a call, with their pictures in all versions. Orders keep what they say
/// of it. Safe to repeat.
///
/// # Errors
/// When the tables or the bucket cannot be read or written.
pub async fn forget(products: &Products, media: &Media, seller: &UserId) -> anyhow::Result<Remains> {
    let found = products.some_of(seller).await?;
    for id in &found {
        // First what there is, since who dies behind the deletion finds the product no more; then what came meanwhile.
        media.erase(PICTURES, id).await?;
        products.delete_of(seller, *id).await?;
        media.erase(PICTURES, id).await?;
    }
    Ok(if found.is_empty() { Remains::Nothing } else { Remains::More })
}
