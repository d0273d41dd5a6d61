//! Sending things back: asked for by who bought them, decided by the shop, and paid back once they are here.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::Answer;
use tests::paying::{Awaiting, awaiting_pieces, facts, key};
use tests::shop::{Mail, Person, Product, Shop, product, unique};
use tests::wait::{a_while, at_once, eventually};

fn items(product: &Product, quantity: u32) -> Value {
    json!({ "items": [{ "id": product.id, "quantity": quantity }], "reason": "Too small." })
}

fn id(asked: &Value) -> String {
    asked["returnId"].as_str().expect("a return's id").to_owned()
}

/// What somebody says of a return.
async fn says(person: &Person, asked: &str, decision: &Value) -> Answer {
    person.put(&format!("/returns/{asked}"), decision).await
}

/// An order of three pieces that came to 99.99, paid by card and on its way.
async fn shipped() -> Awaiting {
    let awaiting = awaiting_pieces(3, "33.33", 99.99, &json!({})).await;
    awaiting.is_paid().await;
    awaiting.order_once("it ships", |order| order["status"] == "shipping").await;
    awaiting
}

async fn asks(of: &Awaiting, quantity: u32) -> Answer {
    of.buyer.post(&format!("/orders/{}/returns", of.order), &items(&of.product, quantity)).await
}

async fn mails_once_there_is(of: &Awaiting, subject: &str) -> Vec<Mail> {
    let has = |mails: &Vec<Mail>| mails.iter().any(|mail| mail.subject == subject);
    let told = async || Some(of.buyer.mail_about(&of.order).await).filter(has);
    eventually(&format!("there is mail: {subject}"), told).await
}

// R2.
#[tokio::test]
async fn what_comes_back_is_paid_back_and_sold_again_once_and_its_buyer_told_each_time() {
    let shipped = shipped().await;
    let admin = shipped.shop.admin().await;
    let asked = asks(&shipped, 2).await.is(201);
    assert_eq!((&asked["status"], &asked["reason"]), (&json!("requested"), &json!("Too small.")));
    assert_eq!(shipped.order().await["items"][0]["returnedQuantity"], 2);
    mails_once_there_is(&shipped, "We have your request to return shoes").await;

    let (asked, stock) = (id(&asked), shipped.stock().await);
    let accepted = says(admin, &asked, &json!({ "status": "accepted" })).await.is(200);
    assert_eq!(accepted["status"], "accepted");
    mails_once_there_is(&shipped, "You can send shoes back").await;

    // However often it is said, also at once.
    let received = json!({ "status": "received", "restock": true });
    let answers = at_once(4, |_| {
        let request = admin.request(Method::PUT, &format!("/returns/{asked}")).json(&received);
        async move { request.send().await }
    });
    let answers: Vec<Value> = answers.await.into_iter().map(|answer| answer.is(200)).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!((&answers[0]["status"], &answers[0]["refund"]["amount"]), (&json!("received"), &json!(66.66)));
    assert_eq!(shipped.stock().await, stock + 2);
    let order =
        shipped.order_once("it went back", |order| order["paymentStatus"] == "partially_refunded").await;
    assert_eq!((&order["items"][0]["refundedQuantity"], &order["status"]), (&json!(2), &json!("shipping")));
    let whole = shipped.whole().await;
    assert_eq!(
        (facts(&whole), &whole["refunds"][0]["reason"]),
        (vec!["charge".into(), "refund".into()], &json!("returned"))
    );
    let mails = mails_once_there_is(&shipped, "We have shoes back").await;
    let told = mails.iter().find(|mail| mail.subject == "We have shoes back").expect("told");
    assert!(told.text.contains("You get 66.66 USD back."), "{}", told.text);
    a_while().await;
    let mails = shipped.buyer.mail_about(&shipped.order).await;
    let twice = |mail: &&Mail| mail.subject == "We have shoes back" || mail.subject.starts_with("You get");
    assert_eq!(
        mails.iter().filter(twice).count(),
        1,
        "the letter of the return tells of its refund: {mails:?}"
    );

    says(admin, &asked, &json!({ "status": "refused" })).await.is_problem(409, "return-decided");
    let listed = shipped.buyer.get(&format!("/orders/{}/returns", shipped.order)).await.is(200);
    assert_eq!(listed["returns"], json!([answers[0]]));
}

