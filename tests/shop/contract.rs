//! The contract's examples run, and are answered as it says. What schemathesis makes of the contract is run by
//! `cargo local test` itself.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::Answer;
use tests::phones;
use tests::schemas::{Contract, escaped, operations};
use tests::shop::{CODE, Newcomer, PASSWORD, Person, Product, RESET_CODE, Shop, order_id, product, unique};
use tests::social::Stranger;
use tests::stripe::signature;
use tests::wait::eventually;

/// What an example may name in braces. All but the people who only call are made anew for each example that names them.
struct World {
    shop: Shop,
    member: Person,
    seller: Person,
    buyer: Person,
    product: Option<Product>,
    category: String,
    /// An order without an account: its id, and what opens it.
    guest_order: Option<(String, String)>,
    /// One that is to be paid by card.
    guest_card_order: Option<(String, String)>,
    /// An order of the buyer's that is to be paid by card, and its payment.
    card_order: Option<(String, String)>,
    protected: Option<Protected>,
    social: Option<(String, String)>,
}

/// Somebody with a second factor, who has just given the password.
#[derive(Clone)]
struct Protected {
    username: String,
    session: String,
    code: String,
}

impl World {
    async fn open(shop: &Shop) -> Self {
        Self {
            shop: shop.clone(),
            member: shop.person("Mara").await,
            seller: shop.person("Seller").await,
            buyer: shop.person("Buyer").await,
            product: None,
            category: String::new(),
            guest_order: None,
            guest_card_order: None,
            card_order: None,
            protected: None,
            social: None,
        }
    }

    /// The sign-in by a provider that this example is about: its code and its verifier.
    async fn social(&mut self) -> (String, String) {
        if self.social.is_none() {
            let robin = Stranger::named("Robin");
            let back = self.shop.goes_to_the_provider().await.answers(Some(&robin)).await;
            self.social = Some((back.code().await, back.verifier));
        }
        self.social.clone().expect("just made")
    }

    /// The sign-in that this example is about.
    async fn protected(&mut self) -> Protected {
        if self.protected.is_none() {
            let person = self.shop.person("Mara").await;
            let app = person.turns_totp_on().await;
            let body = json!({ "email": person.email, "password": PASSWORD });
            let asked = self.shop.post("/sign-in", &body).await.is(200);
            let text = |name: &str| asked[name].as_str().expect(name).to_owned();
            self.protected = Some(Protected {
                username: text("username"),
                session: text("session"),
                code: app.next_code(),
            });
        }
        self.protected.clone().expect("just made")
    }

    /// The product that this example is about.
    async fn product(&mut self) -> Product {
        if self.product.is_none() {
            self.category = unique("Things");
            let shoes =
                product().named("Canvas shoes").priced("99.99").stock(100).in_category(&self.category);
            self.product = Some(self.seller.sells(shoes).await);
        }
        self.product.clone().expect("just made")
    }

    /// An order of two of the product, cancelled before it ships.
    async fn cancelled_order(&mut self) -> String {
        let product = self.product().await;
        for _ in 0..20 {
            let order = self.buyer.buys(&product, 2).await;
            if self.buyer.cancels(&order).await.status == 200 {
                return order;
            }
        }
        panic!("twenty orders in a row shipped before they could be cancelled");
    }

    /// An order of two of the product by somebody without an account, paid in this way.
    async fn order_of_a_guest(&mut self, payment_method: &str) -> (String, String) {
        let item = json!({ "id": self.product().await.id, "quantity": 2 });
        let cart = self.shop.post("/guest-cart/items", &item).await.is(200);
        let email = format!("{}@cartwright.test", unique("gus").replace(' ', "."));
        let body = json!({
            "expectedTotal": 199.98, "email": email, "fullName": "Gus Guest", "paymentMethod": payment_method
        });
        let request = self.shop.request(Method::POST, "/guest-cart/checkout");
        let request = request.header("cart-token", cart["cartToken"].as_str().expect("a token"));
        let placed = request.json(&body).send().await.is(201);
        (order_id(&placed), placed["orderToken"].as_str().expect("a token").to_owned())
    }

    /// One that nobody answers at. On, it is told of what hardly happens.
    async fn webhook(&self, is_active: bool) -> String {
        let body = json!({
            "url": "https://erp.example/cartwright", "types": ["user.role-changed"], "isActive": is_active
        });
        let webhook = self.shop.admin().await.post("/webhooks", &body).await.is(201);
        webhook["id"].as_str().expect("an id").to_owned()
    }

