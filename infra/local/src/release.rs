//! Release binaries, as they go to AWS: built by Cargo Lambda, and deployed as they are instead of by launcher scripts.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::tools::CARGO_LAMBDA;
use crate::{build, cloud, say, tools};

/// Builds every function for this machine into `target/lambda/<function>/bootstrap`, and installs the tools.
///
/// With Cargo itself and not with Zig, as `--compiler cargo` says: the binaries run here, so they may use this system's
/// C library. For AWS leave that out, so that they fit the C library of Lambda.
///
/// # Errors
/// The code does not compile, or this is not Linux: Lambda's binaries would not run.
pub(crate) async fn functions_and_tools() -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("release binaries are built for Lambda, so for Linux: run this on Linux");
    }
    tools::install().await?;
    CARGO_LAMBDA.install().await?;
    say::note("Building the functions as they go to AWS; the first time takes a quarter of an hour");
    let processor = if cfg!(target_arch = "aarch64") { "--arm64" } else { "--x86-64" };
    let mut cargo_lambda = Command::new(CARGO_LAMBDA.program("cargo-lambda"));
    cargo_lambda.args(["lambda", "build", "--release", processor, "--compiler", "cargo", "--locked"]);
    cargo_lambda.arg("--lambda-dir").arg(binaries());
    let status = build::as_the_caller_would(&mut cargo_lambda).status().await;
    if !status.context("cannot start cargo-lambda")?.success() {
        bail!("the functions do not compile: see above");
    }
    Ok(())
}

/// Where they are, as the template has it: `target/lambda`.
pub(crate) fn binaries() -> PathBuf {
    cloud::target().join("lambda")
}
