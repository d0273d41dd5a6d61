//! What people tell the shop of themselves, and what admins make of their accounts.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::{Answer, calls};
use tests::aws::Aws;
use tests::paying::awaiting;
use tests::shop::{Mail, PASSWORD, Person, Shop, product, unique};
use tests::wait::{at_once, eventually};

/// An id in our form that nobody has.
const NOBODY: &str = "01a1f83a-c81e-73c6-9369-b8a11a6916c7";

fn hamburg() -> Value {
    json!({ "name": "Ann Lee", "line1": "Quay 1", "city": "Hamburg", "country": "DE" })
}

async fn changes(person: &Person, tag: &str, body: &Value) -> Answer {
    person.request(Method::PUT, "/users/me").header("if-match", tag).json(body).send().await
}

async fn signs_in(shop: &Shop, person: &Person) -> Answer {
    shop.post("/sign-in", &json!({ "email": person.email, "password": PASSWORD })).await
}

async fn becomes(admin: &Person, person: &Person, role: &str) -> Answer {
    admin.put(&format!("/users/{}/role", person.id()), &json!({ "role": role })).await
}

/// Somebody who was made admin by the route.
async fn admin_by_route(shop: &Shop) -> Person {
    let root = shop.person("Root").await;
    becomes(shop.admin().await, &root, "admin").await.is(200);
    let signed_in = signs_in(shop, &root).await.is(200);
    root.having(&signed_in)
}

async fn refreshes(shop: &Shop, person: &Person) -> Answer {
    shop.post("/refresh-token", &json!({ "refreshToken": person.tokens.refresh_token })).await
}

#[tokio::test]
async fn a_profile_is_changed_as_it_was_seen_and_null_takes_back() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let answer = ann.get("/users/me").await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    let tag = answer.header("etag").expect("a tag").to_owned();
    let mut profile = answer.is(200);
    let expected = json!({
        "userId": ann.id(), "email": ann.email, "fullName": ann.full_name,
        "username": ann.full_name.replace(' ', "_"), "addresses": [], "marketing": false,
        "createdAt": profile["createdAt"]
    });
    assert_eq!(profile, expected);

    // Signing in makes no other version.
    signs_in(&shop, &ann).await.is(200);
    let body =
        json!({ "phone": "+49 40 1234567", "locale": "de-DE", "addresses": [hamburg()], "marketing": true });
    let answer = changes(&ann, &tag, &body).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    let changed = answer.is(200);
    let mut kept = hamburg();
    kept["isDefault"] = true.into();
    profile["phone"] = "+49 40 1234567".into();
    profile["locale"] = "de-DE".into();
    profile["addresses"] = json!([kept]);
    profile["marketing"] = true.into();
    assert_eq!(changed, profile);
    let answer = ann.get("/users/me").await;
    let second = answer.header("etag").expect("a tag").to_owned();
    assert_eq!(answer.is(200), profile);

    // The first version is gone, and what is so already is as good as done by whoever says it again.
    changes(&ann, &tag, &json!({ "locale": "en" })).await.is_problem(412, "precondition-failed");
    assert_eq!(changes(&ann, &tag, &body).await.is(200), profile);
    let nothing = json!({ "phone": null, "locale": null, "addresses": null, "marketing": null });
    assert_eq!(changes(&ann, &second, &nothing).await.is(200), expected);
}

#[tokio::test]
async fn another_name_is_in_the_log_and_the_username_stays() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let changed = ann.put("/users/me", &json!({ "fullName": "Ann Fox" })).await.is(200);
    assert_eq!(
        (&changed["fullName"], &changed["username"]),
        (&json!("Ann Fox"), &json!(ann.full_name.replace(' ', "_")))
    );
    eventually("the log tells of it", async || {
        let log = ann.get("/users/me/activity?kind=user.profile-changed").await.is(200);
        (log["activity"].as_array().expect("a log").len() == 1).then_some(())
    })
    .await;
    shop.post("/sign-in", &json!({ "fullName": ann.full_name, "password": PASSWORD })).await.is(200);
}

#[tokio::test]
async fn whoever_has_no_profile_has_none_to_read_or_change() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let ann = shop.person("Ann").await;
    aws.delete_item("UsersTable", "userId", &ann.id()).await;
    ann.get("/users/me").await.is_problem(404, "not-found");
    ann.put("/users/me", &json!({ "locale": "de" })).await.is_problem(404, "not-found");
    assert_eq!(aws.item("UsersTable", ("userId", &ann.id())).await, Value::Null, "none was made");
}

