//! What is asked of Stripe. Every parameter comes from what was stored, never from the clock or the present
//! configuration: a request that is repeated has to be the same to the byte.

use std::fmt;

use orders::OrderId;
use serde::{Deserialize, Serialize};
use shared::values::money::{Amount, Currency};
use shared::values::time::Timestamp;

use super::form::Form;
use crate::ids::{IntentId, PaymentId, RefundId, Shop};

/// How many lines a session may have at Stripe.
const MOST_LINES: usize = 100;

/// What is paid, line by line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    lines: Vec<Line>,
    total: Amount,
}

/// One thing that is paid, as the buyer reads it on Stripe's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is: `2 × green tea`, `Shipping`.
    pub name: String,
    /// What all of it costs, after discounts.
    pub amount: Amount,
}

/// The lines are not what is to be paid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTheTotal {
    /// They sum to another amount.
    #[error("the lines sum to {sum} and not to {total}")]
    Another {
        /// To this one.
        sum: Amount,
        /// And not to this one.
        total: Amount,
    },
    /// There is none, or there are more than Stripe takes.
    #[error("{0} lines are none or too many")]
    Count(usize),
}

impl Lines {
    /// The order's lines, then what shipping costs and what tax is added, where that is something; together `total`.
    ///
    /// # Errors
    /// When they are not: nobody is asked for another amount than that of the order.
    pub fn new(
        mut lines: Vec<Line>,
        shipping: Amount,
        tax: Amount,
        total: Amount,
    ) -> Result<Self, NotTheTotal> {
        for (name, amount) in [("Shipping", shipping), ("Tax", tax)] {
            if amount > Amount::ZERO {
                lines.push(Line { name: name.into(), amount });
            }
        }
        if lines.is_empty() || lines.len() > MOST_LINES {
            return Err(NotTheTotal::Count(lines.len()));
        }
        let sum = lines.iter().try_fold(Amount::ZERO, |sum, line| sum.checked_add(line.amount));
        match sum {
            Some(sum) if sum == total => Ok(Self { lines, total }),
            sum => Err(NotTheTotal::Another { sum: sum.unwrap_or(Amount::from_minor(u64::MAX)), total }),
        }
    }

    /// What is paid for all of them.
    pub fn total(&self) -> Amount {
        self.total
    }
}

/// A way of paying by its name at Stripe, such as `card`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PaymentMethod(String);

impl PaymentMethod {
    /// Cards, and the wallets that come with them.
    pub fn card() -> Self {
        Self("card".into())
    }
}

impl TryFrom<String> for PaymentMethod {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let fits = (1..=40).contains(&text.len()) && text.bytes().all(is_part);
        fits.then_some(Self(text)).ok_or("must be a payment method's name, such as card or sepa_debit")
    }
}

impl std::str::FromStr for PaymentMethod {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}

impl From<PaymentMethod> for String {
    fn from(method: PaymentMethod) -> Self {
        method.0
    }
}

impl fmt::Display for PaymentMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A Checkout Session that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRequest {
    /// Which attempt to pay this is: the same attempt always gets the same session.
    pub payment: PaymentId,
    /// Of which order.
    pub order: OrderId,
    /// Of which shop.
    pub shop: Shop,
    /// What is paid.
    pub lines: Lines,
    /// In which currency.
    pub currency: Currency,
    /// Until when: from 30 minutes to 24 hours after Stripe reads it.
    pub expires_at: Timestamp,
    /// Where the buyer goes who has paid.
    pub success_url: String,
    /// Where the buyer goes who has not.
    pub cancel_url: String,
    /// The ways of paying; none leaves them to the settings in the Dashboard.
    pub methods: Vec<PaymentMethod>,
}

impl SessionRequest {
    /// What Stripe knows this request by.
    pub(super) fn idempotency_key(&self) -> String {
        format!("pay-{}", self.payment)
    }

    pub(super) fn form(&self) -> String {
        let form = Form::new()
            .with("mode", "payment")
            .with("locale", "auto")
            .with("submit_type", "pay")
            .with("client_reference_id", self.order)
            .within(&["adaptive_pricing", "enabled"], false)
            .with("expires_at", self.expires_at.unix_seconds())
            .with("success_url", &self.success_url)
            .with("cancel_url", &self.cancel_url);
        let form = self.with_metadata(form, &["metadata"]);
        let form = self.with_metadata(form, &["payment_intent_data", "metadata"]);
        let form = self.with_lines(form);
        let methods = self.methods.iter().enumerate();
        methods
            .fold(form, |form, (at, method)| form.within(&["payment_method_types", &at.to_string()], method))
            .finish()
    }

    /// The session has it and the intent as well: whatever is heard of first tells whose it is.
    fn with_metadata(&self, form: Form, path: &[&str]) -> Form {
        let at = |name| [path, &[name]].concat();
        form.within(&at("order_id"), self.order)
            .within(&at("payment_id"), self.payment)
            .within(&at("shop"), &self.shop)
    }

    /// Each line is one piece at the price of all its pieces, so that no discount, tax or rounding of Stripe's comes in.
    fn with_lines(&self, form: Form) -> Form {
        let currency = self.currency.to_string().to_ascii_lowercase();
        self.lines.lines.iter().enumerate().fold(form, |form, (at, line)| {
            let at = at.to_string();
            let price = ["line_items", &at, "price_data"];
            form.within(&["line_items", &at, "quantity"], 1)
                .within(&[&price[..], &["currency"]].concat(), &currency)
                .within(&[&price[..], &["unit_amount"]].concat(), line.amount.minor())
                .within(&[&price[..], &["product_data", "name"]].concat(), &line.name)
        })
    }
}

shared::names!(
    /// Why something is given back, as far as Stripe wants to know it.
    pub enum RefundReason {
        /// It was paid twice.
        Duplicate = "duplicate",
        /// Somebody else paid with the buyer's card. Stripe then blocks the card.
        Fraudulent = "fraudulent",
        /// The buyer wanted it.
        RequestedByCustomer = "requested_by_customer",
    }
);

/// A refund that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    /// Which refund this is.
    pub refund: RefundId,
    /// Of which attempt to pay.
    pub payment: PaymentId,
    /// Of which order.
    pub order: OrderId,
    /// Of which shop.
    pub shop: Shop,
    /// Which money goes back.
    pub intent: IntentId,
    /// How much of it.
    pub amount: Amount,
    /// Why, where Stripe has a word for it.
    pub reason: Option<RefundReason>,
}

impl RefundRequest {
    /// What Stripe knows this request by.
    pub(super) fn idempotency_key(&self) -> String {
        format!("refund-{}", self.refund)
    }

    pub(super) fn form(&self) -> String {
        let form = Form::new().with("payment_intent", &self.intent).with("amount", self.amount.minor());
        let form = self.reason.into_iter().fold(form, |form, reason| form.with("reason", reason));
        form.within(&["metadata", "order_id"], self.order)
            .within(&["metadata", "payment_id"], self.payment)
            .within(&["metadata", "refund_id"], self.refund)
            .within(&["metadata", "shop"], &self.shop)
            .finish()
    }
}
