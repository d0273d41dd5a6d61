//! Stores: one name each, three a person, gates that orders go through, and sets of those that are hidden.

use std::time::Duration;

use offers::{NotReserved, Offer};
use orders::{Orders, Refusal};
use products::{Error as ProductError, NewProduct, ProductOffer, Products};
use serde_json::{Value, json};
use shared::caller::Caller;
use shared::http::{IfMatch, input};
use shared::media::{Pictured, Placed, Standing, UploadId};
use shared::values::time::Timestamp;
use stores::{
    Editor, Error, HiddenStores, NewStatus, PictureOf, Store, StoreChanges, StoreId, StoreStatus, Stores,
    Which, keeping,
};
use tests::aws::Aws as Cloud;
use tests::meddler::Meddler;
use tests::shop::unique;
use tests::wait::at_once;
use users::{Profile, Status, Users};

use super::{
    MINUTE, buyer, conflict, found_order, now, open, open_behind, open_with, order, past, place, refusal,
};
use super::{pieces_of, placed, profile_of, someone};

fn new(owner: &Caller, name: &str) -> Store {
    let body = json!({ "name": name, "description": "Leaves." });
    Store::new(input::parse(body.to_string().as_bytes()).expect("a store"), owner.id(), now())
}

/// A draft in the table.
async fn draft(stores: &Stores, owner: &Caller) -> StoreId {
    let store = new(owner, &unique("Tea"));
    stores.create(&store).await.expect("a store");
    store.id()
}

fn to(status: &str) -> NewStatus {
    input::parse(json!({ "status": status }).to_string().as_bytes()).expect("a status")
}

async fn set(stores: &Stores, owner: &Caller, id: StoreId, status: &str) -> Store {
    let editor = |store: &Store| store.editor(owner);
    let set = stores.set_status(id, &IfMatch::Any, &to(status), editor, now() + MINUTE).await;
    set.expect("another status")
}

async fn published(stores: &Stores, owner: &Caller) -> StoreId {
    let id = draft(stores, owner).await;
    set(stores, owner, id, "published").await;
    id
}

async fn found(stores: &Stores, id: StoreId) -> Store {
    stores.find(id).await.expect("the table answers").expect("it is there")
}

fn changes(body: &Value) -> StoreChanges {
    input::parse(body.to_string().as_bytes()).expect("changes")
}

fn listed(seller: &Caller, store: StoreId, stock: u32, now: Timestamp) -> ProductOffer {
    let body = json!({
        "fileName": "tea.png", "fileType": "image/png", "productName": "tea", "productPrice": 4.5,
        "description": "Green.", "quantity": stock, "category": "Things", "storeId": store,
    });
    let new: NewProduct = input::parse(body.to_string().as_bytes()).expect("a product");
    ProductOffer::new(new, seller, "USD".parse().expect("a currency"), now)
}

/// The offer of a product of a store that is for sale as far as it goes by itself.
async fn for_sale(products: &Products, seller: &Caller, store: StoreId, stock: u32) -> Offer {
    let ProductOffer { product, offer, .. } = listed(seller, store, stock, past());
    let product = product.approved(Vec::new(), past());
    let approved = ProductOffer { offer: offer.with_terms(product.terms()), product, rating: None };
    products.create(&approved).await.expect("a product");
    approved.offer
}

/// A table of stores that no other test writes to, for what tells of all stores together.
async fn own_table() -> (Cloud, String) {
    let (cloud, name) = (Cloud::open().await, unique("stores").replace(' ', "-"));
    let attribute = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    let index = |name: &str, partition: &str| {
        json!({
            "IndexName": name, "KeySchema": [key(partition, "HASH"), key("createdAt", "RANGE")],
            "Projection": { "ProjectionType": "ALL" }
        })
    };
    let attributes = ["storeId", "entry", "ownerId", "published", "createdAt"].map(attribute);
    let table = json!({
        "TableName": name, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": attributes,
        "KeySchema": [key("storeId", "HASH"), key("entry", "RANGE")],
        "GlobalSecondaryIndexes": [index("owner", "ownerId"), index("published", "published")],
    });
    cloud.json("dynamodb", "DynamoDB_20120810.CreateTable", table).await;
    (cloud, name)
}

