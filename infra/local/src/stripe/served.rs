//! The routes below `/local/stripe`, the clock, the posts to the shop's webhook, and the file of the books.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{self, Json, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::acts::Act;
use super::api::{Answer, Call, Way};
use super::books::{Books, Line, Moment};
use super::deliveries::{Post, Switch, Try};
use super::faults::Fault;
use super::refusal::Refusal;
use super::shown::VERSION;
use super::{API_KEY, url};
use crate::cloud::Record;
use crate::pages::POLICY;
use crate::proxy::{Proxy, nothing_here, problem};

/// The largest request that the API takes.
const LARGEST_BODY: usize = 1024 * 1024;
/// How long the shop may take to answer a webhook.
const PATIENCE: Duration = Duration::from_secs(20);
/// How much of an answer to a webhook is kept, in characters.
const MOST_OF_AN_ANSWER: usize = 500;
/// How soon after a change the books are written down.
const UNTIL_WRITTEN: Duration = Duration::from_millis(200);

/// The simulator of one cloud.
pub(crate) struct Simulator {
    books: Mutex<Books>,
    /// Where they outlive a restart; nowhere on a cloud of the tests.
    file: Option<PathBuf>,
    /// There may be something to deliver.
    woken: Notify,
    /// There is something to write down.
    changed: Notify,
    webhook: String,
    http: reqwest::Client,
}

impl Simulator {
    /// The simulator of a cloud, with what it knew before.
    pub(crate) fn of(record: &Record, file: Option<PathBuf>) -> Self {
        let written = file.as_deref().and_then(written);
        let mut books = written.unwrap_or_else(|| Books::new(&uuid::Uuid::now_v7().to_string(), ""));
        books.shop = record.url();
        books.take_up_again(now());
        Self {
            books: Mutex::new(books),
            file,
            woken: Notify::new(),
            changed: Notify::new(),
            webhook: format!("http://127.0.0.1:{}/payments/webhook", record.port),
            http: ::emulator::client(),
        }
    }

    /// Reads the books.
    fn read<T>(&self, read: impl FnOnce(&Books) -> T) -> T {
        read(&self.books.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the books.
    fn change<T>(&self, change: impl FnOnce(&mut Books, Moment) -> T) -> T {
        let changed = change(&mut self.books.lock().unwrap_or_else(PoisonError::into_inner), now());
        self.woken.notify_one();
        self.changed.notify_one();
        changed
    }

    /// Delivers events, ends sessions and writes the books down, for as long as it is let.
    pub(crate) async fn run(&self) {
        tokio::join!(self.deliver(), self.write());
    }

    async fn deliver(&self) {
        let mut posts = JoinSet::new();
        loop {
            for post in self.due() {
                posts.spawn(send(self.http.clone(), self.webhook.clone(), post));
            }
            let next = self.read(Books::next_due);
            let wait = next.map_or(3_600_000, |next| (next.0 - now().0).clamp(1, 3_600_000));
            let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(1));
            tokio::select! {
                () = self.woken.notified() => {}
                () = tokio::time::sleep(wait) => {}
                Some(Ok((id, one))) = posts.join_next() => self.change(|books, now| books.was_sent(&id, one, now)),
            }
        }
    }

    fn due(&self) -> Vec<Post> {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        books.pass(now());
        books.dispatch(None, now());
        let due = books.due(now());
        if !due.is_empty() {
            self.changed.notify_one();
        }
        due
    }

    async fn write(&self) {
        loop {
            self.changed.notified().await;
            tokio::time::sleep(UNTIL_WRITTEN).await;
            self.save();
        }
    }

    /// Writes the books down. Beside and renamed, so that a crash leaves the old ones or the new ones.
    pub(crate) fn save(&self) {
        let Some(file) = &self.file else { return };
        let text = self.read(serde_json::to_vec);
        let new = file.with_extension("json.new");
        let written = text.map_err(anyhow::Error::from).and_then(|text| {
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&new, text)?;
            Ok(fs::rename(&new, file)?)
        });
        if let Err(error) = written {
            crate::say::warning(&format!("cannot write {}: {error:#}", file.display()));
        }
    }
}

