//! `GET /users/me/recently-viewed`: lists what the caller looked at lately, the last first; changes nothing.

use products::{RecentlyViewed, ViewedList};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/users/me/recently-viewed", list_recently_viewed)).await
}

async fn list_recently_viewed(
    State(viewed): State<RecentlyViewed>,
    caller: Caller,
    Now(now): Now,
) -> Result<Answer<ViewedList>, Problem> {
    Ok(Answer::ok(viewed.list_of(caller.id(), now).await?.into()))
}
