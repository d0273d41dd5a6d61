//! What is written of disputes, with their attempts and orders.

use anyhow::Context;
use aws_sdk_dynamodb::types::{Put, Update};
use orders::Order;
use shared::dynamo::{Consistency, Item, Read, Write, from_item, minor, number, text, to_item};
use shared::values::money::Amount;
use shared::values::time::Timestamp;

use super::{Fact, KEYS, Owner, Passed, Payments};
use crate::attempt::{ATTEMPT, AttemptStatus, Payment};
use crate::disputes::{Dispute, Funds, entry_of};
use crate::ids::{DisputeId, EventId};

/// What is known of a dispute, as it was read at one go.
#[derive(Debug)]
pub(crate) struct Disputed {
    pub order: Order,
    pub payment: Payment,
    pub dispute: Option<Dispute>,
}

impl Payments {
    /// What is known of a dispute of somebody's money.
    ///
    /// # Errors
    /// When the tables cannot be read, or the money's attempt or order is not there.
    pub(crate) async fn disputed(&self, owner: Owner, id: &DisputeId) -> anyhow::Result<Disputed> {
        let entries = [(owner.payment_id, ATTEMPT.to_owned()), (owner.payment_id, entry_of(id))];
        let read = self.orders.with(Read::new(), owner.order_id)?;
        let read = read.entries(&self.table, KEYS, entries, Consistency::Strong)?;
        let mut found = read.fetch(&self.client).await.context("read what is known of a dispute")?;
        let order = self.orders.found_in(&mut found)?.context("there is no such order")?;
        let (payments, disputes): (Vec<Item>, Vec<Item>) = self.entries_in(&mut found);
        let payment = payments.into_iter().next().context("there is no such payment")?;
        let dispute = disputes.into_iter().next().map(from_item).transpose()?;
        Ok(Disputed { order, payment: from_item(payment)?, dispute })
    }

    /// A dispute comes to what `dispute` says, which was `before`, if anybody knew of it: in one transaction with what
    /// its attempt and its order count.
    ///
    /// Safe to repeat: it happens once, as long as it is as it was read.
    ///
    /// # Errors
    /// When the tables cannot be written.
    pub(crate) async fn dispute(
        &self,
        dispute: &Dispute,
        before: Option<&Dispute>,
        now: Timestamp,
    ) -> anyhow::Result<Passed> {
        let counted = dispute.counted(before);
        let mut write = Write::new();
        write.put(self.dispute_as_it_is(dispute, before)?);
        let changes = "SET disputes = if_not_exists(disputes, :none) + :stand, updatedAt = :now";
        let update = self.change(dispute.payment_id, ATTEMPT, now).update_expression(changes);
        let update = update.condition_expression("attribute_exists(entry)");
        let update = update.expression_attribute_values(":none", number(0));
        let update = update.expression_attribute_values(":stand", number(counted.stand));
        write.update(update.build().context("count a dispute")?);
        if dispute.counts {
            write.update(self.orders.disputed(dispute.order_id, counted.stand, counted.lost)?);
        }
        Ok(write.commit(&self.client).await?.into())
    }

    fn dispute_as_it_is(&self, dispute: &Dispute, before: Option<&Dispute>) -> anyhow::Result<Put> {
        let put = Put::builder().table_name(&self.table).set_item(Some(to_item(dispute)?));
        let put = match before {
            None => put.condition_expression("attribute_not_exists(entry)"),
            Some(before) => put
                .condition_expression("#status = :status AND since = :since")
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":status", text(before.status.as_str()))
                .expression_attribute_values(":since", text(&before.since)),
        };
        put.build().context("put a dispute")
    }

    /// A bank has taken the money of a dispute, or given it back. What is taken may be more than came, and be heard of
    /// after it was given back: what is disputed may be below zero, and so may the ledger's sum.
    ///
    /// Safe to repeat: the ledger takes it once.
    ///
    /// # Errors
    /// When the tables cannot be written.
    pub(crate) async fn funds_moved(
        &self,
        payment: &Payment,
        dispute: &DisputeId,
        (funds, amount): (Funds, Amount),
        event: Option<EventId>,
        now: Timestamp,
    ) -> anyhow::Result<Passed> {
        let mut write = Write::new();
        let fact = match funds {
            Funds::Withdrawn => Fact::Withdrawn(dispute.as_str()),
            Funds::Reinstated => Fact::Reinstated(dispute.as_str()),
        };
        write.put(self.ledger(payment.payment_id, fact, amount, event, now)?);
        write.update(self.disputed_by(payment, -fact.signed(amount)?, now)?);
        Ok(write.commit(&self.client).await?.into())
    }

    /// So much more of an attempt's money is disputed.
    fn disputed_by(&self, payment: &Payment, more: i64, now: Timestamp) -> anyhow::Result<Update> {
        self.change(payment.payment_id, ATTEMPT, now)
            .update_expression("SET disputed = if_not_exists(disputed, :none) + :more, updatedAt = :now")
            .condition_expression("#status = :captured")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":captured", text(AttemptStatus::Captured.as_str()))
            .expression_attribute_values(":none", minor(Amount::ZERO))
            .expression_attribute_values(":more", number(more))
            .build()
            .context("count what is disputed")
    }
}
