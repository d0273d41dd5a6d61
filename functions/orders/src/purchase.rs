//! What a purchase comes to, by the offers in it, the coupon, where it goes and how the shop sends and taxes, all
//! together. A cart shows it, and the order that comes of the cart keeps it.

use std::collections::HashSet;

use offers::{Offer, OfferId};
use promotions::{Basket, Benefit, Counted, Coupon, CouponCode};
use serde::{Deserialize, Serialize};
use settings::{MethodId, OfferedMethod, Region, Shipping, Tax};
use shared::caller::UserId;
use shared::http::input::{Change, Fields};
use shared::http::problem::{FieldError, Kind, Problem, StatusCode};
pub use shared::values::address::{Address, AddressCode, AddressLine};
use shared::values::country::Country;
use shared::values::money::{Amount, Currency, InMajor};
use shared::values::percent::{InHundredths, Percent};
use shared::values::time::Timestamp;
use stores::StoreId;
use totals::{Discount, LineTotal, Taxes, Totals};

use crate::Quantity;

/// What somebody chose of a purchase besides what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Choices {
    /// The coupon that is to be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon_code: Option<CouponCode>,
    /// How it is sent; the cheapest way, unless somebody says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_method: Option<MethodId>,
    /// Where to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<Address>,
}

/// What somebody chooses otherwise. What is not said stays, and `null` takes it back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct NewChoices {
    coupon_code: Change<CouponCode>,
    shipping_method: Change<MethodId>,
    shipping_address: Change<Address>,
}

impl NewChoices {
    /// Reads them from among the fields of a request.
    pub fn read(fields: &mut Fields) -> Option<Self> {
        let coupon_code = fields.change("couponCode");
        let shipping_method = fields.change("shippingMethod");
        let shipping_address = fields.change("shippingAddress");
        Some(Self {
            coupon_code: coupon_code?,
            shipping_method: shipping_method?,
            shipping_address: shipping_address?,
        })
    }

    /// Whether something was chosen anew that is not for every purchase.
    pub fn depend_on_what_is_bought(&self) -> bool {
        let (coupon, method) = (&self.coupon_code, &self.shipping_method);
        matches!(coupon, Change::To(Some(_))) || matches!(method, Change::To(Some(_)))
    }

    /// Whether a fault of the purchase is about something that was chosen anew.
    pub fn are_about(&self, fault: &Fault) -> bool {
        match fault {
            Fault::CouponNotValid { .. } => matches!(self.coupon_code, Change::To(Some(_))),
            Fault::ShippingNotAvailable { .. } => matches!(self.shipping_method, Change::To(Some(_))),
        }
    }
}

impl Choices {
    /// The same with what is chosen otherwise.
    #[must_use]
    pub fn with(self, new: NewChoices) -> Self {
        Self {
            coupon_code: new.coupon_code.of(self.coupon_code),
            shipping_method: new.shipping_method.of(self.shipping_method),
            shipping_address: new.shipping_address.of(self.shipping_address),
        }
    }

    /// The same, and where nothing was chosen what `others` chose.
    #[must_use]
    pub fn or(self, others: &Self) -> Self {
        Self {
            coupon_code: self.coupon_code.or_else(|| others.coupon_code.clone()),
            shipping_method: self.shipping_method.or_else(|| others.shipping_method.clone()),
            shipping_address: self.shipping_address.or_else(|| others.shipping_address.clone()),
        }
    }

    /// What is still chosen after an order, which has used the coupon.
    #[must_use]
    pub fn after_order(&self) -> Self {
        Self { coupon_code: None, ..self.clone() }
    }

    /// Whether nothing was chosen.
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }
}

/// What a purchase costs by, as it was read.
#[derive(Debug, Clone, Default)]
pub struct Prices {
    /// The offers of what is in it, as far as they are there.
    pub offers: Vec<Offer>,
    /// Of the stores that were asked for, those that are open.
    pub open_stores: HashSet<StoreId>,
    /// The coupon that was named.
    pub named: NamedCoupon,
    /// How the shop sends.
    pub shipping: Shipping,
    /// How it taxes.
    pub tax: Tax,
}

/// A coupon that somebody named, as it was read, and how often that person has used it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NamedCoupon {
    /// What was found; nothing, where there is none of that code.
    pub coupon: Option<Coupon>,
    /// How often.
    pub used_before: u32,
}

