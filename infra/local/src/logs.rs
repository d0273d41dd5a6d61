//! `cargo local logs [function] [-f]`: what the functions said, as they said it; `--about ID`: what they said of one
//! thing.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::cloud::Cloud;
use crate::{deploy, say};

/// The options of `cargo local logs`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// One function alone, such as `create-order` [default: all].
    function: Option<String>,
    /// Stay, and show what is said from now on.
    #[arg(short, long)]
    follow: bool,
    /// How many lines of each function to begin with.
    #[arg(short, long, default_value_t = 50)]
    lines: usize,
    /// All that every function said of one thing, such as an order, in the order of time: `orders/0189…`, or its id
    /// alone.
    #[arg(long, value_name = "ID", conflicts_with_all = ["function", "follow", "lines"])]
    about: Option<String>,
}

/// Runs `cargo local logs`.
///
/// # Errors
/// There is no such function.
pub(crate) async fn run(options: Options) -> Result<()> {
    let functions = deploy::functions()?;
    if let Some(wanted) = &options.function
        && !functions.contains(wanted)
    {
        bail!(
            "there is no function {wanted}; there are {}",
            functions.into_iter().collect::<Vec<_>>().join(", ")
        );
    }
    if let Some(subject) = &options.about {
        return about(subject, &functions);
    }
    let chosen = |function: &str| options.function.as_deref().is_none_or(|wanted| wanted == function);
    let mut read: HashMap<PathBuf, u64> = HashMap::new();
    let mut first = true;
    loop {
        for entry in std::fs::read_dir(Cloud::shop().logs()).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(function) = function_of(&name, functions.iter().map(String::as_str)) else { continue };
            if !chosen(function) {
                continue;
            }
            let from = read.entry(path.clone()).or_default();
            let text = rest_of(&path, from)?;
            let lines: Vec<&str> = text.lines().collect();
            let skipped = if first { lines.len().saturating_sub(options.lines) } else { 0 };
            for line in lines.iter().skip(skipped) {
                say::out!("{} {line}", say::paint("36", &format!("{function:<22}")));
            }
        }
        first = false;
        if !options.follow {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// Shows the lines about this subject, by their time.
fn about(subject: &str, functions: &BTreeSet<String>) -> Result<()> {
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(Cloud::shop().logs()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(function) = function_of(&name, functions.iter().map(String::as_str)) else { continue };
        let text = rest_of(&entry.path(), &mut 0)?;
        let said = text.lines().filter_map(|line| Some((time_of(line, subject)?, line.to_owned())));
        lines.extend(said.map(|(time, line)| (time, function.to_owned(), line)));
    }
    lines.sort();
    if lines.is_empty() {
        bail!("no function said anything of {subject}");
    }
    for (_, function, line) in lines {
        say::out!("{} {line}", say::paint("36", &format!("{function:<22}")));
    }
    Ok(())
}

/// When a line was written, if it is about this subject: the one that ends an invocation has it as its `subject`, those
/// before it have its id in a field such as `order_id`.
fn time_of(line: &str, subject: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    let id = subject.rsplit('/').next()?;
    let is_about = line.as_object()?.iter().any(|(name, value)| match value.as_str() {
        Some(value) if name == "subject" => value == subject || value.rsplit('/').next() == Some(subject),
        Some(value) => value == id && name.ends_with("_id"),
        None => false,
    });
    is_about.then(|| line["timestamp"].as_str().unwrap_or_default().to_owned())
}

/// Which function a log file is of: `cartwright-local-create-order.log`, or `…-CreateOrderFunction-4F2A.log`.
fn function_of<'a>(file: &str, functions: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let letters =
        |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let file = letters(file.trim_end_matches(".log"));
    // The longest match: `get-product` is not `get-product-image`.
    functions.filter(|function| file.contains(&letters(function))).max_by_key(|function| function.len())
}

/// Whole lines from where the last reading ended.
fn rest_of(path: &PathBuf, from: &mut u64) -> Result<String> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(*from))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    *from += whole as u64;
    Ok(String::from_utf8_lossy(&bytes[..whole]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_about_what_it_names_as_its_subject_or_by_its_id() {
        let placed = r#"{"timestamp":"04:00:00Z","message":"order placed","order_id":"7"}"#;
        let answered = r#"{"timestamp":"04:00:01Z","message":"answered","status":201,"subject":"orders/7"}"#;
        for subject in ["7", "orders/7"] {
            assert_eq!(time_of(placed, subject).as_deref(), Some("04:00:00Z"));
            assert_eq!(time_of(answered, subject).as_deref(), Some("04:00:01Z"));
        }
        assert_eq!(
            (time_of(placed, "8"), time_of(answered, "products/7"), time_of("order 7", "7")),
            (None, None, None)
        );
    }

    #[test]
    fn a_log_file_belongs_to_the_function_in_its_name() {
        let functions = ["get-order", "list-products", "list-my-products", "index-product-image"];
        let of = |file| function_of(file, functions.into_iter());
        assert_eq!(of("cartwright-local-ListMyProductsFunction-04F2.log"), Some("list-my-products"));
        assert_eq!(of("cartwright-local-list-products.log"), Some("list-products"));
        assert_eq!(of("cartwright-local-OtherFunction-1.log"), None);
    }
}
