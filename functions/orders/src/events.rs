//! What happened to an order, read from its item before and after a write. An order's history only grows, so each entry
//! that is new is an event: none is told twice, and none is passed over where a write was not seen.

use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::values::money::{Currency, InMajor};
use shared::values::time::Timestamp;

use crate::{CancellationReason, HistoryEntry, Order, OrderId, OrderStatus};

/// Something that happened to an order. As JSON it is the event's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderEvent {
    /// Which order.
    pub order_id: OrderId,
    /// Who bought it.
    pub user_id: UserId,
    /// When.
    #[serde(skip)]
    pub at: Timestamp,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
    /// It is over, and its stock was given back.
    Cancelled {
        /// Why, if it was written down.
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<CancellationReason>,
    },
}

impl OrderEvent {
    /// The names of all kinds, as subscribers know them.
    pub const KINDS: [&str; 5] =
        ["order.placed", "order.paid", "order.shipped", "order.delivered", "order.cancelled"];

    /// The name of its kind.
    pub const fn kind(&self) -> &'static str {
        match self.what {
            What::Placed { .. } => "order.placed",
            What::Paid {} => "order.paid",
            What::Shipped {} => "order.shipped",
            What::Delivered {} => "order.delivered",
            What::Cancelled { .. } => "order.cancelled",
        }
    }
}

/// What happened between two states of an order's item.
pub fn between(old: Option<&Order>, new: Option<&Order>) -> Vec<OrderEvent> {
    let Some(new) = new else { return Vec::new() };
    let known = old.map_or(0, |old| old.history.len());
    let event = |(index, entry): (usize, &HistoryEntry)| OrderEvent {
        order_id: new.order_id,
        user_id: new.user_id.clone(),
        at: entry.at,
        what: match entry.status {
            // It was placed when it began to wait for its money.
            OrderStatus::Pending if index > 0 => What::Paid {},
            OrderStatus::AwaitingPayment | OrderStatus::Pending => {
                What::Placed { total: new.total.in_major(), currency: new.currency }
            }
            OrderStatus::Shipping => What::Shipped {},
            OrderStatus::Delivered => What::Delivered {},
            OrderStatus::Cancelled => What::Cancelled { why: entry.reason },
        },
    };
    new.history.iter().enumerate().skip(known).map(event).collect()
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
        assert_eq!(events[0].at.to_string(), "2026-11-21T12:00:00.000Z");
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