/// An entry of such a table.
async fn entry(cloud: &Cloud, table: &str, store: &str, entry: &str) -> Value {
    let input = json!({
        "TableName": table, "ConsistentRead": true, "Key": { "storeId": { "S": store }, "entry": { "S": entry } }
    });
    cloud.json("dynamodb", "DynamoDB_20120810.GetItem", input).await["Item"].clone()
}

// ── Opening and changing ───────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn of_two_stores_of_one_name_opened_at_once_one_is() {
    let stores: Stores = open().await;
    let name = unique("Tea House");
    let mut owners = Vec::new();
    for _ in 0..6 {
        owners.push(buyer().await);
    }
    let opened = at_once(owners.len(), |number| {
        let (stores, name, owner) = (stores.clone(), name.clone(), owners[number].clone());
        async move {
            let written = if number % 2 == 0 { name.to_uppercase() } else { name.replace(' ', ". ") };
            stores.create(&new(&owner, &written)).await
        }
    });
    let opened = opened.await;
    assert_eq!(opened.iter().filter(|opened| opened.is_ok()).count(), 1, "{opened:?}");
    assert!(
        opened
            .iter()
            .filter_map(|opened| opened.as_ref().err())
            .all(|error| matches!(error, Error::NameTaken))
    );
}

#[tokio::test]
async fn nobody_has_a_fourth_store_however_many_are_asked_for_at_once() {
    let (stores, ann): (Stores, _) = (open().await, buyer().await);
    let opened = at_once(7, |_| {
        let (stores, ann) = (stores.clone(), ann.clone());
        async move { stores.create(&new(&ann, &unique("Tea"))).await }
    });
    let opened = opened.await;
    assert_eq!(opened.iter().filter(|opened| opened.is_ok()).count(), 3, "{opened:?}");
    let name = unique("Tea");
    assert!(matches!(stores.create(&new(&ann, &name)).await, Err(Error::TooMany)));
    assert_eq!(stores.all_of(ann.id()).await.unwrap().len(), 3);
    // Refused, it has taken no name.
    stores.create(&new(&buyer().await, &name)).await.unwrap();
}

#[tokio::test]
async fn whose_account_is_about_to_be_deleted_opens_no_store_and_takes_no_name() {
    let (stores, users): (Stores, Users) = open().await;
    let (ann, name) = (someone(), unique("Tea"));
    assert!(matches!(stores.create(&new(&ann, &name)).await, Err(Error::AccountClosed)), "there is none");
    users.create(&Profile { status: Status::Deleting, ..profile_of(ann.id(), "Ann") }).await.unwrap();
    assert!(matches!(stores.create(&new(&ann, &name)).await, Err(Error::AccountClosed)));
    assert_eq!(stores.all_of(ann.id()).await.unwrap(), []);
    stores.create(&new(&buyer().await, &name)).await.unwrap();
}

#[tokio::test]
async fn a_store_whose_opening_met_others_or_lost_its_reply_is_opened_once() {
    let ann = buyer().await;
    for meddler in
        [Meddler::lose_reply("TransactWriteItems"), Meddler::answer("TransactWriteItems", 0..2, conflict)]
    {
        let behind: Stores = open_behind(meddler).await;
        behind.create(&new(&ann, &unique("Tea"))).await.unwrap();
    }
    let stores: Stores = open().await;
    assert_eq!(stores.all_of(ann.id()).await.unwrap().len(), 2);
    draft(&stores, &ann).await;
    assert!(
        matches!(stores.create(&new(&ann, &unique("Tea"))).await, Err(Error::TooMany)),
        "each counted once"
    );
}

