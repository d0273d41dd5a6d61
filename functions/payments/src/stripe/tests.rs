//! The client against a server that stands in for Stripe.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use shared::run::outside::stand_in::{Asked, Reply, StandIn};
use shared::run::secrets::FromSecret;
use shared::values::money::Amount;

use super::*;
use crate::events::{Delivered, Mode};
use crate::ids::Shop;

const PAYMENT: &str = "01890a5d-ac96-774b-bcce-b302099a8058";
const KEY: &str = r#"{"key":"rk_test_hush"}"#;

/// A Stripe that waits less between its tries, and for an answer, than in the shop.
fn stripe(server: &StandIn) -> Stripe {
    with_key(server, Secret::known(ApiKey::from_secret(KEY).unwrap()))
}

fn with_key(server: &StandIn, key: Secret<ApiKey>) -> Stripe {
    let limits = Limits {
        each: Duration::from_millis(500),
        all: Duration::from_secs(20),
        wait: (Duration::from_millis(20), Duration::from_millis(60)),
    };
    Stripe { limits, ..Stripe::new(server.url.clone(), key) }
}

fn session_request() -> SessionRequest {
    let lines = vec![Line { name: "1 × tea".into(), amount: Amount::from_minor(890) }];
    SessionRequest {
        payment: PAYMENT.parse().unwrap(),
        order: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        shop: Shop::new("cartwright-local").unwrap(),
        lines: Lines::new(lines, Amount::ZERO, Amount::ZERO, Amount::from_minor(890)).unwrap(),
        currency: "EUR".parse().unwrap(),
        expires_at: Timestamp::from_unix_millis(1_790_000_000_000),
        success_url: "https://shop.example/paid".into(),
        cancel_url: "https://shop.example/back".into(),
        methods: vec![PaymentMethod::card()],
    }
}

fn refund_request() -> RefundRequest {
    RefundRequest {
        refund: "01890a5d-ac96-774b-bcce-b302099a8059".parse().unwrap(),
        payment: PAYMENT.parse().unwrap(),
        order: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        shop: Shop::new("cartwright-local").unwrap(),
        intent: "pi_1".parse().unwrap(),
        amount: Amount::from_minor(890),
        reason: None,
    }
}

fn session(id: &str, status: &str) -> Reply {
    let url = format!("https://checkout.stripe.com/c/pay/{id}#secret");
    let session = json!({ "id": id, "status": status, "payment_status": "unpaid", "url": url });
    Reply::answer(200, session.to_string())
}

fn refusal(status: u16, kind: &str, code: &str) -> Reply {
    let message = "The card of somebody@example.com was not taken.";
    let error = json!({ "error": { "type": kind, "code": code, "param": "amount", "message": message } });
    Reply::answer(status, error.to_string())
}

fn page(data: &[Value], has_more: bool) -> Reply {
    Reply::answer(200, json!({ "object": "list", "data": data, "has_more": has_more }).to_string())
}

/// What was asked, without the headers.
fn what(asked: &[Asked]) -> Vec<&str> {
    asked.iter().map(|asked| asked.what.as_str()).collect()
}

