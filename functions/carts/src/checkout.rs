//! How a cart becomes an order: one order for one cart, at the total that its buyer saw.
//!
//! The order's transaction empties the cart on the condition that it is still of the version that was read, and leaves
//! in it which order it became. So of two tabs one is too late, finds that, and gives the same answer.

use anyhow::Context;
use offers::{NotReserved, OfferId};
use orders::purchase::{Fault, Refusal as PurchaseRefusal};
use orders::store::Recorded;
use orders::{
    Contact, Error as OrderError, NewLine, NewOrder, Order, OrderId, OrderQueue, Orders, PaymentChoice,
    PaymentId, Purchase, Refusal as OrderRefusal, Shop,
};
use payments::views::CheckoutPayment;
use payments::{Opening, Payment};
use promotions::NotRedeemed;
use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::dynamo::{Consistency, Item, Read, Write};
use shared::guards::rate_limit::PersonLimit;
use shared::guards::{Guards, Kept, KeyReused, KeyedRequest, Once};
use shared::http::input::{Field, Value, whole_number};
use shared::http::problem::{Busy, Kind, Problem, StatusCode};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::telemetry;
use shared::values::money::{Amount, Currency, InMajor, Price, Sum};
use shared::values::time::Timestamp;
use users::{Profile, Users};

use crate::guests::{Buyer, GuestRules};
use crate::priced::{LineProblem, PricedCart, PricedLine, Pricing};
use crate::{Cart, CartChanges, Carts, LastOrder};

/// How often an order is counted anew because an admin changed its coupon at the same time.
const TRIES: u32 = 3;

/// Which version of a cart somebody saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Version(pub u32);

impl Field for Version {
    fn parse(value: Value) -> Result<Self, String> {
        whole_number(&value, 0..=u32::MAX).map(Self)
    }
}

shared::body!(
    /// What somebody says who orders what is in the cart.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct CheckOut {
        /// What the page said that it costs.
        pub expected_total: Sum,
        /// How it is paid: on delivery, unless told otherwise.
        pub payment_method: Option<PaymentChoice>,
        /// Which version the page showed, if it says so.
        pub cart_version: Option<Version>,
        /// What is chosen otherwise than in the cart.
        pub choices: CartChanges = ..,
    }
);

/// The answer to a checkout, as its record keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckedOut {
    order_id: OrderId,
    total: Amount,
    currency: Currency,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment_id: Option<PaymentId>,
}

impl From<&LastOrder> for CheckedOut {
    fn from(order: &LastOrder) -> Self {
        let LastOrder { order_id, total, currency, payment_id, .. } = *order;
        Self { order_id, total, currency, payment_id }
    }
}

/// The same as its sender sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckedOutView {
    message: &'static str,
    order_id: OrderId,
    total: InMajor,
    currency: Currency,
    /// How it is to be paid, unless that is at the door.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<CheckoutPayment>,
}

impl CheckedOutView {
    fn of(CheckedOut { order_id, total, currency, .. }: CheckedOut, payment: Option<Payment>) -> Self {
        let payment = match payment {
            Some(payment) => Some(payment.into()),
            None if total == Amount::ZERO => Some(CheckoutPayment::NOT_NEEDED),
            None => None,
        };
        Self { message: "order placed successfully", order_id, total: total.in_major(), currency, payment }
    }

    /// The order.
    pub fn order_id(&self) -> OrderId {
        self.order_id
    }
}

/// Why no order came of a cart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing is in it.
    #[error("the cart is empty")]
    Empty,
    /// It is not the one that was seen.
    #[error("the cart is of version {version}")]
    Changed {
        /// What it is now.
        version: u32,
    },
    /// These lines cannot be ordered as they are.
    #[error("{} lines cannot be ordered", .0.len())]
    Lines(Vec<LineFault>),
    /// It costs something else.
    #[error("the cart does not cost what was expected")]
    TotalChanged {
        /// Than what.
        #[source]
        refusal: PurchaseRefusal,
        /// Lines that cost something else than when they came into the cart.
        lines: Vec<PricedLine>,
    },
}

