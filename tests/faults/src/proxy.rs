//! What stands between the functions and AWS, and between them and Stripe: passes every call on, except for what the
//! plan makes go wrong.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::net::TcpListener;

use crate::call::{Call, Caller};
use crate::fault::Fault;
use crate::plan::{Calm, Plan};
use crate::tries::Tries;

/// Headers that are about one connection alone.
const HOP_BY_HOP: [&str; 5] = ["connection", "keep-alive", "te", "transfer-encoding", "upgrade"];

/// How old an answer of an index is that is given again.
const A_MOMENT: Duration = Duration::from_millis(300);

/// To how many questions the answers are kept.
const QUESTIONS: usize = 2_000;

/// The connection ends without a reply.
#[derive(Debug)]
struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is dropped on purpose")
    }
}

impl std::error::Error for Dropped {}

type Reply = Result<Response<Full<Bytes>>, Dropped>;

/// A fault that happened.
#[derive(Debug, Clone)]
pub(crate) struct Happened {
    pub fault: Fault,
    pub function: String,
    pub signature: String,
    /// The request, to find the orders that it was about.
    pub about: String,
}

/// The proxy.
pub(crate) struct Proxy {
    /// Where AWS is.
    endpoint: String,
    /// Where Stripe's API is.
    stripe: String,
    http: reqwest::Client,
    plan: RwLock<Arc<dyn Plan>>,
    happened: Mutex<Vec<Happened>>,
    calls: AtomicUsize,
    last_call: Mutex<Instant>,
    /// Which requests to Stripe are one call.
    tries: Tries,
    /// What each index answered lately, by the question.
    answers: Mutex<HashMap<String, VecDeque<(Instant, Bytes)>>>,
}

