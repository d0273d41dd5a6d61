//! What a function says of itself: JSON logs, metrics in CloudWatch's embedded format, and its count of calls, of AWS
//! and of what is outside.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::future::Future;
use std::time::Duration;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};
use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::values::time::Timestamp;

/// Starts the logs: one JSON object a line, the span's fields (request id, message id) beside the event's.
pub(crate) fn init() {
    let level = std::env::var("LOG_LEVEL").ok().and_then(|level| level.parse().ok()).unwrap_or(Level::INFO);
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(level)
        .finish()
        .with(filter_fn(|event| !is_said_already(event)))
        .init();
}

/// Whether the runtime says once more what a handler failed with. It does so as an error, also where the handler's own
/// line is a warning; that a handler panicked has a field beside the message, and nobody else says it.
fn is_said_already(event: &Metadata<'_>) -> bool {
    event.target() == "lambda_runtime::layers::panic" && event.fields().field("error").is_none()
}

/// Adds `value` to a metric of the namespace `Cartwright`, with the function's name as its dimension.
///
/// A line in CloudWatch's embedded metric format: it costs a line in the log and no call. It is written at once, so
/// that what is counted before a function dies counts.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
pub fn count(metric: &'static str, value: u32) {
    say(&embedded_metric(metric, value, ("function", &function_name()), Timestamp::now()));
}

/// The same for what has one alarm wherever it happens: its dimension is the stage.
pub fn count_in_stage(metric: &'static str, value: u32) {
    say(&embedded_metric(metric, value, ("stage", &stage()), Timestamp::now()));
}

fn embedded_metric(metric: &str, value: u32, (dimension, name): (&str, &str), now: Timestamp) -> Value {
    let metrics = vec![Metric { name: metric.to_owned(), unit: "Count" }];
    json!({ "_aws": Embedded::of(metrics, dimension, now), dimension: name, metric: value })
}

/// The name by which Lambda knows this function.
pub(crate) fn function_name() -> String {
    std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default()
}

/// What one invocation, or the work on one message of it, did so far.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Invocation {
    /// Its calls.
    pub calls: Calls,
    /// What it was about.
    pub subject: Option<String>,
}

/// Calls of AWS and of what is outside, by service in the order of their first call.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Calls(Vec<(&'static str, u32, Duration)>);

tokio::task_local! {
    static INVOCATION: RefCell<Invocation>;
}

impl Calls {
    fn add(&mut self, service: &'static str, calls: u32, took: Duration) {
        match self.0.iter_mut().find(|(name, ..)| *name == service) {
            Some((_, count, total)) => {
                *count += calls;
                *total += took;
            }
            None => self.0.push((service, calls, took)),
        }
    }

    /// The value of a `Server-Timing` header (W3C Server Timing): `dynamodb;desc="2 calls";dur=7.4`, milliseconds.
    pub(crate) fn server_timing(&self) -> String {
        let mut header = String::new();
        for (service, count, total) in &self.0 {
            let separator = if header.is_empty() { "" } else { ", " };
            let calls = if *count == 1 { "call" } else { "calls" };
            let millis = total.as_secs_f64() * 1000.0;
            // Writing to a String cannot fail.
            let _ = write!(header, "{separator}{service};desc=\"{count} {calls}\";dur={millis:.1}");
        }
        header
    }

    /// How many calls there were, of all services.
    pub(crate) fn total(&self) -> u32 {
        self.0.iter().map(|(_, count, _)| count).sum()
    }

    /// Adds the count and the time of each service's calls to the stage's metrics, such as `DynamodbCalls` and
    /// `DynamodbTime`, in one line for an invocation; in none for one that called nothing.
    ///
    /// Their dimension is the stage and not the function: each metric costs money each month, and the line has the
    /// function's name for whoever asks the log. docs/decisions/0016 counts what it comes to.
    pub(crate) fn publish(&self) {
        if let Some(metrics) = self.metrics(Timestamp::now()) {
            say(&metrics);
        }
    }

    fn metrics(&self, now: Timestamp) -> Option<CallMetrics<'_>> {
        let some = !self.0.is_empty();
        some.then(|| CallMetrics { calls: self, stage: stage(), function: function_name(), now })
    }
}

/// The calls of an invocation as metrics in CloudWatch's embedded format.
struct CallMetrics<'a> {
    calls: &'a Calls,
    stage: String,
    function: String,
    now: Timestamp,
}

