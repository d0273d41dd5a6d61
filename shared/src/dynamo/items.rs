//! Items and the values in them.

use std::collections::HashMap;

use anyhow::Context;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

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
    serde_dynamo::from_item(item).context("read an item")
}
