//! Something between a store and its table, so that what happens in the middle of an operation happens there every
//! time: a rival's write, a lost reply, an answer that is rare. It can also just watch: which calls were made, and
//! which waited for which.

use std::fmt::{self, Write};
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use emulator::client;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Response};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

/// How long a watching meddler holds every reply back: longer than two calls that a function makes at the same time
/// begin after one another.
const HELD_BACK: Duration = Duration::from_millis(100);

/// Stands between a client and AWS, and meddles with some calls of one operation.
pub struct Meddler {
    operation: &'static str,
    calls: Range<usize>,
    meddling: Meddling,
    seen: AtomicUsize,
}

enum Meddling {
    Before(Box<dyn Fn() -> Happening + Send + Sync>),
    LoseReply,
    Answer(Box<dyn Fn(&Value) -> Answer + Send + Sync>),
    Watch(Calls),
}

type Happening = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The status and the body of an answer in DynamoDB's place.
pub type Answer = (u16, Value);

/// A call that went by.
#[derive(Debug, Clone)]
pub struct Call {
    /// `TransactWriteItems`; of a service that has no names in its requests, method and path.
    pub operation: String,
    /// The request's body; null if it is no JSON.
    pub input: Value,
    begun: Instant,
    /// `None` while the caller waits.
    ended: Option<Instant>,
}

impl Call {
    /// Whether the caller made this call while it waited for the other one, or the other way round.
    pub fn overlaps(&self, other: &Self) -> bool {
        let begins_within = |one: &Self, of: &Self| of.ended.is_none_or(|ended| one.begun < ended);
        begins_within(self, other) && begins_within(other, self)
    }
}

/// The calls that went by, in the order in which they began.
#[derive(Debug, Clone, Default)]
pub struct Calls(Arc<Mutex<Vec<Call>>>);

impl Calls {
    /// Those since this was last asked.
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut *self.0.lock().expect("no holder of this lock panics"))
    }

    fn begin(&self, operation: &str, input: Value) -> Instant {
        let begun = Instant::now();
        let call = Call { operation: operation.to_owned(), input, begun, ended: None };
        self.0.lock().expect("no holder of this lock panics").push(call);
        begun
    }

    fn end(&self, begun: Instant) {
        let mut calls = self.0.lock().expect("no holder of this lock panics");
        if let Some(call) = calls.iter_mut().find(|call| call.begun == begun) {
            call.ended = Some(Instant::now());
        }
    }
}

/// How many of these calls were made one after the other: the longest row of them in which each waited for the one
/// before.
pub fn round_trips(calls: &[Call]) -> usize {
    let mut by_end: Vec<_> = calls.iter().collect();
    by_end.sort_by_key(|call| (call.ended.is_none(), call.ended));
    let (mut trips, mut last) = (0, None);
    for call in by_end {
        if last.is_none_or(|last| call.begun >= last) {
            trips += 1;
            last = call.ended;
        }
        if call.ended.is_none() {
            break;
        }
    }
    trips
}

impl fmt::Debug for Meddler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Meddler({} {:?})", self.operation, self.calls)
    }
}

impl Meddler {
    /// Lets something happen before those calls of the operation reach DynamoDB. The first call is 0.
    pub fn before<F>(
        operation: &'static str,
        calls: Range<usize>,
        happens: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::new(operation, calls, Meddling::Before(Box::new(move || Box::pin(happens()))))
    }

    /// Lets the first call of the operation take effect and breaks the connection instead of replying. The client's
    /// repetition comes as late as it may: when DynamoDB has forgotten its token.
    pub fn lose_reply(operation: &'static str) -> Self {
        Self::new(operation, 0..1, Meddling::LoseReply)
    }

    /// Answers those calls in DynamoDB's place, by the call's input.
    pub fn answer(
        operation: &'static str,
        calls: Range<usize>,
        answer: impl Fn(&Value) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::new(operation, calls, Meddling::Answer(Box::new(answer)))
    }

    /// Lets every call pass, whatever its service, and tells of all of them. Each reply is held back for a moment, so
    /// that what a caller does at the same time is seen to be so.
    pub fn watch() -> (Self, Calls) {
        let calls = Calls::default();
        (Self::new("", 0..0, Meddling::Watch(calls.clone())), calls)
    }

    fn new(operation: &'static str, calls: Range<usize>, meddling: Meddling) -> Self {
        Self { operation, calls, meddling, seen: AtomicUsize::new(0) }
    }

