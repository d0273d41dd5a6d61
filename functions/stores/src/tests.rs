//! Rules of stores, as the lib's own.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use shared::http::input;
use shared::values::id::NotAnId;

fn now() -> Timestamp {
    Timestamp::from_unix_millis(1_795_262_400_000)
}

fn later() -> Timestamp {
    Timestamp::from_unix_millis(1_795_262_460_000)
}

fn draft() -> Store {
    let body = r#"{"name":"Ann's Tea House","description":"Tea.","supportEmail":"help@cartwright.test"}"#;
    Store::new(input::parse(body.as_bytes()).unwrap(), Caller::for_tests("ann").id(), now())
}

fn to(status: WantedStatus) -> NewStatus {
    NewStatus { status, reason: Some(Reason::new("On holiday.").unwrap()) }
}

fn published() -> Store {
    draft().with_status(&to(WantedStatus::Published), Editor::Owner, now()).unwrap().unwrap()
}

fn deactivated(by: Editor) -> Store {
    published().with_status(&to(WantedStatus::Deactivated), by, later()).unwrap().unwrap()
}

fn changes(body: &Value) -> StoreChanges {
    input::parse(body.to_string().as_bytes()).unwrap()
}

fn key(name: &str) -> String {
    StoreName::new(name).unwrap().key().to_string()
}

#[test]
fn names_that_people_take_for_one_are_one() {
    for name in
        ["Tea House", "tea house", "TEA-HOUSE", "Téa  Hoüse", "ＴＥＡ　ＨＯＵＳＥ", "Tea.House!", "teahouse"]
    {
        assert_eq!(key(name), "teahouse", "{name}");
    }
    assert_eq!(key("Straße 7"), key("STRASSE 7"));
    assert_ne!(key("Tea House"), key("Tea Mouse"));
    assert_ne!(key("की"), key("कु"), "vowels are letters");
    assert_eq!((key("★★"), key("&")), ("★★".into(), "&".into()), "a name may be nothing but marks");
}

proptest! {
    #[test]
    fn every_name_has_a_key_that_the_table_takes(name in "\\PC{1,80}") {
        let Ok(name) = StoreName::new(&name) else { return Ok(()) };
        let key = name.key().to_string();
        prop_assert!((1..=2048).contains(&key.len()), "{}", key);
    }
}

