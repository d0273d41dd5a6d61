//! What an admin writes to somebody, by email: to a person who has an account or to an address. It is kept for as long
//! as it takes to be sent, and read when it is.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};
use shared::caller::{Caller, UserId};
use shared::guards::rate_limit::PersonLimit;
use shared::guards::{Committed, Guards, IdempotencyKey, KeyReused, KeyedRequest, Once};
use shared::http::input::{Field, Value};
use shared::http::problem::{FieldError, Problem};
use shared::letters::{EmailQueue, Language, Letter, Letters, Queued, Recipient};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::worker::Failure;
use shared::values::id::NotAnId;
use shared::values::text::isolated;
use shared::values::time::Timestamp;

use crate::suppression::{AddressId, AddressIds, SCHEMA_VERSION};
use crate::{Email, Mail, PersonId, Users};

/// For how long a message is kept: longer than its email may wait in a queue and be brought back from the dead letters.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// As which route requests are counted and keyed.
const ROUTE: &str = "/notifications/email";

shared::id!(
    /// Names a message.
    MessageId
);

shared::text!(
    /// What a message says in one line.
    MessageSubject, 1..=150
);

shared::text!(
    /// What a message says.
    MessageText, 1..=5000, multiline
);

/// Whom a message is for, as a request says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addressee {
    /// A person who has an account.
    Person(PersonId),
    /// Whoever reads this address.
    Address(Email),
}

impl Field for Addressee {
    fn parse(value: Value) -> Result<Self, String> {
        const SHAPE: &str = "must be the id of a person or an email address";
        let text = value.as_str().ok_or("must be a string")?;
        match text.parse() {
            Ok(person) => Ok(Self::Person(person)),
            Err(NotAnId) => text.parse().map(Self::Address).map_err(|_| SHAPE.to_owned()),
        }
    }
}

impl Serialize for Addressee {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Person(person) => serializer.collect_str(&person.0),
            Self::Address(address) => serializer.serialize_str(address.as_str()),
        }
    }
}

shared::body!(
    /// What an admin has to say to somebody.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct NewMessage {
        /// To whom.
        pub to: Addressee,
        /// In one line.
        pub subject: MessageSubject,
        /// In as many as it takes.
        pub text: MessageText,
    }
);

/// Under whom a message is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A person who has an account.
    Person(UserId),
    /// An address of nobody who has one.
    Address(AddressId),
}

/// What begins the key of an address.
pub(crate) const ADDRESS: &str = "address#";

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(person) => write!(f, "{person}"),
            Self::Address(address) => write!(f, "{ADDRESS}{address}"),
        }
    }
}

impl FromStr for About {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        match text.strip_prefix(ADDRESS) {
            Some(address) => address.parse().map(Self::Address),
            None => text.parse().map(|PersonId(person)| Self::Person(person)),
        }
    }
}

impl Serialize for About {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for About {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A message by what names it: what its letter is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageName {
    /// Under whom it is kept.
    pub about: About,
    /// Which one it is.
    pub message_id: MessageId,
}

impl fmt::Display for MessageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.about, self.message_id)
    }
}

impl FromStr for MessageName {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (about, message_id) = text.rsplit_once('.').ok_or(NotAnId)?;
        Ok(Self { about: about.parse()?, message_id: message_id.parse()? })
    }
}

/// A message, as the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    #[serde(flatten)]
    name: MessageName,
    /// Where it goes, of somebody without an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<Email>,
    subject: MessageSubject,
    text: MessageText,
    /// Which admin wrote it.
    by: UserId,
    at: Timestamp,
    /// In seconds since 1970, as DynamoDB's time to live takes it.
    expires_at: i64,
    schema_version: u32,
}

impl Message {
    /// One that this admin writes at `now`; with an address where it is to nobody who has an account.
    pub fn new(about: About, email: Option<Email>, new: NewMessage, by: &Caller, now: Timestamp) -> Self {
        let NewMessage { subject, text, .. } = new;
        Self {
            name: MessageName { about, message_id: MessageId::at(now) },
            email,
            subject,
            text,
            by: by.id().clone(),
            at: now,
            expires_at: (now + KEPT).unix_seconds(),
            schema_version: SCHEMA_VERSION,
        }
    }

