//! Release binaries, as they go to AWS: built by Cargo Lambda, and deployed as they are instead of by launcher scripts.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::tools::CARGO_LAMBDA;
use crate::{build, cloud, say, tools};

/// The C library that `provided.al2023` has. A binary that asks for something newer does not start there.
const GLIBC: Version = (2, 34);

/// A version of the C library, such as 2.34.
type Version = (u32, u32);

/// Builds every function into `target/lambda/<function>/bootstrap` as docs/operations.md says, for this machine's
/// processor, and installs the tools.
///
/// # Errors
/// The code does not compile, a binary would not start on Lambda, or this is not Linux: the binaries would not run.
pub(crate) async fn functions_and_tools() -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("release binaries are built for Lambda, so for Linux: run this on Linux");
    }
    tools::install().await?;
    CARGO_LAMBDA.install().await?;
    say::note("Building the functions as they go to AWS; the first time takes a quarter of an hour");
    let target = format!("{}-unknown-linux-gnu.{}.{}", env::consts::ARCH, GLIBC.0, GLIBC.1);
    let mut cargo_lambda = Command::new(CARGO_LAMBDA.program("cargo-lambda"));
    cargo_lambda.args(["lambda", "build", "--release", "--target", &target, "--locked"]);
    cargo_lambda.arg("--lambda-dir").arg(binaries()).env("PATH", path_with_zig()?);
    let status = build::as_the_caller_would(&mut cargo_lambda).status().await;
    if !status.context("cannot start cargo-lambda")?.success() {
        bail!("the functions do not compile: see above");
    }
    check()
}

/// Where they are, as the template has it: `target/lambda`.
pub(crate) fn binaries() -> PathBuf {
    cloud::target().join("lambda")
}

/// Looks at what was built for AWS, if anything was.
///
/// # Errors
/// One of the binaries asks for a newer C library than Lambda has.
pub(crate) fn check() -> Result<()> {
    let Ok(folders) = fs::read_dir(binaries()) else { return Ok(()) };
    let mut too_new = Vec::new();
    for folder in folders {
        let file = folder?.path().join("bootstrap");
        if file.is_file() {
            too_new.extend(complaint(&file)?);
        }
    }
    too_new.sort();
    if !too_new.is_empty() {
        bail!("{}\nbuild them with --target, as docs/operations.md says", too_new.join("\n"));
    }
    Ok(())
}

/// What is wrong with a binary, if it would not start on Lambda.
fn complaint(file: &Path) -> Result<Option<String>> {
    let binary = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let newest = glibc_asked_for(&binary).into_iter().max();
    Ok(newest.filter(|asked| *asked > GLIBC).map(|(major, minor)| {
        let file = file.display();
        format!("{file} asks for GLIBC {major}.{minor}, and Lambda has {}.{}", GLIBC.0, GLIBC.1)
    }))
}

/// The versions of the C library that a binary names in its table of strings, as the dynamic linker will look for them:
/// `GLIBC_2.34` and a zero.
fn glibc_asked_for(binary: &[u8]) -> Vec<Version> {
    const NAME: &[u8] = b"GLIBC_";
    let version = |at: usize| {
        let rest = &binary[at + NAME.len()..];
        let end = rest.iter().take(16).position(|byte| *byte == 0)?;
        let mut numbers = std::str::from_utf8(&rest[..end]).ok()?.split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    };
    binary
        .windows(NAME.len())
        .enumerate()
        .filter(|(_, word)| *word == NAME)
        .filter_map(|(at, _)| version(at))
        .collect()
}

/// The caller's path, before it the tool's own programs: Zig is a module of its Python.
fn path_with_zig() -> Result<OsString> {
    let own = CARGO_LAMBDA.program("python").parent().map(Path::to_path_buf);
    let callers = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths(own.into_iter().chain(env::split_paths(&callers)))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_names_the_c_library_that_it_asks_for() {
        let binary = b"\0GLIBC_2.2.5\0memcpy\0GLIBC_2.34\0GLIBC_PRIVATE\0GLIBC_2.39 is a text\0GLIBC_";
        assert_eq!(glibc_asked_for(binary), [(2, 2), (2, 34)]);
    }

    #[test]
    fn a_binary_that_asks_for_more_than_lambda_has_is_refused() {
        let folder = env::temp_dir().join(format!("cartwright-glibc-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let complaint_about = |text: &[u8]| {
            fs::write(folder.join("bootstrap"), text).unwrap();
            complaint(&folder.join("bootstrap")).unwrap()
        };
        assert_eq!(complaint_about(b"\0GLIBC_2.34\0"), None);
        assert_eq!(complaint_about(b"without a C library"), None);
        let refused = complaint_about(b"\0GLIBC_2.34\0GLIBC_2.35\0");
        assert!(refused.is_some_and(|text| text.ends_with("asks for GLIBC 2.35, and Lambda has 2.34")));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn operations_builds_for_the_same_c_library() {
        let text = crate::deploy::text(Path::new("docs/operations.md")).unwrap();
        let targets: Vec<_> = text
            .split("cargo lambda build ")
            .skip(1)
            .map(|rest| rest.split_once("--target ").unwrap().1.split([' ', '\n']).next().unwrap())
            .collect();
        let glibc = format!("-unknown-linux-gnu.{}.{}", GLIBC.0, GLIBC.1);
        assert!(targets.len() > 1 && targets.iter().all(|target| target.ends_with(&glibc)), "{targets:?}");
    }
}
