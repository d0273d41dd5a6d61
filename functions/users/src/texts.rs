//! The telephone number that texts go to, and what of the shop's news goes there. It is another one than the number in
//! the profile, which is for the carrier and is whatever somebody wrote: this one was proved by a code that came there,
//! and is written as the network has it (E.164).
//!
//! The code is an HMAC of whose proof it is and of which one, so nothing is kept that would open it; how often it was
//! tried is counted in the profile, by the condition that lets a try through.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::http::input::{Body, Change, Field, Fields, Member, Value, object_at, whole_number};
use shared::http::problem::{FieldError, Kind, Problem, StatusCode};
use shared::letters::Language;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::texts::Text;
use shared::values::time::Timestamp;

use crate::codes::code_of;
use crate::{OfPerson, Profile};

/// How long a code is good.
pub(crate) const GOOD_FOR: Duration = Duration::from_mins(10);

/// How often it may be tried.
pub(crate) const MOST_TRIES: u32 = 5;

/// Codes have so many digits: of a person who has five codes a day sent and tries each five times, one is found in 110
/// years.
const DIGITS: usize = 6;

/// What the text with a code is called in its queue.
pub const CODE_TEXT: &str = "phone.code";

/// Which words people read before they turn texts on. Other words are another version: then nobody has agreed to them
/// yet, and whoever did to the old ones goes on getting what those say.
pub const CONSENT: u32 = 1;

/// A telephone number as the network has it (E.164): `+4915112345678`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Number(String);

impl Number {
    /// The number itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A number is its person's business.
impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Number(…)")
    }
}

impl FromStr for Number {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('+').filter(|digits| !digits.starts_with('0'));
        let is_one = |digits: &str| {
            (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        match digits {
            Some(digits) if is_one(digits) => Ok(Self(text.to_owned())),
            _ => Err(
                "must be a number with its country's code and nothing between the digits, such as +4915112345678",
            ),
        }
    }
}

impl Field for Number {
    fn parse(value: Value) -> Result<Self, String> {
        value.as_str().ok_or("must be a string")?.parse().map_err(str::to_owned)
    }
}

/// A list of calling codes, as the template's parameter has it: `43,49`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Codes(Vec<String>);

impl FromStr for Codes {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_code = |code: &str| {
            (1..=7).contains(&code.len())
                && !code.starts_with('0')
                && code.bytes().all(|byte| byte.is_ascii_digit())
        };
        let codes = text.split(',').map(|code| is_code(code).then(|| code.to_owned()));
        codes.collect::<Option<_>>().map(Self).ok_or("must be calling codes, such as 43,49")
    }
}

/// The countries to which the shop sends texts, by their calling codes; none where it sends no texts. A code may go on
/// into the number, since `1` alone is two dozen countries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextCountries(Codes);

impl FromEnv for TextCountries {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        Ok(Self(config::optional("TEXT_CALLING_CODES")?.unwrap_or_default()))
    }
}

/// The shop sends no texts.
const TEXTS_OFF: Kind = Kind::new(StatusCode::CONFLICT, "texts-off", "Texts off");

/// There is no number that texts could go to.
const NO_PHONE: Kind = Kind::new(StatusCode::CONFLICT, "no-phone", "No phone");

/// The code is wrong, too old or used up.
const CODE_MISMATCH: Kind =
    Kind::new(StatusCode::UNPROCESSABLE_ENTITY, "code-mismatch", "Wrong confirmation code");

/// What somebody hears who gives a code that proves nothing.
pub fn code_mismatch() -> Problem {
    let detail = "The code is wrong or too old, or was tried five times. Ask for a new one.";
    Problem::new(CODE_MISMATCH, detail)
}

/// What is told where a person has no number that was proved.
pub fn no_phone() -> Problem {
    let detail =
        "There is no confirmed phone. Add one with POST /users/me/phone, and confirm it with its code.";
    Problem::new(NO_PHONE, detail)
}

impl TextCountries {
    /// Whether the shop sends texts at all.
    pub fn is_any(&self) -> bool {
        !self.0.0.is_empty()
    }

