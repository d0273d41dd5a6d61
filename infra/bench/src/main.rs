//! `cargo local bench`: what the functions cost, measured one by one.
//!
//! From the outside in: [`contest`] says who is measured and how; [`function`] runs one function and plays the Lambda
//! Runtime API for it; [`double`] is the AWS that it sees, in front of the emulator of a [`scene`]; [`events`] are what
//! it is asked; [`node`] is the baseline. What comes of it: [`figures`], [`capacity`] units, what [`lines`] of orders
//! write and [`checkouts`] of carts, what the rate [`limits`] and [`uploads`] of pictures take, how soon pages are
//! there after a [start](starts), [`growth`] and the [`bill`], told by the [`report`] beside what was before
//! ([`changes`]), and drawn by the [`picture`]. What lies between functions is measured on a whole [`shop`]. [`builds`]
//! is apart: it measures the build of the release binaries, by its profile. So is [`index`]: that of the search.

mod bill;
mod builds;
mod capacity;
mod changes;
mod checkouts;
mod contest;
mod double;
mod events;
mod figures;
mod finding;
mod function;
mod growth;
mod index;
mod limits;
mod lines;
mod node;
mod picture;
mod report;
mod scene;
mod shop;
mod starts;
mod uploads;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Parser;
use local::cloud::{self, Cloud};
use local::tools::MINISTACK;
use local::{build, needs, say};

use self::contest::{ALL, Case, Effort, Programs, SeenBySide, Side};
use self::figures::Figures;
use self::report::{Apart, Report};
use self::scene::Scene;
use self::shop::Whole;

/// Measure what the functions cost, beside an empty function, the bare SDK and Node.js.
#[derive(Parser)]
#[command(name = "cargo local bench", bin_name = "cargo local bench")]
struct Options {
    /// How often each function is started.
    #[arg(long, default_value_t = 10)]
    rounds: u32,
    /// How often each is called after every start, when it is warm.
    #[arg(long, default_value_t = 300)]
    requests: u32,
    /// Only these functions, such as `get-product`, or of a whole shop `told`, `webhooks` or `paint`; of the targets,
    /// only what they are about.
    #[arg(long, value_name = "FUNCTION", value_delimiter = ',')]
    only: Vec<String>,
    /// The longest list to measure, in products and in orders. 0 measures none.
    #[arg(long, default_value_t = 100_000)]
    longest: u32,
    /// Measure the binaries in this directory, and build none.
    #[arg(long, value_name = "DIR")]
    binaries: Option<PathBuf>,
    /// Measure the binaries in this directory beside the others, in turn with them: those of another profile or of a
    /// change, whose gain may be smaller than what two runs differ by.
    #[arg(long, value_name = "DIR")]
    beside: Option<PathBuf>,
    /// Measure the release build itself instead: its time and sizes by each of these profiles, such as
    /// `off-s-1,fat-s-1`, or by `all`.
    #[arg(long, value_name = "PROFILE", value_delimiter = ',')]
    builds: Vec<String>,
    /// Measure the index of the search instead, with so many synthetic products, such as `100000,1000000`.
    #[arg(long, value_name = "PRODUCTS", value_delimiter = ',')]
    index: Vec<u64>,
    /// Write everything that was measured to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the tables into docs/benchmarks.md and docs/capacity.md, and draw docs/benchmarks.svg.
    #[arg(long)]
    write: bool,
}

impl Options {
    /// Whether this function is to be measured.
    fn is_wanted(&self, function: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == function)
    }

    /// Those of the functions that are compared with others.
    fn cases(&self) -> Vec<Case> {
        ALL.into_iter().filter(|case| self.is_wanted(case.function)).collect()
    }

    /// Whether any function is to be measured by itself.
    fn wants_functions(&self) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| !shop::PARTS.contains(&only.as_str()))
    }

    /// The release binaries that it takes.
    fn binaries(&self) -> BTreeSet<&'static str> {
        let mut names = BTreeSet::new();
        if self.wants_functions() {
            names.extend(ALL.iter().map(|case| case.function));
            names.extend(["list-orders", uploads::INDEX.function, finding::SEARCH, finding::INDEX]);
            names.extend([contest::BARE, contest::LIMIT]);
            if self.cases().is_empty() {
                // None is compared with others, so none of the others is needed.
                names.retain(|name| self.is_wanted(name));
            }
            if starts::FUNCTIONS.into_iter().any(|name| self.is_wanted(name)) {
                names.extend(starts::FUNCTIONS);
            }
            names.insert("floor");
        }
        if shop::PARTS.into_iter().any(|part| self.is_wanted(part)) {
            names.extend(shop::FUNCTIONS);
        }
        names
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("cargo local bench reads processor time and memory from /proc, which Linux alone has");
    }
    let started = Instant::now();
    needs::disk(&cloud::target())?;
    if !options.builds.is_empty() {
        return builds::measure(&options.builds).await;
    }
    if !options.index.is_empty() {
        return index::measure(&options.index).await;
    }
    let release = async {
        match &options.binaries {
            Some(dir) => Ok(dir.clone()),
            None => binaries(&options).await.map(|()| cloud::target().join("release")),
        }
    };
    let (tools, binaries) = tokio::join!(MINISTACK.install(), release);
    tools?;
    let node = if options.wants_functions() { node::prepare().await? } else { None };
    if options.wants_functions() && node.is_none() {
        say::note("There is no Node.js with npm here: its columns are left out");
    }
    let is_part = !options.only.is_empty() || options.longest == 0 || options.beside.is_some();
    if options.write && (node.is_none() || needs::browser().is_none() || is_part) {
        bail!(
            "the docs tell of all functions and lists, beside Node.js, and of what Chromium shows: --write needs both, \
             and none of --only, --longest 0 and --beside"
        );
    }
    let dir = cloud::target().join("bench");
    let (beside, logs) = (options.beside.clone(), contest::logs_in(&dir)?);
    let programs = Programs { binaries: binaries?, beside, node, logs };

    let effort = Effort { rounds: options.rounds, requests: options.requests };
    // First, since what may go wrong on a whole shop should not cost what the functions took.
    let whole = shop::measure(&dir, &programs.binaries, |part| options.is_wanted(part), effort).await?;
    let (seen, figures, apart) = if options.wants_functions() {
        functions(&options, &programs, &dir, effort).await?
    } else {
        (SeenBySide::new(), BTreeMap::new(), Apart::default())
    };
    let apart = Apart { whole, ..apart };
    let report = Report::new(&seen, &figures, apart, programs.node.as_ref(), effort)?;

    say::out!("{}", report.to_terminal());
    if let Some(file) = &options.json {
        let json = serde_json::to_vec_pretty(&report)?;
        std::fs::write(file, json).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if options.write {
        report.write_docs()?;
    }
    say::note(&format!("Measured in {}", say::seconds(started.elapsed())));
    Ok(())
}

