//! The number that texts go to: proved by few tries, once, and off again where its phone takes none.

use serde_json::json;
use shared::caller::UserId;
use shared::dynamo::{Write, Written};
use shared::http::input;
use shared::http::problem::Problem;
use tests::meddler::Meddler;
use users::{NewNumber, Number, PreferenceChanges, Profile, Purpose, Role, Stopped, TextId, TextSent, Users};

use super::{MINUTE, Tables, now, open, open_behind, profile_of, someone};

fn number(text: &str) -> Number {
    text.parse().expect("a number")
}

fn first() -> Number {
    number("+4915112345678")
}

/// Somebody who waits to prove a number.
async fn asking(users: &Users) -> (Profile, NewNumber) {
    let profile = profile_of(someone().id(), "Ann");
    users.create(&profile).await.expect("it is written");
    let new = NewNumber::new(first(), now());
    users.wants_number(&profile.user_id, &new).await.expect("it is written");
    (profile, new)
}

async fn found(users: &Users, id: &UserId) -> Profile {
    users.find(id).await.expect("it is written").expect("a profile")
}

fn slug(problem: &Problem) -> String {
    let document = serde_json::to_value(problem).expect("JSON");
    document["type"].as_str().and_then(|urn| urn.rsplit(':').next()).unwrap_or_default().to_owned()
}

/// Somebody who has proved a number, and wants both texts.
async fn texted(users: &Users) -> Profile {
    let (profile, new) = asking(users).await;
    users.number_proved(&profile, &new, now()).await.expect("it is written");
    let wants = json!({ "texts": { "parcelSent": true, "delivered": true, "textVersion": 1 } });
    let wants: PreferenceChanges = input::parse(wants.to_string().as_bytes()).expect("choices");
    users.prefer(&profile.user_id, &wants, now()).await.expect("it is written")
}

#[tokio::test]
async fn a_code_is_tried_five_times_and_for_ten_minutes() {
    let users: Users = open().await;
    let (profile, _) = asking(&users).await;
    let ann = &profile.user_id;
    let passes =
        async |later| matches!(users.tries_code(ann, now() + later).await.unwrap(), Written::Done(_));
    assert!(!passes(10 * MINUTE + super::MILLISECOND).await, "too late");
    for _ in 0..5 {
        assert!(passes(10 * MINUTE).await);
    }
    assert!(!passes(MINUTE).await, "the sixth");
    users.wants_number(ann, &NewNumber::new(first(), now())).await.unwrap();
    assert!(passes(MINUTE).await, "another code has tries of its own");
    let nobody = someone().id().clone();
    assert_eq!(slug(&users.tries_code(&nobody, now()).await.unwrap_err()), "not-found");
}

#[tokio::test]
async fn a_number_is_proved_once_also_where_the_reply_is_lost_and_never_by_an_older_code() {
    let (users, meddled) =
        (open::<Users>().await, open_behind::<Users>(Meddler::lose_reply("UpdateItem")).await);
    let (profile, old) = asking(&users).await;
    let new = NewNumber::new(number("+4915187654321"), now());
    users.wants_number(&profile.user_id, &new).await.unwrap();
    let refused = users.number_proved(&profile, &old, now()).await.unwrap_err();
    assert_eq!(slug(&refused), "code-mismatch");
    assert_eq!(found(&users, &profile.user_id).await.text_number, None);
    let proved = meddled.number_proved(&profile, &new, now() + MINUTE).await.unwrap();
    let after = found(&users, &profile.user_id).await;
    assert_eq!((after.text_number, after.new_number), (Some(proved), None));
}

#[tokio::test]
async fn another_number_ends_what_was_agreed_to_and_the_same_one_does_not() {
    let users: Users = open().await;
    let ann = texted(&users).await;
    for (to, stays) in [(first(), true), (number("+4915187654321"), false)] {
        let before = found(&users, &ann.user_id).await;
        let new = NewNumber::new(to, now());
        users.wants_number(&ann.user_id, &new).await.unwrap();
        users.number_proved(&before, &new, now()).await.unwrap();
        let after = found(&users, &ann.user_id).await;
        let wants = Purpose::ALL.map(|purpose| after.texts_for(purpose).is_some());
        assert_eq!(wants, [stays; 2]);
    }
}

