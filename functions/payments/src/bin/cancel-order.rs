//! `POST /orders/{id}/cancel`: cancels an order before it ships, gives stock, coupon and money back, queues the email.
//!
//! Safe to repeat: a cancelled order stays as it is.

use orders::guests::{Guest, GuestOrders};
use orders::{OrderId, OrderView};
use payments::cancelling::Cancelling;
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, PathId, State};
use shared::run::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    let routes = http::post("/orders/{id}/cancel", cancel_order);
    http::serve(routes.or("/guest-orders/{id}/cancel", cancel_guest_order)).await
}

async fn cancel_order(
    State((cancelling, _)): State<(Cancelling, GuestOrders)>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
    Now(now): Now,
) -> Result<Answer<OrderView>, Problem> {
    telemetry::about("orders", id);
    Ok(Answer::ok(cancelling.cancel(&caller, id, now).await?.into()))
}

async fn cancel_guest_order(
    State((cancelling, orders)): State<(Cancelling, GuestOrders)>,
    PathId(id): PathId<OrderId>,
    guest: Guest,
    Now(now): Now,
) -> Result<Answer<OrderView>, Problem> {
    telemetry::about("orders", id);
    let order = orders.open(guest, id, now).await?;
    Ok(Answer::ok(cancelling.cancel_opened(order, now).await?.into()))
}
