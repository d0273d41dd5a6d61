//! Orders of several sellers, sent in parcels: each moves once, the order goes where they do, and the buyer is told.

use offers::Offer;
use orders::letters::{ParcelLetterKind, ParcelLetters};
use orders::selling::ParcelName;
use orders::store::Told;
use orders::workflow::{Released, Shipped};
use orders::{
    CancellationReason, Error, LetterKind, Order, OrderId, OrderStatus, Orders, ParcelProgress,
    PaymentStatus, Progress, Refusal, SellerOrderView, SellerStatus,
};
use payments::attempt::AttemptStatus;
use payments::{Parcelling, Payments};
use products::Products;
use serde_json::{Value, json};
use shared::caller::{Caller, UserId};
use shared::dynamo::Write;
use shared::dynamo::list::Cursors;
use shared::http::input;
use shared::http::problem::{Problem, StatusCode};
use shared::letters::Letters;
use tests::aws::Aws as Cloud;
use tests::meddler::Meddler;

use super::due::{GRACE, is_due, shard_of};
use super::lists::page;
use super::orders::{history_of, released};
use super::{
    DAY, MILLISECOND, MINUTE, Tables, buyer, collected, for_sale, found_order, now, open, open_behind,
    open_with, pieces_of, placed, refusal, waiting,
};

/// An order of two pieces of tea and one cup, of two sellers, which waits for them; and who sells each.
struct OfTwo {
    orders: Orders,
    products: Products,
    ann: Caller,
    id: OrderId,
    tea: Offer,
    cup: Offer,
}

fn seller_of(offer: &Offer) -> Caller {
    Caller::for_tests(&offer.seller().to_string())
}

fn says(what: &Value) -> ParcelProgress {
    input::parse(what.to_string().as_bytes()).expect("what somebody says of a parcel")
}

fn shipped() -> ParcelProgress {
    says(&json!({ "status": "shipped", "carrier": "DHL" }))
}

fn delivered() -> ParcelProgress {
    says(&json!({ "status": "delivered" }))
}

impl OfTwo {
    async fn placed() -> Self {
        let (orders, products): (Orders, Products) = open().await;
        let (ann, tea, cup) = (buyer().await, for_sale(&products, 9).await, for_sale(&products, 9).await);
        let id = waiting(&orders, &ann, &[(&tea, 2), (&cup, 1)], now()).await;
        assert_eq!(orders.ship(id, now()).await.expect("the table answers"), Shipped::Waits);
        Self { orders, products, ann, id, tea, cup }
    }

    async fn say(&self, of: &Offer, what: &ParcelProgress) -> Result<Told, Error> {
        self.orders.progress_parcel(&seller_of(of), self.id, what, &collected, now()).await
    }

    async fn order(&self) -> Order {
        found_order(&self.orders, self.id).await
    }

    /// What a seller has of it, as the table has it.
    async fn item_of(&self, seller: &UserId) -> Value {
        let cloud = Cloud::open().await;
        let key = json!({ "sellerId": { "S": seller.to_string() }, "orderId": { "S": self.id.to_string() } });
        let input =
            json!({ "TableName": cloud.output("SellerOrdersTable"), "Key": key, "ConsistentRead": true });
        cloud.json("dynamodb", "DynamoDB_20120810.GetItem", input).await["Item"].clone()
    }

    /// Whether each of them has something to send.
    async fn open(&self) -> [bool; 2] {
        let mut open = [false; 2];
        for (at, offer) in [&self.tea, &self.cup].into_iter().enumerate() {
            open[at] = self.item_of(offer.seller()).await["open"].is_object();
        }
        open
    }
}

async fn letters() -> ParcelLetters {
    open_with(vec![("ORDER_TOKEN_KEY", Some("a key".to_owned()))]).await
}