#[tokio::test]
async fn another_name_gives_the_old_one_up_and_neither_is_lost_on_the_way() {
    let (stores, ann, bob): (Stores, _, _) = (open().await, buyer().await, buyer().await);
    let (first, second) = (unique("Tea House"), unique("Coffee House"));
    let store = new(&ann, &first);
    stores.create(&store).await.unwrap();
    let rename = |name: &str| changes(&json!({ "name": name }));
    let (id, later) = (store.id(), now() + MINUTE);
    let other = new(&bob, &second);
    stores.create(&other).await.unwrap();
    let taken = stores.change(&ann, id, &IfMatch::Any, &rename(&second.to_lowercase()), later).await;
    assert!(matches!(taken, Err(Error::NameTaken)));
    assert_eq!(found(&stores, id).await, store, "nothing was changed");

    // By a transaction whose reply was lost: the name that it finds taken is its own.
    let behind: Stores = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    let third = unique("Mate House");
    let renamed = behind.change(&ann, id, &IfMatch::Any, &rename(&third), later).await.unwrap();
    assert_eq!((renamed.name().as_str(), renamed.version()), (third.as_str(), 2));
    stores.change(&bob, other.id(), &IfMatch::Any, &rename(&first), later).await.unwrap();
    assert!(matches!(stores.create(&new(&buyer().await, &third)).await, Err(Error::NameTaken)));
    stores.create(&new(&buyer().await, &second)).await.unwrap();
}

#[tokio::test]
async fn a_change_is_of_the_version_and_of_whose_it_is_and_its_lost_reply_is_known_again() {
    let (stores, ann, bob): (Stores, _, _) = (open().await, buyer().await, buyer().await);
    let id = draft(&stores, &ann).await;
    let (green, at) = (changes(&json!({ "description": "Green." })), now() + MINUTE);
    assert!(matches!(stores.change(&bob, id, &IfMatch::Any, &green, at).await, Err(Error::NotFound)));
    let nobody = StoreId::at(now());
    assert!(matches!(stores.change(&ann, nobody, &IfMatch::Any, &green, at).await, Err(Error::NotFound)));
    let only = |version: u32| IfMatch::Versions([version].into());
    assert!(matches!(stores.change(&ann, id, &only(2), &green, at).await, Err(Error::AnotherVersion)));

    let behind: Stores = open_behind(Meddler::lose_reply("UpdateItem")).await;
    let changed = behind.change(&ann, id, &only(1), &green, at).await.unwrap();
    assert_eq!(changed.version(), 2);
    assert!(matches!(
        stores.change(&ann, id, &only(1), &green, at + MINUTE).await,
        Err(Error::AnotherVersion)
    ));
    set(&stores, &ann, id, "published").await;
    assert!(matches!(stores.change(&bob, id, &IfMatch::Any, &green, at).await, Err(Error::NotYours)));
    let admin = bob.as_admin();
    assert_eq!(stores.change(&admin, id, &only(3), &green, at + MINUTE).await.unwrap().version(), 4);
}

#[tokio::test]
async fn of_changes_at_once_none_is_lost() {
    let (stores, ann): (Stores, _) = (open().await, buyer().await);
    let id = draft(&stores, &ann).await;
    let changed = at_once(6, |number| {
        let (stores, ann) = (stores.clone(), ann.clone());
        async move {
            let body = match number {
                0 => json!({ "name": unique("Mate") }),
                1 => json!({ "supportEmail": "help@tea.example" }),
                number => json!({ "description": format!("The {number}th.") }),
            };
            let changes = changes(&body);
            let later = now() + MINUTE * u32::try_from(number).unwrap();
            loop {
                match stores.change(&ann, id, &IfMatch::Any, &changes, later).await {
                    Err(Error::ChangedMeanwhile) => {}
                    changed => return changed.unwrap(),
                }
            }
        }
    });
    changed.await;
    let store = found(&stores, id).await;
    assert_eq!(store.version(), 7);
    assert!(store.name().as_str().starts_with("Mate"));
}

