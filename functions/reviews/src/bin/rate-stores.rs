//! Consumes the Ratings queue: counts what a product is rated in the rating of its store.
//!
//! Safe to repeat, in any order: a product counts by the version of its totals, and an older one changes nothing.

use reviews::StoreRatings;
use reviews::events::RatedTold;
use serde::de::IgnoredAny;
use shared::run::event::CloudEvent;
use shared::run::telemetry;
use shared::run::worker::{self, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(rate_stores).await
}

async fn rate_stores(
    ratings: StoreRatings,
    message: Message<CloudEvent<IgnoredAny, RatedTold>>,
) -> anyhow::Result<()> {
    let rated = message.body.data;
    telemetry::about("products", rated.product_id);
    ratings.count(&rated).await
}