    async fn guest_order(&mut self) -> (String, String) {
        if self.guest_order.is_none() {
            self.guest_order = Some(self.order_of_a_guest("cash_on_delivery").await);
        }
        self.guest_order.clone().expect("just made")
    }

    async fn guest_card_order(&mut self) -> (String, String) {
        if self.guest_card_order.is_none() {
            self.guest_card_order = Some(self.order_of_a_guest("card").await);
        }
        self.guest_card_order.clone().expect("just made")
    }

    async fn card_order(&mut self) -> (String, String) {
        if self.card_order.is_none() {
            let item = json!({ "id": self.product().await.id, "quantity": 2 });
            self.buyer = self.shop.person("Buyer").await;
            self.buyer.post("/cart/items", &item).await.is(200);
            let body = json!({ "expectedTotal": 199.98, "paymentMethod": "card" });
            let placed = self.buyer.post("/cart/checkout", &body).await.is(201);
            let payment = placed["payment"]["paymentId"].as_str().expect("a payment").to_owned();
            self.card_order = Some((order_id(&placed), payment));
        }
        self.card_order.clone().expect("just made")
    }

    /// A new one, once it is on its way.
    async fn shipping_guest_order(&mut self) -> String {
        let (order, token) = self.order_of_a_guest("cash_on_delivery").await;
        let path = format!("/guest-orders/{order}");
        eventually("the guest's order ships", async || {
            let shown = self.shop.request(Method::GET, &path).header("order-token", &token).send().await;
            (shown.is(200)["status"] == "shipping").then_some(())
        })
        .await;
        self.guest_order = Some((order.clone(), token));
        order
    }

    /// The product, which the buyer has and may review.
    async fn bought(&mut self) -> String {
        let product = self.product().await;
        self.buyer = self.shop.person("Buyer").await;
        self.buyer.gets(&product).await;
        product.id
    }

    /// The same, cancelled before it ships.
    async fn cancelled_guest_order(&mut self) -> (String, String) {
        for _ in 0..20 {
            let (order, token) = self.guest_order().await;
            let request = self.shop.request(Method::POST, &format!("/guest-orders/{order}/cancel"));
            if request.header("order-token", &token).send().await.status == 200 {
                return (order, token);
            }
            self.guest_order = None;
        }
        panic!("twenty orders in a row shipped before they could be cancelled");
    }

