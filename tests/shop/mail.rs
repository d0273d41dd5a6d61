//! What admins write to people, and mail that comes back: to its address nothing is written any more.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::{Answer, calls};
use tests::aws::{Aws, Feedback};
use tests::paying::key;
use tests::shop::{Mail, Person, Shop, product, unique};
use tests::wait::eventually;

async fn writes(admin: &Person, key: &str, to: &str, subject: &str) -> Answer {
    let body =
        json!({ "to": to, "subject": subject, "text": "The box was open.\n\nDo you want another one?" });
    let request = admin.request(Method::POST, "/notifications/email").header("idempotency-key", key);
    request.json(&body).send().await
}

/// The mail to an address of this subject, as soon as there is one.
async fn mail_of(shop: &Shop, address: &str, subject: &str) -> Mail {
    eventually(&format!("there is mail: {subject}"), async || {
        let mails = shop.mail_to(address).await;
        mails.into_iter().find(|mail| mail.subject == subject)
    })
    .await
}

async fn count(shop: &Shop, address: &str, subject: &str) -> usize {
    shop.mail_to(address).await.iter().filter(|mail| mail.subject == subject).count()
}

/// Why an address gets no email, as an admin sees it.
async fn suppression(admin: &Person, address: &str) -> Option<Value> {
    let answer = admin.get(&format!("/email-suppressions?email={address}")).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    answer.is(200)["suppressions"].as_array_mut().expect("a list").pop()
}

async fn lifts(admin: &Person, id: &Value) -> Answer {
    let path = format!("/email-suppressions/{}", id.as_str().expect("an id"));
    admin.request(Method::DELETE, &path).send().await
}

/// As soon as a letter counts as sent.
async fn is_done(aws: &Aws, letter: &str) {
    let key = format!("claim#email#{letter}");
    eventually(&format!("{letter} is done"), async || {
        let claim = aws.item("GuardsTable", ("guardId", &key)).await;
        claim.get("doneAt").is_some().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_person_is_written_to_once_in_the_shops_layout_and_finds_it_in_the_log() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let (ann, admin) = (shop.person("Ann").await, shop.another_admin(&aws).await);
    let (key, subject) = (key("message"), unique("About your tea"));
    let answer = writes(&admin, &key, &ann.id(), &subject).await;
    // An admin still, the record of the key, the limit, the person, the message with its record; and the email.
    assert_eq!(answer.calls(), calls([("dynamodb", 5), ("sqs", 1)]));
    let first = answer.is(202);
    let mail = mail_of(&shop, &ann.email, &subject).await;
    let said = "The shop has a message for you. The box was open. Do you want another one?";
    assert!(mail.text.contains(said), "{}", mail.text);
    assert!(mail.text.starts_with(&format!("Hello {}", ann.full_name)), "{}", mail.text);
    assert!(!mail.text.contains("unsubscribe"), "{}", mail.text);

    let again = writes(&admin, &key, &ann.id(), &subject).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.is(202), first);
    writes(&admin, &key, &ann.id(), "Another").await.is_problem(422, "idempotency-key-reused");
    let log = eventually("it is in the log", async || {
        let log = ann.get("/users/me/activity?kind=user.message-sent").await.is(200);
        log["activity"].as_array().and_then(|log| log.first().cloned())
    })
    .await;
    assert_eq!(log["subject"], first["messageId"]);
    assert_eq!(count(&shop, &ann.email, &subject).await, 1);
    let export = ann.get("/users/me/export").await.is(200);
    assert_eq!(export["data"]["mail"][0]["subject"], subject.as_str());
}

#[tokio::test]
async fn an_address_of_nobody_is_written_to_and_one_of_somebody_is_theirs() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let (ann, admin) = (shop.person("Ann").await, shop.another_admin(&aws).await);
    ann.put("/users/me", &json!({ "locale": "de" })).await.is(200);
    let subject = unique("About your question");
    let nobody = format!("{}@cartwright.test", key("nobody"));
    writes(&admin, &key("message"), &nobody, &subject).await.is(202);
    assert!(mail_of(&shop, &nobody, &subject).await.text.starts_with("Hello,\n"));
    writes(&admin, &key("message"), &ann.email.to_uppercase(), &subject).await.is(202);
    let mail = mail_of(&shop, &ann.email, &subject).await;
    assert!(mail.text.contains("Der Shop hat eine Nachricht für Sie."), "{}", mail.text);
}

