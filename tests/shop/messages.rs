//! What people are told by email of what others do: each thing once, in their language, and not what they switched off.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::calls;
use tests::aws::Aws;
use tests::shop::{Mail, PASSWORD, Person, Product, Shop, product, unique};
use tests::wait::eventually;

/// The mail to a person of this subject, as soon as there is one.
async fn mail_of(person: &Person, subject: &str) -> Mail {
    eventually(&format!("there is mail: {subject}"), async || {
        let mut mails = person.mail().await;
        mails.retain(|mail| mail.subject == subject);
        mails.pop()
    })
    .await
}

fn count(mails: &[Mail], subject: &str) -> usize {
    mails.iter().filter(|mail| mail.subject == subject).count()
}

async fn decides(shop: &Shop, product: &Product, decision: &Value) {
    shop.admin().await.put(&format!("{}/approval", product.path()), decision).await.is(200);
}

#[tokio::test]
async fn a_seller_is_told_what_was_decided_on_products_until_that_is_not_wanted() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().named("Tea")).await;
    let approved = mail_of(&ann, "Tea is for sale").await;
    assert!(approved.text.contains("“Tea” was approved"), "{}", approved.text);
    assert!(approved.text.contains(&tea.path()), "{}", approved.text);

    ann.put("/users/me", &json!({ "locale": "de-AT" })).await.is(200);
    decides(&shop, &tea, &json!({ "approved": false, "reason": "Blurred." })).await;
    let rejected = mail_of(&ann, "Tea wurde nicht freigegeben").await;
    assert!(rejected.text.contains("Der Shop schrieb: „Blurred.“"), "{}", rejected.text);

    ann.put("/users/me/preferences", &json!({ "sales": { "email": false } })).await.is(200);
    let cup = ann.sells(product().named("Cup")).await;
    decides(&shop, &cup, &json!({ "approved": false, "reason": "Dark." })).await;
    // What always comes, and later than these would have.
    shop.admin().await.put(&format!("/users/{}/role", ann.id()), &json!({ "role": "seller" })).await.is(200);
    mail_of(&ann, "Ihre Rolle bei Cartwright wurde geändert").await;
    let mails = ann.mail().await;
    let told = ["Tea is for sale", "Tea wurde nicht freigegeben"];
    assert_eq!(told.map(|subject| count(&mails, subject)), [1, 1]);
    assert!(mails.iter().all(|mail| !mail.text.contains(&cup.id)), "{mails:?}");
}

#[tokio::test]
async fn a_seller_is_told_of_a_review_and_its_author_of_the_reply() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("Tea").stock(9)).await;
    bob.buys(&tea, 1).await;
    // He says it until it is known that he has the tea, and once.
    let words = json!({ "stars": 2, "title": "Weak", "text": "Like <b>water</b>." });
    eventually("the purchase is known", async || {
        (bob.reviews(&tea, &words).await.status == 201).then_some(())
    })
    .await;
    let review = mail_of(&ann, "Tea has a new review").await;
    for part in ["“Tea” was given 2 of 5 stars.", "“Weak”", "“Like <b>water</b>.”"] {
        assert!(review.text.contains(part), "{part} is not in {}", review.text);
    }
    assert!(
        review.html.is_some_and(|html| html.contains("Like &#60;b&#62;water")),
        "it is no HTML of the author's"
    );

    let path = format!("/reviews/{}/{}/reply", tea.id, bob.id());
    ann.put(&path, &json!({ "text": "Take more of it." })).await.is(200);
    let reply = mail_of(&bob, "The seller replied to your review of Tea").await;
    assert!(reply.text.contains("“Take more of it.”"), "{}", reply.text);
    assert_eq!(count(&ann.mail().await, "Tea has a new review"), 1);
}

#[tokio::test]
async fn an_owner_is_told_that_the_shop_closed_a_store_and_why() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let name = unique("House");
    let store = ann.post("/stores", &json!({ "name": name })).await.is(201);
    let path = format!("/stores/{}/status", store["id"].as_str().expect("an id"));
    ann.put(&path, &json!({ "status": "published" })).await.is(200);
    let closed = json!({ "status": "deactivated", "reason": "No imprint." });
    shop.admin().await.put(&path, &closed).await.is(200);
    let mail = mail_of(&ann, &format!("Your store {name} is closed")).await;
    assert!(mail.text.contains("It wrote: “No imprint.”"), "{}", mail.text);
}

