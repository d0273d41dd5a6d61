//! Another email address: it counts once the code was entered that came there. The code is an HMAC of whose change it
//! is and of which one, so nothing is kept that would open it. Whoever reads the address from before is told: that is
//! owed from the transaction that changes the profile until the letter went out.

use std::fmt;
use std::time::Duration;

use aws_sdk_dynamodb::types::Update;
use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::guards::Guards;
use shared::letters::{EmailQueue, Letter, Letters, Queued, Recipient};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::worker::Failure;
use shared::values::time::Timestamp;

use crate::codes::code_of;
use crate::{Email, OfPerson, Profile, Users};

/// How long a code is good.
const GOOD_FOR: Duration = Duration::from_hours(1);

/// Codes have so many digits: with all guesses that the limits let through in an hour one is found in 200,000 times.
const DIGITS: usize = 8;

/// For how long a letter to an address from before is owed.
const OWED_FOR: Duration = Duration::from_hours(24);

/// Longer than any request: so long a sign-in that began before a change may still be noted after it.
const A_REQUEST: Duration = Duration::from_mins(1);

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

    fn is_good(&self, profile: &Profile, now: Timestamp) -> bool {
        profile.still_wants(self.asked_at, GOOD_FOR, now)
    }
}

/// The address that a person had until another one was proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FormerAddress {
    change: AddressChangeId,
    address: Email,
    until: Timestamp,
}

impl FormerAddress {
    /// The one that this change replaced at `until`.
    pub fn new(change: AddressChangeId, address: Email, until: Timestamp) -> Self {
        Self { change, address, until }
    }

    /// Which change replaced it.
    pub fn change(&self) -> AddressChangeId {
        self.change
    }
}

/// Whose change of an address, and which one: what its letters are about.
pub type ChangeOf = OfPerson<AddressChangeId>;

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
        // The key makes other things as well, of which none begins so.
        code_of(&self.key, &format!("new-address#{person}#{change}"), DIGITS)
    }

    /// The address that this person has proved with the code.
    pub fn proved<'a>(&self, profile: &'a Profile, code: &str, now: Timestamp) -> Option<&'a NewAddress> {
        let new = profile.new_address.as_ref().filter(|new| new.is_good(profile, now))?;
        (self.code(&profile.user_id, new.id) == code).then_some(new)
    }
}

shared::names!(
    /// What a letter about a new address says.
    pub enum AddressLetterKind {
        /// To the new one: the code that proves it.
        Code = "account.new-address",
        /// To the one from before: it is no longer that of the account.
        Changed = "account.address-changed",
    }
);

/// What there is to tell whoever reads a new address, or the one from before.
#[derive(Debug, Clone)]
pub struct AddressLetters {
    users: Users,
    guards: Guards,
    codes: AddressCodes,
}

impl FromEnv for AddressLetters {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            users: Users::from_env(aws)?,
            guards: Guards::from_env(aws)?,
            codes: AddressCodes::from_env(aws)?,
        })
    }
}

impl Letters for AddressLetters {
    const THINGS: &'static str = "users";

    type Kind = AddressLetterKind;
    type Id = ChangeOf;
    type Thing = ();

    async fn letter(&self, kind: AddressLetterKind, id: &ChangeOf) -> Result<Option<(Letter, ())>, Failure> {
        // Who has left since is told nothing.
        let Some(profile) = self.users.find(&id.person.0).await? else { return Ok(None) };
        let letter = match kind {
            AddressLetterKind::Code => {
                let code = self.codes.code(&profile.user_id, id.which);
                profile.letter_to_new_address(id.which, code)
            }
            AddressLetterKind::Changed => profile.letter_to_former_address(id.which),
        };
        Ok(letter.map(|letter| (letter, ())))
    }

    fn sent(&self, kind: AddressLetterKind, id: &ChangeOf) -> anyhow::Result<Option<Update>> {
        match kind {
            AddressLetterKind::Code => Ok(None),
            AddressLetterKind::Changed => Users::former_address_told(&self.guards, id).map(Some),
        }
    }
}

/// The letters to addresses from before that are owed.
#[derive(Debug, Clone)]
pub struct FormerAddresses {
    users: Users,
    guards: Guards,
    emails: EmailQueue,
}

impl FromEnv for FormerAddresses {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            users: Users::from_env(aws)?,
            guards: Guards::from_env(aws)?,
            emails: EmailQueue::from_env(aws)?,
        })
    }
}

impl FormerAddresses {
    /// Queues the letters that are owed, and gives up those that nobody could be sent for a day. Safe to repeat: each
    /// goes out once.
    ///
    /// # Errors
    /// When the tables or the queue do not answer.
    pub async fn sweep(&self, now: Timestamp) -> anyhow::Result<()> {
        for of in self.users.former_addresses_untold(&self.guards).await? {
            let profile = self.users.find(&of.person.0).await?;
            if profile.is_some_and(|profile| profile.is_former_address_owed(of.which, now)) {
                self.emails.send(&Queued::new(AddressLetterKind::Changed, of)).await?;
            } else {
                tracing::error!(user_id = %of.person.0, "nobody was told at an address from before");
                self.users.give_up_former_address(&self.guards, &of).await?;
            }
        }
        Ok(())
    }
}

