//! What is written of refunds, with their attempts and orders. Each counter of an attempt falls on the condition that
//! it is large enough, since conditions have no arithmetic.

use anyhow::Context;
use aws_sdk_dynamodb::types::{Put, ReturnValue, Update};
use orders::PaymentId;
use orders::store::{Collect, Ended, Ending, Refunded};
use orders::{Actor, Moves, Order, RefusedMoney};
use serde::Deserialize;
use shared::dynamo::{self, Part, Write, Written, from_item, minor, number, text, to_item, update_item};
use shared::guards::{Committed, Guards, KeyedRequest};
use shared::http::problem::Busy;
use shared::values::money::Amount;
use shared::values::time::Timestamp;

use super::{Fact, GRACE, Payments};
use crate::attempt::{ATTEMPT, AttemptStatus, Payment};
use crate::ids::{EventId, RefundId, StripeRefundId};
use crate::refunds::{Refund, RefundName, RefundState, RefundWhy, entry_of};

/// How often an order is read anew because something else of it came back meanwhile.
const TRIES: u32 = 4;

/// A refund that is owed, as the index of such refunds has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DueRefund {
    /// Of which attempt.
    pub payment_id: PaymentId,
    /// What names it there.
    entry: String,
    /// Which one.
    pub refund_id: RefundId,
    /// How far it is: the money of one that is requested is owed, and a letter about one that went back.
    pub status: RefundState,
    /// How often it was tried, or its letter.
    pub tries: u32,
    due_at: Timestamp,
}

impl DueRefund {
    /// What the letter about it is named by.
    pub fn name(&self) -> RefundName {
        let name = self.entry.strip_prefix("refund#").unwrap_or(&self.entry);
        RefundName { payment_id: self.payment_id, name: name.to_owned() }
    }
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

    /// Asks for a refund of an attempt: it takes from what can go back, and counts its share of the order, as that was
    /// read, in one transaction with the key's record. What was given back otherwise is in the ledger at once.
    ///
    /// Safe to repeat with a key: the record gives the first answer.
    ///
    /// # Errors
    /// When the tables cannot be written.
    pub(crate) async fn ask_back<T>(
        &self,
        guards: &Guards,
        (refund, order): (&Refund, &Order),
        keyed: Option<&KeyedRequest>,
        answer: T,
        now: Timestamp,
    ) -> anyhow::Result<Committed<T>>
    where
        T: serde::Serialize + serde::de::DeserializeOwned,
    {
        let mut write = Write::new();
        self.gives_back(&mut write, refund, order, now)?;
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
        self.count_for_order(&mut write, refund, None, Refunded::Begun)?;
        Ok(write.commit(&self.client).await?.into())
    }

    /// What a refund that is asked for, or was given otherwise, changes of its attempt. As long as a dispute stands
    /// nothing goes back: its buyer would have the money twice.
    fn takes(&self, write: &mut Write, refund: &Refund, now: Timestamp) -> anyhow::Result<()> {
        let changes = if refund.outside {
            "SET refundable = refundable - :amount, refunded = refunded + :amount, updatedAt = :now"
        } else {
            "SET refundable = refundable - :amount, refunding = refunding + :amount, updatedAt = :now"
        };
        let condition = "#status = :captured AND refundable >= :amount \
                         AND (attribute_not_exists(disputes) OR disputes = :none)";
        let mut update = self.counted(refund, changes, condition, now)?;
        update.expression_attribute_values.get_or_insert_default().insert(":none".into(), number(0));
        write.update(update);
        write.put(self.new_refund(refund)?);
        if refund.outside {
            let fact = Fact::Outside(refund.refund_id);
            write.put(self.ledger(refund.payment_id, fact, refund.amount, None, now)?);
        }
        Ok(())
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
        let also = |write: &mut Write| refund.map_or(Ok(()), |refund| self.takes_all(write, refund, now));
        let goes_back = refund.map_or(Amount::ZERO, |refund| refund.amount);
        self.orders.end(order, Ending::of_a_paid_one(actor, goes_back, &also), now).await
    }

    /// What a refund of all that is left changes of its attempt, also where a bank decides about what is not.
    fn takes_all(&self, write: &mut Write, refund: &Refund, now: Timestamp) -> anyhow::Result<()> {
        let changes = "SET refundable = :none, refunding = refunding + :amount, updatedAt = :now";
        let condition = "#status = :captured AND refundable = :amount";
        let mut update = self.counted(refund, changes, condition, now)?;
        let values = update.expression_attribute_values.get_or_insert_default();
        values.insert(":none".into(), number(0));
        write.update(update);
        write.put(self.new_refund(refund)?);
        Ok(())
    }

