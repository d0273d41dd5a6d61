//! The phone that texts go to, what is told there, and what admins write.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::calls;
use tests::aws::Aws;
use tests::phones::{CONFIRM, PHONE, code_of, has, number, texts_once, texts_to};
use tests::shop::{Person, Shop, product, unique};
use tests::wait::{a_while, at_once, eventually};

const PREFERENCES: &str = "/users/me/preferences";

/// Another code than this one.
fn wrong(code: &str) -> Value {
    json!({ "code": if code == "111111" { "222222" } else { "111111" } })
}

async fn texts_of(person: &Person) -> Value {
    person.get(PREFERENCES).await.is(200)["texts"].clone()
}

async fn chooses(person: &Person, texts: &Value) -> Value {
    person.put(PREFERENCES, &json!({ "texts": texts })).await.is(200)["texts"].clone()
}

#[tokio::test]
async fn a_phone_is_proved_by_the_code_that_came_there_and_then_texts_can_be_chosen() {
    let (shop, number) = (Shop::open(), number());
    let ann = shop.person("Ann").await;
    let wanted = json!({ "texts": { "delivered": true, "textVersion": 1 } });
    ann.put(PREFERENCES, &wanted).await.is_problem(409, "no-phone");

    let asked = ann.post(PHONE, &json!({ "phone": number })).await;
    assert_eq!(asked.calls(), calls([("dynamodb", 5), ("sqs", 1)]));
    asked.is(202);
    let code = code_of(&shop, &number, 1).await;
    let refused = ann.post(CONFIRM, &wrong(&code)).await;
    assert_eq!(refused.calls(), calls([("dynamodb", 1)]));
    refused.is_problem(422, "code-mismatch");
    assert_eq!(texts_of(&ann).await["phone"], Value::Null, "nothing is proved yet");
    let confirmed = ann.post(CONFIRM, &json!({ "code": code })).await;
    assert_eq!(confirmed.calls(), calls([("dynamodb", 2)]));
    let confirmed = confirmed.is(200);
    assert_eq!(confirmed["phone"], number);
    // Whoever did not hear of it asks again.
    assert_eq!(ann.post(CONFIRM, &json!({ "code": code })).await.is(200), confirmed);

    let chosen = chooses(&ann, &wanted["texts"]).await;
    assert_eq!((&chosen["phone"], &chosen["parcelSent"]), (&json!(number), &Value::Null));
    assert!(chosen["delivered"]["at"].is_string() && chosen["delivered"]["textVersion"] == 1, "{chosen}");
    assert!(chosen["consent"]["text"].as_str().is_some_and(|text| text.contains("STOP")), "{chosen}");
    assert_eq!(texts_of(&ann).await, chosen);
    ann.put(PREFERENCES, &json!({ "texts": { "delivered": true } }))
        .await
        .is_problem(422, "invalid-input")
        .at(["#/texts/textVersion"]);

    let kept = ann.get("/users/me/export").await.is(200)["data"]["profile"].clone();
    assert_eq!(
        (&kept["textNumber"]["number"], &kept["deliveredText"]),
        (&json!(number), &chosen["delivered"])
    );

    for _ in 0..2 {
        let removed = ann.request(Method::DELETE, PHONE).send().await;
        assert_eq!(removed.calls(), calls([("dynamodb", 1)]));
        removed.is(204);
    }
    let texts = texts_of(&ann).await;
    assert_eq!([&texts["phone"], &texts["delivered"]], [&Value::Null; 2]);
    ann.put(PREFERENCES, &wanted).await.is_problem(409, "no-phone");
}

#[tokio::test]
async fn what_was_agreed_to_for_one_phone_ends_with_it_and_lasts_where_it_is_proved_again() {
    let (shop, first, second) = (Shop::open(), number(), number());
    let ann = shop.person("Ann").await;
    has(&shop, &ann, &first).await;
    let chosen = chooses(&ann, &json!({ "parcelSent": true, "textVersion": 1 })).await;
    ann.post(PHONE, &json!({ "phone": first })).await.is(202);
    let code = code_of(&shop, &first, 2).await;
    ann.post(CONFIRM, &json!({ "code": code })).await.is(200);
    assert_eq!(texts_of(&ann).await, chosen);
    has(&shop, &ann, &second).await;
    let texts = texts_of(&ann).await;
    assert_eq!((&texts["phone"], &texts["parcelSent"]), (&json!(second), &Value::Null));
}

