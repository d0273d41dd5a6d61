//! `Idempotency-Key`: the same request twice has one effect and one answer.
//!
//! The record of the answer is written in the transaction that the answer is about, so there is no "in progress" state
//! to be stuck in: either both are there or neither.
//! <https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/>

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_dynamodb::types::Put;
use axum::extract::OptionalFromRequestParts;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Guards;
use crate::caller::Caller;
use crate::dynamo::{Batch, Consistency, Found, Item, Read, Write, Written, from_item, number, to_item};
use crate::http::header_value;
use crate::http::problem::{FieldError, IDEMPOTENCY_KEY_REUSED, Problem};
use crate::values::time::Timestamp;

/// How long an answer is kept for the key.
const KEPT: Duration = Duration::from_hours(24);

/// What the client names its request with: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// The header that has it.
const HEADER: &str = "Idempotency-Key";

/// The text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 255 visible ASCII characters without spaces")]
pub struct NotAKey;

impl FromStr for IdempotencyKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let fits = (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.to_owned())).ok_or(NotAKey)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        header_value(&parts.headers, HEADER)
    }
}

impl IdempotencyKey {
    /// The key as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of a request that cannot do without one.
    ///
    /// # Errors
    /// `invalid-input` where there is none.
    pub fn required(key: Option<Self>) -> Result<Self, Problem> {
        key.ok_or_else(|| Problem::invalid_input(vec![FieldError::parameter(HEADER, "is required")]))
    }
}

/// The key came before, with another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the idempotency key was used with another request")]
pub struct KeyReused;

impl From<KeyReused> for Problem {
    fn from(_: KeyReused) -> Self {
        Self::new(
            IDEMPOTENCY_KEY_REUSED,
            "This Idempotency-Key was already used for another request. Use a new key for each new request.",
        )
    }
}

/// A request that carries a key: where its answer is kept, and what it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedRequest {
    guard_id: String,
    fingerprint: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    guard_id: String,
    fingerprint: String,
    answer: String,
    /// Seconds since 1970. DynamoDB may delete days later, so the code looks at it as well.
    expires_at: i64,
}

/// What is kept for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept<T> {
    /// Nothing, or nothing any more.
    Nothing,
    /// The answer to this very request.
    Answer(T),
    /// The answer to another one.
    Reused,
}

/// The answer to a request that may come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Once<T> {
    /// It was done now.
    Done(T),
    /// It was done before, and this is what was answered then.
    Replayed(T),
}

impl<T> Once<T> {
    /// The answer.
    pub fn answer(&self) -> &T {
        match self {
            Self::Done(answer) | Self::Replayed(answer) => answer,
        }
    }

    /// The same with another answer.
    pub fn map<U>(self, answer: impl FnOnce(T) -> U) -> Once<U> {
        match self {
            Self::Done(done) => Once::Done(answer(done)),
            Self::Replayed(done) => Once::Replayed(answer(done)),
        }
    }

    /// The answer, and whether it was given before.
    pub fn into_parts(self) -> (T, bool) {
        match self {
            Self::Done(answer) => (answer, false),
            Self::Replayed(answer) => (answer, true),
        }
    }
}

/// What became of a write that happens once for each key.
#[derive(Debug, Clone, PartialEq)]
pub enum Committed<T> {
    /// It is written, now or before.
    Once(Once<T>),
    /// The key came before with another request, so nothing is written.
    KeyReused,
    /// A condition failed, so nothing is written.
    Refused(Found),
}

impl KeyedRequest {
    /// The request `input` that `caller` sent to `route` with `key`, if it has one. Keys are each person's and route's
    /// own.
    ///
    /// # Errors
    /// When `input` cannot be written as JSON: a mistake in our code.
    pub fn of(
        route: &str,
        caller: &Caller,
        key: Option<&IdempotencyKey>,
        input: &impl Serialize,
    ) -> anyhow::Result<Option<Self>> {
        Self::within(route, caller.id(), key, input)
    }

