//! Cancelling: only what has not shipped, the stock comes back once, and the buyer is told once.

use serde_json::{Value, json};
use tests::aws::Aws;
use tests::shop::{Person, Product, Shop, cancelled, history, product, shipping};
use tests::wait::{a_while, at_once, eventually};

/// Orders until a cancellation comes before the shipping, and gives that order's id and what cancelling it answered.
async fn cancelled_in_time(buyer: &Person, product: &Product) -> (String, Value) {
    for _ in 0..20 {
        let order = buyer.buys(product, 1).await;
        let answer = buyer.cancels(&order).await;
        if answer.status == 200 {
            return (order, answer.is(200));
        }
        answer.is_problem(409, "not-cancellable");
    }
    panic!("twenty orders in a row shipped before they could be cancelled");
}

#[tokio::test]
async fn a_cancelled_order_gives_its_pieces_back_and_tells_its_buyer() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(50)).await;
    let (order, answer) = cancelled_in_time(&bob, &tea).await;
    assert_eq!(answer["orderId"], order.as_str());
    assert_eq!(answer["status"], "cancelled");
    assert_eq!(history(&answer), ["pending", "cancelled"]);
    assert!(answer["history"][1]["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{answer}");
    assert_eq!(bob.order(&order).await, answer);
    let mails = eventually("the buyer is told", async || {
        Some(bob.mail_about(&order).await).filter(|mails| cancelled(mails) > 0)
    });
    assert_eq!(shipping(&mails.await), 0);
    let bought = bob.get("/orders?limit=100").await.is(200);
    let orders = bought["orders"].as_array().expect("orders");
    let kept = orders.iter().filter(|order| order["status"] != "cancelled").count();
    assert_eq!(shop.stock_of(&tea).await, 50 - kept as u64);
}

#[tokio::test]
async fn cancelling_again_changes_nothing() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(50)).await;
    let (order, answer) = cancelled_in_time(&bob, &tea).await;
    let stock = shop.stock_of(&tea).await;
    let again = at_once(10, |_| {
        let (bob, order) = (bob.clone(), order.clone());
        async move { bob.cancels(&order).await }
    });
    for again in again.await {
        assert_eq!(again.is(200), answer);
    }
    a_while().await;
    assert_eq!(shop.stock_of(&tea).await, stock);
    assert_eq!(cancelled(&bob.mail_about(&order).await), 1);
}

#[tokio::test]
async fn ten_cancellations_at_once_are_one() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let order = bob.buys(&tea, 3).await;
    let answers = at_once(10, |_| {
        let (bob, order) = (bob.clone(), order.clone());
        async move { bob.cancels(&order).await }
    });
    let answers = answers.await;
    let cancelled_at_all = answers.iter().any(|answer| answer.status == 200);
    for answer in answers {
        if cancelled_at_all {
            assert_eq!(history(&answer.is(200)), ["pending", "cancelled"]);
        } else {
            answer.is_problem(409, "not-cancellable");
        }
    }
    let left = if cancelled_at_all { 5 } else { 2 };
    assert_eq!(shop.stock_of(&tea).await, left);
}

#[tokio::test]
async fn what_is_shipping_can_no_longer_be_cancelled() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let order = bob.buys(&tea, 2).await;
    let shipped = bob.order_once(&order, "shipping").await;
    bob.cancels(&order).await.is_problem(409, "not-cancellable");
    assert_eq!(bob.order(&order).await, shipped);
    assert_eq!(shop.stock_of(&tea).await, 3);
}

#[tokio::test]
async fn an_order_that_is_cancelled_while_it_ships_is_one_or_the_other() {
    let shop = Shop::open();
    let aws = Aws::open().await;
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(100)).await;
    let mut orders = Vec::new();
    for number in 0..24 {
        let order = bob.buys(&tea, 1).await;
        // Besides the workflow, which may or may not have come so far: the two at the very same moment.
        let task = json!({ "orderId": order });
        let (cancelling, task) = if number % 2 == 0 {
            tokio::join!(bob.cancels(&order), aws.invoke("ship-order", &task))
        } else {
            let (task, cancelling) = tokio::join!(aws.invoke("ship-order", &task), bob.cancels(&order));
            (cancelling, task)
        };
        if cancelling.status == 200 {
            assert_eq!(history(&cancelling.is(200)), ["pending", "cancelled"]);
            assert_eq!(task, json!({ "outcome": "cancelled" }));
        } else {
            cancelling.is_problem(409, "not-cancellable");
            assert!(
                ["shipped", "already_shipping"].contains(&task["outcome"].as_str().unwrap_or_default()),
                "{task}"
            );
        }
        orders.push(order);
    }
    let mut shipped = 0;
    for order in &orders {
        let now = bob.order(order).await;
        let ships = history(&now) == ["pending", "shipping"];
        assert!(ships || history(&now) == ["pending", "cancelled"], "{now}");
        assert_eq!(now["status"], if ships { "shipping" } else { "cancelled" });
        shipped += u64::from(ships);
        eventually("the buyer is told", async || {
            let mails = bob.mail_about(order).await;
            (shipping(&mails) + cancelled(&mails) > 0).then_some(())
        })
        .await;
    }
    println!("{shipped} of {} shipped", orders.len());
    assert_eq!(shop.stock_of(&tea).await, 100 - shipped);
    a_while().await;
    for order in &orders {
        let ships = usize::from(bob.order(order).await["status"] == "shipping");
        let mails = bob.mail_about(order).await;
        assert_eq!((shipping(&mails), cancelled(&mails)), (ships, 1 - ships), "{mails:?}");
    }
}

#[tokio::test]
async fn releasing_and_cancelling_at_once_give_the_stock_back_once() {
    let shop = Shop::open();
    let aws = Aws::open().await;
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(100)).await;
    let mut kept = 0;
    for _ in 0..10 {
        let order = bob.buys(&tea, 2).await;
        let task = json!({ "orderId": order });
        let (cancelling, released) = tokio::join!(bob.cancels(&order), aws.invoke("release-order", &task));
        let outcome = released["outcome"].as_str().unwrap_or_default().to_owned();
        if cancelling.status == 200 {
            assert_eq!(history(&cancelling.is(200)), ["pending", "cancelled"]);
            assert!(["released", "already_cancelled"].contains(&outcome.as_str()), "{released}");
        } else {
            cancelling.is_problem(409, "not-cancellable");
            assert_eq!(outcome, "already_shipping");
            kept += 2;
        }
    }
    assert_eq!(shop.stock_of(&tea).await, 100 - kept);
}
