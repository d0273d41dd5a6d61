//! What the functions said.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use crate::aws::Trace;

/// The functions that said something about this order, by their logs: as the subject of what they ended, or by its id
/// where they dealt with many.
///
/// # Panics
/// There are no logs to read.
pub fn functions_about(order: &str) -> BTreeSet<String> {
    let subject = format!("orders/{order}");
    let mut functions = BTreeSet::new();
    for (name, text) in logs() {
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        if lines.into_iter().any(|line| line["subject"] == subject || line["order_id"] == order) {
            let name = name.strip_prefix("cartwright-local-").and_then(|name| name.strip_suffix(".log"));
            functions.extend(name.map(str::to_owned));
        }
    }
    functions
}

/// In which logs one of these words is found.
///
/// # Panics
/// There are no logs to read.
pub fn logs_with(words: &[String]) -> Vec<Trace> {
    logs().flat_map(|(name, text)| Trace::in_text(&name, &text, words)).collect()
}

/// What the functions have said so far, by the log's name, one after another.
fn logs() -> impl Iterator<Item = (String, String)> {
    let folder = std::env::var_os("CARTWRIGHT_LOGS");
    let folder =
        PathBuf::from(folder.expect("no logs to read, CARTWRIGHT_LOGS is not set: run `cargo local test`"));
    let files = std::fs::read_dir(&folder).expect("the folder of the logs");
    files.map(|file| {
        let file = file.expect("a file");
        let text = std::fs::read(file.path()).expect("a log");
        (file.file_name().to_string_lossy().into_owned(), String::from_utf8_lossy(&text).into_owned())
    })
}

/// In how many lines of its log a function says something, such as the name of a metric.
pub fn count_in_logs(function: &str, what: &str) -> usize {
    let folder = std::env::var("CARTWRIGHT_LOGS").unwrap_or_default();
    let log = std::fs::read(format!("{folder}/cartwright-local-{function}.log")).unwrap_or_default();
    String::from_utf8_lossy(&log).lines().filter(|line| line.contains(what)).count()
}
