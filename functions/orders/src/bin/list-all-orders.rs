//! `GET /admin/orders`: lists all orders, those in one status or of one number, newest first; changes nothing.

use orders::admin::AllOrders;
use orders::{OrderNumber, OrderStatus, Orders};
use shared::caller::Admin;
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, QueryParameter, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/admin/orders", list_all_orders)).await
}

async fn list_all_orders(
    State((orders, cursors)): State<(Orders, Cursors)>,
    Admin(_): Admin,
    QueryParameter(status): QueryParameter<OrderStatus>,
    QueryParameter(number): QueryParameter<OrderNumber>,
    Now(now): Now,
    page: PageRequest,
) -> Result<Answer<AllOrders>, Problem> {
    Ok(Answer::page(orders.look_up(number, status, &cursors, &page, now).await?))
}
