//! Where a local cloud keeps its things, and what it remembers about itself.
//!
//! All is under `target/local`: `tools/` (shared), `shop/` (the one of `cargo local up`) and `test-<pid>/` (one for
//! each run of `cargo local test`). Who changes a cloud holds its lock; the operating system lets go of it when the
//! holder ends, so no crash leaves it locked.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::process::Process;

/// The directory of one local cloud.
#[derive(Clone, Debug)]
pub struct Cloud {
    dir: PathBuf,
}

/// What a running cloud is: kept in `cloud.json`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Record {
    /// The port of the emulated AWS.
    pub gateway_port: u16,
    /// The port of the shop: http://localhost:3000.
    pub port: u16,
    /// The emulator's process.
    pub emulator: Option<Process>,
    /// What the emulator was started from.
    pub emulator_version: String,
    /// The proxy's process.
    pub proxy: Option<Process>,
    /// The id of the HTTP API.
    pub api_id: String,
    /// The stack's outputs, by name.
    pub outputs: BTreeMap<String, String>,
    /// When the stack was last deployed, RFC 3339.
    pub deployed_at: String,
}

impl Record {
    /// The emulated AWS.
    pub fn gateway(&self) -> String {
        format!("http://127.0.0.1:{}", self.gateway_port)
    }

    /// The shop.
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// One of the stack's outputs.
    ///
    /// # Errors
    /// The template has no such output.
    pub fn output(&self, name: &str) -> Result<&str> {
        self.outputs
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("template.yaml has no output {name}"))
    }
}

impl Cloud {
    /// The cloud of `cargo local up`.
    pub(crate) fn shop() -> Self {
        Self::at(home().join("shop"))
    }

    /// A cloud for one run of the tests.
    pub(crate) fn for_test() -> Self {
        Self::at(home().join(format!("test-{}", std::process::id())))
    }

    /// The clouds of earlier runs of the tests that did not come to take them down.
    pub(crate) fn left_over_from_tests() -> Vec<Self> {
        let entries = fs::read_dir(home()).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("test-"))
            .map(|entry| Self::at(entry.path()))
            .collect()
    }

    /// The cloud in this directory.
    pub fn at(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Its directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// What the emulator stores over a restart.
    pub fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// What the emulator needs while it runs, the code of functions, unpacked; and what SAM leaves of a deployment.
    pub fn scratch(&self) -> PathBuf {
        self.dir.join("scratch")
    }

    /// What each function said, one file a function.
    pub fn logs(&self) -> PathBuf {
        self.dir.join("logs")
    }

    /// The template and the functions' code, as `sam deploy` takes them.
    pub(crate) fn stage(&self) -> PathBuf {
        self.dir.join("stage")
    }

    /// A file of this cloud.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// What it remembers; nothing if it never ran.
    pub(crate) fn record(&self) -> Record {
        fs::read(self.file("cloud.json"))
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .unwrap_or_default()
    }

    /// Remembers. Written beside and renamed, so a crash leaves the old record or the new one.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn remember(&self, record: &Record) -> Result<()> {
        let new = self.file("cloud.json.new");
        fs::write(&new, serde_json::to_vec_pretty(record)?)?;
        fs::rename(new, self.file("cloud.json")).context("cannot write cloud.json")
    }

    /// Takes the lock for as long as the answer lives.
    ///
    /// # Errors
    /// Another `cargo local` holds it.
    pub fn lock(&self) -> Result<File> {
        fs::create_dir_all(&self.dir).with_context(|| format!("cannot create {}", self.dir.display()))?;
        let lock = File::create(self.file("lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => {
                bail!(
                    "another `cargo local` command is starting or stopping this cloud: wait for it, or stop it with Ctrl-C"
                )
            }
            Err(TryLockError::Error(error)) => Err(error).context("cannot lock the cloud"),
        }
    }

    /// Forgets everything, except the lock that the caller holds.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn forget(&self) -> Result<()> {
        for entry in fs::read_dir(&self.dir).into_iter().flatten() {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name == "lock") {
                continue;
            }
            let is_directory = fs::symlink_metadata(&path)?.is_dir();
            let removed = if is_directory { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }
}

/// The functions' variable for a resource: `ProductsTable` is `PRODUCTS_TABLE`.
pub fn variable(resource: &str) -> String {
    let mut name = String::new();
    for letter in resource.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    match name.as_str() {
        "USER_POOL" | "USER_POOL_CLIENT" => name + "_ID",
        _ => name,
    }
}

/// The repository.
pub fn root() -> PathBuf {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_dir.ancestors().nth(2).unwrap_or(crate_dir).to_owned()
}

/// Cargo's target directory: the one that this program was built in.
pub fn target() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    own.ancestors().nth(2).map_or_else(|| root().join("target"), Path::to_owned)
}

/// Where all local clouds and their tools live.
pub(crate) fn home() -> PathBuf {
    target().join("local")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud(name: &str) -> Cloud {
        let dir = std::env::temp_dir().join(format!("cartwright-cloud-{name}-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Cloud::at(dir)
    }

    #[test]
    fn a_second_holder_is_told_to_wait_and_a_later_one_gets_the_lock() {
        let cloud = cloud("lock");
        let held = cloud.lock().unwrap();
        assert!(cloud.lock().unwrap_err().to_string().contains("wait for it"));
        drop(held);
        cloud.lock().unwrap();
    }

    #[test]
    fn forgetting_leaves_the_lock_alone() {
        let cloud = cloud("forget");
        let _held = cloud.lock().unwrap();
        cloud.remember(&Record { port: 3000, ..Record::default() }).unwrap();
        fs::create_dir_all(cloud.data().join("deep")).unwrap();
        cloud.forget().unwrap();
        assert_eq!(cloud.record().port, 0);
        assert!(cloud.file("lock").exists() && !cloud.data().exists());
    }

    #[test]
    fn resources_are_called_as_the_template_calls_them_for_functions() {
        let names = ["ProductsTable", "UserPool", "UserPoolClient"].map(variable);
        assert_eq!(names, ["PRODUCTS_TABLE", "USER_POOL_ID", "USER_POOL_CLIENT_ID"]);
    }
}
