//! `POST /cart/items`: puts more pieces of a product into a cart.
//!
//! Also `POST /guest-cart/items`, which gives a guest without a cart a new one. Repeated, it adds again.

use carts::shopping::CartChanged;
use carts::{CartOwner, MostPieces, Shopping};
use orders::NewLine;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/cart/items", add_cart_item).and("/guest-cart/items")).await
}

async fn add_cart_item(
    State((shopping, most)): State<(Shopping, MostPieces)>,
    owner: CartOwner,
    Now(now): Now,
    Input(line): Input<NewLine>,
) -> Result<Answer<CartChanged>, Problem> {
    Ok(shopping.add(&owner, line, most, now).await?.into())
}
