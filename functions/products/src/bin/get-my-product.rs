//! `GET /users/me/products/{id}`: shows one of the caller's own products, approved or not; changes nothing.

use products::{OwnProduct, ProductId, Products};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, PathId, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/users/me/products/{id}", get_my_product)).await
}

async fn get_my_product(
    State(products): State<Products>,
    caller: Caller,
    PathId(id): PathId<ProductId>,
) -> Result<Answer<OwnProduct>, Problem> {
    let found = products.find_of(&caller, id).await?;
    let version = found.product.version();
    Ok(Answer::ok(found.into()).version(version))
}
