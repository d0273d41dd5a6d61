//! Webhooks out: what happened in the shop, told to addresses that its admins choose, as Standard Webhooks says.
//!
//! An [`Endpoint`] says where to and of what, and with which secrets. Of each event one [`Delivery`] is recorded for
//! each endpoint that wants it ([`queueing`]); it is sent until it is taken, or for three days ([`sending`]), and what
//! is due later or was left over is queued again ([`sweep`]). [`store`] keeps both in DynamoDB.

mod delivery;
pub mod queueing;
pub mod receiver;
mod secret;
pub mod sending;
pub mod store;
pub mod sweep;
mod types;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::dynamo::list::Page;
use shared::http::input::{Field, Value, whole_number};
use shared::http::problem::{CONFLICT, Kind, Problem, StatusCode};
use shared::run::outside::check_url;
use shared::values::time::Timestamp;
use shared::values::url::HttpsUrl;

pub use delivery::{Attempt, Delivery, DeliveryId, DeliveryList, DeliveryStatus, DeliveryView, Fault, Next};
pub use queueing::{DeliveryQueue, Queued};
pub use secret::{Secret, signatures};
pub use store::Webhooks;
pub use types::EventType;

shared::id!(
    /// Names an endpoint.
    EndpointId
);

shared::text!(
    /// What admins call an endpoint.
    Description, 1..=200
);

/// How many types there are to choose from.
const MOST_TYPES: usize = EventType::ALL.len();

/// For how many hours a secret may sign on beside the one that took its place.
const LONGEST_KEPT: u32 = 168;

/// How long an endpoint may fail, without one delivery that it takes, until it is switched off.
pub const PATIENCE: Duration = Duration::from_hours(5 * 24);

/// The shape in which endpoints are written.
const SCHEMA_VERSION: u32 = 1;

/// 409: there are as many endpoints as there may be.
const TOO_MANY: Kind = Kind::new(StatusCode::CONFLICT, "too-many-webhooks", "Too many webhooks");
/// 409: the endpoint is switched off.
const OFF: Kind = Kind::new(StatusCode::CONFLICT, "webhook-off", "Webhook switched off");

/// Where deliveries go: a URL of the open web, on the port that goes with `https`, to a host's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Target(HttpsUrl);

impl Field for Target {
    fn parse(value: Value) -> Result<Self, String> {
        let url = HttpsUrl::parse(value)?;
        check_url(&url.to_string())
            .map_err(|_| "must name a host, not an address, and leave the port at 443")?;
        Ok(Self(url))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Types of events, each once, in the order of their declaration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Types(Vec<EventType>);

impl Field for Types {
    fn parse(value: Value) -> Result<Self, String> {
        let Value::Array(values) = value else { return Err("must be an array".into()) };
        if !(1..=MOST_TYPES).contains(&values.len()) {
            return Err(format!("must have 1 to {MOST_TYPES} entries, but has {}", values.len()));
        }
        let types = values.into_iter().map(EventType::parse).collect::<Result<Vec<_>, _>>();
        let mut types = types.map_err(|fault| format!("must be entries each of which {fault}"))?;
        types.sort();
        if types.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err("must be entries each of which is named once".into());
        }
        Ok(Self(types))
    }
}

/// For how many hours something goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours(u32);

impl Field for Hours {
    fn parse(value: Value) -> Result<Self, String> {
        whole_number(&value, 0..=LONGEST_KEPT).map(Self)
    }
}

shared::body!(
    /// An endpoint as an admin wants it, all of it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct EndpointChanges {
        url: Target,
        types: Types,
        description: Option<Description>,
        is_active: Option<bool>,
    }
);

shared::body!(
    /// How an admin wants another secret.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub struct Rotation {
        keep_old_for_hours: Option<Hours>,
    }
);

impl Rotation {
    /// How long the old secret signs on: a day, unless they said otherwise.
    fn kept(self) -> Duration {
        Duration::from_hours(self.keep_old_for_hours.map_or(24, |Hours(hours)| u64::from(hours)))
    }
}

