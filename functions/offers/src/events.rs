//! What happened to the stock of an offer, read from its item before and after a write.

use serde::Serialize;
use shared::caller::UserId;

use crate::{Offer, ProductId};

/// Something that happened to the stock of a product. As JSON it is the event's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StockEvent {
    /// Of which product.
    pub product_id: ProductId,
    /// Who sells it.
    pub seller_id: UserId,
    /// What.
    #[serde(skip)]
    pub what: What,
}

shared::names!(
    /// What happened to the stock of a product, by the name that subscribers know it by.
    pub enum What {
        /// Few pieces are left, or none.
        RanLow = "product.ran-low",
        /// There are more again.
        Restocked = "product.restocked",
    }
);

/// What happened between two states of an offer's item. How many pieces a new one begins with is no news, and what is
/// gone has no stock.
pub fn between(old: Option<&Offer>, new: Option<&Offer>) -> Vec<StockEvent> {
    let (Some(old), Some(new)) = (old, new) else { return Vec::new() };
    let what = match (old.is_low(), new.is_low()) {
        (false, true) => What::RanLow,
        (true, false) => What::Restocked,
        (true, true) | (false, false) => return Vec::new(),
    };
    vec![StockEvent { product_id: new.product_id, seller_id: new.seller_id.clone(), what }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::values::time::Timestamp;

    fn with(pieces: u32) -> Offer {
        let id = ProductId::at(Timestamp::from_unix_millis(0));
        serde_json::from_value(serde_json::json!({
            "offerId": id, "productId": id, "productName": "Tea", "price": 450, "currency": "USD", "quantity": pieces,
            "forSale": true, "sellerId": "ann", "schemaVersion": 1,
        }))
        .unwrap()
    }

    #[test]
    fn it_is_told_when_few_are_left_and_when_there_are_more_again() {
        let told = |old, new| between(Some(&with(old)), Some(&with(new))).first().map(|event| event.what);
        assert_eq!((told(5, 4), told(9, 0)), (Some(What::RanLow), Some(What::RanLow)));
        assert_eq!((told(4, 5), told(0, 9)), (Some(What::Restocked), Some(What::Restocked)));
        assert_eq!((told(9, 5), told(4, 0), told(3, 3)), (None, None, None));
        assert_eq!((between(None, Some(&with(1))), between(Some(&with(9)), None)), (vec![], vec![]));
    }

    #[test]
    fn it_names_the_product_and_its_seller_alone() {
        let event = between(Some(&with(5)), Some(&with(4))).remove(0);
        let data = serde_json::to_value(&event).unwrap();
        assert_eq!(data, serde_json::json!({ "productId": event.product_id, "sellerId": "ann" }));
    }
}
