//! Reads what is declared: the templates, the contract, the workflow, and the routes in the functions' code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use contract::{Contract, METHODS};
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Value, json};

/// A file or folder of this repository.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// The text of a file of this repository.
pub fn text(name: &str) -> String {
    let path = path(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A YAML file of this repository, with CloudFormation's tags in their long form: `!Ref X` is `{"Ref": "X"}`.
pub fn yaml(name: &str) -> Value {
    let text = text(name);
    let documents = Yaml::load_from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let [document] = documents.as_slice() else { panic!("{name} is not one document") };
    value(document)
}

fn value(node: &Yaml) -> Value {
    match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(yes)) => json!(yes),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::FloatingPoint(number)) => json!(number.into_inner()),
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Sequence(items) => items.iter().map(value).collect(),
        Yaml::Mapping(entries) => entries.iter().map(|(key, entry)| (key_text(key), value(entry))).collect(),
        Yaml::Tagged(tag, inner) => match tag.suffix.as_str() {
            "Ref" => json!({ "Ref": value(inner) }),
            "Condition" => json!({ "Condition": value(inner) }),
            function => json!({ format!("Fn::{function}"): value(inner) }),
        },
        Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => panic!("not plain YAML: {node:?}"),
    }
}

fn key_text(key: &Yaml) -> String {
    match value(key) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// `create-order` as the template's names have it: `CreateOrder`.
pub fn pascal(kebab: &str) -> String {
    let capitalized = |word: &str| word[..1].to_uppercase() + &word[1..];
    kebab.split('-').map(capitalized).collect()
}

/// One way to call the API, and who answers it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// `GET`, `POST`, …
    pub method: String,
    /// `/products/{id}`
    pub path: String,
    /// The binary: `get-product`.
    pub function: String,
}

/// A binary of a service: `functions/<service>/src/bin/<name>.rs`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Binary {
    /// `orders`
    pub service: String,
    /// `create-order`
    pub name: String,
}

impl Binary {
    /// All of them, by service and name.
    pub fn all() -> BTreeSet<Self> {
        let services = names_in(&path("functions"));
        let binaries = services.iter().flat_map(|service| {
            let files = names_in(&path(&format!("functions/{service}/src/bin")));
            files.into_iter().map(|file| Self {
                service: service.clone(),
                name: file.strip_suffix(".rs").expect("a binary is one file").to_owned(),
            })
        });
        binaries.collect()
    }

    /// Its code.
    pub fn text(&self) -> String {
        text(&format!("functions/{}/src/bin/{}.rs", self.service, self.name))
    }

    /// The first line of its documentation, without the marks of code.
    pub fn headline(&self) -> String {
        let text = self.text();
        let line = text.lines().next().and_then(|line| line.strip_prefix("//! "));
        line.unwrap_or_else(|| panic!("{}.rs does not begin with a doc line", self.name)).replace('`', "")
    }

    /// The routes that its code names: `http::post("/create-order", …).and("/orders")`.
    pub fn routes(&self) -> BTreeSet<Route> {
        let text = self.text();
        let method = ["get", "post", "put", "delete", "patch"]
            .into_iter()
            .find(|method| !literals_after(&text, &format!("http::{method}(")).is_empty());
        let Some(method) = method else { return BTreeSet::new() };
        let first = literals_after(&text, &format!("http::{method}("));
        let others = [".and(", ".or("].into_iter().flat_map(|way| literals_after(&text, way));
        let paths = first.into_iter().chain(others);
        // What takes the rest of a path has a mark of its own in each language; the contract knows none.
        let paths = paths.map(|path| path.replace("{*", "{"));
        paths.map(|path| Route { method: method.to_uppercase(), path, function: self.name.clone() }).collect()
    }
}

fn literals_after(text: &str, opening: &str) -> Vec<String> {
    let arguments = text.split(opening).skip(1);
    let literals = arguments.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split_once('"'));
    literals.map(|(literal, _)| literal.to_owned()).collect()
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("a readable folder").file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

