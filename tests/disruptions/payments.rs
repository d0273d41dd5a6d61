//! Payments while AWS or Stripe fails: what was not heard is asked for, and nothing is given back on our own clock. The
//! numbers are those of docs/payments.md.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::Answer;
use tests::shop::{Person, Product, Shop, cancelled, order_id, product};
use tests::wait::{a_while, at_once, eventually};

use crate::open;
use crate::orders::{failure, silence};

/// After this long, the time to pay is over, and whatever is owed is swept up.
const LATER: Duration = Duration::from_mins(45);

/// Three pieces at 99.99, one of them in Bob's cart.
async fn in_the_cart(shop: &Shop) -> (Person, Product) {
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let shoes = ann.sells(product().named("shoes").priced("99.99").stock(3)).await;
    bob.post("/cart/items", &json!({ "id": shoes.id, "quantity": 1 })).await.is(200);
    (bob, shoes)
}

async fn check_out(buyer: &Person) -> Answer {
    buyer.post("/cart/checkout", &json!({ "expectedTotal": 99.99, "paymentMethod": "card" })).await
}

/// An order of them that awaits its payment, and that payment.
async fn awaiting(shop: &Shop) -> (Person, Product, String, String) {
    let (bob, shoes) = in_the_cart(shop).await;
    let placed = check_out(&bob).await.is(201);
    let payment = placed["payment"]["paymentId"].as_str().expect("a payment").to_owned();
    (bob, shoes, order_id(&placed), payment)
}

async fn at_stripe(shop: &Shop, payment: &str, act: Value) {
    shop.post(&format!("/local/stripe/sessions/{payment}"), &act).await.is(200);
}

async fn books(shop: &Shop, payment: &str) -> Value {
    shop.get(&format!("/local/stripe.json?of={payment}")).await.is(200)
}

async fn stands(buyer: &Person, order: &str, payment_status: &str) -> Value {
    let so = |order: &Value| order["paymentStatus"] == payment_status;
    eventually(payment_status, async || Some(buyer.order(order).await).filter(so)).await
}

// F12: cancelled again and again.
#[tokio::test]
async fn a_paid_order_that_is_cancelled_gives_its_money_and_its_stock_back_once() {
    let (shop, aws, _soon) = open().await;
    let paused = aws.pause("consume-orders").await;
    let (bob, shoes, order, payment) = awaiting(&shop).await;
    at_stripe(&shop, &payment, json!({ "do": "pay" })).await;
    stands(&bob, &order, "paid").await;
    let answers = at_once(8, |_| {
        let (bob, order) = (bob.clone(), order.clone());
        async move { bob.cancels(&order).await.status }
    });
    assert_eq!(answers.await, [200; 8]);
    let over = stands(&bob, &order, "refunded").await;
    assert_eq!(over["status"], "cancelled");
    paused.undo();
    bob.cancels(&order).await.is(200);
    at_stripe_is_told_again(&shop, &payment).await;
    aws.quiet().await;
    a_while().await;
    assert_eq!(shop.stock_of(&shoes).await, 3, "the stock comes back once");
    let books = books(&shop, &payment).await;
    assert_eq!(
        (books["refunds"].as_array().map(Vec::len), &books["balance"]),
        (Some(1), &json!({ "usd": 0 }))
    );
    let whole = shop.admin().await.get(&format!("/payments/{payment}")).await.is(200);
    assert_eq!(whole["ledger"].as_array().map(Vec::len), Some(2), "{whole}");
    let mails = bob.mail_about(&order).await;
    assert_eq!(cancelled(&mails), 1, "{mails:?}");
}

/// All that was told of a payment is told again.
async fn at_stripe_is_told_again(shop: &Shop, payment: &str) {
    for event in books(shop, payment).await["events"].as_array().expect("a list") {
        let path = format!("/local/stripe/events/{}", event["id"].as_str().expect("an id"));
        shop.post(&path, &json!({ "do": "deliver" })).await.is(200);
    }
}

// F6: our own failure is answered as one, and Stripe tells it again.
#[tokio::test]
async fn what_could_not_be_written_down_is_told_again_and_paid() {
    let (shop, aws, _soon) = open().await;
    let (bob, _, order, payment) = awaiting(&shop).await;
    let change = aws.change("receive-stripe-event").await;
    let failing = change.env("AWS_ENDPOINT_URL_DYNAMODB", &failure().await).make().await;
    at_stripe(&shop, &payment, json!({ "do": "pay" })).await;
    let is_refused =
        |delivery: &Value| delivery["tries"][0]["status"].as_u64().is_some_and(|status| status >= 500);
    eventually("our failure is told", async || {
        let books = books(&shop, &payment).await;
        books["deliveries"].as_array().is_some_and(|all| all.iter().any(is_refused)).then_some(())
    })
    .await;
    failing.undo();
    stands(&bob, &order, "paid").await;
}

