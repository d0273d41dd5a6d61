//! HTTP for what is not AWS: another company's API, over the open internet.
//!
//! The connection is kept between calls, which are counted as those of AWS are. The machine's roots are read with the
//! first call and not at the start: that takes tens of milliseconds (decision 0007), and many an invocation never calls
//! anybody.

mod public;
#[cfg(any(test, feature = "testing"))]
pub mod stand_in;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::{Instant as Moment, timeout_at};

use crate::run::telemetry;
use public::PublicNames;
pub use public::{NotPublic, check_url, is_public};

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a connection that nobody uses is kept. Whoever is at its other end may have closed it while Lambda had
/// stopped the function, and what is then sent on it is lost.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// The most that an answer may hold.
const LARGEST: usize = 4 * 1024 * 1024;

/// How long the beginning of a body is waited for after its head: what is of use there is a word of why, and whoever
/// sends none must not hold up a request that was answered.
const BODY_PATIENCE: Duration = Duration::from_secs(1);

/// The client of one service outside of AWS.
#[derive(Debug, Clone)]
pub struct Outside {
    service: &'static str,
    plain: Arc<OnceLock<Connector>>,
    secure: Arc<OnceLock<Connector>>,
    /// What names lead to, where that is to be public.
    names: Option<PublicNames>,
}

/// What is asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
}

impl Method {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// A request. What is in it may be secret, so it cannot be printed.
pub struct Request<'a> {
    /// What is asked.
    pub method: Method,
    /// Where, as an absolute address.
    pub url: &'a str,
    /// Headers, besides `Host` and `Content-Length`.
    pub headers: &'a [(&'static str, &'a str)],
    /// The body.
    pub body: &'a str,
}

/// An answer that came whole.
pub struct Response {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    headers: Vec<(String, String)>,
}

