//! Stripe's objects, as far as they matter here. They are read leniently: only the id has to be there, what is not what
//! it should be is as if it were missing, and a status that nobody knows yet is kept as it is.

use std::fmt;
use std::str::FromStr;

use orders::OrderId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use shared::values::money::{Amount, Currency};
use shared::values::time::Timestamp;

use crate::ids::{DisputeId, IntentId, PaymentId, RefundId, SessionId, StripeRefundId};

/// A status by its name at Stripe, or a name that is not known here.
macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident {$($(#[$value_doc:meta])* $value:ident = $text:literal),+ $(,)?})+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $($(#[$value_doc])* $value,)+
            /// Another one.
            Other(String),
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $($text => Self::$value,)+
                    _ => Self::Other(text),
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::Other(String::new())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = maybe::<String, D>(deserializer)?;
                Ok(text.map(Self::from).unwrap_or_default())
            }
        }
    )+};
}

statuses!(
    /// Whether a session can still be paid.
    SessionStatus {
        /// It can.
        Open = "open",
        /// It is through; the money may still be on its way.
        Complete = "complete",
        /// It cannot.
        Expired = "expired",
    }
    /// Whether a session's money is there.
    PaymentStatus {
        /// It is.
        Paid = "paid",
        /// It is not, or not yet.
        Unpaid = "unpaid",
        /// There was none to pay.
        NotRequired = "no_payment_required",
    }
    /// How far a PaymentIntent is.
    IntentStatus {
        /// Nobody has tried to pay, or the card was declined.
        RequiresPaymentMethod = "requires_payment_method",
        /// The buyer has to say that it is to be paid.
        RequiresConfirmation = "requires_confirmation",
        /// It waits for the buyer.
        RequiresAction = "requires_action",
        /// The money is on its way.
        Processing = "processing",
        /// It is paid.
        Succeeded = "succeeded",
        /// Nobody can pay it any more.
        Canceled = "canceled",
    }
    /// How far a refund is.
    RefundStatus {
        /// It is on its way, or waits for the account to have the money.
        Pending = "pending",
        /// It waits for the buyer.
        RequiresAction = "requires_action",
        /// It is through, as far as Stripe knows: it may still fail.
        Succeeded = "succeeded",
        /// The money came back.
        Failed = "failed",
        /// Somebody took it back before it was through.
        Canceled = "canceled",
    }
    /// How far a dispute is.
    DisputeStatus {
        /// The bank asks, takes nothing yet, and waits for the shop's answer.
        WarningNeedsResponse = "warning_needs_response",
        /// The bank asks, takes nothing yet, and looks at the shop's answer.
        WarningUnderReview = "warning_under_review",
        /// The bank has asked, and it came to nothing.
        WarningClosed = "warning_closed",
        /// The bank waits for the shop's answer.
        NeedsResponse = "needs_response",
        /// The bank looks at the shop's answer.
        UnderReview = "under_review",
        /// It was settled before it began.
        Prevented = "prevented",
        /// The shop keeps the money.
        Won = "won",
        /// The buyer does.
        Lost = "lost",
    }
);

/// A Checkout Session.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Session {
    /// Its name.
    pub id: SessionId,
    /// Whether it can still be paid.
    #[serde(default)]
    pub status: SessionStatus,
    /// Whether its money is there.
    #[serde(default)]
    pub payment_status: PaymentStatus,
    /// What is paid for all of it.
    #[serde(default, rename = "amount_total", deserialize_with = "maybe")]
    pub amount: Option<Amount>,
    /// In which currency.
    #[serde(default, deserialize_with = "maybe")]
    pub currency: Option<CurrencyCode>,
    /// The PaymentIntent that its money has, as soon as there is one.
    #[serde(default, rename = "payment_intent", deserialize_with = "named")]
    pub intent: Option<IntentId>,
    /// Where it is paid, while it is open.
    #[serde(default, deserialize_with = "maybe")]
    pub url: Option<SessionUrl>,
    /// Until when it can be paid.
    #[serde(default, deserialize_with = "seconds")]
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    #[serde(default, deserialize_with = "seconds")]
    pub created: Option<Timestamp>,
    /// What this shop wrote to it.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Metadata,
}

/// A PaymentIntent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Intent {
    /// Its name.
    pub id: IntentId,
    /// How far it is.
    #[serde(default)]
    pub status: IntentStatus,
    /// With what its form in a page is opened.
    #[serde(default, rename = "client_secret", deserialize_with = "maybe")]
    pub secret: Option<ClientSecret>,
    /// What was paid.
    #[serde(default, rename = "amount_received", deserialize_with = "maybe")]
    pub received: Option<Amount>,
    /// In which currency.
    #[serde(default, deserialize_with = "maybe")]
    pub currency: Option<CurrencyCode>,
    /// What this shop wrote to it.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Metadata,
}

