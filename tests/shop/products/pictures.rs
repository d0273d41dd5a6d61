//! Pictures: nothing is published that was not seen to be one, and the owner can see why.

use image::codecs::jpeg::JpegEncoder;
use image::{ImageEncoder, Rgb, RgbImage};
use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::{Answer, calls};
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
    ann.own_once(&fits, "its picture waits", |own| own["waitingPicture"].is_object()).await;
}

#[tokio::test]
async fn a_first_file_over_5_mb_is_deleted_and_shown_nowhere() {
    let shop = Shop::open();
    let aws = Aws::open().await;
    let ann = shop.person("Ann").await;
    let listed = ann.lists(product()).await;
    assert_eq!(shop.upload(&listed.upload_url, "image/png", png_of(FIVE_MB + 1)).await, 200);
    rejection(&ann, &listed).await;
    eventually("it is deleted", async || aws.objects_of(&listed.id).await.is_empty().then_some(())).await;
    let own = ann.own(&listed).await.expect("her own");
    assert_eq!((&own["waitingPicture"], &own["images"]), (&Value::Null, &Value::Null));
    let approved = approves(shop.admin().await, &listed).await.is(200);
    assert_eq!((&approved["imageUrl"], &approved["images"]), (&Value::Null, &Value::Null));
    let shown = shop.get(&listed.path()).await.is(200);
    assert_eq!((&shown["imageUrl"], &shown["images"]), (&Value::Null, &Value::Null));
    assert_eq!(aws.objects_of(&listed.id).await, [""; 0]);
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
    ann.own_once(&listed, "its picture waits", |own| own["waitingPicture"].is_object()).await;
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
    let own = ann.own_once(&listed, "its picture waits", |own| own["waitingPicture"].is_object()).await;
    let approved = approves(shop.admin().await, &listed).await.is(200);
    for images in [&own["waitingPicture"]["images"], &approved["images"]] {
        for name in ["small", "medium", "large"] {
            let url = images[name].as_str().expect("a URL");
            if images == &approved["images"] {
                let picture = shop.download(url).await;
                assert_eq!(picture.status(), 200, "{name}");
                assert_eq!(picture.headers()["content-type"], "image/jpeg", "{name}");
            } else {
                assert!(url.contains(&format!("/checked/products/{}/", listed.id)), "{url}");
            }
        }
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
    ann.own_once(&listed, "its picture waits", |own| own["waitingPicture"].is_object()).await;
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
    let red = ann.own_once(&listed, "its picture waits", |own| own["waitingPicture"].is_object()).await;
    assert_eq!(red["imageRejection"], Value::Null, "{red}");
    for late in [BLUE_PNG.to_vec(), b"no picture".to_vec(), png_of(FIVE_MB + 1)] {
        assert_eq!(shop.upload(&listed.upload_url, "image/png", late).await, 200);
        let keys = eventually("it is deleted", async || {
            let keys = aws.objects_of(&listed.id).await;
            keys.iter().all(|key| key.starts_with("checked/")).then_some(keys)
        });
        assert_eq!(keys.await.len(), 1, "only the first waits");
        let own = ann.own(&listed).await.expect("her own");
        assert_eq!(own["version"], red["version"], "{own}");
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
    ann.own_once(&other, "its picture waits", |own| own["waitingPicture"].is_object()).await;
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
            (keys.len() == kept && keys.iter().all(|key| key.starts_with("checked/"))).then_some(keys)
        });
        println!("{:?}", keys.await);
    }
}

#[tokio::test]
async fn a_product_may_be_sold_without_a_picture_and_get_it_later() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let listed = ann.lists(product()).await;
    approves(shop.admin().await, &listed).await.is(200);
    let bare = shop.get(&listed.path()).await.is(200);
    assert_eq!((&bare["isApproved"], &bare["imageUrl"]), (&json!(true), &Value::Null));
    waits(&shop, &ann, &listed, RED_PNG).await;
    assert_eq!(shop.get(&listed.path()).await.is(200), bare, "an admin has not seen it");
    approves(shop.admin().await, &listed).await.is(200);
    let mut with_picture = shop.get(&listed.path()).await.is(200);
    let shown = with_picture.as_object_mut().expect("a product");
    let image_url = shown.remove("imageUrl").expect("a picture");
    let images = shown.remove("images").expect("its renditions");
    let picture = json!({
        "id": listed.id, "fileName": "picture.png", "imageUrl": image_url, "images": images
    });
    assert_eq!(shown.insert("pictures".into(), json!([])), Some(json!([picture])));
    assert_eq!(with_picture, bare);
    assert_eq!(shop.download(image_url.as_str().expect("a URL")).await.status(), 200);
}