// R1.
#[tokio::test]
async fn no_piece_is_in_two_returns_unless_the_first_was_refused() {
    let shipped = shipped().await;
    let admin = shipped.shop.admin().await;
    let path = format!("/orders/{}/returns", shipped.order);
    let body = items(&shipped.product, 2);
    let answers = at_once(3, |_| {
        let request = shipped.buyer.request(Method::POST, &path).json(&body);
        async move { request.send().await }
    });
    let (asked, refused): (Vec<_>, Vec<_>) =
        answers.await.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((asked.len(), refused.len()), (1, 2));
    for answer in refused {
        let problem = answer.is_problem(409, "not-returnable").body;
        assert_eq!((&problem["reason"], &problem["left"]), (&json!("too-many"), &json!(1)));
    }
    let asked = id(&asked.into_iter().next().expect("one").is(201));
    let open = admin.get("/admin/returns?limit=100").await.is(200);
    assert!(open["returns"].as_array().expect("returns").iter().any(|one| id(one) == asked));

    let why = json!({ "status": "refused", "reason": "They were worn." });
    let refused = says(admin, &asked, &why).await.is(200);
    assert_eq!((&refused["status"], &refused["refusal"]), (&json!("refused"), &json!("They were worn.")));
    let mails = mails_once_there_is(&shipped, "We do not take shoes back").await;
    assert!(mails.iter().any(|mail| mail.text.contains("They were worn.")), "{mails:?}");
    says(admin, &asked, &json!({ "status": "received" })).await.is_problem(409, "return-decided");
    let open = admin.get("/admin/returns?limit=100").await.is(200);
    assert!(open["returns"].as_array().expect("returns").iter().all(|one| id(one) != asked));
    asks(&shipped, 3).await.is(201);
    assert_eq!(facts(&shipped.whole().await), ["charge"], "nothing went back");
}

#[tokio::test]
async fn a_return_that_is_asked_for_again_with_its_key_is_one() {
    let shipped = shipped().await;
    let (path, key) = (format!("/orders/{}/returns", shipped.order), key("return"));
    let body = items(&shipped.product, 1);
    let answers = at_once(5, |_| {
        let request = shipped.buyer.request(Method::POST, &path).header("idempotency-key", &key);
        let request = request.json(&body);
        async move { request.send().await }
    });
    let ids: Vec<String> = answers.await.into_iter().map(|answer| id(&answer.is(201))).collect();
    assert!(ids.iter().all(|one| *one == ids[0]), "{ids:?}");
    assert_eq!(shipped.order().await["items"][0]["returnedQuantity"], 1);
}

// R3.
#[tokio::test]
async fn pieces_that_were_refunded_before_come_back_for_nothing() {
    let shipped = shipped().await;
    let lines = json!({ "lines": [{ "id": shipped.product.id, "quantity": 2 }] });
    shipped.refunds(&lines, &key("refund")).await.is(201);
    let asked = id(&asks(&shipped, 3).await.is(201));
    let received = says(shipped.shop.admin().await, &asked, &json!({ "status": "received" })).await.is(200);
    assert_eq!(received["refund"]["amount"], 33.33);
    shipped.order_once("all of it went back", |order| order["paymentStatus"] == "refunded").await;
}

