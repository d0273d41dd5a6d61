//! Who has bought what, when whoever records it is away, and when it is told too often or too early.

use serde_json::{Value, json};
use tests::aws::Aws;
use tests::shop::product;
use tests::wait::{a_while, eventually};

use crate::open;

/// What the topic tells of an order.
fn told(order: &str, kind: &str) -> Value {
    json!({
        "specversion": "1.0", "id": "5d1b36b1-8b1f-5f0e-9c68-000000000002", "source": "/cartwright/local/orders",
        "type": kind, "subject": order, "time": "2026-11-21T00:00:00.000Z", "datacontenttype": "application/json",
        "dataschema": format!("urn:cartwright:event:{kind}:1"), "data": { "orderId": order }
    })
}

/// The orders by which somebody has a product.
async fn purchases(aws: &Aws, person: &str, product: &str) -> Value {
    let key = json!({ "userId": { "S": person }, "productId": { "S": product } });
    let input = json!({ "TableName": aws.output("PurchasesTable"), "Key": key, "ConsistentRead": true });
    aws.json("dynamodb", "DynamoDB_20120810.GetItem", input).await["Item"]["orders"]["SS"].take()
}

#[tokio::test]
async fn what_was_bought_is_recorded_once_however_late_and_often_that_is_told() {
    let (shop, aws, _soon) = open().await;
    let tea = shop.person("Ann").await.sells(product().named("tea").stock(10)).await;
    let bob = shop.person("Bob").await;
    let paused = aws.pause("record-purchases").await;
    let order = bob.buys(&tea, 1).await;
    // Before it is so, after it, and again.
    aws.send_message("PurchasesQueueUrl", &told(&order, "order.refunded")).await;
    bob.order_once(&order, "shipping").await;
    for kind in ["order.shipped", "order.refund-failed", "order.shipped"] {
        aws.send_message("PurchasesQueueUrl", &told(&order, kind)).await;
    }
    a_while().await;
    bob.reviews(&tea, &json!({ "stars": 5 })).await.is_problem(403, "not-bought");
    paused.undo();
    let posted = async || (bob.reviews(&tea, &json!({ "stars": 5 })).await.status == 201).then_some(());
    eventually("the purchase is known", posted).await;
    aws.quiet().await;
    assert_eq!(purchases(&aws, &bob.id(), &tea.id).await, json!([order]));
}
