//! An order and the page on which it is paid, in one request: for shops whose pages keep the cart themselves, as seed
//! 000's does.

use orders::{Buyer, BuyerRules, NewCardOrder, Order, OrderQueue, PaymentChoice, Placing, Shop};
use serde::Serialize;
use shared::caller::Caller;
use shared::dynamo::Write;
use shared::guards::rate_limit::Address;
use shared::guards::{IdempotencyKey, KeyedRequest, Once};
use shared::http::problem::{FieldError, Problem};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::telemetry;
use shared::values::time::Timestamp;
use tokio::sync::OnceCell;
use users::{Email, FullName};

use crate::opening::{FirstAttempt, Opening};
use crate::views::{PlacedOrder, PlacedView};

/// What keys are about.
const ROUTE: &str = "create-checkout-session";

/// How long a guest's key has to be at least. It stands for the guest, whose address anybody may give.
const LEAST_KEY: usize = 20;

shared::body!(
    /// What a guest says who orders and pays in one request.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct GuestCardOrder {
        /// Where mail reaches the guest.
        pub email: Email,
        /// What to call the guest.
        pub full_name: FullName,
        /// What everybody says.
        pub order: NewCardOrder = ..,
    }
);

/// Placing orders by card without a cart, as often and as large as one person may, or one guest.
#[derive(Debug, Clone)]
pub struct Buying {
    rules: BuyerRules,
    pieces_per_line: u32,
    shop: Shop,
    queue: OrderQueue,
    opening: Opening,
}

impl FromEnv for Buying {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            rules: BuyerRules::from_env(aws)?.and_by_card()?,
            pieces_per_line: config::required("PIECES_PER_LINE")?,
            shop: Shop::from_env(aws)?,
            queue: OrderQueue::from_env(aws)?,
            opening: Opening::from_env(aws)?,
        })
    }
}