/// A line that cannot be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LineFault {
    #[serde(rename = "productId")]
    id: OfferId,
    problem: LineProblem,
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<u32>,
}

impl LineFault {
    fn of((line, problem): (&PricedLine, LineProblem)) -> Self {
        let available = (problem == LineProblem::OutOfStock).then(|| line.available());
        Self { id: line.id(), problem, available }
    }
}

impl From<NotReserved> for LineFault {
    fn from(refusal: NotReserved) -> Self {
        let (id, problem, available) = match refusal {
            NotReserved::NotForSale(id) => (id, LineProblem::NotForSale, None),
            NotReserved::PriceChanged(id) => (id, LineProblem::PriceChanged, None),
            NotReserved::OutOfStock { id, available } => (id, LineProblem::OutOfStock, Some(available)),
        };
        Self { id, problem, available }
    }
}

/// A line whose price changed, in a problem.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct NewPrice {
    product_id: OfferId,
    product_price: Option<InMajor>,
    price_when_added: InMajor,
}

impl From<PricedLine> for NewPrice {
    fn from(line: PricedLine) -> Self {
        let (now, then) = line.prices();
        let in_major = |price: Price| price.amount().in_major();
        Self { product_id: line.id(), product_price: now.map(in_major), price_when_added: in_major(then) }
    }
}

const CART_EMPTY: Kind = Kind::new(StatusCode::CONFLICT, "cart-empty", "Cart empty");
const CART_CHANGED: Kind = Kind::new(StatusCode::CONFLICT, "cart-changed", "Cart changed");
const TOO_MANY_PIECES: Kind = Kind::new(StatusCode::CONFLICT, "too-many-pieces", "Too many pieces");

/// The problem that is told of the first line; the others stand beside it.
impl From<&LineFault> for Problem {
    fn from(fault: &LineFault) -> Self {
        let LineFault { id, problem, available } = *fault;
        match problem {
            LineProblem::NotForSale => NotReserved::NotForSale(id).into(),
            LineProblem::PriceChanged => NotReserved::PriceChanged(id).into(),
            LineProblem::OutOfStock => {
                NotReserved::OutOfStock { id, available: available.unwrap_or_default() }.into()
            }
            LineProblem::MixedCurrencies => Self::from(OrderRefusal::MixedCurrencies).with("productId", id),
            LineProblem::TooManyPieces => {
                let detail = "The shop sells fewer pieces of this product at once than are in the cart.";
                Self::new(TOO_MANY_PIECES, detail).with("productId", id)
            }
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Empty => Self::new(CART_EMPTY, "There is nothing in the cart."),
            Refusal::Changed { version } => {
                let detail = "The cart is not the one that you saw. Look at it again before you order.";
                Self::new(CART_CHANGED, detail).with("version", version)
            }
            Refusal::Lines(faults) => {
                let first = faults.first().map(Self::from);
                let first = first.unwrap_or_else(|| anyhow::anyhow!("no line is at fault").into());
                first.with("lines", faults)
            }
            Refusal::TotalChanged { refusal, lines } => {
                let lines: Vec<_> = lines.into_iter().map(NewPrice::from).collect();
                Self::from(refusal).with("lines", lines)
            }
        }
    }
}

impl CheckOut {
    /// The same, by somebody who has seen this version.
    fn having_seen(&self, version: u32) -> Self {
        Self { cart_version: Some(Version(version)), ..self.clone() }
    }
}

impl Cart {
    /// The order that this very request, or another of the same cart, has come to already: that of the version that it
    /// names. One that names none is about an empty cart that nobody has touched since.
    pub fn became(&self, asked: &CheckOut) -> Option<&LastOrder> {
        let order = self.last_order.as_ref()?;
        let is_about_it = match asked.cart_version {
            Some(Version(seen)) => seen == order.cart_version,
            None => self.lines.is_empty() && self.version == order.cart_version.saturating_add(1),
        };
        (is_about_it && order.total == asked.expected_total.amount()).then_some(order)
    }

