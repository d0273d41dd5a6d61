//! What people are told of their account itself.

use std::fmt;
use std::str::FromStr;

use anyhow::Context;
use shared::caller::UserId;
use shared::letters::{Letter, Letters, Recipient};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::worker::Failure;
use shared::values::id::NotAnId;

use crate::{DepartureId, PersonId, Profile, Status, Users};

shared::names!(
    /// What a letter about an account says.
    pub enum AccountLetterKind {
        /// It was not deleted, because something is owed.
        Kept = "account.kept",
        /// It is deleted.
        Deleted = "account.deleted",
    }
);

/// Whose account it is; and where it was not deleted, on which wish, since each wish has an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaverId {
    person: UserId,
    departure: Option<DepartureId>,
}

impl LeaverId {
    /// Somebody who was to go.
    pub fn new(person: &UserId, departure: Option<DepartureId>) -> Self {
        Self { person: person.clone(), departure }
    }
}

impl fmt::Display for LeaverId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.departure {
            Some(departure) => write!(f, "{}.{departure}", self.person),
            None => self.person.fmt(f),
        }
    }
}

impl FromStr for LeaverId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (person, departure) = match text.split_once('.') {
            Some((person, departure)) => (person, Some(departure.parse()?)),
            None => (text, None),
        };
        Ok(Self { person: person.parse::<PersonId>()?.0, departure })
    }
}

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
    type Id = LeaverId;
    type Thing = ();

    async fn letter(&self, kind: AccountLetterKind, id: &LeaverId) -> Result<Option<(Letter, ())>, Failure> {
        let profile = self.users.find(&id.person).await?;
        let profile = profile.context("there is no such person").map_err(Failure::Never)?;
        Ok(profile.letter(kind).map(|letter| (letter, ())))
    }
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
            to: Recipient::new(self.email.as_str(), self.full_name.as_str()),
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
    fn each_wish_to_leave_has_an_answer_of_its_own() {
        let (person, departure) =
            ("5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94", "01a1fbbc-f7cc-71a0-aa66-431f703e44ea");
        for text in [person.to_owned(), format!("{person}.{departure}")] {
            assert_eq!(text.parse::<LeaverId>().unwrap().to_string(), text);
        }
        for text in ["", "bob", &format!("{person}."), &format!("{person}.bob"), &format!("bob.{departure}")]
        {
            assert_eq!(text.parse::<LeaverId>(), Err(NotAnId), "{text}");
        }
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