/// The parameters of a query.
fn query(asked: &Asked) -> Vec<(String, String)> {
    let (_, query) = asked.what.split_once('?').unwrap();
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

#[tokio::test]
async fn a_session_is_made_with_a_key_of_its_own_and_the_version_of_the_api() {
    let server = StandIn::start([session("cs_1", "open")]).await;
    let made = stripe(&server).create_session(&session_request()).await.unwrap();
    assert_eq!((made.id.as_str(), made.status), ("cs_1", SessionStatus::Open));
    let [asked] = &server.asked()[..] else { panic!("one request") };
    assert_eq!((asked.what.as_str(), &asked.body), ("POST /v1/checkout/sessions", &session_request().form()));
    let headers = ["authorization", "content-type", "idempotency-key", "stripe-version"];
    let key = format!("pay-{PAYMENT}");
    let expected =
        ["Bearer rk_test_hush", "application/x-www-form-urlencoded", key.as_str(), "2026-09-30.endive"];
    assert_eq!(headers.map(|name| asked.header(name)), expected.map(Some));
}

#[tokio::test]
async fn a_failure_of_stripes_is_tried_again_on_the_same_connection_with_the_same_bytes() {
    for (failure, error) in [
        (Reply::answer(500, "{}"), "unclear"),
        (Reply::answer(502, "<html>"), "unclear"),
        (refusal(429, "invalid_request_error", "rate_limit"), "busy"),
        (refusal(409, "invalid_request_error", "lock_timeout"), "busy"),
        (refusal(409, "idempotency_error", "idempotency_key_in_use"), "busy"),
        (refusal(400, "api_error", "odd").with("Stripe-Should-Retry", "true"), "refused"),
    ] {
        let server = StandIn::start([failure.clone(), session("cs_1", "open")]).await;
        assert!(stripe(&server).create_session(&session_request()).await.is_ok(), "{failure:?}");
        let [first, second] = &server.asked()[..] else { panic!("two requests: {failure:?}") };
        assert_eq!(first, second);
        assert_eq!(first.header("idempotency-key"), Some(format!("pay-{PAYMENT}").as_str()));

        let server = StandIn::start(vec![failure.clone(); 4]).await;
        let refused = stripe(&server).create_session(&session_request()).await.unwrap_err();
        assert_eq!(kind(&refused), error, "{refused:?}");
        assert_eq!(server.asked().len(), 3, "{failure:?}");
    }
}

fn kind(error: &StripeError) -> &'static str {
    match error {
        StripeError::Refused { .. } => "refused",
        StripeError::Unclear(_) => "unclear",
        StripeError::Busy { .. } => "busy",
    }
}

#[tokio::test]
async fn what_is_refused_for_good_is_not_tried_again() {
    for (status, error_kind, code) in [
        (400, "invalid_request_error", "parameter_missing"),
        (400, "idempotency_error", "other_parameters"),
        (402, "card_error", "card_declined"),
        (403, "invalid_request_error", "not_permitted"),
        (404, "invalid_request_error", "resource_missing"),
        (409, "invalid_request_error", "another"),
    ] {
        let server = StandIn::start([refusal(status, error_kind, code), session("cs_1", "open")]).await;
        let error = stripe(&server).create_session(&session_request()).await.unwrap_err();
        let told = format!("{error} {error:?}");
        let StripeError::Refused { status: told_status, kind, code: Some(told_code), param } = error else {
            panic!("{error:?}")
        };
        assert_eq!((told_status, kind.as_str(), told_code.as_str()), (status, error_kind, code));
        assert_eq!(param.as_deref(), Some("amount"));
        assert!(!told.contains("somebody") && !told.contains("hush"), "{told}");
        assert_eq!(server.asked().len(), 1);
    }
    let server = StandIn::start([Reply::answer(500, "{}").with("Stripe-Should-Retry", "false")]).await;
    let error = stripe(&server).create_session(&session_request()).await.unwrap_err();
    assert_eq!((kind(&error), server.asked().len()), ("unclear", 1));
}

