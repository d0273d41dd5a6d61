//! Money that goes back: once, whatever is lost on the way, and again to the shop where the bank does not take it. The
//! numbers are those of docs/payments.md.

use serde_json::{Value, json};
use tests::aws::Aws;
use tests::paying::{Awaiting, awaiting, facts, key};
use tests::wait::{a_while, eventually};

/// Ten of what was paid are to go back.
async fn asked(of: &Awaiting) -> String {
    let asked = of.refunds(&json!({ "amount": 10 }), &key("refund")).await.is(201);
    asked["refundId"].as_str().expect("a refund").to_owned()
}

async fn once(of: &Awaiting, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    eventually(what, async || Some(of.whole().await).filter(&is_so)).await
}

/// The message that has the refund carried out comes again.
async fn comes_again(of: &Awaiting, refund: &str) {
    let message = json!({ "paymentId": of.payment, "refundId": refund });
    Aws::open().await.send_message("RefundsQueueUrl", &message).await;
}

/// What Stripe calls the refund.
async fn at_stripe(of: &Awaiting) -> String {
    let books = of.books().await;
    books["refunds"][0]["id"].as_str().expect("a refund").to_owned()
}

// F3: each answer is lost, the message comes again, and Stripe has forgotten the key.
#[tokio::test]
async fn a_refund_whose_answer_is_lost_is_one_refund() {
    let awaiting = awaiting().await;
    awaiting.is_paid().await;
    let lost =
        json!({ "fault": "answer-lost", "call": "POST /v1/refunds", "of": awaiting.payment, "times": 3 });
    awaiting.shop.post("/local/stripe/next-call", &lost).await.is(204);
    // Stripe tells of it nevertheless, unless that is lost as well.
    let untold = json!({ "deliver": ["never"], "of": awaiting.payment, "type": "refund.created" });
    awaiting.shop.post("/local/stripe/next-delivery", &untold).await.is(204);
    let refund = asked(&awaiting).await;
    eventually("Stripe has made it", async || {
        let books = awaiting.books().await;
        (books["refunds"].as_array().is_some_and(|refunds| refunds.len() == 1)).then_some(())
    })
    .await;
    // Its tries are over before a day is.
    a_while().await;
    let forgotten = json!({ "key": format!("refund-{refund}") });
    awaiting.shop.post("/local/stripe/forget-key", &forgotten).await.is(204);
    comes_again(&awaiting, &refund).await;
    let whole = once(&awaiting, "it is known", |whole| whole["refunds"][0]["status"] == "accepted").await;
    assert_eq!((&whole["refundable"], &whole["refunded"]), (&json!(89.99), &json!(10)));
    comes_again(&awaiting, &refund).await;
    a_while().await;
    let books = awaiting.books().await;
    assert_eq!(books["refunds"].as_array().map(Vec::len), Some(1), "{books}");
    assert_eq!(books["balance"], json!({ "usd": 8_999 }));
    assert_eq!(facts(&awaiting.whole().await), ["charge", "refund"]);
}

// F4, F6: it waits for its bank; whatever is told of it meanwhile is answered well.
#[tokio::test]
async fn a_refund_that_waits_for_its_bank_is_accepted_and_stays_so() {
    let awaiting = awaiting().await;
    awaiting.is_paid().await;
    let waits = json!({ "fault": "refund-pending", "call": "POST /v1/refunds", "of": awaiting.payment });
    awaiting.shop.post("/local/stripe/next-call", &waits).await.is(204);
    asked(&awaiting).await;
    once(&awaiting, "it is accepted", |whole| whole["refunds"][0]["status"] == "accepted").await;
    let refund = at_stripe(&awaiting).await;
    awaiting.shop.post(&format!("/local/stripe/refunds/{refund}"), &json!({ "do": "succeed" })).await.is(200);
    a_while().await;
    assert_eq!(facts(&awaiting.whole().await), ["charge", "refund"]);
    let books = awaiting.books().await;
    for delivery in books["deliveries"].as_array().expect("a list") {
        assert_eq!(delivery["tries"][0]["status"], 200, "{delivery}");
    }
}

// F7: days later the bank sends it back.
#[tokio::test]
async fn a_refund_that_fails_after_it_succeeded_is_the_shops_again() {
    let awaiting = awaiting().await;
    awaiting.is_paid().await;
    asked(&awaiting).await;
    awaiting.order_once("it went back", |order| order["paymentStatus"] == "partially_refunded").await;
    let refund = at_stripe(&awaiting).await;
    let fails = json!({ "do": "fail", "deliver": ["twice"] });
    awaiting.shop.post(&format!("/local/stripe/refunds/{refund}"), &fails).await.is(200);
    let whole = once(&awaiting, "it failed", |whole| whole["refunds"][0]["status"] == "failed").await;
    assert_eq!((&whole["refundable"], &whole["refunded"]), (&json!(99.99), &json!(0)));
    assert_eq!(facts(&whole), ["charge", "refund", "refund-failed"]);
    assert_eq!(awaiting.order().await["paymentStatus"], "paid");
    assert_eq!(awaiting.books().await["balance"], json!({ "usd": 9_999 }));
    // A person pays it back in another way, or tries again.
    asked(&awaiting).await;
    awaiting.order_once("it went back", |order| order["paymentStatus"] == "partially_refunded").await;
}
