//! What is secret stays out of the logs: passwords, tokens and addresses, whether a request succeeds or fails.

use std::path::PathBuf;

use serde_json::{Value, json};
use tests::answer::Answer;
use tests::shop::{CODE, Newcomer, Shop, unique};
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

    // The functions have said all that they say of these requests, so that there is something to read.
    let ids: Vec<_> =
        visit.answers.iter().filter_map(|answer| answer.header("x-request-id")).map(str::to_owned).collect();
    assert_eq!(ids.len(), visit.answers.len());
    let logs = eventually("all requests are in the logs", async || {
        let logs = logs();
        ids.iter().all(|id| logs.contains(id.as_str())).then_some(logs)
    })
    .await;
    for (what, secret) in &visit.secrets {
        assert!(secret.len() >= 7, "{what}: {secret} is too short to be looked for");
        let line = logs.lines().find(|line| line.contains(secret.as_str()));
        assert_eq!(line, None, "{what} is in a log");
    }
}
