//! The index's files as one object of bytes, and a directory over several of them.
//!
//! A bundle is all its files, one after another, then a list of them as JSON, then the list's length in four bytes and
//! eight that say what this is. A file of a later bundle stands for one of the same name in an earlier.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, Directory, DirectoryLock, FileHandle, Lock, OwnedBytes, TerminatingWrite, WatchCallback,
    WatchHandle, WritePtr,
};

use super::EngineError;

/// What the last eight bytes of every bundle are.
const MARK: &[u8; 8] = b"CWSEARCH";

/// Of whom the fields and the analyser are: an index that is made by another wants to be built anew.
pub const SCHEMA: u32 = 1;

type Files = BTreeMap<String, OwnedBytes>;

#[derive(Serialize, Deserialize)]
struct Contents {
    schema: u32,
    /// Where each file stands.
    files: BTreeMap<String, Range<usize>>,
}

/// Puts files into one object.
pub fn pack<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Vec<u8>, EngineError> {
    let mut bundle = Vec::new();
    let mut contents = Contents { schema: SCHEMA, files: BTreeMap::new() };
    for (name, bytes) in files {
        let begin = bundle.len();
        bundle.extend_from_slice(bytes);
        contents.files.insert(name.to_owned(), begin..bundle.len());
    }
    let list =
        serde_json::to_vec(&contents).map_err(|_| EngineError::Damaged("a list that cannot be written"))?;
    let length = u32::try_from(list.len()).map_err(|_| EngineError::Damaged("a list that is too long"))?;
    bundle.extend_from_slice(&list);
    bundle.extend_from_slice(&length.to_le_bytes());
    bundle.extend_from_slice(MARK);
    Ok(bundle)
}

/// The files of a bundle, without a copy of their bytes.
pub fn unpack(bundle: &OwnedBytes) -> Result<Files, EngineError> {
    const SHORT: EngineError = EngineError::Damaged("a bundle that was cut off");
    let bytes = bundle.as_slice();
    let rest = bytes.strip_suffix(MARK.as_slice()).ok_or(EngineError::Damaged("bytes that are no bundle"))?;
    let (rest, length) = rest.split_last_chunk::<4>().ok_or(SHORT)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| SHORT)?;
    let begin = rest.len().checked_sub(length).ok_or(SHORT)?;
    let contents: Contents = serde_json::from_slice(&rest[begin..])
        .map_err(|_| EngineError::Damaged("a bundle without its list"))?;
    if contents.schema != SCHEMA {
        return Err(EngineError::OtherSchema(contents.schema));
    }
    let file = |(name, range): (String, Range<usize>)| {
        if range.start > range.end || range.end > begin {
            return Err(SHORT);
        }
        Ok((name, bundle.slice(range)))
    };
    contents.files.into_iter().map(file).collect()
}

/// Files in memory: those that are read, and beside them those that are written. Clones share what is written.
#[derive(Clone, Default)]
pub struct Layers {
    read: Arc<Files>,
    written: Arc<Mutex<Files>>,
}

impl Layers {
    /// Over these, the later before the earlier.
    pub fn over<'a>(bundles: impl IntoIterator<Item = &'a Files>) -> Self {
        let mut files = Files::new();
        for bundle in bundles {
            files.extend(bundle.iter().map(|(name, bytes)| (name.clone(), bytes.clone())));
        }
        Self { read: Arc::new(files), written: Arc::default() }
    }

    /// What was written so far.
    pub fn written(&self) -> Files {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What a file says.
    pub fn file(&self, name: &str) -> Option<OwnedBytes> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.get(name).or_else(|| self.read.get(name)).cloned()
    }

    fn write(&self, path: &Path, bytes: Vec<u8>) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.insert(name_of(path), OwnedBytes::new(bytes));
    }
}

impl std::fmt::Debug for Layers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Layers").field("read", &self.read.len()).finish_non_exhaustive()
    }
}

fn name_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

impl Directory for Layers {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        let file =
            self.file(&name_of(path)).ok_or_else(|| OpenReadError::FileDoesNotExist(path.to_owned()))?;
        Ok(Arc::new(file))
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        match written.remove(&name_of(path)) {
            Some(_) => Ok(()),
            None => Err(DeleteError::FileDoesNotExist(path.to_owned())),
        }
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        Ok(self.file(&name_of(path)).is_some())
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let file = Written { path: path.to_owned(), bytes: Vec::new(), to: self.clone() };
        Ok(io::BufWriter::new(Box::new(file)))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        let file =
            self.file(&name_of(path)).ok_or_else(|| OpenReadError::FileDoesNotExist(path.to_owned()))?;
        Ok(file.as_slice().to_vec())
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.write(path, data.to_vec());
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    /// Nobody else writes: who publishes what was written is decided by the pointer.
    fn acquire_lock(&self, _: &Lock) -> Result<DirectoryLock, LockError> {
        Ok(DirectoryLock::from(Box::new(()) as Box<()>))
    }

    fn watch(&self, _: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}

/// A file that is being written.
struct Written {
    path: PathBuf,
    bytes: Vec<u8>,
    to: Layers,
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for Written {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        self.to.write(&self.path, std::mem::take(&mut self.bytes));
        Ok(())
    }
}