#[tokio::test]
async fn admins_find_people_by_how_their_address_begins_and_newest_first() {
    let shop = Shop::open();
    let admin = shop.admin().await;
    let ann = shop.person("Ann").await;
    let beginning = ann.email.split('@').next().expect("a beginning").to_uppercase();
    let by_address = async || {
        let answer = admin.get(&format!("/users?email={beginning}")).await;
        assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
        let page = answer.is(200);
        page["users"].as_array().filter(|users| !users.is_empty()).cloned()
    };
    let found = eventually("the index has her", by_address).await;
    let expected = json!({
        "userId": ann.id(), "email": ann.email, "fullName": ann.full_name, "role": "customer", "status": "active",
        "createdAt": found[0]["createdAt"]
    });
    assert_eq!(found, [expected]);

    let answer = admin.get("/users?limit=100").await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    let page = answer.is(200);
    let times: Vec<_> =
        page["users"].as_array().expect("people").iter().map(|user| user["createdAt"].as_str()).collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older), "{times:?}");

    let answer = admin.get(&format!("/users/{}", ann.id())).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    let user = answer.is(200);
    assert_eq!((&user["email"], &user["hasSecondFactor"]), (&json!(ann.email), &json!(false)));
    assert!(user.get("phone").is_none() && user.get("addresses").is_none(), "{user}");
    admin.get(&format!("/users/{NOBODY}")).await.is_problem(404, "not-found");
    admin.get("/users?email=a%20b").await.is_problem(422, "invalid-input").at(["email"]);
    for path in ["/users".to_owned(), format!("/users/{}", ann.id())] {
        ann.get(&path).await.is_problem(403, "forbidden");
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_the_beginning_that_was_looked_for() {
    let shop = Shop::open();
    let admin = shop.admin().await;
    shop.people(3).await;
    let first = eventually("three are on the list", async || {
        let page = admin.get("/users?email=buyer&limit=1").await.is(200);
        page["nextCursor"].is_string().then_some(page)
    })
    .await;
    let cursor = first["nextCursor"].as_str().expect("a cursor");
    let second = admin.get(&format!("/users?email=buyer&limit=1&cursor={cursor}")).await.is(200);
    assert!(second["users"][0]["email"].as_str() > first["users"][0]["email"].as_str());
    for query in [format!("email=b&cursor={cursor}"), format!("cursor={cursor}")] {
        admin.get(&format!("/users?{query}")).await.is_problem(422, "invalid-input").at(["cursor"]);
    }
}

#[tokio::test]
async fn a_role_counts_at_once_and_in_the_next_token() {
    let shop = Shop::open();
    let (admin, ann) = (shop.admin().await, shop.person("Ann").await);
    let answer = becomes(admin, &ann, "admin").await;
    // Whether the caller is an admin, the person, the change, and that the user pool knows; two groups and the account.
    assert_eq!(answer.calls(), calls([("cognito-idp", 3), ("dynamodb", 4)]));
    let changed = answer.is(200);
    assert_eq!((&changed["role"], &changed["isPending"]), (&json!("admin"), &json!(false)));
    // What is so already costs no call at the user pool.
    assert_eq!(becomes(admin, &ann, "admin").await.calls(), calls([("dynamodb", 2)]));
    let signed_in = signs_in(&shop, &ann).await.is(200);
    let root = ann.having(&signed_in);
    root.request(Method::DELETE, "/categories/nothing").send().await.is_problem(404, "not-found");

    let demoted = becomes(admin, &root, "customer").await;
    assert_eq!(demoted.calls(), calls([("cognito-idp", 4), ("dynamodb", 4)]));
    demoted.is(200);
    // The same token, a moment later.
    root.request(Method::DELETE, "/categories/nothing").send().await.is_problem(403, "forbidden");
    assert_eq!(refreshes(&shop, &root).await.status, 401);
    let signed_in = signs_in(&shop, &root).await.is(200);
    let ann = root.having(&signed_in);
    ann.get("/users").await.is_problem(403, "forbidden");
    let roles = eventually("both are in the log", async || {
        let log = ann.get("/users/me/activity?kind=user.role-changed").await.is(200);
        let entries = log["activity"].as_array().expect("a log").len();
        (entries == 2).then_some(entries)
    });
    roles.await;
}

#[tokio::test]
async fn nobody_changes_their_own_role_or_account_nor_anybody_who_is_no_admin() {
    let shop = Shop::open();
    let (admin, ann) = (shop.admin().await, shop.person("Ann").await);
    becomes(admin, admin, "customer").await.is_problem(409, "own-account");
    for verb in ["disable", "enable"] {
        let path = format!("/users/{}/{verb}", admin.id());
        admin.request(Method::POST, &path).send().await.is_problem(409, "own-account");
        let path = format!("/users/{}/{verb}", ann.id());
        ann.request(Method::POST, &path).send().await.is_problem(403, "forbidden");
    }
    becomes(&ann, &ann, "admin").await.is_problem(403, "forbidden");
    let unknown = admin.put(&format!("/users/{NOBODY}/role"), &json!({ "role": "seller" })).await;
    unknown.is_problem(404, "not-found");
    becomes(admin, &ann, "owner").await.is_problem(422, "invalid-input").at(["#/role"]);
}

#[tokio::test]
async fn of_two_admins_who_take_each_others_role_away_one_is_left() {
    let shop = Shop::open();
    for _ in 0..3 {
        let pair = [admin_by_route(&shop).await, admin_by_route(&shop).await];
        let answers = at_once(2, |at| {
            let pair = pair.clone();
            async move { becomes(&pair[at], &pair[1 - at], "customer").await.status }
        });
        let mut answers = answers.await;
        answers.sort_unstable();
        assert_eq!(answers, [200, 403]);
    }
}

#[tokio::test]
async fn a_closed_account_does_nothing_until_it_is_opened_again() {
    let shop = Shop::open();
    let (admin, ann, bob) = (shop.admin().await, shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let cup = ann.sells(product().named("cup").stock(5)).await;
    let order = bob.buys(&cup, 1).await;
    bob.order_once(&order, "shipping").await;
    bob.may_review(&cup).await;
    bob.reviews(&cup, &json!({ "stars": 3 })).await.is(201);
    let cart = shop.post("/guest-cart/items", &json!({ "id": cup.id, "quantity": 1 })).await.is(200);
    let guest = json!({
        "expectedTotal": 1, "email": bob.email, "fullName": "Bob", "paymentMethod": "cash_on_delivery"
    });
    let request = shop.request(Method::POST, "/guest-cart/checkout");
    let request = request.header("cart-token", cart["cartToken"].as_str().expect("a token"));
    let of_guest = request.json(&guest).send().await.is(201);
    let close = format!("/users/{}/disable", bob.id());
    let answer = admin.request(Method::POST, &close).send().await;
    assert_eq!(answer.calls(), calls([("cognito-idp", 4), ("dynamodb", 4)]));
    assert_eq!(answer.is(200)["status"], "disabled");
    assert_eq!(admin.request(Method::POST, &close).send().await.is(200)["status"], "disabled");

    signs_in(&shop, &bob).await.is_problem(401, "wrong-credentials");
    assert_eq!(refreshes(&shop, &bob).await.status, 401);
    bob.tries_to_buy(&tea, 1).await.is_problem(403, "account-closed");
    bob.post("/products", &product().named("cup").body).await.is_problem(403, "account-closed");
    bob.put("/users/me", &json!({ "locale": "de" })).await.is_problem(403, "account-closed");
    bob.post("/stores", &json!({ "name": unique("Bob's") })).await.is_problem(403, "account-closed");
    let sent_back = json!({ "items": [{ "id": cup.id, "quantity": 1 }] });
    bob.post(&format!("/orders/{order}/returns"), &sent_back).await.is_problem(403, "account-closed");
    let review = format!("/reviews/{}", cup.id);
    bob.put(&review, &json!({ "stars": 1 })).await.is_problem(403, "account-closed");
    bob.put(&review, &json!({ "stars": 3, "text": "Bob." })).await.is_problem(403, "account-closed");
    let claim = json!({ "orderId": of_guest["orderId"], "orderToken": of_guest["orderToken"] });
    bob.post("/orders/claim", &claim).await.is_problem(403, "account-closed");
    // What is said may be taken back, and not said anew.
    bob.request(Method::DELETE, &review).send().await.is(204);
    bob.reviews(&cup, &json!({ "stars": 5 })).await.is_problem(403, "account-closed");
    assert_eq!(shop.stock_of(&tea).await, 5);

    let open = format!("/users/{}/enable", bob.id());
    assert_eq!(admin.request(Method::POST, &open).send().await.is(200)["status"], "active");
    let signed_in = signs_in(&shop, &bob).await.is(200);
    bob.having(&signed_in).buys(&tea, 1).await;
}

#[tokio::test]
async fn an_admin_whose_account_is_closed_is_none() {
    let shop = Shop::open();
    let (admin, root) = (shop.admin().await, admin_by_route(&shop).await);
    root.request(Method::DELETE, "/categories/nothing").send().await.is_problem(404, "not-found");
    admin.request(Method::POST, &format!("/users/{}/disable", root.id())).send().await.is(200);
    root.request(Method::DELETE, "/categories/nothing").send().await.is_problem(403, "forbidden");
    becomes(&root, admin, "customer").await.is_problem(403, "forbidden");
}

const ADDRESS_CHANGED: &str = "Your account at Cartwright has another address";

async fn wants(person: &Person, address: &str) -> Answer {
    person.post("/users/me/email", &json!({ "email": address })).await
}

async fn confirms(person: &Person, code: &str) -> Answer {
    let request = person.request_on_the_account(Method::POST, "/users/me/email/confirm");
    request.json(&json!({ "confirmationCode": code })).send().await
}

#[tokio::test]
async fn a_new_address_counts_once_its_code_was_entered() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let address = ann.email.replace("ann", "fox");
    let answer = wants(&ann, &address.to_uppercase()).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 4), ("sqs", 1)]));
    answer.is(202);
    let code = shop.code_for_a_new_address(&address).await;
    assert_eq!(ann.get("/users/me").await.is(200)["email"], ann.email);
    let wrong = if code == "12345678" { "87654321" } else { "12345678" };
    confirms(&ann, wrong).await.is_problem(422, "code-mismatch");
    let answer = confirms(&ann, &code).await;
    assert_eq!(answer.calls(), calls([("cognito-idp", 1), ("dynamodb", 5), ("sqs", 1)]));
    answer.is(200);
    confirms(&ann, &code).await.is(200);
    let is_it = |mail: &Mail| mail.subject == ADDRESS_CHANGED;
    let told = eventually("the address from before is told", async || {
        let mails = shop.mail_to(&ann.email).await;
        mails.into_iter().find(is_it)
    })
    .await;
    assert!(!told.text.contains(&address), "{}", told.text);
    assert_eq!(ann.get("/users/me").await.is(200)["email"], address);
    let signs_in = async |email: &str| {
        shop.post("/sign-in", &json!({ "email": email, "password": PASSWORD })).await.status
    };
    assert_eq!((signs_in(&address).await, signs_in(&ann.email).await), (200, 401));
}

