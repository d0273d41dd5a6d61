//! What changed in the tables, into the index: as a delta beside it, or instead of the deltas that there are.
//!
//! A change only says which product to look at. What the index then says of it is what the tables say at that moment,
//! read after the pointer: so changes may come twice, late, or in any order, and of two who index the same product the
//! one that wins has read it last.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use anyhow::Context;
use aws_sdk_sqs::Client;
use futures_util::{StreamExt, TryStreamExt, stream};
use products::{ProductId, ProductOffer, Products};
use shared::dynamo::{Consistency, Read};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::worker::{Change, Undelivered};
use shared::values::time::Timestamp;
use stores::{StoreId, Stores};

use crate::compacting::Compaction;
use crate::current::{Current, Loaded};
use crate::domain::Domain;
use crate::engine::{self, Bytes, Document, Index};
use crate::face::{self, Names, Reviewed};
use crate::store::{Pointer, Pointers};

/// How often an update is tried again when others switched the pointer first.
const TRIES: u32 = 3;

/// How many deltas there may be before they become one.
const MOST_DELTAS: usize = 8;

/// How many products are read at once, with their offers and ratings: as many as one call takes.
const READ_AT_ONCE: usize = 33;

/// How many of those calls are made at the same time.
const CALLS_AT_ONCE: usize = 4;

/// How many stores are read in one call.
const STORES_AT_ONCE: usize = 100;

/// What changed of which the index knows something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touched {
    /// What.
    pub what: What,
    /// About when.
    pub at: Timestamp,
}

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// One product.
    Product(ProductId),
    /// All that a store sells.
    Store(StoreId),
}

/// What the tables say now of products, as the index would have it.
#[derive(Debug, Clone)]
pub(crate) struct Faces {
    pub(crate) products: Products,
    stores: Stores,
    pointers: Pointers,
}

impl FromEnv for Faces {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        let (products, stores) = (Products::from_env(aws)?, Stores::from_env(aws)?);
        Ok(Self { products, stores, pointers: Pointers::from_env(aws)? })
    }
}

impl Faces {
    /// Of those of these products that may be found.
    pub(crate) async fn read(
        &self,
        ids: &BTreeSet<ProductId>,
    ) -> anyhow::Result<HashMap<ProductId, Document>> {
        let ids: Vec<_> = ids.iter().copied().collect();
        // Own ids: what borrows them is no future that a runtime takes.
        let chunks: Vec<Vec<ProductId>> = ids.chunks(READ_AT_ONCE).map(<[_]>::to_vec).collect();
        let reads = chunks.into_iter().map(|ids| async move {
            let read = self.products.with(Read::new(), ids, Consistency::Strong)?;
            let mut batch = self.pointers.fetch(read).await.context("read products to index")?;
            anyhow::Ok(self.products.all_found_in(&mut batch).into_values().collect::<Vec<_>>())
        });
        let found: Vec<Vec<_>> = stream::iter(reads).buffer_unordered(CALLS_AT_ONCE).try_collect().await?;
        let found = found.concat();
        let mut names = Names::new();
        self.name(&found, &mut names).await?;
        let documents = found.iter().filter_map(|found| face::document(found, &names));
        Ok(documents.map(|document| (document.product_id.into(), document)).collect())
    }

    /// Adds the names of the stores that sell these, as far as they are not there: one call for a hundred of them.
    pub(crate) async fn name(&self, found: &[ProductOffer], names: &mut Names) -> anyhow::Result<()> {
        let unknown: BTreeSet<_> = found
            .iter()
            .filter_map(|found| found.product.store())
            .filter(|id| !names.contains_key(id))
            .collect();
        let unknown: Vec<_> = unknown.into_iter().collect();
        for ids in unknown.chunks(STORES_AT_ONCE) {
            let read = self.stores.with(Read::new(), ids.iter().copied(), Consistency::Strong)?;
            let mut batch = self.pointers.fetch(read).await.context("read the stores of products")?;
            let stores = self.stores.found_in(&mut batch);
            names.extend(stores.into_iter().map(|store| (store.id(), store.name().clone())));
        }
        Ok(())
    }
}

/// Keeping the index as the tables are.
#[derive(Clone)]
pub struct Indexing {
    pub(crate) current: Current,
    pub(crate) faces: Faces,
    pub(crate) domain: Option<Domain>,
    tables: Tables,
    compactions: Compactions,
}

/// The tables whose streams tell what changed.
#[derive(Debug, Clone)]
struct Tables {
    products: String,
    offers: String,
    stores: String,
    reviews: String,
}

