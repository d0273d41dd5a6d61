//! Seed 000's way to buy: the page keeps the cart, and one request orders it and answers where it is paid. The rows are
//! those of docs/payments.md.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::{Answer, calls};
use tests::shop::{Mail, Person, Product, Shop, order_id, product, unique};
use tests::wait::{a_while, eventually};

const PATH: &str = "/payments/create-checkout-session";
const OF_GUESTS: &str = "/guest-payments/create-checkout-session";

fn items(product: &Product, quantity: u32) -> Value {
    json!({ "items": [{ "id": product.id, "quantity": quantity }] })
}

/// A body with more members.
fn and(mut body: Value, more: &Value) -> Value {
    body.as_object_mut().expect("an object").extend(more.as_object().expect("members").clone());
    body
}

async fn tea(shop: &Shop, price: &str) -> Product {
    let seller = shop.person("Ann").await;
    seller.sells(product().named("tea").priced(price).stock(9)).await
}

fn an_address() -> String {
    format!("{}@cartwright.test", unique("gus").replace(' ', "."))
}

/// Who somebody without an account says to be.
fn guest(email: &str) -> Value {
    json!({ "email": email, "fullName": "Gus Guest" })
}

async fn with_key(shop: &Shop, path: &str, person: Option<&Person>, key: &str, body: &Value) -> Answer {
    let request = match person {
        Some(person) => person.request(Method::POST, path),
        None => shop.request(Method::POST, path),
    };
    request.header("idempotency-key", key).json(body).send().await
}

fn payment_of(placed: &Value) -> String {
    placed["payment"]["paymentId"].as_str().unwrap_or_else(|| panic!("no payment: {placed}")).to_owned()
}

async fn pays(shop: &Shop, payment: &str) {
    shop.post(&format!("/local/stripe/sessions/{payment}"), &json!({ "do": "pay" })).await.is(200);
}

/// What Stripe has noted of the email about a payment.
async fn noted(shop: &Shop, payment: &str) -> Value {
    let books = shop.get(&format!("/local/stripe.json?of={payment}")).await.is(200);
    books["payment_intents"][0]["metadata"]["alreadySentMail"].clone()
}

fn confirmed(mails: &[Mail]) -> usize {
    mails.iter().filter(|mail| mail.subject.ends_with("is confirmed")).count()
}

// S1, S2.
#[tokio::test]
async fn a_list_is_ordered_and_its_page_opened_in_one_request() {
    let shop = Shop::open();
    let (tea, bob) = (tea(&shop, "4.50").await, shop.person("Bob").await);
    let (key, asked) = (unique("key").replace(' ', "-"), items(&tea, 2));
    let placed = with_key(&shop, PATH, Some(&bob), &key, &asked).await;
    // The limit, what it depends on, the order, the page that was opened.
    assert_eq!(placed.calls(), calls([("dynamodb", 4), ("stripe", 1)]));
    let location = placed.header("location").map(str::to_owned);
    let answer = placed.is(201);
    let order = order_id(&answer);
    assert_eq!(location, Some(format!("/orders/{order}")));
    assert_eq!((&answer["total"], answer.get("orderToken")), (&json!(9), None));
    assert!(answer["url"].is_string() && answer["url"] == answer["payment"]["url"], "{answer}");
    assert_eq!(shop.stock_of(&tea).await, 7, "its pieces are held");
    let shown = bob.order(&order).await;
    assert_eq!((&shown["status"], &shown["paymentStatus"]), (&json!("awaiting_payment"), &json!("unpaid")));

    let again = with_key(&shop, PATH, Some(&bob), &key, &asked).await;
    assert_eq!(again.calls(), calls([("dynamodb", 3)]));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.is(201), answer);
    let other = with_key(&shop, PATH, Some(&bob), &key, &items(&tea, 1)).await;
    other.is_problem(422, "idempotency-key-reused");
    let another = bob.post(PATH, &items(&tea, 1)).await.is(201);
    assert_ne!(order_id(&another), order);
    assert_eq!(shop.stock_of(&tea).await, 6);

    pays(&shop, &payment_of(&answer)).await;
    bob.order_once(&order, "shipping").await;
    // Whoever has paid is not sent to the page again.
    let paid = with_key(&shop, PATH, Some(&bob), &key, &asked).await.is(201);
    assert_eq!((paid.get("url"), &paid["payment"]["status"]), (None, &json!("captured")));
    let path = format!("/orders/{}", order_id(&another));
    assert_eq!(bob.get(&path).await.is(200)["status"], "awaiting_payment");
}

