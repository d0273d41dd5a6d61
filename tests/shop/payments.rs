//! Paying by card, through the Stripe on the laptop: what is told once, twice, late, never and wrong, and what goes
//! back. The numbers are those of docs/payments.md.

use reqwest::Method;
use serde_json::json;
use tests::paying::{awaiting, check_out, facts, key};
use tests::shop::{Shop, product};
use tests::wait::{a_while, at_once, eventually};

// P1, P21: by the page that the buyer comes back to, and by the webhook.
#[tokio::test]
async fn an_order_is_paid_once_whoever_hears_of_it_first() {
    let awaiting = awaiting().await;
    let order = awaiting.order().await;
    assert_eq!((&order["status"], &order["paymentStatus"]), (&json!("awaiting_payment"), &json!("unpaid")));
    assert_eq!(awaiting.stock().await, 2, "its stock is held");
    let before = awaiting.refresh().await;
    assert_eq!(
        (&before["orderStatus"], &before["paymentStatus"]),
        (&json!("awaiting_payment"), &json!("unpaid"))
    );
    awaiting.at_stripe(json!({ "do": "pay" })).await;
    assert_eq!(awaiting.refresh().await["paymentStatus"], "paid");
    awaiting.buyer.order_once(&awaiting.order, "shipping").await;
    assert_eq!(awaiting.refresh().await["paymentStatus"], "paid");
    let whole = awaiting.whole().await;
    assert_eq!((facts(&whole), &whole["refundable"]), (vec!["charge".to_owned()], &json!(99.99)));
}

// P3, P5, P6, P7: however often it is told, and by whichever event.
#[tokio::test]
async fn money_that_is_told_of_again_and_again_counts_once() {
    let awaiting = awaiting().await;
    awaiting.at_stripe(json!({ "do": "pay", "deliver": ["twice", "other-id"] })).await;
    awaiting.order_once("it is paid", |order| order["paymentStatus"] == "paid").await;
    let answers = at_once(5, |_| {
        let path = format!("/payments/{}/refresh", awaiting.payment);
        let request = awaiting.buyer.request(Method::POST, &path);
        async move { request.send().await.status }
    });
    assert_eq!(answers.await, [200; 5]);
    a_while().await;
    assert_eq!(facts(&awaiting.whole().await), ["charge"]);
    let order = awaiting.order().await;
    let pending = order["history"].as_array().expect("a history").iter();
    assert_eq!(pending.filter(|entry| entry["status"] == "pending").count(), 1, "{order}");
}

// P8, P9, P30: what is another shop's, or is signed by nobody, changes nothing.
#[tokio::test]
async fn what_is_another_shops_or_forged_pays_nothing() {
    let awaiting = awaiting().await;
    awaiting.at_stripe(json!({ "do": "pay", "deliver": ["other-shop", "wrong-signature"] })).await;
    a_while().await;
    assert_eq!(awaiting.order().await["status"], "awaiting_payment");
    let forged = json!({ "id": "evt_1", "type": "checkout.session.completed" });
    awaiting.shop.post("/payments/webhook", &forged).await.is_problem(400, "bad-signature");
    assert_eq!(awaiting.refresh().await["paymentStatus"], "paid");
}

// P10, P19: no webhook ever comes.
#[tokio::test]
async fn an_order_that_was_paid_and_nobody_told_is_paid_and_not_cancelled() {
    let awaiting = awaiting().await;
    awaiting.at_stripe(json!({ "do": "pay", "deliver": ["never"] })).await;
    awaiting.is_due().await;
    awaiting.order_once("it is paid", |order| order["paymentStatus"] == "paid").await;
    assert_eq!(awaiting.stock().await, 2);
}

// P18, P20.
#[tokio::test]
async fn an_order_that_nobody_pays_ends_and_its_stock_comes_back() {
    let awaiting = awaiting().await;
    awaiting.is_due().await;
    awaiting.is_due().await;
    let order = awaiting.order_once("it is over", |order| order["status"] == "cancelled").await;
    assert_eq!(order["history"][1]["reason"], "It was not paid in time.");
    assert_eq!(order["paymentStatus"], "void");
    assert_eq!(awaiting.stock().await, 3);
    let payment = awaiting.buyer.get(&format!("/payments/{}", awaiting.payment)).await.is(200);
    assert_eq!((&payment["status"], payment.get("url")), (&json!("dead"), None));
}

// P13, P14, P20: cancelled by its buyer, and paid all the same.
#[tokio::test]
async fn money_for_an_order_that_is_over_goes_back() {
    let awaiting = awaiting().await;
    let order = awaiting.buyer.cancels(&awaiting.order).await.is(200);
    assert_eq!((&order["status"], &order["paymentStatus"]), (&json!("cancelled"), &json!("void")));
    assert_eq!(awaiting.stock().await, 3);
    awaiting.at_stripe(json!({ "do": "pay", "force": true, "deliver": ["twice"] })).await;
    awaiting.order_once("it went back", |order| order["paymentStatus"] == "refunded").await;
    assert_eq!(awaiting.order().await["status"], "cancelled");
    assert_eq!(facts(&awaiting.whole().await), ["charge", "refund"]);
    assert_eq!(awaiting.stock().await, 3, "the stock comes back once");
}

