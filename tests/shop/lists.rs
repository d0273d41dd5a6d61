//! Lists: pages that together hold every entry once, and cursors that nobody can forge or borrow.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::answer::calls;
use tests::shop::{Person, Shop, order_id, product, unique};
use tests::wait::at_once;

/// The ids of all pages of a list, each page with what it may hold at most.
async fn walk(person: &Person, list: &str, key: &str, id: &str, limit: usize) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let answer = person.get(&format!("{list}?limit={limit}{cursor}")).await;
        let calls_made = answer.calls();
        let page = answer.is(200);
        let entries = page[key].as_array().expect("a page");
        // A page of products is read in two calls, however long it is: the products, and then their offers.
        let dynamodb = if key == "products" && !entries.is_empty() { 2 } else { 1 };
        assert_eq!(calls_made, calls([("dynamodb", dynamodb)]));
        pages.push(entries.iter().map(|entry| entry[id].as_str().expect("an id").to_owned()).collect());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return pages,
        }
    }
}

fn lengths(pages: &[Vec<String>]) -> Vec<usize> {
    pages.iter().map(Vec::len).collect()
}

#[tokio::test]
async fn pages_of_a_hundred_hold_every_product_once() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let mut listed = BTreeSet::new();
    for _ in 0..21 {
        let some = at_once(5, |_| {
            let ann = ann.clone();
            async move { ann.lists(product()).await.id }
        });
        listed.extend(some.await);
    }
    assert_eq!(listed.len(), 105);
    for (limit, expected) in [(100, vec![100, 5]), (35, vec![35, 35, 35]), (52, vec![52, 52, 1])] {
        let pages = walk(&ann, "/users/me/products", "products", "id", limit).await;
        assert_eq!(lengths(&pages), expected);
        assert_eq!(pages.concat().into_iter().collect::<BTreeSet<_>>(), listed);
    }
    let page = ann.get("/users/me/products").await.is(200);
    let products = page["products"].as_array().expect("products");
    assert_eq!(products.len(), 20);
    let times: Vec<_> =
        products.iter().map(|product| product["createdAt"].as_str().expect("a time")).collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older), "not newest first: {times:?}");
}

#[tokio::test]
async fn pages_of_a_hundred_hold_every_order_once() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(1000)).await;
    let mut placed = Vec::new();
    for _ in 0..103 {
        placed.push(bob.buys(&tea, 1).await);
    }
    placed.reverse();
    for (limit, expected) in [(100, vec![100, 3]), (60, vec![60, 43])] {
        let pages = walk(&bob, "/orders", "orders", "orderId", limit).await;
        assert_eq!(lengths(&pages), expected);
        assert_eq!(pages.concat(), placed, "newest first");
    }
    // An order that comes while one walks does not shift the pages.
    let first = bob.get("/orders?limit=50").await.is(200);
    let newest = bob.buys(&tea, 1).await;
    let cursor = first["nextCursor"].as_str().expect("a cursor");
    let second = bob.get(&format!("/orders?limit=100&cursor={cursor}")).await.is(200);
    let seen = [&first, &second].map(|page| page["orders"].as_array().expect("orders").iter().map(order_id));
    let seen: Vec<_> = seen.into_iter().flatten().collect();
    assert_eq!(seen, placed);
    assert!(!seen.contains(&newest));
}

#[tokio::test]
async fn a_category_holds_what_is_approved_of_it() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let (tea, mugs) = (unique("Tea & more"), unique("Mugs"));
    let mut ids = Vec::new();
    for _ in 0..7 {
        ids.push(ann.sells(product().in_category(&tea)).await.id);
    }
    ids.reverse();
    ann.sells(product().in_category(&mugs)).await;
    ann.lists(product().in_category(&tea)).await;
    let list = format!("/products?category={}", tea.replace(' ', "%20").replace('&', "%26"));
    let mut seen = Vec::new();
    let mut cursor = String::new();
    let mut pages = 0;
    loop {
        let page = shop.get(&format!("{list}&limit=3{cursor}")).await.is(200);
        pages += 1;
        let products = page["products"].as_array().expect("products");
        assert!(products.iter().all(|product| product["category"] == tea.as_str()), "{page}");
        seen.extend(products.iter().map(|product| product["id"].as_str().expect("an id").to_owned()));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((seen, pages), (ids, 3));
}

#[tokio::test]
async fn what_is_for_sale_is_in_the_list_of_all() {
    let shop = Shop::open();
    let tea = shop.person("Ann").await.sells(product().named("tea")).await;
    let page = shop.get("/products?limit=100").await.is(200);
    let products = page["products"].as_array().expect("products");
    assert!(products.iter().any(|product| product["id"] == tea.id.as_str()));
    assert!(products.iter().all(|product| product["isApproved"] == true));
}

