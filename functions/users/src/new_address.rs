//! Another email address: it counts once the code was entered that came there. The code is an HMAC of whose change it
//! is and of which one, so nothing is kept that would open it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_dynamodb::types::Update;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use shared::caller::UserId;
use shared::letters::{Letter, Letters, Recipient};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::worker::Failure;
use shared::values::id::NotAnId;
use shared::values::time::Timestamp;

use crate::{Email, PersonId, Profile, Users};

/// How long a code is good.
const GOOD_FOR: Duration = Duration::from_hours(1);

/// Codes have so many digits: with all guesses that the limits let through in an hour one is found in 200,000 times.
const DIGITS: usize = 8;

shared::id!(
    /// Names a change of an address.
    AddressChangeId
);

/// An address that a person wants to have, and has not proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewAddress {
    id: AddressChangeId,
    address: Email,
    asked_at: Timestamp,
}

impl NewAddress {
    /// The one that somebody asks for at `now`.
    pub fn new(address: Email, now: Timestamp) -> Self {
        Self { id: AddressChangeId::at(now), address, asked_at: now }
    }

    /// Which change it is.
    pub fn id(&self) -> AddressChangeId {
        self.id
    }

    /// The address.
    pub fn address(&self) -> &Email {
        &self.address
    }

    fn is_good(&self, now: Timestamp) -> bool {
        self.asked_at + GOOD_FOR >= now
    }
}

/// Whose change of an address, and which one: what its letter is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeOf {
    /// Whose it is.
    pub person: PersonId,
    /// Which one.
    pub change: AddressChangeId,
}

impl fmt::Display for ChangeOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.person.0, self.change)
    }
}

impl FromStr for ChangeOf {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (person, change) = text.split_once('.').ok_or(NotAnId)?;
        Ok(Self { person: person.parse()?, change: change.parse()? })
    }
}

/// What codes are made with.
#[derive(Clone)]
pub struct AddressCodes {
    key: String,
}

impl fmt::Debug for AddressCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AddressCodes(…)")
    }
}

impl FromEnv for AddressCodes {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { key: config::required("ORDER_TOKEN_KEY")? })
    }
}

impl AddressCodes {
    fn code(&self, person: &UserId, change: AddressChangeId) -> String {
        // HMAC takes a key of any length.
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.key.as_bytes()).expect("HMAC takes keys of any length");
        // The key makes other things as well, of which none begins so.
        mac.update(format!("new-address#{person}#{change}").as_bytes());
        let tag = mac.finalize().into_bytes();
        let number = tag.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let all = 10_u64.pow(u32::try_from(DIGITS).unwrap_or_default());
        format!("{:0DIGITS$}", number % all)
    }

    /// The address that this person has proved with the code.
    pub fn proved<'a>(&self, profile: &'a Profile, code: &str, now: Timestamp) -> Option<&'a NewAddress> {
        let new = profile.new_address.as_ref().filter(|new| new.is_good(now))?;
        (self.code(&profile.user_id, new.id) == code).then_some(new)
    }
}

shared::names!(
    /// What a letter to a new address says.
    pub enum AddressLetterKind {
        /// The code that proves it.
        Code = "account.new-address",
    }
);

/// What there is to tell whoever reads a new address.
#[derive(Debug, Clone)]
pub struct AddressLetters {
    users: Users,
    codes: AddressCodes,
}

impl FromEnv for AddressLetters {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { users: Users::from_env(aws)?, codes: AddressCodes::from_env(aws)? })
    }
}

impl Letters for AddressLetters {
    const THINGS: &'static str = "users";

    type Kind = AddressLetterKind;
    type Id = ChangeOf;
    type Thing = ();

    async fn letter(&self, kind: AddressLetterKind, id: &ChangeOf) -> Result<Option<(Letter, ())>, Failure> {
        let AddressLetterKind::Code = kind;
        let profile = self.users.find(&id.person.0).await?;
        let profile = profile.context("there is no such person").map_err(Failure::Never)?;
        let code = self.codes.code(&profile.user_id, id.change);
        Ok(profile.letter_to_new_address(id.change, code).map(|letter| (letter, ())))
    }

    fn sent(&self, _: AddressLetterKind, _: &ChangeOf) -> anyhow::Result<Option<Update>> {
        Ok(None)
    }

    async fn told(&self, _: AddressLetterKind, (): &()) {}
}

impl Profile {
    /// What is written to the address that a person wants to have; `None` where it is another one by now. It may be a
    /// stranger's, so nobody is called by a name.
    pub fn letter_to_new_address(&self, change: AddressChangeId, code: String) -> Option<Letter> {
        let new = self.new_address.as_ref().filter(|new| new.id == change)?;
        Some(Letter {
            to: Recipient { email: new.address.as_str().into(), name: String::new() },
            subject: "Your code for a new address at Cartwright".into(),
            headline: "Confirm your new address".into(),
            paragraphs: vec![
                "Somebody wants to use this address for their account at Cartwright.".into(),
                "If it was you, enter this code within an hour.".into(),
                "If not, ignore this email: without the code nobody can use your address.".into(),
            ],
            code: Some(code),
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

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_unix_millis(1_795_262_400_000 + minute * 60_000)
    }

    fn ann() -> Profile {
        let profile: Profile = serde_json::from_value(json!({
            "userId": "5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94", "email": "ann@example.com", "fullName": "Ann Lee",
            "username": "Ann_Lee", "createdAt": at(0)
        }))
        .unwrap();
        Profile { new_address: Some(NewAddress::new("new@example.com".parse().unwrap(), at(0))), ..profile }
    }

    fn codes(key: &str) -> AddressCodes {
        AddressCodes { key: key.into() }
    }

    fn code_of(profile: &Profile) -> String {
        codes("key").code(&profile.user_id, profile.new_address.as_ref().unwrap().id)
    }

    #[test]
    fn a_code_proves_one_change_of_one_person_for_an_hour() {
        let ann = ann();
        let code = code_of(&ann);
        assert!(code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        let proved = |profile: &Profile, code: &str, now| {
            codes("key").proved(profile, code, now).map(|new| new.address.as_str().to_owned())
        };
        assert_eq!(proved(&ann, &code, at(60)), Some("new@example.com".into()));
        assert_eq!(proved(&ann, &code, at(61)), None);
        assert_eq!(codes("other").proved(&ann, &code, at(1)), None);
        let again =
            Profile { new_address: Some(NewAddress::new("a@b.cd".parse().unwrap(), at(0))), ..ann.clone() };
        let bob = Profile { user_id: UserId::from("bob".to_owned()), ..ann };
        for other in [again.clone(), bob, Profile { new_address: None, ..again }] {
            assert_eq!(proved(&other, &code, at(1)), None);
        }
    }

    #[test]
    fn only_the_last_new_address_is_written_to_and_nobody_is_called_by_a_name() {
        let ann = ann();
        let change = ann.new_address.as_ref().unwrap().id;
        let letter = ann.letter_to_new_address(change, "12345678".into()).unwrap();
        assert_eq!((letter.to.email.as_str(), letter.to.name.as_str()), ("new@example.com", ""));
        assert_eq!(ann.letter_to_new_address(AddressChangeId::at(at(0)), "1".into()), None);
    }

    #[test]
    fn a_change_is_named_by_whose_it_is_and_which_one() {
        let person: PersonId = "5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94".parse().unwrap();
        let of = ChangeOf { person, change: AddressChangeId::at(at(0)) };
        assert_eq!(of.to_string().parse(), Ok(of));
        assert!("5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94".parse::<ChangeOf>().is_err());
    }
}
