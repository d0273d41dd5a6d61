//! `cargo local test`: all tests, on a cloud of their own that is taken down afterwards.

use std::path::PathBuf;
use std::process::{ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::future::try_join_all;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::signal::unix::{SignalKind, signal};

use crate::cloud::{self, Cloud, Record};
use crate::contract::{self, Verdict};
use crate::deploy::{self, Code};
use crate::standing::Standing;
use crate::{build, emulator, faults, needs, release, say, tools};

/// The test binary that breaks things, and so runs alone: on a cloud of its own, or last.
const DISRUPTIONS: &str = "disruptions";
/// The module of the tests that need a browser.
const IN_A_BROWSER: &str = "in_a_browser::";
/// Where axe-core is in its package.
const AXE: &str = "axe_playwright_python/axe.min.js";

/// What stands before the failures, which are told once more at the end: above them are thousands of lines.
const FAILURES: &str = "── what failed";

/// The options of `cargo local test`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Build the functions as they go to AWS, and deploy those instead of development binaries.
    #[arg(long, conflicts_with = "faults")]
    release: bool,
    /// The fault run alone; after it `--seed N` to repeat one, `--orders N`, `--faults N`, `--long`.
    #[arg(long, group = "part")]
    faults: bool,
    /// The tests that break what others use, alone; after it the name of one.
    #[arg(long, group = "part")]
    disruptions: bool,
    /// What schemathesis makes of the contract, alone.
    #[arg(long, group = "part")]
    schemathesis: bool,
    /// More of what is many: each call with each fault, more random requests. Some minutes longer.
    #[arg(long)]
    thorough: bool,
    /// Only tests whose name has this text; after `--`, anything that the test binaries take.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    filter: Vec<String>,
}

/// Runs `cargo local test`; its exit status is that of the tests.
///
/// # Errors
/// Something does not build or start.
pub(crate) async fn run(options: Options) -> Result<ExitCode> {
    let started = Instant::now();
    clear_left_overs().await;
    let cloud = Cloud::for_test();
    let lock = cloud.lock()?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let outcome = tokio::select! {
        outcome = tests(&cloud, &options) => outcome,
        _ = interrupt.recv() => Err(anyhow::anyhow!("interrupted")),
        _ = terminate.recv() => Err(anyhow::anyhow!("terminated")),
    };
    emulator::stop(&mut cloud.record()).await;
    drop(lock);
    let took = say::seconds(started.elapsed());
    match &outcome {
        Ok(tally) if tally.is_good() => {
            std::fs::remove_dir_all(cloud.dir()).context("cannot remove the tests' cloud")?;
            say::out!("\n{} in {took}", tally.line());
            return Ok(ExitCode::SUCCESS);
        }
        Ok(tally) => {
            if !tally.failures.is_empty() {
                say::out!("\n{FAILURES}\n{}", tally.failures.join("\n"));
            }
            say::out!("\n{} in {took}", tally.line());
        }
        Err(error) => say::error(&format!("{error:#}")),
    }
    let _ = std::fs::remove_dir_all(cloud.data());
    let _ = std::fs::remove_dir_all(cloud.scratch());
    say::note(&format!("What the functions and the emulator said is kept in {}", cloud.dir().display()));
    Ok(ExitCode::FAILURE)
}

/// What all test binaries together found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
    ignored: u64,
    /// Binaries that ended badly without a failed test, such as by a crash.
    crashed: Vec<String>,
    /// There was no browser, so what needs one was left out.
    no_browser: bool,
    /// What is said of the tests that failed, line by line.
    failures: Vec<String>,
    /// Whether what a test binary says now is that.
    tells_failures: bool,
}

impl Tally {
    fn ran_nothing(&self) -> bool {
        self.passed + self.failed + self.ignored == 0 && self.crashed.is_empty()
    }

    fn is_good(&self) -> bool {
        self.failed == 0 && self.crashed.is_empty()
    }

