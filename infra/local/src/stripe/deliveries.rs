//! Events on their way to the shop's webhook: once as a rule, and in whatever other manner is asked for.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::books::{Books, Event, Moment, SessionState};
use super::{ROLLED_SECRET, WEBHOOK_SECRET};

/// What the shop's endpoint is subscribed to.
pub(crate) const SUBSCRIBED: [&str; 13] = [
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "payment_intent.succeeded",
    "payment_intent.canceled",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
];

/// When an answer that is not 2xx is followed by another try, in milliseconds. Stripe tries for three days.
const WAITS: [i64; 3] = [1000, 5000, 25_000];
/// How old an old signature is, in seconds; the shop is to take those of five minutes.
const OLD: u32 = 600;
/// How late a late delivery is, in seconds.
const LATE: u32 = 5;

/// A manner of delivering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum How {
    /// As a rule.
    Once,
    /// Twice at once.
    Twice,
    /// Twice, the second time after a refund was told.
    TwiceAfterRefund,
    /// Twice, as two events with ids of their own.
    OtherId,
    /// So many seconds later.
    Late,
    /// After a refund that came later was told.
    OutOfOrder,
    /// Not at all.
    Never,
    /// Signed with a secret that is not the endpoint's.
    WrongSignature,
    /// Signed ten minutes ago, or so many seconds.
    Old,
    /// Signed with the old secret and the new one, as while a secret is rolled.
    Rolled,
    /// With another shop in its metadata.
    OtherShop,
    /// As of real money.
    Livemode,
    /// With a type that nobody knows.
    UnknownType,
    /// With an amount that is a minor unit smaller.
    CentLess,
    /// With an amount that is a minor unit larger.
    CentMore,
    /// With another currency.
    OtherCurrency,
    /// As an endpoint of an old version gets it: without what came later.
    #[serde(rename = "api-2019")]
    OldVersion,
    /// As an endpoint of a later version may get it: with members that nobody knows.
    #[serde(rename = "api-2030")]
    LaterVersion,
}

/// Every manner there is.
#[cfg(test)]
pub(crate) const ALL: [How; 18] = [
    How::Once,
    How::Twice,
    How::TwiceAfterRefund,
    How::OtherId,
    How::Late,
    How::OutOfOrder,
    How::Never,
    How::WrongSignature,
    How::Old,
    How::Rolled,
    How::OtherShop,
    How::Livemode,
    How::UnknownType,
    How::CentLess,
    How::CentMore,
    How::OtherCurrency,
    How::OldVersion,
    How::LaterVersion,
];

/// How events are delivered.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Manner {
    /// All of these together.
    pub deliver: Vec<How>,
    /// How late, or how old.
    pub seconds: Option<u32>,
    /// Events of this type alone, also of one that the endpoint is not subscribed to.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

impl Manner {
    fn is_for(&self, event: &Event) -> bool {
        self.kind.as_ref().map_or_else(|| is_subscribed(&event.kind), |kind| *kind == event.kind)
    }

    fn has(&self, how: How) -> bool {
        self.deliver.contains(&how)
    }
}

/// A manner for events that are still to come.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Switch {
    /// All of these together.
    pub deliver: Vec<How>,
    /// How late, or how old.
    #[serde(default)]
    pub seconds: Option<u32>,
    /// Of this type alone.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
    /// About this alone: an id of Stripe's, or one of the shop's in metadata.
    #[serde(default)]
    pub of: Option<String>,
    /// How many events.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

/// How a delivery stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// It is sent then.
    Waiting(Moment),
    /// It is sent once a refund of this intent was told.
    Held(String),
    /// It is being sent.
    Sending,
    /// The shop took it.
    Delivered,
    /// The shop did not take it, and is not asked again.
    GivenUp,
}

impl State {
    fn word(&self) -> &'static str {
        match self {
            Self::Waiting(_) => "waiting",
            Self::Held(_) => "held",
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
        }
    }
}

/// How a delivery is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Signing {
    Right,
    Wrong,
    Rolled,
    /// So many seconds before it is sent.
    Old(u32),
}

/// One try, and what the shop said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Try {
    pub at: Moment,
    pub took: i64,
    /// Nothing where it did not answer.
    pub status: Option<u16>,
    pub answer: String,
}

/// An event on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub id: String,
    pub event: String,
    pub kind: String,
    pub about: Vec<String>,
    pub deliver: Vec<How>,
    body: String,
    signing: Signing,
    pub state: State,
    pub tries: Vec<Try>,
}

impl Delivery {
    /// For the page and for tests.
    pub(crate) fn shown(&self) -> Value {
        let due = if let State::Waiting(due) = self.state { Some(due) } else { None };
        json!({
            "id": self.id,
            "event": self.event,
            "type": self.kind,
            "deliver": self.deliver,
            "state": self.state.word(),
            "due": due,
            "tries": self.tries,
        })
    }
}

