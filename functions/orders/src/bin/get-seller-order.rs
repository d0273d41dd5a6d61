//! `GET /seller/orders/{orderId}`: shows what the caller sells of an order, and whom to send it to; changes nothing.

use orders::{OrderId, Orders, SellerOrderView};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, PathId, State};
use shared::run::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/seller/orders/{orderId}", get_seller_order)).await
}

async fn get_seller_order(
    State(orders): State<Orders>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
) -> Result<Answer<SellerOrderView>, Problem> {
    telemetry::about("orders", id);
    Ok(Answer::ok(orders.find_of_seller(caller.id(), id).await?))
}
