//! What people buy. The rules of an order are here and call nothing; [`store`] keeps orders in DynamoDB, [`queue`] and
//! [`workflow`] pass them on.

pub mod events;
pub mod queue;
pub mod store;
pub mod workflow;

use std::collections::HashSet;
use std::time::Duration;

use products::{Product, ProductId, ProductName};
use serde::{Deserialize, Serialize};
use shared::caller::{Caller, UserId};
use shared::dynamo::list::Page;
use shared::guards::once::KeyReused;
use shared::http::input::{Body, Field, Fields, Value, whole_number};
use shared::http::problem::StatusCode;
use shared::http::problem::{Kind, Problem};
use shared::values::money::{Amount, Currency, InMajor, Price};
use shared::values::time::Timestamp;

pub use queue::{EmailKind, EmailQueue, EmailQueued, OrderQueue, OrderQueued};
pub use store::Orders;
pub use workflow::Workflow;

shared::id!(
    /// Names an order.
    OrderId
);

/// How many pieces of one product an order takes: 1 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(u32);

impl Quantity {
    /// As a number of pieces.
    pub const fn pieces(self) -> u32 {
        self.0
    }
}

impl Field for Quantity {
    fn parse(value: Value) -> Result<Self, String> {
        whole_number(&value, 1..=10_000).map(Self)
    }
}

/// How an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMethod {
    /// To the carrier, at the door.
    CashOnDelivery,
}

impl Field for PaymentMethod {
    fn parse(value: Value) -> Result<Self, String> {
        match value.as_str() {
            Some("cash_on_delivery") => Ok(Self::CashOnDelivery),
            _ => Err("must be cash_on_delivery".into()),
        }
    }
}

/// One product that somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct NewLine {
    id: ProductId,
    quantity: Quantity,
}

impl Body for NewLine {
    fn read(fields: &mut Fields) -> Option<Self> {
        let id = fields.required("id");
        let quantity = fields.required("quantity");
        Some(Self { id: id?, quantity: quantity? })
    }
}

/// What somebody wants: `{id, quantity}` for one product, or `{items: [{id, quantity}, …]}` for up to 50.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewOrder {
    lines: Vec<NewLine>,
    payment_method: PaymentMethod,
}

impl Body for NewOrder {
    fn read(fields: &mut Fields) -> Option<Self> {
        let payment_method = fields.optional("paymentMethod").unwrap_or(PaymentMethod::CashOnDelivery);
        let lines: Vec<NewLine> = if fields.has("items") {
            let lines = fields.list("items", 1..=50)?;
            let mut seen = HashSet::new();
            for line in lines.iter().filter(|line: &&NewLine| !seen.insert(line.id)) {
                fields.fault("items", &format!("has the product {} twice", line.id));
            }
            lines
        } else {
            vec![NewLine::read(fields)?]
        };
        Some(Self { lines, payment_method })
    }
}

impl NewOrder {
    /// The products it asks for.
    pub fn products(&self) -> impl Iterator<Item = ProductId> {
        self.lines.iter().map(|line| line.id)
    }
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Recorded, its stock reserved; it will ship or be cancelled.
    Pending,
    /// On its way.
    Shipping,
    /// Over, its stock given back.
    Cancelled,
}

/// What can happen to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The workflow hands it over for shipping.
    Ship,
    /// The buyer does not want it, or it cannot ship.
    Cancel,
}

/// What an event means for an order as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// It moves on.
    To(OrderStatus),
    /// It has happened before: nothing to do.
    Already,
    /// It cannot happen any more.
    Refused,
}

impl OrderStatus {
    const ALL: [Self; 3] = [Self::Pending, Self::Shipping, Self::Cancelled];

    /// Every transition there is.
    pub fn on(self, event: Event) -> Transition {
        match (event, self) {
            (Event::Ship, Self::Pending) => Transition::To(Self::Shipping),
            (Event::Ship, Self::Shipping) | (Event::Cancel, Self::Cancelled) => Transition::Already,
            (Event::Ship, Self::Cancelled) | (Event::Cancel, Self::Shipping) => Transition::Refused,
            (Event::Cancel, Self::Pending) => Transition::To(Self::Cancelled),
        }
    }

    /// The name, as the table and the answers have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Shipping => "shipping",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One product of an order, as it was when the order was placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    product_id: ProductId,
    product_name: ProductName,
    unit_price: Price,
    quantity: Quantity,
}

impl Line {
    /// What was bought.
    pub fn product_name(&self) -> &ProductName {
        &self.product_name
    }

    /// How many pieces of it.
    pub fn quantity(&self) -> Quantity {
        self.quantity
    }

    /// What one piece cost.
    pub fn unit_price(&self) -> Price {
        self.unit_price
    }

