//! Selling: sellers change, restock and withdraw what they sell, nobody else does, and what is repeated happens once.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::{Answer, calls};
use tests::aws::Aws;
use tests::shop::{BLUE_PNG, Person, Product, RED_PNG, Shop, order_id, product, unique};
use tests::wait::{a_while, at_once, eventually};

/// An id in our form that nothing has.
const NOBODY: &str = "01a1f83a-c81e-73c6-9369-b8a11a6916c7";

async fn deletes(person: &Person, product: &Product) -> Answer {
    person.request(Method::DELETE, &product.path()).send().await
}

async fn sets_stock(person: &Person, product: &Product, change: &Value) -> Answer {
    person.put(&format!("{}/stock", product.path()), change).await
}

async fn deducts(person: &Person, product: &Product, quantity: u32) -> Answer {
    person.put(&format!("{}/deduct", product.path()), &json!({ "quantity": quantity })).await
}

/// A request with an idempotency key: `stock` or `deduct`.
fn with_key(
    person: &Person,
    (product, what): (&Product, &str),
    key: &str,
    body: &Value,
) -> impl Future<Output = Answer> + use<> {
    let path = format!("{}/{what}", product.path());
    person.request(Method::PUT, &path).header("idempotency-key", key).json(body).send()
}

/// Asks for a URL for another picture.
async fn upload_url(person: &Person, product: &Product, file_name: &str) -> String {
    let body = json!({ "fileName": file_name, "fileType": "image/png" });
    let answer = person.post(&format!("{}/upload-url", product.path()), &body).await.is(201);
    answer["uploadUrl"].as_str().expect("a URL").to_owned()
}

fn replayed(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.header("idempotent-replayed") == Some("true")).count()
}

// ── Changes ────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn what_a_seller_changes_is_shown_once_it_was_approved_again() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let (drinks, teas) = (unique("Drinks").replace(' ', "-"), unique("Teas").replace(' ', "-"));
    let tea = ann.sells(product().named("tea").priced("4.50").stock(10).in_category(&drinks)).await;
    let before = ann.own(&tea).await.expect("her own");
    let change =
        json!({ "productName": "green tea", "productPrice": 5.25, "description": "Mild.", "category": teas });
    let answer = ann.put(&tea.path(), &change).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
    let changed = answer.is(200);
    let mut expected = before.clone();
    for (member, value) in change.as_object().expect("an object") {
        expected[member] = value.clone();
    }
    expected["updatedAt"] = changed["updatedAt"].clone();
    expected["version"] = json!(before["version"].as_u64().expect("a version") + 1);
    expected["isApproved"] = json!(false);
    assert_eq!(changed, expected);
    assert!(changed["updatedAt"].as_str() > before["updatedAt"].as_str(), "{changed}");
    assert_eq!(ann.own(&tea).await, Some(changed));
    shop.get(&tea.path()).await.is_problem(404, "not-found");
    ann.tries_to_buy(&tea, 1).await.is_problem(409, "not-for-sale");
    let page = shop.admin().await.get("/products/pending?limit=100").await.is(200);
    assert!(page.to_string().contains(&tea.id), "{page}");
    approves(&shop, &tea).await;
    let shown = shop.get(&tea.path()).await.is(200);
    assert_eq!((&shown["productName"], &shown["productPrice"]), (&json!("green tea"), &json!(5.25)));
    for (category, found) in [(drinks, 0), (teas, 1)] {
        let page = shop.get(&format!("/products?category={category}")).await.is(200);
        assert_eq!(page["products"].as_array().map(Vec::len), Some(found), "{category}");
    }
}

async fn approves(shop: &Shop, product: &Product) {
    let approval = format!("{}/approval", product.path());
    shop.admin().await.put(&approval, &json!({ "approved": true })).await.is(200);
}

