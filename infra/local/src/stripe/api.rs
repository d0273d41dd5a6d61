//! The API, as far as a shop with Checkout uses it: `/v1/checkout/sessions`, `/v1/payment_intents`, `/v1/refunds`,
//! `/v1/charges`, `/v1/disputes`, `/v1/events`.

use std::time::Duration;

use serde_json::{Value, json};

use super::API_KEY;
use super::books::{
    Books, Charge, Dispute, Event, Intent, IntentState, Line, Metadata, Moment, NewRefund, Object,
    OtherMoney, Refund, Session, SessionState, Step, Table,
};
use super::faults::{Fault, Mishap};
use super::form::{Params, bad_integer, missing};
use super::idempotency::{Asked, in_use};
use super::money;
use super::refusal::Refusal;

/// How long a session lives at least, at most and by default, in seconds.
const SHORTEST_LIFE: i64 = 30 * 60;
const LONGEST_LIFE: i64 = 24 * 60 * 60;
/// How many things one session may be for.
const MOST_LINES: usize = 100;
/// How long events can be asked for, in seconds.
const EVENTS_ARE_KEPT: i64 = 30 * 24 * 60 * 60;

/// Parameters of every list.
const OF_LISTS: [&str; 8] = [
    "created",
    "created[gt]",
    "created[gte]",
    "created[lt]",
    "created[lte]",
    "limit",
    "starting_after",
    "ending_before",
];

/// A request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Call<'a> {
    pub method: &'a str,
    /// `/v1/refunds`.
    pub path: &'a str,
    pub query: &'a str,
    pub body: &'a str,
    pub content_type: Option<&'a str>,
    pub authorization: Option<&'a str>,
    pub idempotency_key: Option<&'a str>,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub status: u16,
    pub body: Value,
    /// `Request-Id`.
    pub request_id: String,
    /// The request whose answer this was first, where it comes again.
    pub original_request: Option<String>,
    /// `Stripe-Should-Retry`.
    pub may_retry: Option<bool>,
}

/// How the answer gets to whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    AtOnce,
    Late(Duration),
    Never,
}

