//! Stores: somebody opens one, everyone sees it and orders from it, and from one moment to the next nobody does.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::calls;
use tests::shop::{BLUE_PNG, Person, Product, RED_PNG, Shop, order_id, product, unique};
use tests::wait::eventually;

/// An id in our form that nothing has.
const NOBODY: &str = "01a1f83a-c81e-73c6-9369-b8a11a6916c7";

/// A store that nobody else sees yet, by its id.
async fn opened(owner: &Person, name: &str) -> String {
    let store = owner.post("/stores", &json!({ "name": unique(name) })).await.is(201);
    store["id"].as_str().expect("an id").to_owned()
}

async fn set(person: &Person, store: &str, status: &str) -> Value {
    person.put(&format!("/stores/{store}/status"), &json!({ "status": status })).await.is(200)
}

async fn published(owner: &Person, name: &str) -> String {
    let store = opened(owner, name).await;
    set(owner, &store, "published").await;
    store
}

/// One of a person's stores, as its owner sees it.
async fn own(owner: &Person, store: &str) -> Value {
    let page = owner.get("/users/me/stores").await.is(200);
    let found = page["stores"].as_array().expect("stores").iter().find(|own| own["id"] == store).cloned();
    found.expect("it is there")
}

fn has(page: &Value, product: &Product) -> bool {
    let products = page["products"].as_array().expect("products");
    products.iter().any(|one| one["id"] == product.id.as_str())
}

/// Whether everyone sees a product on its page, and in the list of its category.
async fn seen(shop: &Shop, product: &Product, category: &str) -> [bool; 2] {
    let on_its_page = shop.get(&product.path()).await.status == 200;
    let of_category = shop.get(&format!("/products?category={}", category.replace(' ', "+"))).await.is(200);
    [on_its_page, has(&of_category, product)]
}

/// Whether everyone sees it in the list of all products, which other tests make longer.
async fn is_listed(shop: &Shop, product: &Product) -> bool {
    let mut query = "?limit=100".to_owned();
    loop {
        let page = shop.get(&format!("/products{query}")).await.is(200);
        if has(&page, product) {
            return true;
        }
        let Some(cursor) = page["nextCursor"].as_str() else { return false };
        query = format!("?limit=100&cursor={cursor}");
    }
}

/// A product but for its pieces, which are sold and sent meanwhile.
fn but_for_pieces(mut product: Value) -> Value {
    let members = product.as_object_mut().expect("a product");
    members.retain(|name, _| !matches!(name.as_str(), "quantity" | "promised"));
    product
}

