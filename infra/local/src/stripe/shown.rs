//! Objects as Stripe's API shows them: the members that a shop reads, and those around them that a client may look for.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::books::{
    Books, Charge, Dispute, DisputeState, Event, Intent, IntentState, Line, Movement, Refund, Session,
    SessionState, Standing,
};
use super::deliveries::Delivery;

/// The API's version, as events and answers have it.
pub(crate) const VERSION: &str = "2026-09-30.endive";

impl Session {
    pub(crate) fn shown(&self) -> Value {
        let is_open = self.state == SessionState::Open;
        json!({
            "id": self.id,
            "object": "checkout.session",
            "adaptive_pricing": { "enabled": self.adaptive_pricing },
            "amount_subtotal": self.amount,
            "amount_total": self.amount,
            "cancel_url": self.cancel_url,
            "client_reference_id": self.client_reference_id,
            "client_secret": null,
            "created": self.created,
            "currency": self.currency,
            "customer": null,
            "customer_email": self.customer_email,
            "expires_at": self.expires_at,
            "livemode": false,
            "locale": self.locale,
            "metadata": self.metadata,
            "mode": "payment",
            "payment_intent": self.intent,
            "payment_method_types": self.payment_method_types,
            "payment_status": if self.state == SessionState::Paid { "paid" } else { "unpaid" },
            "status": self.state.status(),
            "submit_type": self.submit_type,
            "success_url": self.success_url,
            "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 },
            "url": is_open.then_some(&self.url),
        })
    }

    /// Where a buyer is led after paying: Stripe puts the session's id into the address where it is asked to.
    pub(crate) fn back_to(&self) -> String {
        self.success_url.replace("{CHECKOUT_SESSION_ID}", &self.id)
    }
}

impl Line {
    /// For the page to pay on.
    pub(crate) fn shown(&self) -> Value {
        json!({ "name": self.name, "quantity": self.quantity, "amount": self.quantity * self.unit_amount })
    }
}

impl Intent {
    pub(crate) fn shown(&self) -> Value {
        let received = if self.state == IntentState::Succeeded { self.amount } else { 0 };
        let declined = json!({
            "code": "card_declined", "decline_code": "generic_decline", "message": "Your card was declined.",
            "type": "card_error",
        });
        json!({
            "id": self.id,
            "object": "payment_intent",
            "amount": self.amount,
            "amount_capturable": 0,
            "amount_received": received,
            "automatic_payment_methods": null,
            "canceled_at": self.canceled_at,
            "cancellation_reason": self.cancellation_reason,
            "capture_method": "automatic",
            "client_secret": self.client_secret,
            "created": self.created,
            "currency": self.currency,
            "customer": null,
            "description": self.description,
            "last_payment_error": self.is_declined.then_some(declined),
            "latest_charge": self.latest_charge,
            "livemode": false,
            "metadata": self.metadata,
            "payment_method_types": self.payment_method_types,
            "status": self.state.status(),
        })
    }
}

impl Charge {
    pub(crate) fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "object": "charge",
            "amount": self.amount,
            "amount_captured": if self.standing == Standing::Succeeded { self.amount } else { 0 },
            "amount_refunded": self.amount_refunded,
            "created": self.created,
            "currency": self.currency,
            "disputed": self.is_disputed,
            "livemode": false,
            "metadata": self.metadata,
            "paid": self.standing == Standing::Succeeded,
            "payment_intent": self.intent,
            "refunded": self.standing == Standing::Succeeded && self.amount == self.amount_refunded,
            "status": self.standing.status(),
        })
    }
}

impl Refund {
    pub(crate) fn shown(&self) -> Value {
        let mut shown = json!({
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "metadata": self.metadata,
            "payment_intent": self.intent,
            "reason": self.reason,
            "status": self.standing.status(),
        });
        match self.standing {
            Standing::Pending => shown["pending_reason"] = json!("processing"),
            Standing::Failed => shown["failure_reason"] = json!("expired_or_canceled_card"),
            Standing::Succeeded => {}
        }
        shown
    }
}

