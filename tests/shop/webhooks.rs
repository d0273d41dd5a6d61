//! What Stripe tells of a payment: many times at once, in the words of other versions, badly signed, and of attempts
//! that others have taken the place of. The numbers are those of docs/payments.md.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::{Answer, calls};
use tests::aws::Aws;
use tests::paying::{Awaiting, awaiting, facts};
use tests::shop::{Shop, history, product};
use tests::stripe::signature;
use tests::wait::{a_while, at_once, eventually};

/// The tries to deliver what was told of a payment.
async fn deliveries(of: &Awaiting) -> Vec<Value> {
    of.books().await["deliveries"].as_array().expect("a list").clone()
}

/// The event of this type that came of an act.
fn event_of(done: &Value, number: usize) -> String {
    done["events"][number].as_str().unwrap_or_else(|| panic!("no event in {done}")).to_owned()
}

async fn tells_again(shop: &Shop, event: &str) {
    shop.post(&format!("/local/stripe/events/{event}"), &json!({ "do": "deliver" })).await.is(200);
}

/// Sends a body with the signature of another one, or of the same.
async fn signed(shop: &Shop, content_type: &str, body: &str, sent: &str) -> Answer {
    let request = shop.request(Method::POST, "/payments/webhook").header("content-type", content_type);
    request.header("stripe-signature", &signature(body).await).body(sent.to_owned()).send().await
}

// P2: told 25 times, and asked for 25 times, at once.
#[tokio::test]
async fn what_many_hear_at_once_counts_once() {
    let awaiting = awaiting().await;
    let paid = awaiting.at_stripe(json!({ "do": "pay", "deliver": ["never"] })).await;
    let told: Vec<_> = (0..2).map(|number| event_of(&paid, number)).collect();
    let answers = at_once(50, |number| {
        let event = told[number % 2].clone();
        let path = format!("/payments/{}/refresh", awaiting.payment);
        let (shop, buyer) = (awaiting.shop.clone(), awaiting.buyer.clone());
        async move {
            if number % 2 == 0 {
                buyer.request(Method::POST, &path).send().await.status
            } else {
                tells_again(&shop, &event).await;
                200
            }
        }
    });
    assert!(answers.await.iter().all(|status| *status == 200));
    awaiting.order_once("it is paid", |order| order["paymentStatus"] == "paid").await;
    a_while().await;
    assert_eq!(facts(&awaiting.whole().await), ["charge"]);
    let order = awaiting.order().await;
    assert_eq!(history(&order).iter().filter(|status| **status == "pending").count(), 1, "{order}");
}

// P11: that a card was declined is told again after another one paid.
#[tokio::test]
async fn a_decline_that_is_told_late_changes_nothing() {
    let awaiting = awaiting().await;
    let declined = awaiting.at_stripe(json!({ "do": "decline", "deliver": ["once"] })).await;
    awaiting.is_paid().await;
    tells_again(&awaiting.shop, &event_of(&declined, 0)).await;
    a_while().await;
    assert_eq!(awaiting.order().await["paymentStatus"], "paid");
    assert_eq!(facts(&awaiting.whole().await), ["charge"]);
}

// P15, P29: what its seller does to a product after the order changes nothing of that.
#[tokio::test]
async fn an_order_is_paid_at_its_own_price_whatever_became_of_its_product() {
    let (dearer, gone) = (awaiting().await, awaiting().await);
    dearer.seller.put(&dearer.product.path(), &json!({ "productPrice": 120 })).await.is(200);
    let delete = gone.seller.request(Method::DELETE, &gone.product.path()).send().await;
    assert_eq!(delete.status, 204, "{}", delete.body);
    for awaiting in [dearer, gone] {
        awaiting.is_paid().await;
        let order = awaiting.buyer.order_once(&awaiting.order, "shipping").await;
        assert_eq!((&order["total"], &awaiting.whole().await["amount"]), (&json!(99.99), &json!(99.99)));
        assert_eq!(awaiting.books().await["balance"], json!({ "usd": 9_999 }));
    }
}

// P16, P17: a new attempt begins once nobody can pay by the old one, whose end is told late.
#[tokio::test]
async fn of_two_attempts_one_pays_and_the_end_of_the_other_ends_nothing() {
    let mut awaiting = awaiting().await;
    let (first, order) = (awaiting.payment.clone(), awaiting.order.clone());
    let pay_again = || awaiting.buyer.request(Method::POST, &format!("/payments/{order}")).send();
    // Its time is over, and Stripe does not say so.
    let over = json!({
        "TableName": Aws::open().await.output("PaymentsTable"),
        "Key": { "paymentId": { "S": first }, "entry": { "S": "payment" } },
        "UpdateExpression": "SET expiresAt = :past",
        "ExpressionAttributeValues": { ":past": { "S": "2026-01-01T00:00:00.000Z" } }
    });
    Aws::open().await.json("dynamodb", "DynamoDB_20120810.UpdateItem", over).await;
    let again = pay_again().await;
    let timing = again.calls();
    let second = again.is(201);
    assert_eq!(timing, calls([("dynamodb", 6), ("stripe", 2)]));
    let second = second["paymentId"].as_str().expect("a payment").to_owned();
    assert_ne!(second, first);
    let expired = awaiting.books().await;
    assert_eq!(expired["sessions"][0]["status"], "expired", "before there is another page");
    a_while().await;
    assert_eq!(awaiting.order().await["status"], "awaiting_payment");

    awaiting.payment.clone_from(&second);
    awaiting.is_paid().await;
    tells_again(&awaiting.shop, expired["events"][0]["id"].as_str().expect("an event")).await;
    a_while().await;
    assert_eq!(awaiting.order().await["paymentStatus"], "paid");

    // Two are paid all the same: the later one goes back.
    awaiting.payment = first;
    awaiting.at_stripe(json!({ "do": "pay", "force": true })).await;
    let went_back = |whole: &Value| whole["refunds"][0]["status"] == "accepted";
    let whole = eventually("it went back", async || Some(awaiting.whole().await).filter(went_back));
    let whole = whole.await;
    assert_eq!(
        (&whole["refunds"][0]["reason"], &whole["refunds"][0]["amount"]),
        (&json!("duplicate"), &json!(99.99))
    );
    assert_eq!(awaiting.order().await["paymentStatus"], "paid");
    assert_eq!(awaiting.books().await["balance"], json!({ "usd": 0 }));
}

