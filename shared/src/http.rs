//! An HTTP function: one handler under its route's path or paths, with everything around it that all of them share.
//!
//! ```no_run
//! use shared::http::{self, Answer};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> shared::Exit {
//!     http::serve::<()>(http::get("/health", health)).await
//! }
//!
//! async fn health() -> Answer<&'static str> {
//!     Answer::ok("fine")
//! }
//! ```

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use axum::Router;
pub use axum::extract::State;
use axum::extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request};
use axum::handler::Handler;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{self, MethodRouter};
use lambda_http::request::RequestContext;
use serde::Serialize;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

use crate::aws::{Aws, Connect};
use crate::config::{self, Stage};
pub use crate::idempotency::IdempotencyKey;
use crate::input::{self, Body};
use crate::problem::{BODY_TOO_LARGE, FieldError, METHOD_NOT_ALLOWED, Problem, UNSUPPORTED_MEDIA_TYPE};
use crate::telemetry;
use crate::time::Timestamp;

/// The largest body in bytes. Pictures go to the bucket, never through a function.
const BODY_LIMIT: usize = 64 * 1024;

/// A function's handler and the paths under which the template calls it.
pub struct Routes<S> {
    method: Method,
    paths: Vec<&'static str>,
    handler: MethodRouter<S>,
}

impl<S: Clone> Routes<S> {
    /// The same handler under a second path.
    #[must_use]
    pub fn and(mut self, path: &'static str) -> Self {
        self.paths.push(path);
        self
    }

    fn router(self) -> Router<S>
    where
        S: Send + Sync + 'static,
    {
        let method = self.method;
        let handler = self.handler.fallback(async move || {
            let detail = format!("This path takes {method} alone.");
            let allow = HeaderValue::from_str(method.as_str()).unwrap_or(HeaderValue::from_static(""));
            ([(header::ALLOW, allow)], Problem::new(METHOD_NOT_ALLOWED, detail))
        });
        self.paths
            .into_iter()
            .fold(Router::new(), |router, path| router.route(path, handler.clone()))
            .fallback(async || Problem::not_found("route"))
    }
}

/// `GET path`.
pub fn get<H: Handler<T, S>, T: 'static, S: Clone + Send + Sync + 'static>(
    path: &'static str,
    handler: H,
) -> Routes<S> {
    Routes { method: Method::GET, paths: vec![path], handler: routing::get(handler) }
}

/// `POST path`.
pub fn post<H: Handler<T, S>, T: 'static, S: Clone + Send + Sync + 'static>(
    path: &'static str,
    handler: H,
) -> Routes<S> {
    Routes { method: Method::POST, paths: vec![path], handler: routing::post(handler) }
}

/// `PUT path`.
pub fn put<H: Handler<T, S>, T: 'static, S: Clone + Send + Sync + 'static>(
    path: &'static str,
    handler: H,
) -> Routes<S> {
    Routes { method: Method::PUT, paths: vec![path], handler: routing::put(handler) }
}

/// Answers requests until Lambda ends the process.
///
/// # Errors
/// When the environment lacks what the function needs, or the Runtime API is gone.
pub async fn serve<S: Connect>(routes: Routes<S>) -> crate::Exit {
    telemetry::init();
    let stage = config::required::<Stage>("STAGE")?;
    let state = S::connect(&Aws::from_env().await?)?;
    lambda_http::run(app(routes, state, stage)).await
}

fn app<S: Connect>(routes: Routes<S>, state: S, stage: Stage) -> Router {
    routes
        .router()
        .with_state(state)
        .layer(CatchPanicLayer::custom(|_| {
            Problem::from(anyhow::anyhow!("the handler panicked")).into_response()
        }))
        .layer(middleware::from_fn(move |request, next| observe(stage, request, next)))
}

