//! How business goes: what was sold on each day, what waits to be sent, what an admin has to look at and of what few
//! pieces are left, for each seller and for the shop. It is counted when the topic Events tells of an order or a
//! product, and never when somebody asks. The rules are here and call nothing; [`Sales`] keeps the counters.
//!
//! An order counts for somebody as it stands, by the version that it stands at. Whoever counts it writes down how it
//! counts now, and adds only what is other than it was: so an event that comes twice, late or in another order changes
//! nothing. Of a product and its stock no version tells which was later. So whoever counts it reads how it was counted
//! before they read how it stands, and writes that down each time under the number of times that this was done: of two
//! at the same time one is refused, and looks again.

use std::time::Duration;

use products::ProductOffer;
use products::events::ProductTold;
use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::values::money::{Amount, Currency, InMajor};
use shared::values::time::Timestamp;

use crate::events::OrderTold;
use crate::parcels::ParcelStatus;
use crate::{Order, OrderStatus};

pub use crate::store::Sales;

/// How many days a summary is of, with the present one.
pub(crate) const DAYS: u32 = 30;

/// How long a day, and an order that waits for nothing, is kept: twice as long as anybody looks.
pub(crate) const KEPT: Duration = Duration::from_hours(60 * 24);

/// The shape in which the counters are written.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// What is told that changes a counter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Told {
    /// Something of an order.
    Order(OrderTold),
    /// Something of a product, or of its stock.
    Product(ProductTold),
}

/// For whom something counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    /// Who sells it, or something of it.
    Seller(UserId),
    /// Who runs the shop.
    Shop,
}

impl Party {
    /// Everybody for whom an order counts, each once.
    pub fn all_of(order: &Order) -> Vec<Self> {
        let sellers = order.sellers().into_iter().cloned().map(Self::Seller);
        sellers.chain([Self::Shop]).collect()
    }

    /// What begins the key of its counters. No person's id is that of the shop, since those are UUIDs.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Seller(id) => id.to_string(),
            Self::Shop => "shop".to_owned(),
        }
    }

    /// Behind which sign its counters are in which something of this id is counted: all orders of a shop would meet in
    /// one.
    pub(crate) fn shard(&self, id: &str) -> String {
        match self {
            Self::Seller(_) => String::new(),
            Self::Shop => id.chars().next_back().map(|last| format!("#{last}")).unwrap_or_default(),
        }
    }
}

/// How an order counts for somebody, at one version of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Which word of it that is: it only grows.
    pub version: u32,
    /// Whether it is sold: not before it is paid, or ordered to be paid at the door, and not when it is off.
    pub is_sold: bool,
    /// For how much.
    pub revenue: Amount,
    /// Whether it is to be sent.
    pub is_to_send: bool,
}

/// By how much counters change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Difference {
    /// Orders of its day.
    pub orders: i64,
    /// What they came to, in minor units.
    pub revenue: i64,
    /// Orders to send.
    pub to_send: i64,
    /// Products that an admin has to look at.
    pub to_approve: i64,
    /// Products for sale of which few pieces are left.
    pub low_stock: i64,
}

impl Difference {
    /// Whether anything is other in the counters of a day.
    pub fn is_of_a_day(&self) -> bool {
        (self.orders, self.revenue) != (0, 0)
    }

    /// Whether anything waits that did not, or the reverse.
    pub fn is_of_now(&self) -> bool {
        (self.to_send, self.to_approve, self.low_stock) != (0, 0, 0)
    }
}

fn one(is_so: bool) -> i64 {
    i64::from(is_so)
}

impl Standing {
    /// How an order counts of which nothing was told yet.
    pub const NONE: Self = Self { version: 0, is_sold: false, revenue: Amount::ZERO, is_to_send: false };

    /// How this order counts for somebody; nothing for who has nothing to do with it.
    pub fn of(party: &Party, order: &Order) -> Self {
        let version = order.version();
        let unsold = Self { version, ..Self::NONE };
        let is_ordered = !matches!(order.status(), OrderStatus::AwaitingPayment | OrderStatus::Cancelled);
        if !is_ordered {
            return unsold;
        }
        match party {
            Party::Shop => {
                let is_to_send = order.status() == OrderStatus::Pending;
                Self { version, is_sold: true, revenue: order.sold_for(), is_to_send }
            }
            Party::Seller(seller) => match order.parcels().get(seller).map(|parcel| parcel.status) {
                None | Some(ParcelStatus::Refused) => unsold,
                Some(status @ (ParcelStatus::ToSend | ParcelStatus::Shipped | ParcelStatus::Delivered)) => {
                    let is_to_send = status == ParcelStatus::ToSend;
                    Self { version, is_sold: true, revenue: order.sold_by(seller), is_to_send }
                }
            },
        }
    }

