//! What people are told of their account itself.

use anyhow::Context;
use aws_sdk_dynamodb::types::Update;
use shared::letters::{Letter, Letters, Recipient};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::worker::Failure;

use crate::{PersonId, Profile, Status, Users};

shared::names!(
    /// What a letter about an account says.
    pub enum AccountLetterKind {
        /// It was not deleted, because something is owed.
        Kept = "account.kept",
        /// It is deleted.
        Deleted = "account.deleted",
    }
);

/// What there is to tell of accounts.
#[derive(Debug, Clone)]
pub struct AccountLetters {
    users: Users,
}

impl FromEnv for AccountLetters {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { users: Users::from_env(aws)? })
    }
}

impl Letters for AccountLetters {
    const THINGS: &'static str = "users";

    type Kind = AccountLetterKind;
    type Id = PersonId;
    type Thing = ();

    async fn letter(&self, kind: AccountLetterKind, id: &PersonId) -> Result<Option<(Letter, ())>, Failure> {
        let profile = self.users.find(&id.0).await?;
        let profile = profile.context("there is no such person").map_err(Failure::Never)?;
        Ok(profile.letter(kind).map(|letter| (letter, ())))
    }

    fn sent(&self, _: AccountLetterKind, _: &PersonId) -> anyhow::Result<Option<Update>> {
        Ok(None)
    }

    async fn told(&self, _: AccountLetterKind, (): &()) {}
}

impl Profile {
    /// What its person is told; `None` when that is not so, or no longer.
    pub fn letter(&self, kind: AccountLetterKind) -> Option<Letter> {
        let (is_so, subject, headline, paragraphs) = match kind {
            AccountLetterKind::Kept => (
                self.status != Status::Deleting,
                "Your account at Cartwright is still there",
                "We could not delete your account yet",
                [
                    "Something is not finished: an order of yours, a return that is not decided, or somebody's order of what \
                     you sell.",
                    "When that is done, ask us again. Until then you can go on as before.",
                ],
            ),
            AccountLetterKind::Deleted => (
                self.status == Status::Deleting,
                "Your account at Cartwright is deleted",
                "Your account is deleted",
                [
                    "Your profile, your addresses, your cart, your log and what you sold are gone.",
                    "Of your orders we keep what the law asks for: what was bought, when and for how much, without your \
                     name and address.",
                ],
            ),
        };
        is_so.then(|| Letter {
            to: Recipient { email: self.email.as_str().into(), name: self.full_name.to_string() },
            subject: subject.into(),
            headline: headline.into(),
            paragraphs: paragraphs.map(str::to_owned).into(),
            code: None,
            rows: Vec::new(),
            totals: Vec::new(),
            link: None,
            links: Vec::new(),
            reference: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ann(status: Status) -> Profile {
        serde_json::from_value(json!({
            "userId": "5d0c", "email": "ann@example.com", "fullName": "Ann Lee", "username": "Ann_Lee",
            "createdAt": "2026-11-21T12:00:00.000Z", "status": status
        }))
        .unwrap()
    }

    #[test]
    fn only_whoever_is_leaving_hears_that_it_is_done_and_only_whoever_stays_that_it_is_not() {
        let subject = |status, kind| ann(status).letter(kind).map(|letter| letter.subject);
        assert!(subject(Status::Deleting, AccountLetterKind::Deleted).is_some());
        assert_eq!(subject(Status::Active, AccountLetterKind::Deleted), None);
        assert!(subject(Status::Active, AccountLetterKind::Kept).is_some());
        assert_eq!(subject(Status::Deleting, AccountLetterKind::Kept), None);
    }
}
