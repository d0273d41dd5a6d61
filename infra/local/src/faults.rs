//! `cargo local test --faults`: a shop whose functions reach AWS and Stripe through the fault proxy, and what
//! must hold on it.
//!
//! The proxy, the people and the invariants are the crate `faults` (`tests/faults`); here is what they run on.

use std::process::Stdio;

use anyhow::{Context, Result};

use crate::cloud::Cloud;
use crate::deploy::Code;
use crate::standing::Standing;
use crate::{build, needs, say};

/// Runs it with `arguments` on this cloud, which is its own and ends with it. Gives whether every invariant held. The
/// program was built with the functions.
///
/// # Errors
/// Something does not start.
pub(crate) async fn run(cloud: &Cloud, arguments: &[String]) -> Result<bool> {
    say::out!("\n{}", say::paint("1", "── faults"));
    let way = needs::free_port(&[])?;
    let standing = Standing::start(cloud, Code::Behind(way)).await?;
    let mut command = tokio::process::Command::new(build::binary("faults"));
    standing.lead(&mut command, cloud);
    command.args(["--port", &way.to_string()]).args(arguments).kill_on_drop(true).stdin(Stdio::null());
    let status = command.status().await.context("cannot start the fault tests")?;
    standing.stop().await;
    Ok(status.success())
}
