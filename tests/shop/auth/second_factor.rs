//! The code of an authenticator app at sign-in. What rests on Cognito's errors is tested against canned answers in
//! functions/auth.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::{Answer, calls};
use tests::aws::Aws;
use tests::shop::{PASSWORD, Person, Shop};
use tests::totp::App;

/// Six digits that no test's app shows, but once in a million.
const WRONG_CODE: &str = "000000";

async fn gives_the_password(shop: &Shop, person: &Person) -> Answer {
    shop.post("/sign-in", &json!({ "email": person.email, "password": PASSWORD })).await
}

async fn gives_the_code(shop: &Shop, asked: &Value, code: &str) -> Answer {
    let answer = json!({ "username": asked["username"], "session": asked["session"], "code": code });
    shop.post("/sign-in/challenge", &answer).await
}

/// What the Users table says of the second factor.
async fn since(person: &Person) -> Value {
    let item = Aws::open().await.item("UsersTable", ("userId", &person.id())).await;
    item["secondFactorAt"]["S"].clone()
}

#[tokio::test]
async fn whoever_turns_a_second_factor_on_is_asked_for_it_until_it_is_turned_off() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let begun = ann.request_on_the_account(Method::POST, "/users/me/totp").send().await;
    assert_eq!(begun.calls(), calls([("cognito-idp", 1), ("dynamodb", 3)]));
    let begun = begun.is(200);
    let (uri, secret) = (begun["uri"].as_str().expect("a URI"), begun["secret"].as_str().expect("a key"));
    let username = ann.full_name.replace(' ', "_");
    assert_eq!(uri, format!("otpauth://totp/Cartwright:{username}?secret={secret}&issuer=Cartwright"));
    // Nothing has changed yet.
    assert!(gives_the_password(&shop, &ann).await.is(200)["tokens"].is_object());

    let app = App::of(secret);
    let confirm = async |code: &str| {
        let put = ann.request_on_the_account(Method::PUT, "/users/me/totp");
        put.json(&json!({ "code": code })).send().await
    };
    confirm(WRONG_CODE).await.is_problem(422, "code-mismatch");
    let confirmed = confirm(&app.code()).await;
    // Three counters and the profile.
    assert_eq!(confirmed.calls(), calls([("cognito-idp", 2), ("dynamodb", 4)]));
    confirmed.is(200);

    let answer = gives_the_password(&shop, &ann).await;
    // The address is known by now, and the password right: its try is taken back from one counter.
    assert_eq!(answer.calls(), calls([("cognito-idp", 1), ("dynamodb", 3)]));
    let asked = answer.is(200);
    assert_eq!((&asked["challenge"], &asked["username"]), (&json!("SOFTWARE_TOKEN_MFA"), &json!(username)));
    assert_eq!(asked.get("tokens"), None);
    gives_the_code(&shop, &asked, WRONG_CODE).await.is_problem(422, "code-mismatch");
    assert_eq!(since(&ann).await, Value::Null);
    let code = app.next_code();
    let answer = gives_the_code(&shop, &asked, &code).await;
    // Three counters, the profile, and two counters to take the try back from.
    assert_eq!(answer.calls(), calls([("cognito-idp", 1), ("dynamodb", 6)]));
    let ann = ann.having(&answer.is(200));
    ann.get("/orders").await.is(200);
    assert!(since(&ann).await.is_string());
    // A session is good once, and so is a code.
    gives_the_code(&shop, &asked, &code).await.is_problem(401, "sign-in-ended");
    let asked = gives_the_password(&shop, &ann).await.is(200);
    gives_the_code(&shop, &asked, &code).await.is_problem(422, "code-mismatch");

    let off = ann.request_on_the_account(Method::DELETE, "/users/me/totp").send().await;
    assert_eq!(off.calls(), calls([("cognito-idp", 1), ("dynamodb", 4)]));
    off.is(204);
    assert_eq!(since(&ann).await, Value::Null);
    assert!(gives_the_password(&shop, &ann).await.is(200)["tokens"].is_object());
    ann.request_on_the_account(Method::DELETE, "/users/me/totp").send().await.is(204);
}

