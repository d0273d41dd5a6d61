//! Queues again what orders are still owed, be it fulfilment, an email, or the end of their time to pay; and emails
//! about parcels and returns.

use anyhow::Context;
use shared::letters::{EmailQueue, Queued};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::telemetry;
use shared::values::time::Timestamp;

use crate::returns::ReturnSweep;
use crate::selling::ParcelSweep;
use crate::store::due_shards;
use crate::{DueOrder, OrderQueue, Orders, Owed, PaymentQueue};

/// As many of each shard as one run queues well within its timeout; the next run takes the rest.
const BATCH: i32 = 50;

/// The orders that are due, and the queues that they go back to.
#[derive(Debug, Clone)]
pub struct Sweep {
    orders: Orders,
    queue: OrderQueue,
    emails: EmailQueue,
    payments: PaymentQueue,
    parcels: ParcelSweep,
    returns: ReturnSweep,
}

impl FromEnv for Sweep {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            orders: Orders::from_env(aws)?,
            queue: OrderQueue::from_env(aws)?,
            emails: EmailQueue::from_env(aws)?,
            payments: PaymentQueue::from_env(aws)?,
            parcels: ParcelSweep::from_env(aws)?,
            returns: ReturnSweep::from_env(aws)?,
        })
    }
}

impl Sweep {
    /// Sweeps every shard by itself, then parcels and returns: one that cannot be read, or an order that cannot be
    /// swept, keeps no other waiting. Safe to repeat: each order is put off before it is queued, and what is queued
    /// twice has one effect.
    ///
    /// # Errors
    /// Tells how many failed, after all of them were tried.
    pub async fn run(&self, now: Timestamp) -> anyhow::Result<()> {
        let mut failed = 0;
        for shard in due_shards() {
            failed += match self.orders.due(&shard, now, BATCH).await {
                Ok(due) => self.sweep_all(&due, now).await,
                Err(error) => {
                    tracing::error!(shard, error = format!("{error:#}"), "a shard was not swept");
                    1
                }
            };
        }
        if let Err(error) = self.parcels.run(now).await {
            tracing::error!(error = format!("{error:#}"), "parcels were not swept");
            failed += 1;
        }
        if let Err(error) = self.returns.run(now).await {
            tracing::error!(error = format!("{error:#}"), "returns were not swept");
            failed += 1;
        }
        anyhow::ensure!(failed == 0, "{failed} shards or orders could not be swept up");
        Ok(())
    }

    async fn sweep_all(&self, due: &[DueOrder], now: Timestamp) -> usize {
        let mut failed = 0;
        for order in due {
            if let Err(error) = self.sweep(order, now).await {
                tracing::error!(order_id = %order.id(), error = format!("{error:#}"), "not swept up");
                failed += 1;
            }
        }
        failed
    }

    async fn sweep(&self, order: &DueOrder, now: Timestamp) -> anyhow::Result<()> {
        let (order_id, owed) = (order.id(), order.owed());
        if !self.orders.put_off(order, now).await.context("put off an order")? {
            return Ok(());
        }
        // Many a buyer never pays, and then this is how an order ends. All else should have gone on by itself.
        if owed != Owed::Payment {
            tracing::warn!(%order_id, ?owed, "swept up");
            telemetry::count("OrderSwept", 1);
        }
        if order.is_held_too_long() {
            telemetry::count("HoldOverdue", 1);
        }
        match owed {
            Owed::Payment => self.payments.send(order_id).await,
            Owed::Fulfilment => self.queue.send(order_id).await,
            Owed::Letter(kind) => self.emails.send(&Queued::new(kind, order_id)).await,
            Owed::Abandoned => {
                telemetry::count("EmailAbandoned", 1);
                self.orders.settle(order_id, order.status()).await
            }
        }
    }
}
