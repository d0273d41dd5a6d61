//! `POST /cart/merge`: puts what a guest's cart has into the caller's, and deletes the guest's.
//!
//! Safe to repeat: a token that was merged opens nothing.

use carts::shopping::CartChanged;
use carts::{Carts, GuestCart, MostPieces};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/cart/merge", merge_cart)).await
}

async fn merge_cart(
    State((carts, most)): State<(Carts, MostPieces)>,
    caller: Caller,
    Now(now): Now,
    Input(guest): Input<GuestCart>,
) -> Result<Answer<CartChanged>, Problem> {
    Ok(Answer::ok(CartChanged::merged(carts.merge(caller.id(), guest.cart_token, most, now).await?)))
}
