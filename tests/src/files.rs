//! The files of this repository.

use std::path::Path;

use crate::template::path;

/// What is made and not written, by the name of its folder.
const MADE: [&str; 3] = [".git", "node_modules", "target"];

/// The files in a folder and in those below it, as paths from the repository's root; `""` is the root itself.
///
/// # Panics
/// When a folder cannot be read.
pub fn files_under(folder: &str) -> Vec<String> {
    let mut files = Vec::new();
    visit(&path(folder), &mut files);
    files.sort();
    files
}

fn visit(folder: &Path, files: &mut Vec<String>) {
    for entry in folder.read_dir().unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("a readable folder").path();
        let is_made = path.file_name().is_some_and(|name| MADE.iter().any(|made| name == *made));
        if path.is_dir() && !is_made {
            visit(&path, files);
        } else if path.is_file() && !is_made {
            let name = path.strip_prefix(crate::template::path("")).expect("a file of this repository");
            files.push(name.to_string_lossy().into_owned());
        }
    }
}
