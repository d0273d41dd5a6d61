//! All that a list keeps, stretch by stretch and as JSON: for whoever wants to see what is kept of them.

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::list::List;
use super::{Item, text};

/// Where a stretch of a list begins, and of how many items it is at most.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// Where the one before it ended; `None` for the first.
    pub start: Option<Item>,
    /// How many items it has at most. It has fewer where these are more than a megabyte.
    pub most: i32,
}

/// A stretch of what is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptItems {
    /// The items, with all that they have.
    pub items: Vec<Value>,
    /// Where the next stretch begins; `None` where there may be no more.
    pub next: Option<Item>,
}

impl List {
    /// A stretch of the list of `of`, in its ascending order and as of a moment ago, in one query.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn kept(
        &self,
        client: &Client,
        table: &str,
        of: &impl ToString,
        stretch: Stretch,
    ) -> anyhow::Result<KeptItems> {
        let query = client
            .query()
            .table_name(table)
            .set_index_name(self.index.map(str::to_owned))
            .key_condition_expression("#list = :of")
            .expression_attribute_names("#list", self.partition)
            .expression_attribute_values(":of", text(of))
            .limit(stretch.most)
            .set_exclusive_start_key(stretch.start);
        let found = query.send().await.context("read what is kept")?;
        let items = found.items.unwrap_or_default().into_iter();
        Ok(KeptItems {
            items: items.map(|item| json(AttributeValue::M(item))).collect(),
            next: found.last_evaluated_key,
        })
    }

    /// All of it at once, where that is never much.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn all_kept(
        &self,
        client: &Client,
        table: &str,
        of: &impl ToString,
    ) -> anyhow::Result<Vec<Value>> {
        const AT_ONCE: i32 = 100;
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let kept = self.kept(client, table, of, Stretch { start, most: AT_ONCE }).await?;
            items.extend(kept.items);
            start = kept.next;
            if start.is_none() {
                return Ok(items);
            }
        }
    }
}

/// A value as JSON has it: sets are lists, and bytes are Base64.
fn json(value: AttributeValue) -> Value {
    let bytes = |bytes: &[u8]| Value::String(STANDARD.encode(bytes));
    match value {
        AttributeValue::S(text) => Value::String(text),
        AttributeValue::N(number) => self::number(number),
        AttributeValue::Bool(value) => Value::Bool(value),
        AttributeValue::B(blob) => bytes(blob.as_ref()),
        AttributeValue::M(map) => map.into_iter().map(|(name, value)| (name, json(value))).collect(),
        AttributeValue::L(list) => list.into_iter().map(json).collect(),
        AttributeValue::Ss(texts) => texts.into_iter().map(Value::String).collect(),
        AttributeValue::Ns(numbers) => numbers.into_iter().map(number).collect(),
        AttributeValue::Bs(blobs) => blobs.iter().map(|blob| bytes(blob.as_ref())).collect(),
        // Null, and what DynamoDB may have one day.
        _ => Value::Null,
    }
}

/// Numbers may have more digits than JSON's readers take; then their text says more.
fn number(number: String) -> Value {
    number.parse().map_or(Value::String(number), Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::primitives::Blob;
    use serde_json::json;

    #[test]
    fn every_kind_of_value_is_seen_in_json() {
        let item = Item::from([
            ("text".to_owned(), text("tea")),
            ("number".to_owned(), AttributeValue::N("12.5".into())),
            ("yes".to_owned(), AttributeValue::Bool(true)),
            ("none".to_owned(), AttributeValue::Null(true)),
            ("bytes".to_owned(), AttributeValue::B(Blob::new([1, 2]))),
            ("list".to_owned(), AttributeValue::L(vec![text("a")])),
            ("texts".to_owned(), AttributeValue::Ss(vec!["a".into()])),
            ("numbers".to_owned(), AttributeValue::Ns(vec!["7".into()])),
            ("blobs".to_owned(), AttributeValue::Bs(vec![Blob::new([3])])),
        ]);
        let expected = json!({
            "text": "tea", "number": 12.5, "yes": true, "none": null, "bytes": "AQI=", "list": ["a"], "texts": ["a"],
            "numbers": [7], "blobs": ["Aw=="]
        });
        assert_eq!(json(AttributeValue::M(item)), expected);
    }
}
