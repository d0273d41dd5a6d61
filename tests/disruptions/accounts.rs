//! The end of an account, also where something dies on the way: nothing of the person is left anywhere, and whoever is
//! owed something stays.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tests::answer::{Answer, calls};
use tests::aws::Aws;
use tests::logs::logs_with;
use tests::shop::{Mail, Person, Shop, product};
use tests::wait::{a_while, eventually};

use super::{HOUR, open};

const DELETED: &str = "Your account at Cartwright is deleted";
const KEPT: &str = "Your account at Cartwright is still there";

async fn leaves(person: &Person) -> Answer {
    person.request(Method::DELETE, "/users/me").send().await
}

async fn is_told(shop: &Shop, person: &Person, subject: &str) {
    let is_it = |mail: &Mail| mail.subject == subject;
    eventually(subject, async || shop.mail_to(&person.email).await.iter().any(is_it).then_some(())).await;
}

async fn is_gone(shop: &Shop, id: &str) {
    let path = format!("/users/{id}");
    eventually("the profile is gone", async || {
        (shop.admin().await.get(&path).await.status == 404).then_some(())
    })
    .await;
}

/// How many entries of somebody's a table has.
async fn entries_in(aws: &Aws, table: &str, id: &str) -> usize {
    let input = json!({
        "TableName": aws.output(table), "ConsistentRead": true, "KeyConditionExpression": "userId = :person",
        "ExpressionAttributeValues": { ":person": { "S": id } },
    });
    let found = aws.json("dynamodb", "DynamoDB_20120810.Query", input).await;
    found["Items"].as_array().map_or(0, Vec::len)
}

/// As after a socket that API Gateway has closed, and did not tell of.
async fn listens(aws: &Aws, id: &str) {
    let socket = json!({
        "userId": { "S": id }, "entry": { "S": "socket#0" }, "connectionId": { "S": "of-annabel" },
        "openedAt": { "S": "2026-11-29T12:00:00.000Z" }, "expiresAt": { "N": "4102444800" },
        "schemaVersion": { "N": "1" }
    });
    let owner = json!({
        "userId": { "S": "socket#of-annabel" }, "entry": { "S": "#owner" }, "owner": { "S": id },
        "place": { "S": "socket#0" }, "expiresAt": { "N": "4102444800" }, "schemaVersion": { "N": "1" }
    });
    for item in [socket, owner] {
        let put = json!({ "TableName": aws.output("ConnectionsTable"), "Item": item });
        aws.json("dynamodb", "DynamoDB_20120810.PutItem", put).await;
    }
}

/// Has a person prove a phone and want texts there; gives its number.
async fn has_texts(shop: &Shop, person: &Person) -> String {
    let number = "+49151471147114".to_owned();
    person.post("/users/me/phone", &json!({ "phone": number })).await.is(202);
    let path = format!("/local/texts.json?to={}", number.replace('+', "%2B"));
    let code = eventually("there is a code", async || {
        let texts = shop.get(&path).await.is(200);
        texts[0]["text"].as_str().map(|text| text.chars().take(6).collect::<String>())
    })
    .await;
    person.post("/users/me/phone/confirm", &json!({ "code": code })).await.is(200);
    let wants = json!({ "texts": { "parcelSent": true, "delivered": true, "textVersion": 1 } });
    person.put("/users/me/preferences", &wants).await.is(200);
    // What was asked for and not proved goes as well.
    person.post("/users/me/phone", &json!({ "phone": number })).await.is(202);
    number
}