// ── Status, gates and the hidden ───────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn sixteen_gates_and_the_hidden_change_with_the_status_or_not_at_all() {
    let (cloud, table) = own_table().await;
    let table_is = vec![("STORES_TABLE", Some(table.clone()))];
    let (stores, hidden): (Stores, HiddenStores) = open_with(table_is).await;
    let ann = buyer().await;
    let id = draft(&stores, &ann).await;
    let gates = async || {
        let mut open = Vec::new();
        for gate in 0..16 {
            open.push(
                entry(&cloud, &table, &id.to_string(), &format!("gate#{gate}")).await["open"]["BOOL"].clone(),
            );
        }
        open.dedup();
        open
    };
    let mut at = now();
    let mut look = async || {
        at = at + Duration::from_secs(10);
        let hidden = hidden.look(at).await.unwrap();
        (hidden.has(Some(id)), hidden.version())
    };
    assert_eq!((gates().await, look().await), (vec![Value::Null], (false, 0)), "a draft has none");
    set(&stores, &ann, id, "published").await;
    assert_eq!((gates().await, look().await), (vec![json!(true)], (false, 0)));
    set(&stores, &ann, id, "deactivated").await;
    assert_eq!((gates().await, look().await), (vec![json!(false)], (true, 1)));
    let version = entry(&cloud, &table, "hidden", "hidden").await["hiddenVersion"]["N"].clone();
    assert_eq!(version, "1", "what a reader of many goes by");
    // What an admin does to a store that is hidden already changes no gate and no set.
    let admin = someone().as_admin();
    set(&stores, &admin, id, "deactivated").await;
    assert_eq!((gates().await, look().await), (vec![json!(false)], (true, 1)));
    set(&stores, &admin, id, "published").await;
    assert_eq!((gates().await, look().await), (vec![json!(true)], (false, 2)));

    // A draft that is deactivated has nothing to hide.
    let never = draft(&stores, &ann).await;
    set(&stores, &ann, never, "deactivated").await;
    assert_eq!(look().await, (false, 2));
    let delete = json!({ "TableName": table });
    cloud.json("dynamodb", "DynamoDB_20120810.DeleteTable", delete).await;
}

#[tokio::test]
async fn where_too_many_are_hidden_a_store_stays_published() {
    let (cloud, table) = own_table().await;
    let stores: Stores = open_with(vec![("STORES_TABLE", Some(table.clone()))]).await;
    let ann = buyer().await;
    let id = published(&stores, &ann).await;
    let digit = id.to_string().pop().and_then(|digit| digit.to_digit(16)).unwrap();
    let ids: Vec<_> = (0..10_000_u32)
        .map(|number| {
            let mut id = [7; 16];
            id[..4].copy_from_slice(&number.to_be_bytes());
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD, id)
        })
        .collect();
    let full = json!({
        "storeId": { "S": format!("hidden#{digit}") }, "entry": { "S": "hidden" }, "stores": { "BS": ids },
        "changes": { "N": "10000" }
    });
    cloud.json("dynamodb", "DynamoDB_20120810.PutItem", json!({ "TableName": table, "Item": full })).await;
    let editor = |store: &Store| store.editor(&ann);
    let refused = stores.set_status(id, &IfMatch::Any, &to("deactivated"), editor, now() + MINUTE).await;
    assert!(matches!(refused, Err(Error::TooManyHidden)), "{refused:?}");
    assert_eq!(found(&stores, id).await.status(), StoreStatus::Published);
    let gate = entry(&cloud, &table, &id.to_string(), "gate#0").await;
    assert_eq!(gate["open"]["BOOL"], true, "nothing was changed");
    cloud.json("dynamodb", "DynamoDB_20120810.DeleteTable", json!({ "TableName": table })).await;
}

#[tokio::test]
async fn a_status_whose_reply_was_lost_or_that_met_others_is_set_once() {
    let (stores, ann): (Stores, _) = (open().await, buyer().await);
    let id = published(&stores, &ann).await;
    let behind: Stores = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    assert_eq!(set(&behind, &ann, id, "deactivated").await.version(), 3);
    let behind: Stores = open_behind(Meddler::answer("TransactWriteItems", 0..3, conflict)).await;
    assert_eq!(set(&behind, &ann, id, "published").await.version(), 4);
    // Somebody changes it between the read and the write.
    let (rival, of_ann) = (stores.clone(), ann.clone());
    let behind: Stores = open_behind(Meddler::before("TransactWriteItems", 0..1, move || {
        let (rival, ann) = (rival.clone(), of_ann.clone());
        async move {
            let changes = changes(&json!({ "description": "Green." }));
            rival.change(&ann, id, &IfMatch::Any, &changes, now() + MINUTE * 2).await.unwrap();
        }
    }))
    .await;
    let off = set(&behind, &ann, id, "deactivated").await;
    assert_eq!((off.version(), off.status()), (6, StoreStatus::Deactivated));
    assert_eq!(serde_json::to_value(found(&stores, id).await).unwrap()["description"], "Green.");
    let only = IfMatch::Versions([5].into());
    let editor = |store: &Store| store.editor(&ann);
    let refused = stores.set_status(id, &only, &to("published"), editor, now() + MINUTE).await;
    assert!(matches!(refused, Err(Error::AnotherVersion)));
}

