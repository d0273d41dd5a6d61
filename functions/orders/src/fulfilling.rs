//! What the seller of an order, or an admin, says of it: that it is on its way, by which carrier, and that it arrived.
//! The payments say so, since what is paid at the door is paid then. Of one of several sellers see [`crate::parcels`].

use std::fmt;

use serde::{Deserialize, Serialize};
use shared::http::input::{Body, Field, Fields, Value};
use shared::values::url::HttpsUrl;

use crate::LetterKind;

shared::text!(
    /// Who carries a parcel.
    Carrier, 1..=60
);

/// By what a carrier knows a parcel: up to 60 letters, digits, blanks and `-./`, with a letter or digit at each end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrackingNumber(String);

impl Field for TrackingNumber {
    fn parse(value: Value) -> Result<Self, String> {
        let text = value.as_str().ok_or("must be a string")?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '.' | '/');
        let ends = [text.chars().next(), text.chars().next_back()];
        let is_one = text.chars().all(is_plain)
            && ends.into_iter().all(|end| end.is_some_and(|end| end.is_ascii_alphanumeric()));
        if !is_one || text.len() > 60 {
            return Err("must be 1 to 60 letters, digits, blanks, -, . or /, \
                        and begin and end with a letter or a digit"
                .into());
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for TrackingNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How an order travels, as far as it was said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shipment {
    /// Who carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Carrier>,
    /// By what the carrier knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<TrackingNumber>,
    /// Where its way can be followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_url: Option<HttpsUrl>,
}

impl Shipment {
    /// Reads it from among the fields of a request; nothing where nothing of it was said.
    pub(crate) fn read(fields: &mut Fields) -> Option<Option<Self>> {
        let carrier = fields.member("carrier");
        let tracking_number = fields.member("trackingNumber");
        let tracking_url = fields.member("trackingUrl");
        let shipment =
            Self { carrier: carrier?, tracking_number: tracking_number?, tracking_url: tracking_url? };
        Some(Some(shipment).filter(|shipment| *shipment != Self::default()))
    }

    /// Sentences for the buyer.
    pub(crate) fn in_words(&self) -> Vec<String> {
        let carried = match (&self.carrier, &self.tracking_number) {
            (Some(carrier), Some(number)) => {
                Some(format!("It comes by {carrier}, tracking number {number}."))
            }
            (Some(carrier), None) => Some(format!("It comes by {carrier}.")),
            (None, Some(number)) => Some(format!("Its tracking number is {number}.")),
            (None, None) => None,
        };
        let followed = self.tracking_url.as_ref().map(|url| format!("Follow it at {url}"));
        carried.into_iter().chain(followed).collect()
    }
}

shared::names!(
    enum Said {
        Shipped = "shipped",
        Delivered = "delivered",
    }
);

/// What became of an order: `{status: "shipped", carrier?, trackingNumber?, trackingUrl?}` or `{status: "delivered"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It is on its way.
    Shipped(Option<Shipment>),
    /// It arrived.
    Delivered,
}

impl Progress {
    /// The letter that tells the buyer.
    pub fn letter(&self) -> LetterKind {
        match self {
            Self::Shipped(_) => LetterKind::Shipping,
            Self::Delivered => LetterKind::Delivered,
        }
    }
}

impl Body for Progress {
    fn read(fields: &mut Fields) -> Option<Self> {
        let said: Option<Said> = fields.required("status");
        if said == Some(Said::Delivered) {
            return Some(Self::Delivered);
        }
        let shipment = Shipment::read(fields);
        said?;
        shipment.map(Self::Shipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::http::input;
    use shared::http::problem::Problem;

    fn parse(body: &str) -> Result<Progress, Vec<String>> {
        let pointers = |problem: Problem| {
            problem.errors().iter().filter_map(|error| error.pointer.clone()).collect::<Vec<_>>()
        };
        input::parse(body.as_bytes()).map_err(pointers)
    }

    #[test]
    fn an_order_is_shipped_with_as_much_as_is_known_of_its_way() {
        assert_eq!(parse(r#"{"status":"shipped"}"#), Ok(Progress::Shipped(None)));
        assert_eq!(parse(r#"{"status":"shipped","carrier":null}"#), Ok(Progress::Shipped(None)));
        assert_eq!(parse(r#"{"status":"delivered"}"#), Ok(Progress::Delivered));
        let body = r#"{"status":"shipped","carrier":" DHL ","trackingNumber":"JD 01-4/6.00","trackingUrl":"https://dhl.example/t?n=1"}"#;
        let Ok(Progress::Shipped(Some(shipment))) = parse(body) else { panic!("shipped") };
        let words = shipment.in_words();
        assert_eq!(
            words,
            ["It comes by DHL, tracking number JD 01-4/6.00.", "Follow it at https://dhl.example/t?n=1"]
        );
    }

    #[test]
    fn what_is_no_progress_is_told_where() {
        let long = "1".repeat(61);
        for (body, pointers) in [
            ("{}".to_owned(), vec!["#/status"]),
            (r#"{"status":"shipping"}"#.to_owned(), vec!["#/status"]),
            (r#"{"status":"pending","carrier":7}"#.to_owned(), vec!["#/status", "#/carrier"]),
            (r#"{"status":"shipped","carrier":""}"#.to_owned(), vec!["#/carrier"]),
            (format!(r#"{{"status":"shipped","trackingNumber":"{long}"}}"#), vec!["#/trackingNumber"]),
            (r#"{"status":"shipped","trackingNumber":"1<b>"}"#.to_owned(), vec!["#/trackingNumber"]),
            (r#"{"status":"shipped","trackingNumber":" 1"}"#.to_owned(), vec!["#/trackingNumber"]),
            (r#"{"status":"shipped","trackingUrl":"http://a.example"}"#.to_owned(), vec!["#/trackingUrl"]),
            (r#"{"status":"shipped","tracking":"1"}"#.to_owned(), vec!["#/tracking"]),
            (
                r#"{"status":"delivered","carrier":"DHL","trackingUrl":"https://a.example"}"#.to_owned(),
                vec!["#/carrier", "#/trackingUrl"],
            ),
        ] {
            let mut found = parse(&body).unwrap_err();
            found.sort_unstable();
            let mut expected: Vec<_> = pointers.into_iter().map(str::to_owned).collect();
            expected.sort_unstable();
            assert_eq!(found, expected, "{body}");
        }
    }
}
