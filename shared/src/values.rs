//! Values with an invariant: money, text, ids, points in time.

pub mod id;
pub mod money;
pub mod text;
pub mod time;
