//! The contract: it breaks no client of the last release in silence, and its examples fit its schemas.

use contract::compatibility::{announced, breaking_changes, newest_release};
use contract::released;
use serde_json::Value;
use tests::files::files_under;
use tests::schemas::{Contract, escaped, operations};
use tests::template::{contract, text};

#[test]
fn the_contract_breaks_no_client_without_saying_so() {
    let (released, contract) = (released().unwrap(), contract());
    let announced = announced(&text("CHANGELOG.md"));
    let silent: Vec<_> = breaking_changes(&released, &contract)
        .into_iter()
        .filter(|change| !announced.contains(&change.operation))
        .map(|change| format!("{}: {}", change.operation, change.what))
        .collect();
    assert!(
        silent.is_empty(),
        "this breaks clients of the last release. Keep what they rely on, or name each operation in CHANGELOG.md under \
         [Unreleased], Breaking:\n{silent:#?}"
    );
}

#[test]
fn the_released_contract_is_that_of_the_newest_release() {
    let released = released().unwrap()["info"]["version"].clone();
    if let Some(version) = newest_release(&text("CHANGELOG.md")) {
        assert_eq!(released, version, "a release writes released.json: see CONTRIBUTING.md");
    }
}

#[test]
fn every_401_of_the_contract_says_how_to_sign_in() {
    let contract = Contract::read();
    let mut count = 0;
    for (method, path, at) in operations(&contract.whole) {
        let Some(refusal) = contract.whole.pointer(&format!("{at}/responses/401")) else { continue };
        let refusal = refusal["$ref"].as_str().map_or(refusal, |reference| contract.at(&reference[1..]));
        let challenge = &refusal["headers"]["WWW-Authenticate"]["$ref"];
        assert_eq!(challenge, "#/components/headers/WWWAuthenticate", "{method} {path}");
        count += 1;
    }
    assert!(count > 20, "only {count} operations answer 401");
}

#[test]
fn if_match_is_heeded_where_the_contract_says_so_and_refused_elsewhere() {
    let contract = Contract::read();
    let files = files_under("functions");
    let mut wrong = Vec::new();
    for (method, path, at) in operations(&contract.whole).into_iter().filter(|(method, ..)| method != "GET") {
        let operation = contract.at(&at);
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let names = parameters.map(|one| one["$ref"].as_str().unwrap_or_default());
        let is_declared = names.into_iter().any(|name| name == "#/components/parameters/IfMatch");
        let binary = format!("/bin/{}.rs", operation["x-function"].as_str().expect("a function"));
        let code = text(files.iter().find(|file| file.ends_with(&binary)).expect("a binary"));
        let says = [
            operation["responses"].get("412").is_some(),
            code.contains(").conditional()"),
            code.contains("if_match: IfMatch"),
            code.contains("&if_match"),
        ];
        if says != [is_declared; 4] {
            wrong.push(format!("{method} {path}: {is_declared}, and {says:?}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_examples_of_bodies_in_the_contract_fit_their_schemas() {
    /// Where there are a schema and examples of it.
    fn places(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                let has_examples = members.contains_key("example") || members.contains_key("examples");
                if members.contains_key("schema") && has_examples {
                    found.push(at.to_owned());
                }
                for (name, member) in members.iter().filter(|(name, _)| !name.starts_with("x-")) {
                    places(member, &format!("{at}/{}", escaped(name)), found);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    places(item, &format!("{at}/{index}"), found);
                }
            }
            _ => {}
        }
    }
    let mut contract = Contract::read();
    let (mut found, mut wrong, mut count) = (Vec::new(), Vec::new(), 0);
    places(&contract.whole, "", &mut found);
    for place in found {
        let mut examples: Vec<Value> = contract.at(&place).get("example").cloned().into_iter().collect();
        let named = contract.at(&place)["examples"].as_object().cloned().unwrap_or_default();
        examples.extend(
            named
                .keys()
                .map(|name| contract.at(&format!("{place}/examples/{}", escaped(name)))["value"].clone()),
        );
        for example in examples {
            count += 1;
            if let Some(faults) = contract.faults(&format!("{place}/schema"), &example) {
                wrong.push(format!("{place}: {example}: {faults}"));
            }
        }
    }
    assert!(count > 100, "only {count} examples were found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
