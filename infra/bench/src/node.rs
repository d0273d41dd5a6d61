//! The Node.js baseline of `infra/bench/node`, where there is Node.js: installed and bundled under `target/bench/node`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use tokio::process::Command;

use local::{cloud, process, say};

/// The bundles, ready to run.
pub(super) struct Baseline {
    /// Node.js itself.
    pub command: PathBuf,
    /// What plays the part of Lambda's runtime in it.
    pub runtime: PathBuf,
    /// Which Node.js.
    pub version: String,
    bundles: PathBuf,
}

impl Baseline {
    /// The bundle of a function, if the baseline has it.
    pub(super) fn bundle(&self, function: &str) -> Option<PathBuf> {
        let bundle = self.bundles.join(format!("{function}.js"));
        bundle.exists().then_some(bundle)
    }
}

/// Installs what `package-lock.json` names and bundles the handlers, unless that was done; `None` without Node.js and
/// npm.
///
/// # Errors
/// npm or the bundler fails.
pub(super) async fn prepare() -> Result<Option<Baseline>> {
    let Some(command) = on_the_path("node").filter(|_| on_the_path("npm").is_some()) else { return Ok(None) };
    let version = process::run_quietly(Command::new(&command).arg("--version")).await?.trim().to_owned();
    let source = cloud::root().join("infra/bench/node");
    let target = cloud::target().join("bench/node");
    let baseline =
        Baseline { command, runtime: source.join("runtime.js"), version, bundles: target.join("bundles") };
    let mut all = Sha256::new();
    let mut files: Vec<_> = fs::read_dir(source.join("src"))?.flatten().map(|file| file.path()).collect();
    files.extend(["package.json", "package-lock.json"].map(|name| source.join(name)));
    files.sort();
    for file in &files {
        all.update(fs::read(file).with_context(|| format!("cannot read {}", file.display()))?);
    }
    let fingerprint = format!("{:x?}", all.finalize());
    let marker = target.join("bundled");
    if fs::read_to_string(&marker).is_ok_and(|text| text == fingerprint) {
        return Ok(Some(baseline));
    }
    say::step("Installing and bundling the Node.js baseline", async {
        let _ = fs::remove_dir_all(&target);
        fs::create_dir_all(target.join("src"))?;
        for file in &files {
            fs::copy(file, target.join(file.strip_prefix(&source)?))?;
        }
        for arguments in [["ci", "--no-audit", "--no-fund"].as_slice(), &["run", "bundle"]] {
            let mut npm = Command::new("npm");
            process::run_quietly(npm.args(arguments).current_dir(&target)).await?;
        }
        fs::write(&marker, &fingerprint).context("cannot write the marker of a finished bundle")
    })
    .await?;
    Ok(Some(baseline))
}

fn on_the_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}
