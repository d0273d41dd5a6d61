//! How an order is paid, as far as the order knows: what came of its money, and by which payment. The payments
//! themselves are the service's that knows the provider.

use serde::{Deserialize, Serialize};
use shared::values::money::Amount;
use shared::values::time::Timestamp;

use crate::{GRACE, HistoryEntry, Line, Order, OrderStatus, PaymentMethod};

shared::id!(
    /// Names an attempt to pay an order.
    PaymentId
);

shared::id!(
    /// Names a refund, before the provider of payments has given it a name of its own.
    RefundId
);

/// What became of the money of an order that is paid before it is sent, or was paid at the door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Paying {
    /// What came for it, by whichever payment, also too late or twice.
    pub paid: Amount,
    /// What is on its way back.
    pub refunding: Amount,
    /// What went back.
    pub refunded: Amount,
    /// Whether the money of a slow way to pay is on its way.
    #[serde(default)]
    pub processing: bool,
    /// The attempt that counts: that which paid it, or else the latest.
    pub payment_id: PaymentId,
    /// All attempts, the oldest first.
    pub attempts: Vec<PaymentId>,
    /// How many disputes stand of the money that pays it: a bank decides, or has decided for the buyer.
    #[serde(default, skip_serializing_if = "is_none")]
    pub disputes: u32,
    /// How many of them the shop has lost.
    #[serde(default, skip_serializing_if = "is_none")]
    pub charged_back: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_none(count: &u32) -> bool {
    *count == 0
}

impl Paying {
    /// By the payment `id`, of which nothing came yet.
    fn by(id: PaymentId) -> Self {
        let none = Amount::ZERO;
        Self {
            paid: none,
            refunding: none,
            refunded: none,
            processing: false,
            payment_id: id,
            attempts: vec![id],
            disputes: 0,
            charged_back: 0,
        }
    }

    /// What is not on its way back.
    pub fn kept(&self) -> Amount {
        let kept = self.paid.minor().saturating_sub(self.refunding.minor());
        Amount::from_minor(kept.saturating_sub(self.refunded.minor()))
    }

    /// What is on its way back or went back.
    pub fn given_back(&self) -> Amount {
        Amount::from_minor(self.refunding.minor().saturating_add(self.refunded.minor()))
    }

    /// What goes back when the order ends: all that is kept, but nothing as long as its buyer has it from the bank.
    pub fn goes_back(&self) -> Amount {
        if self.disputes > 0 { Amount::ZERO } else { self.kept() }
    }
}

shared::names!(
    /// How an order and its money stand, as its buyer sees it. Derived, and never stored.
    pub enum PaymentStatus {
        /// The carrier takes it.
        OnDelivery = "on_delivery",
        /// It costs nothing.
        NotNeeded = "not-needed",
        /// Its buyer has to pay.
        Unpaid = "unpaid",
        /// Its buyer has paid in a slow way, and the money is on its way.
        Processing = "processing",
        /// It is over, and no money came.
        Void = "void",
        /// Money is on its way back.
        Refunding = "refunding",
        /// All of it is there.
        Paid = "paid",
        /// All of it went back.
        Refunded = "refunded",
        /// A part of it went back.
        PartiallyRefunded = "partially_refunded",
        /// Its buyer's bank has taken it back for good.
        ChargedBack = "charged_back",
    }
);

impl Order {
    /// The same, to be paid by the payment `id`. Its stock is held until a while after `until`, when that can no longer
    /// take money.
    #[must_use]
    pub fn awaiting(self, id: PaymentId, until: Timestamp) -> Self {
        let status = OrderStatus::AwaitingPayment;
        Self {
            status,
            payment_method: PaymentMethod::Card,
            payment: Some(Paying::by(id)),
            history: vec![HistoryEntry { status, at: self.created_at, reason: None, by: None }],
            due_at: Some(held_until(until)),
            open: None,
            ..self
        }
    }

    /// Whether the carrier takes its money when it arrives.
    pub fn is_paid_at_the_door(&self) -> bool {
        self.payment_method == PaymentMethod::CashOnDelivery && self.payment.is_none()
    }

