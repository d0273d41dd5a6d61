//! `PUT /cart`: chooses a coupon for a cart, how it is sent and where to.
//!
//! Also `PUT /guest-cart`, which gives a guest without a cart a new one. Safe to repeat: what is chosen is chosen.

use carts::shopping::CartChanged;
use carts::{CartChanges, CartOwner, Pricing, Shopping};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/cart", update_cart).and("/guest-cart")).await
}

async fn update_cart(
    State((shopping, pricing)): State<(Shopping, Pricing)>,
    owner: CartOwner,
    Now(now): Now,
    Input(changes): Input<CartChanges>,
) -> Result<Answer<CartChanged>, Problem> {
    Ok(shopping.choose(&pricing, &owner, changes, now).await?.into())
}
