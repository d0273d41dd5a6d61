//! Orders: placed all or nothing, shipped or released once, and never at the cost of a product's item.

use std::collections::BTreeSet;

use offers::{NotReserved, Offer};
use orders::purchase::Prices;
use orders::workflow::{Released, Shipped};
use orders::{Actor, Fulfilment, Order, OrderId, OrderStatus, OrderView, Orders, Progress, Refusal};
use products::Products;
use promotions::{Coupon, Coupons, NewCoupon};
use serde_json::{Value, json};
use shared::caller::Caller;
use shared::dynamo::list::Cursors;
use shared::guards::Once;
use shared::http::input;
use shared::http::problem::{Problem, SERVICE_UNAVAILABLE};
use tests::aws::Aws as Cloud;
use tests::meddler::{Answer, Meddler};
use tests::shop::{history, unique};
use tests::wait::at_once;

use super::due::{GRACE, is_due, shard_of};
use super::lists::page;
use super::{
    DAY, MILLISECOND, MINUTE, before, buyer, collected, conflict, for_sale, found_order, key, keyed, listed,
    new_product, now, open, open_behind, order, past, pieces_of, place, placed, profile_of, refusal, shop,
    someone, waiting,
};

/// Releases an order as release-order does.
pub(super) async fn released(orders: &Orders, id: OrderId) -> Released {
    let order = found_order(orders, id).await;
    let released = orders.release(&order, &Actor::WORKFLOW, now()).await;
    released.expect("the tables answer")
}

pub(super) async fn history_of(orders: &Orders, id: OrderId) -> Vec<String> {
    let order = serde_json::to_value(OrderView::from(found_order(orders, id).await)).expect("JSON");
    history(&order).into_iter().map(str::to_owned).collect()
}

/// The tables that a call names.
fn tables_in(input: &Value) -> BTreeSet<String> {
    let mut tables = BTreeSet::new();
    let mut rest = vec![input];
    while let Some(value) = rest.pop() {
        match value {
            Value::Object(members) => {
                tables.extend(members.get("TableName").and_then(Value::as_str).map(str::to_owned));
                let requests = members.get("RequestItems").and_then(Value::as_object);
                tables.extend(requests.into_iter().flatten().map(|(table, _)| table.clone()));
                rest.extend(members.values());
            }
            Value::Array(items) => rest.extend(items),
            _ => {}
        }
    }
    tables
}

// ── Placing ────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_placed_order_takes_its_pieces_and_is_found() {
    let (orders, products): (Orders, Products) = open().await;
    let (tea, cup) = (for_sale(&products, 5).await, for_sale(&products, 3).await);
    let ann = buyer().await;
    let id = placed(&orders, &ann, &[(&tea, 2), (&cup, 3)], now()).await;
    assert_eq!((pieces_of(&products, &tea).await, pieces_of(&products, &cup).await), ((3, 2), (0, 3)));
    let order = orders.find_of(&ann, id).await.unwrap();
    assert_eq!((order.status(), order.lines().len()), (OrderStatus::Pending, 2));
    let contact = profile_of(ann.id(), "Ann");
    assert_eq!(
        (&order.contact().email, &order.contact().full_name),
        (&contact.email, &contact.full_name),
        "whom to write to is that of the moment"
    );
    assert!(matches!(orders.find_of(&someone(), id).await, Err(orders::Error::NotFound)));
    assert!(orders.find(OrderId::at(now())).await.unwrap().is_none());
}

