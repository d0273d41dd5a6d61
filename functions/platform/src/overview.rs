//! What the shop's admins see at a glance: what was sold, what waits for whom, how deep queues are, and how far the
//! search index is behind.

use anyhow::Context;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use orders::sales::{Party, Sales, Summary};
use search::store::{Pointers, State};
use serde::Serialize;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;

/// A queue that tells whether the shop keeps up.
#[derive(Debug, Clone)]
struct Queue {
    name: &'static str,
    url: String,
}

impl Queue {
    fn named(name: &'static str, variable: &'static str) -> Result<Self, ConfigError> {
        Ok(Self { name, url: config::required(variable)? })
    }
}

/// What admins look at.
#[derive(Debug, Clone)]
pub struct Overview {
    sales: Sales,
    pointers: Pointers,
    client: Client,
    orders: Queue,
    emails: Queue,
}

impl FromEnv for Overview {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            sales: Sales::from_env(aws)?,
            pointers: Pointers::from_env(aws)?,
            client: Client::new(aws.sdk()),
            orders: Queue::named("orders", "ORDERS_QUEUE_URL")?,
            emails: Queue::named("emails", "EMAILS_QUEUE_URL")?,
        })
    }
}

/// The same as an admin sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OverviewView {
    #[serde(flatten)]
    summary: Summary,
    queues: [QueueView; 2],
    /// Missing where an OpenSearch domain has the index, or where nothing was indexed yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    search: Option<SearchView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct QueueView {
    name: &'static str,
    /// About how many messages nobody has begun to work.
    waiting: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct SearchView {
    products: u32,
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    lag_seconds: Option<u32>,
}

impl From<State> for SearchView {
    fn from(State { documents, updated_at, lag_seconds }: State) -> Self {
        Self { products: documents, updated_at, lag_seconds }
    }
}

impl Overview {
    /// Reads it in four calls side by side: the counters, how deep two queues are, and how the index is.
    ///
    /// # Errors
    /// When a table or a queue does not answer.
    pub async fn read(&self, now: Timestamp) -> anyhow::Result<OverviewView> {
        let (summary, orders, emails, state) = tokio::try_join!(
            self.sales.summary(&Party::Shop, now),
            self.depth(&self.orders),
            self.depth(&self.emails),
            self.pointers.state(),
        )?;
        Ok(OverviewView { summary, queues: [orders, emails], search: state.map(SearchView::from) })
    }

    async fn depth(&self, Queue { name, url }: &Queue) -> anyhow::Result<QueueView> {
        let wanted = QueueAttributeName::ApproximateNumberOfMessages;
        let asked = self.client.get_queue_attributes().queue_url(url).attribute_names(wanted.clone());
        let answer = asked.send().await.with_context(|| format!("ask how deep the queue {name} is"))?;
        let depth = answer.attributes.and_then(|mut attributes| attributes.remove(&wanted));
        let waiting = depth.and_then(|depth| depth.parse().ok()).context("a queue has a depth")?;
        Ok(QueueView { name, waiting })
    }
}