/// What is in the way of a purchase as it was chosen, besides what is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is no such coupon, or it is not for this purchase.
    #[error("the coupon is not for this purchase")]
    CouponNotValid {
        /// Which one.
        code: CouponCode,
        /// Why; nothing, where there is none of that code.
        reason: Option<promotions::Refusal>,
    },
    /// It cannot be sent so, or not there.
    #[error("the shop does not send this to {country} so")]
    ShippingNotAvailable {
        /// Where to.
        country: Country,
        /// How it can be sent there.
        methods: Vec<OfferedMethod>,
    },
}

impl Fault {
    /// That a transaction did not count a purchase's coupon; `None` where it has none.
    pub fn of_coupon(coupon: Option<&Coupon>, reason: promotions::Refusal) -> Option<Self> {
        Some(Self::CouponNotValid { code: coupon?.code().clone(), reason: Some(reason) })
    }

    /// What carts call it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CouponNotValid { .. } => "coupon-not-valid",
            Self::ShippingNotAvailable { .. } => "shipping-not-available",
        }
    }
}

/// Why a purchase is not ordered as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A coupon or a way of sending that was chosen is not for it.
    #[error(transparent)]
    Chosen(#[from] Fault),
    /// Nobody has said where to send it.
    #[error("nobody has said where to send it")]
    NoAddress,
    /// It costs something else.
    #[error("it does not cost what was expected")]
    TotalChanged {
        /// What was expected.
        expected: Amount,
        /// What it costs.
        amounts: PurchaseAmounts,
    },
}

const TOTAL_CHANGED: Kind = Kind::new(StatusCode::CONFLICT, "total-changed", "Total changed");
const COUPON_NOT_VALID: Kind = Kind::new(StatusCode::CONFLICT, "coupon-not-valid", "Coupon not valid");
const COUPON_USED_UP: Kind = Kind::new(StatusCode::CONFLICT, "coupon-used-up", "Coupon used up");
const SHIPPING_NOT_AVAILABLE: Kind =
    Kind::new(StatusCode::CONFLICT, "shipping-not-available", "Shipping not available");

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::CouponNotValid { code, reason: Some(promotions::Refusal::UsedUp) } => {
                Self::new(COUPON_USED_UP, "The coupon was used as often as it can be.").with("code", code)
            }
            Fault::CouponNotValid { code, reason } => {
                let (reason, detail) = told(reason);
                let problem = Self::new(COUPON_NOT_VALID, detail).with("code", code).with("reason", reason.0);
                match reason.1 {
                    Some(minimum) => problem.with("minimum", minimum.in_major()),
                    None => problem,
                }
            }
            Fault::ShippingNotAvailable { country, methods } => {
                let detail = "The shop does not send this to that country in this way.";
                Self::new(SHIPPING_NOT_AVAILABLE, detail).with("country", country).with("methods", methods)
            }
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Chosen(fault) => fault.into(),
            Refusal::NoAddress => {
                let detail = "is required: say where to send it";
                Self::invalid_input(vec![FieldError::body("#/shippingAddress", detail)])
            }
            Refusal::TotalChanged { expected, amounts } => {
                let detail = "It costs something else by now. Look at it again before you order.";
                Self::new(TOTAL_CHANGED, detail)
                    .with("expectedTotal", expected.in_major())
                    .with("total", amounts.total)
                    .with("amounts", amounts)
            }
        }
    }
}

/// Why a coupon is not valid, for programs and for people, with what it is from.
fn told(reason: Option<promotions::Refusal>) -> ((&'static str, Option<Amount>), &'static str) {
    use promotions::Refusal;
    match reason {
        None => (("unknown", None), "There is no such coupon."),
        Some(Refusal::Ended) => (("ended", None), "The coupon is over."),
        Some(Refusal::NotBegun) => (("not-begun", None), "The coupon is for later."),
        Some(Refusal::OtherCurrency) => (("other-currency", None), "The coupon is of another currency."),
        Some(Refusal::OtherGoods) => (("other-products", None), "The coupon is for other products."),
        Some(Refusal::BelowMinimum(minimum)) => {
            (("below-minimum", Some(minimum)), "What the coupon is for costs less than it is from.")
        }
        Some(Refusal::UsedUp) => (("used-up", None), "The coupon was used as often as it can be."),
        Some(Refusal::UsedByCustomer) => {
            (("used-by-customer", None), "You have used the coupon as often as one may.")
        }
    }
}

/// So many pieces of an offer.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Of which.
    pub offer: &'a Offer,
    /// How many.
    pub quantity: Quantity,
}