#[tokio::test]
async fn an_order_is_one_read_and_one_transaction_that_writes_no_product() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea, key, cloud) =
        (buyer().await, for_sale(&products, 5).await, key().await, Cloud::open().await);
    let id = tea.product_id().to_string();
    let product = async || cloud.item("ProductsTable", ("id", &id)).await.to_string();
    let before = product().await;
    let named = |tables: &[&str]| -> BTreeSet<_> {
        tables.iter().map(|name| cloud.output(name).to_owned()).collect()
    };

    let (meddler, calls) = Meddler::watch();
    let behind: Orders = open_behind(meddler).await;
    let order = order(&[(&tea, 2)]);
    let placed = place(&behind, &ann, &order, Some(&keyed(&ann, &key, &order)), now()).await.unwrap();
    let seen: Vec<_> =
        calls.take().into_iter().map(|call| (tables_in(&call.input), call.operation)).collect();
    let expected = [
        (named(&["GuardsTable", "OffersTable", "SettingsTable", "UsersTable"]), "BatchGetItem".to_owned()),
        (
            named(&["GuardsTable", "OffersTable", "OrdersTable", "SellerOrdersTable"]),
            "TransactWriteItems".to_owned(),
        ),
    ];
    assert_eq!(seen, expected);
    assert_eq!(product().await, before, "a sale wrote the product's item");

    // Nor does what becomes of the order.
    let again = self::placed(&orders, &ann, &[(&tea, 1)], now()).await;
    orders.ship(again, now()).await.unwrap();
    assert_eq!(released(&behind, placed.answer().order_id()).await, Released::Released);
    let seen = calls.take().iter().fold(BTreeSet::new(), |seen, call| &seen | &tables_in(&call.input));
    assert_eq!(seen, named(&["OffersTable", "OrdersTable"]));
    assert_eq!(product().await, before, "a release wrote the product's item");
}

#[tokio::test]
async fn somebody_without_a_profile_is_refused_and_nothing_is_taken() {
    let (orders, products, cursors): (Orders, Products, Cursors) = open().await;
    let (nobody, tea, key) = (someone(), for_sale(&products, 5).await, key().await);
    let order = order(&[(&tea, 2)]);
    let keyed = keyed(&nobody, &key, &order);
    for keyed in [None, Some(&keyed)] {
        let refused = place(&orders, &nobody, &order, keyed, now()).await;
        assert_eq!(refusal(refused), Refusal::NoProfile);
    }
    assert_eq!(pieces_of(&products, &tea).await, (5, 0));
    let list = orders.list_of(nobody.id(), &cursors, &page(20, None).await).await.expect("a page");
    assert_eq!(list.entries, []);

    // Whose profile comes later orders with the same key.
    let users: users::Users = open().await;
    users.create(&profile_of(nobody.id(), "Ann")).await.unwrap();
    let placed = place(&orders, &nobody, &order, Some(&keyed), now()).await.unwrap();
    assert!(matches!(placed, Once::Done(_)), "{placed:?}");
}

#[tokio::test]
async fn a_line_that_cannot_be_had_is_refused_and_nothing_is_taken() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 5).await);
    let (few, unknown) = (for_sale(&products, 2).await, new_product("Things", 5, past()).offer);
    let waiting = listed(&products).await;
    let waiting = products.find(waiting).await.unwrap().unwrap().offer;
    for (line, expected) in [
        (&few, NotReserved::OutOfStock { id: few.id(), available: 2 }),
        (&unknown, NotReserved::NotForSale(unknown.id())),
        (&waiting, NotReserved::NotForSale(waiting.id())),
    ] {
        let refused = place(&orders, &ann, &order(&[(&tea, 1), (line, 3)]), None, now()).await;
        assert_eq!(refusal(refused), Refusal::from(expected));
    }
    assert_eq!(pieces_of(&products, &tea).await, (5, 0));
}

#[tokio::test]
async fn an_offer_that_nobody_can_read_is_not_for_sale_and_the_others_are() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea, cup) = (buyer().await, for_sale(&products, 5).await, for_sale(&products, 3).await);
    let (cloud, id) = (Cloud::open().await, cup.id().to_string());
    let nothing = json!({ ":nothing": { "L": [] } });
    cloud.update_item("OffersTable", ("offerId", &id), "SET price = :nothing", nothing).await;
    let refused = place(&orders, &ann, &order(&[(&tea, 1), (&cup, 1)]), None, now()).await;
    assert_eq!(refusal(refused), Refusal::from(NotReserved::NotForSale(cup.id())));
    placed(&orders, &ann, &[(&tea, 1)], now()).await;
    assert_eq!(pieces_of(&products, &tea).await, (4, 1));
}

