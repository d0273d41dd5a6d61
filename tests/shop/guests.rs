//! What people buy without an account: who has what opens an order has the order, until somebody claims it. The rows
//! are those of docs/payments.md.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::{Answer, calls};
use tests::shop::{Person, Product, Shop, cancelled, order_id, product, shipping, unique};
use tests::wait::{a_while, at_once, eventually};

/// A token in our form that opens nothing.
const ANOTHER: &str = "t0xpOcohAKtgwAdTxgHEcw";

/// Somebody without an account.
#[derive(Clone)]
struct Guest {
    shop: Shop,
    email: String,
}

/// An order of a guest, and what opens it.
#[derive(Clone)]
struct Order {
    id: String,
    token: String,
}

impl Order {
    fn of(placed: &Value) -> Self {
        Self { id: order_id(placed), token: placed["orderToken"].as_str().expect("a token").to_owned() }
    }

    fn path(&self) -> String {
        format!("/guest-orders/{}", self.id)
    }
}

impl Guest {
    fn at(shop: &Shop) -> Self {
        let email = format!("{}@cartwright.test", unique("gus").replace(' ', "."));
        Self { shop: shop.clone(), email }
    }

    /// A cart with some pieces; gives what opens it.
    async fn fills(&self, product: &Product, quantity: u32) -> String {
        let item = json!({ "id": product.id, "quantity": quantity });
        let made = self.shop.post("/guest-cart/items", &item).await.is(200);
        made["cartToken"].as_str().expect("a token").to_owned()
    }

    fn body(&self, total: f64) -> Value {
        json!({ "expectedTotal": total, "email": self.email, "fullName": "Gus Guest" })
    }

    async fn checks_out(&self, cart: &str, body: &Value) -> Answer {
        let request = self.shop.request(Method::POST, "/guest-cart/checkout").header("cart-token", cart);
        request.json(body).send().await
    }

    async fn buys(&self, product: &Product, total: f64) -> Order {
        let cart = self.fills(product, 1).await;
        Order::of(&self.checks_out(&cart, &self.body(total)).await.is(201))
    }

    async fn opens(&self, order: &Order) -> Answer {
        self.asks(Method::GET, &order.path(), &order.token).await
    }

    async fn cancels(&self, order: &Order) -> Answer {
        self.asks(Method::POST, &format!("{}/cancel", order.path()), &order.token).await
    }

    async fn asks(&self, method: Method, path: &str, token: &str) -> Answer {
        self.shop.request(method, path).header("order-token", token).send().await
    }
}

async fn tea(shop: &Shop) -> (Person, Product) {
    let seller = shop.person("Ann").await;
    let tea = seller.sells(product().named("tea").priced("4.50").stock(100)).await;
    (seller, tea)
}

fn claim(order: &Order) -> Value {
    json!({ "orderId": order.id, "orderToken": order.token })
}