/// What the functions that are compared with others come to, by side and name.
type FiguresBySide = BTreeMap<(Side, &'static str), Figures>;

/// Measures the functions, each by itself.
async fn functions(
    options: &Options,
    programs: &Programs,
    dir: &Path,
    effort: Effort,
) -> Result<(SeenBySide, FiguresBySide, Apart)> {
    let cloud = Cloud::at(dir.join("cloud"));
    let _lock = cloud.lock()?;
    scene::clear(&cloud);
    let scene = say::step("Starting an AWS emulator", Scene::start(&cloud)).await?;
    say::step("Seeding 100 products", scene.sell(1..=100)).await?;

    let cases = options.cases();
    let (mut seen, mut figures) = (SeenBySide::new(), BTreeMap::new());
    if !cases.is_empty() {
        let on_emulator = contest::on_the_emulator(&scene, programs, 20);
        seen = say::step("Sending 20 orders all the way over the emulator", on_emulator).await?;
        figures = contest::against_recordings(&scene, programs, &cases, &seen, effort, |round, case| {
            if Some(&case) == cases.first() {
                say::note(&format!("Round {} of {}", round + 1, effort.rounds));
            }
        })
        .await?;
    }
    let is_wanted = |function: &str| options.is_wanted(function);
    let apart = Apart {
        growth: growth::measure(&scene, programs, options.longest, effort).await?,
        limits: limits::measure(&scene, programs, is_wanted, effort).await?,
        lines: if cases.is_empty() {
            Vec::new()
        } else {
            say::step("Ordering what is described at length", lines::measure(&scene, programs)).await?
        },
        pictures: uploads::measure(&scene, programs, is_wanted, effort).await?,
        checkouts: checkouts::measure(&scene, programs, is_wanted).await?,
        found: finding::measure(&scene, programs, is_wanted, effort).await?,
        starts: starts::measure(&scene, programs, is_wanted, effort).await?,
        whole: Whole::default(),
    };
    scene::clear(&cloud);
    Ok((seen, figures, apart))
}

/// Builds the release binaries that are measured. Cargo shows its own progress.
async fn binaries(options: &Options) -> Result<()> {
    say::note("Building release binaries; the first time takes some minutes");
    let mut cargo = build::cargo();
    cargo.args(["build", "--release"]);
    for package in builds::services()?.iter().map(String::as_str).chain(["baselines"]) {
        cargo.args(["--package", package]);
    }
    cargo.args(options.binaries().iter().flat_map(|name| ["--bin", *name]));
    let status = cargo.status().await.context("cannot start cargo")?;
    if !status.success() {
        bail!("the release binaries do not build: see above");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(only: &str) -> Options {
        let only = (!only.is_empty()).then_some(["--only", only]);
        Options::parse_from(["bench"].into_iter().chain(only.into_iter().flatten()))
    }

    #[test]
    fn no_more_is_built_than_is_measured() {
        let all = options("").binaries();
        for name in ["create-order", "floor", contest::BARE, "docs", "send-webhook", finding::SEARCH] {
            assert!(all.contains(name), "{name} is not built");
        }
        let told = options("told");
        assert!(!told.wants_functions());
        assert_eq!(told.binaries(), BTreeSet::from(shop::FUNCTIONS));
        let pages = options("pages");
        assert!(pages.wants_functions() && pages.cases().is_empty());
        assert_eq!(pages.binaries(), BTreeSet::from(["docs", "floor", "pages"]));
        let both = options("get-product,webhooks");
        assert!(
            both.wants_functions() && both.binaries().is_superset(&BTreeSet::from(["get-order", "floor"]))
        );
        assert!(both.binaries().contains(contest::BARE));
    }
}
