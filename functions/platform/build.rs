//! Makes what `GET /docs` and `GET /openapi.json` answer: the contract as JSON, and its viewer, each as gzip (RFC
//! 1952). So the function holds no YAML reader, and packs nothing while somebody waits.

#[path = "../../shared/link.rs"]
mod link;

use std::io::Write;
use std::path::Path;
use std::{env, fs};

use anyhow::Result;
use contract::Contract;
use flate2::Compression;
use flate2::write::GzEncoder;

const VIEWER: [&str; 5] = ["docs.css", "docs.html", "docs.js", "swagger-ui-bundle.js", "swagger-ui.css"];

fn main() -> Result<()> {
    link::main();
    let made = env::var("OUT_DIR")?;
    let made = Path::new(&made);
    println!("cargo::rerun-if-changed=build.rs");
    let contract = Contract::read()?;
    for file in contract.files() {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    fs::write(made.join("openapi.json.gz"), gzipped(&serde_json::to_vec(&contract)?)?)?;
    for name in VIEWER {
        let file = Path::new("../../infra/api/docs").join(name);
        println!("cargo::rerun-if-changed={}", file.display());
        fs::write(made.join(format!("{name}.gz")), gzipped(&fs::read(file)?)?)?;
    }
    Ok(())
}

fn gzipped(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}
