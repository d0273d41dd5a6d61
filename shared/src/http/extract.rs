//! What a handler takes from its request: body, id, query parameters and time, each checked before the handler runs.
//! Texts come in Unicode's form NFC, wherever they stood.

use std::convert::Infallible;
use std::fmt::Display;
use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use lambda_http::request::RequestContext;

use super::input::{self, Body};
use super::problem::{BODY_TOO_LARGE, FieldError, Problem, UNSUPPORTED_MEDIA_TYPE};
use crate::values::text::composed;
use crate::values::time::Timestamp;

/// The largest body in bytes. Pictures go to the bucket, never through a function.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;

/// The request's JSON body, read into a type that proves it is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input<T>(pub T);

impl<S: Sync, T: Body> FromRequest<S> for Input<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        readable(request.headers())?;
        input::parse(&body_of(request).await?).map(Self)
    }
}

async fn body_of(request: Request) -> Result<Bytes, Problem> {
    axum::body::to_bytes(request.into_body(), BODY_LIMIT).await.map_err(|_| {
        Problem::new(BODY_TOO_LARGE, format!("The body may be at most {} KB long.", BODY_LIMIT / 1024))
    })
}

/// The same of a request that may come without a body, and then means what is usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputIfAny<T>(pub T);

impl<S: Sync, T: Body + Default> FromRequest<S> for InputIfAny<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let is_readable = readable(request.headers());
        let body = body_of(request).await?;
        if body.is_empty() {
            return Ok(Self(T::default()));
        }
        is_readable?;
        input::parse(&body).map(Self)
    }
}

/// A body as it was sent, to the byte, and the header that says who has signed it; empty where there is none. What it
/// is stands in no header that anybody may believe, so it is taken as whatever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The bytes that were signed.
    pub body: Vec<u8>,
    /// The header `Stripe-Signature`.
    pub signature: String,
}

/// The largest signed body in bytes: whoever sends it would send it again for days if it were refused.
const SIGNED_LIMIT: usize = 512 * 1024;

impl<S: Sync> FromRequest<S> for Signed {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let signature = request.headers().get("stripe-signature");
        let signature = signature.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let body = axum::body::to_bytes(request.into_body(), SIGNED_LIMIT).await.map_err(|_| {
            Problem::new(BODY_TOO_LARGE, format!("The body may be at most {} KB long.", SIGNED_LIMIT / 1024))
        })?;
        Ok(Self { body: body.to_vec(), signature })
    }
}

/// Refuses a body that its headers declare to be anything but JSON in UTF-8, as it is.
fn readable(headers: &HeaderMap) -> Result<(), Problem> {
    for media_type in headers.get_all(header::CONTENT_TYPE) {
        let media_type = media_type.to_str().unwrap_or("?").to_ascii_lowercase();
        let (essence, parameters) = media_type.split_once(';').unwrap_or((&media_type, ""));
        if !may_be_json(essence.trim()) {
            return Err(Problem::new(UNSUPPORTED_MEDIA_TYPE, "Send the body as application/json."));
        }
        let mut charsets = parameters.split(';').filter_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            (name.trim() == "charset").then(|| value.trim().trim_matches('"'))
        });
        // What is ASCII is UTF-8 as well.
        if !charsets.all(|charset| matches!(charset, "utf-8" | "utf8" | "us-ascii")) {
            return Err(Problem::new(
                UNSUPPORTED_MEDIA_TYPE,
                "Send the body in UTF-8, and say charset=utf-8 or nothing.",
            ));
        }
    }
    let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
    if codings
        .all(|coding| coding.to_str().is_ok_and(|coding| coding.trim().eq_ignore_ascii_case("identity")))
    {
        return Ok(());
    }
    // RFC 9110, section 15.5.16: an answer that is about the coding says which ones are taken.
    Err(Problem::new(UNSUPPORTED_MEDIA_TYPE, "Send the body as it is, without Content-Encoding.")
        .header("accept-encoding", "identity"))
}

