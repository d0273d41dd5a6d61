//! Sending things back: a buyer asks for it, the shop agrees or does not, and what came back is paid back.
//!
//! The pieces of a return are counted in the order as long as nobody refuses it, so that none is in two. Whoever
//! decides it pays back what came back, which is the payments' to do.

use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use offers::{OfferId, ProductName};
use serde::{Deserialize, Serialize};
use shared::caller::Caller;
use shared::dynamo::list::Page;
use shared::guards::rate_limit::PersonLimit;
use shared::guards::{Committed, Guards, KeyReused, KeyedRequest, Once};
use shared::http::input::{Body, Fields};
use shared::http::problem::{Busy, FieldError, Kind, Problem, StatusCode};
use shared::http::{Answer, IdempotencyKey};
use shared::letters::{EmailQueue, Queued};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::telemetry;
use shared::values::money::{Amount, InMajor};
use shared::values::time::Timestamp;

use crate::guests::{Guest, GuestOrders};
use crate::letters::ReturnLetterKind;
use crate::store::Returns;
use crate::{
    Actor, Error, GRACE, NewLine, Order, OrderId, OrderNumber, OrderStatus, PaymentId, Quantity, RefundId,
};

/// The shape in which returns are written.
const SCHEMA_VERSION: u32 = 1;

/// How often an order is looked at anew because something of it came back meanwhile.
const TRIES: u32 = 4;

/// How long an order is thought to be on its way where nobody says that it arrived.
const ON_ITS_WAY: Duration = Duration::from_hours(14 * 24);

/// How often an email is queued again before somebody has to look.
const EMAIL_ATTEMPTS: u32 = 10;

shared::id!(
    /// Names a return.
    ReturnId
);

shared::text!(
    /// Why somebody sends something back, or why the shop does not take it.
    ReturnReason, 1..=500
);

shared::names!(
    /// How far a return is.
    pub enum ReturnStatus {
        /// Its buyer asks for it.
        Requested = "requested",
        /// The shop agrees, and waits for the things.
        Accepted = "accepted",
        /// They are back, and paid back.
        Received = "received",
        /// The shop does not take them.
        Refused = "refused",
    }
);

/// What is decided of a return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The shop agrees.
    Accept,
    /// It does not, and says why if it likes.
    Refuse(Option<ReturnReason>),
    /// The things are back.
    Receive(Receipt),
}

/// What becomes of things that are back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Whether they can be sold again.
    pub restock: bool,
    /// Whether what sending them to the buyer cost is paid back as well.
    pub shipping: bool,
    /// Whether somebody has paid for them already, in another way than the provider's.
    pub outside: bool,
}

/// What a decision means for a return as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// It goes on.
    To(ReturnStatus),
    /// It was decided so before.
    Already,
    /// It was decided otherwise.
    Refused,
}

impl ReturnStatus {
    /// Every transition there is. Things may come that nobody has agreed to take, and are back all the same.
    pub fn on(self, decision: &Decision) -> Follows {
        match (decision, self) {
            (Decision::Accept, Self::Requested) => Follows::To(Self::Accepted),
            (Decision::Refuse(_), Self::Requested | Self::Accepted) => Follows::To(Self::Refused),
            (Decision::Receive(_), Self::Requested | Self::Accepted) => Follows::To(Self::Received),
            (Decision::Accept, Self::Accepted)
            | (Decision::Refuse(_), Self::Refused)
            | (Decision::Receive(_), Self::Received) => Follows::Already,
            (Decision::Accept, Self::Received | Self::Refused)
            | (Decision::Refuse(_), Self::Received)
            | (Decision::Receive(_), Self::Refused) => Follows::Refused,
        }
    }

    /// What its buyer is told in it.
    pub const fn letter(self) -> ReturnLetterKind {
        match self {
            Self::Requested => ReturnLetterKind::Requested,
            Self::Accepted => ReturnLetterKind::Accepted,
            Self::Received => ReturnLetterKind::Received,
            Self::Refused => ReturnLetterKind::Refused,
        }
    }

    /// Whether somebody has to decide what becomes of it.
    fn is_open(self) -> bool {
        match self {
            Self::Requested | Self::Accepted => true,
            Self::Received | Self::Refused => false,
        }
    }
}

