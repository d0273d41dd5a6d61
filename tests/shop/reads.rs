//! Reads as HTTP has them: sent once, kept by those who may, compressed when asked, and with a way to the next page.

use std::collections::BTreeSet;
use std::io::Read;

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::{Answer, calls};
use tests::shop::{Shop, product, unique};
use tests::template::Template;

/// Everything that every answer of a function says to browsers.
#[track_caller]
fn is_guarded(answer: &Answer) {
    for (name, value) in [
        ("strict-transport-security", "max-age=63072000; includeSubDomains"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{}: {name}", answer.request);
    }
}

#[track_caller]
fn is_kept_by_nobody(answer: &Answer) {
    is_guarded(answer);
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{}", answer.request);
}

#[tokio::test]
async fn the_catalogue_may_be_kept_for_a_moment_and_nothing_else() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let order = ann.buys(&tea, 1).await;
    for path in ["/products", "/approve-products", &tea.path()] {
        let answer = shop.get(path).await;
        is_guarded(&answer);
        let kept = answer.header("cache-control").map(str::to_owned);
        answer.is(200);
        assert_eq!(kept.as_deref(), Some("public, max-age=30, stale-while-revalidate=60"), "{path}");
    }
    for path in ["/orders", &format!("/orders/{order}"), "/users/me/products", "/cart"] {
        is_kept_by_nobody(&ann.get(path).await);
    }
    is_kept_by_nobody(&shop.admin().await.get("/products/pending").await);
    is_kept_by_nobody(&ann.tries_to_buy(&tea, 1).await);
    is_kept_by_nobody(&shop.post("/sign-in", &json!({ "email": ann.email, "password": "no-good-1" })).await);
    // Anyone may ask for it, and each gets another.
    is_kept_by_nobody(&shop.get("/guest-cart").await);
    // What is not there may come.
    is_kept_by_nobody(&shop.get("/products/nothing").await);
    is_kept_by_nobody(&shop.get("/products?limit=0").await);
    is_kept_by_nobody(&shop.get("/health").await);
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let category = unique("Tea").replace(' ', "-");
    let tea = ann.sells(product().named("tea").stock(5).in_category(&category)).await;
    let order = ann.buys(&tea, 1).await;
    ann.order_once(&order, "shipping").await;
    for (path, dynamodb) in [
        (tea.path(), 1),
        (format!("/products?category={category}"), 2),
        ("/users/me/products".into(), 2),
        ("/orders".into(), 1),
        (format!("/orders/{order}"), 1),
        ("/cart".into(), 1),
    ] {
        let first = ann.get(&path).await;
        let tag = first.header("etag").expect("a tag").to_owned();
        let again = ann.request(Method::GET, &path).header("if-none-match", &tag).send().await;
        assert_eq!(again.calls(), calls([("dynamodb", dynamodb)]), "{path}");
        for name in ["etag", "cache-control", "vary"] {
            assert_eq!(again.header(name), first.header(name), "{path}: {name}");
        }
        assert_eq!(again.is(304), Value::Null);
        let condition = ann.request(Method::GET, &path).header("if-match", "\"9999-other\"").send().await;
        condition.is_problem(412, "precondition-failed");
        let other = ann.request(Method::GET, &path).header("if-none-match", "W/\"other\"").send().await;
        assert_eq!(other.is(200), first.is(200));
    }
    // What changed is sent.
    let tag = shop.get(&tea.path()).await.header("etag").expect("a tag").to_owned();
    ann.buys(&tea, 1).await;
    let changed = shop.request(Method::GET, &tea.path()).header("if-none-match", &tag).send().await;
    assert_ne!(changed.header("etag"), Some(tag.as_str()));
    assert_eq!(changed.is(200)["quantity"], 3);
}

#[tokio::test]
async fn head_tells_what_get_would() {
    let shop = Shop::open();
    let tea = shop.person("Ann").await.sells(product().named("tea")).await;
    for (route, _) in Template::read().heads() {
        let path = route.path.replace("/products/{id}", &tea.path());
        let (got, head) = (shop.get(&path).await, shop.request(Method::HEAD, &path).send().await);
        assert_eq!((head.status, &head.body), (got.status, &Value::Null), "{path}");
        // Another test may have sold something between the two.
        let names = ["content-type", "cache-control", "vary"];
        assert_eq!(names.map(|name| head.header(name)), names.map(|name| got.header(name)), "{path}");
        assert_eq!(head.header("etag").is_some(), got.header("etag").is_some(), "{path}");
    }
}

