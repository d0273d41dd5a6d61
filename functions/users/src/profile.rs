//! What a person tells the shop of themselves, changes and reads again.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::http::Parameter;
use shared::http::input::{Body, Change, Field, Fields, Member, Value};
use shared::http::problem::FieldError;
use shared::values::address::Address;
use shared::values::text::trimmed;
use shared::values::time::Timestamp;

use crate::{Email, FullName, Profile, Username};

/// How many addresses a person keeps.
const MOST_ADDRESSES: usize = 10;

/// A telephone number as people write them: digits, with a `+` before them and marks between them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phone(String);

/// A number is its person's business.
impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(…)")
    }
}

impl Field for Phone {
    fn parse(value: Value) -> Result<Self, String> {
        const SHAPE: &str = "must be a telephone number of 5 to 20 digits, such as +49 40 1234567";
        let text = value.as_str().ok_or("must be a string")?;
        if text.chars().count() > 40 {
            return Err("must have at most 40 characters".into());
        }
        let number = trimmed(text);
        let rest = number.strip_prefix('+').unwrap_or(number);
        let digits = rest.chars().filter(char::is_ascii_digit).count();
        let is_plain = rest.chars().all(|c| c.is_ascii_digit() || " -./()".contains(c));
        if is_plain && (5..=20).contains(&digits) { Ok(Self(number.to_owned())) } else { Err(SHAPE.into()) }
    }
}

/// The language that a person reads, and where, as a tag of BCP 47: `de-CH`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Locale(String);

impl Locale {
    /// The tag itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Field for Locale {
    fn parse(value: Value) -> Result<Self, String> {
        let text = trimmed(value.as_str().ok_or("must be a string")?);
        let mut tags = text.split('-');
        let is_language =
            |tag: &str| (2..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphabetic());
        let is_tag =
            |tag: &str| (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric());
        if text.len() <= 35 && tags.next().is_some_and(is_language) && tags.all(is_tag) {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be a language tag of BCP 47, such as de or de-CH".into())
        }
    }
}

/// An address that a person keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedAddress {
    #[serde(flatten)]
    address: Address,
    /// Whether it is the one that is meant unless another is named.
    is_default: bool,
}

shared::body!(
    struct NewAddress {
        address: Address = ..,
        is_default: Option<bool>,
    }
);

/// The addresses that a person keeps: one of them is the default, if there is any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Addresses(Vec<SavedAddress>);

impl Member for Addresses {
    fn read(pointer: &str, value: Option<Value>) -> Result<Self, Vec<FieldError>> {
        let fault = |detail: String| Err(vec![FieldError::body(pointer, detail)]);
        let Some(Value::Array(values)) = value else { return fault("must be an array".into()) };
        if values.len() > MOST_ADDRESSES {
            return fault(format!("must have 0 to {MOST_ADDRESSES} entries, but has {}", values.len()));
        }
        let (mut addresses, mut faults) = (Vec::new(), Vec::new());
        for (index, value) in values.into_iter().enumerate() {
            match <NewAddress as Member>::read(&format!("{pointer}/{index}"), Some(value)) {
                Ok(new) => addresses.push(new),
                Err(found) => faults.extend(found),
            }
        }
        let chosen: Vec<_> =
            (0..addresses.len()).filter(|at| addresses[*at].is_default == Some(true)).collect();
        for at in chosen.iter().skip(1) {
            faults.push(FieldError::body(
                format!("{pointer}/{at}/isDefault"),
                "may be true of one address alone",
            ));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let default = chosen.first().copied().unwrap_or_default();
        let saved = addresses.into_iter().enumerate();
        Ok(Self(
            saved.map(|(at, new)| SavedAddress { address: new.address, is_default: at == default }).collect(),
        ))
    }
}

/// The body of `PUT /users/me`: what is given changes, `null` takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileChanges {
    full_name: Change<FullName>,
    phone: Change<Phone>,
    locale: Change<Locale>,
    addresses: Change<Addresses>,
    marketing: Change<bool>,
}

impl Body for ProfileChanges {
    fn read(fields: &mut Fields) -> Option<Self> {
        let full_name = fields.change("fullName");
        let phone = fields.change("phone");
        let locale = fields.change("locale");
        let addresses = fields.change("addresses");
        let marketing = fields.change("marketing");
        let changes = Self {
            full_name: full_name?,
            phone: phone?,
            locale: locale?,
            addresses: addresses?,
            marketing: marketing?,
        };
        if changes.full_name == Change::To(None) {
            fields.fault("fullName", "cannot be removed");
            return None;
        }
        if changes.are_none() {
            fields.fault_of_all("needs at least one of addresses, fullName, locale, marketing and phone");
            return None;
        }
        Some(changes)
    }
}

