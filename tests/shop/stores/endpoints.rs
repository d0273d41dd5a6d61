//! Endpoints and deliveries of webhooks: how many there may be, who sends, and how many at a time.

use std::time::Duration;

use serde_json::json;
use shared::dynamo::list::Cursors;
use shared::http::IfMatch;
use shared::http::input;
use shared::run::aws::FromEnv;
use shared::run::outside::stand_in::{Reply, StandIn};
use tests::meddler::Meddler;
use tests::wait::at_once;
use uuid::Uuid;
use webhooks::queueing::{Queueing, Told};
use webhooks::sending::Sending;
use webhooks::store::{Most, Slot, Taking, TryId};
use webhooks::{
    Attempt, Delivery, DeliveryStatus, Endpoint, EndpointId, Error, Fault, Next, Queued, Secret, Webhooks,
};

use super::lists::page;
use super::{DAY, MINUTE, now, open, open_behind, open_with};

const SECOND: Duration = Duration::from_secs(1);

async fn most(number: u32) -> Most {
    open_with(vec![("WEBHOOK_ENDPOINTS", Some(number.to_string()))]).await
}

fn another() -> Endpoint {
    let body = json!({ "url": "https://erp.example/hook", "types": ["order.placed"], "isActive": false });
    Endpoint::new(input::parse(body.to_string().as_bytes()).expect("an endpoint"), Secret::random(), now())
}

async fn made(webhooks: &Webhooks) -> Endpoint {
    let endpoint = another();
    webhooks.create(&endpoint, most(1_000).await).await.expect("room for one");
    endpoint
}

fn delivery_to(endpoint: EndpointId, event: u128) -> Delivery {
    Delivery::new(endpoint, Uuid::from_u128(event), "order.placed".into(), "{}".into(), now())
}

fn failed() -> Attempt {
    Attempt::unanswered(now(), SECOND, Fault::TimedOut)
}

fn taken() -> Attempt {
    Attempt::answered(now(), SECOND, 204, b"")
}

async fn slot(webhooks: &Webhooks, endpoint: EndpointId) -> Option<Slot> {
    match webhooks.take_slot(endpoint, TryId::at(now()), now()).await.expect("an answer") {
        Taking::Taken(slot) => Some(slot),
        Taking::Full { .. } | Taking::Gone => None,
    }
}

#[tokio::test]
async fn there_are_as_many_endpoints_as_there_may_be() {
    let webhooks: Webhooks = open().await;
    let endpoint = made(&webhooks).await;
    let refused = webhooks.create(&another(), most(0).await).await;
    assert!(matches!(refused, Err(Error::TooMany(0))), "{refused:?}");
    let refused = webhooks.create(&another(), most(1).await).await;
    assert!(matches!(refused, Err(Error::TooMany(1))), "{refused:?}");
    // Tried twice by the SDK, it is there once.
    webhooks.create(&endpoint, most(1_000).await).await.unwrap();
    let same = |all: Vec<Endpoint>| all.iter().filter(|one| one.id() == endpoint.id()).count();
    assert_eq!(same(webhooks.endpoints().await.unwrap()), 1);
    webhooks.delete(endpoint.id(), &IfMatch::Any).await.unwrap();
    assert!(matches!(webhooks.delete(endpoint.id(), &IfMatch::Any).await, Err(Error::NotFound)));
    assert_eq!(same(webhooks.endpoints().await.unwrap()), 0);
}

