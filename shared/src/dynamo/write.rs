//! Writes that tell which condition failed, and against what: alone, or several at once with a name for each.

use std::error::Error;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    ConditionCheck, Delete, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use super::Item;
use crate::http::problem::Busy;
use crate::values::id::random_bytes;

/// What a conditional write came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Written<D, R> {
    /// It is written.
    Done(D),
    /// A condition failed, so nothing is written.
    Refused(R),
}

/// The output of a conditional write, or `None` where its condition failed.
///
/// # Errors
/// Every other error of the call.
pub fn unless_condition_failed<T, E>(sent: Result<T, SdkError<E>>) -> anyhow::Result<Option<T>>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match sent {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Carries out `update`, the same that a [`Write`] takes, by itself: that costs half as much. Done, it gives the
/// attributes that `returns` asks for; refused, the item as it stood then, empty if there was none.
///
/// # Errors
/// What the SDK says. The update may have taken effect all the same.
pub async fn update_item(
    client: &Client,
    update: Update,
    returns: ReturnValue,
) -> anyhow::Result<Written<Item, Item>> {
    let sent = client
        .update_item()
        .table_name(update.table_name)
        .set_key(Some(update.key))
        .update_expression(update.update_expression)
        .set_condition_expression(update.condition_expression)
        .set_expression_attribute_names(update.expression_attribute_names)
        .set_expression_attribute_values(update.expression_attribute_values)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .return_values(returns)
        .send()
        .await;
    match sent {
        Ok(updated) => Ok(Written::Done(updated.attributes.unwrap_or_default())),
        Err(error) => match error.into_service_error() {
            UpdateItemError::ConditionalCheckFailedException(failed) => {
                Ok(Written::Refused(failed.item.unwrap_or_default()))
            }
            error => Err(error.into()),
        },
    }
}

/// Carries out `put`, the same that a [`Write`] takes, by itself. Refused, it gives the item as it stood then, empty if
/// there was none.
///
/// # Errors
/// What the SDK says. The item may have been put all the same, and the SDK's own repetition of a put that took effect
/// is refused by it: the item that was found must tell.
pub async fn put_item(client: &Client, put: Put) -> anyhow::Result<Written<(), Item>> {
    let sent = client
        .put_item()
        .table_name(put.table_name)
        .set_item(Some(put.item))
        .set_condition_expression(put.condition_expression)
        .set_expression_attribute_names(put.expression_attribute_names)
        .set_expression_attribute_values(put.expression_attribute_values)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await;
    match sent {
        Ok(_) => Ok(Written::Done(())),
        Err(error) => match error.into_service_error() {
            PutItemError::ConditionalCheckFailedException(failed) => {
                Ok(Written::Refused(failed.item.unwrap_or_default()))
            }
            error => Err(error.into()),
        },
    }
}

/// Names one action of a [`Write`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part(usize);

/// Actions that are written together or not at all: at most 100, each on an item of its own.
#[derive(Debug, Default)]
pub struct Write(Vec<TransactWriteItem>);

impl Write {
    /// One without actions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a put.
    pub fn put(&mut self, mut put: Put) -> Part {
        put.return_values_on_condition_check_failure = Some(ReturnValuesOnConditionCheckFailure::AllOld);
        self.add(TransactWriteItem::builder().put(put).build())
    }

    /// Adds an update.
    pub fn update(&mut self, mut update: Update) -> Part {
        update.return_values_on_condition_check_failure = Some(ReturnValuesOnConditionCheckFailure::AllOld);
        self.add(TransactWriteItem::builder().update(update).build())
    }

    /// Adds a deletion.
    pub fn delete(&mut self, mut delete: Delete) -> Part {
        delete.return_values_on_condition_check_failure = Some(ReturnValuesOnConditionCheckFailure::AllOld);
        self.add(TransactWriteItem::builder().delete(delete).build())
    }

    /// Adds a condition on an item that is not written.
    pub fn check(&mut self, mut check: ConditionCheck) -> Part {
        check.return_values_on_condition_check_failure = Some(ReturnValuesOnConditionCheckFailure::AllOld);
        self.add(TransactWriteItem::builder().condition_check(check).build())
    }

    fn add(&mut self, action: TransactWriteItem) -> Part {
        self.0.push(action);
        Part(self.0.len() - 1)
    }

    /// Writes all of it or nothing.
    ///
    /// Conflicts with other transactions are tried again with jitter; DynamoDB cancels such a transaction at once
    /// instead of queueing it. <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>
    ///
    /// # Errors
    /// [`Busy`] when the conflicts did not end, otherwise what the SDK says. It may have taken effect all the same, so
    /// its conditions must make it safe to repeat.
    pub async fn commit(self, client: &Client) -> anyhow::Result<Written<(), Found>> {
        const TRIES: u32 = 12;
        for attempt in 0..TRIES {
            let sent = client.transact_write_items().set_transact_items(Some(self.0.clone())).send().await;
            let Err(error) = sent else { return Ok(Written::Done(())) };
            match Cancellation::of(error.into_service_error())? {
                Cancellation::Refused(found) => return Ok(Written::Refused(found)),
                Cancellation::Conflict => tokio::time::sleep(backoff(attempt)).await,
            }
        }
        Err(Busy).context("write a transaction")
    }
}

/// Against what the conditions of a [`Write`] failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Found(Vec<Option<Item>>);

impl Found {
    /// The item against which this part's condition failed, as it stood then: empty if there was none, `None` where the
    /// condition held. Where several failed, DynamoDB need not name them all.
    pub fn at(&self, part: Part) -> Option<&Item> {
        self.0.get(part.0).and_then(Option::as_ref)
    }

    /// The same item, given away.
    pub fn take(&mut self, part: Part) -> Option<Item> {
        self.0.get_mut(part.0).and_then(Option::take)
    }
}

/// Why a transaction wrote nothing.
enum Cancellation {
    Refused(Found),
    /// Others wrote one of its items at the same time.
    Conflict,
}

impl Cancellation {
    fn of(error: TransactWriteItemsError) -> anyhow::Result<Self> {
        let reasons = match error {
            TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                cancelled.cancellation_reasons.unwrap_or_default()
            }
            // Two of the SDK's own attempts with one client token met.
            TransactWriteItemsError::TransactionInProgressException(_) => Vec::new(),
            error => return Err(error).context("write a transaction"),
        };
        let failed = |code: Option<&str>| code == Some("ConditionalCheckFailed");
        if reasons.iter().any(|reason| failed(reason.code())) {
            let found = reasons
                .into_iter()
                .map(|reason| failed(reason.code.as_deref()).then(|| reason.item.unwrap_or_default()));
            return Ok(Self::Refused(Found(found.collect())));
        }
        let passes = |code: &str| {
            matches!(
                code,
                "None" | "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded"
            )
        };
        if reasons.iter().all(|reason| reason.code().is_none_or(passes)) {
            return Ok(Self::Conflict);
        }
        let why: Vec<_> = reasons.iter().map(|reason| (reason.code(), reason.message())).collect();
        anyhow::bail!("write a transaction: cancelled with {why:?}")
    }
}

