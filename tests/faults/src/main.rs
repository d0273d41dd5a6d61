//! Shows that no order is lost, doubled or oversold, whatever fails: `cargo local test --faults`.
//!
//! A shop of its own runs on the emulated AWS and the simulated Stripe, and its functions reach both through the
//! [`proxy`], which by a [`plan`] makes calls go wrong in every way that a [`fault`] is. People buy, pay, sell and
//! cancel ([`workload`], [`cards`]); then nothing goes wrong any more and what is owed must be given ([`quiet`]); then
//! the [`invariants`] are counted from what people were answered ([`history`]) and what there is ([`world`],
//! [`books`]).
//!
//! What is promised and how it is shown: `docs/reliability.md`.

mod books;
mod call;
mod cards;
mod draws;
mod events;
mod exhaustive;
mod fault;
mod history;
mod inboxes;
mod invariants;
mod leaving;
mod plan;
mod proxy;
mod quiet;
mod receiver;
mod reviews;
mod sales;
mod texts;
mod tries;
mod unreadable;
mod workload;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use serde_json::json;
use tests::aws::{Aws, Undo};
use tests::shop::Shop;

use crate::exhaustive::{Choice, FAULTS, Table};
use crate::plan::Seeded;
use crate::proxy::{Happened, Proxy};
use crate::workload::Town;
use crate::world::World;

/// What `cargo local test --faults` passes on.
#[derive(Debug, Clone, Parser)]
struct Options {
    /// Where the functions find AWS and Stripe: the proxy's port.
    #[arg(long)]
    port: u16,
    /// The seed of a plan to repeat.
    #[arg(long)]
    seed: Option<u64>,
    /// How many orders to place.
    #[arg(long, default_value_t = 150)]
    orders: usize,
    /// How many faults to inject, at most.
    #[arg(long, default_value_t = 200)]
    faults: usize,
    /// The long run: at least 10,000 orders and 2,000 faults, and thorough.
    #[arg(long)]
    long: bool,
    /// Every call with every fault, and not some of them in turns.
    #[arg(long)]
    thorough: bool,
    /// One half of it alone.
    #[arg(long)]
    only: Option<Half>,
}

/// A half of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Half {
    /// Every call with its faults.
    Calls,
    /// People who buy and sell while faults come by the seed.
    People,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<bool> {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").context("AWS_ENDPOINT_URL is not set")?;
    let seed = options.seed.unwrap_or_else(new_seed);
    let shop = std::env::var("CARTWRIGHT_URL").context("CARTWRIGHT_URL is not set")?;
    let stripe = format!("{}/local/stripe/api", shop.trim_end_matches('/'));
    let proxy = Proxy::start(options.port, endpoint, stripe).await?;
    let begun = Instant::now();
    println!("seed {seed}");
    let aws = Aws::open().await;
    // What a consumer failed at comes again in seconds, and not in a minute and more.
    for (queue, seconds) in [
        ("OrdersQueueUrl", "4"),
        ("EmailsQueueUrl", "8"),
        ("ExportsQueueUrl", "8"),
        ("PurchasesQueueUrl", "4"),
        ("RatingsQueueUrl", "4"),
        ("SalesQueueUrl", "4"),
        ("StockQueueUrl", "4"),
        ("ActivityQueueUrl", "4"),
        ("MessagesQueueUrl", "4"),
        ("InboxQueueUrl", "4"),
        ("PushQueueUrl", "4"),
        // Within the five times that it comes, two of those who are at it may die, and the lease of each is to be over.
        ("TextsQueueUrl", "12"),
        ("PaymentsQueueUrl", "5"),
        ("RefundsQueueUrl", "5"),
        ("WebhookDeliveriesQueueUrl", "5"),
        ("WebhookEventsQueueUrl", "4"),
    ] {
        let soon = json!({ "QueueUrl": aws.output(queue), "Attributes": { "VisibilityTimeout": seconds } });
        aws.json("sqs", "AmazonSQS.SetQueueAttributes", soon).await;
    }
    // The long run takes longer than an hour, and nobody in it signs in anew.
    aws.lengthen_tokens().await;
    let town = Town::settle(Shop::open(), aws).await;
    unreadable::plant(&town).await;
    println!("{:>5.1} s  people and products are there", begun.elapsed().as_secs_f64());

    let (orders, faults) = if options.long {
        (options.orders.max(10_000), options.faults.max(2_000))
    } else {
        (options.orders, options.faults)
    };
    // Somebody who leaves has a past, which takes a while, and nobody waits for it.
    let leavers = (options.only != Some(Half::Calls)).then(|| tokio::spawn(town.clone().settle_leavers()));
    let mut table = Table::default();
    if options.only != Some(Half::People) {
        let choice = if options.thorough || options.long { Choice::All } else { Choice::Turns(seed) };
        table = exhaustive::play(&town, &proxy, choice).await;
        println!("{:>5.1} s  {}", begun.elapsed().as_secs_f64(), line(&table));
    }
    if let Some(leavers) = leavers {
        leavers.await.context("people were to leave")?;
        // About 25 calls an order, with what the others do meanwhile.
        let rate = (faults * 10_000 / (orders.max(1) * 25)).clamp(10, 3_000);
        // About 100 calls a person who leaves: each meets some faults, of which every third has a step fail.
        let plan = Seeded::new(seed, rate, faults).and_leaving(800, faults.div_ceil(2));
        proxy.follow(Arc::new(plan));
        let most = Duration::from_secs(if options.long { 3_600 } else { 75 });
        // Orders that the workflow ships, then orders that their sellers ship.
        for (half, by_hand, fulfilment) in [(0, false, "automatic"), (1, true, "manual")] {
            let mut changed = Vec::new();
            for function in ["create-order", "check-out-cart"] {
                let change = town.aws.change(function).await.env("FULFILMENT", fulfilment);
                changed.push(change.make().await);
            }
            let placed = town.live(seed + half, orders.div_ceil(2), by_hand, most).await;
            changed.into_iter().for_each(Undo::undo);
            let (seconds, calls) = (begun.elapsed().as_secs_f64(), proxy.calls());
            println!("{seconds:>5.1} s  {placed} {fulfilment} orders placed, {calls} calls");
        }
    }
    let settled = quiet::settle(&town, &proxy).await;
    println!("{:>5.1} s  settled in {:.1} s", begun.elapsed().as_secs_f64(), settled.as_secs_f64());

    let mut world = World::read(&town.aws, &town.shop).await;
    world.left = town.what_is_left().await;
    let in_the_way = unreadable::broken(&town).await;
    for (fault, count) in proxy.tally() {
        println!("         {count:>5} × {fault}");
    }
    show(&table);
    let mut broken = invariants::broken(&town.history, &world);
    broken.extend(in_the_way);
    let holds = report(seed, &options, &proxy, &world, &broken)?;
    Ok(holds && table.missed.is_empty() && table.stuck.is_empty())
}

