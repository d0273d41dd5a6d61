//! What a purchase comes to: its lines, a discount on some of them, shipping, and the tax of each. All of it is counted
//! in minor units; nothing is a fraction but between two steps, and what is none becomes one by rounding half up.
//!
//! Tax is counted by line, so that the sum of what is shown is what is paid, and a line that is paid back is paid back
//! exactly.

use std::cmp::Reverse;

use shared::values::money::Amount;
use shared::values::percent::Percent;

/// So many pieces of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// What one piece costs.
    pub price: Amount,
    /// How many there are.
    pub quantity: u32,
    /// At what it is taxed.
    pub rate: Percent,
    /// Whether the discount is for it.
    pub discounted: bool,
}

/// What is taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discount {
    /// Nothing.
    None,
    /// A part of the lines that it is for.
    Part(Percent),
    /// So much of them, and never more than they cost.
    Sum(Amount),
    /// What sending costs.
    Shipping,
}

/// How it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shipping {
    /// What that costs.
    pub price: Amount,
    /// At what it is taxed.
    pub rate: Percent,
}

/// Where the tax of a price is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tax {
    /// Inside: the price is what one pays.
    Inside,
    /// On top of it.
    OnTop,
}

/// Where the taxes of a shop are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taxes {
    /// Of things.
    pub of_items: Tax,
    /// Of sending them.
    pub of_shipping: Tax,
}

/// What a line comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineTotal {
    /// Its price times its quantity.
    pub value: Amount,
    /// Its share of the discount.
    pub discount: Amount,
    /// The tax that is in its total.
    pub tax: Amount,
    /// What one pays for it.
    pub total: Amount,
}

/// What all of it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    /// Each line, in the order in which they came.
    pub lines: Vec<LineTotal>,
    /// Sending it: never with a discount of its own, since what is free costs nothing.
    pub shipping: LineTotal,
    /// The values of all lines.
    pub items: Amount,
    /// The discounts of all lines.
    pub discount: Amount,
    /// All taxes.
    pub tax: Amount,
    /// What one pays.
    pub total: Amount,
}

impl Totals {
    /// What these lines come to; `None` where that is too large to be written down.
    pub fn of(lines: &[Line], discount: Discount, shipping: Option<Shipping>, taxes: Taxes) -> Option<Self> {
        let values = lines.iter().map(|line| line.price.checked_times(line.quantity));
        let values = values.collect::<Option<Vec<_>>>()?;
        let shares = shares_of(discount, lines, &values)?;
        let counted = lines.iter().zip(values.iter().zip(&shares)).map(|(line, (value, share))| {
            let after = Amount::from_minor(value.minor().checked_sub(share.minor())?);
            let (tax, total) = taxed(after, line.rate, taxes.of_items)?;
            Some(LineTotal { value: *value, discount: *share, tax, total })
        });
        let counted = counted.collect::<Option<Vec<_>>>()?;
        let price = shipping.filter(|_| discount != Discount::Shipping);
        let value = price.map_or(Amount::ZERO, |shipping| shipping.price);
        let rate = price.map_or(Percent::ZERO, |shipping| shipping.rate);
        let (tax, total) = taxed(value, rate, taxes.of_shipping)?;
        let shipping = LineTotal { value, discount: Amount::ZERO, tax, total };
        let sum = |of: fn(&LineTotal) -> Amount| sum(counted.iter().map(of));
        Some(Self {
            items: sum(|line| line.value)?,
            discount: sum(|line| line.discount)?,
            tax: sum(|line| line.tax)?.checked_add(shipping.tax)?,
            total: sum(|line| line.total)?.checked_add(shipping.total)?,
            lines: counted,
            shipping,
        })
    }
}

/// What is paid back for `more` of a line's `pieces` when `already` were paid back before: whatever the order in which
/// they come back, all of them together are the line's total. `None` for more than there are.
pub fn paid_back(total: Amount, pieces: u32, already: u32, more: u32) -> Option<Amount> {
    let until = already.checked_add(more).filter(|until| *until <= pieces && pieces > 0)?;
    let part = |of: u32| u128::from(total.minor()) * u128::from(of) / u128::from(pieces);
    amount(part(until) - part(already))
}