#[tokio::test]
async fn a_long_answer_is_compressed_for_who_asks() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let described = product().with("description", json!("Green, and long enough. ".repeat(100)));
    let tea = ann.sells(described).await;
    let plain = shop.get(&tea.path()).await;
    assert_eq!(plain.header("content-encoding"), None);
    let asked = shop.request(Method::GET, &tea.path()).header("accept-encoding", "br, gzip;q=0.8");
    let small = asked.send_for_bytes().await;
    assert_eq!(small.headers["content-encoding"], "gzip");
    let tag = plain.header("etag").expect("a tag").trim_end_matches('"');
    assert_eq!(small.headers["etag"], format!("{tag}-gz\""), "a strong tag is of one encoding");
    let mut text = String::new();
    flate2::read::GzDecoder::new(small.body.as_slice()).read_to_string(&mut text).expect("gzip");
    assert!(small.body.len() < text.len() / 2, "{} of {}", small.body.len(), text.len());
    assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), plain.is(200));
    let refused = shop.request(Method::GET, &tea.path()).header("accept-encoding", "gzip;q=0").send().await;
    assert_eq!(refused.header("content-encoding"), None);
}

#[tokio::test]
async fn the_links_alone_lead_through_a_list() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let category = unique("Tea & more");
    let mut listed = BTreeSet::new();
    for _ in 0..3 {
        listed.insert(ann.sells(product().in_category(&category).stock(9)).await.id);
    }
    for id in &listed {
        ann.post("/create-order", &json!({ "id": id, "quantity": 1 })).await.is(201);
    }
    let query = category.replace(' ', "%20").replace('&', "%26");
    for (list, key) in [
        (format!("/products?limit=1&category={query}"), "products"),
        (format!("/approve-products?category={query}&limit=1"), "products"),
        ("/users/me/products?limit=1".into(), "products"),
        ("/orders?limit=1".into(), "orders"),
    ] {
        let path = list.split('?').next().expect("a path").to_owned();
        let (mut next, mut pages) = (Some(list), Vec::new());
        while let Some(at) = next {
            let answer = ann.get(&at).await;
            // Relative to the request: the query alone.
            next = answer.header("link").map(|link| {
                let query = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
                format!("{path}{}", query.unwrap_or_else(|| panic!("{at}: {link}")))
            });
            let page = answer.is(200);
            assert_eq!(page["nextCursor"].is_string(), next.is_some(), "{at}: {page}");
            pages.push(page[key].as_array().expect("a page").len());
        }
        assert_eq!(pages, [1, 1, 1], "{path}");
    }
}

#[tokio::test]
async fn a_script_of_another_origin_reads_what_it_needs() {
    let shop = Shop::open();
    let origin = "https://shop.example";
    let answer = shop.request(Method::GET, "/products").header("origin", origin).send().await;
    assert!(
        answer
            .header("access-control-allow-origin")
            .is_some_and(|allowed| allowed == "*" || allowed == origin)
    );
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    let list = |answer: &Answer, name: &str| -> BTreeSet<String> {
        let list = answer.header(name).unwrap_or_default().to_lowercase();
        list.split(',').map(|one| one.trim().to_owned()).collect()
    };
    let exposed = list(&answer, "access-control-expose-headers");
    for name in ["etag", "link", "location", "ratelimit", "retry-after", "server-timing", "x-request-id"] {
        assert!(exposed.contains(name), "{name} is not exposed");
    }
    let preflight = shop.request(Method::OPTIONS, "/create-order").header("origin", origin);
    let preflight = preflight
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type,idempotency-key");
    let allowed = list(&preflight.send().await, "access-control-allow-headers");
    for name in ["authorization", "content-type", "idempotency-key", "if-match", "if-none-match"] {
        assert!(allowed.contains(name), "{name} is not allowed");
    }
}