// ── Parcels ────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn an_order_of_two_sellers_is_on_its_way_with_the_second_parcel_and_arrives_with_it() {
    let of_two = OfTwo::placed().await;
    assert_eq!(of_two.open().await, [true, true]);
    let first = of_two.say(&of_two.tea, &shipped()).await.unwrap();
    assert_eq!((first.is_new, first.order.status()), (true, OrderStatus::Pending));
    assert_eq!(of_two.open().await, [false, true]);
    assert_eq!(history_of(&of_two.orders, of_two.id).await, ["pending"]);
    let told = first.letter().expect("its buyer is told");
    let name = ParcelName { order_id: of_two.id, seller_id: of_two.tea.seller().clone() };
    assert_eq!((told.kind.as_str(), told.id), ("parcel.sent", name.to_string()));

    let second = of_two.say(&of_two.cup, &shipped()).await.unwrap();
    assert_eq!(second.order.status(), OrderStatus::Shipping);
    assert_eq!(second.letter().expect("its buyer is told").kind, "parcel.sent");
    assert_eq!(of_two.open().await, [false, false]);
    // The order itself owes no letter: its parcels do.
    assert!(serde_json::to_value(of_two.order().await).unwrap()["due"].is_null());
    of_two.orders.hand_over(of_two.id).await.unwrap();
    assert_eq!(pieces_of(&of_two.products, &of_two.tea).await, (7, 0));

    assert_eq!(of_two.say(&of_two.cup, &delivered()).await.unwrap().letter(), None);
    assert_eq!(of_two.order().await.status(), OrderStatus::Shipping);
    let last = of_two.say(&of_two.tea, &delivered()).await.unwrap();
    assert_eq!(last.letter().expect("its buyer is told").kind, LetterKind::Delivered.as_str());
    let arrived = of_two.order().await;
    assert!(is_due(&of_two.orders, &shard_of(&arrived), of_two.id, now() + DAY).await);
    assert_eq!(history_of(&of_two.orders, of_two.id).await, ["pending", "shipping", "delivered"]);
    assert!(arrived.was_paid(), "what is paid at the door is paid when all of it has arrived");
}

#[tokio::test]
async fn two_sellers_who_speak_at_once_are_both_heard() {
    for _ in 0..5 {
        let of_two = OfTwo::placed().await;
        let (shipped, delivered) = (shipped(), delivered());
        for (what, expected) in [(&shipped, OrderStatus::Shipping), (&delivered, OrderStatus::Delivered)] {
            let (tea, cup) = tokio::join!(of_two.say(&of_two.tea, what), of_two.say(&of_two.cup, what));
            assert!(tea.unwrap().is_new && cup.unwrap().is_new);
            assert_eq!(of_two.order().await.status(), expected);
        }
        assert_eq!(history_of(&of_two.orders, of_two.id).await, ["pending", "shipping", "delivered"]);
    }
}

#[tokio::test]
async fn what_the_other_seller_said_meanwhile_is_decided_by() {
    let of_two = OfTwo::placed().await;
    let (orders, cup, id) = (of_two.orders.clone(), of_two.cup.clone(), of_two.id);
    let behind: Orders = open_behind(Meddler::before("TransactWriteItems", 0..1, move || {
        let (orders, cup) = (orders.clone(), cup.clone());
        async move {
            let told = orders.progress_parcel(&seller_of(&cup), id, &shipped(), &collected, now()).await;
            assert_eq!(told.unwrap().order.status(), OrderStatus::Pending);
        }
    }))
    .await;
    let told =
        behind.progress_parcel(&seller_of(&of_two.tea), id, &shipped(), &collected, now()).await.unwrap();
    assert_eq!((told.is_new, told.order.status()), (true, OrderStatus::Shipping));
}

#[tokio::test]
async fn a_parcel_is_one_read_and_one_transaction_with_the_answer_read_again() {
    let of_two = OfTwo::placed().await;
    let (meddler, calls) = Meddler::watch();
    let behind: Orders = open_behind(meddler).await;
    let seller = seller_of(&of_two.tea);
    behind.progress_parcel(&seller, of_two.id, &shipped(), &collected, now()).await.unwrap();
    let seen: Vec<_> = calls.take().into_iter().map(|call| call.operation).collect();
    assert_eq!(seen, ["GetItem", "TransactWriteItems", "GetItem"]);
    // What was said before is found by the read alone.
    let again = behind.progress_parcel(&seller, of_two.id, &shipped(), &collected, now()).await.unwrap();
    assert!(!again.is_new && again.letter().is_none());
    assert_eq!(calls.take().len(), 1);
}

