//! `POST /webhooks/deliveries/{id}/retry`: an admin has a delivery sent again, with the id that it had.
//!
//! Safe to repeat: what waits to be sent does.

use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, PathId, State};
use users::{Admins, CurrentAdmin};
use webhooks::sending::Retrying;
use webhooks::{DeliveryId, DeliveryView};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/webhooks/deliveries/{id}/retry", retry_webhook_delivery)).await
}

async fn retry_webhook_delivery(
    State((_, retrying)): State<(Admins, Retrying)>,
    _: CurrentAdmin,
    PathId(id): PathId<DeliveryId>,
    Now(now): Now,
) -> Result<Answer<DeliveryView>, Problem> {
    Ok(Answer::accepted(retrying.retry(id, now).await?))
}