    /// That there is something to order, and that it is what was seen.
    ///
    /// # Errors
    /// [`Refusal::Changed`], [`Refusal::Empty`].
    pub fn is_orderable(&self, asked: &CheckOut) -> Result<(), Refusal> {
        match asked.cart_version {
            Some(Version(seen)) if seen != self.version => Err(Refusal::Changed { version: self.version }),
            _ if self.lines.is_empty() => Err(Refusal::Empty),
            _ => Ok(()),
        }
    }
}

impl PricedCart {
    /// The order that comes of it, and what that comes to.
    ///
    /// # Errors
    /// [`Refusal::Lines`] with every line that cannot be ordered; then what [`Order::place`] says of all of it, and of
    /// another total which lines cost something else by now.
    pub fn order(
        &self,
        cart: &Cart,
        asked: &CheckOut,
        shop: Shop,
        buyer: &UserId,
        contact: Contact,
        now: Timestamp,
    ) -> Result<(Order, Purchase), Problem> {
        let faults: Vec<_> = self.faulty().map(LineFault::of).collect();
        if !faults.is_empty() {
            return Err(Refusal::Lines(faults).into());
        }
        let placed = Order::place(&cart.wanted(asked), self.prices(), shop, buyer, contact, now);
        placed.map_err(|refused| match refused {
            OrderError::Refused(OrderRefusal::Purchase(refusal @ PurchaseRefusal::TotalChanged { .. })) => {
                let lines = self.lines().iter().filter(|line| line.has_another_price()).cloned().collect();
                Refusal::TotalChanged { refusal, lines }.into()
            }
            other => other.into(),
        })
    }
}

impl Cart {
    /// What is asked for with it.
    fn wanted(&self, asked: &CheckOut) -> NewOrder {
        let lines = self.lines.iter().map(|line| NewLine { id: line.offer_id, quantity: line.quantity });
        NewOrder::of(lines, self.choices.clone(), asked.expected_total.amount())
    }
}

/// What a checkout depends on, as it was read at one go.
struct Basis {
    cart: Cart,
    buyer: Option<Profile>,
    record: Option<Item>,
}

impl Basis {
    /// The answer that was given before: by the key's record, or by the order that the cart became.
    fn answered(
        &self,
        asked: &CheckOut,
        keyed: Option<&KeyedRequest>,
        now: Timestamp,
    ) -> Result<Option<Once<CheckedOut>>, Problem> {
        let kept = keyed.map(|keyed| keyed.kept(self.record.clone(), now)).transpose()?;
        match kept.unwrap_or(Kept::Nothing) {
            Kept::Reused => Err(KeyReused.into()),
            Kept::Answer(answer) => Ok(Some(Once::Replayed(answer))),
            Kept::Nothing => Ok(self.cart.became(asked).map(|order| Once::Replayed(order.into()))),
        }
    }
}

/// Ordering carts, as often as one person may order, or one guest.
#[derive(Debug, Clone)]
pub struct CheckingOut {
    limit: PersonLimit,
    guests: GuestRules,
    pricing: Pricing,
    shop: Shop,
    carts: Carts,
    guards: Guards,
    orders: Orders,
    users: Users,
    queue: OrderQueue,
    opening: Opening,
}

/// An order that was placed now or before, and now the attempt to pay it, whose page is not open yet.
type Placed = (Once<CheckedOut>, Option<(Order, Payment)>);

impl FromEnv for CheckingOut {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            limit: PersonLimit::from_env(aws)?.and_a_day()?.and_by_card()?,
            guests: GuestRules::from_env(aws)?,
            pricing: Pricing::from_env(aws)?,
            shop: Shop::from_env(aws)?,
            carts: Carts::from_env(aws)?,
            guards: Guards::from_env(aws)?,
            orders: Orders::from_env(aws)?,
            users: Users::from_env(aws)?,
            queue: OrderQueue::from_env(aws)?,
            opening: Opening::from_env(aws)?,
        })
    }
}

