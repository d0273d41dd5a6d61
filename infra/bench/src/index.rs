//! The index of the search by itself: its size, and the processor time of all that is done with it.

use anyhow::{Context, Result, ensure};
use local::{build, say};

/// Prints what `measure-index` measures of indexes with so many products, built as the functions are. It is a crate of
/// its own, since an example of the search's would have its features for tests, which no release build takes.
///
/// # Errors
/// The code does not compile, an index cannot be made, or a bound is missed.
pub(super) async fn measure(products: &[u64]) -> Result<()> {
    say::note("Processor time, one thread; the first build takes some minutes");
    let status = build::cargo()
        .args(["run", "--release", "--package", "measure-index", "--"])
        .args(products.iter().map(u64::to_string))
        .status()
        .await
        .context("cannot run cargo")?;
    ensure!(status.success(), "the index was not measured: {status}");
    Ok(())
}
