//! `PUT /cart`: chooses a coupon for a cart, how it is sent and where to.
//!
//! Also `PUT /guest-cart`, which gives a guest without a cart a new one. Safe to repeat: what is chosen is chosen.

use carts::shopping::CartChanged;
use carts::{CartChanges, CartOwner, Change, Pricing, Shopping};
use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/cart", update_cart).and("/guest-cart").conditional()).await
}

async fn update_cart(
    State((shopping, pricing)): State<(Shopping, Pricing)>,
    owner: CartOwner,
    if_match: IfMatch,
    Now(now): Now,
    Input(changes): Input<CartChanges>,
) -> Result<Answer<CartChanged>, Problem> {
    Ok(shopping.choose(&pricing, &Change::of(&owner, &if_match, now), changes).await?.into())
}
