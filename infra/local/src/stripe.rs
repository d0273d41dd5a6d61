//! A Stripe on the laptop: the part of its API that a shop with Checkout calls, the page to pay on, a Dashboard in
//! small, and its webhooks, which can be told to come twice, late, forged or never.
//!
//! [`books`] is what Stripe knows, with every rule about money; `api` answers requests ([`form`], [`refusal`],
//! [`idempotency`], [`faults`]); `acts` is what buyers and banks do; [`deliveries`] brings events to the shop. None of
//! those has a clock or a network, so that they are tested by themselves. [`served`] has both: the routes below
//! `/local/stripe`, and the file in which the books outlive a restart.

mod acts;
mod api;
mod books;
mod deliveries;
mod faults;
mod form;
mod idempotency;
mod money;
mod refusal;
mod served;
mod shown;
#[cfg(test)]
mod tests;

pub(crate) use served::{Simulator, routes};

use crate::cloud::Record;

/// The key of the API: what the secret `StripeApi` has as `key`.
pub(crate) const API_KEY: &str = "rk_local_cartwright";
/// What webhooks are signed with: what the secret `StripeWebhook` has in `secrets`.
pub(crate) const WEBHOOK_SECRET: &str = "whsec_local_cartwright";
/// What they were signed with before a secret was rolled. The shop does not know it any more.
const ROLLED_SECRET: &str = "whsec_local_before_it_was_rolled";

/// Where the functions reach the API: the template's `StripeUrl`, to which `/v1/…` is added.
pub(crate) fn url(record: &Record) -> String {
    format!("http://127.0.0.1:{}/local/stripe/api", record.port)
}
