//! A running Cartwright as its clients see it: people, what they sell, what they buy, and the mail that they get.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use emulator::client;
use reqwest::{Client, Method, RequestBuilder, header};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::answer::Answer;
use crate::aws::Aws;
use crate::totp::App;
use crate::wait::{at_once, eventually};

/// The password of everyone.
pub const PASSWORD: &str = "Cartwright-1";
/// The confirmation code that the local cloud sends to everyone.
pub const CODE: &str = "123456";
/// The code for a new password that the local cloud sends to everyone.
pub const RESET_CODE: &str = "654321";
/// The subjects of emails with a code: to confirm an account, the same again, and for a new password.
pub const CODE_SUBJECTS: [&str; 3] = [
    "Confirm your Cartwright account",
    "Your new code for Cartwright",
    "Your code for a new password at Cartwright",
];

/// A picture: one red pixel.
pub const RED_PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90\x77\x53\xde\0\0\0\x0c\
    IDAT\x78\xda\x63\x38\x21\x27\x07\0\x02\xb6\x01\x05\x0a\x5b\xa6\x06\0\0\0\0IEND\xae\x42\x60\x82";
/// Another picture: one blue pixel.
pub const BLUE_PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90\x77\x53\xde\0\0\0\x0c\
    IDAT\x78\xda\x63\x90\x93\x3b\x01\0\x01\x62\x01\x05\x2f\xe6\x70\x8d\0\0\0\0IEND\xae\x42\x60\x82";

/// A picture that is wider than all of its renditions: a grey line.
pub fn wide_png() -> Vec<u8> {
    const WIDTH: u16 = 2000;
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, WIDTH.into(), 1);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().expect("a PNG");
    writer.write_image_data(&[128; WIDTH as usize]).expect("a PNG");
    writer.finish().expect("a PNG");
    file
}

/// A running Cartwright. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Shop(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    url: String,
    http: Client,
    admin: OnceCell<Person>,
}

impl Shop {
    /// The one that `cargo local test` started.
    ///
    /// # Panics
    /// When there is none.
    pub fn open() -> Self {
        let url = std::env::var("CARTWRIGHT_URL");
        let url = url.expect("no Cartwright to test, CARTWRIGHT_URL is not set: run `cargo local test`");
        let url = url.trim_end_matches('/').to_owned();
        Self(Arc::new(Inner { url, http: client(), admin: OnceCell::new() }))
    }

    /// A request to the API, without a token.
    pub fn request(&self, method: Method, path: &str) -> Request {
        let name = format!("{method} {path}");
        Request { name, http: self.0.http.request(method, format!("{}{path}", self.0.url)) }
    }

