//! What buyers are told about their orders by text, where they want that: less than by email, and in one part. How an
//! order travels is told as far as there is room for it, since a carrier may have any name.

use shared::caller::UserId;
use shared::letters::Language;
use shared::texts::Text;
use users::Purpose;

use crate::parcels::ParcelStatus;
use crate::{Order, OrderStatus, Shipment};

shared::names!(
    /// What a text about an order says, by the event that gives rise to it.
    pub enum OrderTextKind {
        /// It is on its way, as a whole.
        Shipped = "order.shipped",
        /// A part of it is on its way.
        ParcelSent = "order.parcel-sent",
        /// It arrived.
        Delivered = "order.delivered",
    }
);

impl OrderTextKind {
    /// What its reader wants who wants it.
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::Shipped | Self::ParcelSent => Purpose::ParcelSent,
            Self::Delivered => Purpose::Delivered,
        }
    }
}

impl Order {
    /// What its buyer is told by text; `None` when that is not so any more, or is told by the texts of its parcels. Of
    /// a parcel it has to be said whose it is.
    pub fn text(&self, kind: OrderTextKind, seller: Option<&UserId>, language: Language) -> Option<Text> {
        let shipment = match (kind, self.status()) {
            // Each of its parcels has told that it left, the last one as well.
            (OrderTextKind::Shipped, OrderStatus::Shipping) if !self.is_in_parcels() => {
                self.shipment().cloned()
            }
            (OrderTextKind::ParcelSent, OrderStatus::Pending | OrderStatus::Shipping) => {
                let parcel = self.parcel_of(seller?)?;
                (parcel.status == ParcelStatus::Shipped).then(|| parcel.shipment.clone())?
            }
            (OrderTextKind::Delivered, OrderStatus::Delivered) => None,
            (
                OrderTextKind::Shipped,
                OrderStatus::AwaitingPayment
                | OrderStatus::Pending
                | OrderStatus::Shipping
                | OrderStatus::Delivered
                | OrderStatus::Cancelled,
            )
            | (
                OrderTextKind::ParcelSent,
                OrderStatus::AwaitingPayment | OrderStatus::Delivered | OrderStatus::Cancelled,
            )
            | (
                OrderTextKind::Delivered,
                OrderStatus::AwaitingPayment
                | OrderStatus::Pending
                | OrderStatus::Shipping
                | OrderStatus::Cancelled,
            ) => return None,
        };
        let by = shipment.iter().flat_map(|shipment| ways(shipment, language));
        Text::first_of(by.chain([String::new()]).map(|by| self.words(kind, language, &by)))
    }

    fn words(&self, kind: OrderTextKind, language: Language, by: &str) -> String {
        let number = self.number();
        match (language, kind) {
            (Language::English, OrderTextKind::Shipped) => {
                format!("Cartwright: your order {number} is on its way{by}. {}", stop(language))
            }
            (Language::English, OrderTextKind::ParcelSent) => {
                format!("Cartwright: a parcel of your order {number} is on its way{by}. {}", stop(language))
            }
            (Language::English, OrderTextKind::Delivered) => {
                format!("Cartwright: your order {number} has arrived{by}. {}", stop(language))
            }
            (Language::German, OrderTextKind::Shipped) => {
                format!("Cartwright: Ihre Bestellung {number} ist unterwegs{by}. {}", stop(language))
            }
            (Language::German, OrderTextKind::ParcelSent) => {
                format!(
                    "Cartwright: Ein Paket Ihrer Bestellung {number} ist unterwegs{by}. {}",
                    stop(language)
                )
            }
            (Language::German, OrderTextKind::Delivered) => {
                format!("Cartwright: Ihre Bestellung {number} ist angekommen{by}. {}", stop(language))
            }
        }
    }
}

/// How somebody gets no more of these. Where a network takes no answers, the account is what is left.
const fn stop(language: Language) -> &'static str {
    match language {
        Language::English => "No more texts? Reply STOP, or see your account.",
        Language::German => "Keine SMS mehr? STOP antworten, oder in Ihrem Konto.",
    }
}

