//! What is written of attempts, and of their orders with them.

use anyhow::Context;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{Put, ReturnValue, Update};
use orders::store::{Ended, Ending};
use orders::{Actor, Order, PaymentId, Refusal};
use shared::caller::UserId;
use shared::dynamo::{Item, Write, Written, from_item, minor, text, to_item, update_item};
use shared::values::money::{Amount, Currency};
use shared::values::time::Timestamp;

use super::{Fact, Owner, Payments};
use crate::attempt::{ATTEMPT, AttemptStatus, Heard, Outcome, Payment};
use crate::deciding::{Money, Said};
use crate::ids::{IntentId, Shop};
use crate::refunds::{Refund, RefundWhy};
use crate::stripe::Session;

impl Payments {
    /// A new attempt, for the transaction of its order.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn new_attempt(&self, payment: &Payment) -> anyhow::Result<Put> {
        Put::builder()
            .table_name(&self.table)
            .set_item(Some(to_item(payment)?))
            .condition_expression("attribute_not_exists(paymentId)")
            .build()
            .context("put a payment")
    }

    /// Adds what the carrier took for an order to the transaction in which that arrives, and names it.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub(crate) fn collect(
        &self,
        order: &Order,
        shop: &Shop,
        write: &mut Write,
        now: Timestamp,
    ) -> anyhow::Result<PaymentId> {
        let payment = Payment::of_cash(PaymentId::at(now), order, shop, now);
        write.put(self.new_attempt(&payment)?);
        write.put(self.ledger(payment.payment_id, Fact::Cash(order.id()), payment.captured, None, now)?);
        Ok(payment.payment_id)
    }

    /// Adds another attempt to an order, as it was read, which counts from now on. False where the order awaits no
    /// payment any more, or somebody else has added one.
    ///
    /// Safe to repeat by the SDK: the attempt's id is new, so one of that id is this one.
    ///
    /// # Errors
    /// When the tables cannot be written.
    pub async fn try_again(&self, order: &Order, payment: &Payment) -> anyhow::Result<bool> {
        let mut write = Write::new();
        write.update(self.orders.tried_again(order, payment.payment_id, payment.expires_at)?);
        write.put(self.new_attempt(payment)?);
        match write.commit(&self.client).await? {
            Written::Done(()) => Ok(true),
            Written::Refused(_) => Ok(self.find(payment.payment_id).await?.is_some()),
        }
    }

    /// Makes an order of a guest's, as it was read, `person`'s, and its attempts with it. False where it is somebody's
    /// by now, or was tried to be paid again.
    ///
    /// Safe to repeat: the condition lets it happen once.
    ///
    /// # Errors
    /// [`Refusal::AccountClosed`], or when the tables cannot be written.
    pub(crate) async fn claim(&self, order: &Order, person: &UserId) -> Result<bool, orders::Error> {
        let mut write = Write::new();
        let account = write.check(self.accounts.is_open(person)?);
        write.update(self.orders.claimed(order, person)?);
        for attempt in order.payment().map_or(&[][..], |paying| &paying.attempts) {
            write.update(self.owned(*attempt, person)?);
        }
        match write.commit(&self.client).await? {
            Written::Done(()) => Ok(true),
            Written::Refused(found) if found.at(account).is_some() => Err(Refusal::AccountClosed.into()),
            Written::Refused(_) => Ok(false),
        }
    }

    /// That an attempt is this person's.
    fn owned(&self, id: PaymentId, person: &UserId) -> anyhow::Result<Update> {
        Update::builder()
            .table_name(&self.table)
            .key("paymentId", text(&id))
            .key("entry", text(ATTEMPT))
            .update_expression("SET userId = :person")
            .condition_expression("attribute_exists(entry)")
            .expression_attribute_values(":person", text(person))
            .build()
            .context("claim a payment")
    }

    /// Notes the session of an attempt. Gives the attempt as it is then: it may have gone on by another way, and one
    /// that was given up has a session now which nobody is to pay.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn opened(&self, id: PaymentId, session: &Session, now: Timestamp) -> anyhow::Result<Payment> {
        let mut update = self
            .heard(id, Heard::Made, now)?
            .expression_attribute_names("#url", "url")
            .expression_attribute_values(":session", text(&session.id));
        let mut changes = "SET #status = :to, updatedAt = :now, sessionId = :session".to_owned();
        if let Some(url) = &session.url {
            changes.push_str(", #url = :url");
            update = update.expression_attribute_values(":url", text(url.as_str()));
        } else {
            changes.push_str(" REMOVE #url");
        }
        let update = update.update_expression(changes).build().context("open a payment")?;
        let written = update_item(&self.client, update, ReturnValue::AllNew).await?;
        match written {
            Written::Done(item) => from_item(item),
            Written::Refused(found) => existing(found),
        }
    }

    /// Notes the PaymentIntent of an attempt that is paid in a form of the shop's own. Gives the attempt as it is then.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn opened_intent(
        &self,
        id: PaymentId,
        intent: &IntentId,
        now: Timestamp,
    ) -> anyhow::Result<Payment> {
        let update = self
            .heard(id, Heard::Made, now)?
            .update_expression("SET #status = :to, updatedAt = :now, intentId = :intent")
            .expression_attribute_values(":intent", text(intent))
            .build()
            .context("open a payment")?;
        match update_item(&self.client, update, ReturnValue::AllNew).await? {
            Written::Done(item) => from_item(item),
            Written::Refused(found) => existing(found),
        }
    }

    /// Notes that nobody can pay by an attempt any more. Safe to repeat; one that is captured stays so.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn bury(&self, id: PaymentId, now: Timestamp) -> anyhow::Result<()> {
        let update = self.buried(id, now)?;
        update_item(&self.client, update, ReturnValue::None).await.map(drop).context("bury a payment")
    }

    /// Has the sweep look at an order that awaits its payment. Safe to repeat.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn look_at(&self, order: &Order, now: Timestamp) -> anyhow::Result<()> {
        let update = self.orders.looked_at_now(order.id(), now)?;
        update_item(&self.client, update, ReturnValue::None).await.map(drop).context("look at an order")
    }

    fn buried(&self, id: PaymentId, now: Timestamp) -> anyhow::Result<Update> {
        let update = self.heard(id, Heard::Died, now)?;
        update.update_expression("SET #status = :to, updatedAt = :now").build().context("bury a payment")
    }

    /// An update on the condition that something which is heard leads on, to where it leads.
    fn heard(&self, id: PaymentId, heard: Heard, now: Timestamp) -> anyhow::Result<UpdateBuilder> {
        let to = match heard {
            Heard::Made => AttemptStatus::Open,
            Heard::Processing => AttemptStatus::Processing,
            Heard::Paid => AttemptStatus::Captured,
            Heard::Died => AttemptStatus::Dead,
            Heard::Declined => anyhow::bail!("a declined card changes nothing"),
        };
        let mut update = self.change(id, ATTEMPT, now);
        let mut from = Vec::new();
        for (index, status) in AttemptStatus::before(heard).enumerate() {
            let name = format!(":from{index}");
            update = update.expression_attribute_values(&name, text(status.as_str()));
            from.push(name);
        }
        Ok(update
            .condition_expression(format!("#status IN ({})", from.join(", ")))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":to", text(to.as_str())))
    }

    /// The money pays the order, in one transaction: the order is to be sent, the attempt is captured, and the ledger
    /// has it. False where that is not so, or not any more.
    ///
    /// Safe to repeat: the ledger takes it once.
    ///
    /// # Errors
    /// When the tables cannot be written.
    pub(crate) async fn capture(
        &self,
        said: &Said,
        (money, currency): (&Money, Currency),
        now: Timestamp,
    ) -> anyhow::Result<bool> {
        let mut write = Write::new();
        write.update(self.orders.paid(said.order, said.payment, (money.amount, currency), now)?);
        let captured = self.captured(said.payment, money, (money.amount, Amount::ZERO), None, now)?;
        let mut condition = captured.get_condition_expression().clone().unwrap_or_default();
        condition.push_str(
            " AND orderId = :order AND amount = :amount AND currency = :currency \
             AND (attribute_not_exists(intentId) OR intentId = :intent)",
        );
        let mut captured = captured
            .expression_attribute_values(":order", text(&said.order))
            .expression_attribute_values(":currency", text(&currency));
        if let Some(session) = &said.session {
            condition.push_str(" AND (attribute_not_exists(sessionId) OR sessionId = :session)");
            captured = captured.expression_attribute_values(":session", text(session));
        }
        write.update(captured.condition_expression(condition).build().context("capture a payment")?);
        self.charged(&mut write, said, money, now)?;
        Ok(matches!(write.commit(&self.client).await?, Written::Done(())))
    }

    /// The money is recorded, and all of it is to go back: its order, as it was read, does not take it. Nothing where
    /// that is not so any more.
    ///
    /// Safe to repeat: the ledger takes it once.
    ///
    /// # Errors
    /// When the tables cannot be written.
    pub(crate) async fn send_back(
        &self,
        order: &Order,
        payment: &Payment,
        (said, money): (&Said, &Money),
        outcome: Outcome,
        now: Timestamp,
    ) -> anyhow::Result<Option<Refund>> {
        let why = RefundWhy::from(outcome);
        let refund = Refund::requested(payment, money.intent.clone(), money.amount, why, None, now);
        let mut write = Write::new();
        if refund.counts {
            write.update(self.orders.sends_back(order, money.amount)?);
        }
        let amounts = (Amount::ZERO, money.amount);
        let captured = self.captured(said.payment, money, amounts, Some((payment, outcome)), now)?;
        write.update(captured.build().context("capture a payment")?);
        self.charged(&mut write, said, money, now)?;
        write.put(self.new_refund(&refund)?);
        Ok(match write.commit(&self.client).await? {
            Written::Done(()) => Some(refund),
            Written::Refused(_) => None,
        })
    }

    /// The attempt with its money, of which so much can go back and so much is on its way.
    fn captured(
        &self,
        id: PaymentId,
        money: &Money,
        (refundable, refunding): (Amount, Amount),
        sent_back: Option<(&Payment, Outcome)>,
        now: Timestamp,
    ) -> anyhow::Result<UpdateBuilder> {
        let mut changes = "SET #status = :to, updatedAt = :now, intentId = :intent, captured = :amount, \
                           refundable = :refundable, refunding = :refunding, refunded = :none"
            .to_owned();
        let mut update = self.heard(id, Heard::Paid, now)?;
        if let Some((payment, outcome)) = sent_back {
            changes.push_str(", outcome = :outcome");
            update = update.expression_attribute_values(":outcome", text(outcome.as_str()));
            if !money.currency.is(payment.currency) {
                changes.push_str(", capturedCurrency = :capturedCurrency");
                update = update.expression_attribute_values(":capturedCurrency", text(&money.currency));
            }
        }
        changes.push_str(" REMOVE #url");
        Ok(update
            .update_expression(changes)
            .expression_attribute_names("#url", "url")
            .expression_attribute_values(":intent", text(&money.intent))
            .expression_attribute_values(":amount", minor(money.amount))
            .expression_attribute_values(":refundable", minor(refundable))
            .expression_attribute_values(":refunding", minor(refunding))
            .expression_attribute_values(":none", minor(Amount::ZERO)))
    }

    /// What is written down of money that came: the fact, and whose it is.
    fn charged(&self, write: &mut Write, said: &Said, money: &Money, now: Timestamp) -> anyhow::Result<()> {
        let fact = Fact::Charge(money.intent.as_str());
        write.put(self.ledger(said.payment, fact, money.amount, said.event.clone(), now)?);
        let owner = Owner { payment_id: said.payment, order_id: said.order };
        write.put(self.pointer(&money.intent, owner)?);
        Ok(())
    }

    /// Notes that money is on its way, and has its order wait for it until `until` if it does at all. False where that
    /// is not so any more.
    ///
    /// Safe to repeat: a second time changes nothing.
    ///
    /// # Errors
    /// When the tables cannot be written.
    pub(crate) async fn wait(
        &self,
        said: &Said,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> anyhow::Result<bool> {
        let mut write = Write::new();
        if let Some(until) = until {
            write.update(self.orders.processes(said.order, until)?);
        }
        let update = self.heard(said.payment, Heard::Processing, now)?;
        let update = update.update_expression("SET #status = :to, updatedAt = :now");
        write.update(update.build().context("note a slow payment")?);
        Ok(matches!(write.commit(&self.client).await?, Written::Done(())))
    }

    /// Ends an order, as it was read, whose attempts, as they were read, are all out: the transaction makes sure that
    /// they still are, and that nobody has tried again.
    ///
    /// # Errors
    /// Those of [`orders::Orders::end`].
    pub(crate) async fn release(
        &self,
        order: &Order,
        attempts: &[Payment],
        actor: &Actor,
        now: Timestamp,
    ) -> anyhow::Result<Ended> {
        let also = |write: &mut Write| {
            for attempt in attempts {
                write.update(self.still(attempt, now)?);
            }
            Ok(())
        };
        self.orders.end(order, Ending::of_an_unpaid_one(actor, &also), now).await
    }

    /// Ends an order, as it was read, whose one attempt, as it was read, is dead.
    ///
    /// # Errors
    /// Those of [`orders::Orders::end`].
    pub(crate) async fn release_with(
        &self,
        order: &Order,
        attempt: &Payment,
        now: Timestamp,
    ) -> anyhow::Result<Ended> {
        let also = |write: &mut Write| {
            let died = match attempt.status {
                AttemptStatus::Dead => self.still(attempt, now)?,
                AttemptStatus::Creating
                | AttemptStatus::Open
                | AttemptStatus::Processing
                | AttemptStatus::Captured => self.buried(attempt.payment_id, now)?,
            };
            write.update(died);
            Ok(())
        };
        self.orders.end(order, Ending::of_an_unpaid_one(&Actor::WORKFLOW, &also), now).await
    }

    /// That an attempt is as it was read.
    fn still(&self, attempt: &Payment, now: Timestamp) -> anyhow::Result<Update> {
        self.change(attempt.payment_id, ATTEMPT, now)
            .update_expression("SET updatedAt = :now")
            .condition_expression("#status = :status")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", text(attempt.status.as_str()))
            .build()
            .context("make sure of a payment")
    }
}

/// The attempt against which a condition failed.
fn existing(found: Item) -> anyhow::Result<Payment> {
    anyhow::ensure!(!found.is_empty(), "there is no such payment");
    from_item(found)
}
