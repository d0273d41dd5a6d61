//! The searchable face of a product: all that the index knows of it. What it costs, how many pieces there are and what
//! it looks like is read from the tables with each answer; the index knows only what one finds, filters and sorts by.

use std::collections::HashMap;

use offers::Offer;
use products::ratings::Totals;
use products::{Product, ProductOffer, Rating};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};
use stores::{Store, StoreId, StoreName};

use crate::engine::{Document, StoreFace};

/// The names of stores.
pub type Names = HashMap<StoreId, StoreName>;

/// Whether a product may be found, as far as it itself says: a store that is hidden hides what it sells.
pub fn is_for_sale(ProductOffer { product, offer, .. }: &ProductOffer) -> bool {
    product.is_for_sale() && offer.is_for_sale()
}

/// What the index knows of a product and its offer, in a store of one of these names; `None` where it may not be found.
pub fn document(found: &ProductOffer, names: &Names) -> Option<Document> {
    if !is_for_sale(found) {
        return None;
    }
    let ProductOffer { product, offer, rating } = found;
    let store = product.store().map(|id| StoreFace {
        id: id.into(),
        name: names.get(&id).map(ToString::to_string).unwrap_or_default(),
    });
    let document = Document {
        product_id: product.id().into(),
        name: product.name().to_string(),
        description: product.description().to_string(),
        category: product.category().to_string(),
        store,
        sku: product.sku().map(ToString::to_string),
        price: offer.price().amount().minor(),
        in_stock: offer.stock().pieces() > 0,
        rating: rating.and_then(Rating::tenths),
        created_at: product.created_at().unix_millis(),
        version: 0,
    };
    Some(Document { version: version(&document), ..document })
}

/// Whether a change of a store's item changes what the index knows of all that it sells.
pub fn store_differs(old: Option<&Store>, new: Option<&Store>) -> bool {
    old.map(Store::name) != new.map(Store::name)
}

/// An item of the table of reviews.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Reviewed {
    /// What all reviews of a product come to.
    Totals(Totals),
    /// One of them, of which the index knows nothing.
    Review(IgnoredAny),
}

impl Reviewed {
    /// What all reviews of a product come to, if it is that.
    pub fn totals(&self) -> Option<&Totals> {
        match self {
            Self::Totals(totals) => Some(totals),
            Self::Review(_) => None,
        }
    }
}

/// Whether a change of what the reviews of a product come to changes what the index knows of it: by a tenth of a star.
pub fn rating_differs(old: Option<&Totals>, new: Option<&Totals>) -> bool {
    let tenths = |totals: Option<&Totals>| totals.and_then(|totals| totals.stars().rating().tenths());
    tenths(old) != tenths(new)
}

/// The same for the same face, and another one for every other, as far as 64 bits go.
fn version(document: &Document) -> u64 {
    let Document { product_id: _, name, description, category, store, sku, price, in_stock, rating, .. } =
        document;
    let store = store.as_ref().map(|store| (store.id.to_string(), &store.name));
    let face = (name, description, category, store, sku, price, in_stock, rating, document.created_at);
    let face = serde_json::to_vec(&face).unwrap_or_default();
    Sha256::digest(&face).iter().take(8).fold(0, |version, byte| version << 8 | u64::from(*byte))
}

/// Whether a change of a product's item changes what the index knows of it.
pub fn product_differs(old: Option<&Product>, new: Option<&Product>) -> bool {
    let face = |product: Option<&Product>| {
        let product = product.filter(|product| product.is_for_sale())?;
        let texts = (product.name().clone(), product.description().clone(), product.category().clone());
        Some((texts, product.sku().cloned()))
    };
    face(old) != face(new)
}

