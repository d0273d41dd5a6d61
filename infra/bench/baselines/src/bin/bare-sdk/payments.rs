//! The calls of what hears from Stripe, and of what tells it something.

use aws_sdk_dynamodb::types::TransactWriteItem;
use lambda_runtime::Error;

use super::Bare;
use super::parts::{Consistency, Wanted, changes, id, put, wanted};

/// The attempt that paid an order.
const ATTEMPT: Wanted = wanted("PAYMENTS_TABLE", &["paymentId", "entry"], 1, Consistency::Strong);

impl Bare {
    /// Makes the calls of this case, if it is one of payments.
    pub(crate) async fn calls_of_a_payment(&self, function: &str) -> Result<bool, Error> {
        match function {
            "receive-stripe-event" => {
                self.secret("STRIPE_WEBHOOK_SECRET").await?;
                self.write(captured()?).await?;
                self.queue("ORDERS_QUEUE_URL").await?;
            }
            "settle-payment" => {
                self.get("ORDERS_TABLE", "orderId").await?;
                self.read(&[ATTEMPT]).await?;
                self.secret("STRIPE_API_SECRET").await?;
                self.stripe.note_sent_mail().await?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// As the transaction by which money pays an order.
fn captured() -> Result<Vec<TransactWriteItem>, Error> {
    let paid = changes(
        "ORDERS_TABLE",
        "orderId",
        "SET s = :to, updatedAt = :now, due = :shard, dueAt = :due, attempts = :none, \
         history = list_append(history, :entry), payment.paid = payment.paid + :amount, \
         payment.paymentId = :payment, payment.processing = :no, o = :open",
        &[
            ":to",
            ":now",
            ":shard",
            ":due",
            ":none",
            ":entry",
            ":amount",
            ":payment",
            ":no",
            ":open",
            ":currency",
            ":from0",
        ],
    )?;
    let mut captured = changes(
        "PAYMENTS_TABLE",
        "paymentId",
        "SET s = :to, updatedAt = :now, intentId = :intent, captured = :amount, refundable = :refundable, \
         refunding = :refunding, refunded = :none REMOVE u",
        &[
            ":to",
            ":now",
            ":intent",
            ":amount",
            ":refundable",
            ":refunding",
            ":none",
            ":from0",
            ":from1",
            ":from2",
            ":from3",
            ":order",
            ":currency",
            ":session",
        ],
    )?;
    captured.key.insert("entry".into(), id());
    let part = |update| TransactWriteItem::builder().update(update).build();
    // What the ledger has of it, and whose money it is.
    Ok(vec![
        part(paid),
        part(captured),
        put("PAYMENTS_TABLE", "entry", 7)?,
        put("PAYMENTS_TABLE", "entry", 5)?,
    ])
}
