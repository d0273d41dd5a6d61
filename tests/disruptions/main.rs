//! What must hold while AWS does not: duplicates, failures, functions that die in the middle.
//!
//! These tests change the cloud under the shop and restore it, so they run one at a time, on a cloud of their own in a
//! whole `cargo local test`, and after all others where a name chooses; alone with `cargo local test --disruptions`.

mod accounts;
mod auth;
mod categories;
mod orders;
mod pages;
mod payments;
mod products;
mod reviews;
mod search;
mod settings;
mod texts;

use std::time::Duration;

use tests::aws::{Aws, Undo};
use tests::shop::Shop;

const HOUR: Duration = Duration::from_hours(1);

/// The shop and its AWS, whose queues deliver what failed again after 3 seconds, and not after a minute and more.
async fn open() -> (Shop, Aws, [Undo; 2]) {
    let aws = Aws::open().await;
    // What failed in a journey comes again after five minutes, and whoever waits for empty queues would wait for that.
    for queue in ["PaymentsQueueUrl", "RefundsQueueUrl"] {
        aws.purge(queue).await;
    }
    let soon = [aws.hurry("OrdersQueueUrl").await, aws.hurry("EmailsQueueUrl").await];
    (Shop::open(), aws, soon)
}
