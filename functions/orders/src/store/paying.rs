//! What a payment changes of its order: updates for the transactions of the service that knows the provider. Each has
//! its condition inside, and [`Orders::end`] ends an order with its money.

use anyhow::Context;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Update};
use shared::dynamo::{Batch, Consistency, Read, from_item, minor, number, text, to_item};
use shared::values::money::{Amount, Currency};
use shared::values::time::Timestamp;

use super::{Besides, Orders};
use crate::paying::held_until;
use crate::{Action, Actor, Order, OrderId, OrderStatus, Paying, PaymentId, Share};

/// How an order's counters follow its refunds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refunded {
    /// It is on its way back.
    Begun,
    /// It went back.
    Back,
    /// It could not go back, and stays.
    Not,
    /// It went back in another way than by this shop.
    Elsewhere,
    /// It had gone back and has come again: the card is closed.
    Returned,
}

impl Refunded {
    fn changes(self) -> &'static str {
        match self {
            Self::Begun => "payment.refunding = payment.refunding + :amount",
            Self::Back => {
                "payment.refunding = payment.refunding - :amount, payment.refunded = payment.refunded + :amount"
            }
            Self::Not => "payment.refunding = payment.refunding - :amount",
            Self::Elsewhere => "payment.refunded = payment.refunded + :amount",
            Self::Returned => "payment.refunded = payment.refunded - :amount",
        }
    }
}

impl Orders {
    /// Adds an order to what is read at the same time.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn with(&self, read: Read, id: OrderId) -> anyhow::Result<Read> {
        read.of(&self.table, "orderId", [id], Consistency::Strong)
    }

    /// What was read of it.
    ///
    /// # Errors
    /// When it is no order.
    pub fn found_in(&self, batch: &mut Batch) -> anyhow::Result<Option<Order>> {
        batch.take(&self.table).pop().map(from_item).transpose()
    }

    /// That a payment of exactly its total has paid an order: it is to be sent now. Refused where it awaits no payment,
    /// or costs something else.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn paid(
        &self,
        id: OrderId,
        payment: PaymentId,
        (amount, currency): (Amount, Currency),
        now: Timestamp,
    ) -> anyhow::Result<Update> {
        let besides = Besides {
            set: ", payment.paid = payment.paid + :amount, payment.paymentId = :payment, payment.processing = :no",
            when: " AND #total = :amount AND currency = :currency",
            values: vec![
                (":amount", minor(amount)),
                (":payment", text(&payment)),
                (":no", AttributeValue::Bool(false)),
                (":currency", text(&currency)),
            ],
            names: vec![("#total", "total")],
        };
        self.transition(id, Action::Pay, &Actor::BUYER, besides, now)
    }

    /// That money came which the order does not take, and is on its way back: it was over by then, or paid already.
    /// Refused where its status or the payment that counts is not as it was read.
    ///
    /// # Errors
    /// When the order was to be paid in another way.
    pub fn sends_back(&self, order: &Order, amount: Amount) -> anyhow::Result<Update> {
        let payment = order.payment.as_ref().context("no provider has money of the order")?;
        self.money(order.order_id)
            .update_expression(
                "SET payment.paid = payment.paid + :amount, payment.refunding = payment.refunding + :amount",
            )
            .condition_expression("#status = :status AND payment.paymentId = :payment")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", text(order.status.as_str()))
            .expression_attribute_values(":payment", text(&payment.payment_id))
            .expression_attribute_values(":amount", minor(amount))
            .build()
            .context("send money back")
    }

    /// That the money of a slow way to pay is on its way: nobody is asked for it again, and the stock is held until
    /// `until`. Refused where the order awaits no payment.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn processes(&self, id: OrderId, until: Timestamp) -> anyhow::Result<Update> {
        self.money(id)
            .update_expression("SET payment.processing = :yes, dueAt = :due")
            .condition_expression("#status = :awaiting")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":awaiting", text(OrderStatus::AwaitingPayment.as_str()))
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":due", text(&held_until(until)))
            .build()
            .context("note that money is on its way")
    }

    /// That another attempt counts from now on, and the stock is held until it can take no money. Refused where the
    /// order, as it was read, awaits no payment any more, somebody else tried again, or it is another's by now.
    ///
    /// # Errors
    /// When the order was to be paid in another way.
    pub fn tried_again(&self, order: &Order, attempt: PaymentId, until: Timestamp) -> anyhow::Result<Update> {
        let payment = order.payment.as_ref().context("no provider has money of the order")?;
        let due = order.due_at.map_or(held_until(until), |due| due.max(held_until(until)));
        self.money(order.order_id)
            .update_expression(
                "SET payment.paymentId = :attempt, payment.attempts = list_append(payment.attempts, :attempts), \
                 dueAt = :due",
            )
            .condition_expression(
                "#status = :awaiting AND userId = :buyer AND payment.paymentId = :read \
                 AND size(payment.attempts) = :many",
            )
            .expression_attribute_values(":buyer", text(&order.user_id))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":awaiting", text(OrderStatus::AwaitingPayment.as_str()))
            .expression_attribute_values(":attempt", text(&attempt))
            .expression_attribute_values(":attempts", AttributeValue::L(vec![text(&attempt)]))
            .expression_attribute_values(":due", text(&due))
            .expression_attribute_values(":read", text(&payment.payment_id))
            .expression_attribute_values(":many", number(many(payment)))
            .build()
            .context("count another attempt")
    }

    /// That an order which awaits its payment is to be looked at now. Refused where it awaits none.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn looked_at_now(&self, id: OrderId, now: Timestamp) -> anyhow::Result<Update> {
        Update::builder()
            .table_name(&self.table)
            .key("orderId", text(&id))
            .update_expression("SET dueAt = :now")
            .condition_expression("#status = :awaiting")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":awaiting", text(OrderStatus::AwaitingPayment.as_str()))
            .expression_attribute_values(":now", text(&now))
            .build()
            .context("look at an order now")
    }

    /// That so much of an order's money went back, or did not. The transaction's other parts let it happen once.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn refunds(&self, id: OrderId, amount: Amount, refunded: Refunded) -> anyhow::Result<Update> {
        self.money(id)
            .update_expression(format!("SET {}", refunded.changes()))
            .condition_expression("attribute_exists(payment)")
            .expression_attribute_values(":amount", minor(amount))
            .build()
            .context("count a refund")
    }

    /// The same of a refund that is for a share of an order, as it was read: that share counts from now on, or not any
    /// more. Refused where something else of the order came back since it was read.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn refunds_share(
        &self,
        order: &Order,
        share: &Share,
        amount: Amount,
        refunded: Refunded,
    ) -> anyhow::Result<Update> {
        let back = match refunded {
            Refunded::Begun | Refunded::Elsewhere => order.back_with(share),
            Refunded::Not | Refunded::Returned => order.back_without(share),
            Refunded::Back => return self.refunds(order.order_id, amount, refunded),
        };
        let (update, is_as_read) = as_back_was_read(self.money(order.order_id), order);
        update
            .update_expression(format!("SET {}, #back = :back", refunded.changes()))
            .condition_expression(format!("attribute_exists(payment) AND {is_as_read}"))
            .expression_attribute_values(":back", AttributeValue::M(to_item(&back)?))
            .expression_attribute_values(":amount", minor(amount))
            .build()
            .context("count a refund of a share")
    }

    /// That so many more disputes stand of the money that pays an order, and so many more of them are lost; or fewer.
    /// The transaction's other parts let it happen once.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn disputed(&self, id: OrderId, stand: i64, lost: i64) -> anyhow::Result<Update> {
        self.money(id)
            .update_expression(
                "SET payment.disputes = if_not_exists(payment.disputes, :none) + :stand, \
                 payment.chargedBack = if_not_exists(payment.chargedBack, :none) + :lost",
            )
            .condition_expression("attribute_exists(payment)")
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":stand", number(stand))
            .expression_attribute_values(":lost", number(lost))
            .build()
            .context("count a dispute")
    }

    /// An update of an order's money. It is not dated: an order is dated by its status, each after the one before, and
    /// what is said of money comes in any order.
    fn money(&self, id: OrderId) -> UpdateBuilder {
        Update::builder().table_name(&self.table).key("orderId", text(&id))
    }
}

