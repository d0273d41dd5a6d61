//! `POST /cart/items`: puts more pieces of a product into a cart.
//!
//! Also `POST /guest-cart/items`, which gives a guest without a cart a new one. Safe to repeat with an
//! `Idempotency-Key`; without one it adds again.

use carts::shopping::CartChanged;
use carts::{CartOwner, Change, MostPieces, Shopping};
use orders::NewLine;
use shared::http::problem::Problem;
use shared::http::{self, Answer, IdempotencyKey, IfMatch, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/cart/items", add_cart_item).and("/guest-cart/items").conditional()).await
}

async fn add_cart_item(
    State((shopping, most)): State<(Shopping, MostPieces)>,
    owner: CartOwner,
    if_match: IfMatch,
    key: Option<IdempotencyKey>,
    Now(now): Now,
    Input(line): Input<NewLine>,
) -> Result<Answer<CartChanged>, Problem> {
    let change = Change::of(&owner, &if_match, now);
    Ok(shopping.add(change, line, key.as_ref(), most).await?.into())
}