impl Body for Decision {
    fn read(fields: &mut Fields) -> Option<Self> {
        let status: Option<ReturnStatus> = fields.required("status");
        match status? {
            ReturnStatus::Requested => {
                fields.fault("status", "must be one of accepted, received, refused");
                None
            }
            ReturnStatus::Accepted => Some(Self::Accept),
            ReturnStatus::Refused => Some(Self::Refuse(fields.member("reason")?)),
            ReturnStatus::Received => {
                let restock: Option<Option<bool>> = fields.member("restock");
                let shipping: Option<Option<bool>> = fields.member("shipping");
                let outside: Option<Option<bool>> = fields.member("outside");
                Some(Self::Receive(Receipt {
                    restock: restock?.unwrap_or_default(),
                    shipping: shipping?.unwrap_or_default(),
                    outside: outside?.unwrap_or_default(),
                }))
            }
        }
    }
}

/// What somebody wants to send back: `{items: [{id, quantity}], reason?}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewReturn {
    /// Each offer once.
    pub lines: Vec<NewLine>,
    /// Why, if it is said.
    pub reason: Option<ReturnReason>,
}

impl Body for NewReturn {
    fn read(fields: &mut Fields) -> Option<Self> {
        let reason = fields.member("reason");
        let lines = NewLine::read_each_once(fields, "items");
        Some(Self { lines: lines?, reason: reason? })
    }
}

/// How long things can be sent back after they arrived, in whole days; not at all where it is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReturnDays(u32);

impl FromStr for ReturnDays {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let days = text.parse().ok().filter(|days| (0..=365).contains(days));
        days.map(Self).ok_or("it must be a whole number from 0 to 365")
    }
}

/// Why something is not sent back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotReturnable {
    /// It has not left.
    #[error("the order has not shipped")]
    NotShipped,
    /// It is too late.
    #[error("the order could be sent back for a while, which is over")]
    TooLate,
    /// Fewer pieces are left that are in no return.
    #[error("{left} pieces of {id} can be sent back")]
    TooMany {
        /// Of this line.
        id: OfferId,
        /// This many.
        left: u32,
    },
    /// The order has no such line.
    #[error("the order has no line {0}")]
    NotOrdered(OfferId),
}

const NOT_RETURNABLE: Kind = Kind::new(StatusCode::CONFLICT, "not-returnable", "Not returnable");
const DECIDED: Kind = Kind::new(StatusCode::CONFLICT, "return-decided", "Return decided");

impl From<NotReturnable> for Problem {
    fn from(refusal: NotReturnable) -> Self {
        let (reason, detail) = match refusal {
            NotReturnable::NotOrdered(id) => {
                let detail = format!("has {id}, which is not in the order");
                return Self::invalid_input(vec![FieldError::body("#/items", detail)]);
            }
            NotReturnable::NotShipped => ("not-shipped", "The order has not left, so it cannot come back."),
            NotReturnable::TooLate => ("too-late", "The order can no longer be sent back."),
            NotReturnable::TooMany { .. } => {
                ("too-many", "Fewer pieces than that can be sent back: the others are in another return.")
            }
        };
        let problem = Self::new(NOT_RETURNABLE, detail).with("reason", reason);
        match refusal {
            NotReturnable::TooMany { id, left } => problem.with("productId", id).with("left", left),
            NotReturnable::NotShipped | NotReturnable::TooLate | NotReturnable::NotOrdered(_) => problem,
        }
    }
}

/// A return was decided otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the return is {0}")]
pub struct Decided(pub ReturnStatus);

impl From<Decided> for Problem {
    fn from(Decided(status): Decided) -> Self {
        Self::new(DECIDED, "It was decided otherwise what becomes of this return.").with("decided", status)
    }
}

/// Pieces of a line that are sent back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReturnedLine {
    offer_id: OfferId,
    product_name: ProductName,
    quantity: Quantity,
}

/// What was paid back for a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaidBack {
    /// Of which payment.
    pub payment_id: PaymentId,
    /// By which refund.
    pub refund_id: RefundId,
    /// How much.
    pub amount: Amount,
}

