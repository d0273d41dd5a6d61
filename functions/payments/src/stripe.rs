//! The client of Stripe's API: the calls that this shop needs, and no more (decision 0046).
//!
//! Every write has a key of its own, made from what was stored: however often it is repeated, by this client or by the
//! next process, Stripe does it once. What came of a call is one of three things ([`StripeError`]), and what is unclear
//! may have happened.

mod form;
mod objects;
mod requests;
mod sending;
#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::outside::{Method, Outside};
use shared::run::secrets::Secret;
use shared::values::time::Timestamp;

use crate::PaymentId;
use crate::events::{EventPage, EventType, Ours};
use crate::ids::{EventId, IntentId, SessionId};

pub use objects::{
    ClientSecret, CurrencyCode, Dispute, DisputeStatus, Intent, IntentStatus, Metadata, PaymentStatus,
    Refund, RefundStatus, Session, SessionStatus, SessionUrl,
};
pub(crate) use objects::{or_default, seconds};
pub use requests::{
    IntentRequest, Line, Lines, NotTheTotal, PaymentMethod, RefundReason, RefundRequest, SessionRequest,
};
pub use sending::{ApiKey, StripeError};

use form::Form;
use sending::{Call, Limits};

/// Stripe, as this shop uses it.
#[derive(Debug, Clone)]
pub struct Stripe {
    http: Outside,
    base: String,
    key: Secret<ApiKey>,
    limits: Limits,
}

/// What came of the end of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expiry {
    /// Nobody can pay it any more.
    Expired(Session),
    /// It was not open, and this is what it is: expired before, or paid.
    NotOpen(Session),
}

/// What came of the end of a PaymentIntent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancelling {
    /// Nobody can pay it any more.
    Canceled(Intent),
    /// It could not be ended, and this is what it is: ended before, or paid.
    Not(Intent),
}

/// A page of a list, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Page<T> {
    /// What is on it.
    pub data: Vec<T>,
    /// Whether there are older ones.
    #[serde(default)]
    pub has_more: bool,
}

/// How many things a page has, which is the most that Stripe gives.
const PAGE: u32 = 100;

/// How many pages are read to find something. What is not found in them is not known.
const MOST_PAGES: u32 = 10;

impl FromEnv for Stripe {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self::new(config::required("STRIPE_URL")?, Secret::named_by("STRIPE_API_SECRET", aws)?))
    }
}

impl Stripe {
    /// Stripe at this address, which has no slash at its end.
    pub fn new(base: String, key: Secret<ApiKey>) -> Self {
        Self { http: Outside::new("stripe"), base, key, limits: Limits::default() }
    }

    /// Makes the session of an attempt to pay. Asked again with the very same request, Stripe answers with the session
    /// that it made; with another one it refuses (`idempotency_error`), and there is a session all the same
    /// ([`session_of`](Self::session_of)).
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn create_session(&self, request: &SessionRequest) -> Result<Session, StripeError> {
        let key = request.idempotency_key();
        self.post("create-session", "/v1/checkout/sessions", &request.form(), Some(&key)).await
    }

