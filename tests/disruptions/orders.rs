//! Orders while AWS fails: what is delivered twice, functions that die in the middle, queues that refuse.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tests::aws::{Aws, Undo};
use tests::logs::{count_in_logs, functions_about};
use tests::meddler::{Call, Calls, Meddler, round_trips};
use tests::paying::{Awaiting, check_out};
use tests::phones;
use tests::shop::{Person, Product, Shop, cancelled, history, order_id, product, shipping, unique};
use tests::socket::Page;
use tests::wait::{a_while, at_once, eventually};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::open;

/// After this long, whatever an order is still owed is swept up.
const LATER: Duration = Duration::from_mins(10);

/// Ann's tea, for Bob to buy.
async fn tea(shop: &Shop, stock: u32) -> (Person, Product) {
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(stock)).await;
    (bob, tea)
}

/// One email of each kind about each shipped order, and no more coming.
async fn shipped_and_told_once(aws: &Aws, buyer: &Person, orders: &[String]) {
    for order in orders {
        buyer.order_once(order, "shipping").await;
        let told = async || (buyer.mail_about(order).await.len() >= 2).then_some(());
        eventually("the buyer is told", told).await;
    }
    aws.quiet().await;
    a_while().await;
    for order in orders {
        let shipped = buyer.order(order).await;
        assert_eq!(history(&shipped), ["pending", "shipping"]);
        let mails = buyer.mail_about(order).await;
        let subjects: Vec<_> = mails.iter().map(|mail| mail.subject.as_str()).collect();
        assert_eq!((mails.len(), shipping(&mails)), (2, 1), "{subjects:?}");
    }
}

/// Something that listens where AWS should, and its address.
pub(crate) async fn in_place_of_aws(answer: Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            match answer {
                None => silent.push(connection),
                Some(answer) => {
                    tokio::spawn(async move {
                        // All of the request: what is left unread resets the connection, and the answer with it.
                        let mut connection = BufReader::new(connection);
                        let (mut line, mut length) = (String::new(), 0);
                        while connection.read_line(&mut line).await.is_ok_and(|read| read > 2) {
                            let (name, value) = line.split_once(':').unwrap_or_default();
                            if name.eq_ignore_ascii_case("content-length") {
                                length = value.trim().parse().unwrap_or_default();
                            }
                            line.clear();
                        }
                        let _ = connection.read_exact(&mut vec![0; length]).await;
                        let _ = connection.write_all(answer.as_bytes()).await;
                        let _ = connection.shutdown().await;
                    });
                }
            }
        }
    });
    format!("http://{address}")
}

/// Takes every request and never answers.
pub(crate) async fn silence() -> String {
    in_place_of_aws(None).await
}

