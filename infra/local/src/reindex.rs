//! `cargo local reindex`: builds the search index anew; with `--verify` it only compares it with what is for sale.
//! Either way, what differs is told and mended.

use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::process::Process;
use crate::say;
use ::emulator::Aws;

/// What does it.
const FUNCTION: &str = "cartwright-local-reindex-products";

/// The options of `cargo local reindex`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Keep the index that there is, and mend what differs.
    #[arg(long)]
    verify: bool,
}

/// Runs `cargo local reindex`.
///
/// # Errors
/// Nothing runs, or the function fails.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let record = Cloud::shop().record();
    if !record.emulator.as_ref().is_some_and(Process::is_alive) {
        bail!("nothing runs: start the shop with `cargo local up`");
    }
    let event = json!({ "time": now(), "resources": [], "detail": { "rebuild": !options.verify } });
    let path = format!("/2015-03-31/functions/{FUNCTION}/invocations");
    let answer = Aws::at(record.gateway()).rest(Method::POST, "lambda", &path, &event).await;
    let verified = answer.context("cannot call reindex-products: was the shop deployed?")?;
    if let Some(error) = verified["errorMessage"].as_str() {
        bail!("reindex-products failed: {error}");
    }
    for line in lines(&verified) {
        say::out!("{line}");
    }
    Ok(())
}

/// What was found, for a person.
fn lines(verified: &Value) -> Vec<String> {
    let mut lines =
        vec![format!("{:<10}{:>8}", "for sale", verified["forSale"].as_u64().unwrap_or_default())];
    for (kind, what) in [
        ("missing", "were not in the index"),
        ("extra", "were in the index, and are not for sale"),
        ("stale", "were in the index as they had been"),
    ] {
        let count = verified[kind]["count"].as_u64().unwrap_or_default();
        lines.push(format!("{kind:<10}{count:>8}  {what}"));
        let ids = verified[kind]["ids"].as_array().into_iter().flatten().filter_map(Value::as_str);
        lines.extend(ids.map(|id| format!("{:<20}{id}", "")));
    }
    let swept = verified["swept"].as_u64().unwrap_or_default();
    lines.push(format!("{:<10}{swept:>8}  objects of files that nobody needs any more", "swept"));
    lines
}

#[expect(clippy::disallowed_methods, reason = "this is where the function's time begins")]
fn now() -> String {
    jiff::Timestamp::now().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differed_is_told_with_its_ids() {
        let verified = json!({
            "forSale": 12, "missing": { "count": 1, "ids": ["a"] }, "extra": { "count": 0, "ids": [] },
            "stale": { "count": 0, "ids": [] }, "swept": 3
        });
        let lines = lines(&verified);
        assert_eq!(lines.len(), 6);
        assert_eq!(lines[0], "for sale        12");
        assert!(lines[1].starts_with("missing") && lines[1].contains("  1  were not"), "{lines:?}");
        assert_eq!(lines[2].trim(), "a");
        assert!(lines[5].starts_with("swept") && lines[5].contains("  3  objects"), "{lines:?}");
    }
}
