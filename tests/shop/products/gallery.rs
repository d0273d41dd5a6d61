//! Several pictures of a product: added, put in order, approved and deleted, and the first of them is its `imageUrl`.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::{Answer, calls};
use tests::aws::Aws;
use tests::shop::{BLUE_PNG, Person, Product, RED_PNG, Shop, product, wide_png};
use tests::wait::{at_once, eventually};

/// An id in our form that nothing has.
const NOBODY: &str = "01a1f83a-c81e-73c6-9369-b8a11a6916c7";

fn pictures(product: &Product) -> String {
    format!("{}/pictures", product.path())
}

async fn announces(person: &Person, product: &Product, file_name: &str) -> Answer {
    person.post(&pictures(product), &json!({ "fileName": file_name, "fileType": "image/png" })).await
}

/// Adds a picture and uploads its file; gives its id.
async fn adds(shop: &Shop, person: &Person, product: &Product, file_name: &str, file: &[u8]) -> String {
    let added = announces(person, product, file_name).await.is(201);
    let url = added["uploadUrl"].as_str().expect("a URL");
    assert_eq!(shop.upload(url, "image/png", file.to_vec()).await, 200);
    added["id"].as_str().expect("an id").to_owned()
}

/// The product as its owner sees it on its own page.
async fn page(owner: &Person, product: &Product) -> Value {
    owner.get(&format!("/users/me{}", product.path())).await.is(200)
}

/// The same as soon as so many of its pictures wait.
async fn once_waiting(owner: &Person, product: &Product, many: usize) -> Value {
    let so_many = |page: &Value| {
        let pictures = page["pictures"].as_array().expect("pictures").iter();
        pictures.filter(|picture| picture["waitingPicture"].is_object()).count() == many
    };
    eventually("its pictures wait", async || Some(page(owner, product).await).filter(so_many)).await
}

/// Each picture's own value of a member, in their order.
fn each<'a>(product: &'a Value, member: &str) -> Vec<&'a str> {
    let pictures = product["pictures"].as_array().expect("pictures").iter();
    pictures.map(|picture| picture[member].as_str().unwrap_or("none")).collect()
}

async fn approves(shop: &Shop, product: &Product) -> Answer {
    let approval = format!("{}/approval", product.path());
    shop.admin().await.put(&approval, &json!({ "approved": true })).await
}

async fn orders(person: &Person, product: &Product, order: &[&str]) -> Answer {
    person.put(&pictures(product), &json!({ "pictures": order })).await
}

async fn deletes(person: &Person, product: &Product, picture: &str) -> Answer {
    person.request(Method::DELETE, &format!("{}/{picture}", pictures(product))).send().await
}

