//! Whether what people type finds what they mean.

mod support;

use search::engine::synthetic::Catalogue;
use support::Set;

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