impl Response {
    /// The header of this name, in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// No whole answer. The request may have had its effect all the same.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// It cannot be sent as it is.
    #[error("the request cannot be sent")]
    Unsendable(#[source] Source),
    /// The connection did not come, or broke.
    #[error("the connection failed")]
    Connection(#[source] Source),
    /// The answer took too long, or its body did.
    #[error("no whole answer within {0:?}")]
    TimedOut(Duration),
    /// The answer is larger than anything that is expected.
    #[error("the answer is larger than {LARGEST} bytes")]
    TooLarge,
    /// It would have gone to what is not of the open internet; nobody was connected to.
    #[error(transparent)]
    NotPublic(#[from] NotPublic),
}

/// What lies behind an error.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

impl Outside {
    /// The client of the service that is counted under this name. It connects to nothing yet.
    pub fn new(service: &'static str) -> Self {
        Self { service, plain: Arc::default(), secure: Arc::default(), names: None }
    }

    /// A client that others say where to go to: it goes to addresses of the open internet alone, by TLS, to names and
    /// not to addresses, and through no proxy. See [`is_public`].
    pub fn to_public(service: &'static str) -> Self {
        Self { names: Some(PublicNames::of_the_machine()), ..Self::new(service) }
    }

    #[cfg(test)]
    fn with_names(self, names: PublicNames) -> Self {
        Self { names: Some(names), ..self }
    }

    /// Sends a request and waits until its answer is here, body and all, but no longer than `patience`.
    ///
    /// # Errors
    /// When no whole answer came.
    pub async fn send(&self, request: &Request<'_>, patience: Duration) -> Result<Response, OutsideError> {
        let connector = self.connector(request.url)?;
        let request = request.as_http()?;
        let start = Instant::now();
        // The connector's own limit ends with the head of the answer: a body that stalls would be waited for forever.
        let answer = tokio::time::timeout(patience, whole(connector, request)).await;
        telemetry::count_call(self.service, start.elapsed());
        answer.unwrap_or(Err(OutsideError::TimedOut(patience)))
    }

    /// Sends a request of whose answer the head counts: of the body, what of its first `most` bytes comes within a
    /// second. A redirect is an answer and not followed. The connection is not kept.
    ///
    /// # Errors
    /// When no head of an answer came within `patience`.
    pub async fn send_for_head(
        &self,
        request: &Request<'_>,
        patience: Duration,
        most: usize,
    ) -> Result<Response, OutsideError> {
        let connector = self.connector(request.url)?;
        let mut request = request.as_http()?;
        let set = request.headers_mut().try_insert("connection", "close");
        set.map_err(|error| OutsideError::Unsendable(error.into()))?;
        let start = Instant::now();
        let answer = tokio::time::timeout(patience, connector.call(request)).await;
        let answer = match answer {
            Ok(Ok(answer)) => Ok(beginning(answer, most).await),
            Ok(Err(error)) => Err(not_connected(error.into())),
            Err(_) => Err(OutsideError::TimedOut(patience)),
        };
        telemetry::count_call(self.service, start.elapsed());
        answer
    }

    /// Who connects to this address. Where there is no TLS, as on a laptop, there is no use for roots either.
    fn connector(&self, url: &str) -> Result<&Connector, OutsideError> {
        let limits = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
        let builder = Connector::builder().connector_settings(limits).pool_idle_timeout(IDLE_TIMEOUT);
        if self.names.is_some() {
            check_url(url)?;
        }
        if !url.starts_with("https:") {
            return Ok(self.plain.get_or_init(|| builder.build_http()));
        }
        if let Some(connector) = self.secure.get() {
            return Ok(connector);
        }
        let roots = TrustStore::empty().with_native_roots(true);
        let tls = TlsContext::builder().with_trust_store(roots).build();
        let tls = tls.map_err(|error| OutsideError::Unsendable(error.into()))?;
        let builder = builder.tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls);
        Ok(self.secure.get_or_init(|| match self.names.clone() {
            Some(names) => builder.build_with_resolver(names),
            None => builder.build(),
        }))
    }
}

impl Request<'_> {
    fn as_http(&self) -> Result<HttpRequest, OutsideError> {
        let unsendable = |error: Source| OutsideError::Unsendable(error);
        let mut request = HttpRequest::new(self.body.into());
        request.set_method(self.method.as_str()).map_err(|error| unsendable(error.into()))?;
        request.set_uri(self.url).map_err(|error| unsendable(error.into()))?;
        for (name, value) in self.headers {
            let set = request.headers_mut().try_insert(*name, (*value).to_owned());
            set.map_err(|error| unsendable(error.into()))?;
        }
        Ok(request)
    }
}

async fn whole(connector: &Connector, request: HttpRequest) -> Result<Response, OutsideError> {
    let response = connector.call(request).await;
    let response = response.map_err(|error| not_connected(error.into()))?;
    let (status, headers) = (response.status().as_u16(), headers(&response));
    let body = Limited::new(response.into_body(), LARGEST).collect().await.map_err(broken)?;
    Ok(Response { status, headers, body: body.to_bytes().into() })
}

/// An answer without what comes late, breaks or is more than the first bytes.
async fn beginning(response: HttpResponse, most: usize) -> Response {
    let (status, headers) = (response.status().as_u16(), headers(&response));
    let (until, mut rest, mut body) = (Moment::now() + BODY_PATIENCE, response.into_body(), Vec::new());
    while body.len() < most
        && let Ok(Some(Ok(frame))) = timeout_at(until, rest.frame()).await
    {
        let came = frame.data_ref().map(AsRef::<[u8]>::as_ref).unwrap_or_default();
        body.extend_from_slice(&came[..came.len().min(most - body.len())]);
    }
    Response { status, headers, body }
}

fn not_connected(error: Source) -> OutsideError {
    match public::refusal(error.as_ref()) {
        Some(refused) => OutsideError::NotPublic(refused),
        None => OutsideError::Connection(error),
    }
}

fn broken(error: Source) -> OutsideError {
    if error.is::<LengthLimitError>() { OutsideError::TooLarge } else { OutsideError::Connection(error) }
}

fn headers(response: &HttpResponse) -> Vec<(String, String)> {
    let headers = response.headers().iter();
    headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::stand_in::{self, Reply, StandIn};
    use super::*;
    use crate::run::telemetry::observing;
    use std::net::TcpListener;

    const PATIENCE: Duration = Duration::from_secs(5);

    async fn get(outside: &Outside, url: &str, patience: Duration) -> Result<Response, OutsideError> {
        let request = Request { method: Method::Get, url, headers: &[("accept", "text/plain")], body: "" };
        outside.send(&request, patience).await
    }

    #[tokio::test]
    async fn a_request_goes_out_as_it_is_and_its_answer_comes_whole() {
        let server = StandIn::start([Reply::answer(201, "made").with("Request-Id", "req_1")]).await;
        let url = format!("{}/v1/things?limit=1", server.url);
        let headers = [("authorization", "Bearer hush"), ("idempotency-key", "k1")];
        let request = Request { method: Method::Post, url: &url, headers: &headers, body: "a=1" };
        let response = Outside::new("things").send(&request, PATIENCE).await.unwrap();
        assert_eq!((response.status, response.body.as_slice()), (201, b"made".as_slice()));
        assert_eq!((response.header("request-id"), response.header("other")), (Some("req_1"), None));
        let asked = &server.asked()[0];
        assert_eq!((asked.what.as_str(), asked.body.as_str()), ("POST /v1/things?limit=1", "a=1"));
        assert_eq!(headers.map(|(name, value)| asked.header(name) == Some(value)), [true; 2]);
        assert!(!format!("{request:?} {response:?}").contains("hush"));
    }

    #[tokio::test]
    async fn the_connection_is_kept_and_every_call_counted() {
        let server = StandIn::start([Reply::answer(200, "1"), Reply::answer(500, "2"), Reply::Lose]).await;
        let outside = Outside::new("things");
        let (answers, seen) = observing(async {
            let clone = outside.clone();
            [
                get(&outside, &server.url, PATIENCE).await.is_ok(),
                get(&clone, &server.url, PATIENCE).await.is_ok(),
                get(&outside, &server.url, PATIENCE).await.is_ok(),
            ]
        })
        .await;
        assert_eq!(answers, [true, true, false]);
        assert!(server.asked().iter().all(|asked| asked.connection == 1), "{:?}", server.asked());
        let timing = seen.calls.server_timing();
        assert!(timing.starts_with("things;desc=\"3 calls\";dur="), "{timing}");
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_whole_is_not_waited_for() {
        let patience = Duration::from_millis(300);
        for reply in [Reply::Ignore, Reply::Stall] {
            let server = StandIn::start([reply.clone(), Reply::answer(200, "again")]).await;
            let outside = Outside::new("things");
            let start = Instant::now();
            let error = get(&outside, &server.url, patience).await.unwrap_err();
            assert!(matches!(error, OutsideError::TimedOut(within) if within == patience), "{error:?}");
            assert!(start.elapsed() < PATIENCE, "{reply:?}: {:?}", start.elapsed());
            // What is left of that answer is not taken for the next one.
            assert_eq!(get(&outside, &server.url, PATIENCE).await.unwrap().body, b"again");
        }
    }

    #[tokio::test]
    async fn an_answer_beyond_all_measure_is_not_kept() {
        let body = |length| Reply::answer(200, "x".repeat(length));
        let server = StandIn::start([body(LARGEST), body(LARGEST + 1)]).await;
        let outside = Outside::new("things");
        assert_eq!(get(&outside, &server.url, PATIENCE).await.unwrap().body.len(), LARGEST);
        let error = get(&outside, &server.url, PATIENCE).await.unwrap_err();
        assert!(matches!(error, OutsideError::TooLarge), "{error:?}");
    }

    #[tokio::test]
    async fn where_nobody_listens_or_nothing_can_be_sent_it_fails_at_once() {
        let outside = Outside::new("things");
        let error = get(&outside, &StandIn::gone(), PATIENCE).await.unwrap_err();
        assert!(matches!(error, OutsideError::Connection(_)), "{error:?}");
        let request = Request { method: Method::Get, url: "no url", headers: &[], body: "" };
        let error = outside.send(&request, PATIENCE).await.unwrap_err();
        assert!(matches!(error, OutsideError::Unsendable(_)), "{error:?}");
        let headers = [("authorization", "Bearer two\nlines")];
        let request = Request { method: Method::Get, url: &StandIn::gone(), headers: &headers, body: "" };
        let error = outside.send(&request, PATIENCE).await.unwrap_err();
        assert!(matches!(error, OutsideError::Unsendable(_)), "{error:?}");
    }

    #[tokio::test]
    async fn of_an_answer_whose_head_counts_the_beginning_is_kept_and_nobody_waits_for_the_rest() {
        let long = "a".repeat(5_000);
        let redirect = Reply::answer(302, "").with("Location", "/elsewhere");
        let server =
            StandIn::start([Reply::answer(200, long.clone()), Reply::Stall, redirect, Reply::Ignore]).await;
        let outside = Outside::new("things");
        let head = async || {
            let request = Request { method: Method::Post, url: &server.url, headers: &[], body: "a" };
            outside.send_for_head(&request, PATIENCE / 5, 1_000).await
        };
        let answer = head().await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, &long.as_bytes()[..1_000]));
        let start = Instant::now();
        let answer = head().await.unwrap();
        assert!(answer.status == 200 && answer.body.len() < 1_000, "{answer:?}");
        assert!(start.elapsed() < BODY_PATIENCE * 2, "{:?}", start.elapsed());
        assert_eq!(head().await.unwrap().status, 302);
        assert!(matches!(head().await.unwrap_err(), OutsideError::TimedOut(_)));
        let connections: Vec<_> = server.asked().iter().map(|asked| asked.connection).collect();
        assert_eq!(connections, [1, 2, 3, 4], "none was kept");
    }

    /// Whoever takes a connection and then says nothing, not even for TLS, is given up after [`CONNECT_TIMEOUT`].
    #[tokio::test]
    async fn the_roots_are_read_for_the_first_call_that_needs_them_and_a_handshake_has_a_limit() {
        let silent = TcpListener::bind((stand_in::HERE, 0)).unwrap();
        let address = silent.local_addr().unwrap();
        let server = StandIn::start([Reply::answer(200, "")]).await;
        let outside = Outside::new("things");
        get(&outside, &server.url, PATIENCE).await.unwrap();
        assert!(outside.secure.get().is_none());
        let start = Instant::now();
        let error = get(&outside, &format!("https://{address}/"), PATIENCE).await.unwrap_err();
        assert!(matches!(error, OutsideError::Connection(_)), "{error:?}");
        assert!(start.elapsed() >= CONNECT_TIMEOUT && start.elapsed() < PATIENCE, "{:?}", start.elapsed());
        assert!(outside.secure.get().is_some());
    }
}
