//! How Stripe says no.

use serde_json::{Map, Value, json};

/// What the API answers instead of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// `invalid_request_error` and its like.
    pub kind: &'static str,
    /// The code that programs go by, where Stripe gives one.
    pub code: Option<&'static str>,
    /// What people read.
    pub message: String,
    /// The parameter that it is about.
    pub param: Option<String>,
    /// The object that it is about, by the name of its member.
    pub object: Option<Box<(&'static str, Value)>>,
    /// Whether the work had begun: only then it is kept under the request's `Idempotency-Key`.
    pub is_kept: bool,
}

impl Refusal {
    /// A request that is wrong as it stands.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::with(400, "invalid_request_error", message.into())
    }

    /// A request that is right, and that the object's state forbids.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self { is_kept: true, ..Self::invalid(message) }
    }

    /// Any other.
    pub(crate) fn with(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, kind, code: None, message, param: None, object: None, is_kept: false }
    }

    /// There is no such object.
    pub(crate) fn missing(noun: &str, id: &str, param: &str) -> Self {
        let message = format!("No such {noun}: '{id}'");
        Self { status: 404, ..Self::invalid(message) }.code("resource_missing").param(param)
    }

    pub(crate) fn code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    pub(crate) fn param(self, param: impl Into<String>) -> Self {
        Self { param: Some(param.into()), ..self }
    }

    /// As it is sent.
    pub(crate) fn body(&self) -> Value {
        let mut error = Map::new();
        if let Some(code) = self.code {
            error.insert("code".to_owned(), json!(code));
            let page = format!("https://docs.stripe.com/error-codes#{}", code.replace('_', "-"));
            error.insert("doc_url".to_owned(), json!(page));
        }
        error.insert("message".to_owned(), json!(self.message));
        if let Some(param) = &self.param {
            error.insert("param".to_owned(), json!(param));
        }
        if let Some((name, object)) = self.object.as_deref() {
            error.insert((*name).to_owned(), object.clone());
        }
        error.insert("type".to_owned(), json!(self.kind));
        json!({ "error": error })
    }
}