    /// Goes on where the shop sends texts.
    ///
    /// # Errors
    /// `texts-off`.
    pub fn check_any(&self) -> Result<(), Problem> {
        if self.is_any() { Ok(()) } else { Err(Problem::new(TEXTS_OFF, "This shop sends no texts.")) }
    }

    /// Whether texts go to this number.
    pub fn have(&self, number: &Number) -> bool {
        let digits = number.0.trim_start_matches('+');
        self.0.0.iter().any(|code| digits.starts_with(code))
    }

    /// Goes on where texts go to the number that a request has at `pointer`.
    ///
    /// # Errors
    /// `texts-off`; `invalid-input` for a number of another country.
    pub fn check(&self, number: &Number, pointer: &str) -> Result<(), Problem> {
        self.check_any()?;
        if self.have(number) {
            return Ok(());
        }
        let codes = self.0.0.iter().map(|code| format!("+{code}")).collect::<Vec<_>>().join(", ");
        let detail = format!("must begin with one of the codes that this shop sends texts to: {codes}");
        Err(Problem::invalid_input(vec![FieldError::body(pointer, detail)]))
    }
}

shared::id!(
    /// Names the proof of a number.
    ProofId
);

/// Whose proof of a number, and which one: what the text with the code is about.
pub type ProofOf = OfPerson<ProofId>;

/// A number that a person wants texts at, and has not proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewNumber {
    id: ProofId,
    number: Number,
    asked_at: Timestamp,
    /// How often its code was tried.
    #[serde(default)]
    tries: u32,
}

impl NewNumber {
    /// The one that somebody asks for at `now`.
    pub fn new(number: Number, now: Timestamp) -> Self {
        Self { id: ProofId::at(now), number, asked_at: now, tries: 0 }
    }

    /// Which proof it waits for.
    pub fn id(&self) -> ProofId {
        self.id
    }

    /// The number.
    pub fn number(&self) -> &Number {
        &self.number
    }

    fn is_good(&self, profile: &Profile, now: Timestamp) -> bool {
        profile.still_wants(self.asked_at, GOOD_FOR, now)
    }
}

/// A number that a person has proved to be theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TextNumber {
    /// The number.
    pub number: Number,
    /// When its code was entered.
    pub proved_at: Timestamp,
    /// Which code that was, for whoever did not hear that it was taken.
    pub proof: ProofId,
}

/// What codes are made with.
#[derive(Clone)]
pub struct NumberCodes {
    key: String,
}

impl fmt::Debug for NumberCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NumberCodes(…)")
    }
}

impl FromEnv for NumberCodes {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { key: config::required("ORDER_TOKEN_KEY")? })
    }
}

impl NumberCodes {
    fn code(&self, person: &UserId, proof: ProofId) -> String {
        // The key makes other things as well, of which none begins so.
        code_of(&self.key, &format!("text-number#{person}#{proof}"), DIGITS)
    }

    /// The number that this person has proved with the code. A try has to be counted before.
    pub fn proved<'a>(
        &self,
        profile: &'a Profile,
        code: &PhoneCode,
        now: Timestamp,
    ) -> Option<&'a NewNumber> {
        let new = profile.new_number.as_ref().filter(|new| new.is_good(profile, now))?;
        (self.code(&profile.user_id, new.id) == code.0).then_some(new)
    }

    /// The number that this person has proved with the code a moment ago.
    pub fn proved_before<'a>(
        &self,
        profile: &'a Profile,
        code: &PhoneCode,
        now: Timestamp,
    ) -> Option<&'a TextNumber> {
        let before = profile.text_number.as_ref().filter(|before| before.proved_at + GOOD_FOR >= now)?;
        (self.code(&profile.user_id, before.proof) == code.0).then_some(before)
    }

    /// Where to, and what is said there, to have a number proved; `None` where it is another one by now, or too late.
    /// It may be a stranger's, so nobody is called by a name.
    pub fn text<'a>(
        &self,
        profile: &'a Profile,
        proof: ProofId,
        now: Timestamp,
    ) -> Option<(&'a Number, Text)> {
        let new = profile.new_number.as_ref().filter(|new| new.id == proof && new.is_good(profile, now))?;
        let code = self.code(&profile.user_id, proof);
        let words = match profile.language() {
            Language::English => {
                format!(
                    "{code} is your code at Cartwright. It is good for 10 minutes. Nobody of us asks you for it."
                )
            }
            Language::German => {
                format!(
                    "{code} ist Ihr Code bei Cartwright. Er gilt 10 Minuten. Niemand von uns fragt Sie danach."
                )
            }
        };
        Some((&new.number, Text::first_of([words])?))
    }
}

