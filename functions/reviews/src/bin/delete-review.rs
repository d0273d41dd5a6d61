//! `DELETE /reviews/{productId}`: the caller takes back what was said of a product.
//!
//! Safe to repeat: then there is no such review.

use reviews::{ProductId, Reviews};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, IfMatch, NoContent, PathId, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::delete("/reviews/{productId}", delete_review).conditional()).await
}

async fn delete_review(
    State(reviews): State<Reviews>,
    author: Caller,
    PathId(product): PathId<ProductId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    reviews.delete((product, author.id()), &if_match).await?;
    Ok(NoContent)
}