#[tokio::test]
async fn what_somebody_opens_and_publishes_everyone_sees() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let name = unique("Ann's Tea House");
    let body =
        json!({ "name": name, "description": "Leaves.\nAnd cups.", "supportEmail": "Help@Tea.example" });
    let answer = ann.post("/stores", &body).await;
    // The limit and the store.
    assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
    // Nothing is there for everyone yet.
    assert_eq!(answer.header("location"), None);
    let draft = answer.is(201);
    let (id, at) = (draft["id"].as_str().expect("an id"), &draft["createdAt"]);
    let location = format!("/stores/{id}");
    let expected = json!({
        "id": id, "name": name, "description": "Leaves.\nAnd cups.", "supportEmail": "help@tea.example",
        "createdAt": at, "status": "draft", "updatedAt": at, "version": 1,
        "rating": { "average": null, "count": 0 }
    });
    assert_eq!(draft, expected);
    shop.get(&location).await.is_problem(404, "not-found");
    shop.get(&format!("{location}/products")).await.is_problem(404, "not-found");
    let answer = ann.get("/users/me/stores").await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    assert_eq!(answer.is(200), json!({ "stores": [expected], "nextCursor": null }));

    let answer = ann.put(&format!("{location}/status"), &json!({ "status": "published" })).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
    assert_eq!((&answer.body["status"], &answer.body["version"]), (&json!("published"), &json!(2)));
    answer.is(200);
    let answer = shop.get(&location).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    assert!(answer.header("etag").is_some_and(|tag| tag.starts_with("\"2-")));
    let everyone = json!({
        "id": id, "name": name, "description": "Leaves.\nAnd cups.", "supportEmail": "help@tea.example",
        "createdAt": at, "rating": { "average": null, "count": 0 }
    });
    assert_eq!(answer.is(200), everyone);
    let answer = shop.get(&format!("{location}/products")).await;
    // A store without products has no offers: its gate alone is read.
    assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
    assert_eq!(answer.is(200), json!({ "products": [], "nextCursor": null }));
    let mut query = "?limit=50".to_owned();
    loop {
        let answer = shop.get(&format!("/stores{query}")).await;
        assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
        let page = answer.is(200);
        if page["stores"].as_array().expect("stores").contains(&everyone) {
            break;
        }
        query = format!("?limit=50&cursor={}", page["nextCursor"].as_str().expect("it is on some page"));
    }
    for kind in ["store.opened", "store.published"] {
        eventually("it is in her log", async || {
            let log = ann.get(&format!("/users/me/activity?kind={kind}")).await.is(200);
            log["activity"]
                .as_array()
                .expect("a log")
                .iter()
                .any(|entry| entry["subject"] == id)
                .then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_store_is_changed_by_its_owner_and_the_version_that_was_seen() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let store = opened(&ann, "Tea").await;
    let path = format!("/stores/{store}");
    let answer =
        ann.put(&path, &json!({ "description": "Green.", "supportEmail": "help@tea.example" })).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    let changed = answer.is(200);
    assert_eq!((&changed["description"], &changed["version"]), (&json!("Green."), &json!(2)));
    let without = ann.put(&path, &json!({ "description": null })).await.is(200);
    assert_eq!(
        (&without["description"], &without["supportEmail"]),
        (&Value::Null, &json!("help@tea.example"))
    );
    // The same name, written otherwise, needs no other one.
    let name = without["name"].as_str().expect("a name").to_uppercase();
    let answer = ann.put(&path, &json!({ "name": name })).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    assert_eq!(answer.is(200)["name"], name.as_str());
    let name = unique("Coffee");
    let answer = ann.put(&path, &json!({ "name": name })).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
    let renamed = answer.is(200);
    assert_eq!((&renamed["name"], &renamed["version"]), (&json!(name), &json!(5)));

    let stale =
        ann.request(Method::PUT, &path).header("if-match", "\"4\"").json(&json!({ "description": "Red." }));
    stale.send().await.is_problem(412, "precondition-failed");
    let fresh =
        ann.request(Method::PUT, &path).header("if-match", "\"5\"").json(&json!({ "description": "Red." }));
    assert_eq!(fresh.send().await.is(200)["version"], 6);
    bob.put(&path, &json!({ "description": "Mine." })).await.is_problem(404, "not-found");
    set(&ann, &store, "published").await;
    bob.put(&path, &json!({ "description": "Mine." })).await.is_problem(403, "forbidden");
    bob.put(&format!("{path}/status"), &json!({ "status": "deactivated" }))
        .await
        .is_problem(403, "forbidden");
    let answer = shop.admin().await.put(&path, &json!({ "description": "As it is." })).await;
    // Whether its caller still is an admin, and the change.
    assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
    answer.is(200);
    ann.put(&format!("/stores/{NOBODY}"), &json!({ "description": "Mine." }))
        .await
        .is_problem(404, "not-found");
    ann.put(&path, &json!({})).await.is_problem(422, "invalid-input");
    ann.put(&path, &json!({ "name": "\u{200b}", "supportEmail": "nowhere" }))
        .await
        .is_problem(422, "invalid-input")
        .at(["#/name", "#/supportEmail"]);
}

#[tokio::test]
async fn a_name_is_one_stores_and_a_person_has_three() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let name = unique("Tea House");
    let store = ann.post("/stores", &json!({ "name": name })).await.is(201);
    for taken in [name.clone(), name.to_uppercase(), name.replace(' ', "-"), format!("  {name}!")] {
        bob.post("/stores", &json!({ "name": taken })).await.is_problem(409, "store-name-taken");
    }
    let other = opened(&bob, "Coffee").await;
    let path = format!("/stores/{other}");
    bob.put(&path, &json!({ "name": name.to_lowercase() })).await.is_problem(409, "store-name-taken");
    // Given up, it is anybody's.
    let path_of_ann = format!("/stores/{}", store["id"].as_str().expect("an id"));
    ann.put(&path_of_ann, &json!({ "name": unique("Mate") })).await.is(200);
    bob.put(&path, &json!({ "name": name })).await.is(200);
    for _ in 0..2 {
        opened(&ann, "Tea").await;
    }
    let most = ann.post("/stores", &json!({ "name": unique("Tea") })).await;
    assert_eq!(most.body["most"], 3);
    most.is_problem(409, "too-many-stores");
}

#[tokio::test]
async fn a_product_of_a_store_is_on_sale_once_that_is_published() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let (store, category) = (opened(&ann, "Tea").await, unique("Teas"));
    let tea =
        product().named("tea").priced("4.50").stock(9).in_category(&category).with("storeId", json!(store));
    bob.post("/products", &tea.body).await.is_problem(422, "invalid-input").at(["#/storeId"]);
    ann.post("/products", &tea.clone().with("storeId", json!(NOBODY)).body)
        .await
        .is_problem(422, "invalid-input")
        .at(["#/storeId"]);
    // Whether her account is open, the limit, and the product.
    let answer = ann.post("/products", &tea.body).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 3)]));
    let tea = Product::listed(&tea, &answer.is(201));
    assert_eq!(shop.upload(&tea.upload_url, "image/png", RED_PNG.to_vec()).await, 200);
    ann.own_once(&tea, "its picture waits", |own| own["waitingPicture"].is_object()).await;
    let (admin, approval) = (shop.admin().await, format!("{}/approval", tea.path()));
    admin.put(&approval, &json!({ "approved": true })).await.is_problem(409, "store-not-published");
    assert_eq!(ann.own(&tea).await.expect("hers")["isApproved"], false);
    set(&ann, &store, "published").await;
    let approved = admin.put(&approval, &json!({ "approved": true })).await.is(200);
    assert_eq!((&approved["isApproved"], &approved["storeId"]), (&json!(true), &json!(store)));

    // Another one of hers is in no store.
    let cup = ann.sells(product().named("cup").in_category(&category)).await;
    assert_eq!(shop.get(&cup.path()).await.is(200).get("storeId"), None);
    let answer = shop.get(&format!("/stores/{store}/products")).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
    let page = answer.is(200);
    assert_eq!((&page["products"][0]["id"], &page["products"][1]), (&json!(tea.id), &Value::Null));
    let mut alone = shop.get(&tea.path()).await.is(200);
    // Lists show the first picture alone.
    alone.as_object_mut().expect("a product").remove("pictures");
    assert_eq!(page["products"][0], alone);

    let answer = bob.tries_to_buy(&tea, 2).await;
    assert_eq!(
        answer.calls(),
        calls([("dynamodb", 3), ("sqs", 1)]),
        "the store's gate is in the transaction"
    );
    bob.order_once(&order_id(&answer.is(201)), "shipping").await;
}

