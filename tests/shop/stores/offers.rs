//! The stock of an offer: set, replaced or changed by who may, within its bounds, and once for each key.

use offers::{Offer, Offers, StockChange, StockError, StockRefusal};
use products::Products;
use serde_json::{Value, json};
use shared::caller::Caller;
use shared::dynamo::Write;
use shared::guards::{Guards, IdempotencyKey, KeyedRequest, Once};
use shared::http::input;
use tests::aws::Aws as Cloud;
use tests::meddler::Meddler;
use tests::wait::at_once;

use super::{
    DAY, Tables, buyer, for_sale, key, listed, now, open, open_behind, order, pieces_of, place, placed,
    someone,
};

type Stores = (Offers, Guards);

fn change(body: &Value) -> StockChange {
    input::parse(body.to_string().as_bytes()).expect("a change of stock")
}

fn keyed(seller: &Caller, key: &IdempotencyKey, offer: &Offer, change: StockChange) -> KeyedRequest {
    let request = KeyedRequest::of("set-stock", seller, Some(key), &(offer.id(), change));
    request.expect("JSON").expect("there is a key")
}

/// Whoever sells this.
fn seller_of(offer: &Offer) -> Caller {
    Caller::for_tests(&offer.seller().to_string())
}

/// Changes a stock for its seller.
async fn changed(
    (offers, guards): &Stores,
    offer: &Offer,
    change: StockChange,
    keyed: Option<&KeyedRequest>,
) -> Result<Once<()>, StockError> {
    offers.change_stock(guards, &seller_of(offer), offer.id(), change, keyed, now()).await
}

