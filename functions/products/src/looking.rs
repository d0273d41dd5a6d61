//! What sellers and admins see of a product that everyone does not: the pictures that wait for an approval.

use shared::caller::Caller;
use shared::dynamo::list::{Cursors, Page, PageRequest};
use shared::http::problem::Problem;
use shared::media::{Media, Published};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;

use crate::gallery::Picture;
use crate::{OwnPicture, OwnProduct, PictureToSee, ProductId, ProductOffer, Products};

/// How much is shown of a product's pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// The first one, and the first that waits: as lists do.
    First,
    /// All, and what waits of each, in its own size alone: a list of those who have to see all of it. Each URL that is
    /// signed has a kilobyte.
    InOwnSize,
    /// All of all.
    All,
}

/// Looking at products, with the pictures that wait at URLs that are good for some minutes.
#[derive(Debug, Clone)]
pub struct Looking {
    products: Products,
    media: Media,
}

impl FromEnv for Looking {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { products: Products::from_env(aws)?, media: Media::from_env(aws)? })
    }
}

impl Looking {
    /// One of the caller's own products, whatever its state, and its version.
    ///
    /// # Errors
    /// Those of [`Products::find_of`].
    pub async fn at_own(
        &self,
        caller: &Caller,
        id: ProductId,
        now: Timestamp,
    ) -> Result<(OwnProduct, u32), Problem> {
        let found = self.products.find_of(caller, id).await?;
        let version = found.product.version();
        Ok((self.seen(found, Shown::All, now).await?, version))
    }

    /// A page of the caller's products, newest first.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn at_all_of(
        &self,
        caller: &Caller,
        cursors: &Cursors,
        request: &PageRequest,
        now: Timestamp,
    ) -> Result<Page<OwnProduct>, Problem> {
        self.page(self.products.list_of(caller.id(), cursors, request).await?, Shown::First, now).await
    }

    /// A page of what waits for an admin, newest first.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn at_pending(
        &self,
        cursors: &Cursors,
        request: &PageRequest,
        now: Timestamp,
    ) -> Result<Page<OwnProduct>, Problem> {
        self.page(self.products.list_pending(cursors, request).await?, Shown::InOwnSize, now).await
    }

    async fn page(
        &self,
        page: Page<ProductOffer>,
        shown: Shown,
        now: Timestamp,
    ) -> Result<Page<OwnProduct>, Problem> {
        let mut entries = Vec::with_capacity(page.entries.len());
        for found in page.entries {
            entries.push(self.seen(found, shown, now).await?);
        }
        Ok(Page { entries, next_cursor: page.next_cursor })
    }

    async fn seen(&self, found: ProductOffer, shown: Shown, now: Timestamp) -> anyhow::Result<OwnProduct> {
        let pictures = found.product.pictures();
        let mut seen = OwnProduct::from(found);
        if let Some(first) = pictures.iter().find(|picture| picture.waiting_picture.is_some()) {
            seen.waiting_picture = self.to_see(first, Shown::All, now).await?;
        }
        seen.pictures = match shown {
            Shown::First => None,
            Shown::InOwnSize | Shown::All => {
                let mut all = Vec::with_capacity(pictures.len());
                for picture in pictures {
                    let waiting_picture = self.to_see(&picture, shown, now).await?;
                    all.push(OwnPicture { waiting_picture, ..picture.into() });
                }
                Some(all)
            }
        };
        Ok(seen)
    }

    /// What waits of a picture, at URLs for whoever asked.
    async fn to_see(
        &self,
        picture: &Picture,
        shown: Shown,
        now: Timestamp,
    ) -> anyhow::Result<Option<PictureToSee>> {
        let Some(waiting) = picture.waiting_picture.clone() else { return Ok(None) };
        let placed = if shown == Shown::All { waiting.placed } else { waiting.placed.in_own_size() };
        let Published { image_url, images } = self.media.look_at(&placed, now).await?;
        Ok(Some(PictureToSee { file_name: waiting.file_name, image_url, images }))
    }
}
