//! What DynamoDB charges for a call, in request units.
//!
//! The emulator's own count is right for writes (it rounds each item and each index entry up to 1 KB, twice for
//! transactions) and wrong for reads (it counts each as one unit of 4 KB, however much was read), so reads are counted
//! here by the sizes of the items that came back.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>,
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>

use std::ops::AddAssign;

use serde::Serialize;
use serde_json::Value;

const READ_UNIT: u64 = 4096;

/// Request units of DynamoDB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Units {
    /// Read request units.
    pub read: f64,
    /// Write request units.
    pub write: f64,
}

impl AddAssign for Units {
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.write += other.write;
    }
}

/// What a call with this input and output costs; `consumed` is what the emulator says of it.
pub(super) fn of(operation: &str, input: &Value, output: &Value, consumed: Option<&Value>) -> Units {
    let read = match operation {
        "GetItem" => rounded(item_size(&output["Item"])) * rate(&input["ConsistentRead"]),
        "Query" => rounded(items_of(&output["Items"]).map(item_size).sum()) * rate(&input["ConsistentRead"]),
        "BatchGetItem" => batch(input, output),
        _ => return Units { read: 0.0, write: written(consumed) },
    };
    Units { read, write: 0.0 }
}

/// Each item is rounded up by itself, also one that was not found.
fn batch(input: &Value, output: &Value) -> f64 {
    let tables = input["RequestItems"].as_object().into_iter().flatten();
    let of_table = |(table, wanted): (&String, &Value)| {
        let found: Vec<_> = items_of(&output["Responses"][table]).map(item_size).collect();
        let missing = wanted["Keys"].as_array().map_or(0, Vec::len).saturating_sub(found.len());
        let units: f64 = found.into_iter().chain(std::iter::repeat_n(0, missing)).map(rounded).sum();
        units * rate(&wanted["ConsistentRead"])
    };
    tables.map(of_table).sum()
}

fn written(consumed: Option<&Value>) -> f64 {
    by_table(consumed).into_iter().map(|(_, units)| units).sum()
}

/// What the emulator says that a call consumed of each table, its indexes with it.
pub(super) fn by_table(consumed: Option<&Value>) -> Vec<(String, f64)> {
    let one = |entry: &Value| {
        let table = entry["TableName"].as_str().unwrap_or_default();
        (table.to_owned(), entry["CapacityUnits"].as_f64().unwrap_or_default())
    };
    match consumed {
        Some(Value::Array(tables)) => tables.iter().map(one).collect(),
        Some(table) => vec![one(table)],
        None => Vec::new(),
    }
}

fn items_of(items: &Value) -> impl Iterator<Item = &Value> {
    items.as_array().into_iter().flatten()
}

fn rate(consistent: &Value) -> f64 {
    if consistent == true { 1.0 } else { 0.5 }
}

#[expect(clippy::cast_precision_loss, reason = "an answer of DynamoDB has at most 16 MB")]
fn rounded(bytes: u64) -> f64 {
    bytes.div_ceil(READ_UNIT).max(1) as f64
}

/// The size of an item in DynamoDB's JSON: its attributes' names and values.
pub(super) fn item_size(item: &Value) -> u64 {
    item.as_object().into_iter().flatten().map(|(name, value)| len(name) + value_size(value)).sum()
}

fn value_size(value: &Value) -> u64 {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else { return 0 };
    let text = value.as_str().unwrap_or_default();
    match kind.as_str() {
        "S" => len(text),
        // Two digits a byte, and one for sign and length.
        "N" => len(text.trim_start_matches('-')).div_ceil(2) + 1,
        "B" => len(text) / 4 * 3,
        "L" => 3 + items_of(value).map(|one| 1 + value_size(one)).sum::<u64>(),
        "M" => {
            let fields = value.as_object().into_iter().flatten();
            3 + fields.map(|(name, one)| 1 + len(name) + value_size(one)).sum::<u64>()
        }
        "SS" | "NS" | "BS" => items_of(value).filter_map(Value::as_str).map(len).sum(),
        _ => 1,
    }
}

fn len(text: &str) -> u64 {
    text.len() as u64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn units(operation: &str, input: &Value, output: &Value) -> (f64, f64) {
        let units = of(operation, input, output, None);
        (units.read, units.write)
    }

    #[test]
    fn an_item_is_as_large_as_its_names_and_values() {
        let item = json!({
            "id": { "S": "abc" }, "n": { "N": "-1450" }, "b": { "BOOL": true },
            "l": { "L": [{ "M": { "x": { "S": "yz" } } }] },
        });
        // 2+3, 1+3, 1+1, 1 + 3 + (1 + 3 + (1 + 1 + 2))
        assert_eq!(item_size(&item), 5 + 4 + 2 + 12);
    }

    #[test]
    fn reads_are_rounded_as_dynamodb_rounds_them() {
        let item = |bytes: usize| json!({ "a": { "S": "x".repeat(bytes - 1) } });
        assert_eq!(units("GetItem", &json!({}), &json!({})), (0.5, 0.0));
        assert_eq!(
            units("GetItem", &json!({ "ConsistentRead": true }), &json!({ "Item": item(4097) })),
            (2.0, 0.0)
        );
        // A query adds up first: nine items of 1 KB are three units of 4 KB, at half the price.
        let nine = json!({ "Items": vec![item(1024); 9] });
        assert_eq!(units("Query", &json!({}), &nine), (1.5, 0.0));
        // A batch rounds each, and what is not there also costs one unit.
        let input = json!({ "RequestItems": { "t": { "Keys": [1, 2], "ConsistentRead": true } } });
        assert_eq!(units("BatchGetItem", &input, &json!({ "Responses": { "t": [item(100)] } })), (2.0, 0.0));
    }

    #[test]
    fn writes_are_what_the_emulator_says() {
        let transaction =
            json!([{ "TableName": "a", "CapacityUnits": 4.0 }, { "TableName": "b", "CapacityUnits": 2.0 }]);
        assert_eq!(
            of("TransactWriteItems", &json!({}), &json!({}), Some(&transaction)).write.to_string(),
            "6"
        );
        assert_eq!(by_table(Some(&transaction)), [("a".to_owned(), 4.0), ("b".to_owned(), 2.0)]);
        let update = json!({ "CapacityUnits": 3.0 });
        assert_eq!(of("UpdateItem", &json!({}), &json!({}), Some(&update)).write.to_string(), "3");
    }
}
