//! What is asked of Stripe. Every parameter comes from what was stored, never from the clock or the present
//! configuration: a request that is repeated has to be the same to the byte.

use std::fmt;

use orders::OrderId;
use serde::{Deserialize, Serialize};
use shared::values::money::{Amount, Currency};
use shared::values::time::Timestamp;

use super::form::Form;
use crate::ids::{IntentId, PaymentId, RefundId, Shop};

/// How many lines a session may have at Stripe.
const MOST_LINES: usize = 100;

/// What is paid, line by line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    lines: Vec<Line>,
    total: Amount,
}

/// One thing that is paid, as the buyer reads it on Stripe's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is: `2 × green tea`, `Shipping`.
    pub name: String,
    /// What all of it costs, after discounts.
    pub amount: Amount,
}

/// The lines are not what is to be paid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTheTotal {
    /// They sum to another amount.
    #[error("the lines sum to {sum} and not to {total}")]
    Another {
        /// To this one.
        sum: Amount,
        /// And not to this one.
        total: Amount,
    },
    /// There is none, or there are more than Stripe takes.
    #[error("{0} lines are none or too many")]
    Count(usize),
}

impl Lines {
    /// The order's lines, then what shipping costs and what tax is added, where that is something; together `total`.
    ///
    /// # Errors
    /// When they are not: nobody is asked for another amount than that of the order.
    pub fn new(
        mut lines: Vec<Line>,
        shipping: Amount,
        tax: Amount,
        total: Amount,
    ) -> Result<Self, NotTheTotal> {
        for (name, amount) in [("Shipping", shipping), ("Tax", tax)] {
            if amount > Amount::ZERO {
                lines.push(Line { name: name.into(), amount });
            }
        }
        if lines.is_empty() || lines.len() > MOST_LINES {
            return Err(NotTheTotal::Count(lines.len()));
        }
        let sum = lines.iter().try_fold(Amount::ZERO, |sum, line| sum.checked_add(line.amount));
        match sum {
            Some(sum) if sum == total => Ok(Self { lines, total }),
            sum => Err(NotTheTotal::Another { sum: sum.unwrap_or(Amount::from_minor(u64::MAX)), total }),
        }
    }

    /// What is paid for all of them.
    pub fn total(&self) -> Amount {
        self.total
    }
}

/// A way of paying by its name at Stripe, such as `card`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PaymentMethod(String);

impl PaymentMethod {
    /// Cards, and the wallets that come with them.
    pub fn card() -> Self {
        Self("card".into())
    }
}

impl TryFrom<String> for PaymentMethod {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let fits = (1..=40).contains(&text.len()) && text.bytes().all(is_part);
        fits.then_some(Self(text)).ok_or("must be a payment method's name, such as card or sepa_debit")
    }
}

impl std::str::FromStr for PaymentMethod {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}

impl From<PaymentMethod> for String {
    fn from(method: PaymentMethod) -> Self {
        method.0
    }
}

impl fmt::Display for PaymentMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A Checkout Session that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRequest {
    /// Which attempt to pay this is: the same attempt always gets the same session.
    pub payment: PaymentId,
    /// Of which order.
    pub order: OrderId,
    /// Of which shop.
    pub shop: Shop,
    /// What is paid.
    pub lines: Lines,
    /// In which currency.
    pub currency: Currency,
    /// Until when: from 30 minutes to 24 hours after Stripe reads it.
    pub expires_at: Timestamp,
    /// Where the buyer goes who has paid.
    pub success_url: String,
    /// Where the buyer goes who has not.
    pub cancel_url: String,
    /// The ways of paying; none leaves them to the settings in the Dashboard.
    pub methods: Vec<PaymentMethod>,
}

impl SessionRequest {
    /// What Stripe knows this request by.
    pub(super) fn idempotency_key(&self) -> String {
        key_of(self.payment)
    }