/// Answers every request with 500.
pub(crate) async fn failure() -> String {
    in_place_of_aws(Some(
        "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    ))
    .await
}

// ── Duplicates ─────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn what_is_delivered_twice_happens_once() {
    let (shop, aws, _soon) = open().await;
    let (bob, tea) = tea(&shop, 5).await;
    let order = bob.buys(&tea, 2).await;
    for _ in 0..3 {
        aws.send_message("OrdersQueueUrl", &json!({ "orderId": order })).await;
    }
    at_once(3, |number| {
        let (aws, order, name) = (aws.clone(), order.clone(), unique("again").replace(' ', "-"));
        async move { aws.start_fulfilment(&order, &format!("{name}-{number}")).await }
    })
    .await;
    shipped_and_told_once(&aws, &bob, std::slice::from_ref(&order)).await;

    // Once more when all is done: a message may come again after days.
    aws.send_message("OrdersQueueUrl", &json!({ "orderId": order })).await;
    for kind in ["order.confirmed", "order.shipping", "order.cancelled"] {
        aws.send_message("EmailsQueueUrl", &json!({ "kind": kind, "id": order })).await;
    }
    for task in ["ship-order", "release-order"] {
        let answer = aws.invoke(task, &json!({ "orderId": order })).await;
        assert_eq!(answer, json!({ "outcome": "already_shipping" }), "{task}");
    }
    shipped_and_told_once(&aws, &bob, &[order]).await;
    assert_eq!(shop.stock_of(&tea).await, 3);
}

#[tokio::test]
async fn a_cancellation_that_is_delivered_twice_is_told_once() {
    let (shop, aws, _soon) = open().await;
    let (bob, tea) = tea(&shop, 5).await;
    let paused = aws.pause("consume-orders").await;
    let order = bob.buys(&tea, 2).await;
    let answer = bob.cancels(&order).await.is(200);
    assert_eq!(history(&answer), ["pending", "cancelled"]);
    assert_eq!(shop.stock_of(&tea).await, 5);
    for _ in 0..3 {
        aws.send_message("EmailsQueueUrl", &json!({ "kind": "order.cancelled", "id": order })).await;
        assert_eq!(bob.cancels(&order).await.is(200), answer);
    }
    // Now the workflow finds it cancelled.
    paused.undo();
    for (task, outcome) in [("ship-order", "cancelled"), ("release-order", "already_cancelled")] {
        assert_eq!(aws.invoke(task, &json!({ "orderId": order })).await, json!({ "outcome": outcome }));
    }
    aws.quiet().await;
    a_while().await;
    assert_eq!(bob.order(&order).await, answer);
    assert_eq!(shop.stock_of(&tea).await, 5);
    let mails = bob.mail_about(&order).await;
    assert_eq!((mails.len(), cancelled(&mails)), (1, 1), "{mails:?}");
}

#[tokio::test]
async fn a_message_that_nobody_can_read_does_not_stop_the_others() {
    let (shop, aws, _soon) = open().await;
    let (bob, tea) = tea(&shop, 5).await;
    for nonsense in [
        json!("nonsense"),
        json!({}),
        json!({ "id": "01a1f83a-c81e-73c6-9369-b8a11a6916c7", "kind": "spam" }),
        json!({ "id": "01a1f83a-c81e-73c6-9369-b8a11a6916c7", "kind": "order.shipping" }),
        json!({ "id": "no id", "kind": "order.shipping" }),
    ] {
        aws.send_message("EmailsQueueUrl", &nonsense).await;
    }
    for nonsense in [json!({ "orderId": 7 }), json!([])] {
        aws.send_message("OrdersQueueUrl", &nonsense).await;
    }
    let order = bob.buys(&tea, 1).await;
    bob.order_once(&order, "shipping").await;
    eventually("the buyer is told", async || (shipping(&bob.mail_about(&order).await) == 1).then_some(()))
        .await;
    // They would come again until the dead-letter queue takes them.
    aws.purge("EmailsQueueUrl").await;
    aws.purge("OrdersQueueUrl").await;
}

// ── Failures ───────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn an_order_that_cannot_ship_is_cancelled_and_its_buyer_told_why() {
    let (shop, aws, _soon) = open().await;
    let (bob, tea) = tea(&shop, 5).await;
    let broken = aws.change("ship-order").await.env("ORDERS_TABLE", "missing").make().await;
    let order = bob.buys(&tea, 2).await;
    assert_eq!(shop.stock_of(&tea).await, 3);
    let released = bob.order_once(&order, "cancelled").await;
    assert_eq!(history(&released), ["pending", "cancelled"]);
    let reason = released["history"][1]["reason"].as_str().expect("a reason").to_owned();
    assert_eq!(shop.stock_of(&tea).await, 5);
    broken.undo();

    let mails = eventually("the buyer is told", async || {
        Some(bob.mail_about(&order).await).filter(|mails| cancelled(mails) > 0)
    });
    let mails = mails.await;
    let told = mails.iter().find(|mail| mail.subject.contains("cancelled")).expect("a cancellation");
    assert!(told.text.contains(&reason), "{reason} is not in {}", told.text);
    // Whatever comes late changes nothing.
    aws.send_message("OrdersQueueUrl", &json!({ "orderId": order })).await;
    aws.run_on_schedule("sweep-orders", LATER).await;
    aws.quiet().await;
    a_while().await;
    assert_eq!(bob.order(&order).await, released);
    assert_eq!(shop.stock_of(&tea).await, 5);
    let mails = bob.mail_about(&order).await;
    assert_eq!((shipping(&mails), cancelled(&mails)), (0, 1), "{mails:?}");
}

#[tokio::test]
async fn a_ship_order_that_fails_for_a_while_delays_the_order_alone() {
    let (shop, aws, _soon) = open().await;
    let (bob, tea) = tea(&shop, 5).await;
    let broken = aws.change("ship-order").await.env("ORDERS_TABLE", "missing").make().await;
    let release = aws.change("release-order").await.env("ORDERS_TABLE", "missing").make().await;
    let order = bob.buys(&tea, 2).await;
    aws.quiet().await;
    assert_eq!(bob.order(&order).await["status"], "pending");
    broken.undo();
    release.undo();
    aws.run_on_schedule("sweep-orders", LATER).await;
    shipped_and_told_once(&aws, &bob, &[order]).await;
    assert_eq!(shop.stock_of(&tea).await, 3);
}

#[tokio::test]
async fn what_was_ordered_while_consume_orders_was_down_ships_after() {
    let (shop, aws, _soon) = open().await;
    let (bob, tea) = tea(&shop, 50).await;
    let paused = aws.pause("consume-orders").await;
    let mut orders = Vec::new();
    for _ in 0..12 {
        orders.push(bob.buys(&tea, 1).await);
    }
    a_while().await;
    for order in &orders {
        assert_eq!(bob.order(order).await["status"], "pending");
    }
    paused.undo();
    shipped_and_told_once(&aws, &bob, &orders).await;
    assert_eq!(shop.stock_of(&tea).await, 38);
}

#[tokio::test]
async fn what_consume_orders_failed_at_is_swept_up() {
    let (shop, aws, _soon) = open().await;
    let (bob, tea) = tea(&shop, 5).await;
    let workflow = aws.output("OrderFulfilmentArn").to_owned();
    let broken =
        aws.change("consume-orders").await.env("WORKFLOW_ARN", &format!("{workflow}-missing")).make().await;
    let order = bob.buys(&tea, 1).await;
    a_while().await;
    assert_eq!(bob.order(&order).await["status"], "pending");
    broken.undo();
    aws.run_on_schedule("sweep-orders", LATER).await;
    let shipped = bob.order_once(&order, "shipping").await;
    assert_eq!(history(&shipped), ["pending", "shipping"]);
}