    /// Writes that a seller does not send a parcel of an order, as it was read, and asks its money back in the same
    /// transaction. Refused, it gives the order as it is.
    ///
    /// # Errors
    /// Those of [`orders::Orders::refuse_parcel`].
    pub(crate) async fn refuse_parcel(
        &self,
        order: &Order,
        moves: &Moves,
        (money, refund): (&RefusedMoney, Option<&Refund>),
        (actor, collect): (&Actor, Collect<'_>),
        now: Timestamp,
    ) -> anyhow::Result<Written<(), Order>> {
        let also = |write: &mut Write| match refund {
            None => Ok(()),
            Some(refund) if moves.ends_the_order() => self.takes_all(write, refund, now),
            Some(refund) => self.takes(write, refund, now),
        };
        self.orders.refuse_parcel(order, moves, (money, &also), (actor, collect), now).await
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
            .expression_attribute_values(":amount", minor(refund.amount))
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
        let values = own.expression_attribute_values.get_or_insert_default();
        values.insert(":stripe".into(), text(at_stripe));
        let mut changes = "SET #status = :to, updatedAt = :now, stripeRefundId = :stripe".to_owned();
        if refund.is_told() {
            // From now on it is owed a letter, which is tried as often anew.
            changes.push_str(", tries = :none, dueAt = :due");
            values.insert(":none".into(), number(0));
            values.insert(":due".into(), text(&(now + GRACE)));
        } else {
            changes.push_str(" REMOVE due, dueAt");
        }
        own.update_expression = changes;
        write.update(own);
        let changes = "SET refunding = refunding - :amount, refunded = refunded + :amount, updatedAt = :now";
        write.update(self.counted(refund, changes, "#status = :captured AND refunding >= :amount", now)?);
        let fact = Fact::Refund(at_stripe.as_str());
        write.put(self.ledger(refund.payment_id, fact, refund.amount, event, now)?);
        self.count_for_order(&mut write, refund, None, Refunded::Back)?;
        Ok(write.commit(&self.client).await?.into())
    }

    /// Stripe will never carry a refund out that is owed: its amount can go back in another way. Safe to repeat.
    ///
    /// # Errors
    /// When the tables cannot be written.
    pub(crate) async fn refuse(&self, refund: &Refund, now: Timestamp) -> anyhow::Result<Passed> {
        let failed = |write: &mut Write| {
            write.update(self.moved(refund, RefundState::Requested, RefundState::Failed, now)?);
            let changes =
                "SET refunding = refunding - :amount, refundable = refundable + :amount, updatedAt = :now";
            write.update(self.counted(
                refund,
                changes,
                "#status = :captured AND refunding >= :amount",
                now,
            )?);
            Ok(())
        };
        self.fails(refund, Refunded::Not, &failed).await
    }

    /// Writes that a refund failed, with its order: the share that it was for can be given back in another way.
    async fn fails(
        &self,
        refund: &Refund,
        refunded: Refunded,
        failed: &(dyn Fn(&mut Write) -> anyhow::Result<()> + Sync),
    ) -> anyhow::Result<Passed> {
        for _ in 0..TRIES {
            let order = match &refund.share {
                Some(_) => self.orders.find(refund.order_id).await?,
                None => None,
            };
            let mut write = Write::new();
            failed(&mut write)?;
            let counted = self.count_for_order(&mut write, refund, order.as_ref(), refunded)?;
            match write.commit(&self.client).await? {
                Written::Done(()) => return Ok(Passed::Now),
                // Something else of the order came back meanwhile.
                Written::Refused(found)
                    if order.is_some() && counted.is_some_and(|part| found.at(part).is_some()) => {}
                Written::Refused(_) => return Ok(Passed::Before),
            }
        }
        Err(Busy).context("write that a refund failed")
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
        let failed = |write: &mut Write| {
            write.update(self.moved(refund, RefundState::Accepted, RefundState::Failed, now)?);
            let changes =
                "SET refunded = refunded - :amount, refundable = refundable + :amount, updatedAt = :now";
            write.update(self.counted(
                refund,
                changes,
                "#status = :captured AND refunded >= :amount",
                now,
            )?);
            let fact = Fact::RefundFailed(at_stripe.as_str());
            write.put(self.ledger(refund.payment_id, fact, refund.amount, event.clone(), now)?);
            Ok(())
        };
        self.fails(refund, Refunded::Returned, &failed).await
    }

    /// Writes down what somebody gave back in Stripe's own pages, as the refund of Stripe's id. Nothing where as much
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
    ) -> anyhow::Result<Option<Refund>> {
        let refund = elsewhere(payment, (at_stripe, amount), RefundState::Accepted, now)?.owing_a_letter(now);
        let mut write = Write::new();
        write.put(self.new_refund(&refund)?);
        let changes =
            "SET refundable = refundable - :amount, refunded = refunded + :amount, updatedAt = :now";
        write.update(self.counted(&refund, changes, "#status = :captured AND refundable >= :amount", now)?);
        let fact = Fact::Refund(at_stripe.as_str());
        write.put(self.ledger(refund.payment_id, fact, refund.amount, event, now)?);
        self.count_for_order(&mut write, &refund, None, Refunded::Elsewhere)?;
        Ok(match write.commit(&self.client).await? {
            Written::Done(()) => Some(refund),
            Written::Refused(_) => None,
        })
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

    /// What a refund of a share of an order, as that was read, changes besides that order's goods.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub(crate) fn gives_back(
        &self,
        write: &mut Write,
        refund: &Refund,
        order: &Order,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        self.takes(write, refund, now)?;
        let refunded = if refund.outside { Refunded::Elsewhere } else { Refunded::Begun };
        self.count_for_order(write, refund, Some(order), refunded).map(drop)
    }