    /// What stands for `{name}`.
    async fn value(&mut self, name: &str) -> String {
        match name {
            "unique" => unique("").trim().to_owned(),
            "confirmationCode" => CODE.to_owned(),
            "resetCode" => RESET_CODE.to_owned(),
            "social.code" => self.social().await.0,
            "social.verifier" => self.social().await.1,
            "product" => self.product().await.id,
            "product.picture" => {
                let (product, file) =
                    (self.product().await, json!({ "fileName": "a.png", "fileType": "image/png" }));
                let added = self.seller.post(&format!("{}/pictures", product.path()), &file).await.is(201);
                added["id"].as_str().expect("a picture's id").to_owned()
            }
            "product.category" => {
                self.product().await;
                self.category.clone()
            }
            "order" | "shippingOrder" => {
                let product = self.product().await;
                // Somebody whose only order it is.
                self.buyer = self.shop.person("Buyer").await;
                let order = self.buyer.buys(&product, 2).await;
                if name == "shippingOrder" {
                    self.buyer.order_once(&order, "shipping").await;
                }
                order
            }
            "cartToken" => {
                let item = json!({ "id": self.product().await.id, "quantity": 2 });
                let made = self.shop.post("/guest-cart/items", &item).await.is(200);
                made["cartToken"].as_str().expect("a token").to_owned()
            }
            "filledCart" => {
                let item = json!({ "id": self.product().await.id, "quantity": 2 });
                self.buyer = self.shop.person("Buyer").await;
                self.buyer.post("/cart/items", &item).await.is(200);
                unique("").trim().to_owned()
            }
            "cardOrder" => self.card_order().await.0,
            "cardOrder.payment" => self.card_order().await.1,
            "paidPayment" => {
                let (order, payment) = self.card_order().await;
                let path = format!("/local/stripe/sessions/{payment}");
                self.shop.post(&path, &json!({ "do": "pay" })).await.is(200);
                self.buyer.order_once(&order, "shipping").await;
                payment
            }
            "guestCardOrder" => self.guest_card_order().await.0,
            "guestCardOrder.token" => self.guest_card_order().await.1,
            "bought" => self.bought().await,
            "reviewed" => {
                let product = self.bought().await;
                let review = json!({ "stars": 4, "title": "Good shoes" });
                self.buyer.post(&format!("/products/{product}/reviews"), &review).await.is(201);
                product
            }
            "reviewed.author" => self.buyer.id(),
            "return" => {
                let product = self.product().await;
                self.buyer = self.shop.person("Buyer").await;
                let order = self.buyer.buys(&product, 2).await;
                self.buyer.order_once(&order, "shipping").await;
                let wanted = json!({ "items": [{ "id": product.id, "quantity": 1 }] });
                let asked = self.buyer.post(&format!("/orders/{order}/returns"), &wanted).await.is(201);
                asked["returnId"].as_str().expect("a return").to_owned()
            }
            "buyer.notification" => {
                let product = self.product().await;
                self.buyer = self.shop.person("Buyer").await;
                self.buyer.buys(&product, 2).await;
                eventually("the buyer is told", async || {
                    let inbox = self.buyer.get("/notifications").await.is(200);
                    inbox["notifications"][0]["id"].as_str().map(str::to_owned)
                })
                .await
            }
            "seller.unsubscribeToken" => {
                self.product().await;
                eventually("the seller has an email that can be switched off", async || {
                    self.seller.mail().await.iter().find_map(|mail| {
                        let (_, token) = mail.text.split_once("/unsubscribe?token=")?;
                        token.split_whitespace().next().map(str::to_owned)
                    })
                })
                .await
            }
            "cancelledOrder" => self.cancelled_order().await,
            "shippingGuestOrder" => self.shipping_guest_order().await,
            "guestOrder" => self.guest_order().await.0,
            "guestOrder.token" | "shippingGuestOrder.token" => self.guest_order().await.1,
            "cancelledGuestOrder" => self.cancelled_guest_order().await.0,
            "cancelledGuestOrder.token" => self.cancelled_guest_order().await.1,
            "banner" => {
                let body = json!({ "fileName": "baner1.png", "fileType": "image/png" });
                let banner = self.shop.admin().await.post("/banners/upload-url", &body).await.is(201);
                banner["id"].as_str().expect("an id").to_owned()
            }
            "coupon" => {
                let code = unique("C").replace(' ', "-").to_uppercase();
                let body = json!({ "code": code, "kind": "percent", "value": 10 });
                self.shop.admin().await.post("/coupons", &body).await.is(201);
                code
            }
            "webhook" => self.webhook(false).await,
            "delivery" | "activeDelivery" => {
                let webhook = self.webhook(name == "activeDelivery").await;
                let path = format!("/webhooks/{webhook}/test");
                let tested = self.shop.admin().await.post(&path, &Value::Null).await.is(200);
                tested["id"].as_str().expect("an id").to_owned()
            }
            "store" | "draftStore" => {
                // Of somebody who has no other one: nobody may have many.
                self.seller = self.shop.person("Seller").await;
                self.product = None;
                let body = json!({ "name": unique("Tea house") });
                let store = self.seller.post("/stores", &body).await.is(201);
                let id = store["id"].as_str().expect("an id").to_owned();
                if name == "store" {
                    let status = json!({ "status": "published" });
                    self.seller.put(&format!("/stores/{id}/status"), &status).await.is(200);
                }
                id
            }
            "category" => {
                let name = unique("Category").replace(' ', "-");
                let body = json!({ "fileName": "a.png", "fileType": "image/png", "categoryName": name });
                self.shop.admin().await.post("/categories/upload-url", &body).await.is(201);
                name
            }
            "member.id" => self.member.id(),
            "admin.id" => self.shop.admin().await.id(),
            "closed.id" => self.shop.person("Closed").await.id(),
            "member.fullName" => self.member.full_name.clone(),
            "member.email" => self.member.email.clone(),
            "member.accessToken" => self.member.tokens.access_token.clone(),
            "member.refreshToken" => self.member.tokens.refresh_token.clone(),
            "member.addressCode" => {
                let address = format!("{}@cartwright.test", unique("new").replace(' ', "."));
                self.member.post("/users/me/email", &json!({ "email": address })).await.is(202);
                self.shop.code_for_a_new_address(&address).await
            }
            "member.phoneCode" => {
                let number = phones::number();
                self.member.post(phones::PHONE, &json!({ "phone": number })).await.is(202);
                phones::code_of(&self.shop, &number, 1).await
            }
            "member.code" => self.member.begins_totp().await.code(),
            "protected.username" => self.protected().await.username,
            "protected.session" => self.protected().await.session,
            "protected.code" => self.protected().await.code,
            "member.password" | "newcomer.password" => PASSWORD.to_owned(),
            "newcomer.fullName" | "newcomer.email" => {
                let newcomer = Newcomer::named(&unique("Mara Lindqvist"));
                self.shop.sign_up(&newcomer).await.is(201);
                if name == "newcomer.email" { newcomer.email } else { newcomer.full_name }
            }
            "forgetful.fullName" => {
                let person = self.shop.person("Mara").await;
                self.shop.post("/forgot-password", &json!({ "email": person.email })).await.is(200);
                person.full_name
            }
            other => panic!("an example names {{{other}}}: say here what that is"),
        }
    }