/// S22 of the search's bugs: a store that was switched off was still found, and could be ordered from.
#[tokio::test]
async fn a_store_that_is_switched_off_sells_nothing_and_switched_on_all_is_as_it_was() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let (store, category) = (published(&ann, "Tea").await, unique("Teas"));
    let in_store = |name: &str| {
        let new = product().named(name).priced("4.50").stock(9).in_category(&category);
        new.with("storeId", json!(store))
    };
    let (tea, pot) = (ann.sells(in_store("tea")).await, ann.sells(in_store("pot")).await);
    let cup = ann.sells(product().named("cup").priced("2").stock(9).in_category(&category)).await;
    let as_it_is = async || {
        let own = [ann.own(&tea).await.expect("hers"), ann.own(&pot).await.expect("hers")];
        own.map(but_for_pieces)
    };
    let (page, as_it_was) = (shop.get(&tea.path()).await.is(200), as_it_is().await);
    for item in [&tea, &cup] {
        bob.post("/cart/items", &json!({ "id": item.id, "quantity": 1 })).await.is(200);
    }
    let before = bob.buys(&tea, 1).await;
    let cart = bob.get("/cart").await;
    assert_eq!(cart.calls(), calls([("dynamodb", 2)]));
    let cart = cart.is(200);
    assert_eq!((&cart["canCheckOut"], &cart["amounts"]["total"]), (&json!(true), &json!(6.5)));
    assert_eq!((seen(&shop, &tea, &category).await, is_listed(&shop, &tea).await), ([true; 2], true));

    let off = ann.put(&format!("/stores/{store}/status"), &json!({ "status": "deactivated" })).await.is(200);
    assert_eq!((&off["status"], &off["deactivatedBy"]), (&json!("deactivated"), &json!("owner")));
    // From the answer on nothing is sold, whoever orders how.
    let items = json!([
        { "id": cup.id, "quantity": 1 }, { "id": pot.id, "quantity": 1 }, { "id": tea.id, "quantity": 1 }
    ]);
    let refused = bob.post("/orders", &json!({ "items": items })).await;
    let lines = json!([
        { "productId": pot.id, "problem": "store-closed" }, { "productId": tea.id, "problem": "store-closed" }
    ]);
    assert_eq!((&refused.body["productId"], &refused.body["lines"]), (&json!(pot.id), &lines));
    refused.is_problem(409, "store-closed");
    bob.tries_to_buy(&tea, 1).await.is_problem(409, "store-closed");
    let by_card = json!({ "items": [{ "id": tea.id, "quantity": 1 }] });
    bob.post("/payments/create-checkout-session", &by_card).await.is_problem(409, "store-closed");
    let seen_cart = bob.get("/cart").await.is(200);
    let line = &seen_cart["items"][0];
    assert_eq!((&line["problem"], &line["productPrice"]), (&json!("store-closed"), &Value::Null));
    assert_eq!(seen_cart["items"][1]["problem"], Value::Null);
    assert_eq!(
        (&seen_cart["problems"], &seen_cart["canCheckOut"]),
        (&json!(["store-closed"]), &json!(false))
    );
    let refused = bob.post("/cart/checkout", &json!({ "expectedTotal": 6.5 })).await;
    let lines = json!([{ "productId": tea.id, "problem": "store-closed" }]);
    assert_eq!(refused.body["lines"], lines);
    refused.is_problem(409, "store-closed");
    // What was ordered before is sent.
    bob.order_once(&before, "shipping").await;
    // Whoever asks for the store finds none, and nobody finds its products.
    shop.get(&format!("/stores/{store}")).await.is_problem(404, "not-found");
    shop.get(&format!("/stores/{store}/products")).await.is_problem(404, "not-found");
    eventually("its products are nowhere", async || {
        let both = (seen(&shop, &tea, &category).await, seen(&shop, &pot, &category).await);
        (both == ([false; 2], [false; 2]) && !is_listed(&shop, &tea).await).then_some(())
    })
    .await;
    assert_eq!(seen(&shop, &cup, &category).await, [true; 2], "it is in no store");
    // A page is short, and its cursor goes on.
    let first = shop.get(&format!("/products?limit=1&category={}", category.replace(' ', "+"))).await.is(200);
    assert_eq!(first["products"][0]["id"], cup.id.as_str());
    let cursor = first["nextCursor"].as_str().expect("more may come");
    let path = format!("/products?limit=1&category={}&cursor={cursor}", category.replace(' ', "+"));
    let second = shop.get(&path).await.is(200);
    assert_eq!(second["products"], json!([]));
    assert!(second["nextCursor"].is_string());
    // Their seller sees them as they are: nothing of them was changed.
    assert_eq!(as_it_is().await, as_it_was);

    set(&ann, &store, "published").await;
    let order = bob.buys(&tea, 1).await;
    bob.order_once(&order, "shipping").await;
    eventually("its products are everywhere again", async || {
        let both = (seen(&shop, &tea, &category).await, seen(&shop, &pot, &category).await);
        (both == ([true; 2], [true; 2]) && is_listed(&shop, &tea).await).then_some(())
    })
    .await;
    assert_eq!(but_for_pieces(shop.get(&tea.path()).await.is(200)), but_for_pieces(page));
    assert_eq!(as_it_is().await, as_it_was, "their versions as well");
    assert_eq!(bob.get("/cart").await.is(200), cart_after_sales(cart, &tea));
    let checked_out = bob.post("/cart/checkout", &json!({ "expectedTotal": 6.5 })).await.is(201);
    bob.order_once(&order_id(&checked_out), "shipping").await;
}

