//! What buyers say of products: stars and words, a reply of the seller, and what all stars of a product come to. The
//! rules are here and call nothing; [`store`] keeps reviews in DynamoDB and counts their stars in the same
//! transactions, [`purchases`] keeps who bought what, [`Reviewing`] is what authors do, [`moderating`] what sellers and
//! admins do, and [`rating`] what stores have of it.

pub mod events;
pub mod letters;
pub mod moderating;
pub mod purchases;
pub mod rating;
pub mod reviewing;
pub mod store;

use std::fmt;
use std::str::FromStr;

use products::ratings::{Rating, Stars, Totals};
use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::dynamo::list::Page;
use shared::http::Parameter;
use shared::http::input::{Body, Field, Fields, Number, Value, whole_number};
use shared::http::problem::{CONFLICT, FORBIDDEN, Kind, Problem, StatusCode};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;
use uuid::Uuid;

pub use letters::{ReviewLetterKind, ReviewLetters};
pub use moderating::Moderating;
pub use products::ProductId;
pub use purchases::Purchases;
pub use rating::StoreRatings;
pub use reviewing::Reviewing;
pub use store::Reviews;

/// 403: the product was not bought, or all of it came back.
const NOT_BOUGHT: Kind = Kind::new(StatusCode::FORBIDDEN, "not-bought", "Not bought");
/// 403: it is the caller's own product.
const OWN_PRODUCT: Kind = Kind::new(StatusCode::FORBIDDEN, "own-product", "Own product");
/// 409: the caller has reviewed it before.
const ALREADY_REVIEWED: Kind = Kind::new(StatusCode::CONFLICT, "already-reviewed", "Already reviewed");

shared::text!(
    /// What a review says in a line.
    Title, 1..=120
);

shared::text!(
    /// What a review says.
    Words, 1..=4000, multiline
);

shared::text!(
    /// By which name its author wants to be read.
    PenName, 1..=60
);

shared::text!(
    /// What the seller says to a review.
    ReplyText, 1..=2000, multiline
);

shared::text!(
    /// Why an admin hid a review.
    WhyHidden, 1..=500
);

/// How good somebody finds a product: one to five stars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Given(u8);

impl Given {
    /// So many stars; `None` for none and for more than five.
    pub fn new(stars: u8) -> Option<Self> {
        (1..=5).contains(&stars).then_some(Self(stars))
    }

    /// As a number of stars.
    pub const fn stars(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Field for Given {
    fn parse(value: Value) -> Result<Self, String> {
        let stars = whole_number(&value, 1..=5)?;
        u8::try_from(stars).ok().and_then(Self::new).ok_or_else(|| NOT_STARS.to_owned())
    }
}

const NOT_STARS: &str = "must be a whole number from 1 to 5";

impl FromStr for Given {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let number = text.parse::<Number>().ok().and_then(|number| number.shifted(0));
        number.and_then(|stars| u8::try_from(stars).ok()).and_then(Self::new).ok_or(NOT_STARS)
    }
}

impl Parameter for Given {
    const NAME: &'static str = "stars";
}

shared::names!(
    /// In which order reviews are listed.
    pub enum Order {
        /// The newest first.
        Newest = "newest",
        /// Those with the most stars first, of those the newest.
        Highest = "highest",
        /// Those with the fewest stars first, of those the oldest.
        Lowest = "lowest",
    }
);

impl Parameter for Order {
    const NAME: &'static str = "sort";
}

shared::names!(
    /// Who may review a product, from the variable `REVIEWS_NEED_PURCHASE`.
    pub enum PurchaseRule {
        /// Whoever has bought it.
        Needed = "on",
        /// Anybody; a review says whether its author has.
        Noted = "off",
    }
);

impl FromEnv for PurchaseRule {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        config::required("REVIEWS_NEED_PURCHASE")
    }
}

/// What begins the name of an author whose account is gone. No `sub` has a `#`.
const FORMER: &str = "former#";

/// Whose review of a product it is. As a part of a path it is any text that names a person or somebody who was one, and
/// not what stands among the reviews beside them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Author(pub UserId);

impl FromStr for Author {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() || text.starts_with('#') {
            return Err("must be an author's id");
        }
        Ok(Self(UserId::from(text.to_owned())))
    }
}

shared::body!(
    /// What somebody says of a product.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct NewReview {
        stars: Given,
        title: Option<Title>,
        text: Option<Words>,
        name: Option<PenName>,
    }
);

shared::body!(
    /// What the seller says to it; without a text, nothing any more.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct NewReply {
        text: Option<ReplyText>,
    }
);

