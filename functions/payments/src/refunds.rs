//! What is given back, and how it may go on.

use std::fmt;
use std::str::FromStr;

use anyhow::Context;
use orders::{OrderId, PaymentId, Share};
use serde::{Deserialize, Serialize};
use shared::values::money::Amount;
use shared::values::time::Timestamp;

use crate::attempt::{Outcome, Payment, SCHEMA_VERSION};
use crate::ids::{IntentId, RefundId, Shop, StripeRefundId};
use crate::stripe::{RefundReason, RefundRequest, RefundStatus};

shared::names!(
    /// How far a refund is.
    pub enum RefundState {
        /// It is owed. The provider may know of it or not.
        Requested = "requested",
        /// The provider has taken it on: it went back, as far as anybody knows.
        Accepted = "accepted",
        /// It could not go back, or it came again.
        Failed = "failed",
    }
);

/// What is heard of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundHeard {
    /// The provider has it, as done or as under way.
    Accepted,
    /// The provider will never do it, or its money came again.
    Failed,
}

/// What something that is heard means for a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundFollows {
    /// It goes on.
    To(RefundState),
    /// Nothing: it was heard before, or it is over.
    Nothing,
}

impl RefundState {
    /// Every transition there is. Nobody leaves `failed`: who tries again begins a new one.
    pub fn on(self, heard: RefundHeard) -> RefundFollows {
        match (heard, self) {
            (RefundHeard::Accepted, Self::Requested) => RefundFollows::To(Self::Accepted),
            (RefundHeard::Failed, Self::Requested | Self::Accepted) => RefundFollows::To(Self::Failed),
            (RefundHeard::Accepted, Self::Accepted | Self::Failed) | (RefundHeard::Failed, Self::Failed) => {
                RefundFollows::Nothing
            }
        }
    }
}

impl RefundHeard {
    /// What the provider's word for a refund means.
    pub fn of(status: &RefundStatus) -> Option<Self> {
        match status {
            RefundStatus::Pending | RefundStatus::RequiresAction | RefundStatus::Succeeded => {
                Some(Self::Accepted)
            }
            RefundStatus::Failed | RefundStatus::Canceled => Some(Self::Failed),
            RefundStatus::Other(_) => None,
        }
    }
}

shared::names!(
    /// Why something is given back.
    pub enum RefundWhy {
        /// The buyer wanted it.
        RequestedByCustomer = "requested_by_customer",
        /// It was paid twice.
        Duplicate = "duplicate",
        /// Somebody else paid with the buyer's card.
        Fraudulent = "fraudulent",
        /// The order was cancelled.
        Cancelled = "cancelled",
        /// What it paid for came back.
        Returned = "returned",
        /// What it paid for was not sent.
        Refused = "refused",
        /// The money came when the order was over.
        Late = "late",
        /// Another amount came than was to be paid, or another currency.
        Mismatch = "mismatch",
        /// Somebody gave it back in the provider's own pages.
        Elsewhere = "elsewhere",
    }
);

impl RefundWhy {
    fn at_stripe(self) -> Option<RefundReason> {
        match self {
            Self::RequestedByCustomer | Self::Cancelled | Self::Returned | Self::Refused => {
                Some(RefundReason::RequestedByCustomer)
            }
            Self::Duplicate => Some(RefundReason::Duplicate),
            Self::Fraudulent => Some(RefundReason::Fraudulent),
            Self::Late | Self::Mismatch | Self::Elsewhere => None,
        }
    }
}

impl RefundWhy {
    /// Whether its buyer is told by a letter of its own. Another one tells of the money of an order that is
    /// cancelled, of things that came back, or that were not sent; and of what was not the order's money nobody here
    /// knows how much it is.
    pub(crate) fn is_told(self) -> bool {
        match self {
            Self::RequestedByCustomer | Self::Duplicate | Self::Fraudulent | Self::Late | Self::Elsewhere => {
                true
            }
            Self::Cancelled | Self::Returned | Self::Refused | Self::Mismatch => false,
        }
    }
}

impl From<Outcome> for RefundWhy {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Mismatch => Self::Mismatch,
            Outcome::Late => Self::Late,
            Outcome::Duplicate => Self::Duplicate,
        }
    }
}

/// A refund, as the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refund {
    pub(crate) payment_id: PaymentId,
    pub(crate) entry: String,
    pub(crate) refund_id: RefundId,
    pub(crate) order_id: OrderId,
    /// Whose money the provider gives back; missing where somebody gave it back otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) intent_id: Option<IntentId>,
    pub(crate) shop: Shop,
    pub(crate) amount: Amount,
    /// Which part of the order it is for; missing where it is for none in particular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) share: Option<Share>,
    pub(crate) reason: RefundWhy,
    pub(crate) status: RefundState,
    /// Whether somebody gave it back in a way that the provider knows nothing of.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) outside: bool,
    /// Whether the order counts it: not where the order never had the money.
    pub(crate) counts: bool,
    /// Who gave it back; missing where the shop did so by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stripe_refund_id: Option<StripeRefundId>,
    pub(crate) tries: u32,
    pub(crate) requested_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// While it is owed, or a letter about it, its shard of the index `due`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) due: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) due_at: Option<Timestamp>,
    pub(crate) schema_version: u32,
}

