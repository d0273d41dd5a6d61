//! `Idempotency-Key`: the same request twice has one effect and one answer.
//!
//! The record of the answer is written in the transaction that the answer is about, so there is no "in progress" state to
//! be stuck in: either both are there or neither. <https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/>

use std::time::Duration;

use anyhow::Context;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use axum::extract::OptionalFromRequestParts;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::caller::Caller;
use crate::dynamo::{Item, from_item, number, to_item};
use crate::http::problem::{FieldError, IDEMPOTENCY_KEY_REUSED, Problem};
use crate::values::time::Timestamp;

/// How long an answer is kept for the key.
const KEPT: Duration = Duration::from_hours(24);

/// What the client names its request with: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl<S: Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        let mut values = parts.headers.get_all("idempotency-key").iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return if parts.headers.contains_key("idempotency-key") {
                Err(invalid("may be given once"))
            } else {
                Ok(None)
            };
        };
        match value.to_str() {
            Ok(key) if (1..=255).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) => {
                Ok(Some(Self(key.to_owned())))
            }
            _ => Err(invalid("must be 1 to 255 visible ASCII characters without blanks")),
        }
    }
}

fn invalid(detail: &str) -> Problem {
    Problem::invalid_input(vec![FieldError::parameter("Idempotency-Key", detail)])
}

/// The key came before, with another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the idempotency key was used with another request")]
pub struct KeyReused;

impl From<KeyReused> for Problem {
    fn from(_: KeyReused) -> Self {
        Self::new(
            IDEMPOTENCY_KEY_REUSED,
            "This Idempotency-Key came before with another request. Use a new key for a new request.",
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
    /// Seconds since 1970. DynamoDB may delete days later, so the code looks at it, too.
    expires_at: i64,
}

impl KeyedRequest {
    /// The request `input` that `caller` sent to `route` with `key`. Keys are each person's and route's own.
    ///
    /// # Errors
    /// When `input` cannot be written as JSON: a mistake in our code.
    pub fn new(
        route: &str,
        caller: &Caller,
        key: &IdempotencyKey,
        input: &impl Serialize,
    ) -> anyhow::Result<Self> {
        let input = serde_json::to_vec(input).context("write the request down")?;
        Ok(Self {
            guard_id: format!("idempotency#{route}#{}#{}", caller.id(), key.0),
            fingerprint: URL_SAFE_NO_PAD.encode(Sha256::digest(input)),
        })
    }

    /// The key of its record in the Guards table.
    pub fn guard_id(&self) -> &str {
        &self.guard_id
    }

    /// Writes the answer down, unless the key has one: for the transaction that the answer is about.
    ///
    /// # Errors
    /// When the answer cannot be written as JSON: a mistake in our code.
    pub fn record(
        &self,
        table: &str,
        answer: &impl Serialize,
        now: Timestamp,
    ) -> anyhow::Result<TransactWriteItem> {
        let record = Record {
            guard_id: self.guard_id.clone(),
            fingerprint: self.fingerprint.clone(),
            answer: serde_json::to_string(answer).context("write the answer down")?,
            expires_at: (now + KEPT).unix_seconds(),
        };
        let put = Put::builder()
            .table_name(table)
            .set_item(Some(to_item(&record)?))
            .condition_expression("attribute_not_exists(guardId) OR expiresAt <= :now")
            .expression_attribute_values(":now", number(now.unix_seconds()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The answer that `item`, read from the Guards table, holds; `None` when it has expired.
    ///
    /// # Errors
    /// [`KeyReused`] when the answer is to another request.
    pub fn replay<T: DeserializeOwned>(
        &self,
        item: Item,
        now: Timestamp,
    ) -> anyhow::Result<Option<Result<T, KeyReused>>> {
        let record: Record = from_item(item)?;
        if record.expires_at <= now.unix_seconds() {
            return Ok(None);
        }
        if record.fingerprint != self.fingerprint {
            return Ok(Some(Err(KeyReused)));
        }
        serde_json::from_str(&record.answer).map(|answer| Some(Ok(answer))).context("read a kept answer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keyed(input: &str) -> KeyedRequest {
        let caller = Caller::for_tests("ann");
        KeyedRequest::new("/create-order", &caller, &IdempotencyKey("k".into()), &input).unwrap()
    }

    fn stored(request: &KeyedRequest, at: Timestamp) -> Item {
        let item = request.record("guards", &"the answer", at).unwrap();
        item.put.unwrap().item
    }

    const NOW: i64 = 1_790_000_000_000;

    #[test]
    fn the_same_request_has_the_same_answer_for_a_day() {
        let now = Timestamp::from_unix_millis(NOW);
        let item = stored(&keyed("tea"), now);
        let almost = now + KEPT - Duration::from_secs(1);
        assert_eq!(keyed("tea").replay(item.clone(), almost).unwrap(), Some(Ok("the answer".to_owned())));
        assert_eq!(keyed("tea").replay::<String>(item, now + KEPT).unwrap(), None);
    }

    #[test]
    fn another_request_with_the_key_is_refused() {
        let now = Timestamp::from_unix_millis(NOW);
        let item = stored(&keyed("tea"), now);
        assert_eq!(keyed("coffee").replay::<String>(item, now).unwrap(), Some(Err(KeyReused)));
    }

    #[test]
    fn each_person_has_keys_of_their_own() {
        let key = IdempotencyKey("k".into());
        let of = |who| KeyedRequest::new("/create-order", &Caller::for_tests(who), &key, &"tea").unwrap();
        assert_ne!(of("ann").guard_id(), of("bob").guard_id());
    }

    proptest! {
        #[test]
        fn no_key_reaches_another_persons_answer(anns in "[#a-z/]{1,20}", bobs in "[#a-z/]{1,20}") {
            let of = |who, key: &str| {
                let key = IdempotencyKey(key.to_owned());
                KeyedRequest::new("/create-order", &Caller::for_tests(who), &key, &"tea").unwrap()
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
