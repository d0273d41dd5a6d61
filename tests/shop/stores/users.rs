//! Profiles: the first one of a person stays, and tells of sign-ins and new passwords; who may still run the shop.

use serde_json::{Value, json};
use shared::caller::UserId;
use shared::dynamo::Read;
use shared::guards::Guards;
use shared::http::IfMatch;
use shared::http::input;
use shared::http::problem::SECOND_FACTOR_NEEDED;
use shared::values::time::Timestamp;
use tests::meddler::Meddler;
use tests::wait::at_once;
use users::{
    Admins, FormerAddress, Group, NewAddress, PreferenceChanges, Profile, ProfileChanges, Restanding, Role,
    SecondFactorChange, SignIn, Status, Users, Way,
};

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
    let (users, guards) = open::<(Users, Guards)>().await;
    let profile = profile_of(someone().id(), "Ann");
    let ann = profile.user_id.clone();
    users.create(&profile).await.unwrap();
    users.signed_in(&guards, &ann, &BY_PASSWORD, now()).await.unwrap();
    users.signed_in(&guards, &ann, &BY_PASSWORD, now() + MINUTE).await.unwrap();
    users.password_changed(&ann, now() + DAY).await.unwrap();
    let expected =
        Profile { last_sign_in_at: Some(now() + MINUTE), password_changed_at: Some(now() + DAY), ..profile };
    assert_eq!(recorded(&ann).await, Some(expected));
}

#[tokio::test]
async fn nothing_is_noted_of_somebody_without_a_profile() {
    let (users, guards) = open::<(Users, Guards)>().await;
    let ann = someone().id().clone();
    assert!(users.signed_in(&guards, &ann, &BY_PASSWORD, now()).await.is_err());
    assert!(users.second_factor_off(&ann, now()).await.is_err());
    assert!(users.second_factor_on(&ann, now()).await.is_err());
    assert_eq!(recorded(&ann).await, None);
}

#[tokio::test]
async fn a_profile_knows_since_when_every_sign_in_gave_a_second_factor() {
    let (users, guards) = open::<(Users, Guards)>().await;
    let profile = profile_of(someone().id(), "Ann");
    let ann = profile.user_id.clone();
    users.create(&profile).await.unwrap();
    let since = async || recorded(&ann).await.unwrap().second_factor_at;
    users.signed_in(&guards, &ann, &by_code(now()), now()).await.unwrap();
    users.signed_in(&guards, &ann, &by_code(now() + MINUTE), now() + MINUTE).await.unwrap();
    assert_eq!(since().await, Some(now()));
    // Somebody has turned it off in the user pool.
    users.signed_in(&guards, &ann, &BY_PASSWORD, now() + DAY).await.unwrap();
    assert_eq!(since().await, None);
    users.signed_in(&guards, &ann, &by_code(now() + DAY), now() + DAY).await.unwrap();
    assert_eq!(since().await, Some(now() + DAY));
    users.second_factor_off(&ann, now() + DAY).await.unwrap();
    assert_eq!(since().await, None);
}

#[tokio::test]
async fn a_second_factor_is_turned_off_once_and_turned_on_each_time() {
    let users = open::<Users>().await;
    let profile = profile_of(someone().id(), "Ann");
    let ann = profile.user_id.clone();
    users.create(&profile).await.unwrap();
    let last = async || recorded(&ann).await.unwrap().second_factor;
    let change = |is_on, at| Some(SecondFactorChange { is_on, at });
    users.second_factor_off(&ann, now()).await.unwrap();
    assert_eq!(last().await, None, "there was none");
    users.second_factor_on(&ann, now()).await.unwrap();
    users.second_factor_on(&ann, now() + MINUTE).await.unwrap();
    assert_eq!(last().await, change(true, now() + MINUTE), "another app took the place of the first");
    users.second_factor_off(&ann, now() + DAY).await.unwrap();
    users.second_factor_off(&ann, now() + DAY + MINUTE).await.unwrap();
    assert_eq!(last().await, change(false, now() + DAY));
}

