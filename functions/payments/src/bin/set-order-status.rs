//! `PUT /orders/{id}/status`: says that an order is on its way or arrived, and was paid at the door; queues its email.
//!
//! Safe to repeat: the order moves once, and what was said before is answered again.

use orders::{OrderId, OrderView, Progress};
use payments::Fulfilling;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, PathId, State};
use shared::run::telemetry;
use users::{Admins, CurrentCaller};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/orders/{id}/status", set_order_status)).await
}

async fn set_order_status(
    State((_, fulfilling)): State<(Admins, Fulfilling)>,
    CurrentCaller(caller): CurrentCaller,
    PathId(id): PathId<OrderId>,
    Now(now): Now,
    Input(progress): Input<Progress>,
) -> Result<Answer<OrderView>, Problem> {
    telemetry::about("orders", id);
    Ok(Answer::ok(fulfilling.tell(&caller, id, &progress, now).await?.into()))
}
