//! `GET /orders`: lists the caller's own orders, newest first; changes nothing.

use orders::{OrderList, Orders};
use shared::caller::Caller;
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/orders", list_orders)).await
}

async fn list_orders(
    State((orders, cursors)): State<(Orders, Cursors)>,
    caller: Caller,
    page: PageRequest,
) -> Result<Answer<OrderList>, Problem> {
    Ok(Answer::page(orders.list_of(caller.id(), &cursors, &page).await?))
}
