//! What AWS tells functions that no request calls.

use std::time::Duration;

use serde_json::{Value, json};
use tests::aws::Aws;

/// What a schedule tells, so much later than now.
#[expect(clippy::disallowed_methods, reason = "a test stands outside of the shop, where the time comes from")]
pub(crate) fn scheduled(later: Duration) -> Value {
    let time = jiff::Timestamp::now() + later;
    json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": format!("{time:.0}"),
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:000000000000:rule/faults"],
        "detail": {},
    })
}

/// What the topic tells of an order that is on its way.
pub(crate) fn shipped(order: &str, time: &str) -> Value {
    json!({
        "specversion": "1.0",
        "id": "5d1b36b1-8b1f-5f0e-9c68-000000000001",
        "source": "/cartwright/local/orders",
        "type": "order.shipped",
        "subject": order,
        "time": time,
        "datacontenttype": "application/json",
        "dataschema": "urn:cartwright:event:order.shipped:1",
        "data": { "orderId": order },
    })
}

/// What S3 tells of an object that was put with this URL.
pub(crate) fn uploaded(aws: &Aws, url: &str) -> Value {
    let key = url.split_once("/uploads/").map(|(_, rest)| rest.split('?').next().unwrap_or_default());
    let key = format!("uploads/{}", key.unwrap_or_default());
    json!({ "Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-11-21T00:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": { "principalId": "faults" },
        "requestParameters": { "sourceIPAddress": "127.0.0.1" },
        "responseElements": {},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "faults",
            "bucket": {
                "name": aws.output("UploadsBucket"),
                "ownerIdentity": { "principalId": "faults" },
                "arn": format!("arn:aws:s3:::{}", aws.output("UploadsBucket")),
            },
            "object": { "key": key, "size": 1, "eTag": "faults", "sequencer": "0" },
        },
    }] })
}
