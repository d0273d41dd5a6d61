//! What people buy. The rules of an order are here and call nothing; [`letters`] and [`texts`] say what its buyer is
//! told, [`store`] keeps orders in DynamoDB, [`queue`] and [`workflow`] pass them on. [`Ordering`] is what buyers and
//! the workflow do, [`guests`] what people without an account do, [`fulfilling`] what sellers and admins say, [`back`]
//! and [`returns`] what comes back, [`selling`] what each seller has of an order, [`parcels`] what each sends of it,
//! [`sales`] how business goes, [`Sweep`] what is done for one that was left behind.

pub mod admin;
pub mod back;
pub mod buyers;
pub mod digests;
pub mod events;
pub mod fulfilling;
pub mod guests;
pub mod letters;
pub mod number;
pub mod ordering;
pub mod parcels;
pub mod paying;
pub mod prices;
pub mod purchase;
pub mod queue;
pub mod returns;
pub mod sales;
pub mod selling;
pub mod store;
pub mod sweep;
pub mod texts;
pub mod workflow;

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use anyhow::Context;
use offers::{NotReserved, ProductId, ProductName};
use promotions::CouponCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use settings::MethodId;
use shared::caller::{Caller, UserId};
use shared::dynamo::list::Page;
use shared::guards::once::KeyReused;
use shared::http::input::{Body, Field, Fields, Value, whole_number};
use shared::http::problem::{FORBIDDEN, FieldError, Kind, Problem, StatusCode};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::country::Country;
use shared::values::money::{Amount, Currency, InMajor, Price, Sum};
use shared::values::time::Timestamp;
use stores::StoreId;
use users::{CurrentAdmin, Email, FullName, Profile};

pub use back::{Back, NotBack, Share};
pub use buyers::{Buyer, BuyerRules};
pub use fulfilling::{Progress, Shipment};
pub use letters::LetterKind;
pub use number::OrderNumber;
pub use offers::OfferId;
pub use ordering::Ordering;
pub use parcels::{Moves, Parcel, ParcelProgress, ParcelSaid, RefusedMoney};
pub use paying::{Paying, PaymentId, PaymentStatus, RefundId};
pub use prices::PriceTables;
pub use purchase::{Address, Amounts, Purchase};
pub use queue::{OrderQueue, OrderQueued, PaymentQueue, PaymentQueued};
pub use returns::{Return, ReturnId};
pub use selling::{SellerOrder, SellerOrderList, SellerOrderView, SellerStatus};
pub use store::{Orders, Placing, Returns};
pub use sweep::Sweep;
pub use texts::OrderTextKind;
pub use workflow::Workflow;

use back::LineBack;
use parcels::{ParcelReason, ParcelStatus, Parcels};
use purchase::{AmountsView, Choices, LineAmounts, LineAmountsView, NewChoices, Prices, UsedCoupon, Wanted};

shared::id!(
    /// Names an order.
    OrderId
);

/// How many pieces of one product an order takes: 1 to 10,000, and no more than the shop allows
/// ([`NewOrder::takes_at_most`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(u32);

impl Quantity {
    /// The most pieces that a line can have, whatever the shop allows.
    pub const MOST: u32 = 10_000;

    /// So many pieces; `None` for none and for too many.
    pub fn new(pieces: u32) -> Option<Self> {
        (1..=Self::MOST).contains(&pieces).then_some(Self(pieces))
    }

    /// As a number of pieces.
    pub const fn pieces(self) -> u32 {
        self.0
    }
}

impl Field for Quantity {
    fn parse(value: Value) -> Result<Self, String> {
        whole_number(&value, 1..=Self::MOST).map(Self)
    }
}

shared::names!(
    /// How an order is paid.
    pub enum PaymentMethod {
        /// To the carrier, at the door.
        CashOnDelivery = "cash_on_delivery",
        /// By card, before it is sent.
        Card = "card",
        /// Not at all: it costs nothing.
        Free = "none",
    }
);

shared::names!(
    /// How somebody wants to pay. What costs nothing is paid in neither way.
    pub enum PaymentChoice {
        /// To the carrier, at the door.
        CashOnDelivery = "cash_on_delivery",
        /// By card, at once.
        Card = "card",
    }
);

shared::names!(
    /// How an order is paid that no cart came before.
    enum OnDelivery {
        CashOnDelivery = "cash_on_delivery",
    }
);

shared::body!(
    /// One offer that somebody wants. Of a product without variants, it has the product's id.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
    pub struct NewLine {
        /// The offer.
        pub id: OfferId,
        /// How many pieces of it.
        pub quantity: Quantity,
    }
);

impl NewLine {
    /// Reads a list of up to 50, in which each offer may stand once.
    pub fn read_each_once(fields: &mut Fields, name: &'static str) -> Option<Vec<Self>> {
        let lines: Vec<Self> = fields.list(name, 1..=50)?;
        let mut seen = HashSet::new();
        for line in lines.iter().filter(|line| !seen.insert(line.id)) {
            fields.fault(name, &format!("has the product {} twice", line.id));
        }
        Some(lines)
    }
}