#[tokio::test]
async fn an_order_whose_function_was_killed_after_the_transaction_ships() {
    let (shop, aws, _soon) = open().await;
    let (bob, tea) = tea(&shop, 5).await;
    let body = json!({ "id": tea.id, "quantity": 2 });
    let place =
        || bob.request(Method::POST, "/create-order").header("idempotency-key", "once").json(&body).send();

    let hanging = aws.change("create-order").await.env("AWS_ENDPOINT_URL_SQS", &silence().await).timeout(3);
    let hanging = hanging.make().await;
    let answer = place().await;
    assert!(answer.status >= 500, "{answer:?}");
    let page = bob.get("/orders").await.is(200);
    assert_eq!(page["orders"].as_array().map(Vec::len), Some(1), "the transaction was to be over: {page}");
    let order = order_id(&page["orders"][0]);
    assert_eq!(page["orders"][0]["status"], "pending");
    hanging.undo();

    // The client does not know, and tries again.
    let again = place().await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(order_id(&again.is(201)), order);
    assert_eq!(bob.order(&order).await["status"], "pending", "nothing has queued it");
    aws.run_on_schedule("sweep-orders", LATER).await;
    shipped_and_told_once(&aws, &bob, &[order]).await;
    assert_eq!(shop.stock_of(&tea).await, 3);
}

#[tokio::test]
async fn an_order_whose_queue_hangs_is_taken_in_time_and_ships() {
    let (shop, aws, _soon) = open().await;
    let (bob, tea) = tea(&shop, 5).await;
    let change = aws.change("create-order").await.env("AWS_ENDPOINT_URL_SQS", &silence().await);
    let hanging = change.make().await;
    let order = bob.buys(&tea, 2).await;
    hanging.undo();
    aws.run_on_schedule("sweep-orders", LATER).await;
    shipped_and_told_once(&aws, &bob, &[order]).await;
}

#[tokio::test]
async fn a_read_that_hangs_is_a_problem_in_time() {
    let (shop, aws, _soon) = open().await;
    let (bob, tea) = tea(&shop, 5).await;
    let order = bob.buys(&tea, 2).await;
    let change = aws.change("cancel-order").await.env("AWS_ENDPOINT_URL_DYNAMODB", &silence().await);
    let hanging = change.make().await;
    let answer = bob.cancels(&order).await;
    hanging.undo();
    answer.is_problem(500, "internal-error");
}

#[tokio::test]
async fn an_order_that_the_queue_refused_ships() {
    let (shop, aws, _soon) = open().await;
    let (bob, tea) = tea(&shop, 5).await;
    let failing = aws.change("create-order").await.env("AWS_ENDPOINT_URL_SQS", &failure().await).make().await;
    let order = bob.buys(&tea, 2).await;
    failing.undo();
    a_while().await;
    assert_eq!(bob.order(&order).await["status"], "pending");
    // Not before its time: a sweep now leaves it to the queue.
    aws.run_on_schedule("sweep-orders", Duration::ZERO).await;
    aws.quiet().await;
    assert_eq!(bob.order(&order).await["status"], "pending");
    aws.run_on_schedule("sweep-orders", LATER).await;
    shipped_and_told_once(&aws, &bob, &[order]).await;
}

// A return's letters, its refund and the letter of a refund: all of it is owed, so no queue is needed for it to come.
#[tokio::test]
async fn what_no_queue_took_of_a_return_and_of_a_refund_is_swept_up_and_told_once() {
    let (shop, aws, _soon) = open().await;
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").priced("4.50").stock(9)).await;
    let order = bob.buys(&tea, 2).await;
    bob.order_once(&order, "shipping").await;
    ann.put(&format!("/orders/{order}/status"), &json!({ "status": "delivered" })).await.is(200);
    let told = async |subject: &str| {
        let has = async || {
            let mails = bob.mail_about(&order).await;
            (mails.iter().filter(|mail| mail.subject == subject).count() == 1).then_some(())
        };
        eventually(&format!("the buyer is told: {subject}"), has).await;
    };

    let failing =
        aws.change("request-return").await.env("AWS_ENDPOINT_URL_SQS", &failure().await).make().await;
    let items = json!({ "items": [{ "id": tea.id, "quantity": 1 }] });
    let asked = bob.post(&format!("/orders/{order}/returns"), &items).await.is(201);
    failing.undo();
    aws.run_on_schedule("sweep-orders", LATER).await;
    told("We have your request to return tea").await;

    let failing =
        aws.change("decide-return").await.env("AWS_ENDPOINT_URL_SQS", &failure().await).make().await;
    let asked = asked["returnId"].as_str().expect("a return's id");
    let received = json!({ "status": "received", "outside": true });
    shop.admin().await.put(&format!("/returns/{asked}"), &received).await.is(200);
    failing.undo();
    aws.run_on_schedule("sweep-orders", LATER).await;
    told("We have tea back").await;

    let failing =
        aws.change("refund-payment").await.env("AWS_ENDPOINT_URL_SQS", &failure().await).make().await;
    let payments = bob.get(&format!("/payments/order/{order}")).await.is(200);
    let payment = payments["payments"][0]["paymentId"].as_str().expect("a payment");
    let request = shop.admin().await.request(Method::POST, &format!("/payments/{payment}/refund"));
    let request = request.header("idempotency-key", "once").json(&json!({ "amount": 2, "outside": true }));
    request.send().await.is(201);
    failing.undo();
    aws.run_on_schedule("sweep-payments", LATER).await;
    told("You get 2.00 USD back").await;

    for sweep in ["sweep-orders", "sweep-payments"] {
        aws.run_on_schedule(sweep, LATER * 2).await;
    }
    aws.quiet().await;
    a_while().await;
    let mails = bob.mail_about(&order).await;
    let subjects: BTreeSet<_> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    assert_eq!(subjects.len(), mails.len(), "each is told once: {subjects:?}");
}

