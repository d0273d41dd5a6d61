//! What a person asks for who wants all that is kept of them, where that is too much to be answered at once: it is made
//! in the background, and is there for a day.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::letters::{Letter, Letters, Link, Recipient};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::worker::Failure;
use shared::values::time::Timestamp;

use crate::{OfPerson, Profile, Users};

/// How long an export is there once it was made. The bucket forgets it soon after.
const THERE_FOR: Duration = Duration::from_hours(24);

/// How long it may take; whoever asks after that has another one made.
const MADE_WITHIN: Duration = Duration::from_hours(1);

shared::id!(
    /// Names an export.
    ExportId
);

/// Whose export, and which one.
pub type ExportOf = OfPerson<ExportId>;

/// The export that a person asked for last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Export {
    id: ExportId,
    asked_at: Timestamp,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    made_at: Option<Timestamp>,
}

/// How it stands with an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportState {
    /// It is being made.
    Building,
    /// It is there, until this time.
    ThereUntil(Timestamp),
    /// It is gone, or nobody made it.
    Over,
}

impl Export {
    /// The one that somebody asks for at `now`.
    pub fn new(now: Timestamp) -> Self {
        Self { id: ExportId::at(now), asked_at: now, made_at: None }
    }

    /// Which one.
    pub fn id(self) -> ExportId {
        self.id
    }

    /// Whether it was made, however long ago.
    pub fn is_made(self) -> bool {
        self.made_at.is_some()
    }

    /// How it stands at `now`.
    pub fn state(self, now: Timestamp) -> ExportState {
        match self.made_at {
            Some(at) if at + THERE_FOR > now => ExportState::ThereUntil(at + THERE_FOR),
            None if self.asked_at + MADE_WITHIN > now => ExportState::Building,
            _ => ExportState::Over,
        }
    }
}

shared::names!(
    /// What a letter about an export says.
    pub enum ExportLetterKind {
        /// It can be fetched.
        Ready = "account.export-ready",
    }
);

/// What there is to tell of exports.
#[derive(Debug, Clone)]
pub struct ExportLetters {
    users: Users,
}

impl FromEnv for ExportLetters {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { users: Users::from_env(aws)? })
    }
}

impl Letters for ExportLetters {
    const THINGS: &'static str = "users";

    type Kind = ExportLetterKind;
    type Id = ExportOf;
    type Thing = ();

    async fn letter(&self, kind: ExportLetterKind, id: &ExportOf) -> Result<Option<(Letter, ())>, Failure> {
        let ExportLetterKind::Ready = kind;
        // Who has left since is told nothing.
        let profile = self.users.find(&id.person.0).await?;
        Ok(profile.and_then(|profile| profile.letter_of_export(id.which)).map(|letter| (letter, ())))
    }
}

impl Profile {
    /// What its person is told once an export can be fetched; `None` where another one was asked for since, or the
    /// account is closed. The link is none to the document: that takes a sign-in.
    pub fn letter_of_export(&self, export: ExportId) -> Option<Letter> {
        let is_so =
            self.status.is_active() && self.export.is_some_and(|one| one.id == export && one.is_made());
        is_so.then(|| Letter {
            to: Recipient::new(self.email.as_str(), self.full_name.as_str()),
            subject: "Your data at Cartwright is ready".into(),
            headline: "Your data is ready".into(),
            paragraphs: vec![
                "You asked for everything that we keep of you. Sign in again to download it, within a day."
                    .into(),
                "If it was not you, change your password: somebody else was signed in to your account."
                    .into(),
            ],
            code: None,
            rows: Vec::new(),
            totals: Vec::new(),
            link: Some(Link { text: "Download your data".into(), path: "/account/export".into() }),
            links: Vec::new(),
            reference: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Status;
    use serde_json::json;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_unix_millis(1_795_262_400_000 + minute * 60_000)
    }

    #[test]
    fn an_export_is_made_within_an_hour_and_is_there_for_a_day() {
        let asked = Export::new(at(0));
        assert_eq!(asked.state(at(59)), ExportState::Building);
        assert_eq!(asked.state(at(60)), ExportState::Over);
        // Made late, it is made all the same.
        let made = Export { made_at: Some(at(90)), ..asked };
        let until = at(90 + 24 * 60);
        assert_eq!(made.state(at(91)), ExportState::ThereUntil(until));
        assert_eq!(made.state(until), ExportState::Over);
    }

    #[test]
    fn only_the_last_export_of_an_open_account_is_told_of_and_once_it_was_made() {
        let ann: Profile = serde_json::from_value(json!({
            "userId": "5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94", "email": "ann@example.com", "fullName": "Ann Lee",
            "username": "Ann_Lee", "createdAt": at(0)
        }))
        .unwrap();
        let asked = Export::new(at(0));
        let made = Export { made_at: Some(at(1)), ..asked };
        let told = |export: Option<Export>, status| {
            let ann = Profile { export, status, ..ann.clone() };
            ann.letter_of_export(asked.id).map(|letter| letter.to.email)
        };
        assert_eq!(told(Some(made), Status::Active), Some("ann@example.com".into()));
        for (export, status) in [
            (None, Status::Active),
            (Some(asked), Status::Active),
            (Some(Export { id: ExportId::at(at(0)), ..made }), Status::Active),
            (Some(made), Status::Deleting),
        ] {
            assert_eq!(told(export, status), None);
        }
    }
}
