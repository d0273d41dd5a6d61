//! Reviews: buyers write, change and delete them, sellers reply, admins hide them, and what all of them come to is the
//! same wherever it is shown.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::{Answer, calls};
use tests::shop::{Person, Product, Shop, product, unique};
use tests::wait::{at_once, eventually};

/// Something for sale, its seller, and so many people who have it.
async fn sold(shop: &Shop, owners: usize) -> (Product, Person, Vec<Person>) {
    let seller = shop.person("Ann").await;
    let tea = seller.sells(product().named("tea").stock(100)).await;
    let people = shop.people(owners).await;
    for person in &people {
        person.buys(&tea, 1).await;
    }
    for person in &people {
        person.may_review(&tea).await;
    }
    (tea, seller, people)
}

fn one(stars: u8) -> Value {
    json!({ "stars": stars })
}

/// What the reviews of a product come to, which is the same on its page, on a list and beside the reviews themselves.
async fn rating(shop: &Shop, tea: &Product) -> (Value, u64) {
    let list = shop.get(&format!("{}/reviews?limit=100", tea.path())).await.is(200);
    let summary = &list["summary"];
    let shown = list["reviews"].as_array().expect("reviews").len() as u64;
    let of_each = summary["stars"].as_object().expect("stars").values();
    assert_eq!(of_each.map(|reviews| reviews.as_u64().expect("a number")).sum::<u64>(), shown, "{list}");
    let rating = json!({ "average": summary["average"], "count": summary["count"] });
    let page = shop.get(&tea.path()).await.is(200);
    assert_eq!(page["rating"], rating);
    let category = page["category"].as_str().expect("a category");
    let mut query = format!("?limit=100&category={category}");
    loop {
        let listed = shop.get(&format!("/products{query}")).await.is(200);
        let products = listed["products"].as_array().expect("products");
        if let Some(found) = products.iter().find(|product| product["id"] == tea.id.as_str()) {
            assert_eq!(found["rating"], rating);
            break;
        }
        let next = listed["nextCursor"].as_str().expect("it is on one of the pages");
        query = format!("?limit=100&category={category}&cursor={next}");
    }
    assert_eq!(summary["count"], shown);
    (summary["average"].clone(), shown)
}

async fn listed(shop: &Shop, tea: &Product, query: &str) -> Vec<Value> {
    let answer = shop.get(&format!("{}/reviews?{query}", tea.path())).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
    answer.is(200)["reviews"].as_array().expect("reviews").clone()
}

async fn changes(who: &Person, (method, path): (Method, &str), if_match: &str, body: &Value) -> Answer {
    let request = who.request(method, path).header("if-match", if_match);
    if body.is_null() { request.send().await } else { request.json(body).send().await }
}