#[tokio::test]
async fn an_address_is_mended_once_also_when_the_reply_is_lost() {
    let (users, guards) = open_behind::<(Users, Guards)>(Meddler::lose_reply("UpdateItem")).await;
    let profile = profile_of(someone().id(), "Ann");
    let ann = profile.user_id.clone();
    users.create(&profile).await.unwrap();
    let address = "ann.new@cartwright.test".parse().ok();
    let sign_in = SignIn { with_second_factor: None, address };
    users.signed_in(&guards, &ann, &sign_in, now()).await.unwrap();
    users.signed_in(&guards, &ann, &sign_in, now() + MINUTE).await.unwrap();
    let expected = Profile {
        email: sign_in.address.unwrap(),
        updated_at: Some(now()),
        last_sign_in_at: Some(now() + MINUTE),
        version: 2,
        ..profile
    };
    assert_eq!(recorded(&ann).await, Some(expected));
}

/// Somebody who wants this address, as their profile says it.
async fn who_wants(users: &Users, address: &str) -> (Profile, NewAddress) {
    let new = NewAddress::new(address.parse().expect("an address"), now());
    // As the user pool names people.
    let profile = profile_of(&UserId::from(new.id().to_string()), "Ann");
    users.create(&profile).await.expect("an account");
    users.wants_address(&profile.user_id, &new).await.expect("noted");
    (Profile { new_address: Some(new.clone()), ..profile }, new)
}

/// What becomes of a profile when its new address is proved.
fn with_address(profile: &Profile, new: &NewAddress, at: Timestamp) -> Profile {
    Profile {
        email: new.address().clone(),
        former_address: Some(FormerAddress::new(new.id(), profile.email.clone(), at)),
        updated_at: Some(at),
        version: 2,
        ..profile.clone()
    }
}

#[tokio::test]
async fn an_address_that_was_proved_is_the_profiles_and_the_one_from_before_is_owed_a_letter() {
    let (users, guards) = open_behind::<(Users, Guards)>(Meddler::lose_reply("TransactWriteItems")).await;
    let (ann, new) = who_wants(&users, "ann.new@cartwright.test").await;
    let of = users.address_proved(&guards, &ann, &new, now()).await.unwrap().expect("a change");
    assert_eq!(recorded(&ann.user_id).await, Some(with_address(&ann, &new, now())));
    // Once more, by whoever read it before and by whoever reads it now.
    let read = recorded(&ann.user_id).await.unwrap();
    for profile in [&ann, &read] {
        let again = users.address_proved(&guards, profile, &new, now() + MINUTE).await.unwrap();
        assert_eq!(again, Some(of.clone()));
    }
    assert_eq!(recorded(&ann.user_id).await, Some(read));
    assert!(users.former_addresses_untold(&guards).await.unwrap().contains(&of));
    users.give_up_former_address(&guards, &of).await.unwrap();
    assert!(!users.former_addresses_untold(&guards).await.unwrap().contains(&of));
}

#[tokio::test]
async fn an_address_is_not_taken_from_a_profile_that_has_yet_another_one() {
    let (users, guards) = open::<(Users, Guards)>().await;
    let (ann, new) = who_wants(&users, "ann.new@cartwright.test").await;
    users.address_proved(&guards, &ann, &new, now()).await.unwrap();
    let late = NewAddress::new("ann.late@cartwright.test".parse().unwrap(), now());
    users.address_proved(&guards, &ann, &late, now()).await.unwrap_err();
    assert_eq!(recorded(&ann.user_id).await, Some(with_address(&ann, &new, now())));
    // Whoever has the address already has changed nothing.
    let own = NewAddress::new(ann.email.clone(), now());
    assert_eq!(users.address_proved(&guards, &ann, &own, now()).await.unwrap(), None);
}

