//! What each seller has of an order: the seller's lines and what they come to. Nothing of its buyer and nothing of how
//! the order stands is in it, so whoever may see it reads the order for that.

use std::fmt;
use std::str::FromStr;

use anyhow::Context;
use offers::{OfferId, ProductId, ProductName};
use serde::{Deserialize, Serialize};
use settings::MethodId;
use shared::caller::UserId;
use shared::dynamo::list::Page;
use shared::http::Parameter;
use shared::letters::{EmailQueue, Queued};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::telemetry;
use shared::values::money::{Amount, Currency, InMajor, Price};
use shared::values::time::Timestamp;
use stores::StoreId;
use users::{Email, FullName};

use crate::letters::ParcelLetterKind;
use crate::parcels::{Parcel, ParcelReason, ParcelStatus};
use crate::purchase::Address;
use crate::{
    EMAIL_ATTEMPTS, GRACE, Line, Order, OrderId, OrderNumber, OrderStatus, Orders, Quantity, Shipment,
};

/// The shape in which they are written.
const SCHEMA_VERSION: u32 = 1;

/// The one shard of the index `due`: a person begins what is owed there.
pub(crate) const DUE: &str = "0";

/// A transaction has 100 actions: six of an order that are always there or may be, one for each line, each seller and
/// each store, and two to spare.
const MOST: usize = 92;

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
    /// While the seller is to send it, the seller's id again: the partition of the index `open`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open: Option<UserId>,
    /// While a letter about the parcel is owed, the shard of the index `due`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    /// When to look whether it is still owed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
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

    /// What each seller has of it, when it is placed. What a person ships is the seller's to send.
    pub fn by_sellers(&self) -> Vec<SellerOrder> {
        let placed = |part: SellerOrder| {
            let open = self.manual.then(|| part.seller_id.clone());
            SellerOrder { open, ..part }
        };
        self.closed_for_sellers().into_iter().map(placed).collect()
    }

    /// What each seller has of it once it is nothing to send any more, or never was.
    pub(crate) fn closed_for_sellers(&self) -> Vec<SellerOrder> {
        self.sellers().into_iter().map(|seller| self.part_of(seller, None, None)).collect()
    }

    /// What this seller has of it with this parcel, and when to look whether its letter was sent, where one is owed.
    pub(crate) fn part_of(
        &self,
        seller: &UserId,
        parcel: Option<Parcel>,
        due_at: Option<Timestamp>,
    ) -> SellerOrder {
        let lines: Vec<SoldLine> = self.lines_of(seller).map(SoldLine::from).collect();
        SellerOrder {
            seller_id: seller.clone(),
            order_id: self.order_id,
            total: Amount::from_minor(lines.iter().map(|line| line.total.minor()).sum()),
            lines,
            currency: self.currency,
            parcel,
            created_at: self.created_at,
            open: None,
            due: due_at.map(|_| DUE.to_owned()),
            due_at,
            schema_version: SCHEMA_VERSION,
        }
    }

    /// This seller's lines.
    pub(crate) fn lines_of(&self, seller: &UserId) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.seller_id == *seller)
    }

    /// How many sellers it has, where those, their stores and its lines are more than a transaction can write.
    pub(crate) fn too_many_sellers(&self) -> Option<usize> {
        let sellers = self.sellers().len();
        (self.lines.len() + sellers + self.stores().len() > MOST).then_some(sellers)
    }
}

shared::names!(
    /// How what a seller has of an order stands.
    pub enum SellerStatus {
        /// It is to be sent.
        ToSend = "to_send",
        /// It is on its way.
        Shipped = "shipped",
        /// It arrived.
        Delivered = "delivered",
        /// The seller does not send it.
        Refused = "refused",
        /// The order is over, and nothing was sent.
        Cancelled = "cancelled",
    }
);

impl Parameter for SellerStatus {
    const NAME: &'static str = "status";
}

impl From<ParcelStatus> for SellerStatus {
    fn from(status: ParcelStatus) -> Self {
        match status {
            ParcelStatus::ToSend => Self::ToSend,
            ParcelStatus::Shipped => Self::Shipped,
            ParcelStatus::Delivered => Self::Delivered,
            ParcelStatus::Refused => Self::Refused,
        }
    }
}

/// What a seller has of an order, as the lists of it name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SellerEntry {
    pub(crate) order_id: OrderId,
}

