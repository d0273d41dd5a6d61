//! `PUT /reviews/{productId}`: the caller says something else of a product.
//!
//! Safe to repeat: what is so already changes nothing.

use reviews::{NewReview, ProductId, ReviewView, Reviews};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, Input, Now, PathId, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/reviews/{productId}", update_review).conditional()).await
}

async fn update_review(
    State(reviews): State<Reviews>,
    author: Caller,
    PathId(product): PathId<ProductId>,
    if_match: IfMatch,
    Now(now): Now,
    Input(new): Input<NewReview>,
) -> Result<Answer<ReviewView>, Problem> {
    Ok(Answer::ok(reviews.edit(&author, product, &if_match, &new, now).await?.into()))
}
