//! `POST /orders/{id}/cancel`: cancels a pending order, gives its stock back and queues the email.
//!
//! Safe to repeat: a cancelled order stays as it is.

use orders::{EmailKind, EmailQueue, OrderId, OrderView, Orders};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, PathId, State};
use shared::run::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/orders/{id}/cancel", cancel_order)).await
}

async fn cancel_order(
    State((orders, emails)): State<(Orders, EmailQueue)>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
    Now(now): Now,
) -> Result<Answer<OrderView>, Problem> {
    telemetry::about("orders", id);
    let order = orders.cancel(&caller, id, now).await?;
    tracing::info!(order_id = %id, "order cancelled by its buyer");
    emails.send_or_leave(EmailKind::OrderCancelled, id).await;
    Ok(Answer::ok(order.into()))
}
