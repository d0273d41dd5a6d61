//! What a rate limit takes of a request, beside what it took as a transaction.
//!
//! Until 2026-11-21 each limit was counted by one `TransactWriteItems`: of the address and the account at sign-in, of
//! the person alone in create-order. Now each counter is an `UpdateItem` of its own, and a right password takes its try
//! back. Processor time is what is above that of the same program, asked the same, which counts nothing.

use anyhow::{Context, Result};
use local::say;
use serde::Serialize;

use super::contest::{self, BARE, CREATE_ORDER, Case, Effort, Kind, LIMIT, Programs, SIGN_IN, Side, case};
use super::double::Asked;
use super::events;
use super::scene::{self, Scene};

/// The limits that are counted, each by our code, by the bare SDK, and by it as it was before.
const LIMITS: [(&str, [Case; 3]); 2] = [
    (
        "sign-in, from an address that the account knows",
        [
            case("limit of sign-in", LIMIT),
            case("limit of sign-in", BARE),
            case("limit of sign-in, before", BARE),
        ],
    ),
    (
        "create-order",
        [
            case("limit of create-order", LIMIT),
            case("limit of create-order", BARE),
            case("limit of create-order, before", BARE),
        ],
    ),
];

/// One limit, in one way.
#[derive(Debug, Serialize)]
pub(super) struct Limit {
    /// Whose, and when.
    pub of: String,
    /// What it asks of AWS.
    pub asked: Asked,
    /// The processor time that it takes, milliseconds; `None` where that code is gone.
    pub cpu_ms: Option<f64>,
    /// The same for the calls alone.
    pub bare_cpu_ms: f64,
}

/// Counts each limit alone, in turn, if one of their functions is wanted.
///
/// # Errors
/// The emulator or a program fails.
pub(super) async fn measure(
    scene: &Scene,
    programs: &Programs,
    is_wanted: impl Fn(&str) -> bool,
    effort: Effort,
) -> Result<Vec<Limit>> {
    if !is_wanted(SIGN_IN.function) && !is_wanted(CREATE_ORDER.function) {
        return Ok(Vec::new());
    }
    say::step("Counting requests for their limits alone", each(scene, programs, effort)).await
}

async fn each(scene: &Scene, programs: &Programs, effort: Effort) -> Result<Vec<Limit>> {
    let effort = Effort { rounds: effort.rounds.min(5), ..effort };
    let (_, ours_of_nothing) = one(scene, programs, case("no limit", LIMIT), effort).await?;
    let (_, bare_of_nothing) = one(scene, programs, case("no limit", BARE), effort).await?;
    let mut limits = Vec::new();
    for (of, [ours, bare, before]) in LIMITS {
        // The second time is as most are: the account knows the address.
        contest::once(scene, programs, ours, event(scene)).await?;
        let (asked, cpu_ms) = one(scene, programs, ours, effort).await?;
        let (_, bare_cpu_ms) = one(scene, programs, bare, effort).await?;
        let (asked_before, cpu_before_ms) = one(scene, programs, before, effort).await?;
        limits.push(Limit {
            of: of.to_owned(),
            asked,
            cpu_ms: Some(cpu_ms - ours_of_nothing),
            bare_cpu_ms: bare_cpu_ms - bare_of_nothing,
        });
        limits.push(Limit {
            of: "– before".to_owned(),
            asked: asked_before,
            cpu_ms: None,
            bare_cpu_ms: cpu_before_ms - bare_of_nothing,
        });
    }
    Ok(limits)
}

/// What a program asks of AWS in this case, and its processor time for a request.
async fn one(scene: &Scene, programs: &Programs, case: Case, effort: Effort) -> Result<(Asked, f64)> {
    let mut sides = contest::list(scene, programs, Kind::Write, (case, event(scene)), effort).await?;
    let (seen, figures) = sides.remove(&Side::Cartwright).context("the limit was not measured")?;
    Ok((seen.asked.into_iter().next().unwrap_or_default(), figures.cpu_ms))
}

fn event(scene: &Scene) -> axum::body::Bytes {
    events::create_order(&scene.buyer, &scene::id(1), "limit")
}