/// A code as a person gives it.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneCode(String);

impl fmt::Debug for PhoneCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneCode(…)")
    }
}

impl Field for PhoneCode {
    fn parse(value: Value) -> Result<Self, String> {
        let text = value.as_str().ok_or("must be a string")?;
        let is_one = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_one { Ok(Self(text.to_owned())) } else { Err("must be the six digits of the text".into()) }
    }
}

shared::body!(
    /// The body of `POST /users/me/phone`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct AddPhone {
        /// Where texts are to go.
        pub phone: Number,
    }
);

shared::body!(
    /// The body of `POST /users/me/phone/confirm`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ConfirmPhone {
        /// What came there.
        pub code: PhoneCode,
    }
);

shared::names!(
    /// For what a person may want texts.
    pub enum Purpose {
        /// What they bought is on its way.
        ParcelSent = "parcelSent",
        /// It arrived.
        Delivered = "delivered",
    }
);

impl Purpose {
    /// The attribute that has the choice: one for each, so that of two changes that meet neither undoes the other.
    pub(crate) const fn attribute(self) -> &'static str {
        match self {
            Self::ParcelSent => "parcelSentText",
            Self::Delivered => "deliveredText",
        }
    }
}

/// That a person wants texts for something, since when, and what that person had read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OptIn {
    /// When that was said.
    pub at: Timestamp,
    /// Which words were read before.
    pub text_version: u32,
}

impl Profile {
    /// Since when its person wants texts for this, if ever.
    pub fn opted_in(&self, purpose: Purpose) -> Option<OptIn> {
        match purpose {
            Purpose::ParcelSent => self.parcel_sent_text,
            Purpose::Delivered => self.delivered_text,
        }
    }

    /// Where texts for this go: to the number of somebody who wants them and whose account is open.
    pub fn texts_for(&self, purpose: Purpose) -> Option<&Number> {
        self.opted_in(purpose)?;
        self.texted()
    }

    /// Where texts go that are no news, of somebody whose account is open.
    pub fn texted(&self) -> Option<&Number> {
        self.text_number.as_ref().filter(|_| self.status.is_active()).map(|proved| &proved.number)
    }
}

shared::id!(
    /// Names a text that an admin wrote.
    TextId
);

/// That an admin had a text sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TextSent {
    /// Which one.
    pub id: TextId,
    /// When it was queued.
    pub at: Timestamp,
}

/// What a request makes of the texts that a person wants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TextChanges(Vec<(Purpose, bool)>);

impl TextChanges {
    /// All texts are off.
    fn off() -> Self {
        Self(Purpose::ALL.map(|purpose| (purpose, false)).into())
    }

