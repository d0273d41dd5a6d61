//! What sellers and admins do with the reviews of others.

use products::Products;
use shared::caller::Caller;
use shared::http::IfMatch;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;

use crate::store::By;
use crate::{Author, Error, NewReply, ProductId, Review, Reviews, Visibility};

/// Replying to reviews, and hiding them.
#[derive(Debug, Clone)]
pub struct Moderating {
    products: Products,
    reviews: Reviews,
}

impl FromEnv for Moderating {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { products: Products::from_env(aws)?, reviews: Reviews::from_env(aws)? })
    }
}

impl Moderating {
    /// Says something to a review for the seller of its product, on the condition that the caller is that. Of a hidden
    /// one the seller knows nothing. Safe to repeat: what was said already changes nothing.
    ///
    /// # Errors
    /// [`Error::NotTheSeller`], [`Error::NotFound`] and [`Error::NoProduct`], [`Error::AnotherVersion`],
    /// [`Error::ChangedMeanwhile`].
    pub async fn reply(
        &self,
        seller: &Caller,
        (product, Author(author)): (ProductId, &Author),
        if_match: &IfMatch,
        reply: &NewReply,
        now: Timestamp,
    ) -> Result<Review, Error> {
        let by = By::Seller(self.products.is_theirs(product, seller.id())?);
        let rule = |review: Review| {
            if review.is_shown() { Ok(review.answered(reply, now)) } else { Err(Error::NotFound) }
        };
        self.reviews.change((product, author), if_match, &by, rule).await
    }

    /// Hides a review from everybody but its author and the admins, or shows it again; its stars count accordingly.
    /// Safe to repeat: what is so already changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::AnotherVersion`], [`Error::ChangedMeanwhile`].
    pub async fn set_visibility(
        &self,
        (product, Author(author)): (ProductId, &Author),
        if_match: &IfMatch,
        visibility: &Visibility,
        now: Timestamp,
    ) -> Result<Review, Error> {
        let rule = |review: Review| Ok(review.moderated(visibility, now));
        self.reviews.change((product, author), if_match, &By::Anybody, rule).await
    }
}
