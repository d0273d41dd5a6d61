//! What people are told in writing, by whichever service has something to say.
//!
//! A service queues what kind of letter is due and about what ([`Queued`]): ids, and neither words nor an address. Its
//! words are asked for when the letter is sent ([`Letters`]), so nobody is told what is no longer so, and what was
//! learnt since is in it.

use std::fmt;
use std::future::ready;
use std::str::FromStr;

use anyhow::Context;
use aws_sdk_dynamodb::types::Update;
use aws_sdk_sqs::Client;
use serde::{Deserialize, Serialize};

use crate::caller::UserId;
use crate::run::aws::{Aws, FromEnv};
use crate::run::config::{self, ConfigError};
use crate::run::telemetry;
use crate::run::worker::Failure;
use crate::values::id::{NotAnId, hyphenated, uuid::Uuid};

/// In which language somebody is told. Letters that know one alone are in English.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English, for everyone whose language there is not.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// That of a person who reads this one: a tag of BCP 47, such as `de-CH`.
    pub fn of(tag: &str) -> Self {
        let language = tag.split('-').next().unwrap_or_default();
        if language.eq_ignore_ascii_case("de") { Self::German } else { Self::English }
    }

    /// Its own tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }
}

/// What somebody can switch off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Whose choice it is.
    pub person: UserId,
    /// What the letter belongs to, by the name that the choice has.
    pub group: &'static str,
}

/// What somebody is told. How it looks is the sender's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Whom it is for.
    pub to: Recipient,
    /// What it says in one line, as a mailbox lists it.
    pub subject: String,
    /// The news as a sentence without its full stop.
    pub headline: String,
    /// What else there is to say, in whole sentences.
    pub paragraphs: Vec<String>,
    /// What to enter where the shop asks for it.
    pub code: Option<String>,
    /// What it is about, piece by piece.
    pub rows: Vec<Row>,
    /// What the rows come to.
    pub totals: Vec<Total>,
    /// Where to read on.
    pub link: Option<Link>,
    /// Where to find each of several things.
    pub links: Vec<Link>,
    /// By what to find it again, a line each: what names the thing, and since when it is.
    pub reference: Vec<String>,
}

/// Whom a letter is for.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The email address.
    pub email: String,
    /// What to call the person; empty for somebody of whom it is not known who it is.
    pub name: String,
    /// In which language the letter is.
    pub language: Language,
    /// What its reader can switch off so that no more of the kind come; `None` for what always comes.
    pub stop: Option<Stop>,
}

impl Recipient {
    /// Whoever reads this address in English what always comes.
    pub fn new(email: impl Into<String>, name: impl Into<String>) -> Self {
        Self { email: email.into(), name: name.into(), language: Language::English, stop: None }
    }
}

/// Neither name nor address is for a log.
impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recipient(…)")
    }
}

/// One piece of what a letter is about, with its price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub name: String,
    /// How the amount comes about: `2 × 4.50 USD`.
    pub detail: Option<String>,
    /// The amount with its currency.
    pub amount: String,
}

/// What rows come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// What the amount is.
    pub name: String,
    /// The amount with its currency.
    pub amount: String,
}

/// A page of the web shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What the link says.
    pub text: String,
    /// Its path, from the shop's own URL: `/things/0189…`.
    pub path: String,
}

/// A letter that waits to be sent, as the Emails queue has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// What it says, by the name that its service gave to it: `order.shipping`.
    pub kind: String,
    /// Which thing it is about.
    pub id: String,
}

impl Queued {
    /// The letter of this kind about the thing of this id.
    pub fn new(kind: impl fmt::Display, id: impl fmt::Display) -> Self {
        Self { kind: kind.to_string(), id: id.to_string() }
    }

    /// What is claimed by whoever sends it.
    pub fn claim(&self) -> String {
        format!("email#{}#{}", self.kind, self.id)
    }
}

/// What names a letter that one event gave rise to: the thing, and which event it was. So what happens to a thing again
/// is told again, and what is told twice of one event is one letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfEvent<T> {
    /// What it is about.
    pub thing: T,
    /// The event's id.
    pub event: Uuid,
}

impl<T: fmt::Display> fmt::Display for OfEvent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.thing, self.event)
    }
}