impl Dispute {
    pub(crate) fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "object": "dispute",
            "amount": self.amount,
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "is_charge_refundable": self.state == DisputeState::Won,
            "livemode": false,
            // A dispute has metadata of its own, and none of its charge's.
            "metadata": {},
            "payment_intent": self.intent,
            "reason": self.reason,
            "status": self.state.status(),
        })
    }
}

impl Movement {
    pub(crate) fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "object": "balance_transaction",
            "amount": self.amount,
            "created": self.created,
            "currency": self.currency,
            "source": self.source,
            "type": self.kind,
            "charge": self.charge,
        })
    }
}

impl Event {
    /// As it is listed and delivered.
    pub(crate) fn shown(&self) -> Value {
        let (request, key) = match &self.request {
            Some((request, key)) => (Some(request), key.as_ref()),
            None => (None, None),
        };
        json!({
            "id": self.id,
            "object": "event",
            "api_version": VERSION,
            "created": self.created,
            "data": { "object": self.object },
            "livemode": false,
            "pending_webhooks": 1,
            "request": { "id": request, "idempotency_key": key },
            "type": self.kind,
        })
    }
}

impl Books {
    /// The books, the newest first: all, or what is about one thing; at most so many sessions, events and deliveries.
    pub(crate) fn told(&self, of: Option<&str>, most: usize) -> Value {
        let is_of = |session: Option<&str>, intent: Option<&str>, id: &str| {
            of.is_none_or(|of| id == of || self.names_of(session, intent).iter().any(|name| name == of))
        };
        let intent = |id: &str| self.intents.get(id).map(|intent| intent.id.clone());
        let charge = |id: &str| self.charges.get(id).and_then(|charge| intent(&charge.intent));
        let sessions = self.sessions.iter().rev().filter(|one| is_of(Some(&one.id), None, &one.id));
        let intents = self.intents.iter().rev().filter(|one| is_of(None, Some(&one.id), &one.id));
        let charges = self.charges.iter().rev().filter(|one| is_of(None, Some(&one.intent), &one.id));
        let refunds = self.refunds.iter().rev().filter(|one| is_of(None, Some(&one.intent), &one.id));
        let disputes = self.disputes.iter().rev().filter(|one| is_of(None, Some(&one.intent), &one.id));
        let movements = self.movements.iter().rev();
        let movements: Vec<_> =
            movements.filter(|one| is_of(None, charge(&one.charge).as_deref(), &one.source)).collect();
        let is_about =
            |about: &[String], id: &str| of.is_none_or(|of| id == of || about.iter().any(|name| name == of));
        let events = self.events.iter().rev().filter(|one| is_about(&one.about, &one.id)).take(most);
        let deliveries =
            self.deliveries.iter().rev().filter(|one| is_about(&one.about, &one.event)).take(most);
        let mut balance: BTreeMap<&str, i64> = BTreeMap::new();
        for one in &movements {
            *balance.entry(&one.currency).or_default() += one.amount;
        }
        json!({
            "balance": balance,
            "sessions": sessions.take(most).map(Session::shown).collect::<Vec<_>>(),
            "payment_intents": intents.take(most).map(Intent::shown).collect::<Vec<_>>(),
            "charges": charges.take(most).map(Charge::shown).collect::<Vec<_>>(),
            "refunds": refunds.take(most).map(Refund::shown).collect::<Vec<_>>(),
            "disputes": disputes.take(most).map(Dispute::shown).collect::<Vec<_>>(),
            "balance_transactions": movements.iter().take(most).map(|one| one.shown()).collect::<Vec<_>>(),
            "events": events.map(Event::listed).collect::<Vec<_>>(),
            "deliveries": deliveries.map(Delivery::shown).collect::<Vec<_>>(),
            "faults": self.faults,
            "switches": self.switches,
        })
    }
}

impl Event {
    /// With what it can be found by.
    fn listed(&self) -> Value {
        let mut listed = self.shown();
        listed["about"] = json!(self.about);
        listed
    }
}