#[tokio::test]
async fn a_parcel_whose_reply_is_lost_moves_once() {
    let of_two = OfTwo::placed().await;
    let behind: Orders = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    let seller = seller_of(&of_two.tea);
    let told = behind.progress_parcel(&seller, of_two.id, &shipped(), &collected, now()).await.unwrap();
    assert_eq!((told.is_new, told.order.status()), (false, OrderStatus::Pending));
    assert!(of_two.item_of(of_two.tea.seller()).await["due"].is_object(), "the sweep has its letter sent");
    assert_eq!(of_two.open().await, [false, true]);
}

#[tokio::test]
async fn what_cannot_be_said_of_a_parcel_is_refused_and_changes_nothing() {
    let of_two = OfTwo::placed().await;
    let before = of_two.order().await;
    assert_eq!(refusal(of_two.say(&of_two.tea, &delivered()).await), Refusal::NotShipped);
    let say = async |who: &Caller, what: Value| {
        of_two.orders.progress_parcel(who, of_two.id, &says(&what), &collected, now()).await
    };
    let shipped = json!({ "status": "shipped" });
    assert!(matches!(say(&of_two.ann, shipped.clone()).await, Err(Error::NotTheirs)), "its buyer");
    let eve = Caller::for_tests("eve");
    assert!(matches!(say(&eve, shipped.clone()).await, Err(Error::NotFound)));
    let of_another = json!({ "status": "shipped", "sellerId": of_two.cup.seller() });
    assert!(matches!(say(&seller_of(&of_two.tea), of_another.clone()).await, Err(Error::NotTheirs)));
    let root = Caller::for_tests("root").as_admin();
    assert_eq!(refusal(say(&root, shipped.clone()).await), Refusal::WhichSeller);
    assert!(matches!(
        say(&root, json!({ "status": "shipped", "sellerId": "eve" })).await,
        Err(Error::NotFound)
    ));
    assert_eq!(of_two.order().await, before);
    let told = say(&root, of_another).await.unwrap();
    assert_eq!((told.is_new, told.seller.as_ref()), (true, Some(of_two.cup.seller())));

    // Each of several sellers speaks of the own parcel, and of the order nobody but admins.
    let progress = Progress::Shipped(None);
    let of_all =
        of_two.orders.progress(&seller_of(&of_two.tea), of_two.id, &progress, &collected, now()).await;
    assert_eq!(refusal(of_all), Refusal::SeveralParcels);
}

#[tokio::test]
async fn an_admin_sends_what_is_left_of_it_and_its_buyer_is_told_once() {
    let of_two = OfTwo::placed().await;
    of_two.say(&of_two.tea, &shipped()).await.unwrap();
    let root = Caller::for_tests("root").as_admin();
    let all = async |progress: &Progress| {
        of_two.orders.progress(&root, of_two.id, progress, &collected, now()).await
    };
    assert_eq!(refusal(all(&Progress::Delivered).await), Refusal::NotShipped);
    let (order, is_new) = all(&Progress::Shipped(None)).await.unwrap();
    assert_eq!((is_new, order.status(), of_two.open().await), (true, OrderStatus::Shipping, [false, false]));
    assert!(is_due(&of_two.orders, &shard_of(&order), of_two.id, now() + DAY).await);
    assert!(of_two.item_of(of_two.cup.seller()).await["due"].is_null(), "the order's letter tells of it");
    assert!(!all(&Progress::Shipped(None)).await.unwrap().1);
    let (order, _) = all(&Progress::Delivered).await.unwrap();
    assert_eq!(order.status(), OrderStatus::Delivered);
}

#[tokio::test]
async fn an_admin_sends_a_whole_order_and_its_sellers_have_nothing_to_send_any_more() {
    let of_two = OfTwo::placed().await;
    let root = Caller::for_tests("root").as_admin();
    let progress = Progress::Shipped(None);
    let (order, _) = of_two.orders.progress(&root, of_two.id, &progress, &collected, now()).await.unwrap();
    assert_eq!((order.status(), order.is_in_parcels()), (OrderStatus::Shipping, false));
    assert_eq!(of_two.open().await, [false, false]);
    // Each of them can still say that the own part arrived.
    of_two.say(&of_two.tea, &delivered()).await.unwrap();
    assert_eq!(of_two.order().await.status(), OrderStatus::Shipping);
    of_two.say(&of_two.cup, &delivered()).await.unwrap();
    assert_eq!(of_two.order().await.status(), OrderStatus::Delivered);
}

