//! `POST /admin/orders/{id}/cancel`: cancels anybody's order before it ships, as its buyer could, and queues the email.
//!
//! Safe to repeat: a cancelled order stays as it is.

use orders::{OrderId, OrderView};
use payments::cancelling::Cancelling;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, PathId, State};
use shared::run::telemetry;
use users::{Admins, CurrentAdmin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/admin/orders/{id}/cancel", withdraw_order)).await
}

async fn withdraw_order(
    State((_, cancelling)): State<(Admins, Cancelling)>,
    admin: CurrentAdmin,
    PathId(id): PathId<OrderId>,
    Now(now): Now,
) -> Result<Answer<OrderView>, Problem> {
    telemetry::about("orders", id);
    Ok(Answer::ok(cancelling.withdraw(&admin, id, now).await?.into()))
}
