//! Which crate may know which, and where a service's name may stand: what `docs/architecture.md` calls the code map,
//! held.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;
use tests::files::files_under;
use tests::template::{Binary, path, text};

/// What a service may know of others, besides what stands under `shared/`, which everyone may know.
const ARROWS: [(&str, &str); 44] = [
    // Whoever signs up has a profile.
    ("auth", "users"),
    // A cart is about offers, and becomes an order of somebody who has a profile.
    ("carts", "offers"),
    ("carts", "orders"),
    // Its order may be paid by card.
    ("carts", "payments"),
    ("carts", "promotions"),
    ("carts", "settings"),
    ("carts", "users"),
    // An order takes stock, and keeps how to reach its buyer.
    ("orders", "offers"),
    ("orders", "users"),
    // What a seller has of the shop is counted: what was sold, and which products wait for an admin or run low.
    ("orders", "products"),
    // It costs what a coupon, the ways of sending and the taxes make of it, and gives the coupon back.
    ("orders", "promotions"),
    ("orders", "settings"),
    // A payment pays an order, and ends it with its money.
    ("payments", "orders"),
    // Whether an admin still is one.
    ("banners", "users"),
    ("categories", "users"),
    ("payments", "users"),
    ("products", "users"),
    ("promotions", "users"),
    ("settings", "users"),
    // A product is sold on the terms of its offer.
    ("products", "offers"),
    // A review is of a product, and by whoever has an order of it; admins hide it.
    ("reviews", "orders"),
    ("reviews", "products"),
    ("reviews", "users"),
    // What is said of a product counts for its store.
    ("reviews", "stores"),
    // A product may be in a store, and so its offer; what is in one can be ordered while the store is published.
    ("carts", "stores"),
    ("offers", "stores"),
    ("orders", "stores"),
    ("products", "stores"),
    ("stores", "users"),
    ("webhooks", "users"),
    // A coupon may be for some products.
    ("promotions", "offers"),
    // What is found is what is for sale, on the terms of today.
    ("search", "offers"),
    ("search", "products"),
    ("search", "stores"),
    // People are told of orders, of what they sell, and of stores.
    ("inbox", "offers"),
    ("inbox", "orders"),
    ("inbox", "stores"),
    // Whoever listens says of what.
    ("inbox", "users"),
    // A page tells search engines what it is about.
    ("pages", "categories"),
    ("pages", "products"),
    ("pages", "stores"),
    // The contract that it serves is put together when it is built.
    ("platform", "contract"),
    // How the shop does is what it sold, and how late its index is.
    ("platform", "orders"),
    ("platform", "search"),
];

/// Services that tell of others, and so may know any of them. Nobody knows these.
const ROOTS: [&str; 3] = ["accounts", "events", "notifications"];

/// What only `shared` may depend on: how a function is run, and how AWS and others are reached, are its to know.
const OF_SHARED: [&str; 6] =
    ["aws-config", "aws-smithy-http-client", "axum", "lambda_http", "lambda_runtime", "reqwest"];

/// The services there are and those that are on their way, by the names of their crates.
const SERVICES: [&str; 22] = [
    "accounts",
    "activity",
    "auth",
    "banners",
    "carts",
    "categories",
    "events",
    "inbox",
    "notifications",
    "offers",
    "orders",
    "pages",
    "payments",
    "platform",
    "products",
    "promotions",
    "reviews",
    "search",
    "settings",
    "stores",
    "users",
    "webhooks",
];

/// Where a crate lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    /// `shared/`: for everyone.
    Shared,
    /// `functions/<service>/`.
    Service,
    /// `infra/` and `tests/`: nobody depends on these but they themselves.
    Outside,
}

/// A crate of this workspace.
struct Package {
    room: Room,
    /// What it depends on to run, to be built and to be tested.
    needs: BTreeSet<String>,
}

/// What `cargo metadata` says.
#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    packages: Vec<Manifest>,
}

#[derive(Deserialize)]
struct Manifest {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
}

/// All crates of this workspace, as Cargo reads their manifests.
fn packages() -> BTreeMap<String, Package> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let metadata = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
    let output = Command::new(cargo).args(metadata).current_dir(path("")).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let Metadata { workspace_root, packages } =
        serde_json::from_slice(&output.stdout).expect("the form of Cargo's metadata");
    let package = |manifest: Manifest| {
        let folder =
            manifest.manifest_path.strip_prefix(&workspace_root).ok().and_then(|path| path.iter().next());
        let room = match folder.and_then(|folder| folder.to_str()) {
            Some("shared") => Room::Shared,
            Some("functions") => Room::Service,
            _ => Room::Outside,
        };
        let needs = manifest.dependencies.into_iter().map(|need| need.name).collect();
        (manifest.name, Package { room, needs })
    };
    packages.into_iter().map(package).collect()
}

