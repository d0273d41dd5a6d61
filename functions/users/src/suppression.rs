//! Addresses that get no email any more: mail to them came back for good, or their reader called it spam. Which address
//! that is stands nowhere but as an HMAC of it. What SES tells of a mail is read here; [`Mail`] keeps what
//! follows from it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use shared::caller::UserId;
use shared::dynamo::list::{Cursors, Page, PageRequest};
use shared::http::Parameter;
use shared::http::problem::Problem;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::id::NotAnId;
use shared::values::time::Timestamp;

use crate::{Email, Mail};

pub(crate) const SCHEMA_VERSION: u32 = 1;

/// Letters of an [`AddressId`]: 256 bits in Base64.
const LETTERS: usize = 43;

shared::names!(
    /// Why nothing is written to an address.
    pub enum Reason {
        /// Mail to it came back for good: there is no such mailbox.
        Bounce = "bounce",
        /// Its reader called mail of the shop spam.
        Complaint = "complaint",
    }
);

impl Reason {
    /// For how long it counts. Mailboxes come back, and so do people; a mail to one that did not is one too many, and
    /// what SES tells of it puts the address on the list again.
    pub const fn counts_for(self) -> Duration {
        match self {
            Self::Bounce => Duration::from_hours(180 * 24),
            Self::Complaint => Duration::from_hours(2 * 365 * 24),
        }
    }
}

/// Which address, as an HMAC that tells nobody which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AddressId(String);

impl fmt::Display for AddressId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for AddressId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let is_one = text.len() == LETTERS
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        is_one.then(|| Self(text.to_owned())).ok_or(NotAnId)
    }
}

/// An address in a query.
impl Parameter for Email {
    const NAME: &'static str = "email";
}

/// The key that the ids of addresses come from.
#[derive(Clone)]
pub struct AddressIds {
    key: String,
}

impl fmt::Debug for AddressIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AddressIds(…)")
    }
}

impl FromEnv for AddressIds {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { key: config::required("ORDER_TOKEN_KEY")? })
    }
}

impl AddressIds {
    /// The id of this address, in the form in which addresses are compared.
    pub fn of(&self, address: &str) -> AddressId {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.key.as_bytes()).expect("HMAC takes keys of any length");
        // The key makes other things as well, of which none begins so.
        mac.update(format!("mail-address#{address}").as_bytes());
        AddressId(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }
}

/// An address that gets no email, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Suppression {
    pub(crate) address_id: AddressId,
    pub(crate) reason: Reason,
    /// When it was told.
    pub(crate) at: Timestamp,
    /// Whose address it was by then, of people who have an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<UserId>,
    /// Until when it counts, in seconds since 1970: DynamoDB may delete days later.
    pub(crate) expires_at: i64,
    pub(crate) schema_version: u32,
}

impl Suppression {
    /// One that was told at `at`.
    pub fn new(address_id: AddressId, reason: Reason, user_id: Option<UserId>, at: Timestamp) -> Self {
        let expires_at = (at + reason.counts_for()).unix_seconds();
        Self { address_id, reason, at, user_id, expires_at, schema_version: SCHEMA_VERSION }
    }
}

/// What an admin sees of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SuppressionView {
    id: AddressId,
    reason: Reason,
    at: Timestamp,
    until: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
}

impl From<Suppression> for SuppressionView {
    fn from(Suppression { address_id: id, reason, at, user_id, expires_at, .. }: Suppression) -> Self {
        Self { id, reason, at, until: Timestamp::from_unix_millis(expires_at.saturating_mul(1_000)), user_id }
    }
}

/// A page of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SuppressionList {
    suppressions: Vec<SuppressionView>,
    next_cursor: Option<String>,
}

impl From<Page<Suppression>> for SuppressionList {
    fn from(page: Page<Suppression>) -> Self {
        let suppressions = page.entries.into_iter().map(SuppressionView::from).collect();
        Self { suppressions, next_cursor: page.next_cursor }
    }
}

/// The addresses that get no email, for those who run the shop.
#[derive(Debug, Clone)]
pub struct Suppressions {
    mail: Mail,
    addresses: AddressIds,
}

impl FromEnv for Suppressions {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { mail: Mail::from_env(aws)?, addresses: AddressIds::from_env(aws)? })
    }
}

impl Suppressions {
    /// A page of them, newest first; with an address, that one alone if it is one.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list(
        &self,
        email: Option<&Email>,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<Suppression>, Problem> {
        let Some(email) = email else { return self.mail.suppressions(cursors, request).await };
        let found = self.mail.suppression(&self.addresses.of(email.as_str())).await?;
        Ok(Page { entries: found.into_iter().collect(), next_cursor: None })
    }
}

/// What SES tells of a mail, as its configuration set publishes it:
/// <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "eventType")]
pub enum Feedback {
    /// It came back.
    Bounce {
        /// Why, and from whom.
        bounce: Bounce,
    },
    /// Somebody called it spam, or said that it is none.
    Complaint {
        /// Who, and which.
        complaint: Complaint,
    },
    /// Whatever else may be told one day.
    #[serde(other)]
    Other,
}

/// A mail that came back.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bounce {
    bounce_type: String,
    bounced_recipients: Vec<FeedbackOf>,
    timestamp: Timestamp,
}

