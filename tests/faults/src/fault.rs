//! What can go wrong with a call, and how each service says so.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::call::Call;

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Fault {
    /// It takes effect, and the connection ends instead of a reply.
    ReplyDropped,
    /// The connection ends before it takes effect.
    Reset,
    /// The service is asked too much, in its own words. Nothing takes effect.
    Throttled,
    /// The service fails (500), in its own words. Nothing takes effect.
    Failed,
    /// Something before the service fails (503). Nothing takes effect.
    Unavailable,
    /// A transaction meets another one (DynamoDB).
    Conflict,
    /// A transaction meets its own first attempt (DynamoDB).
    InProgress,
    /// A batch is left unread (DynamoDB).
    Unprocessed,
    /// Another request is at work on the same thing (Stripe).
    Locked,
    /// It takes effect later, and the reply comes later.
    Delayed,
    /// It takes effect when the caller has given up waiting for it.
    Late,
    /// What is sent is delivered twice.
    Twice,
    /// What is sent is delivered after what is sent later.
    HeldBack,
    /// An index tells of a moment ago.
    Stale,
    /// The function's process is killed before the call takes effect.
    KilledBefore,
    /// The function's process is killed after the call took effect.
    KilledAfter,
}

impl Fault {
    /// How long a delay is.
    pub(crate) const DELAY: Duration = Duration::from_millis(700);
    /// Longer than the functions wait for AWS (`shared::run::aws`).
    const LATE: Duration = Duration::from_secs(9);
    /// Longer than they wait for Stripe (`payments::stripe`): 10 seconds.
    const LATE_AT_STRIPE: Duration = Duration::from_secs(11);
    /// How many seconds a message is held back.
    pub(crate) const HELD_BACK_SECONDS: u32 = 4;

    /// Whether it can happen to this call.
    pub(crate) fn fits(self, call: &Call) -> bool {
        let sends = call.operation == "SendMessage";
        match self {
            Self::Twice | Self::HeldBack => sends,
            Self::Stale => call.reads_an_index(),
            Self::Conflict | Self::InProgress => call.operation == "TransactWriteItems",
            Self::Unprocessed => call.operation == "BatchGetItem",
            Self::Locked => call.is_to_stripe() && !call.only_reads(),
            // A transaction that takes effect after its caller was told no cannot be fenced off by anyone:
            // docs/reliability.md.
            Self::Late => call.operation != "TransactWriteItems",
            _ => true,
        }
    }

    /// When a call takes effect that comes when its caller has given up waiting.
    pub(crate) fn late(call: &Call) -> Duration {
        if call.is_to_stripe() { Self::LATE_AT_STRIPE } else { Self::LATE }
    }

    /// What the service answers in place of doing it: status, content type, a header, body.
    pub(crate) fn answer(self, call: &Call) -> Option<Answer> {
        let answer = match (self, call.service.as_str()) {
            (Self::Unavailable, _) => Answer::new(503, "text/plain", None, "Service Unavailable".into()),
            (Self::Throttled, "dynamodb") => Answer::json(
                400,
                "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
                "The level of configured provisioned throughput for the table was exceeded.",
            ),
            (Self::Failed, "dynamodb") => Answer::json(
                500,
                "com.amazonaws.dynamodb.v20120810#InternalServerError",
                "Internal server error",
            ),
            (Self::Conflict, _) => Answer::conflict(call),
            (Self::InProgress, _) => Answer::json(
                400,
                "com.amazonaws.dynamodb.v20120810#TransactionInProgressException",
                "The transaction with the given request token is already in progress.",
            ),
            (Self::Unprocessed, _) => {
                let body = json!({ "Responses": {}, "UnprocessedKeys": call.input["RequestItems"] });
                Answer::new(200, JSON, None, body.to_string())
            }
            (Self::Throttled, "stripe") => Answer::stripes(
                429,
                "invalid_request_error",
                Some("rate_limit"),
                "Request rate limit exceeded.",
            ),
            (Self::Failed, "stripe") => Answer::stripes(500, "api_error", None, "An unknown error occurred"),
            (Self::Locked, _) => Answer::stripes(
                409,
                "invalid_request_error",
                Some("lock_timeout"),
                "This object cannot be accessed right now because another request is accessing it.",
            ),
            (Self::Throttled, "sqs") => {
                Answer::json(400, "com.amazonaws.sqs#RequestThrottled", "Request throttled.")
            }
            (Self::Throttled, "ses") => {
                let body = json!({ "message": "Maximum sending rate exceeded." }).to_string();
                let header = ("x-amzn-errortype", "TooManyRequestsException");
                Answer::new(429, "application/json", Some(header), body)
            }
            (Self::Throttled, "s3") => Answer::xml(503, "SlowDown", "Please reduce your request rate."),
            (Self::Failed, "s3") => Answer::xml(500, "InternalError", "We encountered an internal error."),
            (Self::Throttled, "sns") => Answer::query(400, "Throttled", "Rate exceeded"),
            (Self::Failed, "sns") => Answer::query(500, "InternalError", "Internal error"),
            (Self::Throttled, _) => Answer::json(400, "ThrottlingException", "Rate exceeded"),
            (Self::Failed, _) => Answer::json(500, "InternalFailure", "Internal failure"),
            _ => return None,
        };
        Some(answer)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReplyDropped => "reply dropped",
            Self::Reset => "connection reset",
            Self::Throttled => "throttled",
            Self::Failed => "answered 500",
            Self::Unavailable => "answered 503",
            Self::Conflict => "transaction conflict",
            Self::InProgress => "transaction in progress",
            Self::Unprocessed => "batch left unread",
            Self::Locked => "object locked",
            Self::Delayed => "delayed",
            Self::Late => "late, after the timeout",
            Self::Twice => "delivered twice",
            Self::HeldBack => "delivered out of order",
            Self::Stale => "stale index",
            Self::KilledBefore => "killed before",
            Self::KilledAfter => "killed after",
        })
    }
}

