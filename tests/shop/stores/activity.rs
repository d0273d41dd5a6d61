//! The log of what people did: an entry for each event, however often it comes, and what is rare is found.

use activity::{Activity, Kind};
use serde_json::json;
use shared::caller::UserId;
use shared::dynamo::list::{Cursors, Page};
use shared::values::time::Timestamp;
use tests::wait::at_once;

use super::lists::page;
use super::{MINUTE, now, open, someone};

/// What the queue tells of a person at a time; the number makes it another event.
pub(super) fn told(person: &UserId, kind: &str, number: usize, time: Timestamp) -> activity::Entry {
    let told: activity::Told = serde_json::from_value(json!({
        "specversion": "1.0", "id": format!("5d1b36b1-8b1f-5f0e-9c68-{number:012}"), "source": "/cartwright/local/users",
        "type": kind, "subject": person, "time": time, "datacontenttype": "application/json",
        "dataschema": format!("urn:cartwright:event:{kind}:1"), "data": { "userId": person }
    }))
    .expect("an event");
    activity::Entry::of(told).expect("a person's")
}

#[tokio::test]
async fn an_event_that_comes_again_is_the_same_entry() {
    let (activity, cursors): (Activity, Cursors) = open().await;
    let ann = someone().id().clone();
    let (first, second) =
        (told(&ann, "user.signed-up", 1, now()), told(&ann, "user.signed-in", 2, now() + MINUTE));
    for entry in [&second, &first, &second, &first] {
        activity.record(entry).await.unwrap();
    }
    let log = activity.list_of(&ann, None, &cursors, &page(20, None).await).await.unwrap();
    assert_eq!(log, Page { entries: vec![second, first], next_cursor: None });
}

#[tokio::test]
async fn a_rare_kind_is_found_behind_many_others() {
    let (activity, cursors): (Activity, Cursors) = open().await;
    let ann = someone().id().clone();
    let rare = told(&ann, "user.signed-up", 0, now());
    activity.record(&rare).await.unwrap();
    let sign_ins = at_once(510, |number| {
        let (activity, ann) = (activity.clone(), ann.clone());
        async move { activity.record(&told(&ann, "user.signed-in", number, now() + MINUTE)).await }
    });
    assert!(sign_ins.await.iter().all(Result::is_ok));
    let of = async |kind, limit| {
        activity.list_of(&ann, Some(kind), &cursors, &page(limit, None).await).await.unwrap()
    };
    assert_eq!(of(Kind::SignedUp, 1).await, Page { entries: vec![rare], next_cursor: None });
    assert_eq!(of(Kind::OrderPlaced, 20).await, Page { entries: vec![], next_cursor: None });
    let sign_ins = of(Kind::SignedIn, 100).await;
    assert!(sign_ins.entries.len() == 100 && sign_ins.next_cursor.is_some());
}
