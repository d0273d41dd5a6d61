//! The index as its pointer has it, in memory: loaded with the first request, and afterwards only what is new of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use futures_util::future::try_join_all;
use products::ProductId;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;

use crate::engine::Index;
use crate::files::{File, Files};
use crate::store::{Pointer, Pointers};

/// How often the files of a pointer may be gone by the time they are fetched: each time there is a newer pointer.
const TRIES: u32 = 3;

/// For so long whoever makes no other call goes by the pointer that was read last.
const FRESH: Duration = Duration::from_secs(2);

/// An index, and the files that it is made of.
#[derive(Debug)]
pub struct Loaded {
    /// Which files.
    pub pointer: Pointer,
    /// The index.
    pub index: Index,
    base: Bytes,
    deltas: Vec<Bytes>,
}

impl Loaded {
    /// The index with another base, as it would be loaded.
    pub(crate) fn of_base(base: Bytes) -> anyhow::Result<Index> {
        Index::open(base, &[]).context("open a new base")
    }

    /// The same base with one delta instead of all.
    pub(crate) fn with_one_delta(&self, delta: Bytes) -> anyhow::Result<Index> {
        Index::open(self.base.clone(), &[delta]).context("open a merged delta")
    }

    /// The version of each product that the index holds.
    pub fn versions(&self) -> HashMap<ProductId, u64> {
        self.index.versions().collect()
    }
}

/// The index as it is now.
#[derive(Debug, Clone)]
pub struct Current {
    pub(crate) pointers: Pointers,
    pub(crate) files: Files,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    loaded: Option<Arc<Loaded>>,
    looked_at: Option<Timestamp>,
}

impl FromEnv for Current {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        let (pointers, files) = (Pointers::from_env(aws)?, Files::from_env(aws)?);
        Ok(Self { pointers, files, kept: Arc::default() })
    }
}

impl Current {
    /// The index that is in memory, or the one that the pointer names where there is none yet.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub async fn at_hand(&self) -> anyhow::Result<Option<Arc<Loaded>>> {
        match self.kept().loaded.clone() {
            Some(loaded) => Ok(Some(loaded)),
            None => self.now().await,
        }
    }

    /// The index that the pointer names now: one call, and the files that are new.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub async fn now(&self) -> anyhow::Result<Option<Arc<Loaded>>> {
        let pointer = self.pointers.read().await?;
        self.of(pointer).await
    }

    /// The index as of two seconds ago at most.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub async fn lately(&self, now: Timestamp) -> anyhow::Result<Option<Arc<Loaded>>> {
        let is_fresh = self.kept().looked_at.is_some_and(|at| at + FRESH > now && now + FRESH > at);
        if is_fresh {
            return Ok(self.kept().loaded.clone());
        }
        let loaded = self.now().await?;
        self.kept().looked_at = Some(now);
        Ok(loaded)
    }

    /// The index that this pointer names, or a newer one: what is in memory where that is as new.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub async fn of(&self, pointer: Option<Pointer>) -> anyhow::Result<Option<Arc<Loaded>>> {
        let Some(mut pointer) = pointer else { return Ok(None) };
        for _ in 0..TRIES {
            let before = self.kept().loaded.clone();
            if let Some(before) = before.as_ref().filter(|one| one.pointer.generation >= pointer.generation) {
                return Ok(Some(before.clone()));
            }
            if let Some(loaded) = self.load(pointer, before.as_deref()).await? {
                return Ok(Some(self.keep(loaded)));
            }
            // Somebody has switched since, and deleted what is not named any more.
            pointer = self.pointers.read().await?.context("the pointer of the index is gone")?;
        }
        anyhow::bail!("the files of the index were gone {TRIES} times")
    }

    /// Keeps an index in memory from now on, where it is newer than what is there.
    fn keep(&self, loaded: Loaded) -> Arc<Loaded> {
        let loaded = Arc::new(loaded);
        let mut kept = self.kept();
        if kept.loaded.as_ref().is_none_or(|one| one.pointer.generation < loaded.pointer.generation) {
            kept.loaded = Some(loaded.clone());
        }
        loaded
    }

    /// Keeps what the pointer was just switched to, with its files as they were put.
    pub(crate) fn switched(&self, pointer: Pointer, index: Index, base: Bytes, deltas: Vec<Bytes>) {
        self.keep(Loaded { pointer, index, base, deltas });
    }

    /// The same after an update: the base of `before`, and its deltas with one more, or one instead of them all.
    pub(crate) fn advanced(&self, before: &Loaded, pointer: Pointer, index: Index, delta: Bytes) {
        let is_merged = pointer.deltas.len() <= before.deltas.len();
        let deltas = if is_merged { vec![delta] } else { [before.deltas.clone(), vec![delta]].concat() };
        self.switched(pointer, index, before.base.clone(), deltas);
    }

    async fn load(&self, pointer: Pointer, before: Option<&Loaded>) -> anyhow::Result<Option<Loaded>> {
        let known: HashMap<_, _> = before
            .into_iter()
            .flat_map(|loaded| {
                let bytes = std::iter::once(&loaded.base).chain(&loaded.deltas);
                loaded.pointer.files().map(|file| file.id).zip(bytes.cloned())
            })
            .collect();
        let fetch = async |file: &File| match known.get(&file.id) {
            Some(bytes) => Ok(Some(bytes.clone())),
            None => self.files.get(file).await,
        };
        let (base, deltas) =
            futures_util::try_join!(fetch(&pointer.base), try_join_all(pointer.deltas.iter().map(fetch)))?;
        let deltas: Option<Vec<Bytes>> = deltas.into_iter().collect();
        let (Some(base), Some(deltas)) = (base, deltas) else { return Ok(None) };
        let index = match before {
            // Most often there is one delta more.
            Some(before)
                if before.pointer.base == pointer.base && pointer.deltas.starts_with(&before.pointer.deltas) =>
            {
                let new = &deltas[before.deltas.len()..];
                let (first, rest) = new.split_first().context("a newer pointer with the same files")?;
                let index = before.index.with_delta(first.clone())?;
                rest.iter().try_fold(index, |index, delta| index.with_delta(delta.clone()))?
            }
            _ => Index::open(base.clone(), &deltas).context("open the index")?,
        };
        Ok(Some(Loaded { pointer, index, base, deltas }))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
