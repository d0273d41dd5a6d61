//! The index of the search by itself: its size, and the processor time of all that is done with it.

use anyhow::{Context, Result, ensure};
use local::{build, say};

/// Prints what the search's own example measures of indexes with so many products, built as the functions are.
///
/// # Errors
/// The code does not compile, or an index cannot be made.
pub(super) async fn measure(products: &[u64]) -> Result<()> {
    say::note("Processor time, one thread; the first build takes some minutes");
    let status = build::cargo()
        .args([
            "run",
            "--release",
            "--package",
            "search",
            "--features",
            "testing",
            "--example",
            "measure-index",
            "--",
        ])
        .args(products.iter().map(u64::to_string))
        .status()
        .await
        .context("cannot run cargo")?;
    ensure!(status.success(), "the index was not measured: {status}");
    Ok(())
}
