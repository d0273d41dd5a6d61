//! What buyers are told of money that goes back, where nothing else tells of it: a letter for each refund.

use anyhow::Context;
use aws_sdk_dynamodb::types::Update;
use orders::Order;
use orders::guests::OrderTokens;
use orders::letters::pieces;
use shared::letters::{Letter, Letters, Row, Total};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::worker::Failure;
use shared::values::money::Amount;

use crate::refunds::{Refund, RefundName, RefundState, RefundWhy};
use crate::store::Payments;

shared::names!(
    /// What a letter about a payment says.
    pub enum PaymentLetterKind {
        /// Money goes back.
        Refunded = "payment.refunded",
    }
);

/// What there is to tell of payments.
#[derive(Debug, Clone)]
pub struct PaymentLetters {
    payments: Payments,
    tokens: OrderTokens,
}

impl FromEnv for PaymentLetters {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { payments: Payments::from_env(aws)?, tokens: OrderTokens::from_env(aws)? })
    }
}

impl Letters for PaymentLetters {
    const THINGS: &'static str = "refunds";

    type Kind = PaymentLetterKind;
    type Id = RefundName;
    type Thing = ();

    async fn letter(
        &self,
        kind: PaymentLetterKind,
        id: &RefundName,
    ) -> Result<Option<(Letter, ())>, Failure> {
        let PaymentLetterKind::Refunded = kind;
        let refund = self.payments.refund(id.payment_id, &id.name).await?;
        let refund = refund.context("there is no such refund").map_err(Failure::Never)?;
        let order = self.payments.orders().find(refund.order_id).await?;
        let order = order.context("a refund has an order").map_err(Failure::Never)?;
        Ok(refund.letter(&order).map(|letter| (self.tokens.addressed(letter, &order), ())))
    }

    fn sent(&self, _: PaymentLetterKind, id: &RefundName) -> anyhow::Result<Option<Update>> {
        self.payments.told(id).map(Some)
    }
}

impl Refund {
    /// What the buyer of `order` is told of it; `None` when that is not so, or no longer: it has failed.
    pub fn letter(&self, order: &Order) -> Option<Letter> {
        if self.status != RefundState::Accepted || !self.is_told() {
            return None;
        }
        let in_words = |amount: Amount| amount.in_words(order.currency());
        let amount = in_words(self.amount);
        let why = match self.reason {
            RefundWhy::Late => Some("Your money came when the order was cancelled already."),
            RefundWhy::Duplicate => Some("It was paid twice."),
            RefundWhy::RequestedByCustomer
            | RefundWhy::Fraudulent
            | RefundWhy::Cancelled
            | RefundWhy::Returned
            | RefundWhy::Refused
            | RefundWhy::Mismatch
            | RefundWhy::Elsewhere => None,
        };
        let how = if self.outside {
            format!("We have paid {amount} back to you.")
        } else {
            format!(
                "We have sent {amount} back the way you paid. It may take your bank some days to show it."
            )
        };
        let news = why.map(str::to_owned).into_iter().chain([how]).collect();
        let rows = self.share.iter().flat_map(|share| &share.lines).filter_map(|line| {
            let named = order.lines().iter().find(|ordered| ordered.offer_id() == line.offer_id)?;
            let (name, detail) = (named.product_name().to_string(), Some(pieces(line.pieces)));
            Some(Row { name, detail, amount: in_words(line.amount) })
        });
        let shipping = self.share.as_ref().and_then(|share| share.shipping);
        let totals = shipping.map(|shipping| Total { name: "Shipping".into(), amount: in_words(shipping) });
        let total = Total { name: "You get back".into(), amount: amount.clone() };
        let told = (format!("You get {amount} back"), "You get money back", news);
        Some(order.letter_with(told, rows.collect(), totals.into_iter().chain([total]).collect()))
    }
}
