//! What people are told of changes of their account that somebody else may have made. Nobody can switch these off.

use serde::{Deserialize, Serialize};
use shared::letters::{Language, Letter, Letters, OfEvent, Recipient};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::worker::Failure;
use shared::values::time::Timestamp;

use crate::{PersonId, Profile, Role, Users};

shared::names!(
    /// What a letter about a change of an account says.
    pub enum NoticeLetterKind {
        /// It has another password.
        PasswordChanged = "account.password-changed",
        /// Its second factor was turned on or off.
        SecondFactorChanged = "account.second-factor-changed",
        /// An admin made its person something else.
        RoleChanged = "account.role-changed",
    }
);

/// What a person last did with the second factor. The profile says besides since when sign-ins needed it, which is not
/// before the first that gave one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecondFactorChange {
    /// Whether it was turned on.
    pub is_on: bool,
    /// When.
    pub at: Timestamp,
}

/// What there is to tell of changes of accounts.
#[derive(Debug, Clone)]
pub struct NoticeLetters {
    users: Users,
}

impl FromEnv for NoticeLetters {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { users: Users::from_env(aws)? })
    }
}

impl Letters for NoticeLetters {
    const THINGS: &'static str = "users";

    type Kind = NoticeLetterKind;
    type Id = OfEvent<PersonId>;
    type Thing = ();

    async fn letter(
        &self,
        kind: NoticeLetterKind,
        id: &OfEvent<PersonId>,
    ) -> Result<Option<(Letter, ())>, Failure> {
        // Whoever has left meanwhile has no address.
        let profile = self.users.find(&id.thing.0).await?;
        Ok(profile.map(|profile| (profile.notice(kind), ())))
    }
}

impl Profile {
    /// In which language its person is told.
    pub fn language(&self) -> Language {
        self.locale.as_ref().map(|locale| Language::of(locale.as_str())).unwrap_or_default()
    }

    /// How a letter that always comes reaches its person, in which language.
    pub fn recipient(&self) -> Recipient {
        let Self { email, full_name, .. } = self;
        Recipient { language: self.language(), ..Recipient::new(email.as_str(), full_name.as_str()) }
    }

    /// What its person is told of a change of the account, as that stands now.
    pub fn notice(&self, kind: NoticeLetterKind) -> Letter {
        let role = self.role();
        let is_on = self.second_factor.is_some_and(|change| change.is_on);
        let (subject, headline, paragraphs) = match (kind, self.language()) {
            (NoticeLetterKind::PasswordChanged, Language::English) => (
                "Your password at Cartwright was changed",
                "Your password was changed",
                vec![
                    "If it was you, there is nothing to do.".to_owned(),
                    "If it was not, somebody else may have your account: ask for a new password now.".to_owned(),
                ],
            ),
            (NoticeLetterKind::PasswordChanged, Language::German) => (
                "Ihr Passwort bei Cartwright wurde geändert",
                "Ihr Passwort wurde geändert",
                vec![
                    "Wenn Sie das waren, ist nichts zu tun.".to_owned(),
                    "Wenn nicht, hat vielleicht jemand anderes Ihr Konto: Fordern Sie gleich ein neues Passwort an."
                        .to_owned(),
                ],
            ),
            (NoticeLetterKind::SecondFactorChanged, Language::English) => (
                if is_on {
                    "Your second factor at Cartwright is on"
                } else {
                    "Your second factor at Cartwright is off"
                },
                if is_on { "Your second factor was turned on" } else { "Your second factor was turned off" },
                vec![
                    if is_on {
                        "From now on whoever signs in gives the password and a code of your app."
                    } else {
                        "From now on the password alone is enough to sign in."
                    }
                    .to_owned(),
                    "If it was you, there is nothing else to do.".to_owned(),
                    "If it was not, somebody else may have your account: ask for a new password now, and tell the shop."
                        .to_owned(),
                ],
            ),
            (NoticeLetterKind::SecondFactorChanged, Language::German) => (
                if is_on {
                    "Ihr zweiter Faktor bei Cartwright ist eingeschaltet"
                } else {
                    "Ihr zweiter Faktor bei Cartwright ist ausgeschaltet"
                },
                if is_on {
                    "Ihr zweiter Faktor wurde eingeschaltet"
                } else {
                    "Ihr zweiter Faktor wurde ausgeschaltet"
                },
                vec![
                    if is_on {
                        "Wer sich anmeldet, gibt ab jetzt das Passwort und einen Code Ihrer App an."
                    } else {
                        "Ab jetzt genügt das Passwort, um sich anzumelden."
                    }
                    .to_owned(),
                    "Wenn Sie das waren, ist weiter nichts zu tun.".to_owned(),
                    "Wenn nicht, hat vielleicht jemand anderes Ihr Konto: Fordern Sie gleich ein neues Passwort an, und \
                     sagen Sie dem Shop Bescheid."
                        .to_owned(),
                ],
            ),
            (NoticeLetterKind::RoleChanged, Language::English) => (
                "Your role at Cartwright was changed",
                "Your role was changed",
                vec![
                    format!("An admin of the shop changed it: you are {} now.", in_english(role)),
                    "It counts at once; what the shop shows you follows when you next sign in.".to_owned(),
                ],
            ),
            (NoticeLetterKind::RoleChanged, Language::German) => (
                "Ihre Rolle bei Cartwright wurde geändert",
                "Ihre Rolle wurde geändert",
                vec![
                    format!("Die Leitung des Shops hat sie geändert: {}.", in_german(role)),
                    "Das gilt ab sofort; was der Shop Ihnen zeigt, folgt mit der nächsten Anmeldung.".to_owned(),
                ],
            ),
        };
        Letter {
            to: self.recipient(),
            subject: subject.into(),
            headline: headline.into(),
            paragraphs,
            code: None,
            rows: Vec::new(),
            totals: Vec::new(),
            link: None,
            links: Vec::new(),
            reference: Vec::new(),
        }
    }
}