    /// What is paid for it: all of it but for parcels that were refused before it was paid at the door.
    pub fn due_amount(&self) -> Amount {
        let waived = self.waived.map_or(0, Amount::minor);
        Amount::from_minor(self.total.minor().saturating_sub(waived))
    }

    /// That the carrier has taken its money, which is the payment `id`.
    pub(crate) fn collected(&self, id: PaymentId) -> Paying {
        Paying { paid: self.due_amount(), ..Paying::by(id) }
    }

    /// The same, which costs nothing.
    #[must_use]
    pub fn for_nothing(self) -> Self {
        Self { payment_method: PaymentMethod::Free, ..self }
    }

    /// What became of its money, where that goes by the provider of payments.
    pub fn payment(&self) -> Option<&Paying> {
        self.payment.as_ref()
    }

    /// Whether money came for it.
    pub fn was_paid(&self) -> bool {
        self.payment.as_ref().is_some_and(|payment| payment.paid > Amount::ZERO)
    }

    /// When somebody looks next whether something is owed to it.
    pub fn due_at(&self) -> Option<Timestamp> {
        self.due_at
    }

    /// Whether banks have decided all disputes of its money that stand, and for its buyer.
    pub fn is_charged_back(&self) -> bool {
        let is_so = |payment: &Paying| payment.disputes > 0 && payment.charged_back >= payment.disputes;
        self.payment.as_ref().is_some_and(is_so)
    }

    /// How it and its money stand.
    pub fn payment_status(&self) -> PaymentStatus {
        let is_over = self.status == OrderStatus::Cancelled;
        match (self.payment_method, &self.payment) {
            (PaymentMethod::Free, _) => PaymentStatus::NotNeeded,
            (PaymentMethod::CashOnDelivery | PaymentMethod::Card, Some(payment)) => self.status_of(payment),
            (PaymentMethod::CashOnDelivery, None) if self.status == OrderStatus::Delivered => {
                PaymentStatus::Paid
            }
            (PaymentMethod::CashOnDelivery, None) if is_over => PaymentStatus::Void,
            (PaymentMethod::CashOnDelivery, None) => PaymentStatus::OnDelivery,
            (PaymentMethod::Card, None) => PaymentStatus::Unpaid,
        }
    }

    /// The first that fits.
    fn status_of(&self, payment: &Paying) -> PaymentStatus {
        let kept = payment.kept();
        if self.status == OrderStatus::AwaitingPayment {
            return if payment.processing { PaymentStatus::Processing } else { PaymentStatus::Unpaid };
        }
        if payment.paid == Amount::ZERO {
            return PaymentStatus::Void;
        }
        if payment.refunding > Amount::ZERO {
            return PaymentStatus::Refunding;
        }
        if payment.charged_back > 0 && kept > Amount::ZERO {
            return PaymentStatus::ChargedBack;
        }
        if kept >= self.due_amount() {
            return PaymentStatus::Paid;
        }
        if kept == Amount::ZERO { PaymentStatus::Refunded } else { PaymentStatus::PartiallyRefunded }
    }
}

/// When to look at an order whose attempts take no money after `until`.
pub(crate) fn held_until(until: Timestamp) -> Timestamp {
    until + GRACE
}

impl Order {
    /// What is paid for each of its lines, after discount and without a tax on top, with its name as the buyer reads
    /// it.
    pub fn charges(&self) -> Vec<(String, Amount)> {
        let charge = |line: &Line| {
            let value = line.total().unwrap_or(Amount::ZERO).minor();
            let discount = line.amounts.map_or(0, |amounts| amounts.discount().minor());
            let name = line.quantity.pieces().to_string() + " × " + line.product_name.as_str();
            (name, Amount::from_minor(value.saturating_sub(discount)))
        };
        self.lines.iter().map(charge).collect()
    }

    /// What is paid besides its lines: for sending it, and as tax on top.
    pub fn charged_besides(&self) -> (Amount, Amount) {
        self.amounts.map_or((Amount::ZERO, Amount::ZERO), |amounts| {
            let on_top = amounts.tax.minor().saturating_sub(amounts.tax_included.minor());
            (amounts.shipping, Amount::from_minor(on_top))
        })
    }
}