// S3.
#[tokio::test]
async fn a_guest_orders_so_and_is_told_what_opens_the_order() {
    let shop = Shop::open();
    let (tea, bob, email) = (tea(&shop, "4.50").await, shop.person("Bob").await, an_address());
    let (key, asked) = (uuid::Uuid::now_v7().to_string(), and(items(&tea, 1), &guest(&email)));
    let placed = with_key(&shop, OF_GUESTS, None, &key, &asked).await;
    assert_eq!(placed.calls(), calls([("dynamodb", 5), ("stripe", 1)]), "the address is counted as well");
    let location = placed.header("location").map(str::to_owned);
    let answer = placed.is(201);
    let order = order_id(&answer);
    assert_eq!(location, Some(format!("/guest-orders/{order}")));
    let token = answer["orderToken"].as_str().expect("a token").to_owned();
    let opens = async || {
        let request = shop.request(Method::GET, &format!("/guest-orders/{order}"));
        request.header("order-token", &token).send().await
    };
    assert_eq!(opens().await.is(200)["paymentStatus"], "unpaid");
    assert_eq!(with_key(&shop, OF_GUESTS, None, &key, &asked).await.is(201), answer);
    // The key of somebody else, who gives another address, is another one.
    let others = and(items(&tea, 1), &guest(&an_address()));
    assert_ne!(order_id(&with_key(&shop, OF_GUESTS, None, &key, &others).await.is(201)), order);
    with_key(&shop, OF_GUESTS, None, "short", &asked)
        .await
        .is_problem(422, "invalid-input")
        .at(["Idempotency-Key"]);

    pays(&shop, &payment_of(&answer)).await;
    eventually("it ships", async || {
        Some(opens().await.is(200)).filter(|order| order["status"] == "shipping")
    })
    .await;
    eventually("the guest is told", async || {
        Some(shop.mail_to(&email).await).filter(|mails| confirmed(mails) == 1)
    })
    .await;
    let claim = json!({ "orderId": order, "orderToken": token });
    bob.post("/orders/claim", &claim).await.is(200);
    let again = with_key(&shop, OF_GUESTS, None, &key, &asked).await;
    assert_eq!(again.is_problem(409, "order-claimed").body["orderId"], order.as_str());
}

// S4: what other orders are refused for, this one is; and then nothing is held.
#[tokio::test]
async fn what_is_refused_elsewhere_is_refused_here_and_holds_nothing() {
    let shop = Shop::open();
    let (tea, sweet) = (tea(&shop, "4.50").await, tea(&shop, "0.49").await);
    let bob = shop.person("Bob").await;
    let refused = bob.post(PATH, &and(items(&tea, 1), &json!({ "expectedTotal": 4 }))).await;
    assert_eq!(refused.is_problem(409, "total-changed").body["total"], 4.5);
    bob.post(PATH, &items(&tea, 10)).await.is_problem(409, "out-of-stock");
    bob.post(PATH, &items(&sweet, 1)).await.is_problem(409, "amount-too-small");
    let many = bob.post(PATH, &items(&tea, 1_001)).await;
    many.is_problem(422, "invalid-input").at(["#/items/0/quantity"]);
    let coupon = bob.post(PATH, &and(items(&tea, 1), &json!({ "couponCode": "NO-SUCH-COUPON" }))).await;
    coupon.is_problem(409, "coupon-not-valid");
    bob.post(PATH, &json!({ "id": tea.id, "quantity": 1 })).await.is_problem(422, "invalid-input").at([
        "#/id",
        "#/items",
        "#/quantity",
    ]);
    let cash = bob.post(PATH, &and(items(&tea, 1), &json!({ "paymentMethod": "cash_on_delivery" }))).await;
    cash.is_problem(422, "invalid-input").at(["#/paymentMethod"]);
    // Who has an account has said who it is; who has none says it, and has a path of their own.
    let named = bob.post(PATH, &and(items(&tea, 1), &guest("gus@cartwright.test"))).await;
    named.is_problem(422, "invalid-input").at(["#/email", "#/fullName"]);
    shop.post(OF_GUESTS, &items(&tea, 1))
        .await
        .is_problem(422, "invalid-input")
        .at(["#/email", "#/fullName"]);
    shop.post(PATH, &and(items(&tea, 1), &guest(&an_address())))
        .await
        .is_from_the_gateway(401, "Unauthorized");
    assert_eq!((shop.stock_of(&tea).await, shop.stock_of(&sweet).await), (9, 9));
    assert_eq!(bob.get("/orders").await.is(200)["orders"], json!([]));
}

