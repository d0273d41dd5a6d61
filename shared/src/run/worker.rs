//! Functions that no HTTP request calls: consumers of queues, tables' streams, uploads, schedules, workflow tasks, user
//! pool triggers.
//!
//! Each is a plain `async fn` of its state and its event; what surrounds it is here.

mod changes;
mod failure;
mod sockets;

use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use anyhow::Context;
use aws_lambda_events::cloudwatch_events::CloudWatchEvent;
pub use aws_lambda_events::cognito::CognitoEventUserPoolsPostConfirmationTriggerSource as ConfirmationSource;
use aws_lambda_events::cognito::{
    CognitoEventUserPoolsCustomMessageRequest, CognitoEventUserPoolsCustomMessageResponse,
    CognitoEventUserPoolsHeader, CognitoEventUserPoolsPostConfirmation,
    CognitoEventUserPoolsPreSignupRequest, CognitoEventUserPoolsPreSignupResponse,
};
use aws_lambda_events::s3::{S3Event, S3EventRecord};
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::LambdaEvent;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::media::Upload;
use crate::run::aws::{Aws, FromEnv};
use crate::run::telemetry::{self, Invocation};
use crate::values::time::Timestamp;

pub use changes::{Change, Images, Undelivered, changes};
use failure::DeadLetters;
pub use failure::Failure;
pub use sockets::{ConnectionId, Handshake, Opening, on_socket_closed, on_socket_opening};

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

/// Consumes a queue whose event source reports batch item failures: messages of a batch are worked at the same time,
/// and those that fail or panic, alone, come again. What becomes of one that was not dealt with is its [`Failure`]'s to
/// say; one that nobody can read never can be.
///
/// # Errors
/// When the environment lacks what the function needs, or the Runtime API is gone.
pub async fn consume<S, T, H, F, E>(handle: H) -> crate::Exit
where
    S: FromEnv,
    T: DeserializeOwned + Send + 'static,
    H: Fn(S, Message<T>) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<Failure>,
{
    run(async move |(state, dead_letters): (S, DeadLetters), batch: SqsEvent, now| {
        Ok(consume_batch(handle, &state, &dead_letters, batch, now).await)
    })
    .await
}

