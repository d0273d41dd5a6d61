//! Texts to telephones: each scene has a number of its own, to which one goes at most.

use std::collections::BTreeMap;

use ::tests::shop::{Shop, unique};
use serde_json::Value;

use crate::quiet;

/// Eight digits of base 16 that nobody else has.
fn digits() -> String {
    let name = unique("text");
    name.rsplit(' ').next().expect("eight digits").to_owned()
}

/// A number that nobody else has, in a country that the local shop sends texts to.
pub(crate) fn number() -> String {
    format!("+43660{:010}", u32::from_str_radix(&digits(), 16).expect("a number"))
}

/// An id of the proof of a number.
pub(crate) fn proof() -> String {
    format!("01a1fbbc-f982-7d04-8367-8c1b{}", digits())
}

/// This moment, as functions write it.
pub(crate) fn now() -> String {
    let now = jiff::Timestamp::from_millisecond(quiet::now()).expect("a time of today");
    format!("{now:.3}")
}

/// How many texts went to each number.
pub(crate) async fn read_all(shop: &Shop) -> BTreeMap<String, usize> {
    let texts = shop.get("/local/texts.json").await.is(200);
    count(texts.as_array().into_iter().flatten())
}

fn count<'a>(texts: impl Iterator<Item = &'a Value>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for to in texts.filter_map(|text| text["to"].as_str()) {
        *counts.entry(to.to_owned()).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_counted_by_their_numbers() {
        let texts = [json!({ "to": "+431" }), json!({ "to": "+432" }), json!({ "to": "+431" })];
        assert_eq!(count(texts.iter()), [("+431".to_owned(), 2), ("+432".to_owned(), 1)].into());
    }

    #[test]
    fn a_number_and_a_proof_are_as_the_shop_has_them_and_another_each_time() {
        let (number, proof) = (number(), proof());
        assert!(number.len() == 16 && number[1..].bytes().all(|byte| byte.is_ascii_digit()), "{number}");
        assert_eq!(proof.len(), 36);
        assert_ne!((number, proof), (super::number(), super::proof()));
        assert!(now().ends_with('Z') && now().len() == 24);
    }
}