// ── Sent in parts, and never as a whole ────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn once_a_part_was_sent_neither_its_buyer_nor_the_workflow_ends_or_ships_the_order() {
    let of_two = OfTwo::placed().await;
    of_two.say(&of_two.tea, &shipped()).await.unwrap();
    let (orders, id) = (&of_two.orders, of_two.id);
    assert_eq!(refusal(orders.cancel(&of_two.ann, id, now()).await), Refusal::NotCancellable);
    assert_eq!(released(orders, id).await, Released::Waits);
    assert_eq!(orders.ship(id, now()).await.unwrap(), Shipped::Waits);
    assert_eq!(history_of(orders, id).await, ["pending"]);
    assert_eq!(pieces_of(&of_two.products, &of_two.tea).await, (7, 2));
}

#[tokio::test]
async fn of_a_seller_who_sends_a_part_and_a_buyer_who_cancels_at_once_one_succeeds() {
    for _ in 0..5 {
        let of_two = OfTwo::placed().await;
        let shipped = shipped();
        let (sent, cancelled) = tokio::join!(
            of_two.say(&of_two.tea, &shipped),
            of_two.orders.cancel(&of_two.ann, of_two.id, now())
        );
        match (sent, cancelled) {
            (Ok(_), Err(_)) => {
                assert_eq!(of_two.open().await, [false, true]);
                assert_eq!(pieces_of(&of_two.products, &of_two.cup).await, (8, 1));
            }
            (Err(_), Ok(_)) => {
                assert_eq!(of_two.open().await, [false, false]);
                assert_eq!(pieces_of(&of_two.products, &of_two.cup).await, (9, 0));
            }
            outcome => panic!("{outcome:?}"),
        }
    }
}

#[tokio::test]
async fn a_part_of_what_the_workflow_ships_is_not_sent_and_what_has_no_item_gets_one() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea, cup) = (buyer().await, for_sale(&products, 9).await, for_sale(&products, 9).await);
    let id = placed(&orders, &ann, &[(&tea, 2), (&cup, 1)], now()).await;
    let of_two = OfTwo { orders, products, ann, id, tea, cup };
    assert_eq!(of_two.open().await, [false, false]);
    assert_eq!(refusal(of_two.say(&of_two.tea, &shipped()).await), Refusal::SentByShop);
    of_two.orders.ship(id, now()).await.unwrap();
    // From before there were such items.
    let cloud = Cloud::open().await;
    let key =
        json!({ "sellerId": { "S": of_two.tea.seller().to_string() }, "orderId": { "S": id.to_string() } });
    let input = json!({ "TableName": cloud.output("SellerOrdersTable"), "Key": key });
    cloud.json("dynamodb", "DynamoDB_20120810.DeleteItem", input).await;
    of_two.say(&of_two.tea, &delivered()).await.unwrap();
    let item = of_two.item_of(of_two.tea.seller()).await;
    assert_eq!(
        (&item["parcel"]["M"]["status"]["S"], &item["total"]["N"]),
        (&json!("delivered"), &json!("900"))
    );
}

#[tokio::test]
async fn the_only_parcel_of_an_order_is_the_order() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 9).await);
    let id = waiting(&orders, &ann, &[(&tea, 2)], now()).await;
    let told = orders.progress_parcel(&seller_of(&tea), id, &shipped(), &collected, now()).await.unwrap();
    assert_eq!((told.order.status(), told.order.is_in_parcels()), (OrderStatus::Shipping, false));
    assert_eq!(told.letter().expect("its buyer is told").kind, LetterKind::Shipping.as_str());
    let again = orders.progress_parcel(&seller_of(&tea), id, &shipped(), &collected, now()).await.unwrap();
    assert_eq!((again.is_new, again.letter()), (false, told.letter()));
}

// ── Refused ────────────────────────────────────────────────────────────────────────────────────────────────

/// What says that parcels are not sent, as a function has it. No queue answers: what it would be told is swept up.
async fn parcelling(meddler: Option<Meddler>) -> Parcelling {
    let none = "http://127.0.0.1:1".to_owned();
    let given = ["AWS_ENDPOINT_URL_SQS", "EMAILS_QUEUE_URL", "REFUNDS_QUEUE_URL"];
    let mut variables: Vec<_> = given.map(|name| (name, Some(none.clone()))).into();
    variables.push(("SHOP_NAME", Some("tests".to_owned())));
    if let Some(meddler) = meddler {
        let endpoint = std::env::var("AWS_ENDPOINT_URL").expect("no AWS to test, run `cargo local test`");
        variables.push(("AWS_ENDPOINT_URL_DYNAMODB", Some(meddler.stand_before(endpoint).await)));
    }
    open_with(variables).await
}

