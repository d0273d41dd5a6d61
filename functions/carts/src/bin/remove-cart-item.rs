//! `DELETE /cart/items/{id}`: takes a product out of a cart.
//!
//! Also `DELETE /guest-cart/items/{id}`. Safe to repeat: what is not there stays away.

use carts::shopping::CartChanged;
use carts::{CartOwner, Change, Shopping};
use offers::OfferId;
use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, Now, PathId, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(
        http::delete("/cart/items/{id}", remove_cart_item).and("/guest-cart/items/{id}").conditional(),
    )
    .await
}

async fn remove_cart_item(
    State(shopping): State<Shopping>,
    owner: CartOwner,
    if_match: IfMatch,
    PathId(id): PathId<OfferId>,
    Now(now): Now,
) -> Result<Answer<CartChanged>, Problem> {
    Ok(shopping.remove(&Change::of(&owner, &if_match, now), id).await?.into())
}