    /// What is other than it was.
    pub fn since(self, before: Self) -> Difference {
        let worth =
            |of: Self| if of.is_sold { i64::try_from(of.revenue.minor()).unwrap_or(i64::MAX) } else { 0 };
        Difference {
            orders: one(self.is_sold) - one(before.is_sold),
            revenue: worth(self) - worth(before),
            to_send: one(self.is_to_send) - one(before.is_to_send),
            ..Difference::default()
        }
    }
}

/// How a product counts, for its seller and for the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductStanding {
    /// Whether an admin has to look at it.
    pub is_to_approve: bool,
    /// Whether it is for sale and few pieces of it are left.
    pub is_low: bool,
}

impl ProductStanding {
    /// How this product counts; one that is gone, not at all.
    pub fn of(found: Option<&ProductOffer>) -> Self {
        let Some(ProductOffer { product, offer, .. }) = found else { return Self::default() };
        Self { is_to_approve: product.awaits_approval(), is_low: product.is_for_sale() && offer.is_low() }
    }

    /// What is other than it was.
    pub fn since(self, before: Self) -> Difference {
        Difference {
            to_approve: one(self.is_to_approve) - one(before.is_to_approve),
            low_stock: one(self.is_low) - one(before.is_low),
            ..Difference::default()
        }
    }
}

/// A day, as its counters are named: `2026-11-29`, in UTC.
pub(crate) fn day_of(moment: Timestamp) -> String {
    moment.to_string().chars().take(10).collect()
}

/// What was sold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sold {
    orders: i64,
    revenue: InMajor,
}

/// How a seller's business goes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    today: Sold,
    last_30_days: Sold,
    /// How many orders have something that the seller is to send.
    to_send: i64,
    /// How many products an admin has to look at.
    to_approve: i64,
    /// Of how many products for sale fewer than five pieces are left.
    low_stock: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<Currency>,
}

/// Counters, as the table has them: of a day, or of what waits now.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counter {
    pub(crate) entry: String,
    #[serde(default)]
    pub(crate) orders: i64,
    #[serde(default)]
    pub(crate) revenue: i64,
    #[serde(default)]
    pub(crate) to_send: i64,
    #[serde(default)]
    pub(crate) to_approve: i64,
    #[serde(default)]
    pub(crate) low_stock: i64,
    #[serde(default)]
    pub(crate) currency: Option<Currency>,
}

impl Counter {
    /// Of which day it is; nothing for what is so now.
    fn day(&self) -> Option<&str> {
        self.entry.strip_prefix(DAY)?.get(..10).filter(|day| day.starts_with(|c: char| c.is_ascii_digit()))
    }
}

/// What begins the entries of counters.
pub(crate) const DAY: &str = "day#";

fn sold<'a>(counters: impl Iterator<Item = &'a Counter>) -> Sold {
    let (orders, revenue) =
        counters.fold((0, 0), |sum, counter| (sum.0 + counter.orders, sum.1 + counter.revenue));
    // Counters never sum to less than nothing.
    let revenue = Amount::from_minor(u64::try_from(revenue).unwrap_or_default()).in_major();
    Sold { orders, revenue }
}