/// What a purchase comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    lines: Vec<(OfferId, LineAmounts)>,
    amounts: Amounts,
    total: Amount,
    coupon: Option<Coupon>,
    method: Option<MethodId>,
    address: Option<Address>,
    /// Whether where it goes is not known yet, and matters.
    estimated: bool,
    /// Whether it cannot be sent without saying where to.
    needs_address: bool,
    faults: Vec<Fault>,
}

/// What a line of an order comes to, besides its price times its quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineAmounts {
    discount: Amount,
    tax: Amount,
    tax_rate: Percent,
    total: Amount,
}

impl LineAmounts {
    /// What the coupon takes off it.
    pub(crate) fn discount(self) -> Amount {
        self.discount
    }

    /// What one pays for it.
    pub(crate) fn total(self) -> Amount {
        self.total
    }

    /// Of a line that costs this and no more.
    pub(crate) fn of_price(total: Amount) -> Self {
        Self { discount: Amount::ZERO, tax: Amount::ZERO, tax_rate: Percent::ZERO, total }
    }

    /// Whether it is just the price.
    pub(crate) fn are_of_the_price_alone(&self) -> bool {
        *self == Self::of_price(self.total)
    }
}

/// The same as answers show it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LineAmountsView {
    discount: InMajor,
    tax: InMajor,
    tax_rate: InHundredths,
    total: InMajor,
}

impl From<LineAmounts> for LineAmountsView {
    fn from(line: LineAmounts) -> Self {
        Self {
            discount: line.discount.in_major(),
            tax: line.tax.in_major(),
            tax_rate: line.tax_rate.in_hundredths(),
            total: line.total.in_major(),
        }
    }
}

/// Of what a total is made: `items - discount + shipping + tax - taxIncluded`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Amounts {
    /// The prices of all pieces.
    pub items: Amount,
    /// What the coupon takes off.
    pub discount: Amount,
    /// The price of sending.
    pub shipping: Amount,
    /// All taxes.
    pub tax: Amount,
    /// The part of them that is inside the prices.
    pub tax_included: Amount,
}

impl Amounts {
    /// Of pieces alone.
    pub fn of_items(items: Amount) -> Self {
        let none = Amount::ZERO;
        Self { items, discount: none, shipping: none, tax: none, tax_included: none }
    }

    /// Whether nothing else adds to it.
    pub(crate) fn are_of_items_alone(&self) -> bool {
        *self == Self::of_items(self.items)
    }
}

/// The same as answers show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AmountsView {
    items: InMajor,
    discount: InMajor,
    shipping: InMajor,
    tax: InMajor,
    tax_included: InMajor,
}

impl From<Amounts> for AmountsView {
    fn from(amounts: Amounts) -> Self {
        Self {
            items: amounts.items.in_major(),
            discount: amounts.discount.in_major(),
            shipping: amounts.shipping.in_major(),
            tax: amounts.tax.in_major(),
            tax_included: amounts.tax_included.in_major(),
        }
    }
}

/// What a purchase comes to before it is ordered, as answers show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PurchaseAmounts {
    #[serde(flatten)]
    amounts: AmountsView,
    total: InMajor,
    /// Whether where it goes is not known yet, and may change it.
    estimated: bool,
}

impl PurchaseAmounts {
    /// Of nothing.
    pub fn of_nothing() -> Self {
        let none = Amount::ZERO;
        Self { amounts: Amounts::of_items(none).into(), total: none.in_major(), estimated: false }
    }
}

/// A coupon as an order used it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsedCoupon {
    pub(crate) code: CouponCode,
    pub(crate) counted: Counted,
    /// As which customer it was counted, where that is not the buyer: guests count by their address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) customer: Option<UserId>,
}

impl UsedCoupon {
    /// The same, counted for this customer.
    pub(crate) fn used_by(self, customer: UserId) -> Self {
        Self { customer: Some(customer), ..self }
    }

    /// The same without what is gone.
    pub(crate) fn without(self, gone: Counted) -> Self {
        let counted = Counted {
            in_all: self.counted.in_all && !gone.in_all,
            by_customer: self.counted.by_customer && !gone.by_customer,
        };
        Self { counted, ..self }
    }
}

