//! What a cart costs today, and what is in its way.

use anyhow::Context;
use offers::{NotReserved, OfferId, ProductName};
use orders::purchase::{Choices, Fault, Prices, PurchaseAmounts, Wanted};
use orders::{Address, Purchase, Quantity};
use promotions::CouponCode;
use serde::Serialize;
use settings::MethodId;
use shared::caller::UserId;
use shared::dynamo::Consistency;
use shared::http::Answer;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::country::Country;
use shared::values::money::{Amount, Currency, InMajor, Price};
use shared::values::time::Timestamp;

use crate::{Cart, CartLine, CartOwner, Carts, MostPieces};

shared::names!(
    /// Why a line of a cart cannot be ordered as it is.
    pub enum LineProblem {
        /// Deleted, or no longer approved.
        NotForSale = "not-for-sale",
        /// In a store that is not published, or no longer.
        StoreClosed = "store-closed",
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
    /// Where its picture is, while it is for sale.
    image_url: Option<String>,
    quantity: Quantity,
    price_when_added: Price,
    /// What one piece costs; `None` where it is not for sale, or its store is closed.
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
        prices: &Prices,
        currency: &mut Option<Currency>,
        most: MostPieces,
    ) -> anyhow::Result<Self> {
        let mut priced = Self {
            id: line.offer_id,
            product_name: line.product_name.clone(),
            image_url: None,
            quantity: line.quantity,
            price_when_added: line.price_when_added,
            price: None,
            available: 0,
            problem: Some(LineProblem::NotForSale),
            total: None,
        };
        let offer = prices.offers.iter().find(|offer| offer.id() == line.offer_id);
        let Some(offer) = offer.filter(|offer| offer.is_for_sale()) else { return Ok(priced) };
        if line.store_id.is_some_and(|store| !prices.open_stores.contains(&store)) {
            return Ok(Self { problem: Some(LineProblem::StoreClosed), ..priced });
        }
        let is_same = *currency.get_or_insert(offer.currency()) == offer.currency();
        priced.product_name = offer.product_name().clone();
        priced.image_url = offer.image_url().map(str::to_owned);
        priced.price = Some(offer.price());
        priced.available = offer.stock().pieces();
        priced.problem = match offer.refusal(line.quantity.pieces(), offer.price()) {
            _ if !is_same => Some(LineProblem::MixedCurrencies),
            _ if !most.allows(line.quantity) => Some(LineProblem::TooManyPieces),
            Some(NotReserved::OutOfStock { .. }) => Some(LineProblem::OutOfStock),
            Some(NotReserved::NotForSale(_) | NotReserved::StoreClosed(_) | NotReserved::PriceChanged(_))
            | None => None,
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

/// What the shop's settings say of carts.
#[derive(Debug, Clone, Copy)]
pub struct Shop {
    /// How many pieces of one product it sells at once.
    pub most: MostPieces,
    /// Where it is: where to, as long as nobody has said that.
    pub country: Country,
}

impl FromEnv for Shop {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { most: MostPieces::from_env(aws)?, country: config::required("SHOP_COUNTRY")? })
    }
}

/// Looking at what carts cost.
#[derive(Debug, Clone)]
pub struct Pricing {
    carts: Carts,
    shop: Shop,
}

impl FromEnv for Pricing {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { carts: Carts::from_env(aws)?, shop: Shop::from_env(aws)? })
    }
}

impl Pricing {
    /// The cart with what everything in it costs today: one read of the cart, and one of what it costs by.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub async fn look(&self, owner: &CartOwner, now: Timestamp) -> anyhow::Result<CartView> {
        let Some(cart) = self.carts.find(owner, now).await? else { return Ok(CartView::empty()) };
        Ok(self.price(&cart, owner.person(), Consistency::Eventual, now).await?.into())
    }

    /// What a cart costs.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub async fn price(
        &self,
        cart: &Cart,
        person: Option<&UserId>,
        consistency: Consistency,
        now: Timestamp,
    ) -> anyhow::Result<PricedCart> {
        let prices = self.carts.prices_of(cart, person, consistency).await?;
        PricedCart::of(cart, prices, self.shop, now)
    }
}

