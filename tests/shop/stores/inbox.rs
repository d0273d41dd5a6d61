//! Inboxes: an event is told once, ids follow the order in which things come, and what is unread is right whatever
//! comes and is marked at the same time.

use std::collections::BTreeSet;

use inbox::{After, Inbox, Kind, Language, MOST_UNREAD, News, NotificationId, ReadUpTo};
use serde_json::{Value, json};
use shared::caller::UserId;
use shared::dynamo::Remains;
use shared::dynamo::list::Cursors;
use shared::http::problem::NOT_FOUND;
use shared::values::time::Timestamp;
use tests::wait::at_once;
use uuid::Uuid;

use super::lists::page;
use super::{MINUTE, now, open, someone};

fn event(number: usize) -> Uuid {
    Uuid::from_u128(number as u128)
}

fn news(to: &UserId, number: usize) -> News {
    let subject = Some(number.to_string());
    News { to: to.clone(), kind: Kind::OrderShipped, subject, about: None, time: now() }
}

/// What somebody sees: of what each notification tells, whether it is read, and how many are unread.
async fn seen(inbox: &Inbox, person: &UserId, at: Timestamp) -> (Vec<(String, bool)>, u64) {
    let cursors: Cursors = open().await;
    let list = inbox.list_of((person, None, Language::English), &cursors, &page(100, None).await, at).await;
    let list = serde_json::to_value(list.expect("a list")).expect("JSON");
    let entry = |entry: &Value| {
        (entry["subject"].as_str().expect("a subject").to_owned(), entry["read"] == json!(true))
    };
    let notifications = list["notifications"].as_array().expect("a list").iter().map(entry).collect();
    (notifications, list["unread"].as_u64().expect("a number"))
}

fn entries<const N: usize>(entries: [(&str, bool); N]) -> Vec<(String, bool)> {
    entries.map(|(subject, is_read)| (subject.to_owned(), is_read)).into()
}

/// The ids of all that came, oldest first.
async fn ids(inbox: &Inbox, person: &UserId) -> Vec<NotificationId> {
    let (cursors, all) = (open::<Cursors>().await, page(100, None).await);
    let list = inbox.list_of((person, None, Language::English), &cursors, &all, now()).await.expect("a list");
    let list = serde_json::to_value(list).expect("JSON");
    let ids = list["notifications"].as_array().expect("a list").iter().rev();
    ids.map(|entry| entry["id"].as_str().expect("an id").parse().expect("an id")).collect()
}

#[tokio::test]
async fn an_event_that_comes_again_is_told_once_and_stays_read() {
    let inbox: Inbox = open().await;
    let ann = someone().id().clone();
    for number in [1, 2, 1, 2] {
        inbox.put(event(number), news(&ann, number), now()).await.unwrap();
    }
    assert_eq!(seen(&inbox, &ann, now()).await, (entries([("2", false), ("1", false)]), 2));
    let first = ids(&inbox, &ann).await[0];
    for _ in 0..2 {
        assert_eq!(inbox.mark(&ann, first, now()).await.unwrap().unread, 1);
    }
    inbox.put(event(1), news(&ann, 1), now() + MINUTE).await.unwrap();
    assert_eq!(seen(&inbox, &ann, now()).await, (entries([("2", false), ("1", true)]), 1));
}

#[tokio::test]
async fn what_comes_late_stands_behind_all_that_was_read_before() {
    let inbox: Inbox = open().await;
    let ann = someone().id().clone();
    for number in [1, 2] {
        inbox.put(event(number), news(&ann, number), now() + MINUTE).await.unwrap();
    }
    let newest = ids(&inbox, &ann).await[1];
    assert_eq!(inbox.mark_up_to(&ann, ReadUpTo { up_to: newest }, now()).await.unwrap().unread, 0);
    // Its machine's clock is behind, and so is what it tells of.
    inbox.put(event(3), News { time: now() - MINUTE, ..news(&ann, 3) }, now()).await.unwrap();
    assert_eq!(
        seen(&inbox, &ann, now() + MINUTE).await,
        (entries([("3", false), ("2", true), ("1", true)]), 1)
    );
    let cursors: Cursors = open().await;
    let after = (&ann, Some(After(newest)), Language::English);
    let list = inbox.list_of(after, &cursors, &page(20, None).await, now() + MINUTE).await.unwrap();
    let list = serde_json::to_value(list).unwrap();
    assert_eq!(
        (&list["notifications"][0]["subject"], &list["notifications"][1]),
        (&json!("3"), &Value::Null)
    );
}

