//! The fulfilment workflow, `statemachines/order-fulfilment.asl.yaml`: what starts it, and what its tasks are told and
//! answer.

use anyhow::Context;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::operation::start_execution::StartExecutionError;
use serde::{Deserialize, Serialize};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};

use crate::OrderId;

/// What a task of the workflow is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FulfilmentTask {
    /// The order.
    pub order_id: OrderId,
}

/// What `ship-order` found; the workflow chooses by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Shipped {
    /// The order is on its way now.
    Shipped,
    /// An earlier run did it.
    AlreadyShipping,
    /// It was cancelled before.
    Cancelled,
    /// A person ships it: nothing is to be done until then.
    Waits,
}

/// What `release-order` found; the workflow chooses by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Released {
    /// The order is cancelled now, its stock given back.
    Released,
    /// It was cancelled before.
    AlreadyCancelled,
    /// It is on its way; only the answer of `ship-order` was lost.
    AlreadyShipping,
    /// It waits for a person to ship it, who alone gives it up.
    Waits,
}

/// The workflow.
#[derive(Debug, Clone)]
pub struct Workflow {
    client: Client,
    arn: String,
}

impl FromEnv for Workflow {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: Client::new(aws.sdk()), arn: config::required("WORKFLOW_ARN")? })
    }
}

impl Workflow {
    /// Starts an execution for the order. Its name is the message's, so that one message delivered twice shows as one
    /// where names are unique; where they are not (Express workflows), the tasks are idempotent.
    ///
    /// # Errors
    /// When no execution can be started.
    pub async fn start(&self, order_id: OrderId, message_id: &str) -> anyhow::Result<()> {
        // A name takes 80 characters: both are UUIDs of 36.
        let name: String = format!("{order_id}-{message_id}").chars().take(80).collect();
        let input = serde_json::to_string(&crate::OrderQueued { order_id })?;
        let started =
            self.client.start_execution().state_machine_arn(&self.arn).name(name).input(input).send().await;
        match started {
            Err(error)
                if matches!(
                    error.as_service_error(),
                    Some(StartExecutionError::ExecutionAlreadyExists(_))
                ) =>
            {
                Ok(())
            }
            started => started.map(drop).context("start the workflow"),
        }
    }
}
