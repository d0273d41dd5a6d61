//! What the shop is searched by.

pub mod engine;