    /// A session as it is.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn session(&self, id: &SessionId) -> Result<Session, StripeError> {
        self.get("get-session", &format!("/v1/checkout/sessions/{id}"), "").await
    }

    /// Ends a session, so that nobody can pay it any more, and says what it is if that is not possible. Safe to repeat:
    /// one that is expired is not open.
    ///
    /// # Errors
    /// See [`StripeError`]. Only Stripe's word that a session is expired is taken for it.
    pub async fn expire(&self, id: &SessionId) -> Result<Expiry, StripeError> {
        let path = format!("/v1/checkout/sessions/{id}/expire");
        let refused = match self.post::<Session>("expire-session", &path, "", None).await {
            Ok(session) if session.status == SessionStatus::Expired => return Ok(Expiry::Expired(session)),
            Ok(_) => return Err(StripeError::Unclear(anyhow::anyhow!("the session was not expired"))),
            Err(refused @ StripeError::Refused { status: 400, .. }) => refused,
            Err(error) => return Err(error),
        };
        // The words of the refusal may change; what the session is does not depend on them.
        let session = self.session(id).await?;
        if session.status == SessionStatus::Open { Err(refused) } else { Ok(Expiry::NotOpen(session)) }
    }

    /// Makes the PaymentIntent of an attempt to pay. Asked again with the very same request, Stripe answers with the
    /// one that it made, for a day; who comes later looks for it first ([`intent_of`](Self::intent_of)).
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn create_intent(&self, request: &IntentRequest) -> Result<Intent, StripeError> {
        let key = request.idempotency_key();
        self.post("create-intent", "/v1/payment_intents", &request.form(), Some(&key)).await
    }

    /// A PaymentIntent as it is.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn intent(&self, id: &IntentId) -> Result<Intent, StripeError> {
        self.get("get-intent", &format!("/v1/payment_intents/{id}"), "").await
    }

    /// Ends a PaymentIntent, so that nobody can pay it any more, and says what it is if that is not possible. Safe to
    /// repeat: one that is canceled cannot be again.
    ///
    /// # Errors
    /// See [`StripeError`]. Only Stripe's word that it is canceled is taken for it.
    pub async fn cancel_intent(&self, id: &IntentId) -> Result<Cancelling, StripeError> {
        let path = format!("/v1/payment_intents/{id}/cancel");
        let refused = match self.post::<Intent>("cancel-intent", &path, "", None).await {
            Ok(intent) if intent.status == IntentStatus::Canceled => return Ok(Cancelling::Canceled(intent)),
            Ok(_) => return Err(StripeError::Unclear(anyhow::anyhow!("the intent was not canceled"))),
            Err(refused @ StripeError::Refused { status: 400, .. }) => refused,
            Err(error) => return Err(error),
        };
        let intent = self.intent(id).await?;
        let is_over = matches!(
            intent.status,
            IntentStatus::Processing | IntentStatus::Succeeded | IntentStatus::Canceled
        );
        if is_over { Ok(Cancelling::Not(intent)) } else { Err(refused) }
    }

    /// The PaymentIntent of an attempt to pay, by what this shop wrote to it, among those that were made in this time.
    ///
    /// # Errors
    /// See [`StripeError`]; also when there are more than could be read, because then there may be one.
    pub async fn intent_of(
        &self,
        payment: PaymentId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Option<Intent>, StripeError> {
        let mut last: Option<IntentId> = None;
        for _ in 0..MOST_PAGES {
            let query = after(made_between(from, to), last.as_ref().map(IntentId::as_str));
            let page: Page<Intent> = self.get("list-intents", "/v1/payment_intents", &query).await?;
            let found = page.data.iter().find(|intent| intent.metadata.payment == Some(payment));
            if found.is_some() || !page.has_more || page.data.is_empty() {
                return Ok(found.cloned());
            }
            last = page.data.into_iter().last().map(|intent| intent.id);
        }
        Err(too_many())
    }

    /// Writes to a PaymentIntent that the email went out which confirms its order. Safe to repeat: what is written is
    /// the same each time, so it needs no key.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn note_sent_mail(&self, intent: &IntentId) -> Result<(), StripeError> {
        let form = Form::new().within(&["metadata", "alreadySentMail"], true).finish();
        let path = format!("/v1/payment_intents/{intent}");
        self.post::<Intent>("update-intent", &path, &form, None).await.map(drop)
    }

    /// Gives money back. Asked again, also by another process, Stripe answers with the refund that it made. It may
    /// forget the key after a day: who comes later looks for the refund first ([`refunds_of`](Self::refunds_of)).
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn refund(&self, request: &RefundRequest) -> Result<Refund, StripeError> {
        let key = request.idempotency_key();
        self.post("create-refund", "/v1/refunds", &request.form(), Some(&key)).await
    }

    /// Everything that was given back of a payment.
    ///
    /// # Errors
    /// See [`StripeError`]; also when there are more than could be read.
    pub async fn refunds_of(&self, intent: &IntentId) -> Result<Vec<Refund>, StripeError> {
        let mut refunds: Vec<Refund> = Vec::new();
        for _ in 0..MOST_PAGES {
            let query = Form::new().with("payment_intent", intent).with("limit", PAGE);
            let query = after(query, refunds.last().map(|last| last.id.as_str()));
            let page: Page<Refund> = self.get("list-refunds", "/v1/refunds", &query).await?;
            let is_whole = !page.has_more || page.data.is_empty();
            refunds.extend(page.data);
            if is_whole {
                return Ok(refunds);
            }
        }
        Err(too_many())
    }

    /// A page of the sessions that were made in this time, the newest first.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn sessions_between(
        &self,
        from: Timestamp,
        to: Timestamp,
        older_than: Option<&SessionId>,
    ) -> Result<Page<Session>, StripeError> {
        let query = after(made_between(from, to), older_than.map(SessionId::as_str));
        self.get("list-sessions", "/v1/checkout/sessions", &query).await
    }

    /// The session of an attempt to pay, by what this shop wrote to it, among those that were made in this time.
    ///
    /// # Errors
    /// See [`StripeError`]; also when there are more sessions than could be read, because then there may be one.
    pub async fn session_of(
        &self,
        payment: PaymentId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Option<Session>, StripeError> {
        let mut last: Option<SessionId> = None;
        for _ in 0..MOST_PAGES {
            let page = self.sessions_between(from, to, last.as_ref()).await?;
            let found = page.data.iter().find(|session| session.metadata.payment == Some(payment));
            if found.is_some() || !page.has_more || page.data.is_empty() {
                return Ok(found.cloned());
            }
            last = page.data.into_iter().last().map(|session| session.id);
        }
        Err(too_many())
    }

    /// A page of what happened since then, the newest first.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn events(
        &self,
        ours: &Ours,
        since: Timestamp,
        types: &[EventType],
        older_than: Option<&EventId>,
    ) -> Result<EventPage, StripeError> {
        let query = Form::new().within(&["created", "gte"], since.unix_seconds()).with("limit", PAGE);
        let query = types.iter().fold(query, |query, one| query.with("types[]", one));
        let query = after(query, older_than.map(EventId::as_str));
        let page: Page<Value> = self.get("list-events", "/v1/events", &query).await?;
        EventPage::of(page, ours).map_err(|error| StripeError::Unclear(error.into()))
    }

    async fn get<T: DeserializeOwned>(
        &self,
        name: &'static str,
        path: &str,
        query: &str,
    ) -> Result<T, StripeError> {
        let call = Call { name, method: Method::Get, path, parameters: query, idempotency_key: None };
        self.call(&call).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        name: &'static str,
        path: &str,
        form: &str,
        idempotency_key: Option<&str>,
    ) -> Result<T, StripeError> {
        self.call(&Call { name, method: Method::Post, path, parameters: form, idempotency_key }).await
    }
}

/// The query of what was made in this time.
fn made_between(from: Timestamp, to: Timestamp) -> Form {
    Form::new()
        .within(&["created", "gte"], from.unix_seconds())
        .within(&["created", "lte"], to.unix_seconds())
        .with("limit", PAGE)
}

/// The query of the page that follows this one.
fn after(query: Form, last: Option<&str>) -> String {
    last.into_iter().fold(query, |query, last| query.with("starting_after", last)).finish()
}

fn too_many() -> StripeError {
    StripeError::Unclear(anyhow::anyhow!("there are more than {MOST_PAGES} pages of them"))
}