#[tokio::test]
async fn a_product_has_eight_pictures_and_no_ninth_and_one_approval_shows_all() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let ann = shop.person("Ann").await;
    let tea = ann.lists(product()).await;
    assert_eq!(shop.upload(&tea.upload_url, "image/png", RED_PNG.to_vec()).await, 200);
    let mut all = vec![tea.id.clone()];
    for number in 2..=8 {
        all.push(adds(&shop, &ann, &tea, &format!("{number}.png"), BLUE_PNG).await);
    }
    let refused = announces(&ann, &tea, "9.png").await;
    refused.clone().is_problem(409, "picture-limit");
    // Whether the caller is still an admin is not asked of who is none; the limit of a person, and the product is read.
    assert_eq!(refused.calls(), calls([("dynamodb", 2)]));
    let waiting = once_waiting(&ann, &tea, 8).await;
    assert_eq!(each(&waiting, "id"), all);
    assert_eq!(each(&waiting, "imageUrl"), ["none"; 8]);
    // Who decides sees all of them; a list of her own shows the first.
    let pending = shop.admin().await.get("/products/pending?limit=100").await.is(200);
    let mut pending = pending["products"].as_array().expect("products").iter();
    let pending = pending.find(|one| one["id"] == tea.id.as_str()).expect("it waits");
    for (seen, file) in pending["pictures"].as_array().expect("pictures").iter().zip([RED_PNG, BLUE_PNG]) {
        let url = seen["waitingPicture"]["imageUrl"].as_str().expect("a URL");
        assert_eq!(shop.download(url).await.bytes().await.expect("a picture"), file);
    }
    assert_eq!(each(pending, "id"), all);
    let own = ann.own(&tea).await.expect("her own");
    assert_eq!((&own["pictures"], &own["waitingPicture"]["fileName"]), (&Value::Null, &json!("picture.png")));

    let approved = approves(&shop, &tea).await;
    // Its caller, the product, its mark and both items; eight copies, and what waited is deleted at once.
    assert_eq!(approved.calls(), calls([("dynamodb", 4), ("s3", 9)]));
    let shown = shop.get(&tea.path()).await.is(200);
    assert_eq!(each(&shown, "id"), all);
    assert_eq!(shown["pictures"][0]["imageUrl"], shown["imageUrl"]);
    assert_eq!(shown["pictures"][0]["images"], shown["images"]);
    for (url, file) in each(&shown, "imageUrl").iter().zip([RED_PNG, BLUE_PNG]) {
        assert_eq!(shop.download(url).await.bytes().await.expect("a picture"), file);
    }
    let keys = aws.objects_of(&tea.id).await;
    assert!(keys.len() == 8 && keys.iter().all(|key| key.starts_with("images/")), "{keys:?}");
    announces(&ann, &tea, "9.png").await.is_problem(409, "picture-limit");

    shop.admin().await.request(Method::DELETE, &tea.path()).send().await.is(204);
    assert_eq!(aws.objects_of(&tea.id).await, [""; 0], "they go with their product");
}

#[tokio::test]
async fn the_first_of_the_order_is_the_image_url_everywhere() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product()).await;
    let red = shop.get(&tea.path()).await.is(200)["imageUrl"].clone();
    let blue = adds(&shop, &ann, &tea, "blue.png", BLUE_PNG).await;
    once_waiting(&ann, &tea, 1).await;
    // It waits, whatever the order: nobody sees what no admin has seen.
    let answer = orders(&ann, &tea, &[&blue, &tea.id]).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
    let ordered = answer.is(200);
    assert_eq!((each(&ordered, "id"), &ordered["imageUrl"]), (vec![blue.as_str(), &tea.id], &red));
    let shown = shop.get(&tea.path()).await.is(200);
    assert_eq!((each(&shown, "id"), &shown["imageUrl"]), (vec![tea.id.as_str()], &red));

    let approved = approves(&shop, &tea).await.is(200);
    let shown = shop.get(&tea.path()).await.is(200);
    assert_eq!(each(&shown, "id"), [blue.as_str(), &tea.id]);
    assert_eq!(
        each(&shown, "imageUrl"),
        [approved["imageUrl"].as_str().expect("a URL"), red.as_str().expect("a URL")]
    );
    assert_eq!((&shown["imageUrl"], &shown["fileName"]), (&approved["imageUrl"], &json!("blue.png")));
    // Carts show it as well.
    bob.post("/cart/items", &json!({ "id": tea.id, "quantity": 1 })).await.is(200);
    let cart = bob.get("/cart").await.is(200);
    assert_eq!(cart["items"][0]["imageUrl"], shown["imageUrl"]);
    // The order that it has changes nothing, and no other one is taken.
    let version = page(&ann, &tea).await["version"].clone();
    assert_eq!(orders(&ann, &tea, &[&blue, &tea.id]).await.is(200)["version"], version);
    for order in [&[blue.as_str()][..], &[&blue, NOBODY], &[&blue, &tea.id, NOBODY]] {
        orders(&ann, &tea, order).await.is_problem(409, "conflict");
    }
    orders(&ann, &tea, &[&blue, &blue]).await.is_problem(422, "invalid-input").at(["#/pictures"]);
    orders(&ann, &tea, &["blue"]).await.is_problem(422, "invalid-input").at(["#/pictures/0"]);
    assert_eq!(page(&ann, &tea).await["version"], version);
    orders(&ann, &tea, &[&tea.id, &blue]).await.is(200);
    assert_eq!(shop.get(&tea.path()).await.is(200)["imageUrl"], red);
}

