//! What is too little, or too much, to be charged by Stripe:
//! <https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts>.
//!
//! Where the account is paid out in another currency than the shop's, the least amount is that of the other, at the
//! rate of the day: Stripe then refuses what is nearly as little as this.

use shared::values::money::{Amount, Currency};

/// The most that Stripe takes: eight digits of minor units.
pub const MAXIMUM: Amount = Amount::from_minor(99_999_999);

/// The least that Stripe takes in each currency that the shop can be set to.
const MINIMA: [(&str, u64); 14] = [
    ("USD", 50),
    ("EUR", 50),
    ("GBP", 30),
    ("CAD", 50),
    ("AUD", 50),
    ("NZD", 50),
    ("CHF", 50),
    ("SEK", 300),
    ("NOK", 300),
    ("DKK", 250),
    ("PLN", 200),
    ("CZK", 1500),
    ("INR", 50),
    ("BRL", 50),
];

/// The least that Stripe takes in this currency.
pub fn minimum(currency: Currency) -> Amount {
    let known = MINIMA.into_iter().find(|(code, _)| *code == currency.code());
    // A test has all currencies; one that came without it is refused by Stripe, at worst.
    Amount::from_minor(known.map_or(1, |(_, minor)| minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_currency_of_the_shop_has_a_least_amount() {
        let codes: Vec<_> = Currency::all().map(Currency::code).collect();
        assert_eq!(MINIMA.map(|(code, _)| code).to_vec(), codes);
        for currency in Currency::all() {
            assert!((30..=1500).contains(&minimum(currency).minor()), "{currency}");
        }
    }

    #[test]
    fn half_a_dollar_is_enough_and_fourteen_crowns_are_not() {
        let least = |code: &str| minimum(code.parse().unwrap()).minor();
        assert_eq!(["USD", "EUR", "GBP", "CZK"].map(least), [50, 50, 30, 1500]);
        assert_eq!(MAXIMUM.to_string(), "999999.99");
    }
}
