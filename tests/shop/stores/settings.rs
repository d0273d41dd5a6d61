//! Documents of settings: replaced as a whole, once for each version, and what they are by default until then.

use serde::{Deserialize, Serialize};
use settings::{Document, Error, Settings, Versioned};
use shared::http::IfMatch;
use tests::aws::Aws as Cloud;
use tests::meddler::Meddler;
use tests::wait::at_once;

use super::{MINUTE, now, open, open_behind};

/// Declares a document of one test's own: the shop's are everybody's.
macro_rules! document {
    ($name:ident, $key:literal) => {
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
        struct $name(Vec<String>);

        impl shared::http::input::Body for $name {
            fn read(_: &mut shared::http::input::Fields) -> Option<Self> {
                None
            }
        }

        impl Document for $name {
            const NAME: &'static str = $key;

            type View = Self;
        }

        impl $name {
            fn of(text: &str) -> Self {
                Self(vec![text.to_owned()])
            }

            /// Whatever an earlier run left is gone.
            async fn fresh() -> Settings {
                Cloud::open().await.delete_item("SettingsTable", "setting", $key).await;
                open().await
            }
        }
    };
}

fn only(version: u32) -> IfMatch {
    IfMatch::Versions([version].into())
}

document!(Unset, "of the tests: unset");
document!(Read, "of the tests: read");
document!(Matched, "of the tests: matched");
document!(Raced, "of the tests: raced");
document!(First, "of the tests: first");
document!(Lost, "of the tests: lost");
document!(Contended, "of the tests: contended");

#[tokio::test]
async fn a_document_is_replaced_version_by_version_and_what_is_so_already_is_none() {
    let settings = Read::fresh().await;
    for (version, text) in [(2, "a"), (3, "b"), (3, "b"), (4, "a")] {
        let set = settings.replace(&Read::of(text), &IfMatch::Any, now()).await.expect(text);
        assert_eq!((set.version(), set.document()), (version, &Read::of(text)));
        assert_eq!(settings.find().await.expect("it is there"), set);
    }
    // Not even its time is another.
    let read = settings.find::<Read>().await.expect("it is there");
    let again = settings.replace(&Read::of("a"), &only(4), now() + MINUTE).await.expect("it is so");
    assert_eq!(again, read);
}

#[tokio::test]
async fn what_nobody_has_set_is_version_one_and_can_be_named() {
    let settings = Unset::fresh().await;
    assert_eq!(settings.find::<Unset>().await.expect("a default"), Versioned::default());
    for wrong in [0, 2] {
        let refused = settings.replace(&Unset::of("a"), &only(wrong), now()).await;
        assert!(matches!(refused, Err(Error::AnotherVersion)), "{wrong}: {refused:?}");
    }
    assert_eq!(settings.replace(&Unset::of("a"), &only(1), now()).await.expect("set").version(), 2);
}

#[tokio::test]
async fn another_version_than_the_one_that_was_seen_is_not_replaced() {
    let settings = Matched::fresh().await;
    settings.replace(&Matched::of("a"), &IfMatch::Any, now()).await.expect("version 2");
    let set = settings.replace(&Matched::of("b"), &only(2), now()).await.expect("version 3");
    let refused = settings.replace(&Matched::of("c"), &only(2), now()).await;
    assert!(matches!(refused, Err(Error::AnotherVersion)), "{refused:?}");
    assert_eq!(settings.find().await.expect("it is there"), set);
}

#[tokio::test]
async fn of_many_who_saw_one_version_one_replaces_it() {
    let settings = Raced::fresh().await;
    settings.replace(&Raced::of("a"), &IfMatch::Any, now()).await.expect("version 2");
    let results = at_once(8, |number| {
        let settings = settings.clone();
        async move { settings.replace(&Raced::of(&number.to_string()), &only(2), now()).await }
    });
    let (set, refused): (Vec<_>, Vec<_>) = results.await.into_iter().partition(Result::is_ok);
    assert!(refused.iter().all(|refused| matches!(refused, Err(Error::AnotherVersion))), "{refused:?}");
    let [Ok(set)] = &set[..] else { panic!("{set:?}") };
    assert_eq!(&settings.find::<Raced>().await.expect("it is there"), set);
}

#[tokio::test]
async fn of_two_who_set_it_first_none_writes_over_what_was_not_seen() {
    let others = First::fresh().await;
    let settings: Settings = open_behind(Meddler::before("PutItem", 0..1, move || {
        let others = others.clone();
        async move {
            others.replace(&First::of("theirs"), &IfMatch::Any, now()).await.expect("theirs");
        }
    }))
    .await;
    let refused = settings.replace(&First::of("ours"), &only(1), now()).await;
    assert!(matches!(refused, Err(Error::AnotherVersion)), "{refused:?}");
    assert_eq!(settings.find::<First>().await.expect("it is there").document(), &First::of("theirs"));
}

#[tokio::test]
async fn a_write_whose_reply_was_lost_is_known_again() {
    Lost::fresh().await;
    for (version, text) in [(2, "a"), (3, "b")] {
        let settings: Settings = open_behind(Meddler::lose_reply("PutItem")).await;
        let set = settings.replace(&Lost::of(text), &only(version - 1), now()).await.expect(text);
        assert_eq!(set.version(), version);
        assert_eq!(settings.find::<Lost>().await.expect("it is there"), set);
    }
}

#[tokio::test]
async fn where_others_do_not_stop_it_is_a_conflict_and_nothing_is_lost() {
    let others = Contended::fresh().await;
    let meddler = Meddler::before("PutItem", 0..5, move || {
        let others = others.clone();
        async move {
            let version = others.find::<Contended>().await.expect("it is there").version();
            let theirs = Contended::of(&format!("theirs {version}"));
            others.replace(&theirs, &IfMatch::Any, now()).await.expect("theirs");
        }
    });
    let settings: Settings = open_behind(meddler).await;
    let refused = settings.replace(&Contended::of("ours"), &IfMatch::Any, now()).await;
    assert!(matches!(refused, Err(Error::ChangedMeanwhile)), "{refused:?}");
    let left = settings.find::<Contended>().await.expect("it is there");
    assert_eq!((left.version(), left.document()), (6, &Contended::of("theirs 5")));
}