/// What somebody wants: `{id, quantity}` for one product, or `{items: [{id, quantity}, …]}` for up to 50; and with
/// which coupon, sent how and where to, at which total, where that is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewOrder {
    lines: Vec<NewLine>,
    payment_method: PaymentMethod,
    #[serde(flatten)]
    choices: Choices,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_total: Option<Amount>,
    /// Whether it was written with `items`: the same order all the same.
    #[serde(skip)]
    is_list: bool,
}

impl Body for NewOrder {
    fn read(fields: &mut Fields) -> Option<Self> {
        let _: Option<OnDelivery> = fields.optional("paymentMethod");
        let is_list = fields.has("items");
        Self::read_with(fields, is_list, |fields| {
            if is_list {
                NewLine::read_each_once(fields, "items")
            } else {
                NewLine::read(fields).map(|line| vec![line])
            }
        })
    }
}

/// What somebody wants who pays by card, on a page that is opened with the order: `{items: [{id, quantity}, …]}`, and
/// the same besides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct NewCardOrder(pub NewOrder);

impl Body for NewCardOrder {
    fn read(fields: &mut Fields) -> Option<Self> {
        NewOrder::read_with(fields, true, |fields| NewLine::read_each_once(fields, "items")).map(Self)
    }
}

impl NewOrder {
    fn read_with(
        fields: &mut Fields,
        is_list: bool,
        lines: impl FnOnce(&mut Fields) -> Option<Vec<NewLine>>,
    ) -> Option<Self> {
        let choices = NewChoices::read(fields);
        let expected_total = fields.optional("expectedTotal").map(Sum::amount);
        let (lines, choices) = (lines(fields)?, Choices::default().with(choices?));
        Some(Self { lines, payment_method: PaymentMethod::CashOnDelivery, choices, expected_total, is_list })
    }

    /// Of these offers, of which each is there once, and as it was chosen; to be paid at the door, unless its order is
    /// said to await its payment.
    pub fn of(lines: impl IntoIterator<Item = NewLine>, choices: Choices, expected_total: Amount) -> Self {
        let (lines, payment_method) = (lines.into_iter().collect(), PaymentMethod::CashOnDelivery);
        Self { lines, payment_method, choices, expected_total: Some(expected_total), is_list: true }
    }

    /// That it takes at most so many pieces of each product, which is the shop's to say.
    ///
    /// # Errors
    /// `invalid-input` with each line of more.
    pub fn takes_at_most(&self, pieces: u32) -> Result<(), Problem> {
        let too_large = self.lines.iter().enumerate().filter(|(_, line)| line.quantity.pieces() > pieces);
        let faults = too_large.map(|(index, _)| {
            let pointer =
                if self.is_list { format!("#/items/{index}/quantity") } else { "#/quantity".to_owned() };
            FieldError::body(pointer, format!("must be at most {pieces}: the shop sells no more at once"))
        });
        let faults: Vec<_> = faults.collect();
        if faults.is_empty() { Ok(()) } else { Err(Problem::invalid_input(faults)) }
    }

    /// The offers it asks for.
    pub fn offers(&self) -> impl Iterator<Item = OfferId> {
        self.lines.iter().map(|line| line.id)
    }

    /// What was chosen besides.
    pub fn choices(&self) -> &Choices {
        &self.choices
    }
}

shared::names!(
    /// Where an order stands.
    pub enum OrderStatus {
        /// Recorded, its stock reserved until it is paid or its time to pay is over.
        AwaitingPayment = "awaiting_payment",
        /// Recorded, its stock reserved; it will ship or be cancelled.
        Pending = "pending",
        /// On its way.
        Shipping = "shipping",
        /// Over, arrived.
        Delivered = "delivered",
        /// Over, its stock given back.
        Cancelled = "cancelled",
    }
);

shared::names!(
    /// What sends the orders of a shop on their way.
    pub enum Fulfilment {
        /// The workflow, at once.
        Automatic = "automatic",
        /// A person: the seller of all that is in it, or an admin.
        Manual = "manual",
    }
);

shared::names!(
    /// In which part somebody acts on an order.
    pub enum Part {
        /// Who ordered.
        Buyer = "buyer",
        /// Who sells all that was ordered.
        Seller = "seller",
        /// Who runs the shop.
        Admin = "admin",
        /// Nobody: the workflow.
        Shop = "shop",
    }
);

/// Who acts on an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    part: Part,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
}

impl Actor {
    /// The workflow.
    pub const WORKFLOW: Self = Self { part: Part::Shop, user_id: None };

    /// The buyer.
    pub const BUYER: Self = Self { part: Part::Buyer, user_id: None };

