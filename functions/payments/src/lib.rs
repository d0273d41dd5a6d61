//! What is paid, and what is given back: by Stripe, whose word is the only one that counts.
//!
//! | module | for |
//! | --- | --- |
//! | [`attempt`], [`refunds`], [`disputes`] | an attempt to pay, a refund and a dispute, and how they go on |
//! | [`deciding`] | what follows from what Stripe says; it calls nothing |
//! | [`store`] | the Payments table |
//! | [`applying`], [`settling`] | what Stripe says becomes so; Stripe is asked |
//! | [`opening`], [`starting`] | the way to pay an order, for the first time and again |
//! | [`buying`] | an order and the way to pay it in one request |
//! | [`telling`] | Stripe is told that an order was confirmed |
//! | [`cancelling`], [`refunding`] | ending orders with their money, and giving money back |
//! | [`fulfilling`], [`parcelling`] | an order, or a parcel, is on its way, arrived and is paid, or is not sent |
//! | [`returning`] | what comes back is paid back |
//! | [`letters`] | what buyers are told of their money |
//! | [`claiming`] | a guest's order becomes somebody's, with its payments |
//! | [`hearing`], [`disputing`] | what Stripe tells becomes so, whoever brings it |
//! | [`receiving`], [`reconciling`] | webhooks, and what they missed |
//! | [`settings`], [`views`] | how the shop takes payments, and what people see of them |
//! | [`stripe`] | the client of Stripe's API: sessions, refunds, events |
//! | [`signature`] | whether a webhook is Stripe's |
//! | [`events`] | what a webhook says |
//! | [`minimum`] | what is too little, or too much, to be charged |
//! | [`ids`] | the names of payments and refunds, ours and Stripe's |

pub mod applying;
pub mod attempt;
pub mod buying;
pub mod cancelling;
pub mod claiming;
pub mod deciding;
pub mod disputes;
pub mod disputing;
pub mod events;
pub mod fulfilling;
pub mod hearing;
pub mod ids;
pub mod letters;
pub mod minimum;
pub mod opening;
pub mod parcelling;
pub mod receiving;
pub mod reconciling;
pub mod refunding;
pub mod refunds;
pub mod returning;
pub mod settings;
pub mod settling;
pub mod signature;
pub mod starting;
pub mod store;
pub mod stripe;
pub mod telling;
pub mod views;

#[cfg(test)]
mod tests;

pub use attempt::Payment;
pub use fulfilling::Fulfilling;
pub use ids::{PaymentId, RefundId, Shop};
pub use opening::Opening;
pub use parcelling::Parcelling;
pub use refunds::Refund;
pub use settings::Terms;
pub use store::Payments;