impl Purchase {
    /// What these lines come to, sent to where it was chosen or else to where the `shop` is. A coupon that is not
    /// valid takes nothing off, and what cannot be sent costs nothing to send: both are among the
    /// [`Purchase::faults`]. `None` where something is too large to be written down.
    pub fn of(
        wanted: &[Wanted<'_>],
        currency: Currency,
        choices: &Choices,
        prices: &Prices,
        shop: Country,
        now: Timestamp,
    ) -> Option<Self> {
        let Prices { named, shipping: sending, tax: taxing, .. } = prices;
        let place = choices.shipping_address.as_ref();
        let (country, region) = place.map_or((shop, None), Address::place);
        let region = region.map(Region::as_str);
        let rate = |category| taxing.rate_for(country, region, category);
        let mut faults = Vec::new();
        let valid = valid_coupon(wanted, currency, choices, named, now);
        let valid = valid.map_err(|fault| faults.extend(fault)).ok();
        let lines = (0..wanted.len()).map(|at| totals::Line {
            price: wanted[at].offer.price().amount(),
            quantity: wanted[at].quantity.pieces(),
            rate: rate(wanted[at].offer.category()),
            discounted: valid.as_ref().is_some_and(|(_, lines)| lines[at]),
        });
        let lines: Vec<totals::Line> = lines.collect();
        let discount = valid.as_ref().map_or(Discount::None, |(coupon, _)| match coupon.benefit() {
            Benefit::Percent(part) => Discount::Part(part),
            Benefit::Amount(price) => Discount::Sum(price.amount()),
            Benefit::FreeShipping => Discount::Shipping,
        });
        let taxes = taxes(taxing);
        let unsent = Totals::of(&lines, discount, None, taxes)?;
        let value = unsent.items.minor().checked_sub(unsent.discount.minor()).map(Amount::from_minor)?;
        let method = method_for(sending, choices, country, value);
        // Where it goes is not known: only a way that there is not at all is in the way of that.
        let may_be_sent = place.is_none() && is_known(sending, choices);
        let method = method.map_err(|fault| faults.extend((!may_be_sent).then_some(fault))).ok().flatten();
        let shipping = method.as_ref().map(|(method, price)| totals::Shipping {
            price: *price,
            rate: method.tax_rate().unwrap_or_else(|| rate(None)),
        });
        let totals = Totals::of(&lines, discount, shipping, taxes)?;
        let is_sent = !sending.methods().is_empty();
        Some(Self {
            amounts: amounts(&totals, taxing)?,
            total: totals.total,
            lines: wanted.iter().zip(&lines).zip(&totals.lines).map(counted).collect(),
            coupon: valid.map(|(coupon, _)| coupon.clone()),
            method: method.map(|(method, _)| method.id().clone()),
            address: place.cloned(),
            estimated: place.is_none() && (is_sent || !taxing.is_the_same_everywhere()),
            needs_address: place.is_none() && is_sent,
            faults,
        })
    }

    /// Of what its total is made.
    pub fn amounts(&self) -> Amounts {
        self.amounts
    }

    /// What one pays.
    pub fn total(&self) -> Amount {
        self.total
    }

    /// What it comes to, as answers show it.
    pub fn shown(&self) -> PurchaseAmounts {
        PurchaseAmounts {
            amounts: self.amounts.into(),
            total: self.total.in_major(),
            estimated: self.estimated,
        }
    }

    /// That nothing is in its way, and that it costs what was expected, where that was said.
    ///
    /// # Errors
    /// What is wrong with the coupon or the way of sending; then that nobody has said where to; then
    /// [`Refusal::TotalChanged`], which is only said of what can be bought.
    pub fn agrees(&self, expected: Option<Amount>) -> Result<(), Refusal> {
        if let Some(fault) = self.faults.first() {
            return Err(fault.clone().into());
        }
        if self.needs_address {
            return Err(Refusal::NoAddress);
        }
        match expected {
            Some(expected) if expected != self.total => {
                Err(Refusal::TotalChanged { expected, amounts: self.shown() })
            }
            _ => Ok(()),
        }
    }

    /// The coupon that takes something off.
    pub fn coupon(&self) -> Option<&Coupon> {
        self.coupon.as_ref()
    }

    /// How it is sent.
    pub fn method(&self) -> Option<&MethodId> {
        self.method.as_ref()
    }

    /// Where to.
    pub fn address(&self) -> Option<&Address> {
        self.address.as_ref()
    }

    /// What is in its way.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// What the line of an offer comes to.
    pub(crate) fn line(&self, id: OfferId) -> Option<LineAmounts> {
        self.lines.iter().find(|(offer, _)| *offer == id).map(|(_, amounts)| *amounts)
    }

    /// What its order keeps of the coupon.
    pub(crate) fn used_coupon(&self) -> Option<UsedCoupon> {
        let coupon = self.coupon.as_ref()?;
        Some(UsedCoupon { code: coupon.code().clone(), counted: coupon.counted(), customer: None })
    }
}

/// The named coupon and for which lines it is, or why it is for none; no fault where none was named.
fn valid_coupon<'a>(
    wanted: &[Wanted<'_>],
    currency: Currency,
    choices: &Choices,
    named: &'a NamedCoupon,
    now: Timestamp,
) -> Result<(&'a Coupon, Vec<bool>), Option<Fault>> {
    let code = choices.coupon_code.as_ref().ok_or(None)?;
    let not_valid = |reason| Some(Fault::CouponNotValid { code: code.clone(), reason });
    let coupon = named.coupon.as_ref().ok_or_else(|| not_valid(None))?;
    let lines = wanted.iter().map(|line| {
        let value = line.offer.price().amount().checked_times(line.quantity.pieces())?;
        let category = line.offer.category().unwrap_or_default();
        Some(promotions::Line { product: line.offer.product_id(), category, value })
    });
    // What is too large to be written down is so for the totals as well.
    let lines = lines.collect::<Option<Vec<_>>>().unwrap_or_default();
    let basket = Basket { lines: &lines, currency, used_before: named.used_before };
    let is_for = coupon.applies_to(&basket, now).map_err(|reason| not_valid(Some(reason)))?;
    Ok((coupon, is_for))
}

/// The chosen method and what it costs, or else the cheapest, of equals the first; none where the shop has none.
fn method_for<'a>(
    shipping: &'a Shipping,
    choices: &Choices,
    country: Country,
    value: Amount,
) -> Result<Option<(&'a settings::Method, Amount)>, Fault> {
    if shipping.methods().is_empty() {
        return Ok(None);
    }
    let wanted = |method: &&settings::Method| {
        choices.shipping_method.as_ref().is_none_or(|chosen| method.id() == chosen)
    };
    let priced = shipping.methods().iter().filter(wanted);
    let priced = priced.filter_map(|method| Some((method, method.price_for(country, value)?)));
    let cheapest = priced.min_by_key(|(_, price)| *price);
    let methods = || shipping.offered(country, value);
    cheapest.map(Some).ok_or_else(|| Fault::ShippingNotAvailable { country, methods: methods() })
}

