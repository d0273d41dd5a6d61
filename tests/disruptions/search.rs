//! The search index while it is not told what changes, or cannot be changed.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tests::aws::Aws;
use tests::shop::{Product, Shop, product, unique};
use tests::wait::eventually;

use crate::open;

fn word() -> String {
    unique("zq").replace(' ', "")
}

async fn page(shop: &Shop, query: &str) -> Value {
    shop.get(&format!("/search?{query}")).await.is(200)
}

async fn finds(shop: &Shop, query: &str, products: &[&Product]) {
    let expected: BTreeSet<_> = products.iter().map(|product| product.id.clone()).collect();
    eventually(&format!("{query} finds {expected:?}"), async || {
        let page = page(shop, query).await;
        let ids = page["products"].as_array().expect("products").iter();
        let ids: BTreeSet<_> = ids.map(|one| one["id"].as_str().expect("an id").to_owned()).collect();
        (ids == expected && page["total"] == expected.len()).then_some(())
    })
    .await;
}

async fn reindex(aws: &Aws, rebuild: bool) -> Value {
    aws.run_asked("reindex-products", Duration::ZERO, &json!({ "rebuild": rebuild })).await
}

fn differing(verified: &Value, kind: &str) -> (u64, Vec<String>) {
    let ids = verified[kind]["ids"].as_array().expect("ids").iter();
    let ids = ids.map(|id| id.as_str().expect("an id").to_owned()).collect();
    (verified[kind]["count"].as_u64().expect("a count"), ids)
}

// S6: what no stream told is found and mended, and nothing else.
#[tokio::test]
async fn whatever_is_missing_extra_or_stale_in_the_index_is_found_and_mended() {
    let (shop, aws, _soon) = open().await;
    let (ann, word) = (shop.person("Ann").await, word());
    let sells = async |name: &str| ann.sells(product().named(&format!("{word} {name}"))).await;
    let (same, gone, changed) = (sells("same").await, sells("gone").await, sells("changed").await);
    finds(&shop, &format!("q={word}"), &[&same, &gone, &changed]).await;
    // Whatever earlier tests left behind their backs.
    reindex(&aws, false).await;
    assert_eq!(reindex(&aws, false).await["missing"]["count"], 0);

    let paused = aws.pause("index-products").await;
    let new = sells("new").await;
    assert_eq!(ann.request(reqwest::Method::DELETE, &gone.path()).send().await.status, 204);
    let price = json!({ "productPrice": 77 });
    shop.admin().await.put(&changed.path(), &price).await.is(200);
    // What cannot be bought is not shown, and what can is shown as it is, whatever the index says.
    let stale = page(&shop, &format!("q={word}&sort=price")).await;
    let shown: Vec<_> = stale["products"].as_array().expect("products").iter().collect();
    assert_eq!((stale["total"].clone(), shown.len()), (json!(3), 2));
    assert!(shown.iter().any(|one| one["productPrice"] == 77), "{stale}");

    let verified = reindex(&aws, false).await;
    assert_eq!(differing(&verified, "missing"), (1, vec![new.id.clone()]), "{verified}");
    assert_eq!(differing(&verified, "extra"), (1, vec![gone.id.clone()]), "{verified}");
    assert_eq!(differing(&verified, "stale"), (1, vec![changed.id.clone()]), "{verified}");
    finds(&shop, &format!("q={word}"), &[&same, &changed, &new]).await;
    finds(&shop, &format!("q={word}&minPrice=77"), &[&changed]).await;
    let again = reindex(&aws, false).await;
    for kind in ["missing", "extra", "stale"] {
        assert_eq!(differing(&again, kind), (0, vec![]), "{again}");
    }
    // What the streams tell late is no change any more.
    let pointer = pointer(&aws).await;
    paused.undo();
    tests::wait::a_while().await;
    assert_eq!(self::pointer(&aws).await, pointer);
}

async fn pointer(aws: &Aws) -> Value {
    aws.item("SearchTable", ("searchId", "index#1")).await
}

#[tokio::test]
async fn the_index_is_built_anew_from_the_tables_alone() {
    let (shop, aws, _soon) = open().await;
    let (ann, word) = (shop.person("Ann").await, word());
    let tea = ann.sells(product().named(&word)).await;
    finds(&shop, &format!("q={word}"), &[&tea]).await;
    // As if somebody had restored the shop without its index.
    aws.delete_item("SearchTable", "searchId", "index#1").await;
    let verified = reindex(&aws, true).await;
    assert_eq!(verified["missing"]["count"], 0, "{verified}");
    let built = pointer(&aws).await;
    assert_eq!((&built["generation"]["N"], &built["deltas"]["L"]), (&json!("1"), &json!([])));
    let pot = ann.sells(product().named(&format!("{word} pot"))).await;
    finds(&shop, &format!("q={word}"), &[&tea, &pot]).await;
    // Again, over an index that there is.
    reindex(&aws, true).await;
    finds(&shop, &format!("q={word}"), &[&tea, &pot]).await;
}

// The indexer dies at its first call, before or after it has written: what it was told comes again.
#[tokio::test]
async fn what_the_indexer_could_not_do_is_done_once_it_can() {
    let (shop, aws, _soon) = open().await;
    let (ann, word) = (shop.person("Ann").await, word());
    let before = ann.sells(product().named(&format!("{word} before"))).await;
    finds(&shop, &format!("q={word}"), &[&before]).await;
    let change = aws.change("index-products").await;
    let failing = change.env("AWS_ENDPOINT_URL_S3", &crate::orders::failure().await).make().await;
    let during = ann.sells(product().named(&format!("{word} during"))).await;
    tests::wait::a_while().await;
    finds(&shop, &format!("q={word}"), &[&before]).await;
    failing.undo();
    finds(&shop, &format!("q={word}"), &[&before, &during]).await;
}

#[tokio::test]
async fn a_compaction_that_is_asked_for_makes_one_file_of_all() {
    let (shop, aws, _soon) = open().await;
    let (ann, word) = (shop.person("Ann").await, word());
    let tea = ann.sells(product().named(&word)).await;
    finds(&shop, &format!("q={word}"), &[&tea]).await;
    let before = pointer(&aws).await;
    aws.send_message("SearchQueueUrl", &json!({ "force": true })).await;
    let after = eventually("it is compacted", async || {
        let after = pointer(&aws).await;
        (after["base"] != before["base"]).then_some(after)
    })
    .await;
    assert_eq!(after["deltas"]["L"], json!([]), "{after}");
    finds(&shop, &format!("q={word}"), &[&tea]).await;
    // Every file that the pointer names is there.
    let objects = aws.keys_under("index/").await;
    let base = after["base"]["M"]["id"]["S"].as_str().expect("an id");
    assert!(objects.contains(&format!("index/{base}/0")), "{base}: {objects:?}");
}

/// The middle one of many, and the slowest of them.
const SOON: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(20)];

#[tokio::test]
async fn a_changed_product_is_found_within_seconds() {
    let (shop, _aws, _soon) = open().await;
    let (ann, word) = (shop.person("Ann").await, word());
    let tea = ann.sells(product().named(&word)).await;
    finds(&shop, &format!("q={word}"), &[&tea]).await;
    let mut took = Vec::new();
    for number in 0..20 {
        let name = format!("{word}n{number}");
        let begun = std::time::Instant::now();
        shop.admin().await.put(&tea.path(), &json!({ "productName": name })).await.is(200);
        finds(&shop, &format!("q={name}"), &[&tea]).await;
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    println!("found after {took:?}");
    assert!(took[10] <= SOON[0] && took[19] <= SOON[1], "{took:?}");
}
