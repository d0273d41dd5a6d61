//! What sellers are told of their stores.

use std::future::ready;

use aws_sdk_dynamodb::types::Update;
use shared::letters::{Language, Letter, Letters, Link, OfEvent, Reader};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::worker::Failure;
use shared::values::text::isolated;
use users::{Group, Profile, Users, Way};

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
    type Thing = Reader;

    async fn letter(
        &self,
        kind: StoreLetterKind,
        id: &OfEvent<StoreId>,
    ) -> Result<Option<(Letter, Reader)>, Failure> {
        // Of what is gone by now there is nothing to tell.
        let Some(store) = self.stores.find(id.thing).await? else { return Ok(None) };
        let Some(owner) = self.users.find(&store.owner_id).await? else { return Ok(None) };
        Ok(store.letter(kind, &owner).map(|letter| (letter, owner.reader(Group::Sales))))
    }

    fn reader(&self, reader: &Reader) -> Reader {
        reader.clone()
    }

    fn sent(&self, _: StoreLetterKind, _: &OfEvent<StoreId>) -> anyhow::Result<Option<Update>> {
        Ok(None)
    }

    fn told(&self, _: StoreLetterKind, _: &Reader) -> impl Future<Output = ()> + Send {
        ready(())
    }
}

impl Store {
    /// What its owner is told; `None` when that is not so, or no longer, or the owner does not want to hear of it.
    pub fn letter(&self, kind: StoreLetterKind, owner: &Profile) -> Option<Letter> {
        let StoreLetterKind::Deactivated = kind;
        if self.status != StoreStatus::Deactivated || !owner.is_told(Group::Sales, Way::Email) {
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
    use serde_json::{Value, json};

    fn store(status: &str, by: Option<&str>) -> Store {
        serde_json::from_value(json!({
            "storeId": "01a1fbbc-f7cc-71a0-aa66-431f703e44ea", "ownerId": "5d0c", "name": "Tea house",
            "nameKey": "teahouse", "status": status, "deactivatedBy": by, "reason": by.map(|_| "No imprint."),
            "createdAt": "2026-11-29T12:00:00.000Z", "updatedAt": "2026-11-29T12:05:00.000Z", "version": 2,
            "schemaVersion": 1
        }))
        .unwrap()
    }

    fn ann(with: &Value) -> Profile {
        let mut item = json!({
            "userId": "5d0c", "email": "ann@example.com", "fullName": "Ann Lee", "username": "Ann_Lee",
            "createdAt": "2026-11-21T12:00:00.000Z"
        });
        item.as_object_mut().unwrap().extend(with.as_object().cloned().unwrap());
        serde_json::from_value(item).unwrap()
    }

    #[test]
    fn an_owner_is_told_who_closed_a_store_and_why_while_it_is_closed() {
        let told = |store: &Store, with: &Value| {
            store.letter(StoreLetterKind::Deactivated, &ann(with)).map(|letter| letter.paragraphs)
        };
        let expected = [
            "The shop has closed “Tea house”: nobody can order from it.",
            "It wrote: “No imprint.”",
            "Write to the shop if it should be open again.",
        ];
        let by_admin = store("deactivated", Some("admin"));
        assert_eq!(told(&by_admin, &json!({})).unwrap(), expected);
        assert_eq!(told(&store("deactivated", Some("owner")), &json!({})).unwrap().len(), 2);
        assert_eq!(told(&store("published", None), &json!({})), None, "it is open again");
        assert_eq!(told(&by_admin, &json!({ "salesEmail": false })), None);
    }
}
