//! What a function says of itself: JSON logs, metrics in CloudWatch's embedded format, and its count of AWS calls.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::future::Future;
use std::time::Duration;

use serde_json::json;
use tracing::Level;

use crate::time::Timestamp;

/// Starts the logs: one JSON object a line, the span's fields (request id, order id) beside the event's.
pub(crate) fn init() {
    let level = std::env::var("LOG_LEVEL").ok().and_then(|level| level.parse().ok()).unwrap_or(Level::INFO);
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(level)
        .init();
}

/// Adds `value` to a metric of the namespace `Cartwright`, with the function's name as its dimension.
///
/// A line in CloudWatch's embedded metric format: it costs a line in the log and no call.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
pub fn count(metric: &'static str, value: u32) {
    println!("{}", embedded_metric(metric, value, &function_name(), Timestamp::now()));
}

fn embedded_metric(metric: &str, value: u32, function: &str, now: Timestamp) -> serde_json::Value {
    json!({
        "_aws": {
            "Timestamp": now.unix_millis(),
            "CloudWatchMetrics": [{
                "Namespace": "Cartwright",
                "Dimensions": [["function"]],
                "Metrics": [{ "Name": metric, "Unit": "Count" }],
            }],
        },
        "function": function,
        metric: value,
    })
}

/// The name by which Lambda knows this function.
pub(crate) fn function_name() -> String {
    std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default()
}

/// The AWS calls of one invocation, by service in the order of their first call.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Calls(Vec<(&'static str, u32, Duration)>);

tokio::task_local! {
    static CALLS: RefCell<Calls>;
}

impl Calls {
    fn add(&mut self, service: &'static str, took: Duration) {
        match self.0.iter_mut().find(|(name, ..)| *name == service) {
            Some((_, count, total)) => {
                *count += 1;
                *total += took;
            }
            None => self.0.push((service, 1, took)),
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
}

/// Runs `invocation` and counts the AWS calls that it makes.
pub(crate) async fn counting_calls<F: Future>(invocation: F) -> (F::Output, Calls) {
    CALLS
        .scope(RefCell::default(), async {
            let output = invocation.await;
            (output, CALLS.with(RefCell::take))
        })
        .await
}

/// Notes one call to AWS; outside an invocation it is nobody's.
pub(crate) fn count_call(service: &'static str, took: Duration) {
    let _ = CALLS.try_with(|calls| calls.borrow_mut().add(service, took));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_are_counted_for_the_invocation_that_made_them() {
        count_call("s3", Duration::from_millis(1));
        let ((), calls) = counting_calls(async {
            count_call("dynamodb", Duration::from_micros(2_500));
            count_call("sqs", Duration::from_micros(1_000));
            count_call("dynamodb", Duration::from_micros(2_500));
        })
        .await;
        assert_eq!(calls.server_timing(), r#"dynamodb;desc="2 calls";dur=5.0, sqs;desc="1 call";dur=1.0"#);
        assert_eq!(calls.total(), 3);
    }

    #[test]
    fn a_metric_is_a_line_of_the_embedded_format() {
        let line = embedded_metric("OrderPlaced", 1, "create-order", Timestamp::from_unix_millis(5));
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
}