/// Whether a change of an offer's item changes what the index knows of its product. A sale that leaves a piece does
/// not.
pub fn offer_differs(old: Option<&Offer>, new: Option<&Offer>) -> bool {
    let face = |offer: Option<&Offer>| {
        let offer = offer.filter(|offer| offer.is_for_sale())?;
        Some((offer.price(), offer.stock().pieces() > 0))
    };
    face(old) != face(new)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// A product that is for sale, with an id that ends in this number.
    pub(crate) fn product(number: u32) -> Value {
        json!({
            "id": format!("01a1fbbc-f7cc-71a0-aa66-{number:012}"), "ownerId": "ann", "fileName": "tea.png",
            "productName": "Green tea", "productPrice": 450, "currency": "USD", "description": "From Uji.",
            "category": "Drinks", "sku": "TEA-1", "isApproved": true, "createdAt": "2026-11-28T12:04:00.000Z",
            "updatedAt": "2026-11-28T12:04:00.000Z", "version": 3, "schemaVersion": 1
        })
    }

    /// Its offer.
    pub(crate) fn offer(number: u32) -> Value {
        let id = format!("01a1fbbc-f7cc-71a0-aa66-{number:012}");
        json!({
            "offerId": id, "productId": id, "productName": "Green tea", "price": 450, "currency": "USD",
            "category": "Drinks", "quantity": 3, "forSale": true, "sellerId": "ann", "schemaVersion": 1
        })
    }

    fn found(product: Value, offer: Value) -> ProductOffer {
        ProductOffer {
            product: serde_json::from_value(product).unwrap(),
            offer: serde_json::from_value(offer).unwrap(),
            rating: None,
        }
    }

    /// What so many reviews of each number of stars come to, as the table has it.
    fn totals(each: [u32; 5]) -> Value {
        let stars = (1..).zip(each).map(|(stars, reviews)| (format!("stars{stars}"), json!(reviews)));
        let mut item = json!({
            "productId": "01a1fbbc-f7cc-71a0-aa66-000000000001", "userId": "#totals", "version": 1,
            "schemaVersion": 1
        });
        item.as_object_mut().unwrap().extend(stars);
        item
    }

    #[test]
    fn a_tenth_of_a_star_more_is_another_face_and_a_review_alone_is_none() {
        let read = |item| serde_json::from_value::<Reviewed>(item).unwrap();
        let [none, some, same, more] =
            [[0; 5], [0, 0, 0, 10, 10], [0, 0, 0, 20, 20], [0, 0, 0, 10, 20]].map(totals).map(read);
        let differs = |old: &Reviewed, new: &Reviewed| rating_differs(old.totals(), new.totals());
        assert!(differs(&none, &some) && differs(&some, &more));
        assert!(!differs(&some, &same));
        let mut review = totals([0; 5]);
        review["userId"] = json!("ann");
        assert!(read(review).totals().is_none());
        let rated = |stars: &Reviewed| {
            let rating = stars.totals().map(|totals| totals.stars().rating());
            document(&ProductOffer { rating, ..found(product(1), offer(1)) }, &Names::new()).unwrap()
        };
        assert_eq!((rated(&none).rating, rated(&more).rating), (None, Some(47)));
        assert_eq!(rated(&some).version, rated(&same).version);
        assert_ne!(rated(&some).version, rated(&more).version);
    }

    fn with(mut item: Value, member: &str, value: Value) -> Value {
        item[member] = value;
        item
    }

    #[test]
    fn what_is_not_for_sale_has_no_face() {
        assert!(document(&found(product(1), offer(1)), &Names::new()).is_some());
        assert!(
            document(&found(with(product(1), "isApproved", json!(false)), offer(1)), &Names::new()).is_none()
        );
        assert!(
            document(&found(product(1), with(offer(1), "forSale", json!(false))), &Names::new()).is_none()
        );
    }

    #[test]
    fn another_face_is_another_version_and_what_is_read_with_each_answer_is_no_part_of_it() {
        let version = |product, offer| document(&found(product, offer), &Names::new()).unwrap().version;
        let known = version(product(1), offer(1));
        for (member, value) in [
            ("productName", json!("Black tea")),
            ("description", json!("From Assam.")),
            ("category", json!("Tea")),
            ("sku", json!("TEA-2")),
            ("sku", Value::Null),
        ] {
            assert_ne!(version(with(product(1), member, value), offer(1)), known, "{member}");
        }
        for (member, value) in [("price", json!(451)), ("quantity", json!(0))] {
            assert_ne!(version(product(1), with(offer(1), member, value)), known, "{member}");
        }
        for (member, value) in [
            ("imageUrl", json!("https://a.example/b.png")),
            ("version", json!(4)),
            ("fileName", json!("a.png")),
        ] {
            assert_eq!(version(with(product(1), member, value), offer(1)), known, "{member}");
        }
        for (member, value) in [("quantity", json!(2)), ("promised", json!(1))] {
            assert_eq!(version(product(1), with(offer(1), member, value)), known, "{member}");
        }
    }

    fn products() -> impl Strategy<Value = Option<Value>> {
        let (names, skus) =
            (prop::sample::select(vec!["Tea", "Pot"]), prop::sample::select(vec![json!("A"), Value::Null]));
        let one = (names, skus, any::<bool>()).prop_map(|(name, sku, approved)| {
            let named = with(with(product(1), "productName", json!(name)), "sku", sku);
            with(named, "isApproved", json!(approved))
        });
        prop::option::of(one)
    }

    fn offers() -> impl Strategy<Value = Option<Value>> {
        let one = (1..3_u32, 0..3_u32, any::<bool>()).prop_map(|(price, quantity, for_sale)| {
            let priced = with(with(offer(1), "price", json!(price)), "quantity", json!(quantity));
            with(priced, "forSale", json!(for_sale))
        });
        prop::option::of(one)
    }

    proptest! {
        /// What a stream tells is enough to keep the index true: whenever the face changes, one of both differs.
        #[test]
        fn whatever_changes_a_face_is_seen_in_one_of_the_streams(
            before in (products(), offers()),
            after in (products(), offers()),
        ) {
            let face = |(product, offer): &(Option<Value>, Option<Value>)| {
                let found = found(product.clone()?, offer.clone()?);
                document(&found, &Names::new()).map(|document| document.version)
            };
            let products = [&before.0, &after.0].map(|product| {
                product.clone().map(|product| serde_json::from_value::<Product>(product).unwrap())
            });
            let offers = [&before.1, &after.1].map(|offer| {
                offer.clone().map(|offer| serde_json::from_value::<Offer>(offer).unwrap())
            });
            let differs = product_differs(products[0].as_ref(), products[1].as_ref())
                || offer_differs(offers[0].as_ref(), offers[1].as_ref());
            prop_assert!(differs || face(&before) == face(&after));
        }
    }
}
