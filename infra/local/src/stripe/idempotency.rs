//! `Idempotency-Key`: the first answer again, for a day.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::api::Answer;
use super::books::{Books, Moment};
use super::refusal::Refusal;

/// How long a key is remembered, in milliseconds.
const REMEMBERED: i64 = 24 * 60 * 60 * 1000;
/// The longest key, in characters.
const LONGEST_KEY: usize = 255;

/// What was answered to the first request with a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    path: String,
    fingerprint: String,
    at: Moment,
    /// Until when the request is still being worked on.
    busy_until: Moment,
    status: u16,
    body: Value,
    request_id: String,
}

/// A request by what tells it from others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub key: &'a str,
    pub path: &'a str,
    pub fingerprint: &'a str,
}

impl Books {
    /// The answer that was given to this key, if any was.
    pub(crate) fn answered_before(&self, asked: Asked, now: Moment) -> Result<Option<Answer>, Refusal> {
        let key = asked.key;
        if key.chars().count() > LONGEST_KEY {
            let message = format!("Idempotency keys can be up to {LONGEST_KEY} characters long.");
            return Err(Refusal::with(400, "idempotency_error", message));
        }
        let Some(kept) = self.kept.get(key).filter(|kept| now < kept.at.after(REMEMBERED)) else {
            return Ok(None);
        };
        if kept.path != asked.path {
            return Err(Refusal::with(
                400,
                "idempotency_error",
                format!(
                    "Keys for idempotent requests can only be used for the same endpoint they were first used for \
                     ('{}' vs '{}'). Try using a key other than '{key}' if you meant to execute a different \
                     request.",
                    asked.path, kept.path
                ),
            ));
        }
        if kept.fingerprint != asked.fingerprint {
            return Err(Refusal::with(
                400,
                "idempotency_error",
                format!(
                    "Keys for idempotent requests can only be used with the same parameters they were first used \
                     with. Try using a key other than '{key}' if you meant to execute a different request."
                ),
            ));
        }
        if now < kept.busy_until {
            return Err(in_use(key));
        }
        Ok(Some(Answer {
            status: kept.status,
            body: kept.body.clone(),
            request_id: String::new(),
            original_request: Some(kept.request_id.clone()),
            may_retry: None,
        }))
    }

    /// Remembers an answer. The request counts as being worked on for so many milliseconds.
    pub(crate) fn keep(&mut self, asked: Asked, answer: &Answer, busy: i64, now: Moment) {
        let kept = Kept {
            path: asked.path.to_owned(),
            fingerprint: asked.fingerprint.to_owned(),
            at: now,
            busy_until: now.after(busy),
            status: answer.status,
            body: answer.body.clone(),
            request_id: answer.request_id.clone(),
        };
        self.kept.retain(|_, kept| now < kept.at.after(REMEMBERED));
        self.kept.insert(asked.key.to_owned(), kept);
    }

    /// Forgets a key, as after a day; gives whether it was known.
    pub(crate) fn forget_key(&mut self, key: &str) -> bool {
        self.kept.remove(key).is_some()
    }
}

/// The answer while the first request with a key is still being worked on.
pub(crate) fn in_use(key: &str) -> Refusal {
    let message = format!(
        "There is currently another in-progress request using this Stripe-Idempotency-Key ({key}), which probably \
         means that it was sent twice. Please try again later."
    );
    Refusal::with(409, "idempotency_error", message).code("idempotency_key_in_use")
}