    /// An admin.
    pub fn admin(admin: &CurrentAdmin) -> Self {
        Self { part: Part::Admin, user_id: Some(admin.0.id().clone()) }
    }

    /// Which person it is, where it is one that something has to know of.
    pub fn person(&self) -> Option<&UserId> {
        self.user_id.as_ref()
    }

    /// Somebody who acts as the seller of something where that is so, and otherwise as an admin; `None` for others.
    pub(crate) fn of(is_seller: bool, caller: &Caller) -> Option<Self> {
        let part = match (is_seller, caller.is_admin()) {
            (true, _) => Part::Seller,
            (false, true) => Part::Admin,
            (false, false) => return None,
        };
        Some(Self { part, user_id: Some(caller.id().clone()) })
    }

    /// Why an order is over that this one ended by `action`; nothing for what ends none.
    fn reason(&self, action: Action) -> Option<CancellationReason> {
        match (action, self.part) {
            (Action::Pay | Action::Ship | Action::Deliver, _) => None,
            (Action::Cancel | Action::Expire, Part::Buyer) => Some(CancellationReason::ByBuyer),
            (Action::Cancel | Action::Expire, Part::Seller | Part::Admin) => Some(CancellationReason::ByShop),
            (Action::Cancel, Part::Shop) => Some(CancellationReason::NotShippable),
            (Action::Expire, Part::Shop) => Some(CancellationReason::NotPaid),
        }
    }
}

/// What the shop's parameters say of new orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shop {
    /// What sends them on their way.
    pub fulfilment: Fulfilment,
    /// Where the shop is: where to, as long as nobody says.
    pub country: Country,
}

impl FromEnv for Shop {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { fulfilment: config::required("FULFILMENT")?, country: config::required("SHOP_COUNTRY")? })
    }
}

/// What is done with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is handed over for shipping: by the workflow, or by who fulfils it by hand.
    Ship,
    /// It arrived, as who fulfils it says.
    Deliver,
    /// The buyer does not want it, or it cannot ship.
    Cancel,
    /// Its money has come.
    Pay,
    /// Nobody can pay for it any more, as the provider of payments has said of each attempt.
    Expire,
}

impl Action {
    /// All there are.
    pub const ALL: [Self; 5] = [Self::Ship, Self::Deliver, Self::Cancel, Self::Pay, Self::Expire];
}

/// What an action means for an order as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// It moves on.
    To(OrderStatus),
    /// It has happened before: nothing to do.
    Already,
    /// Nobody knows yet: the provider of payments is to be asked first.
    Unsettled,
    /// It cannot happen any more.
    Refused,
}

impl OrderStatus {
    /// Every transition there is.
    pub fn on(self, action: Action) -> Transition {
        match (action, self) {
            (Action::Pay, Self::AwaitingPayment) => Transition::To(Self::Pending),
            (Action::Ship, Self::Pending) => Transition::To(Self::Shipping),
            (Action::Deliver, Self::Shipping) => Transition::To(Self::Delivered),
            (Action::Cancel, Self::Pending) | (Action::Expire, Self::AwaitingPayment) => {
                Transition::To(Self::Cancelled)
            }
            (Action::Cancel, Self::AwaitingPayment) => Transition::Unsettled,
            (Action::Pay, Self::Pending | Self::Shipping | Self::Delivered)
            | (Action::Ship, Self::Shipping | Self::Delivered)
            | (Action::Deliver, Self::Delivered)
            | (Action::Cancel | Action::Expire, Self::Cancelled) => Transition::Already,
            (Action::Pay | Action::Ship, Self::Cancelled)
            | (Action::Ship, Self::AwaitingPayment)
            | (Action::Deliver, Self::AwaitingPayment | Self::Pending | Self::Cancelled)
            | (Action::Cancel, Self::Shipping | Self::Delivered)
            | (Action::Expire, Self::Pending | Self::Shipping | Self::Delivered) => Transition::Refused,
        }
    }

    /// Where `action` leads, and from which statuses: all of them lead to one.
    fn before(action: Action) -> Option<(Self, Vec<Self>)> {
        let mut target = None;
        let mut allowed = Vec::new();
        for from in Self::ALL {
            if let Transition::To(to) = from.on(action) {
                target = Some(to);
                allowed.push(from);
            }
        }
        Some((target?, allowed))
    }
}

/// One offer of an order, as it was when the order was placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    offer_id: OfferId,
    product_id: ProductId,
    product_name: ProductName,
    unit_price: Price,
    quantity: Quantity,
    seller_id: UserId,
    /// In which store it was; missing where it was in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    store_id: Option<StoreId>,
    /// What it comes to; missing where that is its price times its quantity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amounts: Option<LineAmounts>,
}

