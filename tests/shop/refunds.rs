//! Money that goes back: an amount, pieces of lines, what was paid at the door, and what somebody gave back otherwise;
//! once, whatever is lost on the way, and again to the shop where the bank does not take it. The numbers are those of
//! docs/payments.md.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::Answer;
use tests::aws::Aws;
use tests::paying::{Awaiting, awaiting, awaiting_pieces, facts, key};
use tests::shop::{Person, Shop, product};
use tests::wait::{a_while, at_once, eventually};

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

/// An order that is paid by card, of three pieces that came to 89.99 with a coupon.
async fn paid() -> Awaiting {
    let code = key("refund").to_uppercase();
    let coupon = json!({ "code": code, "kind": "percent", "value": 10 });
    Shop::open().admin().await.post("/coupons", &coupon).await.is(201);
    let awaiting = awaiting_pieces(3, "33.33", 89.99, &json!({ "couponCode": code })).await;
    awaiting.is_paid().await;
    awaiting
}

fn pieces(of: &Awaiting, quantity: u32) -> Value {
    json!({ "lines": [{ "id": of.product.id, "quantity": quantity }] })
}

/// The same refund so often at once, under these keys.
async fn refunds_at_once(of: &Awaiting, asked: &Value, keys: &[String]) -> Vec<Answer> {
    let (admin, path) = (of.shop.admin().await, format!("/payments/{}/refund", of.payment));
    let answers = at_once(keys.len(), |number| {
        let request = admin.request(Method::POST, &path).header("idempotency-key", &keys[number]);
        let request = request.json(asked);
        async move { request.send().await }
    });
    answers.await
}

// F9: with a discount that does not divide.
#[tokio::test]
async fn pieces_that_are_refunded_one_by_one_come_to_what_was_paid_for_the_line() {
    let paid = paid().await;
    for (amount, refundable) in [(29.99, 60.0), (30.0, 30.0), (30.0, 0.0)] {
        let asked = paid.refunds(&pieces(&paid, 1), &key("refund")).await.is(201);
        let told = (asked["amount"].as_f64(), asked["refundable"].as_f64());
        assert_eq!(told, (Some(amount), Some(refundable)));
    }
    let order = paid.order_once("all of it went back", |order| order["paymentStatus"] == "refunded").await;
    assert_eq!(order["items"][0]["refundedQuantity"], 3);
    let whole = paid.whole().await;
    assert_eq!(facts(&whole), ["charge", "refund", "refund", "refund"]);
    let line = json!([{ "id": paid.product.id, "quantity": 1, "amount": 29.99 }]);
    assert_eq!(whole["refunds"][0]["lines"], line);
    paid.refunds(&pieces(&paid, 1), &key("refund")).await.is_problem(409, "nothing-to-refund");
}

// F2: of one piece that is left, one of two admins refunds it.
#[tokio::test]
async fn two_admins_at_once_refund_no_piece_twice() {
    let paid = paid().await;
    let answers = refunds_at_once(&paid, &pieces(&paid, 2), &[key("refund"), key("refund")]).await;
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((done.len(), refused.len()), (1, 1));
    for answer in refused {
        let problem = answer.is_problem(409, "already-refunded").body;
        assert_eq!((&problem["productId"], &problem["left"]), (&json!(paid.product.id), &json!(1)));
    }
    let whole = eventually("it went back", async || {
        Some(paid.whole().await).filter(|whole| whole["refunds"][0]["status"] == "accepted")
    });
    assert_eq!(facts(&whole.await), ["charge", "refund"]);
}

