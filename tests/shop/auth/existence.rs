//! What the routes of accounts tell to somebody who wants to know who has one: nothing. How Cognito's errors lead there
//! is tested against canned answers in functions/auth, since the local cloud has few of them.

use serde_json::{Value, json};
use tests::answer::Answer;
use tests::aws::Aws;
use tests::shop::{CODE, Newcomer, PASSWORD, Shop, unique};
use tests::template::yaml;

const WRONG_PASSWORD: &str = "Wrong-password-1";
const WRONG_CODE: &str = "000000";

/// Somebody whom the routes are asked about.
struct Account {
    newcomer: Newcomer,
    what: &'static str,
}

/// A confirmed account, one that waits for its code, and none.
async fn accounts(shop: &Shop) -> [Account; 3] {
    let named = |what| Account { newcomer: Newcomer::named(&unique("Ann")), what };
    let accounts = [named("known"), named("unconfirmed"), named("unknown")];
    let [known, unconfirmed, _] = &accounts;
    shop.sign_up(&known.newcomer).await.is(201);
    shop.confirm(&known.newcomer).await.is(200);
    shop.sign_up(&unconfirmed.newcomer).await.is(201);
    accounts
}

/// What a route may be sent about an account, by somebody who knows neither its password nor its code.
fn requests(path: &str, of: &Newcomer) -> Vec<Value> {
    let by_name =
        [json!({ "fullName": of.full_name }), json!({ "username": of.full_name.replace(' ', "_") })];
    let all = by_name.iter().cloned().chain([json!({ "email": of.email })]);
    let with = |bodies: Vec<Value>, more: Value| {
        let more = more.as_object().expect("an object").clone();
        let add = |mut body: Value| {
            body.as_object_mut().expect("an object").extend(more.clone());
            body
        };
        bodies.into_iter().map(add).collect()
    };
    match path {
        // A taken username is told, or nobody could choose another. An address is not.
        "/sign-up" | "/users/register" | "/auth/register" => {
            vec![Newcomer { full_name: unique("Eve"), ..of.clone() }.body()]
        }
        "/confirm-sign-up" => with(all.collect(), json!({ "confirmationCode": WRONG_CODE })),
        "/resend-code" | "/forgot-password" => all.collect(),
        "/sign-in" | "/users/login" | "/auth/login" => {
            with(all.collect(), json!({ "password": WRONG_PASSWORD }))
        }
        "/reset-password" => {
            with(all.collect(), json!({ "confirmationCode": WRONG_CODE, "newPassword": PASSWORD }))
        }
        "/sign-in/challenge" => {
            let username = of.full_name.replace(' ', "_");
            let session = "AYABeNQ2x0pSV9hZ1r7aE2lX3kQAHQABAAdTZXJ2aWNl";
            vec![json!({ "username": username, "session": session, "code": WRONG_CODE })]
        }
        // Tokens name their person; who has none can name nobody.
        "/users/me/totp" => vec![json!({ "code": WRONG_CODE })],
        "/refresh-token" | "/auth/refresh" => {
            vec![json!({ "refreshToken": "a.b.c", "username": of.full_name.replace(' ', "_") })]
        }
        // These name nobody: whose address it is, the provider says.
        "/auth/{provider}" | "/auth/callback" => Vec::new(),
        "/auth/exchange" => {
            let text = "3q2pOcohAKtgwAdTxgHEcwnX0pOcohAKtgwAdTxgHEc";
            vec![json!({ "code": text, "verifier": text })]
        }
        "/sign-out" => vec![json!({ "accessToken": "a.b.c" })],
        "/change-password" => {
            vec![json!({ "previousPassword": PASSWORD, "proposedPassword": WRONG_PASSWORD })]
        }
        other => panic!("say here what may be sent to {other}"),
    }
}

/// An answer without what is different in each.
fn told(answer: &Answer) -> (u16, Value) {
    (answer.status, answer.body.clone())
}

#[tokio::test]
async fn no_route_of_accounts_tells_whether_there_is_one() {
    let shop = Shop::open();
    let accounts = accounts(&shop).await;
    let contract = yaml("infra/api/auth.yaml");
    for path in contract["paths"].as_object().expect("paths").keys() {
        let mut answers = Vec::new();
        for account in &accounts {
            let mut told_of_one = Vec::new();
            for body in requests(path, &account.newcomer) {
                told_of_one.push(told(&shop.post(path, &body).await));
            }
            answers.push((account.what, told_of_one));
        }
        let (_, of_nobody) = answers.pop().expect("three accounts");
        for (what, of_somebody) in answers {
            assert_eq!(of_somebody, of_nobody, "{path} tells that an account is {what}");
        }
    }
}

#[tokio::test]
async fn whoever_owns_an_address_confirms_no_stranger_who_signed_up_with_it() {
    let shop = Shop::open();
    let mallory = Newcomer::named(&unique("Mallory"));
    shop.sign_up(&mallory).await.is(201);
    // The owner of the address gets the code, and knows the address alone.
    let by_address = json!({ "email": mallory.email, "confirmationCode": CODE });
    let refused = shop.post("/confirm-sign-up", &by_address).await.is_problem(422, "invalid-input");
    let _ = refused.at(["#", "#/email"]);
    let resend = shop.post("/resend-code", &json!({ "email": mallory.email })).await;
    let _ = resend.is_problem(422, "invalid-input").at(["#", "#/email"]);
    let password = json!({ "fullName": mallory.full_name, "password": PASSWORD });
    shop.post("/sign-in", &password).await.is_problem(401, "wrong-credentials");
}

#[tokio::test]
async fn nobody_calls_cognito_past_the_api_with_what_a_token_tells() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let ann = shop.person("Ann").await;
    let client = aws.output("UserPoolClientId");
    let credentials = json!({ "USERNAME": ann.email, "PASSWORD": PASSWORD });
    let refresh = json!({ "REFRESH_TOKEN": ann.tokens.refresh_token });
    for (operation, mut input) in [
        ("SignUp", json!({ "Username": unique("a@b").replace(' ', ""), "Password": PASSWORD })),
        ("ForgotPassword", json!({ "Username": ann.email })),
        ("ResendConfirmationCode", json!({ "Username": ann.email })),
        ("InitiateAuth", json!({ "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": credentials })),
        ("InitiateAuth", json!({ "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": refresh })),
    ] {
        input["ClientId"] = json!(client);
        let operation = format!("AWSCognitoIdentityProviderService.{operation}");
        let refusal = aws.refusal("cognito-idp", &operation, &input).await;
        assert!(refusal.contains("NotAuthorizedException"), "{operation}: {refusal}");
    }
}
