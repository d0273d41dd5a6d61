//! What buyers are told about their orders, and until when it is so.

use anyhow::Context;
use aws_sdk_dynamodb::types::Update;
use offers::ProductName;
use serde::Deserialize;
use shared::caller::UserId;
use shared::letters::{Letter, Letters, Link, Recipient, Row, Total};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::worker::Failure;
use shared::values::money::{Amount, Currency};
use shared::values::text::isolated;
use shared::values::time::Timestamp;

use crate::guests::{LinksWanted, OrderTokens};
use crate::parcels::ParcelStatus;
use crate::returns::ReturnStatus;
use crate::selling::ParcelName;
use crate::{
    Amounts, Contact, Line, Order, OrderId, OrderNumber, OrderStatus, Orders, PaymentMethod, PaymentQueue,
    Quantity, Return, ReturnId, Returns, Shipment,
};

shared::names!(
    /// What a letter about an order says.
    pub enum LetterKind {
        /// It was taken.
        Confirmed = "order.confirmed",
        /// It is on its way.
        Shipping = "order.shipping",
        /// It arrived.
        Delivered = "order.delivered",
        /// It is over, and why.
        Cancelled = "order.cancelled",
    }
);

impl LetterKind {
    /// In which status an order is owed nothing more once this letter is sent.
    pub const fn settles(self) -> Option<OrderStatus> {
        match self {
            Self::Confirmed => None,
            Self::Shipping => Some(OrderStatus::Shipping),
            Self::Delivered => Some(OrderStatus::Delivered),
            Self::Cancelled => Some(OrderStatus::Cancelled),
        }
    }

    /// Whether the provider of payments is told that it was sent, of an order that is paid in this way.
    fn is_told_to_who_took_the_money(self, paid: PaymentMethod) -> bool {
        match (self, paid) {
            (Self::Confirmed, PaymentMethod::Card) => true,
            (Self::Confirmed, PaymentMethod::CashOnDelivery | PaymentMethod::Free)
            | (Self::Shipping | Self::Delivered | Self::Cancelled, _) => false,
        }
    }
}

/// What there is to tell of orders.
#[derive(Debug, Clone)]
pub struct OrderLetters {
    orders: Orders,
    tokens: OrderTokens,
    payments: PaymentQueue,
}

impl FromEnv for OrderLetters {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            orders: Orders::from_env(aws)?,
            tokens: OrderTokens::from_env(aws)?,
            payments: PaymentQueue::from_env(aws)?,
        })
    }
}

shared::names!(
    /// What a letter about a return says.
    pub enum ReturnLetterKind {
        /// It was asked for.
        Requested = "return.requested",
        /// The shop agrees.
        Accepted = "return.accepted",
        /// The things are back.
        Received = "return.received",
        /// The shop does not take them.
        Refused = "return.refused",
    }
);

/// What there is to tell of returns.
#[derive(Debug, Clone)]
pub struct ReturnLetters {
    returns: Returns,
    tokens: OrderTokens,
}

impl FromEnv for ReturnLetters {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { returns: Returns::from_env(aws)?, tokens: OrderTokens::from_env(aws)? })
    }
}

impl Letters for ReturnLetters {
    const THINGS: &'static str = "returns";

    type Kind = ReturnLetterKind;
    type Id = ReturnId;
    type Thing = ();

    async fn letter(&self, kind: ReturnLetterKind, id: &ReturnId) -> Result<Option<(Letter, ())>, Failure> {
        let asked = self.returns.find(*id).await?;
        let asked = asked.context("there is no such return").map_err(Failure::Never)?;
        let order = self.returns.orders().find(asked.order_id).await?;
        let order = order.context("a return has an order").map_err(Failure::Never)?;
        Ok(order.letter_of(kind, &asked).map(|letter| (self.tokens.addressed(letter, &order), ())))
    }

