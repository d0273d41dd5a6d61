//! `GET /payments/order/{id}`: lists the attempts to pay an order, newest first; changes nothing.

use orders::OrderId;
use payments::Payments;
use payments::views::PaymentList;
use shared::caller::Caller;
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, PathId, State};
use shared::run::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/payments/order/{id}", list_order_payments)).await
}

async fn list_order_payments(
    State((payments, cursors)): State<(Payments, Cursors)>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
    page: PageRequest,
) -> Result<Answer<PaymentList>, Problem> {
    telemetry::about("orders", id);
    Ok(Answer::page(payments.list_for(&caller, id, &cursors, &page).await?))
}
