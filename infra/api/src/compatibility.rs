//! Compares two versions of the contract: what a client of the old one may no longer rely on.
//!
//! A request may be taken more kindly than before and an answer may say more, never the other way round. A schema is
//! compared in the direction it travels. What this page does not know by name, such as a `not`, is held to be the same
//! or broken.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::{METHODS, who};

/// A change that breaks clients.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Breaking {
    /// `POST /orders`, as the old contract has it.
    pub operation: String,
    /// What of it: `answers 201: /orderId is gone`.
    pub what: String,
}

/// All changes from the `old` contract to the `new` one that break clients, by operation.
pub fn breaking_changes(old: &Value, new: &Value) -> Vec<Breaking> {
    let (old, new) = (Contract(old), Contract(new));
    let still_there = new.operations();
    let mut all = Vec::new();
    for (key, before) in old.operations() {
        let mut found = Found::default();
        match still_there.get(&key) {
            None => found.add("it is gone"),
            Some(now) => operation(&Sides { old, new }, &before, now, &mut found),
        }
        let name = format!("{} {}", before.method, before.path);
        all.extend(found.0.into_iter().map(|what| Breaking { operation: name.clone(), what }));
    }
    all
}

#[derive(Clone, Copy)]
struct Contract<'a>(&'a Value);

struct Operation<'a> {
    method: String,
    path: &'a str,
    body: &'a Value,
    /// What is declared for the whole path.
    shared: &'a Value,
}

impl<'a> Contract<'a> {
    /// By method and path. How a part of a path is called is nothing to a client: `/orders/{id}` is `/orders/{}`.
    fn operations(self) -> BTreeMap<(String, String), Operation<'a>> {
        let paths = self.0["paths"].as_object().into_iter().flatten();
        let all = paths.flat_map(|(path, item)| {
            let methods = METHODS.into_iter().filter_map(move |method| Some((method, item.get(method)?)));
            methods.map(move |(method, body)| {
                let method = method.to_uppercase();
                let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
                let key = (method.clone(), parts.collect::<Vec<_>>().join("/"));
                (key, Operation { method, path, body, shared: item })
            })
        });
        all.collect()
    }

    /// What a value is once its references are followed and its `allOf` are one.
    fn resolved(self, value: &Value) -> Value {
        let Some(object) = value.as_object() else { return value.clone() };
        let mut own = object.clone();
        let mut whole = match own.remove("$ref") {
            Some(Value::String(reference)) => {
                let there = reference.strip_prefix('#').and_then(|pointer| self.0.pointer(pointer));
                self.resolved(there.unwrap_or_else(|| panic!("{reference} is not in the contract")))
            }
            _ => json!({}),
        };
        let parts = own.remove("allOf");
        for part in parts.iter().filter_map(Value::as_array).flatten() {
            whole = merged(&whole, &self.resolved(part));
        }
        merged(&whole, &Value::Object(own))
    }

    /// The forms that a schema lets a value have: one, or one for each of its `anyOf` or `oneOf`.
    fn forms(self, schema: &Value) -> Vec<Value> {
        let mut whole = self.resolved(schema);
        let Some(object) = whole.as_object_mut() else { return vec![whole] };
        let Some(Value::Array(forms)) = object.remove("anyOf").or_else(|| object.remove("oneOf")) else {
            return vec![whole];
        };
        forms.iter().flat_map(|form| self.forms(&merged(&whole, &self.resolved(form)))).collect()
    }
}

/// A schema that asks for both.
fn merged(one: &Value, other: &Value) -> Value {
    let (Some(one), Some(other)) = (one.as_object(), other.as_object()) else { return other.clone() };
    let mut both = one.clone();
    for (key, value) in other {
        let earlier = both.get(key).cloned();
        let value = match (key.as_str(), earlier) {
            ("required", Some(earlier)) => json!(&texts(&earlier) | &texts(value)),
            ("type", Some(earlier)) => json!(&texts(&earlier) & &texts(value)),
            ("properties", Some(Value::Object(mut properties))) => {
                for (name, schema) in value.as_object().into_iter().flatten() {
                    let schema = match properties.get(name) {
                        Some(earlier) => json!({ "allOf": [earlier, schema] }),
                        None => schema.clone(),
                    };
                    properties.insert(name.clone(), schema);
                }
                Value::Object(properties)
            }
            _ => value.clone(),
        };
        both.insert(key.clone(), value);
    }
    Value::Object(both)
}

