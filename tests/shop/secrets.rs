//! What is secret stays out of the logs: passwords, tokens and addresses, whether a request succeeds or fails.

use std::path::PathBuf;

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::Answer;
use tests::paying::{awaiting, key};
use tests::shop::{CODE, Newcomer, Shop, product, unique};
use tests::wait::eventually;

/// All that the functions have said so far.
fn logs() -> String {
    let folder = std::env::var_os("CARTWRIGHT_LOGS");
    let folder =
        PathBuf::from(folder.expect("no logs to read, CARTWRIGHT_LOGS is not set: run `cargo local test`"));
    let files = std::fs::read_dir(&folder).expect("the folder of the logs");
    let texts = files.map(|file| std::fs::read(file.expect("a file").path()).expect("a log"));
    texts.map(|text| String::from_utf8_lossy(&text).into_owned()).collect()
}

/// What no log may have, whoever's it is: the keys of Stripe's API, the secrets by which it signs, and where a session
/// is paid, on the laptop and at Stripe.
const PATTERNS: [&str; 8] = [
    "rk_live_",
    "rk_test_",
    "rk_local_",
    "sk_live_",
    "sk_test_",
    "whsec_",
    "checkout.stripe.com",
    "/local/stripe/pay/",
];

/// A person's way through the accounts, with every kind of failure on it; and what must not be read of it anywhere.
struct Visit {
    answers: Vec<Answer>,
    secrets: Vec<(&'static str, String)>,
}

impl Visit {
    async fn post(&mut self, shop: &Shop, path: &str, body: &Value) -> Value {
        let answer = shop.post(path, body).await;
        self.answers.push(answer.clone());
        answer.body
    }