/// A resource of one of the templates.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its logical id.
    pub id: String,
    /// The template where it stands: `infra/sales/template.yaml`.
    pub template: String,
    /// All that is declared of it; of a function also what its template's `Globals` declare.
    pub body: Value,
}

impl Resource {
    /// `AWS::SQS::Queue`
    pub fn kind(&self) -> &str {
        self.body["Type"].as_str().expect("a type")
    }

    /// One of its properties, or null.
    pub fn property(&self, name: &str) -> &Value {
        &self.body["Properties"][name]
    }

    /// A function's binary, from its `CodeUri`.
    pub fn binary(&self) -> &str {
        let root = if self.template == ROOT { "" } else { "../../" };
        let uri = self.property("CodeUri").as_str();
        let name =
            uri.and_then(|uri| uri.strip_prefix(root)?.strip_prefix("target/lambda/")?.strip_suffix('/'));
        name.unwrap_or_else(|| panic!("{}: CodeUri is not {root}target/lambda/<binary>/", self.id))
    }

    /// A function's events, by name.
    pub fn events(&self) -> Vec<(&str, &Value)> {
        let events = self.property("Events").as_object();
        events.into_iter().flatten().map(|(name, event)| (name.as_str(), event)).collect()
    }
}

/// The template that has the others in it.
pub const ROOT: &str = "template.yaml";

/// `template.yaml` and the templates of the stacks inside it, read as one.
pub struct Template {
    documents: BTreeMap<String, Value>,
    resources: Vec<Resource>,
}

impl Template {
    /// Reads them.
    pub fn read() -> Self {
        let root = yaml(ROOT);
        let inside = root["Resources"].as_object().expect("resources").values();
        let inside = inside.filter_map(|resource| resource["Properties"]["TemplateURL"].as_str());
        let mut documents: BTreeMap<_, _> = inside.map(|name| (name.to_owned(), yaml(name))).collect();
        documents.insert(ROOT.to_owned(), root);
        let resources = documents.iter().flat_map(|(template, document)| {
            let resources = document["Resources"].as_object().expect("resources");
            resources.iter().map(|(id, body)| {
                let mut body = body.clone();
                if body["Type"] == "AWS::Serverless::Function" {
                    let own = body["Properties"].take();
                    body["Properties"] = merged(document["Globals"]["Function"].clone(), own);
                }
                Resource { id: id.clone(), template: template.clone(), body }
            })
        });
        let resources = resources.collect();
        Self { documents, resources }
    }

    /// The templates as they are written, by name.
    pub fn documents(&self) -> &BTreeMap<String, Value> {
        &self.documents
    }

    /// Every resource.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The resources of a type.
    pub fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Resource> {
        self.resources.iter().filter(move |resource| resource.kind() == kind)
    }

    /// The functions.
    pub fn functions(&self) -> impl Iterator<Item = &Resource> {
        self.of("AWS::Serverless::Function")
    }

    /// The resource that a `!Ref` or a `!GetAtt` in one of the templates names in the end: through the parameters of a
    /// stack and the outputs of another. None for a parameter of the whole system.
    pub fn origin(&self, template: &str, reference: &Value) -> Option<&Resource> {
        let name = reference["Ref"].as_str().or(reference["Fn::GetAtt"].as_str())?;
        let (id, rest) = name.split_once('.').unwrap_or((name, ""));
        let here = self.resources.iter().find(|resource| resource.template == template && resource.id == id);
        if let (Some(stack), Some(output)) = (here, rest.strip_prefix("Outputs.")) {
            let inside = stack.property("TemplateURL").as_str().expect("a stack inside");
            let value = &self.documents[inside]["Outputs"][output]["Value"];
            assert!(!value.is_null(), "{template}: {name} is no output");
            return self.origin(inside, value);
        }
        here.or_else(|| {
            let stack = self.of("AWS::CloudFormation::Stack");
            let mut stack = stack.filter(|stack| *stack.property("TemplateURL") == template);
            self.origin(ROOT, &stack.next()?.property("Parameters")[id])
        })
    }

