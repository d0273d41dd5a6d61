//! `GET /seller/summary`: shows what the caller sold today and in 30 days, and what waits; changes nothing.

use orders::sales::{Party, Sales, Summary};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/seller/summary", get_seller_summary)).await
}

async fn get_seller_summary(
    State(sales): State<Sales>,
    caller: Caller,
    Now(now): Now,
) -> Result<Answer<Summary>, Problem> {
    Ok(Answer::ok(sales.summary(&Party::Seller(caller.id().clone()), now).await?))
}
