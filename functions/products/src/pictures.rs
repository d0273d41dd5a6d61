//! Products as things that have pictures, and how what is left of those is swept.
//!
//! Before a picture is put into the bucket its product is marked (`sweepAt`), and so is a product that is turned down.
//! A quarter of an hour later, when whoever was at work on it is done or dead, the sweep lists what there is of this
//! one product and deletes what it does not refer to. It does not matter what was deleted at once, or who died where.

use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};
use std::time::Duration;

use anyhow::Context;
use shared::media::{
    self, AwaitsPicture, Fate, Folder, Kind, Left, Media, Noun, Pictured, Placed, PublicationId, Standing,
    UploadId,
};
use shared::notice::Notices;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;

use crate::gallery::{MOST_PICTURES, Picture, PictureOf};
use crate::{Approvals, Error, PictureId, Product, ProductId, ProductOffer, Products, Reapproval};

/// The pictures of products.
pub const PICTURES: Kind = Kind::new("products").approved_by_somebody();

/// A publication takes seconds, and its function ten at most: an older one that nobody refers to is nobody's.
const PUBLISHED_WITHIN: Duration = Duration::from_mins(10);

/// An upload is forgotten on the day after it came, and its event some hours after that: then nobody brings its picture
/// any more.
const CHECKED_WITHIN: Duration = Duration::from_hours(72);

/// What was too new to be deleted is looked at again so much later.
const AGAIN: Duration = Duration::from_hours(1);

/// How often what needs no admin is shown anew when others changed the product first: as many times as it has pictures,
/// which may all come at once, and two.
const TRIES: usize = MOST_PICTURES + 2;

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
    fn standing_of(product: &Product, picture: PictureId) -> Standing {
        match product.picture(picture) {
            Some(picture) => match picture.settled() {
                Some((upto, keeps)) => Standing::Settled { upto, keeps: keeps.map(str::to_owned) },
                None => Standing::Awaits,
            },
            // It was deleted, and none of its uploads becomes anything any more.
            None => Standing::Settled { upto: Bound::Unbounded, keeps: None },
        }
    }

    /// Shows the pictures that need no admin, if the product has such. Those of others may be among them, who are at it
    /// as well.
    async fn show(&self, mut found: ProductOffer, now: Timestamp) -> Result<ProductOffer, Error> {
        for _ in 1..TRIES {
            if found.product.waiting_for_nobody(self.reapproval).is_empty() {
                return Ok(found);
            }
            let id = found.product.id();
            match self.approvals.show(found, self.reapproval, now).await {
                Err(Error::ChangedMeanwhile) => {
                    found = self.products.find(id).await?.ok_or(Error::NotFound)?;
                }
                shown => return shown,
            }
        }
        self.approvals.show(found, self.reapproval, now).await
    }
}

impl Pictured for ProductPictures {
    const KIND: Kind = PICTURES;

    type Id = PictureOf;

    async fn standing(&self, id: &PictureOf, upload: UploadId) -> anyhow::Result<Standing> {
        let Some(found) = self.products.find(id.product).await? else { return Ok(Standing::NoThing) };
        let product = found.product;
        let is_awaited = product.picture(id.picture).is_some_and(|picture| picture.awaits(upload));
        let mut to_be_shown = product.waiting_for_nobody(self.reapproval).into_iter();
        // An earlier delivery may have died before it showed the picture.
        if is_awaited || to_be_shown.any(|(picture, _)| picture == id.picture) {
            return Ok(Standing::Awaits);
        }
        Ok(Self::standing_of(&product, id.picture))
    }

    async fn expect(&self, id: &PictureOf, now: Timestamp) -> anyhow::Result<()> {
        self.products.sweep_later(id.product, now).await
    }

    async fn settle(
        &self,
        _: &Media,
        id: &PictureOf,
        upload: UploadId,
        picture: Result<Placed, &'static str>,
        now: Timestamp,
    ) -> anyhow::Result<Standing> {
        let settled = |product: Product| product.with_upload(id.picture, upload, picture.clone(), now);
        let shown = match self.products.change(id.product, settled).await {
            Ok(found) => self.show(found, now).await,
            refused => refused,
        };
        match shown {
            Ok(found) => Ok(Self::standing_of(&found.product, id.picture)),
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
    let kept = Kept::of(&found.product, now)?;
    let images = media.sweep(Folder::Images, PICTURES, id, |path| kept.published(path)).await?;
    let checked = media.sweep(Folder::Checked, PICTURES, id, |path| kept.checked(path)).await?;
    let left = images.and(checked);
    products.swept(id, marked, (left == Left::TooNew).then_some(now + AGAIN)).await
}

/// What a product refers to, and what it may still come to refer to.
struct Kept {
    pictures: BTreeMap<String, Picture>,
    shown: Vec<String>,
    waiting: Vec<String>,
    published_before: PublicationId,
    asked_before: UploadId,
    forgotten_before: UploadId,
}

impl Kept {
    fn of(product: &Product, now: Timestamp) -> anyhow::Result<Self> {
        let id = product.id();
        let of_product = format!("{PICTURES}/{id}");
        let path = |url: &str| Some(url.rsplit_once("/images/")?.1.to_owned());
        let shown = product.shown().into_iter().map(|(_, shown)| {
            let of_this = path(&shown.image_url).filter(|path| path.starts_with(&of_product));
            of_this.context("a picture of another thing")
        });
        let pictures = product.pictures().into_iter();
        let named = |picture: Picture| (PictureOf { product: id, picture: picture.id }.to_string(), picture);
        Ok(Self {
            shown: shown.collect::<Result<_, _>>()?,
            waiting: product.waiting().iter().map(|(_, placed)| placed.path().to_owned()).collect(),
            pictures: pictures.map(named).collect(),
            published_before: PublicationId::at(now - PUBLISHED_WITHIN),
            asked_before: UploadId::at(now - PUBLISHED_WITHIN),
            forgotten_before: UploadId::at(now - CHECKED_WITHIN),
        })
    }

    /// What becomes of what lies at this path under `images/`.
    fn published(&self, path: &str) -> Fate {
        if self.shown.iter().any(|picture| media::is_of(path, picture)) {
            return Fate::Kept;
        }
        // Pictures of earlier releases have no folder.
        match folder(path).and_then(|folder| folder.parse::<PublicationId>().ok()) {
            Some(publication) if publication > self.published_before => Fate::TooNew,
            _ => Fate::Garbage,
        }
    }

    /// What becomes of what lies at this path under `checked/`.
    fn checked(&self, path: &str) -> Fate {
        if self.waiting.iter().any(|picture| media::is_of(path, picture)) {
            return Fate::Kept;
        }
        let Some(upload) = folder(path).and_then(|folder| folder.parse::<UploadId>().ok()) else {
            return Fate::Garbage;
        };
        let owner = path.split('/').nth(1).unwrap_or_default();
        let is_past = match self.pictures.get(owner) {
            Some(picture) => {
                let settled = picture.settled().map(|(upto, _)| (Bound::Unbounded, upto));
                settled.is_some_and(|settled| settled.contains(&upload)) || upload <= self.forgotten_before
            }
            // Deleted, or added since the product was read.
            None => upload <= self.asked_before,
        };
        if is_past { Fate::Garbage } else { Fate::TooNew }
    }
}

/// The folder of a picture, between its thing and its file.
fn folder(path: &str) -> Option<&str> {
    let mut parts = path.split('/').skip(2);
    let folder = parts.next()?;
    parts.next().map(|_| folder)
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
