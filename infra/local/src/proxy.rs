//! http://localhost:3000: the API at the paths that it has on AWS, and the pages under `/local`.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::cloud::{Cloud, Record};
use crate::identity::{self, Provider};
use crate::stripe::{self, Simulator};
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
    /// Its Stripe.
    pub stripe: Simulator,
    /// Its identity provider.
    pub identity: Provider,
    http: reqwest::Client,
}

/// Serves the proxy of a running cloud until it is stopped.
///
/// # Errors
/// The port is taken.
pub(crate) async fn serve(cloud: Cloud) -> Result<()> {
    let record = cloud.record();
    let stripe = Simulator::of(&record, Some(cloud.data().join("stripe.json")));
    let proxy = Arc::new(Proxy::to(record, stripe)?);
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        served = serve_proxy(&proxy) => served,
        _ = terminate.recv() => {
            proxy.stripe.save();
            Ok(())
        }
    }
}

/// The same for a cloud of the tests, by its record: nothing is kept.
///
/// # Errors
/// The port is taken.
pub(crate) async fn serve_record(record: Record) -> Result<()> {
    let stripe = Simulator::of(&record, None);
    serve_proxy(&Arc::new(Proxy::to(record, stripe)?)).await
}

async fn serve_proxy(proxy: &Arc<Proxy>) -> Result<()> {
    let port = proxy.record.port;
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    let listener = listener.with_context(|| format!("cannot listen on port {port}"))?;
    let routes = router(Arc::clone(proxy)).into_make_service_with_connect_info::<SocketAddr>();
    tokio::select! {
        served = axum::serve(listener, routes) => served.context("the proxy failed"),
        () = proxy.stripe.run() => Ok(()),
    }
}

impl Proxy {
    /// The proxy of this cloud.
    ///
    /// # Errors
    /// Those of [`Provider::of`].
    pub(crate) fn to(record: Record, stripe: Simulator) -> Result<Self> {
        let identity = Provider::of(&record)?;
        Ok(Self { aws: Aws::at(record.gateway()), stripe, identity, http: client(), record })
    }
}

fn router(proxy: Arc<Proxy>) -> Router {
    let own = Router::new()
        .route("/", get(pages::page))
        .route("/local.js", get(pages::script))
        .route("/emails.json", get(pages::emails))
        .route("/texts.json", get(pages::texts))
        .route("/orders.json", get(pages::orders))
        .route("/orders/{id}", get(pages::order))
        .route("/guest-orders/{id}", get(pages::order))
        .route("/executions.json", get(pages::executions))
        .route("/executions/{file}", get(pages::execution))
        .route("/pending.json", get(pages::pending))
        .route("/queues.json", get(pages::queues))
        .route("/previews.json", get(files::previews))
        .route("/previews/{file}", get(files::preview))
        .route("/documents/{*path}", get(files::document))
        .route("/media/{*key}", get(media))
        .route("/waiting/{*path}", get(waiting))
        .merge(stripe::routes())
        .merge(identity::routes())
        .fallback(async || nothing_here())
        .layer(middleware::from_fn(for_this_machine));
    // Where the user pool's domain is on AWS.
    let cognito = any(cognito).layer(middleware::from_fn(for_this_machine));
    let outside = Router::new().route("/oauth2/{*path}", cognito).route("/socket", get(socket));
    Router::new().nest("/local", own).merge(outside).fallback(api).with_state(proxy)
}

/// Answers what was asked of this machine by its own name. A page elsewhere may let its name lead here (DNS rebinding),
/// and could then read the mail.
async fn for_this_machine(request: Request, next: Next) -> Response {
    if names_this_machine(request.headers()) {
        return next.run(request).await;
    }
    let detail = "These pages answer localhost, 127.0.0.1 and [::1] alone, so that no web page can read them by \
                  letting another name lead to this machine.";
    problem(StatusCode::MISDIRECTED_REQUEST, "misdirected-request", "Not this host", detail)
}

fn names_this_machine(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    Authority::try_from(host.as_bytes()).is_ok_and(|authority| {
        ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| authority.host().eq_ignore_ascii_case(name))
    })
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

/// What browsers and functions ask of the user pool's domain.
async fn cognito(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut headers = passed_on(&parts.headers);
    headers.remove(header::HOST);
    headers.remove(header::CONTENT_LENGTH);
    let url = format!("{}{path}", proxy.record.gateway());
    forward(proxy.http.request(parts.method, url).headers(headers).body(body)).await
}