    pub(super) fn form(&self) -> String {
        let form = Form::new()
            .with("mode", "payment")
            .with("locale", "auto")
            .with("submit_type", "pay")
            .with("client_reference_id", self.order)
            .within(&["adaptive_pricing", "enabled"], false)
            .with("expires_at", self.expires_at.unix_seconds())
            .with("success_url", &self.success_url)
            .with("cancel_url", &self.cancel_url);
        // The session has it and the intent as well: whatever is heard of first tells whose it is.
        let whose = |form, path: &[&str]| with_metadata(form, path, self.order, self.payment, &self.shop);
        let form = whose(form, &["metadata"]);
        let form = whose(form, &["payment_intent_data", "metadata"]);
        let form = self.with_lines(form);
        let methods = self.methods.iter().enumerate();
        methods
            .fold(form, |form, (at, method)| form.within(&["payment_method_types", &at.to_string()], method))
            .finish()
    }

    /// Each line is one piece at the price of all its pieces, so that no discount, tax or rounding of Stripe's comes
    /// in.
    fn with_lines(&self, form: Form) -> Form {
        let currency = self.currency.to_string().to_ascii_lowercase();
        self.lines.lines.iter().enumerate().fold(form, |form, (at, line)| {
            let at = at.to_string();
            form.within(&["line_items", &at, "quantity"], 1)
                .within(&["line_items", &at, "price_data", "currency"], &currency)
                .within(&["line_items", &at, "price_data", "unit_amount"], line.amount.minor())
                .within(&["line_items", &at, "price_data", "product_data", "name"], &line.name)
        })
    }
}

/// What Stripe knows the request of an attempt by.
fn key_of(payment: PaymentId) -> String {
    format!("pay-{payment}")
}

fn with_metadata(form: Form, path: &[&str], order: OrderId, payment: PaymentId, shop: &Shop) -> Form {
    let at = |name| [path, &[name]].concat();
    form.within(&at("order_id"), order).within(&at("payment_id"), payment).within(&at("shop"), shop)
}

/// A PaymentIntent that is to be made, which is paid in a form of the shop's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntentRequest {
    /// Which attempt to pay this is: the same attempt always gets the same intent.
    pub payment: PaymentId,
    /// Of which order.
    pub order: OrderId,
    /// Of which shop.
    pub shop: Shop,
    /// What is paid.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
}

impl IntentRequest {
    /// What Stripe knows this request by.
    pub(super) fn idempotency_key(&self) -> String {
        key_of(self.payment)
    }

    pub(super) fn form(&self) -> String {
        let form = Form::new()
            .with("amount", self.amount.minor())
            .with("currency", self.currency.to_string().to_ascii_lowercase())
            .with("capture_method", "automatic")
            .within(&["automatic_payment_methods", "enabled"], true)
            .within(&["automatic_payment_methods", "allow_redirects"], "never");
        with_metadata(form, &["metadata"], self.order, self.payment, &self.shop).finish()
    }
}

shared::names!(
    /// Why something is given back, as far as Stripe wants to know it.
    pub enum RefundReason {
        /// It was paid twice.
        Duplicate = "duplicate",
        /// Somebody else paid with the buyer's card. Stripe then blocks the card.
        Fraudulent = "fraudulent",
        /// The buyer wanted it.
        RequestedByCustomer = "requested_by_customer",
    }
);

/// A refund that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    /// Which refund this is.
    pub refund: RefundId,
    /// Of which attempt to pay.
    pub payment: PaymentId,
    /// Of which order.
    pub order: OrderId,
    /// Of which shop.
    pub shop: Shop,
    /// Which money goes back.
    pub intent: IntentId,
    /// How much of it.
    pub amount: Amount,
    /// Why, where Stripe has a word for it.
    pub reason: Option<RefundReason>,
}

impl RefundRequest {
    /// What Stripe knows this request by.
    pub(super) fn idempotency_key(&self) -> String {
        format!("refund-{}", self.refund)
    }