    fn sent(&self, kind: ReturnLetterKind, id: &ReturnId) -> anyhow::Result<Option<Update>> {
        let status = ReturnStatus::ALL.into_iter().find(|status| status.letter() == kind);
        status.map(|status| self.returns.settled(*id, status)).transpose()
    }
}

shared::names!(
    /// What a letter about a seller's parcel says.
    pub enum ParcelLetterKind {
        /// It is on its way.
        Sent = "parcel.sent",
        /// Its seller does not send it.
        Refused = "parcel.refused",
    }
);

impl ParcelLetterKind {
    /// What the buyer is told of a parcel in this status.
    pub const fn of(status: ParcelStatus) -> Option<Self> {
        match status {
            ParcelStatus::Shipped => Some(Self::Sent),
            ParcelStatus::Refused => Some(Self::Refused),
            ParcelStatus::ToSend | ParcelStatus::Delivered => None,
        }
    }

    /// The status that it tells of.
    const fn tells_of(self) -> ParcelStatus {
        match self {
            Self::Sent => ParcelStatus::Shipped,
            Self::Refused => ParcelStatus::Refused,
        }
    }
}

/// What there is to tell of parcels.
#[derive(Debug, Clone)]
pub struct ParcelLetters {
    orders: Orders,
    tokens: OrderTokens,
}

impl FromEnv for ParcelLetters {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { orders: Orders::from_env(aws)?, tokens: OrderTokens::from_env(aws)? })
    }
}

impl Letters for ParcelLetters {
    const THINGS: &'static str = "parcels";

    type Kind = ParcelLetterKind;
    type Id = ParcelName;
    type Thing = ();

    async fn letter(&self, kind: ParcelLetterKind, id: &ParcelName) -> Result<Option<(Letter, ())>, Failure> {
        let order = self.orders.find(id.order_id).await?;
        let order = order.context("there is no such order").map_err(Failure::Never)?;
        let letter = order.letter_of_parcel(kind, &id.seller_id)?;
        Ok(letter.map(|letter| (self.tokens.addressed(letter, &order), ())))
    }

    fn sent(&self, kind: ParcelLetterKind, id: &ParcelName) -> anyhow::Result<Option<Update>> {
        self.orders.parcel_settled(id, kind.tells_of()).map(Some)
    }
}

impl Letters for OrderLetters {
    const THINGS: &'static str = "orders";

    type Kind = LetterKind;
    type Id = OrderId;
    type Thing = Order;

    async fn letter(&self, kind: LetterKind, id: &OrderId) -> Result<Option<(Letter, Order)>, Failure> {
        let order = self.orders.find(*id).await?;
        let order = order.context("there is no such order").map_err(Failure::Never)?;
        let letter = order.letter(kind)?.map(|letter| self.tokens.addressed(letter, &order));
        Ok(letter.map(|letter| (letter, order)))
    }

    fn sent(&self, kind: LetterKind, id: &OrderId) -> anyhow::Result<Option<Update>> {
        kind.settles().map(|status| self.orders.settled(*id, status)).transpose()
    }

    async fn told(&self, kind: LetterKind, order: &Order) {
        if kind.is_told_to_who_took_the_money(order.payment_method()) {
            self.payments.tell_or_leave(order.id()).await;
        }
    }
}

shared::names!(
    /// What a letter to a guest says, of all orders of the address.
    pub enum GuestLetterKind {
        /// Where to find them.
        Links = "guest.links",
    }
);

/// A guest's order, as the index of guests has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GuestOrder {
    order_id: OrderId,
    contact: Contact,
    created_at: Timestamp,
    total: Amount,
    currency: Currency,
}

/// What there is to tell guests of their orders.
#[derive(Debug, Clone)]
pub struct GuestLetters {
    orders: Orders,
    tokens: OrderTokens,
    /// Whether the shop has pages that links could lead to.
    has_pages: bool,
}

impl FromEnv for GuestLetters {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            orders: Orders::from_env(aws)?,
            tokens: OrderTokens::from_env(aws)?,
            has_pages: config::optional::<String>("SHOP_URL")?.is_some(),
        })
    }
}

