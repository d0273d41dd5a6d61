//! Payments while their queues stand still, and what is found of them though nobody told. The numbers are those of
//! docs/payments.md.

use std::time::Duration;

use serde_json::{Value, json};
use tests::aws::{Aws, ago};
use tests::logs::count_in_logs;
use tests::paying::{Awaiting, awaiting, facts};
use tests::wait::eventually;

use super::{HOUR, open};

/// Reads what happened at Stripe since then, as if it were two hours later.
async fn reconcile(aws: &Aws, since: &str) {
    aws.run_asked("reconcile-payments", 2 * HOUR, &json!({ "since": since })).await;
}

async fn whole_once(awaiting: &Awaiting, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    eventually(what, async || Some(awaiting.whole().await).filter(&is_so)).await
}

// P10 and F5, also where nobody comes back to the page: no webhook ever.
#[tokio::test]
async fn what_no_webhook_brought_is_found_and_counted_once() {
    let (_shop, aws, _soon) = open().await;
    let (since, awaiting) = (ago(Duration::ZERO), awaiting().await);
    let counted = || count_in_logs("reconcile-payments", "FactsMissed");
    let before = counted();
    awaiting.at_stripe(json!({ "do": "pay", "deliver": ["never"] })).await;
    awaiting.at_stripe(json!({ "do": "refund", "amount": 1_000, "deliver": ["never"] })).await;
    awaiting.at_stripe(json!({ "do": "dispute", "amount": 8_999, "deliver": ["never"] })).await;
    assert_eq!(awaiting.order().await["paymentStatus"], "unpaid");
    reconcile(&aws, &since).await;
    let order = awaiting.order().await;
    assert_eq!(order["paymentStatus"], "partially_refunded", "{order}");
    assert_ne!(order["status"], "awaiting_payment");
    let whole = awaiting.whole().await;
    assert_eq!(facts(&whole), ["charge", "dispute", "refund"]);
    assert_eq!(whole["disputes"][0]["status"], "open");
    // The charge, the refund, the dispute and that its money was taken.
    eventually("they are counted", async || (counted() == before + 4).then_some(())).await;
    reconcile(&aws, &since).await;
    assert_eq!(awaiting.whole().await, whole, "what was found is so once");
    assert_eq!((counted(), count_in_logs("reconcile-payments", "LedgerMismatch")), (before + 4, 0));
}

// Nothing is refunded that its buyer has from the bank, and nothing is kept of an order that nobody gets.
#[tokio::test]
async fn an_order_whose_money_a_bank_decides_about_is_cancelled_and_paid_back_once_it_has() {
    let (_shop, aws, _soon) = open().await;
    let paused = aws.pause("consume-orders").await;
    let paid = awaiting().await;
    paid.at_stripe(json!({ "do": "pay" })).await;
    paid.order_once("it is paid", |order| order["paymentStatus"] == "paid").await;
    let counted = || count_in_logs("receive-stripe-event", "DisputedBeforeShipping");
    let before = counted();
    let dispute = paid.at_stripe(json!({ "do": "dispute" })).await;
    whole_once(&paid, "it is disputed", |whole| whole["disputed"] == true).await;
    eventually("somebody is told to keep the goods", async || (counted() > before).then_some(())).await;
    let order = paid.buyer.cancels(&paid.order).await.is(200);
    assert_eq!((&order["status"], &order["paymentStatus"]), (&json!("cancelled"), &json!("paid")));
    assert_eq!(paid.stock().await, 3);
    assert_eq!(paid.whole().await["refunds"], json!([]));
    let dispute = dispute["object"]["id"].as_str().expect("an id");
    paid.happens("disputes", dispute, json!({ "do": "win", "deliver": ["twice"] })).await;
    paid.order_once("it went back", |order| order["paymentStatus"] == "refunded").await;
    let whole = whole_once(&paid, "once", |whole| facts(whole).len() == 4).await;
    assert_eq!(
        (facts(&whole).last().map(String::as_str), &whole["refunded"]),
        (Some("refund"), &json!(99.99))
    );
    paused.undo();
}
