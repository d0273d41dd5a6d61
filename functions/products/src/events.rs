//! What happened to a product, read from its item before and after a write.

use serde::{Deserialize, Serialize};
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
    /// When; `None` where the product is gone, and no item says it.
    #[serde(skip)]
    pub at: Option<Timestamp>,
    /// What.
    #[serde(skip)]
    pub what: What,
}

/// Which product an event is about: all that its data tells to those who then read the product.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductTold {
    /// The product.
    pub product_id: ProductId,
    /// Who sells it, or did.
    pub seller_id: UserId,
}

shared::names!(
    /// What happened to a product, by the name that subscribers know it by.
    pub enum What {
        /// Its seller described it; nobody sees it yet.
        Listed = "product.listed",
        /// An admin has to look at it: at all of it, or at pictures that nobody has seen yet.
        Submitted = "product.submitted",
        /// An admin put it on sale.
        Approved = "product.approved",
        /// An admin did not want it sold.
        Rejected = "product.rejected",
        /// No admin has to look at it any more, and none has put it on sale by that, or taken it off.
        Cleared = "product.cleared",
        /// It is gone.
        Deleted = "product.deleted",
    }
);

/// What happened between two states of a product's item. A rejection that repeats the reason of the last is none. What
/// is taken off sale to be looked at is submitted again, also if its pictures waited before.
pub fn between(old: Option<&Product>, new: Option<&Product>) -> Vec<ProductEvent> {
    let event = |product: &Product, what, at| ProductEvent {
        product_id: product.id,
        seller_id: product.owner_id.clone(),
        at,
        what,
    };
    let Some(new) = new else {
        return old.map(|old| event(old, What::Deleted, None)).into_iter().collect();
    };
    let event = |what, at| event(new, what, Some(at));
    let was_approved = old.is_some_and(|old| old.is_approved);
    let awaited = old.is_some_and(Product::awaits_approval);
    let is_taken_off = was_approved && !new.is_approved;
    let reason_before = old.and_then(|old| old.rejection_reason.as_ref());
    let mut events = Vec::new();
    if old.is_none() {
        events.push(event(What::Listed, new.created_at));
    }
    if new.awaits_approval() && (!awaited || is_taken_off) {
        events.push(event(What::Submitted, new.updated_at));
    }
    if new.is_approved && !was_approved {
        events.push(event(What::Approved, new.updated_at));
    }
    if new.rejection_reason.is_some() && new.rejection_reason.as_ref() != reason_before {
        events.push(event(What::Rejected, new.updated_at));
    }
    let was_decided = events.iter().any(|event| matches!(event.what, What::Approved | What::Rejected));
    if awaited && !new.awaits_approval() && !was_decided {
        events.push(event(What::Cleared, new.updated_at));
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

    /// The same once it has been decided on, so that it waits for an admin where none approved or rejected it.
    fn decided(is_approved: bool, rejection_reason: Option<&str>) -> Product {
        Product { was_decided: true, ..product(is_approved, rejection_reason) }
    }

    fn told(old: Option<&Product>, new: Option<&Product>) -> Vec<What> {
        between(old, new).into_iter().map(|event| event.what).collect()
    }

    #[test]
    fn a_new_product_is_listed_and_its_event_names_no_address() {
        let events = between(None, Some(&product(false, None)));
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(
            (event.what.as_str(), event.at.map(|at| at.to_string())),
            ("product.listed", Some("2026-11-21T12:00:00.000Z".into()))
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
        assert_eq!(told(Some(&approved), None), [What::Deleted]);
        assert_eq!(told(None, None), []);
    }

    #[test]
    fn it_is_told_when_an_admin_has_to_look_at_it_and_when_none_has_to_any_more() {
        let (new, waiting) = (product(false, None), decided(false, None));
        let approved = decided(true, None);
        assert_eq!(told(Some(&new), Some(&waiting)), [What::Submitted]);
        assert_eq!(told(Some(&approved), Some(&waiting)), [What::Submitted], "its seller changed it");
        assert_eq!(told(Some(&decided(false, Some("Dark."))), Some(&waiting)), [What::Submitted]);
        assert_eq!(told(Some(&waiting), Some(&approved)), [What::Approved]);
        assert_eq!(told(Some(&waiting), Some(&new)), [What::Cleared]);
        assert_eq!(told(Some(&waiting), Some(&waiting)), []);
        assert_eq!(told(Some(&waiting), None), [What::Deleted]);
    }

    fn states() -> impl Strategy<Value = Product> {
        let rejected = prop::sample::select(vec![Some("Blurred."), Some("Dark."), None]);
        (rejected, any::<bool>()).prop_map(|(reason, approved)| product(approved && reason.is_none(), reason))
    }

    fn decided_states() -> impl Strategy<Value = Product> {
        let rejected = prop::sample::select(vec![Some("Blurred."), Some("Dark."), None]);
        (rejected, any::<bool>()).prop_map(|(reason, approved)| decided(approved && reason.is_none(), reason))
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
        fn what_is_for_sale_or_waits_otherwise_than_before_is_told(old in decided_states(), new in decided_states()) {
            let seen = |product: &Product| (product.is_for_sale(), product.awaits_approval());
            prop_assert!(seen(&old) == seen(&new) || !told(Some(&old), Some(&new)).is_empty());
        }

        #[test]
        fn another_stock_or_version_tells_nothing(old in states(), version in 2..9_u32) {
            let new = Product { version, requested_upload: None, ..old.clone() };
            prop_assert_eq!(told(Some(&old), Some(&new)), []);
        }
    }
}