#[tokio::test]
async fn whoever_leaves_takes_all_stores_along_and_their_pictures() {
    let (stores, media): (Stores, shared::media::Media) = open().await;
    let (ann, bob) = (buyer().await, buyer().await);
    let ids = [published(&stores, &ann).await, draft(&stores, &ann).await, published(&stores, &bob).await];
    let logo = PictureOf { store: ids[0], which: Which::Logo };
    let picture = |upload: UploadId| -> Result<Placed, &'static str> {
        Ok(serde_json::from_value(json!({ "picture": format!("stores/{logo}/{upload}/0123-leaf.png") }))
            .unwrap())
    };
    let upload = UploadId::at(now());
    stores.settle(&media, &logo, upload, picture(upload), now()).await.unwrap();
    for _ in 0..2 {
        keeping::close_all_of(&stores, &media, ann.id(), now() + MINUTE).await.unwrap();
    }
    let mut statuses = Vec::new();
    for id in ids {
        statuses.push(found(&stores, id).await.status());
    }
    assert_eq!(statuses, [StoreStatus::Deactivated, StoreStatus::Deactivated, StoreStatus::Published]);
    let store = serde_json::to_value(found(&stores, ids[0]).await).unwrap();
    assert_eq!(store["logo"].get("imageUrl"), None, "{store}");
    // What was under way comes too late.
    let late = UploadId::at(now() + Duration::from_secs(30));
    let settled = stores.settle(&media, &logo, late, picture(late), now()).await.unwrap();
    assert!(matches!(settled, Standing::Settled { keeps: None, .. }), "{settled:?}");
}

// ── What stores sell ───────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_product_is_in_a_store_of_its_sellers_or_not_recorded() {
    let (stores, products): (Stores, Products) = open().await;
    let (ann, bob) = (buyer().await, buyer().await);
    let store = draft(&stores, &ann).await;
    for (seller, store) in [(&bob, store), (&ann, StoreId::at(now()))] {
        let new = listed(seller, store, 5, now());
        assert!(matches!(products.create(&new).await, Err(ProductError::NotYourStore)));
        assert!(products.find(new.product.id()).await.unwrap().is_none());
    }
    let new = listed(&ann, store, 5, now());
    products.create(&new).await.unwrap();
    let found = products.find(new.product.id()).await.unwrap().unwrap();
    assert_eq!((found.product.store(), found.offer.store()), (Some(store), Some(store)));
}

#[tokio::test]
async fn a_product_comes_on_sale_only_while_its_store_is_published() {
    let (stores, products): (Stores, Products) = open().await;
    let ann = buyer().await;
    let store = draft(&stores, &ann).await;
    let new = listed(&ann, store, 5, now());
    products.create(&new).await.unwrap();
    let approve = async || {
        let approved =
            products.change(new.product.id(), |product| Some(product.approved(Vec::new(), now()))).await;
        approved.map(|found| (found.product.is_for_sale(), found.offer.is_for_sale()))
    };
    assert!(matches!(approve().await, Err(ProductError::StoreNotPublished)));
    set(&stores, &ann, store, "published").await;
    assert_eq!(approve().await.unwrap(), (true, true));
    // What is on sale stays so, and may be changed, whatever becomes of the store.
    set(&stores, &ann, store, "deactivated").await;
    assert_eq!(approve().await.unwrap(), (true, true));
    let rejected = products.change(new.product.id(), |product| Some(product.rejected(None, now()))).await;
    assert!(!rejected.unwrap().offer.is_for_sale());
    assert!(matches!(approve().await, Err(ProductError::StoreNotPublished)));
}

