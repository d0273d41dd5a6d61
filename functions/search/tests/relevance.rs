//! Whether what people type finds what they mean.

mod support;

use std::collections::HashMap;

use search::engine::synthetic::Catalogue;
use search::engine::{Document, ProductId, Query};
use serde::Deserialize;
use support::{open, product};

const JUDGED: &str = include_str!("judged.json");
const MORE: &str = include_str!("more.json");

#[test]
fn nearly_every_judged_query_is_answered_right() {
    let set = Set::of(JUDGED);
    let wrong = set.wrong(20, std::iter::empty());
    assert!(set.queries.len() - wrong.len() >= 84, "{}", wrong.join("\n"));
}

#[test]
fn words_keep_their_meaning_beside_ten_thousand_other_products() {
    let set = Set::of(JUDGED);
    // On the first page stand others that fit as well: two thousand sneakers.
    for (deep, right) in [(20, 68), (1000, 84)] {
        let wrong = set.wrong(deep, Catalogue::new(1).products(10_000));
        assert!(set.queries.len() - wrong.len() >= right, "of the first {deep}:\n{}", wrong.join("\n"));
    }
}

#[test]
fn further_queries_in_many_scripts_are_answered_right() {
    let set = Set::of(MORE);
    let wrong = set.wrong(20, std::iter::empty());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), set.queries.len(), wrong.join("\n"));
}

/// A set as its file has it.
#[derive(Deserialize)]
pub struct Set {
    /// Key, name, category, description, stock-keeping number.
    pub products: Vec<[String; 5]>,
    /// What is typed, what it should find, where, and what this tests.
    ///
    /// `a` is a key, `any:a,b` one of them, `in:a,b` all of them, `none` nothing, `any` something, `not:a` all but it.
    /// `top3` is where: within the first three.
    pub queries: Vec<[String; 4]>,
}

impl Set {
    /// Reads one.
    pub fn of(text: &str) -> Self {
        serde_json::from_str(text).expect("judged queries")
    }

    /// Its products as documents, and their keys.
    pub fn documents(&self) -> (Vec<Document>, HashMap<ProductId, &str>) {
        let documents =
            self.products.iter().zip(1_u32..).map(|([key, name, category, description, sku], n)| Document {
                name: name.clone(),
                category: category.clone(),
                description: description.clone(),
                sku: Some(sku.clone()),
                // Where ids decide, no set is at an advantage.
                ..product(u128::from(n.wrapping_mul(2_654_435_761)) << 96 | u128::from(key.len() as u64))
            });
        let documents: Vec<Document> = documents.collect();
        let keys = documents
            .iter()
            .zip(&self.products)
            .map(|(document, [key, ..])| (document.product_id, key.as_str()));
        let keys = keys.collect();
        (documents, keys)
    }

    /// The queries that are not answered as they should be, each with what it found. Of products beside those of the
    /// set nobody can say whether they fit better, so they take no place, but only the first `deep` results count.
    pub fn wrong(&self, deep: usize, beside: impl Iterator<Item = Document>) -> Vec<String> {
        let (documents, keys) = self.documents();
        let index = open(documents.into_iter().chain(beside));
        let mut wrong = Vec::new();
        for [text, wanted, place, why] in &self.queries {
            let most = place.strip_prefix("top").map_or(20, |place| place.parse().expect("a number"));
            let page = index
                .search(&Query { text: text.clone(), limit: deep, ..Query::default() })
                .expect("an answer");
            let ours = page.hits.iter().filter_map(|hit| keys.get(&hit.product_id).copied());
            let found: Vec<&str> = ours.take(most).collect();
            if !fits(wanted, &found) {
                wrong.push(format!("{why}: {text:?} should find {wanted} ({place}), found {found:?}"));
            }
        }
        wrong
    }
}

fn fits(wanted: &str, found: &[&str]) -> bool {
    let (how, keys) = wanted.split_once(':').unwrap_or(("in", wanted));
    let mut keys = keys.split(',');
    match (how, wanted) {
        (_, "none") => found.is_empty(),
        (_, "any") => !found.is_empty(),
        ("any", _) => keys.any(|key| found.contains(&key)),
        ("not", _) => keys.all(|key| !found.contains(&key)),
        _ => keys.all(|key| found.contains(&key)),
    }
}