const JSON: &str = "application/x-amz-json-1.0";

/// A header of an answer.
type Header = (&'static str, &'static str);

/// An answer in the place of AWS or of Stripe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub status: u16,
    pub content_type: &'static str,
    /// A header by which the caller goes.
    pub header: Option<Header>,
    pub body: String,
}

impl Answer {
    fn new(status: u16, content_type: &'static str, header: Option<Header>, body: String) -> Self {
        Self { status, content_type, header, body }
    }

    /// An error as Stripe writes it, and that another try may do.
    fn stripes(status: u16, kind: &str, code: Option<&str>, message: &str) -> Self {
        let mut error = json!({ "message": message, "type": kind });
        if let Some(code) = code {
            error["code"] = json!(code);
        }
        let again = ("stripe-should-retry", "true");
        Self::new(status, "application/json", Some(again), json!({ "error": error }).to_string())
    }

    fn json(status: u16, kind: &str, message: &str) -> Self {
        Self::new(status, JSON, None, json!({ "__type": kind, "message": message }).to_string())
    }

    /// One reason for each item of the transaction, the first of which met another transaction.
    fn conflict(call: &Call) -> Self {
        let count = call.input["TransactItems"].as_array().map_or(1, Vec::len);
        let reason = |index| match index {
            0 => json!({ "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item" }),
            _ => json!({ "Code": "None" }),
        };
        let reasons: Vec<Value> = (0..count).map(reason).collect();
        let body = json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
            "CancellationReasons": reasons,
        });
        Self::new(400, JSON, None, body.to_string())
    }

    fn xml(status: u16, code: &str, message: &str) -> Self {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        );
        Self::new(status, "application/xml", None, body)
    }

    fn query(status: u16, code: &str, message: &str) -> Self {
        let body = format!(
            "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>{message}</Message></Error><RequestId>faults</RequestId></ErrorResponse>"
        );
        Self::new(status, "text/xml", None, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::tests::{call, to_stripe};

    #[test]
    fn stripe_says_so_in_its_own_words_and_that_another_try_may_do() {
        let call = to_stripe("POST", "/v1/refunds", "");
        for (fault, status, code) in [
            (Fault::Throttled, 429, json!("rate_limit")),
            (Fault::Failed, 500, Value::Null),
            (Fault::Locked, 409, json!("lock_timeout")),
        ] {
            let answer = fault.answer(&call).unwrap();
            let body: Value = answer.body.parse().unwrap();
            assert_eq!((answer.status, &body["error"]["code"]), (status, &code), "{fault}");
            assert!(body["error"]["type"].is_string() && body["error"]["message"].is_string(), "{fault}");
            assert_eq!(answer.header, Some(("stripe-should-retry", "true")), "{fault}");
        }
        assert!(Fault::Locked.fits(&call) && !Fault::Locked.fits(&to_stripe("GET", "/v1/refunds", "")));
        assert!(Fault::late(&call) > Duration::from_secs(10), "payments::stripe waits so long");
    }

    #[test]
    fn a_conflict_has_a_reason_for_each_item() {
        let call = call("dynamodb", "DynamoDB_20120810.TransactWriteItems", r#"{"TransactItems":[{},{}]}"#);
        let answer = Fault::Conflict.answer(&call).unwrap();
        let body: Value = answer.body.parse().unwrap();
        assert_eq!(body["CancellationReasons"][0]["Code"], "TransactionConflict");
        assert_eq!(body["CancellationReasons"][1], json!({ "Code": "None" }));
    }

    #[test]
    fn what_only_some_calls_can_meet_fits_those_alone() {
        let send = call("sqs", "AmazonSQS.SendMessage", "{}");
        assert!(Fault::Twice.fits(&send) && !Fault::Stale.fits(&send) && !Fault::Conflict.fits(&send));
        let query = call("dynamodb", "DynamoDB_20120810.Query", r#"{"IndexName":"due"}"#);
        assert!(Fault::Stale.fits(&query) && !Fault::Twice.fits(&query));
    }

    #[test]
    fn each_service_says_in_its_own_words_that_it_is_asked_too_much() {
        let says = |service: &str| Fault::Throttled.answer(&call(service, "X.Y", "{}")).unwrap();
        assert!(says("dynamodb").body.contains("ProvisionedThroughputExceededException"));
        assert!(says("sqs").body.contains("RequestThrottled"));
        assert_eq!((says("s3").status, says("s3").content_type), (503, "application/xml"));
        let header = says("ses").header;
        assert_eq!(
            (says("ses").status, header),
            (429, Some(("x-amzn-errortype", "TooManyRequestsException")))
        );
        assert!(says("states").body.contains("ThrottlingException"));
    }
}