#[tokio::test]
async fn name_description_category_and_half_a_price_take_it_off_sale_and_nothing_else_does() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().named("tea").priced("8").stock(50)).await;
    for (change, stays) in [
        (json!({ "productPrice": 4 }), true),
        (json!({ "productPrice": 100 }), true),
        (json!({ "productPrice": 8 }), false),
        (json!({ "productPrice": 3.99 }), false),
        (json!({ "productName": "http://cheap.example" }), false),
        (json!({ "description": "As seen elsewhere." }), false),
        (json!({ "category": unique("Other") }), false),
        (json!({ "productName": "http://cheap.example", "productPrice": 3.99 }), true),
    ] {
        let changed = ann.put(&tea.path(), &change).await.is(200);
        assert_eq!(changed["isApproved"], stays, "{change}");
        if stays {
            ann.buys(&tea, 1).await;
        } else {
            shop.get(&tea.path()).await.is_problem(404, "not-found");
            ann.tries_to_buy(&tea, 1).await.is_problem(409, "not-for-sale");
            approves(&shop, &tea).await;
            assert_eq!(shop.get(&tea.path()).await.is(200)["imageUrl"], changed["imageUrl"]);
        }
    }
}

#[tokio::test]
async fn a_price_that_falls_in_steps_falls_no_further_than_one_that_falls_at_once() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().priced("10")).await;
    for (price, stays) in [(6, true), (5, true), (4, false)] {
        let changed = ann.put(&tea.path(), &json!({ "productPrice": price })).await.is(200);
        assert_eq!(changed["isApproved"], stays, "{price}");
    }
    approves(&shop, &tea).await;
    let changed = ann.put(&tea.path(), &json!({ "productPrice": 2 })).await.is(200);
    assert_eq!(changed["isApproved"], true, "an admin agreed to 4");
}

/// A change of a product by what `If-Match` says.
async fn changes_if(person: &Person, (method, path): (Method, &str), if_match: &str, body: &Value) -> Answer {
    let request = person.request(method, path).header("if-match", if_match);
    if body.is_null() { request.send().await } else { request.json(body).send().await }
}

#[tokio::test]
async fn a_change_is_of_the_version_that_was_seen() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").priced("4.50").stock(9)).await;
    let own = format!("/users/me{}", tea.path());
    let tag = async |path: &str| ann.get(path).await.header("etag").expect("a tag").to_owned();
    let (of_all, of_own) = (tag(&tea.path()).await, tag(&own).await);
    let version = ann.get(&own).await.is(200)["version"].clone();
    for tag in [&of_all, &of_own] {
        assert!(tag.starts_with(&format!("\"{version}-")), "{tag} is of version {version}");
    }
    // A sale is no other version.
    bob.buys(&tea, 1).await;
    assert_ne!(tag(&tea.path()).await, of_all);
    let handed_over = async || ann.own(&tea).await.filter(|tea| tea["promised"] == 0);
    eventually("what was sold is handed over", handed_over).await;
    let reprice = json!({ "productPrice": 5 });
    changes_if(&ann, (Method::PUT, &tea.path()), &of_all, &reprice).await.is(200);

    // Now all that was seen is of another version, and nothing of it is written over.
    let (approval, upload) = (format!("{}/approval", tea.path()), format!("{}/upload-url", tea.path()));
    let pictures = format!("{}/pictures", tea.path());
    let picture = json!({ "fileName": "b.png", "fileType": "image/png" });
    let before = ann.own(&tea).await;
    let admin = shop.admin().await;
    for stale in [of_all.as_str(), &of_own, &format!("W/{}", tag(&own).await), "nonsense", "\"1\", \"2\""] {
        for (person, method, path, body) in [
            (&ann, Method::PUT, tea.path(), json!({ "productPrice": 6 })),
            (&ann, Method::DELETE, tea.path(), Value::Null),
            (&ann, Method::POST, upload.clone(), picture.clone()),
            (&ann, Method::POST, pictures.clone(), picture.clone()),
            (&ann, Method::PUT, pictures.clone(), json!({ "pictures": [NOBODY] })),
            (&ann, Method::DELETE, format!("{pictures}/{NOBODY}"), Value::Null),
            (admin, Method::PUT, approval.clone(), json!({ "approved": false })),
            (admin, Method::DELETE, tea.path(), Value::Null),
        ] {
            let answer = changes_if(person, (method, &path), stale, &body).await;
            answer.is_problem(412, "precondition-failed");
        }
    }
    assert_eq!(ann.own(&tea).await, before);
    // Who may not change it is told so, and of what is not there that it is not.
    changes_if(&bob, (Method::PUT, &tea.path()), &of_all, &reprice).await.is_problem(403, "forbidden");
    let nothing = format!("/products/{NOBODY}");
    changes_if(&ann, (Method::DELETE, &nothing), &of_all, &Value::Null).await.is_problem(404, "not-found");

    let newest = tag(&own).await;
    changes_if(&ann, (Method::POST, &upload), &newest, &picture).await.is(201);
    changes_if(admin, (Method::PUT, &approval), &newest, &json!({ "approved": false })).await.is(200);
    changes_if(&ann, (Method::PUT, &tea.path()), "*", &json!({ "productPrice": 7 })).await.is(200);
    let version = ann.own(&tea).await.expect("her own")["version"].clone();
    let either = format!("\"1-a\", \"{version}\"");
    changes_if(&ann, (Method::DELETE, &tea.path()), &either, &Value::Null).await.is(204);
}

