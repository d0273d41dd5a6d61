//! Items as the last release wrote them, in `tests/samples/`: the present code reads every one, and what it writes of
//! them the last release reads.
//!
//! A release copies there what it writes. A field or a status that is new is read one release before it is written, so
//! that a release that is rolled back can still read what the next one wrote. There is no schema of the last release to
//! read with, only what it wrote: so an item that goes through the present code has to come out with all that the last
//! release gave it, under the same names and of the same types, with more beside it at most; and each release skips
//! what it does not know, so that the one before it can skip that, too.

use std::collections::BTreeSet;
use std::fmt::Debug;

use orders::returns::ReturnStatus;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use settings::Versioned;
use shared::dynamo::{from_item, to_item};
use tests::files::files_under;
use tests::template::text;

fn samples(table: &str) -> Vec<Value> {
    serde_json::from_str(&text(&format!("tests/samples/{table}.json"))).expect("a list of items")
}

/// Reads a sample as the stores do: as an item of DynamoDB's.
fn read_one<T: DeserializeOwned>(table: &str, sample: &Value) -> T {
    let item = to_item(sample).expect("an item");
    from_item(item).unwrap_or_else(|error| panic!("{table}: {error:#} in {sample}"))
}

/// The same, with what a later release may have written beside it; for what the stores only read.
fn read_with_more<T: DeserializeOwned + Debug + PartialEq>(table: &str, sample: &Value) -> T {
    let read: T = read_one(table, sample);
    let mut later = sample.clone();
    later["ofALaterRelease"] = json!({ "is": ["new"] });
    assert_eq!(read_one::<T>(table, &later), read, "{table}: what is new is skipped");
    read
}

/// What the last release wrote into an item and would not find there any more, once the present code has written it.
fn lost(before: &Value, after: &Value, at: &str) -> Vec<String> {
    match (before, after) {
        (Value::Object(before), Value::Object(_)) => {
            let members = before.iter().filter(|(_, value)| !value.is_null());
            members.flat_map(|(name, value)| lost(value, &after[name], &format!("{at}/{name}"))).collect()
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            let both = before.iter().zip(after).enumerate();
            both.flat_map(|(index, (before, after))| lost(before, after, &format!("{at}/{index}"))).collect()
        }
        _ if before == after => Vec::new(),
        _ => vec![format!("{at} was {before} and is {after}")],
    }
}

/// Reads a sample and writes it again, as whoever changes an item does. `beside` are the members that its store writes
/// beside the type's own, such as the keys of indexes.
fn through<T: DeserializeOwned + Serialize + Debug + PartialEq>(
    table: &str,
    sample: &Value,
    beside: &[&str],
) -> T {
    let read: T = read_with_more(table, sample);
    let mut own = sample.clone();
    own.as_object_mut().expect("an item").retain(|name, _| !beside.contains(&name.as_str()));
    let written: Value = from_item(to_item(&read).expect("an item")).expect("JSON");
    assert_eq!(lost(&own, &written, table), [""; 0], "{sample}");
    read
}

fn all_through<T: DeserializeOwned + Serialize + Debug + PartialEq>(table: &str, beside: &[&str]) -> Vec<T> {
    samples(table).iter().map(|sample| through(table, sample, beside)).collect()
}

/// Each document is of another type.
fn settings_through() {
    let (table, beside) = ("settings", ["setting"]);
    for sample in samples(table) {
        match sample["setting"].as_str() {
            Some("shipping") => drop(through::<Versioned<settings::Shipping>>(table, &sample, &beside)),
            Some("tax") => drop(through::<Versioned<settings::Tax>>(table, &sample, &beside)),
            other => panic!("there is no document {other:?}"),
        }
    }
}

