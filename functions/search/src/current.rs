//! The index as its pointer has it, in memory: loaded with the first request, and afterwards only what is new of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use futures_util::future::try_join_all;
use products::ProductId;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;

use crate::engine::{Bytes, Index};
use crate::files::{File, Files};
use crate::store::{Pointer, Pointers};

/// How often the files of a pointer may be gone by the time they are fetched: each time there is a newer pointer.
const TRIES: u32 = 3;

/// For so long whoever makes no other call goes by the pointer that was read last.
const FRESH: Duration = Duration::from_secs(2);

/// An index, and the files that it is made of.
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
        self.index.versions().map(|(id, version)| (id.into(), version)).collect()
    }
}

/// The index as it is now.
#[derive(Clone)]
pub struct Current {
    pub(crate) pointers: Pointers,
    pub(crate) files: Files,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
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
        match self.in_memory() {
            Some(loaded) => Ok(Some(loaded)),
            None => self.now().await,
        }
    }

    /// The index that the pointer names now: one call, and the files that are new.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub async fn now(&self) -> anyhow::Result<Option<Arc<Loaded>>> {
        for _ in 0..TRIES {
            let Some(pointer) = self.pointers.read().await? else { return Ok(None) };
            if let Some(loaded) = self.named_by(pointer).await? {
                return Ok(Some(loaded));
            }
            // Somebody has switched since, and the files that are not named any more were swept.
        }
        anyhow::bail!("the files of the index were gone {TRIES} times")
    }

    /// The index as of two seconds ago at most.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub async fn lately(&self, now: Timestamp) -> anyhow::Result<Option<Arc<Loaded>>> {
        let is_fresh = self.kept().looked_at.is_some_and(|at| at + FRESH > now && now + FRESH > at);
        if is_fresh {
            return Ok(self.in_memory());
        }
        let loaded = self.now().await?;
        self.kept().looked_at = Some(now);
        Ok(loaded)
    }

    /// The index that this pointer names, which is of a moment ago. Where it is none that follows what is in memory, it
    /// may be older than that, or the index was begun anew: then the pointer is read as it is now.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub async fn of(&self, pointer: Option<Pointer>) -> anyhow::Result<Option<Arc<Loaded>>> {
        let loaded = match (pointer, self.in_memory()) {
            (None, None) => return Ok(None),
            (Some(pointer), Some(loaded)) if loaded.pointer == pointer => Some(loaded),
            (Some(pointer), Some(loaded)) if pointer.generation <= loaded.pointer.generation => None,
            (Some(pointer), _) => self.named_by(pointer).await?,
            (None, Some(_)) => None,
        };
        match loaded {
            Some(loaded) => Ok(Some(loaded)),
            None => self.now().await,
        }
    }

    fn in_memory(&self) -> Option<Arc<Loaded>> {
        self.kept().loaded.clone()
    }

    /// The index that this very pointer names; `None` where a file of it is gone.
    async fn named_by(&self, pointer: Pointer) -> anyhow::Result<Option<Arc<Loaded>>> {
        let before = self.in_memory();
        if before.as_ref().is_some_and(|before| before.pointer == pointer) {
            return Ok(before);
        }
        let loaded = self.load(pointer, before.as_deref()).await?;
        Ok(loaded.map(|loaded| self.keep(loaded)))
    }

    /// Keeps an index in memory from now on.
    fn keep(&self, loaded: Loaded) -> Arc<Loaded> {
        let loaded = Arc::new(loaded);
        self.kept().loaded = Some(loaded.clone());
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
                if before.pointer.base == pointer.base
                    && pointer.deltas.starts_with(&before.pointer.deltas) =>
            {
                let mut new = deltas[before.deltas.len()..].iter();
                new.try_fold(before.index.clone(), |index, delta| index.with_delta(delta.clone()))?
            }
            _ => Index::open(base.clone(), &deltas).context("open the index")?,
        };
        Ok(Some(Loaded { pointer, index, base, deltas }))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