#[tokio::test]
async fn the_second_follows_the_first_that_is_deleted_and_the_last_one_stays() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product()).await;
    let red = shop.get(&tea.path()).await.is(200)["imageUrl"].clone();
    deletes(&ann, &tea, &tea.id).await.is_problem(409, "last-picture");
    let wide = adds(&shop, &ann, &tea, "wide.png", &wide_png()).await;
    once_waiting(&ann, &tea, 1).await;
    // One that waits is none that everyone sees.
    deletes(&ann, &tea, &tea.id).await.is_problem(409, "last-picture");
    approves(&shop, &tea).await.is(200);
    let answer = deletes(&ann, &tea, &tea.id).await;
    // Read and written; two folders are listed, and what there is in one of them is deleted.
    assert_eq!(answer.calls(), calls([("dynamodb", 2), ("s3", 3)]));
    assert_eq!(answer.is(204), Value::Null);
    let shown = shop.get(&tea.path()).await.is(200);
    assert_eq!((each(&shown, "id"), &shown["fileName"]), (vec![wide.as_str()], &json!("wide.png")));
    assert_eq!(shown["imageUrl"], shown["pictures"][0]["imageUrl"]);
    assert_eq!(shop.download(red.as_str().expect("a URL")).await.status(), 404);
    let keys = aws.objects_of(&tea.id).await;
    assert!(
        keys.len() == 4 && keys.iter().all(|key| key.contains(&format!("{}.{wide}", tea.id))),
        "{keys:?}"
    );
    for gone in [tea.id.as_str(), NOBODY] {
        deletes(&ann, &tea, gone).await.is_problem(404, "not-found");
    }
    deletes(&ann, &tea, &wide).await.is_problem(409, "last-picture");
    // Nothing of the one that is gone comes back by its URL.
    assert_eq!(shop.upload(&tea.upload_url, "image/png", BLUE_PNG.to_vec()).await, 200);
    let others = async || {
        aws.objects_of(&tea.id).await.into_iter().filter(|key| !keys.contains(key)).collect::<Vec<_>>()
    };
    eventually("it is deleted", async || others().await.is_empty().then_some(())).await;
    assert_eq!(each(&page(&ann, &tea).await, "id"), [wide.as_str()]);
}

#[tokio::test]
async fn a_picture_that_is_named_is_replaced_and_a_bad_file_is_its_own() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product()).await;
    let second = adds(&shop, &ann, &tea, "second.png", BLUE_PNG).await;
    once_waiting(&ann, &tea, 1).await;
    approves(&shop, &tea).await.is(200);
    let before = shop.get(&tea.path()).await.is(200);

    let path = format!("{}/upload-url", tea.path());
    let asks = async |picture: &str| {
        ann.post(&path, &json!({ "fileName": "new.png", "fileType": "image/png", "pictureId": picture }))
            .await
    };
    asks(NOBODY).await.is_problem(404, "not-found");
    asks("second").await.is_problem(422, "invalid-input").at(["#/pictureId"]);
    let answer = asks(&second).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 3)]));
    let url = answer.is(201)["uploadUrl"].as_str().expect("a URL").to_owned();
    assert_eq!(shop.upload(&url, "image/png", b"no picture".to_vec()).await, 200);
    let told = eventually("it was looked at", async || {
        Some(page(&ann, &tea).await).filter(|page| page["pictures"][1]["imageRejection"].is_string())
    });
    let told = told.await;
    assert_eq!(told["imageRejection"], told["pictures"][1]["imageRejection"]);
    assert_eq!(told["pictures"][0]["imageRejection"], Value::Null);
    assert_eq!(shop.upload(&url, "image/png", wide_png()).await, 200);
    let waiting = once_waiting(&ann, &tea, 1).await;
    assert_eq!(waiting["pictures"][1]["waitingPicture"]["fileName"], "new.png");
    assert_eq!(shop.get(&tea.path()).await.is(200)["pictures"], before["pictures"]);

    approves(&shop, &tea).await.is(200);
    let after = shop.get(&tea.path()).await.is(200);
    assert_eq!((each(&after, "id"), &after["imageUrl"]), (each(&before, "id"), &before["imageUrl"]));
    assert_eq!(after["pictures"][1]["fileName"], "new.png");
    let old = before["pictures"][1]["imageUrl"].as_str().expect("a URL");
    assert_eq!(shop.download(old).await.status(), 404, "the old one is gone");
    assert_eq!(aws.objects_of(&tea.id).await.len(), 1 + 4);
    // Events come twice, and the file of one that was dealt with is gone.
    assert_eq!(shop.upload(&url, "image/png", BLUE_PNG.to_vec()).await, 200);
    eventually("it is deleted", async || (aws.objects_of(&tea.id).await.len() == 5).then_some(())).await;
    assert_eq!(shop.get(&tea.path()).await.is(200), after);
}

