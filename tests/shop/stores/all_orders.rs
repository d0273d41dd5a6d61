//! The admins' lists: every order once, the newest first, whichever shard it is in; and what is seen of one order.

use std::collections::BTreeSet;

use offers::Offer;
use orders::admin::InspectedView;
use orders::store::{Counted, ToRecord};
use orders::{Order, OrderId, OrderPlaced, OrderStatus, Orders, PaymentId, Refusal};
use products::Products;
use serde_json::json;
use shared::caller::Caller;
use shared::dynamo::Write;
use shared::dynamo::list::{Cursors, Page};
use shared::guards::Guards;
use shared::guards::claims::TryId;
use shared::letters::Queued;
use tests::meddler::Meddler;
use users::CurrentAdmin;

use super::lists::page;
use super::{
    MILLISECOND, MINUTE, Tables, before, buyer, collected, for_sale, found_order, now, open, open_behind,
    pieces_of, placed, refusal, waiting,
};

fn admin() -> CurrentAdmin {
    CurrentAdmin(Caller::for_tests("root"))
}

/// The ids on a page, as rows say them.
fn ids(page: Page<orders::admin::OrderEntry>) -> (Vec<String>, Option<String>) {
    let list = serde_json::to_value(orders::admin::AllOrders::from(page)).expect("JSON");
    let rows = list["orders"].as_array().expect("rows");
    let ids = rows.iter().map(|row| row["orderId"].as_str().expect("an id").to_owned()).collect();
    (ids, list["nextCursor"].as_str().map(str::to_owned))
}

/// Walks the whole list.
async fn all(orders: &Orders, cursors: &Cursors, status: Option<OrderStatus>, limit: usize) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), None);
    for _ in 0..10_000 {
        let request = page(limit, cursor.as_deref()).await;
        let (found, next) = ids(orders.list_all(status, cursors, &request).await.expect("a page"));
        assert!(found.len() <= limit);
        seen.extend(found);
        if next.is_none() {
            return seen;
        }
        cursor = next;
    }
    panic!("the list has no end");
}

async fn several(orders: &Orders, tea: &Offer, count: u32) -> Vec<String> {
    let (ann, mut placed_ids) = (buyer().await, Vec::new());
    for number in 0..count {
        placed_ids.push(placed(orders, &ann, &[(tea, 1)], now() + MILLISECOND * number).await.to_string());
    }
    placed_ids
}

#[tokio::test]
async fn every_order_is_listed_once_and_the_newest_first() {
    let (orders, products, cursors): (Orders, Products, Cursors) = open().await;
    let tea = for_sale(&products, 100).await;
    let wanted = several(&orders, &tea, 40).await;
    for limit in [9, 100] {
        let seen = all(&orders, &cursors, None, limit).await;
        let mut sorted: Vec<_> = seen.iter().collect::<BTreeSet<_>>().into_iter().rev().cloned().collect();
        assert!(wanted.iter().all(|id| seen.contains(id)), "by {limit}");
        // Others place orders meanwhile, which may come before where this walk is.
        sorted.retain(|id| seen.contains(id));
        assert_eq!(seen, sorted, "by {limit}");
    }
}

/// An order like that of `id`, to be paid by card.
async fn awaiting(orders: &Orders, id: OrderId) -> OrderId {
    let mut item = serde_json::to_value(found_order(orders, id).await).expect("JSON");
    let another = OrderId::at(now());
    item["orderId"] = json!(another);
    let order: Order = serde_json::from_value(item).expect("an order");
    let order = order.awaiting(PaymentId::at(now()), now() + MINUTE);
    let count = async || -> Result<Counted<OrderPlaced, ()>, orders::Error> {
        let answer = OrderPlaced::new(another);
        let (order, write) = (order.clone(), Write::new());
        Ok(Counted::New(Box::new(ToRecord { order, coupon: None, write, answer, along: () })))
    };
    orders.record(None, now(), count).await.expect("the tables answer");
    another
}

#[tokio::test]
async fn an_order_is_on_the_list_of_its_status_and_on_no_other() {
    let (orders, products, cursors): (Orders, Products, Cursors) = open().await;
    let (tea, ann) = (for_sale(&products, 100).await, buyer().await);
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(placed(&orders, &ann, &[(&tea, 1)], now() + MILLISECOND * number).await);
    }
    let seller = Caller::for_tests(&tea.seller().to_string());
    orders.ship(ids[1], now()).await.unwrap();
    orders.ship(ids[2], now()).await.unwrap();
    orders.progress(&seller, ids[2], &orders::Progress::Delivered, &collected, now()).await.unwrap();
    orders.cancel(&ann, ids[3], now()).await.unwrap();
    ids.insert(0, awaiting(&orders, ids[0]).await);
    for (status, id) in OrderStatus::ALL.into_iter().zip(&ids) {
        let listed: Vec<_> = all(&orders, &cursors, Some(status), 100).await;
        let of_these: Vec<_> = ids.iter().filter(|id| listed.contains(&id.to_string())).collect();
        assert_eq!(of_these, [id], "{status}");
    }
}

