//! `POST /payments/{id}`: opens the page on which the order of this id is paid, for the first time or again.
//!
//! Safe to repeat: a page that is open is given again, and no attempt gets one before those before it are ended.

use orders::OrderId;
use payments::starting::Starting;
use payments::views::PaymentView;
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, PathId, State};
use shared::run::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/payments/{id}", start_payment)).await
}

async fn start_payment(
    State(starting): State<Starting>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
    Now(now): Now,
) -> Result<Answer<PaymentView>, Problem> {
    telemetry::about("orders", id);
    let (payment, is_new) = starting.start(&caller, id, now).await?;
    let path = format!("/payments/{}", payment.id());
    let answer = if is_new { Answer::created(payment.into()).at(path) } else { Answer::ok(payment.into()) };
    Ok(answer)
}
