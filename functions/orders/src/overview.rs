//! What the shop's admins see at a glance: what was sold, what is to be sent, and what waits in queues.

use anyhow::Context;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use serde::Serialize;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;

use crate::sales::{Party, Sales, Summary};

/// The queues that tell whether the shop keeps up: orders to fulfil, emails to send, refunds to carry out.
const QUEUES: [(&str, &str); 3] =
    [("orders", "ORDERS_QUEUE_URL"), ("emails", "EMAILS_QUEUE_URL"), ("refunds", "REFUNDS_QUEUE_URL")];

/// What admins look at.
#[derive(Debug, Clone)]
pub struct Overview {
    sales: Sales,
    client: Client,
    queues: Vec<(&'static str, String)>,
}

impl FromEnv for Overview {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            sales: Sales::from_env(aws)?,
            client: Client::new(aws.sdk()),
            queues: QUEUES
                .into_iter()
                .map(|(name, variable)| Ok((name, config::required(variable)?)))
                .collect::<Result<_, ConfigError>>()?,
        })
    }
}

/// The same as an admin sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OverviewView {
    #[serde(flatten)]
    sold: Summary,
    queues: Vec<QueueView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct QueueView {
    name: &'static str,
    /// About how many messages nobody has begun to work.
    waiting: u64,
}

impl Overview {
    /// Reads it in four calls side by side: the counters, and how deep each of three queues is.
    ///
    /// # Errors
    /// When the table or a queue does not answer.
    pub async fn read(&self, now: Timestamp) -> anyhow::Result<OverviewView> {
        let [orders, emails, refunds] = [0, 1, 2].map(|at| self.depth(at));
        let (sold, orders, emails, refunds) =
            tokio::join!(self.sales.summary(&Party::Shop, now), orders, emails, refunds);
        Ok(OverviewView { sold: sold?, queues: vec![orders?, emails?, refunds?] })
    }

    async fn depth(&self, at: usize) -> anyhow::Result<QueueView> {
        let (name, url) = self.queues.get(at).context("there is such a queue")?;
        let wanted = QueueAttributeName::ApproximateNumberOfMessages;
        let asked = self.client.get_queue_attributes().queue_url(url).attribute_names(wanted.clone());
        let answer = asked.send().await.with_context(|| format!("ask how deep the queue {name} is"))?;
        let depth = answer.attributes.and_then(|mut attributes| attributes.remove(&wanted));
        let waiting = depth.and_then(|depth| depth.parse().ok()).context("a queue has a depth")?;
        Ok(QueueView { name, waiting })
    }
}
