//! What people were told of what happened: their inboxes, as the table has them.

use std::collections::{BTreeMap, BTreeSet};

use ::tests::aws::Aws;
use serde_json::{Value, json};

use crate::world::{Order, scan, stored, text};

/// How many can be unread.
const MOST_UNREAD: usize = 200;

/// What somebody was told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Inbox {
    /// What, and of which order, product or store, by the notification's id.
    pub told: BTreeMap<String, (String, String)>,
    /// Of which it is noted that they are unread.
    pub unread: BTreeSet<String>,
}

impl Inbox {
    /// The inboxes of all people.
    pub(crate) async fn read_all(aws: &Aws) -> BTreeMap<String, Self> {
        let mut inboxes: BTreeMap<String, Self> = BTreeMap::new();
        for item in scan(aws, "InboxTable").await {
            inboxes.entry(text(&item, "userId")).or_default().add(&item);
        }
        inboxes
    }

    fn add(&mut self, item: &Value) {
        let entry = text(item, "entry");
        if entry == "~state" {
            let unread = item["unread"]["NS"].as_array().into_iter().flatten();
            self.unread = unread.filter_map(Value::as_str).map(str::to_owned).collect();
        } else if !entry.starts_with('#') {
            self.told.insert(entry, (text(item, "kind"), text(item, "subject")));
        }
    }

    /// What it tells of an order, by alphabet: what happens at once may come in any order.
    pub(crate) fn of(&self, order: &str) -> Vec<&str> {
        let told = self.told.values().filter(|(_, subject)| subject == order);
        let mut kinds: Vec<_> = told.map(|(kind, _)| kind.as_str()).collect();
        kinds.sort_unstable();
        kinds
    }

    /// Whether all is unread that can be, since nobody here marks anything.
    pub(crate) fn is_unread(&self) -> bool {
        let newest = self.told.keys().rev().take(MOST_UNREAD).cloned().collect::<BTreeSet<_>>();
        self.unread == newest
    }
}

/// What the buyer of an order is told of its history, by alphabet.
pub(crate) fn told_of(order: &Order) -> Vec<&'static str> {
    let is_own_doing = order.reason.as_deref() == Some("by_buyer");
    let kind = |(index, status): (usize, &String)| match status.as_str() {
        "pending" if index > 0 => Some("order.paid"),
        "awaiting_payment" | "pending" => Some("order.placed"),
        "shipping" => Some("order.shipped"),
        "delivered" => Some("order.delivered"),
        "cancelled" => (!is_own_doing).then_some("order.cancelled"),
        _ => None,
    };
    let mut kinds: Vec<_> = order.history.iter().enumerate().filter_map(kind).collect();
    kinds.sort_unstable();
    kinds
}

/// Whether each seller of an order was to be told that it is sold.
pub(crate) fn is_sold(order: &Order) -> bool {
    !order.by_card || order.history.iter().any(|status| status == "pending")
}

/// Whether the buyer of an order that shipped was told so, and that it was taken.
pub(crate) async fn is_told(aws: &Aws, order: &str) -> bool {
    let buyer = text(&stored(aws, order).await, "userId");
    let input = json!({
        "TableName": aws.output("InboxTable"), "ConsistentRead": true, "KeyConditionExpression": "userId = :buyer",
        "ExpressionAttributeValues": { ":buyer": { "S": buyer } },
    });
    let found = aws.json("dynamodb", "DynamoDB_20120810.Query", input).await;
    let mut inbox = Inbox::default();
    found["Items"].as_array().into_iter().flatten().for_each(|item| inbox.add(item));
    ["order.placed", "order.shipped"].iter().all(|kind| inbox.of(order).contains(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inbox_is_read_with_what_is_unread() {
        let mut inbox = Inbox::default();
        let entry = |id: &str, kind: &str| json!({ "userId": { "S": "ann" }, "entry": { "S": id }, "kind": { "S": kind }, "subject": { "S": "order" } });
        inbox.add(&entry("1795262400001", "order.shipped"));
        inbox.add(&entry("1795262400000", "order.placed"));
        inbox.add(&json!({ "userId": { "S": "ann" }, "entry": { "S": "#event#1" } }));
        assert!(!inbox.is_unread());
        let both = json!({ "NS": ["1795262400000", "1795262400001"] });
        inbox.add(&json!({ "userId": { "S": "ann" }, "entry": { "S": "~state" }, "unread": both }));
        assert_eq!((inbox.of("order"), inbox.is_unread()), (vec!["order.placed", "order.shipped"], true));
    }

    #[test]
    fn a_buyer_is_told_what_others_did_and_that_it_was_ordered() {
        let order = |history: &[&str], reason: Option<&str>| Order {
            history: history.iter().map(|status| (*status).to_owned()).collect(),
            reason: reason.map(str::to_owned),
            ..Order::default()
        };
        assert_eq!(told_of(&order(&["pending", "cancelled"], Some("by_buyer"))), ["order.placed"]);
        assert_eq!(
            told_of(&order(&["awaiting_payment", "pending", "cancelled"], Some("by_shop"))),
            ["order.cancelled", "order.paid", "order.placed"]
        );
    }
}
