//! `DELETE /products/{id}`: its seller or an admin takes a product out of the shop; orders keep what they say of it.
//!
//! Safe to repeat: then there is no such product.

use products::{ProductId, Products, selling};
use shared::http::problem::Problem;
use shared::http::{self, IfMatch, NoContent, PathId, State};
use shared::media::Media;
use users::{Admins, CurrentCaller};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::delete("/products/{id}", delete_product).conditional()).await
}

async fn delete_product(
    State((_, products, media)): State<(Admins, Products, Media)>,
    CurrentCaller(caller): CurrentCaller,
    PathId(id): PathId<ProductId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    selling::delete(&products, &media, &caller, id, &if_match).await?;
    Ok(NoContent)
}
