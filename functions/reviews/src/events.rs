//! What happened to reviews and to what they come to, read from an item before and after a write.

use products::ratings::{Stars, Totals};
use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::values::time::Timestamp;

use crate::{EachStar, Entry, Given, ProductId, Review};

/// Something that happened to a review, or to the totals of its product. As JSON it is the event's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewEvent {
    /// Of which product.
    pub product_id: ProductId,
    /// When; `None` where no item says it.
    #[serde(skip)]
    pub at: Option<Timestamp>,
    /// What.
    #[serde(skip)]
    pub what: What,
    /// What it was about.
    #[serde(flatten)]
    pub about: About,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum About {
    /// A review.
    #[serde(rename_all = "camelCase")]
    Review {
        /// Its author.
        user_id: UserId,
        /// How many stars it gives, or gave last.
        stars: Given,
    },
    /// All reviews of a product that are shown.
    Totals {
        /// How often they changed: the greater of two is the later.
        version: u32,
        /// How many give how many stars.
        stars: EachStar,
    },
}

/// How a product is rated, as its event tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RatedTold {
    /// Which product.
    pub product_id: ProductId,
    /// How often its totals changed: the greater of two is the later.
    pub version: u32,
    /// How many reviews give how many stars.
    pub stars: EachStar,
}

shared::names!(
    /// What happened, by the name that subscribers know it by.
    pub enum What {
        /// Somebody reviewed a product.
        Posted = "review.posted",
        /// Its author changed it.
        Edited = "review.edited",
        /// It is gone: its author or an admin deleted it.
        Removed = "review.removed",
        /// An admin hid it.
        Hidden = "review.hidden",
        /// An admin shows it again.
        Shown = "review.shown",
        /// The seller replied to it, or said something else.
        Answered = "review.answered",
        /// A product is rated by more reviews, by fewer or by others.
        Rated = "product.rated",
    }
);

/// What happened between two states of an item of the table. What becomes of the reviews of somebody whose account goes
/// is told of the totals alone, which it does not change.
pub fn between(old: Option<&Entry>, new: Option<&Entry>) -> Vec<ReviewEvent> {
    match (old, new) {
        (old, Some(Entry::Totals(new))) => rated(old, *new).into_iter().collect(),
        (_, Some(Entry::Review(new))) if new.is_by_a_former_customer() => Vec::new(),
        (Some(Entry::Review(old)), Some(Entry::Review(new))) => changed(old, new),
        (_, Some(Entry::Review(new))) => posted(new),
        (Some(Entry::Review(old)), None) if !old.is_by_a_former_customer() => {
            vec![of(old, What::Removed, None)]
        }
        (_, None) => Vec::new(),
    }
}

fn of(review: &Review, what: What, at: Option<Timestamp>) -> ReviewEvent {
    let about = About::Review { user_id: review.user_id.clone(), stars: review.stars };
    ReviewEvent { product_id: review.product_id, at, what, about }
}

/// A review that is first seen later tells all that its state says.
fn posted(new: &Review) -> Vec<ReviewEvent> {
    let mut events = vec![of(new, What::Posted, Some(new.created_at))];
    if let Some(reply) = &new.reply {
        events.push(of(new, What::Answered, Some(reply.at)));
    }
    if let Some(hidden) = &new.hidden {
        events.push(of(new, What::Hidden, Some(hidden.at)));
    }
    events
}

fn changed(old: &Review, new: &Review) -> Vec<ReviewEvent> {
    let mut events = Vec::new();
    let mut happened = |what| events.push(of(new, what, Some(new.updated_at)));
    let said =
        |review: &Review| (review.stars, review.title.clone(), review.text.clone(), review.name.clone());
    if said(old) != said(new) {
        happened(What::Edited);
    }
    if new.reply.is_some() && new.reply != old.reply {
        happened(What::Answered);
    }
    match (old.is_shown(), new.is_shown()) {
        (true, false) => happened(What::Hidden),
        (false, true) => happened(What::Shown),
        (true, true) | (false, false) => {}
    }
    events
}

fn rated(old: Option<&Entry>, new: Totals) -> Option<ReviewEvent> {
    let before = match old {
        Some(Entry::Totals(old)) => old.stars(),
        Some(Entry::Review(_)) | None => Stars::default(),
    };
    (before != new.stars()).then(|| ReviewEvent {
        product_id: new.product_id(),
        at: None,
        what: What::Rated,
        about: About::Totals { version: new.version(), stars: new.stars().into() },
    })
}
