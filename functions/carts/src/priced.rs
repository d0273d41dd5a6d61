//! What a cart costs today, and what is in its way.

use anyhow::Context;
use offers::{NotReserved, Offer, OfferId, ProductName};
use orders::Quantity;
use serde::Serialize;
use shared::values::money::{Amount, Currency, InMajor, Price};

use crate::{Cart, CartLine, MostPieces};

shared::names!(
    /// Why a line of a cart cannot be ordered as it is.
    pub enum LineProblem {
        /// Deleted, or no longer approved.
        NotForSale = "not-for-sale",
        /// Fewer pieces than are in the cart.
        OutOfStock = "out-of-stock",
        /// Priced in another currency than what stands before it.
        MixedCurrencies = "mixed-currencies",
        /// More pieces than the shop sells at once, by now.
        TooManyPieces = "too-many-pieces",
        /// The price changed while the order was placed.
        PriceChanged = "price-changed",
    }
);

/// A line with its offer's terms of today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedLine {
    id: OfferId,
    product_name: ProductName,
    quantity: Quantity,
    price_when_added: Price,
    /// What one piece costs; `None` where it is not for sale.
    price: Option<Price>,
    /// How many pieces there are.
    available: u32,
    problem: Option<LineProblem>,
    /// What it adds to the cart's amounts.
    total: Option<Amount>,
}

impl PricedLine {
    fn of(
        line: &CartLine,
        offer: Option<&Offer>,
        currency: &mut Option<Currency>,
        most: MostPieces,
    ) -> anyhow::Result<Self> {
        let mut priced = Self {
            id: line.offer_id,
            product_name: line.product_name.clone(),
            quantity: line.quantity,
            price_when_added: line.price_when_added,
            price: None,
            available: 0,
            problem: Some(LineProblem::NotForSale),
            total: None,
        };
        let Some(offer) = offer.filter(|offer| offer.is_for_sale()) else { return Ok(priced) };
        let is_same = *currency.get_or_insert(offer.currency()) == offer.currency();
        priced.product_name = offer.product_name().clone();
        priced.price = Some(offer.price());
        priced.available = offer.stock().pieces();
        priced.problem = match offer.refusal(line.quantity.pieces(), offer.price()) {
            _ if !is_same => Some(LineProblem::MixedCurrencies),
            _ if !most.allows(line.quantity) => Some(LineProblem::TooManyPieces),
            Some(NotReserved::OutOfStock { .. }) => Some(LineProblem::OutOfStock),
            Some(NotReserved::NotForSale(_) | NotReserved::PriceChanged(_)) | None => None,
        };
        if is_same {
            let total = offer.price().amount().checked_times(line.quantity.pieces());
            priced.total = Some(total.context("a line's total fits")?);
        }
        Ok(priced)
    }

    /// Which offer.
    pub fn id(&self) -> OfferId {
        self.id
    }

    /// How many pieces there are.
    pub fn available(&self) -> u32 {
        self.available
    }

    /// Why it cannot be ordered as it is.
    pub fn problem(&self) -> Option<LineProblem> {
        self.problem
    }

    /// Whether it costs something else than when it came into the cart.
    pub fn has_another_price(&self) -> bool {
        self.price.is_some_and(|price| price != self.price_when_added)
    }

    /// What one piece costs, and what it cost when it came into the cart.
    pub fn prices(&self) -> (Option<Price>, Price) {
        (self.price, self.price_when_added)
    }
}

/// What a cart comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amounts {
    /// All lines that have a price in its currency.
    pub items: Amount,
    /// What an order of it would cost.
    pub total: Amount,
}

/// A cart with its offers' terms of today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedCart {
    version: u32,
    lines: Vec<PricedLine>,
    currency: Option<Currency>,
    amounts: Amounts,
}

impl PricedCart {
    /// The cart by the offers as they were read.
    ///
    /// # Errors
    /// When it costs more than can be written down, which no cart does.
    pub fn of(cart: &Cart, offers: &[Offer], most: MostPieces) -> anyhow::Result<Self> {
        let mut currency = None;
        let lines = cart.lines.iter().map(|line| {
            let offer = offers.iter().find(|offer| offer.id() == line.offer_id);
            PricedLine::of(line, offer, &mut currency, most)
        });
        let lines: Vec<_> = lines.collect::<anyhow::Result<_>>()?;
        let mut totals = lines.iter().filter_map(|line| line.total);
        let items = totals.try_fold(Amount::ZERO, Amount::checked_add).context("a cart's total fits")?;
        Ok(Self { version: cart.version, lines, currency, amounts: Amounts { items, total: items } })
    }

    /// Its lines.
    pub fn lines(&self) -> &[PricedLine] {
        &self.lines
    }

    /// What it comes to.
    pub fn amounts(&self) -> Amounts {
        self.amounts
    }

    /// The lines that cannot be ordered as they are.
    pub fn faulty(&self) -> impl Iterator<Item = (&PricedLine, LineProblem)> {
        self.lines.iter().filter_map(|line| Some((line, line.problem?)))
    }
}

/// What a cart comes to, as answers show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AmountsView {
    items: InMajor,
    total: InMajor,
}

impl From<Amounts> for AmountsView {
    fn from(amounts: Amounts) -> Self {
        Self { items: amounts.items.in_major(), total: amounts.total.in_major() }
    }
}

/// A cart as its owner sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CartView {
    version: u32,
    currency: Option<Currency>,
    items: Vec<LineView>,
    amounts: AmountsView,
    problems: Vec<LineProblem>,
    can_check_out: bool,
}

impl CartView {
    /// Of a cart that nobody has written yet.
    pub fn empty() -> Self {
        Self {
            version: 0,
            currency: None,
            items: Vec::new(),
            amounts: Amounts { items: Amount::ZERO, total: Amount::ZERO }.into(),
            problems: Vec::new(),
            can_check_out: false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct LineView {
    id: OfferId,
    product_name: ProductName,
    product_price: Option<InMajor>,
    price_when_added: InMajor,
    quantity: Quantity,
    total: Option<InMajor>,
    available: u32,
    problem: Option<LineProblem>,
}

impl From<PricedLine> for LineView {
    fn from(line: PricedLine) -> Self {
        Self {
            id: line.id,
            product_name: line.product_name,
            product_price: line.price.map(|price| price.amount().in_major()),
            price_when_added: line.price_when_added.amount().in_major(),
            quantity: line.quantity,
            total: line.total.map(Amount::in_major),
            available: line.available,
            problem: line.problem,
        }
    }
}

impl From<PricedCart> for CartView {
    fn from(cart: PricedCart) -> Self {
        let is_there = |problem: &LineProblem| cart.faulty().any(|(_, of_line)| of_line == *problem);
        let problems: Vec<_> = LineProblem::ALL.into_iter().filter(is_there).collect();
        Self {
            version: cart.version,
            currency: cart.currency,
            amounts: cart.amounts.into(),
            can_check_out: problems.is_empty() && !cart.lines.is_empty(),
            problems,
            items: cart.lines.into_iter().map(LineView::from).collect(),
        }
    }
}