// ── Approval ───────────────────────────────────────────────────────────────────────────────────────────────

async fn approves(admin: &Person, product: &Product) -> Answer {
    admin.put(&format!("{}/approval", product.path()), &json!({ "approved": true })).await
}

async fn rejects(admin: &Person, product: &Product) -> Answer {
    let decision = json!({ "approved": false, "reason": "Blurred." });
    admin.put(&format!("{}/approval", product.path()), &decision).await
}

/// Uploads the first picture, and gives the product as its owner sees it once that waits.
async fn waits(shop: &Shop, owner: &Person, product: &Product, picture: &[u8]) -> Value {
    assert_eq!(shop.upload(&product.upload_url, "image/png", picture.to_vec()).await, 200);
    owner.own_once(product, "its picture waits", |own| own["waitingPicture"].is_object()).await
}

/// Sends another picture, and gives the product once that one waits.
async fn waits_anew(shop: &Shop, owner: &Person, product: &Product, picture: &[u8]) -> Value {
    let before = owner.own(product).await.expect("their own")["version"].clone();
    let body = json!({ "fileName": "new.png", "fileType": "image/png" });
    let asked = owner.post(&format!("{}/upload-url", product.path()), &body).await.is(201);
    let url = asked["uploadUrl"].as_str().expect("a URL");
    assert_eq!(shop.upload(url, "image/png", picture.to_vec()).await, 200);
    owner
        .own_once(product, "another picture waits", |own| {
            own["version"] != before && own["waitingPicture"]["fileName"] == "new.png"
        })
        .await
}

fn url_of(value: &Value) -> &str {
    value["imageUrl"].as_str().unwrap_or_else(|| panic!("no picture: {value}"))
}

/// The bytes at a URL, if whoever has it may read them.
async fn bytes_at(shop: &Shop, url: &str) -> Option<Vec<u8>> {
    let answer = shop.download(url).await;
    if answer.status() != 200 {
        return None;
    }
    Some(answer.bytes().await.expect("bytes").to_vec())
}

#[tokio::test]
async fn a_picture_that_nobody_approved_is_not_publicly_readable() {
    let shop = Shop::open();
    let aws = Aws::open().await;
    let ann = shop.person("Ann").await;
    let listed = ann.lists(product()).await;
    let own = waits(&shop, &ann, &listed, RED_PNG).await;
    assert_eq!((&own["imageUrl"], &own["images"]), (&Value::Null, &Value::Null));
    assert_eq!(own["waitingPicture"]["fileName"], "picture.png");
    // Its owner and the admins see it by a URL that is signed, and by no other.
    let page = shop.admin().await.get("/products/pending?limit=100").await.is(200);
    let pending = page["products"].as_array().expect("products");
    let pending = pending.iter().find(|one| one["id"] == listed.id.as_str()).expect("it waits");
    let one = ann.get(&format!("/users/me{}", listed.path())).await.is(200);
    for seen in [&own, pending, &one] {
        let signed = url_of(&seen["waitingPicture"]);
        assert_eq!(bytes_at(&shop, signed).await.as_deref(), Some(RED_PNG));
        let (bare, _) = signed.split_once('?').expect("a signature");
        assert_eq!(bytes_at(&shop, bare).await, None, "{bare}");
        assert_eq!(bytes_at(&shop, &bare.replace("/checked/", "/images/")).await, None);
    }
    let keys = aws.objects_of(&listed.id).await;
    let [key] = keys.as_slice() else { panic!("{keys:?}") };
    assert!(key.starts_with("checked/"), "{key}");
    let media = std::env::var("MEDIA_BASE_URL").expect("where pictures are read");
    let public = format!("{media}/{key}");
    assert_eq!(bytes_at(&shop, &public).await, None, "{public}");

    // The answers to whoever writes have no URL, and what everyone sees has no word of it.
    let changed = ann.put(&listed.path(), &json!({ "productPrice": 2 })).await.is(200);
    assert_eq!(changed["waitingPicture"], Value::Null);
    let approved = approves(shop.admin().await, &listed).await.is(200);
    assert_eq!(bytes_at(&shop, url_of(&approved)).await.as_deref(), Some(RED_PNG));
    assert!(!shop.get(&listed.path()).await.is(200).to_string().contains("checked"));
    assert!(aws.objects_of(&listed.id).await.iter().all(|key| key.starts_with("images/")));
}

