//! Pictures: nothing is published that was not seen to be one, and the owner can see why.

use reqwest::Method;
use serde_json::{Value, json};
use tests::aws::Aws;
use tests::shop::{BLUE_PNG, Person, Product, RED_PNG, Shop, product, wide_png};
use tests::wait::{a_while, eventually};

const FIVE_MB: usize = 5 * 1024 * 1024;

/// What the owner reads about a file that was not taken.
async fn rejection(owner: &Person, product: &Product) -> String {
    let own =
        owner.own_once(product, "the file was looked at", |own| own["imageRejection"].is_string()).await;
    assert!(own["imageUrl"].is_null(), "{own}");
    own["imageRejection"].as_str().expect("a reason").to_owned()
}

/// A file that begins as a PNG and is this large.
fn png_of(bytes: usize) -> Vec<u8> {
    let mut file = RED_PNG.to_vec();
    file.resize(bytes, 0);
    file
}

#[tokio::test]
async fn html_that_says_it_is_a_png_is_not_published() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let listed = ann.lists(product()).await;
    let html = b"<!doctype html><script>alert(document.domain)</script>".to_vec();
    assert_eq!(shop.upload(&listed.upload_url, "image/png", html).await, 200);
    let reason = rejection(&ann, &listed).await;
    assert!(reason.contains("PNG"), "{reason}");
}

#[tokio::test]
async fn what_cannot_be_decoded_is_not_published() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    // A PNG of 65,000 by 65,000 pixels, as its head says, in some bytes.
    let mut bomb = RED_PNG.to_vec();
    bomb[16..24].copy_from_slice(&[0, 0, 0xfd, 0xe8, 0, 0, 0xfd, 0xe8]);
    bomb[29..33].copy_from_slice(&[0x2d, 0x35, 0x4e, 0x5d]);
    for (file, says) in [
        (&b"12345678WEBP<html><script>alert(1)</script>"[..], "not a PNG"),
        (b"GIF is pronounced as in gift", "not a PNG"),
        (b"GIF89a\x01\0\x01\0\0\0\0;", "damaged"),
        (&RED_PNG[..40], "damaged"),
        (&bomb, "12,000 pixels"),
    ] {
        let listed = ann.lists(product()).await;
        assert_eq!(shop.upload(&listed.upload_url, "image/png", file.to_vec()).await, 200);
        let reason = rejection(&ann, &listed).await;
        assert!(reason.contains(says), "{reason}");
    }
}

#[tokio::test]
async fn svg_is_no_picture_of_ours() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let listed = ann.lists(product()).await;
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#.to_vec();
    assert_eq!(shop.upload(&listed.upload_url, "image/png", svg).await, 200);
    rejection(&ann, &listed).await;
    let answer = ann.post("/products", &product().with("fileType", json!("image/svg+xml")).body).await;
    answer.is_problem(422, "invalid-input").at(["#/fileType"]);
}

#[tokio::test]
async fn an_empty_file_is_no_picture() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let listed = ann.lists(product()).await;
    assert_eq!(shop.upload(&listed.upload_url, "image/png", Vec::new()).await, 200);
    rejection(&ann, &listed).await;
}

#[tokio::test]
async fn a_picture_has_at_most_5_mb() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let (fits, too_large) = (ann.lists(product()).await, ann.lists(product()).await);
    assert_eq!(shop.upload(&fits.upload_url, "image/png", png_of(FIVE_MB)).await, 200);
    assert_eq!(shop.upload(&too_large.upload_url, "image/png", png_of(FIVE_MB + 1)).await, 200);
    let reason = rejection(&ann, &too_large).await;
    assert!(reason.contains("5 MB"), "{reason}");
    ann.own_once(&fits, "it has a picture", |own| own["imageUrl"].is_string()).await;
}

#[tokio::test]
async fn an_upload_has_the_type_that_was_declared() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let listed = ann.lists(product()).await;
    for other in ["text/html", "image/jpeg", "application/octet-stream"] {
        assert_eq!(shop.upload(&listed.upload_url, other, RED_PNG.to_vec()).await, 403, "{other}");
    }
    assert_eq!(shop.upload(&listed.upload_url, "image/png", RED_PNG.to_vec()).await, 200);
}

#[tokio::test]
async fn an_upload_has_the_size_that_was_declared() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let sized = product().with("fileSize", json!(RED_PNG.len()));
    let listed = ann.lists(sized).await;
    assert_eq!(shop.upload(&listed.upload_url, "image/png", png_of(1000)).await, 403);
    assert_eq!(shop.upload(&listed.upload_url, "image/png", RED_PNG.to_vec()).await, 200);
    ann.own_once(&listed, "it has a picture", |own| own["imageUrl"].is_string()).await;
    for size in [json!(0), json!(FIVE_MB + 1), json!(1.5), json!("69")] {
        let answer = ann.post("/products", &product().with("fileSize", size).body).await;
        answer.is_problem(422, "invalid-input").at(["#/fileSize"]);
    }
}

#[tokio::test]
async fn a_published_picture_never_changes() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().with("fileName", json!("../so cute/ä.html.png"))).await;
    let image_url = ann.own(&tea).await.expect("her own")["imageUrl"].as_str().expect("a picture").to_owned();
    let picture = shop.download(&image_url).await;
    assert_eq!(picture.status(), 200);
    assert_eq!(picture.headers()["content-type"], "image/png");
    let caching = picture.headers()["cache-control"].to_str().expect("text").to_owned();
    assert!(caching.contains("immutable") && caching.contains("public"), "{caching}");
    assert!(image_url.contains(&format!("/images/products/{}/", tea.id)), "{image_url}");
    assert!(!image_url.contains(".."), "{image_url}");
}