    /// Gets a public thing.
    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send().await
    }

    /// Posts to a public route.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::POST, path).json(body).send().await
    }

    /// Someone new who has signed up, confirmed and signed in. The name is made unique: `Ann 5c1e07d2`.
    pub async fn person(&self, first_name: &str) -> Person {
        let newcomer = Newcomer::named(&unique(first_name));
        self.sign_up(&newcomer).await.is(201);
        self.confirm(&newcomer).await.is(200);
        self.sign_in(&newcomer).await
    }

    /// So many people.
    pub async fn people(&self, count: usize) -> Vec<Person> {
        let mut people = Vec::with_capacity(count);
        while people.len() < count {
            // Not all at once: this is no test of the sign-up.
            let group = at_once(10.min(count - people.len()), |_| {
                let shop = self.clone();
                async move { shop.person("Buyer").await }
            });
            people.extend(group.await);
        }
        people
    }

    /// Asks for an account.
    pub async fn sign_up(&self, newcomer: &Newcomer) -> Answer {
        self.post("/sign-up", &newcomer.body()).await
    }

    /// Confirms an account.
    pub async fn confirm(&self, newcomer: &Newcomer) -> Answer {
        let (field, name) = match &newcomer.username {
            Some(username) => ("username", username),
            None => ("fullName", &newcomer.full_name),
        };
        self.post("/confirm-sign-up", &json!({ field: name, "confirmationCode": CODE })).await
    }

    /// Signs a person in by the email address.
    pub async fn sign_in(&self, newcomer: &Newcomer) -> Person {
        let body = json!({ "email": newcomer.email, "password": PASSWORD });
        let signed_in = self.post("/sign-in", &body).await.is(200);
        self.signed_in(&newcomer.full_name, &newcomer.email, &signed_in)
    }

    /// Somebody with the tokens of an answer.
    ///
    /// # Panics
    /// When it has none.
    pub fn signed_in(&self, full_name: &str, email: &str, signed_in: &Value) -> Person {
        let tokens = serde_json::from_value(signed_in["tokens"].clone()).expect("tokens");
        Person { shop: self.clone(), full_name: full_name.to_owned(), email: email.to_owned(), tokens }
    }

    /// Who runs the shop. All tests of a binary share one sign-in, since an account takes only so many.
    pub async fn admin(&self) -> &Person {
        static TOKENS: OnceCell<Tokens> = OnceCell::const_new();
        let admin =
            Newcomer { full_name: "Admin".into(), email: "admin@cartwright.test".into(), username: None };
        let signed_in = async || {
            let tokens = TOKENS.get_or_init(async || self.sign_in(&admin).await.tokens).await.clone();
            Person {
                shop: self.clone(),
                full_name: admin.full_name.clone(),
                email: admin.email.clone(),
                tokens,
            }
        };
        self.0.admin.get_or_init(signed_in).await
    }

    /// Somebody whom an operator has put into the group `admin`, for what changes who that is.
    pub async fn another_admin(&self, aws: &Aws) -> Person {
        let person = self.person("Root").await;
        let username = person.full_name.replace(' ', "_");
        let membership =
            json!({ "UserPoolId": aws.output("UserPoolId"), "Username": username, "GroupName": "admin" });
        aws.json("cognito-idp", "AWSCognitoIdentityProviderService.AdminAddUserToGroup", membership).await;
        let body = json!({ "email": person.email, "password": PASSWORD });
        let signed_in = self.post("/sign-in", &body).await.is(200);
        person.having(&signed_in)
    }

    /// Sends a file to an upload URL and gives the status.
    pub async fn upload(&self, url: &str, content_type: &str, file: Vec<u8>) -> u16 {
        let put = self.0.http.put(url).header(header::CONTENT_TYPE, content_type).body(file);
        put.send().await.expect("the upload URL answers").status().as_u16()
    }

    /// What is at a URL.
    pub async fn download(&self, url: &str) -> reqwest::Response {
        self.0.http.get(url).send().await.expect("the URL answers")
    }

    /// How many pieces are left of something that is for sale.
    pub async fn stock_of(&self, product: &Product) -> u64 {
        let product = self.get(&product.path()).await.is(200);
        product["quantity"].as_u64().expect("a quantity")
    }

    /// All mail to an address, oldest first, without codes.
    pub async fn mail_to(&self, email: &str) -> Vec<Mail> {
        self.mailbox(email, |mail| !CODE_SUBJECTS.contains(&mail.subject.as_str())).await
    }

    /// All mail with a code to an address, oldest first.
    pub async fn codes_to(&self, email: &str) -> Vec<Mail> {
        self.mailbox(email, |mail| CODE_SUBJECTS.contains(&mail.subject.as_str())).await
    }

    /// The last code that was emailed to an address that somebody wants to have, once it is there.
    pub async fn code_for_a_new_address(&self, address: &str) -> String {
        eventually("a code arrives", async || {
            let mails = self.mail_to(address).await;
            let mail =
                mails.iter().rfind(|mail| mail.subject == "Your code for a new address at Cartwright")?;
            let is_code = |word: &&str| word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_digit());
            mail.text.split_whitespace().find(is_code).map(str::to_owned)
        })
        .await
    }

    async fn mailbox(&self, email: &str, is_meant: impl Fn(&Mail) -> bool) -> Vec<Mail> {
        let mailbox = self.get(&format!("/local/emails.json?to={email}")).await.is(200);
        let mut mails: Vec<Mail> = serde_json::from_value(mailbox).expect("a mailbox");
        mails.retain(is_meant);
        mails.reverse();
        mails
    }
}