// R3: of a refund and a receipt of the same pieces one pays them back, whichever comes first.
#[tokio::test]
async fn a_refund_and_a_receipt_at_once_pay_the_same_pieces_back_once() {
    let shipped = shipped().await;
    let admin = shipped.shop.admin().await;
    let asked = id(&asks(&shipped, 3).await.is(201));
    let lines = json!({ "lines": [{ "id": shipped.product.id, "quantity": 3 }] });
    let (key, received) = (key("refund"), json!({ "status": "received" }));
    let (refund, receipt) = tokio::join!(shipped.refunds(&lines, &key), says(admin, &asked, &received));
    let receipt = receipt.is(200);
    match refund.status {
        201 => assert_eq!(receipt.get("refund"), None, "{receipt}"),
        _ => assert_eq!(receipt["refund"]["amount"], 99.99),
    }
    shipped.order_once("all of it went back", |order| order["paymentStatus"] == "refunded").await;
    assert_eq!(facts(&shipped.whole().await), ["charge", "refund"]);
    assert_eq!(shipped.order().await["items"][0]["refundedQuantity"], 3);
}

// R6: as long as a bank decides, nothing is paid back; and nothing once it has decided for the buyer.
#[tokio::test]
async fn a_return_waits_for_the_bank_and_is_for_nothing_where_that_gives_the_buyer_the_money() {
    let shipped = shipped().await;
    let admin = shipped.shop.admin().await;
    let asked = id(&asks(&shipped, 1).await.is(201));
    let begun = shipped.at_stripe(json!({ "do": "dispute", "amount": 9_999 })).await;
    let dispute = begun["object"]["id"].as_str().expect("a dispute").to_owned();
    let is_disputed = async || Some(shipped.whole().await).filter(|whole| whole["disputed"] == true);
    eventually("it is disputed", is_disputed).await;
    let received = json!({ "status": "received", "restock": true });
    says(admin, &asked, &received).await.is_problem(409, "payment-disputed");
    let lines = json!({ "lines": [{ "id": shipped.product.id, "quantity": 1 }], "outside": true });
    shipped.refunds(&lines, &key("refund")).await.is_problem(409, "payment-disputed");

    shipped.happens("disputes", &dispute, json!({ "do": "lose" })).await;
    shipped.order_once("it is lost", |order| order["paymentStatus"] == "charged_back").await;
    let stock = shipped.stock().await;
    let done = says(admin, &asked, &received).await.is(200);
    assert_eq!((&done["status"], done.get("refund")), (&json!("received"), None));
    assert_eq!(shipped.stock().await, stock + 1);
    assert_eq!(shipped.whole().await["refunds"], json!([]));
    assert_eq!(shipped.order().await["items"][0].get("refundedQuantity"), None);
}

#[tokio::test]
async fn who_sells_all_of_it_decides_a_return_and_others_do_not() {
    let shop = Shop::open();
    let (seller, buyer, stranger) =
        (shop.person("Ann").await, shop.person("Bob").await, shop.person("Eve").await);
    let tea = seller.sells(product().named("tea").priced("4.50").stock(9)).await;
    let order = buyer.buys(&tea, 2).await;
    let path = format!("/orders/{order}/returns");
    buyer.order_once(&order, "shipping").await;
    stranger.post(&path, &items(&tea, 1)).await.is_problem(404, "not-found");
    stranger.get(&path).await.is_problem(404, "not-found");
    let other = json!({ "items": [{ "id": order, "quantity": 1 }] });
    buyer.post(&path, &other).await.is_problem(422, "invalid-input");
    let asked = id(&buyer.post(&path, &items(&tea, 1)).await.is(201));
    for person in [&stranger, &buyer] {
        says(person, &asked, &json!({ "status": "accepted" })).await.is_problem(404, "not-found");
    }
    says(&seller, &asked, &json!({ "status": "accepted" })).await.is(200);
    let outside = json!({ "status": "received", "outside": true });
    says(&seller, &asked, &outside).await.is_problem(403, "forbidden");

    // It is paid at the door: nobody has said yet that it was.
    let admin = shop.admin().await;
    says(admin, &asked, &outside).await.is_problem(409, "not-delivered");
    seller.put(&format!("/orders/{order}/status"), &json!({ "status": "delivered" })).await.is(200);
    says(&seller, &asked, &json!({ "status": "received" })).await.is_problem(409, "paid-in-cash");
    let received = says(admin, &asked, &outside).await.is(200);
    assert_eq!(received["refund"]["amount"], 4.5);
    assert_eq!(buyer.order(&order).await["paymentStatus"], "partially_refunded");
}

