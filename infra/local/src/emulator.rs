//! The emulated AWS: MiniStack, started by `emulator/launch.py` with a clean environment and its data in the cloud's
//! directory.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::cloud::{self, Cloud, Record};
use crate::process::{self, Process};
use crate::tools::MINISTACK;
use ::emulator::Aws;

/// How long it may take to start on a busy machine, and to save its state when it is stopped.
const PATIENCE: Duration = Duration::from_secs(60);

/// What it is started from: another version of this needs a new start.
///
/// # Errors
/// The launcher cannot be read.
pub(crate) fn version() -> Result<String> {
    let launcher = fs::read(launcher()).context("cannot read the emulator's launcher")?;
    Ok(format!("{:x?}", Sha256::new_with_prefix(launcher).chain_update(MINISTACK.requirements()).finalize()))
}

/// Starts it in the background, with what it stored before.
///
/// # Errors
/// It does not start.
pub(crate) async fn start(cloud: &Cloud, record: &mut Record) -> Result<()> {
    let mut command = command(cloud, record.gateway_port)?;
    command.env("PERSIST_STATE", "1").env("S3_PERSIST", "1");
    record.emulator_version = version()?;
    record.emulator = Some(process::start_in_background(&mut command, &cloud.file("emulator.log"))?);
    cloud.remember(record)?;
    wait(cloud, record).await
}

/// Starts one that stores nothing and ends with this program, however that ends: its standard input is the sign.
///
/// # Errors
/// It does not start.
pub async fn start_for_test(cloud: &Cloud, record: &mut Record) -> Result<Child> {
    let log = File::create(cloud.file("emulator.log"))?;
    let mut command = command(cloud, record.gateway_port)?;
    let command = command.env("CARTWRIGHT_STOPS_WITH_STARTER", "1").process_group(0);
    let child = command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log).spawn();
    let child = child.context("cannot start the AWS emulator")?;
    record.emulator = Process::now(child.id());
    cloud.remember(record)?;
    wait(cloud, record).await?;
    Ok(child)
}

/// Stops it, after it saved its state, and every function that it runs.
pub(crate) async fn stop(record: &mut Record) {
    if let Some(emulator) = record.emulator.take() {
        emulator.stop(PATIENCE).await;
    }
}

/// Moves what is stored to other ports: URLs of queues, pictures and pages to pay on have them inside. Neither the
/// emulator nor the proxy may run.
///
/// # Errors
/// The disk's.
pub(crate) fn readdress(cloud: &Cloud, moves: &[(u16, u16)]) -> Result<()> {
    let moves: Vec<_> = moves.iter().filter(|(from, to)| *from != 0 && from != to).collect();
    let folders =
        [cloud.data(), cloud.data().join("state")].map(|folder| fs::read_dir(folder).into_iter().flatten());
    for entry in folders.into_iter().flatten().flatten() {
        let path = entry.path();
        if moves.is_empty() || path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let mut text = fs::read_to_string(&path)?;
        for (from, to) in &moves {
            text = moved(&text, *from, *to);
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn moved(text: &str, from: u16, to: u16) -> String {
    let mut result = text.to_owned();
    for host in ["localhost", "127.0.0.1"] {
        let old = format!("{host}:{from}");
        let mut parts = result.split(&old);
        let mut joined = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            // Not the beginning of a longer number.
            let whole = !part.starts_with(|next: char| next.is_ascii_digit());
            joined += &if whole { format!("{host}:{to}") } else { old.clone() };
            joined += part;
        }
        result = joined;
    }
    result
}

fn launcher() -> PathBuf {
    cloud::root().join("infra/local/emulator/launch.py")
}

fn command(cloud: &Cloud, port: u16) -> Result<Command> {
    for dir in [cloud.data(), cloud.scratch(), cloud.logs()] {
        fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    }
    let mut command = MINISTACK.command("python", &cloud.scratch());
    command.arg("-B").arg(launcher());
    let settings = [
        ("AUTH", "true"),
        ("BIND_HOST", "127.0.0.1"),
        ("SFTP_ENABLED", "0"),
        ("IOT_MTLS_ENABLED", "0"),
        ("LOG_LEVEL", "INFO"),
    ];
    command.envs(settings).env("GATEWAY_PORT", port.to_string());
    command.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"));
    command.env("STATE_DIR", cloud.data().join("state")).env("S3_DATA_DIR", cloud.data().join("s3"));
    command.env("CARTWRIGHT_LOGS", cloud.logs());
    Ok(command)
}

/// Waits until it answers.
///
/// # Errors
/// It ended, or does not answer for a minute.
pub(crate) async fn wait(cloud: &Cloud, record: &Record) -> Result<()> {
    let aws = Aws::at(record.gateway());
    let deadline = Instant::now() + PATIENCE;
    while !aws.is_up().await {
        let alive = record.emulator.as_ref().is_some_and(Process::is_alive);
        if !alive || Instant::now() > deadline {
            let log = cloud.file("emulator.log");
            let said = fs::read_to_string(&log).unwrap_or_default();
            let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
            bail!("the AWS emulator did not start: {last} (all of it: {})", log.display());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_itself_moves() {
        let text = "http://localhost:3000/a http://localhost:30001/b http://127.0.0.1:3000";
        assert_eq!(
            moved(text, 3000, 3100),
            "http://localhost:3100/a http://localhost:30001/b http://127.0.0.1:3100"
        );
    }
}
