//! What happened to an order, read from its item before and after a write. An order's history only grows, so each entry
//! that is new is an event: none is told twice, and none is passed over where a write was not seen. Whose it is and
//! what is paid back of it is not in its history; that is told as it is by then.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::values::money::{Amount, Currency, InMajor};
use shared::values::time::Timestamp;

use crate::parcels::{Parcel, ParcelStatus};
use crate::{CancellationReason, HistoryEntry, Order, OrderId, OrderStatus, Paying};

/// Something that happened to an order. As JSON it is the event's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderEvent {
    /// Which order.
    pub order_id: OrderId,
    /// Who bought it.
    pub user_id: UserId,
    /// When; `None` where the order has not written that down.
    #[serde(skip)]
    pub at: Option<Timestamp>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// Which order an event is about: all that its data tells to those who then read the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderTold {
    /// The order.
    pub order_id: OrderId,
}

/// What happened to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum What {
    /// It was recorded, and its stock reserved.
    Placed {
        /// What all of it costs.
        total: InMajor,
        /// In which currency.
        currency: Currency,
    },
    /// Its money has come, and it will be sent. What is paid at the door is not told so.
    Paid {},
    /// It is on its way.
    Shipped {},
    /// It arrived.
    Delivered {},
    /// One of its sellers has sent a part of it.
    ParcelSent {
        /// Who.
        #[serde(rename = "sellerId")]
        seller_id: UserId,
    },
    /// One of its sellers does not send a part of it.
    ParcelRefused {
        /// Who.
        #[serde(rename = "sellerId")]
        seller_id: UserId,
    },
    /// It is over, and its stock was given back.
    Cancelled {
        /// Why, if it was written down.
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<CancellationReason>,
    },
    /// Somebody without an account had placed it, and now it is somebody's who has one.
    Claimed {},
    /// More of its money is on its way back.
    Refunded {
        /// All that went back or is on its way.
        refunded: InMajor,
        /// In which currency.
        currency: Currency,
    },
    /// Some of its money could not go back, or has come again.
    RefundFailed {
        /// All that went back or is on its way all the same.
        refunded: InMajor,
        /// In which currency.
        currency: Currency,
    },
}

impl OrderEvent {
    /// The names of all kinds, as subscribers know them.
    pub const KINDS: [&str; 10] = [
        "order.placed",
        "order.paid",
        "order.shipped",
        "order.delivered",
        "order.parcel-sent",
        "order.parcel-refused",
        "order.cancelled",
        "order.claimed",
        "order.refunded",
        "order.refund-failed",
    ];

    /// The name of its kind.
    pub const fn kind(&self) -> &'static str {
        match self.what {
            What::Placed { .. } => "order.placed",
            What::Paid {} => "order.paid",
            What::Shipped {} => "order.shipped",
            What::Delivered {} => "order.delivered",
            What::ParcelSent { .. } => "order.parcel-sent",
            What::ParcelRefused { .. } => "order.parcel-refused",
            What::Cancelled { .. } => "order.cancelled",
            What::Claimed {} => "order.claimed",
            What::Refunded { .. } => "order.refunded",
            What::RefundFailed { .. } => "order.refund-failed",
        }
    }
}

/// What happened between two states of an order's item.
pub fn between(old: Option<&Order>, new: Option<&Order>) -> Vec<OrderEvent> {
    let Some(new) = new else { return Vec::new() };
    let known = old.map_or(0, |old| old.history.len());
    let event = |at, what| OrderEvent { order_id: new.order_id, user_id: new.user_id.clone(), at, what };
    let entered = |(index, entry): (usize, &HistoryEntry)| {
        let what = match entry.status {
            // It was placed when it began to wait for its money.
            OrderStatus::Pending if index > 0 => What::Paid {},
            OrderStatus::AwaitingPayment | OrderStatus::Pending => {
                What::Placed { total: new.total.in_major(), currency: new.currency }
            }
            OrderStatus::Shipping => What::Shipped {},
            OrderStatus::Delivered => What::Delivered {},
            OrderStatus::Cancelled => What::Cancelled { why: entry.reason },
        };
        event(Some(entry.at), what)
    };
    let mut events = parcels_between(old, new);
    events.extend(new.history.iter().enumerate().skip(known).map(entered));
    if old.is_some_and(|old| old.user_id.is_guest() && !new.user_id.is_guest()) {
        events.push(event(None, What::Claimed {}));
    }
    let given_back = |order: &Order| order.payment.as_ref().map_or(Amount::ZERO, Paying::given_back);
    let (before, after) = (old.map_or(Amount::ZERO, given_back), given_back(new));
    let (refunded, currency) = (after.in_major(), new.currency);
    match after.cmp(&before) {
        Ordering::Greater => events.push(event(None, What::Refunded { refunded, currency })),
        Ordering::Less => events.push(event(None, What::RefundFailed { refunded, currency })),
        Ordering::Equal => {}
    }
    events
}

