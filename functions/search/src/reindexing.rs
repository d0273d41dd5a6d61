//! Looking whether the index says what the tables say, and mending it; or building it anew.
//!
//! Both read all that is for sale, by its index `approved`, page after page. That tells of a moment ago, and so do the
//! streams that the index lives by: what differs is looked at again after a while, and only what differs then is wrong.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use products::ProductId;
use serde::{Deserialize, Serialize};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::telemetry;
use shared::values::time::Timestamp;

use crate::engine::{Bytes, Change, Document, Index};
use crate::face::{self, Names};
use crate::indexing::{Indexing, changes};

/// By then what has just changed is in the index.
const SETTLED: Duration = Duration::from_secs(8);

/// How many products are mended in one update.
const MENDED_AT_ONCE: usize = 1_000;

/// How many ids of each kind are told.
const TOLD: usize = 20;

/// What reindex-products is asked, which its schedule leaves empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Asked {
    /// To build the index anew, and not only to mend it.
    #[serde(default)]
    pub rebuild: bool,
}

/// What was wrong with the index, and is not any more.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// How many products are for sale.
    pub for_sale: usize,
    /// For sale, and not in the index.
    pub missing: Differing,
    /// In the index, and not for sale.
    pub extra: Differing,
    /// In the index, as they were before.
    pub stale: Differing,
    /// How many files that nobody needs were deleted.
    pub swept: usize,
}

/// Products, and the first of their ids.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Differing {
    /// How many.
    pub count: usize,
    /// At most twenty.
    pub ids: Vec<ProductId>,
}

impl Differing {
    fn of(ids: impl Iterator<Item = ProductId>) -> Self {
        let ids: Vec<_> = ids.collect();
        Self { count: ids.len(), ids: ids.into_iter().take(TOLD).collect() }
    }
}

/// Verifying and building the index.
#[derive(Clone)]
pub struct Reindexing {
    indexing: Indexing,
}

impl FromEnv for Reindexing {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { indexing: Indexing::from_env(aws)? })
    }
}

impl Reindexing {
    /// Builds the index anew where that is asked or there is none, compares it with the tables, mends what differs, and
    /// deletes the files that no pointer names. Safe to repeat.
    ///
    /// # Errors
    /// When a table or the bucket fails. What is mended by then stays so.
    pub async fn run(&self, asked: Asked, now: Timestamp) -> anyhow::Result<Verified> {
        let current = &self.indexing.current;
        let swept = match &self.indexing.domain {
            Some(domain) => {
                if asked.rebuild {
                    domain.begin().await?;
                }
                None
            }
            None => {
                if asked.rebuild || current.now().await?.is_none() {
                    self.rebuild(now).await?;
                }
                Some(current)
            }
        };
        let verified = self.verify(now).await?;
        let swept = match swept {
            Some(current) => current.files.sweep(current.pointers.read().await?.as_ref(), now).await?,
            None => 0,
        };
        let verified = Verified { swept, ..verified };
        tracing::info!(verified = serde_json::to_string(&verified)?, "the index is verified");
        let wrong = [&verified.missing, &verified.extra, &verified.stale].map(|differing| differing.count);
        telemetry::count("IndexMended", u32::try_from(wrong.iter().sum::<usize>()).unwrap_or(u32::MAX));
        Ok(verified)
    }

    async fn rebuild(&self, now: Timestamp) -> anyhow::Result<()> {
        let current = &self.indexing.current;
        // What is changed from here on is put beside the new base.
        let since = current.now().await?;
        let mut documents: Vec<Document> = Vec::new();
        self.each(|document| documents.push(document)).await?;
        let base = Bytes::new(Index::build(documents.into_iter())?);
        let is_done = current.replace(since.as_deref(), base, &self.indexing.faces, now).await?;
        anyhow::ensure!(is_done, "others changed the index all the time");
        Ok(())
    }

    /// What the index says, by the versions of the products' faces.
    async fn indexed(&self) -> anyhow::Result<HashMap<ProductId, u64>> {
        match &self.indexing.domain {
            Some(domain) => domain.versions().await,
            None => {
                Ok(self.indexing.current.now().await?.map(|loaded| loaded.versions()).unwrap_or_default())
            }
        }
    }

    async fn verify(&self, now: Timestamp) -> anyhow::Result<Verified> {
        let indexed = self.indexed().await?;
        let mut for_sale = HashMap::new();
        self.each(|document| {
            for_sale.insert(ProductId::from(document.product_id), document.version);
        })
        .await?;
        let mut differing = differing(&indexed, &for_sale);
        if !differing.is_empty() {
            tokio::time::sleep(SETTLED).await;
            // Of these, those that the index still has otherwise than the tables have them now.
            let (indexed, found) = (self.indexed().await?, self.indexing.faces.read(&differing).await?);
            let changes = changes(&indexed, &differing, found);
            differing = changes.iter().map(product_of).collect();
        }
        let ids: Vec<_> = differing.iter().copied().collect();
        for some in ids.chunks(MENDED_AT_ONCE) {
            self.indexing.index_products(&some.iter().copied().collect(), now).await?;
        }
        let of = |is: &dyn Fn(&ProductId) -> bool| Differing::of(ids.iter().copied().filter(|id| is(id)));
        Ok(Verified {
            for_sale: for_sale.len(),
            missing: of(&|id| !indexed.contains_key(id)),
            extra: of(&|id| indexed.contains_key(id) && !for_sale.contains_key(id)),
            stale: of(&|id| indexed.contains_key(id) && for_sale.contains_key(id)),
            swept: 0,
        })
    }

    /// Goes through all that is for sale.
    async fn each(&self, mut see: impl FnMut(Document)) -> anyhow::Result<()> {
        let (faces, mut names, mut start) = (&self.indexing.faces, Names::new(), None);
        loop {
            let (found, next) = faces.products.next_approved(None, start).await?;
            faces.name(&found, &mut names).await?;
            found.iter().filter_map(|found| face::document(found, &names)).for_each(&mut see);
            if next.is_none() {
                return Ok(());
            }
            start = next;
        }
    }
}

fn product_of(change: &Change) -> ProductId {
    match change {
        Change::Put(document) => document.product_id.into(),
        Change::Delete(id) => (*id).into(),
    }
}

/// The products that one of both knows otherwise than the other, or not at all.
fn differing(indexed: &HashMap<ProductId, u64>, for_sale: &HashMap<ProductId, u64>) -> BTreeSet<ProductId> {
    let all = indexed.keys().chain(for_sale.keys());
    all.filter(|id| indexed.get(*id) != for_sale.get(*id)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_extra_or_stale_differs_and_nothing_else() {
        let id = |number: i64| ProductId::at(Timestamp::from_unix_millis(number));
        let [same, stale, missing, extra] = [1, 2, 3, 4].map(id);
        let indexed = HashMap::from([(same, 1), (stale, 1), (extra, 1)]);
        let for_sale = HashMap::from([(same, 1), (stale, 2), (missing, 1)]);
        assert_eq!(differing(&indexed, &for_sale), BTreeSet::from([stale, missing, extra]));
        assert!(differing(&for_sale, &for_sale).is_empty());
    }

    #[test]
    fn a_schedule_asks_for_no_rebuild_and_few_ids_are_told() {
        assert!(!serde_json::from_str::<Asked>("{}").unwrap().rebuild);
        let many = Differing::of((0..30).map(|at| ProductId::at(Timestamp::from_unix_millis(at))));
        assert_eq!((many.count, many.ids.len()), (30, TOLD));
    }
}