/// A text, or all texts of a list.
fn texts(value: &Value) -> BTreeSet<String> {
    let one = value.as_str().map(str::to_owned);
    let several = value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned));
    one.into_iter().chain(several).collect()
}

#[derive(Default)]
struct Found(Vec<String>);

impl Found {
    fn add(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.0.contains(&what) {
            self.0.push(what);
        }
    }
}

struct Sides<'a> {
    old: Contract<'a>,
    new: Contract<'a>,
}

fn operation(sides: &Sides, old: &Operation, new: &Operation, found: &mut Found) {
    let (was, is) = (who(old.body), who(new.body));
    let is_public = |contract: Contract, operation: &Operation| {
        let security = operation.body.get("security").unwrap_or(&contract.0["security"]);
        security.as_array().is_none_or(Vec::is_empty)
    };
    if is_public(sides.old, old) && !is_public(sides.new, new) {
        found.add("it needs a token");
    }
    let lets_in =
        |one: &str| is.contains("public") || is.contains(one) || one != "public" && is.contains("user");
    for one in was.iter().filter(|one| !lets_in(one)) {
        found.add(format!("it no longer lets in {one}"));
    }
    parameters(sides, old, new, found);
    request_body(sides, old, new, found);
    let (was, is) = (&old.body["responses"], &new.body["responses"]);
    for (status, response) in was.as_object().into_iter().flatten() {
        let at = format!("answers {status}");
        match is.get(status) {
            Some(now) => answer(sides, (&at, response, now), found),
            // An error that does not happen any more hurts nobody.
            None if status.starts_with(['2', '3']) => found.add(format!("it no longer {at}")),
            None => {}
        }
    }
}

fn parameters(sides: &Sides, old: &Operation, new: &Operation, found: &mut Found) {
    // A parameter of the path is known by its place.
    let all = |contract: Contract, operation: &Operation| -> BTreeMap<(String, String), Value> {
        let lists = [&operation.shared["parameters"], &operation.body["parameters"]];
        let parameters = lists.into_iter().filter_map(Value::as_array).flatten();
        let named = parameters.map(|parameter| {
            let parameter = contract.resolved(parameter);
            let (kind, name) = (text(&parameter, "in"), text(&parameter, "name"));
            let place = operation.path.split('/').position(|part| part == format!("{{{name}}}"));
            let known_by = match (kind.as_str(), place) {
                ("path", Some(place)) => place.to_string(),
                ("header", _) => name.to_lowercase(),
                _ => name,
            };
            ((kind, known_by), parameter)
        });
        named.collect()
    };
    let (was, is) = (all(sides.old, old), all(sides.new, new));
    for (key, before) in &was {
        let name = text(before, "name");
        match is.get(key) {
            None => found.add(format!("parameter {name} is gone")),
            Some(now) => {
                let at = format!("parameter {name}");
                if now["required"] == true && before["required"] != true {
                    found.add(format!("{at} is required"));
                }
                let mut walk = Walk { sides, direction: Direction::Request, seen: Vec::new() };
                walk.schema(&at, &before["schema"], &now["schema"], found);
            }
        }
    }
    for (_, now) in is.iter().filter(|(key, now)| !was.contains_key(key) && now["required"] == true) {
        found.add(format!("parameter {} is new and required", text(now, "name")));
    }
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_default().to_owned()
}

fn request_body(sides: &Sides, old: &Operation, new: &Operation, found: &mut Found) {
    let was = sides.old.resolved(&old.body["requestBody"]);
    let is = sides.new.resolved(&new.body["requestBody"]);
    if is["required"] == true && was["required"] != true {
        found.add("the body is required");
    }
    for (media_type, before) in was["content"].as_object().into_iter().flatten() {
        let Some(now) = is["content"].get(media_type) else {
            found.add(format!("it no longer takes {media_type}"));
            continue;
        };
        let mut walk = Walk { sides, direction: Direction::Request, seen: Vec::new() };
        walk.schema("body", &before["schema"], &now["schema"], found);
    }
}