/// What was said of parts of an order, of one that is sent in parts: a part that left with the whole order did not
/// leave by itself.
fn parcels_between(old: Option<&Order>, new: &Order) -> Vec<OrderEvent> {
    let before = old.map(Order::parcels).unwrap_or_default();
    let event = |(seller, parcel): (&UserId, &Parcel)| {
        let seller_id = seller.clone();
        let was = before.get(seller).map(|parcel| parcel.status);
        let what = match parcel.status {
            status if was == Some(status) => return None,
            ParcelStatus::Shipped => What::ParcelSent { seller_id },
            ParcelStatus::Refused => What::ParcelRefused { seller_id },
            ParcelStatus::ToSend | ParcelStatus::Delivered => return None,
        };
        Some(OrderEvent { order_id: new.order_id, user_id: new.user_id.clone(), at: parcel.at, what })
    };
    new.parcels.iter().flatten().filter_map(event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// An order with this history of statuses and reasons, an entry a minute.
    fn order(history: &[(&str, Option<&str>)]) -> Order {
        let at = |minute: usize| format!("2026-11-21T12:{minute:02}:00.000Z");
        let entries: Vec<_> = history
            .iter()
            .enumerate()
            .map(|(minute, (status, reason))| json!({ "status": status, "at": at(minute), "reason": reason }))
            .collect();
        serde_json::from_value(json!({
            "orderId": "01a1fbbc-f982-7d04-8367-8c1b9055f3fd", "userId": "5d0c",
            "contact": { "email": "ann@example.com", "fullName": "Ann" }, "schemaVersion": 1,
            "status": history.last().unwrap().0, "paymentMethod": "cash_on_delivery", "lines": [], "total": 1050,
            "currency": "USD", "createdAt": at(0), "updatedAt": at(history.len() - 1), "history": entries
        }))
        .unwrap()
    }

    fn kinds(events: &[OrderEvent]) -> Vec<&'static str> {
        events.iter().map(OrderEvent::kind).collect()
    }

    #[test]
    fn a_new_order_is_placed() {
        let events = between(None, Some(&order(&[("pending", None)])));
        assert_eq!(kinds(&events), ["order.placed"]);
        assert_eq!(events[0].at.unwrap().to_string(), "2026-11-21T12:00:00.000Z");
        let data = json!({
            "orderId": "01a1fbbc-f982-7d04-8367-8c1b9055f3fd", "userId": "5d0c", "total": 10.5, "currency": "USD"
        });
        assert_eq!(serde_json::to_value(&events[0]).unwrap(), data);
    }

    #[test]
    fn a_cancelled_order_says_why_by_a_code() {
        let pending = order(&[("pending", None)]);
        for reason in [Some("by_buyer"), Some("not_shippable"), Some("by_shop"), None] {
            let events = between(Some(&pending), Some(&order(&[("pending", None), ("cancelled", reason)])));
            assert_eq!(kinds(&events), ["order.cancelled"]);
            assert_eq!(serde_json::to_value(&events[0]).unwrap()["why"], json!(reason));
        }
    }

    #[test]
    fn what_sellers_say_of_their_parts_is_told_of_each_once() {
        let with = |history: &[(&str, Option<&str>)], parcels: &serde_json::Value| {
            let mut item = serde_json::to_value(order(history)).unwrap();
            item["parcels"] = parcels.clone();
            serde_json::from_value::<Order>(item).unwrap()
        };
        let at = "2026-11-21T12:09:00.000Z";
        let parcels = |tea: &str, cup: &str| json!({ "ann": { "status": tea, "at": at }, "eve": { "status": cup, "at": at } });
        let (pending, shipping) = ([("pending", None)], [("pending", None), ("shipping", None)]);
        let whole = order(&pending);
        let one = with(&pending, &parcels("refused", "to_send"));
        let both = with(&shipping, &parcels("refused", "shipped"));
        let told = between(Some(&whole), Some(&one));
        assert_eq!(
            (kinds(&told), told[0].at.unwrap().to_string()),
            (vec!["order.parcel-refused"], at.to_owned())
        );
        assert_eq!(serde_json::to_value(&told[0]).unwrap()["sellerId"], "ann");
        assert_eq!(kinds(&between(Some(&one), Some(&both))), ["order.parcel-sent", "order.shipped"]);
        assert_eq!(between(Some(&both), Some(&both)), []);
        let arrived = with(&shipping, &parcels("refused", "delivered"));
        assert_eq!(between(Some(&both), Some(&arrived)), []);
    }

    #[test]
    fn what_was_not_seen_is_told_with_what_is() {
        let shipping = order(&[("pending", None), ("shipping", None)]);
        assert_eq!(kinds(&between(None, Some(&shipping))), ["order.placed", "order.shipped"]);
        let delivered = order(&[("pending", None), ("shipping", None), ("delivered", None)]);
        assert_eq!(kinds(&between(Some(&shipping), Some(&delivered))), ["order.delivered"]);
    }

    #[test]
    fn what_is_paid_before_it_is_sent_is_placed_once_and_then_paid() {
        let awaiting = order(&[("awaiting_payment", None)]);
        let paid = order(&[("awaiting_payment", None), ("pending", None)]);
        assert_eq!(kinds(&between(None, Some(&awaiting))), ["order.placed"]);
        assert_eq!(kinds(&between(Some(&awaiting), Some(&paid))), ["order.paid"]);
        assert_eq!(kinds(&between(None, Some(&paid))), ["order.placed", "order.paid"]);
    }

    /// An order that is on its way, of which so much is on its way back and so much went back.
    fn given_back(refunding: u64, refunded: u64) -> Order {
        let payment = "01a1fbbc-f7cc-71a0-aa66-431f703e44ea";
        let payment = json!({
            "paid": 1050, "refunding": refunding, "refunded": refunded, "paymentId": payment, "attempts": [payment]
        });
        let shipping = order(&[("pending", None), ("shipping", None)]);
        Order { payment: serde_json::from_value(payment).unwrap(), ..shipping }
    }

    #[test]
    fn what_is_paid_back_is_told_once_with_what_that_comes_to_and_so_is_what_fails() {
        let told = |old: &Order, new: &Order| {
            let events = between(Some(old), Some(new));
            let shown = events.iter().map(|event| (event.kind(), serde_json::to_value(event).unwrap()));
            shown.map(|(kind, data)| (kind, data["refunded"].clone())).collect::<Vec<_>>()
        };
        let [none, begun, back] = [given_back(0, 0), given_back(300, 0), given_back(0, 300)];
        assert_eq!(told(&none, &begun), [("order.refunded", json!(3))]);
        assert_eq!(told(&begun, &back), [], "the same money");
        assert_eq!(told(&begun, &given_back(750, 300)), [("order.refunded", json!(10.5))]);
        assert_eq!(told(&begun, &none), [("order.refund-failed", json!(0))]);
        assert_eq!(told(&back, &none), [("order.refund-failed", json!(0))], "it has come again");
        let unseen = between(None, Some(&back));
        assert_eq!(kinds(&unseen), ["order.placed", "order.shipped", "order.refunded"]);
        assert_eq!(unseen.last().unwrap().at, None);
    }

    #[test]
    fn a_guests_order_is_claimed_once() {
        let of = |user: UserId| Order { user_id: user, ..order(&[("pending", None), ("shipping", None)]) };
        let (guests, anns) = (of(UserId::guest(7)), of(UserId::from("ann".to_owned())));
        let events = between(Some(&guests), Some(&anns));
        assert_eq!((kinds(&events), &events[0].user_id), (vec!["order.claimed"], &anns.user_id));
        assert_eq!(between(Some(&anns), Some(&anns)), []);
        assert_eq!(kinds(&between(None, Some(&anns))), ["order.placed", "order.shipped"]);
    }

    fn histories() -> impl Strategy<Value = Vec<(&'static str, Option<&'static str>)>> {
        let status =
            prop::sample::select(vec!["awaiting_payment", "pending", "shipping", "delivered", "cancelled"]);
        prop::collection::vec(status.prop_map(|status| (status, None)), 1..6)
    }

    proptest! {
        #[test]
        fn each_entry_of_the_history_is_told_once_however_the_writes_are_cut(
            history in histories(), cut in 0..6_usize,
        ) {
            let whole = order(&history);
            let part = (1..history.len()).contains(&cut).then(|| order(&history[..cut]));
            let mut told = between(None, part.as_ref());
            told.extend(between(part.as_ref(), Some(&whole)));
            prop_assert_eq!(told, between(None, Some(&whole)));
            prop_assert_eq!(between(None, Some(&whole)).len(), history.len());
        }

        #[test]
        fn an_order_that_is_as_it_was_tells_nothing(history in histories(), attempts in 0..9_u32) {
            let old = order(&history);
            let new = Order { attempts, due: None, due_at: None, ..old.clone() };
            prop_assert_eq!(between(Some(&old), Some(&new)), []);
            prop_assert_eq!(between(Some(&old), None), []);
        }
    }
}