/// What happens around every request: its span in the log, the count of its AWS calls, its headers.
async fn observe(stage: Stage, request: Request, next: Next) -> Result<Response, Infallible> {
    let request_id = request_id(&request);
    let span = tracing::info_span!("request", request_id);
    let (mut response, calls) = telemetry::counting_calls(next.run(request).instrument(span.clone())).await;
    span.in_scope(|| {
        tracing::info!(status = response.status().as_u16(), aws_calls = calls.total(), "answered");
    });
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    if stage.shows_timing()
        && let Ok(value) = HeaderValue::from_str(&calls.server_timing())
        && !value.is_empty()
    {
        headers.insert(HeaderName::from_static("server-timing"), value);
    }
    Ok(response)
}

/// API Gateway's id of the request, which its access log has, too.
fn request_id(request: &Request) -> String {
    match request.extensions().get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone().unwrap_or_default(),
        _ => String::new(),
    }
}

/// The request's JSON body, read into a type that proves it is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input<T>(pub T);

impl<S: Sync, T: Body> FromRequest<S> for Input<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if let Some(media_type) = request.headers().get(header::CONTENT_TYPE)
            && !may_be_json(media_type)
        {
            return Err(Problem::new(UNSUPPORTED_MEDIA_TYPE, "Send the body as application/json."));
        }
        let body = axum::body::to_bytes(request.into_body(), BODY_LIMIT).await.map_err(|_| {
            Problem::new(BODY_TOO_LARGE, format!("The body may have at most {} KB.", BODY_LIMIT / 1024))
        })?;
        input::parse(&body).map(Self)
    }
}

/// `curl -d` says `application/x-www-form-urlencoded` unless told otherwise, and many a client says nothing or `text/plain`.
fn may_be_json(media_type: &HeaderValue) -> bool {
    let media_type = media_type.to_str().unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.ends_with("+json")
        || matches!(
            essence.as_str(),
            "" | "application/json" | "text/plain" | "application/x-www-form-urlencoded"
        )
}

/// The id in the path. What is not an id names nothing, so it answers 404.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathId<T>(pub T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parameters = RawPathParams::from_request_parts(parts, state).await;
        let id =
            parameters.ok().and_then(|found| found.iter().next().and_then(|(_, text)| text.parse().ok()));
        id.map(Self).ok_or_else(|| Problem::not_found("thing"))
    }
}

/// A type that a query parameter can hold.
pub trait Parameter: Sized {
    /// The parameter's name.
    const NAME: &'static str;

    /// Checks and converts the text; the error completes a sentence about the parameter.
    fn parse(text: &str) -> Result<Self, String>;
}

/// The query parameter that `T` names, if the request has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryParameter<T>(pub Option<T>);

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
            (Some(text), None) => {
                T::parse(text).map(|value| Self(Some(value))).map_err(|detail| refused(&detail))
            }
            (Some(_), Some(_)) => Err(refused("may be given once")),
        }
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

/// A JSON answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    status: StatusCode,
    location: Option<String>,
    replayed: bool,
    body: T,
}

impl<T> Answer<T> {
    /// 200.
    pub fn ok(body: T) -> Self {
        Self { status: StatusCode::OK, location: None, replayed: false, body }
    }

    /// 201.
    pub fn created(body: T) -> Self {
        Self { status: StatusCode::CREATED, ..Self::ok(body) }
    }

    /// With where the new thing is (`Location`).
    #[must_use]
    pub fn at(self, location: impl fmt::Display) -> Self {
        Self { location: Some(location.to_string()), ..self }
    }

