//! What every table needs: items and the values in them, reads and writes of several at once, and lists by page.

mod due;
mod items;
mod kept;
pub mod list;
mod read;
mod reader;
pub mod shards;
mod write;

/// Whether something is left of what a call takes away by and by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remains {
    /// All of it is gone.
    Nothing,
    /// There may be more: call again.
    More,
}

pub use due::due;
pub use items::{Item, from_item, minor, number, read_each, text, to_item};
pub use kept::{KeptItems, Stretch};
pub use read::{Batch, Consistency, Read};
pub use write::{Found, Part, Write, Written, backoff, put_item, unless_condition_failed, update_item};
