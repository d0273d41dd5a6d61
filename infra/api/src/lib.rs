//! The contract of the API, read and merged in one place: for the function that serves it, for the tests and for
//! `cargo local`.
//!
//! `openapi.yaml` has what all services share, and its tags name the services. What a service answers is in a file of
//! its name beside it. Merged, they follow each other in the order of the tags.

pub mod compatibility;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use saphyr::{LoadableYamlNode, MappingOwned, ScalarOwned, YamlOwned};
use serde::ser::Error;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// What OpenAPI calls the operations of a path, as far as we use them.
pub const METHODS: [&str; 5] = ["get", "post", "put", "delete", "patch"];

const BASE: &str = "openapi.yaml";
/// How deep two files may both have something: `paths` and `components`, then a path or a kind of component.
const SHARED_LEVELS: u8 = 2;

/// The whole contract. As JSON it keeps the order in which it was written, which is the order that it is read in.
#[derive(Debug, Clone)]
pub struct Contract {
    document: YamlOwned,
    files: Vec<PathBuf>,
}

impl Contract {
    /// Reads it from this repository.
    ///
    /// # Errors
    /// A file is missing or no plain YAML, or two files have the same operation or component.
    pub fn read() -> Result<Self> {
        let mut files = vec![file(BASE)];
        let mut whole = mapping(&files[0])?;
        for service in services(&whole).context("openapi.yaml has no tags")? {
            let file = file(&format!("{service}.yaml"));
            let part = mapping(&file)?;
            merge(&mut whole, part, SHARED_LEVELS).with_context(|| format!("in {}", file.display()))?;
            files.push(file);
        }
        Ok(Self { document: YamlOwned::Mapping(whole), files })
    }

    /// The files that it was read from.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The contract as a JSON value.
    ///
    /// # Errors
    /// It has what JSON does not: an anchor, a tag, a key that is no text.
    pub fn to_value(&self) -> Result<Value> {
        serde_json::to_value(self).context("the contract is no JSON")
    }
}

impl Serialize for Contract {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Json(&self.document).serialize(serializer)
    }
}

/// The contract of the last release.
///
/// # Errors
/// `released.json` is missing or no JSON.
pub fn released() -> Result<Value> {
    let file = file("released.json");
    let text = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", file.display()))
}

/// The `x-who` of an operation, which is one or several: who is let in.
pub fn who(operation: &Value) -> BTreeSet<String> {
    let several =
        operation["x-who"].as_array().map_or(std::slice::from_ref(&operation["x-who"]), Vec::as_slice);
    several.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn mapping(file: &Path) -> Result<MappingOwned> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let documents = YamlOwned::load_from_str(&text).with_context(|| format!("in {}", file.display()))?;
    match <[YamlOwned; 1]>::try_from(documents) {
        Ok([YamlOwned::Mapping(mapping)]) => Ok(mapping),
        _ => bail!("{} is not one mapping", file.display()),
    }
}

/// The names of the tags.
fn services(base: &MappingOwned) -> Option<Vec<String>> {
    let tags = base.get(&text("tags"))?.as_sequence()?;
    tags.iter().map(|tag| Some(tag.as_mapping()?.get(&text("name"))?.as_str()?.to_owned())).collect()
}

fn text(text: &str) -> YamlOwned {
    YamlOwned::Value(ScalarOwned::String(text.to_owned()))
}

/// Adds the entries of `part` to those of `whole`. What both have is merged in turn, so many levels deep.
fn merge(whole: &mut MappingOwned, part: MappingOwned, levels: u8) -> Result<()> {
    for (key, value) in part {
        match (whole.get_mut(&key), value) {
            (None, value) => drop(whole.insert(key, value)),
            (Some(YamlOwned::Mapping(there)), YamlOwned::Mapping(more)) if levels > 0 => {
                merge(there, more, levels - 1)?;
            }
            (Some(_), _) => bail!("{} is there twice", key.as_str().unwrap_or("a key that is no text")),
        }
    }
    Ok(())
}

/// A node of YAML, written as JSON.
struct Json<'a>(&'a YamlOwned);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            YamlOwned::Value(ScalarOwned::Null) => serializer.serialize_unit(),
            YamlOwned::Value(ScalarOwned::Boolean(yes)) => serializer.serialize_bool(*yes),
            YamlOwned::Value(ScalarOwned::Integer(number)) => serializer.serialize_i64(*number),
            YamlOwned::Value(ScalarOwned::FloatingPoint(number)) => {
                serializer.serialize_f64(number.into_inner())
            }
            YamlOwned::Value(ScalarOwned::String(text)) => serializer.serialize_str(text),
            YamlOwned::Sequence(items) => serializer.collect_seq(items.iter().map(Json)),
            YamlOwned::Mapping(entries) => {
                serializer.collect_map(entries.iter().map(|(key, value)| (Json(key), Json(value))))
            }
            other => Err(S::Error::custom(format!("not plain YAML: {other:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(text: &str) -> MappingOwned {
        YamlOwned::load_from_str(text).unwrap().remove(0).into_mapping().unwrap()
    }

    fn merged(one: &str, other: &str) -> Result<String> {
        let mut whole = yaml(one);
        merge(&mut whole, yaml(other), SHARED_LEVELS)?;
        Ok(serde_json::to_string(&Json(&YamlOwned::Mapping(whole)))?)
    }

    #[test]
    fn the_parts_follow_each_other_as_they_were_written() {
        let base = "{ openapi: 3.1.0, components: { schemas: { Id: { type: string } } } }";
        let part = "{ paths: { /b: { get: { x: 0.01 } }, /a: {} }, components: { schemas: { B: {} }, headers: {} } }";
        assert_eq!(
            merged(base, part).unwrap(),
            r#"{"openapi":"3.1.0","components":{"schemas":{"Id":{"type":"string"},"B":{}},"headers":{}},"paths":{"/b":{"get":{"x":0.01}},"/a":{}}}"#
        );
    }

    #[test]
    fn two_services_may_answer_one_path_but_not_one_operation() {
        let (one, other) = ("paths: { /a: { get: { x: 1 } } }", "paths: { /a: { put: { x: 2 } } }");
        assert_eq!(merged(one, other).unwrap(), r#"{"paths":{"/a":{"get":{"x":1},"put":{"x":2}}}}"#);
        assert_eq!(merged(one, one).unwrap_err().to_string(), "get is there twice");
        let schema = "components: { schemas: { Id: { type: string } } }";
        assert_eq!(merged(schema, schema).unwrap_err().to_string(), "Id is there twice");
    }

    #[test]
    fn what_json_cannot_say_is_refused() {
        assert!(merged("a: !Ref b", "{}").is_err());
    }

    #[test]
    fn a_file_has_what_is_tagged_with_its_name() {
        let contract = Contract::read().unwrap();
        for file in &contract.files()[1..] {
            let service = file.file_stem().unwrap().to_str().unwrap();
            let part = serde_json::to_value(Json(&YamlOwned::Mapping(mapping(file).unwrap()))).unwrap();
            for (path, item) in part["paths"].as_object().unwrap() {
                for operation in METHODS.iter().filter_map(|method| item.get(method)) {
                    assert_eq!(operation["tags"], serde_json::json!([service]), "{path}");
                }
            }
        }
    }
}
