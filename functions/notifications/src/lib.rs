//! What people are told about their orders by email. What an email says is decided here and calls nothing; [`claims`]
//! keeps who sent what, [`mailer`] hands it to SES.

pub mod claims;
pub mod mailer;

use auth::FullName;
use orders::{EmailKind, Order, OrderStatus};

pub use claims::{Claim, Claims, TryId};
pub use mailer::{Mailer, NotSent};

/// An email, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// One line, without control characters.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
}

impl Email {
    /// What `reader` is told of `order`. `None` when it is no longer so: the order has moved on since the email was queued.
    pub fn about(order: &Order, kind: EmailKind, reader: &FullName) -> Option<Self> {
        let what = products_of(order);
        let (subject, news) = match (kind, order.status()) {
            (EmailKind::OrderConfirmed, OrderStatus::Pending | OrderStatus::Shipping) => {
                (format!("{what} ordered"), "thank you for your order. We are preparing it.".to_owned())
            }
            // The subject is seed 002's.
            (EmailKind::OrderShipping, OrderStatus::Shipping) => {
                (format!("{what} now shipping"), "your order is on its way.".to_owned())
            }
            (EmailKind::OrderCancelled, OrderStatus::Cancelled) => {
                let reason = order.cancellation_reason().unwrap_or_default();
                (format!("{what} cancelled"), format!("your order is cancelled. {reason}"))
            }
            (EmailKind::OrderConfirmed, OrderStatus::Cancelled)
            | (EmailKind::OrderShipping, OrderStatus::Pending | OrderStatus::Cancelled)
            | (EmailKind::OrderCancelled, OrderStatus::Pending | OrderStatus::Shipping) => return None,
        };
        let lines: String = order
            .lines()
            .iter()
            .map(|line| {
                let (pieces, name, price) =
                    (line.quantity().pieces(), line.product_name(), line.unit_price().amount());
                format!("  {pieces} × {name} at {price} {}\n", order.currency())
            })
            .collect();
        let text = format!(
            "Hello {reader},\n\n{news}\n\n{lines}\nTotal: {} {}\nOrder: {}\n",
            order.total(),
            order.currency(),
            order.id()
        );
        Some(Self { subject, text })
    }
}

/// After which status an order is owed nothing more once this email is sent.
pub fn settles(kind: EmailKind) -> Option<OrderStatus> {
    match kind {
        EmailKind::OrderConfirmed => None,
        EmailKind::OrderShipping => Some(OrderStatus::Shipping),
        EmailKind::OrderCancelled => Some(OrderStatus::Cancelled),
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
mod tests {
    use super::*;
    use orders::NewOrder;
    use products::{Decision, Product};
    use shared::auth::Caller;
    use shared::input;
    use shared::time::Timestamp;

    fn order(names: &[&str]) -> Order {
        let now = Timestamp::from_unix_millis(1_790_000_000_000);
        let products: Vec<Product> = names
            .iter()
            .map(|name| {
                let body = format!(
                    r#"{{"fileName":"p.png","fileType":"image/png","productName":"{name}","productPrice":4.5,
                        "description":"Good.","quantity":9,"category":"Things"}}"#
                );
                let new = input::parse(body.as_bytes()).unwrap();
                Product::new(new, &Caller::for_tests("seller"), "USD".parse().unwrap(), now)
                    .decided(&Decision::Approved, now)
            })
            .collect();
        let items: Vec<String> =
            products.iter().map(|product| format!(r#"{{"id":"{}","quantity":2}}"#, product.id())).collect();
        let new: NewOrder = input::parse(format!(r#"{{"items":[{}]}}"#, items.join(",")).as_bytes()).unwrap();
        Order::place(&new, &products, &Caller::for_tests("ann"), now).unwrap()
    }

    fn in_status(order: &Order, status: &str, reason: Option<&str>) -> Order {
        let mut value = serde_json::to_value(order).unwrap();
        value["status"] = status.into();
        let at = value["createdAt"].clone();
        let entry = serde_json::json!({ "status": status, "at": at, "reason": reason });
        value["history"].as_array_mut().unwrap().push(entry);
        serde_json::from_value(value).unwrap()
    }

    fn ann() -> FullName {
        FullName::new("Ann").unwrap()
    }

    #[test]
    fn the_shipping_email_has_the_subject_of_seed_002() {
        let order = in_status(&order(&["gucci"]), "shipping", None);
        let email = Email::about(&order, EmailKind::OrderShipping, &ann()).unwrap();
        assert_eq!(email.subject, "gucci now shipping");
        assert_eq!(
            email.text,
            format!(
                "Hello Ann,\n\nyour order is on its way.\n\n  2 × gucci at 4.50 USD\n\nTotal: 9.00 USD\nOrder: {}\n",
                order.id()
            )
        );
    }

    #[test]
    fn many_products_are_the_first_and_how_many_more() {
        let order = in_status(&order(&["Tea", "Cup", "Pot"]), "shipping", None);
        let email = Email::about(&order, EmailKind::OrderShipping, &ann()).unwrap();
        assert_eq!(email.subject, "Tea and 2 more now shipping");
    }

    #[test]
    fn a_cancelled_order_says_why() {
        let order = in_status(&order(&["Tea"]), "cancelled", Some("You cancelled it."));
        let email = Email::about(&order, EmailKind::OrderCancelled, &ann()).unwrap();
        assert_eq!(email.subject, "Tea cancelled");
        assert!(email.text.contains("your order is cancelled. You cancelled it."), "{}", email.text);
    }

    #[test]
    fn nobody_is_told_what_is_no_longer_so() {
        let pending = order(&["Tea"]);
        let cancelled = in_status(&pending, "cancelled", None);
        let shipping = in_status(&pending, "shipping", None);
        for (order, kind) in [
            (&cancelled, EmailKind::OrderConfirmed),
            (&cancelled, EmailKind::OrderShipping),
            (&pending, EmailKind::OrderShipping),
            (&pending, EmailKind::OrderCancelled),
            (&shipping, EmailKind::OrderCancelled),
        ] {
            assert_eq!(Email::about(order, kind, &ann()), None, "{kind:?}");
        }
    }
}
