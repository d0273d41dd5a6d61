use super::*;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use shared::dynamo::{from_item, to_item};
use shared::http::input::{self, Body};
use uuid::Uuid;

const HOUR: Duration = Duration::from_hours(1);

fn read<T: Body>(body: &Json) -> Result<T, Vec<String>> {
    let read = input::parse(body.to_string().as_bytes());
    read.map_err(|problem| {
        problem.errors().iter().filter_map(|fault| fault.pointer.clone()).collect::<Vec<_>>()
    })
}

fn now() -> Timestamp {
    "2026-12-01T12:00:00.000Z".parse().expect("a time")
}

fn changes(more: &Json) -> EndpointChanges {
    let mut body = json!({ "url": "https://erp.example/hook", "types": ["order.placed", "order.paid"] });
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    read(&body).expect("an endpoint")
}

fn endpoint(more: &Json) -> Endpoint {
    Endpoint::new(changes(more), Secret::random(), now())
}

fn rotation(hours: u32) -> Rotation {
    read(&json!({ "keepOldForHours": hours })).expect("a rotation")
}

#[test]
fn every_fault_of_an_endpoint_is_told_at_its_place() {
    let faults = |more: Json| {
        let mut body = json!({ "url": "https://erp.example/hook", "types": ["order.placed"] });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        read::<EndpointChanges>(&body).expect_err(&more.to_string())
    };
    for (name, values) in [
        (
            "url",
            vec![
                json!("http://erp.example/"),
                json!("https://10.0.0.1/"),
                json!("https://[::1]/"),
                json!("https://erp.example:8443/"),
                json!("https://ann@erp.example/"),
                json!("https://erp/"),
                json!(7),
            ],
        ),
        (
            "types",
            vec![
                json!([]),
                json!(["order.eaten"]),
                json!(["order.placed", "order.placed"]),
                json!("order.placed"),
                json!([7]),
            ],
        ),
        ("description", vec![json!(""), json!("a".repeat(201)), json!(7)]),
        ("isActive", vec![json!("yes")]),
        ("secret", vec![json!("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]),
    ] {
        for value in values {
            assert_eq!(faults(json!({ name: value.clone() })), [format!("#/{name}")], "{value}");
        }
    }
    assert_eq!(read::<EndpointChanges>(&json!({})), Err(vec!["#/url".to_owned(), "#/types".to_owned()]));
    for hours in [json!(-1), json!(169), json!(1.5), json!("1")] {
        assert!(read::<Rotation>(&json!({ "keepOldForHours": hours })).is_err(), "{hours}");
    }
}

#[test]
fn an_endpoint_is_told_what_it_wants_while_it_is_on() {
    let on = endpoint(&json!({}));
    assert_eq!(
        ["order.placed", "order.paid", "order.shipped", ""].map(|kind| on.wants(kind)),
        [true, true, false, false]
    );
    let off = endpoint(&json!({ "isActive": false }));
    assert!(!off.is_on() && !off.wants("order.placed"));
    assert_eq!(off.untold(), None, "whoever switched it off knows");
}

#[test]
fn an_admin_sees_an_endpoint_and_its_secret_once() {
    let endpoint = endpoint(&json!({ "description": "Accounting", "types": ["order.paid", "order.placed"] }));
    assert_eq!(from_item::<Endpoint>(to_item(&endpoint).unwrap()).unwrap(), endpoint);
    let seen = json!({
        "id": endpoint.id(), "url": "https://erp.example/hook", "types": ["order.placed", "order.paid"],
        "description": "Accounting", "isActive": true, "version": 1, "createdAt": now(), "updatedAt": now()
    });
    assert_eq!(json!(EndpointView::of(&endpoint, now())), seen);
    let mut with_secret = seen;
    with_secret["secret"] = json!(endpoint.secret.reveal());
    assert_eq!(json!(NewSecret::of(&endpoint, now())), with_secret);
    assert!(!format!("{endpoint:?}").contains(&endpoint.secret.reveal()));
}

#[test]
fn a_change_says_nothing_of_what_is_so_already_and_another_try_of_an_endpoint_is_a_new_one() {
    let before = endpoint(&json!({}));
    let later = now() + HOUR;
    assert_eq!(before.changed(&changes(&json!({})), later), None);
    assert_eq!(before.changed(&changes(&json!({ "isActive": true })), later), None);
    let off = before.changed(&changes(&json!({ "isActive": false })), later).expect("another");
    assert_eq!((off.is_on(), off.version, off.updated_at, off.secret), (false, 2, later, before.secret));
    assert_eq!(off.changed(&changes(&json!({})), later + HOUR), None, "it stays off");
    let failing = before.switched_off(WhyOff::Failing, later).expect("another");
    assert_eq!(failing.switched_off(WhyOff::Gone, later), None, "it is off already");
    assert_eq!(failing.changed(&changes(&json!({ "isActive": false })), later), None);
    assert!(failing.changed(&changes(&json!({ "isActive": true })), later).expect("another").is_on());
}

#[test]
fn its_admins_are_told_once_that_an_endpoint_was_switched_off() {
    let on = endpoint(&json!({}));
    assert_eq!((on.untold(), on.told(now())), (None, None));
    for why in [WhyOff::Gone, WhyOff::Failing] {
        let off = on.switched_off(why, now()).expect("another");
        assert_eq!(off.untold(), Some(why));
        let told = off.told(now() + HOUR).expect("another");
        assert_eq!((told.untold(), told.told(now()), told.is_on()), (None, None, false));
    }
}

#[test]
fn both_secrets_sign_until_the_old_one_is_dropped() {
    let first = endpoint(&json!({}));
    let (one, two, three) = (first.secret, Secret::random(), Secret::random());
    let second = first.rotated(rotation(2), two, now());
    assert_eq!((second.secrets(now()), second.version), (vec![two, one], 2));
    let last = now() + HOUR * 2 - Duration::from_millis(1);
    assert_eq!(second.secrets(last), [two, one]);
    assert_eq!(second.secrets(now() + HOUR * 2), [two]);
    // Nobody may have got the second one: the first signs on, and not that.
    let again = second.rotated(rotation(2), three, now() + HOUR);
    assert_eq!(again.secrets(now() + HOUR), [three, one]);
    assert_eq!(json!(EndpointView::of(&again, now()))["oldSecretUntil"], json!(now() + HOUR * 3));
    let later = second.rotated(rotation(2), three, now() + HOUR * 2);
    assert_eq!(later.secrets(now() + HOUR * 2), [three, two]);
    assert_eq!(
        second.rotated(rotation(0), three, now()).secrets(now()),
        [three],
        "what leaked signs no more"
    );
    assert_eq!(first.rotated(Rotation::default(), two, now()).secrets(now() + HOUR * 23), [two, one]);
}

fn delivery() -> Delivery {
    let id = endpoint(&json!({})).id();
    Delivery::new(id, Uuid::from_u128(7), "order.placed".into(), "{}".into(), now())
}

fn answered(status: u16) -> Attempt {
    Attempt::answered(now(), Duration::from_millis(250), status, b"")
}

#[test]
fn an_event_is_one_delivery_for_each_endpoint() {
    let (one, other) = (EndpointId::at(now()), EndpointId::at(now()));
    let event = Uuid::from_u128(7);
    assert_eq!(DeliveryId::of(one, event), DeliveryId::of(one, event));
    assert_ne!(DeliveryId::of(one, event), DeliveryId::of(other, event));
    assert_ne!(DeliveryId::of(one, event), DeliveryId::of(one, Uuid::from_u128(8)));
}

#[test]
fn only_an_answer_of_2xx_is_taken_for_one_that_took_it() {
    for (status, next) in [(200, Next::Done), (204, Next::Done), (299, Next::Done), (410, Next::GivenUp)] {
        assert_eq!(delivery().after(1, &answered(status), 0), next, "{status}");
    }
    for status in [199, 300, 301, 302, 307, 308, 400, 401, 404, 429, 500, 503] {
        assert!(matches!(delivery().after(1, &answered(status), 0), Next::Again(_)), "{status}");
    }
    for fault in Fault::ALL {
        let attempt = Attempt::unanswered(now(), HOUR, fault);
        assert!(matches!(delivery().after(1, &attempt, 0), Next::Again(_)), "{fault}");
        assert_eq!(delivery().as_test(now()).after(1, &attempt, 0), Next::GivenUp, "a test is tried once");
    }
}

#[test]
fn what_is_not_taken_is_sent_ten_times_in_three_days() {
    let seconds = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    let ended = answered(500).ended_at();
    for (place, least) in seconds.into_iter().enumerate() {
        let attempts = u32::try_from(place).unwrap() + 1;
        let after = |random| delivery().after(attempts, &answered(500), random);
        assert_eq!(after(0), Next::Again(ended + Duration::from_secs(least)));
        assert_eq!(after(u32::MAX), Next::Again(ended + Duration::from_secs(least) * 6 / 5));
        // The queue keeps nothing for longer than a quarter of an hour.
        assert_eq!(after(0).wait(ended).is_some(), least <= 300, "{least}");
    }
    for attempts in [10, 11, u32::MAX] {
        assert_eq!(delivery().after(attempts, &answered(500), 0), Next::GivenUp);
    }
}

proptest! {
    #[test]
    fn a_delivery_waits_no_longer_than_a_queue_can(attempts in 1..20_u32, random: u32) {
        let next = delivery().after(attempts, &answered(500), random);
        if let Some(wait) = next.wait(answered(500).ended_at()) {
            prop_assert!(wait <= Duration::from_mins(15));
        }
    }

    #[test]
    fn whatever_an_answer_is_its_beginning_is_kept_as_text(answer in prop::collection::vec(any::<u8>(), 0..3_000)) {
        let attempt = json!(Attempt::answered(now(), HOUR, 200, &answer));
        let kept = attempt["answer"].as_str().unwrap_or_default();
        // What is no text is three bytes long each time.
        prop_assert!(kept.len() <= 3 * 1_024 && !kept.contains('\0'));
    }
}

#[test]
fn a_delivery_is_sent_by_one_at_a_time_and_until_it_is_settled() {
    let fresh = delivery();
    assert!(fresh.awaits(0, now()) && !fresh.awaits(1, now()));
    let leased = fresh.clone().as_test(now());
    assert!(
        !leased.awaits(1, now()) && leased.awaits(1, now() + HOUR),
        "whoever died with it is not waited for"
    );
    let done = fresh.clone().with(answered(200), Next::Done);
    assert!(!done.awaits(0, now() + HOUR));
    let at = now() + HOUR;
    let again = fresh.with(answered(500), Next::Again(at));
    assert!(again.awaits(0, at));
    assert_eq!(json!(DeliveryView::from(again))["nextAttemptAt"], json!(at));
}

#[test]
fn an_admin_sees_what_came_of_a_delivery() {
    let attempt = Attempt::answered(now(), Duration::from_millis(250), 500, b"no\0 such \xff thing\n");
    let delivery = delivery();
    let (id, endpoint) = (delivery.id(), delivery.endpoint());
    let failed = delivery.with(attempt, Next::GivenUp);
    assert_eq!(from_item::<Delivery>(to_item(&failed).unwrap()).unwrap(), failed);
    assert_eq!(
        json!(DeliveryView::from(failed)),
        json!({
            "id": id, "webhookId": endpoint, "eventId": Uuid::from_u128(7), "type": "order.placed",
            "status": "failed", "attempts": 0, "createdAt": now(),
            "lastAttempt": { "at": now(), "tookMillis": 250, "status": 500, "answer": "no such \u{fffd} thing\n" }
        })
    );
}