    fn line(&self) -> String {
        let mut line = format!("{} passed, {} failed", self.passed, self.failed);
        if self.ignored > 0 {
            line += &format!(", {} ignored", self.ignored);
        }
        for name in &self.crashed {
            line += &format!(", {name} crashed");
        }
        if self.no_browser {
            line += ", and what is looked at in a browser SKIPPED: install Chromium, or name it with CHROMIUM=/path/to/it";
        }
        line
    }

    /// Adds one test.
    fn add_one(&mut self, passed: bool) {
        self.passed += u64::from(passed);
        self.failed += u64::from(!passed);
    }

    /// Shows and adds what a part of the tests said, in whose last lines is its own [`Tally::line`].
    fn add_part(&mut self, part: &str, output: &Output) {
        let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat();
        say::out!("{said}");
        let failed_before = self.failed;
        let is_tally = |line: &&str| {
            line.split_once(" passed, ").is_some_and(|(passed, _)| passed.parse::<u64>().is_ok())
        };
        if let Some(line) = said.lines().rev().find(is_tally) {
            self.add_counts(line);
        }
        let told = said.split_once(FAILURES).map_or("", |(_, told)| told).lines();
        self.failures.extend(told.take_while(|line| !is_tally(line)).map(str::to_owned));
        // The fault run has its own words.
        let of_faults =
            said.lines().filter(|line| line.starts_with("BROKEN ") || line.starts_with("MISSED "));
        self.failures.extend(of_faults.map(str::to_owned));
        if !output.status.success() && self.failed == failed_before {
            self.crashed.push(part.to_owned());
        }
    }

    /// Adds what a line of a test binary's output says: of failures, or in its last line of all,
    /// `test result: ok. 3 passed; 0 failed; …`.
    fn add(&mut self, line: &str) {
        if line.starts_with("test result: ") {
            self.add_counts(line);
            self.tells_failures = false;
        }
        self.tells_failures |= line == "failures:";
        if self.tells_failures {
            self.failures.push(line.to_owned());
        }
    }

    fn add_counts(&mut self, line: &str) {
        let words: Vec<_> = line.split([' ', ',', ';', '.']).filter(|word| !word.is_empty()).collect();
        let count = |name: &str| {
            let pair = words.windows(2).find(|pair| pair[1] == name);
            pair.and_then(|pair| pair[0].parse::<u64>().ok()).unwrap_or_default()
        };
        self.passed += count("passed");
        self.failed += count("failed");
        self.ignored += count("ignored");
    }
}

/// What pages are looked at with.
struct Eyes {
    browser: PathBuf,
    /// The script that says what of a page somebody cannot use.
    axe: PathBuf,
}

impl Eyes {
    /// The machine's browser, and axe-core, which is installed if it is not yet; none where there is no browser.
    async fn open() -> Result<Option<Self>> {
        let Some(browser) = needs::browser() else { return Ok(None) };
        tools::AXE.install().await?;
        Ok(Some(Self { browser, axe: tools::AXE.file(AXE)? }))
    }
}

/// A built test binary.
#[derive(Debug)]
struct Suite {
    package: PathBuf,
    name: String,
    binary: PathBuf,
}

async fn tests(cloud: &Cloud, options: &Options) -> Result<Tally> {
    needs::disk(&cloud::target())?;
    let code = if options.release {
        release::functions_and_tools().await?;
        Code::Release
    } else {
        build::functions_and_tools().await?;
        Code::Launchers
    };
    let mut tally = Tally { no_browser: needs::browser().is_none(), ..Tally::default() };
    if options.faults {
        let thorough = options.thorough.then(|| "--thorough".to_owned());
        let arguments: Vec<_> = options.filter.iter().cloned().chain(thorough).collect();
        tally.add_one(faults::run(cloud, &arguments).await?);
        return Ok(tally);
    }
    all(cloud, code, options, &mut tally).await?;
    // A misspelt name must not look like a success.
    if tally.ran_nothing()
        && let Some(name) = options.filter.first().filter(|first| !first.starts_with('-'))
    {
        bail!("no test has `{name}` in its name");
    }
    Ok(tally)
}

