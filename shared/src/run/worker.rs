//! Functions that no HTTP request calls: consumers of queues, tables' streams, uploads, schedules, workflow tasks, user pool triggers.
//!
//! Each is a plain `async fn` of its state and its event; what surrounds it is here.

mod changes;

use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use anyhow::Context;
use aws_lambda_events::cloudwatch_events::CloudWatchEvent;
use aws_lambda_events::cognito::CognitoEventUserPoolsPostConfirmation;
pub use aws_lambda_events::cognito::CognitoEventUserPoolsPostConfirmationTriggerSource as ConfirmationSource;
use aws_lambda_events::s3::S3Event;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::LambdaEvent;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::media::Upload;
use crate::run::aws::{Aws, FromEnv};
use crate::run::telemetry::{self, Invocation};
use crate::values::time::Timestamp;

pub use changes::{Change, Images, Undelivered, changes};

/// One message of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<T> {
    /// SQS's id of it, the same at every delivery.
    pub id: String,
    /// What it says.
    pub body: T,
    /// When this function got it.
    pub received_at: Timestamp,
}

/// Consumes a queue whose event source reports batch item failures: messages of a batch are worked at the same time, and
/// those that fail or panic, alone, come again. A message that nobody can read fails, too, and ends in the dead-letter queue.
///
/// # Errors
/// When the environment lacks what the function needs, or the Runtime API is gone.
pub async fn consume<S, T, H, F>(handle: H) -> crate::Exit
where
    S: FromEnv,
    T: DeserializeOwned + Send + 'static,
    H: Fn(S, Message<T>) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    run(async move |state: S, batch: SqsEvent, now| Ok(consume_batch(handle, &state, batch, now).await)).await
}

async fn consume_batch<S, T, H, F>(handle: H, state: &S, batch: SqsEvent, now: Timestamp) -> SqsBatchResponse
where
    S: Clone + Send + 'static,
    T: DeserializeOwned + Send + 'static,
    H: Fn(S, Message<T>) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    let mut running = HashMap::new();
    for message in batch.records {
        let id = message.message_id.clone().unwrap_or_default();
        let span = tracing::info_span!("message", message_id = id);
        let state = state.clone();
        let work = async move {
            let work = async { handle(state, read(message, now)?).await };
            let (result, Invocation { calls, subject }) = telemetry::observing(work).await;
            match &result {
                Ok(()) => tracing::info!(subject, aws_calls = calls.total(), "message done"),
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::error!(subject, aws_calls = calls.total(), error, "message failed");
                }
            }
            (result, calls)
        };
        let task = tasks.spawn(work.instrument(span));
        running.insert(task.id(), id);
    }
    let mut response = SqsBatchResponse::default();
    while let Some(ended) = tasks.join_next_with_id().await {
        let failed = match ended {
            Ok((task, (result, calls))) => {
                telemetry::count_calls_of(&calls);
                result.is_err().then_some(task)
            }
            Err(panic) => {
                let message_id = running.get(&panic.id());
                tracing::error!(message_id, error = "the handler panicked", "message failed");
                Some(panic.id())
            }
        };
        if let Some(task) = failed {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = running.remove(&task).unwrap_or_default();
            response.batch_item_failures.push(failure);
        }
    }
    response
}

fn read<T: DeserializeOwned>(message: SqsMessage, now: Timestamp) -> anyhow::Result<Message<T>> {
    let body = serde_json::from_str(message.body.as_deref().unwrap_or_default());
    Ok(Message {
        id: message.message_id.unwrap_or_default(),
        body: body.context("read the message")?,
        received_at: now,
    })
}

/// Handles each object that was put under the bucket's `uploads/`. A failure makes Lambda deliver the event again.
///
/// # Errors
/// When the environment lacks what the function needs, or the Runtime API is gone.
pub async fn index_uploads<S, H, F>(handle: H) -> crate::Exit
where
    S: FromEnv,
    H: Fn(S, Upload, Timestamp) -> F + Copy,
    F: Future<Output = anyhow::Result<()>>,
{
    run(async move |state: S, event: S3Event, now| {
        for record in event.records {
            let Some(upload) = record.s3.object.key.as_deref().and_then(Upload::from_event_key) else {
                tracing::error!(
                    "an object outside of uploads/{{kind}}/{{id}}/{{upload}}/{{file}} was announced"
                );
                continue;
            };
            handle(state.clone(), upload, now).await?;
        }
        Ok(())
    })
    .await
}

