//! Products with their offers: changed together or not at all, none of two changes lost, and made and deleted as one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use products::{
    Approvals, Decision, Editor, PictureId, PictureOrder, PictureRefusal, Product, ProductChanges, ProductId,
    Products, Reapproval,
};
use serde_json::{Value, json};
use shared::caller::Caller;
use shared::http::{IfMatch, input};
use shared::media::{Placed, Published, UploadId};
use shared::values::time::Timestamp;
use tests::aws::Aws as Cloud;
use tests::meddler::Meddler;
use tests::wait::at_once;

use super::{
    DAY, MINUTE, buyer, conflict, for_sale, found, listed, new_product, now, open, open_behind, order,
    pieces_of, place, someone,
};

/// An upload that began so many seconds later than others.
pub(super) fn upload_at(second: u64) -> UploadId {
    UploadId::at(now() + std::time::Duration::from_secs(second))
}

fn at(path: &str) -> Result<Placed, &'static str> {
    Ok(serde_json::from_value(json!({ "picture": path })).expect("a place"))
}

/// Where the picture that came with an upload waits.
fn path_of(upload: UploadId) -> String {
    format!("products/tea/{upload}/0123456789abcdef-tea.png")
}

/// Where the picture of a product waits, as its item has it.
async fn waiting_of(id: ProductId) -> Value {
    let (product, _) = items(&Cloud::open().await, id).await;
    product["waitingPicture"]["M"]["placed"]["M"]["picture"]["S"].clone()
}

pub(super) fn with_picture(upload: UploadId) -> impl Fn(Product) -> Option<Product> + Clone + Send + Sync {
    move |product| {
        let picture = product.id().into();
        product.with_upload(picture, upload, at(&path_of(upload)), now())
    }
}

pub(super) fn approved(product: Product) -> Option<Product> {
    Some(product.approved(Vec::new(), now()))
}

/// The same once the picture that waits was copied to where everyone sees it.
pub(super) fn approved_with_picture(product: Product) -> Option<Product> {
    let published = Published { image_url: "https://shop.test/images/products/tea.png".into(), images: None };
    let picture = product.id().into();
    Some(product.approved(vec![(picture, published)], now()))
}

pub(super) fn rejected(product: Product) -> Option<Product> {
    Some(product.rejected(None, now()))
}

/// A seller's change: of the price, of the name.
fn changed(body: &Value) -> impl Fn(Product) -> Option<Product> + Clone + Send + Sync + use<> {
    let changes: ProductChanges = input::parse(body.to_string().as_bytes()).expect("changes");
    move |product| product.with_changes(&changes, Editor::Seller, Reapproval::Spared, now())
}

/// The items of a product and of its offer.
async fn items(cloud: &Cloud, id: ProductId) -> (Value, Value) {
    let id = id.to_string();
    (cloud.item("ProductsTable", ("id", &id)).await, cloud.item("OffersTable", ("offerId", &id)).await)
}

/// What both say of a product, which has to be the same: its name, its price, and whether it is for sale; and where its
/// picture is.
async fn agreed(id: ProductId) -> (Value, Value, bool) {
    let (product, offer) = items(&Cloud::open().await, id).await;
    let of_product = (&product["productName"], &product["productPrice"], &product["isApproved"]);
    let of_offer = (&offer["productName"], &offer["price"], &offer["forSale"]);
    assert_eq!(of_product, of_offer, "{product} and {offer}");
    assert_eq!(product["imageUrl"], offer["imageUrl"], "{product} and {offer}");
    let (name, price, is_for_sale) = of_offer;
    (name["S"].clone(), price["N"].clone(), is_for_sale["BOOL"] == true)
}

// ── Both or neither ────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn name_price_and_approval_are_the_same_in_product_and_offer() {
    let products: Products = open().await;
    let id = listed(&products).await;
    assert_eq!(agreed(id).await, (json!("tea"), json!("450"), false));
    for (rule, expected) in [
        (&approved as &dyn Fn(Product) -> Option<Product>, (json!("tea"), json!("450"), true)),
        (&changed(&json!({ "productPrice": 5 })), (json!("tea"), json!("500"), true)),
        (&changed(&json!({ "productName": "green tea" })), (json!("green tea"), json!("500"), true)),
        (&changed(&json!({ "description": "Mild." })), (json!("green tea"), json!("500"), true)),
        (&with_picture(upload_at(1)), (json!("green tea"), json!("500"), true)),
        (&rejected, (json!("green tea"), json!("500"), false)),
    ] {
        let changed = products.change(id, rule).await.unwrap();
        assert_eq!(agreed(id).await, expected);
        assert_eq!(found(&products, id).await, changed, "what a change gives is what there is");
    }
}

