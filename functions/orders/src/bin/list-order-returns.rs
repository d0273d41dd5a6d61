//! `GET /orders/{id}/returns`: lists what is sent back of an order, newest first; changes nothing.

use orders::guests::{Guest, GuestOrders};
use orders::returns::ReturnList;
use orders::{OrderId, Returns};
use shared::caller::Caller;
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, PathId, State};
use shared::run::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    let routes = http::get("/orders/{id}/returns", list_order_returns);
    http::serve(routes.or("/guest-orders/{id}/returns", list_guest_order_returns)).await
}

async fn list_order_returns(
    State((returns, _, cursors)): State<(Returns, GuestOrders, Cursors)>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
    page: PageRequest,
) -> Result<Answer<ReturnList>, Problem> {
    telemetry::about("orders", id);
    Ok(Answer::page(returns.list_for(&caller, id, &cursors, &page).await?))
}

async fn list_guest_order_returns(
    State((returns, orders, cursors)): State<(Returns, GuestOrders, Cursors)>,
    PathId(id): PathId<OrderId>,
    guest: Guest,
    Now(now): Now,
    page: PageRequest,
) -> Result<Answer<ReturnList>, Problem> {
    telemetry::about("orders", id);
    orders.open(guest, id, now).await?;
    Ok(Answer::page(returns.list_of(id, &cursors, &page).await?))
}
