//! What every table needs: items and the values in them, writes that tell which condition failed, and lists by page.

mod items;
pub mod list;
mod write;

pub use items::{Item, from_item, number, read_each, text, to_item};
pub use write::{Cancelled, transact, unless_condition_failed, update_item};
