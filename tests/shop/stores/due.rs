//! What orders are owed: due until they are settled, put off by one sweep of many, and due again when they move on.

use std::time::Duration;

use orders::store::due_shards;
use orders::{DueOrder, Order, OrderId, OrderStatus, Orders};
use products::Products;
use serde_json::json;
use shared::values::time::Timestamp;
use tests::aws::Aws as Cloud;
use tests::wait::at_once;

use super::orders::{history_of, released};
use super::{DAY, MILLISECOND, MINUTE, before, buyer, for_sale, found_order, now, open, placed};

pub(super) const GRACE: Duration = Duration::from_mins(2);

pub(super) fn shard_of(order: &Order) -> String {
    let order = serde_json::to_value(order).expect("JSON");
    order["due"].as_str().expect("the order is due").to_owned()
}

/// The order as the index has it, or had it when it was read.
pub(super) fn due_of(order: &Order) -> DueOrder {
    let order = serde_json::to_value(order).expect("JSON");
    serde_json::from_value(order).expect("the order is due")
}

async fn due_now(orders: &Orders, id: OrderId) -> DueOrder {
    due_of(&found_order(orders, id).await)
}

pub(super) async fn is_due(orders: &Orders, shard: &str, id: OrderId, now: Timestamp) -> bool {
    let due = orders.due(shard, now, 1_000).await.expect("the index answers");
    due.iter().any(|order| order.id() == id)
}

#[tokio::test]
async fn an_order_falls_due_after_two_minutes_until_it_is_settled() {
    let (orders, products): (Orders, Products) = open().await;
    let tea = for_sale(&products, 5).await;
    let id = placed(&orders, &buyer().await, &[(&tea, 1)], now()).await;
    let shard = shard_of(&found_order(&orders, id).await);
    assert!(!is_due(&orders, &shard, id, now() + GRACE - MILLISECOND).await);
    assert!(is_due(&orders, &shard, id, now() + GRACE).await);
    for other in due_shards().filter(|other| *other != shard) {
        assert!(!is_due(&orders, &other, id, now() + GRACE).await, "{other} and {shard}");
    }
    orders.settle(id, OrderStatus::Pending).await.unwrap();
    orders.settle(id, OrderStatus::Pending).await.unwrap();
    assert!(!is_due(&orders, &shard, id, now() + DAY).await);
    assert_eq!(history_of(&orders, id).await, ["pending"]);
}

#[tokio::test]
async fn an_order_that_was_settled_and_moves_on_is_due_again() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 5).await);
    for ship in [true, false] {
        let id = placed(&orders, &ann, &[(&tea, 1)], before()).await;
        let shard = shard_of(&found_order(&orders, id).await);
        orders.settle(id, OrderStatus::Pending).await.unwrap();
        assert!(!is_due(&orders, &shard, id, now() + DAY).await);
        let status = if ship {
            orders.ship(id, now()).await.unwrap();
            OrderStatus::Shipping
        } else {
            released(&orders, id).await;
            OrderStatus::Cancelled
        };
        assert!(is_due(&orders, &shard, id, now() + GRACE).await, "{status:?}");
        assert_eq!(shard_of(&found_order(&orders, id).await), shard, "{status:?}");
        assert!(orders.put_off(&due_now(&orders, id).await, now() + GRACE).await.unwrap(), "{status:?}");
        orders.settle(id, status).await.unwrap();
        assert!(!is_due(&orders, &shard, id, now() + DAY).await, "{status:?}");
    }
}

#[tokio::test]
async fn the_index_has_what_a_sweep_needs_and_no_more() {
    let (orders, products): (Orders, Products) = open().await;
    let tea = for_sale(&products, 5).await;
    let id = placed(&orders, &buyer().await, &[(&tea, 1)], now()).await;
    let order = found_order(&orders, id).await;
    let due = orders.due(&shard_of(&order), now() + DAY, 1_000).await.unwrap();
    assert!(due.contains(&due_of(&order)));

    let cloud = Cloud::open().await;
    let input = json!({
        "TableName": cloud.output("OrdersTable"),
        "IndexName": "due",
        "KeyConditionExpression": "due = :shard AND dueAt > :now",
        "ExpressionAttributeValues": {
            ":shard": { "S": shard_of(&order) }, ":now": { "S": now().to_string() },
        },
    });
    let page = cloud.json("dynamodb", "DynamoDB_20120810.Query", input).await;
    let entries = page["Items"].as_array().expect("items");
    let entry = entries.iter().find(|entry| entry["orderId"]["S"] == id.to_string()).expect("the order");
    let attributes: Vec<_> = entry.as_object().into_iter().flat_map(|entry| entry.keys()).collect();
    assert_eq!(attributes, ["attempts", "due", "dueAt", "orderId", "status"]);
}

/// Two orders of one shard, the shard first: of seventeen orders two are in one of sixteen. The last one falls due
/// first.
async fn two_in_one_shard(orders: &Orders, products: &Products) -> (String, OrderId, OrderId) {
    let (ann, tea) = (buyer().await, for_sale(products, 100).await);
    let mut placed_before: Vec<(String, OrderId)> = Vec::new();
    loop {
        let moment = now() - MINUTE * u32::try_from(placed_before.len()).expect("seventeen at most");
        let id = placed(orders, &ann, &[(&tea, 1)], moment).await;
        let shard = shard_of(&found_order(orders, id).await);
        match placed_before.iter().find(|(other, _)| *other == shard) {
            Some((_, first)) => return (shard, *first, id),
            None => placed_before.push((shard, id)),
        }
    }
}