impl Profile {
    /// Whether what was asked for at a time counts still: for so long, and not for whoever has another password since,
    /// who does not want what was asked for with the old one.
    pub(crate) fn still_wants(&self, asked_at: Timestamp, good_for: Duration, now: Timestamp) -> bool {
        asked_at + good_for >= now && self.password_changed_at.is_none_or(|at| at <= asked_at)
    }

    /// Whether the address was proved a moment ago, so that whoever signed in meanwhile may know of the one before.
    pub(crate) fn has_just_changed_address(&self, now: Timestamp) -> bool {
        self.former_address.as_ref().is_some_and(|former| former.until + A_REQUEST >= now)
    }

    fn is_former_address_owed(&self, change: AddressChangeId, now: Timestamp) -> bool {
        let former = self.former_address.as_ref().filter(|former| former.change == change);
        former.is_some_and(|former| former.until + OWED_FOR >= now)
    }

    /// What is written to the address that a person wants to have; `None` where it is another one by now. It may be a
    /// stranger's, so nobody is called by a name.
    pub fn letter_to_new_address(&self, change: AddressChangeId, code: String) -> Option<Letter> {
        let new = self.new_address.as_ref().filter(|new| new.id == change)?;
        Some(letter(
            &new.address,
            "Your code for a new address at Cartwright",
            "Confirm your new address",
            [
                "Somebody wants to use this address for their account at Cartwright.",
                "If it was you, enter this code within an hour.",
                "If not, ignore this email: without the code nobody can use your address.",
            ],
            Some(code),
        ))
    }

    /// What is written to the address that a person had before; `None` where it was another change that replaced it. By
    /// now its reader may be no friend of the account's, so neither its name nor its new address is told.
    pub fn letter_to_former_address(&self, change: AddressChangeId) -> Option<Letter> {
        let former = self.former_address.as_ref().filter(|former| former.change == change)?;
        Some(letter(
            &former.address,
            "Your account at Cartwright has another address",
            "Your address was changed",
            [
                "Your account at Cartwright has another email address now, and we do not write to this one any more.",
                "If it was you, there is nothing to do.",
                "If not, tell us at once: whoever did it was signed in to your account.",
            ],
            None,
        ))
    }
}

fn letter(to: &Email, subject: &str, headline: &str, paragraphs: [&str; 3], code: Option<String>) -> Letter {
    Letter {
        to: Recipient::new(to.as_str(), ""),
        subject: subject.into(),
        headline: headline.into(),
        paragraphs: paragraphs.map(str::to_owned).into(),
        code,
        rows: Vec::new(),
        totals: Vec::new(),
        link: None,
        links: Vec::new(),
        reference: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PersonId;
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
        let bob = Profile { user_id: UserId::from("bob".to_owned()), ..ann.clone() };
        let safe = Profile { password_changed_at: Some(at(1)), ..ann.clone() };
        for other in [again.clone(), bob, Profile { new_address: None, ..again }, safe] {
            assert_eq!(proved(&other, &code, at(1)), None);
        }
        let before = Profile { password_changed_at: Some(at(0)), ..ann };
        assert!(proved(&before, &code, at(1)).is_some());
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
    fn the_address_from_before_is_told_of_its_change_for_a_day_and_hears_nothing_of_the_new_one() {
        let change = AddressChangeId::at(at(0));
        let former = FormerAddress::new(change, "old@example.com".parse().unwrap(), at(1));
        let ann = Profile { former_address: Some(former), ..ann() };
        let letter = ann.letter_to_former_address(change).unwrap();
        assert_eq!((letter.to.email.as_str(), letter.code.as_deref()), ("old@example.com", None));
        assert!(!format!("{letter:?}").contains("ann@example.com"));
        let other = AddressChangeId::at(at(0));
        assert_eq!(ann.letter_to_former_address(other), None);
        let day = 24 * 60;
        let is_owed = |change, minute| ann.is_former_address_owed(change, at(minute));
        assert_eq!([is_owed(change, day), is_owed(change, day + 2), is_owed(other, 1)], [true, false, false]);
        assert_eq!([1, 2, 3].map(|minute| ann.has_just_changed_address(at(minute))), [true, true, false]);
    }

    #[test]
    fn a_change_is_named_by_whose_it_is_and_which_one() {
        let person: PersonId = "5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94".parse().unwrap();
        let of = ChangeOf { person, which: AddressChangeId::at(at(0)) };
        assert_eq!(of.to_string().parse(), Ok(of));
        assert!("5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94".parse::<ChangeOf>().is_err());
    }
}