/// Buys the offer of two while `change` is made to the other between the read and the transaction.
async fn refused_after(change: &'static str, values: Value, cup: &Offer) -> Refusal {
    let products: Products = open().await;
    let (ann, tea, cloud) = (buyer().await, for_sale(&products, 5).await, Cloud::open().await);
    let id = cup.id().to_string();
    let meddler = Meddler::before("TransactWriteItems", 0..1, move || {
        let (cloud, id, values) = (cloud.clone(), id.clone(), values.clone());
        async move {
            match change {
                "DELETE" => cloud.delete_item("OffersTable", "offerId", &id).await,
                change => cloud.update_item("OffersTable", ("offerId", &id), change, values).await,
            }
        }
    });
    let orders: Orders = open_behind(meddler).await;
    let refused = place(&orders, &ann, &order(&[(&tea, 1), (cup, 3)]), None, now()).await;
    // All or nothing.
    assert_eq!(pieces_of(&products, &tea).await, (5, 0));
    let (orders, cursors): (Orders, Cursors) = open().await;
    let list = orders.list_of(ann.id(), &cursors, &page(20, None).await).await.expect("a page");
    assert_eq!(list.entries, []);
    refusal(refused)
}

#[tokio::test]
async fn pieces_that_are_sold_between_read_and_reservation_are_out_of_stock() {
    let cup = for_sale(&open().await, 3).await;
    let refusal = refused_after("SET quantity = :left", json!({ ":left": { "N": "2" } }), &cup).await;
    assert_eq!(refusal, Refusal::from(NotReserved::OutOfStock { id: cup.id(), available: 2 }));
}

#[tokio::test]
async fn a_coupon_of_an_order_that_was_not_written_is_not_used() {
    let (orders, products, coupons): (Orders, Products, Coupons) = open().await;
    let (ann, bob, tea) = (buyer().await, buyer().await, for_sale(&products, 1).await);
    let code = unique("c").replace(' ', "-");
    let rules = json!({ "code": code, "kind": "percent", "value": 10, "limit": 5, "perCustomer": 2 });
    let new: NewCoupon = input::parse(rules.to_string().as_bytes()).expect("a coupon");
    let coupon = Coupon::new(new, "USD".parse().expect("a currency"), now());
    coupons.create(&coupon).await.expect("a coupon");
    let used = async || {
        let in_all =
            coupons.find(coupon.code()).await.expect("the table answers").expect("it is there").used();
        (in_all, coupons.used_by(coupon.code(), ann.id()).await.expect("the table answers"))
    };
    // Bob takes the last piece between the read and the transaction.
    let rival = (orders.clone(), bob, tea.clone());
    let behind: Orders = open_behind(Meddler::before("TransactWriteItems", 0..1, move || {
        let (orders, bob, tea) = rival.clone();
        async move { _ = placed(&orders, &bob, &[(&tea, 1)], now()).await }
    }))
    .await;
    let item = json!({ "id": tea.id(), "quantity": 1 });
    let order = json!({ "items": [item], "couponCode": coupon.code().to_string() });
    let order = input::parse(order.to_string().as_bytes()).expect("an order");
    let refused = place(&behind, &ann, &order, None, now()).await;
    assert_eq!(refusal(refused), Refusal::from(NotReserved::OutOfStock { id: tea.id(), available: 0 }));
    assert_eq!(used().await, (0, 0));
    let id = tea.id().to_string();
    let more = json!({ ":two": { "N": "2" } });
    Cloud::open().await.update_item("OffersTable", ("offerId", &id), "SET quantity = :two", more).await;
    for count in 1..=2 {
        place(&orders, &ann, &order, None, now()).await.expect("an order");
        assert_eq!(used().await, (count, count));
    }
}

#[tokio::test]
async fn a_price_that_changes_between_read_and_reservation_is_told() {
    let cup = for_sale(&open().await, 3).await;
    let refusal = refused_after("SET price = :price", json!({ ":price": { "N": "449" } }), &cup).await;
    assert_eq!(refusal, Refusal::from(NotReserved::PriceChanged(cup.id())));
}

#[tokio::test]
async fn an_approval_that_is_withdrawn_between_read_and_reservation_is_told() {
    let cup = for_sale(&open().await, 3).await;
    let refusal = refused_after("SET forSale = :no", json!({ ":no": { "BOOL": false } }), &cup).await;
    assert_eq!(refusal, Refusal::from(NotReserved::NotForSale(cup.id())));
}

#[tokio::test]
async fn an_offer_that_is_deleted_between_read_and_reservation_is_not_for_sale_and_does_not_come_back() {
    let cup = for_sale(&open().await, 3).await;
    let refusal = refused_after("DELETE", Value::Null, &cup).await;
    assert_eq!(refusal, Refusal::from(NotReserved::NotForSale(cup.id())));
    let offer = Cloud::open().await.item("OffersTable", ("offerId", &cup.id().to_string())).await;
    assert_eq!(offer, Value::Null);
}

