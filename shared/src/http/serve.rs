//! Serves one handler under its route's path or paths, with what surrounds every request: its span in the log, its
//! count of AWS calls, its headers, and an answer even to a panic.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body as HttpBody;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{self, MethodFilter, MethodRouter};
use lambda_http::request::RequestContext;
use tower::{Service, ServiceBuilder};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

use super::problem::{METHOD_NOT_ALLOWED, PRECONDITION_FAILED, Problem};
use super::representation;
use crate::run::aws::{Aws, FromEnv};
use crate::run::config::{self, Stage};
use crate::run::telemetry;

/// What every answer says to browsers, unless its handler says otherwise: only by TLS, only as what it is, in no frame,
/// and kept by nobody.
static HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000; includeSubDomains")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// A function's handler and the paths under which the template calls it.
pub struct Routes<S> {
    method: Method,
    handler: MethodRouter<S>,
    paths: Vec<(&'static str, MethodRouter<S>)>,
    conditional: bool,
}

impl<S: Clone> Routes<S> {
    /// The same handler under a second path.
    #[must_use]
    pub fn and(mut self, path: &'static str) -> Self {
        self.paths.push((path, self.handler.clone()));
        self
    }

    /// The same for another kind of thing: a generic handler, made for what this path is about.
    ///
    /// # Panics
    /// Never for the four methods that functions answer.
    #[must_use]
    pub fn or<H: Handler<T, S>, T: 'static>(mut self, path: &'static str, handler: H) -> Self
    where
        S: Send + Sync + 'static,
    {
        let method = MethodFilter::try_from(self.method.clone()).expect("one of the methods below");
        self.paths.push((path, routing::on(method, handler)));
        self
    }

    /// Its handler takes [`IfMatch`](super::IfMatch); without this a write refuses what it would not heed.
    #[must_use]
    pub fn conditional(self) -> Self {
        Self { conditional: true, ..self }
    }

    fn router(self) -> Router<S>
    where
        S: Send + Sync + 'static,
    {
        let method = self.method;
        let refuse = async move || {
            let detail = format!("This path takes only {method}.");
            let allow = if method == Method::GET { "GET, HEAD" } else { method.as_str() };
            let allow = HeaderValue::from_str(allow).unwrap_or(HeaderValue::from_static(""));
            ([(header::ALLOW, allow)], Problem::new(METHOD_NOT_ALLOWED, detail))
        };
        self.paths
            .into_iter()
            .fold(Router::new(), |router, (path, handler)| {
                router.route(path, handler.fallback(refuse.clone()))
            })
            .fallback(async || Problem::not_found("route"))
    }
}

/// `GET path`.
pub fn get<H: Handler<T, S>, T: 'static, S: Clone + Send + Sync + 'static>(
    path: &'static str,
    handler: H,
) -> Routes<S> {
    routes(Method::GET, path, routing::get(handler))
}

/// `POST path`.
pub fn post<H: Handler<T, S>, T: 'static, S: Clone + Send + Sync + 'static>(
    path: &'static str,
    handler: H,
) -> Routes<S> {
    routes(Method::POST, path, routing::post(handler))
}

/// `PUT path`.
pub fn put<H: Handler<T, S>, T: 'static, S: Clone + Send + Sync + 'static>(
    path: &'static str,
    handler: H,
) -> Routes<S> {
    routes(Method::PUT, path, routing::put(handler))
}

/// `DELETE path`.
pub fn delete<H: Handler<T, S>, T: 'static, S: Clone + Send + Sync + 'static>(
    path: &'static str,
    handler: H,
) -> Routes<S> {
    routes(Method::DELETE, path, routing::delete(handler))
}

fn routes<S: Clone>(method: Method, path: &'static str, handler: MethodRouter<S>) -> Routes<S> {
    Routes { method, paths: vec![(path, handler.clone())], handler, conditional: false }
}

/// Answers requests until Lambda ends the process.
///
/// # Errors
/// When the environment lacks what the function needs, or the Runtime API is gone.
pub async fn serve<S: FromEnv>(routes: Routes<S>) -> crate::Exit {
    telemetry::init();
    let stage = config::required::<Stage>("STAGE")?;
    let state = S::from_env(&Aws::from_env()?)?;
    lambda_http::run(for_lambda(app(routes, state, stage))).await
}

fn for_lambda<A: Service<Request>>(
    app: A,
) -> impl Service<lambda_http::Request, Response = A::Response, Error = A::Error, Future = A::Future> {
    ServiceBuilder::new().map_request(|request: lambda_http::Request| request.map(HttpBody::new)).service(app)
}

