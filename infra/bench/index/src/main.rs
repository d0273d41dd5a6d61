//! Measures indexes of so many synthetic products: `cargo local bench --index 100000,1000000`. Processor time, because
//! that is what other programs on the machine disturb least.
//!
//! With `--write FILE` it makes an index of so many instead, for the bench to put where functions look for it. The
//! first products are those of standard input: a line for each, of its id and its name.

use std::error::Error;
use std::io::BufRead;
use std::process::ExitCode;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use search::engine::synthetic::{Catalogue, Random};
use search::engine::{Bytes, Change, Document, EngineError, Index, ProductId, Query, Sort};

const QUERIES: u64 = 1000;

/// How large an index may be, in bytes a product, from so many products on: what is there once weighs on fewer.
const BYTES: (u64, u64) = (100_000, 200);

/// How many milliseconds of a processor the slowest hundredth of pages may take, up to so many products.
const PAGE: [(u64, f64); 2] = [(100_000, 3.0), (1_000_000, 15.0)];

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let outcome = match &arguments[..] {
        [option, file, count] if option == "--write" => write(file, count).map(|()| Vec::new()),
        counts => measure(counts).map_err(Into::into),
    };
    match outcome {
        Ok(missed) if missed.is_empty() => ExitCode::SUCCESS,
        Ok(missed) => {
            eprintln!("\nMissed: {}", missed.join("; "));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes an index of so many products.
fn write(file: &str, count: &str) -> Result<(), Box<dyn Error>> {
    let catalogue = Catalogue::new(1);
    let mut known = std::io::stdin().lock().lines();
    let mut documents = Vec::new();
    for number in 1..=count.parse()? {
        let document = catalogue.product(number);
        let known = known.next().transpose()?;
        documents.push(match known.as_deref().and_then(|line| line.split_once(' ')) {
            Some((id, name)) => {
                Document { product_id: id.parse::<ProductId>()?, name: name.to_owned(), ..document }
            }
            None => document,
        });
    }
    std::fs::write(file, Index::build(documents.into_iter())?)?;
    Ok(())
}

/// Measures indexes of so many products, and gives what missed its bound.
fn measure(counts: &[String]) -> Result<Vec<String>, EngineError> {
    println!(
        "| products | build | bytes each | open | first page | delta of 100: made, bytes, opened | merge of 8 | compact |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    let counts = counts.iter().filter_map(|count| count.parse().ok());
    let mut missed = Vec::new();
    let indexes = counts.map(|count| measure_writing(count, &mut missed)).collect::<Result<Vec<_>, _>>()?;
    println!();
    println!("| page of 20, ms of a processor: p50 / p99 | {} |", heading(&indexes));
    println!("| --- |{}", " --- |".repeat(indexes.len()));
    type Ask = fn(&Catalogue, u64, &mut Random) -> Query;
    let kinds: [(&str, Ask); 9] = [
        ("one word", |catalogue, n, random| ask(words(catalogue, n, random, 1))),
        ("two words", |catalogue, n, random| ask(words(catalogue, n, random, 2))),
        ("three words", |catalogue, n, random| ask(words(catalogue, n, random, 3))),
        ("two words, one misspelled", |catalogue, n, random| {
            ask(misspelled(&words(catalogue, n, random, 2), random))
        }),
        ("two words, by price, in stock", |catalogue, n, random| Query {
            sort: Sort::PriceAscending,
            in_stock: true,
            ..ask(words(catalogue, n, random, 2))
        }),
        ("beginning of three letters", |catalogue, n, random| {
            ask(words(catalogue, n, random, 1).chars().take(3).collect())
        }),
        ("words that no product has all", |catalogue, n, random| {
            ask(words(catalogue, n, random, 2) + " " + &words(catalogue, n + 1, random, 2))
        }),
        ("everything", |_, _, _| ask(String::new())),
        ("everything in stock, by price", |_, _, _| Query {
            sort: Sort::PriceAscending,
            in_stock: true,
            ..ask(String::new())
        }),
    ];
    for (name, query) in kinds {
        row(name, &indexes, &mut missed, |index, catalogue, n, random| {
            index.search(&query(catalogue, n, random)).map(drop)
        })?;
    }
    row("suggestions for two to four letters", &indexes, &mut missed, |index, catalogue, n, random| {
        let letters = 2 + random.below(3);
        let text: String = words(catalogue, n, random, 1).chars().take(letters).collect();
        index.suggest(&text, 8, &|_| false).map(drop)
    })?;
    Ok(missed)
}

fn measure_writing(count: u64, missed: &mut Vec<String>) -> Result<(u64, Index), EngineError> {
    let catalogue = Catalogue::new(1);
    let (base, build) = timed(|| Index::build(catalogue.products(count)));
    let base = base?;
    let size = base.len();
    let (from, most) = BYTES;
    let each = size as u64 / count;
    if count >= from && each > most {
        missed.push(format!("{each} bytes a product of {count}, where {most} are wanted"));
    }
    let base = Bytes::new(base);
    let (index, open) = timed(|| Index::open(base.clone(), &[]));
    let index = index?;
    // It unpacks the columns.
    let (page, first) = timed(|| index.search(&ask("black".into())));
    page?;
    let mut changed = index.clone();
    let mut made = Vec::new();
    for batch in 0..8 {
        let changes: Vec<Change> =
            (0..100).map(|n| Change::Put(catalogue.product((batch * 100 + n) * 7919 % count))).collect();
        let (delta, apply) = timed(|| changed.apply(&changes));
        let delta = delta?;
        let bytes = delta.len();
        let (with, opened) = timed(|| changed.with_delta(Bytes::new(delta)));
        changed = with?;
        made.push((apply, bytes, opened));
    }
    made.sort();
    let (apply, bytes, opened) = made[made.len() / 2];
    let (merged, merge) = timed(|| changed.merge_deltas());
    merged?;
    let (compacted, compact) = timed(|| changed.compact());
    compacted?;
    println!(
        "| {count} | {:.1} s | {} | {:.2} ms | {:.1} ms | {:.0} ms, {} KB, {:.2} ms | {:.0} ms | {:.1} s |",
        build.as_secs_f64(),
        size as u64 / count,
        millis(open),
        millis(first),
        millis(apply),
        bytes / 1000,
        millis(opened),
        millis(merge),
        compact.as_secs_f64(),
    );
    Ok((count, index))
}

fn heading(indexes: &[(u64, Index)]) -> String {
    indexes.iter().map(|(count, _)| count.to_string()).collect::<Vec<_>>().join(" | ")
}

/// Measures one kind of call in all indexes.
fn row(
    name: &str,
    indexes: &[(u64, Index)],
    missed: &mut Vec<String>,
    call: impl Fn(&Index, &Catalogue, u64, &mut Random) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let catalogue = Catalogue::new(1);
    let mut cells = Vec::new();
    for (count, index) in indexes {
        let mut times = Vec::new();
        for n in 0..QUERIES {
            let random = &mut Random::of(7, n);
            let product = random.next() % count;
            let (done, time) = timed(|| call(index, &catalogue, product, random));
            done?;
            times.push(time);
        }
        times.sort();
        let at = |share: usize| millis(times[times.len() * share / 100]);
        cells.push(format!("{:.2} / {:.2}", at(50), at(99)));
        let bound = PAGE.iter().find(|(most, _)| count <= most);
        if let Some((_, bound)) = bound.filter(|(_, bound)| at(99) > *bound) {
            missed.push(format!("{name} among {count}: {:.2} ms, where {bound} are wanted", at(99)));
        }
    }
    println!("| {name} | {} |", cells.join(" | "));
    Ok(())
}

fn ask(text: String) -> Query {
    Query { text, limit: 20, ..Query::default() }
}

/// Neighbouring words of a product's name.
fn words(catalogue: &Catalogue, n: u64, random: &mut Random, count: usize) -> String {
    let name = catalogue.product(n).name;
    let words: Vec<&str> = name.split(' ').collect();
    let begin = random.below(words.len().saturating_sub(count) + 1);
    words[begin..words.len().min(begin + count)].join(" ")
}

/// Two letters swapped.
fn misspelled(text: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    if letters.len() > 4 {
        let at = random.below(letters.len() - 2) + 1;
        letters.swap(at, at + 1);
    }
    letters.into_iter().collect()
}

fn timed<T>(call: impl FnOnce() -> T) -> (T, Duration) {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.try_into().unwrap_or_default(), time.tv_nsec.try_into().unwrap_or_default())
    };
    let before = now();
    let done = call();
    (done, now() - before)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