    /// What a refund changes of its order, as that was read where it is for a share of it; nothing where the order
    /// never had the money.
    fn count_for_order(
        &self,
        write: &mut Write,
        refund: &Refund,
        order: Option<&Order>,
        refunded: Refunded,
    ) -> anyhow::Result<Option<Part>> {
        if !refund.counts {
            return Ok(None);
        }
        let update = match (&refund.share, order) {
            (Some(share), Some(order)) => self.orders.refunds_share(order, share, refund.amount, refunded),
            (None, _) | (_, None) => self.orders.refunds(refund.order_id, refund.amount, refunded),
        };
        update.map(|update| Some(write.update(update)))
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
        dynamo::due(&self.client, (&self.table, "refundId"), shard, now, limit).await
    }

    /// Puts off a due refund to its next look: 2, 4, 8 … minutes, at most about two hours. False where another sweep
    /// or the refund's progress was faster.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_off(&self, refund: &DueRefund, now: Timestamp) -> anyhow::Result<bool> {
        let next = now + GRACE * (1 << refund.tries.min(6));
        // Whoever carries a refund out counts its tries; those of a letter are counted here.
        let tries = match refund.status {
            RefundState::Requested | RefundState::Failed => refund.tries,
            RefundState::Accepted => refund.tries.saturating_add(1),
        };
        let update = self
            .change(refund.payment_id, &refund.entry, now)
            .update_expression("SET dueAt = :next, tries = :tries, updatedAt = :now")
            .condition_expression("dueAt = :read AND #status = :status AND tries = :tried")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":read", text(&refund.due_at))
            .expression_attribute_values(":status", text(refund.status.as_str()))
            .expression_attribute_values(":tried", number(refund.tries))
            .expression_attribute_values(":tries", number(tries))
            .expression_attribute_values(":next", text(&next))
            .build()?;
        let sent = update_item(&self.client, update, ReturnValue::None).await;
        Ok(matches!(sent.context("put off a refund")?, Written::Done(_)))
    }

    /// That a refund which went back is owed no letter any more. Safe to repeat; refused where it has failed since.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub(crate) fn told(&self, refund: &RefundName) -> anyhow::Result<Update> {
        Update::builder()
            .table_name(&self.table)
            .key("paymentId", text(&refund.payment_id))
            .key("entry", text(&entry_of(&refund.name)))
            .update_expression("REMOVE due, dueAt")
            .condition_expression("#status = :accepted")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":accepted", text(RefundState::Accepted.as_str()))
            .build()
            .context("note that a refund was told of")
    }

    /// Notes that a refund is owed no letter any more. Safe to repeat.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub(crate) async fn forget(&self, refund: &RefundName) -> anyhow::Result<()> {
        let told = update_item(&self.client, self.told(refund)?, ReturnValue::None);
        told.await.map(drop).context("note that a refund was told of")
    }
}

/// What somebody gave back in Stripe's own pages, as the refund of Stripe's id. Its money is owed to nobody.
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
