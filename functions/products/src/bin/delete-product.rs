//! `DELETE /products/{id}`: its seller or an admin takes a product out of the shop; orders keep what they say of it.
//!
//! Safe to repeat: then there is no such product.

use products::{ProductId, Selling};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, NoContent, PathId, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::delete("/products/{id}", delete_product)).await
}

async fn delete_product(
    State(selling): State<Selling>,
    caller: Caller,
    PathId(id): PathId<ProductId>,
) -> Result<NoContent, Problem> {
    selling.delete(&caller, id).await?;
    Ok(NoContent)
}