/// Names what came back of an order in an update, and gives the condition that it is as it was read.
pub(super) fn as_back_was_read(update: UpdateBuilder, order: &Order) -> (UpdateBuilder, &'static str) {
    let update = update.expression_attribute_names("#back", "back");
    match &order.back {
        None => (update, "attribute_not_exists(#back)"),
        Some(back) => {
            let update = update.expression_attribute_values(":backRead", number(back.version));
            (update, "#back.version = :backRead")
        }
    }
}

/// How often an order was tried to be paid.
pub(super) fn many(payment: &Paying) -> i64 {
    i64::try_from(payment.attempts.len()).unwrap_or(i64::MAX)
}

/// That so much goes back of an order's money, if its money is as it was read.
pub(super) fn as_read(payment: &Paying, goes_back: Amount) -> anyhow::Result<Besides> {
    let paid_back = payment.refunding.checked_add(goes_back).context("an amount fits")?;
    Ok(Besides {
        set: ", payment.refunding = :goesBack",
        when: " AND payment.paymentId = :payment AND payment.paid = :paid AND payment.refunding = :refunding \
               AND payment.refunded = :refunded \
               AND (attribute_not_exists(payment.disputes) OR payment.disputes = :disputes)",
        values: vec![
            (":goesBack", minor(paid_back)),
            (":payment", text(&payment.payment_id)),
            (":paid", minor(payment.paid)),
            (":refunding", minor(payment.refunding)),
            (":refunded", minor(payment.refunded)),
            (":disputes", number(payment.disputes)),
        ],
        names: Vec::new(),
    })
}

/// If nobody has tried to pay again since the order was read.
pub(super) fn nobody_tried_again(payment: &Paying) -> Besides {
    Besides {
        when: " AND payment.paymentId = :payment AND size(payment.attempts) = :many",
        values: vec![(":payment", text(&payment.payment_id)), (":many", number(many(payment)))],
        ..Besides::default()
    }
}