impl Line {
    /// What was wanted, as it is counted in its purchase.
    fn of(wanted: &Wanted<'_>, purchase: &Purchase) -> Self {
        let offer = wanted.offer;
        Self {
            offer_id: offer.id(),
            product_id: offer.product_id(),
            product_name: offer.product_name().clone(),
            unit_price: offer.price(),
            quantity: wanted.quantity,
            seller_id: offer.seller().clone(),
            store_id: offer.store(),
            amounts: purchase.line(offer.id()).filter(|amounts| !amounts.are_of_the_price_alone()),
        }
    }

    /// Which offer was taken.
    pub fn offer_id(&self) -> OfferId {
        self.offer_id
    }

    /// What was bought.
    pub fn product_name(&self) -> &ProductName {
        &self.product_name
    }

    /// Who sells it.
    pub fn seller(&self) -> &UserId {
        &self.seller_id
    }

    /// How many pieces of it.
    pub fn quantity(&self) -> Quantity {
        self.quantity
    }

    /// What one piece cost.
    pub fn unit_price(&self) -> Price {
        self.unit_price
    }

    /// What all of its pieces cost, before discount and without a tax on top; `None` if that is too large to be written
    /// down, which no line of a placed order is.
    pub fn total(&self) -> Option<Amount> {
        self.unit_price.amount().checked_times(self.quantity.pieces())
    }
}

/// Whom to write to about an order, as it was when the order was placed: whatever becomes of the account, what was
/// ordered can still be told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// Where mail reaches the buyer.
    pub email: Email,
    /// What to call the buyer.
    pub full_name: FullName,
}

impl From<Profile> for Contact {
    fn from(profile: Profile) -> Self {
        Self { email: profile.email, full_name: profile.full_name }
    }
}

/// Neither name nor address is for a log.
impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Contact(…)")
    }
}

/// A status that an order has or had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    status: OrderStatus,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<CancellationReason>,
    /// Whose doing it was. Where it is missing, status and reason tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<Actor>,
}

impl HistoryEntry {
    /// In which part somebody did it.
    fn part(&self) -> Part {
        match (&self.by, self.status, self.reason) {
            (Some(by), _, _) => by.part,
            (None, OrderStatus::AwaitingPayment | OrderStatus::Pending, _)
            | (None, OrderStatus::Cancelled, Some(CancellationReason::ByBuyer)) => Part::Buyer,
            (None, OrderStatus::Shipping | OrderStatus::Delivered | OrderStatus::Cancelled, _) => Part::Shop,
        }
    }
}

shared::names!(
    /// Why an order was cancelled.
    pub enum CancellationReason {
        /// The buyer asked for it.
        ByBuyer = "by_buyer",
        /// The workflow could not ship it.
        NotShippable = "not_shippable",
        /// An admin did it.
        ByShop = "by_shop",
        /// Its time to pay was over.
        NotPaid = "not_paid",
    }
);

impl CancellationReason {
    /// Sentences for the buyer, of an order that was paid or was not.
    pub const fn in_words(self, was_paid: bool) -> &'static str {
        match (self, was_paid) {
            (Self::ByBuyer, false) => "You cancelled it.",
            (Self::ByBuyer, true) => "You cancelled it. You get your money back.",
            (Self::NotShippable, false) => "We could not prepare it for shipping. You have not been charged.",
            (Self::NotShippable, true) => "We could not prepare it for shipping. You get your money back.",
            (Self::ByShop, false) => "The shop cancelled it. You have not been charged.",
            (Self::ByShop, true) => "The shop cancelled it. You get your money back.",
            (Self::NotPaid, false) => "It was not paid in time.",
            (Self::NotPaid, true) => "It was not paid in time. You get the money back that came later.",
        }
    }
}

/// How long an order may owe something before it is swept up: longer than fulfilment and email take when all is well.
const GRACE: Duration = Duration::from_mins(2);

/// How often an email is queued again before somebody has to look.
const EMAIL_ATTEMPTS: u32 = 10;

/// How often an unpaid order is looked at within its first two hours.
const HOLD_ATTEMPTS: u32 = 6;

/// The shape in which orders are written.
const SCHEMA_VERSION: u32 = 1;

/// An order as the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    order_id: OrderId,
    user_id: UserId,
    /// Whose address a guest gave, in the index of that name, until somebody claims it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guest: Option<guests::GuestId>,
    contact: Contact,
    status: OrderStatus,
    payment_method: PaymentMethod,
    /// What became of its money, where that goes by the provider of payments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment: Option<Paying>,
    /// What of it came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    back: Option<Back>,
    lines: Vec<Line>,
    total: Amount,
    /// Of what the total is made; missing where it is the lines alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amounts: Option<Amounts>,
    /// The coupon that it used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    coupon: Option<UsedCoupon>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shipping_method: Option<MethodId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shipping_address: Option<Address>,
    currency: Currency,
    created_at: Timestamp,
    updated_at: Timestamp,
    history: Vec<HistoryEntry>,
    /// Whether it ships when a person says so, and not at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    manual: bool,
    /// How it travels, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shipment: Option<Shipment>,
    /// What each of its sellers sends; missing as long as it is sent as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parcels: Option<Parcels>,
    /// What is not paid of it at the door, of parcels that were refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    waived: Option<Amount>,
    /// While something is owed to the order, its shard of the index `due`; gone when all is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    /// When to look whether it is still owed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
    /// Its shard of the index `all`, for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    all: Option<String>,
    /// While it is pending, its shard of the index `open`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open: Option<String>,
    /// How often it was looked at in this status.
    #[serde(default)]
    attempts: u32,
    /// Whether its pieces, on their way, are no longer promised by their offers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    handed_over: bool,
    schema_version: u32,
}