#[tokio::test]
async fn a_wide_picture_has_narrower_ones_beside_it() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let listed = ann.lists(product()).await;
    assert_eq!(shop.upload(&listed.upload_url, "image/png", wide_png()).await, 200);
    let own = ann.own_once(&listed, "it has a picture", |own| own["imageUrl"].is_string()).await;
    for name in ["small", "medium", "large"] {
        let picture = shop.download(own["images"][name].as_str().expect("a URL")).await;
        assert_eq!(picture.status(), 200, "{name}");
        assert_eq!(picture.headers()["content-type"], "image/jpeg", "{name}");
    }
    shop.admin().await.request(Method::DELETE, &listed.path()).send().await.is(204);
    assert_eq!(Aws::open().await.objects_of(&listed.id).await, [""; 0], "they go with their product");
}

#[tokio::test]
async fn an_upload_is_never_public() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let listed = ann.lists(product()).await;
    let bare = listed.upload_url.split('?').next().expect("a URL").to_owned();
    // Without a signature nobody writes, and nobody reads, neither before nor after the file is there.
    assert_eq!(shop.upload(&bare, "image/png", RED_PNG.to_vec()).await, 403);
    assert_ne!(shop.download(&bare).await.status(), 200);
    assert_eq!(shop.upload(&listed.upload_url, "image/png", RED_PNG.to_vec()).await, 200);
    assert_ne!(shop.download(&bare).await.status(), 200);
    ann.own_once(&listed, "it has a picture", |own| own["imageUrl"].is_string()).await;
}

#[tokio::test]
async fn the_first_picture_settles_its_url() {
    let shop = Shop::open();
    let aws = Aws::open().await;
    let ann = shop.person("Ann").await;
    let listed = ann.lists(product()).await;
    assert_eq!(shop.upload(&listed.upload_url, "image/png", b"no picture".to_vec()).await, 200);
    rejection(&ann, &listed).await;
    assert_eq!(shop.upload(&listed.upload_url, "image/png", RED_PNG.to_vec()).await, 200);
    let red = ann.own_once(&listed, "it has a picture", |own| own["imageUrl"].is_string()).await;
    assert_eq!(red["imageRejection"], Value::Null, "{red}");
    for late in [BLUE_PNG.to_vec(), b"no picture".to_vec(), png_of(FIVE_MB + 1)] {
        assert_eq!(shop.upload(&listed.upload_url, "image/png", late).await, 200);
        let keys = eventually("it is deleted", async || {
            let keys = aws.objects_of(&listed.id).await;
            keys.iter().all(|key| key.starts_with("images/")).then_some(keys)
        });
        assert_eq!(keys.await.len(), 1, "only the first is public");
        assert_eq!(ann.own(&listed).await, Some(red.clone()));
    }
}

#[tokio::test]
async fn a_picture_of_a_deleted_product_brings_nothing_back() {
    let shop = Shop::open();
    let aws = Aws::open().await;
    let ann = shop.person("Ann").await;
    let (deleted, other) = (ann.lists(product()).await, ann.lists(product()).await);
    aws.delete_item("ProductsTable", "id", &deleted.id).await;
    assert_eq!(shop.upload(&deleted.upload_url, "image/png", RED_PNG.to_vec()).await, 200);
    assert_eq!(shop.upload(&other.upload_url, "image/png", RED_PNG.to_vec()).await, 200);
    ann.own_once(&other, "the later one has a picture", |own| own["imageUrl"].is_string()).await;
    a_while().await;
    assert!(ann.own(&deleted).await.is_none());
    shop.get(&deleted.path()).await.is_problem(404, "not-found");
    let keys = eventually("the upload is gone", async || {
        let keys = aws.objects_of(&deleted.id).await;
        (!keys.iter().any(|key| key.starts_with("uploads/"))).then_some(keys)
    });
    assert_eq!(keys.await, [""; 0], "a picture that belongs to nothing was published");
}

#[tokio::test]
async fn an_upload_is_deleted_once_it_was_looked_at() {
    let shop = Shop::open();
    let aws = Aws::open().await;
    let ann = shop.person("Ann").await;
    let (good, bad) = (ann.lists(product()).await, ann.lists(product()).await);
    assert_eq!(shop.upload(&good.upload_url, "image/png", RED_PNG.to_vec()).await, 200);
    assert_eq!(shop.upload(&bad.upload_url, "image/png", b"no picture".to_vec()).await, 200);
    for (product, kept) in [(&good, 1), (&bad, 0)] {
        let keys = eventually("the upload is gone", async || {
            let keys = aws.objects_of(&product.id).await;
            (keys.len() == kept && keys.iter().all(|key| key.starts_with("images/"))).then_some(keys)
        });
        println!("{:?}", keys.await);
    }
}

#[tokio::test]
async fn a_product_may_be_sold_without_a_picture_and_get_it_later() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let listed = ann.lists(product()).await;
    let approval = format!("{}/approval", listed.path());
    shop.admin().await.put(&approval, &json!({ "approved": true })).await.is(200);
    let bare = shop.get(&listed.path()).await.is(200);
    assert_eq!((&bare["isApproved"], &bare["imageUrl"]), (&json!(true), &Value::Null));
    assert_eq!(shop.upload(&listed.upload_url, "image/png", RED_PNG.to_vec()).await, 200);
    ann.own_once(&listed, "it has a picture", |own| own["imageUrl"].is_string()).await;
    let mut with_picture = shop.get(&listed.path()).await.is(200);
    let shown = with_picture.as_object_mut().expect("a product");
    let image_url = shown.remove("imageUrl").expect("a picture");
    shown.remove("images").expect("its renditions");
    assert_eq!(with_picture, bare);
    assert_eq!(shop.download(image_url.as_str().expect("a URL")).await.status(), 200);
}
