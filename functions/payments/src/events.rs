//! What a webhook says. It is read for the few fields that have been the same for years, so an event of another version
//! of Stripe's API is understood as well; and what is not this shop's is known without reading anything.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError, Stage};
use shared::values::time::Timestamp;

use crate::ids::{EventId, Shop};
use crate::stripe::{Dispute, Intent, Metadata, Page, Refund, Session, or_default, seconds};

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

impl FromEnv for Ours {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        let mode = match config::required("STAGE")? {
            Stage::Production => Mode::Live,
            Stage::Local | Stage::Staging => Mode::Test,
        };
        Ok(Self { shop: config::required("SHOP_NAME")?, mode })
    }
}

/// An event, as far as it is this shop's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// It is.
    Ours(Box<Event>),
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

/// What happened. Refunds and disputes that were made in the Dashboard say nothing of a shop: whose they are is known
/// by their PaymentIntent.
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

/// A page of what happened, the newest first. What is no event is left out: one must not take all others from whoever
/// looks for what was missed.
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
        Ok(Self::Ours(Box::new(Event { id: envelope.id, created: envelope.created, happened })))
    }
}

impl EventPage {
    pub(crate) fn of(page: Page<Value>, ours: &Ours) -> Result<Self, Unreadable> {
        let last = page.data.last().filter(|_| page.has_more);
        let next = last.map(|last| EventId::deserialize(&last["id"])).transpose().map_err(|_| Unreadable)?;
        let events = page.data.into_iter().filter_map(|event| Delivered::of(event, ours).ok());
        Ok(Self { events: events.collect(), next })
    }
}

/// What is around the object.
#[derive(Deserialize)]
struct Envelope {
    id: EventId,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    livemode: bool,
    #[serde(default, deserialize_with = "seconds")]
    created: Option<Timestamp>,
    #[serde(default, deserialize_with = "or_default")]
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