async fn all(cloud: &Cloud, code: Code<'_>, options: &Options, tally: &mut Tally) -> Result<()> {
    let filter = &options.filter;
    let is_part = options.disruptions || options.schemathesis;
    let is_whole = filter.is_empty() && !is_part;
    let named = |text: &String| "faults".contains(text.as_str());
    // Release binaries are deployed without the script that leads a function to the fault proxy.
    let with_faults = !options.release && !is_part && (is_whole || filter.iter().any(named));
    let with_contract = options.schemathesis || !is_part && !is_whole && contract::is_asked_for(filter);
    let mut suites = if options.schemathesis { Vec::new() } else { suites().await? };
    suites.sort_by_key(|suite| (suite.name == DISRUPTIONS, suite.package.clone(), suite.name.clone()));
    suites.retain(|suite| match suite.name == DISRUPTIONS {
        true => !is_whole,
        false => !options.disruptions,
    });

    let eyes = if suites.is_empty() { None } else { Eyes::open().await? };
    let standing = Standing::start(cloud, code).await?;
    standing.seed().await?;
    let record = standing.record();

    let tests = async {
        if is_whole {
            examples(tally).await?;
        }
        for suite in &suites {
            run_suite(suite, cloud, record, eyes.as_ref(), filter, tally).await?;
        }
        if with_contract {
            let scratch = cloud.dir().join("schemathesis");
            for verdict in contract::check(&record.url(), &scratch, options.thorough).await? {
                tally.add_one(verdict == Verdict::Passed);
            }
        }
        anyhow::Ok(())
    };
    // On clouds of their own, since schemathesis reads what journeys leave and the others break things. The disruptions
    // wait for queues and timeouts four fifths of the time, and leave that to schemathesis, which waits for nothing.
    let apart = async {
        let mut said = Vec::new();
        if is_whole {
            let parts = ["--schemathesis", "--disruptions"];
            let outputs = try_join_all(parts.map(|part| run_part(part, options))).await?;
            said.extend(parts.into_iter().zip(outputs));
        }
        if with_faults {
            said.push(("--faults", run_part("--faults", options).await?));
        }
        anyhow::Ok(said)
    };
    let ((), said) = tokio::try_join!(tests, apart)?;
    for (part, output) in said {
        tally.add_part(part, &output);
    }
    standing.stop().await;
    Ok(())
}

/// Runs a part of the tests in a process and a cloud of its own, and gives what it said when it is over.
async fn run_part(part: &str, options: &Options) -> Result<Output> {
    let mut command = tokio::process::Command::new(std::env::current_exe()?);
    command.args(["test", part]);
    command.args(options.thorough.then_some("--thorough")).args(options.release.then_some("--release"));
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
    output.with_context(|| format!("cannot start the tests of {part}"))
}

/// Builds all tests and tells where they are. The functions' own empty test harnesses are left out: one for each
/// binary.
async fn suites() -> Result<Vec<Suite>> {
    say::note("Building the tests");
    let of_functions = [functions_and_tests(), vec!["--lib", "--test", "*", "--bin", "faults"]];
    let mut suites = build_tests(&of_functions.concat()).await?;
    suites.extend(build_tests(&["--package", "local", "--package", "bench"]).await?);
    Ok(suites)
}

/// What Cargo calls the packages that are built with the features of the functions.
fn functions_and_tests() -> Vec<&'static str> {
    let others = build::NOT_FUNCTIONS.iter().flat_map(|name| ["--exclude", name]);
    ["--workspace"].into_iter().chain(others).collect()
}

/// Runs the examples in the documentation, which Cargo builds and runs in one.
async fn examples(tally: &mut Tally) -> Result<()> {
    let mut cargo = build::cargo();
    cargo.args(["test", "--quiet", "--doc"]).args(functions_and_tests());
    run_and_count(cargo, "examples in the documentation", tally).await
}

