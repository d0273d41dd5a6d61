//! Documents and comments: lines that fit a screen, and lists that are complete.

use std::collections::BTreeSet;

use tests::files::files_under;
use tests::shop::{CODE, RESET_CODE};
use tests::template::{Resource, Template, path, text};

/// Characters in a line of a document or a comment.
const WIDTH: usize = 120;

/// What is not ours to wrap: generated, or written by others.
const OF_OTHERS: [&str; 3] =
    ["infra/api/docs/", "infra/bench/node/package-lock.json", "infra/local/requirements/"];

fn ours(endings: &[&str]) -> impl Iterator<Item = String> {
    let all =
        files_under("").into_iter().filter(|file| !OF_OTHERS.iter().any(|other| file.starts_with(other)));
    all.filter(move |file| endings.iter().any(|ending| file.ends_with(ending)))
}

/// How wide a line is. An address cannot be wrapped, so it does not count: `https://…`, and where a link leads to.
fn width(line: &str) -> usize {
    let mut rest = line;
    let mut width = 0;
    loop {
        let link = rest.find("](").map(|at| at + 2);
        let address = rest.find("https://").or_else(|| rest.find("http://"));
        let Some(start) = link.into_iter().chain(address).min() else { return width + rest.chars().count() };
        width += rest[..start].chars().count();
        let end = if link == Some(start) { ")" } else { " " };
        rest = rest[start..].find(end).map_or("", |at| &rest[start + at..]);
    }
}

/// The same in a document, whose text can be wrapped beside an address; a row of a table and an address alone cannot.
fn width_in_document(line: &str) -> usize {
    let is_row = line.trim_start().starts_with('|');
    let is_one_word = !line.trim().contains(' ');
    if is_row || is_one_word { width(line) } else { line.chars().count() }
}

/// The lines that are too wide: `docs/local.md:12 (131)`.
fn too_wide(file: &str, width: fn(&str) -> usize, is_meant: impl Fn(&str) -> bool) -> Vec<String> {
    let text = text(file);
    let lines = text.lines().enumerate().filter(|(_, line)| is_meant(line) && width(line) > WIDTH);
    lines.map(|(number, line)| format!("{file}:{} ({})", number + 1, width(line))).collect()
}

#[test]
fn no_line_of_a_document_is_wider_than_a_screen() {
    let wrong: Vec<_> =
        ours(&[".md"]).flat_map(|file| too_wide(&file, width_in_document, |_| true)).collect();
    assert!(wrong.is_empty(), "{} lines have over {WIDTH} characters: {wrong:#?}", wrong.len());
}

#[test]
fn no_comment_is_wider_than_a_screen() {
    let code = ours(&[".rs", ".js"])
        .flat_map(|file| too_wide(&file, width, |line| line.trim_start().starts_with("//")));
    let other = [".in", ".py", ".toml", ".yaml", ".yml", ".ci/run"];
    let others =
        ours(&other).flat_map(|file| too_wide(&file, width, |line| line.trim_start().starts_with('#')));
    let wrong: Vec<_> = code.chain(others).collect();
    assert!(wrong.is_empty(), "{} lines have over {WIDTH} characters: {wrong:#?}", wrong.len());
}

/// The pictures of this repository that a document shows, as paths from its root.
fn pictures_in(document: &str) -> Vec<String> {
    let folder = document.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let text = text(document);
    let pictures = text.split("![").skip(1).filter_map(|rest| rest.split_once("](")?.1.split(')').next());
    pictures.filter(|path| !path.contains("://")).map(|path| format!("{folder}{path}")).collect()
}

#[test]
fn every_picture_of_a_document_is_there_and_the_reverse() {
    let documents: Vec<_> = ours(&[".md"]).collect();
    let shown: BTreeSet<_> = documents.iter().flat_map(|file| pictures_in(file)).collect();
    let missing: Vec<_> = shown.iter().filter(|picture| !path(picture).is_file()).collect();
    assert!(missing.is_empty(), "{missing:#?}: `cargo local screenshots` takes those in docs/pages");
    let spare: Vec<_> = files_under("docs/pages").into_iter().filter(|file| !shown.contains(file)).collect();
    assert!(spare.is_empty(), "no document shows {spare:#?}");
}

#[test]
fn an_address_has_no_width() {
    assert_eq!(width("see [it](https://example.com/a) now"), "see [it]() now".len());
    assert_eq!(width("<https://example.com/a>, and"), "< and".len());
    assert_eq!(width("[a](b) [c](d)"), "[a]() [c]()".len());
    assert_eq!(width("é"), 1);
    let beside = "see [it](https://example.com/a) now";
    assert_eq!(width_in_document(beside), beside.len());
    assert_eq!(width_in_document("| [a](b) |"), "| [a]() |".len());
    assert_eq!(width_in_document("  https://example.com/a"), 2);
}

#[test]
fn whoever_waits_for_a_code_is_told_both() {
    for file in ["docs/local.md", "infra/local/src/local.html"] {
        let text = text(file);
        assert!(text.contains(CODE) && text.contains(RESET_CODE), "{file}");
    }
}

const ARCHITECTURE: &str = "docs/architecture.md";

/// The rows of the tables in a chapter of the architecture.
fn rows_of(chapter: &str) -> Vec<String> {
    let document = text(ARCHITECTURE);
    let (_, rest) = document.split_once(&format!("\n## {chapter}\n")).expect("a chapter of that name");
    let chapter = rest.split("\n## ").next().unwrap_or_default();
    chapter.lines().filter(|line| line.starts_with('|')).map(str::to_owned).collect()
}

/// A quarter of an hour, as the page promises, at 250 words a minute.
#[test]
fn the_architecture_is_read_in_a_quarter_of_an_hour() {
    let words = text(ARCHITECTURE).split_whitespace().count();
    assert!(words <= 3_750, "{words} words: leave out what stands elsewhere, and lead there");
}

#[test]
fn the_architecture_lists_every_table_with_its_keys() {
    let rows = rows_of("Tables").into_iter().skip(2);
    let listed: BTreeSet<_> = rows
        .map(|row| {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            let keys = cells[2].split(", ").map(|key| key.trim_matches('`').to_owned());
            (cells[1].to_owned(), keys.collect::<Vec<_>>())
        })
        .collect();
    let template = Template::read();
    let tables = template.of("AWS::DynamoDB::Table").map(|table| {
        let name = table.id.strip_suffix("Table").expect("a table is called so");
        let keys = table.property("KeySchema").as_array().expect("keys").iter();
        let keys = keys.map(|key| key["AttributeName"].as_str().expect("a name").to_owned());
        (name.to_owned(), keys.collect::<Vec<_>>())
    });
    assert_eq!(listed, tables.collect());
}

#[test]
fn the_architecture_lists_what_starts_each_function() {
    let rows = rows_of("Entry points");
    let rows = rows.iter();
    let words = rows.flat_map(|row| row.split(|c: char| !c.is_ascii_lowercase() && c != '-'));
    let listed: BTreeSet<_> = words.collect();
    let template = Template::read();
    let missing: Vec<_> =
        template.functions().map(Resource::binary).filter(|name| !listed.contains(name)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}
