//! A table's stream: what became of its items, each item's changes in their order.

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::Context;
use aws_lambda_events::dynamodb::{Event, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_dynamo::{AttributeValue, Item};

use super::run;
use crate::run::aws::FromEnv;
use crate::run::telemetry;
use crate::values::time::Timestamp;

/// One write to an item that changed something: a record of its table's stream.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "EventRecord")]
pub struct Change {
    /// Names it: the same at every delivery, and in this table alone.
    pub id: String,
    /// The name of the item's table.
    pub table: String,
    /// About when it was: DynamoDB writes down whole seconds.
    pub at: Timestamp,
    /// The item before and after.
    pub images: Images,
}

/// An item as it was before a change and as it was after.
#[derive(Clone, PartialEq)]
pub struct Images {
    key: Item,
    old: Item,
    new: Item,
}

/// What is in an item is nobody's business in a log, except its key.
impl std::fmt::Debug for Images {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Images({})", key_text(&self.key))
    }
}

impl Images {
    /// What `between` makes of the item before and after. A new item was nothing before, a deleted one is nothing
    /// after.
    ///
    /// Nothing comes of an item that is not what this code expects: it is logged with its key and counted as
    /// `UnreadableItem`. If it failed, all changes after it would wait for somebody to mend it.
    pub fn between<T, E>(self, between: impl FnOnce(Option<&T>, Option<&T>) -> Vec<E>) -> Vec<E>
    where
        T: DeserializeOwned,
    {
        let key = key_text(&self.key);
        match (read(self.old).context("before"), read(self.new).context("after")) {
            (Ok(old), Ok(new)) => between(old.as_ref(), new.as_ref()),
            (Err(error), _) | (_, Err(error)) => {
                tracing::error!(key, error = format!("{error:#}"), "an item of a stream cannot be read");
                telemetry::count_in_stage("UnreadableItem", 1);
                Vec::new()
            }
        }
    }
}

/// An item, if there was one.
fn read<T: DeserializeOwned>(image: Item) -> anyhow::Result<Option<T>> {
    if image.is_empty() {
        return Ok(None);
    }
    Ok(Some(serde_dynamo::from_item(image)?))
}

/// A key for the log: `orderId=01a1…`.
fn key_text(key: &Item) -> String {
    let mut parts: Vec<_> = key
        .inner()
        .iter()
        .map(|(name, value)| match value {
            AttributeValue::S(text) | AttributeValue::N(text) => format!("{name}={text}"),
            _ => format!("{name}=…"),
        })
        .collect();
    parts.sort();
    parts.join(" ")
}

/// Not everything was delivered.
#[derive(Debug)]
pub struct Undelivered {
    /// The position of the first that was not. What comes after it is delivered again.
    pub from: usize,
    /// Why.
    pub error: anyhow::Error,
}

/// Reads the stream of one or several tables. `read` says what a change means, without calling anything; `deliver` gets
/// all that a batch means, in its order, with when it came, and says where it came no further.
///
/// Where reading or delivering a change fails, Lambda delivers it again, and all that comes after it: what `deliver`
/// does must be safe to repeat. A panic of `read` is the failure of its change alone, so that bisecting the batch finds
/// it.
///
/// # Errors
/// When the environment lacks what the function needs, or the Runtime API is gone.
pub async fn changes<S, E, R, D, F>(read: R, deliver: D) -> crate::Exit
where
    S: FromEnv,
    R: Fn(&S, Change) -> anyhow::Result<Vec<E>> + Copy,
    D: Fn(S, Vec<E>, Timestamp) -> F + Copy,
    F: Future<Output = Result<(), Undelivered>>,
{
    run(async move |state: S, batch: Event, now| Ok(work(read, deliver, state, batch, now).await)).await
}

async fn work<S, E, R, D, F>(
    read: R,
    deliver: D,
    state: S,
    batch: Event,
    now: Timestamp,
) -> DynamoDbEventResponse
where
    R: Fn(&S, Change) -> anyhow::Result<Vec<E>>,
    D: Fn(S, Vec<E>, Timestamp) -> F,
    F: Future<Output = Result<(), Undelivered>>,
{
    // Of each that is to be delivered, the sequence number of its change.
    let (mut meaning, mut sources) = (Vec::new(), Vec::new());
    let mut failed = None;
    for mut record in batch.records {
        let sequence_number = record.change.sequence_number.take().unwrap_or_default();
        let told = catch_unwind(AssertUnwindSafe(|| read(&state, record.into())));
        match told.unwrap_or_else(|_| Err(anyhow::anyhow!("the handler panicked"))) {
            Ok(told) => {
                sources.extend(told.iter().map(|_| sequence_number.clone()));
                meaning.extend(told);
            }
            Err(error) => {
                tracing::error!(sequence_number, error = format!("{error:#}"), "a change failed");
                failed = Some(sequence_number);
                // What comes after it comes again with it.
                break;
            }
        }
    }
    if !meaning.is_empty()
        && let Err(Undelivered { from, error }) = deliver(state, meaning, now).await
    {
        let sequence_number = sources.swap_remove(from.min(sources.len() - 1));
        tracing::error!(sequence_number, error = format!("{error:#}"), "a change failed");
        failed = Some(sequence_number);
    }
    let mut response = DynamoDbEventResponse::default();
    if let Some(sequence_number) = failed {
        let mut failure = DynamoDbBatchItemFailure::default();
        failure.item_identifier = Some(sequence_number);
        response.batch_item_failures.push(failure);
    }
    response
}