/// What the API can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route<'a> {
    CreateSession,
    ListSessions,
    Session(&'a str),
    ExpireSession(&'a str),
    CreateIntent,
    ListIntents,
    Intent(&'a str),
    UpdateIntent(&'a str),
    CancelIntent(&'a str),
    CreateRefund,
    ListRefunds,
    Refund(&'a str),
    ListCharges,
    Charge(&'a str),
    ListDisputes,
    Dispute(&'a str),
    ListEvents,
    Event(&'a str),
}

impl<'a> Route<'a> {
    fn of(method: &str, path: &'a str) -> Option<Self> {
        let parts: Vec<&str> = path.strip_prefix("/v1/")?.split('/').collect();
        match (method, parts.as_slice()) {
            ("POST", ["checkout", "sessions"]) => Some(Self::CreateSession),
            ("GET", ["checkout", "sessions"]) => Some(Self::ListSessions),
            ("GET", ["checkout", "sessions", id]) => Some(Self::Session(id)),
            ("POST", ["checkout", "sessions", id, "expire"]) => Some(Self::ExpireSession(id)),
            ("POST", ["payment_intents"]) => Some(Self::CreateIntent),
            ("GET", ["payment_intents"]) => Some(Self::ListIntents),
            ("GET", ["payment_intents", id]) => Some(Self::Intent(id)),
            ("POST", ["payment_intents", id]) => Some(Self::UpdateIntent(id)),
            ("POST", ["payment_intents", id, "cancel"]) => Some(Self::CancelIntent(id)),
            ("POST", ["refunds"]) => Some(Self::CreateRefund),
            ("GET", ["refunds"]) => Some(Self::ListRefunds),
            ("GET", ["refunds", id]) => Some(Self::Refund(id)),
            ("GET", ["charges"]) => Some(Self::ListCharges),
            ("GET", ["charges", id]) => Some(Self::Charge(id)),
            ("GET", ["disputes"]) => Some(Self::ListDisputes),
            ("GET", ["disputes", id]) => Some(Self::Dispute(id)),
            ("GET", ["events"]) => Some(Self::ListEvents),
            ("GET", ["events", id]) => Some(Self::Event(id)),
            _ => None,
        }
    }

    /// What it is called where faults are asked for.
    fn name(self) -> &'static str {
        match self {
            Self::CreateSession => "POST /v1/checkout/sessions",
            Self::ListSessions => "GET /v1/checkout/sessions",
            Self::Session(_) => "GET /v1/checkout/sessions/{id}",
            Self::ExpireSession(_) => "POST /v1/checkout/sessions/{id}/expire",
            Self::CreateIntent => "POST /v1/payment_intents",
            Self::ListIntents => "GET /v1/payment_intents",
            Self::Intent(_) => "GET /v1/payment_intents/{id}",
            Self::UpdateIntent(_) => "POST /v1/payment_intents/{id}",
            Self::CancelIntent(_) => "POST /v1/payment_intents/{id}/cancel",
            Self::CreateRefund => "POST /v1/refunds",
            Self::ListRefunds => "GET /v1/refunds",
            Self::Refund(_) => "GET /v1/refunds/{id}",
            Self::ListCharges => "GET /v1/charges",
            Self::Charge(_) => "GET /v1/charges/{id}",
            Self::ListDisputes => "GET /v1/disputes",
            Self::Dispute(_) => "GET /v1/disputes/{id}",
            Self::ListEvents => "GET /v1/events",
            Self::Event(_) => "GET /v1/events/{id}",
        }
    }

    fn id(self) -> Option<&'a str> {
        match self {
            Self::Session(id)
            | Self::ExpireSession(id)
            | Self::Intent(id)
            | Self::UpdateIntent(id)
            | Self::CancelIntent(id)
            | Self::Refund(id)
            | Self::Charge(id)
            | Self::Dispute(id)
            | Self::Event(id) => Some(id),
            Self::CreateSession
            | Self::ListSessions
            | Self::CreateIntent
            | Self::ListIntents
            | Self::CreateRefund
            | Self::ListRefunds
            | Self::ListCharges
            | Self::ListDisputes
            | Self::ListEvents => None,
        }
    }
}

impl Books {
    /// Answers a request of the API.
    pub(crate) fn answer(&mut self, call: &Call, now: Moment) -> (Answer, Way) {
        self.pass(now);
        let request_id = self.new_id("req_");
        self.asking = Some((request_id.clone(), call.idempotency_key.map(str::to_owned)));
        let (outcome, way) = self.carry_out(call, &request_id, now);
        self.asking = None;
        self.dispatch(None, now);
        let answer = outcome.unwrap_or_else(|refusal| refused(&refusal));
        (Answer { request_id, ..answer }, way)
    }

    fn carry_out(&mut self, call: &Call, request_id: &str, now: Moment) -> (Result<Answer, Refusal>, Way) {
        let (route, params) = match admit(call) {
            Ok(admitted) => admitted,
            Err(refusal) => return (Err(refusal), Way::AtOnce),
        };
        let about = self.names_in(route, &params);
        let fault = self.fault_in(route.name(), &about);
        let fingerprint = params.fingerprint(call.method, call.path);
        let key = call.idempotency_key.filter(|_| call.method == "POST");
        let asked = key.map(|key| Asked { key, path: call.path, fingerprint: &fingerprint });
        if let Some(refusal) = fault.as_ref().and_then(|fault| mishap(fault.fault, key)) {
            let (refusal, may_retry) = refusal;
            let answer = Answer { may_retry: Some(may_retry), ..refused(&refusal) };
            if let (false, Some(asked)) = (may_retry, asked) {
                self.keep(asked, &Answer { request_id: request_id.to_owned(), ..answer.clone() }, 0, now);
            }
            return (Ok(answer), Way::AtOnce);
        }
        if fault.as_ref().is_some_and(|fault| fault.fault == Mishap::ConnectionRefused) {
            return (Err(Refusal::with(500, "api_error", "")), Way::Never);
        }
        let way = way_of(fault.as_ref());
        let is_pending = fault.is_some_and(|fault| fault.fault == Mishap::RefundPending);
        let Some(asked) = asked else {
            return (self.perform(route, &params, is_pending, now).map(good), way);
        };
        match self.answered_before(asked, now) {
            Ok(None) => {}
            Ok(Some(before)) => return (Ok(before), way),
            Err(refusal) => return (Err(refusal), way),
        }
        let outcome = self.perform(route, &params, is_pending, now).map(good);
        let answer = match &outcome {
            Ok(answer) => Some(answer.clone()),
            Err(refusal) => refusal.is_kept.then(|| refused(refusal)),
        };
        if let Some(answer) = answer {
            let busy =
                if let Way::Late(wait) = way { i64::try_from(wait.as_millis()).unwrap_or(0) } else { 0 };
            self.keep(asked, &Answer { request_id: request_id.to_owned(), ..answer }, busy, now);
        }
        (outcome, way)
    }

    /// What a request is about, so that a fault of one payment hits no other.
    fn names_in(&self, route: Route, params: &Params) -> Vec<String> {
        let mut names: Vec<String> = params.ids().map(str::to_owned).collect();
        let given = ["payment_intent", "charge"].map(|name| params.text(name).ok().flatten());
        for id in route.id().into_iter().chain(given.into_iter().flatten()) {
            let intent = (self.charges.get(id).map(|charge| charge.intent.as_str()))
                .or_else(|| self.refunds.get(id).map(|refund| refund.intent.as_str()))
                .or_else(|| self.disputes.get(id).map(|dispute| dispute.intent.as_str()))
                .unwrap_or(id);
            names.push(id.to_owned());
            names.extend(self.names_of(Some(id), Some(intent).filter(|id| self.intents.get(id).is_some())));
        }
        names
    }

    fn perform(
        &mut self,
        route: Route,
        params: &Params,
        is_pending: bool,
        now: Moment,
    ) -> Result<Value, Refusal> {
        if route.id().is_some() && !matches!(route, Route::UpdateIntent(_) | Route::CancelIntent(_)) {
            params.are_among(&[])?;
        }
        match route {
            Route::CreateSession => self.create_session(params, now),
            Route::ListSessions => self.list_sessions(params),
            Route::Session(id) => Ok(self.session(id)?.shown()),
            Route::ExpireSession(id) => self.expire_session(id, now),
            Route::CreateIntent => self.create_intent(params, now),
            Route::ListIntents => {
                page(&self.intents, params, &[], "payment_intents", |_| true, Intent::shown)
            }
            Route::Intent(id) => Ok(self.intent(id)?.shown()),
            Route::UpdateIntent(id) => self.update_intent(id, params),
            Route::CancelIntent(id) => self.cancel_intent(id, params, now),
            Route::CreateRefund => self.create_refund(params, is_pending, now),
            Route::ListRefunds => {
                let (intent, charge) = (params.text("payment_intent")?, params.text("charge")?);
                let known = ["payment_intent", "charge"];
                page(
                    &self.refunds,
                    params,
                    &known,
                    "refunds",
                    |one| {
                        intent.is_none_or(|id| one.intent == id) && charge.is_none_or(|id| one.charge == id)
                    },
                    Refund::shown,
                )
            }
            Route::Refund(id) => Ok(self.refund(id)?.shown()),
            Route::ListCharges => {
                let intent = params.text("payment_intent")?;
                let is_asked = |one: &Charge| intent.is_none_or(|id| one.intent == id);
                page(&self.charges, params, &["payment_intent"], "charges", is_asked, Charge::shown)
            }
            Route::Charge(id) => Ok(self.charge(id)?.shown()),
            Route::ListDisputes => {
                let intent = params.text("payment_intent")?;
                let is_asked = |one: &Dispute| intent.is_none_or(|id| one.intent == id);
                page(&self.disputes, params, &["payment_intent"], "disputes", is_asked, Dispute::shown)
            }
            Route::Dispute(id) => Ok(self.dispute(id)?.shown()),
            Route::ListEvents => self.list_events(params, now),
            Route::Event(id) => Ok(self.event(id)?.shown()),
        }
    }

    fn create_session(&mut self, params: &Params, now: Moment) -> Result<Value, Refusal> {
        params.are_among(&[
            "mode",
            "locale",
            "submit_type",
            "client_reference_id",
            "customer_email",
            "metadata[*]",
            "payment_intent_data[metadata][*]",
            "line_items[][quantity]",
            "line_items[][price_data][currency]",
            "line_items[][price_data][unit_amount]",
            "line_items[][price_data][product_data][name]",
            "expires_at",
            "success_url",
            "cancel_url",
            "payment_method_types[]",
            "adaptive_pricing[enabled]",
        ])?;
        params.word("mode", &["payment"])?.ok_or_else(|| missing("mode"))?;
        let success_url = params.url("success_url")?.ok_or_else(|| missing("success_url"))?;
        let expires_at = expiry(params, now)?;
        let (lines, currency, amount) = lines(params)?;
        let id = self.new_id("cs_test_");
        let session = Session {
            url: format!("{}/local/stripe/pay/{id}", self.shop),
            id: id.clone(),
            created: now.seconds(),
            expires_at,
            state: SessionState::Open,
            amount,
            currency,
            lines,
            metadata: set(params.metadata("metadata")?),
            intent_metadata: set(params.metadata("payment_intent_data[metadata]")?),
            intent: None,
            success_url,
            cancel_url: params.url("cancel_url")?,
            client_reference_id: params.short_text("client_reference_id", 200)?,
            customer_email: params.short_text("customer_email", 800)?,
            locale: params.short_text("locale", 10)?,
            submit_type: params.word("submit_type", &["auto", "book", "donate", "pay", "subscribe"])?,
            payment_method_types: methods(params),
            adaptive_pricing: params.flag("adaptive_pricing[enabled]")?.unwrap_or(true),
        };
        let shown = session.shown();
        self.sessions.add(session);
        Ok(shown)
    }

    fn list_sessions(&self, params: &Params) -> Result<Value, Refusal> {
        let (intent, status) = (params.text("payment_intent")?, params.text("status")?);
        page(
            &self.sessions,
            params,
            &["payment_intent", "status"],
            "checkout/sessions",
            |one| {
                intent.is_none_or(|id| one.intent.as_deref() == Some(id))
                    && status.is_none_or(|status| one.state.status() == status)
            },
            Session::shown,
        )
    }

    fn expire_session(&mut self, id: &str, now: Moment) -> Result<Value, Refusal> {
        let session = self.session(id)?;
        if session.state != SessionState::Open {
            let status = session.state.status();
            return Err(Refusal::forbidden(format!(
                "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a \
                 status of `{status}`."
            )));
        }
        self.step(id, Step::Ended, &OtherMoney::default(), false, now)?;
        Ok(self.session(id)?.shown())
    }

    fn create_intent(&mut self, params: &Params, now: Moment) -> Result<Value, Refusal> {
        params.are_among(&[
            "amount",
            "currency",
            "description",
            "capture_method",
            "metadata[*]",
            "payment_method_types[]",
            "automatic_payment_methods[enabled]",
            "automatic_payment_methods[allow_redirects]",
        ])?;
        params.word("capture_method", &["automatic", "automatic_async"])?;
        params.flag("automatic_payment_methods[enabled]")?;
        params.word("automatic_payment_methods[allow_redirects]", &["always", "never"])?;
        let amount = params.at_least("amount", 1)?.ok_or_else(|| missing("amount"))?;
        let currency = money::currency(params.needed("currency")?, "currency")?;
        bounded("Amount must be", amount, &currency)?;
        let mut intent = self.new_intent(amount, currency, set(params.metadata("metadata")?), now);
        intent.description = params.short_text("description", 1000)?;
        intent.payment_method_types = methods(params);
        let id = self.add_intent(intent, now);
        Ok(self.intent(&id)?.shown())
    }

    /// What may be changed is what Stripe does nothing with.
    fn update_intent(&mut self, id: &str, params: &Params) -> Result<Value, Refusal> {
        params.are_among(&["metadata[*]", "description"])?;
        let (metadata, description) = (params.metadata("metadata")?, params.short_text("description", 1000)?);
        self.intent(id)?;
        if let Some(intent) = self.intents.get_mut(id) {
            for (name, value) in metadata {
                if value.is_empty() {
                    intent.metadata.remove(&name);
                } else {
                    intent.metadata.insert(name, value);
                }
            }
            intent.description = description.or(intent.description.take());
        }
        Ok(self.intent(id)?.shown())
    }

    fn cancel_intent(&mut self, id: &str, params: &Params, now: Moment) -> Result<Value, Refusal> {
        params.are_among(&["cancellation_reason"])?;
        let reasons = ["abandoned", "duplicate", "fraudulent", "requested_by_customer"];
        let reason = params.word("cancellation_reason", &reasons)?;
        let intent = self.intent(id)?;
        if intent.session.is_some() {
            let message = "You cannot cancel a PaymentIntent that a Checkout Session created. Expire the Checkout \
                           Session instead.";
            return Err(Refusal::forbidden(message).code("payment_intent_unexpected_state"));
        }
        if intent.state != IntentState::RequiresPaymentMethod {
            let refusal = Refusal::forbidden(format!(
                "You cannot cancel this PaymentIntent because it has a status of {}. Only a PaymentIntent with one \
                 of the following statuses may be canceled: requires_payment_method, requires_capture, \
                 requires_confirmation, requires_action.",
                intent.state.status()
            ));
            let object = Some(Box::new(("payment_intent", intent.shown())));
            return Err(Refusal { object, ..refusal.code("payment_intent_unexpected_state") });
        }
        if let Some(intent) = self.intents.get_mut(id) {
            intent.cancellation_reason = Some(reason.unwrap_or_else(|| "requested_by_customer".to_owned()));
        }
        self.step_of_intent(id, Step::Ended, &OtherMoney::default(), now)?;
        Ok(self.intent(id)?.shown())
    }

    fn create_refund(&mut self, params: &Params, is_pending: bool, now: Moment) -> Result<Value, Refusal> {
        params.are_among(&["payment_intent", "charge", "amount", "reason", "metadata[*]"])?;
        let new = NewRefund {
            amount: params.at_least("amount", 1)?,
            reason: params.word("reason", &["duplicate", "fraudulent", "requested_by_customer"])?,
            metadata: set(params.metadata("metadata")?),
            is_pending,
        };
        let charge = match (params.text("payment_intent")?, params.text("charge")?) {
            (Some(intent), _) => {
                self.intents
                    .get(intent)
                    .ok_or_else(|| Refusal::missing("payment_intent", intent, "payment_intent"))?;
                self.charge_of(intent)?.id.clone()
            }
            (None, Some(charge)) => self.charge(charge)?.id.clone(),
            (None, None) => {
                let message = "One of the following params should be provided for this request: payment_intent or \
                               charge.";
                return Err(Refusal::invalid(message).code("parameter_missing"));
            }
        };
        let id = self.give_back(&charge, new, now)?;
        Ok(self.refund(&id)?.shown())
    }

    fn list_events(&self, params: &Params, now: Moment) -> Result<Value, Refusal> {
        let (kind, kinds) = (params.text("type")?, params.texts("types"));
        if kind.is_some() && !kinds.is_empty() {
            let message = "You may only specify one of these parameters: type, types.";
            return Err(Refusal::invalid(message).code("parameters_exclusive"));
        }
        if kinds.len() > 20 {
            return Err(Refusal::invalid("You may specify up to 20 types.").param("types"));
        }
        let is_of = |wanted: &str, kind: &str| match wanted.strip_suffix('*') {
            Some(start) => kind.starts_with(start),
            None => kind == wanted,
        };
        page(
            &self.events,
            params,
            &["type", "types[]"],
            "events",
            |event| {
                event.created > now.seconds() - EVENTS_ARE_KEPT
                    && kind.is_none_or(|wanted| is_of(wanted, &event.kind))
                    && (kinds.is_empty() || kinds.iter().any(|wanted| is_of(wanted, &event.kind)))
            },
            Event::shown,
        )
    }
}

/// Lets a request in: its key, its address and its form are right.
fn admit<'a>(call: &Call<'a>) -> Result<(Route<'a>, Params), Refusal> {
    let unauthorized = |message: String| Err(Refusal::with(401, "invalid_request_error", message));
    match call.authorization.map(|header| header.strip_prefix("Bearer ").unwrap_or(header)) {
        Some(key) if key == API_KEY => {}
        Some(key) => {
            let end: String = key.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
            return unauthorized(format!("Invalid API Key provided: *********{end}"));
        }
        None => {
            return unauthorized(
                "You did not provide an API key. You need to provide your API key in the Authorization header, \
                 using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
                    .to_owned(),
            );
        }
    }
    let Some(route) = Route::of(call.method, call.path) else {
        let message = format!("Unrecognized request URL ({}: {}).", call.method, call.path);
        return Err(Refusal::with(404, "invalid_request_error", message));
    };
    if call.method != "POST" {
        return Ok((route, Params::read(call.query)));
    }
    let is_form =
        |kind: &str| kind.split(';').next().map(str::trim) == Some("application/x-www-form-urlencoded");
    if !call.body.is_empty() && !call.content_type.is_some_and(is_form) {
        let message =
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded).";
        return Err(Refusal::invalid(message));
    }
    Ok((route, Params::read(call.body)))
}

/// What a fault answers instead, and whether another try may do.
fn mishap(mishap: Mishap, key: Option<&str>) -> Option<(Refusal, bool)> {
    let broken = || Refusal::with(500, "api_error", "An unknown error occurred");
    match mishap {
        Mishap::Failed => Some((broken(), true)),
        Mishap::FailedForGood => Some((broken(), false)),
        Mishap::TooMany => {
            let refusal = Refusal::with(429, "invalid_request_error", "Request rate limit exceeded.");
            Some((refusal.code("rate_limit"), true))
        }
        Mishap::InUse => Some((in_use(key.unwrap_or_default()), true)),
        Mishap::AnswerLost | Mishap::Slow | Mishap::ConnectionRefused | Mishap::RefundPending => None,
    }
}

fn way_of(fault: Option<&Fault>) -> Way {
    match fault.map(|fault| (fault.fault, fault.seconds)) {
        Some((Mishap::AnswerLost, _)) => Way::Never,
        Some((Mishap::Slow, seconds)) => Way::Late(Duration::from_secs(seconds.into())),
        _ => Way::AtOnce,
    }
}

fn good(body: Value) -> Answer {
    Answer { status: 200, body, request_id: String::new(), original_request: None, may_retry: None }
}

fn refused(refusal: &Refusal) -> Answer {
    Answer { status: refusal.status, body: refusal.body(), ..good(Value::Null) }
}

/// When a session is to expire.
fn expiry(params: &Params, now: Moment) -> Result<i64, Refusal> {
    let now = now.seconds();
    let expires_at = params.integer("expires_at")?.unwrap_or(now + LONGEST_LIFE);
    let wrong = |bound: &str| {
        let message = format!("The `expires_at` timestamp must be {bound} from Checkout Session creation.");
        Err(bad_integer("expires_at", message))
    };
    match expires_at - now {
        ..SHORTEST_LIFE => wrong("at least 30 minutes"),
        life if life > LONGEST_LIFE => wrong("less than 24 hours"),
        _ => Ok(expires_at),
    }
}

/// What a session is for, its currency and its sum.
fn lines(params: &Params) -> Result<(Vec<Line>, String, i64), Refusal> {
    let elements = params.elements("line_items");
    if elements.is_empty() {
        return Err(missing("line_items"));
    }
    if elements.len() > MOST_LINES {
        let message = format!("A Checkout Session in `payment` mode can have up to {MOST_LINES} line items.");
        return Err(Refusal::invalid(message).param("line_items"));
    }
    let (mut lines, mut currency, mut amount) = (Vec::new(), None, 0_i64);
    for line in elements {
        let name = |rest: &str| format!("{line}{rest}");
        let price = name("[price_data][unit_amount]");
        let unit_amount = params.at_least(&price, 0)?.ok_or_else(|| missing(&price))?;
        let quantity = name("[quantity]");
        let quantity = params.at_least(&quantity, 1)?.ok_or_else(|| missing(&quantity))?;
        let own = name("[price_data][currency]");
        let own = money::currency(params.needed(&own)?, &own)?;
        if *currency.get_or_insert_with(|| own.clone()) != own {
            let message = "All line items of a Checkout Session must have the same currency.";
            return Err(Refusal::invalid(message).param("line_items"));
        }
        let product = params.needed(&name("[price_data][product_data][name]"))?.to_owned();
        amount = amount.saturating_add(unit_amount.saturating_mul(quantity));
        lines.push(Line { name: product, quantity, unit_amount });
    }
    let currency = currency.unwrap_or_default();
    if amount == 0 {
        let message = "The Checkout Session's total amount due cannot be zero in `payment` mode.";
        return Err(Refusal::invalid(message));
    }
    bounded("The Checkout Session's total amount due must add up to", amount, &currency)?;
    Ok((lines, currency, amount))
}

/// Refuses what is too little or too much to be charged.
fn bounded(what: &str, amount: i64, currency: &str) -> Result<(), Refusal> {
    let least = money::least(currency);
    if amount < least {
        let message = format!("{what} at least {} {currency}", money::said(least, currency));
        return Err(Refusal::invalid(message).code("amount_too_small").param("amount"));
    }
    if amount > money::LARGEST {
        let message = format!("{what} no more than {}", money::said(money::LARGEST, currency));
        return Err(Refusal::invalid(message).code("amount_too_large").param("amount"));
    }
    Ok(())
}

fn methods(params: &Params) -> Vec<String> {
    let methods = params.texts("payment_method_types");
    if methods.is_empty() { vec!["card".to_owned()] } else { methods }
}

/// Metadata of something new: what is empty is not there.
fn set(mut metadata: Metadata) -> Metadata {
    metadata.retain(|_, value| !value.is_empty());
    metadata
}

/// A page of a list, the newest first.
fn page<T: Object>(
    table: &Table<T>,
    params: &Params,
    known: &[&str],
    name: &str,
    is_asked_for: impl Fn(&T) -> bool,
    shown: impl Fn(&T) -> Value,
) -> Result<Value, Refusal> {
    params.are_among(&[known, &OF_LISTS].concat())?;
    let limit = params.limit()?;
    let bounds = ["created", "created[gt]", "created[gte]", "created[lt]", "created[lte]"];
    let [is, above, from, below, to] = bounds.map(|bound| params.integer(bound));
    let (is, above, from, below, to) = (is?, above?, from?, below?, to?);
    let is_then = |one: &&T| {
        let at = one.created();
        is.is_none_or(|time| at == time)
            && above.is_none_or(|time| at > time)
            && from.is_none_or(|time| at >= time)
            && below.is_none_or(|time| at < time)
            && to.is_none_or(|time| at <= time)
    };
    let [after, before] = ["starting_after", "ending_before"].map(|cursor| params.text(cursor));
    let (after, before) = (after?, before?);
    for (cursor, id) in [("starting_after", after), ("ending_before", before)] {
        if let Some(id) = id.filter(|id| table.get(id).is_none()) {
            let noun = name.trim_end_matches('s');
            return Err(Refusal { status: 400, ..Refusal::missing(noun, id, cursor) });
        }
    }
    let newest = table.iter().rev().skip_while(|one| after.is_some_and(|id| one.id() != id));
    let newest = newest.skip(usize::from(after.is_some()));
    let newest = newest.take_while(|one| before.is_none_or(|id| one.id() != id));
    let mut found: Vec<&T> = newest.filter(is_then).filter(|one| is_asked_for(one)).collect();
    let has_more = found.len() > limit;
    if before.is_some() {
        found.drain(..found.len().saturating_sub(limit));
    }
    found.truncate(limit);
    let data: Vec<Value> = found.into_iter().map(shown).collect();
    Ok(json!({ "object": "list", "data": data, "has_more": has_more, "url": format!("/v1/{name}") }))
}