#[tokio::test]
async fn of_guesses_that_are_made_at_once_five_are_looked_at_and_then_the_right_code_is_none() {
    let (shop, number) = (Shop::open(), number());
    let ann = shop.person("Ann").await;
    ann.post(PHONE, &json!({ "phone": number })).await.is(202);
    let code = code_of(&shop, &number, 1).await;
    let guess = wrong(&code);
    let ann_ = ann.clone();
    let guesses = at_once(12, move |_| {
        let (ann, guess) = (ann_.clone(), guess.clone());
        async move { ann.post(CONFIRM, &guess).await.status }
    })
    .await;
    assert_eq!(guesses, [422; 12]);
    ann.post(CONFIRM, &json!({ "code": code })).await.is_problem(422, "code-mismatch");
    // A new one has tries of its own, and the old one is none any more.
    ann.post(PHONE, &json!({ "phone": number })).await.is(202);
    let next = code_of(&shop, &number, 2).await;
    if next != code {
        ann.post(CONFIRM, &json!({ "code": code })).await.is_problem(422, "code-mismatch");
    }
    ann.post(CONFIRM, &json!({ "code": next })).await.is(200);
}

#[tokio::test]
async fn a_person_has_five_codes_a_day_sent_and_a_number_gets_five_whoever_asks() {
    let shop = Shop::open();
    let (ann, bob, one) = (shop.person("Ann").await, shop.person("Bob").await, number());
    let asks = async |person: &Person, number: &str| person.post(PHONE, &json!({ "phone": number })).await;
    // At midnight a few of them have faded by.
    let mut sent = 0;
    let refused = loop {
        let answer = asks(&ann, &number()).await;
        if answer.status != 202 {
            break answer;
        }
        sent += 1;
        assert!(sent < 8, "nobody counts");
    };
    assert!(sent >= 4, "{sent}");
    assert!(refused.header("ratelimit").is_some_and(|limit| limit.starts_with("\"person\";r=0")));
    refused.is_problem(429, "too-many-requests");
    for _ in 0..4 {
        asks(&bob, &one).await.is(202);
    }
    let eve = shop.person("Eve").await;
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(asks(&eve, &one).await);
    }
    let refused = answers.iter().find(|answer| answer.status == 429).expect("the number had its five");
    assert!(refused.header("ratelimit").is_some_and(|limit| limit.starts_with("\"number\";r=0")));
}

#[tokio::test]
async fn texts_go_to_the_countries_that_the_shop_has_named() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    for phone in ["+18765550123", "+12025550123", "+33612345678"] {
        let refused = ann.post(PHONE, &json!({ "phone": phone })).await;
        assert_eq!(refused.calls(), calls([]), "nothing is counted, and nothing sent");
        refused.is_problem(422, "invalid-input").at(["#/phone"]);
        assert_eq!(texts_to(&shop, phone).await, Vec::<String>::new());
    }
}

/// An event about an order, as the topic would have it.
fn event(id: &str, kind: &str, order: &str, buyer: &str) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/cartwright/local/orders", "type": kind, "subject": order,
        "time": "2026-11-21T12:00:00.000Z", "datacontenttype": "application/json",
        "dataschema": format!("urn:cartwright:event:{kind}:1"), "data": { "orderId": order, "userId": buyer }
    })
}

#[tokio::test]
async fn a_buyer_who_wants_it_is_told_once_that_an_order_left_and_that_it_arrived() {
    let (shop, aws, number) = (Shop::open(), Aws::open().await, number());
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(9)).await;
    has(&shop, &bob, &number).await;
    chooses(&bob, &json!({ "parcelSent": true, "delivered": true, "textVersion": 1 })).await;
    let order = bob.buys(&tea, 1).await;
    let texts = texts_once(&shop, &number, 2).await;
    assert!(
        texts[1].starts_with("Cartwright: your order C-") && texts[1].contains("on its way"),
        "{texts:?}"
    );
    bob.put("/users/me", &json!({ "locale": "de-AT" })).await.is(200);
    ann.put(&format!("/orders/{order}/status"), &json!({ "status": "delivered" })).await.is(200);
    let texts = texts_once(&shop, &number, 3).await;
    assert!(texts[2].contains("ist angekommen"), "{texts:?}");

    // What comes twice is told once, and what is no longer so not at all.
    let id = "5d1b36b1-8b1f-5f0e-9c68-3fd12c0b7a94";
    let id = format!("{}{}", &id[..28], &order[order.len() - 8..]);
    for kind in ["order.delivered", "order.delivered", "order.shipped"] {
        aws.send_message("TextsQueueUrl", &event(&id, kind, &order, &bob.id())).await;
    }
    texts_once(&shop, &number, 4).await;
    a_while().await;
    assert_eq!(texts_to(&shop, &number).await.len(), 4);
}

