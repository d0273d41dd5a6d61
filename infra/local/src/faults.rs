//! `cargo local test --faults`: a shop whose functions reach AWS and Stripe through the fault proxy, and what
//! must hold on it.
//!
//! The proxy, the people and the invariants are the crate `faults` (`tests/faults`); here is what they run on.

use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::cloud::{Cloud, Record};
use crate::{build, deploy, emulator, needs, proxy, say, test, up};

/// Builds the program that the crate `faults` is. With this crate, so that what both depend on is built once.
///
/// # Errors
/// It does not compile.
async fn build() -> Result<()> {
    let mut cargo = build::cargo();
    cargo.args(["build", "--quiet", "--package", "local", "--package", "faults", "--bin", "faults"]);
    if !cargo.status().await.context("cannot start cargo")?.success() {
        bail!("the fault tests do not compile: see above");
    }
    Ok(())
}

/// Runs it with `arguments` on this cloud, which is its own and ends with it. Gives whether every invariant held.
///
/// # Errors
/// Something does not build or start.
pub(crate) async fn run(cloud: &Cloud, arguments: &[String]) -> Result<bool> {
    build().await?;
    std::fs::create_dir_all(cloud.dir()).context("cannot make room for the faults")?;
    say::out!("\n{}", say::paint("1", "── faults"));
    let mut record =
        Record { gateway_port: needs::free_port(&[])?, port: needs::free_port(&[])?, ..Record::default() };
    let way = needs::free_port(&[])?;
    let emulator = emulator::start_for_test(cloud, &mut record);
    let _emulator = say::step("Starting an AWS emulator for the faults", emulator).await?;
    deploy::stack_of(cloud, &mut record, deploy::Code::Behind(way)).await?;
    let api = tokio::spawn(proxy::serve_record(record.clone()));
    say::step("Waiting for the shop to answer", up::ready(&record)).await?;
    let mut command = tokio::process::Command::new(build::binary("faults"));
    test::set_environment(&mut command, cloud, &record);
    command.args(["--port", &way.to_string()]).args(arguments).kill_on_drop(true).stdin(Stdio::null());
    let status = command.status().await.context("cannot start the fault tests")?;
    api.abort();
    emulator::stop(&mut record).await;
    Ok(status.success())
}