impl Serialize for CallMetrics<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_map(None)?;
        let mut metrics = Vec::new();
        line.serialize_entry("stage", &self.stage)?;
        line.serialize_entry("function", &self.function)?;
        for (service, count, total) in &self.calls.0 {
            let name = pascal(service);
            let (calls, time) = (format!("{name}Calls"), format!("{name}Time"));
            line.serialize_entry(&calls, count)?;
            // Tenths of a millisecond are what means something.
            line.serialize_entry(&time, &((total.as_secs_f64() * 10_000.0).round() / 10.0))?;
            metrics.push(Metric { name: calls, unit: "Count" });
            metrics.push(Metric { name: time, unit: "Milliseconds" });
        }
        line.serialize_entry("_aws", &Embedded::of(metrics, "stage", self.now))?;
        line.end()
    }
}

/// What the member `_aws` of a line says of the line's other members: which of them are metrics.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct Embedded<'a> {
    timestamp: i64,
    cloud_watch_metrics: [Directive<'a>; 1],
}

#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'static str,
    dimensions: [[&'a str; 1]; 1],
    metrics: Vec<Metric>,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: String,
    unit: &'static str,
}

impl<'a> Embedded<'a> {
    fn of(metrics: Vec<Metric>, dimension: &'a str, now: Timestamp) -> Self {
        let directive = Directive { namespace: "Cartwright", dimensions: [[dimension]], metrics };
        Self { timestamp: now.unix_millis(), cloud_watch_metrics: [directive] }
    }
}

/// Writes the line that ends a request. It looks like all others, and also has the metrics of the request's calls: a
/// line of their own would be a second write to the log for each request, and cost as much to keep.
pub(crate) fn answered(request_id: &str, status: u16, invocation: &Invocation) {
    say(&Answered::new(request_id, status, invocation, Timestamp::now()));
}

#[derive(serde::Serialize)]
struct Answered<'a> {
    timestamp: Timestamp,
    level: &'static str,
    message: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    aws_calls: u32,
    span: RequestSpan<'a>,
    #[serde(flatten)]
    metrics: Option<CallMetrics<'a>>,
}

#[derive(serde::Serialize)]
struct RequestSpan<'a> {
    request_id: &'a str,
    name: &'static str,
}

impl<'a> Answered<'a> {
    fn new(request_id: &'a str, status: u16, invocation: &'a Invocation, now: Timestamp) -> Self {
        Self {
            timestamp: now,
            level: "INFO",
            message: "answered",
            status,
            subject: invocation.subject.as_deref(),
            aws_calls: invocation.calls.total(),
            span: RequestSpan { request_id, name: "request" },
            metrics: invocation.calls.metrics(now),
        }
    }
}

/// Writes a line into the log, at once and whole.
fn say(line: &impl Serialize) {
    match serde_json::to_string(line) {
        Ok(mut line) => {
            line.push('\n');
            print!("{line}");
        }
        Err(error) => tracing::error!(error = error.to_string(), "a line cannot be written"),
    }
}

/// Which Cartwright this is.
fn stage() -> String {
    std::env::var("STAGE").unwrap_or_default()
}

