//! What a webhook says. It is read for the few fields that have been the same for years, so an event of another version
//! of Stripe's API is understood as well; and what is not this shop's is known without reading anything.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::values::time::Timestamp;

use crate::ids::{EventId, Shop};
use crate::stripe::{Dispute, Intent, Metadata, Page, Refund, Session, seconds};

shared::names!(
    /// What Stripe is asked to tell. A declined card is not among it: the buyer may try again.
    pub enum EventType {
        /// A session is through; its money may still be on its way.
        SessionCompleted = "checkout.session.completed",
        /// A session can no longer be paid.
        SessionExpired = "checkout.session.expired",
        /// The money of a completed session has come.
        SessionSucceeded = "checkout.session.async_payment_succeeded",
        /// The money of a completed session does not come.
        SessionFailed = "checkout.session.async_payment_failed",
        /// A PaymentIntent is paid.
        IntentSucceeded = "payment_intent.succeeded",
        /// A PaymentIntent can no longer be paid.
        IntentCanceled = "payment_intent.canceled",
        /// A refund was made, here or in the Dashboard.
        RefundCreated = "refund.created",
        /// Something about a refund is different.
        RefundUpdated = "refund.updated",
        /// A refund's money came back, perhaps after it had succeeded.
        RefundFailed = "refund.failed",
        /// A buyer has asked the bank for the money.
        DisputeCreated = "charge.dispute.created",
        /// The bank has taken it.
        DisputeWithdrawn = "charge.dispute.funds_withdrawn",
        /// The bank has given it back.
        DisputeReinstated = "charge.dispute.funds_reinstated",
        /// It is decided who keeps the money.
        DisputeClosed = "charge.dispute.closed",
    }
);

shared::names!(
    /// Whether money is real.
    pub enum Mode {
        /// It is not.
        Test = "test",
        /// It is.
        Live = "live",
    }
);

shared::names!(
    /// Why an event is not this shop's.
    pub enum Foreign {
        /// It is about real money where all is play, or the reverse.
        Mode = "livemode",
        /// It is about something that nobody here follows.
        Type = "type",
        /// It is about another shop, or about no shop at all.
        Shop = "shop",
    }
);

/// Which events are this shop's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ours {
    /// Those of this shop.
    pub shop: Shop,
    /// In this mode.
    pub mode: Mode,
}

/// An event, as far as it is this shop's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// It is.
    Ours(Event),
    /// It is not.
    Foreign(Foreign),
}

/// Something that happened at Stripe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its name. The same thing may be told by several events, so it is for the log and not for knowing what is done.
    pub id: EventId,
    /// When it happened.
    pub created: Option<Timestamp>,
    /// What happened, and to what. The object is as it was then.
    pub happened: Happened,
}

/// What happened. Refunds and disputes that were made in the Dashboard say nothing of a shop: whose they are is known by
/// their PaymentIntent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// A session is through; its money may still be on its way.
    SessionCompleted(Session),
    /// A session can no longer be paid.
    SessionExpired(Session),
    /// The money of a completed session has come.
    SessionSucceeded(Session),
    /// The money of a completed session does not come.
    SessionFailed(Session),
    /// A PaymentIntent is paid.
    IntentSucceeded(Intent),
    /// A PaymentIntent can no longer be paid.
    IntentCanceled(Intent),
    /// A refund was made, here or in the Dashboard.
    RefundCreated(Refund),
    /// Something about a refund is different.
    RefundUpdated(Refund),
    /// A refund's money came back, perhaps after it had succeeded.
    RefundFailed(Refund),
    /// A buyer has asked the bank for the money.
    DisputeCreated(Dispute),
    /// The bank has taken it.
    DisputeWithdrawn(Dispute),
    /// The bank has given it back.
    DisputeReinstated(Dispute),
    /// It is decided who keeps the money.
    DisputeClosed(Dispute),
}

/// What was signed by Stripe and is no event all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no event of Stripe's, or its object has no id")]
pub struct Unreadable;

/// A page of what happened, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// Its events.
    pub events: Vec<Delivered>,
    /// After which one the next page begins, if there is one.
    pub next: Option<EventId>,
}