/// A refund.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Refund {
    /// Its name.
    pub id: StripeRefundId,
    /// How far it is.
    #[serde(default)]
    pub status: RefundStatus,
    /// What is given back.
    #[serde(default, deserialize_with = "maybe")]
    pub amount: Option<Amount>,
    /// In which currency.
    #[serde(default, deserialize_with = "maybe")]
    pub currency: Option<CurrencyCode>,
    /// Of which payment.
    #[serde(default, rename = "payment_intent", deserialize_with = "named")]
    pub intent: Option<IntentId>,
    /// What this shop wrote to it; nothing, for one that was made in the Dashboard.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Metadata,
}

/// A dispute: a buyer has asked the bank for the money.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Dispute {
    /// Its name.
    pub id: DisputeId,
    /// How far it is.
    #[serde(default)]
    pub status: DisputeStatus,
    /// What is asked for, which may be more than was paid.
    #[serde(default, deserialize_with = "maybe")]
    pub amount: Option<Amount>,
    /// In which currency.
    #[serde(default, deserialize_with = "maybe")]
    pub currency: Option<CurrencyCode>,
    /// Of which payment.
    #[serde(default, rename = "payment_intent", deserialize_with = "named")]
    pub intent: Option<IntentId>,
}

/// What this shop writes to each object that it makes at Stripe.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Metadata {
    /// The stack of the shop.
    #[serde(default, deserialize_with = "maybe")]
    pub shop: Option<String>,
    /// The order that is paid.
    #[serde(default, rename = "order_id", deserialize_with = "maybe")]
    pub order: Option<OrderId>,
    /// Which attempt to pay it.
    #[serde(default, rename = "payment_id", deserialize_with = "maybe")]
    pub payment: Option<PaymentId>,
    /// The refund.
    #[serde(default, rename = "refund_id", deserialize_with = "maybe")]
    pub refund: Option<RefundId>,
}

/// A currency by its code in ISO 4217, in capitals: also one that the shop cannot be set to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CurrencyCode(String);

impl CurrencyCode {
    /// Whether it is this one.
    pub fn is(&self, currency: Currency) -> bool {
        Currency::from_str(&self.0) == Ok(currency)
    }
}

impl TryFrom<String> for CurrencyCode {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        is_code.then(|| Self(text.to_ascii_uppercase())).ok_or("must be a currency's code of three letters")
    }
}

impl From<Currency> for CurrencyCode {
    fn from(currency: Currency) -> Self {
        Self(currency.to_string())
    }
}

impl From<CurrencyCode> for String {
    fn from(code: CurrencyCode) -> Self {
        code.0
    }
}

impl fmt::Display for CurrencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a session is paid. Whoever has it can pay in the buyer's name, so it is in no log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionUrl(String);

impl SessionUrl {
    /// The address itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionUrl(…)")
    }
}

/// With what the form of an intent is opened in a page. Whoever has it can pay in the buyer's name, so it is in no log
/// and in no table.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientSecret(String);

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(…)")
    }
}

/// What is read from it, if it can be.
pub(crate) fn maybe<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(T::deserialize(Value::deserialize(deserializer)?).ok())
}

/// The same for what has a default.
pub(crate) fn or_default<'de, T: DeserializeOwned + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(maybe(deserializer)?.unwrap_or_default())
}

/// The id of a thing that stands here as its id, or as a whole.
fn named<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let value = match Value::deserialize(deserializer)? {
        Value::Object(mut thing) => thing.remove("id").unwrap_or_default(),
        other => other,
    };
    Ok(T::deserialize(value).ok())
}

