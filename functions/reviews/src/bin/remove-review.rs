//! `DELETE /reviews/{productId}/{userId}`: an admin deletes what somebody said of a product.
//!
//! Safe to repeat: then there is no such review.

use reviews::{Author, ProductId, Reviews};
use shared::http::problem::Problem;
use shared::http::{self, IfMatch, NoContent, PathIds, State};
use users::{Admins, CurrentAdmin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::delete("/reviews/{productId}/{userId}", remove_review).conditional()).await
}

async fn remove_review(
    State((_, reviews)): State<(Admins, Reviews)>,
    _: CurrentAdmin,
    PathIds(product, Author(author)): PathIds<ProductId, Author>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    reviews.delete((product, &author), &if_match).await?;
    Ok(NoContent)
}
