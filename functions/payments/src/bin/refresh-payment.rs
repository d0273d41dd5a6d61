//! `POST /payments/{id}/refresh`: asks Stripe how a payment stands, for the page that its buyer comes back to.
//!
//! Safe to repeat: what Stripe says becomes so once.

use payments::PaymentId;
use payments::starting::Refreshing;
use payments::views::Standing;
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, PathId, State};
use shared::run::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/payments/{id}/refresh", refresh_payment)).await
}

async fn refresh_payment(
    State(refreshing): State<Refreshing>,
    caller: Caller,
    PathId(id): PathId<PaymentId>,
    Now(now): Now,
) -> Result<Answer<Standing>, Problem> {
    telemetry::about("payments", id);
    Ok(Answer::ok(refreshing.refresh(&caller, id, now).await?))
}
