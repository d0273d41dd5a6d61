//! What AWS hands to the functions.

use anyhow::{Context, Result};
use axum::body::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::scene::{PASSWORD, Person, SHOP, WEBHOOK_SECRET};

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

/// `GET /cart`.
pub(super) fn get_cart(buyer: &Person) -> Bytes {
    http("GET", "/cart", "/cart", "", json!({}), Some(buyer), None)
}

/// `POST /cart/items`: one piece more.
pub(super) fn add_cart_item(buyer: &Person, product: &str) -> Bytes {
    let body = json!({ "id": product, "quantity": 1 });
    let headers = json!({ "content-type": "application/json" });
    http("POST", "/cart/items", "/cart/items", "", headers, Some(buyer), Some(&body))
}

/// `POST /cart/checkout`: of a cart that costs so much, under a key of its own.
pub(super) fn check_out(buyer: &Person, total: f64, method: &str, key: &str) -> Bytes {
    let body = json!({ "expectedTotal": total, "paymentMethod": method, "cartVersion": 1 });
    let headers = json!({ "content-type": "application/json", "idempotency-key": key });
    http("POST", "/cart/checkout", "/cart/checkout", "", headers, Some(buyer), Some(&body))
}

/// `POST /payments/webhook`: that an order was paid, by the answer to its checkout.
///
/// # Errors
/// The answer names no payment.
pub(super) fn paid(checked_out: &Value, key: &str) -> Result<Bytes> {
    let payment = checked_out["payment"]["paymentId"].as_str().context("no payment was begun")?;
    let total = checked_out["total"].as_f64().context("the order costs something")?;
    // In cents, whole as they are.
    let minor: u64 = format!("{:.0}", total * 100.0).parse().context("a total in cents")?;
    let metadata = json!({ "shop": SHOP, "order_id": checked_out["orderId"], "payment_id": payment });
    let session = json!({
        "id": SESSION, "object": "checkout.session", "status": "complete", "payment_status": "paid",
        "amount_total": minor, "currency": "usd", "payment_intent": format!("pi_{key}"), "livemode": true,
        "mode": "payment", "metadata": metadata,
    });
    let body = json!({
        "id": format!("evt_{key}"), "object": "event", "type": "checkout.session.completed",
        "created": now() / 1000, "livemode": true, "api_version": "2026-09-30.endive",
        "data": { "object": session },
    });
    let headers = json!({
        "content-type": "application/json; charset=utf-8",
        "stripe-signature": signature(&body.to_string(), now() / 1000),
    });
    Ok(http("POST", "/payments/webhook", "/payments/webhook", "", headers, None, Some(&body)))
}

/// The same of a webhook that was made before, signed as if it came now: one that was signed minutes ago is refused.
///
/// # Errors
/// It is no event of HTTP.
pub(super) fn signed_anew(event: &[u8]) -> Result<Bytes> {
    let mut event: Value = serde_json::from_slice(event)?;
    let signed = signature(event["body"].as_str().context("the webhook has no body")?, now() / 1000);
    event["headers"]["stripe-signature"] = signed.into();
    // The function goes by its caller's clock.
    event["requestContext"]["timeEpoch"] = now().into();
    Ok(event.to_string().into())
}

/// The only session that there is at the Stripe of the bench.
pub(super) const SESSION: &str = "cs_live_bench";

/// As Stripe signs what it sends at this time.
fn signature(body: &str, seconds: i64) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes());
    let mac = mac.expect("HMAC takes keys of any length").chain_update(format!("{seconds}.{body}"));
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={digits}")
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

/// `GET /search`.
pub(super) fn search(text: &str) -> Bytes {
    let query = format!("q={}", text.replace(' ', "%20"));
    http("GET", "/search", "/search", &query, json!({}), None, None)
}

/// A page, as a browser asks for it.
pub(super) fn page(route: &str, path: &str) -> Bytes {
    let headers =
        json!({ "accept": "text/html,application/xhtml+xml", "accept-encoding": "gzip, deflate, br" });
    http("GET", route, path, "", headers, None, None)
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

/// A message of the Payments queue: that the email went out which confirms an order.
pub(super) fn order_confirmed(order: &str) -> Bytes {
    message(&json!({ "orderId": order, "confirmed": true }))
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
        if headers[name].is_null() {
            headers[name] = value.into();
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What other programs can check: `printf %s '1700000000.{}' | openssl dgst -sha256 -hmac whsec_of_the_bench`.
    #[test]
    fn what_stripe_tells_is_signed_with_its_time() {
        let signed = signature("{}", 1_700_000_000);
        let digits = signed.strip_prefix("t=1700000000,v1=").expect("a time and a signature");
        assert_eq!(digits, "3670f4a0d729f223c82e1d635e15a21b6bd10b66fade1fc7d27a6ea9fe0fd8c0");
        assert_ne!(signature("{}", 1_700_000_001)[14..], signed[14..]);
        assert_ne!(signature("{ }", 1_700_000_000), signed);
    }

    #[test]
    fn a_browser_asks_for_a_page_and_programs_for_json() {
        let asked = |event: Bytes| {
            let event: Value = serde_json::from_slice(&event).unwrap();
            ["accept", "accept-encoding"].map(|name| event["headers"][name].as_str().map(str::to_owned))
        };
        let (page, json) = (asked(page("/docs", "/docs")), asked(get_product("1")));
        assert!(page[0].as_ref().is_some_and(|types| types.starts_with("text/html")) && page[1].is_some());
        assert_eq!(json, [Some("application/json".to_owned()), None]);
    }

    #[test]
    fn an_order_is_paid_to_the_cent_by_the_payment_that_was_begun() {
        let answer = json!({ "orderId": "o", "total": 14.5, "payment": { "paymentId": "p" } });
        let event: Value = serde_json::from_slice(&paid(&answer, "cartwright-1").unwrap()).unwrap();
        let body: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
        let session = &body["data"]["object"];
        assert_eq!(
            (&session["amount_total"], &session["metadata"]["payment_id"]),
            (&json!(1450), &json!("p"))
        );
        assert!(paid(&json!({ "orderId": "o", "total": 14.5 }), "k").is_err(), "it was paid at the door");
    }

    #[test]
    fn a_webhook_that_is_played_again_is_signed_anew() {
        let answer = json!({ "orderId": "o", "total": 14.5, "payment": { "paymentId": "p" } });
        let first: Value = serde_json::from_slice(&paid(&answer, "cartwright-1").unwrap()).unwrap();
        let mut old = first.clone();
        old["headers"]["stripe-signature"] = signature("another body", 1_700_000_000).into();
        old["requestContext"]["timeEpoch"] = 1_700_000_000_000_i64.into();
        let anew: Value = serde_json::from_slice(&signed_anew(old.to_string().as_bytes()).unwrap()).unwrap();
        assert_eq!(anew["body"], first["body"]);
        let header = anew["headers"]["stripe-signature"].as_str().unwrap();
        let (time, _) = header.strip_prefix("t=").unwrap().split_once(',').unwrap();
        let time: i64 = time.parse().unwrap();
        assert!((now() / 1000 - time).abs() < 60, "{header}");
        let clock = anew["requestContext"]["timeEpoch"].as_i64().unwrap() / 1000;
        assert!((clock - time).abs() < 60, "it comes when it is signed");
        assert_eq!(header, signature(first["body"].as_str().unwrap(), time));
    }
}
