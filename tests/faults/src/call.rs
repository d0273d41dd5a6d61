//! A call that a function makes to AWS, as the proxy sees it.

use hyper::HeaderMap;
use hyper::http::request::Parts;
use serde_json::Value;

/// The tables, by the names that the stack's resources have inside the tables' own names.
const TABLES: [&str; 11] = [
    "Activity",
    "Banners",
    "Carts",
    "Categories",
    "Coupons",
    "Guards",
    "Offers",
    "Orders",
    "Products",
    "Settings",
    "Users",
];

/// One HTTP request of a function to AWS.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The function that makes it, and the number of its process; nobody for what a client uploads by itself.
    pub caller: Option<Caller>,
    /// `dynamodb`, as the signature's scope names it.
    pub service: String,
    /// `UpdateItem`
    pub operation: String,
    /// The SDK's name for the call, the same in all its attempts.
    pub id: String,
    /// The request's path, which names the object in calls to S3.
    pub path: String,
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
        let service = header("authorization").and_then(|value| value.split(['/', ',']).nth(3));
        let service = service.unwrap_or("s3").to_owned();
        let body = String::from_utf8_lossy(body).into_owned();
        let operation = operation(parts, &service, &body);
        Self {
            caller: Caller::read(&parts.headers),
            operation,
            id: header("amz-sdk-invocation-id").unwrap_or_default().to_owned(),
            path: parts.uri.to_string(),
            input: body.parse().unwrap_or_default(),
            service,
            body,
        }
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

    /// Whether it is about something of this name.
    pub(crate) fn names(&self, subject: &str) -> bool {
        self.body.contains(subject) || self.path.contains(subject)
    }
}

impl Caller {
    /// From the application's name in the user agent, which the functions' start scripts set: `app/create-order.4711`.
    fn read(headers: &HeaderMap) -> Option<Self> {
        let agents = ["x-amz-user-agent", "user-agent"].into_iter().filter_map(|name| headers.get(name));
        let words = agents.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(' '));
        let (function, pid) = words.filter_map(|word| word.strip_prefix("app/")).next()?.rsplit_once('.')?;
        Some(Self { function: function.to_owned(), pid: pid.parse().ok()? })
    }
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
        ("s3", "GET") if query.contains("list-type=2") => "ListObjectsV2",
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
    fn what_reads_an_index_says_which_part_of_it() {
        let body = r#"{"TableName":"cartwright-local-OrdersTable-1","IndexName":"due",
            "ExpressionAttributeValues":{":now":{"S":"2026-11-21T00:41:06.123Z"},":shard":{"S":"07"}}}"#;
        let call = call("dynamodb", "DynamoDB_20120810.Query", body);
        assert_eq!(call.signature(), "dynamodb.Query Orders due 07");
    }

    #[test]
    fn an_upload_of_a_client_is_nobodys_call() {
        let request = Request::put("/bucket/uploads/products/a").body(()).unwrap();
        let call = Call::read(&request.into_parts().0, b"bytes");
        assert_eq!((call.caller, call.operation.as_str()), (None, "PutObject"));
    }
}
