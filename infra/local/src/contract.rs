//! The contract against the running API: schemathesis makes requests of all sorts from what `GET /openapi.json` says,
//! as a visitor, as a customer and as an admin, and holds each answer against it.
//!
//! All its checks are on, but one that is replaced by a check that knows API Gateway: `schemathesis_hooks.py`. What the
//! contract says itself is told to it: `x-refuses-what-fits` names the operations that may answer 422, or 400 where
//! they have no fields, to a request that fits its schema, and why. And `jsonschema`, which comes with the SAM CLI, is
//! asked whether it takes prices.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::Value;
use tokio::process::Command;

use crate::deploy::ADMIN;
use crate::shop::Shop;
use crate::tools::{SAM, SCHEMATHESIS, Tool};
use crate::{say, seed};

/// What it is called among the tests.
const NAME: &str = "schemathesis_finds_no_fault_in_the_contract_as";
const HOOKS: &str = include_str!("schemathesis_hooks.py");
const PRICES: &str = include_str!("prices.py");

/// How many random requests of each operation, and how many in a thorough run; [`MAX_EXAMPLES`] is for a longer run by
/// hand.
const FEW: &str = "1";
const MANY: &str = "3";
const MAX_EXAMPLES: &str = "SCHEMATHESIS_MAX_EXAMPLES";

/// The same requests in each run.
const OPTIONS: [&str; 13] = [
    "--phases=examples,coverage,fuzzing",
    "--seed=20261121",
    "--generation-deterministic",
    "--checks=all",
    // `undeclared_method_is_refused` of the hooks stands for it.
    "--exclude-checks=unsupported_method",
    // Threads of one Python share one processor, and Python 3.11 trips over `ast.parse` in two of them.
    "--workers=1",
    "--continue-on-failure",
    "--request-timeout=30",
    "--suppress-health-check=all",
    "--warnings=off",
    "--output-sanitize=true",
    "--no-color",
    "--report=junit",
];

/// Who asks, and so what is asked of everybody: see [`config`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Has not signed in.
    Visitor,
    /// Is let in by everything but what is an admin's alone.
    Customer,
    Admin,
}

impl Who {
    const fn name(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Customer => "customer",
            Self::Admin => "admin",
        }
    }
}

/// What it found, as a test would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed,
}

/// Whether the arguments of `cargo local test` ask for it: they name no test, or a part of its name.
pub(crate) fn is_asked_for(filter: &[String]) -> bool {
    let mut named = filter.iter().filter(|argument| !argument.starts_with('-')).peekable();
    named.peek().is_none() || named.any(|name| NAME.contains(name.as_str()))
}

/// Runs it against the shop at `url` as everybody, and holds prices against the contract. `scratch` is for what they
/// write.
///
/// # Errors
/// It cannot be installed or started, or the shop does not answer.
pub(crate) async fn check(url: &str, scratch: &Path, thorough: bool) -> Result<Vec<Verdict>> {
    SCHEMATHESIS.install().await?;
    say::out!("\n{}", say::paint("1", "── schemathesis"));
    let shop = Shop::at(url);
    let contract = shop.want(Method::GET, "/openapi.json", None, &Value::Null).await?.body;
    std::fs::create_dir_all(scratch)?;
    std::fs::write(scratch.join("schemathesis_hooks.py"), HOOKS)?;
    let examples = std::env::var(MAX_EXAMPLES);
    let examples = examples.unwrap_or_else(|_| if thorough { MANY } else { FEW }.to_owned());
    // All at once: what one invents while the shop answers another costs no time.
    let as_one = async |who: Who, email: Option<&str>| {
        std::fs::write(scratch.join(format!("{}.toml", who.name())), config(&contract, who)?)?;
        let token = match email {
            Some(email) => shop.sign_in_for_access(email).await?,
            None => String::new(),
        };
        run(SCHEMATHESIS, url, scratch, (who.name(), &token), &examples).await
    };
    let (visitor, customer, admin) = tokio::try_join!(
        as_one(Who::Visitor, None),
        as_one(Who::Customer, Some(seed::BUYER.email)),
        as_one(Who::Admin, Some(ADMIN)),
    )?;
    Ok(vec![visitor, customer, admin, prices(&contract, scratch).await?])
}

/// Whether a validator that computes in doubles takes every price.
async fn prices(contract: &Value, scratch: &Path) -> Result<Verdict> {
    SAM.install().await?;
    std::fs::write(scratch.join("contract.json"), contract.to_string())?;
    std::fs::write(scratch.join("prices.py"), PRICES)?;
    let mut python = Command::from(SAM.command("python", scratch));
    python.args(["prices.py", "contract.json"]).current_dir(scratch).kill_on_drop(true);
    let output = python.output().await.context("cannot start Python")?;
    let (verdict, word) =
        if output.status.success() { (Verdict::Passed, "ok") } else { (Verdict::Failed, "FAILED") };
    say::out!("{}test jsonschema_takes_every_price ... {word}", String::from_utf8_lossy(&output.stderr));
    Ok(verdict)
}

