//! Consumes the Purchases queue: records what the buyer of an order has of it, and what came back.
//!
//! Safe to repeat, in any order: it records what is so when it looks.

use orders::Orders;
use orders::events::OrderTold;
use reviews::Purchases;
use serde::de::IgnoredAny;
use shared::run::event::CloudEvent;
use shared::run::telemetry;
use shared::run::worker::{self, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(record_purchases).await
}

async fn record_purchases(
    (orders, purchases): (Orders, Purchases),
    message: Message<CloudEvent<IgnoredAny, OrderTold>>,
) -> anyhow::Result<()> {
    let order_id = message.body.data.order_id;
    telemetry::about("orders", order_id);
    purchases.follow(&orders, order_id).await
}
