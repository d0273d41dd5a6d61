//! Who people are to the shop: a profile of each person whose address is confirmed, for all services to read. The
//! account itself (name, password, tokens) is Cognito's, which the crate `auth` speaks to; [`store`] keeps the Users
//! table, and [`admins`] asks it who may still run the shop, and whose account is open. What a person tells of
//! themselves is in [`profile`], what they want to be told in [`preferences`] and by text in [`texts`], what they may
//! do in [`standing`]; what an admin writes to them is in [`messages`], and which addresses get no email any more in
//! [`suppression`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::http::input::{Field, Value};
use shared::values::domain::to_ascii;
use shared::values::id::{NotAnId, hyphenated};
use shared::values::text::trimmed;
use shared::values::time::Timestamp;

pub mod admins;
mod codes;
pub mod events;
pub mod export;
pub mod letters;
pub mod messages;
pub mod new_address;
pub mod notices;
pub mod preferences;
pub mod profile;
pub mod standing;
pub mod store;
pub mod suppression;
pub mod texts;
pub mod unsubscribing;

pub use admins::{Admins, CurrentAdmin, CurrentCaller, OpenAccounts};
pub use export::{Export, ExportId, ExportLetterKind, ExportLetters, ExportOf, ExportState};
pub use letters::{AccountLetterKind, AccountLetters, LeaverId};
pub use messages::{
    About, Addressee, Message, MessageId, MessageLetterKind, MessageLetters, MessageName, MessageQueued,
    Messaging, NewMessage,
};
pub use new_address::{
    AddressCodes, AddressLetterKind, AddressLetters, ChangeOf, FormerAddress, FormerAddresses, NewAddress,
};
pub use notices::{NoticeLetterKind, NoticeLetters, SecondFactorChange};
pub use preferences::{Choices, Group, PreferenceChanges, PreferencesView, Way};
pub use profile::{EmailPrefix, Locale, Phone, ProfileChanges, ProfileView, SavedAddress};
pub use standing::{
    DepartureId, LeavingRefusal, Listed, NewRole, PeopleList, PersonView, StandingRefusal, Status, Sync,
    SyncId, account_closed, fresh_sign_in, signed_in_just_now,
};
pub use store::{Mail, Restanding, SignIn, Stopped, Users};
pub use suppression::{
    AddressId, AddressIds, Feedback, Reason, Suppression, SuppressionList, SuppressionView, Suppressions,
};
pub use texts::{
    AddPhone, ConfirmPhone, NewNumber, Number, NumberCodes, OptIn, ProofOf, Purpose, TextCountries, TextId,
    TextNumber, TextSent, code_mismatch, no_phone,
};
pub use unsubscribing::{UnsubscribeToken, Unsubscribed, Unsubscribing};

/// A person's id in a path. Cognito's are UUIDs; no others are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonId(pub UserId);

impl FromStr for PersonId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        hyphenated(text).map(|id| Self(UserId::from(id.to_string())))
    }
}

/// Whose something is, and which one: what a letter is about that there may be several of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfPerson<I> {
    /// Whose it is.
    pub person: PersonId,
    /// Which one.
    pub which: I,
}

impl<I: fmt::Display> fmt::Display for OfPerson<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.person.0, self.which)
    }
}

impl<I: FromStr<Err = NotAnId>> FromStr for OfPerson<I> {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (person, which) = text.split_once('.').ok_or(NotAnId)?;
        Ok(Self { person: person.parse()?, which: which.parse()? })
    }
}

shared::text!(
    /// A person's name, as emails call them by it.
    FullName, 1..=100
);

/// The account's name in the user pool: unique, whatever the case of its letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Username(String);

impl Username {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Trims `text` and checks it.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence about it.
    pub fn new(text: &str) -> Result<Self, String> {
        let name = FullName::new(text)?.to_string();
        if name.contains(char::is_whitespace) {
            return Err("must not contain spaces".into());
        }
        Self::unlike_an_address(&name)
    }

    /// The name of an account that was opened by a full name alone, as seed 002 has it: an underscore for each space.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence about it.
    pub fn of(name: &FullName) -> Result<Self, String> {
        Self::unlike_an_address(&name.as_str().replace(' ', "_"))
    }