/// Whether the shop has the chosen way of sending, to whichever country.
fn is_known(shipping: &Shipping, choices: &Choices) -> bool {
    let chosen = choices.shipping_method.as_ref();
    chosen.is_none_or(|chosen| shipping.methods().iter().any(|method| method.id() == chosen))
}

fn taxes(tax: &Tax) -> Taxes {
    let of = |is_inside| if is_inside { totals::Tax::Inside } else { totals::Tax::OnTop };
    Taxes { of_items: of(tax.prices_include_tax()), of_shipping: of(tax.shipping_includes_tax()) }
}

fn amounts(totals: &Totals, tax: &Tax) -> Option<Amounts> {
    let of_items = totals.tax.minor().checked_sub(totals.shipping.tax.minor()).map(Amount::from_minor)?;
    let inside = |is_inside: bool, tax: Amount| if is_inside { tax } else { Amount::ZERO };
    let of_items = inside(tax.prices_include_tax(), of_items);
    let of_shipping = inside(tax.shipping_includes_tax(), totals.shipping.tax);
    Some(Amounts {
        items: totals.items,
        discount: totals.discount,
        shipping: totals.shipping.value,
        tax: totals.tax,
        tax_included: of_items.checked_add(of_shipping)?,
    })
}

fn counted(((wanted, line), counted): ((&Wanted<'_>, &totals::Line), &LineTotal)) -> (OfferId, LineAmounts) {
    let LineTotal { discount, tax, total, .. } = *counted;
    (wanted.offer.id(), LineAmounts { discount, tax, tax_rate: line.rate, total })
}

#[cfg(test)]
mod tests;