async fn build_tests(selection: &[&str]) -> Result<Vec<Suite>> {
    let mut cargo = build::cargo();
    cargo.args(["test", "--no-run", "--message-format=json-render-diagnostics"]).args(selection);
    let mut child = cargo.stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
    let mut messages = String::new();
    child.stdout.take().context("cargo has no output")?.read_to_string(&mut messages).await?;
    if !child.wait().await?.success() {
        bail!("the tests do not compile: see above");
    }
    Ok(messages.lines().filter_map(suite_of).collect())
}

/// The test binary that one of Cargo's messages tells of.
fn suite_of(message: &str) -> Option<Suite> {
    let message: Value = serde_json::from_str(message).ok()?;
    let binary = message["executable"].as_str().filter(|_| message["profile"]["test"] == true)?;
    let manifest = PathBuf::from(message["manifest_path"].as_str()?);
    Some(Suite {
        package: manifest.parent()?.to_owned(),
        name: message["target"]["name"].as_str()?.to_owned(),
        binary: binary.into(),
    })
}

async fn run_suite(
    suite: &Suite,
    cloud: &Cloud,
    record: &Record,
    eyes: Option<&Eyes>,
    filter: &[String],
    tally: &mut Tally,
) -> Result<()> {
    let mut command = tokio::process::Command::new(&suite.binary);
    command.args(filter).current_dir(&suite.package);
    if suite.name == DISRUPTIONS {
        command.arg("--test-threads=1");
    }
    match eyes {
        Some(Eyes { browser, axe }) => command.env("CARTWRIGHT_BROWSER", browser).env("CARTWRIGHT_AXE", axe),
        None => command.args(["--skip", IN_A_BROWSER]),
    };
    set_environment(&mut command, cloud, record);
    run_and_count(command, &suite.name, tally).await
}

/// Shows what a program with tests says, and adds its results up.
async fn run_and_count(mut command: tokio::process::Command, name: &str, tally: &mut Tally) -> Result<()> {
    say::out!("\n{}", say::paint("1", &format!("── {name}")));
    let failed_before = tally.failed;
    command.stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
    let mut lines = BufReader::new(child.stdout.take().context("the test has no output")?).lines();
    let mut terminal = tokio::io::stdout();
    while let Some(line) = lines.next_line().await? {
        tally.add(&line);
        terminal.write_all(format!("{line}\n").as_bytes()).await?;
    }
    terminal.flush().await?;
    if !child.wait().await?.success() && tally.failed == failed_before {
        tally.crashed.push(name.to_owned());
    }
    Ok(())
}

/// Tells a program of the tests where the shop and its AWS are, and keeps the caller's own AWS from it.
pub(crate) fn set_environment(command: &mut tokio::process::Command, cloud: &Cloud, record: &Record) {
    for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        command.env_remove(name);
    }
    command.env("CARTWRIGHT_URL", record.url()).env("CARTWRIGHT_STACK", deploy::STACK);
    command.env("CARTWRIGHT_LOGS", cloud.logs());
    command.env("AWS_ENDPOINT_URL", record.gateway()).env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("NO_PROXY", "localhost,127.0.0.1");
    command.envs(of_functions(record));
}

/// What the template gives the functions, for the tests that call the stores themselves.
fn of_functions(record: &Record) -> Vec<(String, String)> {
    let mut variables = vec![
        ("CURSOR_KEY".to_owned(), "a key of the tests".to_owned()),
        // Not the shop's buckets: what is uploaded there starts index-product-image.
        ("MEDIA_BUCKET".to_owned(), "cartwright-tests-media".to_owned()),
        ("UPLOADS_BUCKET".to_owned(), "cartwright-tests-uploads".to_owned()),
        ("SEARCH_BUCKET".to_owned(), "cartwright-tests-search".to_owned()),
        ("SEARCH_QUEUE_URL".to_owned(), record.outputs.get("SearchQueueUrl").cloned().unwrap_or_default()),
        ("MEDIA_BASE_URL".to_owned(), format!("{}/local/media", record.url())),
    ];
    let tables = record.outputs.iter().filter(|(output, _)| output.ends_with("Table"));
    variables.extend(tables.map(|(output, table)| (cloud::variable(output), table.clone())));
    variables
}