/// Whom a token is about: its `sub`.
///
/// # Panics
/// When it is no token.
pub fn subject(token: &str) -> String {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).expect("claims")).expect("base64");
    let claims: Value = serde_json::from_slice(&claims).expect("JSON");
    claims["sub"].as_str().expect("a subject").to_owned()
}

/// A name that no other test has.
pub fn unique(name: &str) -> String {
    let random = uuid::Uuid::now_v7().simple().to_string();
    format!("{name} {}", &random[random.len() - 8..])
}

/// A request that is being put together.
#[derive(Debug)]
pub struct Request {
    name: String,
    http: RequestBuilder,
}

impl Request {
    /// With a token.
    #[must_use]
    pub fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With a header.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        Self { http: self.http.header(name, value), ..self }
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        Self { http: self.http.json(body), ..self }
    }

    /// With a body that may be anything.
    #[must_use]
    pub fn body(self, body: impl Into<reqwest::Body>) -> Self {
        Self { http: self.http.body(body), ..self }
    }

    /// Sends it.
    ///
    /// # Panics
    /// When nobody answers.
    pub async fn send(self) -> Answer {
        let response = self.http.send().await.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        Answer::read(self.name, response).await
    }

    /// Sends it, for an answer that is no text.
    ///
    /// # Panics
    /// When nobody answers.
    pub async fn send_for_bytes(self) -> Bytes {
        let response = self.http.send().await.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let headers = response.headers().clone();
        Bytes { headers, body: response.bytes().await.expect("a whole answer").to_vec() }
    }
}

/// An answer as it went over the wire.
#[derive(Debug, Clone)]
pub struct Bytes {
    /// The headers.
    pub headers: header::HeaderMap,
    /// The body, in whatever encoding.
    pub body: Vec<u8>,
}

/// Someone who may sign up.
#[derive(Debug, Clone)]
pub struct Newcomer {
    /// `Ann 5c1e07d2`
    pub full_name: String,
    /// `ann.5c1e07d2@cartwright.test`
    pub email: String,
    /// A username of their own choice, instead of the one made of the full name.
    pub username: Option<String>,
}

impl Newcomer {
    /// Of this name, with an address of its own.
    pub fn named(full_name: &str) -> Self {
        let name = unique(full_name).to_lowercase().replace(' ', ".");
        Self { full_name: full_name.to_owned(), email: format!("{name}@cartwright.test"), username: None }
    }

    /// What `POST /sign-up` takes.
    pub fn body(&self) -> Value {
        let mut body = json!({ "email": self.email, "fullName": self.full_name, "password": PASSWORD });
        if let Some(username) = &self.username {
            body["username"] = json!(username);
        }
        body
    }
}

/// What `POST /sign-in` gives.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tokens {
    /// For the API, without the email address.
    pub access_token: String,
    /// For the API, with the email address.
    pub id_token: String,
    /// For `POST /refresh-token`.
    pub refresh_token: String,
}

/// Someone who is signed in.
#[derive(Debug, Clone)]
pub struct Person {
    shop: Shop,
    /// `Ann 5c1e07d2`
    pub full_name: String,
    /// The address.
    pub email: String,
    /// What proves who it is.
    pub tokens: Tokens,
}

impl Person {
    /// The person's id.
    pub fn id(&self) -> String {
        subject(&self.tokens.id_token)
    }

    /// A request with this person's token.
    pub fn request(&self, method: Method, path: &str) -> Request {
        self.shop.request(method, path).token(&self.tokens.id_token)
    }

