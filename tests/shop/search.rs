//! Finding what is for sale: the index follows the shop by itself, and whatever it still says, nothing is shown that
//! cannot be bought, and everything as it is. The numbers are those of the requirements in docs/search.md.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Value, json};
use tests::answer::{Answer, calls};
use tests::shop::{NewProduct, Person, Product, Shop, product, unique};
use tests::wait::eventually;

/// A word that no other test has, which is never taken as misspelled.
fn word() -> String {
    unique("zq").replace(' ', "")
}

/// A query with these parameters.
fn asking(parameters: &[(&str, &str)]) -> String {
    let mut query = String::new();
    for (name, value) in parameters {
        let sign = if query.is_empty() { '?' } else { '&' };
        write!(query, "{sign}{name}=").expect("a text takes all");
        value.bytes().for_each(|byte| write!(query, "%{byte:02X}").expect("a text takes all"));
    }
    query
}

async fn search(shop: &Shop, parameters: &[(&str, &str)]) -> Answer {
    shop.get(&format!("/search{}", asking(parameters))).await
}

fn ids(page: &Value) -> Vec<String> {
    let products = page["products"].as_array().expect("products");
    products.iter().map(|product| product["id"].as_str().expect("an id").to_owned()).collect()
}

async fn found(shop: &Shop, parameters: &[(&str, &str)]) -> Vec<String> {
    ids(&search(shop, parameters).await.is(200))
}

/// The page once the index says so.
async fn page_once(
    shop: &Shop,
    what: &str,
    parameters: &[(&str, &str)],
    is_so: impl Fn(&Value) -> bool,
) -> Value {
    eventually(what, async || Some(search(shop, parameters).await.is(200)).filter(&is_so)).await
}

/// A page that took the one call that it may take while the index is the one that the function knows. Meanwhile others
/// change it, and some function begins: whose files are read then, and what is new on the page.
async fn page_in_one_call(shop: &Shop, parameters: &[(&str, &str)]) -> Answer {
    eventually("a search is one call", async || {
        let answer = search(shop, parameters).await;
        (answer.calls() == calls([("dynamodb", 1)])).then_some(answer)
    })
    .await
}

/// Waits until these are found, in this order, and as many are counted.
async fn finds(shop: &Shop, parameters: &[(&str, &str)], products: &[&Product]) -> Value {
    let expected: Vec<_> = products.iter().map(|product| product.id.clone()).collect();
    let what = format!("{parameters:?} finds {expected:?}");
    page_once(shop, &what, parameters, |page| ids(page) == expected && page["total"] == expected.len()).await
}

async fn finds_nothing(shop: &Shop, parameters: &[(&str, &str)]) {
    finds(shop, parameters, &[]).await;
}

async fn decides(shop: &Shop, product: &Product, decision: Value) {
    let approval = format!("{}/approval", product.path());
    shop.admin().await.put(&approval, &decision).await.is(200);
}

/// An admin's change, which keeps what is for sale on sale.
async fn becomes(shop: &Shop, product: &Product, changes: Value) {
    shop.admin().await.put(&product.path(), &changes).await.is(200);
}

fn named(word: &str, rest: &str) -> NewProduct {
    product().named(&format!("{word} {rest}"))
}

async fn seller(shop: &Shop) -> Person {
    shop.person("Ann").await
}

// S1: sold out by an order.
#[tokio::test]
async fn what_an_order_sold_out_is_shown_so_at_once_and_soon_no_longer_found_in_stock() {
    let shop = Shop::open();
    let (ann, bob, word) = (seller(&shop).await, shop.person("Bob").await, word());
    let tea = ann.sells(named(&word, "tea").stock(1)).await;
    finds(&shop, &[("q", &word), ("inStock", "true")], &[&tea]).await;
    bob.buys(&tea, 1).await;
    let page = search(&shop, &[("q", &word)]).await.is(200);
    assert_eq!((ids(&page), &page["products"][0]["quantity"]), (vec![tea.id.clone()], &json!(0)));
    finds_nothing(&shop, &[("q", &word), ("inStock", "true")]).await;
    finds(&shop, &[("q", &word), ("inStock", "false")], &[&tea]).await;
}