/// A return, as the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Return {
    pub(crate) return_id: ReturnId,
    pub(crate) order_id: OrderId,
    pub(crate) status: ReturnStatus,
    lines: Vec<ReturnedLine>,
    /// Why its buyer sends it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<ReturnReason>,
    /// Why the shop does not take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refusal: Option<ReturnReason>,
    /// Who decided it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<Actor>,
    /// Whether the things can be sold again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    restocked: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paid_back: Option<PaidBack>,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// While somebody has to decide it, the one partition of the index `open`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open: Option<String>,
    /// While a letter about it is owed, the one partition of the index `due`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    /// When to look whether it is still owed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
    /// How often it was looked at in this status.
    #[serde(default)]
    attempts: u32,
    schema_version: u32,
}

/// The one partition of the indexes of returns: there are few at a time.
pub(crate) const PARTITION: &str = "0";

impl Return {
    fn of(order: &Order, asked: &NewReturn, now: Timestamp) -> Result<Self, NotReturnable> {
        let line = |wanted: &NewLine| {
            let line = order.lines.iter().find(|line| line.offer_id == wanted.id);
            let line = line.ok_or(NotReturnable::NotOrdered(wanted.id))?;
            Ok(ReturnedLine {
                offer_id: wanted.id,
                product_name: line.product_name.clone(),
                quantity: wanted.quantity,
            })
        };
        Ok(Self {
            return_id: ReturnId::at(now),
            order_id: order.order_id,
            status: ReturnStatus::Requested,
            lines: asked.lines.iter().map(line).collect::<Result<_, _>>()?,
            reason: asked.reason.clone(),
            refusal: None,
            by: None,
            restocked: false,
            paid_back: None,
            created_at: now,
            updated_at: now,
            open: Some(PARTITION.to_owned()),
            due: Some(PARTITION.to_owned()),
            due_at: Some(now + GRACE),
            attempts: 0,
            schema_version: SCHEMA_VERSION,
        })
    }

    /// Its id.
    pub fn id(&self) -> ReturnId {
        self.return_id
    }

    /// Of which order things are sent back.
    pub fn order_id(&self) -> OrderId {
        self.order_id
    }

    /// How far it is.
    pub fn status(&self) -> ReturnStatus {
        self.status
    }

    /// What is sent back.
    pub fn lines(&self) -> Vec<NewLine> {
        self.lines.iter().map(|line| NewLine { id: line.offer_id, quantity: line.quantity }).collect()
    }

    /// What is sent back, by name.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&ProductName, Quantity)> {
        self.lines.iter().map(|line| (&line.product_name, line.quantity))
    }

    /// Why the shop does not take it, if that was said.
    pub(crate) fn refusal(&self) -> Option<&ReturnReason> {
        self.refusal.as_ref()
    }

    /// How much was paid back for it.
    pub(crate) fn paid_back(&self) -> Option<Amount> {
        self.paid_back.as_ref().map(|paid| paid.amount)
    }

    /// The same in another status, which `by` decided: its buyer is to be told.
    fn moved(&self, status: ReturnStatus, by: Actor, now: Timestamp) -> Self {
        Self {
            status,
            by: Some(by),
            updated_at: now.after(self.updated_at),
            open: status.is_open().then(|| PARTITION.to_owned()),
            due: Some(PARTITION.to_owned()),
            due_at: Some(now + GRACE),
            attempts: 0,
            ..self.clone()
        }
    }

    /// The same, which the shop agrees to.
    #[must_use]
    pub fn accepted(&self, by: Actor, now: Timestamp) -> Self {
        self.moved(ReturnStatus::Accepted, by, now)
    }

    /// The same, which the shop does not take.
    #[must_use]
    pub fn refused(&self, why: Option<ReturnReason>, by: Actor, now: Timestamp) -> Self {
        Self { refusal: why, ..self.moved(ReturnStatus::Refused, by, now) }
    }

    /// The same, whose things are back and paid back.
    #[must_use]
    pub fn received(&self, restocked: bool, paid_back: Option<PaidBack>, by: Actor, now: Timestamp) -> Self {
        Self { restocked, paid_back, ..self.moved(ReturnStatus::Received, by, now) }
    }
}

impl Order {
    /// Until when it can be sent back; not at all before it is on its way.
    fn returnable_until(&self, ReturnDays(days): ReturnDays) -> Option<Timestamp> {
        let days = Duration::from_hours(u64::from(days) * 24);
        let since = |status| self.history.iter().rev().find(|entry| entry.status == status);
        match self.status {
            OrderStatus::AwaitingPayment | OrderStatus::Pending | OrderStatus::Cancelled => None,
            OrderStatus::Shipping => Some(since(OrderStatus::Shipping)?.at + ON_ITS_WAY + days),
            OrderStatus::Delivered => Some(since(OrderStatus::Delivered)?.at + days),
        }
    }

