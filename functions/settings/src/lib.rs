//! What the shop's admins set: how it sends ([`Shipping`]) and how it taxes ([`Tax`]). Each is one document that is
//! replaced as a whole, under its version. The rules are here and call nothing; [`store`] keeps the documents in
//! DynamoDB.

mod shipping;
pub mod store;
mod tax;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use shared::http::input::Body;
use shared::http::problem::{CONFLICT, Problem};
use shared::values::time::Timestamp;

pub use shipping::{Countries, Method, MethodId, MethodName, OfferedMethod, Shipping, ShippingMethods};
pub use store::Settings;
pub use tax::{Region, Tax, TaxCategory, TaxRate};

/// A thing that admins set, kept as one item. What it is by default holds until somebody sets it.
pub trait Document: Body + Clone + PartialEq + Default + Serialize + DeserializeOwned {
    /// The key of its item.
    const NAME: &'static str;

    /// How an answer shows it.
    type View: From<Self> + Serialize;
}

/// The version of what nobody has set yet. `If-Match` names it like any other.
const FIRST: u32 = 1;

/// The shape in which documents are written.
const SCHEMA_VERSION: u32 = 1;

/// A document with its version, as the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Versioned<D> {
    document: D,
    version: u32,
    /// When it was set; never, for the first version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updated_at: Option<Timestamp>,
    schema_version: u32,
}

impl<D: Document> Default for Versioned<D> {
    fn default() -> Self {
        Self { document: D::default(), version: FIRST, updated_at: None, schema_version: SCHEMA_VERSION }
    }
}

impl<D: Document> Versioned<D> {
    /// What was set.
    pub fn document(&self) -> &D {
        &self.document
    }

    /// Counts the changes, from 1.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The next version, set at `now`; `None` where nothing is different.
    fn replaced_by(&self, document: &D, now: Timestamp) -> Option<Self> {
        (self.document != *document).then(|| Self {
            document: document.clone(),
            version: self.version + 1,
            updated_at: Some(now),
            schema_version: SCHEMA_VERSION,
        })
    }
}

/// What an admin sees of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown<V> {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Timestamp>,
    #[serde(flatten)]
    document: V,
}

impl<D: Document> From<Versioned<D>> for Shown<D::View> {
    fn from(versioned: Versioned<D>) -> Self {
        let Versioned { document, version, updated_at, .. } = versioned;
        Self { version, updated_at, document: document.into() }
    }
}

/// Why nothing was set.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not, or no longer, a version that the request is about.
    #[error("the settings are another version")]
    AnotherVersion,
    /// Others set it again and again at the same time.
    #[error("the settings were changed by others at the same time")]
    ChangedMeanwhile,
    /// A call failed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::AnotherVersion => Self::another_version("document of settings"),
            Error::ChangedMeanwhile => {
                Self::new(CONFLICT, "The settings were changed by others at the same time. Please try again.")
            }
            Error::Failed(error) => error.into(),
        }
    }
}

/// Whether no two are alike.
fn all_differ<T: Ord>(things: impl IntoIterator<Item = T>) -> bool {
    let mut things: Vec<T> = things.into_iter().collect();
    things.sort();
    things.windows(2).all(|pair| pair[0] != pair[1])
}

#[cfg(test)]
mod tests;