fn refused() -> ParcelProgress {
    says(&json!({ "status": "refused", "reason": "It broke." }))
}

impl OfTwo {
    async fn refuse(&self, by: &Parcelling, of: &Offer) -> Result<SellerOrderView, Problem> {
        by.tell(&seller_of(of), self.id, &refused(), now()).await
    }

    async fn pieces(&self) -> [(u32, u32); 2] {
        [pieces_of(&self.products, &self.tea).await, pieces_of(&self.products, &self.cup).await]
    }
}

#[tokio::test]
async fn a_refused_parcel_is_back_in_stock_and_the_rest_is_sent_and_paid() {
    let (of_two, by) = (OfTwo::placed().await, parcelling(None).await);
    for _ in 0..2 {
        let seen = of_two.refuse(&by, &of_two.tea).await.unwrap();
        assert_eq!(seen.status(), SellerStatus::Refused);
    }
    assert_eq!((of_two.pieces().await, of_two.open().await), ([(9, 0), (8, 1)], [false, true]));
    let order = of_two.order().await;
    assert_eq!(order.status(), OrderStatus::Pending);
    assert_eq!((order.back_of(of_two.tea.id()).refunded(), order.due_amount().minor()), (2, 450));
    let item = of_two.item_of(of_two.tea.seller()).await;
    assert_eq!((&item["parcel"]["M"]["back"]["N"], &item["due"]["S"]), (&json!("900"), &json!("0")));
    assert_eq!(refusal(of_two.orders.cancel(&of_two.ann, of_two.id, now()).await), Refusal::NotCancellable);
    assert_eq!(refusal(of_two.say(&of_two.tea, &shipped()).await), Refusal::ParcelRefused);

    let sent = of_two.say(&of_two.cup, &shipped()).await.unwrap();
    assert_eq!(sent.order.status(), OrderStatus::Shipping);
    of_two.orders.hand_over(of_two.id).await.unwrap();
    assert_eq!(of_two.pieces().await, [(9, 0), (8, 0)]);
    by.tell(&seller_of(&of_two.cup), of_two.id, &delivered(), now()).await.unwrap();
    let order = of_two.order().await;
    let paid = order.payment().expect("it is paid at the door");
    assert_eq!((order.status(), paid.paid.minor()), (OrderStatus::Delivered, 450));
    assert_eq!(order.payment_status(), PaymentStatus::Paid);
    let payments: Payments = open().await;
    let whole = payments.whole(paid.payment_id).await.unwrap().expect("a payment");
    assert!(whole.adds_up() && whole.payment.status() == AttemptStatus::Captured, "{whole:?}");
}

#[tokio::test]
async fn an_order_that_nobody_sends_is_over_and_all_of_it_is_back() {
    for at_once in [false, true] {
        let (of_two, by) = (OfTwo::placed().await, parcelling(None).await);
        let (tea, cup) = (of_two.refuse(&by, &of_two.tea), of_two.refuse(&by, &of_two.cup));
        if at_once {
            let (tea, cup) = tokio::join!(tea, cup);
            assert!(tea.is_ok() && cup.is_ok());
        } else {
            tea.await.unwrap();
            cup.await.unwrap();
        }
        assert_eq!((of_two.pieces().await, of_two.open().await), ([(9, 0), (9, 0)], [false, false]));
        let order = of_two.order().await;
        assert_eq!(order.cancellation_reason(), Some(CancellationReason::ByShop));
        assert!(
            is_due(&of_two.orders, &shard_of(&order), of_two.id, now() + DAY).await,
            "its buyer is to be told"
        );
        let letter = order.letter(LetterKind::Cancelled).unwrap().expect("a letter");
        assert_eq!(letter.paragraphs[1], "The seller says: It broke.");
        of_two.refuse(&by, &of_two.cup).await.unwrap();
        assert_eq!((of_two.order().await, of_two.pieces().await), (order, [(9, 0), (9, 0)]));
    }
}