#[tokio::test]
async fn of_many_buyers_at_once_as_many_get_one_as_there_are() {
    let (orders, products): (Orders, Products) = open().await;
    let (tea, mut buyers) = (for_sale(&products, 5).await, Vec::new());
    for _ in 0..20 {
        buyers.push(buyer().await);
    }
    let results = at_once(buyers.len(), |number| {
        let (orders, ann, order) = (orders.clone(), buyers[number].clone(), order(&[(&tea, 1)]));
        async move { place(&orders, &ann, &order, None, now()).await }
    });
    let (placed, refused): (Vec<_>, Vec<_>) = results.await.into_iter().partition(Result::is_ok);
    assert_eq!(placed.len(), 5);
    for refused in refused {
        assert!(matches!(refusal(refused), Refusal::NotReserved(NotReserved::OutOfStock { .. })));
    }
    assert_eq!(pieces_of(&products, &tea).await, (0, 5));
}

#[tokio::test]
async fn an_order_whose_reply_is_lost_is_placed_once() {
    let products: Products = open().await;
    let orders: Orders = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    let (ann, tea) = (buyer().await, for_sale(&products, 5).await);
    let id = placed(&orders, &ann, &[(&tea, 2)], now()).await;
    assert_eq!(found_order(&orders, id).await.status(), OrderStatus::Pending);
    assert_eq!(pieces_of(&products, &tea).await, (3, 2));
}

#[tokio::test]
async fn a_conflict_with_other_transactions_is_waited_out() {
    let products: Products = open().await;
    let orders: Orders = open_behind(Meddler::answer("TransactWriteItems", 0..3, conflict)).await;
    let tea = for_sale(&products, 5).await;
    placed(&orders, &buyer().await, &[(&tea, 2)], now()).await;
    assert_eq!(pieces_of(&products, &tea).await, (3, 2));
}

#[tokio::test]
async fn conflicts_without_end_ask_the_client_to_come_back() {
    let products: Products = open().await;
    let orders: Orders = open_behind(Meddler::answer("TransactWriteItems", 0..usize::MAX, conflict)).await;
    let tea = for_sale(&products, 5).await;
    let error = place(&orders, &buyer().await, &order(&[(&tea, 2)]), None, now()).await.unwrap_err();
    assert_eq!(Problem::from(error).kind(), SERVICE_UNAVAILABLE);
    assert_eq!(pieces_of(&products, &tea).await, (5, 0));
}

/// Reads nothing, as DynamoDB does when it is asked too much at once.
fn unread(input: &Value) -> Answer {
    (200, json!({ "Responses": {}, "UnprocessedKeys": input["RequestItems"] }))
}

#[tokio::test]
async fn what_dynamodb_left_unread_is_read_again() {
    let products: Products = open().await;
    let orders: Orders = open_behind(Meddler::answer("BatchGetItem", 0..2, unread)).await;
    let tea = for_sale(&products, 5).await;
    placed(&orders, &buyer().await, &[(&tea, 2)], now()).await;

    let orders: Orders = open_behind(Meddler::answer("BatchGetItem", 0..usize::MAX, unread)).await;
    let error = place(&orders, &buyer().await, &order(&[(&tea, 2)]), None, now()).await.unwrap_err();
    assert_eq!(Problem::from(error).kind(), SERVICE_UNAVAILABLE);
    assert_eq!(pieces_of(&products, &tea).await, (3, 2));
}

// ── Shipping and release ───────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn an_order_ships_once() {
    let (orders, products): (Orders, Products) = open().await;
    let tea = for_sale(&products, 5).await;
    let id = placed(&orders, &buyer().await, &[(&tea, 2)], now()).await;
    let outcomes = at_once(8, |_| {
        let orders = orders.clone();
        async move { orders.ship(id, now() + MINUTE).await.unwrap() }
    });
    let outcomes = outcomes.await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Shipped::Shipped).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Shipped::AlreadyShipping).count(), 7);
    assert_eq!(orders.ship(id, now() + DAY).await.unwrap(), Shipped::AlreadyShipping);
    assert_eq!(history_of(&orders, id).await, ["pending", "shipping"]);
    assert_eq!(pieces_of(&products, &tea).await.0, 3);
}