/// A time as Stripe writes it.
pub(crate) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let seconds: Option<i64> = maybe(deserializer)?;
    Ok(seconds.map(|seconds| Timestamp::from_unix_millis(seconds.saturating_mul(1000))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_session_is_read_for_the_few_fields_that_count() {
        let session: Session = serde_json::from_value(json!({
            "id": "cs_test_1", "object": "checkout.session", "status": "complete", "payment_status": "paid",
            "amount_total": 2701, "amount_subtotal": 2270, "currency": "eur", "payment_intent": "pi_1",
            "url": null, "expires_at": 1_790_000_000, "created": 1_789_998_000, "livemode": false,
            "customer_details": { "email": "somebody@example.com" },
            "metadata": {
                "order_id": "01890a5d-ac96-774b-bcce-b302099a8057", "shop": "cartwright-local",
                "payment_id": "01890a5d-ac96-774b-bcce-b302099a8058", "theirs": "7"
            }
        }))
        .unwrap();
        let expected = Session {
            id: "cs_test_1".parse().unwrap(),
            status: SessionStatus::Complete,
            payment_status: PaymentStatus::Paid,
            amount: Some(Amount::from_minor(2_701)),
            currency: Some(Currency::from_str("EUR").unwrap().into()),
            intent: Some("pi_1".parse().unwrap()),
            url: None,
            expires_at: Some(Timestamp::from_unix_millis(1_790_000_000_000)),
            created: Some(Timestamp::from_unix_millis(1_789_998_000_000)),
            metadata: Metadata {
                shop: Some("cartwright-local".into()),
                order: Some("01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap()),
                payment: Some("01890a5d-ac96-774b-bcce-b302099a8058".parse().unwrap()),
                refund: None,
            },
        };
        assert_eq!(session, expected);
    }

    #[test]
    fn p28_what_is_missing_or_of_another_kind_is_left_out_and_only_the_id_is_needed() {
        let bare: Session = serde_json::from_value(json!({ "id": "cs_1" })).unwrap();
        for odd in [
            json!({ "id": "cs_1", "status": null, "payment_status": null, "amount_total": null, "url": null,
                "currency": null, "payment_intent": null, "expires_at": null, "metadata": null }),
            json!({ "id": "cs_1", "status": 7, "payment_status": {}, "amount_total": "27.01", "url": [],
                "currency": "euro", "payment_intent": [], "expires_at": "soon", "created": 1.5,
                "metadata": { "order_id": "7", "payment_id": 8, "shop": [], "refund_id": "../refunds" } }),
            json!({ "id": "cs_1", "amount_total": -1, "payment_intent": "pi/../1", "metadata": [] }),
        ] {
            let read: Session = serde_json::from_value(odd.clone()).unwrap();
            assert_eq!(read, bare, "{odd}");
        }
        for none in [json!({}), json!({ "id": null }), json!({ "id": "cs_1/expire" }), json!({ "id": "" })] {
            assert!(serde_json::from_value::<Session>(none.clone()).is_err(), "{none}");
        }
    }

    #[test]
    fn p28_a_status_that_nobody_knows_yet_is_kept() {
        let status = |name: &str| SessionStatus::from(name.to_owned());
        assert_eq!(
            ["open", "complete", "expired"]
                .map(status)
                .map(|status| matches!(status, SessionStatus::Other(_))),
            [false; 3]
        );
        let session = json!({ "id": "cs_1", "status": "frozen", "payment_status": "in_dispute" });
        let session: Session = serde_json::from_value(session).unwrap();
        assert_eq!(session.status, SessionStatus::Other("frozen".into()));
        assert_eq!(session.payment_status, PaymentStatus::Other("in_dispute".into()));
    }

    #[test]
    fn an_intent_that_is_sent_as_a_whole_is_known_by_its_id() {
        let refund = json!({ "id": "re_1", "payment_intent": { "id": "pi_1", "status": "succeeded" },
            "status": "requires_action", "amount": 40_000, "currency": "usd" });
        let refund: Refund = serde_json::from_value(refund).unwrap();
        assert_eq!(refund.intent, Some("pi_1".parse().unwrap()));
        assert_eq!(
            (refund.status, refund.amount),
            (RefundStatus::RequiresAction, Some(Amount::from_minor(40_000)))
        );
        assert!(refund.currency.is_some_and(|code| code.is("USD".parse().unwrap())));
    }

    #[test]
    fn a_currency_is_compared_by_its_code_also_where_the_shop_does_not_know_it() {
        let code = |text: &str| CurrencyCode::try_from(text.to_owned());
        let euro = Currency::from_str("EUR").unwrap();
        assert!(code("eur").unwrap().is(euro) && code("EUR") == Ok(euro.into()));
        assert!(!code("jpy").unwrap().is(euro));
        assert_eq!(serde_json::to_value(code("jpy").unwrap()).unwrap(), "JPY");
        assert!(code("e1r").is_err() && code("eu").is_err());
    }

    #[test]
    fn the_address_of_a_session_is_not_printed() {
        let session = json!({ "id": "cs_1", "url": "https://checkout.stripe.com/c/pay/cs_1#secret" });
        let session: Session = serde_json::from_value(session).unwrap();
        assert_eq!(session.url.as_ref().unwrap().as_str(), "https://checkout.stripe.com/c/pay/cs_1#secret");
        assert!(!format!("{session:?}").contains("checkout.stripe.com"));
        let intent = json!({ "id": "pi_1", "client_secret": "pi_1_secret_hush" });
        let intent: Intent = serde_json::from_value(intent).unwrap();
        assert!(intent.secret.is_some() && !format!("{intent:?}").contains("hush"));
    }
}
