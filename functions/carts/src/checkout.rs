//! How a cart becomes an order: one order for one cart, at the total that its buyer saw.
//!
//! The order's transaction empties the cart on the condition that it is still of the version that was read, and leaves
//! in it which order it became. So of two tabs one is too late, finds that, and gives the same answer.

use offers::{NotReserved, OfferId};
use orders::purchase::Refusal as PurchaseRefusal;
use orders::store::{Counted, Recorded, ToRecord};
use orders::{
    Buyer, BuyerRules, Contact, Error as OrderError, NewLine, NewOrder, Order, OrderQueue, Orders,
    PaymentChoice, Purchase, Refusal as OrderRefusal, Shop,
};
use payments::Opening;
use payments::opening::FirstAttempt;
use payments::views::{PlacedOrder, PlacedView};
use serde::Serialize;
use shared::caller::UserId;
use shared::dynamo::{Consistency, Item, Read, Write};
use shared::guards::{Guards, Kept, KeyReused, KeyedRequest, Once};
use shared::http::input::{Field, Value, whole_number};
use shared::http::problem::{Kind, Problem, StatusCode};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::telemetry;
use shared::values::money::{InMajor, Price, Sum};
use shared::values::time::Timestamp;
use tokio::sync::OnceCell;
use users::{Profile, Users};

use crate::priced::{LineProblem, PricedCart, PricedLine, Pricing};
use crate::{Cart, CartChanges, CartId, Carts, LastOrder};

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