// P22: a cent less, and another currency.
#[tokio::test]
async fn another_amount_than_was_asked_for_pays_nothing_and_goes_back() {
    for act in [json!({ "do": "pay", "amount": 9_998 }), json!({ "do": "pay", "currency": "eur" })] {
        let awaiting = awaiting().await;
        awaiting.at_stripe(act).await;
        let whole = eventually("it went back", async || {
            Some(awaiting.whole().await).filter(|whole| whole["refunds"][0]["status"] == "accepted")
        });
        let whole = whole.await;
        assert_eq!(whole["refunds"][0]["reason"], "mismatch");
        assert_eq!(facts(&whole), ["charge", "refund"]);
        // Nobody can pay by it any more, so the order is over.
        awaiting.is_due().await;
        let order = awaiting.order_once("it is over", |order| order["status"] == "cancelled").await;
        assert_eq!(order["paymentStatus"], "void");
    }
}

// P4, P24: a debit, whose money comes later.
#[tokio::test]
async fn a_slow_payment_is_waited_for_and_nobody_is_asked_to_pay_again() {
    let awaiting = awaiting().await;
    awaiting.at_stripe(json!({ "do": "pay-later" })).await;
    awaiting.order_once("it is on its way", |order| order["paymentStatus"] == "processing").await;
    let again = awaiting.buyer.request(Method::POST, &format!("/payments/{}", awaiting.order)).send().await;
    again.is_problem(409, "payment-processing");
    awaiting.buyer.cancels(&awaiting.order).await.is_problem(409, "payment-processing");
    awaiting.at_stripe(json!({ "do": "arrive" })).await;
    awaiting.order_once("it is paid", |order| order["paymentStatus"] == "paid").await;
}

// P12, P25: the same page after a declined card, and the page again for who asks.
#[tokio::test]
async fn a_declined_card_leaves_the_page_open() {
    let awaiting = awaiting().await;
    awaiting.at_stripe(json!({ "do": "decline" })).await;
    let path = format!("/payments/{}", awaiting.order);
    let open = awaiting.buyer.request(Method::POST, &path).send().await.is(200);
    assert_eq!((&open["paymentId"], &open["status"]), (&json!(awaiting.payment), &json!("open")));
    let stranger = awaiting.shop.person("Eve").await;
    stranger.request(Method::POST, &path).send().await.is_problem(404, "not-found");
    awaiting.is_paid().await;
    let paid = awaiting.buyer.request(Method::POST, &path).send().await;
    paid.is_problem(409, "already-paid");
}

// F1, F2, F4, F5: a part by an admin, the rest in the Dashboard, and never more.
#[tokio::test]
async fn what_goes_back_never_passes_what_came() {
    let awaiting = awaiting().await;
    awaiting.is_paid().await;
    let once = key("refund");
    let asked = awaiting.refunds(&json!({ "amount": 10 }), &once).await.is(201);
    assert_eq!((&asked["amount"], &asked["refundable"]), (&json!(10), &json!(89.99)));
    let again = awaiting.refunds(&json!({ "amount": 10 }), &once).await.is(201);
    assert_eq!(again["refundId"], asked["refundId"]);
    awaiting.order_once("it went back", |order| order["paymentStatus"] == "partially_refunded").await;
    awaiting.refunds(&json!({ "amount": 90 }), &key("refund")).await.is_problem(409, "refund-too-large");
    awaiting.at_stripe(json!({ "do": "refund", "amount": 8_999 })).await;
    awaiting.order_once("all of it went back", |order| order["paymentStatus"] == "refunded").await;
    awaiting.refunds(&json!({}), &key("refund")).await.is_problem(409, "nothing-to-refund");
    let whole = awaiting.whole().await;
    assert_eq!(
        (facts(&whole), &whole["refundable"]),
        (vec!["charge".into(), "refund".into(), "refund".into()], &json!(0))
    );
}

// F7: a refund of the Dashboard fails, which is told before the refund itself.
#[tokio::test]
async fn a_refund_that_failed_before_it_was_told_of_did_not_go_back() {
    let awaiting = awaiting().await;
    awaiting.is_paid().await;
    let silently = json!({ "do": "refund", "amount": 100, "deliver": ["never"] });
    let made = awaiting.at_stripe(silently).await;
    let refund = made["object"]["id"].as_str().expect("a refund");
    awaiting.happens("refunds", refund, json!({ "do": "fail" })).await;
    eventually("the failure is written down", async || {
        (awaiting.whole().await["refunds"][0]["status"] == "failed").then_some(())
    })
    .await;
    for event in made["events"].as_array().expect("events") {
        awaiting.happens("events", event.as_str().expect("an event"), json!({ "do": "deliver" })).await;
    }
    a_while().await;
    let whole = awaiting.whole().await;
    assert_eq!((facts(&whole), &whole["refundable"]), (vec!["charge".to_owned()], &json!(99.99)));
    assert_eq!(awaiting.order().await["paymentStatus"], "paid");
}

// C9: what costs nothing is ordered at once, and what costs too little is refused before anything is written.
#[tokio::test]
async fn what_costs_too_little_for_a_card_is_refused_before_anything_is_written() {
    let shop = Shop::open();
    let (seller, buyer) = (shop.person("Ann").await, shop.person("Bob").await);
    let sweet = seller.sells(product().named("sweet").priced("0.49").stock(3)).await;
    buyer.post("/cart/items", &json!({ "id": sweet.id, "quantity": 1 })).await.is(200);
    check_out(&buyer, 0.49).await.is_problem(409, "amount-too-small");
    assert_eq!(shop.stock_of(&sweet).await, 3);
    assert_eq!(buyer.get("/cart").await.is(200)["items"][0]["quantity"], 1, "the cart is as it was");
}