    /// Gets something.
    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send().await
    }

    /// Posts something.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::POST, path).json(body).send().await
    }

    /// Puts something.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::PUT, path).json(body).send().await
    }

    /// A request with this person's access token, for what changes the account.
    pub fn request_on_the_account(&self, method: Method, path: &str) -> Request {
        self.shop.request(method, path).token(&self.tokens.access_token)
    }

    /// Gets a key for an authenticator app.
    pub async fn begins_totp(&self) -> App {
        let begun = self.request_on_the_account(Method::POST, "/users/me/totp").send().await.is(200);
        App::of(begun["secret"].as_str().expect("a key"))
    }

    /// Turns the second factor on.
    pub async fn turns_totp_on(&self) -> App {
        let app = self.begins_totp().await;
        let confirm = self.request_on_the_account(Method::PUT, "/users/me/totp");
        confirm.json(&json!({ "code": app.code() })).send().await.is(200);
        app
    }

    /// Signs in anew with password and code.
    pub async fn signs_in_with(&self, code: &str) -> Self {
        let body = json!({ "email": self.email, "password": PASSWORD });
        let asked = self.shop.post("/sign-in", &body).await.is(200);
        let answer = json!({ "username": asked["username"], "session": asked["session"], "code": code });
        let signed_in = self.shop.post("/sign-in/challenge", &answer).await.is(200);
        self.clone().having(&signed_in)
    }

    /// The same person with the tokens of an answer.
    ///
    /// # Panics
    /// When it has none.
    #[must_use]
    pub fn having(self, signed_in: &Value) -> Self {
        Self { tokens: serde_json::from_value(signed_in["tokens"].clone()).expect("tokens"), ..self }
    }

    /// Lists a product, which then waits for its picture.
    pub async fn lists(&self, product: NewProduct) -> Product {
        Product::listed(&product, &self.post("/products", &product.body).await.is(201))
    }

    /// Lists a product, uploads its picture, and has it approved.
    pub async fn sells(&self, product: NewProduct) -> Product {
        let product = self.lists(product).await;
        assert_eq!(self.shop.upload(&product.upload_url, "image/png", RED_PNG.to_vec()).await, 200);
        self.own_once(&product, "its picture waits", |product| product["waitingPicture"].is_object()).await;
        let approval = format!("{}/approval", product.path());
        self.shop.admin().await.put(&approval, &json!({ "approved": true })).await.is(200);
        product
    }

    /// One of this person's hundred newest products, as its owner sees it.
    pub async fn own(&self, product: &Product) -> Option<Value> {
        let page = self.get("/users/me/products?limit=100").await.is(200);
        let products = page["products"].as_array().expect("products");
        products.iter().find(|own| own["id"] == product.id.as_str()).cloned()
    }

    /// The same, as soon as it is so.
    pub async fn own_once(&self, product: &Product, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        eventually(what, async || self.own(product).await.filter(&is_so)).await
    }

    /// Tries to order some pieces.
    pub async fn tries_to_buy(&self, product: &Product, quantity: u32) -> Answer {
        self.post("/create-order", &json!({ "id": product.id, "quantity": quantity })).await
    }

    /// Orders some pieces and gives the order's id.
    pub async fn buys(&self, product: &Product, quantity: u32) -> String {
        order_id(&self.tries_to_buy(product, quantity).await.is(201))
    }

    /// Buys a piece of something, and waits until that lets this person review it.
    pub async fn gets(&self, product: &Product) {
        self.buys(product, 1).await;
        self.may_review(product).await;
    }

    /// Waits until what was bought lets this person review it: a second after the order was sent. That is known by a
    /// review, which is deleted again.
    pub async fn may_review(&self, product: &Product) {
        eventually("the purchase is known", async || {
            let posted = self.reviews(product, &json!({ "stars": 3 })).await;
            (posted.status == 201).then_some(())
        })
        .await;
        self.request(Method::DELETE, &format!("/reviews/{}", product.id)).send().await.is(204);
    }

    /// Says something of a product.
    pub async fn reviews(&self, product: &Product, review: &Value) -> Answer {
        self.post(&format!("{}/reviews", product.path()), review).await
    }

    /// One of this person's orders.
    pub async fn order(&self, id: &str) -> Value {
        self.get(&format!("/orders/{id}")).await.is(200)
    }

    /// The same, as soon as it has this status.
    pub async fn order_once(&self, id: &str, status: &str) -> Value {
        let what = format!("the order is {status}");
        eventually(&what, async || Some(self.order(id).await).filter(|order| order["status"] == status)).await
    }

    /// Tries to cancel an order.
    pub async fn cancels(&self, id: &str) -> Answer {
        self.request(Method::POST, &format!("/orders/{id}/cancel")).send().await
    }

    /// All mail of this person about orders, oldest first.
    pub async fn mail(&self) -> Vec<Mail> {
        self.shop.mail_to(&self.email).await
    }

    /// The mail about one order, oldest first.
    pub async fn mail_about(&self, order: &str) -> Vec<Mail> {
        let mut mails = self.mail().await;
        mails.retain(|mail| mail.text.contains(order));
        mails
    }

    /// The same, as soon as there is so much.
    pub async fn mail_once_there_are(&self, count: usize) -> Vec<Mail> {
        let what = format!("there are {count} mails");
        eventually(&what, async || Some(self.mail().await).filter(|mail| mail.len() >= count)).await
    }
}

