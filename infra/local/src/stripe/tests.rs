//! The simulator against what Stripe's documentation and its known messages say.

use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Sha256;

use super::acts::Act;
use super::api::{Answer, Call, Way};
use super::books::{Books, DisputeState, IntentState, Moment, SessionState, Standing, Step};
use super::deliveries::{Post, SUBSCRIBED, Try};
use super::form::Params;
use super::{API_KEY, ROLLED_SECRET, WEBHOOK_SECRET};

const SESSIONS: &str = "/v1/checkout/sessions";
const START: i64 = 1_790_000_000;

/// Books with a clock that stands still, until it is told.
struct Stripe {
    books: Books,
    now: Moment,
}

/// A session of 99.99 for one payment.
fn of(payment: &str) -> String {
    format!(
        "mode=payment&success_url=http://localhost:3000/ok&cancel_url=http://localhost:3000/back\
         &line_items[0][quantity]=1&line_items[0][price_data][currency]=usd\
         &line_items[0][price_data][unit_amount]=9000&line_items[0][price_data][product_data][name]=2+%C3%97+shoes\
         &line_items[1][quantity]=1&line_items[1][price_data][currency]=usd\
         &line_items[1][price_data][unit_amount]=999&line_items[1][price_data][product_data][name]=Shipping\
         &metadata[payment_id]={payment}&metadata[shop]=cartwright-local\
         &payment_intent_data[metadata][payment_id]={payment}&payment_intent_data[metadata][shop]=cartwright-local"
    )
}

impl Stripe {
    fn new() -> Self {
        Self { books: Books::new("test", "http://localhost:3000"), now: Moment(START * 1000) }
    }

    fn asks(&mut self, call: Call) -> (Answer, Way) {
        let authorization = format!("Bearer {API_KEY}");
        let content_type = Some("application/x-www-form-urlencoded");
        let call = Call { authorization: Some(&authorization), content_type, ..call };
        self.books.answer(&call, self.now)
    }

    fn post(&mut self, path: &str, body: &str) -> (u16, Value) {
        let (answer, _) = self.asks(Call { method: "POST", path, body, ..Call::default() });
        (answer.status, answer.body)
    }

    fn keyed(&mut self, key: &str, path: &str, body: &str) -> (Answer, Way) {
        self.asks(Call { method: "POST", path, body, idempotency_key: Some(key), ..Call::default() })
    }

    fn get(&mut self, path: &str, query: &str) -> (u16, Value) {
        let (answer, _) = self.asks(Call { method: "GET", path, query, ..Call::default() });
        (answer.status, answer.body)
    }

    /// An open session of this payment.
    fn open(&mut self, payment: &str) -> String {
        let (status, session) = self.post(SESSIONS, &of(payment));
        assert_eq!(status, 200, "{session}");
        session["id"].as_str().unwrap().to_owned()
    }

    /// A session that is paid, and its intent.
    fn paid(&mut self, payment: &str) -> (String, String) {
        let session = self.open(payment);
        let outcome = self.does(&session, json!({ "do": "pay" }));
        (session, outcome["object"]["payment_intent"].as_str().unwrap().to_owned())
    }

    fn tries(&mut self, id: &str, act: Value) -> Result<Value, String> {
        let act: Act = serde_json::from_value(act).unwrap();
        self.books.act(id, &act, self.now).map_err(|refusal| refusal.message)
    }

    #[track_caller]
    fn does(&mut self, id: &str, act: Value) -> Value {
        self.tries(id, act).unwrap()
    }

    fn later(&mut self, seconds: i64) {
        self.now = self.now.after(seconds * 1000);
    }

    /// What is sent by now.
    fn sent(&mut self) -> Vec<Sent> {
        let posts = self.books.due(self.now);
        posts
            .into_iter()
            .map(|post| Sent { event: serde_json::from_str(&post.body).unwrap(), post })
            .collect()
    }

    /// What the shop says to it.
    fn shop_says(&mut self, sent: &Sent, status: u16) {
        let one = Try { at: self.now, took: 1, status: Some(status), answer: String::new() };
        self.books.was_sent(&sent.post.delivery, one, self.now);
    }

    /// Types of all events, the oldest first.
    fn kinds(&self) -> Vec<&str> {
        self.books.events.iter().map(|event| event.kind.as_str()).collect()
    }
}

/// An event on its way.
struct Sent {
    post: Post,
    event: Value,
}

impl Sent {
    fn kind(&self) -> &str {
        self.event["type"].as_str().unwrap()
    }

    /// The time of its signature, and which of the endpoint's secrets made it.
    fn signed(&self) -> (i64, Vec<&'static str>) {
        let parts = self.post.signature.split(',').filter_map(|part| part.split_once('='));
        let time = parts.clone().find(|(name, _)| *name == "t").unwrap().1;
        let by = |secret: &str, proof: &str| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
            mac.update(time.as_bytes());
            mac.update(b".");
            mac.update(self.post.body.as_bytes());
            let bytes: Vec<u8> = (0..proof.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&proof[at..at + 2], 16).unwrap())
                .collect();
            mac.verify_slice(&bytes).is_ok()
        };
        let proofs: Vec<&str> = parts.filter(|(name, _)| *name == "v1").map(|(_, proof)| proof).collect();
        let secrets = proofs.iter().map(|proof| match proof {
            _ if by(WEBHOOK_SECRET, proof) => "the secret",
            _ if by(ROLLED_SECRET, proof) => "the old secret",
            _ => "a stranger",
        });
        (time.parse().unwrap(), secrets.collect())
    }
}

/// Code, parameter and message of a refusal.
fn said(answer: &(u16, Value)) -> (u16, &str, &str, &str) {
    let error = &answer.1["error"];
    let text = |name: &str| error[name].as_str().unwrap_or_default();
    (answer.0, text("code"), text("param"), text("message"))
}

fn amounts(books: &Books) -> Vec<(&str, i64)> {
    books.movements.iter().map(|one| (one.kind.as_str(), one.amount)).collect()
}

// ── Sessions ─────────────────────────────────