    /// That these pieces can be sent back, which is asked for at `now`.
    ///
    /// # Errors
    /// [`NotReturnable`].
    pub fn sends_back(
        &self,
        asked: &NewReturn,
        days: ReturnDays,
        now: Timestamp,
    ) -> Result<Return, NotReturnable> {
        let until = self.returnable_until(days).ok_or(NotReturnable::NotShipped)?;
        if now > until {
            return Err(NotReturnable::TooLate);
        }
        let asked_for = Return::of(self, asked, now)?;
        for NewLine { id, quantity } in &asked.lines {
            let line = self.lines.iter().find(|line| line.offer_id == *id);
            // What was never sent does not come back.
            let line = line.filter(|line| !self.is_refused_by(&line.seller_id));
            let pieces = line.map_or(0, |line| line.quantity.pieces());
            let left = pieces.saturating_sub(self.back_of(*id).returned());
            if quantity.pieces() > left {
                return Err(NotReturnable::TooMany { id: *id, left });
            }
        }
        Ok(asked_for)
    }

    /// In which part `caller` decides a return of its things: as the seller of all of them, or as an admin. `None` for
    /// others.
    pub fn decided_by(&self, asked: &Return, caller: &Caller) -> Option<Actor> {
        let is_theirs = |returned: &ReturnedLine| {
            let mut lines = self.lines.iter();
            lines.any(|line| line.offer_id == returned.offer_id && line.seller_id == *caller.id())
        };
        let is_seller = !asked.lines.is_empty() && asked.lines.iter().all(is_theirs);
        Actor::of(is_seller, caller)
    }
}

/// A return as its buyer and the shop see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReturnView {
    return_id: ReturnId,
    order_id: OrderId,
    number: OrderNumber,
    status: ReturnStatus,
    items: Vec<ReturnedView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<ReturnReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<ReturnReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<PaidBackView>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReturnedView {
    id: OfferId,
    product_name: ProductName,
    quantity: Quantity,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct PaidBackView {
    payment_id: PaymentId,
    refund_id: RefundId,
    amount: InMajor,
}

impl From<Return> for ReturnView {
    fn from(it: Return) -> Self {
        let item = |line: ReturnedLine| ReturnedView {
            id: line.offer_id,
            product_name: line.product_name,
            quantity: line.quantity,
        };
        let refund = |paid: PaidBack| PaidBackView {
            payment_id: paid.payment_id,
            refund_id: paid.refund_id,
            amount: paid.amount.in_major(),
        };
        Self {
            return_id: it.return_id,
            order_id: it.order_id,
            number: it.order_id.into(),
            status: it.status,
            items: it.lines.into_iter().map(item).collect(),
            reason: it.reason,
            refusal: it.refusal,
            refund: it.paid_back.map(refund),
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

/// A page of returns.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReturnList {
    returns: Vec<ReturnView>,
    next_cursor: Option<String>,
}

impl From<Page<Return>> for ReturnList {
    fn from(page: Page<Return>) -> Self {
        Self {
            returns: page.entries.into_iter().map(ReturnView::from).collect(),
            next_cursor: page.next_cursor,
        }
    }
}

/// A return of which a letter is owed, as the index of such returns has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DueReturn {
    pub(crate) return_id: ReturnId,
    pub(crate) status: ReturnStatus,
    pub(crate) due_at: Timestamp,
    #[serde(default)]
    pub(crate) attempts: u32,
}

impl DueReturn {
    /// Whether it was tried often enough: somebody has to look.
    pub(crate) fn is_given_up(&self) -> bool {
        self.attempts >= EMAIL_ATTEMPTS
    }

    /// When to look again after a sweep at `now`: 2, 4, 8 … minutes, at most about two hours.
    pub(crate) fn next_due(&self, now: Timestamp) -> Timestamp {
        now + GRACE * (1 << self.attempts.min(6))
    }
}

/// Asking for returns, as often as one person may.
#[derive(Debug, Clone)]
pub struct Requesting {
    limit: PersonLimit,
    days: ReturnDays,
    returns: Returns,
    guests: GuestOrders,
    guards: Guards,
    emails: EmailQueue,
}

/// A return that was asked for, now or before, and where the order's returns are.
#[derive(Debug, Clone, PartialEq)]
pub struct Requested {
    asked: Once<Return>,
    path: String,
}

impl From<Requested> for Answer<ReturnView> {
    fn from(Requested { asked, path }: Requested) -> Self {
        Self::created_once(asked.map(ReturnView::from)).at(path)
    }
}

impl FromEnv for Requesting {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            limit: PersonLimit::from_env(aws)?,
            days: config::required("RETURN_DAYS")?,
            returns: Returns::from_env(aws)?,
            guests: GuestOrders::from_env(aws)?,
            guards: Guards::from_env(aws)?,
            emails: EmailQueue::from_env(aws)?,
        })
    }
}