#[tokio::test]
async fn an_order_on_its_way_is_not_released() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 5).await);
    let id = placed(&orders, &ann, &[(&tea, 2)], now()).await;
    orders.ship(id, now()).await.unwrap();
    assert_eq!(released(&orders, id).await, Released::AlreadyShipping);
    assert_eq!(refusal(orders.cancel(&ann, id, now()).await), Refusal::NotCancellable);
    assert_eq!(history_of(&orders, id).await, ["pending", "shipping"]);
    assert_eq!(pieces_of(&products, &tea).await.0, 3);
}

#[tokio::test]
async fn a_released_order_does_not_ship() {
    let (orders, products): (Orders, Products) = open().await;
    let tea = for_sale(&products, 5).await;
    let id = placed(&orders, &buyer().await, &[(&tea, 2)], now()).await;
    assert_eq!(released(&orders, id).await, Released::Released);
    assert_eq!(orders.ship(id, now()).await.unwrap(), Shipped::Cancelled);
    assert_eq!(history_of(&orders, id).await, ["pending", "cancelled"]);
    let reason = orders::CancellationReason::NotShippable;
    assert_eq!(found_order(&orders, id).await.cancellation_reason(), Some(reason));
}

/// The seller of all that is in an order.
fn seller_of(offer: &Offer) -> Caller {
    Caller::for_tests(&offer.seller().to_string())
}

fn shipped_by(carrier: &str) -> Progress {
    let body = json!({ "status": "shipped", "carrier": carrier, "trackingNumber": "JD 1" });
    input::parse(body.to_string().as_bytes()).expect("a shipment")
}

#[tokio::test]
async fn an_order_that_a_person_ships_is_left_alone_by_the_workflow_and_owed_nothing_meanwhile() {
    let (orders, products): (Orders, Products) = open().await;
    let tea = for_sale(&products, 5).await;
    let id = waiting(&orders, &buyer().await, &[(&tea, 2)], now()).await;
    let shard = shard_of(&found_order(&orders, id).await);
    assert!(is_due(&orders, &shard, id, now() + GRACE).await, "until its workflow has come by");
    // It does not give up either what it could not confirm: that is tried again.
    assert_eq!(released(&orders, id).await, Released::Waits);
    assert!(is_due(&orders, &shard, id, now() + GRACE).await);
    for _ in 0..2 {
        assert_eq!(orders.ship(id, now()).await.unwrap(), Shipped::Waits);
        assert!(!is_due(&orders, &shard, id, now() + DAY * 365).await);
    }
    assert_eq!(history_of(&orders, id).await, ["pending"]);
    assert_eq!(pieces_of(&products, &tea).await, (3, 2));

    let (order, is_new) =
        orders.progress(&seller_of(&tea), id, &shipped_by("DHL"), &collected, now() + MINUTE).await.unwrap();
    assert!(is_new && order.status() == OrderStatus::Shipping);
    assert!(is_due(&orders, &shard, id, now() + MINUTE + GRACE).await, "its buyer is to be told");
    assert_eq!(orders.ship(id, now()).await.unwrap(), Shipped::AlreadyShipping);
    assert_eq!(released(&orders, id).await, Released::AlreadyShipping);
}

#[tokio::test]
async fn what_is_said_of_an_order_again_changes_nothing_and_what_contradicts_it_is_refused() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 9).await);
    let seller = seller_of(&tea);
    let id = waiting(&orders, &ann, &[(&tea, 2)], now()).await;
    let say = async |progress: &Progress| orders.progress(&seller, id, progress, &collected, now()).await;
    assert_eq!(refusal(say(&Progress::Delivered).await), Refusal::NotShipped);
    let outcomes = at_once(8, |_| {
        let (orders, seller) = (orders.clone(), seller.clone());
        async move { orders.progress(&seller, id, &shipped_by("DHL"), &collected, now()).await.unwrap() }
    });
    assert_eq!(outcomes.await.iter().filter(|(_, is_new)| *is_new).count(), 1);
    let (order, is_new) = say(&Progress::Shipped(None)).await.unwrap();
    // The rest of it may have changed: its stock is handed over meanwhile.
    assert!(!is_new && order.status() == OrderStatus::Shipping);
    let Progress::Shipped(shipment) = shipped_by("DHL") else { panic!("shipped") };
    assert_eq!(order.shipment(), shipment.as_ref());
    assert_eq!(refusal(say(&shipped_by("UPS")).await), Refusal::ShippedOtherwise);
    assert_eq!(refusal(orders.cancel(&ann, id, now()).await), Refusal::NotCancellable);

    assert!(say(&Progress::Delivered).await.unwrap().1);
    assert!(!say(&Progress::Delivered).await.unwrap().1);
    assert!(!say(&shipped_by("DHL")).await.unwrap().1, "it did ship");
    assert_eq!(history_of(&orders, id).await, ["pending", "shipping", "delivered"]);

    let over = waiting(&orders, &ann, &[(&tea, 2)], now()).await;
    orders.cancel(&ann, over, now()).await.unwrap();
    for progress in [Progress::Shipped(None), Progress::Delivered] {
        let refused = orders.progress(&seller, over, &progress, &collected, now()).await;
        assert_eq!(refusal(refused), Refusal::Cancelled);
    }
}