/// The id in what `POST /create-order` answered.
pub fn order_id(placed: &Value) -> String {
    placed["orderId"].as_str().expect("an order's id").to_owned()
}

/// The statuses of an order's history, oldest first.
pub fn history(order: &Value) -> Vec<&str> {
    let history = order["history"].as_array().expect("a history");
    history.iter().map(|entry| entry["status"].as_str().expect("a status")).collect()
}

/// A product that somebody may list.
#[derive(Debug, Clone)]
pub struct NewProduct {
    /// What `POST /products` takes.
    pub body: Value,
}

/// Some product.
pub fn product() -> NewProduct {
    NewProduct {
        body: json!({
            "fileName": "picture.png",
            "fileType": "image/png",
            "productName": "thing",
            "productPrice": 1,
            "description": "Good for tests.",
            "quantity": 1,
            "category": "Things",
        }),
    }
}

impl NewProduct {
    /// With a name.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        self.with("productName", json!(name))
    }

    /// With a price, as JSON has it: `99.99`.
    #[must_use]
    pub fn priced(self, price: &str) -> Self {
        self.with("productPrice", price.parse().expect("a price"))
    }

    /// With so many pieces.
    #[must_use]
    pub fn stock(self, quantity: u32) -> Self {
        self.with("quantity", json!(quantity))
    }

    /// In a category.
    #[must_use]
    pub fn in_category(self, category: &str) -> Self {
        self.with("category", json!(category))
    }

    /// With any member.
    #[must_use]
    pub fn with(mut self, member: &str, value: Value) -> Self {
        self.body[member] = value;
        self
    }

    fn name(&self) -> String {
        self.body["productName"].as_str().unwrap_or_default().to_owned()
    }
}

/// A product that somebody has listed.
#[derive(Debug, Clone)]
pub struct Product {
    /// Its id.
    pub id: String,
    /// Where its picture goes to.
    pub upload_url: String,
    /// Its name.
    pub name: String,
}

impl Product {
    /// What `POST /products` answered to a new one.
    pub fn listed(product: &NewProduct, answer: &Value) -> Self {
        let text = |member: &str| answer[member].as_str().expect(member).to_owned();
        Self { id: text("id"), upload_url: text("uploadUrl"), name: product.name() }
    }

    /// `/products/{id}`
    pub fn path(&self) -> String {
        format!("/products/{}", self.id)
    }
}

/// How much of some mail says that an order is on its way.
pub fn shipping(mails: &[Mail]) -> usize {
    mails.iter().filter(|mail| mail.subject.ends_with("now shipping")).count()
}

/// How much of some mail says that an order was cancelled.
pub fn cancelled(mails: &[Mail]) -> usize {
    mails.iter().filter(|mail| mail.subject.contains("cancelled")).count()
}

/// An email that went out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// Whom to.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// What it says, as text; Cognito sends none beside its HTML.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
    /// When it was sent.
    pub sent_at: String,
}
