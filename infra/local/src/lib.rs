//! `cargo local`: Cartwright on a laptop, on an emulated AWS, from the same `template.yaml` as on AWS.
//!
//! One module, one job. From the command line downwards:
//! [`up`], [`demo`], [`test`] with [`contract`], [`bench`], [`status`], [`logs`], [`lint`] and [`watch`] are the commands; they put together
//! [`needs`] (what the machine must have), [`tools`] (pinned Python tools), [`build`] and [`release`] (the functions), [`emulator`] (AWS),
//! [`deploy`] (the template on it), [`proxy`] with [`pages`] and [`files`] (http://localhost:3000) and [`seed`] (people and products);
//! below them are [`cloud`] (where a cloud keeps its things), [`process`], [`aws`], [`shop`] (clients) and [`say`] (the terminal).

mod aws;
mod bench;
mod build;
mod cloud;
mod contract;
mod demo;
mod deploy;
mod emulator;
mod faults;
mod files;
mod lint;
mod logs;
mod needs;
mod pages;
mod pictures;
mod process;
mod proxy;
mod release;
mod say;
mod seed;
mod shop;
mod status;
mod test;
mod tools;
mod up;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::cloud::Cloud;

/// Cartwright on your own machine: the whole shop on an emulated AWS.
#[derive(Parser)]
#[command(name = "cargo local", bin_name = "cargo local", version, propagate_version = false)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build and start everything, and return when http://localhost:3000 answers.
    Up(up::Options),
    /// Play the main job, from sign-up to the shipping email, showing each request and answer.
    Demo,
    /// Run all tests on a cloud of their own, beside whatever runs, and take it down.
    Test(test::Options),
    /// Measure what the functions cost, beside an empty function, the bare SDK and Node.js.
    Bench(bench::Options),
    /// Show what runs, where, and how much waits in its queues.
    Status,
    /// Show what the functions said.
    Logs(logs::Options),
    /// Stop everything. What was stored is kept for the next `up`.
    Down,
    /// Check template.yaml with cfn-lint and `sam validate`, as CI does.
    Lint,
    /// Serve a cloud's proxy; `up` starts it in the background.
    #[command(hide = true)]
    Proxy {
        /// The cloud's directory.
        cloud: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(code) => code,
        Err(error) => {
            say::error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Up(options) => up::run(&options).await?,
        Command::Demo => demo::run().await?,
        Command::Test(options) => return test::run(options).await,
        Command::Bench(options) => return bench::run(options).await,
        Command::Status => status::run().await?,
        Command::Logs(options) => logs::run(options).await?,
        Command::Down => up::down().await?,
        Command::Lint => lint::run().await?,
        Command::Proxy { cloud } => proxy::serve(Cloud::at(cloud)).await?,
    }
    Ok(ExitCode::SUCCESS)
}