impl Letters for GuestLetters {
    const THINGS: &'static str = "guest-links";

    type Kind = GuestLetterKind;
    type Id = LinksWanted;
    type Thing = ();

    async fn letter(&self, kind: GuestLetterKind, id: &LinksWanted) -> Result<Option<(Letter, ())>, Failure> {
        let GuestLetterKind::Links = kind;
        if !self.has_pages {
            return Ok(None);
        }
        let orders = self.orders.of_guest(&id.guest, id.since).await?;
        Ok(self.tokens.links(&orders).map(|letter| (letter, ())))
    }
}

impl OrderTokens {
    /// The letter with the links of these orders, the newest first; `None` where there are none.
    pub fn links(&self, orders: &[GuestOrder]) -> Option<Letter> {
        let newest = orders.first()?;
        let link = |order: &GuestOrder| Link {
            text: format!(
                "Order {} of {}, {}",
                OrderNumber::from(order.order_id),
                order.created_at.in_words(),
                order.total.in_words(order.currency)
            ),
            path: self.path(order.order_id),
        };
        Some(Letter {
            to: Recipient::new(newest.contact.email.as_str(), newest.contact.full_name.as_str()),
            subject: "Your orders".into(),
            headline: "Here are your orders of the last 90 days".into(),
            paragraphs: vec![
                "Whoever has one of these links can see the order and cancel it, so keep them to yourself."
                    .into(),
                "If you did not ask for them, you need not do anything.".into(),
            ],
            code: None,
            rows: Vec::new(),
            totals: Vec::new(),
            link: None,
            links: orders.iter().map(link).collect(),
            reference: Vec::new(),
        })
    }
}

impl Order {
    /// What its buyer is told; `None` when that is no longer so, because the order has moved on.
    ///
    /// # Errors
    /// When a line's total cannot be written down, which is so of no order that was placed.
    pub fn letter(&self, kind: LetterKind) -> anyhow::Result<Option<Letter>> {
        let Some(news) = self.news(kind) else { return Ok(None) };
        // Of what is not sent its own letter tells, but where that is all of it.
        let is_told = |line: &&Line| kind == LetterKind::Cancelled || !self.is_refused_by(line.seller());
        let rows =
            self.lines().iter().filter(is_told).map(|line| self.row(line)).collect::<anyhow::Result<_>>()?;
        Ok(Some(self.letter_with(news, rows, self.totals()?)))
    }

    /// A letter to its buyer: its subject, headline and paragraphs, what it is about and what that comes to.
    pub fn letter_with(
        &self,
        (subject, headline, paragraphs): (String, &str, Vec<String>),
        rows: Vec<Row>,
        totals: Vec<Total>,
    ) -> Letter {
        let contact = self.contact();
        Letter {
            to: Recipient::new(contact.email.as_str(), contact.full_name.as_str()),
            subject,
            headline: headline.to_owned(),
            paragraphs,
            code: None,
            rows,
            totals,
            link: Some(Link { text: "See your order".into(), path: format!("/orders/{}", self.id()) }),
            links: Vec::new(),
            reference: vec![
                format!("Order {} ({})", self.number(), self.id()),
                format!("placed on {}", self.placed_at().in_words()),
            ],
        }
    }