/// Which refund something is about: the payment, and what names the refund in it, be it our id or Stripe's. As text it
/// is what a queue's message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundName {
    /// Of which attempt.
    pub payment_id: PaymentId,
    /// Which one.
    pub name: String,
}

impl fmt::Display for RefundName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.payment_id, self.name)
    }
}

/// The text names no refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the ids of a payment and of a refund")]
pub struct NotARefund;

impl FromStr for RefundName {
    type Err = NotARefund;

    fn from_str(text: &str) -> Result<Self, NotARefund> {
        let (payment, name) = text.split_once('.').ok_or(NotARefund)?;
        let payment_id = payment.parse().map_err(|_| NotARefund)?;
        Ok(Self { payment_id, name: name.to_owned() })
    }
}

/// The entry of a refund.
pub(crate) fn entry_of(id: &str) -> String {
    format!("refund#{id}")
}

impl Refund {
    /// That so much of `payment`, whose money is `intent`'s, is to go back.
    pub(crate) fn requested(
        payment: &Payment,
        intent: IntentId,
        amount: Amount,
        reason: RefundWhy,
        by: Option<String>,
        now: Timestamp,
    ) -> Self {
        Self { intent_id: Some(intent), ..Self::of(payment, amount, reason, by, now) }
    }

    /// That so much of `payment` was given back in another way than the provider's, which is so once it is said.
    pub(crate) fn outside(
        payment: &Payment,
        amount: Amount,
        reason: RefundWhy,
        by: Option<String>,
        now: Timestamp,
    ) -> Self {
        let requested = Self::of(payment, amount, reason, by, now);
        Self { status: RefundState::Accepted, outside: true, ..requested }.owing_a_letter(now)
    }

    /// One that is owed, in whatever way it goes.
    fn of(payment: &Payment, amount: Amount, reason: RefundWhy, by: Option<String>, now: Timestamp) -> Self {
        let refund_id = RefundId::at(now);
        Self {
            payment_id: payment.payment_id,
            entry: entry_of(&refund_id.to_string()),
            refund_id,
            order_id: payment.order_id,
            intent_id: None,
            shop: payment.shop.clone(),
            amount,
            share: None,
            reason,
            status: RefundState::Requested,
            outside: false,
            counts: reason != RefundWhy::Mismatch && payment.counts(),
            by,
            stripe_refund_id: None,
            tries: 0,
            requested_at: now,
            updated_at: now,
            due: Some(crate::store::due_shard(&refund_id.to_string())),
            due_at: Some(now + crate::store::GRACE),
            schema_version: SCHEMA_VERSION,
        }
    }

    /// The same, which has gone back: a letter is owed, where one tells of it.
    pub(crate) fn owing_a_letter(self, now: Timestamp) -> Self {
        if !self.is_told() {
            return Self { due: None, due_at: None, ..self };
        }
        let shard = crate::store::due_shard(&self.refund_id.to_string());
        Self { due: Some(shard), due_at: Some(now + crate::store::GRACE), ..self }
    }

    /// Whether a letter of its own tells of it once it has gone back.
    pub(crate) fn is_told(&self) -> bool {
        self.counts && self.reason.is_told()
    }

    /// What the letter about it is named by.
    pub fn name(&self) -> RefundName {
        let name = self.entry.strip_prefix("refund#").unwrap_or(&self.entry);
        RefundName { payment_id: self.payment_id, name: name.to_owned() }
    }

    /// The same, for this part of the order.
    pub(crate) fn of_share(self, share: Option<Share>) -> Self {
        Self { share, ..self }
    }

    /// Its id.
    pub fn id(&self) -> RefundId {
        self.refund_id
    }

    /// How much it is.
    pub fn amount(&self) -> Amount {
        self.amount
    }

    /// How far it is.
    pub fn state(&self) -> RefundState {
        self.status
    }

    /// Whose money the provider gives back.
    ///
    /// # Errors
    /// Where the provider has nothing to do with it.
    pub(crate) fn intent(&self) -> anyhow::Result<&IntentId> {
        self.intent_id.as_ref().context("the refund is not the provider's")
    }

    /// What the provider is asked for, the same each time.
    ///
    /// # Errors
    /// Where the provider has nothing to do with it.
    pub fn request(&self) -> anyhow::Result<RefundRequest> {
        Ok(RefundRequest {
            refund: self.refund_id,
            payment: self.payment_id,
            order: self.order_id,
            shop: self.shop.clone(),
            intent: self.intent()?.clone(),
            amount: self.amount,
            reason: self.reason.at_stripe(),
        })
    }
}
