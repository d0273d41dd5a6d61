//! `PUT /users/me/recently-viewed/{productId}`: notes that the caller looks at a product.
//!
//! Safe to repeat: the last look counts.

use products::{ProductId, RecentlyViewed};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, NoContent, Now, PathId, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/users/me/recently-viewed/{productId}", note_view)).await
}

async fn note_view(
    State(viewed): State<RecentlyViewed>,
    caller: Caller,
    PathId(id): PathId<ProductId>,
    Now(now): Now,
) -> Result<NoContent, Problem> {
    viewed.look(caller.id(), id, now).await?;
    Ok(NoContent)
}
