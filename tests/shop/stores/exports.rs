//! Exports: one is wanted at a time, its file is put together whatever its size, and a part is read stretch by stretch.

use accounts::Files;
use activity::Activity;
use serde_json::Value;
use shared::dynamo::Stretch;
use shared::values::time::Timestamp;
use tests::meddler::Meddler;
use users::{Export, ExportOf, ExportState, PersonId, Profile, Status, Users};

use super::activity::told;
use super::{DAY, MINUTE, now, open, open_behind, profile_of, someone};

async fn of(users: &Users, profile: &Profile) -> Profile {
    users.find(&profile.user_id).await.expect("the table answers").expect("a profile")
}

async fn ann(users: &Users) -> Profile {
    let ann = profile_of(someone().id(), "Ann");
    users.create(&ann).await.expect("an account");
    ann
}

fn the(export: Export, profile: &Profile) -> ExportOf {
    ExportOf { person: PersonId(profile.user_id.clone()), which: export.id() }
}

fn state(profile: &Profile, at: Timestamp) -> Option<ExportState> {
    profile.export.map(|export| export.state(at))
}

#[tokio::test]
async fn of_two_exports_that_are_wanted_at_once_one_is_and_it_is_made_once() {
    let users: Users = open_behind(Meddler::lose_reply("UpdateItem")).await;
    let ann = ann(&users).await;
    let (first, second) = (Export::new(now()), Export::new(now()));
    assert_eq!(users.wants_export(&ann, first).await.unwrap(), first);
    assert_eq!(users.wants_export(&ann, second).await.unwrap(), first);
    assert!(users.export_made(&the(first, &ann), now() + MINUTE).await.unwrap());
    assert!(users.export_made(&the(first, &ann), now() + DAY).await.unwrap());
    let made = of(&users, &ann).await;
    assert_eq!(state(&made, now() + MINUTE), Some(ExportState::ThereUntil(now() + MINUTE + DAY)));
    // Whoever has seen it may want another one, and what is late of the first changes nothing of that.
    assert_eq!(users.wants_export(&made, second).await.unwrap(), second);
    assert!(users.export_made(&the(first, &ann), now() + DAY).await.unwrap());
    assert_eq!(of(&users, &ann).await.export, Some(second));
}

#[tokio::test]
async fn nobody_gets_an_export_who_is_leaving_or_gone() {
    let users: Users = open().await;
    let leaving = Profile { status: Status::Deleting, export: Some(Export::new(now())), ..ann(&users).await };
    let leaving = Profile { user_id: someone().id().clone(), ..leaving };
    users.create(&leaving).await.unwrap();
    let gone = profile_of(someone().id(), "Bob");
    let export = Export::new(now());
    for (profile, status) in [(&leaving, 403), (&gone, 404)] {
        assert_eq!(users.wants_export(profile, export).await.unwrap_err().status(), status);
        assert!(!users.export_made(&the(profile.export.unwrap_or(export), profile), now()).await.unwrap());
    }
    assert_eq!(of(&users, &leaving).await, leaving);
}

/// The bucket of the tests, which nobody else made.
async fn files() -> (Files, emulator::Aws, String) {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").expect("no AWS to test, run `cargo local test`");
    let (aws, bucket) = (emulator::Aws::at(endpoint), std::env::var("UPLOADS_BUCKET").expect("its name"));
    // It may be there already.
    let _ = aws.put(&format!("/{bucket}"), Vec::new()).await;
    (open().await, aws, bucket)
}

#[tokio::test]
async fn a_file_is_there_once_it_is_finished_however_large_it_is() {
    const LINE: &[u8] = b"0123456789abcdef";
    let (files, aws, bucket) = files().await;
    for lines in [1, 1_200_000] {
        let ann = someone().id().clone();
        let key = format!("exports/{ann}.json");
        let mut file = files.begin(&ann);
        for _ in 0..lines {
            file.write(LINE).await.unwrap();
        }
        assert_eq!(aws.keys_under(&bucket, &key).await.unwrap(), Vec::<String>::new());
        file.finish().await.unwrap();
        let found = aws.object(&bucket, &key).send().await.unwrap().bytes().await.unwrap();
        assert!(found.len() == LINE.len() * lines && found.chunks(LINE.len()).all(|line| line == LINE));
        files.delete(&ann).await.unwrap();
        files.delete(&ann).await.unwrap();
        assert_eq!(aws.keys_under(&bucket, &key).await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_list_is_read_stretch_by_stretch_and_nothing_of_anothers_is_in_it() {
    let activity: Activity = open().await;
    let (ann, bob) = (someone().id().clone(), someone().id().clone());
    for number in 0..5_u32 {
        activity
            .record(&told(&ann, "user.signed-in", number as usize, now() + MINUTE * number))
            .await
            .unwrap();
    }
    activity.record(&told(&bob, "user.signed-in", 9, now())).await.unwrap();
    let (mut lengths, mut items, mut start) = (Vec::new(), Vec::new(), None);
    loop {
        let kept = activity.kept_of(&ann, Stretch { start, most: 2 }).await.unwrap();
        lengths.push(kept.items.len());
        items.extend(kept.items);
        start = kept.next;
        if start.is_none() {
            break;
        }
    }
    assert_eq!(lengths, [2, 2, 1]);
    assert!(items.iter().all(|item| item["userId"] == ann.to_string()), "{items:?}");
    assert!(items.iter().is_sorted_by_key(|item| item["at"].as_str().map(str::to_owned)));
    assert!(items.iter().all(Value::is_object));
}
