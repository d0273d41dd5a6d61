//! `cargo local bench`: builds and starts the crate `bench`, which nobody else has to build.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::build;

/// The options of `cargo local bench`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// What the bench takes; `--help` says what that is.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Runs the bench; its exit status is that of this command.
///
/// # Errors
/// It does not start.
pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    let mut cargo = build::cargo();
    cargo.args(["run", "--quiet", "--package", "bench", "--"]).args(&options.arguments);
    let status = cargo.status().await.context("cannot start cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
