//! Reads the tables' streams: tells what happened to orders, products, reviews, stores and people on the topic Events.
//!
//! Safe to repeat: an event has the same id at every repetition, and subscribers go by it.

use events::{Sources, Topic};
use shared::run::worker;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::changes(
        |(sources, _): &(Sources, Topic), change| sources.events_of(change),
        async |(_, topic), events, _| topic.publish(events).await,
    )
    .await
}