#[tokio::test]
async fn an_admin_sees_what_waits_with_a_picture() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let (waiting, bare) = (ann.lists(product()).await, ann.lists(product()).await);
    assert_eq!(shop.upload(&waiting.upload_url, "image/png", tests::shop::RED_PNG.to_vec()).await, 200);
    ann.own_once(&waiting, "its picture waits", |own| own["waitingPicture"].is_object()).await;
    let sees = async || walk(shop.admin().await, "/products/pending", "products", "id", 100).await.concat();
    let pending = sees().await;
    assert!(pending.contains(&waiting.id));
    assert!(!pending.contains(&bare.id));
    let approval = format!("{}/approval", waiting.path());
    shop.admin().await.put(&approval, &json!({ "approved": false, "reason": "Too red." })).await.is(200);
    assert!(!sees().await.contains(&waiting.id));
}

#[tokio::test]
async fn a_limit_is_1_to_100() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    for list in ["/users/me/products", "/orders", "/products", "/approve-products"] {
        for limit in ["0", "101", "-1", "1.5", "ten", "99999999999999999999"] {
            let answer = ann.get(&format!("{list}?limit={limit}")).await;
            answer.is_problem(422, "invalid-input").at(["limit"]);
        }
        ann.get(&format!("{list}?limit=1")).await.is(200);
        ann.get(&format!("{list}?limit=100")).await.is(200);
    }
    shop.admin()
        .await
        .get("/products/pending?limit=101")
        .await
        .is_problem(422, "invalid-input")
        .at(["limit"]);
}

/// A person whose lists of products and orders have a second page.
async fn with_two_pages(shop: &Shop) -> (Person, String, String) {
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().named("tea").stock(10)).await;
    ann.lists(product()).await;
    ann.buys(&tea, 1).await;
    ann.buys(&tea, 1).await;
    let cursor = |page: Value| page["nextCursor"].as_str().expect("a cursor").to_owned();
    let products = cursor(ann.get("/users/me/products?limit=1").await.is(200));
    let orders = cursor(ann.get("/orders?limit=1").await.is(200));
    (ann, products, orders)
}

#[tokio::test]
async fn a_cursor_is_for_one_list_of_one_person() {
    let shop = Shop::open();
    let (ann, products, orders) = with_two_pages(&shop).await;
    let (bob, ..) = with_two_pages(&shop).await;
    ann.get(&format!("/orders?cursor={orders}")).await.is(200);
    ann.get(&format!("/users/me/products?cursor={products}")).await.is(200);
    for (person, list, cursor) in [
        (&bob, "/orders", &orders),
        (&bob, "/users/me/products", &products),
        (&ann, "/orders", &products),
        (&ann, "/users/me/products", &orders),
        (&ann, "/products", &products),
        (shop.admin().await, "/products/pending", &products),
    ] {
        let answer = person.get(&format!("{list}?cursor={cursor}")).await;
        answer.is_problem(422, "invalid-input").at(["cursor"]);
    }
}

#[tokio::test]
async fn a_cursor_of_one_category_opens_no_other() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let [tea, mugs] = ["Tea", "Mugs"].map(|name| unique(name).replace(' ', "-"));
    for category in [&tea, &tea, &mugs, &mugs] {
        ann.sells(product().in_category(category)).await;
    }
    let page = shop.get(&format!("/products?limit=1&category={tea}")).await.is(200);
    let cursor = page["nextCursor"].as_str().expect("a cursor");
    shop.get(&format!("/products?limit=1&category={tea}&cursor={cursor}")).await.is(200);
    for other in [format!("category={mugs}&"), String::new()] {
        let answer = shop.get(&format!("/products?{other}cursor={cursor}")).await;
        answer.is_problem(422, "invalid-input").at(["cursor"]);
    }
}

#[tokio::test]
async fn a_forged_cursor_is_refused() {
    let shop = Shop::open();
    let (ann, products, orders) = with_two_pages(&shop).await;
    for (list, cursor) in [("/users/me/products", products), ("/orders", orders)] {
        let middle = cursor.len() / 2;
        let other = if cursor.as_bytes()[middle] == b'A' { "B" } else { "A" };
        let changed = format!("{}{other}{}", &cursor[..middle], &cursor[middle + 1..]);
        let (shorter, longer, twice) = (&cursor[1..], format!("{cursor}AAAA"), format!("{cursor}{cursor}"));
        // What a cursor would be without a signature: base64 of `{"orderId":"x"}`.
        let unsigned = "eyJvcmRlcklkIjoieCJ9";
        let endless = "A".repeat(3000);
        for forged in [&changed, shorter, &longer, &twice, unsigned, &endless, "x", "%00", "..%2f", "null"] {
            let answer = ann.get(&format!("{list}?cursor={forged}")).await;
            answer.is_problem(422, "invalid-input").at(["cursor"]);
        }
    }
}

#[tokio::test]
async fn a_newcomer_has_empty_lists() {
    let ann = Shop::open().person("Ann").await;
    assert_eq!(ann.get("/orders").await.is(200), json!({ "orders": [], "nextCursor": null }));
    assert_eq!(ann.get("/users/me/products").await.is(200), json!({ "products": [], "nextCursor": null }));
}
