//! `GET /admin/orders/{id}`: shows anybody's order, its events and its emails to an admin; changes nothing.

use orders::admin::InspectedView;
use orders::{OrderId, Orders};
use shared::caller::Admin;
use shared::http::problem::Problem;
use shared::http::{self, Answer, PathId, State};
use shared::run::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/admin/orders/{id}", inspect_order)).await
}

async fn inspect_order(
    State(orders): State<Orders>,
    Admin(_): Admin,
    PathId(id): PathId<OrderId>,
) -> Result<Answer<InspectedView>, Problem> {
    telemetry::about("orders", id);
    Ok(Answer::ok(orders.inspect(id).await?.into()))
}