    /// The same of somebody without an account: keys are the own of `scope`, which nobody else can name.
    ///
    /// # Errors
    /// When `input` cannot be written as JSON: a mistake in our code.
    pub fn within(
        route: &str,
        scope: impl fmt::Display,
        key: Option<&IdempotencyKey>,
        input: &impl Serialize,
    ) -> anyhow::Result<Option<Self>> {
        let Some(key) = key else { return Ok(None) };
        let input = serde_json::to_vec(input).context("write the request down")?;
        Ok(Some(Self {
            guard_id: format!("idempotency#{route}#{scope}#{}", key.0),
            fingerprint: URL_SAFE_NO_PAD.encode(Sha256::digest(input)),
        }))
    }

    /// The key of its record in the Guards table.
    pub fn guard_id(&self) -> &str {
        &self.guard_id
    }

    /// Writes the answer down, unless the key has one.
    fn record(&self, table: &str, answer: &impl Serialize, now: Timestamp) -> anyhow::Result<Put> {
        let record = Record {
            guard_id: self.guard_id.clone(),
            fingerprint: self.fingerprint.clone(),
            answer: serde_json::to_string(answer).context("write the answer down")?,
            expires_at: (now + KEPT).unix_seconds(),
        };
        Put::builder()
            .table_name(table)
            .set_item(Some(to_item(&record)?))
            .condition_expression("attribute_not_exists(guardId) OR expiresAt <= :now")
            .expression_attribute_values(":now", number(now.unix_seconds()))
            .build()
            .context("record an answer")
    }

    /// What the item that was read from the Guards table, if there was one, keeps for this request.
    ///
    /// # Errors
    /// When it is no record of an answer.
    pub fn kept<T: DeserializeOwned>(&self, record: Option<Item>, now: Timestamp) -> anyhow::Result<Kept<T>> {
        let Some(record) = record.filter(|item| !item.is_empty()) else { return Ok(Kept::Nothing) };
        let record: Record = from_item(record)?;
        if record.expires_at <= now.unix_seconds() {
            return Ok(Kept::Nothing);
        }
        if record.fingerprint != self.fingerprint {
            return Ok(Kept::Reused);
        }
        serde_json::from_str(&record.answer).map(Kept::Answer).context("read a kept answer")
    }
}