/// What is to be sent to the shop now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Post {
    pub delivery: String,
    pub body: String,
    /// `Stripe-Signature`.
    pub signature: String,
}

impl Books {
    /// Gives the events that are new to whoever is subscribed: in this manner, in one that a switch asked for, or once.
    pub(crate) fn dispatch(&mut self, manner: Option<&Manner>, now: Moment) {
        for id in std::mem::take(&mut self.fresh) {
            let Some(event) = self.events.get(&id).cloned() else { continue };
            let asked = manner.filter(|manner| manner.is_for(&event)).cloned();
            if let Some(manner) = asked.or_else(|| self.switched(&event)) {
                self.deliver(&event, &manner, now);
            } else if is_subscribed(&event.kind) {
                self.deliver(&event, &Manner::default(), now);
            }
        }
    }

    /// The manner that a switch asks for, which counts as one of its times.
    fn switched(&mut self, event: &Event) -> Option<Manner> {
        let is_meant = |switch: &Switch| {
            switch.of.as_ref().is_none_or(|of| event.about.contains(of)) && switch.manner().is_for(event)
        };
        let place = self.switches.iter().position(is_meant)?;
        let manner = self.switches[place].manner();
        self.switches[place].times = self.switches[place].times.saturating_sub(1);
        self.switches.retain(|switch| switch.times > 0);
        Some(manner)
    }

    /// Delivers an event in a manner; again, if it was delivered before.
    pub(crate) fn deliver(&mut self, event: &Event, manner: &Manner, now: Moment) {
        if manner.has(How::Never) {
            return;
        }
        let intent = event.about.iter().find(|name| name.starts_with("pi_")).cloned().unwrap_or_default();
        let late = if manner.has(How::Late) { manner.seconds.unwrap_or(LATE) } else { 0 };
        let now_or_late = State::Waiting(now.after(i64::from(late) * 1000));
        let held = State::Held(intent);
        let first = if manner.has(How::OutOfOrder) { held.clone() } else { now_or_late.clone() };
        self.send(event, manner, first.clone());
        if manner.has(How::Twice) {
            self.send(event, manner, first.clone());
        }
        if manner.has(How::TwiceAfterRefund) {
            self.send(event, manner, held);
        }
        if manner.has(How::OtherId) {
            let twin = Event { id: self.new_id("evt_"), ..event.clone() };
            self.events.add(twin.clone());
            self.send(&twin, manner, first);
        }
    }

    fn send(&mut self, event: &Event, manner: &Manner, state: State) {
        let mut told = event.shown();
        for how in &manner.deliver {
            how.change(&mut told);
        }
        let delivery = Delivery {
            id: self.new_id("dlv_"),
            event: event.id.clone(),
            kind: event.kind.clone(),
            about: event.about.clone(),
            deliver: manner.deliver.clone(),
            // Stripe's bodies have line breaks and spaces, and whoever parses before verifying loses them.
            body: serde_json::to_string_pretty(&told).unwrap_or_default(),
            signing: signing(manner),
            state,
            tries: Vec::new(),
        };
        self.deliveries.push(delivery);
    }

    /// What is to be sent by now; it counts as being sent from here on.
    pub(crate) fn due(&mut self, now: Moment) -> Vec<Post> {
        let is_due = |delivery: &&mut Delivery| matches!(delivery.state, State::Waiting(due) if due <= now);
        let due = self.deliveries.iter_mut().filter(is_due);
        due.map(|delivery| {
            delivery.state = State::Sending;
            let signature = signature(&delivery.body, delivery.signing, now);
            Post { delivery: delivery.id.clone(), body: delivery.body.clone(), signature }
        })
        .collect()
    }

    /// When something is to be done next: a delivery, or the end of a session.
    pub(crate) fn next_due(&self) -> Option<Moment> {
        let sent = self.deliveries.iter().filter_map(|delivery| match delivery.state {
            State::Waiting(due) => Some(due),
            State::Held(_) | State::Sending | State::Delivered | State::GivenUp => None,
        });
        let open = self.sessions.iter().filter(|session| session.state == SessionState::Open);
        sent.chain(open.map(|session| Moment(session.expires_at * 1000))).min()
    }

    /// Writes down what the shop said.
    pub(crate) fn was_sent(&mut self, id: &str, one: Try, now: Moment) {
        let Some(delivery) = self.deliveries.iter_mut().find(|delivery| delivery.id == id) else { return };
        let is_taken = one.status.is_some_and(|status| (200..300).contains(&status));
        let wait = WAITS.get(delivery.tries.len());
        delivery.tries.push(one);
        delivery.state = match wait {
            _ if is_taken => State::Delivered,
            Some(wait) => State::Waiting(now.after(*wait)),
            None => State::GivenUp,
        };
        if delivery.kind == "refund.created" {
            let about = delivery.about.clone();
            for held in &mut self.deliveries {
                if matches!(&held.state, State::Held(intent) if about.contains(intent)) {
                    held.state = State::Waiting(now);
                }
            }
        }
    }

