//! Who is no admin any more changes nothing from that moment on, whatever the token says for another hour.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::calls;
use tests::aws::Aws;
use tests::shop::{Person, Shop, product};

/// An id in our form that nothing has.
const NOBODY: &str = "01a1f83a-c81e-73c6-9369-b8a11a6916c7";

/// Somebody's role, as the routes that change roles will write it.
async fn becomes(aws: &Aws, person: &Person, role: &str) {
    // A word of DynamoDB's own, which an expression cannot name by itself.
    let input = json!({
        "TableName": aws.output("UsersTable"),
        "Key": { "userId": { "S": person.id() } },
        "UpdateExpression": "SET #role = :role",
        "ExpressionAttributeNames": { "#role": "role" },
        "ExpressionAttributeValues": { ":role": { "S": role } },
    });
    aws.json("dynamodb", "DynamoDB_20120810.UpdateItem", input).await;
}

#[tokio::test]
async fn the_shops_first_admin_has_that_role_in_the_profile() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let item = aws.item("UsersTable", ("userId", &shop.admin().await.id())).await;
    assert_eq!(item["role"]["S"], "admin");
    let ann = shop.person("Ann").await;
    assert_eq!(aws.item("UsersTable", ("userId", &ann.id())).await["role"], Value::Null);
}

#[tokio::test]
async fn whoever_is_no_admin_any_more_reads_for_an_hour_and_changes_nothing() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let ann = shop.another_admin(&aws).await;
    let of_bob = shop.person("Bob").await.sells(product().named("tea").stock(3)).await;
    let path = of_bob.path();
    // Without a role in the profile, as before there were roles, the group decides; one read more than for its seller.
    let answer = ann.put(&format!("{path}/stock"), &json!({ "set": 5 })).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 3)]));
    answer.is(200);
    becomes(&aws, &ann, "admin").await;
    ann.put(&path, &json!({ "description": "Green." })).await.is(200);

    for role in ["seller", "customer"] {
        becomes(&aws, &ann, role).await;
        ann.put(&path, &json!({ "description": "Black." })).await.is_problem(403, "forbidden");
        let approval = ann.put(&format!("{path}/approval"), &json!({ "approved": true })).await;
        assert_eq!(approval.calls(), calls([("dynamodb", 1)]));
        approval.is_problem(403, "forbidden");
        for route in ["/banners/upload-url", "/categories/upload-url"] {
            ann.post(route, &json!({})).await.is_problem(403, "forbidden");
        }
        for route in [format!("/banners/{NOBODY}"), "/categories/nothing".into()] {
            ann.request(Method::DELETE, &route).send().await.is_problem(403, "forbidden");
        }
        let withdrawal = ann.post(&format!("/admin/orders/{NOBODY}/cancel"), &json!({})).await;
        withdrawal.is_problem(403, "forbidden");
        ann.get("/products/pending").await.is(200);
    }
    // What is one's own stays so.
    let own = ann.lists(product().named("cup").stock(1)).await;
    ann.put(&own.path(), &json!({ "description": "White." })).await.is(200);
}

#[tokio::test]
async fn an_admin_without_a_profile_changes_nothing() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let ann = shop.another_admin(&aws).await;
    aws.delete_item("UsersTable", "userId", &ann.id()).await;
    ann.request(Method::DELETE, "/categories/nothing").send().await.is_problem(403, "forbidden");
}

#[tokio::test]
async fn whoever_is_no_admin_by_the_token_costs_no_call() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let answer = ann.request(Method::DELETE, "/categories/nothing").send().await;
    assert_eq!(answer.calls(), calls([]));
    answer.is_problem(403, "forbidden");
}
