//! What is written of refunds, with their attempts and orders. Each counter of an attempt falls on the condition that
//! it is large enough, since conditions have no arithmetic.

use anyhow::Context;
use aws_sdk_dynamodb::types::{Put, ReturnValue, Update};
use orders::PaymentId;
use orders::store::{Ended, Ending, Refunded};
use orders::{Actor, Order};
use serde::Deserialize;
use shared::dynamo::{Write, Written, from_item, number, read_each, text, to_item, update_item};
use shared::guards::{Committed, Guards, KeyedRequest};
use shared::values::money::Amount;
use shared::values::time::Timestamp;

use super::{Fact, GRACE, Payments, minor};
use crate::attempt::{ATTEMPT, AttemptStatus, Payment};
use crate::ids::{EventId, RefundId, StripeRefundId};
use crate::refunds::{Refund, RefundState, RefundWhy, entry_of};

/// A refund that is owed, as the index of such refunds has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DueRefund {
    /// Of which attempt.
    pub payment_id: PaymentId,
    /// Which one.
    pub refund_id: RefundId,
    /// How often it was tried.
    pub tries: u32,
    due_at: Timestamp,
}

/// Whether something that was heard of a refund is written down now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed {
    /// It is.
    Now,
    /// It was before, or is not so.
    Before,
}

impl From<Written<(), shared::dynamo::Found>> for Passed {
    fn from(written: Written<(), shared::dynamo::Found>) -> Self {
        match written {
            Written::Done(()) => Self::Now,
            Written::Refused(_) => Self::Before,
        }
    }
}

impl Payments {
    pub(super) fn new_refund(&self, refund: &Refund) -> anyhow::Result<Put> {
        Put::builder()
            .table_name(&self.table)
            .set_item(Some(to_item(refund)?))
            .condition_expression("attribute_not_exists(entry)")
            .build()
            .context("put a refund")
    }

