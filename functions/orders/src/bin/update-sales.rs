//! Consumes the Sales queue: counts what orders and products are for their sellers and the shop, as they stand.
//!
//! Safe to repeat: how something was counted is written down, and what was counted is not counted again.

use orders::sales::{Sales, Told};
use serde::de::IgnoredAny;
use shared::run::event::CloudEvent;
use shared::run::worker::{self, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(update_sales).await
}

async fn update_sales(sales: Sales, message: Message<CloudEvent<IgnoredAny, Told>>) -> anyhow::Result<()> {
    sales.hear(&message.body.data, message.received_at).await
}