const fn in_english(role: Role) -> &'static str {
    match role {
        Role::Customer => "a customer",
        Role::Seller => "a seller",
        Role::Admin => "an admin",
    }
}

const fn in_german(role: Role) -> &'static str {
    match role {
        Role::Customer => "Sie kaufen jetzt als Kundin oder Kunde",
        Role::Seller => "Sie verkaufen jetzt im Shop",
        Role::Admin => "Sie leiten jetzt den Shop mit",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn ann(with: &Value) -> Profile {
        let mut item = json!({
            "userId": "5d0c", "email": "ann@example.com", "fullName": "Ann Lee", "username": "Ann_Lee",
            "createdAt": "2026-11-21T12:00:00.000Z"
        });
        item.as_object_mut().unwrap().extend(with.as_object().cloned().unwrap());
        serde_json::from_value(item).unwrap()
    }

    #[test]
    fn whoever_reads_german_is_told_in_german() {
        let subject = |with: &Value| ann(with).notice(NoticeLetterKind::PasswordChanged).subject;
        assert_eq!(subject(&json!({ "locale": "de-CH" })), "Ihr Passwort bei Cartwright wurde geändert");
        for with in [json!({}), json!({ "locale": "fr" })] {
            assert_eq!(subject(&with), "Your password at Cartwright was changed");
        }
    }

    #[test]
    fn a_second_factor_is_told_as_it_is_now() {
        let subject = |is_on: bool| {
            let with = json!({ "secondFactor": { "isOn": is_on, "at": "2026-11-21T12:05:00.000Z" } });
            ann(&with).notice(NoticeLetterKind::SecondFactorChanged).subject
        };
        assert_eq!(subject(true), "Your second factor at Cartwright is on");
        assert_eq!(subject(false), "Your second factor at Cartwright is off");
    }

    #[test]
    fn a_new_role_is_told_as_it_is_now_whatever_the_person_chose_to_hear() {
        let with = json!({ "role": "seller", "salesEmail": false, "reviewsEmail": false });
        let letter = ann(&with).notice(NoticeLetterKind::RoleChanged);
        assert_eq!(letter.paragraphs[0], "An admin of the shop changed it: you are a seller now.");
    }
}