/// What an order is owed when it falls due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owed {
    /// To be settled: the provider of payments is asked whether it is paid, and what can no longer be is over.
    Payment,
    /// To be queued for fulfilment.
    Fulfilment,
    /// A letter that was not recorded as sent.
    Letter(LetterKind),
    /// Nothing that trying again could give: somebody has to look.
    Abandoned,
}

impl Order {
    /// The order that `buyer` places for `order` at `now`, by the prices as they were read, to be fulfilled as its shop
    /// does at that moment; and what it comes to.
    ///
    /// # Errors
    /// Names the line that cannot be had; then says that they are of too many sellers; then what is wrong with the
    /// purchase as a whole ([`Purchase::agrees`]).
    pub fn place(
        order: &NewOrder,
        prices: &Prices,
        shop: Shop,
        buyer: &UserId,
        contact: Contact,
        now: Timestamp,
    ) -> Result<(Self, Purchase), Error> {
        let mut wanted = Vec::with_capacity(order.lines.len());
        let mut currency = None;
        for line in &order.lines {
            let offer = prices.offers.iter().find(|offer| offer.id() == line.id);
            let offer = offer.ok_or(Refusal::from(NotReserved::NotForSale(line.id)))?;
            if let Some(refusal) = offer.refusal(line.quantity.pieces(), offer.price()) {
                return Err(Refusal::from(refusal).into());
            }
            if *currency.get_or_insert(offer.currency()) != offer.currency() {
                return Err(Refusal::MixedCurrencies.into());
            }
            wanted.push(Wanted { offer, quantity: line.quantity });
        }
        let currency = currency.context("an order has a line")?;
        let purchase = Purchase::of(&wanted, currency, &order.choices, prices, shop.country, now);
        // 50 lines of 10,000 pieces at a million each fit many times over.
        let purchase = purchase.context("an order's total fits")?;
        let order_id = OrderId::at(now);
        let placed = Self {
            order_id,
            user_id: buyer.clone(),
            guest: None,
            contact,
            status: OrderStatus::Pending,
            payment_method: order.payment_method,
            payment: None,
            back: None,
            lines: wanted.iter().map(|wanted| Line::of(wanted, &purchase)).collect(),
            total: purchase.total(),
            amounts: Some(purchase.amounts()).filter(|amounts| !amounts.are_of_items_alone()),
            coupon: purchase.used_coupon(),
            shipping_method: purchase.method().cloned(),
            shipping_address: purchase.address().cloned(),
            currency,
            created_at: now,
            updated_at: now,
            history: vec![HistoryEntry { status: OrderStatus::Pending, at: now, reason: None, by: None }],
            manual: shop.fulfilment == Fulfilment::Manual,
            shipment: None,
            parcels: None,
            waived: None,
            due: Some(store::due_shard(order_id)),
            due_at: Some(now + GRACE),
            all: Some(store::list_shard(order_id).to_owned()),
            open: Some(store::list_shard(order_id).to_owned()),
            attempts: 0,
            handed_over: false,
            schema_version: SCHEMA_VERSION,
        };
        if let Some(sellers) = placed.too_many_sellers() {
            return Err(Refusal::TooManySellers { sellers }.into());
        }
        purchase.agrees(order.expected_total).map_err(Refusal::from)?;
        let is_free = placed.total == Amount::ZERO;
        Ok((if is_free { placed.for_nothing() } else { placed }, purchase))
    }

    /// Its id.
    pub fn id(&self) -> OrderId {
        self.order_id
    }

    /// Whose it is.
    pub fn buyer(&self) -> &UserId {
        &self.user_id
    }

