//! Currencies as Stripe treats them: how they are said, and how little can be paid in them.

use super::refusal::Refusal;

/// The shop's currencies, each with its sign and the least that can be charged in it:
/// <https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts>.
const CURRENCIES: [(&str, &str, i64); 14] = [
    ("usd", "$", 50),
    ("eur", "€", 50),
    ("gbp", "£", 30),
    ("cad", "CA$", 50),
    ("aud", "A$", 50),
    ("nzd", "NZ$", 50),
    ("chf", "CHF ", 50),
    ("sek", "SEK ", 300),
    ("nok", "NOK ", 300),
    ("dkk", "DKK ", 250),
    ("pln", "PLN ", 200),
    ("czk", "CZK ", 1500),
    ("inr", "₹", 50),
    ("brl", "R$", 50),
];

/// The largest charge: eight digits.
pub(crate) const LARGEST: i64 = 99_999_999;

/// A currency by its code, which Stripe takes in lower case.
pub(crate) fn currency(code: &str, param: &str) -> Result<String, Refusal> {
    let lower = code.to_ascii_lowercase();
    if CURRENCIES.iter().any(|(known, _, _)| *known == lower) {
        return Ok(lower);
    }
    let known = CURRENCIES.map(|(code, _, _)| code).join(", ");
    let message = format!("Invalid currency: {code}. Stripe currently supports these currencies: {known}");
    Err(Refusal::invalid(message).param(param))
}

/// The least that can be charged.
pub(crate) fn least(currency: &str) -> i64 {
    CURRENCIES.iter().find(|(known, _, _)| *known == currency).map_or(50, |(_, _, least)| *least)
}

/// An amount as Stripe's messages say it: `$25.00`.
pub(crate) fn said(amount: i64, currency: &str) -> String {
    let sign = CURRENCIES.iter().find(|(known, _, _)| *known == currency).map_or("", |(_, sign, _)| *sign);
    format!("{sign}{}.{:02}", amount / 100, amount % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_said_as_in_stripes_messages() {
        assert_eq!([said(2500, "usd"), said(5, "eur"), said(1234, "chf")], ["$25.00", "€0.05", "CHF 12.34"]);
        assert_eq!(
            (currency("EUR", "currency").unwrap().as_str(), least("eur"), least("czk")),
            ("eur", 50, 1500)
        );
        assert_eq!(currency("xyz", "currency").unwrap_err().param.as_deref(), Some("currency"));
    }
}
