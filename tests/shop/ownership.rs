//! What is someone else's: not to be seen, not to be changed, and not even to be known of.

use reqwest::Method;
use serde_json::json;
use tests::answer::Answer;
use tests::shop::{CODE, Newcomer, PASSWORD, Product, Shop, product, unique};

/// An id in our form that nothing has.
const NOBODY: &str = "01a1f83a-c81e-73c6-9369-b8a11a6916c7";

/// Apart from the request's id, two answers say the same.
#[track_caller]
fn tells_nothing(of_another: &Answer, of_nothing: &Answer) {
    assert_eq!(
        of_another.clone().is_problem(404, "not-found").body,
        of_nothing.clone().is_problem(404, "not-found").body
    );
    let timing = of_another.calls();
    assert!(timing.values().sum::<u32>() <= 1, "{timing:?}");
}

#[tokio::test]
async fn someone_elses_order_does_not_exist() {
    let shop = Shop::open();
    let (ann, bob, carl) = (shop.person("Ann").await, shop.person("Bob").await, shop.person("Carl").await);
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let order = bob.buys(&tea, 1).await;
    let (path, nothing) = (format!("/orders/{order}"), format!("/orders/{NOBODY}"));
    // Whoever sells all of it may see it, and it is neither hers to cancel nor on her list.
    assert_eq!(ann.get(&path).await.is(200)["orderId"], order.as_str());
    for other in [&carl, shop.admin().await] {
        tells_nothing(&other.get(&path).await, &other.get(&nothing).await);
    }
    for other in [&ann, &carl, shop.admin().await] {
        tells_nothing(&other.cancels(&order).await, &other.cancels(NOBODY).await);
        let page = other.get("/orders?limit=100").await.is(200);
        assert!(!page.to_string().contains(&order), "{page}");
    }
    let shipped = bob.order_once(&order, "shipping").await;
    assert_eq!(shipped["history"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn someone_elses_waiting_product_does_not_exist() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let listed = ann.lists(product().named("tea").stock(5)).await;
    let nothing = format!("/products/{NOBODY}");
    tells_nothing(&shop.get(&listed.path()).await, &shop.get(&nothing).await);
    tells_nothing(&bob.get(&listed.path()).await, &bob.get(&nothing).await);
    assert_eq!(bob.get("/users/me/products").await.is(200), json!({ "products": [], "nextCursor": null }));
}

#[tokio::test]
async fn the_sellers_address_is_never_public() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let category = unique("Tea");
    let tea = ann.sells(product().named("tea").in_category(&category)).await;
    let path = format!("/products?category={}", category.replace(' ', "%20"));
    let (page, mut one) = (shop.get(&path).await.is(200), shop.get(&tea.path()).await.is(200));
    let both = [page.to_string(), one.to_string()];
    // All pictures are on its own page alone.
    one.as_object_mut().and_then(|one| one.remove("pictures")).expect("its pictures");
    assert_eq!(page["products"], json!([one]));
    for answer in both {
        assert!(!answer.contains("@cartwright.test"), "{answer}");
        assert!(!answer.contains("owner"), "{answer}");
    }
}

#[tokio::test]
async fn a_customer_is_no_admin() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let listed = ann.lists(product().named("tea")).await;
    ann.get("/products/pending").await.is_problem(403, "forbidden");
    let approval = json!({ "approved": true });
    // Also of one's own product, and of one that does not exist: the route alone is what is forbidden.
    for id in [listed.id.as_str(), NOBODY] {
        ann.put(&format!("/products/{id}/approval"), &approval).await.is_problem(403, "forbidden");
    }
    assert_eq!(ann.own(&listed).await.expect("her own")["isApproved"], false);
    let admin = shop.admin().await;
    admin.put(&format!("/products/{NOBODY}/approval"), &approval).await.is_problem(404, "not-found");
}

