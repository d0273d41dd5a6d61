//! What was sold and what waits: each order and each product counts as it stands, once, however often and in whichever
//! order it is told.

use std::time::Duration;

use offers::Offer;
use orders::digests::Hour;
use orders::sales::{Party, Sales};
use orders::store::Hours;
use orders::{OrderId, Orders, Progress};
use products::events::ProductTold;
use products::{Editor, Product, ProductChanges, Products, Reapproval};
use serde_json::{Value, json};
use shared::caller::Caller;
use shared::http::{IfMatch, input};
use shared::values::time::Timestamp;
use tests::aws::ago;
use tests::meddler::Meddler;
use tests::wait::{at_once, eventually};
use users::Users;

use super::{DAY, buyer, collected, for_sale, now, open, open_behind, placed, profile_of, waiting};

async fn summary(sales: &Sales, seller: &Caller) -> Value {
    let party = Party::Seller(seller.id().clone());
    serde_json::to_value(sales.summary(&party, now()).await.expect("the table answers")).expect("JSON")
}

fn counts(orders: u32, revenue: &Value, to_send: u32) -> Value {
    let sold = json!({ "orders": orders, "revenue": revenue });
    json!({
        "today": sold, "last30Days": sold, "toSend": to_send, "toApprove": 0, "lowStock": 0, "currency": "USD"
    })
}

/// How many of this seller's products wait for an admin, and how many run low.
async fn waiting_of(sales: &Sales, seller: &Caller) -> (Value, Value) {
    let found = summary(sales, seller).await;
    (found["toApprove"].clone(), found["lowStock"].clone())
}

fn told_of(offer: &Offer) -> ProductTold {
    ProductTold { product_id: offer.product_id(), seller_id: offer.seller().clone() }
}

#[tokio::test]
async fn an_order_counts_once_for_its_seller_and_no_more_when_it_is_off() {
    let (orders, products, sales): (Orders, Products, Sales) = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 9).await);
    let seller = Caller::for_tests(&tea.seller().to_string());
    let nothing = json!({ "orders": 0, "revenue": 0 });
    assert_eq!(summary(&sales, &seller).await["today"], nothing);
    let [kept, off]: [OrderId; 2] = [
        waiting(&orders, &ann, &[(&tea, 2)], now()).await,
        waiting(&orders, &ann, &[(&tea, 1)], now()).await,
    ];
    let all = at_once(6, |number| {
        let sales = sales.clone();
        async move { sales.count([kept, off][number % 2], now()).await }
    });
    assert!(all.await.iter().all(Result::is_ok));
    assert_eq!(summary(&sales, &seller).await, counts(2, &json!(13.5), 2));
    orders.cancel(&ann, off, now()).await.expect("it is cancelled");
    orders.progress(&seller, kept, &Progress::Shipped(None), &collected, now()).await.expect("it ships");
    for id in [kept, off, kept, off] {
        sales.count(id, now()).await.expect("it is counted");
    }
    assert_eq!(summary(&sales, &seller).await, counts(1, &json!(9), 0));
    // A month later nobody counts it any more.
    let party = Party::Seller(seller.id().clone());
    let later = sales.summary(&party, now() + DAY * 30).await.expect("the table answers");
    assert_eq!(serde_json::to_value(later).expect("JSON")["last30Days"], nothing);
    assert!(sales.count(OrderId::at(now()), now()).await.is_err(), "nobody placed it");
}

#[tokio::test]
async fn an_order_whose_first_word_is_heard_last_counts_as_it_stands() {
    let (orders, products, sales): (Orders, Products, Sales) = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 9).await);
    let id = placed(&orders, &ann, &[(&tea, 2)], now()).await;
    // What is read before it is cancelled is written after.
    let (rival, counting) = (orders.clone(), sales.clone());
    let behind: Sales = open_behind(Meddler::before("TransactWriteItems", 0..1, move || {
        let (rival, counting, ann) = (rival.clone(), counting.clone(), ann.clone());
        async move {
            rival.cancel(&ann, id, now()).await.expect("it is cancelled");
            counting.count(id, now()).await.expect("it is counted");
        }
    }))
    .await;
    behind.count(id, now()).await.expect("it is counted");
    let seller = Caller::for_tests(&tea.seller().to_string());
    let found = summary(&sales, &seller).await;
    assert_eq!((&found["today"]["orders"], &found["toSend"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn a_count_whose_reply_is_lost_is_made_once_and_a_summary_is_one_call() {
    let (orders, products): (Orders, Products) = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 9).await);
    let id = waiting(&orders, &ann, &[(&tea, 2)], now()).await;
    let behind: Sales = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    behind.count(id, now()).await.expect("it is counted");
    let seller = Caller::for_tests(&tea.seller().to_string());
    let (meddler, calls) = Meddler::watch();
    let watched: Sales = open_behind(meddler).await;
    assert_eq!(summary(&watched, &seller).await, counts(1, &json!(9), 1));
    let made: Vec<_> = calls.take().into_iter().map(|call| call.operation).collect();
    assert_eq!(made, ["Query"]);
}

#[tokio::test]
async fn a_product_counts_once_as_long_as_it_runs_low_or_waits_for_an_admin() {
    let (orders, products, sales): (Orders, Products, Sales) = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 9).await);
    let (seller, told) = (Caller::for_tests(&tea.seller().to_string()), told_of(&tea));
    let count = async || {
        let all = at_once(6, |_| {
            let (sales, told) = (sales.clone(), told.clone());
            async move { sales.count_product(&told, now()).await }
        });
        // Of six at once some may find it counted by another again and again, and their event comes again.
        assert!(all.await.iter().any(Result::is_ok));
        sales.count_product(&told, now()).await.expect("it is counted");
        waiting_of(&sales, &seller).await
    };
    assert_eq!(count().await, (json!(0), json!(0)));
    let off = placed(&orders, &ann, &[(&tea, 5)], now()).await;
    assert_eq!(count().await, (json!(0), json!(1)));
    orders.cancel(&ann, off, now()).await.expect("it is cancelled");
    assert_eq!(count().await, (json!(0), json!(0)));
    placed(&orders, &ann, &[(&tea, 5)], now()).await;
    let renamed: ProductChanges = input::parse(br#"{"productName":"green tea"}"#).expect("changes");
    let renamed =
        move |product: Product| product.with_changes(&renamed, Editor::Seller, Reapproval::Needed, now());
    products.change(told.product_id, renamed).await.expect("it is renamed");
    assert_eq!(count().await, (json!(1), json!(0)), "nobody can buy it");
    products.delete(&seller, told.product_id, &IfMatch::Any).await.expect("it is deleted");
    assert_eq!(count().await, (json!(0), json!(0)));
}

