//! What only a whole shop shows, to those whom it serves: how soon people are told, whether one receiver of webhooks
//! makes another wait, and how soon the shop is seen.
//!
//! The functions alone do not show it, since it lies between them. So the templates are deployed on a cloud of its own,
//! with its streams, topics, queues and sockets, as `cargo local up` does it, and the program `measure-shop`
//! (`infra/bench/shop`) looks at that from outside. What is on the way, or runs beside it, are release binaries; those
//! that only make people and products beforehand are the ones that are built for the tests.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use local::cloud::{self, Cloud};
use local::deploy::Code;
use local::standing::Standing;
use local::{build, needs, say};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::contest::Effort;
use super::figures::{percentile, times};
use super::report::{Target, ms};
use super::scene;

const TOLD: &str = "told";
const WEBHOOKS: &str = "webhooks";
const PAINT: &str = "paint";

/// What can be asked for by itself, as functions can.
pub(super) const PARTS: [&str; 3] = [TOLD, WEBHOOKS, PAINT];

/// What runs while it is measured: on the way of an order and of a changed profile to whom they concern, and what the
/// front page asks for.
pub(super) const FUNCTIONS: [&str; 31] = [
    "connect-socket",
    "consume-orders",
    "create-order",
    "create-socket-ticket",
    "create-webhook",
    "delete-webhook",
    "disconnect-socket",
    "get-order",
    "hand-over-stock",
    "list-banners",
    "list-categories",
    "pages",
    "publish-events",
    "push-notification",
    "queue-messages",
    "queue-webhooks",
    "record-activity",
    "record-purchases",
    "search-products",
    "send-email",
    "send-text",
    "send-webhook",
    "set-order-status",
    "settle-payment",
    "ship-order",
    "sweep-orders",
    "sweep-payments",
    "sweep-webhooks",
    "update-profile",
    "update-sales",
    "write-inbox",
];

/// All of it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Whole {
    /// How soon people are told of a change.
    pub told: Vec<Timed>,
    /// How soon a receiver of webhooks is told: alone, beside others, and beside bad ones.
    pub webhooks: Vec<Timed>,
    /// How soon the shop is seen.
    pub paint: Vec<Timed>,
}

/// How long something took.
#[derive(Debug, Serialize)]
pub(super) struct Timed {
    /// What.
    pub what: String,
    /// How often it was measured.
    pub count: usize,
    /// The median.
    pub p50_ms: f64,
    /// In 99 of 100.
    pub p99_ms: f64,
    /// At worst.
    pub worst_ms: f64,
    /// When the request was answered that it began with, at the median; 0 where there is none.
    pub answered_ms: f64,
}

/// The same as `measure-shop` tells it, in microseconds.
#[derive(Debug, Deserialize)]
struct Series {
    what: String,
    took: Vec<u64>,
    answered: Vec<u64>,
}

impl From<Series> for Timed {
    fn from(Series { what, took, answered }: Series) -> Self {
        let durations = |micros: Vec<u64>| micros.into_iter().map(Duration::from_micros).collect::<Vec<_>>();
        let (mut took, mut answered) = (durations(took), durations(answered));
        Self {
            what,
            count: took.len(),
            p50_ms: percentile(&mut took, 50),
            p99_ms: percentile(&mut took, 99),
            worst_ms: percentile(&mut took, 100),
            answered_ms: percentile(&mut answered, 50),
        }
    }
}

/// What is wanted of it, and whether it was reached.
pub(super) fn targets(Whole { told, webhooks, paint }: &Whole) -> Vec<Target> {
    let mut targets = Vec::new();
    if let Some(slowest) = told.iter().max_by(|a, b| a.p50_ms.total_cmp(&b.p50_ms)) {
        targets.push(Target {
            what: "a hint at a WebSocket, from the request on, p50",
            bound: "1,000 ms",
            reached: format!("{} ({})", ms(slowest.p50_ms), slowest.what),
            met: slowest.p50_ms <= 1_000.0,
        });
    }
    if let [alone, .., beside_bad] = webhooks.as_slice() {
        targets.push(Target {
            what: "a webhook beside receivers that are slow, dead or lie, of one alone, at the median",
            bound: "2×",
            reached: format!("{} ({})", times(beside_bad.p50_ms, alone.p50_ms), ms(beside_bad.p50_ms)),
            met: beside_bad.p50_ms <= 2.0 * alone.p50_ms,
        });
        targets.push(Target {
            what: "the same at worst: less than one of them may take to answer",
            bound: "10,000 ms",
            reached: ms(beside_bad.worst_ms),
            met: beside_bad.worst_ms < 10_000.0,
        });
    }
    if let Some(first) = paint.first() {
        targets.push(Target {
            what: "first contentful paint of /shop on localhost, at the median",
            bound: "300 ms",
            reached: ms(first.p50_ms),
            met: first.p50_ms <= 300.0,
        });
    }
    targets
}

/// Starts a shop in this directory with these release binaries, and measures those parts of it that are wanted.
///
/// # Errors
/// Something does not build or start, or the shop does not do what it should.
pub(super) async fn measure(
    dir: &Path,
    release: &Path,
    is_wanted: impl Fn(&str) -> bool,
    effort: Effort,
) -> Result<Whole> {
    if !PARTS.into_iter().any(&is_wanted) {
        return Ok(Whole::default());
    }
    build::functions_and_tools().await?;
    build_program().await?;
    let cloud = Cloud::at(dir.join("shop"));
    let _lock = cloud.lock()?;
    scene::clear(&cloud);
    // Scripts run them from elsewhere.
    let release = std::path::absolute(release).context("where the release binaries are")?;
    let code = Code::Partly { release: &release, of: &FUNCTIONS };
    let standing = Standing::start(&cloud, code).await?;
    let measured = parts(&cloud, &standing, is_wanted, effort).await;
    standing.stop().await;
    if measured.is_ok() {
        // Otherwise what the functions said is of use.
        scene::clear(&cloud);
    }
    measured
}

