//! An HTTP function: one handler under its route's path or paths, with everything around it that all of them share.
//!
//! ```no_run
//! use shared::http::{self, Answer};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> shared::Exit {
//!     http::serve::<()>(http::get("/health", health)).await
//! }
//!
//! async fn health() -> Answer<&'static str> {
//!     Answer::ok("fine")
//! }
//! ```

pub mod answer;
pub mod extract;
pub mod if_match;
pub mod input;
mod json;
pub mod problem;
pub mod redirect;
mod representation;
pub mod serve;

pub use answer::{Answer, Document, File, Html, NoContent, Served};
pub use axum::extract::{FromRef, FromRequestParts, State};
pub use axum::http::request::Parts;
pub use axum::http::{HeaderMap, Uri};
pub use extract::{Input, InputIfAny, Now, Parameter, PathId, PathIds, QueryParameter, Signed, header_value};
pub use if_match::IfMatch;
pub use redirect::{HostCookie, Redirect};
pub use serve::{Routes, delete, get, post, put, serve};

pub use crate::guards::IdempotencyKey;
