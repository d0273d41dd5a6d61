//! The deletion of an account: asked for by its person, noted in the profile and carried out by a workflow, which the
//! sweep starts anew as long as something is left.

use anyhow::Context;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::operation::start_execution::StartExecutionError;
use serde::Serialize;
use shared::caller::{Caller, UserId};
use shared::guards::Guards;
use shared::http::problem::{Busy, Problem};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;
use users::{DepartureId, Status, Users};

use crate::deletion::Task;

/// How often it is tried again when others changed the account first.
const TRIES: u32 = 5;

/// Seconds in which one execution for a departure is enough: one that failed is followed by another in the next hour.
const HOUR: i64 = 3_600;

/// The answer to whoever leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Departure {
    msg: &'static str,
    status: Status,
}

/// The profiles, and the workflow that deletes all that is about them.
#[derive(Debug, Clone)]
pub struct Leaving {
    users: Users,
    guards: Guards,
    client: Client,
    workflow: String,
}

impl FromEnv for Leaving {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            users: Users::from_env(aws)?,
            guards: Guards::from_env(aws)?,
            client: Client::new(aws.sdk()),
            workflow: config::required("DELETION_WORKFLOW_ARN")?,
        })
    }
}

impl Leaving {
    /// Begins the deletion of the caller's account. Safe to repeat: it is begun once.
    ///
    /// # Errors
    /// 404 without a profile, `sign-in-too-old`, `admin-stays`, `account-closed`.
    pub async fn begin(&self, caller: &Caller, now: Timestamp) -> Result<Departure, Problem> {
        for _ in 0..TRIES {
            let found = self.users.find(caller.id()).await?.ok_or_else(|| Problem::not_found("profile"))?;
            let leaver = match found.clone().leaving(caller, now)? {
                None => Some(found),
                Some(_) => self.users.leave(&self.guards, &found, now).await?,
            };
            if let Some(leaver) = leaver {
                if let Err(error) = self.start(caller.id(), leaver.departure, now).await {
                    tracing::warn!(error = format!("{error:#}"), "the sweep starts a deletion");
                }
                let msg = "Your account will be deleted. You get an email when it is done, or why it is not.";
                return Ok(Departure { msg, status: Status::Deleting });
            }
        }
        Err(anyhow::Error::new(Busy).into())
    }

    /// Starts what was asked for and is not done. Safe to repeat: at most one execution for a departure begins in an
    /// hour.
    ///
    /// # Errors
    /// When the table cannot be read, or no execution can be started.
    pub async fn sweep(&self, now: Timestamp) -> anyhow::Result<()> {
        for person in self.users.leaving(&self.guards).await? {
            let profile = self.users.find(&person).await?;
            self.start(&person, profile.and_then(|profile| profile.departure), now).await?;
        }
        Ok(())
    }

    async fn start(
        &self,
        person: &UserId,
        departure: Option<DepartureId>,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        // Of whoever stayed and asks again it is another departure. Where the profile is gone, there is no other.
        let what = departure.map_or_else(|| person.to_string(), |departure| departure.to_string());
        let name = format!("{what}-{}", now.unix_seconds() / HOUR);
        let input = serde_json::to_string(&Task::first(person.clone()))?;
        let start = self.client.start_execution().state_machine_arn(&self.workflow).name(name).input(input);
        match start.send().await {
            Err(error)
                if matches!(
                    error.as_service_error(),
                    Some(StartExecutionError::ExecutionAlreadyExists(_))
                ) =>
            {
                Ok(())
            }
            started => started.map(drop).context("start the deletion of an account"),
        }
    }
}