#[tokio::test]
async fn after_an_account_is_deleted_nothing_of_its_person_is_found_anywhere() {
    let (shop, aws, _soon) = open().await;
    let (ann, bob) = (shop.person("Annabel").await, shop.person("Bob").await);
    let id = ann.id();
    let address =
        json!({ "name": ann.full_name, "line1": "Elbchaussee 4711", "city": "Hamburg", "country": "DE" });
    let body = json!({ "phone": "+49 40 47114711", "addresses": [address] });
    ann.put("/users/me", &body).await.is(200);
    let number = has_texts(&shop, &ann).await;
    let of_ann = ann.sells(product().named("tea").stock(5)).await;
    let of_bob = bob.sells(product().named("cup").stock(5)).await;
    let order =
        ann.post("/orders", &json!({ "id": of_bob.id, "quantity": 1, "shippingAddress": address })).await;
    let order = tests::shop::order_id(&order.is(201));
    ann.order_once(&order, "shipping").await;
    // Her product is for sale, and the two of her order.
    ann.mail_once_there_are(3).await;
    ann.put("/cart", &json!({ "shippingAddress": address })).await.is(200);
    let words = [ann.email.clone(), ann.full_name.clone(), ann.full_name.replace(' ', "_")];
    let words: Vec<_> = words
        .into_iter()
        .chain(["Elbchaussee 4711".to_owned(), "47114711".to_owned(), number[1..].to_owned()])
        .collect();
    // As an export that was asked for an hour ago.
    let export = format!("exports/{id}.json");
    aws.put_object(&export, &words.join(", ")).await;
    let in_objects: Vec<_> = words.iter().cloned().chain([of_ann.id.clone()]).collect();
    assert!(!aws.tables_with(&words).await.is_empty(), "nothing was there to be deleted");
    assert!(!aws.user_pool_with(&words).await.is_empty(), "there was no account");
    let objects = aws.objects_with(&in_objects).await;
    assert!(objects.iter().any(|found| found.contains(&export)), "{objects:?}");
    assert!(objects.iter().any(|found| found.contains("images/")), "{objects:?}");
    aws.quiet().await;
    assert!(entries_in(&aws, "InboxTable", &id).await > 0, "nothing was told");
    listens(&aws, &id).await;

    let answer = leaves(&ann).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 2), ("states", 1)]));
    assert_eq!(answer.is(202)["status"], "deleting");
    // From this moment on.
    ann.tries_to_buy(&of_bob, 1).await.is_problem(403, "account-closed");
    ann.post("/products", &product().named("tin").body).await.is_problem(403, "account-closed");
    ann.post("/stores", &json!({ "name": tests::shop::unique("Tin") }))
        .await
        .is_problem(403, "account-closed");
    ann.reviews(&of_bob, &json!({ "stars": 5 })).await.is_problem(403, "account-closed");
    is_told(&shop, &ann, DELETED).await;
    is_gone(&shop, &id).await;
    eventually("all of it is gone", async || {
        let found = aws.tables_with(&words).await;
        found.is_empty().then_some(())
    })
    .await;
    assert_eq!(entries_in(&aws, "InboxTable", &id).await, 0);
    for person in [&id, "socket#of-annabel"] {
        assert_eq!(entries_in(&aws, "ConnectionsTable", person).await, 0, "{person}");
    }
    assert_eq!(aws.objects_with(&in_objects).await, Vec::<String>::new());
    shop.get(&of_ann.path()).await.is_problem(404, "not-found");
    let elsewhere = [logs_with(&words), aws.queues_with(&words).await, aws.user_pool_with(&words).await];
    assert!(elsewhere.concat().is_empty(), "{elsewhere:?}");
    let credentials = json!({ "email": ann.email, "password": tests::shop::PASSWORD });
    shop.post("/sign-in", &credentials).await.is_problem(401, "wrong-credentials");
    // The order is there, and is nobody's.
    let order = shop.admin().await.get(&format!("/admin/orders/{order}")).await.is(200);
    assert!(order.to_string().contains("A former customer"), "{order}");
    // With a token that is good for the rest of the hour.
    ann.get("/users/me").await.is_problem(404, "not-found");
    ann.tries_to_buy(&of_bob, 1).await.is_problem(409, "no-profile");
}

#[tokio::test]
async fn whoever_waits_for_an_order_or_owes_one_stays_and_hears_why() {
    let (shop, aws, _soon) = open().await;
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let paused = aws.pause("consume-orders").await;
    bob.buys(&tea, 1).await;
    for person in [&ann, &bob] {
        // Whoever asks once more is answered once more.
        for times in 1..=2 {
            leaves(person).await.is(202);
            let answered = async || {
                let mails = shop.mail_to(&person.email).await;
                (mails.iter().filter(|mail| mail.subject == KEPT).count() == times).then_some(())
            };
            eventually("it is told why", answered).await;
        }
        person.put("/users/me", &json!({ "locale": "de" })).await.is(200);
    }
    paused.undo();
}

#[tokio::test]
async fn whoever_waits_for_what_becomes_of_a_return_stays_until_it_is_decided() {
    let (shop, aws, _soon) = open().await;
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let order = bob.buys(&tea, 2).await;
    bob.order_once(&order, "shipping").await;
    let back = json!({ "items": [{ "id": tea.id, "quantity": 1 }] });
    let asked = bob.post(&format!("/orders/{order}/returns"), &back).await.is(201);
    let asked = asked["returnId"].as_str().expect("an id").to_owned();
    aws.quiet().await;
    leaves(&bob).await.is(202);
    is_told(&shop, &bob, KEPT).await;
    let refused = json!({ "status": "refused", "reason": "It was opened." });
    shop.admin().await.put(&format!("/returns/{asked}"), &refused).await.is(200);
    aws.quiet().await;
    leaves(&bob).await.is(202);
    is_told(&shop, &bob, DELETED).await;
}