#[tokio::test]
async fn a_condition_on_what_has_no_versions_is_refused_and_changes_nothing() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().named("tea").stock(9)).await;
    for (method, path, body) in [
        (Method::PUT, format!("{}/stock", tea.path()), json!({ "set": 1 })),
        (Method::PUT, format!("{}/deduct", tea.path()), json!({ "quantity": 1 })),
        (Method::POST, "/products".into(), json!({})),
        (Method::POST, "/create-order".into(), json!({ "id": tea.id, "quantity": 1 })),
    ] {
        for condition in ["*", "\"1\"", "nonsense"] {
            let answer = changes_if(&ann, (method.clone(), &path), condition, &body).await;
            answer.is_problem(412, "precondition-failed");
        }
    }
    assert_eq!(shop.stock_of(&tea).await, 9);
}

#[tokio::test]
async fn what_is_not_named_stays_and_what_is_so_already_changes_nothing() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.lists(product().named("tea").priced("4.50")).await;
    let before = ann.own(&tea).await.expect("her own");
    let same = json!({ "productName": " tea ", "productPrice": 4.5, "category": null });
    assert_eq!(ann.put(&tea.path(), &same).await.is(200), before);
    let changed = ann.put(&tea.path(), &json!({ "description": "Mild." })).await.is(200);
    assert_eq!((&changed["description"], &changed["productName"]), (&json!("Mild."), &before["productName"]));
}

#[tokio::test]
async fn a_change_has_something_to_change_and_keeps_the_rules() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.lists(product().named("tea")).await;
    let before = ann.own(&tea).await.expect("her own");
    for nothing in [json!({}), json!({ "productName": null })] {
        ann.put(&tea.path(), &nothing).await.is_problem(422, "invalid-input").at(["#"]);
    }
    let faults = json!({ "productName": "", "productPrice": 0.001, "description": 7, "category": "\u{0}" });
    let problem = ann.put(&tea.path(), &faults).await.is_problem(422, "invalid-input");
    problem.at(["#/productName", "#/productPrice", "#/description", "#/category"]);
    for other in ["quantity", "isApproved", "ownerId", "imageUrl", "fileName"] {
        let body = json!({ "productName": "coffee", other: 1 });
        let problem = ann.put(&tea.path(), &body).await.is_problem(422, "invalid-input");
        assert!(problem.places().contains(format!("#/{other}").as_str()), "{}", problem.body);
    }
    assert_eq!(ann.own(&tea).await, Some(before));
}

