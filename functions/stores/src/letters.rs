//! What sellers are told of their stores.

use shared::letters::{Language, Letter, Letters, Link, OfEvent};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::worker::Failure;
use shared::values::text::isolated;
use users::{Group, Profile, Users};

use crate::{Editor, Store, StoreId, StoreStatus, Stores};

shared::names!(
    /// What a letter about a store says.
    pub enum StoreLetterKind {
        /// It was taken out of the shop.
        Deactivated = "store.deactivated",
    }
);

/// What there is to tell of stores.
#[derive(Debug, Clone)]
pub struct StoreLetters {
    stores: Stores,
    users: Users,
}

impl FromEnv for StoreLetters {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { stores: Stores::from_env(aws)?, users: Users::from_env(aws)? })
    }
}

impl Letters for StoreLetters {
    const THINGS: &'static str = "stores";

    type Kind = StoreLetterKind;
    type Id = OfEvent<StoreId>;
    type Thing = ();

    async fn letter(
        &self,
        kind: StoreLetterKind,
        id: &OfEvent<StoreId>,
    ) -> Result<Option<(Letter, ())>, Failure> {
        // Of what is gone by now there is nothing to tell.
        let Some(store) = self.stores.find(id.thing).await? else { return Ok(None) };
        let words = |owner: &Profile| store.letter(kind, owner);
        let letter = self.users.letter_to(&store.owner_id, Group::Sales, words).await?;
        Ok(letter.map(|letter| (letter, ())))
    }
}

impl Store {
    /// What its owner is told; `None` when that is not so, or no longer.
    pub fn letter(&self, kind: StoreLetterKind, owner: &Profile) -> Option<Letter> {
        let StoreLetterKind::Deactivated = kind;
        if self.status != StoreStatus::Deactivated {
            return None;
        }
        let name = isolated(self.name.as_str());
        let by_admin = self.deactivated_by == Some(Editor::Admin);
        let reason = self.reason.as_ref().map(|reason| isolated(reason.as_str()));
        let (subject, headline, who, why, then, link) = match owner.language() {
            Language::English => (
                format!("Your store {name} is closed"),
                "Your store is closed",
                if by_admin {
                    format!("The shop has closed “{name}”: nobody can order from it.")
                } else {
                    format!("“{name}” was closed from your account: nobody can order from it.")
                },
                reason.map(|reason| format!("It wrote: “{reason}”")),
                if by_admin {
                    "Write to the shop if it should be open again."
                } else {
                    "You can publish it again at any time."
                },
                "See your stores",
            ),
            Language::German => (
                format!("Ihr Laden {name} ist geschlossen"),
                "Ihr Laden ist geschlossen",
                if by_admin {
                    format!("Der Shop hat „{name}“ geschlossen: Niemand kann dort bestellen.")
                } else {
                    format!("„{name}“ wurde von Ihrem Konto aus geschlossen: Niemand kann dort bestellen.")
                },
                reason.map(|reason| format!("Er schrieb: „{reason}“")),
                if by_admin {
                    "Schreiben Sie dem Shop, wenn er wieder öffnen soll."
                } else {
                    "Sie können ihn jederzeit wieder öffnen."
                },
                "Zu Ihren Läden",
            ),
        };
        Some(Letter {
            to: owner.recipient(),
            subject,
            headline: headline.into(),
            paragraphs: [Some(who), why.filter(|_| by_admin), Some(then.to_owned())]
                .into_iter()
                .flatten()
                .collect(),
            code: None,
            rows: Vec::new(),
            totals: Vec::new(),
            link: Some(Link { text: link.into(), path: "/stores/mine".into() }),
            links: Vec::new(),
            reference: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn store(status: &str, by: Option<&str>) -> Store {
        serde_json::from_value(json!({
            "storeId": "01a1fbbc-f7cc-71a0-aa66-431f703e44ea", "ownerId": "5d0c", "name": "Tea house",
            "nameKey": "teahouse", "status": status, "deactivatedBy": by, "reason": by.map(|_| "No imprint."),
            "createdAt": "2026-11-29T12:00:00.000Z", "updatedAt": "2026-11-29T12:05:00.000Z", "version": 2,
            "schemaVersion": 1
        }))
        .unwrap()
    }

    fn ann() -> Profile {
        serde_json::from_value(json!({
            "userId": "5d0c", "email": "ann@example.com", "fullName": "Ann Lee", "username": "Ann_Lee",
            "createdAt": "2026-11-21T12:00:00.000Z"
        }))
        .unwrap()
    }

    #[test]
    fn an_owner_is_told_who_closed_a_store_and_why_while_it_is_closed() {
        let told = |store: &Store| {
            store.letter(StoreLetterKind::Deactivated, &ann()).map(|letter| letter.paragraphs)
        };
        let expected = [
            "The shop has closed “Tea house”: nobody can order from it.",
            "It wrote: “No imprint.”",
            "Write to the shop if it should be open again.",
        ];
        let by_admin = store("deactivated", Some("admin"));
        assert_eq!(told(&by_admin).unwrap(), expected);
        assert_eq!(told(&store("deactivated", Some("owner"))).unwrap().len(), 2);
        assert_eq!(told(&store("published", None)), None, "it is open again");
    }
}
