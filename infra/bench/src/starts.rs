//! How soon a page is there after a start: the shop's pages beside the docs, which read no table.

use anyhow::{Context, Result};
use local::say;
use serde::Serialize;

use super::contest::{self, Case, Effort, Kind, Programs, Side, case};
use super::double::Asked;
use super::events;
use super::figures::{Figures, times};
use super::report::{Target, mb, ms};
use super::scene::{self, Scene};

/// Both are measured, whichever of them is asked for.
pub(super) const FUNCTIONS: [&str; 2] = ["docs", "pages"];

const DOCS: Case = case("/docs", FUNCTIONS[0]);
const FRONT: Case = case("/shop", FUNCTIONS[1]);
const PRODUCT: Case = case("/shop/products/{id}", FUNCTIONS[1]);

/// A page.
#[derive(Debug, Serialize)]
pub(super) struct Start {
    /// Where it is.
    pub page: &'static str,
    /// Which function shows it.
    pub function: &'static str,
    /// What it asks of AWS.
    pub asked: Asked,
    /// How large the answer is, as Lambda gives it.
    pub answer_bytes: usize,
    /// What it takes.
    pub figures: Figures,
}

impl Start {
    /// From the start of the process to the first answer, in milliseconds.
    pub(super) fn until_answered(&self) -> f64 {
        self.figures.initialisation_ms + self.figures.first_ms
    }
}

/// What is wanted of the shop's front page and of the function that shows it.
pub(super) fn targets(starts: &[Start]) -> Vec<Target> {
    let of = |case: Case| starts.iter().find(|start| start.page == case.name);
    let Some((front, docs)) = of(FRONT).zip(of(DOCS)) else { return Vec::new() };
    let (ours, theirs, size) = (front.until_answered(), docs.until_answered(), front.figures.size_mb);
    vec![
        Target {
            what: "start and first answer of pages, of those of docs",
            bound: "2×",
            reached: format!("{} ({})", times(ours, theirs), ms(ours)),
            met: ours <= 2.0 * theirs,
        },
        Target { what: "size of pages", bound: "10 MB", reached: mb(size), met: size <= 10.0 },
    ]
}

/// Measures them in turn, if one of their functions is wanted.
///
/// # Errors
/// The emulator or a function fails.
pub(super) async fn measure(
    scene: &Scene,
    programs: &Programs,
    is_wanted: impl Fn(&str) -> bool,
    effort: Effort,
) -> Result<Vec<Start>> {
    if !FUNCTIONS.into_iter().any(is_wanted) {
        return Ok(Vec::new());
    }
    let product = format!("/shop/products/{}", scene::id(1));
    let asked = [
        (DOCS, events::page("/docs", "/docs")),
        (FRONT, events::page("/shop", "/shop")),
        (PRODUCT, events::page("/shop/{path+}", &product)),
    ];
    // It is the start that counts.
    let effort = Effort { requests: effort.requests.min(50), ..effort };
    let in_turn = contest::in_turn(scene, programs, Kind::Read, &asked, effort);
    let mut measured = say::step("Starting what shows pages", in_turn).await?;
    let starts = asked.iter().map(|(case, _)| {
        let found = measured.remove(&(Side::Cartwright, case.name));
        let (seen, figures) = found.with_context(|| format!("{} was not measured", case.name))?;
        let (page, function, answer_bytes) = (case.name, case.function, seen.answer);
        let asked = seen.asked.into_iter().next().unwrap_or_default();
        Ok(Start { page, function, asked, answer_bytes, figures })
    });
    starts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(case: Case, initialisation_ms: f64, first_ms: f64, size_mb: f64) -> Start {
        let figures = Figures { initialisation_ms, first_ms, size_mb, ..Figures::default() };
        Start { page: case.name, function: case.function, asked: Asked::default(), answer_bytes: 0, figures }
    }

    #[test]
    fn the_front_page_is_held_against_the_docs_from_the_start_on() {
        let said = |starts: &[Start]| {
            let targets = targets(starts).into_iter().map(|it| (it.reached, it.met));
            targets.collect::<Vec<_>>()
        };
        let docs = || start(DOCS, 2.0, 3.0, 3.0);
        let product = || start(PRODUCT, 4.0, 20.0, 9.5);
        let good = said(&[docs(), start(FRONT, 4.0, 6.0, 9.5), product()]);
        assert_eq!(good, [("2.0× (10.0 ms)".to_owned(), true), ("9.5 MB".to_owned(), true)]);
        let bad = said(&[docs(), start(FRONT, 4.0, 6.1, 10.1), product()]);
        assert_eq!(bad, [("2.0× (10.1 ms)".to_owned(), false), ("10.1 MB".to_owned(), false)]);
        assert!(said(&[docs()]).is_empty());
    }
}