#[tokio::test]
async fn what_has_not_left_cannot_come_back() {
    let shop = Shop::open();
    let (seller, buyer) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = seller.sells(product().named("tea").stock(50)).await;
    for _ in 0..20 {
        let order = buyer.buys(&tea, 1).await;
        if buyer.cancels(&order).await.status == 200 {
            let refused = buyer.post(&format!("/orders/{order}/returns"), &items(&tea, 1)).await;
            assert_eq!(refused.is_problem(409, "not-returnable").body["reason"], "not-shipped");
            return;
        }
    }
    panic!("twenty orders in a row shipped before they could be cancelled");
}

#[tokio::test]
async fn a_guest_sends_back_with_what_opens_the_order() {
    let shop = Shop::open();
    let seller = shop.person("Ann").await;
    let tea = seller.sells(product().named("tea").priced("4.50").stock(9)).await;
    let cart = shop.post("/guest-cart/items", &json!({ "id": tea.id, "quantity": 2 })).await.is(200);
    let email = format!("{}@cartwright.test", unique("gus").replace(' ', "."));
    let body = json!({ "expectedTotal": 9, "email": email, "fullName": "Gus Guest" });
    let request = shop.request(Method::POST, "/guest-cart/checkout");
    let request = request.header("cart-token", cart["cartToken"].as_str().expect("a token"));
    let placed = request.json(&body).send().await.is(201);
    let text = |name: &str| placed[name].as_str().expect(name).to_owned();
    let (order, token) = (text("orderId"), text("orderToken"));
    let asks = async |method: Method, path: &str, body: Option<&Value>| {
        let request = shop.request(method, path).header("order-token", &token);
        let request = if let Some(body) = body { request.json(body) } else { request };
        request.send().await
    };
    let order_path = format!("/guest-orders/{order}");
    eventually("it ships", async || {
        let order = asks(Method::GET, &order_path, None).await.is(200);
        (order["status"] == "shipping").then_some(())
    })
    .await;
    let path = format!("/guest-orders/{order}/returns");
    let asked = asks(Method::POST, &path, Some(&items(&tea, 1))).await.is(201);
    let listed = asks(Method::GET, &path, None).await.is(200);
    assert_eq!(listed["returns"], json!([asked]));
    shop.get(&path).await.is_problem(422, "invalid-input");
    let mail = eventually("the guest is told", async || {
        let mails = shop.mail_to(&email).await;
        mails.into_iter().find(|mail| mail.subject == "We have your request to return tea")
    });
    assert!(mail.await.text.contains(&format!("guest-orders/{order}#{token}")), "its link opens the order");
}

// R4: the second refund of an order is told of as well as the first.
#[tokio::test]
async fn each_refund_is_told_of_once() {
    let shipped = shipped().await;
    for (amount, subject) in [(10, "You get 10.00 USD back"), (20, "You get 20.00 USD back")] {
        shipped.refunds(&json!({ "amount": amount }), &key("refund")).await.is(201);
        mails_once_there_is(&shipped, subject).await;
    }
    shipped.refunds(&json!({ "amount": 5, "outside": true }), &key("refund")).await.is(201);
    let mails = mails_once_there_is(&shipped, "You get 5.00 USD back").await;
    let outside = mails.iter().find(|mail| mail.subject == "You get 5.00 USD back").expect("told");
    assert!(outside.text.contains("We have paid 5.00 USD back to you."), "{}", outside.text);
    a_while().await;
    let mails = shipped.buyer.mail_about(&shipped.order).await;
    assert_eq!(mails.iter().filter(|mail| mail.subject.starts_with("You get")).count(), 3, "{mails:?}");
}