#[tokio::test]
async fn nobody_becomes_admin_by_the_body() {
    let shop = Shop::open();
    let newcomer = Newcomer::named(&unique("Mallory"));
    let mut body = newcomer.body();
    body["groups"] = json!(["admin"]);
    body["custom:role"] = json!("admin");
    shop.post("/sign-up", &body).await.is_problem(422, "invalid-input").at(["#/groups", "#/custom:role"]);
    // Signing up with the admin's address gives an account that can never be confirmed.
    let thief = Newcomer { email: "admin@cartwright.test".into(), ..Newcomer::named(&unique("Mallory")) };
    let answer = shop.sign_up(&thief).await;
    if answer.status == 201 {
        let username = thief.full_name.replace(' ', "_");
        let confirmation = json!({ "username": username, "confirmationCode": CODE });
        shop.post("/confirm-sign-up", &confirmation).await.is_problem(409, "email-taken");
        let credentials = json!({ "username": username, "password": PASSWORD });
        shop.post("/sign-in", &credentials).await.is_problem(401, "wrong-credentials");
    } else {
        answer.is_problem(409, "email-taken");
    }
    shop.admin().await.get("/products/pending").await.is(200);
}

#[tokio::test]
async fn a_second_person_of_the_same_full_name_chooses_a_username() {
    let shop = Shop::open();
    let name = unique("Mara Lindqvist");
    let first = Newcomer::named(&name);
    shop.sign_up(&first).await.is(201);
    shop.confirm(&first).await.is(200);
    let second = Newcomer::named(&name);
    let problem = shop.sign_up(&second).await.is_problem(409, "name-taken");
    assert!(problem.detail().contains("username"), "{}", problem.detail());
    let second = Newcomer { username: Some(unique("mara").replace(' ', "_")), ..second };
    shop.sign_up(&second).await.is(201);
    shop.confirm(&second).await.is(200);

    let (first, second) = (shop.sign_in(&first).await, shop.sign_in(&second).await);
    let mine = first.lists(product().named("hers alone")).await;
    assert!(second.own(&mine).await.is_none());
    // The full name alone still means the first one.
    let by_name = shop.post("/sign-in", &json!({ "fullName": name, "password": PASSWORD })).await.is(200);
    let token = by_name["tokens"]["IdToken"].as_str().expect("a token");
    let products = shop.request(Method::GET, "/users/me/products").token(token).send().await.is(200);
    assert_eq!(products["products"][0]["id"], mine.id.as_str());
}

#[tokio::test]
async fn one_address_belongs_to_one_person() {
    let shop = Shop::open();
    let first = Newcomer::named(&unique("Ann"));
    shop.sign_up(&first).await.is(201);
    shop.confirm(&first).await.is(200);
    let second = Newcomer { full_name: unique("Bob"), ..first.clone() };
    let answer = shop.sign_up(&second).await;
    if answer.status == 201 {
        let name = json!({ "fullName": second.full_name, "confirmationCode": CODE });
        shop.post("/confirm-sign-up", &name).await.is_problem(409, "email-taken");
    } else {
        answer.is_problem(409, "email-taken");
    }
    let signed_in = shop.sign_in(&first).await;
    assert_eq!(signed_in.get("/orders").await.is(200), json!({ "orders": [], "nextCursor": null }));
}

#[tokio::test]
async fn an_upload_url_is_for_one_picture_alone() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let (one, other) = (ann.lists(product()).await, ann.lists(product()).await);
    let Product { upload_url, .. } = &one;
    let redirected = upload_url.replace(&one.id, &other.id);
    assert_ne!(&redirected, upload_url);
    assert_eq!(shop.upload(&redirected, "image/png", tests::shop::RED_PNG.to_vec()).await, 403);
    let published = upload_url.replace("/uploads/", "/images/");
    assert_eq!(shop.upload(&published, "image/png", tests::shop::RED_PNG.to_vec()).await, 403);
}