    /// The resource that a reference of `from` names.
    ///
    /// # Panics
    /// It names none.
    pub fn named_by(&self, from: &Resource, reference: &Value) -> &Resource {
        let named = self.origin(&from.template, reference);
        named.unwrap_or_else(|| panic!("{}: {reference} names no resource", from.id))
    }

    /// The resources that a value of `from` names anywhere in it.
    pub fn named_in(&self, from: &Resource, value: &Value) -> Vec<&Resource> {
        references(value).iter().filter_map(|reference| self.origin(&from.template, reference)).collect()
    }

    /// Who answers a route.
    pub fn function_of(&self, route: &Resource) -> &Resource {
        let target = references(route.property("Target"));
        let [target] = target.as_slice() else { panic!("{}: not one target", route.id) };
        let integration = self.named_by(route, target);
        self.named_by(integration, integration.property("IntegrationUri"))
    }

    /// The routes, each with whether it is public. `HEAD` is [`Self::heads`].
    pub fn routes(&self) -> BTreeSet<(Route, bool)> {
        self.routes_of_the_api().filter(|(route, _)| route.method != "HEAD").collect()
    }

    /// What answers `HEAD`, each with whether it is public.
    pub fn heads(&self) -> BTreeSet<(Route, bool)> {
        self.routes_of_the_api().filter(|(route, _)| route.method == "HEAD").collect()
    }

    /// Those of a kind of `AWS::ApiGatewayV2` that are of the HTTP API, and not of that of the WebSockets.
    pub fn of_http<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Resource> {
        self.of(kind).filter(move |one| match one.property("ApiId") {
            Value::Null => one.property("ProtocolType") == "HTTP",
            api => self.named_by(one, api).property("ProtocolType") == "HTTP",
        })
    }

    fn routes_of_the_api(&self) -> impl Iterator<Item = (Route, bool)> {
        self.of_http("AWS::ApiGatewayV2::Route").map(|route| {
            let key = route.property("RouteKey").as_str().and_then(|key| key.split_once(' '));
            let (method, path) = key.unwrap_or_else(|| panic!("{}: no method and path", route.id));
            let function = self.function_of(route).binary().to_owned();
            let is_public = route.property("AuthorizationType") != "JWT";
            (Route { method: method.to_owned(), path: path.replace("+}", "}"), function }, is_public)
        })
    }
}

/// What `Globals` say, and what a function says itself, as SAM puts them together.
fn merged(global: Value, own: Value) -> Value {
    match (global, own) {
        (Value::Object(mut all), Value::Object(own)) => {
            for (name, value) in own {
                let global = all.remove(&name).unwrap_or_default();
                all.insert(name, merged(global, value));
            }
            Value::Object(all)
        }
        (global, Value::Null) => global,
        (_, own) => own,
    }
}

/// The references in a value: each `!Ref` and `!GetAtt`, and those inside a `!Sub`. What AWS itself gives is left out.
pub fn references(value: &Value) -> Vec<Value> {
    let within_text = |text: &str| -> Vec<Value> {
        let names = text.split("${").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
        let names = names.filter(|name| !name.starts_with("AWS::"));
        names
            .map(
                |name| {
                    if name.contains('.') { json!({ "Fn::GetAtt": name }) } else { json!({ "Ref": name }) }
                },
            )
            .collect()
    };
    match value {
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Object(entries) => {
            let found = entries.iter().flat_map(|(key, entry)| match (key.as_str(), entry) {
                ("Ref", Value::String(name)) if name.starts_with("AWS::") => Vec::new(),
                ("Ref" | "Fn::GetAtt", _) => vec![json!({ key: entry })],
                ("Fn::Sub", Value::String(text)) => within_text(text),
                ("Fn::Sub", Value::Array(parts)) => {
                    let text = parts.first().and_then(Value::as_str).unwrap_or_default();
                    let given = parts.get(1).and_then(Value::as_object);
                    let mut found = within_text(text);
                    found.retain(|one| {
                        !given.is_some_and(|given| {
                            one["Ref"].as_str().is_some_and(|name| given.contains_key(name))
                        })
                    });
                    found.into_iter().chain(parts.iter().skip(1).flat_map(references)).collect()
                }
                (_, entry) => references(entry),
            });
            found.collect()
        }
        _ => Vec::new(),
    }
}