    /// What its buyer is told of a return; `None` when that is no longer so, because it was decided otherwise since.
    pub fn letter_of(&self, kind: ReturnLetterKind, asked: &Return) -> Option<Letter> {
        if asked.status().letter() != kind {
            return None;
        }
        let names: Vec<_> = asked.named().map(|(name, _)| name).collect();
        let what = named(&names);
        let in_words = |amount: Amount| amount.in_words(self.currency());
        let news = match kind {
            ReturnLetterKind::Requested => (
                format!("We have your request to return {what}"),
                "We have your request to send something back",
                vec!["We look at it and write to you again. Please keep it until then.".to_owned()],
            ),
            ReturnLetterKind::Accepted => (
                format!("You can send {what} back"),
                "You can send it back",
                vec!["Pack it well and send it to us. We write to you when it is here.".to_owned()],
            ),
            ReturnLetterKind::Received => (
                format!("We have {what} back"),
                "What you sent back is here",
                asked
                    .paid_back()
                    .map(|paid| format!("You get {} back.", in_words(paid)))
                    .into_iter()
                    .collect(),
            ),
            ReturnLetterKind::Refused => (
                format!("We do not take {what} back"),
                "We do not take it back",
                asked.refusal().map(ToString::to_string).into_iter().collect(),
            ),
        };
        let row = |(name, quantity): (&ProductName, Quantity)| Row {
            name: name.to_string(),
            detail: None,
            amount: pieces(quantity.pieces()),
        };
        Some(self.letter_with(news, asked.named().map(row).collect(), Vec::new()))
    }

    /// What its buyer is told of the parcel of one of its sellers; `None` when that is no longer so, since it has moved
    /// on.
    ///
    /// # Errors
    /// When a line's total cannot be written down, which is so of no order that was placed.
    pub fn letter_of_parcel(
        &self,
        kind: ParcelLetterKind,
        seller: &UserId,
    ) -> anyhow::Result<Option<Letter>> {
        let Some(parcel) = self.parcel_of(seller).filter(|parcel| parcel.status == kind.tells_of()) else {
            return Ok(None);
        };
        let names: Vec<_> = self.lines_of(seller).map(Line::product_name).collect();
        let (what, in_words) = (named(&names), |amount: Amount| amount.in_words(self.currency()));
        let is_paid_later = self.is_paid_at_the_door();
        let news = match kind {
            ParcelLetterKind::Sent => {
                let mut way = parcel.shipment.as_ref().map(Shipment::in_words).unwrap_or_default();
                way.extend(is_paid_later.then(|| "You pay when it arrives.".to_owned()));
                (format!("Part of your order is on its way: {what}"), "Part of your order is on its way", way)
            }
            ParcelLetterKind::Refused => {
                let why = parcel.reason.as_ref().map(|reason| format!("The seller says: {reason}"));
                let back = parcel.back.filter(|amount| *amount != Amount::ZERO).map(in_words);
                let back = back.map(|amount| match is_paid_later {
                    true => format!("You pay {amount} less when the rest arrives."),
                    false => format!("You get {amount} back."),
                });
                let news = why.into_iter().chain(back).collect();
                (format!("We cannot send {what}"), "Part of your order is not coming", news)
            }
        };
        let rows = self.lines_of(seller).map(|line| self.row(line)).collect::<anyhow::Result<_>>()?;
        Ok(Some(self.letter_with(news, rows, Vec::new())))
    }

    /// Of what the total is made, as far as it is not the lines alone, and the total.
    fn totals(&self) -> anyhow::Result<Vec<Total>> {
        let Amounts { items, discount, shipping, tax, tax_included } = self.amounts();
        let on_top = tax.minor().checked_sub(tax_included.minor()).map(Amount::from_minor);
        let on_top = on_top.context("no more tax is inside the prices than there is")?;
        let in_words = |amount: Amount| amount.in_words(self.currency());
        let mut totals = Vec::new();
        let mut add = |name: &str, amount: String| totals.push(Total { name: name.to_owned(), amount });
        let is_over = self.status() == OrderStatus::Cancelled;
        let not_sent = if is_over { Amount::ZERO } else { self.not_sent() };
        if !self.amounts().are_of_items_alone() || not_sent != Amount::ZERO {
            add("Items", in_words(items));
        }
        if discount != Amount::ZERO {
            add("Discount", format!("\u{2212}{}", in_words(discount)));
        }
        if self.shipping_method().is_some() {
            add("Shipping", in_words(shipping));
        }
        if on_top != Amount::ZERO {
            add("Tax", in_words(on_top));
        }
        if not_sent != Amount::ZERO {
            add("Not sent", format!("\u{2212}{}", in_words(not_sent)));
        }
        let total = self.total().minor().saturating_sub(not_sent.minor());
        add("Total", in_words(Amount::from_minor(total)));
        if tax_included != Amount::ZERO {
            add("Tax that is included", in_words(tax_included));
        }
        Ok(totals)
    }