/// Whether everybody sees a review: `{visible: true}`, or `{visible: false, reason?}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visibility {
    /// Everybody does.
    Shown,
    /// Its author and the admins do, and its author is told why.
    Hidden(Option<WhyHidden>),
}

impl Body for Visibility {
    fn read(fields: &mut Fields) -> Option<Self> {
        let visible: Option<bool> = fields.required("visible");
        let reason = fields.optional("reason");
        if visible? {
            if reason.is_some() {
                fields.fault("reason", "is for reviews that are hidden");
            }
            return Some(Self::Shown);
        }
        Some(Self::Hidden(reason))
    }
}

/// What the seller said to a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    text: ReplyText,
    at: Timestamp,
}

/// That an admin hid a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hidden {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<WhyHidden>,
    at: Timestamp,
}

/// The shape in which reviews, totals and purchases are written.
const SCHEMA_VERSION: u32 = 1;

/// A review as the table keeps it. All of it changes under its `version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    product_id: ProductId,
    /// Its author.
    user_id: UserId,
    stars: Given,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<Title>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<Words>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<PenName>,
    /// Whether its author had bought the product.
    verified: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply: Option<Reply>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hidden: Option<Hidden>,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: u32,
    schema_version: u32,
}

impl Review {
    /// What `author` says of a product at `now`, who has bought it.
    pub fn new(product: ProductId, author: &UserId, new: NewReview, now: Timestamp) -> Self {
        Self {
            product_id: product,
            user_id: author.clone(),
            stars: new.stars,
            title: new.title,
            text: new.text,
            name: new.name,
            verified: true,
            reply: None,
            hidden: None,
            created_at: now,
            updated_at: now,
            version: 1,
            schema_version: SCHEMA_VERSION,
        }
    }

    /// The same by somebody who has not bought the product.
    #[must_use]
    pub fn unverified(self) -> Self {
        Self { verified: false, ..self }
    }

    /// Of which product.
    pub fn product_id(&self) -> ProductId {
        self.product_id
    }

    /// Whose it is.
    pub fn author(&self) -> &UserId {
        &self.user_id
    }

    /// How many stars it gives.
    pub fn stars(&self) -> Given {
        self.stars
    }

    /// Counts the changes, from 1.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Whether everybody sees it, and its stars count.
    pub fn is_shown(&self) -> bool {
        self.hidden.is_none()
    }

    /// The stars that count of it.
    pub fn counts(&self) -> Option<Given> {
        self.is_shown().then_some(self.stars)
    }

    /// As its author wants it from `now` on; `None` where nothing is different.
    pub fn edited(self, new: &NewReview, now: Timestamp) -> Option<Self> {
        let NewReview { stars, title, text, name } = new.clone();
        Self { stars, title, text, name, ..self.clone() }.if_not(&self, now)
    }

    /// With what its seller says to it from `now` on; `None` where that was said before.
    pub fn answered(self, reply: &NewReply, now: Timestamp) -> Option<Self> {
        let said = self.reply.as_ref().map(|reply| &reply.text);
        if said == reply.text.as_ref() {
            return None;
        }
        let reply = reply.text.clone().map(|text| Reply { text, at: now });
        Self { reply, ..self.clone() }.if_not(&self, now)
    }

    /// As an admin wants it to be seen from `now` on; `None` where it is so already.
    pub fn moderated(self, visibility: &Visibility, now: Timestamp) -> Option<Self> {
        let hidden = match (visibility, &self.hidden) {
            (Visibility::Shown, _) => None,
            (Visibility::Hidden(reason), Some(hidden)) if hidden.reason == *reason => Some(hidden.clone()),
            (Visibility::Hidden(reason), _) => Some(Hidden { reason: reason.clone(), at: now }),
        };
        Self { hidden, ..self.clone() }.if_not(&self, now)
    }

    /// What stays of it when its author's account is gone: the stars, and that the author had bought the product.
    /// Whoever it is now named by was never anybody.
    pub fn forgotten(self, by: Uuid, now: Timestamp) -> Self {
        Self {
            user_id: UserId::from(format!("{FORMER}{}", by.hyphenated())),
            title: None,
            text: None,
            name: None,
            reply: None,
            hidden: self.hidden.map(|hidden| Hidden { reason: None, ..hidden }),
            updated_at: now.after(self.updated_at),
            version: self.version + 1,
            ..self
        }
    }

    /// Whether its author's account is gone.
    pub fn is_by_a_former_customer(&self) -> bool {
        self.user_id.to_string().starts_with(FORMER)
    }

