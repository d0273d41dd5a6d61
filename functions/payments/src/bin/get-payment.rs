//! `GET /payments/{id}`: shows an attempt to pay, and what was given back of it; changes nothing.

use payments::views::WholeView;
use payments::{PaymentId, Payments};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, PathId, State};
use shared::run::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/payments/{id}", get_payment)).await
}

async fn get_payment(
    State(payments): State<Payments>,
    caller: Caller,
    PathId(id): PathId<PaymentId>,
) -> Result<Answer<WholeView>, Problem> {
    telemetry::about("payments", id);
    Ok(Answer::ok(payments.show(&caller, id).await?))
}