    /// What names it.
    pub fn name(&self) -> &MessageName {
        &self.name
    }

    /// What it says to whoever reads it. The words are the admin's, and so is their language.
    pub fn letter(&self, to: Recipient) -> Letter {
        let headline = match to.language {
            Language::English => "The shop has a message for you",
            Language::German => "Der Shop hat eine Nachricht für Sie",
        };
        let lines = self.text.as_str().lines().filter(|line| !line.trim().is_empty());
        Letter {
            to,
            subject: isolated(self.subject.as_str()),
            headline: headline.into(),
            paragraphs: lines.map(isolated).collect(),
            code: None,
            rows: Vec::new(),
            totals: Vec::new(),
            link: None,
            links: Vec::new(),
            reference: Vec::new(),
        }
    }
}

/// What is answered of a message that was queued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageQueued {
    message_id: MessageId,
}

impl From<MessageName> for MessageQueued {
    fn from(MessageName { message_id, .. }: MessageName) -> Self {
        Self { message_id }
    }
}

shared::names!(
    /// What a letter with a message says.
    pub enum MessageLetterKind {
        /// What an admin has to say.
        Sent = "message.sent",
    }
);

/// What admins have to say.
#[derive(Debug, Clone)]
pub struct MessageLetters {
    mail: Mail,
    users: Users,
}

impl FromEnv for MessageLetters {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { mail: Mail::from_env(aws)?, users: Users::from_env(aws)? })
    }
}

impl Letters for MessageLetters {
    const THINGS: &'static str = "messages";

    type Kind = MessageLetterKind;
    type Id = MessageName;
    type Thing = ();

    async fn letter(
        &self,
        kind: MessageLetterKind,
        id: &MessageName,
    ) -> Result<Option<(Letter, ())>, Failure> {
        let MessageLetterKind::Sent = kind;
        // What was to somebody who has left since is gone as well.
        let Some(message) = self.mail.message(id).await? else { return Ok(None) };
        let to = match (&id.about, &message.email) {
            (About::Person(person), _) => self.users.find(person).await?.map(|profile| profile.recipient()),
            (About::Address(_), email) => email.as_ref().map(|email| Recipient::new(email.as_str(), "")),
        };
        Ok(to.map(|to| (message.letter(to), ())))
    }
}

/// Writing to people.
#[derive(Debug, Clone)]
pub struct Messaging {
    mail: Mail,
    users: Users,
    addresses: AddressIds,
    guards: Guards,
    limit: PersonLimit,
    emails: EmailQueue,
}

impl FromEnv for Messaging {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            mail: Mail::from_env(aws)?,
            users: Users::from_env(aws)?,
            addresses: AddressIds::from_env(aws)?,
            guards: Guards::from_env(aws)?,
            limit: PersonLimit::from_env(aws)?.and_a_day()?,
            emails: EmailQueue::from_env(aws)?,
        })
    }
}

impl Messaging {
    /// Keeps what an admin has to say, and queues its email.
    ///
    /// Safe to repeat under the same key: there is one message, and its email is queued again where that failed; queued
    /// twice, it still goes out once.
    ///
    /// # Errors
    /// `too-many-requests`, `invalid-input` for a person who has no account, a key that came with another request.
    pub async fn send(
        &self,
        admin: &Caller,
        key: &IdempotencyKey,
        new: NewMessage,
        now: Timestamp,
    ) -> Result<Once<MessageQueued>, Problem> {
        let keyed = KeyedRequest::of(ROUTE, admin, Some(key), &new)?;
        let kept = match self.guards.answered(keyed.as_ref(), now).await? {
            Some(kept) => kept,
            None => self.keep(admin, keyed.as_ref(), new, now).await?,
        };
        self.emails.send(&Queued::new(MessageLetterKind::Sent, kept.answer())).await?;
        Ok(kept.map(MessageQueued::from))
    }

