//! Something between a store and its table, so that what happens in the middle of an operation happens there every
//! time: a rival's write, a lost reply, an answer that is rare.

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use emulator::client;
use reqwest::Client;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Stands between a client and DynamoDB, and meddles with some calls of one operation.
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
}

type Happening = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The status and the body of an answer in DynamoDB's place.
pub type Answer = (u16, Value);

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
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            connection.read_line(&mut line).await.ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let header = |name: &str| headers.iter().find(|(other, _)| other == name).map(|(_, value)| value);
        let mut body = vec![0; header("content-length")?.parse().ok()?];
        connection.read_exact(&mut body).await.ok()?;

        let is_ours = header("x-amz-target")
            .is_some_and(|target| target.rsplit('.').next() == Some(self.operation))
            && self.calls.contains(&self.seen.fetch_add(1, Ordering::SeqCst));
        let (status, answer) = match &self.meddling {
            Meddling::Answer(answer) if is_ours => {
                let (status, answer) = answer(&serde_json::from_slice(&body).ok()?);
                (status, answer.to_string().into_bytes())
            }
            meddling => {
                if let Meddling::Before(happens) = meddling
                    && is_ours
                {
                    happens().await;
                }
                if matches!(meddling, Meddling::LoseReply) {
                    let mut input: Value = serde_json::from_slice(&body).ok()?;
                    input.as_object_mut()?.remove("ClientRequestToken");
                    body = input.to_string().into_bytes();
                }
                let mut request = http.post(endpoint).body(body);
                for (name, value) in headers {
                    if !["host", "content-length", "connection"].contains(&name.as_str()) {
                        request = request.header(name, value);
                    }
                }
                let answer = request.send().await.ok()?;
                let status = answer.status().as_u16();
                let body = answer.bytes().await.ok()?.to_vec();
                if is_ours && matches!(meddling, Meddling::LoseReply) {
                    return None;
                }
                (status, body)
            }
        };
        let length = answer.len();
        let head = format!(
            "HTTP/1.1 {status} -\r\ncontent-type: application/x-amz-json-1.0\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).await.ok()?;
        connection.write_all(&answer).await.ok()?;
        connection.shutdown().await.ok()
    }
}
