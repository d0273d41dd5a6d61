//! Webhooks out: what happens in the shop is told to receivers on this machine, of which some are slow, some are gone
//! and some lie.
//!
//! An endpoint is told of what all tests do: each looks for what it did itself.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::{Answer, calls};
use tests::aws::Aws;
use tests::receiver::{Dead, Does, Receiver, status};
use tests::shop::{Person, Shop, unique};
use tests::wait::eventually;

/// An id in our form that nothing has.
const NOBODY: &str = "01a1f83a-c81e-73c6-9369-b8a11a6916c7";

/// An endpoint that wants this.
async fn wanting(shop: &Shop, url: &str, types: &[&str]) -> Value {
    shop.admin().await.post("/webhooks", &json!({ "url": url, "types": types })).await.is(201)
}

fn path(endpoint: &Value) -> String {
    format!("/webhooks/{}", endpoint["id"].as_str().expect("an id"))
}

async fn tested(shop: &Shop, endpoint: &Value) -> Answer {
    shop.admin().await.post(&format!("{}/test", path(endpoint)), &Value::Null).await
}

async fn end(shop: &Shop, endpoint: &Value) {
    let request = shop.admin().await.request(Method::DELETE, &path(endpoint));
    request.send().await.is(204);
}

/// A store that nobody else sees yet, by its id: opening one is an event that few tests cause.
async fn opened(owner: &Person) -> String {
    let store = owner.post("/stores", &json!({ "name": unique("Tea house") })).await.is(201);
    store["id"].as_str().expect("an id").to_owned()
}

/// An endpoint's delivery of an event.
async fn delivery(shop: &Shop, endpoint: &Value, event: &str) -> Option<Value> {
    let page = shop.admin().await.get(&format!("{}/deliveries?limit=100", path(endpoint))).await.is(200);
    page["deliveries"].as_array().expect("deliveries").iter().find(|one| one["eventId"] == event).cloned()
}

#[tokio::test]
async fn a_test_is_signed_and_an_admin_sees_what_came_of_it() {
    let shop = Shop::open();
    let receiver = Receiver::that(Does::Answer("HTTP/1.1 202 \r\n".into(), "thanks\0".into())).await;
    let body = json!({ "url": receiver.url(), "types": ["user.role-changed"], "description": "Accounting" });
    let answer = shop.admin().await.post("/webhooks", &body).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
    let location = answer.header("location").map(str::to_owned);
    let endpoint = answer.is(201);
    assert_eq!(location, Some(path(&endpoint)));
    let secret = endpoint["secret"].as_str().expect("a secret").to_owned();

    let answer = tested(&shop, &endpoint).await;
    let counted = answer.calls();
    assert_eq!((counted.get("dynamodb"), counted.get("receivers")), (Some(&4), Some(&1)), "{counted:?}");
    let told = answer.is(200);
    assert_eq!(
        (&told["type"], &told["status"], &told["attempts"], &told["lastAttempt"]["status"]),
        (&json!("webhook.test"), &json!("delivered"), &json!(1), &json!(202))
    );
    assert_eq!(told["lastAttempt"]["answer"], "thanks");
    let all = receiver.got();
    let [got] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((got.id(), got.signed_by(&secret)), (told["eventId"].as_str().unwrap(), vec![true]));
    let [content, connection] = ["content-type", "connection"].map(|name| got.headers[name].as_str());
    assert_eq!((content, connection), ("application/json", "close"));
    let event = got.event();
    assert_eq!(
        (&event["id"], &event["subject"], &event["type"]),
        (&told["eventId"], &endpoint["id"], &told["type"])
    );

    let list = shop.admin().await.get(&format!("{}/deliveries?status=delivered", path(&endpoint))).await;
    assert_eq!(list.calls(), calls([("dynamodb", 2)]));
    assert_eq!(list.is(200), json!({ "deliveries": [told], "nextCursor": null }));
    let mut shown = endpoint.clone();
    shown.as_object_mut().expect("an object").remove("secret");
    let answer = shop.admin().await.get(&path(&endpoint)).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    assert_eq!(answer.is(200), shown);
    let all = shop.admin().await.get("/webhooks").await;
    assert_eq!(all.calls(), calls([("dynamodb", 1)]));
    assert!(all.is(200)["webhooks"].as_array().expect("webhooks").contains(&shown));
    end(&shop, &endpoint).await;
    shop.admin().await.get(&path(&endpoint)).await.is_problem(404, "not-found");
    shop.admin().await.get(&format!("{}/deliveries", path(&endpoint))).await.is_problem(404, "not-found");
}