#[tokio::test]
async fn what_a_seller_mends_after_a_rejection_waits_for_another_decision() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().named("tea")).await;
    let rejection = json!({ "approved": false, "reason": "What kind of tea?" });
    shop.admin().await.put(&format!("{}/approval", tea.path()), &rejection).await.is(200);
    let mended = ann.put(&tea.path(), &json!({ "description": "Green tea." })).await.is(200);
    assert_eq!((&mended["isApproved"], &mended["rejectionReason"]), (&json!(false), &Value::Null));
    let page = shop.admin().await.get("/products/pending?limit=100").await.is(200);
    assert!(page.to_string().contains(&tea.id), "{page}");
}

#[tokio::test]
async fn changes_at_the_same_time_are_not_lost() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").priced("4.50").stock(50)).await;
    // Its seller's would take it off sale.
    let admin = shop.admin().await;
    let put = async |body: Value| admin.put(&tea.path(), &body).await;
    let ten_more = json!({ "add": 10 });
    let (name, text, stock, order) = tokio::join!(
        put(json!({ "productName": "green tea" })),
        put(json!({ "description": "Mild." })),
        sets_stock(&ann, &tea, &ten_more),
        bob.tries_to_buy(&tea, 3),
    );
    for answer in [name, text, stock] {
        answer.is(200);
    }
    order.is(201);
    let own = ann.own(&tea).await.expect("her own");
    assert_eq!(
        (&own["productName"], &own["description"], &own["quantity"]),
        (&json!("green tea"), &json!("Mild."), &json!(57))
    );
}

// ── Others ─────────────────────────────────────────────────────────────────────────────────────────────────

/// Everything that a seller can do to a product.
async fn every_change(person: &Person, id: &str) -> Vec<Answer> {
    let path = format!("/products/{id}");
    let picture = json!({ "fileName": "a.png", "fileType": "image/png" });
    let deduction = (Method::PUT, "/deduct", json!({ "quantity": 1 }));
    vec![
        person.put(&path, &json!({ "productPrice": 0.01 })).await,
        person.request(Method::DELETE, &path).send().await,
        person.post(&format!("{path}/upload-url"), &picture).await,
        person.post(&format!("{path}/pictures"), &picture).await,
        person.put(&format!("{path}/pictures"), &json!({ "pictures": [id] })).await,
        person.request(Method::DELETE, &format!("{path}/pictures/{id}")).send().await,
        person.put(&format!("{path}/stock"), &json!({ "set": 0 })).await,
        person.put(&format!("{path}/stock"), &json!({ "add": -1 })).await,
        person.put(&format!("{path}{}", deduction.1), &deduction.2).await,
        person
            .request(deduction.0, &format!("{path}{}", deduction.1))
            .header("idempotency-key", "k")
            .json(&deduction.2)
            .send()
            .await,
    ]
}

#[tokio::test]
async fn someone_elses_waiting_product_is_not_there_to_be_changed() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.lists(product().named("tea").stock(5)).await;
    let before = ann.own(&tea).await.expect("her own");
    let of_nothing = every_change(&bob, NOBODY).await;
    for (of_another, of_nothing) in every_change(&bob, &tea.id).await.into_iter().zip(of_nothing) {
        assert_eq!(
            of_another.is_problem(404, "not-found").body,
            of_nothing.is_problem(404, "not-found").body
        );
    }
    assert_eq!(ann.own(&tea).await, Some(before));
}

#[tokio::test]
async fn someone_elses_product_that_is_for_sale_is_forbidden() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let before = ann.own(&tea).await.expect("her own");
    for answer in every_change(&bob, &tea.id).await {
        answer.is_problem(403, "forbidden");
    }
    assert_eq!(ann.own(&tea).await, Some(before));
}

#[tokio::test]
async fn an_admin_changes_every_product() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let admin = shop.admin().await;
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let changed = admin.put(&tea.path(), &json!({ "productName": "green tea" })).await.is(200);
    assert_eq!((&changed["isApproved"], &changed["email"]), (&json!(true), &json!(ann.email)));
    sets_stock(admin, &tea, &json!({ "add": 2 })).await.is(200);
    assert_eq!(deducts(admin, &tea, 1).await.is(200), json!({ "id": tea.id, "quantity": 6 }));
    upload_url(admin, &tea, "tea.png").await;
    assert_eq!(deletes(admin, &tea).await.is(204), Value::Null);
    assert_eq!(ann.own(&tea).await, None);
}