impl Guards {
    /// Adds the record of a request's answer to what is read at the same time.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn with_record(&self, read: Read, keyed: Option<&KeyedRequest>) -> anyhow::Result<Read> {
        read.of(self.table(), "guardId", keyed.map(KeyedRequest::guard_id), Consistency::Strong)
    }

    /// What was read of it.
    pub fn record_in(&self, batch: &mut Batch) -> Option<Item> {
        batch.take(self.table()).into_iter().next()
    }

    /// The answer that is kept for a request, if it was answered before.
    ///
    /// # Errors
    /// [`KeyReused`] where that was another request; when the table cannot be read.
    pub async fn answered<T: DeserializeOwned>(
        &self,
        keyed: Option<&KeyedRequest>,
        now: Timestamp,
    ) -> Result<Option<Once<T>>, Problem> {
        let Some(keyed) = keyed else { return Ok(None) };
        let read = self.with_record(Read::new(), Some(keyed))?;
        let record = self.record_in(&mut read.fetch(self.client()).await?);
        match keyed.kept(record, now)? {
            Kept::Nothing => Ok(None),
            Kept::Answer(answer) => Ok(Some(Once::Replayed(answer))),
            Kept::Reused => Err(KeyReused.into()),
        }
    }

    /// Commits `write` together with the record of its answer, so that a request with a key happens once and every
    /// repetition gets the first answer. Without a key it is committed by itself.
    ///
    /// A repetition by the SDK, after a reply that was lost, finds this call's own record and is told as
    /// [`Once::Replayed`].
    ///
    /// # Errors
    /// Those of [`Write::commit`].
    pub async fn commit<T: Serialize + DeserializeOwned>(
        &self,
        mut write: Write,
        keyed: Option<&KeyedRequest>,
        answer: T,
        now: Timestamp,
    ) -> anyhow::Result<Committed<T>> {
        let record = keyed.map(|keyed| keyed.record(self.table(), &answer, now)).transpose()?;
        let record = record.map(|record| write.put(record));
        let Written::Refused(mut found) = write.commit(self.client()).await? else {
            return Ok(Committed::Once(Once::Done(answer)));
        };
        let (Some(keyed), Some(part)) = (keyed, record) else { return Ok(Committed::Refused(found)) };
        // Where two conditions fail, as for the repetition of an order of the last piece, DynamoDB need not name both.
        let kept = match found.take(part) {
            Some(record) => Some(record),
            None => {
                let read = self.with_record(Read::new(), Some(keyed))?;
                self.record_in(&mut read.fetch(self.client()).await?)
            }
        };
        Ok(match keyed.kept(kept, now)? {
            Kept::Nothing => Committed::Refused(found),
            Kept::Answer(answer) => Committed::Once(Once::Replayed(answer)),
            Kept::Reused => Committed::KeyReused,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keyed(input: &str) -> KeyedRequest {
        let caller = Caller::for_tests("ann");
        let key = IdempotencyKey("k".into());
        KeyedRequest::of("/create-order", &caller, Some(&key), &input).unwrap().unwrap()
    }

    fn stored(request: &KeyedRequest, at: Timestamp) -> Item {
        request.record("guards", &"the answer", at).unwrap().item
    }

    const NOW: i64 = 1_790_000_000_000;

    #[test]
    fn the_same_request_has_the_same_answer_for_a_day() {
        let now = Timestamp::from_unix_millis(NOW);
        let item = stored(&keyed("tea"), now);
        let almost = now + KEPT - Duration::from_secs(1);
        assert_eq!(
            keyed("tea").kept(Some(item.clone()), almost).unwrap(),
            Kept::Answer("the answer".to_owned())
        );
        assert_eq!(keyed("tea").kept::<String>(Some(item), now + KEPT).unwrap(), Kept::Nothing);
    }

    #[test]
    fn another_request_with_the_key_is_refused() {
        let now = Timestamp::from_unix_millis(NOW);
        let item = stored(&keyed("tea"), now);
        assert_eq!(keyed("coffee").kept::<String>(Some(item), now).unwrap(), Kept::Reused);
    }

    #[test]
    fn each_person_has_keys_of_their_own() {
        let key = IdempotencyKey("k".into());
        let of = |who| {
            KeyedRequest::of("/create-order", &Caller::for_tests(who), Some(&key), &"tea").unwrap().unwrap()
        };
        assert_ne!(of("ann").guard_id(), of("bob").guard_id());
    }

    proptest! {
        #[test]
        fn no_key_reaches_another_persons_answer(anns in "[#a-z/]{1,20}", bobs in "[#a-z/]{1,20}") {
            let of = |who, key: &str| {
                let key = IdempotencyKey(key.to_owned());
                KeyedRequest::of("/create-order", &Caller::for_tests(who), Some(&key), &"tea").unwrap().unwrap()
            };
            let (anns, bobs) = (of("ann", &anns), of("bob", &bobs));
            prop_assert_ne!(anns.guard_id(), bobs.guard_id());
        }
    }

    async fn extract(values: &[&str]) -> Result<Option<IdempotencyKey>, Problem> {
        let mut request = axum::http::Request::post("/create-order");
        for value in values {
            request = request.header("idempotency-key", *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        IdempotencyKey::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn a_key_is_1_to_255_visible_characters_given_once() {
        assert_eq!(extract(&[]).await, Ok(None));
        assert_eq!(extract(&["a-1"]).await, Ok(Some(IdempotencyKey("a-1".into()))));
        let (longest, too_long) = ("x".repeat(255), "x".repeat(256));
        assert!(extract(&[&longest]).await.is_ok());
        for refused in [vec![""], vec!["a b"], vec![too_long.as_str()], vec!["a", "b"]] {
            assert!(extract(&refused).await.is_err(), "{refused:?}");
        }
    }
}
