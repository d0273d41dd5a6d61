//! What the API answered, and what a test expects of it.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer of the API, with the request that it answers, so that a failed test says which one.
#[derive(Debug, Clone)]
pub struct Answer {
    /// `POST /create-order`
    pub request: String,
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The JSON body; a text that is no JSON is a string, and nothing is null.
    pub body: Value,
}

impl Answer {
    pub(crate) async fn read(request: String, response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await.unwrap_or_else(|error| panic!("{request} broke off: {error}"));
        let body = match text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
        };
        Self { request, status, headers, body }
    }

    /// The body, of an answer with this status.
    #[track_caller]
    pub fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{} answered {}", self.request, self.body);
        self.body
    }

    /// The problem, of an answer with this status and the type `urn:problem-type:cartwright:<slug>`.
    #[track_caller]
    pub fn is_problem(self, status: u16, slug: &str) -> Problem {
        let Self { request, body, .. } = &self;
        assert_eq!(self.status, status, "{request} answered {body}");
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{request} answered {body}"
        );
        assert_eq!(body["type"], format!("urn:problem-type:cartwright:{slug}"), "{request} answered {body}");
        assert_eq!(body["status"], status, "{request} answered {body}");
        for member in ["title", "detail"] {
            assert!(
                body[member].as_str().is_some_and(|text| !text.is_empty()),
                "{request}: no {member}: {body}"
            );
        }
        self.says_how_to_sign_in();
        assert!(self.header("x-request-id").is_some_and(|id| !id.is_empty()), "{request}: no X-Request-Id");
        let text = body.to_string();
        for inside in ["arn:aws", "dynamodb", "Lambda", "panicked", "Exception", "/src/"] {
            assert!(!text.contains(inside), "{request} tells of the inside ({inside}): {body}");
        }
        Problem { request: self.request, body: self.body }
    }

    /// What API Gateway itself answers: this status and a message.
    #[track_caller]
    pub fn is_from_the_gateway(self, status: u16, message: &str) {
        assert_eq!(self.status, status, "{} answered {}", self.request, self.body);
        assert_eq!(self.body, serde_json::json!({ "message": message }), "{}", self.request);
        self.says_how_to_sign_in();
    }

    /// A 401 has a challenge (RFC 9110 §15.5.2).
    #[track_caller]
    fn says_how_to_sign_in(&self) {
        let challenge = self.header("www-authenticate").unwrap_or_default();
        assert_eq!(self.status == 401, challenge.starts_with("Bearer"), "{}: {challenge}", self.request);
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// How many calls to each service of AWS the answer took, from its `Server-Timing`:
    /// `dynamodb;desc="2 calls";dur=7.4, sqs;desc="1 call";dur=1.2`.
    #[track_caller]
    pub fn calls(&self) -> BTreeMap<String, u32> {
        let header = self.header("server-timing").unwrap_or_default();
        let metrics = header.split(',').map(str::trim).filter(|metric| !metric.is_empty());
        let calls = metrics.map(|metric| {
            let (service, rest) = metric.split_once(";desc=\"")?;
            let count = rest.split(' ').next()?.parse().ok()?;
            Some((service.to_owned(), count))
        });
        let calls: Option<BTreeMap<_, _>> = calls.collect();
        let mut calls = calls.unwrap_or_else(|| panic!("{}: Server-Timing is {header}", self.request));
        // By which a new environment of a function reads the app client's secret, once.
        assert!(calls.remove("secretsmanager").is_none_or(|reads| reads == 1), "{header}");
        calls
    }
}

/// A budget, to compare [`Answer::calls`] with.
pub fn calls<const N: usize>(budget: [(&str, u32); N]) -> BTreeMap<String, u32> {
    budget.map(|(service, count)| (service.to_owned(), count)).into()
}

/// A problem document (RFC 9457).
#[derive(Debug, Clone)]
pub struct Problem {
    /// `POST /create-order`
    pub request: String,
    /// All of it.
    pub body: Value,
}

impl Problem {
    /// Where the faults are: pointers into the body (`#/quantity`) and names of parameters (`limit`).
    pub fn places(&self) -> BTreeSet<&str> {
        let errors = self.body["errors"].as_array().into_iter().flatten();
        errors.filter_map(|error| error["pointer"].as_str().or(error["parameter"].as_str())).collect()
    }

    /// Exactly these places are at fault, and for each it says what is wrong.
    #[track_caller]
    pub fn at<const N: usize>(self, places: [&str; N]) -> Self {
        assert_eq!(self.places(), places.into(), "{} answered {}", self.request, self.body);
        let errors = self.body["errors"].as_array().into_iter().flatten();
        for error in errors {
            assert!(error["detail"].as_str().is_some_and(|text| !text.is_empty()), "{error}");
        }
        self
    }

    /// The sentence for a person.
    pub fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn answer(timing: &'static str) -> Answer {
        let headers =
            HeaderMap::from_iter([("server-timing".parse().unwrap(), HeaderValue::from_static(timing))]);
        Answer { request: "GET /".into(), status: 200, headers, body: Value::Null }
    }

    #[test]
    fn the_calls_of_each_service_are_read() {
        let timing = r#"dynamodb;desc="2 calls";dur=7.4, sqs;desc="1 call";dur=1.2"#;
        assert_eq!(answer(timing).calls(), calls([("dynamodb", 2), ("sqs", 1)]));
        assert_eq!(answer("").calls(), calls([]));
        assert_eq!(answer("secretsmanager;desc=\"1 call\";dur=9.0").calls(), calls([]));
    }

    #[test]
    #[should_panic(expected = "Server-Timing is dynamodb")]
    fn a_header_of_another_form_is_no_budget() {
        answer("dynamodb").calls();
    }
}
