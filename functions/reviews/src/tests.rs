use super::*;
use crate::events::{About, RatedTold, What, between};
use products::ratings::TOTALS;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use shared::dynamo::{from_item, to_item};
use shared::http::input::{self, Body};
use std::time::Duration;

const PRODUCT: &str = "01a1fbbc-f7cc-71a0-aa66-431f703e44ea";

fn now() -> Timestamp {
    Timestamp::from_unix_millis(1_790_000_000_000)
}

fn later() -> Timestamp {
    now() + Duration::from_secs(1)
}

fn read<T: Body>(body: &Json) -> Result<T, Vec<String>> {
    input::parse(body.to_string().as_bytes()).map_err(|problem| {
        problem.errors().iter().filter_map(|fault| fault.pointer.clone()).collect::<Vec<_>>()
    })
}

fn ann() -> UserId {
    UserId::from("ann".to_owned())
}

fn new(body: &Json) -> NewReview {
    read(body).expect("a review")
}

/// What Ann says of the product.
fn posted(body: &Json) -> Review {
    Review::new(PRODUCT.parse().unwrap(), &ann(), new(body), now())
}

fn answered(review: Review, text: &str) -> Option<Review> {
    review.answered(&read(&json!({ "text": text })).unwrap(), later())
}

fn hidden(review: Review, reason: Option<&str>) -> Option<Review> {
    let visibility = read(&json!({ "visible": false, "reason": reason })).unwrap();
    review.moderated(&visibility, later())
}

fn shown(review: Review) -> Option<Review> {
    review.moderated(&Visibility::Shown, later())
}

#[test]
fn every_fault_of_a_review_is_told_at_its_place() {
    let long = "a".repeat(4_001);
    for (body, pointers) in [
        (json!({}), vec!["#/stars"]),
        (json!({ "stars": 0 }), vec!["#/stars"]),
        (json!({ "stars": 6 }), vec!["#/stars"]),
        (json!({ "stars": 4.5 }), vec!["#/stars"]),
        (json!({ "stars": "4" }), vec!["#/stars"]),
        (json!({ "stars": 4, "title": "" }), vec!["#/title"]),
        (json!({ "stars": 4, "title": "a".repeat(121) }), vec!["#/title"]),
        (json!({ "stars": 4, "text": long }), vec!["#/text"]),
        (json!({ "stars": 4, "name": "a".repeat(61), "verified": true }), vec!["#/name", "#/verified"]),
    ] {
        assert_eq!(
            read::<NewReview>(&body),
            Err(pointers.into_iter().map(str::to_owned).collect()),
            "{body}"
        );
    }
    assert!(read::<NewReview>(&json!({ "stars": 5.0, "text": "a\nb", "title": null })).is_ok());
}

#[test]
fn a_reason_is_for_a_review_that_is_hidden() {
    assert_eq!(read(&json!({ "visible": true })), Ok(Visibility::Shown));
    assert_eq!(read(&json!({ "visible": false })), Ok(Visibility::Hidden(None)));
    let reason = WhyHidden::new("Spam.").unwrap();
    assert_eq!(read(&json!({ "visible": false, "reason": "Spam." })), Ok(Visibility::Hidden(Some(reason))));
    assert_eq!(
        read::<Visibility>(&json!({ "visible": true, "reason": "Spam." })),
        Err(vec!["#/reason".to_owned()])
    );
}

#[test]
fn stars_in_a_query_are_one_to_five_and_no_path_names_what_is_no_review() {
    for text in ["4", "4.0", "4e0"] {
        assert_eq!(text.parse(), Ok(Given(4)), "{text}");
    }
    for text in ["0", "6", "-1", "4.5", "", "04", "+4", "٤", "260"] {
        assert_eq!(text.parse::<Given>(), Err(NOT_STARS), "{text}");
    }
    for text in ["", "#totals", "#"] {
        assert!(text.parse::<Author>().is_err(), "{text}");
    }
    assert_eq!("former#1".parse(), Ok(Author(UserId::from("former#1".to_owned()))));
}

