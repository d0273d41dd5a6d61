//! The search index: of all who change it at the same time one wins each time, nothing is lost, and the pointer never
//! names what is not there.

use std::collections::BTreeSet;

use ::products::{ProductId, Products};
use ::search::current::Loaded;
use ::search::files::{File, Files};
use ::search::store::{Pointer, Pointers};
use ::search::{Compacting, Compaction, Current, Indexing};
use aws_sdk_s3::Client as S3;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;
use tests::meddler::Meddler;
use tests::shop::unique;
use tests::wait::at_once;

use super::{MINUTE, for_sale, now, open_with, past};

/// An index that no other test has, with a way to its bucket.
#[derive(Clone)]
struct Index {
    pointers: Pointers,
    files: Files,
    s3: S3,
    bucket: String,
}

impl FromEnv for Index {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            pointers: Pointers::from_env(aws)?,
            files: Files::from_env(aws)?,
            s3: S3::new(aws.sdk()),
            bucket: config::required("SEARCH_BUCKET")?,
        })
    }
}

/// Its name, and the bucket that all such have.
async fn index() -> (String, Index) {
    let name = unique("index");
    let index: Index = of(&name).await;
    // Whichever test is the first makes it.
    let _ = index.s3.create_bucket().bucket(&index.bucket).send().await;
    (name, index)
}

/// A part of the service, on this index.
async fn of<S: FromEnv>(name: &str) -> S {
    open_with(vec![("SEARCH_INDEX", Some(name.to_owned()))]).await
}

/// The same where a meddler stands before the tables.
async fn behind<S: FromEnv>(name: &str, meddler: Meddler) -> S {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").expect("no AWS to test, run `cargo local test`");
    let dynamodb = meddler.stand_before(endpoint).await;
    let variables = [("SEARCH_INDEX", name.to_owned()), ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb)];
    open_with(variables.map(|(name, value)| (name, Some(value))).into()).await
}

async fn products(count: usize) -> BTreeSet<ProductId> {
    let products: Products = super::open().await;
    let mut ids = BTreeSet::new();
    for _ in 0..count {
        ids.insert(for_sale(&products, 3).await.product_id());
    }
    ids
}

async fn loaded(name: &str) -> std::sync::Arc<Loaded> {
    let current: Current = of(name).await;
    current.now().await.expect("the index can be loaded").expect("there is one")
}

async fn indexed(name: &str) -> BTreeSet<ProductId> {
    loaded(name).await.versions().into_keys().collect()
}

impl Index {
    async fn pointer(&self) -> Pointer {
        self.pointers.read().await.expect("the table answers").expect("there is a pointer")
    }

    async fn file(&self) -> File {
        self.files.put(b"a file", now()).await.expect("the bucket answers")
    }

    /// When the bucket got a file.
    async fn time_of(&self, file: &File) -> Timestamp {
        let key = format!("index/{}/0", file.id);
        let head = self.s3.head_object().bucket(&self.bucket).key(key).send().await.expect("the object");
        let time = head.last_modified().expect("a time").to_millis().expect("a time of ours");
        Timestamp::from_unix_millis(time)
    }

    async fn is_there(&self, file: &File) -> bool {
        self.files.get(file).await.expect("the bucket answers").is_some()
    }
}

#[tokio::test]
async fn of_twenty_who_switch_at_the_same_time_one_wins() {
    let (name, index) = index().await;
    let file = index.file().await;
    for generation in 1..=3 {
        let before = index.pointers.read().await.expect("the table answers");
        let won = at_once(20, |number| {
            let (pointers, before) = (index.pointers.clone(), before.clone());
            let documents = u32::try_from(number).expect("a small number");
            async move {
                let next = Pointer::after(before.as_ref(), file, vec![], documents, now());
                pointers.switch(before.as_ref(), &next).await.expect("the table answers").then_some(next)
            }
        });
        let won: Vec<_> = won.await.into_iter().flatten().collect();
        let [winner] = won.as_slice() else { panic!("{generation}: {won:?}") };
        assert_eq!((winner.generation, index.pointer().await), (generation, winner.clone()));
    }
    let other: Pointers = of(&format!("{name} as well")).await;
    assert_eq!(other.read().await.expect("the table answers"), None, "another index has another pointer");
}

#[tokio::test]
async fn of_twenty_who_index_at_the_same_time_no_product_is_lost() {
    let (name, index) = index().await;
    let ids: Vec<_> = products(20).await.into_iter().collect();
    let mut writers: Vec<Indexing> = Vec::new();
    for _ in &ids {
        writers.push(of(&name).await);
    }
    let done = at_once(20, |number| {
        let (indexing, own) = (writers.remove(0), BTreeSet::from([ids[number]]));
        async move {
            // Whoever loses three races is called again, as Lambda does.
            let mut tries = 0;
            while indexing.index_products(&own, now()).await.is_err() {
                tries += 1;
                assert!(tries < 100, "nobody wins");
            }
        }
    });
    done.await;
    assert_eq!(indexed(&name).await, ids.into_iter().collect());
    let pointer = index.pointer().await;
    assert_eq!(pointer.documents, 20);
    assert!(pointer.deltas.len() <= 8, "{pointer:?}");
    for file in pointer.files() {
        assert!(index.is_there(file).await, "{file:?}");
    }
}

