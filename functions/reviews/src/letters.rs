//! What sellers are told of reviews, and those who wrote them of replies.

use std::fmt;
use std::str::FromStr;

use products::Products;
use shared::caller::UserId;
use shared::letters::{Language, Letter, Letters, Link, OfEvent};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::worker::Failure;
use shared::values::id::NotAnId;
use shared::values::text::isolated;
use users::{Group, PersonId, Profile, Users};

use crate::{ProductId, Review, Reviews, Title, Words};

shared::names!(
    /// What a letter about a review says.
    pub enum ReviewLetterKind {
        /// Somebody reviewed a product, as its seller is told.
        Posted = "review.posted",
        /// The seller replied, as the author is told.
        Answered = "review.answered",
    }
);

/// Which review: of what and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewOf {
    /// What it is of.
    pub product: ProductId,
    /// Who wrote it.
    pub author: UserId,
}

impl fmt::Display for ReviewOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.product, self.author)
    }
}

impl FromStr for ReviewOf {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (product, author) = text.split_once('.').ok_or(NotAnId)?;
        Ok(Self { product: product.parse()?, author: author.parse::<PersonId>()?.0 })
    }
}

/// What there is to tell of reviews.
#[derive(Debug, Clone)]
pub struct ReviewLetters {
    reviews: Reviews,
    products: Products,
    users: Users,
}

impl FromEnv for ReviewLetters {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            reviews: Reviews::from_env(aws)?,
            products: Products::from_env(aws)?,
            users: Users::from_env(aws)?,
        })
    }
}

impl Letters for ReviewLetters {
    const THINGS: &'static str = "reviews";

    type Kind = ReviewLetterKind;
    type Id = OfEvent<ReviewOf>;
    type Thing = ();

    async fn letter(
        &self,
        kind: ReviewLetterKind,
        id: &OfEvent<ReviewOf>,
    ) -> Result<Option<(Letter, ())>, Failure> {
        let ReviewOf { product, author } = &id.thing;
        let (review, product) =
            tokio::try_join!(self.reviews.find((*product, author)), self.products.find(*product))?;
        // Of what is gone by now there is nothing to tell.
        let Some((review, product)) = review.zip(product) else { return Ok(None) };
        let reader = match kind {
            ReviewLetterKind::Posted => product.product.seller(),
            ReviewLetterKind::Answered => author,
        };
        let words = |reader: &Profile| review.letter(kind, product.product.name().as_str(), reader);
        let letter = self.users.letter_to(reader, Group::Reviews, words).await?;
        Ok(letter.map(|letter| (letter, ())))
    }
}