impl FromEnv for Indexing {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            current: Current::from_env(aws)?,
            faces: Faces::from_env(aws)?,
            domain: Domain::if_any(aws)?,
            tables: Tables {
                products: config::required("PRODUCTS_TABLE")?,
                offers: config::required("OFFERS_TABLE")?,
                stores: config::required("STORES_TABLE")?,
                reviews: config::required("REVIEWS_TABLE")?,
            },
            compactions: Compactions::from_env(aws)?,
        })
    }
}

impl Indexing {
    /// What a change of an item is about, or nothing where the index knows nothing of what is different.
    ///
    /// # Errors
    /// When the change is of another table: the template has a stream too many.
    pub fn touched(&self, change: Change) -> anyhow::Result<Vec<Touched>> {
        let Change { table, at, images, .. } = change;
        if table == self.tables.products {
            Ok(images.between(|old: Option<&products::Product>, new| {
                let what = old.or(new).map(|product| What::Product(product.id()));
                touched(what, face::product_differs(old, new), at)
            }))
        } else if table == self.tables.offers {
            Ok(images.between(|old: Option<&offers::Offer>, new| {
                let what = old.or(new).map(|offer| What::Product(offer.product_id()));
                touched(what, face::offer_differs(old, new), at)
            }))
        } else if table == self.tables.stores {
            // Beside a store stand its gates and others.
            Ok(images.between(|old: Option<&stores::events::Entry>, new| {
                let (old, new) = (old.and_then(|old| old.store()), new.and_then(|new| new.store()));
                let what = old.or(new).map(|store| What::Store(store.id()));
                touched(what, face::store_differs(old, new), at)
            }))
        } else if table == self.tables.reviews {
            Ok(images.between(|old: Option<&Reviewed>, new| {
                let (old, new) = (old.and_then(Reviewed::totals), new.and_then(Reviewed::totals));
                let what = old.or(new).map(|totals| What::Product(totals.product_id()));
                touched(what, face::rating_differs(old, new), at)
            }))
        } else {
            anyhow::bail!("the index knows nothing of the table {table}")
        }
    }

    /// Indexes what a batch of changes is about that came at `now`, and notes how late that was. Safe to repeat.
    ///
    /// # Errors
    /// Names the first change: all of them come again.
    pub async fn index(&self, touched: &[Touched], now: Timestamp) -> Result<(), Undelivered> {
        let times = || touched.iter().map(|one| one.at);
        let (Some(first), Some(last)) = (times().min(), times().max()) else { return Ok(()) };
        let late = u32::try_from(now.unix_seconds() - first.unix_seconds()).unwrap_or_default();
        self.index_all(touched, last, late).await.map_err(|error| Undelivered { from: 0, error })
    }

    async fn index_all(&self, touched: &[Touched], now: Timestamp, late: u32) -> anyhow::Result<()> {
        let mut ids = BTreeSet::new();
        for Touched { what, .. } in touched {
            match what {
                What::Product(id) => ids.extend([*id]),
                What::Store(store) => ids.extend(self.sold_by(*store).await?),
            }
        }
        let indexed = self.index_products(&ids, now).await?;
        if indexed > 0 && self.domain.is_none() {
            self.current.pointers.note_lag(late).await?;
        }
        tracing::info!(touched = ids.len(), indexed, "products indexed");
        Ok(())
    }

    /// All that a store sells.
    async fn sold_by(&self, store: StoreId) -> anyhow::Result<Vec<ProductId>> {
        let (mut ids, mut start) = (Vec::new(), None);
        loop {
            let (found, next) = self.faces.products.next_approved(Some(store), start).await?;
            ids.extend(found.iter().map(|found| found.product.id()));
            if next.is_none() {
                return Ok(ids);
            }
            start = next;
        }
    }

    /// Has the index say of these products what the tables say now, and gives of how many it said something else. Safe
    /// to repeat.
    ///
    /// # Errors
    /// When a table, the bucket or the domain fails, or others switched the pointer again and again.
    pub async fn index_products(&self, ids: &BTreeSet<ProductId>, now: Timestamp) -> anyhow::Result<usize> {
        match &self.domain {
            Some(domain) => self.write_to(domain, ids).await,
            None => self.switch(ids, now).await,
        }
    }

    async fn write_to(&self, domain: &Domain, ids: &BTreeSet<ProductId>) -> anyhow::Result<usize> {
        let (mut left, mut written) = (ids.clone(), 0);
        for _ in 0..TRIES {
            let known = domain.known(&left).await?;
            let versions = known.iter().map(|(id, known)| (*id, known.version)).collect();
            // After the domain was asked: whoever wrote before has seen no newer state of these.
            let changes = changes(&versions, &left, self.faces.read(&left).await?);
            let overtaken = domain.write(&changes, &known).await?;
            written += changes.len() - overtaken.len();
            if overtaken.is_empty() {
                return Ok(written);
            }
            left = overtaken;
        }
        anyhow::bail!("others wrote {} products {TRIES} times at the same moment", left.len())
    }

