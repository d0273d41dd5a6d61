//! http://localhost:3000: the API at the paths that it has on AWS, and the pages under `/local`.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::cloud::{Cloud, Record};
use crate::{files, pages};
use ::emulator::{Aws, client};

/// API Gateway's own limit.
const LARGEST_BODY: usize = 10 * 1024 * 1024;
/// Headers that are about one connection alone.
const HOP_BY_HOP: [&str; 6] =
    ["connection", "keep-alive", "te", "transfer-encoding", "upgrade", "proxy-connection"];

/// What each request needs.
pub(crate) struct Proxy {
    /// The cloud behind it.
    pub record: Record,
    /// Its AWS.
    pub aws: Aws,
    http: reqwest::Client,
}

/// Serves the proxy of a running cloud until it is stopped.
///
/// # Errors
/// The port is taken.
pub(crate) async fn serve(cloud: Cloud) -> Result<()> {
    serve_record(cloud.record()).await
}

/// The same for a cloud by its record.
///
/// # Errors
/// The port is taken.
pub(crate) async fn serve_record(record: Record) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", record.port)).await;
    let listener = listener.with_context(|| format!("cannot listen on port {}", record.port))?;
    let routes = router(record).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, routes).await.context("the proxy failed")
}

fn router(record: Record) -> Router {
    let proxy = Proxy { aws: Aws::at(record.gateway()), http: client(), record };
    Router::new()
        .route("/local", get(pages::page))
        .route("/local/local.js", get(pages::script))
        .route("/local/emails.json", get(pages::emails))
        .route("/local/texts.json", get(pages::texts))
        .route("/local/orders.json", get(pages::orders))
        .route("/local/orders/{id}", get(pages::order))
        .route("/local/executions.json", get(pages::executions))
        .route("/local/executions/{file}", get(pages::execution))
        .route("/local/pending.json", get(pages::pending))
        .route("/local/queues.json", get(pages::queues))
        .route("/local/previews.json", get(files::previews))
        .route("/local/previews/{file}", get(files::preview))
        .route("/local/documents/{*path}", get(files::document))
        .route("/local/media/{*key}", get(media))
        .fallback(api)
        .with_state(Arc::new(proxy))
}

/// Any path that is not the local cloud's own is the API's.
async fn api(
    State(proxy): State<Arc<Proxy>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        let message = "{\"message\":\"Request Entity Too Large\"}";
        return (StatusCode::PAYLOAD_TOO_LARGE, [(header::CONTENT_TYPE, "application/json")], message)
            .into_response();
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let url = format!("{}/_aws/execute-api/{}/$default{path}", proxy.record.gateway(), proxy.record.api_id);
    let mut headers = passed_on(&parts.headers);
    headers.remove(header::HOST);
    headers.remove(header::CONTENT_LENGTH);
    for (name, value) in [
        ("x-forwarded-for", peer.ip().to_string()),
        ("x-forwarded-host", format!("localhost:{}", proxy.record.port)),
        ("x-forwarded-port", proxy.record.port.to_string()),
        ("x-forwarded-proto", "http".to_owned()),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    forward(proxy.http.request(parts.method, url).headers(headers).body(body)).await
}

/// A public picture, from the bucket. What its policy does not open stays closed here, too.
async fn media(State(proxy): State<Arc<Proxy>>, Path(key): Path<String>) -> Response {
    let Ok(bucket) = proxy.record.output("MediaBucket") else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Ok(mut url) = reqwest::Url::parse(&proxy.record.gateway()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if let Ok(mut path) = url.path_segments_mut() {
        path.push(bucket).extend(key.split('/'));
    }
    forward(proxy.http.get(url)).await
}

async fn forward(request: reqwest::RequestBuilder) -> Response {
    let Ok(answer) = request.send().await else {
        return unreachable_cloud();
    };
    let (status, headers) = (answer.status(), passed_on(answer.headers()));
    let body = answer.bytes().await.unwrap_or_else(|_| Bytes::new());
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// The answer while the emulator is down.
pub(crate) fn unreachable_cloud() -> Response {
    let problem = serde_json::json!({
        "type": "urn:problem-type:cartwright:service-unavailable",
        "title": "The local cloud is down",
        "status": 502,
        "detail": "The AWS emulator does not answer. Start it with `cargo local up`.",
    });
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (StatusCode::BAD_GATEWAY, kind, problem.to_string()).into_response()
}

fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mut passed = headers.clone();
    for name in HOP_BY_HOP {
        passed.remove(name);
    }
    passed
}