// ── Pictures ───────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn the_old_picture_stays_until_the_new_one_was_approved() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().named("tea")).await;
    let before = ann.own(&tea).await.expect("her own");
    let url = upload_url(&ann, &tea, "blue tea.png").await;
    assert_eq!(ann.own(&tea).await, Some(before.clone()));
    assert_eq!(shop.upload(&url, "image/png", b"no picture".to_vec()).await, 200);
    let refused = ann.own_once(&tea, "the file was looked at", |own| own["imageRejection"].is_string()).await;
    assert_eq!((&refused["imageUrl"], &refused["isApproved"]), (&before["imageUrl"], &json!(true)));
    assert_eq!(shop.upload(&url, "image/png", BLUE_PNG.to_vec()).await, 200);
    let waits = ann.own_once(&tea, "the other one waits", |own| own["waitingPicture"].is_object()).await;
    assert_eq!(
        (&waits["imageUrl"], &waits["isApproved"], &waits["imageRejection"]),
        (&before["imageUrl"], &json!(true), &Value::Null)
    );
    approves(&shop, &tea).await;
    let blue = ann.own(&tea).await.expect("her own");
    assert_eq!((&blue["fileName"], &blue["isApproved"]), (&json!("blue tea.png"), &json!(true)));
    let picture = shop.download(blue["imageUrl"].as_str().expect("a picture")).await;
    assert_eq!(picture.bytes().await.expect("bytes"), BLUE_PNG);
}

#[tokio::test]
async fn the_newest_upload_wins_in_whatever_order_they_come() {
    let shop = Shop::open();
    let aws = Aws::open().await;
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().named("tea")).await;
    let older = upload_url(&ann, &tea, "older.png").await;
    let newer = upload_url(&ann, &tea, "newer.png").await;
    assert_eq!(shop.upload(&newer, "image/png", BLUE_PNG.to_vec()).await, 200);
    let newer_one = |own: &Value| own["waitingPicture"]["fileName"] == "newer.png";
    let blue = ann.own_once(&tea, "the newer one waits", newer_one).await;
    assert_eq!(shop.upload(&older, "image/png", RED_PNG.to_vec()).await, 200);
    eventually("the older one was dealt with", async || {
        let keys = aws.objects_of(&tea.id).await;
        (!keys.iter().any(|key| key.starts_with("uploads/"))).then_some(())
    })
    .await;
    let own = ann.own(&tea).await.expect("her own");
    assert_eq!((&own["version"], newer_one(&own)), (&blue["version"], true));
    assert_eq!(aws.objects_of(&tea.id).await.len(), 2, "what is shown and what waits");
}

#[tokio::test]
async fn a_url_for_a_picture_takes_what_was_declared() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.lists(product()).await;
    let url = upload_url(&ann, &tea, "tea.png").await;
    assert_eq!(shop.upload(&url, "image/jpeg", RED_PNG.to_vec()).await, 403);
    let path = format!("{}/upload-url", tea.path());
    let faults = json!({ "fileName": "", "fileType": "image/svg+xml", "fileSize": 0 });
    let problem = ann.post(&path, &faults).await.is_problem(422, "invalid-input");
    problem.at(["#/fileName", "#/fileType", "#/fileSize"]);
    let sized = json!({ "fileName": "a.png", "fileType": "image/png", "fileSize": RED_PNG.len() });
    let answer = ann.post(&path, &sized).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
    let url = answer.is(201)["uploadUrl"].as_str().expect("a URL").to_owned();
    assert_eq!(shop.upload(&url, "image/png", [RED_PNG, &[0]].concat()).await, 403);
    assert_eq!(shop.upload(&url, "image/png", RED_PNG.to_vec()).await, 200);
    ann.own_once(&tea, "its picture waits", |own| own["waitingPicture"].is_object()).await;
}

