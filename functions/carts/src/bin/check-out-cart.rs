//! `POST /cart/checkout`: orders what is in the caller's cart, and queues the order or opens the page to pay it on.
//!
//! Safe to repeat: a cart becomes one order, and the same `Idempotency-Key` gives the first answer.

use carts::CartOwner;
use carts::checkout::{CheckOut, CheckingOut};
use carts::guests::GuestCheckOut;
use payments::views::PlacedView;
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, IdempotencyKey, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/cart/checkout", check_out_cart).or("/guest-cart/checkout", check_out_guest_cart))
        .await
}

async fn check_out_cart(
    State(checking_out): State<CheckingOut>,
    caller: Caller,
    key: Option<IdempotencyKey>,
    Now(now): Now,
    Input(asked): Input<CheckOut>,
) -> Result<Answer<PlacedView>, Problem> {
    Ok(PlacedView::answer(checking_out.check_out_person(&caller, asked, key.as_ref(), now).await?))
}

async fn check_out_guest_cart(
    State(checking_out): State<CheckingOut>,
    owner: CartOwner,
    key: Option<IdempotencyKey>,
    Now(now): Now,
    Input(asked): Input<GuestCheckOut>,
) -> Result<Answer<PlacedView>, Problem> {
    Ok(PlacedView::answer(checking_out.check_out_guest(&owner, asked, key.as_ref(), now).await?))
}