impl Delivered {
    /// Reads the body of a webhook, whose signature was checked.
    ///
    /// # Errors
    /// When it is no event.
    pub fn read(body: &[u8], ours: &Ours) -> Result<Self, Unreadable> {
        Self::of(serde_json::from_slice(body).map_err(|_| Unreadable)?, ours)
    }

    fn of(event: Value, ours: &Ours) -> Result<Self, Unreadable> {
        let envelope = Envelope::deserialize(event).map_err(|_| Unreadable)?;
        if envelope.mode() != ours.mode {
            return Ok(Self::Foreign(Foreign::Mode));
        }
        let Ok(kind) = envelope.kind.parse() else { return Ok(Self::Foreign(Foreign::Type)) };
        let happened = Happened::read(kind, envelope.data.object)?;
        if !happened.may_be_of(&ours.shop) {
            return Ok(Self::Foreign(Foreign::Shop));
        }
        Ok(Self::Ours(Event { id: envelope.id, created: envelope.created, happened }))
    }
}

impl EventPage {
    pub(crate) fn of(page: Page<Value>, ours: &Ours) -> Result<Self, Unreadable> {
        let last = page.data.last().filter(|_| page.has_more);
        let next = last.map(|last| EventId::deserialize(&last["id"])).transpose().map_err(|_| Unreadable)?;
        let events = page.data.into_iter().map(|event| Delivered::of(event, ours));
        Ok(Self { events: events.collect::<Result<_, _>>()?, next })
    }
}

/// What is around the object.
#[derive(Deserialize)]
struct Envelope {
    id: EventId,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    livemode: bool,
    #[serde(default, deserialize_with = "seconds")]
    created: Option<Timestamp>,
    #[serde(default)]
    data: Data,
}

#[derive(Deserialize, Default)]
struct Data {
    #[serde(default)]
    object: Value,
}

impl Envelope {
    fn mode(&self) -> Mode {
        if self.livemode { Mode::Live } else { Mode::Test }
    }
}

impl Happened {
    fn read(kind: EventType, object: Value) -> Result<Self, Unreadable> {
        fn of<T: DeserializeOwned>(
            object: Value,
            happened: fn(T) -> Happened,
        ) -> Result<Happened, Unreadable> {
            T::deserialize(object).map(happened).map_err(|_| Unreadable)
        }
        match kind {
            EventType::SessionCompleted => of(object, Self::SessionCompleted),
            EventType::SessionExpired => of(object, Self::SessionExpired),
            EventType::SessionSucceeded => of(object, Self::SessionSucceeded),
            EventType::SessionFailed => of(object, Self::SessionFailed),
            EventType::IntentSucceeded => of(object, Self::IntentSucceeded),
            EventType::IntentCanceled => of(object, Self::IntentCanceled),
            EventType::RefundCreated => of(object, Self::RefundCreated),
            EventType::RefundUpdated => of(object, Self::RefundUpdated),
            EventType::RefundFailed => of(object, Self::RefundFailed),
            EventType::DisputeCreated => of(object, Self::DisputeCreated),
            EventType::DisputeWithdrawn => of(object, Self::DisputeWithdrawn),
            EventType::DisputeReinstated => of(object, Self::DisputeReinstated),
            EventType::DisputeClosed => of(object, Self::DisputeClosed),
        }
    }

    /// Whether it may be this shop's. A session and a PaymentIntent of ours say so; a refund or a dispute that does not
    /// say whose it is may be anybody's.
    fn may_be_of(&self, shop: &Shop) -> bool {
        let says = |metadata: &Metadata| metadata.shop.as_deref() == Some(shop.as_str());
        match self {
            Self::SessionCompleted(session)
            | Self::SessionExpired(session)
            | Self::SessionSucceeded(session)
            | Self::SessionFailed(session) => says(&session.metadata),
            Self::IntentSucceeded(intent) | Self::IntentCanceled(intent) => says(&intent.metadata),
            Self::RefundCreated(refund) | Self::RefundUpdated(refund) | Self::RefundFailed(refund) => {
                refund.metadata.shop.is_none() || says(&refund.metadata)
            }
            Self::DisputeCreated(_)
            | Self::DisputeWithdrawn(_)
            | Self::DisputeReinstated(_)
            | Self::DisputeClosed(_) => true,
        }
    }
}
