//! The routes below `/local/stripe`, the clock, the posts to the shop's webhook, and the file of the books.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Json, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::acts::Act;
use super::api::{Answer, Call, Way};
use super::books::{Books, Moment};
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
        let read = file.as_ref().and_then(|file| fs::read(file).ok());
        let read = read.and_then(|text| serde_json::from_slice::<Books>(&text).ok());
        let mut books = read.unwrap_or_else(|| Books::new(&uuid::Uuid::now_v7().to_string(), ""));
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
async fn session(State(proxy): Cloud, Path(id): Path<String>) -> Response {
    let session = proxy.stripe.read(|books| {
        books.session_named(&id).map(|session| {
            let mut shown = session.shown();
            let lines: Vec<Value> = session.lines.iter().map(|line| line.shown()).collect();
            shown["line_items"] = json!(lines);
            shown["back_to"] = json!(session.back_to());
            shown["state"] = json!(session.state);
            shown
        })
    });
    session.as_ref().map_or_else(nothing_here, fresh)
}

/// Lets something happen.
async fn act(State(proxy): Cloud, Path(id): Path<String>, Json(act): Json<Act>) -> Response {
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

async fn pay(State(proxy): Cloud, Path(id): Path<String>) -> Response {
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