    /// The name of an account that the user pool has, whatever it took there.
    pub fn existing(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// What to call a person of whom no other name is known.
    pub fn as_full_name(&self) -> FullName {
        FullName(self.0.clone())
    }

    /// Cognito takes either in one place, so a name that is an address could stand for somebody else.
    fn unlike_an_address(name: &str) -> Result<Self, String> {
        let name: String = name.chars().map(narrow).collect();
        if name.parse::<Email>().is_ok() {
            return Err("must not be an email address".into());
        }
        Ok(Self(name))
    }
}

/// A character of full width as the one of ASCII that it stands for (RFC 8265, section 3.3.2). The case of letters is
/// the user pool's: it keeps it, and knows each name in every case.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

impl Field for Username {
    fn parse(value: Value) -> Result<Self, String> {
        Self::new(value.as_str().ok_or("must be a string")?)
    }
}

/// An email address, in lower case: no mail server in use tells `Ann@` from `ann@`, and people type both. Its domain is
/// in ASCII, which every mail server knows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// The address itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Addresses stay out of logs and panics, whatever prints the struct that holds them.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

impl FromStr for Email {
    type Err = String;

    /// Takes the addresses that people have: a dot-atom of RFC 5322 at a domain with a dot, in whichever form it is
    /// written. That mail arrives there is proved by the code, not here.
    fn from_str(text: &str) -> Result<Self, String> {
        /// Characters of an address (RFC 5321, section 4.5.3.1.3).
        const LONGEST: usize = 254;
        let sent = text.chars().count();
        let is_atom = |atom: &str| {
            !atom.is_empty()
                && atom.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c))
        };
        let parts = trimmed(text).split_once('@');
        let address = parts.and_then(|(local, domain)| {
            let domain = to_ascii(domain).filter(|domain| domain.contains('.'))?;
            let is_local = local.len() <= 64 && local.split('.').all(is_atom);
            is_local.then(|| format!("{}@{domain}", local.to_ascii_lowercase()))
        });
        match address {
            Some(address) if sent.max(address.len()) <= LONGEST => Ok(Self(address)),
            _ => Err("must be an email address".into()),
        }
    }
}

impl Field for Email {
    fn parse(value: Value) -> Result<Self, String> {
        value.as_str().ok_or("must be a string")?.parse()
    }
}

shared::names!(
    /// What a person is to the shop. Cognito's groups are the copy that tokens carry.
    pub enum Role {
        /// Buys and sells. Who was an admin and is so no longer has it, whatever the token says.
        Customer = "customer",
        /// Sells through a store.
        Seller = "seller",
        /// Runs the shop.
        Admin = "admin",
    }
);

/// What the other services may know of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Cognito's `sub`.
    pub user_id: UserId,
    /// Where mail reaches the person; confirmed.
    pub email: Email,
    /// What to call the person.
    pub full_name: FullName,
    /// The account's name in the user pool.
    pub username: Username,
    /// When the address was confirmed.
    pub created_at: Timestamp,
    /// When the address or a name last changed; `None` while they are the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// When the person last gave the password and got tokens, as far as it could be noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sign_in_at: Option<Timestamp>,
    /// When the password was last changed or replaced, as far as it could be noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_changed_at: Option<Timestamp>,
    /// What the person is to the shop. Where it is absent, as in profiles from before there were roles, the groups in
    /// the token say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Since when every sign-in has needed a second factor: when the first one that gave it was completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factor_at: Option<Timestamp>,
    /// When the person last turned the second factor on or off, and which of the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factor: Option<SecondFactorChange>,
    /// When an admin last changed what the person is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_changed_at: Option<Timestamp>,
    /// Whether the account may be used.
    #[serde(default, skip_serializing_if = "Status::is_active")]
    pub status: Status,
    /// What the user pool has to hear yet of role and status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync: Option<Sync>,
    /// The person's last wish to leave, fulfilled or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub departure: Option<DepartureId>,
    /// The address that the person wants to have, or has had since it was proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_address: Option<NewAddress>,
    /// The address that the last proved one has replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_address: Option<FormerAddress>,
    /// The export that the person asked for last, of those that are made in the background.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<Export>,
    /// Where to call the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// What the person reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    /// The addresses that the person keeps, at most ten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<SavedAddress>,
    /// Whether the person wants to hear of what the shop sells.
    #[serde(default, skip_serializing_if = "is_off")]
    pub marketing: bool,
    /// The number that texts are to go to, once its code was entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_number: Option<NewNumber>,
    /// The number that texts go to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_number: Option<TextNumber>,
    /// Whether the person wants a text when a parcel is on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parcel_sent_text: Option<OptIn>,
    /// Whether the person wants a text when an order has arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_text: Option<OptIn>,
    /// When texts were last turned off because the phone takes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texts_stopped_at: Option<Timestamp>,
    /// The last text that the person, as an admin, had sent to somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_sent: Option<TextSent>,
    /// What else the person wants to be told, and by which way.
    #[serde(flatten)]
    pub choices: Choices,
    /// Counts the changes of what the person reads here; sign-ins are none.
    #[serde(default = "first_version")]
    pub version: u32,
    /// Of which shape the item is. Items from before there was a number are of the first.
    #[serde(default = "first_schema_version")]
    pub schema_version: u32,
}

