//! Whole accounts: what they may do, and that the user pool knows of it. The profile that says so is the crate
//! `users`'; what people do with their own account is the crate `auth`'s.
//!
//! | module | for |
//! | --- | --- |
//! | [`standing`] | roles, and accounts that are closed and opened |
//! | [`user_pool`] | Cognito, as whoever runs the shop sees it |

pub mod standing;
pub mod user_pool;

pub use standing::Accounts;
