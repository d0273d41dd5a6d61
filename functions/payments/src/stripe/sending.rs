//! One call of Stripe's API, with its tries, and what came of it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shared::run::outside::{Method, Request, Response};
use shared::run::secrets::FromSecret;
use shared::values::id::random_bytes;

use super::Stripe;

/// The version of Stripe's API whose words are used here.
const VERSION: &str = "2026-09-30.endive";

/// How often something is tried.
const TRIES: u32 = 3;

/// How long to wait where Stripe has too much to do and does not say how long.
const BUSY: Duration = Duration::from_secs(1);

/// The longest that Stripe is taken at its word for.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// How long things may take: API Gateway gives up after 30 seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// A try, with the body of its answer.
    pub each: Duration,
    /// All tries.
    pub all: Duration,
    /// The shortest wait between two, and what chance may add to it.
    pub wait: (Duration, Duration),
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            each: Duration::from_secs(10),
            all: Duration::from_secs(20),
            wait: (Duration::from_millis(200), Duration::from_millis(600)),
        }
    }
}

/// Why a call did not give what it should. The words are Stripe's names for things, never a message or a body.
#[derive(Debug, thiserror::Error)]
pub enum StripeError {
    /// Stripe says no and will go on saying it: a mistake of ours, or a rule of Stripe's. With `401` and `403` it
    /// speaks of the API key alone, and not of what an earlier request with the same idempotency key has done.
    #[error("Stripe refused with {status} {kind}, code {code:?}, parameter {param:?}")]
    Refused {
        /// The status of the answer.
        status: u16,
        /// Which kind of error it is, such as `invalid_request_error`.
        kind: String,
        /// Which error it is, such as `parameter_missing`.
        code: Option<String>,
        /// Which parameter it is about.
        param: Option<String>,
    },
    /// It may have happened or not.
    #[error("it is unclear what Stripe did")]
    Unclear(#[source] anyhow::Error),
    /// Stripe has too much to do, or is at work on the same thing. It says nothing of what an earlier try has done, or
    /// what another request with the same idempotency key is still doing.
    #[error("Stripe is busy, for {retry_after:?}")]
    Busy {
        /// How long to leave it alone.
        retry_after: Duration,
    },
}

/// The key of Stripe's API, from a secret like `{"key": "rk_…"}`. The template makes it empty.
#[derive(PartialEq, Eq)]
pub struct ApiKey(String);

impl FromSecret for ApiKey {
    fn from_secret(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Stored {
            key: String,
        }
        let key = serde_json::from_str::<Stored>(text).ok()?.key;
        key.bytes().all(|byte| byte.is_ascii_graphic()).then_some(Self(key))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// A call.
pub(super) struct Call<'a> {
    /// What it is called in the log.
    pub name: &'static str,
    pub method: Method,
    pub path: &'a str,
    /// A form: the body of a `POST`, the query of a `GET`.
    pub parameters: &'a str,
    pub idempotency_key: Option<&'a str>,
}

/// Why a try failed.
struct Failed {
    error: StripeError,
    /// Whether another try may help.
    again: bool,
    /// The key of the API, if that is what Stripe does not know.
    refused_key: Option<Arc<ApiKey>>,
    /// How long Stripe wants to be left alone.
    pause: Duration,
}

impl Stripe {
    /// Whether somebody has put the key of an account in.
    ///
    /// # Errors
    /// When the secret cannot be read.
    pub async fn has_a_key(&self) -> anyhow::Result<bool> {
        Ok(!self.key.value().await?.0.is_empty())
    }

    /// Makes a call, up to three times.
    pub(super) async fn call<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, StripeError> {
        let until = Instant::now() + self.limits.all;
        let (mut tries, mut is_unclear, mut refused_key) = (0, false, None);
        loop {
            tries += 1;
            let failed = match self.attempt(call, refused_key.as_ref(), until).await {
                Ok(body) => return read(&body),
                Err(failed) => failed,
            };
            let pause = failed.pause.max(self.jitter());
            let is_late = pause >= until.saturating_duration_since(Instant::now());
            if !failed.again || tries == TRIES || is_late {
                return Err(failed.after(is_unclear));
            }
            is_unclear |= matches!(failed.error, StripeError::Unclear(_));
            refused_key = failed.refused_key;
            tokio::time::sleep(pause).await;
        }
    }

    /// Tries it once.
    async fn attempt(
        &self,
        call: &Call<'_>,
        refused_key: Option<&Arc<ApiKey>>,
        until: Instant,
    ) -> Result<Vec<u8>, Failed> {
        let api_key = self.key.value().await.map_err(|error| Failed::unclear(error, false))?;
        if api_key.0.is_empty() || refused_key.is_some_and(|refused| *refused == api_key) {
            return Err(Failed::without_a_key());
        }
        let patience = until.saturating_duration_since(Instant::now()).min(self.limits.each);
        let response = self.send(call, &api_key, patience).await?;
        let mut failed = match judge(&response) {
            Ok(()) => return Ok(response.body),
            Err(failed) => failed,
        };
        if response.status == 401 {
            self.key.forget(&api_key).await;
            (failed.again, failed.refused_key) = (true, Some(api_key));
        }
        Err(failed)
    }