    /// What all of its pieces cost. A price and a quantity at their limits are far from the largest amount.
    pub fn total(&self) -> Amount {
        let pieces = u64::from(self.quantity.pieces());
        Amount::from_minor(self.unit_price.amount().minor().saturating_mul(pieces))
    }
}

/// A status that an order has or had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    status: OrderStatus,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Why an order was cancelled, as its buyer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancellationReason {
    /// The buyer asked for it.
    ByBuyer,
    /// The workflow could not ship it.
    NotShippable,
}

impl CancellationReason {
    /// A sentence for the buyer.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByBuyer => "You cancelled it.",
            Self::NotShippable => "We could not prepare it for shipping. Nothing is charged.",
        }
    }
}

/// How long an order may owe something before it is swept up: longer than fulfilment and email take when all is well.
const GRACE: Duration = Duration::from_mins(2);

/// How often an email is queued again before somebody has to look.
const EMAIL_ATTEMPTS: u32 = 10;

/// An order as the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    order_id: OrderId,
    user_id: UserId,
    status: OrderStatus,
    payment_method: PaymentMethod,
    lines: Vec<Line>,
    total: Amount,
    currency: Currency,
    created_at: Timestamp,
    updated_at: Timestamp,
    history: Vec<HistoryEntry>,
    /// While something is owed to the order, its shard of the index `due`; gone when all is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    /// When to look whether it is still owed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
    /// How often it was looked at in this status.
    #[serde(default)]
    attempts: u32,
}

/// What an order is owed when it falls due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owed {
    /// To be queued for fulfilment.
    Fulfilment,
    /// An email that was not recorded as sent.
    Email(EmailKind),
    /// Nothing that trying again could give: somebody has to look.
    Abandoned,
}

impl Order {
    /// The order that `buyer` places for `order` at `now`, of the products as they were read.
    ///
    /// # Errors
    /// Names the line that cannot be had.
    pub fn place(
        order: &NewOrder,
        products: &[Product],
        buyer: &Caller,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let mut lines = Vec::with_capacity(order.lines.len());
        let mut total = Some(Amount::ZERO);
        let mut currency = None;
        for wanted in &order.lines {
            let product = products.iter().find(|product| product.id() == wanted.id);
            let product = product.filter(|product| product.is_for_sale());
            let product = product.ok_or(Refusal::NotForSale(wanted.id))?;
            let available = product.stock().pieces();
            if available < wanted.quantity.pieces() {
                return Err(Refusal::OutOfStock { id: wanted.id, available });
            }
            if *currency.get_or_insert(product.currency()) != product.currency() {
                return Err(Refusal::MixedCurrencies);
            }
            let price = product.price();
            total = total
                .and_then(|sum| sum.checked_add(price.amount().checked_times(wanted.quantity.pieces())?));
            lines.push(Line {
                product_id: wanted.id,
                product_name: product.name().clone(),
                unit_price: price,
                quantity: wanted.quantity,
            });
        }
        // 50 lines of 10,000 pieces at a million each fit many times over; an order without lines cannot be read.
        let (Some(total), Some(currency)) = (total, currency) else { return Err(Refusal::MixedCurrencies) };
        let order_id = OrderId::at(now);
        Ok(Self {
            order_id,
            user_id: buyer.id().clone(),
            status: OrderStatus::Pending,
            payment_method: order.payment_method,
            lines,
            total,
            currency,
            created_at: now,
            updated_at: now,
            history: vec![HistoryEntry { status: OrderStatus::Pending, at: now, reason: None }],
            due: Some(store::due_shard(order_id)),
            due_at: Some(now + GRACE),
            attempts: 0,
        })
    }

    /// Its id.
    pub fn id(&self) -> OrderId {
        self.order_id
    }

    /// Whose it is.
    pub fn buyer(&self) -> &UserId {
        &self.user_id
    }

    /// Where it stands.
    pub fn status(&self) -> OrderStatus {
        self.status
    }

    /// What was bought.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// What all of it costs.
    pub fn total(&self) -> Amount {
        self.total
    }

    /// In which currency.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// How it is paid.
    pub fn payment_method(&self) -> PaymentMethod {
        self.payment_method
    }

    /// When it was placed.
    pub fn placed_at(&self) -> Timestamp {
        self.created_at
    }

    /// Why it was cancelled, if it was.
    pub fn cancellation_reason(&self) -> Option<&str> {
        let entry = self.history.iter().rev().find(|entry| entry.status == OrderStatus::Cancelled);
        entry?.reason.as_deref()
    }