#[tokio::test]
async fn two_sweeps_at_once_are_one() {
    let (shop, aws, _soon) = open().await;
    let (bob, tea) = tea(&shop, 5).await;
    let failing = aws.change("create-order").await.env("AWS_ENDPOINT_URL_SQS", &failure().await).make().await;
    let order = bob.buys(&tea, 2).await;
    failing.undo();
    at_once(4, |_| {
        let aws = aws.clone();
        async move { aws.run_on_schedule("sweep-orders", LATER).await }
    })
    .await;
    shipped_and_told_once(&aws, &bob, &[order]).await;
}

#[tokio::test]
async fn an_email_that_was_refused_goes_out_later_and_once() {
    let (shop, aws, _soon) = open().await;
    let (bob, tea) = tea(&shop, 5).await;
    let refusing = aws.change("send-email").await.env("EMAIL_SENDER", "nobody@unverified.test").make().await;
    let order = bob.buys(&tea, 2).await;
    bob.order_once(&order, "shipping").await;
    // Until the queue has given up: a try that is ended by the change would keep its claim for a minute.
    aws.quiet().await;
    assert_eq!(bob.mail_about(&order).await, []);
    refusing.undo();
    aws.run_on_schedule("sweep-orders", LATER).await;
    eventually("the buyer is told", async || (shipping(&bob.mail_about(&order).await) > 0).then_some(()))
        .await;
    for _ in 0..3 {
        aws.send_message("EmailsQueueUrl", &json!({ "kind": "order.shipping", "id": order })).await;
    }
    aws.run_on_schedule("sweep-orders", LATER * 2).await;
    a_while().await;
    assert_eq!(shipping(&bob.mail_about(&order).await), 1);
}

// ── What nobody can read ───────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn orders_that_nobody_can_read_keep_no_other_from_being_swept_up() {
    let (shop, aws, _soon) = open().await;
    let (bob, tea) = tea(&shop, 5).await;
    let lost = |shard: usize| format!("00000000-0000-7000-8000-{shard:012}");
    for shard in 0..16 {
        let order = json!({
            "orderId": { "S": lost(shard) }, "status": { "S": "lost" }, "due": { "S": format!("{shard:02}") },
            "dueAt": { "S": "2001-09-09T01:46:40.000Z" }, "attempts": { "N": "0" },
        });
        aws.put_item("OrdersTable", order).await;
    }
    let counted = count_in_logs("sweep-orders", "UnreadableItem");
    let failing = aws.change("create-order").await.env("AWS_ENDPOINT_URL_SQS", &failure().await).make().await;
    let order = bob.buys(&tea, 2).await;
    failing.undo();
    // It does not fail, since another run would not read them either.
    aws.run_on_schedule("sweep-orders", LATER).await;
    shipped_and_told_once(&aws, &bob, &[order]).await;
    assert!(count_in_logs("sweep-orders", "UnreadableItem") > counted, "nobody was told of them");
    for shard in 0..16 {
        aws.delete_item("OrdersTable", "orderId", &lost(shard)).await;
    }
}

// ── What is promised ───────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_seller_sees_what_is_promised_until_it_is_cancelled_or_has_left() {
    let (shop, aws, _soon) = open().await;
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(9)).await;
    let counted = async || {
        let own = ann.own(&tea).await.expect("her own");
        (own["quantity"].as_u64().expect("a quantity"), own["promised"].as_u64().expect("pieces"))
    };
    let fulfilment = aws.pause("consume-orders").await;
    let handing_over = aws.pause("hand-over-stock").await;
    let (shipped, cancelled) = (bob.buys(&tea, 2).await, bob.buys(&tea, 3).await);
    assert_eq!(counted().await, (4, 5));
    assert_eq!(shop.get(&tea.path()).await.is(200).get("promised"), None, "it is nobody else's to know");
    bob.cancels(&cancelled).await.is(200);
    assert_eq!(counted().await, (7, 2));

    fulfilment.undo();
    bob.order_once(&shipped, "shipping").await;
    let told = eventually("it is told that the order has shipped", async || {
        aws.messages_in("StockQueueUrl").await.into_iter().find(|message| message.contains(&shipped))
    });
    let told = told.await.parse().expect("JSON");
    assert_eq!(counted().await, (7, 2), "nobody has handed it over");
    handing_over.undo();
    eventually("it is handed over", async || (counted().await == (7, 0)).then_some(())).await;
    for _ in 0..3 {
        aws.send_message("StockQueueUrl", &told).await;
    }
    aws.quiet().await;
    a_while().await;
    assert_eq!(counted().await, (7, 0), "what is told again is handed over once");
}

// ── Round trips ────────────────────────────────────────────────────────────────────────────────────────────

/// Lets the calls of a function pass where they are seen, until the first of these is dropped.
async fn watched(aws: &Aws, function: &str) -> (Undo, Calls) {
    let (meddler, calls) = Meddler::watch();
    let endpoint = std::env::var("AWS_ENDPOINT_URL").expect("the AWS behind the shop");
    let between = meddler.stand_before(endpoint).await;
    let change =
        ["DYNAMODB", "SESV2", "SQS"].into_iter().fold(aws.change(function).await, |change, service| {
            change.env(&format!("AWS_ENDPOINT_URL_{service}"), &between)
        });
    (change.make().await, calls)
}