// G1, G2.
#[tokio::test]
async fn a_guest_orders_once_and_is_told_what_opens_the_order() {
    let shop = Shop::open();
    let (ann, tea) = tea(&shop).await;
    let guest = Guest::at(&shop);
    let cart = guest.fills(&tea, 2).await;
    let with_key = || {
        let request = shop.request(Method::POST, "/guest-cart/checkout").header("cart-token", &cart);
        request.header("idempotency-key", "k").json(&guest.body(9.0))
    };
    let placed = with_key().send().await;
    // The cart and the key's record, two limits, what it costs by, the order.
    assert_eq!(placed.calls(), calls([("dynamodb", 5), ("sqs", 1)]));
    let location = placed.header("location").map(str::to_owned);
    let answer = placed.is(201);
    let order = Order::of(&answer);
    assert_eq!(location, Some(order.path()));
    assert_eq!((&answer["total"], order.token.len()), (&json!(9), 22));
    for again in [with_key().send().await, guest.checks_out(&cart, &guest.body(9.0)).await] {
        assert_eq!(again.calls(), calls([("dynamodb", 3)]), "whether the order is still the guest's");
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.is(201), answer, "the same token");
    }
    let other = json!({ "expectedTotal": 9, "email": "another@cartwright.test", "fullName": "Gus" });
    let other = shop.request(Method::POST, "/guest-cart/checkout").header("cart-token", &cart).json(&other);
    let reused = other.header("idempotency-key", "k").send().await;
    reused.is_problem(422, "idempotency-key-reused");
    assert_eq!(shop.stock_of(&tea).await, 98);

    let seen = guest.opens(&order).await;
    assert_eq!(seen.calls(), calls([("dynamodb", 2)]));
    assert_eq!(seen.header("cache-control"), Some("no-store"));
    let seen = seen.is(200);
    assert_eq!((&seen["orderId"], &seen["total"]), (&json!(order.id), &json!(9)));
    assert_eq!(seen["history"][0]["by"], "buyer");
    let number = seen["number"].as_str().expect("a number");
    let shipped = eventually("the guest is told of it", async || {
        Some(shop.mail_to(&guest.email).await).filter(|mails| shipping(mails) == 1)
    });
    let home = format!("{}/shop", std::env::var("CARTWRIGHT_URL").expect("a shop"));
    let link = format!("{home}{}#{}", order.path(), order.token);
    for mail in shipped.await {
        assert!(mail.text.contains(&format!("{link}\n")), "{link} is not in {}", mail.text);
        assert!(mail.text.contains(&format!("Order {number} ")), "{number} is not in {}", mail.text);
        assert!(mail.html.as_deref().is_some_and(|html| html.contains(&format!("href=\"{link}\""))));
    }
    // Its seller sees it as any other.
    assert_eq!(ann.order(&order.id).await["number"], number);
}

// G3.
#[tokio::test]
async fn a_guests_order_is_opened_by_its_token_and_nothing_else() {
    let shop = Shop::open();
    let (_, tea) = tea(&shop).await;
    let (guest, bob) = (Guest::at(&shop), shop.person("Bob").await);
    let [order, another] = [guest.buys(&tea, 4.5).await, guest.buys(&tea, 4.5).await];
    let nobody = Order { id: "01a1f83a-c81e-73c6-9369-b8a11a6916c7".into(), token: ANOTHER.into() };
    for (path, token) in [
        (order.path(), another.token.as_str()),
        (order.path(), ANOTHER),
        (nobody.path(), ANOTHER),
        (nobody.path(), &order.token),
    ] {
        let shown = guest.asks(Method::GET, &path, token).await;
        assert_eq!(shown.calls(), calls([("dynamodb", 1)]), "the limit: no order is looked for");
        let told = shown.is_problem(404, "not-found").body;
        let cancelled = guest.asks(Method::POST, &format!("{path}/cancel"), token).await;
        assert_eq!(cancelled.is_problem(404, "not-found").body["detail"], told["detail"]);
    }
    for bad in [&order.token[1..], "", &format!("{}A", order.token), "AAAAAAAAAAAAAAAAAAAAAB"] {
        let refused = guest.asks(Method::GET, &order.path(), bad).await;
        refused.is_problem(422, "invalid-input").at(["Order-Token"]);
    }
    shop.get(&order.path()).await.is_problem(422, "invalid-input").at(["Order-Token"]);
    // What is no id is no order, whatever comes along: another method of `/guest-orders/links` matches this path.
    shop.get("/guest-orders/links").await.is_problem(404, "not-found");
    // The ways of people with an account lead nowhere, also with the token.
    let path = format!("/orders/{}", order.id);
    let asked = bob.request(Method::GET, &path).header("order-token", &order.token).send().await;
    asked.is_problem(404, "not-found");
    bob.cancels(&order.id).await.is_problem(404, "not-found");
    // And an order of somebody with an account is no guest's.
    let bobs = bob.buys(&tea, 1).await;
    let bobs = Order { id: bobs, token: ANOTHER.into() };
    guest.opens(&bobs).await.is_problem(404, "not-found");
}

