//! A receiver of webhooks that takes everything, and remembers what it took.

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What came: the header `webhook-id`, and the body.
type Taken = Arc<Mutex<Vec<(String, Value)>>>;

/// The receiver. It ends with the run.
#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    port: u16,
    taken: Taken,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let taken = Taken::default();
        let of_all = Arc::clone(&taken);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, Arc::clone(&of_all)));
            }
        });
        Self { port, taken }
    }

    /// As an endpoint of the local shop names it.
    pub(crate) fn url(&self) -> String {
        format!("https://{}.receiver.test/", self.port)
    }

    /// Whether it took this event, each time under its own id and as it was told.
    pub(crate) fn took(&self, event: &Value) -> bool {
        took(&self.taken.lock().expect("no holder of this lock panics"), event)
    }
}

fn took(taken: &[(String, Value)], event: &Value) -> bool {
    let mut of_it =
        taken.iter().filter(|(id, body)| event["id"] == **id || body["id"] == event["id"]).peekable();
    of_it.peek().is_some() && of_it.all(|(id, body)| event["id"] == **id && body == event)
}

async fn take(stream: TcpStream, taken: Taken) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut id, mut length, mut line) = (String::new(), 0, String::new());
    while stream.read_line(&mut line).await? > 2 {
        let (name, value) = line.split_once(':').unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "webhook-id" => value.trim().clone_into(&mut id),
            "content-length" => length = value.trim().parse().unwrap_or_default(),
            _ => {}
        }
        line.clear();
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let body = serde_json::from_slice(&body).unwrap_or_default();
    taken.lock().expect("no holder of this lock panics").push((id, body));
    stream.write_all(b"HTTP/1.1 204 \r\n\r\n").await
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_that_was_lost_or_came_under_another_id_or_otherwise_is_noticed() {
        let (event, other) = (json!({ "id": "1", "data": {} }), json!({ "id": "2", "data": {} }));
        let came = |id: &str, body: &Value| (id.to_owned(), body.clone());
        assert!(took(&[came("1", &event)], &event));
        assert!(took(&[came("2", &other), came("1", &event), came("1", &event)], &event));
        assert!(!took(&[], &event));
        assert!(!took(&[came("2", &other)], &event));
        assert!(!took(&[came("1", &event), came("3", &event)], &event));
        assert!(!took(&[came("1", &event), came("1", &json!({ "id": "1", "data": 1 }))], &event));
    }
}
