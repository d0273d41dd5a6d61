//! `POST /cart/checkout`: orders what is in the caller's cart, empties it and queues the order for fulfilment.
//!
//! Safe to repeat: a cart becomes one order, and the same `Idempotency-Key` gives the first answer.

use carts::CartOwner;
use carts::checkout::{CheckOut, CheckedOutView, CheckingOut};
use carts::guests::{Buyer, GuestCheckOut, GuestCheckedOutView};
use shared::caller::Caller;
use shared::guards::KeyedRequest;
use shared::guards::rate_limit::Address;
use shared::http::problem::Problem;
use shared::http::{self, Answer, IdempotencyKey, Input, Now, State};
use shared::run::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/cart/checkout", check_out_cart).or("/guest-cart/checkout", check_out_guest_cart)).await
}

async fn check_out_cart(
    State(checking_out): State<CheckingOut>,
    caller: Caller,
    key: Option<IdempotencyKey>,
    Now(now): Now,
    Input(asked): Input<CheckOut>,
) -> Result<Answer<CheckedOutView>, Problem> {
    let keyed = KeyedRequest::of("check-out-cart", &caller, key.as_ref(), &asked)?;
    let buyer = Buyer::Person(caller.id().clone());
    let placed = checking_out.check_out(&buyer, &asked, keyed.as_ref(), now).await?;
    let order_id = placed.answer().order_id();
    telemetry::about("orders", order_id);
    Ok(Answer::created_once(placed.map(Into::into)).at(format!("/orders/{order_id}")))
}

async fn check_out_guest_cart(
    State(checking_out): State<CheckingOut>,
    owner: CartOwner,
    address: Address,
    key: Option<IdempotencyKey>,
    Now(now): Now,
    Input(asked): Input<GuestCheckOut>,
) -> Result<Answer<GuestCheckedOutView>, Problem> {
    let placed = checking_out.check_out_guest(&owner, address, asked, key.as_ref(), now).await?;
    let order_id = placed.answer().order_id();
    telemetry::about("orders", order_id);
    Ok(Answer::created_once(placed).at(format!("/guest-orders/{order_id}")))
}