    /// What becomes of them by a change of a request.
    pub(crate) fn of(change: Change<Self>) -> Self {
        match change {
            Change::Keep => Self::default(),
            Change::To(changes) => changes.unwrap_or_else(Self::off),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one is turned on, for which there has to be a number.
    pub(crate) fn turn_on(&self) -> bool {
        self.0.iter().any(|(_, wants)| *wants)
    }

    /// What is written of them: the attributes, with what they hold from `now` on or without anything.
    pub(crate) fn written(&self, now: Timestamp) -> impl Iterator<Item = (&'static str, Option<OptIn>)> {
        let opt_in = OptIn { at: now, text_version: CONSENT };
        self.0.iter().map(move |(purpose, wants)| (purpose.attribute(), wants.then_some(opt_in)))
    }
}

/// The version of the words that somebody has read.
struct Consent(u32);

impl Field for Consent {
    fn parse(value: Value) -> Result<Self, String> {
        whole_number(&value, 1..=u32::MAX).map(Self)
    }
}

impl Body for TextChanges {
    fn read(fields: &mut Fields) -> Option<Self> {
        let parcel_sent = fields.change::<bool>("parcelSent");
        let delivered = fields.change::<bool>("delivered");
        let version = fields.optional::<Consent>("textVersion");
        let given = |change: &Change<bool>| match change {
            Change::Keep => None,
            Change::To(wants) => Some(wants.unwrap_or_default()),
        };
        let choices = [(Purpose::ParcelSent, parcel_sent?), (Purpose::Delivered, delivered?)];
        let choices = choices.iter().filter_map(|(purpose, change)| Some((*purpose, given(change)?)));
        let changes = Self(choices.collect());
        if changes.is_empty() {
            fields.fault_of_all("needs delivered, parcelSent or both");
            return None;
        }
        if changes.turn_on() && version.map(|Consent(version)| version) != Some(CONSENT) {
            let detail = format!("must be {CONSENT}, the version of the words that its person has read");
            fields.fault("textVersion", &detail);
            return None;
        }
        Some(changes)
    }
}

impl Member for TextChanges {
    fn read(pointer: &str, value: Option<Value>) -> Result<Self, Vec<FieldError>> {
        object_at(pointer, value)
    }
}

/// What somebody agrees to who turns texts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ConsentView {
    text_version: u32,
    text: &'static str,
}

impl ConsentView {
    const fn of(language: Language) -> Self {
        let text = match language {
            Language::English => {
                "Cartwright may send texts about your orders to your phone, for what you turn on here and nothing else. \
                 You can turn them off at any time, here or by the answer STOP. Your phone company may charge you for \
                 them."
            }
            Language::German => {
                "Cartwright darf Ihnen SMS zu Ihren Bestellungen senden, nur zu dem, was Sie hier einschalten. Sie können \
                 sie jederzeit abschalten, hier oder mit der Antwort STOP. Ihr Anbieter kann dafür etwas berechnen."
            }
        };
        Self { text_version: CONSENT, text }
    }
}

/// Which texts a person gets, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TextsView {
    /// Where to, once it was proved.
    phone: Option<Number>,
    parcel_sent: Option<OptIn>,
    delivered: Option<OptIn>,
    /// When the phone itself has stopped them, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_at: Option<Timestamp>,
    consent: ConsentView,
}

