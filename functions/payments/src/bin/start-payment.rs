//! `POST /payments/{id}`: opens the page on which the order of this id is paid, for the first time or again.
//!
//! Safe to repeat: a page that is open is given again, and no attempt gets one before those before it are ended.

use orders::OrderId;
use orders::guests::{Guest, GuestOrders};
use payments::starting::{StartPayment, Starting};
use payments::views::StartedView;
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, InputIfAny, Now, PathId, State};

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
    InputIfAny(asked): InputIfAny<StartPayment>,
) -> Result<Answer<StartedView>, Problem> {
    let started = starting.start(&caller, id, asked, now).await?;
    Ok(started.answer(|payment| format!("/payments/{payment}")))
}

async fn start_guest_payment(
    State((starting, orders)): State<(Starting, GuestOrders)>,
    PathId(id): PathId<OrderId>,
    guest: Guest,
    Now(now): Now,
    InputIfAny(asked): InputIfAny<StartPayment>,
) -> Result<Answer<StartedView>, Problem> {
    let started = starting.start_opened(orders.open(guest, id, now).await?, asked, now).await?;
    Ok(started.answer(|_| format!("/guest-orders/{id}")))
}