/// How a parcel travels, the most that there is to say of it first.
fn ways(shipment: &Shipment, language: Language) -> Vec<String> {
    let (by, number) = match language {
        Language::English => (" by ", ", tracking number "),
        Language::German => (" mit ", ", Sendungsnummer "),
    };
    let carrier = shipment.carrier.as_ref().map(|carrier| format!("{by}{carrier}"));
    let tracked = shipment.tracking_number.as_ref().map(|tracked| format!("{number}{tracked}"));
    let both = carrier.as_ref().zip(tracked.as_ref()).map(|(carrier, tracked)| format!("{carrier}{tracked}"));
    // A carrier's name alone says little; its number finds the parcel.
    both.into_iter().chain(tracked).chain(carrier).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parcels::ParcelSaid;
    use crate::parcels::tests::{moved, of_sellers, seller};
    use crate::tests;
    use proptest::prelude::*;
    use serde_json::json;

    fn at(status: OrderStatus, shipment: &serde_json::Value) -> Order {
        let shipment = serde_json::from_value(shipment.clone()).unwrap();
        Order { status, shipment, ..tests::placed(&[("Tea", 2)]) }
    }

    fn shipping(shipment: &serde_json::Value) -> Order {
        at(OrderStatus::Shipping, shipment)
    }

    fn words(order: &Order, kind: OrderTextKind, language: Language) -> Option<String> {
        order.text(kind, Some(&seller(1)), language).map(|text| text.as_str().to_owned())
    }

    #[test]
    fn a_buyer_is_told_in_few_words_by_whom_it_comes() {
        let by = json!({ "carrier": "DHL", "trackingNumber": "0034 0434 1610" });
        let order = shipping(&by);
        let number = order.number();
        let said = |order: &Order, language| words(order, OrderTextKind::Shipped, language).unwrap();
        assert_eq!(
            said(&order, Language::English),
            format!(
                "Cartwright: your order {number} is on its way by DHL, tracking number 0034 0434 1610. \
                 No more texts? Reply STOP, or see your account."
            )
        );
        assert_eq!(
            said(&order, Language::German),
            format!(
                "Cartwright: Ihre Bestellung {number} ist unterwegs mit DHL, Sendungsnummer 0034 0434 1610. \
                 Keine SMS mehr? STOP antworten, oder in Ihrem Konto."
            )
        );
        let bare = said(&shipping(&json!(null)), Language::English);
        assert!(bare.starts_with("Cartwright: your order ") && bare.contains("on its way. No"), "{bare}");
    }

    #[test]
    fn what_is_not_so_any_more_is_not_told() {
        let status = [
            OrderStatus::AwaitingPayment,
            OrderStatus::Pending,
            OrderStatus::Shipping,
            OrderStatus::Delivered,
            OrderStatus::Cancelled,
        ];
        let told =
            |kind| status.map(|status| words(&at(status, &json!(null)), kind, Language::English).is_some());
        assert_eq!(told(OrderTextKind::Shipped), [false, false, true, false, false]);
        assert_eq!(told(OrderTextKind::Delivered), [false, false, false, true, false]);
        assert_eq!(told(OrderTextKind::ParcelSent), [false; 5], "nobody has such a parcel");
    }

    #[test]
    fn an_order_in_parcels_is_told_by_each_that_leaves_and_not_once_more() {
        let order = of_sellers(&[1, 2]);
        let says = |order: &Order, number: u8, said: &ParcelSaid| {
            moved(order, &order.moves(&[seller(number)], said).unwrap().unwrap())
        };
        let one = says(&order, 1, &ParcelSaid::Shipped(None));
        let text = |order: &Order, number: u8, kind| {
            order.text(kind, Some(&seller(number)), Language::English).is_some()
        };
        assert!(text(&one, 1, OrderTextKind::ParcelSent) && !text(&one, 2, OrderTextKind::ParcelSent));
        let both = says(&one, 2, &ParcelSaid::Shipped(None));
        assert!(text(&both, 2, OrderTextKind::ParcelSent) && !text(&both, 2, OrderTextKind::Shipped));
        let arrived = says(&both, 2, &ParcelSaid::Delivered);
        assert!(!text(&arrived, 2, OrderTextKind::ParcelSent));
        let all = says(&arrived, 1, &ParcelSaid::Delivered);
        assert!(text(&all, 1, OrderTextKind::Delivered));
        assert_eq!(one.text(OrderTextKind::ParcelSent, None, Language::English), None);
    }

    #[test]
    fn with_the_longest_values_there_are_each_text_of_each_language_is_told_in_one_part() {
        let longest = ["W", "ł", "🫖"]
            .map(|letter| json!({ "carrier": letter.repeat(60), "trackingNumber": "9".repeat(60) }));
        for shipment in longest.iter().chain([&json!(null)]) {
            for language in Language::ALL {
                for kind in OrderTextKind::ALL {
                    let order = match kind {
                        OrderTextKind::Shipped => shipping(shipment),
                        OrderTextKind::Delivered => at(OrderStatus::Delivered, shipment),
                        OrderTextKind::ParcelSent => {
                            let said = serde_json::from_value(shipment.clone()).unwrap();
                            let order = of_sellers(&[1, 2]);
                            let moves =
                                order.moves(&[seller(1)], &ParcelSaid::Shipped(said)).unwrap().unwrap();
                            moved(&order, &moves)
                        }
                    };
                    // That there is one says that it fits.
                    let text = words(&order, kind, language).expect("a text");
                    assert!(text.contains(&order.number().to_string()) && text.contains("STOP"), "{text}");
                }
            }
        }
    }

    #[test]
    fn what_there_is_no_room_for_is_left_out_the_name_before_the_number() {
        let order = shipping(&json!({ "carrier": "łódź", "trackingNumber": "4711" }));
        let text = words(&order, OrderTextKind::Shipped, Language::English).unwrap();
        assert!(text.contains("4711") && !text.contains("łódź"), "{text}");
    }

    proptest! {
        #[test]
        fn whatever_a_seller_calls_the_carrier_the_buyer_is_told(carrier in "\\PC{1,60}", number in "[0-9A-Z]{1,60}") {
            let order = shipping(&json!({ "carrier": carrier, "trackingNumber": number }));
            for language in Language::ALL {
                prop_assert!(words(&order, OrderTextKind::Shipped, language).is_some());
            }
        }
    }
}
