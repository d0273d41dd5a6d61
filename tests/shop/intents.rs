//! Paying by card in a form of the web shop's own, which is off unless the template says otherwise; here it is on.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::Answer;
use tests::paying::{Awaiting, awaiting, facts};
use tests::wait::{a_while, eventually};

/// Asks for a form to pay an order in, or for the page again.
async fn start(awaiting: &Awaiting, kind: &str) -> Answer {
    let request = awaiting.buyer.request(Method::POST, &format!("/payments/{}", awaiting.order));
    request.json(&json!({ "kind": kind })).send().await
}

fn payment(started: &Value) -> String {
    started["paymentId"].as_str().expect("a payment").to_owned()
}

async fn seen(awaiting: &Awaiting, payment: &str) -> Value {
    awaiting.buyer.get(&format!("/payments/{payment}")).await.is(200)
}

#[tokio::test]
async fn an_order_is_paid_in_a_form_and_its_page_is_ended_for_it() {
    let awaiting = awaiting().await;
    let form = start(&awaiting, "payment_intent").await.is(201);
    let by_form = payment(&form);
    assert_ne!(by_form, awaiting.payment);
    assert_eq!((&form["status"], form.get("url")), (&json!("open"), None));
    assert!(form["clientSecret"].as_str().is_some_and(|secret| secret.contains("_secret_")), "{form}");
    assert_eq!(form["publishableKey"], "pk_local_cartwright");
    assert_eq!(
        seen(&awaiting, &awaiting.payment).await["status"],
        "dead",
        "nobody pays on the page any more"
    );
    // The form is given again, by Stripe's word: nothing of it is kept here.
    let again = start(&awaiting, "payment_intent").await.is(200);
    assert_eq!((payment(&again), &again["clientSecret"]), (by_form.clone(), &form["clientSecret"]));
    assert_eq!(seen(&awaiting, &by_form).await.get("clientSecret"), None);
    awaiting.happens("intents", &by_form, json!({ "do": "decline" })).await;
    a_while().await;
    assert_eq!(awaiting.order().await["status"], "awaiting_payment");
    awaiting.happens("intents", &by_form, json!({ "do": "pay", "deliver": ["twice"] })).await;
    awaiting.order_once("it is paid", |order| order["paymentStatus"] == "paid").await;
    let whole = awaiting.shop.admin().await.get(&format!("/payments/{by_form}")).await.is(200);
    assert_eq!((facts(&whole), &whole["refundable"]), (vec!["charge".to_owned()], &json!(99.99)));
    start(&awaiting, "payment_intent").await.is_problem(409, "already-paid");
}

#[tokio::test]
async fn a_form_is_paid_by_stripes_word_where_no_webhook_comes_and_ended_where_nobody_pays() {
    let paid = awaiting().await;
    let by_form = payment(&start(&paid, "payment_intent").await.is(201));
    paid.happens("intents", &by_form, json!({ "do": "pay", "deliver": ["never"] })).await;
    let refreshed =
        paid.buyer.request(Method::POST, &format!("/payments/{by_form}/refresh")).send().await.is(200);
    assert_eq!(refreshed["paymentStatus"], "paid");

    let paid = awaiting().await;
    let by_form = payment(&start(&paid, "payment_intent").await.is(201));
    paid.happens("intents", &by_form, json!({ "do": "pay", "deliver": ["never"] })).await;
    paid.is_due().await;
    paid.order_once("the sweep asks", |order| order["paymentStatus"] == "paid").await;

    let unpaid = awaiting().await;
    let by_form = payment(&start(&unpaid, "payment_intent").await.is(201));
    unpaid.is_due().await;
    unpaid.order_once("it is over", |order| order["status"] == "cancelled").await;
    assert_eq!(unpaid.stock().await, 3);
    assert_eq!(seen(&unpaid, &by_form).await["status"], "dead");
}

// P16, P17: of what is open in two ways one is ended first, whichever it is.
#[tokio::test]
async fn a_page_ends_the_form_that_was_open_before_it() {
    let awaiting = awaiting().await;
    let by_form = payment(&start(&awaiting, "payment_intent").await.is(201));
    let page = start(&awaiting, "checkout_session").await.is(201);
    assert!(page["url"].is_string() && page.get("clientSecret").is_none(), "{page}");
    // Its end is told by an event as well, which ends neither the order nor the page.
    eventually("the form is ended", async || {
        (seen(&awaiting, &by_form).await["status"] == "dead").then_some(())
    })
    .await;
    a_while().await;
    assert_eq!(awaiting.order().await["status"], "awaiting_payment");
    awaiting.happens("sessions", &payment(&page), json!({ "do": "pay" })).await;
    awaiting.order_once("it is paid", |order| order["paymentStatus"] == "paid").await;
}

#[tokio::test]
async fn a_way_that_is_none_is_refused_and_no_body_means_the_page() {
    let awaiting = awaiting().await;
    start(&awaiting, "cash").await.is_problem(422, "invalid-input");
    let path = format!("/payments/{}", awaiting.order);
    let open = awaiting.buyer.request(Method::POST, &path).send().await.is(200);
    assert_eq!(payment(&open), awaiting.payment);
    let same = awaiting.buyer.request(Method::POST, &path).json(&json!({})).send().await.is(200);
    assert_eq!(payment(&same), awaiting.payment);
}