#[tokio::test]
async fn an_address_that_another_account_has_stays_its_own() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    wants(&ann, &bob.email).await.is(202);
    let code = shop.code_for_a_new_address(&bob.email).await;
    // The code is of Ann's change, and of no other.
    confirms(&bob, &code).await.is_problem(422, "code-mismatch");
    confirms(&ann, &code).await.is_problem(409, "email-taken");
    assert_eq!(ann.get("/users/me").await.is(200)["email"], ann.email);
    wants(&ann, "nobody").await.is_problem(422, "invalid-input").at(["#/email"]);
}

/// What an export has of each part: nothing, one, or how many.
fn parts(document: &Value) -> BTreeMap<&str, usize> {
    let document = document.as_object().expect("a document");
    let count = |part: &Value| part.as_array().map_or(usize::from(!part.is_null()), Vec::len);
    let parts = document.iter().filter(|(name, _)| *name != "exportedAt");
    parts.map(|(name, part)| (name.as_str(), count(part))).collect()
}

#[tokio::test]
async fn everything_that_is_kept_of_a_person_is_in_their_export() {
    let paid = awaiting().await;
    let (ann, bob) = (&paid.seller, &paid.buyer);
    let store = json!({ "name": unique("Tea house") });
    ann.post("/stores", &store).await.is(201);
    paid.is_paid().await;
    paid.order_once("it ships", |order| order["status"] == "shipping").await;
    let back = json!({ "items": [{ "id": paid.product.id, "quantity": 1 }], "reason": "Too small." });
    bob.post(&format!("/orders/{}/returns", paid.order), &back).await.is(201);
    bob.may_review(&paid.product).await;
    bob.reviews(&paid.product, &json!({ "stars": 4, "text": "Fits." })).await.is(201);
    bob.put("/users/me", &json!({ "addresses": [hamburg()] })).await.is(200);
    eventually("what happened is in the log", async || {
        let log = bob.get("/users/me/activity").await.is(200);
        (log["activity"].as_array().expect("a log").len() > 3).then_some(())
    })
    .await;
    let answer = bob.get("/users/me/export").await;
    // Three for the limit, the person and the cart; four of the order and its payment; ten for the rest.
    assert_eq!(answer.calls(), calls([("dynamodb", 17)]));
    let exported = answer.is(200);
    assert_eq!(exported["status"], "complete");
    let data = &exported["data"];
    let mut of_bob = parts(data);
    assert!(of_bob.remove("activity") > Some(3), "{data}");
    assert!(of_bob.remove("inbox").is_some(), "{data}");
    let expected = [
        ("profile", 1),
        ("cart", 1),
        ("orders", 1),
        ("products", 0),
        ("stores", 0),
        ("sellerOrders", 0),
        ("sales", 0),
        ("reviews", 1),
        ("purchases", 1),
        ("mail", 0),
        ("recentlyViewed", 0),
    ];
    assert_eq!(of_bob, BTreeMap::from(expected));
    assert_eq!(data["profile"]["email"], bob.email);
    assert_eq!(data["profile"]["addresses"][0]["city"], "Hamburg");
    let order = &data["orders"][0];
    assert_eq!(
        (&order["orderId"], &order["returns"][0]["reason"]),
        (&json!(paid.order), &json!("Too small."))
    );
    let entries = order["payments"].as_array().expect("payments").iter();
    let entries: Vec<_> = entries.map(|entry| entry["entry"].as_str().expect("an entry")).collect();
    assert!(
        entries.contains(&"payment") && entries.iter().any(|entry| entry.starts_with("ledger#")),
        "{entries:?}"
    );
    // The other side of it, and nothing of the buyer.
    let exported = ann.get("/users/me/export").await.is(200);
    let of_ann = parts(&exported["data"]);
    assert_eq!(
        [of_ann["products"], of_ann["stores"], of_ann["sellerOrders"], of_ann["orders"]],
        [1, 1, 1, 0]
    );
    assert!(of_ann["sales"] > 0, "{exported}");
    assert_eq!(exported["data"]["products"][0]["offer"]["quantity"], 2);
    assert!(!exported.to_string().contains(&bob.email), "{exported}");
}

