//! `GET /orders/{id}`: shows an order to its buyer and to the seller of all of it; changes nothing.

use orders::guests::{Guest, GuestOrders};
use orders::{OrderId, OrderView, Orders};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, PathId, State};
use shared::run::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/orders/{id}", get_order).or("/guest-orders/{id}", get_guest_order)).await
}

async fn get_order(
    State((orders, _)): State<(Orders, GuestOrders)>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
) -> Result<Answer<OrderView>, Problem> {
    telemetry::about("orders", id);
    Ok(Answer::ok(orders.find_for(&caller, id).await?.into()))
}

async fn get_guest_order(
    State((_, orders)): State<(Orders, GuestOrders)>,
    PathId(id): PathId<OrderId>,
    guest: Guest,
    Now(now): Now,
) -> Result<Answer<OrderView>, Problem> {
    telemetry::about("orders", id);
    Ok(Answer::ok(orders.open(guest, id, now).await?.into()))
}