    /// Whether it is about money that comes, and not about what becomes of it later.
    pub(crate) fn is_of_money_that_comes(&self) -> bool {
        match self {
            Self::SessionCompleted(_)
            | Self::SessionExpired(_)
            | Self::SessionSucceeded(_)
            | Self::SessionFailed(_)
            | Self::IntentSucceeded(_)
            | Self::IntentCanceled(_) => true,
            Self::RefundCreated(_)
            | Self::RefundUpdated(_)
            | Self::RefundFailed(_)
            | Self::DisputeCreated(_)
            | Self::DisputeWithdrawn(_)
            | Self::DisputeReinstated(_)
            | Self::DisputeClosed(_) => false,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stripe::PaymentStatus;
    use serde_json::json;

    const PAYMENT: &str = "01890a5d-ac96-774b-bcce-b302099a8058";

    fn ours() -> Ours {
        Ours { shop: Shop::new("cartwright-local").unwrap(), mode: Mode::Test }
    }

    fn event(kind: &str, object: &Value) -> Value {
        json!({ "id": "evt_1", "object": "event", "type": kind, "livemode": false, "created": 1_790_000_000,
            "api_version": "2026-09-30.endive", "data": { "object": object } })
    }

    fn paid() -> Value {
        json!({ "id": "cs_1", "object": "checkout.session", "status": "complete", "payment_status": "paid",
            "amount_total": 2701, "currency": "eur", "payment_intent": "pi_1",
            "metadata": { "shop": "cartwright-local", "payment_id": PAYMENT } })
    }

    fn read(event: &Value) -> Result<Delivered, Unreadable> {
        Delivered::read(event.to_string().as_bytes(), &ours())
    }

    fn happened(kind: &str, object: &Value) -> Option<Happened> {
        match read(&event(kind, object)) {
            Ok(Delivered::Ours(event)) => Some(event.happened),
            _ => None,
        }
    }

    #[test]
    fn a_paid_session_tells_which_payment_it_is_and_how_much_it_was() {
        let Ok(Delivered::Ours(event)) = read(&event("checkout.session.completed", &paid())) else {
            panic!("this is ours")
        };
        assert_eq!(event.id, "evt_1".parse().unwrap());
        assert_eq!(event.created, Some(Timestamp::from_unix_millis(1_790_000_000_000)));
        let Happened::SessionCompleted(session) = event.happened else { panic!("a session is complete") };
        assert_eq!(session.metadata.payment, Some(PAYMENT.parse().unwrap()));
        assert_eq!((session.payment_status, session.amount.unwrap().minor()), (PaymentStatus::Paid, 2_701));
    }

    #[test]
    fn p28_an_event_of_another_version_of_the_api_says_the_same() {
        let expected = read(&event("checkout.session.completed", &paid()));
        assert!(matches!(expected, Ok(Delivered::Ours(_))));
        for version in [json!("2019-02-11"), json!("2030-01-01.unknown"), json!(null), json!(20_300_101)] {
            let mut other = event("checkout.session.completed", &paid());
            other["api_version"] = version.clone();
            other["request"] = json!({ "id": null, "idempotency_key": "k" });
            other["data"]["previous_attributes"] = json!({ "status": "open" });
            other["data"]["object"]["crypto_details"] =
                json!({ "chain": { "new": [1, 2, { "deep": true }] } });
            other["reason"] = json!("automation");
            assert_eq!(read(&other), expected, "{version}");
        }
        let mut bare = event("checkout.session.completed", &paid());
        for optional in ["api_version", "object", "created", "livemode"] {
            bare.as_object_mut().unwrap().remove(optional);
        }
        let Ok(Delivered::Ours(bare)) = read(&bare) else { panic!("this is ours") };
        let Ok(Delivered::Ours(expected)) = expected else { panic!("this is ours") };
        assert_eq!((bare.happened, bare.created), (expected.happened, None));
    }

    /// What an event is about, by its type, and that each type that Stripe is asked for is read as itself.
    #[test]
    fn every_type_that_is_subscribed_is_read() {
        let named = |id: &str| json!({ "id": id, "metadata": { "shop": "cartwright-local" } });
        let session = Session::deserialize(named("cs_1")).unwrap();
        let intent = Intent::deserialize(named("pi_1")).unwrap();
        let refund = Refund::deserialize(named("re_1")).unwrap();
        let dispute = Dispute::deserialize(named("du_1")).unwrap();
        let expected = [
            ("cs_1", Happened::SessionCompleted(session.clone())),
            ("cs_1", Happened::SessionExpired(session.clone())),
            ("cs_1", Happened::SessionSucceeded(session.clone())),
            ("cs_1", Happened::SessionFailed(session)),
            ("pi_1", Happened::IntentSucceeded(intent.clone())),
            ("pi_1", Happened::IntentCanceled(intent)),
            ("re_1", Happened::RefundCreated(refund.clone())),
            ("re_1", Happened::RefundUpdated(refund.clone())),
            ("re_1", Happened::RefundFailed(refund)),
            ("du_1", Happened::DisputeCreated(dispute.clone())),
            ("du_1", Happened::DisputeWithdrawn(dispute.clone())),
            ("du_1", Happened::DisputeReinstated(dispute.clone())),
            ("du_1", Happened::DisputeClosed(dispute)),
        ];
        for (kind, (id, expected)) in EventType::ALL.into_iter().zip(expected) {
            assert_eq!(happened(kind.as_str(), &named(id)), Some(expected), "{kind}");
        }
    }

    #[test]
    fn what_is_not_ours_is_known_without_reading_anything() {
        let foreign = |event: &Value| match read(event) {
            Ok(Delivered::Foreign(why)) => Some(why.as_str()),
            _ => None,
        };
        let mut live = event("checkout.session.completed", &paid());
        live["livemode"] = json!(true);
        assert_eq!(foreign(&live), Some("livemode"));
        for kind in [
            "payment_intent.payment_failed",
            "charge.refunded",
            "invoice.paid",
            "v1.checkout.session.completed",
            "of.2030",
        ] {
            assert_eq!(foreign(&event(kind, &json!(null))), Some("type"), "{kind}");
        }
        // One of the newer kind, which says what it is about and not how that is.
        let thin = json!({ "id": "evt_1", "object": "v2.core.event", "type": "v1.checkout.session.completed",
            "livemode": null, "created": "2026-11-28T21:00:00.000Z", "data": null });
        assert_eq!(foreign(&thin), Some("type"));
        // P8, P9: another shop's, also where its order has the same id, and nobody's at all.
        for metadata in
            [json!({}), json!(null), json!({ "shop": "other", "payment_id": PAYMENT }), json!({ "shop": 1 })]
        {
            let mut object = paid();
            object["metadata"] = metadata.clone();
            assert_eq!(foreign(&event("checkout.session.expired", &object)), Some("shop"), "{metadata}");
            let intent = json!({ "id": "pi_1", "metadata": metadata });
            assert_eq!(foreign(&event("payment_intent.succeeded", &intent)), Some("shop"), "{metadata}");
        }
        let refund = json!({ "id": "re_1", "metadata": { "shop": "other" } });
        assert_eq!(foreign(&event("refund.created", &refund)), Some("shop"));
    }

    /// Made in the Dashboard: only the PaymentIntent says whose it is.
    #[test]
    fn a_refund_and_a_dispute_without_a_shop_may_be_ours() {
        let object = json!({ "id": "re_1", "payment_intent": "pi_1", "amount": 10, "metadata": {} });
        let Some(Happened::RefundCreated(refund)) = happened("refund.created", &object) else {
            panic!("a refund was made")
        };
        assert_eq!(refund.intent, Some("pi_1".parse().unwrap()));
        let object = json!({ "id": "du_1", "payment_intent": "pi_1", "amount": 10_040, "status": "lost" });
        let Some(Happened::DisputeClosed(dispute)) = happened("charge.dispute.closed", &object) else {
            panic!("a dispute is closed")
        };
        assert_eq!(dispute.intent, Some("pi_1".parse().unwrap()));
    }

    #[test]
    fn what_is_no_event_is_unreadable() {
        let completed = "checkout.session.completed";
        for event in [
            json!(null),
            json!([]),
            json!({ "id": "evt_1" }),
            json!({ "type": completed, "data": { "object": paid() } }),
            event(completed, &json!(null)),
            event(completed, &json!({ "status": "complete" })),
        ] {
            assert_eq!(read(&event), Err(Unreadable), "{event}");
        }
        assert_eq!(Delivered::read(b"{\"id\":", &ours()), Err(Unreadable));
    }

    #[test]
    fn a_page_names_where_the_next_one_begins() {
        let foreign = json!({ "id": "evt_2", "type": "invoice.paid", "livemode": false });
        let data = vec![event("checkout.session.completed", &paid()), foreign];
        let page = |has_more| EventPage::of(Page { data: data.clone(), has_more }, &ours()).unwrap();
        assert_eq!(page(true).next, Some("evt_2".parse().unwrap()));
        assert_eq!(page(true).events[1], Delivered::Foreign(Foreign::Type));
        assert_eq!((page(false).next, page(false).events.len()), (None, 2));
        let unreadable = event("checkout.session.completed", &json!(null));
        let beside = Page { data: vec![unreadable, data[0].clone()], has_more: false };
        assert!(matches!(EventPage::of(beside, &ours()).unwrap().events[..], [Delivered::Ours(_)]));
    }
}
