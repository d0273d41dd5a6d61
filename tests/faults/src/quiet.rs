//! Afterwards: nothing goes wrong any more, time passes, and all that is owed must be given within a bound.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::books::{given_up, is_telling, slow};
use crate::events;
use crate::proxy::Proxy;
use crate::reviews::{Reviews, is_recorded};
use crate::sales;
use crate::workload::Town;
use crate::world::{has_left, number, readable, scan, text, waits};

/// Lets no time go by: what is due is swept, as of later and later. Gives how long it took until nothing was owed.
///
/// Time passes by other means than waiting: schedules are told a later time, and the leases of emails whose sender died
/// are made to be over, once no sender is at work any more.
pub(crate) async fn settle(town: &Town, proxy: &Proxy) -> Duration {
    let started = Instant::now();
    proxy.calm();
    // Accounts end meanwhile: each of the two waits for something else.
    tokio::join!(all_is_given(town, proxy), town.all_are_gone());
    all_have_left(town).await;
    redrive_ratings(town).await;
    let took = started.elapsed();
    redrive_uploads(town).await;
    // What has waited for its picture for more than an hour is given up, and what somebody left of pictures is swept, a
    // batch at a time; what may still become a product's after some days.
    for hours in [2, 2, 2, 98, 98, 98] {
        for function in ["clean-up-products", "clean-up-categories"] {
            town.aws.invoke(function, &events::scheduled(Duration::from_hours(hours))).await;
        }
    }
    quiet(town, proxy).await;
    sales::settle(town).await;
    town.a_day_later().await;
    took
}

/// Has all be given that is owed.
async fn all_is_given(town: &Town, proxy: &Proxy) {
    idle(proxy, Duration::from_millis(1_500), Duration::from_secs(40)).await;
    end_leases(town).await;
    end_debits(town).await;
    tell_again(town).await;
    town.ask_again().await;
    for hours in [3, 9, 15, 21] {
        for function in ["sweep-orders", "sweep-payments"] {
            town.aws.invoke(function, &events::scheduled(Duration::from_hours(hours))).await;
        }
        quiet(town, proxy).await;
        end_leases(town).await;
        if !is_anything_due(town).await {
            break;
        }
    }
}

/// Of what was paid in a slow way, the money comes or does not.
async fn end_debits(town: &Town) {
    let told = town.shop.get("/local/stripe.json").await.is(200);
    for (number, session) in slow(&told).into_iter().enumerate() {
        let act = if number % 3 == 0 { "fail" } else { "arrive" };
        // One that has failed before stays so.
        town.at_stripe("sessions", &session, &json!({ "do": act })).await;
    }
}

/// Stripe tries for three days to tell what happened, and here for half a minute: what it has given up is told again,
/// and all that is on its way is waited for.
async fn tell_again(town: &Town) {
    let told = town.shop.get("/local/stripe.json").await.is(200);
    for event in given_up(&told) {
        town.at_stripe("events", &event, &json!({ "do": "deliver" })).await;
    }
    let deadline = Instant::now() + Duration::from_secs(40);
    // What is on its way is among the newest.
    while is_telling(&town.shop.get("/local/stripe.json?limit=500").await.is(200))
        && Instant::now() < deadline
    {
        sleep(Duration::from_millis(300)).await;
    }
}

/// Waits until no function has called AWS for a while.
async fn idle(proxy: &Proxy, quiet: Duration, most: Duration) {
    let deadline = Instant::now() + most;
    while proxy.quiet_for() < quiet && Instant::now() < deadline {
        sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until the queues are empty, no workflow runs, and no function is at work.
async fn quiet(town: &Town, proxy: &Proxy) {
    town.aws.quiet().await;
    tell_again(town).await;
    idle(proxy, Duration::from_millis(1_000), Duration::from_secs(20)).await;
    town.aws.quiet().await;
}

/// Ends every lease: no sender is at work any more.
async fn end_leases(town: &Town) {
    end_leases_until(town, "", i64::MAX).await;
}

/// Ends the leases of senders that are dead by now, since a function is ended by Lambda after its 15 seconds: those of
/// letters and texts of all kinds that begin so.
pub(crate) async fn end_dead_leases(town: &Town, kinds: &str) {
    // A lease lasts for a minute (`shared::guards::claims`): one with less than 44 seconds left was taken 16 seconds
    // ago.
    end_leases_until(town, kinds, now() + 44_000).await;
}

async fn end_leases_until(town: &Town, kinds: &str, latest: i64) {
    let claims = ["email", "text"].map(|way| format!("claim#{way}#{kinds}"));
    for item in scan(&town.aws, "GuardsTable").await {
        let id = text(&item, "guardId");
        let until = number(&item, "leaseUntil");
        let is_sent = claims.iter().any(|claim| id.starts_with(claim));
        if is_sent && item.get("doneAt").is_none() && until > 0 && until < latest {
            let values = json!({ ":over": { "N": "0" } });
            town.aws.update_item("GuardsTable", ("guardId", &id), "SET leaseUntil = :over", values).await;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a test stands outside of the shop, where the time comes from")]
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

async fn is_anything_due(town: &Town) -> bool {
    let is_due = |item: &Value| item.get("due").is_some();
    readable(scan(&town.aws, "OrdersTable").await).any(|item| is_due(&item))
        || scan(&town.aws, "PaymentsTable").await.iter().any(is_due)
        || scan(&town.aws, "SellerOrdersTable").await.iter().any(is_due)
}

/// Waits until what is told of each order that ships was heard: streams and topics have no queue to look into. What is
/// not so within the bound is an invariant's to tell.
async fn all_have_left(town: &Town) {
    let deadline = Instant::now() + Duration::from_secs(60);
    for item in readable(scan(&town.aws, "OrdersTable").await).filter(|item| !waits(item)) {
        let order = text(&item, "orderId");
        let is_heard = async || has_left(&town.aws, &order).await && is_recorded(&town.aws, &order).await;
        while !is_heard().await && Instant::now() < deadline {
            sleep(Duration::from_millis(200)).await;
        }
    }
}

/// What an operator does with the ratings' dead letters: tells each once more. Waits until all that was reviewed counts
/// for its store; what does not within the bound is an invariant's to tell.
async fn redrive_ratings(town: &Town) {
    for body in town.aws.messages_in("RatingsDeadLetterQueueUrl").await {
        town.aws.send_message("RatingsQueueUrl", &body.parse().expect("an event")).await;
    }
    town.aws.purge("RatingsDeadLetterQueueUrl").await;
    let deadline = Instant::now() + Duration::from_secs(60);
    while !Reviews::read(&town.aws).await.miscounted().is_empty() && Instant::now() < deadline {
        sleep(Duration::from_millis(500)).await;
    }
}

/// What an operator does with the uploads' dead letters: gives each to its indexer again.
async fn redrive_uploads(town: &Town) {
    for body in town.aws.messages_in("UploadsDeadLetterQueueUrl").await {
        let letter: Value = body.parse().expect("a dead letter");
        let event = &letter["requestPayload"];
        let key = event["Records"][0]["s3"]["object"]["key"].as_str().unwrap_or_default();
        let indexer = match key.split('/').nth(1) {
            Some("banners") => "index-banner-image",
            Some("categories") => "index-category-image",
            Some("stores") => "index-store-image",
            _ => "index-product-image",
        };
        town.aws.invoke(indexer, event).await;
    }
    town.aws.purge("UploadsDeadLetterQueueUrl").await;
}
