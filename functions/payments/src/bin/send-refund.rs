//! Consumes the Refunds queue: has Stripe give the money of each refund back.
//!
//! Safe to repeat: Stripe carries a refund out once, and from the second try on it is looked for first.

use payments::refunding::{RefundQueued, SendingBack};
use shared::run::telemetry;
use shared::run::worker::{self, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(send_refund).await
}

async fn send_refund(sending: SendingBack, message: Message<RefundQueued>) -> anyhow::Result<()> {
    telemetry::about("payments", message.body.payment_id);
    sending.carry_out(&message.body, message.received_at).await
}