    async fn send(&self, call: &Call<'_>, key: &ApiKey, patience: Duration) -> Result<Response, Failed> {
        let authorization = format!("Bearer {}", key.0);
        let mut headers = vec![("authorization", authorization.as_str()), ("stripe-version", VERSION)];
        headers.extend(call.idempotency_key.map(|key| ("idempotency-key", key)));
        let (url, body) = match call.method {
            Method::Get if call.parameters.is_empty() => (format!("{}{}", self.base, call.path), ""),
            Method::Get => (format!("{}{}?{}", self.base, call.path, call.parameters), ""),
            Method::Post | Method::Put => {
                headers.push(("content-type", "application/x-www-form-urlencoded"));
                (format!("{}{}", self.base, call.path), call.parameters)
            }
        };
        let request = Request { method: call.method, url: &url, headers: &headers, body };
        let response = self.http.send(&request, patience).await;
        let response = response.map_err(|error| {
            let error = anyhow::Error::new(error);
            tracing::warn!(call = call.name, error = format!("{error:#}"), "Stripe did not answer");
            Failed::unclear(error, true)
        })?;
        // By this name Stripe's support finds it.
        let id = response.header("request-id").filter(|id| id.len() <= 64).unwrap_or_default();
        tracing::info!(call = call.name, status = response.status, stripe_request_id = id, "Stripe answered");
        Ok(response)
    }

    /// How long to wait before the next try.
    fn jitter(&self) -> Duration {
        let (least, chance) = self.limits.wait;
        least + chance.mul_f64(f64::from(u16::from_le_bytes(random_bytes())) / f64::from(u16::MAX))
    }
}

impl Failed {
    fn unclear(error: anyhow::Error, again: bool) -> Self {
        Self { error: StripeError::Unclear(error), again, refused_key: None, pause: Duration::ZERO }
    }

    /// What Stripe would answer.
    fn without_a_key() -> Self {
        let error =
            StripeError::Refused { status: 401, kind: "no_valid_api_key".into(), code: None, param: None };
        Self { error, again: false, refused_key: None, pause: Duration::ZERO }
    }

    /// The error of all tries. An earlier one may have had its effect, and that the key of the API is refused now does
    /// not undo it.
    fn after(self, is_unclear: bool) -> StripeError {
        match self.error {
            StripeError::Refused { status: 401 | 403, .. } if is_unclear => {
                StripeError::Unclear(anyhow::Error::new(self.error))
            }
            error => error,
        }
    }
}

/// An error as Stripe writes it.
#[derive(Deserialize)]
struct Refusal {
    error: RefusalDetail,
}

#[derive(Deserialize)]
struct RefusalDetail {
    #[serde(rename = "type")]
    kind: String,
    code: Option<String>,
    param: Option<String>,
}

/// Whether this is what was asked for, and whether it is worth another try. Stripe's own word about the latter counts.
/// <https://docs.stripe.com/error-low-level>
fn judge(response: &Response) -> Result<(), Failed> {
    if (200..300).contains(&response.status) {
        return Ok(());
    }
    let refusal = serde_json::from_slice::<Refusal>(&response.body).ok().map(|refusal| refusal.error);
    let pause = response.header("retry-after").and_then(|seconds| seconds.parse().ok());
    let pause = pause.map(|seconds| Duration::from_secs(seconds).min(LONGEST));
    let (error, again) = match (response.status, refusal) {
        (429, _) => (StripeError::Busy { retry_after: pause.unwrap_or(BUSY) }, true),
        (409, Some(refusal)) if refusal.is_for_now() => {
            (StripeError::Busy { retry_after: pause.unwrap_or(BUSY) }, true)
        }
        (status @ 400..500, Some(refusal)) => (refusal.into_error(status), false),
        (status, _) => (StripeError::Unclear(anyhow!("Stripe answered {status}")), status >= 500),
    };
    let again = match response.header("stripe-should-retry") {
        Some("true") => true,
        Some("false") => false,
        _ => again,
    };
    Err(Failed { error, again, refused_key: None, pause: pause.unwrap_or_default() })
}

impl RefusalDetail {
    /// Whether another request is at work on the same thing.
    fn is_for_now(&self) -> bool {
        matches!(self.code.as_deref(), Some("lock_timeout" | "idempotency_key_in_use"))
    }

    fn into_error(self, status: u16) -> StripeError {
        StripeError::Refused { status, kind: self.kind, code: self.code, param: self.param }
    }
}

/// What Stripe did is what was asked, and it cannot be read: so it is not known.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, StripeError> {
    let unreadable = |error: serde_json::Error| {
        // Its own words would quote the body.
        anyhow!("an answer of Stripe's cannot be read, at line {}", error.line())
    };
    serde_json::from_slice(body).map_err(|error| StripeError::Unclear(unreadable(error)))
}