    /// The subject, the headline, and what else there is to say.
    fn news(&self, kind: LetterKind) -> Option<(String, &'static str, Vec<String>)> {
        let what = self.products();
        match (kind, self.status()) {
            (LetterKind::Confirmed, OrderStatus::Pending | OrderStatus::Shipping) => {
                let news = match self.payment_method() {
                    PaymentMethod::CashOnDelivery => "We are preparing it. You pay when it arrives.",
                    PaymentMethod::Card => "We are preparing it. You have paid.",
                    PaymentMethod::Free => "We are preparing it. There is nothing to pay.",
                };
                Some((
                    format!("Your order of {what} is confirmed"),
                    "Thank you for your order",
                    vec![news.to_owned()],
                ))
            }
            // The subject is seed 002's.
            (LetterKind::Shipping, OrderStatus::Shipping) => {
                let news = match self.payment_method() {
                    PaymentMethod::CashOnDelivery => Some("You pay when it arrives."),
                    PaymentMethod::Card | PaymentMethod::Free => None,
                };
                let mut way = self.shipment().map(Shipment::in_words).unwrap_or_default();
                way.extend(news.map(str::to_owned));
                Some((format!("{what} now shipping"), "Your order is on its way", way))
            }
            (LetterKind::Delivered, OrderStatus::Delivered) => {
                Some((format!("Your order of {what} has arrived"), "Your order has arrived", Vec::new()))
            }
            (LetterKind::Cancelled, OrderStatus::Cancelled) => {
                let why =
                    self.cancellation_reason().map(|reason| reason.in_words(self.was_paid()).to_owned());
                let said = self.refusals().into_iter().map(|reason| format!("The seller says: {reason}"));
                let news = why.into_iter().chain(said).collect();
                Some((format!("Your order of {what} is cancelled"), "Your order is cancelled", news))
            }
            (_, OrderStatus::AwaitingPayment)
            | (LetterKind::Confirmed, OrderStatus::Delivered | OrderStatus::Cancelled)
            | (
                LetterKind::Shipping,
                OrderStatus::Pending | OrderStatus::Delivered | OrderStatus::Cancelled,
            )
            | (
                LetterKind::Delivered,
                OrderStatus::Pending | OrderStatus::Shipping | OrderStatus::Cancelled,
            )
            | (
                LetterKind::Cancelled,
                OrderStatus::Pending | OrderStatus::Shipping | OrderStatus::Delivered,
            ) => None,
        }
    }

    /// The first product's name, and how many others there are.
    fn products(&self) -> String {
        let names: Vec<_> = self.lines().iter().map(Line::product_name).collect();
        named(&names)
    }

    fn row(&self, line: &Line) -> anyhow::Result<Row> {
        let (pieces, price) = (line.quantity().pieces(), line.unit_price().amount());
        let total = line.total().context("a line's total fits")?;
        Ok(Row {
            name: line.product_name().to_string(),
            detail: Some(format!("{pieces} × {}", price.in_words(self.currency()))),
            amount: total.in_words(self.currency()),
        })
    }
}

/// The first of these products, and how many others there are.
fn named(products: &[&ProductName]) -> String {
    let named = |name: &ProductName| isolated(name.as_str());
    match products {
        [] => "nothing".to_owned(),
        [one] => named(one),
        [first, _] => format!("{} and 1 more item", named(first)),
        [first, others @ ..] => format!("{} and {} more items", named(first), others.len()),
    }
}

