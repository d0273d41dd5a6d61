//! `POST /create-order`: reserves the stock, records the order and queues it for fulfilment.
//!
//! Safe to repeat: the same `Idempotency-Key` gives the first answer.

use orders::{NewOrder, OrderPlaced, OrderQueue, Orders};
use shared::caller::Caller;
use shared::guards::rate_limit::PersonLimit;
use shared::http::problem::Problem;
use shared::http::{self, Answer, IdempotencyKey, Input, Now, State};
use shared::run::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/create-order", create_order).and("/orders")).await
}

async fn create_order(
    State((limit, orders, queue)): State<(PersonLimit, Orders, OrderQueue)>,
    caller: Caller,
    key: Option<IdempotencyKey>,
    Now(now): Now,
    Input(order): Input<NewOrder>,
) -> Result<Answer<OrderPlaced>, Problem> {
    limit.count("create-order", caller.id(), now).await?;
    let placed = orders.place(&caller, &order, key.as_ref(), now).await?;
    let order_id = placed.answer.order_id();
    telemetry::about("orders", order_id);
    if !placed.replayed {
        tracing::info!(%order_id, "order placed");
        telemetry::count("OrderPlaced", 1);
        queue.send_or_leave(order_id).await;
    }
    Ok(Answer::created(placed.answer).at(format!("/orders/{order_id}")).replayed(placed.replayed))
}