#[tokio::test]
async fn a_new_picture_waits_while_the_old_one_is_shown_and_then_takes_its_place() {
    let shop = Shop::open();
    let aws = Aws::open().await;
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product()).await;
    let before = shop.get(&tea.path()).await.is(200);
    let blue = waits_anew(&shop, &ann, &tea, BLUE_PNG).await;
    assert_eq!((&blue["imageUrl"], &blue["isApproved"]), (&before["imageUrl"], &json!(true)));
    assert_eq!(shop.get(&tea.path()).await.is(200), before);
    ann.buys(&tea, 1).await;
    let pending = shop.admin().await.get("/products/pending?limit=100").await.is(200);
    assert!(pending.to_string().contains(&tea.id), "{pending}");

    let approved = approves(shop.admin().await, &tea).await.is(200);
    assert_eq!(approved["fileName"], "new.png");
    assert_eq!(bytes_at(&shop, url_of(&approved)).await.as_deref(), Some(BLUE_PNG));
    assert_eq!(bytes_at(&shop, url_of(&before)).await, None, "the old one is gone");
    assert_eq!(aws.objects_of(&tea.id).await.len(), 1);
    let pending = shop.admin().await.get("/products/pending?limit=100").await.is(200);
    assert!(!pending.to_string().contains(&tea.id), "{pending}");
    // The same decision again copies nothing.
    let again = approves(shop.admin().await, &tea).await;
    assert_eq!(again.calls(), calls([("dynamodb", 3)]));
    assert_eq!(url_of(&again.is(200)), url_of(&approved));
}

#[tokio::test]
async fn rejected_and_superseded_pictures_are_gone_with_their_renditions() {
    let shop = Shop::open();
    let aws = Aws::open().await;
    let ann = shop.person("Ann").await;
    let tea = ann.lists(product()).await;
    let first = waits(&shop, &ann, &tea, &wide_png()).await;
    assert_eq!(aws.objects_of(&tea.id).await.len(), 4);
    let second = waits_anew(&shop, &ann, &tea, BLUE_PNG).await;
    eventually("the first is gone", async || (aws.objects_of(&tea.id).await.len() == 1).then_some(())).await;
    assert_eq!(bytes_at(&shop, url_of(&first["waitingPicture"])).await, None);
    assert_eq!(bytes_at(&shop, url_of(&second["waitingPicture"])).await.as_deref(), Some(BLUE_PNG));

    let rejected = rejects(shop.admin().await, &tea).await.is(200);
    assert_eq!(rejected["rejectionReason"], "Blurred.");
    assert_eq!(bytes_at(&shop, url_of(&second["waitingPicture"])).await, None);
    assert_eq!(aws.objects_of(&tea.id).await, [""; 0]);

    // What was published goes as well, and what waits beside it.
    waits_anew(&shop, &ann, &tea, &wide_png()).await;
    let shown = approves(shop.admin().await, &tea).await.is(200);
    let small = shown["images"]["small"].as_str().expect("a rendition");
    assert!(bytes_at(&shop, small).await.is_some());
    waits_anew(&shop, &ann, &tea, RED_PNG).await;
    let rejected = rejects(shop.admin().await, &tea).await.is(200);
    assert_eq!((&rejected["imageUrl"], &rejected["isApproved"]), (&Value::Null, &json!(false)));
    assert_eq!(bytes_at(&shop, url_of(&shown)).await, None);
    assert_eq!(aws.objects_of(&tea.id).await, [""; 0]);
    let own = ann.own(&tea).await.expect("her own");
    assert_eq!((&own["imageUrl"], &own["waitingPicture"]), (&Value::Null, &Value::Null));
}

/// 51° 30' 2.52" N, as EXIF has it: three fractions.
fn latitude() -> Vec<u8> {
    [51_u32, 1, 30, 1, 252, 100].into_iter().flat_map(u32::to_le_bytes).collect()
}

/// What a telephone says of a photograph: that it has to be turned by a quarter, and where it was taken.
fn exif() -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value].concat()
    };
    let (orientation, of_places) =
        (entry(0x0112, 3, 1, [6, 0, 0, 0]), entry(0x8825, 4, 1, 38_u32.to_le_bytes()));
    let (north, latitude_at) = (entry(1, 2, 2, *b"N\0\0\0"), entry(2, 5, 3, 68_u32.to_le_bytes()));
    let directory = |first: Vec<u8>, second: Vec<u8>| [&[2, 0][..], &first, &second, &[0; 4]].concat();
    let head = [&b"II*\0"[..], &8_u32.to_le_bytes()].concat();
    [head, directory(orientation, of_places), directory(north, latitude_at), latitude()].concat()
}

/// A photograph that lies on its side: red above and blue below, so that upright the red is on the right.
fn photograph() -> Vec<u8> {
    const WIDTH: u32 = 100;
    const HEIGHT: u32 = 2000;
    let colour = |_, y| if y < HEIGHT / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) };
    let pixels = RgbImage::from_fn(WIDTH, HEIGHT, colour);
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new(&mut file);
    encoder.set_exif_metadata(exif()).expect("a JPEG has EXIF");
    encoder.write_image(&pixels, WIDTH, HEIGHT, image::ExtendedColorType::Rgb8).expect("a JPEG");
    file
}