// ── Stock ──────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_stock_is_set_added_to_and_taken_from() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let before = ann.own(&tea).await.expect("her own");
    assert_eq!(before["promised"], 0);
    for (change, stock) in [
        (json!({ "set": 40 }), 40),
        (json!({ "add": 2 }), 42),
        (json!({ "set": 50, "expected": 42 }), 50),
        (json!({ "add": -50 }), 0),
        (json!({ "set": 1_000_000 }), 1_000_000),
        (json!({ "add": 0 }), 1_000_000),
        (json!({ "set": 0, "expected": null }), 0),
    ] {
        let answer = sets_stock(&ann, &tea, &change).await;
        assert_eq!(answer.calls(), calls([("dynamodb", 2)]), "{change}");
        let mut expected = before.clone();
        expected["quantity"] = json!(stock);
        assert_eq!(answer.is(200), expected, "{change}");
        assert_eq!(shop.stock_of(&tea).await, stock);
    }
}

#[tokio::test]
async fn a_stock_is_never_below_zero_nor_over_the_limit() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let problem = sets_stock(&ann, &tea, &json!({ "add": -6 })).await.is_problem(409, "out-of-stock");
    assert_eq!((&problem.body["productId"], &problem.body["available"]), (&json!(tea.id), &json!(5)));
    let problem = deducts(&ann, &tea, 6).await.is_problem(409, "out-of-stock");
    assert_eq!((&problem.body["productId"], &problem.body["available"]), (&json!(tea.id), &json!(5)));
    let problem = sets_stock(&ann, &tea, &json!({ "add": 999_996 })).await.is_problem(409, "stock-limit");
    assert_eq!((&problem.body["productId"], &problem.body["available"]), (&json!(tea.id), &json!(5)));
    for (body, place) in [
        (json!({}), "#"),
        (json!({ "set": 1, "add": 1 }), "#"),
        (json!({ "set": -1 }), "#/set"),
        (json!({ "set": 1_000_001 }), "#/set"),
        (json!({ "add": -1_000_001 }), "#/add"),
        (json!({ "add": 0.5 }), "#/add"),
        (json!({ "set": 1, "expected": -1 }), "#/expected"),
        (json!({ "add": 1, "expected": 5 }), "#/expected"),
        (json!({ "expected": 5 }), "#"),
    ] {
        sets_stock(&ann, &tea, &body).await.is_problem(422, "invalid-input").at([place]);
    }
    for quantity in [0, 1_000_001] {
        deducts(&ann, &tea, quantity).await.is_problem(422, "invalid-input").at(["#/quantity"]);
    }
    assert_eq!(shop.stock_of(&tea).await, 5);
}

#[tokio::test]
async fn a_stock_that_is_not_what_the_seller_saw_is_told_and_stays() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let saw = ann.own(&tea).await.expect("her own")["quantity"].clone();
    bob.buys(&tea, 2).await;
    let counted = json!({ "set": 12, "expected": saw });
    let answer = sets_stock(&ann, &tea, &counted).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    let problem = answer.is_problem(409, "stock-changed");
    assert_eq!((&problem.body["productId"], &problem.body["available"]), (&json!(tea.id), &json!(3)));
    assert_eq!(shop.stock_of(&tea).await, 3);
    // With what the answer says it goes through; with a key as well, and then once.
    let again = json!({ "set": 12, "expected": problem.body["available"] });
    for replay in [None, Some("true")] {
        let answer = with_key(&ann, (&tea, "stock"), "counted", &again).await;
        assert_eq!(answer.header("idempotent-replayed"), replay);
        assert_eq!(answer.is(200)["quantity"], 12);
    }
    assert_eq!(shop.stock_of(&tea).await, 12);
}

