//! A call that a function makes to AWS or to Stripe, as the proxy sees it.

use hyper::http::request::Parts;
use hyper::{HeaderMap, Uri};
use serde_json::Value;

/// The tables, by the names that the stack's resources have inside the tables' own names.
const TABLES: [&str; 19] = [
    "Activity",
    "Banners",
    "Carts",
    "Categories",
    "Connections",
    "Coupons",
    "Guards",
    "Inbox",
    "Offers",
    "Orders",
    "Payments",
    "Products",
    "Purchases",
    "Reviews",
    "Search",
    "Settings",
    "Stores",
    "Users",
    "Webhooks",
];

/// The queues that functions send to, by the same.
const QUEUES: [&str; 7] = ["Emails", "Orders", "Payments", "Push", "Refunds", "Search", "WebhookDeliveries"];

/// The service that is not AWS's.
const STRIPE: &str = "stripe";

/// How ids of Stripe's begin.
const STRIPES_IDS: [&str; 7] = ["ch_", "cs_", "dp_", "du_", "evt_", "pi_", "re_"];

/// One HTTP request of a function to AWS or to Stripe.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The function that makes it, and the number of its process; nobody for what a client uploads by itself.
    pub caller: Option<Caller>,
    /// `dynamodb`, as the signature's scope names it; `stripe`.
    pub service: String,
    /// `UpdateItem`; of Stripe `POST /v1/checkout/sessions/{id}/expire`
    pub operation: String,
    /// The SDK's name for the call, the same in all its attempts. Stripe's client gives none: see [`crate::tries`].
    pub id: String,
    /// The request's path, which names the object in calls to S3 and to Stripe, where it begins with `/v1`.
    pub path: String,
    /// What Stripe is to know the call by if it comes again.
    pub key: Option<String>,
    /// The request's body.
    pub body: String,
    /// The same, if it is JSON.
    pub input: Value,
}

/// Who makes a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// `create-order`
    pub function: String,
    /// Its process.
    pub pid: i32,
}

impl Call {
    /// Reads a request.
    pub(crate) fn read(parts: &Parts, body: &[u8]) -> Self {
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let body = String::from_utf8_lossy(body).into_owned();
        if let Some((caller, path)) = to_stripe(&parts.uri) {
            return Self {
                caller: Some(caller),
                service: STRIPE.to_owned(),
                operation: format!("{} {}", parts.method, without_ids(&path)),
                id: String::new(),
                path,
                key: header("idempotency-key").map(str::to_owned),
                input: Value::Null,
                body,
            };
        }
        let service = header("authorization").and_then(|value| value.split(['/', ',']).nth(3));
        let service = service.unwrap_or("s3").to_owned();
        let operation = operation(parts, &service, &body);
        Self {
            caller: Caller::read(&parts.headers),
            operation,
            id: header("amz-sdk-invocation-id").unwrap_or_default().to_owned(),
            path: parts.uri.to_string(),
            key: None,
            input: body.parse().unwrap_or_default(),
            service,
            body,
        }
    }

    /// Whether it is Stripe that is called.
    pub(crate) fn is_to_stripe(&self) -> bool {
        self.service == STRIPE
    }

    /// The function's name.
    pub(crate) fn function(&self) -> &str {
        self.caller.as_ref().map_or("", |caller| &caller.function)
    }

    /// `dynamodb.UpdateItem`
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.service, self.operation)
    }

    /// Whether it reads an index, which on AWS lags behind its table.
    pub(crate) fn reads_an_index(&self) -> bool {
        self.operation == "Query" && self.input["IndexName"].is_string()
    }

    /// What tells it from the other calls of its function: the operation, the table, and what it does there.
    pub(crate) fn signature(&self) -> String {
        let mut signature = self.name();
        let mut add = |part: &str| {
            signature.push(' ');
            signature.push_str(part);
        };
        for table in TABLES.into_iter().filter(|table| self.body.contains(&format!("-{table}Table-"))) {
            add(table);
        }
        let queue = self.input["QueueUrl"].as_str().unwrap_or_default();
        for name in QUEUES.into_iter().filter(|name| queue.contains(&format!("-{name}Queue-"))) {
            add(name);
        }
        if let Some(expression) = self.input["UpdateExpression"].as_str() {
            // As far as its first name: `SET holder`.
            add(&expression.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
        }
        if self.reads_an_index() {
            add(self.input["IndexName"].as_str().unwrap_or_default());
            let values = self.input["ExpressionAttributeValues"].as_object().into_iter().flatten();
            // What is not a time: the partition that is read.
            for value in values.filter_map(|(_, value)| value["S"].as_str()).filter(|value| value.len() < 20)
            {
                add(value);
            }
        }
        signature
    }

    /// What is asked in it, without the times in it: two calls that ask the same have the same answer but for what
    /// happened in between.
    pub(crate) fn question(&self) -> String {
        let mut input = self.input.clone();
        if let Some(values) = input.get_mut("ExpressionAttributeValues").and_then(Value::as_object_mut) {
            values.retain(|_, value| !value["S"].as_str().is_some_and(is_a_time));
        }
        format!("{} {input}", self.name())
    }

    /// Whether it is about something of this name.
    pub(crate) fn names(&self, subject: &str) -> bool {
        self.body.contains(subject) || self.path.contains(subject)
    }

    /// Whether it changes nothing.
    pub(crate) fn only_reads(&self) -> bool {
        const READS: [&str; 6] =
            ["GetItem", "BatchGetItem", "Query", "GetObject", "ListObjectsV2", "ListObjectVersions"];
        READS.contains(&self.operation.as_str()) || self.operation.starts_with("GET ")
    }
}

