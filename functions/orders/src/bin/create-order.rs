//! `POST /create-order`: reserves the stock, records the order and queues it for fulfilment.
//!
//! Safe to repeat: the same `Idempotency-Key` gives the first answer.

use orders::{NewOrder, OrderPlaced, Ordering};
use shared::caller::Caller;
use shared::guards::KeyedRequest;
use shared::http::problem::Problem;
use shared::http::{self, Answer, IdempotencyKey, Input, Now, State};
use shared::run::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/create-order", create_order).and("/orders")).await
}

async fn create_order(
    State(ordering): State<Ordering>,
    caller: Caller,
    key: Option<IdempotencyKey>,
    Now(now): Now,
    Input(order): Input<NewOrder>,
) -> Result<Answer<OrderPlaced>, Problem> {
    let keyed = KeyedRequest::of("create-order", &caller, key.as_ref(), &order)?;
    let placed = ordering.place(&caller, &order, keyed.as_ref(), now).await?;
    let order_id = placed.answer().order_id();
    telemetry::about("orders", order_id);
    Ok(Answer::created_once(placed).at(format!("/orders/{order_id}")))
}
