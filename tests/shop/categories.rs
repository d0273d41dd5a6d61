//! Categories: an admin gives each its picture, everyone sees them by name, an admin takes one out.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::{Answer, calls};
use tests::aws::Aws;
use tests::shop::{BLUE_PNG, RED_PNG, Shop, unique};
use tests::wait::{a_while, eventually};

/// Where the picture of a category goes.
async fn asked_for(shop: &Shop, name: &str) -> String {
    let body = json!({ "fileName": "fashion1.png", "fileType": "image/png", "categoryName": name });
    let answer = shop.admin().await.post("/categories/upload-url", &body).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 3)]));
    let answer = answer.is(201);
    answer["uploadUrl"].as_str().expect("a URL").to_owned()
}

/// A category with a picture.
async fn made(shop: &Shop, name: &str) -> Value {
    let upload_url = asked_for(shop, name).await;
    assert_eq!(shop.upload(&upload_url, "image/png", RED_PNG.to_vec()).await, 200);
    shown_once_it_has_a_picture(shop, name).await
}

/// The categories of all pages, which `Link` alone leads to.
async fn listed(shop: &Shop) -> Vec<Value> {
    let mut categories = Vec::new();
    let mut query = "?limit=4".to_owned();
    loop {
        let answer = shop.get(&format!("/categories{query}")).await;
        assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
        let next = answer.header("link").map(|link| {
            let reference = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
            reference.unwrap_or_else(|| panic!("Link is {link}")).to_owned()
        });
        categories.extend(answer.is(200).as_array().expect("a bare array").iter().cloned());
        match next {
            Some(next) => query = next,
            None => return categories,
        }
    }
}

async fn shown(shop: &Shop, name: &str) -> Option<Value> {
    listed(shop).await.into_iter().find(|category| category["categoryName"] == name)
}

async fn shown_once_it_has_a_picture(shop: &Shop, name: &str) -> Value {
    eventually("the category is shown", async || shown(shop, name).await).await
}

fn path(name: &str) -> String {
    let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("/categories/{encoded}")
}

async fn delete(shop: &Shop, name: &str) -> Answer {
    shop.admin().await.request(Method::DELETE, &path(name)).send().await
}

/// The folder of a category's objects.
fn folder(image_url: &Value) -> String {
    let url = image_url.as_str().expect("a URL");
    url.split("/images/categories/")
        .nth(1)
        .and_then(|rest| rest.split('/').next())
        .expect("a folder")
        .to_owned()
}

#[tokio::test]
async fn what_an_admin_names_and_pictures_everyone_sees() {
    let shop = Shop::open();
    let name = unique("fashion1");
    let upload_url = asked_for(&shop, &name).await;
    assert_eq!(shown(&shop, &name).await, None, "it has no picture");
    assert_eq!(shop.upload(&upload_url, "image/png", RED_PNG.to_vec()).await, 200);
    let category = shown_once_it_has_a_picture(&shop, &name).await;
    let image_url = category["imageUrl"].as_str().expect("a picture");
    // It is narrower than each of them.
    let images = json!({ "small": image_url, "medium": image_url, "large": image_url });
    assert_eq!(category, json!({ "categoryName": name, "imageUrl": image_url, "images": images }));
    let picture = shop.download(image_url).await;
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert_eq!(picture.bytes().await.expect("bytes"), RED_PNG);
    delete(&shop, &name).await.is(204);
}

/// A name of these tests without capitals and accents.
fn as_people_sort(name: &str) -> String {
    let letter = |letter| match letter {
        'ä' => "a".to_owned(),
        'è' | 'é' => "e".to_owned(),
        'û' | 'ü' => "u".to_owned(),
        'ß' => "ss".to_owned(),
        other => other.to_string(),
    };
    name.to_lowercase().chars().map(letter).collect()
}

#[tokio::test]
async fn categories_stand_by_name() {
    let shop = Shop::open();
    let names = ["Äpfel", "apples", "Books", "Mugs", "tea", "Zoo"].map(unique);
    for name in names.iter().rev() {
        made(&shop, name).await;
    }
    let all = listed(&shop).await;
    let all: Vec<_> = all.iter().map(|category| category["categoryName"].as_str().expect("a name")).collect();
    assert!(all.is_sorted_by_key(|name| as_people_sort(name)), "{all:?}");
    let mine: Vec<_> = all.into_iter().filter(|name| names.iter().any(|mine| mine == name)).collect();
    assert_eq!(mine, names);
    for name in &names {
        delete(&shop, name).await.is(204);
    }
}

#[tokio::test]
async fn a_name_is_one_category_whichever_keyboard_typed_it() {
    let shop = Shop::open();
    let name = unique("Crème brûlée");
    let on_a_mac = name.replace('è', "e\u{300}").replace('û', "u\u{302}").replace('é', "e\u{301}");
    assert_ne!(on_a_mac, name);
    let red = made(&shop, &name).await;
    let upload_url = asked_for(&shop, &on_a_mac).await;
    assert_eq!(shop.upload(&upload_url, "image/png", BLUE_PNG.to_vec()).await, 200);
    let blue = eventually("it has the other picture", async || {
        shown(&shop, &name).await.filter(|category| category["imageUrl"] != red["imageUrl"])
    });
    let blue = blue.await;
    let (_, token) = name.rsplit_once(' ').expect("a name that no other test has");
    let mut all = listed(&shop).await;
    all.retain(|category| category["categoryName"].as_str().is_some_and(|name| name.contains(token)));
    assert_eq!(all, [blue]);
    delete(&shop, &name).await.is(204);
}

