//! Consumes the Payments queue: asks Stripe of each order whose time to pay is over, and ends it if nobody has paid.
//!
//! Safe to repeat: nothing is given back but on Stripe's word, and that once.

use orders::OrderQueued;
use payments::settling::Settling;
use shared::run::telemetry;
use shared::run::worker::{self, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(settle_payment).await
}

async fn settle_payment(settling: Settling, message: Message<OrderQueued>) -> anyhow::Result<()> {
    let order_id = message.body.order_id;
    telemetry::about("orders", order_id);
    Ok(settling.settle_due(order_id, message.received_at).await?)
}
