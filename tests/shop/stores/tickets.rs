//! What is good once and for a moment.

use std::time::Duration;

use shared::guards::Guards;
use shared::guards::claims::TryId;
use tests::shop::unique;
use tests::wait::at_once;

use super::{MILLISECOND, now, open};

const MINUTE: Duration = Duration::from_mins(1);

fn secret() -> String {
    unique("secret")
}

#[tokio::test]
async fn a_ticket_is_taken_by_one_of_many() {
    let guards: Guards = open().await;
    let (secret, at) = (secret(), now());
    guards.issue_ticket("test", &secret, &7, (at, MINUTE)).await.unwrap();
    let taken = at_once(8, |_| {
        let (guards, secret) = (guards.clone(), secret.clone());
        async move { guards.take_ticket::<u32>("test", &secret, TryId::at(at), at).await.unwrap() }
    });
    let taken = taken.await;
    assert_eq!(taken.iter().filter(|one| **one == Some(7)).count(), 1, "{taken:?}");
    assert_eq!(taken.iter().filter(|one| one.is_none()).count(), 7, "{taken:?}");
}

#[tokio::test]
async fn a_try_that_is_repeated_gets_the_same_and_nobody_else_does() {
    let guards: Guards = open().await;
    let (secret, at) = (secret(), now());
    guards.issue_ticket("test", &secret, &7, (at, MINUTE)).await.unwrap();
    let (me, other) = (TryId::at(at), TryId::at(at));
    for (who, what, expected) in
        [(me, "another", None), (me, "test", Some(7)), (me, "test", Some(7)), (other, "test", None)]
    {
        assert_eq!(guards.take_ticket::<u32>(what, &secret, who, at).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_ticket_that_is_too_old_or_was_never_given_is_none() {
    let guards: Guards = open().await;
    let (ticket, at) = (secret(), now());
    guards.issue_ticket("test", &ticket, &7, (at, MINUTE)).await.unwrap();
    let late = at + MINUTE;
    assert_eq!(guards.take_ticket::<u32>("test", &ticket, TryId::at(at), late).await.unwrap(), None);
    assert_eq!(guards.take_ticket::<u32>("test", &secret(), TryId::at(at), at).await.unwrap(), None);
    let in_time = at + MINUTE - MILLISECOND;
    assert_eq!(guards.take_ticket::<u32>("test", &ticket, TryId::at(at), in_time).await.unwrap(), Some(7));
}