    /// Waits until the functions have said all that they say of these requests, so that there is something to read.
    async fn is_in_no_log(&self) {
        let ids: Vec<_> = self
            .answers
            .iter()
            .filter_map(|answer| answer.header("x-request-id"))
            .map(str::to_owned)
            .collect();
        assert_eq!(ids.len(), self.answers.len());
        let logs = eventually("all requests are in the logs", async || {
            let logs = logs();
            ids.iter().all(|id| logs.contains(id.as_str())).then_some(logs)
        })
        .await;
        for (what, secret) in &self.secrets {
            assert!(secret.len() >= 7, "{what}: {secret} is too short to be looked for");
            let line = logs.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(line, None, "{what} is in a log");
        }
    }
}

#[tokio::test]
async fn no_log_has_a_password_a_token_or_an_address() {
    let shop = Shop::open();
    let newcomer = Newcomer::named(&unique("Ann"));
    let email = newcomer.email.clone();
    let [password, wrong, changed] =
        ["Right", "Wrong", "Changed"].map(|name| unique(name).replace(' ', "-secret-1"));
    // Against the policy: it has no number.
    let weak = unique("weak").replace(|c: char| !c.is_ascii_lowercase(), "q");
    let mut visit = Visit {
        answers: Vec::new(),
        secrets: vec![
            ("the password", password.clone()),
            ("a wrong password", wrong.clone()),
            ("a new password", changed.clone()),
            ("a weak password", weak.clone()),
            ("the address", email.clone()),
        ],
    };
    let sign_up =
        |password: &str| json!({ "email": email, "fullName": newcomer.full_name, "password": password });
    visit.post(&shop, "/sign-up", &sign_up(&weak)).await;
    visit.post(&shop, "/sign-up", &sign_up(&password)).await;
    // The name is taken now; and fields that do not belong.
    visit.post(&shop, "/sign-up", &sign_up(&password)).await;
    visit.post(&shop, "/sign-up", &json!({ "passwords": password, "password": [password] })).await;
    visit.post(&shop, "/sign-in", &json!({ "email": email, "password": password })).await;
    visit.post(&shop, "/resend-code", &json!({ "fullName": newcomer.full_name })).await;
    let confirmation = json!({ "fullName": newcomer.full_name, "confirmationCode": CODE });
    visit.post(&shop, "/confirm-sign-up", &confirmation).await;
    visit.post(&shop, "/sign-in", &json!({ "email": email, "password": wrong })).await;
    let signed_in = visit.post(&shop, "/sign-in", &json!({ "email": email, "password": password })).await;
    let token = |name: &str| signed_in["tokens"][name].as_str().expect("a token").to_owned();
    let [id, access, refresh] = ["IdToken", "AccessToken", "RefreshToken"].map(token);
    let refreshed = visit.post(&shop, "/refresh-token", &json!({ "refreshToken": refresh })).await;
    visit.post(&shop, "/refresh-token", &json!({ "refreshToken": format!("{refresh}x") })).await;
    for body in
        [format!("{{\"password\":\"{password}\""), format!("\"{password}\""), format!("{password}{id}")]
    {
        visit.answers.push(shop.request(reqwest::Method::POST, "/sign-in").body(body).send().await);
    }
    for path in ["/orders", "/users/me/products", "/products/pending", "/orders?cursor=x"] {
        visit.answers.push(shop.request(reqwest::Method::GET, path).token(&id).send().await);
        visit.answers.push(shop.request(reqwest::Method::GET, path).token(&access).send().await);
    }
    let change = json!({ "previousPassword": wrong, "proposedPassword": changed });
    let change = shop.request(reqwest::Method::POST, "/change-password").token(&access).json(&change);
    visit.answers.push(change.send().await);
    visit.post(&shop, "/forgot-password", &json!({ "email": email })).await;
    let reset = |code: &str| json!({ "email": email, "confirmationCode": code, "newPassword": changed });
    visit.post(&shop, "/reset-password", &reset("000000")).await;
    visit.post(&shop, "/reset-password", &reset(CODE)).await;
    visit.post(&shop, "/sign-out", &json!({ "accessToken": access })).await;
    visit.post(&shop, "/sign-out", &json!({ "accessToken": format!("{access}x") })).await;
    let new = refreshed["tokens"]["AccessToken"].as_str().expect("a token").to_owned();
    // Of a token its signature: its beginning is the same for everyone.
    let signature = |token: &str| token.rsplit('.').next().unwrap_or(token).to_owned();
    visit.secrets.extend([
        ("the ID token", signature(&id)),
        ("the access token", signature(&access)),
        ("the refreshed access token", signature(&new)),
        ("the refresh token", signature(&refresh)),
    ]);
    visit.is_in_no_log().await;
}

#[tokio::test]
async fn no_log_has_what_opens_what_a_guest_bought_or_who_the_guest_is() {
    let shop = Shop::open();
    let tea = shop.person("Ann").await.sells(product().priced("4.50").stock(9)).await;
    let email = format!("{}@cartwright.test", unique("gus").replace(' ', "."));
    let name = unique("Gus Guest");
    let mut visit = Visit {
        answers: Vec::new(),
        secrets: vec![("the address", email.clone()), ("the name", name.clone())],
    };
    let item = json!({ "id": tea.id, "quantity": 1 });
    let cart = visit.post(&shop, "/guest-cart/items", &item).await;
    let cart = cart["cartToken"].as_str().expect("a token").to_owned();
    let body = |total: f64| json!({ "expectedTotal": total, "email": email, "fullName": name });
    let mut order = Value::Null;
    for total in [4.0, 4.5, 4.5] {
        let request = shop.request(Method::POST, "/guest-cart/checkout").header("cart-token", &cart);
        let answer = request.json(&body(total)).send().await;
        order = answer.body.clone();
        visit.answers.push(answer);
    }
    let text = |name: &str| order[name].as_str().expect(name).to_owned();
    let (path, token) = (format!("/guest-orders/{}", text("orderId")), text("orderToken"));
    for opens in [&token, &cart] {
        for (method, path) in [(Method::GET, path.clone()), (Method::POST, format!("{path}/cancel"))] {
            visit.answers.push(shop.request(method, &path).header("order-token", opens).send().await);
        }
    }
    visit.post(&shop, "/guest-orders/links", &json!({ "email": email })).await;
    // The mail is written by another function, which has both.
    eventually("the links come", async || {
        shop.mail_to(&email).await.iter().any(|mail| mail.text.contains(&token)).then_some(())
    })
    .await;
    let claim = json!({ "orderId": text("orderId"), "orderToken": token });
    let bob = shop.person("Bob").await;
    for _ in 0..2 {
        visit.answers.push(bob.post("/orders/claim", &claim).await);
    }
    visit.secrets.extend([("what opens the cart", cart), ("what opens the order", token)]);
    visit.is_in_no_log().await;
}

#[tokio::test]
async fn no_log_has_a_key_of_stripes_or_where_somebody_pays() {
    let awaiting = awaiting().await;
    let mut visit = Visit { answers: Vec::new(), secrets: Vec::new() };
    let path = format!("/payments/{}", awaiting.order);
    let open = awaiting.buyer.request(Method::POST, &path).send().await;
    let page = open.body["url"].as_str().expect("a page").to_owned();
    assert!(PATTERNS.iter().any(|pattern| page.contains(pattern)), "{page} would not be found in a log");
    visit.answers.push(open);
    // Signed by nobody, and for the shop to read as long as it is not yet known to be so.
    let forged =
        json!({ "id": "evt_1", "type": "checkout.session.completed", "data": { "object": { "url": page } } });
    visit.post(&awaiting.shop, "/payments/webhook", &forged).await;
    awaiting.at_stripe(json!({ "do": "decline" })).await;
    awaiting.is_paid().await;
    visit.answers.push(awaiting.refunds(&json!({ "amount": 10 }), &key("refund")).await);
    awaiting.order_once("it went back", |order| order["paymentStatus"] == "partially_refunded").await;
    visit.answers.push(awaiting.buyer.request(Method::POST, &path).send().await);
    visit.secrets.push(("the page of the payment", page));
    visit.is_in_no_log().await;
    let logs = logs();
    for pattern in PATTERNS {
        assert_eq!(logs.lines().find(|line| line.contains(pattern)), None, "{pattern} is in a log");
    }
}