/// A number of pieces in words.
pub fn pieces(number: u32) -> String {
    if number == 1 { "1 piece".to_owned() } else { format!("{number} pieces") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parcels::{ParcelReason, ParcelSaid, tests as parcels};
    use crate::{CancellationReason, HistoryEntry, tests};

    fn in_status(status: OrderStatus, reason: Option<CancellationReason>) -> Order {
        let mut order = tests::placed(&[("Tea", 2)]);
        order.status = status;
        order.history.push(HistoryEntry { status, at: tests::now(), reason, by: None });
        order
    }

    fn letter(order: &Order, kind: LetterKind) -> Letter {
        order.letter(kind).unwrap().unwrap()
    }

    #[test]
    fn a_buyer_is_told_what_is_so_and_nothing_else() {
        use LetterKind::{Cancelled, Confirmed, Delivered, Shipping};
        let told = |status| {
            let order = in_status(status, None);
            LetterKind::ALL.into_iter().filter(|kind| order.letter(*kind).unwrap().is_some()).collect()
        };
        let told: Vec<Vec<LetterKind>> = OrderStatus::ALL.into_iter().map(told).collect();
        let expected = [vec![], vec![Confirmed], vec![Confirmed, Shipping], vec![Delivered], vec![Cancelled]];
        assert_eq!(told, expected);
    }

    #[test]
    fn that_a_paid_order_was_confirmed_is_told_to_who_took_its_money() {
        let kinds = LetterKind::ALL.into_iter();
        let told = |paid| kinds.clone().filter(move |kind| kind.is_told_to_who_took_the_money(paid));
        assert_eq!(told(PaymentMethod::Card).collect::<Vec<_>>(), [LetterKind::Confirmed]);
        for unpaid in [PaymentMethod::CashOnDelivery, PaymentMethod::Free] {
            assert_eq!(told(unpaid).count(), 0, "{unpaid}");
        }
    }

    #[test]
    fn the_letter_of_an_orders_last_status_settles_it() {
        let settled: Vec<_> = LetterKind::ALL.into_iter().map(LetterKind::settles).collect();
        let [_, _, shipping, delivered, cancelled] = OrderStatus::ALL;
        assert_eq!(settled, [None, Some(shipping), Some(delivered), Some(cancelled)]);
    }

    #[test]
    fn a_letter_says_what_was_ordered_for_how_much_and_when() {
        let order = tests::placed(&[("Tea", 1_000)]);
        let letter = letter(&order, LetterKind::Confirmed);
        let row =
            Row {
                name: "Tea".into(), detail: Some("1000 × 4.50 USD".into()), amount: "4,500.00 USD".into()
            };
        assert_eq!(
            letter,
            Letter {
                to: Recipient::new("ann@cartwright.test", "Ann"),
                subject: "Your order of Tea is confirmed".into(),
                headline: "Thank you for your order".into(),
                paragraphs: vec!["We are preparing it. You pay when it arrives.".into()],
                code: None,
                rows: vec![row],
                totals: vec![Total { name: "Total".into(), amount: "4,500.00 USD".into() }],
                link: Some(Link { text: "See your order".into(), path: format!("/orders/{}", order.id()) }),
                links: Vec::new(),
                reference: vec![
                    format!("Order {} ({})", order.number(), order.id()),
                    "placed on 21 September 2026 at 14:13 UTC".into()
                ],
            }
        );
    }

    #[test]
    fn who_pays_by_card_is_told_nothing_before_it_is_paid_and_never_to_pay_the_carrier() {
        let paid_by_card = |status| {
            let order = tests::placed(&[("Tea", 2)]);
            let mut order = order.awaiting(crate::PaymentId::at(tests::now()), tests::now());
            order.status = status;
            order
        };
        let awaiting = paid_by_card(OrderStatus::AwaitingPayment);
        assert!(LetterKind::ALL.into_iter().all(|kind| awaiting.letter(kind).unwrap().is_none()));
        let confirmed = letter(&paid_by_card(OrderStatus::Pending), LetterKind::Confirmed);
        assert_eq!(confirmed.paragraphs, ["We are preparing it. You have paid."]);
        let shipping = letter(&paid_by_card(OrderStatus::Shipping), LetterKind::Shipping);
        assert_eq!(shipping.paragraphs, Vec::<String>::new());
        let free = letter(&tests::placed(&[("Tea", 2)]).for_nothing(), LetterKind::Confirmed);
        assert_eq!(free.paragraphs, ["We are preparing it. There is nothing to pay."]);
    }

    #[test]
    fn somebody_without_orders_is_told_nothing_and_others_where_each_one_is() {
        let tokens = OrderTokens::new("key".into());
        assert_eq!(tokens.links(&[]), None);
        let [newer, older] = [tests::placed(&[("Tea", 1)]), tests::placed(&[("Cup", 2)])];
        let entry = |order: &Order| serde_json::from_value(serde_json::to_value(order).unwrap()).unwrap();
        let letter = tokens.links(&[entry(&newer), entry(&older)]).unwrap();
        let to = Recipient::new("ann@cartwright.test", "Ann");
        assert_eq!((letter.to, letter.link), (to, None));
        let link = |order: &Order, total: &str| Link {
            text: format!("Order {} of 21 September 2026 at 14:13 UTC, {total} USD", order.number()),
            path: format!("/guest-orders/{}#{}", order.id(), tokens.of(order.id()).reveal()),
        };
        assert_eq!(letter.links, [link(&newer, "4.50"), link(&older, "9.00")]);
    }

    #[test]
    fn a_letter_says_of_what_the_total_is_made() {
        let plain = tests::placed(&[("Tea", 4)]);
        let totals = |amounts: [u64; 5], total: u64| {
            let [items, discount, shipping, tax, tax_included] = amounts.map(Amount::from_minor);
            let amounts = Some(Amounts { items, discount, shipping, tax, tax_included });
            let shipping_method = Some("post".parse().unwrap());
            let order = Order { amounts, shipping_method, total: Amount::from_minor(total), ..plain.clone() };
            let letter = letter(&order, LetterKind::Confirmed);
            letter.totals.into_iter().map(|total| format!("{} {}", total.name, total.amount)).collect()
        };
        let inside: Vec<String> = totals([1_800, 180, 490, 337, 337], 2_110);
        let of_inside = ["Items 18.00 USD", "Discount −1.80 USD", "Shipping 4.90 USD", "Total 21.10 USD"];
        assert_eq!(inside[..4], of_inside);
        assert_eq!(inside[4], "Tax that is included 3.37 USD");
        let on_top: Vec<String> = totals([1_800, 0, 0, 342, 0], 2_142);
        assert_eq!(on_top, ["Items 18.00 USD", "Shipping 0.00 USD", "Tax 3.42 USD", "Total 21.42 USD"]);
    }

    #[test]
    fn a_subject_names_the_first_product_and_counts_the_others() {
        let subject = |lines: &[(&str, u32)]| letter(&tests::placed(lines), LetterKind::Confirmed).subject;
        assert_eq!(subject(&[("Tea", 9)]), "Your order of Tea is confirmed");
        assert_eq!(subject(&[("Tea", 1), ("Cup", 9)]), "Your order of Tea and 1 more item is confirmed");
        let three = [("Tea", 1), ("Cup", 1), ("Pot", 1)];
        assert_eq!(subject(&three), "Your order of Tea and 2 more items is confirmed");
        assert_eq!(subject(&[("תה", 1)]), "Your order of \u{2068}תה\u{2069} is confirmed");
        let shipping = in_status(OrderStatus::Shipping, None);
        assert_eq!(letter(&shipping, LetterKind::Shipping).subject, "Tea now shipping");
    }

    #[test]
    fn the_letter_of_an_order_on_its_way_says_how_to_follow_it() {
        let mut shipping = in_status(OrderStatus::Shipping, None);
        assert_eq!(letter(&shipping, LetterKind::Shipping).paragraphs, ["You pay when it arrives."]);
        let shipment = r#"{"carrier":"DHL","trackingNumber":"JD1","trackingUrl":"https://dhl.example/JD1"}"#;
        shipping.shipment = Some(serde_json::from_str(shipment).unwrap());
        assert_eq!(
            letter(&shipping, LetterKind::Shipping).paragraphs,
            [
                "It comes by DHL, tracking number JD1.",
                "Follow it at https://dhl.example/JD1",
                "You pay when it arrives."
            ]
        );
    }

    #[test]
    fn the_letter_of_a_parcel_says_what_is_in_it_and_how_to_follow_it() {
        let order = parcels::of_sellers(&[1, 2, 2]);
        let two = parcels::seller(2);
        let letter = |order: &Order, kind| order.letter_of_parcel(kind, &two).unwrap();
        assert_eq!(letter(&order, ParcelLetterKind::Sent), None, "nobody has sent it");
        let shipment: Shipment = serde_json::from_str(r#"{"carrier":"DHL","trackingNumber":"JD1"}"#).unwrap();
        let said = ParcelSaid::Shipped(Some(shipment));
        let moves = order.moves(std::slice::from_ref(&two), &said).unwrap().unwrap();
        let sent = parcels::moved(&order, &moves);
        let told = letter(&sent, ParcelLetterKind::Sent).unwrap();
        assert_eq!(told.subject, "Part of your order is on its way: Tea and 1 more item");
        assert_eq!(told.paragraphs, ["It comes by DHL, tracking number JD1.", "You pay when it arrives."]);
        assert_eq!((told.rows.len(), told.totals.len()), (2, 0));
        assert_eq!(letter(&sent, ParcelLetterKind::Refused), None);
        // That all of it is on its way is told of the parcels alone, and that it arrived of the order.
        let arrived = sent.moves(std::slice::from_ref(&two), &ParcelSaid::Delivered).unwrap().unwrap();
        assert_eq!(letter(&parcels::moved(&sent, &arrived), ParcelLetterKind::Sent), None);
    }

    #[test]
    fn the_letter_of_a_refused_parcel_says_why_and_what_it_is_worth() {
        let order = parcels::of_sellers(&[1, 2]);
        let two = parcels::seller(2);
        let reason = ParcelReason::new("It broke.").unwrap();
        let said = ParcelSaid::Refused(Some(reason));
        let mut moves = order.moves(std::slice::from_ref(&two), &said).unwrap().unwrap();
        moves.parcels.get_mut(&two).unwrap().back = Some(Amount::from_minor(950));
        let refused = parcels::moved(&order, &moves);
        let paragraphs = |order: &Order| {
            let letter = order.letter_of_parcel(ParcelLetterKind::Refused, &two).unwrap().unwrap();
            assert_eq!(letter.subject, "We cannot send Tea");
            letter.paragraphs
        };
        let less = "You pay 9.50 USD less when the rest arrives.";
        assert_eq!(paragraphs(&refused), ["The seller says: It broke.", less]);
        let paid = Order { payment_method: PaymentMethod::Card, ..refused };
        assert_eq!(paragraphs(&paid), ["The seller says: It broke.", "You get 9.50 USD back."]);
    }

    #[test]
    fn a_cancellation_says_why_in_words() {
        let paragraphs = |reason| {
            let letter = letter(&in_status(OrderStatus::Cancelled, reason), LetterKind::Cancelled);
            assert_eq!(letter.subject, "Your order of Tea is cancelled");
            letter.paragraphs
        };
        assert_eq!(paragraphs(Some(CancellationReason::ByBuyer)), ["You cancelled it."]);
        let why = "We could not prepare it for shipping. You have not been charged.";
        assert_eq!(paragraphs(Some(CancellationReason::NotShippable)), [why]);
        let why = "The shop cancelled it. You have not been charged.";
        assert_eq!(paragraphs(Some(CancellationReason::ByShop)), [why]);
        assert_eq!(paragraphs(None), Vec::<String>::new());
    }
}
