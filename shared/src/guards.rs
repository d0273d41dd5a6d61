//! The Guards table: what keeps a request from counting, happening or being sent twice.

pub mod once;
pub mod rate_limit;

pub use once::{IdempotencyKey, KeyReused};