/// `curl -d` says `application/x-www-form-urlencoded` unless told otherwise, and many a client says nothing or
/// `text/plain`.
fn may_be_json(essence: &str) -> bool {
    essence.ends_with("+json")
        || matches!(essence, "" | "application/json" | "text/plain" | "application/x-www-form-urlencoded")
}

/// The id in the path. What is not an id names nothing, so it answers 404.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathId<T>(pub T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parameters = RawPathParams::from_request_parts(parts, state).await;
        let id = parameters
            .ok()
            .and_then(|found| found.iter().next().and_then(|(_, text)| composed(text).parse().ok()));
        id.map(Self).ok_or_else(|| Problem::not_found("resource"))
    }
}

/// The two ids in the path, in their order: of a thing, and of a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathIds<T, U>(pub T, pub U);

impl<S: Send + Sync, T: FromStr, U: FromStr> FromRequestParts<S> for PathIds<T, U> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parameters = RawPathParams::from_request_parts(parts, state).await;
        let ids = parameters.ok().and_then(|found| {
            let mut texts = found.iter().map(|(_, text)| composed(text));
            Some(Self(texts.next()?.parse().ok()?, texts.next()?.parse().ok()?))
        });
        ids.ok_or_else(|| Problem::not_found("resource"))
    }
}

/// A type that a query parameter can hold. The error of its `FromStr` completes a sentence about the parameter.
pub trait Parameter: FromStr<Err: Display> {
    /// The parameter's name.
    const NAME: &'static str;
}

/// The query parameter that `T` names, if the request has it. An empty one counts as absent: so a form sends what
/// nobody filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryParameter<T>(pub Option<T>);

impl<T: Parameter> QueryParameter<T> {
    /// The parameter of a request that cannot do without it.
    ///
    /// # Errors
    /// `invalid-input` where it is absent.
    pub fn required(self) -> Result<T, Problem> {
        let absent = || Problem::invalid_input(vec![FieldError::parameter(T::NAME, "is required")]);
        self.0.ok_or_else(absent)
    }
}

impl<S: Send + Sync, T: Parameter> FromRequestParts<S> for QueryParameter<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let refused =
            |detail: &str| Problem::invalid_input(vec![FieldError::parameter(T::NAME, detail.to_owned())]);
        let query = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Query(parameters) = query.map_err(|_| refused("cannot be read: the query is malformed"))?;
        let mut values = parameters.iter().filter(|(name, _)| name == T::NAME).map(|(_, text)| text);
        match (values.next(), values.next()) {
            (None, _) => Ok(Self(None)),
            (Some(text), None) if text.is_empty() => Ok(Self(None)),
            (Some(text), None) => composed(text)
                .parse()
                .map(|value| Self(Some(value)))
                .map_err(|detail: T::Err| refused(&detail.to_string())),
            (Some(_), Some(_)) => Err(refused("may be given only once")),
        }
    }
}

/// What the header `name` says, which may be given only once; `None` where it is absent. The error of `T`'s `FromStr`
/// completes a sentence about the header.
///
/// # Errors
/// `invalid-input` where it is given twice, or says nothing that `T` could be.
pub fn header_value<T: FromStr<Err: Display>>(
    headers: &HeaderMap,
    name: &'static str,
) -> Result<Option<T>, Problem> {
    let refused = |detail: String| Problem::invalid_input(vec![FieldError::parameter(name, detail)]);
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let value = value.to_str().unwrap_or_default().parse();
            value.map(Some).map_err(|error: T::Err| refused(error.to_string()))
        }
        (Some(_), Some(_)) => Err(refused("may be given only once".to_owned())),
    }
}

/// When API Gateway took the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now(pub Timestamp);

impl<S: Sync> FromRequestParts<S> for Now {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(match parts.extensions.get::<RequestContext>() {
            Some(RequestContext::ApiGatewayV2(context)) if context.time_epoch > 0 => {
                Timestamp::from_unix_millis(context.time_epoch)
            }
            _ => Timestamp::now(),
        }))
    }
}
