//! Deliveries: one event for one endpoint, until it is taken or given up.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::http::Parameter;
use shared::values::time::Timestamp;
use uuid::Uuid;

use crate::EndpointId;

shared::id!(
    /// Names a delivery: made from its endpoint's id and its event's, so that an event that comes twice is one.
    DeliveryId
);

impl DeliveryId {
    /// The delivery of this event to this endpoint.
    pub fn of(endpoint: EndpointId, event: Uuid) -> Self {
        Self::from(Uuid::new_v5(&endpoint.into(), event.as_bytes()))
    }
}

/// How long a delivery is kept.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// How long after each failed attempt the next one follows, at least. With jitter it is up to a fifth longer, so that
/// what failed together does not come together.
const SCHEDULE: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
];

/// Longer than a sender may run, so that a live one is never overtaken.
pub const LEASE: Duration = Duration::from_mins(1);

/// When a sweep looks at what a queue should have brought.
pub const LEFT_TO_THE_QUEUE: Duration = Duration::from_mins(2);

/// How much of an answer is kept, in bytes.
pub const ANSWER_KEPT: usize = 1024;

/// The shape in which deliveries are written.
const SCHEMA_VERSION: u32 = 1;

shared::names!(
    /// How far a delivery is.
    pub enum DeliveryStatus {
        /// It is to be sent, or sent again.
        Pending = "pending",
        /// It was taken.
        Delivered = "delivered",
        /// It was not, as often as it was tried.
        Failed = "failed",
        /// Its endpoint was deleted or switched off before it was taken.
        Stopped = "stopped",
    }
);

impl Parameter for DeliveryStatus {
    const NAME: &'static str = "status";
}

shared::names!(
    /// Why there was no answer.
    pub enum Fault {
        /// None came in time.
        TimedOut = "timed_out",
        /// Nobody was there, or the connection broke.
        NotConnected = "not_connected",
        /// The host has an address that is not of the open internet.
        NotPublic = "not_public",
    }
);

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    at: Timestamp,
    took_millis: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
    /// How the answer begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
}

impl Attempt {
    /// One that was answered. What is no text in the answer is replaced, and what stands for no character left out.
    pub fn answered(at: Timestamp, took: Duration, status: u16, answer: &[u8]) -> Self {
        let begins = String::from_utf8_lossy(&answer[..answer.len().min(ANSWER_KEPT)]);
        let begins: String = begins.chars().filter(|c| !c.is_control() || "\t\n\r".contains(*c)).collect();
        let answer = (!begins.is_empty()).then_some(begins);
        Self { at, took_millis: millis(took), status: Some(status), fault: None, answer }
    }

    /// One that was not.
    pub fn unanswered(at: Timestamp, took: Duration, fault: Fault) -> Self {
        Self { at, took_millis: millis(took), status: None, fault: Some(fault), answer: None }
    }

    /// When it was over.
    pub fn ended_at(&self) -> Timestamp {
        self.at + Duration::from_millis(self.took_millis.into())
    }

    /// Whether the event was taken.
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether the receiver says that it is gone for good.
    pub fn says_gone(&self) -> bool {
        self.status == Some(410)
    }
}

fn millis(took: Duration) -> u32 {
    u32::try_from(took.as_millis()).unwrap_or(u32::MAX)
}

/// What becomes of a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it was taken.
    Done,
    /// It is sent again, then.
    Again(Timestamp),
    /// Nothing: it was tried as often as it is.
    GivenUp,
}

/// One event for one endpoint, as the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    #[serde(rename = "webhookId")]
    id: DeliveryId,
    endpoint_id: EndpointId,
    event_id: Uuid,
    #[serde(rename = "type")]
    kind: String,
    /// The event as it is sent, to the byte, at every attempt.
    body: String,
    status: DeliveryStatus,
    /// How often it was tried since it was recorded, or since somebody wanted it sent again.
    attempts: u32,
    #[serde(default)]
    is_test: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_attempt: Option<Attempt>,
    /// While it is to be sent: in whose part of the index of what is due it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<EndpointId>,
    /// When a sweep looks at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
    /// When it is sent again, after an attempt that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    again_at: Option<Timestamp>,
    /// Until when whoever sends it alone does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease_until: Option<Timestamp>,
    created_at: Timestamp,
    /// In seconds since 1970, as DynamoDB's time to live takes it.
    expires_at: i64,
    schema_version: u32,
}

