//! What a function takes for AWS: it passes calls on to the emulator, counts them and keeps the replies; or it gives
//! the kept replies back at once.
//!
//! The emulator is written in Python and takes milliseconds for each call, which would hide what a function takes. Kept
//! replies are the emulator's own, byte for byte, but for the capacity that was asked of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::serve::ListenerExt;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::capacity::{self, Units};
use super::events::SESSION;

/// The AWS that functions see.
pub(super) struct Double {
    url: String,
    state: Arc<Inside>,
}

/// What one or several requests asked of AWS.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Asked {
    /// Calls by operation.
    pub calls: BTreeMap<String, u32>,
    /// What DynamoDB would charge.
    pub units: Units,
    /// Of its write units, those of each table with its indexes.
    pub written: BTreeMap<String, f64>,
}

impl Asked {
    /// How many calls.
    pub(super) fn total(&self) -> u32 {
        self.calls.values().sum()
    }
}

#[derive(Clone)]
struct Reply {
    status: StatusCode,
    content_type: HeaderValue,
    body: Bytes,
}

/// What was recorded under one name, by what was asked.
type Recording = HashMap<String, Reply>;

#[derive(Default)]
struct Now {
    /// The recording that calls go to or come from.
    name: String,
    plays: bool,
    recordings: HashMap<String, Recording>,
    asked: Asked,
}

struct Inside {
    emulator: String,
    http: reqwest::Client,
    now: Mutex<Now>,
}

impl Inside {
    fn now(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Double {
    /// Serves in front of this emulator.
    ///
    /// # Errors
    /// No port is free.
    pub(super) async fn serve(emulator: String) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(Inside { emulator, http: emulator::client(), now: Mutex::new(Now::default()) });
        // A picture has more than axum's two megabytes.
        let router = Router::new().fallback(answer).layer(DefaultBodyLimit::disable());
        let router = router.with_state(state.clone());
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, state })
    }

    /// Where it is.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// From now on: passes calls on, and keeps the replies under this name, each instead of the one that was there. So
    /// what a function asks only once stays known, such as a secret.
    pub(super) fn record(&self, name: &str) {
        let mut now = self.state.now();
        now.name = name.to_owned();
        now.plays = false;
        now.recordings.entry(name.to_owned()).or_default();
        now.asked = Asked::default();
    }

    /// From now on: gives back what was kept under this name.
    pub(super) fn play(&self, name: &str) {
        let mut now = self.state.now();
        now.name = name.to_owned();
        now.plays = true;
    }

    /// What was asked since it was last asked this, or since it began to record.
    pub(super) fn asked(&self) -> Asked {
        std::mem::take(&mut self.state.now().asked)
    }
}

/// Where Stripe makes sessions.
const SESSIONS: &str = "/v1/checkout/sessions";

/// What Stripe answers with that made a session.
fn session() -> Bytes {
    let session = json!({
        "id": SESSION, "object": "checkout.session", "status": "open", "payment_status": "unpaid",
        "url": format!("https://checkout.stripe.com/c/pay/{SESSION}"), "livemode": true, "mode": "payment",
    });
    session.to_string().into()
}

