//! `POST /orders/{id}/cancel`: cancels a pending order, gives stock and coupon back and queues the email.
//!
//! Safe to repeat: a cancelled order stays as it is.

use orders::ordering::Cancelling;
use orders::{OrderId, OrderView};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, PathId, State};
use shared::run::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/orders/{id}/cancel", cancel_order)).await
}

async fn cancel_order(
    State(cancelling): State<Cancelling>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
    Now(now): Now,
) -> Result<Answer<OrderView>, Problem> {
    telemetry::about("orders", id);
    Ok(Answer::ok(cancelling.cancel(&caller, id, now).await?.into()))
}
