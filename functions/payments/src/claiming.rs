//! Making orders of guests those of people with an account, with the payments of each.

use orders::guests::{Claim, OrderTokens};
use orders::{Error, Order};
use shared::caller::Caller;
use shared::http::problem::Busy;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;

use crate::store::Payments;

/// How often an order is looked at anew because it moved meanwhile.
const TRIES: u32 = 4;

/// Claiming guests' orders.
#[derive(Debug, Clone)]
pub struct Claiming {
    payments: Payments,
    tokens: OrderTokens,
}

impl FromEnv for Claiming {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { payments: Payments::from_env(aws)?, tokens: OrderTokens::from_env(aws)? })
    }
}

impl Claiming {
    /// Makes the order that of `person`, and its payments with it, in one transaction.
    ///
    /// Safe to repeat: the condition lets it happen once, and what is the person's already stays so.
    ///
    /// # Errors
    /// [`Error::NotFound`] for another token as for no such order, and where somebody else was first; `account-closed`
    /// for a person whose account is disabled, being deleted or gone.
    pub async fn claim(&self, person: &Caller, claim: Claim) -> Result<Order, Error> {
        if !self.tokens.opens(claim.order_id, claim.order_token) {
            return Err(Error::NotFound);
        }
        for _ in 0..TRIES {
            let order = self.payments.orders().find(claim.order_id).await?.ok_or(Error::NotFound)?;
            if order.buyer() == person.id() {
                return Ok(order);
            }
            if !order.is_a_guests() {
                return Err(Error::NotFound);
            }
            if self.payments.claim(&order, person.id()).await? {
                tracing::info!(order_id = %claim.order_id, "a guest's order was claimed");
                return Ok(order.claimed_by(person.id().clone()));
            }
        }
        Err(anyhow::Error::new(Busy).context("claim an order").into())
    }
}