// G4.
#[tokio::test]
async fn a_guest_cancels_and_the_pieces_come_back() {
    let shop = Shop::open();
    let (_, tea) = tea(&shop).await;
    // An order ships a moment later: then with another one.
    for bought in 1..=20 {
        let guest = Guest::at(&shop);
        let order = guest.buys(&tea, 4.5).await;
        let answer = guest.cancels(&order).await;
        if answer.status == 409 {
            answer.is_problem(409, "not-cancellable");
            continue;
        }
        assert_eq!(answer.is(200)["status"], "cancelled");
        assert_eq!(guest.cancels(&order).await.is(200)["status"], "cancelled", "twice is once");
        assert_eq!(guest.opens(&order).await.is(200)["history"][1]["by"], "buyer");
        assert_eq!(shop.stock_of(&tea).await, 100 + 1 - bought);
        eventually("the guest is told", async || {
            Some(shop.mail_to(&guest.email).await).filter(|mails| cancelled(mails) == 1)
        })
        .await;
        return;
    }
    panic!("twenty orders in a row shipped before they could be cancelled");
}

// G5.
#[tokio::test]
async fn who_claims_an_order_has_it_and_the_token_opens_nothing_any_more() {
    let shop = Shop::open();
    let (ann, tea) = tea(&shop).await;
    let (guest, bob) = (Guest::at(&shop), shop.person("Bob").await);
    let order = guest.buys(&tea, 4.5).await;
    let wrong = json!({ "orderId": order.id, "orderToken": ANOTHER });
    let refused = bob.post("/orders/claim", &wrong).await;
    assert_eq!((refused.calls(), refused.status), (calls([]), 404));
    let claimed = bob.post("/orders/claim", &claim(&order)).await;
    assert_eq!(claimed.calls(), calls([("dynamodb", 2)]));
    assert_eq!(claimed.is(200)["orderId"], order.id.as_str());
    assert_eq!(bob.post("/orders/claim", &claim(&order)).await.is(200)["orderId"], order.id.as_str());
    guest.opens(&order).await.is_problem(404, "not-found");
    guest.cancels(&order).await.is_problem(404, "not-found");
    ann.post("/orders/claim", &claim(&order)).await.is_problem(404, "not-found");
    assert_eq!(bob.order(&order.id).await["orderId"], order.id.as_str());
    eventually("it is among Bob's orders", async || {
        let page = bob.get("/orders").await.is(200);
        (page["orders"][0]["orderId"] == order.id.as_str()).then_some(())
    })
    .await;
    // What happened before is in nobody's log, and what happens from now on in Bob's.
    bob.order_once(&order.id, "shipping").await;
    let arrived = json!({ "status": "delivered" });
    ann.put(&format!("/orders/{}/status", order.id), &arrived).await.is(200);
    let kinds = eventually("Bob's log has it", async || {
        let log = bob.get("/users/me/activity").await.is(200);
        let lines = log["activity"].as_array().expect("a log").clone();
        let kinds: Vec<_> = lines.iter().filter(|line| line["subject"] == order.id.as_str()).collect();
        let kinds: Vec<_> = kinds.iter().map(|line| line["kind"].as_str().unwrap_or("").to_owned()).collect();
        kinds.contains(&"order.delivered".to_owned()).then_some(kinds)
    });
    assert!(!kinds.await.contains(&"order.placed".to_owned()), "it was placed by nobody");
}