#[tokio::test]
async fn who_has_read_a_product_before_it_was_counted_otherwise_looks_again() {
    let (orders, products, sales): (Orders, Products, Sales) = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 9).await);
    let (seller, told) = (Caller::for_tests(&tea.seller().to_string()), told_of(&tea));
    let id = placed(&orders, &ann, &[(&tea, 5)], now()).await;
    // What is read as running low is written after it has more again, and was counted so.
    let (rival, counting, of_rival) = (orders.clone(), sales.clone(), told.clone());
    let behind: Sales = open_behind(Meddler::before("TransactWriteItems", 0..1, move || {
        let (rival, counting, ann, told) = (rival.clone(), counting.clone(), ann.clone(), of_rival.clone());
        async move {
            rival.cancel(&ann, id, now()).await.expect("it is cancelled");
            counting.count_product(&told, now()).await.expect("it is counted");
        }
    }))
    .await;
    behind.count_product(&told, now()).await.expect("it is counted");
    assert_eq!(waiting_of(&sales, &seller).await, (json!(0), json!(0)));
}

fn this_moment() -> Timestamp {
    ago(Duration::ZERO).parse().expect("a time")
}

#[tokio::test]
async fn a_sale_is_in_one_hour_of_its_sellers_and_out_of_it_when_it_is_off() {
    let (orders, products, sales): (Orders, Products, Sales) = open().await;
    let hours: Hours = open().await;
    // The shop counts them as well. It does so in the same hour, whoever comes first.
    let (ann, now) = (buyer().await, this_moment());
    let (this, over) = (Hour::of(now), Hour::of(now - DAY));
    let sold = async |product: &Offer, hour: Hour| {
        let sold = hours.find(product.seller(), hour).await.expect("the table answers");
        sold.and_then(|sold| sold.letter(hour, &profile_of(product.seller(), "Ann")))
            .map(|letter| letter.totals.into_iter().map(|total| total.amount).collect::<Vec<_>>())
    };
    let told = |orders: &str, revenue: &str| Some(vec![orders.to_owned(), revenue.to_owned()]);
    let tea = for_sale(&products, 9).await;
    let [first, second]: [OrderId; 2] =
        [waiting(&orders, &ann, &[(&tea, 2)], now).await, waiting(&orders, &ann, &[(&tea, 1)], now).await];
    let all = at_once(6, |number| {
        let sales = sales.clone();
        async move { sales.count([first, second][number % 2], now).await }
    });
    assert!(all.await.iter().all(Result::is_ok));
    assert_eq!(sold(&tea, this).await, told("2", "13.50 USD"));
    orders.cancel(&ann, second, now).await.expect("it is cancelled");
    sales.count(second, now).await.expect("it is counted");
    assert_eq!(sold(&tea, this).await, told("1", "9.00 USD"));

    // Of what is off when the letter is on its way the letter may tell. What the shop has counted before us is in no
    // hour that is over.
    let (cup, third) = eventually("an order is counted in an hour that is over", async || {
        let cup = for_sale(&products, 9).await;
        let third = waiting(&orders, &ann, &[(&cup, 1)], now).await;
        sales.count(third, now - DAY).await.expect("it is counted");
        sold(&cup, over).await.map(|_| (cup, third))
    })
    .await;
    orders.cancel(&ann, third, now).await.expect("it is cancelled");
    sales.count(third, now).await.expect("it is counted");
    assert_eq!(sold(&cup, over).await, told("1", "4.50 USD"));
}

#[tokio::test]
async fn nobody_is_told_of_what_they_bought_themselves() {
    let (orders, products, sales): (Orders, Products, Sales) = open().await;
    let hours: Hours = open().await;
    let tea = for_sale(&products, 9).await;
    let seller = Caller::for_tests(&tea.seller().to_string());
    let users: Users = open().await;
    users.create(&profile_of(seller.id(), "Ann")).await.expect("a profile");
    // Whoever counts it, the shop or this test: in this hour.
    let now = this_moment();
    let id = waiting(&orders, &seller, &[(&tea, 1)], now).await;
    sales.count(id, now).await.expect("it is counted");
    assert_eq!(hours.find(seller.id(), Hour::of(now)).await.expect("the table answers"), None);
}