/// Something between us and Stripe, which knows nothing of what Stripe does.
#[tokio::test]
async fn a_refusal_that_is_not_in_stripes_words_says_nothing() {
    for (status, body) in
        [(403, "<html>Forbidden</html>"), (404, "{}"), (302, ""), (200, "{\"id\":"), (200, "<p>")]
    {
        let server = StandIn::start([Reply::answer(status, body)]).await;
        let error = stripe(&server).create_session(&session_request()).await.unwrap_err();
        assert_eq!((kind(&error), server.asked().len()), ("unclear", 1), "{status} {body}: {error:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_and_one_that_stalls_are_asked_for_again_with_the_same_key() {
    for fault in [Reply::Lose, Reply::Stall, Reply::Ignore] {
        let succeeded = Reply::answer(200, json!({ "id": "re_1", "status": "succeeded" }).to_string());
        let server = StandIn::start([fault.clone(), succeeded]).await;
        let started = Instant::now();
        let refund = stripe(&server).refund(&refund_request()).await.unwrap();
        assert_eq!((refund.id.as_str(), refund.status), ("re_1", RefundStatus::Succeeded));
        assert!(started.elapsed() < Duration::from_secs(5), "{fault:?}: {:?}", started.elapsed());
        let keys: Vec<_> =
            server.asked().iter().map(|asked| asked.headers["idempotency-key"].clone()).collect();
        assert_eq!(keys, vec![format!("refund-{}", refund_request().refund); 2]);
    }
}

#[tokio::test]
async fn all_tries_together_have_a_limit() {
    let server = StandIn::start([Reply::Stall, Reply::Ignore, session("cs_1", "open")]).await;
    let mut hasty = stripe(&server);
    hasty.limits.all = Duration::from_secs(1);
    let started = Instant::now();
    let error = hasty.create_session(&session_request()).await.unwrap_err();
    assert_eq!(kind(&error), "unclear");
    assert!(started.elapsed() < Duration::from_millis(1_400), "{:?}", started.elapsed());
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn stripe_is_left_alone_for_as_long_as_it_says_and_no_longer_than_there_is_time() {
    let busy = refusal(429, "invalid_request_error", "rate_limit");
    let server = StandIn::start([busy.clone().with("Retry-After", "1"), session("cs_1", "open")]).await;
    let started = Instant::now();
    stripe(&server).create_session(&session_request()).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());

    for (said, seconds) in [("30", 30), ("18446744073709551615", 3600)] {
        let server = StandIn::start([busy.clone().with("Retry-After", said), session("cs_1", "open")]).await;
        let started = Instant::now();
        let error = stripe(&server).create_session(&session_request()).await.unwrap_err();
        let expected = Duration::from_secs(seconds);
        assert!(matches!(error, StripeError::Busy { retry_after } if retry_after == expected), "{error:?}");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn where_nobody_listens_it_is_unclear_and_never_taken_for_a_refusal() {
    let key = Secret::known(ApiKey::from_secret(KEY).unwrap());
    let error = Stripe::new(StandIn::gone(), key).session(&"cs_1".parse().unwrap()).await.unwrap_err();
    assert_eq!(kind(&error), "unclear");
}

#[tokio::test]
async fn an_email_is_noted_at_the_intent_that_paid() {
    let told = json!({ "id": "pi_1", "status": "succeeded", "metadata": { "alreadySentMail": "true" } });
    let server = StandIn::start([Reply::answer(500, "{}"), Reply::answer(200, told.to_string())]).await;
    stripe(&server).note_sent_mail(&"pi_1".parse().unwrap()).await.unwrap();
    let [_, asked] = &server.asked()[..] else { panic!("two requests") };
    let expected = ("POST /v1/payment_intents/pi_1", "metadata%5BalreadySentMail%5D=true");
    assert_eq!((asked.what.as_str(), asked.body.as_str()), expected);
}

#[tokio::test]
async fn a_session_that_can_be_ended_is_expired_without_a_key_of_its_own() {
    let server = StandIn::start([session("cs_1", "expired")]).await;
    let ended = stripe(&server).expire(&"cs_1".parse().unwrap()).await.unwrap();
    assert!(matches!(ended, Expiry::Expired(session) if session.id.as_str() == "cs_1"));
    let [asked] = &server.asked()[..] else { panic!("one request") };
    assert_eq!(asked.what, "POST /v1/checkout/sessions/cs_1/expire");
    assert_eq!((asked.header("idempotency-key"), asked.body.as_str()), (None, ""));
}

/// P18, P19: what it is then counts, and not the words of the refusal.
#[tokio::test]
async fn a_session_that_is_not_open_is_said_to_be_what_it_is() {
    let refused = || refusal(400, "invalid_request_error", "");
    for status in ["expired", "complete", "of_2030"] {
        let server = StandIn::start([refused(), session("cs_1", status)]).await;
        let ended = stripe(&server).expire(&"cs_1".parse().unwrap()).await.unwrap();
        let Expiry::NotOpen(session) = ended else { panic!("{status}: {ended:?}") };
        assert_eq!(session.status, SessionStatus::from(status.to_owned()));
        let expected = ["POST /v1/checkout/sessions/cs_1/expire", "GET /v1/checkout/sessions/cs_1"];
        assert_eq!(what(&server.asked()), expected);
    }
    let server = StandIn::start([refused(), session("cs_1", "open")]).await;
    let error = stripe(&server).expire(&"cs_1".parse().unwrap()).await.unwrap_err();
    assert_eq!(kind(&error), "refused");
    let server = StandIn::start([refused(), Reply::answer(404, "")]).await;
    let error = stripe(&server).expire(&"cs_1".parse().unwrap()).await.unwrap_err();
    assert_eq!(kind(&error), "unclear");
    // Only the word `expired` is taken for it.
    let server = StandIn::start([session("cs_1", "open")]).await;
    let error = stripe(&server).expire(&"cs_1".parse().unwrap()).await.unwrap_err();
    assert_eq!(kind(&error), "unclear");
}

fn intent(id: &str, status: &str) -> Reply {
    let intent = json!({ "id": id, "status": status, "client_secret": "pi_1_secret_1" });
    Reply::answer(200, intent.to_string())
}

#[tokio::test]
async fn an_intent_is_made_under_the_key_of_its_attempt_and_has_nothing_of_the_clock() {
    let request = IntentRequest {
        payment: PAYMENT.parse().unwrap(),
        order: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        shop: Shop::new("cartwright-local").unwrap(),
        amount: Amount::from_minor(890),
        currency: "EUR".parse().unwrap(),
    };
    let server = StandIn::start([intent("pi_1", "requires_payment_method")]).await;
    let made = stripe(&server).create_intent(&request).await.unwrap();
    assert_eq!((made.id.as_str(), made.secret.is_some()), ("pi_1", true));
    let [asked] = &server.asked()[..] else { panic!("one request") };
    assert_eq!(asked.what, "POST /v1/payment_intents");
    assert_eq!(asked.header("idempotency-key"), Some(format!("pay-{PAYMENT}").as_str()));
    assert_eq!(
        asked.body,
        "amount=890&currency=eur&capture_method=automatic&automatic_payment_methods%5Benabled%5D=true\
         &automatic_payment_methods%5Ballow_redirects%5D=never\
         &metadata%5Border_id%5D=01890a5d-ac96-774b-bcce-b302099a8057\
         &metadata%5Bpayment_id%5D=01890a5d-ac96-774b-bcce-b302099a8058&metadata%5Bshop%5D=cartwright-local"
    );
}

#[tokio::test]
async fn an_intent_that_cannot_be_ended_is_said_to_be_what_it_is() {
    let id = "pi_1".parse().unwrap();
    let server = StandIn::start([intent("pi_1", "canceled")]).await;
    let ended = stripe(&server).cancel_intent(&id).await.unwrap();
    assert!(matches!(ended, Cancelling::Canceled(_)));
    let [asked] = &server.asked()[..] else { panic!("one request") };
    assert_eq!(
        (asked.what.as_str(), asked.header("idempotency-key")),
        ("POST /v1/payment_intents/pi_1/cancel", None)
    );
    let refused = || refusal(400, "invalid_request_error", "payment_intent_unexpected_state");
    for status in ["succeeded", "canceled", "processing"] {
        let server = StandIn::start([refused(), intent("pi_1", status)]).await;
        let Cancelling::Not(found) = stripe(&server).cancel_intent(&id).await.unwrap() else {
            panic!("{status}")
        };
        assert_eq!(found.status, IntentStatus::from(status.to_owned()));
    }
    // Whoever could still pay it is not said to be out.
    for status in ["requires_payment_method", "requires_action", "requires_capture", "of_2030"] {
        let server = StandIn::start([refused(), intent("pi_1", status)]).await;
        let error = stripe(&server).cancel_intent(&id).await.unwrap_err();
        assert_eq!(kind(&error), "refused", "{status}");
    }
    let server = StandIn::start([intent("pi_1", "processing")]).await;
    assert_eq!(kind(&stripe(&server).cancel_intent(&id).await.unwrap_err()), "unclear");
}

#[tokio::test]
async fn an_intent_is_found_by_the_payment_that_it_was_made_for() {
    let of = |id: &str, payment: &str| json!({ "id": id, "metadata": { "payment_id": payment } });
    let other = "01890a5d-ac96-774b-bcce-b302099a8050";
    let pages = [page(&[of("pi_3", other)], true), page(&[of("pi_2", PAYMENT)], false)];
    let server = StandIn::start(pages).await;
    let from = Timestamp::from_unix_millis(1_790_000_000_000);
    let found = stripe(&server).intent_of(PAYMENT.parse().unwrap(), from, from).await.unwrap();
    assert_eq!(found.unwrap().id.as_str(), "pi_2");
    let first = [("created[gte]", "1790000000"), ("created[lte]", "1790000000"), ("limit", "100")];
    assert_eq!(query(&server.asked()[0]), pairs(first));
    assert_eq!(query(&server.asked()[1]).last(), pairs([("starting_after", "pi_3")]).last());
    let none = StandIn::start([page(&[], false)]).await;
    assert_eq!(stripe(&none).intent_of(PAYMENT.parse().unwrap(), from, from).await.unwrap(), None);
}

#[tokio::test]
async fn all_refunds_of_a_payment_are_found_also_beyond_a_page() {
    let refund = |id: &str| json!({ "id": id, "status": "succeeded", "amount": 5, "payment_intent": "pi_1" });
    let server =
        StandIn::start([page(&[refund("re_3"), refund("re_2")], true), page(&[refund("re_1")], false)]);
    let server = server.await;
    let refunds = stripe(&server).refunds_of(&"pi_1".parse().unwrap()).await.unwrap();
    let ids: Vec<_> = refunds.iter().map(|refund| refund.id.as_str()).collect();
    assert_eq!(ids, ["re_3", "re_2", "re_1"]);
    let asked = server.asked();
    assert!(asked[0].what.starts_with("GET /v1/refunds?"), "{:?}", asked[0]);
    assert_eq!(query(&asked[0]), pairs([("payment_intent", "pi_1"), ("limit", "100")]));
    let expected = pairs([("payment_intent", "pi_1"), ("limit", "100"), ("starting_after", "re_2")]);
    assert_eq!(query(&asked[1]), expected);
    assert_eq!(asked[1].connection, 1);
}

#[tokio::test]
async fn a_session_is_found_by_the_payment_that_it_was_made_for() {
    let times =
        || (Timestamp::from_unix_millis(1_790_000_000_000), Timestamp::from_unix_millis(1_790_000_600_999));
    let of = |id: &str, payment: &str| json!({ "id": id, "metadata": { "payment_id": payment } });
    let other = "01890a5d-ac96-774b-bcce-b302099a8050";
    let pages = || {
        [
            page(&[of("cs_4", other), of("cs_3", "")], true),
            page(&[of("cs_2", PAYMENT), of("cs_1", other)], false),
        ]
    };
    let server = StandIn::start(pages()).await;
    let (from, to) = times();
    let found = stripe(&server).session_of(PAYMENT.parse().unwrap(), from, to).await.unwrap();
    assert_eq!(found.unwrap().id.as_str(), "cs_2");
    let first = [("created[gte]", "1790000000"), ("created[lte]", "1790000600"), ("limit", "100")];
    let [a, b, c] = first;
    assert_eq!(query(&server.asked()[0]), pairs(first));
    assert_eq!(query(&server.asked()[1]), pairs([a, b, c, ("starting_after", "cs_3")]));

    let server = StandIn::start(pages()).await;
    let nobodys = "01890a5d-ac96-774b-bcce-b302099a8051".parse().unwrap();
    assert_eq!(stripe(&server).session_of(nobodys, from, to).await.unwrap(), None);

    // With more of them than are read, there may be one.
    let endless = page(&[of("cs_4", other)], true);
    let server = StandIn::start(vec![endless; 20]).await;
    let error = stripe(&server).session_of(nobodys, from, to).await.unwrap_err();
    assert_eq!((kind(&error), server.asked().len()), ("unclear", 10));
}

#[tokio::test]
async fn what_happened_since_then_comes_in_pages() {
    let event = json!({ "id": "evt_7", "type": "checkout.session.expired", "livemode": false, "data": {
        "object": { "id": "cs_1", "metadata": { "shop": "cartwright-local" } } } });
    let server = StandIn::start([page(&[event], true), page(&[], false)]).await;
    let ours = Ours { shop: Shop::new("cartwright-local").unwrap(), mode: Mode::Test };
    let since = Timestamp::from_unix_millis(1_790_000_000_000);
    let types = [EventType::SessionExpired, EventType::RefundCreated];
    let page = stripe(&server).events(&ours, since, &types, None).await.unwrap();
    assert!(matches!(&page.events[..], [Delivered::Ours(event)] if event.id.as_str() == "evt_7"));
    let last = page.next.unwrap();
    let page = stripe(&server).events(&ours, since, &types, Some(&last)).await.unwrap();
    assert_eq!((page.events, page.next), (Vec::new(), None));
    let expected = [
        ("created[gte]", "1790000000"),
        ("limit", "100"),
        ("types[]", "checkout.session.expired"),
        ("types[]", "refund.created"),
    ];
    assert_eq!(query(&server.asked()[0]), pairs(expected));
    assert_eq!(query(&server.asked()[1]).last(), pairs([("starting_after", "evt_7")]).last());
}

/// Secrets Manager, whose secret is a newer one with each reading, until the last.
#[derive(Debug, Clone)]
struct Secrets(Arc<Mutex<Vec<&'static str>>>);

impl HttpConnector for Secrets {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let mut left = self.0.lock().unwrap();
        let key = if left.len() > 1 { left.remove(0) } else { left[0] };
        let body = json!({ "SecretString": json!({ "key": key }).to_string() }).to_string();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), body.into())))
    }
}

