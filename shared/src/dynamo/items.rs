//! Items and the values in them.

use std::collections::HashMap;

use anyhow::Context;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::reader;
use crate::run::telemetry;
use crate::values::money::Amount;

/// An item as DynamoDB has it.
pub type Item = HashMap<String, AttributeValue>;

/// A value for an expression or a key: texts, ids, statuses and times are all stored as strings.
pub fn text(value: &(impl ToString + ?Sized)) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

/// A number for an expression.
pub fn number(value: impl Into<i64>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// An amount for an expression, in minor units as items have it.
pub fn minor(amount: Amount) -> AttributeValue {
    AttributeValue::N(amount.minor().to_string())
}

/// Turns a value into an item.
///
/// # Errors
/// When the value is not a map: a mistake in our code.
pub fn to_item(value: &impl Serialize) -> anyhow::Result<Item> {
    serde_dynamo::to_item(value).context("turn a value into an item")
}

/// Reads an item that a table gave.
///
/// # Errors
/// When a stored item lacks what the code expects of it.
pub fn from_item<T: DeserializeOwned>(item: Item) -> anyhow::Result<T> {
    reader::read(item).context("read an item")
}

/// Reads many items that a table gave, without those that nobody can read: one of them must not take all others from
/// the reader of a list, or from a sweep. `key` is the attribute that names an item; the log has it as an error, and
/// the metric `UnreadableItem` rings.
pub fn read_each<T: DeserializeOwned>(items: impl IntoIterator<Item = Item>, key: &str) -> Vec<T> {
    items.into_iter().filter_map(|item| read_or_leave_out(item, key)).collect()
}

fn read_or_leave_out<T: DeserializeOwned>(item: Item, key: &str) -> Option<T> {
    let named = item.get(key).cloned();
    from_item(item)
        .inspect_err(|error| {
            let named = match &named {
                Some(AttributeValue::S(text) | AttributeValue::N(text)) => text.as_str(),
                _ => "…",
            };
            tracing::error!(
                key = format!("{key}={named}"),
                error = format!("{error:#}"),
                "left an unreadable item out"
            );
            telemetry::count_in_stage("UnreadableItem", 1);
        })
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_does_not_take_the_others_away() {
        let item =
            |id: &str, size: AttributeValue| Item::from([("id".into(), text(id)), ("size".into(), size)]);
        let items = [item("a", number(1)), item("b", text("large")), item("c", number(3)), Item::new()];
        #[derive(Debug, PartialEq, serde::Deserialize)]
        struct Thing {
            id: String,
            size: u8,
        }
        let thing = |id: &str, size| Thing { id: id.into(), size };
        assert_eq!(read_each::<Thing>(items, "id"), [thing("a", 1), thing("c", 3)]);
    }
}