#[tokio::test]
async fn who_has_bought_a_product_reviews_it_changes_that_and_takes_it_back() {
    let shop = Shop::open();
    let (tea, _, owners) = sold(&shop, 1).await;
    let bob = &owners[0];
    assert_eq!(rating(&shop, &tea).await, (Value::Null, 0));
    let said = json!({ "stars": 4, "title": " Good  tea ", "text": "Green.\r\nAnd good.", "name": "B. Lee" });
    let answer = bob.reviews(&tea, &said).await;
    // The limit, and one transaction.
    assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
    let review = answer.is(201);
    let expected = json!({
        "productId": tea.id, "userId": bob.id(), "stars": 4, "title": "Good tea", "text": "Green.\nAnd good.",
        "name": "B. Lee", "verified": true, "createdAt": review["createdAt"], "updatedAt": review["createdAt"],
        "version": 1
    });
    assert_eq!(review, expected);
    assert_eq!(rating(&shop, &tea).await, (json!(4), 1));
    assert_eq!(listed(&shop, &tea, "").await, std::slice::from_ref(&review));
    assert_eq!(bob.get("/users/me/reviews").await.is(200)["reviews"], json!([review]));
    bob.reviews(&tea, &one(5)).await.is_problem(409, "already-reviewed");

    let path = format!("/reviews/{}", tea.id);
    let answer = changes(bob, (Method::PUT, &path), "\"1\"", &one(2)).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
    let changed = answer.is(200);
    assert_eq!((&changed["stars"], &changed["version"], changed.get("title")), (&json!(2), &json!(2), None));
    assert_eq!(rating(&shop, &tea).await, (json!(2), 1));
    let again = changes(bob, (Method::PUT, &path), "\"2\"", &one(2)).await;
    assert_eq!(again.calls(), calls([("dynamodb", 1)]));
    assert_eq!(again.is(200), changed, "what is so already is no other version");
    changes(bob, (Method::PUT, &path), "\"1\"", &one(5)).await.is_problem(412, "precondition-failed");
    changes(bob, (Method::DELETE, &path), "\"1\"", &Value::Null).await.is_problem(412, "precondition-failed");

    let answer = changes(bob, (Method::DELETE, &path), "\"2\"", &Value::Null).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
    answer.is(204);
    assert_eq!(rating(&shop, &tea).await, (Value::Null, 0));
    changes(bob, (Method::DELETE, &path), "*", &Value::Null).await.is_problem(404, "not-found");
    changes(bob, (Method::PUT, &path), "*", &one(5)).await.is_problem(404, "not-found");
    bob.reviews(&tea, &one(5)).await.is(201);
    assert_eq!(rating(&shop, &tea).await, (json!(5), 1));
}

#[tokio::test]
async fn who_may_not_review_a_product_is_told_why() {
    let shop = Shop::open();
    let (tea, seller, owners) = sold(&shop, 1).await;
    let cleo = shop.person("Cleo").await;
    cleo.reviews(&tea, &one(5)).await.is_problem(403, "not-bought");
    seller.reviews(&tea, &one(5)).await.is_problem(403, "own-product");
    let nothing = Product { id: "01a1f83a-c81e-73c6-9369-b8a11a6916c7".into(), ..tea.clone() };
    cleo.reviews(&nothing, &one(5)).await.is_problem(404, "not-found");
    shop.get(&format!("{}/reviews", nothing.path())).await.is_problem(404, "not-found");
    let waiting = seller.lists(product()).await;
    cleo.reviews(&waiting, &one(5)).await.is_problem(404, "not-found");
    shop.get(&format!("{}/reviews", waiting.path())).await.is_problem(404, "not-found");
    shop.post(&format!("{}/reviews", tea.path()), &one(5)).await.is_from_the_gateway(401, "Unauthorized");
    let faulty = owners[0].reviews(&tea, &json!({ "stars": 0, "text": "", "verified": true })).await;
    faulty.is_problem(422, "invalid-input").at(["#/stars", "#/text", "#/verified"]);
    for query in ["sort=best", "stars=6", "stars=0", "sort=newest&sort=highest", "limit=101", "cursor=x"] {
        shop.get(&format!("{}/reviews?{query}", tea.path())).await.is_problem(422, "invalid-input");
    }
    assert_eq!(rating(&shop, &tea).await, (Value::Null, 0));
}