/// The cart with what there is of the product by now.
fn cart_after_sales(mut cart: Value, product: &Product) -> Value {
    let lines = cart["items"].as_array_mut().expect("lines");
    let line = lines.iter_mut().find(|line| line["id"] == product.id.as_str()).expect("it is in the cart");
    line["available"] = json!(line["available"].as_u64().expect("a quantity") - 1);
    cart
}

#[tokio::test]
async fn what_an_admin_switched_off_only_admins_switch_on() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let store = published(&ann, "Tea").await;
    let (admin, path) = (shop.admin().await, format!("/stores/{store}/status"));
    let body = json!({ "status": "deactivated", "reason": "It sells what it must not." });
    let answer = admin.put(&path, &body).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 3)]));
    answer.is(200);
    let off = own(&ann, &store).await;
    assert_eq!((&off["deactivatedBy"], &off["reason"]), (&json!("admin"), &body["reason"]));
    let refused = ann.put(&path, &json!({ "status": "published" })).await;
    assert!(
        refused.body["detail"].as_str().is_some_and(|detail| detail.ends_with("It sells what it must not."))
    );
    refused.is_problem(403, "forbidden");
    // To deactivate it herself changes nothing of that.
    let again = ann.put(&path, &json!({ "status": "deactivated" })).await.is(200);
    assert_eq!((&again["deactivatedBy"], &again["version"]), (&json!("admin"), &off["version"]));
    let on = admin.put(&path, &json!({ "status": "published" })).await.is(200);
    assert_eq!((on.get("deactivatedBy"), on.get("reason")), (None, None));
    shop.get(&format!("/stores/{store}")).await.is(200);
    ann.put(&path, &json!({ "status": "draft" })).await.is_problem(422, "invalid-input").at(["#/status"]);
}

