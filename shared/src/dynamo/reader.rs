//! Reads an item into a type without taking it apart first.
//!
//! `serde_dynamo`, which writes all items, turns an item into a map of its own values before it reads them, and reads
//! each by way of several others: four times the time of this, which a list of forty items notices (decision 0024).

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::Item;

/// The values of an item, by DynamoDB's types: what `serde_dynamo` wrote reads back the same.
pub(super) fn read<T: DeserializeOwned>(item: Item) -> Result<T, Error> {
    T::deserialize(Reader(AttributeValue::M(item)))
}

struct Reader(AttributeValue);

impl IntoDeserializer<'_> for Reader {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Reader {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            AttributeValue::S(text) => visitor.visit_string(text),
            AttributeValue::N(number) => visit_number(&number, visitor),
            AttributeValue::Bool(value) => visitor.visit_bool(value),
            AttributeValue::Null(_) => visitor.visit_unit(),
            AttributeValue::M(map) => visitor
                .visit_map(MapDeserializer::new(map.into_iter().map(|(name, value)| (name, Self(value))))),
            AttributeValue::L(list) => visitor.visit_seq(SeqDeserializer::new(list.into_iter().map(Self))),
            _ => Err(Error::custom("a set or a binary value, which no item of ours has")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            AttributeValue::Null(_) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            AttributeValue::S(variant) => IntoDeserializer::<Error>::into_deserializer(variant)
                .deserialize_enum(name, variants, visitor),
            _ => Err(Error::invalid_type(Unexpected::Other("no text"), &visitor)),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

fn visit_number<'de, V: Visitor<'de>>(number: &str, visitor: V) -> Result<V::Value, Error> {
    if let Ok(number) = number.parse() {
        visitor.visit_u64(number)
    } else if let Ok(number) = number.parse() {
        visitor.visit_i64(number)
    } else if let Ok(number) = number.parse() {
        visitor.visit_f64(number)
    } else {
        Err(Error::invalid_value(Unexpected::Str(number), &visitor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::to_item;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9..1e9_f64).prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-z]{1,4}", inner, 0..4).prop_map(|map| json!(map)),
            ]
        })
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum Colour {
        DarkRed,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Id(u32);

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Thing {
        id: Id,
        colour: Colour,
        weight: f32,
        change: i8,
        note: Option<String>,
        absent: Option<u8>,
        sizes: (u8, u8),
    }

    proptest! {
        #[test]
        fn it_reads_what_serde_dynamo_wrote_as_that_does(map in prop::collection::btree_map("[a-z]{1,4}", anything(), 0..6)) {
            let item = to_item(&map).unwrap();
            prop_assert_eq!(read::<Value>(item.clone()).unwrap(), serde_dynamo::from_item::<_, Value>(item).unwrap());
        }
    }

    #[test]
    fn each_value_becomes_what_the_type_asks_for() {
        let thing = json!({
            "id": 7, "colour": "darkRed", "weight": 3, "change": -4, "note": null, "sizes": [1, 2], "later": "unknown",
        });
        let expected = Thing {
            id: Id(7),
            colour: Colour::DarkRed,
            weight: 3.0,
            change: -4,
            note: None,
            absent: None,
            sizes: (1, 2),
        };
        assert_eq!(read::<Thing>(to_item(&thing).unwrap()).unwrap(), expected);
    }

    #[test]
    fn what_does_not_fit_is_told_and_not_guessed() {
        for (name, value) in
            [("colour", json!(1)), ("id", json!("7")), ("change", json!(200)), ("note", json!([]))]
        {
            let mut thing =
                json!({ "id": 7, "colour": "darkRed", "weight": 3, "change": -4, "sizes": [1, 2] });
            thing[name] = value;
            assert!(read::<Thing>(to_item(&thing).unwrap()).is_err(), "{name}");
        }
        let set = Item::from([("id".into(), AttributeValue::Ns(vec!["7".into()]))]);
        assert!(read::<Thing>(set).unwrap_err().to_string().contains("a set"));
        let number = Item::from([("id".into(), AttributeValue::N("seven".into()))]);
        assert!(read::<Value>(number).is_err());
    }
}
