//! What happened in a person's account: sign-ins, products, orders. The log has what the topic Events tells; [`store`]
//! keeps it in DynamoDB.

pub mod store;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::dynamo::list::Page;
use shared::http::Parameter;
use shared::run::event::CloudEvent;
use shared::values::time::Timestamp;

pub use store::Activity;

/// How long an entry is kept: a year and a month, to compare with the same day of the last.
const KEPT: Duration = Duration::from_hours(400 * 24);

shared::names!(
    /// What stands in the log: these kinds of events, under their own names.
    pub enum Kind {
        /// The person proved the address.
        SignedUp = "user.signed-up",
        /// The person signed in.
        SignedIn = "user.signed-in",
        /// The account has another password.
        PasswordChanged = "user.password-changed",
        /// The account has another name or address.
        ProfileChanged = "user.profile-changed",
        /// The person turned the second factor on or off.
        SecondFactorChanged = "user.second-factor-changed",
        /// Mail to the person came back for good or was called spam, and none is sent any more.
        EmailSuppressed = "user.email-suppressed",
        /// An admin wrote to the person.
        MessageSent = "user.message-sent",
        /// The person was made something else by an admin.
        RoleChanged = "user.role-changed",
        /// The person had a text sent to somebody, as an admin.
        TextSent = "user.text-sent",
        /// The person listed a product.
        ProductListed = "product.listed",
        /// A product of the person's is for sale.
        ProductApproved = "product.approved",
        /// A product of the person's was turned down.
        ProductRejected = "product.rejected",
        /// The person reviewed a product.
        ReviewPosted = "review.posted",
        /// The person changed a review.
        ReviewEdited = "review.edited",
        /// A review of the person's is gone.
        ReviewRemoved = "review.removed",
        /// An admin hid a review of the person's.
        ReviewHidden = "review.hidden",
        /// An admin shows it again.
        ReviewShown = "review.shown",
        /// The seller replied to a review of the person's.
        ReviewAnswered = "review.answered",
        /// The person opened a store.
        StoreOpened = "store.opened",
        /// A store of the person's can be seen by everyone.
        StorePublished = "store.published",
        /// A store of the person's was taken out of the shop.
        StoreDeactivated = "store.deactivated",
        /// The person ordered.
        OrderPlaced = "order.placed",
        /// The money for an order of the person's has come.
        OrderPaid = "order.paid",
        /// An order of the person's is on its way.
        OrderShipped = "order.shipped",
        /// An order of the person's arrived.
        OrderDelivered = "order.delivered",
        /// An order of the person's is over.
        OrderCancelled = "order.cancelled",
    }
);

impl Parameter for Kind {
    const NAME: &'static str = "kind";
}

/// An event as the queue has it: of its data, only whose log it belongs in is read.
pub type Told = CloudEvent<Kind, Whose>;

/// Whose log an event belongs in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Whose {
    #[serde(alias = "userId", alias = "sellerId")]
    person: UserId,
}

/// One line of a person's log, as the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    user_id: UserId,
    /// The event's time and its id: as a key it sorts by time, and is the same at every repetition.
    at: String,
    time: Timestamp,
    kind: Kind,
    /// The product or the order; `None` where it is the account itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// In seconds since 1970, as DynamoDB's time to live takes it.
    expires_at: i64,
    schema_version: u32,
}

impl Entry {
    /// The line of the log that an event belongs in; `None` for what guests did, who have none.
    pub fn of(event: Told) -> Option<Self> {
        let Told { id, kind, subject, time, data: Whose { person }, .. } = event;
        (!person.is_guest()).then(|| Self {
            at: format!("{time}#{id}"),
            time,
            kind,
            subject: Some(subject).filter(|subject| *subject != person.to_string()),
            expires_at: (time + KEPT).unix_seconds(),
            schema_version: 1,
            user_id: person,
        })
    }
}

/// What the person sees of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryView {
    at: Timestamp,
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
}

/// A page of a person's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivityList {
    activity: Vec<EntryView>,
    next_cursor: Option<String>,
}

impl From<Page<Entry>> for ActivityList {
    fn from(page: Page<Entry>) -> Self {
        let view = |entry: Entry| EntryView { at: entry.time, kind: entry.kind, subject: entry.subject };
        Self { activity: page.entries.into_iter().map(view).collect(), next_cursor: page.next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn event(kind: &str, subject: &str, data: &Value) -> Value {
        json!({
            "specversion": "1.0", "id": "5d1b36b1-8b1f-5f0e-9c68-3fd12c0b7a94", "source": "/cartwright/local/orders",
            "type": kind, "subject": subject, "time": "2026-11-21T12:04:00.000Z", "datacontenttype": "application/json",
            "dataschema": format!("urn:cartwright:event:{kind}:1"), "data": data
        })
    }

    fn entry(kind: &str, subject: &str, data: &Value) -> Entry {
        Entry::of(serde_json::from_value(event(kind, subject, data)).unwrap()).unwrap()
    }

    #[test]
    fn what_a_guest_ordered_is_in_nobodys_log() {
        let data = json!({ "orderId": "tea", "userId": "guest#tea", "total": 10.5, "currency": "USD" });
        let told = serde_json::from_value(event("order.placed", "tea", &data)).unwrap();
        assert_eq!(Entry::of(told), None);
    }

    #[test]
    fn an_entry_is_keyed_by_the_events_time_and_id_and_kept_for_400_days() {
        let data = json!({ "orderId": "tea", "userId": "ann", "total": 10.5, "currency": "USD" });
        assert_eq!(
            serde_json::to_value(entry("order.placed", "tea", &data)).unwrap(),
            json!({
                "userId": "ann", "at": "2026-11-21T12:04:00.000Z#5d1b36b1-8b1f-5f0e-9c68-3fd12c0b7a94",
                "time": "2026-11-21T12:04:00.000Z", "kind": "order.placed", "subject": "tea",
                "expiresAt": 1_829_822_640, "schemaVersion": 1
            })
        );
    }

    #[test]
    fn what_happens_to_a_product_is_in_its_sellers_log() {
        let entry = entry("product.approved", "tea", &json!({ "productId": "tea", "sellerId": "bob" }));
        assert_eq!(entry.user_id, UserId::from("bob".to_owned()));
    }

    #[test]
    fn a_person_is_told_of_the_account_without_a_subject() {
        let page = Page {
            entries: vec![entry("user.signed-in", "ann", &json!({ "userId": "ann" }))],
            next_cursor: None,
        };
        assert_eq!(
            serde_json::to_value(ActivityList::from(page)).unwrap(),
            json!({
                "activity": [{ "at": "2026-11-21T12:04:00.000Z", "kind": "user.signed-in" }], "nextCursor": null
            })
        );
    }
}
