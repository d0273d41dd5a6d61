//! What sellers are told of their products.

use shared::letters::{Language, Letter, Letters, Link, OfEvent};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::worker::Failure;
use shared::values::text::isolated;
use users::{Group, Profile, Users};

use crate::{ProductId, ProductOffer, Products};

shared::names!(
    /// What a letter about a product says.
    pub enum ProductLetterKind {
        /// It is for sale.
        Approved = "product.approved",
        /// It was turned down.
        Rejected = "product.rejected",
        /// Few pieces of it are left, or none.
        RanLow = "product.ran-low",
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
        let Some(found) = self.products.find(id.thing).await? else { return Ok(None) };
        let words = |seller: &Profile| found.letter(kind, seller);
        let letter = self.users.letter_to(found.product.seller(), Group::Sales, words).await?;
        Ok(letter.map(|letter| (letter, ())))
    }
}

impl ProductOffer {
    /// What its seller is told; `None` when that is not so, or no longer.
    pub fn letter(&self, kind: ProductLetterKind, seller: &Profile) -> Option<Letter> {
        let Self { product, offer, .. } = self;
        let is_so = match kind {
            ProductLetterKind::Approved => product.is_approved,
            ProductLetterKind::Rejected => product.rejection_reason.is_some(),
            ProductLetterKind::RanLow => product.is_for_sale() && offer.is_low(),
        };
        if !is_so {
            return None;
        }
        let name = isolated(product.product_name.as_str());
        let reason = isolated(product.rejection_reason.as_deref().unwrap_or_default());
        let pieces = offer.stock().pieces();
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
            (ProductLetterKind::RanLow, Language::English) => (
                if pieces == 0 { format!("{name} is sold out") } else { format!("{name} is running low") },
                if pieces == 0 { "Your product is sold out" } else { "Your product is running low" },
                vec![
                    match pieces {
                        0 => format!("Of “{name}” no piece is left: nobody can order it."),
                        1 => format!("Of “{name}” one piece is left."),
                        _ => format!("Of “{name}” {pieces} pieces are left."),
                    },
                    "When you have more, tell the shop how many.".to_owned(),
                ],
                "Change the stock",
            ),
            (ProductLetterKind::RanLow, Language::German) => (
                if pieces == 0 { format!("{name} ist ausverkauft") } else { format!("{name} wird knapp") },
                if pieces == 0 { "Ihr Produkt ist ausverkauft" } else { "Ihr Produkt wird knapp" },
                vec![
                    match pieces {
                        0 => format!("Von „{name}“ ist kein Stück übrig: Niemand kann es bestellen."),
                        1 => format!("Von „{name}“ ist noch ein Stück übrig."),
                        _ => format!("Von „{name}“ sind noch {pieces} Stück übrig."),
                    },
                    "Wenn Sie mehr haben, sagen Sie dem Shop, wie viele.".to_owned(),
                ],
                "Bestand ändern",
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
            link: Some(Link { text: link.into(), path: format!("/products/{}", product.id) }),
            links: Vec::new(),
            reference: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use offers::Offer;
    use serde_json::{Value, json};

    const ID: &str = "01a1fbbc-f7cc-71a0-aa66-431f703e44ea";

    fn product(is_approved: bool, reason: Option<&str>) -> ProductOffer {
        let product = serde_json::from_value(json!({
            "id": ID, "ownerId": "5d0c", "fileName": "tea.png",
            "productName": "Tea", "productPrice": 450, "currency": "USD", "description": "Green",
            "category": "Drinks", "isApproved": is_approved, "rejectionReason": reason,
            "createdAt": "2026-11-21T12:00:00.000Z", "updatedAt": "2026-11-21T12:05:00.000Z", "version": 1
        }));
        ProductOffer { product: product.unwrap(), offer: offer(9), rating: None }
    }

    fn offer(pieces: u32) -> Offer {
        serde_json::from_value(json!({
            "offerId": ID, "productId": ID, "productName": "Tea", "price": 450, "currency": "USD",
            "quantity": pieces, "forSale": true, "sellerId": "5d0c", "schemaVersion": 1
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
        let subject =
            |product: &ProductOffer, kind| product.letter(kind, &ann(&json!({}))).map(|one| one.subject);
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
    fn a_seller_is_told_how_few_pieces_are_left_while_there_are_few_of_what_is_for_sale() {
        let told = |is_approved, pieces| {
            let product = ProductOffer { offer: offer(pieces), ..product(is_approved, None) };
            product
                .letter(ProductLetterKind::RanLow, &ann(&json!({})))
                .map(|mut letter| (letter.subject, letter.paragraphs.remove(0)))
        };
        let low = |subject: &str, news: &str| Some((subject.to_owned(), news.to_owned()));
        assert_eq!(told(true, 4), low("Tea is running low", "Of “Tea” 4 pieces are left."));
        assert_eq!(told(true, 1), low("Tea is running low", "Of “Tea” one piece is left."));
        let sold_out = low("Tea is sold out", "Of “Tea” no piece is left: nobody can order it.");
        assert_eq!(told(true, 0), sold_out);
        assert_eq!((told(true, 5), told(false, 4)), (None, None));
    }

    #[test]
    fn a_seller_who_reads_german_is_told_in_german() {
        let letter =
            product(true, None).letter(ProductLetterKind::Approved, &ann(&json!({ "locale": "de" })));
        assert_eq!(letter.map(|letter| letter.subject), Some("Tea ist im Verkauf".into()));
    }
}