impl Summary {
    /// What counters of the last days say today.
    pub(crate) fn of(counters: &[Counter], now: Timestamp) -> Self {
        let today = day_of(now);
        let days = || counters.iter().filter(|counter| counter.day().is_some());
        Self {
            today: sold(days().filter(|counter| counter.day() == Some(&today))),
            last_30_days: sold(days()),
            to_send: counters.iter().map(|counter| counter.to_send).sum(),
            to_approve: counters.iter().map(|counter| counter.to_approve).sum(),
            low_stock: counters.iter().map(|counter| counter.low_stock).sum(),
            currency: counters.iter().find_map(|counter| counter.currency),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const AT: &str = "2026-11-29T12:00:00.000Z";

    /// An order of two sellers, `ann` 9.00 and `eve` 4.50, after this history, with these parcels if any.
    fn order(history: &[&str], parcels: &Value) -> Order {
        let line = |seller: &str, quantity: u32| {
            let id = "01a1fbbc-f7cc-71a0-aa66-431f703e44ea";
            json!({
                "offerId": id, "productId": id, "productName": "Tea", "unitPrice": 450, "quantity": quantity,
                "sellerId": seller
            })
        };
        let entries: Vec<_> = history.iter().map(|status| json!({ "status": status, "at": AT })).collect();
        serde_json::from_value(json!({
            "orderId": "01a1fbbc-f982-7d04-8367-8c1b9055f3fd", "userId": "bob",
            "contact": { "email": "bob@cartwright.test", "fullName": "Bob" }, "schemaVersion": 1,
            "status": history.last(), "paymentMethod": "cash_on_delivery", "manual": true,
            "lines": [line("ann", 2), line("eve", 1)], "total": 1_840, "currency": "USD", "createdAt": AT,
            "updatedAt": AT, "history": entries, "parcels": parcels,
        }))
        .unwrap()
    }

    fn seller(name: &str) -> Party {
        Party::Seller(UserId::from(name.to_owned()))
    }

    fn standing(party: &Party, order: &Order) -> (bool, u64, bool) {
        let of = Standing::of(party, order);
        (of.is_sold, of.revenue.minor(), of.is_to_send)
    }

    #[test]
    fn an_order_counts_from_when_it_is_to_be_sent_until_it_is_off() {
        let none = Value::Null;
        let [ann, eve] = ["ann", "eve"].map(seller);
        let unpaid = order(&["awaiting_payment"], &none);
        let placed = order(&["pending"], &none);
        let shipped = order(&["pending", "shipping"], &none);
        let off = order(&["pending", "cancelled"], &none);
        for (order, of_ann, of_shop) in [
            (&unpaid, (false, 0, false), (false, 0, false)),
            (&placed, (true, 900, true), (true, 1_840, true)),
            (&shipped, (true, 900, false), (true, 1_840, false)),
            (&off, (false, 0, false), (false, 0, false)),
        ] {
            assert_eq!((standing(&ann, order), standing(&Party::Shop, order)), (of_ann, of_shop));
        }
        let parcels = json!({ "ann": { "status": "refused", "back": 900 }, "eve": { "status": "to_send" } });
        let refused = order(&["pending"], &parcels);
        assert_eq!(standing(&ann, &refused), (false, 0, false));
        assert_eq!(standing(&eve, &refused), (true, 450, true));
        assert_eq!(standing(&Party::Shop, &refused), (true, 940, true));
        assert_eq!(standing(&seller("carl"), &placed), (false, 0, false), "who sells nothing of it");
        assert_eq!(Party::all_of(&placed), [ann, eve, Party::Shop]);
    }

    #[test]
    fn an_orders_version_grows_with_each_word() {
        let version =
            |history: &[&str], parcels: &Value| Standing::of(&Party::Shop, &order(history, parcels)).version;
        let parcels = |ann: &str, eve: &str| json!({ "ann": { "status": ann }, "eve": { "status": eve } });
        let row = [
            version(&["pending"], &Value::Null),
            version(&["pending"], &parcels("refused", "to_send")),
            version(&["pending", "shipping"], &parcels("refused", "shipped")),
            version(&["pending", "shipping", "delivered"], &parcels("refused", "delivered")),
        ];
        assert!(row.is_sorted_by(|one, next| one < next), "{row:?}");
    }

    proptest! {
        // In whichever order, and however often, what is told is counted: what is written down last is what is so.
        #[test]
        fn what_was_counted_and_what_is_other_come_to_what_is_so(
            seen in prop::collection::vec(0..4_usize, 1..12),
        ) {
            let parcels = |eve: &str| {
                json!({ "ann": { "status": "refused", "back": 900 }, "eve": { "status": eve } })
            };
            let row = [
                order(&["pending"], &Value::Null),
                order(&["pending"], &parcels("to_send")),
                order(&["pending", "shipping"], &parcels("shipped")),
                order(&["pending", "shipping", "delivered"], &parcels("delivered")),
            ];
            for party in [seller("ann"), seller("eve"), Party::Shop] {
                let (mut known, mut sum) = (Standing::NONE, Difference::default());
                for at in &seen {
                    let now = Standing::of(&party, &row[*at]);
                    if now.version > known.version {
                        let more = now.since(known);
                        sum.orders += more.orders;
                        sum.revenue += more.revenue;
                        sum.to_send += more.to_send;
                        known = now;
                    }
                }
                let last = Standing::of(&party, &row[*seen.iter().max().unwrap()]);
                prop_assert_eq!(sum, last.since(Standing::NONE));
            }
        }
    }

    #[test]
    fn what_is_told_names_an_order_or_a_product() {
        let id = "01a1fbbc-f982-7d04-8367-8c1b9055f3fd";
        let told = |data: Value| serde_json::from_value::<Told>(data);
        let order = told(json!({ "orderId": id, "userId": "bob", "sellerId": "ann" })).unwrap();
        assert_eq!(order, Told::Order(OrderTold { order_id: id.parse().unwrap() }));
        let product = told(json!({ "productId": id, "sellerId": "ann" })).unwrap();
        let seller_id = UserId::from("ann".to_owned());
        assert_eq!(product, Told::Product(ProductTold { product_id: id.parse().unwrap(), seller_id }));
        assert!(told(json!({ "userId": "bob" })).is_err());
    }

    /// Tea of which there are so many, approved or not.
    fn product(is_approved: bool, pieces: u32) -> ProductOffer {
        let id = "01a1fbbc-f7cc-71a0-aa66-431f703e44ea";
        let product = json!({
            "id": id, "ownerId": "ann", "fileName": "tea.png", "productName": "Tea", "productPrice": 450,
            "currency": "USD", "description": "Green", "category": "Drinks", "isApproved": is_approved,
            "wasDecided": true, "createdAt": AT, "updatedAt": AT, "version": 1
        });
        let offer = json!({
            "offerId": id, "productId": id, "productName": "Tea", "price": 450, "currency": "USD", "quantity": pieces,
            "forSale": is_approved, "sellerId": "ann", "schemaVersion": 1
        });
        let [product, offer] = [product, offer].map(|item| item.to_string());
        ProductOffer {
            product: serde_json::from_str(&product).unwrap(),
            offer: serde_json::from_str(&offer).unwrap(),
            rating: None,
        }
    }

    #[test]
    fn a_product_waits_for_an_admin_or_is_for_sale_with_few_pieces_or_with_enough() {
        let counts = |found: Option<&ProductOffer>| {
            let standing = ProductStanding::of(found);
            (standing.is_to_approve, standing.is_low)
        };
        assert_eq!(counts(Some(&product(false, 4))), (true, false), "nobody can buy it");
        assert_eq!(counts(Some(&product(true, 4))), (false, true));
        assert_eq!(counts(Some(&product(true, 5))), (false, false));
        assert_eq!(counts(None), (false, false));
        let [waits, low] = [product(false, 4), product(true, 4)].map(|it| ProductStanding::of(Some(&it)));
        let more = Difference { to_approve: -1, low_stock: 1, ..Difference::default() };
        assert_eq!((low.since(waits), low.since(low)), (more, Difference::default()));
        assert_eq!(
            (more.is_of_now(), more.is_of_a_day(), Difference::default().is_of_now()),
            (true, false, false)
        );
    }

    #[test]
    fn a_summary_adds_the_days_up_and_knows_today() {
        let counter = |entry: &str, orders: i64, revenue: i64, to_send: i64| -> Counter {
            let counter = json!({
                "entry": entry, "orders": orders, "revenue": revenue, "toSend": to_send, "currency": "USD"
            });
            serde_json::from_value(counter).unwrap()
        };
        let counters = [
            counter("day#2026-11-28", 2, 1_850, 0),
            counter("day#2026-11-29", 1, 450, 0),
            counter("day#2026-11-29#3", 1, 50, 0),
            Counter { to_approve: 2, low_stock: 1, ..counter("day#now", 0, 0, 3) },
        ];
        let summary = Summary::of(&counters, AT.parse().unwrap());
        let expected = json!({
            "today": { "orders": 2, "revenue": 5 }, "last30Days": { "orders": 4, "revenue": 23.5 }, "toSend": 3,
            "toApprove": 2, "lowStock": 1, "currency": "USD"
        });
        assert_eq!(serde_json::to_value(summary).unwrap(), expected);
        let none = json!({
            "today": { "orders": 0, "revenue": 0 }, "last30Days": { "orders": 0, "revenue": 0 }, "toSend": 0,
            "toApprove": 0, "lowStock": 0
        });
        assert_eq!(serde_json::to_value(Summary::of(&[], AT.parse().unwrap())).unwrap(), none);
    }
}