#[tokio::test]
async fn a_hundred_deductions_of_thirty_pieces_are_thirty() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().named("tea").stock(30)).await;
    let answers = at_once(100, |number| {
        let body = json!({ "quantity": 1 });
        let path = format!("{}/deduct", tea.path());
        let request = ann.request(Method::PUT, &path).json(&body);
        // With a key of its own, or without one: no difference.
        let key = format!("key-{number}");
        let request = if number % 2 == 0 { request.header("idempotency-key", &key) } else { request };
        request.send()
    });
    let mut deducted = 0;
    for answer in answers.await {
        if answer.status == 200 {
            assert_eq!(answer.is(200)["id"], tea.id.as_str());
            deducted += 1;
        } else {
            assert_eq!(answer.is_problem(409, "out-of-stock").body["available"], 0);
        }
    }
    assert_eq!(deducted, 30);
    assert_eq!(shop.stock_of(&tea).await, 0);
}

#[tokio::test]
async fn twenty_changes_with_one_key_are_one() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().named("tea").stock(50)).await;
    for (what, body, left) in [
        ("deduct", json!({ "quantity": 7 }), 43),
        ("stock", json!({ "add": 5 }), 48),
        ("stock", json!({ "set": 20 }), 20),
    ] {
        let key = format!("the only {left}").replace(' ', "-");
        let answers = at_once(20, |_| with_key(&ann, (&tea, what), &key, &body)).await;
        assert_eq!(replayed(&answers), 19, "{what} {body}");
        for answer in answers {
            assert_eq!(answer.is(200)["quantity"], left, "{what} {body}");
        }
        assert_eq!(shop.stock_of(&tea).await, left);
    }
}

#[tokio::test]
async fn a_repetition_has_no_effect_even_when_nothing_is_left() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let five = json!({ "quantity": 5 });
    let first = with_key(&ann, (&tea, "deduct"), "k", &five).await;
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(first.calls(), calls([("dynamodb", 2)]));
    assert_eq!(first.is(200), json!({ "id": tea.id, "quantity": 0 }));
    let again = with_key(&ann, (&tea, "deduct"), "k", &five).await;
    // The transaction that was refused, what the key's record says if it was not told, and the stock as it is now.
    let dynamodb = again.calls()["dynamodb"];
    assert!((2..=3).contains(&dynamodb), "{dynamodb}");
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.is(200), json!({ "id": tea.id, "quantity": 0 }));
    with_key(&ann, (&tea, "deduct"), "another", &five).await.is_problem(409, "out-of-stock");
    // A refusal leaves its key free.
    sets_stock(&ann, &tea, &json!({ "set": 12 })).await.is(200);
    assert_eq!(with_key(&ann, (&tea, "deduct"), "another", &five).await.is(200)["quantity"], 7);
    assert_eq!(with_key(&ann, (&tea, "deduct"), "k", &five).await.is(200)["quantity"], 7);
}

#[tokio::test]
async fn a_key_is_for_one_person_route_product_and_body() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().named("tea").stock(50)).await;
    let mug = ann.sells(product().named("mug").stock(50)).await;
    let one = json!({ "quantity": 1 });
    with_key(&ann, (&tea, "deduct"), "k", &one).await.is(200);
    let reused = "idempotency-key-reused";
    with_key(&ann, (&tea, "deduct"), "k", &json!({ "quantity": 2 })).await.is_problem(422, reused);
    with_key(&ann, (&mug, "deduct"), "k", &one).await.is_problem(422, reused);
    with_key(&ann, (&tea, "stock"), "k", &json!({ "add": -1 })).await.is(200);
    with_key(shop.admin().await, (&tea, "deduct"), &unique("k").replace(' ', "-"), &one).await.is(200);
    with_key(&ann, (&tea, "deduct"), "a b", &one)
        .await
        .is_problem(422, "invalid-input")
        .at(["Idempotency-Key"]);
    assert_eq!((shop.stock_of(&tea).await, shop.stock_of(&mug).await), (47, 50));
}