/// Somebody whose orders are more than an answer at once has.
async fn with_many_orders(shop: &Shop) -> Person {
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(50)).await;
    for _ in 0..11 {
        bob.buys(&tea, 1).await;
    }
    bob
}

#[tokio::test]
async fn an_export_whose_maker_dies_is_made_and_told_of_once() {
    const READY: &str = "Your data at Cartwright is ready";
    let (shop, aws, _soon) = open().await;
    let _exports_soon = aws.hurry("ExportsQueueUrl").await;
    let bob = with_many_orders(&shop).await;
    // It has made the file, and noted that, before it cannot tell.
    let away = aws.change("build-export").await;
    let away = away.env("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:1").make().await;
    for _ in 0..2 {
        assert_eq!(bob.get("/users/me/export").await.is(202)["status"], "building");
    }
    eventually("the file is made", async || {
        let key = format!("exports/{}.json", bob.id());
        (aws.keys_under(&key).await == [key]).then_some(())
    })
    .await;
    away.undo();
    is_told(&shop, &bob, READY).await;
    aws.quiet().await;
    let told = shop.mail_to(&bob.email).await;
    assert_eq!(told.iter().filter(|mail| mail.subject == READY).count(), 1);
    // Whoever leaves takes it along.
    bob.get("/users/me/export").await.is(200);
    leaves(&bob).await.is(202);
    bob.get("/users/me/export").await.is_problem(403, "account-closed");
    is_told(&shop, &bob, DELETED).await;
    assert_eq!(aws.keys_under(&format!("exports/{}", bob.id())).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_deletion_that_dies_is_begun_again_by_the_sweep() {
    let (shop, aws, _soon) = open().await;
    // The steps that call these: the sessions and the account, the pictures and the export, the letter.
    for service in ["COGNITO_IDENTITY_PROVIDER", "S3", "SQS"] {
        let ann = shop.person("Ann").await;
        let id = ann.id();
        ann.sells(product().named("tea").stock(5)).await;
        aws.quiet().await;
        let away = aws.change("forget-person").await;
        let endpoint = format!("AWS_ENDPOINT_URL_{service}");
        let away = away.env(&endpoint, "http://127.0.0.1:1").make().await;
        leaves(&ann).await.is(202);
        leaves(&ann).await.is(202);
        a_while().await;
        away.undo();
        aws.run_on_schedule("sweep-accounts", HOUR).await;
        is_told(&shop, &ann, DELETED).await;
        is_gone(&shop, &id).await;
        let told = shop.mail_to(&ann.email).await;
        assert_eq!(told.iter().filter(|mail| mail.subject == DELETED).count(), 1, "{service}");
    }
}

#[tokio::test]
async fn an_address_that_was_proved_is_the_profiles_once_its_person_signs_in_and_the_other_is_told() {
    let (shop, aws, _soon) = open().await;
    let ann = shop.person("Ann").await;
    let address = ann.email.replace("ann", "fox");
    // As where confirm-email died behind the user pool.
    ann.post("/users/me/email", &json!({ "email": address })).await.is(202);
    let pool = json!({
        "UserPoolId": aws.output("UserPoolId"), "Username": ann.full_name.replace(' ', "_"),
        "UserAttributes": [{ "Name": "email", "Value": address }, { "Name": "email_verified", "Value": "true" }],
    });
    aws.json("cognito-idp", "AWSCognitoIdentityProviderService.AdminUpdateUserAttributes", pool).await;
    assert_eq!(ann.get("/users/me").await.is(200)["email"], ann.email);
    let credentials = json!({ "email": address, "password": tests::shop::PASSWORD });
    shop.post("/sign-in", &credentials).await.is(200);
    assert_eq!(ann.get("/users/me").await.is(200)["email"], address);
    // Nobody queued the letter.
    aws.run_on_schedule("sweep-accounts", Duration::ZERO).await;
    is_told(&shop, &ann, "Your account at Cartwright has another address").await;
    aws.run_on_schedule("sweep-accounts", Duration::ZERO).await;
    aws.quiet().await;
    let told = shop.mail_to(&ann.email).await;
    assert_eq!(told.iter().filter(|mail| mail.subject.contains("another address")).count(), 1);
}