/// How long to wait before another try, so that those who met do not meet again: exponential from 20 ms to 640 ms, with
/// full jitter. <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>
pub fn backoff(attempt: u32) -> Duration {
    let ceiling_micros = 20_000 << attempt.min(5);
    let random = u64::from(u32::from_le_bytes(random_bytes()));
    Duration::from_micros(random % ceiling_micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::text;
    use aws_sdk_dynamodb::types::CancellationReason;
    use aws_sdk_dynamodb::types::error::TransactionCanceledException;

    #[test]
    fn the_wait_before_another_try_is_bounded() {
        for attempt in 0..100 {
            assert!(backoff(attempt) < Duration::from_millis(640));
        }
    }

    fn cancelled(reasons: [CancellationReason; 2]) -> anyhow::Result<Cancellation> {
        let cancelled =
            TransactionCanceledException::builder().set_cancellation_reasons(Some(reasons.into()));
        Cancellation::of(TransactWriteItemsError::TransactionCanceledException(cancelled.build()))
    }

    fn reason(code: &str) -> CancellationReason {
        CancellationReason::builder().code(code).build()
    }

    #[test]
    fn a_refused_write_gives_the_item_of_the_part_whose_condition_failed() {
        let old = Item::from([("id".to_owned(), text("a"))]);
        let failed =
            CancellationReason::builder().code("ConditionalCheckFailed").set_item(Some(old.clone())).build();
        let Ok(Cancellation::Refused(mut found)) = cancelled([reason("None"), failed]) else {
            panic!("refused");
        };
        assert_eq!((found.at(Part(0)), found.at(Part(1)), found.at(Part(2))), (None, Some(&old), None));
        assert_eq!((found.take(Part(1)), found.take(Part(1))), (Some(old), None));
    }

    #[test]
    fn a_conflict_is_tried_again_and_what_cannot_be_written_is_an_error() {
        let conflict = cancelled([reason("None"), reason("TransactionConflict")]);
        assert!(matches!(conflict, Ok(Cancellation::Conflict)));
        assert!(cancelled([reason("TransactionConflict"), reason("ValidationError")]).is_err());
    }
}