#[tokio::test]
async fn a_sign_in_notes_an_address_that_was_proved_and_leaves_one_that_changed_just_now() {
    let (users, guards) = open::<(Users, Guards)>().await;
    let (ann, new) = who_wants(&users, "ann.new@cartwright.test").await;
    let with = |address: &users::Email| SignIn { with_second_factor: None, address: Some(address.clone()) };
    users.signed_in(&guards, &ann.user_id, &with(new.address()), now()).await.unwrap();
    let changed = Profile { last_sign_in_at: Some(now()), ..with_address(&ann, &new, now()) };
    assert_eq!(recorded(&ann.user_id).await, Some(changed.clone()));
    let untold = users.former_addresses_untold(&guards).await.unwrap();
    assert!(untold.iter().any(|of| of.which == new.id()));
    // It got its token before the change.
    users.signed_in(&guards, &ann.user_id, &with(&ann.email), now()).await.unwrap();
    assert_eq!(recorded(&ann.user_id).await, Some(changed));
}

#[tokio::test]
async fn an_account_that_is_closed_or_is_none_wants_no_address() {
    let users: Users = open().await;
    let (ann, bob) = (someone(), someone());
    let closed = Profile { status: Status::Disabled, ..profile_of(ann.id(), "Ann") };
    users.create(&closed).await.unwrap();
    let new = NewAddress::new("ann.new@cartwright.test".parse().unwrap(), now());
    assert_eq!(users.wants_address(ann.id(), &new).await.unwrap_err().status(), 403);
    assert_eq!(users.wants_address(bob.id(), &new).await.unwrap_err().status(), 404);
    assert_eq!((recorded(ann.id()).await, recorded(bob.id()).await), (Some(closed), None));
}

