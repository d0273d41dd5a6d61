//! What finding products takes: the first search of a new function, which loads the whole index, the next ones, and how
//! soon a changed product is found. Against the emulator, which answers in milliseconds as S3 and DynamoDB do: nothing
//! here is answered from recordings.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use axum::body::Bytes;
use local::say;
use serde::Serialize;
use serde_json::{Value, json};

use super::contest::{Effort, Programs};
use super::events;
use super::figures::{megabytes, percentile};
use super::function::{Function, Program};
use super::index;
use super::report::{Target, mb, ms};
use super::scene::{self, Scene};

pub(super) const SEARCH: &str = "search-products";
pub(super) const INDEX: &str = "index-products";

/// Of how many products there is an index in turn.
const SIZES: [u64; 2] = [10_000, 100_000];

/// How many of them are in the tables as well, where they are for sale.
const KNOWN: u32 = 100;

/// As `search::files` cuts its files.
const OBJECT: usize = 4 * 1024 * 1024;

/// How long Lambda collects records before it calls the indexer: the window of the template, and its own polling.
const COLLECTED: Duration = Duration::from_millis(1_200);

/// What people look for.
const QUERIES: [&str; 6] =
    ["mug", "stoneware mug", "shoes", "leather wallet", "wireles headphones", "coffee"];

/// Finding among so many products.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    /// How many there are.
    pub products: u64,
    /// How large the index is.
    pub index_mb: f64,
    /// From the start of the process to its first answer, at the median and at worst.
    pub cold_ms: (f64, f64),
    /// The next answers, at the median and in 99 of 100.
    pub warm_ms: (f64, f64),
    /// Their processor time on average.
    pub cpu_ms: f64,
    /// The most memory.
    pub memory_mb: f64,
    /// From a change until it is found, in 99 of 100.
    pub found_after_ms: f64,
    /// How large the larger of both binaries is.
    pub binary_mb: f64,
}

/// What is wanted of the largest of them, and whether it was reached.
pub(super) fn targets(found: &[Found]) -> Vec<Target> {
    let Some(found) = found.last() else { return Vec::new() };
    let target = |what, bound, reached: String, met| Target { what, bound, reached, met };
    let ((cold, _), after, binary) = (found.cold_ms, found.found_after_ms, found.binary_mb);
    vec![
        target("first answer of a search in 100,000 products", "350 ms", ms(cold), cold <= 350.0),
        target("a changed product is found, in 99 of 100", "5,000 ms", ms(after), after <= 5_000.0),
        target("binaries of the search", "13 MB", mb(binary), binary <= 13.0),
    ]
}

/// Measures it, if one of its functions is wanted.
///
/// # Errors
/// The emulator or a function fails.
pub(super) async fn measure(
    scene: &Scene,
    programs: &Programs,
    is_wanted: impl Fn(&str) -> bool,
    effort: Effort,
) -> Result<Vec<Found>> {
    if !is_wanted(SEARCH) && !is_wanted(INDEX) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for products in SIZES {
        let what = format!("Searching {products} products");
        found.push(say::step(&what, among(scene, programs, products, effort)).await?);
    }
    Ok(found)
}