    /// Begins to stand before the AWS at `endpoint`, and gives the address to call instead.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn stand_before(self, endpoint: String) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (meddler, endpoint, http) = (Arc::new(self), Arc::new(endpoint), client());
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (meddler, endpoint, http) = (Arc::clone(&meddler), Arc::clone(&endpoint), http.clone());
                tokio::spawn(async move { meddler.serve(connection, &endpoint, &http).await });
            }
        });
        format!("http://{address}")
    }

    /// Serves one request: it closes the connection with each answer, so that there is never a second.
    async fn serve(&self, connection: TcpStream, endpoint: &str, http: &Client) -> Option<()> {
        let mut connection = BufReader::new(connection);
        let mut line = String::new();
        connection.read_line(&mut line).await.ok()?;
        let (method, path) = line.split_once(' ')?;
        let (path, _) = path.split_once(' ')?;
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            connection.read_line(&mut line).await.ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let header = |name: &str| headers.iter().find(|(other, _)| other == name).map(|(_, value)| value);
        let mut body = vec![0; header("content-length").map_or(Ok(0), |length| length.parse()).ok()?];
        connection.read_exact(&mut body).await.ok()?;

        let operation = match header("x-amz-target") {
            Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
            None => format!("{method} {path}"),
        };
        let is_ours =
            operation == self.operation && self.calls.contains(&self.seen.fetch_add(1, Ordering::SeqCst));
        let begun = match &self.meddling {
            Meddling::Answer(answer) if is_ours => {
                let (status, answer) = answer(&serde_json::from_slice(&body).ok()?);
                return reply(connection, status, &HeaderMap::new(), answer.to_string().as_bytes()).await;
            }
            Meddling::Before(happens) if is_ours => {
                happens().await;
                None
            }
            Meddling::LoseReply => {
                let mut input: Value = serde_json::from_slice(&body).ok()?;
                input.as_object_mut()?.remove("ClientRequestToken");
                body = input.to_string().into_bytes();
                None
            }
            Meddling::Watch(calls) => {
                let input = serde_json::from_slice(&body).unwrap_or_default();
                Some((calls, calls.begin(&operation, input)))
            }
            Meddling::Answer(_) | Meddling::Before(_) => None,
        };
        let request = http.request(method.parse::<Method>().ok()?, format!("{endpoint}{path}"));
        let answer = pass_on(request.body(body), headers).await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.bytes().await.ok()?;
        if is_ours && matches!(self.meddling, Meddling::LoseReply) {
            return None;
        }
        if let Some((calls, begun)) = begun {
            sleep(HELD_BACK).await;
            calls.end(begun);
        }
        reply(connection, status, &headers, &body).await
    }
}

/// Headers that are about one connection alone, or that are written anew. Not the host: the caller has signed it.
const OWN: [&str; 4] = ["connection", "content-length", "keep-alive", "transfer-encoding"];

async fn pass_on(mut request: reqwest::RequestBuilder, headers: Vec<(String, String)>) -> Option<Response> {
    for (name, value) in headers.into_iter().filter(|(name, _)| !OWN.contains(&name.as_str())) {
        request = request.header(name, value);
    }
    request.send().await.ok()
}

async fn reply(
    mut connection: BufReader<TcpStream>,
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
) -> Option<()> {
    let length = body.len();
    let mut head = format!("HTTP/1.1 {status} -\r\ncontent-length: {length}\r\nconnection: close\r\n");
    for (name, value) in headers.iter().filter(|(name, _)| !OWN.contains(&name.as_str())) {
        write!(head, "{name}: {}\r\n", value.to_str().ok()?).ok()?;
    }
    head.push_str("\r\n");
    connection.write_all(head.as_bytes()).await.ok()?;
    connection.write_all(body).await.ok()?;
    connection.shutdown().await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls that begin and end at these milliseconds.
    fn calls<const N: usize>(times: [(u64, u64); N]) -> Vec<Call> {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let call = |(begun, ended)| Call {
            operation: "GetItem".into(),
            input: Value::Null,
            begun: at(begun),
            ended: Some(at(ended)),
        };
        times.map(call).into()
    }

    #[test]
    fn what_is_called_at_the_same_time_is_one_round_trip() {
        assert_eq!(round_trips(&[]), 0);
        assert_eq!(round_trips(&calls([(0, 9), (1, 5), (2, 12)])), 1);
        assert_eq!(round_trips(&calls([(0, 9), (1, 5), (12, 20), (21, 30)])), 3);
        // A long call beside two short ones that wait for each other.
        assert_eq!(round_trips(&calls([(0, 30), (1, 5), (6, 9)])), 2);
    }

    #[test]
    fn a_call_whose_caller_still_waits_is_counted() {
        let mut calls = calls([(0, 9), (10, 20)]);
        calls[1].ended = None;
        assert_eq!(round_trips(&calls), 2);
    }

    #[test]
    fn calls_overlap_where_neither_waited_for_the_other() {
        let calls = calls([(0, 9), (8, 20), (20, 30)]);
        assert!(calls[0].overlaps(&calls[1]) && calls[1].overlaps(&calls[0]));
        assert!(!calls[0].overlaps(&calls[2]) && !calls[1].overlaps(&calls[2]));
    }
}