fn line(table: &Table) -> String {
    let (pairs, played) = (table.pairs, table.played.values().sum::<usize>());
    format!("{played} of {pairs} pairs of a call and a fault played, {} missed", table.missed.len())
}

/// The table of docs/reliability.md.
fn show(table: &Table) {
    let functions: BTreeSet<_> = table.played.keys().map(|(function, _)| function).collect();
    for function in functions {
        let counts: Vec<_> = FAULTS
            .iter()
            .map(|(_, _, name)| table.played.get(&(function.clone(), *name)).copied().unwrap_or_default())
            .map(|count| format!("{count:>4}"))
            .collect();
        println!("         {function:<22} {:>3} calls {}", table.calls[function], counts.join(""));
    }
    for missed in &table.missed {
        println!("MISSED  {missed}");
    }
    for stuck in &table.stuck {
        println!("BROKEN  what a consumer fails at comes again: {stuck}");
    }
}

fn report(
    seed: u64,
    options: &Options,
    proxy: &Proxy,
    world: &World,
    broken: &[invariants::Broken],
) -> Result<bool> {
    let count = |status: &str| world.orders.values().filter(|order| order.status == status).count();
    println!(
        "         {} orders, {} by card: {} waiting, {} shipping, {} delivered, {} cancelled; {} emails, {} counted as \
         possibly sent twice; {} faults; {} dead letters",
        world.orders.len(),
        world.orders.values().filter(|order| order.by_card).count(),
        count("pending"),
        count("shipping"),
        count("delivered"),
        count("cancelled"),
        world.emails.values().map(Vec::len).sum::<usize>(),
        world.counted_duplicates,
        proxy.happened().len(),
        world.dead_letters.len(),
    );
    let gone = world.left.values().filter(|left| left.is_gone()).count();
    println!("         {gone} people gone, {} stay", world.left.len() - gone);
    let intents = world.stripe.intents.values();
    println!(
        "         {} payments: {} charged, {} refunds; {} left at Stripe",
        world.payments.len(),
        intents.clone().filter(|intent| !intent.charges.is_empty()).count(),
        intents.clone().map(|intent| intent.refunds.len()).sum::<usize>(),
        intents.map(|intent| intent.moved).sum::<i64>(),
    );
    if broken.is_empty() {
        println!("         every invariant holds");
        return Ok(true);
    }
    let happened = proxy.happened();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for broken in broken {
        let count = counts.entry(broken.invariant).or_default();
        *count += 1;
        if *count > 5 {
            continue;
        }
        println!("BROKEN  {}: {}: {}", broken.invariant, broken.about, broken.what);
        let about = |fault: &&Happened| !broken.about.is_empty() && fault.about.contains(&broken.about);
        for fault in happened.iter().filter(about).take(12) {
            println!("        {} {}: {}", fault.function, fault.signature, fault.fault);
        }
    }
    println!("        in all: {counts:?}");
    let (orders, faults) = (options.orders, options.faults);
    let size = match (options.long, options.thorough) {
        (true, _) => " --long",
        (false, true) => " --thorough",
        (false, false) => "",
    };
    println!(
        "\nThe same faults again: cargo local test --faults --seed {seed} --orders {orders} --faults {faults}{size}"
    );
    Ok(false)
}

#[expect(clippy::disallowed_methods, reason = "a seed that was not used lately")]
fn new_seed() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default() % 1_000_000
}
