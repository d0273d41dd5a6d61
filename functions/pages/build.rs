//! Makes what the function serves out of `site/`: each file as gzip (RFC 1952), under a folder that is named by the
//! hash of all of them, so that whoever has one may keep it. Scripts and styles lose their comments and their
//! indentation, which are for whoever reads the source.

#[path = "../../shared/link.rs"]
mod link;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

fn main() -> Result<()> {
    link::main();
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=site");
    let made = PathBuf::from(env::var("OUT_DIR")?);
    let site = Path::new("site");
    let mut names = Vec::new();
    find(site, site, &mut names)?;
    names.sort();
    let mut hash = Sha256::new();
    let mut list = String::from("pub(crate) const FILES: &[(&str, &[u8])] = &[\n");
    for name in &names {
        println!("cargo::rerun-if-changed=site/{name}");
        let file = served(name, fs::read(site.join(name))?)?;
        hash.update(name.as_bytes());
        hash.update(&file);
        let gzip = made.join(format!("{}.gz", name.replace('/', "--")));
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&file)?;
        fs::write(&gzip, encoder.finish()?)?;
        writeln!(list, "    ({name:?}, include_bytes!({gzip:?})),")?;
    }
    list.push_str("];\n");
    let hash = URL_SAFE_NO_PAD.encode(&hash.finalize()[..9]);
    writeln!(list, "pub(crate) const HASH: &str = {hash:?};")?;
    for page in ["shop", "admin"] {
        let shell = fs::read_to_string(site.join(page).join("index.html")).unwrap_or_default();
        let main = format!("{page}/main.js");
        let mut modules = BTreeSet::new();
        if names.contains(&main) {
            imported(site, &main, &mut modules)?;
        }
        let modules = modules.into_iter().collect::<Vec<_>>();
        let name = page.to_uppercase();
        writeln!(list, "pub(crate) const {name}: &str = {shell:?};")?;
        writeln!(list, "pub(crate) const {name}_MODULES: &[&str] = &{modules:?};")?;
    }
    fs::write(made.join("files.rs"), list)?;
    Ok(())
}

fn find(site: &Path, folder: &Path, names: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(site, &path, names)?;
        } else if path.extension().is_some_and(|is| ["js", "css", "svg", "txt"].iter().any(|one| is == *one))
        {
            names.push(path.strip_prefix(site)?.to_str().context("a name is UTF-8")?.to_owned());
        }
    }
    Ok(())
}

fn served(name: &str, file: Vec<u8>) -> Result<Vec<u8>> {
    if !name.ends_with(".js") && !name.ends_with(".css") {
        return Ok(file);
    }
    let text = String::from_utf8(file).with_context(|| format!("{name} is UTF-8"))?;
    let text = if name.ends_with(".css") { without_blocks(&text) } else { text };
    let mut short = String::with_capacity(text.len());
    for line in text.lines() {
        // A text over several lines would lose its indentation.
        ensure!(
            line.matches('`').count().is_multiple_of(2),
            "{name}: a template literal ends on the line it begins on"
        );
        let line = line.trim();
        if !line.is_empty() && !line.starts_with("//") {
            short.push_str(line);
            short.push('\n');
        }
    }
    Ok(short.into_bytes())
}

fn without_blocks(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("/*") {
        kept.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    kept + rest
}

/// What a module imports at once, and what that does: the browser may begin to load all of it.
fn imported(site: &Path, name: &str, modules: &mut BTreeSet<String>) -> Result<()> {
    if !modules.insert(name.to_owned()) {
        return Ok(());
    }
    let text = fs::read_to_string(site.join(name)).with_context(|| format!("cannot read {name}"))?;
    let lines = text.lines().filter(|line| line.starts_with("import ") || line.starts_with("} from "));
    for target in lines.filter_map(|line| line.split('"').nth(1)) {
        let folder = Path::new(name).parent().unwrap_or(Path::new(""));
        let mut path = PathBuf::new();
        for part in folder.join(target).components() {
            match part.as_os_str().to_str() {
                Some(".") => {}
                Some("..") => {
                    path.pop();
                }
                _ => path.push(part),
            }
        }
        imported(site, path.to_str().context("a name is UTF-8")?, modules)?;
    }
    Ok(())
}