// G13: a token that opens nothing is not given out again.
#[tokio::test]
async fn a_checkout_that_is_repeated_after_its_order_was_claimed_gives_no_token() {
    let shop = Shop::open();
    let (_, tea) = tea(&shop).await;
    let (guest, bob) = (Guest::at(&shop), shop.person("Bob").await);
    let cart = guest.fills(&tea, 1).await;
    let with_key = || {
        let request = shop.request(Method::POST, "/guest-cart/checkout").header("cart-token", &cart);
        request.header("idempotency-key", "k").json(&guest.body(4.5))
    };
    let order = Order::of(&with_key().send().await.is(201));
    bob.post("/orders/claim", &claim(&order)).await.is(200);
    for again in [with_key().send().await, guest.checks_out(&cart, &guest.body(4.5)).await] {
        assert_eq!(again.is_problem(409, "order-claimed").body["orderId"], order.id.as_str());
    }
    assert_eq!(shop.stock_of(&tea).await, 99);
    // What is put into the cart from then on is another order's, with a token of its own.
    let more = json!({ "id": tea.id, "quantity": 2 });
    shop.request(Method::POST, "/guest-cart/items")
        .header("cart-token", &cart)
        .json(&more)
        .send()
        .await
        .is(200);
    let another = Order::of(&guest.checks_out(&cart, &guest.body(9.0)).await.is(201));
    guest.opens(&another).await.is(200);
}

// G12: by card, as with an account; and whoever claims the order before it is paid has its payment as well.
#[tokio::test]
async fn a_guest_pays_by_card_and_who_claims_the_order_has_its_payment() {
    let shop = Shop::open();
    let (_, tea) = tea(&shop).await;
    let (guest, bob) = (Guest::at(&shop), shop.person("Bob").await);
    let cart = guest.fills(&tea, 1).await;
    let mut by_card = guest.body(4.5);
    by_card["paymentMethod"] = json!("card");
    let placed = guest.checks_out(&cart, &by_card).await.is(201);
    assert_eq!(placed["payment"]["status"], "open", "{placed}");
    let (order, payment) = (Order::of(&placed), placed["payment"]["paymentId"].as_str().expect("a payment"));
    let pays = format!("{}/payments", order.path());
    let open = guest.asks(Method::POST, &pays, &order.token).await.is(200);
    assert_eq!(
        (&open["paymentId"], &open["url"]),
        (&placed["payment"]["paymentId"], &placed["payment"]["url"])
    );
    guest.asks(Method::POST, &pays, ANOTHER).await.is_problem(404, "not-found");
    let stands = guest.asks(Method::POST, &format!("{}/refresh", order.path()), &order.token).await.is(200);
    assert_eq!(
        (&stands["orderStatus"], &stands["paymentStatus"]),
        (&json!("awaiting_payment"), &json!("unpaid"))
    );
    let path = format!("/payments/{payment}");
    bob.get(&path).await.is_problem(404, "not-found");
    let claimed = bob.post("/orders/claim", &claim(&order)).await;
    assert_eq!(claimed.calls(), calls([("dynamodb", 2)]));
    claimed.is(200);
    guest.asks(Method::POST, &pays, &order.token).await.is_problem(404, "not-found");
    assert_eq!(bob.get(&path).await.is(200)["orderId"], order.id.as_str());
    let silently = json!({ "do": "pay", "deliver": ["never"] });
    shop.post(&format!("/local/stripe/sessions/{payment}"), &silently).await.is(200);
    let stands = bob.request(Method::POST, &format!("{path}/refresh")).send().await.is(200);
    assert_eq!(stands["paymentStatus"], "paid");
    bob.order_once(&order.id, "shipping").await;
}

// G5.
#[tokio::test]
async fn of_many_who_claim_an_order_one_has_it() {
    let shop = Shop::open();
    let (_, tea) = tea(&shop).await;
    let order = Guest::at(&shop).buys(&tea, 4.5).await;
    let people = shop.people(4).await;
    let answers = at_once(20, |index| {
        let (person, order) = (people[index % 4].clone(), order.clone());
        async move { (index % 4, person.post("/orders/claim", &claim(&order)).await.status) }
    });
    let answers = answers.await;
    let mut winners: Vec<_> =
        answers.iter().filter(|(_, status)| *status == 200).map(|(who, _)| *who).collect();
    assert_eq!(winners.len(), 5, "each time by the same: {answers:?}");
    winners.dedup();
    assert_eq!(winners.len(), 1, "{answers:?}");
    assert!(answers.iter().all(|(_, status)| [200, 404].contains(status)), "{answers:?}");
}

