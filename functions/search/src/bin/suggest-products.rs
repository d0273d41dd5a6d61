//! `GET /search/suggest`: names of what is for sale that begin as somebody types; changes nothing.

use search::{Searching, SuggestRequest, Suggestions};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/search/suggest", suggest_products)).await
}

async fn suggest_products(
    State(searching): State<Searching>,
    request: SuggestRequest,
    Now(now): Now,
) -> Result<Answer<Suggestions>, Problem> {
    Ok(Answer::ok(searching.suggest(&request, now).await?).cacheable())
}