#[tokio::test]
async fn nobody_but_its_seller_says_what_became_of_an_order() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea, cup) = (buyer().await, for_sale(&products, 9).await, for_sale(&products, 9).await);
    let id = waiting(&orders, &ann, &[(&tea, 2)], now()).await;
    let of_two = waiting(&orders, &ann, &[(&tea, 2), (&cup, 1)], now()).await;
    let say = async |caller: &Caller, id| {
        orders.progress(caller, id, &Progress::Shipped(None), &collected, now()).await
    };
    for id in [id, of_two] {
        assert!(matches!(say(&ann, id).await, Err(orders::Error::NotTheirs)), "its buyer");
        assert!(matches!(say(&someone(), id).await, Err(orders::Error::NotFound)));
        assert_eq!(history_of(&orders, id).await, ["pending"]);
    }
    assert!(matches!(say(&seller_of(&cup), id).await, Err(orders::Error::NotFound)));
    for one in [&tea, &cup] {
        assert_eq!(refusal(say(&seller_of(one), of_two).await), Refusal::SeveralParcels);
    }
    assert!(matches!(say(&seller_of(&tea), OrderId::at(now())).await, Err(orders::Error::NotFound)));
}

#[tokio::test]
async fn of_a_seller_who_ships_and_a_buyer_who_cancels_at_once_one_succeeds() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 50).await);
    let seller = seller_of(&tea);
    for _ in 0..5 {
        let (before, _) = pieces_of(&products, &tea).await;
        let id = waiting(&orders, &ann, &[(&tea, 2)], now()).await;
        let progress = shipped_by("DHL");
        let (shipped, cancelled) = tokio::join!(
            orders.progress(&seller, id, &progress, &collected, now()),
            orders.cancel(&ann, id, now())
        );
        let (after, _) = pieces_of(&products, &tea).await;
        match (shipped, cancelled) {
            (Ok(_), Err(_)) => assert_eq!(after, before - 2),
            (Err(_), Ok(_)) => assert_eq!(after, before),
            outcome => panic!("{outcome:?}"),
        }
    }
}

#[tokio::test]
async fn an_order_gives_its_stock_back_once() {
    let (orders, products): (Orders, Products) = open().await;
    let (tea, cup) = (for_sale(&products, 5).await, for_sale(&products, 3).await);
    let id = placed(&orders, &buyer().await, &[(&tea, 2), (&cup, 3)], now()).await;
    let outcomes = at_once(8, |_| {
        let orders = orders.clone();
        async move { released(&orders, id).await }
    });
    let outcomes = outcomes.await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Released::Released).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Released::AlreadyCancelled).count(), 7);
    assert_eq!((pieces_of(&products, &tea).await, pieces_of(&products, &cup).await), ((5, 0), (3, 0)));
    assert_eq!(history_of(&orders, id).await, ["pending", "cancelled"]);
}

#[tokio::test]
async fn of_shipping_and_release_at_once_one_happens() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 50).await);
    for _ in 0..5 {
        let (before, _) = pieces_of(&products, &tea).await;
        let id = placed(&orders, &ann, &[(&tea, 2)], now()).await;
        let (shipped, released) = tokio::join!(orders.ship(id, now()), released(&orders, id));
        let (after, _) = pieces_of(&products, &tea).await;
        match (shipped.unwrap(), released) {
            (Shipped::Shipped, Released::AlreadyShipping) => assert_eq!(after, before - 2),
            (Shipped::Cancelled, Released::Released) => assert_eq!(after, before),
            outcome => panic!("{outcome:?}"),
        }
    }
}

