//! `POST /cart/checkout`: orders what is in the caller's cart, and queues the order or opens the page on which it is paid.
//!
//! Safe to repeat: a cart becomes one order, and the same `Idempotency-Key` gives the first answer.

use carts::checkout::{CheckOut, CheckedOutView, CheckingOut};
use shared::caller::Caller;
use shared::guards::KeyedRequest;
use shared::http::problem::Problem;
use shared::http::{self, Answer, IdempotencyKey, Input, Now, State};
use shared::run::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/cart/checkout", check_out_cart)).await
}

async fn check_out_cart(
    State(checking_out): State<CheckingOut>,
    caller: Caller,
    key: Option<IdempotencyKey>,
    Now(now): Now,
    Input(asked): Input<CheckOut>,
) -> Result<Answer<CheckedOutView>, Problem> {
    let keyed = KeyedRequest::of("check-out-cart", &caller, key.as_ref(), &asked)?;
    let placed = checking_out.check_out(&caller, &asked, keyed.as_ref(), now).await?;
    let order_id = placed.answer().order_id();
    telemetry::about("orders", order_id);
    Ok(Answer::created_once(placed).at(format!("/orders/{order_id}")))
}