    /// With `Idempotent-Replayed: true` when this answer was given before.
    #[must_use]
    pub fn replayed(self, replayed: bool) -> Self {
        Self { replayed, ..self }
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(self.body)).into_response();
        let location = self.location.and_then(|location| HeaderValue::try_from(location).ok());
        if let Some(location) = location {
            response.headers_mut().insert(header::LOCATION, location);
        }
        if self.replayed {
            let name = HeaderName::from_static("idempotent-replayed");
            response.headers_mut().insert(name, HeaderValue::from_static("true"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Fields;
    use serde_json::{Value, json};
    use tower::ServiceExt;

    crate::id!(
        /// Names a thing of the tests.
        ThingId
    );

    struct Thing {
        open: bool,
    }

    impl Body for Thing {
        fn read(fields: &mut Fields) -> Option<Self> {
            Some(Self { open: fields.required("open")? })
        }
    }

    async fn make(Input(thing): Input<Thing>) -> Answer<Value> {
        assert!(thing.open, "a closed thing breaks the handler");
        telemetry::count_call("dynamodb", std::time::Duration::ZERO);
        Answer::created(json!({"made": true})).at("/things/1")
    }

    async fn look(PathId(id): PathId<ThingId>) -> Answer<String> {
        Answer::ok(id.to_string())
    }

    async fn send(
        routes: Routes<()>,
        stage: Stage,
        request: axum::http::request::Builder,
        body: &str,
    ) -> Response {
        let request = request.body(axum::body::Body::from(body.to_owned())).unwrap();
        app(routes, (), stage).oneshot(request).await.unwrap()
    }

    async fn post_to_things(body: &str) -> Response {
        send(post("/things", make), Stage::Local, Request::builder().method("POST").uri("/things"), body)
            .await
    }

    #[tokio::test]
    async fn a_made_thing_has_a_place() {
        let response = post_to_things(r#"{"open":true}"#).await;
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()["location"], "/things/1");
        assert_eq!(response.headers()["server-timing"], "dynamodb;desc=\"1 call\";dur=0.0");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(response.headers()["cache-control"], "no-store");
    }

    #[tokio::test]
    async fn production_does_not_tell_how_the_inside_works() {
        let request = Request::builder().method("POST").uri("/things");
        let response = send(post("/things", make), Stage::Production, request, r#"{"open":true}"#).await;
        assert!(!response.headers().contains_key("server-timing"));
    }

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        assert_eq!(post_to_things(r#"{"open":false}"#).await.status(), 500);
    }

    #[tokio::test]
    async fn a_body_has_a_limit() {
        assert_eq!(post_to_things(&" ".repeat(BODY_LIMIT + 1)).await.status(), 413);
    }

    #[tokio::test]
    async fn another_method_is_told_which_one_is_right() {
        let request = Request::builder().method("DELETE").uri("/things");
        let response = send(post("/things", make), Stage::Local, request, "").await;
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "POST");
    }

    #[tokio::test]
    async fn both_paths_lead_to_the_handler() {
        for path in ["/things", "/make-thing"] {
            let request = Request::builder().method("POST").uri(path);
            let response =
                send(post("/things", make).and("/make-thing"), Stage::Local, request, "{\"open\":true}");
            assert_eq!(response.await.status(), 201, "{path}");
        }
    }

    #[tokio::test]
    async fn an_id_names_a_thing() {
        let id = ThingId::at(Timestamp::from_unix_millis(1));
        let request = Request::builder().uri(format!("/things/{id}"));
        assert_eq!(send(get("/things/{id}", look), Stage::Local, request, "").await.status(), 200);
    }

    #[tokio::test]
    async fn what_is_no_id_names_nothing() {
        for id in ["1", "..%2f", "DF38E02C-2ADF-4E3A-948F-C6D7BC02D767"] {
            let request = Request::builder().uri(format!("/things/{id}"));
            assert_eq!(
                send(get("/things/{id}", look), Stage::Local, request, "").await.status(),
                404,
                "{id}"
            );
        }
    }

    #[tokio::test]
    async fn a_picture_is_no_body() {
        let request = Request::builder().method("POST").uri("/things").header("content-type", "image/png");
        assert_eq!(send(post("/things", make), Stage::Local, request, "x").await.status(), 415);
        let request = Request::builder().method("POST").uri("/things");
        let form = request.header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(send(post("/things", make), Stage::Local, form, r#"{"open":true}"#).await.status(), 201);
    }
}