impl From<&Profile> for TextsView {
    fn from(profile: &Profile) -> Self {
        Self {
            phone: profile.text_number.as_ref().map(|proved| proved.number.clone()),
            parcel_sent: profile.opted_in(Purpose::ParcelSent),
            delivered: profile.opted_in(Purpose::Delivered),
            stopped_at: profile.texts_stopped_at,
            consent: ConsentView::of(profile.language()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};
    use shared::http::input;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_unix_millis(1_795_262_400_000 + minute * 60_000)
    }

    fn ann() -> Profile {
        let profile: Profile = serde_json::from_value(json!({
            "userId": "5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94", "email": "ann@example.com", "fullName": "Ann Lee",
            "username": "Ann_Lee", "createdAt": at(0)
        }))
        .unwrap();
        Profile { new_number: Some(NewNumber::new(number("+4915112345678"), at(0))), ..profile }
    }

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    fn codes(key: &str) -> NumberCodes {
        NumberCodes { key: key.into() }
    }

    #[test]
    fn a_number_is_as_the_network_has_it() {
        for text in ["+4915112345678", "+12025550123", "+8821612345678", "+123456789012345", "+1234567"] {
            assert!(text.parse::<Number>().is_ok(), "{text}");
        }
        for text in [
            "",
            "+",
            "12",
            "004915112345678",
            "+049151123456",
            "+49 151 12345678",
            "+123456",
            "+1234567890123456",
            "+49١٥١١٢٣٤٥٦٧٨",
            "+4915112345678\n",
        ] {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
    }

    #[test]
    fn texts_go_to_the_countries_that_are_named_and_to_none_where_none_is() {
        let countries = |text: &str| TextCountries(text.parse().unwrap());
        let refused = |countries: &TextCountries, to: &str| {
            countries.check(&number(to), "#/phone").err().map(|problem| problem.status().as_u16())
        };
        let some = countries("49,43,1212");
        for (to, status) in [
            ("+4915112345678", None),
            ("+436641234567", None),
            ("+12125550123", None),
            // Jamaica, and other places where a text costs many times as much, have the same code.
            ("+18765550123", Some(422)),
            ("+4415112345678", Some(422)),
        ] {
            assert_eq!(refused(&some, to), status, "{to}");
        }
        let problem = some.check(&number("+33612345678"), "#/phone").unwrap_err();
        let detail = "must begin with one of the codes that this shop sends texts to: +49, +43, +1212";
        assert_eq!(problem.errors(), [FieldError::body("#/phone", detail)]);
        assert_eq!(refused(&TextCountries::default(), "+4915112345678"), Some(409));
        for text in ["", "49,", "+49", "0", "49;43", "12345678"] {
            assert!(text.parse::<Codes>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_code_proves_one_number_of_one_person_for_ten_minutes() {
        let ann = ann();
        let code = |profile: &Profile| {
            PhoneCode(codes("key").code(&profile.user_id, profile.new_number.as_ref().unwrap().id))
        };
        let right = code(&ann);
        assert!(right.0.len() == 6 && right.0.bytes().all(|byte| byte.is_ascii_digit()), "{}", right.0);
        let proved = |profile: &Profile, now| {
            codes("key").proved(profile, &right, now).map(|new| new.number.as_str().to_owned())
        };
        assert_eq!(proved(&ann, at(10)), Some("+4915112345678".into()));
        assert_eq!(proved(&ann, at(11)), None);
        // One in a million is the same by chance, so several are tried.
        let mut others = (0..3).map(|_| Profile {
            new_number: Some(NewNumber::new(number("+4915112345678"), at(0))),
            ..ann.clone()
        });
        assert!(others.any(|other| proved(&other, at(1)).is_none()));
        let NewNumber { id: proof, number, .. } = ann.new_number.clone().unwrap();
        let once = TextNumber { number, proved_at: at(1), proof };
        let once = Profile { new_number: None, text_number: Some(once), ..ann.clone() };
        let again = |now| codes("key").proved_before(&once, &right, now).is_some();
        assert_eq!((again(at(11)), again(at(12))), (true, false), "whoever did not hear of it asks again");
        let safe = Profile { password_changed_at: Some(at(1)), ..ann.clone() };
        let none = Profile { new_number: None, ..ann.clone() };
        assert_eq!((proved(&safe, at(1)), proved(&none, at(1))), (None, None));
        let before = Profile { password_changed_at: Some(at(0)), ..ann };
        assert!(proved(&before, at(1)).is_some());
    }

    #[test]
    fn a_code_is_told_in_one_part_while_it_is_good_and_calls_nobody_by_a_name() {
        let proof = ann().new_number.as_ref().unwrap().id;
        let ann = Profile { new_number: Some(NewNumber { id: proof, ..ann().new_number.unwrap() }), ..ann() };
        for (locale, word) in [("en", "good for 10 minutes"), ("de", "gilt 10 Minuten")] {
            let locale = <crate::Locale as Field>::parse(Value::String(locale.into())).unwrap();
            let reader = Profile { locale: Some(locale), ..ann.clone() };
            let (to, text) = codes("key").text(&reader, proof, at(10)).unwrap();
            assert_eq!(to.as_str(), "+4915112345678");
            assert!(text.as_str().contains(word) && !text.as_str().contains("Ann"), "{}", text.as_str());
            let code = codes("key").code(&reader.user_id, proof);
            assert!(text.as_str().starts_with(&code));
            assert_eq!(codes("key").text(&reader, proof, at(11)), None);
        }
        assert_eq!(codes("key").text(&ann, ProofId::at(at(0)), at(1)), None);
    }

    #[test]
    fn texts_go_to_whoever_wants_them_for_that_and_has_an_open_account() {
        let opt_in = Some(OptIn { at: at(1), text_version: 1 });
        let proved =
            TextNumber { number: number("+4915112345678"), proved_at: at(1), proof: ProofId::at(at(0)) };
        let ann = Profile { text_number: Some(proved), delivered_text: opt_in, ..ann() };
        assert!(ann.texts_for(Purpose::Delivered).is_some() && ann.texts_for(Purpose::ParcelSent).is_none());
        let closed = Profile { status: crate::Status::Disabled, ..ann.clone() };
        let without = Profile { text_number: None, ..ann };
        assert_eq!(
            (closed.texts_for(Purpose::Delivered), without.texts_for(Purpose::Delivered)),
            (None, None)
        );
        assert_eq!((closed.texted(), without.texted()), (None, None));
    }

    fn read(body: &Json) -> Result<Vec<(Purpose, bool)>, Vec<String>> {
        let read: Result<TextChanges, _> = input::parse(body.to_string().as_bytes());
        read.map(|changes| changes.0)
            .map_err(|problem| problem.errors().iter().filter_map(|fault| fault.pointer.clone()).collect())
    }

    #[test]
    fn texts_are_turned_on_by_whoever_has_read_the_words_in_force_and_off_by_everybody() {
        let on = read(&json!({ "parcelSent": true, "delivered": false, "textVersion": 1 }));
        assert_eq!(on, Ok(vec![(Purpose::ParcelSent, true), (Purpose::Delivered, false)]));
        assert_eq!(read(&json!({ "delivered": null })), Ok(vec![(Purpose::Delivered, false)]));
        for version in [json!(null), json!(2)] {
            let unread = read(&json!({ "delivered": true, "textVersion": version }));
            assert_eq!(unread, Err(vec!["#/textVersion".to_owned()]), "{version}");
        }
        assert_eq!(read(&json!({ "textVersion": 1 })), Err(vec!["#".to_owned()]));
        let several = read(&json!({ "delivered": "yes", "textVersion": 0, "price": 1 })).unwrap_err();
        assert_eq!(several, ["#/delivered", "#/textVersion", "#/price"]);
        assert_eq!(TextChanges::of(Change::To(None)).0, Purpose::ALL.map(|purpose| (purpose, false)));
    }

    #[test]
    fn a_choice_is_kept_with_its_time_and_the_version_that_was_read() {
        let written: Vec<_> = TextChanges(vec![(Purpose::ParcelSent, true), (Purpose::Delivered, false)])
            .written(at(1))
            .collect();
        let opt_in = OptIn { at: at(1), text_version: 1 };
        assert_eq!(written, [("parcelSentText", Some(opt_in)), ("deliveredText", None)]);
        for purpose in Purpose::ALL {
            let mut item = serde_json::to_value(ann()).unwrap();
            item[purpose.attribute()] = json!({ "at": at(1), "textVersion": 1 });
            // As a table has it, where a number is no text.
            let item = shared::dynamo::to_item(&item).unwrap();
            let profile: Profile = shared::dynamo::from_item(item).unwrap();
            let chosen = Purpose::ALL.map(|one| profile.opted_in(one).is_some());
            assert_eq!(chosen, Purpose::ALL.map(|one| one == purpose));
        }
    }

    #[test]
    fn neither_number_nor_code_is_ever_printed() {
        let body: AddPhone = input::parse(br#"{"phone": "+4915112345678"}"#).unwrap();
        let code: ConfirmPhone = input::parse(br#"{"code": "123456"}"#).unwrap();
        let printed = format!("{body:?} {code:?} {:?}", ann());
        assert!(!printed.contains("15112345678") && !printed.contains("123456"), "{printed}");
    }
}
