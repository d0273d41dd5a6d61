//! What the shop's events have people told by email, besides the letters that an order owes: one letter for an event at
//! most. It is queued as ids; whether it is still so, and wanted, is asked when it is sent.

use anyhow::Context;
use products::ProductLetterKind;
use reviews::ReviewLetterKind;
use serde::Deserialize;
use shared::letters::{EmailQueue, OfEvent, Queued};
use shared::run::event::CloudEvent;
use stores::StoreLetterKind;
use users::NoticeLetterKind;

shared::names!(
    /// The events of which people are told, by their own names.
    pub enum Told {
        /// A product is for sale.
        ProductApproved = "product.approved",
        /// A product was turned down.
        ProductRejected = "product.rejected",
        /// Few pieces of a product are left, or none.
        ProductRanLow = "product.ran-low",
        /// A product was reviewed.
        ReviewPosted = "review.posted",
        /// A review was replied to.
        ReviewAnswered = "review.answered",
        /// A store was taken out of the shop.
        StoreDeactivated = "store.deactivated",
        /// An account has another password.
        PasswordChanged = "user.password-changed",
        /// A second factor was turned on or off.
        SecondFactorChanged = "user.second-factor-changed",
        /// A person was made something else.
        RoleChanged = "user.role-changed",
    }
);

/// An event as the queue has it. Of its data, only who wrote a review is read.
pub type Happened = CloudEvent<Told, Data>;

/// What of an event's data is read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Data {
    #[serde(default)]
    user_id: Option<String>,
}

/// The letter that an event gives rise to: the same whenever it comes again.
///
/// # Errors
/// When a review is nobody's: a mistake in our code.
pub fn letter_of(event: &Happened) -> anyhow::Result<Queued> {
    let about = |thing: &str| OfEvent { thing: thing.to_owned(), event: event.id };
    let subject = about(&event.subject);
    let review = || -> anyhow::Result<_> {
        let author = event.data.user_id.as_deref().context("a review has an author")?;
        Ok(about(&format!("{}.{author}", event.subject)))
    };
    Ok(match event.kind {
        Told::ProductApproved => Queued::new(ProductLetterKind::Approved, subject),
        Told::ProductRejected => Queued::new(ProductLetterKind::Rejected, subject),
        Told::ProductRanLow => Queued::new(ProductLetterKind::RanLow, subject),
        Told::ReviewPosted => Queued::new(ReviewLetterKind::Posted, review()?),
        Told::ReviewAnswered => Queued::new(ReviewLetterKind::Answered, review()?),
        Told::StoreDeactivated => Queued::new(StoreLetterKind::Deactivated, subject),
        Told::PasswordChanged => Queued::new(NoticeLetterKind::PasswordChanged, subject),
        Told::SecondFactorChanged => Queued::new(NoticeLetterKind::SecondFactorChanged, subject),
        Told::RoleChanged => Queued::new(NoticeLetterKind::RoleChanged, subject),
    })
}

/// Queues what an event gives rise to. Safe to repeat: queued twice, a letter still goes out once.
///
/// # Errors
/// When the queue takes nothing.
pub async fn queue(emails: &EmailQueue, event: &Happened) -> anyhow::Result<()> {
    emails.send(&letter_of(event)?).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use reviews::letters::ReviewOf;
    use serde_json::{Value, json};
    use users::PersonId;

    const ID: &str = "5d1b36b1-8b1f-5f0e-9c68-3fd12c0b7a94";
    const THING: &str = "01a1fbbc-f7cc-71a0-aa66-431f703e44ea";
    const PERSON: &str = "5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94";

    fn event(kind: Told, subject: &str, data: &Value) -> Happened {
        serde_json::from_value(json!({
            "specversion": "1.0", "id": ID, "source": "/cartwright/local/x", "type": kind, "subject": subject,
            "time": "2026-11-21T12:04:00.000Z", "datacontenttype": "application/json",
            "dataschema": format!("urn:cartwright:event:{kind}:1"), "data": data
        }))
        .unwrap()
    }

    #[test]
    fn each_event_is_one_letter_whose_service_can_read_what_it_is_about() {
        for kind in Told::ALL {
            let (subject, data) = match kind {
                Told::PasswordChanged | Told::SecondFactorChanged | Told::RoleChanged => {
                    (PERSON, json!({ "userId": PERSON }))
                }
                Told::ReviewPosted | Told::ReviewAnswered => {
                    (THING, json!({ "productId": THING, "userId": PERSON, "stars": 4 }))
                }
                _ => (THING, json!({ "sellerId": PERSON })),
            };
            let queued = letter_of(&event(kind, subject, &data)).unwrap();
            assert!(queued.id.ends_with(ID), "{queued:?}");
            assert_eq!(letter_of(&event(kind, subject, &data)).unwrap(), queued);
            let is_read = match kind {
                Told::ProductApproved | Told::ProductRejected | Told::ProductRanLow => {
                    queued.kind.parse::<ProductLetterKind>().is_ok()
                        && queued.id.parse::<OfEvent<products::ProductId>>().is_ok()
                }
                Told::ReviewPosted | Told::ReviewAnswered => {
                    queued.kind.parse::<ReviewLetterKind>().is_ok()
                        && queued.id.parse::<OfEvent<ReviewOf>>().is_ok()
                }
                Told::StoreDeactivated => {
                    queued.kind.parse::<StoreLetterKind>().is_ok()
                        && queued.id.parse::<OfEvent<stores::StoreId>>().is_ok()
                }
                Told::PasswordChanged | Told::SecondFactorChanged | Told::RoleChanged => {
                    queued.kind.parse::<NoticeLetterKind>().is_ok()
                        && queued.id.parse::<OfEvent<PersonId>>().is_ok()
                }
            };
            assert!(is_read, "{queued:?}");
        }
    }

    #[test]
    fn a_review_of_nobody_is_a_mistake() {
        assert!(letter_of(&event(Told::ReviewPosted, THING, &json!({}))).is_err());
    }
}