#[tokio::test]
async fn a_page_of_the_list_is_one_query_of_each_shard_at_the_same_time() {
    let (orders, products, cursors): (Orders, Products, Cursors) = open().await;
    several(&orders, &for_sale(&products, 100).await, 40).await;
    let (meddler, calls) = Meddler::watch();
    let behind: Orders = open_behind(meddler).await;
    let first = behind.list_all(None, &cursors, &page(5, None).await).await.expect("a page");
    let (found, next) = ids(first);
    assert!(found.len() == 5 && next.is_some());
    let seen = calls.take();
    assert_eq!(seen.iter().filter(|call| call.operation == "Query").count(), 8);
    assert_eq!(tests::meddler::round_trips(&seen), 1);
}

#[tokio::test]
async fn a_cursor_of_one_list_opens_no_other() {
    let (orders, products, cursors): (Orders, Products, Cursors) = open().await;
    several(&orders, &for_sale(&products, 100).await, 10).await;
    let (_, next) = ids(orders.list_all(None, &cursors, &page(1, None).await).await.expect("a page"));
    for status in [OrderStatus::Pending, OrderStatus::Cancelled] {
        let request = page(1, next.as_deref()).await;
        let refused = orders.list_all(Some(status), &cursors, &request).await.unwrap_err();
        assert_eq!(refused.status(), 422, "{status}");
    }
}

#[tokio::test]
async fn an_admin_sees_how_far_each_letter_came_in_one_call() {
    let (orders, products, guards): (Orders, Products, Guards) = open().await;
    let (tea, ann) = (for_sale(&products, 5).await, buyer().await);
    let id = placed(&orders, &ann, &[(&tea, 2)], before()).await;
    let me = TryId::at(now());
    for kind in ["order.confirmed", "order.cancelled"] {
        guards.claim(&Queued::new(kind, id).claim(), me, now()).await.unwrap();
    }
    let mut write = shared::dynamo::Write::new();
    write.update(guards.done(&Queued::new("order.confirmed", id).claim(), now()).unwrap());
    let tables: Tables = open().await;
    assert!(tables.commit(write).await);
    let withdrawn = orders.withdraw(&admin(), id, now()).await.unwrap();
    assert_eq!(withdrawn.status(), OrderStatus::Cancelled);

    let (meddler, calls) = Meddler::watch();
    let behind: Orders = open_behind(meddler).await;
    let seen = serde_json::to_value(InspectedView::from(behind.inspect(id).await.unwrap())).unwrap();
    assert_eq!(calls.take().len(), 1);
    assert_eq!(
        seen["emails"],
        json!([
            { "kind": "order.confirmed", "status": "sent", "sentAt": now() },
            { "kind": "order.cancelled", "status": "sending" },
        ])
    );
    assert_eq!(
        seen["events"],
        json!([{ "kind": "order.placed", "at": before() }, { "kind": "order.cancelled", "at": now() }])
    );
    assert_eq!(seen["history"][0]["userId"], ann.id().to_string());
    assert_eq!((&seen["history"][1]["by"], &seen["history"][1]["userId"]), (&json!("admin"), &json!("root")));
    assert!(matches!(orders.inspect(OrderId::at(now())).await, Err(orders::Error::NotFound)));
}

#[tokio::test]
async fn an_admin_cancels_what_has_not_shipped_and_its_stock_comes_back_once() {
    let (orders, products): (Orders, Products) = open().await;
    let (tea, ann) = (for_sale(&products, 9).await, buyer().await);
    let seller = Caller::for_tests(&tea.seller().to_string());
    let (waits, ships) = (
        waiting(&orders, &ann, &[(&tea, 2)], now()).await,
        waiting(&orders, &ann, &[(&tea, 3)], now()).await,
    );
    for _ in 0..2 {
        let order = orders.withdraw(&admin(), waits, now()).await.unwrap();
        assert_eq!(order, found_order(&orders, waits).await);
        assert_eq!(order.cancellation_reason(), Some(orders::CancellationReason::ByShop));
        assert_eq!(pieces_of(&products, &tea).await, (6, 3));
    }
    orders.progress(&seller, ships, &orders::Progress::Shipped(None), &collected, now()).await.unwrap();
    assert_eq!(refusal(orders.withdraw(&admin(), ships, now()).await), Refusal::NotCancellable);
    let unknown = orders.withdraw(&admin(), OrderId::at(now()), now()).await;
    assert!(matches!(unknown, Err(orders::Error::NotFound)));
}

#[tokio::test]
async fn an_order_is_shown_to_who_bought_it_and_to_who_sells_all_of_it() {
    let (orders, products): (Orders, Products) = open().await;
    let (tea, cup, ann) = (for_sale(&products, 9).await, for_sale(&products, 9).await, buyer().await);
    let seller = Caller::for_tests(&tea.seller().to_string());
    let id = placed(&orders, &ann, &[(&tea, 1)], now()).await;
    let of_two = placed(&orders, &ann, &[(&tea, 1), (&cup, 1)], now()).await;
    for (caller, order, sees) in [
        (&ann, id, true),
        (&ann, of_two, true),
        (&seller, id, true),
        (&seller, of_two, false),
        (&Caller::for_tests("eve"), id, false),
    ] {
        assert_eq!(orders.find_for(caller, order).await.is_ok(), sees);
    }
}