#[tokio::test]
async fn unread_is_right_whatever_comes_and_is_marked_at_the_same_time() {
    let inbox: Inbox = open().await;
    let ann = someone().id().clone();
    for number in 0..10 {
        inbox.put(event(number), news(&ann, number), now()).await.unwrap();
    }
    let old = ids(&inbox, &ann).await;
    let done = at_once(24, |number| {
        let (inbox, ann, old) = (inbox.clone(), ann.clone(), old.clone());
        async move {
            match number % 4 {
                // New ones, and the same again.
                0 | 1 => {
                    inbox.put(event(100 + number / 4), news(&ann, 100 + number / 4), now()).await.is_ok()
                }
                // Single marks, below and above the line.
                2 => inbox.mark(&ann, old[number % 10], now()).await.is_ok(),
                _ => inbox.mark_up_to(&ann, ReadUpTo { up_to: old[5] }, now()).await.is_ok(),
            }
        }
    });
    assert!(done.await.iter().all(|is_done| *is_done), "none was too many");
    let marked: BTreeSet<_> = (0..24).filter(|number| number % 4 == 2).map(|number| number % 10).collect();
    let expected: BTreeSet<_> =
        (6..10).filter(|number| !marked.contains(number)).chain(100..106).map(|it| it.to_string()).collect();
    let (all, unread) = seen(&inbox, &ann, now()).await;
    assert_eq!(all.len(), 16, "{all:?}");
    let found: BTreeSet<_> =
        all.into_iter().filter(|(_, is_read)| !is_read).map(|(subject, _)| subject).collect();
    assert_eq!((found, unread), (expected.clone(), expected.len() as u64));
}

#[tokio::test]
async fn nobody_marks_what_has_not_come_nor_what_is_anothers() {
    let inbox: Inbox = open().await;
    let [ann, bob] = [someone(), someone()].map(|person| person.id().clone());
    inbox.put(event(1), news(&ann, 1), now()).await.unwrap();
    let id = ids(&inbox, &ann).await[0];
    for (person, id) in [(&ann, id.next()), (&bob, id)] {
        let kind = |problem: shared::http::problem::Problem| problem.status();
        let status = shared::http::problem::Problem::new(NOT_FOUND, "").status();
        assert_eq!(inbox.mark(person, id, now()).await.map_err(kind).unwrap_err(), status);
        let up_to = ReadUpTo { up_to: id };
        assert_eq!(inbox.mark_up_to(person, up_to, now()).await.map_err(kind).unwrap_err(), status);
    }
    assert_eq!(seen(&inbox, &ann, now()).await.1, 1);
    assert_eq!(inbox.standing(&bob).await.unwrap().newest(), None, "no inbox was made");
}

#[tokio::test]
async fn the_oldest_of_too_many_counts_as_read_and_what_is_too_old_is_not_shown() {
    let inbox: Inbox = open().await;
    let ann = someone().id().clone();
    for number in 0..=MOST_UNREAD {
        inbox.put(event(number), news(&ann, number), now()).await.unwrap();
    }
    let standing = inbox.standing(&ann).await.unwrap();
    assert_eq!(standing.unread(now()), MOST_UNREAD);
    let oldest = NotificationId::at(now());
    assert_eq!([oldest, oldest.next()].map(|id| standing.is_unread(id)), [false, true]);
    // Also where DynamoDB has not deleted it yet.
    assert_eq!(seen(&inbox, &ann, now() + inbox::KEPT + MINUTE).await, (vec![], 0));
}

#[tokio::test]
async fn pages_hold_everything_once_and_a_forgotten_inbox_holds_nothing() {
    let (inbox, cursors): (Inbox, Cursors) = open().await;
    let ann = someone().id().clone();
    for number in 0..7 {
        inbox.put(event(number), news(&ann, number), now()).await.unwrap();
    }
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let request = page(3, cursor.as_deref()).await;
        let list = inbox.list_of((&ann, None, Language::English), &cursors, &request, now()).await.unwrap();
        cursor = list.next_cursor();
        let list = serde_json::to_value(list).unwrap();
        assert_eq!(list["unread"], 7, "on every page");
        let page = list["notifications"].as_array().unwrap().iter();
        found.extend(page.map(|entry| entry["subject"].as_str().unwrap().to_owned()));
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, ["6", "5", "4", "3", "2", "1", "0"]);
    while inbox.forget(&ann).await.unwrap() == Remains::More {}
    assert_eq!(seen(&inbox, &ann, now()).await, (vec![], 0));
    assert_eq!(inbox.standing(&ann).await.unwrap().newest(), None);
}