impl From<&LastOrder> for PlacedOrder {
    fn from(order: &LastOrder) -> Self {
        let LastOrder { order_id, total, currency, payment_id, .. } = *order;
        Self { order_id, total, currency, payment_id }
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
            NotReserved::StoreClosed(id) => (id, LineProblem::StoreClosed, None),
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
            LineProblem::StoreClosed => NotReserved::StoreClosed(id).into(),
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

/// A request to order a cart.
#[derive(Debug)]
pub struct Checkout {
    /// Who orders.
    pub buyer: Buyer,
    /// What.
    pub cart: CartId,
    /// How.
    pub asked: CheckOut,
    /// By which key, if by one.
    pub keyed: Option<KeyedRequest>,
    /// When.
    pub now: Timestamp,
}

/// What a checkout depends on, as it was read at one go.
struct Basis {
    cart: Cart,
    buyer: Option<Profile>,
    record: Option<Item>,
}

impl Basis {
    /// The answer that was given before: by the key's record, or by the order that the cart became.
    fn answered(&self, checkout: &Checkout, asked: &CheckOut) -> Result<Option<PlacedOrder>, Problem> {
        let keyed = checkout.keyed.as_ref();
        let kept = keyed.map(|keyed| keyed.kept(self.record.clone(), checkout.now)).transpose()?;
        match kept.unwrap_or(Kept::Nothing) {
            Kept::Reused => Err(KeyReused.into()),
            Kept::Answer(answer) => Ok(Some(answer)),
            Kept::Nothing => Ok(self.cart.became(asked).map(Into::into)),
        }
    }
}

/// Ordering carts, as often as one person may order, or one guest.
#[derive(Debug, Clone)]
pub struct CheckingOut {
    rules: BuyerRules,
    /// Whether guests may pay on delivery.
    guest_cash: bool,
    pricing: Pricing,
    shop: Shop,
    carts: Carts,
    guards: Guards,
    orders: Orders,
    users: Users,
    queue: OrderQueue,
    opening: Opening,
}

/// An order that was placed now, with the attempt to pay it, whose page is not open yet; or before.
enum Placed {
    Now(PlacedOrder, Option<Box<FirstAttempt>>),
    Before(PlacedOrder),
}

impl FromEnv for CheckingOut {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            rules: BuyerRules::from_env(aws)?.and_by_card()?,
            guest_cash: config::required("GUEST_CASH")?,
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
    /// round trips, five for guests; and two where it was ordered before, three for guests.
    ///
    /// Safe to repeat with a key, and without one as long as nobody changes the cart.
    ///
    /// # Errors
    /// `too-many-requests`, with [`orders::Ordering::place`] together; `no-profile`; the [`Refusal`]s; and those of
    /// [`Opening::takes`].
    pub async fn check_out(&self, checkout: &Checkout) -> Result<Once<PlacedView>, Problem> {
        let placed = self.placed(checkout).await?;
        let (Placed::Now(answer, _) | Placed::Before(answer)) = &placed;
        telemetry::about("orders", answer.order_id);
        match placed {
            Placed::Now(placed, attempt) => {
                tracing::info!(order_id = %placed.order_id, "order placed");
                telemetry::count("OrderPlaced", 1);
                let payment = self.opening.open_or_queue(&self.queue, placed.order_id, attempt, checkout.now);
                Ok(Once::Done(PlacedView::of(placed, payment.await?)))
            }
            Placed::Before(placed) => {
                self.orders.is_still_of(&checkout.buyer, placed.order_id).await?;
                let payment = self.opening.opened(placed.payment_id, checkout.now).await?;
                Ok(Once::Replayed(PlacedView::of(placed, payment)))
            }
        }
    }

    async fn placed(&self, checkout: &Checkout) -> Result<Placed, Problem> {
        let Checkout { buyer, asked, now, .. } = checkout;
        let choice = asked.payment_method.unwrap_or(PaymentChoice::CashOnDelivery);
        let (counted, basis) = tokio::join!(self.rules.count(buyer, choice, *now), self.basis(checkout));
        counted?;
        let basis = basis?;
        if let Some(answered) = basis.answered(checkout, asked)? {
            return Ok(Placed::Before(answered));
        }
        basis.cart.is_orderable(asked)?;
        buyer.may_pay(choice, self.guest_cash)?;
        let version = basis.cart.version();
        match self.place(checkout, basis).await {
            Ok(placed) => Ok(placed),
            Err(refused) => self.unless_ordered(checkout, asked.having_seen(version), refused).await,
        }
    }

    /// How often people and guests order.
    pub(crate) fn rules(&self) -> &BuyerRules {
        &self.rules
    }

    /// Gives `refused` back, unless another request for the same cart has ordered it meanwhile: that one took the
    /// pieces that this one misses.
    async fn unless_ordered(
        &self,
        checkout: &Checkout,
        asked: CheckOut,
        refused: Problem,
    ) -> Result<Placed, Problem> {
        let basis = self.basis(checkout).await?;
        if let Some(answered) = basis.answered(checkout, &asked)? {
            return Ok(Placed::Before(answered));
        }
        basis.cart.is_orderable(&asked)?;
        Err(refused)
    }

    async fn place(&self, checkout: &Checkout, basis: Basis) -> Result<Placed, Problem> {
        let Basis { cart, buyer: profile, .. } = basis;
        let contact = checkout.buyer.contact(profile)?;
        let cart = cart.choose(checkout.asked.choices.0.clone());
        // Once, however often the order is counted anew.
        let limit = OnceCell::new();
        let count = || self.counted(checkout, &cart, &contact, &limit);
        match self.orders.record(checkout.keyed.as_ref(), checkout.now, count).await? {
            Recorded::Done(answer, attempt) => Ok(Placed::Now(answer, attempt)),
            Recorded::Before(answer) => Ok(Placed::Before(answer)),
            Recorded::KeyReused => Err(KeyReused.into()),
            Recorded::Lines(lines) => {
                Err(Refusal::Lines(lines.into_iter().map(LineFault::from).collect()).into())
            }
            // The cart is not as it was, which whoever asks next is told.
            Recorded::Refused => Err(Refusal::Changed { version: cart.version() }.into()),
        }
    }

    /// The order of the cart, by what that costs now, and what is written with it.
    async fn counted(
        &self,
        Checkout { buyer, asked, now, .. }: &Checkout,
        cart: &Cart,
        contact: &Contact,
        limit: &OnceCell<()>,
    ) -> Result<Counted<PlacedOrder, Option<Box<FirstAttempt>>>, Problem> {
        let customer = buyer.customer();
        let priced = self.pricing.price(cart, Some(&customer), Consistency::Strong, *now).await?;
        let (order, purchase) = priced.order(cart, asked, self.shop, &customer, contact.clone(), *now)?;
        let coupon = purchase.coupon().cloned();
        let mut write = Write::new();
        let choice = asked.payment_method.unwrap_or(PaymentChoice::CashOnDelivery);
        let (order, along) = self.opening.to_be_paid(buyer.owning(order), choice, &mut write, *now)?;
        limit.get_or_try_init(|| self.rules.count_order(buyer, *now)).await?;
        let became = LastOrder {
            cart_version: cart.version(),
            order_id: order.id(),
            total: order.total(),
            currency: order.currency(),
            payment_id: along.as_ref().map(|attempt| attempt.id()),
        };
        write.update(self.carts.ordered(cart, &became, *now)?);
        let answer = PlacedOrder::from(&became);
        Ok(Counted::New(Box::new(ToRecord { order, coupon, write, answer, along })))
    }

    async fn basis(&self, Checkout { buyer, cart, keyed, now, .. }: &Checkout) -> anyhow::Result<Basis> {
        let read = self.carts.with(Read::new(), cart)?;
        let read = match buyer.person() {
            Some(person) => self.users.with(read, person)?,
            None => read,
        };
        let read = self.guards.with_record(read, keyed.as_ref())?;
        let mut found = read.fetch(self.carts.client()).await?;
        let found_cart = self.carts.found_in(&mut found, *now)?;
        Ok(Basis {
            cart: found_cart.unwrap_or_else(|| Cart::empty(cart.clone(), *now)),
            buyer: self.users.found_in(&mut found)?,
            record: self.guards.record_in(&mut found),
        })
    }
}