#[tokio::test]
async fn texts_are_wanted_only_where_they_have_somewhere_to_go() {
    let users: Users = open().await;
    let (profile, _) = asking(&users).await;
    let read =
        |body: serde_json::Value| -> PreferenceChanges { input::parse(body.to_string().as_bytes()).unwrap() };
    let wants =
        read(json!({ "sales": { "email": false }, "texts": { "delivered": true, "textVersion": 1 } }));
    let refused = users.prefer(&profile.user_id, &wants, now()).await.unwrap_err();
    assert_eq!(slug(&refused), "no-phone");
    let after = found(&users, &profile.user_id).await;
    assert_eq!((after.choices, after.delivered_text), (profile.choices, None), "nothing of it is done");
    // To want none needs no phone.
    users.prefer(&profile.user_id, &read(json!({ "texts": null })), now()).await.unwrap();
}

#[tokio::test]
async fn a_phone_that_takes_no_texts_turns_them_off_once_and_only_its_own() {
    let users: Users = open().await;
    let ann = texted(&users).await;
    let stop = async |to: &Number, what| users.stop_texts(&ann.user_id, to, what, now()).await.unwrap();
    assert!(!stop(&number("+4915187654321"), Stopped::News).await, "it is another one by now");
    assert!(!stop(&first(), Stopped::Code).await, "there is nothing to prove");
    assert!(stop(&first(), Stopped::News).await);
    let after = found(&users, &ann.user_id).await;
    assert_eq!((after.parcel_sent_text, after.delivered_text), (None, None));
    assert_eq!((after.texts_stopped_at, after.text_number.is_some()), (Some(now()), true));
    assert!(!stop(&first(), Stopped::News).await, "they are off");

    users.wants_number(&ann.user_id, &NewNumber::new(first(), now())).await.unwrap();
    assert!(stop(&first(), Stopped::Code).await);
    assert_eq!(found(&users, &ann.user_id).await.new_number, None);
}

#[tokio::test]
async fn a_number_is_forgotten_with_all_that_was_wanted_there() {
    let users: Users = open().await;
    let ann = texted(&users).await;
    users.wants_number(&ann.user_id, &NewNumber::new(first(), now())).await.unwrap();
    for _ in 0..2 {
        users.forget_number(&ann.user_id).await.unwrap();
    }
    let after = found(&users, &ann.user_id).await;
    assert_eq!((after.text_number, after.new_number), (None, None));
    assert_eq!((after.parcel_sent_text, after.delivered_text), (None, None));
    let nobody = someone().id().clone();
    assert_eq!(slug(&users.forget_number(&nobody).await.unwrap_err()), "not-found");
}

#[tokio::test]
async fn only_an_open_admin_has_a_text_sent() {
    let (users, Tables(client)) = open::<(Users, Tables)>().await;
    for (role, status, is_sent) in [
        (Some(Role::Admin), users::Status::Active, true),
        (Some(Role::Seller), users::Status::Active, false),
        (Some(Role::Admin), users::Status::Disabled, false),
    ] {
        let profile = Profile { role, status, ..profile_of(someone().id(), "Ann") };
        users.create(&profile).await.unwrap();
        let sent = TextSent { id: TextId::at(now()), at: now() };
        let mut write = Write::new();
        write.update(users.sends_text(&profile.user_id, sent).unwrap());
        let is_written = write.commit(&client).await.unwrap() == Written::Done(());
        assert_eq!(is_written, is_sent, "{role:?} {status:?}");
        assert_eq!(found(&users, &profile.user_id).await.text_sent, is_sent.then_some(sent));
    }
}
