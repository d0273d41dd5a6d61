//! What sellers are told of their products.

use shared::letters::{Language, Letter, Letters, Link, OfEvent};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::worker::Failure;
use shared::values::text::isolated;
use users::{Group, Profile, Users};

use crate::{Product, ProductId, ProductOffer, Products};

shared::names!(
    /// What a letter about a product says.
    pub enum ProductLetterKind {
        /// It is for sale.
        Approved = "product.approved",
        /// It was turned down.
        Rejected = "product.rejected",
    }
);

/// What there is to tell of products.
#[derive(Debug, Clone)]
pub struct ProductLetters {
    products: Products,
    users: Users,
}

impl FromEnv for ProductLetters {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { products: Products::from_env(aws)?, users: Users::from_env(aws)? })
    }
}

impl Letters for ProductLetters {
    const THINGS: &'static str = "products";

    type Kind = ProductLetterKind;
    type Id = OfEvent<ProductId>;
    type Thing = ();

    async fn letter(
        &self,
        kind: ProductLetterKind,
        id: &OfEvent<ProductId>,
    ) -> Result<Option<(Letter, ())>, Failure> {
        // Of what is gone by now there is nothing to tell.
        let Some(ProductOffer { product, .. }) = self.products.find(id.thing).await? else { return Ok(None) };
        let words = |seller: &Profile| product.letter(kind, seller);
        let letter = self.users.letter_to(product.seller(), Group::Sales, words).await?;
        Ok(letter.map(|letter| (letter, ())))
    }
}

impl Product {
    /// What its seller is told; `None` when that is not so, or no longer.
    pub fn letter(&self, kind: ProductLetterKind, seller: &Profile) -> Option<Letter> {
        let is_so = match kind {
            ProductLetterKind::Approved => self.is_approved,
            ProductLetterKind::Rejected => self.rejection_reason.is_some(),
        };
        if !is_so {
            return None;
        }
        let name = isolated(self.product_name.as_str());
        let reason = isolated(self.rejection_reason.as_deref().unwrap_or_default());
        let (subject, headline, paragraphs, link) = match (kind, seller.language()) {
            (ProductLetterKind::Approved, Language::English) => (
                format!("{name} is for sale"),
                "Your product is for sale",
                vec![format!("“{name}” was approved: everyone can see and order it now.")],
                "See your product",
            ),
            (ProductLetterKind::Approved, Language::German) => (
                format!("{name} ist im Verkauf"),
                "Ihr Produkt ist im Verkauf",
                vec![format!("„{name}“ wurde freigegeben: Alle können es jetzt sehen und bestellen.")],
                "Zu Ihrem Produkt",
            ),
            (ProductLetterKind::Rejected, Language::English) => (
                format!("{name} was not approved"),
                "Your product was not approved",
                vec![
                    format!("“{name}” is not for sale. The shop wrote: “{reason}”"),
                    "Change it accordingly, and it will be looked at again.".to_owned(),
                ],
                "Change your product",
            ),
            (ProductLetterKind::Rejected, Language::German) => (
                format!("{name} wurde nicht freigegeben"),
                "Ihr Produkt wurde nicht freigegeben",
                vec![
                    format!("„{name}“ ist nicht im Verkauf. Der Shop schrieb: „{reason}“"),
                    "Ändern Sie es entsprechend, dann wird es noch einmal angesehen.".to_owned(),
                ],
                "Produkt ändern",
            ),
        };
        Some(Letter {
            to: seller.recipient(),
            subject,
            headline: headline.into(),
            paragraphs,
            code: None,
            rows: Vec::new(),
            totals: Vec::new(),
            link: Some(Link { text: link.into(), path: format!("/products/{}", self.id) }),
            links: Vec::new(),
            reference: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn product(is_approved: bool, reason: Option<&str>) -> Product {
        serde_json::from_value(json!({
            "id": "01a1fbbc-f7cc-71a0-aa66-431f703e44ea", "ownerId": "5d0c", "fileName": "tea.png",
            "productName": "Tea", "productPrice": 450, "currency": "USD", "description": "Green",
            "category": "Drinks", "isApproved": is_approved, "rejectionReason": reason,
            "createdAt": "2026-11-21T12:00:00.000Z", "updatedAt": "2026-11-21T12:05:00.000Z", "version": 1
        }))
        .unwrap()
    }

    fn ann(with: &Value) -> Profile {
        let mut item = json!({
            "userId": "5d0c", "email": "ann@example.com", "fullName": "Ann Lee", "username": "Ann_Lee",
            "createdAt": "2026-11-21T12:00:00.000Z"
        });
        item.as_object_mut().unwrap().extend(with.as_object().cloned().unwrap());
        serde_json::from_value(item).unwrap()
    }

    #[test]
    fn a_seller_is_told_what_is_so_and_nothing_that_is_so_no_longer() {
        use ProductLetterKind::{Approved, Rejected};
        let (new, approved, rejected) =
            (product(false, None), product(true, None), product(false, Some("Blurred.")));
        let subject = |product: &Product, kind| product.letter(kind, &ann(&json!({}))).map(|one| one.subject);
        assert_eq!(subject(&approved, Approved), Some("Tea is for sale".into()));
        assert_eq!(subject(&rejected, Rejected), Some("Tea was not approved".into()));
        for (product, kind) in
            [(&new, Approved), (&rejected, Approved), (&new, Rejected), (&approved, Rejected)]
        {
            assert_eq!(subject(product, kind), None);
        }
        let letter = rejected.letter(Rejected, &ann(&json!({}))).unwrap();
        assert_eq!(letter.paragraphs[0], "“Tea” is not for sale. The shop wrote: “Blurred.”");
    }

    #[test]
    fn a_seller_who_reads_german_is_told_in_german() {
        let letter =
            product(true, None).letter(ProductLetterKind::Approved, &ann(&json!({ "locale": "de" })));
        assert_eq!(letter.map(|letter| letter.subject), Some("Tea ist im Verkauf".into()));
    }
}