    /// What was being sent when the proxy ended may have arrived or not: it is sent again.
    pub(crate) fn take_up_again(&mut self, now: Moment) {
        for delivery in &mut self.deliveries {
            if delivery.state == State::Sending {
                delivery.state = State::Waiting(now);
            }
        }
    }
}

impl Switch {
    fn manner(&self) -> Manner {
        Manner { deliver: self.deliver.clone(), seconds: self.seconds, kind: self.kind.clone() }
    }
}

impl How {
    /// What it changes in the event.
    fn change(self, event: &mut Value) {
        match self {
            Self::OtherShop => {
                if let Some(shop) = event.pointer_mut("/data/object/metadata/shop") {
                    *shop = json!("another-shop");
                }
            }
            Self::Livemode => {
                event["livemode"] = json!(true);
                event["data"]["object"]["livemode"] = json!(true);
            }
            Self::UnknownType => event["type"] = json!("checkout.session.never_heard_of"),
            Self::CentLess => add_to_amounts(event, -1),
            Self::CentMore => add_to_amounts(event, 1),
            Self::OtherCurrency => {
                let other = if event["data"]["object"]["currency"] == "eur" { "usd" } else { "eur" };
                event["data"]["object"]["currency"] = json!(other);
            }
            Self::OldVersion => as_in_2019(event),
            Self::LaterVersion => as_in_2030(event),
            Self::Once
            | Self::Twice
            | Self::TwiceAfterRefund
            | Self::OtherId
            | Self::Late
            | Self::OutOfOrder
            | Self::Never
            | Self::WrongSignature
            | Self::Old
            | Self::Rolled => {}
        }
    }
}

fn is_subscribed(kind: &str) -> bool {
    SUBSCRIBED.contains(&kind)
}

fn add_to_amounts(event: &mut Value, change: i64) {
    for name in ["amount", "amount_total", "amount_subtotal", "amount_received"] {
        let amount = event["data"]["object"].get_mut(name);
        if let Some((amount, before)) =
            amount.and_then(|amount| amount.as_i64().map(|before| (amount, before)))
        {
            *amount = json!(before + change);
        }
    }
}

/// Members that an event has had for as long as there are webhooks for sessions.
fn as_in_2019(event: &mut Value) {
    const THERE: [&str; 13] = [
        "id",
        "object",
        "metadata",
        "status",
        "payment_status",
        "amount",
        "amount_total",
        "amount_received",
        "currency",
        "payment_intent",
        "charge",
        "reason",
        "livemode",
    ];
    event["api_version"] = json!("2019-12-03");
    if let Some(members) = event.as_object_mut() {
        members.retain(|name, _| !["request", "pending_webhooks"].contains(&name.as_str()));
    }
    if let Some(object) = event["data"]["object"].as_object_mut() {
        object.retain(|name, value| THERE.contains(&name.as_str()) && !value.is_null());
    }
}

/// Members that nobody has heard of, everywhere, and one that became an object.
fn as_in_2030(event: &mut Value) {
    event["api_version"] = json!("2030-03-31.yarrow");
    event["context"] = json!({ "id": "ctx_1", "nested": [{ "deep": null }] });
    event["data"]["unheard_of"] = json!([1, 2.5, "three"]);
    if let Some(object) = event["data"]["object"].as_object_mut() {
        let mut longer = Map::new();
        longer
            .insert("agentic_details".to_owned(), json!({ "id": "x", "object": "unheard_of", "amount": -1 }));
        longer.append(object);
        longer.insert("customer_account".to_owned(), Value::Null);
        *object = longer;
    }
}

fn signing(manner: &Manner) -> Signing {
    match manner {
        _ if manner.has(How::WrongSignature) => Signing::Wrong,
        _ if manner.has(How::Rolled) => Signing::Rolled,
        _ if manner.has(How::Old) => Signing::Old(manner.seconds.unwrap_or(OLD)),
        _ => Signing::Right,
    }
}

/// `Stripe-Signature`, with the time of this try. Events of a sandbox have a `v0` besides, which proves nothing.
fn signature(body: &str, signing: Signing, now: Moment) -> String {
    let old = if let Signing::Old(seconds) = signing { i64::from(seconds) } else { 0 };
    let time = now.seconds() - old;
    let v1 = |secret: &str| format!("v1={}", mac(secret, time, body));
    let right = v1(WEBHOOK_SECRET);
    let proofs = match signing {
        Signing::Right | Signing::Old(_) => right,
        Signing::Wrong => v1("whsec_of_somebody_else"),
        Signing::Rolled => format!("{},{right}", v1(ROLLED_SECRET)),
    };
    format!("t={time},{proofs},v0={}", mac("whsec_of_no_use", time, body))
}

/// HMAC-SHA256 over `time.body`, in hexadecimal.
fn mac(secret: &str, time: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{time}.{body}").as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}
