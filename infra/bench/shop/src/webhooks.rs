//! Whether one receiver of webhooks makes another wait: how soon a receiver that answers at once is told of what
//! happened, alone, beside others that answer at once, and beside others of which one is slow, one is dead and two lie.
//! Twice in turn, in the same run, so that a busy moment of the machine hits all alike.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tests::receiver::{Dead, Does, Receiver, status};
use tests::shop::{Person, Shop, unique};
use tests::wait::eventually;
use tokio::time::sleep;

use crate::{Series, WARM_UP};

/// How often all three are measured in turn.
const ROUNDS: usize = 2;

/// The slow one answers after the sender has given up, which is after ten seconds.
const SLOW: Duration = Duration::from_secs(12);

/// Until no sender waits for a slow one any more.
const DRAINED: Duration = Duration::from_secs(15);

/// Tells the one that answers of so many events in each of the three, and gives how soon it was.
pub(crate) async fn measure(times: usize) -> Value {
    let shop = Shop::open();
    let mut told = Told::of(&shop).await;
    told.after(WARM_UP).await;
    let (each, mut all) = (
        times.div_ceil(ROUNDS),
        [
            Series::of("alone"),
            Series::of("beside four that answer"),
            Series::of("beside a slow one, a dead one, one that redirects and one that does not end"),
        ],
    );
    for _ in 0..ROUNDS {
        let [alone, beside_good, beside_bad] = &mut all;
        alone.took.extend(told.after(each).await);

        let good = [answering().await, answering().await, answering().await, answering().await];
        let endpoints = Endpoints::at(&shop, good.iter().map(Receiver::url)).await;
        beside_good.took.extend(told.after(each).await);
        assert!(good.iter().all(|one| !one.got().is_empty()), "the others were told nothing");
        endpoints.end(&shop).await;

        let (elsewhere, dead) = (answering().await, Dead::port());
        let location = format!("location: http://127.0.0.1:{}/hook?of=tests", elsewhere.port());
        let redirects = Does::Answer(format!("HTTP/1.1 302 \r\n{location}\r\n"), String::new());
        let [slow, redirects, endless] = [
            Receiver::that(Does::Late(SLOW)).await,
            Receiver::that(redirects).await,
            Receiver::that(Does::Endless).await,
        ];
        let urls = [slow.url(), dead.url(), redirects.url(), endless.url()];
        let endpoints = Endpoints::at(&shop, urls).await;
        beside_bad.took.extend(told.after(each).await);
        for one in [&slow, &redirects, &endless] {
            assert!(!one.got().is_empty(), "{one:?} was told nothing");
        }
        assert!(elsewhere.got().is_empty(), "a redirect was followed");
        endpoints.end(&shop).await;
        sleep(DRAINED).await;
    }
    all.iter().map(Series::to_json).collect()
}

async fn answering() -> Receiver {
    Receiver::that(status(204)).await
}

/// The receiver that answers at once, and who gives rise to events.
struct Told {
    person: Person,
    receiver: Receiver,
    /// Of which events it was told.
    known: BTreeSet<String>,
}

impl Told {
    async fn of(shop: &Shop) -> Self {
        let (person, receiver) = (shop.person("Ann").await, answering().await);
        Endpoints::at(shop, [receiver.url()]).await;
        Self { person, receiver, known: BTreeSet::new() }
    }

    /// How soon it was told of each of so many events, one after the other: from the moment when somebody asked for a
    /// change.
    async fn after(&mut self, events: usize) -> Vec<Duration> {
        let mut took = Vec::new();
        for _ in 0..events {
            let asked = Instant::now();
            self.person.put("/users/me", &json!({ "fullName": unique("Ann Fox") })).await.is(200);
            let (receiver, known) = (&self.receiver, &self.known);
            // One that comes a second time has the same id.
            let got = eventually("the one that answers is told", async || {
                receiver.got().into_iter().find(|got| !known.contains(got.id()))
            });
            let got = got.await;
            took.push(got.at - asked);
            self.known.insert(got.id().to_owned());
        }
        took
    }
}

/// Endpoints that want the same events.
struct Endpoints(Vec<String>);

impl Endpoints {
    async fn at(shop: &Shop, urls: impl IntoIterator<Item = String>) -> Self {
        let mut paths = Vec::new();
        for url in urls {
            let body = json!({ "url": url, "types": ["user.profile-changed"] });
            let endpoint = shop.admin().await.post("/webhooks", &body).await.is(201);
            paths.push(format!("/webhooks/{}", endpoint["id"].as_str().expect("an id")));
        }
        Self(paths)
    }

    async fn end(self, shop: &Shop) {
        for path in &self.0 {
            shop.admin().await.request(Method::DELETE, path).send().await.is(204);
        }
    }
}
