//! What is given back, and how it may go on.

use orders::{OrderId, PaymentId};
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
            Self::RequestedByCustomer | Self::Cancelled => Some(RefundReason::RequestedByCustomer),
            Self::Duplicate => Some(RefundReason::Duplicate),
            Self::Fraudulent => Some(RefundReason::Fraudulent),
            Self::Late | Self::Mismatch | Self::Elsewhere => None,
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
    pub(crate) intent_id: IntentId,
    pub(crate) shop: Shop,
    pub(crate) amount: Amount,
    pub(crate) reason: RefundWhy,
    pub(crate) status: RefundState,
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
    /// While it is owed, its shard of the index `due`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) due: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) due_at: Option<Timestamp>,
    pub(crate) schema_version: u32,
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
        let refund_id = RefundId::at(now);
        Self {
            payment_id: payment.payment_id,
            entry: entry_of(&refund_id.to_string()),
            refund_id,
            order_id: payment.order_id,
            intent_id: intent,
            shop: payment.shop.clone(),
            amount,
            reason,
            status: RefundState::Requested,
            counts: reason != RefundWhy::Mismatch && payment.outcome != Some(Outcome::Mismatch),
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

    /// What the provider is asked for, the same each time.
    pub fn request(&self) -> RefundRequest {
        RefundRequest {
            refund: self.refund_id,
            payment: self.payment_id,
            order: self.order_id,
            shop: self.shop.clone(),
            intent: self.intent_id.clone(),
            amount: self.amount,
            reason: self.reason.at_stripe(),
        }
    }
}
