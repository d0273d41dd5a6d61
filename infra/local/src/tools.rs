//! The pinned Python tools, each in a virtual environment of its own: MiniStack pins libraries that the SAM CLI has
//! newer.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::{cloud, needs, process, say};

/// A virtual environment and what is in it.
#[derive(Clone, Copy)]
pub struct Tool {
    name: &'static str,
    title: &'static str,
    requirements: &'static str,
}

/// The AWS emulator.
pub const MINISTACK: Tool = Tool {
    name: "ministack",
    title: "the AWS emulator (MiniStack)",
    requirements: include_str!("../requirements/ministack.txt"),
};

/// The SAM CLI, and cfn-lint.
pub(crate) const SAM: Tool = Tool {
    name: "sam",
    title: "the SAM CLI and cfn-lint",
    requirements: include_str!("../requirements/sam.txt"),
};

/// Cargo Lambda, and Zig, which links for the C library that Lambda has.
pub(crate) const CARGO_LAMBDA: Tool = Tool {
    name: "cargo-lambda",
    title: "cargo-lambda and Zig",
    requirements: include_str!("../requirements/cargo-lambda.txt"),
};

/// What tries the contract on the running API.
pub(crate) const SCHEMATHESIS: Tool = Tool {
    name: "schemathesis",
    title: "schemathesis",
    requirements: include_str!("../requirements/schemathesis.txt"),
};

/// axe-core, a script that says what of a page somebody cannot use.
pub(crate) const AXE: Tool =
    Tool { name: "axe", title: "axe-core", requirements: include_str!("../requirements/axe.txt") };

/// Installs all tools that a local cloud needs.
///
/// # Errors
/// See [`Tool::install`].
pub(crate) async fn install() -> Result<()> {
    tokio::try_join!(MINISTACK.install(), SAM.install()).map(drop)
}

impl Tool {
    /// Installs it, unless just this is there already.
    ///
    /// # Errors
    /// There is no Python, or the package index did not give what is pinned.
    pub async fn install(self) -> Result<()> {
        let dir = self.dir();
        let installed = dir.join("installed");
        let fingerprint =
            format!("{:x?}", Sha256::digest(format!("{}\n{}", dir.display(), self.requirements)));
        if fs::read_to_string(&installed).is_ok_and(|text| text == fingerprint) {
            return Ok(());
        }
        let python = needs::python()?;
        let title = format!("Installing {}", self.title);
        say::step_beside(&title, async {
            if dir.exists() {
                fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))?;
            }
            fs::create_dir_all(&dir)?;
            let requirements = dir.join("requirements.txt");
            fs::write(&requirements, self.requirements)?;
            process::run_quietly(Command::new(python).args(["-m", "venv"]).arg(&dir)).await?;
            let mut pip = Command::new(self.python());
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
            // Nothing but what is listed, as wheels, by their hashes: no setup script of a package is run.
            pip.args(["--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement"]);
            let pip = process::run_quietly(pip.arg(&requirements)).await;
            pip.context("the Python package index could not be used: check the network, then try again")?;
            fs::write(&installed, &fingerprint).context("cannot write the marker of a finished installation")
        })
        .await
    }

    /// What is in it, line by line.
    pub(crate) fn requirements(self) -> &'static str {
        self.requirements
    }

    /// Its Python.
    pub(crate) fn python(self) -> PathBuf {
        self.program("python")
    }

    /// A program of it.
    pub(crate) fn program(self, name: &str) -> PathBuf {
        self.dir().join("bin").join(name)
    }

    /// A file of a package in it.
    ///
    /// # Errors
    /// There is no such file.
    pub(crate) fn file(self, path: &str) -> Result<PathBuf> {
        // Its Python's version is a part of where packages are.
        let versions = fs::read_dir(self.dir().join("lib")).context("nothing is installed")?;
        let mut files = versions.flatten().map(|version| version.path().join("site-packages").join(path));
        files.find(|file| file.is_file()).with_context(|| format!("there is no {path} in {}", self.title))
    }

    /// A command of it with nothing of the caller's environment but the path, so that no profile and no credentials of
    /// the caller's get near the real AWS. What it leaves behind is in `home`, also what should have been temporary: a
    /// deployment by SAM leaves a folder for each function.
    pub(crate) fn command(self, program: &str, home: &Path) -> std::process::Command {
        let mut command = std::process::Command::new(self.program(program));
        command.env_clear().env("HOME", home).env("LANG", "C.UTF-8").env("NO_PROXY", "*");
        command.env("AWS_REGION", "us-east-1").env("AWS_DEFAULT_REGION", "us-east-1");
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command.env("SAM_CLI_TELEMETRY", "0").env("__SAM_CLI_APP_DIR", home).env("TMPDIR", home);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    fn dir(self) -> PathBuf {
        cloud::home().join("tools").join(self.name)
    }
}