/// A WebSocket: a request that becomes a connection, through which bytes go as they come. What refuses it is answered
/// as it is.
async fn socket(State(proxy): State<Arc<Proxy>>, mut request: Request) -> Response {
    let Ok(api) = proxy.record.output("SocketApi") else { return nothing_here() };
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let url = format!("{}/_aws/execute-api/{api}/live{query}", proxy.record.gateway());
    let mut headers = request.headers().clone();
    headers.remove(header::HOST);
    let Ok(answer) = proxy.http.get(url).version(Version::HTTP_11).headers(headers).send().await else {
        return unreachable_cloud();
    };
    let (status, headers) = (answer.status(), answer.headers().clone());
    if status != StatusCode::SWITCHING_PROTOCOLS {
        let body = answer.bytes().await.unwrap_or_default();
        return (status, passed_on(&headers), body).into_response();
    }
    let client = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        if let (Ok(mut cloud), Ok(client)) = (answer.upgrade().await, client.await) {
            // Whichever side goes first, the socket is over.
            let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(client), &mut cloud).await;
        }
    });
    (status, headers).into_response()
}

/// A public picture, from the bucket. What its policy does not open stays closed here as well.
async fn media(State(proxy): State<Arc<Proxy>>, Path(key): Path<String>) -> Response {
    let Ok(bucket) = proxy.record.output("MediaBucket") else {
        return nothing_here();
    };
    let Ok(mut url) = reqwest::Url::parse(&proxy.record.gateway()) else {
        return nothing_here();
    };
    if let Ok(mut path) = url.path_segments_mut() {
        path.push(bucket).extend(key.split('/'));
    }
    forward(proxy.http.get(url)).await
}

/// A picture that waits for an admin. Nobody reads it without a signed URL but whoever reads all else here.
async fn waiting(State(proxy): State<Arc<Proxy>>, Path(path): Path<String>) -> Response {
    match proxy.record.output("MediaBucket") {
        Ok(bucket) => forward(proxy.aws.object(bucket, &format!("checked/{path}"))).await,
        Err(_) => nothing_here(),
    }
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
    let detail = "The AWS emulator does not answer. Start it with `cargo local up`.";
    problem(StatusCode::BAD_GATEWAY, "service-unavailable", "The local cloud is down", detail)
}

/// The answer where nothing is.
pub(crate) fn nothing_here() -> Response {
    problem(StatusCode::NOT_FOUND, "not-found", "Not found", "The local cloud has nothing of that name.")
}

/// A problem document, as the API itself answers (RFC 9457).
pub(crate) fn problem(status: StatusCode, slug: &str, title: &str, detail: &str) -> Response {
    let document = serde_json::json!({
        "type": format!("urn:problem-type:cartwright:{slug}"),
        "title": title,
        "status": status.as_u16(),
        "detail": detail,
    });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], document.to_string()).into_response()
}

fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mut passed = headers.clone();
    for name in HOP_BY_HOP {
        passed.remove(name);
    }
    passed
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    /// The proxy of a cloud that is not there.
    async fn proxy() -> SocketAddr {
        let gateway = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        proxy_before(gateway.local_addr().unwrap().port()).await
    }

    /// The proxy of a cloud whose gateway is at this port.
    async fn proxy_before(gateway_port: u16) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let outputs = [("OrderFulfilmentArn", "a:stateMachine:b"), ("SocketApi", "ab12")];
        let outputs = outputs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let record = Record { gateway_port, outputs, ..Record::default() };
        let stripe = Simulator::of(&record, None);
        let routes = router(Arc::new(Proxy::to(record, stripe).unwrap()));
        let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async { axum::serve(listener, routes).await });
        address
    }

    #[tokio::test]
    async fn the_pages_answer_names_of_this_machine_alone() {
        let (address, http) = (proxy().await, client());
        let status = async |path: &str, host: &str| {
            let request = http.get(format!("http://{address}{path}")).header("host", host);
            request.send().await.unwrap().status()
        };
        for host in ["localhost", "localhost:3000", "LOCALHOST:1", "127.0.0.1:3000", "[::1]", "[::1]:3000"] {
            assert_eq!(status("/local", host).await, 200, "{host}");
        }
        let others = [
            "evil.example",
            "evil.example:3000",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.2",
            "0.0.0.0:3000",
            "[::2]:3000",
            "localhost@evil.example",
        ];
        for host in others {
            for path in [
                "/local",
                "/local/stripe",
                "/local/stripe/api/v1/events",
                "/local/identity/authorize",
                "/oauth2/authorize",
                "/local/emails.json",
                "/local/media/images/a.png",
                "/local/nothing",
            ] {
                assert_eq!(status(path, host).await, 421, "{path} as {host}");
            }
        }
        assert!(!names_this_machine(&HeaderMap::new()));
    }

    /// A gateway that answers each connection so, and then says what it hears; it gives the heads of its requests.
    async fn gateway(answer: &'static str) -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (heads, received) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = heads.send(head(&mut stream).await);
                stream.write_all(answer.as_bytes()).await.unwrap();
                let (mut reads, mut writes) = stream.split();
                let _ = tokio::io::copy(&mut reads, &mut writes).await;
            }
        });
        (port, received)
    }

    /// All up to the empty line.
    async fn head(stream: &mut TcpStream) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        String::from_utf8(head).unwrap().to_lowercase()
    }

    const UPGRADE: &str = "GET /socket?ticket=ann.1 HTTP/1.1\r\nHost: localhost:3000\r\nConnection: Upgrade\r\n\
                           Upgrade: websocket\r\nSec-WebSocket-Key: a2V5\r\n\r\n";

    #[tokio::test]
    async fn a_socket_opens_through_the_proxy_and_bytes_go_both_ways() {
        let accepted = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                        Sec-WebSocket-Accept: eA==\r\n\r\n";
        let (port, mut heads) = gateway(accepted).await;
        let mut stream = TcpStream::connect(proxy_before(port).await).await.unwrap();
        stream.write_all(UPGRADE.as_bytes()).await.unwrap();
        let answered = head(&mut stream).await;
        let asked = heads.recv().await.unwrap();
        assert!(asked.starts_with("get /_aws/execute-api/ab12/live?ticket=ann.1 http/1.1\r\n"), "{asked}");
        for line in ["\r\nupgrade: websocket\r\n", "\r\nconnection: upgrade\r\n"] {
            assert!(asked.contains(line) && answered.contains(line), "{asked}{answered}");
        }
        assert!(asked.contains("\r\nsec-websocket-key: a2v5\r\n"), "{asked}");
        assert!(answered.starts_with("http/1.1 101 "), "{answered}");
        assert!(answered.contains("\r\nsec-websocket-accept: ea==\r\n"), "{answered}");
        for said in ["tea", "cup"] {
            stream.write_all(said.as_bytes()).await.unwrap();
            let mut heard = [0; 3];
            stream.read_exact(&mut heard).await.unwrap();
            assert_eq!(heard, said.as_bytes());
        }
    }

    #[tokio::test]
    async fn a_socket_that_is_refused_is_answered_as_the_cloud_answers() {
        let (port, _heads) = gateway("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
        let mut stream = TcpStream::connect(proxy_before(port).await).await.unwrap();
        stream.write_all(UPGRADE.as_bytes()).await.unwrap();
        assert!(head(&mut stream).await.starts_with("http/1.1 403 "));
        let mut down = TcpStream::connect(proxy().await).await.unwrap();
        down.write_all(UPGRADE.as_bytes()).await.unwrap();
        assert!(head(&mut down).await.starts_with("http/1.1 502 "));
    }

    #[tokio::test]
    async fn what_is_not_there_is_told_from_a_cloud_that_is_down() {
        let (address, http) = (proxy().await, client());
        let status =
            async |path: &str| http.get(format!("http://{address}{path}")).send().await.unwrap().status();
        for path in [
            "/local/nothing.json",
            "/local/executions/none",
            "/local/executions/.json",
            "/local/previews/none",
            "/local/documents/none",
            "/local/orders/none",
            "/local/guest-orders/none",
            "/local/media/none",
            "/local/stripe/pay/none",
            "/local/stripe/sessions/none",
        ] {
            assert_eq!(status(path).await, 404, "{path}");
        }
        for path in [
            "/local/emails.json",
            "/local/executions.json",
            "/local/executions/none.json",
            "/products",
            "/oauth2/authorize",
        ] {
            assert_eq!(status(path).await, 502, "{path}");
        }
    }
}