#[tokio::test]
async fn a_change_that_needs_another_approval_takes_the_offer_back_and_a_picture_waits() {
    let products: Products = open().await;
    let id = for_sale(&products, 5).await.product_id();
    products.change(id, with_picture(upload_at(1))).await.unwrap();
    assert!(agreed(id).await.2);
    let changes: ProductChanges = input::parse(br#"{"description":"Mild."}"#).expect("changes");
    let needed = |product: Product| product.with_changes(&changes, Editor::Seller, Reapproval::Needed, now());
    products.change(id, needed).await.unwrap();
    assert!(!agreed(id).await.2);
}

#[tokio::test]
async fn a_change_whose_reply_is_lost_is_made_in_both() {
    let id = listed(&open().await).await;
    let products: Products = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    let changed_once = products.change(id, approved).await.unwrap();
    assert!(changed_once.product.is_for_sale() && changed_once.offer.is_for_sale());
    assert_eq!(found(&products, id).await, changed_once);
    let products: Products = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    let repriced = products.change(id, changed(&json!({ "productPrice": 7 }))).await.unwrap();
    assert_eq!(found(&products, id).await, repriced);
    assert_eq!(agreed(id).await, (json!("tea"), json!("700"), true));

    let products: Products = open_behind(Meddler::lose_reply("UpdateItem")).await;
    let pictured = products.change(id, with_picture(upload_at(1))).await.unwrap();
    assert_eq!(found(&products, id).await, pictured);
    assert_eq!(agreed(id).await, (json!("tea"), json!("700"), true));
}

#[tokio::test]
async fn the_picture_that_everyone_sees_is_the_offers_as_well() {
    let products: Products = open().await;
    let id = listed(&products).await;
    let shown = async || {
        agreed(id).await;
        found(&products, id).await.offer.image_url().map(str::to_owned)
    };
    products.change(id, with_picture(upload_at(1))).await.unwrap();
    assert_eq!(shown().await, None, "it waits for an admin");
    let approved = products.change(id, approved_with_picture).await.unwrap();
    assert!(shown().await.is_some() && found(&products, id).await == approved);
    let repriced = products.change(id, changed(&json!({ "productPrice": 7 }))).await.unwrap();
    assert_eq!(shown().await.as_deref(), repriced.offer.image_url());
    // Those of what is turned down are deleted.
    products.change(id, rejected).await.unwrap();
    assert_eq!(shown().await, None);
}

#[tokio::test]
async fn a_change_whose_offer_is_gone_is_made_in_neither() {
    let (products, cloud): (Products, Cloud) = (open().await, Cloud::open().await);
    let id = listed(&products).await;
    let (before, _) = items(&cloud, id).await;
    let rival = cloud.clone();
    let behind: Products = open_behind(Meddler::before("TransactWriteItems", 0..1, move || {
        let rival = rival.clone();
        async move { rival.delete_item("OffersTable", "offerId", &id.to_string()).await }
    }))
    .await;
    assert!(matches!(behind.change(id, approved).await, Err(products::Error::NotFound)));
    assert_eq!(items(&cloud, id).await, (before, Value::Null));
}

#[tokio::test]
async fn of_many_prices_at_once_product_and_offer_have_the_same() {
    let products: Products = open().await;
    let id = for_sale(&products, 5).await.product_id();
    let changes = at_once(8, |number| {
        let products = products.clone();
        let rule = changed(&json!({ "productPrice": 10 + number, "productName": format!("tea {number}") }));
        async move { (number, products.change(id, rule).await) }
    });
    let mut made = Vec::new();
    for (number, changed) in changes.await {
        match changed {
            Ok(changed) => {
                assert_eq!(changed.product.terms().price, changed.offer.price());
                made.push((json!(format!("tea {number}")), json!(format!("{}00", 10 + number)), true));
            }
            Err(products::Error::ChangedMeanwhile) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(made.contains(&agreed(id).await), "{made:?}");
}

#[tokio::test]
async fn a_product_and_its_offer_are_made_together_or_not_at_all() {
    let cloud = Cloud::open().await;
    let new = new_product("Things", 5, now());
    let id = new.product.id();
    let products: Products =
        open_behind(Meddler::answer("TransactWriteItems", 0..usize::MAX, conflict)).await;
    assert!(products.create(&new).await.is_err());
    assert_eq!(items(&cloud, id).await, (Value::Null, Value::Null));
    // A reply that is lost makes the same items again.
    let products: Products = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    products.create(&new).await.unwrap();
    assert_eq!(found(&products, id).await, new);
}

#[tokio::test]
async fn a_product_and_its_offer_are_deleted_together_by_who_may() {
    let (products, cloud): (Products, Cloud) = (open().await, Cloud::open().await);
    let tea = for_sale(&products, 5).await;
    let (id, seller) = (tea.product_id(), Caller::for_tests(&tea.seller().to_string()));
    let waiting = listed(&products).await;
    assert!(matches!(products.delete(&someone(), id, &IfMatch::Any).await, Err(products::Error::NotYours)));
    assert!(matches!(
        products.delete(&someone(), waiting, &IfMatch::Any).await,
        Err(products::Error::NotFound)
    ));
    assert_eq!(pieces_of(&products, &tea).await, (5, 0));
    found(&products, waiting).await;

    assert!(products.delete(&seller, id, &IfMatch::Any).await.unwrap());
    assert_eq!(items(&cloud, id).await, (Value::Null, Value::Null));
    assert!(matches!(products.delete(&seller, id, &IfMatch::Any).await, Ok(false)));
}

#[tokio::test]
async fn a_deletion_whose_reply_is_lost_is_done() {
    let (products, cloud): (Products, Cloud) = (open().await, Cloud::open().await);
    let tea = for_sale(&products, 5).await;
    let (id, seller) = (tea.product_id(), Caller::for_tests(&tea.seller().to_string()));
    let behind: Products = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    // Its second try finds nothing to delete, as a second request would.
    assert!(matches!(behind.delete(&seller, id, &IfMatch::Any).await, Ok(false)));
    assert_eq!(items(&cloud, id).await, (Value::Null, Value::Null));
}

// ── Decisions ──────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_decision_is_never_on_a_version_that_came_meanwhile() {
    let products: Products = open().await;
    for (if_match, says_so) in [(IfMatch::Any, false), (versions(&[1]), true)] {
        for (decision, operation) in
            [(Decision::Approved, "TransactWriteItems"), (Decision::Rejected(None), "UpdateItem")]
        {
            let id = listed(&products).await;
            let rival = products.clone();
            let behind: Approvals = open_behind(Meddler::before(operation, 0..1, move || {
                let rival = rival.clone();
                async move {
                    rival.change(id, changed(&json!({ "description": "Mild." }))).await.unwrap();
                }
            }))
            .await;
            match behind.decide(id, &if_match, &decision, now()).await {
                Err(products::Error::AnotherVersion) => assert!(says_so),
                Err(products::Error::ChangedMeanwhile) => assert!(!says_so),
                decided => panic!("{decided:?}"),
            }
            let left = found(&products, id).await.product;
            assert_eq!((left.version(), left.is_for_sale(), left.awaits_approval()), (2, false, false));
        }
    }
}

#[tokio::test]
async fn a_decision_whose_reply_is_lost_is_known_again() {
    let products: Products = open().await;
    let id = listed(&products).await;
    let behind: Approvals = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    let decided = behind.decide(id, &versions(&[1]), &Decision::Approved, now()).await.unwrap();
    assert_eq!(found(&products, id).await, decided);
    assert!(decided.product.is_for_sale() && decided.offer.is_for_sale());
    let behind: Approvals = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    let decided = behind.decide(id, &IfMatch::Any, &Decision::Rejected(None), now()).await.unwrap();
    assert_eq!(found(&products, id).await, decided);
    assert!(!agreed(id).await.2);
}

// ── Sweeping ───────────────────────────────────────────────────────────────────────────────────────────────

/// When a product is to be swept, if it is marked.
async fn mark_of(products: &Products, id: ProductId) -> Option<Timestamp> {
    let marked = products.to_be_swept(now() + DAY, 1_000).await.expect("the table answers");
    marked.into_iter().find(|(marked, _)| *marked == id).map(|(_, at)| at)
}

#[tokio::test]
async fn a_mark_is_taken_off_by_the_sweep_that_saw_it_and_by_no_change() {
    let products: Products = open().await;
    let id = listed(&products).await;
    let before = found(&products, id).await;
    assert_eq!(mark_of(&products, id).await, None);
    products.sweep_later(id, now()).await.unwrap();
    let first = mark_of(&products, id).await.expect("a mark");
    assert!(first > now());
    assert_eq!(
        products.to_be_swept(first, 1_000).await.unwrap().iter().find(|(marked, _)| *marked == id),
        None
    );
    // Marked anew, which makes no other version, it is not the sweep's of before.
    products.sweep_later(id, now() + MINUTE).await.unwrap();
    let second = mark_of(&products, id).await.expect("a mark");
    assert_eq!(second, first + MINUTE);
    products.swept(id, first, None).await.unwrap();
    assert_eq!(mark_of(&products, id).await, Some(second));
    // A change that read the product before it was marked leaves the mark.
    let overtaking = products.clone();
    let behind: Products = open_behind(Meddler::before("UpdateItem", 0..1, move || {
        let products = overtaking.clone();
        async move { products.sweep_later(id, now() + MINUTE + MINUTE).await.unwrap() }
    }))
    .await;
    behind.change(id, changed(&json!({ "description": "Mild." }))).await.unwrap();
    let third = mark_of(&products, id).await.expect("a mark");
    assert_eq!(third, second + MINUTE);
    products.swept(id, third, Some(third + DAY)).await.unwrap();
    assert_eq!(mark_of(&products, id).await, None, "put off");
    products.swept(id, third + DAY, None).await.unwrap();
    let after = found(&products, id).await;
    assert_eq!(after.product.version(), before.product.version() + 1);
    // What is gone is not marked, and does not come back.
    let gone = ProductId::at(now());
    products.sweep_later(gone, now()).await.unwrap();
    assert!(products.find(gone).await.unwrap().is_none());
}

// ── Versions ───────────────────────────────────────────────────────────────────────────────────────────────

fn versions(versions: &[u32]) -> IfMatch {
    IfMatch::Versions(versions.iter().copied().collect())
}

/// What came of all that may be asked for a version, on a product of this version.
async fn outcomes(products: &Products, seller: &Caller, id: ProductId, if_match: &IfMatch) -> [bool; 3] {
    let rename: ProductChanges = input::parse(br#"{"productName":"coffee"}"#).expect("changes");
    let rule = |product: Product, editor| product.with_changes(&rename, editor, Reapproval::Spared, now());
    let file_name = shared::media::FileName::new("b.png").expect("a name");
    let outcomes = [
        products.request_upload(seller, id, if_match, upload_at(1), &file_name).await.map(drop),
        products.change_as(seller, id, if_match, rule).await.map(drop),
        products.delete(seller, id, if_match).await.map(drop),
    ];
    outcomes.map(|outcome| match outcome {
        Ok(()) => true,
        Err(products::Error::AnotherVersion) => false,
        Err(error) => panic!("{error:?}"),
    })
}

#[tokio::test]
async fn a_change_is_of_a_version_that_it_names() {
    let (products, cloud): (Products, Cloud) = (open().await, Cloud::open().await);
    let tea = for_sale(&products, 5).await;
    let (id, seller) = (tea.product_id(), Caller::for_tests(&tea.seller().to_string()));
    let version = found(&products, id).await.product.version();
    let before = items(&cloud, id).await;
    for stale in [versions(&[version - 1, version + 1]), versions(&[])] {
        assert_eq!(outcomes(&products, &seller, id, &stale).await, [false; 3], "{stale:?}");
        assert_eq!(items(&cloud, id).await, before, "{stale:?}");
    }
    // Of what is not theirs nobody learns the version.
    let theirs = products.delete(&someone(), id, &versions(&[version])).await;
    assert!(matches!(theirs, Err(products::Error::NotYours)), "{theirs:?}");
    let gone = products.delete(&seller, ProductId::at(now()), &versions(&[version])).await;
    assert!(matches!(gone, Ok(false)), "{gone:?}");
    // The change makes the next version, which the deletion then names.
    let seen = versions(&[version, version + 1]);
    assert_eq!(outcomes(&products, &seller, id, &seen).await, [true; 3]);
}

#[tokio::test]
async fn of_two_changes_of_the_same_version_one_is_made() {
    let products: Products = open().await;
    let tea = for_sale(&products, 5).await;
    let (id, seller) = (tea.product_id(), Caller::for_tests(&tea.seller().to_string()));
    let seen = versions(&[found(&products, id).await.product.version()]);
    let rival = products.clone();
    let behind: Products = open_behind(Meddler::before("TransactWriteItems", 0..1, move || {
        let rival = rival.clone();
        async move {
            rival.change(id, changed(&json!({ "description": "Mild." }))).await.unwrap();
        }
    }))
    .await;
    let reprice = changed(&json!({ "productPrice": 7 }));
    let late = behind.change_as(&seller, id, &seen, |product, _| reprice(product)).await;
    assert!(matches!(late, Err(products::Error::AnotherVersion)), "{late:?}");
    assert_eq!(agreed(id).await, (json!("tea"), json!("450"), true));
}

#[tokio::test]
async fn a_change_of_a_version_whose_reply_is_lost_is_made() {
    let products: Products = open().await;
    for (operation, body) in [
        ("TransactWriteItems", json!({ "productPrice": 7 })),
        ("UpdateItem", json!({ "description": "Mild." })),
    ] {
        let tea = for_sale(&products, 5).await;
        let (id, seller) = (tea.product_id(), Caller::for_tests(&tea.seller().to_string()));
        let seen = versions(&[found(&products, id).await.product.version()]);
        let behind: Products = open_behind(Meddler::lose_reply(operation)).await;
        let rule = changed(&body);
        let made = behind.change_as(&seller, id, &seen, |product, _| rule(product)).await.unwrap();
        assert_eq!(found(&products, id).await, made, "{operation}");
    }
}

// ── Rivals ─────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn of_two_changes_at_the_same_time_both_survive() {
    let products: Products = open().await;
    let upload = upload_at(1);
    // One of them changes the offer as well, the other the product alone: first the one, then the other is overtaken.
    for is_overtaken_by_an_approval in [false, true] {
        let id = listed(&products).await;
        let rival = products.clone();
        let operation = if is_overtaken_by_an_approval { "UpdateItem" } else { "TransactWriteItems" };
        let behind: Products = open_behind(Meddler::before(operation, 0..1, move || {
            let rival = rival.clone();
            async move {
                if is_overtaken_by_an_approval {
                    rival.change(id, approved).await.unwrap();
                } else {
                    rival.change(id, with_picture(upload)).await.unwrap();
                }
            }
        }))
        .await;
        let changed = if is_overtaken_by_an_approval {
            behind.change(id, with_picture(upload)).await.unwrap()
        } else {
            behind.change(id, approved).await.unwrap()
        };
        assert_eq!(found(&products, id).await, changed);
        assert!(changed.product.is_for_sale() && changed.offer.is_for_sale());
        assert_eq!(waiting_of(id).await, path_of(upload));
    }
}

#[tokio::test]
async fn changes_of_many_at_once_are_all_made_or_told_to_come_back() {
    let products: Products = open().await;
    let id = listed(&products).await;
    let uploads: Vec<_> = (0..8).map(upload_at).collect();
    let changes = at_once(8, |number| {
        let (products, upload) = (products.clone(), uploads[number]);
        async move { (upload, products.change(id, with_picture(upload)).await) }
    });
    let mut newest = None;
    for (upload, changed) in changes.await {
        match changed {
            Ok(_) => newest = newest.max(Some(upload)),
            Err(products::Error::ChangedMeanwhile) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(waiting_of(id).await, path_of(newest.unwrap()));
}

#[tokio::test]
async fn a_change_gives_up_when_others_do_not_stop() {
    let products: Products = open().await;
    let id = listed(&products).await;
    let rival = products.clone();
    let behind: Products = open_behind(Meddler::before("TransactWriteItems", 0..usize::MAX, move || {
        let rival = rival.clone();
        async move {
            rival.change(id, rejected).await.unwrap();
        }
    }))
    .await;
    let given_up = behind.change(id, approved).await;
    assert!(matches!(given_up, Err(products::Error::ChangedMeanwhile)), "{given_up:?}");
    let left = found(&products, id).await;
    assert!(!left.product.is_for_sale() && !left.offer.is_for_sale());
}

#[tokio::test]
async fn an_order_during_a_change_keeps_its_pieces() {
    let products: Products = open().await;
    let tea = for_sale(&products, 9).await;
    let (ann, wanted) = (buyer().await, order(&[(&tea, 2)]));
    let sold = Arc::new(AtomicU32::new(0));
    for (operation, body) in [
        ("UpdateItem", json!({ "description": "Mild." })),
        ("TransactWriteItems", json!({ "productPrice": 5 })),
    ] {
        let orders: orders::Orders = open().await;
        let all = (orders, ann.clone(), wanted.clone(), Arc::clone(&sold));
        let behind: Products = open_behind(Meddler::before(operation, 0..1, move || {
            let (orders, ann, wanted, sold) = all.clone();
            async move {
                place(&orders, &ann, &wanted, None, now()).await.unwrap();
                sold.fetch_add(2, Ordering::SeqCst);
            }
        }))
        .await;
        behind.change(tea.product_id(), changed(&body)).await.unwrap();
    }
    assert_eq!(sold.load(Ordering::SeqCst), 4, "both orders came in between");
    assert_eq!(pieces_of(&products, &tea).await, (5, 4));
    assert_eq!(agreed(tea.product_id()).await, (json!("tea"), json!("500"), true));
}

#[tokio::test]
async fn a_rule_that_changes_nothing_writes_nothing() {
    let products: Products = open().await;
    let id = listed(&products).await;
    let before = found(&products, id).await;
    assert_eq!(products.change(id, |_| None).await.unwrap(), before);
    assert_eq!(found(&products, id).await, before);
}

#[tokio::test]
async fn a_product_that_is_gone_is_not_found_and_does_not_come_back() {
    let products: Products = open().await;
    let unknown = ProductId::at(now());
    assert!(matches!(products.change(unknown, approved).await, Err(products::Error::NotFound)));
    assert!(matches!(products.for_sale(unknown, now()).await, Err(products::Error::NotFound)));

    let (id, cloud) = (listed(&products).await, Cloud::open().await);
    let rival = cloud.clone();
    let behind: Products = open_behind(Meddler::before("TransactWriteItems", 0..1, move || {
        let rival = rival.clone();
        async move {
            rival.delete_item("ProductsTable", "id", &id.to_string()).await;
            rival.delete_item("OffersTable", "offerId", &id.to_string()).await;
        }
    }))
    .await;
    assert!(matches!(behind.change(id, approved).await, Err(products::Error::NotFound)));
    assert_eq!(items(&cloud, id).await, (Value::Null, Value::Null));
}

#[tokio::test]
async fn an_older_upload_does_not_replace_a_newer_one() {
    let products: Products = open().await;
    let id = listed(&products).await;
    let newer = products.change(id, with_picture(upload_at(2))).await.unwrap();
    assert_eq!(products.change(id, with_picture(upload_at(1))).await.unwrap(), newer);
    let refused = |product: Product| product.with_upload(id.into(), upload_at(1), Err("No picture."), now());
    assert_eq!(products.change(id, refused).await.unwrap(), newer);
    assert_eq!(found(&products, id).await, newer);
}

/// A request that began earlier, or whose machine's clock is behind, may take effect later.
#[tokio::test]
async fn what_happens_to_a_product_is_dated_after_what_happened_before() {
    let products: Products = open().await;
    let id = listed(&products).await;
    let dated = |changed: ::products::ProductOffer| {
        let product = serde_json::to_value(changed.product).unwrap();
        product["updatedAt"].as_str().unwrap().to_owned()
    };
    products.change(id, approved).await.unwrap();
    let first = dated(found(&products, id).await);
    let turned_down = products.change(id, |product| Some(product.rejected(None, now() - DAY))).await.unwrap();
    assert!(dated(turned_down) > first);
    assert!(dated(found(&products, id).await) > first);
}

#[tokio::test]
async fn only_what_is_approved_is_for_sale() {
    let products: Products = open().await;
    let id = listed(&products).await;
    assert!(matches!(products.for_sale(id, now()).await, Err(products::Error::NotFound)));
    let changed = products.change(id, approved).await.unwrap();
    let shown = products.for_sale(id, now()).await.unwrap();
    assert_eq!((&shown.product, &shown.offer), (&changed.product, &changed.offer));
    assert_eq!(shown.rating, Some(products::ratings::Stars::default().rating()), "nobody has rated it");
    products.change(id, rejected).await.unwrap();
    assert!(matches!(products.for_sale(id, now()).await, Err(products::Error::NotFound)));
}

#[tokio::test]
async fn what_has_a_picture_or_was_decided_on_is_not_cleaned_up() {
    let (products, cloud): (Products, Cloud) = (open().await, Cloud::open().await);
    let bare = listed(&products).await;
    let pictured = listed(&products).await;
    products.change(pictured, with_picture(upload_at(1))).await.unwrap();
    let bought = for_sale(&products, 5).await.product_id();
    let (refused, mended) = (listed(&products).await, listed(&products).await);
    for id in [refused, mended] {
        products.change(id, rejected).await.unwrap();
    }
    products.change(mended, changed(&json!({ "description": "Mild." }))).await.unwrap();
    for (id, deleted) in
        [(bare, true), (bare, false), (pictured, false), (bought, false), (refused, false), (mended, false)]
    {
        assert_eq!(products.delete_without_picture(id).await.unwrap(), deleted);
    }
    assert_eq!(items(&cloud, bare).await, (Value::Null, Value::Null));
    found(&products, pictured).await;
    found(&products, bought).await;
}

// ── Several pictures ───────────────────────────────────────────────────────────────────────────────────────

/// The rule that adds a picture, and which that is.
fn adding(
    second: u64,
) -> (PictureId, impl Fn(Product, Editor) -> Result<Option<Product>, PictureRefusal> + Clone + Send + Sync) {
    let (added, upload) = (PictureId::at(now()), upload_at(second));
    let file_name = shared::media::FileName::new("more.png").expect("a name");
    let rule =
        move |product: Product, editor| product.with_announced(added, upload, &file_name, editor, now());
    (added, rule)
}

/// The seller of a product, as who calls.
async fn seller_of(products: &Products, id: ProductId) -> Caller {
    Caller::for_tests(&found(products, id).await.offer.seller().to_string())
}

/// The product with so many more pictures that are to come, and which they are.
async fn with_more(products: &Products, id: ProductId, many: u64) -> Vec<PictureId> {
    let seller = seller_of(products, id).await;
    let mut more = Vec::new();
    for second in 1..=many {
        let (added, rule) = adding(second);
        products.change_pictures(&seller, id, &IfMatch::Any, rule).await.expect("it takes one more");
        more.push(added);
    }
    more
}

/// The ids of all pictures of a product in their order, as its seller reads them.
async fn pictures_of(products: &Products, id: ProductId) -> Vec<String> {
    let own =
        serde_json::to_value(::products::OwnProduct::with_pictures(found(products, id).await)).expect("JSON");
    let pictures = own["pictures"].as_array().expect("pictures").iter();
    pictures.map(|picture| picture["id"].as_str().expect("an id").to_owned()).collect()
}

/// The product once a picture of it came.
fn came(picture: PictureId, upload: UploadId) -> impl Fn(Product) -> Option<Product> + Clone + Send + Sync {
    move |product| product.with_upload(picture, upload, at(&path_of(upload)), now())
}

#[tokio::test]
async fn of_two_who_add_the_eighth_picture_at_once_one_does() {
    let products: Products = open().await;
    let id = listed(&products).await;
    with_more(&products, id, 6).await;
    let seller = seller_of(&products, id).await;
    let (rival, rivals) = (products.clone(), seller.clone());
    let (first, rule) = adding(7);
    let behind: Products = open_behind(Meddler::before("UpdateItem", 0..1, move || {
        let (rival, seller, rule) = (rival.clone(), rivals.clone(), rule.clone());
        async move {
            rival.change_pictures(&seller, id, &IfMatch::Any, rule).await.expect("the eighth");
        }
    }))
    .await;
    let late = behind.change_pictures(&seller, id, &IfMatch::Any, adding(8).1).await;
    assert!(matches!(late, Err(products::Error::Picture(PictureRefusal::Limit))), "{late:?}");
    let pictures = pictures_of(&products, id).await;
    assert_eq!((pictures.len(), pictures.last()), (8, Some(&first.to_string())));
}

#[tokio::test]
async fn a_picture_whose_reply_is_lost_is_added_once() {
    let products: Products = open().await;
    let id = listed(&products).await;
    let (added, rule) = adding(1);
    let behind: Products = open_behind(Meddler::lose_reply("UpdateItem")).await;
    let seller = seller_of(&products, id).await;
    let made = behind.change_pictures(&seller, id, &IfMatch::Any, rule).await.unwrap();
    assert_eq!(found(&products, id).await, made);
    assert_eq!(pictures_of(&products, id).await, [id.to_string(), added.to_string()]);
}

#[tokio::test]
async fn pictures_are_changed_of_a_version_that_is_named_and_by_who_may() {
    let products: Products = open().await;
    let id = for_sale(&products, 5).await.product_id();
    // The picture with which it was listed never came, and made room.
    let [added, other] = with_more(&products, id, 2).await.try_into().unwrap();
    let (seller, version) = (seller_of(&products, id).await, found(&products, id).await.product.version());
    // Whoever asks about another version is told so, whatever this one has.
    let unknown = |product: Product, _| product.without_picture(PictureId::at(now()), now()).map(Some);
    let stale = products.change_pictures(&seller, id, &versions(&[version - 1]), unknown).await;
    assert!(matches!(stale, Err(products::Error::AnotherVersion)), "{stale:?}");
    let none = products.change_pictures(&seller, id, &versions(&[version]), unknown).await;
    assert!(matches!(none, Err(products::Error::Picture(PictureRefusal::NotFound))), "{none:?}");
    let theirs = products.change_pictures(&someone(), id, &IfMatch::Any, adding(2).1).await;
    assert!(matches!(theirs, Err(products::Error::NotYours)), "{theirs:?}");
    let hidden = listed(&products).await;
    let theirs = products.change_pictures(&someone(), hidden, &IfMatch::Any, adding(2).1).await;
    assert!(matches!(theirs, Err(products::Error::NotFound)), "{theirs:?}");
    let without = |product: Product, _| product.without_picture(added, now()).map(Some);
    products.change_pictures(&seller, id, &versions(&[version]), without).await.unwrap();
    assert_eq!(pictures_of(&products, id).await, [other.to_string()]);
}

#[tokio::test]
async fn however_many_pictures_come_at_once_none_is_lost() {
    let products: Products = open().await;
    let id = listed(&products).await;
    let mut all = vec![PictureId::from(id)];
    all.extend(with_more(&products, id, 7).await);
    let pictures = all.clone();
    let came = at_once(8, |number| {
        let (products, picture) = (products.clone(), pictures[number]);
        async move { products.change(id, came(picture, upload_at(100))).await }
    });
    for changed in came.await {
        changed.expect("eight are not too many");
    }
    let (product, _) = items(&Cloud::open().await, id).await;
    let more = product["morePictures"]["L"].as_array().expect("more pictures");
    let waiting = more.iter().filter(|picture| picture["M"].get("waitingPicture").is_some()).count();
    assert_eq!((waiting, product.get("waitingPicture").is_some()), (7, true), "{product}");
    assert_eq!(pictures_of(&products, id).await, all.iter().map(ToString::to_string).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_offer_shows_the_first_picture_of_whatever_order() {
    let products: Products = open().await;
    let id = listed(&products).await;
    let [second] = with_more(&products, id, 1).await.try_into().unwrap();
    let first = PictureId::from(id);
    for picture in [first, second] {
        products.change(id, came(picture, upload_at(10))).await.unwrap();
    }
    let url = |picture: PictureId| format!("https://shop.test/images/products/{picture}.png");
    let published = [first, second].map(|id| (id, Published { image_url: url(id), images: None })).to_vec();
    let approved = |product: Product| Some(product.approved(published.clone(), now()));
    products.change(id, approved).await.unwrap();
    let shown = async || {
        agreed(id).await;
        found(&products, id).await.offer.image_url().map(str::to_owned)
    };
    assert_eq!(shown().await, Some(url(first)));
    let order = PictureOrder(vec![second, first]);
    products.change(id, |product| product.in_order(&order, now()).unwrap()).await.unwrap();
    assert_eq!(shown().await, Some(url(second)));
    products.change(id, |product| product.without_picture(second, now()).ok()).await.unwrap();
    assert_eq!(shown().await, Some(url(first)));
}

#[tokio::test]
async fn an_upload_that_names_no_picture_is_of_the_one_at_image_url() {
    let products: Products = open().await;
    let id = listed(&products).await;
    let [second] = with_more(&products, id, 1).await.try_into().unwrap();
    let (seller, name) =
        (seller_of(&products, id).await, shared::media::FileName::new("b.png").expect("a name"));
    let asked =
        async || products.request_upload(&seller, id, &IfMatch::Any, upload_at(50), &name).await.unwrap();
    assert_eq!(asked().await, PictureId::from(id));
    products.change(id, came(second, upload_at(10))).await.unwrap();
    assert_eq!(asked().await, second, "there is no other one to see");
}

#[tokio::test]
async fn a_product_with_any_picture_is_not_cleaned_up_and_one_of_announced_ones_is() {
    let products: Products = open().await;
    let (pictured, announced) = (listed(&products).await, listed(&products).await);
    let [second] = with_more(&products, pictured, 1).await.try_into().unwrap();
    products.change(pictured, came(second, upload_at(10))).await.unwrap();
    with_more(&products, announced, 7).await;
    for (id, deleted) in [(pictured, false), (announced, true)] {
        assert_eq!(products.delete_without_picture(id).await.unwrap(), deleted);
    }
    found(&products, pictured).await;
}