#[tokio::test]
async fn a_session_is_its_persons_alone() {
    let shop = Shop::open();
    let (ann, mallory) = (shop.person("Ann").await, shop.person("Mallory").await);
    ann.turns_totp_on().await;
    let app = mallory.turns_totp_on().await;
    let mut asked = gives_the_password(&shop, &mallory).await.is(200);
    asked["username"] = json!(ann.full_name.replace(' ', "_"));
    gives_the_code(&shop, &asked, &app.next_code()).await.is_problem(401, "sign-in-ended");
}

#[tokio::test]
async fn codes_are_guessed_no_oftener_than_passwords() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let app = ann.turns_totp_on().await;
    let asked = gives_the_password(&shop, &ann).await.is(200);
    let mut taken = 0;
    let refused = loop {
        let answer = gives_the_code(&shop, &asked, WRONG_CODE).await;
        if answer.status == 429 {
            break answer;
        }
        answer.is_problem(422, "code-mismatch");
        taken += 1;
        assert!(taken < 40, "{taken} codes were guessed");
    };
    // `LimitPerAccount`; a few more where two windows meet.
    assert!((20..=23).contains(&taken), "{taken} codes were guessed");
    assert!(refused.header("ratelimit").is_some_and(|limit| limit.starts_with("\"account\"")));
    // The right one has to wait as well, and the password is asked as before.
    gives_the_code(&shop, &asked, &app.next_code()).await.is_problem(429, "too-many-requests");
    gives_the_password(&shop, &ann).await.is(200);
}

#[tokio::test]
async fn whoever_has_a_second_factor_signs_in_anew_after_a_new_password() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    ann.turns_totp_on().await;
    let body = json!({ "previousPassword": PASSWORD, "proposedPassword": "Cartwright-2" });
    let changed = ann.request_on_the_account(Method::POST, "/change-password").json(&body).send().await;
    assert_eq!(changed.is(200), json!({ "msg": "Password successfully changed!" }));
    let asked =
        shop.post("/sign-in", &json!({ "email": ann.email, "password": "Cartwright-2" })).await.is(200);
    assert_eq!(asked["challenge"], "SOFTWARE_TOKEN_MFA");
}

#[tokio::test]
async fn what_is_not_there_is_not_confirmed_and_an_id_token_changes_nothing() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let confirm = ann.request_on_the_account(Method::PUT, "/users/me/totp");
    let answer = confirm.json(&json!({ "code": WRONG_CODE })).send().await;
    answer.is_problem(409, "totp-not-begun");
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let request = ann.request(method, "/users/me/totp").json(&json!({ "code": WRONG_CODE }));
        request.send().await.is_problem(422, "invalid-input");
    }
}

#[tokio::test]
async fn whoever_lost_the_app_signs_in_again_after_what_operations_md_says() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let ann = shop.person("Ann").await;
    let app = ann.turns_totp_on().await;
    let before = ann.signs_in_with(&app.next_code()).await;
    assert!(since(&ann).await.is_string());

    let profile = json!({
        "TableName": aws.output("UsersTable"),
        "Key": { "userId": { "S": ann.id() } },
        "UpdateExpression": "REMOVE secondFactorAt",
        "ConditionExpression": "attribute_exists(userId)",
    });
    aws.json("dynamodb", "DynamoDB_20120810.UpdateItem", profile).await;
    let (pool, username) = (aws.output("UserPoolId"), ann.full_name.replace(' ', "_"));
    let off = json!({
        "UserPoolId": pool,
        "Username": username,
        "SoftwareTokenMfaSettings": { "Enabled": false, "PreferredMfa": false },
    });
    let whom = json!({ "UserPoolId": pool, "Username": username });
    for (operation, input) in [("AdminSetUserMFAPreference", off), ("AdminUserGlobalSignOut", whom)] {
        let operation = format!("AWSCognitoIdentityProviderService.{operation}");
        aws.json("cognito-idp", &operation, input).await;
    }

    let refresh = json!({ "refreshToken": before.tokens.refresh_token, "username": username });
    shop.post("/refresh-token", &refresh).await.is_problem(401, "unauthenticated");
    let signed_in = gives_the_password(&shop, &ann).await.is(200);
    let ann = ann.having(&signed_in);
    assert_eq!(since(&ann).await, Value::Null);
    // And with the device that replaces it everything begins anew.
    let app = ann.turns_totp_on().await;
    ann.signs_in_with(&app.next_code()).await;
    assert!(since(&ann).await.is_string());
}
