//! `GET /admin/overview`: shows what was sold, what waits, how deep queues are and how late search is; changes nothing.

use platform::overview::{Overview, OverviewView};
use shared::caller::Admin;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/admin/overview", get_overview)).await
}

async fn get_overview(
    State(overview): State<Overview>,
    Admin(_): Admin,
    Now(now): Now,
) -> Result<Answer<OverviewView>, Problem> {
    Ok(Answer::ok(overview.read(now).await?))
}
