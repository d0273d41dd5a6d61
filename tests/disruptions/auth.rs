//! Tokens that expire while somebody uses them, a shop that asks more of its admins, and one that takes few sign-ups.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tests::shop::{Newcomer, unique};
use tests::template::operations;
use tests::wait::eventually;

use crate::open;

#[tokio::test]
async fn an_expired_token_is_refused() {
    let (shop, aws, _soon) = open().await;
    let ann = shop.person("Ann").await;
    let short = aws.shorten_tokens().await;
    let credentials = json!({ "email": ann.email, "password": tests::shop::PASSWORD });
    let signed_in = shop.post("/sign-in", &credentials).await.is(200);
    short.undo();
    for token in ["IdToken", "AccessToken"] {
        let token = signed_in["tokens"][token].as_str().expect("a token");
        eventually("the token expires", async || {
            let answer = shop.request(Method::GET, "/orders").token(token).send().await;
            (answer.status != 200).then(|| answer.is_from_the_gateway(401, "Unauthorized"))
        })
        .await;
        for operation in operations().iter().filter(|operation| !operation.is_public) {
            let method: Method = operation.route.method.parse().expect("a method");
            let answer = shop.request(method, &operation.route.path.replace(['{', '}'], "")).token(token);
            answer.send().await.is_from_the_gateway(401, "Unauthorized");
        }
    }
    ann.get("/orders").await.is(200);
}

#[tokio::test]
async fn an_admins_token_from_a_sign_in_without_a_second_factor_reads_and_changes_nothing() {
    let (shop, aws, _soon) = open().await;
    let root = shop.another_admin(&aws).await;
    let _strict = aws.change("withdraw-order").await.env("ADMIN_MFA", "true").make().await;
    // An order that nobody has is found missing behind the check.
    let withdrawal = "/admin/orders/01a1f83a-c81e-73c6-9369-b8a11a6916c7/cancel";
    let by_password = root.post(withdrawal, &json!({})).await;
    let challenge = by_password.header("www-authenticate").map(str::to_owned);
    by_password.is_problem(401, "second-factor-needed");
    assert!(challenge.is_some_and(|challenge| challenge.contains("insufficient_user_authentication")));
    root.get("/admin/orders").await.is(200);

    // A token says by the second when its person signed in, and this one is to be older than the next.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let app = root.turns_totp_on().await;
    let by_code = root.signs_in_with(&app.next_code()).await;
    by_code.post(withdrawal, &json!({})).await.is_problem(404, "not-found");
    // What began without it goes on without it, also with fresh tokens.
    let refresh = json!({ "refreshToken": root.tokens.refresh_token });
    let refreshed = shop.post("/refresh-token", &refresh).await.is(200);
    for token in [&refreshed["tokens"]["IdToken"], &json!(root.tokens.id_token)] {
        let token = token.as_str().expect("a token");
        let request = shop.request(Method::POST, withdrawal).token(token).json(&json!({}));
        request.send().await.is_problem(401, "second-factor-needed");
    }
    let request = by_code.request_on_the_account(Method::POST, withdrawal).json(&json!({}));
    request.send().await.is_problem(404, "not-found");

    by_code.request_on_the_account(Method::DELETE, "/users/me/totp").send().await.is(204);
    by_code.post(withdrawal, &json!({})).await.is_problem(401, "second-factor-needed");
}

#[tokio::test]
async fn everyone_together_signs_up_no_oftener_than_the_shop_allows() {
    let (shop, aws, _soon) = open().await;
    let few = aws.change("sign-up").await.env("LIMIT_IN_ALL", "1/3600").make().await;
    let signs_up = async |name: &str| shop.sign_up(&Newcomer::named(&unique(name))).await;
    // Where this test has run in this hour already, the first comes too late as well.
    let first = signs_up("Ann").await;
    assert!([201, 429].contains(&first.status), "{}", first.status);
    let refused = signs_up("Bob").await;
    assert_eq!(refused.header("ratelimit-policy"), Some("\"everyone\";q=1;w=3600"));
    refused.is_problem(429, "too-many-requests");
    few.undo();
    signs_up("Cleo").await.is(201);
}

#[tokio::test]
async fn a_role_that_the_user_pool_did_not_hear_of_counts_and_is_told_by_the_sweep() {
    let (shop, aws, _soon) = open().await;
    let (admin, ann) = (shop.admin().await, shop.person("Ann").await);
    let away = aws.change("set-role").await;
    let away = away.env("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "http://127.0.0.1:1").make().await;
    let path = format!("/users/{}", ann.id());
    let changed = admin.put(&format!("{path}/role"), &json!({ "role": "admin" })).await.is(200);
    assert_eq!((&changed["role"], &changed["isPending"]), (&json!("admin"), &json!(true)));
    away.undo();
    aws.run_on_schedule("sweep-accounts", Duration::ZERO).await;
    assert_eq!(admin.get(&path).await.is(200)["isPending"], false);
    let credentials = json!({ "email": ann.email, "password": tests::shop::PASSWORD });
    let root = ann.having(&shop.post("/sign-in", &credentials).await.is(200));
    root.request(Method::DELETE, "/categories/nothing").send().await.is_problem(404, "not-found");
}