fn rolled(keys: &[&'static str]) -> Secret<ApiKey> {
    let connector = SharedHttpConnector::new(Secrets(Arc::new(Mutex::new(keys.to_vec()))));
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "tests"))
        .retry_config(RetryConfig::disabled())
        .http_client(http_client_fn(move |_, _| connector.clone()));
    Secret::new(aws_sdk_secretsmanager::Client::from_conf(config.build()), "arn".into())
}

fn keys_used(server: &StandIn) -> Vec<String> {
    server.asked().iter().map(|asked| asked.headers["authorization"].clone()).collect()
}

#[tokio::test]
async fn a_key_that_stripe_does_not_know_any_more_is_read_anew() {
    let unknown = || refusal(401, "invalid_request_error", "api_key_expired");
    let server = StandIn::start([unknown(), session("cs_1", "open")]).await;
    with_key(&server, rolled(&["rk_old", "rk_new"])).create_session(&session_request()).await.unwrap();
    assert_eq!(keys_used(&server), ["Bearer rk_old", "Bearer rk_new"]);

    // Where there is no newer one, it is of no use to ask again.
    let server = StandIn::start([unknown(), session("cs_1", "open")]).await;
    let error = with_key(&server, rolled(&["rk_old"])).create_session(&session_request()).await.unwrap_err();
    assert!(matches!(error, StripeError::Refused { status: 401, .. }), "{error:?}");
    assert_eq!(keys_used(&server), ["Bearer rk_old"]);
}

