//! What happened to a product, read from its item before and after a write.

use serde::Serialize;
use shared::caller::UserId;
use shared::values::time::Timestamp;

use crate::{Product, ProductId};

/// Something that happened to a product. As JSON it is the event's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductEvent {
    /// Which product.
    pub product_id: ProductId,
    /// Who sells it.
    pub seller_id: UserId,
    /// When.
    #[serde(skip)]
    pub at: Timestamp,
    /// What.
    #[serde(skip)]
    pub what: What,
}

shared::names!(
    /// What happened to a product, by the name that subscribers know it by.
    pub enum What {
        /// Its seller described it; nobody sees it yet.
        Listed = "product.listed",
        /// An admin put it on sale.
        Approved = "product.approved",
        /// An admin did not want it sold.
        Rejected = "product.rejected",
    }
);

/// What happened between two states of a product's item. A rejection that repeats the reason of the last is none.
pub fn between(old: Option<&Product>, new: Option<&Product>) -> Vec<ProductEvent> {
    let Some(new) = new else { return Vec::new() };
    let event = |what, at| ProductEvent { product_id: new.id, seller_id: new.owner_id.clone(), at, what };
    let was_approved = old.is_some_and(|old| old.is_approved);
    let reason_before = old.and_then(|old| old.rejection_reason.as_ref());
    let mut events = Vec::new();
    if old.is_none() {
        events.push(event(What::Listed, new.created_at));
    }
    if new.is_approved && !was_approved {
        events.push(event(What::Approved, new.updated_at));
    }
    if new.rejection_reason.is_some() && new.rejection_reason.as_ref() != reason_before {
        events.push(event(What::Rejected, new.updated_at));
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// A product that an admin approved, rejected for a reason, or has not seen.
    fn product(is_approved: bool, rejection_reason: Option<&str>) -> Product {
        serde_json::from_value(json!({
            "id": "01a1fbbc-f7cc-71a0-aa66-431f703e44ea", "ownerId": "5d0c", "email": "ann@example.com",
            "fileName": "tea.png", "productName": "Tea", "productPrice": 450, "currency": "USD", "description": "Green",
            "category": "Drinks", "isApproved": is_approved, "rejectionReason": rejection_reason,
            "createdAt": "2026-11-21T12:00:00.000Z", "updatedAt": "2026-11-21T12:05:00.000Z", "version": 1
        }))
        .unwrap()
    }

    fn told(old: Option<&Product>, new: Option<&Product>) -> Vec<What> {
        between(old, new).into_iter().map(|event| event.what).collect()
    }

    #[test]
    fn a_new_product_is_listed_and_its_event_names_no_address() {
        let events = between(None, Some(&product(false, None)));
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(
            (event.what.as_str(), event.at.to_string()),
            ("product.listed", "2026-11-21T12:00:00.000Z".into())
        );
        let data = json!({ "productId": "01a1fbbc-f7cc-71a0-aa66-431f703e44ea", "sellerId": "5d0c" });
        assert_eq!(serde_json::to_value(event).unwrap(), data);
    }

    #[test]
    fn decisions_are_told() {
        let (new, approved, rejected) =
            (product(false, None), product(true, None), product(false, Some("Blurred.")));
        assert_eq!(told(Some(&new), Some(&approved)), [What::Approved]);
        assert_eq!(told(Some(&new), Some(&rejected)), [What::Rejected]);
        assert_eq!(told(Some(&rejected), Some(&approved)), [What::Approved]);
        assert_eq!(told(Some(&approved), Some(&rejected)), [What::Rejected]);
        assert_eq!(told(Some(&rejected), Some(&product(false, Some("Dark.")))), [What::Rejected]);
        assert_eq!(told(Some(&approved), Some(&new)), [], "its seller changed it: nobody decided anything");
        assert_eq!(told(Some(&approved), None), []);
    }

    fn states() -> impl Strategy<Value = Product> {
        let rejected = prop::sample::select(vec![Some("Blurred."), Some("Dark."), None]);
        (rejected, any::<bool>()).prop_map(|(reason, approved)| product(approved && reason.is_none(), reason))
    }

    proptest! {
        #[test]
        fn every_decision_that_is_new_is_told_and_no_other(old in states(), new in states()) {
            let told = told(Some(&old), Some(&new));
            prop_assert_eq!(told.contains(&What::Approved), new.is_approved && !old.is_approved);
            let is_new = new.rejection_reason.is_some() && new.rejection_reason != old.rejection_reason;
            prop_assert_eq!(told.contains(&What::Rejected), is_new);
            prop_assert!(!told.contains(&What::Listed));
        }

        #[test]
        fn a_product_that_is_first_seen_later_tells_all_that_its_state_says(new in states()) {
            let mut expected = vec![What::Listed];
            expected.extend(told(Some(&product(false, None)), Some(&new)));
            prop_assert_eq!(told(None, Some(&new)), expected);
        }

        #[test]
        fn another_stock_or_version_tells_nothing(old in states(), version in 2..9_u32) {
            let new = Product { version, requested_upload: None, ..old.clone() };
            prop_assert_eq!(told(Some(&old), Some(&new)), []);
        }
    }
}
