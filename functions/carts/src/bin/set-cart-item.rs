//! `PUT /cart/items/{id}`: says how many pieces of a product are in a cart; none takes it out.
//!
//! Also `PUT /guest-cart/items/{id}`. Safe to repeat: so many are so many.

use carts::shopping::CartChanged;
use carts::{CartOwner, Change, MostPieces, NewQuantity, Shopping};
use offers::OfferId;
use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, Input, Now, PathId, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/cart/items/{id}", set_cart_item).and("/guest-cart/items/{id}").conditional())
        .await
}

async fn set_cart_item(
    State((shopping, most)): State<(Shopping, MostPieces)>,
    owner: CartOwner,
    if_match: IfMatch,
    PathId(id): PathId<OfferId>,
    Now(now): Now,
    Input(quantity): Input<NewQuantity>,
) -> Result<Answer<CartChanged>, Problem> {
    Ok(shopping.set(Change::of(&owner, &if_match, now), id, quantity, most).await?.into())
}