impl From<EventRecord> for Change {
    fn from(record: EventRecord) -> Self {
        // arn:aws:dynamodb:eu-central-1:123456789012:table/NAME/stream/2026-11-21T00:00:00.000
        let arn = record.event_source_arn.unwrap_or_default();
        let table = arn.split('/').nth(1).unwrap_or_default().to_owned();
        let at = record.change.approximate_creation_date_time.timestamp_millis();
        Self {
            id: record.event_id,
            table,
            at: Timestamp::from_unix_millis(at),
            images: Images {
                key: record.change.keys,
                old: record.change.old_image,
                new: record.change.new_image,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::sync::Mutex;

    fn record(number: usize, old: Option<&str>, new: Option<&str>) -> Value {
        let image = |name: &str| json!({ "id": { "S": "tea" }, "name": { "S": name } });
        let mut change = json!({
            "ApproximateCreationDateTime": 1_795_262_400, "Keys": { "id": { "S": "tea" } },
            "SequenceNumber": number.to_string(), "SizeBytes": 26, "StreamViewType": "NEW_AND_OLD_IMAGES"
        });
        if let Some(old) = old {
            change["OldImage"] = image(old);
        }
        if let Some(new) = new {
            change["NewImage"] = image(new);
        }
        json!({
            "eventID": format!("id of {number}"), "eventName": "MODIFY", "awsRegion": "eu-central-1",
            "eventSourceARN": "arn:aws:dynamodb:eu-central-1:1:table/Things/stream/2026-11-21T00:00:00.000",
            "dynamodb": change
        })
    }

    fn now() -> Timestamp {
        Timestamp::from_unix_millis(1_795_262_400_000)
    }

    fn batch(records: &[Value]) -> Event {
        serde_json::from_value(json!({ "Records": records })).unwrap()
    }

    #[derive(serde::Deserialize)]
    struct Thing {
        name: String,
    }

    fn read(_: &(), change: Change) -> anyhow::Result<Vec<String>> {
        Ok(change.images.between(|old: Option<&Thing>, new| {
            let name = |thing: Option<&Thing>| thing.map_or("nothing", |thing| &thing.name).to_owned();
            assert_ne!(name(new), "panic");
            if name(new) == "silent" { vec![] } else { vec![format!("{} to {}", name(old), name(new))] }
        }))
    }

    /// Works a batch whose delivery comes as far as `until`, and gives what was handed over and what comes again.
    async fn worked(records: &[Value], until: Option<usize>) -> (Vec<String>, Vec<String>) {
        let handed_over = Mutex::new(Vec::new());
        let deliver = |(), told, at: Timestamp| {
            assert_eq!(at, now());
            *handed_over.lock().unwrap() = told;
            let error = || anyhow::anyhow!("as asked");
            std::future::ready(until.map_or(Ok(()), |from| Err(Undelivered { from, error: error() })))
        };
        let response = work(read, deliver, (), batch(records), now()).await;
        let again = response.batch_item_failures.into_iter();
        let again = again.filter_map(|failure| failure.item_identifier).collect();
        (handed_over.into_inner().unwrap(), again)
    }

    #[tokio::test]
    async fn what_a_batch_means_is_delivered_in_its_order() {
        let records = [
            record(1, None, Some("tea")),
            record(2, Some("tea"), Some("mate")),
            record(3, Some("mate"), None),
        ];
        let told = ["nothing to tea", "tea to mate", "mate to nothing"];
        assert_eq!(worked(&records, None).await, (told.map(str::to_owned).into(), vec![]));
    }

    #[tokio::test]
    async fn the_first_change_that_was_not_delivered_comes_again() {
        let records =
            [record(1, None, Some("a")), record(2, None, Some("silent")), record(3, None, Some("b"))];
        assert_eq!(worked(&records, Some(1)).await.1, ["3"]);
    }

    #[tokio::test]
    async fn a_panic_is_the_failure_of_its_change() {
        let records =
            [record(1, None, Some("a")), record(2, None, Some("panic")), record(3, None, Some("b"))];
        assert_eq!(worked(&records, None).await, (vec!["nothing to a".to_owned()], vec!["2".to_owned()]));
        assert_eq!(worked(&records, Some(0)).await.1, ["1"], "the first failure counts");
    }

    #[tokio::test]
    async fn an_item_that_cannot_be_read_blocks_nothing() {
        for image in ["OldImage", "NewImage"] {
            let mut unreadable = record(1, Some("a"), Some("b"));
            unreadable["dynamodb"][image] = json!({ "id": { "S": "tea" }, "name": { "N": "1" } });
            let records = [unreadable, record(2, None, Some("c"))];
            assert_eq!(worked(&records, None).await, (vec!["nothing to c".to_owned()], vec![]));
        }
    }

    #[tokio::test]
    async fn nothing_is_delivered_of_a_batch_that_means_nothing() {
        assert_eq!(worked(&[record(1, None, Some("silent"))], Some(0)).await, (vec![], vec![]));
    }

    #[test]
    fn a_change_knows_its_table_and_prints_its_key_alone() {
        let event = batch(&[record(1, None, Some("secret"))]);
        let change = Change::from(event.records.into_iter().next().unwrap());
        assert_eq!((change.id.as_str(), change.table.as_str()), ("id of 1", "Things"));
        assert_eq!(change.at.to_string(), "2026-11-21T12:00:00.000Z");
        let printed = format!("{change:?}");
        assert!(printed.contains("Images(id=tea)") && !printed.contains("secret"), "{printed}");
    }
}