#[tokio::test]
async fn what_comes_twice_changes_nothing_and_what_is_gone_is_taken_out() {
    let (name, index) = index().await;
    let indexing: Indexing = of(&name).await;
    let ids = products(3).await;
    assert_eq!(indexing.index_products(&ids, now()).await.unwrap(), 3);
    let pointer = index.pointer().await;
    for _ in 0..3 {
        assert_eq!(indexing.index_products(&ids, now()).await.unwrap(), 0);
    }
    assert_eq!(index.pointer().await, pointer, "a day's records again are no change");
    let products: Products = super::open().await;
    let first = *ids.first().expect("a product");
    products.change(first, |product| Some(product.rejected(None, now()))).await.unwrap();
    assert_eq!(indexing.index_products(&ids, now()).await.unwrap(), 1);
    let left: BTreeSet<_> = ids.iter().copied().filter(|id| *id != first).collect();
    assert_eq!(indexed(&name).await, left);
    assert_eq!(index.pointer().await.generation, pointer.generation + 1);
}

#[tokio::test]
async fn a_switch_whose_reply_was_lost_is_known_again() {
    let (name, index) = index().await;
    let first: Indexing = of(&name).await;
    let ids = products(2).await;
    let (one, other) = (BTreeSet::from([*ids.first().unwrap()]), BTreeSet::from([*ids.last().unwrap()]));
    first.index_products(&one, now()).await.unwrap();
    let meddled: Indexing = behind(&name, Meddler::lose_reply("UpdateItem")).await;
    assert_eq!(meddled.index_products(&other, now()).await.unwrap(), 1);
    assert_eq!(index.pointer().await.generation, 2, "switched once");
    assert_eq!(indexed(&name).await, ids);
}

#[tokio::test]
async fn what_was_written_and_never_switched_to_is_nobodys_and_swept_after_an_hour() {
    // A bucket of its own: what others are about to switch to is nobody's as well.
    let (name, bucket) = (unique("index"), "cartwright-tests-swept");
    let variables = [("SEARCH_INDEX", name.as_str()), ("SEARCH_BUCKET", bucket)];
    let variables = variables.map(|(name, value)| (name, Some(value.to_owned())));
    let index: Index = open_with(variables.clone().into()).await;
    let _ = index.s3.create_bucket().bucket(bucket).send().await;
    let indexing: Indexing = open_with(variables.into()).await;
    let ids = products(2).await;
    for id in &ids {
        indexing.index_products(&BTreeSet::from([*id]), now()).await.unwrap();
    }
    // As if somebody had died between the upload and the switch.
    let orphan = index.file().await;
    let pointer = index.pointer().await;
    assert_eq!(pointer.deltas.len(), 1);
    // The objects are of today, whatever else is of the year 2100.
    let today = index.time_of(&orphan).await;
    assert_eq!(index.files.sweep(Some(&pointer), today + MINUTE * 59).await.unwrap(), 0);
    assert!(index.is_there(&orphan).await, "somebody may be about to switch to it");
    assert_eq!(index.files.sweep(Some(&pointer), today + MINUTE * 61).await.unwrap(), 1);
    assert!(!index.is_there(&orphan).await);
    for file in pointer.files() {
        assert!(index.is_there(file).await, "{file:?}");
    }
}

#[tokio::test]
async fn a_compaction_loses_nothing_that_changed_meanwhile() {
    let (name, index) = index().await;
    let (indexing, compacting): (Indexing, Compacting) = (of(&name).await, of(&name).await);
    let ids = products(12).await;
    // One after the other: nine deltas become one.
    for id in &ids {
        indexing.index_products(&BTreeSet::from([*id]), now()).await.unwrap();
    }
    assert_eq!(indexed(&name).await, ids);
    let before = index.pointer().await;
    assert!((1..=8).contains(&before.deltas.len()), "{before:?}");
    compacting.run(Compaction::default(), now()).await.unwrap();
    assert_eq!(index.pointer().await, before, "it needs none");
    let more = products(1).await;
    let (own, rival): (BTreeSet<_>, Indexing) = (more.clone(), of(&name).await);
    // A rival indexes something after the compaction has read, and before it switches.
    let meddled: Compacting = behind(
        &name,
        Meddler::before("UpdateItem", 0..1, move || {
            let (rival, own) = (rival.clone(), own.clone());
            async move { assert_eq!(rival.index_products(&own, now()).await.expect("it is indexed"), 1) }
        }),
    )
    .await;
    meddled.run(Compaction { force: true }, now()).await.unwrap();
    let after = index.pointer().await;
    assert_ne!(after.base, before.base);
    assert_eq!(after.generation, before.generation + 2);
    assert_eq!(indexed(&name).await, ids.union(&more).copied().collect());
}

#[tokio::test]
async fn an_index_can_be_built_of_nothing_and_is_empty_until_then() {
    let (name, index) = index().await;
    let current: Current = of(&name).await;
    assert!(current.now().await.unwrap().is_none());
    let (compacting, indexing): (Compacting, Indexing) = (of(&name).await, of(&name).await);
    compacting.run(Compaction { force: true }, now()).await.unwrap();
    let nothing = BTreeSet::from([ProductId::at(past())]);
    assert_eq!(indexing.index_products(&nothing, now()).await.unwrap(), 0);
    assert_eq!(index.pointers.read().await.unwrap(), None);
}
