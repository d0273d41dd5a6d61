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
    /// Longer than the functions wait for a reply (`shared::aws`): 8 seconds.
    pub(crate) const LATE: Duration = Duration::from_secs(9);
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
            // A transaction that takes effect after its caller was told no cannot be fenced off by anyone:
            // docs/reliability.md.
            Self::Late => call.operation != "TransactWriteItems",
            _ => true,
        }
    }

    /// What the service answers in place of doing it: status, content type, error type for the header, body.
    pub(crate) fn answer(self, call: &Call) -> Option<Answer> {
        let answer = match (self, call.service.as_str()) {
            (Self::Unavailable, _) => Answer::new(503, "text/plain", "", "Service Unavailable".into()),
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
                Answer::new(200, JSON, "", body.to_string())
            }
            (Self::Throttled, "sqs") => {
                Answer::json(400, "com.amazonaws.sqs#RequestThrottled", "Request throttled.")
            }
            (Self::Throttled, "ses") => {
                let body = json!({ "message": "Maximum sending rate exceeded." }).to_string();
                Answer::new(429, "application/json", "TooManyRequestsException", body)
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

/// An answer in AWS's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub status: u16,
    pub content_type: &'static str,
    /// For the header `x-amzn-errortype`; empty for none.
    pub error_type: &'static str,
    pub body: String,
}

impl Answer {
    fn new(status: u16, content_type: &'static str, error_type: &'static str, body: String) -> Self {
        Self { status, content_type, error_type, body }
    }

    fn json(status: u16, kind: &str, message: &str) -> Self {
        Self::new(status, JSON, "", json!({ "__type": kind, "message": message }).to_string())
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
        Self::new(400, JSON, "", body.to_string())
    }

    fn xml(status: u16, code: &str, message: &str) -> Self {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        );
        Self::new(status, "application/xml", "", body)
    }

    fn query(status: u16, code: &str, message: &str) -> Self {
        let body = format!(
            "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>{message}</Message></Error><RequestId>faults</RequestId></ErrorResponse>"
        );
        Self::new(status, "text/xml", "", body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::tests::call;

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
        assert_eq!((says("ses").status, says("ses").error_type), (429, "TooManyRequestsException"));
        assert!(says("states").body.contains("ThrottlingException"));
    }
}
