//! Banners: an admin uploads one, everyone sees it, an admin takes it down.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::{Answer, calls};
use tests::aws::Aws;
use tests::shop::{BLUE_PNG, RED_PNG, Shop};
use tests::wait::{a_while, eventually};

/// An id in our form that nothing has.
const NOBODY: &str = "01a1f83a-c81e-73c6-9369-b8a11a6916c7";

/// A banner that waits for its picture: its id and where the picture goes.
async fn announced(shop: &Shop) -> (String, String) {
    let body = json!({ "fileName": "baner1.png", "fileType": "image/png" });
    let answer = shop.admin().await.post("/banners/upload-url", &body).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 3)]));
    let location = answer.header("location").map(str::to_owned);
    let banner = answer.is(201);
    let text = |name: &str| banner[name].as_str().expect(name).to_owned();
    assert_eq!(location, Some(format!("/banners/{}", text("id"))));
    (text("id"), text("uploadURL"))
}

/// The banners of all pages.
async fn listed(shop: &Shop) -> Vec<Value> {
    let mut banners = Vec::new();
    let mut query = "?limit=3".to_owned();
    loop {
        let answer = shop.get(&format!("/banners{query}")).await;
        assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
        let next = answer.header("link").map(str::to_owned);
        let page = answer.is(200);
        banners.extend(page["banners"].as_array().expect("banners").iter().cloned());
        let Some(cursor) = page["nextCursor"].as_str() else {
            assert_eq!(next, None);
            return banners;
        };
        query = format!("?limit=3&cursor={cursor}");
        assert_eq!(next, Some(format!("<{query}>; rel=\"next\"")));
    }
}

/// The banner as everyone sees it.
async fn shown(shop: &Shop, id: &str) -> Option<Value> {
    listed(shop).await.into_iter().find(|banner| banner["id"] == id)
}

async fn shown_once_it_has_a_picture(shop: &Shop, id: &str) -> Value {
    eventually("the banner is shown", async || shown(shop, id).await).await
}

async fn delete(shop: &Shop, id: &str) -> Answer {
    shop.admin().await.request(Method::DELETE, &format!("/banners/{id}")).send().await
}

#[tokio::test]
async fn what_an_admin_uploads_everyone_sees() {
    let shop = Shop::open();
    let (id, upload_url) = announced(&shop).await;
    assert_eq!(shown(&shop, &id).await, None, "it has no picture");
    let path = format!("/banners/{id}");
    let answer = shop.admin().await.get(&path).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    let waiting = answer.is(200);
    let expected = json!({ "id": id, "fileName": "baner1.png", "createdAt": waiting["createdAt"] });
    assert_eq!(waiting, expected);
    assert_eq!(shop.upload(&upload_url, "image/png", RED_PNG.to_vec()).await, 200);
    let banner = shown_once_it_has_a_picture(&shop, &id).await;
    let image_url = banner["imageUrl"].as_str().expect("a picture");
    // It is narrower than each of them.
    let images = json!({ "small": image_url, "medium": image_url, "large": image_url });
    assert_eq!(banner, json!({ "id": id, "imageUrl": image_url, "images": images }));
    let announced = shop.admin().await.get(&path).await.is(200);
    assert_eq!((&announced["imageUrl"], &announced["images"]), (&banner["imageUrl"], &banner["images"]));
    assert!(image_url.contains(&format!("/images/banners/{id}/")), "{image_url}");
    let picture = shop.download(image_url).await;
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert_eq!(picture.bytes().await.expect("bytes"), RED_PNG);
    delete(&shop, &id).await.is(204);
}