    /// A refund, by its id or by Stripe's where it was made there.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn refund(&self, payment: PaymentId, id: &str) -> anyhow::Result<Option<Refund>> {
        self.get(&payment.to_string(), &entry_of(id)).await?.map(from_item).transpose()
    }

    /// Asks for a refund of an attempt: it takes from what can go back, in one transaction with the key's record.
    ///
    /// Safe to repeat with a key: the record gives the first answer.
    ///
    /// # Errors
    /// When the tables cannot be written.
    pub(crate) async fn ask_back<T>(
        &self,
        guards: &Guards,
        refund: &Refund,
        keyed: Option<&KeyedRequest>,
        answer: T,
        now: Timestamp,
    ) -> anyhow::Result<Committed<T>>
    where
        T: serde::Serialize + serde::de::DeserializeOwned,
    {
        let mut write = Write::new();
        self.takes(&mut write, refund, now)?;
        guards.commit(write, keyed, answer, now).await
    }

    /// Asks for a refund that the shop owes by itself.
    ///
    /// Safe to repeat: it takes from what can go back, and a second one of all that is left finds nothing.
    ///
    /// # Errors
    /// When the tables cannot be written.
    pub(crate) async fn owe(&self, refund: &Refund, now: Timestamp) -> anyhow::Result<Passed> {
        let mut write = Write::new();
        self.takes(&mut write, refund, now)?;
        Ok(write.commit(&self.client).await?.into())
    }

    /// What a refund that is asked for changes of its attempt and of its order. As long as a dispute stands nothing
    /// goes back: its buyer would have the money twice.
    fn takes(&self, write: &mut Write, refund: &Refund, now: Timestamp) -> anyhow::Result<()> {
        let changes =
            "SET refundable = refundable - :amount, refunding = refunding + :amount, updatedAt = :now";
        let condition = "#status = :captured AND refundable >= :amount \
                         AND (attribute_not_exists(disputes) OR disputes = :none)";
        let mut update = self.counted(refund, changes, condition, now)?;
        update.expression_attribute_values.get_or_insert_default().insert(":none".into(), number(0));
        write.update(update);
        write.put(self.new_refund(refund)?);
        self.count_for_order(write, refund, Refunded::Begun)
    }

    /// Ends a pending order, as it was read, and asks for all back that may go back of its money, in one transaction.
    ///
    /// # Errors
    /// Those of [`orders::Orders::end`].
    pub(crate) async fn end_paid(
        &self,
        order: &Order,
        refund: Option<&Refund>,
        actor: &Actor,
        now: Timestamp,
    ) -> anyhow::Result<Ended> {
        let also = |write: &mut Write| {
            let Some(refund) = refund else { return Ok(()) };
            let changes = "SET refundable = :none, refunding = refunding + :amount, updatedAt = :now";
            let condition = "#status = :captured AND refundable = :amount";
            let mut update = self.counted(refund, changes, condition, now)?;
            let values = update.expression_attribute_values.get_or_insert_default();
            values.insert(":none".into(), number(0));
            write.update(update);
            write.put(self.new_refund(refund)?);
            Ok(())
        };
        self.orders.end(order, Ending::of_a_paid_one(actor, &also), now).await
    }

    /// An update of a refund's attempt by the refund's amount.
    fn counted(
        &self,
        refund: &Refund,
        changes: &str,
        condition: &str,
        now: Timestamp,
    ) -> anyhow::Result<Update> {
        self.change(refund.payment_id, ATTEMPT, now)
            .update_expression(changes)
            .condition_expression(condition)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":captured", text(AttemptStatus::Captured.as_str()))
            .expression_attribute_values(":amount", minor(refund.amount)?)
            .build()
            .context("count a refund")
    }

    /// Counts a try of a refund that is owed, and gives it; nothing where it is not owed any more.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub(crate) async fn try_refund(
        &self,
        payment: PaymentId,
        id: RefundId,
        now: Timestamp,
    ) -> anyhow::Result<Option<Refund>> {
        let update = self
            .change(payment, &entry_of(&id.to_string()), now)
            .update_expression("SET tries = tries + :one, updatedAt = :now")
            .condition_expression("#status = :requested")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":requested", text(RefundState::Requested.as_str()))
            .expression_attribute_values(":one", number(1))
            .build()?;
        match update_item(&self.client, update, ReturnValue::AllNew).await.context("count a try")? {
            Written::Done(item) => from_item(item).map(Some),
            Written::Refused(found) if found.is_empty() => anyhow::bail!("there is no such refund"),
            Written::Refused(_) => Ok(None),
        }
    }

    /// Stripe has taken a refund on. Safe to repeat: the ledger takes it once.
    ///
    /// # Errors
    /// When the tables cannot be written.
    pub(crate) async fn accept(
        &self,
        refund: &Refund,
        at_stripe: &StripeRefundId,
        event: Option<EventId>,
        now: Timestamp,
    ) -> anyhow::Result<Passed> {
        let mut write = Write::new();
        let mut own = self.moved(refund, RefundState::Requested, RefundState::Accepted, now)?;
        own.update_expression =
            "SET #status = :to, updatedAt = :now, stripeRefundId = :stripe REMOVE due, dueAt".into();
        own.expression_attribute_values.get_or_insert_default().insert(":stripe".into(), text(at_stripe));
        write.update(own);
        let changes = "SET refunding = refunding - :amount, refunded = refunded + :amount, updatedAt = :now";
        write.update(self.counted(refund, changes, "#status = :captured AND refunding >= :amount", now)?);
        let fact = Fact::Refund(at_stripe.as_str());
        write.put(self.ledger(refund.payment_id, fact, refund.amount, event, now)?);
        self.count_for_order(&mut write, refund, Refunded::Back)?;
        Ok(write.commit(&self.client).await?.into())
    }

    /// Stripe will never carry a refund out that is owed: its amount can go back in another way. Safe to repeat.
    ///
    /// # Errors
    /// When the tables cannot be written.
    pub(crate) async fn refuse(&self, refund: &Refund, now: Timestamp) -> anyhow::Result<Passed> {
        let mut write = Write::new();
        write.update(self.moved(refund, RefundState::Requested, RefundState::Failed, now)?);
        let changes =
            "SET refunding = refunding - :amount, refundable = refundable + :amount, updatedAt = :now";
        write.update(self.counted(refund, changes, "#status = :captured AND refunding >= :amount", now)?);
        self.count_for_order(&mut write, refund, Refunded::Not)?;
        Ok(write.commit(&self.client).await?.into())
    }

    /// The money of a refund that went back has come again. Safe to repeat: the ledger takes it once.
    ///
    /// # Errors
    /// When the tables cannot be written.
    pub(crate) async fn returned(
        &self,
        refund: &Refund,
        at_stripe: &StripeRefundId,
        event: Option<EventId>,
        now: Timestamp,
    ) -> anyhow::Result<Passed> {
        let mut write = Write::new();
        write.update(self.moved(refund, RefundState::Accepted, RefundState::Failed, now)?);
        let changes =
            "SET refunded = refunded - :amount, refundable = refundable + :amount, updatedAt = :now";
        write.update(self.counted(refund, changes, "#status = :captured AND refunded >= :amount", now)?);
        let fact = Fact::RefundFailed(at_stripe.as_str());
        write.put(self.ledger(refund.payment_id, fact, refund.amount, event, now)?);
        self.count_for_order(&mut write, refund, Refunded::Returned)?;
        Ok(write.commit(&self.client).await?.into())
    }

    /// Writes down what somebody gave back in Stripe's own pages, as the refund of Stripe's id. Refused where as much
    /// can no longer go back, which is so as long as another refund is owed that Stripe will refuse because of this
    /// one.
    ///
    /// Safe to repeat: the ledger takes it once.
    ///
    /// # Errors
    /// When the tables cannot be written.
    pub(crate) async fn gone_elsewhere(
        &self,
        payment: &Payment,
        (at_stripe, amount): (&StripeRefundId, Amount),
        event: Option<EventId>,
        now: Timestamp,
    ) -> anyhow::Result<Passed> {
        let refund = elsewhere(payment, (at_stripe, amount), RefundState::Accepted, now)?;
        let mut write = Write::new();
        write.put(self.new_refund(&refund)?);
        let changes =
            "SET refundable = refundable - :amount, refunded = refunded + :amount, updatedAt = :now";
        write.update(self.counted(&refund, changes, "#status = :captured AND refundable >= :amount", now)?);
        let fact = Fact::Refund(at_stripe.as_str());
        write.put(self.ledger(refund.payment_id, fact, refund.amount, event, now)?);
        self.count_for_order(&mut write, &refund, Refunded::Elsewhere)?;
        Ok(write.commit(&self.client).await?.into())
    }

    /// Writes down that what somebody gave back in Stripe's own pages came again, where it was not told before that it
    /// went: whoever tells that later tells nothing new. Refused where it was.
    ///
    /// Safe to repeat: it is written once.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub(crate) async fn failed_elsewhere(
        &self,
        payment: &Payment,
        (at_stripe, amount): (&StripeRefundId, Amount),
        now: Timestamp,
    ) -> anyhow::Result<Passed> {
        let mut write = Write::new();
        write.put(self.new_refund(&elsewhere(payment, (at_stripe, amount), RefundState::Failed, now)?)?);
        Ok(write.commit(&self.client).await?.into())
    }

    fn count_for_order(&self, write: &mut Write, refund: &Refund, refunded: Refunded) -> anyhow::Result<()> {
        if refund.counts {
            write.update(self.orders.refunds(refund.order_id, refund.amount, refunded)?);
        }
        Ok(())
    }

    /// A refund moves on, once. One that is over is owed no more.
    fn moved(
        &self,
        refund: &Refund,
        from: RefundState,
        to: RefundState,
        now: Timestamp,
    ) -> anyhow::Result<Update> {
        self.change(refund.payment_id, &refund.entry, now)
            .update_expression("SET #status = :to, updatedAt = :now REMOVE due, dueAt")
            .condition_expression("#status = :from")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":from", text(from.as_str()))
            .expression_attribute_values(":to", text(to.as_str()))
            .build()
            .context("move a refund on")
    }

    /// At most `limit` refunds of one shard that have fallen due by `now`, longest due first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn due(&self, shard: &str, now: Timestamp, limit: i32) -> anyhow::Result<Vec<DueRefund>> {
        let found = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("due")
            .key_condition_expression("due = :shard AND dueAt <= :now")
            .expression_attribute_values(":shard", text(shard))
            .expression_attribute_values(":now", text(&now))
            .limit(limit)
            .send()
            .await
            .context("read the refunds that are due")?;
        Ok(read_each(found.items.unwrap_or_default(), "refundId"))
    }

    /// Puts off a due refund to its next look: 2, 4, 8 … minutes, at most about two hours. False where another sweep
    /// or the refund's progress was faster.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_off(&self, refund: &DueRefund, now: Timestamp) -> anyhow::Result<bool> {
        let next = now + GRACE * (1 << refund.tries.min(6));
        let update = self
            .change(refund.payment_id, &entry_of(&refund.refund_id.to_string()), now)
            .update_expression("SET dueAt = :next, updatedAt = :now")
            .condition_expression("dueAt = :read AND #status = :requested")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":read", text(&refund.due_at))
            .expression_attribute_values(":requested", text(RefundState::Requested.as_str()))
            .expression_attribute_values(":next", text(&next))
            .build()?;
        let sent = update_item(&self.client, update, ReturnValue::None).await;
        Ok(matches!(sent.context("put off a refund")?, Written::Done(_)))
    }
}

/// What somebody gave back in Stripe's own pages, as the refund of Stripe's id. It is owed to nobody.
fn elsewhere(
    payment: &Payment,
    (at_stripe, amount): (&StripeRefundId, Amount),
    status: RefundState,
    now: Timestamp,
) -> anyhow::Result<Refund> {
    let intent = payment.intent_id.clone().context("what has money has an intent")?;
    Ok(Refund {
        entry: entry_of(at_stripe.as_str()),
        status,
        stripe_refund_id: Some(at_stripe.clone()),
        due: None,
        due_at: None,
        ..Refund::requested(payment, intent, amount, RefundWhy::Elsewhere, None, now)
    })
}