// S5: together with the checkouts of carts, and what is refused counts for nothing.
#[tokio::test]
async fn one_address_is_ordered_for_so_often_with_and_without_a_cart() {
    let shop = Shop::open();
    let (tea, email) = (tea(&shop, "4.50").await, an_address());
    let asked = and(items(&tea, 1), &guest(&email));
    for _ in 0..4 {
        let wrong = and(asked.clone(), &json!({ "expectedTotal": 1 }));
        shop.post(OF_GUESTS, &wrong).await.is_problem(409, "total-changed");
    }
    for _ in 0..2 {
        shop.post(OF_GUESTS, &asked).await.is(201);
    }
    let line = json!({ "id": tea.id, "quantity": 1 });
    let cart = shop.post("/guest-cart/items", &line).await.is(200);
    let cart = cart["cartToken"].as_str().expect("a token");
    let checkout = and(guest(&email), &json!({ "expectedTotal": 4.5, "paymentMethod": "card" }));
    let request = shop.request(Method::POST, "/guest-cart/checkout").header("cart-token", cart);
    request.json(&checkout).send().await.is(201);
    let refused = shop.post(OF_GUESTS, &asked).await;
    assert_eq!(refused.header("ratelimit-policy"), Some("\"email\";q=3;w=3600"));
    refused.is_problem(429, "too-many-requests");
    assert_eq!(shop.stock_of(&tea).await, 6);
}

// S6.
#[tokio::test]
async fn what_costs_nothing_is_ordered_at_once_and_has_no_page() {
    let shop = Shop::open();
    let (tea, bob) = (tea(&shop, "4.50").await, shop.person("Bob").await);
    let code = unique("FREE").replace(' ', "-").to_uppercase();
    let coupon = json!({ "code": code, "kind": "percent", "value": 100 });
    shop.admin().await.post("/coupons", &coupon).await.is(201);
    let placed = bob.post(PATH, &and(items(&tea, 1), &json!({ "couponCode": code }))).await;
    assert_eq!(placed.calls(), calls([("dynamodb", 3), ("sqs", 1)]));
    let placed = placed.is(201);
    let told = (&placed["total"], &placed["payment"], placed.get("url"));
    assert_eq!(told, (&json!(0), &json!({ "status": "not-needed" }), None));
    bob.order_once(&order_id(&placed), "shipping").await;
}

// S7.
#[tokio::test]
async fn once_an_order_by_card_was_confirmed_by_email_its_intent_says_so() {
    let shop = Shop::open();
    let (tea, bob) = (tea(&shop, "4.50").await, shop.person("Bob").await);
    let [calm, failing] = [bob.post(PATH, &items(&tea, 1)).await, bob.post(PATH, &items(&tea, 1)).await];
    let [calm, failing] = [calm.is(201), failing.is(201)];
    let (first, second) = (payment_of(&calm), payment_of(&failing));
    assert_eq!(noted(&shop, &first).await, Value::Null);
    pays(&shop, &first).await;
    let is_noted = async |payment: &str| {
        eventually("the email is noted", async || (noted(&shop, payment).await == "true").then_some(()))
            .await;
    };
    is_noted(&first).await;
    assert_eq!(confirmed(&bob.mail_about(&order_id(&calm)).await), 1);

    // Stripe fails twice, which neither delays the email nor sends it again, and takes the note then.
    let call = "POST /v1/payment_intents/{id}";
    let fault = json!({ "fault": "500", "call": call, "of": second, "times": 2 });
    shop.post("/local/stripe/next-call", &fault).await.is(204);
    pays(&shop, &second).await;
    eventually("the email is sent", async || {
        Some(bob.mail_about(&order_id(&failing)).await).filter(|mails| confirmed(mails) == 1)
    })
    .await;
    is_noted(&second).await;
    let books = shop.get(&format!("/local/stripe.json?of={second}")).await.is(200);
    let left: Vec<_> = books["faults"].as_array().expect("faults").iter().collect();
    assert!(left.iter().all(|fault| fault["of"] != second.as_str()), "{left:?}");
    a_while().await;
    assert_eq!(confirmed(&bob.mail_about(&order_id(&failing)).await), 1, "it was sent once");
}