    /// Whom to write to about it.
    pub fn contact(&self) -> &Contact {
        &self.contact
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

    /// Of what its total is made.
    pub fn amounts(&self) -> Amounts {
        self.amounts.unwrap_or_else(|| Amounts::of_items(self.total))
    }

    /// How it is sent; nothing where the shop had no ways of sending.
    pub fn shipping_method(&self) -> Option<&MethodId> {
        self.shipping_method.as_ref()
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

    /// How it travels, if that was said.
    pub fn shipment(&self) -> Option<&Shipment> {
        self.shipment.as_ref()
    }

    /// Whether `caller` sells all that is in it.
    pub fn is_sold_by(&self, caller: &Caller) -> bool {
        !self.lines.is_empty() && self.lines.iter().all(|line| line.seller_id == *caller.id())
    }

    /// In which part `caller` fulfils it; `None` where the caller may not. An order of several sellers is the admins'
    /// alone.
    pub fn fulfilled_by(&self, caller: &Caller) -> Option<Actor> {
        Actor::of(self.is_sold_by(caller), caller)
    }

    /// When something happens to it that is said at `now`: then, or just after what happened last.
    pub fn moment(&self, now: Timestamp) -> Timestamp {
        now.after(self.updated_at)
    }

    /// When something can happen to it that was refused at `now`, though its status allows it: after what came last.
    ///
    /// # Errors
    /// When that was before `now`, and so not why.
    pub(crate) fn next_moment(&self, now: Timestamp) -> anyhow::Result<Timestamp> {
        anyhow::ensure!(self.updated_at >= now, "the order can move on and its condition failed");
        Ok(self.moment(now))
    }

    /// Why it was cancelled, if it was.
    pub fn cancellation_reason(&self) -> Option<CancellationReason> {
        let entry = self.history.iter().rev().find(|entry| entry.status == OrderStatus::Cancelled);
        entry?.reason
    }
}

/// An order that is owed something, as the index of such orders has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DueOrder {
    order_id: OrderId,
    status: OrderStatus,
    due_at: Timestamp,
    /// How often it was looked at in this status.
    #[serde(default)]
    attempts: u32,
}

impl DueOrder {
    /// Its id.
    pub fn id(&self) -> OrderId {
        self.order_id
    }

    /// Where it stood a moment ago.
    pub fn status(&self) -> OrderStatus {
        self.status
    }

    /// What it is owed when it has fallen due.
    pub fn owed(&self) -> Owed {
        match self.status {
            OrderStatus::AwaitingPayment => Owed::Payment,
            // Its workflow ends in shipping, in release, or in its being owed nothing until a person ships it, so it is
            // tried for as long as it takes.
            OrderStatus::Pending => Owed::Fulfilment,
            OrderStatus::Shipping | OrderStatus::Delivered | OrderStatus::Cancelled
                if self.attempts >= EMAIL_ATTEMPTS =>
            {
                Owed::Abandoned
            }
            OrderStatus::Shipping => Owed::Letter(LetterKind::Shipping),
            OrderStatus::Delivered => Owed::Letter(LetterKind::Delivered),
            OrderStatus::Cancelled => Owed::Letter(LetterKind::Cancelled),
        }
    }

    /// Whether its stock is held long after its time to pay, since nobody could be asked whether it is paid.
    pub fn is_held_too_long(&self) -> bool {
        self.status == OrderStatus::AwaitingPayment && self.attempts >= HOLD_ATTEMPTS
    }

    /// When to look again after a sweep at `now`: 2, 4, 8 … minutes, at most about two hours.
    fn next_due(&self, now: Timestamp) -> Timestamp {
        now + GRACE * (1 << self.attempts.min(6))
    }
}

/// An order as its buyer and its seller see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderView {
    order_id: OrderId,
    number: OrderNumber,
    status: OrderStatus,
    payment_method: PaymentMethod,
    payment_status: PaymentStatus,
    items: Vec<LineView>,
    total: InMajor,
    amounts: AmountsView,
    #[serde(skip_serializing_if = "Option::is_none")]
    coupon_code: Option<CouponCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_method: Option<MethodId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_address: Option<Address>,
    currency: Currency,
    created_at: Timestamp,
    updated_at: Timestamp,
    history: Vec<HistoryView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipment: Option<Shipment>,
    /// Where it is sent in parts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parcels: Vec<ParcelView>,
}

/// What one of an order's sellers sends of it. Who that is the products tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct ParcelView {
    status: ParcelStatus,
    items: Vec<OfferId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipment: Option<Shipment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<ParcelReason>,
}

