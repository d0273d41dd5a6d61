//! `cargo local up` and `down`.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::cloud::{self, Cloud, Record};
use crate::process::{self, Process};
use crate::shop::Shop;
use crate::{build, deploy, emulator, needs, say, seed, watch};

/// The port of the shop, unless another is asked for.
const PORT: u16 = 3000;
/// The port of the emulated AWS, if it is free.
const GATEWAY_PORT: u16 = 4566;

/// The options of `cargo local up`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The port of the shop [default: 3000, or that of the last `up`]
    #[arg(long)]
    port: Option<u16>,
    /// Stay, and build and reload what changes.
    #[arg(long)]
    watch: bool,
    /// Forget all earlier data first.
    #[arg(long)]
    fresh: bool,
}

/// Runs `cargo local up`.
///
/// # Errors
/// What is missing, or did not start.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let cloud = Cloud::shop();
    let lock = cloud.lock()?;
    if options.fresh {
        take_down(&cloud).await?;
        cloud.forget()?;
    }
    let record = bring_up(&cloud, options.port).await?;
    drop(lock);
    welcome(&record);
    if options.watch {
        watch::run(&cloud).await?;
    }
    Ok(())
}

/// Runs `cargo local down`.
///
/// # Errors
/// Another command is at it.
pub(crate) async fn down() -> Result<()> {
    let cloud = Cloud::shop();
    let _lock = cloud.lock()?;
    let ran = take_down(&cloud).await?;
    say::note(if ran {
        "Stopped. `cargo local up` starts it again, with all it stored."
    } else {
        "Nothing was running."
    });
    Ok(())
}

/// The shop, started if it is not up.
///
/// # Errors
/// What is missing, or did not start.
pub(crate) async fn if_needed() -> Result<Record> {
    let cloud = Cloud::shop();
    let record = cloud.record();
    if answers(&record).await {
        return Ok(record);
    }
    let _lock = cloud.lock()?;
    bring_up(&cloud, None).await
}

/// Starts whatever of the shop is not up to date, from the tools to the seed.
async fn bring_up(cloud: &Cloud, port: Option<u16>) -> Result<Record> {
    let mut record = cloud.record();
    let remembered = if record.port == 0 { PORT } else { record.port };
    let port = port.unwrap_or(remembered);
    let proxy_runs = record.proxy.as_ref().is_some_and(Process::is_alive);
    if !(proxy_runs && record.port == port) {
        needs::port(port)?;
    }
    needs::disk(&cloud::target())?;
    let before = build::built()?;
    build::functions_and_tools().await?;

    if record.emulator_version != emulator::version()? || record.port != port {
        emulator::stop(&mut record).await;
    }
    if record.emulator.as_ref().is_some_and(Process::is_alive) {
        // An `up` that was interrupted may have left it starting.
        emulator::wait(cloud, &record).await?;
        if build::built()? != before {
            build::reload(&record);
        }
    } else {
        if let Some(proxy) = record.proxy.take() {
            proxy.stop(Duration::from_secs(5)).await;
        }
        let gateway_port = needs::free_port(&[record.gateway_port, GATEWAY_PORT])?;
        emulator::readdress(cloud, &[(record.gateway_port, gateway_port), (record.port, port)])?;
        (record.gateway_port, record.port) = (gateway_port, port);
        say::step("Starting the AWS emulator", emulator::start(cloud, &mut record)).await?;
    }
    let api = record.api_id.clone();
    deploy::stack(cloud, &mut record).await?;
    if record.api_id != api
        && let Some(proxy) = record.proxy.take()
    {
        proxy.stop(Duration::from_secs(5)).await;
    }
    if !record.proxy.as_ref().is_some_and(Process::is_alive) {
        let mut proxy = std::process::Command::new(std::env::current_exe()?);
        cloud.remember(&record)?;
        record.proxy = Some(process::start_in_background(
            proxy.arg("proxy").arg(cloud.dir()),
            &cloud.file("proxy.log"),
        )?);
    }
    cloud.remember(&record)?;
    say::step("Waiting for the shop to answer", ready(&record)).await?;
    let shop = Shop::at(&record.url());
    say::step("Seeding people, stores, products and reviews", seed::whole_shop(&shop)).await?;
    Ok(record)
}

/// Stops all of a cloud.
pub(crate) async fn take_down(cloud: &Cloud) -> Result<bool> {
    let mut record = cloud.record();
    let ran = [&record.proxy, &record.emulator].into_iter().flatten().any(Process::is_alive);
    if let Some(proxy) = record.proxy.take() {
        proxy.stop(Duration::from_secs(5)).await;
    }
    emulator::stop(&mut record).await;
    if cloud.file("cloud.json").exists() {
        cloud.remember(&record)?;
    }
    Ok(ran)
}

/// Waits until the shop answers.
///
/// # Errors
/// It does not in a minute.
pub(crate) async fn ready(record: &Record) -> Result<()> {
    for _ in 0..240 {
        if answers(record).await {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    bail!(
        "{}/health does not answer 200: see `cargo local logs health` and {}",
        record.url(),
        Cloud::shop().dir().display()
    )
}

/// Whether the shop answers.
pub(crate) async fn answers(record: &Record) -> bool {
    let health = ::emulator::client().get(format!("http://127.0.0.1:{}/health", record.port));
    let answer = health.timeout(Duration::from_secs(15)).send().await.context("no answer");
    record.port != 0 && answer.is_ok_and(|answer| answer.status() == 200)
}

fn welcome(record: &Record) {
    let url = record.url();
    say::out!(
        "
The shop is open at {url}

  {url}/shop               where people buy
  {url}/admin              what its admins work on
  {url}/local              its mailbox, orders step by step, products to approve
  cargo local demo         plays the main job, from sign-up to the shipping email
  cargo local status       what runs; also: logs [function] [-f], test, down

Sign in as admin@, seller@ or buyer@cartwright.test with the password Cartwright-1:

  curl {url}/sign-in -H 'content-type: application/json' \\
    -d '{{\"email\":\"buyer@cartwright.test\",\"password\":\"Cartwright-1\"}}'
"
    );
}