#[tokio::test]
async fn orders_and_changes_of_stock_are_counted_together() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(20)).await;
    let answers = at_once(30, |number| {
        let (ann, bob, tea) = (ann.clone(), bob.clone(), tea.clone());
        async move {
            match number % 3 {
                0 => ("add", sets_stock(&ann, &tea, &json!({ "add": 1 })).await),
                1 => ("order", bob.tries_to_buy(&tea, 1).await),
                _ => ("deduct", deducts(&ann, &tea, 1).await),
            }
        }
    });
    let mut done = BTreeMap::new();
    for (what, answer) in answers.await {
        assert!([200, 201].contains(&answer.status), "{} {}", answer.request, answer.body);
        *done.entry(what).or_insert(0) += 1;
    }
    assert_eq!(done, [("add", 10), ("deduct", 10), ("order", 10)].into());
    assert_eq!(shop.stock_of(&tea).await, 10);
}

// ── The end ────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_deleted_product_is_gone_and_stays_in_its_orders() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let category = unique("Teas").replace(' ', "-");
    let tea = ann.sells(product().named("tea").priced("4.50").stock(5).in_category(&category)).await;
    let order = bob.buys(&tea, 2).await;
    let before = bob.order(&order).await;
    let answer = deletes(&ann, &tea).await;
    // What waits and what is shown is listed, and what there is of it deleted.
    assert_eq!(answer.calls(), calls([("dynamodb", 1), ("s3", 3)]));
    assert_eq!(answer.is(204), Value::Null);
    assert_eq!(Aws::open().await.objects_of(&tea.id).await, [""; 0]);
    deletes(&ann, &tea).await.is_problem(404, "not-found");
    shop.get(&tea.path()).await.is_problem(404, "not-found");
    assert_eq!(ann.own(&tea).await, None);
    let page = shop.get(&format!("/products?category={category}")).await.is(200);
    assert_eq!(page["products"], json!([]));
    bob.tries_to_buy(&tea, 1).await.is_problem(409, "not-for-sale");
    for answer in every_change(&ann, &tea.id).await {
        answer.is_problem(404, "not-found");
    }
    let shipped = bob.order_once(&order, "shipping").await;
    assert_eq!((&shipped["items"], &shipped["total"]), (&before["items"], &json!(9)));
}

#[tokio::test]
async fn an_order_with_a_deleted_product_is_released_without_it() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let mug = ann.sells(product().named("mug").stock(100)).await;
    let (mut bought, mut cancelled) = (0, None);
    // An order may ship before it can be cancelled.
    for _ in 0..10 {
        let tea = ann.sells(product().named("tea").stock(5)).await;
        let items = json!([{ "id": tea.id, "quantity": 2 }, { "id": mug.id, "quantity": 3 }]);
        let order = order_id(&bob.post("/orders", &json!({ "items": items })).await.is(201));
        deletes(&ann, &tea).await.is(204);
        let answer = bob.cancels(&order).await;
        if answer.status == 200 {
            cancelled = Some((tea, answer.is(200)));
            break;
        }
        answer.is_problem(409, "not-cancellable");
        bought += 3;
    }
    let (tea, order) = cancelled.expect("one order in ten is cancelled before it ships");
    assert_eq!(order["status"], "cancelled");
    assert_eq!(order["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(shop.stock_of(&mug).await, 100 - bought);
    assert_eq!(ann.own(&tea).await, None, "giving back its pieces brought it back");
}

#[tokio::test]
async fn a_picture_that_comes_after_the_end_brings_nothing_back() {
    let shop = Shop::open();
    let aws = Aws::open().await;
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().named("tea")).await;
    let url = upload_url(&ann, &tea, "late.png").await;
    deletes(&ann, &tea).await.is(204);
    assert_eq!(shop.upload(&url, "image/png", BLUE_PNG.to_vec()).await, 200);
    let keys = eventually("the upload is gone", async || {
        let keys = aws.objects_of(&tea.id).await;
        (!keys.iter().any(|key| key.starts_with("uploads/"))).then_some(keys)
    });
    assert_eq!(keys.await, [""; 0], "a picture of nothing was published");
    a_while().await;
    assert_eq!(ann.own(&tea).await, None);
    shop.get(&tea.path()).await.is_problem(404, "not-found");
}