    /// An example with what its names stand for; the same name is the same thing throughout.
    async fn filled_in(&mut self, example: &Value) -> Value {
        // What is paid is not to be paid again.
        (self.card_order, self.guest_card_order) = (None, None);
        let mut text = example.to_string();
        let names: BTreeSet<String> = text
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}').map(|(name, _)| name.to_owned()))
            .filter(|name| name.starts_with(char::is_alphabetic) && !name.contains(['"', ' ']))
            .collect();
        for name in names {
            let value = self.value(&name).await;
            text = text.replace(&format!("{{{name}}}"), &value);
        }
        text.parse().expect("still JSON")
    }

    async fn token(&self, example: &Value) -> Option<String> {
        let person = match example["as"].as_str() {
            Some("public" | "stripe") => return None,
            Some("member") => &self.member,
            Some("seller") => &self.seller,
            Some("buyer") => &self.buyer,
            Some("admin") => self.shop.admin().await,
            other => panic!("an example is sent as {other:?}: say here who that is"),
        };
        Some(match example["with"].as_str() {
            Some("access token") => person.tokens.access_token.clone(),
            None => person.tokens.id_token.clone(),
            other => panic!("an example is sent with {other:?}"),
        })
    }
}

/// Sends a request of the contract's.
async fn send(world: &World, method: &str, path: &str, example: &Value) -> Answer {
    let method: Method = method.parse().expect("a method");
    let mut path = path.to_owned();
    for (name, value) in example["path"].as_object().into_iter().flatten() {
        path = path.replace(&format!("{{{name}}}"), value.as_str().expect("a text"));
    }
    let query = example["query"].as_object().into_iter().flatten();
    let query = query.map(|(name, value)| match value.as_str() {
        Some(text) => format!("{name}={}", text.replace(' ', "%20")),
        None => format!("{name}={value}"),
    });
    let query = query.collect::<Vec<_>>().join("&");
    let path = if query.is_empty() { path } else { format!("{path}?{query}") };
    let mut request = world.shop.request(method, &path);
    if let Some(token) = world.token(example).await {
        request = request.token(&token);
    }
    for (name, value) in example["headers"].as_object().into_iter().flatten() {
        request = request.header(name, value.as_str().expect("a text"));
    }
    if let Some(body) = example.get("body") {
        if example["as"] == "stripe" {
            request = request.header("stripe-signature", &signature(&body.to_string()).await);
        }
        request = request.json(body);
    }
    request.send().await
}

/// Whether an answer has what an example says it has. It may have more; a list has as many.
fn has(answer: &Value, expected: &Value) -> bool {
    match (answer, expected) {
        (Value::Object(answer), Value::Object(expected)) => expected
            .iter()
            .all(|(name, expected)| answer.get(name).is_some_and(|answer| has(answer, expected))),
        (Value::Array(answer), Value::Array(expected)) => {
            answer.len() == expected.len()
                && answer.iter().zip(expected).all(|(answer, expected)| has(answer, expected))
        }
        _ => answer == expected,
    }
}