/// What a change writes: attributes with their values, and those that go.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    full_name: Option<&'a FullName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a Phone>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<&'a Locale>,
    #[serde(skip_serializing_if = "Option::is_none")]
    addresses: Option<&'a Addresses>,
    #[serde(skip_serializing_if = "Option::is_none")]
    marketing: Option<bool>,
    #[serde(skip)]
    pub(crate) gone: Vec<&'static str>,
}

impl ProfileChanges {
    fn are_none(&self) -> bool {
        self.full_name == Change::Keep
            && self.phone == Change::Keep
            && self.locale == Change::Keep
            && self.addresses == Change::Keep
            && self.marketing == Change::Keep
    }

    pub(crate) fn written(&self) -> Written<'_> {
        let mut gone = Vec::new();
        let mut note = |name, is_gone: bool| {
            if is_gone {
                gone.push(name);
            }
        };
        note("phone", self.phone == Change::To(None));
        note("locale", self.locale == Change::To(None));
        note("addresses", self.addresses == Change::To(None));
        note("marketing", self.marketing == Change::To(None));
        Written {
            full_name: given(&self.full_name),
            phone: given(&self.phone),
            locale: given(&self.locale),
            addresses: given(&self.addresses),
            marketing: given(&self.marketing).copied(),
            gone,
        }
    }

    /// Whether a profile reads as if this had been done.
    pub fn are_done_in(&self, profile: &Profile) -> bool {
        let addresses = Addresses(profile.addresses.clone());
        is_so(&self.full_name, Some(&profile.full_name))
            && is_so(&self.phone, profile.phone.as_ref())
            && is_so(&self.locale, profile.locale.as_ref())
            && is_so(&self.addresses, Some(&addresses).filter(|all| !all.0.is_empty()))
            && is_so(&self.marketing, Some(&profile.marketing).filter(|wants| **wants))
    }
}

fn given<T>(change: &Change<T>) -> Option<&T> {
    match change {
        Change::To(Some(value)) => Some(value),
        Change::Keep | Change::To(None) => None,
    }
}

/// Whether what is there is what a change makes of it. An empty list and `false` are as good as nothing.
fn is_so<T: PartialEq + IsNothing>(change: &Change<T>, is: Option<&T>) -> bool {
    match change {
        Change::Keep => true,
        Change::To(to) => to.as_ref().filter(|to| !to.is_nothing()) == is,
    }
}

trait IsNothing {
    fn is_nothing(&self) -> bool {
        false
    }
}

impl IsNothing for FullName {}
impl IsNothing for Phone {}
impl IsNothing for Locale {}

impl IsNothing for Addresses {
    fn is_nothing(&self) -> bool {
        self.0.is_empty()
    }
}

impl IsNothing for bool {
    fn is_nothing(&self) -> bool {
        !self
    }
}

/// A profile as its person reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileView {
    user_id: UserId,
    email: Email,
    full_name: FullName,
    username: Username,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<Phone>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<Locale>,
    addresses: Vec<SavedAddress>,
    marketing: bool,
    created_at: Timestamp,
}

impl From<Profile> for ProfileView {
    fn from(profile: Profile) -> Self {
        Self {
            user_id: profile.user_id,
            email: profile.email,
            full_name: profile.full_name,
            username: profile.username,
            phone: profile.phone,
            locale: profile.locale,
            addresses: profile.addresses,
            marketing: profile.marketing,
            created_at: profile.created_at,
        }
    }
}

/// What an admin looks people up by: how their addresses begin.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailPrefix(String);

impl EmailPrefix {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Parameter for EmailPrefix {
    const NAME: &'static str = "email";
}

impl FromStr for EmailPrefix {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = trimmed(text).to_lowercase();
        let is_plain = text.chars().all(|c| c.is_ascii_graphic());
        if (1..=254).contains(&text.len()) && is_plain {
            Ok(Self(text))
        } else {
            Err("must be the beginning of an email address")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};
    use shared::http::input;

    fn read(body: &Json) -> Result<ProfileChanges, Vec<(String, String)>> {
        input::parse(body.to_string().as_bytes()).map_err(|problem| {
            let faults = problem.errors().iter();
            faults.map(|fault| (fault.pointer.clone().unwrap_or_default(), fault.detail.clone())).collect()
        })
    }

    fn hamburg() -> Json {
        json!({ "name": "Ann Lee", "line1": "Quay 1", "city": "Hamburg", "country": "DE" })
    }

    fn and(mut address: Json, is_default: bool) -> Json {
        address["isDefault"] = is_default.into();
        address
    }