async fn run(
    tool: Tool,
    url: &str,
    scratch: &Path,
    (who, token): (&str, &str),
    examples: &str,
) -> Result<Verdict> {
    let started = Instant::now();
    let mut command = Command::from(tool.command("schemathesis", scratch));
    command.arg("--config-file").arg(scratch.join(format!("{who}.toml")));
    command.args(["run", &format!("{url}/openapi.json"), "--url", url]).args(OPTIONS);
    command.arg(format!("--max-examples={examples}"));
    command.arg("--report-junit-path").arg(scratch.join(format!("schemathesis-{who}.xml")));
    // Not as an argument: everyone on this machine can read those.
    command.env("TOKEN", token).env("SCHEMATHESIS_HOOKS", "schemathesis_hooks").env("PYTHONPATH", scratch);
    let output = command.current_dir(scratch).kill_on_drop(true).output();
    let output = output.await.context("cannot start schemathesis")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let took = say::seconds(started.elapsed());
    if output.status.success() {
        let summary = said.lines().find(|line| line.contains("generated,")).unwrap_or_default().trim();
        say::out!("test {NAME}_{who} ... ok ({summary}; {took})");
        return Ok(Verdict::Passed);
    }
    say::out!("{said}{}", String::from_utf8_lossy(&output.stderr));
    say::out!("test {NAME}_{who} ... FAILED ({took})");
    Ok(Verdict::Failed)
}

/// The configuration for one of them, with what the contract says of its operations.
///
/// A visitor asks only what needs no token, since all else is refused alike; the others get examples and random
/// requests of all operations. The phase "coverage", every bound of every field, is by far the longest, and a caller
/// who may not ask is refused before any field is read: so each operation is covered by one of them, the least of those
/// who are let in.
fn config(contract: &Value, who: Who) -> Result<String> {
    // Where a browser is sent is an answer of somebody else's.
    let mut config = "max-redirects = 0\n\n".to_owned();
    if who != Who::Visitor {
        config += "[headers]\nAuthorization = \"Bearer ${TOKEN}\"\n\n";
    }
    config += "\
        # 413: what is too long for its field may be too long for any body.\n\
        [checks.negative_data_rejection]\n\
        expected-statuses = [400, 401, 403, 404, 405, 409, 413, 415, 422, 429]\n";
    let paths = contract["paths"].as_object().context("the contract has no paths")?;
    for operation in paths.values().filter_map(Value::as_object).flat_map(|item| item.values()) {
        let Some(id) = operation["operationId"].as_str() else { continue };
        write!(config, "\n[[operations]]\ninclude-operation-id = \"{id}\"\n")?;
        let least = match operation["x-who"].as_str() {
            Some("public") => Who::Visitor,
            Some("admin") => Who::Admin,
            _ => Who::Customer,
        };
        // Whoever has deleted their own account would be let in nowhere after it.
        if who == Who::Visitor && least != who || operation["x-ends-the-caller"] == true {
            config += "enabled = false\n";
            continue;
        }
        writeln!(config, "phases.coverage.enabled = {}", least == who)?;
        let why = operation["x-refuses-what-fits"].as_str();
        let versions = operation["responses"].get("412").map(|_| "`If-Match` may name another version.");
        // What has no fields to be told of is refused as a whole.
        let refusal = if operation["responses"].get("422").is_some() { "422, " } else { "400, " };
        let refusals = [(versions, "412, "), (why, refusal)];
        let (whys, statuses): (Vec<_>, String) =
            refusals.into_iter().filter_map(|(why, status)| Some((why?, status))).unzip();
        if !whys.is_empty() {
            let (why, statuses) =
                (whys.join(" "), format!("[\"2xx\", \"3xx\", 401, 403, 404, 409, {statuses}429]"));
            writeln!(config, "# {why}\nchecks.positive_data_acceptance.expected-statuses = {statuses}")?;
        }
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn it_runs_with_all_tests_or_by_a_part_of_its_name() {
        let asked = |arguments: &[&str]| {
            is_asked_for(&arguments.iter().map(|&argument| argument.to_owned()).collect::<Vec<_>>())
        };
        assert!(asked(&[]));
        assert!(asked(&["--test-threads=1"]));
        assert!(asked(&["contract"]));
        assert!(asked(&["schemathesis", "--nocapture"]));
        assert!(!asked(&["cancel"]));
    }

    #[test]
    fn only_what_the_contract_explains_may_refuse_what_fits() {
        let contract = json!({ "paths": { "/a": {
            "get": { "operationId": "getA", "x-who": "user" },
            "put": {
                "operationId": "putA", "x-who": "user", "x-refuses-what-fits": "The code may be wrong.",
                "responses": { "422": {} },
            },
            "post": { "operationId": "postA", "x-who": "public", "x-refuses-what-fits": "It is signed." },
        } } });
        let config = config(&contract, Who::Customer).unwrap();
        assert_eq!(config.matches("positive_data_acceptance").count(), 2);
        let (_, signed) = config.split_once("# It is signed.\n").unwrap();
        assert!(signed.lines().next().unwrap().contains(", 400, "), "{signed}");
        let (before, after) = config.split_once("# The code may be wrong.\n").unwrap();
        assert!(
            before.ends_with("include-operation-id = \"putA\"\nphases.coverage.enabled = true\n"),
            "{before}"
        );
        assert!(after.contains(", 422, "), "{after}");
    }

    #[test]
    fn every_operation_is_covered_by_the_least_who_is_let_in() {
        let contract = json!({ "paths": { "/a": {
            "get": { "operationId": "getA", "x-who": ["owner", "admin"] },
            "put": { "operationId": "putA", "x-who": "admin" },
            "post": { "operationId": "postA", "x-who": "public" },
        } } });
        for (who, covered) in [(Who::Customer, "getA"), (Who::Admin, "putA"), (Who::Visitor, "postA")] {
            let config = config(&contract, who).unwrap();
            let wanted = format!("\"{covered}\"\nphases.coverage.enabled = true\n");
            assert!(config.contains(&wanted), "{config}");
            assert_eq!(config.matches("coverage.enabled = true").count(), 1, "{config}");
            let is_visitor = who == Who::Visitor;
            assert_eq!(
                config.matches("\nenabled = false").count(),
                if is_visitor { 2 } else { 0 },
                "{config}"
            );
            assert_eq!(config.contains("Authorization"), !is_visitor, "{config}");
        }
    }
}