#[tokio::test]
async fn pictures_that_come_at_the_same_time_are_all_there() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let ann = shop.person("Ann").await;
    let tea = ann.lists(product()).await;
    let mut urls = vec![tea.upload_url.clone()];
    for number in 2..=8 {
        let added = announces(&ann, &tea, &format!("{number}.png")).await.is(201);
        urls.push(added["uploadUrl"].as_str().expect("a URL").to_owned());
    }
    let sent = at_once(8, |number| {
        let (shop, url) = (shop.clone(), urls[number].clone());
        async move { shop.upload(&url, "image/png", RED_PNG.to_vec()).await }
    });
    assert_eq!(sent.await, [200; 8]);
    once_waiting(&ann, &tea, 8).await;
    let keys = eventually("the uploads are gone", async || {
        let keys = aws.objects_of(&tea.id).await;
        keys.iter().all(|key| key.starts_with("checked/")).then_some(keys)
    });
    assert_eq!(keys.await.len(), 8);

    // Turned down, none of them is left.
    let decision = json!({ "approved": false, "reason": "Blurred." });
    shop.admin().await.put(&format!("{}/approval", tea.path()), &decision).await.is(200);
    assert_eq!(aws.objects_of(&tea.id).await, [""; 0]);
    let own = page(&ann, &tea).await;
    let left = own["pictures"].as_array().expect("pictures").iter();
    assert!(left.clone().all(|one| one["imageUrl"].is_null() && one["waitingPicture"].is_null()), "{own}");
    shop.get(&tea.path()).await.is_problem(404, "not-found");
}

#[tokio::test]
async fn what_an_admin_adds_is_shown_at_once_and_what_its_seller_adds_waits() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product()).await;
    let sellers = adds(&shop, &ann, &tea, "sellers.png", RED_PNG).await;
    once_waiting(&ann, &tea, 1).await;
    let admins = adds(&shop, shop.admin().await, &tea, "admins.png", BLUE_PNG).await;
    let shown = eventually("the admin's is shown", async || {
        let shown = shop.get(&tea.path()).await.is(200);
        (each(&shown, "id") == [tea.id.as_str(), &admins]).then_some(shown)
    });
    assert_eq!(each(&shown.await, "fileName"), ["picture.png", "admins.png"]);
    assert_eq!(once_waiting(&ann, &tea, 1).await["pictures"][1]["id"], sellers.as_str());
    // An admin deletes what waits.
    deletes(shop.admin().await, &tea, &sellers).await.is(204);
    let pending = shop.admin().await.get("/products/pending?limit=100").await.is(200);
    assert!(!pending.to_string().contains(&tea.id), "{pending}");
}
