//! HTTP for what is not AWS: another company's API, over the open internet.
//!
//! The connection is kept between calls, which are counted as those of AWS are. The machine's roots are read with the
//! first call and not at the start: that takes tens of milliseconds (decision 0007), and many an invocation never calls
//! anybody.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::run::telemetry;

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a connection that nobody uses is kept. Whoever is at its other end may have closed it while Lambda had
/// stopped the function, and what is then sent on it is lost.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// The most that an answer may hold.
const LARGEST: usize = 4 * 1024 * 1024;

/// The client of one service outside of AWS.
#[derive(Debug, Clone)]
pub struct Outside {
    service: &'static str,
    plain: Arc<OnceLock<Connector>>,
    secure: Arc<OnceLock<Connector>>,
}

/// What is asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
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
}

/// What lies behind an error.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

impl Outside {
    /// The client of the service that is counted under this name. It connects to nothing yet.
    pub fn new(service: &'static str) -> Self {
        Self { service, plain: Arc::default(), secure: Arc::default() }
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

    /// Who connects to this address. Where there is no TLS, as on a laptop, there is no use for roots either.
    fn connector(&self, url: &str) -> Result<&Connector, OutsideError> {
        let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
        let builder = Connector::builder().connector_settings(settings).pool_idle_timeout(IDLE_TIMEOUT);
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
        Ok(self.secure.get_or_init(|| builder.build()))
    }
}

impl Request<'_> {
    fn as_http(&self) -> Result<HttpRequest, OutsideError> {
        let unsendable = |error: Source| OutsideError::Unsendable(error);
        let mut request = HttpRequest::new(self.body.into());
        let method = match self.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        request.set_method(method).map_err(|error| unsendable(error.into()))?;
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
    let response = response.map_err(|error| OutsideError::Connection(error.into()))?;
    let (status, headers) = (response.status().as_u16(), headers(&response));
    let body = Limited::new(response.into_body(), LARGEST).collect().await.map_err(broken)?;
    Ok(Response { status, headers, body: body.to_bytes().into() })
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