/// `cognito-idp` as metrics are named: `CognitoIdp`.
fn pascal(kebab: &str) -> String {
    let mut name = String::with_capacity(kebab.len());
    for word in kebab.split('-') {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

/// Runs `work` and tells what it did: the AWS calls that it made and what it was about.
pub(crate) async fn observing<F: Future>(work: F) -> (F::Output, Invocation) {
    INVOCATION
        .scope(RefCell::default(), async {
            let output = work.await;
            (output, INVOCATION.with(RefCell::take))
        })
        .await
}

/// Notes one call; outside an invocation it is nobody's.
pub(crate) fn count_call(service: &'static str, took: Duration) {
    let _ = INVOCATION.try_with(|invocation| invocation.borrow_mut().calls.add(service, 1, took));
}

/// Notes the calls of a task of its own as the invocation's that started it.
pub(crate) fn count_calls_of(task: &Calls) {
    let _ = INVOCATION.try_with(|invocation| {
        for (service, count, took) in &task.0 {
            invocation.borrow_mut().calls.add(service, *count, *took);
        }
    });
}

/// Says what this request, message or task is about, by the kind of thing and its id: `about("things", id)`. The line
/// that ends it in the log, well or badly, then has the `subject` `things/0189…`, so that one thing can be followed
/// through every function.
pub fn about(things: &str, id: impl fmt::Display) {
    let _ =
        INVOCATION.try_with(|invocation| invocation.borrow_mut().subject = Some(format!("{things}/{id}")));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_services() -> Calls {
        let mut calls = Calls::default();
        calls.add("dynamodb", 2, Duration::from_micros(7_440));
        calls.add("cognito-idp", 1, Duration::from_millis(30));
        calls
    }

    /// What of these lines of the runtime's a log has.
    #[test]
    fn a_failure_is_said_once_and_a_panic_is_said() {
        let file = std::env::temp_dir().join(format!("cartwright-telemetry-{}", std::process::id()));
        let writer = std::sync::Mutex::new(std::fs::File::create(&file).unwrap());
        let log = tracing_subscriber::fmt().json().with_writer(writer).finish();
        let log = log.with(filter_fn(|event| !is_said_already(event)));
        tracing::subscriber::with_default(log, || {
            tracing::error!(target: "lambda_runtime::layers::panic", "once more");
            tracing::error!(target: "lambda_runtime::layers::panic", error = "…", "user handler panicked");
            tracing::error!("a handler's own");
        });
        let log = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert!(!log.contains("once more"), "{log}");
        assert!(log.contains("user handler panicked") && log.contains("a handler's own"), "{log}");
    }

    #[tokio::test]
    async fn calls_are_counted_for_the_invocation_that_made_them() {
        count_call("s3", Duration::from_millis(1));
        let ((), Invocation { calls, subject }) = observing(async {
            count_call("dynamodb", Duration::from_micros(2_500));
            count_call("sqs", Duration::from_micros(1_000));
            count_call("dynamodb", Duration::from_micros(2_500));
        })
        .await;
        assert_eq!(calls.server_timing(), r#"dynamodb;desc="2 calls";dur=5.0, sqs;desc="1 call";dur=1.0"#);
        assert_eq!((calls.total(), subject), (3, None));
    }

    #[tokio::test]
    async fn what_a_task_called_is_counted_for_the_invocation_as_well() {
        let ((), all) = observing(async {
            about("things", 1);
            let task = tokio::spawn(observing(async {
                about("things", 2);
                count_call("dynamodb", Duration::from_millis(1));
            }));
            let ((), task) = task.await.unwrap();
            assert_eq!((task.calls.total(), task.subject.as_deref()), (1, Some("things/2")));
            count_call("sqs", Duration::from_millis(1));
            count_calls_of(&task.calls);
        })
        .await;
        assert_eq!((all.calls.total(), all.subject.as_deref()), (2, Some("things/1")));
    }

    #[test]
    fn a_metric_is_a_line_of_the_embedded_format() {
        let line =
            embedded_metric("OrderPlaced", 1, ("function", "create-order"), Timestamp::from_unix_millis(5));
        assert_eq!(
            line,
            json!({
                "_aws": { "Timestamp": 5, "CloudWatchMetrics": [{
                    "Namespace": "Cartwright", "Dimensions": [["function"]],
                    "Metrics": [{ "Name": "OrderPlaced", "Unit": "Count" }]
                }]},
                "function": "create-order",
                "OrderPlaced": 1
            })
        );
    }

    fn metrics_of_two_services() -> Value {
        json!({
            "_aws": { "Timestamp": 5, "CloudWatchMetrics": [{
                "Namespace": "Cartwright", "Dimensions": [["stage"]],
                "Metrics": [
                    { "Name": "DynamodbCalls", "Unit": "Count" },
                    { "Name": "DynamodbTime", "Unit": "Milliseconds" },
                    { "Name": "CognitoIdpCalls", "Unit": "Count" },
                    { "Name": "CognitoIdpTime", "Unit": "Milliseconds" },
                ]
            }]},
            "stage": stage(),
            "function": function_name(),
            "DynamodbCalls": 2,
            "DynamodbTime": 7.4,
            "CognitoIdpCalls": 1,
            "CognitoIdpTime": 30.0
        })
    }

    #[test]
    fn the_calls_of_an_invocation_are_one_line_of_the_stages_metrics() {
        let now = Timestamp::from_unix_millis(5);
        let line = serde_json::to_value(two_services().metrics(now)).unwrap();
        assert_eq!(line, metrics_of_two_services());
        assert!(Calls::default().metrics(now).is_none());
    }

    #[test]
    fn the_line_that_ends_a_request_has_its_metrics_as_well() {
        let now = Timestamp::from_unix_millis(5);
        let invocation = Invocation { calls: two_services(), subject: Some("things/1".into()) };
        let line = serde_json::to_value(Answered::new("r1", 201, &invocation, now)).unwrap();
        let mut expected = json!({
            "timestamp": "1970-01-01T00:00:00.005Z", "level": "INFO", "message": "answered", "status": 201,
            "subject": "things/1", "aws_calls": 3, "span": { "request_id": "r1", "name": "request" },
        });
        let metrics = metrics_of_two_services();
        expected.as_object_mut().unwrap().extend(metrics.as_object().unwrap().clone());
        assert_eq!(line, expected);

        let idle = Invocation::default();
        let line = serde_json::to_value(Answered::new("r2", 404, &idle, now)).unwrap();
        assert_eq!(
            line,
            json!({
                "timestamp": "1970-01-01T00:00:00.005Z", "level": "INFO", "message": "answered",
                "status": 404, "aws_calls": 0, "span": { "request_id": "r2", "name": "request" },
            })
        );
    }
}
