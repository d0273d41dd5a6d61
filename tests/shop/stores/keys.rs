//! Idempotency keys: one effect and one answer, whoever was faster, whatever was lost, and whatever else failed.

use std::time::Duration;

use offers::{NotReserved, Offer};
use orders::{Fulfilment, NewOrder, Orders, Placing, Refusal};
use products::Products;
use serde_json::{Value, json};
use shared::caller::Caller;
use shared::guards::{IdempotencyKey, KeyReused, Once};
use tests::aws::Aws as Cloud;
use tests::meddler::Meddler;
use tests::wait::at_once;

use super::{DAY, buyer, for_sale, key, keyed, now, open, open_behind, order, pieces_of, place, refusal};

#[tokio::test]
async fn the_same_key_and_order_have_the_first_answer_for_a_day() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea, key) = (buyer().await, for_sale(&products, 5).await, key().await);
    let order = order(&[(&tea, 2)]);
    let keyed = keyed(&ann, &key, &order);
    let place = async |now| place(&orders, &ann, &order, Some(&keyed), now).await.unwrap();
    let first = place(now()).await;
    let Once::Done(answer) = first.clone() else { panic!("placed before: {first:?}") };
    let replay = Once::Replayed(answer.clone());
    assert_eq!(place(now()).await, replay);
    assert_eq!(place(now() + DAY - Duration::from_secs(1)).await, replay);
    assert_eq!(pieces_of(&products, &tea).await, (3, 2));

    // Then the record stands there expired: it does not answer, and does not stand in the way.
    let second = place(now() + DAY).await;
    let Once::Done(later) = second.clone() else { panic!("placed before: {second:?}") };
    assert_ne!(later, answer);
    assert_eq!(pieces_of(&products, &tea).await, (1, 4));
    assert_eq!(place(now() + DAY + DAY - Duration::from_secs(1)).await, Once::Replayed(later));
}

#[tokio::test]
async fn a_key_with_another_order_is_refused() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, bob) = (buyer().await, buyer().await);
    let (tea, key) = (for_sale(&products, 5).await, key().await);
    let (two, one) = (order(&[(&tea, 2)]), order(&[(&tea, 1)]));
    place(&orders, &ann, &two, Some(&keyed(&ann, &key, &two)), now()).await.unwrap();
    let refused = place(&orders, &ann, &one, Some(&keyed(&ann, &key, &one)), now()).await;
    assert_eq!(refusal(refused), Refusal::KeyReused(KeyReused));
    assert_eq!(pieces_of(&products, &tea).await, (3, 2));
    let placed = place(&orders, &bob, &one, Some(&keyed(&bob, &key, &one)), now()).await.unwrap();
    assert!(matches!(placed, Once::Done(_)), "keys are each person's own");
}

#[tokio::test]
async fn of_many_requests_at_once_with_one_key_one_is_placed_and_answers_all() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea, key) = (buyer().await, for_sale(&products, 1).await, key().await);
    // The last piece: it is gone for all but one, and still each has the answer.
    let placed = at_once(12, |_| {
        let (orders, ann, key, order) = (orders.clone(), ann.clone(), key.clone(), order(&[(&tea, 1)]));
        async move { place(&orders, &ann, &order, Some(&keyed(&ann, &key, &order)), now()).await.unwrap() }
    });
    let placed = placed.await;
    assert_eq!(placed.iter().filter(|placed| matches!(placed, Once::Done(_))).count(), 1);
    assert!(placed.iter().all(|other| other.answer() == placed[0].answer()));
    assert_eq!(pieces_of(&products, &tea).await, (0, 1));
}

#[tokio::test]
async fn an_order_with_a_key_whose_reply_is_lost_is_placed_once() {
    let products: Products = open().await;
    let orders: Orders = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    let (ann, tea, key) = (buyer().await, for_sale(&products, 2).await, key().await);
    let order = order(&[(&tea, 2)]);
    let keyed = keyed(&ann, &key, &order);
    let placed = place(&orders, &ann, &order, Some(&keyed), now()).await.unwrap();
    let Once::Done(answer) = placed else {
        panic!("the try that took effect is this call's own: {placed:?}")
    };
    let again = place(&orders, &ann, &order, Some(&keyed), now()).await.unwrap();
    assert_eq!(again, Once::Replayed(answer));
    assert_eq!(pieces_of(&products, &tea).await, (0, 2));
}

/// A meddler before the call `number` of an operation, that has the order placed with the key over another way.
async fn rival(
    operation: &'static str,
    number: usize,
    (ann, key, order): (&Caller, &IdempotencyKey, &NewOrder),
) -> Meddler {
    let orders: Orders = open().await;
    let all = (orders, ann.clone(), keyed(ann, key, order), order.clone());
    Meddler::before(operation, number..number + 1, move || {
        let (orders, ann, keyed, order) = all.clone();
        async move {
            let placed = place(&orders, &ann, &order, Some(&keyed), now()).await;
            let placed = placed.expect("a placed order");
            assert!(matches!(placed, Once::Done(_)), "{placed:?}");
        }
    })
}