/// What each of these has of a total that is shared out by their weights: whole cents, of which those that would have
/// most of another get one more, and of equals the heavier and then the first. Without any weight, all have the same.
/// All of them together are the total. `None` where nobody is there to have it.
pub fn shared_out(total: Amount, weights: &[Amount]) -> Option<Vec<Amount>> {
    let weighs = weights.iter().any(|weight| *weight != Amount::ZERO);
    let weight = |at: usize| if weighs { u128::from(weights[at].minor()) } else { 1 };
    let sum: u128 = (0..weights.len()).map(weight).sum();
    if sum == 0 {
        return None;
    }
    let exact = |at: usize| u128::from(total.minor()) * weight(at);
    let mut shares: Vec<u128> = (0..weights.len()).map(|at| exact(at) / sum).collect();
    let left = u128::from(total.minor()).checked_sub(shares.iter().sum())?;
    let mut places: Vec<usize> = (0..weights.len()).collect();
    places.sort_by_key(|at| Reverse((exact(*at) % sum, weight(*at))));
    for at in places.into_iter().take(usize::try_from(left).ok()?) {
        shares[at] += 1;
    }
    shares.into_iter().map(amount).collect()
}

/// The share of each line in a discount: none for those that it is not for.
fn shares_of(discount: Discount, lines: &[Line], values: &[Amount]) -> Option<Vec<Amount>> {
    let is_for = |at: &usize| lines[*at].discounted;
    let chosen: Vec<usize> = (0..lines.len()).filter(is_for).collect();
    let sum = sum(chosen.iter().map(|at| values[*at]))?;
    let discount = match discount {
        Discount::None | Discount::Shipping => Amount::ZERO,
        Discount::Part(part) => part_of(sum, part.thousandths(), Percent::WHOLE.thousandths())?,
        Discount::Sum(most) => most.min(sum),
    };
    let mut shares = vec![Amount::ZERO; lines.len()];
    if sum == Amount::ZERO {
        return Some(shares);
    }
    let (discount, sum) = (u128::from(discount.minor()), u128::from(sum.minor()));
    let mut left = discount;
    let mut rests = Vec::with_capacity(chosen.len());
    for at in chosen {
        let exact = discount * u128::from(values[at].minor());
        left -= exact / sum;
        shares[at] = amount(exact / sum)?;
        rests.push((exact % sum, values[at], lines[at].rate, at));
    }
    // Those that lost most come first. Of lines that lost the same, what tells them apart decides before their places
    // do: so the order in which lines stand changes no total.
    rests.sort_by_key(|(rest, value, rate, _)| Reverse((*rest, *value, *rate)));
    for (.., at) in rests.into_iter().take(usize::try_from(left).ok()?) {
        shares[at] = shares[at].checked_add(Amount::from_minor(1))?;
    }
    Some(shares)
}

/// The tax of a price, and what one pays with it.
fn taxed(price: Amount, rate: Percent, tax: Tax) -> Option<(Amount, Amount)> {
    let (rate, whole) = (rate.thousandths(), Percent::WHOLE.thousandths());
    match tax {
        Tax::Inside => Some((part_of(price, rate, whole + rate)?, price)),
        Tax::OnTop => {
            let tax = part_of(price, rate, whole)?;
            Some((tax, price.checked_add(tax)?))
        }
    }
}

/// `of × part / whole`, half up.
fn part_of(of: Amount, part: u32, whole: u32) -> Option<Amount> {
    let (of, part, whole) = (u128::from(of.minor()), u128::from(part), u128::from(whole));
    amount((2 * of * part + whole) / (2 * whole))
}

fn sum(amounts: impl Iterator<Item = Amount>) -> Option<Amount> {
    amounts.into_iter().try_fold(Amount::ZERO, Amount::checked_add)
}

fn amount(minor: u128) -> Option<Amount> {
    u64::try_from(minor).ok().map(Amount::from_minor)
}

#[cfg(test)]
mod tests;
