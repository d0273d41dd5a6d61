//! What people do with their own reviews.

use products::Products;
use shared::caller::Caller;
use shared::dynamo::list::{Cursors, Page, PageRequest};
use shared::guards::rate_limit::PersonLimit;
use shared::http::IfMatch;
use shared::http::problem::Problem;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;

use crate::store::By;
use crate::{Error, Given, NewReview, Order, ProductId, PurchaseRule, Review, Reviews};

/// Posting reviews, as often as one person may.
#[derive(Debug, Clone)]
pub struct Reviewing {
    limit: PersonLimit,
    rule: PurchaseRule,
    reviews: Reviews,
}

impl FromEnv for Reviewing {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            limit: PersonLimit::from_env(aws)?.and_a_day()?,
            rule: PurchaseRule::from_env(aws)?,
            reviews: Reviews::from_env(aws)?,
        })
    }
}

impl Reviewing {
    /// Counts the request and records a review, with its stars: two round trips, and three where it turns out that its
    /// author, who need not have bought the product, has not. Safe to repeat: one person has one review of a product.
    ///
    /// # Errors
    /// `too-many-requests`, and those of [`Reviews::post`].
    pub async fn post(
        &self,
        author: &Caller,
        product: ProductId,
        new: NewReview,
        now: Timestamp,
    ) -> Result<Review, Problem> {
        self.limit.count("create-review", author.id(), now).await?;
        let posted = self.reviews.post(Review::new(product, author.id(), new, now), self.rule).await?;
        tracing::info!(product_id = %product, "review posted");
        Ok(posted)
    }
}

/// Reading the reviews of a product.
#[derive(Debug, Clone)]
pub struct Reading {
    products: Products,
    reviews: Reviews,
}

impl FromEnv for Reading {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { products: Products::from_env(aws)?, reviews: Reviews::from_env(aws)? })
    }
}

impl Reading {
    /// A page of the reviews of something that is for sale, in an order and perhaps only those of so many stars, with
    /// what all of them come to: two calls side by side.
    ///
    /// # Errors
    /// `not-found`, and `invalid-input` for a cursor of another list.
    pub async fn list(
        &self,
        product: ProductId,
        (order, stars): (Order, Option<Given>),
        cursors: &Cursors,
        request: &PageRequest,
        now: Timestamp,
    ) -> Result<(Page<Review>, products::ratings::Stars), Problem> {
        let (page, totals) = tokio::join!(
            self.reviews.list(product, order, stars, cursors, request),
            self.products.stars_of(product, now)
        );
        let totals = totals?;
        Ok((page?, totals))
    }
}

impl Reviews {
    /// Changes the caller's own review, if it is a version that the request is about and the account may be used.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::AccountClosed`], [`Error::AnotherVersion`], [`Error::ChangedMeanwhile`].
    pub async fn edit(
        &self,
        author: &Caller,
        product: ProductId,
        if_match: &IfMatch,
        new: &NewReview,
        now: Timestamp,
    ) -> Result<Review, Error> {
        let by = By::Author(author.id().clone());
        self.change((product, author.id()), if_match, &by, |review| Ok(review.edited(new, now))).await
    }
}