#[tokio::test]
async fn a_request_that_was_faster_with_the_key_answers_this_one() {
    let products: Products = open().await;
    let (ann, tea, key) = (buyer().await, for_sale(&products, 1).await, key().await);
    let order = order(&[(&tea, 1)]);
    let orders: Orders = open_behind(rival("TransactWriteItems", 0, (&ann, &key, &order)).await).await;
    let placed = place(&orders, &ann, &order, Some(&keyed(&ann, &key, &order)), now()).await.unwrap();
    assert!(matches!(placed, Once::Replayed(_)), "{placed:?}");
    assert_eq!(pieces_of(&products, &tea).await, (0, 1));
}

#[tokio::test]
async fn a_request_that_was_faster_with_the_key_and_another_order_refuses_this_one() {
    let products: Products = open().await;
    let (ann, tea, key) = (buyer().await, for_sale(&products, 5).await, key().await);
    let (one, two) = (order(&[(&tea, 1)]), order(&[(&tea, 2)]));
    let orders: Orders = open_behind(rival("TransactWriteItems", 0, (&ann, &key, &one)).await).await;
    let refused = place(&orders, &ann, &two, Some(&keyed(&ann, &key, &two)), now()).await;
    assert_eq!(refusal(refused), Refusal::KeyReused(KeyReused));
    assert_eq!(pieces_of(&products, &tea).await, (4, 1));
}

/// Cancels every transaction because of the offer alone, as it stands now. DynamoDB need not name every condition that
/// failed.
fn refused_for_the_offer(offer: Value) -> Meddler {
    Meddler::answer("TransactWriteItems", 0..usize::MAX, move |input| {
        let items = input["TransactItems"].as_array().expect("items").iter();
        let reason = |item: &Value| match item["Update"]["Key"].get("offerId") {
            Some(_) => json!({
                "Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": offer,
            }),
            None => json!({ "Code": "None" }),
        };
        let reasons: Vec<_> = items.map(reason).collect();
        let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
        (400, json!({ "__type": kind, "Message": "Transaction cancelled", "CancellationReasons": reasons }))
    })
}

async fn item_of(offer: &Offer) -> Value {
    Cloud::open().await.item("OffersTable", ("offerId", &offer.id().to_string())).await
}

#[tokio::test]
async fn where_two_conditions_fail_and_one_is_named_the_request_still_has_its_answer() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea, key) = (buyer().await, for_sale(&products, 1).await, key().await);
    let order = order(&[(&tea, 1)]);
    let keyed = keyed(&ann, &key, &order);
    // Two requests read at the same time: then one takes the last piece and writes the record.
    let by = (&ann).into();
    let placing =
        Placing { keyed: Some(&keyed), ..super::placing(&by, &order, Fulfilment::Automatic, now()) };
    let basis = orders.basis(&placing).await.unwrap();
    let first = place(&orders, &ann, &order, Some(&keyed), now()).await.unwrap();
    let behind: Orders = open_behind(refused_for_the_offer(item_of(&tea).await)).await;
    let second = behind.place(&placing, basis).await.unwrap();
    assert_eq!(second, Once::Replayed(first.answer().clone()));
    assert_eq!(pieces_of(&products, &tea).await, (0, 1));
}

#[tokio::test]
async fn where_one_condition_failed_and_there_is_no_record_the_request_is_refused_for_it() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, bob, tea) = (buyer().await, buyer().await, for_sale(&products, 1).await);
    let (key, order) = (key().await, order(&[(&tea, 1)]));
    let keyed = keyed(&ann, &key, &order);
    let by = (&ann).into();
    let placing =
        Placing { keyed: Some(&keyed), ..super::placing(&by, &order, Fulfilment::Automatic, now()) };
    let basis = orders.basis(&placing).await.unwrap();
    place(&orders, &bob, &order, None, now()).await.unwrap();
    let behind: Orders = open_behind(refused_for_the_offer(item_of(&tea).await)).await;
    let refused = refusal(behind.place(&placing, basis).await);
    assert_eq!(refused, Refusal::from(NotReserved::OutOfStock { id: tea.id(), available: 0 }));
}

#[tokio::test]
async fn a_refusal_looks_for_the_answer_once_more() {
    let products: Products = open().await;
    let (ann, tea, key) = (buyer().await, for_sale(&products, 1).await, key().await);
    let order = order(&[(&tea, 1)]);
    // The first read sees neither piece nor record, as if the same request took and wrote them meanwhile.
    let rival: Orders = open().await;
    let (cloud, id) = (Cloud::open().await, tea.id().to_string());
    let keyed = keyed(&ann, &key, &order);
    let all = (rival, cloud.clone(), id.clone(), ann.clone(), keyed.clone(), order.clone());
    let meddler = Meddler::before("BatchGetItem", 1..2, move || {
        let (rival, cloud, id, ann, keyed, order) = all.clone();
        async move {
            let one = json!({ ":one": { "N": "1" } });
            cloud.update_item("OffersTable", ("offerId", &id), "SET quantity = :one", one).await;
            place(&rival, &ann, &order, Some(&keyed), now()).await.unwrap();
        }
    });
    let none = json!({ ":none": { "N": "0" } });
    cloud.update_item("OffersTable", ("offerId", &id), "SET quantity = :none", none).await;
    let orders: Orders = open_behind(meddler).await;
    let placed = place(&orders, &ann, &order, Some(&keyed), now()).await.unwrap();
    assert!(matches!(placed, Once::Replayed(_)), "{placed:?}");
    assert_eq!(pieces_of(&products, &tea).await, (0, 1));
}
