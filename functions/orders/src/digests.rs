//! What sellers are told by email of their sales: one letter for an hour in which they sold something, once it is over.
//!
//! An hour is counted in the transaction that counts its sales ([`Sales`](crate::sales::Sales)), so each of them is in
//! one letter. Until its letter is queued an hour is due: whoever looks finds it by an index, and the letter, which is
//! named for the seller and the hour, goes out once however often it is queued.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use shared::letters::{EmailQueue, Language, Letter, Letters, Link, Queued, Total};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::worker::Failure;
use shared::values::id::NotAnId;
use shared::values::money::{Amount, Currency};
use shared::values::time::Timestamp;
use users::{Group, OfPerson, Profile, Users};

use crate::store::{DueHour, Hours};

shared::names!(
    /// What a letter about sales says.
    pub enum SaleLetterKind {
        /// What was sold in an hour.
        Digest = "sale.digest",
    }
);

const AN_HOUR: Duration = Duration::from_hours(1);

/// How long after its end an hour's letter is queued: longer than whoever began to count in it may run.
const GRACE: Duration = Duration::from_mins(5);

/// An hour of UTC, named by its beginning: `2026-11-29T10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hour(Timestamp);

impl Hour {
    /// The one of this moment.
    pub fn of(moment: Timestamp) -> Self {
        let millis = moment.unix_millis();
        let into_it = millis.rem_euclid(i64::try_from(AN_HOUR.as_millis()).unwrap_or(i64::MAX));
        Self(Timestamp::from_unix_millis(millis - into_it))
    }

    /// When its letter is due. Before, what is counted in it is in the letter.
    pub fn due_at(self) -> Timestamp {
        self.0 + AN_HOUR + GRACE
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_string().get(..13).unwrap_or_default())
    }
}

impl FromStr for Hour {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let hour = format!("{text}:00:00.000Z").parse().map(Self).map_err(|_| NotAnId)?;
        if hour.to_string() == text { Ok(hour) } else { Err(NotAnId) }
    }
}

impl Serialize for Hour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(|NotAnId| de::Error::custom("no hour"))
    }
}

/// Whose hour, and which one: what names its letter.
pub type HourOf = OfPerson<Hour>;

/// What somebody sold in an hour, as the table has it. What is cancelled before its letter is due is taken off again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Sold {
    orders: i64,
    /// In minor units.
    revenue: i64,
    currency: Currency,
}

impl Sold {
    /// What the seller is told; `None` where nothing is sold after all.
    pub fn letter(&self, hour: Hour, seller: &Profile) -> Option<Letter> {
        let orders = u64::try_from(self.orders).ok().filter(|orders| *orders > 0)?;
        let revenue = Amount::from_minor(u64::try_from(self.revenue).unwrap_or_default());
        let (subject, when, totals, link) = match seller.language() {
            Language::English => (
                if orders == 1 {
                    "You have a new order".to_owned()
                } else {
                    format!("You have {orders} new orders")
                },
                format!("In the hour from {} on somebody ordered what you sell.", hour.0.in_words()),
                ["Orders", "Together"],
                "See what is to be sent",
            ),
            Language::German => (
                if orders == 1 {
                    "Sie haben eine neue Bestellung".to_owned()
                } else {
                    format!("Sie haben {orders} neue Bestellungen")
                },
                format!("In der Stunde ab {} wurde bestellt, was Sie verkaufen.", in_german(hour)),
                ["Bestellungen", "Zusammen"],
                "Ansehen, was zu versenden ist",
            ),
        };
        let amounts = [orders.to_string(), revenue.in_words(self.currency)];
        let total = |(name, amount): (&str, String)| Total { name: name.to_owned(), amount };
        Some(Letter {
            to: seller.recipient(),
            headline: subject.clone(),
            subject,
            paragraphs: vec![when],
            code: None,
            rows: Vec::new(),
            totals: totals.into_iter().zip(amounts).map(total).collect(),
            link: Some(Link { text: link.into(), path: "/seller/orders".into() }),
            links: Vec::new(),
            reference: Vec::new(),
        })
    }
}

/// `29.11.2026, 10 Uhr (UTC)`.
fn in_german(hour: Hour) -> String {
    let text = hour.to_string();
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default().trim_start_matches('0');
    let o_clock = match part(11, 13) {
        "" => "0",
        hour => hour,
    };
    format!("{}.{}.{}, {o_clock} Uhr (UTC)", part(8, 10), part(5, 7), part(0, 4))
}

/// What there is to tell of sales.
#[derive(Debug, Clone)]
pub struct SaleLetters {
    hours: Hours,
    users: Users,
}

impl FromEnv for SaleLetters {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { hours: Hours::from_env(aws)?, users: Users::from_env(aws)? })
    }
}

impl Letters for SaleLetters {
    const THINGS: &'static str = "sales";

    type Kind = SaleLetterKind;
    type Id = HourOf;
    type Thing = ();