impl<T: FromStr> FromStr for OfEvent<T> {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (thing, event) = text.rsplit_once('.').ok_or(NotAnId)?;
        Ok(Self { thing: thing.parse().map_err(|_| NotAnId)?, event: hyphenated(event)? })
    }
}

/// What has something to say about things of one sort.
pub trait Letters {
    /// What these things are called where a log names one of them.
    const THINGS: &'static str;

    /// What there is to say, by the names that messages have.
    type Kind: Copy + FromStr + Send + Sync;

    /// What names one of them.
    type Id: FromStr + Send + Sync;

    /// What it is about, as it was read.
    type Thing: Send + Sync;

    /// What it would say now, and of what; `None` when that is no longer so.
    ///
    /// # Errors
    /// [`Failure::Never`] when there is no such thing.
    fn letter(
        &self,
        kind: Self::Kind,
        id: &Self::Id,
    ) -> impl Future<Output = Result<Option<(Letter, Self::Thing)>, Failure>> + Send;

    /// What it wants to be written in the transaction that records that the letter was sent, if anything. Safe to
    /// repeat; a condition that fails says that it is no longer wanted.
    ///
    /// # Errors
    /// When the update cannot be built: a mistake in our code.
    fn sent(&self, _: Self::Kind, _: &Self::Id) -> anyhow::Result<Option<Update>> {
        Ok(None)
    }

    /// What is done once it is recorded that the letter was sent, and again where its message comes again. Nobody is
    /// owed it, and what fails is left: the letter went out.
    fn told(&self, _: Self::Kind, _: &Self::Thing) -> impl Future<Output = ()> + Send {
        ready(())
    }
}

/// The queue of letters to send by email.
#[derive(Debug, Clone)]
pub struct EmailQueue {
    client: Client,
    url: String,
}

impl FromEnv for EmailQueue {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: Client::new(aws.sdk()), url: config::required("EMAILS_QUEUE_URL")? })
    }
}

impl EmailQueue {
    /// Queues a letter. Queued twice, it still goes out once.
    ///
    /// # Errors
    /// When the queue takes nothing.
    pub async fn send(&self, queued: &Queued) -> anyhow::Result<()> {
        let body = serde_json::to_string(queued)?;
        let send = self.client.send_message().queue_url(&self.url).message_body(body);
        send.send().await.map(drop).context("queue an email")
    }

    /// Queues a letter that is owed by what it is about, so what cannot be queued now is swept up later.
    pub async fn send_or_leave(&self, queued: &Queued) {
        if let Err(error) = self.send(queued).await {
            let Queued { kind, id } = queued;
            tracing::error!(kind, id, error = format!("{error:#}"), "left to the sweep");
            telemetry::count("EmailLeftToSweep", 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_message_is_a_kind_and_an_id() {
        let queued = Queued::new("thing.moved", 7);
        let message = json!({ "kind": "thing.moved", "id": "7" });
        assert_eq!(serde_json::to_value(&queued).unwrap(), message);
        assert_eq!(serde_json::from_value::<Queued>(message).unwrap(), queued);
    }

    #[test]
    fn a_letter_of_an_event_is_named_by_the_thing_and_the_event() {
        let event = "5d1b36b1-8b1f-5f0e-9c68-3fd12c0b7a94";
        let read: OfEvent<String> = format!("tea.green.{event}").parse().unwrap();
        assert_eq!((read.thing.as_str(), read.event.to_string().as_str()), ("tea.green", event));
        assert_eq!(read.to_string(), format!("tea.green.{event}"));
        for text in ["", "tea", "tea.", event, "tea.5d1b36b18b1f5f0e9c683fd12c0b7a94"] {
            assert_eq!(text.parse::<OfEvent<String>>(), Err(NotAnId), "{text}");
        }
    }

    #[test]
    fn whoever_reads_german_anywhere_is_told_in_german_and_all_others_in_english() {
        let tags = ["de", "de-CH", "DE-at", "en", "deu", "den-DE", "fr-DE", ""];
        let languages = tags.map(|tag| Language::of(tag).tag());
        assert_eq!(languages, ["de", "de", "de", "en", "en", "en", "en", "en"]);
    }

    #[test]
    fn neither_name_nor_address_is_ever_printed() {
        let to = Recipient::new("ann@cartwright.test", "Ann");
        assert_eq!(format!("{to:?}"), "Recipient(…)");
    }
}
