//! `POST /payments/{id}/refresh`: asks Stripe how a payment stands, for the page that its buyer comes back to.
//!
//! Safe to repeat: what Stripe says becomes so once.

use orders::OrderId;
use orders::guests::{Guest, GuestOrders};
use payments::PaymentId;
use payments::starting::Refreshing;
use payments::views::Standing;
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, PathId, State};
use shared::run::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    let routes = http::post("/payments/{id}/refresh", refresh_payment);
    http::serve(routes.or("/guest-orders/{id}/refresh", refresh_guest_payment)).await
}

async fn refresh_payment(
    State((refreshing, _)): State<(Refreshing, GuestOrders)>,
    caller: Caller,
    PathId(id): PathId<PaymentId>,
    Now(now): Now,
) -> Result<Answer<Standing>, Problem> {
    telemetry::about("payments", id);
    Ok(Answer::ok(refreshing.refresh(&caller, id, now).await?))
}

async fn refresh_guest_payment(
    State((refreshing, orders)): State<(Refreshing, GuestOrders)>,
    PathId(id): PathId<OrderId>,
    guest: Guest,
    Now(now): Now,
) -> Result<Answer<Standing>, Problem> {
    telemetry::about("orders", id);
    let order = orders.open(guest, id, now).await?;
    Ok(Answer::ok(refreshing.refresh_opened(order, now).await?))
}
