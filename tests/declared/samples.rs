//! Items as the last release wrote them, in `tests/samples/`: the present code reads every one.
//!
//! A release copies there what it writes. A field or a status that is new is read one release before it is written, so
//! that a release that is rolled back can still read what the next one wrote.

use std::collections::BTreeSet;
use std::fmt::Debug;

use orders::returns::ReturnStatus;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::dynamo::{from_item, to_item};
use tests::files::files_under;
use tests::template::text;

fn samples(table: &str) -> Vec<Value> {
    serde_json::from_str(&text(&format!("tests/samples/{table}.json"))).expect("a list of items")
}

/// Reads each sample as the stores do: as an item of DynamoDB's.
fn read<T: DeserializeOwned + Debug>(table: &str) -> Vec<T> {
    let read = |sample: &Value| {
        let item = to_item(sample).expect("an item");
        from_item(item).unwrap_or_else(|error| panic!("{table}: {error:#} in {sample}"))
    };
    samples(table).iter().map(read).collect()
}

/// Each document is of another type.
fn read_settings() {
    for sample in samples("settings") {
        let item = to_item(&sample).expect("an item");
        let read = match sample["setting"].as_str() {
            Some("shipping") => from_item::<settings::Versioned<settings::Shipping>>(item).map(drop),
            Some("tax") => from_item::<settings::Versioned<settings::Tax>>(item).map(drop),
            other => panic!("there is no document {other:?}"),
        };
        read.unwrap_or_else(|error| panic!("settings: {error:#} in {sample}"));
    }
}

/// What stands beside a payment is of other types.
fn read_payments() {
    for sample in samples("payments") {
        let item = to_item(&sample).expect("an item");
        let read = match sample["entry"].as_str().and_then(|entry| entry.split('#').next()) {
            Some("payment") => from_item::<payments::Payment>(item).map(drop),
            Some("refund") => from_item::<payments::Refund>(item).map(drop),
            Some("dispute") => from_item::<payments::disputes::Dispute>(item).map(drop),
            Some("ledger") => from_item::<payments::store::LedgerEntry>(item).map(drop),
            Some("pointer") => from_item::<payments::store::Owner>(item).map(drop),
            other => panic!("there is no entry {other:?}"),
        };
        read.unwrap_or_else(|error| panic!("payments: {error:#} in {sample}"));
    }
}

#[test]
fn the_present_code_reads_what_the_last_release_wrote() {
    read::<activity::Entry>("activity");
    read::<banners::Banner>("banners");
    read::<carts::Cart>("carts");
    read::<categories::Category>("categories");
    read::<offers::Offer>("offers");
    read::<products::Product>("products");
    read::<users::Profile>("users");
    read_settings();
    read_payments();
    read::<promotions::Coupon>("coupons");
    let returns = read::<orders::Return>("returns");
    let is_there = |status: &ReturnStatus| returns.iter().any(|one| one.status() == *status);
    assert!(ReturnStatus::ALL.iter().all(is_there), "a sample for each status");
    read::<orders::SellerOrder>("seller-orders");
    let orders = read::<orders::Order>("orders");
    let is_there = |status: &orders::OrderStatus| orders.iter().any(|order| order.status() == *status);
    assert!(orders::OrderStatus::ALL.iter().all(is_there), "a sample for each status");
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
