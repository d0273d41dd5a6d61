//! Making one base of a base and all that was changed since.
//!
//! It takes seconds, in which the index goes on: what others changed meanwhile is read from the tables again, and put
//! beside the new base before that becomes the index.

use std::collections::{BTreeSet, HashMap};

use products::ProductId;
use serde::{Deserialize, Serialize};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::telemetry;
use shared::values::time::Timestamp;

use crate::current::{Current, Loaded};
use crate::engine::{Bytes, Index};
use crate::indexing::{Faces, changes, documents_of, versions_of};
use crate::store::Pointer;

/// How often a new base is tried to become the index while others change that.
const TRIES: u32 = 10;

/// How many products the deltas may hold.
const MOST_IN_DELTAS: u64 = 20_000;

/// Below this many deletions nobody notices them.
const FEW_DELETED: u64 = 100;

/// What compact-index is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Compaction {
    /// Also where the index does not need it: for whoever asks by hand.
    #[serde(default)]
    pub force: bool,
}

impl Compaction {
    /// Whether an index has become slow or large: its deltas hold 20,000 products, or a tenth of it is deleted.
    pub(crate) fn is_needed(index: &Index) -> bool {
        is_needed(index.documents(), index.deleted(), index.delta_documents())
    }
}

fn is_needed(documents: u64, deleted: u64, in_deltas: u64) -> bool {
    in_deltas >= MOST_IN_DELTAS || deleted >= FEW_DELETED && deleted * 10 >= documents
}

/// Compacting the index.
#[derive(Clone)]
pub struct Compacting {
    current: Current,
    faces: Faces,
}

impl FromEnv for Compacting {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { current: Current::from_env(aws)?, faces: Faces::from_env(aws)? })
    }
}

impl Compacting {
    /// Compacts the index if it needs that, or if it is asked by hand. Safe to repeat: then it does not any more.
    ///
    /// # Errors
    /// When a table or the bucket fails, or others changed the index all the time.
    pub async fn run(&self, asked: Compaction, now: Timestamp) -> anyhow::Result<()> {
        let Some(loaded) = self.current.now().await? else { return Ok(()) };
        if !(asked.force || Compaction::is_needed(&loaded.index)) {
            tracing::info!(generation = loaded.pointer.generation, "nothing to compact");
            return Ok(());
        }
        let base = Bytes::new(loaded.index.compact()?);
        let is_done = self.current.replace(Some(&loaded), base, &self.faces, now).await?;
        anyhow::ensure!(is_done, "others changed the index all the time");
        telemetry::count("IndexCompacted", 1);
        Ok(())
    }
}

impl Current {
    /// Makes `base` the index, which holds what the index of `since` held, with all that was changed after that, as the
    /// tables have it now. `false` where somebody else switches first each time.
    pub(crate) async fn replace(
        &self,
        since: Option<&Loaded>,
        base: Bytes,
        faces: &Faces,
        now: Timestamp,
    ) -> anyhow::Result<bool> {
        let known = since.map(Loaded::versions).unwrap_or_default();
        let file = self.files.put(&base, now).await?;
        for _ in 0..TRIES {
            let current = self.now().await?;
            let later = changed_since(&known, current.as_ref().map(|current| &current.index));
            let (mut index, mut deltas, mut files) = (Loaded::of_base(base.clone())?, vec![], vec![]);
            if !later.is_empty() {
                let changes = changes(&versions_of(&index, &later), &later, faces.read(&later).await?);
                if !changes.is_empty() {
                    let delta = Bytes::new(index.apply(&changes)?);
                    index = index.with_delta(delta.clone())?;
                    files.push(self.files.put(&delta, now).await?);
                    deltas.push(delta);
                }
            }
            let before = current.as_ref().map(|current| &current.pointer);
            let next = Pointer::after(before, file, files, documents_of(&index), now);
            if self.pointers.switch(before, &next).await? {
                self.switched(next, index, base, deltas);
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The products of which an index says something else than was known.
fn changed_since(known: &HashMap<ProductId, u64>, index: Option<&Index>) -> BTreeSet<ProductId> {
    let Some(index) = index else { return BTreeSet::new() };
    let mut gone = known.clone();
    let mut changed = BTreeSet::new();
    for (id, version) in index.versions().map(|(id, version)| (ProductId::from(id), version)) {
        if gone.remove(&id) != Some(version) {
            changed.insert(id);
        }
    }
    changed.extend(gone.into_keys());
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_compacted_when_its_deltas_are_large_or_a_tenth_of_it_is_deleted() {
        for (documents, deleted, in_deltas, needed) in [
            (100_000, 0, 19_999, false),
            (100_000, 0, 20_000, true),
            (100_000, 9_999, 0, false),
            (100_000, 10_000, 0, true),
            (3, 99, 0, false),
            (3, 100, 0, true),
        ] {
            assert_eq!(is_needed(documents, deleted, in_deltas), needed, "{documents} {deleted} {in_deltas}");
        }
    }

    #[test]
    fn what_compact_index_is_asked_may_say_nothing() {
        assert_eq!(serde_json::from_str::<Compaction>("{}").unwrap(), Compaction { force: false });
        assert!(serde_json::from_str::<Compaction>(r#"{"force":true}"#).unwrap().force);
    }
}
