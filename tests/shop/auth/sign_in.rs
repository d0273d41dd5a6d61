//! What a sign-in mends.

use serde_json::{Value, json};
use tests::answer::calls;
use tests::aws::Aws;
use tests::shop::{PASSWORD, Person, Shop, unique};
use tests::wait::eventually;

async fn profile(aws: &Aws, person: &Person) -> Value {
    aws.item("UsersTable", ("userId", &person.id())).await
}

#[tokio::test]
async fn an_address_that_changed_at_cognito_reaches_the_profile_at_the_next_sign_in() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let ann = shop.person("Ann").await;
    let address = format!("{}@cartwright.test", unique("ann.new").to_lowercase().replace(' ', "."));
    let username = ann.full_name.replace(' ', "_");
    let change = async |address: &str, verified: &str| {
        let attributes = [
            json!({ "Name": "email", "Value": address }),
            json!({ "Name": "email_verified", "Value": verified }),
        ];
        let pool = aws.output("UserPoolId");
        let input = json!({ "UserPoolId": pool, "Username": username, "UserAttributes": attributes });
        let update = "AWSCognitoIdentityProviderService.AdminUpdateUserAttributes";
        aws.json("cognito-idp", update, input).await;
    };
    let sign_in = async || {
        let answer = shop.post("/sign-in", &json!({ "username": username, "password": PASSWORD })).await;
        (answer.calls(), answer.is(200)).0
    };
    // An address that nobody has proved is anybody's.
    change(&address, "false").await;
    sign_in().await;
    assert_eq!(profile(&aws, &ann).await["email"]["S"], ann.email.as_str());

    change(&address, "true").await;
    let before = profile(&aws, &ann).await;
    assert_eq!(before.get("updatedAt"), None);
    // One call more than for an address that is right.
    assert_eq!(sign_in().await, calls([("cognito-idp", 1), ("dynamodb", 5)]));
    let mended = profile(&aws, &ann).await;
    assert_eq!(mended["email"]["S"], address.as_str());
    assert!(mended["updatedAt"]["S"].is_string());
    assert_eq!(sign_in().await, calls([("cognito-idp", 1), ("dynamodb", 4)]));
    assert_eq!(profile(&aws, &ann).await["updatedAt"], mended["updatedAt"]);
    eventually("the log tells of the change once", async || {
        let log = ann.get("/users/me/activity?limit=100").await.is(200);
        let kinds = log["activity"].as_array().expect("a log").iter().map(|entry| &entry["kind"]);
        let kinds: Vec<_> = kinds.filter_map(Value::as_str).collect();
        let signed_in = kinds.iter().filter(|kind| **kind == "user.signed-in").count();
        let changed = kinds.iter().filter(|kind| **kind == "user.profile-changed").count();
        (signed_in == 4 && changed == 1).then_some(())
    })
    .await;
}