#[tokio::test]
async fn whoever_has_another_password_or_role_is_told_whatever_was_switched_off() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let nothing = json!({ "sales": { "email": false }, "reviews": { "email": false } });
    ann.put("/users/me/preferences", &nothing).await.is(200);
    let role = json!({ "role": "seller" });
    shop.admin().await.put(&format!("/users/{}/role", ann.id()), &role).await.is(200);
    let mail = mail_of(&ann, "Your role at Cartwright was changed").await;
    assert!(mail.text.contains("you are a seller now"), "{}", mail.text);

    let body = json!({ "previousPassword": PASSWORD, "proposedPassword": "Cartwright-2" });
    let change = shop.request(Method::POST, "/change-password").token(&ann.tokens.access_token);
    change.json(&body).send().await.is(200);
    mail_of(&ann, "Your password at Cartwright was changed").await;
    assert_eq!(count(&ann.mail().await, "Your role at Cartwright was changed"), 1);
}

#[tokio::test]
async fn a_seller_is_told_that_few_pieces_are_left_in_writing_and_in_the_inbox() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("Tea").stock(6)).await;
    bob.buys(&tea, 1).await;
    bob.buys(&tea, 2).await;
    let low = mail_of(&ann, "Tea is running low").await;
    assert!(low.text.contains("Of “Tea” 3 pieces are left."), "{}", low.text);
    let told = eventually("it is in the inbox", async || {
        let told = ann.get("/notifications").await.is(200)["notifications"].clone();
        told.as_array().expect("a list").iter().find(|one| one["kind"] == "product.ran-low").cloned()
    })
    .await;
    assert_eq!(told["subject"], tea.id.as_str());
    // It is low already, and then sold out.
    bob.buys(&tea, 3).await;
    let stock = format!("{}/stock", tea.path());
    ann.put(&stock, &json!({ "set": 9 })).await.is(200);
    ann.put(&stock, &json!({ "set": 0 })).await.is(200);
    mail_of(&ann, "Tea is sold out").await;
    assert_eq!(count(&ann.mail().await, "Tea is running low"), 1);
}

#[tokio::test]
async fn whoever_turns_a_second_factor_on_or_off_is_told_whatever_was_switched_off() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    ann.put("/users/me/preferences", &json!({ "sales": { "email": false } })).await.is(200);
    ann.turns_totp_on().await;
    mail_of(&ann, "Your second factor at Cartwright is on").await;
    for _ in 0..2 {
        ann.request_on_the_account(Method::DELETE, "/users/me/totp").send().await.is(204);
    }
    mail_of(&ann, "Your second factor at Cartwright is off").await;
    let log = eventually("both are in the log", async || {
        let log = ann.get("/users/me/activity?kind=user.second-factor-changed").await.is(200);
        let count = log["activity"].as_array().expect("a list").len();
        (count >= 2).then_some(count)
    })
    .await;
    assert_eq!((log, count(&ann.mail().await, "Your second factor at Cartwright is off")), (2, 1));
}

/// The hours of which this seller is still to be told.
async fn due_hours(aws: &Aws, seller: &Person) -> Vec<Value> {
    let query = json!({
        "TableName": aws.output("SalesTable"),
        "KeyConditionExpression": "sellerId = :seller AND begins_with(entry, :hour)",
        "FilterExpression": "attribute_exists(due)",
        "ExpressionAttributeValues": { ":seller": { "S": seller.id() }, ":hour": { "S": "hour#" } },
    });
    let found = aws.json("dynamodb", "DynamoDB_20120810.Query", query).await;
    found["Items"].as_array().expect("items").clone()
}

