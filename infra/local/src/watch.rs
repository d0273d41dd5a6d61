//! `cargo local up --watch`: builds what changes, and reloads it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Result;

use crate::cloud::{self, Cloud};
use crate::{build, deploy, say};

/// What code is made of.
const CODE: [&str; 4] = ["functions", "shared", "Cargo.toml", "Cargo.lock"];

/// Watches until it is interrupted. The shop stays up afterwards.
///
/// # Errors
/// The terminal's signals cannot be listened to.
pub(crate) async fn run(cloud: &Cloud) -> Result<()> {
    say::note("Watching. Ctrl-C ends it; the shop stays up.");
    tokio::select! {
        () = watch(cloud) => Ok(()),
        signal = tokio::signal::ctrl_c() => Ok(signal?),
    }
}

async fn watch(cloud: &Cloud) {
    let mut seen = (newest(CODE), newest(stack()));
    loop {
        // Looking at a few hundred files once a second costs nothing, and needs no library and no limits of the
        // system's.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = (newest(CODE), newest(stack()));
        if now == seen {
            continue;
        }
        if let Err(error) = renew(cloud, now.1 != seen.1).await {
            say::warning(&format!("{error:#}"));
        }
        seen = now;
    }
}

async fn renew(cloud: &Cloud, stack: bool) -> Result<()> {
    let _lock = cloud.lock()?;
    let mut record = cloud.record();
    build::functions().await?;
    if stack {
        deploy::stack(cloud, &mut record).await?;
    }
    build::reload(&record);
    say::note("Reloaded.");
    Ok(())
}

/// What the stack is made of; nothing while `template.yaml` is being written.
fn stack() -> Vec<PathBuf> {
    deploy::files().unwrap_or_default()
}

/// The newest change in these files and directories, and how many files they are.
fn newest(names: impl IntoIterator<Item = impl AsRef<Path>>) -> (Option<SystemTime>, usize) {
    let mut found = (None, 0);
    for name in names {
        visit(&cloud::root().join(name), &mut found);
    }
    found
}

fn visit(path: &Path, found: &mut (Option<SystemTime>, usize)) {
    if path.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            visit(&entry.path(), found);
        }
    } else if let Ok(changed) = fs::metadata(path).and_then(|file| file.modified()) {
        found.0 = found.0.max(Some(changed));
        found.1 += 1;
    }
}
