//! What buyers are told about their orders, and until when it is so.

use anyhow::Context;
use aws_sdk_dynamodb::types::Update;
use shared::letters::{Letter, Letters, Link, Recipient, Row, Total};
use shared::run::worker::Failure;
use shared::values::text::isolated;

use crate::{Line, Order, OrderId, OrderStatus, Orders, PaymentMethod, Shipment};

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
}

impl Letters for Orders {
    const THINGS: &'static str = "orders";

    type Kind = LetterKind;
    type Id = OrderId;

    async fn letter(&self, kind: LetterKind, id: &OrderId) -> Result<Option<Letter>, Failure> {
        let order = self.find(*id).await?.context("there is no such order").map_err(Failure::Never)?;
        Ok(order.letter(kind)?)
    }

    fn sent(&self, kind: LetterKind, id: &OrderId) -> anyhow::Result<Option<Update>> {
        kind.settles().map(|status| self.settled(*id, status)).transpose()
    }
}

impl Order {
    /// What its buyer is told; `None` when that is no longer so, because the order has moved on.
    ///
    /// # Errors
    /// When a line's total cannot be written down, which is so of no order that was placed.
    pub fn letter(&self, kind: LetterKind) -> anyhow::Result<Option<Letter>> {
        let Some((subject, headline, news)) = self.news(kind) else { return Ok(None) };
        let contact = self.contact();
        Ok(Some(Letter {
            to: Recipient {
                email: contact.email.as_str().to_owned(),
                name: contact.full_name.as_str().to_owned(),
            },
            subject,
            headline: headline.to_owned(),
            paragraphs: news,
            code: None,
            rows: self.lines().iter().map(|line| self.row(line)).collect::<anyhow::Result<_>>()?,
            totals: vec![Total { name: "Total".into(), amount: self.total().in_words(self.currency()) }],
            link: Some(Link { text: "See your order".into(), path: format!("/orders/{}", self.id()) }),
            reference: vec![
                format!("Order {}", self.id()),
                format!("placed on {}", self.placed_at().in_words()),
            ],
        }))
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
                let news = why.into_iter().collect();
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
        let named = |line: &Line| isolated(line.product_name().as_str());
        match self.lines() {
            [] => "nothing".to_owned(),
            [line] => named(line),
            [first, _] => format!("{} and 1 more item", named(first)),
            [first, others @ ..] => format!("{} and {} more items", named(first), others.len()),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
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
                to: Recipient { email: "ann@cartwright.test".into(), name: "Ann".into() },
                subject: "Your order of Tea is confirmed".into(),
                headline: "Thank you for your order".into(),
                paragraphs: vec!["We are preparing it. You pay when it arrives.".into()],
                code: None,
                rows: vec![row],
                totals: vec![Total { name: "Total".into(), amount: "4,500.00 USD".into() }],
                link: Some(Link { text: "See your order".into(), path: format!("/orders/{}", order.id()) }),
                reference: vec![
                    format!("Order {}", order.id()),
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