shared::names!(
    /// Why an endpoint is switched off.
    pub enum WhyOff {
        /// An admin wants it so.
        ByAdmin = "by_admin",
        /// It answered 410: it is gone.
        Gone = "gone",
        /// It has taken nothing for [`PATIENCE`].
        Failing = "failing",
    }
);

/// That an endpoint is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Off {
    why: WhyOff,
    at: Timestamp,
    /// Since when the admins know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told_at: Option<Timestamp>,
}

/// A secret that signs on for a while, so that its receiver can change it at leisure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct OldSecret {
    secret: Secret,
    until: Timestamp,
}

/// Where what happened is told, as the table keeps it. It changes under its `version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    #[serde(rename = "entry")]
    id: EndpointId,
    url: Target,
    types: Types,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<Description>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    off: Option<Off>,
    secret: Secret,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    old_secret: Option<OldSecret>,
    version: u32,
    created_at: Timestamp,
    updated_at: Timestamp,
    schema_version: u32,
}

impl Endpoint {
    /// One that an admin wants from `now` on.
    pub fn new(new: EndpointChanges, secret: Secret, now: Timestamp) -> Self {
        let EndpointChanges { url, types, description, is_active } = new;
        let off = (is_active == Some(false)).then_some(Off { why: WhyOff::ByAdmin, at: now, told_at: None });
        Self {
            id: EndpointId::at(now),
            url,
            types,
            description,
            off,
            secret,
            old_secret: None,
            version: 1,
            created_at: now,
            updated_at: now,
            schema_version: SCHEMA_VERSION,
        }
    }

    /// Its name.
    pub fn id(&self) -> EndpointId {
        self.id
    }

    /// Where deliveries go.
    pub fn url(&self) -> &Target {
        &self.url
    }

    /// Whether it is told anything.
    pub fn is_on(&self) -> bool {
        self.off.is_none()
    }

    /// Whether it is told of events of this type.
    pub fn wants(&self, kind: &str) -> bool {
        self.is_on() && self.types.0.iter().any(|one| one.as_str() == kind)
    }

    /// What signs at `now`: one secret, or two.
    pub fn secrets(&self, now: Timestamp) -> Vec<Secret> {
        let old = self.old_secret.filter(|old| now < old.until).map(|old| old.secret);
        std::iter::once(self.secret).chain(old).collect()
    }

    /// The endpoint as an admin wants it from `now` on; `None` where nothing is different. Switched on again, it is as
    /// if it had never failed.
    pub fn changed(&self, changes: &EndpointChanges, now: Timestamp) -> Option<Self> {
        let EndpointChanges { url, types, description, is_active } = changes.clone();
        let off = match is_active {
            None => self.off,
            Some(true) => None,
            Some(false) => self.off.or(Some(Off { why: WhyOff::ByAdmin, at: now, told_at: None })),
        };
        Self { url, types, description, off, ..self.clone() }.if_not(self, now)
    }

    /// The endpoint with another secret. The old one signs on until it is dropped. While an older one still does, the
    /// one in between gives way, and not the one that receivers are known to have: so a rotation whose answer was lost
    /// can be done again.
    #[must_use]
    pub fn rotated(&self, rotation: Rotation, secret: Secret, now: Timestamp) -> Self {
        let kept = rotation.kept();
        let known = self.old_secret.filter(|old| now < old.until).map_or(self.secret, |old| old.secret);
        let old_secret = (!kept.is_zero()).then_some(OldSecret { secret: known, until: now + kept });
        Self { secret, old_secret, version: self.version + 1, updated_at: now, ..self.clone() }
    }

    /// The endpoint when it is switched off; `None` where it is already.
    pub fn switched_off(&self, why: WhyOff, now: Timestamp) -> Option<Self> {
        let off = self.off.or(Some(Off { why, at: now, told_at: None }));
        Self { off, ..self.clone() }.if_not(self, now)
    }

    /// Why it was switched off, if its admins did not do that themselves and have not been told.
    pub fn untold(&self) -> Option<WhyOff> {
        self.off.filter(|off| off.told_at.is_none() && off.why != WhyOff::ByAdmin).map(|off| off.why)
    }

