//! `DELETE /cart`: takes everything out of a cart.
//!
//! Also `DELETE /guest-cart`. Safe to repeat: an empty cart stays as it is.

use carts::shopping::CartChanged;
use carts::{CartOwner, Shopping};
use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::delete("/cart", clear_cart).and("/guest-cart").conditional()).await
}

async fn clear_cart(
    State(shopping): State<Shopping>,
    owner: CartOwner,
    if_match: IfMatch,
    Now(now): Now,
) -> Result<Answer<CartChanged>, Problem> {
    Ok(Answer::ok(shopping.clear(&owner, &if_match, now).await?))
}
