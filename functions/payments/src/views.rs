//! What people see of payments.

use orders::back::Pieces;
use orders::guests::OrderTokens;
use orders::{OfferId, Order, OrderId, OrderStatus, PaymentId, PaymentStatus};
use serde::{Deserialize, Serialize};
use shared::caller::Caller;
use shared::dynamo::list::{Cursors, Page, PageRequest};
use shared::guards::Once;
use shared::http::Answer;
use shared::http::problem::Problem;
use shared::values::money::{Amount, Currency, InMajor};
use shared::values::time::Timestamp;

use crate::attempt::{AttemptKind, AttemptStatus, Payment};
use crate::disputes::{Dispute, DisputeState};
use crate::ids::{DisputeId, RefundId};
use crate::refunds::{Refund, RefundState, RefundWhy};
use crate::settings::PublishableKey;
use crate::starting::Started;
use crate::store::{LedgerEntry, Payments, Whole};
use crate::stripe::{ClientSecret, SessionUrl};

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
    disputed: bool,
    /// Until when it can take money, unless it was paid at the door.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    created_at: Timestamp,
}

impl From<Payment> for PaymentView {
    fn from(payment: Payment) -> Self {
        let refundable = payment.can_go_back().in_major();
        Self {
            payment_id: payment.payment_id,
            order_id: payment.order_id,
            kind: payment.kind,
            status: payment.status,
            expires_at: Some(payment.expires_at).filter(|_| !payment.is_cash()),
            url: payment.url.filter(|_| payment.status == AttemptStatus::Open),
            amount: payment.amount.in_major(),
            currency: payment.currency,
            refundable,
            refunded: payment.refunded.in_major(),
            disputed: payment.disputes > 0,
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

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct DisputeView {
    dispute_id: DisputeId,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<InMajor>,
    status: DisputeState,
    since: Timestamp,
}

impl From<Dispute> for DisputeView {
    fn from(dispute: Dispute) -> Self {
        Self {
            dispute_id: dispute.dispute_id,
            amount: dispute.amount.map(Amount::in_major),
            status: dispute.status,
            since: dispute.since,
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

/// An attempt as whoever is to pay by it sees it: its page, or with what its form is opened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StartedView {
    #[serde(flatten)]
    payment: PaymentView,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<ClientSecret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publishable_key: Option<PublishableKey>,
}

impl From<Started> for StartedView {
    fn from(started: Started) -> Self {
        let (client_secret, publishable_key) = started.form.unzip();
        Self { payment: started.payment.into(), client_secret, publishable_key }
    }
}

impl Started {
    /// The answer to a request to pay: a new way to pay has an address of its own.
    pub fn answer(self, path: impl FnOnce(PaymentId) -> String) -> Answer<StartedView> {
        let (id, is_new) = (self.payment.payment_id, self.is_new);
        if is_new { Answer::created(self.into()).at(path(id)) } else { Answer::ok(self.into()) }
    }
}

/// An attempt with what was given back of it; for admins, with its disputes and its ledger.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WholeView {
    #[serde(flatten)]
    payment: PaymentView,
    refunds: Vec<RefundView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disputes: Option<Vec<DisputeView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<Vec<LedgerView>>,
}

impl WholeView {
    fn of(whole: Whole, caller: &Caller) -> Self {
        let disputes = caller.is_admin().then(|| whole.disputes.into_iter().map(DisputeView::from).collect());
        let ledger = caller.is_admin().then(|| whole.ledger.into_iter().map(LedgerView::from).collect());
        Self {
            payment: whole.payment.into(),
            refunds: whole.refunds.into_iter().map(RefundView::from).collect(),
            disputes,
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
    /// How an order of this total is to be paid, with its attempt if it has one: not at all where it costs nothing, and
    /// `None` where it is paid at the door.
    pub fn of(total: Amount, attempt: Option<Payment>) -> Option<Self> {
        let free = Self { payment_id: None, status: "not-needed", url: None, expires_at: None };
        let Some(attempt) = attempt else { return (total == Amount::ZERO).then_some(free) };
        Some(Self {
            payment_id: Some(attempt.payment_id),
            status: attempt.status.as_str(),
            url: attempt.url.filter(|_| attempt.status == AttemptStatus::Open),
            expires_at: Some(attempt.expires_at),
        })
    }
}

/// An order that was placed, as the record of its request's key keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlacedOrder {
    /// The order.
    pub order_id: OrderId,
    /// What it comes to.
    pub total: Amount,
    /// In which currency.
    pub currency: Currency,
    /// By which payment, where it is paid before it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
}

/// The same as whoever ordered sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlacedView {
    message: &'static str,
    order_id: OrderId,
    total: InMajor,
    currency: Currency,
    /// How it is to be paid, unless that is at the door.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<CheckoutPayment>,
    /// What opens a guest's order. That is kept nowhere, and is the same each time.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_token: Option<String>,
}

impl PlacedView {
    /// An order, with its attempt to be paid as it is, if it has one.
    pub fn of(PlacedOrder { order_id, total, currency, .. }: PlacedOrder, attempt: Option<Payment>) -> Self {
        let payment = CheckoutPayment::of(total, attempt);
        let (message, total) = ("order placed successfully", total.in_major());
        Self { message, order_id, total, currency, payment, order_token: None }
    }

    /// The same, for the guest whose order it is.
    #[must_use]
    pub fn opened_by(self, tokens: &OrderTokens) -> Self {
        Self { order_token: Some(tokens.of(self.order_id).reveal()), ..self }
    }

    /// Where it is shown to whoever ordered.
    fn path(&self) -> String {
        let pages = if self.order_token.is_some() { "guest-orders" } else { "orders" };
        format!("/{pages}/{}", self.order_id)
    }

    /// The answer to whoever ordered, now or before.
    pub fn answer(placed: Once<Self>) -> Answer<Self> {
        let path = placed.answer().path();
        Answer::created_once(placed).at(path)
    }
}

/// The same, with the page on which it is paid where pages look for it that know of nothing else.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SessionView {
    #[serde(flatten)]
    order: PlacedView,
    /// Missing where it costs nothing, and while nobody knows whether Stripe has made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<SessionUrl>,
}

impl From<PlacedView> for SessionView {
    fn from(order: PlacedView) -> Self {
        let url = order.payment.as_ref().and_then(|payment| payment.url.clone());
        Self { order, url }
    }
}

impl SessionView {
    /// The answer to whoever ordered, now or before.
    pub fn answer(placed: Once<PlacedView>) -> Answer<Self> {
        let path = placed.answer().path();
        Answer::created_once(placed.map(Self::from)).at(path)
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