// P26: an order that is paid at the door is no business of Stripe's.
#[tokio::test]
async fn an_order_that_is_paid_at_the_door_hears_nothing_of_stripe() {
    let shop = Shop::open();
    let (seller, buyer) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = seller.sells(product().named("tea").priced("4.50").stock(3)).await;
    let order = buyer.buys(&tea, 1).await;
    buyer.order_once(&order, "shipping").await;
    let payment = uuid::Uuid::now_v7().to_string();
    let stack = std::env::var("CARTWRIGHT_STACK").expect("a stack");
    let metadata = json!({ "order_id": order, "payment_id": payment, "shop": stack });
    for (kind, object) in [
        (
            "checkout.session.completed",
            json!({
                "id": "cs_test_1", "object": "checkout.session", "status": "complete", "payment_status": "paid",
                "payment_intent": "pi_1", "amount_total": 450, "currency": "usd", "metadata": metadata
            }),
        ),
        (
            "checkout.session.expired",
            json!({
                "id": "cs_test_1", "object": "checkout.session", "status": "expired", "payment_status": "unpaid",
                "metadata": metadata
            }),
        ),
    ] {
        let event = json!({
            "id": "evt_1", "object": "event", "type": kind, "livemode": false, "created": 1_796_000_000,
            "data": { "object": object }
        });
        let event = event.to_string();
        let answer = signed(&shop, "application/json", &event, &event).await;
        assert_eq!(answer.is(200)["received"], true, "{kind}");
    }
    let seen = buyer.order(&order).await;
    assert_eq!((&seen["status"], &seen["total"]), (&json!("shipping"), &json!(4.5)));
    assert_eq!(shop.stock_of(&tea).await, 2);
}

// P27: what is signed are the bytes, however they are sent and whatever they are.
#[tokio::test]
async fn a_signature_is_of_the_bytes_that_were_sent() {
    let shop = Shop::open();
    let event = r#"{"id": "evt_1", "type": "customer.created", "livemode": false, "data": {"object": {"id": "cus_1",NAME}}}"#;
    for name in [r#""name": "ü""#, r#""name": "\u00fc""#, "\r\n  \"name\" :\t1  ", r#""name": "1 + 1 = %32""#]
    {
        let body = event.replace("NAME", name);
        for content_type in
            ["application/json", "application/json; charset=utf-8", "application/octet-stream"]
        {
            let answer = signed(&shop, content_type, &body, &body).await;
            assert_eq!(answer.calls(), calls([]), "{content_type} {body}");
            assert_eq!(
                answer.is(200),
                json!({ "received": true, "ignored": "type" }),
                "{content_type} {body}"
            );
            let another = body.replacen("evt_1", "evt_2", 1);
            let changed = signed(&shop, content_type, &body, &another).await;
            changed.is_problem(400, "bad-signature");
        }
    }
}

// P28: events of a version of years ago, and of one that is to come.
#[tokio::test]
async fn an_event_of_another_version_is_understood() {
    for version in ["api-2019", "api-2030"] {
        let awaiting = awaiting().await;
        awaiting.at_stripe(json!({ "do": "pay", "deliver": [version] })).await;
        awaiting.order_once(version, |order| order["paymentStatus"] == "paid").await;
        let is_heard = |one: &Value| one["tries"][0]["status"] == 200;
        eventually("all of it is heard, the first time", async || {
            deliveries(&awaiting).await.iter().all(is_heard).then_some(())
        })
        .await;
    }
}

// P30: what was signed too long ago is told again by then, and while a secret is changed either will do.
#[tokio::test]
async fn a_signature_is_of_now_and_of_the_old_secret_while_it_is_changed() {
    for (manner, first) in [("old", 400), ("rolled", 200)] {
        let awaiting = awaiting().await;
        awaiting
            .at_stripe(json!({ "do": "pay", "deliver": [manner], "type": "checkout.session.completed" }))
            .await;
        a_while().await;
        let deliveries = deliveries(&awaiting).await;
        let of_it = deliveries.iter().find(|one| one["type"] == "checkout.session.completed").expect("it");
        assert_eq!(of_it["tries"][0]["status"], first, "{manner}: {of_it}");
    }
}
