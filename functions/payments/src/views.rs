//! What people see of payments.

use orders::back::Pieces;
use orders::{OfferId, Order, OrderId, OrderStatus, PaymentId, PaymentStatus};
use serde::Serialize;
use shared::caller::Caller;
use shared::dynamo::list::{Cursors, Page, PageRequest};
use shared::http::problem::Problem;
use shared::values::money::{Amount, Currency, InMajor};
use shared::values::time::Timestamp;

use crate::attempt::{AttemptKind, AttemptStatus, Payment};
use crate::ids::RefundId;
use crate::refunds::{Refund, RefundState, RefundWhy};
use crate::store::{LedgerEntry, Payments, Whole};
use crate::stripe::SessionUrl;

/// How an order and its money stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    order_id: OrderId,
    order_status: OrderStatus,
    payment_status: PaymentStatus,
}

impl Standing {
    /// Of this order.
    pub fn of(order: &Order) -> Self {
        Self { order_id: order.id(), order_status: order.status(), payment_status: order.payment_status() }
    }
}

/// An attempt, as its buyer sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentView {
    payment_id: PaymentId,
    order_id: OrderId,
    kind: AttemptKind,
    status: AttemptStatus,
    /// While it can be paid there.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<SessionUrl>,
    amount: InMajor,
    currency: Currency,
    refundable: InMajor,
    refunded: InMajor,
    /// Until when it can take money, unless it was paid at the door.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    created_at: Timestamp,
}

impl From<Payment> for PaymentView {
    fn from(payment: Payment) -> Self {
        Self {
            payment_id: payment.payment_id,
            order_id: payment.order_id,
            kind: payment.kind,
            status: payment.status,
            expires_at: Some(payment.expires_at).filter(|_| !payment.is_cash()),
            url: payment.url.filter(|_| payment.status == AttemptStatus::Open),
            amount: payment.amount.in_major(),
            currency: payment.currency,
            refundable: payment.refundable.in_major(),
            refunded: payment.refunded.in_major(),
            created_at: payment.created_at,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct RefundView {
    refund_id: RefundId,
    amount: InMajor,
    status: RefundState,
    reason: RefundWhy,
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<RefundedLine>>,
    /// What of it is for sending the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping: Option<InMajor>,
    /// Whether it went in another way than the provider's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    outside: bool,
    created_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct RefundedLine {
    id: OfferId,
    quantity: u32,
    amount: InMajor,
}

impl From<Pieces> for RefundedLine {
    fn from(line: Pieces) -> Self {
        Self { id: line.offer_id, quantity: line.pieces, amount: line.amount.in_major() }
    }
}

impl From<Refund> for RefundView {
    fn from(refund: Refund) -> Self {
        let shipping = refund.share.as_ref().and_then(|share| share.shipping).map(Amount::in_major);
        let lines = refund.share.map(|share| share.lines.into_iter().map(RefundedLine::from).collect());
        Self {
            refund_id: refund.refund_id,
            amount: refund.amount.in_major(),
            status: refund.status,
            reason: refund.reason,
            lines,
            shipping,
            outside: refund.outside,
            created_at: refund.requested_at,
        }
    }
}

shared::names!(
    /// Which way money went.
    enum Direction {
        Came = "in",
        Went = "out",
    }
);

#[derive(Debug, Clone, PartialEq, Serialize)]
struct LedgerView {
    fact: String,
    direction: Direction,
    amount: InMajor,
    at: Timestamp,
}

impl From<LedgerEntry> for LedgerView {
    fn from(entry: LedgerEntry) -> Self {
        let direction = if entry.amount() < 0 { Direction::Went } else { Direction::Came };
        let amount = Amount::from_minor(entry.amount().unsigned_abs()).in_major();
        Self { fact: entry.fact().to_owned(), direction, amount, at: entry.at() }
    }
}

/// An attempt with what was given back of it; for admins, with its ledger.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WholeView {
    #[serde(flatten)]
    payment: PaymentView,
    refunds: Vec<RefundView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<Vec<LedgerView>>,
}

impl WholeView {
    fn of(whole: Whole, caller: &Caller) -> Self {
        let ledger = caller.is_admin().then(|| whole.ledger.into_iter().map(LedgerView::from).collect());
        Self {
            payment: whole.payment.into(),
            refunds: whole.refunds.into_iter().map(RefundView::from).collect(),
            ledger,
        }
    }
}

/// A page of an order's attempts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentList {
    payments: Vec<PaymentView>,
    next_cursor: Option<String>,
}

impl From<Page<Payment>> for PaymentList {
    fn from(page: Page<Payment>) -> Self {
        Self {
            payments: page.entries.into_iter().map(PaymentView::from).collect(),
            next_cursor: page.next_cursor,
        }
    }
}

/// How a checkout is to be paid, in its answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckoutPayment {
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<PaymentId>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<SessionUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

impl CheckoutPayment {
    /// Not at all: it costs nothing.
    pub const NOT_NEEDED: Self = Self { payment_id: None, status: "not-needed", url: None, expires_at: None };
}

impl From<Payment> for CheckoutPayment {
    fn from(payment: Payment) -> Self {
        Self {
            payment_id: Some(payment.payment_id),
            status: payment.status.as_str(),
            url: payment.url.filter(|_| payment.status == AttemptStatus::Open),
            expires_at: Some(payment.expires_at),
        }
    }
}

impl Payments {
    /// An attempt of the caller's, or for an admin anybody's.
    ///
    /// # Errors
    /// `not-found` also when it is somebody else's.
    pub async fn show(&self, caller: &Caller, id: PaymentId) -> Result<WholeView, Problem> {
        let whole = self.whole(id).await?;
        let is_theirs = |whole: &Whole| whole.payment.user_id == *caller.id() || caller.is_admin();
        let whole = whole.filter(is_theirs).ok_or_else(|| Problem::not_found("payment"))?;
        Ok(WholeView::of(whole, caller))
    }

    /// A page of an order's attempts, as far as they are the caller's, or for an admin anybody's: of somebody else's
    /// order, as of none, there are none.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list_for(
        &self,
        caller: &Caller,
        order: OrderId,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<Payment>, Problem> {
        let page = self.list(order, cursors, request).await?;
        let is_theirs = |payment: &Payment| payment.user_id == *caller.id() || caller.is_admin();
        if page.entries.iter().all(is_theirs) {
            return Ok(page);
        }
        Ok(Page { entries: Vec::new(), next_cursor: None })
    }
}
