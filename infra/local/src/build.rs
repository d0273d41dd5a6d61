//! Builds the functions, as a plain `cargo build` does, and reloads them in a running cloud.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::cloud::{self, Record};
use crate::{deploy, say, tools};

/// The packages that need a server's HTTP or keep the order of JSON, and what the bench measures the functions against.
/// Built with the functions, they would have these built with features that no function needs.
pub(crate) const NOT_FUNCTIONS: [&str; 5] = ["local", "bench", "baselines", "measure-index", "measure-shop"];

/// Builds every function for development. Cargo shows its own progress.
///
/// # Errors
/// The code does not compile.
pub(crate) async fn functions() -> Result<()> {
    let first = !target_has_functions();
    say::note(if first {
        "Building the functions; the first time takes some minutes"
    } else {
        "Building the functions"
    });
    // Not the functions alone, and `shared` with its feature for tests: what they depend on is then built as the tests
    // need it, and so once.
    let mut cargo = cargo();
    cargo.args(["build", "--workspace"]).args(NOT_FUNCTIONS.iter().flat_map(|name| ["--exclude", name]));
    cargo.args(["--features", "shared/testing"]);
    let status = cargo.status().await.context("cannot start cargo")?;
    if !status.success() {
        bail!("the functions do not compile: see above");
    }
    Ok(())
}

/// Builds every function while the tools are installed: the one waits for the processor, the other for the network.
///
/// # Errors
/// Either's.
pub async fn functions_and_tools() -> Result<()> {
    // Not `try_join`: code that does not compile is no reason to throw half an installation away.
    let (tools, functions) = tokio::join!(tools::install(), functions());
    tools.and(functions)
}

/// Cargo as the caller would start it. `cargo run` has set variables for this crate, which build scripts of others
/// would take for theirs and build again.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    as_the_caller_would(&mut command);
    command
}

/// Gives a command that builds the caller's environment and the repository to work in.
pub(crate) fn as_the_caller_would(command: &mut Command) -> &mut Command {
    let of_this_crate = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
    for (name, _) in std::env::vars_os() {
        if of_this_crate.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.current_dir(cloud::root()).kill_on_drop(true)
}

fn target_has_functions() -> bool {
    built().is_ok_and(|built| built.values().any(Option::is_some))
}

/// The binary of a function.
pub(crate) fn binary(function: &str) -> PathBuf {
    cloud::target().join("debug").join(function)
}

/// When each function's binary was built.
pub(crate) fn built() -> Result<BTreeMap<OsString, Option<SystemTime>>> {
    let age = |function: &String| std::fs::metadata(binary(function)).and_then(|file| file.modified()).ok();
    Ok(deploy::functions()?.iter().map(|function| (function.into(), age(function))).collect())
}

/// Ends the running functions, so that the next call of each starts what was built last.
pub(crate) fn reload(record: &Record) {
    for function in record.emulator.iter().flat_map(crate::process::Process::descendants) {
        function.terminate();
    }
}