/// The books as they were written down. What cannot be read is put aside, so that nobody writes over it.
fn written(file: &Path) -> Option<Books> {
    let text = fs::read(file).ok()?;
    match serde_json::from_slice(&text) {
        Ok(books) => Some(books),
        Err(error) => {
            let aside = file.with_extension("json.unreadable");
            crate::say::warning(&format!("cannot read {}: {error}; see {}", file.display(), aside.display()));
            let _ = fs::rename(file, aside);
            None
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the simulator's clock; its books take the time as an argument"
)]
fn now() -> Moment {
    Moment(jiff::Timestamp::now().as_millisecond())
}

/// Posts an event to the shop.
async fn send(http: reqwest::Client, webhook: String, post: Post) -> (String, Try) {
    let (at, begun) = (now(), Instant::now());
    let request = http.post(webhook).timeout(PATIENCE).header("stripe-signature", post.signature);
    let request = request.header(header::CONTENT_TYPE, "application/json; charset=utf-8");
    let request = request.header(header::USER_AGENT, "Stripe/1.0 (+https://stripe.com/docs/webhooks)");
    let (status, answer) = match request.body(post.body).send().await {
        Ok(answer) => {
            let status = answer.status().as_u16();
            (Some(status), answer.text().await.unwrap_or_default())
        }
        Err(error) => (None, error.to_string()),
    };
    let took = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
    let answer = answer.chars().take(MOST_OF_AN_ANSWER).collect();
    (post.delivery, Try { at, took, status, answer })
}

/// All below `/local`.
pub(crate) fn routes() -> Router<Arc<Proxy>> {
    Router::new()
        .route("/stripe", get(page))
        .route("/stripe.js", get(script))
        .route("/stripe.json", get(told))
        .route("/stripe/pay/{id}", get(pay))
        .route("/stripe/sessions/{id}", get(session).post(act))
        .route("/stripe/intents/{id}", post(act))
        .route("/stripe/refunds/{id}", post(act))
        .route("/stripe/disputes/{id}", post(act))
        .route("/stripe/events/{id}", post(act))
        .route("/stripe/next-call", post(next_call).delete(no_faults))
        .route("/stripe/next-delivery", post(next_delivery))
        .route("/stripe/forget-key", post(forget_key))
        .route("/stripe/api/{*path}", any(api))
}

type Cloud = State<Arc<Proxy>>;

/// A request of the API's.
async fn api(State(proxy): Cloud, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let text = |name: &HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let path = parts.uri.path();
    let call = Call {
        method: parts.method.as_str(),
        // Whether this router is nested or not, the API begins at `/v1`.
        path: path.find("/v1/").map_or(path, |at| &path[at..]),
        query: parts.uri.query().unwrap_or_default(),
        body: &String::from_utf8_lossy(&body),
        content_type: text(&header::CONTENT_TYPE),
        authorization: text(&header::AUTHORIZATION),
        idempotency_key: text(&HeaderName::from_static("idempotency-key")),
    };
    let (answer, way) = proxy.stripe.change(|books, now| books.answer(&call, now));
    match way {
        Way::AtOnce => {}
        Way::Late(wait) => tokio::time::sleep(wait).await,
        // A handler cannot but answer, and hyper ends the connection of one that unwinds. This way no panic is told.
        Way::Never => std::panic::resume_unwind(Box::new("no answer")),
    }
    sent(&answer, text(&HeaderName::from_static("idempotency-key")))
}

fn sent(answer: &Answer, key: Option<&str>) -> Response {
    let mut headers = HeaderMap::new();
    let mut add = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    add("content-type", "application/json");
    add("cache-control", "no-cache, no-store");
    add("request-id", &answer.request_id);
    add("stripe-version", VERSION);
    if let Some(key) = key {
        add("idempotency-key", key);
    }
    if let Some(original) = &answer.original_request {
        add("original-request", original);
        add("idempotent-replayed", "true");
    }
    if let Some(may_retry) = answer.may_retry {
        add("stripe-should-retry", if may_retry { "true" } else { "false" });
    }
    if answer.status == 401 {
        add("www-authenticate", "Bearer realm=\"Stripe\"");
    }
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, headers, serde_json::to_string_pretty(&answer.body).unwrap_or_default()).into_response()
}

/// Which part of the books.
#[derive(Default, Deserialize)]
struct Which {
    /// What is about this alone: an id of Stripe's, or one of the shop's in metadata.
    of: Option<String>,
    /// The newest so many sessions, and so on; all without it.
    limit: Option<usize>,
}

/// The books: every object, movement, event and delivery, the newest first.
async fn told(State(proxy): Cloud, Query(which): Query<Which>) -> Response {
    let mut told =
        proxy.stripe.read(|books| books.told(which.of.as_deref(), which.limit.unwrap_or(usize::MAX)));
    told["api"] = json!({ "url": url(&proxy.record), "key": API_KEY, "webhook": proxy.stripe.webhook });
    fresh(&told)
}

fn fresh(value: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (headers, value.to_string()).into_response()
}