#[tokio::test]
async fn pieces_are_promised_from_an_order_to_its_release() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 9).await);
    let mut ids = Vec::new();
    for pieces in [1, 2, 3] {
        ids.push(placed(&orders, &ann, &[(&tea, pieces)], now()).await);
    }
    assert_eq!(pieces_of(&products, &tea).await, (3, 6));
    assert_eq!(released(&orders, ids[1]).await, Released::Released);
    assert_eq!(pieces_of(&products, &tea).await, (5, 4));
    assert_eq!(released(&orders, ids[1]).await, Released::AlreadyCancelled);
    assert_eq!(pieces_of(&products, &tea).await, (5, 4));
    assert_eq!(released(&orders, ids[2]).await, Released::Released);
    assert_eq!(pieces_of(&products, &tea).await, (8, 1));
}

#[tokio::test]
async fn an_order_is_handed_over_once_whoever_tells_of_it_how_often() {
    let (orders, products): (Orders, Products) = open().await;
    let (tea, cup) = (for_sale(&products, 5).await, for_sale(&products, 3).await);
    let id = placed(&orders, &buyer().await, &[(&tea, 2), (&cup, 3)], now()).await;
    orders.ship(id, now()).await.unwrap();
    let behind: Orders = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    behind.hand_over(id).await.unwrap();
    let all = at_once(8, |_| {
        let orders = orders.clone();
        async move { orders.hand_over(id).await }
    });
    assert!(all.await.iter().all(Result::is_ok));
    assert_eq!((pieces_of(&products, &tea).await, pieces_of(&products, &cup).await), ((3, 0), (0, 0)));
    assert_eq!(history_of(&orders, id).await, ["pending", "shipping"]);
    assert!(orders.hand_over(OrderId::at(now())).await.is_err(), "nobody placed it");
}

#[tokio::test]
async fn an_order_with_a_deleted_offer_is_handed_over_without_it() {
    let (orders, products): (Orders, Products) = open().await;
    let (cloud, ann) = (Cloud::open().await, buyer().await);
    let (tea, cup) = (for_sale(&products, 5).await, for_sale(&products, 3).await);
    // Not shipped, so that nobody else hands it over meanwhile.
    let id = placed(&orders, &ann, &[(&tea, 2), (&cup, 3)], now()).await;
    cloud.delete_item("OffersTable", "offerId", &tea.id().to_string()).await;
    orders.hand_over(id).await.unwrap();
    assert_eq!(pieces_of(&products, &cup).await, (0, 0));
    let offer = cloud.item("OffersTable", ("offerId", &tea.id().to_string())).await;
    assert_eq!(offer, Value::Null);
}

#[tokio::test]
async fn a_deleted_offer_gets_nothing_back_and_the_others_do() {
    let (orders, products): (Orders, Products) = open().await;
    let (cloud, ann) = (Cloud::open().await, buyer().await);
    for deleted in [vec![0], vec![1], vec![0, 2], vec![0, 1, 2]] {
        let mut things = Vec::new();
        for _ in 0..3 {
            things.push(for_sale(&products, 5).await);
        }
        let lines: Vec<_> = things.iter().map(|thing| (thing, 2)).collect();
        let id = placed(&orders, &ann, &lines, now()).await;
        for index in &deleted {
            cloud.delete_item("OffersTable", "offerId", &things[*index].id().to_string()).await;
        }
        assert_eq!(released(&orders, id).await, Released::Released, "{deleted:?}");
        assert_eq!(history_of(&orders, id).await, ["pending", "cancelled"]);
        for (index, thing) in things.iter().enumerate() {
            if deleted.contains(&index) {
                let offer = cloud.item("OffersTable", ("offerId", &thing.id().to_string())).await;
                assert_eq!(offer, Value::Null, "{index} of {deleted:?} came back");
            } else {
                assert_eq!(pieces_of(&products, thing).await, (5, 0), "{index} of {deleted:?}");
            }
        }
    }
}

#[tokio::test]
async fn an_order_that_ships_while_it_is_cancelled_is_on_its_way() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 5).await);
    let id = placed(&orders, &ann, &[(&tea, 2)], now()).await;
    let rival = orders.clone();
    let behind: Orders = open_behind(Meddler::before("TransactWriteItems", 0..1, move || {
        let rival = rival.clone();
        async move { assert_eq!(rival.ship(id, now()).await.unwrap(), Shipped::Shipped) }
    }))
    .await;
    assert_eq!(refusal(behind.cancel(&ann, id, now()).await), Refusal::NotCancellable);
    assert_eq!(pieces_of(&products, &tea).await.0, 3);
}

