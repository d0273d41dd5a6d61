//! `GET /search`: finds what is for sale by words, filters and order, as it is today; changes nothing.

use search::{SearchPage, SearchRequest, Searching};
use shared::dynamo::list::Cursors;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/search", search_products)).await
}

async fn search_products(
    State((searching, cursors)): State<(Searching, Cursors)>,
    request: SearchRequest,
    Now(now): Now,
) -> Result<Answer<SearchPage>, Problem> {
    let page = searching.page(&request, &cursors, now).await?;
    let next_cursor = page.next_cursor.clone();
    Ok(Answer::ok(page).followed_by(next_cursor).cacheable())
}