impl CheckingOut {
    /// Orders what is in the cart, as it was chosen, and queues the order, or opens the page on which it is paid: four
    /// round trips, five for guests, and two where it was ordered before.
    ///
    /// Safe to repeat with a key, and without one as long as nobody changes the cart.
    ///
    /// # Errors
    /// `too-many-requests`, with [`orders::Ordering::place`] together; `no-profile`; the [`Refusal`]s; and those of
    /// [`Opening::takes`].
    pub async fn check_out(
        &self,
        buyer: &Buyer,
        asked: &CheckOut,
        keyed: Option<&KeyedRequest>,
        now: Timestamp,
    ) -> Result<Once<CheckedOutView>, Problem> {
        let (placed, attempt) = self.placed(buyer, asked, keyed, now).await?;
        let payment = match (attempt, placed.answer().payment_id) {
            (Some((order, attempt)), _) => Some(self.opening.open(&order, attempt, now).await?),
            (None, Some(id)) => Some(self.opening.opened(id, now).await?),
            (None, None) => None,
        };
        if let (Once::Done(placed), None) = (&placed, &payment) {
            self.queue.send_or_leave(placed.order_id).await;
        }
        Ok(placed.map(|placed| CheckedOutView::of(placed, payment)))
    }

    async fn placed(
        &self,
        buyer: &Buyer,
        asked: &CheckOut,
        keyed: Option<&KeyedRequest>,
        now: Timestamp,
    ) -> Result<Placed, Problem> {
        let (counted, basis) = tokio::join!(self.count(buyer, asked, now), self.basis(buyer, keyed, now));
        counted?;
        let basis = basis?;
        if let Some(answered) = basis.answered(asked, keyed, now)? {
            telemetry::about("orders", answered.answer().order_id);
            return Ok((answered, None));
        }
        basis.cart.is_orderable(asked)?;
        self.guests.allow(buyer, asked)?;
        let version = basis.cart.version();
        let placed = match self.place(buyer, asked, basis, keyed, now).await {
            Ok(placed) => placed,
            Err(refused) => {
                let asked = asked.having_seen(version);
                return Ok((self.unless_ordered(buyer, asked, keyed, refused, now).await?, None));
            }
        };
        telemetry::about("orders", placed.0.answer().order_id);
        if let (Once::Done(placed), attempt) = &placed {
            tracing::info!(order_id = %placed.order_id, "order placed");
            telemetry::count("OrderPlaced", 1);
            if attempt.is_some() {
                telemetry::count_in_stage("CardOrderPlaced", 1);
            }
        }
        Ok(placed)
    }

    /// What the shop says of guests.
    pub(crate) fn guests(&self) -> &GuestRules {
        &self.guests
    }

    /// Counts the request for whoever sent it.
    async fn count(&self, buyer: &Buyer, asked: &CheckOut, now: Timestamp) -> Result<(), Problem> {
        match (buyer, asked.payment_method) {
            (Buyer::Person(id), Some(PaymentChoice::Card)) => {
                self.limit.count_by_card("create-order", id, now).await
            }
            (Buyer::Person(id), Some(PaymentChoice::CashOnDelivery) | None) => {
                self.limit.count("create-order", id, now).await
            }
            (Buyer::Guest(guest), _) => self.guests.count(guest, now).await,
        }
    }

    /// Gives `refused` back, unless another request for the same cart has ordered it meanwhile: that one took the
    /// pieces that this one misses.
    async fn unless_ordered(
        &self,
        buyer: &Buyer,
        asked: CheckOut,
        keyed: Option<&KeyedRequest>,
        refused: Problem,
        now: Timestamp,
    ) -> Result<Once<CheckedOut>, Problem> {
        let basis = self.basis(buyer, keyed, now).await?;
        if let Some(answered) = basis.answered(&asked, keyed, now)? {
            return Ok(answered);
        }
        basis.cart.is_orderable(&asked)?;
        Err(refused)
    }