// S2: deleted, and its stock with it.
#[tokio::test]
async fn what_is_deleted_is_never_shown_and_soon_neither_counted_nor_suggested() {
    let shop = Shop::open();
    let (ann, word) = (seller(&shop).await, word());
    let tea = ann.sells(named(&word, "tea").stock(3).in_category(&word)).await;
    let page = finds(&shop, &[("q", &word)], &[&tea]).await;
    assert_eq!(page["facets"]["categories"], json!([{ "name": word, "count": 1 }]));
    let suggested =
        async || shop.get(&format!("/search/suggest?q={word}")).await.is(200)["suggestions"].take();
    let expected = json!([{ "text": tea.name, "productId": tea.id }]);
    eventually("it is suggested", async || (suggested().await == expected).then_some(())).await;
    assert_eq!(ann.request(reqwest::Method::DELETE, &tea.path()).send().await.status, 204);
    assert_eq!(found(&shop, &[("q", &word)]).await, [""; 0], "it cannot be bought any more");
    for parameters in [[("q", &*word)], [("category", &word)]] {
        let page = page_once(&shop, "it is not counted", &parameters, |page| page["total"] == 0).await;
        let categories = page["facets"]["categories"].as_array().expect("a facet");
        assert_eq!((ids(&page), categories.iter().find(|one| one["name"] == word)), (vec![], None));
    }
    eventually("it is not suggested", async || (suggested().await == json!([])).then_some(())).await;
}

// S3: another category.
#[tokio::test]
async fn what_moves_to_another_category_is_found_there_alone() {
    let shop = Shop::open();
    let (ann, word) = (seller(&shop).await, word());
    let [tea, pots] = ["tea", "pots"].map(|name| format!("{name}-{word}"));
    let one = ann.sells(named(&word, "one").in_category(&tea)).await;
    let other = ann.sells(named(&word, "other").in_category(&tea)).await;
    let counted = async |expected: Value| {
        let of = |page: &Value| page["facets"]["categories"] == expected;
        page_once(&shop, &format!("{expected}"), &[("q", &word)], of).await
    };
    counted(json!([{ "name": tea, "count": 2 }])).await;
    becomes(&shop, &one, json!({ "category": pots })).await;
    finds(&shop, &[("category", &pots)], &[&one]).await;
    finds(&shop, &[("category", &tea)], &[&other]).await;
    let page = search(&shop, &[("q", &word)]).await.is(200);
    let counts = page["facets"]["categories"].as_array().expect("counts");
    assert_eq!(counts.len(), 2, "{page}");
    assert!(counts.contains(&json!({ "name": pots, "count": 1 })), "{page}");
    assert!(counts.contains(&json!({ "name": tea, "count": 1 })), "{page}");
}

// S4 and S5: each way in which a product changes is seen, and one that is turned down is gone.
#[tokio::test]
async fn each_change_of_a_product_is_found_without_a_reindex() {
    let shop = Shop::open();
    let (ann, word) = (seller(&shop).await, word());
    let [first, second, third] = ["first", "second", "third"].map(|name| format!("{word}{name}"));
    let tea = ann.lists(named(&first, "tea").stock(0)).await;
    decides(&shop, &tea, json!({ "approved": true })).await;
    finds(&shop, &[("q", &first)], &[&tea]).await;
    finds_nothing(&shop, &[("q", &first), ("inStock", "true")]).await;
    // Its seller gets more of it.
    ann.put(&format!("{}/stock", tea.path()), &json!({ "add": 3 })).await.is(200);
    finds(&shop, &[("q", &first), ("inStock", "true")], &[&tea]).await;
    // An admin calls it otherwise.
    becomes(&shop, &tea, json!({ "productName": second })).await;
    finds(&shop, &[("q", &second)], &[&tea]).await;
    finds_nothing(&shop, &[("q", &first)]).await;
    becomes(&shop, &tea, json!({ "description": third })).await;
    finds(&shop, &[("q", &third)], &[&tea]).await;
    // Its seller describes it anew, so an admin has to look at it first.
    ann.put(&tea.path(), &json!({ "description": "Something else." })).await.is(200);
    assert_eq!(found(&shop, &[("q", &third)]).await, [""; 0]);
    finds_nothing(&shop, &[("q", &second)]).await;
    decides(&shop, &tea, json!({ "approved": true })).await;
    finds(&shop, &[("q", &second)], &[&tea]).await;
    // It is turned down.
    decides(&shop, &tea, json!({ "approved": false, "reason": "No tea." })).await;
    assert_eq!(found(&shop, &[("q", &second)]).await, [""; 0]);
    finds_nothing(&shop, &[("q", &second)]).await;
}

