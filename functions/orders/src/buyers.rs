//! Who places orders, with or without an account, and how often.

use shared::caller::{Caller, UserId};
use shared::guards::rate_limit::{Address, EmailLimit, GuestLimit, PersonLimit};
use shared::http::problem::{Kind, Problem, StatusCode};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;
use users::{Email, FullName, Profile};

use crate::guests::{GuestId, OrderTokens};
use crate::{Contact, Order, PaymentChoice, Refusal};

/// The limit that the orders of people with an account count for.
const OF_PEOPLE: &str = "create-order";

/// The limit that those of guests count for.
const OF_GUESTS: &str = "guest-checkout";

/// Who places an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Buyer {
    /// Somebody with an account.
    Person(UserId),
    /// Somebody without one.
    Guest(GuestBuyer),
}

/// A guest who places an order: of whom the order alone knows who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestBuyer {
    id: GuestId,
    contact: Contact,
    address: Address,
}

impl From<&Caller> for Buyer {
    fn from(caller: &Caller) -> Self {
        Self::Person(caller.id().clone())
    }
}

const PAYMENT_NOT_AVAILABLE: Kind =
    Kind::new(StatusCode::CONFLICT, "payment-not-available", "Payment not available");

impl Buyer {
    /// Whose account it is, of people with one.
    pub fn person(&self) -> Option<&UserId> {
        match self {
            Self::Person(id) => Some(id),
            Self::Guest(_) => None,
        }
    }

    /// As which customer the buyer counts.
    pub fn customer(&self) -> UserId {
        match self {
            Self::Person(id) => id.clone(),
            Self::Guest(guest) => guest.id.customer(),
        }
    }

    /// Whom to write to about the order, by the profile of people with an account.
    ///
    /// # Errors
    /// [`Refusal::NoProfile`], [`Refusal::AccountClosed`].
    pub fn contact(&self, profile: Option<Profile>) -> Result<Contact, Refusal> {
        match self {
            Self::Person(_) => match profile {
                Some(profile) if profile.status.is_active() => Ok(profile.into()),
                Some(_) => Err(Refusal::AccountClosed),
                None => Err(Refusal::NoProfile),
            },
            Self::Guest(guest) => Ok(guest.contact.clone()),
        }
    }

    /// That the buyer may pay in this way, where guests may pay on delivery or may not.
    ///
    /// # Errors
    /// `payment-not-available`.
    pub fn may_pay(&self, choice: PaymentChoice, is_cash_for_guests: bool) -> Result<(), Problem> {
        match (self, choice) {
            (Self::Guest(_), PaymentChoice::CashOnDelivery) if !is_cash_for_guests => {
                let detail = "This shop does not let guests pay on delivery. Sign in to pay so.";
                Err(Problem::new(PAYMENT_NOT_AVAILABLE, detail).with("paymentMethod", choice))
            }
            (Self::Guest(_) | Self::Person(_), PaymentChoice::CashOnDelivery | PaymentChoice::Card) => Ok(()),
        }
    }

    /// The order as this buyer's.
    pub fn owning(&self, order: Order) -> Order {
        match self {
            Self::Person(_) => order,
            Self::Guest(guest) => order.of_guest(guest.id.clone()),
        }
    }
}

/// How often people and guests place orders.
#[derive(Debug, Clone)]
pub struct BuyerRules {
    people: PersonLimit,
    guests: GuestLimit,
    emails: EmailLimit,
    tokens: OrderTokens,
}

impl FromEnv for BuyerRules {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            people: PersonLimit::from_env(aws)?.and_a_day()?,
            guests: GuestLimit::from_env(aws)?,
            emails: EmailLimit::from_env(aws)?,
            tokens: OrderTokens::from_env(aws)?,
        })
    }
}

impl BuyerRules {
    /// What opens guests' orders.
    pub fn tokens(&self) -> &OrderTokens {
        &self.tokens
    }

    /// The guest who gave this address and name, and sends requests from there.
    pub fn guest(&self, email: Email, full_name: FullName, address: Address) -> Buyer {
        let id = self.tokens.guest(&email);
        Buyer::Guest(GuestBuyer { id, contact: Contact { email, full_name }, address })
    }

