//! `cargo local`: Cartwright on a laptop, on an emulated AWS, from the same `template.yaml` as on AWS.
//!
//! One module, one job. From the command line downwards: `up`, `demo`, `test` with `contract`, `bench`, `status`,
//! `logs`, `reindex`, `screenshots`, `lint` and `watch` are the commands; they put together [`needs`] (what the machine
//! must have), [`tools`] (pinned Python tools), [`build`] and `release` (the functions), [`emulator`] (AWS), [`deploy`]
//! (the template on it), `proxy` with `pages`, `files` and `stripe` (http://localhost:3000) and `seed` with `catalogue`
//! (people, stores, products and reviews), some of them in [`standing`] (a shop that is soon gone again); below them
//! are [`cloud`] (where a cloud keeps its things), [`process`], `shop` (a client) and [`say`] (the terminal).
//!
//! What is public is what the crate `bench` builds on.

pub mod build;
mod catalogue;
pub mod cloud;
pub mod deploy;
pub mod emulator;
pub mod needs;
pub mod process;
pub mod say;
pub mod standing;
pub mod tools;

mod bench;
mod contract;
mod demo;
mod faults;
mod files;
mod identity;
mod lint;
mod logs;
mod pages;
mod pictures;
mod proxy;
mod reindex;
mod release;
mod screenshots;
mod seed;
mod shop;
mod status;
mod stripe;
mod test;
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
    #[command(disable_help_flag = true)]
    Bench(bench::Options),
    /// Show what runs, where, and how much waits in its queues.
    Status,
    /// Show what the functions said.
    Logs(logs::Options),
    /// Build the search index anew, or compare it with what is for sale, and say what differed.
    Reindex(reindex::Options),
    /// Take the pictures in docs/pages of the running shop, or of all its views.
    Screenshots(screenshots::Options),
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

/// Runs the command that the command line names; its exit status is what comes back.
pub async fn main() -> ExitCode {
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
        Command::Bench(options) => return bench::run(&options).await,
        Command::Status => status::run().await?,
        Command::Logs(options) => logs::run(options).await?,
        Command::Reindex(options) => reindex::run(&options).await?,
        Command::Screenshots(options) => screenshots::run(&options).await?,
        Command::Down => up::down().await?,
        Command::Lint => lint::run().await?,
        Command::Proxy { cloud } => proxy::serve(Cloud::at(cloud)).await?,
    }
    Ok(ExitCode::SUCCESS)
}