#[test]
fn a_session_is_what_was_asked_for() {
    let mut stripe = Stripe::new();
    let asked = format!(
        "{}&client_reference_id=o-1&locale=auto&submit_type=pay&payment_method_types[0]=card\
         &adaptive_pricing[enabled]=false&expires_at={}",
        of("p-1"),
        START + 2100
    );
    let (status, session) = stripe.post(SESSIONS, &asked);
    let id = session["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("cs_test_") && id.len() == 32, "{id}");
    let expected = json!({
        "id": id, "object": "checkout.session", "adaptive_pricing": { "enabled": false }, "amount_subtotal": 9999,
        "amount_total": 9999, "cancel_url": "http://localhost:3000/back", "client_reference_id": "o-1",
        "client_secret": null, "created": START, "currency": "usd", "customer": null, "customer_email": null,
        "expires_at": START + 2100, "livemode": false, "locale": "auto",
        "metadata": { "payment_id": "p-1", "shop": "cartwright-local" }, "mode": "payment", "payment_intent": null,
        "payment_method_types": ["card"], "payment_status": "unpaid", "status": "open", "submit_type": "pay",
        "success_url": "http://localhost:3000/ok",
        "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 },
        "url": format!("http://localhost:3000/local/stripe/pay/{id}"),
    });
    assert_eq!((status, &session), (200, &expected));
    assert_eq!(stripe.get(&format!("{SESSIONS}/{id}"), ""), (200, expected));
    assert_eq!(stripe.kinds(), Vec::<&str>::new());
}

#[test]
fn a_session_that_stripe_would_refuse_is_refused_in_its_words() {
    let with = |extra: &str| format!("{}&{extra}", of("p"));
    let only = |amount: &str, currency: &str| {
        format!(
            "mode=payment&success_url=http://a.test&line_items[0][quantity]=1\
             &line_items[0][price_data][currency]={currency}&line_items[0][price_data][unit_amount]={amount}\
             &line_items[0][price_data][product_data][name]=Tea"
        )
    };
    let too_small =
        |least: &str| format!("The Checkout Session's total amount due must add up to at least {least}");
    let soon = "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.";
    let cases = [
        (with("wallet=x"), "parameter_unknown", "wallet", "Received unknown parameter: wallet".to_owned()),
        (
            with("line_items[0][colour]=x"),
            "parameter_unknown",
            "line_items[0][colour]",
            "Received unknown parameter: line_items[0][colour]".to_owned(),
        ),
        (
            with(&format!("expires_at={}", START + 1799)),
            "parameter_invalid_integer",
            "expires_at",
            soon.to_owned(),
        ),
        (
            with(&format!("expires_at={}", START + 86_401)),
            "parameter_invalid_integer",
            "expires_at",
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."
                .to_owned(),
        ),
        (with("mode=subscription"), "", "mode", "Invalid mode: must be one of payment".to_owned()),
        (with("success_url=ok"), "url_invalid", "success_url", "Not a valid URL".to_owned()),
        (only("49", "usd"), "amount_too_small", "amount", too_small("$0.50 usd")),
        (only("29", "gbp"), "amount_too_small", "amount", too_small("£0.30 gbp")),
        (
            only("100000000", "eur"),
            "amount_too_large",
            "amount",
            "The Checkout Session's total amount due must add up to no more than €999999.99".to_owned(),
        ),
        (
            only("-1", "usd"),
            "parameter_invalid_integer",
            "line_items[0][price_data][unit_amount]",
            "This value must be greater than or equal to 0.".to_owned(),
        ),
        (
            "mode=payment&success_url=http://a.test".to_owned(),
            "parameter_missing",
            "line_items",
            "Missing required param: line_items.".to_owned(),
        ),
    ];
    let mut stripe = Stripe::new();
    for (asked, code, param, message) in cases {
        let answer = stripe.post(SESSIONS, &asked);
        assert_eq!(said(&answer), (400, code, param, message.as_str()), "{asked}");
        assert_eq!(answer.1["error"]["type"], "invalid_request_error");
    }
    assert_eq!(stripe.books.sessions.iter().count(), 0);
    for life in [1800, 86_400] {
        assert_eq!(stripe.post(SESSIONS, &with(&format!("expires_at={}", START + life))).0, 200, "{life}");
    }
    for (amount, currency) in [("50", "usd"), ("30", "gbp"), ("300", "sek"), ("99999999", "eur")] {
        assert_eq!(stripe.post(SESSIONS, &only(amount, currency)).0, 200, "{amount} {currency}");
    }
}

#[test]
fn a_session_is_for_a_hundred_things_at_most() {
    let line = |n: usize| {
        format!(
            "&line_items[{n}][quantity]=1&line_items[{n}][price_data][currency]=usd\
             &line_items[{n}][price_data][unit_amount]=100&line_items[{n}][price_data][product_data][name]=Tea"
        )
    };
    let many = |count: usize| {
        (0..count).fold("mode=payment&success_url=http://a.test".to_owned(), |all, n| all + &line(n))
    };
    let mut stripe = Stripe::new();
    let (status, session) = stripe.post(SESSIONS, &many(100));
    assert_eq!((status, &session["amount_total"]), (200, &json!(10_000)));
    let refused = stripe.post(SESSIONS, &many(101));
    assert_eq!((refused.0, said(&refused).2), (400, "line_items"));
}

#[test]
fn only_an_open_session_can_be_expired() {
    let mut stripe = Stripe::new();
    let (open, (paid, _)) = (stripe.open("p-1"), stripe.paid("p-2"));
    let expire = |stripe: &mut Stripe, id: &str| stripe.post(&format!("{SESSIONS}/{id}/expire"), "");
    let (status, session) = expire(&mut stripe, &open);
    assert_eq!((status, &session["status"], &session["url"]), (200, &json!("expired"), &Value::Null));
    for (id, state) in [(&open, "expired"), (&paid, "complete")] {
        let refused = expire(&mut stripe, id);
        let message = format!(
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of \
             `{state}`."
        );
        assert_eq!(said(&refused), (400, "", "", message.as_str()));
    }
    let missing = expire(&mut stripe, "cs_test_none");
    let message = "No such checkout.session: 'cs_test_none'";
    assert_eq!(said(&missing), (404, "resource_missing", "session", message));
    assert_eq!(stripe.kinds().iter().filter(|kind| **kind == "checkout.session.expired").count(), 1);
}

#[test]
fn a_session_expires_when_its_time_is_over() {
    let mut stripe = Stripe::new();
    let (_, session) = stripe.post(SESSIONS, &format!("{}&expires_at={}", of("p"), START + 1800));
    let id = session["id"].as_str().unwrap();
    assert_eq!(stripe.books.next_due(), Some(Moment((START + 1800) * 1000)));
    stripe.later(1799);
    assert_eq!(stripe.get(&format!("{SESSIONS}/{id}"), "").1["status"], "open");
    stripe.later(1);
    assert_eq!(stripe.get(&format!("{SESSIONS}/{id}"), "").1["status"], "expired");
    assert_eq!(stripe.kinds(), ["checkout.session.expired"]);
    assert!(stripe.tries(id, json!({ "do": "pay" })).is_err());
    // What Stripe never lets happen can be played all the same.
    let forced = stripe.does(id, json!({ "do": "pay", "force": true }));
    assert_eq!(
        (&forced["object"]["status"], &forced["object"]["payment_status"]),
        (&json!("complete"), &json!("paid"))
    );
}

// ── Payments ─────────────────────────────────

#[test]
fn a_payment_moves_money_once_and_is_told() {
    let mut stripe = Stripe::new();
    let (session, intent) = stripe.paid("p-1");
    let told = stripe.get(&format!("{SESSIONS}/{session}"), "").1;
    assert_eq!((&told["payment_status"], &told["status"]), (&json!("paid"), &json!("complete")));
    let (_, told) = stripe.get(&format!("/v1/payment_intents/{intent}"), "");
    assert_eq!((&told["status"], &told["amount_received"]), (&json!("succeeded"), &json!(9999)));
    assert_eq!(told["metadata"], json!({ "payment_id": "p-1", "shop": "cartwright-local" }));
    let charge = told["latest_charge"].as_str().unwrap();
    let (_, charge) = stripe.get(&format!("/v1/charges/{charge}"), "");
    assert_eq!((&charge["paid"], &charge["payment_intent"]), (&json!(true), &json!(intent)));
    let told = [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ];
    assert_eq!(stripe.kinds(), told);
    assert_eq!(amounts(&stripe.books), [("charge", 9999)]);
    assert!(stripe.tries(&session, json!({ "do": "pay" })).is_err());
    assert!(stripe.tries(&session, json!({ "do": "pay", "force": true })).is_err());
    assert_eq!(amounts(&stripe.books), [("charge", 9999)]);
}

#[test]
fn after_a_decline_another_card_may_pay() {
    let mut stripe = Stripe::new();
    let session = stripe.open("p");
    let declined = stripe.does(&session, json!({ "do": "decline" }));
    assert_eq!(declined["object"]["status"], "open");
    stripe.does(&session, json!({ "do": "pay" }));
    let told = [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ];
    assert_eq!(stripe.kinds(), told);
    assert_eq!((stripe.books.intents.iter().count(), stripe.books.charges.iter().count()), (1, 2));
    assert_eq!(amounts(&stripe.books), [("charge", 9999)]);
}

#[test]
fn a_declined_session_takes_its_intent_along_when_it_expires() {
    let mut stripe = Stripe::new();
    let session = stripe.open("p");
    stripe.does(&session, json!({ "do": "decline" }));
    stripe.does(&session, json!({ "do": "expire" }));
    assert_eq!(stripe.kinds()[3..], ["payment_intent.canceled", "checkout.session.expired"]);
    assert_eq!(amounts(&stripe.books), []);
}

#[test]
fn a_debit_comes_later_or_never() {
    for (what, state, paid, told) in [
        ("arrive", SessionState::Paid, "paid", "checkout.session.async_payment_succeeded"),
        ("fail", SessionState::Failed, "unpaid", "checkout.session.async_payment_failed"),
    ] {
        let mut stripe = Stripe::new();
        let session = stripe.open("p");
        let ordered = stripe.does(&session, json!({ "do": "pay-later" }))["object"].clone();
        assert_eq!((&ordered["status"], &ordered["payment_status"]), (&json!("complete"), &json!("unpaid")));
        assert_eq!(stripe.kinds().last(), Some(&"checkout.session.completed"));
        assert_eq!(amounts(&stripe.books), []);
        let over = stripe.does(&session, json!({ "do": what }))["object"].clone();
        assert_eq!((&over["status"], &over["payment_status"]), (&json!("complete"), &json!(paid)));
        assert_eq!(stripe.kinds().last(), Some(&told));
        assert_eq!(stripe.books.session(&session).unwrap().state, state);
        let moved: i64 = stripe.books.movements.iter().map(|one| one.amount).sum();
        assert_eq!(moved, if paid == "paid" { 9999 } else { 0 });
    }
}

#[test]
fn what_was_paid_may_be_other_than_what_was_asked_for() {
    let mut stripe = Stripe::new();
    let session = stripe.open("p");
    let paid =
        stripe.does(&session, json!({ "do": "pay", "amount": 9998, "currency": "EUR" }))["object"].clone();
    assert_eq!((&paid["amount_total"], &paid["currency"]), (&json!(9998), &json!("eur")));
    let one = &stripe.books.movements[0];
    assert_eq!((one.amount, one.currency.as_str()), (9998, "eur"));
}

#[test]
fn nothing_leaves_an_end() {
    use Step::{Arrived, Bounced, Declined, Ended, Paid, PaidLater};
    for step in [Paid, PaidLater, Arrived, Bounced, Declined, Ended] {
        for state in [SessionState::Paid, SessionState::Failed, SessionState::Expired] {
            assert_eq!(state.on(step), None, "{state:?} {step:?}");
        }
        for state in [IntentState::Succeeded, IntentState::Canceled] {
            assert_eq!(state.on(step), None, "{state:?} {step:?}");
        }
    }
}

#[test]
fn an_intent_without_a_session_is_paid_or_canceled() {
    let mut stripe = Stripe::new();
    let asked = "amount=500&currency=usd&automatic_payment_methods[enabled]=true\
                 &automatic_payment_methods[allow_redirects]=never&metadata[payment_id]=p-1";
    let (status, intent) = stripe.post("/v1/payment_intents", asked);
    let id = intent["id"].as_str().unwrap().to_owned();
    assert_eq!((status, &intent["status"]), (200, &json!("requires_payment_method")));
    assert!(intent["client_secret"].as_str().unwrap().starts_with(&format!("{id}_secret_")));
    // Named by what the shop calls the payment.
    stripe.does("p-1", json!({ "do": "pay" }));
    let refused = stripe.post(&format!("/v1/payment_intents/{id}/cancel"), "");
    let message = "You cannot cancel this PaymentIntent because it has a status of succeeded. Only a PaymentIntent \
                   with one of the following statuses may be canceled: requires_payment_method, requires_capture, \
                   requires_confirmation, requires_action.";
    assert_eq!(said(&refused), (400, "payment_intent_unexpected_state", "", message));
    assert_eq!(refused.1["error"]["payment_intent"]["status"], "succeeded");

    let (_, other) = stripe.post("/v1/payment_intents", "amount=500&currency=usd");
    let other = other["id"].as_str().unwrap().to_owned();
    let (status, canceled) =
        stripe.post(&format!("/v1/payment_intents/{other}/cancel"), "cancellation_reason=abandoned");
    let told = (status, &canceled["status"], &canceled["cancellation_reason"], &canceled["canceled_at"]);
    assert_eq!(told, (200, &json!("canceled"), &json!("abandoned"), &json!(START)));
    let small = stripe.post("/v1/payment_intents", "amount=49&currency=usd");
    assert_eq!(said(&small), (400, "amount_too_small", "amount", "Amount must be at least $0.50 usd"));
}

#[test]
fn metadata_of_a_paid_intent_can_still_be_changed() {
    let mut stripe = Stripe::new();
    let (session, intent) = stripe.paid("p-1");
    let path = format!("/v1/payment_intents/{intent}");
    let (status, told) = stripe.post(&path, "metadata[alreadySentMail]=true&metadata[shop]=");
    assert_eq!(
        (status, &told["metadata"]),
        (200, &json!({ "alreadySentMail": "true", "payment_id": "p-1" }))
    );
    assert_eq!(said(&stripe.post(&path, "amount=1")).1, "parameter_unknown");
    let refused = stripe.post(&format!("{path}/cancel"), "");
    assert_eq!(said(&refused).1, "payment_intent_unexpected_state");
    assert_eq!(stripe.get(&format!("{SESSIONS}/{session}"), "").1["metadata"]["shop"], "cartwright-local");
}

// ── Refunds and disputes ─────────────────────────────

#[test]
fn no_more_is_refunded_than_was_paid() {
    let mut stripe = Stripe::new();
    let (_, intent) = stripe.paid("p");
    let charge = stripe.books.charge_of(&intent).unwrap().id.clone();
    let asks = |stripe: &mut Stripe, amount: &str| {
        stripe.post("/v1/refunds", &format!("payment_intent={intent}&amount={amount}"))
    };
    let refused = asks(&mut stripe, "10000");
    let message = "Refund amount ($100.00) is greater than charge amount ($99.99)";
    assert_eq!(said(&refused), (400, "", "amount", message));
    let (status, refund) = stripe.post(
        "/v1/refunds",
        &format!("payment_intent={intent}&amount=6000&reason=requested_by_customer&metadata[refund_id]=r-1"),
    );
    let expected = json!({
        "id": refund["id"], "object": "refund", "amount": 6000, "charge": charge, "created": START, "currency": "usd",
        "metadata": { "refund_id": "r-1" }, "payment_intent": intent, "reason": "requested_by_customer",
        "status": "succeeded",
    });
    assert_eq!((status, &refund), (200, &expected));
    let refused = asks(&mut stripe, "6000");
    let message = "Refund amount ($60.00) is greater than unrefunded amount on charge ($39.99)";
    assert_eq!(said(&refused), (400, "", "amount", message));
    let (_, rest) = stripe.post("/v1/refunds", &format!("charge={charge}"));
    assert_eq!((&rest["amount"], &rest["metadata"]), (&json!(3999), &json!({})));
    let refused = asks(&mut stripe, "1");
    let message = format!("Charge {charge} has already been refunded.");
    assert_eq!(said(&refused), (400, "charge_already_refunded", "", message.as_str()));
    assert_eq!(amounts(&stripe.books), [("charge", 9999), ("refund", -6000), ("refund", -3999)]);
    let (_, charge) = stripe.get(&format!("/v1/charges/{charge}"), "");
    assert_eq!((&charge["amount_refunded"], &charge["refunded"]), (&json!(9999), &json!(true)));
}

#[test]
fn what_was_not_paid_is_not_refunded() {
    let mut stripe = Stripe::new();
    let session = stripe.open("p");
    stripe.does(&session, json!({ "do": "decline" }));
    let intent = stripe.books.session(&session).unwrap().intent.clone().unwrap();
    let refused = stripe.post("/v1/refunds", &format!("payment_intent={intent}"));
    let message = format!("This PaymentIntent ({intent}) does not have a successful charge to refund.");
    assert_eq!(said(&refused), (400, "", "", message.as_str()));
    let missing = stripe.post("/v1/refunds", "payment_intent=pi_none");
    let message = "No such payment_intent: 'pi_none'";
    assert_eq!(said(&missing), (404, "resource_missing", "payment_intent", message));
    assert_eq!(said(&stripe.post("/v1/refunds", "")).1, "parameter_missing");
    assert_eq!(
        said(&stripe.post("/v1/refunds", "payment_intent=pi_none&amount=0")).1,
        "parameter_invalid_integer"
    );
}

#[test]
fn a_refund_may_wait_and_may_fail_after_it_succeeded() {
    let mut stripe = Stripe::new();
    let (_, intent) = stripe.paid("p");
    stripe.fault(json!({ "fault": "refund-pending", "of": "p" }));
    let (_, pending) = stripe.post("/v1/refunds", &format!("payment_intent={intent}&amount=1000"));
    let id = pending["id"].as_str().unwrap().to_owned();
    assert_eq!((&pending["status"], &pending["pending_reason"]), (&json!("pending"), &json!("processing")));
    let (_, next) = stripe.post("/v1/refunds", &format!("payment_intent={intent}&amount=1000"));
    assert_eq!(next["status"], "succeeded");
    let before = stripe.kinds().len();
    assert_eq!(stripe.does(&id, json!({ "do": "succeed" }))["object"]["status"], "succeeded");
    assert!(stripe.tries(&id, json!({ "do": "succeed" })).is_err());
    let failed = stripe.does(&id, json!({ "do": "fail" }))["object"].clone();
    assert_eq!(
        (&failed["status"], &failed["failure_reason"]),
        (&json!("failed"), &json!("expired_or_canceled_card"))
    );
    assert!(stripe.tries(&id, json!({ "do": "fail" })).is_err());
    assert_eq!(stripe.kinds()[before..], ["refund.updated", "refund.updated", "refund.failed"]);
    let expected = [("charge", 9999), ("refund", -1000), ("refund", -1000), ("refund_failure", 1000)];
    assert_eq!(amounts(&stripe.books), expected);
    assert_eq!(stripe.books.charge_of(&intent).unwrap().amount_refunded, 1000);
}

#[test]
fn a_refund_in_the_dashboard_has_nothing_of_the_shops() {
    let mut stripe = Stripe::new();
    let (session, _) = stripe.paid("p");
    let refund = stripe.does(&session, json!({ "do": "refund", "amount": 1 }))["object"].clone();
    assert_eq!((&refund["metadata"], &refund["amount"]), (&json!({}), &json!(1)));
    let (_, listed) =
        stripe.get("/v1/refunds", &format!("payment_intent={}", refund["payment_intent"].as_str().unwrap()));
    assert_eq!(listed["data"], json!([refund]));
}

#[test]
fn a_dispute_takes_the_money_and_forbids_refunds_until_it_is_won() {
    let mut stripe = Stripe::new();
    let (session, intent) = stripe.paid("p");
    let dispute = stripe.does(&session, json!({ "do": "dispute", "amount": 10_040 }))["object"].clone();
    let id = dispute["id"].as_str().unwrap().to_owned();
    assert_eq!((&dispute["status"], &dispute["metadata"]), (&json!("needs_response"), &json!({})));
    assert_eq!(stripe.kinds()[4..], ["charge.dispute.created", "charge.dispute.funds_withdrawn"]);
    assert_eq!(stripe.books.movements.iter().map(|one| one.amount).sum::<i64>(), -41);
    let charge = stripe.books.charge_of(&intent).unwrap().id.clone();
    let refused = stripe.post("/v1/refunds", &format!("payment_intent={intent}&amount=1"));
    let message = format!("Charge {charge} has been charged back; cannot issue a refund.");
    assert_eq!(said(&refused), (400, "charge_disputed", "", message.as_str()));
    assert!(stripe.tries(&session, json!({ "do": "dispute" })).is_err());
    assert_eq!(stripe.does(&id, json!({ "do": "win" }))["object"]["status"], "won");
    assert!(stripe.tries(&id, json!({ "do": "lose" })).is_err());
    assert_eq!(stripe.kinds()[6..], ["charge.dispute.funds_reinstated", "charge.dispute.closed"]);
    assert_eq!(stripe.books.movements.iter().map(|one| one.amount).sum::<i64>(), 9999);
    assert_eq!(stripe.post("/v1/refunds", &format!("payment_intent={intent}&amount=1")).0, 200);
    assert_eq!(stripe.get(&format!("/v1/disputes/{id}"), "").1["status"], "won");

    let (other, _) = stripe.paid("q");
    let dispute =
        stripe.does(&other, json!({ "do": "dispute" }))["object"]["id"].as_str().unwrap().to_owned();
    let lost = stripe.does(&dispute, json!({ "do": "lose" }))["object"].clone();
    assert_eq!((&lost["status"], &lost["is_charge_refundable"]), (&json!("lost"), &json!(false)));
    assert_eq!(stripe.kinds().last(), Some(&"charge.dispute.closed"));
    assert!(stripe.tries(&other, json!({ "do": "refund" })).is_err());
}

// ── The API ─────────────────────────────────

#[test]
fn whoever_has_no_key_is_told_so() {
    let mut stripe = Stripe::new();
    let answer =
        stripe.books.answer(&Call { method: "GET", path: "/v1/events", ..Call::default() }, stripe.now).0;
    assert!(answer.status == 401 && answer.request_id.starts_with("req_"), "{answer:?}");
    let call = Call {
        method: "GET",
        path: "/v1/events",
        authorization: Some("Bearer sk_live_abcd1234"),
        ..Call::default()
    };
    let answer = stripe.books.answer(&call, stripe.now).0;
    let expected = json!({ "error": {
        "message": "Invalid API Key provided: *********1234", "type": "invalid_request_error",
    } });
    assert_eq!((answer.status, answer.body), (401, expected));
}

#[test]
fn what_the_api_has_not_is_not_found() {
    let mut stripe = Stripe::new();
    for (method, path) in
        [("GET", "/v1/customers"), ("DELETE", "/v1/refunds"), ("GET", "/v2/core/events"), ("GET", "/")]
    {
        let (answer, _) = stripe.asks(Call { method, path, ..Call::default() });
        let message = format!("Unrecognized request URL ({method}: {path}).");
        assert_eq!((answer.status, &answer.body["error"]["message"]), (404, &json!(message)));
    }
    for path in ["events/evt_x", "refunds/re_x", "charges/ch_x", "disputes/dp_x", "payment_intents/pi_x"] {
        assert_eq!(said(&stripe.get(&format!("/v1/{path}"), "")).1, "resource_missing", "{path}");
    }
    assert_eq!(said(&stripe.get("/v1/events", "colour=red")).1, "parameter_unknown");
    let call = Call { method: "POST", path: "/v1/refunds", body: "{}", ..Call::default() };
    let authorization = format!("Bearer {API_KEY}");
    let call = Call { content_type: Some("application/json"), authorization: Some(&authorization), ..call };
    let answer = stripe.books.answer(&call, stripe.now).0;
    let message = "Invalid request (check that your POST content type is application/x-www-form-urlencoded).";
    assert_eq!((answer.status, &answer.body["error"]["message"]), (400, &json!(message)));
}

#[test]
fn a_key_gives_the_first_answer_again() {
    let mut stripe = Stripe::new();
    let (first, _) = stripe.keyed("pay-1", SESSIONS, &of("p-1"));
    stripe.later(60);
    // What happened since does not show.
    stripe.does("p-1", json!({ "do": "pay" }));
    let (again, _) = stripe.keyed("pay-1", SESSIONS, &of("p-1"));
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(again.original_request.as_ref(), Some(&first.request_id));
    assert_ne!(again.request_id, first.request_id);
    assert_eq!(stripe.books.sessions.iter().count(), 1);
    let (other, _) = stripe.keyed("pay-1", SESSIONS, &of("p-2"));
    let message = "Keys for idempotent requests can only be used with the same parameters they were first used with. \
                   Try using a key other than 'pay-1' if you meant to execute a different request.";
    let expected = json!({ "error": { "message": message, "type": "idempotency_error" } });
    assert_eq!((other.status, other.body), (400, expected));
    let (elsewhere, _) = stripe.keyed("pay-1", "/v1/refunds", &of("p-1"));
    let message = elsewhere.body["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("the same endpoint") && elsewhere.body["error"]["type"] == "idempotency_error",
        "{message}"
    );
    let (long, _) = stripe.keyed(&"k".repeat(256), SESSIONS, &of("p-1"));
    assert_eq!(long.status, 400);
    stripe.later(24 * 3600);
    let (forgotten, _) = stripe.keyed("pay-1", SESSIONS, &of("p-1"));
    assert_ne!(forgotten.body["id"], first.body["id"]);
    assert!(stripe.books.forget_key("pay-1") && !stripe.books.forget_key("pay-1"));
}

#[test]
fn a_refusal_is_kept_once_the_work_had_begun() {
    let mut stripe = Stripe::new();
    let soon = format!("{}&expires_at={}", of("p"), START + 60);
    assert_eq!(stripe.keyed("a", SESSIONS, &soon).0.status, 400);
    // Not kept: nothing had begun, so the key is free.
    let (made, _) = stripe.keyed("a", SESSIONS, &of("p"));
    assert_eq!((made.status, made.original_request), (200, None));

    let (session, intent) = stripe.paid("q");
    stripe.does(&session, json!({ "do": "dispute" }));
    let asked = format!("payment_intent={intent}");
    let (refused, _) = stripe.keyed("b", "/v1/refunds", &asked);
    let dispute = stripe.books.disputes.iter().next().unwrap().id.clone();
    stripe.does(&dispute, json!({ "do": "win" }));
    let (again, _) = stripe.keyed("b", "/v1/refunds", &asked);
    assert_eq!((again.status, &again.body), (400, &refused.body));
    assert_eq!(again.original_request, Some(refused.request_id));
}

#[test]
fn a_list_is_read_page_by_page_the_newest_first() {
    let mut stripe = Stripe::new();
    let mut made = Vec::new();
    for payment in ["a", "b", "c", "d", "e"] {
        made.push(stripe.open(payment));
        stripe.later(10);
    }
    made.reverse();
    let ids = |answer: &(u16, Value)| -> Vec<String> {
        let data = answer.1["data"].as_array().unwrap();
        data.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let all = stripe.get(SESSIONS, "");
    assert_eq!(
        (ids(&all), &all.1["has_more"], &all.1["url"]),
        (made.clone(), &json!(false), &json!(SESSIONS))
    );
    let first = stripe.get(SESSIONS, "limit=2");
    assert_eq!((ids(&first), &first.1["has_more"]), (made[..2].to_vec(), &json!(true)));
    let next = stripe.get(SESSIONS, &format!("limit=3&starting_after={}", made[1]));
    assert_eq!((ids(&next), &next.1["has_more"]), (made[2..].to_vec(), &json!(false)));
    let back = stripe.get(SESSIONS, &format!("limit=1&ending_before={}", made[2]));
    assert_eq!((ids(&back), &back.1["has_more"]), (made[1..2].to_vec(), &json!(true)));
    let then = stripe.get(SESSIONS, &format!("created[gte]={}&created[lt]={}", START + 10, START + 30));
    assert_eq!(ids(&then), made[2..4]);
    assert_eq!(said(&stripe.get(SESSIONS, "starting_after=cs_none")).0, 400);
    assert_eq!(said(&stripe.get(SESSIONS, "limit=101")).1, "parameter_invalid_integer");
}

#[test]
fn events_are_found_by_type_and_time() {
    let mut stripe = Stripe::new();
    stripe.paid("p");
    stripe.later(100);
    stripe.does("p", json!({ "do": "refund", "amount": 1 }));
    let kinds = |stripe: &mut Stripe, query: &str| -> Vec<String> {
        let (status, list) = stripe.get("/v1/events", query);
        assert_eq!(status, 200, "{list}");
        list["data"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        kinds(&mut stripe, "types[]=refund.created&types[]=checkout.session.completed"),
        ["refund.created", "checkout.session.completed"]
    );
    assert_eq!(kinds(&mut stripe, "type=charge.*"), ["charge.refunded", "charge.succeeded"]);
    assert_eq!(kinds(&mut stripe, &format!("created[gt]={START}")), ["charge.refunded", "refund.created"]);
    assert_eq!(said(&stripe.get("/v1/events", "type=a&types[]=b")).1, "parameters_exclusive");
    let (_, list) = stripe.get("/v1/events", "type=checkout.session.completed");
    let event = &list["data"][0];
    let object = &event["data"]["object"];
    assert_eq!((&object["payment_status"], &object["amount_total"]), (&json!("paid"), &json!(9999)));
    let id = event["id"].as_str().unwrap();
    assert_eq!(stripe.get(&format!("/v1/events/{id}"), "").1, *event);
    stripe.later(31 * 24 * 3600);
    assert_eq!(kinds(&mut stripe, ""), Vec::<String>::new());
}

#[test]
fn an_event_that_a_request_made_names_it() {
    let mut stripe = Stripe::new();
    let (_, intent) = stripe.paid("p");
    let (answer, _) = stripe.keyed("refund-1", "/v1/refunds", &format!("payment_intent={intent}"));
    let made = |stripe: &Stripe, kind: &str| {
        stripe.books.events.iter().find(|event| event.kind == kind).unwrap().shown()["request"].clone()
    };
    let expected = json!({ "id": answer.request_id, "idempotency_key": "refund-1" });
    assert_eq!(made(&stripe, "refund.created"), expected);
    assert_eq!(made(&stripe, "checkout.session.completed"), json!({ "id": null, "idempotency_key": null }));
}

// ── Faults ─────────────────────────────────

impl Stripe {
    fn fault(&mut self, fault: Value) {
        self.books.faults.push(serde_json::from_value(fault).unwrap());
    }

    fn switch(&mut self, switch: Value) {
        self.books.switches.push(serde_json::from_value(switch).unwrap());
    }
}

#[test]
fn each_fault_does_what_it_says() {
    // The fault; the way of the answer, its status, whether another try may do, and the sessions that there are.
    let seconds = std::time::Duration::from_secs;
    let cases = [
        ("answer-lost", Way::Never, 200, None, 1),
        ("slow", Way::Late(seconds(9)), 200, None, 1),
        ("500", Way::AtOnce, 500, Some(true), 0),
        ("500-kept", Way::AtOnce, 500, Some(false), 0),
        ("429", Way::AtOnce, 429, Some(true), 0),
        ("409", Way::AtOnce, 409, Some(true), 0),
        ("connection-refused", Way::Never, 500, None, 0),
    ];
    for (fault, way, status, may_retry, made) in cases {
        let mut stripe = Stripe::new();
        stripe.fault(json!({ "fault": fault }));
        let (answer, how) = stripe.keyed("k", SESSIONS, &of("p"));
        assert_eq!((how, answer.status, answer.may_retry), (way, status, may_retry), "{fault}");
        assert_eq!(stripe.books.sessions.iter().count(), made, "{fault}");
        // Another try: the session that there is, or a new one, and never two. A late answer is still on its way.
        if fault == "slow" {
            let (busy, _) = stripe.keyed("k", SESSIONS, &of("p"));
            assert_eq!((busy.status, &busy.body["error"]["code"]), (409, &json!("idempotency_key_in_use")));
            stripe.later(9);
        }
        let (again, way) = stripe.keyed("k", SESSIONS, &of("p"));
        let expected = if fault == "500-kept" { (500, 0) } else { (200, 1) };
        assert_eq!((again.status, stripe.books.sessions.iter().count()), expected, "{fault}");
        assert_eq!(way, Way::AtOnce, "{fault}");
        let is_replayed = ["answer-lost", "slow", "500-kept"].contains(&fault);
        assert_eq!(again.original_request.is_some(), is_replayed, "{fault}");
    }
}

#[test]
fn a_fault_hits_the_payment_and_the_call_that_it_is_for() {
    let mut stripe = Stripe::new();
    let ((one, intent), (other, _)) = (stripe.paid("p-1"), stripe.paid("p-2"));
    let status = |stripe: &mut Stripe, path: &str| stripe.get(path, "").0;
    stripe.fault(json!({ "fault": "500", "of": "p-1", "times": 2 }));
    assert_eq!(status(&mut stripe, &format!("{SESSIONS}/{other}")), 200);
    assert_eq!(status(&mut stripe, "/v1/events"), 200);
    assert_eq!(status(&mut stripe, &format!("{SESSIONS}/{one}")), 500);
    assert_eq!(stripe.post("/v1/refunds", &format!("payment_intent={intent}&amount=1")).0, 500);
    assert_eq!(stripe.post("/v1/refunds", &format!("payment_intent={intent}&amount=1")).0, 200);
    // A refund's own id, in metadata or in Stripe's object.
    stripe.fault(json!({ "fault": "429", "of": "r-1" }));
    let asked = format!("payment_intent={intent}&amount=1&metadata[refund_id]=r-1");
    assert_eq!([stripe.post("/v1/refunds", &asked).0, stripe.post("/v1/refunds", &asked).0], [429, 200]);
    stripe.fault(json!({ "fault": "500", "call": "POST /v1/checkout/sessions/{id}/expire" }));
    let open = stripe.open("p-3");
    assert_eq!(status(&mut stripe, &format!("{SESSIONS}/{open}")), 200);
    let expire = format!("{SESSIONS}/{open}/expire");
    assert_eq!([stripe.post(&expire, "").0, stripe.post(&expire, "").0], [500, 200]);
    assert!(stripe.books.faults.is_empty());
}

// ── Deliveries ────────────────────────────────

/// What is sent at once when a session is paid in this manner: the one of type `checkout.session.completed`.
fn completed(deliver: &Value) -> (Stripe, Vec<Sent>) {
    let mut stripe = Stripe::new();
    let session = stripe.open("p");
    stripe.does(&session, json!({ "do": "pay", "deliver": deliver, "type": "checkout.session.completed" }));
    let mut sent = stripe.sent();
    sent.retain(|sent| sent.event["data"]["object"]["object"] == "checkout.session");
    (stripe, sent)
}

#[test]
fn what_the_endpoint_is_subscribed_to_is_delivered_once_and_signed() {
    let mut stripe = Stripe::new();
    stripe.paid("p");
    let sent = stripe.sent();
    let kinds: Vec<_> = sent.iter().map(Sent::kind).collect();
    assert_eq!(kinds, ["payment_intent.succeeded", "checkout.session.completed"]);
    assert!(kinds.iter().all(|kind| SUBSCRIBED.contains(kind)));
    for sent in &sent {
        assert_eq!(sent.signed(), (START, vec!["the secret"]));
        // Line breaks and spaces, and letters as they are.
        assert!(sent.post.body.starts_with("{\n  \"id\": \"evt_"), "{}", sent.post.body);
        assert_eq!(
            sent.event["id"],
            stripe.books.event(sent.event["id"].as_str().unwrap()).unwrap().id.as_str()
        );
        stripe.shop_says(sent, 200);
    }
    assert!(stripe.sent().is_empty() && stripe.books.next_due().is_none());
}

#[test]
fn what_the_shop_does_not_take_is_sent_again_after_1_5_and_25_seconds() {
    let (mut stripe, mut sent) = completed(&json!([]));
    for wait in [1, 5, 25] {
        stripe.shop_says(&sent[0], 500);
        stripe.later(wait - 1);
        assert!(stripe.sent().is_empty(), "{wait}");
        stripe.later(1);
        let again = stripe.sent();
        assert_eq!((again.len(), &again[0].event), (1, &sent[0].event), "{wait}");
        // Signed anew, as each of Stripe's tries is.
        assert_eq!(again[0].signed(), (stripe.now.seconds(), vec!["the secret"]));
        sent = again;
    }
    stripe.shop_says(&sent[0], 404);
    stripe.later(3600);
    assert!(stripe.sent().is_empty());
    let told = stripe.books.told(Some("p"), 50);
    let delivery =
        told["deliveries"].as_array().unwrap().iter().find(|one| one["state"] == "given_up").unwrap();
    let statuses: Vec<_> =
        delivery["tries"].as_array().unwrap().iter().map(|one| one["status"].clone()).collect();
    assert_eq!(statuses, [500, 500, 500, 404]);
}

#[test]
fn each_manner_of_delivering_does_what_it_says() {
    let shown = |deliver: Value| completed(&deliver).1;
    let member = |sent: &[Sent], pointer: &str| sent[0].event.pointer(pointer).cloned();
    let twice = shown(json!(["twice"]));
    assert_eq!((twice.len(), &twice[0].event), (2, &twice[1].event));
    let other = shown(json!(["other-id"]));
    assert_eq!(other.len(), 2);
    assert_ne!(other[0].event["id"], other[1].event["id"]);
    assert_eq!(other[0].event["data"], other[1].event["data"]);
    assert!(shown(json!(["never"])).is_empty());
    let forged = shown(json!(["wrong-signature"]));
    assert_eq!(forged[0].signed(), (START, vec!["a stranger"]));
    assert_eq!(shown(json!(["old"]))[0].signed(), (START - 600, vec!["the secret"]));
    assert_eq!(shown(json!(["rolled"]))[0].signed(), (START, vec!["the old secret", "the secret"]));
    let object = "/data/object";
    let shop = member(&shown(json!(["other-shop"])), &format!("{object}/metadata/shop"));
    assert_eq!(shop, Some(json!("another-shop")));
    let live = shown(json!(["livemode"]));
    assert_eq!(
        (&live[0].event["livemode"], &live[0].event["data"]["object"]["livemode"]),
        (&json!(true), &json!(true))
    );
    assert!(!SUBSCRIBED.contains(&shown(json!(["unknown-type"]))[0].kind()));
    let total = format!("{object}/amount_total");
    assert_eq!(member(&shown(json!(["cent-less"])), &total), Some(json!(9998)));
    assert_eq!(member(&shown(json!(["cent-more"])), &total), Some(json!(10_000)));
    assert_eq!(member(&shown(json!(["other-currency"])), &format!("{object}/currency")), Some(json!("eur")));
    // Together, and signed as they are.
    let both = shown(json!(["twice", "livemode", "rolled"]));
    assert_eq!((both.len(), &both[1].event["livemode"]), (2, &json!(true)));
    assert_eq!(both[1].signed().1, ["the old secret", "the secret"]);
}

#[test]
fn events_of_other_versions_say_the_same() {
    let told = |deliver: Value| {
        let event = completed(&deliver).1.remove(0).event;
        let object = &event["data"]["object"];
        let names = [
            "id",
            "object",
            "metadata",
            "status",
            "payment_status",
            "amount_total",
            "currency",
            "payment_intent",
        ];
        (event["api_version"].clone(), names.map(|name| object[name].clone()), event)
    };
    let (_, expected, present) = told(json!([]));
    let ((then, old, before), (later, new, after)) = (told(json!(["api-2019"])), told(json!(["api-2030"])));
    assert_eq!((&old, &new), (&expected, &expected));
    assert_eq!((then, later), (json!("2019-12-03"), json!("2030-03-31.yarrow")));
    assert!(before.get("request").is_none() && before["data"]["object"].get("locale").is_none(), "{before}");
    assert!(after["context"].is_object() && present.get("context").is_none());
}

#[test]
fn a_late_delivery_is_late() {
    let mut stripe = Stripe::new();
    let session = stripe.open("p");
    stripe.does(&session, json!({ "do": "pay", "deliver": ["late"], "seconds": 30 }));
    stripe.later(29);
    assert!(stripe.sent().is_empty());
    stripe.later(1);
    assert_eq!(stripe.sent().len(), 2);
}

#[test]
fn a_payment_can_be_told_after_its_refund() {
    let (mut stripe, sent) = completed(&json!(["out-of-order"]));
    assert!(sent.is_empty());
    stripe.does("p", json!({ "do": "refund" }));
    let refund = stripe.sent();
    assert_eq!(refund.iter().map(Sent::kind).collect::<Vec<_>>(), ["refund.created"]);
    assert!(stripe.sent().is_empty());
    stripe.shop_says(&refund[0], 500);
    assert_eq!(stripe.sent().iter().map(Sent::kind).collect::<Vec<_>>(), ["checkout.session.completed"]);
}

#[test]
fn a_payment_can_be_told_again_after_its_refund() {
    let (mut stripe, first) = completed(&json!(["twice-after-refund"]));
    assert_eq!(first.len(), 1);
    stripe.shop_says(&first[0], 200);
    // The refund of another payment does not count.
    stripe.paid("q");
    stripe.does("q", json!({ "do": "refund" }));
    for sent in stripe.sent() {
        stripe.shop_says(&sent, 200);
    }
    assert!(stripe.sent().is_empty());
    stripe.does("p", json!({ "do": "refund" }));
    let refund = stripe.sent();
    stripe.shop_says(&refund[0], 200);
    let again = stripe.sent();
    assert_eq!((again.len(), &again[0].event), (1, &first[0].event));
}

#[test]
fn a_switch_waits_for_the_event_that_it_is_for() {
    let mut stripe = Stripe::new();
    stripe.switch(json!({ "deliver": ["never"], "of": "p-1", "type": "checkout.session.completed" }));
    stripe.switch(json!({ "deliver": ["twice"], "of": "p-1", "type": "refund.created", "times": 2 }));
    let ((_, intent), _) = (stripe.paid("p-1"), stripe.paid("p-2"));
    let kinds = |stripe: &mut Stripe| -> Vec<String> {
        stripe.sent().iter().map(|sent| sent.kind().to_owned()).collect()
    };
    let paid = ["payment_intent.succeeded", "payment_intent.succeeded", "checkout.session.completed"];
    assert_eq!(kinds(&mut stripe), paid);
    for expected in [2, 2, 1] {
        stripe.post("/v1/refunds", &format!("payment_intent={intent}&amount=1"));
        assert_eq!(kinds(&mut stripe), vec!["refund.created"; expected]);
    }
    assert!(stripe.books.switches.is_empty());
}

#[test]
fn an_event_can_be_delivered_again_whenever_and_whatever_it_is() {
    let mut stripe = Stripe::new();
    let session = stripe.open("p");
    let declined = stripe.does(&session, json!({ "do": "decline" }));
    assert!(stripe.sent().is_empty());
    let last = declined["events"].as_array().unwrap().last().unwrap().as_str().unwrap().to_owned();
    stripe.does(&session, json!({ "do": "pay" }));
    stripe.sent();
    stripe.does(&last, json!({ "do": "deliver", "deliver": ["twice"] }));
    let sent = stripe.sent();
    assert_eq!(sent.iter().map(Sent::kind).collect::<Vec<_>>(), ["payment_intent.payment_failed"; 2]);
    let session = stripe.open("q");
    let act = json!({ "do": "decline", "deliver": ["once"], "type": "payment_intent.payment_failed" });
    stripe.does(&session, act);
    assert_eq!(stripe.sent().len(), 1);
}

#[test]
fn what_the_books_tell_of_one_payment_is_of_that_one_alone() {
    let mut stripe = Stripe::new();
    let (session, intent) = stripe.paid("p-1");
    stripe.paid("p-2");
    stripe.does("p-1", json!({ "do": "refund", "amount": 5 }));
    stripe.does("p-2", json!({ "do": "dispute" }));
    for name in ["p-1", &session, &intent] {
        let told = stripe.books.told(Some(name), usize::MAX);
        let counts =
            ["sessions", "payment_intents", "charges", "refunds", "disputes", "balance_transactions"]
                .map(|list| told[list].as_array().unwrap().len());
        assert_eq!((counts, &told["balance"]), ([1, 1, 1, 1, 0, 2], &json!({ "usd": 9994 })), "{name}");
        assert_eq!(
            (told["events"].as_array().unwrap().len(), told["deliveries"].as_array().unwrap().len()),
            (6, 3)
        );
    }
    let all = stripe.books.told(None, 1);
    assert_eq!((all["sessions"].as_array().unwrap().len(), &all["balance"]), (1, &json!({ "usd": 9994 })));
}

#[test]
fn the_books_outlive_a_restart() {
    let mut stripe = Stripe::new();
    let (session, intent) = stripe.paid("p");
    stripe.keyed("k", "/v1/refunds", &format!("payment_intent={intent}&amount=5"));
    stripe.fault(json!({ "fault": "slow", "of": "p" }));
    let sent = stripe.sent();
    let written = serde_json::to_vec(&stripe.books).unwrap();
    let mut read = Stripe { books: serde_json::from_slice(&written).unwrap(), now: stripe.now };
    assert_eq!(read.books.told(None, usize::MAX), stripe.books.told(None, usize::MAX));
    // What was being sent is sent again, since nobody knows whether it arrived.
    assert!(read.sent().is_empty());
    read.books.take_up_again(read.now);
    assert_eq!(read.sent().len(), sent.len());
    let (again, way) = read.keyed("k", "/v1/refunds", &format!("payment_intent={intent}&amount=5"));
    assert!(again.original_request.is_some() && way != Way::AtOnce);
    assert_eq!(read.books.session(&session).unwrap().state, SessionState::Paid);
    // Ids go on where they were.
    assert_ne!(read.open("q"), session);
}

// ── Whatever comes ───────────────────────────────

fn acts() -> impl Strategy<Value = Vec<(usize, u8, i64)>> {
    prop::collection::vec((0_usize..3, 0_u8..14, 1_i64..12_000), 1..60)
}

/// Charges, refunds and disputes say what the movements of money sum to, and nothing is given back twice.
fn assert_sums(books: &Books) {
    for charge in books.charges.iter() {
        let moved: i64 =
            books.movements.iter().filter(|one| one.charge == charge.id).map(|one| one.amount).sum();
        let taken = if charge.standing == Standing::Succeeded { charge.amount } else { 0 };
        let refunds = books.refunds.iter().filter(|one| one.charge == charge.id);
        let refunded: i64 =
            refunds.filter(|one| one.standing != Standing::Failed).map(|one| one.amount).sum();
        let disputes = books.disputes.iter().filter(|one| one.charge == charge.id);
        let disputed: i64 = disputes.filter(|one| one.state != DisputeState::Won).map(|one| one.amount).sum();
        assert_eq!(moved, taken - refunded - disputed, "{charge:?}");
        assert_eq!(charge.amount_refunded, refunded, "{charge:?}");
        assert!(refunded <= taken, "{charge:?}");
    }
    for session in books.sessions.iter() {
        let is_its = |intent: &str| {
            books.intents.get(intent).is_some_and(|intent| intent.session.as_ref() == Some(&session.id))
        };
        let charges = books.charges.iter().filter(|one| is_its(&one.intent));
        let charges = charges.filter(|one| one.standing == Standing::Succeeded);
        let taken: i64 = charges.map(|charge| charge.amount).sum();
        assert_eq!(
            taken,
            if session.state == SessionState::Paid { session.amount } else { 0 },
            "{session:?}"
        );
    }
}

proptest! {
    #[test]
    fn the_books_sum_whatever_happens(acts in acts()) {
        let mut stripe = Stripe::new();
        let sessions: Vec<String> = ["a", "b", "c"].map(|payment| stripe.open(payment)).into();
        for (which, what, amount) in acts {
            let id = &sessions[which];
            let refund = stripe.books.refunds.iter().next_back().map(|one| one.id.clone()).unwrap_or_default();
            let dispute = stripe.books.disputes.iter().next_back().map(|one| one.id.clone()).unwrap_or_default();
            let intent = stripe.books.session(id).unwrap().intent.clone().unwrap_or_default();
            match what {
                0 => drop(stripe.tries(id, json!({ "do": "pay" }))),
                1 => drop(stripe.tries(id, json!({ "do": "pay", "amount": amount }))),
                2 => drop(stripe.tries(id, json!({ "do": "pay", "force": true }))),
                3 => drop(stripe.tries(id, json!({ "do": "pay-later" }))),
                4 => drop(stripe.tries(id, json!({ "do": "arrive" }))),
                5 => drop(stripe.tries(id, json!({ "do": "fail" }))),
                6 => drop(stripe.tries(id, json!({ "do": "decline" }))),
                7 => drop(stripe.post(&format!("{SESSIONS}/{id}/expire"), "")),
                8 => drop(stripe.tries(id, json!({ "do": "refund", "amount": amount }))),
                9 => drop(stripe.post("/v1/refunds", &format!("payment_intent={intent}"))),
                10 => drop(stripe.tries(&refund, json!({ "do": "fail" }))),
                11 => drop(stripe.tries(id, json!({ "do": "dispute", "amount": amount }))),
                12 => drop(stripe.tries(&dispute, json!({ "do": "win" }))),
                _ => drop(stripe.tries(&dispute, json!({ "do": "lose" }))),
            }
            assert_sums(&stripe.books);
        }
        let ids: std::collections::HashSet<_> = stripe.books.events.iter().map(|event| &event.id).collect();
        prop_assert_eq!(ids.len(), stripe.books.events.iter().count());
    }

    #[test]
    fn one_key_makes_one_refund_however_often_and_whatever_fails(
        faults in prop::collection::vec(prop::option::of(0_usize..5), 1..12),
        waits in prop::collection::vec(0_i64..20, 12),
    ) {
        let mut stripe = Stripe::new();
        let (_, intent) = stripe.paid("p");
        let names = ["answer-lost", "slow", "500", "429", "connection-refused"];
        for (fault, wait) in faults.iter().zip(waits) {
            if let Some(fault) = fault {
                stripe.fault(json!({ "fault": names[*fault], "of": "p" }));
            }
            stripe.keyed("refund-1", "/v1/refunds", &format!("payment_intent={intent}&amount=100"));
            stripe.later(wait);
        }
        prop_assert!(stripe.books.refunds.iter().count() <= 1);
        stripe.later(9);
        let (answer, _) = stripe.keyed("refund-1", "/v1/refunds", &format!("payment_intent={intent}&amount=100"));
        prop_assert_eq!((answer.status, stripe.books.refunds.iter().count()), (200, 1));
    }

    #[test]
    fn no_form_is_too_strange(text in "[a-z\\[\\]=&%0-9]{0,60}") {
        let params = Params::read(&text);
        let _ = (params.metadata("a"), params.elements("a"), params.texts("a"), params.are_among(&["a[]"]));
    }
}
