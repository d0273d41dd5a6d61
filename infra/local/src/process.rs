//! Processes that outlive the command that started them.
//!
//! A process is remembered with the time it began, so that a stranger who got its number later is never taken for it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::{Deserialize, Serialize};

/// A process, told from any other that ever has its number.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    began: String,
}

impl Process {
    /// The process that has this number now.
    pub(crate) fn now(pid: u32) -> Option<Self> {
        let pid = i32::try_from(pid).ok()?;
        Some(Self { pid, began: began(pid)? })
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(&self) -> bool {
        began(self.pid).is_some_and(|began| began == self.began)
    }

    /// Asks it to end, waits, and ends it and the processes it started, which share its group.
    pub(crate) async fn stop(&self, patience: Duration) {
        let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.is_alive()) else { return };
        let children = descendants(self.pid);
        self.terminate();
        self.end_within(patience).await;
        if self.is_alive() {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        for child in &children {
            child.signal(Signal::KILL);
            child.end_within(Duration::from_secs(1)).await;
        }
    }

    async fn end_within(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        while self.is_alive() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The processes that it started, and theirs.
    pub(crate) fn descendants(&self) -> Vec<Self> {
        if self.is_alive() { descendants(self.pid) } else { Vec::new() }
    }

    /// Asks it to end, without waiting.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.is_alive()) {
            let _ = kill_process(pid, signal);
        }
    }
}

/// Starts a program in the background: in a process group of its own, so that Ctrl-C passes it by, with its output in a
/// file.
///
/// # Errors
/// It could not be started.
pub(crate) fn start_in_background(command: &mut Command, log: &Path) -> Result<Process> {
    let output = File::options().create(true).append(true).open(log)?;
    let child = command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    Process::now(child.id()).with_context(|| format!("it ended at once: see {}", log.display()))
}

/// Runs a program quietly; what it said is in the error if it fails.
///
/// # Errors
/// It could not be started, or failed.
pub async fn run_quietly(command: &mut tokio::process::Command) -> Result<String> {
    let program = command.as_std().get_program().display().to_string();
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = output.with_context(|| format!("cannot start {program}"))?;
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        bail!("{program} failed:\n{}", said.trim_end());
    }
    Ok(said)
}

/// When a process began, as a text that no later process of the same number has.
fn began(pid: i32) -> Option<String> {
    if Path::new("/proc/self/stat").exists() {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let stat = stat(pid)?;
        (stat.state != "Z").then(|| format!("{} {}", boot.trim(), stat.began))
    } else {
        let pid = pid.to_string();
        let answer = Command::new("ps").args(["-o", "lstart=", "-p", &pid]).output().ok()?;
        let began = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        (!began.is_empty()).then_some(began)
    }
}

fn descendants(of: i32) -> Vec<Process> {
    let parents = parents();
    let descends = |mut pid: i32| {
        while let Some(&parent) = parents.get(&pid) {
            if parent == of {
                return true;
            }
            pid = parent;
        }
        false
    };
    parents
        .keys()
        .filter(|pid| descends(**pid))
        .filter_map(|pid| Process::now(u32::try_from(*pid).ok()?))
        .collect()
}

/// Each process's parent.
fn parents() -> HashMap<i32, i32> {
    if Path::new("/proc/self/stat").exists() {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter_map(|pid| Some((pid, stat(pid)?.parent))).collect()
    } else {
        let answer = Command::new("ps").args(["-axo", "pid=,ppid="]).output();
        let table =
            answer.map(|answer| String::from_utf8_lossy(&answer.stdout).into_owned()).unwrap_or_default();
        let row = |line: &str| {
            let mut numbers = line.split_whitespace().map(str::parse);
            Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
        };
        table.lines().filter_map(row).collect()
    }
}

struct Stat {
    state: String,
    parent: i32,
    began: String,
}

fn stat(pid: i32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Reads `/proc/<pid>/stat`, where the second field is a name in parentheses that may hold anything.
fn parse_stat(line: &str) -> Option<Stat> {
    let mut fields = line.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.to_owned();
    let parent = fields.next()?.parse().ok()?;
    Some(Stat { state, parent, began: fields.nth(17)?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_does_not_shift_the_fields() {
        let line = "42 (a ) b) S 7 42 42 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 998877 1 2";
        let stat = parse_stat(line).unwrap();
        assert_eq!((stat.state.as_str(), stat.parent, stat.began.as_str()), ("S", 7, "998877"));
    }

    #[test]
    fn a_process_of_the_same_number_that_began_at_another_time_is_a_stranger() {
        let own = Process::now(std::process::id()).unwrap();
        assert!(own.is_alive());
        assert!(!Process { began: "long ago".into(), ..own }.is_alive());
    }

    #[tokio::test]
    async fn stopping_a_process_stops_what_it_started() {
        let log = std::env::temp_dir().join(format!("cartwright-process-{}", std::process::id()));
        let process = start_in_background(Command::new("sh").args(["-c", "sleep 60 & wait"]), &log).unwrap();
        while process.descendants().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let children = process.descendants();
        process.stop(Duration::from_secs(5)).await;
        assert!(!children.iter().any(Process::is_alive));
    }
}