#[tokio::test]
async fn a_buyer_cancels_what_is_theirs_as_often_as_they_like() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 5).await);
    let id = placed(&orders, &ann, &[(&tea, 2)], now()).await;
    assert!(matches!(orders.cancel(&someone(), id, now()).await, Err(orders::Error::NotFound)));
    assert_eq!(pieces_of(&products, &tea).await, (3, 2));
    let cancelled = orders.cancel(&ann, id, now() + MINUTE).await.unwrap();
    assert_eq!(cancelled.cancellation_reason(), Some(orders::CancellationReason::ByBuyer));
    assert_eq!(orders.cancel(&ann, id, now() + DAY).await.unwrap(), cancelled);
    assert_eq!(found_order(&orders, id).await, cancelled);
    assert_eq!(pieces_of(&products, &tea).await, (5, 0));
}

#[tokio::test]
async fn an_order_that_nobody_placed_stays_unknown() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, id) = (buyer().await, OrderId::at(now()));
    assert!(orders.ship(id, now()).await.is_err());
    assert!(matches!(orders.cancel(&ann, id, now()).await, Err(orders::Error::NotFound)));
    orders.settle(id, OrderStatus::Pending).await.unwrap();
    assert!(orders.find(id).await.unwrap().is_none());

    let tea = for_sale(&products, 5).await;
    let contact = profile_of(ann.id(), "Ann").into();
    let prices = Prices { offers: vec![tea.clone()], ..Prices::default() };
    let (never, _) =
        Order::place(&order(&[(&tea, 1)]), &prices, shop(Fulfilment::Automatic), ann.id(), contact, now())
            .unwrap();
    assert!(!orders.put_off(&super::due::due_of(&never), now() + DAY).await.unwrap());
    assert!(orders.release(&never, &Actor::WORKFLOW, now()).await.is_err());
    assert_eq!(pieces_of(&products, &tea).await, (5, 0));
    assert!(orders.find(never.id()).await.unwrap().is_none());
}

/// A request that began earlier, or whose machine's clock is behind, may take effect later.
#[tokio::test]
async fn what_happens_to_an_order_is_dated_after_what_happened_before() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 9).await);
    let times = async |id| -> Vec<String> {
        let order = serde_json::to_value(OrderView::from(found_order(&orders, id).await)).unwrap();
        let history = order["history"].as_array().unwrap().iter();
        history.map(|entry| entry["at"].as_str().unwrap().to_owned()).collect()
    };
    let id = placed(&orders, &ann, &[(&tea, 1)], now()).await;
    assert_eq!(orders.ship(id, now()).await.unwrap(), Shipped::Shipped);
    let arrived =
        orders.progress(&seller_of(&tea), id, &Progress::Delivered, &collected, now() - MINUTE).await;
    assert!(arrived.unwrap().1);
    let expected = [0, 1, 2].map(|later| (now() + MILLISECOND * later).to_string());
    assert_eq!(times(id).await, expected);
    let id = placed(&orders, &ann, &[(&tea, 1)], now() + DAY).await;
    assert_eq!(released(&orders, id).await, Released::Released);
    assert_eq!(times(id).await, [now() + DAY, now() + DAY + MILLISECOND].map(|at| at.to_string()));
}

#[tokio::test]
async fn a_transition_whose_reply_is_lost_happens_once() {
    let products: Products = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 5).await);
    let orders: Orders = open_behind(Meddler::lose_reply("UpdateItem")).await;
    let id = placed(&orders, &ann, &[(&tea, 2)], before()).await;
    assert_eq!(orders.ship(id, now()).await.unwrap(), Shipped::AlreadyShipping);
    assert_eq!(history_of(&orders, id).await, ["pending", "shipping"]);

    let id = placed(&orders, &ann, &[(&tea, 2)], before()).await;
    let behind: Orders = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    assert_eq!(released(&behind, id).await, Released::AlreadyCancelled);
    assert_eq!(history_of(&orders, id).await, ["pending", "cancelled"]);
    assert_eq!(pieces_of(&products, &tea).await.0, 3);
}