/// What stands around the router and not in it sees the answer as it goes out: axum's router writes `Content-Length`
/// last.
fn app<S: FromEnv>(
    routes: Routes<S>,
    state: S,
    stage: Stage,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Send {
    // A read compares with what it answers, whatever that is.
    let heeds_if_match = routes.conditional || routes.method == Method::GET;
    let router = routes.router().with_state(state).layer(CatchPanicLayer::custom(|_| {
        Problem::from(anyhow::anyhow!("the handler panicked")).into_response()
    }));
    ServiceBuilder::new()
        .layer(middleware::from_fn(move |request, next| observe(stage, request, next)))
        .layer(middleware::from_fn(representation::choose))
        .layer(middleware::from_fn(move |request, next| refuse_unheeded(heeds_if_match, request, next)))
        .service(router)
}

/// Refuses a condition that nobody would look at: ignored, it would be taken for kept (RFC 9110 §13.1.1).
async fn refuse_unheeded(is_heeded: bool, request: Request, next: Next) -> Result<Response, Infallible> {
    if is_heeded || !request.headers().contains_key(header::IF_MATCH) {
        return Ok(next.run(request).await);
    }
    let detail = "What this request changes has no versions that If-Match could name. Send it without.";
    Ok(Problem::new(PRECONDITION_FAILED, detail).into_response())
}

/// What happens around every request: its span in the log, the count of its AWS calls, its headers.
async fn observe(stage: Stage, request: Request, next: Next) -> Result<Response, Infallible> {
    let request_id = request_id(&request);
    let span = tracing::info_span!("request", request_id);
    let (mut response, invocation) = telemetry::observing(next.run(request).instrument(span)).await;
    telemetry::answered(&request_id, response.status().as_u16(), &invocation);
    let headers = response.headers_mut();
    for (name, value) in &HEADERS {
        headers.entry(name).or_insert_with(|| value.clone());
    }
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    if stage.shows_timing()
        && let Ok(value) = HeaderValue::from_str(&invocation.calls.server_timing())
        && !value.is_empty()
    {
        headers.insert(HeaderName::from_static("server-timing"), value);
    }
    Ok(response)
}

/// API Gateway's id of the request, which is in its access log as well.
fn request_id(request: &Request) -> String {
    match request.extensions().get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone().unwrap_or_default(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::list::Page;
    use crate::http::answer::PUBLIC;
    use crate::http::extract::BODY_LIMIT;
    use crate::http::{Answer, File, Input, NoContent, PathId, PathIds};
    use crate::values::time::Timestamp;
    use serde::Serialize;
    use serde_json::{Value, json};
    use tower::ServiceExt;

    crate::id!(
        /// Names a thing of the tests.
        ThingId
    );

    crate::body!(
        struct Thing {
            open: bool,
        }
    );

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
    async fn a_path_of_two_ids_gives_both_in_their_order_and_names_nothing_where_one_is_none() {
        async fn look_within(PathIds(whole, part): PathIds<ThingId, u8>) -> Answer<Value> {
            Answer::ok(json!([whole, part]))
        }
        let id = "01a1f83a-c81e-73c6-9369-b8a11a6916c7";
        for (path, status) in [
            (format!("/things/{id}/parts/7"), 200),
            (format!("/things/{id}/parts/x"), 404),
            ("/things/x/parts/7".into(), 404),
        ] {
            let request = Request::builder().uri(&path);
            let response =
                send(get("/things/{id}/parts/{part}", look_within), Stage::Local, request, "").await;
            assert_eq!(response.status(), status, "{path}");
            if status == 200 {
                let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
                assert_eq!(body, json!([id, 7]).to_string());
            }
        }
    }

    #[tokio::test]
    async fn a_made_thing_has_a_place() {
        let response = post_to_things(r#"{"open":true}"#).await;
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()["location"], "/things/1");
        assert_eq!(response.headers()["server-timing"], "dynamodb;desc=\"1 call\";dur=0.0");
    }

    #[tokio::test]
    async fn every_answer_is_guarded_and_kept_by_nobody_unless_it_says_so() {
        for body in [r#"{"open":true}"#, r#"{"open":false}"#, "{", "[]"] {
            let response = post_to_things(body).await;
            for (name, value) in &HEADERS {
                assert_eq!(response.headers()[name], value, "{body}: {name}");
            }
        }
        let missing = send(public_list(), Stage::Local, Request::get("/nothing"), "").await;
        assert_eq!((missing.status().as_u16(), &missing.headers()["cache-control"]), (404, &HEADERS[4].1));
    }

    async fn name<T: Default + Serialize>() -> Answer<T> {
        Answer::ok(T::default())
    }

    #[tokio::test]
    async fn two_kinds_of_things_have_a_path_each() {
        let kinds = || get("/texts", name::<String>).or("/numbers", name::<u32>);
        for (path, status, body) in [("/texts", 200, "\"\""), ("/numbers", 200, "0"), ("/lists", 404, "")] {
            let response = send(kinds(), Stage::Local, Request::get(path), "").await;
            assert_eq!(response.status(), status, "{path}");
            assert!(status == 404 || text(response).await == body.as_bytes(), "{path}");
        }
        let posted = send(kinds(), Stage::Local, Request::post("/numbers"), "").await;
        assert_eq!(
            (posted.status().as_u16(), &posted.headers()["allow"]),
            (405, &"GET, HEAD".parse().unwrap())
        );
    }

    /// A list that everyone may read, long enough for gzip, with a page that follows.
    #[derive(Serialize)]
    struct Numbers(Vec<u32>);

    impl From<Page<u32>> for Numbers {
        fn from(page: Page<u32>) -> Self {
            Self(page.entries)
        }
    }

    fn public_list() -> Routes<()> {
        get("/numbers", async || {
            let page = Page { entries: (0..1000).collect(), next_cursor: Some("n".into()) };
            Answer::<Numbers>::page(page).cacheable()
        })
    }

    async fn read(request: axum::http::request::Builder) -> Response {
        send(public_list(), Stage::Local, request, "").await
    }

    async fn text(response: Response) -> Vec<u8> {
        axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()
    }

    fn gunzipped(bytes: &[u8]) -> String {
        std::io::read_to_string(flate2::read::GzDecoder::new(bytes)).unwrap()
    }

    #[tokio::test]
    async fn a_public_list_may_be_kept_and_links_to_its_next_page() {
        let response = read(Request::get("/numbers?limit=2&cursor=m")).await;
        assert_eq!(response.headers()["cache-control"], PUBLIC);
        assert_eq!(response.headers()["link"], "<?limit=2&cursor=n>; rel=\"next\"");
        assert_eq!(response.headers()["vary"], "accept-encoding");
    }

    #[tokio::test]
    async fn what_the_client_has_is_not_sent_again() {
        let tag = read(Request::get("/numbers")).await.headers()["etag"].clone();
        let again = read(Request::get("/numbers").header("if-none-match", tag.clone())).await;
        assert_eq!(again.status(), 304);
        assert_eq!(again.headers()["etag"], tag);
        assert_eq!(again.headers()["cache-control"], PUBLIC);
        assert!(
            !again.headers().contains_key("content-type") && !again.headers().contains_key("content-length")
        );
        assert!(text(again).await.is_empty());
        let other = read(Request::get("/numbers").header("if-none-match", "W/\"other\"")).await;
        assert_eq!(other.status(), 200);
        let posted = Request::post("/things").header("if-none-match", "*");
        let posted = send(post("/things", make), Stage::Local, posted, r#"{"open":true}"#).await;
        assert_eq!((posted.status().as_u16(), posted.headers().get("etag")), (201, None));
    }

    async fn read_version(request: axum::http::request::Builder) -> Response {
        let body = "Long enough. ".repeat(100);
        let routes = get("/thing", async move || Answer::ok(body).version(7));
        send(routes, Stage::Local, request, "").await
    }

    #[tokio::test]
    async fn a_thing_with_versions_has_a_strong_tag_for_each_encoding() {
        let asked = |encoding: &str| Request::get("/thing").header("accept-encoding", encoding);
        let (plain, small) = (read_version(asked("identity")).await, read_version(asked("gzip")).await);
        let tag = |response: &Response| response.headers()["etag"].to_str().unwrap().to_owned();
        let (of_plain, of_small) = (tag(&plain), tag(&small));
        assert!(of_plain.starts_with("\"7-") && of_plain.len() == "\"7-\"".len() + 22, "{of_plain}");
        assert_eq!(of_small, format!("{}-gz\"", of_plain.trim_end_matches('"')));
        for (encoding, tag, status) in [
            ("gzip", &of_small, 304),
            ("identity", &of_plain, 304),
            ("gzip", &of_plain, 200),
            ("identity", &of_small, 200),
        ] {
            let again = read_version(asked(encoding).header("if-none-match", tag)).await;
            assert_eq!(again.status(), status, "{encoding} {tag}");
        }
    }

    #[tokio::test]
    async fn a_read_is_of_the_version_that_it_asks_for() {
        for (wanted, status) in [
            ("*", 200),
            ("\"7-other\"", 200),
            ("\"6-a\", \"7-b-gz\"", 200),
            ("\"6-a\"", 412),
            ("W/\"7-other\"", 412),
            ("nonsense", 412),
        ] {
            let response = read_version(Request::get("/thing").header("if-match", wanted)).await;
            assert_eq!(response.status(), status, "{wanted}");
        }
        // A weak tag matches nothing, not even itself.
        let tag = read(Request::get("/numbers")).await.headers()["etag"].clone();
        assert_eq!(read(Request::get("/numbers").header("if-match", tag)).await.status(), 412);
        assert_eq!(read(Request::get("/numbers").header("if-match", "*")).await.status(), 200);
        // What is not there is not there (RFC 9110 §13.2.1).
        let nothing = Request::get("/nothing").header("if-match", "\"7\"");
        assert_eq!(send(public_list(), Stage::Local, nothing, "").await.status(), 404);
    }

    #[tokio::test]
    async fn a_condition_that_nobody_heeds_is_refused() {
        let made = async |routes: Routes<()>, wanted: &str| {
            let request = Request::post("/things").header("if-match", wanted);
            send(routes, Stage::Local, request, r#"{"open":true}"#).await.status()
        };
        for wanted in ["*", "\"7-a\"", "nonsense", ""] {
            assert_eq!(made(post("/things", make), wanted).await, 412, "{wanted}");
        }
        assert_eq!(made(post("/things", make).conditional(), "\"7-a\"").await, 201);
    }

    #[tokio::test]
    async fn head_is_get_without_the_body() {
        let of = async |method: &str| read(Request::builder().method(method).uri("/numbers")).await;
        let (mut got, mut head) = (of("GET").await, of("HEAD").await);
        assert_eq!(got.headers_mut().remove("server-timing"), head.headers_mut().remove("server-timing"));
        assert_eq!(head.headers(), got.headers());
        assert!(text(head).await.is_empty() && !text(got).await.is_empty());
    }

    #[tokio::test]
    async fn a_long_answer_is_small_for_clients_that_take_gzip() {
        let plain = read(Request::get("/numbers")).await;
        assert_eq!(plain.headers().get("content-encoding"), None);
        let small = read(Request::get("/numbers").header("accept-encoding", "gzip")).await;
        assert_eq!(small.headers()["content-encoding"], "gzip");
        assert_eq!(small.headers()["etag"], plain.headers()["etag"]);
        let (plain, small) = (text(plain).await, text(small).await);
        assert!(small.len() < plain.len() / 2, "{} of {}", small.len(), plain.len());
        assert_eq!(gunzipped(&small).as_bytes(), plain);
        let short = Request::get("/things").header("accept-encoding", "gzip");
        let short = send(get("/things", async || Answer::ok("short")), Stage::Local, short, "").await;
        assert_eq!(short.headers().get("content-encoding"), None);
    }

    /// "hello\n" as `gzip -n` writes it.
    const HELLO: &[u8] =
        b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\x48\xcd\xc9\xc9\xe7\x02\0\x20\x30\x3a\x36\x06\0\0\0";

    async fn read_file(encoding: &str) -> Response {
        let policy = Some("default-src 'self'");
        let file = File { media_type: "text/html", gzip: HELLO, immutable: true, policy };
        let request = Request::get("/page").header("accept-encoding", encoding);
        send(get("/page", async move || file), Stage::Local, request, "").await
    }

    #[tokio::test]
    async fn a_file_goes_out_as_it_is_kept_or_unpacked() {
        let (small, plain) = (read_file("gzip").await, read_file("identity").await);
        for response in [&small, &plain] {
            assert_eq!(response.headers()["content-type"], "text/html");
            assert_eq!(response.headers()["cache-control"], "public, max-age=31536000, immutable");
            assert_eq!(response.headers()["content-security-policy"], "default-src 'self'");
            assert_eq!(response.headers()["x-content-type-options"], "nosniff");
            assert_eq!(response.headers()["vary"], "accept-encoding");
        }
        assert_eq!(small.headers()["etag"], plain.headers()["etag"]);
        assert_eq!(small.headers()["content-encoding"], "gzip");
        assert_eq!(plain.headers().get("content-encoding"), None);
        assert_ne!(plain.headers().get("content-length"), small.headers().get("content-length"));
        assert_eq!(text(small).await, HELLO);
        assert_eq!(text(plain).await, b"hello\n");
    }

    #[tokio::test]
    async fn api_gateway_gets_bytes_as_base64() {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let event = json!({
            "version": "2.0", "routeKey": "GET /numbers", "rawPath": "/numbers", "rawQueryString": "",
            "headers": { "accept-encoding": "gzip" }, "isBase64Encoded": false,
            "requestContext": {
                "accountId": "1", "apiId": "a", "domainName": "d", "requestId": "r", "stage": "$default",
                "time": "21/Nov/2026:00:00:00 +0000", "timeEpoch": 1, "routeKey": "GET /numbers",
                "http": { "method": "GET", "path": "/numbers", "protocol": "HTTP/1.1", "sourceIp": "::1" },
            },
        });
        let event = lambda_http::lambda_runtime::LambdaEvent::new(
            serde_json::from_value::<lambda_http::request::LambdaRequest>(event).unwrap(),
            lambda_http::Context::default(),
        );
        let function = lambda_http::Adapter::from(for_lambda(app(public_list(), (), Stage::Local)));
        let answer = serde_json::to_value(function.oneshot(event).await.unwrap()).unwrap();
        assert_eq!((&answer["statusCode"], &answer["isBase64Encoded"]), (&json!(200), &json!(true)));
        assert_eq!(answer["headers"]["content-encoding"], "gzip");
        let body = STANDARD.decode(answer["body"].as_str().unwrap()).unwrap();
        assert!(gunzipped(&body).starts_with("[0,1,2,"));
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
        for (routes, path, allowed) in
            [(post("/things", make), "/things", "POST"), (public_list(), "/numbers", "GET, HEAD")]
        {
            let request = Request::builder().method("DELETE").uri(path);
            let response = send(routes, Stage::Local, request, "").await;
            assert_eq!(response.status(), 405);
            assert_eq!(response.headers()["allow"], allowed);
        }
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
        let id = ThingId::at(Timestamp::from_unix_millis(1)).to_string();
        for sent in [id.clone(), id.to_uppercase()] {
            let request = Request::builder().uri(format!("/things/{sent}"));
            let answer = send(get("/things/{id}", look), Stage::Local, request, "").await;
            assert_eq!(text(answer).await, format!("\"{id}\"").as_bytes());
        }
    }

    #[tokio::test]
    async fn what_is_no_id_names_nothing() {
        for id in
            ["1", "..%2f", "%7Bdf38e02c-2adf-4e3a-948f-c6d7bc02d767%7D", "df38e02c2adf4e3a948fc6d7bc02d767"]
        {
            let request = Request::builder().uri(format!("/things/{id}"));
            assert_eq!(
                send(get("/things/{id}", look), Stage::Local, request, "").await.status(),
                404,
                "{id}"
            );
        }
    }

    #[tokio::test]
    async fn a_name_in_the_path_is_decoded_and_nothing_is_answered() {
        async fn delete_thing(PathId(name): PathId<String>) -> NoContent {
            assert_eq!(name, "tea & more ü");
            NoContent
        }
        // Once as one character, once as a letter and its dots.
        for name in ["tea%20%26%20more%20%C3%BC", "tea%20%26%20more%20u%CC%88"] {
            let request = Request::builder().method("DELETE").uri(format!("/things/{name}"));
            let response = send(delete("/things/{name}", delete_thing), Stage::Local, request, "").await;
            assert_eq!(response.status(), 204);
            assert_eq!(response.headers().get("content-type"), None);
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

    #[tokio::test]
    async fn a_body_is_in_utf8_and_as_it_is() {
        let make = async |name: &str, value: &str| {
            let request = Request::builder().method("POST").uri("/things").header(name, value);
            send(post("/things", make), Stage::Local, request, r#"{"open":true}"#).await
        };
        for media_type in [
            "application/json; charset=utf-8",
            "application/json;charset=UTF-8",
            "application/json; Charset=\"Utf-8\"",
            "application/problem+json; profile=x; charset=utf8",
            "text/plain; charset=us-ascii",
        ] {
            assert_eq!(make("content-type", media_type).await.status(), 201, "{media_type}");
        }
        for media_type in [
            "application/json; charset=iso-8859-1",
            "application/json; charset=utf-16",
            "application/json; charset=",
            "application/json; x=1; CHARSET=\"windows-1252\"",
            "text/plain; charset=utf-8; charset=utf-16",
        ] {
            let answer = make("content-type", media_type).await;
            assert_eq!(answer.status(), 415, "{media_type}");
            assert!(String::from_utf8(text(answer).await).unwrap().contains("UTF-8"));
        }
        assert_eq!(make("content-encoding", "Identity").await.status(), 201);
        for coding in ["gzip", "br", "identity, gzip", "", "x"] {
            let answer = make("content-encoding", coding).await;
            assert_eq!(
                (answer.status().as_u16(), &answer.headers()["accept-encoding"]),
                (415, &"identity".parse().unwrap())
            );
        }
    }
}
