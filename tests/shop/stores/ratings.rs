//! How stores are rated: by all that is said of what they sell, each product once, however often and in whichever order
//! that is told.

use products::{NewProduct, ProductId, ProductOffer, Products};
use reviews::StoreRatings;
use reviews::events::RatedTold;
use serde_json::json;
use shared::caller::Caller;
use shared::http::{IfMatch, input};
use stores::{NewStatus, Store, StoreId, Stores};
use tests::meddler::Meddler;
use tests::shop::unique;
use tests::wait::at_once;

use super::{MINUTE, buyer, conflict, listed, now, open, open_behind};

/// A store that everyone sees, and who owns it.
async fn published(stores: &Stores) -> (StoreId, Caller) {
    let owner = buyer().await;
    let body = json!({ "name": unique("Tea") });
    let store = Store::new(input::parse(body.to_string().as_bytes()).expect("a store"), owner.id(), now());
    stores.create(&store).await.expect("a store");
    let status: NewStatus = input::parse(br#"{"status":"published"}"#).expect("a status");
    let editor = |store: &Store| store.editor(&owner);
    stores.set_status(store.id(), &IfMatch::Any, &status, editor, now()).await.expect("it is published");
    (store.id(), owner)
}

/// A product of the store.
async fn sold(products: &Products, (store, owner): &(StoreId, Caller)) -> ProductId {
    let body = json!({
        "fileName": "tea.png", "fileType": "image/png", "productName": "tea", "productPrice": 4.5,
        "description": "Green.", "quantity": 9, "category": "Things", "storeId": store,
    });
    let new: NewProduct = input::parse(body.to_string().as_bytes()).expect("a product");
    let new = ProductOffer::new(new, owner, "USD".parse().expect("a currency"), now());
    products.create(&new).await.expect("a product");
    new.product.id()
}

/// What is told of a product once its totals have changed so often.
fn told(product: ProductId, version: u32, stars: [u32; 5]) -> RatedTold {
    let each: serde_json::Map<_, _> =
        (1..).zip(stars).map(|(stars, reviews): (u8, u32)| (stars.to_string(), json!(reviews))).collect();
    let told = json!({ "productId": product, "version": version, "stars": each });
    serde_json::from_value(told).expect("what is told")
}

async fn stars(stores: &Stores, store: StoreId) -> [u32; 5] {
    let found = stores.find_published(store).await.expect("everyone sees it");
    found.stars().each()
}

#[tokio::test]
async fn a_store_has_the_stars_of_its_products_however_often_and_in_whichever_order_they_are_told() {
    let (stores, products, ratings): (Stores, Products, StoreRatings) = open().await;
    let store = published(&stores).await;
    let (tea, cup) = (sold(&products, &store).await, sold(&products, &store).await);
    assert_eq!(stars(&stores, store.0).await, [0; 5]);
    let all = [
        told(tea, 1, [0, 0, 0, 0, 1]),
        told(cup, 1, [1, 0, 0, 0, 0]),
        told(tea, 3, [0, 0, 0, 1, 2]),
        // It was deleted, edited or hidden.
        told(cup, 2, [0; 5]),
        told(tea, 2, [0, 0, 0, 1, 1]),
        told(cup, 4, [0, 2, 0, 0, 0]),
    ];
    for one in all.iter().chain(all.iter().rev()) {
        ratings.count(one).await.expect("it counts");
    }
    assert_eq!(stars(&stores, store.0).await, [0, 2, 0, 1, 2]);
    let version = stores.find(store.0).await.expect("the table answers").expect("it is there").version();
    assert_eq!(version, 2, "a rating is no change of its owner's");
    // What a version leaves as it was.
    ratings.count(&told(cup, 5, [0, 2, 0, 0, 0])).await.expect("it counts");
    ratings.count(&told(cup, 4, [9; 5])).await.expect("it counts");
    assert_eq!(stars(&stores, store.0).await, [0, 2, 0, 1, 2]);
}

#[tokio::test]
async fn of_all_that_is_told_at_once_the_latest_of_each_product_counts() {
    let (stores, products, ratings): (Stores, Products, StoreRatings) = open().await;
    let store = published(&stores).await;
    let sold = [sold(&products, &store).await, sold(&products, &store).await, sold(&products, &store).await];
    let all = at_once(9, |number| {
        let (ratings, product) = (ratings.clone(), sold[number % 3]);
        let version = u32::try_from(number / 3).expect("a digit") + 1;
        async move { ratings.count(&told(product, version, [0, 0, version, 0, 1])).await }
    });
    for counted in all.await {
        counted.expect("it counts");
    }
    assert_eq!(stars(&stores, store.0).await, [0, 0, 9, 0, 3]);
}

#[tokio::test]
async fn what_meets_others_or_loses_its_reply_counts_once() {
    let (stores, products): (Stores, Products) = open().await;
    let store = published(&stores).await;
    let tea = sold(&products, &store).await;
    let one = told(tea, 2, [0, 0, 0, 0, 2]);
    for meddler in
        [Meddler::lose_reply("TransactWriteItems"), Meddler::answer("TransactWriteItems", 0..2, conflict)]
    {
        let behind: StoreRatings = open_behind(meddler).await;
        behind.count(&one).await.expect("it counts");
        assert_eq!(stars(&stores, store.0).await, [0, 0, 0, 0, 2]);
    }
    // Between the look and the write, somebody counts what is later.
    let rival: StoreRatings = open().await;
    let behind: StoreRatings = open_behind(Meddler::before("TransactWriteItems", 0..1, move || {
        let rival = rival.clone();
        async move { rival.count(&told(tea, 4, [1, 0, 0, 0, 3])).await.expect("it counts") }
    }))
    .await;
    behind.count(&told(tea, 3, [0, 0, 0, 0, 3])).await.expect("it counts");
    assert_eq!(stars(&stores, store.0).await, [1, 0, 0, 0, 3]);
}

#[tokio::test]
async fn a_product_that_is_deleted_takes_no_star_from_its_store() {
    let (stores, products, ratings): (Stores, Products, StoreRatings) = open().await;
    let store = published(&stores).await;
    let tea = sold(&products, &store).await;
    ratings.count(&told(tea, 1, [1, 0, 0, 0, 0])).await.expect("it counts");
    assert!(products.delete(&store.1, tea, &IfMatch::Any).await.expect("it is gone"));
    ratings.count(&told(tea, 1, [1, 0, 0, 0, 0])).await.expect("it counts");
    assert_eq!(stars(&stores, store.0).await, [1, 0, 0, 0, 0]);
    // Its authors and the admins still change what is said of it.
    ratings.count(&told(tea, 2, [0; 5])).await.expect("it counts");
    assert_eq!(stars(&stores, store.0).await, [0; 5]);
}

#[tokio::test]
async fn what_is_of_no_store_or_gone_before_anybody_rated_it_counts_for_none() {
    let (products, ratings): (Products, StoreRatings) = open().await;
    for product in [listed(&products).await, ProductId::at(now())] {
        ratings.count(&told(product, 1, [0, 0, 0, 0, 1])).await.expect("there is nothing to do");
    }
}

#[tokio::test]
async fn a_rating_is_no_change_of_a_store_and_a_change_leaves_the_rating() {
    let (stores, products, ratings): (Stores, Products, StoreRatings) = open().await;
    let store = published(&stores).await;
    let tea = sold(&products, &store).await;
    // It is rated between the look at the store and the write.
    let behind: Stores = open_behind(Meddler::before("TransactWriteItems", 0..1, move || {
        let ratings = ratings.clone();
        async move { ratings.count(&told(tea, 1, [0, 0, 0, 0, 1])).await.expect("it counts") }
    }))
    .await;
    let renamed = input::parse(json!({ "name": unique("Coffee") }).to_string().as_bytes()).expect("a name");
    let later = now() + MINUTE;
    let changed = behind.change(&store.1, store.0, &IfMatch::Any, &renamed, later).await.expect("renamed");
    assert_eq!((changed.version(), stars(&stores, store.0).await), (3, [0, 0, 0, 0, 1]));
}