#[tokio::test]
async fn a_category_keeps_its_picture_until_the_next_one_was_checked() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let name = unique("Clothes");
    let red = made(&shop, &name).await;
    let folder = folder(&red["imageUrl"]);
    let upload_url = asked_for(&shop, &name).await;
    assert_eq!(shown(&shop, &name).await.as_ref(), Some(&red), "a request alone changes nothing");
    assert_eq!(shop.upload(&upload_url, "image/png", b"no picture".to_vec()).await, 200);
    eventually("it was looked at", async || {
        let keys = aws.objects("categories", &folder).await;
        keys.iter().all(|key| key.starts_with("images/")).then_some(())
    })
    .await;
    assert_eq!(shown(&shop, &name).await.as_ref(), Some(&red), "what is no picture changes nothing");
    assert_eq!(shop.upload(&upload_url, "image/png", BLUE_PNG.to_vec()).await, 200);
    let blue = eventually("it has the other picture", async || {
        shown(&shop, &name).await.filter(|category| category["imageUrl"] != red["imageUrl"])
    });
    let blue = blue.await;
    let picture = shop.download(blue["imageUrl"].as_str().expect("a picture")).await;
    assert_eq!(picture.bytes().await.expect("bytes"), BLUE_PNG);
    let one_is_left = async || (aws.objects("categories", &folder).await.len() == 1).then_some(());
    eventually("the old picture is gone", one_is_left).await;
    assert_ne!(shop.download(red["imageUrl"].as_str().expect("a picture")).await.status(), 200);
    // The new one goes with the category.
    let answer = delete(&shop, &name).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 2), ("s3", 2)]));
    answer.is(204);
    eventually("nothing is left", async || aws.objects("categories", &folder).await.is_empty().then_some(()))
        .await;
}

#[tokio::test]
async fn a_category_of_any_name_can_be_deleted() {
    let shop = Shop::open();
    for name in ["Tea & more", "Бытовая техника", "Füße; 4.5 + a=b"].map(unique) {
        made(&shop, &name).await;
        assert_eq!(delete(&shop, &name).await.is(204), Value::Null);
        assert_eq!(shown(&shop, &name).await, None);
        delete(&shop, &name).await.is_problem(404, "not-found");
    }
}

#[tokio::test]
async fn categories_are_the_admins() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let name = unique("Ann's");
    let body = json!({ "fileName": "fashion1.png", "fileType": "image/png", "categoryName": name });
    ann.post("/categories/upload-url", &body).await.is_problem(403, "forbidden");
    shop.post("/categories/upload-url", &body).await.is_from_the_gateway(401, "Unauthorized");
    made(&shop, &name).await;
    ann.request(Method::DELETE, &path(&name)).send().await.is_problem(403, "forbidden");
    shop.request(Method::DELETE, &path(&name)).send().await.is_from_the_gateway(401, "Unauthorized");
    assert!(shown(&shop, &name).await.is_some());
    delete(&shop, &name).await.is(204);
}

#[tokio::test]
async fn html_that_says_it_is_a_png_is_never_shown() {
    let shop = Shop::open();
    let name = unique("Html");
    let upload_url = asked_for(&shop, &name).await;
    let html = b"<!doctype html><script>alert(document.domain)</script>".to_vec();
    assert_eq!(shop.upload(&upload_url, "image/png", html).await, 200);
    a_while().await;
    assert_eq!(shown(&shop, &name).await, None);
    assert_eq!(shop.upload(&upload_url, "image/png", RED_PNG.to_vec()).await, 200);
    shown_once_it_has_a_picture(&shop, &name).await;
    delete(&shop, &name).await.is(204);
}

#[tokio::test]
async fn every_fault_is_told_at_once() {
    let shop = Shop::open();
    let admin = shop.admin().await;
    let body = json!({ "fileName": "", "fileType": "text/html", "fileSize": 0, "colour": "red" });
    let answer = admin.post("/categories/upload-url", &body).await;
    let places = ["#/fileName", "#/fileType", "#/fileSize", "#/categoryName", "#/colour"];
    answer.is_problem(422, "invalid-input").at(places);
    for name in ["", "a/b", "100%", "a?b", "a#b", ".."] {
        let body = json!({ "fileName": "a.png", "fileType": "image/png", "categoryName": name });
        let answer = admin.post("/categories/upload-url", &body).await;
        answer.is_problem(422, "invalid-input").at(["#/categoryName"]);
    }
    shop.get("/categories?limit=101").await.is_problem(422, "invalid-input").at(["limit"]);
    shop.get("/categories?cursor=x").await.is_problem(422, "invalid-input").at(["cursor"]);
}
