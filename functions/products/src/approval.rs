//! What an admin decides on a product, and what becomes of its pictures then.
//!
//! Pictures are copied to where everyone sees them before the write that shows them. Whoever dies between the two
//! leaves copies that nobody refers to, and before them the product was marked to be swept: see [`crate::pictures`].

use futures_util::future::try_join_all;
use shared::http::IfMatch;
use shared::media::{Folder, Media, Placed, PublicationId, Published};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;

use crate::gallery::PictureOf;
use crate::pictures::PICTURES;
use crate::{
    Decision, Error, PictureId, Product, ProductId, ProductOffer, Products, PublishedPictures, Reapproval,
};

/// Deciding on products, and showing their pictures.
#[derive(Debug, Clone)]
pub struct Approvals {
    products: Products,
    media: Media,
}

impl FromEnv for Approvals {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { products: Products::from_env(aws)?, media: Media::from_env(aws)? })
    }
}

impl Approvals {
    /// Approves a product or turns it down: the version that the admin looked at, which `if_match` says, or that is
    /// there now. Safe to repeat: the same decision again changes nothing but its time.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::AnotherVersion`] when it is not the one that was looked at, and
    /// [`Error::ChangedMeanwhile`] when nobody said which that was.
    pub async fn decide(
        &self,
        id: ProductId,
        if_match: &IfMatch,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<ProductOffer, Error> {
        let found = self.products.find(id).await?.ok_or(Error::NotFound)?;
        if !if_match.allows(found.product.version()) {
            return Err(Error::AnotherVersion);
        }
        let decided = match decision {
            Decision::Approved => {
                let waiting = found.product.waiting();
                self.publish(found, waiting, now, |product, published| product.approved(published, now)).await
            }
            Decision::Rejected(reason) => {
                let rejected = found.product.clone().rejected(reason.as_ref(), now);
                self.replace(&found, rejected).await
            }
        };
        match (decided, if_match) {
            (Err(Error::ChangedMeanwhile), IfMatch::Versions(_)) => Err(Error::AnotherVersion),
            (decided, _) => decided,
        }
    }

    /// Shows the pictures that wait and need nobody's approval. Repeated, there is none that waits.
    ///
    /// # Errors
    /// [`Error::ChangedMeanwhile`], or when the bucket or the tables fail.
    pub(crate) async fn show(
        &self,
        found: ProductOffer,
        reapproval: Reapproval,
        now: Timestamp,
    ) -> Result<ProductOffer, Error> {
        let waiting = found.product.waiting_for_nobody(reapproval);
        self.publish(found, waiting, now, |product, published| product.showing(published).changed_at(now))
            .await
    }

    async fn publish(
        &self,
        found: ProductOffer,
        waiting: Vec<(PictureId, Placed)>,
        now: Timestamp,
        rule: impl Fn(Product, PublishedPictures) -> Product,
    ) -> Result<ProductOffer, Error> {
        let (product, id) = (&found.product, found.product.id());
        if !waiting.is_empty() {
            self.products.sweep_later(id, now).await?;
        }
        let publication = PublicationId::at(now);
        let copies = waiting.iter().map(async |(picture, placed)| {
            let published = self.media.publish(placed, publication).await?;
            anyhow::Ok((*picture, published))
        });
        let published = match try_join_all(copies).await {
            Ok(published) => published,
            // One was replaced and deleted since the product was read: there is nothing to copy.
            Err(error) => return Err(self.changed(product).await?.unwrap_or(Error::Failed(error))),
        };
        let changed = rule(product.clone(), published);
        self.replace(&found, changed).await
    }

    /// Why the product is not what it was, if it is not.
    async fn changed(&self, read: &Product) -> Result<Option<Error>, Error> {
        let found = self.products.find(read.id()).await?.ok_or(Error::NotFound)?;
        Ok((found.product.version() != read.version()).then_some(Error::ChangedMeanwhile))
    }

    /// Writes the product over the version that was read, and deletes the pictures that it has no more.
    async fn replace(&self, read: &ProductOffer, changed: Product) -> Result<ProductOffer, Error> {
        let written = self.products.replace(read, changed).await?;
        if let Err(error) = self.clear_away(&read.product, &written.product).await {
            // The sweep does it again.
            tracing::warn!(product_id = %read.product.id(), ?error, "left pictures behind");
        }
        Ok(written)
    }

    /// Deletes the pictures that the old product had and the new one has not. They are nobody's again.
    async fn clear_away(&self, old: &Product, new: &Product) -> anyhow::Result<()> {
        let (still_waiting, still_shown) = (new.waiting(), new.shown());
        let waited = old.waiting().into_iter().filter(|one| !still_waiting.contains(one));
        let waited: Vec<_> = waited.map(|(_, placed)| placed).collect();
        self.media.delete(Folder::Checked, &waited).await?;
        let shown = old.shown().into_iter().filter(|one| !still_shown.contains(one));
        let placed = |(picture, published): (PictureId, Published)| {
            published.placed(PICTURES, PictureOf { product: old.id(), picture })
        };
        self.media.delete(Folder::Images, &shown.filter_map(placed).collect::<Vec<_>>()).await
    }
}