#[tokio::test]
async fn an_admin_changes_things_after_a_sign_in_with_a_second_factor_alone_where_the_shop_says_so() {
    let (users, guards) = open::<(Users, Guards)>().await;
    let strict: Admins = open_with(vec![("ADMIN_MFA", Some("true".into()))]).await;
    let root = someone().as_admin().having_signed_in_at(now());
    let mut profile = profile_of(root.id(), "Root");
    profile.role = Some(Role::Admin);
    users.create(&profile).await.unwrap();
    assert_eq!(strict.current(root.clone()).await.unwrap_err().kind(), SECOND_FACTOR_NEEDED);
    users.signed_in(&guards, root.id(), &by_code(now() + MINUTE), now() + MINUTE).await.unwrap();
    // The token of the sign-in before stays what it was.
    assert_eq!(strict.current(root.clone()).await.unwrap_err().kind(), SECOND_FACTOR_NEEDED);
    let by_code = root.clone().having_signed_in_at(now() + MINUTE);
    assert_eq!(strict.current(by_code.clone()).await, Ok(by_code.clone()));
    users.second_factor_off(root.id(), now() + MINUTE).await.unwrap();
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

fn changes(body: &Value) -> ProfileChanges {
    input::parse(body.to_string().as_bytes()).expect("changes")
}

fn version(number: u32) -> IfMatch {
    IfMatch::Versions([number].into())
}

#[tokio::test]
async fn a_profile_changes_under_its_version_alone() {
    let users: Users = open().await;
    let profile = profile_of(someone().id(), "Ann");
    let ann = profile.user_id.clone();
    users.create(&profile).await.unwrap();
    let german = changes(&json!({ "locale": "de", "marketing": true }));
    let changed = users.change(&ann, &german, &version(1), now()).await.unwrap();
    assert_eq!((changed.version, changed.marketing, changed.updated_at), (2, true, Some(now())));
    assert_eq!(recorded(&ann).await, Some(changed.clone()));
    let english = changes(&json!({ "locale": "en" }));
    for stale in [version(1), version(3)] {
        let refused = users.change(&ann, &english, &stale, now()).await.unwrap_err();
        assert_eq!(refused.status(), 412);
    }
    assert_eq!(recorded(&ann).await, Some(changed));
}

#[tokio::test]
async fn a_change_whose_reply_is_lost_is_made_once() {
    let users: Users = open_behind(Meddler::lose_reply("UpdateItem")).await;
    let profile = profile_of(someone().id(), "Ann");
    let ann = profile.user_id.clone();
    users.create(&profile).await.unwrap();
    let german = changes(&json!({ "locale": "de" }));
    let changed = users.change(&ann, &german, &version(1), now()).await.unwrap();
    assert_eq!((changed.version, recorded(&ann).await), (2, Some(changed.clone())));
}

#[tokio::test]
async fn a_profile_of_a_closed_account_stays_as_it_is() {
    let users: Users = open().await;
    let (ann, bob) = (someone(), someone());
    let closed = Profile { status: Status::Deleting, ..profile_of(ann.id(), "Ann") };
    users.create(&closed).await.unwrap();
    let german = changes(&json!({ "locale": "de" }));
    assert_eq!(users.change(ann.id(), &german, &IfMatch::Any, now()).await.unwrap_err().status(), 403);
    assert_eq!(users.change(bob.id(), &german, &IfMatch::Any, now()).await.unwrap_err().status(), 404);
    assert_eq!((recorded(ann.id()).await, recorded(bob.id()).await), (Some(closed), None));
}

/// An admin and somebody else, both in the table.
async fn admin_and_ann(users: &Users) -> (Profile, Profile) {
    let root = Profile { role: Some(Role::Admin), ..profile_of(someone().id(), "Root") };
    let ann = profile_of(someone().id(), "Ann");
    users.create(&root).await.expect("an account");
    users.create(&ann).await.expect("an account");
    (root, ann)
}

fn as_seller(person: &Profile, by: &Profile) -> Profile {
    person.clone().with_role(Role::Seller, &by.user_id, now()).expect("allowed").expect("another role")
}

#[tokio::test]
async fn a_role_is_given_by_an_open_admin_to_somebody_who_is_as_was_read() {
    let (users, guards) = open::<(Users, Guards)>().await;
    let (root, ann) = admin_and_ann(&users).await;
    let seller = as_seller(&ann, &root);
    // Ann is none.
    let refused = users.restand(&guards, &root, &as_seller(&root, &ann), &ann.user_id).await.unwrap();
    assert_eq!(
        refused,
        Restanding::Done,
        "an account without a role may be an admin's, from before there were any"
    );
    let root = Profile { role: Some(Role::Admin), ..profile_of(someone().id(), "Root") };
    users.create(&root).await.unwrap();
    assert_eq!(users.restand(&guards, &ann, &seller, &root.user_id).await.unwrap(), Restanding::Done);
    assert!(users.unsynced(&guards).await.unwrap().contains(&ann.user_id));
    assert_eq!(recorded(&ann.user_id).await, Some(seller.clone()));
    // It is another by now; whoever is a seller gives nobody a role, and neither does whoever is nobody.
    assert_eq!(
        users.restand(&guards, &ann, &as_seller(&ann, &root), &root.user_id).await.unwrap(),
        Restanding::Changed
    );
    for by in [&ann.user_id, someone().id()] {
        let demoted = root.clone().with_role(Role::Customer, by, now()).unwrap().unwrap();
        assert_eq!(users.restand(&guards, &root, &demoted, by).await.unwrap(), Restanding::NotByAnAdmin);
    }
    assert_eq!(recorded(&root.user_id).await, Some(root));
}

#[tokio::test]
async fn an_admin_whose_account_is_closed_gives_nobody_a_role() {
    let (users, guards) = open::<(Users, Guards)>().await;
    let (_, ann) = admin_and_ann(&users).await;
    let closed =
        Profile { role: Some(Role::Admin), status: Status::Disabled, ..profile_of(someone().id(), "Root") };
    users.create(&closed).await.unwrap();
    let outcome = users.restand(&guards, &ann, &as_seller(&ann, &closed), &closed.user_id).await.unwrap();
    assert_eq!((outcome, recorded(&ann.user_id).await), (Restanding::NotByAnAdmin, Some(ann)));
}

#[tokio::test]
async fn a_role_whose_reply_is_lost_is_given() {
    let (users, guards) = open_behind::<(Users, Guards)>(Meddler::lose_reply("TransactWriteItems")).await;
    let (root, ann) = admin_and_ann(&users).await;
    let seller = as_seller(&ann, &root);
    assert_eq!(users.restand(&guards, &ann, &seller, &root.user_id).await.unwrap(), Restanding::Done);
    assert!(users.synced(&guards, &seller).await.unwrap());
    assert_eq!(recorded(&ann.user_id).await, Some(Profile { sync: None, ..seller }));
}

#[tokio::test]
async fn the_user_pool_is_told_until_it_has_heard_of_the_last_change() {
    let (users, guards) = open::<(Users, Guards)>().await;
    let (root, ann) = admin_and_ann(&users).await;
    let seller = as_seller(&ann, &root);
    users.restand(&guards, &ann, &seller, &root.user_id).await.unwrap();
    let closed = seller.clone().with_status(Status::Disabled, &root.user_id, now()).unwrap().unwrap();
    users.restand(&guards, &seller, &closed, &root.user_id).await.unwrap();
    // Whoever told of the first change learns that there is another.
    assert!(!users.synced(&guards, &seller).await.unwrap());
    assert!(users.unsynced(&guards).await.unwrap().contains(&ann.user_id));
    assert!(users.synced(&guards, &closed).await.unwrap());
    assert!(!users.unsynced(&guards).await.unwrap().contains(&ann.user_id));
    // Told again by somebody who was late.
    assert!(users.synced(&guards, &Profile { sync: None, ..closed }).await.unwrap());
}

#[tokio::test]
async fn whoever_leaves_is_noted_with_the_deletion_and_whoever_stays_without() {
    let (users, guards) = open_behind::<(Users, Guards)>(Meddler::lose_reply("TransactWriteItems")).await;
    let ann = profile_of(someone().id(), "Ann");
    users.create(&ann).await.unwrap();
    let leaving = users.leave(&guards, &ann, now()).await.unwrap().unwrap();
    assert!(leaving.departure.is_some() && leaving.status == Status::Deleting);
    assert_eq!(recorded(&ann.user_id).await, Some(leaving.clone()));
    assert!(users.leaving(&guards).await.unwrap().contains(&ann.user_id));
    // Asked again by whoever read it before.
    assert_eq!(users.leave(&guards, &ann, now()).await.unwrap(), Some(leaving.clone()));
    assert!(users.stay(&guards, &leaving).await.unwrap());
    assert!(users.stay(&guards, &leaving).await.unwrap());
    assert_eq!(recorded(&ann.user_id).await, Some(Profile { status: Status::Active, ..leaving }));
    assert!(!users.leaving(&guards).await.unwrap().contains(&ann.user_id));
}

#[tokio::test]
async fn nobody_leaves_who_is_another_by_now_or_is_nobody() {
    let (users, guards) = open::<(Users, Guards)>().await;
    let ann = profile_of(someone().id(), "Ann");
    let admin = Profile { role: Some(Role::Admin), ..ann.clone() };
    users.create(&admin).await.unwrap();
    let bob = profile_of(someone().id(), "Bob");
    for gone in [&ann, &bob] {
        assert_eq!(users.leave(&guards, gone, now()).await.unwrap(), None);
        assert!(!users.leaving(&guards).await.unwrap().contains(&gone.user_id));
    }
    assert_eq!((recorded(&ann.user_id).await, recorded(&bob.user_id).await), (Some(admin), None));
}

#[tokio::test]
async fn only_whoever_leaves_is_forgotten_and_once_is_enough() {
    let (users, guards) = open_behind::<(Users, Guards)>(Meddler::lose_reply("DeleteItem")).await;
    let (ann, bob) = (profile_of(someone().id(), "Ann"), profile_of(someone().id(), "Bob"));
    users.create(&ann).await.unwrap();
    users.create(&bob).await.unwrap();
    users.leave(&guards, &ann, now()).await.unwrap();
    users.forget(&guards, &ann.user_id).await.unwrap();
    users.forget(&guards, &ann.user_id).await.unwrap();
    assert_eq!(recorded(&ann.user_id).await, None);
    assert!(!users.leaving(&guards).await.unwrap().contains(&ann.user_id));
    users.forget(&guards, &bob.user_id).await.unwrap_err();
    assert_eq!(recorded(&bob.user_id).await, Some(bob));
}

fn choices(body: &Value) -> PreferenceChanges {
    input::parse(body.to_string().as_bytes()).expect("choices")
}

#[tokio::test]
async fn a_choice_is_written_alone_so_that_of_two_at_once_none_undoes_the_other() {
    let users = open::<Users>().await;
    let profile = profile_of(someone().id(), "Ann");
    let ann = profile.user_id.clone();
    users.create(&profile).await.unwrap();
    let bodies = [
        json!({ "sales": { "email": false } }),
        json!({ "reviews": { "email": false, "push": false } }),
        json!({ "marketing": { "email": true } }),
    ];
    let all = at_once(3, |number| {
        let (users, ann, changes) = (users.clone(), ann.clone(), choices(&bodies[number]));
        async move { users.prefer(&ann, &changes, now()).await }
    });
    assert!(all.await.iter().all(Result::is_ok));
    let found = recorded(&ann).await.unwrap();
    let wants = |group, way| found.wants(group, way);
    assert!(!wants(Group::Sales, Way::Email) && wants(Group::Sales, Way::Push));
    assert!(!wants(Group::Reviews, Way::Email) && !wants(Group::Reviews, Way::Push));
    assert!(wants(Group::Marketing, Way::Email));
    assert_eq!(found.version, profile.version + 3, "the profile shows one of them");
}

#[tokio::test]
async fn a_choice_is_taken_back_by_null_and_is_the_same_after_a_lost_reply() {
    let users = open_behind::<Users>(Meddler::lose_reply("UpdateItem")).await;
    let profile = profile_of(someone().id(), "Ann");
    let ann = profile.user_id.clone();
    users.create(&profile).await.unwrap();
    let off = users.prefer(&ann, &choices(&json!({ "sales": { "email": false } })), now()).await.unwrap();
    assert!(!off.wants(Group::Sales, Way::Email));
    let back = users.prefer(&ann, &choices(&json!({ "sales": null })), now()).await.unwrap();
    assert_eq!(back, Profile { version: back.version, ..profile });
}

#[tokio::test]
async fn a_closed_account_chooses_nothing_but_what_it_is_not_written_of() {
    let users = open::<Users>().await;
    let (ann, bob) = (profile_of(someone().id(), "Ann"), someone().id().clone());
    let closed = Profile { status: Status::Disabled, ..ann };
    users.create(&closed).await.unwrap();
    let changes = choices(&json!({ "reviews": { "email": false } }));
    let refused = users.prefer(&closed.user_id, &changes, now()).await.unwrap_err();
    assert_eq!(refused.status().as_u16(), 403);
    assert_eq!(recorded(&closed.user_id).await, Some(closed.clone()), "nothing changed");
    let off = PreferenceChanges::no_emails(Group::Reviews);
    let changed = users.prefer_of_any(&closed.user_id, &off).await.unwrap().expect("a profile");
    assert!(!changed.wants(Group::Reviews, Way::Email));
    assert_eq!(users.prefer(&bob, &changes, now()).await.unwrap_err().status().as_u16(), 404);
    assert_eq!(users.prefer_of_any(&bob, &off).await.unwrap(), None);
    assert_eq!(recorded(&bob).await, None, "none was made");
}