#[tokio::test]
async fn three_send_to_an_endpoint_at_the_same_time_and_one_if_it_fails() {
    let webhooks: Webhooks = open().await;
    let id = made(&webhooks).await.id();
    let taking = at_once(12, |_| {
        let webhooks = webhooks.clone();
        async move { slot(&webhooks, id).await }
    });
    let mut slots: Vec<_> = taking.await.into_iter().flatten().collect();
    assert_eq!(slots.len(), 3);
    let full = webhooks.take_slot(id, TryId::at(now()), now()).await.unwrap();
    assert_eq!(full, Taking::Full { is_failing: false });

    let since = webhooks.leave_slot(id, &slots.remove(0), Some(&failed())).await.unwrap();
    assert_eq!(since, Some(now() + SECOND));
    for left in slots.drain(..) {
        assert_eq!(webhooks.leave_slot(id, &left, None).await.unwrap(), since, "it fails since then");
    }
    let alone = slot(&webhooks, id).await.expect("a place");
    let full = webhooks.take_slot(id, TryId::at(now()), now()).await.unwrap();
    assert_eq!(full, Taking::Full { is_failing: true });
    assert_eq!(webhooks.leave_slot(id, &alone, Some(&taken())).await.unwrap(), None);
    for _ in 0..3 {
        assert!(slot(&webhooks, id).await.is_some());
    }

    // Whoever died with a place loses it.
    let later = now() + MINUTE + SECOND;
    let Taking::Taken(overtaking) = webhooks.take_slot(id, TryId::at(later), later).await.unwrap() else {
        panic!("nobody has them any more")
    };
    webhooks.delete(id, &IfMatch::Any).await.unwrap();
    assert_eq!(webhooks.leave_slot(id, &overtaking, Some(&failed())).await.unwrap(), None);
    assert_eq!(webhooks.take_slot(id, TryId::at(now()), now()).await.unwrap(), Taking::Gone);
}

#[tokio::test]
async fn an_event_is_recorded_once_for_an_endpoint_and_sent_by_one_of_many() {
    let webhooks: Webhooks = open().await;
    let id = made(&webhooks).await.id();
    let first = webhooks.record(delivery_to(id, 1)).await.unwrap();
    let claimed = at_once(8, |_| {
        let (webhooks, first) = (webhooks.clone(), first.clone());
        async move { webhooks.claim(&first, TryId::at(now()), now()).await.unwrap() }
    });
    assert_eq!(claimed.await.into_iter().filter(|ours| *ours).count(), 1);
    let again = webhooks.record(delivery_to(id, 1)).await.unwrap();
    assert_eq!((again.id(), again.attempts()), (first.id(), 1), "it is as it was found");
    assert!(!webhooks.claim(&again, TryId::at(now()), now()).await.unwrap(), "somebody is at it");
    assert!(matches!(webhooks.revive(&again, now()).await, Err(Error::BeingSent)));
    let later = now() + MINUTE;
    assert!(webhooks.claim(&again, TryId::at(later), later).await.unwrap(), "whoever was has died");

    // What the first of the two says now is too late.
    webhooks.settle(first.id(), 1, &taken(), Next::Done).await.unwrap();
    let found = webhooks.delivery(first.id()).await.unwrap().unwrap();
    assert!(!found.awaits(2, now()) && found.awaits(2, later + MINUTE));
    webhooks.settle(first.id(), 2, &taken(), Next::Done).await.unwrap();
    let cursors = Cursors::for_tests();
    let listed =
        async |status| webhooks.deliveries(id, Some(status), &cursors, &page(20, None).await).await.unwrap();
    assert_eq!(listed(DeliveryStatus::Delivered).await.entries.len(), 1);
    assert_eq!(listed(DeliveryStatus::Failed).await.entries.len(), 0);
    // Over, it stays over, until somebody wants it again.
    webhooks.stop(first.id()).await.unwrap();
    assert_eq!(listed(DeliveryStatus::Stopped).await.entries.len(), 0);
    let revived = webhooks.revive(&found, later).await.unwrap();
    assert!(revived.awaits(0, later));
    webhooks.stop(first.id()).await.unwrap();
    assert_eq!(listed(DeliveryStatus::Stopped).await.entries.len(), 1);
    let unknown = webhooks.revive(&delivery_to(id, 2), now()).await;
    assert!(matches!(unknown, Err(Error::NoDelivery)), "{unknown:?}");
    webhooks.delete(id, &IfMatch::Any).await.unwrap();
}

