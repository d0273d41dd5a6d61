use super::*;
use offers::{Availability, Category, Offer, Terms};
use proptest::prelude::*;
use shared::http::input;

pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix_millis(1_790_000_000_000)
}

pub(crate) fn offer(name: &str, price: &str, stock: u32) -> Offer {
    let seller = UserId::from("seller".to_owned());
    let (price, stock) = (read(price), read(&stock.to_string()));
    let id = ProductId::at(now());
    let (name, category) = (ProductName::new(name).unwrap(), Category::new("Drinks").unwrap());
    let new = Offer::new(id, name, price, "USD".parse().unwrap(), category, stock, seller);
    with(&new, Availability::ForSale)
}

fn read<T: Field>(json: &str) -> T {
    T::parse(json.parse().unwrap()).unwrap()
}

fn with(offer: &Offer, availability: Availability) -> Offer {
    let (product_name, price) = (offer.product_name().clone(), offer.price());
    let category = Category::new(offer.category().unwrap()).unwrap();
    offer.clone().with_terms(Terms { product_name, price, category, image_url: None, availability })
}

pub(crate) fn order(lines: &[(&Offer, u32)]) -> NewOrder {
    let items: Vec<String> = lines
        .iter()
        .map(|(offer, quantity)| format!(r#"{{"id":"{}","quantity":{quantity}}}"#, offer.id()))
        .collect();
    input::parse(format!(r#"{{"items":[{}]}}"#, items.join(",")).as_bytes()).unwrap()
}

pub(crate) fn ann() -> (UserId, Contact) {
    let (email, full_name) = ("ann@cartwright.test".parse().unwrap(), FullName::new("Ann").unwrap());
    ("ann".to_owned().into(), Contact { email, full_name })
}

fn place_on(offers: &[Offer], lines: &[(&Offer, u32)]) -> Result<Order, Refusal> {
    let (buyer, contact) = ann();
    let prices = Prices { offers: offers.to_vec(), ..Prices::default() };
    let placed = Order::place(&order(lines), &prices, shop(), &buyer, contact, now());
    placed.map(|(order, _)| order).map_err(|error| match error {
        Error::Refused(refusal) => refusal,
        other => panic!("{other}"),
    })
}

/// A shop in Germany that ships by itself.
pub(crate) fn shop() -> Shop {
    Shop { fulfilment: Fulfilment::Automatic, country: "DE".parse().unwrap() }
}

fn place(lines: &[(&Offer, u32)]) -> Result<Order, Refusal> {
    let offers: Vec<Offer> = lines.iter().map(|(offer, _)| (*offer).clone()).collect();
    place_on(&offers, lines)
}

/// Ann's order of `(product, pieces)` at 4.50 each.
pub(crate) fn placed(lines: &[(&str, u32)]) -> Order {
    let offers: Vec<(Offer, u32)> =
        lines.iter().map(|(name, pieces)| (offer(name, "4.5", 10_000), *pieces)).collect();
    place(&offers.iter().map(|(offer, pieces)| (offer, *pieces)).collect::<Vec<_>>()).unwrap()
}

#[test]
fn a_placed_order_remembers_what_was_bought_at_which_price() {
    let (tea, cup) = (offer("Tea", "4.5", 10), offer("Cup", "12.25", 10));
    let order = place(&[(&tea, 2), (&cup, 1)]).unwrap();
    assert_eq!(order.total(), Amount::from_minor(2_125));
    assert_eq!(order.status(), OrderStatus::Pending);
    assert_eq!(order.due_at, Some(now() + GRACE));
    let view = serde_json::to_value(OrderView::from(order.clone())).unwrap();
    assert_eq!(
        view,
        serde_json::json!({
            "orderId": order.id(), "number": order.number(), "status": "pending", "paymentMethod": "cash_on_delivery",
            "paymentStatus": "on_delivery",
            "items": [
                {"id": tea.id(), "productName": "Tea", "productPrice": 4.5, "quantity": 2, "discount": 0,
                 "tax": 0, "taxRate": 0, "total": 9},
                {"id": cup.id(), "productName": "Cup", "productPrice": 12.25, "quantity": 1, "discount": 0,
                 "tax": 0, "taxRate": 0, "total": 12.25},
            ],
            "amounts": {"items": 21.25, "discount": 0, "shipping": 0, "tax": 0, "taxIncluded": 0},
            "total": 21.25, "currency": "USD", "createdAt": now(), "updatedAt": now(),
            "history": [{"status": "pending", "at": now(), "by": "buyer"}],
        })
    );
}

#[test]
fn a_line_that_cannot_be_had_is_named() {
    let (tea, cup) = (offer("Tea", "4.5", 10), offer("Cup", "12.25", 3));
    let out_of_stock = NotReserved::OutOfStock { id: cup.id(), available: 3 };
    assert_eq!(place(&[(&tea, 1), (&cup, 4)]), Err(out_of_stock.into()));
    let withheld = with(&cup, Availability::Withheld);
    assert_eq!(place(&[(&tea, 1), (&withheld, 1)]), Err(NotReserved::NotForSale(cup.id()).into()));
    assert_eq!(place_on(&[], &[(&tea, 1)]), Err(NotReserved::NotForSale(tea.id()).into()));
}

#[test]
fn seed_and_list_say_the_same() {
    let tea = offer("Tea", "4.5", 10);
    let one: NewOrder = input::parse(format!(r#"{{"id":"{}","quantity":2}}"#, tea.id()).as_bytes()).unwrap();
    let list = order(&[(&tea, 2)]);
    assert_eq!((&one.lines, one.payment_method), (&list.lines, list.payment_method));
    // By which an idempotency key tells one request from another.
    assert_eq!(serde_json::to_value(&one).unwrap(), serde_json::to_value(&list).unwrap());
}

#[test]
fn every_line_of_more_pieces_than_the_shop_sells_at_once_is_named() {
    let [tea, cup, pot] = ["Tea", "Cup", "Pot"].map(|name| offer(name, "4.5", 10_000));
    let several = order(&[(&tea, 101), (&cup, 100), (&pot, 10_000)]);
    assert_eq!(several.takes_at_most(10_000), Ok(()));
    let problem = several.takes_at_most(100).unwrap_err();
    let pointers: Vec<_> = problem.errors().iter().filter_map(|error| error.pointer.as_deref()).collect();
    assert_eq!(pointers, ["#/items/0/quantity", "#/items/2/quantity"]);
    let one: NewOrder = input::parse(format!(r#"{{"id":"{}","quantity":2}}"#, tea.id()).as_bytes()).unwrap();
    assert_eq!(one.takes_at_most(2), Ok(()));
    let problem = one.takes_at_most(1).unwrap_err();
    assert_eq!(problem.errors()[0].pointer.as_deref(), Some("#/quantity"));
}

#[test]
fn faulty_orders_are_told_where() {
    let id = offer("Tea", "4.5", 10).id();
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

fn action() -> impl Strategy<Value = Action> {
    proptest::sample::select(Action::ALL.to_vec())
}

proptest! {
    #[test]
    fn an_action_happens_once(status in status(), action in action()) {
        if let Transition::To(next) = status.on(action) {
            prop_assert_ne!(next, status);
            prop_assert_eq!(next.on(action), Transition::Already);
        }
    }

    #[test]
    fn an_action_leads_to_one_status(status in status(), action in action()) {
        let (target, allowed) = OrderStatus::before(action).unwrap();
        let leads = status.on(action) == Transition::To(target);
        prop_assert_eq!(leads, allowed.contains(&status));
        prop_assert!(leads || !matches!(status.on(action), Transition::To(_)));
    }

    #[test]
    fn whatever_happens_an_order_ships_or_is_cancelled_and_never_both(
        actions in proptest::collection::vec(action(), 1..20),
    ) {
        let mut status = OrderStatus::Pending;
        let mut moves = 0;
        let is_decided = actions.iter().any(|action| matches!(action, Action::Ship | Action::Cancel));
        for action in actions {
            if let Transition::To(next) = status.on(action) {
                status = next;
                moves += 1;
            }
        }
        let expected = match status {
            OrderStatus::AwaitingPayment | OrderStatus::Pending => 0,
            OrderStatus::Shipping | OrderStatus::Cancelled => 1,
            OrderStatus::Delivered => 2,
        };
        prop_assert_eq!(moves, expected);
        prop_assert_eq!(status != OrderStatus::Pending, is_decided);
    }

    #[test]
    fn an_order_that_is_not_paid_is_neither_sent_nor_cancelled_before_the_provider_was_asked(
        actions in proptest::collection::vec(action(), 1..20),
    ) {
        let mut status = OrderStatus::AwaitingPayment;
        for action in actions {
            let from = status;
            if let Transition::To(next) = status.on(action) {
                status = next;
            }
            if from == OrderStatus::AwaitingPayment && status != from {
                let expected = [(Action::Pay, OrderStatus::Pending), (Action::Expire, OrderStatus::Cancelled)];
                prop_assert!(expected.contains(&(action, status)), "{action:?} to {status}");
            }
        }
        prop_assert_eq!(OrderStatus::AwaitingPayment.on(Action::Cancel), Transition::Unsettled);
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

fn due(status: OrderStatus, attempts: u32) -> DueOrder {
    DueOrder { order_id: OrderId::at(now()), status, due_at: now(), attempts }
}

#[test]
fn what_is_owed_follows_the_status() {
    assert_eq!(due(OrderStatus::AwaitingPayment, 1_000).owed(), Owed::Payment);
    assert_eq!(due(OrderStatus::Pending, 1_000).owed(), Owed::Fulfilment);
    assert_eq!(due(OrderStatus::Shipping, 0).owed(), Owed::Letter(LetterKind::Shipping));
    assert_eq!(due(OrderStatus::Delivered, 0).owed(), Owed::Letter(LetterKind::Delivered));
    assert_eq!(due(OrderStatus::Delivered, 10).owed(), Owed::Abandoned);
    assert_eq!(due(OrderStatus::Cancelled, 9).owed(), Owed::Letter(LetterKind::Cancelled));
    assert_eq!(due(OrderStatus::Cancelled, 10).owed(), Owed::Abandoned);
}

#[test]
fn an_order_that_nobody_could_settle_for_two_hours_is_told() {
    let is_told = |status, attempts| due(status, attempts).is_held_too_long();
    assert!(!is_told(OrderStatus::AwaitingPayment, 5) && is_told(OrderStatus::AwaitingPayment, 6));
    assert!(!is_told(OrderStatus::Pending, 1_000));
}

#[test]
fn looks_at_a_due_order_grow_rarer() {
    let wait = |attempts| due(OrderStatus::Pending, attempts).next_due(now());
    assert_eq!(wait(0), now() + Duration::from_mins(2));
    assert_eq!(wait(3), now() + Duration::from_mins(16));
    assert_eq!(wait(1_000), now() + Duration::from_mins(128));
}

#[test]
fn an_order_of_one_line_is_written_with_two_units() {
    let tea = offer("A tea of a name as long as most", "4.5", 10);
    let item = shared::dynamo::to_item(&place(&[(&tea, 2)]).unwrap()).unwrap();
    // A generous upper bound of what DynamoDB counts: the JSON of its attributes.
    let order: serde_json::Value = shared::dynamo::from_item(item).unwrap();
    assert!(order.to_string().len() < 1_024, "{order}");
}

#[test]
fn neither_name_nor_address_of_a_buyer_is_ever_printed() {
    let printed = format!("{:?}", place(&[(&offer("Tea", "4.5", 1), 1)]).unwrap());
    assert!(!printed.contains("Ann") && !printed.contains("ann@"), "{printed}");
}

#[test]
fn an_order_reads_back_from_its_item() {
    let tea = offer("Tea", "4.5", 10);
    let order = place(&[(&tea, 1)]).unwrap();
    let item = shared::dynamo::to_item(&order).unwrap();
    assert_eq!(shared::dynamo::from_item::<Order>(item).unwrap(), order);
}

#[test]
fn an_order_is_fulfilled_by_who_sells_all_of_it_and_by_admins() {
    let by = |order: &Order, caller: &Caller| order.fulfilled_by(caller).map(|actor| actor.part);
    let mut order = placed(&[("Tea", 1), ("Cup", 1)]);
    let (seller, ann) = (Caller::for_tests("seller"), Caller::for_tests("ann"));
    assert_eq!(by(&order, &seller), Some(Part::Seller));
    assert_eq!(by(&order, &ann), None, "its buyer");
    order.lines[1].seller_id = UserId::from("another".to_owned());
    assert_eq!(by(&order, &seller), None, "several sellers");
}

#[test]
fn the_history_says_in_which_part_somebody_acted_also_where_that_was_not_written_down() {
    let entry = |status, reason, by| HistoryEntry { status, at: now(), reason, by }.part();
    assert_eq!(entry(OrderStatus::Pending, None, None), Part::Buyer);
    assert_eq!(entry(OrderStatus::Shipping, None, None), Part::Shop);
    assert_eq!(entry(OrderStatus::Cancelled, Some(CancellationReason::ByBuyer), None), Part::Buyer);
    assert_eq!(entry(OrderStatus::Cancelled, Some(CancellationReason::NotShippable), None), Part::Shop);
    assert_eq!(entry(OrderStatus::Cancelled, None, None), Part::Shop);
    let admin = Actor { part: Part::Admin, user_id: Some(UserId::from("root".to_owned())) };
    assert_eq!(entry(OrderStatus::Delivered, None, Some(admin)), Part::Admin);
}

#[test]
fn who_acted_is_told_by_part_alone() {
    let admin = Actor { part: Part::Admin, user_id: Some(UserId::from("root".to_owned())) };
    let mut order = placed(&[("Tea", 1)]);
    order.status = OrderStatus::Cancelled;
    let reason = admin.reason(Action::Cancel);
    order.history.push(HistoryEntry { status: order.status, at: now(), reason, by: Some(admin) });
    let view = serde_json::to_value(OrderView::from(order)).unwrap();
    let why = "The shop cancelled it. You have not been charged.";
    let entry = serde_json::json!({ "status": "cancelled", "at": now(), "reason": why, "by": "admin" });
    assert_eq!(view["history"][1], entry);
}

/// An order of 9.00 USD by card, in a status, with this money.
fn by_card(status: OrderStatus, paid: u64, refunding: u64, refunded: u64) -> Order {
    let mut order = placed(&[("Tea", 2)]).awaiting(PaymentId::at(now()), now() + Duration::from_mins(35));
    order.status = status;
    let payment = order.payment.as_mut().unwrap();
    payment.paid = Amount::from_minor(paid);
    payment.refunding = Amount::from_minor(refunding);
    payment.refunded = Amount::from_minor(refunded);
    order
}

#[test]
fn an_order_by_card_awaits_its_payment_and_is_due_when_nobody_can_pay_any_more() {
    let order = by_card(OrderStatus::AwaitingPayment, 0, 0, 0);
    assert_eq!(order.payment_method(), PaymentMethod::Card);
    assert_eq!(order.due_at, Some(now() + Duration::from_mins(37)));
    assert_eq!(order.open, None, "nobody ships it");
    let history = [HistoryEntry { status: order.status, at: now(), reason: None, by: None }];
    assert_eq!(order.history, history);
    let item = shared::dynamo::to_item(&order).unwrap();
    assert_eq!(shared::dynamo::from_item::<Order>(item).unwrap(), order);
    assert!(!order.was_paid());
}

#[test]
fn how_an_order_and_its_money_stand_is_told_in_one_word() {
    use OrderStatus::{AwaitingPayment, Cancelled, Delivered, Pending, Shipping};
    let cash = |status| {
        let mut order = placed(&[("Tea", 2)]);
        order.status = status;
        order.payment_status().as_str()
    };
    let cash = OrderStatus::ALL.map(cash);
    assert_eq!(cash[1..], ["on_delivery", "on_delivery", "paid", "void"]);
    assert_eq!(placed(&[("Tea", 2)]).for_nothing().payment_status(), PaymentStatus::NotNeeded);
    for (status, [paid, refunding, refunded], expected) in [
        (AwaitingPayment, [0, 0, 0], "unpaid"),
        (Cancelled, [0, 0, 0], "void"),
        (Pending, [900, 0, 0], "paid"),
        (Cancelled, [900, 900, 0], "refunding"),
        (Cancelled, [900, 0, 900], "refunded"),
        (Shipping, [900, 0, 100], "partially_refunded"),
        (Delivered, [900, 0, 900], "refunded"),
        // It was paid twice, and one of both went back.
        (Pending, [1_800, 900, 0], "refunding"),
        (Pending, [1_800, 0, 900], "paid"),
    ] {
        let status_of_money = by_card(status, paid, refunding, refunded).payment_status();
        assert_eq!(status_of_money.as_str(), expected, "{status} {paid} {refunding} {refunded}");
    }
    // F11: of what its buyer's bank has taken for good nothing comes again, also after a part went back.
    for (status, refunded, lost, expected) in [
        (Delivered, 0, 0, "paid"),
        (Delivered, 0, 1, "charged_back"),
        (Cancelled, 0, 1, "charged_back"),
        (Delivered, 100, 1, "charged_back"),
        (Delivered, 900, 1, "refunded"),
    ] {
        let mut disputed = by_card(status, 900, 0, refunded);
        let payment = disputed.payment.as_mut().unwrap();
        (payment.disputes, payment.charged_back) = (1, lost);
        assert_eq!(disputed.payment_status().as_str(), expected, "{status} {refunded} {lost}");
    }
    let mut slow = by_card(AwaitingPayment, 0, 0, 0);
    slow.payment.as_mut().unwrap().processing = true;
    assert_eq!(slow.payment_status(), PaymentStatus::Processing);
}

#[test]
fn what_a_bank_decides_about_does_not_go_back_besides() {
    let mut order = by_card(OrderStatus::Pending, 900, 0, 100);
    let payment = order.payment.as_mut().unwrap();
    assert_eq!(payment.goes_back(), Amount::from_minor(800));
    payment.disputes = 1;
    assert_eq!((payment.goes_back(), payment.kept()), (Amount::ZERO, Amount::from_minor(800)));
}

#[test]
fn whoever_has_paid_is_not_told_that_nothing_was_charged() {
    for reason in CancellationReason::ALL {
        assert!(!reason.in_words(true).contains("not been charged"), "{reason}");
    }
    assert_eq!(CancellationReason::NotPaid.in_words(false), "It was not paid in time.");
}