/// What is wrong with an answer by the contract and by its example.
fn faults(contract: &mut Contract, at: &str, example: &Value, answer: &Answer) -> Vec<String> {
    let mut wrong = Vec::new();
    if example["status"] != answer.status {
        return vec![format!("answered {} {}, and not {}", answer.status, answer.body, example["status"])];
    }
    let response = contract.place(&format!("{at}/responses/{}", answer.status));
    let headers = contract.at(&format!("{response}/headers")).as_object().cloned().unwrap_or_default();
    for name in headers.keys() {
        let header = contract.place(&format!("{response}/headers/{name}"));
        match answer.header(name) {
            Some(value) => {
                let is_number = contract.at(&format!("{header}/schema"))["type"] == "integer";
                let value = if is_number { value.parse().unwrap_or_default() } else { json!(value) };
                wrong.extend(contract.faults(&format!("{header}/schema"), &value));
            }
            None if contract.at(&header)["required"] == true => wrong.push(format!("has no {name}")),
            None => {}
        }
    }
    let declared = contract.at(&response)["content"].as_object().cloned().unwrap_or_default();
    let media_type =
        answer.header("content-type").map(|kind| kind.split(';').next().unwrap_or_default().trim());
    match media_type {
        Some(kind) if declared.contains_key(kind) => {
            let schema = format!("{response}/content/{}/schema", escaped(kind));
            wrong.extend(contract.faults(&schema, &answer.body));
        }
        // API Gateway calls even nothing JSON.
        _ if declared.is_empty() && answer.body.is_null() => {}
        other => wrong.push(format!("is {other:?}, and not one of {:?}", declared.keys())),
    }
    if let Some(expected) = example.get("answer")
        && !has(&answer.body, expected)
    {
        wrong.push(format!("answered {}, which has not {expected}", answer.body));
    }
    wrong
}

/// What is wrong with the `Location` of an answer: whoever made the thing finds it there. Where a browser is sent is
/// another matter.
async fn leads_nowhere(world: &World, example: &Value, answer: &Answer) -> Option<String> {
    if matches!(answer.status, 302 | 303) {
        return None;
    }
    let location = answer.header("location")?;
    let mut by_its_maker = json!({ "as": example["as"], "with": example["with"] });
    let token = answer.body["orderToken"].as_str().or_else(|| example["headers"]["Order-Token"].as_str());
    if let Some(token) = token {
        by_its_maker["headers"] = json!({ "Order-Token": token });
    }
    let found = send(world, "GET", location, &by_its_maker).await;
    (found.status != 200).then(|| format!("leads to {location}, which answers {}", found.status))
}

/// These end what the others sign in with, change its address or phone, or ask for somebody who has just signed in.
const ABOUT_THEIR_CALLER: [&str; 8] = [
    "signOut",
    "changePassword",
    "beginTotp",
    "confirmTotp",
    "removeTotp",
    "confirmEmail",
    "confirmPhone",
    "deleteAccount",
];

#[tokio::test]
async fn every_operation_of_the_contract_has_examples_that_run() {
    let shop = Shop::open();
    let mut contract = Contract::read();
    let mut world = World::open(&shop).await;
    let mut wrong = Vec::new();
    for (method, path, at) in operations(&contract.whole) {
        let examples = contract.at(&at)["x-examples"].as_array().cloned().unwrap_or_default();
        if examples.is_empty() {
            wrong.push(format!("{method} {path} has no x-examples"));
        }
        if !examples.iter().any(|example| example["status"].as_u64().is_some_and(|status| status < 400)) {
            wrong.push(format!("{method} {path} has no example that succeeds"));
        }
        let id = contract.at(&at)["operationId"].as_str().expect("an operation has an id");
        let is_about_its_caller = ABOUT_THEIR_CALLER.contains(&id);
        for example in &examples {
            (world.product, world.guest_order, world.protected) = (None, None, None);
            world.social = None;
            if is_about_its_caller {
                world.member = shop.person("Mara").await;
            }
            let example = world.filled_in(example).await;
            if let Some(body) = example.get("body") {
                let media = contract.place(&format!("{at}/requestBody"));
                let fits =
                    contract.faults(&format!("{media}/content/application~1json/schema"), body).is_none();
                let succeeds = example["status"].as_u64().is_some_and(|status| status < 400);
                if succeeds && !fits {
                    wrong.push(format!("{method} {path}: the body of an example does not fit: {body}"));
                }
            }
            let answer = send(&world, &method, &path, &example).await;
            let mut found = faults(&mut contract, &at, &example, &answer);
            found.extend(leads_nowhere(&world, &example, &answer).await);
            wrong.extend(found.into_iter().map(|fault| format!("{}: {fault}", answer.request)));
            if is_about_its_caller {
                world.member = shop.person("Mara").await;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_answer_has_what_its_example_says_and_may_have_more() {
    let answer =
        json!({ "id": "a", "tokens": { "kind": "Bearer", "id": "x" }, "list": [{ "a": 1, "b": 2 }] });
    for expected in [json!({}), json!({ "tokens": { "kind": "Bearer" } }), json!({ "list": [{ "a": 1 }] })] {
        assert!(has(&answer, &expected), "{expected}");
    }
    for other in [json!({ "id": "b" }), json!({ "gone": null }), json!({ "list": [] }), json!([])] {
        assert!(!has(&answer, &other), "{other}");
    }
}