    fn if_not(self, before: &Self, now: Timestamp) -> Option<Self> {
        (self != *before).then(|| Self {
            version: before.version + 1,
            updated_at: now.after(before.updated_at),
            ..self
        })
    }
}

/// What the table has: reviews, and the totals of a product among them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Entry {
    /// A review.
    Review(Box<Review>),
    /// A product's totals.
    Totals(Totals),
}

/// A review as whoever may see it does. Of a hidden one, its author and the admins see why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewView {
    product_id: ProductId,
    user_id: UserId,
    stars: Given,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<Title>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Words>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<PenName>,
    verified: bool,
    /// Where it is so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    former_customer: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<Reply>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<Hidden>,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: u32,
}

impl From<Review> for ReviewView {
    fn from(review: Review) -> Self {
        Self {
            former_customer: review.is_by_a_former_customer(),
            product_id: review.product_id,
            user_id: review.user_id,
            stars: review.stars,
            title: review.title,
            text: review.text,
            name: review.name,
            verified: review.verified,
            reply: review.reply,
            hidden: review.hidden,
            created_at: review.created_at,
            updated_at: review.updated_at,
            version: review.version,
        }
    }
}

/// A page of reviews.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewList {
    reviews: Vec<ReviewView>,
    next_cursor: Option<String>,
}

impl From<Page<Review>> for ReviewList {
    fn from(page: Page<Review>) -> Self {
        let reviews = page.entries.into_iter().map(ReviewView::from).collect();
        Self { reviews, next_cursor: page.next_cursor }
    }
}

/// What all reviews of a product come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Summary {
    #[serde(flatten)]
    rating: Rating,
    stars: EachStar,
}

/// How many reviews give one star, two, and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EachStar {
    #[serde(rename = "1")]
    one: u32,
    #[serde(rename = "2")]
    two: u32,
    #[serde(rename = "3")]
    three: u32,
    #[serde(rename = "4")]
    four: u32,
    #[serde(rename = "5")]
    five: u32,
}

impl From<Stars> for EachStar {
    fn from(stars: Stars) -> Self {
        let [one, two, three, four, five] = stars.each();
        Self { one, two, three, four, five }
    }
}

impl From<EachStar> for Stars {
    fn from(EachStar { one, two, three, four, five }: EachStar) -> Self {
        Self::of([one, two, three, four, five])
    }
}

/// A page of a product's reviews, with what all of them come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProductReviews {
    #[serde(flatten)]
    page: ReviewList,
    summary: Summary,
}

impl ProductReviews {
    /// This page of reviews, of all that give so many stars.
    pub fn new(page: Page<Review>, stars: Stars) -> Self {
        Self { page: page.into(), summary: Summary { rating: stars.rating(), stars: stars.into() } }
    }
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such product, or it is not for sale.
    #[error("there is no such product")]
    NoProduct,
    /// There is no such review.
    #[error("there is no such review")]
    NotFound,
    /// The author has not bought the product.
    #[error("the product was not bought")]
    NotBought,
    /// The author sells the product.
    #[error("the product is the author's own")]
    OwnProduct,
    /// The author's account is disabled, being deleted or gone.
    #[error("the account is closed")]
    AccountClosed,
    /// The author has reviewed the product before.
    #[error("the product was reviewed before")]
    AlreadyReviewed,
    /// Somebody else sells the product.
    #[error("somebody else sells the product")]
    NotTheSeller,
    /// It is not, or no longer, a version that the request is about.
    #[error("the review is another version")]
    AnotherVersion,
    /// Others changed it again and again at the same time.
    #[error("the review was changed by others at the same time")]
    ChangedMeanwhile,
    /// A call failed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NoProduct => Self::not_found("product"),
            Error::NotFound => Self::not_found("review"),
            Error::NotBought => Self::new(
                NOT_BOUGHT,
                "Only who has bought a product reviews it, from when it is on its way. Try again then.",
            ),
            Error::OwnProduct => Self::new(OWN_PRODUCT, "Nobody reviews a product of their own."),
            Error::AccountClosed => users::account_closed(),
            Error::AlreadyReviewed => Self::new(
                ALREADY_REVIEWED,
                "You have reviewed this product before. Change that review, or delete it first.",
            ),
            Error::NotTheSeller => {
                Self::new(FORBIDDEN, "Only its seller replies to the reviews of this product.")
            }
            Error::AnotherVersion => Self::another_version("review"),
            Error::ChangedMeanwhile => {
                Self::new(CONFLICT, "The review was changed by others at the same time. Please try again.")
            }
            Error::Failed(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests;
