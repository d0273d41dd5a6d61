//! A person's two limits: both are counted in one item, by one call.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use shared::guards::rate_limit::PersonLimit;
use shared::http::problem::{Problem, StatusCode};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;
use tests::aws::Aws as Cloud;
use tests::wait::at_once;

use super::{DAY, MINUTE, now, open_with, someone};

/// What hides whom a counter is about.
const KEY: &str = "a key of the tests";

/// How often a person may place orders.
#[derive(Clone)]
struct Limit(PersonLimit);

impl FromEnv for Limit {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self(PersonLimit::from_env(aws)?.and_a_day()?.and_by_card()?))
    }
}

async fn limit(per_person: &str, per_day: &str) -> PersonLimit {
    let settings = [
        ("LIMIT_KEY", KEY),
        ("LIMIT_PER_PERSON", per_person),
        ("LIMIT_PER_DAY", per_day),
        ("CARDS_PER_HOUR", "3"),
    ];
    open_with::<Limit>(settings.map(|(name, value)| (name, Some(value.to_owned()))).into()).await.0
}

/// Whether a request passes, and whoever is refused is so for this limit.
fn passes(counted: Result<(), Problem>) -> bool {
    let refused = counted.err().map(|problem| problem.status());
    assert!(refused.is_none_or(|status| status == StatusCode::TOO_MANY_REQUESTS), "{refused:?}");
    refused.is_none()
}

#[tokio::test]
async fn a_person_orders_so_often_in_a_day_however_slowly() {
    let limit = limit("120/60", "5/86400").await;
    let ann = someone();
    let at = async |when: Timestamp| passes(limit.count("create-order", ann.id(), when).await);
    for hour in 0..5 {
        assert!(at(now() + MINUTE * 60 * hour).await, "{hour}");
    }
    assert!(!at(now() + MINUTE * 60 * 6).await);
    assert!(!at(now() + DAY - MINUTE).await);
    // The day is fading by then, and not forgotten at once.
    assert!(at(now() + DAY + MINUTE * 60 * 12).await);
    assert!(at(now() + DAY * 3).await);
    let bob = someone();
    assert!(passes(limit.count("create-order", bob.id(), now() + DAY - MINUTE).await));
}

#[tokio::test]
async fn who_orders_too_fast_is_refused_and_uses_up_nothing_of_the_day() {
    let limit = limit("2/60", "5/86400").await;
    let ann = someone();
    for minute in 0..2 {
        let counted = at_once(4, |_| {
            let (limit, ann) = (limit.clone(), ann.clone());
            async move { passes(limit.count("create-order", ann.id(), now() + MINUTE * 3 * minute).await) }
        });
        assert_eq!(counted.await.into_iter().filter(|passed| *passed).count(), 2);
    }
    // Four of the day's five: the refused did not count.
    assert!(passes(limit.count("create-order", ann.id(), now() + MINUTE * 9).await));
    assert!(!passes(limit.count("create-order", ann.id(), now() + MINUTE * 12).await));
}

/// Stolen cards are tried many at a time. Whoever pays at the door is not held up by that, nor who has waited.
#[tokio::test]
async fn a_person_pays_by_card_so_often_in_an_hour_and_may_still_pay_otherwise() {
    let limit = limit("120/60", "50/86400").await;
    let ann = someone();
    let by_card = async |when: Timestamp| passes(limit.count_by_card("create-order", ann.id(), when).await);
    for minute in 0..3 {
        assert!(by_card(now() + MINUTE * minute).await, "{minute}");
    }
    for minute in 3..6 {
        assert!(!by_card(now() + MINUTE * minute).await, "{minute}");
        assert!(passes(limit.count("create-order", ann.id(), now() + MINUTE * minute).await), "{minute}");
    }
    // Another route has counters of its own.
    assert!(passes(limit.count_by_card("start-payment", ann.id(), now() + MINUTE * 6).await));
    assert!(passes(limit.count_by_card("create-order", someone().id(), now() + MINUTE * 6).await));
    assert!(by_card(now() + MINUTE * 60 * 3).await);
}

#[tokio::test]
async fn the_counters_of_whoever_comes_again_and_again_stay_within_one_write_unit() {
    let limit = limit("120/60", "1000000/86400").await;
    let ann = someone();
    for visit in 0..100 {
        assert!(passes(limit.count("create-order", ann.id(), now() + MINUTE * 3 * visit).await));
    }
    let (mut mac, id) =
        (Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).expect("a key"), ann.id().to_string());
    mac.update(&(id.len() as u64).to_be_bytes());
    mac.update(id.as_bytes());
    let id = format!("rate#create-order#person#{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()));
    let item = Cloud::open().await.item("GuardsTable", ("guardId", &id)).await;
    let attributes = item.as_object().expect("an item").len();
    assert!((4..=41).contains(&attributes), "{item}");
}