/// One session, with all that the page to pay on shows.
async fn session(State(proxy): Cloud, extract::Path(id): extract::Path<String>) -> Response {
    let session = proxy.stripe.read(|books| {
        books.session_named(&id).map(|session| {
            let mut shown = session.shown();
            let lines: Vec<Value> = session.lines.iter().map(Line::shown).collect();
            shown["line_items"] = json!(lines);
            shown["back_to"] = json!(session.back_to());
            shown["state"] = json!(session.state);
            shown
        })
    });
    session.as_ref().map_or_else(nothing_here, fresh)
}

/// Lets something happen.
async fn act(
    State(proxy): Cloud,
    extract::Path(id): extract::Path<String>,
    Json(act): Json<Act>,
) -> Response {
    match proxy.stripe.change(|books, now| books.act(&id, &act, now)) {
        Ok(outcome) => fresh(&outcome),
        Err(refusal) => no(&refusal),
    }
}

fn no(refusal: &Refusal) -> Response {
    match refusal.status {
        404 => nothing_here(),
        _ => problem(StatusCode::CONFLICT, "conflict", "Not now", &refusal.message),
    }
}

/// Something goes wrong in the next call of the API.
async fn next_call(State(proxy): Cloud, Json(fault): Json<Fault>) -> Response {
    proxy.stripe.change(|books, _| books.faults.push(fault));
    StatusCode::NO_CONTENT.into_response()
}

/// Nothing goes wrong any more.
async fn no_faults(State(proxy): Cloud) -> Response {
    proxy.stripe.change(|books, _| {
        books.faults.clear();
        books.switches.clear();
    });
    StatusCode::NO_CONTENT.into_response()
}

/// The next event is delivered otherwise.
async fn next_delivery(State(proxy): Cloud, Json(switch): Json<Switch>) -> Response {
    proxy.stripe.change(|books, _| books.switches.push(switch));
    StatusCode::NO_CONTENT.into_response()
}

/// A key to forget.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forgotten {
    key: String,
}

/// Stripe forgets an `Idempotency-Key`, as it may after a day.
async fn forget_key(State(proxy): Cloud, Json(forgotten): Json<Forgotten>) -> Response {
    match proxy.stripe.change(|books, _| books.forget_key(&forgotten.key)) {
        true => StatusCode::NO_CONTENT.into_response(),
        false => nothing_here(),
    }
}

async fn page() -> Response {
    html(include_str!("page.html"))
}

async fn pay(State(proxy): Cloud, extract::Path(id): extract::Path<String>) -> Response {
    if proxy.stripe.read(|books| books.session(&id).is_err()) {
        return nothing_here();
    }
    html(include_str!("pay.html"))
}

/// A page with its style inside: the policy lets no other in.
fn html(page: &str) -> Response {
    let page = page.replace("<!-- style -->", include_str!("style.css"));
    let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
    ([kind, (header::CONTENT_SECURITY_POLICY, POLICY)], page).into_response()
}

