//! `GET /cart`: shows a cart, what it costs today and what is in its way; changes nothing.
//!
//! Also `GET /guest-cart`, for the cart of whoever has the `Cart-Token`.

use carts::priced::CartView;
use carts::{CartOwner, Pricing};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/cart", get_cart).and("/guest-cart")).await
}

async fn get_cart(
    State(pricing): State<Pricing>,
    owner: CartOwner,
    Now(now): Now,
) -> Result<Answer<CartView>, Problem> {
    Ok(pricing.look(&owner, now).await?.into())
}
