//! `GET /users/me/products/{id}`: shows one of the caller's own products, approved or not; changes nothing.

use products::{Looking, OwnProduct, ProductId};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, PathId, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/users/me/products/{id}", get_my_product)).await
}

async fn get_my_product(
    State(looking): State<Looking>,
    caller: Caller,
    PathId(id): PathId<ProductId>,
    Now(now): Now,
) -> Result<Answer<OwnProduct>, Problem> {
    let (product, version) = looking.at_own(&caller, id, now).await?;
    Ok(Answer::ok(product).version(version))
}