    async fn letter(&self, kind: SaleLetterKind, id: &HourOf) -> Result<Option<(Letter, ())>, Failure> {
        let SaleLetterKind::Digest = kind;
        let seller = &id.person.0;
        let Some(sold) = self.hours.find(seller, id.which).await? else { return Ok(None) };
        let letter =
            self.users.letter_to(seller, Group::Sales, |seller| sold.letter(id.which, seller)).await?;
        Ok(letter.map(|letter| (letter, ())))
    }
}

/// The hours of which sellers are still to be told, and the queue of emails.
#[derive(Debug, Clone)]
pub struct Digests {
    hours: Hours,
    emails: EmailQueue,
}

impl FromEnv for Digests {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { hours: Hours::from_env(aws)?, emails: EmailQueue::from_env(aws)? })
    }
}

impl Digests {
    /// Queues the letters of hours that are over: one that cannot be queued keeps no other waiting, and stays due.
    ///
    /// Safe to repeat: queued twice, a letter still goes out once.
    ///
    /// # Errors
    /// Tells how many failed, after all of them were tried.
    pub async fn queue(&self, now: Timestamp) -> anyhow::Result<()> {
        let mut failed = 0;
        for due in self.hours.due(now).await? {
            if let Err(error) = self.queue_one(&due).await {
                let hour = due.hour();
                tracing::error!(%hour, error = format!("{error:#}"), "the letter of an hour was not queued");
                failed += 1;
            }
        }
        anyhow::ensure!(failed == 0, "the letters of {failed} hours could not be queued");
        Ok(())
    }

    async fn queue_one(&self, due: &DueHour) -> anyhow::Result<()> {
        self.emails.send(&Queued::new(SaleLetterKind::Digest, due.name())).await?;
        self.hours.queued(due).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn ann(with: &Value) -> Profile {
        let mut item = json!({
            "userId": "5d0c", "email": "ann@example.com", "fullName": "Ann Lee", "username": "Ann_Lee",
            "createdAt": "2026-11-21T12:00:00.000Z"
        });
        item.as_object_mut().unwrap().extend(with.as_object().cloned().unwrap());
        serde_json::from_value(item).unwrap()
    }

    #[test]
    fn an_hour_is_named_by_its_beginning_and_is_due_five_minutes_after_its_end() {
        for moment in ["2026-11-29T10:00:00.000Z", "2026-11-29T10:59:59.999Z"] {
            let hour = Hour::of(at(moment));
            assert_eq!((hour.to_string().as_str(), hour.to_string().parse()), ("2026-11-29T10", Ok(hour)));
            assert_eq!(hour.due_at(), at("2026-11-29T11:05:00.000Z"));
        }
        for text in ["", "2026-11-29", "2026-11-29T24", "2026-11-29T10:00", "+2026-11-29T1"] {
            assert_eq!(text.parse::<Hour>(), Err(NotAnId), "{text}");
        }
    }

    #[test]
    fn an_hours_letter_is_named_by_its_seller_and_the_hour() {
        let name = "5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94.2026-11-29T10";
        let of: HourOf = name.parse().unwrap();
        assert_eq!((of.which, of.to_string().as_str()), (Hour::of(at("2026-11-29T10:30:00.000Z")), name));
        assert!("ann.2026-11-29T10".parse::<HourOf>().is_err());
    }

    #[test]
    fn a_seller_is_told_how_many_orders_came_to_how_much_and_nothing_of_none() {
        let hour = Hour::of(at("2026-11-29T09:30:00.000Z"));
        let told = |orders, revenue, with: &Value| {
            let sold = json!({ "orders": orders, "revenue": revenue, "currency": "USD" });
            serde_json::from_value::<Sold>(sold).unwrap().letter(hour, &ann(with))
        };
        let letter = told(3, 4_500, &json!({})).unwrap();
        assert_eq!(letter.subject, "You have 3 new orders");
        let when = "In the hour from 29 November 2026 at 09:00 UTC on somebody ordered what you sell.";
        assert_eq!(letter.paragraphs, [when]);
        let totals: Vec<_> = letter.totals.into_iter().map(|total| (total.name, total.amount)).collect();
        let row = |name: &str, amount: &str| (name.to_owned(), amount.to_owned());
        assert_eq!(totals, [row("Orders", "3"), row("Together", "45.00 USD")]);
        assert_eq!(told(1, 450, &json!({})).unwrap().subject, "You have a new order");
        let german = told(1, 450, &json!({ "locale": "de" })).unwrap();
        assert_eq!(german.subject, "Sie haben eine neue Bestellung");
        let when = "In der Stunde ab 29.11.2026, 9 Uhr (UTC) wurde bestellt, was Sie verkaufen.";
        assert_eq!(german.paragraphs, [when]);
        assert_eq!((told(0, 0, &json!({})), told(-1, -450, &json!({}))), (None, None));
    }
}