// G6.
#[tokio::test]
async fn links_are_mailed_to_their_address_and_the_answer_tells_nothing() {
    let shop = Shop::open();
    let (_, tea) = tea(&shop).await;
    let (guest, nobody, bob) = (Guest::at(&shop), Guest::at(&shop), shop.person("Bob").await);
    let [first, second, claimed] =
        [guest.buys(&tea, 4.5).await, guest.buys(&tea, 4.5).await, guest.buys(&tea, 4.5).await];
    bob.post("/orders/claim", &claim(&claimed)).await.is(200);
    let links = async |email: &str| shop.post("/guest-orders/links", &json!({ "email": email })).await;
    let mails = eventually("the links come", async || {
        // Asked again where the index did not have all of them yet; no more than three times.
        let answer = links(&guest.email.to_uppercase()).await;
        if answer.status == 202 {
            assert_eq!(answer.calls(), calls([("dynamodb", 2), ("sqs", 1)]));
            let none = links(&nobody.email).await;
            assert_eq!((none.calls(), none.is(202)), (answer.calls(), answer.is(202)));
        }
        a_while().await;
        let mut mails = shop.mail_to(&guest.email).await;
        mails.retain(|mail| mail.subject == "Your orders");
        let has_both = |text: &str| text.contains(&first.path()) && text.contains(&second.path());
        Some(mails).filter(|mails| mails.iter().any(|mail| has_both(&mail.text)))
    });
    let mails = mails.await;
    let newest = mails.last().expect("a mail");
    let home = format!("{}/shop", std::env::var("CARTWRIGHT_URL").expect("a shop"));
    for order in [&first, &second] {
        let link = format!("{home}{}#{}", order.path(), order.token);
        assert!(newest.text.contains(&format!("{link}\n")), "{link} is not in {}", newest.text);
    }
    assert!(!newest.text.contains(&claimed.id), "it is Bob's: {}", newest.text);
    assert_eq!(shop.mail_to(&nobody.email).await.len(), 0);
}

// G7.
#[tokio::test]
async fn one_address_is_ordered_for_so_often_and_what_is_refused_counts_for_nothing() {
    let shop = Shop::open();
    let (_, tea) = tea(&shop).await;
    let guest = Guest::at(&shop);
    for _ in 0..5 {
        let cart = guest.fills(&tea, 1).await;
        guest.checks_out(&cart, &guest.body(4.0)).await.is_problem(409, "total-changed");
    }
    let order = guest.buys(&tea, 4.5).await;
    for _ in 0..2 {
        guest.buys(&tea, 4.5).await;
    }
    let cart = guest.fills(&tea, 1).await;
    let refused = guest.checks_out(&cart, &guest.body(4.5)).await;
    assert_eq!(refused.header("ratelimit-policy"), Some("\"email\";q=3;w=3600"));
    refused.is_problem(429, "too-many-requests");
    // In another case it is the same address; another one is another guest's.
    let shouting = Guest { email: guest.email.to_uppercase(), ..guest.clone() };
    let refused = shouting.checks_out(&cart, &shouting.body(4.5)).await;
    refused.is_problem(429, "too-many-requests");
    assert_eq!(shop.stock_of(&tea).await, 97);
    assert_eq!(Guest::at(&shop).checks_out(&cart, &Guest::at(&shop).body(4.5)).await.status, 201);
    guest.opens(&order).await.is(200);
}

