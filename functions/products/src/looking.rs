//! What sellers and admins see of a product that everyone does not: the picture that waits for an approval.

use shared::caller::Caller;
use shared::dynamo::list::{Cursors, Page, PageRequest};
use shared::http::problem::Problem;
use shared::media::{Media, Published};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;

use crate::{OwnProduct, PictureToSee, ProductId, ProductOffer, Products};

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
        Ok((self.seen(found, now).await?, version))
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
        self.page(self.products.list_of(caller.id(), cursors, request).await?, now).await
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
        self.page(self.products.list_pending(cursors, request).await?, now).await
    }

    async fn page(&self, page: Page<ProductOffer>, now: Timestamp) -> Result<Page<OwnProduct>, Problem> {
        let mut entries = Vec::with_capacity(page.entries.len());
        for found in page.entries {
            entries.push(self.seen(found, now).await?);
        }
        Ok(Page { entries, next_cursor: page.next_cursor })
    }

    async fn seen(&self, found: ProductOffer, now: Timestamp) -> anyhow::Result<OwnProduct> {
        let waiting = found.product.waiting().cloned();
        let mut seen = OwnProduct::from(found);
        if let Some(waiting) = waiting {
            let Published { image_url, images } = self.media.look_at(&waiting.placed, now).await?;
            seen.waiting_picture = Some(PictureToSee { file_name: waiting.file_name, image_url, images });
        }
        Ok(seen)
    }
}