impl Requesting {
    /// Asks for a return of things of the buyer's order, and queues the email that says so.
    ///
    /// Safe to repeat with a key: the first answer comes again. Without one no piece is in two returns either.
    ///
    /// # Errors
    /// `too-many-requests`, `not-found`, and what [`NotReturnable`] says.
    pub async fn request(
        &self,
        buyer: &Caller,
        id: OrderId,
        asked: &NewReturn,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Requested, Problem> {
        telemetry::about("orders", id);
        self.limit.count("request-return", buyer.id(), now).await?;
        let order = self.returns.orders().find_of(buyer, id).await?;
        let keyed = KeyedRequest::of("request-return", buyer, key, &(id, asked))?;
        let asked = self.ask(order, asked, keyed.as_ref(), now).await?;
        Ok(Requested { asked, path: format!("/orders/{id}/returns") })
    }

    /// The same of a guest's order, for whoever has what opens it.
    ///
    /// # Errors
    /// The same.
    pub async fn request_as(
        &self,
        guest: Guest,
        id: OrderId,
        asked: &NewReturn,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Requested, Problem> {
        telemetry::about("orders", id);
        let order = self.guests.open(guest, id, now).await?;
        let asked = self.request_opened(order, asked, key, now).await?;
        Ok(Requested { asked, path: format!("/guest-orders/{id}/returns") })
    }

    /// The same for the buyer of an order that was opened otherwise.
    ///
    /// # Errors
    /// The same.
    pub async fn request_opened(
        &self,
        order: Order,
        asked: &NewReturn,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Once<Return>, Problem> {
        let keyed = KeyedRequest::within("request-return", order.id(), key, &(order.id(), asked))?;
        self.ask(order, asked, keyed.as_ref(), now).await
    }

    async fn ask(
        &self,
        order: Order,
        asked: &NewReturn,
        keyed: Option<&KeyedRequest>,
        now: Timestamp,
    ) -> Result<Once<Return>, Problem> {
        let (id, mut order) = (order.id(), order);
        for _ in 0..TRIES {
            let new = match order.sends_back(asked, self.days, now) {
                Ok(new) => new,
                Err(refused) => {
                    // The same request may have asked before: then that is its answer.
                    let answer = self.guards.answered(keyed, now).await?;
                    return answer.ok_or_else(|| refused.into());
                }
            };
            match self.returns.request(&self.guards, &order, new, keyed, now).await? {
                Committed::Once(asked) => {
                    self.told(&asked).await;
                    return Ok(asked);
                }
                Committed::KeyReused => return Err(KeyReused.into()),
                Committed::Refused(_) => {
                    order = self.returns.orders().find(id).await?.ok_or(Error::NotFound)?;
                }
            }
        }
        Err(anyhow::Error::new(Busy).context("ask for a return").into())
    }

    async fn told(&self, asked: &Once<Return>) {
        let Once::Done(asked) = asked else { return };
        tracing::info!(order_id = %asked.order_id, return_id = %asked.return_id, "return asked for");
        telemetry::count("ReturnRequested", 1);
        self.emails.send_or_leave(&Queued::new(ReturnLetterKind::Requested, asked.return_id)).await;
    }
}

/// The letters about returns that nobody has recorded as sent, and the queue that they go back to.
#[derive(Debug, Clone)]
pub struct ReturnSweep {
    returns: Returns,
    emails: EmailQueue,
}

impl FromEnv for ReturnSweep {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { returns: Returns::from_env(aws)?, emails: EmailQueue::from_env(aws)? })
    }
}

impl ReturnSweep {
    /// Queues again what is still owed: one return that cannot be swept keeps no other waiting.
    ///
    /// Safe to repeat: each is put off before its letter is queued, and a letter goes out once.
    ///
    /// # Errors
    /// Tells how many failed, after all of them were tried.
    pub async fn run(&self, now: Timestamp) -> anyhow::Result<()> {
        let mut failed = 0;
        for due in self.returns.due(now).await? {
            if let Err(error) = self.sweep(&due, now).await {
                let return_id = due.return_id;
                tracing::error!(%return_id, error = format!("{error:#}"), "a return was not swept up");
                failed += 1;
            }
        }
        anyhow::ensure!(failed == 0, "{failed} returns could not be swept up");
        Ok(())
    }