impl Review {
    /// What `reader` is told of it, of a product of this name; `None` when that is not so, or no longer.
    pub fn letter(&self, kind: ReviewLetterKind, product: &str, reader: &Profile) -> Option<Letter> {
        let reply = self.reply.as_ref().map(|reply| isolated(reply.text.as_str()));
        let is_so = kind == ReviewLetterKind::Posted || reply.is_some();
        if !is_so || !self.is_shown() || self.is_by_a_former_customer() {
            return None;
        }
        let product = isolated(product);
        let stars = self.stars.stars();
        let said = [self.title.as_ref().map(Title::as_str), self.text.as_ref().map(Words::as_str)];
        let quoted = |open: char, close: char| {
            said.into_iter().flatten().map(move |text| format!("{open}{}{close}", isolated(text)))
        };
        let reply = reply.unwrap_or_default();
        let (subject, headline, paragraphs, link) = match (kind, reader.language()) {
            (ReviewLetterKind::Posted, Language::English) => (
                format!("{product} has a new review"),
                "Your product has a new review",
                std::iter::once(format!("“{product}” was given {stars} of 5 stars."))
                    .chain(quoted('“', '”'))
                    .collect(),
                "See the reviews and reply",
            ),
            (ReviewLetterKind::Posted, Language::German) => (
                format!("{product} wurde bewertet"),
                "Ihr Produkt wurde bewertet",
                std::iter::once(format!("„{product}“ bekam {stars} von 5 Sternen."))
                    .chain(quoted('„', '“'))
                    .collect(),
                "Bewertungen ansehen und antworten",
            ),
            (ReviewLetterKind::Answered, Language::English) => (
                format!("The seller replied to your review of {product}"),
                "The seller replied to your review",
                vec![format!("On what you said of “{product}”: “{reply}”")],
                "See the reviews",
            ),
            (ReviewLetterKind::Answered, Language::German) => (
                format!("Antwort auf Ihre Bewertung von {product}"),
                "Auf Ihre Bewertung wurde geantwortet",
                vec![format!("Zu dem, was Sie über „{product}“ sagten: „{reply}“")],
                "Bewertungen ansehen",
            ),
        };
        Some(Letter {
            to: reader.recipient(),
            subject,
            headline: headline.into(),
            paragraphs,
            code: None,
            rows: Vec::new(),
            totals: Vec::new(),
            link: Some(Link { text: link.into(), path: format!("/products/{}", self.product_id) }),
            links: Vec::new(),
            reference: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn review(with: &Value) -> Review {
        let mut item = json!({
            "productId": "01a1fbbc-f7cc-71a0-aa66-431f703e44ea", "userId": "b0b", "stars": 4, "title": "Fine",
            "text": "Strong.", "verified": true, "createdAt": "2026-11-21T12:00:00.000Z",
            "updatedAt": "2026-11-21T12:05:00.000Z", "version": 1, "schemaVersion": 1
        });
        item.as_object_mut().unwrap().extend(with.as_object().cloned().unwrap());
        serde_json::from_value(item).unwrap()
    }

    fn ann() -> Profile {
        serde_json::from_value(json!({
            "userId": "5d0c", "email": "ann@example.com", "fullName": "Ann Lee", "username": "Ann_Lee",
            "createdAt": "2026-11-21T12:00:00.000Z"
        }))
        .unwrap()
    }

    fn answered() -> Review {
        review(&json!({ "reply": { "text": "Thank you.", "at": "2026-11-21T12:05:00.000Z" } }))
    }

    #[test]
    fn a_review_is_told_with_its_stars_and_words_and_a_reply_with_what_it_says() {
        let told = |review: &Review, kind| review.letter(kind, "Tea", &ann()).unwrap().paragraphs;
        let posted = told(&review(&json!({})), ReviewLetterKind::Posted);
        assert_eq!(posted, ["“Tea” was given 4 of 5 stars.", "“Fine”", "“Strong.”"]);
        let reply = told(&answered(), ReviewLetterKind::Answered);
        assert_eq!(reply, ["On what you said of “Tea”: “Thank you.”"]);
    }

    #[test]
    fn nothing_is_told_of_what_is_hidden_or_has_no_reply_any_more() {
        let told = |review: &Review, kind| review.letter(kind, "Tea", &ann());
        let hidden = review(&json!({ "hidden": { "at": "2026-11-21T12:05:00.000Z" } }));
        assert_eq!(told(&hidden, ReviewLetterKind::Posted), None);
        assert_eq!(told(&review(&json!({})), ReviewLetterKind::Answered), None);
        assert!(ReviewLetterKind::ALL.into_iter().all(|kind| told(&answered(), kind).is_some()));
    }

    #[test]
    fn a_review_is_named_by_what_it_is_of_and_who_wrote_it() {
        let text = "01a1fbbc-f7cc-71a0-aa66-431f703e44ea.5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94";
        assert_eq!(text.parse::<ReviewOf>().unwrap().to_string(), text);
        for text in ["", "01a1fbbc-f7cc-71a0-aa66-431f703e44ea", "01a1fbbc-f7cc-71a0-aa66-431f703e44ea.bob"] {
            assert_eq!(text.parse::<ReviewOf>(), Err(NotAnId), "{text}");
        }
    }
}