#[tokio::test]
async fn of_a_seller_who_refuses_and_a_buyer_who_cancels_at_once_pieces_come_back_once() {
    let by = parcelling(None).await;
    for _ in 0..5 {
        let of_two = OfTwo::placed().await;
        let cancel = of_two.orders.cancel(&of_two.ann, of_two.id, now());
        let (refused, cancelled) = tokio::join!(of_two.refuse(&by, &of_two.tea), cancel);
        match (refused, cancelled) {
            (Ok(_), Err(_)) => assert_eq!(of_two.pieces().await, [(9, 0), (8, 1)]),
            (Err(_), Ok(_)) => assert_eq!(of_two.pieces().await, [(9, 0), (9, 0)]),
            outcome => panic!("{outcome:?}"),
        }
    }
}

#[tokio::test]
async fn a_refusal_whose_reply_is_lost_gives_back_once_and_one_of_a_deleted_product_what_is_there() {
    let of_two = OfTwo::placed().await;
    let behind = parcelling(Some(Meddler::lose_reply("TransactWriteItems"))).await;
    of_two.refuse(&behind, &of_two.tea).await.unwrap();
    assert_eq!(of_two.pieces().await, [(9, 0), (8, 1)]);
    assert_eq!(of_two.order().await.back_of(of_two.tea.id()).refunded(), 2);

    let (of_two, by, cloud) = (OfTwo::placed().await, parcelling(None).await, Cloud::open().await);
    cloud.delete_item("OffersTable", "offerId", &of_two.tea.id().to_string()).await;
    of_two.refuse(&by, &of_two.tea).await.unwrap();
    let offer = cloud.item("OffersTable", ("offerId", &of_two.tea.id().to_string())).await;
    assert_eq!((offer, of_two.open().await), (Value::Null, [false, true]));
}

#[tokio::test]
async fn what_the_other_seller_refused_meanwhile_is_decided_by() {
    let of_two = OfTwo::placed().await;
    let (by, cup, id) = (parcelling(None).await, of_two.cup.clone(), of_two.id);
    let behind = parcelling(Some(Meddler::before("TransactWriteItems", 0..1, move || {
        let (by, cup) = (by.clone(), cup.clone());
        async move { drop(by.tell(&seller_of(&cup), id, &refused(), now()).await.unwrap()) }
    })))
    .await;
    of_two.refuse(&behind, &of_two.tea).await.unwrap();
    assert_eq!(
        (of_two.order().await.status(), of_two.pieces().await),
        (OrderStatus::Cancelled, [(9, 0), (9, 0)])
    );
}

#[tokio::test]
async fn the_only_seller_of_an_order_refuses_all_of_it_and_nobody_what_the_workflow_ships() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea, by) = (buyer().await, for_sale(&products, 9).await, parcelling(None).await);
    let id = waiting(&orders, &ann, &[(&tea, 2)], now()).await;
    by.tell(&seller_of(&tea), id, &refused(), now()).await.unwrap();
    assert_eq!(found_order(&orders, id).await.status(), OrderStatus::Cancelled);
    assert_eq!(pieces_of(&products, &tea).await, (9, 0));
    let id = placed(&orders, &ann, &[(&tea, 2)], now()).await;
    let refused = by.tell(&seller_of(&tea), id, &refused(), now()).await.unwrap_err();
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    assert_eq!(pieces_of(&products, &tea).await, (7, 2));
}

// ── Letters ────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_parcel_owes_its_letter_until_it_is_recorded_as_sent_and_no_other() {
    let (of_two, letters, tables) = (OfTwo::placed().await, letters().await, open::<Tables>().await);
    let name = ParcelName { order_id: of_two.id, seller_id: of_two.tea.seller().clone() };
    let commits = async |kind| {
        let mut write = Write::new();
        write.update(letters.sent(kind, &name).unwrap().expect("an update"));
        tables.commit(write).await
    };
    assert!(letters.letter(ParcelLetterKind::Sent, &name).await.unwrap().is_none(), "nobody has sent it");
    of_two.say(&of_two.tea, &shipped()).await.unwrap();
    let (letter, ()) = letters.letter(ParcelLetterKind::Sent, &name).await.unwrap().expect("a letter");
    assert_eq!((letter.subject.as_str(), letter.rows.len()), ("Part of your order is on its way: tea", 1));
    let item = of_two.item_of(&name.seller_id).await;
    assert_eq!((&item["due"]["S"], &item["dueAt"]["S"]), (&json!("0"), &json!(now() + MILLISECOND + GRACE)));
    assert!(!commits(ParcelLetterKind::Refused).await, "it was sent");
    assert!(commits(ParcelLetterKind::Sent).await);
    assert!(of_two.item_of(&name.seller_id).await["due"].is_null());
    assert!(commits(ParcelLetterKind::Sent).await, "and again");
}