    async fn keep(
        &self,
        admin: &Caller,
        keyed: Option<&KeyedRequest>,
        new: NewMessage,
        now: Timestamp,
    ) -> Result<Once<MessageName>, Problem> {
        self.limit.count(ROUTE, admin.id(), now).await?;
        let (about, email) = match &new.to {
            Addressee::Person(PersonId(person)) => {
                (self.users.find(person).await?.map(|profile| profile.user_id), None)
            }
            Addressee::Address(email) => (self.users.with_address(email).await?, Some(email.clone())),
        };
        // An address of somebody who has an account is that person's, who reads it in the log and in their language.
        let (about, email) = match (about, email) {
            (Some(person), _) => (About::Person(person), None),
            (None, Some(email)) => (About::Address(self.addresses.of(email.as_str())), Some(email)),
            (None, None) => {
                let fault = FieldError::body("#/to", "names nobody who has an account here");
                return Err(Problem::invalid_input(vec![fault]));
            }
        };
        let message = Message::new(about, email, new, admin, now);
        match self.mail.keep(&self.guards, keyed, &message, now).await? {
            Committed::Once(once) => Ok(once),
            Committed::KeyReused => Err(KeyReused.into()),
            Committed::Refused(_) => Err(anyhow::anyhow!("two messages have one id").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::http::input;

    const PERSON: &str = "5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94";
    const MESSAGE: &str = "01a1fbbc-f982-7d04-8367-8c1b9055f403";

    fn read(to: &str, text: &str) -> Result<NewMessage, Vec<String>> {
        let body = json!({ "to": to, "subject": "Your tea", "text": text }).to_string();
        input::parse(body.as_bytes()).map_err(|problem| {
            problem.errors().iter().map(|fault| fault.pointer.clone().unwrap_or_default()).collect()
        })
    }

    #[test]
    fn a_message_is_to_a_person_or_to_an_address() {
        let to = |text: &str| read(text, "It is here.").map(|new| new.to);
        let person = PersonId(UserId::from(PERSON.to_owned()));
        assert_eq!(to(PERSON), Ok(Addressee::Person(person)));
        assert_eq!(to("Bob@Example.com"), Ok(Addressee::Address("bob@example.com".parse().unwrap())));
        for other in ["bob", "", "bob@", "5d0c6a7e"] {
            assert_eq!(to(other), Err(vec!["#/to".into()]), "{other}");
        }
    }

    #[test]
    fn a_message_is_named_by_whom_it_is_to_and_which_it_is() {
        let address = AddressId::from_str(&"a".repeat(43)).unwrap();
        for about in [About::Person(UserId::from(PERSON.to_owned())), About::Address(address)] {
            let name = MessageName { about, message_id: MESSAGE.parse().unwrap() };
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        for text in ["", PERSON, &format!("bob.{MESSAGE}"), &format!("address#a.{MESSAGE}")] {
            assert_eq!(text.parse::<MessageName>(), Err(NotAnId), "{text}");
        }
    }

    #[test]
    fn a_message_says_what_was_written_line_by_line_and_is_kept_for_a_month() {
        let now = Timestamp::from_unix_millis(1_795_262_400_000);
        let about = About::Person(UserId::from(PERSON.to_owned()));
        let new = read(PERSON, "It is here.\n\nCome and fetch it.").unwrap();
        let message = Message::new(about, None, new, &Caller::for_tests("root"), now);
        let letter = message.letter(Recipient::new("ann@example.com", "Ann"));
        assert_eq!((letter.subject.as_str(), letter.to.stop), ("Your tea", None));
        assert_eq!(letter.paragraphs, ["It is here.", "Come and fetch it."]);
        let item = serde_json::to_value(&message).unwrap();
        assert_eq!((&item["about"], &item["by"], item.get("email")), (&json!(PERSON), &json!("root"), None));
        assert_eq!(item["expiresAt"], 1_795_262_400 + 30 * 24 * 60 * 60);
        assert_eq!(serde_json::from_value::<Message>(item).unwrap(), message);
    }
}
