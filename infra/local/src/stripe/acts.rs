//! What happens at Stripe without the API: a buyer pays, a bank declines, somebody presses a button in the Dashboard.

use serde::Deserialize;
use serde_json::{Value, json};

use super::books::{Books, Intent, Moment, NewRefund, OtherMoney, Session, Step};
use super::deliveries::{How, Manner};
use super::money;
use super::refusal::Refusal;

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum What {
    /// The buyer pays.
    Pay,
    /// The bank declines the card; the session stays open.
    Decline,
    /// The buyer orders a debit, whose money comes later, or not.
    PayLater,
    /// The debit's money came.
    Arrive,
    /// The debit failed, or a refund did.
    Fail,
    /// The time to pay is over.
    Expire,
    /// Money is given back in the Dashboard.
    Refund,
    /// A refund's bank took the money.
    Succeed,
    /// The buyer's bank takes the money back.
    Dispute,
    /// A dispute ends in the shop's favour.
    Win,
    /// A dispute ends in the buyer's favour.
    Lose,
    /// An event is delivered again.
    Deliver,
}

/// What happens, and how it is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Act {
    #[serde(rename = "do")]
    pub what: What,
    #[serde(default)]
    pub deliver: Vec<How>,
    pub seconds: Option<u32>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// What is paid instead of what was asked for; what is refunded or disputed.
    pub amount: Option<i64>,
    pub currency: Option<String>,
    pub reason: Option<String>,
    /// Pays a session that is over, which Stripe would not let anybody do.
    #[serde(default)]
    pub force: bool,
}

/// What something can be done about.
enum Thing {
    Session(String),
    Intent(String),
    Refund(String),
    Dispute(String),
    Event(String),
}

impl Books {
    /// Lets something happen. The thing is named by its id at Stripe, or a payment by one of the shop's ids in its
    /// metadata; the newest, if there are several. Gives the thing as it then is, and the events that tell of it.
    pub(crate) fn act(&mut self, id: &str, act: &Act, now: Moment) -> Result<Value, Refusal> {
        self.pass(now);
        self.dispatch(None, now);
        let thing = self.thing(id).ok_or_else(|| Refusal::missing("object", id, "id"))?;
        let manner = Manner { deliver: act.deliver.clone(), seconds: act.seconds, kind: act.kind.clone() };
        let is_asked = !act.deliver.is_empty();
        let outcome = self.act_on(&thing, act, &manner, now);
        let events = self.fresh.clone();
        self.dispatch(is_asked.then_some(&manner), now);
        let object = outcome?;
        Ok(json!({ "object": object, "events": events }))
    }

    fn act_on(&mut self, thing: &Thing, act: &Act, manner: &Manner, now: Moment) -> Result<Value, Refusal> {
        let currency = act.currency.as_deref().map(|code| money::currency(code, "currency")).transpose()?;
        if act.amount.is_some_and(|amount| amount < 1) {
            return Err(Refusal::invalid("The amount has to be at least 1.").param("amount"));
        }
        let other = OtherMoney { amount: act.amount, currency };
        match (act.what, thing) {
            (What::Refund, _) => {
                let charge = self.charge_of(&self.intent_of(thing)?)?.id.clone();
                let new =
                    NewRefund { amount: act.amount, reason: act.reason.clone(), ..NewRefund::default() };
                let id = self.give_back(&charge, new, now)?;
                Ok(self.refund(&id)?.shown())
            }
            (What::Dispute, _) => {
                let charge = self.charge_of(&self.intent_of(thing)?)?.id.clone();
                let id = self.open_dispute(&charge, act.amount, act.reason.clone(), now)?;
                Ok(self.dispute(&id)?.shown())
            }
            (What::Win | What::Lose, Thing::Dispute(id)) => {
                self.close_dispute(id, act.what == What::Win, now)?;
                Ok(self.dispute(id)?.shown())
            }
            (What::Succeed | What::Fail, Thing::Refund(id)) => {
                self.settle_refund(id, act.what == What::Succeed, now)?;
                Ok(self.refund(id)?.shown())
            }
            (What::Deliver, Thing::Event(id)) => {
                let event = self.event(id)?.clone();
                self.deliver(&event, manner, now);
                Ok(event.shown())
            }
            (what, Thing::Session(id)) => {
                self.step(id, step_of(what)?, &other, act.force, now)?;
                Ok(self.session(id)?.shown())
            }
            (what, Thing::Intent(id)) => {
                if let Some(session) = self.intent(id)?.session.clone() {
                    self.step(&session, step_of(what)?, &other, act.force, now)?;
                } else {
                    self.step_of_intent(id, step_of(what)?, &other, now)?;
                }
                Ok(self.intent(id)?.shown())
            }
            (_, Thing::Refund(_) | Thing::Dispute(_) | Thing::Event(_)) => Err(no_such_act()),
        }
    }

    fn thing(&self, id: &str) -> Option<Thing> {
        let id = id.to_owned();
        if self.events.get(&id).is_some() {
            return Some(Thing::Event(id));
        }
        if self.refunds.get(&id).is_some() {
            return Some(Thing::Refund(id));
        }
        if self.disputes.get(&id).is_some() {
            return Some(Thing::Dispute(id));
        }
        if self.intents.get(&id).is_some() {
            return Some(Thing::Intent(id));
        }
        if let Some(session) = self.session_named(&id) {
            return Some(Thing::Session(session.id.clone()));
        }
        let is_named = |intent: &&Intent| intent.metadata.values().any(|value| *value == id);
        self.intents.iter().rev().find(is_named).map(|intent| Thing::Intent(intent.id.clone()))
    }

    /// A session by its id, or by one of the shop's ids; the newest, if there are several.
    pub(crate) fn session_named(&self, id: &str) -> Option<&Session> {
        self.sessions.get(id).or_else(|| {
            let is_named = |one: &&Session| {
                one.client_reference_id.as_deref() == Some(id)
                    || one.metadata.values().any(|value| value == id)
            };
            self.sessions.iter().rev().find(is_named)
        })
    }

    fn intent_of(&self, thing: &Thing) -> Result<String, Refusal> {
        match thing {
            Thing::Session(id) => {
                let intent = self.session(id)?.intent.clone();
                intent.ok_or_else(|| Refusal::forbidden("This Checkout Session was not paid."))
            }
            Thing::Intent(id) => Ok(id.clone()),
            Thing::Refund(id) => Ok(self.refund(id)?.intent.clone()),
            Thing::Dispute(id) => Ok(self.dispute(id)?.intent.clone()),
            Thing::Event(_) => Err(no_such_act()),
        }
    }
}

fn step_of(what: What) -> Result<Step, Refusal> {
    match what {
        What::Pay => Ok(Step::Paid),
        What::Decline => Ok(Step::Declined),
        What::PayLater => Ok(Step::PaidLater),
        What::Arrive => Ok(Step::Arrived),
        What::Fail => Ok(Step::Bounced),
        What::Expire => Ok(Step::Ended),
        What::Refund | What::Succeed | What::Dispute | What::Win | What::Lose | What::Deliver => {
            Err(no_such_act())
        }
    }
}

fn no_such_act() -> Refusal {
    Refusal::invalid("That cannot happen to an object of this kind.")
}
