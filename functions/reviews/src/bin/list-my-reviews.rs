//! `GET /users/me/reviews`: lists the caller's own reviews, newest first; changes nothing.

use reviews::{ReviewList, Reviews};
use shared::caller::Caller;
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/users/me/reviews", list_my_reviews)).await
}

async fn list_my_reviews(
    State((reviews, cursors)): State<(Reviews, Cursors)>,
    author: Caller,
    page: PageRequest,
) -> Result<Answer<ReviewList>, Problem> {
    Ok(Answer::page(reviews.list_of(author.id(), &cursors, &page).await?))
}