#[tokio::test]
async fn an_order_goes_through_a_gate_of_each_of_its_stores_or_is_not_placed() {
    let (stores, products, orders): (Stores, Products, Orders) = open().await;
    let (ann, bob) = (buyer().await, buyer().await);
    let (first, second) = (published(&stores, &ann).await, published(&stores, &ann).await);
    let tea = for_sale(&products, &ann, first, 9).await;
    let (cup, pot) = (for_sale(&products, &ann, second, 9).await, for_sale(&products, &ann, second, 9).await);
    let all = order(&[(&tea, 1), (&cup, 1), (&pot, 1)]);
    let id = placed(&orders, &bob, &[(&tea, 1), (&cup, 1), (&pot, 1)], now()).await;
    let lines = serde_json::to_value(found_order(&orders, id).await).unwrap()["lines"].clone();
    let in_stores = [first, second, second].map(|store| json!(store));
    assert_eq!([0, 1, 2].map(|line: usize| lines[line]["storeId"].clone()), in_stores);
    let key = ("sellerId", ann.id().to_string());
    let of_seller = json!({
        "TableName": Cloud::open().await.output("SellerOrdersTable"),
        "Key": { key.0: { "S": key.1 }, "orderId": { "S": id.to_string() } }
    });
    let of_seller = Cloud::open().await.json("dynamodb", "DynamoDB_20120810.GetItem", of_seller).await;
    assert_eq!(of_seller["Item"]["lines"]["L"][2]["M"]["storeId"]["S"], json!(second));

    set(&stores, &ann, second, "deactivated").await;
    // Whichever gate an order's id picks, it is shut.
    for _ in 0..40 {
        let refused = refusal(place(&orders, &bob, &all, None, now()).await);
        assert_eq!(refused, Refusal::StoresClosed(vec![cup.id(), pot.id()]));
    }
    let alone = refusal(place(&orders, &bob, &order(&[(&pot, 1)]), None, now()).await);
    assert_eq!(alone, Refusal::StoresClosed(vec![pot.id()]));
    assert_eq!((pieces_of(&products, &tea).await, pieces_of(&products, &cup).await), ((8, 1), (8, 1)));
    placed(&orders, &bob, &[(&tea, 1)], now()).await;
    // That something is sold out is said where its store is open.
    let too_many = refusal(place(&orders, &bob, &order(&[(&tea, 20), (&pot, 1)]), None, now()).await);
    assert!(matches!(too_many, Refusal::NotReserved(NotReserved::OutOfStock { .. })), "as it was read");
    set(&stores, &ann, second, "published").await;
    placed(&orders, &bob, &[(&tea, 1), (&cup, 1), (&pot, 1)], now()).await;
}

#[tokio::test]
async fn a_store_that_is_closed_while_orders_come_sells_nothing_from_the_answer_on() {
    let (stores, products, orders): (Stores, Products, Orders) = open().await;
    let (ann, bob) = (buyer().await, buyer().await);
    let store = published(&stores, &ann).await;
    let tea = for_sale(&products, &ann, store, 200).await;
    let orders_of = |from: usize| {
        at_once(16, {
            let (orders, bob, tea) = (orders.clone(), bob.clone(), tea.clone());
            move |number| {
                let (orders, bob, order) = (orders.clone(), bob.clone(), order(&[(&tea, 1)]));
                let at = now() + MINUTE * u32::try_from(from + number).unwrap();
                async move { place(&orders, &bob, &order, None, at).await.is_ok() }
            }
        })
    };
    let closing = async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        set(&stores, &ann, store, "deactivated").await;
        let sold = pieces_of(&products, &tea).await;
        let after = orders_of(100).await;
        (sold, after)
    };
    let (during, (sold, after)) = tokio::join!(orders_of(0), closing);
    assert!(after.iter().all(|placed| !placed), "{after:?}");
    let placed = u32::try_from(during.iter().filter(|placed| **placed).count()).unwrap();
    assert_eq!(sold, (200 - placed, placed), "what was sold when the answer came is all that was");
    assert_eq!(pieces_of(&products, &tea).await, sold);
}

/// The units that DynamoDB would take for a transaction's writes: two for each kilobyte begun of each item, and one for
/// each of an order's entries in four indexes.
fn units(input: &Value, tables: &[(&str, usize)]) -> usize {
    let kilobytes = |item: &Value| item.to_string().len().div_ceil(1024);
    let actions = input["TransactItems"].as_array().expect("actions").iter();
    let of_one = |action: &Value| {
        let (kind, action) = action.as_object().expect("an action").iter().next().expect("one");
        let size = if kind == "Put" { kilobytes(&action["Item"]) } else { 1 };
        let of_indexes =
            tables.iter().find(|(table, _)| action["TableName"] == *table).map_or(0, |(_, of)| *of);
        2 * size + if kind == "Put" { of_indexes * size } else { 0 }
    };
    actions.map(of_one).sum()
}