#[tokio::test]
async fn what_is_due_to_an_endpoint_is_put_off_by_one_sweep() {
    let webhooks: Webhooks = open().await;
    let id = made(&webhooks).await.id();
    let delivery = webhooks.record(delivery_to(id, 1)).await.unwrap();
    assert_eq!(webhooks.due(id, now(), 10).await.unwrap(), []);
    let left = now() + MINUTE * 2;
    let due = webhooks.due(id, left, 10).await.unwrap();
    assert_eq!(
        due.iter().map(|due| (due.id, due.due, due.attempts)).collect::<Vec<_>>(),
        [(delivery.id(), id, 0)]
    );
    let sweeps = at_once(6, |_| {
        let (webhooks, due) = (webhooks.clone(), due[0].clone());
        async move { webhooks.put_off(&due, left).await.unwrap() }
    });
    assert_eq!(sweeps.await.into_iter().filter(|ours| *ours).count(), 1);
    assert_eq!(webhooks.due(id, left, 10).await.unwrap(), []);

    // Between attempts it is due at its time, when no queue brings it.
    assert!(webhooks.claim(&delivery, TryId::at(left), left).await.unwrap());
    let again = left + DAY;
    webhooks.settle(delivery.id(), 1, &failed(), Next::Again(again)).await.unwrap();
    assert_eq!(webhooks.due(id, again - SECOND, 10).await.unwrap(), []);
    assert_eq!(webhooks.due(id, again, 10).await.unwrap().len(), 1);
    webhooks.settle(delivery.id(), 1, &taken(), Next::Done).await.unwrap();
    assert_eq!(webhooks.due(id, again, 10).await.unwrap(), []);
    webhooks.delete(id, &IfMatch::Any).await.unwrap();
}

#[tokio::test]
async fn of_those_who_change_an_endpoint_none_is_lost() {
    let webhooks: Webhooks = open().await;
    let id = made(&webhooks).await.id();
    let changes = at_once(3, |_| {
        let webhooks = webhooks.clone();
        async move {
            let rotate = |endpoint: &Endpoint| {
                let rotation = input::parse(b"{}").expect("a rotation");
                Some(endpoint.rotated(rotation, Secret::random(), now()))
            };
            webhooks.change(id, &IfMatch::Any, rotate).await.map(drop)
        }
    });
    let changed = changes.await.into_iter().filter(Result::is_ok).count();
    let found = webhooks.existing(id).await.unwrap();
    assert_eq!(serde_json::to_value(&found).unwrap()["version"], json!(changed + 1));
    webhooks.delete(id, &IfMatch::Any).await.unwrap();
    let gone = webhooks.change(id, &IfMatch::Any, |endpoint| endpoint.told(now())).await;
    assert!(matches!(gone, Err(Error::NotFound)), "{gone:?}");
}

/// An endpoint at this receiver that wants these; where it wants nothing, it is told of nothing that other tests do.
async fn made_at(webhooks: &Webhooks, receiver: &StandIn, types: &[&str]) -> Endpoint {
    let port = receiver.url.rsplit(':').next().expect("a port");
    let body = json!({ "url": format!("https://{port}.receiver.test/hook"), "types": ["order.placed"] });
    let body = input::parse(body.to_string().as_bytes()).expect("an endpoint");
    let mut endpoint = json!(Endpoint::new(body, Secret::random(), now()));
    endpoint["types"] = json!(types);
    let endpoint = serde_json::from_value(endpoint).expect("an endpoint");
    webhooks.create(&endpoint, most(1_000).await).await.expect("room for one");
    endpoint
}

/// What sends, with some calls of its table refused and nobody at its queue.
async fn sending<S: FromEnv>(meddler: Option<Meddler>) -> S {
    let aws = std::env::var("AWS_ENDPOINT_URL").expect("no AWS to test, run `cargo local test`");
    let dynamodb = match meddler {
        Some(meddler) => Some(meddler.stand_before(aws).await),
        None => None,
    };
    let nowhere = Some("http://127.0.0.1:1".to_owned());
    open_with(vec![
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
        ("AWS_ENDPOINT_URL_SQS", nowhere.clone()),
        ("STAGE", Some("local".to_owned())),
        ("WEBHOOK_DELIVERIES_QUEUE_URL", nowhere),
        ("WEBHOOK_DETOUR", Some("http://127.0.0.1".to_owned())),
    ])
    .await
}

