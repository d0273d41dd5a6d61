//! Products as things that have pictures, and how what is left of those is swept.
//!
//! Before a picture is put into the bucket its product is marked (`sweepAt`), and so is a product that is turned down.
//! A quarter of an hour later, when whoever was at work on it is done or dead, the sweep lists what there is of this
//! one product and deletes what it does not refer to. It does not matter what was deleted at once, or who died where.

use std::ops::Bound;
use std::time::Duration;

use shared::media::{
    self, AwaitsPicture, Folder, Kind, Left, Media, Noun, Pictured, Placed, PublicationId, Standing, UploadId,
};
use shared::notice::Notices;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;

use crate::{Approvals, Error, Product, ProductId, Products, Reapproval};

/// The pictures of products.
pub const PICTURES: Kind = Kind::new("products").approved_by_somebody();

/// A publication takes seconds, and its function ten at most: an older one that nobody refers to is nobody's.
const PUBLISHED_WITHIN: Duration = Duration::from_mins(10);

/// An upload is forgotten on the day after it came, and its event some hours after that: then nobody brings its picture
/// any more.
const CHECKED_WITHIN: Duration = Duration::from_hours(72);

/// What was too new to be deleted is looked at again so much later.
const AGAIN: Duration = Duration::from_hours(1);

/// As many as one run sweeps well within its timeout; the next run takes the rest.
const BATCH: i32 = 200;

/// The products, and what a new picture means for one that is for sale.
#[derive(Debug, Clone)]
pub struct ProductPictures {
    products: Products,
    approvals: Approvals,
    reapproval: Reapproval,
}

impl FromEnv for ProductPictures {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            products: Products::from_env(aws)?,
            approvals: Approvals::from_env(aws)?,
            reapproval: Reapproval::from_env(aws)?,
        })
    }
}

impl ProductPictures {
    fn standing_of(product: &Product) -> Standing {
        match product.settled() {
            Some((upto, keeps)) => Standing::Settled { upto, keeps: keeps.map(str::to_owned) },
            None => Standing::Awaits,
        }
    }
}

impl Pictured for ProductPictures {
    const KIND: Kind = PICTURES;

    type Id = ProductId;

    async fn standing(&self, id: &ProductId, upload: UploadId) -> anyhow::Result<Standing> {
        let Some(found) = self.products.find(*id).await? else { return Ok(Standing::NoThing) };
        let product = found.product;
        // An earlier delivery may have died before it showed the picture.
        if product.awaits(upload) || product.publishes_its_picture(self.reapproval) {
            return Ok(Standing::Awaits);
        }
        Ok(Self::standing_of(&product))
    }

    async fn expect(&self, id: &ProductId, now: Timestamp) -> anyhow::Result<()> {
        self.products.sweep_later(*id, now).await
    }

    async fn settle(
        &self,
        _: &Media,
        id: &ProductId,
        upload: UploadId,
        picture: Result<Placed, &'static str>,
        now: Timestamp,
    ) -> anyhow::Result<Standing> {
        let settled = |product: Product| product.with_upload(upload, picture.clone(), now);
        let shown = match self.products.change(*id, settled).await {
            Ok(found) if found.product.publishes_its_picture(self.reapproval) => {
                self.approvals.show(found, now).await
            }
            found => found,
        };
        match shown {
            Ok(found) => Ok(Self::standing_of(&found.product)),
            Err(Error::NotFound) => Ok(Standing::NoThing),
            Err(error) => Err(error.into()),
        }
    }
}

/// Deletes products that never got their picture and tells the admins, and deletes pictures that are no product's any
/// more. Safe to repeat.
///
/// # Errors
/// When the tables, the bucket or the topic fail. What was deleted until then stays so, and the next run goes on.
pub async fn clean_up(
    products: &Products,
    media: &Media,
    notices: &Notices,
    now: Timestamp,
) -> anyhow::Result<()> {
    let swept = sweep(products, media, now).await;
    media::clean_up(products, notices, now).await?;
    swept
}

/// Sweeps the products that are marked. What fails for one of them is tried again by the next run and stops no other.
async fn sweep(products: &Products, media: &Media, now: Timestamp) -> anyhow::Result<()> {
    let mut failed = None;
    for (id, marked) in products.to_be_swept(now, BATCH).await? {
        if let Err(error) = sweep_one(products, media, id, marked, now).await {
            tracing::error!(product_id = %id, ?error, "could not sweep its pictures");
            failed = Some(error);
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Deletes the pictures of a product that it does not refer to, and takes the mark off that it had. Safe to repeat:
/// what it deletes was nobody's and stays so, and a newer mark stays.
///
/// # Errors
/// When the tables or the bucket fail.
pub async fn sweep_one(
    products: &Products,
    media: &Media,
    id: ProductId,
    marked: Timestamp,
    now: Timestamp,
) -> anyhow::Result<()> {
    // Deleted meanwhile, and its pictures with it.
    let Some(found) = products.find(id).await? else { return Ok(()) };
    let product = found.product;
    let published = Bound::Included(PublicationId::at(now - PUBLISHED_WITHIN));
    let shown = product.shown().map(|shown| shown.image_url);
    let images = media.tidy(Folder::Images, PICTURES, id, published, shown.as_deref()).await?;
    let forgotten = Bound::Included(UploadId::at(now - CHECKED_WITHIN));
    let (settled, keeps) = product.settled().unwrap_or((forgotten, None));
    let mut checked = media.tidy(Folder::Checked, PICTURES, id, settled, keeps).await?;
    if checked == Left::TooNew {
        checked = media.tidy(Folder::Checked, PICTURES, id, forgotten, keeps).await?;
    }
    let left = images.and(checked);
    products.swept(id, marked, (left == Left::TooNew).then_some(now + AGAIN)).await
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