const fn first_schema_version() -> u32 {
    1
}

const fn first_version() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_off(flag: &bool) -> bool {
    !flag
}

impl Profile {
    /// The shape of the items that this code writes.
    pub const SCHEMA_VERSION: u32 = 1;

    /// A person who has just proved the address.
    pub fn new(
        user_id: UserId,
        email: Email,
        full_name: FullName,
        username: Username,
        now: Timestamp,
    ) -> Self {
        Self {
            user_id,
            email,
            full_name,
            username,
            created_at: now,
            updated_at: None,
            last_sign_in_at: None,
            password_changed_at: None,
            role: None,
            second_factor_at: None,
            second_factor: None,
            role_changed_at: None,
            status: Status::Active,
            sync: None,
            departure: None,
            new_address: None,
            former_address: None,
            export: None,
            phone: None,
            locale: None,
            addresses: Vec::new(),
            marketing: false,
            new_number: None,
            text_number: None,
            parcel_sent_text: None,
            delivered_text: None,
            texts_stopped_at: None,
            text_sent: None,
            choices: Choices::default(),
            version: first_version(),
            schema_version: Self::SCHEMA_VERSION,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn ann() -> serde_json::Value {
        json!({
            "userId": "5d0c", "email": "ann@example.com", "fullName": "Ann Lee", "username": "Ann_Lee",
            "createdAt": "2026-11-21T12:00:00.000Z"
        })
    }

    #[test]
    fn a_profile_from_before_the_versions_is_read() {
        let profile: Profile = serde_json::from_value(ann()).unwrap();
        assert_eq!((profile.schema_version, profile.last_sign_in_at), (1, None));
        assert_eq!((profile.role, profile.second_factor_at), (None, None));
    }

    #[test]
    fn no_address_is_ever_printed() {
        let profile: Profile = serde_json::from_value(ann()).unwrap();
        let printed = format!("{profile:?}");
        assert!(!printed.contains("ann@") && !printed.contains("example.com"), "{printed}");
    }

    #[test]
    fn addresses_that_people_have_are_taken() {
        for text in
            ["a@b.cd", "first.last+tag@sub.example.co.uk", "o'neil@example.com", "x_1@a-b.io", " a@b.cd "]
        {
            assert!(text.parse::<Email>().is_ok(), "{text}");
        }
        assert_eq!("Ann@Example.COM".parse::<Email>().unwrap().as_str(), "ann@example.com");
        for text in ["pat@münchen.example", "Pat@MÜNCHEN.example", "pat@xn--mnchen-3ya.example"] {
            assert_eq!(text.parse::<Email>().unwrap().as_str(), "pat@xn--mnchen-3ya.example");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("a@{}.com", "b".repeat(64));
        let longer = format!("a@{}com", "bcd.".repeat(70));
        for text in [
            "",
            "a",
            "a@b",
            "@b.cd",
            "a@",
            "a@b.",
            "a@.cd",
            "a@@b.cd",
            "a@b@c.de",
            "a b@c.de",
            "a@b c.de",
            ".a@b.cd",
            "a..b@c.de",
            "a.@b.cd",
            "a@-b.cd",
            "a@b-.cd",
            "\"a\"@b.cd",
            "a\\@b.cd",
            "a@b.cd\r\nBcc: c@d.ef",
            "ä@b.cd",
            "a@b..cd",
            "a@xn--a.example",
            "a@münchen",
            "a@m\u{202e}ünchen.example",
            "a@münchen.example\u{2028}Bcc: c@d.ef",
            &format!("a@{}.example", "ü".repeat(63)),
            &long,
            &longer,
        ] {
            assert!(text.parse::<Email>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_full_name_that_is_taken_makes_a_username_that_is_taken(text in ".{1,110}") {
            if let Ok(username) = FullName::new(&text).and_then(|name| Username::of(&name)) {
                prop_assert_eq!(Username::new(username.as_str()), Ok(username));
            }
        }
    }
}