#[test]
fn arrows_between_crates_point_one_way() {
    let all = packages();
    let mut wrong = Vec::new();
    for (name, package) in &all {
        // A crate may need itself, with a feature for its own tests.
        let others = package.needs.iter().filter(|need| *need != name);
        for (need, needed) in others.filter_map(|need| Some((need, all.get(need)?))) {
            let is_root = |name: &str| ROOTS.contains(&name);
            let may = match (package.room, needed.room) {
                (Room::Outside, _) | (_, Room::Shared) => true,
                (Room::Service, Room::Service) if is_root(name) => !is_root(need),
                (Room::Service, _) => ARROWS.contains(&(name, need)),
                (Room::Shared, _) => false,
            };
            if !may {
                wrong.push(format!("{name} → {need}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn only_shared_knows_how_functions_run_and_reach_others() {
    let services = packages().into_iter().filter(|(_, package)| package.room == Room::Service);
    let wrong: Vec<_> = services
        .flat_map(|(name, package)| {
            let taken = package.needs.into_iter().filter(|need| OF_SHARED.contains(&need.as_str()));
            taken.map(move |need| format!("{name} → {need}"))
        })
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn shared_names_no_service() {
    let services = packages().into_iter().filter(|(_, package)| package.room == Room::Service);
    let mut names: BTreeSet<String> = services.map(|(name, _)| name).collect();
    names.extend(SERVICES.map(str::to_owned));
    // A list has pages as well.
    names.remove("pages");
    let mut wrong = Vec::new();
    for file in
        files_under("shared").into_iter().filter(|file| file.ends_with(".rs") || file.ends_with(".toml"))
    {
        for (number, line) in text(&file).lines().enumerate() {
            // The crate of AWS's events, a module of it, names of the SDK and a claim of OpenID Connect are called so
            // by others.
            let line = line.replace("aws_lambda_events", "").replace("cloudwatch_events", "");
            let line = line.replace("HttpConnectorSettings", "").replace("connector_settings", "");
            let line = line.replace("auth_time", "").replace("SigningSettings", "").replace(".settings(", "");
            let named = words(&line).into_iter().filter(|word| names.contains(word));
            wrong.extend(named.map(|name| format!("{file}:{}: {name}", number + 1)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_binary_is_wiring() {
    const MOST_LINES: usize = 40;
    const OF_LIBRARIES: [&str; 4] = ["for", "loop", "match", "while"];
    let mut wrong = Vec::new();
    for binary in Binary::all() {
        let text = binary.text();
        let lines = text.lines().count();
        if lines > MOST_LINES {
            wrong.push(format!("{} has {lines} lines", binary.name));
        }
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            // Every second part of a line that is split at its quotation marks is a text.
            let code: String = line.split('"').step_by(2).collect();
            let mut found = code.split(|c: char| !c.is_alphanumeric() && c != '_');
            wrong.extend(
                found.find(|word| OF_LIBRARIES.contains(word)).map(|word| format!("{}: {word}", binary.name)),
            );
        }
    }
    assert!(wrong.is_empty(), "a use case belongs to its service's library: {wrong:#?}");
}

/// How many parts the state has that each handler of this code is made with: `State<(Admins, Selling)>` has two, as has
/// `(limits, users): (Limits, Users)` where no HTTP is.
fn parts_of_states(code: &str) -> Vec<usize> {
    let handlers = code.split("async fn ").skip(1).filter(|rest| !rest.starts_with("main("));
    let types = handlers.filter_map(|rest| {
        let signature = &rest[..rest.find("{\n").unwrap_or(rest.len())];
        match signature.split_once(": State<") {
            Some((_, state)) => Some(state),
            None => Some(signature.split_once('(')?.1.trim_start().strip_prefix('(')?.split_once("): ")?.1),
        }
    });
    types.map(parts).collect()
}

/// The parts of the type with which a text begins.
fn parts(text: &str) -> usize {
    let Some(tuple) = text.strip_prefix('(') else { return 1 };
    let (mut depth, mut parts) = (0, 1);
    for c in tuple.chars() {
        match c {
            '(' | '<' | '[' => depth += 1,
            ')' if depth == 0 => break,
            ')' | '>' | ']' => depth -= 1,
            ',' if depth == 0 => parts += 1,
            _ => {}
        }
    }
    parts
}

#[test]
fn the_state_of_a_function_has_three_parts_at_most() {
    const MOST: usize = 3;
    let all: Vec<_> =
        Binary::all().into_iter().map(|binary| (parts_of_states(&binary.text()), binary.name)).collect();
    let wrong: Vec<_> = all.iter().filter(|(counts, _)| counts.iter().any(|count| *count > MOST)).collect();
    assert!(wrong.is_empty(), "name what belongs together: {wrong:#?}");
    // The rule is no rule if it reads no state: most have one, and some have as many as they may.
    let states = all.iter().flat_map(|(counts, _)| counts);
    assert!(states.clone().count() > 70, "{all:#?}");
    assert!(states.clone().any(|count| *count == MOST), "{all:#?}");
}

#[test]
fn the_parts_of_a_state_are_counted_where_it_enters() {
    let http =
        "async fn f(\n    State((a, b)): State<(A, B<C, D>)>,\n    Input(x): Input<(X, Y, Z)>,\n) -> R {\n";
    let event = "async fn f(\n    (a, b, c): (A, B, (C, D)),\n    now: Timestamp,\n) -> R {\n";
    let one = "async fn f(State(a): State<A>) -> R {\n    let State((x, y)): State<(X, Y)>;";
    let none = "async fn f(uri: Uri) -> R {\n";
    let named = "async fn f(a: A, event: E) -> R {\n";
    let counts = [http, event, one, none, named].map(parts_of_states);
    assert_eq!(counts, [vec![2], vec![3], vec![1], vec![], vec![]]);
    assert_eq!(parts_of_states(&format!("{http}}}\n{event}")), [2, 3]);
}

/// The words of a line in lower case, also those that a name is made of: `about_order` and `AboutOrder` are two.
fn words(line: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let mut word = String::new();
    let mut was_lower = false;
    for c in line.chars().chain([' ']) {
        if !c.is_alphanumeric() || c.is_uppercase() && was_lower {
            words.insert(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase();
    }
    words
}

#[test]
fn names_are_taken_apart_into_words() {
    let expected = ["", "about", "order", "orders", "store"].map(str::to_owned);
    assert_eq!(words("about_order(OrdersStore)"), BTreeSet::from(expected));
}
