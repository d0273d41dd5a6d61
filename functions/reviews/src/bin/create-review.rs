//! `POST /products/{id}/reviews`: who has bought a product says how it is.
//!
//! Repeated, it answers that the product was reviewed before; nothing is counted twice.

use reviews::{NewReview, ProductId, ReviewView, Reviewing};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, PathId, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/products/{id}/reviews", create_review)).await
}

async fn create_review(
    State(reviewing): State<Reviewing>,
    author: Caller,
    PathId(product): PathId<ProductId>,
    Now(now): Now,
    Input(new): Input<NewReview>,
) -> Result<Answer<ReviewView>, Problem> {
    Ok(Answer::created(reviewing.post(&author, product, new, now).await?.into()))
}