impl Buying {
    /// Places an order of somebody with an account, as [`Buying::buy`] does; a key is the person's own.
    ///
    /// # Errors
    /// Those of [`Buying::buy`].
    pub async fn buy_as_person(
        &self,
        caller: &Caller,
        order: &NewCardOrder,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Once<PlacedView>, Problem> {
        let keyed = KeyedRequest::of(ROUTE, caller, key, order)?;
        self.buy(&caller.into(), order, keyed.as_ref(), now).await
    }

    /// Places an order of a guest, as [`Buying::buy`] does, and says what opens it; a key is that of whoever has the
    /// address.
    ///
    /// # Errors
    /// Those of [`Buying::buy`]; `invalid-input` for a key that somebody could guess; `order-claimed` where the order
    /// is somebody's with an account by now.
    pub async fn buy_as_guest(
        &self,
        address: Address,
        asked: GuestCardOrder,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Once<PlacedView>, Problem> {
        is_hard_to_guess(key)?;
        let scope = self.rules.tokens().guest(&asked.email);
        let keyed = KeyedRequest::within(ROUTE, scope, key, &asked)?;
        let GuestCardOrder { email, full_name, order } = asked;
        let buyer = self.rules.guest(email, full_name, address);
        let placed = self.buy(&buyer, &order, keyed.as_ref(), now).await?;
        Ok(placed.map(|placed| placed.opened_by(self.rules.tokens())))
    }

    /// Counts the request while it reads what the order depends on, places the order and opens the page on which it is
    /// paid. An order that costs nothing is queued.
    ///
    /// Safe to repeat with a key. Without one it is another order, which is over unless somebody pays it.
    ///
    /// # Errors
    /// Those of [`NewOrder::takes_at_most`](orders::NewOrder::takes_at_most), `too-many-requests`, those of
    /// [`Orders::place_as`](orders::Orders::place_as), and those of [`Opening::takes`].
    pub async fn buy(
        &self,
        buyer: &Buyer,
        NewCardOrder(order): &NewCardOrder,
        keyed: Option<&KeyedRequest>,
        now: Timestamp,
    ) -> Result<Once<PlacedView>, Problem> {
        order.takes_at_most(self.pieces_per_line)?;
        let orders = self.opening.payments().orders();
        let placing = Placing { buyer, order, keyed, shop: self.shop, now };
        let (counted, basis) =
            tokio::join!(self.rules.count(buyer, PaymentChoice::Card, now), orders.basis(&placing));
        counted?;
        // Once, however often the order is counted anew.
        let limit = OnceCell::new();
        let by_card = |order| self.by_card(buyer, order, &limit, now);
        let (placed, attempt) = orders.place_as(&placing, basis?, by_card).await?;
        telemetry::about("orders", placed.order_id);
        let Some(attempt) = attempt else {
            orders.is_still_of(buyer, placed.order_id).await?;
            let payment = self.opening.opened(placed.payment_id, now).await?;
            return Ok(Once::Replayed(PlacedView::of(placed, payment)));
        };
        tracing::info!(order_id = %placed.order_id, "order placed");
        telemetry::count("OrderPlaced", 1);
        let payment = self.opening.open_or_queue(&self.queue, placed.order_id, attempt, now).await?;
        Ok(Once::Done(PlacedView::of(placed, payment)))
    }

    /// The order as it is to be paid, and what is written with it.
    async fn by_card(
        &self,
        buyer: &Buyer,
        order: Order,
        limit: &OnceCell<()>,
        now: Timestamp,
    ) -> Result<(Order, Write, PlacedOrder, Option<Box<FirstAttempt>>), Problem> {
        let mut write = Write::new();
        let (order, attempt) = self.opening.to_be_paid(order, PaymentChoice::Card, &mut write, now)?;
        limit.get_or_try_init(|| self.rules.count_order(buyer, now)).await?;
        let placed = PlacedOrder {
            order_id: order.id(),
            total: order.total(),
            currency: order.currency(),
            payment_id: attempt.as_ref().map(|attempt| attempt.id()),
        };
        Ok((order, write, placed, attempt))
    }
}

/// That nobody who knows a guest's address can be answered what the guest was, by trying keys.
fn is_hard_to_guess(key: Option<&IdempotencyKey>) -> Result<(), Problem> {
    if key.is_none_or(|key| key.as_str().len() >= LEAST_KEY) {
        return Ok(());
    }
    let detail = format!("must have at least {LEAST_KEY} characters, such as a UUID");
    Err(Problem::invalid_input(vec![FieldError::parameter("Idempotency-Key", detail)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::http::input::{self, Body};

    /// What is wrong with a body, by its pointers.
    fn faults<T: Body>(body: &str) -> Vec<String> {
        let pointers = |problem: Problem| {
            problem.errors().iter().filter_map(|fault| fault.pointer.clone()).collect::<Vec<_>>()
        };
        input::parse::<T>(body.as_bytes()).map(drop).map_err(pointers).err().unwrap_or_default()
    }

    #[test]
    fn an_order_by_card_is_a_list_and_says_nothing_of_another_way_to_pay() {
        let id = "01a1f83a-c81e-73c6-9369-b8a11a6916c7";
        let one = format!(r#"{{"id":"{id}","quantity":2}}"#);
        let order = format!(r#"{{"items":[{one}],"couponCode":"SPRING","expectedTotal":9}}"#);
        assert_eq!(faults::<NewCardOrder>(&order), Vec::<String>::new());
        assert_eq!(faults::<NewCardOrder>("{}"), ["#/items"]);
        assert_eq!(faults::<NewCardOrder>(r#"{"items":[]}"#), ["#/items"]);
        assert_eq!(faults::<NewCardOrder>(&format!(r#"{{"items":[{one},{one}]}}"#)), ["#/items"]);
        let cash = format!(r#"{{"items":[{one}],"paymentMethod":"cash_on_delivery"}}"#);
        assert_eq!(faults::<NewCardOrder>(&cash), ["#/paymentMethod"]);
        // Whoever has an account has said who it is.
        let guest = order.replacen('{', r#"{"email":"gus@cartwright.test","fullName":"Gus","#, 1);
        assert_eq!(faults::<NewCardOrder>(&guest), ["#/email", "#/fullName"]);
        assert_eq!(faults::<GuestCardOrder>(&guest), Vec::<String>::new());
        assert_eq!(faults::<GuestCardOrder>(&order), ["#/email", "#/fullName"]);
    }

    #[test]
    fn a_guests_key_is_long_enough_to_stand_for_the_guest() {
        let told =
            |key: &str| is_hard_to_guess(Some(&key.parse().unwrap())).map_err(|problem| problem.status());
        assert!(is_hard_to_guess(None).is_ok());
        assert!(told("7d9f2a4e-0c1b-4f57-9a55-3f0c8d1e6b21").is_ok() && told(&"x".repeat(20)).is_ok());
        assert_eq!(told(&"x".repeat(19)).unwrap_err(), 422);
    }
}