impl Proxy {
    /// Begins to listen on the port, before the AWS at `endpoint` and the Stripe at `stripe`.
    ///
    /// # Errors
    /// The port is taken.
    pub(crate) async fn start(port: u16, endpoint: String, stripe: String) -> Result<Arc<Self>> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await;
        let listener = listener.with_context(|| format!("cannot listen on port {port}"))?;
        let http =
            reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        let proxy = Arc::new(Self {
            endpoint,
            stripe,
            http,
            plan: RwLock::new(Arc::new(Calm)),
            happened: Mutex::default(),
            calls: AtomicUsize::new(0),
            last_call: Mutex::new(Instant::now()),
            tries: Tries::default(),
            answers: Mutex::default(),
        });
        let serving = Arc::clone(&proxy);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                // A small answer must not wait for an acknowledgement.
                let _ = connection.set_nodelay(true);
                let proxy = Arc::clone(&serving);
                let answer = service_fn(move |request| {
                    let proxy = Arc::clone(&proxy);
                    // A call goes on when its caller has gone: what is on its way to AWS arrives.
                    let answering = tokio::spawn(async move { proxy.answer(request).await });
                    async move { answering.await.unwrap_or(Err(Dropped)) }
                });
                // Ends in an error where a reply is dropped, as it should.
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), answer));
            }
        });
        Ok(proxy)
    }

    /// From now on this goes wrong.
    pub(crate) fn follow(&self, plan: Arc<dyn Plan>) {
        *self.plan.write().expect("no holder of this lock panics") = plan;
    }

    /// From now on nothing goes wrong.
    pub(crate) fn calm(&self) {
        self.follow(Arc::new(Calm));
    }

    /// How long no function has called AWS or Stripe.
    pub(crate) fn quiet_for(&self) -> Duration {
        self.last_call.lock().expect("no holder of this lock panics").elapsed()
    }

    /// How many calls there were.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// The faults that happened.
    pub(crate) fn happened(&self) -> Vec<Happened> {
        self.happened.lock().expect("no holder of this lock panics").clone()
    }

    /// How often each fault happened.
    pub(crate) fn tally(&self) -> BTreeMap<Fault, usize> {
        let mut tally = BTreeMap::new();
        for happened in self.happened() {
            *tally.entry(happened.fault).or_default() += 1;
        }
        tally
    }

    async fn answer(&self, request: Request<Incoming>) -> Reply {
        let (parts, body) = request.into_parts();
        let Ok(body) = body.collect().await else { return Err(Dropped) };
        let body = body.to_bytes();
        let mut call = Call::read(&parts, &body);
        if call.is_to_stripe() {
            call.id = self.tries.name(&call, Instant::now());
        }
        if call.caller.is_some() {
            self.calls.fetch_add(1, Ordering::Relaxed);
            self.heard();
        }
        let plan = Arc::clone(&self.plan.read().expect("no holder of this lock panics"));
        let fault = plan.fault(&call);
        if let Some(fault) = fault {
            self.note(fault, &call);
        }
        let reply = self.reply(fault, &call, &parts, body).await;
        if call.is_to_stripe() {
            let status = reply.as_ref().ok().map(|reply| reply.status().as_u16());
            self.tries.ended(&call, status, Instant::now());
        }
        if call.caller.is_some() {
            self.heard();
        }
        reply
    }

    fn heard(&self) {
        *self.last_call.lock().expect("no holder of this lock panics") = Instant::now();
    }

    fn note(&self, fault: Fault, call: &Call) {
        let happened = Happened {
            fault,
            function: call.function().to_owned(),
            signature: call.signature(),
            about: format!("{} {}", call.path, call.body),
        };
        self.happened.lock().expect("no holder of this lock panics").push(happened);
    }

    async fn reply(&self, fault: Option<Fault>, call: &Call, parts: &Parts, body: Bytes) -> Reply {
        let Some(fault) = fault else { return self.pass_on(call, parts, body).await };
        if let Some(answer) = fault.answer(call) {
            let mut response = Response::new(Full::from(answer.body));
            *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or_default();
            response.headers_mut().insert(CONTENT_TYPE, answer.content_type.parse().map_err(|_| Dropped)?);
            if let Some((name, value)) = answer.header {
                response.headers_mut().insert(name, HeaderValue::from_static(value));
            }
            return Ok(response);
        }
        match fault {
            Fault::Reset => Err(Dropped),
            Fault::ReplyDropped => {
                self.pass_on(call, parts, body).await?;
                Err(Dropped)
            }
            Fault::KilledBefore => {
                kill(call.caller.as_ref()).await;
                Err(Dropped)
            }
            Fault::KilledAfter => {
                self.pass_on(call, parts, body).await?;
                kill(call.caller.as_ref()).await;
                Err(Dropped)
            }
            Fault::Delayed => {
                tokio::time::sleep(Fault::DELAY / 2).await;
                let reply = self.pass_on(call, parts, body).await;
                tokio::time::sleep(Fault::DELAY / 2).await;
                reply
            }
            Fault::Late => {
                tokio::time::sleep(Fault::late(call)).await;
                self.pass_on(call, parts, body).await
            }
            Fault::Twice => {
                self.pass_on(call, parts, body.clone()).await?;
                self.pass_on(call, parts, body).await
            }
            Fault::HeldBack => {
                let mut input = call.input.clone();
                input["DelaySeconds"] = json!(Fault::HELD_BACK_SECONDS);
                self.pass_on(call, parts, input.to_string().into()).await
            }
            Fault::Stale => match self.earlier_answer(call) {
                Some(answer) => {
                    let mut response = Response::new(Full::from(answer));
                    let json = HeaderValue::from_static("application/x-amz-json-1.0");
                    response.headers_mut().insert(CONTENT_TYPE, json);
                    Ok(response)
                }
                None => self.pass_on(call, parts, body).await,
            },
            _ => self.pass_on(call, parts, body).await,
        }
    }

    async fn pass_on(&self, call: &Call, parts: &Parts, body: Bytes) -> Reply {
        let mut headers = without_hop_by_hop(&parts.headers);
        headers.remove(CONTENT_LENGTH);
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let url = match call.is_to_stripe() {
            true => format!("{}{}", self.stripe, call.path),
            false => format!("{}{path}", self.endpoint),
        };
        let request = self.http.request(parts.method.clone(), url).headers(headers).body(body);
        let answer = request.send().await.map_err(|_| Dropped)?;
        let (status, mut headers) = (answer.status(), without_hop_by_hop(answer.headers()));
        headers.remove(CONTENT_LENGTH);
        let body = answer.bytes().await.map_err(|_| Dropped)?;
        if status.is_success() && call.reads_an_index() {
            self.remember(call, &body);
        }
        if status.is_success() && call.is_to_stripe() {
            let plan = Arc::clone(&self.plan.read().expect("no holder of this lock panics"));
            plan.heard(call, &String::from_utf8_lossy(&body));
        }
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    fn remember(&self, call: &Call, body: &Bytes) {
        let mut answers = self.answers.lock().expect("no holder of this lock panics");
        if answers.len() > QUESTIONS {
            answers.clear();
        }
        let of_this = answers.entry(call.question()).or_default();
        of_this.push_back((Instant::now(), body.clone()));
        if of_this.len() > 8 {
            of_this.pop_front();
        }
    }

    /// The newest answer that is a moment old.
    fn earlier_answer(&self, call: &Call) -> Option<Bytes> {
        let answers = self.answers.lock().expect("no holder of this lock panics");
        let of_this = answers.get(&call.question())?.iter().rev();
        of_this.filter(|(at, _)| at.elapsed() >= A_MOMENT).map(|(_, answer)| answer.clone()).next()
    }
}

fn without_hop_by_hop(headers: &HeaderMap) -> HeaderMap {
    let mut passed = headers.clone();
    for name in HOP_BY_HOP {
        passed.remove(name);
    }
    passed
}

/// Kills a function's process, which waits for its reply, and waits until it is gone.
async fn kill(caller: Option<&Caller>) {
    let Some(caller) = caller else { return };
    let Some(pid) = Pid::from_raw(caller.pid).filter(|_| is_running(caller)) else { return };
    if kill_process(pid, Signal::KILL).is_ok() {
        let deadline = Instant::now() + Duration::from_secs(2);
        while is_running(caller) && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Whether the process is still that function's, where the system tells.
fn is_running(caller: &Caller) -> bool {
    match std::fs::read_to_string(format!("/proc/{}/stat", caller.pid)) {
        // `42 (create-order) S …`: the name has 15 characters at most, and a zombie runs no more.
        Ok(stat) => {
            stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).is_some_and(|(name, rest)| {
                caller.function.starts_with(name) && !rest.trim_start().starts_with('Z')
            })
        }
        Err(_) => !std::path::Path::new("/proc/self/stat").exists(),
    }
}