impl ParcelView {
    fn of(order: &Order, seller: &UserId, parcel: &Parcel) -> Self {
        Self {
            status: parcel.status,
            items: order.lines_of(seller).map(|line| line.offer_id).collect(),
            shipment: parcel.shipment.clone(),
            reason: parcel.reason.clone(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct HistoryView {
    status: OrderStatus,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    by: Part,
    /// For admins alone.
    #[serde(rename = "userId", skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
}

impl HistoryView {
    fn of(entry: &HistoryEntry, was_paid: bool) -> Self {
        let reason = entry.reason.map(|reason| reason.in_words(was_paid));
        Self { status: entry.status, at: entry.at, reason, by: entry.part(), user_id: None }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct LineView {
    id: OfferId,
    product_name: ProductName,
    product_price: InMajor,
    quantity: Quantity,
    #[serde(flatten)]
    amounts: LineAmountsView,
    /// Pieces that are paid back, or are to be, if any is.
    #[serde(skip_serializing_if = "Option::is_none")]
    refunded_quantity: Option<u32>,
    /// Pieces in returns, if any is.
    #[serde(skip_serializing_if = "Option::is_none")]
    returned_quantity: Option<u32>,
}

impl From<Order> for OrderView {
    fn from(order: Order) -> Self {
        let back: Vec<_> = order.lines.iter().map(|line| order.back_of(line.offer_id)).collect();
        let item = |(line, back): (Line, LineBack)| {
            // What cannot be written down was never placed.
            let total = line.total().unwrap_or(Amount::ZERO);
            LineView {
                id: line.offer_id,
                product_name: line.product_name,
                product_price: line.unit_price.amount().in_major(),
                quantity: line.quantity,
                amounts: line.amounts.unwrap_or_else(|| LineAmounts::of_price(total)).into(),
                refunded_quantity: Some(back.refunded()).filter(|pieces| *pieces > 0),
                returned_quantity: Some(back.returned()).filter(|pieces| *pieces > 0),
            }
        };
        let (payment_status, was_paid) = (order.payment_status(), order.was_paid());
        let parcels = order.parcels.iter().flatten();
        let parcels = parcels.map(|(seller, parcel)| ParcelView::of(&order, seller, parcel)).collect();
        Self {
            parcels,
            amounts: order.amounts().into(),
            order_id: order.order_id,
            number: order.order_id.into(),
            status: order.status,
            payment_method: order.payment_method,
            payment_status,
            items: order.lines.into_iter().zip(back).map(item).collect(),
            total: order.total.in_major(),
            coupon_code: order.coupon.map(|coupon| coupon.code),
            shipping_method: order.shipping_method,
            shipping_address: order.shipping_address,
            currency: order.currency,
            created_at: order.created_at,
            updated_at: order.updated_at,
            history: order.history.iter().map(|entry| HistoryView::of(entry, was_paid)).collect(),
            shipment: order.shipment,
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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A line cannot be had.
    #[error(transparent)]
    NotReserved(#[from] NotReserved),
    /// These lines are of stores that are closed.
    #[error("{} lines are of stores that are closed", .0.len())]
    StoresClosed(Vec<OfferId>),
    /// The coupon, the way of sending or the total is not as it was asked for.
    #[error(transparent)]
    Purchase(#[from] purchase::Refusal),
    /// Products that are priced in different currencies.
    #[error("the products are priced in different currencies")]
    MixedCurrencies,
    /// More sellers and stores, together with its lines, than can be written at once.
    #[error("{sellers} sellers are too many for so many products")]
    TooManySellers {
        /// So many.
        sellers: usize,
    },
    /// Nobody could be told of the order: the buyer's account has no profile.
    #[error("the buyer has no profile")]
    NoProfile,
    /// The buyer's account is disabled, or about to be deleted.
    #[error("the buyer's account is closed")]
    AccountClosed,
    /// It is on its way.
    #[error("the order is on its way")]
    NotCancellable,
    /// It is over.
    #[error("the order was cancelled")]
    Cancelled,
    /// It is not paid yet.
    #[error("the order awaits its payment")]
    AwaitsPayment,
    /// What has not shipped has not arrived.
    #[error("the order has not shipped")]
    NotShipped,
    /// It was said before, with another carrier or number.
    #[error("the order has shipped in another way")]
    ShippedOtherwise,
    /// Others send parts of it as well, each for themselves.
    #[error("the order has several sellers")]
    SeveralParcels,
    /// The workflow ships it, and a part of it nobody.
    #[error("the shop ships the order")]
    SentByShop,
    /// Its seller does not send it.
    #[error("the parcel was refused")]
    ParcelRefused,
    /// It cannot be refused any more.
    #[error("the parcel is on its way")]
    ParcelOnItsWay,
    /// It has several sellers, and an admin did not say of whose parcel it is.
    #[error("nobody has said whose parcel it is")]
    WhichSeller,
    /// The key came before with another order.
    #[error(transparent)]
    KeyReused(#[from] KeyReused),
}

impl Refusal {
    /// Why an order of these lines cannot be had: by the first of them, and by all that it is so of where a store is
    /// closed. `None` where there are none.
    fn of_lines(lines: &[NotReserved]) -> Option<Self> {
        let closed = lines.iter().filter_map(|line| match line {
            NotReserved::StoreClosed(id) => Some(*id),
            NotReserved::NotForSale(_) | NotReserved::PriceChanged(_) | NotReserved::OutOfStock { .. } => {
                None
            }
        });
        match lines.first()? {
            NotReserved::StoreClosed(_) => Some(Self::StoresClosed(closed.collect())),
            other => Some((*other).into()),
        }
    }

    /// Why what somebody says of an order in this status cannot be so.
    fn of_progress(status: OrderStatus) -> Self {
        match status {
            OrderStatus::Cancelled => Self::Cancelled,
            OrderStatus::AwaitingPayment => Self::AwaitsPayment,
            OrderStatus::Pending | OrderStatus::Shipping | OrderStatus::Delivered => Self::NotShipped,
        }
    }
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such order, or it is not the caller's.
    #[error("there is no such order")]
    NotFound,
    /// Who ordered does not say when it ships.
    #[error("the order is the caller's to receive")]
    NotTheirs,
    /// A rule said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A call failed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

const NOT_CANCELLABLE: Kind = Kind::new(StatusCode::CONFLICT, "not-cancellable", "Not cancellable");
const CANCELLED: Kind = Kind::new(StatusCode::CONFLICT, "order-cancelled", "Order cancelled");
const AWAITS_PAYMENT: Kind = Kind::new(StatusCode::CONFLICT, "awaiting-payment", "Awaiting payment");
const NOT_SHIPPED: Kind = Kind::new(StatusCode::CONFLICT, "not-shipped", "Not shipped");
const ALREADY_SHIPPED: Kind = Kind::new(StatusCode::CONFLICT, "already-shipped", "Already shipped");
const SEVERAL_PARCELS: Kind = Kind::new(StatusCode::CONFLICT, "several-parcels", "Several parcels");
const SENT_BY_SHOP: Kind = Kind::new(StatusCode::CONFLICT, "sent-by-shop", "Sent by the shop");
const PARCEL_REFUSED: Kind = Kind::new(StatusCode::CONFLICT, "parcel-refused", "Parcel refused");
const MIXED_CURRENCIES: Kind = Kind::new(StatusCode::CONFLICT, "mixed-currencies", "Mixed currencies");
const TOO_MANY_SELLERS: Kind = Kind::new(StatusCode::CONFLICT, "too-many-sellers", "Too many sellers");
const NO_PROFILE: Kind = Kind::new(StatusCode::CONFLICT, "no-profile", "No profile");

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotReserved(refusal) => refusal.into(),
            Refusal::StoresClosed(lines) => {
                let line = |id: &OfferId| json!({ "productId": id, "problem": "store-closed" });
                let told: Vec<_> = lines.iter().map(line).collect();
                let first = lines.first().map(|id| Self::from(NotReserved::StoreClosed(*id)));
                let first = first.unwrap_or_else(|| anyhow::anyhow!("no line is of a closed store").into());
                first.with("lines", told)
            }
            Refusal::Purchase(refusal) => refusal.into(),
            Refusal::MixedCurrencies => Self::new(
                MIXED_CURRENCIES,
                "The products are priced in different currencies. Order them separately.",
            ),
            Refusal::TooManySellers { sellers } => {
                let detail = "So many products of so many sellers cannot be ordered at once. Order some of them first.";
                Self::new(TOO_MANY_SELLERS, detail).with("sellers", sellers)
            }
            Refusal::NoProfile => Self::new(
                NO_PROFILE,
                "Your account is not complete: we have no name and no confirmed address to write to about an order. \
                 Ask the shop to complete it, or sign up with another address, and order again.",
            ),
            Refusal::AccountClosed => users::account_closed(),
            Refusal::NotCancellable => {
                Self::new(NOT_CANCELLABLE, "The order is on its way and can no longer be cancelled.")
            }
            Refusal::Cancelled => {
                Self::new(CANCELLED, "The order was cancelled. Nothing more can happen to it.")
            }
            Refusal::AwaitsPayment => {
                Self::new(AWAITS_PAYMENT, "The order is not paid yet. It ships, or is cancelled, after that.")
            }
            Refusal::NotShipped => Self::new(NOT_SHIPPED, "The order has not shipped yet. Say that first."),
            Refusal::ShippedOtherwise => Self::new(
                ALREADY_SHIPPED,
                "The order was said to be shipped before, with another carrier, number or URL. Its buyer was told those.",
            ),
            Refusal::SeveralParcels => Self::new(
                SEVERAL_PARCELS,
                "Others sell products of this order as well. Say what became of your parcel: \
                 PUT /seller/orders/{orderId}/status.",
            ),
            Refusal::SentByShop => {
                Self::new(SENT_BY_SHOP, "The shop sends this order by itself, in a moment and as a whole.")
            }
            Refusal::ParcelRefused => Self::new(
                PARCEL_REFUSED,
                "It was said that this parcel is not sent. Nothing more can happen to it.",
            ),
            Refusal::ParcelOnItsWay => {
                Self::new(ALREADY_SHIPPED, "The parcel is on its way and can no longer be refused.")
            }
            Refusal::WhichSeller => {
                let detail = "is required: the order has several sellers";
                Self::invalid_input(vec![FieldError::body("#/sellerId", detail)])
            }
            Refusal::KeyReused(reused) => reused.into(),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::not_found("order"),
            Error::NotTheirs => Self::new(
                FORBIDDEN,
                "Only its seller and the shop's admins may say what became of this order.",
            ),
            Error::Refused(refusal) => refusal.into(),
            Error::Failed(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests;