/// The ids of Stripe's in a text.
pub(crate) fn ids_of_stripes(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| is_of_stripes(word))
}

/// As the tables have it: `2026-11-21T00:41:06.123Z`.
fn is_a_time(text: &str) -> bool {
    text.len() == 24 && text.ends_with('Z') && text.as_bytes()[10] == b'T'
}

fn is_of_stripes(word: &str) -> bool {
    STRIPES_IDS.iter().any(|prefix| word.starts_with(prefix))
}

impl Caller {
    /// From the application's name in the user agent, which the functions' start scripts set: `app/create-order.4711`.
    fn read(headers: &HeaderMap) -> Option<Self> {
        let agents = ["x-amz-user-agent", "user-agent"].into_iter().filter_map(|name| headers.get(name));
        let words = agents.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(' '));
        Self::named(words.filter_map(|word| word.strip_prefix("app/")).next()?)
    }

    /// `create-order.4711`
    fn named(name: &str) -> Option<Self> {
        let (function, pid) = name.rsplit_once('.')?;
        Some(Self { function: function.to_owned(), pid: pid.parse().ok()? })
    }
}

/// Who calls Stripe, and at which path: the address that the functions' start scripts give them for it begins with
/// their own name, `/stripe/create-order.4711`.
fn to_stripe(uri: &Uri) -> Option<(Caller, String)> {
    let path = uri.path_and_query()?.as_str();
    let (caller, path) = path.strip_prefix("/stripe/")?.split_once('/')?;
    Some((Caller::named(caller)?, format!("/{path}")))
}

