//! Errors as the client sees them: `application/problem+json` of RFC 9457.
//!
//! A problem has a stable `type` for programs, a `detail` that tells a person what to mend, and for input every faulty
//! field. What went wrong inside is for the log alone.

pub use axum::http::StatusCode;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

/// A kind of problem: its status, the last part of its `type`, and its title. Services declare their own as constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    status: StatusCode,
    slug: &'static str,
    title: &'static str,
}

impl Kind {
    /// Declares a kind.
    pub const fn new(status: StatusCode, slug: &'static str, title: &'static str) -> Self {
        Self { status, slug, title }
    }
}

/// 400: no body, or one that is not JSON.
pub const MALFORMED_BODY: Kind = Kind::new(StatusCode::BAD_REQUEST, "malformed-body", "Malformed body");
/// 401: no caller in the request, or a token that is refused.
pub const UNAUTHENTICATED: Kind = Kind::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Not signed in");
/// 401: the sign-in that the token comes from was without the second factor, which this needs.
pub const SECOND_FACTOR_NEEDED: Kind =
    Kind::new(StatusCode::UNAUTHORIZED, "second-factor-needed", "Second factor needed");
/// 401: the sign-in that the token comes from was too long ago for this.
pub const SIGN_IN_TOO_OLD: Kind = Kind::new(StatusCode::UNAUTHORIZED, "sign-in-too-old", "Sign in again");
/// 403: the caller may not do this.
pub const FORBIDDEN: Kind = Kind::new(StatusCode::FORBIDDEN, "forbidden", "Forbidden");
/// 404: nothing there that the caller may see.
pub const NOT_FOUND: Kind = Kind::new(StatusCode::NOT_FOUND, "not-found", "Not found");
/// 405: the path exists with another method.
pub const METHOD_NOT_ALLOWED: Kind =
    Kind::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed");
/// 409: somebody else changed the same thing at the same time.
pub const CONFLICT: Kind = Kind::new(StatusCode::CONFLICT, "conflict", "Changed meanwhile");
/// 412: what `If-Match` asks for is not so, or cannot be known.
pub const PRECONDITION_FAILED: Kind =
    Kind::new(StatusCode::PRECONDITION_FAILED, "precondition-failed", "Precondition failed");
/// 413: the body is over the limit.
pub const BODY_TOO_LARGE: Kind = Kind::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "Body too large");
/// 415: the body is declared as something other than JSON.
pub const UNSUPPORTED_MEDIA_TYPE: Kind =
    Kind::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type");
/// 422: fields, parameters or headers that break a rule.
pub const INVALID_INPUT: Kind = Kind::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-input", "Invalid input");
/// 422: an idempotency key that came before with another request.
pub const IDEMPOTENCY_KEY_REUSED: Kind =
    Kind::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", "Idempotency key reused");
/// 429: the caller, or everyone together, asks too often.
pub const TOO_MANY_REQUESTS: Kind =
    Kind::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests");
/// 500: our fault.
pub const INTERNAL_ERROR: Kind =
    Kind::new(StatusCode::INTERNAL_SERVER_ERROR, "internal-error", "Internal error");
/// 503: our fault, and another try soon may succeed.
pub const SERVICE_UNAVAILABLE: Kind =
    Kind::new(StatusCode::SERVICE_UNAVAILABLE, "service-unavailable", "Service unavailable");

/// How many faults an answer has, so that it is not many times as long as its request.
const MOST_ERRORS: usize = 50;
/// What a 401 says of how to sign in (RFC 9110 §15.5.2, RFC 6750 §3).
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"cartwright\"");

/// One fault of the request's input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where in the body, as a JSON pointer in a URI fragment (`#/items/0/quantity`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The name of the query parameter or header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<&'static str>,
    /// What is wrong, as the end of a sentence about the field.
    pub detail: String,
}

impl FieldError {
    /// A fault in the body.
    pub fn body(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, detail: detail.into() }
    }

    /// A fault in a query parameter or a header.
    pub fn parameter(name: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: None, parameter: Some(name), detail: detail.into() }
    }
}