#[test]
fn a_change_needs_something_to_change_and_null_takes_back() {
    let refused = input::parse::<StoreChanges>(b"{}").unwrap_err();
    assert_eq!(refused.errors()[0].detail, "needs at least one of name, description, supportEmail");
    let faulty = json!({ "name": 7, "description": "", "supportEmail": "nowhere", "other": 1 }).to_string();
    let faults = input::parse::<StoreChanges>(faulty.as_bytes()).unwrap_err();
    let places: Vec<_> = faults.errors().iter().filter_map(|fault| fault.pointer.as_deref()).collect();
    assert_eq!(
        places,
        ["#/name", "#/description", "#/supportEmail", "#/other"],
        "each is told, and no other"
    );
    let named = input::parse::<StoreChanges>(br#"{"name":7}"#).unwrap_err();
    assert_eq!(named.errors().len(), 1);
    let changed = draft().with_changes(&changes(&json!({ "description": null })), later());
    assert_eq!((changed.description.as_ref(), changed.version, changed.updated_at), (None, 2, later()));
    assert_eq!((changed.support_email.clone(), changed.name.clone()), (draft().support_email, draft().name));
    let named = draft().with_changes(&changes(&json!({ "name": "Bob's" })), later());
    assert_eq!(named.name_key.to_string(), "bobs");
}

#[test]
fn a_change_is_known_again_by_its_moment_and_by_what_it_changed() {
    let asked = changes(&json!({ "description": "Coffee.", "supportEmail": null }));
    let changed = draft().with_changes(&asked, later());
    assert!(changed.was_changed_by(&asked, later()));
    assert!(!changed.was_changed_by(&asked, now()), "another request");
    assert!(!changed.was_changed_by(&changes(&json!({ "description": "Tea." })), later()));
}

#[test]
fn what_an_admin_took_out_of_the_shop_only_admins_put_back() {
    let publish = to(WantedStatus::Published);
    let refused = deactivated(Editor::Admin).with_status(&publish, Editor::Owner, later());
    let reason = Some(Reason::new("On holiday.").unwrap());
    assert!(matches!(refused, Err(Error::DeactivatedByAdmin { reason: why }) if why == reason));
    for (by, lifts) in
        [(Editor::Admin, Editor::Admin), (Editor::Owner, Editor::Owner), (Editor::Owner, Editor::Admin)]
    {
        let again = deactivated(by).with_status(&publish, lifts, later()).unwrap().unwrap();
        assert_eq!((again.status, again.deactivated_by, again.reason), (StoreStatus::Published, None, None));
    }
    // What its owner had deactivated, an admin makes the admins' to lift.
    let taken =
        deactivated(Editor::Owner).with_status(&to(WantedStatus::Deactivated), Editor::Admin, later());
    assert_eq!(taken.unwrap().unwrap().deactivated_by, Some(Editor::Admin));
}

#[test]
fn every_standing_has_an_answer_to_every_wish() {
    let standings = [
        Standing::Draft,
        Standing::Published,
        Standing::Deactivated(Editor::Owner),
        Standing::Deactivated(Editor::Admin),
    ];
    for standing in standings {
        for by in Editor::ALL {
            let answers = WantedStatus::ALL.map(|wanted| standing.on(wanted, by));
            let stays = answers.iter().filter(|answer| **answer == Transition::Already).count();
            let is_already = matches!(
                (standing, by),
                (Standing::Published | Standing::Deactivated(Editor::Admin), _)
                    | (Standing::Deactivated(Editor::Owner), Editor::Owner)
            );
            assert_eq!(stays, usize::from(is_already), "{standing:?} by {by}");
            let refused = answers.contains(&Transition::Refused);
            assert_eq!(refused, (standing, by) == (Standing::Deactivated(Editor::Admin), Editor::Owner));
        }
    }
}

#[test]
fn only_what_was_published_once_is_hidden() {
    assert!(!draft().is_hidden() && !published().is_hidden());
    assert!(deactivated(Editor::Owner).is_hidden() && deactivated(Editor::Admin).is_hidden());
    let never = draft().with_status(&to(WantedStatus::Deactivated), Editor::Admin, later()).unwrap().unwrap();
    assert!(!never.is_hidden(), "it had nothing on sale");
    let again = deactivated(Editor::Owner).with_status(&to(WantedStatus::Published), Editor::Owner, later());
    let again = again.unwrap().unwrap();
    assert_eq!((again.first_published_at, again.version), (Some(now()), 4));
}

#[test]
fn whose_it_is_is_told_of_what_everyone_sees_alone() {
    let (ann, bob) = (Caller::for_tests("ann"), Caller::for_tests("bob"));
    for store in [draft(), deactivated(Editor::Owner)] {
        assert!(matches!(store.editor(&bob), Err(Error::NotFound)));
    }
    assert!(matches!(published().editor(&bob), Err(Error::NotYours)));
    for store in [draft(), published(), deactivated(Editor::Admin)] {
        assert_eq!(store.editor(&ann).unwrap(), Editor::Owner);
        assert_eq!(store.editor(&bob.clone().as_admin()).unwrap(), Editor::Admin);
    }
}

#[test]
fn a_store_from_before_there_were_ratings_has_none_and_a_rating_is_no_other_version() {
    let store = published();
    let mut item = shared::dynamo::to_item(&store).unwrap();
    item.retain(|name, _| !name.starts_with("stars"));
    let old: Store = shared::dynamo::from_item(item.clone()).unwrap();
    assert_eq!(old, store);
    for (name, stars) in [("stars4", 1), ("stars5", 3)] {
        item.insert(name.to_owned(), shared::dynamo::number(stars));
    }
    let rated: Store = shared::dynamo::from_item(item).unwrap();
    assert!(rated.is_the_same_version(&old));
    assert_eq!(
        serde_json::to_value(PublicStore::from(rated)).unwrap()["rating"],
        json!({ "average": 4.8, "count": 4 })
    );
}

#[test]
fn whatever_an_owner_who_leaves_did_to_a_store_it_ends_closed_and_without_a_word() {
    let left = |store: Store| store.without_owner(later()).unwrap();
    for store in [draft(), published(), deactivated(Editor::Owner), deactivated(Editor::Admin)] {
        let closed = left(store.clone()).unwrap();
        assert_eq!((closed.status, closed.version), (StoreStatus::Deactivated, store.version + 1));
        assert_eq!((&closed.description, &closed.support_email, &closed.reason), (&None, &None, &None));
        assert_eq!(closed.is_hidden(), store.first_published_at.is_some());
        assert_eq!(left(closed.clone()), None, "it is so already");
        // By a token from before it was closed.
        let said = closed.clone().with_changes(&changes(&json!({ "description": "Ann's." })), later());
        assert_eq!(left(said).unwrap().description, None);
        if let Ok(Some(opened)) = closed.with_status(&to(WantedStatus::Published), Editor::Owner, later()) {
            assert_eq!(left(opened).unwrap().status, StoreStatus::Deactivated);
        }
    }
}

#[test]
fn everyone_sees_neither_its_owner_nor_how_it_stands() {
    let store = published();
    let seen = serde_json::to_value(PublicStore::from(store.clone())).unwrap();
    let expected = json!({
        "id": store.store_id, "name": "Ann's Tea House", "description": "Tea.",
        "supportEmail": "help@cartwright.test", "createdAt": "2026-11-21T12:00:00.000Z",
        "rating": { "average": null, "count": 0 }
    });
    assert_eq!(seen, expected);
    let own = serde_json::to_value(OwnStore::from(deactivated(Editor::Admin))).unwrap();
    let of_owner = (&own["status"], &own["deactivatedBy"], &own["reason"], &own["version"]);
    assert_eq!(of_owner, (&json!("deactivated"), &json!("admin"), &json!("On holiday."), &json!(3)));
}

#[test]
fn a_picture_is_found_again_by_its_place_in_the_buckets() {
    for which in Which::ALL {
        let picture = PictureOf { store: draft().store_id, which };
        assert_eq!(picture.to_string().parse(), Ok(picture));
    }
    let id = draft().store_id.to_string();
    for text in [id.clone(), format!("{id}.sign"), ".logo".into(), format!("{id}.logo.logo")] {
        assert_eq!(text.parse::<PictureOf>(), Err(NoPictureOf), "{text}");
    }
    assert_eq!("logo".parse::<StoreId>(), Err(NotAnId));
}
