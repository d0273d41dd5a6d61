//! Profiles: the first one of a person stays, and tells of sign-ins and new passwords.

use shared::caller::UserId;
use shared::dynamo::Read;
use tests::meddler::Meddler;
use users::{Profile, Users};

use super::{DAY, MINUTE, Tables, now, open, open_behind, profile_of, someone};

/// The profile of a person, read as orders read their buyer's.
async fn recorded(id: &UserId) -> Option<Profile> {
    let (users, Tables(client)) = open::<(Users, Tables)>().await;
    let read = users.with(Read::new(), id).expect("a key");
    let mut found = read.fetch(&client).await.expect("the table answers");
    users.found_in(&mut found).expect("a profile that can be read")
}

#[tokio::test]
async fn the_first_profile_of_a_person_stays() {
    let users: Users = open().await;
    let ann = someone().id().clone();
    assert_eq!(recorded(&ann).await, None);
    let first = profile_of(&ann, "Ann");
    users.create(&first).await.unwrap();
    users.create(&profile_of(&ann, "Mallory")).await.unwrap();
    assert_eq!(recorded(&ann).await, Some(first));
}

#[tokio::test]
async fn a_profile_whose_reply_is_lost_is_recorded() {
    let users: Users = open_behind(Meddler::lose_reply("PutItem")).await;
    let profile = profile_of(someone().id(), "Ann");
    users.create(&profile).await.unwrap();
    assert_eq!(recorded(&profile.user_id).await, Some(profile));
}

#[tokio::test]
async fn a_profile_tells_of_the_last_sign_in_and_of_the_last_new_password() {
    let users: Users = open().await;
    let profile = profile_of(someone().id(), "Ann");
    let ann = profile.user_id.clone();
    users.create(&profile).await.unwrap();
    users.signed_in(&ann, now()).await.unwrap();
    users.signed_in(&ann, now() + MINUTE).await.unwrap();
    users.password_changed(&ann, now() + DAY).await.unwrap();
    let expected =
        Profile { last_sign_in_at: Some(now() + MINUTE), password_changed_at: Some(now() + DAY), ..profile };
    assert_eq!(recorded(&ann).await, Some(expected));
}

#[tokio::test]
async fn nothing_is_noted_of_somebody_without_a_profile() {
    let users: Users = open().await;
    let ann = someone().id().clone();
    assert!(users.signed_in(&ann, now()).await.is_err());
    assert_eq!(recorded(&ann).await, None);
}