/// The calls of this operation with these numbers are refused, so that whoever makes one dies there.
fn refusing(operation: &'static str, call: usize) -> Meddler {
    let refused = json!({ "__type": "ValidationException", "message": "as asked" });
    Meddler::answer(operation, call..call + 1, move |_| (400, refused.clone()))
}

/// Sends what is due to an endpoint again and again, as sweep and queue do, until nothing is.
async fn swept_until_settled(webhooks: &Webhooks, endpoint: EndpointId) {
    let sending: Sending = sending(None).await;
    for minutes in 1..20 {
        let then = now() + MINUTE * 3 * minutes;
        let due = webhooks.due(endpoint, then, 10).await.expect("what is due");
        if due.is_empty() && minutes > 3 {
            return;
        }
        for delivery in due {
            assert!(webhooks.put_off(&delivery, then).await.expect("it is put off"));
            let (delivery_id, endpoint_id) = (delivery.id, delivery.due);
            let queued = Queued { delivery_id, endpoint_id, attempts: delivery.attempts, waits: 0 };
            sending.send(&queued, then).await.expect("it is sent");
        }
    }
    panic!("something is always due");
}

/// Each call of send-webhook, refused or with its reply lost: its message comes again at once, and what was claimed is
/// swept up. However it dies, the receiver gets the event, with the same id each time, and it is recorded.
#[tokio::test]
async fn wherever_a_sender_dies_the_delivery_arrives_with_the_id_that_it_had() {
    let webhooks: Webhooks = open().await;
    let faults = [("GetItem", 2), ("UpdateItem", 4)];
    let mut times = Vec::new();
    for (operation, calls) in faults {
        for call in 0..=calls {
            let meddler =
                if call == calls { Meddler::lose_reply(operation) } else { refusing(operation, call) };
            let receiver = StandIn::start(std::iter::repeat_n(Reply::answer(204, ""), 9)).await;
            let endpoint = made_at(&webhooks, &receiver, &[]).await;
            let delivery = webhooks.record(delivery_to(endpoint.id(), 1)).await.unwrap();
            let queued = Queued::of(&delivery);
            let dying: Sending = sending(Some(meddler)).await;
            for _ in 0..3 {
                // SQS brings it again where it failed, and may bring it again where it did not.
                let _ = dying.send(&queued, now()).await;
            }
            swept_until_settled(&webhooks, endpoint.id()).await;
            let asked = receiver.asked();
            let event = Uuid::from_u128(1).to_string();
            assert!(asked.iter().all(|one| one.header("webhook-id") == Some(&event) && one.body == "{}"));
            let found = webhooks.delivery(delivery.id()).await.unwrap().unwrap();
            assert_eq!(found.status(), DeliveryStatus::Delivered, "{operation} {call}");
            times.push(asked.len());
            webhooks.delete(endpoint.id(), &IfMatch::Any).await.unwrap();
        }
    }
    // Nobody knows of an event that was taken before that was recorded: it comes twice then, and else once.
    assert!(times.iter().all(|times| (1..=2).contains(times)), "{times:?}");
    assert!(times.iter().filter(|times| **times == 1).count() >= times.len() - 2, "{times:?}");
}

/// What happens in hardly any other test, so that an endpoint that wants it hears of little else.
const RARE: &str = "user.texts-stopped";

fn told(event: u128) -> Told {
    serde_json::from_value(json!({
        "specversion": "1.0", "id": Uuid::from_u128(event), "source": "/cartwright/local/orders",
        "type": RARE, "subject": "tea", "time": now(), "datacontenttype": "application/json",
        "dataschema": format!("urn:cartwright:event:{RARE}:1"), "data": { "orderId": "tea" }
    }))
    .expect("an event")
}