async fn among(scene: &Scene, programs: &Programs, products: u64, effort: Effort) -> Result<Found> {
    let file = programs.logs.join("index");
    index::write(&file, products, (1..=KNOWN).map(|number| [scene::id(number), scene::name(number)])).await?;
    let base = std::fs::read(&file).context("read the index")?;
    let index_mb = megabytes(base.len() as u64);
    place(scene, &base, products).await?;
    let program = |name: &str| {
        let binary = programs.binaries.join(name);
        let environment = scene.environment.clone();
        Program { command: binary.clone(), arguments: vec![], files: vec![binary], environment }
    };
    let (searching, indexing) = (program(SEARCH), program(INDEX));
    let (mut cold, mut warm, mut cpu, mut memory) = (Vec::new(), Vec::new(), Duration::ZERO, 0);
    for round in 0..effort.rounds {
        let mut function = start(programs, &searching).await?;
        let first = function.call(&events::search("mug")).await?;
        answered(&first.body)?;
        cold.push(function.initialisation + first.took);
        let before = function.cpu()?;
        for query in QUERIES.iter().cycle().skip(round as usize).take(effort.requests as usize) {
            let answer = function.call(&events::search(query)).await?;
            answered(&answer.body)?;
            warm.push(answer.took);
        }
        cpu += function.cpu()? - before;
        memory = memory.max(function.peak_memory()?);
    }
    let mut after = found_after(scene, programs, (&searching, &indexing), effort).await?;
    let sizes = [&searching, &indexing].map(|program| std::fs::metadata(&program.command).map(|it| it.len()));
    let requests = f64::from((effort.rounds * effort.requests).max(1));
    Ok(Found {
        products,
        index_mb,
        cold_ms: (percentile(&mut cold, 50), percentile(&mut cold, 100)),
        warm_ms: (percentile(&mut warm, 50), percentile(&mut warm, 99)),
        cpu_ms: cpu.as_secs_f64() * 1000.0 / requests,
        memory_mb: megabytes(memory),
        found_after_ms: percentile(&mut after, 99),
        binary_mb: megabytes(sizes.into_iter().flatten().max().unwrap_or_default()),
    })
}

/// Has a product called otherwise again and again, and gives how long it took each time until it was found so.
async fn found_after(
    scene: &Scene,
    programs: &Programs,
    (searching, indexing): (&Program, &Program),
    effort: Effort,
) -> Result<Vec<Duration>> {
    let mut search = start(programs, searching).await?;
    let mut index = start(programs, indexing).await?;
    let mut after = Vec::new();
    for turn in 0..effort.requests.clamp(1, 50) {
        let (old, mut new) = (scene::product(1, "A mug."), scene::product(1, "A mug."));
        let word = format!("zq{turn}x{}", std::process::id());
        new["productName"]["S"] = json!(word);
        scene.put("PRODUCTS_TABLE", vec![new.clone()]).await?;
        let changed = Instant::now();
        let (table, key) = (scene.variable("PRODUCTS_TABLE")?, json!({ "id": { "S": scene::id(1) } }));
        let told = index.call(&events::changed(table, &key, &old, &new)).await?;
        let told: Value = serde_json::from_slice(&told.body).unwrap_or_default();
        ensure!(told["batchItemFailures"].as_array().is_none_or(Vec::is_empty), "it was not indexed: {told}");
        let page = answered(&search.call(&events::search(&word)).await?.body)?;
        ensure!(page["products"][0]["productName"] == word, "it was not found: {page}");
        after.push(COLLECTED + changed.elapsed());
    }
    Ok(after)
}

async fn start(programs: &Programs, program: &Program) -> Result<Function> {
    let name = program.command.file_name().unwrap_or_default();
    Function::start(program, &programs.logs.join(Path::new(name).with_extension("log"))).await
}

/// The page that a search answered.
fn answered(body: &Bytes) -> Result<Value> {
    let answer: Value = serde_json::from_slice(body).context("an answer of Lambda's")?;
    ensure!(answer["statusCode"] == 200, "it answered {answer}");
    let page = answer["body"].as_str().context("a body")?;
    serde_json::from_str(page).with_context(|| format!("a page: {page}"))
}

/// Puts a base where the functions look for it, and points to it.
async fn place(scene: &Scene, base: &[u8], products: u64) -> Result<()> {
    // Another file each time, as files never change.
    let file = scene::id(u32::try_from(products)?);
    let objects: Vec<_> = base.chunks(OBJECT).collect();
    for (number, object) in objects.iter().enumerate() {
        scene.put_object(&format!("index/{file}/{number}"), object.to_vec()).await?;
    }
    let number = |value: usize| json!({ "N": value.to_string() });
    let base = json!({ "id": { "S": file }, "bytes": number(base.len()), "objects": number(objects.len()) });
    let pointer = json!({
        "searchId": { "S": "index#1" }, "generation": { "N": products.to_string() }, "base": { "M": base },
        "deltas": { "L": [] }, "documents": { "N": products.to_string() },
        "updatedAt": { "S": "2026-11-21T00:00:00.000Z" }, "schemaVersion": { "N": "1" },
    });
    scene.put("SEARCH_TABLE", vec![pointer]).await
}