/// An answer that says what is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    kind: Kind,
    detail: String,
    errors: Vec<FieldError>,
    // Boxed, because few problems have more and every `Result` would carry it.
    more: Option<Box<More>>,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct More {
    members: Map<String, Value>,
    headers: HeaderMap,
}

impl Problem {
    /// A problem of this kind; `detail` is a sentence for a person.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new(), more: None }
    }

    /// Adds an extension member (RFC 9457 §3.2), for programs.
    #[must_use]
    pub fn with(mut self, member: &'static str, value: impl Serialize) -> Self {
        self.more.get_or_insert_default().members.insert(member.into(), json!(value));
        self
    }

    /// Adds a header to the answer; its name in lower case.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Ok(value) = HeaderValue::try_from(value.into()) {
            self.more.get_or_insert_default().headers.insert(name, value);
        }
        self
    }

    /// 401: a token came, and is refused (`invalid_token` of RFC 6750 §3.1).
    pub fn invalid_token(detail: impl Into<String>) -> Self {
        Self::new(UNAUTHENTICATED, detail)
            .header("www-authenticate", "Bearer realm=\"cartwright\", error=\"invalid_token\"")
    }

    /// 401: a token came and is good, but its sign-in does not suffice (`insufficient_user_authentication` of RFC 9470
    /// §3): a client that refreshes it comes no further, and asks its person to sign in again.
    pub fn insufficient_sign_in(kind: Kind, detail: impl Into<String>) -> Self {
        let challenge = "Bearer realm=\"cartwright\", error=\"insufficient_user_authentication\"";
        Self::new(kind, detail).header("www-authenticate", challenge)
    }

    /// 400: no body, or one that is not JSON.
    pub fn malformed_body(detail: impl Into<String>) -> Self {
        Self::new(MALFORMED_BODY, detail)
    }

    /// 404: nothing of that name, or nothing the caller may know of.
    pub fn not_found(what: &str) -> Self {
        Self::new(NOT_FOUND, format!("There is no such {what}, or you may not see it."))
    }

    /// 412: the thing is not, or no longer, a version that `If-Match` names.
    pub fn another_version(what: &str) -> Self {
        let detail = format!(
            "The {what} has changed since you read it. Read it again, and send the ETag of what you then see as If-Match."
        );
        Self::new(PRECONDITION_FAILED, detail)
    }

    /// 422 with every fault of the input or, where there are more than 50, with the first ones and how many more.
    pub fn invalid_input(mut errors: Vec<FieldError>) -> Self {
        let all = errors.len();
        let detail = match errors.as_slice() {
            [FieldError { pointer: Some(place), detail, .. }] => {
                let place = place.trim_start_matches('#').trim_start_matches('/');
                let field = percent_decode_str(place).decode_utf8_lossy();
                format!("{} {detail}.", if field.is_empty() { "The body" } else { &field })
            }
            [FieldError { parameter: Some(place), detail, .. }] => format!("{place} {detail}."),
            _ if all > MOST_ERRORS => {
                format!("{all} fields are not valid; errors has the first {MOST_ERRORS} of them.")
            }
            _ => format!("{all} fields are not valid; see errors."),
        };
        errors.truncate(MOST_ERRORS);
        let problem = Self { errors, ..Self::new(INVALID_INPUT, detail) };
        if all > MOST_ERRORS { problem.with("moreErrors", all - MOST_ERRORS) } else { problem }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.kind.status
    }

    /// What kind of problem it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Every fault of the input.
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }
}

/// Too many others changed the same item at the same time, for longer than the retries lasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many concurrent changes of the same item")]
pub struct Busy;

/// What no caller can mend: the whole error goes to the log, the client is told to try again or to report it.
impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        if error.chain().any(<dyn std::error::Error>::is::<Busy>) {
            tracing::warn!(error = format!("{error:#}"), "gave up on a busy item");
            return Self::new(
                SERVICE_UNAVAILABLE,
                "Many people are changing the same thing right now. Please try again in a moment.",
            );
        }
        tracing::error!(error = format!("{error:#}"), "request failed");
        Self::new(
            INTERNAL_ERROR,
            "Something went wrong on our side. Please try again; if it happens again, tell us the request id.",
        )
    }
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(flatten)]
    members: Option<&'a Map<String, Value>>,
}