async fn consume_batch<S, T, H, F, E>(
    handle: H,
    state: &S,
    dead_letters: &DeadLetters,
    batch: SqsEvent,
    now: Timestamp,
) -> SqsBatchResponse
where
    S: Clone + Send + 'static,
    T: DeserializeOwned + Send + 'static,
    H: Fn(S, Message<T>) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<Failure>,
{
    let mut tasks = JoinSet::new();
    let mut running = HashMap::new();
    for message in batch.records {
        let id = message.message_id.clone().unwrap_or_default();
        let span = tracing::info_span!("message", message_id = id);
        let (state, dead_letters) = (state.clone(), dead_letters.clone());
        let work = async move {
            let body = message.body.clone().unwrap_or_default();
            let work = async {
                let done = match read(message, now) {
                    Ok(message) => handle(state, message).await.map_err(Into::into),
                    Err(unreadable) => Err(Failure::Never(unreadable)),
                };
                dead_letters.take_if_never(done, body).await
            };
            let (result, Invocation { calls, subject }) = telemetry::observing(work).await;
            match &result {
                Ok(()) => tracing::info!(subject, aws_calls = calls.total(), "message done"),
                Err(failure) => failure.log(subject.as_deref(), &calls, "message"),
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

/// Handles each object that was put under the bucket's `uploads/`. Where one is not dealt with, Lambda delivers the
/// event again, twice, and then puts it into the dead-letter queue; one that never can be goes there at once.
///
/// # Errors
/// When the environment lacks what the function needs, or the Runtime API is gone.
pub async fn index_uploads<S, H, F, E>(handle: H) -> crate::Exit
where
    S: FromEnv,
    H: Fn(S, Upload, Timestamp) -> F + Copy,
    F: Future<Output = Result<(), E>>,
    E: Into<Failure>,
{
    run(async move |(state, dead_letters): (S, DeadLetters), event: S3Event, now| {
        index_batch(handle, &state, &dead_letters, event, now).await
    })
    .await
}

async fn index_batch<S, H, F, E>(
    handle: H,
    state: &S,
    dead_letters: &DeadLetters,
    event: S3Event,
    now: Timestamp,
) -> Result<(), Failure>
where
    S: Clone,
    H: Fn(S, Upload, Timestamp) -> F,
    F: Future<Output = Result<(), E>>,
    E: Into<Failure>,
{
    for record in event.records {
        let done = match upload_of(&record) {
            Ok(upload) => handle(state.clone(), upload, now).await.map_err(Into::into),
            Err(unreadable) => Err(Failure::Never(unreadable)),
        };
        // As Lambda itself would put it there, so that there is one way to replay it. A name does where it has an ARN.
        let letter = json!({
            "requestContext": { "functionArn": telemetry::function_name() },
            "requestPayload": { "Records": [record] },
        });
        dead_letters.take_if_never(done, letter.to_string()).await?;
    }
    Ok(())
}

fn upload_of(record: &S3EventRecord) -> anyhow::Result<Upload> {
    let key = record.s3.object.key.as_deref();
    key.and_then(Upload::from_event_key).context("the object is not uploads/{kind}/{id}/{upload}/{file}")
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
        Ok(handle(state, Timestamp::from_unix_millis(event.time.timestamp_millis())).await?)
    })
    .await
}

/// The same for what can be asked for more than a schedule asks: `T` is the event's `detail`, which a schedule leaves
/// empty and whoever calls the function by hand does not. They also read what it gives back.
///
/// # Errors
/// When the environment lacks what the function needs, or the Runtime API is gone.
pub async fn on_schedule_or_asked<S, T, O, H, F>(handle: H) -> crate::Exit
where
    S: FromEnv,
    T: DeserializeOwned + Serialize + Default,
    O: Serialize,
    H: Fn(S, T, Timestamp) -> F + Copy,
    F: Future<Output = anyhow::Result<O>>,
{
    run(async move |state: S, event: CloudWatchEvent<T>, _| {
        let at = Timestamp::from_unix_millis(event.time.timestamp_millis());
        Ok(handle(state, event.detail.unwrap_or_default(), at).await?)
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
    run(async move |state: S, input: T, now| Ok(handle(state, input, now).await?)).await
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

/// What Cognito is about to say to a person. Nothing prints it: it holds addresses.
#[derive(Clone, Serialize, Deserialize)]
pub struct CustomMessage {
    /// Why, and to whom. Its source is text: the crate's own type of the event fails at one that it does not know.
    #[serde(flatten)]
    pub header: CognitoEventUserPoolsHeader<String>,
    /// What stands for the code, and for the username where Cognito fills that in.
    pub request: CognitoEventUserPoolsCustomMessageRequest,
    /// The words; where there are none, the pool's own remain.
    pub response: CognitoEventUserPoolsCustomMessageResponse,
}

/// The user pool's CustomMessage trigger, which answers with the event and the words in it. Where it fails, Cognito
/// does not do what the message was for, and tells whoever asked why.
///
/// # Errors
/// When the environment lacks what the function needs, or the Runtime API is gone.
pub async fn on_message<S, H>(handle: H) -> crate::Exit
where
    S: FromEnv,
    H: Fn(&S, CustomMessage) -> Result<CustomMessage, Failure> + Copy,
{
    run(async move |state: S, message: CustomMessage, _| handle(&state, message)).await
}

/// An account that Cognito is about to make. Nothing prints it: it holds addresses.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewAccount {
    /// Why, and under which name. Its source is text: the crate's own type of the event fails at one that it does not
    /// know.
    #[serde(flatten)]
    pub header: CognitoEventUserPoolsHeader<String>,
    /// What is known of its person.
    pub request: CognitoEventUserPoolsPreSignupRequest,
    /// What is to be taken for proved; nothing, unless it says so.
    pub response: CognitoEventUserPoolsPreSignupResponse,
}

/// The user pool's PreSignUp trigger, which answers with the event it got. Where it fails, Cognito makes no account,
/// and tells whoever asked why.
///
/// # Errors
/// When the environment lacks what the function needs, or the Runtime API is gone.
pub async fn on_new_account<S, H, F>(handle: H) -> crate::Exit
where
    S: FromEnv,
    H: Fn(S, NewAccount) -> F + Copy,
    F: Future<Output = Result<(), Failure>>,
{
    run(async move |state: S, account: NewAccount, _| {
        handle(state, account.clone()).await?;
        Ok(account)
    })
    .await
}

async fn run<S, E, O>(handle: impl AsyncFn(S, E, Timestamp) -> Result<O, Failure>) -> crate::Exit
where
    S: FromEnv,
    E: DeserializeOwned,
    O: Serialize,
{
    telemetry::init();
    let state = S::from_env(&Aws::from_env()?)?;
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
                Err(failure) => {
                    failure.log(subject.as_deref(), &calls, "invocation");
                    Err(lambda_runtime::Error::from(failure.to_string()))
                }
            }
        }
    }))
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(bodies: &[&str]) -> SqsEvent {
        let records: Vec<_> =
            bodies.iter().map(|body| json!({ "messageId": format!("id of {body}"), "body": body })).collect();
        serde_json::from_value(json!({ "Records": records })).unwrap()
    }

    async fn work(_: (), message: Message<String>) -> Result<(), Failure> {
        match message.body.as_str() {
            "fail" => Err(anyhow::anyhow!("as asked"))?,
            "later" => return Err(Failure::Later("as asked")),
            "never" => return Err(Failure::Never(anyhow::anyhow!("as asked"))),
            "panic" => panic!("as asked"),
            _ => {}
        }
        Ok(())
    }

    const MESSAGES: [&str; 7] =
        [r#""one""#, r#""fail""#, r#""later""#, r#""never""#, r#""panic""#, "not JSON", r#""two""#];

    async fn come_again(dead_letters: &DeadLetters) -> Vec<String> {
        let now = Timestamp::from_unix_millis(0);
        let response = consume_batch(work, &(), dead_letters, batch(&MESSAGES), now).await;
        let again = response.batch_item_failures.into_iter();
        let mut again: Vec<_> = again.map(|failure| failure.item_identifier.replace("id of ", "")).collect();
        again.sort_unstable();
        again
    }

    #[tokio::test]
    async fn only_the_messages_that_failed_come_again() {
        let again = come_again(&failure::tests::no_queue()).await;
        assert_eq!(again, [r#""fail""#, r#""later""#, r#""never""#, r#""panic""#, "not JSON"]);
    }

    #[tokio::test]
    async fn what_never_can_be_dealt_with_goes_to_the_dead_letter_queue_at_once() {
        let (dead_letters, asked) = failure::tests::queue(200);
        assert_eq!(come_again(&dead_letters).await, [r#""fail""#, r#""later""#, r#""panic""#]);
        let asked = asked.lock().unwrap();
        let mut sent: Vec<_> = asked.iter().map(|message| message["MessageBody"].as_str().unwrap()).collect();
        sent.sort_unstable();
        assert_eq!(sent, [r#""never""#, "not JSON"]);
        assert!(asked.iter().all(|message| message["QueueUrl"] == "https://sqs/dead"));
    }

    #[tokio::test]
    async fn what_the_dead_letter_queue_does_not_take_comes_again() {
        let (dead_letters, _) = failure::tests::queue(403);
        let again = come_again(&dead_letters).await;
        assert_eq!(again, [r#""fail""#, r#""later""#, r#""never""#, r#""panic""#, "not JSON"]);
    }

    fn uploads(keys: &[&str]) -> S3Event {
        let record = |key: &&str| {
            json!({
                "eventTime": "2026-11-21T00:00:00.000Z", "userIdentity": {}, "requestParameters": {},
                "s3": { "bucket": {}, "object": { "key": key } }
            })
        };
        let records: Vec<_> = keys.iter().map(record).collect();
        serde_json::from_value(json!({ "Records": records })).unwrap()
    }

    async fn index(_: (), _: Upload, _: Timestamp) -> anyhow::Result<()> {
        Ok(())
    }

    async fn index_later(_: (), _: Upload, _: Timestamp) -> Result<(), Failure> {
        Err(Failure::Later("as asked"))
    }

    const UPLOAD: &str = "uploads/things/1/01a1fcaf-a47d-7cdc-a678-2957357ada8c/tea.png";

    #[tokio::test]
    async fn an_object_that_is_no_upload_goes_to_the_dead_letter_queue_as_lambda_would_put_it_there() {
        let (dead_letters, asked) = failure::tests::queue(200);
        let now = Timestamp::from_unix_millis(0);
        let done = index_batch(index, &(), &dead_letters, uploads(&["uploads/tea.png", UPLOAD]), now).await;
        assert!(done.is_ok());
        let asked = asked.lock().unwrap();
        let [message] = asked.as_slice() else { panic!("{asked:?}") };
        let letter: serde_json::Value =
            serde_json::from_str(message["MessageBody"].as_str().unwrap()).unwrap();
        assert_eq!(letter["requestPayload"]["Records"][0]["s3"]["object"]["key"], "uploads/tea.png");
    }

    #[tokio::test]
    async fn an_upload_that_is_not_dealt_with_comes_again() {
        let now = Timestamp::from_unix_millis(0);
        let done = index_batch(index_later, &(), &failure::tests::no_queue(), uploads(&[UPLOAD]), now).await;
        assert!(matches!(done, Err(Failure::Later("as asked"))));
    }
}
