//! Reads the streams of the tables: tells what happened to orders, products, stores and people over the topic Events.
//!
//! Safe to repeat: an event has the same id at every repetition, and subscribers go by it.

use events::{Sources, Topic};
use shared::run::worker;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::changes(
        |(sources, _): &(Sources, Topic), change| sources.events_of(change),
        async |(_, topic), events| topic.publish(events).await,
    )
    .await
}
