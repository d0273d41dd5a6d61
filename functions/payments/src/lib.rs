//! What is paid, and what is given back: by Stripe, whose word is the only one that counts.
//!
//! | module | for |
//! | --- | --- |
//! | [`stripe`] | the client of Stripe's API: sessions, refunds, events |
//! | [`signature`] | whether a webhook is Stripe's |
//! | [`events`] | what a webhook says |
//! | [`minimum`] | what is too little, or too much, to be charged |
//! | [`ids`] | the names of payments and refunds, ours and Stripe's |

pub mod events;
pub mod ids;
pub mod minimum;
pub mod signature;
pub mod stripe;

pub use ids::{PaymentId, RefundId, Shop};
