//! `POST /payments/{id}`: opens the page on which the order of this id is paid, for the first time or again.
//!
//! Safe to repeat: a page that is open is given again, and no attempt gets one before those before it are ended.

use orders::OrderId;
use orders::guests::{Guest, GuestOrders};
use payments::starting::{StartPayment, Started, Starting};
use payments::views::StartedView;
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, InputIfAny, Now, PathId, State};
use shared::run::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    let routes = http::post("/payments/{id}", start_payment);
    http::serve(routes.or("/guest-orders/{id}/payments", start_guest_payment)).await
}

type Known = (Starting, GuestOrders);
type Asked = InputIfAny<StartPayment>;
type Page = Result<Answer<StartedView>, Problem>;

async fn start_payment(
    State((starting, _)): State<Known>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
    Now(now): Now,
    InputIfAny(asked): Asked,
) -> Page {
    telemetry::about("orders", id);
    let started = starting.start(&caller, id, asked, now).await?;
    let path = format!("/payments/{}", started.payment.id());
    Ok(page(started, path))
}

async fn start_guest_payment(
    State((starting, orders)): State<Known>,
    guest: Guest,
    PathId(id): PathId<OrderId>,
    Now(now): Now,
    InputIfAny(asked): Asked,
) -> Page {
    telemetry::about("orders", id);
    let order = orders.open(guest, id, now).await?;
    Ok(page(starting.start_opened(order, asked, now).await?, format!("/guest-orders/{id}")))
}

fn page(started: Started, path: String) -> Answer<StartedView> {
    if started.is_new { Answer::created(started.into()).at(path) } else { Answer::ok(started.into()) }
}