    /// The endpoint when they have been; `None` where there is nothing to tell.
    pub fn told(&self, now: Timestamp) -> Option<Self> {
        self.untold()?;
        let off = self.off.map(|off| Off { told_at: Some(now), ..off });
        Self { off, ..self.clone() }.if_not(self, now)
    }

    fn if_not(self, before: &Self, now: Timestamp) -> Option<Self> {
        (self != *before).then(|| Self { version: before.version + 1, updated_at: now, ..self })
    }
}

/// What admins see of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointView {
    id: EndpointId,
    url: Target,
    types: Types,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Description>,
    is_active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    off_because: Option<WhyOff>,
    #[serde(skip_serializing_if = "Option::is_none")]
    off_since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_secret_until: Option<Timestamp>,
    version: u32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl EndpointView {
    /// What is to be seen at `now`.
    pub fn of(endpoint: &Endpoint, now: Timestamp) -> Self {
        let old = endpoint.old_secret.filter(|old| now < old.until);
        Self {
            id: endpoint.id,
            url: endpoint.url.clone(),
            types: endpoint.types.clone(),
            description: endpoint.description.clone(),
            is_active: endpoint.is_on(),
            off_because: endpoint.off.map(|off| off.why),
            off_since: endpoint.off.map(|off| off.at),
            old_secret_until: old.map(|old| old.until),
            version: endpoint.version,
            created_at: endpoint.created_at,
            updated_at: endpoint.updated_at,
        }
    }

    /// Counts the changes, from 1.
    pub fn version(&self) -> u32 {
        self.version
    }
}

/// An endpoint with its newest secret, for whoever has just made that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewSecret {
    secret: Secret,
    #[serde(flatten)]
    endpoint: EndpointView,
}

impl NewSecret {
    /// Of an endpoint whose secret was made at `now`.
    pub fn of(endpoint: &Endpoint, now: Timestamp) -> Self {
        Self { secret: endpoint.secret, endpoint: EndpointView::of(endpoint, now) }
    }
}

/// All endpoints: there are few.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndpointList {
    webhooks: Vec<EndpointView>,
}

impl EndpointList {
    /// As they are at `now`, in the order in which they were made.
    pub fn of(endpoints: &[Endpoint], now: Timestamp) -> Self {
        Self { webhooks: endpoints.iter().map(|endpoint| EndpointView::of(endpoint, now)).collect() }
    }
}

impl From<Page<Delivery>> for DeliveryList {
    fn from(page: Page<Delivery>) -> Self {
        let Page { entries, next_cursor } = page.map(DeliveryView::from);
        Self { deliveries: entries, next_cursor }
    }
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such endpoint.
    #[error("there is no such endpoint")]
    NotFound,
    /// There is no such delivery, or not any more.
    #[error("there is no such delivery")]
    NoDelivery,
    /// There are as many endpoints as there may be.
    #[error("there are {0} endpoints")]
    TooMany(u32),
    /// The endpoint is switched off.
    #[error("the endpoint is switched off")]
    Off,
    /// The delivery is on its way at this moment.
    #[error("the delivery is being sent")]
    BeingSent,
    /// It is not, or no longer, a version that the request is about.
    #[error("the endpoint is another version")]
    AnotherVersion,
    /// Others changed it again and again at the same time.
    #[error("the endpoint was changed by others at the same time")]
    ChangedMeanwhile,
    /// A call failed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::not_found("webhook"),
            Error::NoDelivery => Self::not_found("delivery"),
            Error::TooMany(most) => {
                let detail =
                    format!("There are {most} webhooks already, which is the most. Delete one first.");
                Self::new(TOO_MANY, detail)
            }
            Error::Off => Self::new(
                OFF,
                "The webhook is switched off, so nothing is sent to it. Switch it on with isActive first.",
            ),
            Error::BeingSent => Self::new(
                CONFLICT,
                "The delivery is being sent at this moment. Please look again in a minute.",
            ),
            Error::AnotherVersion => Self::another_version("webhook"),
            Error::ChangedMeanwhile => {
                Self::new(CONFLICT, "The webhook was changed by others at the same time. Please try again.")
            }
            Error::Failed(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests;
