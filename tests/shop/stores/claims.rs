//! What must happen once and cannot be part of a transaction: claimed by one, taken over from the dead, done once.

use std::time::Duration;

use shared::dynamo::Write;
use shared::guards::Guards;
use shared::guards::claims::{Claim, TryId};
use shared::values::time::Timestamp;
use tests::aws::Aws as Cloud;
use tests::meddler::Meddler;
use tests::shop::unique;
use tests::wait::at_once;

use super::{DAY, MILLISECOND, Tables, now, open, open_behind};

const LEASE: Duration = Duration::from_mins(1);

/// An email that no other test sends.
fn email() -> String {
    unique("email#order.shipping#").replace(' ', "")
}

fn me() -> TryId {
    TryId::at(now())
}

/// Records that a thing is done, as it is recorded with what else is so then.
async fn record(guards: &Guards, what: &str, now: Timestamp) {
    let tables: Tables = open().await;
    let mut write = Write::new();
    write.update(guards.done(what, now).expect("an update"));
    assert!(tables.commit(write).await);
}

#[tokio::test]
async fn an_email_is_claimed_by_one_of_many() {
    let guards: Guards = open().await;
    let email = email();
    let outcomes = at_once(8, |_| {
        let (guards, email) = (guards.clone(), email.clone());
        async move { guards.claim(&email, me(), now()).await.unwrap() }
    });
    let outcomes = outcomes.await;
    assert_eq!(outcomes.iter().filter(|claim| **claim == Claim::First).count(), 1);
    assert_eq!(outcomes.iter().filter(|claim| **claim == Claim::Busy).count(), 7);
    let other_kind = email.replace("shipping", "confirmed");
    assert_eq!(guards.claim(&other_kind, me(), now()).await.unwrap(), Claim::First);
}

#[tokio::test]
async fn a_claim_is_taken_over_when_its_lease_is_over() {
    let guards: Guards = open().await;
    let email = email();
    let claim = async |now| guards.claim(&email, me(), now).await.unwrap();
    assert_eq!(claim(now()).await, Claim::First);
    assert_eq!(claim(now() + LEASE - MILLISECOND).await, Claim::Busy);
    assert_eq!(claim(now() + LEASE).await, Claim::TakenOver);
    // The new holder has a lease of its own.
    assert_eq!(claim(now() + LEASE + LEASE - MILLISECOND).await, Claim::Busy);
    assert_eq!(claim(now() + LEASE + LEASE).await, Claim::TakenOver);
}

#[tokio::test]
async fn what_is_done_is_never_claimed_again() {
    let guards: Guards = open().await;
    let (email, sender) = (email(), me());
    guards.claim(&email, sender, now()).await.unwrap();
    record(&guards, &email, now()).await;
    record(&guards, &email, now() + DAY).await;
    for later in [Duration::ZERO, LEASE, DAY * 30] {
        assert_eq!(guards.claim(&email, me(), now() + later).await.unwrap(), Claim::AlreadyDone);
        assert_eq!(guards.claim(&email, sender, now() + later).await.unwrap(), Claim::AlreadyDone);
    }
    guards.give_back(&email, sender).await.unwrap();
    assert_eq!(guards.claim(&email, me(), now()).await.unwrap(), Claim::AlreadyDone);

    let record = Cloud::open().await.item("GuardsTable", ("guardId", &format!("claim#{email}"))).await;
    assert_eq!(record["doneAt"]["S"], now().to_string(), "the first record of it stays");
}

#[tokio::test]
async fn a_holder_that_was_overtaken_still_records_what_it_did() {
    let guards: Guards = open().await;
    let email = email();
    guards.claim(&email, me(), now()).await.unwrap();
    assert_eq!(guards.claim(&email, me(), now() + LEASE).await.unwrap(), Claim::TakenOver);
    record(&guards, &email, now() + LEASE).await;
    assert_eq!(guards.claim(&email, me(), now() + DAY).await.unwrap(), Claim::AlreadyDone);
}

#[tokio::test]
async fn a_claim_is_given_back_by_its_holder_alone() {
    let guards: Guards = open().await;
    let (email, holder) = (email(), me());
    guards.give_back(&email, holder).await.unwrap();
    assert_eq!(guards.claim(&email, holder, now()).await.unwrap(), Claim::First);
    guards.give_back(&email, me()).await.unwrap();
    assert_eq!(guards.claim(&email, me(), now()).await.unwrap(), Claim::Busy);
    guards.give_back(&email, holder).await.unwrap();
    assert_eq!(guards.claim(&email, me(), now()).await.unwrap(), Claim::First);
    guards.give_back(&email, holder).await.unwrap();
    assert_eq!(guards.claim(&email, me(), now()).await.unwrap(), Claim::Busy);
}

#[tokio::test]
async fn a_claim_whose_reply_is_lost_is_the_callers() {
    let guards: Guards = open_behind(Meddler::lose_reply("UpdateItem")).await;
    assert_eq!(guards.claim(&email(), me(), now()).await.unwrap(), Claim::First);
}

#[tokio::test]
async fn a_claim_that_is_taken_over_says_so_also_when_its_reply_is_lost() {
    let (before, behind): (Guards, Guards) =
        (open().await, open_behind(Meddler::lose_reply("UpdateItem")).await);
    let email = email();
    assert_eq!(before.claim(&email, me(), now()).await.unwrap(), Claim::First);
    assert_eq!(behind.claim(&email, me(), now() + LEASE).await.unwrap(), Claim::TakenOver);
}