    async fn place(
        &self,
        buyer: &Buyer,
        asked: &CheckOut,
        basis: Basis,
        keyed: Option<&KeyedRequest>,
        now: Timestamp,
    ) -> Result<Placed, Problem> {
        let Basis { cart, buyer: profile, .. } = basis;
        let contact = buyer.contact(profile)?;
        let cart = cart.choose(asked.choices.0.clone());
        for _ in 0..TRIES {
            let contact = contact.clone();
            if let Some(placed) = self.place_once(buyer, asked, &cart, contact, keyed, now).await? {
                return Ok(placed);
            }
        }
        Err(anyhow::Error::new(Busy).context("count the use of a coupon").into())
    }

    /// Places the order, unless an admin changes its coupon at this very moment: then it is to be counted again.
    async fn place_once(
        &self,
        buyer: &Buyer,
        asked: &CheckOut,
        cart: &Cart,
        contact: Contact,
        keyed: Option<&KeyedRequest>,
        now: Timestamp,
    ) -> Result<Option<Placed>, Problem> {
        let customer = buyer.customer();
        let priced = self.pricing.price(cart, Some(&customer), Consistency::Strong, now).await?;
        let (order, purchase) = priced.order(cart, asked, self.shop, &customer, contact, now)?;
        let (order, attempt) = self.to_be_paid(buyer.owning(order), asked.payment_method, now)?;
        self.guests.count_order(buyer, now).await?;
        let became = LastOrder {
            cart_version: cart.version(),
            order_id: order.id(),
            total: order.total(),
            currency: order.currency(),
            payment_id: attempt.as_ref().map(Payment::id),
        };
        let mut write = Write::new();
        if let Some(attempt) = &attempt {
            write.put(self.opening.payments().new_attempt(attempt)?);
        }
        let attempt = attempt.map(|attempt| (order.clone(), attempt));
        write.update(self.carts.ordered(cart, &became, now)?);
        let answer = CheckedOut::from(&became);
        match self.orders.record(order, purchase.coupon(), write, keyed, answer, now).await? {
            Recorded::Once(Once::Done(placed)) => Ok(Some((Once::Done(placed), attempt))),
            Recorded::Once(placed) => Ok(Some((placed, None))),
            Recorded::KeyReused => Err(KeyReused.into()),
            Recorded::Lines(lines) => {
                Err(Refusal::Lines(lines.into_iter().map(LineFault::from).collect()).into())
            }
            Recorded::Coupon(NotRedeemed::Changed) => Ok(None),
            Recorded::Coupon(NotRedeemed::Refused(reason)) => {
                Err(Fault::of_coupon(purchase.coupon(), reason).context("it has a coupon")?.into())
            }
            // The cart is not as it was, which whoever asks next is told.
            Recorded::Refused => Err(Refusal::Changed { version: cart.version() }.into()),
        }
    }

    /// The order as it is to be paid, with its first attempt where that is by card.
    fn to_be_paid(
        &self,
        order: Order,
        choice: Option<PaymentChoice>,
        now: Timestamp,
    ) -> Result<(Order, Option<Payment>), Problem> {
        if order.total() == Amount::ZERO {
            return Ok((order, None));
        }
        match choice.unwrap_or(PaymentChoice::CashOnDelivery) {
            PaymentChoice::CashOnDelivery => Ok((order, None)),
            PaymentChoice::Card => {
                self.opening.takes(order.total(), order.currency())?;
                let attempt = Payment::new(PaymentId::at(now), &order, 1, self.opening.terms(), now);
                Ok((order.awaiting(attempt.id(), attempt.expires_at()), Some(attempt)))
            }
        }
    }

    async fn basis(
        &self,
        buyer: &Buyer,
        keyed: Option<&KeyedRequest>,
        now: Timestamp,
    ) -> anyhow::Result<Basis> {
        let id = buyer.cart();
        let read = self.carts.with(Read::new(), &id)?;
        let read = match buyer.person() {
            Some(person) => self.users.with(read, person)?,
            None => read,
        };
        let read = self.guards.with_record(read, keyed)?;
        let mut found = read.fetch(self.carts.client()).await?;
        let cart = self.carts.found_in(&mut found, now)?;
        Ok(Basis {
            cart: cart.unwrap_or_else(|| Cart::empty(id, now)),
            buyer: self.users.found_in(&mut found)?,
            record: self.guards.record_in(&mut found),
        })
    }
}
