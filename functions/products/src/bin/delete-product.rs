//! `DELETE /products/{id}`: its seller or an admin takes a product out of the shop; orders keep what they say of it.
//!
//! Safe to repeat: then there is no such product.

use products::pictures::PICTURES;
use products::{ProductId, Products};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, NoContent, PathId, State};
use shared::media::Media;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::delete("/products/{id}", delete_product)).await
}

async fn delete_product(
    State((products, media)): State<(Products, Media)>,
    caller: Caller,
    PathId(id): PathId<ProductId>,
) -> Result<NoContent, Problem> {
    products.delete(&caller, id).await?;
    tracing::info!(product_id = %id, "product deleted");
    // The product is gone whatever becomes of its pictures, and nothing names them any more.
    if let Err(error) = media.withdraw(PICTURES, id).await {
        tracing::warn!(product_id = %id, error = format!("{error:#}"), "left the pictures of a deleted product");
    }
    Ok(NoContent)
}