impl Delivery {
    /// The delivery of an event, to be sent.
    pub fn new(endpoint: EndpointId, event_id: Uuid, kind: String, body: String, now: Timestamp) -> Self {
        Self {
            id: DeliveryId::of(endpoint, event_id),
            endpoint_id: endpoint,
            event_id,
            kind,
            body,
            status: DeliveryStatus::Pending,
            attempts: 0,
            is_test: false,
            last_attempt: None,
            due: Some(endpoint),
            due_at: Some(now + LEFT_TO_THE_QUEUE),
            again_at: None,
            lease_until: None,
            created_at: now,
            expires_at: (now + KEPT).unix_seconds(),
            schema_version: SCHEMA_VERSION,
        }
    }

    /// The same as a test that is being sent already, and only once.
    #[must_use]
    pub fn as_test(self, now: Timestamp) -> Self {
        let until = Some(now + LEASE);
        Self { is_test: true, attempts: 1, lease_until: until, due_at: until, ..self }
    }

    /// Its name.
    pub fn id(&self) -> DeliveryId {
        self.id
    }

    /// To whom it goes.
    pub fn endpoint(&self) -> EndpointId {
        self.endpoint_id
    }

    /// Which event it is of, as receivers know it: the same at every attempt.
    pub fn event(&self) -> Uuid {
        self.event_id
    }

    /// How far it is.
    pub fn status(&self) -> DeliveryStatus {
        self.status
    }

    /// What is sent.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// How often it was tried.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether it is still to be sent after so many attempts, and nobody is at it.
    pub fn awaits(&self, attempts: u32, now: Timestamp) -> bool {
        let is_free = self.lease_until.is_none_or(|until| until <= now);
        self.status == DeliveryStatus::Pending && self.attempts == attempts && is_free
    }

    /// What becomes of it after its attempt number `attempts`, counted from 1; `random` spreads it.
    pub fn after(&self, attempts: u32, attempt: &Attempt, random: u32) -> Next {
        if attempt.is_success() {
            return Next::Done;
        }
        if self.is_test || attempt.says_gone() {
            return Next::GivenUp;
        }
        let place = usize::try_from(attempts).unwrap_or(usize::MAX).saturating_sub(1);
        SCHEDULE.get(place).map_or(Next::GivenUp, |least| {
            let more = least.mul_f64(f64::from(random) / f64::from(u32::MAX) / 5.0);
            Next::Again(attempt.ended_at() + *least + more)
        })
    }

    /// The delivery with what came of its attempt.
    #[must_use]
    pub fn with(self, attempt: Attempt, next: Next) -> Self {
        let (due, due_at, again_at) = match next {
            Next::Again(at) => (self.due, Some(next.looked_at(attempt.ended_at(), at)), Some(at)),
            Next::Done | Next::GivenUp => (None, None, None),
        };
        let last_attempt = Some(attempt);
        Self { status: next.status(), due, due_at, again_at, last_attempt, lease_until: None, ..self }
    }
}

/// The longest that a message may wait in a queue before it is delivered.
const LONGEST_IN_A_QUEUE: Duration = Duration::from_mins(15);

impl Next {
    /// How long a message about it waits in the queue at `now`; `None` where there is none: it is over, or the index of
    /// what is due tells when its time has come.
    pub fn wait(self, now: Timestamp) -> Option<Duration> {
        let Self::Again(at) = self else { return None };
        let millis = u64::try_from(at.unix_millis() - now.unix_millis()).unwrap_or_default();
        Some(Duration::from_millis(millis)).filter(|wait| *wait <= LONGEST_IN_A_QUEUE)
    }

    /// When a sweep looks at it: at its time, or later where the queue should have brought it.
    pub fn looked_at(self, now: Timestamp, at: Timestamp) -> Timestamp {
        if self.wait(now).is_some() { at + LEFT_TO_THE_QUEUE } else { at }
    }

    /// How far the delivery is then.
    pub fn status(self) -> DeliveryStatus {
        match self {
            Self::Done => DeliveryStatus::Delivered,
            Self::Again(_) => DeliveryStatus::Pending,
            Self::GivenUp => DeliveryStatus::Failed,
        }
    }
}

/// What admins see of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryView {
    id: DeliveryId,
    webhook_id: EndpointId,
    event_id: Uuid,
    #[serde(rename = "type")]
    kind: String,
    status: DeliveryStatus,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_attempt: Option<Attempt>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<Timestamp>,
    created_at: Timestamp,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id,
            webhook_id: delivery.endpoint_id,
            event_id: delivery.event_id,
            kind: delivery.kind,
            status: delivery.status,
            attempts: delivery.attempts,
            next_attempt_at: delivery.again_at,
            last_attempt: delivery.last_attempt,
            created_at: delivery.created_at,
        }
    }
}

/// A page of an endpoint's deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryList {
    pub(crate) deliveries: Vec<DeliveryView>,
    pub(crate) next_cursor: Option<String>,
}
