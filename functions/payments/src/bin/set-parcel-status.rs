//! `PUT /seller/orders/{orderId}/status`: says what became of a parcel, and so of its order; pays back what is refused.
//!
//! Safe to repeat: the parcel moves once, money and stock come back once, and what was said before is answered again.

use orders::{OrderId, ParcelProgress, SellerOrderView};
use payments::Parcelling;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, PathId, State};
use shared::run::telemetry;
use users::{Admins, CurrentCaller};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/seller/orders/{orderId}/status", set_parcel_status)).await
}

async fn set_parcel_status(
    State((_, parcelling)): State<(Admins, Parcelling)>,
    CurrentCaller(caller): CurrentCaller,
    PathId(id): PathId<OrderId>,
    Now(now): Now,
    Input(progress): Input<ParcelProgress>,
) -> Result<Answer<SellerOrderView>, Problem> {
    telemetry::about("orders", id);
    Ok(Answer::ok(parcelling.tell(&caller, id, &progress, now).await?))
}
