//! What the machine must have. Whatever is missing is told in one line that says what to do.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Room for the tools, the functions' debug binaries and what the shop stores.
const DISK_GIB: u64 = 4;

/// Python 3.11 or newer, able to make virtual environments.
///
/// # Errors
/// There is none.
pub(crate) fn python() -> Result<PathBuf> {
    let chosen = std::env::var("PYTHON").ok();
    let names = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python"];
    let mut found = Vec::new();
    for name in chosen.iter().map(String::as_str).chain(names) {
        let Some(version) = ask(name, "import sys; print('%d.%d' % sys.version_info[:2])") else { continue };
        if !is_new_enough(&version) {
            found.push(format!("{name} is {version}"));
        } else if ask(name, "import venv, ensurepip").is_none() {
            found.push(format!(
                "{name} {version} has no venv module: `apt-get install python3-venv` on Debian and Ubuntu"
            ));
        } else {
            return Ok(name.into());
        }
    }
    if found.is_empty() {
        found.push("none found on the PATH".to_owned());
    }
    bail!(
        "Python 3.11 or newer is needed ({}): install it, or name it with PYTHON=/path/to/python3",
        found.join("; ")
    )
}

/// Chromium or Chrome, for what looks at pages as a browser does; without one it is left out.
pub fn browser() -> Option<PathBuf> {
    let chosen = std::env::var("CHROMIUM").ok();
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    // Ubuntu's chromium-browser may be a stub that asks for snap: who cannot tell its version cannot show a page.
    let works = |name: &&str| {
        let asked = Command::new(name).arg("--version").output();
        asked.is_ok_and(|output| output.status.success())
    };
    chosen.as_deref().into_iter().chain(names).find(works).map(PathBuf::from)
}

fn ask(python: &str, program: &str) -> Option<String> {
    let output = Command::new(python).args(["-c", program]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(str::parse::<u32>);
    matches!((parts.next(), parts.next()), (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= (3, 11))
}

/// Enough room on the disk.
///
/// # Errors
/// There is not.
pub fn disk(at: &Path) -> Result<()> {
    let existing = at.ancestors().find(|dir| dir.exists()).context("the target directory has no parent")?;
    let disk = rustix::fs::statvfs(existing).context("cannot ask how much of the disk is free")?;
    let free = disk.f_bavail * disk.f_frsize / (1 << 30);
    if free < DISK_GIB {
        bail!(
            "only {free} GiB of the disk with {} are free: make room for {DISK_GIB} GiB",
            existing.display()
        );
    }
    Ok(())
}

/// A port for the shop that nobody listens on.
///
/// # Errors
/// Somebody does.
pub(crate) fn port(port: u16) -> Result<()> {
    if is_free(port) {
        return Ok(());
    }
    bail!(
        "port {port} is taken by another program: stop it, or take another port with `cargo local up --port {}`",
        port + 1
    )
}

/// The first of these ports that is free, or any that is.
///
/// # Errors
/// The machine has none left.
pub fn free_port(wanted: &[u16]) -> Result<u16> {
    if let Some(port) = wanted.iter().copied().find(|port| *port != 0 && is_free(*port)) {
        return Ok(port);
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(is_new_enough("3.11") && is_new_enough("3.14") && is_new_enough("4.0"));
        assert!(!is_new_enough("3.10") && !is_new_enough("2.7") && !is_new_enough(""));
    }

    #[test]
    fn a_taken_port_says_which_to_take_instead() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let number = taken.local_addr().unwrap().port();
        assert!(port(number).unwrap_err().to_string().contains(&format!("--port {}", number + 1)));
        assert_ne!(free_port(&[number]).unwrap(), number);
    }
}
