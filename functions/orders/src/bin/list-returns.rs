//! `GET /admin/returns`: lists the returns that somebody has to decide, oldest first; changes nothing.

use orders::Returns;
use orders::returns::ReturnList;
use shared::caller::Admin;
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/admin/returns", list_returns)).await
}

async fn list_returns(
    State((returns, cursors)): State<(Returns, Cursors)>,
    Admin(_): Admin,
    page: PageRequest,
) -> Result<Answer<ReturnList>, Problem> {
    Ok(Answer::page(returns.list_open(&cursors, &page).await?))
}