#[tokio::test]
async fn the_newest_banner_stands_first() {
    let shop = Shop::open();
    let mut ids = Vec::new();
    for _ in 0..5 {
        let (id, upload_url) = announced(&shop).await;
        assert_eq!(shop.upload(&upload_url, "image/png", RED_PNG.to_vec()).await, 200);
        ids.push(id);
    }
    ids.reverse();
    let mine = eventually("all are shown", async || {
        let all = listed(&shop).await;
        let all = all.iter().map(|banner| banner["id"].as_str().expect("an id").to_owned());
        let mine: Vec<_> = all.filter(|id| ids.contains(id)).collect();
        (mine.len() == ids.len()).then_some(mine)
    });
    assert_eq!(mine.await, ids);
    for id in &ids {
        delete(&shop, id).await.is(204);
    }
}

#[tokio::test]
async fn banners_are_the_admins() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let body = json!({ "fileName": "baner1.png", "fileType": "image/png" });
    ann.post("/banners/upload-url", &body).await.is_problem(403, "forbidden");
    shop.post("/banners/upload-url", &body).await.is_from_the_gateway(401, "Unauthorized");
    let path = format!("/banners/{NOBODY}");
    ann.request(Method::DELETE, &path).send().await.is_problem(403, "forbidden");
    ann.get(&path).await.is_problem(403, "forbidden");
    shop.request(Method::DELETE, &path).send().await.is_from_the_gateway(401, "Unauthorized");
}

#[tokio::test]
async fn html_that_says_it_is_a_png_is_never_shown() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let (id, upload_url) = announced(&shop).await;
    let html = b"<!doctype html><script>alert(document.domain)</script>".to_vec();
    assert_eq!(shop.upload(&upload_url, "image/png", html).await, 200);
    eventually("it was looked at", async || aws.objects("banners", &id).await.is_empty().then_some(())).await;
    a_while().await;
    assert_eq!(shown(&shop, &id).await, None);
    let told = shop.admin().await.get(&format!("/banners/{id}")).await.is(200);
    assert!(told["imageRejection"].as_str().is_some_and(|reason| !reason.is_empty()), "{told}");
    // The same URL takes a picture.
    assert_eq!(shop.upload(&upload_url, "image/png", BLUE_PNG.to_vec()).await, 200);
    shown_once_it_has_a_picture(&shop, &id).await;
    delete(&shop, &id).await.is(204);
}

#[tokio::test]
async fn a_deleted_banner_is_gone_with_its_picture() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let (id, upload_url) = announced(&shop).await;
    assert_eq!(shop.upload(&upload_url, "image/png", RED_PNG.to_vec()).await, 200);
    shown_once_it_has_a_picture(&shop, &id).await;
    let answer = delete(&shop, &id).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 2), ("s3", 2)]));
    assert_eq!(answer.is(204), Value::Null);
    assert_eq!(shown(&shop, &id).await, None);
    let left = aws.objects("banners", &id).await;
    assert!(left.iter().all(|key| key.starts_with("uploads/")), "{left:?}");
    delete(&shop, &id).await.is_problem(404, "not-found");
    // What comes late brings nothing back.
    assert_eq!(shop.upload(&upload_url, "image/png", BLUE_PNG.to_vec()).await, 200);
    eventually("it was looked at", async || aws.objects("banners", &id).await.is_empty().then_some(())).await;
    assert_eq!(shown(&shop, &id).await, None);
}

#[tokio::test]
async fn what_is_no_banner_is_not_there() {
    let shop = Shop::open();
    for id in [NOBODY, "1", "%2e%2e"] {
        for answer in [delete(&shop, id).await, shop.admin().await.get(&format!("/banners/{id}")).await] {
            assert_eq!(answer.status, 404, "{id}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn every_fault_of_an_announcement_is_told_at_once() {
    let shop = Shop::open();
    let body = json!({ "fileName": "", "fileType": "image/svg+xml", "fileSize": 0, "colour": "red" });
    let answer = shop.admin().await.post("/banners/upload-url", &body).await;
    answer.is_problem(422, "invalid-input").at(["#/fileName", "#/fileType", "#/fileSize", "#/colour"]);
    shop.get("/banners?limit=0").await.is_problem(422, "invalid-input").at(["limit"]);
    shop.get("/banners?cursor=x").await.is_problem(422, "invalid-input").at(["cursor"]);
}
