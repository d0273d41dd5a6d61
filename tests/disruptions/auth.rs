//! Tokens that expire while somebody uses them.

use reqwest::Method;
use serde_json::json;
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