    pub(super) fn form(&self) -> String {
        let form = Form::new().with("payment_intent", &self.intent).with("amount", self.amount.minor());
        let form = self.reason.into_iter().fold(form, |form, reason| form.with("reason", reason));
        form.within(&["metadata", "order_id"], self.order)
            .within(&["metadata", "payment_id"], self.payment)
            .within(&["metadata", "refund_id"], self.refund)
            .within(&["metadata", "shop"], &self.shop)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    const ORDER: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
    const PAYMENT: &str = "01890a5d-ac96-774b-bcce-b302099a8058";
    const REFUND: &str = "01890a5d-ac96-774b-bcce-b302099a8059";

    fn line(name: &str, minor: u64) -> Line {
        Line { name: name.into(), amount: Amount::from_minor(minor) }
    }

    fn lines(lines: Vec<Line>, shipping: u64, tax: u64, total: u64) -> Result<Lines, NotTheTotal> {
        let [shipping, tax, total] = [shipping, tax, total].map(Amount::from_minor);
        Lines::new(lines, shipping, tax, total)
    }

    fn request(lines: Lines) -> SessionRequest {
        SessionRequest {
            payment: PAYMENT.parse().unwrap(),
            order: ORDER.parse().unwrap(),
            shop: Shop::new("cartwright-staging").unwrap(),
            lines,
            currency: "EUR".parse().unwrap(),
            expires_at: Timestamp::from_unix_millis(1_790_000_000_999),
            success_url: format!("https://shop.example/orders/{ORDER}?payment={PAYMENT}"),
            cancel_url: format!("https://shop.example/orders/{ORDER}?payment={PAYMENT}&paid=no"),
            methods: vec![PaymentMethod::card()],
        }
    }

    /// The pairs of a form, in their order.
    fn pairs(form: &str) -> Vec<(String, String)> {
        form_urlencoded::parse(form.as_bytes()).into_owned().collect()
    }

    #[test]
    fn a_session_is_asked_for_with_all_that_was_stored_and_nothing_else() {
        let of_order = vec![line("2 × green tea & milk", 1_780), line("1 × mug", 0)];
        let request = request(lines(of_order, 490, 431, 2_701).unwrap());
        let success = format!("https://shop.example/orders/{ORDER}?payment={PAYMENT}");
        let cancel = format!("{success}&paid=no");
        let expected = [
            ("mode", "payment"),
            ("locale", "auto"),
            ("submit_type", "pay"),
            ("client_reference_id", ORDER),
            ("adaptive_pricing[enabled]", "false"),
            ("expires_at", "1790000000"),
            ("success_url", &success),
            ("cancel_url", &cancel),
            ("metadata[order_id]", ORDER),
            ("metadata[payment_id]", PAYMENT),
            ("metadata[shop]", "cartwright-staging"),
            ("payment_intent_data[metadata][order_id]", ORDER),
            ("payment_intent_data[metadata][payment_id]", PAYMENT),
            ("payment_intent_data[metadata][shop]", "cartwright-staging"),
            ("line_items[0][quantity]", "1"),
            ("line_items[0][price_data][currency]", "eur"),
            ("line_items[0][price_data][unit_amount]", "1780"),
            ("line_items[0][price_data][product_data][name]", "2 × green tea & milk"),
            ("line_items[1][quantity]", "1"),
            ("line_items[1][price_data][currency]", "eur"),
            ("line_items[1][price_data][unit_amount]", "0"),
            ("line_items[1][price_data][product_data][name]", "1 × mug"),
            ("line_items[2][quantity]", "1"),
            ("line_items[2][price_data][currency]", "eur"),
            ("line_items[2][price_data][unit_amount]", "490"),
            ("line_items[2][price_data][product_data][name]", "Shipping"),
            ("line_items[3][quantity]", "1"),
            ("line_items[3][price_data][currency]", "eur"),
            ("line_items[3][price_data][unit_amount]", "431"),
            ("line_items[3][price_data][product_data][name]", "Tax"),
            ("payment_method_types[0]", "card"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(pairs(&request.form()), expected);
        assert_eq!(request.idempotency_key(), format!("pay-{PAYMENT}"));
    }

    #[test]
    fn no_way_of_paying_leaves_it_to_the_dashboard_and_several_keep_their_order() {
        let form = |methods: &[&str]| {
            let methods = methods.iter().map(|method| method.parse().unwrap()).collect();
            let request =
                SessionRequest { methods, ..request(lines(vec![line("tea", 50)], 0, 0, 50).unwrap()) };
            let form = pairs(&request.form());
            form.into_iter().filter(|(name, _)| name.starts_with("payment_method")).collect::<Vec<_>>()
        };
        assert_eq!(form(&[]), []);
        let expected = [("payment_method_types[0]", "sepa_debit"), ("payment_method_types[1]", "card")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(form(&["sepa_debit", "card"]), expected);
        for wrong in ["", "Card", "card,sepa_debit", "card&mode=setup", " card"] {
            assert!(wrong.parse::<PaymentMethod>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn nobody_is_asked_for_another_amount_than_the_orders() {
        let another = |sum, total| {
            let [sum, total] = [sum, total].map(Amount::from_minor);
            Err(NotTheTotal::Another { sum, total })
        };
        assert_eq!(lines(vec![line("tea", 100)], 49, 0, 150), another(149, 150));
        assert_eq!(lines(vec![line("tea", 100)], 50, 1, 150), another(151, 150));
        let huge = vec![line("tea", u64::MAX), line("tea", 51)];
        assert_eq!(lines(huge, 0, 0, 50), another(u64::MAX, 50));
        assert_eq!(lines(Vec::new(), 0, 0, 0), Err(NotTheTotal::Count(0)));
        assert!(lines(vec![line("tea", 1); 98], 1, 1, 100).is_ok());
        assert_eq!(lines(vec![line("tea", 1); 99], 1, 1, 101), Err(NotTheTotal::Count(101)));
    }

    #[test]
    fn a_refund_names_itself_so_that_it_is_found_again() {
        let request = RefundRequest {
            refund: REFUND.parse().unwrap(),
            payment: PAYMENT.parse().unwrap(),
            order: ORDER.parse().unwrap(),
            shop: Shop::new("cartwright-staging").unwrap(),
            intent: "pi_1".parse().unwrap(),
            amount: Amount::from_minor(1_000),
            reason: Some(RefundReason::RequestedByCustomer),
        };
        let expected = [
            ("payment_intent", "pi_1"),
            ("amount", "1000"),
            ("reason", "requested_by_customer"),
            ("metadata[order_id]", ORDER),
            ("metadata[payment_id]", PAYMENT),
            ("metadata[refund_id]", REFUND),
            ("metadata[shop]", "cartwright-staging"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(pairs(&request.form()), expected);
        assert_eq!(request.idempotency_key(), format!("refund-{REFUND}"));
        let silent = RefundRequest { reason: None, ..request };
        assert!(!silent.form().contains("reason"));
    }

    proptest! {
        /// Whatever is bought, Stripe's page shows the order's total.
        #[test]
        fn what_stripe_adds_up_is_the_total(
            amounts in vec(0..100_000_000_u64, 1..50),
            shipping in 0..1_000_000_u64,
            tax in 0..1_000_000_u64,
        ) {
            let total = amounts.iter().sum::<u64>() + shipping + tax;
            let of_order = amounts.iter().map(|minor| line("1 × tea", *minor)).collect();
            let lines = lines(of_order, shipping, tax, total).unwrap();
            prop_assert_eq!(lines.total().minor(), total);
            let request = request(lines);
            let form = pairs(&request.form());
            let of = |name: &str| {
                let fits = form.iter().filter(move |(known, _)| known.ends_with(name));
                fits.map(|(_, value)| value.parse::<u64>().unwrap()).collect::<Vec<_>>()
            };
            let sum: u64 =
                of("[unit_amount]").iter().zip(of("[quantity]")).map(|(amount, count)| amount * count).sum();
            prop_assert_eq!(sum, total);
            prop_assert_eq!(request.form(), request.clone().form());
        }
    }
}