// G8.
#[tokio::test]
async fn a_coupon_counts_guests_by_their_address() {
    let shop = Shop::open();
    let (_, tea) = tea(&shop).await;
    let code = unique("C").replace(' ', "-").to_uppercase();
    let coupon = json!({ "code": code, "kind": "amount", "value": 1, "perCustomer": 1 });
    shop.admin().await.post("/coupons", &coupon).await.is(201);
    let with_coupon = async |guest: &Guest| {
        let cart = guest.fills(&tea, 1).await;
        let mut body = guest.body(3.5);
        body["couponCode"] = json!(code);
        guest.checks_out(&cart, &body).await
    };
    for _ in 0..20 {
        let guest = Guest::at(&shop);
        let order = Order::of(&with_coupon(&guest).await.is(201));
        let refused = with_coupon(&guest).await.is_problem(409, "coupon-not-valid");
        assert_eq!(refused.body["reason"], "used-by-customer");
        if guest.cancels(&order).await.status == 200 {
            with_coupon(&guest).await.is(201);
            return;
        }
    }
    panic!("twenty orders in a row shipped before they could be cancelled");
}

// G9.
#[tokio::test]
async fn a_key_is_the_carts_own() {
    let shop = Shop::open();
    let (_, tea) = tea(&shop).await;
    let guest = Guest::at(&shop);
    let mut orders = Vec::new();
    for _ in 0..2 {
        let cart = guest.fills(&tea, 1).await;
        let request = shop.request(Method::POST, "/guest-cart/checkout").header("cart-token", &cart);
        let placed = request.header("idempotency-key", "k").json(&guest.body(4.5)).send().await;
        orders.push(order_id(&placed.is(201)));
    }
    assert_ne!(orders[0], orders[1]);
}

// G10.
#[tokio::test]
async fn what_a_guest_says_wrong_is_told_and_nothing_is_ordered() {
    let shop = Shop::open();
    let (_, tea) = tea(&shop).await;
    let guest = Guest::at(&shop);
    let cart = guest.fills(&tea, 1).await;
    for (without, pointer) in [("email", "#/email"), ("fullName", "#/fullName")] {
        let mut body = guest.body(4.5);
        body.as_object_mut().expect("an object").remove(without);
        guest.checks_out(&cart, &body).await.is_problem(422, "invalid-input").at([pointer]);
    }
    let mut body = guest.body(4.5);
    body["email"] = json!("gus");
    guest.checks_out(&cart, &body).await.is_problem(422, "invalid-input").at(["#/email"]);
    guest.checks_out(ANOTHER, &guest.body(4.5)).await.is_problem(409, "cart-empty");
    shop.post("/guest-cart/checkout", &guest.body(4.5)).await.is_problem(409, "cart-empty");
    // People with an account have said who they are.
    let bob = shop.person("Bob").await;
    let refused = bob.post("/cart/checkout", &guest.body(4.5)).await;
    refused.is_problem(422, "invalid-input").at(["#/email", "#/fullName"]);
    assert_eq!((shop.stock_of(&tea).await, shop.mail_to(&guest.email).await.len()), (100, 0));
}

// G11.
#[tokio::test]
async fn an_admin_finds_an_order_by_its_number_however_it_is_written() {
    let shop = Shop::open();
    let (_, tea) = tea(&shop).await;
    let guest = Guest::at(&shop);
    let order = guest.buys(&tea, 4.5).await;
    let number = guest.opens(&order).await.is(200)["number"].as_str().expect("a number").to_owned();
    let admin = shop.admin().await;
    let spoken = number.to_lowercase().replace('-', "%20").replacen('c', "", 1);
    for written in [number.clone(), number.to_lowercase(), spoken] {
        let found = eventually("the index has it", async || {
            let page = admin.get(&format!("/admin/orders?number={written}")).await.is(200);
            let orders = page["orders"].as_array().expect("orders").clone();
            orders.into_iter().find(|found| found["orderId"] == order.id.as_str())
        });
        let found = found.await;
        assert_eq!((&found["number"], &found["buyer"]["email"]), (&json!(number), &json!(guest.email)));
        assert_eq!(found["buyer"]["userId"], format!("guest#{}", order.id));
    }
    let other = admin.get(&format!("/admin/orders?number={number}&status=cancelled")).await.is(200);
    assert_eq!(other["orders"], json!([]));
    admin.get("/admin/orders?number=tea").await.is_problem(422, "invalid-input").at(["number"]);
}