    /// What it is owed when it has fallen due.
    pub fn owed(&self) -> Owed {
        match self.status {
            // Its workflow ends in shipping or in release, so it is tried for as long as it takes.
            OrderStatus::Pending => Owed::Fulfilment,
            OrderStatus::Shipping | OrderStatus::Cancelled if self.attempts >= EMAIL_ATTEMPTS => {
                Owed::Abandoned
            }
            OrderStatus::Shipping => Owed::Email(EmailKind::OrderShipping),
            OrderStatus::Cancelled => Owed::Email(EmailKind::OrderCancelled),
        }
    }

    /// When to look again after a sweep at `now`: 2, 4, 8 … minutes, at most about two hours.
    fn next_due(&self, now: Timestamp) -> Timestamp {
        now + GRACE * (1 << self.attempts.min(6))
    }
}

/// An order as its buyer sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderView {
    order_id: OrderId,
    status: OrderStatus,
    payment_method: PaymentMethod,
    items: Vec<LineView>,
    total: InMajor,
    currency: Currency,
    created_at: Timestamp,
    updated_at: Timestamp,
    history: Vec<HistoryEntry>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct LineView {
    id: ProductId,
    product_name: ProductName,
    product_price: InMajor,
    quantity: Quantity,
}

impl From<Order> for OrderView {
    fn from(order: Order) -> Self {
        let item = |line: Line| LineView {
            id: line.product_id,
            product_name: line.product_name,
            product_price: line.unit_price.amount().in_major(),
            quantity: line.quantity,
        };
        Self {
            order_id: order.order_id,
            status: order.status,
            payment_method: order.payment_method,
            items: order.lines.into_iter().map(item).collect(),
            total: order.total.in_major(),
            currency: order.currency,
            created_at: order.created_at,
            updated_at: order.updated_at,
            history: order.history,
        }
    }
}

/// A page of a buyer's orders.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderList {
    orders: Vec<OrderView>,
    next_cursor: Option<String>,
}

impl From<Page<Order>> for OrderList {
    fn from(page: Page<Order>) -> Self {
        Self {
            orders: page.entries.into_iter().map(OrderView::from).collect(),
            next_cursor: page.next_cursor,
        }
    }
}

/// The answer to a placed order: it is recorded, and will ship or be cancelled with a word why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderPlaced {
    message: String,
    order_id: OrderId,
}

impl OrderPlaced {
    /// For this order.
    pub fn new(order_id: OrderId) -> Self {
        Self { message: "order placed successfully".into(), order_id }
    }

    /// The order.
    pub fn order_id(&self) -> OrderId {
        self.order_id
    }
}

/// A rule said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Fewer pieces than asked for.
    #[error("the product {id} has {available} pieces")]
    OutOfStock {
        /// The product.
        id: ProductId,
        /// How many there are.
        available: u32,
    },
    /// Unknown, deleted, or not approved.
    #[error("the product {0} is not for sale")]
    NotForSale(ProductId),
    /// The seller changed the price between the read and the reservation.
    #[error("the price of the product {0} has changed")]
    PriceChanged(ProductId),
    /// Products that are priced in different currencies.
    #[error("the products are priced in different currencies")]
    MixedCurrencies,
    /// It is on its way.
    #[error("the order is on its way")]
    NotCancellable,
    /// The key came before with another order.
    #[error(transparent)]
    KeyReused(#[from] KeyReused),
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such order, or it is not the caller's.
    #[error("there is no such order")]
    NotFound,
    /// A rule said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A call failed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

const NOT_FOR_SALE: Kind = Kind::new(StatusCode::CONFLICT, "not-for-sale", "Not for sale");
const PRICE_CHANGED: Kind = Kind::new(StatusCode::CONFLICT, "price-changed", "Price changed");
const NOT_CANCELLABLE: Kind = Kind::new(StatusCode::CONFLICT, "not-cancellable", "Not cancellable");
const MIXED_CURRENCIES: Kind = Kind::new(StatusCode::CONFLICT, "mixed-currencies", "Mixed currencies");

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::OutOfStock { id, available } => products::out_of_stock(id, available),
            Refusal::NotForSale(id) => {
                Self::new(NOT_FOR_SALE, "The product is not, or no longer, for sale.").with("productId", id)
            }
            Refusal::PriceChanged(id) => {
                let detail = "The price has changed just now. Look at the product and order again.";
                Self::new(PRICE_CHANGED, detail).with("productId", id)
            }
            Refusal::MixedCurrencies => Self::new(
                MIXED_CURRENCIES,
                "The products are priced in different currencies. Order them apart.",
            ),
            Refusal::NotCancellable => {
                Self::new(NOT_CANCELLABLE, "The order is on its way and cannot be cancelled any more.")
            }
            Refusal::KeyReused(reused) => reused.into(),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::not_found("order"),
            Error::Refused(refusal) => refusal.into(),
            Error::Failed(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests;