fn answer(sides: &Sides, (at, old, new): (&str, &Value, &Value), found: &mut Found) {
    let (was, is) = (sides.old.resolved(old), sides.new.resolved(new));
    for (media_type, before) in was["content"].as_object().into_iter().flatten() {
        let Some(now) = is["content"].get(media_type) else {
            found.add(format!("{at}: no longer as {media_type}"));
            continue;
        };
        let mut walk = Walk { sides, direction: Direction::Answer, seen: Vec::new() };
        walk.schema(&format!("{at}:"), &before["schema"], &now["schema"], found);
    }
    let lower = |headers: &Value| -> BTreeMap<String, Value> {
        let headers = headers.as_object().into_iter().flatten();
        headers.map(|(name, header)| (name.to_lowercase(), header.clone())).collect()
    };
    let headers = lower(&is["headers"]);
    for (name, before) in lower(&was["headers"]) {
        let Some(now) = headers.get(&name) else {
            found.add(format!("{at}: the header {name} is gone"));
            continue;
        };
        let (before, now) = (sides.old.resolved(&before), sides.new.resolved(now));
        if before["required"] == true && now["required"] != true {
            found.add(format!("{at}: the header {name} may be absent"));
        }
        let mut walk = Walk { sides, direction: Direction::Answer, seen: Vec::new() };
        walk.schema(&format!("{at}: the header {name}"), &before["schema"], &now["schema"], found);
    }
}

/// Where a value goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// To the API: what was taken must be taken.
    Request,
    /// To the client: what was not to be expected must not come.
    Answer,
}

struct Walk<'a> {
    sides: &'a Sides<'a>,
    direction: Direction,
    /// The pairs that are being compared further up, since a schema may hold itself.
    seen: Vec<(Value, Value)>,
}

impl Walk<'_> {
    fn schema(&mut self, at: &str, old: &Value, new: &Value, found: &mut Found) {
        let pair = (old.clone(), new.clone());
        if self.seen.contains(&pair) {
            return;
        }
        self.seen.push(pair);
        let (olds, news) = (self.sides.old.forms(old), self.sides.new.forms(new));
        if let ([old], [new]) = (olds.as_slice(), news.as_slice()) {
            self.form(at, old, new, found);
        } else {
            let direction = self.direction;
            let mut fits = |old: &Value, new: &Value| {
                let mut none = Found::default();
                self.form(at, old, new, &mut none);
                none.0.is_empty()
            };
            let (fitting, what) = match direction {
                Direction::Request => (
                    olds.iter().all(|old| news.iter().any(|new| fits(old, new))),
                    "takes fewer forms than before",
                ),
                Direction::Answer => (
                    news.iter().all(|new| olds.iter().any(|old| fits(old, new))),
                    "has a form that it did not have",
                ),
            };
            if !fitting {
                found.add(format!("{at} {what}"));
            }
        }
        self.seen.pop();
    }

    /// Compares what has one form.
    fn form(&mut self, at: &str, old: &Value, new: &Value, found: &mut Found) {
        // Of the two, one may be wider: in a request the new one, in an answer the old one.
        let (narrow, wide) = match self.direction {
            Direction::Request => (old, new),
            Direction::Answer => (new, old),
        };
        let word = match self.direction {
            Direction::Request => "is stricter",
            Direction::Answer => "is looser",
        };
        if !types_within(narrow, wide) {
            found.add(format!("{at} has another type"));
            return;
        }
        let may_grow = self.direction == Direction::Answer && old["x-may-grow"] == true;
        if !may_grow && !values_within(narrow, wide) {
            found.add(format!("{at} {word} in its values"));
        }
        for limit in ["maximum", "maxLength", "maxItems", "maxProperties", "exclusiveMaximum"] {
            let within =
                wide[limit].as_f64().is_none_or(|most| narrow[limit].as_f64().is_some_and(|it| it <= most));
            if !within {
                found.add(format!("{at} {word} in its {limit}"));
            }
        }
        for limit in ["minimum", "minLength", "minItems", "minProperties", "exclusiveMinimum"] {
            let within =
                wide[limit].as_f64().is_none_or(|least| narrow[limit].as_f64().is_some_and(|it| it >= least));
            if !within {
                found.add(format!("{at} {word} in its {limit}"));
            }
        }
        for rule in [
            "pattern",
            "format",
            "multipleOf",
            "uniqueItems",
            "not",
            "if",
            "then",
            "else",
            "contains",
            "prefixItems",
        ] {
            if wide.get(rule).is_some() && wide.get(rule) != narrow.get(rule) {
                found.add(format!("{at} {word} in its {rule}"));
            }
        }
        if old.get("items").is_some() || new.get("items").is_some() {
            self.schema(&format!("{at} each"), &old["items"], &new["items"], found);
        }
        self.object(at, old, new, found);
    }

    fn object(&mut self, at: &str, old: &Value, new: &Value, found: &mut Found) {
        let nothing = Map::new();
        let of = |schema: &Value| schema["properties"].as_object().unwrap_or(&nothing).clone();
        let (was, is) = (of(old), of(new));
        let (was_required, is_required) = (texts(&old["required"]), texts(&new["required"]));
        let is_closed = |schema: &Value| schema["additionalProperties"] == false;
        for (name, before) in &was {
            match is.get(name) {
                Some(now) => self.schema(&format!("{at} {name}"), before, now, found),
                None if self.direction == Direction::Answer => found.add(format!("{at} {name} is gone")),
                None if is_closed(new) => found.add(format!("{at} {name} is no longer taken")),
                None => {}
            }
        }
        match self.direction {
            Direction::Request => {
                for name in is_required.difference(&was_required) {
                    found.add(format!("{at} {name} is required"));
                }
                if is_closed(new) && !is_closed(old) {
                    found.add(format!("{at} no longer takes other members"));
                }
            }
            Direction::Answer => {
                for name in was_required.difference(&is_required).filter(|name| is.contains_key(*name)) {
                    found.add(format!("{at} {name} may be absent"));
                }
            }
        }
    }
}