#[tokio::test]
async fn a_store_has_a_logo_and_a_banner_and_says_why_a_file_is_none() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let store = published(&ann, "Tea").await;
    let path = format!("/stores/{store}/upload-url");
    let announced = async |which: &str| {
        let body = json!({ "picture": which, "fileName": "leaf.png", "fileType": "image/png" });
        let answer = ann.post(&path, &body).await;
        // The limit, and whose it is.
        assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
        answer.is(201)["uploadUrl"].as_str().expect("a URL").to_owned()
    };
    let (logo, banner) = (announced("logo").await, announced("banner").await);
    assert_eq!(shop.upload(&logo, "image/png", b"no picture".to_vec()).await, 200);
    eventually("it says why", async || own(&ann, &store).await["logoRejection"].as_str().map(str::to_owned))
        .await;
    assert_eq!(shop.upload(&logo, "image/png", RED_PNG.to_vec()).await, 200);
    assert_eq!(shop.upload(&banner, "image/png", BLUE_PNG.to_vec()).await, 200);
    let shown = eventually("everyone sees both", async || {
        let store = shop.get(&format!("/stores/{store}")).await.is(200);
        (store["logoUrl"].is_string() && store["bannerUrl"].is_string()).then_some(store)
    })
    .await;
    for (which, file) in [("logo", RED_PNG), ("banner", BLUE_PNG)] {
        let url = shown[format!("{which}Url")].as_str().expect("a URL");
        assert!(url.contains(&format!("/images/stores/{store}.{which}/")), "{url}");
        assert_eq!(shop.download(url).await.bytes().await.expect("a picture"), file);
        assert_eq!(shown[format!("{which}Images")]["small"], url, "it is narrower than each of them");
    }
    let mine = own(&ann, &store).await;
    assert_eq!(
        (mine.get("logoRejection"), &mine["version"]),
        (None, &json!(2)),
        "pictures are no other version"
    );

    // Another one takes the old one's place.
    let old = shown["logoUrl"].as_str().expect("a URL").to_owned();
    assert_eq!(shop.upload(&announced("logo").await, "image/png", BLUE_PNG.to_vec()).await, 200);
    eventually("the new one is shown", async || {
        let store = shop.get(&format!("/stores/{store}")).await.is(200);
        (store["logoUrl"] != old.as_str()).then_some(())
    })
    .await;
    eventually("the old one is gone", async || (shop.download(&old).await.status() != 200).then_some(()))
        .await;

    let body = json!({ "picture": "logo", "fileName": "leaf.png", "fileType": "image/png" });
    bob.post(&path, &body).await.is_problem(403, "forbidden");
    bob.post(&format!("/stores/{}/upload-url", opened(&ann, "Mate").await), &body)
        .await
        .is_problem(404, "not-found");
    ann.post(&path, &json!({ "picture": "sign", "fileName": "", "fileType": "image/bmp" }))
        .await
        .is_problem(422, "invalid-input")
        .at(["#/fileName", "#/fileType", "#/picture"]);
}
