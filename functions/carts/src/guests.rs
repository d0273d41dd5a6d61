//! How carts of people with and without an account are ordered.

use anyhow::Context;
use payments::views::PlacedView;
use serde::Serialize;
use shared::caller::Caller;
use shared::guards::{IdempotencyKey, KeyedRequest, Once};
use shared::http::problem::Problem;
use shared::values::time::Timestamp;
use users::{Email, FullName};

use crate::checkout::{CheckOut, CheckingOut, Checkout};
use crate::{CartId, CartOwner, CartToken};

/// What keys are about.
const ROUTE: &str = "check-out-cart";

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

impl CheckingOut {
    /// Orders what is in the cart of somebody with an account, as [`CheckingOut::check_out`] does; a key is the
    /// person's own.
    ///
    /// # Errors
    /// Those of [`CheckingOut::check_out`].
    pub async fn check_out_person(
        &self,
        caller: &Caller,
        asked: CheckOut,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Once<PlacedView>, Problem> {
        let keyed = KeyedRequest::of(ROUTE, caller, key, &asked)?;
        let cart = CartId::of_person(caller.id());
        self.check_out(&Checkout { buyer: caller.into(), cart, asked, keyed, now }).await
    }

    /// Orders what is in a guest's cart, as [`CheckingOut::check_out`] does; a key is the cart's own.
    ///
    /// # Errors
    /// Those of [`CheckingOut::check_out`]; `payment-not-available`; `order-claimed` where the order that it became is
    /// somebody's with an account by now, so that no token opens it.
    pub async fn check_out_guest(
        &self,
        owner: &CartOwner,
        asked: GuestCheckOut,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Once<PlacedView>, Problem> {
        let address = owner.address().context("people with an account have a path of their own")?;
        // Whoever has no cart has one of which nobody knows, and nothing is in it.
        let cart = owner.cart().unwrap_or_else(|| CartToken::mint().cart());
        let keyed = KeyedRequest::within(ROUTE, &cart, key, &asked)?;
        let GuestCheckOut { email, full_name, order: asked } = asked;
        let buyer = self.rules().guest(email, full_name, address);
        let placed = self.check_out(&Checkout { buyer, cart, asked, keyed, now }).await?;
        Ok(placed.map(|placed| placed.opened_by(self.rules().tokens())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::http::input;

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
}
