//! Makes what `GET /docs` and `GET /openapi.json` answer: the contract as JSON, and its viewer, each as gzip (RFC
//! 1952). So the function holds no YAML reader, and packs nothing while somebody waits.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;
use saphyr::{LoadableYamlNode, Scalar, Yaml};

const CONTRACT: &str = "openapi.yaml";
const VIEWER: [&str; 5] = ["docs.css", "docs.html", "docs.js", "swagger-ui-bundle.js", "swagger-ui.css"];

fn main() -> Result<(), Box<dyn Error>> {
    let api = Path::new("../../infra/api");
    let made = env::var("OUT_DIR")?;
    let made = Path::new(&made);
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", api.join(CONTRACT).display());
    let yaml = fs::read_to_string(api.join(CONTRACT))?;
    let [contract] =
        Yaml::load_from_str(&yaml)?.try_into().map_err(|_| "the contract is not one document")?;
    let mut json = String::with_capacity(yaml.len());
    write_json(&contract, &mut json)?;
    fs::write(made.join("openapi.json.gz"), gzipped(json.as_bytes())?)?;
    for name in VIEWER {
        let file = api.join("docs").join(name);
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

/// Writes keys in the order of the document, which is the order they are read in.
fn write_json(node: &Yaml, json: &mut String) -> Result<(), Box<dyn Error>> {
    match node {
        Yaml::Value(Scalar::Null) => json.push_str("null"),
        Yaml::Value(Scalar::Boolean(yes)) => write!(json, "{yes}")?,
        Yaml::Value(Scalar::Integer(number)) => write!(json, "{number}")?,
        Yaml::Value(Scalar::FloatingPoint(number)) => {
            json.push_str(&serde_json::to_string(&number.into_inner())?);
        }
        Yaml::Value(Scalar::String(text)) => json.push_str(&serde_json::to_string(text)?),
        Yaml::Sequence(items) => {
            json.push('[');
            for (place, item) in items.iter().enumerate() {
                json.push_str(if place == 0 { "" } else { "," });
                write_json(item, json)?;
            }
            json.push(']');
        }
        Yaml::Mapping(entries) => {
            json.push('{');
            for (place, (key, value)) in entries.iter().enumerate() {
                json.push_str(if place == 0 { "" } else { "," });
                let Yaml::Value(Scalar::String(key)) = key else {
                    return Err(format!("{key:?} is no key").into());
                };
                json.push_str(&serde_json::to_string(key)?);
                json.push(':');
                write_json(value, json)?;
            }
            json.push('}');
        }
        Yaml::Tagged(..) | Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => {
            return Err(format!("not plain YAML: {node:?}").into());
        }
    }
    Ok(())
}