    /// The same, where people order by card as well: less often.
    ///
    /// # Errors
    /// When it is not set how often.
    pub fn and_by_card(self) -> Result<Self, ConfigError> {
        Ok(Self { people: self.people.and_by_card()?, ..self })
    }

    /// Counts a request to order, and to pay in this way, for whoever sent it: guests by where it comes from.
    ///
    /// # Errors
    /// `too-many-requests`.
    pub async fn count(&self, buyer: &Buyer, choice: PaymentChoice, now: Timestamp) -> Result<(), Problem> {
        match (buyer, choice) {
            (Buyer::Person(id), PaymentChoice::Card) => self.people.count_by_card(OF_PEOPLE, id, now).await,
            (Buyer::Person(id), PaymentChoice::CashOnDelivery) => self.people.count(OF_PEOPLE, id, now).await,
            (Buyer::Guest(guest), _) => self.guests.count(OF_GUESTS, guest.address, now).await,
        }
    }

    /// Counts an order, which is about to be placed, by the address that a guest gave: what is refused before, and what
    /// is answered again, counts for nothing.
    ///
    /// # Errors
    /// `too-many-requests`.
    pub async fn count_order(&self, buyer: &Buyer, now: Timestamp) -> Result<(), Problem> {
        let Buyer::Guest(guest) = buyer else { return Ok(()) };
        self.emails.count(OF_GUESTS, guest.contact.email.as_str(), now).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(email: &str) -> Buyer {
        let email: Email = email.parse().unwrap();
        Buyer::Guest(GuestBuyer {
            id: OrderTokens::new("key".into()).guest(&email),
            contact: Contact { email, full_name: FullName::new("Gus").unwrap() },
            address: Address::for_tests("192.0.2.1"),
        })
    }

    #[test]
    fn guests_pay_on_delivery_where_the_shop_says_so_and_everybody_else_as_they_like() {
        let (gus, ann) = (guest("gus@cartwright.test"), Buyer::from(&Caller::for_tests("ann")));
        let cash = PaymentChoice::CashOnDelivery;
        for (buyer, is_for_guests, may) in
            [(&gus, true, true), (&gus, false, false), (&ann, true, true), (&ann, false, true)]
        {
            assert_eq!(buyer.may_pay(cash, is_for_guests).is_ok(), may, "{buyer:?}");
            assert!(buyer.may_pay(PaymentChoice::Card, is_for_guests).is_ok(), "{buyer:?}");
        }
        let refused = gus.may_pay(cash, false).unwrap_err();
        assert_eq!(refused.kind(), PAYMENT_NOT_AVAILABLE);
    }

    #[test]
    fn a_guest_is_the_same_customer_each_time_and_nobody_with_an_account() {
        let gus = guest("Gus@cartwright.test");
        assert_eq!(gus.customer(), guest("gus@cartwright.test").customer());
        assert_ne!(gus.customer(), guest("ann@cartwright.test").customer());
        assert!(gus.customer().is_guest() && gus.person().is_none());
        assert_eq!(gus.contact(None).unwrap().email.as_str(), "gus@cartwright.test");
        assert_eq!(Buyer::from(&Caller::for_tests("ann")).contact(None), Err(Refusal::NoProfile));
    }

    #[test]
    fn whoever_has_a_closed_account_orders_nothing() {
        let profile = |status: &str| {
            serde_json::from_value(serde_json::json!({
                "userId": "ann", "email": "ann@cartwright.test", "fullName": "Ann", "username": "Ann",
                "createdAt": "2026-11-21T12:00:00.000Z", "status": status
            }))
            .unwrap()
        };
        let ann = Buyer::from(&Caller::for_tests("ann"));
        assert!(ann.contact(Some(profile("active"))).is_ok());
        for status in ["disabled", "deleting"] {
            assert_eq!(ann.contact(Some(profile(status))), Err(Refusal::AccountClosed));
        }
    }

    #[test]
    fn neither_name_nor_address_of_a_guest_is_ever_printed() {
        let printed = format!("{:?}", guest("gus@cartwright.test"));
        assert!(
            !printed.contains("Gus") && !printed.contains("gus@") && !printed.contains("192"),
            "{printed}"
        );
    }
}
