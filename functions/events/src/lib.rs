//! What happened in the shop, told to whoever subscribed. The services say what a change of an item means
//! (`orders::events` and its likes); here it gets its envelope, and [`topic`] publishes it.

pub mod topic;

use anyhow::Context;
use serde::Serialize;
use serde_json::Value;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError, Stage};
use shared::run::event::CloudEvent;
use shared::run::worker::Change;
use shared::values::time::Timestamp;
use uuid::Uuid;

use offers::events::StockEvent;
use orders::events::OrderEvent;
use products::events::ProductEvent;
use reviews::events::ReviewEvent;
use stores::events::StoreEvent;
use users::events::{MailEvent, UserEvent};

pub use topic::Topic;

/// An event as it is published.
pub type Event = CloudEvent<&'static str, Value>;

/// Of which shape the data of all kinds are. A change that readers of the old shape would not understand is a new
/// version.
const VERSION: u32 = 1;

/// What the ids of events are made under: a random UUID, which must never change.
const NAMESPACE: Uuid = Uuid::from_u128(0x5d1b_36b1_8b1f_4f0e_9c68_3fd1_2c0b_7a94);

/// The tables whose streams tell what happened.
#[derive(Debug, Clone)]
pub struct Sources {
    stage: Stage,
    offers: String,
    mail: String,
    orders: String,
    products: String,
    reviews: String,
    stores: String,
    users: String,
}

impl FromEnv for Sources {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            stage: config::required("STAGE")?,
            offers: config::required("OFFERS_TABLE")?,
            mail: config::required("MAIL_TABLE")?,
            orders: config::required("ORDERS_TABLE")?,
            products: config::required("PRODUCTS_TABLE")?,
            reviews: config::required("REVIEWS_TABLE")?,
            stores: config::required("STORES_TABLE")?,
            users: config::required("USERS_TABLE")?,
        })
    }
}

impl Sources {
    /// What a change of an item means.
    ///
    /// # Errors
    /// When the change is of a table that tells nothing: the template has a stream too many.
    pub fn events_of(&self, change: Change) -> anyhow::Result<Vec<Event>> {
        let Change { id, table, images, at } = change;
        let told = if table == self.orders {
            images.between(orders::events::between).iter().map(|event| Told::order(event, at)).collect()
        } else if table == self.products {
            images.between(products::events::between).iter().map(|event| Told::product(event, at)).collect()
        } else if table == self.offers {
            images.between(offers::events::between).iter().map(|event| Told::stock(event, at)).collect()
        } else if table == self.reviews {
            images.between(reviews::events::between).iter().map(|event| Told::review(event, at)).collect()
        } else if table == self.stores {
            images.between(stores::events::between_entries).iter().map(Told::store).collect()
        } else if table == self.users {
            images.between(users::events::between).iter().map(Told::user).collect()
        } else if table == self.mail {
            images.between(users::events::between_mail).iter().map(Told::mail).collect()
        } else {
            anyhow::bail!("nobody knows what happens in the table {table}")
        };
        let told: Vec<anyhow::Result<Told>> = told;
        let numbered = told.into_iter().enumerate();
        numbered.map(|(index, told)| Ok(told?.in_envelope(self.stage, &table, &id, index))).collect()
    }
}

/// An event without its envelope.
struct Told {
    service: &'static str,
    kind: &'static str,
    subject: String,
    at: Timestamp,
    data: Value,
}

impl Told {
    /// What an item has not written down was about when it changed.
    fn order(event: &OrderEvent, changed: Timestamp) -> anyhow::Result<Self> {
        let at = event.at.unwrap_or(changed);
        Self::new("orders", event.kind(), event.order_id.to_string(), at, event)
    }

    fn product(event: &ProductEvent, changed: Timestamp) -> anyhow::Result<Self> {
        let at = event.at.unwrap_or(changed);
        Self::new("products", event.what.as_str(), event.product_id.to_string(), at, event)
    }

    /// Of a product as well, to all who hear of it.
    fn stock(event: &StockEvent, at: Timestamp) -> anyhow::Result<Self> {
        Self::new("products", event.what.as_str(), event.product_id.to_string(), at, event)
    }

    fn review(event: &ReviewEvent, changed: Timestamp) -> anyhow::Result<Self> {
        let at = event.at.unwrap_or(changed);
        Self::new("reviews", event.what.as_str(), event.product_id.to_string(), at, event)
    }

    fn store(event: &StoreEvent) -> anyhow::Result<Self> {
        Self::new("stores", event.what.as_str(), event.store_id.to_string(), event.at, event)
    }

    fn user(event: &UserEvent) -> anyhow::Result<Self> {
        Self::new("users", event.what.as_str(), event.user_id.to_string(), event.at, event)
    }

    /// Of a message by its own id, and of an address by its person's.
    fn mail(event: &MailEvent) -> anyhow::Result<Self> {
        let subject = event.message_id.map_or_else(|| event.user_id.to_string(), |id| id.to_string());
        Self::new("users", event.what.as_str(), subject, event.at, event)
    }

    fn new(
        service: &'static str,
        kind: &'static str,
        subject: String,
        at: Timestamp,
        data: &impl Serialize,
    ) -> anyhow::Result<Self> {
        let data = serde_json::to_value(data).context("write an event's data")?;
        Ok(Self { service, kind, subject, at, data })
    }

    /// The id follows from the change and from which of its events it is, and from the table: the change's own id need
    /// not be another than that of a change in another table.
    fn in_envelope(self, stage: Stage, table: &str, change: &str, index: usize) -> Event {
        let id = Uuid::new_v5(&NAMESPACE, format!("{table} {change} {index}").as_bytes());
        let source = format!("/cartwright/{}/{}", stage.as_str(), self.service);
        let schema = format!("urn:cartwright:event:{}:{VERSION}", self.kind);
        CloudEvent::new(id, source, self.kind, self.subject, self.at, schema, self.data)
    }
}