#[test]
fn a_change_keeps_all_else_and_says_nothing_of_what_is_so_already() {
    let before = answered(posted(&json!({ "stars": 2, "title": "Thin", "name": "Ann" })), "Sorry.").unwrap();
    assert_eq!((before.version(), before.updated_at), (2, later()));
    let same = new(&json!({ "stars": 2, "title": " Thin ", "name": "Ann" }));
    assert_eq!(before.clone().edited(&same, later()), None);
    let after = before.clone().edited(&new(&json!({ "stars": 4 })), now()).unwrap();
    assert_eq!(
        (after.stars, &after.title, &after.name, &after.reply),
        (Given(4), &None, &None, &before.reply)
    );
    assert_eq!((after.version(), after.created_at), (3, now()));
    assert!(after.updated_at > before.updated_at, "what follows something is dated after it");
    assert_eq!(answered(before.clone(), "Sorry."), None);
    let taken_back = before.answered(&read(&json!({})).unwrap(), later()).unwrap();
    assert_eq!((taken_back.reply, taken_back.version), (None, 3));
}

#[test]
fn a_hidden_review_counts_for_nothing_until_it_is_shown() {
    let review = posted(&json!({ "stars": 1 }));
    assert_eq!((review.counts(), shown(review.clone())), (Some(Given(1)), None));
    let spam = hidden(review, Some("Spam.")).unwrap();
    assert_eq!((spam.counts(), spam.is_shown()), (None, false));
    assert_eq!(hidden(spam.clone(), Some("Spam.")), None);
    let edited = spam.clone().edited(&new(&json!({ "stars": 5 })), later()).unwrap();
    assert_eq!(edited.counts(), None, "its author does not bring it back");
    assert_eq!(shown(edited).unwrap().counts(), Some(Given(5)));
    assert!(hidden(spam, None).unwrap().hidden.unwrap().reason.is_none());
}

#[test]
fn of_a_former_customer_the_stars_stay_and_no_word() {
    let body = json!({ "stars": 4, "title": "Fine", "text": "I am Ann.", "name": "Ann" });
    let review = hidden(answered(posted(&body), "Thank you, Ann.").unwrap(), Some("Names Ann.")).unwrap();
    let forgotten = review.clone().forgotten(Uuid::from_u128(7), later());
    assert!(forgotten.is_by_a_former_customer() && !review.is_by_a_former_customer());
    assert_eq!((forgotten.stars, forgotten.verified, forgotten.is_shown()), (Given(4), true, false));
    let text = json!(ReviewView::from(forgotten)).to_string();
    assert!(!text.to_lowercase().contains("ann"), "{text}");
    assert!(text.contains("\"formerCustomer\":true"), "{text}");
}

#[test]
fn everybody_sees_what_was_sent_and_that_it_was_bought() {
    let sent = json!({ "stars": 4, "title": "Fine", "text": "It is\nfine.", "name": "A. Lee" });
    let review = answered(posted(&sent), "Thank you.").unwrap();
    assert_eq!(from_item::<Review>(to_item(&review).unwrap()).unwrap(), review);
    let mut expected = sent;
    for (name, value) in [
        ("productId", json!(PRODUCT)),
        ("userId", json!("ann")),
        ("verified", json!(true)),
        ("reply", json!({ "text": "Thank you.", "at": later() })),
        ("createdAt", json!(now())),
        ("updatedAt", json!(later())),
        ("version", json!(2)),
    ] {
        expected[name] = value;
    }
    assert_eq!(json!(ReviewView::from(review.clone())), expected);
    let page = Page { entries: vec![review], next_cursor: None };
    let list = json!(ProductReviews::new(page, Stars::of([0, 0, 0, 2, 1])));
    let summary = json!({ "average": 4.3, "count": 3, "stars": { "1": 0, "2": 0, "3": 0, "4": 2, "5": 1 } });
    assert_eq!(list, json!({ "reviews": [expected], "nextCursor": null, "summary": summary }));
}

fn entry(review: Review) -> Entry {
    Entry::Review(Box::new(review))
}

fn totals(version: u32, fives: u32) -> Entry {
    let item = json!({
        "productId": PRODUCT, "userId": TOTALS, "stars1": 1, "stars5": fives, "version": version, "schemaVersion": 1
    });
    from_item(to_item(&item).unwrap()).expect("totals")
}

fn told(old: Option<&Entry>, new: Option<&Entry>) -> Vec<What> {
    between(old, new).into_iter().map(|event| event.what).collect()
}