/// Whether each type of one schema is one of the other. An integer is a number, and no type is any type.
fn types_within(narrow: &Value, wide: &Value) -> bool {
    let (narrow, wide) = (texts(&narrow["type"]), texts(&wide["type"]));
    let is_known = |kind: &String| wide.contains(kind) || kind == "integer" && wide.contains("number");
    wide.is_empty() || !narrow.is_empty() && narrow.iter().all(is_known)
}

/// Whether each value that one schema lists is one of the other's. A schema that lists none takes any.
fn values_within(narrow: &Value, wide: &Value) -> bool {
    let listed = |schema: &Value| match (schema.get("const"), schema["enum"].as_array()) {
        (Some(one), _) => Some(vec![one.clone()]),
        (None, several) => several.cloned(),
    };
    let Some(wide) = listed(wide) else { return true };
    listed(narrow).is_some_and(|narrow| narrow.iter().all(|value| wide.contains(value)))
}

/// The operations that the entries under "Breaking" and "Changed" of the changelog's section `[Unreleased]` name:
/// `` - `POST /orders` takes … ``.
pub fn announced(changelog: &str) -> BTreeSet<String> {
    let unreleased = changelog.split("\n## [").find_map(|section| section.strip_prefix("Unreleased]"));
    let chapters = unreleased.unwrap_or_default().split("\n### ");
    let chapters =
        chapters.filter(|chapter| chapter.starts_with("Breaking\n") || chapter.starts_with("Changed\n"));
    // Every second part of a text that is split at its backticks stood between two of them.
    chapters.flat_map(|chapter| chapter.split('`').skip(1).step_by(2).map(str::to_owned)).collect()
}

