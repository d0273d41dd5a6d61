//! Who orders a cart: somebody with an account, or a guest, of whom the order alone knows who it is.

use anyhow::Context;
use orders::guests::{GuestId, OrderTokens};
use orders::{Contact, Order, OrderId, PaymentChoice, Refusal};
use serde::Serialize;
use shared::caller::{Caller, UserId};
use shared::guards::rate_limit::{Address, EmailLimit, GuestLimit};
use shared::guards::{IdempotencyKey, KeyedRequest, Once};
use shared::http::problem::{Kind, Problem, StatusCode};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;
use users::{Email, FullName, Profile};

use crate::checkout::{CheckOut, CheckedOutView, CheckingOut};
use crate::{CartId, CartOwner, CartToken};

/// The limit that guests' checkouts count for.
const ROUTE: &str = "guest-checkout";

shared::body!(
    /// What a guest says who orders what is in the cart.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct GuestCheckOut {
        /// Where mail reaches the guest.
        pub email: Email,
        /// What to call the guest.
        pub full_name: FullName,
        /// What everybody says.
        pub order: CheckOut = ..,
    }
);

/// Who orders a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Buyer {
    /// Somebody with an account.
    Person(UserId),
    /// Somebody without one.
    Guest(GuestBuyer),
}

/// A guest who orders a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestBuyer {
    id: GuestId,
    cart: CartId,
    contact: Contact,
    address: Address,
}

impl Buyer {
    /// Whose account it is, of people with one.
    pub(crate) fn person(&self) -> Option<&UserId> {
        match self {
            Self::Person(id) => Some(id),
            Self::Guest(_) => None,
        }
    }

    /// Which cart is ordered.
    pub(crate) fn cart(&self) -> CartId {
        match self {
            Self::Person(id) => CartId::of_person(id),
            Self::Guest(guest) => guest.cart.clone(),
        }
    }

    /// As which customer the buyer counts.
    pub(crate) fn customer(&self) -> UserId {
        match self {
            Self::Person(id) => id.clone(),
            Self::Guest(guest) => guest.id.customer(),
        }
    }

    /// Whom to write to about the order, by the profile of people with an account.
    pub(crate) fn contact(&self, profile: Option<Profile>) -> Result<Contact, Refusal> {
        match self {
            Self::Person(_) => profile.map(Into::into).ok_or(Refusal::NoProfile),
            Self::Guest(guest) => Ok(guest.contact.clone()),
        }
    }

    /// That the buyer may pay in this way, where guests may pay on delivery or may not.
    fn may_pay(&self, choice: PaymentChoice, is_cash_for_guests: bool) -> Result<(), Problem> {
        match (self, choice) {
            (Self::Guest(_), PaymentChoice::CashOnDelivery) if !is_cash_for_guests => {
                let detail = "This shop does not let guests pay on delivery. Sign in to pay so.";
                Err(Problem::new(PAYMENT_NOT_AVAILABLE, detail).with("paymentMethod", choice))
            }
            (Self::Guest(_) | Self::Person(_), PaymentChoice::CashOnDelivery | PaymentChoice::Card) => Ok(()),
        }
    }

    /// The order as this buyer's.
    pub(crate) fn owning(&self, order: Order) -> Order {
        match self {
            Self::Person(_) => order,
            Self::Guest(guest) => order.of_guest(guest.id.clone()),
        }
    }
}

/// What the shop says of guests who order.
#[derive(Debug, Clone)]
pub(crate) struct GuestRules {
    limit: GuestLimit,
    emails: EmailLimit,
    tokens: OrderTokens,
    /// Whether guests may pay on delivery.
    cash: bool,
}

impl FromEnv for GuestRules {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            limit: GuestLimit::from_env(aws)?,
            emails: EmailLimit::from_env(aws)?,
            tokens: OrderTokens::from_env(aws)?,
            cash: config::required("GUEST_CASH")?,
        })
    }
}

const PAYMENT_NOT_AVAILABLE: Kind =
    Kind::new(StatusCode::CONFLICT, "payment-not-available", "Payment not available");

impl GuestRules {
    /// Counts a checkout by where it comes from.
    pub(crate) async fn count(&self, guest: &GuestBuyer, now: Timestamp) -> Result<(), Problem> {
        self.limit.count(ROUTE, guest.address, now).await
    }

    /// That this buyer may pay so.
    pub(crate) fn allow(&self, buyer: &Buyer, asked: &CheckOut) -> Result<(), Problem> {
        buyer.may_pay(asked.payment_method.unwrap_or(PaymentChoice::CashOnDelivery), self.cash)
    }

    /// Counts an order, which is about to be placed, by the address that the guest gave: what is refused before, and
    /// what is answered again, counts for nothing.
    pub(crate) async fn count_order(&self, buyer: &Buyer, now: Timestamp) -> Result<(), Problem> {
        let Buyer::Guest(guest) = buyer else { return Ok(()) };
        self.emails.count(ROUTE, guest.contact.email.as_str(), now).await
    }
}