/// The same of queue-webhooks, whose queue takes nothing here at all.
#[tokio::test]
async fn wherever_queueing_dies_an_event_becomes_one_delivery_for_each_endpoint() {
    let webhooks: Webhooks = open().await;
    let receiver = StandIn::start(std::iter::repeat_n(Reply::answer(204, ""), 99)).await;
    let endpoints =
        [made_at(&webhooks, &receiver, &[RARE]).await, made_at(&webhooks, &receiver, &[RARE]).await];
    let meddlers = [
        refusing("Query", 0),
        refusing("PutItem", 0),
        refusing("PutItem", 1),
        Meddler::lose_reply("PutItem"),
    ];
    for (number, meddler) in (1..).zip(meddlers) {
        let dying: Queueing = sending(Some(meddler)).await;
        for _ in 0..3 {
            assert!(dying.take(told(number), now()).await.is_err(), "the queue takes nothing");
        }
    }
    for endpoint in &endpoints {
        swept_until_settled(&webhooks, endpoint.id()).await;
        let cursors = Cursors::for_tests();
        let all = webhooks.deliveries(endpoint.id(), None, &cursors, &page(100, None).await).await.unwrap();
        let ours = all.entries.iter().filter(|one| one.event().as_u128() <= 4);
        let ours: Vec<_> = ours.map(webhooks::Delivery::status).collect();
        assert_eq!(ours, [DeliveryStatus::Delivered; 4]);
        webhooks.delete(endpoint.id(), &IfMatch::Any).await.unwrap();
    }
    let asked = receiver.asked();
    let ours =
        asked.iter().filter(|one| one.header("webhook-id").is_some_and(|id| id.starts_with("00000000-0000")));
    assert_eq!(ours.count(), 8);
}

#[tokio::test]
async fn an_endpoint_whose_creation_was_answered_to_nobody_is_there_once() {
    let webhooks: Webhooks = open().await;
    let behind: Webhooks = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    let endpoint = another();
    behind.create(&endpoint, most(1_000).await).await.unwrap();
    let all = webhooks.endpoints().await.unwrap();
    assert_eq!(all.iter().filter(|one| one.id() == endpoint.id()).count(), 1);
    webhooks.delete(endpoint.id(), &IfMatch::Any).await.unwrap();
}

/// Five days without a success switch it off; one in between begins them anew.
#[tokio::test]
async fn an_endpoint_that_fails_for_five_days_is_switched_off() {
    let webhooks: Webhooks = open().await;
    let replies = [500, 500, 204, 500, 500].map(|status| Reply::answer(status, ""));
    let receiver = StandIn::start(replies).await;
    let endpoint = made_at(&webhooks, &receiver, &[]).await;
    let sending: Sending = sending(None).await;
    let hours = [0, 119, 120, 121, 242];
    for (event, hours) in (1..).zip(hours) {
        let then = now() + MINUTE * 60 * hours;
        let delivery =
            Delivery::new(endpoint.id(), Uuid::from_u128(event), "order.placed".into(), "{}".into(), then);
        let delivery = webhooks.record(delivery).await.unwrap();
        assert!(webhooks.existing(endpoint.id()).await.unwrap().is_on(), "after {hours} hours");
        sending.send(&Queued::of(&delivery), then).await.unwrap();
    }
    let off = webhooks.existing(endpoint.id()).await.unwrap();
    assert_eq!((off.is_on(), off.untold()), (false, Some(webhooks::WhyOff::Failing)));
    let late = webhooks.record(delivery_to(endpoint.id(), 9)).await.unwrap();
    sending.send(&Queued::of(&late), now()).await.unwrap();
    assert_eq!(webhooks.delivery(late.id()).await.unwrap().unwrap().status(), DeliveryStatus::Stopped);
    assert_eq!(receiver.asked().len(), hours.len());
    webhooks.delete(endpoint.id(), &IfMatch::Any).await.unwrap();
}