#[tokio::test]
async fn an_export_of_much_is_made_in_the_background_and_can_be_fetched_for_a_day() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(50)).await;
    for _ in 0..11 {
        bob.buys(&tea, 1).await;
    }
    let building = bob.get("/users/me/export").await.is(202);
    assert_eq!(building["status"], "building");
    let is_it = |mail: &Mail| mail.subject == "Your data at Cartwright is ready";
    eventually("it is ready", async || shop.mail_to(&bob.email).await.iter().any(is_it).then_some(())).await;
    let answer = bob.get("/users/me/export").await;
    assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
    let ready = answer.is(200);
    assert_eq!(ready["status"], "ready");
    let url = ready["downloadUrl"].as_str().expect("a URL");
    let file = shop.download(url).await;
    assert_eq!(file.status(), 200);
    let document: Value = file.json().await.expect("JSON");
    let of_bob = parts(&document);
    assert_eq!([of_bob["profile"], of_bob["orders"], of_bob["cart"], of_bob["reviews"]], [1, 11, 0, 0]);
    assert_eq!(document["profile"]["email"], bob.email);
    // The same parts as at once.
    let of_ann = ann.get("/users/me/export").await.is(200);
    assert!(of_bob.keys().eq(parts(&of_ann["data"]).keys()));
    // Without the signature it is nobody's.
    let bare = url.split_once('?').expect("a signature").0;
    assert_eq!(shop.download(bare).await.status(), 403);
}
