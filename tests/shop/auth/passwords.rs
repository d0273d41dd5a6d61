//! A password that is forgotten, reset and changed. What rests on Cognito's errors is tested against canned answers in
//! functions/auth: the local cloud is kinder.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::{Answer, calls};
use tests::shop::{Newcomer, PASSWORD, Person, RESET_CODE, Shop, Tokens, unique};

const NEW_PASSWORD: &str = "Cartwright-2";

async fn changes(shop: &Shop, token: &str, previous: &str) -> Answer {
    let body = json!({ "previousPassword": previous, "proposedPassword": NEW_PASSWORD });
    shop.request(Method::POST, "/change-password").token(token).json(&body).send().await
}

async fn signs_in(shop: &Shop, person: &Person, password: &str) -> Answer {
    shop.post("/sign-in", &json!({ "email": person.email, "password": password })).await
}

async fn refreshes(shop: &Shop, token: &str) -> Answer {
    shop.post("/refresh-token", &json!({ "refreshToken": token })).await
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_with_the_emailed_code() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let answer = shop.post("/forgot-password", &json!({ "email": ann.email })).await;
    assert_eq!(answer.calls(), calls([("cognito-idp", 1), ("dynamodb", 3)]));
    assert_eq!(answer.is(200)["msg"], "If the account exists, a code for a new password was sent.");

    let reset =
        json!({ "fullName": ann.full_name, "confirmationCode": RESET_CODE, "newPassword": NEW_PASSWORD });
    let answer = shop.post("/reset-password", &reset).await;
    assert_eq!(answer.calls(), calls([("cognito-idp", 3), ("dynamodb", 4)]));
    assert_eq!(answer.is(200), json!({ "msg": "Password successfully reset!" }));
    refreshes(&shop, &ann.tokens.refresh_token).await.is_problem(401, "unauthenticated");

    signs_in(&shop, &ann, PASSWORD).await.is_problem(401, "wrong-credentials");
    signs_in(&shop, &ann, NEW_PASSWORD).await.is(200);
}

#[tokio::test]
async fn nobody_learns_whether_an_account_exists() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let nobody = unique("Nobody");
    let of = async |name: &str| shop.post("/forgot-password", &json!({ "fullName": name })).await.is(200);
    assert_eq!(of(&ann.full_name).await, of(&nobody).await);
    let reset = json!({ "fullName": nobody, "confirmationCode": RESET_CODE, "newPassword": NEW_PASSWORD });
    shop.post("/reset-password", &reset).await.is_problem(422, "code-mismatch");
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_the_old_one() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let elsewhere = Newcomer { full_name: ann.full_name.clone(), email: ann.email.clone(), username: None };
    let elsewhere = shop.sign_in(&elsewhere).await;
    let token = &ann.tokens.access_token;
    changes(&shop, token, "Cartwright-9").await.is_problem(422, "invalid-input").at(["#/previousPassword"]);
    let answer = changes(&shop, token, PASSWORD).await;
    assert_eq!(answer.calls(), calls([("cognito-idp", 3), ("dynamodb", 4)]));
    let changed = answer.is(200);
    assert_eq!(changed["msg"], "Password successfully changed!");
    // Whoever else is signed in is so no longer; this session goes on with its new tokens.
    for tokens in [&ann.tokens, &elsewhere.tokens] {
        refreshes(&shop, &tokens.refresh_token).await.is_problem(401, "unauthenticated");
    }
    let tokens: Tokens = serde_json::from_value(changed["tokens"].clone()).expect("tokens");
    refreshes(&shop, &tokens.refresh_token).await.is(200);
    shop.request(Method::GET, "/orders").token(&tokens.id_token).send().await.is(200);
    signs_in(&shop, &ann, PASSWORD).await.is_problem(401, "wrong-credentials");
    signs_in(&shop, &ann, NEW_PASSWORD).await.is(200);
}

#[tokio::test]
async fn an_id_token_does_not_change_a_password() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let refused = changes(&shop, &ann.tokens.id_token, PASSWORD).await;
    let refused = refused.is_problem(422, "invalid-input");
    assert!(refused.detail().contains("an access token"), "{}", refused.detail());
}

#[tokio::test]
async fn every_field_of_a_new_password_is_checked() {
    let shop = Shop::open();
    let wrong: Value = json!({ "confirmationCode": "x", "newPassword": " ", "username": "a b" });
    let refused = shop.post("/reset-password", &wrong).await.is_problem(422, "invalid-input");
    let _ = refused.at(["#/confirmationCode", "#/newPassword", "#/username"]);
    shop.post("/forgot-password", &json!({})).await.is_problem(422, "invalid-input").at(["#"]);
}
