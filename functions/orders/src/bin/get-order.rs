//! `GET /orders/{id}`: shows an order to its buyer and to who sells all of it; changes nothing.

use orders::{OrderId, OrderView, Orders};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, PathId, State};
use shared::run::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/orders/{id}", get_order)).await
}

async fn get_order(
    State(orders): State<Orders>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
) -> Result<Answer<OrderView>, Problem> {
    telemetry::about("orders", id);
    Ok(Answer::ok(orders.find_for(&caller, id).await?.into()))
}
