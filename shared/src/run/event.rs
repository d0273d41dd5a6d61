//! The envelope in which what happened is told to whoever subscribed: a CloudEvent of version 1.0, in JSON.
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::time::Timestamp;

/// Something that happened, as it is told to whoever subscribed. `K` names its kind, `D` has the facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudEvent<K, D> {
    specversion: SpecVersion,
    /// Names the event: the same at every repetition, so whoever saw it before may pass over it.
    pub id: Uuid,
    /// What it happened in: `/cartwright/production/` and a service.
    pub source: String,
    /// What kind of event it is: `order.shipped`.
    #[serde(rename = "type")]
    pub kind: K,
    /// The id of what it happened to.
    pub subject: String,
    /// When it happened.
    pub time: Timestamp,
    datacontenttype: ContentType,
    /// Names the shape of `data`, with its version.
    pub dataschema: String,
    /// The facts: ids, amounts, codes. Names, addresses and tokens are never among them.
    pub data: D,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum SpecVersion {
    #[serde(rename = "1.0")]
    One,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum ContentType {
    #[serde(rename = "application/json")]
    Json,
}

impl<K, D> CloudEvent<K, D> {
    /// An event whose data is JSON.
    pub fn new(
        id: Uuid,
        source: String,
        kind: K,
        subject: String,
        time: Timestamp,
        dataschema: String,
        data: D,
    ) -> Self {
        let (specversion, datacontenttype) = (SpecVersion::One, ContentType::Json);
        Self { specversion, id, source, kind, subject, time, datacontenttype, dataschema, data }
    }
}
