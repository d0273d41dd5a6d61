//! AWS as tests have it: it answers each request as it is told to, and remembers what it was asked.

use std::cell::OnceCell;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::Aws;

/// The bodies of the requests so far; a form as an object of texts, and anything else that is no JSON as `null`.
pub type Asked = Arc<Mutex<Vec<Value>>>;

/// The status and the body for a request, by itself and by its body.
type Answers = dyn Fn(&HttpRequest, &Value) -> (u16, Value) + Send + Sync;

#[derive(Clone)]
struct Canned {
    answers: Arc<Answers>,
    asked: Asked,
}

impl fmt::Debug for Canned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canned").field("asked", &self.asked).finish_non_exhaustive()
    }
}

impl HttpConnector for Canned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let is_form = request.headers().get("content-type") == Some("application/x-www-form-urlencoded");
        let read = |body: &[u8]| -> Option<Value> {
            if is_form {
                let fields = form_urlencoded::parse(body);
                return Some(fields.map(|(name, value)| (name.into_owned(), value.into_owned())).collect());
            }
            serde_json::from_slice(body).ok()
        };
        let body = request.body().bytes().and_then(read);
        let body: Value = body.unwrap_or_default();
        let (status, answer) = (self.answers)(&request, &body);
        // What answers in XML is told as a text.
        let answer = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(body);
        let status = status.try_into().expect("a status of HTTP");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, answer.into())))
    }
}

/// What clients are made from that all get this answer, and what they ask for.
pub fn answering(status: u16, body: &Value) -> (SdkConfig, Asked) {
    let body = body.clone();
    answering_each(move |_| (status, body.clone()))
}

/// The same with an answer for each request, by its body.
pub fn answering_each(
    answers: impl Fn(&Value) -> (u16, Value) + Send + Sync + 'static,
) -> (SdkConfig, Asked) {
    answering_requests(move |_, body| answers(body))
}

/// The same by all of the request, for services that are told by its method and its path what is asked.
pub fn answering_requests(
    answers: impl Fn(&HttpRequest, &Value) -> (u16, Value) + Send + Sync + 'static,
) -> (SdkConfig, Asked) {
    let canned = Canned { answers: Arc::new(answers), asked: Asked::default() };
    let asked = canned.asked.clone();
    let connector = SharedHttpConnector::new(canned);
    let credentials = Credentials::new("id", "secret", None, None, "tests");
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::disabled())
        .http_client(http_client_fn(move |_, _| connector.clone()));
    (sdk.build(), asked)
}

/// An object as DynamoDB writes an item.
pub fn item(object: &Value) -> Value {
    let members = object.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.clone(), attribute(value))).collect()
}

fn attribute(value: &Value) -> Value {
    match value {
        Value::Null => json!({ "NULL": true }),
        Value::Bool(yes) => json!({ "BOOL": yes }),
        Value::Number(number) => json!({ "N": number.to_string() }),
        Value::String(text) => json!({ "S": text }),
        Value::Array(values) => json!({ "L": values.iter().map(attribute).collect::<Value>() }),
        Value::Object(_) => json!({ "M": item(value) }),
    }
}

impl Aws {
    /// What tables and queues of the tests are made from.
    pub fn for_tests(sdk: SdkConfig) -> Self {
        Self { sdk, dynamodb: OnceCell::new() }
    }
}