/// A mail that was complained about.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Complaint {
    #[serde(default)]
    complaint_feedback_type: Option<String>,
    complained_recipients: Vec<FeedbackOf>,
    timestamp: Timestamp,
}

/// Whose mail it was.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FeedbackOf {
    email_address: String,
}

/// An address is for no log.
impl fmt::Debug for FeedbackOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FeedbackOf(…)")
    }
}

impl Feedback {
    /// To which addresses nothing is written any more, why, and since when: to those of which a mail came back for
    /// good, and whose reader called one spam. What came back for a while, such as from a full mailbox, says nothing.
    pub fn suppressed(&self) -> Vec<(Email, Reason, Timestamp)> {
        let (of, reason, at) = match self {
            Self::Bounce { bounce } if bounce.bounce_type == "Permanent" => {
                (&bounce.bounced_recipients, Reason::Bounce, bounce.timestamp)
            }
            Self::Complaint { complaint }
                if complaint.complaint_feedback_type.as_deref() != Some("not-spam") =>
            {
                (&complaint.complained_recipients, Reason::Complaint, complaint.timestamp)
            }
            Self::Bounce { .. } | Self::Complaint { .. } | Self::Other => return Vec::new(),
        };
        of.iter().filter_map(|of| Some((of.address()?, reason, at))).collect()
    }
}

impl FeedbackOf {
    /// The address, without the name that some servers write before it. The shop writes to none but such as it knows,
    /// so one that it cannot read is none of its.
    fn address(&self) -> Option<Email> {
        let text = self.email_address.as_str();
        let bare =
            text.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(text, |(bare, _)| bare);
        bare.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn told(event: &Value) -> Vec<(String, Reason)> {
        let feedback: Feedback = serde_json::from_value(event.clone()).unwrap();
        feedback.suppressed().into_iter().map(|(to, reason, _)| (to.as_str().to_owned(), reason)).collect()
    }

    /// AWS's own examples:
    /// <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html>
    fn bounce() -> Value {
        serde_json::from_str(include_str!("../samples/ses-bounce.json")).unwrap()
    }

    fn complaint() -> Value {
        serde_json::from_str(include_str!("../samples/ses-complaint.json")).unwrap()
    }

    #[test]
    fn what_comes_back_for_good_and_what_is_called_spam_is_written_to_no_more() {
        let recipient = "recipient@example.com".to_owned();
        assert_eq!(told(&bounce()), [(recipient.clone(), Reason::Bounce)]);
        assert_eq!(told(&complaint()), [(recipient, Reason::Complaint)]);
        let feedback: Feedback = serde_json::from_value(bounce()).unwrap();
        assert_eq!(feedback.suppressed()[0].2, at("2017-08-05T00:41:02.669Z"));
        assert!(!format!("{feedback:?}").contains("example.com"));
    }

    #[test]
    fn what_comes_back_for_a_while_is_called_no_spam_or_is_news_says_nothing() {
        let mut for_a_while = bounce();
        for_a_while["bounce"]["bounceType"] = "Transient".into();
        let mut no_spam = complaint();
        no_spam["complaint"]["complaintFeedbackType"] = "not-spam".into();
        let delivered = json!({ "eventType": "Delivery", "delivery": {}, "mail": {} });
        for event in [for_a_while, no_spam, delivered] {
            assert_eq!(told(&event), [], "{event}");
        }
    }

    #[test]
    fn an_address_is_known_with_a_name_before_it_and_in_capitals() {
        let mut named = bounce();
        named["bounce"]["bouncedRecipients"] =
            json!([{ "emailAddress": "Ann Lee <Ann@Example.com>" }, { "emailAddress": "nobody" }]);
        assert_eq!(told(&named), [("ann@example.com".to_owned(), Reason::Bounce)]);
    }

    #[test]
    fn an_address_has_one_id_by_a_key_which_tells_nobody_which() {
        let (ours, theirs) = (AddressIds { key: "ours".into() }, AddressIds { key: "theirs".into() });
        let id = ours.of("ann@example.com");
        assert_eq!(id.to_string().parse(), Ok(id.clone()));
        assert_eq!(ours.of("ann@example.com"), id);
        assert_ne!(ours.of("bob@example.com"), id);
        assert_ne!(theirs.of("ann@example.com"), id);
        assert_eq!(format!("{ours:?}"), "AddressIds(…)");
        for text in ["", "ann@example.com", &id.to_string()[1..], &format!("{id}=")] {
            assert_eq!(text.parse::<AddressId>(), Err(NotAnId), "{text}");
        }
    }

    #[test]
    fn mailboxes_come_back_after_half_a_year_and_whoever_complained_after_two() {
        let id = AddressIds { key: "ours".into() }.of("ann@example.com");
        let seen = |reason| {
            let view = SuppressionView::from(Suppression::new(
                id.clone(),
                reason,
                None,
                at("2026-11-29T10:00:00.000Z"),
            ));
            serde_json::to_value(view).unwrap()["until"].clone()
        };
        assert_eq!(seen(Reason::Bounce), "2027-05-28T10:00:00.000Z");
        assert_eq!(seen(Reason::Complaint), "2028-11-28T10:00:00.000Z");
    }
}
