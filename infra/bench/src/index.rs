//! The index of the search by itself: its size, and the processor time of all that is done with it.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use local::{build, say};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Prints what `measure-index` measures of indexes with so many products.
///
/// # Errors
/// The code does not compile, an index cannot be made, or a bound is missed.
pub(super) async fn measure(products: &[u64]) -> Result<()> {
    say::note("Processor time, one thread; the first build takes some minutes");
    let status = measure_index()
        .args(products.iter().map(u64::to_string))
        .status()
        .await
        .context("cannot run cargo")?;
    ensure!(status.success(), "the index was not measured: {status}");
    Ok(())
}

/// Writes an index of so many products, of which the first have these ids and names.
///
/// # Errors
/// See [`measure`].
pub(super) async fn write(
    file: &Path,
    products: u64,
    known: impl Iterator<Item = [String; 2]>,
) -> Result<()> {
    let mut command = measure_index();
    command.arg("--write").arg(file).arg(products.to_string());
    let mut child = command.stdin(Stdio::piped()).spawn().context("cannot run cargo")?;
    let mut stdin = child.stdin.take().context("it has no input")?;
    let known: String = known.map(|[id, name]| format!("{id} {name}\n")).collect();
    stdin.write_all(known.as_bytes()).await.context("name the products of the index")?;
    drop(stdin);
    let status = child.wait().await.context("wait for the index")?;
    ensure!(status.success(), "the index was not made: {status}");
    Ok(())
}

/// Built as the functions are. It is a crate of its own, since an example of the search's would have its features for
/// tests, which no release build takes; and the bench would be built with all that the search needs.
fn measure_index() -> Command {
    let mut cargo = build::cargo();
    cargo.args(["run", "--quiet", "--release", "--package", "measure-index", "--"]);
    cargo
}