/// What a seller has of an order, as that seller sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SellerOrderView {
    order_id: OrderId,
    number: OrderNumber,
    status: SellerStatus,
    items: Vec<SoldLineView>,
    total: InMajor,
    currency: Currency,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipment: Option<Shipment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<ParcelReason>,
    /// Whom to send it to, until nothing is sent any more.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    to: Option<SentTo>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct SoldLineView {
    id: OfferId,
    product_name: ProductName,
    product_price: InMajor,
    quantity: Quantity,
    total: InMajor,
}

/// Whom something is sent to, and how.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct SentTo {
    buyer: ContactView,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_method: Option<MethodId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_address: Option<Address>,
}

#[derive(Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ContactView {
    full_name: FullName,
    email: Email,
}

/// Neither name nor address is for a log.
impl fmt::Debug for ContactView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContactView(…)")
    }
}

/// A page of what a seller has of orders.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SellerOrderList {
    orders: Vec<SellerOrderView>,
    next_cursor: Option<String>,
}

impl From<Page<SellerOrderView>> for SellerOrderList {
    fn from(page: Page<SellerOrderView>) -> Self {
        Self { orders: page.entries, next_cursor: page.next_cursor }
    }
}

impl Order {
    /// What this seller sees of it; `None` where nothing in it is the seller's, or it was never paid.
    pub fn seen_by_seller(&self, seller: &UserId) -> Option<SellerOrderView> {
        let was_ordered = self.history.iter().any(|entry| entry.status == OrderStatus::Pending);
        let parcel = self.parcels().remove(seller).filter(|_| was_ordered)?;
        let is_over = self.status == OrderStatus::Cancelled && parcel.status == ParcelStatus::ToSend;
        let status = if is_over { SellerStatus::Cancelled } else { parcel.status.into() };
        let is_sent = !matches!(status, SellerStatus::Cancelled | SellerStatus::Refused);
        let items = self.lines_of(seller).map(|line| SoldLineView {
            id: line.offer_id,
            product_name: line.product_name.clone(),
            product_price: line.unit_price.amount().in_major(),
            quantity: line.quantity,
            total: line.paid().in_major(),
        });
        Some(SellerOrderView {
            order_id: self.order_id,
            number: self.order_id.into(),
            status,
            items: items.collect(),
            total: Amount::from_minor(self.lines_of(seller).map(|line| line.paid().minor()).sum()).in_major(),
            currency: self.currency,
            created_at: self.created_at,
            shipment: parcel.shipment,
            reason: parcel.reason,
            to: is_sent.then(|| SentTo {
                buyer: ContactView {
                    full_name: self.contact.full_name.clone(),
                    email: self.contact.email.clone(),
                },
                shipping_method: self.shipping_method.clone(),
                shipping_address: self.shipping_address.clone(),
            }),
        })
    }
}

impl SellerOrderView {
    /// How it stands.
    pub fn status(&self) -> SellerStatus {
        self.status
    }
}

/// Which parcel something is about: the order's and the seller's ids. As text it is what a queue's message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParcelName {
    /// Of which order.
    pub order_id: OrderId,
    /// Whose.
    pub seller_id: UserId,
}

impl fmt::Display for ParcelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.order_id, self.seller_id)
    }
}

/// The text names no parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the ids of an order and of a seller")]
pub struct NotAParcel;

impl FromStr for ParcelName {
    type Err = NotAParcel;

    fn from_str(text: &str) -> Result<Self, NotAParcel> {
        let (order, seller) = text.split_once('.').ok_or(NotAParcel)?;
        let order_id = order.parse().map_err(|_| NotAParcel)?;
        Ok(Self { order_id, seller_id: UserId::from(seller.to_owned()) })
    }
}

/// A parcel of which a letter is owed, as the index of such parcels has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DueParcel {
    pub(crate) seller_id: UserId,
    pub(crate) order_id: OrderId,
    pub(crate) parcel: Parcel,
    pub(crate) due_at: Timestamp,
    #[serde(default)]
    pub(crate) attempts: u32,
}

impl DueParcel {
    /// Which parcel it is.
    pub fn name(&self) -> ParcelName {
        ParcelName { order_id: self.order_id, seller_id: self.seller_id.clone() }
    }

    /// When to look again after a sweep at `now`: 2, 4, 8 … minutes, at most about two hours.
    pub(crate) fn next_due(&self, now: Timestamp) -> Timestamp {
        now + GRACE * (1 << self.attempts.min(6))
    }
}

/// The letters about parcels that nobody has recorded as sent, and the queue that they go back to.
#[derive(Debug, Clone)]
pub struct ParcelSweep {
    orders: Orders,
    emails: EmailQueue,
}

