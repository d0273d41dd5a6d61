//! Giving money back in parts: pieces of lines, what was paid at the door, and what somebody gave back otherwise. The
//! numbers are those of docs/payments.md.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::Answer;
use tests::shop::{Person, Shop, product, unique};
use tests::wait::{at_once, eventually};

use crate::payments::{Awaiting, awaiting_pieces, facts};

/// An order that is paid by card, of three pieces that came to 89.99 with a coupon.
async fn paid() -> Awaiting {
    let code = unique("REFUND").replace(' ', "-").to_uppercase();
    let coupon = json!({ "code": code, "kind": "percent", "value": 10 });
    Shop::open().admin().await.post("/coupons", &coupon).await.is(201);
    let awaiting = awaiting_pieces(3, "33.33", 89.99, &json!({ "couponCode": code })).await;
    awaiting.at_stripe(json!({ "do": "pay" })).await;
    awaiting.order_once("it is paid", |order| order["paymentStatus"] == "paid").await;
    awaiting
}

/// A key of its own for each request.
fn key() -> String {
    unique("refund").replace(' ', "-")
}

impl Awaiting {
    fn pieces(&self, quantity: u32) -> Value {
        json!({ "lines": [{ "id": self.product.id, "quantity": quantity }] })
    }

    /// The same refund so often at once, under these keys.
    async fn refunds_at_once(&self, asked: &Value, keys: &[String]) -> Vec<Answer> {
        let (admin, path) = (self.shop.admin().await, format!("/payments/{}/refund", self.payment));
        let answers = at_once(keys.len(), |number| {
            let request = admin.request(Method::POST, &path).header("idempotency-key", &keys[number]);
            let request = request.json(asked);
            async move { request.send().await }
        });
        answers.await
    }
}

// F9: with a discount that does not divide.
#[tokio::test]
async fn pieces_that_are_refunded_one_by_one_come_to_what_was_paid_for_the_line() {
    let paid = paid().await;
    for (amount, refundable) in [(29.99, 60.0), (30.0, 30.0), (30.0, 0.0)] {
        let asked = paid.refunds(&paid.pieces(1), &key()).await.is(201);
        let told = (asked["amount"].as_f64(), asked["refundable"].as_f64());
        assert_eq!(told, (Some(amount), Some(refundable)));
    }
    let order = paid.order_once("all of it went back", |order| order["paymentStatus"] == "refunded").await;
    assert_eq!(order["items"][0]["refundedQuantity"], 3);
    let whole = paid.whole().await;
    assert_eq!(facts(&whole), ["charge", "refund", "refund", "refund"]);
    let line = json!([{ "id": paid.product.id, "quantity": 1, "amount": 29.99 }]);
    assert_eq!(whole["refunds"][0]["lines"], line);
    paid.refunds(&paid.pieces(1), &key()).await.is_problem(409, "nothing-to-refund");
}

// F2: of one piece that is left, one of two admins refunds it.
#[tokio::test]
async fn two_admins_at_once_refund_no_piece_twice() {
    let paid = paid().await;
    let answers = paid.refunds_at_once(&paid.pieces(2), &[key(), key()]).await;
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
    let key = key();
    let answers = paid.refunds_at_once(&paid.pieces(1), &vec![key.clone(); 5]).await;
    let ids: Vec<Value> = answers.into_iter().map(|answer| answer.is(201)["refundId"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    paid.refunds(&paid.pieces(2), &key).await.is_problem(422, "idempotency-key-reused");
    assert_eq!(paid.order().await["items"][0]["refundedQuantity"], 1);
}

// F7, and what is done about it: the pieces are free again, and paid back in another way.
#[tokio::test]
async fn a_refund_that_comes_again_is_given_back_in_another_way() {
    let paid = paid().await;
    paid.refunds(&paid.pieces(3), &key()).await.is(201);
    paid.order_once("it went back", |order| order["paymentStatus"] == "refunded").await;
    let whole = paid.whole().await;
    let fact = whole["ledger"][1]["fact"].as_str().expect("a fact").to_owned();
    let at_stripe = fact.strip_prefix("refund:").expect("a refund");
    paid.shop.post(&format!("/local/stripe/sessions/{at_stripe}"), &json!({ "do": "fail" })).await.is(200);
    let order = paid.order_once("it came again", |order| order["paymentStatus"] == "paid").await;
    assert_eq!(order["items"][0].get("refundedQuantity"), None);
    let mut otherwise = paid.pieces(3);
    otherwise["outside"] = json!(true);
    let noted = paid.refunds(&otherwise, &key()).await.is(201);
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
    paid.refunds(&json!({ "amount": 40 }), &key()).await.is(201);
    let too_large = paid.refunds(&paid.pieces(2), &key()).await;
    assert_eq!(too_large.is_problem(409, "refund-too-large").body["refundable"], 49.99);
    paid.refunds(&paid.pieces(1), &key()).await.is(201);
    let other = json!({ "lines": [{ "id": paid.payment, "quantity": 1 }] });
    paid.refunds(&other, &key()).await.is_problem(422, "invalid-input");
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
        request.header("idempotency-key", &key()).json(body).send().await
    };
    refund(&json!({ "amount": 4 })).await.is_problem(409, "paid-in-cash");
    refund(&json!({ "amount": 4, "outside": true })).await.is(201);
    refund(&json!({ "amount": 6, "outside": true })).await.is_problem(409, "refund-too-large");
    let whole = admin.get(&format!("/payments/{id}")).await.is(200);
    assert_eq!((facts(&whole), &whole["refundable"]), (vec!["cash".into(), "outside".into()], &json!(5)));
    assert_eq!(buyer.order(&order).await["paymentStatus"], "partially_refunded");
}