// S7: another price.
#[tokio::test]
async fn a_price_is_shown_as_it_is_and_soon_sorted_and_filtered_by() {
    let shop = Shop::open();
    let (ann, word) = (seller(&shop).await, word());
    let cheap = ann.sells(named(&word, "cheap").priced("4.50")).await;
    let dear = ann.sells(named(&word, "dear").priced("9")).await;
    finds(&shop, &[("q", &word), ("sort", "price")], &[&cheap, &dear]).await;
    finds(&shop, &[("q", &word), ("sort", "-price")], &[&dear, &cheap]).await;
    ann.put(&cheap.path(), &json!({ "productPrice": 10.01 })).await.is(200);
    let page = search(&shop, &[("q", &word)]).await.is(200);
    let shown = page["products"].as_array().expect("products").iter();
    let shown = shown.map(|one| one["productPrice"].as_f64().expect("a price")).collect::<Vec<_>>();
    assert!(shown.contains(&10.01) && !shown.contains(&4.5), "{page}");
    finds(&shop, &[("q", &word), ("sort", "price")], &[&dear, &cheap]).await;
    finds(&shop, &[("q", &word), ("maxPrice", "10")], &[&dear]).await;
    finds(&shop, &[("q", &word), ("minPrice", "10.01")], &[&cheap]).await;
}

// What buyers think of a product.
#[tokio::test]
async fn what_is_rated_better_is_found_first_and_by_its_stars() {
    let shop = Shop::open();
    let (ann, word) = (seller(&shop).await, word());
    let good = ann.sells(named(&word, "good").stock(10)).await;
    let bad = ann.sells(named(&word, "bad").stock(10)).await;
    let unrated = ann.sells(named(&word, "new").stock(10)).await;
    let (bob, cleo) = (shop.person("Bob").await, shop.person("Cleo").await);
    for (person, product, stars) in [(&bob, &good, 5), (&cleo, &good, 4), (&bob, &bad, 2)] {
        person.gets(product).await;
        person.reviews(product, &json!({ "stars": stars })).await.is(201);
    }
    let page = finds(&shop, &[("q", &word), ("sort", "rating")], &[&good, &bad, &unrated]).await;
    let ratings: Vec<_> =
        page["products"].as_array().expect("products").iter().map(|one| &one["rating"]).collect();
    assert_eq!(
        ratings,
        [
            &json!({ "average": 4.5, "count": 2 }),
            &json!({ "average": 2, "count": 1 }),
            &json!({ "average": null, "count": 0 })
        ]
    );
    finds(&shop, &[("q", &word), ("minRating", "4.5")], &[&good]).await;
    finds(&shop, &[("q", &word), ("minRating", "4.6")], &[]).await;
}

// S8: the seller's own number.
#[tokio::test]
async fn a_sellers_own_number_is_found_whole_and_by_its_beginning() {
    let shop = Shop::open();
    let (ann, word) = (seller(&shop).await, word());
    let number = format!("{}-47/B", word.to_uppercase());
    let tea = ann.sells(named("Sencha", "tea").with("sku", json!(number))).await;
    let own = ann.get(&format!("/users/me/products/{}", tea.id)).await.is(200);
    assert_eq!((&own["sku"], &shop.get(&tea.path()).await.is(200)["sku"]), (&json!(number), &json!(number)));
    // Found by whatever else has such a word in its name, it stands first.
    let mentions = ann.sells(named("Box for", &number)).await;
    let first = async |text: &str| {
        let is_first = |page: &Value| ids(page).first() == Some(&tea.id);
        page_once(&shop, &format!("{text} finds it first"), &[("q", text)], is_first).await
    };
    let whole = first(&number).await;
    eventually("the other one is found as well", async || {
        found(&shop, &[("q", &number)]).await.contains(&mentions.id).then_some(())
    })
    .await;
    assert_eq!(whole["products"][0]["sku"], json!(number));
    first(&number.to_lowercase()).await;
    first(&number.replace(['-', '/'], "")).await;
    finds_by_beginning(&shop, &tea, &word[..word.len() - 1]).await;
    becomes(&shop, &tea, json!({ "sku": format!("{word}9999") })).await;
    first(&format!("{word}9999")).await;
    let refused = ann.put(&tea.path(), &json!({ "sku": "x".repeat(65) })).await;
    refused.is_problem(422, "invalid-input").at(["#/sku"]);
}