// F3: with its key it is once, however often it is asked for, also at once.
#[tokio::test]
async fn a_refund_of_pieces_is_made_once_for_its_key() {
    let paid = paid().await;
    let key = key("refund");
    let answers = refunds_at_once(&paid, &pieces(&paid, 1), &vec![key.clone(); 5]).await;
    let ids: Vec<Value> = answers.into_iter().map(|answer| answer.is(201)["refundId"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    paid.refunds(&pieces(&paid, 2), &key).await.is_problem(422, "idempotency-key-reused");
    assert_eq!(paid.order().await["items"][0]["refundedQuantity"], 1);
}

// F7, and what is done about it: the pieces are free again, and paid back in another way.
#[tokio::test]
async fn a_refund_that_comes_again_is_given_back_in_another_way() {
    let paid = paid().await;
    paid.refunds(&pieces(&paid, 3), &key("refund")).await.is(201);
    paid.order_once("it went back", |order| order["paymentStatus"] == "refunded").await;
    let refund = at_stripe(&paid).await;
    paid.happens("refunds", &refund, json!({ "do": "fail" })).await;
    let order = paid.order_once("it came again", |order| order["paymentStatus"] == "paid").await;
    assert_eq!(order["items"][0].get("refundedQuantity"), None);
    let mut otherwise = pieces(&paid, 3);
    otherwise["outside"] = json!(true);
    let noted = paid.refunds(&otherwise, &key("refund")).await.is(201);
    assert_eq!((&noted["status"], &noted["amount"]), (&json!("accepted"), &json!(89.99)));
    assert_eq!(paid.order().await["paymentStatus"], "refunded");
    let whole = paid.whole().await;
    assert_eq!(facts(&whole), ["charge", "refund", "refund-failed", "outside"]);
    assert_eq!((&whole["refunds"][1]["outside"], &whole["refundable"]), (&json!(true), &json!(0)));
}

// F10: an amount of what is left, whatever pieces were refunded before; and never more than that.
#[tokio::test]
async fn an_amount_and_pieces_together_are_never_more_than_what_is_left() {
    let paid = paid().await;
    paid.refunds(&json!({ "amount": 40 }), &key("refund")).await.is(201);
    let too_large = paid.refunds(&pieces(&paid, 2), &key("refund")).await;
    assert_eq!(too_large.is_problem(409, "refund-too-large").body["refundable"], 49.99);
    paid.refunds(&pieces(&paid, 1), &key("refund")).await.is(201);
    let other = json!({ "lines": [{ "id": paid.payment, "quantity": 1 }] });
    paid.refunds(&other, &key("refund")).await.is_problem(422, "invalid-input");
}

/// An order that is paid at the door, of so many pieces at 4.50, on its way.
async fn on_its_way(shop: &Shop, seller: &Person, pieces: u32) -> (Person, String) {
    let buyer = shop.person("Bob").await;
    let tea = seller.sells(product().named("tea").priced("4.50").stock(9)).await;
    let order = buyer.buys(&tea, pieces).await;
    buyer.order_once(&order, "shipping").await;
    (buyer, order)
}

// R5.
#[tokio::test]
async fn what_is_paid_at_the_door_is_a_payment_once_it_has_arrived() {
    let shop = Shop::open();
    let seller = shop.person("Ann").await;
    let (buyer, order) = on_its_way(&shop, &seller, 2).await;
    let payments = format!("/payments/order/{order}");
    assert_eq!(buyer.get(&payments).await.is(200)["payments"], json!([]));
    let path = format!("/orders/{order}/status");
    let told = at_once(5, |_| {
        let request = seller.request(Method::PUT, &path).json(&json!({ "status": "delivered" }));
        async move { request.send().await }
    });
    assert!(told.await.iter().all(|answer| answer.status == 200));
    let listed = buyer.get(&payments).await.is(200)["payments"].clone();
    let [payment] = listed.as_array().expect("payments").as_slice() else { panic!("{listed}") };
    assert_eq!((&payment["kind"], &payment["status"]), (&json!("cash"), &json!("captured")));
    assert_eq!((&payment["amount"], &payment["refundable"]), (&json!(9), &json!(9)));
    assert_eq!(payment.get("expiresAt"), None);
    assert_eq!(buyer.order(&order).await["paymentStatus"], "paid");

    let admin = shop.admin().await;
    let id = payment["paymentId"].as_str().expect("an id");
    let refund = async |body: &Value| {
        let request = admin.request(Method::POST, &format!("/payments/{id}/refund"));
        request.header("idempotency-key", &key("refund")).json(body).send().await
    };
    refund(&json!({ "amount": 4 })).await.is_problem(409, "paid-in-cash");
    refund(&json!({ "amount": 4, "outside": true })).await.is(201);
    refund(&json!({ "amount": 6, "outside": true })).await.is_problem(409, "refund-too-large");
    let whole = admin.get(&format!("/payments/{id}")).await.is(200);
    assert_eq!((facts(&whole), &whole["refundable"]), (vec!["cash".into(), "outside".into()], &json!(5)));
    assert_eq!(buyer.order(&order).await["paymentStatus"], "partially_refunded");
}