/// The names of these calls, by alphabet.
fn operations(calls: &[Call]) -> Vec<&str> {
    let mut operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    operations.sort_unstable();
    operations
}

#[tokio::test]
async fn an_order_is_placed_in_three_round_trips() {
    let (shop, aws, _soon) = open().await;
    let (bob, tea) = tea(&shop, 5).await;
    let (watching, calls) = watched(&aws, "create-order").await;
    let body = json!({ "id": tea.id, "quantity": 1 });
    let place = || bob.request(Method::POST, "/create-order").json(&body);
    for request in [place(), place().header("idempotency-key", "k")] {
        request.send().await.is(201);
        let seen = calls.take();
        assert_eq!(operations(&seen), ["BatchGetItem", "SendMessage", "TransactWriteItems", "UpdateItem"]);
        assert!(round_trips(&seen) <= 3, "{seen:?}");
        let of = |name: &str| seen.iter().find(|call| call.operation == name).expect(name);
        assert!(of("UpdateItem").overlaps(of("BatchGetItem")), "the limit is counted before: {seen:?}");
    }
    // What was answered before, and what cannot be had, is known after the first.
    place().header("idempotency-key", "k").send().await.is(201);
    let seen = calls.take();
    assert_eq!((operations(&seen), round_trips(&seen)), (vec!["BatchGetItem", "UpdateItem"], 1));
    bob.tries_to_buy(&tea, 100).await.is_problem(409, "out-of-stock");
    let seen = calls.take();
    assert_eq!((operations(&seen), round_trips(&seen)), (vec!["BatchGetItem", "UpdateItem"], 1));
    watching.undo();
}

#[tokio::test]
async fn each_email_is_sent_in_four_round_trips() {
    let (shop, aws, _soon) = open().await;
    let (bob, tea) = tea(&shop, 5).await;
    let paused = aws.pause("send-email").await;
    let order = bob.buys(&tea, 1).await;
    let queued = eventually("both emails are queued", async || {
        let mut queued = aws.messages_in("EmailsQueueUrl").await;
        queued.retain(|message| message.contains(&order));
        (queued.len() == 2).then_some(queued)
    });
    let queued = queued.await;

    let (watching, calls) = watched(&aws, "send-email").await;
    for message in &queued {
        let record = json!({ "messageId": unique("message"), "body": message, "eventSource": "aws:sqs" });
        let answer = aws.invoke("send-email", &json!({ "Records": [record] })).await;
        assert_eq!(answer, json!({ "batchItemFailures": [] }), "{message}");
        let seen = calls.take();
        // Confirming an order settles nothing, so it is recorded by itself.
        let record = if message.contains("confirmed") { "UpdateItem" } else { "TransactWriteItems" };
        // The order, and whether its buyer's address gets email.
        let mut expected = vec!["GetItem", "GetItem", "POST /v2/email/outbound-emails", record, "UpdateItem"];
        expected.sort_unstable();
        assert_eq!(operations(&seen), expected, "{message}");
        assert!(round_trips(&seen) <= 4, "{seen:?}");
        let read = seen.iter().find(|call| call.operation == "GetItem").expect("the order is read");
        assert!(seen.iter().any(|call| call.operation == "UpdateItem" && call.overlaps(read)), "{seen:?}");
    }
    watching.undo();
    // The queue delivers them as well, and finds that they went out.
    paused.undo();
    shipped_and_told_once(&aws, &bob, &[order]).await;
}

// ── By hand ────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn an_order_that_its_seller_ships_waits_for_that_and_for_nothing_else() {
    let (shop, aws, _soon) = open().await;
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(9)).await;
    let by_hand = aws.change("create-order").await.env("FULFILMENT", "manual").make().await;
    let (ships, goes_back) = (bob.buys(&tea, 2).await, bob.buys(&tea, 3).await);
    by_hand.undo();

    for order in [&ships, &goes_back] {
        let confirmed = async || (bob.mail_about(order).await.len() == 1).then_some(());
        eventually("the buyer is told that it is confirmed", confirmed).await;
        let waits = async || aws.item("OrdersTable", ("orderId", order)).await["due"].is_null().then_some(());
        eventually("nothing is owed to it any more", waits).await;
    }
    // A year later nobody has been asked to fulfil it again, nor if a message comes twice.
    aws.quiet().await;
    let consumed = count_in_logs("consume-orders", &ships);
    aws.run_on_schedule("sweep-orders", Duration::from_hours(24 * 365)).await;
    a_while().await;
    assert_eq!(count_in_logs("consume-orders", &ships), consumed);
    aws.send_message("OrdersQueueUrl", &json!({ "orderId": ships })).await;
    for (task, outcome) in [("ship-order", "waits"), ("release-order", "waits")] {
        let answer = aws.invoke(task, &json!({ "orderId": ships })).await;
        assert_eq!(answer, json!({ "outcome": outcome }), "{task}");
    }
    aws.quiet().await;
    assert_eq!(history(&bob.order(&ships).await), ["pending"]);
    assert_eq!((bob.mail_about(&ships).await.len(), shop.stock_of(&tea).await), (1, 4));

    let shipment = json!({
        "status": "shipped", "carrier": "DHL", "trackingNumber": "JD 1", "trackingUrl": "https://dhl.example/JD1",
    });
    let told = ann.put(&format!("/orders/{ships}/status"), &shipment).await.is(200);
    assert_eq!(history(&told), ["pending", "shipping"]);
    assert_eq!(told["history"][1]["by"], "seller");
    assert_eq!(bob.order(&ships).await["shipment"]["trackingNumber"], "JD 1");
    shipped_and_told_once(&aws, &bob, std::slice::from_ref(&ships)).await;
    let mail = bob.mail_about(&ships).await.into_iter().find(|mail| mail.subject == "tea now shipping");
    let mail = mail.expect("the shipping email");
    assert!(mail.text.contains("DHL, tracking number JD 1") && mail.text.contains("https://dhl.example/JD1"));

    bob.cancels(&goes_back).await.is(200);
    assert_eq!(shop.stock_of(&tea).await, 7);
    let stock = async || ann.own(&tea).await.filter(|tea| tea["promised"] == 0);
    eventually("nothing is promised any more", stock).await;
}