#[tokio::test]
async fn a_seller_is_told_once_what_was_sold_in_an_hour() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("Tea").stock(50).with("productPrice", json!(4.5))).await;
    // What is ordered in the hour is told of together; the test may run over its end.
    bob.buys(&tea, 2).await;
    bob.buys(&tea, 1).await;
    let orders = |hours: &[Value]| -> i64 {
        let orders = hours.iter().map(|hour| hour["orders"]["N"].as_str().expect("a number").parse::<i64>());
        orders.map(|orders| orders.expect("a number")).sum()
    };
    let hours = eventually("both sales are counted", async || {
        Some(due_hours(&aws, &ann).await).filter(|hours| orders(hours) == 2)
    })
    .await;
    // It is not over yet: nothing is told.
    aws.run_on_schedule("queue-digests", Duration::ZERO).await;
    assert_eq!(due_hours(&aws, &ann).await.len(), hours.len());
    for hour in &hours {
        let key = json!({ "sellerId": hour["sellerId"], "entry": hour["entry"] });
        let change = json!({
            "TableName": aws.output("SalesTable"), "Key": key, "UpdateExpression": "SET dueAt = :past",
            "ExpressionAttributeValues": { ":past": { "S": "2026-01-01T00:00:00.000Z" } },
        });
        aws.json("dynamodb", "DynamoDB_20120810.UpdateItem", change).await;
    }
    eventually("its letters are queued", async || {
        aws.run_on_schedule("queue-digests", Duration::ZERO).await;
        due_hours(&aws, &ann).await.is_empty().then_some(())
    })
    .await;
    if hours.len() == 1 {
        let mail = mail_of(&ann, "You have 2 new orders").await;
        assert!(mail.text.contains("Together: 13.50 USD"), "{}", mail.text);
        assert!(mail.text.contains("/unsubscribe?token="), "it can be stopped");
    } else {
        mail_of(&ann, "You have a new order").await;
    }
    let digests = ann.mail().await.into_iter().filter(|mail| mail.subject.starts_with("You have "));
    assert!(digests.count() <= hours.len());
}

/// Where the last line of a mail leads, from the API's own address on.
fn link_of(mail: &Mail) -> String {
    let url = mail.text.lines().rev().find(|line| line.contains("/unsubscribe?token=")).expect("a link");
    let (_, path) = url.split_once("/unsubscribe").expect("a path");
    format!("/unsubscribe{path}")
}

#[tokio::test]
async fn the_link_of_an_email_stops_its_kind_without_a_sign_in_and_not_by_being_opened() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    ann.sells(product().named("Tea")).await;
    let link = link_of(&mail_of(&ann, "Tea is for sale").await);
    let emails =
        async || ann.get("/users/me/preferences").await.is(200)["preferences"]["sales"]["email"].clone();

    // As scanners do, and browsers of people who think twice.
    for _ in 0..2 {
        let answer = shop.get(&link).await;
        assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(answer.is(200).as_str().is_some_and(|page| page.contains("<form method=\"post\">")));
        assert_eq!(emails().await, true);
    }
    // As mail programs do by themselves, and again.
    for _ in 0..2 {
        let post =
            shop.request(Method::POST, &link).header("content-type", "application/x-www-form-urlencoded");
        let answer = post.body("List-Unsubscribe=One-Click").send().await;
        assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
        let page = answer.is(200);
        assert!(
            page.as_str().is_some_and(|page| page.contains("You get no emails about what you sell.")),
            "{page}"
        );
        assert_eq!(emails().await, false);
    }
    let all = ann.get("/users/me/preferences").await.is(200)["preferences"].clone();
    assert_eq!(
        (&all["reviews"]["email"], &all["sales"]["push"]),
        (&json!(true), &json!(true)),
        "nothing else stopped"
    );

    // A token of another person's or kind's is none.
    let another = link.replace(".sales.", ".reviews.");
    assert_ne!(another, link);
    shop.get(&another).await.is_problem(404, "not-found");
    shop.request(Method::POST, &another).send().await.is_problem(404, "not-found");
    let all = ann.get("/users/me/preferences").await.is(200)["preferences"].clone();
    assert_eq!(all["reviews"]["email"], true);
    shop.get("/unsubscribe").await.is_problem(422, "invalid-input").at(["token"]);
}

#[tokio::test]
async fn a_closed_account_can_stop_its_emails_and_one_that_is_gone_has_none() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let ann = shop.person("Ann").await;
    ann.sells(product().named("Tea")).await;
    let link = link_of(&mail_of(&ann, "Tea is for sale").await);
    let close = shop.admin().await.request(Method::POST, &format!("/users/{}/disable", ann.id()));
    close.send().await.is(200);
    shop.request(Method::POST, &link).send().await.is(200);
    assert_eq!(aws.item("UsersTable", ("userId", &ann.id())).await["salesEmail"], json!({ "BOOL": false }));
    aws.delete_item("UsersTable", "userId", &ann.id()).await;
    shop.get(&link).await.is_problem(404, "not-found");
    shop.request(Method::POST, &link).send().await.is_problem(404, "not-found");
    assert_eq!(aws.item("UsersTable", ("userId", &ann.id())).await, Value::Null, "none was made");
}
