//! All that is kept of a person, for that person: at once where it is little, and by a file that is made in the
//! background where it is more. It needs a sign-in of the last minutes, as whoever finds a device that is signed in
//! would otherwise take all of it along.

use anyhow::Context;
use aws_sdk_sqs::Client;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::caller::{Caller, UserId};
use shared::guards::rate_limit::PersonLimit;
use shared::http::Answer;
use shared::http::problem::Problem;
use shared::letters::{EmailQueue, Queued};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;
use users::{
    Export, ExportId, ExportLetterKind, ExportOf, ExportState, PersonId, Users, account_closed, fresh_sign_in,
};

use crate::archive::Archive;
use crate::files::Files;

/// What somebody gets who asks for an export.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Exported {
    /// All of it.
    Complete {
        /// The document.
        data: Value,
    },
    /// Where all of it is.
    Ready {
        /// Where it can be downloaded, for 15 minutes.
        download_url: String,
        /// Until when another such URL can be asked for.
        available_until: Timestamp,
    },
    /// It is being made.
    Building {
        /// The same as a sentence.
        msg: &'static str,
    },
}

impl From<Exported> for Answer<Exported> {
    fn from(exported: Exported) -> Self {
        match exported {
            Exported::Building { .. } => Self::accepted(exported),
            Exported::Complete { .. } | Exported::Ready { .. } => Self::ok(exported),
        }
    }
}

/// An export that is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportQueued {
    user_id: UserId,
    export_id: ExportId,
}

impl ExportQueued {
    fn of(&self) -> ExportOf {
        ExportOf { person: PersonId(self.user_id.clone()), which: self.export_id }
    }
}

/// Asking for an export.
#[derive(Debug, Clone)]
pub struct Exporting {
    limit: PersonLimit,
    users: Users,
    archive: Archive,
    files: Files,
    queue: Client,
    queue_url: String,
}

impl FromEnv for Exporting {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            limit: PersonLimit::from_env(aws)?.and_a_day()?,
            users: Users::from_env(aws)?,
            archive: Archive::from_env(aws)?,
            files: Files::from_env(aws)?,
            queue: Client::new(aws.sdk()),
            queue_url: config::required("EXPORTS_QUEUE_URL")?,
        })
    }
}

impl Exporting {
    /// All that is kept of the caller, or where it is, or that it is being made. Safe to repeat: while one is being
    /// made, or is there, no other is.
    ///
    /// # Errors
    /// `too-many-requests`, `sign-in-too-old`, `account-closed`; 404 without a profile.
    pub async fn export(&self, caller: &Caller, now: Timestamp) -> Result<Exported, Problem> {
        self.limit.count("export-data", caller.id(), now).await?;
        fresh_sign_in(caller, now)?;
        let profile = self.users.find(caller.id()).await?.ok_or_else(|| Problem::not_found("profile"))?;
        if !profile.status.is_active() {
            return Err(account_closed());
        }
        let under_way = match profile.export.map(|export| (export, export.state(now))) {
            Some((_, ExportState::ThereUntil(available_until))) => {
                let download_url = self.files.url(caller.id()).await?;
                return Ok(Exported::Ready { download_url, available_until });
            }
            Some((export, ExportState::Building)) => Some(export),
            Some((_, ExportState::Over)) | None => None,
        };
        let export = match under_way {
            // Whoever asked for it may have died before it was queued.
            Some(export) => export,
            None => match self.archive.at_once(&profile, now).await? {
                Some(data) => return Ok(Exported::Complete { data }),
                None => self.users.wants_export(&profile, Export::new(now)).await?,
            },
        };
        self.queue(caller.id(), export).await?;
        Ok(Exported::Building { msg: "There is much of it. You get an email when it can be downloaded." })
    }

    async fn queue(&self, person: &UserId, export: Export) -> anyhow::Result<()> {
        let queued = ExportQueued { user_id: person.clone(), export_id: export.id() };
        let send = self.queue.send_message().queue_url(&self.queue_url);
        send.message_body(serde_json::to_string(&queued)?).send().await.map(drop).context("queue an export")
    }
}

/// Making an export.
#[derive(Debug, Clone)]
pub struct Building {
    users: Users,
    archive: Archive,
    files: Files,
    emails: EmailQueue,
}

impl FromEnv for Building {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            users: Users::from_env(aws)?,
            archive: Archive::from_env(aws)?,
            files: Files::from_env(aws)?,
            emails: EmailQueue::from_env(aws)?,
        })
    }
}

impl Building {
    /// Makes the file, notes that, and has its person told. Safe to repeat: what was made is told of again, which goes
    /// out once. What is not asked for any more, or by somebody who leaves, is not made.
    ///
    /// # Errors
    /// When a table, the bucket or the queue does not answer.
    pub async fn build(&self, queued: &ExportQueued, now: Timestamp) -> anyhow::Result<()> {
        let (person, of) = (&queued.user_id, queued.of());
        let wanted = self.users.find(person).await?.filter(|profile| profile.status.is_active());
        let wanted = wanted.and_then(|profile| Some((profile.export?, profile)));
        let Some((export, profile)) = wanted.filter(|(export, _)| export.id() == queued.export_id) else {
            return Ok(());
        };
        if !export.is_made() {
            let mut file = self.files.begin(person);
            self.archive.write(&profile, &mut file, now).await?;
            file.finish().await?;
            if !self.users.export_made(&of, now).await? {
                // Nothing of somebody who leaves stays behind.
                return self.files.delete(person).await;
            }
        }
        self.emails.send(&Queued::new(ExportLetterKind::Ready, of)).await
    }
}