#[tokio::test]
async fn while_a_secret_is_changed_both_sign() {
    let shop = Shop::open();
    let receiver = Receiver::that(status(204)).await;
    let first = wanting(&shop, &receiver.url(), &["user.role-changed"]).await;
    let rotate = async |version: u64, body: &Value| {
        let request = shop.admin().await.request(Method::POST, &format!("{}/rotate", path(&first)));
        request.header("if-match", &format!("\"{version}\"")).json(body).send().await
    };
    let second = rotate(1, &json!({ "keepOldForHours": 1 })).await.is(200);
    rotate(1, &json!({})).await.is_problem(412, "precondition-failed");
    tested(&shop, &first).await.is(200);
    let third = rotate(2, &json!({ "keepOldForHours": 0 })).await.is(200);
    tested(&shop, &first).await.is(200);
    let all = receiver.got();
    let [both, alone] = all.as_slice() else { panic!("{all:?}") };
    let secret = |endpoint: &Value| endpoint["secret"].as_str().expect("a secret").to_owned();
    assert_eq!(both.signed_by(&secret(&second)), [true, false]);
    assert_eq!(both.signed_by(&secret(&first)), [false, true]);
    assert_eq!(alone.signed_by(&secret(&third)), [true]);
    end(&shop, &first).await;
}

#[tokio::test]
async fn of_two_admins_who_saw_the_same_webhook_one_changes_it() {
    let shop = Shop::open();
    let endpoint = wanting(&shop, "https://erp.example/hook", &["user.role-changed"]).await;
    let change = async |tag: &str, body: &Value| {
        let request = shop.admin().await.request(Method::PUT, &path(&endpoint));
        request.header("if-match", tag).json(body).send().await
    };
    let off = json!({ "url": "https://erp.example/hook", "types": ["order.paid"], "isActive": false });
    let answer = change("\"1\"", &off).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 3)]));
    let changed = answer.is(200);
    assert_eq!(
        (&changed["isActive"], &changed["offBecause"], &changed["version"]),
        (&json!(false), &json!("by_admin"), &json!(2))
    );
    change("\"1\"", &off).await.is_problem(412, "precondition-failed");
    assert_eq!(change("*", &off).await.is(200), changed, "what is so already is no other version");
    let request = shop.admin().await.request(Method::DELETE, &path(&endpoint));
    request.header("if-match", "\"1\"").send().await.is_problem(412, "precondition-failed");
    end(&shop, &endpoint).await;
    let again = shop.admin().await.request(Method::DELETE, &path(&endpoint)).send().await;
    again.is_problem(404, "not-found");
    for what in ["rotate", "test"] {
        let path = format!("/webhooks/{NOBODY}/{what}");
        shop.admin().await.post(&path, &json!({})).await.is_problem(404, "not-found");
    }
}

/// What a receiver may do to whoever sends, and what is made of it.
#[tokio::test]
async fn whatever_a_receiver_does_an_attempt_ends_in_time() {
    let shop = Shop::open();
    let (elsewhere, dead) = (Receiver::that(status(204)).await, Dead::port());
    let to = |status: u16| {
        let location = format!("http://127.0.0.1:{}/hook?of=tests", elsewhere.port());
        Does::Answer(format!("HTTP/1.1 {status} \r\nlocation: {location}\r\n"), String::new())
    };
    let huge = format!("HTTP/1.1 200 \r\nx: {}\r\n", "a".repeat(1_000_000));
    let answered = |status: u16| json!({ "status": status });
    let fault = |fault: &str| json!({ "fault": fault });
    let cases = [
        (Some(status(500)), "failed", answered(500), 5),
        (Some(to(302)), "failed", answered(302), 5),
        (Some(to(307)), "failed", answered(307), 5),
        (Some(status(204)), "delivered", answered(204), 5),
        (Some(Does::Stall), "delivered", json!({ "status": 200, "answer": "wait" }), 6),
        (Some(Does::Endless), "delivered", json!({ "status": 200, "answer": "a".repeat(1_024) }), 6),
        (Some(Does::Answer(huge, String::new())), "failed", fault("not_connected"), 5),
        (Some(Does::Ignore), "failed", fault("timed_out"), 14),
        (None, "failed", fault("not_connected"), 8),
    ];
    for (does, status, expected, seconds) in cases {
        let url = match &does {
            Some(does) => Receiver::that(does.clone()).await.url(),
            None => dead.url(),
        };
        let endpoint = wanting(&shop, &url, &["user.role-changed"]).await;
        let start = Instant::now();
        let told = tested(&shop, &endpoint).await.is(200);
        assert!(start.elapsed() < Duration::from_secs(seconds), "{does:?}: {:?}", start.elapsed());
        let mut attempt = told["lastAttempt"].clone();
        let took = attempt["tookMillis"].as_u64().expect("milliseconds");
        assert!(took <= seconds * 1_000, "{took}");
        for name in ["at", "tookMillis"] {
            attempt.as_object_mut().expect("an object").remove(name);
        }
        assert_eq!((told["status"].as_str(), attempt), (Some(status), expected));
        end(&shop, &endpoint).await;
    }
    assert!(elsewhere.got().is_empty(), "a redirect was followed");
}