impl FromEnv for ParcelSweep {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { orders: Orders::from_env(aws)?, emails: EmailQueue::from_env(aws)? })
    }
}

impl ParcelSweep {
    /// Queues again what is still owed: one parcel that cannot be swept keeps no other waiting.
    ///
    /// Safe to repeat: each is put off before its letter is queued, and a letter goes out once.
    ///
    /// # Errors
    /// Tells how many failed, after all of them were tried.
    pub async fn run(&self, now: Timestamp) -> anyhow::Result<()> {
        let mut failed = 0;
        for due in self.orders.due_parcels(now).await? {
            if let Err(error) = self.sweep(&due, now).await {
                let order_id = due.order_id;
                tracing::error!(%order_id, error = format!("{error:#}"), "a parcel was not swept up");
                failed += 1;
            }
        }
        anyhow::ensure!(failed == 0, "{failed} parcels could not be swept up");
        Ok(())
    }

    async fn sweep(&self, due: &DueParcel, now: Timestamp) -> anyhow::Result<()> {
        if !self.orders.put_off_parcel(due, now).await.context("put off a parcel")? {
            return Ok(());
        }
        let status = due.parcel.status;
        tracing::warn!(order_id = %due.order_id, %status, "swept up");
        telemetry::count("ParcelSwept", 1);
        let letter = ParcelLetterKind::of(status).filter(|_| due.attempts < EMAIL_ATTEMPTS);
        let Some(kind) = letter else {
            telemetry::count("EmailAbandoned", 1);
            return self.orders.settle_parcel(&due.name(), status).await;
        };
        self.emails.send(&Queued::new(kind, due.name())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parcels::{ParcelSaid, tests as parcels};
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
    fn what_a_person_ships_is_the_sellers_to_send_until_it_is_closed() {
        let order = parcels::of_sellers(&[1, 2]);
        let open = |parts: &[SellerOrder]| parts.iter().map(|part| part.open.clone()).collect::<Vec<_>>();
        assert_eq!(open(&order.by_sellers()), [Some(parcels::seller(1)), Some(parcels::seller(2))]);
        assert_eq!(open(&order.closed_for_sellers()), [None, None]);
    }

    #[test]
    fn a_seller_sees_the_own_lines_and_whom_to_send_them_to_as_long_as_they_are_sent() {
        let order = parcels::of_sellers(&[1, 1, 2]);
        let seen = |order: &Order| serde_json::to_value(order.seen_by_seller(&parcels::seller(2))).unwrap();
        let view = seen(&order);
        let item = json!({
            "id": order.lines[2].offer_id, "productName": "Tea", "productPrice": 4.5, "quantity": 2, "total": 9
        });
        let expected = json!({
            "orderId": order.id(), "number": order.number(), "status": "to_send", "items": [item], "total": 9,
            "currency": "USD", "createdAt": tests::now(),
            "buyer": { "fullName": "Ann", "email": "ann@cartwright.test" },
        });
        assert_eq!(view, expected);
        let cancelled = seen(&Order { status: OrderStatus::Cancelled, ..order.clone() });
        assert_eq!((&cancelled["status"], cancelled.get("buyer")), (&json!("cancelled"), None));
        let refused = order.moves(&[parcels::seller(2)], &ParcelSaid::Refused(None)).unwrap().unwrap();
        let refused = seen(&parcels::moved(&order, &refused));
        assert_eq!((&refused["status"], refused.get("buyer")), (&json!("refused"), None));
        let shipping = seen(&Order { status: OrderStatus::Shipping, ..order.clone() });
        assert_eq!(shipping["status"], "shipped");
        assert_eq!(order.seen_by_seller(&parcels::seller(3)), None, "who sells nothing of it");
        let unpaid = order.awaiting(crate::PaymentId::at(tests::now()), tests::now());
        assert_eq!(unpaid.seen_by_seller(&parcels::seller(2)), None);
        let never = Order { status: OrderStatus::Cancelled, ..unpaid };
        assert_eq!(never.seen_by_seller(&parcels::seller(2)), None, "it was never paid");
    }

    #[test]
    fn a_parcels_name_is_read_as_it_is_written() {
        let name = ParcelName { order_id: OrderId::at(tests::now()), seller_id: parcels::seller(1) };
        assert_eq!(name.to_string().parse(), Ok(name));
        for text in ["", "a.b", "01a1fb8c-b94b-7110-8144-8ca566ceab36"] {
            assert_eq!(text.parse::<ParcelName>(), Err(NotAParcel), "{text}");
        }
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
