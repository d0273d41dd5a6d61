//! The mail: one message for a key, and to which addresses nothing is written, for how long and whose they are.

use std::time::Duration;

use serde_json::json;
use shared::caller::{Caller, UserId};
use shared::dynamo::{Remains, Stretch};
use shared::guards::{Committed, Guards, KeyedRequest, Once};
use shared::http::input;
use tests::meddler::Meddler;
use tests::shop::unique;
use users::{About, AddressId, AddressIds, Mail, Message, NewMessage, Reason, Suppression, Users};

use super::{key, now, open, open_behind, open_with, profile_of, someone};

/// An address that no other test has.
async fn address() -> AddressId {
    let key = vec![("ORDER_TOKEN_KEY", Some("a key of the tests".to_owned()))];
    let ids: AddressIds = open_with(key).await;
    ids.of(&format!("{}@cartwright.test", unique("ann").replace(' ', ".")))
}

/// Somebody whose id is one of the user pool's.
fn person() -> UserId {
    let id = users::MessageId::at(now());
    UserId::from(id.to_string())
}

fn message(to: &UserId) -> Message {
    let body = json!({ "to": to, "subject": "Tea", "text": "It is here." });
    let new: NewMessage = input::parse(body.to_string().as_bytes()).expect("a message");
    Message::new(About::Person(to.clone()), None, new, &Caller::for_tests("root"), now())
}

async fn kept_of(mail: &Mail, person: &UserId) -> usize {
    mail.kept_of(person, Stretch { start: None, most: 100 }).await.expect("the table answers").items.len()
}

#[tokio::test]
async fn an_address_gets_no_email_for_as_long_as_the_graver_reason_counts_in_whatever_order_it_is_told() {
    let mail: Mail = open().await;
    let (one, other) = (address().await, address().await);
    let told = |id: &AddressId, reason| Suppression::new(id.clone(), reason, None, now());
    for (id, order) in
        [(&one, [Reason::Bounce, Reason::Complaint]), (&other, [Reason::Complaint, Reason::Bounce])]
    {
        assert!(!mail.is_suppressed(id, now()).await.unwrap());
        assert!(mail.suppress(&told(id, order[0])).await.unwrap());
        mail.suppress(&told(id, order[1])).await.unwrap();
        assert!(!mail.suppress(&told(id, order[1])).await.unwrap(), "it is known");
        let found = mail.suppression(id).await.unwrap();
        assert_eq!(found, Some(told(id, Reason::Complaint)));
        let end = now() + Reason::Complaint.counts_for();
        assert!(mail.is_suppressed(id, end - Duration::from_secs(1)).await.unwrap());
        assert!(!mail.is_suppressed(id, end).await.unwrap());
    }
}

#[tokio::test]
async fn an_address_that_is_lifted_gets_email_also_where_the_reply_is_lost() {
    let mail: Mail = open().await;
    let (id, ann) = (address().await, person());
    let suppression = Suppression::new(id.clone(), Reason::Bounce, Some(ann.clone()), now());
    let behind: Mail = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    behind.suppress(&suppression).await.unwrap();
    assert_eq!(mail.suppression(&id).await.unwrap(), Some(suppression));
    assert_eq!(kept_of(&mail, &ann).await, 1);
    let behind: Mail = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    behind.lift(&id).await.unwrap();
    behind.lift(&id).await.unwrap();
    assert_eq!((mail.suppression(&id).await.unwrap(), kept_of(&mail, &ann).await), (None, 0));
}

#[tokio::test]
async fn what_there_is_of_a_person_goes_and_so_does_that_their_address_gets_none() {
    let (mail, guards): (Mail, Guards) = open().await;
    let (id, ann, bob) = (address().await, person(), person());
    mail.suppress(&Suppression::new(id.clone(), Reason::Bounce, Some(ann.clone()), now())).await.unwrap();
    for to in [&ann, &bob] {
        mail.keep(&guards, None, &message(to), now()).await.unwrap();
    }
    assert_eq!(kept_of(&mail, &ann).await, 2);
    for _ in 0..2 {
        assert_eq!(mail.forget(&ann).await.unwrap(), Remains::Nothing);
    }
    assert_eq!((kept_of(&mail, &ann).await, kept_of(&mail, &bob).await), (0, 1));
    assert_eq!(mail.suppression(&id).await.unwrap(), None);
}

#[tokio::test]
async fn a_message_is_kept_once_for_its_key_also_where_the_reply_is_lost() {
    let (mail, guards): (Mail, Guards) = open().await;
    let ann = person();
    let key = key().await;
    let keyed = KeyedRequest::of("notify-by-email", &someone(), Some(&key), &"tea").expect("JSON");
    let first = message(&ann);
    let behind: Mail = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    let kept = behind.keep(&guards, keyed.as_ref(), &first, now()).await.unwrap();
    let Committed::Once(kept) = kept else { panic!("{kept:?}") };
    assert_eq!(kept.answer(), first.name());
    let again = mail.keep(&guards, keyed.as_ref(), &message(&ann), now()).await.unwrap();
    assert_eq!(again, Committed::Once(Once::Replayed(first.name().clone())));
    assert_eq!(mail.message(first.name()).await.unwrap(), Some(first));
    assert_eq!(kept_of(&mail, &ann).await, 1);
}

#[tokio::test]
async fn whose_an_address_is_is_found_by_all_of_it() {
    let users: Users = open().await;
    let ann = someone();
    let mut profile = profile_of(ann.id(), "Ann");
    let email = format!("{}@cartwright.test", unique("ann").replace(' ', ".").to_lowercase());
    profile.email = email.parse().unwrap();
    users.create(&profile).await.unwrap();
    assert_eq!(users.with_address(&profile.email).await.unwrap(), Some(ann.id().clone()));
    let longer = format!("{email}x").parse().unwrap();
    assert_eq!(users.with_address(&longer).await.unwrap(), None);
}