#[tokio::test]
async fn an_event_that_was_not_taken_comes_again_with_the_same_id() {
    let shop = Shop::open();
    let receiver = Receiver::by(|before| status(if before == 0 { 503 } else { 204 })).await;
    let endpoint = wanting(&shop, &receiver.url(), &["store.opened"]).await;
    let store = opened(&shop.person("Ann").await).await;
    let twice = eventually("it comes twice", async || {
        let got = receiver.about(&store);
        (got.len() == 2).then_some(got)
    })
    .await;
    let (first, second) = (&twice[0], &twice[1]);
    assert_eq!((first.id(), &first.body), (second.id(), &second.body));
    assert_eq!(first.event()["id"], first.id());
    assert!(second.at - first.at >= Duration::from_secs(5), "{:?}", second.at - first.at);
    let secret = endpoint["secret"].as_str().expect("a secret");
    assert_eq!([first.signed_by(secret), second.signed_by(secret)], [[true], [true]]);
    let told = eventually("it is recorded", async || {
        delivery(&shop, &endpoint, first.id()).await.filter(|told| told["status"] == "delivered")
    });
    assert_eq!(told.await["attempts"], 2);

    // Whoever lost it may have it once more.
    let id = told_id(&shop, &endpoint, first.id()).await;
    let retry = format!("/webhooks/deliveries/{id}/retry");
    let answer = shop.admin().await.post(&retry, &Value::Null).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 4), ("sqs", 1)]));
    assert_eq!(answer.is(202)["status"], "pending");
    let third = eventually("it comes again", async || receiver.about(&store).into_iter().nth(2)).await;
    assert_eq!((third.id(), &third.body), (first.id(), &first.body));
    end(&shop, &endpoint).await;
    shop.admin().await.post(&retry, &Value::Null).await.is_problem(404, "not-found");
    let nobodys = format!("/webhooks/deliveries/{NOBODY}/retry");
    shop.admin().await.post(&nobodys, &Value::Null).await.is_problem(404, "not-found");
}

async fn told_id(shop: &Shop, endpoint: &Value, event: &str) -> String {
    let told = delivery(shop, endpoint, event).await.expect("the delivery");
    told["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn what_is_on_its_way_to_an_endpoint_that_was_deleted_is_stopped() {
    let shop = Shop::open();
    let receiver = Receiver::that(status(500)).await;
    let endpoint = wanting(&shop, &receiver.url(), &["store.opened"]).await;
    let store = opened(&shop.person("Ann").await).await;
    eventually("it comes", async || receiver.about(&store).into_iter().next()).await;
    end(&shop, &endpoint).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(receiver.about(&store).len(), 1);
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_told_nothing_more_and_the_admins_hear_of_it() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let inbox = aws.listen_to_notices().await;
    let receiver = Receiver::that(status(410)).await;
    let endpoint = wanting(&shop, &receiver.url(), &["store.opened"]).await;
    let ann = shop.person("Ann").await;
    let store = opened(&ann).await;
    let off = eventually("it is switched off", async || {
        let found = shop.admin().await.get(&path(&endpoint)).await.is(200);
        (found["isActive"] == false).then_some(found)
    });
    assert_eq!(off.await["offBecause"], "gone");
    let event = receiver.about(&store)[0].id().to_owned();
    let id = told_id(&shop, &endpoint, &event).await;
    let retry = format!("/webhooks/deliveries/{id}/retry");
    shop.admin().await.post(&retry, &Value::Null).await.is_problem(409, "webhook-off");
    let notice = eventually("the admins are told", async || {
        aws.run_on_schedule("sweep-webhooks", Duration::ZERO).await;
        let notices = aws.notices_in(&inbox).await.into_iter();
        notices
            .filter_map(|notice| notice["Message"].as_str().map(str::to_owned))
            .find(|text| text.contains(&receiver.url()))
    });
    assert!(notice.await.contains("410"));
    let unheard = opened(&ann).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!((receiver.about(&store).len(), receiver.about(&unheard).len()), (1, 0));
    end(&shop, &endpoint).await;
    aws.stop_listening(inbox).await;
}

/// A slow, a dead and a lying receiver are told of the same events as one that answers.
#[tokio::test]
async fn a_slow_a_dead_and_a_lying_receiver_hold_up_nobody() {
    const EVENTS: usize = 6;
    let shop = Shop::open();
    let healthy = Receiver::that(status(204)).await;
    let mut others = Vec::new();
    for does in [Does::Late(Duration::from_secs(9)), Does::Ignore, Does::Stall, Does::Endless] {
        let receiver = Receiver::that(does).await;
        others.push(wanting(&shop, &receiver.url(), &["store.opened"]).await);
    }
    let endpoint = wanting(&shop, &healthy.url(), &["store.opened"]).await;
    let mut took = Vec::new();
    for _ in 0..EVENTS {
        let ann = shop.person("Ann").await;
        let start = Instant::now();
        let store = opened(&ann).await;
        let got =
            eventually("the one that answers is told", async || healthy.about(&store).into_iter().next())
                .await;
        took.push(got.at - start);
    }
    took.sort();
    println!("told after {took:?}");
    // Whoever waited for the others would wait for ten seconds and more each time.
    assert!(took[EVENTS / 2] < Duration::from_secs(10), "{took:?}");
    for one in others.iter().chain([&endpoint]) {
        end(&shop, one).await;
    }
}
