//! Consumes the Stock queue: takes the pieces of an order that has shipped off what its offers have promised.
//!
//! Safe to repeat: an order is handed over once, in one transaction with its offers.

use orders::Orders;
use orders::events::OrderTold;
use serde::de::IgnoredAny;
use shared::run::event::CloudEvent;
use shared::run::telemetry;
use shared::run::worker::{self, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(hand_over_stock).await
}

async fn hand_over_stock(
    orders: Orders,
    message: Message<CloudEvent<IgnoredAny, OrderTold>>,
) -> anyhow::Result<()> {
    let order_id = message.body.data.order_id;
    telemetry::about("orders", order_id);
    orders.hand_over(order_id).await
}