/// A cart with its offers' terms of today.
#[derive(Debug, Clone)]
pub struct PricedCart {
    version: u32,
    lines: Vec<PricedLine>,
    choices: Choices,
    currency: Option<Currency>,
    /// What the lines come to that have a price in its currency.
    purchase: Option<Purchase>,
    prices: Prices,
}

impl PricedCart {
    /// The cart by what was read.
    ///
    /// # Errors
    /// When it costs more than can be written down, which no cart does.
    pub fn of(cart: &Cart, prices: Prices, shop: Shop, now: Timestamp) -> anyhow::Result<Self> {
        let mut currency = None;
        let mut lines = Vec::with_capacity(cart.lines.len());
        let mut wanted = Vec::with_capacity(cart.lines.len());
        for line in &cart.lines {
            let offer = prices.offers.iter().find(|offer| offer.id() == line.offer_id);
            let priced = PricedLine::of(line, &prices, &mut currency, shop.most)?;
            let counts = offer.filter(|_| priced.total.is_some());
            wanted.extend(counts.map(|offer| Wanted { offer, quantity: line.quantity }));
            lines.push(priced);
        }
        let purchase = currency.map(|currency| {
            let purchase = Purchase::of(&wanted, currency, &cart.choices, &prices, shop.country, now);
            purchase.context("a cart's total fits")
        });
        let purchase = purchase.transpose()?;
        Ok(Self { version: cart.version, lines, choices: cart.choices.clone(), currency, purchase, prices })
    }

    /// Its lines.
    pub fn lines(&self) -> &[PricedLine] {
        &self.lines
    }

    /// By what it was counted.
    pub fn prices(&self) -> &Prices {
        &self.prices
    }

    /// The lines that cannot be ordered as they are.
    pub fn faulty(&self) -> impl Iterator<Item = (&PricedLine, LineProblem)> {
        self.lines.iter().filter_map(|line| Some((line, line.problem?)))
    }

    /// What else is in its way.
    pub fn faults(&self) -> &[Fault] {
        self.purchase.as_ref().map(Purchase::faults).unwrap_or_default()
    }

    /// What it comes to, as answers show it.
    pub fn amounts(&self) -> PurchaseAmounts {
        self.purchase.as_ref().map_or_else(PurchaseAmounts::of_nothing, Purchase::shown)
    }
}

/// A cart as its owner sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CartView {
    version: u32,
    currency: Option<Currency>,
    items: Vec<LineView>,
    coupon_code: Option<CouponCode>,
    shipping_method: Option<MethodId>,
    shipping_address: Option<Address>,
    amounts: PurchaseAmounts,
    problems: Vec<&'static str>,
    can_check_out: bool,
}

/// With its version in the `ETag`.
impl From<CartView> for Answer<CartView> {
    fn from(cart: CartView) -> Self {
        let version = cart.version;
        Self::ok(cart).version(version)
    }
}

impl CartView {
    /// Of a cart that nobody has written yet.
    pub fn empty() -> Self {
        Self {
            version: 0,
            currency: None,
            items: Vec::new(),
            coupon_code: None,
            shipping_method: None,
            shipping_address: None,
            amounts: PurchaseAmounts::of_nothing(),
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
    image_url: Option<String>,
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
            image_url: line.image_url,
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
        let of_lines = LineProblem::ALL.into_iter().filter(is_there).map(LineProblem::as_str);
        let problems: Vec<_> = of_lines.chain(cart.faults().iter().map(Fault::name)).collect();
        let amounts = cart.amounts();
        let Choices { coupon_code, shipping_method, shipping_address } = cart.choices;
        Self {
            version: cart.version,
            currency: cart.currency,
            coupon_code,
            shipping_method,
            shipping_address,
            amounts,
            can_check_out: problems.is_empty() && !cart.lines.is_empty(),
            problems,
            items: cart.lines.into_iter().map(LineView::from).collect(),
        }
    }
}
