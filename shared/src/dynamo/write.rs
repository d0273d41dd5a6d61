//! Writes that tell which condition failed, alone or in a transaction.

use std::error::Error;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};

use super::Item;
use crate::http::problem::Busy;
use crate::values::id::random_bytes;

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

/// Carries out `update`, the same that a transaction takes, by itself: that costs half as much. Gives the attributes that
/// `returns` asks for; or, where the condition failed, the item as it stood then, empty if there was none.
///
/// # Errors
/// What the SDK says. The update may have taken effect all the same.
pub async fn update_item(
    client: &Client,
    update: Update,
    returns: ReturnValue,
) -> anyhow::Result<Result<Item, Item>> {
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
    let error = match sent {
        Ok(updated) => return Ok(Ok(updated.attributes.unwrap_or_default())),
        Err(error) => error,
    };
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
            Ok(Err(failed.item().cloned().unwrap_or_default()))
        }
        _ => Err(error.into()),
    }
}

/// Why a transaction wrote nothing: for each of its items, in order, whether its condition failed, and the item as it
/// stood then where the transaction asked for it (`ReturnValuesOnConditionCheckFailure`).
#[derive(Debug, Clone, PartialEq)]
pub struct Cancelled(Vec<Option<Item>>);

impl Cancelled {
    /// The item against which the condition at `index` failed; empty if there was none or it was not asked for.
    pub fn failed(&self, index: usize) -> Option<&Item> {
        self.0.get(index).and_then(Option::as_ref)
    }
}

/// Writes all of `items` or none.
///
/// Conflicts with other transactions are tried again with jitter; DynamoDB cancels such a transaction at once instead of
/// queueing it. <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>
///
/// # Errors
/// [`Busy`] when the conflicts did not end, otherwise what the SDK says. The transaction may have taken effect all the
/// same, so its conditions must make it safe to repeat.
pub async fn transact(
    client: &Client,
    items: Vec<TransactWriteItem>,
) -> anyhow::Result<Result<(), Cancelled>> {
    const TRIES: u32 = 12;
    for attempt in 0..TRIES {
        let sent = client.transact_write_items().set_transact_items(Some(items.clone())).send().await;
        let Err(error) = sent else { return Ok(Ok(())) };
        let reasons = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                cancelled.cancellation_reasons()
            }
            // Two of the SDK's own attempts with one client token met.
            Some(TransactWriteItemsError::TransactionInProgressException(_)) => &[],
            _ => return Err(error).context("write a transaction"),
        };
        if reasons.iter().any(|reason| reason.code() == Some("ConditionalCheckFailed")) {
            let failed = reasons.iter().map(|reason| {
                (reason.code() == Some("ConditionalCheckFailed"))
                    .then(|| reason.item().cloned().unwrap_or_default())
            });
            return Ok(Err(Cancelled(failed.collect())));
        }
        let passes = |code: &str| {
            matches!(
                code,
                "None" | "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded"
            )
        };
        if !reasons.iter().all(|reason| reason.code().is_none_or(passes)) {
            let codes: Vec<_> = reasons.iter().map(|reason| reason.code().unwrap_or_default()).collect();
            let message = error.message().unwrap_or_default();
            anyhow::bail!("write a transaction: cancelled with {codes:?}: {message}");
        }
        tokio::time::sleep(backoff(attempt)).await;
    }
    Err(Busy).context("write a transaction")
}

/// Exponential from 20 ms to 640 ms, with full jitter.
/// <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>
fn backoff(attempt: u32) -> Duration {
    let ceiling_micros = 20_000 << attempt.min(5);
    let random = u64::from(u32::from_le_bytes(random_bytes()));
    Duration::from_micros(random % ceiling_micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::text;

    #[test]
    fn the_wait_before_another_try_is_bounded() {
        for attempt in 0..100 {
            assert!(backoff(attempt) < Duration::from_millis(640));
        }
    }

    #[test]
    fn a_cancelled_transaction_names_the_condition_that_failed() {
        let old = Item::from([("id".to_owned(), text("a"))]);
        let cancelled = Cancelled(vec![None, Some(old.clone())]);
        assert_eq!(cancelled.failed(0), None);
        assert_eq!(cancelled.failed(1), Some(&old));
        assert_eq!(cancelled.failed(2), None);
    }
}