// P10: no webhook comes, and the sweep asks. P20: nobody has paid, and the order is over.
#[tokio::test]
async fn when_the_time_to_pay_is_over_stripe_is_asked() {
    let (shop, aws, _soon) = open().await;
    let (bob, shoes, unpaid, _) = awaiting(&shop).await;
    let (eve, _, paid, payment) = awaiting(&shop).await;
    at_stripe(&shop, &payment, json!({ "do": "pay", "deliver": ["never"] })).await;
    aws.run_on_schedule("sweep-orders", Duration::ZERO).await;
    a_while().await;
    for (buyer, order) in [(&bob, &unpaid), (&eve, &paid)] {
        assert_eq!(buyer.order(order).await["status"], "awaiting_payment", "its time is not over");
    }
    aws.run_on_schedule("sweep-orders", LATER).await;
    stands(&eve, &paid, "paid").await;
    let over = stands(&bob, &unpaid, "void").await;
    assert_eq!((&over["status"], shop.stock_of(&shoes).await), (&json!("cancelled"), 3));
}

// The stock is held for as long as Stripe does not say that nobody can pay.
#[tokio::test]
async fn nothing_is_given_back_without_stripes_word() {
    let (shop, aws, _soon) = open().await;
    let (bob, shoes, order, _) = awaiting(&shop).await;
    let failing = aws.change("settle-payment").await.env("STRIPE_URL", &failure().await).make().await;
    aws.run_on_schedule("sweep-orders", LATER).await;
    a_while().await;
    assert_eq!(bob.order(&order).await["status"], "awaiting_payment");
    assert_eq!(shop.stock_of(&shoes).await, 2);
    failing.undo();
    aws.run_on_schedule("sweep-orders", 3 * LATER).await;
    stands(&bob, &order, "void").await;
    assert_eq!(shop.stock_of(&shoes).await, 3);
}

// The order is there, its page comes later, and it is one page.
#[tokio::test]
async fn an_order_whose_page_could_not_be_made_is_paid_by_the_same_attempt_later() {
    let (shop, aws, _soon) = open().await;
    let (bob, _) = in_the_cart(&shop).await;
    let down = aws.change("check-out-cart").await.env("STRIPE_URL", &failure().await).make().await;
    let placed = check_out(&bob).await.is(201);
    down.undo();
    assert_eq!(placed["payment"]["status"], "creating", "{placed}");
    let (order, payment) = (order_id(&placed), placed["payment"]["paymentId"].clone());
    let page = bob.request(Method::POST, &format!("/payments/{order}")).send().await.is(201);
    assert_eq!((&page["paymentId"], &page["status"]), (&payment, &json!("open")));
    let payment = payment.as_str().expect("an id");
    at_stripe(&shop, payment, json!({ "do": "pay" })).await;
    stands(&bob, &order, "paid").await;
    assert_eq!(books(&shop, payment).await["sessions"].as_array().map(Vec::len), Some(1));
}

// A cancelled order whose refund never reached its queue.
#[tokio::test]
async fn a_refund_that_the_queue_refused_is_swept_up() {
    let (shop, aws, _soon) = open().await;
    let paused = aws.pause("consume-orders").await;
    let (bob, _, order, payment) = awaiting(&shop).await;
    at_stripe(&shop, &payment, json!({ "do": "pay" })).await;
    stands(&bob, &order, "paid").await;
    let failing = aws.change("cancel-order").await.env("AWS_ENDPOINT_URL_SQS", &failure().await).make().await;
    bob.cancels(&order).await.is(200);
    failing.undo();
    paused.undo();
    a_while().await;
    assert_eq!(bob.order(&order).await["paymentStatus"], "refunding");
    aws.run_on_schedule("sweep-payments", LATER).await;
    stands(&bob, &order, "refunded").await;
    assert_eq!(books(&shop, &payment).await["balance"], json!({ "usd": 0 }));
}

// A provider that hangs is a problem in time, and changes nothing.
#[tokio::test]
async fn a_provider_that_does_not_answer_is_said_so_in_time() {
    let (shop, aws, _soon) = open().await;
    let (bob, _, order, payment) = awaiting(&shop).await;
    let hanging = aws.change("refresh-payment").await.env("STRIPE_URL", &silence().await).make().await;
    let answer = bob.request(Method::POST, &format!("/payments/{payment}/refresh")).send().await;
    hanging.undo();
    answer.is_problem(503, "payment-provider-unavailable");
    assert_eq!(bob.order(&order).await["status"], "awaiting_payment");
}
