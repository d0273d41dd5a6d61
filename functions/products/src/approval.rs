//! What an admin decides on a product, and what becomes of its pictures then.
//!
//! A picture is copied to where everyone sees it before the write that shows it. Whoever dies between the two leaves a
//! copy that nobody refers to, and before the copy the product was marked to be swept: see [`crate::pictures`].

use shared::http::IfMatch;
use shared::media::{Folder, Media, PublicationId, Published};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;

use crate::pictures::PICTURES;
use crate::{Decision, Error, Product, ProductId, ProductOffer, Products};

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
                self.publish(found, now, |product, published| product.approved(published, now)).await
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

    /// Shows the picture that waits, which needs nobody's approval. Repeated, there is none that waits.
    ///
    /// # Errors
    /// [`Error::ChangedMeanwhile`], or when the bucket or the tables fail.
    pub(crate) async fn show(&self, found: ProductOffer, now: Timestamp) -> Result<ProductOffer, Error> {
        self.publish(found, now, |product, published| product.showing(published).changed_at(now)).await
    }

    async fn publish(
        &self,
        found: ProductOffer,
        now: Timestamp,
        rule: impl Fn(Product, Option<Published>) -> Product,
    ) -> Result<ProductOffer, Error> {
        let (product, id) = (&found.product, found.product.id());
        let published = match product.waiting() {
            None => None,
            Some(waiting) => {
                self.products.sweep_later(id, now).await?;
                match self.media.publish(&waiting.placed, PublicationId::at(now)).await {
                    Ok(published) => Some(published),
                    // It was replaced and deleted since the product was read: there is nothing to copy.
                    Err(error) => return Err(self.changed(product).await?.unwrap_or(Error::Failed(error))),
                }
            }
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
        if let Some(waiting) = old.waiting().filter(|waiting| new.waiting() != Some(waiting)) {
            self.media.delete(Folder::Checked, &waiting.placed).await?;
        }
        let shown = old.shown().filter(|shown| new.shown().as_ref() != Some(shown));
        if let Some(shown) = shown.and_then(|shown| shown.placed(PICTURES, old.id())) {
            self.media.delete(Folder::Images, &shown).await?;
        }
        Ok(())
    }
}
