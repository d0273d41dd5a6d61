//! What each seller has of an order: the seller's lines and what they come to. Nothing of its buyer and nothing of how
//! the order stands is in it, so whoever may see it reads the order for that.

use offers::{OfferId, ProductId, ProductName};
use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::values::money::{Amount, Currency, Price};
use shared::values::time::Timestamp;
use stores::StoreId;

use crate::{Line, Order, OrderId, Quantity, Shipment};

/// The shape in which they are written.
const SCHEMA_VERSION: u32 = 1;

/// A transaction has 100 actions: six of an order that are always there or may be, one for each line, each seller and
/// each store, and two to spare.
const MOST: usize = 92;

shared::names!(
    /// How far a seller's parcel is.
    pub enum ParcelStatus {
        /// The seller has it.
        ToSend = "to_send",
        /// It is on its way.
        Shipped = "shipped",
        /// It arrived.
        Delivered = "delivered",
        /// The seller does not send it.
        Refused = "refused",
    }
);

/// What a seller sends of an order, and how it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parcel {
    /// How far it is.
    pub status: ParcelStatus,
    /// How it travels, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment: Option<Shipment>,
}

/// What one seller has of an order, as the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SellerOrder {
    seller_id: UserId,
    order_id: OrderId,
    lines: Vec<SoldLine>,
    /// What was paid for them, with the discount and the taxes that are theirs.
    total: Amount,
    currency: Currency,
    /// What the seller sends; missing as long as the order is sent as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parcel: Option<Parcel>,
    created_at: Timestamp,
    schema_version: u32,
}

/// A line of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SoldLine {
    offer_id: OfferId,
    product_id: ProductId,
    product_name: ProductName,
    unit_price: Price,
    quantity: Quantity,
    /// In which of the seller's stores it was; missing where it was in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    store_id: Option<StoreId>,
    total: Amount,
}

impl From<&Line> for SoldLine {
    fn from(line: &Line) -> Self {
        Self {
            offer_id: line.offer_id,
            product_id: line.product_id,
            product_name: line.product_name.clone(),
            unit_price: line.unit_price,
            quantity: line.quantity,
            store_id: line.store_id,
            total: line.paid(),
        }
    }
}

impl Order {
    /// Who sells what is in it, each once.
    pub fn sellers(&self) -> Vec<&UserId> {
        let mut sellers = Vec::new();
        for line in &self.lines {
            if !sellers.contains(&&line.seller_id) {
                sellers.push(&line.seller_id);
            }
        }
        sellers
    }

    /// In which stores what is in it was, each once.
    pub(crate) fn stores(&self) -> Vec<StoreId> {
        let mut stores = Vec::new();
        for store in self.lines.iter().filter_map(|line| line.store_id) {
            if !stores.contains(&store) {
                stores.push(store);
            }
        }
        stores
    }

    /// What each seller has of it.
    pub fn by_sellers(&self) -> Vec<SellerOrder> {
        let of = |seller: &UserId| {
            let lines = self.lines.iter().filter(|line| line.seller_id == *seller).map(SoldLine::from);
            let lines: Vec<SoldLine> = lines.collect();
            SellerOrder {
                seller_id: seller.clone(),
                order_id: self.order_id,
                total: Amount::from_minor(lines.iter().map(|line| line.total.minor()).sum()),
                lines,
                currency: self.currency,
                parcel: None,
                created_at: self.created_at,
                schema_version: SCHEMA_VERSION,
            }
        };
        self.sellers().into_iter().map(of).collect()
    }

    /// How many sellers it has, where those, their stores and its lines are more than a transaction can write.
    pub(crate) fn too_many_sellers(&self) -> Option<usize> {
        let sellers = self.sellers().len();
        (self.lines.len() + sellers + self.stores().len() > MOST).then_some(sellers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests;
    use proptest::prelude::*;
    use serde_json::json;

    /// An order of a line for each of these sellers.
    fn order(sellers: &[u8]) -> Order {
        let placed = tests::placed(&vec![("Tea", 2); sellers.len().max(1)]);
        let mut item = serde_json::to_value(placed).unwrap();
        for (at, seller) in sellers.iter().enumerate() {
            item["lines"][at]["sellerId"] = json!(format!("seller-{seller}"));
        }
        serde_json::from_value(item).unwrap()
    }

    proptest! {
        #[test]
        fn every_line_is_one_sellers_and_all_of_them_come_to_what_the_lines_do(
            sellers in prop::collection::vec(0..6_u8, 1..50),
        ) {
            let order = order(&sellers);
            let parts = order.by_sellers();
            prop_assert_eq!(parts.iter().map(|part| part.lines.len()).sum::<usize>(), sellers.len());
            let total: u64 = parts.iter().map(|part| part.total.minor()).sum();
            prop_assert_eq!(total, order.lines.iter().map(|line| line.paid().minor()).sum::<u64>());
            for part in &parts {
                let theirs = |line: &Line| line.seller_id == part.seller_id;
                prop_assert_eq!(part.lines.len(), order.lines.iter().filter(|line| theirs(line)).count());
            }
        }
    }

    #[test]
    fn what_a_seller_has_tells_nothing_of_the_buyer_nor_of_how_the_order_stands() {
        let item = serde_json::to_value(&order(&[1]).by_sellers()[0]).unwrap();
        let members: Vec<_> = item.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = ["createdAt", "currency", "lines", "orderId", "schemaVersion", "sellerId", "total"];
        assert_eq!(members, expected);
        let line: Vec<_> = item["lines"][0].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(line, ["offerId", "productId", "productName", "quantity", "total", "unitPrice"]);
    }

    #[test]
    fn lines_and_sellers_are_as_many_as_fit_into_a_transaction() {
        let each_their_own = |lines: u8| order(&(0..lines).collect::<Vec<_>>()).too_many_sellers();
        assert_eq!((each_their_own(46), each_their_own(47)), (None, Some(47)));
        assert_eq!(order(&[1; 50]).too_many_sellers(), None);
        let in_stores_of_their_own = |lines: u8| {
            let mut item = serde_json::to_value(order(&vec![1; lines.into()])).unwrap();
            for line in 0..lines {
                item["lines"][usize::from(line)]["storeId"] =
                    json!(StoreId::at(Timestamp::from_unix_millis(0)));
            }
            serde_json::from_value::<Order>(item).unwrap().too_many_sellers()
        };
        assert_eq!((in_stores_of_their_own(45), in_stores_of_their_own(46)), (None, Some(1)));
        // The order, the cart, the key's record, the coupon and its use by this customer, and the payment.
        const { assert!(6 + MOST <= 98) };
    }
}
