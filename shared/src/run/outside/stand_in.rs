//! A service outside of AWS as tests have it: a server on this machine that answers what it is told to, and remembers
//! what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// This machine.
pub(crate) const HERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);

/// What it does with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Answers it.
    Answer {
        /// The status.
        status: u16,
        /// Headers, besides `Content-Length`.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: String,
    },
    /// Takes it and closes the connection: it has done its work, and the answer is lost.
    Lose,
    /// Sends the head of an answer and the beginning of its body, and then nothing more.
    Stall,
    /// Never answers.
    Ignore,
}

impl Reply {
    /// An answer with this status and body.
    pub fn answer(status: u16, body: impl Into<String>) -> Self {
        Self::Answer { status, headers: Vec::new(), body: body.into() }
    }

    /// The same with one more header; what is no answer stays as it is.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its method and path: `POST /v1/things`.
    pub what: String,
    /// Its headers, their names in small letters.
    pub headers: BTreeMap<String, String>,
    /// Its body.
    pub body: String,
    /// On which connection it came, counted from 1.
    pub connection: usize,
}

impl Asked {
    /// The header of this name, in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// The server. It ends with the runtime of its test.
#[derive(Debug)]
pub struct StandIn {
    /// Where it is, without a slash at the end.
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl StandIn {
    /// Starts one that does these things with the first requests, one each, and loses all others.
    ///
    /// # Panics
    /// When this machine has no port for it.
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind((HERE, 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let replies = Arc::new(Mutex::new(replies.into_iter().collect::<VecDeque<_>>()));
        let asked = Arc::default();
        let stand_in = Self { url, asked: Arc::clone(&asked) };
        tokio::spawn(async move {
            for connection in 1.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                tokio::spawn(serve(stream, connection, Arc::clone(&replies), Arc::clone(&asked)));
            }
        });
        stand_in
    }

    /// Where there is none any more.
    ///
    /// # Panics
    /// When this machine has no port for it.
    pub fn gone() -> String {
        let listener = std::net::TcpListener::bind((HERE, 0)).expect("a port");
        format!("http://{}", listener.local_addr().expect("an address"))
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(
    stream: TcpStream,
    connection: usize,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream, connection).await? {
        asked.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        let reply = replies.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match reply.unwrap_or(Reply::Lose) {
            Reply::Answer { status, headers, body } => {
                let headers = headers.into_iter().map(|(name, value)| format!("{name}: {value}\r\n"));
                let headers: String = headers.collect();
                let head = format!("HTTP/1.1 {status} \r\n{headers}content-length: {}\r\n\r\n", body.len());
                stream.write_all((head + &body).as_bytes()).await?;
            }
            Reply::Lose => return Ok(()),
            Reply::Stall => {
                stream.write_all(b"HTTP/1.1 200 \r\ncontent-length: 1000\r\n\r\n{").await?;
                return std::future::pending().await;
            }
            Reply::Ignore => return std::future::pending().await,
        }
    }
    Ok(())
}

/// The next request of a connection, if there is one.
async fn read(stream: &mut BufReader<TcpStream>, connection: usize) -> io::Result<Option<Asked>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut lines = lines.into_iter();
    let what = lines.next().unwrap_or_default().replace(" HTTP/1.1", "");
    let headers = lines.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    });
    let headers: BTreeMap<_, _> = headers.collect();
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Some(Asked { what, headers, body, connection }))
}
