//! What the shop's search finds. An index of what is for sale lies in immutable files ([`files`]), and one item of a
//! table, the pointer ([`store`]), says which of them it is made of. Whoever changes the index writes new files first
//! and then switches the pointer, on the condition that nobody else did.
//!
//! | module | for |
//! | --- | --- |
//! | [`request`] | what somebody searches for, as they ask |
//! | [`searching`] | answering it: the index says what, the tables say what it is like today |
//! | [`face`] | what the index knows of a product |
//! | [`current`] | the index as the pointer has it, in memory |
//! | [`indexing`] | what changed in the tables, into the index |
//! | [`compacting`], [`reindexing`] | keeping the index small, and true |
//! | [`engine`] | the index itself, without AWS |
//! | [`domain`] | an OpenSearch domain in the place of files and pointer |
//!
//! docs/search.md has the whole.

pub mod compacting;
pub mod current;
pub mod domain;
pub mod engine;
pub mod face;
pub mod files;
mod found;
pub mod indexing;
pub mod reindexing;
pub mod request;
pub mod searching;
pub mod store;

pub use compacting::{Compacting, Compaction};
pub use current::Current;
pub use domain::Domain;
pub use indexing::{Indexing, Touched};
pub use reindexing::{Asked, Reindexing};
pub use request::{SearchRequest, SearchText, SuggestRequest};
pub use searching::{SearchPage, Searching, Suggestions};