#[tokio::test]
async fn an_order_that_comes_back_as_a_whole_lets_nobody_review() {
    let shop = Shop::open();
    let seller = shop.person("Ann").await;
    let tea = seller.sells(product().named("tea").stock(10)).await;
    let bob = shop.person("Bob").await;
    let order = bob.buys(&tea, 2).await;
    bob.order_once(&order, "shipping").await;
    bob.gets(&tea).await;
    // The piece that let Bob review and both of the first order are paid back.
    let page = bob.get("/orders").await.is(200);
    let orders = page["orders"].as_array().expect("orders");
    assert_eq!(orders.len(), 2);
    for order in orders {
        let (order, pieces) = (order["orderId"].as_str().expect("an id"), &order["items"][0]["quantity"]);
        bob.order_once(order, "shipping").await;
        let delivered = json!({ "status": "delivered" });
        seller.put(&format!("/orders/{order}/status"), &delivered).await.is(200);
        let payments = bob.get(&format!("/payments/order/{order}")).await.is(200);
        let payment = payments["payments"][0]["paymentId"].as_str().expect("a payment");
        let admin = shop.admin().await;
        let request = admin.request(Method::POST, &format!("/payments/{payment}/refund"));
        let request = request.header("idempotency-key", order);
        let refund = json!({ "lines": [{ "id": tea.id, "quantity": pieces }], "outside": true });
        request.json(&refund).send().await.is(201);
    }
    eventually("nothing of it is left", async || {
        let posted = bob.reviews(&tea, &one(1)).await;
        if posted.status == 201 {
            bob.request(Method::DELETE, &format!("/reviews/{}", tea.id)).send().await.is(204);
        }
        (posted.status == 403).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_a_guest_bought_is_reviewed_by_whoever_claims_it() {
    let shop = Shop::open();
    let tea = shop.person("Ann").await.sells(product().named("tea").stock(10)).await;
    let cart = shop.post("/guest-cart/items", &json!({ "id": tea.id, "quantity": 1 })).await.is(200);
    let bob = shop.person("Bob").await;
    let body = json!({
        "expectedTotal": 1, "email": bob.email, "fullName": "Bob", "paymentMethod": "cash_on_delivery"
    });
    let request = shop.request(Method::POST, "/guest-cart/checkout");
    let request = request.header("cart-token", cart["cartToken"].as_str().expect("a token"));
    let placed = request.json(&body).send().await.is(201);
    let order = placed["orderId"].as_str().expect("an id");
    let token = placed["orderToken"].as_str().expect("a token").to_owned();
    eventually("it ships", async || {
        let shown =
            shop.request(Method::GET, &format!("/guest-orders/{order}")).header("order-token", &token);
        (shown.send().await.is(200)["status"] == "shipping").then_some(())
    })
    .await;
    bob.reviews(&tea, &one(4)).await.is_problem(403, "not-bought");
    bob.post("/orders/claim", &json!({ "orderId": order, "orderToken": token })).await.is(200);
    eventually("it is his", async || (bob.reviews(&tea, &one(4)).await.status == 201).then_some(())).await;
}

#[tokio::test]
async fn the_stars_of_all_who_review_at_once_are_in_the_average() {
    let shop = Shop::open();
    let (tea, _, owners) = sold(&shop, 6).await;
    let given = [5, 4, 4, 2, 1, 5];
    let posted = at_once(owners.len(), |number| {
        let (owner, tea) = (owners[number].clone(), tea.clone());
        async move { owner.reviews(&tea, &one(given[number])).await.status }
    });
    assert_eq!(posted.await, [201; 6]);
    assert_eq!(rating(&shop, &tea).await, (json!(3.5), 6));
    let stars = |reviews: Vec<Value>| -> Vec<u64> {
        reviews.iter().map(|review| review["stars"].as_u64().expect("stars")).collect()
    };
    assert_eq!(stars(listed(&shop, &tea, "sort=highest").await), [5, 5, 4, 4, 2, 1]);
    assert_eq!(stars(listed(&shop, &tea, "sort=lowest").await), [1, 2, 4, 4, 5, 5]);
    assert_eq!(stars(listed(&shop, &tea, "stars=4").await), [4, 4]);
    let newest = listed(&shop, &tea, "sort=newest&stars=").await;
    let times: Vec<_> = newest.iter().map(|review| review["createdAt"].as_str().expect("a time")).collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older), "{times:?}");
    let first = shop.get(&format!("{}/reviews?sort=highest&limit=4", tea.path())).await;
    let link = first.header("link").expect("there is a next page").to_owned();
    let first = first.is(200);
    let next = first["nextCursor"].as_str().expect("there is a next page");
    assert!(link.contains(next) && link.contains("sort=highest"), "{link}");
    let second = listed(&shop, &tea, &format!("sort=highest&limit=4&cursor={next}")).await;
    assert_eq!(stars(second), [2, 1]);
    // One of two at the same moment changes it, and one deletes another.
    let (path, worst) = (format!("/reviews/{}", tea.id), one(1));
    let (changed, deleted) =
        tokio::join!(owners[0].put(&path, &worst), owners[1].request(Method::DELETE, &path).send());
    changed.is(200);
    deleted.is(204);
    assert_eq!(rating(&shop, &tea).await, (json!(2.6), 5));
}

#[tokio::test]
async fn the_seller_replies_once_and_everybody_reads_it() {
    let shop = Shop::open();
    let (tea, seller, owners) = sold(&shop, 1).await;
    owners[0].reviews(&tea, &one(3)).await.is(201);
    let path = format!("/reviews/{}/{}/reply", tea.id, owners[0].id());
    let thanks = json!({ "text": "Thank you." });
    for stranger in [&owners[0], &shop.person("Cleo").await, shop.admin().await] {
        stranger.put(&path, &thanks).await.is_problem(403, "forbidden");
    }
    let answer = seller.put(&path, &thanks).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
    let answered = answer.is(200);
    assert_eq!((&answered["reply"]["text"], &answered["version"]), (&json!("Thank you."), &json!(2)));
    assert_eq!(listed(&shop, &tea, "").await, [answered]);
    let sorry = changes(&seller, (Method::PUT, &path), "\"2\"", &json!({ "text": "Sorry." })).await.is(200);
    assert_eq!((&sorry["reply"]["text"], &sorry["version"]), (&json!("Sorry."), &json!(3)));
    changes(&seller, (Method::PUT, &path), "\"2\"", &thanks).await.is_problem(412, "precondition-failed");
    assert_eq!(seller.put(&path, &json!({})).await.is(200).get("reply"), None);
    seller.put(&path, &json!({ "text": "" })).await.is_problem(422, "invalid-input").at(["#/text"]);
    let nobodys = format!("/reviews/{}/{}/reply", tea.id, seller.id());
    seller.put(&nobodys, &thanks).await.is_problem(404, "not-found");
    seller.put(&format!("/reviews/{}/%23totals/reply", tea.id), &thanks).await.is_problem(404, "not-found");
    assert_eq!(rating(&shop, &tea).await, (json!(3), 1));
}

#[tokio::test]
async fn what_an_admin_hides_is_its_authors_alone_and_counts_for_nothing() {
    let shop = Shop::open();
    let (tea, seller, owners) = sold(&shop, 2).await;
    owners[0].reviews(&tea, &one(5)).await.is(201);
    owners[1].reviews(&tea, &json!({ "stars": 1, "text": "Buy elsewhere." })).await.is(201);
    assert_eq!(rating(&shop, &tea).await, (json!(3), 2));
    let path = format!("/reviews/{}/{}", tea.id, owners[1].id());
    let visibility = format!("{path}/visibility");
    let hide = json!({ "visible": false, "reason": "It sells something." });
    for stranger in [&owners[1], &seller] {
        stranger.put(&visibility, &hide).await.is_problem(403, "forbidden");
        stranger.request(Method::DELETE, &path).send().await.is_problem(403, "forbidden");
        stranger.get("/reviews/hidden").await.is_problem(403, "forbidden");
    }
    let admin = shop.admin().await;
    let answer = admin.put(&visibility, &hide).await;
    // Whether the admin still is one, the review, and the transaction.
    assert_eq!(answer.calls(), calls([("dynamodb", 3)]));
    let hidden = answer.is(200);
    assert_eq!(hidden["hidden"]["reason"], "It sells something.");
    assert_eq!(rating(&shop, &tea).await, (json!(5), 1));
    assert_eq!(listed(&shop, &tea, "stars=1").await, [Value::Null; 0]);
    assert_eq!(owners[1].get("/users/me/reviews").await.is(200)["reviews"], json!([hidden]));
    let all = admin.get("/reviews/hidden?limit=100").await;
    assert_eq!(all.calls(), calls([("dynamodb", 1)]));
    assert!(all.is(200)["reviews"].as_array().expect("reviews").contains(&hidden));
    seller.put(&format!("{path}/reply"), &json!({ "text": "No!" })).await.is_problem(404, "not-found");
    // Its author cannot post it anew, nor bring it back by a change.
    owners[1].reviews(&tea, &one(1)).await.is_problem(409, "already-reviewed");
    let changed = owners[1].put(&format!("/reviews/{}", tea.id), &one(2)).await.is(200);
    assert!(changed["hidden"].is_object(), "{changed}");
    assert_eq!(rating(&shop, &tea).await, (json!(5), 1));
    let shown = admin.put(&visibility, &json!({ "visible": true })).await.is(200);
    assert_eq!(shown.get("hidden"), None);
    assert_eq!(rating(&shop, &tea).await, (json!(3.5), 2));
    admin
        .put(&visibility, &json!({ "visible": true, "reason": "Fine." }))
        .await
        .is_problem(422, "invalid-input");

    admin.request(Method::DELETE, &path).send().await.is(204);
    assert_eq!(rating(&shop, &tea).await, (json!(5), 1));
    admin.request(Method::DELETE, &path).send().await.is_problem(404, "not-found");
    let totals = format!("/reviews/{}/%23totals", tea.id);
    admin.request(Method::DELETE, &totals).send().await.is_problem(404, "not-found");
    assert_eq!(rating(&shop, &tea).await, (json!(5), 1));
}

#[tokio::test]
async fn what_becomes_of_a_review_is_in_its_authors_log() {
    let shop = Shop::open();
    let (tea, seller, owners) = sold(&shop, 1).await;
    let (bob, path) = (&owners[0], format!("/reviews/{}", tea.id));
    let admin = shop.admin().await;
    bob.reviews(&tea, &one(3)).await.is(201);
    bob.put(&path, &one(4)).await.is(200);
    let own = format!("{path}/{}", bob.id());
    seller.put(&format!("{own}/reply"), &json!({ "text": "Thank you." })).await.is(200);
    admin.put(&format!("{own}/visibility"), &json!({ "visible": false })).await.is(200);
    admin.put(&format!("{own}/visibility"), &json!({ "visible": true })).await.is(200);
    bob.request(Method::DELETE, &path).send().await.is(204);
    // The first two are of the review by which it was known that Bob had bought the tea.
    let expected = [
        "review.posted",
        "review.removed",
        "review.posted",
        "review.edited",
        "review.answered",
        "review.hidden",
        "review.shown",
        "review.removed",
    ];
    let told = async || {
        let log = bob.get("/users/me/activity?limit=100").await.is(200);
        let entries = log["activity"].as_array().expect("a log").iter();
        let of_reviews = entries.filter(|entry| entry["subject"] == tea.id.as_str());
        let mut kinds: Vec<_> =
            of_reviews.map(|entry| entry["kind"].as_str().expect("a kind").to_owned()).collect();
        kinds.sort_unstable();
        kinds
    };
    let mut expected = expected.map(str::to_owned);
    expected.sort_unstable();
    eventually("all of it is in the log", async || (told().await == expected).then_some(())).await;
}

/// What people think of a store, on its page, in the list of all and in its owner's own; each is one call.
async fn ratings_of(shop: &Shop, store: &str, owner: &Person) -> [Value; 3] {
    let rating_in = |list: &Value| {
        let stores = list["stores"].as_array().expect("stores").iter();
        stores.filter(|one| one["id"] == store).map(|one| one["rating"].clone()).next()
    };
    let page = shop.get(&format!("/stores/{store}")).await;
    assert_eq!(page.calls(), calls([("dynamodb", 1)]));
    let on_page = page.is(200)["rating"].take();
    let own = owner.get("/users/me/stores").await;
    assert_eq!(own.calls(), calls([("dynamodb", 1)]));
    let of_owner = rating_in(&own.is(200)).expect("it is there");
    let mut query = "?limit=100".to_owned();
    loop {
        let answer = shop.get(&format!("/stores{query}")).await;
        assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
        let list = answer.is(200);
        if let Some(in_list) = rating_in(&list) {
            return [on_page, of_owner, in_list];
        }
        let next = list["nextCursor"].as_str().expect("it is on one of the pages");
        query = format!("?limit=100&cursor={next}");
    }
}

#[tokio::test]
async fn a_store_is_rated_by_all_that_is_said_of_what_it_sells() {
    let shop = Shop::open();
    let (ann, buyers) = (shop.person("Ann").await, shop.people(2).await);
    let store = ann.post("/stores", &json!({ "name": unique("Tea") })).await.is(201);
    let store = store["id"].as_str().expect("an id").to_owned();
    ann.put(&format!("/stores/{store}/status"), &json!({ "status": "published" })).await.is(200);
    let of_the_store = |name: &str| product().named(name).stock(9).with("storeId", json!(store));
    let (word, other) = (unique("assam").replace(' ', ""), product().named("mate").stock(9));
    let (tea, cup, mate) =
        (ann.sells(of_the_store(&word)).await, ann.sells(of_the_store("cup")).await, ann.sells(other).await);
    let is = async |average: Value, count: u64| {
        let expected = json!({ "average": average, "count": count });
        let rated = async || ratings_of(&shop, &store, &ann).await.iter().all(|rating| *rating == expected);
        eventually("the store is rated so, everywhere", async || rated().await.then_some(())).await;
    };
    is(Value::Null, 0).await;
    for product in [&tea, &cup, &mate] {
        for buyer in &buyers {
            buyer.gets(product).await;
        }
    }
    buyers[0].reviews(&tea, &one(5)).await.is(201);
    buyers[1].reviews(&tea, &one(4)).await.is(201);
    buyers[0].reviews(&cup, &one(1)).await.is(201);
    buyers[0].reviews(&mate, &one(1)).await.is(201);
    is(json!(3.3), 3).await;
    // On the product's page, in its list, in its store's, beside its reviews and in search it is the same.
    assert_eq!(rating(&shop, &tea).await, (json!(4.5), 2));
    let expected = json!({ "average": 4.5, "count": 2 });
    let products = shop.get(&format!("/stores/{store}/products")).await.is(200);
    let in_store =
        products["products"].as_array().expect("products").iter().find(|one| one["id"] == tea.id.as_str());
    assert_eq!(in_store.expect("it is there")["rating"], expected);
    eventually("search shows it", async || {
        let found = shop.get(&format!("/search?q={word}&minRating=4.5")).await.is(200);
        let first = &found["products"][0];
        (first["id"] == tea.id.as_str() && first["rating"] == expected).then_some(())
    })
    .await;

    let changed = buyers[0].put(&format!("/reviews/{}", cup.id), &one(3)).await;
    changed.is(200);
    is(json!(4), 3).await;
    let visibility = format!("/reviews/{}/{}/visibility", tea.id, buyers[0].id());
    shop.admin().await.put(&visibility, &json!({ "visible": false })).await.is(200);
    is(json!(3.5), 2).await;
    buyers[1].request(Method::DELETE, &format!("/reviews/{}", tea.id)).send().await.is(204);
    is(json!(3), 1).await;
    // Nobody is better liked for deleting what was disliked.
    ann.request(Method::DELETE, &cup.path()).send().await.is(204);
    shop.admin().await.put(&visibility, &json!({ "visible": true })).await.is(200);
    is(json!(4), 2).await;
}