#[tokio::test]
async fn an_order_that_nobody_can_read_keeps_no_other_from_the_sweep() {
    let (orders, products): (Orders, Products) = open().await;
    let (shard, later, earlier) = two_in_one_shard(&orders, &products).await;
    let cloud = Cloud::open().await;
    let many = json!({ ":many": { "S": "many" } });
    let lost = earlier.to_string();
    cloud.update_item("OrdersTable", ("orderId", &lost), "SET attempts = :many", many).await;
    let due = orders.due(&shard, now() + DAY, 1_000).await.unwrap();
    let ids: Vec<_> = due.iter().map(DueOrder::id).collect();
    assert!(ids.contains(&later) && !ids.contains(&earlier), "{ids:?}");
    cloud.delete_item("OrdersTable", "orderId", &lost).await;
}

#[tokio::test]
async fn what_is_longest_due_comes_first_and_no_more_than_asked_for() {
    let (orders, products): (Orders, Products) = open().await;
    let (shard, later, earlier) = two_in_one_shard(&orders, &products).await;
    let due = orders.due(&shard, now() + DAY, 1_000).await.unwrap();
    let own: Vec<_> = due.iter().map(DueOrder::id).filter(|id| [later, earlier].contains(id)).collect();
    assert_eq!(own, [earlier, later]);
    assert_eq!(orders.due(&shard, now() + DAY, 1).await.unwrap(), [due[0].clone()]);
}

#[tokio::test]
async fn of_many_sweeps_at_once_one_puts_an_order_off() {
    let (orders, products): (Orders, Products) = open().await;
    let tea = for_sale(&products, 5).await;
    let id = placed(&orders, &buyer().await, &[(&tea, 1)], now()).await;
    let order = found_order(&orders, id).await;
    let (shard, due) = (shard_of(&order), due_of(&order));
    let sweep = now() + GRACE;
    let put_off = at_once(8, |_| {
        let (orders, due) = (orders.clone(), due.clone());
        async move { orders.put_off(&due, sweep).await.unwrap() }
    });
    assert_eq!(put_off.await.into_iter().filter(|done| *done).count(), 1);
    assert!(!is_due(&orders, &shard, id, sweep + GRACE - MILLISECOND).await);
    assert!(is_due(&orders, &shard, id, sweep + GRACE).await);

    // The second time for twice as long.
    let again = due_now(&orders, id).await;
    assert!(orders.put_off(&again, sweep).await.unwrap());
    assert!(!is_due(&orders, &shard, id, sweep + 2 * GRACE - MILLISECOND).await);
    assert!(is_due(&orders, &shard, id, sweep + 2 * GRACE).await);
    assert!(!orders.put_off(&again, sweep).await.unwrap());
}

#[tokio::test]
async fn an_order_that_moved_on_is_not_put_off_and_not_settled_for_what_it_was() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 5).await);
    for ship in [true, false] {
        let id = placed(&orders, &ann, &[(&tea, 1)], before()).await;
        let pending = found_order(&orders, id).await;
        let shard = shard_of(&pending);
        // So that its attempts are seen to begin anew.
        assert!(orders.put_off(&due_of(&pending), now()).await.unwrap());
        let pending = due_now(&orders, id).await;
        // Just when the pending order was due, so that the time alone does not tell them apart.
        let status = if ship {
            orders.ship(id, now()).await.unwrap();
            OrderStatus::Shipping
        } else {
            released(&orders, id).await;
            OrderStatus::Cancelled
        };
        assert!(!orders.put_off(&pending, now() + GRACE).await.unwrap(), "{status:?}");
        orders.settle(id, OrderStatus::Pending).await.unwrap();
        assert!(is_due(&orders, &shard, id, now() + GRACE).await, "{status:?}");

        let moved_on = due_now(&orders, id).await;
        assert!(orders.put_off(&moved_on, now()).await.unwrap());
        assert!(is_due(&orders, &shard, id, now() + GRACE).await, "the first wait of {status:?}");
        orders.settle(id, status).await.unwrap();
        assert!(!is_due(&orders, &shard, id, now() + DAY).await, "{status:?}");
    }
}

#[tokio::test]
async fn an_order_that_is_owed_nothing_is_not_put_off() {
    let (orders, products): (Orders, Products) = open().await;
    let tea = for_sale(&products, 5).await;
    let id = placed(&orders, &buyer().await, &[(&tea, 1)], now()).await;
    let read_before = found_order(&orders, id).await;
    let (shard, due) = (shard_of(&read_before), due_of(&read_before));
    orders.settle(id, OrderStatus::Pending).await.unwrap();
    assert!(!orders.put_off(&due, now() + GRACE).await.unwrap());
    assert!(!orders.put_off(&due, now() + GRACE).await.unwrap());
    assert!(!is_due(&orders, &shard, id, now() + DAY).await);
    let settled = serde_json::to_value(found_order(&orders, id).await).unwrap();
    assert_eq!((settled.get("due"), settled.get("dueAt")), (None, None));
}