async fn script() -> Response {
    let kind = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");
    ([kind], include_str!("page.js")).into_response()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::atomic::{AtomicU16, Ordering};

    use tokio::net::TcpListener;

    use super::*;

    /// What a shop was sent: the type, and whether it was signed.
    type Got = Arc<Mutex<Vec<(String, bool)>>>;

    /// A local cloud that is nothing but its Stripe, in front of a shop that answers its webhook so.
    struct Laptop {
        url: String,
        got: Got,
        proxy: Arc<Proxy>,
    }

    async fn laptop(answers: &'static [u16], file: Option<PathBuf>) -> Laptop {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let record = Record { port, ..Record::default() };
        let proxy = Arc::new(Proxy::to(record.clone(), Simulator::of(&record, file)).unwrap());
        let (got, count) = (Got::default(), Arc::new(AtomicU16::new(0)));
        let webhook = {
            let got = Arc::clone(&got);
            async move |headers: HeaderMap, Json(event): Json<Value>| {
                let kind = event["type"].as_str().unwrap_or_default().to_owned();
                let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok());
                let is_signed =
                    signature.is_some_and(|value| value.starts_with("t=") && value.contains(",v1="));
                got.lock().unwrap().push((kind, is_signed));
                let place = usize::from(count.fetch_add(1, Ordering::SeqCst)).min(answers.len() - 1);
                StatusCode::from_u16(answers[place]).unwrap()
            }
        };
        let router = Router::new().nest("/local", routes()).route("/payments/webhook", post(webhook));
        let router =
            router.with_state(Arc::clone(&proxy)).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async { axum::serve(listener, router).await });
        let running = Arc::clone(&proxy);
        tokio::spawn(async move { running.stripe.run().await });
        Laptop { url: format!("http://127.0.0.1:{port}/local/stripe"), got, proxy }
    }

    const SESSION: &str = "mode=payment&success_url=http://a.test/{CHECKOUT_SESSION_ID}&metadata[payment_id]=p-1\
                           &line_items[0][quantity]=1&line_items[0][price_data][currency]=usd\
                           &line_items[0][price_data][unit_amount]=500\
                           &line_items[0][price_data][product_data][name]=Tea";

    impl Laptop {
        fn api(&self, path: &str) -> reqwest::RequestBuilder {
            let request = ::emulator::client().post(format!("{}/api/v1/{path}", self.url));
            let request = request.bearer_auth(API_KEY).header("idempotency-key", path);
            request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        }

        async fn open(&self) -> String {
            let answer = self.api("checkout/sessions").body(SESSION).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned()
        }

        async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
            let answer =
                ::emulator::client().post(format!("{}/{path}", self.url)).json(body).send().await.unwrap();
            (answer.status().as_u16(), answer.json().await.unwrap_or_default())
        }

        async fn get(&self, path: &str) -> reqwest::Response {
            ::emulator::client().get(format!("{}{path}", self.url)).send().await.unwrap()
        }

        /// What the shop got, once it is so much.
        async fn got(&self, count: usize) -> Vec<(String, bool)> {
            for _ in 0..400 {
                let got = self.got.lock().unwrap().clone();
                if got.len() >= count {
                    return got;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            panic!("the shop got {:?}", self.got.lock().unwrap());
        }
    }

    #[tokio::test]
    async fn a_payment_on_the_page_reaches_the_shop_until_it_takes_it() {
        let laptop = laptop(&[500, 200], None).await;
        let id = laptop.open().await;
        let told: Value = laptop.get(&format!("/sessions/{id}")).await.json().await.unwrap();
        let expected = (json!("open"), json!(format!("http://a.test/{id}")));
        assert_eq!((told["state"].clone(), told["back_to"].clone()), expected);
        assert_eq!(told["line_items"], json!([{ "name": "Tea", "quantity": 1, "amount": 500 }]));
        let how = json!({ "do": "pay", "deliver": ["never"], "type": "payment_intent.succeeded" });
        let (status, outcome) = laptop.post("sessions/p-1", &how).await;
        assert_eq!((status, &outcome["object"]["payment_status"]), (200, &json!("paid")));
        // The second try comes after a second.
        let completed = ("checkout.session.completed".to_owned(), true);
        assert_eq!(laptop.got(2).await, [completed.clone(), completed]);
        let (status, problem) = laptop.post("sessions/p-1", &how).await;
        assert_eq!((status, &problem["type"]), (409, &json!("urn:problem-type:cartwright:conflict")));
        assert_eq!(laptop.post("sessions/none", &json!({ "do": "pay" })).await.0, 404);
        let mut books = Value::Null;
        for _ in 0..100 {
            books = laptop.get(".json?of=p-1").await.json().await.unwrap();
            if books["deliveries"][0]["state"] == "delivered" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let tries = books["deliveries"][0]["tries"].as_array().unwrap();
        assert_eq!(tries.iter().map(|one| one["status"].clone()).collect::<Vec<_>>(), [500, 200]);
        assert_eq!((&books["balance"], &books["api"]["key"]), (&json!({ "usd": 500 }), &json!(API_KEY)));
    }

    #[tokio::test]
    async fn an_answer_that_is_lost_leaves_its_effect() {
        let laptop = laptop(&[200], None).await;
        assert_eq!(laptop.post("next-call", &json!({ "fault": "answer-lost", "of": "p-1" })).await.0, 204);
        let lost = laptop.api("checkout/sessions").body(SESSION).send().await;
        assert!(lost.is_err(), "{lost:?}");
        let again = laptop.api("checkout/sessions").body(SESSION).send().await.unwrap();
        let header =
            |name: &str| again.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert!(header("request-id").starts_with("req_") && header("original-request").starts_with("req_"));
        assert_eq!((header("idempotent-replayed"), header("idempotency-key")), ("true", "checkout/sessions"));
        assert_eq!(laptop.proxy.stripe.read(|books| books.sessions.iter().count()), 1);
        // Refused before it took effect: nothing is there.
        assert_eq!(laptop.post("forget-key", &json!({ "key": "checkout/sessions" })).await.0, 204);
        assert_eq!(laptop.post("next-call", &json!({ "fault": "connection-refused" })).await.0, 204);
        assert!(laptop.api("checkout/sessions").body(SESSION).send().await.is_err());
        assert_eq!(laptop.proxy.stripe.read(|books| books.sessions.iter().count()), 1);
        laptop.post("next-call", &json!({ "fault": "500" })).await;
        let disarmed = ::emulator::client().delete(format!("{}/next-call", laptop.url)).send().await.unwrap();
        assert_eq!(disarmed.status(), 204);
        laptop.open().await;
    }

    #[tokio::test]
    async fn no_web_page_pays_and_nobody_without_the_key_reads() {
        let laptop = laptop(&[200], None).await;
        let id = laptop.open().await;
        // What a page of another origin can send without being asked first is not taken.
        for kind in ["text/plain", "application/x-www-form-urlencoded"] {
            let request = ::emulator::client().post(format!("{}/sessions/{id}", laptop.url));
            let answer =
                request.header(header::CONTENT_TYPE, kind).body("{\"do\":\"pay\"}").send().await.unwrap();
            assert_eq!(answer.status(), 415, "{kind}");
        }
        let answer = laptop.get(&format!("/api/v1/checkout/sessions/{id}")).await;
        assert_eq!(
            (answer.status().as_u16(), answer.headers().contains_key("www-authenticate")),
            (401, true)
        );
        for misspelt in [json!({ "do": "rob" }), json!({ "do": "pay", "delivr": ["twice"] }), json!({})] {
            assert_eq!(laptop.post(&format!("sessions/{id}"), &misspelt).await.0, 422, "{misspelt}");
        }
        assert_eq!(laptop.post("next-call", &json!({ "fault": "answer-lost", "off": "p" })).await.0, 422);
        assert_eq!(laptop.post("next-delivery", &json!({ "deliver": ["thrice"] })).await.0, 422);
        assert_eq!(laptop.proxy.stripe.read(|books| books.movements.len()), 0);
    }

    #[tokio::test]
    async fn the_pages_run_no_script_but_their_own_and_load_nothing_from_elsewhere() {
        let laptop = laptop(&[200], None).await;
        let id = laptop.open().await;
        for path in ["", &format!("/pay/{id}")] {
            let answer = laptop.get(path).await;
            assert_eq!(answer.headers()[header::CONTENT_SECURITY_POLICY], POLICY, "{path}");
            let page = answer.text().await.unwrap();
            assert_eq!(page.matches("<script").count(), 1, "{path}");
            assert!(
                page.contains("<script src=\"/local/stripe.js\">") && page.contains("aria-live"),
                "{path}"
            );
            assert!(
                page.contains("<style>:root") && !page.contains("http://") && !page.contains("https://"),
                "{path}"
            );
        }
        assert_eq!(laptop.get("/pay/cs_test_none").await.status(), 404);
        let script = laptop.get(".js").await;
        assert_eq!(script.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
        assert!(!script.text().await.unwrap().contains("innerHTML"));
    }

    #[tokio::test]
    async fn the_pages_offer_each_manner_each_fault_and_each_type() {
        let script = include_str!("page.js");
        for how in super::super::deliveries::ALL {
            let name = serde_json::to_value(how).unwrap();
            let is_offered = script.contains(&format!("{name}: \"")) || name == "once";
            assert!(is_offered, "{name}");
        }
        for fault in super::super::faults::ALL {
            let name = serde_json::to_value(fault).unwrap();
            assert!(script.contains(&format!("[{name}, \"")), "{name}");
        }
        for kind in super::super::deliveries::SUBSCRIBED {
            assert!(script.contains(&format!("\"{kind}\"")), "{kind}");
        }
    }

    #[tokio::test]
    async fn the_books_are_written_down_and_read_again() {
        let folder = std::env::temp_dir().join(format!("cartwright-stripe-{}", uuid::Uuid::now_v7()));
        let file = folder.join("data/stripe.json");
        let id = {
            let laptop = laptop(&[200], Some(file.clone())).await;
            let id = laptop.open().await;
            for _ in 0..100 {
                if file.exists() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            laptop.post(&format!("sessions/{id}"), &json!({ "do": "pay", "deliver": ["never"] })).await;
            laptop.proxy.stripe.save();
            id
        };
        let again = laptop(&[200], Some(file.clone())).await;
        let told: Value = again.get(&format!("/sessions/{id}")).await.json().await.unwrap();
        assert_eq!(told["state"], "paid");
        // What nobody can read is put aside.
        fs::write(&file, "{\"sessions\": 1}").unwrap();
        let anew = laptop(&[200], Some(file.clone())).await;
        assert_eq!(anew.get(&format!("/sessions/{id}")).await.status(), 404);
        assert!(fs::read_to_string(file.with_extension("json.unreadable")).unwrap().contains("sessions"));
        fs::remove_dir_all(folder).unwrap();
    }
}