/// The document of RFC 9457.
impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let document = Document {
            r#type: format!("urn:problem-type:cartwright:{}", self.kind.slug),
            title: self.kind.title,
            status: self.kind.status.as_u16(),
            detail: &self.detail,
            errors: &self.errors,
            members: self.more.as_deref().map(|more| &more.members),
        };
        document.serialize(serializer)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.kind.status, axum::Json(&self)).into_response();
        let more = self.more.map(|more| more.headers).unwrap_or_default();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.extend(more);
        if self.kind.status == StatusCode::UNAUTHORIZED {
            headers.entry(header::WWW_AUTHENTICATE).or_insert(CHALLENGE);
        }
        if matches!(self.kind.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            headers.entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("1"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body(problem: Problem) -> Value {
        let response = problem.into_response();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn a_problem_names_its_type_and_its_members() {
        let problem = Problem::new(CONFLICT, "Someone was faster.").with("available", 3);
        assert_eq!(
            body(problem).await,
            json!({
                "type": "urn:problem-type:cartwright:conflict", "title": "Changed meanwhile", "status": 409,
                "detail": "Someone was faster.", "available": 3
            })
        );
    }

    #[tokio::test]
    async fn one_fault_is_told_in_the_detail_too() {
        let problem = Problem::invalid_input(vec![FieldError::body("#/quantity", "is required")]);
        let body = body(problem).await;
        assert_eq!(body["detail"], "quantity is required.");
        assert_eq!(body["errors"], json!([{"pointer": "#/quantity", "detail": "is required"}]));
    }

    #[tokio::test]
    async fn fifty_faults_are_told_and_the_others_counted() {
        let faulty =
            |count: usize| Problem::invalid_input(vec![FieldError::body("#/a%20b", "is too long"); count]);
        let (fifty, more) = (body(faulty(50)).await, body(faulty(1_234)).await);
        assert_eq!(fifty["detail"], "50 fields are not valid; see errors.");
        assert_eq!(fifty.get("moreErrors"), None);
        assert_eq!(more["detail"], "1234 fields are not valid; errors has the first 50 of them.");
        assert_eq!(more["moreErrors"], 1_184);
        assert_eq!(more["errors"], fifty["errors"]);
        assert_eq!(body(faulty(1)).await["detail"], "a b is too long.");
    }

    #[tokio::test]
    async fn a_failure_tells_the_client_nothing_of_the_inside() {
        let body = body(anyhow::anyhow!("table arn:aws:… not found").into()).await;
        assert_eq!(body["status"], 500);
        assert!(!body.to_string().contains("arn:aws"));
    }

    #[test]
    fn whoever_is_not_signed_in_is_told_how() {
        let challenge = |problem: Problem| {
            problem
                .into_response()
                .headers()
                .get(header::WWW_AUTHENTICATE)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        let of_a_service = Kind::new(StatusCode::UNAUTHORIZED, "wrong-credentials", "Wrong name or password");
        for kind in [UNAUTHENTICATED, of_a_service] {
            assert_eq!(challenge(Problem::new(kind, "")).unwrap(), "Bearer realm=\"cartwright\"");
        }
        let refused = challenge(Problem::invalid_token(""));
        assert_eq!(refused.unwrap(), "Bearer realm=\"cartwright\", error=\"invalid_token\"");
        let old = challenge(Problem::insufficient_sign_in(SIGN_IN_TOO_OLD, ""));
        assert_eq!(old.unwrap(), "Bearer realm=\"cartwright\", error=\"insufficient_user_authentication\"");
        assert_eq!(challenge(Problem::new(FORBIDDEN, "")), None);
    }

    #[test]
    fn a_busy_item_is_worth_another_try() {
        let error = anyhow::Error::new(Busy).context("reserve the stock");
        assert_eq!(Problem::from(error).kind(), SERVICE_UNAVAILABLE);
    }
}