    async fn switch(&self, ids: &BTreeSet<ProductId>, now: Timestamp) -> anyhow::Result<usize> {
        for _ in 0..TRIES {
            let Some(loaded) = self.current.now().await? else {
                let documents = self.faces.read(ids).await?.into_values().collect::<Vec<_>>();
                let count = documents.len();
                if count == 0 || self.begin(documents, now).await? {
                    return Ok(count);
                }
                continue;
            };
            // After the pointer: whoever switched before has seen no newer state of these.
            let changes = changes(&versions_of(&loaded.index, ids), ids, self.faces.read(ids).await?);
            if changes.is_empty() || self.advance(&loaded, &changes, now).await? {
                // Here as well where nothing is new: the update before may have died before it asked.
                let current = self.current.at_hand().await?;
                self.compactions.ask_if_needed(current.as_deref()).await?;
                return Ok(changes.len());
            }
        }
        anyhow::bail!("others switched the index {TRIES} times at the same moment")
    }

    /// The first index there is.
    async fn begin(&self, documents: Vec<Document>, now: Timestamp) -> anyhow::Result<bool> {
        let base = Bytes::new(Index::build(documents.into_iter())?);
        self.current.replace(None, base, &self.faces, now).await
    }

    /// Puts the changes beside the index, or all that was changed since its base where that would be too many files,
    /// and switches to it. `false` where somebody else switched first: then nothing is changed.
    async fn advance(
        &self,
        loaded: &Arc<Loaded>,
        changes: &[engine::Change],
        now: Timestamp,
    ) -> anyhow::Result<bool> {
        let mut delta = Bytes::new(loaded.index.apply(changes)?);
        let mut index = loaded.index.with_delta(delta.clone())?;
        let mut deltas = loaded.pointer.deltas.clone();
        if deltas.len() >= MOST_DELTAS {
            delta = Bytes::new(index.merge_deltas()?);
            index = loaded.with_one_delta(delta.clone())?;
            deltas.clear();
        }
        deltas.push(self.current.files.put(&delta, now).await?);
        let before = &loaded.pointer;
        let next = Pointer::after(Some(before), before.base, deltas, documents_of(&index), now);
        if !self.current.pointers.switch(Some(before), &next).await? {
            return Ok(false);
        }
        self.current.advanced(loaded, next, index, delta);
        Ok(true)
    }
}

fn touched(what: Option<What>, differs: bool, at: Timestamp) -> Vec<Touched> {
    what.map(|what| Touched { what, at }).into_iter().filter(|_| differs).collect()
}

/// What the index says of these products, by the versions of their faces.
pub(crate) fn versions_of(index: &Index, ids: &BTreeSet<ProductId>) -> HashMap<ProductId, u64> {
    let versions = index.versions().map(|(id, version)| (ProductId::from(id), version));
    versions.filter(|(id, _)| ids.contains(id)).collect()
}

/// What of these products the index does not say yet.
pub(crate) fn changes(
    known: &HashMap<ProductId, u64>,
    ids: &BTreeSet<ProductId>,
    mut documents: HashMap<ProductId, Document>,
) -> Vec<engine::Change> {
    let changes = ids.iter().filter_map(|id| match (known.get(id), documents.remove(id)) {
        (Some(known), Some(document)) if *known == document.version => None,
        (_, Some(document)) => Some(engine::Change::Put(document)),
        (Some(_), None) => Some(engine::Change::Delete((*id).into())),
        (None, None) => None,
    });
    changes.collect()
}

pub(crate) fn documents_of(index: &Index) -> u32 {
    u32::try_from(index.documents()).unwrap_or(u32::MAX)
}

/// The queue of what compact-index is asked.
#[derive(Debug, Clone)]
struct Compactions {
    client: Client,
    url: String,
}

impl FromEnv for Compactions {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: Client::new(aws.sdk()), url: config::required("SEARCH_QUEUE_URL")? })
    }
}

impl Compactions {
    /// Asks for a compaction where the index needs one. Asked twice, the second finds nothing to do.
    async fn ask_if_needed(&self, loaded: Option<&Loaded>) -> anyhow::Result<()> {
        if !loaded.is_some_and(|loaded| Compaction::is_needed(&loaded.index)) {
            return Ok(());
        }
        let body = serde_json::to_string(&Compaction::default())?;
        let send = self.client.send_message().queue_url(&self.url).message_body(body);
        send.send().await.map(drop).context("ask for a compaction")
    }
}