#[test]
fn what_the_table_has_is_a_review_or_totals_and_a_broken_one_is_neither() {
    let review = posted(&json!({ "stars": 4 }));
    let read = |item| from_item::<Entry>(item);
    assert_eq!(read(to_item(&review).unwrap()).unwrap(), entry(review.clone()));
    assert!(matches!(totals(3, 2), Entry::Totals(_)));
    let mut broken = to_item(&review).unwrap();
    broken.remove("stars");
    assert!(read(broken).is_err());
}

#[test]
fn what_happens_to_a_review_is_told_without_its_words() {
    let first = posted(&json!({ "stars": 2, "text": "Thin." }));
    let edited = first.clone().edited(&new(&json!({ "stars": 4 })), later()).unwrap();
    let reply = answered(edited.clone(), "Thank you.").unwrap();
    let spam = hidden(reply.clone(), None).unwrap();
    let again = shown(spam.clone()).unwrap();
    let [first, edited, reply, spam, again] = [first, edited, reply, spam, again].map(entry);
    assert_eq!(told(None, Some(&first)), [What::Posted]);
    assert_eq!(told(Some(&first), Some(&edited)), [What::Edited]);
    assert_eq!(told(Some(&edited), Some(&reply)), [What::Answered]);
    assert_eq!(told(Some(&reply), Some(&edited)), [], "what was said is taken back");
    assert_eq!(told(Some(&reply), Some(&spam)), [What::Hidden]);
    assert_eq!(told(Some(&spam), Some(&again)), [What::Shown]);
    assert_eq!(told(Some(&again), None), [What::Removed]);
    assert_eq!(told(None, Some(&spam)), [What::Posted, What::Answered, What::Hidden]);
    let event = &between(Some(&first), Some(&edited))[0];
    assert_eq!(
        (event.at, json!(event)),
        (Some(later()), json!({ "productId": PRODUCT, "userId": "ann", "stars": 4 }))
    );
}

#[test]
fn totals_tell_how_a_product_is_rated_by_then() {
    let event = &between(Some(&totals(3, 1)), Some(&totals(4, 2)))[0];
    assert!(matches!(event.about, About::Totals { version: 4, .. }));
    let stars = json!({ "1": 1, "2": 0, "3": 0, "4": 0, "5": 2 });
    assert_eq!(json!(event), json!({ "productId": PRODUCT, "version": 4, "stars": stars }));
    let heard: RatedTold = serde_json::from_value(json!(event)).unwrap();
    assert_eq!((heard.version, Stars::from(heard.stars).each()), (4, [1, 0, 0, 0, 2]));
    assert_eq!(told(None, Some(&totals(1, 0))), [What::Rated]);
    assert_eq!(told(Some(&totals(3, 1)), Some(&totals(4, 1))), []);
}

#[test]
fn whoever_leaves_is_not_told_of_again() {
    let forgotten = entry(posted(&json!({ "stars": 4 })).forgotten(Uuid::from_u128(7), later()));
    assert_eq!(told(None, Some(&forgotten)), []);
    assert_eq!(told(Some(&forgotten), None), []);
}

proptest! {
    #[test]
    fn whatever_is_done_to_a_review_its_version_counts_it_and_its_events_say_it(
        steps in prop::collection::vec((0..4_u8, 1..=5_u8), 0..12),
    ) {
        let mut review = posted(&json!({ "stars": 3 }));
        let mut changes = 0;
        for (step, stars) in steps {
            let next = match step {
                0 => review.clone().edited(&new(&json!({ "stars": stars })), later()),
                1 => answered(review.clone(), &format!("Thank you for {stars}.")),
                2 => hidden(review.clone(), None),
                _ => shown(review.clone()),
            };
            let Some(next) = next else { continue };
            changes += 1;
            prop_assert_eq!(next.version(), changes + 1);
            let told = told(Some(&entry(review.clone())), Some(&entry(next.clone())));
            let expected = match step {
                0 => What::Edited,
                1 => What::Answered,
                2 => What::Hidden,
                _ => What::Shown,
            };
            prop_assert_eq!(told, [expected]);
            prop_assert_eq!(next.counts().is_some(), next.is_shown());
            review = next;
        }
    }
}
