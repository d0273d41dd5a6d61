//! What AWS hands to the functions.

use axum::body::Bytes;
use serde_json::{Value, json};

use super::scene::{PASSWORD, Person};

const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

/// Now, in milliseconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "it stands in for API Gateway, whose clock the functions go by"
)]
pub(super) fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// `POST /create-order`: one piece, under a key of its own.
pub(super) fn create_order(buyer: &Person, product: &str, key: &str) -> Bytes {
    let body = json!({ "id": product, "quantity": 1 });
    let headers = json!({ "content-type": "application/json", "idempotency-key": key });
    http("POST", "/create-order", "/create-order", "", headers, Some(buyer), Some(&body))
}

/// `GET /products/{id}`.
pub(super) fn get_product(id: &str) -> Bytes {
    http("GET", "/products/{id}", &format!("/products/{id}"), "", json!({}), None, None)
}

/// `GET /approve-products`, or of one category.
pub(super) fn list_products(category: Option<&str>) -> Bytes {
    let query = category.map(|name| format!("category={}", name.replace(' ', "%20"))).unwrap_or_default();
    http("GET", "/approve-products", "/approve-products", &query, json!({}), None, None)
}

/// `GET /orders`.
pub(super) fn list_orders(buyer: &Person) -> Bytes {
    http("GET", "/orders", "/orders", "", json!({}), Some(buyer), None)
}

/// `POST /sign-in`.
pub(super) fn sign_in(person: &Person) -> Bytes {
    let body = json!({ "username": person.username, "password": PASSWORD });
    let headers = json!({ "content-type": "application/json" });
    http("POST", "/sign-in", "/sign-in", "", headers, None, Some(&body))
}

/// A message of the Orders queue.
pub(super) fn order_queued(order: &str) -> Bytes {
    message(&json!({ "orderId": order }))
}

/// A message of the Emails queue.
pub(super) fn email_queued(kind: &str, order: &str) -> Bytes {
    message(&json!({ "kind": kind, "id": order }))
}

/// A message of a queue that gets events: that an order of `buyer` has shipped.
pub(super) fn order_shipped(buyer: &Person, order: &str) -> Bytes {
    message(&json!({
        "specversion": "1.0", "id": "5d1b36b1-8b1f-5f0e-9c68-3fd12c0b7a94",
        "source": "/cartwright/production/orders", "type": "order.shipped", "subject": order,
        "time": "2026-11-21T04:00:00.000Z", "datacontenttype": "application/json",
        "dataschema": "urn:cartwright:event:order.shipped:1",
        "data": { "orderId": order, "userId": buyer.id },
    }))
}

/// What S3 tells of an object that was put there.
pub(super) fn uploaded(bucket: &str, object: &str, bytes: usize) -> Bytes {
    let principal = json!({ "principalId": "AIDAIENQZJOLO23YVJ4VO" });
    let record = json!({
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
        "eventTime": "2026-11-21T04:00:00.000Z", "eventName": "ObjectCreated:Put", "userIdentity": principal,
        "requestParameters": { "sourceIPAddress": "203.0.113.7" },
        "responseElements": { "x-amz-request-id": "C3D13FE58DE4C810" },
        "s3": {
            "s3SchemaVersion": "1.0", "configurationId": "bench",
            "bucket": { "name": bucket, "ownerIdentity": principal, "arn": format!("arn:aws:s3:::{bucket}") },
            "object": {
                "key": object, "size": bytes, "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                "sequencer": "0055AED6DCD90281E5",
            },
        },
    });
    json!({ "Records": [record] }).to_string().into()
}

/// A record of a table's stream, alone in its batch: an item that changed.
pub(super) fn changed(table: &str, key: &Value, old: &Value, new: &Value) -> Bytes {
    let stream =
        format!("arn:aws:dynamodb:us-east-1:000000000000:table/{table}/stream/2026-11-21T00:00:00.000");
    let record = json!({
        "eventID": "7de3041dd709b024af6f29e4fa13d34c", "eventName": "MODIFY", "eventVersion": "1.1",
        "eventSource": "aws:dynamodb", "awsRegion": "us-east-1", "eventSourceARN": stream,
        "dynamodb": {
            "ApproximateCreationDateTime": now() / 1000, "Keys": key, "OldImage": old, "NewImage": new,
            "SequenceNumber": "4421584500000000017450439091", "SizeBytes": 1460,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    });
    json!({ "Records": [record] }).to_string().into()
}

/// What the workflow gives to its tasks.
pub(super) fn task(order: &str) -> Bytes {
    json!({ "orderId": order }).to_string().into()
}

/// Payload format 2.0 of an HTTP API.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>
fn http(
    method: &str,
    route: &str,
    path: &str,
    query: &str,
    mut headers: Value,
    caller: Option<&Person>,
    body: Option<&Value>,
) -> Bytes {
    for (name, value) in [
        ("accept", "application/json"),
        ("host", "ab12.execute-api.us-east-1.amazonaws.com"),
        ("user-agent", AGENT),
        ("x-amzn-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-port", "443"),
        ("x-forwarded-proto", "https"),
    ] {
        headers[name] = value.into();
    }
    let authorizer = caller.map(|person| {
        json!({ "jwt": { "scopes": null, "claims": {
            "sub": person.id, "email": person.email, "cognito:username": person.username, "token_use": "id",
            "aud": "3n4b5urk1ft4fl3mg5e62d9ado", "iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_pool",
        } } })
    });
    let mut event = json!({
        "version": "2.0",
        "routeKey": format!("{method} {route}"),
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "ab12",
            "domainName": "ab12.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "ab12",
            "http": {
                "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7",
                "userAgent": AGENT,
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": format!("{method} {route}"),
            "stage": "$default",
            "time": "21/Nov/2026:04:00:00 +0000",
            "timeEpoch": now(),
        },
        "isBase64Encoded": false,
    });
    if let Some((_, value)) = query.split_once('=') {
        event["queryStringParameters"] = json!({ "category": value.replace("%20", " ") });
    }
    if let Some((_, id)) = path.rsplit_once('/').filter(|_| route.contains('{')) {
        event["pathParameters"] = json!({ "id": id });
    }
    if let Some(authorizer) = authorizer {
        event["requestContext"]["authorizer"] = authorizer;
    }
    if let Some(body) = body {
        event["body"] = body.to_string().into();
    }
    event.to_string().into()
}

/// A batch of one message.
fn message(body: &Value) -> Bytes {
    let record = json!({
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body.to_string(),
        "attributes": {
            "ApproximateReceiveCount": "1", "SentTimestamp": now().to_string(),
            "SenderId": "AIDAIENQZJOLO23YVJ4VO", "ApproximateFirstReceiveTimestamp": now().to_string(),
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:bench",
        "awsRegion": "us-east-1",
    });
    json!({ "Records": [record] }).to_string().into()
}
