//! How soon people are told: from the moment when somebody asks for a change until the hint is at an open WebSocket of
//! whom it concerns. Between them are the table and its stream, publish-events, the topic, the queue of write-inbox,
//! the inbox, the queue of push-notification, and the gateway of sockets.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tests::shop::{Person, Shop, product};
use tests::socket::{self, Socket};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{sleep, timeout};

use crate::{Series, WARM_UP};

/// As long as this counts a hint that does not come: it is no promise, so one may be lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two orders, at least, in milliseconds, and how much more in turn.
const REST: u64 = 300;
const JITTERS: [u64; 5] = [0, 41, 90, 163, 230];

/// Has somebody place orders which their seller then says have arrived, one after the other, and gives how soon each of
/// both hears of it.
pub(crate) async fn measure(times: usize) -> Value {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(10_000)).await;
    let (mut seller, mut buyer) = (Listening::by(&ann).await, Listening::by(&bob).await);
    let mut placed = Series::of("an order is placed: its buyer");
    let mut sold = Series::of("an order is placed: its seller");
    let mut arrived = Series::of("an order has arrived: its buyer");
    for turn in 0..WARM_UP + times {
        let counts = turn >= WARM_UP;
        // What changes is not to keep step with what looks for changes, and one person orders so often a minute.
        sleep(Duration::from_millis(REST + JITTERS[turn % JITTERS.len()])).await;
        let asked = Instant::now();
        let order = bob.buys(&tea, 1).await;
        let answered = asked.elapsed();
        for (listening, kind, series) in
            [(&mut buyer, "order.placed", &mut placed), (&mut seller, "sale.made", &mut sold)]
        {
            let took = listening.hears(kind, &order, asked).await;
            series.add(counts, took, answered);
        }
        // Before that it cannot arrive.
        buyer.hears("order.shipped", &order, asked).await;
        bob.order_once(&order, "shipping").await;
        let asked = Instant::now();
        ann.put(&format!("/orders/{order}/status"), &json!({ "status": "delivered" })).await.is(200);
        let answered = asked.elapsed();
        let took = buyer.hears("order.delivered", &order, asked).await;
        arrived.add(counts, took, answered);
    }
    [placed, sold, arrived].iter().map(Series::to_json).collect()
}

impl Series {
    fn add(&mut self, counts: bool, took: Duration, answered: Duration) {
        if counts {
            self.took.push(took);
            self.answered.push(answered);
        }
    }
}

/// What somebody hears by a socket, each hint with the moment when it came.
struct Listening {
    coming: UnboundedReceiver<(Instant, Value)>,
    heard: Vec<(Instant, Value)>,
}

impl Listening {
    async fn by(person: &Person) -> Self {
        let issued = person.request(Method::POST, "/socket-tickets").send().await.is(201);
        let opened = Socket::open(&socket::address(&issued)).await;
        let mut socket = opened.unwrap_or_else(|status| panic!("the socket was refused with {status:?}"));
        let (tell, coming) = unbounded_channel();
        tokio::spawn(async move {
            loop {
                // That there was none for a while is no end.
                let Some(next) = socket.next_within(PATIENCE).await else { continue };
                let Some(hint) = next else { break };
                if tell.send((Instant::now(), hint)).is_err() {
                    break;
                }
            }
        });
        Self { coming, heard: Vec::new() }
    }

    /// How long after this moment the hint came that something of this kind happened to an order.
    async fn hears(&mut self, kind: &str, order: &str, since: Instant) -> Duration {
        let is_it = |(_, hint): &(Instant, Value)| hint["kind"] == kind && hint["subject"] == order;
        let came = timeout(PATIENCE, async {
            loop {
                if let Some(at) = self.heard.iter().position(is_it) {
                    return self.heard.swap_remove(at).0;
                }
                let next = self.coming.recv().await.expect("the socket was closed");
                self.heard.push(next);
            }
        });
        match came.await {
            Ok(at) => at - since,
            Err(_) => {
                eprintln!("no hint of {kind} came in {} s", PATIENCE.as_secs());
                PATIENCE
            }
        }
    }
}
