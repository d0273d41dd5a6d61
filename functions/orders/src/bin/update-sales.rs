//! Consumes the Sales queue: counts what an order is for its sellers and the shop, as it stands.
//!
//! Safe to repeat: an order counts by the version it stands at, and what was counted is not counted again.

use orders::events::OrderTold;
use orders::sales::Sales;
use serde::de::IgnoredAny;
use shared::run::event::CloudEvent;
use shared::run::telemetry;
use shared::run::worker::{self, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(update_sales).await
}

async fn update_sales(
    sales: Sales,
    message: Message<CloudEvent<IgnoredAny, OrderTold>>,
) -> anyhow::Result<()> {
    let order_id = message.body.data.order_id;
    telemetry::about("orders", order_id);
    sales.count(order_id, message.received_at).await
}
