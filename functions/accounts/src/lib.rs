//! Whole accounts: what they may do, and that the user pool knows of it. The profile that says so is the crate
//! `users`'; what people do with their own account is the crate `auth`'s.
//!
//! | module | for |
//! | --- | --- |
//! | [`standing`] | roles, and accounts that are closed and opened |
//! | [`leaving`] | the deletion of an account: who may ask for it, and what starts it |
//! | [`deletion`] | what it comes to, step by step |
//! | [`unsubscribing`] | the page that stops emails without a sign-in |
//! | [`phones`] | the phone that texts go to |
//! | [`archive`] | all that is kept of a person, part by part |
//! | [`exporting`] | giving it to the person, at once or by a file |
//! | [`files`] | where such a file lies |
//! | [`user_pool`] | Cognito, as whoever runs the shop sees it |

pub mod archive;
pub mod deletion;
pub mod exporting;
pub mod files;
pub mod leaving;
pub mod phones;
pub mod standing;
pub mod unsubscribing;
pub mod user_pool;

pub use archive::{Archive, Part};
pub use deletion::{Deletion, Step, Taken, Task};
pub use exporting::{Building, ExportQueued, Exported, Exporting};
pub use files::Files;
pub use leaving::{Departure, Leaving};
pub use standing::Accounts;
