//! A whole shop on a cloud of its own that keeps nothing and ends with whoever started it: for the tests, the fault run
//! and the bench.

use std::process::Child;

use anyhow::{Context, Result};
use tokio::process::Command;
use tokio::task::JoinHandle;

use crate::cloud::{Cloud, Record};
use crate::deploy::{self, Code};
use crate::shop::Shop;
use crate::{emulator, needs, proxy, say, seed, test, up};

/// A shop that answers.
pub struct Standing {
    record: Record,
    proxy: JoinHandle<Result<()>>,
    /// Ends when it is dropped: the emulator reads its standard input from here.
    _emulator: Child,
}

impl Standing {
    /// Starts the emulator, deploys the templates on it with this as the functions' code, and waits for an answer.
    ///
    /// # Errors
    /// Something does not start, or the templates are refused.
    pub async fn start(cloud: &Cloud, code: Code<'_>) -> Result<Self> {
        std::fs::create_dir_all(cloud.dir()).context("cannot make room for a cloud")?;
        let mut record = Record {
            gateway_port: needs::free_port(&[])?,
            port: needs::free_port(&[])?,
            ..Record::default()
        };
        let emulator = emulator::start_for_test(cloud, &mut record);
        let emulator = say::step("Starting an AWS emulator", emulator).await?;
        deploy::stack_of(cloud, &mut record, code).await?;
        let proxy = tokio::spawn(proxy::serve_record(record.clone()));
        say::step("Waiting for the shop to answer", up::ready(&record)).await?;
        Ok(Self { record, proxy, _emulator: emulator })
    }

    /// Makes the people and products that tests begin with.
    ///
    /// # Errors
    /// The shop refuses what it should take.
    pub async fn seed(&self) -> Result<()> {
        let shop = Shop::at(&self.record.url());
        say::step("Seeding people and products", seed::people_and_products(&shop)).await
    }

    /// Where it is.
    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    /// Tells a program that uses the crate `tests` where the shop and its AWS are.
    pub fn lead(&self, command: &mut Command, cloud: &Cloud) {
        test::set_environment(command, cloud, &self.record);
    }

    /// Ends it, and every function that runs.
    pub async fn stop(mut self) {
        self.proxy.abort();
        emulator::stop(&mut self.record).await;
    }
}
