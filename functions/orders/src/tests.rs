use super::*;
use products::NewProduct;
use proptest::prelude::*;
use shared::http::input;

fn now() -> Timestamp {
    Timestamp::from_unix_millis(1_790_000_000_000)
}

fn product(name: &str, price: &str, stock: u32) -> Product {
    let body = format!(
        r#"{{"fileName":"p.png","fileType":"image/png","productName":"{name}","productPrice":{price},
            "description":"Good.","quantity":{stock},"category":"Things"}}"#
    );
    let new: NewProduct = input::parse(body.as_bytes()).unwrap();
    let product = Product::new(new, &Caller::for_tests("seller"), "USD".parse().unwrap(), now());
    product.decided(&products::Decision::Approved, now())
}

fn order(lines: &[(&Product, u32)]) -> NewOrder {
    let items: Vec<String> = lines
        .iter()
        .map(|(product, quantity)| format!(r#"{{"id":"{}","quantity":{quantity}}}"#, product.id()))
        .collect();
    input::parse(format!(r#"{{"items":[{}]}}"#, items.join(",")).as_bytes()).unwrap()
}

fn place(lines: &[(&Product, u32)]) -> Result<Order, Refusal> {
    let products: Vec<Product> = lines.iter().map(|(product, _)| (*product).clone()).collect();
    Order::place(&order(lines), &products, &Caller::for_tests("ann"), now())
}

#[test]
fn a_placed_order_remembers_what_was_bought_at_which_price() {
    let (tea, cup) = (product("Tea", "4.5", 10), product("Cup", "12.25", 10));
    let order = place(&[(&tea, 2), (&cup, 1)]).unwrap();
    assert_eq!(order.total(), Amount::from_minor(2_125));
    assert_eq!(order.status(), OrderStatus::Pending);
    assert_eq!(order.due_at, Some(now() + GRACE));
    let view = serde_json::to_value(OrderView::from(order.clone())).unwrap();
    assert_eq!(
        view,
        serde_json::json!({
            "orderId": order.id(), "status": "pending", "paymentMethod": "cash_on_delivery",
            "items": [
                {"id": tea.id(), "productName": "Tea", "productPrice": 4.5, "quantity": 2},
                {"id": cup.id(), "productName": "Cup", "productPrice": 12.25, "quantity": 1},
            ],
            "total": 21.25, "currency": "USD", "createdAt": now(), "updatedAt": now(),
            "history": [{"status": "pending", "at": now()}],
        })
    );
}

#[test]
fn a_line_that_cannot_be_had_is_named() {
    let (tea, cup) = (product("Tea", "4.5", 10), product("Cup", "12.25", 3));
    assert_eq!(place(&[(&tea, 1), (&cup, 4)]), Err(Refusal::OutOfStock { id: cup.id(), available: 3 }));
    let rejected = cup.clone().decided(&products::Decision::Rejected(None), now());
    assert_eq!(place(&[(&tea, 1), (&rejected, 1)]), Err(Refusal::NotForSale(cup.id())));
    let unknown = Order::place(&order(&[(&tea, 1)]), &[], &Caller::for_tests("ann"), now());
    assert_eq!(unknown, Err(Refusal::NotForSale(tea.id())));
}

#[test]
fn seed_and_list_say_the_same() {
    let tea = product("Tea", "4.5", 10);
    let one: NewOrder = input::parse(format!(r#"{{"id":"{}","quantity":2}}"#, tea.id()).as_bytes()).unwrap();
    assert_eq!(one, order(&[(&tea, 2)]));
}

#[test]
fn faulty_orders_are_told_where() {
    let id = product("Tea", "4.5", 10).id();
    let line = format!(r#"{{"id":"{id}","quantity":1}}"#);
    for (body, pointers) in [
        ("{}".to_owned(), vec!["#/id", "#/quantity"]),
        (format!(r#"{{"id":"{id}","quantity":0}}"#), vec!["#/quantity"]),
        (format!(r#"{{"id":"{id}","quantity":-1}}"#), vec!["#/quantity"]),
        (format!(r#"{{"id":"{id}","quantity":1.5}}"#), vec!["#/quantity"]),
        (format!(r#"{{"id":"{id}","quantity":10001}}"#), vec!["#/quantity"]),
        (r#"{"id":"7","quantity":1}"#.to_owned(), vec!["#/id"]),
        (r#"{"items":[]}"#.to_owned(), vec!["#/items"]),
        (format!(r#"{{"items":[{line},{line}]}}"#), vec!["#/items"]),
        (format!(r#"{{"items":[{line}],"id":"{id}"}}"#), vec!["#/id"]),
        (format!(r#"{{"items":[{}]}}"#, vec![line.as_str(); 51].join(",")), vec!["#/items"]),
        (format!(r#"{{"id":"{id}","quantity":1,"paymentMethod":"shells"}}"#), vec!["#/paymentMethod"]),
    ] {
        let problem = input::parse::<NewOrder>(body.as_bytes()).unwrap_err();
        let found: Vec<&str> = problem.errors().iter().filter_map(|error| error.pointer.as_deref()).collect();
        assert_eq!(found, pointers, "{body}");
    }
}

fn status() -> impl Strategy<Value = OrderStatus> {
    proptest::sample::select(OrderStatus::ALL.to_vec())
}

fn event() -> impl Strategy<Value = Event> {
    proptest::sample::select(vec![Event::Ship, Event::Cancel])
}

proptest! {
    #[test]
    fn an_event_happens_once(status in status(), event in event()) {
        if let Transition::To(next) = status.on(event) {
            prop_assert_ne!(next, status);
            prop_assert_eq!(next.on(event), Transition::Already);
        }
    }

    #[test]
    fn whatever_happens_an_order_ships_or_is_cancelled_and_never_both(
        events in proptest::collection::vec(event(), 1..20),
    ) {
        let mut status = OrderStatus::Pending;
        let mut moves = 0;
        for event in events {
            if let Transition::To(next) = status.on(event) {
                status = next;
                moves += 1;
            }
        }
        prop_assert_eq!(moves, 1);
        prop_assert_ne!(status, OrderStatus::Pending);
    }

    #[test]
    fn the_names_in_the_table_are_the_names_in_the_code(status in status()) {
        prop_assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }

    #[test]
    fn every_order_is_in_a_shard_that_the_sweep_reads(millis in 0..4_000_000_000_000_i64) {
        let shard = store::due_shard(OrderId::at(Timestamp::from_unix_millis(millis)));
        prop_assert!(store::due_shards().any(|read| read == shard));
    }
}

#[test]
fn what_is_owed_follows_the_status() {
    let tea = product("Tea", "4.5", 10);
    let pending = place(&[(&tea, 1)]).unwrap();
    let with = |status, attempts| Order { status, attempts, ..pending.clone() };
    assert_eq!(with(OrderStatus::Pending, 1_000).owed(), Owed::Fulfilment);
    assert_eq!(with(OrderStatus::Shipping, 0).owed(), Owed::Email(EmailKind::OrderShipping));
    assert_eq!(with(OrderStatus::Cancelled, 9).owed(), Owed::Email(EmailKind::OrderCancelled));
    assert_eq!(with(OrderStatus::Cancelled, 10).owed(), Owed::Abandoned);
}

#[test]
fn looks_at_a_due_order_grow_rarer() {
    let tea = product("Tea", "4.5", 10);
    let order = place(&[(&tea, 1)]).unwrap();
    let wait = |attempts| Order { attempts, ..order.clone() }.next_due(now());
    assert_eq!(wait(0), now() + Duration::from_mins(2));
    assert_eq!(wait(3), now() + Duration::from_mins(16));
    assert_eq!(wait(1_000), now() + Duration::from_mins(128));
}

#[test]
fn an_order_reads_back_from_its_item() {
    let tea = product("Tea", "4.5", 10);
    let order = place(&[(&tea, 1)]).unwrap();
    let item = shared::dynamo::to_item(&order).unwrap();
    assert_eq!(shared::dynamo::from_item::<Order>(item).unwrap(), order);
}