// ── Lists ──────────────────────────────────────────────────────────────────────────────────────────────────

fn ids(orders: &[SellerOrderView]) -> Vec<String> {
    let id =
        |order| serde_json::to_value(order).expect("JSON")["orderId"].as_str().expect("an id").to_owned();
    orders.iter().map(id).collect()
}

#[tokio::test]
async fn a_seller_sees_the_newest_first_and_of_what_is_to_be_sent_the_oldest() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea, cup, cursors) = (
        buyer().await,
        for_sale(&products, 99).await,
        for_sale(&products, 99).await,
        open::<Cursors>().await,
    );
    let mut made = Vec::new();
    for number in 0..4 {
        made.push(waiting(&orders, &ann, &[(&tea, 1), (&cup, 1)], now() + MINUTE * number).await);
    }
    let seller = tea.seller();
    let list = async |status, limit, cursor: Option<&str>| {
        orders.list_of_seller(seller, status, &cursors, &page(limit, cursor).await).await.expect("a page")
    };
    let newest: Vec<_> = made.iter().rev().map(ToString::to_string).collect();
    let oldest: Vec<_> = made.iter().map(ToString::to_string).collect();
    assert_eq!(ids(&list(None, 20, None).await.entries), newest);
    let first = list(Some(SellerStatus::ToSend), 3, None).await;
    assert_eq!(ids(&first.entries), oldest[..3]);
    let rest = list(Some(SellerStatus::ToSend), 3, first.next_cursor.as_deref()).await;
    assert_eq!((ids(&rest.entries), rest.next_cursor), (oldest[3..].to_vec(), None));

    orders.progress_parcel(&seller_of(&tea), made[0], &shipped(), &collected, now() + DAY).await.unwrap();
    orders.cancel(&ann, made[1], now() + DAY).await.unwrap();
    assert_eq!(ids(&list(Some(SellerStatus::ToSend), 20, None).await.entries), oldest[2..]);
    assert_eq!(ids(&list(Some(SellerStatus::Shipped), 20, None).await.entries), oldest[..1]);
    assert_eq!(ids(&list(Some(SellerStatus::Cancelled), 20, None).await.entries), oldest[1..2]);
    let all = page(20, None).await;
    let others = orders.list_of_seller(cup.seller(), Some(SellerStatus::ToSend), &cursors, &all).await;
    assert_eq!(others.expect("a page").entries.len(), 3, "the other one has not sent anything");
    let none = orders.list_of_seller(ann.id(), None, &cursors, &page(20, None).await).await.expect("a page");
    assert_eq!(none.entries, []);
}

#[tokio::test]
async fn a_list_is_two_calls_however_long_and_one_order_is_one() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea, cursors) = (buyer().await, for_sale(&products, 99).await, open::<Cursors>().await);
    let mut last = None;
    for number in 0..5 {
        last = Some(waiting(&orders, &ann, &[(&tea, 1)], now() + MINUTE * number).await);
    }
    let (meddler, calls) = Meddler::watch();
    let behind: Orders = open_behind(meddler).await;
    let made = async || calls.take().into_iter().map(|call| call.operation).collect::<Vec<_>>();
    for status in [None, Some(SellerStatus::ToSend), Some(SellerStatus::Refused)] {
        let found = behind.list_of_seller(tea.seller(), status, &cursors, &page(20, None).await).await;
        assert_eq!(found.expect("a page").next_cursor, None);
        assert_eq!(made().await, ["Query", "BatchGetItem"]);
    }
    behind.list_of_seller(ann.id(), None, &cursors, &page(20, None).await).await.expect("a page");
    assert_eq!(made().await, ["Query"], "nothing is nothing to read");
    let id = last.expect("an order");
    behind.find_of_seller(tea.seller(), id).await.unwrap();
    assert_eq!(made().await, ["GetItem"]);
    assert!(matches!(orders.find_of_seller(ann.id(), id).await, Err(Error::NotFound)), "its buyer");
}