#[tokio::test]
async fn what_cannot_be_written_is_refused_and_nobody_else_writes() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let (ann, admin) = (shop.person("Ann").await, shop.another_admin(&aws).await);
    let nobody = "5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94";
    writes(&admin, &key("message"), nobody, "Tea").await.is_problem(422, "invalid-input").at(["#/to"]);
    writes(&admin, &key("message"), "ann", "Tea").await.is_problem(422, "invalid-input").at(["#/to"]);
    let body = json!({ "to": ann.id(), "subject": "Tea", "text": "Green." });
    let without = admin.request(Method::POST, "/notifications/email").json(&body).send().await;
    without.is_problem(422, "invalid-input").at(["Idempotency-Key"]);
    writes(&ann, &key("message"), &ann.id(), "Tea").await.is_problem(403, "forbidden");
    ann.get("/email-suppressions").await.is_problem(403, "forbidden");
    lifts(&ann, &json!("a".repeat(43))).await.is_problem(403, "forbidden");
}

#[tokio::test]
async fn to_an_address_that_mail_came_back_from_nothing_is_written_until_an_admin_lifts_it() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let admin = shop.another_admin(&aws).await;
    let tea = ann.sells(product().named("tea").stock(9)).await;
    aws.tells_of_mail(Feedback::Bounced, &bob.email).await;
    let found = eventually("it is noted", async || suppression(&admin, &bob.email).await).await;
    assert_eq!((&found["reason"], &found["userId"]), (&json!("bounce"), &json!(bob.id())));
    // Its person is told where it can be read.
    eventually("it is in the inbox", async || {
        let told = bob.get("/notifications").await.is(200)["notifications"].clone();
        let told = told.as_array().expect("a list").iter();
        told.filter(|one| one["kind"] == "user.email-suppressed").count().checked_sub(1)
    })
    .await;
    let export = bob.get("/users/me/export").await.is(200);
    assert_eq!(export["data"]["mail"][0]["reason"], "bounce");

    // Neither a message nor the letters of an order, which is owed none of them for ever.
    let (first, second) = (unique("First"), unique("Second"));
    let message = writes(&admin, &key("message"), &bob.id(), &first).await.is(202);
    let id = message["messageId"].as_str().expect("an id");
    is_done(&aws, &format!("message.sent#{}.{id}", bob.id())).await;
    let order = bob.buys(&tea, 1).await;
    is_done(&aws, &format!("order.shipping#{order}")).await;
    eventually("nothing is owed", async || {
        let order = aws.item("OrdersTable", ("orderId", &order)).await;
        order.get("due").is_none().then_some(())
    })
    .await;
    assert_eq!(bob.mail_about(&order).await.len(), 0);

    lifts(&admin, &found["id"]).await.is(204);
    lifts(&admin, &found["id"]).await.is(204);
    assert_eq!(suppression(&admin, &bob.email).await, None);
    writes(&admin, &key("message"), &bob.id(), &second).await.is(202);
    mail_of(&shop, &bob.email, &second).await;
    assert_eq!(count(&shop, &bob.email, &first).await, 0, "what was not sent is not sent later");
}

#[tokio::test]
async fn whoever_calls_mail_spam_gets_none_and_a_mailbox_that_is_full_for_a_while_does() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let admin = shop.another_admin(&aws).await;
    let [full, annoyed] = ["full", "annoyed"].map(|name| format!("{}@cartwright.test", key(name)));
    aws.tells_of_mail(Feedback::BouncedForAWhile, &full).await;
    // Twice, as a topic may tell.
    aws.tells_of_mail(Feedback::Complained, &annoyed).await;
    aws.tells_of_mail(Feedback::Complained, &annoyed).await;
    let found = eventually("it is noted", async || suppression(&admin, &annoyed).await).await;
    assert_eq!((&found["reason"], found.get("userId")), (&json!("complaint"), None));
    let newest = admin.get("/email-suppressions?limit=100").await;
    assert_eq!(newest.calls(), calls([("dynamodb", 1)]));
    let newest = newest.is(200);
    let ids = newest["suppressions"].as_array().expect("a list").iter().map(|one| &one["id"]);
    assert_eq!(ids.filter(|id| **id == found["id"]).count(), 1);
    assert_eq!(suppression(&admin, &full).await, None);
    let subject = unique("Hello");
    writes(&admin, &key("message"), &full, &subject).await.is(202);
    mail_of(&shop, &full, &subject).await;
    admin.get("/email-suppressions?email=nobody").await.is_problem(422, "invalid-input").at(["email"]);
}