/// Removes the clouds of earlier runs that were killed. A lock that is held says that its run is still going on.
async fn clear_left_overs() {
    for cloud in Cloud::left_over_from_tests() {
        let Ok(_lock) = cloud.lock() else { continue };
        if let Some(emulator) = cloud.record().emulator {
            emulator.stop(Duration::from_secs(5)).await;
        }
        let _ = std::fs::remove_dir_all(cloud.dir());
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    /// What a part said that ended with this status.
    fn ended(said: &str, status: i32) -> Output {
        Output { status: ExitStatus::from_raw(status << 8), stdout: said.into(), stderr: b"a note".to_vec() }
    }

    #[test]
    fn the_results_of_all_binaries_are_added_up() {
        let mut tally = Tally::default();
        tally.add("running 3 tests");
        tally.add(
            "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.00s",
        );
        assert!(tally.ran_nothing());
        tally.add(
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s",
        );
        assert!(tally.is_good() && !tally.ran_nothing());
        tally.add("test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s");
        assert_eq!(tally.line(), "7 passed, 1 failed, 1 ignored");
        assert!(!tally.is_good() && tally.failures.is_empty());
    }

    #[test]
    fn what_a_part_counts_is_added_and_one_that_ends_without_a_count_has_crashed() {
        let mut tally = Tally::default();
        tally.add_part("--a", &ended("test one ... ok\n\n40 passed, 0 failed in 4 min 42 s\n", 0));
        assert!(tally.is_good());
        tally.add_part("--b", &ended("3 passed, 1 failed, 1 ignored in 2 s\n", 1));
        assert_eq!(tally.line(), "43 passed, 1 failed, 1 ignored");
        tally.add_part("--c", &ended("error: no disk\n", 1));
        assert_eq!(tally.line(), "43 passed, 1 failed, 1 ignored, --c crashed");
    }

    #[test]
    fn what_failed_is_told_once_more() {
        let mut tally = Tally::default();
        let said = "test a ... FAILED\n\nfailures:\n\n---- a stdout ----\nleft: 1\n\nfailures:\n    a\n\n\
                    test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s\n\
                    test b ... ok";
        said.lines().for_each(|line| tally.add(line));
        assert_eq!(
            tally.failures.join("\n"),
            "failures:\n\n---- a stdout ----\nleft: 1\n\nfailures:\n    a\n"
        );
        let mut tally = Tally::default();
        let told = format!("{FAILURES}\nleft: 1\n\n1 passed, 1 failed in 2 s\n");
        tally.add_part("--a", &ended(&told, 1));
        tally.add_part("--faults", &ended("MISSED  a call\n0 passed, 1 failed in 2 s\n", 1));
        assert_eq!(tally.failures, ["", "left: 1", "", "MISSED  a call"]);
    }

    #[test]
    fn tests_that_were_left_out_are_told() {
        let tally = Tally { passed: 3, no_browser: true, ..Tally::default() };
        assert!(tally.is_good());
        assert!(tally.line().starts_with("3 passed, 0 failed, and what is looked at in a browser SKIPPED"));
    }

    #[test]
    fn only_test_binaries_are_run() {
        let message = |test: bool| {
            format!(
                r#"{{"executable":"/t/a-1","profile":{{"test":{test}}},"manifest_path":"/w/a/Cargo.toml","target":{{"name":"a"}}}}"#
            )
        };
        assert!(suite_of(&message(false)).is_none());
        assert_eq!(suite_of(&message(true)).unwrap().package, PathBuf::from("/w/a"));
    }
}