/// The contract of the API.
///
/// # Panics
/// When it cannot be read.
pub fn contract() -> Value {
    let contract = Contract::read().and_then(|contract| contract.to_value());
    contract.unwrap_or_else(|error| panic!("{error:#}"))
}

/// An operation of the contract.
#[derive(Debug, Clone)]
pub struct Operation {
    /// How it is called, and the function that answers.
    pub route: Route,
    /// Whether it needs no token.
    pub is_public: bool,
    /// Its `x-who`: `public`, `user`, `admin`, `owner`, or several of the last two.
    pub who: BTreeSet<String>,
    /// A body that it takes: the first example; null where it takes none.
    pub body: Value,
    /// Whether it cannot do without one.
    pub needs_body: bool,
    /// The members that such a body cannot do without, whatever else it has.
    pub required: BTreeSet<String>,
}

/// All of the contract's operations.
///
/// # Panics
/// When one of them does not say which function answers it.
pub fn operations() -> Vec<Operation> {
    let contract = contract();
    let paths = contract["paths"].as_object().expect("paths");
    let all = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("operations").iter();
        methods.filter(|(method, _)| METHODS.contains(&method.as_str())).map(move |found| (path, found))
    });
    let operation = |(path, (method, operation)): (&String, (&String, &Value))| {
        let function = operation["x-function"].as_str().unwrap_or_else(|| panic!("{path}: no x-function"));
        let security = operation.get("security").unwrap_or(&contract["security"]);
        Operation {
            route: Route { method: method.to_uppercase(), path: path.clone(), function: function.to_owned() },
            is_public: security.as_array().is_none_or(Vec::is_empty),
            who: contract::who(operation),
            body: example(&contract, &operation["requestBody"]),
            needs_body: resolved(&contract, &operation["requestBody"])["required"] == true,
            required: required(&contract, &operation["requestBody"]),
        }
    };
    all.map(operation).collect()
}

/// The first example of a request's body.
fn example(contract: &Value, body: &Value) -> Value {
    let body = resolved(contract, body);
    let media = &body["content"]["application/json"];
    let first = media["examples"].as_object().and_then(|examples| examples.values().next());
    match (media.get("example"), first) {
        (Some(example), _) => example.clone(),
        (None, Some(example)) => resolved(contract, example)["value"].clone(),
        (None, None) => Value::Null,
    }
}

/// What the schema of a request's body requires. Of several forms of a body, the first counts.
fn required(contract: &Value, body: &Value) -> BTreeSet<String> {
    let schema = &resolved(contract, body)["content"]["application/json"]["schema"];
    let mut schema = resolved(contract, schema);
    if schema.get("properties").is_none() {
        schema = resolved(contract, &schema["oneOf"][0]);
    }
    let names = schema["required"].as_array().into_iter().flatten();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What a `$ref` names, or the value itself.
fn resolved<'a>(contract: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => contract.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is not there")),
        None => value,
    }
}

/// The routes of the contract, each with whether it is public.
pub fn routes_of_the_contract() -> BTreeSet<(Route, bool)> {
    operations().into_iter().map(|operation| (operation.route, operation.is_public)).collect()
}