#[tokio::test]
async fn whoever_does_not_want_texts_gets_none() {
    let (shop, number) = (Shop::open(), number());
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(9)).await;
    has(&shop, &bob, &number).await;
    chooses(&bob, &json!({ "delivered": true, "textVersion": 1 })).await;
    chooses(&bob, &Value::Null).await;
    let order = bob.buys(&tea, 1).await;
    // Of an order that has arrived, nobody is told any more that it left.
    bob.mail_once_there_are(2).await;
    ann.put(&format!("/orders/{order}/status"), &json!({ "status": "delivered" })).await.is(200);
    bob.mail_once_there_are(3).await;
    a_while().await;
    assert_eq!(texts_to(&shop, &number).await.len(), 1, "nothing but the code");
}

/// How often an admin's log says that a text was sent.
async fn logged(admin: &Person) -> usize {
    let log = admin.get("/users/me/activity?kind=user.text-sent&limit=100").await.is(200);
    log["activity"].as_array().expect("a log").len()
}

#[tokio::test]
async fn an_admin_texts_a_person_or_a_number_once_under_a_key_and_finds_it_in_the_log() {
    let (shop, of_ann, of_nobody) = (Shop::open(), number(), number());
    let (ann, admin) = (shop.person("Ann").await, shop.admin().await);
    let sends = async |person: &Person, key: &str, to: &str, text: &str| {
        let request = person.request(Method::POST, "/notifications/sms").header("idempotency-key", key);
        request.json(&json!({ "to": to, "text": text })).send().await
    };
    let key = || unique("key").replace(' ', "-");
    sends(admin, &key(), &ann.id(), "It is here.").await.is_problem(409, "no-phone");
    has(&shop, &ann, &of_ann).await;

    let before = logged(admin).await;
    let first = key();
    let queued = sends(admin, &first, &ann.id(), "It is here.").await;
    assert_eq!(queued.calls(), calls([("dynamodb", 6), ("sqs", 1)]));
    let queued = queued.is(202);
    let again = sends(admin, &first, &ann.id(), "It is here.").await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.is(202), queued);
    sends(admin, &first, &ann.id(), "It is gone.").await.is_problem(422, "idempotency-key-reused");
    sends(admin, &key(), &of_nobody, "It is here, Eve.").await.is(202);
    let texts = texts_once(&shop, &of_ann, 2).await;
    assert_eq!(texts[1], "It is here.");
    assert_eq!(texts_once(&shop, &of_nobody, 1).await, ["It is here, Eve."]);
    a_while().await;
    assert_eq!(texts_to(&shop, &of_ann).await.len(), 2);
    eventually("both are in the log", async || (logged(admin).await >= before + 2).then_some(())).await;

    sends(&ann, &key(), &of_nobody, "Hello.").await.is_problem(403, "forbidden");
    sends(admin, &key(), "+18765550123", "Hello.").await.is_problem(422, "invalid-input").at(["#/to"]);
    let nobody = "01a1f83a-c81e-73c6-9369-b8a11a6916c7";
    sends(admin, &key(), nobody, "Hello.").await.is_problem(422, "invalid-input").at(["#/to"]);
    sends(admin, &key(), &of_nobody, &"ł".repeat(71)).await.is_problem(422, "invalid-input").at(["#/text"]);
    let without = admin.post("/notifications/sms", &json!({ "to": of_nobody, "text": "Hello." })).await;
    without.is_problem(422, "invalid-input").at(["Idempotency-Key"]);
}

#[tokio::test]
async fn words_are_kept_until_they_are_sent_and_no_longer() {
    let (shop, aws, number) = (Shop::open(), Aws::open().await, number());
    let admin = shop.admin().await;
    let key = unique("key").replace(' ', "-");
    let request = admin.request(Method::POST, "/notifications/sms").header("idempotency-key", &key);
    let queued = request.json(&json!({ "to": number, "text": "It is here." })).send().await.is(202);
    let id = format!("words#admin.text#{}", queued["messageId"].as_str().expect("an id"));
    texts_once(&shop, &number, 1).await;
    eventually("the words are gone", async || {
        (aws.item("GuardsTable", ("guardId", &id)).await == Value::Null).then_some(())
    })
    .await;
}