/// What stands beside a payment is of other types.
fn payments_through() {
    for sample in samples("payments") {
        let table = "payments";
        match sample["entry"].as_str().and_then(|entry| entry.split('#').next()) {
            Some("payment") => drop(through::<payments::Payment>(table, &sample, &[])),
            Some("refund") => drop(through::<payments::Refund>(table, &sample, &[])),
            Some("dispute") => drop(through::<payments::disputes::Dispute>(table, &sample, &[])),
            Some("ledger") => drop(through::<payments::store::LedgerEntry>(table, &sample, &[])),
            Some("pointer") => {
                let beside = ["paymentId", "entry", "schemaVersion"];
                through::<payments::store::Owner>(table, &sample, &beside);
            }
            other => panic!("there is no entry {other:?}"),
        }
    }
}

/// What people say of products, and what that comes to, which is written by expressions alone.
fn reviews_through() {
    for sample in samples("reviews") {
        let table = "reviews";
        if sample["userId"] == products::ratings::TOTALS {
            read_with_more::<products::ratings::Totals>(table, &sample);
        } else {
            through::<reviews::Review>(table, &sample, &["rank", "shelf", "shownAt"]);
        }
    }
}

#[test]
fn the_present_code_reads_what_the_last_release_wrote_and_the_reverse() {
    // What is shown of these is less than what is written, which is by expressions alone.
    samples("banners").iter().for_each(|sample| drop(read_with_more::<banners::Banner>("banners", sample)));
    let read_category = |sample| drop(read_with_more::<categories::Category>("categories", sample));
    samples("categories").iter().for_each(read_category);
    all_through::<activity::Entry>("activity", &[]);
    all_through::<carts::Cart>("carts", &[]);
    all_through::<inbox::Notification>("inbox", &[]);
    all_through::<offers::Offer>("offers", &[]);
    all_through::<products::Product>("products", &["approved", "approvedCategory", "pending"]);
    all_through::<stores::Store>("stores", &["entry", "published"]);
    all_through::<users::Profile>("users", &[]);
    settings_through();
    payments_through();
    reviews_through();
    all_through::<promotions::Coupon>("coupons", &["listed"]);
    let returns = all_through::<orders::Return>("returns", &[]);
    let is_there = |status: &ReturnStatus| returns.iter().any(|one| one.status() == *status);
    assert!(ReturnStatus::ALL.iter().all(is_there), "a sample for each status");
    all_through::<orders::SellerOrder>("seller-orders", &[]);
    let orders = all_through::<orders::Order>("orders", &[]);
    let is_there = |status: &orders::OrderStatus| orders.iter().any(|order| order.status() == *status);
    assert!(orders::OrderStatus::ALL.iter().all(is_there), "a sample for each status");
}

#[test]
fn what_the_last_release_would_miss_is_found() {
    let before = json!({ "a": 1, "b": null, "c": [{ "d": "e" }], "f": { "g": true } });
    let same = json!({ "a": 1, "c": [{ "d": "e", "new": 1 }], "f": { "g": true, "new": 1 }, "new": 1 });
    assert_eq!(lost(&before, &same, ""), [""; 0]);
    let other = json!({ "a": "1", "c": [{}], "f": { "h": true } });
    let missed = ["/a was 1 and is \"1\"", "/c/0/d was \"e\" and is null", "/f/g was true and is null"];
    assert_eq!(lost(&before, &other, ""), missed);
    assert_eq!(lost(&before["c"], &json!([]), "/c").len(), 1);
}

#[test]
fn every_sample_says_in_which_shape_it_is() {
    let files = files_under("tests/samples");
    let tables: BTreeSet<_> =
        files.iter().filter_map(|file| file.rsplit('/').next()?.strip_suffix(".json")).collect();
    assert_eq!(tables.len(), files.len());
    for table in tables {
        for sample in samples(table) {
            assert!(sample["schemaVersion"].is_u64(), "{table}: {sample}");
        }
    }
}

#[test]
fn what_is_missing_or_unknown_is_not_read() {
    let item = |status: &str| {
        let mut sample = samples("orders").remove(0);
        sample["status"] = status.into();
        from_item::<orders::Order>(to_item(&sample).expect("an item"))
    };
    assert!(item("pending").is_ok());
    assert!(item("teleported").is_err());
}