    fn ann() -> Profile {
        serde_json::from_value(json!({
            "userId": "5d0c", "email": "ann@example.com", "fullName": "Ann Lee", "username": "Ann_Lee",
            "createdAt": "2026-11-21T12:00:00.000Z"
        }))
        .unwrap()
    }

    #[test]
    fn one_address_is_the_default_the_first_unless_another_says_so() {
        let defaults = |addresses: Json| {
            let changes = read(&json!({ "addresses": addresses })).unwrap();
            let Change::To(Some(addresses)) = changes.addresses else { panic!("{:?}", changes.addresses) };
            addresses.0.iter().map(|one| one.is_default).collect::<Vec<_>>()
        };
        assert_eq!(defaults(json!([])), [false; 0]);
        assert_eq!(defaults(json!([hamburg(), hamburg()])), [true, false]);
        assert_eq!(defaults(json!([and(hamburg(), false), and(hamburg(), true)])), [false, true]);
        let two = read(&json!({ "addresses": [and(hamburg(), true), hamburg(), and(hamburg(), true)] }));
        let detail = "may be true of one address alone".to_owned();
        assert_eq!(two, Err(vec![("#/addresses/2/isDefault".into(), detail)]));
    }

    #[test]
    fn a_person_keeps_ten_addresses_and_no_more() {
        assert!(read(&json!({ "addresses": vec![hamburg(); 10] })).is_ok());
        let eleven = read(&json!({ "addresses": vec![hamburg(); 11] })).unwrap_err();
        assert_eq!(eleven, [("#/addresses".into(), "must have 0 to 10 entries, but has 11".into())]);
    }

    #[test]
    fn every_fault_of_a_change_is_told_at_once() {
        let body = json!({ "fullName": null, "phone": "call me", "locale": "german!", "email": "a@b.cd",
            "marketing": "yes", "addresses": [{ "country": "XX" }] });
        let mut pointers: Vec<_> = read(&body).unwrap_err().into_iter().map(|(pointer, _)| pointer).collect();
        pointers.sort();
        let expected = [
            "#/addresses/0/city",
            "#/addresses/0/country",
            "#/addresses/0/line1",
            "#/addresses/0/name",
            "#/email",
            "#/locale",
            "#/marketing",
            "#/phone",
        ];
        assert_eq!(pointers, expected);
        assert_eq!(
            read(&json!({ "fullName": null })),
            Err(vec![("#/fullName".into(), "cannot be removed".into())])
        );
        assert_eq!(read(&json!({})).unwrap_err()[0].0, "#");
    }

    #[test]
    fn numbers_and_languages_are_taken_as_people_write_them() {
        let phone = |text: &str| read(&json!({ "phone": text })).is_ok();
        assert!(phone("+49 (40) 123-45.67") && phone("112 45") && phone(" 0401234567 "));
        assert!(!phone("1234") && !phone("+49+40 123456") && !phone(&"1".repeat(21)) && !phone("١٢٣٤٥٦"));
        let locale = |text: &str| read(&json!({ "locale": text })).is_ok();
        assert!(locale("de") && locale("zh-Hant-TW") && locale("es-419"));
        assert!(!locale("") && !locale("d") && !locale("de_CH") && !locale("de-") && !locale("1de"));
    }

    #[test]
    fn what_is_so_already_is_seen_to_be() {
        let done = |body: &Json, profile: &Profile| read(body).unwrap().are_done_in(profile);
        assert!(done(&json!({ "phone": null, "marketing": false, "addresses": [] }), &ann()));
        assert!(done(&json!({ "fullName": "Ann Lee" }), &ann()));
        assert!(!done(&json!({ "fullName": "Ann Lee", "marketing": true }), &ann()));
        let moved = Profile { phone: Some(Phone("12345".into())), marketing: true, ..ann() };
        assert!(done(&json!({ "phone": "12345", "marketing": true }), &moved));
        assert!(!done(&json!({ "phone": null }), &moved));
    }

    #[test]
    fn neither_number_nor_street_is_ever_printed() {
        let printed =
            format!("{:?}", read(&json!({ "phone": "0401234567", "addresses": [hamburg()] })).unwrap());
        assert!(!printed.contains("0401234567") && !printed.contains("Quay"), "{printed}");
    }

    #[test]
    fn people_are_looked_up_by_how_their_addresses_begin() {
        let prefix = |text: &str| text.parse::<EmailPrefix>().map(|prefix| prefix.0);
        assert_eq!(prefix(" Ann@Ex"), Ok("ann@ex".into()));
        assert!(prefix("ann lee").is_err() && prefix("ä").is_err() && prefix(&"a".repeat(255)).is_err());
    }
}