/// Runs on a schedule. The time is the event's, so that a run can be repeated as of then.
///
/// # Errors
/// When the environment lacks what the function needs, or the Runtime API is gone.
pub async fn on_schedule<S, H, F>(handle: H) -> crate::Exit
where
    S: FromEnv,
    H: Fn(S, Timestamp) -> F + Copy,
    F: Future<Output = anyhow::Result<()>>,
{
    run(async move |state: S, event: CloudWatchEvent, _| {
        handle(state, Timestamp::from_unix_millis(event.time.timestamp_millis())).await
    })
    .await
}

/// A task of a workflow: JSON in, JSON out. A failure is the workflow's to retry or to catch.
///
/// # Errors
/// When the environment lacks what the function needs, or the Runtime API is gone.
pub async fn task<S, T, O, H, F>(handle: H) -> crate::Exit
where
    S: FromEnv,
    T: DeserializeOwned,
    O: Serialize,
    H: Fn(S, T, Timestamp) -> F + Copy,
    F: Future<Output = anyhow::Result<O>>,
{
    run(async move |state: S, input: T, now| handle(state, input, now).await).await
}

/// What Cognito tells of a person whose account was confirmed.
pub type Confirmation = CognitoEventUserPoolsPostConfirmation;

/// The user pool's PostConfirmation trigger, which answers with the event it got.
///
/// # Errors
/// When the environment lacks what the function needs, or the Runtime API is gone.
pub async fn on_confirmation<S, H, F>(handle: H) -> crate::Exit
where
    S: FromEnv,
    H: Fn(S, Confirmation, Timestamp) -> F + Copy,
    F: Future<Output = anyhow::Result<()>>,
{
    run(async move |state: S, event: Confirmation, now| {
        handle(state, event.clone(), now).await?;
        Ok(event)
    })
    .await
}

async fn run<S, E, O>(handle: impl AsyncFn(S, E, Timestamp) -> anyhow::Result<O>) -> crate::Exit
where
    S: FromEnv,
    E: DeserializeOwned,
    O: Serialize,
{
    telemetry::init();
    let state = S::from_env(&Aws::from_env().await?)?;
    let handle = Arc::new(AssertUnwindSafe(handle));
    lambda_runtime::run(lambda_runtime::service_fn(move |event: LambdaEvent<E>| {
        let (state, handle) = (state.clone(), handle.clone());
        async move {
            let span = tracing::info_span!("invocation", request_id = event.context.request_id);
            // Boxed: the SDK's futures nest so deeply that the compiler gives up on what holds them.
            let work = Box::pin(handle(state, event.payload, Timestamp::now())).instrument(span.clone());
            let (result, Invocation { calls, subject }) = telemetry::observing(work).await;
            calls.publish();
            let _entered = span.enter();
            match result {
                Ok(output) => {
                    tracing::info!(subject, aws_calls = calls.total(), "done");
                    Ok(output)
                }
                Err(error) => {
                    tracing::error!(
                        subject,
                        aws_calls = calls.total(),
                        error = format!("{error:#}"),
                        "failed"
                    );
                    Err(lambda_runtime::Error::from(error.to_string()))
                }
            }
        }
    }))
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn batch(bodies: &[&str]) -> SqsEvent {
        let records: Vec<_> =
            bodies.iter().map(|body| json!({ "messageId": format!("id of {body}"), "body": body })).collect();
        serde_json::from_value(json!({ "Records": records })).unwrap()
    }

    async fn work(_: (), message: Message<String>) -> anyhow::Result<()> {
        match message.body.as_str() {
            "fail" => anyhow::bail!("as asked"),
            "panic" => panic!("as asked"),
            _ => Ok(()),
        }
    }

    #[tokio::test]
    async fn only_the_messages_that_failed_come_again() {
        let batch = batch(&[r#""one""#, r#""fail""#, r#""panic""#, "not JSON", r#""two""#]);
        let response = consume_batch(work, &(), batch, Timestamp::from_unix_millis(0)).await;
        let mut failed: Vec<_> =
            response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
        failed.sort_unstable();
        assert_eq!(failed, [r#"id of "fail""#, r#"id of "panic""#, "id of not JSON"]);
    }
}