/// What tells calls of one function apart: the operation and the tables, or the object that is read. What is written
/// may have another name each time.
fn key(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> String {
    if let Some(operation) = of_s3(method, uri, headers) {
        let read = if operation.starts_with("Get") { uri.path() } else { "" };
        return format!("S3.{operation} {read}");
    }
    let body = String::from_utf8_lossy(body);
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let Some(target) = target else {
        // The query protocol names its operation in the form.
        let action = body.split('&').find_map(|field| field.strip_prefix("Action="));
        return action.map_or_else(|| format!("{method} {}", uri.path()), str::to_owned);
    };
    let mut tables: Vec<_> =
        body.split("\"TableName\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    // One that reads items of several tables names them otherwise.
    let read: Value = serde_json::from_str(&body).unwrap_or_default();
    tables.extend(
        read["RequestItems"].as_object().into_iter().flat_map(|read| read.keys().map(String::as_str)),
    );
    tables.sort_unstable();
    tables.dedup();
    format!("{target} {}", tables.join(" "))
}

/// The same for a call that wants the item as it is then: of several updates of one table, those say most.
fn returning(key: &str, body: &[u8]) -> String {
    let wanted = String::from_utf8_lossy(body).contains(r#""ReturnValues":"ALL_NEW""#);
    if wanted { format!("{key} ALL_NEW") } else { key.to_owned() }
}

/// The operation, of a call that is signed for S3: the method alone says it, and a header or the query.
fn of_s3<'a>(method: &'a Method, uri: &Uri, headers: &HeaderMap) -> Option<&'a str> {
    let scope = headers.get("authorization")?.to_str().ok()?;
    if !scope.contains("/s3/aws4_request") {
        return None;
    }
    let lists = uri.query().is_some_and(|query| query.contains("list-type="));
    Some(match method.as_str() {
        "GET" if lists => "ListObjectsV2",
        "GET" => "GetObject",
        "HEAD" => "HeadObject",
        "PUT" if headers.contains_key("x-amz-copy-source") => "CopyObject",
        "PUT" => "PutObject",
        "DELETE" => "DeleteObject",
        "POST" => "DeleteObjects",
        other => other,
    })
}

/// Whether a header says something of the call, and not of the connection.
fn is_of_the_call(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.starts_with("x-amz-")
        || ["authorization", "content-type", "content-encoding", "range"].contains(&name)
}

/// `DynamoDB_20120810.GetItem` as `GetItem`, `S3.GetObject` alike, and `PublishBatch` or
/// `POST /v2/email/outbound-emails` as it is.
fn operation(key: &str) -> String {
    match key.split_once(' ') {
        Some((target, _)) if target.contains('.') => target.rsplit('.').next().unwrap_or(target).to_owned(),
        _ => key.to_owned(),
    }
}

async fn answer(
    State(inside): State<Arc<Inside>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, [(&'static str, HeaderValue); 2], Bytes) {
    let key = key(&method, &uri, &headers, &body);
    let kept = {
        let now = inside.now();
        let find = |kept: &Recording| kept.get(&returning(&key, &body)).or_else(|| kept.get(&key)).cloned();
        now.plays.then(|| now.recordings.get(&now.name).and_then(find))
    };
    let reply = match kept {
        Some(Some(reply)) => Ok(reply),
        Some(None) => Err(anyhow::anyhow!("no reply was recorded for {key}")),
        None => pass_on(&inside, method, &uri, &headers, &body, key).await,
    };
    let request_id = ("x-amzn-requestid", HeaderValue::from_static("8476a536-e9f4-11e8-9739-2dfe598c3fcd"));
    match reply {
        Ok(reply) => (reply.status, [("content-type", reply.content_type), request_id], reply.body),
        Err(error) => {
            let why = format!(r#"{{"__type":"InternalServerError","message":"{error:#}"}}"#);
            let json = ("content-type", HeaderValue::from_static("application/x-amz-json-1.0"));
            (StatusCode::INTERNAL_SERVER_ERROR, [json, request_id], why.into())
        }
    }
}

async fn pass_on(
    inside: &Inside,
    method: Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
    key: String,
) -> Result<Reply> {
    let (is_dynamodb, of_its_own) = (key.starts_with("DynamoDB_"), returning(&key, body));
    let operation = operation(&key);
    let (mut sent, mut input) = (body.clone(), Value::Null);
    if is_dynamodb {
        input = serde_json::from_slice(body).context("the function sent no JSON")?;
        input["ReturnConsumedCapacity"] = "INDEXES".into();
        sent = input.to_string().into();
    }
    let json = HeaderValue::from_static("application/x-amz-json-1.0");
    if uri.path() == SESSIONS {
        let reply = Reply { status: StatusCode::OK, content_type: json, body: session() };
        let mut now = inside.now();
        *now.asked.calls.entry(operation).or_default() += 1;
        let name = now.name.clone();
        now.recordings.entry(name).or_default().insert(key, reply.clone());
        return Ok(reply);
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = inside.http.request(method, format!("{}{path}", inside.emulator)).body(sent);
    for (name, value) in headers.iter().filter(|(name, _)| is_of_the_call(name)) {
        request = request.header(name, value);
    }
    let answer = request.send().await.context("the emulator does not answer")?;
    let status = answer.status();
    let content_type = answer.headers().get("content-type").cloned();
    let mut body = answer.bytes().await?;
    let (mut units, mut written) = (Units::default(), Vec::new());
    if is_dynamodb && status.is_success() {
        let mut output: Value = serde_json::from_slice(&body)?;
        let consumed = output.as_object_mut().and_then(|output| output.remove("ConsumedCapacity"));
        units = capacity::of(&operation, &input, &output, consumed.as_ref());
        if units.write > 0.0 {
            written = capacity::by_table(consumed.as_ref());
        }
        body = output.to_string().into();
    }
    let reply = Reply { status, content_type: content_type.unwrap_or(json), body };
    let mut now = inside.now();
    *now.asked.calls.entry(operation).or_default() += 1;
    now.asked.units += units;
    for (table, units) in written {
        *now.asked.written.entry(table).or_default() += units;
    }
    if status.is_success() {
        let name = now.name.clone();
        let recording = now.recordings.entry(name).or_default();
        recording.insert(of_its_own, reply.clone());
        recording.insert(key, reply.clone());
    }
    Ok(reply)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header::AUTHORIZATION;

    #[test]
    fn calls_are_told_apart_by_operation_and_tables() {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-target", HeaderValue::from_static("DynamoDB_20120810.TransactWriteItems"));
        let body = br#"{"TransactItems":[
            {"Put":{"TableName":"b"}},{"Update":{"TableName":"a"}},{"Put":{"TableName":"b"}}]}"#;
        let uri = Uri::from_static("/");
        let named = key(&Method::POST, &uri, &headers, body);
        assert_eq!(named, "DynamoDB_20120810.TransactWriteItems a b");
        assert_eq!(operation(&named), "TransactWriteItems");
        assert_eq!(returning("a", br#"{"ReturnValues":"ALL_NEW","TableName":"b"}"#), "a ALL_NEW");
        assert_eq!(returning("a", br#"{"ReturnValues":"NONE","TableName":"b"}"#), "a");
        headers.insert("x-amz-target", HeaderValue::from_static("DynamoDB_20120810.BatchGetItem"));
        let read =
            key(&Method::POST, &uri, &headers, br#"{"RequestItems":{"b":{"Keys":[]},"a":{"Keys":[]}}}"#);
        assert_eq!(read, "DynamoDB_20120810.BatchGetItem a b");
        let rest = key(&Method::POST, &Uri::from_static("/v2/email?x"), &HeaderMap::new(), b"{}");
        assert_eq!((rest.as_str(), operation(&rest).as_str()), ("POST /v2/email", "POST /v2/email"));
        let scope = "AWS4-HMAC-SHA256 Credential=A/20261121/us-east-1/s3/aws4_request, SignedHeaders=host";
        let s3 = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(scope))]);
        let object = key(&Method::GET, &Uri::from_static("/bucket/uploads/a.jpg?x-id=GetObject"), &s3, b"");
        assert_eq!(
            (object.as_str(), operation(&object).as_str()),
            ("S3.GetObject /bucket/uploads/a.jpg", "GetObject")
        );
        let written = key(&Method::PUT, &Uri::from_static("/bucket/images/a.jpg"), &s3, b"");
        assert_eq!((written.as_str(), operation(&written).as_str()), ("S3.PutObject ", "PutObject"));
        let form = key(&Method::POST, &uri, &HeaderMap::new(), b"Action=PublishBatch&Version=2010-03-31");
        assert_eq!((form.as_str(), operation(&form).as_str()), ("PublishBatch", "PublishBatch"));
    }
}
