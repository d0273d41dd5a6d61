//! Profiles: the first one of a person stays, and tells of sign-ins and new passwords; who may still run the shop.

use shared::caller::UserId;
use shared::dynamo::Read;
use shared::http::problem::SECOND_FACTOR_NEEDED;
use shared::values::time::Timestamp;
use tests::meddler::Meddler;
use users::{Admins, Profile, Role, SignIn, Users};

use super::{DAY, MINUTE, Tables, now, open, open_behind, open_with, profile_of, someone};

/// By the password alone, of an account whose address the user pool did not tell.
const BY_PASSWORD: SignIn = SignIn { with_second_factor: None, address: None };

fn by_code(completed_at: Timestamp) -> SignIn {
    SignIn { with_second_factor: Some(completed_at), address: None }
}

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
    users.signed_in(&ann, &BY_PASSWORD, now()).await.unwrap();
    users.signed_in(&ann, &BY_PASSWORD, now() + MINUTE).await.unwrap();
    users.password_changed(&ann, now() + DAY).await.unwrap();
    let expected =
        Profile { last_sign_in_at: Some(now() + MINUTE), password_changed_at: Some(now() + DAY), ..profile };
    assert_eq!(recorded(&ann).await, Some(expected));
}

#[tokio::test]
async fn nothing_is_noted_of_somebody_without_a_profile() {
    let users: Users = open().await;
    let ann = someone().id().clone();
    assert!(users.signed_in(&ann, &BY_PASSWORD, now()).await.is_err());
    assert!(users.second_factor_off(&ann).await.is_err());
    assert_eq!(recorded(&ann).await, None);
}

#[tokio::test]
async fn a_profile_knows_since_when_every_sign_in_gave_a_second_factor() {
    let users: Users = open().await;
    let profile = profile_of(someone().id(), "Ann");
    let ann = profile.user_id.clone();
    users.create(&profile).await.unwrap();
    let since = async || recorded(&ann).await.unwrap().second_factor_at;
    users.signed_in(&ann, &by_code(now()), now()).await.unwrap();
    users.signed_in(&ann, &by_code(now() + MINUTE), now() + MINUTE).await.unwrap();
    assert_eq!(since().await, Some(now()));
    // Somebody has turned it off in the user pool.
    users.signed_in(&ann, &BY_PASSWORD, now() + DAY).await.unwrap();
    assert_eq!(since().await, None);
    users.signed_in(&ann, &by_code(now() + DAY), now() + DAY).await.unwrap();
    assert_eq!(since().await, Some(now() + DAY));
    users.second_factor_off(&ann).await.unwrap();
    users.second_factor_off(&ann).await.unwrap();
    assert_eq!(since().await, None);
}

#[tokio::test]
async fn an_address_is_mended_once_also_when_the_reply_is_lost() {
    let users: Users = open_behind(Meddler::lose_reply("UpdateItem")).await;
    let profile = profile_of(someone().id(), "Ann");
    let ann = profile.user_id.clone();
    users.create(&profile).await.unwrap();
    let address = "ann.new@cartwright.test".parse().ok();
    let sign_in = SignIn { with_second_factor: None, address };
    users.signed_in(&ann, &sign_in, now()).await.unwrap();
    users.signed_in(&ann, &sign_in, now() + MINUTE).await.unwrap();
    let expected = Profile {
        email: sign_in.address.unwrap(),
        updated_at: Some(now()),
        last_sign_in_at: Some(now() + MINUTE),
        ..profile
    };
    assert_eq!(recorded(&ann).await, Some(expected));
}

#[tokio::test]
async fn an_admin_changes_things_after_a_sign_in_with_a_second_factor_alone_where_the_shop_says_so() {
    let users: Users = open().await;
    let strict: Admins = open_with(vec![("ADMIN_MFA", Some("true".into()))]).await;
    let root = someone().as_admin().having_signed_in_at(now());
    let mut profile = profile_of(root.id(), "Root");
    profile.role = Some(Role::Admin);
    users.create(&profile).await.unwrap();
    assert_eq!(strict.current(root.clone()).await.unwrap_err().kind(), SECOND_FACTOR_NEEDED);
    users.signed_in(root.id(), &by_code(now() + MINUTE), now() + MINUTE).await.unwrap();
    // The token of the sign-in before stays what it was.
    assert_eq!(strict.current(root.clone()).await.unwrap_err().kind(), SECOND_FACTOR_NEEDED);
    let by_code = root.clone().having_signed_in_at(now() + MINUTE);
    assert_eq!(strict.current(by_code.clone()).await, Ok(by_code.clone()));
    users.second_factor_off(root.id()).await.unwrap();
    assert_eq!(strict.current(by_code).await.unwrap_err().kind(), SECOND_FACTOR_NEEDED);
    // Elsewhere the password suffices, and nobody else is asked anything.
    let lenient: Admins = open_with(vec![("ADMIN_MFA", Some("false".into()))]).await;
    assert_eq!(lenient.current(root.clone()).await, Ok(root));
    let ann = someone();
    assert_eq!(strict.current(ann.clone()).await, Ok(ann));
}

#[tokio::test]
async fn a_table_that_does_not_answer_makes_nobody_an_admin() {
    let admins: Admins = open_with(vec![
        ("ADMIN_MFA", Some("false".into())),
        ("AWS_ENDPOINT_URL_DYNAMODB", Some("http://127.0.0.1:1".into())),
    ])
    .await;
    assert!(admins.current(someone().as_admin()).await.is_err());
}
