//! Consumes the Payments queue: asks Stripe of each order that is due, and tells it which were confirmed by email.
//!
//! Safe to repeat: nothing is given back but on Stripe's word, and that once.

use orders::PaymentQueued;
use payments::telling::Telling;
use shared::run::telemetry;
use shared::run::worker::{self, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(settle_payment).await
}

async fn settle_payment(telling: Telling, message: Message<PaymentQueued>) -> anyhow::Result<()> {
    telemetry::about("orders", message.body.order_id);
    telling.work(message.body, message.received_at).await
}