async fn finds_by_beginning(shop: &Shop, product: &Product, beginning: &str) {
    eventually("its beginning finds it", async || {
        found(shop, &[("q", beginning)]).await.contains(&product.id).then_some(())
    })
    .await;
}

// S9: the exact name.
#[tokio::test]
async fn the_exact_name_comes_before_what_mentions_it() {
    let shop = Shop::open();
    let (ann, word) = (seller(&shop).await, word());
    let mentions = named(&word, "case for a mug with a handle and a lid");
    let mentions = ann.sells(mentions).await;
    let described =
        ann.sells(product().named("Tray").with("description", json!(format!("For a {word} mug.")))).await;
    let exact = ann.sells(named(&word, "mug")).await;
    let text = format!("{word} mug");
    let page = page_once(&shop, "all are found", &[("q", &text)], |page| page["total"] == 3).await;
    assert_eq!(ids(&page), [exact.id, mentions.id, described.id]);
}

// S14 and S21: each page of each order, of things that are alike and of things that are not.
#[tokio::test]
async fn pages_hold_everything_once_in_the_order_of_the_whole() {
    let shop = Shop::open();
    let (ann, word) = (seller(&shop).await, word());
    let mut listed = Vec::new();
    for number in 0..12 {
        // Four prices, three of each.
        let price = (1 + number % 4).to_string();
        listed.push(ann.sells(product().named(&word).priced(&price)).await.id);
    }
    let all: BTreeSet<_> = listed.iter().cloned().collect();
    page_once(&shop, "all are found", &[("q", &word)], |page| page["total"] == all.len()).await;
    for sort in ["relevance", "price", "-price", "newest", "rating"] {
        let (mut seen, mut prices, mut cursor) = (Vec::new(), Vec::new(), String::new());
        loop {
            let asked = [("q", word.as_str()), ("sort", sort), ("limit", "5"), ("cursor", &cursor)];
            let page = page_in_one_call(&shop, &asked).await.is(200);
            assert_eq!(page["total"], all.len());
            seen.extend(ids(&page));
            let products = page["products"].as_array().expect("products");
            prices.extend(products.iter().map(|one| one["productPrice"].as_u64().expect("a price")));
            match page["nextCursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        assert_eq!((seen.len(), seen.iter().cloned().collect()), (all.len(), all.clone()), "{sort}");
        match sort {
            "price" => assert!(prices.is_sorted(), "{prices:?}"),
            "-price" => assert!(prices.is_sorted_by(|one, next| one >= next), "{prices:?}"),
            "newest" => assert!(seen.iter().eq(listed.iter().rev()), "{seen:?}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_cursor_of_one_search_opens_no_other() {
    let shop = Shop::open();
    let (ann, word) = (seller(&shop).await, word());
    for _ in 0..2 {
        ann.sells(product().named(&word)).await;
    }
    let asked = [("q", word.as_str()), ("limit", "1")];
    let page = page_once(&shop, "both are found", &asked, |page| page["total"] == 2).await;
    let cursor = page["nextCursor"].as_str().expect("a cursor");
    search(&shop, &[("q", &word), ("cursor", cursor)]).await.is(200);
    for (name, value) in [("q", "tea"), ("sort", "price"), ("minPrice", "0"), ("inStock", "true")] {
        let other = if name == "q" { vec![] } else { vec![("q", word.as_str())] };
        let other = [other, vec![(name, value), ("cursor", cursor)]].concat();
        search(&shop, &other).await.is_problem(422, "invalid-input").at(["cursor"]);
    }
    let list = shop.get(&format!("/products?cursor={cursor}")).await;
    list.is_problem(422, "invalid-input").at(["cursor"]);
}

// S15: every combination of parameters, also of empty ones.
#[tokio::test]
async fn whatever_is_combined_is_answered_or_refused_and_never_an_error() {
    let shop = Shop::open();
    let values = [
        ("q", ["", "tea", "\u{0}"]),
        ("category", ["", "Things", "%"]),
        ("store", ["", "01a1fbbc-f7cc-71a0-aa66-431f703e44ea", "none"]),
        ("minPrice", ["", "1", "x"]),
        ("maxPrice", ["", "0.5", "0.005"]),
        ("inStock", ["", "true", "yes"]),
        ("minRating", ["", "4.5", "6"]),
        ("sort", ["", "rating", "best"]),
        ("limit", ["", "30", "31"]),
    ];
    // Each pair of values of each pair of parameters.
    for (first, (name, of_first)) in values.iter().enumerate() {
        for (other, of_other) in &values[first + 1..] {
            for (value, another) in
                of_first.iter().flat_map(|value| of_other.iter().map(move |another| (*value, *another)))
            {
                let asked = [(*name, value), (*other, another)];
                let answer = search(&shop, &asked).await;
                let status = answer.status;
                assert!([200, 422].contains(&status), "{asked:?}: {status}");
            }
        }
    }
    let all = values.map(|(name, [.., wrong])| (name, wrong));
    let wrong = search(&shop, &all).await;
    // A text is never wrong, nor is a category.
    wrong.is_problem(422, "invalid-input").at([
        "store",
        "minPrice",
        "maxPrice",
        "inStock",
        "minRating",
        "sort",
        "limit",
    ]);
    let empty = values.map(|(name, [empty, ..])| (name, empty));
    search(&shop, &empty).await.is(200);
    let (longest, longer) = ("x".repeat(200), "x".repeat(201));
    search(&shop, &[("q", &longest)]).await.is(200);
    for path in ["/search", "/search/suggest"] {
        let refused = shop.get(&format!("{path}?q={longer}")).await;
        refused.is_problem(422, "invalid-input").at(["q"]);
    }
}

// S17: what people type.
#[tokio::test]
async fn signs_have_no_meaning_and_break_nothing() {
    let shop = Shop::open();
    let (ann, word) = (seller(&shop).await, word());
    let tea = ann.sells(named(&word, "tea")).await;
    finds(&shop, &[("q", &word)], &[&tea]).await;
    for sign in (' '..='~').filter(|sign| !sign.is_ascii_alphanumeric()) {
        for text in [
            format!("{sign}"),
            format!("{sign}{word}"),
            format!("{word}{sign}"),
            format!("{word} {sign} tea"),
        ] {
            let page = search(&shop, &[("q", &text)]).await.is(200);
            assert!(text.len() == 1 || ids(&page).contains(&tea.id), "{text}: {page}");
        }
    }
    for text in
        ["\"", "\u{0}", "🍵", "name:tea AND (", "tea~2^4", "' OR 1=1 --", "<script>", "%25%00", "抹茶"]
    {
        search(&shop, &[("q", text)]).await.is(200);
        shop.get(&format!("/search/suggest{}", asking(&[("q", text)]))).await.is(200);
    }
}

// S18, S19 and S20: counts are what their filters find.
#[tokio::test]
async fn counts_agree_with_what_their_filters_find() {
    let shop = Shop::open();
    let (ann, word) = (seller(&shop).await, word());
    let [teas, pots] = ["teas", "pots"].map(|name| format!("{name}-{word}"));
    for (category, price, stock) in
        [(&teas, "1", 1), (&teas, "2", 0), (&teas, "2.01", 1), (&pots, "2", 1), (&pots, "3", 0)]
    {
        ann.sells(product().named(&word).in_category(category).priced(price).stock(stock)).await;
    }
    page_once(&shop, "all are found", &[("q", &word)], |page| page["total"] == 5).await;
    for (filters, expected) in [
        (vec![], [3, 2]),
        (vec![("inStock", "true")], [2, 1]),
        (vec![("minPrice", "2"), ("maxPrice", "2")], [1, 1]),
        (vec![("minPrice", "2"), ("maxPrice", "3")], [2, 2]),
        (vec![("minPrice", "2"), ("maxPrice", "3"), ("inStock", "true")], [1, 1]),
        (vec![("maxPrice", "1.99")], [1, 0]),
    ] {
        let asked = [vec![("q", word.as_str())], filters.clone()].concat();
        for (category, count) in [(&teas, expected[0]), (&pots, expected[1])] {
            let within = [asked.clone(), vec![("category", category)]].concat();
            // Whichever category is asked for, the counts are those of all.
            for query in [&asked, &within] {
                let page = search(&shop, query).await.is(200);
                let counts = page["facets"]["categories"].as_array().expect("counts");
                let counted = counts.iter().find(|one| one["name"] == category.as_str());
                assert_eq!(
                    counted.map_or(0, |one| one["count"].as_i64().expect("a count")),
                    count,
                    "{query:?}"
                );
            }
            let page = search(&shop, &within).await.is(200);
            assert_eq!((&page["total"], ids(&page).len()), (&json!(count), usize::try_from(count).unwrap()));
        }
    }
    let refused = search(&shop, &[("minPrice", "2"), ("maxPrice", "1.99")]).await;
    refused.is_problem(422, "invalid-input").at(["maxPrice"]);
}

#[tokio::test]
async fn a_search_is_one_call_may_be_kept_and_says_where_it_goes_on() {
    let shop = Shop::open();
    let (ann, word) = (seller(&shop).await, word());
    for _ in 0..2 {
        ann.sells(product().named(&word)).await;
    }
    let asked = [("q", word.as_str()), ("limit", "1")];
    page_once(&shop, "both are found", &asked, |page| page["total"] == 2).await;
    let answer = page_in_one_call(&shop, &asked).await;
    let kept = answer.header("cache-control").map(str::to_owned);
    assert_eq!(kept.as_deref(), Some("public, max-age=30, stale-while-revalidate=60"));
    let link = answer.header("link").expect("a link").to_owned();
    let page = answer.is(200);
    let next = link.split_once('<').and_then(|(_, rest)| rest.split_once('>')).expect("a reference").0;
    let next = shop.get(&format!("/search{next}")).await.is(200);
    assert_eq!((ids(&next).len(), &next["nextCursor"]), (1, &Value::Null));
    assert_ne!(ids(&page), ids(&next));
    // What nobody has costs no more.
    let nothing = page_in_one_call(&shop, &[("q", &self::word())]).await;
    let facets = json!({ "categories": [], "stores": [] });
    assert_eq!(
        nothing.is(200),
        json!({ "products": [], "total": 0, "isPartial": false, "facets": facets, "nextCursor": null })
    );
}

#[tokio::test]
async fn nobody_learns_more_of_a_product_than_from_its_page() {
    let shop = Shop::open();
    let (ann, word) = (seller(&shop).await, word());
    let tea = ann.sells(named(&word, "tea").with("sku", json!("T-1"))).await;
    let page = finds(&shop, &[("q", &word)], &[&tea]).await;
    let mut alone = shop.get(&tea.path()).await.is(200);
    // Lists show the first picture alone.
    alone.as_object_mut().expect("a product").remove("pictures");
    assert_eq!(page["products"][0], alone);
}

// S22: a store that is closed, and open again.
#[tokio::test]
async fn what_a_closed_store_sells_is_not_found_and_comes_back_with_it() {
    let shop = Shop::open();
    let (ann, word) = (seller(&shop).await, word());
    let name = format!("Teas of {word}");
    let store = ann.post("/stores", &json!({ "name": name })).await.is(201)["id"].clone();
    let store = store.as_str().expect("an id");
    let status = format!("/stores/{store}/status");
    ann.put(&status, &json!({ "status": "published" })).await.is(200);
    let inside = ann.sells(named(&word, "inside").with("storeId", json!(store))).await;
    let outside = ann.sells(named(&word, "outside")).await;
    let both = [("q", word.as_str()), ("sort", "newest")];
    let page = finds(&shop, &both, &[&outside, &inside]).await;
    assert_eq!(page["facets"]["stores"], json!([{ "id": store, "name": name, "count": 1 }]));
    finds(&shop, &[("q", &word), ("store", store)], &[&inside]).await;
    // Another name of it is one in its count.
    let other = format!("Pots of {word}");
    ann.put(&format!("/stores/{store}"), &json!({ "name": other })).await.is(200);
    page_once(&shop, "its name is another", &both, |page| {
        page["facets"]["stores"][0]["name"] == other.as_str()
    })
    .await;
    ann.put(&status, &json!({ "status": "deactivated" })).await.is(200);
    let page = finds(&shop, &both, &[&outside]).await;
    assert_eq!(page["facets"]["stores"], json!([]), "counts leave it out as well");
    finds_nothing(&shop, &[("q", &word), ("store", store)]).await;
    let suggested = async || shop.get(&format!("/search/suggest?q={word}")).await.is(200).to_string();
    eventually("it is not suggested", async || (!suggested().await.contains(&inside.id)).then_some(())).await;
    ann.put(&status, &json!({ "status": "published" })).await.is(200);
    finds(&shop, &both, &[&outside, &inside]).await;
}
