//! `GET /reviews/hidden`: lists the reviews that admins have hidden, newest first; changes nothing.

use reviews::{ReviewList, Reviews};
use shared::caller::Admin;
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/reviews/hidden", list_hidden_reviews)).await
}

async fn list_hidden_reviews(
    State((reviews, cursors)): State<(Reviews, Cursors)>,
    _: Admin,
    page: PageRequest,
) -> Result<Answer<ReviewList>, Problem> {
    Ok(Answer::page(reviews.list_hidden(&cursors, &page).await?))
}
