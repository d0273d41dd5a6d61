//! Stripe's own books: what it took, gave back, and still has open.

use std::collections::BTreeMap;

use serde_json::Value;

/// All of it, by Stripe's ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Books {
    /// The pages to pay on.
    pub sessions: BTreeMap<String, Session>,
    /// The payments.
    pub intents: BTreeMap<String, Intent>,
    /// Refunds that are of no payment which is here.
    pub strays: Vec<String>,
}

/// A page to pay on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Session {
    /// The attempt that it was made for.
    pub payment: String,
    /// The order that is paid.
    pub order: String,
    /// Whether somebody can still pay.
    pub is_open: bool,
    /// Whether the money is there.
    pub is_paid: bool,
}

/// A payment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Intent {
    /// The attempt that it was made for.
    pub payment: String,
    /// What was taken, charge by charge.
    pub charges: BTreeMap<String, i64>,
    /// What was given back, or was to be.
    pub refunds: BTreeMap<String, Refund>,
    /// What all movements of its money come to.
    pub moved: i64,
}

/// Money that was given back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Refund {
    pub amount: i64,
    /// Whether it went: it is through, or under way.
    pub went: bool,
}

impl Books {
    /// By `GET /local/stripe.json`.
    pub(crate) fn of(told: &Value) -> Self {
        let mut books = Self::default();
        for session in each(told, "sessions") {
            let page = Session {
                payment: text(&session["metadata"]["payment_id"]),
                order: text(&session["metadata"]["order_id"]),
                is_open: session["status"] == "open",
                is_paid: session["payment_status"] == "paid",
            };
            books.sessions.insert(text(&session["id"]), page);
        }
        for intent in each(told, "payment_intents") {
            let payment = text(&intent["metadata"]["payment_id"]);
            books.intents.insert(text(&intent["id"]), Intent { payment, ..Intent::default() });
        }
        let mut intents = BTreeMap::new();
        for charge in each(told, "charges") {
            let (id, intent) = (text(&charge["id"]), text(&charge["payment_intent"]));
            if charge["paid"] == true
                && let Some(intent) = books.intents.get_mut(&intent)
            {
                intent.charges.insert(id.clone(), amount(charge));
            }
            intents.insert(id, intent);
        }
        for refund in each(told, "refunds") {
            let went = ["succeeded", "pending"].contains(&text(&refund["status"]).as_str());
            let (id, of_this) = (text(&refund["id"]), Refund { amount: amount(refund), went });
            match books.intents.get_mut(&text(&refund["payment_intent"])) {
                Some(intent) => drop(intent.refunds.insert(id, of_this)),
                None => books.strays.push(id),
            }
        }
        for movement in each(told, "balance_transactions") {
            let intent = intents.get(&text(&movement["charge"]));
            if let Some(intent) = intent.and_then(|intent| books.intents.get_mut(intent)) {
                intent.moved += amount(movement);
            }
        }
        books
    }
}

/// The pages that were paid in a slow way, whose money has not come.
pub(crate) fn slow(told: &Value) -> Vec<String> {
    let is_slow = |session: &&Value| session["status"] == "complete" && session["payment_status"] == "unpaid";
    each(told, "sessions").filter(is_slow).map(|session| text(&session["id"])).collect()
}

/// The ids of events that Stripe has given up bringing to the shop; it would try for three days.
pub(crate) fn given_up(told: &Value) -> Vec<String> {
    let given_up = each(told, "deliveries").filter(|delivery| delivery["state"] == "given_up");
    given_up.map(|delivery| text(&delivery["event"])).collect()
}

/// Whether an event is on its way to the shop, or is going to be.
pub(crate) fn is_telling(told: &Value) -> bool {
    each(told, "deliveries").any(|delivery| delivery["state"] == "waiting" || delivery["state"] == "sending")
}

fn each<'a>(told: &'a Value, what: &str) -> impl Iterator<Item = &'a Value> {
    told[what].as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn amount(value: &Value) -> i64 {
    value["amount"].as_i64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_came_went_and_came_again_is_found_at_its_payment() {
        let metadata = json!({ "payment_id": "p", "order_id": "o" });
        let told = json!({
            "sessions": [
                { "id": "cs_2", "status": "open", "payment_status": "unpaid", "metadata": metadata },
                { "id": "cs_1", "status": "complete", "payment_status": "paid", "metadata": metadata },
                { "id": "cs_3", "status": "complete", "payment_status": "unpaid", "metadata": metadata },
            ],
            "payment_intents": [{ "id": "pi_1", "metadata": metadata }],
            "charges": [
                { "id": "ch_2", "payment_intent": "pi_1", "amount": 900, "paid": true },
                { "id": "ch_1", "payment_intent": "pi_1", "amount": 900, "paid": false },
            ],
            "refunds": [
                { "id": "re_2", "payment_intent": "pi_1", "amount": 200, "status": "failed" },
                { "id": "re_1", "payment_intent": "pi_1", "amount": 100, "status": "pending" },
                { "id": "re_3", "payment_intent": "pi_9", "amount": 1, "status": "succeeded" },
            ],
            "balance_transactions": [
                { "charge": "ch_2", "amount": 200 },
                { "charge": "ch_2", "amount": -200 },
                { "charge": "ch_2", "amount": -100 },
                { "charge": "ch_2", "amount": 900 },
            ],
            "deliveries": [
                { "event": "evt_1", "state": "given_up" },
                { "event": "evt_2", "state": "held" },
            ],
        });
        let books = Books::of(&told);
        let intent = &books.intents["pi_1"];
        assert_eq!((intent.payment.as_str(), intent.moved), ("p", 800));
        assert_eq!(intent.charges, [("ch_2".to_owned(), 900)].into());
        assert_eq!(intent.refunds["re_1"], Refund { amount: 100, went: true });
        assert_eq!(intent.refunds["re_2"], Refund { amount: 200, went: false });
        assert_eq!(books.strays, ["re_3"]);
        let pages = ["cs_1", "cs_2"].map(|id| (books.sessions[id].is_open, books.sessions[id].is_paid));
        assert_eq!(pages, [(false, true), (true, false)]);
        assert_eq!((given_up(&told), slow(&told)), (vec!["evt_1".into()], vec!["cs_3".into()]));
        assert!(!is_telling(&told), "what is held back waits for another event");
        assert!(is_telling(&json!({ "deliveries": [{ "state": "sending" }] })));
    }
}