    async fn sweep(&self, due: &DueReturn, now: Timestamp) -> anyhow::Result<()> {
        if !self.returns.put_off(due, now).await.context("put off a return")? {
            return Ok(());
        }
        tracing::warn!(return_id = %due.return_id, status = %due.status, "swept up");
        telemetry::count("ReturnSwept", 1);
        if due.is_given_up() {
            telemetry::count("EmailAbandoned", 1);
            return self.returns.settle(due.return_id, due.status).await;
        }
        self.emails.send(&Queued::new(due.status.letter(), due.return_id)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HistoryEntry, tests};
    use proptest::prelude::*;
    use shared::http::input;

    const DAY: Duration = Duration::from_hours(24);

    /// An order of so many pieces that left an hour after it was placed, and perhaps arrived a day later.
    fn order(quantity: u32, arrived: bool) -> Order {
        let mut order = tests::placed(&[("Tea", quantity)]);
        let mut at = |status, at| {
            order.status = status;
            order.history.push(HistoryEntry { status, at, reason: None, by: None });
        };
        let left = tests::now() + Duration::from_hours(1);
        at(OrderStatus::Shipping, left);
        if arrived {
            at(OrderStatus::Delivered, left + DAY);
        }
        order
    }

    fn asked(order: &Order, quantity: u32) -> NewReturn {
        let quantity = Quantity::new(quantity).unwrap();
        NewReturn { lines: vec![NewLine { id: order.lines[0].offer_id, quantity }], reason: None }
    }

    fn days(days: &str) -> ReturnDays {
        days.parse().unwrap()
    }

    #[test]
    fn an_order_can_be_sent_back_for_so_many_days_after_it_arrived_or_was_taken_to_have() {
        let left = tests::now() + Duration::from_hours(1);
        for (arrived, last) in [(true, left + DAY * 31), (false, left + DAY * 44)] {
            let order = order(2, arrived);
            let at = |now| order.sends_back(&asked(&order, 1), days("30"), now).map(drop);
            assert_eq!(at(last), Ok(()));
            assert_eq!(at(last + Duration::from_millis(1)), Err(NotReturnable::TooLate));
        }
        let pending = tests::placed(&[("Tea", 2)]);
        let refused = pending.sends_back(&asked(&pending, 1), days("30"), tests::now());
        assert_eq!(refused, Err(NotReturnable::NotShipped));
        let none = order(2, true);
        let refused = none.sends_back(&asked(&none, 1), days("0"), left + DAY * 2);
        assert_eq!(refused, Err(NotReturnable::TooLate));
        assert!("366".parse::<ReturnDays>().is_err() && "-1".parse::<ReturnDays>().is_err());
    }

    proptest! {
        // Whatever is asked for and refused, in whatever order: no piece is in two returns.
        #[test]
        fn pieces_in_returns_are_never_more_than_were_bought(
            steps in prop::collection::vec((1..4_u32, any::<bool>(), any::<prop::sample::Index>()), 0..20),
        ) {
            let mut order = order(5, true);
            let now = order.updated_at + DAY;
            let mut open: Vec<Return> = Vec::new();
            for (quantity, refuses, which) in steps {
                if refuses && !open.is_empty() {
                    let refused = open.swap_remove(which.index(open.len()));
                    order.back = Some(order.back_without_return(&refused.lines()));
                } else if let Ok(new) = order.sends_back(&asked(&order, quantity), days("30"), now) {
                    order.back = Some(order.back_with_return(&new.lines()));
                    open.push(new);
                }
                let pieces = |one: &Return| one.lines().iter().map(|line| line.quantity.pieces()).sum::<u32>();
                let sum: u32 = open.iter().map(pieces).sum();
                prop_assert!(sum <= 5);
                prop_assert_eq!(order.back_of(order.lines[0].offer_id).returned(), sum);
            }
        }
    }

    fn decisions() -> [Decision; 3] {
        let receipt = Receipt { restock: true, shipping: false, outside: false };
        [Decision::Accept, Decision::Refuse(None), Decision::Receive(receipt)]
    }

    #[test]
    fn a_return_is_decided_once_and_what_is_here_stays_here() {
        use Follows::{Already, Refused, To};
        use ReturnStatus::{Accepted, Received, Requested};
        let on = |status: ReturnStatus| decisions().map(|decision| status.on(&decision));
        assert_eq!(on(Requested), [To(Accepted), To(ReturnStatus::Refused), To(Received)]);
        assert_eq!(on(Accepted), [Already, To(ReturnStatus::Refused), To(Received)]);
        assert_eq!(on(Received), [Refused, Refused, Already]);
        assert_eq!(on(ReturnStatus::Refused), [Refused, Already, Refused]);
    }

    #[test]
    fn a_decided_return_is_open_as_long_as_its_things_are_not_here_and_owes_a_letter() {
        let order = order(2, true);
        let now = order.updated_at + DAY;
        let new = order.sends_back(&asked(&order, 1), days("30"), now).unwrap();
        let admin = Actor { part: crate::Part::Admin, user_id: Some("admin".to_owned().into()) };
        let accepted = new.accepted(admin.clone(), now);
        let received = accepted.received(true, None, admin.clone(), now);
        let refused = accepted.refused(None, admin, now);
        let is_open = [&new, &accepted, &received, &refused].map(|one| one.open.is_some());
        assert_eq!(is_open, [true, true, false, false]);
        assert!([&new, &accepted, &received, &refused].iter().all(|one| one.due.is_some()));
        assert!(received.updated_at > accepted.updated_at);
        for one in [new, accepted, received, refused] {
            let item = shared::dynamo::to_item(&one).unwrap();
            assert_eq!(shared::dynamo::from_item::<Return>(item).unwrap(), one);
        }
    }

    #[test]
    fn each_status_has_its_letter_and_only_that_is_so() {
        let order = order(2, true);
        let new = order.sends_back(&asked(&order, 1), days("30"), order.updated_at).unwrap();
        for status in ReturnStatus::ALL {
            let mut one = new.clone();
            one.status = status;
            let told =
                ReturnLetterKind::ALL.into_iter().filter(|kind| order.letter_of(*kind, &one).is_some());
            assert_eq!(told.collect::<Vec<_>>(), [status.letter()]);
        }
    }

    #[test]
    fn whoever_sells_all_of_a_return_decides_it_and_admins_do() {
        let order = order(2, true);
        let new = order.sends_back(&asked(&order, 1), days("30"), order.updated_at).unwrap();
        assert!(order.decided_by(&new, &Caller::for_tests("seller")).is_some());
        assert!(order.decided_by(&new, &Caller::for_tests("ann")).is_none(), "its buyer");
    }

    #[test]
    fn what_is_no_decision_is_told_where() {
        let parse = |body: &str| input::parse::<Decision>(body.as_bytes());
        let receipt = Receipt { restock: true, shipping: false, outside: true };
        let received =
            parse(r#"{"status":"received","restock":true,"outside":true,"shipping":null}"#).unwrap();
        assert_eq!(received, Decision::Receive(receipt));
        assert_eq!(parse(r#"{"status":"refused"}"#).unwrap(), Decision::Refuse(None));
        for (body, pointer) in [
            ("{}", "#/status"),
            (r#"{"status":"requested"}"#, "#/status"),
            (r#"{"status":"accepted","restock":true}"#, "#/restock"),
            (r#"{"status":"refused","reason":""}"#, "#/reason"),
            (r#"{"status":"received","restock":1}"#, "#/restock"),
        ] {
            let problem = parse(body).unwrap_err();
            assert_eq!(problem.errors()[0].pointer.as_deref(), Some(pointer), "{body}");
        }
    }
}