async fn parts(
    cloud: &Cloud,
    standing: &Standing,
    is_wanted: impl Fn(&str) -> bool,
    effort: Effort,
) -> Result<Whole> {
    standing.seed().await?;
    let browser = needs::browser();
    let ask = async |part: &str, what: &str, most: u32| {
        if !is_wanted(part) {
            return Ok(Vec::new());
        }
        let mut command = Command::new(program());
        standing.lead(&mut command, cloud);
        command.args([part, &effort.requests.clamp(1, most).to_string()]);
        command.envs(browser.iter().map(|browser| ("CARTWRIGHT_BROWSER", browser)));
        say::step(what, timed(command)).await
    };
    let told = ask(TOLD, "Listening to what people are told", 100).await?;
    let webhooks = ask(WEBHOOKS, "Receiving webhooks beside others", 40).await?;
    let paint = if browser.is_some() {
        ask(PAINT, "Looking at the shop", 30).await?
    } else {
        say::note("There is no Chromium here: how soon the shop is seen is left out");
        Vec::new()
    };
    Ok(Whole { told, webhooks, paint })
}

async fn timed(mut command: Command) -> Result<Vec<Timed>> {
    command.stdin(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true);
    let output = command.output().await.context("measure-shop does not start")?;
    ensure!(output.status.success(), "measure-shop ended with {}: see above", output.status);
    read(&output.stdout)
}

fn read(printed: &[u8]) -> Result<Vec<Timed>> {
    let series: Vec<Series> =
        serde_json::from_slice(printed).context("measure-shop printed something else")?;
    Ok(series.into_iter().map(Timed::from).collect())
}

/// Builds the program that looks from outside. With this crate, so that what both depend on is built once.
async fn build_program() -> Result<()> {
    let mut cargo = build::cargo();
    cargo.args([
        "build",
        "--quiet",
        "--package",
        "bench",
        "--package",
        "measure-shop",
        "--bin",
        "measure-shop",
    ]);
    let status = cargo.status().await.context("cannot start cargo")?;
    ensure!(status.success(), "measure-shop does not compile: see above");
    Ok(())
}

fn program() -> PathBuf {
    cloud::target().join("debug/measure-shop")
}

#[cfg(test)]
mod tests {
    use super::*;
    use local::deploy;

    fn timed(what: &str, p50_ms: f64, worst_ms: f64) -> Timed {
        Timed { what: what.into(), count: 1, p50_ms, p99_ms: worst_ms, worst_ms, answered_ms: 0.0 }
    }

    #[test]
    fn what_is_printed_in_microseconds_is_told_in_milliseconds() {
        let alone = &read(br#"[{"what":"alone","took":[250000],"answered":[]}]"#).unwrap()[0];
        assert_eq!((alone.what.as_str(), alone.count), ("alone", 1));
        let told = &read(br#"[{"what":"a","took":[9000,1000,2000],"answered":[500,700,600]}]"#).unwrap()[0];
        let figures = [alone.p50_ms, alone.answered_ms, told.p50_ms, told.worst_ms, told.answered_ms];
        assert_eq!(figures.map(ms), ["250 ms", "0 ms", "2.0 ms", "9.0 ms", "0.60 ms"]);
        assert!(read(b"thread 'main' panicked").is_err());
    }

    #[test]
    fn the_slowest_way_and_the_worst_neighbours_decide() {
        let whole = Whole {
            told: vec![timed("a", 400.0, 900.0), timed("b", 1_001.0, 1_002.0)],
            webhooks: vec![
                timed("alone", 500.0, 700.0),
                timed("good", 600.0, 700.0),
                timed("bad", 1_000.0, 9_999.0),
            ],
            paint: vec![timed("first", 301.0, 400.0), timed("next", 90.0, 95.0)],
        };
        let said: Vec<_> = targets(&whole).into_iter().map(|it| (it.reached, it.met)).collect();
        let expected =
            [("1001 ms (b)", false), ("2.0× (1000 ms)", true), ("9999 ms", true), ("301 ms", false)];
        assert_eq!(said, expected.map(|(reached, met)| (reached.to_owned(), met)));
        assert!(targets(&Whole::default()).is_empty());
        let held_up = Whole {
            webhooks: vec![timed("alone", 1.0, 1.0), timed("bad", 3.0, 10_000.0)],
            ..Whole::default()
        };
        assert!(targets(&held_up).iter().all(|target| !target.met));
    }

    #[test]
    fn release_binaries_are_of_functions_that_there_are() {
        let templates = deploy::templates().unwrap();
        let all: String = templates.iter().map(|template| deploy::text(template).unwrap()).collect();
        let missing: Vec<_> =
            FUNCTIONS.iter().filter(|name| !all.contains(&format!("target/lambda/{name}/"))).collect();
        assert!(missing.is_empty(), "no template has {missing:?}");
        assert!(
            FUNCTIONS.is_sorted()
                && !PARTS.iter().any(|part| all.contains(&format!("target/lambda/{part}/")))
        );
    }
}