/// The answer to a guest's checkout, with what opens the order. That is kept nowhere, and is the same each time.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GuestCheckedOutView {
    #[serde(flatten)]
    order: CheckedOutView,
    order_token: String,
}

impl GuestCheckedOutView {
    /// The order.
    pub fn order_id(&self) -> OrderId {
        self.order.order_id()
    }
}

impl CheckingOut {
    /// Orders what is in the cart of somebody with an account, as [`CheckingOut::check_out`] does; a key is the
    /// person's own.
    ///
    /// # Errors
    /// Those of [`CheckingOut::check_out`].
    pub async fn check_out_person(
        &self,
        caller: &Caller,
        asked: &CheckOut,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Once<CheckedOutView>, Problem> {
        let keyed = KeyedRequest::of("check-out-cart", caller, key, asked)?;
        let buyer = Buyer::Person(caller.id().clone());
        self.check_out(&buyer, asked, keyed.as_ref(), now).await
    }

    /// Orders what is in a guest's cart, as [`CheckingOut::check_out`] does; a key is the cart's own.
    ///
    /// # Errors
    /// Those of [`CheckingOut::check_out`]; `payment-not-available`.
    pub async fn check_out_guest(
        &self,
        owner: &CartOwner,
        asked: GuestCheckOut,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Once<GuestCheckedOutView>, Problem> {
        let tokens = &self.guests().tokens;
        let address = owner.address().context("people with an account have a path of their own")?;
        // Whoever has no cart has one of which nobody knows, and nothing is in it.
        let cart = owner.cart().unwrap_or_else(|| CartToken::mint().cart());
        let keyed = KeyedRequest::within("check-out-cart", &cart, key, &asked)?;
        let GuestCheckOut { email, full_name, order } = asked;
        let id = tokens.guest(&email);
        let buyer = Buyer::Guest(GuestBuyer { id, cart, contact: Contact { email, full_name }, address });
        let placed = self.check_out(&buyer, &order, keyed.as_ref(), now).await?;
        Ok(placed.map(|placed| {
            let order_token = tokens.of(placed.order_id()).reveal();
            GuestCheckedOutView { order: placed, order_token }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::http::input;

    fn guest(email: &str, cart: CartToken) -> Buyer {
        let email: Email = email.parse().unwrap();
        Buyer::Guest(GuestBuyer {
            id: OrderTokens::new("key".into()).guest(&email),
            cart: cart.cart(),
            contact: Contact { email, full_name: FullName::new("Gus").unwrap() },
            address: Address::for_tests("192.0.2.1"),
        })
    }

    #[test]
    fn guests_pay_on_delivery_where_the_shop_says_so_and_everybody_else_as_they_like() {
        let (gus, ann) =
            (guest("gus@cartwright.test", CartToken::mint()), Buyer::Person("ann".to_owned().into()));
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
    fn a_guest_is_the_same_customer_with_each_cart_and_nobody_with_an_account() {
        let one = guest("Gus@cartwright.test", CartToken::mint());
        let other = guest("gus@cartwright.test", CartToken::mint());
        assert_eq!(one.customer(), other.customer());
        assert_ne!(one.cart(), other.cart());
        assert!(one.customer().is_guest() && one.person().is_none());
        assert_ne!(one.customer(), guest("ann@cartwright.test", CartToken::mint()).customer());
        assert_eq!(one.contact(None).unwrap().email.as_str(), "gus@cartwright.test");
        let ann = Buyer::Person("ann".to_owned().into());
        assert_eq!(ann.contact(None), Err(Refusal::NoProfile));
    }

    #[test]
    fn a_guest_says_who_it_is_beside_what_everybody_says() {
        let faults = |body: &str| {
            let faults = input::parse::<GuestCheckOut>(body.as_bytes()).map_err(|problem| {
                problem.errors().iter().filter_map(|fault| fault.pointer.clone()).collect::<Vec<_>>()
            });
            faults.err().unwrap_or_default()
        };
        let whole =
            r#"{"expectedTotal":9,"email":"gus@cartwright.test","fullName":"Gus","couponCode":"SPRING"}"#;
        assert_eq!(faults(whole), Vec::<String>::new());
        assert_eq!(faults("{}"), ["#/email", "#/fullName", "#/expectedTotal"]);
        assert_eq!(faults(&whole.replace("gus@", "gus")), ["#/email"]);
    }

    #[test]
    fn neither_name_nor_address_of_a_guest_is_ever_printed() {
        let printed = format!("{:?}", guest("gus@cartwright.test", CartToken::mint()));
        assert!(
            !printed.contains("Gus") && !printed.contains("gus@") && !printed.contains("192"),
            "{printed}"
        );
    }
}