#[track_caller]
fn refusal(result: Result<Once<()>, StockError>) -> StockRefusal {
    match result {
        Err(StockError::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_stock_is_set_replaced_or_changed_and_what_is_promised_stays() {
    let (stores, products): (Stores, Products) = (open().await, open().await);
    let tea = for_sale(&products, 5).await;
    placed(&open().await, &buyer().await, &[(&tea, 2)], now()).await;
    for (body, stock) in [
        (json!({ "set": 40 }), 40),
        (json!({ "add": 2 }), 42),
        (json!({ "set": 10, "expected": 42 }), 10),
        (json!({ "set": 10, "expected": 10 }), 10),
        (json!({ "add": -10 }), 0),
        (json!({ "set": 1_000_000, "expected": 0 }), 1_000_000),
    ] {
        assert_eq!(changed(&stores, &tea, change(&body), None).await.unwrap(), Once::Done(()));
        assert_eq!(pieces_of(&products, &tea).await, (stock, 2), "{body}");
    }
}

#[tokio::test]
async fn a_stock_that_is_not_as_expected_is_told_and_stays() {
    let (stores, products): (Stores, Products) = (open().await, open().await);
    let tea = for_sale(&products, 5).await;
    let id = tea.product_id();
    for expected in [0, 4, 6, 1_000_000] {
        let body = json!({ "set": 9, "expected": expected });
        let refused = refusal(changed(&stores, &tea, change(&body), None).await);
        assert_eq!(refused, StockRefusal::StockChanged { id, available: 5 }, "{expected}");
    }
    assert_eq!(pieces_of(&products, &tea).await, (5, 0));
}

#[tokio::test]
async fn a_sale_after_the_seller_looked_keeps_its_pieces() {
    let (orders, products): (orders::Orders, Products) = open().await;
    let tea = for_sale(&products, 5).await;
    let (ann, wanted) = (buyer().await, order(&[(&tea, 2)]));
    let stores: Stores = open_behind(Meddler::before("TransactWriteItems", 0..1, move || {
        let (orders, ann, wanted) = (orders.clone(), ann.clone(), wanted.clone());
        async move {
            place(&orders, &ann, &wanted, None, now()).await.unwrap();
        }
    }))
    .await;
    let refused = refusal(changed(&stores, &tea, change(&json!({ "set": 8, "expected": 5 })), None).await);
    assert_eq!(refused, StockRefusal::StockChanged { id: tea.product_id(), available: 3 });
    assert_eq!(pieces_of(&products, &tea).await, (3, 2));
}

#[tokio::test]
async fn of_many_who_expect_the_same_one_sets_it() {
    let (stores, products): (Stores, Products) = (open().await, open().await);
    let tea = for_sale(&products, 5).await;
    let results = at_once(8, |number| {
        let (stores, tea) = (stores.clone(), tea.clone());
        async move { changed(&stores, &tea, change(&json!({ "set": 10 + number, "expected": 5 })), None).await }
    });
    let (set, refused): (Vec<_>, Vec<_>) = results.await.into_iter().partition(Result::is_ok);
    let (stock, promised) = pieces_of(&products, &tea).await;
    assert_eq!((set.len(), promised), (1, 0));
    assert!((10..18).contains(&stock), "{stock}");
    for refused in refused {
        let expected = StockRefusal::StockChanged { id: tea.product_id(), available: stock };
        assert_eq!(refusal(refused), expected);
    }
}

#[tokio::test]
async fn a_stock_is_never_below_zero_nor_over_the_limit() {
    let (stores, products): (Stores, Products) = (open().await, open().await);
    let tea = for_sale(&products, 5).await;
    let id = tea.product_id();
    let refused = refusal(changed(&stores, &tea, change(&json!({ "add": -6 })), None).await);
    assert_eq!(refused, StockRefusal::OutOfStock { id, available: 5 });
    let refused = refusal(changed(&stores, &tea, change(&json!({ "add": 999_996 })), None).await);
    assert_eq!(refused, StockRefusal::StockLimit { id, available: 5 });
    assert_eq!(pieces_of(&products, &tea).await, (5, 0));
}

#[tokio::test]
async fn nobody_else_changes_a_stock_and_what_is_not_for_sale_is_not_told_of() {
    let ((offers, guards), products): (Stores, Products) = (open().await, open().await);
    let tea = for_sale(&products, 5).await;
    let waiting = products.find(listed(&products).await).await.unwrap().unwrap().offer;
    let mallory = someone();
    for (offer, expected) in [(&tea, StockRefusal::NotYours), (&waiting, StockRefusal::NotFound)] {
        for body in [json!({ "set": 0 }), json!({ "add": -1 }), json!({ "set": 0, "expected": 5 })] {
            let done = offers.change_stock(&guards, &mallory, offer.id(), change(&body), None, now()).await;
            assert_eq!(refusal(done), expected);
        }
        assert_eq!(pieces_of(&products, offer).await, (5, 0));
    }
}

#[tokio::test]
async fn an_offer_that_is_gone_is_not_found_and_does_not_come_back() {
    let (stores, products): (Stores, Products) = (open().await, open().await);
    let (cloud, tea) = (Cloud::open().await, for_sale(&products, 5).await);
    let id = tea.id().to_string();
    cloud.delete_item("OffersTable", "offerId", &id).await;
    for body in [json!({ "set": 9 }), json!({ "add": 1 }), json!({ "set": 9, "expected": 5 })] {
        let refused = refusal(changed(&stores, &tea, change(&body), None).await);
        assert_eq!(refused, StockRefusal::NotFound);
    }
    assert_eq!(cloud.item("OffersTable", ("offerId", &id)).await, Value::Null);
}

#[tokio::test]
async fn a_change_with_a_key_happens_once_and_its_repetition_is_told() {
    let (stores, products): (Stores, Products) = (open().await, open().await);
    let (tea, key) = (for_sale(&products, 5).await, key().await);
    let seller = seller_of(&tea);
    let take = change(&json!({ "add": -5 }));
    let taken = keyed(&seller, &key, &tea, take);
    let results = at_once(12, |_| {
        let (stores, tea, taken) = (stores.clone(), tea.clone(), taken.clone());
        async move { changed(&stores, &tea, take, Some(&taken)).await.unwrap() }
    });
    assert_eq!(results.await.into_iter().filter(|once| *once == Once::Done(())).count(), 1);
    assert_eq!(pieces_of(&products, &tea).await, (0, 0));

    // Though nothing is left to take, and the record says so for a day.
    assert_eq!(changed(&stores, &tea, take, Some(&taken)).await.unwrap(), Once::Replayed(()));
    let (offers, guards) = &stores;
    let later = offers.change_stock(guards, &seller, tea.id(), take, Some(&taken), now() + DAY).await;
    assert_eq!(refusal(later), StockRefusal::OutOfStock { id: tea.product_id(), available: 0 });

    let other = change(&json!({ "add": 1 }));
    let reused = changed(&stores, &tea, other, Some(&keyed(&seller, &key, &tea, other))).await;
    assert!(matches!(reused, Err(StockError::KeyReused(_))), "{reused:?}");
    assert_eq!(pieces_of(&products, &tea).await, (0, 0));
}

#[tokio::test]
async fn a_change_whose_reply_is_lost_happens_once() {
    let products: Products = open().await;
    let tea = for_sale(&products, 5).await;
    let behind: Stores = open_behind(Meddler::lose_reply("UpdateItem")).await;
    assert_eq!(changed(&behind, &tea, change(&json!({ "set": 9 })), None).await.unwrap(), Once::Done(()));
    assert_eq!(pieces_of(&products, &tea).await, (9, 0));
    for body in [json!({ "add": 1 }), json!({ "set": 20, "expected": 10 })] {
        let behind: Stores = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
        let change = change(&body);
        let keyed = keyed(&seller_of(&tea), &key().await, &tea, change);
        // The second try finds the record of the first.
        assert_eq!(changed(&behind, &tea, change, Some(&keyed)).await.unwrap(), Once::Replayed(()));
    }
    assert_eq!(pieces_of(&products, &tea).await, (20, 0));
}

#[tokio::test]
async fn what_was_handed_over_is_promised_no_more_and_is_not_to_be_had() {
    let (orders, products, offers): (orders::Orders, Products, Offers) = open().await;
    let tables: Tables = open().await;
    let tea = for_sale(&products, 9).await;
    placed(&orders, &buyer().await, &[(&tea, 5)], now()).await;
    let hand_over = async || {
        let mut write = Write::new();
        write.update(offers.hand_over(tea.id(), 3).unwrap());
        tables.commit(write).await
    };
    assert!(hand_over().await);
    assert_eq!(pieces_of(&products, &tea).await, (4, 2));
    Cloud::open().await.delete_item("OffersTable", "offerId", &tea.id().to_string()).await;
    assert!(!hand_over().await, "an offer came back");
}
