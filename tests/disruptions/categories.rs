//! Categories whose picture never comes.

use std::time::Duration;

use serde_json::{Value, json};
use tests::aws::Aws;
use tests::shop::{BLUE_PNG, RED_PNG, Shop, unique};
use tests::wait::{a_while, eventually};

use crate::HOUR;

#[tokio::test]
async fn a_category_without_a_picture_after_an_hour_is_deleted_and_the_admins_are_told() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let late = HOUR + Duration::from_mins(1);
    // First, what earlier tests left behind.
    aws.run_on_schedule("clean-up-categories", late).await;

    let asked_for = async |name: &str| {
        let body = json!({ "fileName": "fashion1.png", "fileType": "image/png", "categoryName": name });
        let asked = shop.admin().await.post("/categories/upload-url", &body).await.is(201);
        asked["uploadUrl"].as_str().expect("a URL").to_owned()
    };
    let is_listed = async |name: &str| {
        let page = shop.get("/categories?limit=100").await.is(200);
        let categories = page.as_array().expect("a bare array");
        categories.iter().any(|category| category["categoryName"] == name)
    };
    let (bare, refused, shown) = (unique("bare"), unique("refused"), unique("shown"));
    let bare_url = asked_for(&bare).await;
    assert_eq!(shop.upload(&asked_for(&refused).await, "image/png", b"no picture".to_vec()).await, 200);
    assert_eq!(shop.upload(&asked_for(&shown).await, "image/png", RED_PNG.to_vec()).await, 200);
    eventually("it has a picture", async || is_listed(&shown).await.then_some(())).await;
    // Another picture of it may never come: it has one.
    asked_for(&shown).await;

    let inbox = aws.listen_to_notices().await;
    aws.run_on_schedule("clean-up-categories", HOUR - Duration::from_mins(5)).await;
    a_while().await;
    assert_eq!(aws.notices_in(&inbox).await, Vec::<Value>::new(), "it has not been an hour");
    aws.run_on_schedule("clean-up-categories", late).await;
    let notice = aws.notice_in(&inbox).await;
    assert!(notice["Subject"].as_str().is_some_and(|text| text.starts_with("2 categories")), "{notice}");
    let message = notice["Message"].as_str().expect("a message");
    assert!(message.contains(&bare) && message.contains(&refused) && !message.contains(&shown), "{message}");
    assert!(is_listed(&shown).await);
    // Nothing to tell, so nothing is told.
    aws.run_on_schedule("clean-up-categories", late).await;
    a_while().await;
    assert_eq!(aws.notices_in(&inbox).await, Vec::<Value>::new());
    aws.stop_listening(inbox).await;

    // A picture that comes too late finds no category and brings none back.
    assert_eq!(shop.upload(&bare_url, "image/png", BLUE_PNG.to_vec()).await, 200);
    a_while().await;
    assert!(!is_listed(&bare).await);
}