#[tokio::test]
async fn an_order_of_one_line_of_a_store_takes_eighteen_write_units_at_most() {
    let (stores, products): (Stores, Products) = open().await;
    let (ann, bob) = (buyer().await, buyer().await);
    let store = published(&stores, &ann).await;
    let tea = for_sale(&products, &ann, store, 9).await;
    let (meddler, calls) = Meddler::watch();
    let behind: Orders = open_behind(meddler).await;
    placed(&behind, &bob, &[(&tea, 1)], now()).await;
    let seen = calls.take();
    let operations: Vec<_> = seen.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["BatchGetItem", "TransactWriteItems"]);
    let input = &seen[1].input;
    let checks =
        input["TransactItems"].as_array().unwrap().iter().filter(|one| one.get("ConditionCheck").is_some());
    assert_eq!(checks.count(), 1);
    let cloud = Cloud::open().await;
    // JSON with its names of types is longer than what DynamoDB counts.
    let took = units(input, &[(cloud.output("OrdersTable"), 4)]);
    assert!((12..=18).contains(&took), "{took} units: {input:#}");
}

#[tokio::test]
async fn a_picture_is_of_the_newest_upload_and_changes_by_itself() {
    let (stores, media): (Stores, shared::media::Media) = open().await;
    let ann = buyer().await;
    let id = published(&stores, &ann).await;
    let [logo, banner] = Which::ALL.map(|which| PictureOf { store: id, which });
    let [first, second, third] = [1, 2, 3].map(|second| UploadId::at(now() + Duration::from_secs(second)));
    let picture = |of: PictureOf, upload: UploadId| -> Result<Placed, &'static str> {
        Ok(serde_json::from_value(json!({ "picture": format!("stores/{of}/{upload}/0123-leaf.png") }))
            .unwrap())
    };
    let url = async |which: &str| {
        serde_json::to_value(found(&stores, id).await).unwrap()[which]["imageUrl"].as_str().map(str::to_owned)
    };
    assert_eq!(stores.standing(&logo, second).await.unwrap(), Standing::Awaits);
    stores.settle(&media, &logo, second, picture(logo, second), now()).await.unwrap();
    assert!(url("logo").await.unwrap().contains(&format!("/{second}/")));
    assert_eq!(url("banner").await, None);
    // An older one changes nothing, nor does another file of the same upload.
    for upload in [first, second] {
        assert!(matches!(stores.standing(&logo, upload).await.unwrap(), Standing::Settled { .. }));
        stores.settle(&media, &logo, upload, Err("It is none."), now()).await.unwrap();
    }
    assert_eq!(serde_json::to_value(found(&stores, id).await).unwrap()["logo"].get("rejection"), None);
    // What is refused leaves the old one, and another file of it may follow.
    stores.settle(&media, &logo, third, Err("It is none."), now()).await.unwrap();
    assert!(url("logo").await.unwrap().contains(&format!("/{second}/")));
    assert_eq!(stores.standing(&logo, third).await.unwrap(), Standing::Awaits);
    stores.settle(&media, &logo, third, picture(logo, third), now()).await.unwrap();
    assert!(url("logo").await.unwrap().contains(&format!("/{third}/")));
    stores.settle(&media, &banner, first, picture(banner, first), now()).await.unwrap();
    assert!(url("banner").await.is_some());
    assert_eq!(found(&stores, id).await.version(), 2);
    let nobody = PictureOf { store: StoreId::at(now()), which: Which::Logo };
    assert_eq!(
        stores.settle(&media, &nobody, first, picture(nobody, first), now()).await.unwrap(),
        Standing::NoThing
    );
    assert_eq!(stores.standing(&nobody, first).await.unwrap(), Standing::NoThing);
    // A change of the store leaves them.
    set(&stores, &ann, id, "deactivated").await;
    assert!(url("logo").await.unwrap().contains(&format!("/{third}/")));
    let editor = found(&stores, id).await.editor(&ann).unwrap();
    assert_eq!(editor, Editor::Owner);
}
