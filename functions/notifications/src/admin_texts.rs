//! What an admin writes to one person by text: kept until it was sent, queued by its id, and noted in the admin's log.

use serde::{Deserialize, Serialize};
use shared::caller::{Admin, Caller};
use shared::dynamo::Write;
use shared::guards::once::{Committed, KeyReused, Once};
use shared::guards::rate_limit::TextLimits;
use shared::guards::{Guards, KeyedRequest};
use shared::http::input::{Field, Value};
use shared::http::problem::{FieldError, Problem};
use shared::letters::Queued;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::texts::{Text, TextQueue};
use shared::values::time::Timestamp;
use users::{Number, PersonId, TextCountries, TextId, TextSent, Users, no_phone};

/// What such a text is called in its queue, and where its words are kept.
pub const ADMIN_TEXT: &str = "admin.text";

/// Whom it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addressee {
    /// Somebody with an account, at the phone that they have confirmed by then.
    Person(PersonId),
    /// Whoever has this number.
    Number(Number),
}

impl Addressee {
    fn read(text: &str) -> Result<Self, &'static str> {
        match text.starts_with('+') {
            true => text.parse().map(Self::Number),
            false => text
                .parse()
                .map(Self::Person)
                .map_err(|_| "must be a person's id, or a number such as +4915112345678"),
        }
    }

    fn as_str(&self) -> String {
        match self {
            Self::Person(PersonId(id)) => id.to_string(),
            Self::Number(number) => number.as_str().to_owned(),
        }
    }
}

impl Field for Addressee {
    fn parse(value: Value) -> Result<Self, String> {
        Self::read(value.as_str().ok_or("must be a string")?).map_err(str::to_owned)
    }
}

impl Serialize for Addressee {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.as_str())
    }
}

impl<'de> Deserialize<'de> for Addressee {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

shared::body!(
    /// The body of `POST /notifications/sms`, as it is kept as well.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct AdminText {
        /// Whom it is for.
        pub to: Addressee,
        /// What it says.
        pub text: Text,
    }
);

/// The answer to whoever has it sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TextQueued {
    message_id: TextId,
}

/// Having a text sent.
#[derive(Debug, Clone)]
pub struct AdminTexts {
    guards: Guards,
    countries: TextCountries,
    users: Users,
    limits: TextLimits,
    texts: TextQueue,
}

impl FromEnv for AdminTexts {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            guards: Guards::from_env(aws)?,
            countries: TextCountries::from_env(aws)?,
            users: Users::from_env(aws)?,
            limits: TextLimits::from_env(aws)?,
            texts: TextQueue::from_env(aws)?,
        })
    }
}

impl AdminTexts {
    /// Keeps the words, notes who had them sent, and queues them. Safe to repeat: the same request gives the same
    /// answer, and queues the same text once more, which goes out once.
    ///
    /// # Errors
    /// `texts-off`, `invalid-input` for a number of a country that texts do not go to and for a person who is not
    /// there, `no-phone`, `too-many-requests`, `idempotency-key-reused`; 403 for somebody who is no admin any more.
    pub async fn queue(
        &self,
        admin: &Caller,
        text: &AdminText,
        keyed: Option<&KeyedRequest>,
        now: Timestamp,
    ) -> Result<Once<TextQueued>, Problem> {
        self.countries.check_any()?;
        let answer = match self.guards.answered::<TextQueued>(keyed, now).await? {
            Some(before) => before,
            None => self.keep(admin, text, keyed, now).await?,
        };
        // Whoever kept it may have died before it was queued.
        self.texts.send(&Queued::new(ADMIN_TEXT, answer.answer().message_id)).await?;
        Ok(answer)
    }

    async fn keep(
        &self,
        admin: &Caller,
        text: &AdminText,
        keyed: Option<&KeyedRequest>,
        now: Timestamp,
    ) -> Result<Once<TextQueued>, Problem> {
        match &text.to {
            Addressee::Number(number) => self.countries.check(number, "#/to")?,
            Addressee::Person(person) => {
                let nobody = || FieldError::body("#/to", "names nobody who has an account here");
                let reader = self.users.find(&person.0).await?;
                let reader = reader.ok_or_else(|| Problem::invalid_input(vec![nobody()]))?;
                reader.texted().ok_or_else(no_phone)?;
            }
        }
        self.limits.count("notify-by-text", admin.id(), now).await?;
        let id = TextId::at(now);
        let mut write = Write::new();
        write.put(self.guards.keep_words(ADMIN_TEXT, &id.to_string(), text, now)?);
        write.update(self.users.sends_text(admin.id(), TextSent { id, at: now })?);
        let queued = TextQueued { message_id: id };
        match self.guards.commit(write, keyed, queued, now).await? {
            Committed::Once(answer) => Ok(answer),
            Committed::KeyReused => Err(KeyReused.into()),
            Committed::Refused(_) => Err(Admin::needed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};
    use shared::http::input;

    fn read(body: &Json) -> Result<AdminText, Vec<String>> {
        input::parse(body.to_string().as_bytes())
            .map_err(|problem| problem.errors().iter().filter_map(|fault| fault.pointer.clone()).collect())
    }

    #[test]
    fn a_text_is_for_a_person_or_a_number_and_is_kept_as_it_was_sent() {
        for to in ["5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94", "+4915112345678"] {
            let body = json!({ "to": to, "text": "Your table is ready." });
            let text = read(&body).unwrap();
            let kept = serde_json::to_value(&text).unwrap();
            assert_eq!(kept, body);
            assert_eq!(serde_json::from_value::<AdminText>(kept).unwrap(), text);
            assert!(!format!("{text:?}").contains("table") && !format!("{text:?}").contains("15112345678"));
        }
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let body = json!({ "to": "ann@cartwright.test", "text": "ł".repeat(71), "subject": "Hello" });
        assert_eq!(read(&body), Err(["#/to", "#/text", "#/subject"].map(str::to_owned).into()));
        assert_eq!(
            read(&json!({ "to": "+4915", "text": "" })),
            Err(["#/to", "#/text"].map(str::to_owned).into())
        );
    }
}
