//! `POST /orders/{id}/returns`: asks to send things of one's order back, and queues the email that says so.
//!
//! Safe to repeat: the same `Idempotency-Key` gives the first answer, and no piece is in two returns.

use orders::OrderId;
use orders::guests::Guest;
use orders::returns::{NewReturn, Requesting, ReturnView};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, IdempotencyKey, Input, Now, PathId, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    let routes = http::post("/orders/{id}/returns", request_return);
    http::serve(routes.or("/guest-orders/{id}/returns", request_guest_return)).await
}

async fn request_return(
    State(requesting): State<Requesting>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
    key: Option<IdempotencyKey>,
    Now(now): Now,
    Input(asked): Input<NewReturn>,
) -> Result<Answer<ReturnView>, Problem> {
    Ok(requesting.request(&caller, id, &asked, key.as_ref(), now).await?.into())
}

async fn request_guest_return(
    State(requesting): State<Requesting>,
    PathId(id): PathId<OrderId>,
    guest: Guest,
    key: Option<IdempotencyKey>,
    Now(now): Now,
    Input(asked): Input<NewReturn>,
) -> Result<Answer<ReturnView>, Problem> {
    Ok(requesting.request_as(guest, id, &asked, key.as_ref(), now).await?.into())
}
