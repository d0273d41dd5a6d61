//! Where a long reading goes on: kept by the last who read, for a week, until it has come to its end.

use serde_json::{Value, json};
use shared::guards::Guards;
use tests::shop::unique;

use super::{DAY, MILLISECOND, now, open};

#[tokio::test]
async fn a_reading_goes_on_where_it_was_left_for_a_week_or_until_its_end() {
    let guards: Guards = open().await;
    let reading = unique("reading");
    let place = async |when| guards.place::<Value>(&reading, when).await.unwrap();
    assert_eq!(place(now()).await, None, "nobody has read");
    for page in 1..=2 {
        guards.keep_place(&reading, &json!({ "page": page, "since": "2026" }), now()).await.unwrap();
    }
    let left = Some(json!({ "page": 2, "since": "2026" }));
    assert_eq!(place(now()).await, left);
    assert_eq!(place(now() + DAY * 7 - MILLISECOND).await, left);
    assert_eq!(place(now() + DAY * 7).await, None, "it may still be there, and counts for nothing");
    assert_eq!(guards.place::<Value>(&unique("reading"), now()).await.unwrap(), None, "another one");
    for _ in 0..2 {
        guards.forget_place(&reading).await.unwrap();
        assert_eq!(place(now()).await, None);
    }
}