fn is_in(what: &[u8], file: &[u8]) -> bool {
    file.windows(what.len()).any(|window| window == what)
}

/// Holds each picture that these URLs lead to: upright, and without a word of where it was taken.
async fn are_upright_and_silent(shop: &Shop, shown: &Value) {
    let images = &shown["images"];
    for (url, width, height) in [
        (&shown["imageUrl"], 2000, 100),
        (&images["large"], 1920, 96),
        (&images["medium"], 960, 48),
        (&images["small"], 320, 16),
    ] {
        let file = bytes_at(shop, url.as_str().expect("a URL")).await.expect("whoever has its URL sees it");
        for said in [&b"Exif"[..], b"II*\0", &latitude()] {
            assert!(!is_in(said, &file), "{said:?} is in the picture of {width} pixels");
        }
        let pixels = image::load_from_memory(&file).expect("a picture").into_rgb8();
        assert_eq!(pixels.dimensions(), (width, height));
        let (left, right) =
            (pixels.get_pixel(width / 4, height / 2), pixels.get_pixel(width * 3 / 4, height / 2));
        assert!(left.0[2] > 200 && left.0[0] < 50, "{left:?} of {width} pixels");
        assert!(right.0[0] > 200 && right.0[2] < 50, "{right:?} of {width} pixels");
    }
}

#[tokio::test]
async fn nobody_learns_from_a_picture_where_it_was_taken_and_it_stands_upright() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let photo = product().with("fileName", json!("photo.jpg")).with("fileType", json!("image/jpeg"));
    let listed = ann.lists(photo).await;
    let file = photograph();
    assert!(is_in(b"Exif", &file) && is_in(&latitude(), &file));
    assert_eq!(shop.upload(&listed.upload_url, "image/jpeg", file).await, 200);
    let own = ann.own_once(&listed, "its picture waits", |own| own["waitingPicture"].is_object()).await;
    are_upright_and_silent(&shop, &own["waitingPicture"]).await;
    approves(shop.admin().await, &listed).await.is(200);
    are_upright_and_silent(&shop, &shop.get(&listed.path()).await.is(200)).await;
}

#[tokio::test]
async fn an_admins_picture_of_what_is_for_sale_needs_nobody_else() {
    let shop = Shop::open();
    let aws = Aws::open().await;
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product()).await;
    let red = shop.get(&tea.path()).await.is(200);
    let body = json!({ "fileName": "blue.png", "fileType": "image/png" });
    let asked = shop.admin().await.post(&format!("{}/upload-url", tea.path()), &body).await.is(201);
    let url = asked["uploadUrl"].as_str().expect("a URL");
    assert_eq!(shop.upload(url, "image/png", BLUE_PNG.to_vec()).await, 200);
    let blue = ann.own_once(&tea, "it is shown", |own| own["fileName"] == "blue.png").await;
    assert_eq!(bytes_at(&shop, url_of(&blue)).await.as_deref(), Some(BLUE_PNG));
    assert_eq!(blue["waitingPicture"], Value::Null);
    let keys = eventually("all else is gone", async || {
        let keys = aws.objects_of(&tea.id).await;
        (keys.len() == 1).then_some(keys)
    });
    assert!(keys.await[0].starts_with("images/"));
    assert_eq!(bytes_at(&shop, url_of(&red)).await, None);
}

#[tokio::test]
async fn an_approval_is_of_the_picture_that_was_looked_at() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.lists(product()).await;
    let looked_at = waits(&shop, &ann, &tea, RED_PNG).await;
    waits_anew(&shop, &ann, &tea, BLUE_PNG).await;
    let approval = format!("{}/approval", tea.path());
    let decide = async |version: &Value, decision: Value| {
        let request = shop.admin().await.request(Method::PUT, &approval);
        request.header("if-match", &format!("\"{version}\"")).json(&decision).send().await
    };
    for decision in [json!({ "approved": true }), json!({ "approved": false })] {
        decide(&looked_at["version"], decision).await.is_problem(412, "precondition-failed");
    }
    let own = ann.own(&tea).await.expect("her own");
    assert_eq!((&own["isApproved"], &own["rejectionReason"]), (&json!(false), &Value::Null));
    let approved = decide(&own["version"], json!({ "approved": true })).await.is(200);
    assert_eq!(bytes_at(&shop, url_of(&approved)).await.as_deref(), Some(BLUE_PNG));
}