/// So many orders of this seller count, and of so many something is to be sent.
async fn counted(seller: &Person, (orders, to_send): (u32, u32)) {
    eventually("what was sold is counted", async || {
        let found = seller.get("/seller/summary").await.is(200);
        (found["last30Days"]["orders"] == orders && found["toSend"] == to_send).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_order_of_two_sellers_is_sent_in_two_parcels_and_its_buyer_is_told_of_each() {
    let (shop, aws, _soon) = open().await;
    let (ann, eve, bob) = (shop.person("Ann").await, shop.person("Eve").await, shop.person("Bob").await);
    let (tea, cup) =
        (ann.sells(product().named("tea").stock(9)).await, eve.sells(product().named("cup").stock(9)).await);
    let phone = phones::number();
    phones::has(&shop, &bob, &phone).await;
    let texts = json!({ "texts": { "parcelSent": true, "textVersion": 1 } });
    bob.put("/users/me/preferences", &texts).await.is(200);
    let mut page = Page::of(&bob).await;
    let by_hand = aws.change("create-order").await.env("FULFILMENT", "manual").make().await;
    let items = json!({ "items": [{ "id": tea.id, "quantity": 2 }, { "id": cup.id, "quantity": 1 }] });
    let order = order_id(&bob.post("/orders", &items).await.is(201));
    by_hand.undo();
    let waits = async || aws.item("OrdersTable", ("orderId", &order)).await["due"].is_null().then_some(());
    eventually("nothing is owed to it any more", waits).await;
    let to_send = async |person: &Person| {
        let list = person.get("/seller/orders?status=to_send").await.is(200);
        list["orders"].as_array().expect("orders").iter().map(order_id).collect::<Vec<_>>()
    };
    assert_eq!((to_send(&ann).await, to_send(&eve).await), (vec![order.clone()], vec![order.clone()]));

    // What takes the letters is down: they are owed by the parcels, and the sweep has them sent.
    let paused = aws.pause("send-email").await;
    let path = format!("/seller/orders/{order}/status");
    let shipment = json!({ "status": "shipped", "carrier": "DHL", "trackingNumber": "JD 1" });
    let answers = at_once(3, |_| {
        let (ann, path, shipment) = (ann.clone(), path.clone(), shipment.clone());
        async move { ann.put(&path, &shipment).await.is(200) }
    });
    assert!(answers.await.iter().all(|answer| answer["status"] == "shipped"));
    assert_eq!(history(&bob.order(&order).await), ["pending"]);
    // What is on its way may be reviewed, before the rest is.
    bob.may_review(&tea).await;
    bob.reviews(&cup, &json!({ "stars": 5 })).await.is_problem(403, "not-bought");
    bob.cancels(&order).await.is_problem(409, "not-cancellable");
    assert_eq!(to_send(&ann).await, Vec::<String>::new());
    counted(&ann, (1, 0)).await;
    counted(&eve, (1, 1)).await;
    paused.undo();
    aws.run_on_schedule("sweep-orders", LATER).await;
    eve.put(&path, &json!({ "status": "shipped" })).await.is(200);
    let seen = bob.order(&order).await;
    assert_eq!(history(&seen), ["pending", "shipping"]);
    let carriers: Vec<_> = seen["parcels"].as_array().expect("parcels").iter().collect();
    assert!(carriers.iter().any(|parcel| parcel["shipment"]["carrier"] == "DHL"), "{seen}");
    let told = async || (bob.mail_about(&order).await.len() >= 3).then_some(());
    eventually("the buyer is told of both", told).await;
    // Of each by text. Of the order itself, which left with the last of them, no text says it again.
    phones::texts_once(&shop, &phone, 3).await;
    page.is_told("order.parcel-sent", Some(&order)).await;
    for person in [&ann, &eve] {
        person.put(&path, &json!({ "status": "delivered" })).await.is(200);
    }
    let told = async || (bob.mail_about(&order).await.len() >= 4).then_some(());
    eventually("the buyer is told that it arrived", told).await;
    aws.quiet().await;
    aws.run_on_schedule("sweep-orders", LATER).await;
    aws.quiet().await;
    a_while().await;
    let mut subjects: Vec<_> = bob.mail_about(&order).await.into_iter().map(|mail| mail.subject).collect();
    subjects.sort_unstable();
    let expected = [
        "Part of your order is on its way: cup",
        "Part of your order is on its way: tea",
        "Your order of tea and 1 more item has arrived",
        "Your order of tea and 1 more item is confirmed",
    ];
    assert_eq!(subjects, expected);
    let expected =
        ["order.delivered", "order.parcel-sent", "order.parcel-sent", "order.placed", "order.shipped"];
    assert_eq!(told_in_inbox(&bob, &order).await, expected);
    let texts = phones::texts_to(&shop, &phone).await.split_off(1);
    let of_parcel = texts.iter().filter(|text| text.contains("a parcel of your order"));
    assert_eq!((texts.len(), of_parcel.count()), (2, 2), "{texts:?}");
    assert_eq!(history(&bob.order(&order).await), ["pending", "shipping", "delivered"]);
    assert_eq!((shop.stock_of(&tea).await, shop.stock_of(&cup).await), (7, 8));
    counted(&eve, (1, 0)).await;
    let promised = async || ann.own(&tea).await.filter(|tea| tea["promised"] == 0);
    eventually("nothing is promised any more", promised).await;
}

/// What somebody was told of an order, by alphabet: what happens at once may come in any order.
async fn told_in_inbox(person: &Person, order: &str) -> Vec<String> {
    let list = person.get("/notifications?limit=100").await.is(200);
    let all = list["notifications"].as_array().expect("a list").iter();
    let of_order = all.filter(|one| one["subject"] == order);
    let mut kinds: Vec<_> = of_order.map(|one| one["kind"].as_str().expect("a kind").to_owned()).collect();
    kinds.sort_unstable();
    kinds
}

/// An order by card of tea and a cup, of two sellers who send by hand; it is paid.
async fn paid_of_two(aws: &Aws) -> (Awaiting, Person, Product) {
    let shop = Shop::open();
    let (seller, eve, buyer) = (shop.person("Ann").await, shop.person("Eve").await, shop.person("Bob").await);
    let product = seller.sells(product().named("tea").priced("33.33").stock(3)).await;
    let cup = eve.sells(tests::shop::product().named("cup").priced("66.66").stock(3)).await;
    for id in [&product.id, &cup.id] {
        buyer.post("/cart/items", &json!({ "id": id, "quantity": 1 })).await.is(200);
    }
    let by_hand = aws.change("check-out-cart").await.env("FULFILMENT", "manual").make().await;
    let placed = check_out(&buyer, 99.99).await.is(201);
    by_hand.undo();
    let payment = placed["payment"]["paymentId"].as_str().expect("a payment").to_owned();
    let paid = Awaiting { shop, seller, buyer, product, order: order_id(&placed), payment };
    // What is not paid is nobody's to see.
    let path = format!("/seller/orders/{}", paid.order);
    paid.seller.get(&path).await.is_problem(404, "not-found");
    let to_send = paid.seller.get("/seller/orders?status=to_send").await.is(200);
    assert_eq!(to_send["orders"], json!([]));
    paid.seller
        .put(&format!("{path}/status"), &json!({ "status": "shipped" }))
        .await
        .is_problem(409, "awaiting-payment");
    paid.is_paid().await;
    assert_eq!(paid.seller.get(&path).await.is(200)["status"], "to_send");
    (paid, eve, cup)
}

#[tokio::test]
async fn of_an_order_by_card_a_refused_parcel_goes_back_and_the_other_is_sent() {
    let (_shop, aws, _soon) = open().await;
    let (paid, eve, cup) = paid_of_two(&aws).await;
    let mut page = Page::of(&paid.buyer).await;
    let path = format!("/seller/orders/{}/status", paid.order);
    let refused = json!({ "status": "refused", "reason": "It broke." });
    let answers = at_once(3, |_| {
        let (seller, path, refused) = (paid.seller.clone(), path.clone(), refused.clone());
        async move { seller.put(&path, &refused).await.is(200) }
    });
    assert!(answers.await.iter().all(|answer| answer["status"] == "refused" && answer["buyer"].is_null()));
    assert_eq!((paid.stock().await, paid.shop.stock_of(&cup).await), (3, 2));
    paid.order_once("it went back", |order| order["paymentStatus"] == "partially_refunded").await;
    let whole = paid.whole().await;
    assert_eq!((&whole["refunded"], &whole["refundable"]), (&json!(33.33), &json!(66.66)));
    assert_eq!(
        (&whole["refunds"][0]["reason"], whole["refunds"].as_array().map(Vec::len)),
        (&json!("refused"), Some(1))
    );
    eve.put(&path, &json!({ "status": "shipped" })).await.is(200);
    let sent = paid.order().await;
    assert_eq!(history(&sent).last().copied(), Some("shipping"));
    // What was never sent does not come back.
    let back = json!({ "items": [{ "id": paid.product.id, "quantity": 1 }] });
    let asked = paid.buyer.post(&format!("/orders/{}/returns", paid.order), &back).await;
    asked.is_problem(409, "not-returnable");
    let told = async || (paid.buyer.mail_about(&paid.order).await.len() >= 3).then_some(());
    eventually("the buyer is told of both", told).await;
    aws.quiet().await;
    a_while().await;
    let mails = paid.buyer.mail_about(&paid.order).await;
    let refused: Vec<_> = mails.iter().filter(|mail| mail.subject == "We cannot send tea").collect();
    assert_eq!((mails.len(), refused.len()), (3, 1), "{mails:?}");
    let told = told_in_inbox(&paid.buyer, &paid.order).await;
    assert!(told.contains(&"order.parcel-refused".to_owned()), "{told:?}");
    page.is_told("order.parcel-refused", Some(&paid.order)).await;
    assert!(
        refused[0].text.contains("The seller says: It broke.") && refused[0].text.contains("33.33 USD back")
    );
}

#[tokio::test]
async fn of_an_order_by_card_that_nobody_sends_all_goes_back_once() {
    let (_shop, aws, _soon) = open().await;
    let (paid, eve, cup) = paid_of_two(&aws).await;
    let path = format!("/seller/orders/{}/status", paid.order);
    let refused = json!({ "status": "refused" });
    // Nobody carries refunds out, and nobody takes the message: they are owed, and swept up.
    let paused = aws.pause("send-refund").await;
    let (tea, of_eve) = tokio::join!(paid.seller.put(&path, &refused), eve.put(&path, &refused));
    assert!([tea.status, of_eve.status] == [200, 200]);
    assert_eq!((paid.stock().await, paid.shop.stock_of(&cup).await), (3, 3));
    let order = paid.order().await;
    assert_eq!(history(&order), ["awaiting_payment", "pending", "cancelled"]);
    assert_eq!(order["paymentStatus"], "refunding");
    paused.undo();
    aws.run_on_schedule("sweep-payments", LATER).await;
    paid.order_once("it went back", |order| order["paymentStatus"] == "refunded").await;
    let whole = paid.whole().await;
    assert_eq!((&whole["refunded"], &whole["refundable"]), (&json!(99.99), &json!(0)));
    for person in [&paid.seller, &eve] {
        assert_eq!(person.put(&path, &refused).await.is(200)["status"], "refused");
    }
    aws.quiet().await;
    a_while().await;
    assert_eq!(paid.whole().await["refunds"].as_array().map(Vec::len), Some(2));
    counted(&paid.seller, (0, 0)).await;
    counted(&eve, (0, 0)).await;
    let mails = paid.buyer.mail_about(&paid.order).await;
    assert_eq!(cancelled(&mails), 1, "{mails:?}");
}

#[tokio::test]
async fn of_an_order_on_delivery_less_is_paid_for_a_refused_parcel() {
    let (shop, aws, _soon) = open().await;
    let (ann, eve, bob) = (shop.person("Ann").await, shop.person("Eve").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").priced("33.33").stock(3)).await;
    let cup = eve.sells(product().named("cup").priced("66.66").stock(3)).await;
    let by_hand = aws.change("create-order").await.env("FULFILMENT", "manual").make().await;
    let items = json!({ "items": [{ "id": tea.id, "quantity": 1 }, { "id": cup.id, "quantity": 1 }] });
    let order = order_id(&bob.post("/orders", &items).await.is(201));
    by_hand.undo();
    // Nobody is told any more that it is confirmed once it has arrived.
    bob.mail_once_there_are(1).await;
    let path = format!("/seller/orders/{order}/status");
    ann.put(&path, &json!({ "status": "refused" })).await.is(200);
    bob.cancels(&order).await.is_problem(409, "not-cancellable");
    for status in ["shipped", "delivered"] {
        eve.put(&path, &json!({ "status": status })).await.is(200);
    }
    let arrived = bob.order(&order).await;
    assert_eq!((&arrived["status"], &arrived["paymentStatus"]), (&json!("delivered"), &json!("paid")));
    let payments = bob.get(&format!("/payments/order/{order}")).await.is(200);
    assert_eq!(
        (&payments["payments"][0]["kind"], &payments["payments"][0]["amount"]),
        (&json!("cash"), &json!(66.66))
    );
    assert_eq!((shop.stock_of(&tea).await, shop.stock_of(&cup).await), (3, 2));
    counted(&ann, (0, 0)).await;
    counted(&eve, (1, 0)).await;
    assert_eq!(eve.get("/seller/summary").await.is(200)["today"]["revenue"], 66.66);
    let told = async || (bob.mail_about(&order).await.len() >= 3).then_some(());
    eventually("the buyer is told", told).await;
}

// ── Logs ───────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn an_order_can_be_followed_by_its_id_through_every_function_that_it_passes() {
    let (shop, aws, _soon) = open().await;
    let (bob, tea) = tea(&shop, 5).await;
    let shipped = bob.buys(&tea, 1).await;
    shipped_and_told_once(&aws, &bob, std::slice::from_ref(&shipped)).await;
    bob.order(&shipped).await;

    let paused = aws.pause("consume-orders").await;
    let cancelled = bob.buys(&tea, 1).await;
    aws.run_on_schedule("sweep-orders", LATER).await;
    bob.cancels(&cancelled).await.is(200);
    let answer = aws.invoke("release-order", &json!({ "orderId": cancelled })).await;
    assert_eq!(answer, json!({ "outcome": "already_cancelled" }));
    bob.mail_once_there_are(3).await;
    paused.undo();

    let passed = [
        (
            shipped,
            vec![
                "consume-orders",
                "create-order",
                "get-order",
                "hand-over-stock",
                "send-email",
                "ship-order",
            ],
        ),
        (cancelled, vec!["cancel-order", "create-order", "release-order", "send-email", "sweep-orders"]),
    ];
    for (order, functions) in passed {
        let wanted: BTreeSet<_> = functions.iter().map(|name| (*name).to_owned()).collect();
        eventually(&format!("{functions:?} have said what they did"), async || {
            functions_about(&order).is_superset(&wanted).then_some(())
        })
        .await;
    }
}