#[tokio::test]
async fn without_a_key_stripe_is_not_asked() {
    let server = StandIn::start([session("cs_1", "open")]).await;
    let error = with_key(&server, rolled(&[""])).create_session(&session_request()).await.unwrap_err();
    assert!(matches!(error, StripeError::Refused { status: 401, .. }), "{error:?}");
    let error =
        with_key(&server, rolled(&["rk two lines"])).create_session(&session_request()).await.unwrap_err();
    assert_eq!((kind(&error), server.asked().len()), ("unclear", 0));
    assert_eq!(format!("{:?}", ApiKey::from_secret(KEY)), "Some(ApiKey(…))");
}

/// The first try may have made it: that the key is refused after that says nothing about it.
#[tokio::test]
async fn a_refused_key_does_not_undo_what_may_have_happened_before() {
    for status in [401, 403] {
        let refused = refusal(status, "invalid_request_error", "api_key_expired");
        let server = StandIn::start([Reply::Lose, refused.clone(), refused]).await;
        let error = stripe(&server).create_session(&session_request()).await.unwrap_err();
        assert_eq!((kind(&error), server.asked().len()), ("unclear", 2), "{status}: {error:?}");
    }
    let server =
        StandIn::start([Reply::Lose, refusal(400, "invalid_request_error", "amount_too_small")]).await;
    let error = stripe(&server).create_session(&session_request()).await.unwrap_err();
    assert_eq!(kind(&error), "refused");
}
