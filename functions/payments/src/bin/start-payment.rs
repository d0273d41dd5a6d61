//! `POST /payments/{id}`: opens the page on which the order of this id is paid, for the first time or again.
//!
//! Safe to repeat: a page that is open is given again, and no attempt gets one before those before it are ended.

use orders::OrderId;
use orders::guests::{Guest, GuestOrders};
use payments::starting::Starting;
use payments::views::PaymentView;
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, PathId, State};
use shared::run::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    let routes = http::post("/payments/{id}", start_payment);
    http::serve(routes.or("/guest-orders/{id}/payments", start_guest_payment)).await
}

async fn start_payment(
    State((starting, _)): State<(Starting, GuestOrders)>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
    Now(now): Now,
) -> Result<Answer<PaymentView>, Problem> {
    Ok(starting.start(&caller, id, now).await?.into())
}

async fn start_guest_payment(
    State((starting, orders)): State<(Starting, GuestOrders)>,
    guest: Guest,
    PathId(id): PathId<OrderId>,
    Now(now): Now,
) -> Result<Answer<PaymentView>, Problem> {
    telemetry::about("orders", id);
    let order = orders.open(guest, id, now).await?;
    Ok(starting.start_opened(order, now).await?.into())
}
