//! What the shop's admins see of orders: all of them in a list, and of one what became of it.

use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::dynamo::list::Page;
use shared::guards::claims::Done;
use shared::http::Parameter;
use shared::values::money::{Amount, Currency, InMajor};
use shared::values::time::Timestamp;
use users::{Email, FullName};

use crate::events::{OrderEvent, between};
use crate::{Contact, LetterKind, Order, OrderId, OrderNumber, OrderStatus, OrderView, Part};

impl Parameter for OrderStatus {
    const NAME: &'static str = "status";
}

/// An order as the indexes of the admins' lists have it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderEntry {
    order_id: OrderId,
    user_id: UserId,
    contact: Contact,
    status: OrderStatus,
    total: Amount,
    currency: Currency,
    created_at: Timestamp,
}

impl OrderEntry {
    /// Which order.
    pub fn id(&self) -> OrderId {
        self.order_id
    }

    /// Where it stands.
    pub fn status(&self) -> OrderStatus {
        self.status
    }
}

/// Who bought something.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct BuyerView {
    user_id: UserId,
    full_name: FullName,
    email: Email,
}

/// Neither name nor address is for a log.
impl std::fmt::Debug for BuyerView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BuyerView").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

impl BuyerView {
    fn new(user_id: UserId, contact: Contact) -> Self {
        Self { user_id, full_name: contact.full_name, email: contact.email }
    }
}

/// A row of the admins' list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderRow {
    order_id: OrderId,
    number: OrderNumber,
    status: OrderStatus,
    buyer: BuyerView,
    total: InMajor,
    currency: Currency,
    created_at: Timestamp,
}

impl From<OrderEntry> for OrderRow {
    fn from(entry: OrderEntry) -> Self {
        Self {
            order_id: entry.order_id,
            number: entry.order_id.into(),
            status: entry.status,
            buyer: BuyerView::new(entry.user_id, entry.contact),
            total: entry.total.in_major(),
            currency: entry.currency,
            created_at: entry.created_at,
        }
    }
}

/// A page of the admins' list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AllOrders {
    orders: Vec<OrderRow>,
    next_cursor: Option<String>,
}

impl From<Page<OrderEntry>> for AllOrders {
    fn from(page: Page<OrderEntry>) -> Self {
        Self { orders: page.entries.into_iter().map(OrderRow::from).collect(), next_cursor: page.next_cursor }
    }
}

/// An order, and what was written down of the letters about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspected {
    order: Order,
    letters: Vec<(LetterKind, Done)>,
}

impl Inspected {
    /// This order, with what is known of each letter that somebody began to send.
    pub fn new(order: Order, letters: Vec<(LetterKind, Done)>) -> Self {
        Self { order, letters }
    }
}

/// All that an admin sees of one order.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InspectedView {
    #[serde(flatten)]
    order: OrderView,
    buyer: BuyerView,
    sellers: Vec<UserId>,
    events: Vec<EventView>,
    emails: Vec<EmailView>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct EventView {
    kind: &'static str,
    at: Timestamp,
}

impl EventView {
    /// Of what the order says when it was.
    fn of(event: &OrderEvent) -> Option<Self> {
        event.at.map(|at| Self { kind: event.kind(), at })
    }
}

shared::names!(
    /// How far a letter came.
    enum Sending {
        Sent = "sent",
        Sending = "sending",
    }
);

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct EmailView {
    kind: LetterKind,
    status: Sending,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_at: Option<Timestamp>,
}

impl From<(LetterKind, Done)> for EmailView {
    fn from((kind, done): (LetterKind, Done)) -> Self {
        let (status, sent_at) = match done {
            Done::Claimed => (Sending::Sending, None),
            Done::At(at) => (Sending::Sent, Some(at)),
        };
        Self { kind, status, sent_at }
    }
}

impl From<Inspected> for InspectedView {
    fn from(Inspected { order, letters }: Inspected) -> Self {
        let sellers = order.sellers().into_iter().cloned().collect();
        let acted = order.history.iter().map(|entry| entry.by.as_ref().and_then(|by| by.user_id.clone()));
        let acted: Vec<Option<UserId>> = acted.collect();
        let (user_id, contact) = (order.user_id.clone(), order.contact.clone());
        let events = between(None, Some(&order)).iter().filter_map(EventView::of).collect();
        let mut view = OrderView::from(order);
        for (entry, person) in view.history.iter_mut().zip(acted) {
            entry.user_id = match entry.by {
                Part::Buyer => Some(user_id.clone()),
                Part::Seller | Part::Admin | Part::Shop => person,
            };
        }
        Self {
            order: view,
            buyer: BuyerView::new(user_id, contact),
            sellers,
            events,
            emails: letters.into_iter().map(EmailView::from).collect(),
        }
    }
}