/// The version of the newest release in the changelog, if there was one.
pub fn newest_release(changelog: &str) -> Option<&str> {
    let sections = changelog.split("\n## [").skip(1).filter_map(|section| section.split(']').next());
    sections.into_iter().find(|name| *name != "Unreleased")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A contract of one operation with a bit of everything.
    fn contract() -> Value {
        json!({
            "security": [{ "bearerAuth": [] }],
            "paths": { "/orders/{id}": { "post": {
                "x-who": ["owner", "admin"],
                "parameters": [
                    { "name": "id", "in": "path", "required": true, "schema": { "type": "string" } },
                    { "name": "limit", "in": "query", "schema": { "type": "integer", "minimum": 1, "maximum": 100 } },
                ],
                "requestBody": { "required": true, "content": {
                    "application/json": { "schema": { "$ref": "#/components/schemas/New" } },
                    "text/plain": { "schema": { "type": "string" } },
                } },
                "responses": {
                    "201": {
                        "headers": { "Location": { "required": true, "schema": { "type": "string" } } },
                        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Order" } } },
                    },
                    "409": { "content": { "application/json": { "schema": { "type": "object" } } } },
                },
            } } },
            "components": { "schemas": {
                "New": {
                    "type": "object",
                    "required": ["quantity"],
                    "additionalProperties": false,
                    "properties": {
                        "quantity": { "type": "integer", "minimum": 1, "maximum": 10 },
                        "note": { "type": ["string", "null"], "maxLength": 20, "pattern": "^a" },
                        "how": { "type": "string", "enum": ["cash", "card"] },
                        "to": { "anyOf": [{ "type": "string" }, { "type": "null" }] },
                    },
                },
                "Order": {
                    "allOf": [
                        { "type": "object", "required": ["id"], "properties": { "id": { "type": "string", "format": "uuid" } } },
                        { "type": "object", "required": ["status"], "properties": {
                            "status": { "type": "string", "enum": ["pending", "shipping"] },
                            "kind": { "type": "string", "enum": ["a"], "x-may-grow": true },
                            "lines": { "type": "array", "items": { "type": "integer" } },
                            "within": { "$ref": "#/components/schemas/Order" },
                        } },
                    ],
                },
            } },
        })
    }

    const OPERATION: &str = "/paths/~1orders~1{id}/post";
    const NEW: &str = "/components/schemas/New";
    const ORDER: &str = "/components/schemas/Order/allOf/1";

    /// What breaks when the value at a place of the contract is another one; `null` takes it away.
    fn changed(places: &[(&str, &str, Value)]) -> Vec<String> {
        let mut new = contract();
        for (base, place, value) in places {
            let pointer = format!("{base}{place}");
            let (parent, member) = pointer.rsplit_once('/').unwrap();
            let member = member.replace("~1", "/");
            match new.pointer_mut(parent).unwrap_or_else(|| panic!("{parent} is not there")) {
                Value::Array(items) => items.insert(items.len().min(member.parse().unwrap()), value.clone()),
                parent if value.is_null() => {
                    assert!(parent.as_object_mut().unwrap().remove(&member).is_some(), "{pointer}");
                }
                parent => parent[member] = value.clone(),
            }
        }
        let changes = breaking_changes(&contract(), &new);
        assert!(changes.iter().all(|change| change.operation == "POST /orders/{id}"), "{changes:?}");
        changes.into_iter().map(|change| change.what).collect()
    }

    #[test]
    fn what_breaks_a_client_is_found() {
        let cases = [
            (OPERATION, "", Value::Null, "it is gone"),
            (OPERATION, "/x-who", json!("admin"), "it no longer lets in owner"),
            (
                OPERATION,
                "/parameters/1",
                json!({ "name": "q", "in": "query", "required": true }),
                "parameter q is new and required",
            ),
            (
                OPERATION,
                "/parameters",
                json!([contract().pointer(&format!("{OPERATION}/parameters/0")).unwrap()]),
                "parameter limit is gone",
            ),
            (OPERATION, "/parameters/1/required", json!(true), "parameter limit is required"),
            (
                OPERATION,
                "/parameters/1/schema/maximum",
                json!(50),
                "parameter limit is stricter in its maximum",
            ),
            (OPERATION, "/parameters/1/schema/type", json!("string"), "parameter limit has another type"),
            (OPERATION, "/requestBody/content/text~1plain", Value::Null, "it no longer takes text/plain"),
            (NEW, "/required", json!(["quantity", "note"]), "body note is required"),
            (NEW, "/properties/quantity/minimum", json!(2), "body quantity is stricter in its minimum"),
            (NEW, "/properties/note/type", json!("string"), "body note has another type"),
            (NEW, "/properties/note/maxLength", json!(19), "body note is stricter in its maxLength"),
            (NEW, "/properties/note/pattern", json!("^ab"), "body note is stricter in its pattern"),
            (NEW, "/properties/quantity/multipleOf", json!(2), "body quantity is stricter in its multipleOf"),
            (NEW, "/properties/how/enum", json!(["cash"]), "body how is stricter in its values"),
            (NEW, "/properties/to", json!({ "type": "string" }), "body to takes fewer forms than before"),
            (NEW, "/properties/how", Value::Null, "body how is no longer taken"),
            (NEW, "/if", json!({ "required": ["how"] }), "body is stricter in its if"),
            (OPERATION, "/responses/201", Value::Null, "it no longer answers 201"),
            (
                OPERATION,
                "/responses/201/headers/Location",
                Value::Null,
                "answers 201: the header location is gone",
            ),
            (
                OPERATION,
                "/responses/201/headers/Location/required",
                json!(false),
                "answers 201: the header location may be absent",
            ),
            (
                OPERATION,
                "/responses/409/content/application~1json",
                Value::Null,
                "answers 409: no longer as application/json",
            ),
            (ORDER, "/properties/lines", Value::Null, "answers 201: lines is gone"),
            (ORDER, "/required", json!([]), "answers 201: status may be absent"),
            (
                ORDER,
                "/properties/lines/items/type",
                json!("string"),
                "answers 201: lines each has another type",
            ),
            (
                ORDER,
                "/properties/lines/items/type",
                json!("number"),
                "answers 201: lines each has another type",
            ),
            (
                ORDER,
                "/properties/status/enum",
                json!(["pending", "shipping", "lost"]),
                "answers 201: status is looser in its values",
            ),
            (
                ORDER,
                "/properties/status",
                json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] }),
                "answers 201: status has a form that it did not have",
            ),
        ];
        for (base, place, value, expected) in cases {
            assert_eq!(changed(&[(base, place, value.clone())]), [expected], "{base}{place} = {value}");
        }
    }

    #[test]
    fn what_was_public_may_not_need_a_token() {
        let mut old = contract();
        old["paths"]["/orders/{id}"]["post"]["security"] = json!([]);
        old["paths"]["/orders/{id}"]["post"]["x-who"] = json!("public");
        let mut new = contract();
        new["paths"]["/orders/{id}"]["post"]["x-who"] = json!("user");
        let changes = breaking_changes(&old, &new);
        let expected = ["it needs a token", "it no longer lets in public"]
            .map(|what| Breaking { operation: "POST /orders/{id}".into(), what: what.into() });
        assert_eq!(changes, expected);
        assert_eq!(breaking_changes(&new, &old), []);
    }

    #[test]
    fn what_no_client_notices_is_let_through() {
        let cases = [
            (OPERATION, "/x-who", json!("user")),
            (OPERATION, "/summary", json!("Order")),
            (OPERATION, "/parameters/1", json!({ "name": "q", "in": "query" })),
            (OPERATION, "/parameters/1/schema/maximum", json!(200)),
            (OPERATION, "/requestBody/required", json!(false)),
            (OPERATION, "/requestBody/content/text~1csv", json!({})),
            (NEW, "/required", json!([])),
            (NEW, "/additionalProperties", json!(true)),
            (NEW, "/properties/quantity/type", json!("number")),
            (NEW, "/properties/quantity/minimum", Value::Null),
            (NEW, "/properties/note/pattern", Value::Null),
            (NEW, "/properties/how/enum", json!(["cash", "card", "invoice"])),
            (NEW, "/properties/how/enum", Value::Null),
            (NEW, "/properties/gift", json!({ "type": "boolean" })),
            (
                NEW,
                "/properties/to",
                json!({ "oneOf": [{ "type": "null" }, { "type": "string" }, { "type": "integer" }] }),
            ),
            (OPERATION, "/responses/409", Value::Null),
            (OPERATION, "/responses/429", json!({})),
            (OPERATION, "/responses/201/headers/ETag", json!({ "schema": { "type": "string" } })),
            (ORDER, "/properties/total", json!({ "type": "number" })),
            (ORDER, "/required", json!(["status", "lines"])),
            (ORDER, "/properties/status/enum", json!(["pending"])),
            (ORDER, "/properties/kind/enum", json!(["a", "b"])),
            (ORDER, "/properties/lines/maxItems", json!(5)),
        ];
        for (base, place, value) in cases {
            assert_eq!(changed(&[(base, place, value.clone())]), [""; 0], "{base}{place} = {value}");
        }
        assert_eq!(changed(&[]), [""; 0]);
    }

    #[test]
    fn a_part_of_a_path_may_be_called_otherwise() {
        let text = contract().to_string().replace("{id}", "{orderId}");
        let mut new: Value = text.parse().unwrap();
        new["paths"]["/orders/{orderId}"]["post"]["parameters"][0]["name"] = json!("orderId");
        assert_eq!(breaking_changes(&contract(), &new), []);
        let parameter = &mut new["paths"]["/orders/{orderId}"]["post"]["parameters"][0];
        parameter["schema"]["maxLength"] = json!(3);
        let changes = breaking_changes(&contract(), &new);
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert_eq!(changes[0].what, "parameter id is stricter in its maxLength");
    }

    #[test]
    fn an_entry_under_changed_or_breaking_announces_what_it_names() {
        let changelog = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- `GET /a`.\n\n### Changed\n\n- `POST /orders` and\n  \
                         `GET /b` answer `x`.\n\n### Breaking\n\n- `PUT /c`\n\n## [0.1.0] - 2026-12-01\n\n### Changed\n\n- `GET /d`\n";
        assert_eq!(announced(changelog), ["GET /b", "POST /orders", "PUT /c", "x"].map(str::to_owned).into());
        assert_eq!(newest_release(changelog), Some("0.1.0"));
        assert_eq!(newest_release("# Changelog\n\n## [Unreleased]\n"), None);
    }
}
