//! What people are told about their orders by email. What an email says is decided here and in `templates/`, and
//! calls nothing; [`claims`] keeps who sent what, [`mailer`] hands it to SES.

pub mod claims;
pub mod mailer;

use std::str::FromStr;

use askama::Template;
use orders::{EmailKind, Order, OrderId, OrderStatus, PaymentMethod};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;
use users::FullName;

pub use claims::{Claim, Claims, TryId};
pub use mailer::{Mailer, NotSent};

/// An email, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// One line, without control characters.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The same as a page of HTML, which loads nothing and runs nothing.
    pub html: String,
}

impl Email {
    /// What `reader` is told of `order`, with links into the web shop. `None` when it is no longer so: the order has moved
    /// on since the email was queued.
    ///
    /// # Errors
    /// When a template cannot be filled in.
    pub fn about(
        order: &Order,
        kind: EmailKind,
        reader: &FullName,
        shop: &WebShop,
    ) -> Result<Option<Self>, askama::Error> {
        let what = products_of(order);
        let (subject, headline, news) = match (kind, order.status()) {
            (EmailKind::Confirmed, OrderStatus::Pending | OrderStatus::Shipping) => (
                format!("{what} ordered"),
                "Thank you for your order",
                match order.payment_method() {
                    PaymentMethod::CashOnDelivery => "We are preparing it. You pay when it arrives.",
                },
            ),
            // The subject is seed 002's.
            (EmailKind::Shipping, OrderStatus::Shipping) => (
                format!("{what} now shipping"),
                "Your order is on its way",
                match order.payment_method() {
                    PaymentMethod::CashOnDelivery => "You pay when it arrives.",
                },
            ),
            (EmailKind::Cancelled, OrderStatus::Cancelled) => {
                let reason = order.cancellation_reason().unwrap_or_default();
                (format!("{what} cancelled"), "Your order is cancelled", reason)
            }
            (EmailKind::Confirmed, OrderStatus::Cancelled)
            | (EmailKind::Shipping, OrderStatus::Pending | OrderStatus::Cancelled)
            | (EmailKind::Cancelled, OrderStatus::Pending | OrderStatus::Shipping) => return Ok(None),
        };
        let letter = Letter {
            subject: &subject,
            headline,
            news,
            reader,
            order,
            placed_at: in_words(order.placed_at()),
            order_url: shop.page_of(order.id()),
            shop_url: shop.0.as_deref(),
        };
        let (text, html) = (TextPart { letter: &letter }.render()?, HtmlPart { letter: &letter }.render()?);
        Ok(Some(Self { subject, text, html }))
    }
}

/// What both parts of an email say.
struct Letter<'a> {
    subject: &'a str,
    /// A sentence without its full stop.
    headline: &'static str,
    /// What else there is to say, if anything.
    news: &'a str,
    reader: &'a FullName,
    order: &'a Order,
    placed_at: String,
    order_url: Option<String>,
    shop_url: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "email.txt")]
struct TextPart<'a> {
    letter: &'a Letter<'a>,
}

/// Askama escapes what it fills into a template of this ending.
#[derive(Template)]
#[template(path = "email.html")]
struct HtmlPart<'a> {
    letter: &'a Letter<'a>,
}

/// The web shop that emails link to, at `SHOP_URL`; without one they have no links. It is not a part of Cartwright, which
/// has no pages: it shows an order to its buyer at `/orders/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebShop(Option<String>);

impl WebShop {
    fn page_of(&self, order: OrderId) -> Option<String> {
        self.0.as_ref().map(|url| format!("{url}/orders/{order}"))
    }
}

impl FromStr for WebShop {
    type Err = &'static str;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let is_plain = |rest: &str| {
            !rest.is_empty()
                && !rest.ends_with('/')
                && !rest.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#'))
        };
        if !rest.is_some_and(is_plain) {
            return Err("it must be a URL without query, fragment or a slash at its end");
        }
        Ok(Self(Some(url.to_owned())))
    }
}

impl FromEnv for WebShop {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        Ok(config::optional("SHOP_URL")?.unwrap_or_default())
    }
}

/// A time as people write it; nobody knows the reader's zone, so it names its own.
fn in_words(time: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(time.unix_millis()).unwrap_or(jiff::Timestamp::MAX);
    time.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

/// After which status an order is owed nothing more once this email is sent.
pub fn settles(kind: EmailKind) -> Option<OrderStatus> {
    match kind {
        EmailKind::Confirmed => None,
        EmailKind::Shipping => Some(OrderStatus::Shipping),
        EmailKind::Cancelled => Some(OrderStatus::Cancelled),
    }
}

/// The first product's name, and how many others there are.
fn products_of(order: &Order) -> String {
    match order.lines() {
        [] => "Your order".to_owned(),
        [line] => line.product_name().to_string(),
        [first, others @ ..] => format!("{} and {} more", first.product_name(), others.len()),
    }
}

#[cfg(test)]
mod tests;
