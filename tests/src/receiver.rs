//! Receivers of webhooks on this machine, of which some are slow, some are gone and some lie.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// What a receiver does with a delivery.
#[derive(Debug, Clone)]
pub enum Does {
    /// Answers with this head, up to its last header, and this body.
    Answer(String, String),
    /// Answers with 204 after so long.
    Late(Duration),
    /// Never answers.
    Ignore,
    /// Answers with 200 and the beginning of a body, and then nothing more.
    Stall,
    /// Answers with 200 and a body that does not end.
    Endless,
}

/// Answers with this status and no body.
pub fn status(status: u16) -> Does {
    Does::Answer(format!("HTTP/1.1 {status} \r\n"), String::new())
}

/// A delivery as it came.
#[derive(Debug, Clone)]
pub struct Got {
    /// Its headers, by their names in small letters.
    pub headers: BTreeMap<String, String>,
    /// Its body.
    pub body: String,
    /// When all of it was here.
    pub at: Instant,
}

impl Got {
    /// The event's id.
    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    /// The event.
    ///
    /// # Panics
    /// When the body is none.
    pub fn event(&self) -> Value {
        serde_json::from_str(&self.body).expect("an event")
    }

    /// Which of the signatures are by this secret.
    ///
    /// # Panics
    /// When that is none.
    pub fn signed_by(&self, secret: &str) -> Vec<bool> {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a secret")).expect("base64");
        let signed = format!("{}.{}.{}", self.id(), self.headers["webhook-timestamp"], self.body);
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
        mac.update(signed.as_bytes());
        let ours = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.headers["webhook-signature"].split(' ').map(|theirs| *theirs == ours).collect()
    }
}

/// A receiver on this machine.
#[derive(Debug, Clone)]
pub struct Receiver {
    port: u16,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Receiver {
    /// One that does the same each time.
    pub async fn that(does: Does) -> Self {
        Self::by(move |_| does.clone()).await
    }

    /// One that looks at how often it got the same delivery before.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn by(does: impl Fn(usize) -> Does + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let receiver = Self { port, got: Arc::default() };
        let (running, does) = (receiver.clone(), Arc::new(does));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (running, does) = (running.clone(), Arc::clone(&does));
                tokio::spawn(async move { running.serve(stream, does.as_ref()).await });
            }
        });
        receiver
    }

    /// Its port on this machine.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// As an endpoint names it.
    pub fn url(&self) -> String {
        url(self.port)
    }

    /// All that it got, oldest first.
    pub fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it got about this thing.
    pub fn about(&self, subject: &str) -> Vec<Got> {
        self.got().into_iter().filter(|got| got.event()["subject"] == subject).collect()
    }

    async fn serve(&self, stream: TcpStream, does: &(dyn Fn(usize) -> Does + Send + Sync)) -> Option<()> {
        let mut stream = BufReader::new(stream);
        let mut headers = BTreeMap::new();
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        assert_eq!(line, "POST /hook?of=tests HTTP/1.1\r\n");
        loop {
            line.clear();
            stream.read_line(&mut line).await.ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
        stream.read_exact(&mut body).await.ok()?;
        let body = String::from_utf8(body).ok()?;
        let got = Got { headers, body, at: Instant::now() };
        let before = {
            let mut all = self.got.lock().unwrap_or_else(PoisonError::into_inner);
            let before = all.iter().filter(|one| one.id() == got.id()).count();
            all.push(got);
            before
        };
        let empty = b"HTTP/1.1 204 \r\n\r\n".to_vec();
        let answer = match does(before) {
            Does::Answer(head, body) => format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into(),
            Does::Late(wait) => {
                tokio::time::sleep(wait).await;
                empty
            }
            Does::Ignore => pending().await,
            Does::Stall => {
                stream.write_all(b"HTTP/1.1 200 \r\ncontent-length: 9000\r\n\r\nwait").await.ok()?;
                pending().await
            }
            Does::Endless => {
                stream.write_all(b"HTTP/1.1 200 \r\n\r\n").await.ok()?;
                while stream.write_all(&[b'a'; 1_000]).await.is_ok() {}
                return None;
            }
        };
        stream.write_all(&answer).await.ok()
    }
}

/// A port of this machine that refuses every connection, and that nobody else gets meanwhile.
#[derive(Debug)]
pub struct Dead(TcpSocket);

impl Dead {
    /// One that is free.
    ///
    /// # Panics
    /// When none is.
    pub fn port() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        // It is taken, and nobody listens.
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
        Self(socket)
    }

    /// As an endpoint names it.
    ///
    /// # Panics
    /// When the socket has no address.
    pub fn url(&self) -> String {
        url(self.0.local_addr().expect("an address").port())
    }
}

fn url(port: u16) -> String {
    format!("https://{port}.receiver.test/hook?of=tests")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dead_port_refuses_and_a_receiver_takes() {
        let (dead, alive) = (Dead::port(), Receiver::that(status(204)).await);
        let dead = dead.0.local_addr().expect("an address");
        assert!(TcpStream::connect(dead).await.is_err());
        assert!(TcpStream::connect(("127.0.0.1", alive.port())).await.is_ok());
    }
}