/// The path without its query, and without what names one thing.
fn without_ids(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let parts = path.split('/').map(|part| if is_of_stripes(part) { "{id}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn operation(parts: &Parts, service: &str, body: &str) -> String {
    if let Some(target) = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok()) {
        return target.rsplit('.').next().unwrap_or_default().to_owned();
    }
    if let Some(action) = body.split('&').find_map(|field| field.strip_prefix("Action=")) {
        return action.to_owned();
    }
    let query = parts.uri.query().unwrap_or_default();
    let name = match (service, parts.method.as_str()) {
        ("ses", _) => "SendEmail",
        ("execute-api", "POST") => "PostToConnection",
        ("execute-api", "DELETE") => "DeleteConnection",
        ("s3", "GET") if query.contains("list-type=2") => "ListObjectsV2",
        ("s3", "GET") if query.split('&').any(|part| part == "versions" || part == "versions=") => {
            "ListObjectVersions"
        }
        ("s3", "GET") => "GetObject",
        ("s3", "PUT") if parts.headers.contains_key("x-amz-copy-source") => "CopyObject",
        ("s3", "PUT") => "PutObject",
        ("s3", "DELETE") => "DeleteObject",
        ("s3", "POST") => "DeleteObjects",
        (_, method) => method,
    };
    name.to_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use hyper::Request;

    /// A call of `create-order`'s process 7.
    pub(crate) fn call(service: &str, target: &str, body: &str) -> Call {
        let request = Request::post("/")
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 Credential=A/20261121/us-east-1/{service}/aws4_request"),
            )
            .header("x-amz-target", target)
            .header("amz-sdk-invocation-id", "one")
            .header("x-amz-user-agent", "aws-sdk-rust/1.3 ua/2.1 os/linux app/create-order.7 m/E")
            .body(())
            .unwrap();
        Call::read(&request.into_parts().0, body.as_bytes())
    }

    #[test]
    fn a_call_tells_its_function_process_and_operation() {
        let call = call("dynamodb", "DynamoDB_20120810.UpdateItem", "{}");
        assert_eq!(call.caller, Some(Caller { function: "create-order".into(), pid: 7 }));
        assert_eq!((call.name().as_str(), call.id.as_str()), ("dynamodb.UpdateItem", "one"));
    }

    #[test]
    fn a_signature_says_what_is_done_where() {
        let body = r#"{"TableName":"cartwright-local-GuardsTable-1","UpdateExpression":"SET holder = :me"}"#;
        let call = call("dynamodb", "DynamoDB_20120810.UpdateItem", body);
        assert_eq!(call.signature(), "dynamodb.UpdateItem Guards SET holder");
    }

    #[test]
    fn a_message_says_which_queue_it_is_for() {
        let body = r#"{"QueueUrl":"http://q/1/cartwright-local-RefundsQueue-1","MessageBody":"{}"}"#;
        assert_eq!(call("sqs", "AmazonSQS.SendMessage", body).signature(), "sqs.SendMessage Refunds");
    }

    #[test]
    fn what_reads_an_index_says_which_part_of_it() {
        let body = r#"{"TableName":"cartwright-local-OrdersTable-1","IndexName":"due",
            "ExpressionAttributeValues":{":now":{"S":"2026-11-21T00:41:06.123Z"},":shard":{"S":"07"}}}"#;
        let call = call("dynamodb", "DynamoDB_20120810.Query", body);
        assert_eq!(call.signature(), "dynamodb.Query Orders due 07");
    }

    #[test]
    fn a_question_is_the_same_at_another_time_and_another_one_about_somebody_else() {
        let asks = |customer: &str, now: &str, filter: &str| {
            let body = serde_json::json!({
                "TableName": "OrdersTable", "IndexName": "customer", "FilterExpression": filter,
                "ExpressionAttributeValues": { ":customer": { "S": customer }, ":now": { "S": now } },
            });
            call("dynamodb", "DynamoDB_20120810.Query", &body.to_string()).question()
        };
        let [noon, later] = ["2026-11-21T12:00:00.000Z", "2026-11-21T12:00:01.000Z"];
        let asked = asks("01a1fbbc-f982-7d04-8367-8c1b9055f3fd", noon, "attribute_exists(due)");
        assert_eq!(asked, asks("01a1fbbc-f982-7d04-8367-8c1b9055f3fd", later, "attribute_exists(due)"));
        assert_ne!(asked, asks("01a1fbbc-f982-7d04-8367-8c1b9055f3fe", noon, "attribute_exists(due)"));
        assert_ne!(asked, asks("01a1fbbc-f982-7d04-8367-8c1b9055f3fd", noon, "attribute_exists(#back)"));
    }

    #[test]
    fn what_lists_all_versions_of_objects_is_told_from_what_reads_one() {
        let called =
            |uri: &str| Call::read(&Request::get(uri).body(()).unwrap().into_parts().0, b"").operation;
        assert_eq!(called("/bucket/?versions&prefix=images%2Fproducts"), "ListObjectVersions");
        assert_eq!(called("/bucket?list-type=2"), "ListObjectsV2");
        assert_eq!(called("/bucket/images/products/a?versionId=1"), "GetObject");
    }

    /// A call of Stripe by `send-refund`'s process 7.
    pub(crate) fn to_stripe(method: &str, path: &str, body: &str) -> Call {
        let request = Request::builder().method(method).uri(format!("/stripe/send-refund.7{path}"));
        let request = request.header("authorization", "Bearer rk_1").header("idempotency-key", "refund-1");
        Call::read(&request.body(()).unwrap().into_parts().0, body.as_bytes())
    }

    #[test]
    fn a_call_of_stripe_tells_its_function_and_which_thing_it_is_about() {
        let call = to_stripe("POST", "/v1/checkout/sessions/cs_test_a1B2/expire", "");
        assert_eq!(call.caller, Some(Caller { function: "send-refund".into(), pid: 7 }));
        assert_eq!(call.signature(), "stripe.POST /v1/checkout/sessions/{id}/expire");
        assert_eq!((call.key.as_deref(), call.is_to_stripe()), (Some("refund-1"), true));
        assert!(call.names("cs_test_a1B2") && !call.names("send-refund") && !call.only_reads());
        let listed = to_stripe("GET", "/v1/refunds?payment_intent=pi_1&limit=100", "");
        assert_eq!(listed.signature(), "stripe.GET /v1/refunds");
        assert!(listed.names("pi_1") && listed.only_reads());
    }

    #[test]
    fn ids_of_stripes_are_found_wherever_they_stand() {
        let text =
            r#"{"id":"cs_test_1","payment_intent":"pi_2","metadata":{"payment_id":"01a1"},"x":"re_3&"}"#;
        assert_eq!(ids_of_stripes(text).collect::<Vec<_>>(), ["cs_test_1", "pi_2", "re_3"]);
    }

    #[test]
    fn an_upload_of_a_client_is_nobodys_call() {
        let request = Request::put("/bucket/uploads/products/a").body(()).unwrap();
        let call = Call::read(&request.into_parts().0, b"bytes");
        assert_eq!((call.caller, call.operation.as_str()), (None, "PutObject"));
    }
}
